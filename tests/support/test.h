/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/test.h - what every cmocka test includes first. */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Fails with the library's own words instead of "-5 != 0". */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        int assert_ok_rc = (call);                                                                 \
        if (assert_ok_rc != 0)                                                                     \
            fail_msg("%s gave %d: %s", #call, assert_ok_rc, (err).text);                           \
    } while (0)

#endif

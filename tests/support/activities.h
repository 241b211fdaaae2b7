/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of activities share: one of them by its name, and what came out. */
#ifndef TESTS_SUPPORT_ACTIVITIES_H
#define TESTS_SUPPORT_ACTIVITIES_H

#include "support/test.h"

#include "support/fake_work.h"

#include "catalogue.h"

extern struct wf_error err;

int set_up(void **state);
int tear_down(void **state);

/* Fails the test where there is none of that name. */
const struct wf_activity *activity(const char *name);
const char *text_of(const struct wf_value *map, const char *name);
int64_t int_of(const struct wf_value *map, const char *name);
/* Is the result refused, and for that field (NULL = any)? */
bool refuses(const char *name, const struct wf_value *result, const char *field);

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

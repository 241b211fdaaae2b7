/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/json.h - values written in tests as JSON, with ' for " to spare the backslashes. */
#ifndef TESTS_SUPPORT_JSON_H
#define TESTS_SUPPORT_JSON_H

#include "workflow/value.h"

/* Fails the test where the text is no JSON. NULL gives NULL. */
const struct wf_value *json(struct wf_arena *arena, const char *text);

#endif

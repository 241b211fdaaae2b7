/* SPDX-License-Identifier: Apache-2.0 */
/* clients/c/json.h - a file of JSON as a value of the library. */
#ifndef CLIENTS_JSON_H
#define CLIENTS_JSON_H

#include <workflow/error.h>
#include <workflow/value.h>

int json_read(const char *path, struct wf_arena *arena, const struct wf_value **out,
              struct wf_error *err) WF_CHECKED;

#endif

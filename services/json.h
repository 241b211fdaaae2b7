/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/json.h - JSON at the edges, for programs that join a cell to other systems.
 *
 * PURPOSE    JSON texts become values and values JSON texts, with the bounds of a message.
 * OWNERSHIP  texts that are given back are for free(), json_t for json_decref; values live in the
 *            arena.
 * DANGERS    Jansson recurses: count the depth (json_too_deep) before it sees a text from outside.
 *            Its own error texts quote what was read, which may be personal: never pass them on.
 */
#ifndef HOSO_SERVICES_JSON_H
#define HOSO_SERVICES_JSON_H

#include <jansson.h>

#include "workflow/messages.h"

#define JSON_DEPTH_MAX   16
#define JSON_OBJECTS_MAX 4096 /* as in a message */

/* One JSON object, at most 16 levels deep; no text at all is the empty object. */
int json_read(const char *text, size_t length, struct wf_arena *arena, struct wf_value **out,
              struct wf_error *err) WF_CHECKED;

/* Where the text is deeper than `most`: the offset of the bracket that is too many, else length. */
size_t json_too_deep(const char *text, size_t length, size_t most);

/* Names and values in a tree, up to the first that is too many. */
size_t json_count(json_t *json, size_t most);

/* NULL when memory is out; ask wf_value_is_whole. Count first: maps take the square of their size. */
const struct wf_value *json_value(json_t *json, struct wf_arena *arena);

/* NULL when memory is out. */
json_t *json_of(const struct wf_value *value);

/* Texts; NULL when memory is out. */
char *json_of_value(const struct wf_value *value); /* also NULL where it is not whole */
char *json_of_message(const struct wf_message_info *info, const void *body);
char *json_of_error(const struct wf_error *err, uint64_t retry_ms);

#endif

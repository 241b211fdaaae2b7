/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON at the edges: what people and scripts hand in, and what --json prints. Strict on the way in:
 * one object or value, no duplicate names, no NUL, at most 16 levels, as on the queue endpoints.
 */
#include "hoso.h"

#include <string.h>

#include "../json.h"

int hoso_json_parse(const char *what, const char *text, size_t length, struct wf_arena *arena,
                    const struct wf_value **out, struct wf_error *err)
{
    json_error_t why;
    if (json_too_deep(text, length, JSON_DEPTH_MAX) < length)
        return wf_fail(err, WF_E_CONFIG, "%s: more than %d levels deep", what, JSON_DEPTH_MAX);
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (json == NULL)
        return wf_fail(err, WF_E_CONFIG, "%s: line %d, column %d: no JSON: %s", what, why.line,
                       why.column, why.text);
    const struct wf_value *value = json_value(json, arena);
    json_decref(json);
    if (!wf_value_is_whole(value))
        return wf_fail(err, WF_E_NOMEM, "%s: out of memory", what);
    *out = value;
    return 0;
}

int hoso_json_object(const char *what, const char *text, struct wf_arena *arena,
                     const struct wf_value **out, struct wf_error *err)
{
    const struct wf_value *value = NULL;
    int rc = hoso_json_parse(what, text, strlen(text), arena, &value, err);
    if (rc < 0)
        return rc;
    if (value == NULL || value->type != WF_MAP)
        return wf_fail(err, WF_E_CONFIG, "%s: a JSON object is wanted: {\"name\": ...}", what);
    *out = value;
    return 0;
}

/* ---- printing ---------------------------------------------------------------------------------
 */

static int print(const struct wf_value *value, size_t flags, FILE *out, struct wf_error *err)
{
    if (!wf_value_is_whole(value))
        return wf_fail(err, WF_E_NOMEM, "make the answer: out of memory");
    json_t *json = json_of(value);
    if (json == NULL)
        return wf_fail(err, WF_E_NOMEM, "make the answer: out of memory");
    int rc = json_dumpf(json, out, flags | JSON_ENCODE_ANY);
    json_decref(json);
    if (rc != 0 || fputc('\n', out) == EOF)
        return wf_fail(err, WF_E_IO, "write the answer failed");
    return 0;
}

int hoso_json_print(const struct wf_value *value, FILE *out, struct wf_error *err)
{
    return print(value, JSON_INDENT(2), out, err);
}

int hoso_json_line(const struct wf_value *value, FILE *out, struct wf_error *err)
{
    return print(value, JSON_COMPACT, out, err);
}

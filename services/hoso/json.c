/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON at the edges: what people and scripts hand in, and what --json prints. Strict on the way in:
 * one object or value, no duplicate names, no NUL, at most 16 levels, as on the queue endpoints.
 */
#include "hoso.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define DEPTH_MAX 16

static const struct wf_value *value_of(json_t *json, struct wf_arena *arena, int depth);

static const struct wf_value *list_of(const json_t *json, struct wf_arena *arena, int depth)
{
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; list != NULL && i < json_array_size(json); i++)
        (void)wf_list_add(arena, list, value_of(json_array_get(json, i), arena, depth + 1));
    return list;
}

static const struct wf_value *map_of(json_t *json, struct wf_arena *arena, int depth)
{
    struct wf_value *map = wf_map(arena);
    for (void *at = json_object_iter(json); map != NULL && at != NULL;
         at = json_object_iter_next(json, at))
        (void)wf_map_put(arena, map, json_object_iter_key(at),
                         value_of(json_object_iter_value(at), arena, depth + 1));
    return map;
}

/* NULL where memory is out or the tree is too deep: the container is then broken. */
static const struct wf_value *value_of(json_t *json, struct wf_arena *arena, int depth)
{
    if (depth > DEPTH_MAX)
        return NULL;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return map_of(json, arena, depth);
    case JSON_ARRAY:
        return list_of(json, arena, depth);
    case JSON_STRING:
        return wf_text_n(arena, json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return wf_int(arena, json_integer_value(json));
    case JSON_REAL:
        return wf_number(arena, json_real_value(json));
    case JSON_TRUE:
        return &wf_true;
    case JSON_FALSE:
        return &wf_false;
    case JSON_NULL:
        return &wf_null;
    }
    return NULL;
}

int hoso_json_parse(const char *what, const char *text, size_t length, struct wf_arena *arena,
                    const struct wf_value **out, struct wf_error *err)
{
    json_error_t why;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (json == NULL)
        return wf_fail(err, WF_E_CONFIG, "%s: line %d, column %d: no JSON: %s", what, why.line,
                       why.column, why.text);
    const struct wf_value *value = value_of(json, arena, 1);
    json_decref(json);
    if (!wf_value_is_whole(value))
        return wf_fail(err, WF_E_CONFIG, "%s: more than %d levels deep", what, DEPTH_MAX);
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

static json_t *json_of(const struct wf_value *value)
{
    json_t *json = NULL;
    switch (value->type) {
    case WF_NULL:
        return json_null();
    case WF_BOOL:
        return json_boolean(value->u.boolean);
    case WF_INT:
        return json_integer(value->u.integer);
    case WF_NUMBER:
        return json_real(value->u.number);
    case WF_TEXT:
        return json_stringn(value->u.text.len > 0 ? value->u.text.ptr : "", value->u.text.len);
    case WF_LIST:
        json = json_array();
        for (size_t i = 0; json != NULL && i < value->u.list.n; i++)
            (void)json_array_append_new(json, json_of(value->u.list.items[i]));
        return json;
    case WF_MAP:
        json = json_object();
        for (size_t i = 0; json != NULL && i < value->u.map.n; i++) {
            const struct wf_pair *pair = &value->u.map.pairs[i];
            char key[256];
            if (wf_str_copy(pair->key, key, sizeof(key)))
                (void)json_object_set_new(json, key, json_of(pair->value));
        }
        return json;
    }
    return NULL;
}

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

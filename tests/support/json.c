/* SPDX-License-Identifier: Apache-2.0 */
#include "support/json.h"

#include <jansson.h>

#include "support/test.h"

static const struct wf_value *value_of(struct wf_arena *arena, json_t *from);

static const struct wf_value *list_of(struct wf_arena *arena, json_t *from)
{
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; i < json_array_size(from); i++)
        wf_list_add(arena, list, value_of(arena, json_array_get(from, i)));
    return list;
}

static const struct wf_value *map_of(struct wf_arena *arena, json_t *from)
{
    struct wf_value *map = wf_map(arena);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(from, key, value)
    {
        wf_map_put(arena, map, key, value_of(arena, value));
    }
    return map;
}

static const struct wf_value *value_of(struct wf_arena *arena, json_t *from)
{
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        return map_of(arena, from);
    case JSON_ARRAY:
        return list_of(arena, from);
    case JSON_STRING:
        return wf_text(arena, json_string_value(from));
    case JSON_INTEGER:
        return wf_int(arena, json_integer_value(from));
    case JSON_REAL:
        return wf_number(arena, json_real_value(from));
    case JSON_TRUE:
    case JSON_FALSE:
        return wf_bool(json_is_true(from));
    case JSON_NULL:
        break;
    }
    return &wf_null;
}

const struct wf_value *json(struct wf_arena *arena, const char *text)
{
    if (text == NULL)
        return NULL;
    char *copy = wf_arena_strdup(arena, text);
    assert_non_null(copy);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_error_t why;
    json_t *root = json_loads(copy, JSON_DECODE_ANY, &why);
    if (root == NULL)
        fail_msg("no JSON: %s: %s", why.text, text);
    const struct wf_value *value = value_of(arena, root);
    json_decref(root);
    assert_true(wf_value_is_whole(value));
    return value;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <jansson.h>

static const struct wf_value *value_of(struct wf_arena *arena, json_t *json);

static const struct wf_value *list_of(struct wf_arena *arena, json_t *json)
{
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; i < json_array_size(json); i++)
        (void)wf_list_add(arena, list, value_of(arena, json_array_get(json, i)));
    return list;
}

static const struct wf_value *map_of(struct wf_arena *arena, json_t *json)
{
    struct wf_value *map = wf_map(arena);
    for (void *at = json_object_iter(json); at != NULL; at = json_object_iter_next(json, at))
        (void)wf_map_put(arena, map, json_object_iter_key(at),
                         value_of(arena, json_object_iter_value(at)));
    return map;
}

/* jansson bounds the depth of what it reads. */
static const struct wf_value *value_of(struct wf_arena *arena, json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return map_of(arena, json);
    case JSON_ARRAY:
        return list_of(arena, json);
    case JSON_STRING:
        return wf_text_n(arena, json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return wf_int(arena, json_integer_value(json));
    case JSON_REAL:
        return wf_number(arena, json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return wf_bool(json_is_true(json));
    case JSON_NULL:
        break;
    }
    return &wf_null;
}

int json_read(const char *path, struct wf_arena *arena, const struct wf_value **out,
              struct wf_error *err)
{
    json_error_t why;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL)
        return wf_fail(err, WF_E_INVALID, "%s: line %d: %s", path, why.line, why.text);
    const struct wf_value *value = value_of(arena, json);
    json_decref(json);
    if (!wf_value_is_whole(value))
        return wf_fail(err, WF_E_NOMEM, "%s: out of memory", path);
    *out = value;
    return 0;
}

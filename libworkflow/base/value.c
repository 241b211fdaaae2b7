/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/value.h"

#include <string.h>

const struct wf_value wf_null = {.type = WF_NULL};
const struct wf_value wf_true = {.type = WF_BOOL, .u.boolean = true};
const struct wf_value wf_false = {.type = WF_BOOL, .u.boolean = false};

const char *wf_type_name(enum wf_type type)
{
    static const char *const names[] = {"null", "boolean", "integer", "number",
                                        "text", "list",    "map"};
    return names[type];
}

static struct wf_value *make(struct wf_arena *arena, enum wf_type type)
{
    struct wf_value *value = wf_arena_alloc(arena, sizeof(*value));
    if (value != NULL)
        value->type = type;
    return value;
}

const struct wf_value *wf_bool(bool b)
{
    return b ? &wf_true : &wf_false;
}

const struct wf_value *wf_int(struct wf_arena *arena, int64_t i)
{
    struct wf_value *value = make(arena, WF_INT);
    if (value != NULL)
        value->u.integer = i;
    return value;
}

const struct wf_value *wf_number(struct wf_arena *arena, double d)
{
    struct wf_value *value = make(arena, WF_NUMBER);
    if (value != NULL)
        value->u.number = d;
    return value;
}

const struct wf_value *wf_text_n(struct wf_arena *arena, const char *text, size_t length)
{
    struct wf_value *value = make(arena, WF_TEXT);
    char *copy = wf_arena_strndup(arena, text, length);
    if (value == NULL || copy == NULL)
        return NULL;
    value->u.text = (struct wf_str){copy, length};
    return value;
}

const struct wf_value *wf_text_shared(struct wf_arena *arena, struct wf_str text)
{
    struct wf_value *value = make(arena, WF_TEXT);
    if (value != NULL)
        value->u.text = text.len > 0 ? text : (struct wf_str){"", 0};
    return value;
}

const struct wf_value *wf_text(struct wf_arena *arena, const char *text)
{
    return text != NULL ? wf_text_n(arena, text, strlen(text)) : &wf_null;
}

struct wf_value *wf_list(struct wf_arena *arena)
{
    return make(arena, WF_LIST);
}

struct wf_value *wf_map(struct wf_arena *arena)
{
    return make(arena, WF_MAP);
}

/* Room for one more element: doubles in the arena, leaving the old array behind. */
static void *grown(struct wf_arena *arena, void *old, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return old;
    size_t wanted = *cap > 0 ? *cap * 2 : 4;
    void *wider = wf_arena_alloc(arena, wanted * size);
    if (wider == NULL)
        return NULL;
    if (n > 0)
        memcpy(wider, old, n * size);
    *cap = wanted;
    return wider;
}

bool wf_list_add(struct wf_arena *arena, struct wf_value *list, const struct wf_value *item)
{
    if (list == NULL)
        return false;
    const struct wf_value **items = item == NULL
                                        ? NULL
                                        : grown(arena, (void *)list->u.list.items, list->u.list.n,
                                                &list->u.list.cap, sizeof(*items));
    if (items == NULL) {
        list->broken = true;
        return false;
    }
    list->u.list.items = items;
    items[list->u.list.n++] = item;
    return true;
}

static struct wf_pair *find_pair(const struct wf_value *map, struct wf_str key)
{
    for (size_t i = 0; i < map->u.map.n; i++) {
        if (wf_str_equal(map->u.map.pairs[i].key, key))
            return &map->u.map.pairs[i];
    }
    return NULL;
}

static bool put(struct wf_arena *arena, struct wf_value *map, struct wf_str key, bool copy_key,
                const struct wf_value *value)
{
    if (map == NULL)
        return false;
    struct wf_pair *pair = find_pair(map, key);
    if (pair != NULL && value != NULL) {
        pair->value = value;
        return true;
    }
    if (copy_key && value != NULL)
        key.ptr = wf_arena_strndup(arena, key.ptr, key.len);
    struct wf_pair *pairs =
        value == NULL || key.ptr == NULL
            ? NULL
            : grown(arena, map->u.map.pairs, map->u.map.n, &map->u.map.cap, sizeof(*pairs));
    if (pairs == NULL) {
        map->broken = true;
        return false;
    }
    map->u.map.pairs = pairs;
    pairs[map->u.map.n++] = (struct wf_pair){key, value};
    return true;
}

bool wf_map_put_str(struct wf_arena *arena, struct wf_value *map, struct wf_str key,
                    const struct wf_value *value)
{
    return put(arena, map, key, true, value);
}

bool wf_map_put_shared(struct wf_arena *arena, struct wf_value *map, struct wf_str key,
                       const struct wf_value *value)
{
    return put(arena, map, key, false, value);
}

bool wf_map_put(struct wf_arena *arena, struct wf_value *map, const char *key,
                const struct wf_value *value)
{
    return wf_map_put_str(arena, map, wf_str(key), value);
}

struct wf_value *wf_map_copy(struct wf_arena *arena, const struct wf_value *map)
{
    struct wf_value *copy = wf_map(arena);
    if (copy == NULL || map == NULL || map->type != WF_MAP || map->u.map.n == 0)
        return copy;
    size_t n = map->u.map.n;
    copy->u.map.pairs = wf_arena_alloc(arena, n * sizeof(*copy->u.map.pairs));
    if (copy->u.map.pairs == NULL)
        return NULL;
    memcpy(copy->u.map.pairs, map->u.map.pairs, n * sizeof(*copy->u.map.pairs));
    copy->u.map.n = n;
    copy->u.map.cap = n;
    copy->broken = map->broken;
    return copy;
}

const struct wf_value *wf_value_copy(struct wf_arena *arena, const struct wf_value *value)
{
    if (value == NULL)
        return NULL;
    struct wf_value *copy = make(arena, value->type);
    if (copy == NULL)
        return NULL;
    switch (value->type) {
    case WF_TEXT:
        return wf_text_n(arena, value->u.text.ptr, value->u.text.len);
    case WF_LIST:
        for (size_t i = 0; i < value->u.list.n; i++)
            wf_list_add(arena, copy, wf_value_copy(arena, value->u.list.items[i]));
        break;
    case WF_MAP:
        for (size_t i = 0; i < value->u.map.n; i++)
            wf_map_put_str(arena, copy, value->u.map.pairs[i].key,
                           wf_value_copy(arena, value->u.map.pairs[i].value));
        break;
    case WF_NULL:
    case WF_BOOL:
    case WF_INT:
    case WF_NUMBER:
        *copy = *value;
        break;
    }
    return copy;
}

const struct wf_value *wf_map_get_str(const struct wf_value *map, struct wf_str key)
{
    if (map == NULL || map->type != WF_MAP)
        return NULL;
    const struct wf_pair *pair = find_pair(map, key);
    return pair != NULL ? pair->value : NULL;
}

const struct wf_value *wf_map_get(const struct wf_value *map, const char *key)
{
    return wf_map_get_str(map, wf_str(key));
}

const struct wf_value *wf_value_at(const struct wf_value *value, const char *path)
{
    while (value != NULL && path != NULL) {
        const char *dot = strchr(path, '.');
        struct wf_str key =
            dot != NULL ? (struct wf_str){path, (size_t)(dot - path)} : wf_str(path);
        value = wf_map_get_str(value, key);
        path = dot != NULL ? dot + 1 : NULL;
    }
    return value;
}

struct wf_str wf_value_str(const struct wf_value *value)
{
    return value != NULL && value->type == WF_TEXT ? value->u.text : (struct wf_str){"", 0};
}

const char *wf_value_text(const struct wf_value *value, const char *fallback)
{
    return value != NULL && value->type == WF_TEXT ? value->u.text.ptr : fallback;
}

int64_t wf_value_int(const struct wf_value *value, int64_t fallback)
{
    return value != NULL && value->type == WF_INT ? value->u.integer : fallback;
}

bool wf_value_bool(const struct wf_value *value, bool fallback)
{
    return value != NULL && value->type == WF_BOOL ? value->u.boolean : fallback;
}

size_t wf_value_count(const struct wf_value *value)
{
    if (value == NULL)
        return 0;
    return value->type == WF_LIST ? value->u.list.n : value->type == WF_MAP ? value->u.map.n : 0;
}

const struct wf_value *wf_list_at(const struct wf_value *list, size_t i)
{
    return list != NULL && list->type == WF_LIST && i < list->u.list.n ? list->u.list.items[i]
                                                                       : NULL;
}

bool wf_value_is_whole(const struct wf_value *value)
{
    if (value == NULL || value->broken)
        return false;
    for (size_t i = 0; value->type == WF_LIST && i < value->u.list.n; i++) {
        if (!wf_value_is_whole(value->u.list.items[i]))
            return false;
    }
    for (size_t i = 0; value->type == WF_MAP && i < value->u.map.n; i++) {
        if (!wf_value_is_whole(value->u.map.pairs[i].value))
            return false;
    }
    return true;
}

static double as_number(const struct wf_value *value)
{
    return value->type == WF_INT ? (double)value->u.integer : value->u.number;
}

static bool list_equal(const struct wf_value *a, const struct wf_value *b)
{
    if (a->u.list.n != b->u.list.n)
        return false;
    for (size_t i = 0; i < a->u.list.n; i++) {
        if (!wf_value_equal(a->u.list.items[i], b->u.list.items[i]))
            return false;
    }
    return true;
}

static bool map_equal(const struct wf_value *a, const struct wf_value *b)
{
    if (a->u.map.n != b->u.map.n)
        return false;
    for (size_t i = 0; i < a->u.map.n; i++) {
        const struct wf_value *other = wf_map_get_str(b, a->u.map.pairs[i].key);
        if (other == NULL || !wf_value_equal(a->u.map.pairs[i].value, other))
            return false;
    }
    return true;
}

bool wf_value_equal(const struct wf_value *a, const struct wf_value *b)
{
    a = a != NULL ? a : &wf_null;
    b = b != NULL ? b : &wf_null;
    if (a->type == WF_INT && b->type == WF_INT)
        return a->u.integer == b->u.integer;
    bool a_number = a->type == WF_INT || a->type == WF_NUMBER;
    bool b_number = b->type == WF_INT || b->type == WF_NUMBER;
    if (a_number && b_number)
        return !(as_number(a) < as_number(b)) && !(as_number(a) > as_number(b));
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case WF_BOOL:
        return a->u.boolean == b->u.boolean;
    case WF_TEXT:
        return wf_str_equal(a->u.text, b->u.text);
    case WF_LIST:
        return list_equal(a, b);
    case WF_MAP:
        return map_equal(a, b);
    case WF_NULL:
    case WF_INT:
    case WF_NUMBER:
        break;
    }
    return true;
}

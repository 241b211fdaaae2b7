/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/value.h - typed values: the data of dossiers, events and messages.
 *
 * PURPOSE    One immutable tree type shared by expressions, charts, codec and engine, with the
 *            types of msgpack and JSON: null, bool, int, number, text, list, map.
 * CONCEPTS   map    keys are text, unique, kept in the order they were put
 *            time   an int: milliseconds since 1970-01-01T00:00Z (type "time" is the checker's)
 * OWNERSHIP  values live in the arena they were made in, with their texts; share them freely,
 *            never change one after it was handed on. wf_list_add and wf_map_put change the
 *            container in place and are for its maker only.
 * ERRORS     constructors give NULL when memory is out; every function here accepts NULL for a
 *            value and treats it as null / failed, so that building can be checked once at the
 *            end: a container to which a NULL was added is `broken` and wf_value_is_whole says so.
 */
#ifndef WORKFLOW_VALUE_H
#define WORKFLOW_VALUE_H

#include "workflow/memory.h"
#include "workflow/text.h"

enum wf_type { WF_NULL, WF_BOOL, WF_INT, WF_NUMBER, WF_TEXT, WF_LIST, WF_MAP };

struct wf_pair;

struct wf_value {
    enum wf_type type;
    bool broken; /* a part could not be allocated */
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct wf_str text; /* UTF-8, and NUL-terminated as well when made by wf_text* */
        struct {
            const struct wf_value **items;
            size_t n;
            size_t cap;
        } list;
        struct {
            struct wf_pair *pairs;
            size_t n;
            size_t cap;
        } map;
    } u;
};

struct wf_pair {
    struct wf_str key;
    const struct wf_value *value;
};

extern const struct wf_value wf_null; /* the one null */
extern const struct wf_value wf_true;
extern const struct wf_value wf_false;

const struct wf_value *wf_bool(bool b);
const struct wf_value *wf_int(struct wf_arena *arena, int64_t i);
const struct wf_value *wf_number(struct wf_arena *arena, double d);
const struct wf_value *wf_text(struct wf_arena *arena, const char *text); /* copies; NULL->null */
const struct wf_value *wf_text_n(struct wf_arena *arena, const char *text, size_t length);
/* Without a copy: the text ends with NUL and lives as long as the value. */
const struct wf_value *wf_text_shared(struct wf_arena *arena, struct wf_str text);
struct wf_value *wf_list(struct wf_arena *arena);
struct wf_value *wf_map(struct wf_arena *arena);

/* Appends; false when out of memory (and the list is broken). */
bool wf_list_add(struct wf_arena *arena, struct wf_value *list, const struct wf_value *item);

/* Adds or replaces; the key is copied. False when out of memory (and the map is broken). */
bool wf_map_put(struct wf_arena *arena, struct wf_value *map, const char *key,
                const struct wf_value *value);
bool wf_map_put_str(struct wf_arena *arena, struct wf_value *map, struct wf_str key,
                    const struct wf_value *value);
/* The same without a copy of the key, which ends with NUL and lives as long as the map. */
bool wf_map_put_shared(struct wf_arena *arena, struct wf_value *map, struct wf_str key,
                       const struct wf_value *value);

/* A shallow copy to which more can be put; an empty map for NULL or another type. */
struct wf_value *wf_map_copy(struct wf_arena *arena, const struct wf_value *map);

/* A deep copy into another arena. */
const struct wf_value *wf_value_copy(struct wf_arena *arena, const struct wf_value *value);

/* The value under the key, or NULL; also NULL where `map` is no map. */
const struct wf_value *wf_map_get(const struct wf_value *map, const char *key);
const struct wf_value *wf_map_get_str(const struct wf_value *map, struct wf_str key);

/* Follows a dotted path ("agent.phone"); NULL where any step is missing. */
const struct wf_value *wf_value_at(const struct wf_value *value, const char *path);

/* Reads with a default: the default where the value is NULL or of another type. */
struct wf_str wf_value_str(const struct wf_value *value);                      /* "" */
const char *wf_value_text(const struct wf_value *value, const char *fallback); /* NUL-terminated */
int64_t wf_value_int(const struct wf_value *value, int64_t fallback);
bool wf_value_bool(const struct wf_value *value, bool fallback);
size_t wf_value_count(const struct wf_value *value); /* items of a list, pairs of a map, else 0 */
const struct wf_value *wf_list_at(const struct wf_value *list, size_t i); /* NULL out of range */

bool wf_value_is_whole(const struct wf_value *value); /* not NULL and nothing in it is broken */
bool wf_value_equal(const struct wf_value *a,
                    const struct wf_value *b); /* 1 == 1.0; map order free */
const char *wf_type_name(enum wf_type type);   /* "null" "boolean" "integer" "number" ... */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out. What comes in is only turned into values here; whether they are a message is for
 * the message's own decoder to say, which sees them as if they had come over the queue. Depth is
 * counted before Jansson sees the text, since it recurses.
 */
#include "json.h"

#include <stdlib.h>
#include <string.h>

/* ---- in -------------------------------------------------------------------------------------- */

size_t json_too_deep(const char *text, size_t length, size_t most)
{
    size_t depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_text) {
            i += c == '\\';
            in_text = c != '"';
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            if (++depth > most)
                return i;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return length;
}

static const struct wf_value *list_of(const json_t *json, struct wf_arena *arena)
{
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; list != NULL && i < json_array_size(json); i++)
        (void)wf_list_add(arena, list, json_value(json_array_get(json, i), arena));
    return list;
}

static struct wf_value *map_of(json_t *json, struct wf_arena *arena)
{
    struct wf_value *map = wf_map(arena);
    for (void *at = json_object_iter(json); map != NULL && at != NULL;
         at = json_object_iter_next(json, at))
        (void)wf_map_put(arena, map, json_object_iter_key(at),
                         json_value(json_object_iter_value(at), arena));
    return map;
}

const struct wf_value *json_value(json_t *json, struct wf_arena *arena)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return map_of(json, arena);
    case JSON_ARRAY:
        return list_of(json, arena);
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

size_t json_count(json_t *json, size_t most)
{
    size_t n = 1;
    for (size_t i = 0; n <= most && i < json_array_size(json); i++)
        n += json_count(json_array_get(json, i), most - n);
    for (void *at = json_object_iter(json); n <= most && at != NULL;
         at = json_object_iter_next(json, at))
        n += 1 + json_count(json_object_iter_value(at), most - n);
    return n;
}

int json_read(const char *text, size_t length, struct wf_arena *arena, struct wf_value **out,
              struct wf_error *err)
{
    json_error_t why;
    if (length == 0)
        return (*out = wf_map(arena)) != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
    if (json_too_deep(text, length, JSON_DEPTH_MAX) < length)
        return wf_fail(err, WF_E_INVALID, "the body is more than %d levels deep", JSON_DEPTH_MAX);
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (json == NULL) /* Jansson's own words would quote the text, which may be personal */
        return wf_fail(err, WF_E_INVALID, "the body is no JSON: see line %d, column %d", why.line,
                       why.column);
    /* Checked before the maps are built, which takes the square of their size. */
    bool is_object = json_is_object(json);
    bool is_large = json_count(json, JSON_OBJECTS_MAX) > JSON_OBJECTS_MAX;
    struct wf_value *map = is_object && !is_large ? map_of(json, arena) : NULL;
    json_decref(json);
    if (!is_object)
        return wf_fail(err, WF_E_INVALID, "the body is no JSON object: {\"name\": value, ...}");
    if (is_large)
        return wf_fail(err, WF_E_INVALID, "the body has more than %d names and values",
                       JSON_OBJECTS_MAX);
    if (!wf_value_is_whole(map))
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    *out = map;
    return 0;
}

/* ---- out ------------------------------------------------------------------------------------- */

static json_t *text_json(struct wf_str text)
{
    return json_stringn(text.len > 0 ? text.ptr : "", text.len);
}

/* NULL where memory ran out: a list or map with something missing must not look whole. */
static json_t *json_of_list(const struct wf_value *value)
{
    json_t *json = json_array();
    for (size_t i = 0; json != NULL && i < value->u.list.n; i++) {
        if (json_array_append_new(json, json_of(value->u.list.items[i])) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static int put_pair(json_t *json, const struct wf_pair *pair)
{
    char *key = strndup(pair->key.len > 0 ? pair->key.ptr : "", pair->key.len);
    int rc = key != NULL ? json_object_set_new(json, key, json_of(pair->value)) : -1;
    free(key);
    return rc;
}

static json_t *json_of_map(const struct wf_value *value)
{
    json_t *json = json_object();
    for (size_t i = 0; json != NULL && i < value->u.map.n; i++) {
        if (put_pair(json, &value->u.map.pairs[i]) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

json_t *json_of(const struct wf_value *value)
{
    switch (value != NULL ? value->type : WF_NULL) {
    case WF_NULL:
        return json_null();
    case WF_BOOL:
        return json_boolean(value->u.boolean);
    case WF_INT:
        return json_integer(value->u.integer);
    case WF_NUMBER:
        return json_real(value->u.number);
    case WF_TEXT:
        return text_json(value->u.text);
    case WF_LIST:
        return json_of_list(value);
    case WF_MAP:
        return json_of_map(value);
    }
    return NULL;
}

static json_t *hex_json(struct wf_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * bytes.len + 1);
    if (hex == NULL)
        return NULL;
    for (size_t i = 0; i < bytes.len; i++) {
        hex[2 * i] = digits[bytes.ptr[i] >> 4];
        hex[2 * i + 1] = digits[bytes.ptr[i] & 15];
    }
    json_t *json = json_stringn(hex, 2 * bytes.len);
    free(hex);
    return json;
}

/* *out_empty: zero, empty or missing, which an optional field leaves out. */
static json_t *field_json(const struct wf_wire_field *field, const void *body, bool *out_empty)
{
    const char *at = (const char *)body + field->offset;
    struct wf_str text = {0};
    struct wf_slice bytes = {0};
    const struct wf_value *value = NULL;
    switch (field->type) {
    case WF_WIRE_STR:
        memcpy(&text, at, sizeof(text));
        *out_empty = text.len == 0;
        return text_json(text);
    case WF_WIRE_BIN:
        memcpy(&bytes, at, sizeof(bytes));
        *out_empty = bytes.len == 0;
        return hex_json(bytes);
    case WF_WIRE_U64:
    case WF_WIRE_I64: {
        int64_t number;
        memcpy(&number, at, sizeof(number));
        *out_empty = number == 0;
        return json_integer(number);
    }
    case WF_WIRE_BOOL: {
        bool is;
        memcpy(&is, at, sizeof(is));
        *out_empty = !is;
        return json_boolean(is);
    }
    case WF_WIRE_MAP:
    case WF_WIRE_LIST:
    case WF_WIRE_ANY:
        memcpy(&value, at, sizeof(value));
        *out_empty = value == NULL;
        if (value == NULL && field->type != WF_WIRE_ANY)
            return field->type == WF_WIRE_MAP ? json_object() : json_array();
        return json_of(value);
    }
    return NULL;
}

/* Takes json; NULL when memory is out. */
static char *print(json_t *json)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    return text;
}

char *json_of_value(const struct wf_value *value)
{
    return wf_value_is_whole(value) ? print(json_of(value)) : NULL;
}

char *json_of_message(const struct wf_message_info *info, const void *body)
{
    json_t *json = json_object();
    for (size_t i = 0; json != NULL && i < info->n_fields; i++) {
        const struct wf_wire_field *field = &info->fields[i];
        bool is_empty = false;
        json_t *value = field_json(field, body, &is_empty);
        if (value != NULL && is_empty && !field->required) {
            json_decref(value);
        } else if (json_object_set_new(json, field->name, value) != 0) {
            json_decref(json);
            json = NULL;
        }
    }
    return print(json);
}

/* To an HTTP client the body is the whole: "body.fields.phone" is its "fields.phone". */
static const char *field_name(const char *field)
{
    if (strncmp(field, "body.", 5) == 0)
        return field + 5;
    return strcmp(field, "id") == 0 ? "Idempotency-Key" : field;
}

char *json_of_error(const struct wf_error *err, uint64_t retry_ms)
{
    size_t length = strlen(err->text);
    while (!wf_is_utf8(err->text, length))
        length--; /* a long text may have been cut within a character */
    json_t *json = json_pack("{s:s, s:o}", "code", wf_code_word(err->code), "message",
                             json_stringn(err->text, length));
    int rc = json != NULL ? 0 : -1;
    if (rc == 0 && err->field[0] != '\0')
        rc = json_object_set_new(json, "field", json_string(field_name(err->field)));
    if (rc == 0 && retry_ms > 0)
        rc = json_object_set_new(json, "retry_ms", json_integer((json_int_t)retry_ms));
    if (rc != 0) {
        json_decref(json);
        return NULL;
    }
    return print(json);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values to and from msgpack. What is packed goes straight into the buffer and is scanned at the
 * end (codec_finish) instead of being checked on the way: one place holds the rules, and no value
 * that our reader would refuse can reach the disk or a party.
 */
#include "internal.h"

#include <string.h>

#define ZONE_BYTES 4096 /* most frames and records fit in one block */

static int append(void *buf, const char *bytes, size_t length)
{
    wf_buf_add(buf, bytes, length);
    return 0;
}

void codec_packer(msgpack_packer *packer, struct wf_buf *out)
{
    msgpack_packer_init(packer, out, append);
}

int codec_finish(struct wf_buf *out, size_t start, const struct limits *limits,
                 struct wf_error *err)
{
    int rc = 0;
    if (out->failed)
        rc = wf_fail(err, WF_E_NOMEM, "no memory to pack in");
    else
        rc = codec_scan((struct wf_slice){out->ptr + start, out->len - start}, limits, err);
    if (rc < 0) {
        out->len = start;
        out->failed = false;
    }
    return rc;
}

void codec_put_text(msgpack_packer *packer, struct wf_str text)
{
    msgpack_pack_str(packer, text.len);
    msgpack_pack_str_body(packer, text.ptr, text.len);
}

/* Adding 0.0 makes -0.0 plain; float where it holds the same number. */
static void put_number(msgpack_packer *packer, double number)
{
    number += 0.0;
    float shorter = (float)number;
    if ((double)shorter < number || (double)shorter > number)
        msgpack_pack_double(packer, number);
    else
        msgpack_pack_float(packer, shorter);
}

static void put_value(msgpack_packer *packer, const struct wf_value *value, size_t depth)
{
    /* One level more than the scan lets pass, so that it refuses what is cut off here. */
    if (value == NULL || depth > MAX_DEPTH) {
        msgpack_pack_nil(packer);
        return;
    }
    if (value->broken)
        ((struct wf_buf *)packer->data)->failed = true;
    switch (value->type) {
    case WF_NULL:
        msgpack_pack_nil(packer);
        break;
    case WF_BOOL:
        if (value->u.boolean)
            msgpack_pack_true(packer);
        else
            msgpack_pack_false(packer);
        break;
    case WF_INT:
        msgpack_pack_int64(packer, value->u.integer);
        break;
    case WF_NUMBER:
        put_number(packer, value->u.number);
        break;
    case WF_TEXT:
        codec_put_text(packer, value->u.text);
        break;
    case WF_LIST:
        msgpack_pack_array(packer, value->u.list.n);
        for (size_t i = 0; i < value->u.list.n; i++)
            put_value(packer, value->u.list.items[i], depth + 1);
        break;
    case WF_MAP:
        msgpack_pack_map(packer, value->u.map.n);
        for (size_t i = 0; i < value->u.map.n; i++) {
            codec_put_text(packer, value->u.map.pairs[i].key);
            put_value(packer, value->u.map.pairs[i].value, depth + 1);
        }
        break;
    }
}

void codec_put_value(msgpack_packer *packer, const struct wf_value *value)
{
    put_value(packer, value, 0);
}

void wf_pack_value(const struct wf_value *value, struct wf_buf *out)
{
    msgpack_packer packer;
    codec_packer(&packer, out);
    codec_put_value(&packer, value);
}

int codec_open(struct wf_slice bytes, const struct limits *limits, struct tree *out,
               struct wf_error *err)
{
    int rc = codec_scan(bytes, limits, err);
    if (rc < 0)
        return rc;
    if (!msgpack_zone_init(&out->zone, ZONE_BYTES))
        return wf_fail(err, WF_E_NOMEM, "no memory to unpack in");
    msgpack_unpack_return got =
        msgpack_unpack((const char *)bytes.ptr, bytes.len, NULL, &out->zone, &out->root);
    if (got == MSGPACK_UNPACK_SUCCESS)
        return 0;
    msgpack_zone_destroy(&out->zone);
    /* After the scan nothing but memory can be missing; msgpack-c has no other word for it. */
    return wf_fail(err, WF_E_NOMEM, "no memory to unpack in");
}

void codec_close(struct tree *tree)
{
    msgpack_zone_destroy(&tree->zone);
}

/* A value with room for `bytes` behind it: one allocation for what belongs together. */
static struct wf_value *make(struct wf_arena *arena, enum wf_type type, size_t bytes)
{
    struct wf_value *value = wf_arena_alloc(arena, sizeof(*value) + bytes);
    if (value != NULL)
        value->type = type;
    return value;
}

static int get_text(const msgpack_object_str *from, struct wf_arena *arena,
                    const struct wf_value **out)
{
    struct wf_value *value = make(arena, WF_TEXT, (size_t)from->size + 1);
    if (value == NULL)
        return WF_E_NOMEM;
    char *copy = (char *)(value + 1);
    if (from->size > 0)
        memcpy(copy, from->ptr, from->size);
    value->u.text = (struct wf_str){copy, from->size};
    *out = value;
    return 0;
}

static int get_list(const msgpack_object_array *from, struct wf_arena *arena,
                    const struct wf_value **out, const char **why)
{
    struct wf_value *value = make(arena, WF_LIST, from->size * sizeof(void *));
    if (value == NULL)
        return WF_E_NOMEM;
    value->u.list.items = (const struct wf_value **)(value + 1);
    value->u.list.n = value->u.list.cap = from->size;
    for (size_t i = 0; i < from->size; i++) {
        int rc = codec_get_value(&from->ptr[i], arena, &value->u.list.items[i], why);
        if (rc < 0)
            return rc;
    }
    *out = value;
    return 0;
}

static int get_map(const msgpack_object_map *from, struct wf_arena *arena,
                   const struct wf_value **out, const char **why)
{
    struct wf_value *value = make(arena, WF_MAP, from->size * sizeof(*value->u.map.pairs));
    if (value == NULL)
        return WF_E_NOMEM;
    value->u.map.pairs = (struct wf_pair *)(value + 1);
    value->u.map.n = value->u.map.cap = from->size;
    for (size_t i = 0; i < from->size; i++) {
        struct wf_pair *pair = &value->u.map.pairs[i];
        const msgpack_object_str *key = &from->ptr[i].key.via.str; /* the scan saw to it */
        pair->key = (struct wf_str){wf_arena_strndup(arena, key->ptr, key->size), key->size};
        if (pair->key.ptr == NULL)
            return WF_E_NOMEM;
        int rc = codec_get_value(&from->ptr[i].val, arena, &pair->value, why);
        if (rc < 0)
            return rc;
    }
    *out = value;
    return 0;
}

static int get_integer(int64_t integer, struct wf_arena *arena, const struct wf_value **out)
{
    *out = wf_int(arena, integer);
    return *out != NULL ? 0 : WF_E_NOMEM;
}

int codec_get_value(const msgpack_object *from, struct wf_arena *arena, const struct wf_value **out,
                    const char **why)
{
    switch (from->type) {
    case MSGPACK_OBJECT_NIL:
        *out = &wf_null;
        return 0;
    case MSGPACK_OBJECT_BOOLEAN:
        *out = wf_bool(from->via.boolean);
        return 0;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        if (from->via.u64 > INT64_MAX) {
            *why = "holds an integer above 2^63 - 1";
            return WF_E_INVALID;
        }
        return get_integer((int64_t)from->via.u64, arena, out);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return get_integer(from->via.i64, arena, out);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        *out = wf_number(arena, from->via.f64 + 0.0);
        return *out != NULL ? 0 : WF_E_NOMEM;
    case MSGPACK_OBJECT_STR:
        return get_text(&from->via.str, arena, out);
    case MSGPACK_OBJECT_ARRAY:
        return get_list(&from->via.array, arena, out, why);
    case MSGPACK_OBJECT_MAP:
        return get_map(&from->via.map, arena, out, why);
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        break;
    }
    *why = "holds binary data";
    return WF_E_INVALID;
}

int wf_unpack_value(struct wf_slice bytes, struct wf_arena *arena, const struct wf_value **out,
                    struct wf_error *err)
{
    struct tree tree;
    int rc = codec_open(bytes, &codec_store_limits, &tree, err);
    if (rc < 0)
        return rc;
    const struct wf_value *value = NULL;
    const char *why = "no memory";
    rc = codec_get_value(&tree.root, arena, &value, &why);
    codec_close(&tree);
    if (rc < 0)
        return wf_fail(err, rc, "value %s", why);
    *out = value;
    return 0;
}

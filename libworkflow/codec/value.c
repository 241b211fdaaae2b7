/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values to msgpack and, through the reader, back. What is packed goes straight into the buffer and
 * is scanned at the end (codec_finish) instead of being checked on the way: one place holds the
 * rules, and no value that our reader would refuse can reach the disk or a party.
 */
#include "internal.h"

#include <string.h>

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

/* The first thing in it, from the left, that a value cannot hold. */
static const char *first_foreign(const struct wf_value *value)
{
    const char *why = NULL;
    if (value->type == CODEC_BIG)
        return "holds an integer above 2^63 - 1";
    if (value->type == CODEC_BIN)
        return "holds binary data";
    for (size_t i = 0; why == NULL && i < wf_value_count(value); i++)
        why = first_foreign(value->type == WF_LIST ? value->u.list.items[i]
                                                   : value->u.map.pairs[i].value);
    return why;
}

const char *codec_not_a_value(const struct wf_value *read)
{
    return read->type > WF_MAP || read->broken ? first_foreign(read) : NULL;
}

int wf_unpack_value(struct wf_slice bytes, struct wf_arena *arena, const struct wf_value **out,
                    struct wf_error *err)
{
    const struct wf_value *value = NULL;
    int rc = codec_read(bytes, &codec_store_limits, arena, &value, err);
    if (rc < 0)
        return rc;
    const char *why = codec_not_a_value(value);
    if (why != NULL)
        return wf_fail(err, WF_E_INVALID, "value %s", why);
    *out = value;
    return 0;
}

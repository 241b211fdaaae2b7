/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One field of a message or record: the only code that knows how each type of the tables looks in
 * C and on the wire, and the only one that checks bounds.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

/* The one cast from a struct to its members. */
static const void *member(const struct wf_wire_field *field, const void *record)
{
    return (const char *)record + field->offset;
}

static void *slot(const struct wf_wire_field *field, void *record)
{
    return (char *)record + field->offset;
}

static const struct wf_value *tree_of(const struct wf_wire_field *field, const void *record)
{
    return *(const struct wf_value *const *)member(field, record);
}

int codec_refuse(struct wf_error *err, int code, const char *prefix, const char *name,
                 const char *why)
{
    char full[sizeof(((struct wf_error *)NULL)->field)];
    (void)snprintf(full, sizeof(full), "%s%s", prefix, name);
    return wf_fail_field(err, code, full, "%s: %s", full, why);
}

static int refuse_bound(struct wf_error *err, const char *prefix, const struct wf_wire_field *field,
                        const char *rule)
{
    char why[64];
    (void)snprintf(why, sizeof(why), "%s %llu", rule, (unsigned long long)field->max);
    return codec_refuse(err, WF_E_INVALID, prefix, field->name, why);
}

static int check_length(const struct wf_wire_field *field, size_t length, const char *prefix,
                        struct wf_error *err)
{
    if (field->max != 0 && length > field->max)
        return refuse_bound(err, prefix, field, "more bytes than");
    return 0;
}

static int check_number(const struct wf_wire_field *field, uint64_t number, const char *prefix,
                        struct wf_error *err)
{
    if (field->max != 0 && number > field->max)
        return refuse_bound(err, prefix, field, "greater than");
    return 0;
}

bool codec_is_empty(const struct wf_wire_field *field, const void *record)
{
    const void *at = member(field, record);
    switch (field->type) {
    case WF_WIRE_STR:
        return ((const struct wf_str *)at)->len == 0;
    case WF_WIRE_BIN:
        return ((const struct wf_slice *)at)->len == 0;
    case WF_WIRE_U64:
        return *(const uint64_t *)at == 0;
    case WF_WIRE_I64:
        return *(const int64_t *)at == 0;
    case WF_WIRE_BOOL:
        return !*(const bool *)at;
    case WF_WIRE_ANY:
        return tree_of(field, record) == NULL;
    case WF_WIRE_MAP:
    case WF_WIRE_LIST:
        break;
    }
    return wf_value_count(tree_of(field, record)) == 0;
}

/* ---- packing -------------------------------------------------------------------------------- */

static int put_tree(msgpack_packer *packer, const struct wf_wire_field *field, const void *record,
                    const char *prefix, struct wf_error *err)
{
    const struct wf_value *value = tree_of(field, record);
    enum wf_type wanted = field->type == WF_WIRE_MAP ? WF_MAP : WF_LIST;
    if (field->type == WF_WIRE_ANY || (value != NULL && value->type == wanted))
        codec_put_value(packer, value);
    else if (value != NULL)
        return codec_refuse(err, WF_E_INVALID, prefix, field->name, "of another type");
    else if (wanted == WF_MAP)
        msgpack_pack_map(packer, 0);
    else
        msgpack_pack_array(packer, 0);
    return 0;
}

int codec_put_field(msgpack_packer *packer, const struct wf_wire_field *field, const void *record,
                    const char *prefix, struct wf_error *err)
{
    const void *at = member(field, record);
    const struct wf_str *text = at;
    const struct wf_slice *bytes = at;
    int rc = 0;
    switch (field->type) {
    case WF_WIRE_STR:
        rc = check_length(field, text->len, prefix, err);
        codec_put_text(packer, *text);
        break;
    case WF_WIRE_BIN:
        rc = check_length(field, bytes->len, prefix, err);
        msgpack_pack_bin(packer, bytes->len);
        msgpack_pack_bin_body(packer, bytes->ptr, bytes->len);
        break;
    case WF_WIRE_U64:
        rc = check_number(field, *(const uint64_t *)at, prefix, err);
        msgpack_pack_uint64(packer, *(const uint64_t *)at);
        break;
    case WF_WIRE_I64:
        msgpack_pack_int64(packer, *(const int64_t *)at);
        break;
    case WF_WIRE_BOOL:
        if (*(const bool *)at)
            msgpack_pack_true(packer);
        else
            msgpack_pack_false(packer);
        break;
    case WF_WIRE_MAP:
    case WF_WIRE_LIST:
    case WF_WIRE_ANY:
        rc = put_tree(packer, field, record, prefix, err);
        break;
    }
    return rc;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Where a field goes wrong: enough to name it. */
struct reader {
    const struct wf_wire_field *field;
    void *record;
    const char *prefix;
    struct wf_arena *arena;
    struct wf_error *err;
};

static int refuse(const struct reader *reader, int code, const char *why)
{
    return codec_refuse(reader->err, code, reader->prefix, reader->field->name, why);
}

static int get_str(const struct reader *reader, const msgpack_object *from)
{
    if (from->type != MSGPACK_OBJECT_STR)
        return refuse(reader, WF_E_INVALID, "is no text");
    int rc = check_length(reader->field, from->via.str.size, reader->prefix, reader->err);
    if (rc < 0)
        return rc;
    char *copy = wf_arena_strndup(reader->arena, from->via.str.ptr, from->via.str.size);
    if (copy == NULL)
        return refuse(reader, WF_E_NOMEM, "no memory");
    *(struct wf_str *)slot(reader->field, reader->record) =
        (struct wf_str){copy, from->via.str.size};
    return 0;
}

static int get_bin(const struct reader *reader, const msgpack_object *from)
{
    if (from->type != MSGPACK_OBJECT_BIN)
        return refuse(reader, WF_E_INVALID, "is not binary");
    int rc = check_length(reader->field, from->via.bin.size, reader->prefix, reader->err);
    if (rc < 0)
        return rc;
    uint8_t *copy = wf_arena_alloc(reader->arena, from->via.bin.size);
    if (copy == NULL)
        return refuse(reader, WF_E_NOMEM, "no memory");
    if (from->via.bin.size > 0)
        memcpy(copy, from->via.bin.ptr, from->via.bin.size);
    *(struct wf_slice *)slot(reader->field, reader->record) =
        (struct wf_slice){copy, from->via.bin.size};
    return 0;
}

static int get_u64(const struct reader *reader, const msgpack_object *from)
{
    if (from->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return refuse(reader, WF_E_INVALID, "is no integer from 0 up");
    int rc = check_number(reader->field, from->via.u64, reader->prefix, reader->err);
    if (rc == 0)
        *(uint64_t *)slot(reader->field, reader->record) = from->via.u64;
    return rc;
}

static int get_i64(const struct reader *reader, const msgpack_object *from)
{
    bool is_small = from->type == MSGPACK_OBJECT_POSITIVE_INTEGER && from->via.u64 <= INT64_MAX;
    if (!is_small && from->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return refuse(reader, WF_E_INVALID, "is no integer of 64 bits");
    *(int64_t *)slot(reader->field, reader->record) =
        is_small ? (int64_t)from->via.u64 : from->via.i64;
    return 0;
}

static int get_bool(const struct reader *reader, const msgpack_object *from)
{
    if (from->type != MSGPACK_OBJECT_BOOLEAN)
        return refuse(reader, WF_E_INVALID, "is neither true nor false");
    *(bool *)slot(reader->field, reader->record) = from->via.boolean;
    return 0;
}

static int get_any(const struct reader *reader, const msgpack_object *from)
{
    const struct wf_value *value = NULL;
    const char *why = "no memory";
    int rc = codec_get_value(from, reader->arena, &value, &why);
    if (rc < 0)
        return refuse(reader, rc, why);
    *(const struct wf_value **)slot(reader->field, reader->record) = value;
    return 0;
}

static int get_map(const struct reader *reader, const msgpack_object *from)
{
    if (from->type != MSGPACK_OBJECT_MAP)
        return refuse(reader, WF_E_INVALID, "is no map");
    return get_any(reader, from);
}

static int get_list(const struct reader *reader, const msgpack_object *from)
{
    if (from->type != MSGPACK_OBJECT_ARRAY)
        return refuse(reader, WF_E_INVALID, "is no list");
    return get_any(reader, from);
}

int codec_get_field(const msgpack_object *from, const struct wf_wire_field *field, void *record,
                    const char *prefix, struct wf_arena *arena, struct wf_error *err)
{
    static int (*const getters[])(const struct reader *, const msgpack_object *) = {
        [WF_WIRE_STR] = get_str,   [WF_WIRE_U64] = get_u64, [WF_WIRE_I64] = get_i64,
        [WF_WIRE_BOOL] = get_bool, [WF_WIRE_BIN] = get_bin, [WF_WIRE_MAP] = get_map,
        [WF_WIRE_LIST] = get_list, [WF_WIRE_ANY] = get_any,
    };
    struct reader reader = {field, record, prefix, arena, err};
    return getters[field->type](&reader, from);
}

void codec_clear_field(const struct wf_wire_field *field, void *record)
{
    if (field->type == WF_WIRE_STR)
        *(struct wf_str *)slot(field, record) = (struct wf_str){"", 0};
}

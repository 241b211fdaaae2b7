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
struct place {
    const struct wf_wire_field *field;
    void *record;
    const char *prefix;
    struct wf_error *err;
};

static int refuse(const struct place *place, const char *why)
{
    return codec_refuse(place->err, WF_E_INVALID, place->prefix, place->field->name, why);
}

static int get_str(const struct place *place, const struct wf_value *from)
{
    if (from->type != WF_TEXT)
        return refuse(place, "is no text");
    int rc = check_length(place->field, from->u.text.len, place->prefix, place->err);
    if (rc == 0)
        *(struct wf_str *)slot(place->field, place->record) = from->u.text;
    return rc;
}

static int get_bin(const struct place *place, const struct wf_value *from)
{
    if (from->type != CODEC_BIN)
        return refuse(place, "is not binary");
    int rc = check_length(place->field, from->u.text.len, place->prefix, place->err);
    if (rc == 0)
        *(struct wf_slice *)slot(place->field, place->record) =
            (struct wf_slice){(const uint8_t *)from->u.text.ptr, from->u.text.len};
    return rc;
}

static int get_u64(const struct place *place, const struct wf_value *from)
{
    bool is_small = from->type == WF_INT && from->u.integer >= 0;
    if (!is_small && from->type != CODEC_BIG)
        return refuse(place, "is no integer from 0 up");
    uint64_t number = (uint64_t)from->u.integer;
    int rc = check_number(place->field, number, place->prefix, place->err);
    if (rc == 0)
        *(uint64_t *)slot(place->field, place->record) = number;
    return rc;
}

static int get_i64(const struct place *place, const struct wf_value *from)
{
    if (from->type != WF_INT)
        return refuse(place, "is no integer of 64 bits");
    *(int64_t *)slot(place->field, place->record) = from->u.integer;
    return 0;
}

static int get_bool(const struct place *place, const struct wf_value *from)
{
    if (from->type != WF_BOOL)
        return refuse(place, "is neither true nor false");
    *(bool *)slot(place->field, place->record) = from->u.boolean;
    return 0;
}

static int get_any(const struct place *place, const struct wf_value *from)
{
    const char *why = codec_not_a_value(from);
    if (why != NULL)
        return refuse(place, why);
    *(const struct wf_value **)slot(place->field, place->record) = from;
    return 0;
}

static int get_map(const struct place *place, const struct wf_value *from)
{
    return from->type == WF_MAP ? get_any(place, from) : refuse(place, "is no map");
}

static int get_list(const struct place *place, const struct wf_value *from)
{
    return from->type == WF_LIST ? get_any(place, from) : refuse(place, "is no list");
}

int codec_get_field(const struct wf_value *from, const struct wf_wire_field *field, void *record,
                    const char *prefix, struct wf_error *err)
{
    static int (*const getters[])(const struct place *, const struct wf_value *) = {
        [WF_WIRE_STR] = get_str,   [WF_WIRE_U64] = get_u64, [WF_WIRE_I64] = get_i64,
        [WF_WIRE_BOOL] = get_bool, [WF_WIRE_BIN] = get_bin, [WF_WIRE_MAP] = get_map,
        [WF_WIRE_LIST] = get_list, [WF_WIRE_ANY] = get_any,
    };
    struct place place = {field, record, prefix, err};
    return getters[field->type](&place, from);
}

void codec_clear_field(const struct wf_wire_field *field, void *record)
{
    if (field->type == WF_WIRE_STR)
        *(struct wf_str *)slot(field, record) = (struct wf_str){"", 0};
}

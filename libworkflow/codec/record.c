/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: a msgpack array of the fields in table order, then four bytes of checksum. The journal's
 * records go without it, since the store puts a chained hash behind them.
 */
#include "internal.h"

#include <string.h>

#include "workflow/hash.h"

#define SUM_BYTES 4

static size_t sum_bytes(enum wf_record kind)
{
    return kind == WF_REC_event ? 0 : SUM_BYTES;
}

/* Little-endian whatever the machine. */
static void make_sum(const uint8_t *bytes, size_t length, uint8_t out[SUM_BYTES])
{
    uint32_t sum = wf_checksum(bytes, length);
    for (unsigned i = 0; i < SUM_BYTES; i++)
        out[i] = (uint8_t)(sum >> (8 * i));
}

static void add_sum(struct wf_buf *out, size_t start)
{
    uint8_t sum[SUM_BYTES];
    make_sum(out->ptr + start, out->len - start, sum);
    wf_buf_add(out, sum, sizeof(sum));
}

int wf_record_pack(enum wf_record kind, const void *record, struct wf_buf *out,
                   struct wf_error *err)
{
    const struct record_info *info = codec_record(kind);
    size_t start = out->len;
    msgpack_packer packer;
    int rc = 0;
    codec_packer(&packer, out);
    msgpack_pack_array(&packer, info->n_fields);
    for (size_t i = 0; rc == 0 && i < info->n_fields; i++)
        rc = codec_put_field(&packer, &info->fields[i], record, "", err);
    if (rc == 0)
        rc = codec_finish(out, start, &codec_store_limits, err);
    if (rc == 0 && sum_bytes(kind) > 0) {
        add_sum(out, start);
        if (out->failed)
            rc = wf_fail(err, WF_E_NOMEM, "no memory to pack in");
    }
    if (rc < 0) {
        out->len = start;
        out->failed = false;
        (void)wf_wrap(err, "%s record", info->name);
    }
    return rc;
}

static int read_fields(const struct record_info *info, const struct wf_value *root, void *record,
                       struct wf_error *err)
{
    if (root->type != WF_LIST)
        return wf_fail(err, WF_E_CORRUPT, "is no list");
    size_t n = root->u.list.n;
    if (n > info->n_fields)
        return wf_fail(err, WF_E_VERSION, "has %zu fields, this release knows %zu", n,
                       info->n_fields);
    for (size_t i = 0; i < n; i++) {
        int rc = codec_get_field(root->u.list.items[i], &info->fields[i], record, "", err);
        if (rc < 0)
            return rc;
    }
    for (size_t i = n; i < info->n_fields; i++)
        codec_clear_field(&info->fields[i], record);
    return 0;
}

static int unpack(enum wf_record kind, struct wf_slice bytes, struct wf_arena *arena, void *record,
                  struct wf_error *err)
{
    size_t behind = sum_bytes(kind);
    if (bytes.len <= behind)
        return wf_fail(err, WF_E_CORRUPT, "cut short");
    struct wf_slice array = {bytes.ptr, bytes.len - behind};
    if (behind > 0) {
        uint8_t sum[SUM_BYTES];
        make_sum(array.ptr, array.len, sum);
        if (memcmp(sum, array.ptr + array.len, SUM_BYTES) != 0)
            return wf_fail(err, WF_E_CORRUPT, "checksum does not fit");
    }
    const struct wf_value *root = NULL;
    int rc = codec_read(array, &codec_store_limits, arena, &root, err);
    return rc == 0 ? read_fields(codec_record(kind), root, record, err) : rc;
}

int wf_record_unpack(enum wf_record kind, struct wf_slice bytes, struct wf_arena *arena,
                     void *record, struct wf_error *err)
{
    const struct record_info *info = codec_record(kind);
    struct wf_error why;
    void *whole = wf_arena_alloc(arena, info->size);
    if (whole == NULL)
        return wf_fail(err, WF_E_NOMEM, "%s record: no memory", info->name);
    int rc = unpack(kind, bytes, arena, whole, &why);
    if (rc < 0) /* what would be the sender's fault in a message is damage in a record */
        return wf_fail(err, rc == WF_E_INVALID ? WF_E_CORRUPT : rc, "%s record: %s", info->name,
                       why.text);
    memcpy(record, whole, info->size);
    return 0;
}

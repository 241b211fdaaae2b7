/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading ahead: rows unpacked in a read transaction, for a write transaction that will need them.
 *
 * What is kept is no copy of the truth but what unpacking it gave: the write transaction looks each
 * row up as ever, and only where its bytes are those that were unpacked before, the record is at hand.
 * So nobody needs to know what has changed meanwhile. Rows are found by the checksum that they end
 * with. What cannot be read ahead is left to the write transaction, which will say so.
 */
#include "store/txn.h"

#define BUCKETS     512               /* twice the largest batch: an item, a dossier, a content */
#define BYTES_MOST  ((size_t)4 << 20) /* taken from the arena; the rest is read under the lock */
#define SUM_BYTES   4
#define DUE_AT      1 /* in the keys of queues and timers, behind the service */
#define TIMED_BYTES 17

struct kept {
    struct kept *next;
    enum wf_record kind;
    struct wf_slice bytes; /* of the row, copied */
    const void *record;
};

struct wf_ahead {
    struct wf_arena *arena;
    struct kept *buckets[BUCKETS];
};

static const size_t sizes[WF_RECORD_COUNT] = {
    [WF_REC_queue] = sizeof(struct wf_rec_queue),
    [WF_REC_timer] = sizeof(struct wf_rec_timer),
    [WF_REC_dossier] = sizeof(struct wf_rec_dossier),
    [WF_REC_content] = sizeof(struct wf_rec_content),
};

static size_t bucket_of(struct wf_slice bytes)
{
    const uint8_t *sum = bytes.ptr + bytes.len - SUM_BYTES;
    return (sum[0] | (size_t)sum[1] << 8) % BUCKETS;
}

static const struct kept *find(const struct wf_ahead *ahead, enum wf_record kind,
                               struct wf_slice bytes)
{
    const struct kept *kept = bytes.len < SUM_BYTES ? NULL : ahead->buckets[bucket_of(bytes)];
    while (kept != NULL && !(kept->kind == kind && kept->bytes.len == bytes.len &&
                             memcmp(kept->bytes.ptr, bytes.ptr, bytes.len) == 0))
        kept = kept->next;
    return kept;
}

bool wf_ahead_recall(const struct wf_ahead *ahead, enum wf_record kind, struct wf_slice bytes,
                     void *out)
{
    const struct kept *kept = find(ahead, kind, bytes);
    if (kept != NULL)
        memcpy(out, kept->record, sizes[kind]);
    return kept != NULL;
}

/* ---- keeping --------------------------------------------------------------------------------- */

/* The record of these bytes; NULL where they cannot be read, or there is no memory. */
static const void *keep(struct wf_ahead *ahead, enum wf_record kind, struct wf_slice bytes)
{
    const struct kept *known = find(ahead, kind, bytes);
    if (known != NULL)
        return known->record;
    struct kept *kept = wf_arena_alloc(ahead->arena, sizeof(*kept) + bytes.len);
    void *record = wf_arena_alloc(ahead->arena, sizes[kind]);
    if (kept == NULL || record == NULL || bytes.len < SUM_BYTES)
        return NULL;
    uint8_t *copy = memcpy(kept + 1, bytes.ptr, bytes.len);
    *kept = (struct kept){.kind = kind, .bytes = {copy, bytes.len}, .record = record};
    if (wf_record_unpack(kind, kept->bytes, ahead->arena, record, NULL) != 0)
        return NULL;
    struct kept **bucket = &ahead->buckets[bucket_of(bytes)];
    kept->next = *bucket;
    *bucket = kept;
    return record;
}

static void keep_dossier(struct wf_ahead *ahead, struct wf_txn *txn, uint64_t id)
{
    struct wf_slice value;
    struct wf_key key;
    wf_key_start(&key);
    wf_key_u64(&key, id);
    if (wf_txn_get(txn, WF_TABLE_DOSSIERS, &key, &value, NULL) == 0)
        (void)keep(ahead, WF_REC_dossier, value);
    if (wf_txn_get(txn, WF_TABLE_CONTENTS, &key, &value, NULL) == 0)
        (void)keep(ahead, WF_REC_content, value);
}

/* ---- what is due ------------------------------------------------------------------------------ */

struct reading {
    struct wf_ahead *ahead;
    enum wf_record kind;
    int64_t now_ms;
    size_t left;
    size_t bytes_most; /* of the arena */
};

static int visit(void *context, const struct wf_rows *rows, struct wf_slice value,
                 struct wf_error *err)
{
    struct reading *r = context;
    (void)err;
    if (r->left-- == 0 || wf_arena_used(r->ahead->arena) > r->bytes_most ||
        rows->at.len != TIMED_BYTES || wf_time_load(rows->at.bytes + DUE_AT) > r->now_ms)
        return WF_NONE;
    const void *record = keep(r->ahead, r->kind, value);
    if (record != NULL)
        keep_dossier(r->ahead, rows->txn,
                     r->kind == WF_REC_queue ? ((const struct wf_rec_queue *)record)->dossier
                                             : ((const struct wf_rec_timer *)record)->dossier);
    return 0;
}

const struct wf_ahead *wf_ahead_read(struct wf_txn *txn, const struct wf_ahead_scope *scope,
                                     struct wf_arena *arena)
{
    struct wf_ahead *ahead = wf_arena_alloc(arena, sizeof(*ahead));
    struct wf_key from;
    if (ahead == NULL)
        return NULL;
    ahead->arena = arena;
    wf_key_start(&from);
    wf_key_u8(&from, scope->service);
    size_t bytes_most = wf_arena_used(arena) + BYTES_MOST;
    struct reading items = {ahead, WF_REC_queue, scope->real_ms, scope->most, bytes_most};
    struct reading timers = {ahead, WF_REC_timer, scope->now_ms, scope->most, bytes_most};
    int rc = wf_rows_each(txn, WF_TABLE_QUEUES, &from, from.len, visit, &items, NULL);
    if (rc >= 0)
        rc = wf_rows_each(txn, WF_TABLE_TIMERS, &from, from.len, visit, &timers, NULL);
    return rc < 0 ? NULL : ahead;
}

void wf_txn_use_ahead(struct wf_txn *txn, const struct wf_ahead *ahead)
{
    txn->ahead = ahead;
}

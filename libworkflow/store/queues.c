/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queue items by service and due time, and dead letters by number.
 *
 * Bookkeeping: `done` counts every item that left the queue, settled or buried; one that is put
 * back under its old number was not done after all. So queued + held + done is the number of items
 * ever made, whatever the order of tries. `again` counts those put back, so that queued + held +
 * done + again and done + again never fall: what went in and what came out, each try for itself.
 */
#include <inttypes.h>

#include "store/txn.h"

#define SERVICE_BYTES 1
#define DUE_AT        1 /* place of the due time in the key */

static int check_service(uint64_t service, struct wf_error *err)
{
    return service < WF_SERVICE_COUNT
               ? 0
               : wf_fail(err, WF_E_INTERNAL, "there is no service %" PRIu64, service);
}

static void queue_key(struct wf_key *key, uint64_t service, int64_t due, uint64_t seq)
{
    wf_key_start(key);
    wf_key_u8(key, (unsigned)service);
    wf_key_time(key, due);
    wf_key_u64(key, seq);
}

static void dead_key(struct wf_key *key, uint64_t seq)
{
    wf_key_start(key);
    wf_key_u64(key, seq);
}

static int put_row(struct wf_txn *txn, const struct wf_rec_queue *item, enum wf_put_mode mode,
                   struct wf_error *err)
{
    struct wf_key key;
    queue_key(&key, item->service, item->due, item->seq);
    return wf_txn_put_record(txn, WF_TABLE_QUEUES, &key, WF_REC_queue, item, mode, err);
}

static int64_t is_retried(const struct wf_rec_queue *item)
{
    return item->attempts > 0 ? 1 : 0;
}

/* The same item under the same key, changed. */
static int put_in_place(struct wf_txn *txn, const struct wf_rec_queue *item, struct wf_error *err)
{
    struct wf_rec_queue before;
    struct wf_key key;
    queue_key(&key, item->service, item->due, item->seq);
    wf_arena_reset(txn->arena);
    int rc = wf_txn_get_record(txn, WF_TABLE_QUEUES, &key, WF_REC_queue, txn->arena, &before, err);
    int64_t was_retried = rc == 0 ? is_retried(&before) : 0;
    if (rc == 0)
        rc = put_row(txn, item, WF_PUT_SET, err);
    if (rc == 0)
        txn->counts.retrying[item->service] += is_retried(item) - was_retried;
    return rc;
}

int wf_queue_put(struct wf_txn *txn, struct wf_rec_queue *item, struct wf_error *err)
{
    struct wf_counts *counts = &txn->counts;
    struct wf_rec_queue row = *item;
    bool is_new = item->seq == 0;
    int rc = check_service(item->service, err);
    if (rc < 0)
        return rc;
    if (is_new)
        row.seq = counts->queue_seq + 1;
    rc = put_row(txn, &row, WF_PUT_NEW, err);
    if (rc == WF_E_CONFLICT && !is_new)
        return put_in_place(txn, &row, err);
    if (rc < 0)
        return rc;
    counts->queued[item->service]++;
    counts->retrying[item->service] += is_retried(&row);
    if (is_new) {
        counts->queue_seq = row.seq;
    } else {
        counts->done[item->service]--;
        counts->again[item->service]++;
    }
    item->seq = row.seq;
    return 0;
}

int wf_queue_first(struct wf_txn *txn, enum wf_service service, int64_t now_ms,
                   struct wf_arena *arena, struct wf_rec_queue *out, struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    queue_key(&key, service, INT64_MIN, 0);
    int rc = wf_txn_seek(txn, WF_TABLE_QUEUES, &key, SERVICE_BYTES, &value, err);
    if (rc != 0)
        return rc;
    if (wf_time_load(key.bytes + DUE_AT) > now_ms)
        return WF_NONE;
    return wf_txn_read(txn, WF_TABLE_QUEUES, WF_REC_queue, value, arena, out, err);
}

int wf_queue_next_due(struct wf_txn *txn, enum wf_service service, int64_t *out,
                      struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    queue_key(&key, service, INT64_MIN, 0);
    int rc = wf_txn_seek(txn, WF_TABLE_QUEUES, &key, SERVICE_BYTES, &value, err);
    if (rc < 0)
        return rc;
    *out = rc == WF_NONE ? INT64_MAX : wf_time_load(key.bytes + DUE_AT);
    return 0;
}

int wf_queue_del(struct wf_txn *txn, const struct wf_rec_queue *item, struct wf_error *err)
{
    struct wf_key key;
    int rc = check_service(item->service, err);
    if (rc < 0)
        return rc;
    queue_key(&key, item->service, item->due, item->seq);
    rc = wf_txn_del(txn, WF_TABLE_QUEUES, &key, err);
    if (rc == 0) {
        txn->counts.queued[item->service]--;
        txn->counts.retrying[item->service] -= is_retried(item);
        txn->counts.done[item->service]++;
    }
    return rc;
}

/* ---- dead letters ---------------------------------------------------------------------------- */

/* Off its queue; or, where it never stood in one, counted as if it had. */
static int take_off(struct wf_txn *txn, const struct wf_rec_queue *item,
                    const struct wf_rec_queue *dead, struct wf_error *err)
{
    if (item != NULL)
        return wf_queue_del(txn, item, err);
    txn->counts.done[dead->service]++;
    return 0;
}

int wf_queue_bury(struct wf_txn *txn, const struct wf_rec_queue *item, struct wf_rec_queue *dead,
                  struct wf_error *err)
{
    struct wf_counts *counts = &txn->counts;
    struct wf_rec_queue row = *dead;
    struct wf_key key;
    int rc = check_service(dead->service, err);
    if (rc == 0)
        rc = take_off(txn, item, dead, err);
    if (rc != 0)
        return rc;
    if (row.seq == 0)
        row.seq = counts->queue_seq + 1;
    dead_key(&key, row.seq);
    rc = wf_txn_put_record(txn, WF_TABLE_DEAD, &key, WF_REC_queue, &row, WF_PUT_SET, err);
    if (rc < 0)
        return rc;
    if (row.seq > counts->queue_seq)
        counts->queue_seq = row.seq;
    counts->dead[row.service]++;
    dead->seq = row.seq;
    return 0;
}

int wf_dead_get(struct wf_txn *txn, uint64_t seq, struct wf_arena *arena, struct wf_rec_queue *out,
                struct wf_error *err)
{
    struct wf_key key;
    dead_key(&key, seq);
    return wf_txn_get_record(txn, WF_TABLE_DEAD, &key, WF_REC_queue, arena, out, err);
}

int wf_dead_del(struct wf_txn *txn, uint64_t seq, struct wf_error *err)
{
    struct wf_key key;
    struct wf_rec_queue item;
    wf_arena_reset(txn->arena);
    int rc = wf_dead_get(txn, seq, txn->arena, &item, err);
    if (rc == 0)
        rc = check_service(item.service, err);
    if (rc != 0)
        return rc;
    dead_key(&key, seq);
    rc = wf_txn_must_del(txn, WF_TABLE_DEAD, &key, err);
    if (rc == 0)
        txn->counts.dead[item.service]--;
    return rc;
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct visitor {
    enum wf_service service;
    struct wf_arena *arena;
    int (*fn)(void *context, const struct wf_rec_queue *item);
    void *context;
};

static int visit(void *context, const struct wf_rows *rows, struct wf_slice value,
                 struct wf_error *err)
{
    const struct visitor *v = context;
    struct wf_rec_queue item;
    int rc = wf_txn_unpack(rows->table, WF_REC_queue, value, v->arena, &item, err);
    if (rc < 0)
        return rc;
    return item.service == (uint64_t)v->service ? v->fn(v->context, &item) : 0;
}

int wf_queue_each(struct wf_txn *txn, enum wf_service service, bool dead, struct wf_arena *arena,
                  int (*fn)(void *context, const struct wf_rec_queue *item), void *context,
                  struct wf_error *err)
{
    struct visitor v = {service, arena, fn, context};
    struct wf_key from;
    wf_key_start(&from);
    if (dead)
        return wf_rows_each(txn, WF_TABLE_DEAD, &from, 0, visit, &v, err);
    wf_key_u8(&from, service);
    return wf_rows_each(txn, WF_TABLE_QUEUES, &from, SERVICE_BYTES, visit, &v, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Timers by service and due time. */
#include "store/txn.h"

#define SERVICE_BYTES 1
#define DUE_AT        1
#define SEQ_AT        9
#define TIMER_BYTES   17

static void timer_key(struct wf_key *key, enum wf_service service, int64_t due, uint64_t seq)
{
    wf_key_start(key);
    wf_key_u8(key, service);
    wf_key_time(key, due);
    wf_key_u64(key, seq);
}

int wf_timer_put(struct wf_txn *txn, enum wf_service service, int64_t due_ms,
                 const struct wf_rec_timer *timer, uint64_t *out_seq, struct wf_error *err)
{
    struct wf_key key;
    uint64_t seq = txn->counts.timer_seq + 1;
    timer_key(&key, service, due_ms, seq);
    int rc = wf_txn_put_record(txn, WF_TABLE_TIMERS, &key, WF_REC_timer, timer, WF_PUT_SET, err);
    if (rc < 0)
        return wf_wrap(err, "save a timer");
    txn->counts.timer_seq = seq;
    txn->counts.timers++;
    *out_seq = seq;
    return 0;
}

int wf_timer_del(struct wf_txn *txn, enum wf_service service, int64_t due_ms, uint64_t seq,
                 struct wf_error *err)
{
    struct wf_key key;
    timer_key(&key, service, due_ms, seq);
    int rc = wf_txn_del(txn, WF_TABLE_TIMERS, &key, err);
    if (rc == 0)
        txn->counts.timers--;
    return rc;
}

static int seek_first(struct wf_txn *txn, enum wf_service service, struct wf_key *key,
                      struct wf_slice *value, struct wf_error *err)
{
    timer_key(key, service, INT64_MIN, 0);
    int rc = wf_txn_seek(txn, WF_TABLE_TIMERS, key, SERVICE_BYTES, value, err);
    if (rc == 0 && key->len != TIMER_BYTES)
        return wf_fail(err, WF_E_CORRUPT, "timers: a key has a wrong length");
    return rc;
}

int wf_timer_first(struct wf_txn *txn, enum wf_service service, int64_t now_ms,
                   struct wf_arena *arena, struct wf_rec_timer *out, int64_t *out_due,
                   uint64_t *out_seq, struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    int rc = seek_first(txn, service, &key, &value, err);
    if (rc != 0)
        return rc;
    if (wf_time_load(key.bytes + DUE_AT) > now_ms)
        return WF_NONE;
    rc = wf_txn_read(txn, WF_TABLE_TIMERS, WF_REC_timer, value, arena, out, err);
    if (rc < 0)
        return rc;
    *out_due = wf_time_load(key.bytes + DUE_AT);
    *out_seq = wf_u64_load(key.bytes + SEQ_AT);
    return 0;
}

int wf_timer_next_due(struct wf_txn *txn, enum wf_service service, int64_t *out,
                      struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    int rc = seek_first(txn, service, &key, &value, err);
    if (rc < 0)
        return rc;
    *out = rc == WF_NONE ? INT64_MAX : wf_time_load(key.bytes + DUE_AT);
    return 0;
}

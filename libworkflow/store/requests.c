/* SPDX-License-Identifier: Apache-2.0 */
/* Answers already given, by party and request id. */
#include "store/txn.h"

static int request_key(struct wf_key *key, struct wf_str party, struct wf_str id,
                       struct wf_error *err)
{
    /* A NUL inside the party would let one party reach into another's rows. */
    if (party.len > 0 && memchr(party.ptr, '\0', party.len) != NULL)
        return wf_fail(err, WF_E_INVALID, "the party's name has a NUL in it");
    wf_key_start(key);
    wf_key_text(key, party);
    wf_key_u8(key, 0);
    wf_key_text(key, id);
    return 0;
}

int wf_request_get(struct wf_txn *txn, struct wf_str party, struct wf_str id,
                   struct wf_arena *arena, struct wf_rec_request *out, struct wf_error *err)
{
    struct wf_key key;
    int rc = request_key(&key, party, id, err);
    if (rc < 0)
        return rc;
    return wf_txn_get_record(txn, WF_TABLE_REQUESTS, &key, WF_REC_request, arena, out, err);
}

int wf_request_put(struct wf_txn *txn, struct wf_str party, struct wf_str id,
                   const struct wf_rec_request *request, struct wf_error *err)
{
    struct wf_key key;
    struct wf_rec_request row = *request;
    int rc = request_key(&key, party, id, err);
    if (rc < 0)
        return rc;
    row.run_ms = txn->counts.run_ms;
    return wf_txn_put_record(txn, WF_TABLE_REQUESTS, &key, WF_REC_request, &row, WF_PUT_SET, err);
}

/* ---- forgetting ------------------------------------------------------------------------------ */

void wf_request_note_run(struct wf_txn *txn, uint64_t ms)
{
    txn->counts.run_ms += ms;
}

/* Remembers where to go on: after *key, or from the start where it is NULL. */
static int keep_position(struct wf_buf *position, const struct wf_key *key, struct wf_error *err)
{
    wf_buf_clear(position);
    if (key != NULL)
        wf_buf_add(position, key->bytes, key->len);
    return position->failed ? wf_fail(err, WF_E_NOMEM, "prune requests") : 0;
}

/* The station may still ask for it, when its line is back. */
static int is_awaited(struct wf_txn *txn, const struct wf_key *key, uint64_t seq, bool *out,
                      struct wf_error *err)
{
    uint64_t last = 0;
    const struct wf_str party = {(const char *)key->bytes,
                                 strnlen((const char *)key->bytes, key->len)};
    *out = false;
    if (seq == 0)
        return 0;
    int rc = wf_handoff_last(txn, party, &last, err);
    *out = seq + WF_HANDOFFS_KEPT > last;
    return rc;
}

static int prune_one(struct wf_txn *txn, const struct wf_key *key, struct wf_slice value,
                     uint64_t window_ms, size_t *deleted, struct wf_error *err)
{
    struct wf_rec_request request;
    bool awaited = false;
    wf_arena_reset(txn->arena);
    int rc = wf_txn_unpack(WF_TABLE_REQUESTS, WF_REC_request, value, txn->arena, &request, err);
    if (rc < 0 || request.run_ms + window_ms >= txn->counts.run_ms)
        return rc;
    rc = is_awaited(txn, key, request.seq, &awaited, err);
    if (rc < 0 || awaited)
        return rc;
    rc = wf_txn_must_del(txn, WF_TABLE_REQUESTS, key, err);
    if (rc == 0)
        *deleted += 1;
    return rc;
}

int wf_request_prune(struct wf_txn *txn, uint64_t window_ms, size_t max, struct wf_buf *position,
                     size_t *out_deleted, struct wf_error *err)
{
    struct wf_rows rows;
    struct wf_key from;
    struct wf_slice value;
    size_t deleted = 0;
    wf_key_start(&from);
    wf_key_bytes(&from, position->ptr, position->len);
    int rc = wf_rows_open(txn, WF_TABLE_REQUESTS, &from, 0, &rows, err);
    if (rc < 0)
        return rc;
    if (from.len > 0)
        wf_rows_start_after(&rows);
    for (size_t i = 0; i < max && rc == 0; i++) {
        rc = wf_rows_next(&rows, &value, err);
        if (rc == 0)
            rc = prune_one(txn, &rows.at, value, window_ms, &deleted, err);
    }
    if (rc >= 0 && max > 0)
        rc = keep_position(position, rc == WF_NONE ? NULL : &rows.at, err);
    wf_rows_close(&rows);
    if (rc == 0)
        *out_deleted = deleted;
    return rc;
}

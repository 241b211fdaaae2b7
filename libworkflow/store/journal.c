/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: seq -> packed event, then BLAKE2b-256 over the hash before it and these bytes. The
 * hash is also the row's checksum. The head of the chain stands in the counters row, so that a
 * journal cut off at its end shows as well.
 */
#include <inttypes.h>

#include "store/txn.h"

static void seq_key(struct wf_key *key, uint64_t seq)
{
    wf_key_start(key);
    wf_key_u64(key, seq);
}

static void history_key(struct wf_key *key, uint64_t dossier, uint64_t seq)
{
    wf_key_start(key);
    wf_key_u64(key, dossier);
    wf_key_u64(key, seq);
}

int wf_journal_append(struct wf_txn *txn, const struct wf_rec_event *event, uint64_t *out_seq,
                      struct wf_error *err)
{
    struct wf_counts *counts = &txn->counts;
    struct wf_rec_event record = *event;
    struct wf_buf *buf = &txn->buf;
    uint8_t hash[WF_HASH_BYTES];
    struct wf_key key;
    record.seq = counts->journal_seq + 1;
    if (record.dossier == 0)
        record.n = counts->cell_events + 1;
    wf_buf_clear(buf);
    int rc = wf_record_pack(WF_REC_event, &record, buf, err);
    if (rc < 0)
        return wf_wrap(err, "journal");
    wf_hash(counts->journal_hash, WF_HASH_BYTES, buf->ptr, buf->len, hash);
    wf_buf_add(buf, hash, sizeof(hash));
    if (buf->failed)
        return wf_fail(err, WF_E_NOMEM, "journal");
    seq_key(&key, record.seq);
    rc = wf_txn_put(txn, WF_TABLE_JOURNAL, &key, (struct wf_slice){buf->ptr, buf->len},
                    WF_PUT_APPEND, err);
    history_key(&key, record.dossier, record.seq);
    if (rc == 0)
        rc = wf_txn_put(txn, WF_TABLE_HISTORY, &key, (struct wf_slice){0}, WF_PUT_SET, err);
    if (rc < 0)
        return rc;
    counts->journal_seq = record.seq;
    counts->cell_events += record.dossier == 0;
    memcpy(counts->journal_hash, hash, sizeof(hash));
    *out_seq = record.seq;
    return 0;
}

static int damaged(uint64_t seq, struct wf_error *err)
{
    return wf_fail(err, WF_E_CORRUPT, "journal event %" PRIu64 " is damaged or was changed", seq);
}

/* The hash that event number seq + 1 builds on; zeros before the first. */
static int hash_of(struct wf_txn *txn, uint64_t seq, uint8_t out[WF_HASH_BYTES],
                   struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    memset(out, 0, WF_HASH_BYTES);
    if (seq == 0)
        return 0;
    seq_key(&key, seq);
    int rc = wf_txn_get(txn, WF_TABLE_JOURNAL, &key, &value, err);
    if (rc == WF_NONE || (rc == 0 && value.len <= WF_HASH_BYTES))
        return damaged(seq, err);
    if (rc == 0)
        memcpy(out, value.ptr + value.len - WF_HASH_BYTES, WF_HASH_BYTES);
    return rc;
}

/* Checks the row against the hash before it and unpacks it; hash becomes its own. */
static int read_row(uint64_t seq, struct wf_slice value, uint8_t hash[WF_HASH_BYTES],
                    struct wf_arena *arena, struct wf_rec_event *out, struct wf_error *err)
{
    uint8_t want[WF_HASH_BYTES];
    struct wf_rec_event event;
    if (value.len <= WF_HASH_BYTES)
        return damaged(seq, err);
    size_t packed = value.len - WF_HASH_BYTES;
    wf_hash(hash, WF_HASH_BYTES, value.ptr, packed, want);
    if (memcmp(want, value.ptr + packed, WF_HASH_BYTES) != 0)
        return damaged(seq, err);
    int rc =
        wf_record_unpack(WF_REC_event, (struct wf_slice){value.ptr, packed}, arena, &event, err);
    if (rc < 0)
        return wf_wrap(err, "journal event %" PRIu64, seq);
    if (event.seq != seq)
        return damaged(seq, err);
    memcpy(hash, want, WF_HASH_BYTES);
    *out = event;
    return 0;
}

int wf_journal_get(struct wf_txn *txn, uint64_t seq, struct wf_arena *arena,
                   struct wf_rec_event *out, uint8_t out_hash[32], struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    uint8_t hash[WF_HASH_BYTES];
    if (seq == 0)
        return WF_NONE;
    seq_key(&key, seq);
    int rc = wf_txn_get(txn, WF_TABLE_JOURNAL, &key, &value, err);
    if (rc == WF_NONE && seq <= txn->counts.journal_seq)
        return damaged(seq, err);
    if (rc == 0)
        rc = hash_of(txn, seq - 1, hash, err);
    if (rc == 0)
        rc = read_row(seq, value, hash, arena, out, err);
    if (rc == 0 && out_hash != NULL)
        memcpy(out_hash, hash, WF_HASH_BYTES);
    return rc;
}

int wf_journal_row(struct wf_txn *txn, uint64_t seq, struct wf_slice value, bool is_next,
                   uint8_t hash[WF_HASH_BYTES], struct wf_arena *arena, struct wf_rec_event *out,
                   struct wf_error *err)
{
    int rc = is_next ? 0 : hash_of(txn, seq - 1, hash, err);
    return rc == 0 ? read_row(seq, value, hash, arena, out, err) : rc;
}

struct history {
    uint64_t dossier;
    struct wf_arena *arena;
    int (*fn)(void *context, const struct wf_rec_event *event);
    void *context;
};

static int visit_history(void *context, const struct wf_rows *rows, struct wf_slice value,
                         struct wf_error *err)
{
    const struct history *h = context;
    struct wf_rec_event event = {0};
    uint64_t seq = rows->at.len == 16 ? wf_u64_load(rows->at.bytes + 8) : 0;
    (void)value;
    int rc = wf_journal_get(rows->txn, seq, h->arena, &event, NULL, err);
    if (rc < 0)
        return rc;
    if (rc == WF_NONE || event.dossier != h->dossier)
        return wf_fail(err, WF_E_CORRUPT, "the history of dossier %" PRIu64 " is damaged",
                       h->dossier);
    return h->fn(h->context, &event);
}

int wf_history_each(struct wf_txn *txn, uint64_t dossier, struct wf_arena *arena,
                    int (*fn)(void *context, const struct wf_rec_event *event), void *context,
                    struct wf_error *err)
{
    struct history h = {dossier, arena, fn, context};
    struct wf_key from;
    history_key(&from, dossier, 0);
    return wf_rows_each(txn, WF_TABLE_HISTORY, &from, sizeof(dossier), visit_history, &h, err);
}

struct hashes {
    int (*fn)(void *context, uint64_t seq, const uint8_t hash[WF_HASH_BYTES]);
    void *context;
};

static int visit_hash(void *context, const struct wf_rows *rows, struct wf_slice value,
                      struct wf_error *err)
{
    const struct hashes *h = context;
    uint8_t hash[WF_HASH_BYTES];
    uint64_t seq = rows->at.len == 16 ? wf_u64_load(rows->at.bytes + 8) : 0;
    (void)value;
    int rc = hash_of(rows->txn, seq, hash, err);
    return rc == 0 ? h->fn(h->context, seq, hash) : rc;
}

int wf_history_hashes(struct wf_txn *txn, uint64_t dossier,
                      int (*fn)(void *context, uint64_t seq, const uint8_t hash[32]), void *context,
                      struct wf_error *err)
{
    struct hashes h = {fn, context};
    struct wf_key from;
    history_key(&from, dossier, 0);
    return wf_rows_each(txn, WF_TABLE_HISTORY, &from, sizeof(dossier), visit_hash, &h, err);
}

struct chain {
    uint64_t at; /* last event that was good */
    uint8_t hash[WF_HASH_BYTES];
};

/* One link: it must follow the one before, and be built on its hash. */
static int check_link(void *context, const struct wf_rows *rows, struct wf_slice value,
                      struct wf_error *err)
{
    struct chain *chain = context;
    struct wf_rec_event event;
    uint64_t seq = rows->at.len == 8 ? wf_u64_load(rows->at.bytes) : 0;
    if (seq != chain->at + 1)
        return damaged(chain->at + 1, err);
    wf_arena_reset(rows->txn->arena);
    int rc = read_row(seq, value, chain->hash, rows->txn->arena, &event, err);
    if (rc == 0)
        chain->at = seq;
    return rc;
}

int wf_journal_verify(struct wf_txn *txn, uint64_t from, uint64_t *out_checked,
                      struct wf_error *err)
{
    const struct wf_counts *counts = &txn->counts;
    uint64_t first = from > 0 ? from : 1;
    struct chain chain = {.at = first - 1};
    struct wf_key key;
    if (chain.at > counts->journal_seq)
        return wf_fail(err, WF_E_INVALID, "the journal ends before event %" PRIu64, from);
    int rc = hash_of(txn, chain.at, chain.hash, err);
    seq_key(&key, first);
    if (rc == 0)
        rc = wf_rows_each(txn, WF_TABLE_JOURNAL, &key, 0, check_link, &chain, err);
    if (rc < 0)
        return rc;
    if (chain.at < counts->journal_seq)
        return damaged(chain.at + 1, err);
    if (chain.at > counts->journal_seq ||
        memcmp(chain.hash, counts->journal_hash, WF_HASH_BYTES) != 0)
        return damaged(chain.at, err);
    *out_checked = chain.at - (first - 1);
    return 0;
}

/* ---- cursors --------------------------------------------------------------------------------- */

static void name_key(struct wf_key *key, struct wf_str name)
{
    wf_key_start(key);
    wf_key_text(key, name);
}

int wf_cursor_get(struct wf_txn *txn, struct wf_str name, uint64_t *out_seq, struct wf_error *err)
{
    struct wf_key key;
    name_key(&key, name);
    return wf_txn_get_number(txn, WF_TABLE_CURSORS, &key, out_seq, err);
}

int wf_cursor_put(struct wf_txn *txn, struct wf_str name, uint64_t seq, struct wf_error *err)
{
    struct wf_key key;
    name_key(&key, name);
    return wf_txn_put_number(txn, WF_TABLE_CURSORS, &key, seq, WF_PUT_SET, err);
}

struct cursors {
    int (*fn)(void *context, struct wf_str name, uint64_t seq);
    void *context;
};

static int visit_cursor(void *context, const struct wf_rows *rows, struct wf_slice value,
                        struct wf_error *err)
{
    const struct cursors *c = context;
    uint64_t seq = 0;
    (void)value;
    int rc = wf_txn_get_number(rows->txn, WF_TABLE_CURSORS, &rows->at, &seq, err);
    return rc == 0
               ? c->fn(c->context, (struct wf_str){(const char *)rows->at.bytes, rows->at.len}, seq)
               : rc;
}

int wf_cursor_each(struct wf_txn *txn, int (*fn)(void *context, struct wf_str name, uint64_t seq),
                   void *context, struct wf_error *err)
{
    struct cursors c = {fn, context};
    struct wf_key from;
    wf_key_start(&from);
    return wf_rows_each(txn, WF_TABLE_CURSORS, &from, 0, visit_cursor, &c, err);
}

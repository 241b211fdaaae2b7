/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a row: packed records, checked numbers, and the counters row. */
#include <string.h>

#include "store/env.h"

#define NUMBER_BYTES   12 /* u64 and checksum u32, big-endian */
#define CHECKED_BYTES  8
#define CHECKSUM_BYTES 4

/* ---- records --------------------------------------------------------------------------------- */

int wf_txn_put_record(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      enum wf_record kind, const void *record, enum wf_put_mode mode,
                      struct wf_error *err)
{
    wf_buf_clear(&txn->buf);
    int rc = wf_record_pack(kind, record, &txn->buf, err);
    if (rc < 0)
        return rc;
    return wf_txn_put(txn, table, key, (struct wf_slice){txn->buf.ptr, txn->buf.len}, mode, err);
}

int wf_txn_unpack(enum wf_table table, enum wf_record kind, struct wf_slice value,
                  struct wf_arena *arena, void *out, struct wf_error *err)
{
    int rc = wf_record_unpack(kind, value, arena, out, err);
    return rc < 0 ? wf_wrap(err, "%s", wf_table_names[table]) : 0;
}

int wf_txn_read(const struct wf_txn *txn, enum wf_table table, enum wf_record kind,
                struct wf_slice value, struct wf_arena *arena, void *out, struct wf_error *err)
{
    if (txn->ahead != NULL && wf_ahead_recall(txn->ahead, kind, value, out))
        return 0;
    return wf_txn_unpack(table, kind, value, arena, out, err);
}

int wf_txn_get_record(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      enum wf_record kind, struct wf_arena *arena, void *out, struct wf_error *err)
{
    struct wf_slice value;
    int rc = wf_txn_get(txn, table, key, &value, err);
    return rc != 0 ? rc : wf_txn_read(txn, table, kind, value, arena, out, err);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void fill_number(uint64_t number, uint8_t bytes[NUMBER_BYTES])
{
    wf_u64_store(bytes, number);
    uint32_t sum = wf_checksum(bytes, CHECKED_BYTES);
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        bytes[CHECKED_BYTES + i] = (uint8_t)(sum >> (24 - 8 * i));
}

void wf_number_pack(uint64_t number, struct wf_buf *out)
{
    uint8_t bytes[NUMBER_BYTES];
    fill_number(number, bytes);
    wf_buf_add(out, bytes, sizeof(bytes));
}

int wf_txn_put_number(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      uint64_t number, enum wf_put_mode mode, struct wf_error *err)
{
    uint8_t bytes[NUMBER_BYTES];
    fill_number(number, bytes);
    return wf_txn_put(txn, table, key, (struct wf_slice){bytes, sizeof(bytes)}, mode, err);
}

int wf_txn_get_number(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      uint64_t *out, struct wf_error *err)
{
    struct wf_slice value;
    int rc = wf_txn_get(txn, table, key, &value, err);
    if (rc != 0)
        return rc;
    uint8_t want[NUMBER_BYTES];
    if (value.len == NUMBER_BYTES)
        fill_number(wf_u64_load(value.ptr), want);
    if (value.len != NUMBER_BYTES || memcmp(value.ptr, want, NUMBER_BYTES) != 0)
        return wf_fail(err, WF_E_CORRUPT, "%s: a number is damaged", wf_table_names[table]);
    *out = wf_u64_load(value.ptr);
    return 0;
}

/* ---- counters -------------------------------------------------------------------------------- */

/* A list value over five plain ints, without an arena. */
struct five {
    struct wf_value list;
    struct wf_value ints[WF_SERVICE_COUNT];
    const struct wf_value *items[WF_SERVICE_COUNT];
};

static const struct wf_value *five_list(struct five *five, const int64_t from[WF_SERVICE_COUNT])
{
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++) {
        five->ints[i] = (struct wf_value){.type = WF_INT, .u.integer = from[i]};
        five->items[i] = &five->ints[i];
    }
    five->list = (struct wf_value){.type = WF_LIST,
                                   .u.list = {five->items, WF_SERVICE_COUNT, WF_SERVICE_COUNT}};
    return &five->list;
}

static void read_five(const struct wf_value *list, int64_t to[WF_SERVICE_COUNT])
{
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        to[i] = wf_value_int(wf_list_at(list, i), 0);
}

int wf_counts_pack(const struct wf_counts *c, struct wf_buf *out, struct wf_error *err)
{
    struct five queued;
    struct five tasks;
    struct five dead;
    struct five done;
    struct five leased;
    struct five retrying;
    struct five again;
    struct five held;
    const struct wf_rec_counters record = {.dossier_id = c->dossier_id,
                                           .queue_seq = c->queue_seq,
                                           .task_id = c->task_id,
                                           .timer_seq = c->timer_seq,
                                           .journal_seq = c->journal_seq,
                                           .journal_hash = {c->journal_hash, WF_HASH_BYTES},
                                           .procedures = c->procedures,
                                           .open = c->open,
                                           .closed = c->closed,
                                           .queued = five_list(&queued, c->queued),
                                           .tasks = five_list(&tasks, c->tasks),
                                           .dead = five_list(&dead, c->dead),
                                           .timers = c->timers,
                                           .done = five_list(&done, c->done),
                                           .leased = five_list(&leased, c->leased),
                                           .retrying = five_list(&retrying, c->retrying),
                                           .again = five_list(&again, c->again),
                                           .hold_id = c->hold_id,
                                           .holds = c->holds,
                                           .releasing = c->releasing,
                                           .held = five_list(&held, c->held),
                                           .held_timers = c->held_timers,
                                           .held_tasks = c->held_tasks,
                                           .cell_events = c->cell_events,
                                           .run_ms = c->run_ms};
    return wf_record_pack(WF_REC_counters, &record, out, err);
}

static void counters_key(struct wf_key *key)
{
    wf_key_start(key);
    wf_key_text(key, wf_str("counters"));
}

static int damaged_counts(struct wf_error *err)
{
    return wf_fail(err, WF_E_CORRUPT, "the counters row is missing or damaged");
}

static int unpack_counts(struct wf_slice row, struct wf_arena *arena, struct wf_counts *c,
                         struct wf_error *err)
{
    struct wf_rec_counters r;
    wf_arena_reset(arena);
    int rc = wf_txn_unpack(WF_TABLE_META, WF_REC_counters, row, arena, &r, err);
    if (rc < 0)
        return rc;
    if (r.journal_hash.len != WF_HASH_BYTES)
        return damaged_counts(err);
    *c = (struct wf_counts){.dossier_id = r.dossier_id,
                            .queue_seq = r.queue_seq,
                            .task_id = r.task_id,
                            .timer_seq = r.timer_seq,
                            .journal_seq = r.journal_seq,
                            .procedures = r.procedures,
                            .open = r.open,
                            .closed = r.closed,
                            .timers = r.timers,
                            .hold_id = r.hold_id,
                            .holds = r.holds,
                            .releasing = r.releasing,
                            .held_timers = r.held_timers,
                            .held_tasks = r.held_tasks,
                            .cell_events = r.cell_events,
                            .run_ms = r.run_ms};
    memcpy(c->journal_hash, r.journal_hash.ptr, WF_HASH_BYTES);
    read_five(r.queued, c->queued);
    read_five(r.tasks, c->tasks);
    read_five(r.dead, c->dead);
    read_five(r.done, c->done);
    read_five(r.leased, c->leased);
    read_five(r.retrying, c->retrying);
    read_five(r.again, c->again);
    read_five(r.held, c->held);
    return 0;
}

/* Every transaction begins with this row, and often it is the one that was read just before: then
 * its bytes, checksum among them, prove what is in it. */
int wf_counts_load(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice row;
    struct wf_store *store = txn->store;
    struct wf_buf *seen = &store->seen_row;
    counters_key(&key);
    int rc = wf_txn_get(txn, WF_TABLE_META, &key, &row, err);
    if (rc != 0)
        return rc < 0 ? rc : damaged_counts(err);
    if (seen->len == 0 || row.len != seen->len || memcmp(row.ptr, seen->ptr, row.len) != 0) {
        wf_buf_clear(seen);
        rc = unpack_counts(row, txn->arena, &store->seen, err);
        if (rc < 0)
            return rc;
        wf_buf_add(seen, row.ptr, row.len);
    }
    txn->counts = store->seen;
    txn->loaded = store->seen;
    return 0;
}

int wf_counts_flush(struct wf_txn *txn, struct wf_error *err)
{
    /* The struct has no padding: all members are 8 bytes wide, or 32 bytes. */
    if (memcmp(&txn->loaded, &txn->counts, sizeof(txn->counts)) == 0)
        return 0;
    struct wf_key key;
    counters_key(&key);
    wf_buf_clear(&txn->buf);
    int rc = wf_counts_pack(&txn->counts, &txn->buf, err);
    if (rc < 0)
        return rc;
    return wf_txn_put(txn, WF_TABLE_META, &key, (struct wf_slice){txn->buf.ptr, txn->buf.len},
                      WF_PUT_SET, err);
}

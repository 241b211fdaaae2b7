/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds, and the rows that they put aside: under the hold's id, then what each row is, then the key
 * of its own table, so that releasing finds all of a hold in one scan and each row tells its place.
 *
 * A row lies under one hold only, however many there are over it: once that one is released it goes
 * back to its place, comes up as due there, and the next hold puts it aside. So no hold need know of
 * others. Refused: a mark in the row itself, which leaves it where every look for due work meets it
 * again.
 */
#include "store/txn.h"

#define SERVICE_AT 9
#define NUMBER_AT  18

const char *wf_hold_kind_word(enum wf_hold_kind kind)
{
    static const char *const words[WF_HOLD_KINDS] = {
        [WF_HOLD_DOSSIER] = "dossier", [WF_HOLD_PROCEDURE] = "procedure", [WF_HOLD_QUEUE] = "queue",
        [WF_HOLD_SITE] = "site",       [WF_HOLD_CELL] = "cell",
    };
    return (unsigned)kind < WF_HOLD_KINDS ? words[kind] : "?";
}

/* ---- holds ----------------------------------------------------------------------------------- */

void wf_hold_key(struct wf_key *key, const struct wf_rec_hold *hold)
{
    wf_key_start(key);
    wf_key_u8(key, (unsigned)hold->kind);
    if (hold->kind == WF_HOLD_DOSSIER)
        wf_key_u64(key, hold->dossier);
    else
        wf_key_text(key, hold->name);
}

static uint64_t *counter_of(struct wf_txn *txn, const struct wf_rec_hold *hold)
{
    return hold->released != 0 ? &txn->counts.releasing : &txn->counts.holds;
}

int wf_hold_put(struct wf_txn *txn, const struct wf_rec_hold *before, struct wf_rec_hold *now,
                struct wf_error *err)
{
    struct wf_rec_hold row = *now;
    struct wf_key key;
    row.id = before != NULL ? before->id : txn->counts.hold_id + 1;
    wf_hold_key(&key, &row);
    int rc = wf_txn_put_record(txn, WF_TABLE_HOLDS, &key, WF_REC_hold, &row,
                               before != NULL ? WF_PUT_SET : WF_PUT_NEW, err);
    if (rc < 0)
        return wf_wrap(err, "save a hold");
    if (before != NULL)
        --*counter_of(txn, before);
    else
        txn->counts.hold_id = row.id;
    ++*counter_of(txn, &row);
    now->id = row.id;
    return 0;
}

int wf_hold_get(struct wf_txn *txn, enum wf_hold_kind kind, uint64_t dossier, struct wf_str name,
                struct wf_arena *arena, struct wf_rec_hold *out, struct wf_error *err)
{
    const struct wf_rec_hold wanted = {.kind = kind, .dossier = dossier, .name = name};
    struct wf_key key;
    wf_hold_key(&key, &wanted);
    return wf_txn_get_record(txn, WF_TABLE_HOLDS, &key, WF_REC_hold, arena, out, err);
}

int wf_hold_del(struct wf_txn *txn, const struct wf_rec_hold *hold, struct wf_error *err)
{
    struct wf_key key;
    wf_hold_key(&key, hold);
    int rc = wf_txn_must_del(txn, WF_TABLE_HOLDS, &key, err);
    if (rc == 0)
        --*counter_of(txn, hold);
    return rc;
}

struct visitor {
    struct wf_arena *arena;
    int (*hold)(void *context, const struct wf_rec_hold *hold);
    int (*item)(void *context, const struct wf_rec_queue *item);
    void *context;
};

static int visit(void *context, const struct wf_rows *rows, struct wf_slice value,
                 struct wf_error *err)
{
    const struct visitor *v = context;
    struct wf_rec_hold hold;
    int rc = wf_txn_unpack(rows->table, WF_REC_hold, value, v->arena, &hold, err);
    return rc < 0 ? rc : v->hold(v->context, &hold);
}

int wf_hold_each(struct wf_txn *txn, struct wf_arena *arena,
                 int (*fn)(void *context, const struct wf_rec_hold *hold), void *context,
                 struct wf_error *err)
{
    struct visitor v = {.arena = arena, .hold = fn, .context = context};
    struct wf_key from;
    wf_key_start(&from);
    return wf_rows_each(txn, WF_TABLE_HOLDS, &from, 0, visit, &v, err);
}

/* ---- what is over something ------------------------------------------------------------------ */

int wf_holds_over(struct wf_txn *txn, const struct wf_hold_scope *scope, struct wf_arena *arena,
                  struct wf_rec_hold out[WF_HOLDS_OVER], size_t *out_n, struct wf_error *err)
{
    const struct wf_rec_dossier *d = scope->dossier;
    const char *service =
        scope->service >= 0 ? wf_service_word((enum wf_service)scope->service) : "";
    const struct {
        enum wf_hold_kind kind;
        uint64_t dossier;
        struct wf_str name;
    } rows[WF_HOLDS_OVER] = {
        {WF_HOLD_DOSSIER, d->id, {0}},        {WF_HOLD_DOSSIER, d->parent, {0}},
        {WF_HOLD_PROCEDURE, 0, d->procedure}, {WF_HOLD_SITE, 0, d->site},
        {WF_HOLD_QUEUE, 0, wf_str(service)},  {WF_HOLD_QUEUE, 0, scope->activity},
    };
    size_t n = 0;
    for (size_t i = 0; i < WF_HOLDS_OVER; i++) {
        if (rows[i].dossier == 0 && rows[i].name.len == 0)
            continue;
        int rc = wf_hold_get(txn, rows[i].kind, rows[i].dossier, rows[i].name, arena, &out[n], err);
        if (rc < 0)
            return rc;
        n += rc == 0;
    }
    *out_n = n;
    return 0;
}

int wf_cell_is_held(struct wf_txn *txn, struct wf_arena *arena, bool *out, struct wf_error *err)
{
    struct wf_rec_hold hold = {0};
    int rc = txn->counts.holds == 0
                 ? WF_NONE
                 : wf_hold_get(txn, WF_HOLD_CELL, 0, wf_str(""), arena, &hold, err);
    if (rc < 0)
        return rc;
    *out = rc == 0 && hold.released == 0;
    return 0;
}

/* ---- putting aside --------------------------------------------------------------------------- */

void wf_held_key(struct wf_key *key, uint64_t hold, enum wf_held_kind kind, uint64_t service,
                 int64_t time, uint64_t number)
{
    wf_key_start(key);
    wf_key_u64(key, hold);
    wf_key_u8(key, kind);
    wf_key_u8(key, (unsigned)service);
    wf_key_time(key, time);
    wf_key_u64(key, number);
}

/* The key of the row in its own table. */
static void place_key(struct wf_key *key, const struct wf_key *held)
{
    wf_key_start(key);
    wf_key_bytes(key, held->bytes + SERVICE_AT, held->len - SERVICE_AT);
}

int wf_queue_hold(struct wf_txn *txn, const struct wf_rec_queue *item, uint64_t hold,
                  struct wf_error *err)
{
    struct wf_key held;
    struct wf_key key;
    wf_held_key(&held, hold, WF_HELD_ITEM, item->service, item->due, item->seq);
    place_key(&key, &held);
    int rc = wf_txn_must_del(txn, WF_TABLE_QUEUES, &key, err);
    if (rc == 0)
        rc = wf_txn_put_record(txn, WF_TABLE_HELD, &held, WF_REC_queue, item, WF_PUT_SET, err);
    if (rc != 0)
        return wf_wrap(err, "put aside queue item");
    txn->counts.queued[item->service]--;
    txn->counts.retrying[item->service] -= item->attempts > 0 ? 1 : 0;
    txn->counts.held[item->service]++;
    return 0;
}

int wf_timer_hold(struct wf_txn *txn, enum wf_service service, int64_t due_ms, uint64_t seq,
                  const struct wf_rec_timer *timer, uint64_t hold, struct wf_error *err)
{
    struct wf_key held;
    struct wf_key key;
    wf_held_key(&held, hold, WF_HELD_TIMER, service, due_ms, seq);
    place_key(&key, &held);
    int rc = wf_txn_must_del(txn, WF_TABLE_TIMERS, &key, err);
    if (rc == 0)
        rc = wf_txn_put_record(txn, WF_TABLE_HELD, &held, WF_REC_timer, timer, WF_PUT_SET, err);
    if (rc != 0)
        return wf_wrap(err, "put aside a timer");
    txn->counts.timers--;
    txn->counts.held_timers++;
    return 0;
}

int wf_timer_del_held(struct wf_txn *txn, enum wf_service service, int64_t due_ms, uint64_t seq,
                      uint64_t hold, struct wf_error *err)
{
    struct wf_key key;
    wf_held_key(&key, hold, WF_HELD_TIMER, service, due_ms, seq);
    int rc = wf_txn_del(txn, WF_TABLE_HELD, &key, err);
    if (rc == 0)
        txn->counts.held_timers--;
    return rc;
}

/* ---- putting back ---------------------------------------------------------------------------- */

static void hold_rows(struct wf_key *key, uint64_t hold)
{
    wf_key_start(key);
    wf_key_u64(key, hold);
}

static int check_task(struct wf_txn *txn, const struct wf_key *held, struct wf_error *err)
{
    struct wf_rec_task task;
    struct wf_key key;
    int rc = wf_task_get(txn, wf_u64_load(held->bytes + NUMBER_AT), txn->arena, &task, err);
    if (rc == 0)
        (void)wf_task_place(&key, &task);
    if (rc == WF_NONE ||
        (rc == 0 && (key.len != held->len || memcmp(key.bytes, held->bytes, key.len) != 0)))
        return wf_fail(err, WF_E_CORRUPT, "held: a task is missing, or not put aside here");
    return rc;
}

/* Is the row sound? Asked before the first write, so that one that is not can be passed over. Items
 * that have failed before are counted apart while they wait. */
static int check_row(struct wf_txn *txn, const struct wf_key *held, struct wf_slice value,
                     int64_t *out_tried, struct wf_error *err)
{
    struct wf_rec_queue item;
    struct wf_rec_timer timer;
    int rc;
    wf_arena_reset(txn->arena);
    *out_tried = 0;
    if (held->len != WF_HELD_BYTES || held->bytes[SERVICE_AT] >= WF_SERVICE_COUNT)
        return wf_fail(err, WF_E_CORRUPT, "held: a key is damaged");
    switch (held->bytes[WF_HELD_KIND_AT]) {
    case WF_HELD_ITEM:
        rc = wf_txn_unpack(WF_TABLE_HELD, WF_REC_queue, value, txn->arena, &item, err);
        if (rc == 0)
            *out_tried = item.attempts > 0 ? 1 : 0;
        return rc;
    case WF_HELD_TIMER:
        return wf_txn_unpack(WF_TABLE_HELD, WF_REC_timer, value, txn->arena, &timer, err);
    case WF_HELD_TASK:
        return check_task(txn, held, err);
    default:
        return wf_fail(err, WF_E_CORRUPT, "held: a key is damaged");
    }
}

/* An item or timer: its bytes go from one table to the other as they are. */
static int move_row(struct wf_txn *txn, const struct wf_key *held, struct wf_slice value,
                    enum wf_table table, struct wf_error *err)
{
    struct wf_key key;
    place_key(&key, held);
    wf_buf_clear(&txn->buf);
    wf_buf_add(&txn->buf, value.ptr, value.len); /* the slice dies with the first write */
    if (txn->buf.failed)
        return wf_fail(err, WF_E_NOMEM, "put back a row");
    int rc = wf_txn_must_del(txn, WF_TABLE_HELD, held, err);
    return rc == 0 ? wf_txn_put(txn, table, &key, (struct wf_slice){txn->buf.ptr, txn->buf.len},
                                WF_PUT_SET, err)
                   : rc;
}

static int move_task(struct wf_txn *txn, uint64_t id, struct wf_error *err)
{
    struct wf_rec_task task;
    wf_arena_reset(txn->arena);
    int rc = wf_task_get(txn, id, txn->arena, &task, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_CORRUPT, "a task is put aside that is missing");
    if (rc < 0)
        return rc;
    struct wf_rec_task back = task;
    back.held = 0;
    return wf_task_update(txn, &task, &back, err);
}

/* A row that check_row found sound. */
static int move_one(struct wf_txn *txn, const struct wf_key *held, struct wf_slice value,
                    int64_t tried, struct wf_error *err)
{
    struct wf_counts *counts = &txn->counts;
    unsigned service = held->bytes[SERVICE_AT];
    int rc;
    switch (held->bytes[WF_HELD_KIND_AT]) {
    case WF_HELD_ITEM:
        rc = move_row(txn, held, value, WF_TABLE_QUEUES, err);
        if (rc == 0)
            counts->retrying[service] += tried;
        counts->queued[service] += rc == 0;
        counts->held[service] -= rc == 0;
        return rc;
    case WF_HELD_TIMER:
        rc = move_row(txn, held, value, WF_TABLE_TIMERS, err);
        counts->timers += rc == 0;
        counts->held_timers -= rc == 0;
        return rc;
    default:
        return move_task(txn, wf_u64_load(held->bytes + NUMBER_AT), err);
    }
}

int wf_hold_move_back(struct wf_txn *txn, uint64_t hold, size_t most, size_t *out_moved,
                      size_t *out_damaged, struct wf_error *err)
{
    struct wf_rows rows;
    struct wf_key from;
    struct wf_slice value;
    size_t moved = 0;
    size_t damaged = 0;
    hold_rows(&from, hold);
    int rc = wf_rows_open(txn, WF_TABLE_HELD, &from, sizeof(hold), &rows, err);
    if (rc < 0)
        return rc;
    while (moved < most && (rc = wf_rows_next(&rows, &value, err)) == 0) {
        const struct wf_key held = rows.at;
        int64_t tried = 0;
        rc = check_row(txn, &held, value, &tried, err);
        if (rc == WF_E_CORRUPT) {
            damaged++;
            continue;
        }
        if (rc == 0)
            rc = move_one(txn, &held, value, tried, err);
        if (rc != 0)
            break;
        moved++;
    }
    wf_rows_close(&rows);
    if (rc < 0)
        return rc;
    *out_moved = moved;
    *out_damaged = damaged;
    return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

int wf_hold_count(struct wf_txn *txn, uint64_t hold, size_t most, size_t *out, struct wf_error *err)
{
    struct wf_rows rows;
    struct wf_slice value;
    struct wf_key from;
    size_t n = 0;
    hold_rows(&from, hold);
    int rc = wf_rows_open(txn, WF_TABLE_HELD, &from, sizeof(hold), &rows, err);
    if (rc < 0)
        return rc;
    while (n < most && (rc = wf_rows_next(&rows, &value, err)) == 0)
        n++;
    wf_rows_close(&rows);
    if (rc >= 0)
        *out = n;
    return rc < 0 ? rc : 0;
}

static int visit_item(void *context, const struct wf_rows *rows, struct wf_slice value,
                      struct wf_error *err)
{
    const struct visitor *v = context;
    struct wf_rec_queue item;
    if (rows->at.len != WF_HELD_BYTES || rows->at.bytes[WF_HELD_KIND_AT] != WF_HELD_ITEM)
        return 0;
    int rc = wf_txn_unpack(rows->table, WF_REC_queue, value, v->arena, &item, err);
    return rc < 0 ? rc : v->item(v->context, &item);
}

int wf_held_items_each(struct wf_txn *txn, struct wf_arena *arena,
                       int (*fn)(void *context, const struct wf_rec_queue *item), void *context,
                       struct wf_error *err)
{
    struct visitor v = {.arena = arena, .item = fn, .context = context};
    struct wf_key from;
    wf_key_start(&from);
    return wf_rows_each(txn, WF_TABLE_HELD, &from, 0, visit_item, &v, err);
}

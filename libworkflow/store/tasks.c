/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks by id, and their order: activity # | address # | visible | id. Who asks for any address
 * is given the one visible longest among the firsts of all addresses, so that none starves; that
 * costs one look per address at which tasks of the activity are open, and saves a second index row
 * per task. A task that a hold has put aside has its row among those, instead.
 */
#include <inttypes.h>

#include "store/txn.h"

#define ACTIVITY_BYTES 8
#define ADDRESS_BYTES  16 /* activity and address */
#define VISIBLE_AT     16
#define ID_AT          24
#define ORDER_BYTES    32

static void id_key(struct wf_key *key, uint64_t id)
{
    wf_key_start(key);
    wf_key_u64(key, id);
}

enum wf_table wf_task_place(struct wf_key *key, const struct wf_rec_task *task)
{
    if (task->held != 0) {
        wf_held_key(key, task->held, WF_HELD_TASK, task->service, task->visible, task->id);
        return WF_TABLE_HELD;
    }
    wf_key_start(key);
    wf_key_hashed(key, task->activity);
    wf_key_hashed(key, task->to);
    wf_key_time(key, task->visible);
    wf_key_u64(key, task->id);
    return WF_TABLE_TASK_ORDER;
}

static int put_order(struct wf_txn *txn, const struct wf_rec_task *task, struct wf_error *err)
{
    struct wf_key key;
    enum wf_table table = wf_task_place(&key, task);
    int rc = wf_txn_put(txn, table, &key, (struct wf_slice){0}, WF_PUT_SET, err);
    txn->counts.held_tasks += rc == 0 && task->held != 0;
    return rc;
}

static int del_order(struct wf_txn *txn, const struct wf_rec_task *task, struct wf_error *err)
{
    struct wf_key key;
    enum wf_table table = wf_task_place(&key, task);
    int rc = wf_txn_must_del(txn, table, &key, err);
    txn->counts.held_tasks -= rc == 0 && task->held != 0;
    return rc;
}

static int put_task(struct wf_txn *txn, const struct wf_rec_task *task, enum wf_put_mode mode,
                    struct wf_error *err)
{
    struct wf_key key;
    id_key(&key, task->id);
    return wf_txn_put_record(txn, WF_TABLE_TASKS, &key, WF_REC_task, task, mode, err);
}

static int64_t is_out(const struct wf_rec_task *task)
{
    return task->leased ? 1 : 0;
}

int wf_task_put_new(struct wf_txn *txn, struct wf_rec_task *task, struct wf_error *err)
{
    struct wf_rec_task row = *task;
    row.id = txn->counts.task_id + 1;
    if (task->token != 0 || task->service >= WF_SERVICE_COUNT)
        return wf_fail(err, WF_E_INTERNAL, "a new task has a token, or an unknown service");
    int rc = put_task(txn, &row, WF_PUT_APPEND, err);
    if (rc == 0)
        rc = put_order(txn, &row, err);
    if (rc < 0)
        return wf_wrap(err, "save a new task");
    txn->counts.task_id = row.id;
    txn->counts.tasks[row.service]++;
    txn->counts.leased[row.service] += is_out(&row);
    task->id = row.id;
    return 0;
}

int wf_task_get(struct wf_txn *txn, uint64_t id, struct wf_arena *arena, struct wf_rec_task *out,
                struct wf_error *err)
{
    struct wf_key key;
    id_key(&key, id);
    int rc = wf_txn_get_record(txn, WF_TABLE_TASKS, &key, WF_REC_task, arena, out, err);
    return rc < 0 ? wf_wrap(err, "task %" PRIu64, id) : rc;
}

static bool same_order(const struct wf_rec_task *a, const struct wf_rec_task *b)
{
    return a->visible == b->visible && a->held == b->held &&
           wf_str_equal(a->activity, b->activity) && wf_str_equal(a->to, b->to);
}

int wf_task_update(struct wf_txn *txn, const struct wf_rec_task *before,
                   const struct wf_rec_task *now, struct wf_error *err)
{
    if (before->id != now->id || before->service != now->service)
        return wf_fail(err, WF_E_INTERNAL, "a task changed its id or service");
    int rc = put_task(txn, now, WF_PUT_SET, err);
    if (rc == 0 && !same_order(before, now)) {
        rc = del_order(txn, before, err);
        if (rc == 0)
            rc = put_order(txn, now, err);
    }
    if (rc == 0)
        txn->counts.leased[now->service] += is_out(now) - is_out(before);
    return rc < 0 ? wf_wrap(err, "save task %" PRIu64, now->id) : 0;
}

int wf_task_del(struct wf_txn *txn, const struct wf_rec_task *task, struct wf_error *err)
{
    struct wf_key key;
    id_key(&key, task->id);
    int rc = wf_txn_del(txn, WF_TABLE_TASKS, &key, err);
    if (rc == 0)
        rc = del_order(txn, task, err);
    if (rc == 0) {
        txn->counts.tasks[task->service]--;
        txn->counts.leased[task->service] -= is_out(task);
    }
    return rc < 0 ? wf_wrap(err, "delete task %" PRIu64, task->id) : rc;
}

/* ---- the next one ---------------------------------------------------------------------------- */

struct search {
    struct wf_str activity, to;
    bool any_address;
    int64_t now_ms;
    const struct wf_rec_task *after; /* or NULL */
};

/* What is looked at is unpacked in the transaction's own arena: only what is found takes room in
 * the caller's. */
struct place {
    int64_t visible;
    uint64_t id;
};

/* Is the order key behind the task `after`, by time and id? */
static bool is_behind(const struct wf_key *at, const struct wf_rec_task *after)
{
    int64_t visible = wf_time_load(at->bytes + VISIBLE_AT);
    if (after == NULL || visible != after->visible)
        return after == NULL || visible > after->visible;
    return wf_u64_load(at->bytes + ID_AT) > after->id;
}

/* The key from which the tasks of one address, whose 16 bytes are given, come into question. */
static void start_in_address(struct wf_key *key, const struct wf_rec_task *after)
{
    key->len = ADDRESS_BYTES;
    wf_key_time(key, after != NULL ? after->visible : INT64_MIN);
    wf_key_u64(key, after != NULL ? after->id : 0);
}

static bool is_wanted(const struct wf_rec_task *task, const struct search *s)
{
    return wf_str_equal(task->activity, s->activity) &&
           (s->any_address || wf_str_equal(task->to, s->to));
}

/* First visible task of the address whose bytes *key starts with; WF_NONE where there is none. */
static int first_in_address(struct wf_txn *txn, struct wf_key *key, const struct search *s,
                            struct place *out, struct wf_error *err)
{
    struct wf_rows rows;
    struct wf_slice value;
    start_in_address(key, s->after);
    int rc = wf_rows_open(txn, WF_TABLE_TASK_ORDER, key, ADDRESS_BYTES, &rows, err);
    if (rc < 0)
        return rc;
    while ((rc = wf_rows_next(&rows, &value, err)) == 0) {
        struct wf_rec_task task;
        if (rows.at.len != ORDER_BYTES) {
            rc = wf_fail(err, WF_E_CORRUPT, "task_order: a key has a wrong length");
            break;
        }
        if (!is_behind(&rows.at, s->after))
            continue;
        const struct place at = {wf_time_load(rows.at.bytes + VISIBLE_AT),
                                 wf_u64_load(rows.at.bytes + ID_AT)};
        rc = WF_NONE;
        if (at.visible > s->now_ms)
            break;
        wf_arena_reset(txn->arena);
        rc = wf_task_get(txn, at.id, txn->arena, &task, err);
        if (rc == WF_NONE)
            rc = wf_fail(err, WF_E_CORRUPT, "task_order names a task that is missing");
        if (rc < 0)
            break;
        if (is_wanted(&task, s)) {
            *out = at;
            break;
        }
    }
    wf_rows_close(&rows);
    return rc;
}

static bool is_sooner(const struct place *a, const struct place *b)
{
    return a->visible != b->visible ? a->visible < b->visible : a->id < b->id;
}

/* The soonest of the firsts of all addresses. */
static int first_of_all(struct wf_txn *txn, const struct search *s, struct place *out,
                        struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    int found = WF_NONE;
    wf_key_start(&key);
    wf_key_hashed(&key, s->activity);
    for (;;) {
        struct place first;
        int rc = wf_txn_seek(txn, WF_TABLE_TASK_ORDER, &key, ACTIVITY_BYTES, &value, err);
        if (rc == 0 && key.len != ORDER_BYTES)
            rc = wf_fail(err, WF_E_CORRUPT, "task_order: a key has a wrong length");
        if (rc != 0)
            return rc < 0 ? rc : found;
        rc = first_in_address(txn, &key, s, &first, err);
        if (rc < 0)
            return rc;
        if (rc == 0 && (found == WF_NONE || is_sooner(&first, out))) {
            *out = first;
            found = 0;
        }
        key.len = ADDRESS_BYTES;
        if (!wf_key_after(&key) || key.len <= ACTIVITY_BYTES)
            return found;
    }
}

int wf_task_first(struct wf_txn *txn, struct wf_str activity, struct wf_str to, int64_t now_ms,
                  const struct wf_rec_task *after, struct wf_arena *arena, struct wf_rec_task *out,
                  struct wf_error *err)
{
    const struct search s = {activity, to, wf_str_is(to, "*"), now_ms, after};
    struct place found = {0};
    struct wf_key key;
    wf_key_start(&key);
    wf_key_hashed(&key, activity);
    wf_key_hashed(&key, to);
    int rc = s.any_address ? first_of_all(txn, &s, &found, err)
                           : first_in_address(txn, &key, &s, &found, err);
    return rc == 0 ? wf_task_get(txn, found.id, arena, out, err) : rc;
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct visitor {
    struct wf_arena *arena;
    int (*fn)(void *context, const struct wf_rec_task *task);
    void *context;
};

static int visit(void *context, const struct wf_rows *rows, struct wf_slice value,
                 struct wf_error *err)
{
    const struct visitor *v = context;
    struct wf_rec_task task;
    int rc = wf_txn_unpack(rows->table, WF_REC_task, value, v->arena, &task, err);
    return rc < 0 ? rc : v->fn(v->context, &task);
}

int wf_task_each(struct wf_txn *txn, struct wf_arena *arena,
                 int (*fn)(void *context, const struct wf_rec_task *task), void *context,
                 struct wf_error *err)
{
    struct visitor v = {arena, fn, context};
    struct wf_key from;
    id_key(&from, 0);
    return wf_rows_each(txn, WF_TABLE_TASKS, &from, 0, visit, &v, err);
}

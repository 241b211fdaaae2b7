/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks by id, and their order: activity # | role # | address # | visible | id. Who asks is given
 * the sooner of two: the first for the own role and the first for anyone; tasks of other roles are
 * never looked at, however many they are. Who asks for any address is given the one visible longest
 * among the firsts of all addresses, so that none starves; that costs one look per address at which
 * tasks for the role are open, and saves a second index row per task. A task that a hold has put
 * aside has its row among those, instead.
 */
#include <inttypes.h>

#include "store/txn.h"

#define ROLE_BYTES    16 /* activity and role */
#define ADDRESS_BYTES 24 /* and address */
#define VISIBLE_AT    24
#define ID_AT         32

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
    wf_key_hashed(key, task->role);
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

void wf_task_skip_ids(struct wf_txn *txn, uint64_t count)
{
    txn->counts.task_id += count;
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
           wf_str_equal(a->activity, b->activity) && wf_str_equal(a->role, b->role) &&
           wf_str_equal(a->to, b->to);
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
    struct wf_str activity, role, to;
    bool any_address;
    int64_t now_ms;
};

/* What is looked at is unpacked in the transaction's own arena: only what is found takes room in
 * the caller's. */
struct place {
    int64_t visible;
    uint64_t id;
};

static void keep_sooner(struct place *found, int *found_rc, const struct place *other)
{
    if (*found_rc == 0 && (found->visible < other->visible ||
                           (found->visible == other->visible && found->id < other->id)))
        return;
    *found = *other;
    *found_rc = 0;
}

static int check_length(const struct wf_key *at, struct wf_error *err)
{
    return at->len == WF_TASK_ORDER_BYTES
               ? 0
               : wf_fail(err, WF_E_CORRUPT, "task_order: a key has a wrong length");
}

/* Texts of the same hash lie side by side. */
static bool is_wanted(const struct wf_rec_task *task, const struct search *s)
{
    return wf_str_equal(task->activity, s->activity) && wf_str_equal(task->role, s->role) &&
           (s->any_address || wf_str_equal(task->to, s->to));
}

/* First visible task of the address whose bytes *key starts with; WF_NONE where there is none. */
static int first_in_address(struct wf_txn *txn, struct wf_key *key, const struct search *s,
                            struct place *out, struct wf_error *err)
{
    struct wf_rows rows;
    struct wf_slice value;
    key->len = ADDRESS_BYTES;
    int rc = wf_rows_open(txn, WF_TABLE_TASK_ORDER, key, ADDRESS_BYTES, &rows, err);
    if (rc < 0)
        return rc;
    while ((rc = wf_rows_next(&rows, &value, err)) == 0) {
        struct wf_rec_task task;
        rc = check_length(&rows.at, err);
        if (rc < 0)
            break;
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

/* The soonest of the firsts of all addresses; *key starts with activity and role. */
static int first_of_all(struct wf_txn *txn, struct wf_key *key, const struct search *s,
                        struct place *out, struct wf_error *err)
{
    struct wf_slice value;
    int found = WF_NONE;
    for (;;) {
        struct place first;
        int rc = wf_txn_seek(txn, WF_TABLE_TASK_ORDER, key, ROLE_BYTES, &value, err);
        if (rc == 0)
            rc = check_length(key, err);
        if (rc != 0)
            return rc < 0 ? rc : found;
        rc = first_in_address(txn, key, s, &first, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            keep_sooner(out, &found, &first);
        key->len = ADDRESS_BYTES;
        if (!wf_key_after(key) || key->len <= ROLE_BYTES)
            return found;
    }
}

static int first_of_role(struct wf_txn *txn, const struct search *s, struct place *out,
                         struct wf_error *err)
{
    struct wf_key key;
    wf_key_start(&key);
    wf_key_hashed(&key, s->activity);
    wf_key_hashed(&key, s->role);
    if (s->any_address)
        return first_of_all(txn, &key, s, out, err);
    wf_key_hashed(&key, s->to);
    return first_in_address(txn, &key, s, out, err);
}

int wf_task_first(struct wf_txn *txn, struct wf_str activity, struct wf_str to, struct wf_str role,
                  int64_t now_ms, struct wf_arena *arena, struct wf_rec_task *out,
                  struct wf_error *err)
{
    struct search s = {activity, wf_str(""), to, wf_str_is(to, "*"), now_ms};
    struct place found = {0};
    struct place own;
    int found_rc = first_of_role(txn, &s, &found, err);
    if (found_rc < 0)
        return found_rc;
    if (role.len > 0) {
        s.role = role;
        int rc = first_of_role(txn, &s, &own, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            keep_sooner(&found, &found_rc, &own);
    }
    return found_rc == 0 ? wf_task_get(txn, found.id, arena, out, err) : WF_NONE;
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

/* ---- upgrade --------------------------------------------------------------------------------- */

static int drop_order(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    int rc;
    do {
        wf_key_start(&key);
        wf_key_u8(&key, 0); /* two bytes: behind the row that keeps the page (create.c) */
        wf_key_u8(&key, 0);
        rc = wf_txn_seek(txn, WF_TABLE_TASK_ORDER, &key, 0, &value, err);
        if (rc == 0)
            rc = wf_txn_must_del(txn, WF_TABLE_TASK_ORDER, &key, err);
    } while (rc == 0);
    return rc == WF_NONE ? 0 : rc;
}

static int add_order(void *context, const struct wf_rows *rows, struct wf_slice value,
                     struct wf_error *err)
{
    struct wf_txn *txn = rows->txn;
    struct wf_rec_task task;
    struct wf_key key;
    (void)context;
    wf_arena_reset(txn->arena);
    int rc = wf_txn_unpack(WF_TABLE_TASKS, WF_REC_task, value, txn->arena, &task, err);
    if (rc < 0 || task.held != 0)
        return rc;
    enum wf_table table = wf_task_place(&key, &task);
    return wf_txn_put(txn, table, &key, (struct wf_slice){0}, WF_PUT_SET, err);
}

int wf_task_order_fill(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_key from;
    int rc = drop_order(txn, err);
    id_key(&from, 0);
    return rc == 0 ? wf_rows_each(txn, WF_TABLE_TASKS, &from, 0, add_order, NULL, err) : rc;
}

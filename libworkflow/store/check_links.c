/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row at a time: is it whole, does its key agree with its record, do the rows stand that it
 * names, and does what it belongs to name it back? All within the snapshot of one transaction, so
 * that a running cell raises no false alarm. Dossiers are named by number: a code may be damaged.
 */
#include <inttypes.h>

#include "store/check.h"

#define ID_BYTES     8
#define QUEUE_BYTES  17 /* service, due, seq */
#define KEEPER_BYTES 1

/* Entries of a dossier's `running` map, as engine/life.h names them. */
#define RUN_TASKS "t"

/* ---- small helps ----------------------------------------------------------------------------- */

uint64_t check_last_u64(const struct wf_key *key)
{
    return wf_u64_load(key->bytes + key->len - ID_BYTES);
}

void check_id_key(struct wf_key *key, uint64_t id)
{
    wf_key_start(key);
    wf_key_u64(key, id);
}

bool check_has_row(struct check *c, enum wf_table table, const struct wf_key *key)
{
    struct wf_slice value;
    return wf_txn_get(c->txn, table, key, &value, NULL) == 0;
}

static uint64_t hash_of(enum wf_table table, const struct wf_key *key)
{
    uint8_t bytes[WF_KEY_MAX + 1];
    memcpy(bytes, key->bytes, key->len);
    bytes[key->len] = (uint8_t)table;
    return wf_text_key((const char *)bytes, key->len + 1);
}

bool check_calls(struct check *c, enum wf_table table, const struct wf_key *key)
{
    if (!c->part.summed)
        return check_has_row(c, table, key);
    c->sum.links += hash_of(table, key);
    return true;
}

void check_stands(struct check *c, enum wf_table table, const struct wf_key *key, uint64_t times)
{
    if (c->part.summed)
        c->sum.links -= times * hash_of(table, key);
}

bool check_has_length(struct check *c, enum wf_table table, const struct wf_key *key, size_t length)
{
    if (key->len == length)
        return true;
    check_find(c, "keys", "%s: a key of %zu bytes", wf_table_names[table], key->len);
    return false;
}

/* Rows of an index are keys alone. */
void check_no_value(struct check *c, enum wf_table table, struct wf_slice value)
{
    if (value.len != 0)
        check_find(c, "keys", "%s: a row has a value of %zu bytes", wf_table_names[table],
                   value.len);
}

/* A row that is nobody's holds its own key. */
static bool is_keeper(struct check *c, enum wf_table table, const struct wf_key *key, uint8_t byte,
                      struct wf_slice value)
{
    if (key->len != KEEPER_BYTES || key->bytes[0] != byte)
        return false;
    if (value.len != KEEPER_BYTES || value.ptr[0] != byte)
        check_find(c, "keys", "%s: the row that keeps its page is damaged", wf_table_names[table]);
    return true;
}

bool check_dossier_of(struct check *c, enum wf_table table, uint64_t id, struct wf_rec_dossier *out,
                      int *out_rc)
{
    struct wf_error *err = c->err;
    int rc = wf_dossier_get(c->txn, id, c->arena, out, err);
    *out_rc = 0;
    if (rc == 0)
        return true;
    if (rc < 0)
        *out_rc = check_damage(c, rc, "dossiers");
    else
        check_find(c, "links", "%s: a row names dossier %" PRIu64 ", which is missing",
                   wf_table_names[table], id);
    return false;
}

int check_unpack(struct check *c, enum wf_table table, enum wf_record kind, struct wf_slice value,
                 void *out, bool *out_whole)
{
    int rc = wf_txn_unpack(table, kind, value, c->arena, out, c->err);
    *out_whole = rc == 0;
    return check_damage(c, rc, wf_table_names[table]);
}

int check_number(struct check *c, enum wf_table table, const struct wf_key *key, uint64_t *out)
{
    *out = 0;
    return check_damage(c, wf_txn_get_number(c->txn, table, key, out, c->err),
                        wf_table_names[table]);
}

/* ---- settings, numbers ----------------------------------------------------------------------- */

static int meta_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_str name = {(const char *)key->bytes, key->len};
    struct wf_rec_meta meta;
    struct wf_rec_counters counters;
    uint64_t format = 0;
    bool whole;
    if (wf_str_is(name, "meta"))
        return check_unpack(c, WF_TABLE_META, WF_REC_meta, value, &meta, &whole);
    if (wf_str_is(name, "counters"))
        return check_unpack(c, WF_TABLE_META, WF_REC_counters, value, &counters, &whole);
    if (wf_str_is(name, "format"))
        return check_number(c, WF_TABLE_META, key, &format);
    if (wf_str_is(name, "changes"))
        return check_changes_head(c, value);
    check_find(c, "keys", "meta: a row that nobody knows");
    return 0;
}

static int numbers_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    uint64_t number = 0;
    (void)value;
    return check_number(c, WF_TABLE_NUMBERS, key, &number);
}

static int tallies_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    uint64_t number = 0;
    (void)value;
    if (!wf_tally_is_key(key))
        check_find(c, "keys", "tallies: a key of no known kind");
    return check_number(c, WF_TABLE_TALLIES, key, &number);
}

static int cursors_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    uint64_t seq = 0;
    (void)value;
    int rc = check_number(c, WF_TABLE_CURSORS, key, &seq);
    if (rc == 0 && seq > wf_txn_counts(c->txn)->journal_seq)
        check_find(c, "links", "a subscriber's place lies behind the end of the journal");
    return rc;
}

/* ---- journal --------------------------------------------------------------------------------- */

static int journal_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_event event;
    struct wf_key row;
    c->sum.journal++;
    if (!check_has_length(c, WF_TABLE_JOURNAL, key, ID_BYTES) || check_last_u64(key) == 0)
        return 0;
    uint64_t seq = check_last_u64(key);
    bool is_next = seq > 1 && c->chain_seq == seq - 1;
    c->chain_seq = 0;
    int rc = wf_journal_row(c->txn, seq, value, is_next, c->chain_hash, c->arena, &event, c->err);
    if (rc != 0)
        return check_damage(c, rc, "journal");
    c->chain_seq = seq;
    check_id_key(&row, event.dossier);
    if (event.dossier != 0 && !check_calls(c, WF_TABLE_DOSSIERS, &row))
        check_find(c, "links", "journal event %" PRIu64 ": its dossier %" PRIu64 " is missing",
                   event.seq, event.dossier);
    wf_key_u64(&row, event.seq);
    if (!check_calls(c, WF_TABLE_HISTORY, &row))
        check_find(c, "history", "journal event %" PRIu64 " is missing in its dossier's history",
                   event.seq);
    return 0;
}

/* Every event has its row here (journal_row), and there are no more rows than events (totals): so
 * each row is that of its event, without a look at it. */
static int history_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    if (!check_has_length(c, WF_TABLE_HISTORY, key, 2 * ID_BYTES))
        return 0;
    check_no_value(c, WF_TABLE_HISTORY, value);
    check_stands(c, WF_TABLE_HISTORY, key, 1);
    if (check_last_u64(key) == 0 || check_last_u64(key) > wf_txn_counts(c->txn)->journal_seq)
        check_find(c, "history", "a row of dossier %" PRIu64 " names an event that is not there",
                   wf_u64_load(key->bytes));
    return 0;
}

/* ---- queues, tasks, timers -------------------------------------------------------------------- */

int check_item(struct check *c, enum wf_table table, const struct wf_key *key,
               const struct wf_rec_queue *item)
{
    struct wf_key row;
    if (item->seq != check_last_u64(key) || item->seq > wf_txn_counts(c->txn)->queue_seq ||
        item->service >= WF_SERVICE_COUNT)
        check_find(c, "keys", "%s: item %" PRIu64 " lies under a number not its own",
                   wf_table_names[table], item->seq);
    check_id_key(&row, item->dossier);
    if (item->dossier != 0 && !check_has_row(c, WF_TABLE_DOSSIERS, &row))
        check_find(c, "links", "%s: item %" PRIu64 ": its dossier %" PRIu64 " is missing",
                   wf_table_names[table], item->seq, item->dossier);
    return 0;
}

static int queues_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_queue item;
    bool whole;
    if (is_keeper(c, WF_TABLE_QUEUES, key, 0xff, value) ||
        !check_has_length(c, WF_TABLE_QUEUES, key, QUEUE_BYTES))
        return 0;
    c->sum.queued++;
    int rc = check_unpack(c, WF_TABLE_QUEUES, WF_REC_queue, value, &item, &whole);
    if (!whole)
        return rc;
    if (item.service != key->bytes[0] || item.due != wf_time_load(key->bytes + 1))
        check_find(c, "keys", "queues: item %" PRIu64 " lies in a wrong place", item.seq);
    return check_item(c, WF_TABLE_QUEUES, key, &item);
}

static int dead_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_queue item;
    bool whole;
    c->sum.dead++;
    if (!check_has_length(c, WF_TABLE_DEAD, key, ID_BYTES))
        return 0;
    int rc = check_unpack(c, WF_TABLE_DEAD, WF_REC_queue, value, &item, &whole);
    return whole ? check_item(c, WF_TABLE_DEAD, key, &item) : rc;
}

static bool names_task(const struct wf_rec_dossier *d, const struct wf_rec_task *task)
{
    const struct wf_value *ids = wf_map_get(wf_map_get_str(d->running, task->invoke), RUN_TASKS);
    for (size_t i = 0; i < wf_value_count(ids); i++) {
        if ((uint64_t)wf_value_int(wf_list_at(ids, i), 0) == task->id)
            return true;
    }
    return false;
}

static int tasks_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_dossier d;
    struct wf_rec_task task;
    struct wf_key order;
    bool whole;
    if (is_keeper(c, WF_TABLE_TASKS, key, 0, value) ||
        !check_has_length(c, WF_TABLE_TASKS, key, ID_BYTES))
        return 0;
    c->sum.tasks++;
    int rc = check_unpack(c, WF_TABLE_TASKS, WF_REC_task, value, &task, &whole);
    if (!whole)
        return rc;
    if (task.id != check_last_u64(key) || task.id > wf_txn_counts(c->txn)->task_id)
        check_find(c, "keys", "tasks: a record lies under a number not its own");
    enum wf_table table = wf_task_place(&order, &task);
    if (!check_has_row(c, table, &order))
        check_find(c, "index", "task %" PRIu64 " is missing in %s", task.id, wf_table_names[table]);
    if (check_dossier_of(c, WF_TABLE_TASKS, task.dossier, &d, &rc) && !names_task(&d, &task))
        check_find(c, "links", "task %" PRIu64 ": dossier %" PRIu64 " does not wait for it",
                   task.id, d.id);
    return rc;
}

static int task_order_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_task task;
    struct wf_key order;
    if (is_keeper(c, WF_TABLE_TASK_ORDER, key, 0, value) ||
        !check_has_length(c, WF_TABLE_TASK_ORDER, key, WF_TASK_ORDER_BYTES))
        return 0;
    check_no_value(c, WF_TABLE_TASK_ORDER, value);
    int rc = wf_task_get(c->txn, check_last_u64(key), c->arena, &task, c->err);
    if (rc < 0)
        return check_damage(c, rc, "tasks");
    if (rc == 0)
        (void)wf_task_place(&order, &task);
    if (rc == WF_NONE || order.len != key->len || memcmp(order.bytes, key->bytes, key->len) != 0)
        check_find(c, "index", "task_order: a row too many, of task %" PRIu64, check_last_u64(key));
    return 0;
}

static int timers_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_dossier d;
    struct wf_rec_timer timer;
    bool whole;
    if (is_keeper(c, WF_TABLE_TIMERS, key, 0xff, value) ||
        !check_has_length(c, WF_TABLE_TIMERS, key, QUEUE_BYTES))
        return 0;
    c->sum.timers++;
    int rc = check_unpack(c, WF_TABLE_TIMERS, WF_REC_timer, value, &timer, &whole);
    if (!whole || !check_dossier_of(c, WF_TABLE_TIMERS, timer.dossier, &d, &rc))
        return rc;
    const struct wf_value *armed = wf_map_get_str(d.timers, timer.id);
    if (key->bytes[0] >= WF_SERVICE_COUNT ||
        wf_value_int(wf_list_at(armed, 0), INT64_MIN) != wf_time_load(key->bytes + 1) ||
        (uint64_t)wf_value_int(wf_list_at(armed, 1), 0) != check_last_u64(key))
        check_find(c, "links", "timer %" PRIu64 ": dossier %" PRIu64 " does not wait for it",
                   check_last_u64(key), d.id);
    return rc;
}

/* ---- answers and definitions ------------------------------------------------------------------ */

static int requests_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_request request;
    bool whole;
    c->sum.requests++;
    if (memchr(key->bytes, '\0', key->len) == NULL)
        check_find(c, "keys", "requests: a key without a party");
    return check_unpack(c, WF_TABLE_REQUESTS, WF_REC_request, value, &request, &whole);
}

static int procedures_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_procedure procedure;
    struct wf_key want;
    bool whole;
    c->sum.procedures++;
    int rc = check_unpack(c, WF_TABLE_PROCEDURES, WF_REC_procedure, value, &procedure, &whole);
    if (!whole)
        return rc;
    wf_key_start(&want);
    wf_key_text(&want, procedure.code);
    wf_key_u8(&want, 0);
    wf_key_u64(&want, procedure.version);
    if (want.len != key->len || memcmp(want.bytes, key->bytes, key->len) != 0)
        check_find(c, "keys", "procedures: a version lies under a key not its own");
    return rc;
}

check_row_fn *const check_rows[WF_TABLE_COUNT] = {
    [WF_TABLE_META] = meta_row,
    [WF_TABLE_DOSSIERS] = check_dossiers_row,
    [WF_TABLE_CONTENTS] = check_contents_row,
    [WF_TABLE_CODES] = check_codes_row,
    [WF_TABLE_BY_PROCEDURE] = check_by_procedure_row,
    [WF_TABLE_BY_STATE] = check_by_state_row,
    [WF_TABLE_BY_SITE] = check_by_site_row,
    [WF_TABLE_BY_DUE] = check_by_due_row,
    [WF_TABLE_TALLIES] = tallies_row,
    [WF_TABLE_NUMBERS] = numbers_row,
    [WF_TABLE_JOURNAL] = journal_row,
    [WF_TABLE_HISTORY] = history_row,
    [WF_TABLE_CURSORS] = cursors_row,
    [WF_TABLE_QUEUES] = queues_row,
    [WF_TABLE_DEAD] = dead_row,
    [WF_TABLE_TASKS] = tasks_row,
    [WF_TABLE_TASK_ORDER] = task_order_row,
    [WF_TABLE_TIMERS] = timers_row,
    [WF_TABLE_REQUESTS] = requests_row,
    [WF_TABLE_PROCEDURES] = procedures_row,
    [WF_TABLE_PAPERS] = check_papers_row,
    [WF_TABLE_HOLDS] = check_holds_row,
    [WF_TABLE_HELD] = check_held_row,
    [WF_TABLE_CHANGES] = check_changes_row,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The store among several processes, killed ones too; damage; a replica; lack of memory. */
#include "support/test.h"

#include <lmdb.h>
#include <signal.h>

#include "base/fault.h"
#include "store/env.h"
#include "support/teststore.h"

#define ROUNDS     150
#define CHILD_FAIL 77

/* ---- one step of work, as a service would do it ---------------------------------------------- */

/* A dossier with a number, its event, an item and a task. Not for use after failing. */
static int work(struct wf_txn *txn, struct wf_error *err)
{
    uint64_t number = 0;
    uint64_t seq = 0;
    uint64_t timer_seq = 0;
    struct wf_value list = {.type = WF_LIST};
    struct wf_rec_dossier d = {.id = wf_dossier_new_id(txn),
                               .procedure = wf_str("p"),
                               .site = wf_str("s"),
                               .due = 100,
                               .states = &list};
    struct wf_rec_event event = {.dossier = d.id, .n = 1, .event = wf_str("submit")};
    struct wf_rec_queue item = {.service = WF_ROUTING, .dossier = d.id};
    struct wf_rec_task task = {.service = WF_ROUTING, .activity = wf_str("routing.handoff")};
    struct wf_rec_timer timer = {.dossier = d.id, .id = wf_str("overdue")};
    char code[32];
    int rc = wf_number_next(txn, wf_str("series"), 1000000, &number, err);
    (void)snprintf(code, sizeof(code), "C-%llu", (unsigned long long)number);
    d.code = wf_str(code);
    if (rc == 0)
        rc = wf_dossier_put(txn, NULL, &d, err);
    if (rc == 0)
        rc = wf_journal_append(txn, &event, &seq, err);
    if (rc == 0)
        rc = wf_queue_put(txn, &item, err);
    if (rc == 0)
        rc = wf_task_put_new(txn, &task, err);
    if (rc == 0)
        rc = wf_timer_put(txn, WF_ROUTING, 100, &timer, &timer_seq, err);
    return rc;
}

static int work_and_commit(struct wf_store *store, struct wf_error *err)
{
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(store, true, &txn, err);
    if (rc != 0)
        return rc;
    rc = work(txn, err);
    if (rc == 0)
        return wf_txn_commit(txn, err);
    wf_txn_abort(txn);
    return rc;
}

static int count_dossier(void *context, const struct wf_rec_dossier *dossier)
{
    size_t *n = context;
    *n += dossier->code.len > 0;
    return 0;
}

/* Every table and counter agrees that `n` steps of work were done. */
static void expect_works(struct teststore *t, uint64_t n)
{
    uint64_t checked = 0;
    size_t listed = 0;
    struct wf_dossier_filter due = {.due_before = 101};
    struct wf_txn *txn = teststore_begin(t, false);
    const struct wf_counts *c = wf_txn_counts(txn);
    assert_int_equal(c->dossier_id, n);
    assert_int_equal(c->journal_seq, n);
    assert_int_equal(c->open, n);
    assert_int_equal(c->queued[WF_ROUTING], n);
    assert_int_equal(c->tasks[WF_ROUTING], n);
    assert_int_equal(c->timers, n);
    assert_ok(wf_journal_verify(txn, 1, &checked, &t->err), t->err);
    assert_int_equal(checked, n);
    assert_ok(wf_dossier_each(txn, &due, t->arena, count_dossier, &listed, &t->err), t->err);
    assert_int_equal(listed, n);
    wf_txn_abort(txn);
}

/* ---- several processes ----------------------------------------------------------------------- */

static pid_t start_worker(const char *path, bool abort_some)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    struct wf_store *store = NULL;
    struct wf_txn *txn = NULL;
    int rc = wf_store_open(path, NULL, &store, NULL);
    for (int i = 0; i < ROUNDS && rc == 0; i++) {
        rc = work_and_commit(store, NULL);
        if (rc == 0 && abort_some && i % 3 == 0) {
            rc = wf_txn_begin(store, true, &txn, NULL);
            if (rc == 0 && work(txn, NULL) != 0)
                _exit(CHILD_FAIL);
            if (rc == 0)
                wf_txn_abort(txn);
        }
    }
    wf_store_close(store);
    _exit(rc == 0 ? 0 : CHILD_FAIL);
}

static void processes_writing_at_the_same_time_lose_nothing_and_repeat_no_number(void **state)
{
    (void)state;
    struct teststore t;
    pid_t child[3];
    uint64_t id = 0;
    char code[32];
    teststore_create(&t, NULL);
    for (int i = 0; i < 3; i++)
        child[i] = start_worker(t.path, i == 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wait_for_child(child[i]), 0);
    teststore_open(&t);
    expect_works(&t, 3 * ROUNDS);
    struct wf_txn *txn = teststore_begin(&t, false);
    for (unsigned i = 1; i <= 3 * ROUNDS; i++) {
        (void)snprintf(code, sizeof(code), "C-%u", i); /* a repeated number would be a conflict */
        assert_ok(wf_dossier_find(txn, wf_str(code), &id, &t.err), t.err);
    }
    wf_txn_abort(txn);
    teststore_fini(&t);
}

/* Opens after the other side has, works inside a transaction, tells so and waits to be killed. */
static pid_t start_victim(const char *path, int go, int ready, bool writes)
{
    char byte = 0;
    pid_t child = fork();
    if (child != 0)
        return child;
    struct wf_store *store = NULL;
    struct wf_txn *txn = NULL;
    if (read(go, &byte, 1) != 1 || wf_store_open(path, NULL, &store, NULL) != 0 ||
        wf_txn_begin(store, writes, &txn, NULL) != 0 || (writes && work(txn, NULL) != 0) ||
        write(ready, &byte, 1) != 1)
        _exit(CHILD_FAIL);
    (void)alarm(60); /* does not outlive a test that failed */
    for (;;)
        (void)pause();
}

struct victim {
    int go[2];
    int ready[2];
    pid_t pid;
};

static void victim_init(struct victim *v, const char *path, bool writes)
{
    assert_int_equal(pipe(v->go), 0);
    assert_int_equal(pipe(v->ready), 0);
    v->pid = start_victim(path, v->go[0], v->ready[1], writes);
}

static void victim_let_begin(struct victim *v)
{
    char byte = 0;
    assert_int_equal(write(v->go[1], &byte, 1), 1);
    assert_int_equal(read(v->ready[0], &byte, 1), 1);
}

static void victim_kill(struct victim *v)
{
    assert_int_equal(kill(v->pid, SIGKILL), 0);
    assert_int_equal(wait_for_child(v->pid), 1000 + SIGKILL);
    for (int i = 0; i < 2; i++) {
        (void)close(v->go[i]);
        (void)close(v->ready[i]);
    }
}

static void a_writer_killed_in_its_transaction_neither_blocks_nor_leaves_anything(void **state)
{
    (void)state;
    struct teststore t;
    struct victim victim;
    teststore_create(&t, NULL);
    victim_init(&victim, t.path, true);
    teststore_open(&t);
    assert_ok(work_and_commit(t.store, &t.err), t.err);
    victim_let_begin(&victim);
    victim_kill(&victim);
    assert_ok(work_and_commit(t.store, &t.err), t.err);
    expect_works(&t, 2);
    teststore_fini(&t);
}

static void the_slot_of_a_killed_reader_is_freed(void **state)
{
    (void)state;
    struct teststore t;
    struct victim victim;
    struct wf_store_space space;
    int cleared = -1;
    teststore_create(&t, NULL);
    victim_init(&victim, t.path, false);
    teststore_open(&t);
    victim_let_begin(&victim);
    victim_kill(&victim);
    assert_ok(wf_store_space(t.store, &space, &t.err), t.err);
    assert_int_equal(space.readers, 2);
    assert_ok(wf_store_clear_readers(t.store, &cleared, &t.err), t.err);
    assert_int_equal(cleared, 1);
    assert_ok(wf_store_space(t.store, &space, &t.err), t.err);
    assert_int_equal(space.readers, 1);
    teststore_fini(&t);
}

#if defined(WF_FAULT_INJECTION)
static void a_commit_is_all_or_nothing_wherever_the_process_dies(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int end;
        uint64_t works; /* after the one that is done before */
    } cases[] = {
        {"store.commit.before:1=kill", 1000 + SIGKILL, 0},
        {"store.commit.after:1=exit", 99, 1},
        {"store.put:9=kill", 1000 + SIGKILL, 0},
        {"store.put:9=full", 1, 0},
        {"store.commit.before:1=io", 1, 0},
        {"store.commit.after:1=io", 1, 1},
        {"store.begin:1=nomem", 1, 0},
        {"store.no_such_point:1=io", 98, 0},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct teststore t;
        teststore_create(&t, NULL);
        pid_t child = fork();
        if (child == 0) {
            struct wf_store *store = NULL;
            if (wf_store_open(t.path, NULL, &store, NULL) != 0 || work_and_commit(store, NULL) != 0)
                _exit(CHILD_FAIL);
            wf_fault_set(cases[i].spec);
            _exit(work_and_commit(store, NULL) < 0);
        }
        assert_int_equal(wait_for_child(child), cases[i].end);
        teststore_open(&t);
        expect_works(&t, 1 + cases[i].works);
        teststore_fini(&t);
    }
}
#endif

/* ---- damage ---------------------------------------------------------------------------------- */

enum damage { FLIP, CUT };

/* Changes or deletes the row with this key in a closed store, by LMDB alone. */
static void damage(const char *path, const char *table, uint64_t id, enum damage how)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    MDB_val value;
    uint8_t bytes[2000];
    struct wf_key key;
    wf_key_start(&key);
    wf_key_u64(&key, id);
    MDB_val k = wf_mdb_val(wf_key_slice(&key));
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 40), 0);
    assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
    assert_int_equal(mdb_get(txn, dbi, &k, &value), 0);
    assert_true(value.mv_size <= sizeof(bytes));
    memcpy(bytes, value.mv_data, value.mv_size);
    bytes[value.mv_size / 2] ^= 0x10;
    value.mv_data = bytes;
    if (how == FLIP)
        assert_int_equal(mdb_put(txn, dbi, &k, &value, 0), 0);
    else
        assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void store_with_works(struct teststore *t, int n)
{
    teststore_create(t, NULL);
    teststore_open(t);
    for (int i = 0; i < n; i++)
        assert_ok(work_and_commit(t->store, &t->err), t->err);
    teststore_close(t);
}

static void a_changed_or_missing_journal_event_is_named(void **state)
{
    (void)state;
    static const struct {
        uint64_t seq;
        enum damage how;
        const char *says;
    } cases[] = {
        {2, FLIP, "event 2"}, {2, CUT, "event 2"}, {4, CUT, "event 4"}, {1, CUT, "event 1"}};
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct teststore t;
        struct wf_rec_event event;
        uint64_t checked = 0;
        store_with_works(&t, 4);
        damage(t.path, "journal", cases[i].seq, cases[i].how);
        teststore_open(&t);
        struct wf_txn *txn = teststore_begin(&t, false);
        assert_int_equal(wf_journal_verify(txn, 1, &checked, &t.err), WF_E_CORRUPT);
        assert_non_null(strstr(t.err.text, cases[i].says));
        assert_int_equal(wf_journal_get(txn, cases[i].seq, t.arena, &event, NULL, &t.err),
                         WF_E_CORRUPT);
        wf_txn_abort(txn);
        teststore_fini(&t);
    }
}

static void a_damaged_record_is_never_handed_out(void **state)
{
    (void)state;
    struct teststore t;
    struct wf_rec_dossier dossier;
    struct wf_rec_task task;
    size_t listed = 0;
    const struct wf_dossier_filter by_site = {.site = wf_str("s")};
    store_with_works(&t, 3);
    damage(t.path, "dossiers", 2, FLIP);
    damage(t.path, "dossiers", 3, CUT);
    damage(t.path, "tasks", 1, FLIP);
    teststore_open(&t);
    struct wf_txn *txn = teststore_begin(&t, false);
    assert_ok(wf_dossier_get(txn, 1, t.arena, &dossier, &t.err), t.err);
    assert_int_equal(wf_dossier_get(txn, 2, t.arena, &dossier, &t.err), WF_E_CORRUPT);
    assert_non_null(strstr(t.err.text, "dossier 2"));
    assert_int_equal(wf_dossier_each(txn, &by_site, t.arena, count_dossier, &listed, &t.err),
                     WF_E_CORRUPT);
    assert_int_equal(listed, 1);
    const struct wf_dossier_filter lost = {.site = wf_str("s"), .after = 2};
    assert_int_equal(wf_dossier_each(txn, &lost, t.arena, count_dossier, &listed, &t.err),
                     WF_E_CORRUPT);
    assert_non_null(strstr(t.err.text, "missing"));
    assert_int_equal(wf_task_first(txn, wf_str("routing.handoff"), wf_str(""), wf_str(""), 0,
                                   t.arena, &task, &t.err),
                     WF_E_CORRUPT);
    wf_txn_abort(txn);
    teststore_fini(&t);
}

static void a_damaged_number_is_never_handed_out(void **state)
{
    (void)state;
    struct teststore t;
    uint64_t seq = 0;
    const struct wf_str name = {"\0\0\0\0\0\0\0\5", 8};
    teststore_create(&t, NULL);
    teststore_open(&t);
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_ok(wf_cursor_put(txn, name, 1234, &t.err), t.err);
    teststore_commit(&t, txn);
    teststore_close(&t);
    damage(t.path, "cursors", 5, FLIP);
    teststore_open(&t);
    txn = teststore_begin(&t, false);
    assert_int_equal(wf_cursor_get(txn, name, &seq, &t.err), WF_E_CORRUPT);
    assert_int_equal(seq, 0);
    wf_txn_abort(txn);
    teststore_fini(&t);
}

/* ---- one stream of changes ------------------------------------------------------------------- */

static struct wf_txn *replica; /* open write transaction of the other store */

static struct wf_key whole_key(struct wf_slice bytes)
{
    struct wf_key key;
    wf_key_start(&key);
    wf_key_bytes(&key, bytes.ptr, bytes.len);
    return key;
}

static int put_both(struct wf_txn *txn, enum wf_table table, struct wf_slice key,
                    struct wf_slice value, enum wf_put_mode mode, struct wf_error *err)
{
    struct wf_key copy = whole_key(key);
    int rc = wf_lmdb_writes.put(txn, table, key, value, mode, err);
    return rc != 0 ? rc : wf_txn_put(replica, table, &copy, value, mode, err);
}

static int del_both(struct wf_txn *txn, enum wf_table table, struct wf_slice key,
                    struct wf_error *err)
{
    struct wf_key copy = whole_key(key);
    int rc = wf_lmdb_writes.del(txn, table, key, err);
    return rc != 0 ? rc : wf_txn_del(replica, table, &copy, err);
}

static const struct wf_writes both = {put_both, del_both};

static void expect_same_tables(struct teststore *a, struct teststore *b)
{
    struct wf_txn *left = teststore_begin(a, false);
    struct wf_txn *right = teststore_begin(b, false);
    for (unsigned i = WF_TABLE_META + 1; i < WF_TABLE_COUNT; i++) {
        struct wf_rows rows[2];
        struct wf_slice value[2];
        struct wf_key from;
        int rc = 0;
        wf_key_start(&from);
        assert_ok(wf_rows_open(left, (enum wf_table)i, &from, 0, &rows[0], &a->err), a->err);
        assert_ok(wf_rows_open(right, (enum wf_table)i, &from, 0, &rows[1], &b->err), b->err);
        while ((rc = wf_rows_next(&rows[0], &value[0], &a->err)) == 0) {
            assert_int_equal(wf_rows_next(&rows[1], &value[1], &b->err), 0);
            assert_int_equal(rows[0].at.len, rows[1].at.len);
            assert_memory_equal(rows[0].at.bytes, rows[1].at.bytes, rows[0].at.len);
            assert_int_equal(value[0].len, value[1].len);
            assert_memory_equal(value[0].ptr, value[1].ptr, value[0].len);
        }
        assert_int_equal(rc, WF_NONE);
        assert_int_equal(wf_rows_next(&rows[1], &value[1], &b->err), WF_NONE);
        wf_rows_close(&rows[0]);
        wf_rows_close(&rows[1]);
    }
    wf_txn_abort(left);
    wf_txn_abort(right);
}

static void the_stream_of_changes_makes_a_second_store_that_is_the_same(void **state)
{
    (void)state;
    struct teststore a;
    struct teststore b;
    struct wf_rec_queue item;
    teststore_create(&a, NULL);
    teststore_create(&b, NULL);
    teststore_open(&a);
    teststore_open(&b);
    wf_store_set_writes(a.store, &both);
    for (int i = 0; i < 20; i++) {
        replica = teststore_begin(&b, true);
        struct wf_txn *txn = teststore_begin(&a, true);
        assert_ok(work(txn, &a.err), a.err);
        if (i % 4 == 0) {
            assert_ok(wf_queue_first(txn, WF_ROUTING, 0, a.arena, &item, &a.err), a.err);
            assert_ok(wf_queue_del(txn, &item, &a.err), a.err);
        }
        teststore_commit(&a, txn);
        teststore_commit(&b, replica);
    }
    expect_same_tables(&a, &b);
    struct wf_txn *txn = teststore_begin(&b, false);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_ROUTING], 15); /* the counters went over too */
    assert_int_equal(wf_txn_counts(txn)->journal_seq, 20);
    wf_txn_abort(txn);
    teststore_fini(&a);
    teststore_fini(&b);
}

static void rows_written_during_a_scan_do_not_confuse_it(void **state)
{
    (void)state;
    struct teststore t;
    struct wf_rows rows;
    struct wf_slice value;
    struct wf_key key;
    unsigned seen = 0;
    teststore_create(&t, NULL);
    teststore_open(&t);
    struct wf_txn *txn = teststore_begin(&t, true);
    for (unsigned i = 0; i < 1000; i++) {
        wf_key_start(&key);
        wf_key_u64(&key, i);
        assert_ok(wf_txn_put_number(txn, WF_TABLE_CURSORS, &key, i, WF_PUT_SET, &t.err), t.err);
    }
    wf_key_start(&key);
    assert_ok(wf_rows_open(txn, WF_TABLE_CURSORS, &key, 0, &rows, &t.err), t.err);
    while (wf_rows_next(&rows, &value, &t.err) == 0) {
        assert_int_equal(wf_u64_load(value.ptr), seen);
        key = rows.at;
        if (seen % 3 != 0) /* the row under the cursor, and now and then its whole page */
            assert_ok(wf_txn_del(txn, WF_TABLE_CURSORS, &key, &t.err), t.err);
        seen++;
    }
    wf_rows_close(&rows);
    assert_int_equal(seen, 1000);
    wf_txn_abort(txn);
    teststore_fini(&t);
}

/* ---- lack of memory -------------------------------------------------------------------------- */

static void each_failing_allocation_gives_nomem_and_nothing_half_done(void **state)
{
    (void)state;
    struct teststore t;
    int rc = WF_E_NOMEM;
    unsigned long n = 0;
    teststore_create(&t, NULL);
    while (rc != 0) {
        assert_true(++n < 1000);
        wf_alloc_fail_at(n, 1);
        rc = wf_store_open(t.path, NULL, &t.store, &t.err);
        if (rc == 0)
            rc = work_and_commit(t.store, &t.err);
        wf_alloc_fail_at(0, 0);
        if (rc != 0)
            assert_int_equal(rc, WF_E_NOMEM);
        teststore_close(&t);
    }
    assert_true(n > 5);
    teststore_open(&t);
    expect_works(&t, 1);
    teststore_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_writing_at_the_same_time_lose_nothing_and_repeat_no_number),
        cmocka_unit_test(a_writer_killed_in_its_transaction_neither_blocks_nor_leaves_anything),
        cmocka_unit_test(the_slot_of_a_killed_reader_is_freed),
#if defined(WF_FAULT_INJECTION)
        cmocka_unit_test(a_commit_is_all_or_nothing_wherever_the_process_dies),
#endif
        cmocka_unit_test(a_changed_or_missing_journal_event_is_named),
        cmocka_unit_test(a_damaged_record_is_never_handed_out),
        cmocka_unit_test(a_damaged_number_is_never_handed_out),
        cmocka_unit_test(the_stream_of_changes_makes_a_second_store_that_is_the_same),
        cmocka_unit_test(rows_written_during_a_scan_do_not_confuse_it),
        cmocka_unit_test(each_failing_allocation_gives_nomem_and_nothing_half_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

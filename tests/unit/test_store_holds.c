/* SPDX-License-Identifier: Apache-2.0 */
/* Holds in the store: what is put aside, goes back to its place, and is found when it is lost. */
#include "support/test.h"

#include "store/txn.h"
#include "support/teststore.h"

#define ITEMS 6

static struct teststore t;

/* A dossier with queue items, timers and a task, and a hold over its procedure. */
static int set_up(void **state)
{
    struct wf_rec_hold hold = {.kind = WF_HOLD_PROCEDURE, .name = wf_str("p")};
    struct wf_rec_task task = {.service = WF_RETURN,
                               .dossier = 1,
                               .activity = wf_str("return.deliver"),
                               .invoke = wf_str("deliver"),
                               .to = wf_str("s")};
    (void)state;
    teststore_create(&t, NULL);
    teststore_open(&t);
    struct wf_txn *txn = teststore_begin(&t, true);
    struct wf_value *running = wf_map(t.arena);
    struct wf_value *timers = wf_map(t.arena);
    const uint64_t id = wf_dossier_new_id(txn);
    const struct wf_rec_event event = {.dossier = id, .n = 1, .event = wf_str("submit")};
    const struct wf_rec_content content = {.by = wf_str("x")};
    uint64_t seq = 0;
    assert_ok(wf_journal_append(txn, &event, &seq, &t.err), t.err);
    assert_ok(wf_content_put(txn, id, &content, &t.err), t.err);
    assert_ok(wf_hold_put(txn, NULL, &hold, &t.err), t.err);
    for (int64_t i = 0; i < ITEMS; i++) {
        struct wf_rec_queue item = {.service = WF_RETURN, .dossier = id, .due = 100 - i};
        struct wf_rec_timer timer = {.dossier = id, .data = &wf_null};
        struct wf_value *entry = wf_map(t.arena);
        struct wf_value *armed = wf_list(t.arena);
        const char *name = wf_arena_printf(t.arena, "work-%lld", (long long)i);
        item.attempts = i == 0;
        timer.id = item.id = wf_str(name);
        assert_ok(wf_queue_put(txn, &item, &t.err), t.err);
        assert_ok(wf_timer_put(txn, WF_ROUTING, 50 + i, &timer, &seq, &t.err), t.err);
        (void)wf_map_put(t.arena, entry, "q", wf_int(t.arena, (int64_t)item.seq));
        (void)wf_map_put(t.arena, running, name, entry);
        (void)wf_list_add(t.arena, armed, wf_int(t.arena, 50 + i));
        (void)wf_list_add(t.arena, armed, wf_int(t.arena, (int64_t)seq));
        (void)wf_map_put(t.arena, timers, name, armed);
    }
    assert_ok(wf_task_put_new(txn, &task, &t.err), t.err);
    struct wf_value *entry = wf_map(t.arena);
    struct wf_value *tasks = wf_list(t.arena);
    (void)wf_list_add(t.arena, tasks, wf_int(t.arena, (int64_t)task.id));
    (void)wf_map_put(t.arena, entry, "t", tasks);
    (void)wf_map_put(t.arena, running, "deliver", entry);
    const struct wf_rec_dossier d = {.id = id,
                                     .events = 1,
                                     .code = wf_str("C-1"),
                                     .procedure = wf_str("p"),
                                     .site = wf_str("s"),
                                     .states = wf_list(t.arena),
                                     .running = running,
                                     .timers = timers};
    assert_ok(wf_dossier_put(txn, NULL, &d, &t.err), t.err);
    teststore_commit(&t, txn);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    teststore_fini(&t);
    return 0;
}

static void put_all_aside(struct wf_txn *txn)
{
    struct wf_rec_queue item;
    struct wf_rec_timer timer;
    struct wf_rec_task task;
    int64_t due = 0;
    uint64_t seq = 0;
    while (wf_queue_first(txn, WF_RETURN, 1000, t.arena, &item, &t.err) == 0)
        assert_ok(wf_queue_hold(txn, &item, 1, &t.err), t.err);
    while (wf_timer_first(txn, WF_ROUTING, 1000, t.arena, &timer, &due, &seq, &t.err) == 0)
        assert_ok(wf_timer_hold(txn, WF_ROUTING, due, seq, &timer, 1, &t.err), t.err);
    assert_ok(wf_task_get(txn, 1, t.arena, &task, &t.err), t.err);
    struct wf_rec_task aside = task;
    aside.held = 1;
    assert_ok(wf_task_update(txn, &task, &aside, &t.err), t.err);
}

static void found(void *context, const char *name, const char *text)
{
    char *names = context;
    size_t length = strlen(names);
    assert_true(text[0] != '\0');
    (void)snprintf(names + length, 1000 - length, "%s ", name);
}

static void check(char names[1000])
{
    struct wf_check sum;
    names[0] = '\0';
    assert_ok(wf_store_check(t.store, found, names, &sum, &t.err), t.err);
}

static void assert_sound(void)
{
    char names[1000];
    check(names);
    assert_string_equal(names, "");
}

/* The first row of the kind gets other bytes; of a task, its record. */
static void damage_first(struct wf_txn *txn, enum wf_held_kind kind)
{
    struct wf_key key;
    struct wf_slice value;
    uint8_t bytes[4000];
    enum wf_table table = kind == WF_HELD_TASK ? WF_TABLE_TASKS : WF_TABLE_HELD;
    wf_key_start(&key);
    wf_key_u64(&key, 1);
    if (kind != WF_HELD_TASK)
        wf_key_u8(&key, kind);
    assert_ok(wf_txn_seek(txn, table, &key, key.len, &value, &t.err), t.err);
    assert_true(value.len > 12 && value.len <= sizeof(bytes));
    memcpy(bytes, value.ptr, value.len);
    bytes[12] ^= 1;
    assert_ok(wf_txn_put(txn, table, &key, (struct wf_slice){bytes, value.len}, WF_PUT_SET, &t.err),
              t.err);
}

static void a_damaged_row_is_passed_over_and_the_others_go_back(void **state)
{
    (void)state;
    char names[1000];
    size_t moved = 0;
    size_t damaged = 0;
    struct wf_txn *txn = teststore_begin(&t, true);
    put_all_aside(txn);
    damage_first(txn, WF_HELD_ITEM);
    damage_first(txn, WF_HELD_TIMER);
    damage_first(txn, WF_HELD_TASK);
    teststore_commit(&t, txn);

    txn = teststore_begin(&t, true);
    assert_ok(wf_hold_move_back(txn, 1, 3, &moved, &damaged, &t.err), t.err);
    assert_int_equal(moved, 3);
    assert_ok(wf_hold_move_back(txn, 1, 100, &moved, &damaged, &t.err), t.err);
    assert_int_equal(moved, 2 * (ITEMS - 1) - 3);
    assert_int_equal(damaged, 3);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_RETURN], ITEMS - 1);
    assert_int_equal(wf_txn_counts(txn)->held[WF_RETURN], 1);
    teststore_commit(&t, txn);
    check(names);
    assert_non_null(strstr(names, "held"));
    assert_non_null(strstr(names, "tasks"));
}

static void what_is_put_aside_is_met_no_more_and_goes_back_in_order(void **state)
{
    (void)state;
    struct wf_rec_queue item;
    struct wf_rec_task task;
    size_t moved = 0;
    size_t damaged = 0;
    size_t n = 0;
    struct wf_txn *txn = teststore_begin(&t, true);
    put_all_aside(txn);
    const struct wf_counts *counts = wf_txn_counts(txn);
    assert_int_equal(counts->held[WF_RETURN], ITEMS);
    assert_int_equal(counts->queued[WF_RETURN] + counts->retrying[WF_RETURN], 0);
    assert_int_equal(counts->held_timers, ITEMS);
    assert_int_equal(counts->held_tasks, 1);
    assert_int_equal(counts->tasks[WF_RETURN], 1);
    assert_int_equal(wf_task_first(txn, wf_str("return.deliver"), wf_str("*"), wf_str(""), 1000,
                                   t.arena, &task, &t.err),
                     WF_NONE);
    assert_ok(wf_hold_count(txn, 1, 100, &n, &t.err), t.err);
    assert_int_equal(n, 2 * ITEMS + 1);
    teststore_commit(&t, txn);
    assert_sound();

    txn = teststore_begin(&t, true);
    assert_ok(wf_hold_move_back(txn, 1, 2, &moved, &damaged, &t.err), t.err);
    assert_int_equal(moved, 2);
    assert_ok(wf_queue_first(txn, WF_RETURN, 1000, t.arena, &item, &t.err), t.err);
    assert_int_equal(item.due, 100 - ITEMS + 1); /* the soonest first */
    teststore_commit(&t, txn);
    assert_sound();

    txn = teststore_begin(&t, true);
    assert_ok(wf_hold_move_back(txn, 1, 100, &moved, &damaged, &t.err), t.err);
    assert_int_equal(moved, 2 * ITEMS - 1);
    counts = wf_txn_counts(txn);
    assert_int_equal(counts->queued[WF_RETURN], ITEMS);
    assert_int_equal(counts->retrying[WF_RETURN], 1);
    assert_int_equal(counts->timers, ITEMS);
    assert_int_equal(counts->held[WF_RETURN] + (int64_t)counts->held_timers, 0);
    assert_ok(wf_task_first(txn, wf_str("return.deliver"), wf_str("*"), wf_str(""), 1000, t.arena,
                            &task, &t.err),
              t.err);
    teststore_commit(&t, txn);
    assert_sound();
}

static void a_hold_is_there_once_and_counted(void **state)
{
    (void)state;
    struct wf_rec_hold twice = {.kind = WF_HOLD_PROCEDURE, .name = wf_str("p")};
    struct wf_rec_hold hold;
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_int_equal(wf_hold_put(txn, NULL, &twice, &t.err), WF_E_CONFLICT);
    assert_ok(wf_hold_get(txn, WF_HOLD_PROCEDURE, 0, wf_str("p"), t.arena, &hold, &t.err), t.err);
    struct wf_rec_hold released = hold;
    released.released = 5;
    assert_ok(wf_hold_put(txn, &hold, &released, &t.err), t.err);
    assert_int_equal(released.id, hold.id);
    assert_int_equal(wf_txn_counts(txn)->holds, 0);
    assert_int_equal(wf_txn_counts(txn)->releasing, 1);
    assert_ok(wf_hold_del(txn, &released, &t.err), t.err);
    assert_int_equal(wf_txn_counts(txn)->releasing, 0);
    assert_int_equal(wf_hold_get(txn, WF_HOLD_PROCEDURE, 0, wf_str("p"), t.arena, &hold, &t.err),
                     WF_NONE);
    teststore_commit(&t, txn);
    assert_sound();
}

/* Deletes the first row of the table at or behind this kind of row. */
static void lose_row(enum wf_table table, const struct wf_key *from)
{
    struct wf_txn *txn = teststore_begin(&t, true);
    struct wf_slice value;
    struct wf_key key = *from;
    assert_ok(wf_txn_seek(txn, table, &key, 0, &value, &t.err), t.err);
    assert_ok(wf_txn_del(txn, table, &key, &t.err), t.err);
    teststore_commit(&t, txn);
}

static void every_lost_row_is_missed(void **state)
{
    static const struct {
        enum wf_table table;
        enum wf_held_kind kind;
        const char *name;
    } rows[] = {
        {WF_TABLE_HELD, WF_HELD_ITEM, "links"},  {WF_TABLE_HELD, WF_HELD_TIMER, "counters"},
        {WF_TABLE_HELD, WF_HELD_TASK, "index"},  {WF_TABLE_HOLDS, WF_HELD_ITEM, "links"},
        {WF_TABLE_TASKS, WF_HELD_TASK, "links"},
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        char names[1000];
        struct wf_key from;
        struct wf_txn *txn = teststore_begin(&t, true);
        put_all_aside(txn);
        teststore_commit(&t, txn);
        wf_held_key(&from, 1, rows[i].kind, 0, INT64_MIN, 0);
        if (rows[i].table != WF_TABLE_HELD) {
            wf_key_start(&from);
            wf_key_u8(&from, 0);
            wf_key_u8(&from, 0);
        }
        lose_row(rows[i].table, &from);
        check(names);
        if (strstr(names, rows[i].name) == NULL || strstr(names, "counters") == NULL)
            fail_msg("row %zu: %s is not among: %s", i, rows[i].name, names);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_aside_is_met_no_more_and_goes_back_in_order,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_row_is_passed_over_and_the_others_go_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hold_is_there_once_and_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_lost_row_is_missed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

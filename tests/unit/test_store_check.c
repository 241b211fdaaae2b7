/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a store: a whole one passes; each broken link, row and total is named. */
#include "support/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/txn.h"
#include "support/teststore.h"

#define DOSSIERS 700 /* more than one part of the walk */

static struct teststore t;

/* ---- a store as the engine would leave it ---------------------------------------------------- */

static const struct wf_value *list_of(struct wf_arena *arena, int64_t a, int64_t b)
{
    struct wf_value *list = wf_list(arena);
    (void)wf_list_add(arena, list, wf_int(arena, a));
    if (b != 0)
        (void)wf_list_add(arena, list, wf_int(arena, b));
    return list;
}

static void add_dossier(struct wf_txn *txn, struct wf_arena *arena)
{
    uint64_t id = wf_dossier_new_id(txn);
    uint64_t seq = 0;
    const int64_t due = wf_real_ms() + 1000000;
    struct wf_value *states = wf_list(arena);
    struct wf_value *entry = wf_map(arena);
    struct wf_value *running = wf_map(arena);
    struct wf_value *timers = wf_map(arena);
    struct wf_rec_task task = {.service = WF_VERIFICATION,
                               .dossier = id,
                               .activity = wf_str("verification.review"),
                               .invoke = wf_str("review"),
                               .to = wf_str("s")};
    struct wf_rec_queue item = {.service = WF_ROUTING, .dossier = id, .id = wf_str("handoff")};
    const struct wf_rec_timer timer = {.dossier = id, .id = wf_str("late"), .data = &wf_null};
    const struct wf_rec_event event = {.dossier = id, .n = 1, .event = wf_str("submit")};
    const struct wf_rec_content content = {.by = wf_str("x")};
    assert_ok(wf_journal_append(txn, &event, &seq, &t.err), t.err);
    assert_ok(wf_task_put_new(txn, &task, &t.err), t.err);
    assert_ok(wf_queue_put(txn, &item, &t.err), t.err);
    assert_ok(wf_timer_put(txn, WF_ROUTING, due, &timer, &seq, &t.err), t.err);
    assert_ok(wf_content_put(txn, id, &content, &t.err), t.err);

    (void)wf_list_add(arena, states, wf_text(arena, "examine"));
    (void)wf_map_put(arena, entry, "t", list_of(arena, (int64_t)task.id, 0));
    (void)wf_map_put(arena, running, "review", entry);
    entry = wf_map(arena);
    (void)wf_map_put(arena, entry, "q", wf_int(arena, (int64_t)item.seq));
    (void)wf_map_put(arena, running, "handoff", entry);
    (void)wf_map_put(arena, timers, "late", list_of(arena, due, (int64_t)seq));
    const struct wf_rec_dossier d = {
        .id = id,
        .events = 1,
        .code = wf_str(wf_arena_printf(arena, "C-%llu", (unsigned long long)id)),
        .procedure = wf_str("p"),
        .site = wf_str("s"),
        .due = due,
        .states = states,
        .running = running,
        .timers = timers};
    assert_ok(wf_dossier_put(txn, NULL, &d, &t.err), t.err);
}

static int set_up(void **state)
{
    (void)state;
    teststore_create(&t, NULL);
    teststore_open(&t);
    struct wf_txn *txn = teststore_begin(&t, true);
    for (int i = 0; i < DOSSIERS; i++) {
        add_dossier(txn, t.arena);
        wf_arena_reset(t.arena);
    }
    teststore_commit(&t, txn);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    teststore_fini(&t);
    return 0;
}

/* ---- what was found -------------------------------------------------------------------------- */

struct seen {
    char names[2000]; /* each with a blank behind it */
    unsigned n;
};

static void note(void *context, const char *name, const char *text)
{
    struct seen *seen = context;
    size_t length = strlen(seen->names);
    assert_true(text[0] != '\0');
    (void)snprintf(seen->names + length, sizeof(seen->names) - length, "%s ", name);
    seen->n++;
}

static struct wf_check check(struct seen *seen)
{
    struct wf_check sum = {0};
    memset(seen, 0, sizeof(*seen));
    assert_ok(wf_store_check(t.store, note, seen, &sum, &t.err), t.err);
    assert_true(sum.findings >= seen->n);
    return sum;
}

/* All parts, one after the other. */
static struct wf_check check_in_parts(unsigned of, struct seen *seen)
{
    struct wf_check all = {.was_quiet = true};
    memset(seen, 0, sizeof(*seen));
    for (unsigned i = 0; i < of; i++) {
        struct wf_check sum = {0};
        const struct wf_check_part part = {.number = i, .of = of};
        assert_ok(wf_store_check_part(t.store, part, note, seen, &sum, &t.err), t.err);
        all.journal += sum.journal;
        all.dossiers += sum.dossiers;
        all.tasks += sum.tasks;
        all.rows += sum.rows;
        all.findings += sum.findings;
        all.was_quiet = all.was_quiet && sum.was_quiet;
    }
    return all;
}

static void assert_finds(const char *name)
{
    struct seen seen;
    (void)check(&seen);
    if (strstr(seen.names, name) == NULL)
        fail_msg("%s is not among: %s", name, seen.names);
}

/* Deletes the first row of the table whose key is longer than that of a keeper. */
static void lose_row(enum wf_table table)
{
    struct wf_txn *txn = teststore_begin(&t, true);
    struct wf_slice value;
    struct wf_key key;
    wf_key_start(&key);
    wf_key_u8(&key, 0);
    wf_key_u8(&key, 0);
    assert_ok(wf_txn_seek(txn, table, &key, 0, &value, &t.err), t.err);
    assert_ok(wf_txn_del(txn, table, &key, &t.err), t.err);
    teststore_commit(&t, txn);
}

static void put_raw(enum wf_table table, const char *key_text, const char *value)
{
    struct wf_txn *txn = teststore_begin(&t, true);
    struct wf_key key;
    wf_key_start(&key);
    wf_key_text(&key, wf_str(key_text));
    assert_ok(wf_txn_put(txn, table, &key, (struct wf_slice){(const uint8_t *)value, strlen(value)},
                         WF_PUT_SET, &t.err),
              t.err);
    teststore_commit(&t, txn);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void a_whole_store_passes(void **state)
{
    struct seen seen;
    (void)state;
    struct wf_check sum = check(&seen);
    assert_string_equal(seen.names, "");
    assert_int_equal(sum.dossiers, DOSSIERS);
    assert_int_equal(sum.journal, DOSSIERS);
    assert_int_equal(sum.tasks, DOSSIERS);
    assert_int_equal(sum.queued, DOSSIERS);
    assert_int_equal(sum.timers, DOSSIERS);
    assert_true(sum.was_quiet);
}

static void every_lost_row_is_missed(void **state)
{
    static const struct {
        enum wf_table table;
        const char *name;
    } rows[] = {
        {WF_TABLE_DOSSIERS, "links"},  {WF_TABLE_CONTENTS, "links"},
        {WF_TABLE_CODES, "index"},     {WF_TABLE_BY_PROCEDURE, "index"},
        {WF_TABLE_BY_STATE, "index"},  {WF_TABLE_BY_SITE, "index"},
        {WF_TABLE_BY_DUE, "index"},    {WF_TABLE_JOURNAL, "journal"},
        {WF_TABLE_HISTORY, "history"}, {WF_TABLE_QUEUES, "links"},
        {WF_TABLE_TASKS, "links"},     {WF_TABLE_TASK_ORDER, "index"},
        {WF_TABLE_TIMERS, "links"},    {WF_TABLE_TALLIES, "tallies"},
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        lose_row(rows[i].table);
        assert_finds(rows[i].name);
        struct seen seen;
        (void)check_in_parts(2 + (unsigned)i % 3, &seen);
        assert_non_null(strstr(seen.names, rows[i].name));
        (void)tear_down(state);
        (void)set_up(state);
    }
}

/* The journal alone is cut into pieces: of 4096 events, in turns. */
static void add_events(unsigned n)
{
    struct wf_txn *txn = teststore_begin(&t, true);
    const struct wf_rec_event event = {.event = wf_str("note")};
    uint64_t seq = 0;
    for (unsigned i = 0; i < n; i++)
        assert_ok(wf_journal_append(txn, &event, &seq, &t.err), t.err);
    teststore_commit(&t, txn);
}

static void parts_see_every_row_once(void **state)
{
    static const unsigned more[] = {0,    4095 - DOSSIERS, 1,        1, 4095, 1,
                                    4096, 3 * 4096,        4 * 4096, 77};
    struct seen seen;
    (void)state;
    for (size_t i = 0; i < WF_COUNT(more); i++) {
        add_events(more[i]);
        const struct wf_check whole = check(&seen);
        for (unsigned of = 1; of <= WF_CHECK_PARTS; of++) {
            struct wf_check sum = check_in_parts(of, &seen);
            assert_string_equal(seen.names, "");
            assert_true(sum.was_quiet);
            assert_int_equal(sum.rows, whole.rows);
            assert_int_equal(sum.journal, whole.journal);
            assert_int_equal(sum.dossiers, DOSSIERS);
            assert_int_equal(sum.tasks, DOSSIERS);
        }
    }
}

static void an_event_lost_where_parts_meet_is_missed(void **state)
{
    static const uint64_t lost[] = {1, 4095, 4096, 4097, 8191, 8192, 8999};
    struct seen seen;
    for (size_t i = 0; i < WF_COUNT(lost); i++) {
        add_events(9000 - DOSSIERS);
        struct wf_txn *txn = teststore_begin(&t, true);
        struct wf_key key;
        wf_key_start(&key);
        wf_key_u64(&key, lost[i]);
        assert_ok(wf_txn_del(txn, WF_TABLE_JOURNAL, &key, &t.err), t.err);
        teststore_commit(&t, txn);
        for (unsigned of = 1; of <= WF_CHECK_PARTS; of++) {
            (void)check_in_parts(of, &seen);
            assert_non_null(strstr(seen.names, "journal ")); /* by the chain, not by a total */
        }
        (void)tear_down(state);
        (void)set_up(state);
    }
}

/* ---- links that are added up ------------------------------------------------------------------ */

/* Are all links proved by sums alone? */
static bool sums_prove(unsigned of, wf_finding_fn *fn, struct seen *seen)
{
    uint64_t links = 0;
    bool proved = true;
    memset(seen, 0, sizeof(*seen));
    for (unsigned i = 0; i < of; i++) {
        struct wf_check sum = {0};
        const struct wf_check_part part = {.number = i, .of = of, .summed = true};
        assert_ok(wf_store_check_part(t.store, part, fn, seen, &sum, &t.err), t.err);
        links += sum.links;
        proved = proved && sum.findings == 0 && sum.was_quiet;
    }
    return proved && links == 0;
}

static void sums_prove_a_whole_store(void **state)
{
    struct seen seen;
    (void)state;
    add_events(9000);
    for (unsigned of = 1; of <= WF_CHECK_PARTS; of++)
        assert_true(sums_prove(of, note, &seen));
    assert_string_equal(seen.names, "");
}

/* One row in the place of another: no number of rows changes, only who has them. */
static void sums_miss_no_row_that_belongs_to_another(void **state)
{
    static const struct {
        enum wf_table table;
        size_t id_at; /* of the dossier's number in the key */
        const char *name;
    } rows[] = {{WF_TABLE_HISTORY, 0, "history"},
                {WF_TABLE_BY_SITE, 8, "index"},
                {WF_TABLE_BY_PROCEDURE, 8, "index"},
                {WF_TABLE_BY_STATE, 16, "index"},
                {WF_TABLE_BY_DUE, 8, "index"}};
    struct seen seen;
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_txn *txn = teststore_begin(&t, true);
        struct wf_slice value;
        struct wf_key key;
        wf_key_start(&key);
        wf_key_u8(&key, 0);
        assert_ok(wf_txn_seek(txn, rows[i].table, &key, 0, &value, &t.err), t.err);
        assert_ok(wf_txn_del(txn, rows[i].table, &key, &t.err), t.err);
        wf_u64_store(key.bytes + rows[i].id_at, 1 + wf_u64_load(key.bytes + rows[i].id_at));
        if (rows[i].table == WF_TABLE_HISTORY) /* so that the dossier has it twice */
            wf_u64_store(key.bytes + 8, 1);
        else
            wf_u64_store(key.bytes, 7);
        assert_ok(wf_txn_put(txn, rows[i].table, &key, (struct wf_slice){0}, WF_PUT_NEW, &t.err),
                  t.err);
        teststore_commit(&t, txn);
        for (unsigned of = 1; of <= WF_CHECK_PARTS; of++)
            assert_false(sums_prove(of, note, &seen));
        assert_string_equal(seen.names, ""); /* by the sum alone */
        assert_finds(rows[i].name);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

/* ---- damage that comes to nothing in every number: two rows have what is the other's ------------ */

static void put_code(struct wf_txn *txn, const char *code, uint64_t id)
{
    struct wf_key key;
    wf_key_start(&key);
    wf_key_text(&key, wf_str(code));
    assert_ok(wf_txn_put_number(txn, WF_TABLE_CODES, &key, id, WF_PUT_SET, &t.err), t.err);
}

static void swap_codes(struct wf_txn *txn)
{
    put_code(txn, "C-1", 2);
    put_code(txn, "C-2", 1);
}

static void put_events(struct wf_txn *txn, uint64_t id, uint64_t events)
{
    struct wf_rec_dossier d;
    struct wf_key key;
    wf_key_start(&key);
    wf_key_u64(&key, id);
    assert_ok(wf_dossier_get(txn, id, t.arena, &d, &t.err), t.err);
    d.events = events;
    assert_ok(
        wf_txn_put_record(txn, WF_TABLE_DOSSIERS, &key, WF_REC_dossier, &d, WF_PUT_SET, &t.err),
        t.err);
}

static void move_an_event(struct wf_txn *txn)
{
    put_events(txn, 1, 0);
    put_events(txn, 2, 2);
}

static void move_row(struct wf_txn *txn, enum wf_table table, struct wf_key from, struct wf_key to)
{
    uint8_t bytes[200];
    struct wf_slice value;
    assert_ok(wf_txn_get(txn, table, &from, &value, &t.err), t.err);
    assert_true(value.len <= sizeof(bytes));
    if (value.len > 0)
        memcpy(bytes, value.ptr, value.len);
    value.ptr = bytes;
    assert_ok(wf_txn_del(txn, table, &from, &t.err), t.err);
    assert_ok(wf_txn_put(txn, table, &to, value, WF_PUT_NEW, &t.err), t.err);
}

static struct wf_key pair_key(uint64_t id, uint64_t seq)
{
    struct wf_key key;
    wf_key_start(&key);
    wf_key_u64(&key, id);
    if (seq != 0)
        wf_key_u64(&key, seq);
    return key;
}

static void swap_history(struct wf_txn *txn)
{
    move_row(txn, WF_TABLE_HISTORY, pair_key(1, 1), pair_key(1, 2));
    move_row(txn, WF_TABLE_HISTORY, pair_key(2, 2), pair_key(2, 1));
}

static void move_a_content(struct wf_txn *txn)
{
    move_row(txn, WF_TABLE_CONTENTS, pair_key(7, 0), pair_key(DOSSIERS + 7, 0));
}

static void sums_miss_no_damage_that_comes_to_nothing(void **state)
{
    static const struct {
        void (*damage)(struct wf_txn *txn);
        const char *name;
    } rows[] = {{swap_codes, "index"},
                {move_an_event, "history"},
                {swap_history, "history"},
                {move_a_content, "links"}};
    struct seen seen;
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_txn *txn = teststore_begin(&t, true);
        rows[i].damage(txn);
        teststore_commit(&t, txn);
        for (unsigned of = 1; of <= WF_CHECK_PARTS; of++)
            assert_false(sums_prove(of, note, &seen));
        assert_string_equal(seen.names, ""); /* by the sum alone */
        assert_finds(rows[i].name);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void note_and_write(void *context, const char *name, const char *text)
{
    note(context, name, text);
    add_events(1);
}

static void sums_prove_nothing_once_somebody_has_written(void **state)
{
    struct wf_check sum = {0};
    struct seen seen = {.n = 0};
    const struct wf_check_part part = {.number = 0, .of = 1, .summed = true};
    (void)state;
    put_raw(WF_TABLE_META, "surprise", "x"); /* is told of, and then somebody writes */
    assert_ok(wf_store_check_part(t.store, part, note_and_write, &seen, &sum, &t.err), t.err);
    assert_false(sum.was_quiet);
    assert_true(sum.rows < DOSSIERS); /* and it went no further */
}

/* ---- parts, rows too many --------------------------------------------------------------------- */

static void a_part_that_is_not_there_is_refused(void **state)
{
    static const struct wf_check_part wrong[] = {
        {.number = 0, .of = 0}, {.number = 2, .of = 2}, {.number = 0, .of = WF_CHECK_PARTS + 1}};
    struct wf_check sum = {.rows = 7};
    struct seen seen;
    (void)state;
    for (size_t i = 0; i < WF_COUNT(wrong); i++)
        assert_int_equal(wf_store_check_part(t.store, wrong[i], note, &seen, &sum, &t.err),
                         WF_E_INVALID);
    assert_int_equal(sum.rows, 7);
}

static void a_row_too_many_of_an_index_is_named(void **state)
{
    struct seen seen;
    struct wf_key first;
    (void)state;
    wf_key_start(&first);
    wf_key_text(&first, wf_str("ssssssss"));
    wf_key_u64(&first, 1); /* a dossier that is there, at another site */
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_ok(wf_txn_put(txn, WF_TABLE_BY_SITE, &first, (struct wf_slice){0}, WF_PUT_SET, &t.err),
              t.err);
    teststore_commit(&t, txn);
    (void)check_in_parts(2, &seen);
    assert_string_equal(seen.names, "counters index ");
    wf_key_start(&first);
    wf_key_text(&first, wf_str("C-1b")); /* a second code */
    txn = teststore_begin(&t, true);
    assert_ok(wf_txn_put_number(txn, WF_TABLE_CODES, &first, 1, WF_PUT_SET, &t.err), t.err);
    teststore_commit(&t, txn);
    (void)check_in_parts(4, &seen);
    assert_string_equal(seen.names, "counters index index ");
}

/* Sums prove nothing then: each row is looked at. */
static void a_row_too_many_is_named_while_others_write(void **state)
{
    struct seen seen = {.n = 0};
    struct wf_check sum = {0};
    struct wf_key key;
    (void)state;
    put_raw(WF_TABLE_META, "surprise", "x"); /* is told of, and then somebody writes */
    wf_key_start(&key);
    wf_key_text(&key, wf_str("ppppppppssssssss"));
    wf_key_u64(&key, 1);
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_ok(wf_txn_put(txn, WF_TABLE_BY_STATE, &key, (struct wf_slice){0}, WF_PUT_SET, &t.err),
              t.err);
    teststore_commit(&t, txn);
    assert_ok(wf_store_check(t.store, note_and_write, &seen, &sum, &t.err), t.err);
    assert_false(sum.was_quiet);
    assert_non_null(strstr(seen.names, "keys index "));
}

static void a_lost_task_shows_in_the_totals_too(void **state)
{
    (void)state;
    lose_row(WF_TABLE_TASKS);
    assert_finds("counters");
}

/* What they said is remembered from one transaction to the next, with their very bytes. */
static void counters_that_change_by_one_bit_are_refused_at_once(void **state)
{
    uint8_t bytes[1000];
    struct wf_slice row;
    struct wf_key key;
    (void)state;
    struct wf_txn *txn = teststore_begin(&t, true);
    wf_key_start(&key);
    wf_key_text(&key, wf_str("counters"));
    assert_ok(wf_txn_get(txn, WF_TABLE_META, &key, &row, &t.err), t.err);
    assert_true(row.len > 0 && row.len <= sizeof(bytes));
    memcpy(bytes, row.ptr, row.len);
    bytes[row.len / 2] ^= 1;
    row.ptr = bytes;
    assert_ok(wf_txn_put(txn, WF_TABLE_META, &key, row, WF_PUT_SET, &t.err), t.err);
    teststore_commit(&t, txn);
    assert_int_equal(wf_txn_begin(t.store, false, &txn, &t.err), WF_E_CORRUPT);
    assert_int_equal(wf_txn_begin(t.store, true, &txn, &t.err), WF_E_CORRUPT);
}

static void rows_of_nobody_are_named(void **state)
{
    (void)state;
    put_raw(WF_TABLE_META, "surprise", "x");
    assert_finds("keys");
    put_raw(WF_TABLE_BY_SITE, "ssssssss\1\1\1\1\1\1\1\1", "");
    assert_finds("links");
    put_raw(WF_TABLE_CURSORS, "portal", "twelve bytes");
    assert_finds("cursors");
    put_raw(WF_TABLE_PROCEDURES, "p", "no record");
    assert_finds("procedures");
}

static void findings_are_told_a_hundred_times_at_most(void **state)
{
    struct seen seen;
    (void)state;
    for (int i = 0; i < 150; i++)
        lose_row(WF_TABLE_CODES);
    struct wf_check sum = check(&seen);
    assert_int_equal(seen.n, 100);
    assert_true(sum.findings >= 150);
}

static void a_copy_is_a_store_of_its_own(void **state)
{
    char path[300];
    struct seen seen;
    (void)state;
    (void)tempdir_path(&t.dir, "copy", path, sizeof(path));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_ok(wf_store_copy(t.store, path, &t.err), t.err);
    lose_row(WF_TABLE_TASKS);
    wf_store_close(t.store);
    assert_ok(wf_store_open(path, NULL, &t.store, &t.err), t.err);
    assert_int_equal(check(&seen).findings, 0);
}

/* Who opens it while it is being made compact waits, and then works on the new file. */
static void writers_come_and_go_around_compacting(void **state)
{
    enum { WRITERS = 3, ROUNDS = 40 };
    pid_t children[WRITERS];
    uint64_t before = 0;
    uint64_t after = 0;
    uint64_t number = 0;
    unsigned done = 0;
    (void)state;
    teststore_close(&t);
    for (size_t i = 0; i < WRITERS; i++) {
        children[i] = fork();
        for (int n = 0; n < ROUNDS && children[i] == 0; n++) {
            teststore_open(&t);
            struct wf_txn *txn = teststore_begin(&t, true);
            assert_ok(wf_number_next(txn, wf_str("series"), 1000, &number, &t.err), t.err);
            teststore_commit(&t, txn);
            teststore_close(&t);
            (void)usleep(2000);
        }
        if (children[i] == 0)
            _exit(0);
    }
    for (int n = 0; n < 4 * ROUNDS; n++) {
        (void)usleep(500);
        int rc = wf_store_compact(t.path, &before, &after, &t.err);
        if (rc != WF_E_BUSY)
            assert_ok(rc, t.err);
        done += rc == 0;
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(wait_for_child(children[i]), 0);
    assert_ok(wf_store_compact(t.path, &before, &after, &t.err), t.err);
    teststore_open(&t);
    struct seen seen;
    assert_int_equal(check(&seen).findings, 0);
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_ok(wf_number_next(txn, wf_str("series"), 1000, &number, &t.err), t.err);
    wf_txn_abort(txn);
    assert_int_equal(number, WRITERS * ROUNDS + 1); /* none was lost */
    print_message("compacted %u times between writers\n", done);
}

static void a_store_in_use_is_not_made_compact(void **state)
{
    uint64_t before = 0;
    uint64_t after = 0;
    (void)state;
    teststore_close(&t);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) { /* keeps it open until the pipe is closed */
        teststore_open(&t);
        (void)close(ends[0]);
        (void)!write(ends[1], "x", 1);
        (void)pause();
        _exit(0);
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(wf_store_compact(t.path, &before, &after, &t.err), WF_E_BUSY);
    assert_int_equal(kill(child, SIGKILL), 0);
    (void)wait_for_child(child);
    assert_ok(wf_store_compact(t.path, &before, &after, &t.err), t.err);
    assert_true(after <= before);
    (void)close(ends[0]);
    (void)close(ends[1]);
    teststore_open(&t);
    struct seen seen;
    assert_int_equal(check(&seen).findings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_store_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_lost_row_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parts_see_every_row_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_lost_where_parts_meet_is_missed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sums_prove_a_whole_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sums_miss_no_row_that_belongs_to_another, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sums_miss_no_damage_that_comes_to_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sums_prove_nothing_once_somebody_has_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_is_not_there_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_too_many_of_an_index_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_too_many_is_named_while_others_write, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lost_task_shows_in_the_totals_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counters_that_change_by_one_bit_are_refused_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rows_of_nobody_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(findings_are_told_a_hundred_times_at_most, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_copy_is_a_store_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_in_use_is_not_made_compact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writers_come_and_go_around_compacting, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

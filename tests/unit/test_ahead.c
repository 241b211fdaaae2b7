/* SPDX-License-Identifier: Apache-2.0 */
/* Rows read ahead: the same record where nothing has changed, and the store's own where it has. */
#include "support/test.h"

#include <unistd.h>

#include "support/teststore.h"

#define NOW  1000
#define MOST 8

static const struct wf_ahead_scope scope = {WF_ROUTING, NOW, NOW, MOST};

static int setup(void **state)
{
    struct teststore *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    teststore_create(t, NULL);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct teststore *t = *state;
    teststore_fini(t);
    free(t);
    return 0;
}

/* ---- what is stored -------------------------------------------------------------------------- */

static const struct wf_value *map_of(struct teststore *t, const char *key, const char *text)
{
    struct wf_value *map = wf_map(t->arena);
    wf_map_put(t->arena, map, key, wf_text(t->arena, text));
    return map;
}

static void put_content(struct teststore *t, struct wf_txn *txn, uint64_t id, const char *name)
{
    struct wf_rec_content content = {.fields = map_of(t, "full_name", name)};
    assert_ok(wf_content_put(txn, id, &content, &t->err), t->err);
}

/* A dossier with its content ("An 1" and so on) and an item that is due. */
static void put_dossier(struct teststore *t, struct wf_txn *txn)
{
    char name[32];
    struct wf_rec_dossier d = {.id = wf_dossier_new_id(txn),
                               .procedure = wf_str("p"),
                               .site = wf_str("s"),
                               .data = map_of(t, "a", "b")};
    struct wf_rec_queue item = {.service = WF_ROUTING,
                                .due = NOW,
                                .dossier = d.id,
                                .activity = wf_str("routing.consult"),
                                .params = map_of(t, "k", "v")};
    assert_ok(wf_dossier_put(txn, NULL, &d, &t->err), t->err);
    (void)snprintf(name, sizeof(name), "An %llu", (unsigned long long)d.id);
    put_content(t, txn, d.id, name);
    assert_ok(wf_queue_put(txn, &item, &t->err), t->err);
}

static void put_dossiers(struct teststore *t, size_t n)
{
    struct wf_txn *txn = teststore_begin(t, true);
    for (size_t i = 0; i < n; i++)
        put_dossier(t, txn);
    teststore_commit(t, txn);
}

static const struct wf_ahead *read_ahead(struct teststore *t)
{
    struct wf_txn *txn = teststore_begin(t, false);
    const struct wf_ahead *ahead = wf_ahead_read(txn, &scope, t->arena);
    assert_non_null(ahead);
    wf_txn_abort(txn);
    return ahead;
}

static struct wf_txn *begin_with(struct teststore *t, const struct wf_ahead *ahead)
{
    struct wf_txn *txn = teststore_begin(t, true);
    wf_txn_use_ahead(txn, ahead);
    return txn;
}

/* Unpacked once, and handed out twice? */
static bool is_at_hand(struct teststore *t, struct wf_txn *txn, uint64_t id)
{
    struct wf_rec_content one;
    struct wf_rec_content two;
    assert_ok(wf_content_get(txn, id, t->arena, &one, &t->err), t->err);
    assert_ok(wf_content_get(txn, id, t->arena, &two, &t->err), t->err);
    assert_true(wf_value_equal(one.fields, two.fields));
    return one.fields == two.fields;
}

static const char *name_in(struct teststore *t, struct wf_txn *txn, uint64_t id)
{
    struct wf_rec_content content;
    assert_ok(wf_content_get(txn, id, t->arena, &content, &t->err), t->err);
    return wf_value_text(wf_map_get(content.fields, "full_name"), "");
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void what_has_not_changed_is_unpacked_once(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_dossier d[2];
    struct wf_rec_queue item[2];
    teststore_open(t);
    put_dossiers(t, 1);
    struct wf_txn *txn = begin_with(t, read_ahead(t));
    assert_true(is_at_hand(t, txn, 1));
    assert_string_equal(name_in(t, txn, 1), "An 1");
    for (size_t i = 0; i < 2; i++) {
        assert_ok(wf_dossier_get(txn, 1, t->arena, &d[i], &t->err), t->err);
        assert_ok(wf_queue_first(txn, WF_ROUTING, NOW, t->arena, &item[i], &t->err), t->err);
    }
    assert_ptr_equal(d[0].data, d[1].data);
    assert_ptr_equal(item[0].params, item[1].params);
    assert_true(wf_str_is(d[0].procedure, "p"));
    assert_true(wf_str_is(item[0].activity, "routing.consult"));
    wf_txn_abort(txn);
    txn = teststore_begin(t, true);
    assert_false(is_at_hand(t, txn, 1)); /* it ends with the transaction */
    wf_txn_abort(txn);
}

static void timers_bring_their_dossiers(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_timer timer = {.dossier = 1, .id = wf_str("overdue"), .data = &wf_null};
    struct wf_rec_timer out[2];
    struct wf_rec_queue item;
    int64_t due = 0;
    uint64_t seq = 0;
    teststore_open(t);
    put_dossiers(t, 1);
    struct wf_txn *txn = teststore_begin(t, true);
    timer.data = map_of(t, "x", "y");
    assert_ok(wf_queue_first(txn, WF_ROUTING, NOW, t->arena, &item, &t->err), t->err);
    assert_ok(wf_queue_del(txn, &item, &t->err), t->err);
    assert_ok(wf_timer_put(txn, WF_ROUTING, NOW, &timer, &seq, &t->err), t->err);
    teststore_commit(t, txn);
    txn = begin_with(t, read_ahead(t));
    for (size_t i = 0; i < 2; i++)
        assert_ok(wf_timer_first(txn, WF_ROUTING, NOW, t->arena, &out[i], &due, &seq, &t->err),
                  t->err);
    assert_ptr_equal(out[0].data, out[1].data);
    assert_true(is_at_hand(t, txn, 1));
    wf_txn_abort(txn);
}

static void what_is_not_due_or_of_others_is_not_read(void **state)
{
    struct teststore *t = *state;
    teststore_open(t);
    put_dossiers(t, 2);
    static const struct wf_ahead_scope others[] = {{WF_ROUTING, NOW - 1, NOW - 1, MOST},
                                                   {WF_INTAKE, NOW, NOW, MOST},
                                                   {WF_ROUTING, NOW, NOW, 0}};
    for (size_t i = 0; i < WF_COUNT(others); i++) {
        struct wf_txn *txn = teststore_begin(t, false);
        const struct wf_ahead *ahead = wf_ahead_read(txn, &others[i], t->arena);
        wf_txn_abort(txn);
        txn = begin_with(t, ahead);
        assert_false(is_at_hand(t, txn, 1));
        wf_txn_abort(txn);
    }
}

static void only_as_much_is_read_as_was_asked_for(void **state)
{
    struct teststore *t = *state;
    teststore_open(t);
    put_dossiers(t, MOST + 1);
    struct wf_txn *txn = begin_with(t, read_ahead(t));
    assert_true(is_at_hand(t, txn, MOST));
    assert_false(is_at_hand(t, txn, MOST + 1));
    wf_txn_abort(txn);
}

static void large_contents_are_left_to_the_lock(void **state)
{
    struct teststore *t = *state;
    size_t length = 1800000;
    char *large = calloc(1, length + 1);
    assert_non_null(large);
    teststore_open(t);
    put_dossiers(t, MOST);
    struct wf_txn *txn = teststore_begin(t, true);
    for (uint64_t id = 1; id <= MOST; id++) {
        memset(large, 'a' + (int)id, length);
        put_content(t, txn, id, large);
    }
    teststore_commit(t, txn);
    txn = begin_with(t, read_ahead(t));
    assert_true(is_at_hand(t, txn, 1));
    assert_false(is_at_hand(t, txn, MOST));
    assert_int_equal(strlen(name_in(t, txn, MOST)), length);
    wf_txn_abort(txn);
    free(large);
}

/* ---- between reading and the lock ------------------------------------------------------------- */

enum change { CHANGED, DELETED, DAMAGED };

static int note_key(void *context, const char *table, struct wf_slice key, struct wf_slice value)
{
    struct wf_slice *out = context;
    if (strcmp(table, "contents") == 0 && out[1].ptr == NULL) {
        out[0] = key;
        out[1] = value;
    }
    return 0;
}

/* Rows as bytes, as no function of the store would write them. */
static void damage(struct teststore *t, struct wf_txn *txn)
{
    struct wf_slice row[2] = {{0}};
    uint8_t key[8];
    uint8_t bytes[256];
    assert_ok(wf_dump_each(txn, note_key, row, &t->err), t->err);
    assert_in_range(row[1].len, 8, sizeof(bytes));
    memset(key, 0, sizeof(key));
    key[7] = 1;
    memcpy(bytes, row[1].ptr, row[1].len);
    bytes[row[1].len / 2] ^= 1; /* the checksum stays */
    assert_ok(wf_dump_put(txn, wf_str("contents"), (struct wf_slice){key, sizeof(key)},
                          (struct wf_slice){bytes, row[1].len}, &t->err),
              t->err);
}

static void change(struct teststore *t, enum change what)
{
    struct wf_rec_queue item;
    struct wf_txn *txn = teststore_begin(t, true);
    if (what == CHANGED) {
        put_content(t, txn, 1, "Bình");
    } else if (what == DELETED) {
        assert_ok(wf_queue_first(txn, WF_ROUTING, NOW, t->arena, &item, &t->err), t->err);
        assert_ok(wf_queue_del(txn, &item, &t->err), t->err);
    } else {
        damage(t, txn);
    }
    teststore_commit(t, txn);
}

/* What another process does while this one has read and waits for the lock. */
static void let_another_process(struct teststore *t, enum change what,
                                const struct wf_ahead **out_ahead)
{
    int go[2];
    char byte = 0;
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(go[1]);
        if (read(go[0], &byte, 1) == 1) {
            teststore_open(t);
            change(t, what);
            wf_store_close(t->store);
        }
        _exit(0);
    }
    (void)close(go[0]);
    teststore_open(t);
    put_dossiers(t, 2);
    *out_ahead = read_ahead(t);
    assert_int_equal(write(go[1], &byte, 1), 1);
    (void)close(go[1]);
    assert_int_equal(wait_for_child(child), 0);
}

static void a_row_that_another_process_changed_comes_as_it_is_now(void **state)
{
    struct teststore *t = *state;
    const struct wf_ahead *ahead = NULL;
    let_another_process(t, CHANGED, &ahead);
    struct wf_txn *txn = begin_with(t, ahead);
    assert_string_equal(name_in(t, txn, 1), "Bình");
    assert_string_equal(name_in(t, txn, 2), "An 2");
    assert_true(is_at_hand(t, txn, 2));
    wf_txn_abort(txn);
}

static void a_row_that_another_process_deleted_is_gone(void **state)
{
    struct teststore *t = *state;
    const struct wf_ahead *ahead = NULL;
    struct wf_rec_queue item;
    let_another_process(t, DELETED, &ahead);
    struct wf_txn *txn = begin_with(t, ahead);
    assert_ok(wf_queue_first(txn, WF_ROUTING, NOW, t->arena, &item, &t->err), t->err);
    assert_int_equal(item.dossier, 2);
    wf_txn_abort(txn);
}

static void damage_shows_though_the_row_was_whole_before(void **state)
{
    struct teststore *t = *state;
    const struct wf_ahead *ahead = NULL;
    struct wf_rec_content content;
    let_another_process(t, DAMAGED, &ahead);
    struct wf_txn *txn = begin_with(t, ahead);
    assert_int_equal(wf_content_get(txn, 1, t->arena, &content, &t->err), WF_E_CORRUPT);
    assert_string_equal(name_in(t, txn, 2), "An 2");
    wf_txn_abort(txn);
}

static void damage_met_ahead_is_told_under_the_lock(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_content content;
    struct wf_rec_dossier dossier;
    teststore_open(t);
    put_dossiers(t, 2);
    change(t, DAMAGED);
    struct wf_txn *txn = begin_with(t, read_ahead(t));
    assert_int_equal(wf_content_get(txn, 1, t->arena, &content, &t->err), WF_E_CORRUPT);
    assert_ok(wf_dossier_get(txn, 1, t->arena, &dossier, &t->err), t->err);
    assert_true(is_at_hand(t, txn, 2));
    wf_txn_abort(txn);
}

static void what_the_batch_itself_wrote_comes_as_it_was_written(void **state)
{
    struct teststore *t = *state;
    teststore_open(t);
    put_dossiers(t, 1);
    struct wf_txn *txn = begin_with(t, read_ahead(t));
    put_content(t, txn, 1, "Chi");
    assert_string_equal(name_in(t, txn, 1), "Chi");
    assert_false(is_at_hand(t, txn, 1));
    put_content(t, txn, 1, "An 1"); /* the very bytes again */
    assert_true(is_at_hand(t, txn, 1));
    wf_txn_abort(txn);
}

static void lack_of_memory_leaves_everything_to_the_lock(void **state)
{
    struct teststore *t = *state;
    teststore_open(t);
    put_dossiers(t, 2);
    for (unsigned long n = 1; n <= 4; n++) {
        struct wf_arena *arena = wf_arena_new(0);
        assert_non_null(arena);
        struct wf_txn *txn = teststore_begin(t, false);
        wf_alloc_fail_at(n, 1);
        const struct wf_ahead *ahead = wf_ahead_read(txn, &scope, arena);
        wf_alloc_fail_at(0, 0);
        wf_txn_abort(txn);
        txn = begin_with(t, ahead);
        assert_string_equal(name_in(t, txn, 1), "An 1");
        assert_string_equal(name_in(t, txn, 2), "An 2");
        wf_txn_abort(txn);
        wf_arena_free(arena);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_has_not_changed_is_unpacked_once),
        TEST(timers_bring_their_dossiers),
        TEST(what_is_not_due_or_of_others_is_not_read),
        TEST(only_as_much_is_read_as_was_asked_for),
        TEST(large_contents_are_left_to_the_lock),
        TEST(a_row_that_another_process_changed_comes_as_it_is_now),
        TEST(a_row_that_another_process_deleted_is_gone),
        TEST(damage_shows_though_the_row_was_whole_before),
        TEST(damage_met_ahead_is_told_under_the_lock),
        TEST(what_the_batch_itself_wrote_comes_as_it_was_written),
        TEST(lack_of_memory_leaves_everything_to_the_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

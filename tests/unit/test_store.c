/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of dossiers and the journal, through their public functions; work is in test_store_work.c.
 */
#include "support/test.h"

#include "support/teststore.h"
#include "workflow/hash.h"

/* ---- dossiers -------------------------------------------------------------------------------- */

static const struct wf_value *texts(struct wf_arena *arena, const char *a, const char *b)
{
    struct wf_value *list = wf_list(arena);
    wf_list_add(arena, list, wf_text(arena, a));
    if (b != NULL)
        wf_list_add(arena, list, wf_text(arena, b));
    return list;
}

static struct wf_rec_dossier a_dossier(struct teststore *t, uint64_t id, const char *procedure,
                                       const char *state, const char *site)
{
    return (struct wf_rec_dossier){.id = id,
                                   .events = 1,
                                   .procedure = wf_str(procedure),
                                   .version = 1,
                                   .site = wf_str(site),
                                   .channel = wf_str("post"),
                                   .received = 1000,
                                   .states = texts(t->arena, state, NULL)};
}

static uint64_t put_dossier(struct teststore *t, struct wf_txn *txn, const char *procedure,
                            const char *state, const char *site, int64_t due)
{
    struct wf_rec_dossier d = a_dossier(t, wf_dossier_new_id(txn), procedure, state, site);
    d.due = due;
    assert_ok(wf_dossier_put(txn, NULL, &d, &t->err), t->err);
    return d.id;
}

struct ids {
    uint64_t id[16];
    size_t n;
    size_t stop_at;
};

static int note_dossier(void *context, const struct wf_rec_dossier *dossier)
{
    struct ids *ids = context;
    assert_true(ids->n < 16);
    ids->id[ids->n++] = dossier->id;
    return ids->n == ids->stop_at;
}

static void expect_ids(struct teststore *t, struct wf_txn *txn, struct wf_dossier_filter filter,
                       size_t n, const uint64_t *want)
{
    struct ids got = {.n = 0};
    assert_ok(wf_dossier_each(txn, &filter, t->arena, note_dossier, &got, &t->err), t->err);
    assert_int_equal(got.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(got.id[i], want[i]);
}

#define EXPECT_IDS(t, txn, filter, ...)                                                            \
    expect_ids(t, txn, filter, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t),               \
               (uint64_t[]){__VA_ARGS__})

static void a_dossier_comes_back_as_it_was_put(void **state)
{
    struct teststore *t = *state;
    struct wf_txn *txn = teststore_begin(t, true);
    struct wf_rec_dossier d = a_dossier(t, wf_dossier_new_id(txn), "1.004873", "receipt", "H30");
    d.code = wf_str("000.00.13.H30-261123-0001");
    d.due = 5000;
    d.n_sends = 3;
    assert_ok(wf_dossier_put(txn, NULL, &d, &t->err), t->err);
    struct wf_rec_content content = {.fields = wf_map(t->arena), .by = wf_str("clerk-1")};
    assert_ok(wf_content_put(txn, d.id, &content, &t->err), t->err);
    teststore_commit(t, txn);

    struct wf_rec_dossier back;
    struct wf_rec_content content_back;
    uint64_t id = 0;
    txn = teststore_begin(t, false);
    assert_ok(wf_dossier_find(txn, d.code, &id, &t->err), t->err);
    assert_int_equal(id, d.id);
    assert_ok(wf_dossier_get(txn, id, t->arena, &back, &t->err), t->err);
    assert_ok(wf_content_get(txn, id, t->arena, &content_back, &t->err), t->err);
    assert_int_equal(wf_dossier_get(txn, id + 1, t->arena, &back, &t->err), WF_NONE);
    assert_int_equal(wf_content_get(txn, id + 1, t->arena, &content_back, &t->err), WF_NONE);
    assert_int_equal(wf_dossier_find(txn, wf_str("x"), &id, &t->err), WF_NONE);
    assert_int_equal(wf_dossier_find(txn, wf_str(""), &id, &t->err), WF_NONE);
    wf_txn_abort(txn);
    assert_true(wf_str_equal(back.code, d.code)); /* also after the transaction */
    assert_int_equal(back.due, 5000);
    assert_int_equal(back.n_sends, 3);
    assert_true(wf_value_equal(back.states, d.states));
    assert_true(wf_str_is(content_back.by, "clerk-1"));
}

static void dossiers_are_listed_by_procedure_state_site_and_due_time(void **state)
{
    struct teststore *t = *state;
    struct wf_txn *txn = teststore_begin(t, true);
    put_dossier(t, txn, "p1", "a", "s1", 300); /* 1 */
    put_dossier(t, txn, "p1", "b", "s2", 100); /* 2 */
    put_dossier(t, txn, "p2", "a", "s1", 200); /* 3 */
    put_dossier(t, txn, "p1", "a", "s2", 0);   /* 4 */
    struct wf_dossier_filter all = {.procedure = {NULL, 0}};
    EXPECT_IDS(t, txn, all, 1, 2, 3, 4);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.after = 2}), 3, 4);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.procedure = wf_str("p1")}), 1, 2, 4);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.procedure = wf_str("p1"), .after = 1}), 2, 4);
    EXPECT_IDS(t, txn,
               ((struct wf_dossier_filter){.procedure = wf_str("p1"), .state = wf_str("a")}), 1, 4);
    EXPECT_IDS(t, txn,
               ((struct wf_dossier_filter){
                   .procedure = wf_str("p1"), .state = wf_str("a"), .site = wf_str("s2")}),
               4);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.state = wf_str("a")}), 1, 3, 4);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.site = wf_str("s1")}), 1, 3);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.due_before = 300}), 2, 3);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.due_before = 301}), 2, 3, 1);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.due_before = 301, .after = 2}), 3, 1);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.due_before = 301, .procedure = wf_str("p1")}),
               2, 1);
    expect_ids(t, txn, (struct wf_dossier_filter){.site = wf_str("nowhere")}, 0, NULL);
    expect_ids(t, txn, (struct wf_dossier_filter){.after = UINT64_MAX}, 0, NULL);
    struct ids got = {.stop_at = 2};
    assert_int_equal(wf_dossier_each(txn, &all, t->arena, note_dossier, &got, &t->err), 1);
    assert_int_equal(got.n, 2);
    struct wf_dossier_filter lost = {.due_before = 301, .after = 77};
    assert_int_equal(wf_dossier_each(txn, &lost, t->arena, note_dossier, &got, &t->err),
                     WF_E_NOT_FOUND);
    wf_txn_abort(txn);
}

static void a_look_through_dossiers_ends_where_it_is_told_and_goes_on_from_there(void **state)
{
    struct teststore *t = *state;
    struct wf_txn *txn = teststore_begin(t, true);
    uint64_t stopped = 0;
    struct wf_dossier_filter filter = {.state = wf_str("b"), .most = 3, .stopped = &stopped};
    for (int i = 1; i <= 7; i++) /* 2, 4 and 6 fit */
        put_dossier(t, txn, "p1", i % 2 == 0 ? "b" : "a", "s1", 1000 - i);
    EXPECT_IDS(t, txn, filter, 2);
    assert_int_equal(stopped, 3);
    filter.after = stopped;
    EXPECT_IDS(t, txn, filter, 4, 6);
    assert_int_equal(stopped, 6);
    filter.after = stopped;
    stopped = 0;
    expect_ids(t, txn, filter, 0, NULL);
    assert_int_equal(stopped, 0); /* this was the end */
    filter = (struct wf_dossier_filter){.due_before = 2000, .most = 2, .stopped = &stopped};
    EXPECT_IDS(t, txn, filter, 7, 6);
    filter.after = stopped;
    EXPECT_IDS(t, txn, filter, 5, 4);
    wf_txn_abort(txn);
}

static void every_active_state_of_parallel_regions_is_found(void **state)
{
    struct teststore *t = *state;
    struct wf_txn *txn = teststore_begin(t, true);
    struct wf_rec_dossier d = a_dossier(t, wf_dossier_new_id(txn), "p", "a", "s");
    d.states = texts(t->arena, "left", "right");
    assert_ok(wf_dossier_put(txn, NULL, &d, &t->err), t->err);
    struct wf_dossier_filter left = {.procedure = wf_str("p"), .state = wf_str("left")};
    struct wf_dossier_filter right = {.procedure = wf_str("p"), .state = wf_str("right")};
    EXPECT_IDS(t, txn, left, 1);
    EXPECT_IDS(t, txn, right, 1);
    struct wf_rec_dossier later = d;
    later.states = texts(t->arena, "left", "left"); /* a doubled name has one row */
    assert_ok(wf_dossier_put(txn, &d, &later, &t->err), t->err);
    EXPECT_IDS(t, txn, left, 1);
    expect_ids(t, txn, right, 0, NULL);
    wf_txn_abort(txn);
}

static void an_unchanged_index_is_not_written_and_a_closed_dossier_leaves_the_due_list(void **state)
{
    struct teststore *t = *state;
    struct wf_txn *txn = teststore_begin(t, true);
    struct wf_rec_dossier before = a_dossier(t, wf_dossier_new_id(txn), "p", "a", "s");
    before.due = 100;
    assert_ok(wf_dossier_put(txn, NULL, &before, &t->err), t->err);
    assert_int_equal(wf_txn_counts(txn)->open, 1);

    struct wf_rec_dossier now = before;
    now.events = 2;
    uint64_t writes = wf_txn_writes(txn);
    assert_ok(wf_dossier_put(txn, &before, &now, &t->err), t->err);
    assert_int_equal(wf_txn_writes(txn), writes + 1); /* the record alone */

    struct wf_rec_dossier closed = now;
    closed.closed = 50;
    writes = wf_txn_writes(txn);
    assert_ok(wf_dossier_put(txn, &now, &closed, &t->err), t->err);
    assert_int_equal(wf_txn_writes(txn), writes + 2); /* and its due row */
    assert_int_equal(wf_txn_counts(txn)->open, 0);
    assert_int_equal(wf_txn_counts(txn)->closed, 1);
    expect_ids(t, txn, (struct wf_dossier_filter){.due_before = 1000}, 0, NULL);
    expect_ids(t, txn, (struct wf_dossier_filter){.open_only = true}, 0, NULL);
    EXPECT_IDS(t, txn, ((struct wf_dossier_filter){.site = wf_str("s")}), 1);
    wf_txn_abort(txn);
}

static void a_code_belongs_to_one_dossier_and_stays(void **state)
{
    struct teststore *t = *state;
    struct wf_txn *txn = teststore_begin(t, true);
    struct wf_rec_dossier one = a_dossier(t, wf_dossier_new_id(txn), "p", "a", "s");
    struct wf_rec_dossier two = a_dossier(t, wf_dossier_new_id(txn), "p", "a", "s");
    one.code = wf_str("C-1");
    two.code = wf_str("C-1");
    assert_ok(wf_dossier_put(txn, NULL, &one, &t->err), t->err);
    uint64_t writes = wf_txn_writes(txn);
    assert_int_equal(wf_dossier_put(txn, NULL, &two, &t->err), WF_E_CONFLICT);
    assert_int_equal(wf_txn_writes(txn), writes);
    two.code = wf_str("C-2");
    assert_int_equal(wf_dossier_put(txn, &one, &two, &t->err), WF_E_INTERNAL);
    struct wf_rec_dossier changed = one;
    changed.code = wf_str("C-3");
    assert_int_equal(wf_dossier_put(txn, &one, &changed, &t->err), WF_E_INTERNAL);
    wf_txn_abort(txn);
}

static void a_number_series_counts_from_one_to_its_end(void **state)
{
    struct teststore *t = *state;
    uint64_t n = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    assert_ok(wf_number_next(txn, wf_str("a|261123"), 2, &n, &t->err), t->err);
    assert_int_equal(n, 1);
    assert_ok(wf_number_next(txn, wf_str("b|261123"), 2, &n, &t->err), t->err);
    assert_int_equal(n, 1);
    teststore_commit(t, txn);
    txn = teststore_begin(t, true);
    assert_ok(wf_number_next(txn, wf_str("a|261123"), 2, &n, &t->err), t->err);
    assert_int_equal(n, 2);
    assert_int_equal(wf_number_next(txn, wf_str("a|261123"), 2, &n, &t->err), WF_E_FULL);
    char long_name[600];
    memset(long_name, 'x', sizeof(long_name));
    assert_int_equal(
        wf_number_next(txn, (struct wf_str){long_name, sizeof(long_name)}, 9, &n, &t->err),
        WF_E_INVALID);
    assert_int_equal(wf_number_next(txn, wf_str(""), 9, &n, &t->err), WF_E_INVALID);
    teststore_commit(t, txn); /* a refused input does not spoil the transaction */
}

/* ---- journal --------------------------------------------------------------------------------- */

static uint64_t append(struct teststore *t, struct wf_txn *txn, uint64_t dossier, uint64_t n,
                       const char *name)
{
    uint64_t seq = 0;
    struct wf_rec_event event = {.ms = 7,
                                 .dossier = dossier,
                                 .n = n,
                                 .event = wf_str(name),
                                 .role = wf_str("clerk"),
                                 .service = wf_str("intake"),
                                 .states = texts(t->arena, "receipt", NULL)};
    assert_ok(wf_journal_append(txn, &event, &seq, &t->err), t->err);
    return seq;
}

static int note_event(void *context, const struct wf_rec_event *event)
{
    struct ids *ids = context;
    ids->id[ids->n++] = event->n;
    return ids->n == ids->stop_at;
}

struct hashes {
    size_t n;
    uint64_t seq[4];
    uint8_t last[WF_HASH_BYTES];
};

static int note_hash(void *context, uint64_t seq, const uint8_t hash[WF_HASH_BYTES])
{
    struct hashes *hashes = context;
    hashes->seq[hashes->n++] = seq;
    memcpy(hashes->last, hash, WF_HASH_BYTES);
    return 0;
}

static void the_hashes_of_a_history_are_those_of_its_events(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_event event;
    struct hashes got = {.n = 0};
    uint8_t hash[WF_HASH_BYTES];
    struct wf_txn *txn = teststore_begin(t, true);
    append(t, txn, 1, 1, "submit");
    append(t, txn, 2, 1, "submit");
    append(t, txn, 1, 2, "accept");
    append(t, txn, 2, 2, "accept");
    assert_ok(wf_history_hashes(txn, 1, note_hash, &got, &t->err), t->err);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.seq[0], 1);
    assert_int_equal(got.seq[1], 3);
    assert_ok(wf_journal_get(txn, 3, t->arena, &event, hash, &t->err), t->err);
    assert_memory_equal(got.last, hash, WF_HASH_BYTES);
    wf_txn_abort(txn);
}

static void the_journal_chains_its_events_and_shows_a_dossiers_history(void **state)
{
    struct teststore *t = *state;
    struct wf_txn *txn = teststore_begin(t, true);
    assert_int_equal(append(t, txn, 1, 1, "submit"), 1);
    assert_int_equal(append(t, txn, 2, 1, "submit"), 2);
    assert_int_equal(append(t, txn, 1, 2, "accept"), 3);
    teststore_commit(t, txn);

    struct wf_rec_event event;
    uint8_t hash[WF_HASH_BYTES];
    uint64_t checked = 0;
    struct ids got = {.n = 0};
    txn = teststore_begin(t, false);
    assert_int_equal(wf_txn_counts(txn)->journal_seq, 3);
    assert_ok(wf_journal_get(txn, 3, t->arena, &event, hash, &t->err), t->err);
    assert_true(wf_str_is(event.event, "accept"));
    assert_int_equal(event.seq, 3);
    assert_memory_equal(hash, wf_txn_counts(txn)->journal_hash, WF_HASH_BYTES);
    assert_int_equal(wf_journal_get(txn, 4, t->arena, &event, NULL, &t->err), WF_NONE);
    assert_int_equal(wf_journal_get(txn, 0, t->arena, &event, NULL, &t->err), WF_NONE);
    assert_ok(wf_history_each(txn, 1, t->arena, note_event, &got, &t->err), t->err);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.id[1], 2);
    got = (struct ids){.stop_at = 1};
    assert_int_equal(wf_history_each(txn, 1, t->arena, note_event, &got, &t->err), 1);
    assert_ok(wf_journal_verify(txn, 1, &checked, &t->err), t->err);
    assert_int_equal(checked, 3);
    assert_ok(wf_journal_verify(txn, 3, &checked, &t->err), t->err);
    assert_int_equal(checked, 1);
    assert_int_equal(wf_journal_verify(txn, 9, &checked, &t->err), WF_E_INVALID);
    wf_txn_abort(txn);
}

static void cursors_are_kept_by_name(void **state)
{
    struct teststore *t = *state;
    uint64_t seq = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    assert_int_equal(wf_cursor_get(txn, wf_str("portal"), &seq, &t->err), WF_NONE);
    assert_ok(wf_cursor_put(txn, wf_str("portal"), 5, &t->err), t->err);
    assert_ok(wf_cursor_put(txn, wf_str("portal"), 9, &t->err), t->err);
    teststore_commit(t, txn);
    txn = teststore_begin(t, false);
    assert_ok(wf_cursor_get(txn, wf_str("portal"), &seq, &t->err), t->err);
    assert_int_equal(seq, 9);
    wf_txn_abort(txn);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, teststore_setup, teststore_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dossier_comes_back_as_it_was_put),
        TEST(dossiers_are_listed_by_procedure_state_site_and_due_time),
        TEST(a_look_through_dossiers_ends_where_it_is_told_and_goes_on_from_there),
        TEST(every_active_state_of_parallel_regions_is_found),
        TEST(an_unchanged_index_is_not_written_and_a_closed_dossier_leaves_the_due_list),
        TEST(a_code_belongs_to_one_dossier_and_stays),
        TEST(a_number_series_counts_from_one_to_its_end),
        TEST(the_hashes_of_a_history_are_those_of_its_events),
        TEST(the_journal_chains_its_events_and_shows_a_dossiers_history),
        TEST(cursors_are_kept_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

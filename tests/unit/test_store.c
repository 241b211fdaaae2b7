/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the store, each through its public functions, in one process. */
#include "support/test.h"

#include "support/teststore.h"
#include "workflow/hash.h"

static int setup(void **state)
{
    struct teststore *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    teststore_create(t, NULL);
    teststore_open(t);
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

/* ---- queues ---------------------------------------------------------------------------------- */

static struct wf_rec_queue put_item(struct teststore *t, struct wf_txn *txn,
                                    enum wf_service service, int64_t due)
{
    struct wf_rec_queue item = {.service = service, .due = due, .activity = wf_str("x.y")};
    assert_ok(wf_queue_put(txn, &item, &t->err), t->err);
    return item;
}

static int count_item(void *context, const struct wf_rec_queue *item)
{
    size_t *n = context;
    (void)item;
    *n += 1;
    return 0;
}

static void a_queue_gives_what_is_due_in_order(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_queue out;
    int64_t due = 0;
    size_t n = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    assert_int_equal(wf_queue_first(txn, WF_ROUTING, 999, t->arena, &out, &t->err), WF_NONE);
    assert_ok(wf_queue_next_due(txn, WF_ROUTING, &due, &t->err), t->err);
    assert_int_equal(due, INT64_MAX);
    put_item(t, txn, WF_ROUTING, 200);
    put_item(t, txn, WF_ROUTING, 100);
    put_item(t, txn, WF_INTAKE, 50);
    put_item(t, txn, WF_ROUTING, 100);
    assert_int_equal(wf_queue_first(txn, WF_ROUTING, 99, t->arena, &out, &t->err), WF_NONE);
    assert_ok(wf_queue_next_due(txn, WF_ROUTING, &due, &t->err), t->err);
    assert_int_equal(due, 100);
    static const uint64_t order[] = {2, 4, 1};
    assert_ok(wf_queue_each(txn, WF_ROUTING, false, t->arena, count_item, &n, &t->err), t->err);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(wf_queue_first(txn, WF_ROUTING, 200, t->arena, &out, &t->err), t->err);
        assert_int_equal(out.seq, order[i]);
        assert_ok(wf_queue_del(txn, &out, &t->err), t->err);
    }
    assert_int_equal(wf_queue_del(txn, &out, &t->err), WF_NONE);
    assert_int_equal(wf_queue_first(txn, WF_ROUTING, 999, t->arena, &out, &t->err), WF_NONE);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_ROUTING], 0);
    assert_int_equal(wf_txn_counts(txn)->done[WF_ROUTING], 3);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_INTAKE], 1);
    wf_txn_abort(txn);
}

static void a_retry_keeps_its_number_and_does_not_count_as_done(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_queue out;
    struct wf_txn *txn = teststore_begin(t, true);
    struct wf_rec_queue item = put_item(t, txn, WF_RETURN, 100);
    assert_ok(wf_queue_del(txn, &item, &t->err), t->err);
    item.due = 300;
    item.attempts = 1;
    assert_ok(wf_queue_put(txn, &item, &t->err), t->err);
    item.attempts = 2;
    assert_ok(wf_queue_put(txn, &item, &t->err), t->err); /* in its place */
    assert_ok(wf_queue_first(txn, WF_RETURN, 300, t->arena, &out, &t->err), t->err);
    assert_int_equal(out.seq, 1);
    assert_int_equal(out.attempts, 2);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_RETURN], 1);
    assert_int_equal(wf_txn_counts(txn)->done[WF_RETURN], 0);
    struct wf_rec_queue nobody = {.service = 9};
    assert_int_equal(wf_queue_put(txn, &nobody, &t->err), WF_E_INTERNAL);
    wf_txn_abort(txn);
}

static void dead_letters_are_kept_shown_and_given_back(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_queue out;
    size_t n = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    struct wf_rec_queue item = put_item(t, txn, WF_RETURN, 100);
    struct wf_rec_queue dead = item;
    dead.reason = wf_str("no courier");
    assert_ok(wf_queue_bury(txn, &item, &dead, &t->err), t->err);
    assert_int_equal(wf_queue_bury(txn, &item, &dead, &t->err), WF_NONE);
    struct wf_rec_queue homeless = {.service = WF_ROUTING, .reason = wf_str("timer")};
    assert_ok(wf_queue_bury(txn, NULL, &homeless, &t->err), t->err);
    assert_int_equal(homeless.seq, 2);
    assert_int_equal(wf_txn_counts(txn)->dead[WF_RETURN], 1);
    assert_int_equal(wf_txn_counts(txn)->dead[WF_ROUTING], 1);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_RETURN], 0);
    assert_ok(wf_queue_each(txn, WF_RETURN, true, t->arena, count_item, &n, &t->err), t->err);
    assert_int_equal(n, 1);
    assert_ok(wf_dead_get(txn, item.seq, t->arena, &out, &t->err), t->err);
    assert_true(wf_str_is(out.reason, "no courier"));
    assert_ok(wf_dead_del(txn, item.seq, &t->err), t->err);
    assert_int_equal(wf_dead_del(txn, item.seq, &t->err), WF_NONE);
    assert_ok(wf_queue_put(txn, &out, &t->err), t->err);
    assert_int_equal(wf_txn_counts(txn)->dead[WF_RETURN], 0);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_RETURN], 1);
    assert_int_equal(wf_txn_counts(txn)->done[WF_RETURN], 0);
    wf_txn_abort(txn);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static struct wf_rec_task put_task(struct teststore *t, struct wf_txn *txn, const char *to,
                                   int64_t visible)
{
    struct wf_rec_task task = {.service = WF_VERIFICATION,
                               .visible = visible,
                               .activity = wf_str("verification.review"),
                               .to = wf_str(to)};
    assert_ok(wf_task_put_new(txn, &task, &t->err), t->err);
    return task;
}

static int first_task(struct teststore *t, struct wf_txn *txn, const char *to, int64_t now,
                      const struct wf_rec_task *after, struct wf_rec_task *out)
{
    return wf_task_first(txn, wf_str("verification.review"), wf_str(to), now, after, t->arena, out,
                         &t->err);
}

static void tasks_come_by_address_in_order_of_visibility(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_task out;
    struct wf_txn *txn = teststore_begin(t, true);
    assert_int_equal(first_task(t, txn, "s1", 999, NULL, &out), WF_NONE);
    put_task(t, txn, "s1", 30); /* 1 */
    put_task(t, txn, "s1", 10); /* 2 */
    put_task(t, txn, "s2", 20); /* 3 */
    put_task(t, txn, "s1", 10); /* 4 */
    static const uint64_t order[] = {2, 4, 1};
    struct wf_rec_task last;
    const struct wf_rec_task *after = NULL;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(first_task(t, txn, "s1", 30, after, &out), 0);
        assert_int_equal(out.id, order[i]);
        last = out;
        after = &last;
    }
    assert_int_equal(first_task(t, txn, "s1", 30, after, &out), WF_NONE);
    assert_int_equal(first_task(t, txn, "s1", 9, NULL, &out), WF_NONE);
    assert_int_equal(first_task(t, txn, "s3", 999, NULL, &out), WF_NONE);
    assert_int_equal(wf_task_first(txn, wf_str("verification.check"), wf_str("*"), 999, NULL,
                                   t->arena, &out, &t->err),
                     WF_NONE);
    wf_txn_abort(txn);
}

static void any_address_means_the_task_that_waits_longest_anywhere(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_task out;
    struct wf_rec_task last;
    const struct wf_rec_task *after = NULL;
    struct wf_txn *txn = teststore_begin(t, true);
    for (int i = 0; i < 40; i++) {
        char to[8];
        (void)snprintf(to, sizeof(to), "s%d", i % 7);
        put_task(t, txn, to, 1000 - 10 * (i / 2)); /* later ones are visible sooner */
    }
    int64_t at = 0;
    size_t n = 0;
    while (first_task(t, txn, "*", 1000, after, &out) == 0) {
        assert_true(out.visible >= at);
        at = out.visible;
        n++;
        last = out;
        after = &last;
    }
    assert_int_equal(n, 40);
    assert_int_equal(first_task(t, txn, "*", 809, NULL, &out), WF_NONE);
    wf_txn_abort(txn);
}

static int count_task(void *context, const struct wf_rec_task *task)
{
    size_t *n = context;
    (void)task;
    *n += 1;
    return 0;
}

static void a_leased_task_moves_in_the_order_and_a_deleted_one_leaves_it(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_task out;
    size_t n = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    struct wf_rec_task task = put_task(t, txn, "s1", 10);
    struct wf_rec_task leased = task;
    leased.visible = 500;
    leased.token = 1;
    assert_ok(wf_task_update(txn, &task, &leased, &t->err), t->err);
    assert_int_equal(first_task(t, txn, "s1", 499, NULL, &out), WF_NONE);
    assert_int_equal(first_task(t, txn, "s1", 500, NULL, &out), 0);
    assert_int_equal(out.token, 1);
    uint64_t writes = wf_txn_writes(txn);
    struct wf_rec_task held = leased;
    held.attempts = 1;
    assert_ok(wf_task_update(txn, &leased, &held, &t->err), t->err);
    assert_int_equal(wf_txn_writes(txn), writes + 1);
    assert_int_equal(wf_txn_counts(txn)->tasks[WF_VERIFICATION], 1);
    assert_ok(wf_task_each(txn, t->arena, count_task, &n, &t->err), t->err);
    assert_int_equal(n, 1);
    assert_ok(wf_task_del(txn, &held, &t->err), t->err);
    assert_int_equal(wf_task_del(txn, &held, &t->err), WF_NONE);
    assert_int_equal(wf_task_get(txn, task.id, t->arena, &out, &t->err), WF_NONE);
    assert_int_equal(first_task(t, txn, "s1", 999, NULL, &out), WF_NONE);
    assert_int_equal(wf_txn_counts(txn)->tasks[WF_VERIFICATION], 0);
    wf_txn_abort(txn);
}

/* ---- timers, requests, procedures ------------------------------------------------------------ */

static void timers_fire_in_order_and_once(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_timer timer = {.dossier = 1, .id = wf_str("overdue"), .event = wf_str("overdue")};
    struct wf_rec_timer out;
    int64_t due = 0;
    uint64_t seq = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    static const int64_t dues[] = {300, -5, 100};
    for (size_t i = 0; i < 3; i++)
        assert_ok(wf_timer_put(txn, WF_INTAKE, dues[i], &timer, &seq, &t->err), t->err);
    assert_ok(wf_timer_put(txn, WF_RETURN, 1, &timer, &seq, &t->err), t->err);
    assert_int_equal(wf_txn_counts(txn)->timers, 4);
    assert_ok(wf_timer_next_due(txn, WF_INTAKE, &due, &t->err), t->err);
    assert_int_equal(due, -5);
    static const uint64_t order[] = {2, 3};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(wf_timer_first(txn, WF_INTAKE, 100, t->arena, &out, &due, &seq, &t->err), t->err);
        assert_int_equal(seq, order[i]);
        assert_ok(wf_timer_del(txn, WF_INTAKE, due, seq, &t->err), t->err);
    }
    assert_int_equal(wf_timer_del(txn, WF_INTAKE, due, seq, &t->err), WF_NONE);
    assert_int_equal(wf_timer_first(txn, WF_INTAKE, 299, t->arena, &out, &due, &seq, &t->err),
                     WF_NONE);
    assert_ok(wf_timer_next_due(txn, WF_ROUTING, &due, &t->err), t->err);
    assert_int_equal(due, INT64_MAX);
    assert_int_equal(wf_txn_counts(txn)->timers, 2);
    wf_txn_abort(txn);
}

static void a_request_is_found_by_its_party_and_id_alone(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_request request = {.digest = {(const uint8_t *)"0123456789abcdef", 16},
                                     .answer = {(const uint8_t *)"yes", 3},
                                     .ms = 10};
    struct wf_rec_request out;
    struct wf_txn *txn = teststore_begin(t, true);
    assert_ok(wf_request_put(txn, wf_str("desk"), wf_str("r1"), &request, &t->err), t->err);
    assert_ok(wf_request_get(txn, wf_str("desk"), wf_str("r1"), t->arena, &out, &t->err), t->err);
    assert_int_equal(out.answer.len, 3);
    assert_memory_equal(out.answer.ptr, "yes", 3);
    assert_int_equal(wf_request_get(txn, wf_str("des"), wf_str("kr1"), t->arena, &out, &t->err),
                     WF_NONE);
    assert_int_equal(wf_request_get(txn, wf_str(""), wf_str("r1"), t->arena, &out, &t->err),
                     WF_NONE);
    assert_int_equal(
        wf_request_put(txn, (struct wf_str){"a\0b", 3}, wf_str("r"), &request, &t->err),
        WF_E_INVALID);
    wf_txn_abort(txn);
}

static void old_requests_are_pruned_a_few_rows_at_a_time(void **state)
{
    struct teststore *t = *state;
    struct wf_buf position = {0};
    size_t deleted = 0;
    size_t total = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    for (int i = 0; i < 10; i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "r%d", i);
        struct wf_rec_request request = {.ms = i};
        assert_ok(wf_request_put(txn, wf_str("desk"), wf_str(id), &request, &t->err), t->err);
    }
    size_t rounds = 0;
    do {
        assert_ok(wf_request_prune(txn, 7, 3, &position, &deleted, &t->err), t->err);
        assert_true(deleted <= 3);
        total += deleted;
        assert_true(++rounds < 10);
    } while (position.len > 0);
    assert_int_equal(rounds, 4);
    assert_int_equal(total, 7);
    struct wf_rec_request out;
    assert_int_equal(wf_request_get(txn, wf_str("desk"), wf_str("r6"), t->arena, &out, &t->err),
                     WF_NONE);
    assert_ok(wf_request_get(txn, wf_str("desk"), wf_str("r7"), t->arena, &out, &t->err), t->err);
    wf_buf_fini(&position);
    wf_txn_abort(txn);
}

static int count_procedure(void *context, const struct wf_rec_procedure *procedure)
{
    uint64_t *versions = context;
    *versions = *versions * 10 + procedure->version;
    return 0;
}

static void procedures_are_kept_by_code_and_version_and_raise_the_generation(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_procedure p = {.code = wf_str("1.004873"),
                                 .source = {(const uint8_t *)"text", 4}};
    struct wf_rec_procedure out;
    uint64_t versions = 0;
    struct wf_txn *txn = teststore_begin(t, true);
    static const uint64_t order[] = {2, 1, 3};
    for (size_t i = 0; i < 3; i++) {
        p.version = order[i];
        assert_ok(wf_procedure_put(txn, &p, &t->err), t->err);
    }
    teststore_commit(t, txn);
    txn = teststore_begin(t, false);
    assert_int_equal(wf_txn_counts(txn)->procedures, 3);
    assert_ok(wf_procedure_get(txn, p.code, 2, t->arena, &out, &t->err), t->err);
    assert_int_equal(out.source.len, 4);
    assert_int_equal(wf_procedure_get(txn, p.code, 4, t->arena, &out, &t->err), WF_NONE);
    assert_ok(wf_procedure_each(txn, t->arena, count_procedure, &versions, &t->err), t->err);
    assert_int_equal(versions, 123);
    wf_txn_abort(txn);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dossier_comes_back_as_it_was_put),
        TEST(dossiers_are_listed_by_procedure_state_site_and_due_time),
        TEST(every_active_state_of_parallel_regions_is_found),
        TEST(an_unchanged_index_is_not_written_and_a_closed_dossier_leaves_the_due_list),
        TEST(a_code_belongs_to_one_dossier_and_stays),
        TEST(a_number_series_counts_from_one_to_its_end),
        TEST(the_hashes_of_a_history_are_those_of_its_events),
        TEST(the_journal_chains_its_events_and_shows_a_dossiers_history),
        TEST(cursors_are_kept_by_name),
        TEST(a_queue_gives_what_is_due_in_order),
        TEST(a_retry_keeps_its_number_and_does_not_count_as_done),
        TEST(dead_letters_are_kept_shown_and_given_back),
        TEST(tasks_come_by_address_in_order_of_visibility),
        TEST(any_address_means_the_task_that_waits_longest_anywhere),
        TEST(a_leased_task_moves_in_the_order_and_a_deleted_one_leaves_it),
        TEST(timers_fire_in_order_and_once),
        TEST(a_request_is_found_by_its_party_and_id_alone),
        TEST(old_requests_are_pruned_a_few_rows_at_a_time),
        TEST(procedures_are_kept_by_code_and_version_and_raise_the_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

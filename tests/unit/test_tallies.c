/* SPDX-License-Identifier: Apache-2.0 */
/* Tallies: whatever happens to dossiers, the numbers are those that a count would give. */
#include "support/test.h"

#include "store/txn.h"
#include "support/teststore.h"

#define DOSSIERS   120
#define ROUNDS     150
#define HOUR_MS    (INT64_C(3600) * 1000)
#define PROCEDURES 3
#define STATES     6

static const char *const procedures[PROCEDURES] = {"1.004873", "1.000894", "2.001885"};
static const char *const states[STATES] = {"receive", "review", "consult", "pay", "deliver", "x"};

/* A dossier as it should stand, and its record made of that. */
struct model {
    uint64_t id;
    int procedure, state, second; /* second = -1: in one state only */
    int64_t due;
    bool closed;
};

static struct teststore t;
static struct model dossiers[DOSSIERS];

static int set_up(void **state)
{
    (void)state;
    teststore_create(&t, NULL);
    teststore_open(&t);
    memset(dossiers, 0, sizeof(dossiers));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    teststore_fini(&t);
    return 0;
}

static struct wf_rec_dossier record_of(const struct model *m)
{
    struct wf_value *list = wf_list(t.arena);
    (void)wf_list_add(t.arena, list, wf_text(t.arena, states[m->state]));
    if (m->second >= 0 && m->second != m->state)
        (void)wf_list_add(t.arena, list, wf_text(t.arena, states[m->second]));
    return (struct wf_rec_dossier){.id = m->id,
                                   .procedure = wf_str(procedures[m->procedure]),
                                   .site = wf_str("s"),
                                   .due = m->due,
                                   .closed = m->closed ? 1 : 0,
                                   .states = list};
}

/* Due within a thousand hours around 1970, so that hours before it are met as well. */
static struct model random_model(const struct model *before)
{
    struct model m = *before;
    m.state = rand() % STATES;
    m.second = rand() % (STATES + 2) < STATES ? rand() % STATES : -1;
    m.due = rand() % 4 == 0 ? 0 : (rand() % 1000 - 500) * (HOUR_MS / 2) + rand() % 1000;
    m.closed = rand() % 5 == 0;
    if (m.id == 0)
        m.procedure = rand() % PROCEDURES;
    return m;
}

static void change_some(struct wf_txn *txn, struct model *now, int n)
{
    for (int i = 0; i < n; i++) {
        struct model *m = &now[rand() % DOSSIERS];
        struct wf_rec_dossier before = record_of(m);
        bool is_new = m->id == 0;
        *m = random_model(m);
        if (is_new)
            m->id = wf_dossier_new_id(txn);
        struct wf_rec_dossier after = record_of(m);
        assert_ok(wf_dossier_put(txn, is_new ? NULL : &before, &after, &t.err), t.err);
        wf_arena_reset(t.arena);
    }
}

/* ---- counting anew --------------------------------------------------------------------------- */

static uint64_t count_state(int procedure, const char *state)
{
    uint64_t n = 0;
    for (size_t i = 0; i < DOSSIERS; i++) {
        const struct model *m = &dossiers[i];
        if (m->id == 0 || m->closed || m->procedure != procedure)
            continue;
        bool is_in = state == NULL || strcmp(states[m->state], state) == 0 ||
                     (m->second >= 0 && strcmp(states[m->second], state) == 0);
        n += is_in ? 1 : 0;
    }
    return n;
}

static uint64_t count_due(int64_t before)
{
    uint64_t n = 0;
    for (size_t i = 0; i < DOSSIERS; i++) {
        const struct model *m = &dossiers[i];
        n += m->id != 0 && !m->closed && m->due != 0 && m->due < before ? 1 : 0;
    }
    return n;
}

struct listed {
    uint64_t n[PROCEDURES][STATES + 1]; /* the last is the whole procedure */
};

static int list_one(void *context, struct wf_str procedure, struct wf_str state, uint64_t n)
{
    struct listed *listed = context;
    assert_true(n > 0);
    for (int p = 0; p < PROCEDURES; p++) {
        for (int s = 0; s <= STATES; s++) {
            if (wf_str_is(procedure, procedures[p]) &&
                wf_str_is(state, s < STATES ? states[s] : ""))
                listed->n[p][s] += n;
        }
    }
    return 0;
}

static void assert_counted(void)
{
    struct wf_txn *txn = teststore_begin(&t, false);
    struct listed listed = {0};
    assert_ok(wf_tally_each(txn, list_one, &listed, &t.err), t.err);
    for (int p = 0; p < PROCEDURES; p++) {
        for (int s = 0; s < STATES; s++)
            assert_int_equal(listed.n[p][s], count_state(p, states[s]));
        assert_int_equal(listed.n[p][STATES], count_state(p, NULL));
    }
    for (int i = 0; i < 50; i++) {
        int64_t before = (rand() % 1100 - 550) * (HOUR_MS / 2) + rand() % 2000;
        uint64_t n = UINT64_MAX;
        assert_ok(wf_tally_due_before(txn, before, &n, &t.err), t.err);
        assert_int_equal(n, count_due(before));
    }
    wf_txn_abort(txn);
}

static void name_it(void *context, const char *name, const char *text)
{
    (void)context;
    print_message("%s: %s\n", name, text);
}

static uint64_t findings(void)
{
    struct wf_check sum = {0};
    assert_ok(wf_store_check(t.store, name_it, NULL, &sum, &t.err), t.err);
    return sum.findings;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void tallies_are_what_a_count_gives(void **state)
{
    (void)state;
    const char *seed = getenv("SEED");
    unsigned number = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : 1;
    print_message("SEED=%u\n", number);
    srand(number);
    for (int round = 0; round < ROUNDS; round++) {
        struct model now[DOSSIERS];
        struct wf_txn *txn = teststore_begin(&t, true);
        memcpy(now, dossiers, sizeof(now));
        change_some(txn, now, 1 + rand() % 60);
        if (rand() % 4 == 0) {
            wf_txn_abort(txn); /* nothing of it may be counted */
            continue;
        }
        teststore_commit(&t, txn);
        memcpy(dossiers, now, sizeof(now));
        if (round % 10 == 0)
            assert_counted();
    }
    assert_counted();
}

static void a_store_without_tallies_is_counted_anew(void **state)
{
    (void)state;
    struct wf_txn *txn = teststore_begin(&t, true);
    change_some(txn, dossiers, 400);
    teststore_commit(&t, txn);
    txn = teststore_begin(&t, true);
    struct wf_key key;
    struct wf_slice value;
    wf_key_start(&key);
    while (wf_txn_seek(txn, WF_TABLE_TALLIES, &key, 0, &value, &t.err) == 0) {
        assert_ok(wf_txn_del(txn, WF_TABLE_TALLIES, &key, &t.err), t.err);
        wf_key_start(&key);
    }
    assert_ok(wf_tallies_fill(txn, &t.err), t.err);
    teststore_commit(&t, txn);
    assert_counted();
}

/* More tallies in one transaction than are gathered at a time. */
static void many_hours_in_one_transaction_are_all_counted(void **state)
{
    (void)state;
    struct wf_txn *txn = teststore_begin(&t, true);
    for (size_t i = 0; i < DOSSIERS; i++) {
        struct model *m = &dossiers[i];
        *m = (struct model){wf_dossier_new_id(txn), 0, 0, -1, (int64_t)(i + 1) * HOUR_MS, false};
        struct wf_rec_dossier d = record_of(m);
        assert_ok(wf_dossier_put(txn, NULL, &d, &t.err), t.err);
    }
    teststore_commit(&t, txn);
    assert_counted();
}

static void change_tally(const char *key_text, uint64_t n)
{
    struct wf_txn *txn = teststore_begin(&t, true);
    struct wf_key key;
    wf_key_start(&key);
    wf_key_text(&key, wf_str(key_text));
    assert_ok(wf_txn_put_number(txn, WF_TABLE_TALLIES, &key, n, WF_PUT_SET, &t.err), t.err);
    teststore_commit(&t, txn);
}

static void a_wrong_tally_is_found_and_stops_its_writer(void **state)
{
    (void)state;
    struct wf_txn *txn = teststore_begin(&t, true);
    struct model *m = &dossiers[0];
    *m = (struct model){wf_dossier_new_id(txn), 0, 0, -1, HOUR_MS, false};
    struct wf_rec_dossier before = record_of(m);
    assert_ok(wf_dossier_put(txn, NULL, &before, &t.err), t.err);
    teststore_commit(&t, txn);
    uint64_t as_it_was = findings(); /* the dossier has no content and no history */
    change_tally("p1.004873", 7);
    assert_int_equal(findings(), as_it_was + 2); /* the sum, and the tally */
    change_tally("p1.004873", 0);
    assert_int_equal(findings(), as_it_was + 2);
    txn = teststore_begin(&t, true);
    m->closed = true;
    struct wf_rec_dossier now = record_of(m);
    assert_ok(wf_dossier_put(txn, &before, &now, &t.err), t.err);
    assert_int_equal(wf_txn_commit(txn, &t.err), WF_E_CORRUPT);
    change_tally("p1.004873", 1);
    assert_int_equal(findings(), as_it_was);
}

/* ---- queue items that are retried, tasks that are leased ------------------------------------- */

static struct wf_counts counts(void)
{
    struct wf_txn *txn = teststore_begin(&t, false);
    struct wf_counts now = *wf_txn_counts(txn);
    wf_txn_abort(txn);
    return now;
}

static void retries_are_counted_and_the_flow_never_falls(void **state)
{
    (void)state;
    struct wf_rec_queue item = {.service = WF_ROUTING, .due = 10, .id = wf_str("a")};
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_ok(wf_queue_put(txn, &item, &t.err), t.err);
    teststore_commit(&t, txn);
    assert_int_equal(counts().retrying[WF_ROUTING], 0);

    txn = teststore_begin(&t, true);
    struct wf_rec_queue again = item;
    again.attempts = 1;
    again.due = 20;
    assert_ok(wf_queue_del(txn, &item, &t.err), t.err);
    assert_ok(wf_queue_put(txn, &again, &t.err), t.err);
    teststore_commit(&t, txn);
    struct wf_counts c = counts();
    assert_int_equal(c.retrying[WF_ROUTING], 1);
    assert_int_equal(c.done[WF_ROUTING] + c.again[WF_ROUTING], 1);
    assert_int_equal(c.queued[WF_ROUTING] + c.done[WF_ROUTING] + c.again[WF_ROUTING], 2);

    txn = teststore_begin(&t, true);
    again.attempts = 0; /* in its place */
    assert_ok(wf_queue_put(txn, &again, &t.err), t.err);
    assert_int_equal(wf_txn_counts(txn)->retrying[WF_ROUTING], 0);
    wf_txn_abort(txn);

    txn = teststore_begin(&t, true);
    again.attempts = 1;
    struct wf_rec_queue dead = again;
    assert_ok(wf_queue_bury(txn, &again, &dead, &t.err), t.err);
    teststore_commit(&t, txn);
    c = counts();
    assert_int_equal(c.retrying[WF_ROUTING], 0);
    assert_int_equal(c.done[WF_ROUTING] + c.again[WF_ROUTING], 2);
}

static void leased_tasks_are_counted(void **state)
{
    (void)state;
    struct wf_rec_task task = {
        .service = WF_RETURN, .activity = wf_str("return.deliver"), .to = wf_str("s")};
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_ok(wf_task_put_new(txn, &task, &t.err), t.err);
    struct wf_rec_task leased = task;
    leased.leased = true;
    leased.token = 1;
    leased.visible = 99;
    assert_ok(wf_task_update(txn, &task, &leased, &t.err), t.err);
    teststore_commit(&t, txn);
    assert_int_equal(counts().leased[WF_RETURN], 1);
    txn = teststore_begin(&t, true);
    assert_ok(wf_task_del(txn, &leased, &t.err), t.err);
    teststore_commit(&t, txn);
    assert_int_equal(counts().leased[WF_RETURN], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tallies_are_what_a_count_gives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_without_tallies_is_counted_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_hours_in_one_transaction_are_all_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_tally_is_found_and_stops_its_writer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(retries_are_counted_and_the_flow_never_falls, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(leased_tasks_are_counted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

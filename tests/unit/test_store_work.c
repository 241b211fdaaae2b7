/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of work, answers and definitions, each through its public functions. */
#include "support/test.h"

#include "support/teststore.h"
#include "workflow/hash.h"

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

static struct wf_rec_task put_task_for(struct teststore *t, struct wf_txn *txn, const char *to,
                                       const char *role, int64_t visible)
{
    struct wf_rec_task task = {.service = WF_VERIFICATION,
                               .visible = visible,
                               .activity = wf_str("verification.review"),
                               .to = wf_str(to),
                               .role = wf_str(role)};
    assert_ok(wf_task_put_new(txn, &task, &t->err), t->err);
    return task;
}

static struct wf_rec_task put_task(struct teststore *t, struct wf_txn *txn, const char *to,
                                   int64_t visible)
{
    return put_task_for(t, txn, to, "", visible);
}

static int first_task_for(struct teststore *t, struct wf_txn *txn, const char *to, const char *role,
                          int64_t now, struct wf_rec_task *out)
{
    return wf_task_first(txn, wf_str("verification.review"), wf_str(to), wf_str(role), now,
                         t->arena, out, &t->err);
}

static int first_task(struct teststore *t, struct wf_txn *txn, const char *to, int64_t now,
                      struct wf_rec_task *out)
{
    return first_task_for(t, txn, to, "clerk", now, out);
}

static void tasks_come_by_address_in_order_of_visibility(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_task out;
    struct wf_txn *txn = teststore_begin(t, true);
    assert_int_equal(first_task(t, txn, "s1", 999, &out), WF_NONE);
    put_task(t, txn, "s1", 30); /* 1 */
    put_task(t, txn, "s1", 10); /* 2 */
    put_task(t, txn, "s2", 20); /* 3 */
    put_task(t, txn, "s1", 10); /* 4 */
    assert_int_equal(first_task(t, txn, "s1", 9, &out), WF_NONE);
    assert_int_equal(first_task(t, txn, "s3", 999, &out), WF_NONE);
    assert_int_equal(wf_task_first(txn, wf_str("verification.check"), wf_str("*"), wf_str(""), 999,
                                   t->arena, &out, &t->err),
                     WF_NONE);
    static const uint64_t order[] = {2, 4, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(first_task(t, txn, "s1", 30, &out), 0);
        assert_int_equal(out.id, order[i]);
        assert_ok(wf_task_del(txn, &out, &t->err), t->err);
    }
    assert_int_equal(first_task(t, txn, "s1", 30, &out), WF_NONE);
    wf_txn_abort(txn);
}

static void any_address_means_the_task_that_waits_longest_anywhere(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_task out;
    struct wf_txn *txn = teststore_begin(t, true);
    for (int i = 0; i < 40; i++) {
        char to[8];
        (void)snprintf(to, sizeof(to), "s%d", i % 7);
        put_task_for(t, txn, to, i % 3 == 0 ? "clerk" : "",
                     1000 - 10 * (i / 2)); /* later ones are visible sooner */
    }
    int64_t at = 0;
    size_t n = 0;
    assert_int_equal(first_task(t, txn, "*", 809, &out), WF_NONE);
    while (first_task(t, txn, "*", 1000, &out) == 0) {
        assert_true(out.visible >= at);
        at = out.visible;
        n++;
        assert_ok(wf_task_del(txn, &out, &t->err), t->err);
    }
    assert_int_equal(n, 40);
    wf_txn_abort(txn);
}

static void a_role_gets_its_own_tasks_and_those_for_anyone_and_no_others(void **state)
{
    struct teststore *t = *state;
    struct wf_rec_task out;
    struct wf_txn *txn = teststore_begin(t, true);
    put_task_for(t, txn, "s1", "clerk", 30); /* 1 */
    put_task_for(t, txn, "s2", "", 20);      /* 2 */
    put_task_for(t, txn, "s1", "head", 5);   /* 3 */
    put_task_for(t, txn, "s1", "", 30);      /* 4 */
    static const struct {
        const char *to, *role;
        uint64_t id;
    } wanted[] = {
        {"*", "clerk", 2}, {"s1", "clerk", 1}, {"s1", "head", 3}, {"*", "head", 3},
        {"s1", "", 4},     {"*", "", 2},       {"s2", "head", 2}, {"s1", "nobody", 4},
    };
    for (size_t i = 0; i < WF_COUNT(wanted); i++) {
        assert_int_equal(first_task_for(t, txn, wanted[i].to, wanted[i].role, 99, &out), 0);
        assert_int_equal(out.id, wanted[i].id);
    }
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
    assert_int_equal(first_task(t, txn, "s1", 499, &out), WF_NONE);
    assert_int_equal(first_task(t, txn, "s1", 500, &out), 0);
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
    assert_int_equal(first_task(t, txn, "s1", 999, &out), WF_NONE);
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

/* Old by the time that the cell has run: what the clock showed has no say. */
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
        struct wf_rec_request request = {.ms = 1000 - i};
        assert_ok(wf_request_put(txn, wf_str("desk"), wf_str(id), &request, &t->err), t->err);
        wf_request_note_run(txn, 1);
    }
    size_t rounds = 0;
    do {
        assert_ok(wf_request_prune(txn, 3, 3, &position, &deleted, &t->err), t->err);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, teststore_setup, teststore_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_queue_gives_what_is_due_in_order),
        TEST(a_retry_keeps_its_number_and_does_not_count_as_done),
        TEST(dead_letters_are_kept_shown_and_given_back),
        TEST(tasks_come_by_address_in_order_of_visibility),
        TEST(any_address_means_the_task_that_waits_longest_anywhere),
        TEST(a_role_gets_its_own_tasks_and_those_for_anyone_and_no_others),
        TEST(a_leased_task_moves_in_the_order_and_a_deleted_one_leaves_it),
        TEST(timers_fire_in_order_and_once),
        TEST(a_request_is_found_by_its_party_and_id_alone),
        TEST(old_requests_are_pruned_a_few_rows_at_a_time),
        TEST(procedures_are_kept_by_code_and_version_and_raise_the_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What operators keep back for a while, and what goes on when they let it go. */
#include "support/test.h"

#include "support/steps.h"

#define START   "2026-11-30 09:10"
#define APPROVE "{'verdict': 'approve'}"
#define PAID    "{'paid': true, 'receipt': 'R-1'}"

static void review(struct cell *cell, const char *role)
{
    complete(cell, "verification.review", role, APPROVE);
}

static void refuse_withdrawal(struct cell *cell, const char *code)
{
    struct wf_msg_dossier_event withdraw = {.dossier = wf_str(code),
                                            .event = wf_str("withdraw"),
                                            .by = wf_str("an"),
                                            .role = wf_str("citizen")};
    refuse(cell, WF_INTAKE, WF_MSG_dossier_event, &withdraw, "held", "body.dossier");
}

static void refuse_submission(struct cell *cell, const char *procedure, const char *field)
{
    struct wf_msg_dossier_submit message = sample(cell, procedure);
    refuse(cell, WF_INTAKE, WF_MSG_dossier_submit, &message, "held", field);
}

/* Goes on from the desk to payment as any other: proves that the release has left nothing behind. */
static void walk_on(struct cell *cell, const char *code)
{
    review(cell, "civil_servant");
    assert_in(cell, code, "payment");
    complete(cell, "return.collect_fee", "clerk", PAID);
    assert_in(cell, code, "examine");
}

static void assert_nothing_is_held(struct cell *cell)
{
    struct wf_counts counts = cell_counts(cell);
    assert_int_equal(counts.holds + counts.releasing, 0);
    assert_int_equal(counts.held_timers + counts.held_tasks, 0);
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        assert_int_equal(counts.held[i], 0);
}

/* ---- each kind -------------------------------------------------------------------------------- */

static void a_dossier_on_hold_takes_no_events_and_gives_no_tasks(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    const char *other = submit(cell, MARRIAGE, "{}");
    cell_hold(cell, WF_HOLD_DOSSIER, code);
    refuse_withdrawal(cell, code);
    struct task task = claim(cell, "verification.review", "civil_servant");
    assert_string_equal(task.dossier, other); /* stands behind the held one */
    assert_no_task(cell, "verification.review", "civil_servant");
    assert_int_equal(cell_counts(cell).held_tasks, 1);
    finish(cell, &task, APPROVE);
    assert_in(cell, other, "payment");
    cell_verify(cell);
    cell_release(cell, WF_HOLD_DOSSIER, code);
    assert_times(cell, code, "operator.hold", 1);
    assert_times(cell, code, "operator.release", 1);
    complete(cell, "return.collect_fee", "clerk", PAID); /* of the other one */
    walk_on(cell, code);
    assert_nothing_is_held(cell);
    cell_close(cell);
}

/* The write lock is held meanwhile: many on hold are put aside in more than one fetch. */
static void a_fetch_finds_what_lies_behind_many_on_hold(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    struct task task;
    for (unsigned i = 0; i < 250; i++)
        assert_ok(cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &message,
                               &reply, &err),
                  err);
    cell_pump(cell);
    const char *code = submit(cell, BIRTH, "{}");
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    assert_false(claim_if_any(cell, "verification.review", SITE, "civil_servant", &task));
    assert_int_equal(cell_counts(cell).held_tasks, 200);
    assert_true(claim_if_any(cell, "verification.review", SITE, "civil_servant", &task));
    assert_string_equal(task.dossier, code);
    assert_int_equal(cell_counts(cell).held_tasks, 250);
    cell_release(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void what_names_no_dossier_cannot_be_held(void **state)
{
    static const char *const names[] = {"#0", "#x", "#1x", "#", "#99", "nobody"};
    (void)state;
    struct cell *cell = cell_new(START);
    (void)submit(cell, MARRIAGE, "{}");
    for (size_t i = 0; i < WF_COUNT(names); i++) {
        struct wf_error err = {0};
        assert_int_equal(cell_try_hold(cell, WF_HOLD_DOSSIER, names[i], &err), WF_E_NOT_FOUND);
    }
    assert_nothing_is_held(cell);
    cell_hold(cell, WF_HOLD_DOSSIER, "#1");
    cell_release(cell, WF_HOLD_DOSSIER, "#1");
    cell_close(cell);
}

static void a_lease_that_runs_is_completed_and_what_follows_waits(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    cell_hold(cell, WF_HOLD_DOSSIER, code);
    finish(cell, &task, APPROVE);
    assert_in(cell, code, "payment");
    assert_no_task(cell, "return.collect_fee", "clerk");
    struct wf_counts counts = cell_counts(cell);
    assert_true(counts.held[WF_RETURN] > 0);
    assert_int_equal(counts.queued[WF_RETURN], 0);
    cell_release(cell, WF_HOLD_DOSSIER, code);
    cell_pump(cell);
    complete(cell, "return.collect_fee", "clerk", PAID);
    assert_in(cell, code, "examine");
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void the_end_of_a_dossier_waits_too_and_then_there_is_nothing_to_hold(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    say(cell, code, "withdraw", "citizen");
    struct task task = claim(cell, "verification.review", "head");
    cell_hold(cell, WF_HOLD_DOSSIER, code);
    finish(cell, &task, APPROVE);
    assert_false(look_up(cell, code)->closed); /* the archive's work waits */
    cell_release(cell, WF_HOLD_DOSSIER, code);
    cell_pump(cell);
    assert_closed(cell, code, "withdrawn");
    struct wf_error err = {0};
    assert_int_equal(cell_try_hold(cell, WF_HOLD_DOSSIER, code, &err), WF_E_STATE);
    assert_times(cell, code, "operator.release", 1);
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void a_lease_that_ran_out_during_a_hold_can_still_be_completed(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    cell_hold(cell, WF_HOLD_DOSSIER, code);
    cell_advance(cell, "2 minutes");
    assert_no_task(cell, "verification.review", "civil_servant"); /* put aside by this look */
    assert_int_equal(cell_counts(cell).held_tasks, 1);
    finish(cell, &task, APPROVE);
    assert_int_equal(cell_counts(cell).held_tasks, 0);
    assert_in(cell, code, "payment");
    cell_release(cell, WF_HOLD_DOSSIER, code);
    cell_close(cell);
}

static void a_procedure_on_hold_takes_no_dossiers_and_its_timers_wait(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    const char *other = submit(cell, COPY, "{}");
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    refuse_submission(cell, MARRIAGE, "body.procedure");
    refuse_withdrawal(cell, code);
    (void)submit(cell, COPY, "{}");
    assert_due(cell, code, "2026-12-03 09:10");
    cell_advance(cell, "10 days");
    assert_times(cell, code, "overdue", 0);
    assert_true(times(cell, other, "deadline.accept") + times(cell, other, "overdue") > 0);
    assert_true(cell_counts(cell).held_timers > 0);
    cell_release(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    assert_due(cell, code, "2026-12-03 09:10"); /* the clock has gone on */
    cell_pump(cell);
    assert_times(cell, code, "overdue", 1);
    walk_on(cell, code);
    (void)submit(cell, MARRIAGE, "{}");
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void a_site_on_hold_keeps_back_what_was_received_there(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    cell_hold(cell, WF_HOLD_SITE, SITE);
    refuse_submission(cell, COPY, "body.site");
    refuse_withdrawal(cell, code);
    assert_no_task(cell, "verification.review", "civil_servant");
    struct wf_msg_dossier_submit elsewhere = sample(cell, MARRIAGE);
    elsewhere.site = wf_str(SITE_MANDATED);
    elsewhere.role = wf_str("postal_worker");
    (void)submit_message(cell, &elsewhere);
    cell_release(cell, WF_HOLD_SITE, SITE);
    walk_on(cell, code);
    cell_close(cell);
}

static void the_queue_of_an_activity_on_hold_keeps_its_items_in_order(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *codes[4];
    cell_hold(cell, WF_HOLD_QUEUE, "verification.check");
    for (size_t i = 0; i < WF_COUNT(codes); i++) {
        codes[i] = submit(cell, MARRIAGE, "{}");
        assert_times(cell, codes[i], "done.invoke.check", 0);
        cell_advance(cell, "1 minute");
    }
    assert_int_equal(cell_counts(cell).held[WF_VERIFICATION], WF_COUNT(codes));
    cell_release(cell, WF_HOLD_QUEUE, "verification.check");
    cell_pump(cell);
    for (size_t i = 0; i < WF_COUNT(codes); i++) {
        struct task task = claim(cell, "verification.review", "civil_servant");
        assert_string_equal(task.dossier, codes[i]);
        finish(cell, &task, APPROVE);
    }
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void the_queue_of_a_service_on_hold_stops_that_service_only(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    cell_hold(cell, WF_HOLD_QUEUE, "return");
    const char *code = submit(cell, MARRIAGE, "{}");
    review(cell, "civil_servant");
    assert_in(cell, code, "payment");
    assert_no_task(cell, "return.collect_fee", "clerk");
    assert_true(send_notices(cell) > 0);
    cell_release(cell, WF_HOLD_QUEUE, "return");
    cell_pump(cell);
    complete(cell, "return.collect_fee", "clerk", PAID);
    assert_in(cell, code, "examine");
    cell_close(cell);
}

static void the_queue_of_intake_on_hold_takes_no_dossiers(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    cell_hold(cell, WF_HOLD_QUEUE, "intake.register");
    refuse_submission(cell, MARRIAGE, "");
    cell_release(cell, WF_HOLD_QUEUE, "intake.register");
    (void)submit(cell, MARRIAGE, "{}");
    cell_close(cell);
}

static void a_cell_on_hold_works_off_what_it_has(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    cell_hold(cell, WF_HOLD_CELL, "");
    refuse_submission(cell, COPY, "");
    finish(cell, &task, APPROVE);
    assert_in(cell, code, "payment");
    assert_no_task(cell, "return.collect_fee", "clerk");
    assert_int_equal(cell_counts(cell).held_tasks, 0); /* not put aside: only not given out */
    say(cell, code, "withdraw", "citizen");
    assert_in(cell, code, "withdrawal");
    cell_release(cell, WF_HOLD_CELL, "");
    review(cell, "head");
    assert_closed(cell, code, "withdrawn");
    cell_close(cell);
}

/* ---- several, and half-way ---------------------------------------------------------------------- */

static void what_is_held_twice_goes_on_when_both_are_released(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    cell_hold(cell, WF_HOLD_DOSSIER, code);
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    cell_hold(cell, WF_HOLD_SITE, SITE);
    cell_advance(cell, "10 days");
    assert_no_task(cell, "verification.review", "civil_servant");
    const enum wf_hold_kind kinds[] = {WF_HOLD_PROCEDURE, WF_HOLD_DOSSIER};
    const char *const names[] = {MARRIAGE, code};
    for (size_t i = 0; i < WF_COUNT(kinds); i++) {
        cell_release(cell, kinds[i], names[i]);
        cell_pump(cell);
        refuse_withdrawal(cell, code);
        assert_no_task(cell, "verification.review", "civil_servant");
        assert_times(cell, code, "overdue", 0);
        cell_verify(cell);
    }
    cell_release(cell, WF_HOLD_SITE, SITE);
    cell_pump(cell);
    assert_times(cell, code, "overdue", 1);
    walk_on(cell, code);
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void a_release_that_breaks_off_is_gone_on_with(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *codes[5];
    for (size_t i = 0; i < WF_COUNT(codes); i++)
        codes[i] = submit(cell, MARRIAGE, "{}");
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    cell_advance(cell, "10 days");
    assert_no_task(cell, "verification.review", "civil_servant");
    uint64_t held = cell_counts(cell).held_tasks + cell_counts(cell).held_timers;
    cell_lift(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    assert_true(cell_put_back(cell, 2)); /* and whoever did it dies */
    struct wf_counts counts = cell_counts(cell);
    assert_int_equal(counts.held_tasks + counts.held_timers, held - 2);
    cell_verify(cell);
    cell_pump(cell); /* what is back goes on beside what is not */
    while (cell_put_back(cell, 2))
        cell_pump(cell);
    for (size_t i = 0; i < WF_COUNT(codes); i++) {
        assert_times(cell, codes[i], "overdue", 1);
        walk_on(cell, codes[i]);
    }
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void a_hold_taken_back_half_way_keeps_what_it_has(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *one = submit(cell, MARRIAGE, "{}");
    const char *two = submit(cell, MARRIAGE, "{}");
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    assert_no_task(cell, "verification.review", "civil_servant");
    cell_lift(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    assert_true(cell_put_back(cell, 1));
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    assert_no_task(cell, "verification.review", "civil_servant");
    assert_int_equal(cell_counts(cell).held_tasks, 2);
    cell_release(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    walk_on(cell, one);
    walk_on(cell, two);
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void timers_put_aside_go_when_their_state_is_left(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    cell_advance(cell, "3 days"); /* past the deadline of this state */
    uint64_t held = cell_counts(cell).held_timers;
    assert_true(held > 0);
    finish(cell, &task, APPROVE);
    assert_in(cell, code, "payment");
    assert_true(cell_counts(cell).held_timers < held);
    cell_release(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    cell_pump(cell);
    assert_times(cell, code, "deadline.accept", 0);
    assert_nothing_is_held(cell);
    cell_close(cell);
}

/* ---- acts --------------------------------------------------------------------------------------- */

static void what_concerns_no_dossier_is_in_the_journal_of_the_cell(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_rec_event event = {0};
    struct wf_error err = {0};
    cell_hold(cell, WF_HOLD_SITE, SITE);
    cell_release(cell, WF_HOLD_SITE, SITE);
    struct wf_txn *txn = cell_read(cell);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        assert_ok(wf_journal_get(txn, seq, cell->arena, &event, NULL, &err), err);
        assert_int_equal(event.dossier, 0);
        assert_int_equal(event.n, seq);
        assert_string_equal(event.by.ptr, "operator");
        assert_string_equal(wf_value_text(wf_map_get(event.data, "kind"), ""), "site");
        assert_string_equal(wf_value_text(wf_map_get(event.data, "name"), ""), SITE);
        assert_string_equal(event.event.ptr, seq == 1 ? "operator.hold" : "operator.release");
    }
    wf_txn_abort(txn);
    cell_close(cell);
}

static void holds_of_what_is_not_there_are_refused(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_error err = {0};
    const struct {
        enum wf_hold_kind kind;
        const char *name;
        int rc;
    } wrong[] = {
        {WF_HOLD_DOSSIER, "000.00.13.H30-261130-9999", WF_E_NOT_FOUND},
        {WF_HOLD_DOSSIER, "#77", WF_E_NOT_FOUND},
        {WF_HOLD_PROCEDURE, "9.999999", WF_E_NOT_FOUND},
        {WF_HOLD_QUEUE, "postoffice", WF_E_NOT_FOUND},
        {WF_HOLD_QUEUE, "routing.guess", WF_E_NOT_FOUND},
        {WF_HOLD_SITE, "000.99.99.H99", WF_E_NOT_FOUND},
        {WF_HOLD_KINDS, "", WF_E_INVALID},
    };
    for (size_t i = 0; i < WF_COUNT(wrong); i++)
        assert_int_equal(cell_try_hold(cell, wrong[i].kind, wrong[i].name, &err), wrong[i].rc);
    cell_hold(cell, WF_HOLD_QUEUE, "routing");
    assert_int_equal(cell_try_hold(cell, WF_HOLD_QUEUE, "routing", &err), WF_E_STATE);
    assert_non_null(strstr(err.text, "audit of the stamps"));
    cell_release(cell, WF_HOLD_QUEUE, "routing");
    assert_int_equal(cell_counts(cell).journal_seq, 2);
    cell_close(cell);
}

/* The site left sites.cfg, the procedure and the activity their files, while they were on hold. */
static void what_is_no_longer_there_can_still_be_released(void **state)
{
    (void)state;
    static const struct {
        enum wf_hold_kind kind;
        const char *name;
    } gone[] = {{WF_HOLD_SITE, "000.99.99.H99"},
                {WF_HOLD_PROCEDURE, "9.999999"},
                {WF_HOLD_QUEUE, "routing.guess"}};
    struct cell *cell = cell_new(START);
    struct wf_error err = {0};
    struct wf_txn *txn = NULL;
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    for (size_t i = 0; i < WF_COUNT(gone); i++) {
        struct wf_rec_hold hold = {.kind = gone[i].kind,
                                   .name = wf_str(gone[i].name),
                                   .by = wf_str("operator"),
                                   .reason = wf_str("flood"),
                                   .since = cell->now};
        assert_ok(wf_hold_put(txn, NULL, &hold, &err), err);
    }
    assert_ok(wf_txn_commit(txn, &err), err);
    assert_int_equal(cell_counts(cell).holds, WF_COUNT(gone));
    for (size_t i = 0; i < WF_COUNT(gone); i++)
        cell_release(cell, gone[i].kind, gone[i].name);
    assert_nothing_is_held(cell);
    cell_close(cell);
}

static void a_part_is_held_with_its_whole(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_rec_dossier part = {.id = 7, .parent = 1};
    const struct wf_hold_scope scope = {.dossier = &part, .service = -1};
    struct wf_rec_hold holds[WF_HOLDS_OVER];
    struct wf_error err = {0};
    size_t n = 0;
    const char *code = submit(cell, MARRIAGE, "{}"); /* id 1 */
    cell_hold(cell, WF_HOLD_DOSSIER, code);
    struct wf_txn *txn = cell_read(cell);
    assert_ok(wf_holds_over(txn, &scope, cell->arena, holds, &n, &err), err);
    wf_txn_abort(txn);
    assert_int_equal(n, 1);
    assert_string_equal(holds[0].name.ptr, code);
    cell_release(cell, WF_HOLD_DOSSIER, code);
    cell_close(cell);
}

/* ---- at random ---------------------------------------------------------------------------------- */

struct chance {
    enum wf_hold_kind kind;
    const char *name;
    bool is_held;
};

static void turn_over(struct cell *cell, struct chance *chance)
{
    if (chance->is_held)
        cell_lift(cell, chance->kind, chance->name); /* put back later, or in between */
    else
        cell_hold(cell, chance->kind, chance->name);
    chance->is_held = !chance->is_held;
}

static void work_at_random(struct cell *cell)
{
    static const char *const offers[][2] = {{"verification.review", "civil_servant"},
                                            {"verification.review", "specialist"},
                                            {"verification.review", "signing_authority"},
                                            {"return.collect_fee", "clerk"}};
    size_t i = (size_t)cell_random(cell, WF_COUNT(offers));
    struct task task;
    if (!claim_if_any(cell, offers[i][0], "*", offers[i][1], &task))
        return;
    if (cell_random(cell, 5) == 0)
        give_up(cell, &task, "busy", false);
    else
        finish(cell, &task, i == 3 ? PAID : APPROVE);
}

static void nothing_is_lost_or_doubled_by_holds_at_random(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *codes[8];
    struct chance chances[] = {
        {WF_HOLD_PROCEDURE, MARRIAGE, false},   {WF_HOLD_SITE, SITE, false},
        {WF_HOLD_QUEUE, "verification", false}, {WF_HOLD_QUEUE, "notification.send", false},
        {WF_HOLD_DOSSIER, NULL, false},         {WF_HOLD_CELL, "", false},
        {WF_HOLD_QUEUE, "return", false},
    };
    for (size_t i = 0; i < WF_COUNT(codes); i++)
        codes[i] = submit(cell, MARRIAGE, "{}");
    chances[4].name = codes[3];
    for (int step = 0; step < 150; step++) {
        struct chance *chance = &chances[cell_random(cell, WF_COUNT(chances))];
        if (cell_random(cell, 3) == 0 && !is_in(cell, codes[3], "closed"))
            turn_over(cell, chance);
        if (cell_random(cell, 2) == 0)
            (void)cell_put_back(cell, 1 + cell_random(cell, 4));
        work_at_random(cell);
        if (cell_random(cell, 4) == 0)
            cell_advance(cell, "15 minutes");
        if (step % 25 == 0)
            cell_verify(cell);
    }
    for (size_t i = 0; i < WF_COUNT(chances); i++) {
        if (chances[i].is_held)
            cell_lift(cell, chances[i].kind, chances[i].name);
    }
    while (cell_put_back(cell, 5))
        ;
    cell_pump(cell);
    assert_nothing_is_held(cell);
    for (int i = 0; i < 400; i++) {
        work_at_random(cell);
        if (i % 20 == 0)
            cell_advance(cell, "10 minutes");
    }
    for (size_t i = 0; i < WF_COUNT(codes); i++) {
        assert_times(cell, codes[i], "done.invoke.register", 1);
        assert_times(cell, codes[i], "done.invoke.check", 1);
        assert_true(look_up(cell, codes[i])->status > 2);
    }
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dossier_on_hold_takes_no_events_and_gives_no_tasks),
        cmocka_unit_test(what_names_no_dossier_cannot_be_held),
        cmocka_unit_test(a_fetch_finds_what_lies_behind_many_on_hold),
        cmocka_unit_test(a_lease_that_runs_is_completed_and_what_follows_waits),
        cmocka_unit_test(the_end_of_a_dossier_waits_too_and_then_there_is_nothing_to_hold),
        cmocka_unit_test(a_lease_that_ran_out_during_a_hold_can_still_be_completed),
        cmocka_unit_test(a_procedure_on_hold_takes_no_dossiers_and_its_timers_wait),
        cmocka_unit_test(a_site_on_hold_keeps_back_what_was_received_there),
        cmocka_unit_test(the_queue_of_an_activity_on_hold_keeps_its_items_in_order),
        cmocka_unit_test(the_queue_of_a_service_on_hold_stops_that_service_only),
        cmocka_unit_test(the_queue_of_intake_on_hold_takes_no_dossiers),
        cmocka_unit_test(a_cell_on_hold_works_off_what_it_has),
        cmocka_unit_test(what_is_held_twice_goes_on_when_both_are_released),
        cmocka_unit_test(a_release_that_breaks_off_is_gone_on_with),
        cmocka_unit_test(a_hold_taken_back_half_way_keeps_what_it_has),
        cmocka_unit_test(timers_put_aside_go_when_their_state_is_left),
        cmocka_unit_test(what_concerns_no_dossier_is_in_the_journal_of_the_cell),
        cmocka_unit_test(holds_of_what_is_not_there_are_refused),
        cmocka_unit_test(what_is_no_longer_there_can_still_be_released),
        cmocka_unit_test(a_part_is_held_with_its_whole),
        cmocka_unit_test(nothing_is_lost_or_doubled_by_holds_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

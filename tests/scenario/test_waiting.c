/* SPDX-License-Identifier: Apache-2.0 */
/* What takes time: supplements, payment, withdrawal, being overdue. */
#include "support/test.h"

#include "support/steps.h"

#define APPROVE "{'verdict': 'approve'}"
#define PAID    "{'paid': true, 'receipt': 'R-1'}"
#define MORE    "{'verdict': 'supplement', 'reason': 'thiếu bản sao', 'items': ['identity']}"

static void review(struct cell *cell, const char *role, const char *result)
{
    complete(cell, "verification.review", role, result);
}

/* A marital status dossier that a specialist has on the desk. */
static const char *on_the_desk(struct cell *cell)
{
    const char *code = submit(cell, MARRIAGE, "{}");
    review(cell, "civil_servant", APPROVE);
    complete(cell, "return.collect_fee", "clerk", PAID);
    assert_in(cell, code, "examine");
    return code;
}

static void a_supplement_stops_the_clock_and_moves_the_due_date(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = on_the_desk(cell);
    assert_due(cell, code, "2026-12-03 09:10");
    review(cell, "specialist", MORE);
    assert_in(cell, code, "supplement");
    assert_status(cell, code, 5);
    assert_notices(cell, code, "supplement", 1);
    cell_advance(cell, "4 days"); /* beyond the old due date */
    assert_times(cell, code, "overdue", 0);
    struct task task = claim(cell, "intake.supplement", "clerk");
    finish(
        cell, &task,
        "{'papers': [{'id': 'end_of_marriage', 'kind': 'copy'}], 'fields': {'purpose': 'loan'}}");
    assert_in(cell, code, "examine");
    assert_due(cell, code, "2026-12-07 09:10"); /* four days on */
    const struct wf_value *content = look_up(cell, code)->content;
    assert_string_equal(wf_value_text(wf_value_at(content, "fields.purpose"), ""), "loan");
    assert_int_equal(wf_value_count(wf_value_at(content, "papers")), 3);
    review(cell, "specialist", APPROVE);
    review(cell, "signing_authority", APPROVE);
    cell_close(cell);
}

static void a_supplement_that_never_comes_lapses(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = on_the_desk(cell);
    review(cell, "specialist", MORE);
    cell_advance(cell, "9 days");
    assert_in(cell, code, "supplement");
    cell_advance(cell, "2 days");
    assert_closed(cell, code, "lapsed");
    assert_notices(cell, code, "stopped", 1);
    assert_no_task(cell, "intake.supplement", "clerk");
    cell_close(cell);
}

static void a_partial_dossier_waits_for_its_papers_before_acceptance(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    message.papers = json(cell->arena, "[{'id': 'declaration', 'kind': 'original'}]");
    message.partial = true;
    const char *code = submit_message(cell, &message);
    assert_in(cell, code, "incomplete");
    struct task task = claim(cell, "intake.supplement", "clerk");
    finish(cell, &task, "{'papers': []}"); /* nothing brought: asked again */
    assert_in(cell, code, "incomplete");
    assert_times(cell, code, "done.invoke.check", 2);
    task = claim(cell, "intake.supplement", "clerk");
    finish(cell, &task, "{'papers': [{'id': 'identity', 'kind': 'copy'}]}");
    assert_in(cell, code, "accept");
    cell_close(cell);
}

static void a_refusal_at_reception_ends_as_not_accepted(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, COPY, "{}");
    review(cell, "civil_servant", "{'verdict': 'refuse', 'reason': 'bản chính bị tẩy xóa'}");
    assert_closed(cell, code, "refused");
    assert_status(cell, code, 3);
    assert_notices(cell, code, "refused", 1);
    cell_close(cell);
}

static void a_refusal_on_substance_ends_as_refused(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = on_the_desk(cell);
    review(cell, "specialist", "{'verdict': 'refuse', 'reason': 'đang có vợ'}");
    assert_closed(cell, code, "refused");
    assert_status(cell, code, 8);
    cell_close(cell);
}

static void a_withdrawal_is_confirmed_by_the_head(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = on_the_desk(cell);
    say(cell, code, "withdraw", "citizen");
    assert_in(cell, code, "withdrawal");
    assert_status(cell, code, 7);
    assert_no_task(cell, "verification.review", "specialist"); /* taken off the desk */
    review(cell, "head", APPROVE);
    assert_closed(cell, code, "withdrawn");
    cell_close(cell);
}

static void a_withdrawal_that_is_not_confirmed_goes_back_to_where_it_was(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = on_the_desk(cell);
    say(cell, code, "withdraw", "postal_worker");
    review(cell, "head", "{'verdict': 'refuse', 'reason': 'đã ký'}");
    assert_in(cell, code, "examine");
    review(cell, "specialist", APPROVE);
    assert_in(cell, code, "sign");
    cell_close(cell);
}

static void an_overdue_dossier_gets_one_apology_and_a_new_date(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = on_the_desk(cell);
    cell_advance_to(cell, cell_moment(cell, "2026-12-03 09:09"));
    assert_times(cell, code, "overdue", 0);
    cell_advance_to(cell, cell_moment(cell, "2026-12-03 09:10"));
    assert_times(cell, code, "overdue", 1);
    assert_due(cell, code, "2026-12-08 09:10"); /* three working days more */
    assert_notices(cell, code, "apology", 1);
    cell_advance_to(cell, cell_moment(cell, "2026-12-31 09:10"));
    assert_times(cell, code, "overdue", 2);
    assert_notices(cell, code, "apology", 1);
    review(cell, "specialist", APPROVE); /* being late refuses nothing */
    assert_in(cell, code, "sign");
    cell_close(cell);
}

static void a_late_acceptance_is_reported_to_the_head(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    cell_advance(cell, "9 working hours");
    assert_in(cell, code, "accept");
    complete(cell, "routing.escalate", "head", "{'reason': 'thiếu người trực'}");
    assert_in(cell, code, "accept");
    cell_close(cell);
}

static void a_fee_that_is_not_paid_in_time_stops_the_dossier(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    review(cell, "civil_servant", APPROVE);
    assert_in(cell, code, "payment");
    cell_advance(cell, "6 days");
    assert_closed(cell, code, "stopped");
    assert_times(cell, code, "overdue", 0);
    cell_close(cell);
}

static void waiting_for_payment_moves_the_due_date(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    review(cell, "civil_servant", APPROVE);
    cell_advance(cell, "1 day");
    complete(cell, "return.collect_fee", "clerk", PAID);
    assert_due(cell, code, "2026-12-04 09:10");
    assert_status(cell, code, 4);
    cell_close(cell);
}

static void an_uncollected_result_is_remembered_once(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, BIRTH, "{}");
    review(cell, "civil_servant", APPROVE);
    review(cell, "specialist", APPROVE);
    review(cell, "signing_authority", APPROVE);
    assert_notices(cell, code, "ready", 1);
    cell_advance(cell, "100 days");
    assert_in(cell, code, "deliver");
    assert_notices(cell, code, "ready", 2);
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_supplement_stops_the_clock_and_moves_the_due_date),
        cmocka_unit_test(a_supplement_that_never_comes_lapses),
        cmocka_unit_test(a_partial_dossier_waits_for_its_papers_before_acceptance),
        cmocka_unit_test(a_refusal_at_reception_ends_as_not_accepted),
        cmocka_unit_test(a_refusal_on_substance_ends_as_refused),
        cmocka_unit_test(a_withdrawal_is_confirmed_by_the_head),
        cmocka_unit_test(a_withdrawal_that_is_not_confirmed_goes_back_to_where_it_was),
        cmocka_unit_test(an_overdue_dossier_gets_one_apology_and_a_new_date),
        cmocka_unit_test(a_late_acceptance_is_reported_to_the_head),
        cmocka_unit_test(a_fee_that_is_not_paid_in_time_stops_the_dossier),
        cmocka_unit_test(waiting_for_payment_moves_the_due_date),
        cmocka_unit_test(an_uncollected_result_is_remembered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

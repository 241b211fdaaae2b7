/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters: what they remember, and what operators may do about them. */
#include "support/test.h"

#include "support/steps.h"

#define START   "2026-11-30 09:10"
#define APPROVE "{'verdict': 'approve'}"

/* A dossier whose check could not even begin. */
static uint64_t bury_check(struct cell *cell, const char **out_code)
{
    struct wf_rec_queue dead;
    cell_hold(cell, WF_HOLD_QUEUE, "verification.check");
    *out_code = submit(cell, MARRIAGE, "{}");
    cell_release(cell, WF_HOLD_QUEUE, "verification.check");
    cell_bury_first(cell, WF_VERIFICATION);
    assert_true(cell_first_dead(cell, &dead));
    assert_int_equal(dead.kind, WF_QUEUE_START);
    return dead.seq;
}

/* A dossier whose review nobody could do. */
static uint64_t bury_review(struct cell *cell, const char **out_code)
{
    struct wf_rec_queue dead;
    *out_code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    give_up(cell, &task, "impossible", true);
    assert_true(cell_first_dead(cell, &dead));
    assert_int_equal(dead.kind, WF_QUEUE_TASK);
    return dead.seq;
}

static void a_dead_letter_remembers_its_last_failures(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = NULL;
    struct wf_rec_queue dead;
    uint64_t seq = bury_check(cell, &code);
    assert_true(cell_first_dead(cell, &dead));
    assert_int_equal(wf_value_count(dead.tries), 5);
    const struct wf_value *last = wf_list_at(dead.tries, 4);
    assert_int_equal(wf_value_int(wf_list_at(last, 0), 0), cell->now);
    assert_string_equal(wf_value_text(wf_list_at(last, 1), ""), "internal");
    assert_string_equal(wf_value_text(wf_list_at(last, 2), ""), "out of paper");
    for (int i = 0; i < 2; i++) { /* put back and failed again: no more than eight are kept */
        cell_hold(cell, WF_HOLD_DOSSIER, code);
        cell_retry_dead(cell, seq);
        cell_release(cell, WF_HOLD_DOSSIER, code);
        cell_bury_first(cell, WF_VERIFICATION);
    }
    assert_true(cell_first_dead(cell, &dead));
    assert_int_equal(wf_value_count(dead.tries), 8);
    cell_retry_dead(cell, seq);
    assert_in(cell, code, "accept");
    cell_close(cell);
}

static void a_task_remembers_the_failures_before_the_last(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_rec_queue dead;
    (void)submit(cell, MARRIAGE, "{}");
    for (int i = 0; i < 5; i++) {
        struct task task = claim(cell, "verification.review", "civil_servant");
        give_up(cell, &task, i < 4 ? "printer away" : "printer burnt", false);
        cell_advance(cell, "1 minute");
    }
    assert_true(cell_first_dead(cell, &dead));
    assert_int_equal(wf_value_count(dead.tries), 5);
    assert_string_equal(wf_value_text(wf_list_at(wf_list_at(dead.tries, 0), 2), ""),
                        "printer away");
    assert_string_equal(wf_value_text(wf_list_at(wf_list_at(dead.tries, 4), 2), ""),
                        "printer burnt");
    cell_retry_dead(cell, dead.seq);
    cell_close(cell);
}

static void skipped_work_counts_as_done_with_the_operators_result(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_error err = {0};
    const char *code = NULL;
    uint64_t seq = bury_review(cell, &code);
    assert_int_equal(cell_skip_dead(cell, seq, "{'verdict': 'perhaps'}", &err), WF_E_INVALID);
    assert_in(cell, code, "accept");
    assert_ok(cell_skip_dead(cell, seq, APPROVE, &err), err);
    assert_times(cell, code, "operator.skip", 1);
    assert_times(cell, code, "done.invoke.accept", 1);
    assert_times(cell, code, "error.communication", 0);
    assert_in(cell, code, "payment");
    cell_close(cell);
}

static void skipped_work_that_had_not_begun_counts_as_done(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_rec_queue dead;
    struct wf_error err = {0};
    const char *code = NULL;
    uint64_t seq = bury_check(cell, &code);
    assert_ok(cell_skip_dead(cell, seq, "{'complete': true, 'problems': []}", &err), err);
    assert_times(cell, code, "done.invoke.check", 1);
    assert_in(cell, code, "accept");
    assert_false(cell_first_dead(cell, &dead));
    cell_close(cell);
}

static void mended_data_are_checked_as_the_activity_takes_them(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_error err = {0};
    const char *code = NULL;
    uint64_t seq = bury_check(cell, &code);
    const uint64_t journal = cell_counts(cell).journal_seq;
    static const char *const wrong[] = {"{'params.colour': 'red'}", "{'colour': 'red'}",
                                        "{'to': 'x'}", "{'params.': 1}"};
    for (size_t i = 0; i < WF_COUNT(wrong); i++)
        assert_int_equal(cell_edit_dead(cell, seq, wrong[i], &err), WF_E_INVALID);
    assert_non_null(strstr(err.text, "params.NAME"));
    assert_int_equal(cell_counts(cell).journal_seq, journal);
    assert_ok(cell_edit_dead(cell, seq, "{}", &err), err);
    assert_times(cell, code, "operator.edit", 1);
    assert_in(cell, code, "accept");
    cell_close(cell);
}

static void a_task_is_mended_and_opened_at_another_address(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    struct wf_error err = {0};
    const char *code = NULL;
    uint64_t seq = bury_review(cell, &code);
    static const char *const wrong[] = {"{'to': 7}", "{'to': ''}", "{'params.colour': 1}"};
    for (size_t i = 0; i < WF_COUNT(wrong); i++)
        assert_int_equal(cell_edit_dead(cell, seq, wrong[i], &err), WF_E_INVALID);
    assert_ok(cell_edit_dead(cell, seq, "{'to': '000.00.14.H30'}", &err), err);
    struct task task;
    assert_true(claim_if_any(cell, "verification.review", "000.00.14.H30", "civil_servant", &task));
    assert_string_equal(task.dossier, code);
    cell_close(cell);
}

static void a_dead_letter_put_back_under_a_hold_waits_for_its_release(void **state)
{
    (void)state;
    struct cell *cell = cell_new(START);
    const char *code = NULL;
    uint64_t seq = bury_check(cell, &code);
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    cell_retry_dead(cell, seq);
    assert_times(cell, code, "done.invoke.check", 0);
    assert_int_equal(cell_counts(cell).held[WF_VERIFICATION], 1);
    cell_release(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    cell_pump(cell);
    assert_in(cell, code, "accept");
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_letter_remembers_its_last_failures),
        cmocka_unit_test(a_task_remembers_the_failures_before_the_last),
        cmocka_unit_test(skipped_work_counts_as_done_with_the_operators_result),
        cmocka_unit_test(skipped_work_that_had_not_begun_counts_as_done),
        cmocka_unit_test(mended_data_are_checked_as_the_activity_takes_them),
        cmocka_unit_test(a_task_is_mended_and_opened_at_another_address),
        cmocka_unit_test(a_dead_letter_put_back_under_a_hold_waits_for_its_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

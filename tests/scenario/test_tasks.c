/* SPDX-License-Identifier: Apache-2.0 */
/* Work done outside: leases, consultations, parcels, gateways, and what fails for good. */
#include "support/test.h"

#include "support/steps.h"

#define APPROVE   "{'verdict': 'approve'}"
#define PAID      "{'paid': true, 'receipt': 'R-1'}"
#define COMMUNE_1 "000.01.33.H30"
#define COMMUNE_2 "000.02.33.H30"

static const char *ready_dossier(struct cell *cell, const char *fields)
{
    const char *code = submit(cell, BIRTH, fields);
    complete(cell, "verification.review", "civil_servant", APPROVE);
    complete(cell, "verification.review", "specialist", APPROVE);
    complete(cell, "verification.review", "signing_authority", APPROVE);
    assert_in(cell, code, "deliver");
    return code;
}

static const char *consulting_dossier(struct cell *cell)
{
    const char *code = submit(
        cell, MARRIAGE, "{'former_commune': '" COMMUNE_1 "', 'former_commune_2': '" COMMUNE_2 "'}");
    complete(cell, "verification.review", "civil_servant", APPROVE);
    complete(cell, "return.collect_fee", "clerk", PAID);
    assert_in(cell, code, "consult");
    return code;
}

/* ---- leases -----------------------------------------------------------------------------------
 */

static void a_lease_that_has_passed_on_completes_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task slow = claim(cell, "verification.review", "civil_servant");
    assert_no_task(cell, "verification.review", "civil_servant");
    cell_advance(cell, "2 minutes");
    struct task quick = claim(cell, "verification.review", "civil_servant");
    assert_int_equal(slow.id, quick.id);
    assert_true(quick.token > slow.token);
    struct wf_msg_task_complete late = {.task = slow.id,
                                        .token = slow.token,
                                        .result = json(cell->arena, APPROVE),
                                        .by = wf_str("person-1")};
    refuse(cell, WF_VERIFICATION, WF_MSG_task_complete, &late, "stale", "body.token");
    finish(cell, &quick, APPROVE);
    assert_in(cell, code, "payment");
    refuse(cell, WF_VERIFICATION, WF_MSG_task_complete, &late, "not_found", "body.task");
    cell_close(cell);
}

static void a_lease_can_be_extended(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    (void)submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    struct wf_msg_task_extend extend = {.task = task.id, .token = task.token, .lease_ms = 600000};
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    assert_ok(cell_request(cell, WF_VERIFICATION, new_id(cell), WF_MSG_task_extend, &extend,
                           &answer, &err),
              err);
    assert_int_equal(((const struct wf_msg_done *)answer.body)->until, cell->now + 600000);
    cell_advance(cell, "9 minutes");
    assert_no_task(cell, "verification.review", "civil_servant");
    cell_advance(cell, "2 minutes");
    (void)claim(cell, "verification.review", "civil_servant");
    cell_close(cell);
}

static void file_many(struct cell *cell, const char *site, unsigned n)
{
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    message.site = wf_str(site);
    for (unsigned i = 0; i < n; i++)
        assert_ok(cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &message,
                               &reply, &err),
                  err);
}

/* Each fetch begins with the oldest, and holds the write lock: those of other roles must neither
 * use up what it may look at nor be looked at. */
static void a_role_finds_its_task_behind_many_of_others(void **state)
{
    (void)state;
    static const char *const others[] = {"000.00.11.H30", "000.00.12.H30", "000.00.16.H30",
                                         "000.01.13.H30", "000.02.13.H30"};
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct task task;
    file_many(cell, SITE, 1050);
    for (size_t i = 0; i < WF_COUNT(others); i++)
        file_many(cell, others[i], 1);
    cell_pump(cell);
    complete(cell, "verification.review", "civil_servant", "{'verdict': 'approve'}");
    complete(cell, "return.collect_fee", "clerk", "{'paid': true, 'receipt': 'R-1'}");
    assert_true(claim_if_any(cell, "verification.review", "*", "specialist", &task));
    cell_close(cell);
}

static void the_same_fetch_gives_the_same_lease(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    (void)submit(cell, MARRIAGE, "{}");
    struct wf_msg_task_fetch fetch = {.activity = wf_str("verification.review"),
                                      .to = json(cell->arena, "['*']"),
                                      .by = wf_str("person-1"),
                                      .role = wf_str("civil_servant")};
    struct wf_envelope answers[2];
    struct wf_error err = {0};
    for (size_t i = 0; i < 2; i++)
        assert_ok(cell_request(cell, WF_VERIFICATION, "fetch-1", WF_MSG_task_fetch, &fetch,
                               &answers[i], &err),
                  err);
    const struct wf_msg_tasks *first = answers[0].body;
    const struct wf_msg_tasks *again = answers[1].body;
    assert_int_equal(wf_value_count(first->tasks), 1);
    assert_true(wf_value_equal(first->tasks, again->tasks));
    cell_close(cell);
}

static void a_failed_task_comes_back_after_its_back_off(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    give_up(cell, &task, "system away", false);
    assert_no_task(cell, "verification.review", "civil_servant");
    cell_advance(cell, "10 seconds");
    task = claim(cell, "verification.review", "civil_servant");
    assert_int_equal(task.attempt, 2);
    finish(cell, &task, APPROVE);
    assert_in(cell, code, "payment");
    cell_close(cell);
}

static void a_task_that_keeps_failing_becomes_a_dead_letter_and_can_be_retried(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_rec_queue dead;
    const char *code = submit(cell, MARRIAGE, "{}");
    for (int i = 0; i < 5; i++) {
        struct task task = claim(cell, "verification.review", "civil_servant");
        assert_int_equal(task.attempt, i + 1);
        give_up(cell, &task, "system away", false);
        cell_advance(cell, "1 minute");
    }
    assert_no_task(cell, "verification.review", "civil_servant");
    assert_true(cell_first_dead(cell, &dead));
    assert_string_equal(dead.reason.ptr, "system away");
    assert_in(cell, code, "accept");
    cell_retry_dead(cell, dead.seq);
    assert_times(cell, code, "operator.retry", 1);
    complete(cell, "verification.review", "civil_servant", APPROVE);
    assert_in(cell, code, "payment");
    cell_close(cell);
}

static void a_dropped_dead_letter_tells_the_head_who_says_retry(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_rec_queue dead;
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    give_up(cell, &task, "impossible", true);
    assert_true(cell_first_dead(cell, &dead));
    cell_drop_dead(cell, dead.seq);
    assert_times(cell, code, "operator.drop", 1);
    assert_times(cell, code, "error.communication", 1);
    complete(cell, "routing.escalate", "head", "{'reason': 'đã khắc phục'}");
    say(cell, code, "retry", "head");
    complete(cell, "verification.review", "civil_servant", APPROVE);
    assert_in(cell, code, "payment");
    cell_close(cell);
}

static void a_dead_letter_of_work_begun_anew_changes_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_rec_queue dead;
    const char *code = submit(cell, MARRIAGE, "{}");
    cell->dead_letters_are_expected = true;
    for (int retry = 0; retry < 2; retry++) {
        struct task task = claim(cell, "verification.review", "civil_servant");
        give_up(cell, &task, "impossible", true);
        assert_no_task(cell, "verification.review", "civil_servant");
        say(cell, code, "retry", "head"); /* the state is entered anew, with a task of its own */
        assert_true(cell_first_dead(cell, &dead));
        if (retry == 1)
            cell_retry_dead(cell, dead.seq);
        else
            cell_drop_dead(cell, dead.seq);
        assert_times(cell, code, "error.communication", 0);
    }
    cell->dead_letters_are_expected = false;
    complete(cell, "verification.review", "civil_servant", APPROVE);
    assert_no_task(cell, "verification.review", "civil_servant");
    assert_in(cell, code, "payment");
    cell_close(cell);
}

static void a_withdrawal_that_nobody_could_confirm_is_asked_for_again(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_rec_queue dead;
    const char *code = submit(cell, MARRIAGE, "{}");
    say(cell, code, "withdraw", "citizen");
    struct task task = claim(cell, "verification.review", "head");
    give_up(cell, &task, "away", true);
    assert_true(cell_first_dead(cell, &dead));
    cell_drop_dead(cell, dead.seq);
    assert_in(cell, code, "withdrawal");
    say(cell, code, "retry", "head");
    complete(cell, "verification.review", "head", APPROVE);
    assert_closed(cell, code, "withdrawn");
    cell_close(cell);
}

/* ---- consultations ----------------------------------------------------------------------------
 */

static void all_communes_are_asked_at_once_and_all_must_answer(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = consulting_dossier(cell);
    struct task second = claim_at(cell, "routing.consult", COMMUNE_2);
    struct task first = claim_at(cell, "routing.consult", COMMUNE_1);
    finish(cell, &second, "{'answer': 'agree'}");
    assert_in(cell, code, "consult");
    assert_times(cell, code, "progress.consult", 1);
    finish(cell, &first, "{'answer': 'unknown', 'note': 'không có hồ sơ'}");
    assert_in(cell, code, "examine");
    assert_times(cell, code, "done.invoke.consult", 1);
    cell_close(cell);
}

static void a_silent_commune_is_not_waited_for_beyond_its_deadline(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = consulting_dossier(cell);
    struct task first = claim_at(cell, "routing.consult", COMMUNE_1);
    struct task second = claim_at(cell, "routing.consult", COMMUNE_2);
    finish(cell, &first, "{'answer': 'agree'}");
    cell_advance(cell, "4 working days");
    assert_in(cell, code, "examine");
    assert_no_task(cell, "routing.consult", "agency");
    struct wf_msg_task_complete late = {.task = second.id,
                                        .token = second.token,
                                        .result = json(cell->arena, "{'answer': 'agree'}"),
                                        .by = wf_str("agency-2")};
    refuse(cell, WF_ROUTING, WF_MSG_task_complete, &late, "not_found", "body.task");
    cell_close(cell);
}

static void a_consultation_waits_for_the_answer_that_is_a_dead_letter(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_rec_queue dead;
    const char *code = consulting_dossier(cell);
    struct task first = claim_at(cell, "routing.consult", COMMUNE_1);
    struct task second = claim_at(cell, "routing.consult", COMMUNE_2);
    give_up(cell, &first, "no such agency", true);
    finish(cell, &second, "{'answer': 'agree'}");
    assert_in(cell, code, "consult");
    assert_true(cell_first_dead(cell, &dead));
    cell_retry_dead(cell, dead.seq);
    first = claim_at(cell, "routing.consult", COMMUNE_1);
    finish(cell, &first, "{'answer': 'agree'}");
    assert_in(cell, code, "examine");
    cell_close(cell);
}

/* ---- parcels ----------------------------------------------------------------------------------
 */

static void a_parcel_is_tried_again_then_returned_and_fetched_at_the_counter(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = ready_dossier(cell, "{'return_by': 'post'}");
    struct task parcel = claim(cell, "return.deliver", "courier");
    const char *item = wf_value_text(wf_map_get(parcel.params, "item"), "");
    assert_int_equal(strlen(item), 13);
    progress(cell, &parcel, "{'state': 'collected'}");
    progress(cell, &parcel, "{'state': 'out_for_delivery'}");
    progress(cell, &parcel, "{'state': 'collected'}"); /* late news undo nothing */
    assert_times(cell, code, "progress.deliver", 2);
    finish(cell, &parcel, "{'outcome': 'failed', 'reason': 'vắng nhà'}");
    struct task second = claim(cell, "return.deliver", "courier");
    assert_string_equal(wf_value_text(wf_map_get(second.params, "item"), ""), item);
    assert_int_equal(wf_value_int(wf_map_get(second.params, "attempt"), 0), 2);
    finish(cell, &second, "{'outcome': 'failed', 'reason': 'vắng nhà'}");
    assert_in(cell, code, "fetch");
    assert_notices(cell, code, "returned", 1);
    complete(cell, "return.deliver", "clerk", "{'outcome': 'delivered'}");
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

static void a_lost_parcel_is_made_again(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = ready_dossier(cell, "{'return_by': 'post'}");
    complete(cell, "return.deliver", "courier", "{'outcome': 'lost'}");
    assert_in(cell, code, "lost");
    complete(cell, "routing.escalate", "head", "{'reason': 'đã in lại'}");
    assert_in(cell, code, "deliver");
    complete(cell, "return.deliver", "courier", "{'outcome': 'delivered'}");
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

/* ---- notices ----------------------------------------------------------------------------------
 */

static void a_notice_falls_back_to_the_next_channel(void **state)
{
    (void)state;
    static const char *const channels[] = {"zalo", "sms", "email"};
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = ready_dossier(cell, "{}");
    struct task task;
    unsigned waiting = 0;
    /* receipt and ready wait; all but the one to be followed are sent */
    while (claim_if_any(cell, "notification.send", "*", "gateway", &task) && waiting++ == 0)
        finish(cell, &task, "{}");
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(task.to, channels[i]);
        give_up(cell, &task, "no such user", true);
        assert_true(claim_if_any(cell, "notification.send", channels[i + 1], "gateway", &task));
    }
    finish(cell, &task, "{}");
    assert_times(cell, code, "error.communication", 0);
    assert_no_task(cell, "notification.send", "gateway");
    cell_close(cell);
}

static void a_notice_that_no_channel_takes_is_a_dead_letter(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_rec_queue dead;
    struct task task;
    cell->dead_letters_are_expected = true;
    const char *code = submit(cell, COPY, "{}");
    complete(cell, "verification.review", "civil_servant",
             "{'verdict': 'refuse', 'reason': 'bản chính mờ'}");
    while (claim_if_any(cell, "notification.send", "*", "gateway", &task))
        give_up(cell, &task, "unreachable", true);
    assert_closed(cell, code, "refused"); /* the dossier does not wait for it */
    assert_true(cell_first_dead(cell, &dead));
    cell_retry_dead(cell, dead.seq);
    assert_int_equal(send_notices(cell), 1);
    assert_false(cell_first_dead(cell, &dead));
    cell->dead_letters_are_expected = false;
    cell_close(cell);
}

static void a_citizen_without_mail_gets_no_mail(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = ready_dossier(cell, "{'email': null}");
    for (struct task task; claim_if_any(cell, "notification.send", "*", "gateway", &task);)
        assert_string_not_equal(task.to, "email");
    assert_in(cell, code, "deliver");
    cell_close(cell);
}

/* ---- what is told twice -----------------------------------------------------------------------
 */

static int keep_item(void *context, const struct wf_rec_queue *item)
{
    *(struct wf_rec_queue *)context = *item;
    return 0;
}

static void an_item_that_comes_twice_is_settled_once(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    struct wf_rec_queue item = {0};
    assert_ok(cell_request(cell, WF_INTAKE, "one", WF_MSG_dossier_submit, &message, &answer, &err),
              err);
    struct wf_txn *txn = cell_read(cell);
    assert_ok(wf_queue_each(txn, WF_VERIFICATION, false, cell->arena, keep_item, &item, &err), err);
    wf_txn_abort(txn);
    assert_true(item.seq > 0);
    cell_pump(cell);
    struct wf_counts before = cell_counts(cell);
    struct wf_turn turn = {.engine = cell->engines[WF_VERIFICATION],
                           .arena = cell->turn_arena,
                           .now_ms = cell->now,
                           .real_ms = cell->now};
    assert_ok(wf_txn_begin(cell->store, true, &turn.txn, &err), err);
    assert_int_equal(wf_engine_item(&turn, &item, &err), WF_NONE);
    assert_ok(wf_txn_commit(turn.txn, &err), err);
    struct wf_counts after = cell_counts(cell);
    assert_memory_equal(&before, &after, sizeof(before));
    cell_close(cell);
}

/* One request that must go well, and nothing settled after it. */
static void ask_only(struct cell *cell, enum wf_service service, enum wf_message type,
                     const void *body)
{
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    assert_ok(cell_request(cell, service, new_id(cell), type, body, &answer, &err), err);
}

static void an_item_of_work_begun_anew_starts_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    struct wf_msg_task_complete approve = {.task = task.id,
                                           .token = task.token,
                                           .result = json(cell->arena, APPROVE),
                                           .by = wf_str("person-1")};
    struct wf_msg_dossier_event retry = {.dossier = wf_str(code),
                                         .event = wf_str("retry"),
                                         .by = wf_str("head-1"),
                                         .role = wf_str("head")};
    ask_only(cell, WF_VERIFICATION, WF_MSG_task_complete, &approve);
    ask_only(cell, WF_INTAKE, WF_MSG_dossier_event, &retry); /* payment is entered once more */
    cell_pump(cell);
    (void)claim(cell, "return.collect_fee", "clerk");
    assert_no_task(cell, "return.collect_fee", "clerk");
    cell_close(cell);
}

static void a_timer_that_nobody_armed_fires_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    struct wf_rec_timer stray = {
        .id = wf_str("overdue"), .event = wf_str("overdue"), .data = &wf_null};
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    uint64_t seq = 0;
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    assert_ok(wf_dossier_find(txn, wf_str(code), &stray.dossier, &err), err);
    assert_ok(wf_timer_put(txn, WF_ROUTING, cell->now, &stray, &seq, &err), err);
    assert_ok(wf_txn_commit(txn, &err), err);
    cell_pump(cell);
    assert_times(cell, code, "overdue", 0);
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_that_has_passed_on_completes_nothing),
        cmocka_unit_test(a_lease_can_be_extended),
        cmocka_unit_test(the_same_fetch_gives_the_same_lease),
        cmocka_unit_test(a_role_finds_its_task_behind_many_of_others),
        cmocka_unit_test(a_failed_task_comes_back_after_its_back_off),
        cmocka_unit_test(a_task_that_keeps_failing_becomes_a_dead_letter_and_can_be_retried),
        cmocka_unit_test(a_dropped_dead_letter_tells_the_head_who_says_retry),
        cmocka_unit_test(a_dead_letter_of_work_begun_anew_changes_nothing),
        cmocka_unit_test(a_withdrawal_that_nobody_could_confirm_is_asked_for_again),
        cmocka_unit_test(a_consultation_waits_for_the_answer_that_is_a_dead_letter),
        cmocka_unit_test(all_communes_are_asked_at_once_and_all_must_answer),
        cmocka_unit_test(a_silent_commune_is_not_waited_for_beyond_its_deadline),
        cmocka_unit_test(a_parcel_is_tried_again_then_returned_and_fetched_at_the_counter),
        cmocka_unit_test(a_lost_parcel_is_made_again),
        cmocka_unit_test(a_notice_falls_back_to_the_next_channel),
        cmocka_unit_test(a_notice_that_no_channel_takes_is_a_dead_letter),
        cmocka_unit_test(a_citizen_without_mail_gets_no_mail),
        cmocka_unit_test(an_item_that_comes_twice_is_settled_once),
        cmocka_unit_test(an_item_of_work_begun_anew_starts_nothing),
        cmocka_unit_test(a_timer_that_nobody_armed_fires_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The activities of return, with a fake in place of the engine. */
#include "support/activities.h"

/* ---- return ------------------------------------------------------------------------------------
 */

static void set_up_parcel(struct wf_work *work)
{
    work->settings[0] = "item_service";
    work->settings[1] = "EE";
    work->settings[2] = "courier";
    work->settings[3] = "vnpost";
    work->settings[4] = "delivery_attempts";
    work->settings[5] = "2";
    work->content.fields = fake_map(work, "return_by", "post", "address", "ấp 3", "full_name",
                                    "Trần Văn B", "citizen_id", "093085001234", NULL);
}

static void start_parcel(struct wf_work *work)
{
    set_up_parcel(work);
    assert_ok(activity("return.deliver")->start(work, &err), err);
}

static void end_task(struct wf_work *work, const char *outcome)
{
    const struct wf_rec_task *task = &work->tasks[work->n_tasks - 1];
    const struct wf_value *result = fake_map(work, "outcome", outcome, "reason", "absent", NULL);

    assert_ok(activity("return.deliver")->check_result(task, result, &err), err);
    assert_ok(activity("return.deliver")->task_done(work, task, result, &err), err);
}

static void news_of(struct wf_work *work, const char *word)
{
    assert_ok(activity("return.deliver")
                  ->task_progress(work, &work->tasks[work->n_tasks - 1],
                                  fake_map(work, "state", word, NULL), &err),
              err);
}

static void a_result_waits_at_the_counter_unless_post_was_asked_for(void **state)
{
    struct wf_work *work = *state;

    assert_ok(activity("return.deliver")->start(work, &err), err);
    assert_string_equal(work->tasks[0].to.ptr, "000.00.13.H30");
    end_task(work, "delivered");
    assert_string_equal(text_of(work->result, "by"), "counter");
}

static void a_parcel_has_a_number_and_only_what_a_courier_needs(void **state)
{
    struct wf_work *work = *state;

    start_parcel(work);
    assert_string_equal(work->tasks[0].to.ptr, "vnpost");
    assert_string_equal(text_of(work->tasks[0].params, "item"), "EE000000014VN");
    assert_string_equal(text_of(work->tasks[0].params, "address"), "ấp 3");
    assert_null(wf_map_get(work->tasks[0].params, "citizen_id"));
    end_task(work, "delivered");
    assert_string_equal(text_of(work->result, "by"), "parcel");
    assert_string_equal(text_of(work->result, "item"), "EE000000014VN");
}

static void a_failed_delivery_is_tried_again_then_the_parcel_goes_back(void **state)
{
    struct wf_work *work = *state;

    start_parcel(work);
    end_task(work, "failed");
    assert_int_equal(int_of(work->tasks[1].params, "attempt"), 2);
    assert_string_equal(work->tasks[1].to.ptr, "vnpost");
    assert_null(work->result);
    end_task(work, "failed");
    assert_string_equal(text_of(work->result, "outcome"), "returned");
    assert_string_equal(text_of(work->result, "item"), "EE000000014VN");
}

static void a_failure_told_by_news_and_result_is_one_attempt(void **state)
{
    struct wf_work *work = *state;

    start_parcel(work);
    news_of(work, "out_for_delivery");
    news_of(work, "failed");
    news_of(work, "failed");
    assert_int_equal(work->n_news, 2);
    end_task(work, "failed");
    assert_int_equal(int_of(work->tasks[1].params, "attempt"), 2);
}

static void a_lost_parcel_ends_the_work(void **state)
{
    struct wf_work *work = *state;

    start_parcel(work);
    end_task(work, "lost");
    assert_string_equal(text_of(work->result, "outcome"), "lost");
}

static void a_parcel_that_came_back_is_not_tried_again(void **state)
{
    struct wf_work *work = *state;

    start_parcel(work);
    end_task(work, "returned");
    assert_int_equal(work->n_tasks, 1);
    assert_string_equal(text_of(work->result, "outcome"), "returned");
}

static void unknown_news_of_a_parcel_are_refused(void **state)
{
    struct wf_work *work = *state;

    start_parcel(work);
    assert_int_equal(
        activity("return.deliver")
            ->task_progress(work, &work->tasks[0], fake_map(work, "state", "eaten", NULL), &err),
        WF_E_INVALID);
    assert_string_equal(err.field, "data.state");
}

static void an_attempt_that_nothing_can_follow_is_refused(void **state)
{
    static const int64_t bad[] = {-1, 100, INT64_MAX};
    struct wf_work *work = *state;

    start_parcel(work);
    const struct wf_activity *deliver = activity("return.deliver");
    const struct wf_rec_task *task = &work->tasks[0];
    for (size_t i = 0; i < WF_COUNT(bad); i++) {
        struct wf_value *news = fake_map(work, "state", "failed", NULL);
        struct wf_value *result = fake_map(work, "outcome", "failed", "reason", "absent", NULL);
        (void)wf_map_put(work->arena, news, "attempt", wf_int(work->arena, bad[i]));
        (void)wf_map_put(work->arena, result, "attempt", wf_int(work->arena, bad[i]));
        assert_int_equal(deliver->task_progress(work, task, news, &err), WF_E_INVALID);
        assert_string_equal(err.field, "data.attempt");
        assert_int_equal(deliver->check_result(task, result, &err), WF_E_INVALID);
        assert_string_equal(err.field, "result.attempt");
    }
    end_task(work, "failed");
    assert_int_equal(int_of(work->tasks[1].params, "attempt"), 2);
}

static void a_couriers_own_number_stands_in_news_and_result(void **state)
{
    struct wf_work *work = *state;
    const struct wf_value *news;

    start_parcel(work);
    news = fake_map(work, "state", "numbered", "item", "CP123", NULL);
    assert_ok(activity("return.deliver")->task_progress(work, &work->tasks[0], news, &err), err);
    assert_ok(activity("return.deliver")->task_progress(work, &work->tasks[0], news, &err), err);
    assert_int_equal(work->n_news, 1);
    assert_string_equal(text_of(work->news, "item"), "CP123");
    end_task(work, "failed");
    assert_string_equal(text_of(work->tasks[1].params, "item"), "EE000000014VN");
    end_task(work, "delivered");
    assert_string_equal(text_of(work->result, "item"), "CP123");
    news = fake_map(work, "state", "numbered", "item", "CP 123", NULL);
    assert_int_equal(activity("return.deliver")->task_progress(work, &work->tasks[1], news, &err),
                     WF_E_INVALID);
    assert_string_equal(err.field, "data.item");
}

static void what_is_still_to_be_paid_stands_on_the_label(void **state)
{
    struct wf_work *work = *state;
    struct wf_value *params = wf_map(work->arena);

    (void)wf_map_put(work->arena, params, "by", wf_text(work->arena, "parcel"));
    (void)wf_map_put(work->arena, params, "fee", wf_int(work->arena, 15000));
    (void)wf_map_put(work->arena, params, "charge", wf_int(work->arena, 0));
    work->params = params;
    start_parcel(work);
    assert_int_equal(int_of(work->tasks[0].params, "fee"), 15000);
    assert_null(wf_map_get(work->tasks[0].params, "charge"));
}

static void papers_are_collected_at_home_if_there_is_an_address(void **state)
{
    struct wf_work *work = *state;
    const struct wf_activity *collect = activity("return.collect");

    assert_ok(collect->start(work, &err), err);
    assert_string_equal(text_of(work->result, "outcome"), "returned");
    assert_int_equal(work->n_tasks, 0);
    set_up_parcel(work);
    assert_ok(collect->start(work, &err), err);
    assert_string_equal(text_of(work->tasks[0].params, "by"), "collection");
    assert_string_equal(text_of(work->tasks[0].params, "address"), "ấp 3");
    end_task(work, "delivered");
    assert_string_equal(text_of(work->result, "by"), "collection");
}

static void no_fee_is_paid_at_once(void **state)
{
    struct wf_work *work = *state;

    assert_ok(activity("return.collect_fee")->start(work, &err), err);
    assert_true(wf_value_bool(wf_map_get(work->result, "paid"), false));
    assert_int_equal(work->n_tasks, 0);
}

static void the_fee_of_the_procedure_is_collected_against_a_receipt(void **state)
{
    struct wf_work *work = *state;
    struct wf_value *result = fake_map(work, "receipt", "BL-1", NULL);

    work->procedure.fee = 15000;
    assert_ok(activity("return.collect_fee")->start(work, &err), err);
    assert_int_equal(int_of(work->tasks[0].params, "amount"), 15000);
    assert_true(refuses("return.collect_fee", result, "result.paid"));
    (void)wf_map_put(work->arena, result, "paid", wf_bool(true));
    assert_false(refuses("return.collect_fee", result, NULL));
    assert_ok(activity("return.collect_fee")->task_done(work, &work->tasks[0], result, &err), err);
    assert_int_equal(int_of(work->result, "amount"), 15000);
    (void)wf_map_put(work->arena, result, "receipt", fake_text(work, ""));
    assert_true(refuses("return.collect_fee", result, "result.receipt"));
}

static void an_archive_is_sealed_and_dated(void **state)
{
    struct wf_work *work = *state;

    work->procedure.retention_years = 10;
    assert_ok(activity("return.archive")->start(work, &err), err);
    assert_int_equal(strlen(text_of(work->result, "seal")), 64);
    assert_string_equal(text_of(work->result, "until"), "2036-11-23");
    work->procedure.retention_years = 0;
    assert_ok(activity("return.archive")->start(work, &err), err);
    assert_string_equal(text_of(work->result, "until"), "");
}

static void a_leap_day_is_kept_until_the_28th(void **state)
{
    struct wf_civil day = {.year = 2028, .month = 2, .day = 29, .hour = 8};
    struct wf_work *work = *state;

    work->now = wf_civil_to_ms(NULL, &day);
    work->procedure.retention_years = 5;
    assert_ok(activity("return.archive")->start(work, &err), err);
    assert_string_equal(text_of(work->result, "until"), "2033-02-28");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_result_waits_at_the_counter_unless_post_was_asked_for),
        CASE(a_parcel_has_a_number_and_only_what_a_courier_needs),
        CASE(a_failed_delivery_is_tried_again_then_the_parcel_goes_back),
        CASE(a_failure_told_by_news_and_result_is_one_attempt),
        CASE(a_lost_parcel_ends_the_work),
        CASE(a_parcel_that_came_back_is_not_tried_again),
        CASE(unknown_news_of_a_parcel_are_refused),
        CASE(an_attempt_that_nothing_can_follow_is_refused),
        CASE(a_couriers_own_number_stands_in_news_and_result),
        CASE(what_is_still_to_be_paid_stands_on_the_label),
        CASE(papers_are_collected_at_home_if_there_is_an_address),
        CASE(no_fee_is_paid_at_once),
        CASE(the_fee_of_the_procedure_is_collected_against_a_receipt),
        CASE(an_archive_is_sealed_and_dated),
        CASE(a_leap_day_is_kept_until_the_28th),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused: a clear code, the field at fault, and nothing stored. */
#include "support/test.h"

#include "support/steps.h"

static void refuse_submit(struct cell *cell, const struct wf_msg_dossier_submit *message,
                          const char *word, const char *field)
{
    refuse(cell, WF_INTAKE, WF_MSG_dossier_submit, message, word, field);
}

static void an_unknown_procedure_is_refused(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, COPY);
    message.procedure = wf_str("9.999999");
    refuse_submit(cell, &message, "invalid", "body.procedure");
    cell_close(cell);
}

static void an_unknown_site_is_refused(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, COPY);
    message.site = wf_str("000.00.99.H30");
    refuse_submit(cell, &message, "invalid", "body.site");
    cell_close(cell);
}

static void a_channel_that_the_procedure_does_not_name_is_refused(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, COPY);
    message.channel = wf_str("online");
    refuse_submit(cell, &message, "invalid", "body.channel");
    cell_close(cell);
}

static void missing_papers_are_named(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    message.papers = json(cell->arena, "[{'id': 'declaration', 'kind': 'original'}]");
    refuse_submit(cell, &message, "invalid", "body.papers.identity");
    message.papers = NULL;
    refuse_submit(cell, &message, "invalid", "body.papers.declaration");
    cell_close(cell);
}

static void a_paper_needed_by_a_field_is_missed(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    struct wf_value *fields = wf_map_copy(cell->arena, message.fields);
    wf_map_put(cell->arena, fields, "was_married", wf_bool(true));
    message.fields = fields;
    refuse_submit(cell, &message, "invalid", "body.papers.end_of_marriage");
    cell_close(cell);
}

static void wrong_fields_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *field;
    } rows[] = {
        {"phone", "'12'", "body.fields.phone"},
        {"citizen_id", "'1234'", "body.fields.citizen_id"},
        {"purpose", "'holiday'", "body.fields.purpose"},
        {"birth_date", "'2026-02-30'", "body.fields.birth_date"},
        {"was_married", "'yes'", "body.fields.was_married"},
        {"no_such_field", "1", "body.fields.no_such_field"},
    };
    struct cell *cell = cell_new("2026-11-23 09:10");
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
        struct wf_value *fields = wf_map_copy(cell->arena, message.fields);
        wf_map_put(cell->arena, fields, rows[i].name, json(cell->arena, rows[i].value));
        message.fields = fields;
        refuse_submit(cell, &message, "invalid", rows[i].field);
    }
    cell_close(cell);
}

/* Of any length and in any letters: the party gets its answer. */
static void a_field_with_a_long_vietnamese_name_is_refused_too(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    for (size_t cut = 0; cut < 4; cut++) {
        static const char *const name = "xxxhọ_và_tên_của_người_được_cấp_giấy_xác_nhận_tình_trạng";
        struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
        struct wf_value *fields = wf_map_copy(cell->arena, message.fields);
        wf_map_put(cell->arena, fields, name + cut, wf_bool(true));
        message.fields = fields;
        struct wf_envelope answer;
        struct wf_error err = {0};
        assert_int_equal(cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit,
                                      &message, &answer, &err),
                         WF_E_INVALID);
        assert_true(wf_starts_with(err.field, "body.fields."));
    }
    cell_close(cell);
}

static void unknown_papers_are_named(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    message.papers = json(cell->arena, "[{'id': 'declaration', 'kind': 'original'},"
                                       " {'id': 'passport', 'kind': 'copy'}]");
    refuse_submit(cell, &message, "invalid", "body.papers[1].id");
    cell_close(cell);
}

/* Models M1 to M4 of the pilot: who may receive where. */
static void postal_workers_receive_only_where_they_are_mandated(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    message.role = wf_str("postal_worker");
    refuse_submit(cell, &message, "denied", "body.role");
    message.site = wf_str(SITE_MANDATED);
    assert_non_null(submit_message(cell, &message));
    message.site = wf_str(SITE_CARRIER);
    message.channel = wf_str("post");
    assert_non_null(submit_message(cell, &message)); /* carrying is not receiving */
    cell_close(cell);
}

static void citizens_file_only_online(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    message.role = wf_str("citizen");
    refuse_submit(cell, &message, "denied", "body.role");
    message.channel = wf_str("online");
    assert_non_null(submit_message(cell, &message));
    cell_close(cell);
}

static void events_are_refused_with_what_the_state_takes(void **state)
{
    (void)state;
    static const struct {
        const char *event, *role, *word, *field;
    } rows[] = {
        {"jump", "citizen", "state", "body.event"},
        {"withdraw", "courier", "denied", "body.role"},
        {"retry", "citizen", "denied", "body.role"},
        {"overdue", "head", "denied", "body.event"},
        {"done.invoke.accept", "head", "denied", "body.event"},
        {"deadline.accept", "head", "denied", "body.event"},
    };
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_msg_dossier_event message = {.dossier = wf_str(code),
                                               .event = wf_str(rows[i].event),
                                               .by = wf_str("person-1"),
                                               .role = wf_str(rows[i].role)};
        refuse(cell, WF_INTAKE, WF_MSG_dossier_event, &message, rows[i].word, rows[i].field);
    }
    cell_close(cell);
}

static void a_closed_dossier_takes_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, COPY, "{}");
    complete(cell, "verification.review", "civil_servant",
             "{'verdict': 'refuse', 'reason': 'bản chính mờ'}");
    struct wf_msg_dossier_event message = {.dossier = wf_str(code),
                                           .event = wf_str("withdraw"),
                                           .by = wf_str("person-1"),
                                           .role = wf_str("citizen")};
    refuse(cell, WF_INTAKE, WF_MSG_dossier_event, &message, "state", "body.dossier");
    cell_close(cell);
}

static void an_unknown_dossier_is_not_found(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_get get = {.dossier = wf_str("000.00.13.H30-261123-7777")};
    refuse(cell, WF_INTAKE, WF_MSG_dossier_get, &get, "not_found", "body.dossier");
    get.dossier = wf_str("#4711");
    refuse(cell, WF_INTAKE, WF_MSG_dossier_get, &get, "not_found", "body.dossier");
    cell_close(cell);
}

static void results_without_what_they_must_hold_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *result, *field;
    } rows[] = {
        {"{}", "body.result.verdict"},
        {"{'verdict': 'perhaps'}", "body.result.verdict"},
        {"{'verdict': 'refuse'}", "body.result.reason"},
        {"{'verdict': 'supplement', 'reason': 'x', 'items': 7}", "body.result.items"},
    };
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    struct task task = claim(cell, "verification.review", "civil_servant");
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_msg_task_complete message = {.task = task.id,
                                               .token = task.token,
                                               .result = json(cell->arena, rows[i].result),
                                               .by = wf_str("person-1")};
        refuse(cell, WF_VERIFICATION, WF_MSG_task_complete, &message, "invalid", rows[i].field);
    }
    finish(cell, &task, "{'verdict': 'approve'}"); /* the lease still holds */
    assert_in(cell, code, "payment");
    cell_close(cell);
}

static void supplements_are_checked_against_the_procedure(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    (void)submit(cell, MARRIAGE, "{}");
    complete(cell, "verification.review", "civil_servant",
             "{'verdict': 'supplement', 'reason': 'thiếu giấy tờ'}");
    struct task task = claim(cell, "intake.supplement", "clerk");
    struct wf_msg_task_complete message = {
        .task = task.id,
        .token = task.token,
        .result = json(cell->arena, "{'papers': [], 'fields': {'phone': 'none'}}"),
        .by = wf_str("person-1")};
    refuse(cell, WF_INTAKE, WF_MSG_task_complete, &message, "invalid", "body.fields.phone");
    cell_close(cell);
}

static void work_of_another_service_is_not_found(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    (void)submit(cell, MARRIAGE, "{}");
    struct wf_msg_task_fetch fetch = {.activity = wf_str("verification.review"),
                                      .to = json(cell->arena, "['*']"),
                                      .by = wf_str("person-1"),
                                      .role = wf_str("civil_servant")};
    refuse(cell, WF_ROUTING, WF_MSG_task_fetch, &fetch, "not_found", "body.activity");
    struct task task = claim(cell, "verification.review", "civil_servant");
    struct wf_msg_task_extend extend = {.task = task.id, .token = task.token, .lease_ms = 1000};
    refuse(cell, WF_ROUTING, WF_MSG_task_extend, &extend, "not_found", "body.task");
    cell_close(cell);
}

static void a_task_of_another_role_is_not_given_out(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    (void)submit(cell, MARRIAGE, "{}");
    assert_no_task(cell, "verification.review", "specialist");
    assert_no_task(cell, "verification.review", "head");
    (void)claim(cell, "verification.review", "civil_servant");
    assert_no_task(cell, "verification.review", "civil_servant"); /* leased */
    cell_close(cell);
}

static void the_same_id_gives_the_same_answer_and_is_done_once(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    struct wf_envelope first = {0};
    struct wf_envelope again = {0};
    struct wf_error err = {0};
    assert_ok(cell_request(cell, WF_INTAKE, "same", WF_MSG_dossier_submit, &message, &first, &err),
              err);
    cell_pump(cell);
    struct wf_counts before = cell_counts(cell);
    assert_ok(cell_request(cell, WF_INTAKE, "same", WF_MSG_dossier_submit, &message, &again, &err),
              err);
    struct wf_counts after = cell_counts(cell);
    const struct wf_msg_dossier_state *a = first.body;
    const struct wf_msg_dossier_state *b = again.body;
    assert_memory_equal(&before, &after, sizeof(before));
    assert_string_equal(a->dossier.ptr, b->dossier.ptr);
    assert_int_equal(a->events, b->events);
    assert_true(wf_value_equal(a->states, b->states));
    cell_close(cell);
}

static void the_same_id_with_other_content_is_a_conflict(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    assert_ok(cell_request(cell, WF_INTAKE, "same", WF_MSG_dossier_submit, &message, &answer, &err),
              err);
    cell_pump(cell);
    struct wf_counts before = cell_counts(cell);
    message.by = wf_str("counter-3");
    assert_int_equal(
        cell_request(cell, WF_INTAKE, "same", WF_MSG_dossier_submit, &message, &answer, &err),
        WF_E_CONFLICT);
    struct wf_counts after = cell_counts(cell);
    const struct wf_msg_error *why = answer.body;
    assert_string_equal(why->field.ptr, "id");
    assert_memory_equal(&before, &after, sizeof(before));
    cell_close(cell);
}

static void a_refused_request_may_be_mended_under_its_id(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    message.channel = wf_str("fax");
    assert_int_equal(
        cell_request(cell, WF_INTAKE, "mine", WF_MSG_dossier_submit, &message, &answer, &err),
        WF_E_INVALID);
    message.channel = wf_str("post");
    assert_ok(cell_request(cell, WF_INTAKE, "mine", WF_MSG_dossier_submit, &message, &answer, &err),
              err);
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_procedure_is_refused),
        cmocka_unit_test(an_unknown_site_is_refused),
        cmocka_unit_test(a_channel_that_the_procedure_does_not_name_is_refused),
        cmocka_unit_test(missing_papers_are_named),
        cmocka_unit_test(a_paper_needed_by_a_field_is_missed),
        cmocka_unit_test(wrong_fields_are_named),
        cmocka_unit_test(a_field_with_a_long_vietnamese_name_is_refused_too),
        cmocka_unit_test(unknown_papers_are_named),
        cmocka_unit_test(postal_workers_receive_only_where_they_are_mandated),
        cmocka_unit_test(citizens_file_only_online),
        cmocka_unit_test(events_are_refused_with_what_the_state_takes),
        cmocka_unit_test(a_closed_dossier_takes_nothing),
        cmocka_unit_test(an_unknown_dossier_is_not_found),
        cmocka_unit_test(results_without_what_they_must_hold_are_refused),
        cmocka_unit_test(supplements_are_checked_against_the_procedure),
        cmocka_unit_test(work_of_another_service_is_not_found),
        cmocka_unit_test(a_task_of_another_role_is_not_given_out),
        cmocka_unit_test(the_same_id_gives_the_same_answer_and_is_done_once),
        cmocka_unit_test(the_same_id_with_other_content_is_a_conflict),
        cmocka_unit_test(a_refused_request_may_be_mended_under_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

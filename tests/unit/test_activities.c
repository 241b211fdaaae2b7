/* SPDX-License-Identifier: Apache-2.0 */
/* The workers' activities, with a fake in place of the engine; those of return are in test_return.c. */
#include "support/activities.h"

static const struct wf_value *addresses(struct wf_work *work, size_t n)
{
    struct wf_value *list = wf_list(work->arena);

    for (size_t i = 0; i < n; i++)
        (void)wf_list_add(work->arena, list,
                          wf_text(work->arena, wf_arena_printf(work->arena, "A%zu", i)));
    return list;
}

/* ---- the catalogue -----------------------------------------------------------------------------
 */

static void every_activity_belongs_to_the_service_it_is_named_after(void **state)
{
    const struct wf_catalogue *catalogue = hoso_catalogue();

    (void)state;
    assert_int_equal(catalogue->n_activities, 13);
    for (size_t s = 0; s < WF_SERVICE_COUNT; s++) {
        const struct wf_service_spec *spec = hoso_service((enum wf_service)s);

        assert_int_equal(spec->service, s);
        for (size_t i = 0; i < spec->n_activities; i++)
            assert_int_equal(wf_service_of_activity(spec->activities[i].info.name), s);
    }
}

/* ---- intake ------------------------------------------------------------------------------------
 */

static void a_dossier_gets_the_code_of_its_site_and_day(void **state)
{
    struct wf_work *work = *state;

    assert_ok(activity("intake.register")->start(work, &err), err);
    assert_string_equal(text_of(work->result, "code"), "000.00.13.H30-261123-0001");
    assert_string_equal(work->series, "000.00.13.H30|261123");
    assert_int_equal(int_of(work->result, "due"), 0);
}

static void code_day_and_digits_are_settings(void **state)
{
    struct wf_work *work = *state;

    work->settings[0] = "code_date";
    work->settings[1] = "YYYYMMDD";
    work->settings[2] = "code_digits";
    work->settings[3] = "7";
    assert_ok(activity("intake.register")->start(work, &err), err);
    assert_string_equal(text_of(work->result, "code"), "000.00.13.H30-20261123-0000001");
}

static void a_dossier_that_comes_again_keeps_its_code(void **state)
{
    struct wf_work *work = *state;

    work->dossier.code = wf_str("000.00.13.H30-261120-0007");
    work->dossier.due = 42;
    assert_ok(activity("intake.register")->start(work, &err), err);
    assert_string_equal(text_of(work->result, "code"), "000.00.13.H30-261120-0007");
    assert_int_equal(int_of(work->result, "due"), 42);
    assert_int_equal(work->number, 0);
}

static void a_full_day_of_numbers_is_refused(void **state)
{
    struct wf_work *work = *state;

    work->number = 9999;
    assert_int_equal(activity("intake.register")->start(work, &err), WF_E_FULL);
    assert_int_equal(work->dossier.code.len, 0);
}

static void a_supplement_adds_what_the_citizen_brought(void **state)
{
    struct wf_work *work = *state;
    struct wf_value *result = wf_map(work->arena);

    assert_ok(activity("intake.supplement")->start(work, &err), err);
    assert_string_equal(work->tasks[0].to.ptr, "000.00.13.H30");
    (void)wf_map_put(work->arena, result, "fields", fake_map(work, "phone", "0912345678", NULL));
    assert_ok(activity("intake.supplement")->task_done(work, &work->tasks[0], result, &err), err);
    assert_string_equal(text_of(work->content.fields, "phone"), "0912345678");
    assert_non_null(work->result);
}

static void a_supplement_of_a_wrong_type_is_refused(void **state)
{
    struct wf_work *work = *state;

    assert_true(refuses("intake.supplement", fake_map(work, "papers", "x", NULL), "result.papers"));
    assert_true(refuses("intake.supplement", fake_map(work, "fields", "x", NULL), "result.fields"));
    assert_false(refuses("intake.supplement", fake_map(work, NULL), NULL));
}

/* ---- verification ------------------------------------------------------------------------------
 */

static const char *first_problem(struct wf_work *work)
{
    work->result = NULL;
    assert_ok(activity("verification.check")->start(work, &err), err);
    return text_of(wf_list_at(wf_map_get(work->result, "problems"), 0), "id");
}

static void a_dossier_without_faults_is_complete(void **state)
{
    struct wf_work *work = *state;

    assert_ok(activity("verification.check")->start(work, &err), err);
    assert_true(wf_value_bool(wf_map_get(work->result, "complete"), false));
}

static void an_agent_needs_leave_name_number_and_mandate(void **state)
{
    struct wf_work *work = *state;
    struct wf_value *agent = fake_map(work, "full_name", "Trần Văn B", "citizen_id", "093085001234",
                                      "mandate", "certified", NULL);

    work->content.agent = agent;
    assert_string_equal(first_problem(work), "(nothing)");
    (void)wf_map_put(work->arena, agent, "mandate", fake_text(work, ""));
    assert_string_equal(first_problem(work), "agent.mandate");
    (void)wf_map_put(work->arena, agent, "citizen_id", fake_text(work, "12"));
    assert_string_equal(first_problem(work), "agent.citizen_id");
    (void)wf_map_put(work->arena, agent, "full_name", &wf_null);
    assert_string_equal(first_problem(work), "agent.full_name");
    work->procedure.agent_allowed = false;
    assert_string_equal(first_problem(work), "agent");
}

static void presence_and_post_do_not_go_together(void **state)
{
    struct wf_work *work = *state;

    work->procedure.presence_required = true;
    assert_string_equal(first_problem(work), "(nothing)");
    work->dossier.channel = wf_str("post");
    assert_string_equal(first_problem(work), "channel");
}

static void a_citizen_number_must_agree_with_the_birth_date_beside_it(void **state)
{
    static const struct wf_field fields[] = {
        {.id = "mother_citizen_id", .type = WF_FIELD_CITIZEN_ID},
        {.id = "mother_birth_date", .type = WF_FIELD_DATE},
        {.id = "birth_date", .type = WF_FIELD_DATE},
    };
    struct wf_work *work = *state;

    work->procedure.fields = fields;
    work->procedure.n_fields = WF_COUNT(fields);
    work->content.fields =
        fake_map(work, "mother_citizen_id", "093185001234", "birth_date", "2026-11-01", NULL);
    assert_string_equal(first_problem(work), "(nothing)");
    work->content.fields = fake_map(work, "mother_citizen_id", "093185001234", "mother_birth_date",
                                    "1985-02-03", "mother_sex", "female", NULL);
    assert_string_equal(first_problem(work), "(nothing)");
    work->content.fields = fake_map(work, "mother_citizen_id", "093185001234", "mother_birth_date",
                                    "1986-02-03", NULL);
    assert_string_equal(first_problem(work), "mother_citizen_id");
    work->content.fields =
        fake_map(work, "mother_citizen_id", "093185001234", "mother_sex", "male", NULL);
    assert_string_equal(first_problem(work), "mother_citizen_id");
}

static void a_review_goes_to_the_site_and_to_a_civil_servant(void **state)
{
    struct wf_work *work = *state;

    assert_ok(activity("verification.review")->start(work, &err), err);
    assert_string_equal(work->tasks[0].to.ptr, "000.00.13.H30");
    assert_string_equal(work->tasks[0].role.ptr, "civil_servant");
    work->role = "head";
    work->params = fake_map(work, "to", "H30.13", NULL);
    assert_ok(activity("verification.review")->start(work, &err), err);
    assert_string_equal(work->tasks[1].to.ptr, "H30.13");
    assert_string_equal(work->tasks[1].role.ptr, "head");
}

static void a_refusal_needs_a_reason(void **state)
{
    static const char name[] = "verification.review";
    struct wf_work *work = *state;

    assert_false(refuses(name, fake_map(work, "verdict", "approve", NULL), NULL));
    assert_true(refuses(name, fake_map(work, "verdict", "refuse", NULL), "result.reason"));
    assert_true(refuses(name, fake_map(work, "verdict", "supplement", NULL), "result.reason"));
    assert_false(refuses(name, fake_map(work, "verdict", "refuse", "reason", "x", NULL), NULL));
    assert_true(refuses(name, fake_map(work, "verdict", "perhaps", NULL), "result.verdict"));
    assert_true(refuses(name, fake_map(work, NULL), "result.verdict"));
}

/* ---- routing -----------------------------------------------------------------------------------
 */

static void consult(struct wf_work *work, size_t n, const char *mode, int64_t k)
{
    struct wf_value *params = fake_map(work, "mode", mode, NULL);

    (void)wf_map_put(work->arena, params, "to", addresses(work, n));
    (void)wf_map_put(work->arena, params, "k", wf_int(work->arena, k));
    work->params = params;
    assert_ok(activity("routing.consult")->start(work, &err), err);
    assert_int_equal(work->n_tasks, n);
}

static void answer(struct wf_work *work, size_t i, const char *word)
{
    work->open--;
    assert_ok(activity("routing.consult")
                  ->task_done(work, &work->tasks[i], fake_map(work, "answer", word, NULL), &err),
              err);
}

static void consulting_all_waits_for_the_last_answer(void **state)
{
    struct wf_work *work = *state;
    const struct wf_value *answers;

    consult(work, 3, "all", 0);
    answer(work, 2, "agree");
    answer(work, 0, "disagree");
    assert_null(work->result);
    assert_int_equal(work->n_news, 2);
    answer(work, 1, "agree");
    answers = wf_map_get(work->result, "answers");
    assert_int_equal(wf_value_count(answers), 3);
    assert_string_equal(text_of(wf_list_at(answers, 0), "from"), "A2");
    assert_string_equal(text_of(wf_list_at(answers, 1), "answer"), "disagree");
    assert_int_equal(int_of(work->result, "agreed"), 2);
    assert_int_equal(int_of(work->result, "asked"), 3);
}

static void consulting_any_ends_with_the_first_answer(void **state)
{
    struct wf_work *work = *state;

    consult(work, 3, "any", 0);
    answer(work, 1, "disagree");
    assert_int_equal(wf_value_count(wf_map_get(work->result, "answers")), 1);
}

static void consulting_k_ends_with_the_kth_answer(void **state)
{
    struct wf_work *work = *state;

    consult(work, 4, "k", 2);
    answer(work, 3, "agree");
    assert_null(work->result);
    answer(work, 1, "agree");
    assert_int_equal(int_of(work->result, "agreed"), 2);
}

static void asking_nobody_is_done_at_once(void **state)
{
    struct wf_work *work = *state;

    consult(work, 0, "all", 0);
    assert_int_equal(int_of(work->result, "asked"), 0);
}

static void asking_a_nameless_authority_fails(void **state)
{
    struct wf_work *work = *state;
    struct wf_value *params = wf_map(work->arena);
    struct wf_value *to = wf_list(work->arena);

    (void)wf_list_add(work->arena, to, wf_int(work->arena, 7));
    (void)wf_map_put(work->arena, params, "to", to);
    work->params = params;
    assert_ok(activity("routing.consult")->start(work, &err), err);
    assert_non_null(work->failure);
    assert_int_equal(work->n_tasks, 0);
}

static void a_silent_authority_matters_only_where_it_is_needed(void **state)
{
    struct wf_work *work = *state;
    const struct wf_activity *consulting = activity("routing.consult");

    consult(work, 3, "k", 2);
    work->open = 2;
    assert_int_equal(consulting->task_failed(work, &work->tasks[0], "away", &err), 0);
    work->open = 1;
    assert_int_equal(consulting->task_failed(work, &work->tasks[1], "away", &err), WF_NONE);
}

/* ---- notification ------------------------------------------------------------------------------
 */

static const struct wf_template templates[] = {
    {.id = "ready",
     .vi = "Hồ sơ {code}: {title}, {due}",
     .en = "{code}",
     .sms = "Ho so {code} da xong"},
};

static void start_send(struct wf_work *work, const char *channel)
{
    work->registry.templates = templates;
    work->registry.n_templates = WF_COUNT(templates);
    work->settings[0] = "notify";
    work->settings[1] = "zalo, sms, email";
    work->dossier.code = wf_str("X-1");
    work->dossier.due = 1795996800000;
    work->params = fake_map(work, "template", "ready", "channel", channel, NULL);
    assert_ok(activity("notification.send")->start(work, &err), err);
}

static void a_message_goes_by_the_first_channel_that_reaches_the_citizen(void **state)
{
    struct wf_work *work = *state;

    work->content.fields = fake_map(work, "email", "a@b.vn", NULL);
    start_send(work, "");
    assert_string_equal(work->tasks[0].to.ptr, "email");
    assert_string_equal(text_of(work->tasks[0].params, "to"), "a@b.vn");
    assert_string_equal(text_of(work->tasks[0].params, "text"),
                        "Hồ sơ X-1: Cấp giấy, 30/11/2026 07:00");
}

static void a_wanted_channel_comes_first(void **state)
{
    struct wf_work *work = *state;

    work->content.fields = fake_map(work, "phone", "0912345678", NULL);
    start_send(work, "sms");
    assert_string_equal(work->tasks[0].to.ptr, "sms");
    assert_string_equal(text_of(work->tasks[0].params, "text"), "Ho so X-1 da xong");
}

static void a_citizen_without_contact_is_no_failure(void **state)
{
    struct wf_work *work = *state;

    start_send(work, "sms");
    assert_int_equal(work->n_tasks, 0);
    assert_false(wf_value_bool(wf_map_get(work->result, "sent"), true));
}

static void a_channel_that_fails_is_followed_by_the_next(void **state)
{
    struct wf_work *work = *state;
    const struct wf_activity *send = activity("notification.send");

    work->content.fields = fake_map(work, "phone", "0912345678", "email", "a@b.vn", NULL);
    start_send(work, "");
    assert_ok(send->task_failed(work, &work->tasks[0], "no account", &err), err);
    assert_string_equal(work->tasks[1].to.ptr, "sms");
    assert_string_equal(text_of(work->news, "next"), "sms");
    assert_ok(send->task_failed(work, &work->tasks[1], "off", &err), err);
    assert_string_equal(work->tasks[2].to.ptr, "email");
    assert_int_equal(send->task_failed(work, &work->tasks[2], "bounced", &err), WF_NONE);
    assert_int_equal(work->n_tasks, 3);
    assert_ok(send->task_done(work, &work->tasks[2], fake_map(work, NULL), &err), err);
    assert_string_equal(text_of(work->result, "channel"), "email");
}

static void an_unknown_template_fails(void **state)
{
    struct wf_work *work = *state;

    work->params = fake_map(work, "template", "nonsense", NULL);
    assert_ok(activity("notification.send")->start(work, &err), err);
    assert_non_null(work->failure);
}

/* ---- no memory ---------------------------------------------------------------------------------
 */

/* Each start, with one allocation after the other failing: an error or a whole result, no crash. */
static void lack_of_memory_is_an_error_and_never_half_a_result(void **state)
{
    const struct wf_catalogue *catalogue = hoso_catalogue();

    (void)state;
    for (size_t i = 0; i < catalogue->n_activities; i++) {
        for (unsigned long n = 1; n < 40; n++) {
            struct wf_work *work = fake_work_new();
            int rc;

            work->procedure.fee = 1;
            work->registry.templates = templates;
            work->registry.n_templates = WF_COUNT(templates);
            work->params = fake_map(work, "template", "ready", NULL);
            work->content.fields = fake_map(work, "phone", "0912345678", NULL);
            /* Fill the arena's first block, so that the next allocation needs the heap. */
            (void)wf_arena_alloc(work->arena, (size_t)n * 997 % 16384);
            wf_alloc_fail_at(1, 1);
            rc = activity(catalogue->activities[i]->name)->start(work, &err);
            wf_alloc_fail_at(0, 0);
            assert_true(rc == 0 || rc == WF_E_NOMEM || rc == WF_E_CONFIG);
            if (work->result != NULL)
                assert_true(wf_value_is_whole(work->result));
            fake_work_free(work);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_activity_belongs_to_the_service_it_is_named_after),
        CASE(a_dossier_gets_the_code_of_its_site_and_day),
        CASE(code_day_and_digits_are_settings),
        CASE(a_dossier_that_comes_again_keeps_its_code),
        CASE(a_full_day_of_numbers_is_refused),
        CASE(a_supplement_adds_what_the_citizen_brought),
        CASE(a_supplement_of_a_wrong_type_is_refused),
        CASE(a_dossier_without_faults_is_complete),
        CASE(an_agent_needs_leave_name_number_and_mandate),
        CASE(presence_and_post_do_not_go_together),
        CASE(a_citizen_number_must_agree_with_the_birth_date_beside_it),
        CASE(a_review_goes_to_the_site_and_to_a_civil_servant),
        CASE(a_refusal_needs_a_reason),
        CASE(consulting_all_waits_for_the_last_answer),
        CASE(consulting_any_ends_with_the_first_answer),
        CASE(consulting_k_ends_with_the_kth_answer),
        CASE(asking_nobody_is_done_at_once),
        CASE(asking_a_nameless_authority_fails),
        CASE(a_silent_authority_matters_only_where_it_is_needed),
        CASE(a_message_goes_by_the_first_channel_that_reaches_the_citizen),
        CASE(a_wanted_channel_comes_first),
        CASE(a_citizen_without_contact_is_no_failure),
        CASE(a_channel_that_fails_is_followed_by_the_next),
        CASE(an_unknown_template_fails),
        CASE(lack_of_memory_is_an_error_and_never_half_a_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

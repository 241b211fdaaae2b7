/* SPDX-License-Identifier: Apache-2.0 */
/* The four procedures of the pilot, walked through on the chart alone: one table row a journey. */
#include "support/test.h"

#include "workflow/procedure.h"

struct moment {
    const char *event; /* NULL ends the journey */
    const char *data;  /* as settings, or NULL */
};

struct journey {
    const char *file;
    const char *fields;
    const char *outcome;  /* of the final state reached; NULL = goes on */
    const char *statuses; /* portal codes in the order in which they were shown */
    struct moment moments[24];
};

#define APPROVE    "verdict = \"approve\";"
#define SUPPLEMENT "verdict = \"supplement\"; reason = \"r\"; items = ( \"x\" );"
#define REFUSE     "verdict = \"refuse\"; reason = \"r\";"
#define TO_ACCEPTED                                                                                \
    {"done.invoke.register", NULL}, {"done.invoke.check", "complete = true; problems = ( );"},     \
    {                                                                                              \
        "done.invoke.accept", APPROVE                                                              \
    }
#define DELIVERED                                                                                  \
    {"done.invoke.deliver", "outcome = \"delivered\";"},                                           \
    {                                                                                              \
        "done.invoke.archive", NULL                                                                \
    }
#define PAID                                                                                       \
    {                                                                                              \
        "done.invoke.payment", "paid = true; receipt = \"1\"; amount = 1;"                         \
    }

#define P1      "1.001193-birth-registration"
#define P3      "1.004873-marital-status"
#define P5      "2.000815-certified-copy"
#define P11     "1.013831-land-change"
#define COUNTER "return_by = \"counter\";"

static const struct journey journeys[] = {
    {P1,
     COUNTER,
     "approved",
     "1 2 4 9 10",
     {TO_ACCEPTED, {"done.invoke.examine", APPROVE}, {"done.invoke.sign", APPROVE}, DELIVERED}},
    {P1,
     COUNTER "late_fee = 8000;",
     "approved",
     "1 2 6 4 9 10",
     {TO_ACCEPTED,
      PAID,
      {"done.invoke.examine", APPROVE},
      {"done.invoke.sign", APPROVE},
      DELIVERED}},
    {P1,
     COUNTER,
     "lapsed",
     "1 5 8",
     {{"done.invoke.register", NULL},
      {"done.invoke.check", "complete = false; problems = ( \"p\" );"},
      {"deadline.incomplete", NULL},
      {"done.invoke.archive", NULL}}},
    {P1,
     COUNTER,
     "refused",
     "1 3",
     {{"done.invoke.register", NULL},
      {"done.invoke.check", "complete = true; problems = ( );"},
      {"done.invoke.accept", REFUSE},
      {"done.invoke.archive", NULL}}},
    {P3,
     COUNTER,
     "approved",
     "1 2 6 4 9 10",
     {TO_ACCEPTED,
      PAID,
      {"done.invoke.consult", "answers = ( ); asked = 0;"},
      {"done.invoke.examine", APPROVE},
      {"done.invoke.sign", APPROVE},
      DELIVERED}},
    {P3,
     COUNTER "former_commune = \"000.01.33.H30\";",
     "approved",
     "1 5 1 2 6 4 5 4 9 10",
     {{"done.invoke.register", NULL},
      {"done.invoke.check", "complete = false; problems = ( \"p\" );"},
      {"done.invoke.completion", NULL},
      {"done.invoke.check", "complete = true; problems = ( );"},
      {"done.invoke.accept", APPROVE},
      PAID,
      {"progress.consult", "from = \"a\";"},
      {"deadline.consult", NULL},
      {"done.invoke.examine", SUPPLEMENT},
      {"done.invoke.supplement", NULL},
      {"done.invoke.examine", APPROVE},
      {"done.invoke.sign", APPROVE},
      {"done.invoke.deliver", "outcome = \"returned\"; item = \"EE\";"},
      {"done.invoke.deliver", "outcome = \"lost\";"},
      {"done.invoke.lost", "reason = \"r\";"},
      DELIVERED}},
    {P3,
     COUNTER,
     "withdrawn",
     "1 2 6 4 7 8",
     {TO_ACCEPTED,
      PAID,
      {"done.invoke.consult", "answers = ( ); asked = 0;"},
      {"withdraw", NULL},
      {"done.invoke.withdrawal", APPROVE},
      {"done.invoke.archive", NULL}}},
    {P3,
     COUNTER,
     "approved",
     "1 2 6 4 7 4 9 10",
     {TO_ACCEPTED,
      PAID,
      {"done.invoke.consult", "answers = ( ); asked = 0;"},
      {"withdraw", NULL},
      {"done.invoke.withdrawal", REFUSE},
      {"done.invoke.examine", APPROVE},
      {"done.invoke.sign", APPROVE},
      DELIVERED}},
    {P3,
     COUNTER,
     "stopped",
     "1 2 6 8",
     {TO_ACCEPTED, {"deadline.payment", NULL}, {"done.invoke.archive", NULL}}},
    {P3,
     COUNTER,
     "refused",
     "1 2 6 4 8",
     {TO_ACCEPTED,
      PAID,
      {"done.invoke.consult", "answers = ( ); asked = 0;"},
      {"done.invoke.examine", REFUSE},
      {"done.invoke.archive", NULL}}},
    {P5,
     COUNTER "pages = 4; copies = 2;",
     "approved",
     "1 2 6 4 9 10",
     {TO_ACCEPTED, PAID, {"done.invoke.certify", APPROVE}, DELIVERED}},
    {P11,
     COUNTER "land_commune = \"000.01.33.H30\";",
     "approved",
     "1 2 4 6 4 9 10",
     {TO_ACCEPTED,
      {"done.invoke.opinions", "answers = ( ); asked = 2;"},
      {"done.invoke.visit", APPROVE},
      {"done.invoke.decide", APPROVE},
      {"done.invoke.duties", "decision = \"approve\"; amount = 700;"},
      PAID,
      {"done.invoke.entering", "decision = \"approve\";"},
      DELIVERED}},
    {P11,
     COUNTER "land_commune = \"000.01.33.H30\";",
     NULL,
     "1 2 4",
     {TO_ACCEPTED, {"done.invoke.visit", APPROVE}, {"overdue", NULL}, {"deadline.examine", NULL}}},
    {P11,
     COUNTER "land_commune = \"000.01.33.H30\";",
     "refused",
     "1 2 4 8",
     {TO_ACCEPTED,
      {"done.invoke.visit", APPROVE},
      {"done.invoke.opinions", "answers = ( ); asked = 2;"},
      {"done.invoke.decide", APPROVE},
      {"done.invoke.duties", "decision = \"approve\";"},
      {"done.invoke.entering", "decision = \"refuse\";"},
      {"done.invoke.archive", NULL}}},
};

struct walk {
    struct wf_report report;
    struct wf_procedure *p;
    struct wf_arena *arena;
    struct wf_step step;
    struct wf_error err;
    int last_status;
    char statuses[128];
};

static struct wf_value *settings(struct walk *w, const char *text)
{
    struct wf_config *config = NULL;
    assert_ok(wf_config_parse("data", text, strlen(text), &w->report, &config, &w->err), w->err);
    struct wf_value *value = wf_map_copy(w->arena, wf_node_value(wf_config_root(config), w->arena));
    wf_config_free(config);
    return value;
}

static int status_of(const struct walk *w, int state)
{
    const struct wf_chart_state *states = NULL;
    wf_chart_states(w->p->chart, &states);
    while (state >= 0 && states[state].status == 0)
        state = states[state].parent;
    return state >= 0 ? states[state].status : 0;
}

/* Keeps the status of every state entered, in order, without repeating one. */
static void note_statuses(struct walk *w)
{
    assert_null(w->step.error);
    for (size_t i = 0; i < wf_value_count(w->step.entered); i++) {
        const char *id = wf_value_text(wf_list_at(w->step.entered, i), "");
        int status = status_of(w, wf_chart_find(w->p->chart, id));
        if (status == 0 || status == w->last_status)
            continue;
        size_t used = strlen(w->statuses);
        snprintf(w->statuses + used, sizeof(w->statuses) - used, "%s%d", used > 0 ? " " : "",
                 status);
        w->last_status = status;
    }
}

static void begin(struct walk *w, const char *file, const char *fields)
{
    char path[512];
    memset(w, 0, sizeof(*w));
    w->arena = wf_arena_new(0);
    snprintf(path, sizeof(path), "%s/procedures/%s.cfg", SOURCE_ROOT, file);
    assert_ok(wf_procedure_load(path, NULL, &w->report, &w->p, &w->err), w->err);
    struct wf_value *variables = settings(w, fields);
    struct wf_value *dossier = wf_map(w->arena);
    wf_map_put(w->arena, dossier, "fee", wf_int(w->arena, w->p->fee));
    wf_map_put(w->arena, variables, "_dossier", dossier);
    assert_ok(wf_chart_start(w->p->chart, variables, w->arena, &w->step, &w->err), w->err);
    note_statuses(w);
}

static void go(struct walk *w, const struct moment *moment)
{
    const struct wf_value *data = settings(w, moment->data != NULL ? moment->data : "");
    struct wf_chart_event event = {moment->event, data, NULL};
    struct wf_snapshot before = w->step.snapshot;
    assert_ok(wf_chart_step(w->p->chart, &before, &event, w->arena, &w->step, &w->err), w->err);
    if (!w->step.taken)
        fail_msg("%s: nobody takes %s", w->p->code, moment->event);
    note_statuses(w);
}

static void end(struct walk *w)
{
    wf_procedure_free(w->p);
    wf_report_fini(&w->report);
    wf_arena_free(w->arena);
}

static const char *outcome_of(const struct walk *w)
{
    const struct wf_chart_state *states = NULL;
    wf_chart_states(w->p->chart, &states);
    for (size_t i = 0; i < wf_value_count(w->step.snapshot.states); i++) {
        const char *id = wf_value_text(wf_list_at(w->step.snapshot.states, i), "");
        int state = wf_chart_find(w->p->chart, id);
        if (state >= 0 && states[state].outcome != NULL)
            return states[state].outcome;
    }
    return NULL;
}

static void every_journey_ends_with_its_outcome_and_portal_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < WF_COUNT(journeys); i++) {
        const struct journey *j = &journeys[i];
        struct walk w;
        begin(&w, j->file, j->fields);
        for (size_t k = 0; j->moments[k].event != NULL; k++)
            go(&w, &j->moments[k]);
        const char *outcome = outcome_of(&w);
        if (w.step.snapshot.done != (j->outcome != NULL) ||
            strcmp(outcome != NULL ? outcome : "", j->outcome != NULL ? j->outcome : "") != 0 ||
            strcmp(w.statuses, j->statuses) != 0)
            fail_msg("journey %zu of %s: outcome %s, codes %s", i, j->file,
                     outcome != NULL ? outcome : "none", w.statuses);
        end(&w);
    }
}

static size_t count_effects(const struct walk *w, enum wf_effect_kind kind, const char *activity)
{
    size_t n = 0;
    for (const struct wf_effect *e = w->step.effects; e != NULL; e = e->next)
        n += e->kind == kind && (activity == NULL || strcmp(e->activity, activity) == 0);
    return n;
}

static void an_overdue_dossier_gets_one_apology_and_one_new_date(void **state)
{
    (void)state;
    static const struct moment overdue = {"overdue", NULL};
    static const char *const files[] = {P1, P3, P5, P11};
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        struct walk w;
        begin(&w, files[i], COUNTER);
        go(&w, &overdue);
        assert_int_equal(count_effects(&w, WF_EFFECT_EXTEND, NULL), 1);
        assert_int_equal(count_effects(&w, WF_EFFECT_DETACHED, "notification.send"), 1);
        assert_int_equal(count_effects(&w, WF_EFFECT_DETACHED, "routing.escalate"), 1);
        go(&w, &overdue);
        assert_int_equal(count_effects(&w, WF_EFFECT_EXTEND, NULL), 0);
        assert_int_equal(count_effects(&w, WF_EFFECT_DETACHED, "notification.send"), 0);
        assert_int_equal(count_effects(&w, WF_EFFECT_DETACHED, "routing.escalate"), 1);
        end(&w);
    }
}

static const struct wf_value *parameter(const struct walk *w, const char *activity,
                                        const char *name)
{
    for (const struct wf_effect *e = w->step.effects; e != NULL; e = e->next) {
        if (e->kind == WF_EFFECT_INVOKE && strcmp(e->activity, activity) == 0)
            return wf_map_get(e->data, name);
    }
    return NULL;
}

static void the_fee_of_certified_copies_follows_the_tariff(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        int64_t fee;
    } cases[] = {
        {COUNTER "pages = 1; copies = 1;", 2000},     {COUNTER "pages = 2; copies = 3;", 12000},
        {COUNTER "pages = 3; copies = 1;", 5000},     {COUNTER "pages = 198; copies = 1;", 200000},
        {COUNTER "pages = 500; copies = 2;", 400000},
    };
    static const struct moment accepted[] = {TO_ACCEPTED};
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct walk w;
        begin(&w, P5, cases[i].fields);
        for (size_t k = 0; k < WF_COUNT(accepted); k++)
            go(&w, &accepted[k]);
        assert_int_equal(wf_value_int(parameter(&w, "return.collect_fee", "amount"), -1),
                         cases[i].fee);
        end(&w);
    }
}

static void former_communes_are_asked_all_at_once(void **state)
{
    (void)state;
    static const struct moment moments[] = {TO_ACCEPTED, PAID};
    struct walk w;
    begin(&w, P3, COUNTER "former_commune = \"A\"; former_commune_2 = \"B\";");
    for (size_t k = 0; k < WF_COUNT(moments); k++)
        go(&w, &moments[k]);
    const struct wf_value *to = parameter(&w, "routing.consult", "to");
    assert_int_equal(wf_value_count(to), 2);
    assert_string_equal(wf_value_text(wf_list_at(to, 1), ""), "B");
    end(&w);
}

static void a_parcel_is_asked_for_by_who_wants_the_result_by_post(void **state)
{
    (void)state;
    static const struct moment moments[] = {
        TO_ACCEPTED, {"done.invoke.examine", APPROVE}, {"done.invoke.sign", APPROVE}};
    struct walk w;
    begin(&w, P1, "return_by = \"post\";");
    for (size_t k = 0; k < WF_COUNT(moments); k++)
        go(&w, &moments[k]);
    assert_string_equal(wf_value_text(parameter(&w, "return.deliver", "by"), ""), "parcel");
    end(&w);
}

static void a_failed_task_is_told_and_a_head_can_have_it_done_again(void **state)
{
    (void)state;
    static const struct moment failed = {"error.communication", "reason = \"x\";"};
    static const struct moment retry = {"retry", NULL};
    struct walk w;
    begin(&w, P1, COUNTER);
    go(&w, &failed);
    assert_int_equal(count_effects(&w, WF_EFFECT_DETACHED, "routing.escalate"), 1);
    go(&w, &retry);
    assert_int_equal(count_effects(&w, WF_EFFECT_UNINVOKE, NULL), 1);
    assert_int_equal(count_effects(&w, WF_EFFECT_INVOKE, "intake.register"), 1);
    end(&w);
}

static void together_the_definitions_use_every_activity(void **state)
{
    (void)state;
    static const char *const activities[] = {
        "intake.register", "intake.supplement",  "verification.check", "verification.review",
        "routing.handoff", "routing.consult",    "routing.escalate",   "notification.send",
        "return.deliver",  "return.collect_fee", "return.archive"};
    static const char *const files[] = {P1, P3, P5, P11};
    size_t used[WF_COUNT(activities)] = {0};
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        const struct wf_chart_invoke *invokes = NULL;
        const struct wf_chart_send *sends = NULL;
        struct walk w;
        begin(&w, files[i], COUNTER);
        size_t n = wf_chart_invokes(w.p->chart, &invokes);
        size_t m = wf_chart_sends(w.p->chart, &sends);
        for (size_t a = 0; a < WF_COUNT(activities); a++) {
            for (size_t k = 0; k < n; k++)
                used[a] += strcmp(invokes[k].activity, activities[a]) == 0;
            for (size_t k = 0; k < m; k++)
                used[a] += strcmp(sends[k].activity, activities[a]) == 0;
        }
        end(&w);
    }
    for (size_t a = 0; a < WF_COUNT(activities); a++)
        assert_true(used[a] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_journey_ends_with_its_outcome_and_portal_codes),
        cmocka_unit_test(an_overdue_dossier_gets_one_apology_and_one_new_date),
        cmocka_unit_test(the_fee_of_certified_copies_follows_the_tariff),
        cmocka_unit_test(former_communes_are_asked_all_at_once),
        cmocka_unit_test(a_parcel_is_asked_for_by_who_wants_the_result_by_post),
        cmocka_unit_test(a_failed_task_is_told_and_a_head_can_have_it_done_again),
        cmocka_unit_test(together_the_definitions_use_every_activity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Histories written by hand, walked through small definitions. */
#include "support/test.h"

#include "workflow/replay.h"

struct desk {
    struct wf_report report;
    struct wf_arena *arena;
    struct wf_procedure *p;
    struct wf_error err;
    struct wf_rec_dossier dossier;
    struct wf_rec_event events[8];
    size_t n;
    struct wf_replay is;
};

static int set_up(void **state)
{
    static struct desk desk;
    memset(&desk, 0, sizeof(desk));
    desk.arena = wf_arena_new(0);
    desk.dossier = (struct wf_rec_dossier){.channel = wf_str("post"), .status = 4};
    *state = &desk;
    return desk.arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    struct desk *d = *state;
    wf_procedure_free(d->p);
    wf_report_fini(&d->report);
    wf_arena_free(d->arena);
    return 0;
}

/* State look with these transitions, and the ends yes and no. */
static void load(struct desk *d, const char *transitions)
{
    char text[4096];
    (void)snprintf(
        text, sizeof(text),
        "procedure: { code = \"1.000001\"; version = 1; title = { vi = \"T\"; en = \"T\"; };"
        " level = \"commune\"; channels = [ \"post\" ]; time_limit = \"3 working days\";"
        " fields = ( { id = \"age\"; type = \"integer\"; title = { vi = \"Tuổi\"; en = \"Age\"; };"
        " } ); states: { look: { status = 4; on = ( %s, { event = \"overdue\"; target = \"no\"; } "
        "); };"
        " yes: { type = \"final\"; status = 10; outcome = \"approved\"; };"
        " no: { type = \"final\"; status = 3; outcome = \"refused\"; }; }; };",
        transitions);
    wf_procedure_free(d->p);
    d->p = NULL;
    assert_ok(wf_procedure_parse("text", text, strlen(text), NULL, &d->report, &d->p, &d->err),
              d->err);
}

static void add(struct desk *d, const char *event, const char *role, const struct wf_value *data,
                const char *state)
{
    struct wf_value *states = wf_list(d->arena);
    wf_list_add(d->arena, states, wf_text(d->arena, state));
    assert_in_range(d->n, 0, WF_COUNT(d->events) - 1);
    d->events[d->n] = (struct wf_rec_event){.event = wf_str(event),
                                            .role = wf_str(role),
                                            .data = data != NULL ? data : &wf_null,
                                            .states = states,
                                            .ms = (int64_t)d->n};
    d->n++;
}

static void submit(struct desk *d, int64_t age)
{
    struct wf_value *fields = wf_map(d->arena);
    struct wf_value *data = wf_map(d->arena);
    wf_map_put(d->arena, fields, "age", wf_int(d->arena, age));
    wf_map_put(d->arena, data, "fields", fields);
    add(d, "submit", "postal_worker", data, "look");
}

static void ended(struct desk *d, const char *outcome, uint64_t status)
{
    d->dossier.done = true;
    d->dossier.outcome = wf_str(outcome);
    d->dossier.status = status;
}

static void replay(struct desk *d)
{
    const struct wf_replay_case of = {&d->dossier, d->events, d->n, false, "M1"};
    assert_ok(wf_replay(d->p, &of, d->arena, &d->is, &d->err), d->err);
}

#define DECIDES                                                                                    \
    "{ event = \"decide\"; cond = \"age >= 18\"; target = \"yes\"; },"                             \
    "{ event = \"decide\"; target = \"no\"; }, { event = \"fall\"; target = \"no\"; }"

static void what_went_as_before_is_the_same(void **state)
{
    struct desk *d = *state;
    load(d, DECIDES);
    submit(d, 20);
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_SAME);
    add(d, "operator.note", "operator", NULL, "look");
    add(d, "nobody.listens", "system", NULL, "look");
    add(d, "decide", "head", NULL, "yes");
    ended(d, "approved", 10);
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_SAME);
    assert_null(d->is.event);
    assert_string_equal(d->is.outcome, "approved");
}

static void another_end_is_told_with_the_event(void **state)
{
    struct desk *d = *state;
    load(d, DECIDES);
    submit(d, 17);
    add(d, "decide", "head", NULL, "yes");
    ended(d, "approved", 10);
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_OUTCOME);
    assert_string_equal(d->is.event, "decide");
    assert_string_equal(d->is.outcome, "refused");
    assert_string_equal(wf_value_text(wf_list_at(d->is.was, 0), ""), "yes");
    assert_string_equal(wf_value_text(wf_list_at(d->is.now, 0), ""), "no");
}

static void an_event_that_is_not_taken_any_more_is_named(void **state)
{
    struct desk *d = *state;
    load(d, DECIDES);
    submit(d, 17);
    add(d, "grant", "head", NULL, "yes");
    ended(d, "approved", 10);
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_UNTAKEN);
    assert_string_equal(d->is.event, "grant");
    assert_null(d->is.outcome);
}

static void who_may_not_raise_an_event_is_not_heard(void **state)
{
    struct desk *d = *state;
    load(d, "{ event = \"decide\"; roles = [ \"head\" ]; target = \"yes\"; },"
            "{ event = \"fall\"; target = \"no\"; }");
    submit(d, 20);
    add(d, "decide", "clerk", NULL, "yes");
    ended(d, "approved", 10);
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_UNTAKEN);
    d->events[1].role = wf_str("head");
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_SAME);
}

static void another_status_is_a_difference(void **state)
{
    struct desk *d = *state;
    load(d, DECIDES);
    submit(d, 20);
    d->dossier.status = 2;
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_STATE);
    assert_string_equal(d->is.event, "submit");
    assert_int_equal(d->is.status, 4);
}

static void what_the_chart_sends_itself_is_taken_once(void **state)
{
    struct desk *d = *state;
    load(d, "{ event = \"ask\"; do = ( { send = \"fall\"; } ); },"
            "{ event = \"fall\"; target = \"no\"; }, { event = \"decide\"; target = \"yes\"; }");
    submit(d, 20);
    add(d, "ask", "head", NULL, "look");
    ended(d, "refused", 3);
    replay(d); /* the history does not bring it */
    assert_string_equal(d->is.outcome, "refused");
    add(d, "fall", "system", NULL, "no");
    d->events[2].ms = d->events[1].ms;
    replay(d);
    assert_int_equal(d->is.what, WF_REPLAY_SAME);
}

static void a_history_without_its_submission_is_refused(void **state)
{
    struct desk *d = *state;
    load(d, DECIDES);
    const struct wf_replay_case of = {&d->dossier, d->events, 0, false, ""};
    assert_int_equal(wf_replay(d->p, &of, d->arena, &d->is, &d->err), WF_E_STATE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_went_as_before_is_the_same),
        CASE(another_end_is_told_with_the_event),
        CASE(an_event_that_is_not_taken_any_more_is_named),
        CASE(who_may_not_raise_an_event_is_not_heard),
        CASE(another_status_is_a_difference),
        CASE(what_the_chart_sends_itself_is_taken_once),
        CASE(a_history_without_its_submission_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

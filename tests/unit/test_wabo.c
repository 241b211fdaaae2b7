/* SPDX-License-Identifier: Apache-2.0 */
/* The stranger's process: its definition against ways that the log took, and the reader of logs.
 * The log itself is replayed by the test "stranger", where it is present. */
#include "support/test.h"

#include "demo/wabo/log.h"
#include "demo/wabo/process.h"
#include "support/tempdir.h"
#include "workflow/procedure.h"
#include "workflow/runner.h"

#define MOST_EVENTS 64

struct world {
    struct wf_report report;
    struct wf_procedure *procedure;
    struct wf_runner *runner;
    struct wf_arena *arena;
    struct log_event events[MOST_EVENTS];
    struct log_case one;
    struct wf_error err;
};

/* ---- ways through the chart -------------------------------------------------------------------
 */

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    assert_ok(wf_procedure_load(SOURCE_ROOT "/demo/wabo/receipt.cfg", NULL, &w->report,
                                &w->procedure, &w->err),
              w->err);
    assert_ok(wf_runner_new(w->procedure->chart, &w->runner, &w->err), w->err);
    w->arena = wf_arena_new(0);
    w->one.events = w->events;
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    wf_runner_free(w->runner);
    wf_procedure_free(w->procedure);
    wf_report_fini(&w->report);
    wf_arena_free(w->arena);
    free(w);
    return 0;
}

static bool accepts(struct world *w, const char *name)
{
    struct wf_chart_event event = {.name = name};
    bool yes = false;
    assert_ok(wf_chart_accepts(w->procedure->chart, wf_runner_snapshot(w->runner), &event, w->arena,
                               &yes, &w->err),
              w->err);
    return yes;
}

static void take(struct world *w, const char *name)
{
    struct wf_chart_event event = {.name = name};
    assert_ok(wf_runner_take(w->runner, &event, 0, &w->err), w->err);
}

/* "T07-1" is the activity whose name begins so; "C" the confirmation. */
static const struct activity *find(const char *word, size_t length)
{
    size_t i = 0;
    while (i < process_n_activities && (strncmp(process_activities[i].name, word, length) != 0 ||
                                        (length > 1 && process_activities[i].name[length] != ' ')))
        i++;
    assert_in_range(i, 0, process_n_activities - 1);
    return &process_activities[i];
}

/* Gives the first word that is refused, NULL when all were accepted. */
static const char *play(struct world *w, const char *way)
{
    take(w, "done.invoke.register");
    for (const char *word = way; *word != '\0'; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        const struct activity *what = find(word, length);
        if (!accepts(w, what->event))
            return word;
        take(w, what->event);
        assert_true(w->one.n_events < MOST_EVENTS);
        w->events[w->one.n_events++].what = what;
        word += length;
    }
    return NULL;
}

/* The dossier is where the other reading, the table, says it must be. */
static void ends(struct world *w, const char *first_state, const char *outcome)
{
    struct ending ending = process_ending(&w->one);
    bool closes = accepts(w, "close");
    if (closes)
        take(w, "close");
    const struct wf_value *active = wf_runner_active(w->runner, w->arena);
    size_t n = 0;
    for (; n < ENDING_STATES && ending.states[n] != NULL; n++)
        assert_string_equal(wf_value_text(wf_list_at(active, n), ""), ending.states[n]);
    assert_int_equal(wf_value_count(active), n);
    assert_string_equal(ending.states[0], first_state);
    assert_string_equal(ending.outcome, outcome);
    assert_int_equal(closes, outcome[0] != '\0');
}

static void the_way_of_half_of_all_cases_is_passed_on(void **state)
{
    assert_null(play(*state, "C T02 T04 T05 T06 T10"));
    ends(*state, "passed_on", "approved");
}

static void the_letter_may_come_after_the_decision(void **state)
{
    assert_null(play(*state, "C T06 T10 T02 T03 T02 T03 T02 T04 T03 T02 T04 T05"));
    ends(*state, "passed_on", "approved");
}

static void a_confirmation_alone_keeps_the_case_open(void **state)
{
    assert_null(play(*state, "C"));
    ends(*state, "letter_drafted", "");
}

static void an_unlicensed_request_ends_with_document_x(void **state)
{
    assert_null(play(*state, "C T06 T10 T11 T12 T02 T04 T05 T13 T12 T14 T15"));
    ends(*state, "unlicensed", "refused");
}

static void a_document_x_that_was_only_created_keeps_the_case_open(void **state)
{
    assert_null(play(*state, "C T02 T04 T06 T10 T05 T11"));
    ends(*state, "letter_sent", "");
}

static void report_y_is_checked_as_often_as_it_is_adjusted(void **state)
{
    assert_null(play(*state, "C T02 T04 T05 T06 T10 T16 T17 T18 T17 T18 T17 T19 T20"));
    ends(*state, "held", "stopped");
}

static void rounds_of_advice_end_by_weighing_again(void **state)
{
    assert_null(play(*state, "C T06 T07-5 T07-1 T08 T09-1 T07-3 T07-4 T07-2 T02 T04 T05 T06 T10"));
    ends(*state, "passed_on", "approved");
}

static void a_round_that_was_not_ended_keeps_the_case_open(void **state)
{
    assert_null(play(*state, "C T06 T07-1 T07-2 T06 T07-1 T02 T07-2"));
    ends(*state, "letter_checked", "");
}

static void two_parties_may_answer_one_request(void **state)
{
    assert_null(play(*state, "C T02 T04 T05 T06 T08 T09-3 T09-1 T07-3 T06 T06"));
    ends(*state, "letter_sent", "");
}

static void a_request_without_answer_holds_the_weighing_back(void **state)
{
    assert_string_equal(play(*state, "C T06 T08 T07-1 T06"), "T06");
}

static void a_letter_is_not_sent_unchecked(void **state)
{
    assert_string_equal(play(*state, "C T05"), "T05");
}

static void nothing_is_decided_before_it_is_weighed(void **state)
{
    assert_string_equal(play(*state, "C T02 T10"), "T10");
}

static void document_x_and_report_y_exclude_each_other(void **state)
{
    assert_string_equal(play(*state, "C T06 T10 T11 T16"), "T16");
}

static void a_limit_that_passes_changes_no_state(void **state)
{
    struct world *w = *state;
    assert_null(play(w, "C T02 T06"));
    assert_true(accepts(w, "overdue"));
    take(w, "overdue");
    ends(w, "letter_checked", "");
}

/* ---- reading a log ----------------------------------------------------------------------------
 */

#define HEAD                                                                                       \
    "case:channel,case:concept:name,case:department,case:startdate,concept:name,org:resource,"     \
    "time:timestamp\n"
#define ROW(case_id, activity, time)                                                               \
    "Desk," case_id ",General,2011-10-11 13:42:22.688000+02:00," activity ",Resource21," time "\n"
#define CONFIRM "Confirmation of receipt"
#define CHECK   "T02 Check confirmation of receipt"

static int read_text(const char *text, struct log *out, struct wf_error *err)
{
    struct tempdir dir;
    char path[300];
    tempdir_init(&dir);
    (void)tempdir_path(&dir, "log.csv", path, sizeof(path));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    int rc = log_read(path, out, err);
    tempdir_fini(&dir);
    return rc;
}

static void refuses(const char *text, const char *why)
{
    struct log log = {0};
    struct wf_error err = {0};
    assert_int_equal(read_text(text, &log, &err), WF_E_INVALID);
    assert_non_null(strstr(err.text, why));
}

static void cases_and_times_are_read(void **state)
{
    struct log log = {0};
    struct wf_error err = {0};
    (void)state;
    assert_ok(read_text(HEAD ROW("a", CONFIRM, "2011-10-11 13:45:40.276000+02:00")
                            ROW("a", CHECK, "2012-01-01 00:00:00.000000+01:00")
                                ROW("b", CONFIRM, "2010-01-01 00:00:00.000000+00:00"),
                        &log, &err),
              err);
    assert_int_equal(log.n_cases, 2);
    assert_int_equal(log.n_events, 3);
    assert_int_equal(log.cases[0].n_events, 2);
    assert_string_equal(log.cases[0].channel, "Desk");
    assert_string_equal(log.cases[0].events[1].what->event, "check_letter");
    assert_string_equal(log.cases[0].events[1].resource, "Resource21");
    assert_int_equal(log.cases[0].started_ms, INT64_C(1318333342688));
    assert_int_equal(log.cases[0].events[0].ms, INT64_C(1318333540276));
    assert_int_equal(log.cases[0].events[1].ms, INT64_C(1325372400000));
    /* entered in the books after its first event: taken as begun with it */
    assert_int_equal(log.cases[1].started_ms, INT64_C(1262304000000));
    log_fini(&log);
}

static void a_log_that_is_not_there_is_not_found(void **state)
{
    struct log log = {0};
    struct wf_error err = {0};
    (void)state;
    assert_int_equal(log_read("/nowhere/log.csv", &log, &err), WF_E_NOT_FOUND);
}

static void what_cannot_be_replayed_is_refused_with_its_line(void **state)
{
    (void)state;
    refuses("case:channel,concept:name\n", "case:concept:name");
    refuses(HEAD ROW("a", "T99 Unheard of", "2011-10-11 13:45:40.276000+02:00"), "line 2");
    refuses(HEAD ROW("a", CONFIRM, "2011-10-11"), "no time");
    refuses(HEAD "Desk,a,General\n", "number of cells");
    refuses(HEAD ROW("a", CONFIRM, "2011-10-11 13:45:40.276000+02:00")
                ROW("a", CHECK, "2011-10-11 13:45:40.276000+03:00"),
            "line 3: earlier");
    refuses(HEAD ROW("a", CONFIRM, "2011-10-11 13:45:40.276000+02:00")
                ROW("b", CONFIRM, "2011-10-11 13:45:40.276000+02:00")
                    ROW("a", CHECK, "2011-10-12 13:45:40.276000+02:00"),
            "do not stand together");
}

static void an_order_of_chance_keeps_first_events_and_times(void **state)
{
    struct log log = {0};
    struct wf_error err = {0};
    size_t moved = 0;
    (void)state;
    assert_ok(read_text(HEAD ROW("a", CONFIRM, "2011-10-11 13:00:00.000000+02:00")
                            ROW("a", CHECK, "2011-10-11 13:00:01.000000+02:00")
                                ROW("a", "T10 Determine necessity to stop indication",
                                    "2011-10-11 13:00:02.000000+02:00"),
                        &log, &err),
              err);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        log_shuffle(&log, seed);
        assert_string_equal(log.cases[0].events[0].what->name, CONFIRM);
        assert_true(log.cases[0].events[1].ms < log.cases[0].events[2].ms);
        moved += strcmp(log.cases[0].events[1].what->name, CHECK) != 0 ? 1 : 0;
    }
    assert_in_range(moved, 1, 19);
    log_fini(&log);
}

#define WITH_CHART(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CHART(the_way_of_half_of_all_cases_is_passed_on),
        WITH_CHART(the_letter_may_come_after_the_decision),
        WITH_CHART(a_confirmation_alone_keeps_the_case_open),
        WITH_CHART(an_unlicensed_request_ends_with_document_x),
        WITH_CHART(a_document_x_that_was_only_created_keeps_the_case_open),
        WITH_CHART(report_y_is_checked_as_often_as_it_is_adjusted),
        WITH_CHART(rounds_of_advice_end_by_weighing_again),
        WITH_CHART(a_round_that_was_not_ended_keeps_the_case_open),
        WITH_CHART(two_parties_may_answer_one_request),
        WITH_CHART(a_request_without_answer_holds_the_weighing_back),
        WITH_CHART(a_letter_is_not_sent_unchecked),
        WITH_CHART(nothing_is_decided_before_it_is_weighed),
        WITH_CHART(document_x_and_report_y_exclude_each_other),
        WITH_CHART(a_limit_that_passes_changes_no_state),
        cmocka_unit_test(cases_and_times_are_read),
        cmocka_unit_test(a_log_that_is_not_there_is_not_found),
        cmocka_unit_test(what_cannot_be_replayed_is_refused_with_its_line),
        cmocka_unit_test(an_order_of_chance_keeps_first_events_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Walks on paper: the pilot's definitions a thousand times at random, and scripts line by line. */
#include "support/test.h"

#include <glob.h>

#include "workflow/simulate.h"

#define WALKS       1000
#define MOST_EVENTS 600
#define START_MS    INT64_C(1795392000000) /* 2026-11-23 07:00; the 24th is a holiday */

struct desk {
    struct wf_report report;
    struct wf_calendar *calendar;
    struct wf_arena *arena;
    struct wf_procedure *p;
    struct wf_error err;
    struct wf_walk_options options;
    struct wf_walk walk;
};

static int set_up(void **state)
{
    static struct desk desk;
    memset(&desk, 0, sizeof(desk));
    desk.arena = wf_arena_new(0);
    assert_ok(wf_calendar_load(SOURCE_ROOT "/config/calendar.cfg", &desk.report, &desk.calendar,
                               &desk.err),
              desk.err);
    desk.options = (struct wf_walk_options){.calendar = desk.calendar, .start_ms = START_MS};
    *state = &desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *d = *state;
    wf_procedure_free(d->p);
    wf_calendar_free(d->calendar);
    wf_report_fini(&d->report);
    wf_arena_free(d->arena);
    return 0;
}

static void load(struct desk *d, const char *path)
{
    wf_procedure_free(d->p);
    d->p = NULL;
    assert_ok(wf_procedure_load(path, NULL, &d->report, &d->p, &d->err), d->err);
}

static void load_text(struct desk *d, const char *states)
{
    char text[4096];
    snprintf(text, sizeof(text),
             "procedure: { code = \"1.000001\"; version = 1; title = { vi = \"T\"; en = \"T\"; };"
             " level = \"commune\"; channels = [ \"post\" ]; time_limit = \"3 working days\";"
             " states: { %s closed: { type = \"final\"; status = 10; outcome = \"approved\"; }; };"
             "};",
             states);
    wf_procedure_free(d->p);
    d->p = NULL;
    assert_ok(wf_procedure_parse("text", text, strlen(text), NULL, &d->report, &d->p, &d->err),
              d->err);
}

static void script(struct desk *d, const char *lines)
{
    struct wf_config *config = NULL;
    char text[4096];
    snprintf(text, sizeof(text), "lines = ( %s );", lines);
    assert_ok(wf_config_parse("script", text, strlen(text), &d->report, &config, &d->err), d->err);
    d->options.script = wf_node_value(wf_node_child(wf_config_root(config), "lines"), d->arena);
    d->options.script = wf_value_copy(d->arena, d->options.script);
    wf_config_free(config);
    assert_ok(wf_simulate(d->p, &d->options, d->arena, &d->walk, &d->err), d->err);
}

static const struct wf_value *row_of(const struct desk *d, const char *event)
{
    for (size_t i = 0; i < wf_value_count(d->walk.trace); i++) {
        const struct wf_value *row = wf_list_at(d->walk.trace, i);
        if (strcmp(wf_value_text(wf_map_get(row, "event"), ""), event) == 0)
            return row;
    }
    fail_msg("the trace has no event %s", event);
    return NULL;
}

static const char *time_of(const struct desk *d, const char *event, char buf[32])
{
    return wf_calendar_format(d->calendar, wf_value_int(wf_map_get(row_of(d, event), "time"), 0),
                              buf, 32);
}

/* ---- at random ----------------------------------------------------------------------------- */

static void walk_one(struct desk *d, const char *path, uint64_t seed)
{
    int64_t before = START_MS;
    d->options.seed = seed;
    d->options.max_events = MOST_EVENTS;
    wf_arena_reset(d->arena);
    assert_ok(wf_simulate(d->p, &d->options, d->arena, &d->walk, &d->err), d->err);
    const struct wf_value *last = wf_list_at(d->walk.trace, wf_value_count(d->walk.trace) - 1);
    if (!d->walk.done || d->walk.outcome == NULL)
        fail_msg("%s, seed %llu: %s (in %s)", path, (unsigned long long)seed,
                 d->walk.problem != NULL ? d->walk.problem : "no outcome",
                 wf_value_text(wf_list_at(wf_map_get(last, "states"), 0), "?"));
    for (size_t i = 0; i < wf_value_count(d->walk.trace); i++) {
        const struct wf_value *row = wf_list_at(d->walk.trace, i);
        int64_t now = wf_value_int(wf_map_get(row, "time"), -1);
        if (wf_map_get(row, "error") != NULL)
            fail_msg("%s, seed %llu: event %s: %s", path, (unsigned long long)seed,
                     wf_value_text(wf_map_get(row, "event"), ""),
                     wf_value_text(wf_map_get(row, "error"), ""));
        assert_true(now >= before);
        before = now;
    }
}

static bool add_outcome(const char *seen[], size_t *n, const char *outcome)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(seen[i], outcome) == 0)
            return false;
    }
    seen[(*n)++] = outcome;
    return true;
}

static void every_definition_comes_to_an_end_whatever_happens(void **state)
{
    struct desk *d = *state;
    glob_t files;
    assert_int_equal(glob(SOURCE_ROOT "/procedures/*.cfg", 0, NULL, &files), 0);
    assert_true(files.gl_pathc >= 4);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *seen[16];
        size_t n = 0;
        load(d, files.gl_pathv[i]);
        for (uint64_t seed = 1; seed <= WALKS; seed++) {
            walk_one(d, files.gl_pathv[i], seed);
            if (n < 16)
                (void)add_outcome(seen, &n, d->walk.outcome);
        }
        assert_true(n >= 3); /* approved, refused and at least one more */
    }
    globfree(&files);
}

static void the_same_seed_gives_the_same_walk(void **state)
{
    struct desk *d = *state;
    load(d, SOURCE_ROOT "/procedures/1.004873-marital-status.cfg");
    struct wf_walk first;
    struct wf_walk second;
    d->options.seed = 7;
    assert_ok(wf_simulate(d->p, &d->options, d->arena, &first, &d->err), d->err);
    assert_ok(wf_simulate(d->p, &d->options, d->arena, &second, &d->err), d->err);
    assert_true(wf_value_equal(first.trace, second.trace));
    d->options.seed = 8;
    assert_ok(wf_simulate(d->p, &d->options, d->arena, &second, &d->err), d->err);
    assert_false(wf_value_equal(first.trace, second.trace));
}

static void a_definition_that_never_ends_is_told_after_the_limit(void **state)
{
    struct desk *d = *state;
    load_text(d, "a: { status = 4; invoke = ( { activity = \"x.y\"; id = \"a\"; } );"
                 " on = ( { event = \"done.invoke.a\"; cond = \"has(_event.data.never)\";"
                 "          target = \"closed\"; },"
                 "        { event = \"done.invoke.a error\"; target = \"b\"; } ); };"
                 "b: { status = 4; invoke = ( { activity = \"x.y\"; id = \"b\"; } );"
                 " on = ( { event = \"done.invoke.b error\"; target = \"a\"; } ); };");
    d->options.max_events = 50;
    assert_ok(wf_simulate(d->p, &d->options, d->arena, &d->walk, &d->err), d->err);
    assert_false(d->walk.done);
    assert_int_equal(d->walk.n_events, 50);
    assert_non_null(strstr(d->walk.problem, "50 events"));
}

/* ---- by script ----------------------------------------------------------------------------- */

#define WORK                                                                                       \
    "work: { status = 4; deadline = \"2 working days\";"                                           \
    " invoke = ( { activity = \"verification.review\"; id = \"review\"; role = \"head\"; } );"     \
    " on = ( { event = \"done.invoke.review\"; target = \"closed\"; },"                            \
    "        { event = \"deadline.work\"; do = ( { send = \"routing.escalate\"; } ); },"           \
    "        { event = \"withdraw\"; target = \"closed\"; } ); };"

static void a_script_is_carried_out_line_by_line(void **state)
{
    struct desk *d = *state;
    char buf[32];
    load_text(d, WORK);
    script(d, "{ event = \"done.invoke.review\"; after = \"1 working day\"; }");
    assert_true(d->walk.done);
    assert_string_equal(d->walk.outcome, "approved");
    assert_int_equal(d->walk.status, 10);
    assert_string_equal(time_of(d, "done.invoke.review", buf), "2026-11-25 07:00");
}

static void time_passes_until_the_timer_that_the_script_names(void **state)
{
    struct desk *d = *state;
    char buf[32];
    load_text(d, WORK);
    script(d, "{ event = \"deadline.work\"; }, { event = \"done.invoke.review\"; }");
    assert_true(d->walk.done);
    assert_string_equal(time_of(d, "deadline.work", buf), "2026-11-26 07:00");
}

static void timers_on_the_way_fire(void **state)
{
    struct desk *d = *state;
    char buf[32];
    load_text(d, WORK);
    script(d, "{ after = \"10 days\"; }, { event = \"done.invoke.review\"; }");
    assert_true(d->walk.done);
    assert_string_equal(time_of(d, "deadline.work", buf), "2026-11-26 07:00");
    assert_string_equal(time_of(d, "done.invoke.review", buf), "2026-12-03 07:00");
}

static void the_system_answers_for_itself(void **state)
{
    struct desk *d = *state;
    load(d, SOURCE_ROOT "/procedures/1.004873-marital-status.cfg");
    script(d, "{ event = \"done.invoke.accept\"; }, { event = \"done.invoke.payment\"; },"
              "{ event = \"done.invoke.consult\"; }, { event = \"done.invoke.examine\"; },"
              "{ event = \"done.invoke.sign\"; }, { event = \"done.invoke.deliver\"; }");
    if (!d->walk.done)
        fail_msg("%s", d->walk.problem);
    assert_string_equal(d->walk.outcome, "approved");
    assert_true(wf_value_int(wf_map_get(row_of(d, "done.invoke.register"), "due"), 0) > START_MS);
}

static void the_clock_stands_still_while_the_citizen_is_asked(void **state)
{
    struct desk *d = *state;
    load(d, SOURCE_ROOT "/procedures/1.004873-marital-status.cfg");
    script(d, "{ event = \"done.invoke.check\"; data = { complete = false; problems = ( \"p\" ); };"
              " }, { after = \"8 days\"; }, { event = \"done.invoke.completion\"; },"
              "{ event = \"withdraw\"; }");
    int64_t before = wf_value_int(wf_map_get(row_of(d, "done.invoke.check"), "due"), 0);
    int64_t after = wf_value_int(wf_map_get(row_of(d, "done.invoke.completion"), "due"), 0);
    assert_true(after - before >= INT64_C(8) * 86400000);
}

static void what_a_stuck_walk_waits_for_is_told(void **state)
{
    struct desk *d = *state;
    load_text(d, WORK);
    script(d, "");
    assert_false(d->walk.done);
    assert_non_null(d->walk.problem);
    assert_int_equal(wf_value_count(d->walk.waits_for), 3);
    const struct wf_value *first = wf_list_at(d->walk.waits_for, 0);
    assert_string_equal(wf_value_text(wf_map_get(first, "id"), ""), "review");
    assert_string_equal(wf_value_text(wf_map_get(first, "role"), ""), "head");
    assert_string_equal(wf_value_text(wf_map_get(wf_list_at(d->walk.waits_for, 1), "id"), ""),
                        "deadline.work");
    assert_string_equal(wf_value_text(wf_map_get(wf_list_at(d->walk.waits_for, 2), "id"), ""),
                        "withdraw");
}

static void an_event_that_nobody_takes_stops_the_script(void **state)
{
    static const struct {
        const char *lines;
        const char *problem;
    } cases[] = {
        {"{ event = \"wihtdraw\"; }", "events[0]: no state that is active takes wihtdraw"},
        {"{ event = \"done.invoke.other\"; }", "events[0]: no activity is at work"},
        {"{ event = \"deadline.other\"; }", "no timer is armed that raises deadline.other"},
        {"{ event = \"withdraw\"; }, { event = \"withdraw\"; }", "comes after the end"},
        {"{ event = \"error.communication\"; }", "invoke"},
    };
    struct desk *d = *state;
    load_text(d, WORK);
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        script(d, cases[i].lines);
        if (d->walk.problem == NULL || strstr(d->walk.problem, cases[i].problem) == NULL)
            fail_msg("%s: %s", cases[i].lines, d->walk.problem != NULL ? d->walk.problem : "none");
    }
}

static void a_line_that_says_nothing_is_refused(void **state)
{
    struct desk *d = *state;
    struct wf_value *lines = wf_list(d->arena);
    (void)wf_list_add(d->arena, lines, wf_map(d->arena));
    load_text(d, WORK);
    d->options.script = lines;
    assert_int_equal(wf_simulate(d->p, &d->options, d->arena, &d->walk, &d->err), WF_E_INVALID);
    assert_non_null(strstr(d->err.text, "events[0]"));
}

static void lack_of_memory_is_told_wherever_it_strikes(void **state)
{
    struct desk *d = *state;
    load(d, SOURCE_ROOT "/procedures/2.000815-certified-copy.cfg");
    d->options.seed = 3;
    int rc = WF_E_NOMEM;
    unsigned long n = 1;
    for (; rc != 0 && n < 5000; n++) {
        wf_arena_free(d->arena);
        d->arena = wf_arena_new(0);
        wf_alloc_fail_at(n, 0);
        rc = wf_simulate(d->p, &d->options, d->arena, &d->walk, &d->err);
        wf_alloc_fail_at(0, 0);
        assert_true(rc == 0 || rc == WF_E_NOMEM);
    }
    assert_int_equal(rc, 0);
    assert_true(n > 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_definition_comes_to_an_end_whatever_happens),
        TEST(the_same_seed_gives_the_same_walk),
        TEST(a_definition_that_never_ends_is_told_after_the_limit),
        TEST(a_script_is_carried_out_line_by_line),
        TEST(time_passes_until_the_timer_that_the_script_names),
        TEST(timers_on_the_way_fire),
        TEST(the_system_answers_for_itself),
        TEST(the_clock_stands_still_while_the_citizen_is_asked),
        TEST(what_a_stuck_walk_waits_for_is_told),
        TEST(an_event_that_nobody_takes_stops_the_script),
        TEST(a_line_that_says_nothing_is_refused),
        TEST(lack_of_memory_is_told_wherever_it_strikes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

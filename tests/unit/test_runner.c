/* SPDX-License-Identifier: Apache-2.0 */
/* The runner itself; what charts do in it is told by tests/scxml. */
#include "support/test.h"

#include <unistd.h>

#include "support/tempdir.h"
#include "workflow/runner.h"

struct world {
    struct tempdir dir;
    struct wf_report report;
    struct wf_chart *chart;
    struct wf_runner *runner;
    struct wf_arena *arena;
    struct wf_error err;
};

static int load(struct world *w, const char *text)
{
    char path[300];
    memset(w, 0, sizeof(*w));
    tempdir_init(&w->dir);
    (void)snprintf(path, sizeof(path), "%s/t.cfg", w->dir.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    w->arena = wf_arena_new(0);
    return wf_runner_load(path, &w->report, &w->chart, &w->err);
}

static void open_world(struct world *w, const char *text)
{
    assert_ok(load(w, text), w->err);
    assert_ok(wf_runner_new(w->chart, &w->runner, &w->err), w->err);
}

static void close_world(struct world *w)
{
    wf_runner_free(w->runner);
    wf_chart_free(w->chart);
    wf_report_fini(&w->report);
    wf_arena_free(w->arena);
    tempdir_fini(&w->dir);
}

static int take(struct world *w, const char *name, int64_t after_ms)
{
    struct wf_chart_event event = {.name = name};
    return wf_runner_take(w->runner, &event, after_ms, &w->err);
}

static const char *active(struct world *w)
{
    const struct wf_value *ids = wf_runner_active(w->runner, w->arena);
    assert_int_equal(wf_value_count(ids), 1);
    return wf_value_text(wf_list_at(ids, 0), "");
}

/* ---- files --------------------------------------------------------------------------------- */

static void other_keys_than_those_of_a_chart_are_refused(void **state)
{
    static const char *const texts[] = {"procedure: { code = \"1\"; };",
                                        "chart = 1;",
                                        "",
                                        "chart: { states: { a: {}; }; }; title = \"x\";",
                                        "chart: { state: { a: {}; }; };",
                                        "chart: { states: { a: {}; }; papers = (); };"};
    (void)state;
    for (size_t i = 0; i < WF_COUNT(texts); i++) {
        struct world w;
        assert_int_equal(load(&w, texts[i]), WF_E_CONFIG);
        assert_true(w.report.errors > 0);
        assert_null(w.chart);
        close_world(&w);
    }
}

static void a_file_that_is_not_there_is_no_chart(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_chart *chart = NULL;
    struct wf_error err = {0};
    assert_int_equal(wf_runner_load("/nowhere/t.cfg", &report, &chart, &err), WF_E_IO);
    assert_null(chart);
    wf_report_fini(&report);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void time_does_not_go_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "chart: { states: { a: { on = ({event = \"t\"; target = \"b\";}); }; b: {}; }; };");
    assert_int_equal(take(&w, "t", -1), WF_E_INVALID);
    assert_string_equal(active(&w), "a");
    assert_int_equal(take(&w, "t", INT64_MAX), WF_E_INVALID);
    assert_string_equal(active(&w), "a");
    assert_ok(take(&w, "t", 0), w.err);
    assert_string_equal(active(&w), "b");
    close_world(&w);
}

static void a_working_day_passes_over_the_night(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "chart: { states: { a: { deadline = \"8 working hours\"; "
                   "on = ({event = \"deadline.a\"; target = \"b\";}); }; b: {}; }; };");
    /* Monday 08:00-11:30, 13:30-17:00, Tuesday 07:00-08:00 */
    assert_ok(take(&w, "tick", INT64_C(24) * 3600 * 1000 - 1), w.err);
    assert_string_equal(active(&w), "a");
    assert_ok(take(&w, "tick", 1), w.err);
    assert_string_equal(active(&w), "b");
    close_world(&w);
}

/* ---- memory -------------------------------------------------------------------------------- */

#define GROWS                                                                                      \
    "chart: { data: { kept = {}; words = []; n = 0; }; states: { a: {"                             \
    "on = ({event = \"keep\"; do = ({assign = \"kept\"; expr = \"_event.data\";});},"              \
    "{event = \"arm\"; do = ({send = \"ring\"; delay = \"1 day\"; data = \"=kept\";});},"          \
    "{event = \"ring\"; cond = \"_event.data.word == 'first'\"; target = \"b\";},"                 \
    "{event = \"tick\"; do = ({assign = \"words\";"                                                \
    "expr = \"if(len(words) > 50, [], append(words, concat('word ', n)))\";},"                     \
    "{assign = \"n\"; expr = \"n + 1\";});}); }; b: {}; }; };"

static void what_is_alive_outlives_the_garbage_of_many_steps(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, GROWS);
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *data = wf_map(arena);
    assert_true(wf_map_put(arena, data, "word", wf_text(arena, "first")));
    struct wf_chart_event keep = {.name = "keep", .data = data};
    assert_ok(wf_runner_take(w.runner, &keep, 0, &w.err), w.err);
    wf_arena_free(arena); /* the runner has its own copy */
    assert_ok(take(&w, "arm", 0), w.err);
    for (int i = 0; i < 5000; i++)
        assert_ok(take(&w, "tick", 1), w.err);
    const struct wf_snapshot *now = wf_runner_snapshot(w.runner);
    assert_int_equal(wf_value_int(wf_map_get(now->data, "n"), 0), 5000);
    assert_string_equal(wf_value_text(wf_value_at(now->data, "kept.word"), ""), "first");
    assert_string_equal(active(&w), "a");
    assert_ok(wf_runner_settle(w.runner, &w.err), w.err);
    assert_string_equal(active(&w), "b");
    close_world(&w);
}

static int run_through(struct world *w)
{
    int rc = wf_runner_new(w->chart, &w->runner, &w->err);
    if (rc == 0)
        rc = take(w, "keep", 0);
    if (rc == 0)
        rc = take(w, "arm", 0);
    for (int i = 0; i < 3000 && rc == 0; i++)
        rc = take(w, "tick", 1);
    return rc == 0 ? wf_runner_settle(w->runner, &w->err) : rc;
}

static void lack_of_memory_is_told_wherever_it_comes(void **state)
{
    (void)state;
    struct world w;
    int rc = WF_E_NOMEM;
    unsigned long n = 1;
    assert_ok(load(&w, GROWS), w.err);
    for (; rc != 0 && n < 10000; n++) {
        wf_alloc_fail_at(n, 0);
        rc = run_through(&w);
        wf_alloc_fail_at(0, 0);
        assert_true(rc == 0 || rc == WF_E_NOMEM);
        wf_runner_free(w.runner);
        w.runner = NULL;
    }
    assert_int_equal(rc, 0);
    assert_true(n > 10);
    close_world(&w);
}

static void a_flood_of_events_is_stopped(void **state)
{
    (void)state;
    struct world w;
    assert_ok(load(&w, "chart: { states: { a: { entry = ({send = \"x\";}, {send = \"x\";});"
                       "on = ({event = \"x\"; target = \"a\";}); }; }; };"),
              w.err);
    assert_int_equal(wf_runner_new(w.chart, &w.runner, &w.err), WF_E_STATE);
    assert_non_null(strstr(w.err.text, "pending"));
    assert_null(w.runner);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_keys_than_those_of_a_chart_are_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_no_chart),
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(a_working_day_passes_over_the_night),
        cmocka_unit_test(what_is_alive_outlives_the_garbage_of_many_steps),
        cmocka_unit_test(lack_of_memory_is_told_wherever_it_comes),
        cmocka_unit_test(a_flood_of_events_is_stopped),
    };
    return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exploration against the interpreter: whatever a chart runs into, on any events, must be among
 * the configurations that were found. Charts of all kinds are made by chance, from fixed seeds.
 */
#include "support/test.h"

#include "procedure/explore.h"
#include "workflow/config.h"

#define CHARTS 600
#define STEPS  150

static uint64_t seed;

static unsigned chance(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

/* ---- charts by chance --------------------------------------------------------------------------
 */

struct making {
    struct wf_buf text;
    int n_states; /* made so far */
    int n_final;  /* how many there will be: targets may be any of them */
};

static void make_actions(struct making *m, const char *key)
{
    if (chance(5) == 0)
        wf_buf_printf(&m->text, "%s = ( { raise = \"e%u\"; } ); ", key, chance(4));
    else if (chance(8) == 0)
        wf_buf_printf(&m->text, "%s = ( { if = \"n > 0\"; do = ( { raise = \"e%u\"; } ); } ); ",
                      key, chance(4));
}

static void make_target(struct making *m)
{
    if (chance(6) > 0)
        wf_buf_printf(&m->text, "target = \"s%u\"; ", chance((unsigned)m->n_final));
}

static void make_transitions(struct making *m, int state)
{
    static const char *const conds[] = {"", "cond = \"n > 1\"; ", "cond = \"In('s1')\"; ",
                                        "cond = \"not In('s2') and n < 2\"; ",
                                        "cond = \"false or n == 2\"; "};
    unsigned n = chance(4);
    for (unsigned i = 0; i < n; i++) {
        wf_buf_printf(&m->text, "%s{ ", i > 0 ? ", " : "on = ( ");
        switch (chance(6)) {
        case 0:
            wf_buf_printf(&m->text, "event = \"done.state.s%u\"; ", chance((unsigned)m->n_final));
            break;
        case 1:
            wf_buf_printf(&m->text, "event = \"done.invoke.i%d\"; ", state);
            break;
        case 2:
            wf_buf_printf(&m->text, "event = \"e%u e%u.x\"; ", chance(4), chance(4));
            break;
        default:
            wf_buf_printf(&m->text, "event = \"e%u\"; ", chance(4));
        }
        wf_buf_text(&m->text, conds[chance(WF_COUNT(conds))]);
        make_target(m);
        wf_buf_text(&m->text, chance(3) == 0 ? "type = \"internal\"; " : "");
        make_actions(m, "do");
        wf_buf_text(&m->text, "}");
    }
    wf_buf_text(&m->text, n > 0 ? " ); " : "");
    if (chance(8) == 0)
        wf_buf_printf(&m->text, "always = ( { cond = \"n > %u\"; target = \"s%u\"; } ); ",
                      1 + chance(2), chance((unsigned)m->n_final));
}

static void make_states(struct making *m, int depth);

static void make_state(struct making *m, int depth)
{
    int state = m->n_states++;
    wf_buf_printf(&m->text, "s%d: { ", state);
    if (depth < 3 && chance(2) == 0) {
        wf_buf_text(&m->text, chance(2) == 0 ? "type = \"parallel\"; " : "");
        make_actions(m, "entry");
        make_transitions(m, state);
        wf_buf_text(&m->text, "states: { ");
        int child = m->n_states;
        make_states(m, depth + 1);
        if (chance(3) > 0)
            wf_buf_printf(&m->text,
                          "s%d: { type = \"%s\"; default = { target = \"s%d\"; do = ( { raise = "
                          "\"e%u\"; } ); }; }; ",
                          m->n_states++, chance(2) == 0 ? "history" : "deep_history", child,
                          chance(4));
        wf_buf_text(&m->text, "}; ");
    } else if (chance(4) == 0) {
        wf_buf_text(&m->text, "type = \"final\"; ");
    } else {
        make_actions(m, "entry");
        make_actions(m, "exit");
        make_transitions(m, state);
        wf_buf_printf(&m->text, "invoke = ( { activity = \"work\"; id = \"i%d\"; } ); ", state);
    }
    wf_buf_text(&m->text, "}; ");
}

static void make_states(struct making *m, int depth)
{
    unsigned n = 2 + chance(2);
    for (unsigned i = 0; i < n; i++)
        make_state(m, depth);
}

/* Targets may be states that come later, so a chart is made twice: first to be counted. */
static void make_chart(struct making *m, uint64_t chart)
{
    int n_final = 1;
    for (int round = 0; round < 2; round++) {
        seed = chart;
        wf_buf_clear(&m->text);
        m->n_states = 0;
        m->n_final = n_final;
        wf_buf_text(&m->text, "data: { n = 0; }; states: { ");
        make_states(m, 0);
        wf_buf_text(&m->text, "};");
        n_final = m->n_states;
    }
}

static struct wf_chart *compile(const char *text, size_t length)
{
    struct wf_report report = {0};
    struct wf_config *config = NULL;
    struct wf_chart *chart = NULL;
    struct wf_chart_scope scope = {0};
    struct wf_error err;
    if (wf_config_parse("chance", text, length, &report, &config, &err) == 0)
        (void)!wf_chart_compile(wf_config_root(config), &scope, &report, &chart, &err);
    wf_config_free(config);
    wf_report_fini(&report);
    return chart;
}

/* ---- walks ------------------------------------------------------------------------------------
 */

static bool is_found(const struct explored *x, const struct wf_snapshot *snapshot)
{
    for (size_t i = 0; i < x->n_nodes; i++) {
        size_t n = 0;
        bool is_same = x->nodes[i].is_resting || x->nodes[i].is_done;
        for (size_t s = 0; s < x->chart->n_words; s++)
            n += (size_t)__builtin_popcountll(x->nodes[i].words[s]);
        is_same = is_same && n == wf_value_count(snapshot->states);
        for (size_t k = 0; is_same && k < wf_value_count(snapshot->states); k++) {
            struct wf_str id = wf_value_str(wf_list_at(snapshot->states, k));
            is_same = explore_is_active(x, i, chart_find(x->chart, id));
        }
        if (is_same)
            return true;
    }
    return false;
}

static void pick_event(const struct wf_snapshot *snapshot, char *name, size_t size)
{
    const struct wf_value *invokes = snapshot->invokes;
    if (chance(4) == 0 && wf_value_count(invokes) > 0)
        snprintf(name, size, "done.invoke.i%u", chance(20));
    else
        snprintf(name, size, "e%u%s", chance(4), chance(4) == 0 ? ".x" : "");
    if (name[0] == 'd' && wf_map_get(invokes, name + strlen("done.invoke.")) == NULL)
        snprintf(name, size, "e%u", chance(4));
}

static size_t walk(const struct wf_chart *chart, const struct explored *x, const char *text)
{
    struct wf_error err;
    struct wf_step step;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *variables = wf_map(arena);
    size_t n = 0;
    assert_true(wf_map_put(arena, variables, "n", wf_int(arena, (int64_t)chance(4))));
    int rc = wf_chart_start(chart, variables, arena, &step, &err);
    while (rc == 0 && n < STEPS) {
        if (!is_found(x, &step.snapshot))
            fail_msg("not found after %zu steps of: %s", n, text);
        char name[64];
        pick_event(&step.snapshot, name, sizeof(name));
        struct wf_chart_event event = {.name = name};
        n++;
        rc = step.snapshot.done ? 1
                                : wf_chart_step(chart, &step.snapshot, &event, arena, &step, &err);
    }
    wf_arena_free(arena);
    return n;
}

static void all_that_charts_run_into_is_found(void **state)
{
    (void)state;
    struct making m = {0};
    struct wf_error err;
    size_t steps = 0;
    size_t whole = 0;
    for (uint64_t i = 1; i <= CHARTS; i++) {
        make_chart(&m, i);
        struct wf_chart *chart = compile((const char *)m.text.ptr, m.text.len);
        struct explored x = {0};
        if (chart == NULL)
            continue;
        assert_ok(explore_chart(chart, NULL, &x, &err), err);
        for (int round = 0; x.is_whole && round < 4; round++)
            steps += walk(chart, &x, (const char *)m.text.ptr);
        whole += x.is_whole;
        explore_fini(&x);
        wf_chart_free(chart);
    }
    wf_buf_fini(&m.text);
    assert_in_range(whole, CHARTS / 8, CHARTS);
    assert_in_range(steps, CHARTS * 10, SIZE_MAX);
}

/* ---- by hand -----------------------------------------------------------------------------------
 */

static void explore_text(const char *text, struct wf_chart **chart, struct explored *x)
{
    struct wf_error err;
    *chart = compile(text, strlen(text));
    assert_non_null(*chart);
    assert_ok(explore_chart(*chart, NULL, x, &err), err);
}

static bool *marks_of_done(const struct explored *x)
{
    bool *marks = calloc(x->n_nodes, 1);
    for (size_t i = 0; i < x->n_nodes; i++)
        marks[i] = x->nodes[i].is_done;
    return marks;
}

static void configurations_are_counted_once(void **state)
{
    (void)state;
    struct wf_chart *chart;
    struct explored x;
    explore_text("states: { p: { type = \"parallel\"; states: {"
                 "a: { states: { a1: { on = ( { event = \"x\"; target = \"a2\"; } ); };"
                 "a2: { on = ( { event = \"x\"; target = \"a1\"; } ); }; }; };"
                 "b: { states: { b1: { on = ( { event = \"y\"; target = \"b2\"; } ); };"
                 "b2: { on = ( { event = \"y\"; target = \"b1\"; } ); }; }; }; }; }; };",
                 &chart, &x);
    assert_true(x.is_whole);
    assert_int_equal(x.n_nodes, 4);
    assert_int_equal(x.n_edges, 8);
    explore_fini(&x);
    wf_chart_free(chart);
}

static void a_condition_of_one_text_holds_for_all_or_none(void **state)
{
    (void)state;
    struct wf_chart *chart;
    struct explored x;
    explore_text(
        "data: { n = 0; }; states: { p: { type = \"parallel\"; states: {"
        "a: { states: { a1: { on = ( { event = \"x\"; cond = \"n > 0\"; target = \"a2\"; } "
        "); }; a2: { }; }; };"
        "b: { states: { b1: { on = ( { event = \"x\"; cond = \"n > 0\"; target = \"b2\"; } "
        "); }; b2: { }; }; }; }; }; };",
        &chart, &x);
    assert_int_equal(x.n_nodes, 2);
    explore_fini(&x);
    wf_chart_free(chart);
}

static void regions_that_end_together_raise_the_end_of_the_whole(void **state)
{
    (void)state;
    struct wf_chart *chart;
    struct explored x;
    explore_text("states: { p: { type = \"parallel\"; on = ( { event = \"done.state.p\"; target = "
                 "\"end\"; } ); states: {"
                 "a: { states: { a1: { on = ( { event = \"x\"; target = \"a2\"; } ); };"
                 "a2: { type = \"final\"; }; }; };"
                 "b: { states: { b1: { on = ( { event = \"y\"; target = \"b2\"; } ); };"
                 "b2: { type = \"final\"; }; }; }; }; }; end: { type = \"final\"; }; };",
                 &chart, &x);
    bool *marks = marks_of_done(&x);
    assert_true(x.done_raised[wf_chart_find(chart, "p") + 1]);
    assert_true(x.state_active[wf_chart_find(chart, "end") + 1]);
    assert_true(explore_spread(&x, marks, true, 0));
    assert_true(marks[0]);
    free(marks);
    explore_fini(&x);
    wf_chart_free(chart);
}

static void marks_spread_along_and_against_the_edges(void **state)
{
    (void)state;
    struct wf_chart *chart;
    struct explored x;
    explore_text(
        "states: { a: { on = ( { event = \"x\"; target = \"b\"; }, { event = \"y\"; target "
        "= \"c\"; } ); }; b: { on = ( { event = \"x\"; target = \"end\"; } ); }; c: { }; "
        "end: { type = \"final\"; }; };",
        &chart, &x);
    assert_int_equal(x.n_nodes, 4);
    bool *marks = marks_of_done(&x);
    assert_true(explore_spread(&x, marks, true, 0));
    assert_true(marks[0]);
    for (size_t i = 0; i < x.n_nodes; i++)
        assert_int_equal(marks[i], !explore_is_active(&x, i, wf_chart_find(chart, "c") + 1));
    assert_true(explore_spread(&x, marks, false, 0));
    for (size_t i = 0; i < x.n_nodes; i++)
        assert_true(marks[i]);
    free(marks);
    explore_fini(&x);
    wf_chart_free(chart);
}

static void too_many_configurations_are_given_up(void **state)
{
    (void)state;
    struct wf_buf text = {0};
    struct wf_chart *chart;
    struct explored x;
    wf_buf_text(&text, "states: { p: { type = \"parallel\"; states: {");
    for (int i = 0; i < 16; i++)
        wf_buf_printf(&text,
                      "r%d: { states: { a%d: { on = ( { event = \"e%d\"; target = \"b%d\"; } ); };"
                      "b%d: { on = ( { event = \"e%d\"; target = \"a%d\"; } ); }; }; };",
                      i, i, i, i, i, i, i);
    wf_buf_add(&text, "}; }; };", sizeof("}; }; };"));
    explore_text((const char *)text.ptr, &chart, &x);
    assert_false(x.is_whole);
    assert_in_range(x.n_nodes, 1000, EXPLORE_MAX_NODES);
    explore_fini(&x);
    wf_chart_free(chart);
    wf_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_are_counted_once),
        cmocka_unit_test(a_condition_of_one_text_holds_for_all_or_none),
        cmocka_unit_test(regions_that_end_together_raise_the_end_of_the_whole),
        cmocka_unit_test(marks_spread_along_and_against_the_edges),
        cmocka_unit_test(too_many_configurations_are_given_up),
        cmocka_unit_test(all_that_charts_run_into_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

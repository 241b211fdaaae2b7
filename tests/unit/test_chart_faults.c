/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged snapshots, lack of memory at every point, random charts.
 */
#include "support/test.h"

#include "support/chart.h"

#define HISTORY(type)                                                                              \
    "initial = \"out\"; states: { out: { on = ({event = \"back\"; target = \"h\";}); };"           \
    "a: { on = ({event = \"leave\"; target = \"out\";}); initial = \"a1\"; states: {"              \
    "  h: { type = \"" type                                                                        \
    "\"; default = { target = \"a2\"; do = ({log = \"'default'\";}); }; };"                        \
    "  a1: { on = ({event = \"deep\"; target = \"a22\";}); }; "                                    \
    "  a2: { entry = ({log = \"'a2'\";}); states: { a21: {}; "                                     \
    "        a22: { on = ({event = \"one\"; target = \"a1\";}); }; }; }; }; }; };"

/* ---- robustness ---------------------------------------------------------------------------- */

static void a_snapshot_of_another_chart_is_refused(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, HISTORY("deep_history"));
    send(&w, "back");
    send(&w, "leave");
    struct wf_snapshot from = w.step.snapshot;
    struct wf_value *list = wf_list(w.arena);
    wf_list_add(w.arena, list, wf_text(w.arena, "elsewhere"));
    struct wf_chart_event event = {.name = "back"};
    from.states = list;
    assert_int_equal(wf_chart_step(w.chart, &from, &event, w.arena, &w.step, &w.err), WF_E_INVALID);
    struct wf_value *history = wf_map(w.arena);
    wf_map_put(w.arena, history, "h", list);
    from.states = w.step.snapshot.states;
    from.history = history;
    assert_int_equal(wf_chart_step(w.chart, &from, &event, w.arena, &w.step, &w.err), WF_E_INVALID);
    close_world(&w);
}

static const char rich_chart[] =
    "data: { n = 0; l = [1, 2]; m = { k = 1; }; e = \"=n + 1\"; };"
    "states: { a: { deadline = \"2 days\"; invoke = ({activity = \"x.y\"; id = \"i\"; p = "
    "\"=n\";});"
    "  on = ({event = \"go\"; cond = \"n < 100 and In('a')\"; target = [\"x2\", \"y2\"]; do = ("
    "    {assign = \"n\"; expr = \"n + 1\";}, {assign = \"m.k\"; expr = \"_event.name\";},"
    "    {foreach = \"l\"; item = \"i\"; do = ({log = \"concat('v', i)\";});},"
    "    {if = \"n > 0\"; do = ({raise = \"in\"; data = { v = \"=n\"; };});},"
    "    {send = \"tick\"; delay = \"1 day\";}, {send = \"notification.send\"; t = \"=n\";});}); };"
    "p: { type = \"parallel\"; states: { h: { type = \"deep_history\"; default = [\"x1\", \"y1\"]; "
    "};"
    "  x: { states: { x1: {}; x2: { on = ({event = \"in\"; target = \"x1\";}); }; }; };"
    "  y: { states: { y1: {}; y2: { on = ({event = \"back\"; target = \"a\";}); }; }; }; }; };"
    "z: { on = ({event = \"re\"; target = \"h\";}); }; };";

static void compiling_survives_every_failing_allocation(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 5000; n++) {
        struct world w;
        memset(&w, 0, sizeof(w));
        w.arena = wf_arena_new(0);
        assert_ok(
            wf_config_parse("t.cfg", rich_chart, strlen(rich_chart), &w.report, &w.config, &w.err),
            w.err);
        wf_alloc_fail_at(n, 0);
        int rc =
            wf_chart_compile(wf_config_root(w.config), &world_scope, &w.report, &w.chart, &w.err);
        wf_alloc_fail_at(0, 0);
        close_world(&w);
        if (rc == 0)
            return;
        assert_int_equal(rc, WF_E_NOMEM);
    }
    fail_msg("never compiled");
}

/* An arena asks the heap once in 64 KiB, so its limit is what is moved here and below. */
static void compiling_survives_the_lack_of_memory_at_every_point(void **state)
{
    (void)state;
    struct wf_chart_scope scope = world_scope;
    int rc = WF_E_NOMEM;
    struct world w;
    assert_int_equal(compile(&w, rich_chart), 0);
    for (size_t limit = 16; limit < 100000 && rc != 0; limit += 16) {
        struct wf_chart *chart = NULL;
        scope.memory_limit = limit;
        rc = wf_chart_compile(wf_config_root(w.config), &scope, &w.report, &chart, &w.err);
        assert_true(rc == 0 || (rc == WF_E_NOMEM && chart == NULL));
        wf_chart_free(chart);
    }
    assert_int_equal(rc, 0);
    close_world(&w);
}

static void a_step_survives_the_lack_of_memory_at_every_point(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, rich_chart);
    struct wf_snapshot from = w.step.snapshot;
    struct wf_chart_event event = {.name = "go"};
    for (size_t limit = 16; limit < 100000; limit += 16) {
        struct wf_arena *small = wf_arena_new(limit);
        struct wf_step out = {.taken = false};
        int rc = wf_chart_step(w.chart, &from, &event, small, &out, &w.err);
        int rc_start = rc == 0 ? wf_chart_start(w.chart, NULL, w.arena, &w.step, &w.err) : 0;
        if (rc == 0) {
            w.step = out;
            assert_string_equal(active(&w), "p x x1 y y2");
        }
        wf_arena_free(small);
        if (rc == 0) {
            assert_int_equal(rc_start, 0);
            close_world(&w);
            return;
        }
        assert_int_equal(rc, WF_E_NOMEM);
        assert_null(out.snapshot.states);
    }
    fail_msg("never stepped");
}

static void a_start_survives_the_lack_of_memory_at_every_point(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(compile(&w, rich_chart), 0);
    int rc = WF_E_NOMEM;
    for (size_t limit = 16; limit < 100000 && rc != 0; limit += 16) {
        struct wf_arena *small = wf_arena_new(limit);
        rc = wf_chart_start(w.chart, NULL, small, &w.step, &w.err);
        wf_arena_free(small);
        assert_true(rc == 0 || rc == WF_E_NOMEM);
    }
    assert_int_equal(rc, 0);
    close_world(&w);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 16;
}

/* States r0..r11: some parallel, some nested, all with random transitions on three events. */
static void random_chart(char *text, uint32_t *seed)
{
    strcpy(text, "data: { n = 0; }; states: {");
    for (int i = 0; i < 4; i++) {
        bool is_parallel = next_random(seed) % 2 == 0;
        sprintf(text + strlen(text), "s%d: { %s states: {", i,
                is_parallel ? "type = \"parallel\";" : "");
        for (int k = 0; k < 3; k++) {
            sprintf(text + strlen(text), "s%d%d: { states: {", i, k);
            for (int m = 0; m < 2; m++)
                sprintf(text + strlen(text),
                        "s%d%d%d: { entry = ({log = \"'%d%d%d'\";}, {assign = \"n\"; expr = \"n + "
                        "1\";});"
                        "on = ({event = \"e%u\"; cond = \"n %% 3 != %u\"; target = \"s%u\";},"
                        "{event = \"e%u\"; target = \"s%u%u%u\"; do = ({raise = \"e3\";});},"
                        "{event = \"e3\"; target = \"h%u\";}); };",
                        i, k, m, i, k, m, next_random(seed) % 3, next_random(seed) % 3,
                        next_random(seed) % 4, next_random(seed) % 3, next_random(seed) % 4,
                        next_random(seed) % 3, next_random(seed) % 2, next_random(seed) % 4);
            strcat(text, "}; };");
        }
        sprintf(text + strlen(text), "h%d: { type = \"%s\"; default = \"s%d1\"; }; }; };", i,
                next_random(seed) % 2 == 0 ? "history" : "deep_history", i);
    }
    strcat(text, "};");
}

/* One child of each active compound state, all of each parallel one, no orphans. */
static bool is_legal(const struct world *w)
{
    const struct wf_chart_state *states;
    size_t n = wf_chart_states(w->chart, &states);
    bool is_active[64] = {false};
    int children[64] = {0};
    int top = 0;
    const struct wf_value *list = w->step.snapshot.states;
    for (size_t i = 0; i < wf_value_count(list); i++)
        is_active[wf_chart_find(w->chart, wf_list_at(list, i)->u.text.ptr)] = true;
    for (size_t i = 0; i < n; i++) {
        if (!is_active[i])
            continue;
        if (states[i].parent < 0)
            top++;
        else if (!is_active[states[i].parent])
            return false;
        else
            children[states[i].parent]++;
    }
    for (size_t i = 0; i < n; i++) {
        int wanted = states[i].kind == WF_STATE_PARALLEL ? 3 : states[i].kind == WF_STATE_COMPOUND;
        if (is_active[i] && children[i] != wanted)
            return false;
    }
    return top == 1;
}

static void random_charts_stay_legal_and_give_the_same_again(void **state)
{
    (void)state;
    uint32_t seed = 7;
    size_t taken = 0;
    for (int round = 0; round < 60; round++) {
        char text[16000];
        char first[4000];
        random_chart(text, &seed);
        struct world w;
        open_world(&w, text);
        assert_true(is_legal(&w));
        for (int i = 0; i < 40; i++) {
            char name[8];
            (void)snprintf(name, sizeof(name), "e%u", next_random(&seed) % 3);
            struct wf_chart_event event = {.name = name};
            struct wf_snapshot from = w.step.snapshot;
            struct wf_step again;
            int rc = wf_chart_step(w.chart, &from, &event, w.arena, &again, &w.err);
            if (rc == WF_E_STATE)
                break; /* an endless loop of e3 */
            send(&w, name);
            (void)snprintf(first, sizeof(first), "%s", logs(&w));
            taken += w.step.taken;
            assert_true(is_legal(&w));
            assert_true(wf_value_equal(again.snapshot.states, w.step.snapshot.states));
            assert_true(wf_value_equal(again.snapshot.history, w.step.snapshot.history));
            assert_true(wf_value_equal(again.snapshot.data, w.step.snapshot.data));
            w.step = again;
            assert_string_equal(first, logs(&w));
        }
        close_world(&w);
    }
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_of_another_chart_is_refused),
        cmocka_unit_test(compiling_survives_every_failing_allocation),
        cmocka_unit_test(compiling_survives_the_lack_of_memory_at_every_point),
        cmocka_unit_test(a_step_survives_the_lack_of_memory_at_every_point),
        cmocka_unit_test(a_start_survives_the_lack_of_memory_at_every_point),
        cmocka_unit_test(random_charts_stay_legal_and_give_the_same_again),
    };
    return cmocka_run_group_tests_name("chart_faults", tests, NULL, NULL);
}

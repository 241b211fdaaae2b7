/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a compiled chart shows, and what the compiler refuses.
 */
#include "support/test.h"

#include "support/chart.h"

/* ---- looking at charts --------------------------------------------------------------------- */

static void offers_name_the_transitions_that_await_an_event(void **state)
{
    (void)state;
    struct world w;
    open_world(
        &w, "states: { a: { on = ({event = \"withdraw\"; target = \"b\"; roles = [\"citizen\"];});"
            "states: { a1: { always = ({cond = \"false\"; target = \"b\";});"
            "on = ({event = \"go\"; cond = \"false\"; target = \"b\";}); }; }; }; b: {}; };");
    size_t found[4];
    const struct wf_chart_transition *t;
    assert_int_equal(wf_chart_transitions(w.chart, &t), 3);
    assert_int_equal(wf_chart_offers(w.chart, &w.step.snapshot, NULL, found, 4), 2);
    assert_int_equal(wf_chart_offers(w.chart, &w.step.snapshot, NULL, found, 1), 1);
    assert_int_equal(wf_chart_offers(w.chart, &w.step.snapshot, "withdraw", found, 4), 1);
    assert_string_equal(t[found[0]].roles[0], "citizen");
    assert_int_equal(t[found[0]].targets[0], wf_chart_find(w.chart, "b"));
    bool accepts = true;
    struct wf_chart_event event = {.name = "go"};
    assert_ok(wf_chart_accepts(w.chart, &w.step.snapshot, &event, w.arena, &accepts, &w.err),
              w.err);
    assert_false(accepts);
    event.name = "withdraw";
    assert_ok(wf_chart_accepts(w.chart, &w.step.snapshot, &event, w.arena, &accepts, &w.err),
              w.err);
    assert_true(accepts);
    close_world(&w);
}

static void a_chart_shows_its_parts(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "initial = \"b\"; states: { a: { states: { a1: { status = 4; clock = \"stopped\";"
               "title = { vi = \"Chờ\"; en = \"Wait\"; }; }; }; };\n"
               "b: { invoke = ({activity = \"x.y\"; id = \"i\"; role = \"clerk\"; p = 1;}); }; };");
    const struct wf_chart_state *states;
    const struct wf_chart_invoke *invokes;
    const int *initial;
    assert_int_equal(wf_chart_states(w.chart, &states), 3);
    assert_int_equal(states[1].parent, 0);
    assert_int_equal(states[1].status, 4);
    assert_true(states[1].clock_stopped);
    assert_string_equal(states[1].title_vi, "Chờ");
    assert_int_equal(states[2].line, 2);
    assert_int_equal(wf_chart_initial(w.chart, &initial), 1);
    assert_int_equal(initial[0], 2);
    assert_int_equal(wf_chart_invokes(w.chart, &invokes), 1);
    assert_int_equal(invokes[0].state, 2);
    assert_non_null(wf_node_child(invokes[0].node, "p"));
    assert_int_equal(wf_chart_find(w.chart, "a1"), 1);
    assert_int_equal(wf_chart_find(w.chart, "zz"), -1);
    close_world(&w);
}

static void mistakes_in_a_chart_are_refused_with_line_and_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"states: { };", "no states"},
        {"states: { a: 1; };", "is no group"},
        {"states: { a: { b: {}; }; };", "unknown key \"b\""},
        {"states: { a: { entri = (); }; };", "did you mean \"entry\"?"},
        {"states: { a: { states: { b: {}; }; }; b: {}; };", "unique"},
        {"states: { a: { type = \"paralel\"; }; };", "did you mean \"parallel\"?"},
        {"states: { a: { type = \"parallel\"; }; };", "without regions"},
        {"states: { a: { type = \"final\"; on = (); }; };", "on in a final state"},
        {"states: { a: { outcome = \"x\"; }; };", "outcome in a state"},
        {"states: { p: { type = \"parallel\"; states: { f: { type = \"final\"; }; g: {}; }; }; };",
         "final state directly"},
        {"initial = \"b\"; states: { a: {}; };", "unknown state \"b\""},
        {"states: { alpha: { on = ({event = \"e\"; target = \"alpa\";}); }; };",
         "did you mean \"alpha\"?"},
        {"states: { a: { initial = \"b\"; states: { c: {}; }; }; b: {}; };", "lies outside"},
        {"initial = \"a\"; states: { a: { on = ({event = \"e\"; target = [\"a\", \"b\"];}); }; b: "
         "{}; };",
         "cannot be active at once"},
        {"states: { a: { states: { h: { type = \"history\"; }; b: {}; }; }; };", "without default"},
        {"states: { a: { states: { h: { type = \"history\"; default = \"c\"; }; b: {}; }; }; c: "
         "{}; };",
         "lies outside"},
        {"states: { a: { on = ({target = \"a\";}); }; };", "on without event"},
        {"states: { a: { on = ({event = \"a..b\";}); }; };", "no event descriptor"},
        {"states: { a: { always = ({event = \"e\"; target = \"a\";}); }; };",
         "unknown key \"event\""},
        {"states: { a: { on = ({event = \"e\"; cond = \"1 +\";}); }; };", "cond: column 4"},
        {"states: { a: { on = ({event = \"e\"; cond = \"1\";}); }; };", "cond is of type integer"},
        {"states: { a: { on = ({event = \"e\"; type = \"inner\";}); }; };", "internal or external"},
        {"states: { a: { deadline = \"soon\"; }; };", "is no duration"},
        {"states: { a: { deadline = \"2 working minutes\"; }; };", "is no duration"},
        {"states: { a: { deadline = \"0 days\"; }; };", "is no duration"},
        {"states: { a: { deadline = \"2 weeks\"; }; };", "is no duration"},
        {"states: { a: { status = 11; }; };", "portal status"},
        {"states: { a: { entry = ({}); }; };", "no action"},
        {"states: { a: { entry = ({assign = \"zz\"; expr = \"1\";}); }; };", "not declared"},
        {"states: { a: { entry = ({assign = \"full_name\"; expr = \"1\";}); }; };", "of type text"},
        {"states: { a: { entry = ({assign = \"_event\"; expr = \"1\";}); }; };", "not declared"},
        {"states: { a: { entry = ({foreach = \"[1]\"; item = \"x\"; do = ("
         "{assign = \"x\"; expr = \"1\";});}); }; };",
         "read-only"},
        {"states: { a: { entry = ({send = \"e\"; template = \"x\";}); }; };",
         "unknown key \"template\""},
        {"states: { a: { entry = ({raise = \"a b\";}); }; };", "no event name"},
        {"states: { a: { entry = ({if = \"true\"; elseif = ({do = ();});}); }; };", "without cond"},
        {"states: { a: { invoke = ({id = \"x\";}); }; };", "without activity"},
        {"states: { a: { invoke = ({activity = \"x.y\"; id = \"i\";}); states: { b: {"
         "invoke = ({activity = \"x.y\"; id = \"i\";}); }; }; }; };",
         "could not be told apart"},
        {"data: { not = 1; }; states: { a: {}; };", "cannot be named so"},
        {"data: { amount = 1; }; states: { a: {}; };", "declared already"},
        {"data: { a = \"=zz\"; }; states: { a: {}; };", "unknown name \"zz\""},
        {"states: { a: { on = ({event = \"e\"; cond = \"In('b')\";}); }; };",
         "unknown state \"b\" in In()"},
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct world w;
        int rc = compile(&w, rows[i].text);
        if (rc != WF_E_CONFIG || strstr(w.err.text, rows[i].expected) == NULL ||
            strncmp(w.err.text, "t.cfg:1: ", 9) != 0 || w.chart != NULL)
            fail_msg("%s: wanted \"%s\", got %d \"%s\"", rows[i].text, rows[i].expected, rc,
                     w.err.text);
        close_world(&w);
    }
}

static void all_mistakes_are_reported_together(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(compile(&w, "data: { a = \"=zz\"; };\nstates: { a: { x = 1;\n status = 12;\n"
                                 "on = ({event = \"e\"; target = \"q\";}); }; };"),
                     WF_E_CONFIG);
    assert_int_equal(w.report.errors, 4);
    assert_int_equal(w.report.messages[3].line, 4);
    close_world(&w);
}

/* The text of a refusal is that of the first error, whatever was warned of before. */
static void a_warning_is_no_refusal(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(compile(&w, "states: { p: { type = \"parallel\"; states: {\n"
                                 "h: { type = \"history\"; default = \"a\"; }; a: {}; b: {};\n"
                                 "}; };\n"
                                 "z: { status = 12; }; };"),
                     WF_E_CONFIG);
    assert_true(w.report.messages[0].is_warning);
    assert_int_equal(w.report.errors, 1);
    assert_string_equal(strstr(w.err.text, "t.cfg:4: "), w.err.text);
    close_world(&w);
}

/* Ancestors and regions belong to a configuration; a history is nothing one can be in. */
static void a_configuration_is_made_whole_of_states_only(void **state)
{
    (void)state;
    struct world w;
    const struct wf_value *whole = NULL;
    open_world(&w, "states: { a: { states: { h: { type = \"history\"; default = \"a1\"; };"
                   " a1: {}; a2: {}; }; }; };");
    struct wf_value *wanted = wf_list(w.arena);
    wf_list_add(w.arena, wanted, wf_text(w.arena, "a2"));
    assert_ok(wf_chart_configuration(w.chart, wanted, w.arena, &whole, &w.err), w.err);
    assert_string_equal(joined(&w, whole), "a a2");
    wf_list_add(w.arena, wanted, wf_text(w.arena, "h"));
    assert_int_equal(wf_chart_configuration(w.chart, wanted, w.arena, &whole, &w.err), WF_E_STATE);
    assert_non_null(strstr(w.err.text, "history h"));
    close_world(&w);
}

/* Every block of the manual is a chart that compiles and starts without an error of its own. */
static void the_charts_of_the_manual_are_true(void **state)
{
    (void)state;
    static char text[40000];
    FILE *file = fopen(SOURCE_ROOT "/docs/statecharts.md", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    size_t blocks = 0;
    for (char *s = strstr(text, "```\n"); s != NULL; s = strstr(s, "```\n")) {
        char *end = strstr(s + 4, "```");
        assert_non_null(end);
        *end = '\0';
        struct world w;
        open_world(&w, s + 4);
        if (w.step.error != NULL)
            fail_msg("%s", w.step.error);
        close_world(&w);
        blocks++;
        s = end + 3;
    }
    assert_int_equal(blocks, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_name_the_transitions_that_await_an_event),
        cmocka_unit_test(a_chart_shows_its_parts),
        cmocka_unit_test(mistakes_in_a_chart_are_refused_with_line_and_remedy),
        cmocka_unit_test(all_mistakes_are_reported_together),
        cmocka_unit_test(a_warning_is_no_refusal),
        cmocka_unit_test(a_configuration_is_made_whole_of_states_only),
        cmocka_unit_test(the_charts_of_the_manual_are_true),
    };
    return cmocka_run_group_tests_name("chart_compile", tests, NULL, NULL);
}

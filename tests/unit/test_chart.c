/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of states and transitions, final states, history, queues: against the recommendation.
 * Numbers behind tests are those of the assertions in the public W3C suite that they repeat.
 */
#include "support/test.h"

#include "support/chart.h"

#define LOG_ALL(s) "entry = ({log = \"'+" s "'\";}); exit = ({log = \"'-" s "'\";});"

#define TWO_REGIONS(outer, inx, iny)                                                               \
    "states: { p: { type = \"parallel\"; " outer " states: {"                                      \
    "x: { states: { x1: { " inx " }; x2: {}; }; };"                                                \
    "y: { states: { y1: { " iny " }; y2: {}; }; }; }; }; out: {}; out2: {}; };"

/* ---- internal, external, targetless -------------------------------------------------------- */

#define SELF(target, type)                                                                         \
    "states: { s: { " LOG_ALL("s") " on = ({event = \"go\"; " target type "});"                    \
                                   "  initial = \"s1\"; states: { s1: { " LOG_ALL(                 \
                                       "s1") "}; s2: { " LOG_ALL("s2") " }; }; }; };"

static void an_external_transition_to_a_child_leaves_the_state(void **state) /* 504 */
{
    (void)state;
    struct world w;
    open_world(&w, SELF("target = \"s2\";", ""));
    send(&w, "go");
    assert_string_equal(logs(&w), "-s1 -s +s +s2");
    close_world(&w);
}

static void an_internal_transition_to_a_child_stays_in_the_state(void **state) /* 505 */
{
    (void)state;
    struct world w;
    open_world(&w, SELF("target = \"s2\";", "type = \"internal\";"));
    send(&w, "go");
    assert_string_equal(logs(&w), "-s1 +s2");
    close_world(&w);
}

static void an_internal_transition_to_itself_is_external(void **state) /* 506 */
{
    (void)state;
    struct world w;
    open_world(&w, SELF("target = \"s\";", "type = \"internal\";"));
    send(&w, "go");
    assert_string_equal(logs(&w), "-s1 -s +s +s1");
    close_world(&w);
}

static void an_internal_transition_of_a_parallel_state_is_external(void **state) /* 533 */
{
    (void)state;
    struct world w;
    open_world(&w,
               "states: { p: { type = \"parallel\"; " LOG_ALL(
                   "p") " on = ({event = \"go\"; target = \"x2\"; type = \"internal\";}); states: {"
                        " x: { states: { x1: {}; x2: {}; }; }; y: { " LOG_ALL("y") " }; }; }; };");
    send(&w, "go");
    assert_string_equal(logs(&w), "-y -p +p +y");
    assert_string_equal(active(&w), "p x x2 y");
    close_world(&w);
}

static void a_targetless_transition_leaves_and_enters_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, SELF("do = ({log = \"'t'\";});", ""));
    assert_true(send(&w, "go"));
    assert_string_equal(logs(&w), "t");
    assert_string_equal(entered(&w), "");
    close_world(&w);
}

static void a_transition_into_one_region_enters_the_others_by_default(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "initial = \"a\"; states: { a: { on = ({event = \"go\"; target = \"y2\";},"
                   "{event = \"both\"; target = [\"y2\", \"x2\"];}); };"
                   "p: { type = \"parallel\"; states: { x: { states: { x1: {}; x2: {}; }; };"
                   "y: { states: { y1: {}; y2: {}; }; }; }; }; };");
    struct wf_step before = w.step;
    send(&w, "go");
    assert_string_equal(active(&w), "p x x1 y y2");
    w.step = before;
    send(&w, "both");
    assert_string_equal(active(&w), "p x x2 y y2");
    close_world(&w);
}

/* ---- final states -------------------------------------------------------------------------- */

static void
done_state_carries_donedata_and_follows_the_entry_content(void **state) /* 372, 416, 527 */
{
    (void)state;
    struct world w;
    open_world(&w, "data: { n = 1; }; states: { a: { initial = \"f\";"
                   "on = ({event = \"done.state.a\"; cond = \"_event.data.n == 2\"; target = \"b\";"
                   " do = ({log = \"_event.data.t\";});});"
                   "states: { f: { type = \"final\"; entry = ({assign = \"n\"; expr = \"2\";});"
                   " done = { data = { n = \"=n\"; t = \"text\"; }; }; }; }; }; b: {}; };");
    assert_string_equal(active(&w), "b");
    assert_string_equal(logs(&w), "text");
    close_world(&w);
}

static void done_state_of_a_parallel_state_follows_its_last_region(void **state) /* 417, 570 */
{
    (void)state;
    struct world w;
    open_world(&w, "states: { p: { type = \"parallel\";"
                   "on = ({event = \"done.state\"; do = ({log = \"_event.name\";});});"
                   "states: { x: { states: { x1: { on = ({event = \"x\"; target = \"xf\";}); };"
                   " xf: { type = \"final\"; }; }; };"
                   "y: { states: { y1: { on = ({event = \"y\"; target = \"yf\";}); };"
                   " yf: { type = \"final\"; }; }; }; }; }; };");
    send(&w, "y");
    assert_string_equal(logs(&w), "done.state.y");
    send(&w, "x");
    assert_string_equal(logs(&w), "done.state.x done.state.p");
    close_world(&w);
}

static void a_top_level_final_state_ends_the_chart(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "data: { n = 5; }; states: { a: { deadline = \"2 days\";"
                   "invoke = ({activity = \"x.y\"; id = \"job\";});"
                   "on = ({event = \"end\"; target = \"f\";}); };"
                   "f: { type = \"final\"; outcome = \"approved\"; exit = ({log = \"'bye'\";});"
                   "done = { data = \"=n\"; }; }; };");
    assert_false(w.step.snapshot.done);
    send(&w, "end");
    assert_true(w.step.snapshot.done);
    assert_int_equal(wf_value_int(w.step.result, 0), 5);
    assert_string_equal(active(&w), "f");
    assert_string_equal(logs(&w), "bye");
    assert_string_equal(effects(&w), "uninvoke:job unsend:deadline.a");
    assert_false(send(&w, "end"));
    assert_null(w.step.effects);
    assert_true(w.step.snapshot.done);
    close_world(&w);
}

static void events_left_when_the_chart_ends_are_dropped(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "states: { a: { on = ({event = \"end\"; target = \"f\";"
                   "do = ({raise = \"late\";});}); }; f: { type = \"final\";"
                   "entry = ({raise = \"later\";}); }; };");
    send(&w, "end");
    assert_true(w.step.snapshot.done);
    assert_null(w.step.result);
    close_world(&w);
}

/* ---- history ------------------------------------------------------------------------------- */

#define HISTORY(type)                                                                              \
    "initial = \"out\"; states: { out: { on = ({event = \"back\"; target = \"h\";}); };"           \
    "a: { on = ({event = \"leave\"; target = \"out\";}); initial = \"a1\"; states: {"              \
    "  h: { type = \"" type                                                                        \
    "\"; default = { target = \"a2\"; do = ({log = \"'default'\";}); }; };"                        \
    "  a1: { on = ({event = \"deep\"; target = \"a22\";}); }; "                                    \
    "  a2: { entry = ({log = \"'a2'\";}); states: { a21: {}; "                                     \
    "        a22: { on = ({event = \"one\"; target = \"a1\";}); }; }; }; }; }; };"

static void shallow_history_remembers_children_only(void **state) /* 387, 388 */
{
    (void)state;
    struct world w;
    open_world(&w, HISTORY("history"));
    send(&w, "back");
    assert_string_equal(active(&w), "a a2 a21");
    assert_string_equal(logs(&w), "default a2");
    send(&w, "leave");
    send(&w, "back");
    assert_string_equal(logs(&w), "a2");
    assert_string_equal(active(&w), "a a2 a21");
    close_world(&w);
    open_world(&w, HISTORY("deep_history"));
    send(&w, "back");
    send(&w, "leave");
    send(&w, "back");
    assert_string_equal(active(&w), "a a2 a21");
    close_world(&w);
}

static void deep_history_remembers_the_innermost_states(void **state) /* 388, 579 */
{
    (void)state;
    static const char chart[] =
        "initial = \"p\"; states: { p: { type = \"parallel\"; states: {"
        "h: { type = \"deep_history\"; default = [\"x2\", \"y1\"]; };"
        "x: { states: { x1: { on = ({event = \"x\"; target = \"x2\";}); }; x2: {}; }; };"
        "y: { states: { y1: { on = ({event = \"y\"; target = \"y22\";}); };"
        "  y2: { states: { y21: {}; y22: {}; }; }; }; }; };"
        "on = ({event = \"leave\"; target = \"out\";}); };"
        "out: { on = ({event = \"back\"; target = \"h\";}); }; };";
    struct world w;
    open_world(&w, chart);
    send(&w, "y");
    send(&w, "leave");
    assert_string_equal(joined(&w, wf_map_get(w.step.snapshot.history, "h")), "x1 y22");
    send(&w, "back");
    assert_string_equal(active(&w), "p x x1 y y2 y22");
    send(&w, "x");
    send(&w, "leave");
    send(&w, "back");
    assert_string_equal(active(&w), "p x x2 y y2 y22");
    close_world(&w);
}

static void history_as_initial_runs_its_default_content_after_the_initials(void **state) /* 580 */
{
    (void)state;
    struct world w;
    open_world(&w, "states: { a: { entry = ({log = \"'a'\";}); initial = { target = \"h\";"
                   "do = ({log = \"'init'\";}); }; on = ({event = \"again\"; target = \"a\";});"
                   "states: { h: { type = \"history\"; default = { target = \"a2\";"
                   "do = ({log = \"'default'\";}); }; }; a1: {}; a2: {}; }; }; };");
    assert_string_equal(logs(&w), "a init default");
    assert_string_equal(active(&w), "a a2");
    send(&w, "again");
    assert_string_equal(logs(&w), "a init");
    close_world(&w);
}

static void a_transition_from_inside_to_history_keeps_to_the_remembered_states(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "states: { a: { " LOG_ALL(
                   "a") " initial = \"b\"; states: {"
                        "h: { type = \"deep_history\"; default = \"c\"; };"
                        "b: { states: { b1: { on = ({event = \"re\"; target = \"h\";}); }; }; };"
                        "c: {}; }; }; };");
    /* No memory: h stands for c, so the domain is a. */
    send(&w, "re");
    assert_string_equal(active(&w), "a c");
    assert_string_equal(logs(&w), "");
    close_world(&w);
}

/* ---- eventless transitions and queues ------------------------------------------------------ */

static void eventless_transitions_go_before_internal_events(void **state) /* 419 */
{
    (void)state;
    struct world w;
    open_world(&w, "states: { a: { entry = ({raise = \"e\";}); always = ({target = \"b\";});"
                   "on = ({event = \"e\"; target = \"wrong\";}); };"
                   "b: { on = ({event = \"e\"; target = \"right\";}); }; right: {}; wrong: {}; };");
    assert_string_equal(active(&w), "right");
    assert_string_equal(entered(&w), "a b right");
    close_world(&w);
}

static void internal_events_go_before_external_ones_and_in_order(void **state) /* 421, 423 */
{
    (void)state;
    struct world w;
    open_world(&w,
               "states: { a: { on = ({event = \"go\"; do = ({send = \"ext\";}, {raise = \"i1\";},"
               "{raise = \"i2\"; data = { n = 3; };});}, {event = \"i1 i2\";"
               "do = ({log = \"concat(_event.name, '/', _event.type, '/', _event.data.n)\";});});"
               "}; };");
    send(&w, "go");
    assert_string_equal(logs(&w), "i1/internal/ i2/internal/3");
    assert_string_equal(effects(&w), "send:send.1");
    assert_string_equal(w.step.effects->event, "ext");
    assert_null(w.step.effects->delay);
    close_world(&w);
}

static void eventless_transitions_can_be_enabled_by_other_regions(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, TWO_REGIONS("", "on = ({event = \"go\"; target = \"x2\";});",
                               "always = ({cond = \"In('x2')\"; target = \"y2\";});"));
    send(&w, "go");
    assert_string_equal(active(&w), "p x x2 y y2");
    close_world(&w);
}

static void an_endless_loop_is_a_clean_error(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(compile(&w, "states: { a: { on = ({event = \"go\"; target = \"b\";}); };"
                                 "b: { always = ({target = \"c\";}); };"
                                 "c: { always = ({target = \"b\";}); }; };"),
                     0);
    assert_ok(wf_chart_start(w.chart, NULL, w.arena, &w.step, &w.err), w.err);
    struct wf_chart_event event = {.name = "go"};
    struct wf_step out = {.taken = false};
    int rc = wf_chart_step(w.chart, &w.step.snapshot, &event, w.arena, &out, &w.err);
    assert_int_equal(rc, WF_E_STATE);
    assert_non_null(strstr(w.err.text, "microsteps"));
    assert_null(out.snapshot.states);
    close_world(&w);
}

static void an_error_handler_that_fails_does_not_run_for_ever(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(
        compile(&w, "data: { m = \"=null\"; }; states: { a: {"
                    "on = ({event = \"error\"; do = ({assign = \"m\"; expr = \"m + 1\";});});"
                    "entry = ({assign = \"m\"; expr = \"m + 1\";}); }; };"),
        0);
    assert_int_equal(wf_chart_start(w.chart, NULL, w.arena, &w.step, &w.err), WF_E_STATE);
    close_world(&w);
}

static void loops_in_loops_have_an_end(void **state)
{
    (void)state;
    struct world w;
    char text[2000] = "data: { l = [1,2,3,4,5,6,7,8,9,10]; }; states: { a: { entry = (";
    for (int i = 0; i < 5; i++)
        strcat(text, "{foreach = \"l\"; item = \"i\"; do = (");
    strcat(text, "{if = \"true\"; do = ();}");
    for (int i = 0; i < 5; i++)
        strcat(text, ");}");
    strcat(text, "); }; };");
    assert_int_equal(compile(&w, text), 0);
    assert_int_equal(wf_chart_start(w.chart, NULL, w.arena, &w.step, &w.err), WF_E_STATE);
    assert_non_null(strstr(w.err.text, "actions in one step"));
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_external_transition_to_a_child_leaves_the_state),
        cmocka_unit_test(an_internal_transition_to_a_child_stays_in_the_state),
        cmocka_unit_test(an_internal_transition_to_itself_is_external),
        cmocka_unit_test(an_internal_transition_of_a_parallel_state_is_external),
        cmocka_unit_test(a_targetless_transition_leaves_and_enters_nothing),
        cmocka_unit_test(a_transition_into_one_region_enters_the_others_by_default),
        cmocka_unit_test(done_state_carries_donedata_and_follows_the_entry_content),
        cmocka_unit_test(done_state_of_a_parallel_state_follows_its_last_region),
        cmocka_unit_test(a_top_level_final_state_ends_the_chart),
        cmocka_unit_test(events_left_when_the_chart_ends_are_dropped),
        cmocka_unit_test(shallow_history_remembers_children_only),
        cmocka_unit_test(deep_history_remembers_the_innermost_states),
        cmocka_unit_test(history_as_initial_runs_its_default_content_after_the_initials),
        cmocka_unit_test(a_transition_from_inside_to_history_keeps_to_the_remembered_states),
        cmocka_unit_test(eventless_transitions_go_before_internal_events),
        cmocka_unit_test(internal_events_go_before_external_ones_and_in_order),
        cmocka_unit_test(eventless_transitions_can_be_enabled_by_other_regions),
        cmocka_unit_test(an_endless_loop_is_a_clean_error),
        cmocka_unit_test(an_error_handler_that_fails_does_not_run_for_ever),
        cmocka_unit_test(loops_in_loops_have_an_end),
    };
    return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}

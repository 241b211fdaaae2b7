/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which transitions are taken, and in which order what happens: against the recommendation.
 * Numbers behind tests are those of the assertions in the public W3C suite that they repeat.
 */
#include "support/test.h"

#include "support/chart.h"

#define LOG_ALL(s) "entry = ({log = \"'+" s "'\";}); exit = ({log = \"'-" s "'\";});"

/* ---- plain states -------------------------------------------------------------------------- */

static void the_first_state_is_entered_where_no_initial_is_given(void **state) /* 364 */
{
    (void)state;
    struct world w;
    open_world(&w, "states: { a: { states: { a1: {}; a2: {}; }; }; b: {}; };");
    assert_string_equal(active(&w), "a a1");
    assert_false(w.step.taken);
    close_world(&w);
}

static void initial_may_lead_deep_and_into_several_regions(void **state) /* 413 */
{
    (void)state;
    struct world w;
    open_world(&w, "initial = [\"x2\", \"y2\"];"
                   "states: { a: {}; p: { type = \"parallel\"; states: {"
                   "  x: { states: { x1: {}; x2: {}; }; };"
                   "  y: { states: { y1: {}; y2: {}; }; }; }; }; };");
    assert_string_equal(active(&w), "p x x2 y y2");
    close_world(&w);
}

static void an_unknown_event_changes_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "states: { a: { on = ({event = \"go\"; target = \"b\";}); }; b: {}; };");
    const struct wf_value *before = w.step.snapshot.states;
    assert_false(send(&w, "gone"));
    assert_ptr_equal(w.step.snapshot.states, before);
    assert_null(w.step.effects);
    assert_true(send(&w, "go"));
    assert_string_equal(active(&w), "b");
    close_world(&w);
}

static void the_first_enabled_transition_in_document_order_is_taken(void **state) /* 144, 172 */
{
    (void)state;
    struct world w;
    open_world(&w, "data: { n = 1; }; states: { a: { on = ("
                   "{event = \"go\"; cond = \"n > 1\"; target = \"b\";},"
                   "{event = \"go\"; target = \"c\";}, {event = \"go\"; target = \"b\";}); };"
                   "b: {}; c: {}; };");
    send(&w, "go");
    assert_string_equal(active(&w), "c");
    close_world(&w);
}

static void inner_states_are_asked_before_outer_ones(void **state) /* 403a */
{
    (void)state;
    struct world w;
    open_world(&w, "data: { n = 0; }; states: { a: { on = ({event = \"go\"; target = \"c\";});"
                   "states: { a1: { on = ({event = \"go\"; cond = \"n == 0\"; target = \"a2\";"
                   "do = ({assign = \"n\"; expr = \"1\";});}); };"
                   "a2: { on = ({event = \"go\"; cond = \"n == 0\"; target = \"a1\";}); }; }; };"
                   "c: {}; };");
    send(&w, "go");
    assert_string_equal(active(&w), "a a2");
    send(&w, "go");
    assert_string_equal(active(&w), "c");
    close_world(&w);
}

static void event_descriptors_match_whole_parts_of_names(void **state) /* 396, 399, 401 */
{
    (void)state;
    static const struct {
        const char *descriptors, *event;
        bool match;
    } rows[] = {
        {"a", "a", true},       {"a", "a.b", true},
        {"a.b", "a", false},    {"a", "ab", false},
        {"a.*", "a", true},     {"a.*", "a.b.c", true},
        {"*", "x", true},       {"b a.b c", "a.b", true},
        {"b c", "a", false},    {"done.invoke", "done.invoke.x", true},
        {"a.", "a.b", true},    {"", "a", false},
        {"a.b", "a.bc", false},
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++)
        assert_int_equal(wf_event_matches(rows[i].descriptors, rows[i].event), rows[i].match);
    struct world w;
    open_world(&w, "states: { a: { on = ({event = \"foo bar.*\"; do = ({log = \"'t'\";});},"
                   "{event = \"*\"; do = ({log = \"'star'\";});}); }; };");
    send(&w, "bar.zoo");
    assert_string_equal(logs(&w), "t");
    send(&w, "foozle");
    assert_string_equal(logs(&w), "star");
    close_world(&w);
}

/* ---- order --------------------------------------------------------------------------------- */

static const char order_chart[] =
    "states: {"
    "a: { " LOG_ALL(
        "a") " on = ({event = \"go\"; target = \"b\"; do = ({log = \"'t'\";});});"
             "  states: { p: { type = \"parallel\"; " LOG_ALL("p") "    states: { x: { " LOG_ALL(
                 "x") " }; y: { " LOG_ALL("y") " }; }; }; }; };"
                                               "b: { " LOG_ALL(
                                                   "b") " initial = { target = \"b2\"; do = ({log "
                                                        "= \"'init'\";}); };"
                                                        "  states: { b1: {}; b2: { " LOG_ALL(
                                                            "b2") " }; }; }; };";

static void states_are_entered_outer_first_and_in_document_order(void **state) /* 406 */
{
    (void)state;
    struct world w;
    open_world(&w, order_chart);
    assert_string_equal(logs(&w), "+a +p +x +y");
    assert_string_equal(entered(&w), "a p x y");
    close_world(&w);
}

static void
exit_transition_and_entry_content_run_in_that_order(void **state) /* 404, 405, 409, 412 */
{
    (void)state;
    struct world w;
    open_world(&w, order_chart);
    send(&w, "go");
    assert_string_equal(logs(&w), "-y -x -p -a t +b init +b2");
    close_world(&w);
}

static void transitions_of_several_regions_run_in_document_order(void **state) /* 405 */
{
    (void)state;
    struct world w;
    open_world(
        &w,
        "states: { p: { type = \"parallel\"; states: {"
        "x: { states: { x1: { " LOG_ALL(
            "x1") "  on = ({event = \"go\"; target = \"x2\"; do = ({log = \"'tx'\";});}); };"
                  "  x2: { " LOG_ALL("x2") " }; }; };"
                                           "y: { states: { y1: { " LOG_ALL(
                                               "y1") "  on = ({event = \"go\"; target = \"y2\"; do "
                                                     "= ({log = \"'ty'\";});}); };"
                                                     "  y2: { " LOG_ALL("y2") " }; }; }; }; }; };");
    send(&w, "go");
    assert_string_equal(logs(&w), "-y1 -x1 tx ty +x2 +y2");
    assert_string_equal(active(&w), "p x x2 y y2");
    close_world(&w);
}

/* ---- conflicts ----------------------------------------------------------------------------- */

#define TWO_REGIONS(outer, inx, iny)                                                               \
    "states: { p: { type = \"parallel\"; " outer " states: {"                                      \
    "x: { states: { x1: { " inx " }; x2: {}; }; };"                                                \
    "y: { states: { y1: { " iny " }; y2: {}; }; }; }; }; out: {}; out2: {}; };"

static void of_two_regions_that_leave_the_earlier_one_wins(void **state) /* 403b */
{
    (void)state;
    struct world w;
    open_world(&w, TWO_REGIONS("", "on = ({event = \"go\"; target = \"out\";});",
                               "on = ({event = \"go\"; target = \"out2\";});"));
    send(&w, "go");
    assert_string_equal(active(&w), "out");
    close_world(&w);
}

static void a_transition_that_leaves_preempts_one_that_stays(void **state) /* 403c */
{
    (void)state;
    struct world w;
    open_world(&w, TWO_REGIONS("", "on = ({event = \"go\"; target = \"out\";});",
                               "on = ({event = \"go\"; target = \"y2\";});"));
    send(&w, "go");
    assert_string_equal(active(&w), "out");
    close_world(&w);
    open_world(&w, TWO_REGIONS("", "on = ({event = \"go\"; target = \"x2\";});",
                               "on = ({event = \"go\"; target = \"out\";});"));
    send(&w, "go");
    assert_string_equal(active(&w), "p x x2 y y1");
    close_world(&w);
}

static void an_inner_transition_preempts_that_of_the_parallel_state(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, TWO_REGIONS("on = ({event = \"go\"; target = \"out\";});", "",
                               "on = ({event = \"go\"; target = \"y2\";});"));
    /* x1 finds p's transition first; y1's own is inside p and takes its place. */
    send(&w, "go");
    assert_string_equal(active(&w), "p x x1 y y2");
    close_world(&w);
}

static void a_targetless_transition_conflicts_with_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, TWO_REGIONS("", "on = ({event = \"go\"; do = ({log = \"'stay'\";});});",
                               "on = ({event = \"go\"; target = \"out\";});"));
    send(&w, "go");
    assert_string_equal(logs(&w), "stay");
    assert_string_equal(active(&w), "out");
    close_world(&w);
}

static void a_transition_shared_by_regions_is_taken_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, TWO_REGIONS("on = ({event = \"go\"; do = ({log = \"'once'\";});});", "", ""));
    send(&w, "go");
    assert_string_equal(logs(&w), "once");
    close_world(&w);
}

static void a_failing_guard_shared_by_regions_raises_one_error(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "data: { m = \"=null\"; };" TWO_REGIONS(
                       "on = ({event = \"go\"; cond = \"m > 1\"; target = \"out\";},"
                       "{event = \"error.execution\"; do = ({log = \"'err'\";});});",
                       "", ""));
    assert_false(send(&w, "go"));
    assert_string_equal(logs(&w), "err");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_state_is_entered_where_no_initial_is_given),
        cmocka_unit_test(initial_may_lead_deep_and_into_several_regions),
        cmocka_unit_test(an_unknown_event_changes_nothing),
        cmocka_unit_test(the_first_enabled_transition_in_document_order_is_taken),
        cmocka_unit_test(inner_states_are_asked_before_outer_ones),
        cmocka_unit_test(event_descriptors_match_whole_parts_of_names),
        cmocka_unit_test(states_are_entered_outer_first_and_in_document_order),
        cmocka_unit_test(exit_transition_and_entry_content_run_in_that_order),
        cmocka_unit_test(transitions_of_several_regions_run_in_document_order),
        cmocka_unit_test(of_two_regions_that_leave_the_earlier_one_wins),
        cmocka_unit_test(a_transition_that_leaves_preempts_one_that_stays),
        cmocka_unit_test(an_inner_transition_preempts_that_of_the_parallel_state),
        cmocka_unit_test(a_targetless_transition_conflicts_with_nothing),
        cmocka_unit_test(a_transition_shared_by_regions_is_taken_once),
        cmocka_unit_test(a_failing_guard_shared_by_regions_raises_one_error),
    };
    return cmocka_run_group_tests_name("chart_order", tests, NULL, NULL);
}

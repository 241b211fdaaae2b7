/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executable content, effects and data.
 */
#include "support/test.h"

#include "support/chart.h"

/* ---- executable content -------------------------------------------------------------------- */

static void assign_changes_variables_fields_and_members(void **state)
{
    (void)state;
    struct world w;
    open_world(
        &w,
        "data: { n = 1; m = { a = { b = 1; }; }; t = \"=null\"; }; states: { a: { entry = ("
        "{assign = \"n\"; expr = \"n + 1\";}, {assign = \"m.a.c\"; expr = \"n\";},"
        "{assign = \"full_name\"; expr = \"'An'\";}, {assign = \"t\"; expr = \"[n]\";}); }; };");
    assert_string_equal(data(&w, "n"), "2");
    assert_string_equal(data(&w, "m.a.b"), "1");
    assert_string_equal(data(&w, "m.a.c"), "2");
    assert_string_equal(data(&w, "full_name"), "An");
    assert_string_equal(data(&w, "t"), "list/1");
    close_world(&w);
}

static void a_step_leaves_the_snapshot_it_came_from_as_it_was(void **state)
{
    (void)state;
    struct world w;
    open_world(&w,
               "data: { n = 1; m = { k = 1; }; }; states: { a: { on = ({event = \"go\"; do = ("
               "{assign = \"n\"; expr = \"n + 1\";}, {assign = \"m.k\"; expr = \"n\";});}); }; };");
    struct wf_snapshot before = w.step.snapshot;
    send(&w, "go");
    assert_int_equal(wf_value_int(wf_map_get(before.data, "n"), 0), 1);
    assert_int_equal(wf_value_int(wf_value_at(before.data, "m.k"), 0), 1);
    assert_string_equal(data(&w, "m.k"), "2");
    close_world(&w);
}

static void if_takes_the_first_branch_that_holds(void **state) /* 147, 148, 149 */
{
    (void)state;
    struct world w;
    open_world(&w, "data: { n = 0; }; states: { a: { on = ({event = \"go\"; do = ("
                   "{assign = \"n\"; expr = \"n + 1\";},"
                   "{if = \"n == 1\"; do = ({log = \"'one'\";});"
                   " elseif = ({cond = \"n == 2\"; do = ({log = \"'two'\";});},"
                   "           {cond = \"n >= 2\"; do = ({log = \"'three'\";});});"
                   " else = ({log = \"'never'\";});},"
                   "{if = \"n > 9\"; do = ({log = \"'x'\";});});}); }; };");
    static const char *const expected[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++) {
        send(&w, "go");
        assert_string_equal(logs(&w), expected[i]);
    }
    close_world(&w);
}

static void a_failing_condition_is_false_and_the_rest_goes_on(void **state)
{
    (void)state;
    struct world w;
    open_world(
        &w, "data: { m = \"=null\"; }; states: { a: {"
            "on = ({event = \"error.execution\"; do = ({log = \"_event.type\";});});"
            "entry = ({if = \"m > 1\"; do = (); else = ({log = \"'else'\";});}, {log = \"'on'\";});"
            "}; };");
    assert_string_equal(logs(&w), "else on platform");
    assert_non_null(strstr(w.step.error, "line 1: if: column 1"));
    close_world(&w);
}

static void foreach_goes_through_a_list_with_item_and_index(void **state) /* 150, 153, 155, 525 */
{
    (void)state;
    struct world w;
    open_world(&w,
               "data: { l = [10, 20, 30]; sum = 0; last = \"=null\"; }; states: { a: { entry = ("
               "{foreach = \"l\"; item = \"x\"; index = \"i\"; do = ("
               "  {assign = \"l\"; expr = \"append(l, x)\";},"
               "  {assign = \"sum\"; expr = \"sum + x * i\";},"
               "  {foreach = \"[x]\"; item = \"x\"; do = ({log = \"x\";});});},"
               "{foreach = \"l\"; item = \"last\"; do = ();}); }; };");
    assert_string_equal(data(&w, "sum"), "80");
    assert_string_equal(data(&w, "l"), "list/6");
    assert_string_equal(data(&w, "last"), "30");
    assert_string_equal(data(&w, "x"), "null");
    assert_string_equal(logs(&w), "10 20 30");
    close_world(&w);
}

static void foreach_over_no_list_or_with_a_failing_body_stops_the_block(void **state) /* 152, 156 */
{
    (void)state;
    struct world w;
    open_world(&w, "data: { m = \"=null\"; n = 0; }; states: { a: {"
                   "on = ({event = \"error.execution\"; do = ({log = \"'err'\";});},"
                   "{event = \"go\"; do = ({foreach = \"[1, 2, 3]\"; item = \"x\"; do = ("
                   "{assign = \"n\"; expr = \"n + 1\";}, {if = \"x == 2\"; do = ("
                   "{log = \"x / 0\";});});}, {log = \"'never'\";});});"
                   "entry = ({foreach = \"m\"; item = \"x\"; do = ({log = \"x\";});},"
                   "{log = \"'never'\";}); }; };");
    assert_string_equal(logs(&w), "err");
    send(&w, "go");
    assert_string_equal(logs(&w), "err");
    assert_string_equal(data(&w, "n"), "2");
    close_world(&w);
}

static void an_error_stops_its_block_but_not_the_next_one(void **state) /* 159 */
{
    (void)state;
    struct world w;
    open_world(
        &w,
        "data: { n = 0; }; states: { a: {"
        "on = ({event = \"go\"; target = \"b\"; do = ({log = \"1 / n\";}, {log = \"'no'\";});},"
        "{event = \"error\"; target = \"wrong\";}); exit = ({log = \"'exit'\";}); };"
        "b: { entry = ({log = \"'entry'\";});"
        "on = ({event = \"error.execution\"; do = ({log = \"_event.data\";});}); }; wrong: {}; };");
    send(&w, "go");
    assert_string_equal(logs(&w), "exit entry map/1");
    assert_string_equal(active(&w), "b");
    assert_non_null(strstr(w.step.error, "division by zero"));
    close_world(&w);
}

static void a_value_of_the_wrong_type_is_not_assigned(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "data: { n = 1; }; states: { a: { on = ({event = \"go\";"
                   "do = ({assign = \"n\"; expr = \"_event.data\";});}); }; };");
    send_event(&w, "go", wf_text(w.arena, "secret"));
    assert_string_equal(data(&w, "n"), "1");
    assert_non_null(strstr(w.step.error, "integer cannot take a text"));
    assert_null(strstr(w.step.error, "secret"));
    send_event(&w, "go", wf_int(w.arena, 4));
    assert_string_equal(data(&w, "n"), "4");
    send_event(&w, "go", NULL);
    assert_string_equal(data(&w, "n"), "null");
    close_world(&w);
}

static void the_event_shows_name_data_and_invocation(void **state)
{
    (void)state;
    struct world w;
    open_world(
        &w,
        "states: { a: { entry = ({log = \"_event == null\";}); on = ({event = \"done.invoke.j\";"
        "do = ({log = \"concat(_event.name, ' ', _event.type, ' ', _event.invokeid)\";});}); }; "
        "};");
    assert_string_equal(logs(&w), "true");
    send(&w, "done.invoke.j");
    assert_string_equal(logs(&w), "done.invoke.j external j");
    close_world(&w);
}

/* ---- effects ------------------------------------------------------------------------------- */

static void sends_and_cancels_become_effects_in_order(void **state)
{
    (void)state;
    struct world w;
    open_world(
        &w,
        "data: { d = \"2 days\"; }; states: { a: { entry = ("
        "{send = \"tick\"; delay = \"3 working days\"; id = \"x\"; data = { n = 1; };},"
        "{send = \"tock\"; delay = \"=d\";}, {cancel = \"x\";}, {cancel = \"=concat('y', 1)\";},"
        "{send = \"notification.send\"; template = \"ready\"; data = { a = \"=d\"; };},"
        "{send = \"routing.escalate\"; role = \"head\"; id = \"esc\";},"
        "{extend = \"5 working days\";}); }; };");
    assert_string_equal(effects(&w),
                        "send:x@3 working days send:send.1@2 days unsend:x unsend:y1 "
                        "detached:notification.send.2 detached:esc extend:@5 working days");
    assert_int_equal(w.step.snapshot.n_sends, 2);
    const struct wf_effect *e = w.step.effects;
    assert_string_equal(e->event, "tick");
    assert_string_equal(e->state, "a");
    assert_int_equal(wf_value_int(wf_map_get(e->data, "n"), 0), 1);
    e = e->next->next->next->next;
    assert_string_equal(e->activity, "notification.send");
    assert_string_equal(wf_value_text(wf_value_at(e->data, "data.a"), ""), "2 days");
    assert_string_equal(wf_value_text(wf_value_at(e->data, "template"), ""), "ready");
    assert_null(wf_map_get(e->data, "send"));
    assert_string_equal(e->next->role, "head");
    const struct wf_chart_send *sends;
    assert_int_equal(wf_chart_sends(w.chart, &sends), 2);
    close_world(&w);
}

static void a_delay_that_is_no_duration_is_not_armed(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "data: { good = \"90 seconds\"; bad = \"soon\"; }; states: { a: { entry = ("
                   "{send = \"x\"; delay = \"=good\"; id = \"g\";}, {extend = \"=bad\";}); }; };");
    assert_string_equal(effects(&w), "send:g@90 seconds");
    assert_non_null(strstr(w.step.error, "extend: the text given as duration is none"));
    close_world(&w);
}

static void a_deadline_is_armed_on_entry_and_cancelled_on_exit(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "states: { a: { deadline = \"2 working days\";"
                   "on = ({event = \"deadline.a\"; target = \"b\";}); }; b: {}; };");
    assert_string_equal(effects(&w), "send:deadline.a@2 working days");
    assert_string_equal(w.step.effects->event, "deadline.a");
    send(&w, "deadline.a");
    assert_string_equal(effects(&w), "unsend:deadline.a");
    close_world(&w);
}

static void invocations_start_after_the_macrostep_in_the_states_still_active(void **state) /* 422 */
{
    (void)state;
    struct world w;
    open_world(
        &w,
        "states: { a: { invoke = ({activity = \"x.a\"; id = \"ia\";}); states: {"
        "a1: { invoke = ({activity = \"x.a1\"; id = \"ia1\";}); always = ({target = \"a2\";}); };"
        "a2: { entry = ({log = \"'entry'\";});"
        "invoke = ({activity = \"x.a2\"; id = \"ia2\"; role = \"clerk\"; k = 1;},"
        "{activity = \"x.b2\";}); }; }; }; };");
    assert_string_equal(effects(&w), "invoke:ia invoke:ia2 invoke:a2.2");
    assert_string_equal(wf_value_text(wf_map_get(w.step.snapshot.invokes, "ia2"), ""), "x.a2");
    assert_int_equal(wf_value_count(w.step.snapshot.invokes), 3);
    close_world(&w);
}

static void an_invocation_is_cancelled_on_exit_unless_it_has_ended(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, "states: { a: { invoke = ({activity = \"x.a\"; id = \"one\";},"
                   "{activity = \"x.a\"; id = \"two\";}, {activity = \"x.a\"; id = \"three\";});"
                   "on = ({event = \"again\"; target = \"a\";}); }; };");
    send(&w, "done.invoke.one");
    assert_null(wf_map_get(w.step.snapshot.invokes, "one"));
    struct wf_chart_event failed = {.name = "error.communication", .invoke_id = "three"};
    struct wf_snapshot from = w.step.snapshot;
    assert_ok(wf_chart_step(w.chart, &from, &failed, w.arena, &w.step, &w.err), w.err);
    send(&w, "again");
    assert_string_equal(effects(&w), "uninvoke:two invoke:one invoke:two invoke:three");
    close_world(&w);
}

static void parameters_are_evaluated_when_the_invocation_starts(void **state) /* 554 */
{
    (void)state;
    struct world w;
    open_world(
        &w,
        "data: { n = 1; m = \"=null\"; }; states: { a: { entry = ({assign = \"n\"; expr = \"2\";});"
        "on = ({event = \"error.execution\"; target = \"b\";});"
        "invoke = ({activity = \"x.a\"; id = \"good\"; p = { q = (\"=n\", 3); };},"
        "{activity = \"x.a\"; id = \"bad\"; p = \"=m + 1\";}); }; b: {}; };");
    assert_string_equal(effects(&w), "invoke:good uninvoke:good");
    assert_int_equal(wf_value_int(wf_list_at(wf_value_at(w.step.effects->data, "p.q"), 0), 0), 2);
    assert_string_equal(active(&w), "b");
    close_world(&w);
}

/* ---- data ---------------------------------------------------------------------------------- */

static void given_variables_lie_over_the_initial_ones(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(compile(&w, "data: { n = 1; twice = \"=amount * 2\"; bad = \"=1 / 0\"; };"
                                 "states: { a: {}; };"),
                     0);
    struct wf_value *given = wf_map(w.arena);
    wf_map_put(w.arena, given, "n", wf_int(w.arena, 9));
    wf_map_put(w.arena, given, "amount", wf_int(w.arena, 21));
    assert_ok(wf_chart_start(w.chart, given, w.arena, &w.step, &w.err), w.err);
    assert_string_equal(data(&w, "n"), "9");
    assert_string_equal(data(&w, "twice"), "42");
    assert_string_equal(data(&w, "bad"), "null");
    assert_non_null(strstr(w.step.error, "division by zero"));
    assert_int_equal(wf_value_count(given), 2);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assign_changes_variables_fields_and_members),
        cmocka_unit_test(a_step_leaves_the_snapshot_it_came_from_as_it_was),
        cmocka_unit_test(if_takes_the_first_branch_that_holds),
        cmocka_unit_test(a_failing_condition_is_false_and_the_rest_goes_on),
        cmocka_unit_test(foreach_goes_through_a_list_with_item_and_index),
        cmocka_unit_test(foreach_over_no_list_or_with_a_failing_body_stops_the_block),
        cmocka_unit_test(an_error_stops_its_block_but_not_the_next_one),
        cmocka_unit_test(a_value_of_the_wrong_type_is_not_assigned),
        cmocka_unit_test(the_event_shows_name_data_and_invocation),
        cmocka_unit_test(sends_and_cancels_become_effects_in_order),
        cmocka_unit_test(a_delay_that_is_no_duration_is_not_armed),
        cmocka_unit_test(a_deadline_is_armed_on_entry_and_cancelled_on_exit),
        cmocka_unit_test(invocations_start_after_the_macrostep_in_the_states_still_active),
        cmocka_unit_test(an_invocation_is_cancelled_on_exit_unless_it_has_ended),
        cmocka_unit_test(parameters_are_evaluated_when_the_invocation_starts),
        cmocka_unit_test(given_variables_lie_over_the_initial_ones),
    };
    return cmocka_run_group_tests_name("chart_content", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Working time of a dossier: hours of its site, limits by channel, reminders, stops, extensions. */
#include "support/test.h"

#include "support/trial.h"

#define SITE_EARLY "000.00.14.H30" /* 07:30-11:30, 13:00-17:00 */

/* A specialist works on it; `more` are further transitions. */
#define WORK(more)                                                                                 \
    "work: { status = 4; deadline = \"4 working hours\";"                                          \
    " invoke = ( { activity = \"verification.review\"; id = \"review\"; role = \"specialist\"; }"  \
    "); on = ( { event = \"done.invoke.review\"; target = \"closed\"; },"                          \
    " { event = \"deadline.work\"; }, { event = \"overdue\"; } " more " ); };"

#define PAUSE                                                                                      \
    "supplement: { status = 5; clock = \"stopped\"; deadline = \"90 days\";"                       \
    " on = ( { event = \"go\"; target = \"work\"; }, { event = \"pay\"; target = \"payment\"; },"  \
    " { event = \"deadline.supplement\"; target = \"work\"; } ); };"                               \
    "payment: { status = 6; clock = \"stopped\"; deadline = \"90 days\";"                          \
    " on = ( { event = \"go\"; target = \"work\"; },"                                              \
    " { event = \"deadline.payment\"; target = \"work\"; } ); };"
#define PAUSES ", { event = \"pause\"; target = \"supplement\"; }"

static void advance_to(struct cell *cell, const char *moment)
{
    cell_advance_to(cell, cell_moment(cell, moment));
}

static void due_dates_follow_the_hours_of_the_site(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-28 09:10"); /* a Saturday */
    install_trial(cell, NULL, "", WORK(""));
    assert_due(cell, submit_trial(cell, SITE, "one_stop"), "2026-12-03 07:00");
    assert_due(cell, submit_trial(cell, SITE_EARLY, "one_stop"), "2026-12-03 07:30");
    assert_due(cell, submit_trial(cell, SITE_MANDATED, "one_stop"), "2026-12-02 09:10");
    cell_close(cell);
}

/* Monday 16:00 and four hours of work, over Culture Day. */
static void deadlines_follow_the_hours_of_the_site(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 16:00");
    install_trial(cell, NULL, "", WORK(""));
    const char *usual = submit_trial(cell, SITE, "one_stop");
    const char *early = submit_trial(cell, SITE_EARLY, "one_stop");
    advance_to(cell, "2026-11-25 09:59");
    assert_times(cell, usual, "deadline.work", 0);
    advance_to(cell, "2026-11-25 10:00");
    assert_times(cell, usual, "deadline.work", 1);
    assert_times(cell, early, "deadline.work", 0);
    advance_to(cell, "2026-11-25 10:30");
    assert_times(cell, early, "deadline.work", 1);
    cell_close(cell);
}

static void waiting_moves_the_due_date_by_the_hours_of_the_site(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 16:00");
    install_trial(cell, NULL, "", WORK(PAUSES) PAUSE);
    const char *usual = submit_trial(cell, SITE, "one_stop");
    const char *early = submit_trial(cell, SITE_EARLY, "one_stop");
    say(cell, usual, "pause", "citizen");
    say(cell, early, "pause", "citizen");
    cell_advance(cell, "2 hours"); /* to 18:00 of the due day, so the next opening */
    say(cell, usual, "go", "citizen");
    say(cell, early, "go", "citizen");
    assert_due(cell, usual, "2026-12-04 07:00");
    assert_due(cell, early, "2026-12-04 07:30");
    cell_close(cell);
}

static void a_channel_may_have_a_limit_of_its_own(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "time_limits = { online = \"1 working day\"; post = \"10 days\"; };",
                  WORK(""));
    assert_due(cell, submit_trial(cell, SITE, "one_stop"), "2026-12-03 09:10");
    assert_due(cell, submit_trial(cell, SITE, "online"), "2026-12-01 09:10");
    assert_due(cell, submit_trial(cell, SITE, "post"), "2026-12-10 09:10");
    cell_close(cell);
}

#define REMIND "remind = [ \"1 working day\", \"4 working hours\" ];"
#define REMINDED                                                                                   \
    ", { event = \"reminder\"; do = ( { assign = \"before\"; expr = \"_event.data.before\"; } ); " \
    "}"

static const char *last_reminder(struct cell *cell, const char *code)
{
    return wf_value_text(wf_map_get(stored_trial(cell, code).data, "before"), "");
}

static void reminders_come_before_the_due_date(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, REMIND, WORK(REMINDED));
    const char *code = submit_trial(cell, SITE, "one_stop");
    assert_due(cell, code, "2026-12-03 09:10");
    advance_to(cell, "2026-12-02 09:09");
    assert_times(cell, code, "reminder", 0);
    advance_to(cell, "2026-12-02 09:10");
    assert_times(cell, code, "reminder", 1);
    assert_string_equal(last_reminder(cell, code), "1 working day");
    advance_to(cell, "2026-12-02 15:10");
    assert_times(cell, code, "reminder", 2);
    assert_string_equal(last_reminder(cell, code), "4 working hours");
    assert_times(cell, code, "overdue", 0);
    advance_to(cell, "2026-12-31 09:10");
    assert_times(cell, code, "reminder", 2);
    assert_times(cell, code, "overdue", 1);
    cell_close(cell);
}

static void reminders_move_with_the_due_date(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, REMIND, WORK(REMINDED PAUSES) PAUSE);
    const char *code = submit_trial(cell, SITE, "one_stop");
    advance_to(cell, "2026-12-01 09:10");
    say(cell, code, "pause", "citizen");
    advance_to(cell, "2026-12-03 09:10"); /* both old moments pass */
    assert_times(cell, code, "reminder", 0);
    say(cell, code, "go", "citizen");
    assert_due(cell, code, "2026-12-07 07:00"); /* two days more end on a Saturday */
    advance_to(cell, "2026-12-04 06:59");
    assert_times(cell, code, "reminder", 0);
    advance_to(cell, "2026-12-04 07:00");
    assert_times(cell, code, "reminder", 1);
    advance_to(cell, "2026-12-07 06:59");
    assert_times(cell, code, "reminder", 2);
    cell_close(cell);
}

/* What lies in the past already is left out, and a closed dossier hears nothing. */
static void no_reminder_comes_too_late(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, REMIND "time_limits = { online = \"1 working hour\"; };",
                  WORK(REMINDED));
    const char *code = submit_trial(cell, SITE, "online");
    const char *done = submit_trial(cell, SITE, "one_stop");
    struct task task = claim(cell, "verification.review", "specialist");
    finish(cell, &task, "{'verdict': 'approve'}");
    task = claim(cell, "verification.review", "specialist");
    cell_advance(cell, "30 days");
    assert_times(cell, code, "reminder", 0);
    assert_times(cell, done, "reminder", 2);
    finish(cell, &task, "{'verdict': 'approve'}");
    cell_close(cell);
}

static void assert_stop(struct cell *cell, const char *code, size_t i, const char *reason,
                        const char *from, const char *to)
{
    const struct wf_value *span = wf_list_at(look_up(cell, code)->stops, i);
    assert_non_null(span);
    assert_string_equal(wf_value_text(wf_list_at(span, 0), ""), reason);
    assert_int_equal(wf_value_int(wf_list_at(span, 1), -1), cell_moment(cell, from));
    assert_int_equal(wf_value_int(wf_list_at(span, 2), -1), to != NULL ? cell_moment(cell, to) : 0);
}

static void each_stop_of_the_clock_is_kept_with_its_reason(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "", WORK(PAUSES) PAUSE);
    const char *code = submit_trial(cell, SITE, "one_stop");
    assert_int_equal(wf_value_count(look_up(cell, code)->stops), 0);
    say(cell, code, "pause", "citizen");
    assert_stop(cell, code, 0, "supplement", "2026-11-30 09:10", NULL);
    cell_advance(cell, "1 day");
    say(cell, code, "pay", "citizen"); /* it goes on standing, for another reason */
    assert_stop(cell, code, 0, "supplement", "2026-11-30 09:10", "2026-12-01 09:10");
    assert_stop(cell, code, 1, "payment", "2026-12-01 09:10", NULL);
    cell_advance(cell, "1 day");
    say(cell, code, "go", "citizen");
    assert_stop(cell, code, 1, "payment", "2026-12-01 09:10", "2026-12-02 09:10");
    assert_due(cell, code, "2026-12-07 07:00"); /* moved once, by the two days */
    say(cell, code, "pause", "citizen");
    cell_advance(cell, "1 hour");
    say(cell, code, "go", "citizen");
    assert_stop(cell, code, 2, "supplement", "2026-12-02 09:10", "2026-12-02 10:10");
    struct wf_rec_dossier d = stored_trial(cell, code);
    assert_int_equal(d.supplements, 2);
    assert_int_equal(d.waited, 49 * INT64_C(3600000));
    assert_int_equal(d.stopped, 0);
    cell_close(cell);
}

#define LATER ", { event = \"later\"; do = ( { extend = \"2 working days\"; } ); }"
#define NOTED                                                                                      \
    ", { event = \"error.execution\";"                                                             \
    " do = ( { assign = \"seen\"; expr = \"_event.data.message\"; } ); }"

static void the_due_date_is_extended_once(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "", WORK(LATER NOTED));
    const char *code = submit_trial(cell, SITE, "one_stop");
    say(cell, code, "later", "head");
    assert_due(cell, code, "2026-12-07 09:10");
    assert_int_equal(look_up(cell, code)->extensions, 1);
    assert_times(cell, code, "error.execution", 0);
    say(cell, code, "later", "head");
    assert_due(cell, code, "2026-12-07 09:10");
    assert_int_equal(look_up(cell, code)->extensions, 1);
    assert_times(cell, code, "error.execution", 1);
    const char *seen = wf_value_text(wf_map_get(stored_trial(cell, code).data, "seen"), "");
    assert_non_null(strstr(seen, "max_extensions"));
    cell_close(cell);
}

static void a_procedure_may_allow_more_extensions_or_none(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "max_extensions = 2;", WORK(LATER NOTED));
    const char *code = submit_trial(cell, SITE, "one_stop");
    for (int i = 0; i < 3; i++)
        say(cell, code, "later", "head");
    assert_due(cell, code, "2026-12-09 09:10");
    assert_times(cell, code, "error.execution", 1);
    cell_close(cell);
    cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "max_extensions = 0;", WORK(LATER NOTED));
    code = submit_trial(cell, SITE, "one_stop");
    say(cell, code, "later", "head");
    assert_due(cell, code, "2026-12-03 09:10");
    cell_close(cell);
}

static void guards_read_the_number_of_extensions(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "max_extensions = 9;",
                  WORK(", { event = \"later\"; cond = \"_dossier.extensions < 1\";"
                       " do = ( { extend = \"1 working day\"; } ); }"));
    const char *code = submit_trial(cell, SITE, "one_stop");
    say(cell, code, "later", "head");
    struct wf_msg_dossier_event again = {.dossier = wf_str(code),
                                         .event = wf_str("later"),
                                         .by = wf_str("person-1"),
                                         .role = wf_str("head")};
    refuse(cell, WF_INTAKE, WF_MSG_dossier_event, &again, "state", "body.event");
    assert_int_equal(look_up(cell, code)->extensions, 1);
    cell_close(cell);
}

/* The set that the chart sees, and the number that goes with the notice of a refusal or stop. */
static void assert_forms(const char *moment, const char *settings, const char *set,
                         const char *stopping)
{
    struct cell *cell = cell_new(moment);
    install_trial(cell, NULL, settings,
                  "work: { status = 4; entry = ( { assign = \"seen\"; expr = "
                  "\"_dossier.form_set\"; },"
                  " { send = \"notification.send\"; template = \"stopped\"; } );"
                  " invoke = ( { activity = \"verification.review\"; id = \"review\"; } );"
                  " on = ( { event = \"done.invoke.review\"; target = \"closed\"; },"
                  " { event = \"overdue\"; } ); };");
    const char *code = submit_trial(cell, SITE, "one_stop");
    assert_string_equal(wf_value_text(wf_map_get(stored_trial(cell, code).data, "seen"), ""), set);
    struct task task = claim(cell, "notification.send", "gateway");
    const struct wf_value *form = wf_map_get(task.params, "form");
    assert_string_equal(wf_value_text(wf_map_get(form, "number"), "none"), stopping);
    assert_string_equal(wf_value_text(wf_map_get(form, "set"), "none"),
                        strcmp(stopping, "none") == 0 ? "none" : set);
    cell_close(cell);
}

static void forms_are_those_of_the_law_in_force(void **state)
{
    (void)state;
    assert_forms("2025-06-30 09:10", "", "2018", "none");
    assert_forms("2025-07-01 09:10", "", "2025", "05");
    assert_forms("2026-11-30 09:10", "valid_from = \"2024-01-01\";", "2018", "none");
    assert_forms("2026-11-30 09:10", "valid_from = \"2025-07-01\";", "2025", "05");
    assert_forms("2026-11-30 09:10", "form_set = \"2018\";", "2018", "none");
    assert_forms("2025-06-30 09:10", "form_set = \"2025\";", "2025", "05");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_dates_follow_the_hours_of_the_site),
        cmocka_unit_test(deadlines_follow_the_hours_of_the_site),
        cmocka_unit_test(waiting_moves_the_due_date_by_the_hours_of_the_site),
        cmocka_unit_test(a_channel_may_have_a_limit_of_its_own),
        cmocka_unit_test(reminders_come_before_the_due_date),
        cmocka_unit_test(reminders_move_with_the_due_date),
        cmocka_unit_test(no_reminder_comes_too_late),
        cmocka_unit_test(each_stop_of_the_clock_is_kept_with_its_reason),
        cmocka_unit_test(the_due_date_is_extended_once),
        cmocka_unit_test(a_procedure_may_allow_more_extensions_or_none),
        cmocka_unit_test(guards_read_the_number_of_extensions),
        cmocka_unit_test(forms_are_those_of_the_law_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A dossier under another version: what goes along, and what is refused before a first write. */
#include "support/test.h"

#include "support/versions.h"

#define APPROVE "{'verdict': 'approve'}"
#define MONDAY  "2026-11-30 09:10"

/* clang-format off */

/* A state in which somebody reviews: its name, the invoke's id, the role, where it goes. */
#define REVIEW(id, role)                                                                           \
    "{ activity = 'verification.review'; id = '" id "'; role = '" role "'; }"
#define DESK(name, id, role, target)                                                               \
    name ": { status = 4; invoke = ( " REVIEW(id, role) " );\n"                                    \
    "  on = ( { event = 'done.invoke." id "'; target = '" target "'; } ); };\n"

/* The same with a deadline, at which a head is told. */
#define TIMED(name, time, id, role, target)                                                        \
    name ": { status = 4; deadline = '" time "'; invoke = ( " REVIEW(id, role) " );\n"             \
    "  on = ( { event = 'done.invoke." id "'; target = '" target "'; },\n"                         \
    "         { event = 'deadline." name "';\n"                                                    \
    "           do = ( { send = 'routing.escalate'; reason = 'late'; } ); } ); };\n"

#define EXAMINE DESK("examine", "review", "civil_servant", "sign")
#define SIGN    DESK("sign", "sign", "signing_authority", "closed")

static const struct edition first = {
    1, "", "", "rounds = 7; gone = 1;",
    TIMED("examine", "2 working days", "review", "civil_servant", "sign") SIGN, "examine"};

/* The same work in a state of another name, a tighter deadline, a new variable. */
static const struct edition second = {
    2, "", "", "rounds = 0; remark = 'none';",
    "work: { states: {\n"
    "study: { status = 3; deadline = '1 working day'; invoke = ( " REVIEW("review", "specialist")
    " );\n"
    "  on = ( { event = 'done.invoke.review'; target = 'sign'; },\n"
    "         { event = 'deadline.study';\n"
    "           do = ( { send = 'routing.escalate'; reason = 'late'; } ); } ); }; }; };\n" SIGN,
    "study"};

static const struct edition plain = {2, "", "", "", EXAMINE SIGN, "examine"};

static const struct edition untimed = {1, "", "", "", EXAMINE SIGN, "examine"};
static const struct edition timed = {
    2, "", "", "", TIMED("examine", "2 working days", "review", "civil_servant", "sign") SIGN,
    "examine"};

/* Two reviews side by side. */
#define PAIR(a, b)                                                                                 \
    "both: { type = 'parallel'; status = 4; states: {\n"                                           \
    "  left: { states: { " TIMED(a, "1 working day", "l", "civil_servant", "left_done")            \
    "    left_done: { type = 'final'; }; }; };\n"                                                  \
    "  right: { states: { " TIMED(b, "2 working days", "r", "specialist", "right_done")            \
    "    right_done: { type = 'final'; }; }; }; };\n"                                              \
    "  on = ( { event = 'done.state.both'; target = 'closed'; } ); };\n"

static const struct edition pair = {1, "", "", "", PAIR("x", "y"), "both"};
static const struct edition crossed = {2, "", "", "", PAIR("y", "x"), "both"};
static const struct edition line = {
    2, "", "", "", DESK("x", "l", "civil_servant", "y") DESK("y", "r", "specialist", "closed"),
    "x"};

/* Two reviews in one state: the first is only counted. */
#define TEAM(name)                                                                                 \
    name ": { status = 4;\n"                                                                       \
    "  invoke = ( " REVIEW("one", "civil_servant") ", " REVIEW("two", "specialist") " );\n"        \
    "  on = ( { event = 'done.invoke.one'; do = ( { assign = 'n'; expr = 'n + 1'; } ); },\n"       \
    "         { event = 'done.invoke.two'; target = 'closed'; } ); };\n"

static const struct edition team = {1, "", "", "n = 0;", TEAM("team"), "team"};
static const struct edition crew = {2, "", "", "n = 0;", TEAM("crew"), "crew"};

/* Waits with its clock stopped. */
#define PAUSED                                                                                     \
    "paused: { status = 5; clock = 'stopped'; deadline = '9 days';\n"                              \
    "  on = ( { event = 'deadline.paused'; target = 'sign'; } ); };\n"

static const struct edition waiting = {2, "", "", "", PAUSED SIGN, "paused"};

static const struct edition hasty = {
    2, "", "", "rounds = 0;",
    "examine: { status = 4; invoke = ( " REVIEW("review", "civil_servant") " );\n"
    "  always = ( { cond = 'rounds > 5'; target = 'paused'; } );\n"
    "  on = ( { event = 'done.invoke.review'; target = 'sign'; } ); };\n" SIGN PAUSED,
    "examine"};

/* `name` can be paused; `back` remembers where it was. */
#define PAUSING(name)                                                                              \
    "work: { on = ( { event = 'pause'; target = 'rest'; roles = [ 'head' ]; } ); states: {\n"      \
    "  back: { type = 'deep_history'; default = 'early'; };\n"                                     \
    DESK("early", "early", "specialist", name) DESK(name, "review", "civil_servant", "closed")     \
    "}; };\n"                                                                                      \
    "rest: { status = 5; deadline = '90 days';\n"                                                  \
    "  on = ( { event = 'resume'; target = 'back'; roles = [ 'head' ]; },\n"                       \
    "         { event = 'deadline.rest'; target = 'closed'; } ); };\n"

static const struct edition pausing = {1, "", "", "", PAUSING("examine"), "early"};
static const struct edition pausing_study = {2, "", "", "", PAUSING("study"), "early"};

/* Another activity under the same id. */
static const struct edition handing = {
    2, "", "", "",
    "examine: { status = 4; invoke = ( { activity = 'routing.handoff'; id = 'review'; to = '=_dossier.agency'; } );\n"
    "  on = ( { event = 'done.invoke.review'; target = 'sign'; } ); };\n" SIGN, "examine"};

/* A variable of another type. */
static const struct edition worded = {2, "", "", "rounds = 'seven';", EXAMINE SIGN, "examine"};

/* clang-format on */

static struct wf_migration order_to(struct cell *cell, uint64_t version, const char *map)
{
    return (struct wf_migration){
        .to = version, .states = json(cell->arena, map), .by = "head-1", .reason = "Quyết định 15"};
}

/* A cell with a dossier in the first state of edition `a`, and edition `b` installed after. */
static struct cell *given(const struct edition *a, const struct edition *b, const char **out_code)
{
    struct cell *cell = cell_new(MONDAY);
    install_edition(cell, a);
    *out_code = submit_versioned(cell);
    install_edition(cell, b);
    assert_in(cell, *out_code, a->first);
    return cell;
}

static void goes(struct cell *cell, const char *code, uint64_t version, const char *map)
{
    struct wf_migration order = order_to(cell, version, map);
    struct wf_error err = {0};
    order.dry_run = true;
    assert_ok(migrate(cell, code, &order, &err), err);
    assert_int_not_equal(stored(cell, code).version, version);
    order.dry_run = false;
    assert_ok(migrate(cell, code, &order, &err), err);
    assert_version(cell, code, (unsigned)version);
    assert_times(cell, code, "operator.migrate", 1);
}

/* Refused alike by the dry run and the real one, with these words, and nothing is written. */
static void is_refused(struct cell *cell, const char *code, uint64_t version, const char *map,
                       int why, const char *words)
{
    struct wf_migration order = order_to(cell, version, map);
    const struct wf_counts before = cell_counts(cell);
    for (int dry = 0; dry < 2; dry++) {
        struct wf_error err = {0};
        order.dry_run = dry == 1;
        assert_int_equal(migrate(cell, code, &order, &err), why);
        if (strstr(err.text, words) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    }
    const struct wf_counts after = cell_counts(cell);
    assert_memory_equal(&before, &after, sizeof(before));
}

static int64_t armed(struct cell *cell, const char *code, const char *timer)
{
    const struct wf_rec_dossier dossier = stored(cell, code);
    return wf_value_int(wf_list_at(wf_map_get(dossier.timers, timer), 0), 0);
}

/* ---- what goes along --------------------------------------------------------------------------
 */

static void running_work_goes_on_under_the_new_version(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &second, &code);
    struct task task = claim(cell, "verification.review", "civil_servant");
    int64_t due = look_up(cell, code)->due;
    goes(cell, code, 2, "{'examine': 'study'}");
    assert_in(cell, code, "study");
    assert_status(cell, code, 3);
    assert_int_equal(look_up(cell, code)->due, due);
    finish(cell, &task, APPROVE); /* the lease of before still counts */
    assert_in(cell, code, "sign");
    complete(cell, "verification.review", "signing_authority", APPROVE);
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

static void a_deadline_keeps_its_moment_under_the_new_name(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &second, &code);
    int64_t moment = armed(cell, code, "deadline.examine");
    assert_true(moment > cell->now);
    cell_advance(cell, "1 working day");
    goes(cell, code, 2, "{'examine': 'study'}");
    assert_int_equal(armed(cell, code, "deadline.study"), moment);
    assert_int_equal(armed(cell, code, "deadline.examine"), 0);
    cell_advance(cell, "2 working days");
    assert_times(cell, code, "deadline.study", 1);
    assert_times(cell, code, "deadline.examine", 0);
    cell_close(cell);
}

static void a_deadline_that_has_passed_is_not_set_again(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &second, &code);
    cell_advance(cell, "3 working days");
    assert_times(cell, code, "deadline.examine", 1);
    goes(cell, code, 2, "{'examine': 'study'}");
    assert_int_equal(armed(cell, code, "deadline.study"), 0);
    cell_close(cell);
}

static void a_deadline_that_is_new_counts_from_the_migration(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&untimed, &timed, &code);
    struct wf_limit limit;
    assert_true(wf_limit_parse(wf_str("2 working days"), &limit));
    cell_advance(cell, "1 working day");
    int64_t moment = wf_calendar_due(cell->calendar, cell->now, limit);
    goes(cell, code, 2, "{}");
    assert_int_equal(armed(cell, code, "deadline.examine"), moment);
    cell_close(cell);
}

static void states_may_exchange_their_names(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&pair, &crossed, &code);
    int64_t x = armed(cell, code, "deadline.x");
    int64_t y = armed(cell, code, "deadline.y");
    assert_true(x < y);
    goes(cell, code, 2, "{'x': 'y', 'y': 'x'}");
    assert_int_equal(armed(cell, code, "deadline.y"), x);
    assert_int_equal(armed(cell, code, "deadline.x"), y);
    complete(cell, "verification.review", "civil_servant", APPROVE);
    complete(cell, "verification.review", "specialist", APPROVE);
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

static void variables_keep_their_values_and_new_ones_start_afresh(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &second, &code);
    goes(cell, code, 2, "{'examine': 'study'}");
    const struct wf_rec_dossier dossier = stored(cell, code);
    assert_int_equal(wf_value_int(wf_map_get(dossier.data, "rounds"), -1), 7);
    assert_string_equal(wf_value_text(wf_map_get(dossier.data, "remark"), ""), "none");
    assert_int_equal(wf_value_count(dossier.data), 2); /* what version 2 has not is gone */
    cell_close(cell);
}

static int keep_last(void *context, const struct wf_rec_event *event)
{
    *(struct wf_rec_event *)context = *event;
    return 0;
}

static void author_and_reason_stand_in_the_history(void **state)
{
    (void)state;
    const char *code = NULL;
    struct wf_rec_event last = {0};
    struct wf_error err = {0};
    struct cell *cell = given(&first, &second, &code);
    goes(cell, code, 2, "{'examine': 'study'}");
    uint64_t id = stored(cell, code).id;
    struct wf_txn *txn = cell_read(cell);
    assert_ok(wf_history_each(txn, id, cell->arena, keep_last, &last, &err), err);
    wf_txn_abort(txn);
    assert_string_equal(last.event.ptr, "operator.migrate");
    assert_string_equal(last.by.ptr, "head-1");
    assert_string_equal(last.role.ptr, "operator");
    assert_int_equal(wf_value_int(wf_map_get(last.data, "from"), 0), 1);
    assert_int_equal(wf_value_int(wf_map_get(last.data, "to"), 0), 2);
    assert_string_equal(wf_value_text(wf_map_get(last.data, "reason"), ""), "Quyết định 15");
    assert_string_equal(wf_value_text(wf_list_at(last.states, 0), ""), "study");
    assert_int_equal(last.status, 3);
    cell_close(cell);
}

static void work_that_the_new_state_does_not_ask_for_is_cancelled(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &waiting, &code);
    struct task task = claim(cell, "verification.review", "civil_servant");
    int64_t due = look_up(cell, code)->due;
    goes(cell, code, 2, "{'examine': 'paused'}");
    assert_status(cell, code, 5);
    assert_int_not_equal(stored(cell, code).stopped, 0); /* the clock stands */
    assert_int_equal(armed(cell, code, "overdue"), 0);
    struct wf_msg_task_complete late = {.task = task.id,
                                        .token = task.token,
                                        .result = json(cell->arena, APPROVE),
                                        .by = wf_str("person-1")};
    refuse(cell, WF_VERIFICATION, WF_MSG_task_complete, &late, "not_found", "body.task");
    cell_advance(cell, "10 days");
    assert_in(cell, code, "sign");
    assert_true(look_up(cell, code)->due > due);
    cell_close(cell);
}

/* Filed, and the review is queued: verification has not looked yet. */
static const char *file_without_pumping(struct cell *cell)
{
    struct wf_msg_dossier_submit message = {.procedure = wf_str(VERSIONED),
                                            .channel = wf_str("one_stop"),
                                            .site = wf_str(SITE),
                                            .by = wf_str("counter-2"),
                                            .role = wf_str("civil_servant"),
                                            .fields = json(cell->arena, "{'full_name': 'Thử'}")};
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    assert_ok(
        cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &message, &answer, &err),
        err);
    assert_int_equal(cell_counts(cell).queued[WF_VERIFICATION], 1);
    return ((const struct wf_msg_dossier_state *)answer.body)->dossier.ptr;
}

static void work_that_is_only_queued_goes_on_or_is_dropped(void **state)
{
    (void)state;
    struct cell *cell = cell_new(MONDAY);
    install_edition(cell, &first);
    const char *goes_on = file_without_pumping(cell);
    install_edition(cell, &second);
    goes(cell, goes_on, 2, "{'examine': 'study'}");
    complete(cell, "verification.review", "civil_servant", APPROVE);
    assert_in(cell, goes_on, "sign");
    set_active(cell, VERSIONED, 2, false);
    const char *dropped = file_without_pumping(cell);
    struct edition third = waiting;
    third.version = 3;
    install_edition(cell, &third);
    goes(cell, dropped, 3, "{'examine': 'paused'}");
    assert_no_task(cell, "verification.review", "civil_servant");
    assert_int_equal(cell_counts(cell).queued[WF_VERIFICATION], 0);
    cell_close(cell);
}

static void transitions_without_event_are_taken_at_once(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &hasty, &code);
    goes(cell, code, 2, "{}");
    assert_in(cell, code, "paused");
    assert_status(cell, code, 5);
    assert_no_task(cell, "verification.review", "civil_servant");
    cell_close(cell);
}

static void work_that_has_ended_in_its_place_need_not_run(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&team, &crew, &code);
    complete(cell, "verification.review", "civil_servant", APPROVE);
    assert_in(cell, code, "team");
    goes(cell, code, 2, "{'team': 'crew'}");
    assert_no_task(cell, "verification.review", "civil_servant");
    complete(cell, "verification.review", "specialist", APPROVE);
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

static struct cell *given_a_paused_one(const char **out_code)
{
    struct cell *cell = given(&pausing, &pausing_study, out_code);
    complete(cell, "verification.review", "specialist", APPROVE);
    say(cell, *out_code, "pause", "head");
    assert_in(cell, *out_code, "rest");
    return cell;
}

static void what_a_history_state_remembers_goes_along(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given_a_paused_one(&code);
    goes(cell, code, 2, "{'examine': 'study'}");
    say(cell, code, "resume", "head");
    assert_in(cell, code, "study"); /* and not at the start */
    cell_close(cell);
}

/* ---- what is refused ----------------------------------------------------------------------------
 */

static void a_memory_without_a_place_is_refused(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given_a_paused_one(&code);
    is_refused(cell, code, 2, "{}", WF_E_STATE, "history back: version 2 has no state examine");
    is_refused(cell, code, 2, "{'examine': 'rest'}", WF_E_STATE, "cannot go back to rest");
    cell_close(cell);
}

static void unknown_states_are_refused(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &second, &code);
    is_refused(cell, code, 2, "{}", WF_E_STATE, "has no state examine");
    is_refused(cell, code, 2, "{'examine': 'nowhere'}", WF_E_STATE, "has no state nowhere");
    is_refused(cell, code, 9, "{}", WF_E_NOT_FOUND, "version 9");
    is_refused(cell, code, 1, "{}", WF_E_STATE, "already");
    cell_close(cell);
}

static void configurations_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &crossed, &code);
    is_refused(cell, code, 2, "{'examine': 'x'}", WF_E_STATE, "a state in each of its 2 regions");
    is_refused(cell, code, 2, "{'examine': 'both'}", WF_E_STATE, "inner states");
    is_refused(cell, code, 2, "{'examine': 'closed'}", WF_E_STATE, "final");
    cell_close(cell);
}

static void two_regions_cannot_become_two_states_of_one(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&pair, &line, &code);
    is_refused(cell, code, 2, "{}", WF_E_STATE, "one active child, not 2");
    goes(cell, code, 2, "{'y': 'x'}"); /* the other region's work is no longer asked for */
    assert_no_task(cell, "verification.review", "specialist");
    cell_close(cell);
}

static void missing_work_is_refused(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &plain, &code);
    is_refused(cell, code, 2, "{'examine': 'sign'}", WF_E_STATE,
               "waits for verification.review (id sign), which is not running");
    cell_close(cell);
}

static void the_same_id_for_other_work_is_refused(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &handing, &code);
    is_refused(cell, code, 2, "{}", WF_E_STATE, "waits for routing.handoff (id review)");
    cell_close(cell);
}

static void closed_dossiers_stay(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &second, &code);
    complete(cell, "verification.review", "civil_servant", APPROVE);
    complete(cell, "verification.review", "signing_authority", APPROVE);
    assert_closed(cell, code, "approved");
    is_refused(cell, code, 2, "{}", WF_E_STATE, "closed");
    cell_close(cell);
}

static void data_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &worded, &code);
    is_refused(cell, code, 2, "{}", WF_E_INVALID, "variable rounds is a integer");
    cell_close(cell);
}

static void fields_that_the_new_version_does_not_know_are_refused(void **state)
{
    (void)state;
    const char *code = NULL;
    struct cell *cell = given(&first, &plain, &code);
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    uint64_t id = stored(cell, code).id;
    const struct wf_rec_content odd = {
        .fields = json(cell->arena, "{'full_name': 'Nguyễn Thị Thử', 'nickname': 'x'}")};
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    assert_ok(wf_content_put(txn, id, &odd, &err), err);
    assert_ok(wf_txn_commit(txn, &err), err);
    is_refused(cell, code, 2, "{}", WF_E_INVALID, "unknown field");
    cell_close(cell);
}

/* ---- when memory is short ----------------------------------------------------------------------
 */

/* Raises the generation, so that engines have to load anew. */
static void touch(struct cell *cell)
{
    struct wf_txn *txn = NULL;
    struct wf_rec_procedure record;
    struct wf_error err = {0};
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    assert_ok(wf_procedure_get(txn, wf_str(VERSIONED), 1, cell->arena, &record, &err), err);
    assert_ok(wf_procedure_put(txn, &record, &err), err);
    assert_ok(wf_txn_commit(txn, &err), err);
}

static void a_refresh_without_memory_keeps_what_is_loaded(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct cell *cell = cell_new(MONDAY);
    unsigned failed = 0;
    int rc = WF_E_NOMEM;
    install_edition(cell, &first);
    const char *code = submit_versioned(cell);
    touch(cell);
    for (unsigned long n = 1; rc != 0; n++) {
        wf_alloc_fail_at(n, 0);
        rc = wf_engine_refresh(cell->engines[WF_INTAKE], cell->store, NULL, &err);
        wf_alloc_fail_at(0, 0);
        assert_true(rc == 0 || rc == WF_E_NOMEM);
        failed += rc != 0;
    }
    assert_true(failed > 2);
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        assert_ok(wf_engine_refresh(cell->engines[i], cell->store, NULL, &err), err);
    complete(cell, "verification.review", "civil_servant", APPROVE);
    assert_in(cell, code, "sign");
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_work_goes_on_under_the_new_version),
        cmocka_unit_test(a_deadline_keeps_its_moment_under_the_new_name),
        cmocka_unit_test(a_deadline_that_has_passed_is_not_set_again),
        cmocka_unit_test(a_deadline_that_is_new_counts_from_the_migration),
        cmocka_unit_test(states_may_exchange_their_names),
        cmocka_unit_test(variables_keep_their_values_and_new_ones_start_afresh),
        cmocka_unit_test(author_and_reason_stand_in_the_history),
        cmocka_unit_test(work_that_the_new_state_does_not_ask_for_is_cancelled),
        cmocka_unit_test(work_that_is_only_queued_goes_on_or_is_dropped),
        cmocka_unit_test(transitions_without_event_are_taken_at_once),
        cmocka_unit_test(work_that_has_ended_in_its_place_need_not_run),
        cmocka_unit_test(what_a_history_state_remembers_goes_along),
        cmocka_unit_test(a_memory_without_a_place_is_refused),
        cmocka_unit_test(unknown_states_are_refused),
        cmocka_unit_test(configurations_that_cannot_be_are_refused),
        cmocka_unit_test(two_regions_cannot_become_two_states_of_one),
        cmocka_unit_test(missing_work_is_refused),
        cmocka_unit_test(the_same_id_for_other_work_is_refused),
        cmocka_unit_test(closed_dossiers_stay),
        cmocka_unit_test(data_that_do_not_fit_are_refused),
        cmocka_unit_test(fields_that_the_new_version_does_not_know_are_refused),
        cmocka_unit_test(a_refresh_without_memory_keeps_what_is_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

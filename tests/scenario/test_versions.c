/* SPDX-License-Identifier: Apache-2.0 */
/* Several versions of a procedure side by side: which one a new dossier takes, and who stays. */
#include "support/test.h"

#include "support/versions.h"

#define APPROVE "{'verdict': 'approve'}"

/* Version `n` passes `desk` before it closes. */
static struct edition edition(struct cell *cell, int n, const char *settings, const char *desk)
{
    const char *states =
        wf_arena_printf(cell->arena,
                        "%s: { status = 4; invoke = ( { activity = 'verification.review'; "
                        "id = 'review'; role = 'civil_servant'; } );\n"
                        "on = ( { event = 'done.invoke.review'; target = 'closed'; } ); };\n",
                        desk);
    return (struct edition){n, settings, "", "", states, desk};
}

static void install(struct cell *cell, int n, const char *settings, const char *desk)
{
    struct edition e = edition(cell, n, settings, desk);
    install_edition(cell, &e);
}

static void approve(struct cell *cell)
{
    complete(cell, "verification.review", "civil_servant", APPROVE);
}

static void new_dossiers_take_the_new_version_and_old_ones_finish_on_theirs(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    const char *old[10];
    const char *fresh[10];
    install(cell, 1, "", "examine");
    for (size_t i = 0; i < WF_COUNT(old); i++)
        old[i] = submit_versioned(cell);
    for (int i = 0; i < 3; i++)
        approve(cell);
    install(cell, 2, "", "study");
    for (size_t i = 0; i < WF_COUNT(fresh); i++) {
        fresh[i] = submit_versioned(cell);
        approve(cell);
    }
    for (int i = 0; i < 7; i++)
        approve(cell);
    assert_no_task(cell, "verification.review", "civil_servant");
    for (size_t i = 0; i < WF_COUNT(old); i++) {
        assert_version(cell, old[i], 1);
        assert_closed(cell, old[i], "approved");
        assert_version(cell, fresh[i], 2);
        assert_closed(cell, fresh[i], "approved");
    }
    cell_close(cell);
}

static void the_day_of_reception_chooses_the_version(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 23:59");
    install(cell, 1, "valid_until = '2026-12-01';", "examine");
    install(cell, 2, "valid_from = '2026-12-02'; valid_until = '2026-12-02';", "study");
    const char *code = submit_versioned(cell);
    assert_version(cell, code, 1);
    cell->now = cell_moment(cell, "2026-12-01 23:59"); /* the last minute of version 1 */
    assert_version(cell, submit_versioned(cell), 1);
    cell->now = cell_moment(cell, "2026-12-02 00:00");
    assert_version(cell, submit_versioned(cell), 2);
    assert_version(cell, code, 1);
    cell->now = cell_moment(cell, "2026-12-03 00:00"); /* none is in force */
    struct wf_msg_dossier_submit message = {.procedure = wf_str(VERSIONED),
                                            .channel = wf_str("one_stop"),
                                            .site = wf_str(SITE),
                                            .by = wf_str("counter-2"),
                                            .role = wf_str("civil_servant"),
                                            .fields = json(cell->arena, "{'full_name': 'Thử'}")};
    refuse(cell, WF_INTAKE, WF_MSG_dossier_submit, &message, "invalid", "body.procedure");
    cell_close(cell);
}

static void a_version_that_starts_later_waits_for_its_day(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install(cell, 1, "", "examine");
    install(cell, 3, "valid_from = '2026-12-02';", "study");
    assert_version(cell, submit_versioned(cell), 1);
    cell->now = cell_moment(cell, "2026-12-02 08:00");
    assert_version(cell, submit_versioned(cell), 3); /* the newest in force */
    install(cell, 2, "", "middle");
    assert_version(cell, submit_versioned(cell), 3); /* not the one installed last */
    cell_close(cell);
}

static void a_roll_back_turns_new_dossiers_and_leaves_running_ones(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install(cell, 1, "", "examine");
    install(cell, 2, "", "study");
    const char *begun = submit_versioned(cell);
    assert_in(cell, begun, "study");
    set_active(cell, VERSIONED, 2, false);
    const char *after = submit_versioned(cell);
    assert_in(cell, after, "examine");
    approve(cell); /* the older of both: begun under version 2, which still runs */
    assert_closed(cell, begun, "approved");
    assert_version(cell, begun, 2);
    set_active(cell, VERSIONED, 2, true);
    assert_version(cell, submit_versioned(cell), 2);
    approve(cell);
    assert_closed(cell, after, "approved");
    assert_version(cell, after, 1);
    cell_close(cell);
}

static void running_ones_can_be_taken_back_and_forth(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct wf_error err = {0};
    install(cell, 1, "", "examine");
    install(cell, 2, "", "study");
    const char *code = submit_versioned(cell);
    struct wf_migration back = {.to = 1,
                                .states = json(cell->arena, "{'study': 'examine'}"),
                                .by = "head-1",
                                .reason = "bản 2 có lỗi"};
    struct wf_migration forth = back;
    forth.to = 2;
    forth.states = json(cell->arena, "{'examine': 'study'}");
    assert_ok(migrate(cell, code, &back, &err), err);
    assert_in(cell, code, "examine");
    assert_ok(migrate(cell, code, &forth, &err), err);
    assert_in(cell, code, "study");
    assert_times(cell, code, "operator.migrate", 2);
    approve(cell);
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

static void a_wrong_definition_is_refused_and_disturbs_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install(cell, 1, "", "examine");
    const char *code = submit_versioned(cell);
    struct edition wrong = edition(cell, 2, "", "study");
    wrong.states = "study: { status = 4; on = ( { event = 'x'; target = 'nowhere'; } ); };";
    assert_true(is_refused_edition(cell, &wrong));
    assert_version(cell, submit_versioned(cell), 1);
    approve(cell);
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

struct left {
    unsigned times;
    uint64_t version;
    char why[256];
};

static void note_left_out(void *context, const struct wf_rec_procedure *record, const char *why)
{
    struct left *left = context;
    left->times++;
    left->version = record->version;
    (void)snprintf(left->why, sizeof(left->why), "%s", why);
}

static void put_version(struct cell *cell, uint64_t version, const char *text)
{
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    struct wf_rec_procedure record = {.code = wf_str("9.000001"),
                                      .version = version,
                                      .source = {(const uint8_t *)text, strlen(text)},
                                      .installed = cell->now,
                                      .by = wf_str("test"),
                                      .active = true,
                                      .file = wf_str("newer.cfg")};
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    assert_ok(wf_procedure_put(txn, &record, &err), err);
    assert_ok(wf_txn_commit(txn, &err), err);
}

/* As a worker does that is older than the program that installed it. */
static void a_version_that_does_not_compile_here_is_left_out_and_said_to_be(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct left left = {0};
    struct wf_engine *engine = NULL;
    struct wf_error err = {0};
    struct wf_engine_options options = {.self = WF_INTAKE,
                                        .catalogue = &cell->catalogue,
                                        .registry = cell->registry,
                                        .calendar = cell->calendar,
                                        .left_out = note_left_out,
                                        .context = &left};
    assert_ok(wf_engine_open(&options, &engine, &err), err);
    assert_ok(wf_engine_refresh(engine, cell->store, NULL, &err), err);
    assert_int_equal(left.times, 0);
    put_version(cell, 7, "procedure: { code = \"9.000001\"; version = 7;\n tomorrow = true; };");
    assert_ok(wf_engine_refresh(engine, cell->store, NULL, &err), err);
    assert_int_equal(left.times, 1);
    assert_int_equal(left.version, 7);
    assert_non_null(strstr(left.why, "newer.cfg:2"));
    assert_ok(wf_engine_refresh(engine, cell->store, NULL, &err), err);
    assert_int_equal(left.times, 1);
    wf_engine_close(engine);
    cell_close(cell);
}

/* The dossiers of a version that a newer rule would refuse have no other one to go on with. */
static void a_version_older_than_a_rule_is_not_left_out(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    struct edition old = edition(cell, 4, "", "examine");
    old.states = "examine: { status = 4; invoke = ( { activity = 'verification.review'; "
                 "id = 'review'; role = 'civil_servant'; } );\n"
                 "entry = ( { send = 'late'; delay = '30 days'; id = 'overdue'; } );\n"
                 "on = ( { event = 'done.invoke.review'; target = 'closed'; },\n"
                 "{ event = 'late'; target = 'closed'; } ); };";
    assert_true(is_refused_edition(cell, &old));
    install_old_edition(cell, &old);
    const char *code = submit_versioned(cell);
    assert_version(cell, code, 4);
    approve(cell);
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_dossiers_take_the_new_version_and_old_ones_finish_on_theirs),
        cmocka_unit_test(the_day_of_reception_chooses_the_version),
        cmocka_unit_test(a_version_that_starts_later_waits_for_its_day),
        cmocka_unit_test(a_roll_back_turns_new_dossiers_and_leaves_running_ones),
        cmocka_unit_test(running_ones_can_be_taken_back_and_forth),
        cmocka_unit_test(a_wrong_definition_is_refused_and_disturbs_nothing),
        cmocka_unit_test(a_version_that_does_not_compile_here_is_left_out_and_said_to_be),
        cmocka_unit_test(a_version_older_than_a_rule_is_not_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hand-offs of a station, as the cell sees them: each in its turn, once, under the code that stands
 * on the citizen's receipt, and by the day of that receipt.
 */
#include "support/test.h"

#include "support/steps.h"

#define HOUR ((int64_t)3600 * 1000)
#define DAY  (24 * HOUR)

static const struct registered files[] = {
    {"long-my", "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true; procedures = [\"*\"];"
                "roles = [\"civil_servant\", \"postal_worker\"]; relay = true;"},
    {"plain", "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true; procedures = [\"*\"];"
              "roles = [\"civil_servant\"];"},
};

/* A cell that knows a station and a plain counter; what follows is the station's. */
static struct cell *cell_with_station(const char *moment)
{
    struct cell *cell = cell_new(moment);
    register_parties(cell, files, WF_COUNT(files));
    cell->party = "long-my";
    return cell;
}

/* ---- what a station asks ----------------------------------------------------------------------
 */

struct heard {
    const char *word; /* "ok", or the code of the refusal */
    const char *field;
    uint64_t settled;
    const struct wf_msg_dossier_state *state;
};

static struct heard hand_over(struct cell *cell, uint64_t seq, const char *id, enum wf_message type,
                              const void *body)
{
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    struct heard heard = {.word = "ok", .field = ""};
    cell->seq = seq;
    int rc = cell_request(cell, WF_INTAKE, id, type, body, &reply, &err);
    cell->seq = 0;
    assert_true(rc <= 0);
    if (reply.type == WF_MSG_error) {
        const struct wf_msg_error *why = reply.body;
        heard = (struct heard){.word = wf_arena_strndup(cell->arena, why->code.ptr, why->code.len),
                               .field = why->field.len > 0 ? why->field.ptr : "",
                               .settled = why->settled};
    } else {
        heard.state = reply.body;
    }
    return heard;
}

static struct wf_msg_relay_range reserve(struct cell *cell, const char *id, uint64_t count)
{
    struct wf_msg_relay_reserve ask = {.count = count};
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    assert_ok(cell_request(cell, WF_INTAKE, id, WF_MSG_relay_reserve, &ask, &reply, &err), err);
    assert_int_equal(reply.type, WF_MSG_relay_range);
    return *(const struct wf_msg_relay_range *)reply.body;
}

static struct wf_msg_dossier_submit taken_in(struct cell *cell, const char *code, int64_t received)
{
    struct wf_msg_dossier_submit m = sample(cell, MARRIAGE);
    m.provisional = wf_str(code);
    m.received = received;
    return m;
}

static struct heard hand_dossier(struct cell *cell, uint64_t seq, const char *code)
{
    struct wf_msg_dossier_submit m = taken_in(cell, code, cell->now);
    return hand_over(cell, seq, new_id(cell), WF_MSG_dossier_submit, &m);
}

static void assert_heard(struct heard is, const char *word, const char *field)
{
    assert_string_equal(is.word, word);
    assert_string_equal(is.field, field);
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

static void provisional_numbers_are_given_once_and_the_same_request_gets_the_same(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    struct wf_msg_relay_range first = reserve(cell, "r1", 100);
    assert_true(wf_str_is(first.series, "P-long-my"));
    assert_int_equal(first.from, 1);
    assert_int_equal(first.to, 100);
    assert_int_equal(reserve(cell, "r1", 100).from, 1);
    assert_int_equal(reserve(cell, "r2", 50).from, 101);
    struct wf_msg_relay_reserve ask = {.count = 5};
    cell->party = "plain";
    assert_heard(hand_over(cell, 0, "r3", WF_MSG_relay_reserve, &ask), "denied", "");
    cell->party = NULL;
    assert_heard(hand_over(cell, 0, "r3", WF_MSG_relay_reserve, &ask), "denied", "");
    close_with_parties(cell);
}

static void a_provisional_code_must_be_reserved_for_the_station_and_unused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "P-long-my-000011", "P-long-my-000000", "P-long-my-1", "P-long-my-0000001",
        "P-plain-000001",   "000.00.13.H30-1",  "P-long-my-",  "x",
        "P-long-my-00001 "};
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    uint64_t seq = 0;
    (void)reserve(cell, "r1", 10);
    for (size_t i = 0; i < WF_COUNT(wrong); i++)
        assert_heard(hand_dossier(cell, ++seq, wrong[i]), "invalid", "body.provisional");
    assert_heard(hand_dossier(cell, ++seq, "P-long-my-000010"), "ok", "");
    assert_heard(hand_dossier(cell, ++seq, "P-long-my-000010"), "conflict", "body.provisional");
    cell->party = "plain";
    assert_heard(hand_dossier(cell, 0, "P-long-my-000009"), "denied", "body.provisional");
    close_with_parties(cell);
}

/* ---- the sequence -----------------------------------------------------------------------------
 */

static void a_gap_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10);
    assert_heard(hand_dossier(cell, 2, "P-long-my-000001"), "state", "seq");
    assert_int_equal(cell_counts(cell).dossier_id, 0);
    assert_heard(hand_dossier(cell, 1, "P-long-my-000001"), "ok", "");
    assert_heard(hand_dossier(cell, 3, "P-long-my-000002"), "state", "seq");
    assert_heard(hand_dossier(cell, 2, "P-long-my-000002"), "ok", "");
    assert_int_equal(cell_counts(cell).dossier_id, 2);
    close_with_parties(cell);
}

static void a_repeat_gets_its_first_answer_whatever_came_after(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10);
    struct wf_msg_dossier_submit m = taken_in(cell, "P-long-my-000001", cell->now);
    uint64_t id = hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m).state->id;
    assert_heard(hand_dossier(cell, 2, "P-long-my-000002"), "ok", "");
    assert_int_equal(hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m).state->id, id);
    assert_heard(hand_dossier(cell, 3, "P-long-my-000003"), "ok", "");
    assert_int_equal(cell_counts(cell).dossier_id, 3);
    close_with_parties(cell);
}

static void the_same_number_with_other_content_is_refused(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10);
    struct wf_msg_dossier_submit m = taken_in(cell, "P-long-my-000001", cell->now);
    assert_heard(hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m), "ok", "");
    m.provisional = wf_str("P-long-my-000002");
    assert_heard(hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m), "conflict", "id");
    assert_heard(hand_over(cell, 1, "b", WF_MSG_dossier_submit, &m), "state", "seq");
    assert_heard(hand_over(cell, 2, "b", WF_MSG_dossier_submit, &m), "ok", "");
    close_with_parties(cell);
}

static void a_refusal_is_the_answer_for_good_and_the_line_goes_on(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10);
    struct wf_msg_dossier_submit m = taken_in(cell, "P-long-my-000001", cell->now);
    m.procedure = wf_str("9.999999");
    struct heard refused = hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m);
    assert_heard(refused, "invalid", "body.procedure");
    assert_int_equal(refused.settled, 1);
    assert_heard(hand_dossier(cell, 2, "P-long-my-000002"), "ok", "");
    refused = hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m);
    assert_heard(refused, "invalid", "body.procedure");
    assert_int_equal(refused.settled, 1);
    close_with_parties(cell);
}

static void a_full_store_does_not_use_a_number_up(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    struct wf_error full = {.code = WF_E_FULL, .text = "full"};
    struct wf_error refused = {.code = WF_E_INVALID, .text = "wrong"};
    struct wf_error err = {0};
    struct wf_slice answer = {0};
    uint64_t last = 9;
    struct wf_turn turn = {
        .engine = cell->engines[WF_INTAKE], .arena = cell->turn_arena, .parties = cell->parties};
    struct wf_envelope ask = {
        .type = WF_MSG_dossier_submit, .id = wf_str("a"), .party = wf_str("long-my"), .seq = 1};
    assert_ok(wf_txn_begin(cell->store, true, &turn.txn, &err), err);
    assert_int_equal(
        wf_engine_refuse_handoff(&turn, &ask, (struct wf_slice){0}, &full, &answer, &err), WF_NONE);
    assert_ok(wf_handoff_last(turn.txn, ask.party, &last, &err), err);
    assert_int_equal(last, 0);
    assert_ok(wf_engine_refuse_handoff(&turn, &ask, (struct wf_slice){0}, &refused, &answer, &err),
              err);
    assert_ok(wf_handoff_last(turn.txn, ask.party, &last, &err), err);
    assert_int_equal(last, 1);
    wf_txn_abort(turn.txn);
    close_with_parties(cell);
}

static void only_stations_hand_over_in_sequence_and_they_always_do(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    struct wf_msg_dossier_submit m = sample(cell, MARRIAGE);
    assert_heard(hand_over(cell, 0, "a", WF_MSG_dossier_submit, &m), "invalid", "seq");
    cell->party = "plain";
    assert_heard(hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m), "denied", "seq");
    cell->party = NULL;
    assert_heard(hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m), "denied", "seq");
    cell->party = "long-my";
    assert_heard(hand_over(cell, 1, "a", WF_MSG_dossier_submit, &m), "ok", "");
    close_with_parties(cell);
}

static void the_answers_a_station_may_still_ask_for_outlive_the_request_window(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 100);
    char code[32];
    for (unsigned i = 1; i <= WF_HANDOFFS_KEPT + 2; i++) {
        struct wf_msg_dossier_event none = {.dossier = wf_str("P-long-my-000001"),
                                            .event = wf_str("withdraw"),
                                            .by = wf_str("x"),
                                            .role = wf_str("civil_servant")};
        (void)snprintf(code, sizeof(code), "id-%u", i);
        assert_heard(hand_over(cell, i, code, WF_MSG_dossier_event, &none), "not_found",
                     "body.dossier");
    }
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    struct wf_buf position = {0};
    size_t deleted = 0;
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    wf_request_note_run(txn, DAY);
    assert_ok(wf_request_prune(txn, DAY - 1, 1000, &position, &deleted, &err), err);
    assert_ok(wf_txn_commit(txn, &err), err);
    wf_buf_fini(&position);
    assert_int_equal(deleted, 3); /* two old hand-offs, and the reservation */
    close_with_parties(cell);
}

static struct wf_msg_relay_range meet(struct cell *cell, const char *id, uint64_t handed,
                                      uint64_t number)
{
    struct wf_msg_relay_reserve ask = {.count = 1, .handed = handed, .number = number};
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    assert_ok(cell_request(cell, WF_INTAKE, id, WF_MSG_relay_reserve, &ask, &reply, &err), err);
    return *(const struct wf_msg_relay_range *)reply.body;
}

/* As if its backup were of the time before the first hand-off. */
static void a_cell_of_an_old_backup_goes_on_where_its_station_stands(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10); /* all that the backup knows of */
    assert_heard(hand_dossier(cell, 6, "P-long-my-000300"), "state", "seq");
    struct wf_msg_relay_range range = meet(cell, "r2", 5, 400);
    assert_int_equal(range.handed, 0); /* tells the station that something was lost */
    assert_int_equal(range.from, 401);
    assert_heard(hand_dossier(cell, 6, "P-long-my-000300"), "ok", "");
    uint64_t noted = cell_counts(cell).cell_events;
    assert_int_equal(noted, 1);
    range = meet(cell, "r3", 6, 401); /* in step: nothing to note */
    assert_int_equal(range.handed, 6);
    range = meet(cell, "r4", 2, 3); /* never back */
    assert_int_equal(range.handed, 6);
    assert_int_equal(range.from, 403);
    assert_int_equal(cell_counts(cell).cell_events, noted);
    close_with_parties(cell);
}

/* ---- dossiers of a station --------------------------------------------------------------------
 */

static void the_code_on_the_receipt_finds_the_dossier_for_ever(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10);
    struct heard heard = hand_dossier(cell, 1, "P-long-my-000001");
    const char *code = heard.state->dossier.ptr;
    assert_true(wf_str_is(heard.state->provisional, "P-long-my-000001"));
    cell_pump(cell);
    assert_in(cell, "P-long-my-000001", "accept");
    assert_true(wf_str_is(look_up(cell, "P-long-my-000001")->dossier, code));
    assert_true(wf_str_is(look_up(cell, code)->provisional, "P-long-my-000001"));
    struct wf_msg_dossier_event withdraw = {.dossier = wf_str("P-long-my-000001"),
                                            .event = wf_str("withdraw"),
                                            .by = wf_str("counter-2"),
                                            .role = wf_str("civil_servant")};
    assert_heard(hand_over(cell, 2, "w", WF_MSG_dossier_event, &withdraw), "ok", "");
    cell->party = NULL;
    cell_pump(cell);
    assert_false(is_in(cell, code, "accept"));
    assert_false(is_in(cell, "P-long-my-000001", "accept"));
    assert_times(cell, code, "withdraw", 1);
    close_with_parties(cell);
}

/* The citizen has a code already; the line must not stand still for one procedure. */
static void a_hold_does_not_refuse_what_a_station_has_received(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10);
    cell_hold(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    struct heard heard = hand_dossier(cell, 1, "P-long-my-000001");
    assert_heard(heard, "ok", "");
    cell_pump(cell);
    assert_int_equal(look_up(cell, "P-long-my-000001")->dossier.len, 0);
    cell_release(cell, WF_HOLD_PROCEDURE, MARRIAGE);
    cell_pump(cell);
    assert_true(look_up(cell, "P-long-my-000001")->dossier.len > 0);
    assert_in(cell, "P-long-my-000001", "accept");
    close_with_parties(cell);
}

static void the_due_date_counts_from_the_receipt(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    int64_t monday = cell->now;
    struct wf_msg_dossier_submit at_once = sample(cell, MARRIAGE);
    (void)reserve(cell, "r1", 10);
    cell->party = "plain";
    struct heard there = hand_over(cell, 0, "p", WF_MSG_dossier_submit, &at_once);
    cell->party = NULL;
    cell_advance(cell, "2 working days");
    cell->party = "long-my";
    struct wf_msg_dossier_submit late = taken_in(cell, "P-long-my-000001", monday);
    struct heard here = hand_over(cell, 1, "a", WF_MSG_dossier_submit, &late);
    assert_heard(here, "ok", "");
    assert_int_equal(here.state->received, monday);
    assert_int_equal(here.state->due, there.state->due);
    assert_true(here.state->due > cell->now);
    close_with_parties(cell);
}

static void a_moment_of_receipt_is_neither_too_old_nor_to_come(void **state)
{
    (void)state;
    struct cell *cell = cell_with_station("2026-11-23 09:10");
    (void)reserve(cell, "r1", 10);
    const struct {
        int64_t received;
        const char *word, *field;
    } rows[] = {
        {cell->now - 7 * DAY - 1, "invalid", "body.received"},
        {cell->now + HOUR, "invalid", "body.received"},
        {cell->now - 7 * DAY, "ok", ""},
        {cell->now + 60000, "ok", ""}, /* a clock that is a little ahead */
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        char code[32];
        (void)snprintf(code, sizeof(code), "P-long-my-%06zu", i + 1);
        struct wf_msg_dossier_submit m = taken_in(cell, code, rows[i].received);
        struct heard heard = hand_over(cell, i + 1, new_id(cell), WF_MSG_dossier_submit, &m);
        assert_heard(heard, rows[i].word, rows[i].field);
        if (heard.state != NULL)
            assert_true(heard.state->received <= cell->now);
    }
    cell->party = "plain";
    struct wf_msg_dossier_submit m = sample(cell, MARRIAGE);
    m.received = cell->now - HOUR;
    assert_heard(hand_over(cell, 0, "p", WF_MSG_dossier_submit, &m), "denied", "body.received");
    close_with_parties(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(provisional_numbers_are_given_once_and_the_same_request_gets_the_same),
        cmocka_unit_test(a_provisional_code_must_be_reserved_for_the_station_and_unused),
        cmocka_unit_test(a_gap_is_refused_and_changes_nothing),
        cmocka_unit_test(a_repeat_gets_its_first_answer_whatever_came_after),
        cmocka_unit_test(the_same_number_with_other_content_is_refused),
        cmocka_unit_test(a_refusal_is_the_answer_for_good_and_the_line_goes_on),
        cmocka_unit_test(a_full_store_does_not_use_a_number_up),
        cmocka_unit_test(only_stations_hand_over_in_sequence_and_they_always_do),
        cmocka_unit_test(the_answers_a_station_may_still_ask_for_outlive_the_request_window),
        cmocka_unit_test(a_cell_of_an_old_backup_goes_on_where_its_station_stands),
        cmocka_unit_test(the_code_on_the_receipt_finds_the_dossier_for_ever),
        cmocka_unit_test(a_hold_does_not_refuse_what_a_station_has_received),
        cmocka_unit_test(the_due_date_counts_from_the_receipt),
        cmocka_unit_test(a_moment_of_receipt_is_neither_too_old_nor_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stations: post offices whose line comes and goes. One takes dossiers in without us, gives receipts
 * under provisional numbers reserved here before, and hands over later, in sequence.
 *
 * The number of a hand-off is looked at inside the transaction that carries it out and moves with it,
 * so nothing is taken twice, left out, or taken before what came first.
 */
#include "life.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKEW_MS      (5 * 60 * 1000) /* by which a station's clock may be ahead of ours */
#define SERIES_BYTES 48
#define CODE_BYTES   64
#define DAY_MS       ((int64_t)24 * 3600 * 1000)

static void series_of(const struct wf_turn *turn, char out[SERIES_BYTES])
{
    (void)snprintf(out, SERIES_BYTES, "P-%s", turn->party->name);
}

/* ---- the sequence ---------------------------------------------------------------------------- */

static int check_sequence(const struct wf_turn *turn, const struct wf_envelope *request,
                          struct wf_error *err)
{
    uint64_t last = 0;
    int rc = wf_handoff_last(turn->txn, request->party, &last, err);
    if (rc < 0 || request->seq == last + 1)
        return rc;
    if (request->seq > last + 1)
        return wf_fail_field(err, WF_E_STATE, "seq", "expected %" PRIu64 ": one before is missing",
                             last + 1);
    return wf_fail_field(err, WF_E_STATE, "seq",
                         "expected %" PRIu64 ": this number was taken under another request id",
                         last + 1);
}

int station_in_turn(const struct wf_turn *turn, const struct wf_envelope *request,
                    struct wf_error *err)
{
    bool is_station = turn->party != NULL && turn->party->relay;
    bool in_sequence =
        request->type == WF_MSG_dossier_submit || request->type == WF_MSG_dossier_event;
    if (request->seq == 0 && is_station && in_sequence)
        return wf_fail_field(err, WF_E_INVALID, "seq",
                             "missing: a station hands dossiers and events over in sequence");
    if (request->seq == 0)
        return 0;
    if (!is_station || !in_sequence)
        return wf_fail_field(err, WF_E_DENIED, "seq",
                             "only for the dossiers and events of a party registered as a station "
                             "(relay = true)");
    return check_sequence(turn, request, err);
}

bool station_moves_on(int rc)
{
    return wf_code_action(rc) == WF_REFUSE && rc != WF_E_FULL;
}

/* ---- what a station says of a dossier -------------------------------------------------------- */

static int refuse_provisional(struct wf_error *err)
{
    return wf_fail_field(err, WF_E_INVALID, "body.provisional",
                         "no number that was reserved for this station");
}

/* Of a reserved range, written as we would write it, and not used yet. */
static int check_provisional(const struct wf_turn *turn, struct wf_str code, struct wf_error *err)
{
    char text[CODE_BYTES + 1];
    char again[CODE_BYTES + 32];
    char series[SERIES_BYTES];
    uint64_t last = 0;
    uint64_t id = 0;
    if (!wf_str_copy(code, text, sizeof(text)))
        return refuse_provisional(err);
    const char *dash = strrchr(text, '-');
    uint64_t number = dash != NULL ? strtoull(dash + 1, NULL, 10) : 0;
    series_of(turn, series);
    (void)snprintf(again, sizeof(again), "%s-%06" PRIu64, series, number);
    int rc = wf_provisional_last(turn->txn, wf_str(turn->party->name), &last, err);
    if (rc < 0)
        return rc;
    if (strcmp(text, again) != 0 || number == 0 || number > last)
        return refuse_provisional(err);
    rc = wf_dossier_find(turn->txn, code, &id, err);
    if (rc == 0)
        return wf_fail_field(err, WF_E_CONFLICT, "body.provisional",
                             "this number is on the receipt of another dossier");
    return rc < 0 ? rc : 0;
}

static int64_t most_age(const struct wf_turn *turn)
{
    const struct wf_engine_options *o = &turn->engine->options;
    const char *text = o->setting != NULL ? o->setting(o->context, "relay_max_age_ms") : "";
    int64_t ms = strtoll(text, NULL, 10);
    return ms > 0 ? ms : 7 * DAY_MS;
}

static int check_received(const struct wf_turn *turn, int64_t received, int64_t *out,
                          struct wf_error *err)
{
    if (received < turn->now_ms - most_age(turn))
        return wf_fail_field(err, WF_E_INVALID, "body.received",
                             "more than %" PRId64 " day(s) ago: relay_max_age_ms says how long a "
                             "station may keep a dossier",
                             most_age(turn) / DAY_MS);
    if (received > turn->now_ms + SKEW_MS)
        return wf_fail_field(err, WF_E_INVALID, "body.received",
                             "in the future: set the station's clock");
    *out = received < turn->now_ms ? received : turn->now_ms;
    return 0;
}

int station_received(const struct wf_turn *turn, const struct wf_msg_dossier_submit *m,
                     int64_t *out_ms, struct wf_error *err)
{
    const char *field = m->provisional.len > 0 ? "body.provisional" : "body.received";
    *out_ms = turn->now_ms;
    if (m->provisional.len == 0 && m->received == 0)
        return 0;
    if (turn->party == NULL || !turn->party->relay)
        return wf_fail_field(err, WF_E_DENIED, field,
                             "only of a party registered as a station (relay = true)");
    int rc = m->provisional.len > 0 ? check_provisional(turn, m->provisional, err) : 0;
    return rc == 0 && m->received != 0 ? check_received(turn, m->received, out_ms, err) : rc;
}

/* ---- provisional numbers --------------------------------------------------------------------- */

static const struct wf_value *from_to(struct wf_arena *arena, uint64_t from, uint64_t to)
{
    struct wf_value *list = wf_list(arena);
    wf_list_add(arena, list, wf_int(arena, (int64_t)from));
    wf_list_add(arena, list, wf_int(arena, (int64_t)to));
    return list;
}

/*
 * The station knows of more than we: this cell came back from a backup. Its word is taken for its
 * own two series, or what waits there with a receipt would be refused for ever, and numbers that are
 * on receipts would be given again. What went lost with the backup stands in the journal.
 */
static int catch_up(struct wf_turn *turn, const struct wf_envelope *request, uint64_t handed,
                    struct wf_error *err)
{
    const struct wf_msg_relay_reserve *m = request->body;
    struct wf_arena *arena = turn->arena;
    uint64_t number = 0;
    uint64_t first = 0;
    int rc = wf_provisional_last(turn->txn, request->party, &number, err);
    if (rc != 0 || (m->handed <= handed && m->number <= number))
        return rc;
    if (m->handed > handed)
        rc = wf_handoff_take(turn->txn, request->party, m->handed - handed, err);
    if (rc == 0 && m->number > number)
        rc = wf_provisional_take(turn->txn, request->party, m->number - number, &first, err);
    if (rc != 0)
        return rc;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "station", wf_text(arena, turn->party->name));
    if (m->handed > handed)
        wf_map_put(arena, data, "handed", from_to(arena, handed + 1, m->handed));
    if (m->number > number)
        wf_map_put(arena, data, "numbers", from_to(arena, number + 1, m->number));
    if (!wf_value_is_whole(data))
        return out_of_memory(err);
    const struct pending lost = {
        .event = "station.lost", .data = data, .by = turn->party->name, .role = "system"};
    return note_in_cell(turn, &lost, err);
}

int request_reserve(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                    struct wf_error *err)
{
    const struct wf_msg_relay_reserve *m = request->body;
    struct wf_msg_relay_range *body = NEW_BODY(turn, relay_range);
    char *series = wf_arena_alloc(turn->arena, SERIES_BYTES);
    const struct wf_clock clock = wf_txn_clock(turn->txn);
    if (body == NULL || series == NULL)
        return out_of_memory(err);
    if (turn->party == NULL || !turn->party->relay)
        return wf_fail(err, WF_E_DENIED,
                       "only a party registered as a station (relay = true) reserves numbers");
    if (m->count == 0)
        return wf_fail_field(err, WF_E_INVALID, "body.count", "at least 1");
    series_of(turn, series);
    *body = (struct wf_msg_relay_range){.series = wf_str(series),
                                        .clock_real = clock.origin_real_ms,
                                        .clock_business = clock.origin_business_ms,
                                        .clock_rate = (uint64_t)clock.rate};
    int rc = wf_handoff_last(turn->txn, request->party, &body->handed, err);
    if (rc == 0)
        rc = catch_up(turn, request, body->handed, err);
    if (rc == 0)
        rc = wf_provisional_take(turn->txn, request->party, m->count, &body->from, err);
    body->to = body->from + m->count - 1;
    *out = (struct reply){WF_MSG_relay_range, body};
    return rc;
}

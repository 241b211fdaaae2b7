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
        rc = wf_provisional_take(turn->txn, request->party, m->count, &body->from, err);
    body->to = body->from + m->count - 1;
    *out = (struct reply){WF_MSG_relay_range, body};
    return rc;
}

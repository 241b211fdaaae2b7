/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line to the cell. It is up while what is asked is answered; every few seconds something is
 * asked. Hand-offs go out in their order, a few at a time, and again from the first when answers stay
 * away: the cell knows those that it has taken by their ids and refuses those that come too early.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "relay/relay.h"

#define ANEW_MS 3000 /* a connection that brings nothing is given up after so long */
#define TIDY_MS 60000

#define TAKES_NOTHING_MS 200 /* before a connection that takes nothing is tried again */

#define DOWN_PROBE_MS 500 /* also between two looks while hand-offs are under way */

/* ---- asking ----------------------------------------------------------------------------------- */

int line_ask(struct relay *relay, const struct wf_envelope *request, struct wf_error *err)
{
    wf_buf_clear(&relay->out);
    int rc = wf_message_pack(request, &relay->out, err);
    return rc == 0 ? wf_outpost_ask(relay->outpost,
                                    (struct wf_slice){relay->out.ptr, relay->out.len}, err)
                   : rc;
}

/* The one question whose answer takes no time. A line that takes nothing is as silent as one that
 * loses what it takes. */
static void probe(struct relay *relay, int64_t now)
{
    char id[ID_BYTES];
    struct wf_error err;
    const struct wf_msg_health body = {.full = false};
    (void)snprintf(id, sizeof(id), PROBE_ID "%" PRIu64, ++relay->line.probes);
    const struct wf_envelope request = {.type = WF_MSG_health,
                                        .id = wf_str(id),
                                        .to = wf_str(wf_service_word(WF_INTAKE)),
                                        .body = &body};
    (void)!line_ask(relay, &request, &err);
    relay->line.probe_ms = now + (relay->line.up ? relay->settings.probe_ms : DOWN_PROBE_MS);
    if (relay->line.asked_ms == 0)
        relay->line.asked_ms = now;
}

/* ---- up and down ------------------------------------------------------------------------------ */

/* When the cell was last heard, for whoever looks after this process has ended. */
static int keep_heard(struct relay *relay, struct wf_error *err)
{
    int64_t heard_ms = relay->slot->last_heard_timestamp_seconds * 1000;
    return heard_ms > 0 ? store_set_fact(relay->db, "heard", heard_ms, err) : 0;
}

/* For `hoso status`; a line that changes is worth a commit. */
static int say_line(struct relay *relay, bool up, struct wf_error *err)
{
    relay->slot->cuts += relay->line.up && !up;
    relay->line.up = up;
    relay->line.said = true;
    wf_log(up ? WF_LOG_INFO : WF_LOG_WARN, WF_LOG_LINE_EVENT, NULL, "the line is %s",
           up ? "up" : "down");
    int rc = db_begin(relay->db, err);
    if (rc == 0)
        rc = store_set_fact(relay->db, "line_up", up, err);
    if (rc == 0)
        rc = store_set_fact(relay->db, "line_since", wf_real_ms(), err);
    if (rc == 0)
        rc = keep_heard(relay, err);
    if (rc == 0)
        rc = db_commit(relay->db, err);
    if (rc != 0)
        db_rollback(relay->db);
    return rc == WF_E_FULL || rc == WF_E_BUSY ? 0 : rc;
}

static int look_at_line(struct relay *relay, int64_t now, struct wf_error *err)
{
    struct line *line = &relay->line;
    int rc = 0;
    bool silent = line->asked_ms != 0 && now - line->asked_ms >= relay->settings.line_timeout_ms;
    if (silent && (line->up || !line->said))
        rc = say_line(relay, false, err);
    if (rc == 0 && line->asked_ms == 0 && line->probes > 0 && (!line->up || !line->said))
        rc = say_line(relay, true, err);
    if (rc != 0 || !silent || now < line->anew_ms)
        return rc;
    line->anew_ms = now + ANEW_MS;
    line->probe_ms = line->resend_ms =
        now + TAKES_NOTHING_MS; /* the new connection must stand first */
    return wf_outpost_anew(relay->outpost, err);
}

/* ---- numbers ---------------------------------------------------------------------------------- */

/* The id is on disk before it is sent: asked again after a crash, the cell gives the same numbers. */
static int new_reserve(struct relay *relay, struct wf_error *err)
{
    uint64_t random[2];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return wf_fail(err, WF_E_IO, "get random bytes");
    (void)snprintf(relay->line.reserve, ID_BYTES, "relay-reserve-%016" PRIx64 "%016" PRIx64,
                   random[0], random[1]);
    int rc = db_begin(relay->db, err);
    if (rc == 0)
        rc = store_set_fact_text(relay->db, "reserve", relay->line.reserve, err);
    if (rc == 0)
        rc = db_commit(relay->db, err);
    if (rc == 0)
        return 0;
    db_rollback(relay->db);
    relay->line.reserve[0] = '\0';
    return rc;
}

static int reserve(struct relay *relay, struct wf_error *err)
{
    struct store_figures figures;
    struct wf_error why;
    int64_t handed = 0;
    int64_t number = 0;
    int rc = store_figures(relay->db, &figures, err);
    if (rc != 0)
        return rc;
    bool enough = figures.numbers > relay->settings.low_water;
    if (relay->line.reserve[0] == '\0' && enough && relay->has_met)
        return 0;
    if (relay->line.reserve[0] == '\0')
        rc = new_reserve(relay, err);
    if (rc == 0)
        rc = store_known(relay->db, &handed, &number, err);
    /* At the start, and when the sequences do not meet, one more, for what both tell beside: what
     * the cell has taken so far. */
    const struct wf_msg_relay_reserve body = {.count = enough ? 1 : (uint64_t)relay->settings.range,
                                              .handed = relay->has_met ? 0 : (uint64_t)handed,
                                              .number = (uint64_t)number};
    const struct wf_envelope request = {.type = WF_MSG_relay_reserve,
                                        .id = wf_str(relay->line.reserve),
                                        .to = wf_str(wf_service_word(WF_INTAKE)),
                                        .body = &body};
    if (rc == 0)
        (void)!line_ask(relay, &request, &why);
    return rc == WF_E_FULL || rc == WF_E_BUSY ? 0 : rc;
}

/* ---- handing over ----------------------------------------------------------------------------- */

/* 0, WF_E_BUSY where the line takes nothing, or an error of the store. */
static int send_flight(struct relay *relay, const struct flight *flight, struct wf_error *err)
{
    struct handoff h;
    int rc = store_by_seq(relay->db, flight->seq, relay->arena, &h, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_INTERNAL, "hand-off %" PRId64 " is gone", flight->seq);
    return rc == 0 ? wf_outpost_ask(relay->outpost, h.frame, err) : rc;
}

static int send_again(struct relay *relay, struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < relay->n_flights; i++)
        rc = send_flight(relay, &relay->flights[i], err);
    return rc;
}

/* What waits joins what is in flight, as far as the window is wide. */
static int send_more(struct relay *relay, struct wf_error *err)
{
    int rc = 0;
    while (rc == 0 && relay->n_flights < (size_t)relay->settings.window) {
        struct flight *flight = &relay->flights[relay->n_flights];
        int64_t last = relay->n_flights > 0 ? flight[-1].seq : 0;
        struct handoff h;
        rc = store_next(relay->db, last, relay->arena, &h, err);
        if (rc == WF_NONE)
            return 0;
        if (rc != 0)
            return rc;
        flight->seq = h.seq;
        (void)wf_str_copy(h.id, flight->id, sizeof(flight->id));
        take_wire_id(h.id, flight->wire);
        relay->n_flights++;
        rc = wf_outpost_ask(relay->outpost, h.frame, err);
    }
    return rc;
}

static int hand_over(struct relay *relay, int64_t now, struct wf_error *err)
{
    struct line *line = &relay->line;
    bool again = relay->n_flights > 0 && now >= line->resend_ms;
    size_t before = relay->n_flights;
    int rc = 0;
    if (line->waits && now < line->resend_ms)
        return 0;
    line->waits = false;
    if (again)
        rc = send_again(relay, err);
    if (rc == 0)
        rc = send_more(relay, err);
    if ((again || relay->n_flights > before) && line->probe_ms > now + DOWN_PROBE_MS)
        line->probe_ms = now + DOWN_PROBE_MS;
    if (again || before == 0)
        line->resend_ms = now + relay->settings.line_timeout_ms;
    if (rc == WF_E_BUSY) {
        line->waits = true; /* nothing is taken now */
        line->resend_ms = now + TAKES_NOTHING_MS;
        return 0;
    }
    return rc;
}

/* ---- a round ---------------------------------------------------------------------------------- */

/* What citizens told the cell, and what was kept long enough, leaves this disk. */
static int tidy(struct relay *relay, int64_t now, struct wf_error *err)
{
    if (now < relay->tidy_ms)
        return 0;
    relay->tidy_ms = now + TIDY_MS;
    int rc = db_begin(relay->db, err);
    if (rc == 0)
        rc = store_prune(relay->db, wf_real_ms() - relay->settings.keep_ms, err);
    if (rc == 0)
        rc = keep_heard(relay, err);
    if (rc == 0)
        rc = db_commit(relay->db, err);
    if (rc != 0)
        db_rollback(relay->db);
    db_scrub(relay->db);
    return rc == WF_E_FULL || rc == WF_E_BUSY ? 0 : rc;
}

int line_round(struct relay *relay, struct wf_error *err)
{
    int64_t now = wf_monotonic_ms();
    int rc = settle_answers(relay, err);
    wf_arena_reset(relay->arena);
    if (rc == 0)
        rc = look_at_line(relay, now, err);
    if (rc == 0 && now >= relay->line.probe_ms) {
        probe(relay, now);
        rc = reserve(relay, err);
    }
    if (rc == 0)
        rc = hand_over(relay, now, err);
    if (rc == 0)
        rc = tidy(relay, now, err);
    held_expire(relay, now);
    return rc;
}

static void sooner(int64_t *next, int64_t than)
{
    *next = than < *next ? than : *next;
}

int64_t line_next_ms(const struct relay *relay)
{
    const struct line *line = &relay->line;
    int64_t next = line->probe_ms;
    if (line->asked_ms != 0 && (line->up || !line->said))
        sooner(&next, line->asked_ms + relay->settings.line_timeout_ms);
    if (relay->n_flights > 0)
        sooner(&next, line->resend_ms);
    for (size_t i = 0; i < WF_COUNT(relay->held); i++) {
        if (relay->held[i].used)
            sooner(&next, relay->held[i].until_ms);
    }
    return next;
}

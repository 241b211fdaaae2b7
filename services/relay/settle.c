/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cell answers. A hand-off is settled by the cell's word alone: by a state, or by a refusal
 * that says that its number is used up. Every other refusal means "not now": busy, too early, a key
 * that is not known; it is kept for people to see, and asked again.
 */
#include <inttypes.h>
#include <string.h>

#include "relay/relay.h"

#define AT_ONCE  128
#define PAUSE_MS 500
#define STUCK_MS 5000

/* ---- provisional numbers ---------------------------------------------------------------------- */

/* The cell came back from a backup: it has caught up, and lost what it had taken since. */
static void say_lost(struct relay *relay, uint64_t there, int64_t handed)
{
    wf_log(WF_LOG_ERROR, WF_LOG_LINE_EVENT, NULL,
           "the cell has lost hand-offs %" PRIu64 " to %" PRId64
           " (restored from a backup?): hoso relay list --all shows them",
           there + 1, handed);
    relay->line.resend_ms = wf_monotonic_ms();
}

static int keep_range(struct relay *relay, const struct wf_msg_relay_range *m, struct wf_error *err)
{
    struct db *db = relay->db;
    int64_t seq = 0;
    int64_t handed = 0;
    int64_t number = 0;
    int rc = store_fact(db, "seq", &seq, err);
    if (rc == 0)
        rc = store_known(db, &handed, &number, err);
    if (rc != 0)
        return rc;
    if (m->from <= (uint64_t)number)
        return wf_fail(err, WF_E_STATE,
                       "the cell gives number %" PRIu64 ", and this station has had numbers up to "
                       "%" PRId64,
                       m->from, number);
    if (!relay->has_met && m->handed < (uint64_t)handed)
        say_lost(relay, m->handed, handed);
    if (seq == 0 && m->handed > 0) /* a new store under an old name */
        rc = store_set_fact(db, "seq", (int64_t)m->handed, err);
    else if (m->handed > (uint64_t)seq) {
        relay->is_torn = true;
        return wf_fail(err, WF_E_STATE,
                       "the cell has taken hand-off %" PRIu64 ", this store knows of %" PRId64
                       ": it is an old copy; register the station anew under another name",
                       m->handed, seq);
    }
    if (rc == 0)
        rc = store_add_range(db, m->series, (int64_t)m->from, (int64_t)m->to, err);
    if (rc == 0)
        rc = store_set_fact(db, "clock_real", m->clock_real, err);
    if (rc == 0)
        rc = store_set_fact(db, "clock_business", m->clock_business, err);
    if (rc == 0)
        rc = store_set_fact(db, "clock_rate", (int64_t)m->clock_rate, err);
    if (rc == 0)
        rc = store_set_fact_text(db, "reserve", "", err);
    return rc == 0 ? store_set_fact_text(db, "blocked", "", err) : rc;
}

static int take_range(struct relay *relay, const struct wf_msg_relay_range *m, struct wf_error *err)
{
    int rc = m->from == 0 || m->to < m->from || m->to > INT64_MAX
                 ? wf_fail(err, WF_E_INVALID, "a range of numbers that is none")
                 : db_begin(relay->db, err);
    if (rc == 0)
        rc = keep_range(relay, m, err);
    if (rc == 0)
        rc = db_commit(relay->db, err);
    if (rc != 0) {
        db_rollback(relay->db);
        return rc;
    }
    relay->line.reserve[0] = relay->line.blocked[0] = '\0';
    relay->has_met = true;
    relay->clock = (struct wf_clock){m->clock_real, m->clock_business, (int64_t)m->clock_rate};
    return 0;
}

/* ---- hand-offs -------------------------------------------------------------------------------- */

struct settlement {
    size_t flight;
    enum handoff_state state;
    struct wf_str code;
    struct wf_slice frame;
    const struct wf_msg_error *refusal;
};

static size_t flight_of(const struct relay *relay, struct wf_str wire)
{
    size_t i = 0;
    while (i < relay->n_flights && !wf_str_is(wire, relay->flights[i].wire))
        i++;
    return i;
}

/* For people: what keeps the station from working with its cell. Said once. */
static void note_blocked(struct relay *relay, struct wf_str why)
{
    char text[sizeof(relay->line.blocked)];
    struct wf_error err;
    if (!wf_str_copy(why, text, sizeof(text)) || strcmp(text, relay->line.blocked) == 0)
        return;
    memcpy(relay->line.blocked, text, sizeof(text));
    wf_log(WF_LOG_ERROR, WF_LOG_LINE_EVENT, NULL, "the cell does not take what is asked: %s", text);
    (void)!store_set_fact_text(relay->db, "blocked", text, &err);
}

/* Not settled: the whole window is sent again, after a pause. */
static void put_off(struct relay *relay, size_t flight, const struct wf_msg_error *said)
{
    struct line *line = &relay->line;
    bool busy = wf_str_is(said->code, wf_code_word(WF_E_BUSY));
    bool gap = wf_str_is(said->field, "seq") && flight > 0; /* one before it was lost */
    int64_t pause = gap ? 0 : busy ? PAUSE_MS : STUCK_MS;
    if (busy && said->retry_ms > 0 && said->retry_ms < STUCK_MS)
        pause = (int64_t)said->retry_ms;
    if (line->waits && gap)
        return;
    if (wf_str_is(said->field, "seq") && flight == 0) { /* the cell is asked what it has taken */
        line->probe_ms = relay->has_met ? wf_monotonic_ms() : line->probe_ms;
        relay->has_met = false;
        relay->is_torn = true;
    }
    line->waits = true;
    line->resend_ms = wf_monotonic_ms() + pause + 50;
    if (!busy && !gap)
        note_blocked(relay, said->message);
}

/* The answer as it is kept and given: under the id of the request that was taken. */
static bool pack_answer(struct relay *relay, const struct flight *flight,
                        const struct wf_envelope *answer, struct wf_slice *out)
{
    struct wf_envelope own = {.type = answer->type, .re = wf_str(flight->id), .body = answer->body};
    struct wf_error err;
    wf_buf_clear(&relay->out);
    if (wf_message_pack(&own, &relay->out, &err) != 0)
        return false;
    const char *copy = wf_arena_strndup(relay->arena, (const char *)relay->out.ptr, relay->out.len);
    *out = (struct wf_slice){(const uint8_t *)copy, relay->out.len};
    return copy != NULL;
}

/* True where the answer settles it. */
static bool judge(struct relay *relay, size_t flight, const struct wf_envelope *answer,
                  struct settlement *out)
{
    *out = (struct settlement){.flight = flight, .code = wf_str("")};
    if (!pack_answer(relay, &relay->flights[flight], answer, &out->frame))
        return false; /* no memory: it is asked again */
    if (answer->type == WF_MSG_dossier_state) {
        out->state = HANDOFF_TAKEN;
        out->code = ((const struct wf_msg_dossier_state *)answer->body)->dossier;
        return true;
    }
    if (answer->type != WF_MSG_error)
        return false;
    out->refusal = answer->body;
    out->state = HANDOFF_REFUSED;
    if (out->refusal->settled == (uint64_t)relay->flights[flight].seq)
        return true;
    put_off(relay, flight, out->refusal);
    return false;
}

static int write_all(struct relay *relay, const struct settlement *all, size_t n,
                     struct wf_error *err)
{
    int rc = db_begin(relay->db, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store_settle(relay->db, relay->flights[all[i].flight].seq, all[i].state, all[i].code,
                          all[i].frame, wf_real_ms(), err);
    if (rc == 0 && relay->line.blocked[0] != '\0')
        rc = store_set_fact_text(relay->db, "blocked", "", err);
    if (rc == 0)
        rc = db_commit(relay->db, err);
    if (rc != 0)
        db_rollback(relay->db);
    return rc;
}

static void answer_held(struct relay *relay, const struct settlement *s)
{
    struct flight *flight = &relay->flights[s->flight];
    struct held *held = held_find(relay, wf_str(flight->id));
    if (s->refusal != NULL)
        wf_log(WF_LOG_ERROR, WF_LOG_REFUSED_EVENT, NULL,
               "the cell refuses hand-off %" PRId64 ": hoso relay list shows it", flight->seq);
    if (held != NULL)
        answer_frame(relay, held->service, &held->asker, s->frame);
    held_drop(held);
    flight->seq = 0;
}

/* Written down, then told; what cannot be written stays in flight and is asked again. */
static int settle(struct relay *relay, const struct settlement *all, size_t n, struct wf_error *err)
{
    size_t kept = 0;
    int rc = n > 0 ? write_all(relay, all, n, err) : 0;
    if (rc == WF_E_FULL || rc == WF_E_BUSY || rc == WF_E_NOMEM) {
        relay->line.waits = true;
        relay->line.resend_ms = wf_monotonic_ms() + STUCK_MS;
        wf_log(WF_LOG_ERROR, WF_LOG_SPACE_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", err->text);
        return 0;
    }
    if (rc != 0 || n == 0)
        return rc;
    relay->line.blocked[0] = '\0';
    relay->is_torn = false;
    for (size_t i = 0; i < n; i++)
        answer_held(relay, &all[i]);
    for (size_t i = 0; i < relay->n_flights; i++) {
        if (relay->flights[i].seq != 0)
            relay->flights[kept++] = relay->flights[i];
    }
    relay->n_flights = kept;
    if (!relay->line.waits)
        relay->line.resend_ms = wf_monotonic_ms() + relay->settings.line_timeout_ms;
    return 0;
}

/* ---- the clock -------------------------------------------------------------------------------- */

/* Due dates count from this clock. One that is wrong is told at once, before receipts are given that
 * the cell would not believe. */
static int look_at_clock(struct relay *relay, const struct wf_msg_health_report *m,
                         struct wf_error *err)
{
    int64_t there = wf_value_int(wf_map_get(m->figures, "now"), 0);
    int64_t skew = there != 0 ? wf_real_ms() - there : 0;
    bool is_off = skew > SKEW_MOST || skew < -SKEW_MOST;
    bool was_off = relay->skew_ms != 0;
    relay->skew_ms = is_off ? skew : 0;
    if (is_off == was_off)
        return 0;
    wf_log(is_off ? WF_LOG_ERROR : WF_LOG_INFO, WF_LOG_LINE_EVENT, NULL,
           "the clock of this station is %" PRId64 " s before the cell's", skew / 1000);
    int rc = store_set_fact(relay->db, "skew", relay->skew_ms, err);
    return rc == WF_E_FULL || rc == WF_E_BUSY ? 0 : rc;
}

/* ---- all that has come ------------------------------------------------------------------------ */

static int other_answer(struct relay *relay, const struct wf_envelope *answer,
                        struct wf_slice frame, struct wf_error *err)
{
    struct held *held = held_find(relay, answer->re);
    if (relay->line.reserve[0] != '\0' && wf_str_is(answer->re, relay->line.reserve)) {
        int rc = answer->type == WF_MSG_relay_range ? take_range(relay, answer->body, err) : 0;
        const struct wf_msg_error *said = answer->type == WF_MSG_error ? answer->body : NULL;
        if (said != NULL && wf_str_is(said->code, wf_code_word(WF_E_CONFLICT)))
            relay->line.reserve[0] = '\0'; /* other settings than when it was first asked */
        else if (said != NULL && !wf_str_is(said->code, wf_code_word(WF_E_BUSY)))
            note_blocked(relay, said->message);
        if (rc == WF_E_IO || rc == WF_E_CORRUPT)
            return rc;
        if (rc != 0)
            note_blocked(relay, wf_str(err->text));
        return 0;
    }
    if (answer->type == WF_MSG_health_report && wf_starts_with(answer->re.ptr, PROBE_ID))
        return look_at_clock(relay, answer->body, err);
    if (held != NULL && held->answer.len == 0) {
        answer_frame(relay, held->service, &held->asker, frame);
        held_drop(held);
    }
    return 0; /* or it came too late, or was the second of two */
}

/* Has this flight been settled by an answer of this round already? */
static bool is_settled(const struct settlement *all, size_t n, size_t flight)
{
    for (size_t i = 0; i < n; i++) {
        if (all[i].flight == flight)
            return true;
    }
    return false;
}

int settle_answers(struct relay *relay, struct wf_error *err)
{
    struct settlement all[WINDOW_MOST];
    size_t n = 0;
    int rc = 0;
    wf_arena_reset(relay->arena);
    for (size_t i = 0; rc == 0 && i < AT_ONCE; i++) {
        struct wf_envelope answer = {0};
        struct wf_slice frame;
        struct wf_error why;
        rc = wf_outpost_hear(relay->outpost, relay->arena, &frame, err);
        if (rc != 0)
            break;
        relay->line.asked_ms = 0;
        relay->slot->last_heard_timestamp_seconds = wf_real_ms() / 1000;
        if (wf_message_unpack(frame, WF_END_ANY, WF_END_PARTY, relay->arena, &answer, &why) != 0)
            continue;
        size_t flight = flight_of(relay, answer.re);
        if (flight == relay->n_flights)
            rc = other_answer(relay, &answer, frame, err);
        else if (!is_settled(all, n, flight) && judge(relay, flight, &answer, &all[n]))
            n++;
    }
    return rc < 0 ? rc : settle(relay, all, n, err);
}

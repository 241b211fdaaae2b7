/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: what is due is released, what is released is sent, answers come in any order. A request
 * that stays without an answer is sent again under its id, so each event is applied once, however
 * often workers are restarted. All cases together are one list of steps in order of time; each case
 * keeps its own order by having one request out at most.
 */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "workflow/memory.h"

#define WINDOW        128 /* requests out at a time */
#define AGAIN_MS      1000
#define LOOK_MS       10
#define WAIT_MOST_MS  20
#define STALLED_MS    60000 /* without any answer: give up */
#define REFUSALS_TOLD 10

struct due {
    int64_t ms;
    size_t course;
};

struct replay {
    const struct replay_options *options;
    struct course *courses;
    size_t n_courses;
    struct due *dues; /* of all steps, in order of time */
    size_t n_dues;
    size_t n_released;
    size_t *ring; /* courses that want to send, first come first served */
    size_t ring_at, ring_n;
    size_t n_out;
    size_t n_finished;
    struct wf_client *client;
    struct wf_arena *arena; /* of one answer or request */
    char prefix[WF_REQUEST_ID_SIZE];
    int64_t heard_ms; /* monotonic: last answer */
    int64_t swept_ms; /* monotonic: last look for lost requests */
    struct replay_counts counts;
};

/* The submission, the events, `close`. */
static size_t n_steps(const struct course *course)
{
    return course->what->n_events + 2;
}

/* ---- times ------------------------------------------------------------------------------------
 */

static int by_time(const void *left, const void *right)
{
    const struct due *a = left;
    const struct due *b = right;

    if (a->ms != b->ms)
        return a->ms < b->ms ? -1 : 1;
    return a->course < b->course ? -1 : a->course > b->course;
}

static void list_dues(struct replay *r)
{
    for (size_t c = 0; c < r->n_courses; c++) {
        const struct log_case *what = r->courses[c].what;

        r->dues[r->n_dues++] = (struct due){what->started_ms, c};
        for (size_t i = 0; i < what->n_events; i++)
            r->dues[r->n_dues++] = (struct due){what->events[i].ms, c};
        r->dues[r->n_dues++] = (struct due){what->events[what->n_events - 1].ms, c};
    }
    qsort(r->dues, r->n_dues, sizeof(*r->dues), by_time);
}

/* ---- who wants to send ------------------------------------------------------------------------
 */

static void want(struct replay *r, size_t c)
{
    struct course *course = &r->courses[c];

    if (course->queued || course->sent_ms != 0 || course->done >= course->released)
        return;
    course->queued = true;
    r->ring[(r->ring_at + r->ring_n++) % r->n_courses] = c;
}

static void release_due(struct replay *r)
{
    int64_t now =
        r->options->is_fast ? INT64_MAX : wf_business_ms(&r->options->clock, wf_real_ms());

    while (r->n_released < r->n_dues && r->dues[r->n_released].ms <= now) {
        size_t c = r->dues[r->n_released++].course;

        r->courses[c].released++;
        want(r, c);
    }
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static int send_body(struct replay *r, struct course *course, enum wf_message type,
                     const void *body, struct wf_error *err)
{
    course->sent_ms = wf_monotonic_ms();
    return wf_client_send(r->client, WF_INTAKE, type, body, course->id, err);
}

static int send_submit(struct replay *r, struct course *course, struct wf_error *err)
{
    const struct log_case *what = course->what;
    const struct way *way = process_way(what->channel);
    struct wf_value *fields = wf_map(r->arena);

    (void)wf_map_put(r->arena, fields, "case_number", wf_text(r->arena, what->id));
    (void)wf_map_put(r->arena, fields, "way", wf_text(r->arena, what->channel));
    (void)wf_map_put(r->arena, fields, "department", wf_text(r->arena, what->department));
    if (!wf_value_is_whole(fields))
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    struct wf_msg_dossier_submit submit = {.procedure = wf_str(PROCESS_CODE),
                                           .channel = wf_str(way->channel),
                                           .site = wf_str(PROCESS_SITE),
                                           .by = wf_str("replay"),
                                           .role = wf_str(way->role),
                                           .fields = fields};
    return send_body(r, course, WF_MSG_dossier_submit, &submit, err);
}

static int send_look(struct replay *r, struct course *course, struct wf_error *err)
{
    struct wf_msg_dossier_get get = {.dossier = wf_str(course->dossier)};

    return send_body(r, course, WF_MSG_dossier_get, &get, err);
}

static int send_event(struct replay *r, struct course *course, struct wf_error *err)
{
    const struct log_case *what = course->what;
    bool is_close = course->done > what->n_events;
    const struct log_event *event = &what->events[is_close ? what->n_events - 1 : course->done - 1];
    struct wf_msg_dossier_event body = {.dossier = wf_str(course->dossier),
                                        .event = wf_str(is_close ? "close" : event->what->event),
                                        .by = wf_str(event->resource),
                                        .role = wf_str("specialist")};

    return send_body(r, course, WF_MSG_dossier_event, &body, err);
}

static int send_step(struct replay *r, struct course *course, struct wf_error *err)
{
    if (course->looking)
        return send_look(r, course, err);
    return course->done == 0 ? send_submit(r, course, err) : send_event(r, course, err);
}

static int send_next(struct replay *r, size_t c, struct wf_error *err)
{
    struct course *course = &r->courses[c];

    (void)snprintf(course->id, sizeof(course->id), "%s.%zu.%zu.%u", r->prefix, c, course->done,
                   course->looking ? ++course->looks : 0);
    r->n_out++;
    return send_step(r, course, err);
}

/* Goes once through those who want to send; who has to wait a little goes to the end. */
static int send_wanted(struct replay *r, struct wf_error *err)
{
    int rc = 0;

    for (size_t n = r->ring_n; n > 0 && r->n_out < WINDOW && rc == 0; n--) {
        size_t c = r->ring[r->ring_at];
        struct course *course = &r->courses[c];

        r->ring_at = (r->ring_at + 1) % r->n_courses;
        r->ring_n--;
        course->queued = false;
        if (course->not_before_ms > wf_monotonic_ms())
            want(r, c);
        else
            rc = send_next(r, c, err);
    }
    return rc;
}

static int send_lost_again(struct replay *r, struct wf_error *err)
{
    int64_t now = wf_monotonic_ms();
    int rc = 0;

    if (now - r->swept_ms < AGAIN_MS / 4)
        return 0;
    r->swept_ms = now;
    if (now - r->heard_ms > STALLED_MS && r->n_out > 0)
        return wf_fail(err, WF_E_TIMEOUT, "no answer for %d s", STALLED_MS / 1000);
    for (size_t c = 0; c < r->n_courses && rc == 0; c++) {
        struct course *course = &r->courses[c];

        if (course->sent_ms == 0 || now - course->sent_ms < AGAIN_MS)
            continue;
        r->counts.sent_again++;
        rc = send_step(r, course, err);
    }
    return rc;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static struct course *course_of(struct replay *r, struct wf_str re)
{
    char id[REPLAY_ID_SIZE];
    size_t length = strlen(r->prefix);

    if (!wf_str_copy(re, id, sizeof(id)) || !wf_starts_with(id, r->prefix))
        return NULL;
    size_t c = strtoul(id + length + 1, NULL, 10);
    if (c >= r->n_courses || r->courses[c].sent_ms == 0 || strcmp(r->courses[c].id, id) != 0)
        return NULL; /* the second answer to a request that was sent twice */
    return &r->courses[c];
}

static void step_done(struct replay *r, struct course *course)
{
    if (++course->done == n_steps(course))
        r->n_finished++;
}

static bool has_state(const struct wf_value *states, const char *id)
{
    for (size_t i = 0; i < wf_value_count(states); i++) {
        if (wf_str_is(wf_value_str(wf_list_at(states, i)), id))
            return true;
    }
    return false;
}

/* The register is intake's own work: the first event has to wait until it is done. */
static void take_state(struct replay *r, struct course *course,
                       const struct wf_msg_dossier_state *state)
{
    bool is_close = course->done > course->what->n_events;

    if (course->done == 0) {
        (void)wf_str_copy(state->dossier, course->dossier, sizeof(course->dossier));
        course->number = state->id;
    }
    if (course->done == 0 || course->looking) {
        course->looking = has_state(state->states, "received");
        course->not_before_ms = wf_monotonic_ms() + LOOK_MS;
        if (course->done == 0)
            step_done(r, course);
        return;
    }
    r->counts.accepted += is_close ? 0 : 1;
    r->counts.closed += is_close ? 1 : 0;
    r->counts.wrong_close += is_close && course->ending->outcome[0] == '\0' ? 1 : 0;
    step_done(r, course);
}

static void tell_refusal(const struct replay *r, const struct course *course,
                         const struct wf_msg_error *error)
{
    if (r->options->is_shuffled || r->counts.refused + r->counts.wrong_close > REFUSALS_TOLD)
        return;
    bool is_event = course->done >= 1 && course->done <= course->what->n_events;
    (void)fprintf(stderr, "wabo: %s: %s: %.*s: %.*s\n", course->what->id,
                  is_event ? course->what->events[course->done - 1].what->name : "its frame",
                  WF_STR_ARG(error->code), WF_STR_ARG(error->message));
}

/* A `close` that may not be is the only refusal that the log asks for. */
static int take_refusal(struct replay *r, struct course *course, const struct wf_msg_error *error,
                        struct wf_error *err)
{
    bool is_close = course->done > course->what->n_events;

    if (course->done == 0 || course->looking)
        return wf_fail(err, WF_E_INVALID, "%s: %.*s: %.*s", course->what->id,
                       WF_STR_ARG(error->code), WF_STR_ARG(error->message));
    if (is_close && course->ending->outcome[0] == '\0' &&
        wf_str_is(error->code, wf_code_word(WF_E_STATE))) {
        r->counts.kept_open++;
    } else {
        r->counts.refused += is_close ? 0 : 1;
        course->refused += is_close ? 0 : 1;
        r->counts.wrong_close += is_close ? 1 : 0;
        tell_refusal(r, course, error);
    }
    step_done(r, course);
    return 0;
}

static bool is_passing(const struct wf_msg_error *error)
{
    static const int passing[] = {WF_E_BUSY, WF_E_NOMEM, WF_E_TIMEOUT, WF_E_IO};

    for (size_t i = 0; i < WF_COUNT(passing); i++) {
        if (wf_str_is(error->code, wf_code_word(passing[i])))
            return true;
    }
    return false;
}

static int take_answer(struct replay *r, const struct wf_envelope *answer, struct wf_error *err)
{
    struct course *course = course_of(r, answer->re);
    int rc = 0;

    r->heard_ms = wf_monotonic_ms();
    if (course == NULL)
        return 0;
    if (answer->type == WF_MSG_error && is_passing(answer->body))
        return 0; /* it will be sent again */
    if (answer->type == WF_MSG_error)
        rc = take_refusal(r, course, answer->body, err);
    else
        take_state(r, course, answer->body);
    course->sent_ms = 0;
    r->n_out--;
    want(r, (size_t)(course - r->courses));
    return rc;
}

static int64_t wait_ms(const struct replay *r)
{
    int64_t wait = WAIT_MOST_MS;

    if (r->ring_n > 0)
        wait = 1;
    if (r->n_released < r->n_dues && !r->options->is_fast) {
        int64_t until = wf_real_until(&r->options->clock, r->dues[r->n_released].ms, wf_real_ms());
        wait = until < wait ? until : wait;
    }
    return wait;
}

static int take_answers(struct replay *r, struct wf_error *err)
{
    struct wf_envelope answer;
    int rc = wf_client_receive(r->client, wait_ms(r), r->arena, &answer, err);

    while (rc == 0) {
        rc = take_answer(r, &answer, err);
        wf_arena_reset(r->arena);
        if (rc == 0)
            rc = wf_client_receive(r->client, 0, r->arena, &answer, err);
    }
    return rc == WF_NONE ? 0 : rc;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int open_replay(struct replay *r, const struct log *log, struct wf_error *err)
{
    const struct wf_client_options patient = {.timeout_ms = 30000};

    r->dues = wf_alloc((log->n_events + 2 * log->n_cases) * sizeof(*r->dues));
    r->ring = wf_alloc(log->n_cases * sizeof(*r->ring));
    r->arena = wf_arena_new(0);
    if (r->dues == NULL || r->ring == NULL || r->arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    list_dues(r);
    int rc = wf_client_open(r->options->run, &patient, &r->client, err);
    if (rc == 0)
        wf_client_new_id(r->client, r->prefix);
    r->heard_ms = wf_monotonic_ms();
    return rc;
}

int replay_run(const struct replay_options *options, const struct log *log, struct course *courses,
               struct replay_counts *out, struct wf_error *err)
{
    struct replay r = {.options = options, .courses = courses, .n_courses = log->n_cases};
    int rc = open_replay(&r, log, err);

    while (rc == 0 && r.n_finished < r.n_courses) {
        release_due(&r);
        rc = send_wanted(&r, err);
        if (rc == 0)
            rc = take_answers(&r, err);
        if (rc == 0)
            rc = send_lost_again(&r, err);
        wf_arena_reset(r.arena);
        if (r.n_out == 0)
            r.heard_ms = wf_monotonic_ms();
    }
    if (rc == 0)
        *out = r.counts;
    wf_client_close(r.client);
    wf_arena_free(r.arena);
    wf_free(r.ring);
    wf_free(r.dues);
    return rc;
}

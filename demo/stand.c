/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: for each duty one long poll is always out; between answers, steps that fall due are
 * done. Polls and calls have a client each, because a call passes over answers that are not its
 * own. A poll that is not answered (its worker was restarted) is sent again.
 */
#include "stand.h"

#include "job.h"

#include "workflow/clock.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DUTIES   24
#define POLL_MS       2000
#define POLL_GRACE_MS 2000
#define FETCH_MOST    8
#define LEASE_MS      120000
#define IDLE_MS       3000
#define WAIT_MOST_MS  500

struct poll {
    char id[WF_REQUEST_ID_SIZE];
    int64_t sent_ms; /* monotonic; 0 = none is out */
};

struct stand {
    struct stand_options options;
    const struct duty *duties;
    size_t n_duties;
    struct poll polls[MOST_DUTIES];
    struct wf_client *poller;
    struct wf_client *caller;
    struct wf_arena *arena; /* of one round */
    struct job *jobs;
    int64_t busy_ms; /* monotonic: last time there was anything to do */
};

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

static void complain(const struct stand *stand, const char *what, const struct wf_error *err)
{
    (void)fprintf(stderr, "%s: %s: %s: %s\n", stand->options.by, what, wf_code_word(err->code),
                  err->text);
}

const struct stand_options *stand_options(const struct stand *stand)
{
    return &stand->options;
}

int stand_ask(struct stand *stand, enum wf_service to, enum wf_message type, const void *body,
              struct wf_arena *arena, struct wf_envelope *out, struct wf_error *err)
{
    stand->busy_ms = wf_monotonic_ms();
    return wf_client_call(stand->caller, to, type, body, arena, out, err);
}

/* ---- steps ------------------------------------------------------------------------------------
 */

static int ask_step(struct stand *stand, const struct job *job, const struct step *step,
                    struct wf_error *err)
{
    struct wf_str by = wf_str(stand->options.by);
    struct wf_msg_task_complete complete = {
        .task = job->task, .token = job->token, .result = step->data, .by = by};
    struct wf_msg_task_progress progress = {
        .task = job->task, .token = job->token, .data = step->data, .by = by};
    struct wf_msg_task_fail fail = {.task = job->task,
                                    .token = job->token,
                                    .reason = wf_str(step->reason),
                                    .final = step->final,
                                    .by = by};
    const void *body = &fail;
    struct wf_envelope reply;

    if (step->verb == WF_MSG_task_complete)
        body = &complete;
    if (step->verb == WF_MSG_task_progress)
        body = &progress;
    return stand_ask(stand, job->duty->service, step->verb, body, job->arena, &reply, err);
}

/* The dossier went another way meanwhile (withdrawn, late): no fault of anybody. */
static bool is_overtaken(int rc)
{
    return rc == WF_E_NOT_FOUND || rc == WF_E_STALE || rc == WF_E_STATE;
}

static void do_step(struct stand *stand, struct job *job)
{
    struct step *step = job->steps;
    struct wf_error err;
    int rc = ask_step(stand, job, step, &err);

    job->steps = step->next;
    if (rc == 0)
        return;
    if (!is_overtaken(rc))
        complain(stand, job->duty->activity, &err);
    job->steps = NULL;
}

/* Does what is due; gives the milliseconds until the next step, at most `most`. */
static int64_t do_steps(struct stand *stand, int64_t most)
{
    struct job **at = &stand->jobs;

    while (*at != NULL && !stopping) {
        struct job *job = *at;

        while (job->steps != NULL && job->steps->due_ms <= wf_monotonic_ms())
            do_step(stand, job);
        if (job->steps == NULL) {
            *at = job->next;
            wf_arena_free(job->arena); /* the job is in it */
            continue;
        }
        if (job->steps->due_ms - wf_monotonic_ms() < most)
            most = job->steps->due_ms - wf_monotonic_ms();
        at = &job->next;
    }
    return most > 0 ? most : 0;
}

/* ---- tasks ------------------------------------------------------------------------------------
 */

static void take_task(struct stand *stand, const struct duty *duty, const struct wf_value *task)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct job *job = arena ? wf_arena_alloc(arena, sizeof(*job)) : NULL;
    const struct wf_value *own = job ? wf_value_copy(arena, task) : NULL;

    if (own == NULL) {
        wf_arena_free(arena);
        return;
    }
    job->arena = arena;
    job->duty = duty;
    job->task = (uint64_t)wf_value_int(wf_map_get(own, "task"), 0);
    job->token = (uint64_t)wf_value_int(wf_map_get(own, "token"), 0);
    job->dossier = wf_value_text(wf_map_get(own, "dossier"), "");
    job->to = wf_value_text(wf_map_get(own, "to"), "");
    job->params = wf_map_get(own, "params");
    job->attempt = wf_value_int(wf_map_get(own, "attempt"), 1);
    job->hour_ms = stand->options.day_ms / 24;
    job->fetched_ms = wf_monotonic_ms();
    job_seed(job, stand->options.seed);
    duty->work(job);
    job->next = stand->jobs;
    stand->jobs = job;
}

static int send_poll(struct stand *stand, size_t i, struct wf_error *err)
{
    const struct duty *duty = &stand->duties[i];
    struct poll *poll = &stand->polls[i];
    struct wf_value *to = wf_list(stand->arena);
    struct wf_msg_task_fetch fetch = {.activity = wf_str(duty->activity),
                                      .to = to,
                                      .by = wf_str(stand->options.by),
                                      .role = wf_str(duty->role),
                                      .max = FETCH_MOST,
                                      .lease_ms = LEASE_MS,
                                      .wait_ms = POLL_MS};

    for (size_t t = 0; t < stand->options.n_to; t++)
        (void)wf_list_add(stand->arena, to, wf_text(stand->arena, stand->options.to[t]));
    if (stand->options.n_to == 0)
        (void)wf_list_add(stand->arena, to, wf_text(stand->arena, duty->to ? duty->to : "*"));
    wf_client_new_id(stand->poller, poll->id);
    poll->sent_ms = wf_monotonic_ms();
    return wf_client_send(stand->poller, duty->service, WF_MSG_task_fetch, &fetch, poll->id, err);
}

static void send_polls(struct stand *stand)
{
    int64_t now = wf_monotonic_ms();
    struct wf_error err;

    for (size_t i = 0; i < stand->n_duties; i++) {
        int64_t sent = stand->polls[i].sent_ms;

        if (sent != 0 && now - sent < POLL_MS + POLL_GRACE_MS)
            continue;
        if (send_poll(stand, i, &err) < 0 && err.code != WF_E_BUSY)
            complain(stand, stand->duties[i].activity, &err);
    }
}

static void take_answer(struct stand *stand, const struct wf_envelope *answer)
{
    for (size_t i = 0; i < stand->n_duties; i++) {
        struct poll *poll = &stand->polls[i];

        if (!wf_str_is(answer->re, poll->id))
            continue;
        poll->sent_ms = 0;
        if (answer->type == WF_MSG_tasks) {
            const struct wf_msg_tasks *got = answer->body;

            for (size_t t = 0; t < wf_value_count(got->tasks); t++)
                take_task(stand, &stand->duties[i], wf_list_at(got->tasks, t));
            if (wf_value_count(got->tasks) > 0)
                stand->busy_ms = wf_monotonic_ms();
        } else if (answer->type == WF_MSG_error) {
            const struct wf_msg_error *error = answer->body;

            (void)fprintf(stderr, "%s: %s: %.*s\n", stand->options.by, stand->duties[i].activity,
                          WF_STR_ARG(error->message));
            poll->sent_ms = wf_monotonic_ms(); /* not again at once */
        }
    }
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static bool is_idle(const struct stand *stand, bool ticks)
{
    return stand->options.until_idle && !ticks && stand->jobs == NULL &&
           wf_monotonic_ms() - stand->busy_ms > IDLE_MS;
}

static int round_of(struct stand *stand, int64_t wait_ms, struct wf_error *err)
{
    struct wf_envelope answer;
    int rc;

    send_polls(stand);
    rc = wf_client_receive(stand->poller, wait_ms, stand->arena, &answer, err);
    while (rc == 0) {
        take_answer(stand, &answer);
        rc = wf_client_receive(stand->poller, 0, stand->arena, &answer, err);
    }
    return rc == WF_NONE ? 0 : rc;
}

static int work(struct stand *stand, stand_tick_fn *tick)
{
    struct wf_error err;
    int rc = 0;

    stand->busy_ms = wf_monotonic_ms();
    while (!stopping && rc == 0) {
        int64_t wait = do_steps(stand, WAIT_MOST_MS);
        int64_t next = tick != NULL ? tick(stand) : -1;

        if (next >= 0 && next < wait)
            wait = next;
        if (is_idle(stand, next >= 0))
            break;
        rc = round_of(stand, wait, &err);
        wf_arena_reset(stand->arena);
    }
    if (rc != 0 && !stopping) {
        complain(stand, "queue endpoints", &err);
        return 1;
    }
    return 0;
}

/* ---- the program ------------------------------------------------------------------------------
 */

static const struct argp_option option_rows[] = {
    {"run", 'r', "DIR", 0, "folder of the workers' sockets (default: run)", 0},
    {"seed", 's', "N", 0, "of all that happens by chance (default: 1)", 0},
    {"day", 'd', "MS", 0, "real milliseconds of a day (default: 1000)", 0},
    {"count", 'n', "N", 0, "dossiers to submit, at a counter (default: 0)", 0},
    {"to", 't', "ADDRESS", 0, "serve this address; may be given often (default: all)", 0},
    {"agency", 'a', "CODE", OPTION_ALIAS, NULL, 0},
    {"until-idle", 'i', NULL, 0, "stop when nothing has been to do for a while", 0},
    {0},
};

static error_t number(struct argp_state *state, const char *arg, int64_t least, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(arg, &end, 10);
    if (errno != 0 || end == arg || *end != '\0' || *out < least)
        argp_error(state, "%s: a number of at least %lld is wanted", arg, (long long)least);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct stand_options *options = state->input;
    int64_t seed = 0;

    switch (key) {
    case 'r':
        options->run = arg;
        return 0;
    case 's':
        (void)number(state, arg, 0, &seed);
        options->seed = (uint64_t)seed;
        return 0;
    case 'd':
        return number(state, arg, 24, &options->day_ms);
    case 'n':
        return number(state, arg, 0, &options->count);
    case 't':
    case 'a':
        if (options->n_to == WF_COUNT(options->to))
            argp_error(state, "too many addresses");
        options->to[options->n_to++] = arg;
        return 0;
    case 'i':
        options->until_idle = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int open_stand(struct stand *stand, struct wf_error *err)
{
    struct wf_client_options patient = {.timeout_ms = 30000};
    int rc = wf_client_open(stand->options.run, &patient, &stand->poller, err);

    if (rc == 0)
        rc = wf_client_open(stand->options.run, &patient, &stand->caller, err);
    stand->arena = wf_arena_new(0);
    if (rc == 0 && stand->arena == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    return rc;
}

static void close_stand(struct stand *stand)
{
    while (stand->jobs != NULL) {
        struct job *job = stand->jobs;

        stand->jobs = job->next;
        wf_arena_free(job->arena);
    }
    wf_client_close(stand->poller);
    wf_client_close(stand->caller);
    wf_arena_free(stand->arena);
}

int stand_main(int argc, char **argv, const char *by, const struct duty *duties, size_t n_duties,
               stand_tick_fn *tick)
{
    static const struct argp argp = {.options = option_rows,
                                     .parser = parse,
                                     .doc =
                                         "A stand-in of the Hoso demonstration. It fetches tasks "
                                         "from the queue endpoints and does them."};
    struct stand stand = {.options = {.run = "run", .by = by, .seed = 1, .day_ms = 1000},
                          .duties = duties,
                          .n_duties = n_duties};
    struct sigaction action = {.sa_handler = stop};
    struct wf_error err;
    int rc;

    if (n_duties > MOST_DUTIES || argp_parse(&argp, argc, argv, 0, NULL, &stand.options) != 0)
        return 2;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    rc = open_stand(&stand, &err);
    if (rc != 0)
        complain(&stand, "queue endpoints", &err);
    rc = rc == 0 ? work(&stand, tick) : 1;
    close_stand(&stand);
    return rc;
}

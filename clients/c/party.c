/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One task at a time. A completion that nobody answers is said again until it is answered, with an
 * id made of task and token: it is done once. When the lease has passed on meanwhile, the answer is
 * `stale` and the result is dropped.
 */
#include "party.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LEASE_MS      60000
#define LEASE_MOST_MS 86400000
#define WAIT_MS       20000

/* HOSO_LEASE_MS: shorter where a task of one who died must soon go to the next. */
static uint64_t lease_ms(void)
{
    const char *said = getenv("HOSO_LEASE_MS");
    uint64_t ms = said != NULL ? strtoull(said, NULL, 10) : 0;
    return ms > 0 && ms <= LEASE_MOST_MS ? ms : LEASE_MS;
}

static int open_gate(const char *key_file, struct wf_client **out, struct wf_error *err)
{
    const char *other = getenv("HOSO_GATE");
    struct wf_keypair keys;
    struct wf_key_place place;
    int rc = wf_keypair_read(key_file, &keys, &place, err);
    if (rc == 0)
        rc = wf_client_open_gate(other != NULL ? other : place.endpoint, place.gate, &keys, NULL,
                                 out, err);
    wf_keypair_wipe(&keys);
    return rc;
}

int party_open(struct wf_client **out, struct wf_error *err)
{
    const char *key_file = getenv("HOSO_KEY_FILE");
    const char *run = getenv("HOSO_RUN");
    if (key_file != NULL)
        return open_gate(key_file, out, err);
    if (run != NULL)
        return wf_client_open(run, NULL, out, err);
    return wf_fail(err, WF_E_CONFIG, "set HOSO_KEY_FILE, or HOSO_RUN on the cell's own host");
}

/* ---- keeping the lease ----------------------------------------------------------------------- */

struct keeper {
    const struct party_work *work;
    const struct party_task *task;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void extend(struct keeper *k, struct wf_client *client, struct wf_arena *arena)
{
    struct wf_msg_task_extend extend = {
        .task = k->task->task, .token = k->task->token, .lease_ms = lease_ms()};
    struct wf_envelope reply;
    /* Not extended: tried again at the next turn, and completing will tell if it was lost. */
    (void)!wf_client_call(client, k->work->service, WF_MSG_task_extend, &extend, arena, &reply,
                          NULL);
    wf_arena_reset(arena);
}

static struct timespec in_a_third_of(uint64_t ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at); /* a lease lasts however the host's clock is set */
    int64_t ns = at.tv_nsec + (int64_t)(ms / 3 % 1000) * 1000000;
    at.tv_sec += (time_t)(ms / 3000) + (time_t)(ns / 1000000000);
    at.tv_nsec = ns % 1000000000;
    return at;
}

static void *keep(void *context)
{
    struct keeper *k = context;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_client *client = NULL;
    bool ready = arena != NULL && party_open(&client, NULL) == 0;
    (void)pthread_mutex_lock(&k->lock);
    while (ready && !k->done) {
        struct timespec until = in_a_third_of(lease_ms());
        if (pthread_cond_timedwait(&k->wake, &k->lock, &until) == 0 || k->done)
            continue;
        (void)pthread_mutex_unlock(&k->lock);
        extend(k, client, arena);
        (void)pthread_mutex_lock(&k->lock);
    }
    (void)pthread_mutex_unlock(&k->lock);
    wf_client_close(client);
    wf_arena_free(arena);
    return NULL;
}

static const struct wf_value *handle_kept(const struct party_work *work, struct party_task *task)
{
    struct keeper k = {.work = work, .task = task, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t clock;
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&k.wake, &clock);
    (void)pthread_condattr_destroy(&clock);
    if (pthread_create(&k.thread, NULL, keep, &k) != 0)
        return work->handle(task, work->context); /* within the first lease, then */
    const struct wf_value *result = work->handle(task, work->context);
    (void)pthread_mutex_lock(&k.lock);
    k.done = true;
    (void)pthread_cond_signal(&k.wake);
    (void)pthread_mutex_unlock(&k.lock);
    (void)pthread_join(k.thread, NULL);
    (void)pthread_cond_destroy(&k.wake);
    return result;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static int say(const struct party_work *work, const struct party_task *task, enum wf_message verb,
               const void *body, struct wf_error *err)
{
    char id[64];
    struct wf_envelope reply;
    (void)snprintf(id, sizeof(id), "%s-%" PRIu64 "-%" PRIu64,
                   verb == WF_MSG_task_complete ? "complete" : "fail", task->task, task->token);
    for (;;) {
        int rc =
            wf_client_again(task->client, work->service, verb, body, id, task->arena, &reply, err);
        if (rc >= 0 || wf_code_action(rc) == WF_REFUSE)
            return rc;
        (void)sleep(1);
    }
}

static int fail(const struct party_work *work, const struct party_task *task, const char *reason,
                struct wf_error *err)
{
    const struct wf_msg_task_fail fail = {.task = task->task,
                                          .token = task->token,
                                          .reason = wf_str(reason),
                                          .retry_ms = task->retry_ms,
                                          .by = wf_str(task->by)};
    return say(work, task, WF_MSG_task_fail, &fail, err);
}

static void deal_with(const struct party_work *work, struct party_task *task)
{
    struct wf_error err = {0};
    const struct wf_value *result = handle_kept(work, task);
    struct wf_msg_task_complete complete = {
        .task = task->task, .token = task->token, .result = result, .by = wf_str(work->by)};
    int rc = result != NULL ? say(work, task, WF_MSG_task_complete, &complete, &err)
                            : fail(work, task, task->failure, &err);
    if (rc == 0)
        return;
    (void)fprintf(stderr, "task %" PRIu64 ": %s\n", task->task, err.text);
    if (result != NULL && rc != WF_E_STALE) /* not what the activity asks for */
        (void)fail(work, task, wf_code_word(rc), NULL);
}

static int fetch(const struct party_work *work, struct wf_client *client, struct wf_arena *arena,
                 const struct wf_value **out, struct wf_error *err)
{
    struct wf_value *to = wf_list(arena);
    (void)wf_list_add(arena, to, wf_text(arena, work->to));
    struct wf_msg_task_fetch fetch = {.activity = wf_str(work->activity),
                                      .to = to,
                                      .by = wf_str(work->by),
                                      .role = wf_str(work->role),
                                      .max = 1,
                                      .lease_ms = lease_ms(),
                                      .wait_ms = WAIT_MS};
    struct wf_envelope reply;
    int rc = wf_client_call(client, work->service, WF_MSG_task_fetch, &fetch, arena, &reply, err);
    if (rc == 0)
        *out = ((const struct wf_msg_tasks *)reply.body)->tasks;
    return rc;
}

/* 1 when a task was dealt with, 0 when there was none, negative when it makes no sense to go on. */
static int next(const struct party_work *work, struct wf_client *client, struct wf_arena *arena,
                struct wf_error *err)
{
    const struct wf_value *tasks = NULL;
    int rc = fetch(work, client, arena, &tasks, err);
    if (rc < 0 && wf_code_action(rc) == WF_REFUSE)
        return rc;
    if (rc < 0) {
        (void)sleep(1); /* the service is away: go on asking */
        return 0;
    }
    const struct wf_value *fields = wf_list_at(tasks, 0);
    if (fields == NULL)
        return 0;
    struct party_task task = {
        .fields = fields,
        .params = wf_map_get(fields, "params"),
        .dossier = wf_value_text(wf_map_get(fields, "dossier"), ""),
        .task = (uint64_t)wf_value_int(wf_map_get(fields, "task"), 0),
        .token = (uint64_t)wf_value_int(wf_map_get(fields, "token"), 0),
        .arena = arena,
        .client = client,
        .by = work->by,
        .failure = "failed",
    };
    deal_with(work, &task);
    return 1;
}

int party_run(const struct party_work *work)
{
    struct wf_client *client = NULL;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_error err = {0};
    int rc = arena != NULL ? party_open(&client, &err) : WF_E_NOMEM;
    for (int64_t done = 0; rc >= 0 && (work->limit == 0 || done < work->limit);) {
        rc = next(work, client, arena, &err);
        done += rc > 0;
        wf_arena_reset(arena);
        (void)fflush(stdout);
    }
    if (rc < 0)
        (void)fprintf(stderr, "%s: %s\n", work->activity, err.text);
    wf_client_close(client);
    wf_arena_free(arena);
    return rc < 0 ? 1 : 0;
}

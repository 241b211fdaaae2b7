/* SPDX-License-Identifier: Apache-2.0 */
#include "support/load.h"

#include "support/json.h"

#define PATIENCE_MS 60000

static struct wf_client *open_client(const char *run, char failure[1024])
{
    struct wf_client_options options = {.timeout_ms = 2000, .retry_ms = 100};
    struct wf_client *client = NULL;
    struct wf_error err = {0};
    if (wf_client_open(run, &options, &client, &err) != 0)
        (void)snprintf(failure, 1024, "client: %s", err.text);
    return client;
}

/* ---- counters ---------------------------------------------------------------------------------
 */

static bool file_one(struct counter *counter, struct wf_client *client)
{
    struct acknowledged *ack = &counter->acks[counter->n];
    struct wf_error err = {0};
    wf_client_new_id(client, ack->id);
    (void)snprintf(ack->note, sizeof(ack->note), "counter %u dossier %zu", counter->number,
                   counter->n);
    if (host_submit(client, ack->id, ack->note, PATIENCE_MS, ack->code, &err) != 0) {
        (void)snprintf(counter->failure, sizeof(counter->failure), "%s: %s", ack->note, err.text);
        return false;
    }
    counter->n++;
    return true;
}

static void *count(void *context)
{
    struct counter *counter = context;
    struct wf_client *client = open_client(counter->run, counter->failure);
    while (client != NULL && !counter->stop && counter->n < LOAD_MOST) {
        if (!file_one(counter, client))
            break;
        if (counter->pause_ms > 0)
            sleep_ms(counter->pause_ms);
    }
    wf_client_close(client);
    return NULL;
}

void counter_start(struct counter *counter, const char *run, unsigned number, int64_t pause_ms)
{
    memset(counter, 0, sizeof(*counter));
    counter->run = run;
    counter->number = number;
    counter->pause_ms = pause_ms;
    counter->acks = calloc(LOAD_MOST, sizeof(*counter->acks));
    assert_non_null(counter->acks);
    assert_int_equal(pthread_create(&counter->thread, NULL, count, counter), 0);
}

void counter_stop(struct counter *counter)
{
    counter->stop = true;
    assert_int_equal(pthread_join(counter->thread, NULL), 0);
    if (counter->failure[0] != '\0')
        fail_msg("%s", counter->failure);
}

void counter_fini(struct counter *counter)
{
    free(counter->acks);
}

/* ---- desks ------------------------------------------------------------------------------------
 */

static const struct work {
    const char *activity, *role, *result;
} works[] = {
    {"verification.review", "civil_servant", "{'verdict': 'approve'}"},
    {"verification.review", "signing_authority", "{'verdict': 'approve'}"},
    {"return.collect_fee", "clerk", "{'paid': true, 'receipt': 'R-1'}"},
    {"return.deliver", "clerk", "{'outcome': 'delivered'}"},
    {"notification.send", "gateway", "{}"},
};

/* Asks under one id until there is a definite answer. */
static int ask(struct wf_client *client, enum wf_service to, enum wf_message type, const void *body,
               struct wf_arena *arena, struct wf_envelope *out, struct wf_error *err)
{
    char id[WF_REQUEST_ID_SIZE];
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    int rc = 0;
    wf_client_new_id(client, id);
    do {
        rc = wf_client_again(client, to, type, body, id, arena, out, err);
    } while ((rc == WF_E_TIMEOUT || rc == WF_E_BUSY) && wf_monotonic_ms() < until);
    return rc;
}

static int file_copy(struct wf_client *client, struct wf_arena *arena, struct wf_error *err)
{
    struct wf_envelope answer = {0};
    struct wf_msg_dossier_submit body = {
        .procedure = wf_str("2.000815"),
        .channel = wf_str("one_stop"),
        .site = wf_str("000.00.13.H30"),
        .by = wf_str("desk-1"),
        .role = wf_str("civil_servant"),
        .fields = json(arena, "{'full_name': 'Lê Thị Thử', 'citizen_id': '093190000017', 'phone': "
                              "'0912345678', 'return_by': 'counter', 'pages': 2, 'copies': 1}"),
        .papers = json(arena, "[{'id': 'original', 'kind': 'original'},"
                              " {'id': 'copy', 'kind': 'photo'}]"),
    };
    return ask(client, WF_INTAKE, WF_MSG_dossier_submit, &body, arena, &answer, err);
}

static int do_tasks(struct wf_client *client, const struct work *work, struct wf_arena *arena,
                    unsigned *done, struct wf_error *err)
{
    enum wf_service to = (enum wf_service)wf_service_of_activity(work->activity);
    struct wf_envelope answer = {0};
    struct wf_msg_task_fetch fetch = {.activity = wf_str(work->activity),
                                      .to = json(arena, "['*']"),
                                      .by = wf_str("desk-1"),
                                      .role = wf_str(work->role),
                                      .max = 20,
                                      .lease_ms = 600000};
    int rc = ask(client, to, WF_MSG_task_fetch, &fetch, arena, &answer, err);
    if (rc != 0)
        return rc;
    const struct wf_value *tasks = ((const struct wf_msg_tasks *)answer.body)->tasks;
    for (size_t i = 0; rc == 0 && i < wf_value_count(tasks); i++) {
        const struct wf_value *task = wf_list_at(tasks, i);
        struct wf_msg_task_complete complete = {
            .task = (uint64_t)wf_value_int(wf_map_get(task, "task"), 0),
            .token = (uint64_t)wf_value_int(wf_map_get(task, "token"), 0),
            .result = json(arena, work->result),
            .by = wf_str("desk-1")};
        rc = ask(client, to, WF_MSG_task_complete, &complete, arena, &answer, err);
        *done += rc == 0;
    }
    return rc;
}

static int one_round(struct desk *desk, struct wf_client *client, struct wf_arena *arena,
                     struct wf_error *err)
{
    int rc = 0;
    wf_arena_reset(arena);
    if (!desk->stop_filing) {
        rc = file_copy(client, arena, err);
        desk->filed += rc == 0;
    }
    for (size_t i = 0; rc == 0 && i < WF_COUNT(works); i++)
        rc = do_tasks(client, &works[i], arena, &desk->finished, err);
    return rc;
}

static void *serve(void *context)
{
    struct desk *desk = context;
    struct wf_client *client = open_client(desk->run, desk->failure);
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_error err = {0};
    int rc = client == NULL || arena == NULL ? -1 : 0;
    while (rc == 0 && !desk->stop) {
        rc = one_round(desk, client, arena, &err);
        sleep_ms(5);
    }
    if (rc != 0 && desk->failure[0] == '\0')
        (void)snprintf(desk->failure, sizeof(desk->failure), "desk: %s %s: %s", wf_code_word(rc),
                       err.field, err.text);
    wf_arena_free(arena);
    wf_client_close(client);
    return NULL;
}

void desk_start(struct desk *desk, const char *run)
{
    memset(desk, 0, sizeof(*desk));
    desk->run = run;
    assert_int_equal(pthread_create(&desk->thread, NULL, serve, desk), 0);
}

void desk_stop(struct desk *desk)
{
    desk->stop = true;
    assert_int_equal(pthread_join(desk->thread, NULL), 0);
    if (desk->failure[0] != '\0')
        fail_msg("%s", desk->failure);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "support/run_folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "workflow/clock.h"

static const struct wf_msg_health ask_health = {.full = true};

/* ---- a worker in a thread of its own -------------------------------------------------------- */

enum manner {
    ANSWERS,
    LATE,
    SILENT_ONCE,
    BUSY_ONCE,
    ALWAYS_BUSY,
    REFUSES,
    OLD_ANSWER_FIRST,
    SILENT
};

struct worker {
    pthread_t thread;
    enum manner manner;
    atomic_bool stop;
    atomic_int seen;
    char first_id[64];
    atomic_bool same_id;
};

static void say(struct wf_hub *hub, const struct wf_asker *asker, struct wf_str re,
                enum wf_message type, const void *body)
{
    const struct wf_envelope envelope = {.type = type, .re = re, .body = body};
    struct wf_buf buf = {0};
    if (wf_message_pack(&envelope, &buf, NULL) == 0)
        (void)!wf_hub_reply(hub, asker, (struct wf_slice){buf.ptr, buf.len}, NULL);
    wf_buf_fini(&buf);
}

static void behave(struct worker *worker, struct wf_hub *hub, const struct wf_asker *asker,
                   struct wf_str id)
{
    const struct wf_msg_done done = {.dossier = wf_str("H")};
    const struct wf_msg_error busy = {
        .code = wf_str("busy"), .message = wf_str("later"), .retry_ms = 50};
    const struct wf_msg_error far = {
        .code = wf_str("busy"), .message = wf_str("much later"), .retry_ms = 100000};
    const struct wf_msg_error refused = {
        .code = wf_str("denied"), .message = wf_str("not you"), .field = wf_str("body.role")};
    int n = atomic_fetch_add(&worker->seen, 1);
    if (n == 0)
        (void)wf_str_copy(id, worker->first_id, sizeof(worker->first_id));
    else
        atomic_store(&worker->same_id, wf_str_is(id, worker->first_id));

    bool first = n == 0;
    if (worker->manner == SILENT || (worker->manner == SILENT_ONCE && first))
        return;
    if (worker->manner == ALWAYS_BUSY)
        say(hub, asker, id, WF_MSG_error, &far);
    else if (worker->manner == BUSY_ONCE && first)
        say(hub, asker, id, WF_MSG_error, &busy);
    else if (worker->manner == REFUSES)
        say(hub, asker, id, WF_MSG_error, &refused);
    else if (worker->manner == OLD_ANSWER_FIRST)
        say(hub, asker, wf_str("an-earlier-request"), WF_MSG_error, &refused);
    if (worker->manner != ALWAYS_BUSY && worker->manner != REFUSES &&
        !(worker->manner == BUSY_ONCE && first))
        say(hub, asker, id, WF_MSG_done, &done);
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct wf_arena *own = wf_arena_new(0);
    struct wf_hub *hub = NULL;
    if (worker->manner == LATE)
        (void)usleep(300000);
    if (wf_hub_open(run, WF_ROUTING, NULL, &hub, NULL) != 0)
        return NULL;
    while (!atomic_load(&worker->stop)) {
        int ready;
        struct wf_asker asker;
        struct wf_slice frame;
        if (wf_hub_wait(hub, NULL, 0, 20, &ready, NULL) != 0)
            break;
        while (wf_hub_receive(hub, own, &asker, &frame, NULL) == 0) {
            struct wf_envelope request;
            if (wf_message_unpack(frame, WF_END_PARTY, WF_END_ROUTING, own, &request, NULL) == 0)
                behave(worker, hub, &asker, request.id);
        }
    }
    wf_hub_close(hub);
    wf_arena_free(own);
    return NULL;
}

static void start_worker(struct worker *worker, enum manner manner)
{
    memset(worker, 0, sizeof(*worker));
    worker->manner = manner;
    assert_int_equal(pthread_create(&worker->thread, NULL, work, worker), 0);
}

static void stop_worker(struct worker *worker)
{
    atomic_store(&worker->stop, true);
    assert_int_equal(pthread_join(worker->thread, NULL), 0);
}

static int ask(struct wf_client *client, struct wf_envelope *out)
{
    return wf_client_call(client, WF_ROUTING, WF_MSG_health, &ask_health, arena, out, &err);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void a_call_is_answered(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(0, 0);
    struct wf_envelope answer;
    start_worker(&worker, ANSWERS);
    assert_ok(ask(client, &answer), err);
    assert_int_equal(answer.type, WF_MSG_done);
    assert_true(wf_str_is(((const struct wf_msg_done *)answer.body)->dossier, "H"));
    wf_client_close(client);
    stop_worker(&worker);
}

static void a_call_waits_for_a_worker_that_starts_late(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(0, 0);
    struct wf_envelope answer;
    start_worker(&worker, LATE);
    assert_ok(ask(client, &answer), err);
    wf_client_close(client);
    stop_worker(&worker);
}

static void a_lost_request_is_sent_again_with_the_same_id(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(5000, 60);
    struct wf_envelope answer;
    start_worker(&worker, SILENT_ONCE);
    assert_ok(ask(client, &answer), err);
    assert_true(atomic_load(&worker.seen) >= 2);
    assert_true(atomic_load(&worker.same_id));
    wf_client_close(client);
    stop_worker(&worker);
}

static void a_busy_answer_is_waited_out(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(5000, 4000);
    struct wf_envelope answer;
    start_worker(&worker, BUSY_ONCE);
    int64_t began = wf_monotonic_ms();
    assert_ok(ask(client, &answer), err);
    assert_in_range(wf_monotonic_ms() - began, 50, 3000);
    assert_int_equal(atomic_load(&worker.seen), 2);
    wf_client_close(client);
    stop_worker(&worker);
}

static void busy_for_longer_than_the_time_out_is_an_error(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(5000, 1000);
    struct wf_envelope answer;
    start_worker(&worker, ALWAYS_BUSY);
    int64_t began = wf_monotonic_ms();
    assert_int_equal(ask(client, &answer), WF_E_BUSY);
    assert_string_equal(err.text, "much later");
    assert_true(wf_monotonic_ms() - began < 3000);
    wf_client_close(client);
    stop_worker(&worker);
}

static void a_refusal_comes_back_with_code_text_and_field(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(0, 0);
    struct wf_envelope answer;
    start_worker(&worker, REFUSES);
    assert_int_equal(ask(client, &answer), WF_E_DENIED);
    assert_int_equal(err.code, WF_E_DENIED);
    assert_string_equal(err.text, "not you");
    assert_string_equal(err.field, "body.role");
    wf_client_close(client);
    stop_worker(&worker);
}

static void an_answer_to_an_earlier_request_is_passed_over(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(0, 0);
    struct wf_envelope answer;
    start_worker(&worker, OLD_ANSWER_FIRST);
    assert_ok(ask(client, &answer), err);
    assert_int_equal(answer.type, WF_MSG_done);
    wf_client_close(client);
    stop_worker(&worker);
}

static void a_silent_worker_ends_in_a_time_out(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(300, 100);
    struct wf_envelope answer;
    start_worker(&worker, SILENT);
    int64_t began = wf_monotonic_ms();
    assert_int_equal(ask(client, &answer), WF_E_TIMEOUT);
    assert_in_range(wf_monotonic_ms() - began, 300, 1500);
    wf_client_close(client);
    stop_worker(&worker);
}

static void an_absent_worker_is_named_in_the_time_out(void **state)
{
    (void)state;
    struct wf_client *client = open_client(100, 0);
    struct wf_envelope answer;
    assert_int_equal(ask(client, &answer), WF_E_TIMEOUT);
    assert_non_null(strstr(err.text, "routing cannot be reached"));
    wf_client_close(client);
}

static void a_fetch_may_wait_longer_than_the_time_out(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(200, 50);
    struct wf_value *all = wf_list(arena);
    assert_true(wf_list_add(arena, all, wf_text(arena, "*")));
    const struct wf_msg_task_fetch fetch = {.activity = wf_str("routing.consult"),
                                            .to = all,
                                            .by = wf_str("b"),
                                            .role = wf_str("agency"),
                                            .wait_ms = 400};
    struct wf_envelope answer;
    start_worker(&worker, SILENT);
    int64_t began = wf_monotonic_ms();
    int rc = wf_client_call(client, WF_ROUTING, WF_MSG_task_fetch, &fetch, arena, &answer, &err);
    assert_int_equal(rc, WF_E_TIMEOUT);
    assert_in_range(wf_monotonic_ms() - began, 600, 3000);
    assert_int_equal(atomic_load(&worker.seen), 2); /* not sent again while it was to wait */
    wf_client_close(client);
    stop_worker(&worker);
}

static void request_ids_differ_and_rise(void **state)
{
    (void)state;
    struct wf_client *client = open_client(0, 0);
    char a[WF_REQUEST_ID_SIZE];
    char b[WF_REQUEST_ID_SIZE];
    wf_client_new_id(client, a);
    wf_client_new_id(client, b);
    assert_true(strcmp(a, b) < 0);
    assert_int_equal(strlen(a), 28);
    wf_client_close(client);
}

static void many_requests_are_answered_in_one_stream(void **state)
{
    (void)state;
    struct worker worker;
    struct wf_client *client = open_client(0, 0);
    char id[WF_REQUEST_ID_SIZE];
    struct wf_envelope answer;
    start_worker(&worker, ANSWERS);
    for (int i = 0; i < 200; i++) {
        wf_client_new_id(client, id);
        assert_ok(wf_client_send(client, WF_ROUTING, WF_MSG_health, &ask_health, id, &err), err);
    }
    for (int i = 0; i < 200; i++)
        assert_ok(wf_client_receive(client, SOON_MS, arena, &answer, &err), err);
    assert_true(wf_str_is(answer.re, id));
    assert_int_equal(wf_client_receive(client, 0, arena, &answer, &err), WF_NONE);
    wf_client_close(client);
    stop_worker(&worker);
}

/* ---- for whom ------------------------------------------------------------------------------- */

/* What the first request to a hub of our own names as its party. */
static void assert_asked_for(const char *party)
{
    const struct wf_client_options options = {.timeout_ms = SOON_MS, .party = party};
    struct wf_hub *hub = open_hub(WF_ROUTING, NULL);
    struct wf_client *client = NULL;
    struct wf_asker asker;
    struct wf_slice frame;
    struct wf_envelope request;
    assert_ok(wf_client_open(run, &options, &client, &err), err);
    assert_ok(wf_client_send(client, WF_ROUTING, WF_MSG_health, &ask_health, "1", &err), err);
    assert_ok(next_request(hub, &asker, &frame), err);
    assert_ok(wf_message_unpack(frame, WF_END_PARTY, WF_END_ROUTING, arena, &request, &err), err);
    assert_true(wf_str_is(request.party, party != NULL ? party : ""));
    wf_client_close(client);
    wf_hub_close(hub);
}

static void a_program_of_the_host_asks_for_a_party(void **state)
{
    (void)state;
    assert_asked_for("post-vi-thanh");
    assert_asked_for(NULL);
}

static void through_a_gate_no_other_party_can_be_named(void **state)
{
    (void)state;
    struct wf_keypair keys;
    struct wf_client *client = NULL;
    const struct wf_client_options options = {.party = "post-vi-thanh"};
    assert_ok(wf_keypair_new(&keys, &err), err);
    assert_int_equal(
        wf_client_open_gate("tcp://127.0.0.1:1", keys.public, &keys, &options, &client, &err),
        WF_E_CONFIG);
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_call_is_answered),
        IN_FOLDER(a_call_waits_for_a_worker_that_starts_late),
        IN_FOLDER(a_lost_request_is_sent_again_with_the_same_id),
        IN_FOLDER(a_busy_answer_is_waited_out),
        IN_FOLDER(busy_for_longer_than_the_time_out_is_an_error),
        IN_FOLDER(a_refusal_comes_back_with_code_text_and_field),
        IN_FOLDER(an_answer_to_an_earlier_request_is_passed_over),
        IN_FOLDER(a_silent_worker_ends_in_a_time_out),
        IN_FOLDER(an_absent_worker_is_named_in_the_time_out),
        IN_FOLDER(a_fetch_may_wait_longer_than_the_time_out),
        IN_FOLDER(request_ids_differ_and_rise),
        IN_FOLDER(many_requests_are_answered_in_one_stream),
        IN_FOLDER(a_program_of_the_host_asks_for_a_party),
        IN_FOLDER(through_a_gate_no_other_party_can_be_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The gate with real workers: too much, bad bytes, and what a crash of it leaves. */
#include "support/test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/gated.h"
#include "workflow/clock.h"

#define PATIENCE_MS 30000

/* ---- bad messages ---------------------------------------------------------------------------- */

/* All that comes until `wanted` have come; each is an error. */
static void take_errors(struct wf_client *client, unsigned wanted)
{
    struct wf_error err = {0};
    struct wf_arena *arena = wf_arena_new(0);
    for (unsigned i = 0; i < wanted; i++) {
        struct wf_envelope answer = {0};
        if (wf_client_receive(client, PATIENCE_MS, arena, &answer, &err) != 0)
            fail_msg("answer %u of %u did not come", i + 1, wanted);
        assert_int_equal(answer.type, WF_MSG_error);
        wf_arena_reset(arena);
    }
    wf_arena_free(arena);
}

static void send_bad(struct wf_client *client, const void *bytes, size_t length)
{
    struct wf_error err = {0};
    assert_ok(wf_client_send_raw(client, WF_INTAKE, (struct wf_slice){bytes, length}, &err), err);
}

/* Every prefix of a good frame and each byte with one bit changed, 50 at a time. */
static void send_mutants(struct wf_client *client)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_error err = {0};
    struct wf_buf good = {0};
    struct wf_msg_dossier_submit body = host_dossier(arena, "never to be stored");
    body.procedure = wf_str("9.999999"); /* well-formed mutants are refused as well */
    const struct wf_envelope envelope = {
        .type = WF_MSG_dossier_submit, .id = wf_str("mutant"), .body = &body};
    assert_ok(wf_message_pack(&envelope, &good, &err), err);
    unsigned waiting = 0;
    for (size_t i = 0; i < 2 * good.len; i++) {
        size_t at = i / 2;
        if (i % 2 == 0) {
            send_bad(client, good.ptr, at);
        } else {
            good.ptr[at] ^= (uint8_t)(1u << (at % 8));
            send_bad(client, good.ptr, good.len);
            good.ptr[at] ^= (uint8_t)(1u << (at % 8));
        }
        if (++waiting == 50) {
            take_errors(client, waiting);
            waiting = 0;
        }
    }
    take_errors(client, waiting);
    wf_buf_fini(&good);
    wf_arena_free(arena);
}

static void bad_bytes_are_answered_here_and_store_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
#define ROW(text) {text, sizeof(text) - 1}
        ROW("x"),
        ROW("\x80"),
        ROW("\xdd\xff\x00\x00\x00"),
        ROW("\xdf\xff\xff\xff\xff"),
        ROW("\x82\xa1v\x01\xa1v\x01"),
        ROW("\x82\xa1v\x01\xa4type\xa4work"),
        ROW("\x84\xa1v\x01\xa4type\xa6health\xa2id\xa1"
            "a\xa4"
            "body\x80"), /* good, but for whom? */
        ROW("\xc7\x01\x01\x00"),
        ROW("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"),
#undef ROW
    };
    struct gated g;
    struct wf_error err = {0};
    gated_new(&g, "gate_rate = 1000000;\n");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    struct wf_client *client = gated_open(&g, "counter-a");
    struct wf_counts before = host_counts(&g.host);
    for (size_t i = 0; i < WF_COUNT(rows); i++)
        send_bad(client, rows[i].bytes, rows[i].length);
    take_errors(client, WF_COUNT(rows));
    send_mutants(client);
    char *large = calloc(1, WF_FRAME_MAX * 5);
    assert_non_null(large);
    send_bad(client, large, WF_FRAME_MAX + 1);
    take_errors(client, 1);
    send_bad(client, large, WF_FRAME_MAX * 5); /* costs the connection, no more */
    free(large);
    assert_ok(gated_ask(client, &err), err);
    struct wf_counts after = host_counts(&g.host);
    assert_memory_equal(&before, &after, sizeof(before));
    struct acknowledged ack = gated_submit(client, "as if nothing had been");
    wf_client_close(client);
    gated_end(&g, &ack, 1);
}

/* ---- too much -------------------------------------------------------------------------------- */

static void send_health(struct wf_client *client)
{
    const struct wf_msg_health body = {0};
    struct wf_error err = {0};
    char id[WF_REQUEST_ID_SIZE];
    wf_client_new_id(client, id);
    assert_ok(wf_client_send(client, WF_ROUTING, WF_MSG_health, &body, id, &err), err);
}

/* One party sends far more than it may; each of its messages is answered, few are passed on, and
 * the other party is served all the while. */
static void a_flood_of_one_leaves_the_others_alone(void **state)
{
    (void)state;
    enum { ROUNDS = 40, BURST = 50, RATE = 5 };
    struct gated g;
    struct wf_error err = {0};
    struct acknowledged acks[ROUNDS];
    unsigned passed = 0;
    unsigned busy = 0;
    gated_new(&g, "");
    gated_party(&g, "flood", COUNTER_SITE, RATE);
    gated_party(&g, "counter-a", COUNTER_SITE, 1000);
    struct wf_client *good = gated_open(&g, "counter-a");
    struct wf_client *flood = gated_open(&g, "flood");
    struct wf_arena *arena = wf_arena_new(0);
    int64_t began = wf_monotonic_ms();
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < BURST; i++)
            send_health(flood);
        acks[round] = gated_submit(good, "during the flood");
        (void)snprintf(acks[round].note, sizeof(acks[round].note), "during the flood");
        for (unsigned i = 0; i < BURST; i++) {
            struct wf_envelope answer = {0};
            assert_int_equal(wf_client_receive(flood, PATIENCE_MS, arena, &answer, &err), 0);
            passed += answer.type == WF_MSG_health_report;
            if (answer.type != WF_MSG_error)
                continue;
            const struct wf_msg_error *said = answer.body;
            assert_true(wf_str_is(said->code, "busy"));
            assert_true(said->retry_ms > 0);
            busy++;
        }
        wf_arena_reset(arena);
    }
    int64_t seconds = (wf_monotonic_ms() - began) / 1000 + 1;
    assert_int_equal(passed + busy, ROUNDS * BURST);
    assert_true((int64_t)passed <= RATE * (seconds + 2)); /* two seconds' worth may be saved up */
    wf_arena_free(arena);
    wf_client_close(good);
    wf_client_close(flood);
    gated_end(&g, acks, ROUNDS);
}

static void one_partys_waiting_requests_are_bounded(void **state)
{
    (void)state;
    enum { MOST = 8, SENT = 20 };
    struct gated g;
    struct wf_error err = {0};
    unsigned busy = 0;
    gated_new(&g, "gate_unanswered = 8;\n");
    gated_party(&g, "polls", COUNTER_SITE, 1000);
    gated_party(&g, "counter-a", COUNTER_SITE, 1000);
    struct wf_client *good = gated_open(&g, "counter-a");
    struct wf_client *polls = gated_open(&g, "polls");
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *to = wf_list(arena);
    wf_list_add(arena, to, wf_text(arena, COUNTER_SITE));
    const struct wf_msg_task_fetch fetch = {.activity = wf_str("verification.review"),
                                            .to = to,
                                            .by = wf_str("an"),
                                            .role = wf_str("civil_servant"),
                                            .wait_ms = 10000};
    for (unsigned i = 0; i < SENT; i++) {
        char id[WF_REQUEST_ID_SIZE];
        wf_client_new_id(polls, id);
        assert_ok(wf_client_send(polls, WF_VERIFICATION, WF_MSG_task_fetch, &fetch, id, &err), err);
    }
    for (unsigned i = 0; i < SENT; i++) {
        struct wf_envelope answer = {0};
        assert_int_equal(wf_client_receive(polls, PATIENCE_MS, arena, &answer, &err), 0);
        busy += answer.type == WF_MSG_error;
        if (i == 0)
            assert_ok(gated_ask(good, &err), err);
    }
    assert_int_equal(busy, SENT - MOST);
    wf_arena_free(arena);
    wf_client_close(good);
    wf_client_close(polls);
    gated_close(&g);
}

static int connect_silently(const struct gated *g)
{
    unsigned port = 0;
    assert_int_equal(sscanf(g->endpoint, "tcp://127.0.0.1:%u", &port), 1);
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

/* Reads on until the other side has closed. */
static void expect_end(int fd)
{
    char bytes[256];
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, PATIENCE_MS) != 1)
            fail_msg("a silent connection was left open for %d ms", PATIENCE_MS);
        if (read(fd, bytes, sizeof(bytes)) <= 0)
            break;
    }
    (void)close(fd);
}

/* A worker answers a whole batch after one commit. */
static void all_answers_of_a_batch_reach_the_party_that_waits_for_them(void **state)
{
    (void)state;
    const unsigned window = 250; /* gate_unanswered is 256 */
    struct gated g;
    struct wf_error err = {0};
    struct wf_arena *arena = wf_arena_new(0);
    gated_new(&g, "gate_rate = 1000000;\n");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    struct wf_client *client = gated_open(&g, "counter-a");
    for (unsigned round = 0; round < 4; round++) {
        struct wf_msg_dossier_submit body = host_dossier(arena, "one of a batch");
        for (unsigned i = 0; i < window; i++) {
            char id[WF_REQUEST_ID_SIZE];
            wf_client_new_id(client, id);
            assert_ok(wf_client_send(client, WF_INTAKE, WF_MSG_dossier_submit, &body, id, &err),
                      err);
        }
        for (unsigned i = 0; i < window; i++) {
            struct wf_envelope answer = {0};
            if (wf_client_receive(client, PATIENCE_MS, arena, &answer, &err) != 0)
                fail_msg("round %u: answer %u of %u did not come", round, i + 1, window);
            assert_int_equal(answer.type, WF_MSG_dossier_state);
        }
        wf_arena_reset(arena);
    }
    wf_client_close(client);
    wf_arena_free(arena);
    assert_true(host_settle(&g.host, PATIENCE_MS));
    gated_close(&g);
}

static void silent_connections_are_ended_and_harm_nobody(void **state)
{
    (void)state;
    enum { SILENT = 300 };
    struct gated g;
    int fds[SILENT];
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    for (size_t i = 0; i < SILENT; i++)
        fds[i] = connect_silently(&g);
    struct wf_client *client = gated_open(&g, "counter-a");
    struct acknowledged ack = gated_submit(client, "among the silent");
    for (size_t i = 0; i < SILENT; i++)
        expect_end(fds[i]);
    wf_client_close(client);
    gated_end(&g, &ack, 1);
}

/* ---- crashes --------------------------------------------------------------------------------- */

struct worker_thread {
    pthread_t thread;
    struct wf_client *client;
    struct acknowledged *acks;
    size_t n;
    struct wf_error err;
    int rc;
};

/* Never asserts: cmocka would jump out of the wrong stack. */
static void *file_all(void *context)
{
    struct worker_thread *w = context;
    for (size_t i = 0; i < w->n && w->rc == 0; i++) {
        wf_client_new_id(w->client, w->acks[i].id);
        (void)snprintf(w->acks[i].note, sizeof(w->acks[i].note), "dossier %zu", i);
        w->rc = host_submit(w->client, w->acks[i].id, w->acks[i].note, 4 * PATIENCE_MS,
                            w->acks[i].code, &w->err);
    }
    return NULL;
}

static void a_killed_gate_loses_and_doubles_nothing(void **state)
{
    (void)state;
    enum { N = 200, KILLS = 4 };
    struct gated g;
    struct wf_error err = {0};
    struct worker_thread w = {.n = N};
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 1000);
    w.client = gated_open(&g, "counter-a");
    w.acks = calloc(N, sizeof(*w.acks));
    assert_non_null(w.acks);
    assert_int_equal(pthread_create(&w.thread, NULL, file_all, &w), 0);
    for (int i = 0; i < KILLS; i++) {
        sleep_ms(60 + 40 * i);
        assert_int_equal(host_stop_gate(&g.host, SIGKILL), 128 + SIGKILL);
        assert_true(host_start_gate(&g.host, NULL));
    }
    assert_int_equal(pthread_join(w.thread, NULL), 0);
    assert_ok(w.rc, w.err);
    for (size_t i = 0; i < N; i += 7) { /* asked again: the same answer */
        char again[65];
        assert_ok(host_submit(w.client, w.acks[i].id, w.acks[i].note, PATIENCE_MS, again, &err),
                  err);
        assert_string_equal(again, w.acks[i].code);
    }
    wf_client_close(w.client);
    gated_end(&g, w.acks, N);
    free(w.acks);
}

static void a_worker_that_is_away_is_busy_and_the_others_answer(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    struct wf_client *client = gated_open(&g, "counter-a");
    const struct wf_keypair keys = gated_keys(&g, "counter-a");
    struct wf_client *hasty = gated_client(&g, &keys, g.gate_key, 3000);
    assert_int_equal(host_stop(&g.host, WF_INTAKE, SIGTERM), 0);
    int rc = gated_get(hasty, "000.00.13.H30-261123-0000001", &err);
    assert_true(rc == WF_E_BUSY || rc == WF_E_TIMEOUT);
    assert_ok(gated_ask(hasty, &err), err);
    host_start_all(&g.host);
    struct acknowledged ack = gated_submit(client, "after it came back");
    wf_client_close(client);
    wf_client_close(hasty);
    gated_end(&g, &ack, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_bytes_are_answered_here_and_store_nothing),
        cmocka_unit_test(a_flood_of_one_leaves_the_others_alone),
        cmocka_unit_test(one_partys_waiting_requests_are_bounded),
        cmocka_unit_test(all_answers_of_a_batch_reach_the_party_that_waits_for_them),
        cmocka_unit_test(silent_connections_are_ended_and_harm_nobody),
        cmocka_unit_test(a_killed_gate_loses_and_doubles_nothing),
        cmocka_unit_test(a_worker_that_is_away_is_busy_and_the_others_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

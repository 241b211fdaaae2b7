/* SPDX-License-Identifier: Apache-2.0 */
/* The public door: who is let in, what comes through, and the files of keys. */
#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "support/tempdir.h"
#include "workflow/client.h"
#include "workflow/clock.h"
#include "workflow/door.h"

#define PATIENCE_MS 20000 /* of a test on a slow machine; a good run takes none of it */

/* The pairs that zmq_curve(7) prints. */
#define PRINTED_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define PRINTED_SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

#define SOCKETS_MAX 32 /* of one test */

struct bench {
    struct tempdir dir;
    struct wf_keypair server, good, bad;
    struct wf_door *door;
    struct wf_arena *arena;
    void *context; /* of plain clients, which leave without waiting */
    void *sockets[SOCKETS_MAX];
    size_t n_sockets;
    unsigned told[WF_REFUSED_REASONS];
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct wf_error err = {0};
    assert_non_null(b);
    tempdir_init(&b->dir);
    assert_ok(wf_keypair_new(&b->server, &err), err);
    assert_ok(wf_keypair_new(&b->good, &err), err);
    assert_ok(wf_keypair_new(&b->bad, &err), err);
    b->arena = wf_arena_new(0);
    b->context = zmq_ctx_new();
    (void)zmq_ctx_set(b->context, ZMQ_BLOCKY, 0);
    *state = b;
    return 0;
}

/* Kept, so that a test that fails half-way leaves none open: the context would wait for it. */
static void *keep(struct bench *b, void *socket)
{
    assert_non_null(socket);
    assert_true(b->n_sockets < SOCKETS_MAX);
    b->sockets[b->n_sockets++] = socket;
    return socket;
}

static void hang_up(struct bench *b, void *socket)
{
    for (size_t i = 0; i < b->n_sockets; i++) {
        if (b->sockets[i] == socket) {
            b->sockets[i] = b->sockets[--b->n_sockets];
            (void)zmq_close(socket);
        }
    }
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    while (b->n_sockets > 0)
        hang_up(b, b->sockets[0]);
    wf_door_close(b->door);
    (void)zmq_ctx_term(b->context);
    wf_arena_free(b->arena);
    tempdir_fini(&b->dir);
    free(b);
    return 0;
}

static void open_door_with(struct bench *b, struct wf_door_options options)
{
    const struct wf_door_key listed[] = {
        {b->good.public, "counter"}, {PRINTED_PUBLIC, NULL}, {"no key", NULL}};
    struct wf_error err = {0};
    options.endpoint = "tcp://127.0.0.1:*";
    options.run = b->dir.path;
    options.keys = &b->server;
    assert_ok(wf_door_open(&options, &b->door, &err), err);
    assert_ok(wf_door_allow(b->door, listed, WF_COUNT(listed), &err), err);
}

static void open_door(struct bench *b, int connections)
{
    open_door_with(b, (struct wf_door_options){.connections = connections});
}

/* A plain DEALER with one option of its own; no keys = no CURVE. */
static void *dealer_that(struct bench *b, const struct wf_keypair *keys, const char *server_key,
                         const char *routing_id, int option, int value)
{
    void *socket = keep(b, zmq_socket(b->context, ZMQ_DEALER));
    assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof(value)), 0);
    if (keys != NULL) {
        assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public, 40), 0);
        assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret, 40), 0);
        assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, 40), 0);
    }
    if (routing_id != NULL)
        assert_int_equal(zmq_setsockopt(socket, ZMQ_ROUTING_ID, routing_id, strlen(routing_id)), 0);
    assert_int_equal(zmq_connect(socket, wf_door_endpoint(b->door)), 0);
    return socket;
}

static void *dealer(struct bench *b, const struct wf_keypair *keys, const char *server_key,
                    const char *routing_id)
{
    return dealer_that(b, keys, server_key, routing_id, ZMQ_LINGER, 0);
}

static void send_text(void *socket, const char *text, int flags)
{
    assert_int_equal(zmq_send(socket, text, strlen(text), flags), (int)strlen(text));
}

/* The next message; fails the test when none comes. Gives the code of receiving. */
static int next(struct bench *b, struct wf_asker *asker, char key[WF_KEY_SIZE],
                struct wf_slice *frame)
{
    struct wf_error err = {0};
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    while (wf_monotonic_ms() < until) {
        assert_ok(wf_door_wait(b->door, NULL, 0, 50, &err), err);
        int rc = wf_door_receive(b->door, b->arena, asker, key, frame, &err);
        if (rc != WF_NONE)
            return rc;
    }
    fail_msg("no message came within %d ms", PATIENCE_MS);
    return 0;
}

static void expect_text(struct bench *b, const char *text)
{
    struct wf_asker asker;
    char key[WF_KEY_SIZE];
    struct wf_slice frame = {NULL, 0};
    assert_int_equal(next(b, &asker, key, &frame), 0);
    assert_int_equal(frame.len, strlen(text));
    assert_memory_equal(frame.ptr, text, frame.len);
    assert_string_equal(key, b->good.public);
}

/* ---- who is let in --------------------------------------------------------------------------- */

static void a_registered_key_comes_through_and_is_told(void **state)
{
    struct bench *b = *state;
    struct wf_error err = {0};
    struct wf_asker asker;
    struct wf_slice frame;
    char key[WF_KEY_SIZE];
    char answer[8] = "";
    open_door(b, 0);
    void *socket = dealer(b, &b->good, b->server.public, NULL);
    send_text(socket, "one", ZMQ_SNDMORE);
    send_text(socket, "two", 0);
    expect_text(b, "one");
    assert_int_equal(next(b, &asker, key, &frame), 0);
    assert_string_equal(key, b->good.public);
    assert_ok(
        wf_door_reply(b->door, &asker, (struct wf_slice){(const uint8_t *)"yes", 3}, NULL, &err),
        err);
    assert_int_equal(zmq_recv(socket, answer, sizeof(answer), 0), 3);
    assert_memory_equal(answer, "yes", 3);
    assert_true(wf_door_figures(b->door).connections >= 1);
}

/* Until so many were counted and one was told with its address. */
static void until_refused(struct bench *b, enum wf_refused why, uint64_t times)
{
    struct wf_error err = {0};
    struct wf_refusal refusal;
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    while ((wf_door_figures(b->door).refused[why] < times || b->told[why] == 0) &&
           wf_monotonic_ms() < until) {
        assert_ok(wf_door_wait(b->door, NULL, 0, 50, &err), err);
        while (wf_door_refusal(b->door, &refusal) == 0)
            b->told[refusal.why] += strcmp(refusal.address, "127.0.0.1") == 0;
    }
    assert_true(wf_door_figures(b->door).refused[why] >= times);
    assert_true(b->told[why] > 0);
}

/* The refused send first and keep on trying; all that arrives is the good one's. */
static void nobody_else_gets_a_byte_through(void **state)
{
    struct bench *b = *state;
    struct wf_keypair printed = {PRINTED_PUBLIC, PRINTED_SECRET};
    struct wf_asker asker;
    struct wf_slice frame;
    char key[WF_KEY_SIZE];
    struct wf_error err = {0};
    open_door(b, 0);
    assert_int_equal(wf_door_figures(b->door).refused[WF_REFUSED_KEY], 0); /* nor the proof's */
    void *refused[] = {dealer(b, &b->bad, b->server.public, NULL), dealer(b, NULL, NULL, NULL),
                       dealer(b, &b->good, b->bad.public, NULL),
                       dealer(b, &printed, b->server.public, NULL)};
    for (size_t i = 0; i < WF_COUNT(refused); i++)
        send_text(refused[i], "let me in", 0);
    until_refused(b, WF_REFUSED_KEY, 2);
    until_refused(b, WF_REFUSED_SHAKE, 2);
    assert_int_equal(wf_door_figures(b->door).refused[WF_REFUSED_CROWD], 0);
    void *socket = dealer(b, &b->good, b->server.public, NULL);
    for (int i = 0; i < 20; i++) {
        send_text(socket, "me", 0);
        expect_text(b, "me");
    }
    assert_int_equal(wf_door_receive(b->door, b->arena, &asker, key, &frame, &err), WF_NONE);
}

static void a_new_list_lets_in_whom_the_old_one_did_not(void **state)
{
    struct bench *b = *state;
    struct wf_error err = {0};
    struct wf_asker asker;
    struct wf_slice frame;
    char key[WF_KEY_SIZE];
    open_door(b, 0);
    const struct wf_door_key listed[] = {{b->bad.public, NULL}};
    void *old = dealer(b, &b->good, b->server.public, NULL);
    send_text(old, "before", 0);
    expect_text(b, "before");
    assert_ok(wf_door_allow(b->door, listed, 1, &err), err);
    send_text(old, "still connected", 0); /* with its key, for the gate to look up */
    expect_text(b, "still connected");
    void *fresh = dealer(b, &b->bad, b->server.public, NULL);
    send_text(fresh, "now", 0);
    assert_int_equal(next(b, &asker, key, &frame), 0);
    assert_string_equal(key, b->bad.public);
}

static void a_routing_id_of_ones_own_choice_is_refused(void **state)
{
    struct bench *b = *state;
    struct wf_asker asker;
    struct wf_slice frame;
    char key[WF_KEY_SIZE];
    open_door(b, 0);
    void *socket = dealer(b, &b->good, b->server.public, "counter-1");
    send_text(socket, "hello", 0);
    assert_int_equal(next(b, &asker, key, &frame), WF_E_INVALID);
    assert_int_equal(asker.len, strlen("counter-1"));
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void oversize_and_too_many_frames_are_refused_and_the_rest_goes_on(void **state)
{
    struct bench *b = *state;
    struct wf_asker asker;
    struct wf_slice frame;
    char key[WF_KEY_SIZE];
    char *large = calloc(1, WF_FRAME_MAX + 1);
    assert_non_null(large);
    open_door(b, 0);
    void *socket = dealer(b, &b->good, b->server.public, NULL);
    assert_true(zmq_send(socket, large, WF_FRAME_MAX + 1, 0) > 0);
    assert_int_equal(next(b, &asker, key, &frame), WF_E_INVALID);
    assert_true(asker.len > 0);
    for (int i = 0; i < 1000; i++)
        send_text(socket, "many", i < 999 ? ZMQ_SNDMORE : 0);
    for (int i = 0; i < 64; i++)
        expect_text(b, "many");
    assert_int_equal(next(b, &asker, key, &frame), WF_E_INVALID);
    send_text(socket, "after", 0);
    expect_text(b, "after");
    assert_int_equal(wf_door_figures(b->door).dropped, 1 + 936);
    free(large);
}

/* By bytes, whatever ZeroMQ says of messages; given back when the connection has ended. */
static void answers_that_nobody_takes_are_bounded(void **state)
{
    enum { SENT = 100, EACH = 1024 * 1024 };
    struct bench *b = *state;
    struct wf_error err = {0};
    struct wf_asker asker;
    struct wf_slice frame;
    struct wf_untaken untaken = {0};
    char key[WF_KEY_SIZE];
    int64_t most = 0;
    unsigned taken = 0;
    uint8_t *large = calloc(1, EACH);
    assert_non_null(large);
    open_door_with(b, (struct wf_door_options){.slow_ms = 300});
    void *socket = dealer_that(b, &b->good, b->server.public, NULL, ZMQ_RCVHWM, 1);
    send_text(socket, "all of it", 0);
    assert_int_equal(next(b, &asker, key, &frame), 0);
    uint64_t ended = wf_door_figures(b->door).ended;
    for (unsigned i = 0; i < SENT; i++) {
        int rc = wf_door_reply(b->door, &asker, (struct wf_slice){large, EACH}, &untaken, &err);
        assert_true(rc == 0 || rc == WF_E_BUSY);
        taken += rc == 0;
        int64_t now = __atomic_load_n(&untaken.bytes, __ATOMIC_RELAXED);
        most = now > most ? now : most;
    }
    free(large);
    assert_true(most > 0 && most <= WF_UNTAKEN_MOST);
    assert_true(taken < SENT);
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    while ((__atomic_load_n(&untaken.bytes, __ATOMIC_RELAXED) > 0 ||
            wf_door_figures(b->door).ended == ended) &&
           wf_monotonic_ms() < until)
        assert_ok(wf_door_wait(b->door, NULL, 0, 20, &err), err);
    assert_int_equal(untaken.bytes, 0); /* cut off, and let go */
    assert_true(wf_door_figures(b->door).ended > ended);
}

static void a_full_door_is_shut_and_opens_again(void **state)
{
    enum { MOST = 8 };
    struct bench *b = *state;
    struct wf_error err = {0};
    void *inside[MOST];
    open_door(b, MOST);
    for (size_t i = 0; i < MOST; i++) {
        inside[i] = dealer(b, &b->good, b->server.public, NULL);
        send_text(inside[i], "in", 0);
        expect_text(b, "in");
    }
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    while (wf_door_figures(b->door).shut == 0 && wf_monotonic_ms() < until)
        assert_ok(wf_door_wait(b->door, NULL, 0, 50, &err), err);
    assert_int_equal(wf_door_figures(b->door).shut, 1);
    void *outside = dealer(b, &b->good, b->server.public, NULL);
    send_text(outside, "let me in as well", 0);
    send_text(inside[0], "still here", 0);
    expect_text(b, "still here");
    for (size_t i = 1; i < MOST; i++)
        hang_up(b, inside[i]);
    expect_text(b, "let me in as well");
}

/* Two keys of one owner count together; another owner does not notice. */
static void one_owner_has_so_many_connections_and_the_others_come_in(void **state)
{
    enum { MOST = 3 };
    struct bench *b = *state;
    struct wf_error err = {0};
    struct wf_asker asker;
    struct wf_slice frame;
    char key[WF_KEY_SIZE];
    struct wf_keypair second;
    void *inside[MOST];
    open_door_with(b, (struct wf_door_options){.per_owner = MOST});
    assert_ok(wf_keypair_new(&second, &err), err);
    const struct wf_door_key listed[] = {
        {b->good.public, "counter"}, {second.public, "counter"}, {b->bad.public, "desk"}};
    assert_ok(wf_door_allow(b->door, listed, WF_COUNT(listed), &err), err);
    for (size_t i = 0; i < MOST; i++) {
        inside[i] = dealer(b, i == 0 ? &second : &b->good, b->server.public, NULL);
        send_text(inside[i], "in", 0);
        assert_int_equal(next(b, &asker, key, &frame), 0);
    }
    void *outside = dealer(b, &b->good, b->server.public, NULL);
    send_text(outside, "and me", 0);
    until_refused(b, WF_REFUSED_CROWD, 2); /* it tries again by itself */
    assert_int_equal(wf_door_receive(b->door, b->arena, &asker, key, &frame, &err), WF_NONE);
    void *other = dealer(b, &b->bad, b->server.public, NULL);
    send_text(other, "desk", 0);
    assert_int_equal(next(b, &asker, key, &frame), 0);
    assert_string_equal(key, b->bad.public);
    send_text(inside[1], "still here", 0);
    expect_text(b, "still here");
    hang_up(b, inside[0]);
    expect_text(b, "and me");
}

/* A key and nothing else takes no place for long; who has spoken may be silent. */
static void a_connection_that_never_speaks_is_ended(void **state)
{
    struct bench *b = *state;
    struct wf_error err = {0};
    open_door_with(b, (struct wf_door_options){.silent_ms = 200});
    void *spoken = dealer(b, &b->good, b->server.public, NULL);
    send_text(spoken, "once", 0);
    expect_text(b, "once");
    void *silent = dealer(b, &b->good, b->server.public, NULL);
    void *ends[2];
    void *sockets[2] = {spoken, silent};
    static const char *const names[] = {"inproc://spoken", "inproc://silent"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(zmq_socket_monitor(sockets[i], names[i], ZMQ_EVENT_DISCONNECTED), 0);
        ends[i] = keep(b, zmq_socket(b->context, ZMQ_PAIR));
        assert_int_equal(zmq_connect(ends[i], names[i]), 0);
    }
    zmq_pollitem_t end = {ends[1], 0, ZMQ_POLLIN, 0};
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    while (zmq_poll(&end, 1, 0) == 0 && wf_monotonic_ms() < until)
        assert_ok(wf_door_wait(b->door, NULL, 0, 20, &err), err);
    assert_int_equal(end.revents, ZMQ_POLLIN);
    end.socket = ends[0];
    assert_int_equal(zmq_poll(&end, 1, 0), 0);
    for (size_t i = 0; i < 2; i++)
        (void)zmq_socket_monitor(sockets[i], NULL, 0);
}

/* ---- the way on ------------------------------------------------------------------------------ */

static void requests_reach_a_worker_and_answers_come_back(void **state)
{
    struct bench *b = *state;
    const struct wf_hub_options alone = {.no_peers = true};
    struct wf_hub *hub = NULL;
    struct wf_error err = {0};
    struct wf_asker asker;
    struct wf_slice frame;
    int ready = 0;
    open_door(b, 0);
    const struct wf_slice hello = {(const uint8_t *)"hello", 5};
    assert_int_equal(wf_door_ask(b->door, WF_ROUTING, hello, &err), WF_E_BUSY); /* it is away */
    assert_ok(wf_hub_open(b->dir.path, WF_ROUTING, &alone, &hub, &err), err);
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    while (wf_door_ask(b->door, WF_ROUTING, hello, &err) == WF_E_BUSY && wf_monotonic_ms() < until)
        (void)usleep(10000);
    assert_ok(wf_hub_wait(hub, NULL, 0, PATIENCE_MS, &ready, &err), err);
    assert_ok(wf_hub_receive(hub, b->arena, &asker, &frame, &err), err);
    assert_memory_equal(frame.ptr, "hello", 5);
    assert_ok(wf_hub_reply(hub, &asker, hello, &err), err);
    assert_ok(wf_door_wait(b->door, NULL, 0, PATIENCE_MS, &err), err);
    int rc = WF_NONE;
    while ((rc = wf_door_hear(b->door, WF_ROUTING, b->arena, &frame, &err)) == WF_NONE &&
           wf_monotonic_ms() < until)
        assert_ok(wf_door_wait(b->door, NULL, 0, 50, &err), err);
    assert_ok(rc, err);
    assert_int_equal(frame.len, 5);
    wf_hub_close(hub);
}

/* ---- key files ------------------------------------------------------------------------------- */

static void a_key_file_comes_back_and_is_for_its_owner_only(void **state)
{
    struct bench *b = *state;
    struct wf_error err = {0};
    struct wf_keypair back = {0};
    struct wf_key_place there = {.endpoint = "tcp://10.0.0.7:5570"};
    struct wf_key_place place = {0};
    struct stat is;
    char path[300];
    (void)tempdir_path(&b->dir, "party.key", path, sizeof(path));
    memcpy(there.gate, b->server.public, WF_KEY_SIZE);
    assert_ok(wf_keypair_write(path, &b->good, &there, &err), err);
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_ok(wf_keypair_read(path, &back, &place, &err), err);
    assert_memory_equal(&back, &b->good, sizeof(back));
    assert_string_equal(place.gate, b->server.public);
    assert_string_equal(place.endpoint, "tcp://10.0.0.7:5570");
    assert_int_equal(wf_keypair_write(path, &b->good, NULL, &err), WF_E_STATE); /* never over */
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(wf_keypair_read(path, &back, NULL, &err), WF_E_CONFIG);
    assert_null(strstr(err.text, b->good.secret));
}

static void a_damaged_or_printed_pair_is_refused(void **state)
{
    struct bench *b = *state;
    struct wf_error err = {0};
    struct wf_keypair mixed = b->good;
    struct wf_keypair printed = {PRINTED_PUBLIC, PRINTED_SECRET};
    struct wf_keypair back = {0};
    char path[300];
    memcpy(mixed.public, b->bad.public, WF_KEY_SIZE);
    (void)tempdir_path(&b->dir, "mixed.key", path, sizeof(path));
    assert_ok(wf_keypair_write(path, &mixed, NULL, &err), err);
    assert_int_equal(wf_keypair_read(path, &back, NULL, &err), WF_E_CONFIG);
    (void)tempdir_path(&b->dir, "printed.key", path, sizeof(path));
    assert_ok(wf_keypair_write(path, &printed, NULL, &err), err);
    assert_int_equal(wf_keypair_read(path, &back, NULL, &err), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "manual"));
    assert_int_equal(back.public[0], '\0');
    (void)tempdir_path(&b->dir, "none.key", path, sizeof(path));
    assert_int_equal(wf_keypair_read(path, &back, NULL, &err), WF_E_CONFIG);
}

/* ---- the client ------------------------------------------------------------------------------ */

static void a_client_tells_a_wrong_key_at_once(void **state)
{
    struct bench *b = *state;
    struct wf_error err = {0};
    struct wf_client *client = NULL;
    assert_int_equal(
        wf_client_open_gate("tcp://127.0.0.1:1", "short", &b->good, NULL, &client, &err),
        WF_E_CONFIG);
    assert_null(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_registered_key_comes_through_and_is_told),
        TEST(nobody_else_gets_a_byte_through),
        TEST(a_new_list_lets_in_whom_the_old_one_did_not),
        TEST(a_routing_id_of_ones_own_choice_is_refused),
        TEST(oversize_and_too_many_frames_are_refused_and_the_rest_goes_on),
        TEST(answers_that_nobody_takes_are_bounded),
        TEST(a_full_door_is_shut_and_opens_again),
        TEST(one_owner_has_so_many_connections_and_the_others_come_in),
        TEST(a_connection_that_never_speaks_is_ended),
        TEST(requests_reach_a_worker_and_answers_come_back),
        TEST(a_key_file_comes_back_and_is_for_its_owner_only),
        TEST(a_damaged_or_printed_pair_is_refused),
        TEST(a_client_tells_a_wrong_key_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

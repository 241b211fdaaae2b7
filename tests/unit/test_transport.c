/* SPDX-License-Identifier: Apache-2.0 */
#include "support/run_folder.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "workflow/clock.h"

static struct wf_slice bytes(const char *text)
{
    return (struct wf_slice){(const uint8_t *)text, strlen(text)};
}

static void answer_done(struct wf_hub *hub, const struct wf_asker *asker, struct wf_str re)
{
    const struct wf_msg_done done = {.dossier = wf_str("H")};
    const struct wf_envelope envelope = {.type = WF_MSG_done, .re = re, .body = &done};
    struct wf_buf buf = {0};
    assert_ok(wf_message_pack(&envelope, &buf, &err), err);
    assert_ok(wf_hub_reply(hub, asker, (struct wf_slice){buf.ptr, buf.len}, &err), err);
    wf_buf_fini(&buf);
}

/* ---- hub ------------------------------------------------------------------------------------ */

/* Several frames in one go, which our own client never sends. */
static void *send_frames(void *context, size_t n)
{
    char endpoint[128];
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/intake.sock", run);
    void *socket = zmq_socket(context, ZMQ_DEALER);
    assert_non_null(socket);
    assert_int_equal(zmq_connect(socket, endpoint), 0);
    for (size_t i = 0; i < n; i++) {
        uint8_t number = (uint8_t)i;
        assert_int_equal(zmq_send(socket, &number, 1, i + 1 < n ? ZMQ_SNDMORE : 0), 1);
    }
    return socket;
}

static void several_frames_are_several_messages(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    void *context = zmq_ctx_new();
    void *socket = send_frames(context, 3);
    struct wf_asker asker;
    struct wf_slice frame;
    for (uint8_t i = 0; i < 3; i++) {
        int ready;
        assert_ok(next_request(hub, &asker, &frame), err);
        assert_int_equal(frame.len, 1);
        assert_int_equal(frame.ptr[0], i);
        if (i < 2) { /* what is read in part counts as ready */
            assert_ok(wf_hub_wait(hub, NULL, 0, SOON_MS, &ready, &err), err);
            assert_int_equal(ready, 1);
        }
        assert_ok(wf_hub_reply(hub, &asker, frame, &err), err);
    }
    uint8_t back;
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(zmq_recv(socket, &back, 1, 0), 1);
        assert_int_equal(back, i);
    }
    (void)zmq_close(socket);
    (void)zmq_ctx_term(context);
    wf_hub_close(hub);
}

static void frames_beyond_the_64th_are_dropped_and_counted(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    void *context = zmq_ctx_new();
    void *socket = send_frames(context, 100);
    struct wf_asker asker;
    struct wf_slice frame;
    for (int i = 0; i < 64; i++)
        assert_ok(next_request(hub, &asker, &frame), err);
    assert_int_equal(next_request(hub, &asker, &frame), WF_E_INVALID);
    assert_true(asker.len > 0);
    assert_int_equal(wf_hub_dropped(hub), 36);
    assert_int_equal(zmq_send(socket, "x", 1, 0), 1);
    assert_ok(next_request(hub, &asker, &frame), err);
    assert_int_equal(frame.ptr[0], 'x');
    (void)zmq_close(socket);
    (void)zmq_ctx_term(context);
    wf_hub_close(hub);
}

static void an_address_too_long_to_keep_is_refused(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_DEALER);
    char endpoint[128];
    char id[40];
    memset(id, 'i', sizeof(id));
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/intake.sock", run);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, sizeof(id)), 0);
    assert_int_equal(zmq_connect(socket, endpoint), 0);
    assert_int_equal(zmq_send(socket, "x", 1, 0), 1);
    struct wf_asker asker;
    struct wf_slice frame;
    assert_int_equal(next_request(hub, &asker, &frame), WF_E_INVALID);
    assert_int_equal(asker.len, 0);
    assert_int_equal(wf_hub_receive(hub, arena, &asker, &frame, &err), WF_NONE);
    (void)zmq_close(socket);
    (void)zmq_ctx_term(context);
    wf_hub_close(hub);
}

static void an_oversize_message_is_refused_and_the_asker_known(void **state)
{
    (void)state;
    const struct wf_hub_options small = {.max_frame = 100};
    struct wf_hub *hub = open_hub(WF_INTAKE, &small);
    struct wf_client *client = open_client(0, 0);
    char big[150];
    memset(big, 'x', sizeof(big));
    assert_ok(wf_client_send_raw(client, WF_INTAKE, (struct wf_slice){(uint8_t *)big, 150}, &err),
              err);
    assert_ok(wf_client_send_raw(client, WF_INTAKE, bytes("after"), &err), err);

    struct wf_asker asker;
    struct wf_slice frame;
    assert_int_equal(next_request(hub, &asker, &frame), WF_E_INVALID);
    assert_non_null(strstr(err.text, "150 bytes"));
    answer_done(hub, &asker, wf_str("r"));
    struct wf_envelope answer;
    assert_ok(wf_client_receive(client, SOON_MS, arena, &answer, &err), err);
    assert_ok(next_request(hub, &asker, &frame), err);
    assert_int_equal(frame.len, 5);
    assert_int_equal(wf_hub_dropped(hub), 1);
    wf_client_close(client);
    wf_hub_close(hub);
}

static void a_message_far_over_the_limit_costs_the_connection_only(void **state)
{
    (void)state;
    const struct wf_hub_options small = {.max_frame = 100};
    struct wf_hub *hub = open_hub(WF_INTAKE, &small);
    struct wf_client *client = open_client(0, 0);
    char big[5000];
    memset(big, 'x', sizeof(big));
    assert_ok(wf_client_send_raw(client, WF_INTAKE, (struct wf_slice){(uint8_t *)big, 5000}, &err),
              err);
    int64_t until = wf_monotonic_ms() + SOON_MS;
    struct wf_asker asker;
    struct wf_slice frame;
    int rc = WF_NONE;
    while (rc != 0 && wf_monotonic_ms() < until) {
        int ready;
        assert_ok(wf_client_send_raw(client, WF_INTAKE, bytes("again"), &err), err);
        assert_ok(wf_hub_wait(hub, NULL, 0, 100, &ready, &err), err);
        rc = wf_hub_receive(hub, arena, &asker, &frame, &err);
        assert_true(rc == 0 || rc == WF_NONE);
    }
    assert_int_equal(rc, 0);
    assert_memory_equal(frame.ptr, "again", 5);
    wf_client_close(client);
    wf_hub_close(hub);
}

static void an_answer_to_an_asker_who_left_is_not_found(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    struct wf_client *client = open_client(0, 0);
    struct wf_asker asker;
    struct wf_slice frame;
    assert_ok(wf_client_send_raw(client, WF_INTAKE, bytes("x"), &err), err);
    assert_ok(next_request(hub, &asker, &frame), err);
    wf_client_close(client);
    int rc = 0;
    for (int i = 0; i < 100 && rc != WF_E_NOT_FOUND; i++) {
        int ready;
        assert_ok(wf_hub_wait(hub, NULL, 0, 20, &ready, &err), err);
        rc = wf_hub_reply(hub, &asker, bytes("y"), &err);
    }
    assert_int_equal(rc, WF_E_NOT_FOUND);
    asker.len = 0;
    assert_int_equal(wf_hub_reply(hub, &asker, bytes("y"), &err), WF_E_NOT_FOUND);
    wf_hub_close(hub);
}

static void a_party_that_does_not_read_blocks_nobody(void **state)
{
    (void)state;
    const struct wf_hub_options narrow = {.high_water = 10};
    struct wf_hub *hub = open_hub(WF_INTAKE, &narrow);
    struct wf_client *slow = open_client(0, 0);
    struct wf_client *good = open_client(0, 0);
    struct wf_asker asker;
    struct wf_slice frame;
    static uint8_t fill[20000];
    assert_ok(wf_client_send_raw(slow, WF_INTAKE, bytes("slow"), &err), err);
    assert_ok(next_request(hub, &asker, &frame), err);

    int64_t began = wf_monotonic_ms();
    int rc = 0;
    for (int i = 0; i < 100000 && rc == 0; i++)
        rc = wf_hub_reply(hub, &asker, (struct wf_slice){fill, sizeof(fill)}, &err);
    assert_int_equal(rc, WF_E_BUSY);
    assert_true(wf_monotonic_ms() - began < 5000);

    assert_ok(wf_client_send_raw(good, WF_INTAKE, bytes("good"), &err), err);
    assert_ok(next_request(hub, &asker, &frame), err);
    answer_done(hub, &asker, wf_str("r"));
    struct wf_envelope answer;
    assert_ok(wf_client_receive(good, SOON_MS, arena, &answer, &err), err);
    wf_client_close(slow);
    wf_client_close(good);
    wf_hub_close(hub);
}

static void waiting_also_watches_other_descriptors(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    int ends[2];
    int ready;
    assert_int_equal(pipe(ends), 0);
    struct pollfd extra = {.fd = ends[0], .events = POLLIN};
    assert_ok(wf_hub_wait(hub, &extra, 1, 10, &ready, &err), err);
    assert_int_equal(ready, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_ok(wf_hub_wait(hub, &extra, 1, SOON_MS, &ready, &err), err);
    assert_int_equal(ready, 1);
    assert_int_equal(extra.revents, POLLIN);
    (void)close(ends[0]);
    (void)close(ends[1]);
    wf_hub_close(hub);
}

static void a_message_that_came_before_the_wait_is_not_missed(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    struct wf_client *client = open_client(0, 0);
    struct wf_asker asker;
    struct wf_slice frame;
    int ready;
    for (int i = 0; i < 3; i++)
        assert_ok(wf_client_send_raw(client, WF_INTAKE, bytes("x"), &err), err);
    assert_ok(next_request(hub, &asker, &frame), err);
    (void)usleep(50000); /* the others have arrived; no new event will tell of them */
    assert_ok(wf_hub_wait(hub, NULL, 0, SOON_MS, &ready, &err), err);
    assert_int_equal(ready, 1);
    assert_ok(next_request(hub, &asker, &frame), err);
    assert_ok(next_request(hub, &asker, &frame), err);
    wf_client_close(client);
    wf_hub_close(hub);
}

static void nudges_reach_a_peer_that_is_there(void **state)
{
    (void)state;
    struct wf_hub *intake = open_hub(WF_INTAKE, NULL);
    struct wf_hub *routing = open_hub(WF_ROUTING, NULL);
    int rc = WF_E_BUSY;
    for (int i = 0; i < 300 && rc == WF_E_BUSY; i++) {
        rc = wf_hub_tell(intake, WF_ROUTING, bytes("work"), &err);
        (void)usleep(10000);
    }
    assert_int_equal(rc, 0);
    int ready;
    struct wf_slice frame;
    assert_ok(wf_hub_wait(routing, NULL, 0, SOON_MS, &ready, &err), err);
    assert_ok(wf_hub_listen(routing, arena, &frame, &err), err);
    assert_memory_equal(frame.ptr, "work", 4);
    assert_int_equal(wf_hub_listen(routing, arena, &frame, &err), WF_NONE);
    wf_hub_close(routing);
    wf_hub_close(intake);
}

static void a_nudge_to_an_absent_peer_is_lost_at_once(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    int64_t began = wf_monotonic_ms();
    assert_int_equal(wf_hub_tell(hub, WF_RETURN, bytes("work"), &err), WF_E_BUSY);
    assert_int_equal(wf_hub_tell(hub, WF_INTAKE, bytes("work"), &err), WF_E_INVALID);
    wf_hub_close(hub);
    assert_true(wf_monotonic_ms() - began < 1000); /* closing waits for nobody either */
}

/* ---- the run folder ------------------------------------------------------------------------- */

static void a_service_is_served_by_one_process_only(void **state)
{
    (void)state;
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    struct wf_hub *second = NULL;
    assert_int_equal(wf_hub_open(run, WF_INTAKE, NULL, &second, &err), WF_E_STATE);
    assert_non_null(strstr(err.text, "another process serves intake"));
    wf_hub_close(hub);
    second = open_hub(WF_INTAKE, NULL);
    wf_hub_close(second);
}

static void socket_files_of_a_killed_worker_are_replaced(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct wf_hub *hub = NULL;
        int rc = wf_hub_open(run, WF_INTAKE, NULL, &hub, NULL);
        _exit(rc == 0 ? 7 : 1); /* not closed: its files stay */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/intake.sock", run);
    assert_int_equal(access(path, F_OK), 0);
    struct wf_hub *hub = open_hub(WF_INTAKE, NULL);
    struct wf_client *client = open_client(0, 0);
    assert_ok(wf_client_send_raw(client, WF_INTAKE, bytes("x"), &err), err);
    wf_client_close(client);
    wf_hub_close(hub);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_run_folder_open_to_everybody_is_refused(void **state)
{
    (void)state;
    struct wf_hub *hub = NULL;
    assert_int_equal(chmod(run, 0755), 0);
    assert_int_equal(wf_hub_open(run, WF_INTAKE, NULL, &hub, &err), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "chmod 0700"));
    assert_int_equal(wf_hub_open("/nonexistent", WF_INTAKE, NULL, &hub, &err), WF_E_CONFIG);
    assert_null(hub);
}

static void a_run_folder_with_too_long_a_path_is_refused(void **state)
{
    (void)state;
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%0100d", run, 0);
    assert_int_equal(mkdir(path, 0700), 0);
    struct wf_hub *hub = NULL;
    assert_int_equal(wf_hub_open(path, WF_INTAKE, NULL, &hub, &err), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "shorter path"));
}

static void lack_of_memory_is_an_error_and_no_crash(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 5; n++) {
        struct wf_hub *hub = NULL;
        struct wf_client *client = NULL;
        wf_alloc_fail_at(n, 1);
        int hub_rc = wf_hub_open(run, WF_INTAKE, NULL, &hub, &err);
        wf_alloc_fail_at(n, 1);
        int client_rc = wf_client_open(run, NULL, &client, &err);
        wf_alloc_fail_at(0, 0);
        assert_true(n > 1 ? hub_rc == 0 : hub_rc == WF_E_NOMEM);
        assert_true(n > 2 ? client_rc == 0 : client_rc == WF_E_NOMEM);
        wf_hub_close(hub);
        wf_client_close(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(several_frames_are_several_messages),
        IN_FOLDER(frames_beyond_the_64th_are_dropped_and_counted),
        IN_FOLDER(an_address_too_long_to_keep_is_refused),
        IN_FOLDER(an_oversize_message_is_refused_and_the_asker_known),
        IN_FOLDER(a_message_far_over_the_limit_costs_the_connection_only),
        IN_FOLDER(an_answer_to_an_asker_who_left_is_not_found),
        IN_FOLDER(a_party_that_does_not_read_blocks_nobody),
        IN_FOLDER(waiting_also_watches_other_descriptors),
        IN_FOLDER(a_message_that_came_before_the_wait_is_not_missed),
        IN_FOLDER(nudges_reach_a_peer_that_is_there),
        IN_FOLDER(a_nudge_to_an_absent_peer_is_lost_at_once),
        IN_FOLDER(a_service_is_served_by_one_process_only),
        IN_FOLDER(socket_files_of_a_killed_worker_are_replaced),
        IN_FOLDER(a_run_folder_open_to_everybody_is_refused),
        IN_FOLDER(a_run_folder_with_too_long_a_path_is_refused),
        IN_FOLDER(lack_of_memory_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

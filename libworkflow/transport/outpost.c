/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Five ROUTERs, bound where a cell's workers would have theirs, and one DEALER to the gate. The locks
 * of the services are the workers' own: a station and a cell cannot share a run folder.
 */
#include "workflow/outpost.h"

#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "transport/router.h"
#include "transport/sockets.h"

#define EXTRA_MAX 2

struct wf_outpost {
    void *context;
    struct wf_router locals[WF_SERVICE_COUNT];
    int locks[WF_SERVICE_COUNT];
    char paths[WF_SERVICE_COUNT][WF_SOCKET_PATH_MAX + 1];
    void *line;
    size_t turn; /* which local socket is read first: each in its turn */
    struct wf_keypair keys;
    char server_key[WF_KEY_SIZE];
    char *endpoint;
};

/* ---- opening and closing ---------------------------------------------------------------------- */

static int open_local(struct wf_outpost *outpost, const char *run, enum wf_service service,
                      struct wf_error *err)
{
    const struct wf_socket_spec spec = {
        .type = ZMQ_ROUTER, .binds = true, .folder = run, .service = service, .suffix = ".sock"};
    outpost->locals[service].max_frame = WF_FRAME_MAX;
    int rc = wf_run_lock(run, service, &outpost->locks[service], err);
    if (rc == 0)
        rc = wf_socket_path(&spec, outpost->paths[service], err);
    if (rc == 0)
        rc = wf_socket_open(outpost->context, &spec, &outpost->locals[service].socket, err);
    return rc;
}

static int open_line(struct wf_outpost *outpost, struct wf_error *err)
{
    const struct wf_socket_spec spec = {.type = ZMQ_DEALER,
                                        .endpoint = outpost->endpoint,
                                        .max_frame = (int64_t)WF_REPLY_MAX,
                                        .keys = &outpost->keys,
                                        .server_key = outpost->server_key};
    return wf_socket_open(outpost->context, &spec, &outpost->line, err);
}

static int begin(const struct wf_outpost_options *options, struct wf_outpost **out,
                 struct wf_error *err)
{
    struct wf_outpost *outpost = wf_alloc(sizeof(*outpost));
    if (outpost == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the station's sockets: out of memory");
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        outpost->locks[i] = -1;
    outpost->keys = *options->keys;
    memcpy(outpost->server_key, options->server_key, WF_KEY_SIZE);
    outpost->endpoint = wf_strdup(options->endpoint);
    outpost->context = outpost->endpoint != NULL ? wf_context_new(err) : NULL;
    *out = outpost;
    if (outpost->endpoint == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the station's sockets: out of memory");
    return outpost->context != NULL ? 0 : WF_E_IO;
}

int wf_outpost_open(const struct wf_outpost_options *options, struct wf_outpost **out,
                    struct wf_error *err)
{
    struct wf_outpost *outpost = NULL;
    if (!wf_key_is_valid(options->server_key) || !wf_key_is_valid(options->keys->public) ||
        !wf_key_is_valid(options->keys->secret))
        return wf_fail(err, WF_E_CONFIG, "a key has 40 characters (Z85)");
    int rc = wf_run_check(options->run, err);
    if (rc == 0)
        rc = begin(options, &outpost, err);
    for (unsigned i = 0; rc == 0 && i < WF_SERVICE_COUNT; i++)
        rc = open_local(outpost, options->run, (enum wf_service)i, err);
    if (rc == 0)
        rc = open_line(outpost, err);
    if (rc < 0) {
        wf_outpost_close(outpost);
        return rc;
    }
    *out = outpost;
    return 0;
}

void wf_outpost_close(struct wf_outpost *outpost)
{
    if (outpost == NULL)
        return;
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        wf_socket_close(outpost->locals[i].socket);
    wf_socket_close(outpost->line);
    wf_context_end(outpost->context);
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++) {
        if (outpost->locks[i] < 0)
            continue;
        if (outpost->paths[i][0] != '\0')
            (void)unlink(outpost->paths[i]); /* mostly gone already; the lock makes it ours */
        (void)close(outpost->locks[i]);
    }
    wf_keypair_wipe(&outpost->keys);
    wf_free(outpost->endpoint);
    wf_free(outpost);
}

int wf_outpost_anew(struct wf_outpost *outpost, struct wf_error *err)
{
    wf_socket_close(outpost->line);
    outpost->line = NULL;
    return open_line(outpost, err);
}

/* ---- waiting, receiving, sending -------------------------------------------------------------- */

int wf_outpost_wait(struct wf_outpost *outpost, struct pollfd *extra, size_t n_extra,
                    int64_t timeout_ms, struct wf_error *err)
{
    zmq_pollitem_t items[WF_SERVICE_COUNT + 1 + EXTRA_MAX];
    int n = 0;
    if (n_extra > EXTRA_MAX)
        return wf_fail(err, WF_E_INTERNAL, "wait: at most %d extra descriptors", EXTRA_MAX);
    for (size_t i = 0; i < n_extra; i++)
        items[n++] = (zmq_pollitem_t){NULL, extra[i].fd, ZMQ_POLLIN, 0};
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++) {
        items[n++] = (zmq_pollitem_t){outpost->locals[i].socket, 0, ZMQ_POLLIN, 0};
        timeout_ms = outpost->locals[i].more ? 0 : timeout_ms;
    }
    items[n++] = (zmq_pollitem_t){outpost->line, 0, ZMQ_POLLIN, 0};
    int ready = zmq_poll(items, n, (long)timeout_ms);
    if (ready < 0 && zmq_errno() != EINTR)
        return wf_socket_fail(err, "wait for messages");
    for (size_t i = 0; i < n_extra; i++)
        extra[i].revents = ready > 0 && items[i].revents != 0 ? POLLIN : 0;
    return 0;
}

int wf_outpost_receive(struct wf_outpost *outpost, struct wf_arena *arena,
                       enum wf_service *out_service, struct wf_asker *out_asker,
                       struct wf_slice *out_frame, struct wf_error *err)
{
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++) {
        size_t at = (outpost->turn + i) % WF_SERVICE_COUNT;
        int rc = wf_router_receive(&outpost->locals[at], arena, out_asker, NULL, 0, out_frame, err);
        if (rc == WF_NONE)
            continue;
        *out_service = (enum wf_service)at;
        outpost->turn = outpost->locals[at].more ? at : at + 1;
        return rc;
    }
    return WF_NONE;
}

int wf_outpost_reply(struct wf_outpost *outpost, enum wf_service service,
                     const struct wf_asker *asker, struct wf_slice frame, struct wf_error *err)
{
    return wf_router_reply(&outpost->locals[service], asker, frame, err);
}

int wf_outpost_ask(struct wf_outpost *outpost, struct wf_slice frame, struct wf_error *err)
{
    return wf_frame_send(outpost->line, frame, 0, err);
}

int wf_outpost_hear(struct wf_outpost *outpost, struct wf_arena *arena, struct wf_slice *out_frame,
                    struct wf_error *err)
{
    zmq_msg_t message;
    int rc = wf_frame_take(outpost->line, &message, err);
    if (rc != 0)
        return rc;
    rc = wf_frame_copy(&message, arena, out_frame, err);
    (void)zmq_msg_close(&message);
    return rc;
}

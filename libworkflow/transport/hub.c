/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of a worker. A lock file per service says who serves it: ZeroMQ takes away an ipc
 * socket file that is in its way without asking whether somebody still listens on it, so a second
 * worker would silently steal the first one's parties.
 */
#include "workflow/transport.h"

#include <unistd.h>

#include "transport/router.h"
#include "transport/sockets.h"

#define EXTRA_MAX 14

struct wf_hub {
    void *context;
    struct wf_router parties;
    void *peer_in;                    /* PULL */
    void *peer_out[WF_SERVICE_COUNT]; /* PUSH; NULL for the worker itself */
    int lock;
    uint64_t dropped; /* frames of nudges */
    char paths[2][WF_SOCKET_PATH_MAX + 1];
};

/* ---- opening and closing -------------------------------------------------------------------- */

static int open_peers(struct wf_hub *hub, struct wf_socket_spec *spec, struct wf_error *err)
{
    enum wf_service self = spec->service;
    spec->type = ZMQ_PULL;
    spec->suffix = ".peer";
    int rc = wf_socket_path(spec, hub->paths[1], err);
    if (rc == 0)
        rc = wf_socket_open(hub->context, spec, &hub->peer_in, err);
    spec->type = ZMQ_PUSH;
    spec->binds = false;
    for (unsigned i = 0; i < WF_SERVICE_COUNT && rc == 0; i++) {
        spec->service = (enum wf_service)i;
        if (spec->service != self)
            rc = wf_socket_open(hub->context, spec, &hub->peer_out[i], err);
    }
    return rc;
}

int wf_hub_open(const char *run, enum wf_service self, const struct wf_hub_options *options,
                struct wf_hub **out, struct wf_error *err)
{
    const struct wf_hub_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    struct wf_socket_spec spec = {.type = ZMQ_ROUTER,
                                  .binds = true,
                                  .folder = run,
                                  .service = self,
                                  .suffix = ".sock",
                                  .high_water = options->high_water,
                                  .max_frame = options->max_frame};
    struct wf_hub *hub = wf_alloc(sizeof(*hub));
    if (hub == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the sockets: out of memory");
    hub->lock = -1;
    hub->parties.max_frame = options->max_frame > 0 ? (size_t)options->max_frame : WF_FRAME_MAX;

    int rc = wf_run_check(run, err);
    if (rc == 0)
        rc = wf_run_lock(run, self, &hub->lock, err);
    if (rc == 0)
        rc = wf_socket_path(&spec, hub->paths[0], err);
    if (rc == 0) {
        hub->context = wf_context_new(err);
        rc = hub->context != NULL ? 0 : WF_E_IO;
    }
    if (rc == 0)
        rc = wf_socket_open(hub->context, &spec, &hub->parties.socket, err);
    if (rc == 0 && !options->no_peers)
        rc = open_peers(hub, &spec, err);
    if (rc < 0) {
        wf_hub_close(hub);
        return rc;
    }
    *out = hub;
    return 0;
}

void wf_hub_close(struct wf_hub *hub)
{
    if (hub == NULL)
        return;
    wf_socket_close(hub->parties.socket);
    wf_socket_close(hub->peer_in);
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        wf_socket_close(hub->peer_out[i]);
    wf_context_end(hub->context);
    for (size_t i = 0; i < WF_COUNT(hub->paths) && hub->lock >= 0; i++) {
        if (hub->paths[i][0] != '\0')
            (void)unlink(hub->paths[i]); /* mostly gone already; the lock makes it ours */
    }
    if (hub->lock >= 0)
        (void)close(hub->lock);
    wf_free(hub);
}

uint64_t wf_hub_dropped(const struct wf_hub *hub)
{
    return hub->dropped + hub->parties.dropped;
}

/* ---- waiting -------------------------------------------------------------------------------- */

struct event {
    short posix;
    short zmq;
};

static const struct event events[] = {
    {POLLIN, ZMQ_POLLIN}, {POLLOUT, ZMQ_POLLOUT}, {POLLERR, ZMQ_POLLERR}};

/* The numbers differ: POLLIN, POLLOUT, POLLERR are 1, 4, 8, ZeroMQ's 1, 2, 4. */
static short to_zmq(short posix)
{
    unsigned bits = (unsigned)ZMQ_POLLERR;
    for (size_t i = 0; i < WF_COUNT(events); i++)
        bits |= (posix & events[i].posix) != 0 ? (unsigned)events[i].zmq : 0;
    return (short)bits;
}

static short from_zmq(short zmq)
{
    unsigned bits = 0;
    for (size_t i = 0; i < WF_COUNT(events); i++)
        bits |= (zmq & events[i].zmq) != 0 ? (unsigned)events[i].posix : 0;
    return (short)bits;
}

/* zmq_poll and not poll on ZMQ_FD: that descriptor only tells of changes, so a message that came
 * in between would lie there unseen. */
int wf_hub_wait(struct wf_hub *hub, struct pollfd *extra, size_t n_extra, int64_t timeout_ms,
                int *out_ready, struct wf_error *err)
{
    zmq_pollitem_t items[EXTRA_MAX + 2];
    int n = 0;
    if (n_extra > EXTRA_MAX)
        return wf_fail(err, WF_E_INVALID, "wait: at most %d extra descriptors", EXTRA_MAX);
    for (size_t i = 0; i < n_extra; i++)
        items[n++] = (zmq_pollitem_t){NULL, extra[i].fd, to_zmq(extra[i].events), 0};
    items[n++] = (zmq_pollitem_t){hub->parties.socket, 0, ZMQ_POLLIN, 0};
    if (hub->peer_in != NULL)
        items[n++] = (zmq_pollitem_t){hub->peer_in, 0, ZMQ_POLLIN, 0};

    long timeout = hub->parties.more ? 0 : timeout_ms < 0 ? -1 : (long)timeout_ms;
    int ready = zmq_poll(items, n, timeout);
    if (ready < 0 && zmq_errno() != EINTR)
        return wf_socket_fail(err, "wait for messages");

    for (size_t i = 0; i < n_extra; i++) {
        extra[i].revents = 0;
        if (ready > 0)
            extra[i].revents = from_zmq(items[i].revents);
    }
    *out_ready = ready > 0 ? ready : hub->parties.more ? 1 : 0;
    return 0;
}

/* ---- receiving ------------------------------------------------------------------------------ */

int wf_hub_receive(struct wf_hub *hub, struct wf_arena *arena, struct wf_asker *out_asker,
                   struct wf_slice *out_frame, struct wf_error *err)
{
    return wf_router_receive(&hub->parties, arena, out_asker, NULL, 0, out_frame, err);
}

/* A nudge has one frame: the others are passed over. */
static void drain(struct wf_hub *hub, bool more)
{
    zmq_msg_t message;
    while (more && wf_frame_take(hub->peer_in, &message, NULL) == 0) {
        more = zmq_msg_more(&message) != 0;
        hub->dropped++;
        (void)zmq_msg_close(&message);
    }
}

int wf_hub_listen(struct wf_hub *hub, struct wf_arena *arena, struct wf_slice *out_frame,
                  struct wf_error *err)
{
    zmq_msg_t message;
    int rc = hub->peer_in != NULL ? wf_frame_take(hub->peer_in, &message, err) : WF_NONE;
    if (rc != 0)
        return rc;
    bool more = zmq_msg_more(&message) != 0;
    if (zmq_msg_size(&message) > hub->parties.max_frame)
        rc = wf_fail(err, WF_E_INVALID, "nudge of %zu bytes", zmq_msg_size(&message));
    else
        rc = wf_frame_copy(&message, arena, out_frame, err);
    (void)zmq_msg_close(&message);
    drain(hub, more);
    return rc;
}

/* ---- sending -------------------------------------------------------------------------------- */

int wf_hub_reply(struct wf_hub *hub, const struct wf_asker *asker, struct wf_slice frame,
                 struct wf_error *err)
{
    return wf_router_reply(&hub->parties, asker, frame, err);
}

int wf_hub_tell(struct wf_hub *hub, enum wf_service service, struct wf_slice frame,
                struct wf_error *err)
{
    unsigned i = (unsigned)service;
    if (i >= WF_SERVICE_COUNT || hub->peer_out[i] == NULL)
        return wf_fail(err, WF_E_INVALID, "no such peer");
    return wf_frame_send(hub->peer_out[i], frame, 0, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of a worker. A lock file per service says who serves it: ZeroMQ takes away an ipc
 * socket file that is in its way without asking whether somebody still listens on it, so a second
 * worker would silently steal the first one's parties.
 *
 * A party's multi-part message is handed out frame by frame. ZeroMQ delivers all parts of a message
 * or none, so reading on within one never waits. What is read in part is kept in `asker`, `frames`.
 */
#include "workflow/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "transport/sockets.h"

#define FRAMES_MAX 64
#define EXTRA_MAX  14

struct wf_hub {
    void *context;
    void *parties;                    /* ROUTER */
    void *peer_in;                    /* PULL */
    void *peer_out[WF_SERVICE_COUNT]; /* PUSH; NULL for the worker itself */
    int lock;
    size_t max_frame;
    uint64_t dropped;
    struct wf_asker asker; /* of the message being read */
    size_t frames;         /* of it so far */
    bool more;             /* it has more frames */
    char paths[2][WF_SOCKET_PATH_MAX + 1];
};

/* ---- opening and closing -------------------------------------------------------------------- */

static int check_folder(const char *run, struct wf_error *err)
{
    struct stat is;
    if (stat(run, &is) != 0)
        return wf_fail(err, WF_E_CONFIG, "run folder %s: %s", run, strerror(errno));
    if (!S_ISDIR(is.st_mode))
        return wf_fail(err, WF_E_CONFIG, "run folder %s: is no folder", run);
    if ((is.st_mode & S_IRWXO) != 0)
        return wf_fail(err, WF_E_CONFIG,
                       "run folder %s: open to everybody, but its sockets trust who reaches them: "
                       "chmod 0700 it",
                       run);
    return 0;
}

static int take_lock(const char *run, enum wf_service self, int *out, struct wf_error *err)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/%s.sock.lock", run, wf_service_word(self));
    if (length < 0 || (size_t)length >= sizeof(path))
        return wf_fail(err, WF_E_CONFIG, "run folder: its path is too long");

    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return wf_fail(err, WF_E_IO, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        (void)close(fd);
        if (why == EWOULDBLOCK)
            return wf_fail(err, WF_E_STATE, "another process serves %s in this cell",
                           wf_service_word(self));
        return wf_fail(err, WF_E_IO, "%s: %s", path, strerror(why));
    }
    *out = fd;
    return 0;
}

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
    hub->max_frame = options->max_frame > 0 ? (size_t)options->max_frame : WF_FRAME_MAX;

    int rc = check_folder(run, err);
    if (rc == 0)
        rc = take_lock(run, self, &hub->lock, err);
    if (rc == 0)
        rc = wf_socket_path(&spec, hub->paths[0], err);
    if (rc == 0) {
        hub->context = wf_context_new(err);
        rc = hub->context != NULL ? 0 : WF_E_IO;
    }
    if (rc == 0)
        rc = wf_socket_open(hub->context, &spec, &hub->parties, err);
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
    wf_socket_close(hub->parties);
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
    return hub->dropped;
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
    items[n++] = (zmq_pollitem_t){hub->parties, 0, ZMQ_POLLIN, 0};
    if (hub->peer_in != NULL)
        items[n++] = (zmq_pollitem_t){hub->peer_in, 0, ZMQ_POLLIN, 0};

    long timeout = hub->more ? 0 : timeout_ms < 0 ? -1 : (long)timeout_ms;
    int ready = zmq_poll(items, n, timeout);
    if (ready < 0 && zmq_errno() != EINTR)
        return wf_socket_fail(err, "wait for messages");

    for (size_t i = 0; i < n_extra; i++) {
        extra[i].revents = 0;
        if (ready > 0)
            extra[i].revents = from_zmq(items[i].revents);
    }
    *out_ready = ready > 0 ? ready : hub->more ? 1 : 0;
    return 0;
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* One frame, without waiting. 0, WF_NONE or an error; on 0 the caller closes *message. */
static int take_frame(void *socket, zmq_msg_t *message, struct wf_error *err)
{
    (void)zmq_msg_init(message);
    while (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0) {
        int why = zmq_errno();
        if (why == EINTR)
            continue;
        (void)zmq_msg_close(message);
        return why == EAGAIN ? WF_NONE : wf_socket_fail(err, "receive a message");
    }
    return 0;
}

static int copy_frame(zmq_msg_t *message, struct wf_arena *arena, struct wf_slice *out,
                      struct wf_error *err)
{
    size_t length = zmq_msg_size(message);
    uint8_t *copy = wf_arena_alloc(arena, length > 0 ? length : 1);
    if (copy == NULL)
        return wf_fail(err, WF_E_NOMEM, "receive a message: out of memory");
    if (length > 0)
        memcpy(copy, zmq_msg_data(message), length);
    *out = (struct wf_slice){copy, length};
    return 0;
}

static void drain(struct wf_hub *hub, void *socket, bool more)
{
    zmq_msg_t message;
    while (more && take_frame(socket, &message, NULL) == 0) {
        more = zmq_msg_more(&message) != 0;
        hub->dropped++;
        (void)zmq_msg_close(&message);
    }
}

/* Reads the routing id in front of a new message. */
static int begin_message(struct wf_hub *hub, struct wf_error *err)
{
    zmq_msg_t id;
    int rc = take_frame(hub->parties, &id, err);
    if (rc != 0)
        return rc;
    size_t length = zmq_msg_size(&id);
    hub->more = zmq_msg_more(&id) != 0;
    hub->frames = 0;
    hub->asker.len = length <= sizeof(hub->asker.bytes) ? length : 0;
    memcpy(hub->asker.bytes, zmq_msg_data(&id), hub->asker.len);
    (void)zmq_msg_close(&id);
    if (hub->asker.len > 0)
        return 0;
    /* Somebody chose an address too long to keep: no answer can reach it. */
    drain(hub, hub->parties, hub->more);
    hub->more = false;
    return wf_fail(err, WF_E_INVALID, "routing id of more than %zu bytes",
                   sizeof(hub->asker.bytes));
}

int wf_hub_receive(struct wf_hub *hub, struct wf_arena *arena, struct wf_asker *out_asker,
                   struct wf_slice *out_frame, struct wf_error *err)
{
    int rc = hub->more ? 0 : begin_message(hub, err);
    if (rc < 0)
        *out_asker = (struct wf_asker){.len = 0};
    if (rc != 0)
        return rc;
    *out_asker = hub->asker;
    if (!hub->more)
        return WF_NONE; /* an address and nothing else */

    if (hub->frames >= FRAMES_MAX) {
        drain(hub, hub->parties, true);
        hub->more = false;
        return wf_fail(err, WF_E_INVALID, "more than %d messages at once: the rest is dropped",
                       FRAMES_MAX);
    }
    zmq_msg_t message;
    rc = take_frame(hub->parties, &message, err);
    if (rc != 0) {
        hub->more = false;
        return rc;
    }
    hub->frames++;
    hub->more = zmq_msg_more(&message) != 0;
    size_t length = zmq_msg_size(&message);
    if (length > hub->max_frame) {
        hub->dropped++;
        rc = wf_fail(err, WF_E_INVALID, "message of %zu bytes: %zu are allowed", length,
                     hub->max_frame);
    } else {
        rc = copy_frame(&message, arena, out_frame, err);
    }
    (void)zmq_msg_close(&message);
    return rc;
}

int wf_hub_listen(struct wf_hub *hub, struct wf_arena *arena, struct wf_slice *out_frame,
                  struct wf_error *err)
{
    zmq_msg_t message;
    int rc = hub->peer_in != NULL ? take_frame(hub->peer_in, &message, err) : WF_NONE;
    if (rc != 0)
        return rc;
    bool more = zmq_msg_more(&message) != 0;
    if (zmq_msg_size(&message) > hub->max_frame)
        rc = wf_fail(err, WF_E_INVALID, "nudge of %zu bytes", zmq_msg_size(&message));
    else
        rc = copy_frame(&message, arena, out_frame, err);
    (void)zmq_msg_close(&message);
    drain(hub, hub->peer_in, more); /* a nudge has one frame */
    return rc;
}

/* ---- sending -------------------------------------------------------------------------------- */

static int send_failed(struct wf_error *err)
{
    switch (zmq_errno()) {
    case EAGAIN:
        return wf_fail(err, WF_E_BUSY, "the other side takes no more now");
    case EHOSTUNREACH:
        return wf_fail(err, WF_E_NOT_FOUND, "the asker is gone");
    default:
        return wf_socket_fail(err, "send a message");
    }
}

static int send_frame(void *socket, const void *bytes, size_t length, int flags)
{
    int rc;
    do {
        rc = zmq_send(socket, bytes, length, flags | ZMQ_DONTWAIT);
    } while (rc < 0 && zmq_errno() == EINTR);
    return rc;
}

int wf_hub_reply(struct wf_hub *hub, const struct wf_asker *asker, struct wf_slice frame,
                 struct wf_error *err)
{
    if (asker->len == 0)
        return wf_fail(err, WF_E_NOT_FOUND, "the asker has no address");
    if (send_frame(hub->parties, asker->bytes, asker->len, ZMQ_SNDMORE) < 0)
        return send_failed(err);
    if (send_frame(hub->parties, frame.ptr, frame.len, 0) < 0)
        return send_failed(err);
    return 0;
}

int wf_hub_tell(struct wf_hub *hub, enum wf_service service, struct wf_slice frame,
                struct wf_error *err)
{
    unsigned i = (unsigned)service;
    if (i >= WF_SERVICE_COUNT || hub->peer_out[i] == NULL)
        return wf_fail(err, WF_E_INVALID, "no such peer");
    if (send_frame(hub->peer_out[i], frame.ptr, frame.len, 0) < 0)
        return send_failed(err);
    return 0;
}

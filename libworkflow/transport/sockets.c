/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One constructor for all sockets. The rows below give the options by socket type; -1 leaves the
 * default. Refused: linger (the store holds what matters, and a worker that is told to stop must
 * stop), blocking sends (every caller passes ZMQ_DONTWAIT), and queueing for connections that do
 * not exist yet (ZMQ_IMMEDIATE), where a message would wait out of the sender's sight.
 */
#include "transport/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* A frame over the limit is answered with an error; one over this many times the limit costs the
 * sender its connection, before its bytes are held in memory. */
#define HARD_LIMIT_FACTOR 4

/* ZMQ_ZAP_ENFORCE_DOMAIN: hidden with the drafts in the header of 4.3.4, at work in the library. A
 * server whose ZAP handler is missing then refuses everybody; else it would let everybody in. */
#define ENFORCE_DOMAIN 93
#define ZAP_DOMAIN     "hoso"

struct option_row {
    int option;
    int value;
};

static const struct option_row common[] = {
    {ZMQ_LINGER, 0},
    {ZMQ_IMMEDIATE, 1},
    {ZMQ_BACKLOG, 256},
    {ZMQ_RECONNECT_IVL, 50},
    {ZMQ_RECONNECT_IVL_MAX, 500},
    {ZMQ_CONNECT_TIMEOUT,
     3000}, /* on a line that swallows packets the system would try for minutes */
    {ZMQ_HEARTBEAT_IVL, 5000},
    {ZMQ_HEARTBEAT_TIMEOUT, 15000},
    {ZMQ_HEARTBEAT_TTL, 15000},
};

int wf_socket_fail(struct wf_error *err, const char *what)
{
    return wf_fail(err, WF_E_IO, "%s: %s", what, zmq_strerror(zmq_errno()));
}

void *wf_context_new(struct wf_error *err)
{
    void *context = zmq_ctx_new();
    if (context == NULL || zmq_ctx_set(context, ZMQ_BLOCKY, 0) != 0 ||
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 32) != 0) {
        (void)wf_socket_fail(err, "start ZeroMQ");
        wf_context_end(context);
        return NULL;
    }
    return context;
}

void wf_context_end(void *context)
{
    if (context == NULL)
        return;
    while (zmq_ctx_term(context) != 0 && zmq_errno() == EINTR)
        ; /* a signal came in between: the sockets are closed, so it ends at once */
}

int wf_socket_path(const struct wf_socket_spec *spec, char out[WF_SOCKET_PATH_MAX + 1],
                   struct wf_error *err)
{
    int length = snprintf(out, WF_SOCKET_PATH_MAX + 1, "%s/%s%s", spec->folder,
                          wf_service_word(spec->service), spec->suffix);
    if (length < 0 || length > WF_SOCKET_PATH_MAX) {
        out[0] = '\0';
        return wf_fail(err, WF_E_CONFIG,
                       "run folder: its sockets would have paths of %d bytes, the system allows "
                       "%d: give `run` a shorter path in hoso.cfg",
                       length, WF_SOCKET_PATH_MAX);
    }
    return 0;
}

static int set_options(void *socket, const struct wf_socket_spec *spec)
{
    int water = spec->high_water > 0 ? spec->high_water : WF_HIGH_WATER;
    int64_t frame = spec->max_frame > 0 ? spec->max_frame : (int64_t)WF_FRAME_MAX;
    int64_t hard = frame * HARD_LIMIT_FACTOR;
    int on = 1;
    int v6 = spec->endpoint != NULL && strchr(spec->endpoint, '[') != NULL;

    for (size_t i = 0; i < WF_COUNT(common); i++) {
        if (zmq_setsockopt(socket, common[i].option, &common[i].value, sizeof(int)) != 0)
            return -1;
    }
    if (zmq_setsockopt(socket, ZMQ_SNDHWM, &water, sizeof(water)) != 0 ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &water, sizeof(water)) != 0 ||
        zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &hard, sizeof(hard)) != 0 ||
        zmq_setsockopt(socket, ZMQ_IPV6, &v6, sizeof(v6)) != 0)
        return -1;
    /* TCP_USER_TIMEOUT: heartbeats stop, too, where nothing can be sent, and would never end it. */
    if (spec->slow_ms > 0 &&
        zmq_setsockopt(socket, ZMQ_TCP_MAXRT, &spec->slow_ms, sizeof(spec->slow_ms)) != 0)
        return -1;
    /* Without it a router drops what it cannot deliver and says nothing. */
    if (spec->type == ZMQ_ROUTER)
        return zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &on, sizeof(on));
    return 0;
}

static int set_text(void *socket, int option, const char *text)
{
    return zmq_setsockopt(socket, option, text, strlen(text));
}

static int set_curve(void *socket, const struct wf_socket_spec *spec)
{
    int on = 1;
    if (spec->handshake_ms > 0 && zmq_setsockopt(socket, ZMQ_HANDSHAKE_IVL, &spec->handshake_ms,
                                                 sizeof(spec->handshake_ms)) != 0)
        return -1;
    if (spec->keys == NULL)
        return 0;
    if (set_text(socket, ZMQ_CURVE_SECRETKEY, spec->keys->secret) != 0)
        return -1;
    if (!spec->binds)
        return set_text(socket, ZMQ_CURVE_PUBLICKEY, spec->keys->public) != 0
                   ? -1
                   : set_text(socket, ZMQ_CURVE_SERVERKEY, spec->server_key);
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof(on)) != 0 ||
        set_text(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN) != 0)
        return -1;
    return zmq_setsockopt(socket, ENFORCE_DOMAIN, &on, sizeof(on));
}

int wf_socket_new(void *context, const struct wf_socket_spec *spec, void **out,
                  struct wf_error *err)
{
    void *socket = zmq_socket(context, spec->type);
    if (socket == NULL)
        return wf_socket_fail(err, "make a socket");
    if (set_options(socket, spec) != 0 || set_curve(socket, spec) != 0) {
        int rc = wf_socket_fail(err, "set a socket's options");
        wf_socket_close(socket);
        return rc;
    }
    *out = socket;
    return 0;
}

int wf_socket_open(void *context, const struct wf_socket_spec *spec, void **out,
                   struct wf_error *err)
{
    char path[WF_SOCKET_PATH_MAX + 1];
    char own[WF_SOCKET_PATH_MAX + 7];
    const char *endpoint = spec->endpoint;
    if (endpoint == NULL) {
        int rc = wf_socket_path(spec, path, err);
        if (rc < 0)
            return rc;
        (void)snprintf(own, sizeof(own), "ipc://%s", path);
        endpoint = own;
    }
    void *socket = NULL;
    int rc = wf_socket_new(context, spec, &socket, err);
    if (rc < 0)
        return rc;
    if ((spec->binds ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint)) != 0) {
        /* ZeroMQ takes away a socket file that a dead worker has left behind. */
        rc = wf_socket_fail(err, endpoint);
        wf_socket_close(socket);
        return rc;
    }
    *out = socket;
    return 0;
}

void wf_socket_close(void *socket)
{
    if (socket != NULL)
        (void)zmq_close(socket);
}

/* ---- the run folder --------------------------------------------------------------------------- */

int wf_run_check(const char *run, struct wf_error *err)
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

int wf_run_lock(const char *run, enum wf_service self, int *out, struct wf_error *err)
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

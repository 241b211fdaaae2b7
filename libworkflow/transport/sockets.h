/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/sockets.h - the one way in which this library makes a ZeroMQ socket.
 *
 * PURPOSE    Most options hold only when set before bind or connect, and most defaults are wrong
 *            for a worker (endless linger, no size limit, silent drops). So they are set here, for
 *            every socket, and nowhere else.
 */
#ifndef TRANSPORT_SOCKETS_H
#define TRANSPORT_SOCKETS_H

#include "workflow/keypair.h"
#include "workflow/messages.h"

#define WF_HIGH_WATER 1000 /* messages that one connection may hold in each direction */

/* Longest path of a Unix socket, without its NUL: sockaddr_un has no more room. */
#define WF_SOCKET_PATH_MAX 107

struct wf_socket_spec {
    int type;           /* ZMQ_ROUTER ... */
    bool binds;         /* bind to the path; else connect */
    const char *folder; /* the run folder */
    enum wf_service service;
    const char *suffix;   /* ".sock" or ".peer" */
    const char *endpoint; /* instead of folder, service and suffix: "tcp://..." */
    int high_water;       /* 0 = WF_HIGH_WATER */
    int64_t max_frame;    /* bytes; 0 = WF_FRAME_MAX */
    int handshake_ms;     /* until a new connection must have proved itself; 0 = ZeroMQ's own */
    int slow_ms;          /* TCP: until a peer must have taken something; 0 = the system's own */

    /* CURVE: NULL = none. Who binds is the server and has its clients asked for in ZAP; who
     * connects expects the key of the server. */
    const struct wf_keypair *keys;
    const char *server_key;
};

/* A context that never waits when it is ended. NULL and *err on failure. */
void *wf_context_new(struct wf_error *err);
void wf_context_end(void *context); /* after all its sockets; NULL is fine */

/* Writes FOLDER/SERVICE.SUFFIX; WF_E_CONFIG where that is too long for a socket. */
int wf_socket_path(const struct wf_socket_spec *spec, char out[WF_SOCKET_PATH_MAX + 1],
                   struct wf_error *err) WF_CHECKED;

/* Makes the socket with all its options; wf_socket_open also binds or connects it. */
int wf_socket_new(void *context, const struct wf_socket_spec *spec, void **out,
                  struct wf_error *err) WF_CHECKED;
int wf_socket_open(void *context, const struct wf_socket_spec *spec, void **out,
                   struct wf_error *err) WF_CHECKED;
void wf_socket_close(void *socket); /* what is unsent is dropped; NULL is fine */

/* The run folder is there and private; WF_E_CONFIG where it is not. */
int wf_run_check(const char *run, struct wf_error *err) WF_CHECKED;
/* Who serves the service's socket holds the lock while *out is open; WF_E_STATE: another does. */
int wf_run_lock(const char *run, enum wf_service self, int *out, struct wf_error *err) WF_CHECKED;

/* The foreign error, translated: WF_E_IO with ZeroMQ's words after `what`. */
int wf_socket_fail(struct wf_error *err, const char *what);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/transport.h - the sockets of a worker: parties ask, peers nudge.
 *
 * PURPOSE    The only module that knows ZeroMQ. A hub owns all sockets of one worker:
 *              RUN/<service>.sock       ROUTER, parties ask here
 *              RUN/<service>.peer       PULL, other workers' `work` messages arrive here
 *              RUN/<service>.sock.lock  held while the hub is open: one worker per service
 *              and a PUSH to each other worker's .peer.
 * CONCEPTS   frame   one ZeroMQ frame = one message. A party may send several frames at once; they
 *                    count as several messages (at most 64, more are dropped and counted).
 *            asker   the routing id to which an answer goes; not an identity, only an address
 * LIFE CYCLE wf_hub_open after any fork -> poll, receive, reply, tell -> wf_hub_close
 * ERRORS     from wf_hub_open also WF_E_CONFIG (folder missing, open to everybody, path too long)
 *            and WF_E_STATE (another process serves it). WF_NONE nothing there; WF_E_BUSY the other side does not take more now (it lost the
 *            message: the store still has it); WF_E_NOT_FOUND the asker is gone; WF_E_IO.
 * DANGERS    a send that returns 0 proves nothing: only what is committed is true. Nothing here
 *            blocks. Folder RUN must be private to the cell (0700): the sockets trust it. ipc paths
 *            are at most 107 bytes long.
 * THREADS    one owner thread per hub or client.
 */
#ifndef WORKFLOW_TRANSPORT_H
#define WORKFLOW_TRANSPORT_H

#include <poll.h>

#include "workflow/messages.h"

struct wf_hub;

struct wf_asker {
    uint8_t bytes[32];
    size_t len;
};

struct wf_hub_options {
    int high_water;    /* messages per peer; 0 = 1000 */
    int64_t max_frame; /* bytes; 0 = WF_FRAME_MAX */
    bool no_peers;     /* tests: only the party socket */
};

int wf_hub_open(const char *run, enum wf_service self, const struct wf_hub_options *options,
                struct wf_hub **out, struct wf_error *err) WF_CHECKED;
void wf_hub_close(struct wf_hub *hub); /* removes the socket files; NULL is fine */

/* Frames that were thrown away unread so far: oversize, beyond the 64th, without address. */
uint64_t wf_hub_dropped(const struct wf_hub *hub);

/* Waits until a socket or one of the extra descriptors is ready, or timeout_ms is over (-1 = for
 * ever). Sets revents of the extra ones. Gives how many sources are ready, 0 on time-out. */
int wf_hub_wait(struct wf_hub *hub, struct pollfd *extra, size_t n_extra, int64_t timeout_ms,
                int *out_ready, struct wf_error *err) WF_CHECKED;

/* The next waiting request; the bytes are copied into the arena. WF_NONE when none waits.
 * An oversize frame or too many frames give WF_E_INVALID with the asker set: answer and go on. (A
 * frame over four times the limit is not taken at all: its sender loses the connection.) */
int wf_hub_receive(struct wf_hub *hub, struct wf_arena *arena, struct wf_asker *out_asker,
                   struct wf_slice *out_frame, struct wf_error *err) WF_CHECKED;
int wf_hub_reply(struct wf_hub *hub, const struct wf_asker *asker, struct wf_slice frame,
                 struct wf_error *err) WF_CHECKED;

/* A nudge to another worker; WF_E_BUSY when it is away or slow, which is no harm. */
int wf_hub_tell(struct wf_hub *hub, enum wf_service service, struct wf_slice frame,
                struct wf_error *err) WF_CHECKED;
/* The next nudge; WF_NONE when none waits. */
int wf_hub_listen(struct wf_hub *hub, struct wf_arena *arena, struct wf_slice *out_frame,
                  struct wf_error *err) WF_CHECKED;

#endif

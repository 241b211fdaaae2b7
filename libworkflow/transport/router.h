/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/router.h - frames in and out of a ROUTER: what hub and door have in common.
 *
 * CONCEPTS   message  what one zmq_send of a party brings: routing id, then up to WF_FRAMES_MAX
 *                     frames, each a message of ours; handed out frame by frame
 * DANGERS    ZeroMQ delivers all parts of a message or none, so reading on within one never waits.
 */
#ifndef TRANSPORT_ROUTER_H
#define TRANSPORT_ROUTER_H

#include <zmq.h>

#include "workflow/transport.h"

#define WF_FRAMES_MAX 64

struct wf_router {
    void *socket;
    size_t max_frame;
    uint64_t dropped;      /* frames thrown away unread */
    bool only_own;         /* refuse peers that have chosen their routing id themselves */
    struct wf_asker asker; /* of the message being read */
    size_t frames;         /* of it so far */
    bool more;             /* it has more frames */
    int fd;                /* of the connection that the last frame with a user came by */
};

/* As wf_hub_receive. `user` (may be NULL) takes the key that the frame's sender has proved, ""
 * where it has proved none. */
int wf_router_receive(struct wf_router *router, struct wf_arena *arena, struct wf_asker *out_asker,
                      char *user, size_t user_size, struct wf_slice *out_frame,
                      struct wf_error *err) WF_CHECKED;
int wf_router_reply(struct wf_router *router, const struct wf_asker *asker, struct wf_slice frame,
                    struct wf_error *err) WF_CHECKED;
/* The same; the frame's bytes stand in *untaken, which outlives the socket, until they have left or
 * their connection has ended. Another thread takes them off: read it as an atomic. */
int wf_router_reply_counted(struct wf_router *router, const struct wf_asker *asker,
                            struct wf_slice frame, int64_t *untaken,
                            struct wf_error *err) WF_CHECKED;

/* One frame, without waiting: 0, WF_NONE or an error; on 0 the caller closes *message. */
int wf_frame_take(void *socket, zmq_msg_t *message, struct wf_error *err) WF_CHECKED;
int wf_frame_copy(zmq_msg_t *message, struct wf_arena *arena, struct wf_slice *out,
                  struct wf_error *err) WF_CHECKED;
/* 0, WF_E_BUSY, WF_E_NOT_FOUND (a router's peer is gone) or WF_E_IO. */
int wf_frame_send(void *socket, struct wf_slice frame, int flags, struct wf_error *err) WF_CHECKED;

#endif

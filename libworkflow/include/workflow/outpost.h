/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/outpost.h - the sockets of a station: the same local endpoint as a cell's, and one line to
 * the gate of a cell far away.
 *
 * PURPOSE    Programs at the station speak to RUN/<service>.sock as they would beside the cell; the
 *            station answers them itself or asks the gate. Nothing here knows which.
 * CONCEPTS   line    one DEALER to the gate, CURVE. A send before the connection stands is refused
 *                    instead of queued out of sight
 *            asker   as in transport.h; belongs to the service on whose socket it asked
 * LIFE CYCLE wf_outpost_open -> wait, receive, reply, ask, hear -> wf_outpost_close
 * ERRORS     as transport.h. From wf_outpost_open also WF_E_STATE: workers or another station serve
 *            this folder already.
 * DANGERS    ZeroMQ gives a socket up for good when the gate has refused its key, and trusts a dead
 *            TCP connection for long: after a silence call wf_outpost_anew.
 * THREADS    one owner thread.
 */
#ifndef WORKFLOW_OUTPOST_H
#define WORKFLOW_OUTPOST_H

#include "workflow/keypair.h"
#include "workflow/transport.h"

struct wf_outpost;

struct wf_outpost_options {
    const char *run;        /* folder of the local sockets, mode 0700 */
    const char *endpoint;   /* of the gate, "tcp://host:5570" */
    const char *server_key; /* the gate's public key */
    const struct wf_keypair *keys;
};

int wf_outpost_open(const struct wf_outpost_options *options, struct wf_outpost **out,
                    struct wf_error *err) WF_CHECKED;
void wf_outpost_close(struct wf_outpost *outpost); /* NULL is fine */

/* As wf_hub_wait: local sockets, the line, and at most 2 extra descriptors. */
int wf_outpost_wait(struct wf_outpost *outpost, struct pollfd *extra, size_t n_extra,
                    int64_t timeout_ms, struct wf_error *err) WF_CHECKED;

/* The next request of a program at the station, on whichever socket; as wf_hub_receive. */
int wf_outpost_receive(struct wf_outpost *outpost, struct wf_arena *arena,
                       enum wf_service *out_service, struct wf_asker *out_asker,
                       struct wf_slice *out_frame, struct wf_error *err) WF_CHECKED;
int wf_outpost_reply(struct wf_outpost *outpost, enum wf_service service,
                     const struct wf_asker *asker, struct wf_slice frame,
                     struct wf_error *err) WF_CHECKED;

/* To the gate; WF_E_BUSY: the line takes nothing now. */
int wf_outpost_ask(struct wf_outpost *outpost, struct wf_slice frame,
                   struct wf_error *err) WF_CHECKED;
/* The gate's next answer; WF_NONE when none is there. */
int wf_outpost_hear(struct wf_outpost *outpost, struct wf_arena *arena, struct wf_slice *out_frame,
                    struct wf_error *err) WF_CHECKED;

/* Lets the connection go and makes a new one; what was under way on it is lost. */
int wf_outpost_anew(struct wf_outpost *outpost, struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/door.h - the public side of the gate: one TCP port, known keys only; and the way on to
 * the workers.
 *
 * PURPOSE    Lets in who proves a key of the list (CURVE, ZAP), hands out their messages one by one
 *            with the key that each has proved, and takes answers back. Knows keys, not parties:
 *            who a key belongs to, and what that one may do, is the caller's business.
 * CONCEPTS   key    CURVE public key, Z85
 *            list   the keys that are let in; swapped as a whole, at any time. It is asked when a
 *                   connection is made: whose key is taken from the list while connected can still
 *                   send, so the caller looks each message's key up.
 *            owner  who may have several keys; has a bound of connections of its own
 *            full   more connections than allowed: the port is shut, those inside stay, and it is
 *                   opened again when some have left.
 * LIFE CYCLE wf_door_open (ZAP handler first; then, on a private socket, proves that a listed key
 *            is let in and an unlisted one is not; only then the port opens) -> allow, wait,
 *            receive, reply, ask, hear -> wf_door_close
 * ERRORS     as transport.h. From wf_door_open also WF_E_INTERNAL: the proof failed, do not serve.
 * DANGERS    block all signals before opening: threads are started. A reply to a party that does
 *            not read is dropped (WF_E_BUSY).
 * THREADS    one owner thread; the ZAP handler has its own.
 */
#ifndef WORKFLOW_DOOR_H
#define WORKFLOW_DOOR_H

#include "workflow/keypair.h"
#include "workflow/transport.h"

struct wf_door;

/* A key that is let in, and who owns it: connections are counted by owner. */
struct wf_door_key {
    const char *key;   /* Z85 */
    const char *owner; /* at most 40 bytes; NULL = itself */
};

enum wf_refused {
    WF_REFUSED_KEY,   /* the key is not of the list */
    WF_REFUSED_CROWD, /* its owner has as many connections as allowed */
    WF_REFUSED_SHAKE, /* no proof at all: no CURVE, another server's key, silence */
    WF_REFUSED_REASONS
};

struct wf_refusal {
    enum wf_refused why;
    char address[46]; /* of the peer, without its port; "" = not known */
};

struct wf_door_options {
    const char *endpoint; /* "tcp://127.0.0.1:5570"; port * = any that is free */
    const char *run;      /* folder of the workers' sockets */
    const struct wf_keypair *keys;
    int connections;  /* most at a time; 0 = 1000 */
    int per_owner;    /* of them, of one owner; 0 = no bound */
    int silent_ms;    /* until a connection must have sent its first message; 0 = 30000 */
    int high_water;   /* messages that wait in each direction of a connection; 0 = 128 */
    int handshake_ms; /* until a new connection must have proved its key; 0 = 5000 */
    int slow_ms;      /* a peer that takes nothing of what is sent for so long is cut; 0 = 30000 */
};

struct wf_door_figures {
    uint64_t refused[WF_REFUSED_REASONS];
    uint64_t dropped;   /* frames thrown away unread */
    uint64_t shut;      /* times that it was full */
    uint64_t ended;     /* connections that were and are no more */
    size_t connections; /* now */
};

int wf_door_open(const struct wf_door_options *options, struct wf_door **out,
                 struct wf_error *err) WF_CHECKED;
void wf_door_close(struct wf_door *door); /* NULL is fine */

/* Lets in these keys from now on, and no others. Printed and malformed keys are left out. */
int wf_door_allow(struct wf_door *door, const struct wf_door_key *keys, size_t n,
                  struct wf_error *err) WF_CHECKED;

/* Who was refused lately, one at a time, for the log; WF_NONE when that was all. In a flood only
 * some are kept; all are counted. */
int wf_door_refusal(struct wf_door *door, struct wf_refusal *out) WF_CHECKED;

/* Where it listens, with the port that was found. */
const char *wf_door_endpoint(const struct wf_door *door);
struct wf_door_figures wf_door_figures(struct wf_door *door);

/* As wf_hub_wait: parties, workers, and the extra descriptors (at most 4). */
int wf_door_wait(struct wf_door *door, struct pollfd *extra, size_t n_extra, int64_t timeout_ms,
                 struct wf_error *err) WF_CHECKED;

/* As wf_hub_receive, with the key that the sender has proved. A message without one is dropped
 * here. */
int wf_door_receive(struct wf_door *door, struct wf_arena *arena, struct wf_asker *out_asker,
                    char out_key[WF_KEY_SIZE], struct wf_slice *out_frame,
                    struct wf_error *err) WF_CHECKED;

/* Bytes of answers that a party has not taken, whatever its connections; zero at first. It belongs
 * to the door until that is closed. */
struct wf_untaken {
    int64_t bytes;
};
#define WF_UNTAKEN_MOST ((int64_t)16 * 1024 * 1024)

/* WF_E_BUSY: the party reads too slowly, the answer is dropped. `untaken` may be NULL. */
int wf_door_reply(struct wf_door *door, const struct wf_asker *asker, struct wf_slice frame,
                  struct wf_untaken *untaken, struct wf_error *err) WF_CHECKED;

/* To a worker's socket; WF_E_BUSY when it is away or full. */
int wf_door_ask(struct wf_door *door, enum wf_service service, struct wf_slice frame,
                struct wf_error *err) WF_CHECKED;
/* The next answer of a worker; WF_NONE when none is there. */
int wf_door_hear(struct wf_door *door, enum wf_service service, struct wf_arena *arena,
                 struct wf_slice *out_frame, struct wf_error *err) WF_CHECKED;

#endif

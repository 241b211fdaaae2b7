/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/client.h - how a program outside speaks to the queue endpoints.
 *
 * PURPOSE    Submit dossiers, raise events, work with tasks, read the journal - exactly once from
 *            the caller's view: a request that got no answer is sent again with the same id, and
 *            the worker answers it again without doing it again.
 * LIFE CYCLE wf_client_open -> wf_client_call ... (or send/receive) -> wf_client_close
 * OWNERSHIP  replies live in the arena given with the call.
 * ERRORS     an error message from the worker comes back as its code with its text and field in
 *            err; WF_E_TIMEOUT when nothing came in time (the request may or may not be done: call
 *            wf_client_again with the same id to find out).
 *            WF_E_BUSY when the worker asked to come back after the time-out. The time-out of a
 *            task_fetch is counted on top of its own wait_ms.
 * DANGERS    a pipelining client must receive as it sends: answers beyond 1,000 waiting ones are
 *            dropped by the worker (ask again with the same id).
 * THREADS    one thread per client.
 * EXAMPLE    struct wf_msg_dossier_get get = {.dossier = wf_str("000.00.13.H30-261123-0001")};
 *            rc = wf_client_call(client, WF_INTAKE, WF_MSG_dossier_get, &get, arena, &reply, &err);
 *            const struct wf_msg_dossier_state *is = reply.body;
 */
#ifndef WORKFLOW_CLIENT_H
#define WORKFLOW_CLIENT_H

#include "workflow/keypair.h"
#include "workflow/messages.h"

#define WF_REQUEST_ID_SIZE 40
#define WF_PAPER_NAME_SIZE 65 /* 64 hex digits, NUL */

struct wf_client;

struct wf_client_options {
    int64_t timeout_ms; /* until WF_E_TIMEOUT; 0 = 10 s */
    int64_t retry_ms;   /* until the request is sent again; 0 = 1 s */
    const char *party;  /* name in the registry on whose behalf a program of this host asks: it may
                           then do what that party may; NULL = a local program, which may do all.
                           Not through a gate, which knows its parties by their keys */
};

/* `run` is the cell's run folder with the workers' sockets. Needs no worker to be up. */
int wf_client_open(const char *run, const struct wf_client_options *options, struct wf_client **out,
                   struct wf_error *err) WF_CHECKED;
/* Through a gate, from any host: endpoint "tcp://host:5570", the gate's public key, one's own pair
 * (copied). All else is the same. A key that the gate does not know looks like a gate that is away:
 * WF_E_TIMEOUT, "cannot be reached". (ZeroMQ's sockets give up when they were refused; this client
 * tries anew every few seconds.) */
int wf_client_open_gate(const char *endpoint, const char *server_key, const struct wf_keypair *keys,
                        const struct wf_client_options *options, struct wf_client **out,
                        struct wf_error *err) WF_CHECKED;
void wf_client_close(struct wf_client *client);

/* A new request id: rises with time, unique per client ("01935a...-7f3a21c0-000017"). */
void wf_client_new_id(struct wf_client *client, char out[WF_REQUEST_ID_SIZE]);

/* Asks and waits for the answer, re-sending with the same id; busy answers are waited out. */
int wf_client_call(struct wf_client *client, enum wf_service to, enum wf_message type,
                   const void *body, struct wf_arena *arena, struct wf_envelope *out,
                   struct wf_error *err) WF_CHECKED;
/* The same with an id of the caller's (to ask again after a time-out or a restart). */
int wf_client_again(struct wf_client *client, enum wf_service to, enum wf_message type,
                    const void *body, const char *id, struct wf_arena *arena,
                    struct wf_envelope *out, struct wf_error *err) WF_CHECKED;

/* Papers (scans) in pieces; told after each how far it is. May be NULL. */
struct wf_client_progress {
    void (*fn)(void *context, uint64_t done, uint64_t size);
    void *context;
};

/*
 * Sends the whole file to intake and gives its name, its BLAKE2b-256; 0: it is on disk there, and a
 * dossier may name it. What is there already is not sent again, so after WF_E_TIMEOUT, or a restart
 * of anything, call it again.
 */
int wf_client_put_paper(struct wf_client *client, int fd, const struct wf_client_progress *progress,
                        char out_name[WF_PAPER_NAME_SIZE], struct wf_error *err) WF_CHECKED;
/*
 * Writes a dossier's paper to the file, going on at the file's end, and checks it as a whole.
 * WF_E_CORRUPT: it is not that paper; the file was emptied, call it again. WF_E_NOT_FOUND.
 */
int wf_client_get_paper(struct wf_client *client, const char *dossier, const char *paper, int fd,
                        const struct wf_client_progress *progress, struct wf_error *err) WF_CHECKED;

/* Pipelined use: send many, then receive answers in any order (match by out->re). No re-sending.
 * Waits at most timeout_ms until the worker takes the request. */
int wf_client_send(struct wf_client *client, enum wf_service to, enum wf_message type,
                   const void *body, const char *id, struct wf_error *err) WF_CHECKED;
/* WF_NONE when nothing came within timeout_ms. An error answer is returned as an envelope. */
int wf_client_receive(struct wf_client *client, int64_t timeout_ms, struct wf_arena *arena,
                      struct wf_envelope *out, struct wf_error *err) WF_CHECKED;
/* Raw bytes to a service, for tests of bad input. */
int wf_client_send_raw(struct wf_client *client, enum wf_service to, struct wf_slice frame,
                       struct wf_error *err) WF_CHECKED;

#endif

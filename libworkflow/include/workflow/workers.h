/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/workers.h - lines to the five workers, for a loop that also waits for other things.
 *
 * PURPOSE    A program that serves many askers at once cannot wait for one answer (client.h does).
 *            Here requests go out and answers come in without waiting; matching them is the
 *            caller's business.
 * CONCEPTS   line   one DEALER to one worker's party socket; the worker need not be up
 * LIFE CYCLE wf_workers_open -> wait, send, receive -> wf_workers_close
 * ERRORS     WF_E_BUSY the worker is away or takes no more now: nothing was sent; WF_NONE nothing
 *            there; WF_E_CONFIG the run folder's path is too long; WF_E_IO.
 * DANGERS    a frame that was sent may still be lost with the worker: send it again, same id.
 * THREADS    one owner thread.
 */
#ifndef WORKFLOW_WORKERS_H
#define WORKFLOW_WORKERS_H

#include <poll.h>

#include "workflow/messages.h"

#define WF_WORKERS_EXTRA_MAX 4

struct wf_workers;

int wf_workers_open(const char *run, struct wf_workers **out, struct wf_error *err) WF_CHECKED;
void wf_workers_close(struct wf_workers *workers); /* NULL is fine */

/* Waits until an answer or one of the extra descriptors (at most WF_WORKERS_EXTRA_MAX) is there, or
 * timeout_ms is over. Sets revents of the extra ones. A signal ends the wait early. */
int wf_workers_wait(struct wf_workers *workers, struct pollfd *extra, size_t n_extra,
                    int64_t timeout_ms, struct wf_error *err) WF_CHECKED;

int wf_workers_send(struct wf_workers *workers, enum wf_service to, struct wf_slice frame,
                    struct wf_error *err) WF_CHECKED;

/* The next answer of one worker, unpacked into the arena; WF_NONE when none is there. An answer
 * that cannot be read gives WF_E_INVALID: go on with the next. */
int wf_workers_receive(struct wf_workers *workers, enum wf_service from, struct wf_arena *arena,
                       struct wf_envelope *out, struct wf_error *err) WF_CHECKED;

#endif

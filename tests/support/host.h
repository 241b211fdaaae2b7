/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/host.h - a cell of real processes in a temporary folder, for tests and figures.
 *
 * LIFE CYCLE host_new (makes the cell by `hoso init`) -> host_start ... -> host_close, which stops
 *            what still runs and removes the folder
 * ERRORS     a host that cannot be set up fails the test at once
 */
#ifndef TESTS_SUPPORT_HOST_H
#define TESTS_SUPPORT_HOST_H

#include <sys/types.h>

#include "support/test.h"

#include "workflow/client.h"
#include "workflow/store.h"

#define SIX_STEPS "1.000006" /* the automatic procedure of bench/six-steps.cfg */

struct host {
    char folder[128];
    char run[160];
    char store[160];
    pid_t pids[WF_SERVICE_COUNT]; /* 0 = does not run */
    pid_t gate;                   /* likewise */
};

/* `settings` are lines of hoso.cfg; `base` the folder for the cell, NULL = a temporary one. */
void host_new(struct host *host, const char *base, const char *settings);
void host_close(struct host *host);

/* Starts a worker and waits until it is ready; false where it ended before. `faults` may be NULL,
 * else the value of WF_FAULTS. *out_exit (may be NULL) is the exit code of one that ended. */
bool host_start(struct host *host, enum wf_service service, const char *faults, int *out_exit);
void host_start_all(struct host *host);

/* Ends a worker and gives its exit code; 128 + signal where a signal ended it. */
int host_stop(struct host *host, enum wf_service service, int signal);
void host_stop_all(struct host *host); /* SIGTERM; each must end with 0 */

/* The same for the gate, whose settings and key the test provides. */
bool host_start_gate(struct host *host, int *out_exit);
int host_stop_gate(struct host *host, int signal);

/* Runs `hoso` with these words, ended by NULL, on this cell; fails the test unless it gives 0. */
void host_hoso(const struct host *host, const char *const words[]);

/* Has the worker ended by itself? Gives its exit code then, as host_stop. */
bool host_has_ended(struct host *host, enum wf_service service, int *out_exit);

/* Submits a six-step dossier under this request id; the note tells it from all others. Waits and
 * repeats until it is acknowledged, at most wait_ms. Writes the code. */
int host_submit(struct wf_client *client, const char *id, const char *note, int64_t wait_ms,
                char out_code[65], struct wf_error *err);

/* The body of that request, for pipelining; lives in the arena. */
struct wf_msg_dossier_submit host_dossier(struct wf_arena *arena, const char *note);

/* Waits until all dossiers are closed and all queues empty; false when that takes longer. */
bool host_settle(struct host *host, int64_t wait_ms);
struct wf_counts host_counts(struct host *host);

unsigned host_free_port(void); /* of TCP, free now */

void sleep_ms(int64_t ms);

#endif

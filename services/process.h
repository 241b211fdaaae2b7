/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/process.h - what the long-running programs beside the five workers begin and end with.
 *
 * PURPOSE    Signals that one loop reads, one process for each job of a cell, and the same exit codes,
 *            each in one place.
 * ERRORS     WF_E_IO: the system refuses; process_lock: WF_E_STATE where another process has it,
 *            WF_E_CONFIG where the folder cannot be used.
 */
#ifndef HOSO_SERVICES_PROCESS_H
#define HOSO_SERVICES_PROCESS_H

#include <stddef.h>

#include "workflow/error.h"

/*
 * Blocks these signals, to be read as struct signalfd_siginfo from *out_fd, and ignores SIGPIPE. Before
 * the first thread is started: it inherits what is blocked.
 */
int process_signals(const int *signals, size_t n, int *out_fd, struct wf_error *err) WF_CHECKED;

/*
 * Makes the folder RUN where it is missing and holds RUN/NAME.lock until *out_fd is closed. `name` is
 * that of the program without "hoso-", and is told in the error.
 */
int process_lock(const char *run, const char *name, int *out_fd, struct wf_error *err) WF_CHECKED;

/* Of what main() has to give: 0; 2 where a person must mend something first; 1: a restart may help. */
int process_exit(int rc);

#endif

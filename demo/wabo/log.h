/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/wabo/log.h - an event log as a CSV file, read into cases and their events.
 *
 * PURPOSE    Gives the replayer what was recorded: who applied when, over which channel, and what
 *            was done, in recorded order.
 * FORMAT     first line names the columns (XES names: case:concept:name ...), no quoting; the rows
 *            of a case stand together and in the order of their time. Anything else is refused.
 * OWNERSHIP  texts point into the log and live until log_fini.
 */
#ifndef DEMO_WABO_LOG_H
#define DEMO_WABO_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "workflow/error.h"

struct activity;

struct log_event {
    const struct activity *what;
    const char *resource; /* who did it, anonymous */
    int64_t ms;           /* UTC */
};

struct log_case {
    const char *id;
    const char *channel; /* as recorded: Internet, Desk ... */
    const char *department;
    int64_t started_ms; /* registered; never after the first event */
    struct log_event *events;
    size_t n_events;
};

struct log {
    char *text; /* of the file, cut up */
    struct log_event *events;
    size_t n_events;
    struct log_case *cases;
    size_t n_cases;
};

/* WF_E_NOT_FOUND when there is no such file; WF_E_INVALID with the line of what is wrong. */
int log_read(const char *path, struct log *out, struct wf_error *err) WF_CHECKED;
void log_fini(struct log *log);

/* Puts the activities of each case, but the first, into an order of chance. Times stay. */
void log_shuffle(struct log *log, uint64_t seed);

#endif

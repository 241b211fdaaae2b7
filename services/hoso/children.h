/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/children.h - one process of the cell: start, ready, end, start again.
 *
 * CONCEPTS   down      not running; started again when restart_at_ms comes
 *            starting  runs, has not said that it is ready
 *            up        answers
 */
#ifndef HOSO_CHILDREN_H
#define HOSO_CHILDREN_H

#include <sys/types.h>

#include "hoso.h"

/* Programs that join the cell to another system: hoso-NAME runs where CELL/NAME.cfg is. */
#define HOSO_ADAPTERS 3
extern const char *const hoso_adapters[HOSO_ADAPTERS];

enum child_state { CHILD_DOWN, CHILD_STARTING, CHILD_UP };

struct child {
    const char *name; /* of the program hoso-NAME: a service, "gate", "bridge" or an adapter */
    enum child_state state;
    pid_t pid;             /* 0 = none */
    int ready_fd;          /* read end of the pipe it writes to when ready; -1 = none */
    int64_t started_at_ms; /* monotonic */
    int64_t restart_at_ms;
    int64_t backoff_ms;
    bool was_killed; /* by the watchdog; it will die soon */
};

/* Is there a settings file CELL/NAME.cfg that does not say `enabled = false`? One that cannot be read
 * is wanted: the program says what is wrong with it. */
bool child_is_wanted(const char *cell, const char *name);

/* Starts the program `folder`/hoso-NAME. A failure counts as a death: it is tried again. */
int child_start(struct child *child, const char *folder, const char *config, struct wf_error *err);

/* The ready pipe can be read: true when the worker has just become ready. */
bool child_heard(struct child *child);

/* Takes note of its end; sets when it is to be started again. */
void child_ended(struct child *child, int64_t now_ms);

void child_signal(const struct child *child, int signal);

#endif

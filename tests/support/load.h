/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/load.h - counters and desks that work against live workers, each in a thread.
 *
 * A thread never asserts (cmocka jumps out of the wrong stack): it notes its failure, and load_stop
 * brings it up.
 */
#ifndef TESTS_SUPPORT_LOAD_H
#define TESTS_SUPPORT_LOAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "support/audit.h"

#define LOAD_MOST 200000

struct counter {
    pthread_t thread;
    const char *run;
    unsigned number;
    int64_t pause_ms; /* between two dossiers */
    atomic_bool stop;
    struct acknowledged *acks; /* read them after load_stop only */
    size_t n;
    char failure[1024]; /* "" = none */
};

/* Files six-step dossiers one after the other, each until it is acknowledged. */
void counter_start(struct counter *counter, const char *run, unsigned number, int64_t pause_ms);
void counter_stop(struct counter *counter); /* fails the test with the counter's failure */
void counter_fini(struct counter *counter);

struct desk {
    pthread_t thread;
    const char *run;
    atomic_bool stop_filing; /* no new dossiers; the work goes on */
    atomic_bool stop;
    unsigned filed, finished;
    char failure[1024];
};

/* Files certified copies and does all that people do on them: review, fee, hand-over, notices. */
void desk_start(struct desk *desk, const char *run);
void desk_stop(struct desk *desk);

#endif

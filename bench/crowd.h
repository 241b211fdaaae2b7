/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/crowd.h - parties that are connected to a gate and, having said hello, say nothing more.
 *
 * Each has a file and a key of its own. They share one ZeroMQ context, since the machine has to
 * carry their end as well.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "support/gated.h"

struct crowd;

/* Registers them with the cell; the gate reads their files within a second. NULL on failure. */
struct crowd *crowd_new(const struct gated *g, size_t n);
void crowd_free(struct crowd *crowd);

/* Connects all, and waits until each has had an answer through the gate. */
bool crowd_come(struct crowd *crowd, const struct gated *g);
void crowd_go(struct crowd *crowd);

#endif

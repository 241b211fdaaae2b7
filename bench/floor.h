/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/floor.h - the least that LMDB must do for the same work: what Hoso is measured against.
 *
 * PURPOSE    One process, no messages, no checks, no reads, no hashes: only the writes without
 *            which the six steps would not be kept, of the same sizes, in batches of the same size.
 * WRITES     For each dossier once: its content, its code, the request id (same id, same answer).
 *            For each batch of a service: one row of counters. For each step of a service on a
 *            dossier: the dossier's row, one journal row and one history row for each event, the
 *            queue row for the next service, the delete of the one that brought it here.
 * LISTS      With lists, also what the product is asked for besides: the indexes by state, site,
 *            procedure and due date, the daily number, the timer of the due date, each put and
 *            taken away as it changes. The goal is measured against the floor with lists; the
 *            bare floor is shown beside it.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOOR_SERVICES 5

/* Bytes of one record, as measured in the cell. */
struct floor_sizes {
    size_t dossier, event, content, queue, request;
};

struct floor;

/* In a new folder below `base`, on the same disk as the cell. NULL on failure. */
struct floor *floor_open(const char *base, const struct floor_sizes *sizes);
void floor_close(struct floor *floor);

/* Takes n dossiers through all services, batch[s] of them in a commit of service s. Gives the
 * seconds that took, or a negative number. */
double floor_saturated(struct floor *floor, uint64_t n, const unsigned batch[FLOOR_SERVICES],
                       bool with_lists);

/* Six commits one after the other, each with the writes of one step of one dossier: seconds. */
double floor_six_commits(struct floor *floor, bool with_lists);

#endif

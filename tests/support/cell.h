/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/cell.h - a whole cell in one process: five engines, one store, a clock of its own.
 *
 * PURPOSE    Scenarios run the product's own engine, activities, procedures and store, without
 *            sockets. Nudges between the services are dropped, doubled and mixed up at random, so
 *            every scenario also proves that they do not matter.
 * CONCEPTS   pump      each service settles what is due, in random order, until nothing is
 *            advance   moves both clocks from one due moment to the next
 *            ahead     services read ahead, as workers do; mostly what is out of date by the time
 *                      it is used, which must not matter either
 * LIFE CYCLE cell_new -> requests, cell_advance -> cell_close, which looks whether all is sound:
 *            journal chain, events 1..n of each dossier, counters against rows, nothing left over
 * SEED       SEED=n in the environment repeats a run; it is printed where a check fails.
 */
#ifndef TESTS_SUPPORT_CELL_H
#define TESTS_SUPPORT_CELL_H

#include "support/json.h"
#include "support/test.h"

#include "catalogue.h"
#include "workflow/service.h"

struct cell {
    char folder[64];
    struct wf_settings settings;
    struct wf_registry *registry;
    struct wf_calendar *calendar;
    struct wf_catalogue catalogue;
    struct wf_store *store;
    struct wf_papers *papers;
    struct wf_engine *engines[WF_SERVICE_COUNT];
    struct wf_arena *turn_arena; /* emptied before each turn */
    struct wf_arena *arena;      /* what tests hold; lives as long as the cell */
    int64_t now;                 /* business and real ms alike */
    uint64_t random;
    bool awake[WF_SERVICE_COUNT]; /* a nudge has arrived */
    uint64_t ids;                 /* request ids given out */
    uint64_t transitions, turns, nudges_lost;
    struct wf_parties *parties; /* NULL = only local programs */
    const char *party;          /* whose requests follow; NULL = a local program's */
    uint64_t seq;               /* of a station's next request; 0 = none */
    bool dead_letters_are_expected;
    bool reads_nothing_ahead;
    struct wf_arena *ahead_arenas[WF_SERVICE_COUNT];
    const struct wf_ahead *aheads[WF_SERVICE_COUNT]; /* each read anew every few turns */
};

/* Opens a cell at a local moment ("2026-11-23 09:10") with all procedures of procedures/. */
struct cell *cell_new(const char *moment);
void cell_close(struct cell *cell);

uint64_t cell_seed(void); /* of the environment, or 1 */
uint64_t cell_random(struct cell *cell, uint64_t below);

/* Carries out one request, without pumping. An error answer gives its code, text and field. */
int cell_request(struct cell *cell, enum wf_service service, const char *id, enum wf_message type,
                 const void *body, struct wf_envelope *out, struct wf_error *err);

void cell_pump(struct cell *cell);
void cell_advance_to(struct cell *cell, int64_t ms);
void cell_advance(struct cell *cell, const char *limit); /* "3 working days", "10 minutes" */
int64_t cell_moment(struct cell *cell, const char *moment);

/* What is stored now. */
struct wf_counts cell_counts(struct cell *cell);
struct wf_txn *cell_read(struct cell *cell); /* end it with wf_txn_abort */

/* An operator's act on a dead letter. */
void cell_retry_dead(struct cell *cell, uint64_t seq);
void cell_drop_dead(struct cell *cell, uint64_t seq);
/* NULL = without a result. What is refused changes nothing. */
int cell_skip_dead(struct cell *cell, uint64_t seq, const char *result, struct wf_error *err);
int cell_edit_dead(struct cell *cell, uint64_t seq, const char *changes, struct wf_error *err);
/* The first due item of the service fails as often as it takes to bury it. */
void cell_bury_first(struct cell *cell, enum wf_service service);

/* An operator's hold, and its release up to the last row put back; without pumping. */
int cell_try_hold(struct cell *cell, enum wf_hold_kind kind, const char *name,
                  struct wf_error *err);
void cell_hold(struct cell *cell, enum wf_hold_kind kind, const char *name);
void cell_release(struct cell *cell, enum wf_hold_kind kind, const char *name);
/* The release alone, and one turn of putting back; false when nothing is left. */
void cell_lift(struct cell *cell, enum wf_hold_kind kind, const char *name);
bool cell_put_back(struct cell *cell, size_t most);

/* The first dead letter, or false. */
bool cell_first_dead(struct cell *cell, struct wf_rec_queue *out);

/* All that must hold at any quiet moment; cell_close calls it. */
void cell_verify(struct cell *cell);

#endif

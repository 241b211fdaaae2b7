/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/stand.h - the part that all stand-ins share: they wait for tasks and work on them.
 *
 * PURPOSE    A stand-in plays people or a system outside (a counter, an official, a courier). It
 *            speaks to the queue endpoints only, as any program of theirs would: long polls for
 *            tasks, one at a time for each duty, and answers when it is done.
 * CONCEPTS   duty   an activity, and the role in which it is done
 *            job    a task that was fetched, with the steps planned for it
 *            step   progress, completion or failure at a time of its own
 *            hours  time as the played people feel it; --day says how long a day really takes
 * OWNERSHIP  a job's values live in its arena until its last step is done.
 * LIFE CYCLE stand_main does it all and gives the exit code.
 */
#ifndef DEMO_STAND_H
#define DEMO_STAND_H

#include "workflow/client.h"

struct stand;

struct job {
    struct wf_arena *arena;
    const struct duty *duty;
    uint64_t task, token;
    const char *dossier, *to;
    const struct wf_value *params;
    int64_t attempt;
    int64_t hour_ms; /* real milliseconds of an hour */
    int64_t fetched_ms;
    uint64_t random;
    struct step *steps; /* in order of time */
    struct job *next;
};

struct duty {
    enum wf_service service;
    const char *activity;
    const char *role;
    void (*work)(struct job *job); /* plans at least one step */
    const char *to;                /* address served where no option says so; NULL = all */
};

/* ---- what a duty may plan, hours after the task was fetched ---------------------------------- */

void job_complete(struct job *job, double hours, const struct wf_value *result);
void job_fail(struct job *job, double hours, const char *reason, bool final);
void job_progress(struct job *job, double hours, const struct wf_value *data);

/* A map of texts: name, value, name, value ... NULL. */
struct wf_value *job_map(struct job *job, ...) __attribute__((sentinel));

/* 0 .. n - 1; the same for the same seed, dossier, activity and attempt, whenever it is thrown. */
unsigned job_dice(struct job *job, unsigned n);

/* A number between the two, in tenths. */
double job_between(struct job *job, double least, double most);

/* ---- the stand ------------------------------------------------------------------------------- */

struct stand_options {
    const char *run; /* folder of the sockets */
    const char *by;  /* account of whoever works here */
    uint64_t seed;
    int64_t day_ms;     /* real milliseconds of a day */
    int64_t count;      /* counters: dossiers to submit */
    const char *to[64]; /* addresses served; none = all */
    size_t n_to;
    bool until_idle;
};

/* Called between tasks; gives the milliseconds until it wants to be called again, -1 = never. */
typedef int64_t stand_tick_fn(struct stand *stand);

const struct stand_options *stand_options(const struct stand *stand);

/* A request to a service; errors are told on stderr. */
int stand_ask(struct stand *stand, enum wf_service to, enum wf_message type, const void *body,
              struct wf_arena *arena, struct wf_envelope *out, struct wf_error *err) WF_CHECKED;

/* A number for the n-th thing of a kind; the same for the same seed. */
uint64_t stand_random(uint64_t seed, const char *kind, uint64_t n);

/* The whole program: options, loop until SIGTERM or idle. tick may be NULL. */
int stand_main(int argc, char **argv, const char *by, const struct duty *duties, size_t n_duties,
               stand_tick_fn *tick);

#endif

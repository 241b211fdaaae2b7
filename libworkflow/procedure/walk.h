/* SPDX-License-Identifier: Apache-2.0 */
/* procedure/walk.h - inside the simulation: one dossier on paper, its jobs and its alarms. */
#ifndef PROCEDURE_WALK_H
#define PROCEDURE_WALK_H

#include "workflow/simulate.h"

/* ---- what activities answer (walk_answers.c) ----------------------------------------------- */

struct walk_member {
    const char *name;
    enum wf_type type;
    const char *text; /* of a list: its only element, NULL = empty */
};

struct walk_answer {
    unsigned weight;
    struct walk_member members[4];
};

struct walk_activity {
    const char *name;
    enum wf_limit_unit unit; /* NONE: the system answers by itself, at once */
    int64_t least, most;     /* how long an answer takes, in this unit */
    size_t n_answers;
    struct walk_answer answers[4]; /* the first one is favourable */
};

/* The row of an activity; one without results for names that the table does not know. */
const struct walk_activity *walk_activity(const char *name);
const struct wf_value *walk_answer_data(const struct walk_activity *activity, size_t answer,
                                        const struct wf_value *params, struct wf_arena *arena);
/* One answer of an activity that asks several. */
const struct wf_value *walk_part_answer(const struct wf_value *params, size_t i,
                                        struct wf_arena *arena);

/* ---- the dossier on paper (walk.c) --------------------------------------------------------- */

struct job {
    const char *id;
    const char *role;
    const struct walk_activity *activity;
    const struct wf_value *params;
    int64_t due;  /* when it will be answered; INT64_MAX = nobody has planned it */
    size_t parts; /* answers that come before the last one */
    size_t parts_given;
    bool detached;
    struct job *next;
};

struct alarm {
    const char *id;
    const char *event;
    const struct wf_value *data;
    int64_t due;
    struct alarm *next;
};

struct walker {
    const struct wf_procedure *p;
    const struct wf_walk_options *o;
    struct wf_arena *arena;
    struct wf_error *err;
    struct wf_snapshot snapshot;
    struct job *jobs;     /* in the order in which they began */
    struct alarm *alarms; /* by due time, then in the order in which they were set */
    struct wf_value *trace;
    struct wf_value *does; /* of the event being applied */
    uint64_t random;
    int64_t now, due, stopped_since;
    int64_t supplements, extensions;
    int status;
    size_t n_events, n_errors;
    bool clock_stopped;
    const char *outcome;
    const char *problem;
};

uint64_t walk_chance(struct walker *w, uint64_t n); /* 0 .. n-1; 0 for n = 0 */

int walk_start(struct walker *w, const struct wf_value *fields) WF_CHECKED;

/* Applies an event now. Nothing is traced where nobody takes it and it is `quiet`. */
int walk_event(struct walker *w, const struct wf_chart_event *event, bool quiet,
               bool *out_taken) WF_CHECKED;
/* Answers a job: done.invoke.ID, or done.send.ID of a detached one. */
int walk_finish(struct walker *w, struct job *job, const struct wf_value *data) WF_CHECKED;
int walk_part(struct walker *w, struct job *job, const struct wf_value *data) WF_CHECKED;
int walk_fail(struct walker *w, struct job *job, bool *out_taken) WF_CHECKED;
int walk_fire(struct walker *w, struct alarm *alarm) WF_CHECKED;
struct job *walk_job(const struct walker *w, const char *id); /* or NULL */

/* The i-th event that a party may raise now, or NULL. */
const char *walk_offer(const struct walker *w, size_t i);

int walk_no_memory(struct walker *w);

/* Plans when a new job will be answered (walk_random.c); scripts plan nothing. */
void walk_plan(struct walker *w, struct job *job);

int walk_at_random(struct walker *w) WF_CHECKED;
int walk_by_script(struct walker *w) WF_CHECKED;
const struct wf_value *walk_made_up_fields(struct walker *w);

#endif

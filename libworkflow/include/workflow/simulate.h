/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/simulate.h - a definition walked through on paper: real chart, real calendar, no store.
 *
 * PURPOSE    Shows what a definition does before any dossier runs by it: activities are answered
 *            by given or chosen results, deadlines fall due in virtual time.
 * CONCEPTS   script   a list of maps {event, data, after, invoke}: what happens, in order
 *            random   chance decides instead: who answers what and when, who withdraws, what is
 *                     never answered; the same seed gives the same walk
 *            trace    a list of maps {time, event, data, states, status, due, does, error}, one for
 *                     each event; times in ms, 0 = no due date
 *            patience a random walk turns favourable after PATIENCE events, so that it comes to its
 *                     end wherever the definition has one
 * OWNERSHIP  all results live in the arena of the call and borrow from the procedure.
 * ERRORS     WF_E_NOMEM; WF_E_STATE for a chart that loops; WF_E_INVALID for a script that is
 *            none. That a walk gets stuck is no error: done is false and problem says why.
 * THREADS    pure: same input, same output.
 *
 * SCRIPT     {event: "done.invoke.review", data: {verdict: "approve"}}   an activity's result
 *            {event: "progress.consult", data: {...}}                    one answer of several
 *            {event: "error.communication", invoke: "review"}            an activity failed for
 * good {event: "deadline.examine"}       time passes until this timer; earlier ones fire too
 *            {after: "2 working days"}         time passes; with `event`: and then it happens
 *            {event: "withdraw"}               what a party says
 *            Activities that the system does by itself are answered at once, favourably, unless
 *            the script's next line answers them. A result without data is the favourable one.
 */
#ifndef WORKFLOW_SIMULATE_H
#define WORKFLOW_SIMULATE_H

#include "workflow/procedure.h"

#define WF_WALK_EVENTS_MAX 1000 /* default of max_events */

struct wf_walk_options {
    const struct wf_calendar *calendar;
    int64_t start_ms;              /* received at */
    const char *channel, *site;    /* of _dossier; NULL = "one_stop" and "" */
    const struct wf_value *fields; /* the citizen's data; NULL = made up */
    const struct wf_value *script; /* NULL = at random */
    uint64_t seed;
    size_t max_events; /* 0 = WF_WALK_EVENTS_MAX */
};

struct wf_walk {
    const struct wf_value *trace;
    const struct wf_value *waits_for; /* when not done: list of {kind, id, activity, role, due};
                                         kind is activity, timer or event */
    const char *problem;              /* why it ended before a final state, or NULL */
    const char *outcome;              /* of the final state reached, or NULL */
    int status;                       /* portal status at the end */
    size_t n_events;
    size_t n_errors; /* events in which an expression failed */
    int64_t end_ms;
    bool done;
};

int wf_simulate(const struct wf_procedure *p, const struct wf_walk_options *options,
                struct wf_arena *arena, struct wf_walk *out, struct wf_error *err) WF_CHECKED;

#endif

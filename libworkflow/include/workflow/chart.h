/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/chart.h - statecharts after W3C SCXML (2015), as a pure function.
 *
 * PURPOSE    wf_chart_compile turns a `states` group into an immutable chart; wf_chart_step takes
 *            a snapshot of one dossier's chart and one event, and gives the next snapshot and the
 *            list of effects. No I/O, no clock, no store, no randomness: same input, same output.
 * CONCEPTS   snapshot  active states, history, data, running invocations, whether it is done
 *            event     name with dots, data, invoke id it comes from
 *            effect    what the world must do: start or cancel an activity, arm or cancel a delayed
 *                      event, a due date moved, a line for the log
 *            taken     the event enabled at least one transition
 * ALGORITHM  appendix D of the recommendation: exit order, entry order, optimal transition set,
 *            preemption, internal queue before external, macrostep to the end. `datamodel` early
 *            binding only. Limits: 2,000 states; 1,000 microsteps and 100,000 actions in one
 *            macrostep (then error WF_E_STATE: an endless loop of eventless transitions).
 * OWNERSHIP  the chart owns its texts and borrows nothing after compiling; snapshots and effects
 *            live in the arena of the call and borrow names and constants from the chart, and what
 *            did not change from the snapshot that the step came from: copy what must live longer.
 * ERRORS     compile: WF_E_CONFIG, NOMEM. step: NOMEM; STATE where a limit was reached; INVALID
 *            where the snapshot names states that the chart has not. What fails in the definition's
 *            own content is no error of the call: it raises error.execution (_event.data.message).
 * THREADS    a chart is immutable and may be shared.
 *
 * SYNTAX (libconfig; element names are SCXML's where libconfig allows)
 *   initial = "receipt";                            optional: else the first state
 *   data: { n = 0; note = ""; list = []; };         variables with initial values, types from them;
 *                                                   a text starting with "=" is an expression
 *   states: {
 *     receipt: {
 *       type = "parallel" | "final" | "history" | "deep_history" | "atomic/compound" (default)
 *       initial = "child";  or  initial = { target = "x"; do = (...); };
 *       states: { ... };                            children, in document order
 *       entry = ( actions ); exit = ( actions );
 *       invoke = ( { activity = "verification.review"; id = "review"; role = "civil_servant";
 *                    <any other key is a parameter: scalar, group, or a text starting with "="
 *                    which is an expression> } );
 *       on = ( { event = "done.invoke.review other.*"; cond = "..."; target = "a" | ["a","b"];
 *                type = "internal"; do = ( actions ); roles = ["..."]; channels = ["..."];
 *                models = ["M1"]; } );
 *       always = ( { cond; target; do } );          eventless transitions
 *       done = { data = "=expr"; } or { data = { name = "=expr"; }; }   on final states: donedata
 *       default = "target"                          on history states (required), or { target; do }
 *       deadline = "2 working days";                raises deadline.<state>; armed on entry,
 *                                                   cancelled on exit
 *       status = 4; clock = "stopped"; title = {...}; outcome = "approved"; note = "..";
 *                                                   annotations: kept, see wf_chart_state
 *     };
 *   };
 *   actions: { raise = "event"; data = ...; }  { assign = "name" or "name.member"; expr = "..."; }
 *     { send = "event"; delay = "3 working days"; id = "x"; data = {...}; }   delayed event to
 *       itself; without delay: after this step (the caller's queue is SCXML's external queue)
 *     { send = "notification.send"; template = "ready"; ... }   a send whose name is an activity
 *       that scope.is_activity knows starts it detached (fire and forget); parameters as for invoke
 *     { cancel = "id"; }  { log = "expr" ; label = "x"; }
 *     { if = "cond"; do = (..); elseif = ( { cond = ".."; do = (..); } ); else = (..); }
 *     { foreach = "expr list"; item = "var"; index = "var"; do = (..); }   variables that data
 *       does not have live in the loop only
 *     { extend = "5 working days"; }                moves the dossier's due date (effect EXTEND)
 */
#ifndef WORKFLOW_CHART_H
#define WORKFLOW_CHART_H

#include "workflow/config.h"
#include "workflow/expr.h"

struct wf_chart;

/* What the surrounding procedure knows, so that the compiler can check names. */
struct wf_chart_scope {
    const struct wf_decl *fields; /* further variables, e.g. the dossier's fields (read-write) */
    size_t n_fields;
    /* Tells whether the name of a send is that of an activity; NULL = sends are events. Whether
       the activity of an invoke is known is for the caller to check (wf_chart_invokes). */
    bool (*is_activity)(void *context, const char *name);
    void *context;
    size_t memory_limit; /* bytes that the compiled chart may take; 0 = no limit */
};

/*
 * `group` holds initial, data, states (other keys of it are left alone). Reports all errors:
 * unknown keys and states, doubled state ids (ids are unique in the whole chart), expressions
 * that do not compile, bad targets (not orthogonal), bad durations.
 */
int wf_chart_compile(const struct wf_node *group, const struct wf_chart_scope *scope,
                     struct wf_report *report, struct wf_chart **out,
                     struct wf_error *err) WF_CHECKED;
void wf_chart_free(struct wf_chart *chart);

/* ---- looking at a chart -------------------------------------------------------------------- */

enum wf_state_kind {
    WF_STATE_ATOMIC,
    WF_STATE_COMPOUND,
    WF_STATE_PARALLEL,
    WF_STATE_FINAL,
    WF_STATE_HISTORY,
    WF_STATE_DEEP_HISTORY
};

struct wf_chart_state {
    const char *id;
    enum wf_state_kind kind;
    int parent; /* index, or -1 for children of the root */
    int line;
    const char *deadline; /* duration text or NULL */
    bool clock_stopped;
    int status;          /* portal status 1..10, 0 = none given: inherits from its parent */
    const char *outcome; /* of final states: "approved", ... or NULL */
    const char *title_vi, *title_en; /* or NULL */
};

/* One transition, for checks, listings and "what does this state take?". */
struct wf_chart_transition {
    int source;        /* state index; -1 = initial/history transitions are not listed */
    const char *event; /* descriptors separated by blanks; NULL = eventless */
    const char *cond;  /* source text or NULL */
    const int *targets;
    size_t n_targets;
    const char *const *roles; /* who may raise it; n 0 = no restriction written */
    size_t n_roles;
    const char *const *channels;
    size_t n_channels;
    const char *const *models; /* of the site of reception, "M1" to "M4" */
    size_t n_models;
    int line;
    bool internal;
};

/* A party that raises an event: its role, and how the dossier came in. */
struct wf_chart_raiser {
    struct wf_str role, channel, model;
};

/* Do roles, channels and models of the transition let this party raise its event? */
bool wf_chart_lets(const struct wf_chart_transition *t, const struct wf_chart_raiser *who);

struct wf_chart_invoke {
    int state;
    const char *activity, *id, *role; /* role or NULL */
    int line;
    const struct wf_node *node; /* valid only while the wf_config lives */
};

/* Every activity that a send in the chart starts detached. */
struct wf_chart_send {
    const char *activity;
    int line;
    const struct wf_node *node; /* as above */
};

size_t wf_chart_states(const struct wf_chart *chart, const struct wf_chart_state **out);
size_t wf_chart_transitions(const struct wf_chart *chart, const struct wf_chart_transition **out);
size_t wf_chart_invokes(const struct wf_chart *chart, const struct wf_chart_invoke **out);
size_t wf_chart_sends(const struct wf_chart *chart, const struct wf_chart_send **out);
int wf_chart_find(const struct wf_chart *chart, const char *id);        /* state index or -1 */
size_t wf_chart_initial(const struct wf_chart *chart, const int **out); /* initial targets */

/* ---- running ------------------------------------------------------------------------------- */

/* The state of one running chart, as plain values: this is what is stored. */
struct wf_snapshot {
    const struct wf_value *states;  /* list of texts: ids of all active states, document order,
                                        ancestors included */
    const struct wf_value *history; /* map: history state id -> list of ids */
    const struct wf_value *data;    /* map: variables, including the fields given to start */
    const struct wf_value *invokes; /* map: invoke id -> activity */
    int64_t n_sends;                /* counter for generated ids */
    bool done;                      /* a top-level final state was reached; states still tell
                                        which, all delayed events are void */
};

struct wf_chart_event {
    const char *name;
    const struct wf_value *data; /* may be NULL */
    const char *invoke_id;       /* of done.invoke.x, error..., or NULL; both of these end the
                                        invocation: its state's exit does not cancel it again */
};

enum wf_effect_kind {
    WF_EFFECT_INVOKE,   /* start activity `activity` as invocation `id` with `data` params */
    WF_EFFECT_UNINVOKE, /* cancel invocation `id` */
    WF_EFFECT_SEND,     /* arm event `event` with `id`, `delay` text, `data`; delay NULL: now,
                            as an external event of its own after this step */
    WF_EFFECT_UNSEND,   /* cancel the delayed event `id` */
    WF_EFFECT_DETACHED, /* start activity `activity` fire-and-forget as `id` with `data` params */
    WF_EFFECT_EXTEND,   /* move the due date on by `delay` */
    WF_EFFECT_LOG       /* `event` = label, data = value */
};

struct wf_effect {
    enum wf_effect_kind kind;
    const char *id;
    const char *activity;
    const char *event;
    const char *delay; /* duration text as written, e.g. "2 working days" */
    const char *role;  /* of invoke, or NULL */
    const char *state; /* state that caused it */
    const struct wf_value *data;
    struct wf_effect *next;
};

struct wf_step {
    struct wf_snapshot snapshot;
    struct wf_effect *effects;      /* in the order in which they arose */
    bool taken;                     /* at least one transition was enabled by the event itself */
    const struct wf_value *entered; /* list: ids of states entered, in order */
    const struct wf_value *result;  /* donedata when done, else NULL */
    const char *error;              /* first error.execution's message in this step, or NULL */
};

/* Enters the initial states. `variables` (map, may be NULL) are laid over the chart's data. */
int wf_chart_start(const struct wf_chart *chart, const struct wf_value *variables,
                   struct wf_arena *arena, struct wf_step *out, struct wf_error *err) WF_CHECKED;

/* The data of a chart before its first state is entered: `variables`, and the initial values of all
 * others. */
int wf_chart_data(const struct wf_chart *chart, const struct wf_value *variables,
                  struct wf_arena *arena, const struct wf_value **out,
                  struct wf_error *err) WF_CHECKED;

/* Takes one external event to the end of its macrostep. A done chart takes nothing. */
int wf_chart_step(const struct wf_chart *chart, const struct wf_snapshot *from,
                  const struct wf_chart_event *event, struct wf_arena *arena, struct wf_step *out,
                  struct wf_error *err) WF_CHECKED;

/* The same for an event of a party: only transitions that let it raise the event are asked. */
int wf_chart_step_by(const struct wf_chart *chart, const struct wf_snapshot *from,
                     const struct wf_chart_event *event, const struct wf_chart_raiser *who,
                     struct wf_arena *arena, struct wf_step *out, struct wf_error *err) WF_CHECKED;

/*
 * Which transitions of the active configuration name this event (guards are not asked): for
 * "state X takes: a, b" and for the roles that may raise it. Returns how many indexes into
 * wf_chart_transitions were written to out (at most n). event NULL = all with an event.
 */
size_t wf_chart_offers(const struct wf_chart *chart, const struct wf_snapshot *from,
                       const char *event, size_t *out, size_t n);

/* Would the event enable a transition now (guards asked)? _by: would it, raised by this party? */
int wf_chart_accepts(const struct wf_chart *chart, const struct wf_snapshot *from,
                     const struct wf_chart_event *event, struct wf_arena *arena, bool *out,
                     struct wf_error *err) WF_CHECKED;
int wf_chart_accepts_by(const struct wf_chart *chart, const struct wf_snapshot *from,
                        const struct wf_chart_event *event, const struct wf_chart_raiser *who,
                        struct wf_arena *arena, bool *out, struct wf_error *err) WF_CHECKED;

/*
 * The whole configuration that has just these atomic states: ancestors added, document order.
 * WF_E_STATE where they do not make a legal one (a region without a state, two in one compound).
 */
int wf_chart_configuration(const struct wf_chart *chart, const struct wf_value *atomic,
                           struct wf_arena *arena, const struct wf_value **out,
                           struct wf_error *err) WF_CHECKED;

/* Does an event name match a descriptor list ("a b.* *")? Prefix by whole parts (SCXML 3.12.1). */
bool wf_event_matches(const char *descriptors, const char *event);

#endif

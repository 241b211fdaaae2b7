/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure/explore.h - all configurations that a chart can come into.
 *
 * PURPOSE    Whether regions can join, a clock can start again, or a transition is ever taken is a
 *            question about sets of active states, not about single ones. This walks through them.
 * CONCEPTS   configuration  the active states, what histories remember, raised events not yet taken
 *            edge           one microstep, or an event from outside and its microstep
 *            resting        nothing goes on by itself: the dossier waits for an event
 * HOW        States are left and entered as the interpreter does it. Data is not known: a condition
 *            may hold or not, save for what In() and constants decide. Events come when they can:
 *            done.invoke.X while X runs, deadline.X while X is active, others at any time.
 * LIMITS     Charts whose configurations are too many are explored in part: is_whole is false then,
 *            and nothing may be concluded from what was not found. The limits count configurations
 *            and work, not time, so that a definition is judged alike on every machine.
 */
#ifndef PROCEDURE_EXPLORE_H
#define PROCEDURE_EXPLORE_H

#include "chart/run_internal.h"

#define EXPLORE_MAX_NODES ((size_t)20000)
#define EXPLORE_MAX_EDGES ((size_t)200000)
#define EXPLORE_MAX_WORK  ((size_t)3000000)          /* choices tried */
#define EXPLORE_MAX_BYTES ((size_t)16 * 1024 * 1024) /* of configurations */

enum explore_edge_flag {
    EDGE_INTERNAL = 1, /* taken by itself: eventless, or on a raised event */
    EDGE_ASSIGNS = 2,  /* may change data, and with it what conditions give */
    EDGE_REGISTERS = 4 /* on the end of the activity that the caller named */
};

struct explore_edge {
    uint32_t from, to;
    int transition; /* the first one taken, or -1: an event was dropped */
    unsigned flags;
};

struct explore_node {
    uint64_t *words; /* active states, then histories, then raised events */
    size_t n_queue;
    size_t first_edge, n_edges;
    bool is_done;
    bool is_resting;
};

/* Two transitions of different regions that both would leave what is around them. */
struct explore_rivals {
    int first, second;
};

struct explored {
    const struct wf_chart *chart;
    struct explore_node *nodes; /* [0] is the first configuration */
    size_t n_nodes;
    struct explore_edge *edges; /* in the order of the nodes they start from */
    size_t n_edges;
    bool is_whole;
    bool *state_active;     /* by internal number of the state */
    bool *done_raised;      /* done.state.X was raised */
    bool *state_resting;    /* in a configuration at rest */
    bool *transition_asked; /* by number of the transition: its event came, its turn too */
    bool *transition_held;  /* ... and its condition could hold */
    bool *transition_taken; /* ... and no other one stood against it */
    struct explore_rivals rivals[32];
    size_t n_rivals;
    struct wf_arena *arena;
};

/*
 * Explores; `registers` names the activity whose end marks edges (or NULL). 0, or WF_E_NOMEM.
 * *out must be given to explore_fini in either case.
 */
int explore_chart(const struct wf_chart *chart, const char *registers, struct explored *out,
                  struct wf_error *err) WF_CHECKED;
void explore_fini(struct explored *x);

/* Is the state (internal number) active in the node? */
static inline bool explore_is_active(const struct explored *x, size_t node, int state)
{
    return has_bit(x->nodes[node].words, state);
}

/*
 * Spreads marks (one per node) along or against the edges until nothing changes; edges with any of
 * the flags in `without` do not count. False when memory is out.
 */
bool explore_spread(const struct explored *x, bool *marks, bool backward,
                    unsigned without) WF_CHECKED;

/* ---- explore_step.c: one microstep, without data --------------------------------------------- */

#define EXPLORE_MAX_QUEUE ((size_t)64)

/* A configuration that is being changed. */
struct explore_work {
    const struct wf_chart *chart;
    uint64_t *active;
    uint64_t *histories;               /* slot after slot; an empty set remembers nothing */
    uint64_t queue[EXPLORE_MAX_QUEUE]; /* raised events: name number * 2 + may not be there */
    size_t n_queue;
    uint64_t *leaving, *entering, *by_default, *default_histories, *scratch;
    int *items;         /* room for a set of targets */
    const char **names; /* of raised events; numbers below n_states stand for done.state.X */
    size_t n_names;
    size_t cap_names;
    bool *done_raised;
    bool is_done;
    bool assigns;
    bool is_short; /* the queue or the names were too many */
};

const char *explore_event_name(const struct explore_work *w, uint64_t entry);
int explore_domain(struct explore_work *w, const struct transition *t);
void explore_microstep(struct explore_work *w, const int *enabled, size_t n_enabled);
void explore_enter_initial(struct explore_work *w);

/* What the condition gives where only the active states are known: 1, 0, or -1 = unknown. */
int explore_truth(const struct wf_chart *chart, const uint64_t *active, const struct wf_expr *cond);

#endif

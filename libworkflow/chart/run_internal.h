/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chart/run_internal.h - one step of a chart while it runs.
 *
 * Functions return 0 or a negative code that ends the step (memory, limits, a damaged snapshot).
 * What goes wrong in the definition's own content is no such code: it becomes error.execution.
 */
#ifndef CHART_RUN_INTERNAL_H
#define CHART_RUN_INTERNAL_H

#include "chart_internal.h"

#define MAX_MICROSTEPS 1000
#define MAX_ACTIONS    100000 /* in one macrostep: loops in loops are long, not endless */

struct event {
    const char *name;
    const char *type; /* "external", "internal" or "platform" */
    const char *invoke_id;
    const char *send_id; /* of the send that failed */
    const struct wf_value *data;
    const struct wf_chart_raiser *who; /* or NULL: not raised by a party */
    struct event *next;
};

/* A loop variable that is not in data. */
struct local {
    const char *name;
    const struct wf_value *value;
    const struct local *outer;
};

/* A history state without memory whose default content runs when its parent is entered. */
struct default_history {
    int history;
    const struct default_history *next;
};

struct run {
    const struct wf_chart *chart;
    const struct wf_snapshot *from; /* NULL at the start */
    struct wf_arena *arena;
    struct wf_error err;
    struct wf_reader reader;

    /* sets of states */
    uint64_t *active;
    uint64_t *to_invoke;
    uint64_t *entering;
    uint64_t *by_default;
    uint64_t *scratch;
    /* sets of transitions and invocations */
    uint64_t *tried;
    uint64_t *chosen;
    uint64_t *running_invokes;

    int *enabled; /* transitions of this microstep */
    size_t n_enabled;
    const struct wf_value **history; /* slot -> list of ids, or NULL */
    const struct default_history *default_histories;

    const struct wf_value *shared_data; /* the snapshot's, read only */
    struct wf_value *data;              /* our copy, from the first assignment on; else NULL */
    bool states_changed, history_changed, invokes_changed;

    const struct event *event;
    const struct wf_value *event_value; /* made when first asked for */
    struct event *queue;
    struct event **queue_end;
    const struct local *locals;

    struct wf_effect *effects;
    struct wf_effect **effects_end;
    struct wf_value *entered;
    const struct wf_value *result;
    const char *error;
    int64_t n_sends;
    int state; /* whose content runs: for effects and messages */
    int microsteps;
    int actions;
    bool is_done;
    bool is_short; /* memory ran out where no code could be returned */
    const struct action *failed_action;
    const char *failed_send; /* id, until the error is raised */
    bool is_fatal;           /* a WF_E_STATE that is not the definition's to handle */
};

static inline bool has_bit(const uint64_t *set, int i)
{
    return (set[(size_t)i / 64] >> ((size_t)i % 64) & 1U) != 0;
}

static inline void set_bit(uint64_t *set, int i)
{
    set[(size_t)i / 64] |= (uint64_t)1 << ((size_t)i % 64);
}

static inline void clear_bit(uint64_t *set, int i)
{
    set[(size_t)i / 64] &= ~((uint64_t)1 << ((size_t)i % 64));
}

/* The least member above i (or the greatest below i), or NO_STATE. */
int set_next(const uint64_t *set, size_t n_words, int i);
int set_previous(const uint64_t *set, int i);

int no_memory(struct run *run);

/* ---- snapshot.c ---------------------------------------------------------------------------- */

int run_init(struct run *run, const struct wf_chart *chart, const struct wf_snapshot *from,
             struct wf_arena *arena);
int run_load(struct run *run);
int run_save(struct run *run, struct wf_step *out);

/* ---- select.c ------------------------------------------------------------------------------ */

/* Fills run->enabled for the present event, or for none (eventless transitions). */
int select_transitions(struct run *run, const struct event *event);

/* The states that a history (state number) stands for, or whether it remembers none. */
int history_states(struct run *run, int history, struct targets *out, bool *out_is_known);
int domain_of(struct run *run, const struct transition *t, int *out);

/* ---- states.c ------------------------------------------------------------------------------ */

int exit_states(struct run *run);
int enter_states(struct run *run);
int enter_initial(struct run *run);
int exit_all(struct run *run);
int start_invocations(struct run *run);

/* ---- execute.c ----------------------------------------------------------------------------- */

int run_block(struct run *run, int state, const struct block *block);
int make_value(struct run *run, const struct template *t, const struct wf_value **out);
struct wf_effect *add_effect(struct run *run, enum wf_effect_kind kind);
int raise_event(struct run *run, const char *name, const char *type, const struct wf_value *data);

/* error.execution with the text in run->err, after "line N: what". */
int raise_error(struct run *run, int line, const char *what);

/* Is the failure the definition's own, so that it becomes error.execution? */
bool is_soft(const struct run *run, int rc);

/* The reader of expressions. */
const struct wf_value *read_variable(void *context, struct wf_str name);
bool read_is_in(void *context, struct wf_str id);
int bind_data(struct run *run, const struct wf_value *variables);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chart/chart_internal.h - the compiled chart, as compiler and interpreter see it.
 *
 * States are numbered in document order, the root (SCXML's <scxml>) being 0. So the descendants
 * of a state are the numbers between it and its `last`, entry order is ascending, exit order
 * descending, and sets of states are bits. Public indexes (chart.h) are one less.
 */
#ifndef CHART_CHART_INTERNAL_H
#define CHART_CHART_INTERNAL_H

#include "workflow/chart.h"

#define ROOT           0
#define NO_STATE       (-1)
#define NO_DOMAIN      (-1) /* targetless: exits and enters nothing */
#define DYNAMIC_DOMAIN (-2) /* depends on what a history state remembers */

#define BLANKS " \t\r\n" /* between event descriptors */

#define MAX_STATES ((size_t)2000)

/* ---- values to be made at run time --------------------------------------------------------- */

enum template_kind { TEMPLATE_CONST, TEMPLATE_EXPR, TEMPLATE_LIST, TEMPLATE_MAP };

struct template
{
    enum template_kind kind;
    const struct wf_value *constant;
    const struct wf_expr *expr;
    const char **keys;             /* of MAP */
    const struct template **items; /* of LIST and MAP */
    size_t n;
};

/* ---- executable content -------------------------------------------------------------------- */

enum action_kind {
    ACTION_RAISE,
    ACTION_ASSIGN,
    ACTION_SEND,
    ACTION_DETACHED,
    ACTION_CANCEL,
    ACTION_LOG,
    ACTION_IF,
    ACTION_FOREACH,
    ACTION_EXTEND
};

struct action;

struct block {
    const struct action *actions;
    size_t n;
};

struct branch {
    const struct wf_expr *cond; /* NULL: else */
    struct block block;
};

struct loop_variable {
    const char *name;
    enum wf_static_type type; /* as declared */
    bool is_local;            /* not in data: lives in the loop only */
};

struct action {
    enum action_kind kind;
    int line;
    const char *name;              /* event, activity, label, or variable with its path */
    const char *role;              /* DETACHED */
    enum wf_static_type type;      /* ASSIGN: of the variable */
    const struct wf_expr *expr;    /* FOREACH: the list */
    const struct template *value;  /* data, parameters, or what is assigned or logged */
    const struct template *id;     /* SEND, DETACHED, CANCEL; NULL = made up */
    const struct template *delay;  /* SEND, EXTEND */
    const struct branch *branches; /* IF */
    size_t n_branches;
    struct block body; /* FOREACH */
    struct loop_variable item;
    struct loop_variable index; /* without a name: none */
};

/* ---- states and transitions ---------------------------------------------------------------- */

struct targets {
    const int *items;
    size_t n;
};

/* What leads into a compound state's children or stands for a history without memory. */
struct entry {
    struct targets targets;
    struct block block;
};

struct transition {
    int source;
    const struct wf_str *tokens; /* descriptors without their ".*"; empty = any event */
    size_t n_tokens;
    const struct wf_expr *cond; /* or NULL */
    struct targets targets;
    int domain;
    bool internal;
    struct block block;
};

struct invocation {
    const char *activity;
    const char *id;
    const char *role;
    const struct template *params;
    int line;
};

struct state {
    enum wf_state_kind kind;
    int parent;
    int last;                  /* greatest descendant, or the state itself */
    const struct wf_value *id; /* a text */
    size_t first_on, n_on;     /* in transitions */
    size_t first_always, n_always;
    size_t first_invoke, n_invokes;
    struct entry initial; /* of compound states and the root; of history states: the default */
    struct block entry_block;
    struct block exit_block;
    const struct template *donedata;
    const char *done_event;     /* "done.state.<id>" */
    const char *deadline;       /* or NULL */
    const char *deadline_event; /* "deadline.<id>" */
    int history_slot;           /* of history states */
    bool has_history;           /* a child is a history state */
};

struct variable {
    const char *name;
    int line;
    const struct template *initial;
};

struct wf_chart {
    struct wf_arena *arena;
    struct state *states;
    size_t n_states; /* with the root */
    size_t n_words;  /* of a set of states */
    struct transition *transitions;
    size_t n_transitions;
    size_t n_guard_words;
    struct invocation *invocations;
    size_t n_invocations;
    size_t n_invoke_words;
    int *histories; /* slot -> state */
    size_t n_histories;
    struct variable *variables;
    size_t n_variables;
    int *slots; /* hash table of ids; 0 = free */
    size_t n_slots;

    /* the public view */
    struct wf_chart_state *public_states;
    struct wf_chart_transition *public_transitions;
    struct wf_chart_invoke *public_invokes;
    struct wf_chart_send *public_sends;
    size_t n_sends;
    int *public_initial;
};

/* Internal number of a state, or NO_STATE. */
int chart_find(const struct wf_chart *chart, struct wf_str id);
uint32_t chart_hash(struct wf_str id);

static inline bool is_descendant(const struct wf_chart *chart, int state, int ancestor)
{
    return state > ancestor && state <= chart->states[ancestor].last;
}

static inline bool is_history(const struct wf_chart *chart, int state)
{
    return chart->states[state].kind == WF_STATE_HISTORY ||
           chart->states[state].kind == WF_STATE_DEEP_HISTORY;
}

/* First child, or NO_STATE; then the following ones. */
static inline int first_child(const struct wf_chart *chart, int state)
{
    return chart->states[state].last > state ? state + 1 : NO_STATE;
}

static inline int next_child(const struct wf_chart *chart, int parent, int child)
{
    int next = chart->states[child].last + 1;
    return next <= chart->states[parent].last ? next : NO_STATE;
}

/* The state below which a transition exits and enters, its targets being plain states. */
int chart_domain(const struct wf_chart *chart, const struct transition *t, struct targets targets);

/* "same day", "2 working days", "30 minutes": what wf_limit_parse (calendar.h, above this layer)
   reads too. */
bool is_duration(const char *text);
bool is_no_time(const char *text); /* "0 s": as good as no delay */

bool event_has_token(const char *event, struct wf_str token);
bool transition_matches(const struct transition *t, const char *event);

#endif

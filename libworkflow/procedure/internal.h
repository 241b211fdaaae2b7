/* SPDX-License-Identifier: Apache-2.0 */
/* procedure/internal.h - what reading and checking a definition share. */
#ifndef PROCEDURE_INTERNAL_H
#define PROCEDURE_INTERNAL_H

#include "workflow/procedure.h"

/* The words of `kind` and `type`, by enum number. */
extern const char *const paper_kind_names[6];
extern const char *const field_type_names[10];
extern const char *const channel_names[WF_CHANNELS];

/* Index of the word in the list, or n. */
size_t word_index(const char *word, const char *const *words, size_t n);

/* "did you mean 'x'?" where a candidate is near, else the words themselves: "known are a, b". */
const char *word_hint(const char *word, const char *const *words, size_t n, char *buf, size_t size);

/* Fills the procedure from its group: everything but the chart. 0, WF_E_CONFIG or WF_E_NOMEM. */
int procedure_read(struct wf_procedure *p, const struct wf_node *group, struct wf_report *report,
                   struct wf_error *err) WF_CHECKED;

/* What a definition says of time, forms and places beside its time limit, as it stands there. */
struct raw_terms {
    const struct wf_node *time_limits;
    struct wf_texts remind;
    struct wf_texts models;
    int64_t max_extensions;
    const char *form_set;
};

/* After channels and validity. Mistakes go to the report. */
void procedure_read_terms(struct wf_procedure *p, const struct wf_node *group,
                          const struct raw_terms *raw, struct wf_report *report);

/* Variables that expressions of the chart may use: the fields and _dossier. NULL = no memory. */
const struct wf_decl *procedure_decls(const struct wf_procedure *p, size_t *out_n);

/* One look at a compiled chart; memory of the marks comes from the procedure's arena. */
struct checking {
    const struct wf_procedure *p;
    const struct wf_node *group;
    const struct wf_catalogue *catalogue; /* or NULL */
    struct wf_report *report;
    size_t report_start; /* messages of the report that are of others */
    const char *file;
    const struct wf_chart_state *states;
    size_t n_states;
    const struct wf_chart_transition *transitions;
    size_t n_transitions;
    /* Transitions by source: index + 1 of a state's first one and of the next one, 0 = no more. */
    size_t *first_of;
    size_t *next_of;
    const struct wf_chart_invoke *invokes;
    size_t n_invokes;
    const struct wf_chart_send *sends;
    size_t n_sends;
    const struct wf_node **nodes; /* of the states, for what the chart does not list */
    bool *active;                 /* state can become active */
    bool *entered;                /* ... as a target or by default, so that defaults follow */
    bool *closing;                /* a final state of the whole can be reached from here */
    bool has_final;               /* on the top level */
    bool has_loop;                /* an endless one was told */
    bool changed;                 /* one of the marks was set in this round */
};

#define CHECK_ERROR(c, line, ...) wf_report_error((c)->report, (c)->file, line, __VA_ARGS__)
#define CHECK_WARN(c, line, ...)  wf_report_warn((c)->report, (c)->file, line, __VA_ARGS__)
#define CHECK_NEWER(c, line, ...) wf_report_newer_rule((c)->report, (c)->file, line, __VA_ARGS__)

bool check_is_ancestor(const struct checking *c, int ancestor, int state); /* or the same */
bool check_are_together(const struct checking *c, int a, int b); /* can both be active at once? */
bool check_has_children(const struct checking *c, int state);
int check_status_of(const struct checking *c, int state); /* inherited; 0 = none */

/* Where entering a compound or history state leads by default; gives how many. */
#define MAX_DEFAULTS 64
size_t check_defaults(const struct checking *c, int state, int out[MAX_DEFAULTS]);

/* Calls fn for each descriptor of a transition's event without its ".*"; "" stands for "*". */
typedef void event_fn(struct checking *c, const struct wf_chart_transition *t, const char *token);
void check_each_event(struct checking *c, const struct wf_chart_transition *t, event_fn *fn);

/* Does `cond` hold wherever `from` holds? Plain cases only; NULL holds always. */
bool guard_follows(const struct wf_expr *cond, const struct wf_expr *from);

void check_names(struct checking *c);  /* activities, parameters, roles, channels, templates */
void check_events(struct checking *c); /* events that cannot come, transitions in the shadow */
void check_graph(struct checking *c);  /* marks active and closing, and reports their absence */
void check_states(struct checking *c); /* status, outcome, titles, waiting without end */
void check_alike(struct checking *c);  /* names that differ only in upper and lower case */
void check_guards(struct checking *c); /* conditions that can never hold */
void check_ids(struct checking *c);    /* ids by which one send would replace something else */

/* Over all configurations, after the checks above. 0 or WF_E_NOMEM. */
int check_explore(struct checking *c, struct wf_error *err) WF_CHECKED;

/* All of them. 0, WF_E_CONFIG or WF_E_NOMEM. */
int procedure_check(const struct wf_procedure *p, const struct wf_node *group,
                    const struct wf_catalogue *catalogue, struct wf_report *report,
                    struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chart/compile_internal.h - what the parts of the compiler share.
 *
 * Errors of the definition go to the report and compiling goes on, to find them all. Lack of
 * memory sets `no_memory`; what was being built is then left incomplete and thrown away at the end,
 * so that it need not be passed up through every function.
 */
#ifndef CHART_COMPILE_INTERNAL_H
#define CHART_COMPILE_INTERNAL_H

#include "chart_internal.h"

#define MAX_LOOPS 16 /* of foreach in one another */
#define MAX_VALUE 12 /* groups and lists in one another: what records and messages can hold */

struct compiler {
    struct wf_chart *chart;
    const struct wf_chart_scope *scope;
    struct wf_report *report;
    const struct wf_node **nodes; /* state -> its group */
    const char **ids;             /* of all states, for suggestions and In() */
    size_t n_ids;
    struct wf_decl *decls; /* fields, then data, then loop variables */
    size_t n_decls;
    size_t n_globals; /* of them, without loop variables */
    int state;        /* being compiled */
    int depth;        /* of groups and lists in a value */
    bool no_memory;
};

/* Zeroed memory of the chart, or NULL. */
void *take(struct compiler *c, size_t bytes);
char *take_text(struct compiler *c, struct wf_str text);

/* An array of n elements with room for one more (doubled at powers of two), or NULL. */
void *take_more(struct compiler *c, void *array, size_t n, size_t size);

/* "what: why: how", at the node's line. */
void problem(struct compiler *c, const struct wf_node *node, const char *fmt, ...) WF_PRINTF(3, 4);

/* 'did you mean "x"?', or the fallback; in buf. */
const char *hint(const char *word, const char *const *known, size_t n, const char *fallback,
                 char *buf, size_t size);
#define HINT_BYTES 128

/* Reports keys of the group that are not among the names. */
void check_keys(struct compiler *c, const struct wf_node *group, const char *const *names,
                size_t n);

/* The text under a key, NULL where there is none or (reported) it is no text. */
const char *read_text(struct compiler *c, const struct wf_node *group, const char *key);

/* Reports and gives NULL where the node is no list (NULL passes). */
const struct wf_node *as_list(struct compiler *c, const struct wf_node *node, const char *what);

bool is_event_name(const char *name);
bool is_variable_name(const char *name);
const struct wf_decl *find_decl(const struct compiler *c, struct wf_str name);

/* ---- compile_values.c ---------------------------------------------------------------------- */

/* NULL after a reported error. `wanted` ANY = all types will do. */
const struct wf_expr *compile_expr(struct compiler *c, const struct wf_node *node,
                                   struct wf_str text, enum wf_static_type *out_type);
const struct wf_expr *compile_cond(struct compiler *c, const struct wf_node *group);
const struct template *compile_value(struct compiler *c, const struct wf_node *node,
                                     enum wf_static_type *out_type);

/* A map of all keys of the group but the reserved ones; NULL where there are none. */
const struct template *compile_params(struct compiler *c, const struct wf_node *group,
                                      const char *const *reserved, size_t n_reserved);
bool compile_data(struct compiler *c, const struct wf_node *data);

/* ---- compile_actions.c --------------------------------------------------------------------- */

struct block compile_block(struct compiler *c, const struct wf_node *list);

/* ---- compile_states.c ---------------------------------------------------------------------- */

void compile_state(struct compiler *c, int state);
void compile_initial(struct compiler *c, int state, const struct wf_node *group);

/* ---- compile_transitions.c ----------------------------------------------------------------- */

struct targets compile_targets(struct compiler *c, const struct wf_node *node);
void compile_transitions(struct compiler *c, int state);
const int *public_targets(struct compiler *c, struct targets targets);

#endif

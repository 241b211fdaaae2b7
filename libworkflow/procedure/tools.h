/* SPDX-License-Identifier: Apache-2.0 */
/* procedure/tools.h - how the tools look at a definition: its chart and the settings behind it. */
#ifndef PROCEDURE_TOOLS_H
#define PROCEDURE_TOOLS_H

#include "workflow/procedure_tools.h"

struct view {
    const struct wf_procedure *p;
    const struct wf_node *group; /* procedure: { ... } */
    const struct wf_chart_state *states;
    size_t n_states;
    const struct wf_chart_transition *transitions;
    size_t n_transitions;
    const struct wf_chart_invoke *invokes;
    size_t n_invokes;
    bool vietnamese;
};

struct view view_of(const struct wf_procedure *p, bool vietnamese);

/* The settings of a state; NULL only where the chart is not of this definition. */
const struct wf_node *view_node(const struct view *v, int state);

/* The state's title in the view's language, else its id. */
const char *view_title(const struct view *v, int state);
const char *view_words(const struct view *v, const struct wf_bilingual *words);
int view_status(const struct view *v, int state); /* its own, else of the nearest outer state */
bool view_is_history(const struct view *v, int state);
bool view_has_children(const struct view *v, int state);
bool view_is_inside(const struct view *v, int state, int outer); /* or the same */

/* Where a compound state begins; -1 for others. */
int view_initial(const struct view *v, int state);

/* Calls fn for every group of the list under the key; a single group counts as a list of one. */
typedef void node_fn(void *context, const struct wf_node *node);
void each_node(const struct wf_node *group, const char *key, node_fn *fn, void *context);

/* The text under the key, or NULL. */
const char *node_text(const struct wf_node *group, const char *key);

/* A setting as it could stand in a file, on one line. */
void render_node(const struct wf_node *node, struct wf_buf *out);

#endif

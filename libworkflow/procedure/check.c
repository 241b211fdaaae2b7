/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The soundness checks: what is common to them, and their order. First those of single states and
 * transitions, which can say best where the slip is; then all configurations are explored for what
 * shows only there. Of the values of conditions little is known: what is called impossible is
 * impossible, and what passes may still never happen.
 */
#include "internal.h"

#include <string.h>

bool check_is_ancestor(const struct checking *c, int ancestor, int state)
{
    while (state >= 0 && state != ancestor)
        state = c->states[state].parent;
    return state == ancestor;
}

bool check_are_together(const struct checking *c, int a, int b)
{
    if (check_is_ancestor(c, a, b) || check_is_ancestor(c, b, a))
        return true;
    int common = c->states[a].parent;
    while (common >= 0 && !check_is_ancestor(c, common, b))
        common = c->states[common].parent;
    return common >= 0 && c->states[common].kind == WF_STATE_PARALLEL;
}

bool check_has_children(const struct checking *c, int state)
{
    enum wf_state_kind kind = c->states[state].kind;
    return kind == WF_STATE_COMPOUND || kind == WF_STATE_PARALLEL;
}

static size_t add_target(const struct checking *c, const struct wf_node *node, int *out, size_t n)
{
    int state = node != NULL && node->type == WF_NODE_TEXT
                    ? wf_chart_find(c->p->chart, node->u.text.ptr)
                    : -1;
    if (state >= 0 && n < MAX_DEFAULTS)
        out[n++] = state;
    return n;
}

/* "a", ["a", "b"] or { target = ...; } */
static size_t add_targets(const struct checking *c, const struct wf_node *node, int *out)
{
    if (node != NULL && node->type == WF_NODE_GROUP)
        node = wf_node_child(node, "target");
    if (node == NULL || node->type != WF_NODE_LIST)
        return add_target(c, node, out, 0);
    size_t n = 0;
    for (size_t i = 0; i < wf_node_count(node); i++)
        n = add_target(c, wf_node_at(node, i), out, n);
    return n;
}

static bool is_history(enum wf_state_kind kind)
{
    return kind == WF_STATE_HISTORY || kind == WF_STATE_DEEP_HISTORY;
}

size_t check_defaults(const struct checking *c, int state, int out[MAX_DEFAULTS])
{
    enum wf_state_kind kind = c->states[state].kind;
    if (is_history(kind))
        return add_targets(c, wf_node_child(c->nodes[state], "default"), out);
    if (kind != WF_STATE_COMPOUND)
        return 0;
    size_t n = add_targets(c, wf_node_child(c->nodes[state], "initial"), out);
    for (size_t i = 0; i < c->n_states && n == 0; i++) {
        if (c->states[i].parent == state && !is_history(c->states[i].kind))
            out[n++] = (int)i;
    }
    return n;
}

void check_each_event(struct checking *c, const struct wf_chart_transition *t, event_fn *fn)
{
    char token[256];
    const char *at = t->event != NULL ? t->event : "";
    for (;;) {
        at += strspn(at, " \t\n");
        size_t length = strcspn(at, " \t\n");
        if (length == 0)
            return;
        size_t kept = length;
        if (at[kept - 1] == '*')
            kept--;
        if (kept > 0 && at[kept - 1] == '.')
            kept--;
        if (wf_str_copy((struct wf_str){at, kept}, token, sizeof(token)))
            fn(c, t, token);
        at += length;
    }
}

/* Finds the settings of each state: the chart lists states, but not where their defaults lead. */
static void collect_nodes(struct checking *c, const struct wf_chart *chart,
                          const struct wf_node *states)
{
    for (size_t i = 0; i < wf_node_count(states); i++) {
        const struct wf_node *node = wf_node_at(states, i);
        int state = wf_chart_find(chart, node->name);
        if (state >= 0)
            c->nodes[state] = node;
        collect_nodes(c, chart, wf_node_child(node, "states"));
    }
}

/* Keeps large definitions quick: the graph is searched many times over. */
static bool index_transitions(struct checking *c)
{
    c->first_of = wf_arena_alloc(c->p->arena, (c->n_states + 1) * sizeof(*c->first_of));
    c->next_of = wf_arena_alloc(c->p->arena, (c->n_transitions + 1) * sizeof(*c->next_of));
    if (c->first_of == NULL || c->next_of == NULL)
        return false;
    for (size_t i = c->n_transitions; i > 0; i--) {
        int source = c->transitions[i - 1].source;
        if (source < 0)
            continue;
        c->next_of[i - 1] = c->first_of[source];
        c->first_of[source] = i;
    }
    return true;
}

int procedure_check(const struct wf_procedure *p, const struct wf_node *group,
                    const struct wf_catalogue *catalogue, struct wf_report *report,
                    struct wf_error *err)
{
    struct checking c = {.p = p,
                         .group = group,
                         .catalogue = catalogue,
                         .report = report,
                         .report_start = report->n,
                         .file = group->file};
    size_t before = report->errors;
    c.n_states = wf_chart_states(p->chart, &c.states);
    c.n_transitions = wf_chart_transitions(p->chart, &c.transitions);
    c.n_invokes = wf_chart_invokes(p->chart, &c.invokes);
    c.n_sends = wf_chart_sends(p->chart, &c.sends);
    c.nodes = wf_arena_alloc(p->arena, (c.n_states + 1) * sizeof(*c.nodes));
    c.active = wf_arena_alloc(p->arena, c.n_states + 1);
    c.entered = wf_arena_alloc(p->arena, c.n_states + 1);
    c.closing = wf_arena_alloc(p->arena, c.n_states + 1);
    if (c.nodes == NULL || c.active == NULL || c.entered == NULL || c.closing == NULL ||
        !index_transitions(&c))
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    collect_nodes(&c, p->chart, wf_node_child(group, "states"));
    check_names(&c);
    check_alike(&c);
    check_ids(&c);
    check_events(&c);
    check_guards(&c);
    check_graph(&c);
    check_states(&c);
    int rc = check_explore(&c, err);
    if (rc < 0)
        return rc;
    return wf_report_result_since(report, before, err);
}

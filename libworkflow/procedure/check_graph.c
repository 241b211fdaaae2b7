/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which states can become active, and from which the end can be reached. Conditions are taken to
 * hold sometimes. done.state.X is the exception that makes regions which cannot join show: it
 * counts only where X has final children that are themselves within reach.
 */
#include "internal.h"

#include <string.h>

static bool is_final(const struct checking *c, int state)
{
    return c->states[state].kind == WF_STATE_FINAL;
}

static bool is_history(const struct checking *c, int state)
{
    enum wf_state_kind kind = c->states[state].kind;
    return kind == WF_STATE_HISTORY || kind == WF_STATE_DEEP_HISTORY;
}

static bool is_leaf(const struct checking *c, int state)
{
    return is_final(c, state) || c->states[state].kind == WF_STATE_ATOMIC;
}

/* ---- forward: what can become active -----------------------------------------------------------
 */

static void enter(struct checking *c, int state);

/* The i-th state is a region of the parallel one. */
static bool is_region(const struct checking *c, size_t i, int parallel)
{
    return c->states[i].parent == parallel && !is_history(c, (int)i);
}

static void enter_defaults(struct checking *c, int state)
{
    for (size_t i = 0; c->states[state].kind == WF_STATE_PARALLEL && i < c->n_states; i++) {
        if (is_region(c, i, state))
            enter(c, (int)i);
    }
    int targets[MAX_DEFAULTS];
    size_t n = check_defaults(c, state, targets);
    for (size_t i = 0; i < n; i++)
        enter(c, targets[i]);
}

static void activate(struct checking *c, int state)
{
    for (; state >= 0 && !c->active[state]; state = c->states[state].parent) {
        c->active[state] = true;
        c->changed = true;
        if (c->states[state].kind == WF_STATE_PARALLEL)
            enter_defaults(c, state);
    }
}

static void enter(struct checking *c, int state)
{
    if (c->entered[state])
        return;
    c->entered[state] = true;
    c->changed = true;
    activate(c, state);
    enter_defaults(c, state);
}

/* Can done.state.X come, as far as is known by now? */
static bool can_be_done(const struct checking *c, int state)
{
    bool is_parallel = c->states[state].kind == WF_STATE_PARALLEL;
    for (size_t i = 0; i < c->n_states; i++) {
        if (c->states[i].parent != state || is_history(c, (int)i))
            continue;
        bool child_done =
            is_parallel ? can_be_done(c, (int)i) : is_final(c, (int)i) && c->active[i];
        if (child_done != is_parallel)
            return child_done;
    }
    return is_parallel;
}

/* The state X of the descriptor done.state.X, or -1. */
static int state_done_by(const struct checking *c, const char *descriptor, size_t length)
{
    static const char prefix[] = "done.state.";
    char id[128];
    size_t skip = sizeof(prefix) - 1;
    if (length <= skip || strncmp(descriptor, prefix, skip) != 0)
        return -1;
    if (!wf_str_copy((struct wf_str){descriptor + skip, length - skip}, id, sizeof(id)))
        return -1;
    return wf_chart_find(c->p->chart, id);
}

typedef bool done_fn(const struct checking *c, int state, int from);

/* Can the transition be taken from leaf `from` (-1: from anywhere), by some descriptor of it? */
static bool can_fire(const struct checking *c, const struct wf_chart_transition *t, int from,
                     done_fn *done)
{
    if (t->event == NULL)
        return true;
    for (const char *at = t->event + strspn(t->event, " \t\n"); *at != '\0';) {
        size_t length = strcspn(at, " \t\n");
        int state = state_done_by(c, at, length);
        if (state < 0 || done(c, state, from))
            return true;
        at += length;
        at += strspn(at, " \t\n");
    }
    return false;
}

static bool done_from_anywhere(const struct checking *c, int state, int from)
{
    (void)from;
    return can_be_done(c, state);
}

static void mark_active(struct checking *c)
{
    const int *targets = NULL;
    size_t n = wf_chart_initial(c->p->chart, &targets);
    for (size_t i = 0; i < n; i++)
        enter(c, targets[i]);
    do {
        c->changed = false;
        for (size_t i = 0; i < c->n_transitions; i++) {
            const struct wf_chart_transition *t = &c->transitions[i];
            if (t->source < 0 || !c->active[t->source] || !can_fire(c, t, -1, done_from_anywhere))
                continue;
            for (size_t k = 0; k < t->n_targets; k++)
                enter(c, t->targets[k]);
        }
    } while (c->changed);
}

/* ---- backward: from where the end can be reached ------------------------------------------------
 */

/*
 * Can the leaf itself be the one that completes X? Not from outside the end of a region of it: it
 * has to move there first, and that is another step of the search.
 */
static bool done_from_leaf(const struct checking *c, int state, int from)
{
    if (!check_is_ancestor(c, state, from))
        return true; /* a region beside it */
    if (!is_final(c, from))
        return false;
    int parent = c->states[from].parent;
    while (parent >= 0 && parent != state && c->states[parent].parent >= 0 &&
           c->states[c->states[parent].parent].kind == WF_STATE_PARALLEL)
        parent = c->states[parent].parent;
    return parent == state;
}

static bool leads_to_end(const struct checking *c, int target)
{
    int inner[MAX_DEFAULTS];
    if (is_leaf(c, target))
        return c->closing[target];
    size_t n = check_defaults(c, target, inner);
    for (size_t i = 0; i < n; i++) {
        if (leads_to_end(c, inner[i]))
            return true;
    }
    for (size_t i = 0; c->states[target].kind == WF_STATE_PARALLEL && i < c->n_states; i++) {
        if (is_region(c, i, target) && leads_to_end(c, (int)i))
            return true;
    }
    /* A history state may bring back any state of its parent. */
    for (size_t i = 0; i < c->n_states && is_history(c, target); i++) {
        if (c->closing[i] && check_is_ancestor(c, c->states[target].parent, (int)i))
            return true;
    }
    return false;
}

static bool is_way_out(const struct checking *c, const struct wf_chart_transition *t, int leaf)
{
    if (!can_fire(c, t, leaf, done_from_leaf))
        return false;
    for (size_t k = 0; k < t->n_targets; k++) {
        if (leads_to_end(c, t->targets[k]))
            return true;
    }
    return false;
}

static bool has_way_out(const struct checking *c, int leaf)
{
    if (is_final(c, leaf) && c->states[leaf].parent < 0)
        return true;
    for (int source = leaf; source >= 0; source = c->states[source].parent) {
        for (size_t i = c->first_of[source]; i > 0; i = c->next_of[i - 1]) {
            if (is_way_out(c, &c->transitions[i - 1], leaf))
                return true;
        }
    }
    return false;
}

static void mark_closing(struct checking *c)
{
    do {
        c->changed = false;
        /* Last first: files tell a procedure forwards, and the end is what is looked for. */
        for (size_t i = c->n_states; i > 0; i--) {
            int leaf = (int)i - 1;
            if (!is_leaf(c, leaf) || c->closing[leaf] || !has_way_out(c, leaf))
                continue;
            c->closing[leaf] = true;
            c->changed = true;
        }
    } while (c->changed);
}

/* ---- what is told -------------------------------------------------------------------------------
 */

/* A history state is never active itself; it is in use when something leads to it. */
static bool is_reached(const struct checking *c, int state)
{
    return is_history(c, state) ? c->entered[state] : c->active[state];
}

static bool has_final(const struct checking *c)
{
    for (size_t i = 0; i < c->n_states; i++) {
        if (is_final(c, (int)i) && c->states[i].parent < 0)
            return true;
    }
    return false;
}

void check_graph(struct checking *c)
{
    mark_active(c);
    for (size_t i = 0; i < c->n_states; i++) {
        int parent = c->states[i].parent;
        if (!is_reached(c, (int)i) && (parent < 0 || c->active[parent]))
            CHECK_ERROR(c, c->states[i].line,
                        "state '%s' can never be reached: no transition that "
                        "can be taken leads to it: add one, or remove it",
                        c->states[i].id);
    }
    c->has_final = has_final(c);
    if (!c->has_final) {
        CHECK_ERROR(c, 0,
                    "no final state on the top level: a dossier could never be closed: add "
                    "one with type = \"final\" and an outcome");
        return;
    }
    mark_closing(c);
    for (size_t i = 0; i < c->n_states; i++) {
        if (is_leaf(c, (int)i) && c->active[i] && !c->closing[i])
            CHECK_ERROR(c, c->states[i].line,
                        "no final state can be reached from state '%s': a "
                        "dossier would stay there for ever: add a transition "
                        "that leads on",
                        c->states[i].id);
    }
}

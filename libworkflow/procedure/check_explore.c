/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shows only in whole configurations: regions that cannot join, transitions that never have
 * their turn, stopped clocks, endless loops, acceptance without a receipt. What the checks of
 * single states have told already is not told again.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "procedure/explore.h"

#define MAX_DEAD_ENDS 5
#define REGISTERING   "intake.register"
#define ACCEPTED      2 /* the portal's code */

struct looking {
    struct checking *c;
    struct explored x;
    size_t n_untaken; /* transitions */
    bool out_of_memory;
};

/* Public numbers of states are one less than those of the exploration. */
static bool is_active(const struct looking *l, size_t node, size_t state)
{
    return explore_is_active(&l->x, node, (int)state + 1);
}

static bool *new_marks(struct looking *l)
{
    bool *marks = wf_arena_alloc(l->x.arena, l->x.n_nodes + 1);
    if (marks == NULL)
        l->out_of_memory = true;
    return marks;
}

static void spread(struct looking *l, bool *marks, bool backward, unsigned without)
{
    if (marks != NULL && !explore_spread(&l->x, marks, backward, without))
        l->out_of_memory = true;
}

static bool is_told(const struct checking *c, int line)
{
    for (size_t i = c->report_start; i < c->report->n; i++) {
        if (!c->report->messages[i].is_warning && c->report->messages[i].line == line)
            return true;
    }
    return false;
}

static bool is_leaf(const struct checking *c, size_t state)
{
    return c->states[state].kind == WF_STATE_ATOMIC || c->states[state].kind == WF_STATE_FINAL;
}

/* ---- what never happens -----------------------------------------------------------------------
 */

static void check_states_reached(struct looking *l)
{
    struct checking *c = l->c;
    for (size_t i = 0; i < c->n_states; i++) {
        int parent = c->states[i].parent;
        bool is_memory =
            c->states[i].kind == WF_STATE_HISTORY || c->states[i].kind == WF_STATE_DEEP_HISTORY;
        if (l->x.state_active[i + 1] || !c->active[i] || is_memory ||
            (parent >= 0 && !l->x.state_active[parent + 1]))
            continue;
        CHECK_ERROR(c, c->states[i].line,
                    "state '%s' can never be reached: what leads to it is never taken in any "
                    "configuration: correct that, or remove the state",
                    c->states[i].id);
    }
}

/* The parallel state whose end alone the transition waits for, and which never ends; or -1. */
static int endless_parallel(const struct looking *l, const struct wf_chart_transition *t)
{
    static const char prefix[] = "done.state.";
    if (t->event == NULL || !wf_starts_with(t->event, prefix))
        return -1;
    int state = wf_chart_find(l->c->p->chart, t->event + strlen(prefix));
    if (state < 0 || l->c->states[state].kind != WF_STATE_PARALLEL || l->x.done_raised[state + 1] ||
        !l->x.state_active[state + 1])
        return -1;
    return state;
}

static void tell_endless_parallel(struct looking *l, int state, int line)
{
    const struct checking *c = l->c;
    char regions[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < c->n_states && used < sizeof(regions); i++) {
        if (c->states[i].parent == state && check_has_children(c, (int)i) &&
            !l->x.done_raised[i + 1])
            used += (size_t)snprintf(regions + used, sizeof(regions) - used, "%s'%s'",
                                     used > 0 ? ", " : "", c->states[i].id);
    }
    CHECK_ERROR(c, line,
                "regions of '%s' never join: %s%s, so done.state.%s never comes: give every "
                "region a final state that can be reached",
                c->states[state].id,
                used > 0 ? "no final state is reached in "
                         : "they are never at their ends together",
                regions, c->states[state].id);
}

static void tell_untaken(struct looking *l, size_t transition)
{
    struct checking *c = l->c;
    const struct wf_chart_transition *t = &c->transitions[transition];
    const char *id = c->states[t->source].id;
    if (l->x.transition_held[transition])
        CHECK_ERROR(c, t->line,
                    "transition can never be taken: one of a region beside it stands against it "
                    "each time: put it on the state around both");
    else if (l->x.transition_asked[transition])
        CHECK_ERROR(c, t->line,
                    "transition can never be taken: when it has its turn, what In() asks is never "
                    "so: correct the condition, or remove it");
    else if (!l->x.state_resting[t->source + 1])
        CHECK_ERROR(c, t->line,
                    "transition can never be taken: state '%s' is left at once by one without "
                    "event, so that no event finds it: remove this one, or give that one a "
                    "condition",
                    id);
    else
        CHECK_ERROR(c, t->line,
                    "transition can never be taken: its event cannot come in state '%s', or an "
                    "inner or earlier transition takes it each time: remove or move it",
                    id);
}

static void check_transitions_taken(struct looking *l)
{
    struct checking *c = l->c;
    for (size_t i = 0; i < c->n_transitions; i++) {
        const struct wf_chart_transition *t = &c->transitions[i];
        if (l->x.transition_taken[i] || !l->x.state_active[t->source + 1])
            continue;
        l->n_untaken++;
        if (is_told(c, t->line))
            continue;
        int parallel = endless_parallel(l, t);
        if (parallel >= 0)
            tell_endless_parallel(l, parallel, t->line);
        else
            tell_untaken(l, i);
    }
}

static void check_rivals(struct looking *l)
{
    struct checking *c = l->c;
    for (size_t i = 0; i < l->x.n_rivals; i++) {
        const struct wf_chart_transition *first = &c->transitions[l->x.rivals[i].first];
        const struct wf_chart_transition *second = &c->transitions[l->x.rivals[i].second];
        if (is_told(c, second->line))
            continue;
        CHECK_ERROR(c, second->line,
                    "transition always competes with the one of line %d: both take '%s' in regions "
                    "side by side and both leave them, so this one is dropped: put one "
                    "transition on the state around them",
                    first->line, second->event != NULL ? second->event : "no event");
    }
}

/* ---- dead ends --------------------------------------------------------------------------------
 */

static void name_leaves(const struct looking *l, size_t node, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < l->c->n_states && used < size; i++) {
        if (is_leaf(l->c, i) && is_active(l, node, i))
            used += (size_t)snprintf(buf + used, size - used, "%s'%s'", used > 0 ? " and " : "",
                                     l->c->states[i].id);
    }
}

/* Is there a leaf from which, as the check of single states has told, no end can be reached? */
static bool has_dead_leaf(const struct looking *l, size_t node)
{
    for (size_t i = 0; i < l->c->n_states; i++) {
        if (is_leaf(l->c, i) && is_active(l, node, i) && !l->c->closing[i])
            return true;
    }
    return false;
}

static int last_leaf(const struct looking *l, size_t node)
{
    size_t i = l->c->n_states;
    while (i > 0 && !(is_leaf(l->c, i - 1) && is_active(l, node, i - 1)))
        i--;
    return (int)i - 1;
}

/* Would one of its transitions be the way out, were it not wrong? */
static bool has_told_transition(const struct looking *l, size_t node)
{
    for (size_t i = 0; i < l->c->n_transitions; i++) {
        const struct wf_chart_transition *t = &l->c->transitions[i];
        if (!l->x.transition_taken[i] && is_active(l, node, (size_t)t->source) &&
            is_told(l->c, t->line))
            return true;
    }
    return false;
}

static void tell_dead_end(struct looking *l, size_t node, bool *told)
{
    char leaves[256];
    int leaf = last_leaf(l, node);
    name_leaves(l, node, leaves, sizeof(leaves));
    bool are_many = strchr(leaves, ' ') != NULL;
    if (leaf >= 0 && !has_told_transition(l, node))
        CHECK_ERROR(l->c, l->c->states[leaf].line,
                    "no final state can be reached once %s %s active%s: a dossier would stay "
                    "there for ever: add a transition that leads on",
                    leaves, are_many ? "are" : "is", are_many ? " together" : "");
    told[node] = true;
    spread(l, told, false, 0);
}

/* Each step from where the end can be reached to where it cannot; what follows from it is silent.
 */
static void check_dead_ends(struct looking *l)
{
    bool *alive = new_marks(l);
    bool *told = new_marks(l);
    if (alive == NULL || told == NULL || !l->c->has_final)
        return;
    for (size_t i = 0; i < l->x.n_nodes; i++) {
        alive[i] = l->x.nodes[i].is_done;
        told[i] = has_dead_leaf(l, i);
    }
    spread(l, alive, true, 0);
    spread(l, told, true, 0);
    if (!alive[0] && !told[0])
        tell_dead_end(l, l->x.n_nodes - 1,
                      told); /* all is dead: the last is nearest to the cause */
    size_t n = 0;
    for (size_t i = 0; i < l->x.n_edges && n < MAX_DEAD_ENDS && alive[0]; i++) {
        const struct explore_edge *edge = &l->x.edges[i];
        if (!alive[edge->from] || alive[edge->to] || told[edge->to])
            continue;
        tell_dead_end(l, edge->to, told);
        n++;
    }
}

static int stopping_state(const struct looking *l, size_t node)
{
    for (size_t i = 0; i < l->c->n_states; i++) {
        if (l->c->states[i].clock_stopped && is_active(l, node, i))
            return (int)i;
    }
    return -1;
}

static void check_clocks(struct looking *l)
{
    struct checking *c = l->c;
    bool *running = new_marks(l);
    bool *told = new_marks(l);
    if (running == NULL || told == NULL)
        return;
    for (size_t i = 0; i < l->x.n_nodes; i++)
        running[i] = l->x.nodes[i].is_done || stopping_state(l, i) < 0;
    spread(l, running, true, 0);
    for (size_t i = 0; i < l->x.n_nodes; i++) {
        int state = running[i] || told[i] ? -1 : stopping_state(l, i);
        if (state < 0)
            continue;
        CHECK_ERROR(c, c->states[state].line,
                    "clock stopped by state '%s' never starts again: the dossier could neither go "
                    "on nor become overdue: add a way to a state without clock = \"stopped\"",
                    c->states[state].id);
        told[i] = true;
        spread(l, told, false, 0);
    }
}

/* ---- loops ------------------------------------------------------------------------------------
 */

/* Nodes from which no path leads to rest: whatever the data, the step never ends. */
static void check_certain_loops(struct looking *l)
{
    bool *ends = new_marks(l);
    if (ends == NULL)
        return;
    for (size_t i = 0; i < l->x.n_nodes; i++)
        ends[i] = l->x.nodes[i].is_done || l->x.nodes[i].is_resting;
    spread(l, ends, true, 0);
    for (size_t i = 0; i < l->x.n_nodes; i++) {
        const struct explore_node *node = &l->x.nodes[i];
        char leaves[256];
        if (ends[i] || node->n_edges == 0)
            continue;
        int transition = l->x.edges[node->first_edge].transition;
        int line = transition >= 0 ? l->c->transitions[transition].line : 0;
        name_leaves(l, i, leaves, sizeof(leaves));
        if (!l->c->has_loop)
            CHECK_ERROR(l->c, line,
                        "endless loop from %s: eventless transitions and raised events follow each "
                        "other without end: add a condition or an event",
                        leaves);
        l->c->has_loop = true;
        return;
    }
}

struct visit {
    uint32_t node;
    size_t next; /* edge */
};

static bool is_quiet(const struct explore_edge *edge)
{
    return (edge->flags & EDGE_INTERNAL) != 0 && (edge->flags & EDGE_ASSIGNS) == 0;
}

/* The first transition on the part of the path that comes round to `node`. */
static int line_of_loop(const struct looking *l, const struct visit *path, size_t n, uint32_t node)
{
    size_t from = n;
    while (from > 0 && path[from - 1].node != node)
        from--;
    for (size_t i = from > 0 ? from - 1 : 0; i < n; i++) {
        int transition = l->x.edges[path[i].next - 1].transition;
        if (transition >= 0)
            return l->c->transitions[transition].line;
    }
    return 0;
}

/* Depth first along edges that change no data; `state` is 1 on the path, 2 behind it. */
static int find_loop(const struct looking *l, struct visit *path, uint8_t *state, uint32_t start)
{
    size_t n = 1;
    path[0] = (struct visit){start, l->x.nodes[start].first_edge};
    state[start] = 1;
    while (n > 0) {
        struct visit *top = &path[n - 1];
        const struct explore_node *node = &l->x.nodes[top->node];
        if (top->next == node->first_edge + node->n_edges) {
            state[top->node] = 2;
            n--;
            continue;
        }
        const struct explore_edge *edge = &l->x.edges[top->next++];
        if (!is_quiet(edge) || state[edge->to] == 2)
            continue;
        if (state[edge->to] == 1)
            return line_of_loop(l, path, n, edge->to);
        state[edge->to] = 1;
        path[n++] = (struct visit){edge->to, l->x.nodes[edge->to].first_edge};
    }
    return 0;
}

/* Loops on conditions: nothing in them changes data, so that what held once holds again. */
static void check_possible_loops(struct looking *l)
{
    struct visit *path = wf_arena_alloc(l->x.arena, (l->x.n_nodes + 1) * sizeof(*path));
    uint8_t *state = wf_arena_alloc(l->x.arena, l->x.n_nodes + 1);
    if (path == NULL || state == NULL) {
        l->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < l->x.n_nodes && !l->c->has_loop; i++) {
        int line = state[i] == 0 ? find_loop(l, path, state, (uint32_t)i) : 0;
        if (line == 0 || is_told(l->c, line))
            continue;
        l->c->has_loop = true;
        CHECK_WARN(l->c, line,
                   "transitions without event may go round for ever: nothing in the loop changes "
                   "what the conditions ask: see that they cannot all hold, or take an event");
    }
}

/* ---- the receipt ------------------------------------------------------------------------------
 */

static bool is_accepted(const struct checking *c, size_t state)
{
    const struct wf_chart_state *s = &c->states[state];
    bool is_approved = s->parent < 0 && s->kind == WF_STATE_FINAL && s->outcome != NULL &&
                       strcmp(s->outcome, "approved") == 0;
    return is_leaf(c, state) && (is_approved || check_status_of(c, (int)state) == ACCEPTED);
}

static bool is_in_any(const struct looking *l, const bool *marks, size_t state)
{
    for (size_t i = 0; i < l->x.n_nodes; i++) {
        if (marks[i] && is_active(l, i, state))
            return true;
    }
    return false;
}

static void check_receipt(struct looking *l)
{
    struct checking *c = l->c;
    bool *registered = new_marks(l);
    bool *without = new_marks(l);
    if (registered == NULL || without == NULL)
        return;
    for (size_t i = 0; i < l->x.n_edges; i++) {
        if ((l->x.edges[i].flags & EDGE_REGISTERS) != 0)
            registered[l->x.edges[i].to] = true;
    }
    without[0] = true;
    spread(l, registered, false, 0);
    spread(l, without, false, EDGE_REGISTERS);
    for (size_t i = 0; i < c->n_states; i++) {
        if (!is_accepted(c, i) || !is_in_any(l, without, i))
            continue;
        if (!is_in_any(l, registered, i))
            CHECK_ERROR(c, c->states[i].line,
                        "state '%s' accepts a dossier that has no receipt: " REGISTERING
                        " gives code, due date and receipt, and has not run by then: invoke it "
                        "before",
                        c->states[i].id);
        else
            CHECK_WARN(c, c->states[i].line,
                       "state '%s' can be reached without a receipt: a way leads past the end "
                       "of " REGISTERING ": see that it is not taken",
                       c->states[i].id);
        return;
    }
}

static bool offers_registering(const struct checking *c)
{
    for (size_t i = 0; c->catalogue != NULL && i < c->catalogue->n_activities; i++) {
        if (strcmp(c->catalogue->activities[i]->name, REGISTERING) == 0)
            return true;
    }
    return false;
}

/* ---- all --------------------------------------------------------------------------------------
 */

static void look(struct looking *l)
{
    check_rivals(l);
    if (!l->x.is_whole) {
        CHECK_WARN(
            l->c, 0,
            "explored %zu configurations, not all: this is as much as a check may cost: that "
            "all of them can end is not proved: have fewer regions side by side, or raise "
            "fewer events",
            l->x.n_nodes);
        return;
    }
    check_certain_loops(l);
    check_possible_loops(l);
    if (l->c->has_loop)
        return; /* what follows from it is no slip of its own */
    check_transitions_taken(l);
    if (l->n_untaken == 0) /* else that is why */
        check_states_reached(l);
    check_dead_ends(l);
    check_clocks(l);
    if (offers_registering(l->c))
        check_receipt(l);
}

int check_explore(struct checking *c, struct wf_error *err)
{
    struct looking l = {.c = c};
    int rc = explore_chart(c->p->chart, REGISTERING, &l.x, err);
    if (rc == 0)
        look(&l);
    if (rc == 0 && l.out_of_memory)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    explore_fini(&l.x);
    return rc;
}

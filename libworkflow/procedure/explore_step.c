/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One microstep over sets of states. It follows chart/states.c, function by function; of executable
 * content only what raises events counts. Content under a condition raises events that may not be
 * there; how often a loop raises one is not counted.
 */
#include "explore.h"

#include <string.h>

#include "chart/expr_internal.h"

/* ---- conditions ------------------------------------------------------------------------------ */

static int truth_of(const struct wf_chart *chart, const uint64_t *active,
                    const struct expr_node *node)
{
    if (node->op == OP_CONST && node->constant->type == WF_BOOL)
        return node->constant->u.boolean ? 1 : 0;
    if (node->op == OP_CALL && strcmp(node->function->name, "In") == 0 &&
        node->args[0]->op == OP_CONST) {
        int state = chart_find(chart, wf_value_str(node->args[0]->constant));
        return state != NO_STATE && has_bit(active, state);
    }
    if (node->op == OP_NOT) {
        int inner = truth_of(chart, active, node->args[0]);
        return inner < 0 ? -1 : !inner;
    }
    if (node->op != OP_AND && node->op != OP_OR)
        return -1;
    int decisive = node->op == OP_OR;
    int left = truth_of(chart, active, node->args[0]);
    int right = truth_of(chart, active, node->args[1]);
    if (left == decisive || right == decisive)
        return decisive;
    return left < 0 || right < 0 ? -1 : !decisive;
}

int explore_truth(const struct wf_chart *chart, const uint64_t *active, const struct wf_expr *cond)
{
    return cond != NULL ? truth_of(chart, active, cond->root) : 1;
}

/* ---- raised events --------------------------------------------------------------------------- */

const char *explore_event_name(const struct explore_work *w, uint64_t entry)
{
    size_t number = (size_t)(entry / 2);
    return number < w->chart->n_states ? w->chart->states[number].done_event
                                       : w->names[number - w->chart->n_states];
}

static void push(struct explore_work *w, size_t number, bool may_miss)
{
    if (w->n_queue < EXPLORE_MAX_QUEUE)
        w->queue[w->n_queue++] = (uint64_t)number * 2 + may_miss;
    else
        w->is_short = true;
}

static void push_done(struct explore_work *w, int state)
{
    w->done_raised[state] = true;
    push(w, (size_t)state, false);
}

static void push_name(struct explore_work *w, const char *name, bool may_miss)
{
    size_t i = 0;
    while (i < w->n_names && strcmp(w->names[i], name) != 0)
        i++;
    if (i == w->cap_names) {
        w->is_short = true;
        return;
    }
    w->names[i] = name;
    if (i == w->n_names)
        w->n_names++;
    push(w, w->chart->n_states + i, may_miss);
}

static void run_content(struct explore_work *w, struct block block, bool may_miss)
{
    for (size_t i = 0; i < block.n; i++) {
        const struct action *a = &block.actions[i];
        if (a->kind == ACTION_RAISE)
            push_name(w, a->name, may_miss);
        if (a->kind == ACTION_ASSIGN || a->kind == ACTION_FOREACH)
            w->assigns = true;
        for (size_t k = 0; k < a->n_branches; k++)
            run_content(w, a->branches[k].block, true);
        run_content(w, a->body, true);
    }
}

/* ---- histories and domains ------------------------------------------------------------------- */

static uint64_t *history_of(const struct explore_work *w, int history)
{
    return w->histories + (size_t)w->chart->states[history].history_slot * w->chart->n_words;
}

/* What the target stands for: itself, or what the history remembers or has as its default. */
static bool add_meaning(struct explore_work *w, int target, uint64_t *out)
{
    const struct wf_chart *chart = w->chart;
    if (!is_history(chart, target)) {
        set_bit(out, target);
        return true;
    }
    const uint64_t *remembered = history_of(w, target);
    bool is_known = false;
    for (size_t i = 0; i < chart->n_words; i++) {
        is_known = is_known || remembered[i] != 0;
        out[i] |= remembered[i];
    }
    for (size_t i = 0; i < chart->states[target].initial.targets.n && !is_known; i++)
        set_bit(out, chart->states[target].initial.targets.items[i]);
    return is_known;
}

static struct targets items_of(struct explore_work *w, const uint64_t *set)
{
    size_t n = 0;
    for (int i = set_next(set, w->chart->n_words, ROOT); i != NO_STATE;
         i = set_next(set, w->chart->n_words, i))
        w->items[n++] = i;
    return (struct targets){w->items, n};
}

int explore_domain(struct explore_work *w, const struct transition *t)
{
    if (t->domain != DYNAMIC_DOMAIN)
        return t->domain;
    memset(w->scratch, 0, w->chart->n_words * sizeof(*w->scratch));
    for (size_t i = 0; i < t->targets.n; i++)
        (void)add_meaning(w, t->targets.items[i], w->scratch);
    return chart_domain(w->chart, t, items_of(w, w->scratch));
}

/* ---- exit ------------------------------------------------------------------------------------ */

static void record_history(struct explore_work *w, int state)
{
    const struct wf_chart *chart = w->chart;
    for (int h = first_child(chart, state); h != NO_STATE; h = next_child(chart, state, h)) {
        if (!is_history(chart, h))
            continue;
        bool is_deep = chart->states[h].kind == WF_STATE_DEEP_HISTORY;
        uint64_t *set = history_of(w, h);
        memset(set, 0, chart->n_words * sizeof(*set));
        for (int i = set_next(w->active, chart->n_words, state);
             i != NO_STATE && i <= chart->states[state].last;
             i = set_next(w->active, chart->n_words, i)) {
            int below = set_next(w->active, chart->n_words, i);
            bool is_atomic = below == NO_STATE || below > chart->states[i].last;
            if (is_deep ? is_atomic : chart->states[i].parent == state)
                set_bit(set, i);
        }
    }
}

static void exit_set(struct explore_work *w, const int *enabled, size_t n_enabled)
{
    const struct wf_chart *chart = w->chart;
    int end = (int)chart->n_states;
    memset(w->leaving, 0, chart->n_words * sizeof(*w->leaving));
    for (size_t i = 0; i < n_enabled; i++) {
        int domain = explore_domain(w, &chart->transitions[enabled[i]]);
        if (domain == NO_DOMAIN)
            continue;
        for (int s = set_next(w->active, chart->n_words, domain);
             s != NO_STATE && s <= chart->states[domain].last;
             s = set_next(w->active, chart->n_words, s))
            set_bit(w->leaving, s);
    }
    for (int s = set_previous(w->leaving, end); s > ROOT; s = set_previous(w->leaving, s)) {
        if (chart->states[s].has_history)
            record_history(w, s);
    }
    for (int s = set_previous(w->leaving, end); s > ROOT; s = set_previous(w->leaving, s)) {
        run_content(w, chart->states[s].exit_block, false);
        clear_bit(w->active, s);
    }
}

/* ---- the entry set --------------------------------------------------------------------------- */

static void add_descendants(struct explore_work *w, int state);

static void add_regions(struct explore_work *w, int parallel)
{
    const struct wf_chart *chart = w->chart;
    for (int i = first_child(chart, parallel); i != NO_STATE; i = next_child(chart, parallel, i)) {
        int inside = set_next(w->entering, chart->n_words, i);
        if (!is_history(chart, i) && (inside == NO_STATE || inside > chart->states[i].last))
            add_descendants(w, i);
    }
}

static void add_ancestors(struct explore_work *w, int state, int ancestor)
{
    for (int i = w->chart->states[state].parent; i != ancestor && i > ROOT;
         i = w->chart->states[i].parent) {
        set_bit(w->entering, i);
        if (w->chart->states[i].kind == WF_STATE_PARALLEL)
            add_regions(w, i);
    }
}

static void add_targets(struct explore_work *w, struct targets targets, int ancestor)
{
    for (size_t i = 0; i < targets.n; i++)
        add_descendants(w, targets.items[i]);
    for (size_t i = 0; i < targets.n; i++)
        add_ancestors(w, targets.items[i], ancestor);
}

static void add_remembered(struct explore_work *w, int history)
{
    const uint64_t *set = history_of(w, history);
    int parent = w->chart->states[history].parent;
    size_t n = w->chart->n_words;
    for (int i = set_next(set, n, ROOT); i != NO_STATE; i = set_next(set, n, i))
        add_descendants(w, i);
    for (int i = set_next(set, n, ROOT); i != NO_STATE; i = set_next(set, n, i))
        add_ancestors(w, i, parent);
}

static void add_descendants(struct explore_work *w, int state)
{
    const struct state *s = &w->chart->states[state];
    if (is_history(w->chart, state)) {
        if (set_next(history_of(w, state), w->chart->n_words, ROOT) != NO_STATE) {
            add_remembered(w, state);
            return;
        }
        set_bit(w->default_histories, state);
        add_targets(w, s->initial.targets, s->parent);
        return;
    }
    set_bit(w->entering, state);
    if (s->kind == WF_STATE_PARALLEL)
        add_regions(w, state);
    if (s->kind != WF_STATE_COMPOUND)
        return;
    set_bit(w->by_default, state);
    add_targets(w, s->initial.targets, state);
}

static void clear_entry_set(struct explore_work *w)
{
    size_t bytes = w->chart->n_words * sizeof(*w->entering);
    memset(w->entering, 0, bytes);
    memset(w->by_default, 0, bytes);
    memset(w->default_histories, 0, bytes);
}

/* ---- entry ----------------------------------------------------------------------------------- */

static bool is_in_final_state(const struct explore_work *w, int state)
{
    const struct wf_chart *chart = w->chart;
    bool is_parallel = chart->states[state].kind == WF_STATE_PARALLEL;
    if (!is_parallel && chart->states[state].kind != WF_STATE_COMPOUND)
        return false;
    for (int i = first_child(chart, state); i != NO_STATE; i = next_child(chart, state, i)) {
        if (is_history(chart, i))
            continue;
        if (is_parallel && !is_in_final_state(w, i))
            return false;
        if (!is_parallel && chart->states[i].kind == WF_STATE_FINAL && has_bit(w->active, i))
            return true;
    }
    return is_parallel;
}

static void complete(struct explore_work *w, int parent)
{
    const struct wf_chart *chart = w->chart;
    if (parent == ROOT) {
        w->is_done = true;
        return;
    }
    push_done(w, parent);
    int around = chart->states[parent].parent;
    if (around != ROOT && chart->states[around].kind == WF_STATE_PARALLEL &&
        is_in_final_state(w, around))
        push_done(w, around);
}

static void enter_set(struct explore_work *w)
{
    const struct wf_chart *chart = w->chart;
    for (int i = set_next(w->entering, chart->n_words, ROOT); i != NO_STATE;
         i = set_next(w->entering, chart->n_words, i)) {
        const struct state *s = &chart->states[i];
        set_bit(w->active, i);
        run_content(w, s->entry_block, false);
        if (has_bit(w->by_default, i))
            run_content(w, s->initial.block, false);
        for (int h = s->has_history ? first_child(chart, i) : NO_STATE; h != NO_STATE;
             h = next_child(chart, i, h)) {
            if (has_bit(w->default_histories, h))
                run_content(w, chart->states[h].initial.block, false);
        }
        if (s->kind == WF_STATE_FINAL)
            complete(w, s->parent);
    }
}

void explore_microstep(struct explore_work *w, const int *enabled, size_t n_enabled)
{
    const struct wf_chart *chart = w->chart;
    exit_set(w, enabled, n_enabled);
    for (size_t i = 0; i < n_enabled; i++)
        run_content(w, chart->transitions[enabled[i]].block, false);
    clear_entry_set(w);
    for (size_t i = 0; i < n_enabled; i++) {
        const struct transition *t = &chart->transitions[enabled[i]];
        int domain = explore_domain(w, t);
        add_targets(w, t->targets, domain);
    }
    enter_set(w);
}

void explore_enter_initial(struct explore_work *w)
{
    const struct entry *initial = &w->chart->states[ROOT].initial;
    run_content(w, initial->block, false);
    clear_entry_set(w);
    add_targets(w, initial->targets, ROOT);
    enter_set(w);
}

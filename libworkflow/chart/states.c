/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exiting and entering states: the procedures of appendix D by the names they have there. A set in
 * ascending order is entry order, in descending order exit order.
 */
#include "run_internal.h"

#include <string.h>

/* ---- exit ---------------------------------------------------------------------------------- */

/* What the history states of a state that is about to be left will remember. */
static int record_history(struct run *run, int state)
{
    const struct wf_chart *chart = run->chart;
    for (int h = first_child(chart, state); h != NO_STATE; h = next_child(chart, state, h)) {
        if (!is_history(chart, h))
            continue;
        bool is_deep = chart->states[h].kind == WF_STATE_DEEP_HISTORY;
        struct wf_value *list = wf_list(run->arena);
        for (int i = set_next(run->active, chart->n_words, state);
             i != NO_STATE && i <= chart->states[state].last;
             i = set_next(run->active, chart->n_words, i)) {
            int below = set_next(run->active, chart->n_words, i);
            bool is_atomic = below == NO_STATE || below > chart->states[i].last;
            if (is_deep ? is_atomic : chart->states[i].parent == state)
                (void)wf_list_add(run->arena, list, chart->states[i].id);
        }
        if (list == NULL || list->broken)
            return no_memory(run);
        run->history[chart->states[h].history_slot] = list;
        run->history_changed = true;
    }
    return 0;
}

static int cancel_invocations(struct run *run, int state)
{
    const struct state *s = &run->chart->states[state];
    for (size_t i = s->first_invoke; i < s->first_invoke + s->n_invokes; i++) {
        if (!has_bit(run->running_invokes, (int)i))
            continue;
        clear_bit(run->running_invokes, (int)i);
        run->invokes_changed = true;
        struct wf_effect *effect = add_effect(run, WF_EFFECT_UNINVOKE);
        if (effect == NULL)
            return no_memory(run);
        effect->id = run->chart->invocations[i].id;
        effect->activity = run->chart->invocations[i].activity;
    }
    return 0;
}

static int exit_state(struct run *run, int state)
{
    const struct state *s = &run->chart->states[state];
    int rc = run_block(run, state, &s->exit_block);
    if (rc < 0)
        return rc;
    run->state = state;
    rc = cancel_invocations(run, state);
    if (rc < 0 || s->deadline == NULL)
        return rc;
    struct wf_effect *effect = add_effect(run, WF_EFFECT_UNSEND);
    if (effect == NULL)
        return no_memory(run);
    effect->id = s->deadline_event;
    return 0;
}

/* Leaves every active state below the domains of the enabled transitions. */
int exit_states(struct run *run)
{
    const struct wf_chart *chart = run->chart;
    uint64_t *leaving = run->entering; /* not in use yet */
    memset(leaving, 0, chart->n_words * sizeof(*leaving));
    for (size_t i = 0; i < run->n_enabled; i++) {
        int domain;
        int rc = domain_of(run, &chart->transitions[run->enabled[i]], &domain);
        if (rc < 0)
            return rc;
        for (int s = domain == NO_DOMAIN ? NO_STATE : set_next(run->active, chart->n_words, domain);
             s != NO_STATE && s <= chart->states[domain].last;
             s = set_next(run->active, chart->n_words, s))
            set_bit(leaving, s);
    }
    int end = (int)chart->n_states;
    for (int s = set_previous(leaving, end); s > ROOT; s = set_previous(leaving, s)) {
        clear_bit(run->to_invoke, s);
        int rc = chart->states[s].has_history ? record_history(run, s) : 0;
        if (rc < 0)
            return rc;
    }
    for (int s = set_previous(leaving, end); s > ROOT; s = set_previous(leaving, s)) {
        int rc = exit_state(run, s);
        if (rc < 0)
            return rc;
        clear_bit(run->active, s);
        run->states_changed = true;
    }
    return 0;
}

/*
 * The chart is done: exit content runs and everything is cancelled. The final configuration stays
 * in the snapshot, so that one can see how the dossier ended.
 */
int exit_all(struct run *run)
{
    int end = (int)run->chart->n_states;
    for (int s = set_previous(run->active, end); s > ROOT; s = set_previous(run->active, s)) {
        int rc = exit_state(run, s);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- the entry set ------------------------------------------------------------------------- */

static int add_descendants(struct run *run, int state);

static bool is_entered_inside(const struct run *run, int state)
{
    int first = set_next(run->entering, run->chart->n_words, state);
    return first != NO_STATE && first <= run->chart->states[state].last;
}

static int add_regions(struct run *run, int parallel)
{
    const struct wf_chart *chart = run->chart;
    for (int i = first_child(chart, parallel); i != NO_STATE; i = next_child(chart, parallel, i)) {
        if (is_history(chart, i) || is_entered_inside(run, i))
            continue;
        int rc = add_descendants(run, i);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_ancestors(struct run *run, int state, int ancestor)
{
    for (int i = run->chart->states[state].parent; i != ancestor && i > ROOT;
         i = run->chart->states[i].parent) {
        set_bit(run->entering, i);
        int rc = run->chart->states[i].kind == WF_STATE_PARALLEL ? add_regions(run, i) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The targets first, all of them, then what lies between: else regions would begin by default. */
static int add_targets(struct run *run, struct targets targets, int ancestor)
{
    int rc = 0;
    for (size_t i = 0; i < targets.n && rc == 0; i++)
        rc = add_descendants(run, targets.items[i]);
    for (size_t i = 0; i < targets.n && rc == 0; i++)
        rc = add_ancestors(run, targets.items[i], ancestor);
    return rc;
}

static int add_history(struct run *run, int history)
{
    struct targets targets;
    bool is_known;
    int rc = history_states(run, history, &targets, &is_known);
    if (rc < 0)
        return rc;
    if (!is_known) {
        struct default_history *d = wf_arena_alloc(run->arena, sizeof(*d));
        if (d == NULL)
            return no_memory(run);
        *d = (struct default_history){history, run->default_histories};
        run->default_histories = d;
    }
    return add_targets(run, targets, run->chart->states[history].parent);
}

static int add_descendants(struct run *run, int state)
{
    const struct state *s = &run->chart->states[state];
    if (is_history(run->chart, state))
        return add_history(run, state);
    set_bit(run->entering, state);
    if (s->kind == WF_STATE_PARALLEL)
        return add_regions(run, state);
    if (s->kind != WF_STATE_COMPOUND)
        return 0;
    set_bit(run->by_default, state);
    return add_targets(run, s->initial.targets, state);
}

static void clear_entry_set(struct run *run)
{
    size_t bytes = run->chart->n_words * sizeof(*run->entering);
    memset(run->entering, 0, bytes);
    memset(run->by_default, 0, bytes);
    run->default_histories = NULL;
}

static int compute_entry_set(struct run *run)
{
    clear_entry_set(run);
    for (size_t i = 0; i < run->n_enabled; i++) {
        const struct transition *t = &run->chart->transitions[run->enabled[i]];
        struct targets targets = t->targets;
        int domain;
        int rc = domain_of(run, t, &domain);
        if (rc < 0)
            return rc;
        rc = add_targets(run, targets, domain);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- entry --------------------------------------------------------------------------------- */

static bool is_in_final_state(const struct run *run, int state)
{
    const struct wf_chart *chart = run->chart;
    bool is_parallel = chart->states[state].kind == WF_STATE_PARALLEL;
    if (!is_parallel && chart->states[state].kind != WF_STATE_COMPOUND)
        return false;
    for (int i = first_child(chart, state); i != NO_STATE; i = next_child(chart, state, i)) {
        if (is_history(chart, i))
            continue;
        bool is_final = chart->states[i].kind == WF_STATE_FINAL && has_bit(run->active, i);
        if (is_parallel && !is_in_final_state(run, i))
            return false;
        if (!is_parallel && is_final)
            return true;
    }
    return is_parallel;
}

/* A final state was entered: the chart is done, or its parent and maybe its grandparent are. */
static int complete(struct run *run, int state)
{
    const struct state *s = &run->chart->states[state];
    const struct wf_value *data = NULL;
    int line = run->chart->public_states[state - 1].line;
    int rc = s->donedata != NULL ? make_value(run, s->donedata, &data) : 0;
    if (is_soft(run, rc))
        rc = raise_error(run, line, "done");
    if (rc < 0)
        return rc;
    if (s->parent == ROOT) {
        run->is_done = true;
        run->result = data;
        return 0;
    }
    const struct state *parent = &run->chart->states[s->parent];
    rc = raise_event(run, parent->done_event, "platform", data);
    bool is_region = rc == 0 && parent->parent != ROOT &&
                     run->chart->states[parent->parent].kind == WF_STATE_PARALLEL;
    if (is_region && is_in_final_state(run, parent->parent))
        rc = raise_event(run, run->chart->states[parent->parent].done_event, "platform", NULL);
    return rc;
}

static int arm_deadline(struct run *run, int state)
{
    const struct state *s = &run->chart->states[state];
    if (s->deadline == NULL)
        return 0;
    struct wf_effect *effect = add_effect(run, WF_EFFECT_SEND);
    if (effect == NULL)
        return no_memory(run);
    effect->id = s->deadline_event;
    effect->event = s->deadline_event;
    effect->delay = s->deadline;
    return 0;
}

static int enter_state(struct run *run, int state)
{
    const struct wf_chart *chart = run->chart;
    const struct state *s = &chart->states[state];
    set_bit(run->active, state);
    run->states_changed = true;
    run->state = state;
    if (!wf_list_add(run->arena, run->entered, s->id))
        return no_memory(run);
    if (s->n_invokes > 0)
        set_bit(run->to_invoke, state);
    int rc = arm_deadline(run, state);
    if (rc == 0)
        rc = run_block(run, state, &s->entry_block);
    if (rc == 0 && has_bit(run->by_default, state))
        rc = run_block(run, state, &s->initial.block);
    for (const struct default_history *d = run->default_histories; rc == 0 && d != NULL;
         d = d->next) {
        if (chart->states[d->history].parent == state)
            rc = run_block(run, state, &chart->states[d->history].initial.block);
    }
    if (rc == 0 && s->kind == WF_STATE_FINAL)
        rc = complete(run, state);
    return rc;
}

static int enter_set(struct run *run)
{
    for (int i = set_next(run->entering, run->chart->n_words, ROOT); i != NO_STATE;
         i = set_next(run->entering, run->chart->n_words, i)) {
        int rc = enter_state(run, i);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int enter_states(struct run *run)
{
    int rc = compute_entry_set(run);
    return rc < 0 ? rc : enter_set(run);
}

int enter_initial(struct run *run)
{
    const struct entry *initial = &run->chart->states[ROOT].initial;
    clear_entry_set(run);
    int rc = run_block(run, ROOT, &initial->block);
    if (rc == 0)
        rc = add_targets(run, initial->targets, ROOT);
    return rc < 0 ? rc : enter_set(run);
}

/* ---- invocations: after the macrostep, for the states that are still active ----------------- */

static int start_invocation(struct run *run, int index)
{
    const struct invocation *invocation = &run->chart->invocations[index];
    const struct wf_value *params = NULL;
    int rc = invocation->params != NULL ? make_value(run, invocation->params, &params) : 0;
    if (is_soft(run, rc))
        return raise_error(run, invocation->line, "invoke");
    if (rc < 0)
        return rc;
    struct wf_effect *effect = add_effect(run, WF_EFFECT_INVOKE);
    if (effect == NULL)
        return no_memory(run);
    effect->id = invocation->id;
    effect->activity = invocation->activity;
    effect->role = invocation->role;
    effect->data = params;
    set_bit(run->running_invokes, index);
    run->invokes_changed = true;
    return 0;
}

int start_invocations(struct run *run)
{
    const struct wf_chart *chart = run->chart;
    for (int i = set_next(run->to_invoke, chart->n_words, ROOT); i != NO_STATE;
         i = set_next(run->to_invoke, chart->n_words, i)) {
        const struct state *s = &chart->states[i];
        clear_bit(run->to_invoke, i);
        run->state = i;
        for (size_t k = s->first_invoke; k < s->first_invoke + s->n_invokes; k++) {
            int rc = start_invocation(run, (int)k);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From atomic states to a whole legal configuration: ancestors added, every compound state with one
 * active child, every parallel one with all its regions (SCXML 3.11).
 */
#include "workflow/chart.h"

struct view {
    const struct wf_chart *chart;
    const struct wf_chart_state *states;
    size_t n;
    bool *active;
};

static void activate(const struct view *view, int state)
{
    for (; state >= 0; state = view->states[state].parent)
        view->active[state] = true;
}

static bool is_history(const struct wf_chart_state *state)
{
    return state->kind == WF_STATE_HISTORY || state->kind == WF_STATE_DEEP_HISTORY;
}

/* Children of a state (-1 = the root): how many there are and how many are active. */
static void count_children(const struct view *view, int parent, size_t *all, size_t *active)
{
    *all = 0;
    *active = 0;
    for (size_t i = 0; i < view->n; i++) {
        if (view->states[i].parent != parent || is_history(&view->states[i]))
            continue;
        ++*all;
        *active += view->active[i];
    }
}

static int check_one(const struct view *view, int state, struct wf_error *err)
{
    size_t all = 0;
    size_t active = 0;
    count_children(view, state, &all, &active);
    const char *name = state >= 0 ? view->states[state].id : "the chart";
    if (state >= 0 && view->states[state].kind == WF_STATE_PARALLEL)
        return active == all ? 0
                             : wf_fail(err, WF_E_STATE,
                                       "parallel state %s needs a state in each of its %zu regions",
                                       name, all);
    if (all > 0 && active != 1)
        return wf_fail(err, WF_E_STATE, "%s must have one active child, not %zu", name, active);
    return 0;
}

static int check_all(const struct view *view, struct wf_error *err)
{
    int rc = check_one(view, -1, err);
    for (size_t i = 0; rc == 0 && i < view->n; i++) {
        if (view->active[i])
            rc = check_one(view, (int)i, err);
    }
    return rc;
}

int wf_chart_configuration(const struct wf_chart *chart, const struct wf_value *atomic,
                           struct wf_arena *arena, const struct wf_value **out,
                           struct wf_error *err)
{
    struct view view = {.chart = chart};
    view.n = wf_chart_states(chart, &view.states);
    view.active = wf_arena_alloc(arena, view.n * sizeof(*view.active));
    struct wf_value *list = wf_list(arena);
    if (view.active == NULL || list == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    for (size_t i = 0; i < wf_value_count(atomic); i++) {
        const char *id = wf_value_text(wf_list_at(atomic, i), "");
        int at = wf_chart_find(chart, id);
        if (at < 0)
            return wf_fail(err, WF_E_STATE, "there is no state %s", id);
        if (is_history(&view.states[at]))
            return wf_fail(err, WF_E_STATE, "a dossier cannot be in history %s", id);
        activate(&view, at);
    }
    int rc = check_all(&view, err);
    for (size_t i = 0; rc == 0 && i < view.n; i++) {
        if (view.active[i])
            wf_list_add(arena, list, wf_text(arena, view.states[i].id));
    }
    if (rc == 0 && !wf_value_is_whole(list))
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    if (rc == 0)
        *out = list;
    return rc;
}

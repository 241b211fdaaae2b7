/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of a migration: states, remembered history and data of a dossier under another chart.
 *
 * A state keeps its name or is mapped. The new chart must be able to go on exactly where the old
 * one stands: what it expects to be running must run (or have ended in that very place), for nobody
 * could say with which parameters to start it; a final state may only take the place of a final
 * one, since its done event has been or will never be raised.
 */
#include "migrate.h"

#include <stdio.h>
#include <string.h>

const char *plan_new_name(const struct plan *plan, const char *old)
{
    return wf_value_text(wf_map_get(plan->order->states, old), old);
}

bool plan_is_active(const struct plan *plan, const char *new_state)
{
    for (size_t i = 0; i < wf_value_count(plan->states); i++) {
        if (wf_str_is(wf_value_str(wf_list_at(plan->states, i)), new_state))
            return true;
    }
    return false;
}

const struct wf_chart_state *plan_old_state(const struct plan *plan, size_t i)
{
    const struct wf_value *id = wf_list_at(plan->life->before.states, i);
    int at = wf_chart_find(plan->life->procedure->chart, wf_value_text(id, ""));
    return at >= 0 ? &plan->old_states[at] : NULL;
}

/* ---- states ---------------------------------------------------------------------------------- */

static int find_new(const struct plan *plan, const char *old, const struct wf_chart_state **out,
                    struct wf_error *err)
{
    const char *name = plan_new_name(plan, old);
    int at = wf_chart_find(plan->to->chart, name);
    if (at < 0)
        return wf_fail_field(err, WF_E_STATE, "states",
                             "version %lld has no state %s: a state map must say where it goes",
                             (long long)plan->to->version, name);
    *out = &plan->new_states[at];
    return 0;
}

static int check_kind(const struct plan *plan, const struct wf_chart_state *old,
                      const struct wf_chart_state *now, struct wf_error *err)
{
    if (now->kind == WF_STATE_ATOMIC || (now->kind == WF_STATE_FINAL && now->kind == old->kind))
        return 0;
    return wf_fail_field(err, WF_E_STATE, "states",
                         now->kind == WF_STATE_FINAL
                             ? "state %s of version %lld is final: no dossier ends by a migration"
                             : "state %s of version %lld has inner states: name one of them",
                         now->id, (long long)plan->to->version);
}

static int plan_states(struct plan *plan, struct wf_error *err)
{
    struct wf_arena *arena = plan->life->turn->arena;
    struct wf_value *wanted = wf_list(arena);
    const struct wf_chart_state *old = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && (old = plan_old_state(plan, i)) != NULL; i++) {
        const struct wf_chart_state *now = NULL;
        if (old->kind != WF_STATE_ATOMIC && old->kind != WF_STATE_FINAL)
            continue;
        rc = find_new(plan, old->id, &now, err);
        if (rc == 0 && now != NULL)
            rc = check_kind(plan, old, now, err);
        if (rc == 0 && now != NULL)
            wf_list_add(arena, wanted, wf_text(arena, now->id));
    }
    if (rc != 0)
        return rc;
    if (!wf_value_is_whole(wanted))
        return out_of_memory(err);
    rc = wf_chart_configuration(plan->to->chart, wanted, arena, &plan->states, err);
    return rc != 0 ? wf_wrap(err, "version %lld", (long long)plan->to->version) : 0;
}

/* ---- what history states remember -------------------------------------------------------------
 */

static bool is_history(const struct wf_chart_state *state)
{
    return state->kind == WF_STATE_HISTORY || state->kind == WF_STATE_DEEP_HISTORY;
}

static bool is_inside(const struct plan *plan, const struct wf_chart_state *state, int ancestor)
{
    int at = state->parent;
    while (at >= 0 && at != ancestor)
        at = plan->new_states[at].parent;
    return at == ancestor;
}

/* The innermost state that holds both (-1 = the root). */
static int common_ancestor(const struct plan *plan, const struct wf_chart_state *a,
                           const struct wf_chart_state *b)
{
    int at = a->parent;
    while (at >= 0 && !is_inside(plan, b, at))
        at = plan->new_states[at].parent;
    return at;
}

/* Could the history state have remembered this one beside those that it has so far? */
static bool fits_history(const struct plan *plan, const struct wf_chart_state *history,
                         const struct wf_value *so_far, const struct wf_chart_state *state)
{
    bool is_leaf = state->kind == WF_STATE_ATOMIC || state->kind == WF_STATE_FINAL;
    bool fits = history->kind == WF_STATE_HISTORY
                    ? state->parent == history->parent && !is_history(state)
                    : is_leaf && is_inside(plan, state, history->parent);
    for (size_t i = 0; fits && i < wf_value_count(so_far); i++) {
        int at = wf_chart_find(plan->to->chart, wf_value_text(wf_list_at(so_far, i), ""));
        int common = common_ancestor(plan, state, &plan->new_states[at]);
        fits = common >= 0 && plan->new_states[common].kind == WF_STATE_PARALLEL;
    }
    return fits;
}

static int plan_one_history(const struct plan *plan, const struct wf_chart_state *history,
                            const struct wf_value *old, struct wf_value *out, struct wf_error *err)
{
    struct wf_arena *arena = plan->life->turn->arena;
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(old); i++) {
        const struct wf_chart_state *state = NULL;
        int rc = find_new(plan, wf_value_text(wf_list_at(old, i), ""), &state, err);
        if (rc != 0 || state == NULL)
            return wf_wrap(err, "history %s", history->id);
        if (!fits_history(plan, history, list, state))
            return wf_fail_field(err, WF_E_STATE, "states",
                                 "history %s of version %lld cannot go back to %s", history->id,
                                 (long long)plan->to->version, state->id);
        wf_list_add(arena, list, wf_text(arena, state->id));
    }
    return wf_map_put(arena, out, history->id, list) ? 0 : out_of_memory(err);
}

/* Where the new chart has no such history state, nobody will ask for it. */
static int plan_history(struct plan *plan, struct wf_error *err)
{
    const struct wf_value *old = plan->life->before.history;
    struct wf_value *out = wf_map(plan->life->turn->arena);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(old); i++) {
        const struct wf_pair *pair = &old->u.map.pairs[i];
        int at = wf_chart_find(plan->to->chart, plan_new_name(plan, pair->key.ptr));
        if (at >= 0 && is_history(&plan->new_states[at]))
            rc = plan_one_history(plan, &plan->new_states[at], pair->value, out, err);
    }
    plan->history = out;
    return rc == 0 && !wf_value_is_whole(out) ? out_of_memory(err) : rc;
}

/* ---- work ------------------------------------------------------------------------------------ */

const struct wf_chart_invoke *plan_invoke(const struct plan *plan, struct wf_str id)
{
    const struct wf_chart_invoke *all = NULL;
    size_t n = wf_chart_invokes(plan->to->chart, &all);
    for (size_t i = 0; i < n; i++) {
        if (wf_str_is(id, all[i].id) && plan_is_active(plan, plan->new_states[all[i].state].id))
            return &all[i];
    }
    return NULL;
}

static bool is_running(const struct plan *plan, const struct wf_chart_invoke *invoke)
{
    const struct wf_value *entry = wf_map_get(plan->life->running, invoke->id);
    return entry != NULL && !wf_value_bool(wf_map_get(entry, RUN_DETACHED), false) &&
           wf_str_is(wf_value_str(wf_map_get(entry, RUN_ACTIVITY)), invoke->activity);
}

/* Did the old chart do the same work in the same place? If it does not run, it has ended there. */
static bool was_done(const struct plan *plan, const struct wf_chart_invoke *invoke)
{
    const struct wf_chart *chart = plan->life->procedure->chart;
    const char *place = plan->new_states[invoke->state].id;
    const struct wf_chart_invoke *all = NULL;
    size_t n = wf_chart_invokes(chart, &all);
    const struct wf_chart_state *old = NULL;
    for (size_t i = 0; (old = plan_old_state(plan, i)) != NULL; i++) {
        if (strcmp(plan_new_name(plan, old->id), place) != 0)
            continue;
        for (size_t j = 0; j < n; j++) {
            if (&plan->old_states[all[j].state] == old && strcmp(all[j].id, invoke->id) == 0)
                return wf_map_get(plan->life->running, invoke->id) == NULL &&
                       strcmp(all[j].activity, invoke->activity) == 0;
        }
    }
    return false;
}

static int check_needed_work(const struct plan *plan, struct wf_error *err)
{
    const struct wf_chart_invoke *all = NULL;
    size_t n = wf_chart_invokes(plan->to->chart, &all);
    for (size_t i = 0; i < n; i++) {
        const char *state = plan->new_states[all[i].state].id;
        if (!plan_is_active(plan, state) || is_running(plan, &all[i]) || was_done(plan, &all[i]))
            continue;
        return wf_fail_field(err, WF_E_STATE, "states",
                             "state %s of version %lld waits for %s (id %s), which is not running",
                             state, (long long)plan->to->version, all[i].activity, all[i].id);
    }
    return 0;
}

/* ---- data ------------------------------------------------------------------------------------ */

static bool is_number(const struct wf_value *value)
{
    return value->type == WF_INT || value->type == WF_NUMBER;
}

static int check_type(struct wf_str name, const struct wf_value *old, const struct wf_value *fresh,
                      struct wf_error *err)
{
    bool fits = old->type == fresh->type || old->type == WF_NULL || fresh->type == WF_NULL ||
                (is_number(old) && is_number(fresh));
    if (fits)
        return 0;
    char field[64];
    (void)snprintf(field, sizeof(field), "data.%.*s", name.len < 50 ? (int)name.len : 50, name.ptr);
    return wf_fail_field(err, WF_E_INVALID, field, "variable %.*s is a %s here and a %s there",
                         WF_STR_ARG(name), wf_type_name(old->type), wf_type_name(fresh->type));
}

/* What the new chart's variables would start with, given the citizen's fields. */
static int fresh_data(const struct plan *plan, const struct wf_value **out, struct wf_error *err)
{
    struct life blank = *plan->life;
    struct wf_snapshot visible = {0};
    blank.procedure = plan->to;
    blank.now.data = wf_map(blank.turn->arena);
    int rc = blank.now.data == NULL ? out_of_memory(err) : life_snapshot(&blank, &visible, err);
    return rc == 0 ? wf_chart_data(plan->to->chart, visible.data, blank.turn->arena, out, err) : rc;
}

/* Variables that both have keep their values; new ones start afresh; others are dropped. */
static int plan_data(struct plan *plan, struct wf_error *err)
{
    struct wf_arena *arena = plan->life->turn->arena;
    struct wf_value *data = wf_map(arena);
    const struct wf_value *fresh = NULL;
    int rc = fresh_data(plan, &fresh, err);
    for (size_t i = 0; rc == 0 && i < wf_value_count(fresh); i++) {
        const struct wf_pair *pair = &fresh->u.map.pairs[i];
        const struct wf_value *old = wf_map_get_str(plan->life->before.data, pair->key);
        if (wf_str_is(pair->key, "_dossier") || wf_procedure_field(plan->to, pair->key) != NULL)
            continue;
        rc = old != NULL ? check_type(pair->key, old, pair->value, err) : 0;
        wf_map_put_str(arena, data, pair->key, old != NULL ? old : pair->value);
    }
    plan->data = data;
    return rc == 0 && !wf_value_is_whole(data) ? out_of_memory(err) : rc;
}

int plan_make(struct life *life, const struct wf_migration *order, const struct wf_procedure *to,
              struct plan *out, struct wf_error *err)
{
    struct plan plan = {.life = life, .order = order, .to = to};
    (void)wf_chart_states(life->procedure->chart, &plan.old_states);
    (void)wf_chart_states(to->chart, &plan.new_states);
    int rc = wf_procedure_check_data(to, life->content.fields, life->content.papers, err);
    if (rc == 0)
        rc = plan_states(&plan, err);
    if (rc == 0)
        rc = plan_history(&plan, err);
    if (rc == 0)
        rc = check_needed_work(&plan, err);
    if (rc == 0)
        rc = plan_data(&plan, err);
    if (rc == 0)
        *out = plan;
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dossier moves to another version of its procedure: only on an explicit order, with author and
 * reason in the journal, and only where the new chart can go on exactly where the old one stood.
 *
 * States keep their names or are mapped. Work that runs goes on if the new state asks for the same
 * activity under the same id; work that it does not ask for is cancelled; a new state that asks for
 * work which is not running is refused, since nobody could say with which parameters to start it.
 * The due date stays: a change of the catalogue never moves a date that was promised.
 */
#include "life.h"

#include <string.h>

static const char *mapped(const struct wf_migration *m, const char *state)
{
    return wf_value_text(wf_map_get(m->states, state), state);
}

/* The configuration in the new chart, complete with ancestors. */
static int map_states(struct life *life, const struct wf_migration *m,
                      const struct wf_procedure *to, const struct wf_value **out,
                      struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    const struct wf_value *old = life_atomic_states(life, arena);
    struct wf_value *wanted = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(old); i++) {
        const char *state = mapped(m, wf_value_text(wf_list_at(old, i), ""));
        if (wf_chart_find(to->chart, state) < 0)
            return wf_fail_field(err, WF_E_STATE, "states",
                                 "version %lld has no state %s: say with a state map where it goes",
                                 (long long)to->version, state);
        wf_list_add(arena, wanted, wf_text(arena, state));
    }
    if (!wf_value_is_whole(wanted))
        return out_of_memory(err);
    return wf_chart_configuration(to->chart, wanted, arena, out, err);
}

static bool is_active(const struct wf_value *states, const char *id)
{
    for (size_t i = 0; i < wf_value_count(states); i++) {
        if (wf_str_is(wf_value_str(wf_list_at(states, i)), id))
            return true;
    }
    return false;
}

/* The new chart's invoke of that id in an active state, or NULL. */
static const struct wf_chart_invoke *invoke_of(const struct wf_procedure *to,
                                               const struct wf_value *states, struct wf_str id)
{
    const struct wf_chart_invoke *invokes = NULL;
    const struct wf_chart_state *all = NULL;
    (void)wf_chart_states(to->chart, &all);
    size_t n = wf_chart_invokes(to->chart, &invokes);
    for (size_t i = 0; i < n; i++) {
        if (invokes[i].id != NULL && wf_str_is(id, invokes[i].id) &&
            is_active(states, all[invokes[i].state].id))
            return &invokes[i];
    }
    return NULL;
}

static int check_needed_work(const struct life *life, const struct wf_procedure *to,
                             const struct wf_value *states, struct wf_error *err)
{
    const struct wf_chart_invoke *invokes = NULL;
    const struct wf_chart_state *all = NULL;
    (void)wf_chart_states(to->chart, &all);
    size_t n = wf_chart_invokes(to->chart, &invokes);
    for (size_t i = 0; i < n; i++) {
        const struct wf_chart_invoke *v = &invokes[i];
        if (v->id == NULL || !is_active(states, all[v->state].id))
            continue;
        const struct wf_value *entry = wf_map_get(life->running, v->id);
        if (entry == NULL || !wf_str_is(wf_value_str(wf_map_get(entry, RUN_ACTIVITY)), v->activity))
            return wf_fail_field(
                err, WF_E_STATE, "states",
                "state %s of version %lld works with %s (%s), which is not running: "
                "map the dossier to another state",
                all[v->state].id, (long long)to->version, v->activity, v->id);
    }
    return 0;
}

/* Keeps the work that goes on under the new chart; the rest is cancelled. */
static int move_work(struct life *life, const struct wf_procedure *to,
                     const struct wf_value *states, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *kept = wf_map(arena);
    for (size_t i = wf_value_count(life->running); i-- > 0;) {
        const struct wf_pair *pair = &life->running->u.map.pairs[i];
        if (wf_value_bool(wf_map_get(pair->value, RUN_DETACHED), false))
            continue;
        const struct wf_chart_invoke *invoke = invoke_of(to, states, pair->key);
        if (invoke != NULL) {
            wf_map_put(arena, kept, invoke->id, wf_text(arena, invoke->activity));
            continue;
        }
        int rc = work_cancel(life, pair->key.ptr, err);
        if (rc != 0)
            return rc;
    }
    life->now.invokes = kept;
    return wf_value_is_whole(kept) ? 0 : out_of_memory(err);
}

/* A deadline that runs keeps its moment, under the new state's name. */
static int move_deadline(struct life *life, const char *old, const struct wf_chart_state *now,
                         struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    const char *from = wf_arena_printf(arena, "deadline.%s", old);
    const char *name = wf_arena_printf(arena, "deadline.%s", now->id);
    if (from == NULL || name == NULL)
        return out_of_memory(err);
    const struct wf_value *armed = wf_map_get(life->timers, from);
    struct wf_limit limit;
    int64_t due = wf_value_int(wf_list_at(armed, 0), 0);
    int rc = timer_drop(life, from, err);
    if (rc != 0 || now->deadline == NULL)
        return rc;
    if (armed == NULL) {
        if (!wf_limit_parse(wf_str(now->deadline), &limit))
            return wf_fail(err, WF_E_STATE, "\"%s\" is no length of time", now->deadline);
        due = wf_calendar_due(life->turn->engine->options.calendar, life->turn->now_ms, limit);
    }
    return timer_arm(life, name, name, due, NULL, err);
}

static int move_deadlines(struct life *life, const struct wf_migration *m,
                          const struct wf_procedure *to, struct wf_error *err)
{
    const struct wf_chart_state *all = NULL;
    (void)wf_chart_states(to->chart, &all);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(life->before.states); i++) {
        const char *old = wf_value_text(wf_list_at(life->before.states, i), "");
        int at = wf_chart_find(to->chart, mapped(m, old));
        if (at >= 0)
            rc = move_deadline(life, old, &all[at], err);
    }
    return rc;
}

/* Variables that the new version has and the old one had not start with their initial values. */
static int move_data(struct life *life, const struct wf_procedure *to, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_step fresh = {0};
    int rc = wf_chart_start(to->chart, life->content.fields, arena, &fresh, err);
    if (rc != 0)
        return rc;
    struct wf_value *data = wf_map(arena);
    for (size_t i = 0; i < wf_value_count(fresh.snapshot.data); i++) {
        const struct wf_pair *pair = &fresh.snapshot.data->u.map.pairs[i];
        const struct wf_value *old = wf_map_get_str(life->now.data, pair->key);
        if (wf_procedure_field(to, pair->key) == NULL)
            wf_map_put_str(arena, data, pair->key, old != NULL ? old : pair->value);
    }
    life->now.data = data;
    life->now.history = wf_map(arena); /* names of the old chart mean nothing in the new one */
    return wf_value_is_whole(data) && life->now.history != NULL ? 0 : out_of_memory(err);
}

static int note(struct life *life, const struct wf_migration *m, const struct wf_procedure *to,
                struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "from", wf_int(arena, (int64_t)life->before.version));
    wf_map_put(arena, data, "to", wf_int(arena, to->version));
    wf_map_put(arena, data, "reason", wf_text(arena, m->reason));
    if (!wf_value_is_whole(data))
        return out_of_memory(err);
    struct pending event = {.event = "operator.migrate",
                            .data = data,
                            .by = m->by,
                            .role = "operator",
                            .note_only = true};
    return life_push(life, &event, err);
}

static int check(const struct life *life, const struct wf_migration *m,
                 const struct wf_procedure *to, struct wf_error *err)
{
    if (to == NULL)
        return wf_fail_field(err, WF_E_NOT_FOUND, "to", "version %llu of %.*s is not installed",
                             (unsigned long long)m->to, WF_STR_ARG(life->before.procedure));
    if (life->before.closed != 0)
        return wf_fail(err, WF_E_STATE, "the dossier is closed and stays on its version");
    if (life->before.version == m->to)
        return wf_fail(err, WF_E_STATE, "the dossier is on this version already");
    return wf_procedure_check_data(to, life->content.fields, life->content.papers, err);
}

int wf_engine_migrate(struct wf_turn *turn, uint64_t dossier, const struct wf_migration *m,
                      struct wf_error *err)
{
    struct life life;
    const struct wf_value *states = NULL;
    int rc = life_load(turn, dossier, &life, err);
    if (rc == WF_NONE)
        return wf_fail_field(err, WF_E_NOT_FOUND, "dossier", "there is no such dossier");
    if (rc != 0)
        return rc;
    const struct wf_procedure *to = engine_procedure(turn->engine, life.before.procedure, m->to);
    rc = check(&life, m, to, err);
    if (rc == 0)
        rc = map_states(&life, m, to, &states, err);
    if (rc == 0)
        rc = check_needed_work(&life, to, states, err);
    if (rc != 0 || m->dry_run)
        return rc;
    rc = move_deadlines(&life, m, to, err);
    if (rc == 0)
        rc = move_work(&life, to, states, err);
    if (rc == 0)
        rc = move_data(&life, to, err);
    if (rc == 0)
        rc = note(&life, m, to, err);
    life.now.states = states;
    life.now.version = m->to;
    life.procedure = to;
    if (rc == 0)
        rc = life_drain(&life, err);
    return rc == 0 ? life_save(&life, err) : rc;
}

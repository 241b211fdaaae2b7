/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dossier moves to another version of its procedure: only on an explicit order, with author and
 * reason in the journal, and only where the new chart can go on exactly where the old one stood
 * (migrate_plan.c).
 *
 * Work that runs goes on if the new state asks for the same activity under the same id, with its
 * tasks as they are; work that it does not ask for is cancelled. A deadline keeps its moment under
 * the new state's name. The due date stays: a change of the catalogue never moves a date that was
 * promised. Last the new chart hears operator.migrate, so that eventless transitions, status and
 * clock come right by the ordinary way of a step.
 */
#include "migrate.h"

#include <string.h>

/* Keeps the work that goes on under the new chart; the rest is cancelled. */
static int move_work(const struct plan *plan, struct wf_error *err)
{
    struct life *life = plan->life;
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *kept = wf_map(arena);
    for (size_t i = wf_value_count(life->running); i-- > 0;) {
        const struct wf_pair *pair = &life->running->u.map.pairs[i];
        if (wf_value_bool(wf_map_get(pair->value, RUN_DETACHED), false))
            continue;
        const struct wf_chart_invoke *invoke = plan_invoke(plan, pair->key);
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

/* ---- deadlines ------------------------------------------------------------------------------- */

static const char *deadline_of(struct wf_arena *arena, const char *state)
{
    return wf_arena_printf(arena, "deadline.%s", state);
}

/*
 * When the deadline of a new state falls due: at the moment that its old states had; never, where
 * theirs has passed; else counted from now. 0 = it has none.
 */
static int due_of(const struct plan *plan, const struct wf_chart_state *now, int64_t *out,
                  struct wf_error *err)
{
    struct wf_turn *turn = plan->life->turn;
    const struct wf_chart_state *old = NULL;
    bool had_one = false;
    struct wf_limit limit;
    *out = 0;
    if (now->deadline == NULL || !plan_is_active(plan, now->id))
        return 0;
    for (size_t i = 0; (old = plan_old_state(plan, i)) != NULL; i++) {
        if (old->deadline == NULL || strcmp(plan_new_name(plan, old->id), now->id) != 0)
            continue;
        const char *name = deadline_of(turn->arena, old->id);
        if (name == NULL)
            return out_of_memory(err);
        int64_t due = wf_value_int(wf_list_at(wf_map_get(plan->life->timers, name), 0), 0);
        *out = *out == 0 || (due != 0 && due < *out) ? due : *out;
        had_one = true;
    }
    if (had_one)
        return 0;
    if (!wf_limit_parse(wf_str(now->deadline), &limit))
        return wf_fail(err, WF_E_STATE, "\"%s\" is no length of time", now->deadline);
    *out = wf_calendar_due(life_calendar(plan->life), turn->now_ms, limit);
    return 0;
}

static int drop_deadlines(const struct plan *plan, struct wf_error *err)
{
    const struct wf_chart_state *old = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && (old = plan_old_state(plan, i)) != NULL; i++) {
        const char *name = deadline_of(plan->life->turn->arena, old->id);
        rc = name == NULL ? out_of_memory(err) : timer_drop(plan->life, name, err);
    }
    return rc;
}

/* All moments are looked up before the first timer moves: states may exchange their names. */
static int move_deadlines(const struct plan *plan, struct wf_error *err)
{
    struct wf_arena *arena = plan->life->turn->arena;
    const struct wf_chart_state *all = NULL;
    size_t n = wf_chart_states(plan->to->chart, &all);
    int64_t *due = wf_arena_alloc(arena, (n + 1) * sizeof(*due));
    int rc = 0;
    if (due == NULL)
        return out_of_memory(err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = due_of(plan, &all[i], &due[i], err);
    if (rc == 0)
        rc = drop_deadlines(plan, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const char *name = due[i] != 0 ? deadline_of(arena, all[i].id) : NULL;
        if (name != NULL)
            rc = timer_arm(plan->life, name, name, due[i], NULL, err);
        else if (due[i] != 0)
            rc = out_of_memory(err);
    }
    return rc;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int tell_chart(const struct plan *plan, struct wf_error *err)
{
    struct life *life = plan->life;
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "from", wf_int(arena, (int64_t)life->before.version));
    wf_map_put(arena, data, "to", wf_int(arena, plan->to->version));
    wf_map_put(arena, data, "reason", wf_text(arena, plan->order->reason));
    if (!wf_value_is_whole(data))
        return out_of_memory(err);
    struct pending event = {
        .event = "operator.migrate", .data = data, .by = plan->order->by, .role = "operator"};
    return life_push(life, &event, err);
}

static int carry_out(const struct plan *plan, struct wf_error *err)
{
    struct life *life = plan->life;
    int rc = move_deadlines(plan, err);
    if (rc == 0)
        rc = move_work(plan, err);
    if (rc == 0)
        rc = tell_chart(plan, err);
    if (rc != 0)
        return rc;
    life->procedure = plan->to;
    life->now.version = (uint64_t)plan->to->version;
    life->now.states = plan->states;
    life->now.history = plan->history;
    life->now.data = plan->data;
    rc = clock_arm_reminders(life, err);
    if (rc == 0)
        rc = life_drain(life, err);
    return rc == 0 ? life_save(life, err) : rc;
}

static int check(const struct life *life, const struct wf_migration *order,
                 const struct wf_procedure *to, struct wf_error *err)
{
    if (to == NULL)
        return wf_fail_field(err, WF_E_NOT_FOUND, "to", "version %llu of %.*s is not installed",
                             (unsigned long long)order->to, WF_STR_ARG(life->before.procedure));
    if (life->before.closed != 0)
        return wf_fail(err, WF_E_STATE, "the dossier is closed and stays on its version");
    if (life->before.version == order->to)
        return wf_fail(err, WF_E_STATE, "the dossier is on this version already");
    return 0;
}

int wf_engine_migrate(struct wf_turn *turn, uint64_t dossier, const struct wf_migration *migration,
                      struct wf_error *err)
{
    struct life life;
    struct plan plan;
    int rc = life_load(turn, dossier, &life, err);
    if (rc == WF_NONE)
        return wf_fail_field(err, WF_E_NOT_FOUND, "dossier", "there is no such dossier");
    if (rc != 0)
        return rc;
    const struct wf_procedure *to =
        engine_procedure(turn->engine, life.before.procedure, migration->to);
    rc = check(&life, migration, to, err);
    if (rc == 0)
        rc = plan_make(&life, migration, to, &plan, err);
    return rc == 0 && !migration->dry_run ? carry_out(&plan, err) : rc;
}

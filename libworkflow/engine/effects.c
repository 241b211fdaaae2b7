/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a chart step asks of the world: one row per kind of effect. Activities of this service start
 * at once, in the same transaction; those of others are queued for them.
 */
#include "life.h"

#include <string.h>

/* ---- timers ---------------------------------------------------------------------------------- */

/* It fell due while something was on hold: under one of the holds over the dossier, which may have
 * been released since. */
static int drop_held(struct life *life, int64_t due, uint64_t seq, struct wf_error *err)
{
    const struct wf_hold_scope scope = {.dossier = &life->now, .service = -1};
    struct wf_rec_hold holds[WF_HOLDS_OVER];
    struct wf_txn *txn = life->turn->txn;
    size_t n = 0;
    if (wf_txn_counts(txn)->held_timers == 0)
        return 0;
    int rc = wf_holds_over(txn, &scope, life->turn->arena, holds, &n, err);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = wf_timer_del_held(txn, TIMER_KEEPER, due, seq, holds[i].id, err);
    return rc;
}

int timer_drop(struct life *life, const char *id, struct wf_error *err)
{
    const struct wf_value *armed = wf_map_get(life->timers, id);
    if (armed == NULL)
        return 0;
    int64_t due = wf_value_int(wf_list_at(armed, 0), 0);
    uint64_t seq = (uint64_t)wf_value_int(wf_list_at(armed, 1), 0);
    int rc = wf_timer_del(life->turn->txn, TIMER_KEEPER, due, seq, err);
    if (rc == WF_NONE)
        rc = drop_held(life, due, seq, err);
    map_remove(life->timers, id);
    return rc < 0 ? rc : 0;
}

int timers_drop_all(struct life *life, struct wf_error *err)
{
    int rc = 0;
    while (rc == 0 && wf_value_count(life->timers) > 0)
        rc = timer_drop(life, life->timers->u.map.pairs[0].key.ptr, err);
    return rc;
}

int timer_arm(struct life *life, const char *id, const char *event, int64_t due_ms,
              const struct wf_value *data, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_rec_timer timer = {.dossier = life->now.id,
                                 .id = wf_str(id),
                                 .event = wf_str(event),
                                 .data = data != NULL ? data : &wf_null};
    uint64_t seq = 0;
    int rc = timer_drop(life, id, err);
    if (rc == 0)
        rc = wf_timer_put(life->turn->txn, TIMER_KEEPER, due_ms, &timer, &seq, err);
    if (rc != 0)
        return rc;
    struct wf_value *armed = wf_list(arena);
    wf_list_add(arena, armed, wf_int(arena, due_ms));
    wf_list_add(arena, armed, wf_int(arena, (int64_t)seq));
    return wf_map_put(arena, life->timers, id, armed) ? 0 : out_of_memory(err);
}

/* ---- effects --------------------------------------------------------------------------------- */

int queue_tell(struct wf_turn *turn, struct wf_rec_queue *item, struct wf_error *err)
{
    int rc = wf_queue_put(turn->txn, item, err);
    if (rc != 0)
        return rc;
    if ((enum wf_service)item->service == turn->engine->options.self) {
        turn->own_work = true;
        return 0;
    }
    struct wf_nudge *nudge = wf_arena_alloc(turn->arena, sizeof(*nudge));
    if (nudge == NULL)
        return out_of_memory(err);
    nudge->to = (enum wf_service)item->service;
    nudge->seq = item->seq;
    nudge->dossier = item->dossier;
    nudge->activity = item->activity.ptr;
    nudge->next = turn->nudges;
    turn->nudges = nudge;
    return 0;
}

static int queue_start(struct life *life, const struct wf_effect *effect, int service,
                       bool detached, struct wf_error *err)
{
    struct wf_rec_queue item = {
        .service = (uint64_t)service,
        .kind = WF_QUEUE_START,
        .due = life->turn->real_ms,
        .created = life->turn->real_ms,
        .dossier = life->now.id,
        .activity = wf_str(effect->activity),
        .id = wf_str(effect->id),
        .detached = detached,
        .role = wf_str(effect->role),
        .params = effect->data,
    };
    int rc = queue_tell(life->turn, &item, err);
    return rc == 0 ? running_put(life, effect->id, effect->activity, detached, item.seq, err) : rc;
}

static int start(struct life *life, const struct wf_effect *effect, bool detached,
                 struct wf_error *err)
{
    const struct wf_engine *engine = life->turn->engine;
    int service = wf_service_of_activity(effect->activity);
    if (service < 0)
        return wf_fail(err, WF_E_INTERNAL, "activity %s belongs to no service", effect->activity);
    struct wf_rec_hold hold;
    const struct wf_hold_scope scope = {&life->now, service, wf_str(effect->activity)};
    int rc = hold_over(life->turn, &scope, &hold, err);
    if (rc < 0)
        return rc;
    /* What is on hold is queued even where it could start at once: the queue puts it aside. */
    if (rc == 0 || service != (int)engine->options.self)
        return queue_start(life, effect, service, detached, err);
    const struct wf_activity *activity = engine_activity(engine, effect->activity);
    if (activity == NULL)
        return wf_fail(err, WF_E_INTERNAL, "activity %s is not offered here", effect->activity);
    return work_start(life, activity, effect->id, effect->role, effect->data, detached, err);
}

static int do_invoke(struct life *life, const struct wf_effect *effect, struct wf_error *err)
{
    return start(life, effect, false, err);
}

static int do_detached(struct life *life, const struct wf_effect *effect, struct wf_error *err)
{
    return start(life, effect, true, err);
}

static int do_uninvoke(struct life *life, const struct wf_effect *effect, struct wf_error *err)
{
    return work_cancel(life, effect->id, err);
}

static int do_send(struct life *life, const struct wf_effect *effect, struct wf_error *err)
{
    if (effect->delay == NULL) {
        struct pending event = {
            .event = effect->event, .data = effect->data, .by = "", .role = "system"};
        return life_push(life, &event, err);
    }
    int64_t due = 0;
    int rc = clock_moment(life, life->turn->now_ms, effect->delay, &due, err);
    return rc == 0 ? timer_arm(life, effect->id, effect->event, due, effect->data, err) : rc;
}

static int do_unsend(struct life *life, const struct wf_effect *effect, struct wf_error *err)
{
    return timer_drop(life, effect->id, err);
}

static int do_extend(struct life *life, const struct wf_effect *effect, struct wf_error *err)
{
    return clock_extend(life, effect->delay, err);
}

/* A chart's log lines may hold the dossier's data, so they never reach the log; the journal has
 * the event already. */
static int do_log(struct life *life, const struct wf_effect *effect, struct wf_error *err)
{
    (void)life;
    (void)effect;
    (void)err;
    return 0;
}

int effects_apply(struct life *life, const struct wf_effect *effects, struct wf_error *err)
{
    static int (*const table[])(struct life *, const struct wf_effect *, struct wf_error *) = {
        [WF_EFFECT_INVOKE] = do_invoke,     [WF_EFFECT_UNINVOKE] = do_uninvoke,
        [WF_EFFECT_SEND] = do_send,         [WF_EFFECT_UNSEND] = do_unsend,
        [WF_EFFECT_DETACHED] = do_detached, [WF_EFFECT_EXTEND] = do_extend,
        [WF_EFFECT_LOG] = do_log,
    };
    for (const struct wf_effect *effect = effects; effect != NULL; effect = effect->next) {
        int rc = table[effect->kind](life, effect, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

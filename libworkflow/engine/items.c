/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queue items and timers: what the store says is to be done. An item is valid only while the
 * dossier still waits for just this one; a doubled or late message finds nothing to settle. What
 * is on hold is put aside when it comes due, and so met once, not at every look.
 */
#include "life.h"

#include <inttypes.h>
#include <string.h>

#define ITEM_ATTEMPTS 5
#define TRIES_KEPT    8 /* failures that a record remembers; older ones are only counted */

/* The work may have been cancelled and begun anew under its id: an item of the old one is stale. */
bool item_is_awaited(const struct life *life, const struct wf_rec_queue *item)
{
    const struct wf_value *entry = wf_map_get_str(life->running, item->id);
    if (entry == NULL)
        return false;
    if (item->kind == WF_QUEUE_TASK)
        return wf_value_int(wf_map_get(entry, RUN_BURIED), 0) > 0;
    if (item->kind == WF_QUEUE_PART)
        return wf_str_equal(wf_value_str(wf_map_get(entry, RUN_ACTIVITY)), item->activity);
    return wf_value_int(wf_map_get(entry, RUN_SEQ), 0) == (int64_t)item->seq;
}

static int start_item(struct life *life, const struct wf_rec_queue *item, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    const struct wf_activity *activity = engine_activity(life->turn->engine, item->activity.ptr);
    if (activity == NULL)
        return wf_fail(err, WF_E_NOT_FOUND, "activity %s is not offered here", item->activity.ptr);
    const char *id = wf_arena_strndup(arena, item->id.ptr, item->id.len);
    const char *role = wf_arena_strndup(arena, item->role.ptr, item->role.len);
    if (id == NULL || role == NULL)
        return out_of_memory(err);
    return work_start(life, activity, id, role, item->params, item->detached, err);
}

/* A task that had failed for good and that an operator puts back. */
static int reopen_task(struct life *life, const struct wf_rec_queue *item, struct wf_error *err)
{
    struct wf_work work;
    const char *id = wf_arena_strndup(life->turn->arena, item->id.ptr, item->id.len);
    if (id == NULL)
        return out_of_memory(err);
    int rc = work_resume(life, id, NULL, &work, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = wf_work_open_task(&work, wf_value_text(wf_map_get(item->params, "to"), ""),
                           item->role.len > 0 ? item->role.ptr : "",
                           wf_map_get(item->params, "params"), 0, err);
    work.buried--;
    return rc == 0 ? work_settle(&work, err) : rc;
}

static int part_item(struct life *life, const struct wf_rec_queue *item, struct wf_error *err)
{
    struct wf_work work;
    const char *id = wf_arena_strndup(life->turn->arena, item->id.ptr, item->id.len);
    if (id == NULL)
        return out_of_memory(err);
    int rc = work_resume(life, id, NULL, &work, err);
    if (rc != 0)
        return rc < 0 ? rc : 0; /* the parent has gone on without its parts */
    if (work.activity->part_done == NULL)
        return wf_fail(err, WF_E_INTERNAL, "%s has no parts", work.activity->info.name);
    rc = work.activity->part_done(&work, item->params, err);
    return rc == 0 ? work_settle(&work, err) : rc;
}

static int settle(struct life *life, const struct wf_rec_queue *item, struct wf_error *err)
{
    struct pending event;
    switch ((enum wf_queue_kind)item->kind) {
    case WF_QUEUE_START:
        return item_is_awaited(life, item) ? start_item(life, item, err) : 0;
    case WF_QUEUE_TASK:
        return item_is_awaited(life, item) ? reopen_task(life, item, err) : 0;
    case WF_QUEUE_PART:
        return part_item(life, item, err);
    case WF_QUEUE_EVENT:
        event = (struct pending){
            .event = item->activity.ptr, .data = item->params, .by = "", .role = "system"};
        return life_push(life, &event, err);
    }
    return wf_fail(err, WF_E_CORRUPT, "queue item %" PRIu64 " is of unknown kind", item->seq);
}

int wf_engine_item(struct wf_turn *turn, const struct wf_rec_queue *item, struct wf_error *err)
{
    struct wf_rec_hold hold;
    struct life life;
    int rc = hold_over_id(turn, item->dossier, (int)item->service, item->activity, &hold, err);
    if (rc == 0)
        return wf_queue_hold(turn->txn, item, hold.id, err);
    if (rc == WF_NONE)
        rc = life_load(turn, item->dossier, &life, err);
    if (rc < 0)
        return wf_wrap(err, "queue item %" PRIu64, item->seq);
    if (rc == 0) {
        rc = settle(&life, item, err);
        if (rc == 0)
            rc = life_drain(&life, err);
        if (rc == 0)
            rc = life_save(&life, err);
    }
    if (rc < 0)
        return wf_wrap(err, "queue item %" PRIu64, item->seq);
    return wf_queue_del(turn->txn, item, err);
}

const struct wf_value *tries_add(struct wf_turn *turn, const struct wf_value *tries,
                                 const char *code, struct wf_str reason)
{
    struct wf_arena *arena = turn->arena;
    struct wf_value *list = wf_list(arena);
    struct wf_value *last = wf_list(arena);
    size_t n = wf_value_count(tries);
    for (size_t i = n >= TRIES_KEPT ? n - TRIES_KEPT + 1 : 0; i < n; i++)
        wf_list_add(arena, list, wf_list_at(tries, i));
    wf_list_add(arena, last, wf_int(arena, turn->real_ms));
    wf_list_add(arena, last, wf_text(arena, code));
    wf_list_add(arena, last, wf_text_n(arena, reason.ptr, reason.len));
    wf_list_add(arena, list, last);
    return list;
}

/* By its code, which joins all lines on a dossier; by its number where it has none yet. */
static const char *name_of(struct wf_turn *turn, uint64_t id)
{
    struct wf_rec_dossier dossier;
    if (wf_dossier_get(turn->txn, id, turn->arena, &dossier, NULL) == 0 && dossier.code.len > 0)
        return wf_arena_strndup(turn->arena, dossier.code.ptr, dossier.code.len);
    return wf_arena_printf(turn->arena, "#%" PRIu64, id);
}

static void say_dead(struct wf_turn *turn, const struct wf_rec_queue *item)
{
    struct wf_said said = {
        .kind = WF_SAID_DEAD,
        .dossier = name_of(turn, item->dossier),
        .text = wf_arena_printf(turn->arena, "item %" PRIu64 " %.*s: %.*s", item->seq,
                                WF_STR_ARG(item->activity), WF_STR_ARG(item->reason)),
    };
    turn_say(turn, &said);
}

int wf_engine_item_failed(struct wf_turn *turn, const struct wf_rec_queue *item,
                          const struct wf_error *why, struct wf_error *err)
{
    struct wf_rec_queue next = *item;
    next.attempts++;
    next.reason = wf_str(why->text);
    next.since = turn->real_ms;
    next.tries = tries_add(turn, item->tries, wf_code_word(why->code), next.reason);
    if (!wf_value_is_whole(next.tries))
        return out_of_memory(err);
    if (next.attempts >= ITEM_ATTEMPTS) {
        int rc = wf_queue_bury(turn->txn, item, &next, err);
        if (rc == 0)
            say_dead(turn, &next);
        return rc;
    }
    int rc = wf_queue_del(turn->txn, item, err);
    if (rc != 0)
        return rc;
    next.due = turn->real_ms + engine_backoff(turn->engine, 0, next.attempts);
    return wf_queue_put(turn->txn, &next, err);
}

/* ---- timers ------------------------------------------------------------------------------------
 */

static int fire(struct life *life, const struct wf_rec_timer *timer, int64_t due, uint64_t seq,
                struct wf_error *err)
{
    const struct wf_value *armed = wf_map_get_str(life->timers, timer->id);
    if (armed == NULL || wf_value_int(wf_list_at(armed, 0), 0) != due ||
        wf_value_int(wf_list_at(armed, 1), 0) != (int64_t)seq)
        return 0; /* disarmed or armed anew meanwhile */
    map_remove(life->timers, timer->id.ptr);
    struct pending event = {.event = timer->event.ptr,
                            .data = timer->data->type == WF_NULL ? NULL : timer->data,
                            .by = "",
                            .role = "system"};
    return life_push(life, &event, err);
}

static int ring(struct wf_turn *turn, const struct wf_rec_timer *timer, int64_t due, uint64_t seq,
                struct wf_error *err)
{
    struct life life;
    int rc = life_load(turn, timer->dossier, &life, err);
    if (rc == WF_NONE)
        return 0;
    if (rc == 0)
        rc = fire(&life, timer, due, seq, err);
    if (rc == 0)
        rc = life_drain(&life, err);
    return rc == 0 ? life_save(&life, err) : rc;
}

int wf_engine_timer(struct wf_turn *turn, struct wf_error *err)
{
    enum wf_service self = turn->engine->options.self;
    struct wf_rec_timer timer;
    struct wf_rec_hold hold;
    int64_t due = 0;
    uint64_t seq = 0;
    int rc = wf_timer_first(turn->txn, self, turn->now_ms, turn->arena, &timer, &due, &seq, err);
    if (rc != 0)
        return rc;
    rc = hold_over_id(turn, timer.dossier, -1, wf_str(""), &hold, err);
    if (rc == 0)
        return wf_timer_hold(turn->txn, self, due, seq, &timer, hold.id, err);
    if (rc == WF_NONE)
        rc = wf_timer_del(turn->txn, self, due, seq, err);
    if (rc == 0)
        rc = ring(turn, &timer, due, seq, err);
    return rc < 0 ? wf_wrap(err, "timer %" PRIu64, seq) : rc;
}

/* A timer that fails would be the first due one for ever: it becomes a dead letter. */
int wf_engine_timer_failed(struct wf_turn *turn, const struct wf_error *why, struct wf_error *err)
{
    struct wf_rec_timer timer;
    int64_t due = 0;
    uint64_t seq = 0;
    enum wf_service self = turn->engine->options.self;
    int rc = wf_timer_first(turn->txn, self, turn->now_ms, turn->arena, &timer, &due, &seq, err);
    if (rc == 0)
        rc = wf_timer_del(turn->txn, self, due, seq, err);
    if (rc != 0)
        return rc;
    const struct wf_value *nothing = wf_map(turn->arena);
    struct wf_rec_queue dead = {
        .service = (uint64_t)self,
        .kind = WF_QUEUE_EVENT,
        .created = turn->real_ms,
        .dossier = timer.dossier,
        .activity = timer.event,
        .id = timer.id,
        .params = timer.data->type == WF_MAP ? timer.data : nothing,
        .attempts = 1,
        .reason = wf_str(why->text),
        .since = turn->real_ms,
        .tries = tries_add(turn, NULL, wf_code_word(why->code), wf_str(why->text)),
    };
    if (dead.params == NULL || !wf_value_is_whole(dead.tries))
        return out_of_memory(err);
    rc = wf_queue_bury(turn->txn, NULL, &dead, err);
    if (rc == 0)
        say_dead(turn, &dead);
    return rc;
}

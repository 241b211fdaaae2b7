/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dead letters: work that failed for good and waits for a person, who may put it back, put it back
 * with other data, take it for done, or give it up. Each act is an event of the dossier.
 */
#include "life.h"

#include <inttypes.h>
#include <string.h>

/* The operator's act becomes part of the dossier's history. */
static int note_act(struct life *life, const char *act, const char *by,
                    const struct wf_rec_queue *item, const char *reason,
                    const struct wf_value *changes, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "item", wf_int(arena, (int64_t)item->seq));
    wf_map_put(arena, data, "activity", wf_text_n(arena, item->activity.ptr, item->activity.len));
    if (reason != NULL)
        wf_map_put(arena, data, "reason", wf_text(arena, reason));
    if (changes != NULL)
        wf_map_put(arena, data, "changes", changes);
    if (!wf_value_is_whole(data))
        return out_of_memory(err);
    struct pending note = {
        .event = act, .data = data, .by = by, .role = "operator", .note_only = true};
    return life_push(life, &note, err);
}

static int take_dead(struct wf_turn *turn, uint64_t seq, struct wf_rec_queue *item,
                     struct life *life, struct wf_error *err)
{
    int rc = wf_dead_get(turn->txn, seq, turn->arena, item, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_NOT_FOUND, "there is no dead letter %" PRIu64, seq);
    if (rc == 0)
        rc = life_load(turn, item->dossier, life, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_NOT_FOUND, "its dossier is gone");
    return rc == 0 ? wf_dead_del(turn->txn, seq, err) : rc;
}

static int finish(struct life *life, struct wf_error *err)
{
    int rc = life_drain(life, err);
    return rc == 0 ? life_save(life, err) : rc;
}

static int put_back(struct wf_turn *turn, struct wf_rec_queue *item, struct wf_error *err)
{
    item->attempts = 0;
    item->due = turn->real_ms;
    item->since = 0;
    return wf_queue_put(turn->txn, item, err);
}

int wf_engine_dead_retry(struct wf_turn *turn, uint64_t seq, const char *by, struct wf_error *err)
{
    struct wf_rec_queue item;
    struct life life;
    int rc = take_dead(turn, seq, &item, &life, err);
    if (rc == 0)
        rc = note_act(&life, "operator.retry", by, &item, NULL, NULL, err);
    if (rc == 0)
        rc = finish(&life, err);
    return rc == 0 ? put_back(turn, &item, err) : rc;
}

int wf_engine_dead_drop(struct wf_turn *turn, uint64_t seq, const char *by, const char *reason,
                        struct wf_error *err)
{
    struct wf_rec_queue item;
    struct life life;
    int rc = take_dead(turn, seq, &item, &life, err);
    if (rc == 0)
        rc = note_act(&life, "operator.drop", by, &item, reason, NULL, err);
    if (rc != 0)
        return rc;
    /* The chart learns that the work will not be done, and decides. */
    const char *id = wf_arena_strndup(turn->arena, item.id.ptr, item.id.len);
    struct wf_value *data = wf_map(turn->arena);
    wf_map_put(turn->arena, data, "reason", wf_text(turn->arena, reason));
    wf_map_put(turn->arena, data, "id", wf_text(turn->arena, id));
    if (id == NULL || !wf_value_is_whole(data))
        return out_of_memory(err);
    struct pending event = {.event = "error.communication",
                            .data = data,
                            .invoke_id = item.detached ? NULL : id,
                            .by = by,
                            .role = "operator"};
    if (item_is_awaited(&life, &item)) {
        rc = work_cancel(&life, id, err);
        if (rc == 0)
            rc = life_push(&life, &event, err);
    }
    return rc == 0 ? finish(&life, err) : rc;
}

/* ---- skip -------------------------------------------------------------------------------------
 */

/* A task's result is looked at as if a party had sent it. */
static int end_task(struct wf_work *work, const struct wf_rec_task *task,
                    const struct wf_value *result, struct wf_error *err)
{
    const struct wf_activity *activity = work->activity;
    int rc = activity->check_result != NULL ? activity->check_result(task, result, err) : 0;
    if (rc != 0)
        return rc;
    work->buried--;
    if (activity->task_done != NULL)
        return activity->task_done(work, task, result, err);
    wf_work_done(work, result);
    return 0;
}

/* Ends the work that the item was to begin or go on with; the event names the operator. */
static int end_work(struct life *life, const struct wf_rec_queue *item,
                    const struct wf_value *result, const char *by, struct wf_error *err)
{
    const char *id = wf_arena_strndup(life->turn->arena, item->id.ptr, item->id.len);
    bool is_task = item->kind == WF_QUEUE_TASK;
    const struct wf_rec_task task = {
        .service = item->service,
        .dossier = item->dossier,
        .code = life->now.code,
        .activity = item->activity,
        .invoke = item->id,
        .to = wf_value_str(wf_map_get(item->params, "to")),
        .role = item->role,
        .params = wf_map_get(item->params, "params"),
    };
    struct wf_work work;
    if (id == NULL)
        return out_of_memory(err);
    int rc = work_resume(life, id, is_task ? &task : NULL, &work, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (is_task)
        rc = end_task(&work, &task, result, err);
    else
        wf_work_done(&work, result);
    for (struct pending *event = life->first; rc == 0 && event != NULL; event = event->next) {
        event->by = by;
        event->role = "operator";
    }
    return rc == 0 ? work_settle(&work, err) : rc;
}

int wf_engine_dead_skip(struct wf_turn *turn, uint64_t seq, const struct wf_value *result,
                        const char *by, const char *reason, struct wf_error *err)
{
    const struct wf_value *data = result != NULL ? result : wf_map(turn->arena);
    struct wf_rec_queue item;
    struct life life;
    if (data == NULL)
        return out_of_memory(err);
    int rc = take_dead(turn, seq, &item, &life, err);
    if (rc == 0 && item.kind == WF_QUEUE_EVENT && result != NULL)
        return wf_fail_field(err, WF_E_INVALID, "result",
                             "dead letter %" PRIu64 " is an event, which has no result", seq);
    if (rc == 0)
        rc = note_act(&life, "operator.skip", by, &item, reason, NULL, err);
    if (rc == 0 && item_is_awaited(&life, &item) && item.kind != WF_QUEUE_EVENT)
        rc = end_work(&life, &item, data, by, err);
    return rc == 0 ? finish(&life, err) : rc;
}

/* ---- edit -------------------------------------------------------------------------------------
 */

static bool has_type(const struct wf_value *value, enum wf_static_type type)
{
    static const enum wf_type types[] = {
        [WF_T_BOOL] = WF_BOOL, [WF_T_INT] = WF_INT,   [WF_T_NUMBER] = WF_NUMBER,
        [WF_T_TEXT] = WF_TEXT, [WF_T_LIST] = WF_LIST, [WF_T_MAP] = WF_MAP,
    };
    enum wf_type wanted = (size_t)type < WF_COUNT(types) ? types[type] : WF_NULL;
    return wanted == WF_NULL || value->type == wanted ||
           (wanted == WF_NUMBER && value->type == WF_INT);
}

static const struct wf_activity_info *info_of(const struct wf_turn *turn, struct wf_str activity)
{
    const struct wf_catalogue *all = turn->engine->options.catalogue;
    for (size_t i = 0; i < all->n_activities; i++) {
        if (wf_str_is(activity, all->activities[i]->name))
            return all->activities[i];
    }
    return NULL;
}

static const struct wf_parameter *parameter_of(const struct wf_activity_info *info,
                                               struct wf_str name)
{
    for (size_t i = 0; i < info->n_parameters; i++) {
        if (wf_str_is(name, info->parameters[i].name))
            return &info->parameters[i];
    }
    return NULL;
}

/* "to, subject": what may be set. */
static const char *names_of(const struct wf_activity_info *info, struct wf_arena *arena)
{
    const char *text = "";
    for (size_t i = 0; text != NULL && i < info->n_parameters; i++)
        text = wf_arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "", info->parameters[i].name);
    return text != NULL && text[0] != '\0' ? text : "none";
}

/* An activity that has not begun: its parameters, as a definition would give them. */
static int check_start(struct wf_turn *turn, const struct wf_rec_queue *item,
                       const struct wf_value *params, struct wf_error *err)
{
    const struct wf_activity_info *info = info_of(turn, item->activity);
    if (info == NULL)
        return wf_fail(err, WF_E_NOT_FOUND, "activity %.*s is not known here",
                       WF_STR_ARG(item->activity));
    for (size_t i = 0; i < wf_value_count(params); i++) {
        const struct wf_pair *pair = &params->u.map.pairs[i];
        const struct wf_parameter *p = parameter_of(info, pair->key);
        if (p == NULL)
            return wf_fail_field(err, WF_E_INVALID, "params",
                                 "%s has no parameter %.*s; it takes: %s", info->name,
                                 WF_STR_ARG(pair->key), names_of(info, turn->arena));
        if (!has_type(pair->value, p->type))
            return wf_fail_field(err, WF_E_INVALID, "params", "params.%s of %s is %s, not %s",
                                 p->name, info->name, wf_static_type_name(p->type),
                                 wf_type_name(pair->value->type));
    }
    for (size_t i = 0; i < info->n_parameters; i++) {
        const struct wf_parameter *p = &info->parameters[i];
        if (p->required && wf_map_get(params, p->name) == NULL)
            return wf_fail_field(err, WF_E_INVALID, "params", "%s needs params.%s", info->name,
                                 p->name);
    }
    return 0;
}

/* A task that was open: what its activity had put into it may get another value of its type. */
static int check_task(const struct wf_value *before, const struct wf_value *now,
                      struct wf_error *err)
{
    for (size_t i = 0; i < wf_value_count(now); i++) {
        const struct wf_pair *pair = &now->u.map.pairs[i];
        const struct wf_value *old = wf_map_get_str(before, pair->key);
        if (old == NULL)
            return wf_fail_field(err, WF_E_INVALID, "params",
                                 "the task has no params.%.*s; `hoso queue show` tells what it has",
                                 WF_STR_ARG(pair->key));
        if (old->type != pair->value->type)
            return wf_fail_field(err, WF_E_INVALID, "params", "params.%.*s is %s, not %s",
                                 WF_STR_ARG(pair->key), wf_type_name(old->type),
                                 wf_type_name(pair->value->type));
    }
    return wf_value_count(now) == wf_value_count(before)
               ? 0
               : wf_fail_field(err, WF_E_INVALID, "params", "nothing of a task can be taken away");
}

static int set_to(const struct wf_value *value, struct wf_error *err)
{
    size_t length = wf_value_str(value).len;
    return length > 0 && length <= 64
               ? 0
               : wf_fail_field(err, WF_E_INVALID, "to", "an address is a text of 1-64 bytes");
}

/* The changes made to copies of the item's maps: `to` and params. */
static int apply(const struct wf_rec_queue *item, const struct wf_value *changes,
                 struct wf_arena *arena, struct wf_value *params, const struct wf_value **out_to,
                 struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(changes); i++) {
        const struct wf_pair *pair = &changes->u.map.pairs[i];
        const char *key = wf_arena_strndup(arena, pair->key.ptr, pair->key.len);
        if (key == NULL)
            return out_of_memory(err);
        bool is_to = item->kind == WF_QUEUE_TASK && strcmp(key, "to") == 0;
        if (is_to) {
            rc = set_to(pair->value, err);
            *out_to = pair->value;
        } else if (!wf_starts_with(key, "params.") || key[7] == '\0') {
            rc = wf_fail_field(err, WF_E_INVALID, "set", "%.40s cannot be set: params.NAME%s", key,
                               item->kind == WF_QUEUE_TASK ? ", and to" : "");
        } else if (pair->value->type == WF_NULL) {
            map_remove(params, key + 7);
        } else {
            wf_map_put(arena, params, key + 7, pair->value);
        }
    }
    return rc;
}

static int edited(struct wf_turn *turn, struct wf_rec_queue *item, const struct wf_value *changes,
                  struct wf_error *err)
{
    bool is_task = item->kind == WF_QUEUE_TASK;
    const struct wf_value *before = is_task ? wf_map_get(item->params, "params") : item->params;
    const struct wf_value *to = wf_map_get(item->params, "to");
    struct wf_value *params = wf_map_copy(turn->arena, before);
    struct wf_value *outer = wf_map_copy(turn->arena, item->params);
    if (item->kind == WF_QUEUE_PART)
        return wf_fail(err, WF_E_INVALID, "the end of a part has nothing to edit");
    if (params == NULL || outer == NULL)
        return out_of_memory(err);
    int rc = apply(item, changes, turn->arena, params, &to, err);
    if (rc == 0 && item->kind == WF_QUEUE_START)
        rc = check_start(turn, item, params, err);
    if (rc == 0 && is_task)
        rc = check_task(before, params, err);
    if (rc != 0)
        return rc;
    if (is_task) {
        wf_map_put(turn->arena, outer, "to", to);
        wf_map_put(turn->arena, outer, "params", params);
    }
    item->params = is_task ? outer : params;
    return wf_value_is_whole(item->params) ? 0 : out_of_memory(err);
}

int wf_engine_dead_edit(struct wf_turn *turn, uint64_t seq, const struct wf_value *changes,
                        const char *by, const char *reason, struct wf_error *err)
{
    struct wf_rec_queue item;
    struct life life;
    int rc = wf_dead_get(turn->txn, seq, turn->arena, &item, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_NOT_FOUND, "there is no dead letter %" PRIu64, seq);
    if (rc == 0)
        rc = edited(turn, &item, changes, err); /* before the first write */
    const struct wf_value *params = item.params;
    if (rc == 0)
        rc = take_dead(turn, seq, &item, &life, err);
    if (rc == 0)
        rc = note_act(&life, "operator.edit", by, &item, reason, changes, err);
    if (rc == 0)
        rc = finish(&life, err);
    item.params = params;
    return rc == 0 ? put_back(turn, &item, err) : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activities at work. What an activity must remember between its tasks stands in the dossier's
 * `running` map, so that any process that opens the dossier can go on or cancel it.
 */
#include "life.h"

#include <string.h>

void map_remove(struct wf_value *map, const char *key)
{
    for (size_t i = 0; i < map->u.map.n; i++) {
        if (!wf_str_is(map->u.map.pairs[i].key, key))
            continue;
        memmove(&map->u.map.pairs[i], &map->u.map.pairs[i + 1],
                (map->u.map.n - i - 1) * sizeof(map->u.map.pairs[0]));
        map->u.map.n--;
        return;
    }
}

/* ---- the entry in `running` -------------------------------------------------------------------
 */

int running_put(struct life *life, const char *id, const char *activity, bool detached,
                uint64_t seq, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *entry = wf_map(arena);
    wf_map_put(arena, entry, RUN_ACTIVITY, wf_text(arena, activity));
    if (detached)
        wf_map_put(arena, entry, RUN_DETACHED, wf_bool(true));
    if (seq != 0)
        wf_map_put(arena, entry, RUN_SEQ, wf_int(arena, (int64_t)seq));
    return wf_map_put(arena, life->running, id, entry) ? 0 : out_of_memory(err);
}

static int store_entry(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = work->life->turn->arena;
    struct wf_value *entry = wf_map(arena);
    wf_map_put(arena, entry, RUN_ACTIVITY, wf_text(arena, work->activity->info.name));
    if (work->detached)
        wf_map_put(arena, entry, RUN_DETACHED, wf_bool(true));
    if (wf_value_count(work->memory) > 0)
        wf_map_put(arena, entry, RUN_MEMORY, work->memory);
    wf_map_put(arena, entry, RUN_TASKS, work->tasks);
    if (work->buried > 0)
        wf_map_put(arena, entry, RUN_BURIED, wf_int(arena, work->buried));
    return wf_map_put(arena, work->life->running, work->id, entry) ? 0 : out_of_memory(err);
}

static int delete_task(struct wf_turn *turn, uint64_t id, struct wf_error *err)
{
    struct wf_rec_task task;
    int rc = wf_task_get(turn->txn, id, turn->arena, &task, err);
    if (rc == 0)
        rc = wf_task_del(turn->txn, &task, err);
    return rc < 0 ? rc : 0;
}

static int delete_tasks(struct wf_turn *turn, const struct wf_value *ids, struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(ids); i++)
        rc = delete_task(turn, (uint64_t)wf_value_int(wf_list_at(ids, i), 0), err);
    return rc;
}

int work_cancel(struct life *life, const char *id, struct wf_error *err)
{
    const struct wf_value *entry = wf_map_get(life->running, id);
    if (entry == NULL)
        return 0; /* it had ended by itself */
    int rc = delete_tasks(life->turn, wf_map_get(entry, RUN_TASKS), err);
    map_remove(life->running, id);
    return rc;
}

int work_settle(struct wf_work *work, struct wf_error *err)
{
    bool waits_for_parts = work->activity->part_done != NULL;
    if (!work->ended && !waits_for_parts && wf_value_count(work->tasks) == 0 && work->buried == 0)
        return wf_fail(err, WF_E_INTERNAL, "activity %s neither ended nor opened a task",
                       work->activity->info.name);
    if (!work->ended)
        return store_entry(work, err);
    int rc = delete_tasks(work->life->turn, work->tasks, err);
    map_remove(work->life->running, work->id);
    return rc;
}

void work_forget_task(struct wf_work *work, uint64_t task)
{
    struct wf_value *kept = wf_list(work->life->turn->arena);
    for (size_t i = 0; i < wf_value_count(work->tasks); i++) {
        const struct wf_value *id = wf_list_at(work->tasks, i);
        if ((uint64_t)wf_value_int(id, 0) != task)
            wf_list_add(work->life->turn->arena, kept, id);
    }
    work->tasks = kept;
}

int work_start(struct life *life, const struct wf_activity *activity, const char *id,
               const char *role, const struct wf_value *params, bool detached, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_work work = {.life = life,
                           .activity = activity,
                           .id = id,
                           .role = role != NULL ? role : "",
                           .params = params != NULL ? params : wf_map(arena),
                           .memory = wf_map(arena),
                           .tasks = wf_list(arena),
                           .detached = detached};
    if (work.params == NULL || work.memory == NULL || work.tasks == NULL)
        return out_of_memory(err);
    int rc = activity->start(&work, err);
    if (rc != 0)
        return wf_wrap(err, "%s", activity->info.name);
    return work_settle(&work, err);
}

int work_resume(struct life *life, const char *id, const struct wf_rec_task *task,
                struct wf_work *out, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    const struct wf_value *entry = wf_map_get(life->running, id);
    if (entry == NULL)
        return WF_NONE;
    const char *name = wf_value_text(wf_map_get(entry, RUN_ACTIVITY), "");
    const struct wf_activity *activity = engine_activity(life->turn->engine, name);
    if (activity == NULL)
        return wf_fail(err, WF_E_NOT_FOUND, "activity %s is not offered here", name);
    *out = (struct wf_work){
        .life = life,
        .activity = activity,
        .id = id,
        .role = task != NULL ? wf_arena_strndup(arena, task->role.ptr, task->role.len) : "",
        .params = task != NULL ? task->params : wf_map(arena),
        .memory = wf_map_copy(arena, wf_map_get(entry, RUN_MEMORY)),
        .tasks = wf_list(arena),
        .buried = wf_value_int(wf_map_get(entry, RUN_BURIED), 0),
        .detached = wf_value_bool(wf_map_get(entry, RUN_DETACHED), false),
    };
    const struct wf_value *tasks = wf_map_get(entry, RUN_TASKS);
    for (size_t i = 0; i < wf_value_count(tasks); i++)
        wf_list_add(arena, out->tasks, wf_list_at(tasks, i));
    bool whole = out->role != NULL && out->params != NULL && out->memory != NULL &&
                 wf_value_is_whole(out->tasks);
    return whole ? 0 : out_of_memory(err);
}

/* ---- what handlers see and do ------------------------------------------------------------------
 */

struct wf_arena *wf_work_arena(struct wf_work *work)
{
    return work->life->turn->arena;
}

int64_t wf_work_now(const struct wf_work *work)
{
    return work->life->turn->now_ms;
}

const struct wf_procedure *wf_work_procedure(const struct wf_work *work)
{
    return work->life->procedure;
}

const struct wf_registry *wf_work_registry(const struct wf_work *work)
{
    return work->life->turn->engine->options.registry;
}

const struct wf_calendar *wf_work_calendar(const struct wf_work *work)
{
    return life_calendar(work->life);
}

const char *wf_work_setting(const struct wf_work *work, const char *name)
{
    const struct wf_engine_options *options = &work->life->turn->engine->options;
    return options->setting != NULL ? options->setting(options->context, name) : "";
}

struct wf_rec_dossier *wf_work_dossier(struct wf_work *work)
{
    return &work->life->now;
}

const struct wf_rec_content *wf_work_content(struct wf_work *work)
{
    return &work->life->content;
}

const struct wf_value *wf_work_params(const struct wf_work *work)
{
    return work->params;
}

const char *wf_work_id(const struct wf_work *work)
{
    return work->id;
}

const char *wf_work_role(const struct wf_work *work)
{
    return work->role;
}

const struct wf_value *wf_work_memory(const struct wf_work *work)
{
    return work->memory;
}

void wf_work_remember(struct wf_work *work, const struct wf_value *memory)
{
    work->memory = memory;
}

/* An event that could not be noted for lack of memory must not vanish: it breaks the running map,
 * and life_save refuses to store a broken one. */
static void push_or_break(struct wf_work *work, const char *prefix, const struct wf_value *data,
                          const char *whole_name)
{
    struct wf_arena *arena = work->life->turn->arena;
    const char *name =
        whole_name != NULL ? whole_name : wf_arena_printf(arena, "%s.%s", prefix, work->id);
    struct pending event = {.event = name,
                            .data = data,
                            .invoke_id = work->detached ? NULL : work->id,
                            .by = "",
                            .role = "system"};
    if (name == NULL || data == NULL || life_push(work->life, &event, NULL) != 0)
        work->life->running->broken = true;
}

void wf_work_done(struct wf_work *work, const struct wf_value *data)
{
    work->ended = true;
    push_or_break(work, work->detached ? "done.send" : "done.invoke", data, NULL);
}

void wf_work_fail(struct wf_work *work, const char *reason)
{
    struct wf_arena *arena = work->life->turn->arena;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "reason", wf_text(arena, reason));
    wf_map_put(arena, data, "id", wf_text(arena, work->id));
    work->ended = true;
    push_or_break(work, NULL, data, "error.communication");
}

void wf_work_progress(struct wf_work *work, const struct wf_value *data)
{
    push_or_break(work, "progress", data, NULL);
}

int wf_work_open_task(struct wf_work *work, const char *to, const char *role,
                      const struct wf_value *params, int64_t delay_ms, struct wf_error *err)
{
    struct wf_turn *turn = work->life->turn;
    const struct wf_rec_dossier *d = &work->life->now;
    struct wf_rec_task task = {
        .service = (uint64_t)turn->engine->options.self,
        .visible = turn->real_ms + delay_ms,
        .created = turn->now_ms,
        .dossier = d->id,
        .code = d->code,
        .activity = wf_str(work->activity->info.name),
        .invoke = wf_str(work->id),
        .to = wf_str(to),
        .role = wf_str(role != NULL ? role : work->role),
        .params = params != NULL ? params : work->params,
    };
    int rc = wf_task_put_new(turn->txn, &task, err);
    if (rc != 0)
        return rc;
    turn->tasks_opened = true;
    return wf_list_add(turn->arena, work->tasks, wf_int(turn->arena, (int64_t)task.id))
               ? 0
               : out_of_memory(err);
}

size_t wf_work_open_tasks(const struct wf_work *work)
{
    return wf_value_count(work->tasks);
}

static int merged_papers(struct wf_work *work, const struct wf_value *papers,
                         const struct wf_value **out, struct wf_error *err)
{
    struct wf_arena *arena = work->life->turn->arena;
    const struct wf_value *old = work->life->content.papers;
    struct wf_value *all = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(old); i++)
        wf_list_add(arena, all, wf_list_at(old, i));
    for (size_t i = 0; i < wf_value_count(papers); i++)
        wf_list_add(arena, all, wf_list_at(papers, i));
    if (!wf_value_is_whole(all))
        return out_of_memory(err);
    *out = all;
    return 0;
}

int wf_work_add_content(struct wf_work *work, const struct wf_value *papers,
                        const struct wf_value *fields, struct wf_error *err)
{
    struct wf_arena *arena = work->life->turn->arena;
    const struct wf_value *all_papers = NULL;
    int rc = merged_papers(work, papers, &all_papers, err);
    if (rc != 0)
        return rc;
    struct wf_value *all_fields = wf_map_copy(arena, work->life->content.fields);
    for (size_t i = 0; fields != NULL && i < wf_value_count(fields); i++)
        wf_map_put_str(arena, all_fields, fields->u.map.pairs[i].key, fields->u.map.pairs[i].value);
    if (!wf_value_is_whole(all_fields))
        return out_of_memory(err);
    rc = wf_procedure_check_data(work->life->procedure, all_fields, all_papers, err);
    if (rc != 0)
        return rc;
    work->life->content.fields = all_fields;
    work->life->content.papers = all_papers;
    work->life->content_changed = true;
    return 0;
}

int wf_work_set_due(struct wf_work *work, int64_t due_ms, struct wf_error *err)
{
    return life_set_due(work->life, due_ms, err);
}

int wf_work_number(struct wf_work *work, const char *series, uint64_t max, uint64_t *out,
                   struct wf_error *err)
{
    return wf_number_next(work->life->turn->txn, wf_str(series), max, out, err);
}

static int seal_one(void *context, uint64_t seq, const uint8_t hash[WF_HASH_BYTES])
{
    uint8_t *seal = context;
    (void)seq;
    wf_hash(seal, WF_HASH_BYTES, hash, WF_HASH_BYTES, seal);
    return 0;
}

int wf_work_history_hash(struct wf_work *work, uint8_t out[32], struct wf_error *err)
{
    uint8_t seal[WF_HASH_BYTES] = {0};
    int rc = wf_history_hashes(work->life->turn->txn, work->life->now.id, seal_one, seal, err);
    if (rc != 0)
        return rc;
    memcpy(out, seal, sizeof(seal));
    return 0;
}

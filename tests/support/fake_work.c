/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct wf_work *fake_work_new(void)
{
    struct wf_civil day = {.year = 2026, .month = 11, .day = 23, .hour = 9, .minute = 10};
    struct wf_work *work = wf_alloc(sizeof(*work));

    if (work == NULL)
        return NULL;
    work->arena = wf_arena_new(0);
    work->now = wf_civil_to_ms(NULL, &day);
    work->dossier.site = wf_str("000.00.13.H30");
    work->dossier.channel = wf_str("one_stop");
    work->procedure.title.vi = "Cấp giấy";
    work->procedure.agent_allowed = true;
    work->content.fields = wf_map(work->arena);
    work->content.papers = wf_list(work->arena);
    work->content.agent = wf_map(work->arena);
    work->params = wf_map(work->arena);
    work->memory = wf_map(work->arena);
    work->role = "";
    return work;
}

void fake_work_free(struct wf_work *work)
{
    if (work == NULL)
        return;
    wf_arena_free(work->arena);
    wf_free(work);
}

const struct wf_value *fake_text(struct wf_work *work, const char *text)
{
    return wf_text(work->arena, text);
}

struct wf_value *fake_map(struct wf_work *work, ...)
{
    struct wf_value *map = wf_map(work->arena);
    const char *name;
    va_list args;

    va_start(args, work);
    while ((name = va_arg(args, const char *)) != NULL)
        (void)wf_map_put(work->arena, map, name, wf_text(work->arena, va_arg(args, const char *)));
    va_end(args);
    return map;
}

/* ---- what handlers may do ----------------------------------------------------------------------
 */

struct wf_arena *wf_work_arena(struct wf_work *work)
{
    return work->arena;
}

int64_t wf_work_now(const struct wf_work *work)
{
    return work->now;
}

const struct wf_procedure *wf_work_procedure(const struct wf_work *work)
{
    return &work->procedure;
}

const struct wf_registry *wf_work_registry(const struct wf_work *work)
{
    return &work->registry;
}

const struct wf_calendar *wf_work_calendar(const struct wf_work *work)
{
    return work->calendar;
}

const char *wf_work_setting(const struct wf_work *work, const char *name)
{
    for (size_t i = 0; work->settings[i] != NULL; i += 2) {
        if (strcmp(work->settings[i], name) == 0)
            return work->settings[i + 1];
    }
    return "";
}

struct wf_rec_dossier *wf_work_dossier(struct wf_work *work)
{
    return &work->dossier;
}

const struct wf_rec_content *wf_work_content(struct wf_work *work)
{
    return &work->content;
}

const struct wf_value *wf_work_params(const struct wf_work *work)
{
    return work->params;
}

const char *wf_work_id(const struct wf_work *work)
{
    (void)work;
    return "it";
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

void wf_work_done(struct wf_work *work, const struct wf_value *data)
{
    work->result = data;
}

void wf_work_fail(struct wf_work *work, const char *reason)
{
    work->failure = reason;
}

void wf_work_progress(struct wf_work *work, const struct wf_value *data)
{
    work->news = data;
    work->n_news++;
}

int wf_work_open_task(struct wf_work *work, const char *to, const char *role,
                      const struct wf_value *params, int64_t delay_ms, struct wf_error *err)
{
    struct wf_rec_task *task;

    if (work->n_tasks == FAKE_TASKS)
        return wf_fail(err, WF_E_FULL, "too many tasks for the fake");
    task = &work->tasks[work->n_tasks++];
    task->to = wf_str(wf_arena_strdup(work->arena, to));
    task->role = wf_str(role != NULL ? role : work->role);
    task->params = params;
    task->visible = delay_ms;
    work->open++;
    return 0;
}

size_t wf_work_open_tasks(const struct wf_work *work)
{
    return work->open;
}

int wf_work_add_content(struct wf_work *work, const struct wf_value *papers,
                        const struct wf_value *fields, struct wf_error *err)
{
    (void)err;
    if (papers != NULL)
        work->content.papers = papers;
    if (fields != NULL)
        work->content.fields = fields;
    return 0;
}

int wf_work_set_due(struct wf_work *work, int64_t due_ms, struct wf_error *err)
{
    (void)err;
    work->dossier.due = due_ms;
    return 0;
}

/* Parts are the engine's business; here they are only counted. */
int wf_work_open_part(struct wf_work *work, const char *procedure, struct wf_error *err)
{
    (void)procedure;
    (void)err;
    wf_work_dossier(work)->parts++;
    return 0;
}

int wf_work_number(struct wf_work *work, const char *series, uint64_t max, uint64_t *out,
                   struct wf_error *err)
{
    if (work->number >= max)
        return wf_fail(err, WF_E_FULL, "no number left");
    (void)snprintf(work->series, sizeof(work->series), "%s", series);
    *out = ++work->number;
    return 0;
}

int wf_work_history_hash(struct wf_work *work, uint8_t out[32], struct wf_error *err)
{
    (void)work;
    (void)err;
    memset(out, 0xab, 32);
    return 0;
}

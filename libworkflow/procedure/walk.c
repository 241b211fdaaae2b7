/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One dossier on paper. What the engine does with rows of the store is done here with two short
 * lists, jobs and alarms; the rules on status, clock and due date are the engine's (life.c there).
 */
#include "walk.h"

#include <string.h>

#include "workflow/forms.h"

#define OVERDUE  "overdue"
#define REMINDER "reminder"

int walk_no_memory(struct walker *w)
{
    return wf_fail(w->err, WF_E_NOMEM, "simulate: out of memory");
}

/* splitmix64 */
uint64_t walk_chance(struct walker *w, uint64_t n)
{
    w->random += 0x9e3779b97f4a7c15U;
    uint64_t z = w->random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return n > 0 ? (z ^ (z >> 31)) % n : 0;
}

/* ---- jobs and alarms ----------------------------------------------------------------------- */

struct job *walk_job(const struct walker *w, const char *id)
{
    struct job *job = w->jobs;
    while (job != NULL && strcmp(job->id, id) != 0)
        job = job->next;
    return job;
}

static void drop_job(struct walker *w, const char *id)
{
    for (struct job **at = &w->jobs; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->id, id) == 0) {
            *at = (*at)->next;
            return;
        }
    }
}

static void drop_alarm(struct walker *w, const char *id)
{
    for (struct alarm **at = &w->alarms; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->id, id) == 0) {
            *at = (*at)->next;
            return;
        }
    }
}

static int set_alarm(struct walker *w, const char *id, const char *event, int64_t due,
                     const struct wf_value *data)
{
    struct alarm *alarm = wf_arena_alloc(w->arena, sizeof(*alarm));
    if (alarm == NULL)
        return walk_no_memory(w);
    drop_alarm(w, id);
    struct alarm **at = &w->alarms;
    while (*at != NULL && (*at)->due <= due)
        at = &(*at)->next;
    *alarm = (struct alarm){id, event, data, due, *at};
    *at = alarm;
    return 0;
}

static const char *const reminder_ids[WF_REMINDERS] = {"reminder.1", "reminder.2", "reminder.3",
                                                       "reminder.4"};

static void drop_due_alarms(struct walker *w)
{
    drop_alarm(w, OVERDUE);
    for (size_t i = 0; i < WF_REMINDERS; i++)
        drop_alarm(w, reminder_ids[i]);
}

static int set_reminder(struct walker *w, size_t i)
{
    struct wf_limit limit;
    const char *before = w->p->remind.items[i];
    if (!wf_limit_parse(wf_str(before), &limit))
        return 0;
    int64_t moment = wf_calendar_before(w->o->calendar, w->due, limit);
    struct wf_value *data = wf_map(w->arena);
    (void)wf_map_put(w->arena, data, "before", wf_text(w->arena, before));
    return moment > w->now ? set_alarm(w, reminder_ids[i], REMINDER, moment, data) : 0;
}

static int moment_of(struct walker *w, int64_t from, const char *delay, int64_t *out)
{
    struct wf_limit limit;
    if (!wf_limit_parse(wf_str(delay), &limit))
        return wf_fail(w->err, WF_E_STATE, "\"%s\" is no length of time", delay);
    *out = wf_calendar_due(w->o->calendar, from, limit);
    return 0;
}

static int set_due(struct walker *w, int64_t due)
{
    w->due = due;
    drop_due_alarms(w);
    if (due == 0 || w->clock_stopped || w->snapshot.done)
        return 0;
    int rc = set_alarm(w, OVERDUE, OVERDUE, due, NULL);
    for (size_t i = 0; rc == 0 && i < w->p->remind.n; i++)
        rc = set_reminder(w, i);
    return rc;
}

/* As clock_extend of engine/clock.c. */
static int extend(struct walker *w, const char *delay, int64_t *out_due)
{
    *out_due = w->due;
    if (w->extensions >= w->p->max_extensions) {
        struct wf_value *data = wf_map(w->arena);
        (void)wf_map_put(w->arena, data, "message",
                         wf_text(w->arena, "extend: see max_extensions"));
        return set_alarm(w, "error.execution", "error.execution", w->now, data);
    }
    w->extensions++;
    int rc = moment_of(w, w->due > w->now ? w->due : w->now, delay, out_due);
    return rc == 0 ? set_due(w, *out_due) : rc;
}

/* ---- effects ------------------------------------------------------------------------------- */

/* Notes what the event did: {do, id, activity, role, event, due}, without what is NULL or 0. */
static void note(struct walker *w, const char *what, const struct wf_effect *e, int64_t due)
{
    const char *const members[][2] = {
        {"do", what},      {"id", e->id},       {"activity", e->activity},
        {"role", e->role}, {"event", e->event},
    };
    struct wf_value *map = wf_map(w->arena);
    for (size_t i = 0; i < WF_COUNT(members); i++) {
        if (members[i][1] != NULL)
            (void)wf_map_put(w->arena, map, members[i][0], wf_text(w->arena, members[i][1]));
    }
    if (due != 0)
        (void)wf_map_put(w->arena, map, "due", wf_int(w->arena, due));
    if (e->data != NULL && e->data->type == WF_MAP && wf_value_count(e->data) > 0)
        (void)wf_map_put(w->arena, map, "data", e->data);
    (void)wf_list_add(w->arena, w->does, map);
}

static int start_job(struct walker *w, const struct wf_effect *e, bool detached)
{
    struct job *job = wf_arena_alloc(w->arena, sizeof(*job));
    if (job == NULL)
        return walk_no_memory(w);
    *job = (struct job){.id = e->id,
                        .role = e->role,
                        .activity = walk_activity(e->activity),
                        .params = e->data,
                        .due = INT64_MAX,
                        .detached = detached};
    size_t asked = wf_value_count(wf_map_get(e->data, "to"));
    if (strcmp(e->activity, "routing.consult") == 0 && asked > 1)
        job->parts = asked - 1;
    struct job **at = &w->jobs;
    while (*at != NULL)
        at = &(*at)->next;
    *at = job;
    note(w, detached ? "send" : "start", e, 0);
    if (w->o->script == NULL)
        walk_plan(w, job);
    return 0;
}

static int apply_effect(struct walker *w, const struct wf_effect *e)
{
    int64_t due = w->now;
    int rc = 0;
    switch (e->kind) {
    case WF_EFFECT_INVOKE:
        return start_job(w, e, false);
    case WF_EFFECT_DETACHED:
        return start_job(w, e, true);
    case WF_EFFECT_UNINVOKE:
        drop_job(w, e->id);
        note(w, "cancel", e, 0);
        return 0;
    case WF_EFFECT_SEND:
        if (e->delay != NULL)
            rc = moment_of(w, w->now, e->delay, &due);
        if (rc == 0)
            rc = set_alarm(w, e->id, e->event, due, e->data);
        note(w, "arm", e, due);
        return rc;
    case WF_EFFECT_UNSEND:
        drop_alarm(w, e->id);
        return 0;
    case WF_EFFECT_EXTEND:
        rc = extend(w, e->delay, &due);
        note(w, "extend", e, due);
        return rc;
    case WF_EFFECT_LOG:
        break;
    }
    return 0;
}

/* ---- status and clock ---------------------------------------------------------------------- */

/* A state that stops the clock speaks for the whole dossier; else the last one in the document. */
static void take_standing(struct walker *w)
{
    const struct wf_chart_state *states = NULL;
    (void)wf_chart_states(w->p->chart, &states);
    w->clock_stopped = false;
    for (size_t i = 0; i < wf_value_count(w->snapshot.states); i++) {
        const char *id = wf_value_text(wf_list_at(w->snapshot.states, i), "");
        int state = wf_chart_find(w->p->chart, id);
        if (state < 0)
            continue;
        int outer = state;
        while (outer >= 0 && states[outer].status == 0)
            outer = states[outer].parent;
        if (outer >= 0 && (!w->clock_stopped || states[state].clock_stopped))
            w->status = states[outer].status;
        w->clock_stopped |= states[state].clock_stopped;
        if (states[state].outcome != NULL)
            w->outcome = states[state].outcome;
    }
}

static int move_clock(struct walker *w)
{
    if (w->clock_stopped && w->stopped_since == 0) {
        w->stopped_since = w->now;
        w->supplements += w->status == 5;
        drop_due_alarms(w);
    } else if (!w->clock_stopped && w->stopped_since != 0) {
        int64_t waited = w->now - w->stopped_since;
        w->stopped_since = 0;
        if (w->due != 0)
            return set_due(w, wf_calendar_extend(w->o->calendar, w->due, waited));
    }
    return 0;
}

/* ---- events -------------------------------------------------------------------------------- */

static const struct wf_value *atomic_states(const struct walker *w)
{
    const struct wf_chart_state *states = NULL;
    (void)wf_chart_states(w->p->chart, &states);
    struct wf_value *list = wf_list(w->arena);
    for (size_t i = 0; i < wf_value_count(w->snapshot.states); i++) {
        const struct wf_value *id = wf_list_at(w->snapshot.states, i);
        int at = wf_chart_find(w->p->chart, wf_value_text(id, ""));
        if (at >= 0 && (states[at].kind == WF_STATE_ATOMIC || states[at].kind == WF_STATE_FINAL))
            (void)wf_list_add(w->arena, list, id);
    }
    return list;
}

static int add_row(struct walker *w, const char *event, const struct wf_value *data,
                   const struct wf_step *step)
{
    struct wf_value *row = wf_map(w->arena);
    (void)wf_map_put(w->arena, row, "time", wf_int(w->arena, w->now));
    (void)wf_map_put(w->arena, row, "event", wf_text(w->arena, event));
    (void)wf_map_put(w->arena, row, "data", data != NULL ? data : &wf_null);
    (void)wf_map_put(w->arena, row, "taken", wf_bool(step->taken));
    (void)wf_map_put(w->arena, row, "states", atomic_states(w));
    (void)wf_map_put(w->arena, row, "status", wf_int(w->arena, w->status));
    (void)wf_map_put(w->arena, row, "due", wf_int(w->arena, w->due));
    (void)wf_map_put(w->arena, row, "does", w->does);
    if (step->error != NULL)
        (void)wf_map_put(w->arena, row, "error", wf_text(w->arena, step->error));
    return wf_list_add(w->arena, w->trace, row) && wf_value_is_whole(row) ? 0 : walk_no_memory(w);
}

static int after_step(struct walker *w, const struct wf_step *step, const char *event,
                      const struct wf_value *data, bool quiet)
{
    int rc = 0;
    w->snapshot = step->snapshot;
    w->does = wf_list(w->arena);
    w->n_events++;
    w->n_errors += step->error != NULL;
    take_standing(w);
    for (const struct wf_effect *e = step->effects; rc == 0 && e != NULL; e = e->next)
        rc = apply_effect(w, e);
    if (rc == 0)
        rc = move_clock(w);
    if (rc == 0 && w->snapshot.done)
        w->alarms = NULL;
    if (rc == 0 && (step->taken || !quiet))
        rc = add_row(w, event, data, step);
    return rc;
}

static const struct wf_value *dossier_map(const struct walker *w)
{
    struct wf_arena *arena = w->arena;
    struct wf_value *map = wf_map(arena);
    const char *site = w->o->site != NULL ? w->o->site : "";
    (void)wf_map_put(arena, map, "code", wf_text(arena, "dry-run"));
    (void)wf_map_put(arena, map, "procedure", wf_text(arena, w->p->code));
    (void)wf_map_put(arena, map, "channel",
                     wf_text(arena, w->o->channel != NULL ? w->o->channel : "one_stop"));
    (void)wf_map_put(arena, map, "site", wf_text(arena, site));
    (void)wf_map_put(arena, map, "agency", wf_text(arena, site));
    (void)wf_map_put(arena, map, "received", wf_int(arena, w->o->start_ms));
    (void)wf_map_put(arena, map, "due", wf_int(arena, w->due));
    (void)wf_map_put(arena, map, "supplements", wf_int(arena, w->supplements));
    (void)wf_map_put(arena, map, "has_agent", wf_bool(false));
    (void)wf_map_put(arena, map, "fee", wf_int(arena, w->p->fee));
    (void)wf_map_put(arena, map, "extensions", wf_int(arena, w->extensions));
    (void)wf_map_put(arena, map, "form_set",
                     wf_text(arena, wf_form_set_name(wf_form_set_of(w->p, w->o->start_ms))));
    return map;
}

/* The variables as they are, with what _dossier is now. */
static struct wf_value *variables(const struct walker *w, const struct wf_value *data)
{
    struct wf_value *map = wf_map_copy(w->arena, data);
    (void)wf_map_put(w->arena, map, "_dossier", dossier_map(w));
    return map;
}

int walk_start(struct walker *w, const struct wf_value *fields)
{
    const struct wf_value *start = variables(w, fields);
    struct wf_step step = {0};
    if (!wf_value_is_whole(start))
        return walk_no_memory(w);
    int rc = wf_chart_start(w->p->chart, start, w->arena, &step, w->err);
    step.taken = true;
    return rc < 0 ? rc : after_step(w, &step, "submit", NULL, false);
}

int walk_event(struct walker *w, const struct wf_chart_event *event, bool quiet, bool *out_taken)
{
    struct wf_snapshot from = w->snapshot;
    struct wf_step step = {0};
    from.data = variables(w, w->snapshot.data);
    if (!wf_value_is_whole(from.data))
        return walk_no_memory(w);
    int rc = wf_chart_step(w->p->chart, &from, event, w->arena, &step, w->err);
    if (rc < 0)
        return rc;
    *out_taken = step.taken;
    return after_step(w, &step, event->name, event->data, quiet);
}

static struct wf_limit limit_of(const struct walker *w)
{
    return wf_procedure_limit(w->p, wf_str(w->o->channel != NULL ? w->o->channel : "one_stop"));
}

int walk_finish(struct walker *w, struct job *job, const struct wf_value *data)
{
    bool taken = false;
    int rc = 0;
    char *name =
        wf_arena_printf(w->arena, "done.%s.%s", job->detached ? "send" : "invoke", job->id);
    if (name == NULL || !wf_value_is_whole(data))
        return walk_no_memory(w);
    drop_job(w, job->id);
    if (strcmp(job->activity->name, "intake.register") == 0 && w->due == 0)
        rc = set_due(w, wf_calendar_due(w->o->calendar, w->now, limit_of(w)));
    const struct wf_chart_event event = {name, data, job->id};
    return rc < 0 ? rc : walk_event(w, &event, job->detached, &taken);
}

int walk_part(struct walker *w, struct job *job, const struct wf_value *data)
{
    bool taken = false;
    char *name = wf_arena_printf(w->arena, "progress.%s", job->id);
    if (name == NULL || !wf_value_is_whole(data))
        return walk_no_memory(w);
    job->parts_given++;
    const struct wf_chart_event event = {name, data, job->id};
    return walk_event(w, &event, false, &taken);
}

int walk_fail(struct walker *w, struct job *job, bool *out_taken)
{
    struct wf_value *data = wf_map(w->arena);
    (void)wf_map_put(w->arena, data, "reason", wf_text(w->arena, "dry run"));
    if (!wf_value_is_whole(data))
        return walk_no_memory(w);
    const struct wf_chart_event event = {"error.communication", data, job->id};
    drop_job(w, job->id);
    return walk_event(w, &event, job->detached, out_taken);
}

int walk_fire(struct walker *w, struct alarm *alarm)
{
    bool taken = false;
    const struct wf_chart_event event = {alarm->event, alarm->data, NULL};
    if (alarm->due > w->now)
        w->now = alarm->due;
    drop_alarm(w, alarm->id);
    return walk_event(w, &event, false, &taken);
}

/* ---- what parties may say ------------------------------------------------------------------ */

static bool is_of_party(const char *event)
{
    static const char *const own[] = {"done.", "error.", "progress.", "deadline."};
    for (size_t i = 0; i < WF_COUNT(own); i++) {
        if (wf_starts_with(event, own[i]))
            return false;
    }
    return strcmp(event, OVERDUE) != 0 && strcmp(event, REMINDER) != 0 &&
           strcmp(event, "error") != 0 && strcmp(event, "done") != 0 && strchr(event, '*') == NULL;
}

const char *walk_offer(const struct walker *w, size_t i)
{
    const struct wf_chart_transition *transitions = NULL;
    size_t found[64];
    (void)wf_chart_transitions(w->p->chart, &transitions);
    size_t n = wf_chart_offers(w->p->chart, &w->snapshot, NULL, found, WF_COUNT(found));
    for (size_t k = 0; k < n && k < WF_COUNT(found); k++) {
        const char *at = transitions[found[k]].event;
        while (at != NULL && *(at += strspn(at, " \t\n")) != '\0') {
            size_t length = strcspn(at, " \t\n");
            const char *word = wf_arena_strndup(w->arena, at, length);
            if (word != NULL && is_of_party(word) && i-- == 0)
                return word;
            at += length;
        }
    }
    return NULL;
}

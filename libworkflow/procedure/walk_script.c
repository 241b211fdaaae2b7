/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk by script. Before each line, and after the last, everything happens that needs nobody:
 * what is due now, and the activities that the system does by itself. Time passes only where a line
 * says so, and then every timer on the way fires.
 */
#include "walk.h"

#include <string.h>

struct script {
    struct walker *w;
    size_t i; /* line being carried out */
    const char *event;
    const struct wf_value *data;
    const char *invoke;
};

#define STOP(s, ...) ((s)->w->problem = wf_arena_printf((s)->w->arena, __VA_ARGS__))

static const char *suffix(const char *event, const char *prefix)
{
    return event != NULL && wf_starts_with(event, prefix) ? event + strlen(prefix) : NULL;
}

/* The job that the line answers or lets fail, or NULL. */
static struct job *named_job(const struct script *s)
{
    static const char *const prefixes[] = {"done.invoke.", "done.send.", "progress."};
    for (size_t i = 0; i < WF_COUNT(prefixes); i++) {
        const char *id = suffix(s->event, prefixes[i]);
        if (id != NULL)
            return walk_job(s->w, id);
    }
    return s->invoke != NULL ? walk_job(s->w, s->invoke) : NULL;
}

static struct job *automatic_job(const struct script *s)
{
    for (struct job *job = s->w->jobs; job != NULL; job = job->next) {
        if (!job->detached && job->activity->unit == WF_LIMIT_NONE && job->activity->name[0] != '?')
            return job;
    }
    return NULL;
}

static bool is_spent(const struct walker *w)
{
    return w->n_events >= (w->o->max_events > 0 ? w->o->max_events : WF_WALK_EVENTS_MAX);
}

static bool is_over(const struct script *s)
{
    return s->w->snapshot.done || s->w->problem != NULL;
}

static int settle(struct script *s)
{
    struct walker *w = s->w;
    int rc = 0;
    while (rc == 0 && !is_over(s)) {
        struct job *job = automatic_job(s);
        if (is_spent(w))
            STOP(s, "no end after %zu events", w->n_events);
        else if (w->alarms != NULL && w->alarms->due <= w->now)
            rc = walk_fire(w, w->alarms);
        else if (job != NULL && job != named_job(s))
            rc = walk_finish(w, job, walk_answer_data(job->activity, 0, job->params, w->arena));
        else
            return 0;
    }
    return rc;
}

static int pass_time(struct script *s, int64_t until)
{
    struct walker *w = s->w;
    int rc = settle(s);
    while (rc == 0 && !is_over(s) && w->alarms != NULL && w->alarms->due <= until) {
        rc = walk_fire(w, w->alarms);
        if (rc == 0)
            rc = settle(s);
    }
    if (until > w->now && !is_over(s))
        w->now = until;
    return rc;
}

/* ---- lines --------------------------------------------------------------------------------- */

static struct alarm *named_alarm(const struct script *s)
{
    struct alarm *alarm = s->w->alarms;
    while (alarm != NULL && strcmp(alarm->event, s->event) != 0)
        alarm = alarm->next;
    return alarm;
}

/* Waits for the timer: those that are due before it fire first, and may disarm it. */
static int do_timer(struct script *s)
{
    struct walker *w = s->w;
    struct alarm *alarm = named_alarm(s);
    int rc = 0;
    while (rc == 0 && alarm != NULL && !is_over(s)) {
        bool is_it = w->alarms == alarm;
        rc = walk_fire(w, w->alarms);
        if (is_it)
            return rc;
        if (rc == 0)
            rc = settle(s);
        alarm = named_alarm(s);
    }
    if (rc == 0 && !is_over(s))
        STOP(s, "events[%zu]: no timer is armed that raises %.100s", s->i, s->event);
    return rc;
}

static int do_job(struct script *s, struct job *job)
{
    struct walker *w = s->w;
    bool taken = false;
    if (wf_starts_with(s->event, "error."))
        return walk_fail(w, job, &taken);
    if (wf_starts_with(s->event, "progress."))
        return walk_part(
            w, job,
            s->data != NULL ? s->data : walk_part_answer(job->params, job->parts_given, w->arena));
    return walk_finish(w, job,
                       s->data != NULL ? s->data
                                       : walk_answer_data(job->activity, 0, job->params, w->arena));
}

static bool is_of_activity(const char *event)
{
    return wf_starts_with(event, "done.invoke.") || wf_starts_with(event, "done.send.") ||
           wf_starts_with(event, "progress.") || wf_starts_with(event, "error.");
}

static int do_event(struct script *s)
{
    struct walker *w = s->w;
    struct job *job = is_of_activity(s->event) ? named_job(s) : NULL;
    bool taken = false;
    if (job != NULL)
        return do_job(s, job);
    if (is_of_activity(s->event)) {
        STOP(s, "events[%zu]: no activity is at work that could raise %.100s%s", s->i, s->event,
             wf_starts_with(s->event, "error.") ? " (name it: invoke)" : "");
        return 0;
    }
    if (wf_starts_with(s->event, "deadline.") || named_alarm(s) != NULL ||
        strcmp(s->event, "overdue") == 0)
        return do_timer(s);
    const struct wf_chart_event event = {s->event, s->data, NULL};
    int rc = walk_event(w, &event, false, &taken);
    if (rc == 0 && !taken)
        STOP(s, "events[%zu]: no state that is active takes %.100s here", s->i, s->event);
    return rc;
}

static int do_line(struct script *s, const struct wf_value *line)
{
    struct walker *w = s->w;
    struct wf_limit limit = {WF_LIMIT_NONE, 0};
    struct wf_str after = wf_value_str(wf_map_get(line, "after"));
    s->event = wf_value_text(wf_map_get(line, "event"), NULL);
    s->invoke = wf_value_text(wf_map_get(line, "invoke"), NULL);
    s->data = wf_map_get(line, "data");
    if (line->type != WF_MAP || (s->event == NULL && after.len == 0))
        return wf_fail(w->err, WF_E_INVALID, "events[%zu]: neither event nor after", s->i);
    if (after.len > 0 && !wf_limit_parse(after, &limit))
        return wf_fail(w->err, WF_E_INVALID,
                       "events[%zu].after: no length of time: write \"2 working days\"", s->i);
    int rc = settle(s);
    if (rc == 0 && after.len > 0 && !is_over(s))
        rc = pass_time(s, wf_calendar_due(w->o->calendar, w->now, limit));
    if (rc < 0 || s->event == NULL || w->problem != NULL)
        return rc;
    if (w->snapshot.done) {
        STOP(s, "events[%zu]: %.100s comes after the end", s->i, s->event);
        return 0;
    }
    return do_event(s);
}

int walk_by_script(struct walker *w)
{
    struct script s = {.w = w};
    int rc = 0;
    if (w->o->script->type != WF_LIST)
        return wf_fail(w->err, WF_E_INVALID, "events: a list is wanted");
    for (; rc == 0 && w->problem == NULL && s.i < wf_value_count(w->o->script); s.i++)
        rc = do_line(&s, wf_list_at(w->o->script, s.i));
    s.event = NULL;
    s.invoke = NULL;
    if (rc == 0)
        rc = settle(&s);
    if (rc == 0 && !is_over(&s))
        w->problem = "the script has ended, the procedure has not";
    return rc;
}

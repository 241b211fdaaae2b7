/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk at random: the next of all planned answers and alarms happens, now and then a party says
 * something of its own. After PATIENCE events every answer comes quickly and is the favourable one.
 */
#include "walk.h"

#include <string.h>

#define PATIENCE   120
#define SAYS       15 /* one event in so many is a party's own */
#define FAILS      40 /* one task in so many fails for good */
#define NEVER      25 /* one task in so many is answered a year late: deadlines come first */
#define LATE       8  /* one in so many takes ten times as long */
#define YEAR_MS    (INT64_C(365) * 86400000)
#define MOST_PARTS 16

static bool is_patient(const struct walker *w)
{
    return w->n_events < PATIENCE;
}

void walk_plan(struct walker *w, struct job *job)
{
    const struct walk_activity *a = job->activity;
    struct wf_limit limit = {a->unit, a->least};
    if (a->unit == WF_LIMIT_NONE) {
        job->due = w->now;
        return;
    }
    limit.amount += (int64_t)walk_chance(w, (uint64_t)(a->most - a->least) + 1);
    if (is_patient(w) && walk_chance(w, LATE) == 0)
        limit.amount *= 10;
    job->due = wf_calendar_due(w->o->calendar, w->now, limit);
    if (is_patient(w) && !job->detached && walk_chance(w, NEVER) == 0)
        job->due += YEAR_MS;
}

/* ---- the citizen's data -------------------------------------------------------------------- */

static const struct wf_value *made_up_number(struct walker *w, const struct wf_field *f)
{
    int64_t min = f->min;
    int64_t max = f->max > f->min ? f->max : f->min + 1000000;
    uint64_t span = (uint64_t)(max - min);
    return wf_int(w->arena, min + (int64_t)walk_chance(w, span < 1000 ? span + 1 : 1000));
}

/* Agency codes are texts too: a field that can hold one gets one. */
static const struct wf_value *made_up_text(struct walker *w, const struct wf_field *f)
{
    static const char text[] = "000.01.33.H30";
    char filler[64];
    if (f->min <= (int64_t)strlen(text) && f->max >= (int64_t)strlen(text))
        return wf_text(w->arena, text);
    memset(filler, 'x', sizeof(filler));
    size_t length = f->min > 0 ? (size_t)f->min : 1;
    return wf_text_n(w->arena, filler, length < sizeof(filler) ? length : sizeof(filler));
}

static const struct wf_value *made_up(struct walker *w, const struct wf_field *f)
{
    switch (f->type) {
    case WF_FIELD_TEXT:
        return made_up_text(w, f);
    case WF_FIELD_INTEGER:
    case WF_FIELD_MONEY:
        return made_up_number(w, f);
    case WF_FIELD_DATE:
        return wf_text(w->arena, walk_chance(w, 2) == 0 ? "1990-05-17" : "2026-11-02");
    case WF_FIELD_BOOLEAN:
        return wf_bool(walk_chance(w, 2) == 0);
    case WF_FIELD_CHOICE:
        return wf_text(w->arena, f->choices.items[walk_chance(w, f->choices.n)]);
    case WF_FIELD_CITIZEN_ID:
        return wf_text(w->arena, "093190000001");
    case WF_FIELD_MOBILE:
        return wf_text(w->arena, "0912345678");
    case WF_FIELD_EMAIL:
        return wf_text(w->arena, "a@example.vn");
    case WF_FIELD_TAX_NUMBER:
        return wf_text(w->arena, "0100109106");
    }
    return &wf_null;
}

const struct wf_value *walk_made_up_fields(struct walker *w)
{
    struct wf_value *fields = wf_map(w->arena);
    for (size_t i = 0; i < w->p->n_fields; i++) {
        const struct wf_field *f = &w->p->fields[i];
        if (f->required || walk_chance(w, 2) == 0)
            (void)wf_map_put(w->arena, fields, f->id, made_up(w, f));
    }
    return fields;
}

/* ---- going on ------------------------------------------------------------------------------ */

static struct job *next_job(const struct walker *w)
{
    struct job *first = NULL;
    for (struct job *job = w->jobs; job != NULL; job = job->next) {
        if (first == NULL || job->due < first->due)
            first = job;
    }
    return first;
}

static size_t pick_answer(struct walker *w, const struct walk_activity *a)
{
    unsigned total = 0;
    for (size_t i = 0; i < a->n_answers; i++)
        total += a->answers[i].weight;
    if (!is_patient(w) || total == 0)
        return 0;
    uint64_t at = walk_chance(w, total);
    for (size_t i = 0; i < a->n_answers; i++) {
        if (at < a->answers[i].weight)
            return i;
        at -= a->answers[i].weight;
    }
    return 0;
}

static int answer(struct walker *w, struct job *job)
{
    bool taken = false;
    if (job->due > w->now)
        w->now = job->due;
    bool may_fail = is_patient(w) && job->activity->unit != WF_LIMIT_NONE && !job->detached;
    if (may_fail && walk_chance(w, FAILS) == 0)
        return walk_fail(w, job, &taken);
    if (job->parts_given < job->parts && job->parts_given < MOST_PARTS) {
        walk_plan(w, job);
        return walk_part(w, job, walk_part_answer(job->params, job->parts_given, w->arena));
    }
    size_t which = pick_answer(w, job->activity);
    return walk_finish(w, job, walk_answer_data(job->activity, which, job->params, w->arena));
}

/* A party's word, where one may be said. *out_said tells. */
static int say(struct walker *w, bool *out_said)
{
    size_t n = 0;
    while (walk_offer(w, n) != NULL)
        n++;
    const char *name = n > 0 ? walk_offer(w, (size_t)walk_chance(w, n)) : NULL;
    *out_said = name != NULL;
    const struct wf_chart_event event = {name, NULL, NULL};
    return name != NULL ? walk_event(w, &event, false, &(bool){false}) : 0;
}

/* Nothing but detached work left means that nothing will come by itself. */
static bool is_idle(const struct walker *w)
{
    const struct job *job = w->jobs;
    while (job != NULL && job->detached)
        job = job->next;
    return job == NULL && w->alarms == NULL;
}

static int go_on(struct walker *w, bool *out_stuck)
{
    struct job *job = next_job(w);
    bool said = false;
    bool idle = is_idle(w);
    if (idle || (is_patient(w) && walk_chance(w, SAYS) == 0)) {
        int rc = say(w, &said);
        if (rc < 0 || said)
            return rc;
    }
    if (w->alarms != NULL && (job == NULL || w->alarms->due <= job->due))
        return walk_fire(w, w->alarms);
    if (job != NULL)
        return answer(w, job);
    *out_stuck = true;
    return 0;
}

int walk_at_random(struct walker *w)
{
    size_t most = w->o->max_events > 0 ? w->o->max_events : WF_WALK_EVENTS_MAX;
    bool stuck = false;
    int rc = 0;
    while (rc == 0 && !w->snapshot.done && !stuck && w->n_events < most)
        rc = go_on(w, &stuck);
    if (rc == 0 && stuck)
        w->problem = "nothing more can happen: no activity, no timer, no event of a party";
    else if (rc == 0 && !w->snapshot.done)
        w->problem = wf_arena_printf(w->arena, "no end after %zu events", w->n_events);
    return rc;
}

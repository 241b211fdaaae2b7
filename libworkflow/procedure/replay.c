/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One dossier's history walked through another definition. What expressions see is built as
 * libworkflow/engine/life.c builds it; what the services would have set (code, due date) is taken
 * from the dossier as it is now, what the chart itself causes (supplements, extensions) is counted.
 *
 * Charts pass over many events in good order (done.send.* of a message, say). So an event not taken
 * is no difference as such, only where the real dossier went somewhere by it.
 */
#include "workflow/replay.h"

#include <string.h>

#include "workflow/forms.h"

/* More than any sound procedure sends to itself; beyond it the chart is chasing its own tail. */
#define OWN_EVENTS_MOST 1000

struct sent {
    const char *event;
    const struct wf_value *data;
    struct sent *next;
};

struct walk {
    const struct wf_procedure *p;
    const struct wf_replay_case *of;
    struct wf_arena *arena;
    struct wf_step step; /* the last one; its snapshot is where the candidate stands */
    size_t i;            /* event of the history being fed */
    bool *brought;       /* by event: it stands for what the candidate sent itself */
    struct sent *sent;   /* by the candidate, in order, not in the history */
    unsigned n_sent;
    const char *stopper; /* state that stops the clock for papers, or NULL */
    int64_t supplements, extensions;
    struct wf_replay out;
};

static int no_memory(struct wf_error *err)
{
    return wf_fail(err, WF_E_NOMEM, "replay: out of memory");
}

/* ---- what expressions see -------------------------------------------------------------------- */

static const struct wf_value *dossier_map(const struct walk *w)
{
    struct wf_arena *arena = w->arena;
    const struct wf_rec_dossier *d = w->of->dossier;
    const char *forms = wf_form_set_name(wf_form_set_of(w->p, d->received));
    struct wf_value *map = wf_map(arena);
    wf_map_put(arena, map, "code", wf_text_n(arena, d->code.ptr, d->code.len));
    wf_map_put(arena, map, "procedure", wf_text_n(arena, d->procedure.ptr, d->procedure.len));
    wf_map_put(arena, map, "channel", wf_text_n(arena, d->channel.ptr, d->channel.len));
    wf_map_put(arena, map, "site", wf_text_n(arena, d->site.ptr, d->site.len));
    wf_map_put(arena, map, "agency", wf_text_n(arena, d->agency.ptr, d->agency.len));
    wf_map_put(arena, map, "received", wf_int(arena, d->received));
    wf_map_put(arena, map, "due", wf_int(arena, d->due));
    wf_map_put(arena, map, "supplements", wf_int(arena, w->supplements));
    wf_map_put(arena, map, "has_agent", wf_bool(w->of->has_agent));
    wf_map_put(arena, map, "fee", wf_int(arena, w->p->fee));
    wf_map_put(arena, map, "extensions", wf_int(arena, w->extensions));
    wf_map_put(arena, map, "form_set", wf_text(arena, forms));
    wf_map_put(arena, map, "model", wf_text(arena, w->of->model));
    return map;
}

static int visible_data(const struct walk *w, const struct wf_value *data,
                        const struct wf_value *fields, const struct wf_value **out,
                        struct wf_error *err)
{
    struct wf_value *all = data != NULL ? wf_map_copy(w->arena, data) : wf_map(w->arena);
    for (size_t i = 0; fields != NULL && fields->type == WF_MAP && i < wf_value_count(fields); i++)
        wf_map_put_str(w->arena, all, fields->u.map.pairs[i].key, fields->u.map.pairs[i].value);
    wf_map_put(w->arena, all, "_dossier", dossier_map(w));
    *out = all;
    return wf_value_is_whole(all) ? 0 : no_memory(err);
}

/* ---- where the candidate stands -------------------------------------------------------------- */

static const struct wf_value *innermost(const struct walk *w)
{
    const struct wf_chart_state *states = NULL;
    const struct wf_value *active = w->step.snapshot.states;
    struct wf_value *list = wf_list(w->arena);
    (void)wf_chart_states(w->p->chart, &states);
    for (size_t i = 0; i < wf_value_count(active); i++) {
        const struct wf_value *id = wf_list_at(active, i);
        int at = wf_chart_find(w->p->chart, wf_value_text(id, ""));
        if (at >= 0 && (states[at].kind == WF_STATE_ATOMIC || states[at].kind == WF_STATE_FINAL))
            wf_list_add(w->arena, list, id);
    }
    return list;
}

static bool is_in(const struct wf_value *list, const struct wf_value *item)
{
    for (size_t i = 0; i < wf_value_count(list); i++) {
        if (wf_value_equal(wf_list_at(list, i), item))
            return true;
    }
    return false;
}

/* In whatever order: the candidate may have its regions the other way round. */
static bool same_states(const struct wf_value *a, const struct wf_value *b)
{
    bool same = wf_value_count(a) == wf_value_count(b);
    for (size_t i = 0; same && i < wf_value_count(a); i++)
        same = is_in(b, wf_list_at(a, i));
    return same;
}

static int inherited_status(const struct wf_chart_state *states, int at)
{
    while (at >= 0 && states[at].status == 0)
        at = states[at].parent;
    return at >= 0 ? states[at].status : 0;
}

/* A state that stops the clock speaks for the whole dossier; else the last one in the document. */
static void look_around(struct walk *w)
{
    const struct wf_chart_state *states = NULL;
    const struct wf_value *active = w->step.snapshot.states;
    const char *stopper = NULL;
    const char *outcome = "done";
    int status = 0;
    (void)wf_chart_states(w->p->chart, &states);
    for (size_t i = 0; i < wf_value_count(active); i++) {
        int at = wf_chart_find(w->p->chart, wf_value_text(wf_list_at(active, i), ""));
        if (at < 0)
            continue;
        int own = inherited_status(states, at);
        if (own != 0 && (stopper == NULL || states[at].clock_stopped))
            status = own;
        if (states[at].clock_stopped)
            stopper = states[at].id;
        if (states[at].outcome != NULL)
            outcome = states[at].outcome;
    }
    if (stopper != NULL && status == 5)
        w->supplements += w->stopper == NULL || strcmp(stopper, w->stopper) != 0;
    w->stopper = stopper;
    w->out.status = status != 0 ? status : w->out.status;
    w->out.outcome = w->step.snapshot.done ? outcome : NULL;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* The engine applies what a chart sends itself in the turn that sent it, so with the same time. */
static bool history_brings(struct walk *w, const char *event)
{
    const struct wf_rec_event *events = w->of->events;
    for (size_t k = w->i + 1; k < w->of->n && events[k].ms == events[w->i].ms; k++) {
        if (w->brought[k] || !wf_str_is(events[k].event, event))
            continue;
        w->brought[k] = true;
        return true;
    }
    return false;
}

static int keep_sent(struct walk *w, const struct wf_effect *effect, struct wf_error *err)
{
    struct sent **end = &w->sent;
    struct sent *one = wf_arena_alloc(w->arena, sizeof(*one));
    if (one == NULL)
        return no_memory(err);
    if (++w->n_sent > OWN_EVENTS_MOST)
        return wf_fail(err, WF_E_STATE, "sends itself more than %d events: a loop?",
                       OWN_EVENTS_MOST);
    *one = (struct sent){.event = effect->event, .data = effect->data};
    while (*end != NULL)
        end = &(*end)->next;
    *end = one;
    return 0;
}

static int after_step(struct walk *w, struct wf_error *err)
{
    int rc = 0;
    for (const struct wf_effect *e = w->step.effects; rc == 0 && e != NULL; e = e->next) {
        if (e->kind == WF_EFFECT_EXTEND && w->extensions < w->p->max_extensions)
            w->extensions++;
        if (e->kind == WF_EFFECT_SEND && e->delay == NULL && !history_brings(w, e->event))
            rc = keep_sent(w, e, err);
    }
    look_around(w);
    return rc;
}

static int start(struct walk *w, const struct wf_rec_event *submit, struct wf_error *err)
{
    const struct wf_value *data = NULL;
    int rc = visible_data(w, NULL, wf_map_get(submit->data, "fields"), &data, err);
    if (rc == 0)
        rc = wf_chart_start(w->p->chart, data, w->arena, &w->step, err);
    if (rc == 0)
        w->step.taken = true;
    return rc == 0 ? after_step(w, err) : rc;
}

static int take(struct walk *w, const struct wf_chart_event *event,
                const struct wf_chart_raiser *who, const struct wf_value *fields,
                struct wf_error *err)
{
    struct wf_snapshot from = w->step.snapshot;
    struct wf_step step = {0};
    int rc = visible_data(w, from.data, fields, &from.data, err);
    if (rc == 0 && who != NULL)
        rc = wf_chart_step_by(w->p->chart, &from, event, who, w->arena, &step, err);
    else if (rc == 0)
        rc = wf_chart_step(w->p->chart, &from, event, w->arena, &step, err);
    if (rc != 0)
        return rc;
    w->step = step;
    return after_step(w, err);
}

static int feed_own(struct walk *w, struct wf_error *err)
{
    int rc = 0;
    while (rc == 0 && w->sent != NULL) {
        const struct wf_chart_event event = {w->sent->event, w->sent->data, NULL};
        w->sent = w->sent->next;
        rc = take(w, &event, NULL, NULL, err);
    }
    return rc;
}

/* ---- events of the history ------------------------------------------------------------------- */

/* A party raised it: asked for its role and the rest. All others come from the engine. */
static bool is_of_party(const char *name, struct wf_str role)
{
    return role.len > 0 && !wf_str_is(role, "system") && !wf_starts_with(name, "done.") &&
           !wf_starts_with(name, "progress.") && !wf_starts_with(name, "error.") &&
           !wf_starts_with(name, "deadline.");
}

static const char *invoke_of(const struct walk *w, const char *name, const struct wf_value *data)
{
    if (wf_starts_with(name, "done.invoke."))
        return name + strlen("done.invoke.");
    if (!wf_starts_with(name, "error.communication"))
        return wf_starts_with(name, "progress.") ? name + strlen("progress.") : NULL;
    const char *id = wf_value_text(wf_map_get(data, "id"), NULL);
    return id != NULL && wf_map_get(w->step.snapshot.invokes, id) != NULL ? id : NULL;
}

static int feed(struct walk *w, const char *name, const struct wf_rec_event *event,
                struct wf_error *err)
{
    const struct wf_value *data =
        event->data != NULL && event->data->type != WF_NULL ? event->data : NULL;
    const struct wf_rec_dossier *d = w->of->dossier;
    const struct wf_chart_raiser who = {event->role, d->channel, wf_str(w->of->model)};
    const char *invoke = invoke_of(w, name, data);
    const struct wf_value *activity =
        invoke != NULL ? wf_map_get(w->step.snapshot.invokes, invoke) : NULL;
    const struct wf_value *fields = NULL;
    if (wf_starts_with(name, "done.invoke.") &&
        wf_str_is(wf_value_str(activity), "intake.supplement"))
        fields = wf_map_get(data, "fields");
    const struct wf_chart_event what = {name, data, activity != NULL ? invoke : NULL};
    return take(w, &what, is_of_party(name, event->role) ? &who : NULL, fields, err);
}

static void part_at(struct walk *w, const char *name, const struct wf_value *was)
{
    w->out.event = name;
    w->out.was = was;
    w->out.now = innermost(w);
    w->out.error = w->step.error;
    if (w->step.error != NULL)
        w->out.what = WF_REPLAY_ERROR;
    else if (!w->step.taken)
        w->out.what = WF_REPLAY_UNTAKEN;
}

/* What failed in the candidate's chart is the answer; only lack of memory ends the replay. */
static int failed(struct walk *w, int rc, const char *name, const struct wf_value *was,
                  struct wf_error *err)
{
    if (rc == WF_E_NOMEM)
        return rc;
    if (w->out.event == NULL) {
        w->out.event = name;
        w->out.was = was;
        w->out.now = innermost(w);
    }
    w->out.error = wf_arena_strdup(w->arena, err->text);
    w->out.what = WF_REPLAY_ERROR;
    return w->out.error != NULL ? WF_NONE : no_memory(err);
}

static int one_event(struct walk *w, struct wf_error *err)
{
    const struct wf_rec_event *event = &w->of->events[w->i];
    const char *name = wf_arena_strndup(w->arena, event->event.ptr, event->event.len);
    if (name == NULL)
        return no_memory(err);
    if (wf_starts_with(name, "operator."))
        return 0;
    int rc = w->i == 0 ? start(w, event, err) : feed(w, name, event, err);
    if (rc == 0 && w->out.event == NULL && !same_states(innermost(w), event->states))
        part_at(w, name, event->states);
    if (rc == 0)
        rc = feed_own(w, err);
    return rc == 0 ? 0 : failed(w, rc, name, event->states, err);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void compare_end(struct walk *w)
{
    const struct wf_rec_dossier *d = w->of->dossier;
    const struct wf_rec_event *last = &w->of->events[w->of->n - 1];
    struct wf_replay *out = &w->out;
    bool same_end =
        d->done == w->step.snapshot.done && (!d->done || wf_str_is(d->outcome, out->outcome));
    bool same =
        same_end && same_states(innermost(w), last->states) && d->status == (uint64_t)out->status;
    if (same) {
        *out = (struct wf_replay){.outcome = out->outcome, .status = out->status};
        return;
    }
    if (out->event == NULL)
        *out = (struct wf_replay){.event =
                                      wf_arena_strndup(w->arena, last->event.ptr, last->event.len),
                                  .was = last->states,
                                  .now = innermost(w),
                                  .outcome = out->outcome,
                                  .status = out->status};
    if (out->what == WF_REPLAY_SAME)
        out->what = same_end ? WF_REPLAY_STATE : WF_REPLAY_OUTCOME;
}

int wf_replay(const struct wf_procedure *candidate, const struct wf_replay_case *of,
              struct wf_arena *arena, struct wf_replay *out, struct wf_error *err)
{
    struct walk w = {.p = candidate, .of = of, .arena = arena};
    int rc = 0;
    if (of->n == 0 || !wf_str_is(of->events[0].event, "submit"))
        return wf_fail(err, WF_E_STATE, "the history does not begin with the submission");
    w.brought = wf_arena_alloc(arena, of->n * sizeof(*w.brought));
    if (w.brought == NULL)
        return no_memory(err);
    for (w.i = 0; rc == 0 && w.i < of->n; w.i++)
        rc = one_event(&w, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        compare_end(&w);
    if (w.out.what != WF_REPLAY_SAME && (w.out.event == NULL || !wf_value_is_whole(w.out.now)))
        return no_memory(err);
    *out = w.out;
    return 0;
}

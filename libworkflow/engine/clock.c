/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock of a dossier: its due date, the reminders ahead of it, and the spans in which it stands
 * because the citizen is waited for. Every moment is counted by the hours of the dossier's site.
 *
 * The due date moves once for each standstill, by the whole of it, when the clock runs again: the
 * spans only tell for what it stood. One that turns from a supplement into a payment is one
 * standstill with two spans.
 */
#include "life.h"

#define SPANS_KEPT 64 /* of a dossier; older ones are in the journal, their sum in `waited` */

const struct wf_calendar *life_calendar(const struct life *life)
{
    const struct wf_engine_options *options = &life->turn->engine->options;
    return wf_site_calendar(options->registry, options->calendar, life->now.site);
}

int clock_moment(const struct life *life, int64_t from_ms, const char *delay, int64_t *out,
                 struct wf_error *err)
{
    struct wf_limit limit;
    if (!wf_limit_parse(wf_str(delay), &limit))
        return wf_fail(err, WF_E_STATE, "procedure %s: \"%s\" is no length of time",
                       life->procedure->code, delay);
    *out = wf_calendar_due(life_calendar(life), from_ms, limit);
    return 0;
}

/* ---- due date and reminders ------------------------------------------------------------------ */

static const char *const reminder_ids[WF_REMINDERS] = {"reminder.1", "reminder.2", "reminder.3",
                                                       "reminder.4"};

static int drop_reminders(struct life *life, struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < WF_REMINDERS; i++)
        rc = timer_drop(life, reminder_ids[i], err);
    return rc;
}

static int arm_reminder(struct life *life, size_t i, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    const char *before = life->procedure->remind.items[i];
    struct wf_limit limit;
    if (!wf_limit_parse(wf_str(before), &limit))
        return 0; /* the definition was checked */
    int64_t moment = wf_calendar_before(life_calendar(life), life->now.due, limit);
    if (moment <= life->turn->now_ms)
        return 0;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "before", wf_text(arena, before));
    if (!wf_value_is_whole(data))
        return out_of_memory(err);
    return timer_arm(life, reminder_ids[i], "reminder", moment, data, err);
}

int clock_arm_reminders(struct life *life, struct wf_error *err)
{
    const struct wf_rec_dossier *d = &life->now;
    int rc = drop_reminders(life, err);
    if (d->due == 0 || d->stopped != 0 || d->closed != 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < life->procedure->remind.n; i++)
        rc = arm_reminder(life, i, err);
    return rc;
}

int life_set_due(struct life *life, int64_t due_ms, struct wf_error *err)
{
    life->now.due = due_ms;
    int rc = timer_drop(life, "overdue", err);
    if (rc == 0)
        rc = clock_arm_reminders(life, err);
    if (rc != 0 || due_ms == 0 || life->now.stopped != 0 || life->now.closed != 0)
        return rc;
    return timer_arm(life, "overdue", "overdue", due_ms, NULL, err);
}

/* R11: a new date is given once, unless the procedure says otherwise. */
static int refuse_extension(struct life *life, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *data = wf_map(arena);
    const char *text =
        wf_arena_printf(arena, "extend: the due date may move %lld time(s): see max_extensions",
                        (long long)life->procedure->max_extensions);
    wf_map_put(arena, data, "message", wf_text(arena, text != NULL ? text : ""));
    if (text == NULL || !wf_value_is_whole(data))
        return out_of_memory(err);
    struct pending event = {.event = "error.execution", .data = data, .by = "", .role = "system"};
    return life_push(life, &event, err);
}

int clock_extend(struct life *life, const char *delay, struct wf_error *err)
{
    int64_t now = life->turn->now_ms;
    int64_t due = 0;
    if ((int64_t)life->now.extensions >= life->procedure->max_extensions)
        return refuse_extension(life, err);
    int rc = clock_moment(life, life->now.due > now ? life->now.due : now, delay, &due, err);
    if (rc != 0)
        return rc;
    life->now.extensions++;
    return life_set_due(life, due, err);
}

/* ---- standing still -------------------------------------------------------------------------- */

/* R13, R14; a definition may stop the clock for other reasons, which its states name. */
static const char *reason_of(const struct standing *is)
{
    if (!is->clock_stopped)
        return "";
    return is->status == 5 ? "supplement" : is->status == 6 ? "payment" : is->stopper;
}

/* Of the span that is open, or "". */
static struct wf_str open_reason(const struct wf_rec_dossier *d)
{
    size_t n = wf_value_count(d->stops);
    const struct wf_value *last = n > 0 ? wf_list_at(d->stops, n - 1) : NULL;
    bool is_open = last != NULL && wf_value_int(wf_list_at(last, 2), 0) == 0;
    return is_open ? wf_value_str(wf_list_at(last, 0)) : wf_str("");
}

static void add_span(struct wf_arena *arena, struct wf_value *list, struct wf_str reason,
                     int64_t from, int64_t to)
{
    struct wf_value *span = wf_list(arena);
    wf_list_add(arena, span, wf_text_n(arena, reason.ptr, reason.len));
    wf_list_add(arena, span, wf_int(arena, from));
    wf_list_add(arena, span, wf_int(arena, to));
    wf_list_add(arena, list, span);
}

/* Ends the open span and begins one for the reason, where they differ. */
static int note_span(struct life *life, const char *reason, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_rec_dossier *d = &life->now;
    struct wf_str open = open_reason(d);
    int64_t now = life->turn->now_ms;
    if (wf_str_is(open, reason))
        return 0;
    size_t n = wf_value_count(d->stops);
    struct wf_value *list = wf_list(arena);
    for (size_t i = n >= SPANS_KEPT ? 1 : 0; i < n; i++) {
        const struct wf_value *span = wf_list_at(d->stops, i);
        if (open.len > 0 && i == n - 1)
            add_span(arena, list, open, wf_value_int(wf_list_at(span, 1), 0), now);
        else
            wf_list_add(arena, list, span);
    }
    if (reason[0] != '\0')
        add_span(arena, list, wf_str(reason), now, 0);
    if (!wf_value_is_whole(list))
        return out_of_memory(err);
    d->stops = list;
    return 0;
}

/* R13, R14: while the dossier waits for the citizen its clock stands still. */
int clock_move(struct life *life, const struct standing *is, struct wf_error *err)
{
    struct wf_rec_dossier *d = &life->now;
    int64_t now = life->turn->now_ms;
    const char *reason = d->closed == 0 ? reason_of(is) : "";
    bool is_new = !wf_str_is(open_reason(d), reason);
    int rc = note_span(life, reason, err);
    if (rc != 0)
        return rc;
    if (reason[0] != '\0') {
        d->supplements += is_new && is->status == 5;
        if (d->stopped != 0)
            return 0;
        d->stopped = now;
        rc = timer_drop(life, "overdue", err);
        return rc == 0 ? drop_reminders(life, err) : rc;
    }
    if (d->stopped == 0)
        return 0;
    int64_t waited = now > d->stopped ? now - d->stopped : 0;
    d->waited += waited;
    d->stopped = 0;
    return d->due != 0
               ? life_set_due(life, wf_calendar_extend(life_calendar(life), d->due, waited), err)
               : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The external queue and the clock that the engine keeps in the store, kept in memory.
 *
 * Snapshots and pending events live in one arena. Steps leave garbage in it; when it has grown to
 * twice what was alive before, what is alive is copied to a new one.
 */
#include "workflow/runner.h"

#include <inttypes.h>
#include <string.h>

#include "workflow/calendar.h"

#define START_MS      INT64_C(1767574800000) /* Monday 2026-01-05 08:00 at UTC+7 */
#define LEAST_GARBAGE ((size_t)1 << 20)
#define MAX_AFTER_MS  (INT64_C(36500) * 24 * 3600 * 1000) /* a century, as for limits */
#define FOREVER       INT64_MAX

struct pending {
    int64_t due_ms;
    const char *id;
    const char *event;
    const struct wf_value *data; /* or NULL */
    struct pending *next;
};

struct wf_runner {
    const struct wf_chart *chart;
    struct wf_calendar *calendar;
    struct wf_arena *arena;
    size_t next_copy; /* bytes in the arena */
    struct wf_snapshot snapshot;
    struct pending *sent;   /* in the order in which they were sent */
    struct pending *timers; /* by due time, then in the order in which they were armed */
    size_t n_pending;
    int64_t now_ms;
    int n_events;
};

/* ---- loading ------------------------------------------------------------------------------- */

static int check_root(const struct wf_node *root, struct wf_report *report, const char *path)
{
    for (size_t i = 0; i < wf_node_count(root); i++) {
        const struct wf_node *node = wf_node_at(root, i);
        if (strcmp(node->name, "chart") != 0)
            wf_report_error(report, node->file, node->line,
                            "unknown key \"%s\": a bare chart stands alone in its file: remove it, "
                            "or use `hoso procedure check` for a procedure",
                            node->name);
        else if (node->type != WF_NODE_GROUP)
            wf_report_error(report, node->file, node->line,
                            "chart is a %s: a group is needed: write chart: { states: { ... }; };",
                            wf_node_type_name(node->type));
    }
    if (wf_node_child(root, "chart") == NULL)
        wf_report_error(report, path, 0,
                        "no chart: there is nothing to run: write chart: { states: { ... }; };");
    return report->errors > 0 ? WF_E_CONFIG : 0;
}

/* Other keys than these would be a procedure's, which are checked by its own reader. */
static void check_chart_keys(const struct wf_node *chart, struct wf_report *report)
{
    static const char *const names[] = {"initial", "data", "states"};
    for (size_t i = 0; i < wf_node_count(chart); i++) {
        const struct wf_node *node = wf_node_at(chart, i);
        const char *nearest = wf_nearest(node->name, names, WF_COUNT(names));
        if (nearest == NULL || strcmp(nearest, node->name) != 0)
            wf_report_error(report, node->file, node->line,
                            "unknown key \"%s\": a chart has initial, data and states: %s%s",
                            node->name, nearest != NULL ? "perhaps it should be " : "remove it",
                            nearest != NULL ? nearest : "");
    }
}

int wf_runner_load(const char *path, struct wf_report *report, struct wf_chart **out,
                   struct wf_error *err)
{
    struct wf_config *config = NULL;
    struct wf_chart *chart = NULL;
    int rc = wf_config_read(path, report, &config, err);
    if (rc < 0)
        return rc;
    const struct wf_node *root = wf_config_root(config);
    if (check_root(root, report, path) == 0) {
        check_chart_keys(wf_node_child(root, "chart"), report);
        rc = wf_chart_compile(wf_node_child(root, "chart"), NULL, report, &chart, err);
    }
    if (rc == 0)
        rc = wf_report_result(report, err);
    if (rc == 0)
        *out = chart;
    else
        wf_chart_free(chart);
    wf_config_free(config);
    return rc;
}

/* ---- memory -------------------------------------------------------------------------------- */

static int no_memory(struct wf_error *err)
{
    return wf_fail(err, WF_E_NOMEM, "no memory to run a chart");
}

static bool copy_pending(struct wf_arena *arena, const struct pending *from, struct pending **out)
{
    for (; from != NULL; from = from->next) {
        struct pending *copy = wf_arena_alloc(arena, sizeof(*copy));
        if (copy == NULL)
            return false;
        *copy = *from;
        copy->id = wf_arena_strdup(arena, from->id);
        copy->event = wf_arena_strdup(arena, from->event);
        copy->data = wf_value_copy(arena, from->data);
        copy->next = NULL;
        if (copy->id == NULL || copy->event == NULL ||
            (from->data != NULL && !wf_value_is_whole(copy->data)))
            return false;
        *out = copy;
        out = &copy->next;
    }
    return true;
}

static bool copy_snapshot(struct wf_arena *arena, const struct wf_snapshot *from,
                          struct wf_snapshot *out)
{
    *out = *from;
    out->states = wf_value_copy(arena, from->states);
    out->history = wf_value_copy(arena, from->history);
    out->data = wf_value_copy(arena, from->data);
    out->invokes = wf_value_copy(arena, from->invokes);
    return wf_value_is_whole(out->states) && wf_value_is_whole(out->history) &&
           wf_value_is_whole(out->data) && wf_value_is_whole(out->invokes);
}

/* What is alive moves to a new arena, once garbage has made the old one large. */
static int collect(struct wf_runner *r, struct wf_error *err)
{
    if (wf_arena_used(r->arena) < r->next_copy)
        return 0;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_snapshot snapshot;
    struct pending *sent = NULL;
    struct pending *timers = NULL;
    if (arena == NULL || !copy_snapshot(arena, &r->snapshot, &snapshot) ||
        !copy_pending(arena, r->sent, &sent) || !copy_pending(arena, r->timers, &timers)) {
        wf_arena_free(arena);
        return no_memory(err);
    }
    wf_arena_free(r->arena);
    r->arena = arena;
    r->snapshot = snapshot;
    r->sent = sent;
    r->timers = timers;
    r->next_copy = 2 * wf_arena_used(arena) + LEAST_GARBAGE;
    return 0;
}

/* ---- effects ------------------------------------------------------------------------------- */

static int due_of(const struct wf_runner *r, const char *delay, int64_t *out, struct wf_error *err)
{
    struct wf_limit limit;
    int64_t ms = 0;
    if (wf_duration_parse(wf_str(delay), &ms) && ms <= MAX_AFTER_MS)
        *out = r->now_ms + ms;
    else if (wf_limit_parse(wf_str(delay), &limit))
        *out = wf_calendar_due(r->calendar, r->now_ms, limit);
    else
        return wf_fail(err, WF_E_STATE, "\"%.64s\" is no duration", delay);
    return 0;
}

static int add_pending(struct wf_runner *r, const struct wf_effect *effect, struct wf_error *err)
{
    struct pending *p = wf_arena_alloc(r->arena, sizeof(*p));
    if (p == NULL)
        return no_memory(err);
    if (++r->n_pending > WF_RUNNER_PENDING)
        return wf_fail(err, WF_E_STATE,
                       "more than %d events are pending: the chart sends more than it takes, the "
                       "last being \"%.64s\"",
                       WF_RUNNER_PENDING, effect->event);
    p->id = effect->id;
    p->event = effect->event;
    p->data = effect->data;
    struct pending **at = &r->sent;
    if (effect->delay != NULL) {
        int rc = due_of(r, effect->delay, &p->due_ms, err);
        if (rc < 0)
            return rc;
        at = &r->timers;
    }
    while (*at != NULL && (*at)->due_ms <= p->due_ms) /* sent ones have no due time */
        at = &(*at)->next;
    p->next = *at;
    *at = p;
    return 0;
}

/* What was sent without delay is under way already and cannot be called back. */
static void drop_timers(struct wf_runner *r, const char *id)
{
    struct pending **at = &r->timers;
    while (*at != NULL) {
        if (strcmp((*at)->id, id) != 0) {
            at = &(*at)->next;
            continue;
        }
        *at = (*at)->next;
        r->n_pending--;
    }
}

static int keep(struct wf_runner *r, const struct wf_step *step, struct wf_error *err)
{
    r->snapshot = step->snapshot;
    for (const struct wf_effect *e = step->effects; e != NULL; e = e->next) {
        int rc = 0;
        if (e->kind == WF_EFFECT_SEND)
            rc = add_pending(r, e, err);
        else if (e->kind == WF_EFFECT_UNSEND)
            drop_timers(r, e->id);
        if (rc < 0)
            return rc;
    }
    if (r->snapshot.done) {
        r->sent = NULL;
        r->timers = NULL;
        r->n_pending = 0;
    }
    return collect(r, err);
}

/* ---- events -------------------------------------------------------------------------------- */

static int take_one(struct wf_runner *r, const struct wf_chart_event *event, struct wf_error *err)
{
    struct wf_chart_event full = *event;
    struct wf_step step;
    if (r->snapshot.done)
        return 0;
    if (++r->n_events > WF_RUNNER_EVENTS)
        return wf_fail(err, WF_E_STATE,
                       "more than %d events: sent events or timers go round in a circle, the last "
                       "being \"%.64s\"",
                       WF_RUNNER_EVENTS, event->name);
    if (full.invoke_id == NULL && wf_starts_with(full.name, "done.invoke."))
        full.invoke_id = full.name + strlen("done.invoke.");
    int rc = wf_chart_step(r->chart, &r->snapshot, &full, r->arena, &step, err);
    return rc < 0 ? rc : keep(r, &step, err);
}

static int take_first(struct wf_runner *r, struct pending **queue, struct wf_error *err)
{
    const struct pending *p = *queue;
    struct wf_chart_event event = {.name = p->event, .data = p->data};
    *queue = p->next;
    r->n_pending--;
    return take_one(r, &event, err);
}

static int take_sent(struct wf_runner *r, struct wf_error *err)
{
    int rc = 0;
    while (rc == 0 && r->sent != NULL)
        rc = take_first(r, &r->sent, err);
    return rc;
}

static int fire_until(struct wf_runner *r, int64_t until_ms, struct wf_error *err)
{
    int rc = take_sent(r, err);
    while (rc == 0 && r->timers != NULL && r->timers->due_ms <= until_ms) {
        r->now_ms = r->timers->due_ms;
        rc = take_first(r, &r->timers, err);
        if (rc == 0)
            rc = take_sent(r, err);
    }
    return rc;
}

int wf_runner_take(struct wf_runner *runner, const struct wf_chart_event *event, int64_t after_ms,
                   struct wf_error *err)
{
    if (after_ms < 0 || after_ms > MAX_AFTER_MS)
        return wf_fail_field(err, WF_E_INVALID, "after_ms",
                             "%" PRId64 " ms is no time to wait: 0 to a century is", after_ms);
    int64_t then_ms = runner->now_ms + after_ms;
    int rc = fire_until(runner, then_ms, err);
    if (rc < 0)
        return rc;
    runner->now_ms = then_ms;
    struct wf_chart_event own = *event; /* what is assigned of it outlives the caller's */
    own.data = wf_value_copy(runner->arena, event->data);
    if (event->data != NULL && !wf_value_is_whole(own.data))
        return no_memory(err);
    rc = take_one(runner, &own, err);
    return rc < 0 ? rc : take_sent(runner, err);
}

int wf_runner_settle(struct wf_runner *runner, struct wf_error *err)
{
    return fire_until(runner, FOREVER, err);
}

/* ---- life ---------------------------------------------------------------------------------- */

static int load_calendar(struct wf_calendar **out, struct wf_error *err)
{
    static const char text[] = "office_hours = [\"07:00-11:30\", \"13:30-17:00\"];"
                               "weekly_rest = [\"saturday\", \"sunday\"];"
                               "years = ();";
    struct wf_report report = {0};
    int rc = wf_calendar_parse("standard week", text, sizeof(text) - 1, &report, out, err);
    wf_report_fini(&report);
    return rc;
}

static int start(struct wf_runner *r, const struct wf_chart *chart, struct wf_error *err)
{
    struct wf_step step;
    r->chart = chart;
    r->now_ms = START_MS;
    r->next_copy = LEAST_GARBAGE;
    r->arena = wf_arena_new(0);
    if (r->arena == NULL)
        return no_memory(err);
    int rc = load_calendar(&r->calendar, err);
    if (rc == 0)
        rc = wf_chart_start(chart, NULL, r->arena, &step, err);
    if (rc == 0)
        rc = keep(r, &step, err);
    return rc < 0 ? rc : take_sent(r, err);
}

int wf_runner_new(const struct wf_chart *chart, struct wf_runner **out, struct wf_error *err)
{
    struct wf_runner *r = wf_alloc(sizeof(*r));
    if (r == NULL)
        return no_memory(err);
    int rc = start(r, chart, err);
    if (rc == 0)
        *out = r;
    else
        wf_runner_free(r);
    return rc;
}

void wf_runner_free(struct wf_runner *runner)
{
    if (runner == NULL)
        return;
    wf_calendar_free(runner->calendar);
    wf_arena_free(runner->arena);
    wf_free(runner);
}

/* ---- looking at it ------------------------------------------------------------------------- */

const struct wf_snapshot *wf_runner_snapshot(const struct wf_runner *runner)
{
    return &runner->snapshot;
}

const struct wf_value *wf_runner_active(const struct wf_runner *runner, struct wf_arena *arena)
{
    const struct wf_chart_state *states;
    (void)wf_chart_states(runner->chart, &states);
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(runner->snapshot.states); i++) {
        const struct wf_value *id = wf_list_at(runner->snapshot.states, i);
        int state = wf_chart_find(runner->chart, wf_value_text(id, ""));
        if (state >= 0 &&
            (states[state].kind == WF_STATE_ATOMIC || states[state].kind == WF_STATE_FINAL))
            (void)wf_list_add(arena, list, id);
    }
    return list != NULL && !list->broken ? list : NULL;
}

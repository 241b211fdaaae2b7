/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chart run: a bare statechart in virtual time, without cell, store or workers. One line of JSON
 * for each configuration, so that test suites for statecharts can be run from a script.
 */
#include "hoso.h"

#include <inttypes.h>
#include <string.h>

#include "workflow/runner.h"

#define EVENTS_MAX_BYTES ((size_t)1 << 20)

/* ---- the list of events ------------------------------------------------------------------- */

static int read_events(struct hoso *h, const char *name, const struct wf_value **out)
{
    struct wf_buf text = {0};
    int rc = hoso_read_file(h, name, EVENTS_MAX_BYTES, &text);
    if (rc == 0)
        rc = hoso_json_parse(name, (const char *)text.ptr, text.len, h->arena, out, &h->err);
    wf_buf_fini(&text);
    if (rc == 0 && (*out)->type != WF_LIST)
        rc = wf_fail(&h->err, WF_E_CONFIG,
                     "%s: a list is wanted: [{\"name\": \"go\", \"data\": {}, \"after_ms\": 0}]",
                     name);
    return rc;
}

/* A whole number from 0 on; programs may write it as 1000.0. */
static bool is_wait(const struct wf_value *after, int64_t *out_ms)
{
    double ms = after == NULL ? 0.0 : -1.0;
    if (after != NULL && after->type == WF_INT)
        ms = (double)after->u.integer;
    else if (after != NULL && after->type == WF_NUMBER)
        ms = after->u.number;
    *out_ms = ms >= 0.0 && ms < 1e15 ? (int64_t)ms : -1;
    return *out_ms >= 0 && (double)*out_ms == ms;
}

/* One element: {"name": ..., "data": ..., "after_ms": ..., "invokeid": ...}. */
static int read_event(struct hoso *h, const struct wf_value *from, size_t number,
                      struct wf_chart_event *out, int64_t *out_after_ms)
{
    static const char *const known[] = {"name", "data", "after_ms", "invokeid"};
    *out = (struct wf_chart_event){.name = wf_value_text(wf_map_get(from, "name"), ""),
                                   .data = wf_map_get(from, "data"),
                                   .invoke_id = wf_value_text(wf_map_get(from, "invokeid"), NULL)};
    if (out->name[0] == '\0')
        return wf_fail(&h->err, WF_E_CONFIG, "event %zu of the list has no name", number);
    if (!is_wait(wf_map_get(from, "after_ms"), out_after_ms))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "event %zu: after_ms is no whole number of milliseconds from 0", number);
    size_t n = 0;
    for (size_t i = 0; i < WF_COUNT(known); i++)
        n += wf_map_get(from, known[i]) != NULL;
    if (n < wf_value_count(from))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "event %zu: it may have name, data, after_ms and invokeid, and nothing else",
                       number);
    return 0;
}

/* All of them, so that a wrong list runs nothing. */
static int check_events(struct hoso *h, const struct wf_value *events)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(events); i++) {
        struct wf_chart_event event;
        int64_t after_ms;
        rc = read_event(h, wf_list_at(events, i), i + 1, &event, &after_ms);
    }
    return rc;
}

/* ---- running ------------------------------------------------------------------------------ */

/* Ids of states need no escaping: libconfig's names are plain words. */
static int print_active(struct hoso *h, const struct wf_runner *runner)
{
    const struct wf_value *ids = wf_runner_active(runner, h->arena);
    if (ids == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    (void)putchar('[');
    for (size_t i = 0; i < wf_value_count(ids); i++)
        (void)printf("%s\"%s\"", i > 0 ? "," : "", wf_value_text(wf_list_at(ids, i), ""));
    (void)puts("]");
    return 0;
}

static int run_events(struct hoso *h, struct wf_runner *runner, const struct wf_value *events)
{
    int rc = print_active(h, runner);
    for (size_t i = 0; rc == 0 && i < wf_value_count(events); i++) {
        struct wf_chart_event event;
        int64_t after_ms = 0;
        rc = read_event(h, wf_list_at(events, i), i + 1, &event, &after_ms);
        if (rc == 0)
            rc = wf_runner_take(runner, &event, after_ms, &h->err);
        if (rc == 0)
            rc = print_active(h, runner);
    }
    if (rc == 0 && hoso_has(h, OPT_SETTLE)) {
        rc = wf_runner_settle(runner, &h->err);
        if (rc == 0)
            rc = print_active(h, runner);
    }
    return rc;
}

static int load(struct hoso *h, struct wf_chart **out)
{
    struct wf_report report = {0};
    int rc = wf_runner_load(h->args[0], &report, out, &h->err);
    int printed = hoso_print_report(&report);
    wf_report_fini(&report);
    if (rc == WF_E_IO) /* a file that is not there is a wrong argument */
        h->err.code = rc = WF_E_CONFIG;
    return rc < 0 && printed != 0 ? HOSO_FAILED : rc;
}

int hoso_chart_run(struct hoso *h)
{
    struct wf_chart *chart = NULL;
    struct wf_runner *runner = NULL;
    const struct wf_value *events = NULL;
    int rc = load(h, &chart);
    if (rc == 0 && h->n_args > 1)
        rc = read_events(h, h->args[1], &events);
    if (rc == 0)
        rc = check_events(h, events);
    if (rc == 0)
        rc = wf_runner_new(chart, &runner, &h->err);
    if (rc == 0)
        rc = run_events(h, runner, events);
    wf_runner_free(runner);
    wf_chart_free(chart);
    return rc;
}

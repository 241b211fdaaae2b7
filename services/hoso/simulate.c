/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure simulate: a definition walked through on paper. One walk is shown event by event; of
 * many, how they ended, and of those that did not the seed with which to look at them.
 */
#include "tools.h"

#include <inttypes.h>
#include <string.h>

#include "workflow/procedure_tools.h"
#include "workflow/simulate.h"

#define SCRIPT_MAX_BYTES ((size_t)1 << 20)
#define WALKS_MAX        1000000
#define OUTCOMES_MAX     16
#define DEFAULT_START    "2026-11-23T08:00"

/* ---- what the walk begins with ------------------------------------------------------------- */

static int read_script(struct hoso *h, struct wf_walk_options *o, const char **out_start)
{
    static const char *const known[] = {"events", "fields", "channel", "site", "start"};
    const struct wf_value *given = NULL;
    struct wf_buf text = {0};
    int rc = hoso_read_file(h, h->opt[OPT_EVENTS], SCRIPT_MAX_BYTES, &text);
    if (rc == 0)
        rc = hoso_json_parse(h->opt[OPT_EVENTS], (const char *)text.ptr, text.len, h->arena, &given,
                             &h->err);
    wf_buf_fini(&text);
    if (rc != 0)
        return rc;
    o->script = given;
    if (given->type != WF_MAP)
        return 0;
    size_t n = 0;
    for (size_t i = 0; i < WF_COUNT(known); i++)
        n += wf_map_get(given, known[i]) != NULL;
    if (n < wf_value_count(given))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "%s: it may have events, fields, channel, site and start, and nothing else",
                       h->opt[OPT_EVENTS]);
    o->script = wf_map_get(given, "events");
    if (o->script == NULL)
        o->script = wf_list(h->arena);
    o->fields = wf_map_get(given, "fields");
    o->channel = wf_value_text(wf_map_get(given, "channel"), NULL);
    o->site = wf_value_text(wf_map_get(given, "site"), NULL);
    *out_start = wf_value_text(wf_map_get(given, "start"), *out_start);
    return o->script != NULL ? 0 : wf_fail(&h->err, WF_E_NOMEM, "out of memory");
}

static int read_options(struct hoso *h, struct wf_walk_options *o)
{
    const char *start = DEFAULT_START;
    int64_t seed = 1;
    if (hoso_has(h, OPT_EVENTS) && (hoso_has(h, OPT_RANDOM) || hoso_has(h, OPT_SEED)))
        return wf_fail(&h->err, WF_E_CONFIG, "--events or --random: take one of them");
    int rc = tool_calendar(h);
    if (rc == 0 && hoso_has(h, OPT_EVENTS))
        rc = read_script(h, o, &start);
    if (rc == 0)
        rc = hoso_number(h, OPT_SEED, 1, INT64_MAX, &seed);
    if (rc == 0)
        rc = hoso_moment(h, hoso_has(h, OPT_START) ? h->opt[OPT_START] : start, &o->start_ms);
    o->seed = (uint64_t)seed;
    o->calendar = h->calendar;
    return rc;
}

/* Received at a site, a dossier is due by that site's hours. */
static int take_site(struct hoso *h, struct wf_walk_options *o)
{
    struct wf_catalogue catalogue;
    if (hoso_has(h, OPT_SITE))
        o->site = h->opt[OPT_SITE];
    if (o->site == NULL)
        return 0;
    int rc = hoso_full_catalogue(h, &catalogue);
    if (rc == 0 && wf_registry_site(h->registry, wf_str(o->site)) == NULL)
        rc = wf_fail(&h->err, WF_E_CONFIG, "site %.40s is not in sites.cfg", o->site);
    if (rc == 0)
        o->calendar = wf_site_calendar(h->registry, h->calendar, wf_str(o->site));
    return rc;
}

/* ---- one walk ------------------------------------------------------------------------------ */

static void print_words(const struct wf_value *list)
{
    for (size_t i = 0; i < wf_value_count(list); i++)
        (void)printf("%s%s", i > 0 ? " " : "", wf_value_text(wf_list_at(list, i), ""));
}

/* "verdict=approve": plain members only. */
static void print_data(struct hoso *h, const struct wf_value *data)
{
    const struct wf_value *brief = data != NULL && data->type == WF_MAP && wf_value_count(data) > 0
                                       ? hoso_brief(h, data, 60)
                                       : NULL;
    if (brief != NULL && wf_value_str(brief).len > 0)
        (void)printf("  {%s}", wf_value_text(brief, ""));
}

static void print_effect(struct hoso *h, const struct wf_value *does)
{
    static const struct {
        const char *what, *vi, *en;
        const char *members[3];
    } rows[] = {
        {"start", "bắt đầu", "start", {"activity", "id", "role"}},
        {"send", "gửi", "send", {"activity", NULL, NULL}},
        {"cancel", "hủy", "cancel", {"id", NULL, NULL}},
        {"arm", "hẹn giờ", "arm", {"event", NULL, NULL}},
        {"extend", "gia hạn", "extend", {NULL, NULL, NULL}},
    };
    char moment[HOSO_TIME_SIZE];
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (!wf_str_is(wf_value_str(wf_map_get(does, "do")), rows[i].what))
            continue;
        (void)printf("                    %s", h->vi ? rows[i].vi : rows[i].en);
        for (size_t k = 0; k < 3 && rows[i].members[k] != NULL; k++) {
            const char *text = wf_value_text(wf_map_get(does, rows[i].members[k]), NULL);
            if (text != NULL)
                (void)printf(" %s", text);
        }
        int64_t due = wf_value_int(wf_map_get(does, "due"), 0);
        if (due != 0)
            (void)printf(" -> %s", hoso_time(h, due, moment));
        print_data(h, wf_map_get(does, "data"));
        (void)putchar('\n');
    }
}

static void print_row(struct hoso *h, const struct wf_value *row)
{
    char moment[HOSO_TIME_SIZE];
    int64_t due = wf_value_int(wf_map_get(row, "due"), 0);
    const struct wf_value *does = wf_map_get(row, "does");
    const char *error = wf_value_text(wf_map_get(row, "error"), NULL);
    (void)printf("%s  %s", hoso_time(h, wf_value_int(wf_map_get(row, "time"), 0), moment),
                 wf_value_text(wf_map_get(row, "event"), ""));
    print_data(h, wf_map_get(row, "data"));
    (void)printf("\n                  = ");
    print_words(wf_map_get(row, "states"));
    (void)printf(" | %s | %s %s\n",
                 wf_status_words((int)wf_value_int(wf_map_get(row, "status"), 0), h->vi),
                 h->vi ? "hạn trả" : "due", due != 0 ? hoso_time(h, due, moment) : "-");
    for (size_t i = 0; i < wf_value_count(does); i++)
        print_effect(h, wf_list_at(does, i));
    if (error != NULL)
        (void)printf("                  ! %s\n", error);
}

static void print_waiting(struct hoso *h, const struct wf_value *row)
{
    char moment[HOSO_TIME_SIZE];
    const char *activity = wf_value_text(wf_map_get(row, "activity"), NULL);
    const char *role = wf_value_text(wf_map_get(row, "role"), NULL);
    int64_t due = wf_value_int(wf_map_get(row, "due"), 0);
    (void)printf("  %-9s %s", wf_value_text(wf_map_get(row, "kind"), ""),
                 wf_value_text(wf_map_get(row, "id"), ""));
    if (activity != NULL)
        (void)printf(" (%s%s%s)", activity, role != NULL ? ", " : "", role != NULL ? role : "");
    if (due != 0)
        (void)printf(" %s", hoso_time(h, due, moment));
    (void)putchar('\n');
}

static void print_walk(struct hoso *h, const struct wf_walk *w)
{
    for (size_t i = 0; i < wf_value_count(w->trace); i++)
        print_row(h, wf_list_at(w->trace, i));
    if (w->done) {
        (void)printf("%s: %s\n", h->vi ? "kết thúc" : "ended",
                     w->outcome != NULL ? w->outcome : "-");
        return;
    }
    (void)printf("%s: %s\n%s\n", h->vi ? "chưa kết thúc" : "not ended",
                 w->problem != NULL ? w->problem : "", h->vi ? "đang chờ:" : "waits for:");
    for (size_t i = 0; i < wf_value_count(w->waits_for); i++)
        print_waiting(h, wf_list_at(w->waits_for, i));
}

static const struct wf_value *walk_value(struct hoso *h, const struct wf_walk *w)
{
    /* clang-format off */
    return hoso_map(h,
        "done", wf_bool(w->done),
        "outcome", wf_text(h->arena, w->outcome),
        "status", wf_int(h->arena, w->status),
        "problem", wf_text(h->arena, w->problem),
        "waits_for", w->waits_for,
        "errors", wf_int(h->arena, (int64_t)w->n_errors),
        "trace", w->trace,
        NULL);
    /* clang-format on */
}

static int walk_once(struct hoso *h, const struct wf_procedure *p, const struct wf_walk_options *o)
{
    struct wf_walk walk;
    bool done = false;
    int rc = wf_simulate(p, o, h->arena, &walk, &h->err);
    if (rc == 0)
        rc = hoso_answer(h, walk_value(h, &walk), &done);
    if (rc != 0)
        return rc;
    if (!done)
        print_walk(h, &walk);
    return walk.done && walk.problem == NULL ? 0 : HOSO_FAILED;
}

/* ---- many walks ---------------------------------------------------------------------------- */

struct tally {
    const char *outcomes[OUTCOMES_MAX]; /* they belong to the chart */
    int64_t counts[OUTCOMES_MAX];
    size_t n;
    int64_t stuck, errors;
    uint64_t first_stuck, first_error; /* seeds */
    size_t events;
    size_t most_events;
};

static void count_outcome(struct tally *t, const char *outcome)
{
    size_t i = 0;
    while (i < t->n && strcmp(t->outcomes[i], outcome) != 0)
        i++;
    if (i == OUTCOMES_MAX)
        return;
    t->outcomes[i] = outcome;
    t->counts[i]++;
    t->n = i < t->n ? t->n : i + 1;
}

static void count(struct tally *t, const struct wf_walk *w, uint64_t seed)
{
    t->events += w->n_events;
    t->most_events = w->n_events > t->most_events ? w->n_events : t->most_events;
    if (w->n_errors > 0 && t->errors++ == 0)
        t->first_error = seed;
    if (!w->done && t->stuck++ == 0)
        t->first_stuck = seed;
    if (w->done)
        count_outcome(t, w->outcome != NULL ? w->outcome : "done");
}

static const struct wf_value *tally_value(struct hoso *h, const struct tally *t, int64_t walks)
{
    struct wf_value *outcomes = wf_map(h->arena);
    for (size_t i = 0; i < t->n; i++)
        (void)wf_map_put(h->arena, outcomes, t->outcomes[i], wf_int(h->arena, t->counts[i]));
    /* clang-format off */
    return hoso_map(h,
        "walks", wf_int(h->arena, walks),
        "outcomes", outcomes,
        "stuck", wf_int(h->arena, t->stuck),
        "first_stuck_seed", wf_int(h->arena, (int64_t)t->first_stuck),
        "with_errors", wf_int(h->arena, t->errors),
        "first_error_seed", wf_int(h->arena, (int64_t)t->first_error),
        "events", wf_int(h->arena, (int64_t)t->events),
        "most_events", wf_int(h->arena, (int64_t)t->most_events),
        NULL);
    /* clang-format on */
}

static void print_tally(struct hoso *h, const struct tally *t, int64_t walks)
{
    (void)printf("%" PRId64 " %s, %zu %s, %s %zu\n", walks, h->vi ? "lượt" : "walks", t->events,
                 h->vi ? "sự kiện" : "events", h->vi ? "nhiều nhất" : "at most", t->most_events);
    for (size_t i = 0; i < t->n; i++)
        (void)printf("  %-12s %" PRId64 "\n", t->outcomes[i], t->counts[i]);
    if (t->stuck > 0)
        (void)printf("%s %" PRId64 ": --seed %" PRIu64 "\n", h->vi ? "chưa kết thúc" : "not ended",
                     t->stuck, t->first_stuck);
    if (t->errors > 0)
        (void)printf("%s %" PRId64 ": --seed %" PRIu64 "\n",
                     h->vi ? "có lỗi biểu thức" : "with a failed expression", t->errors,
                     t->first_error);
}

static int walk_often(struct hoso *h, const struct wf_procedure *p, struct wf_walk_options *o,
                      int64_t walks)
{
    struct tally tally = {.n = 0};
    struct wf_arena *arena = wf_arena_new(0);
    bool done = false;
    int rc = arena != NULL ? 0 : wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    for (int64_t i = 0; rc == 0 && i < walks; i++) {
        struct wf_walk walk;
        wf_arena_reset(arena);
        rc = wf_simulate(p, o, arena, &walk, &h->err);
        if (rc == 0)
            count(&tally, &walk, o->seed);
        o->seed++;
    }
    wf_arena_free(arena);
    if (rc == 0)
        rc = hoso_answer(h, tally_value(h, &tally, walks), &done);
    if (rc != 0)
        return rc;
    if (!done)
        print_tally(h, &tally, walks);
    return tally.stuck + tally.errors > 0 ? HOSO_FAILED : 0;
}

int hoso_procedure_simulate(struct hoso *h)
{
    struct wf_walk_options options = {0};
    struct definition d;
    int64_t walks = 1;
    int rc = read_options(h, &options);
    if (rc == 0)
        rc = hoso_number(h, OPT_RANDOM, 1, WALKS_MAX, &walks);
    if (rc == 0)
        rc = tool_definition(h, h->args[0], &d);
    if (rc != 0)
        return rc;
    rc = take_site(h, &options);
    if (rc == 0 && walks > 1)
        rc = walk_often(h, d.procedure, &options, walks);
    else if (rc == 0)
        rc = walk_once(h, d.procedure, &options);
    tool_definition_fini(&d);
    return rc;
}

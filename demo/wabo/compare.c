/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store against the log. Two readings over the endpoints: the dossiers (where they are now) and
 * the journal (what happened, in which order). Each figure is counted twice, from the log and from
 * the store, into rows that bear the same name; the tables print both.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "replay.h"
#include "workflow/memory.h"

#define ROWS_MAX  64
#define NAME_SIZE 80
#define PAGE      1000
#define HOUR_MS   3600000.0

struct row {
    char name[NAME_SIZE];
    size_t log, store;
};

struct table {
    const char *title;
    struct row rows[ROWS_MAX];
    size_t n;
};

enum source { FROM_LOG, FROM_STORE };

/* What the journal has told of a case so far. */
struct trail {
    uint64_t number; /* of the dossier; sorted by it */
    size_t course;
    size_t seen;  /* recorded events met in their order */
    bool strayed; /* another event came than the log's next */
    const struct activity *last;
};

struct comparison {
    const struct replay_options *options;
    const struct course *courses;
    size_t n_courses;
    struct trail *trails;
    struct table channels, ways, activities, lasts, endings;
    int64_t *late_ms; /* of each recorded event */
    size_t n_late;
    size_t n_events; /* recorded, in the log */
    size_t n_overdue;
    struct wf_client *client;
    struct wf_arena *arena; /* of one page */
};

/* ---- tables -----------------------------------------------------------------------------------
 */

static void count(struct table *table, const char *name, enum source from)
{
    size_t i = 0;

    while (i < table->n && strcmp(table->rows[i].name, name) != 0)
        i++;
    if (i == ROWS_MAX)
        i = ROWS_MAX - 1; /* so many names are wrong anyway: the sums will show it */
    struct row *row = &table->rows[i];
    if (i == table->n) {
        (void)snprintf(row->name, sizeof(row->name), "%s", name);
        table->n++;
    }
    *(from == FROM_LOG ? &row->log : &row->store) += 1;
}

static int by_log(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;

    if (a->log != b->log)
        return a->log > b->log ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int by_name(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;

    return strcmp(a->name, b->name);
}

static bool print_table(struct table *table, int (*order)(const void *, const void *))
{
    bool agree = true;

    qsort(table->rows, table->n, sizeof(*table->rows), order);
    (void)printf("\n%-56s %7s %7s\n", table->title, "log", "store");
    for (size_t i = 0; i < table->n; i++) {
        const struct row *row = &table->rows[i];
        bool same = row->log == row->store;

        agree = agree && same;
        (void)printf("  %-54s %7zu %7zu%s\n", row->name, row->log, row->store, same ? "" : "  !");
    }
    return agree;
}

/* ---- the log ----------------------------------------------------------------------------------
 */

static void name_ending(const struct ending *ending, char out[NAME_SIZE])
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < ENDING_STATES && ending->states[i] != NULL && at < NAME_SIZE; i++)
        at += (size_t)snprintf(out + at, NAME_SIZE - at, "%s%s", i > 0 ? ", " : "",
                               ending->states[i]);
    if (ending->outcome[0] != '\0' && at < NAME_SIZE)
        (void)snprintf(out + at, NAME_SIZE - at, " (closed: %s)", ending->outcome);
}

static void count_log(struct comparison *c)
{
    for (size_t i = 0; i < c->n_courses; i++) {
        const struct log_case *what = c->courses[i].what;
        char name[NAME_SIZE];

        count(&c->channels, what->channel, FROM_LOG);
        count(&c->ways, process_way(what->channel)->channel, FROM_LOG);
        count(&c->lasts, what->events[what->n_events - 1].what->name, FROM_LOG);
        name_ending(c->courses[i].ending, name);
        count(&c->endings, name, FROM_LOG);
        for (size_t e = 0; e < what->n_events; e++)
            count(&c->activities, what->events[e].what->name, FROM_LOG);
    }
}

/* ---- the dossiers -----------------------------------------------------------------------------
 */

static int by_number(const void *left, const void *right)
{
    const struct trail *a = left;
    const struct trail *b = right;

    return a->number < b->number ? -1 : a->number > b->number;
}

static struct trail *trail_of(const struct comparison *c, int64_t number)
{
    struct trail key = {.number = (uint64_t)number};

    return bsearch(&key, c->trails, c->n_courses, sizeof(*c->trails), by_number);
}

static bool has_all(const struct wf_value *states, const struct ending *ending)
{
    for (size_t want = 0; want < ENDING_STATES && ending->states[want] != NULL; want++) {
        size_t i = 0;

        while (i < wf_value_count(states) &&
               !wf_str_is(wf_value_str(wf_list_at(states, i)), ending->states[want]))
            i++;
        if (i == wf_value_count(states))
            return false;
    }
    return true;
}

static void count_dossier(struct comparison *c, const struct wf_value *dossier)
{
    const struct trail *trail = trail_of(c, wf_value_int(wf_map_get(dossier, "id"), 0));
    char name[NAME_SIZE] = "elsewhere";

    count(&c->ways, wf_value_text(wf_map_get(dossier, "channel"), "none"), FROM_STORE);
    if (trail != NULL) {
        const struct ending *ending = c->courses[trail->course].ending;

        if (has_all(wf_map_get(dossier, "states"), ending) &&
            wf_str_is(wf_value_str(wf_map_get(dossier, "outcome")), ending->outcome) &&
            wf_value_bool(wf_map_get(dossier, "closed"), false) == (ending->outcome[0] != '\0'))
            name_ending(ending, name);
    }
    count(&c->endings, name, FROM_STORE);
}

static int read_dossiers(struct comparison *c, struct wf_error *err)
{
    struct wf_msg_dossier_list list = {.procedure = wf_str(PROCESS_CODE), .max = PAGE};
    int rc = 0;

    do {
        struct wf_envelope reply;

        wf_arena_reset(c->arena);
        rc =
            wf_client_call(c->client, WF_INTAKE, WF_MSG_dossier_list, &list, c->arena, &reply, err);
        if (rc != 0)
            return rc;
        const struct wf_msg_dossier_page *page = reply.body;
        for (size_t i = 0; i < wf_value_count(page->dossiers); i++)
            count_dossier(c, wf_list_at(page->dossiers, i));
        list.after = page->next;
    } while (list.after != 0);
    return rc;
}

/* ---- the journal ------------------------------------------------------------------------------
 */

static const struct activity *activity_of(struct wf_str event)
{
    for (size_t i = 0; i < process_n_activities; i++) {
        if (wf_str_is(event, process_activities[i].event))
            return &process_activities[i];
    }
    return NULL;
}

static void follow(struct comparison *c, struct trail *trail, const struct activity *what,
                   int64_t ms)
{
    const struct log_case *expected = c->courses[trail->course].what;

    count(&c->activities, what->name, FROM_STORE);
    trail->last = what;
    if (trail->seen < expected->n_events && expected->events[trail->seen].what == what)
        c->late_ms[c->n_late++] = ms - expected->events[trail->seen].ms;
    else
        trail->strayed = true;
    trail->seen++;
}

static void count_event(struct comparison *c, const struct wf_value *entry)
{
    struct wf_str event = wf_value_str(wf_map_get(entry, "event"));
    struct trail *trail = trail_of(c, wf_value_int(wf_map_get(entry, "dossier"), 0));
    const struct activity *what = activity_of(event);

    if (wf_str_is(event, "submit"))
        count(&c->channels, wf_value_text(wf_value_at(entry, "data.fields.way"), "none"),
              FROM_STORE);
    c->n_overdue += wf_str_is(event, "overdue") ? 1 : 0;
    if (what != NULL && trail != NULL)
        follow(c, trail, what, wf_value_int(wf_map_get(entry, "ms"), 0));
    else if (what != NULL)
        count(&c->activities, "of a dossier that is not ours", FROM_STORE);
}

static int read_journal(struct comparison *c, struct wf_error *err)
{
    struct wf_msg_journal_fetch fetch = {.from = 1, .max = PAGE};
    uint64_t head = 1;

    while (fetch.from <= head) {
        struct wf_envelope reply;

        wf_arena_reset(c->arena);
        int rc = wf_client_call(c->client, WF_INTAKE, WF_MSG_journal_fetch, &fetch, c->arena,
                                &reply, err);
        if (rc != 0)
            return rc;
        const struct wf_msg_journal_page *page = reply.body;
        for (size_t i = 0; i < wf_value_count(page->events); i++)
            count_event(c, wf_list_at(page->events, i));
        head = page->head;
        if (wf_value_count(page->events) == 0 && head >= fetch.from)
            return wf_fail(err, WF_E_CORRUPT, "the journal ends before its head");
        fetch.from += wf_value_count(page->events);
    }
    return 0;
}

/* ---- what is told -----------------------------------------------------------------------------
 */

static int by_size(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;

    return *a < *b ? -1 : *a > *b;
}

static void print_lateness(struct comparison *c)
{
    if (c->options->is_fast || c->n_late == 0)
        return;
    qsort(c->late_ms, c->n_late, sizeof(*c->late_ms), by_size);
    double rate = (double)(c->options->clock.rate > 0 ? c->options->clock.rate : 1);
    const int64_t *late = c->late_ms;
    double middle = (double)late[c->n_late / 2];
    double most = (double)late[c->n_late - 1];
    double nearly = (double)late[c->n_late * 99 / 100];
    (void)printf("\nLater than recorded, in hours of the cell (real ms): half within %.1f (%.0f), "
                 "99 %% within %.1f (%.0f), all within %.1f (%.0f).\n"
                 "Dossiers that passed their time limit while open: %zu.\n",
                 middle / HOUR_MS, middle / rate, nearly / HOUR_MS, nearly / rate, most / HOUR_MS,
                 most / rate, c->n_overdue);
}

static bool print_all(struct comparison *c)
{
    size_t whole = 0;
    bool agree;

    for (size_t i = 0; i < c->n_courses; i++) {
        const struct trail *trail = &c->trails[i];

        if (!trail->strayed && trail->seen == c->courses[trail->course].what->n_events)
            whole++;
        count(&c->lasts, trail->last != NULL ? trail->last->name : "none", FROM_STORE);
    }
    agree = print_table(&c->channels, by_log);
    agree = print_table(&c->ways, by_log) && agree;
    agree = print_table(&c->endings, by_log) && agree;
    agree = print_table(&c->lasts, by_log) && agree;
    agree = print_table(&c->activities, by_name) && agree;
    print_lateness(c);
    (void)printf("\nIn the journal %zu of %zu cases have just the recorded events in the recorded "
                 "order.\n",
                 whole, c->n_courses);
    return agree && whole == c->n_courses && c->n_late == c->n_events;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int open_comparison(struct comparison *c, struct wf_error *err)
{
    const struct wf_client_options patient = {.timeout_ms = 30000};

    c->trails = wf_alloc(c->n_courses * sizeof(*c->trails));
    c->late_ms = wf_alloc(c->n_events * sizeof(*c->late_ms));
    c->arena = wf_arena_new(0);
    if (c->trails == NULL || c->late_ms == NULL || c->arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    for (size_t i = 0; i < c->n_courses; i++)
        c->trails[i] = (struct trail){.number = c->courses[i].number, .course = i};
    qsort(c->trails, c->n_courses, sizeof(*c->trails), by_number);
    return wf_client_open(c->options->run, &patient, &c->client, err);
}

int replay_compare(const struct replay_options *options, const struct log *log,
                   const struct course *courses, bool *out_agree, struct wf_error *err)
{
    struct comparison c = {.options = options,
                           .courses = courses,
                           .n_courses = log->n_cases,
                           .n_events = log->n_events,
                           .channels = {.title = "Recorded channel"},
                           .ways = {.title = "Channel in Hoso"},
                           .activities = {.title = "Events by activity"},
                           .lasts = {.title = "Cases by last activity"},
                           .endings = {.title = "Cases by final states"}};
    int rc = open_comparison(&c, err);

    if (rc == 0) {
        count_log(&c);
        rc = read_dossiers(&c, err);
    }
    if (rc == 0)
        rc = read_journal(&c, err);
    if (rc == 0)
        *out_agree = print_all(&c);
    wf_client_close(c.client);
    wf_arena_free(c.arena);
    wf_free(c.late_ms);
    wf_free(c.trails);
    return rc;
}

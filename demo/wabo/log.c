/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole file is read, its lines and cells are cut in place, and rows become events one by one.
 */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "process.h"
#include "workflow/memory.h"
#include "workflow/text.h"

#define FILE_MAX     ((size_t)64 << 20)
#define COLUMNS_MAX  64
#define WHEN_NUMBERS 9

enum column { CASE, CHANNEL, DEPARTMENT, STARTED, ACTIVITY, TIME, RESOURCE, COLUMN_COUNT };

static const char *const columns[COLUMN_COUNT] = {
    [CASE] = "case:concept:name", [CHANNEL] = "case:channel",  [DEPARTMENT] = "case:department",
    [STARTED] = "case:startdate", [ACTIVITY] = "concept:name", [TIME] = "time:timestamp",
    [RESOURCE] = "org:resource",
};

struct reading {
    struct log *log;
    size_t at[COLUMN_COUNT]; /* where the columns stand */
    size_t n_columns;
    size_t line;
    struct wf_error *err;
};

/* ---- the file ---------------------------------------------------------------------------------
 */

static int read_open(FILE *file, const char *path, char **out, struct wf_error *err)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

    if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
        return wf_fail(err, WF_E_IO, "%s: %s", path, strerror(errno));
    if ((size_t)size > FILE_MAX)
        return wf_fail(err, WF_E_FULL, "%s: longer than %zu bytes", path, FILE_MAX);
    char *text = wf_alloc((size_t)size + 1);
    if (text == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (fread(text, 1, (size_t)size, file) != (size_t)size) {
        wf_free(text);
        return wf_fail(err, WF_E_IO, "%s: cannot be read", path);
    }
    *out = text;
    return 0;
}

static int read_file(const char *path, char **out, struct wf_error *err)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return wf_fail(err, errno == ENOENT ? WF_E_NOT_FOUND : WF_E_IO, "%s: %s", path,
                       strerror(errno));
    int rc = read_open(file, path, out, err);
    (void)fclose(file);
    return rc;
}

/* ---- cells ------------------------------------------------------------------------------------
 */

static size_t cut(char *line, char *cells[COLUMNS_MAX])
{
    size_t n = 0;

    for (char *cell = line; cell != NULL && n < COLUMNS_MAX;)
        cells[n++] = strsep(&cell, ",");
    return n;
}

/* "2011-10-11 13:45:40.276000+02:00" to milliseconds UTC */
static bool read_time(const char *text, int64_t *out)
{
    int n[WHEN_NUMBERS];
    char sign;

    if (strlen(text) != 32 ||
        sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d.%6d%c%2d:%2d", &n[0], &n[1], &n[2], &n[3], &n[4],
               &n[5], &n[6], &sign, &n[7], &n[8]) != WHEN_NUMBERS + 1)
        return false;
    struct tm when = {.tm_year = n[0] - 1900,
                      .tm_mon = n[1] - 1,
                      .tm_mday = n[2],
                      .tm_hour = n[3],
                      .tm_min = n[4],
                      .tm_sec = n[5]};
    int64_t zone = (int64_t)n[7] * 60 + n[8];
    *out = ((int64_t)timegm(&when) - (sign == '-' ? -zone : zone) * 60) * 1000 + n[6] / 1000;
    return sign == '+' || sign == '-';
}

static int wrong(struct reading *r, const char *what, const char *cell)
{
    return wf_fail(r->err, WF_E_INVALID, "line %zu: %s: %.60s", r->line, what, cell);
}

static int read_header(struct reading *r, char *line)
{
    char *cells[COLUMNS_MAX];

    r->n_columns = cut(line, cells);
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        size_t at = 0;

        while (at < r->n_columns && strcmp(cells[at], columns[c]) != 0)
            at++;
        if (at == r->n_columns)
            return wrong(r, "a column is missing", columns[c]);
        r->at[c] = at;
    }
    return 0;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static int add_case(struct reading *r, char *const *cells, struct log_event *first)
{
    struct log *log = r->log;
    struct log_case *new = &log->cases[log->n_cases];

    for (size_t i = 0; i < log->n_cases; i++) {
        if (strcmp(log->cases[i].id, cells[r->at[CASE]]) == 0)
            return wrong(r, "the rows of a case do not stand together", cells[r->at[CASE]]);
    }
    *new = (struct log_case){.id = cells[r->at[CASE]],
                             .channel = cells[r->at[CHANNEL]],
                             .department = cells[r->at[DEPARTMENT]],
                             .events = first};
    if (process_way(new->channel) == NULL)
        return wrong(r, "unknown channel", new->channel);
    if (!read_time(cells[r->at[STARTED]], &new->started_ms))
        return wrong(r, "no time", cells[r->at[STARTED]]);
    if (first->ms < new->started_ms)
        new->started_ms = first->ms; /* two were entered after the confirmation */
    log->n_cases++;
    return 0;
}

static int read_row(struct reading *r, char *line)
{
    struct log *log = r->log;
    struct log_event *event = &log->events[log->n_events];
    char *cells[COLUMNS_MAX];

    if (cut(line, cells) != r->n_columns)
        return wrong(r, "another number of cells than the first line has", cells[0]);
    event->what = process_activity(cells[r->at[ACTIVITY]]);
    if (event->what == NULL)
        return wrong(r, "unknown activity", cells[r->at[ACTIVITY]]);
    if (!read_time(cells[r->at[TIME]], &event->ms))
        return wrong(r, "no time", cells[r->at[TIME]]);
    event->resource = cells[r->at[RESOURCE]];

    bool is_new =
        log->n_cases == 0 || strcmp(log->cases[log->n_cases - 1].id, cells[r->at[CASE]]) != 0;
    int rc = is_new ? add_case(r, cells, event) : 0;
    if (rc != 0)
        return rc;
    if (!is_new && event->ms < event[-1].ms)
        return wrong(r, "earlier than the row before", cells[r->at[TIME]]);
    log->cases[log->n_cases - 1].n_events++;
    log->n_events++;
    return 0;
}

static size_t count_lines(const char *text)
{
    size_t n = 1;

    for (; *text != '\0'; text++)
        n += *text == '\n' ? 1 : 0;
    return n;
}

static int read_rows(struct log *log, struct wf_error *err)
{
    struct reading r = {.log = log, .err = err};
    size_t most = count_lines(log->text);
    char *rest = log->text;
    int rc = 0;

    log->events = wf_alloc(most * sizeof(*log->events));
    log->cases = wf_alloc(most * sizeof(*log->cases));
    if (log->events == NULL || log->cases == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    while (rc == 0 && rest != NULL) {
        char *line = strsep(&rest, "\n");

        r.line++;
        if (r.line == 1)
            rc = read_header(&r, line);
        else if (*line != '\0')
            rc = read_row(&r, line);
    }
    return rc;
}

int log_read(const char *path, struct log *out, struct wf_error *err)
{
    struct log log = {0};
    int rc = read_file(path, &log.text, err);

    if (rc == 0) {
        rc = read_rows(&log, err);
        if (rc != 0)
            rc = wf_wrap(err, "%s", path);
    }
    if (rc == 0)
        *out = log;
    else
        log_fini(&log);
    return rc;
}

void log_fini(struct log *log)
{
    wf_free(log->events);
    wf_free(log->cases);
    wf_free(log->text);
    *log = (struct log){0};
}

/* ---- chance -----------------------------------------------------------------------------------
 */

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void log_shuffle(struct log *log, uint64_t seed)
{
    for (size_t c = 0; c < log->n_cases; c++) {
        struct log_event *events = log->cases[c].events;

        for (size_t i = log->cases[c].n_events - 1; i > 1; i--) {
            size_t other = 1 + (size_t)(next_random(&seed) % i);
            const struct activity *what = events[i].what;

            events[i].what = events[other].what;
            events[other].what = what;
        }
    }
}

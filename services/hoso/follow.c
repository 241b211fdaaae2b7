/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow: events as they happen. The journal itself is read, by its numbers, so nothing is left out
 * or told twice, and no worker need be there. A few rows are copied in one read transaction and
 * written after it has ended: whoever reads our output may stop for hours, and a snapshot held
 * meanwhile would keep the store's pages from being used again.
 */
#include "hoso.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "workflow/chart.h"

#define EVENTS_AT_ONCE 200
#define LOOKED_AT_MOST 2000 /* in one transaction, with those that no filter lets through */
#define LOOK_MS        200
#define NAME_MOST      256

struct follow {
    struct hoso h;           /* as the verb's, with an arena that is emptied after each part */
    uint64_t next;           /* number of the journal */
    uint64_t dossier;        /* 0 = all */
    struct wf_value *rows;   /* of this part */
    struct wf_arena *stored; /* one row of the store */
    bool at_end;
};

static const struct hoso_column columns[] = {
    {"seq", "Number", "Số", HOSO_NUMBER},
    {"ms", "When", "Lúc", HOSO_TIME},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"event", "Event", "Sự kiện", HOSO_TEXT},
    {"status", "Status", "Trạng thái", HOSO_STATUS},
    {"states", "State after", "Bước sau đó", HOSO_WORDS},
    {"by", "By", "Người thực hiện", HOSO_TEXT},
    {"brief", "Data", "Dữ liệu", HOSO_TEXT},
};
static const size_t widths[WF_COUNT(columns)] = {6, 16, 25, 24, 20, 16, 10, 0};

/* ---- ending ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t told_to_end;

static void note_end(int signal_number)
{
    (void)signal_number;
    told_to_end = 1;
}

/* Not restarted: a write to a reader that stands still ends as well. The second one kills. */
static void catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction end = {.sa_handler = note_end, .sa_flags = (int)SA_RESETHAND};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < WF_COUNT(signals); i++)
        (void)sigaction(signals[i], &end, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* Has the reader gone? Asked while nothing happens too, so that `follow | head` ends by itself. */
static bool is_heard(int wait_ms)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, wait_ms) <= 0 || (out.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

/* What lies in the buffer has no reader any more: main's own flush shall not fail for it. */
static void let_go_of_output(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDOUT_FILENO);
    clearerr(stdout);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool fits(const struct hoso *h, enum hoso_option option, struct wf_str value)
{
    return !hoso_has(h, option) || wf_str_equal(hoso_text(h, option), value);
}

static bool is_wanted(const struct follow *f, const struct wf_rec_event *event)
{
    char name[NAME_MOST];
    if (f->dossier != 0 && event->dossier != f->dossier)
        return false;
    return !hoso_has(&f->h, OPT_EVENT) || (wf_str_copy(event->event, name, sizeof(name)) &&
                                           wf_event_matches(f->h.opt[OPT_EVENT], name));
}

static const struct wf_value *code_of(struct hoso *h, const struct wf_rec_event *event,
                                      const struct wf_rec_dossier *dossier)
{
    if (event->dossier == 0)
        return wf_text(h->arena, ""); /* it happened to the cell itself */
    if (dossier->code.len > 0)
        return hoso_str(h, dossier->code);
    const char *number = wf_arena_printf(h->arena, "#%llu", (unsigned long long)event->dossier);
    return number != NULL ? wf_text(h->arena, number) : NULL;
}

static int take(struct follow *f, struct wf_txn *txn)
{
    struct hoso *h = &f->h;
    struct wf_rec_event event;
    struct wf_rec_dossier dossier = {0};
    wf_arena_reset(f->stored);
    int rc = wf_journal_get(txn, f->next, f->stored, &event, NULL, &h->err);
    if (rc != 0 || !is_wanted(f, &event))
        return rc < 0 ? rc : 0;
    if (event.dossier != 0)
        rc = wf_dossier_get(txn, event.dossier, f->stored, &dossier, &h->err);
    if (rc < 0 || !fits(h, OPT_PROCEDURE, dossier.procedure) || !fits(h, OPT_SITE, dossier.site))
        return rc < 0 ? rc : 0;
    struct wf_value *row = hoso_event_value(h, &event);
    (void)wf_map_put(h->arena, row, "dossier", code_of(h, &event, &dossier));
    (void)wf_map_put(h->arena, row, "procedure", hoso_str(h, dossier.procedure));
    (void)wf_map_put(h->arena, row, "site", hoso_str(h, dossier.site));
    if (!wf_list_add(h->arena, f->rows, row))
        return wf_fail(&h->err, WF_E_NOMEM, "follow: out of memory");
    return 0;
}

static int read_part(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct follow *f = context;
    uint64_t head = wf_txn_counts(txn)->journal_seq;
    int rc = 0;
    (void)h;
    for (size_t i = 0; rc == 0 && i < LOOKED_AT_MOST && f->next <= head; i++) {
        rc = take(f, txn);
        f->next += rc == 0;
        if (wf_value_count(f->rows) >= EVENTS_AT_ONCE)
            break;
    }
    f->at_end = f->next > head;
    return rc;
}

/* Where to begin, and whose events. */
static int read_start(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct follow *f = context;
    int64_t from = 0;
    if (!hoso_has(h, OPT_FROM) || strcmp(h->opt[OPT_FROM], "now") == 0)
        f->next = wf_txn_counts(txn)->journal_seq + 1;
    else if (hoso_number(h, OPT_FROM, 1, INT64_MAX, &from) == 0)
        f->next = from > 0 ? (uint64_t)from : 1;
    else
        return wf_fail(&h->err, WF_E_CONFIG, "--from: a number of the journal, or now");
    return hoso_dossier_option(h, txn, &f->dossier);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_row(struct follow *f, const struct wf_value *row)
{
    struct hoso *h = &f->h;
    if (h->json)
        return hoso_json_line(row, stdout, &h->err);
    struct wf_value *shown = wf_map_copy(h->arena, row);
    (void)wf_map_put(h->arena, shown, "brief", hoso_brief(h, wf_map_get(row, "data"), 60));
    return hoso_print_line(h, columns, widths, WF_COUNT(columns), shown);
}

static int follow_part(struct follow *f)
{
    wf_arena_reset(f->h.arena);
    f->rows = wf_list(f->h.arena);
    int rc = hoso_read(&f->h, read_part, f);
    for (size_t i = 0; rc == 0 && i < wf_value_count(f->rows); i++)
        rc = write_row(f, wf_list_at(f->rows, i));
    if (fflush(stdout) != 0 && rc == 0)
        rc = wf_fail(&f->h.err, WF_E_IO, "write the events: %s", strerror(errno));
    return rc;
}

/* Who ends us, or no longer listens, is no failure. */
static int follow_on(struct follow *f)
{
    int rc = 0;
    while (rc == 0 && told_to_end == 0 && is_heard(f->at_end ? LOOK_MS : 0))
        rc = follow_part(f);
    bool is_over = told_to_end != 0 || !is_heard(0);
    if (is_over)
        let_go_of_output();
    return is_over ? 0 : rc;
}

int hoso_follow(struct hoso *h)
{
    struct follow f = {0};
    int rc = hoso_store(h, false);
    if (rc == 0)
        rc = hoso_read(h, read_start, &f);
    if (rc != 0)
        return rc;
    f.h = *h;
    f.h.arena = wf_arena_new(0);
    f.stored = wf_arena_new(0);
    if (f.h.arena == NULL || f.stored == NULL)
        rc = wf_fail(&f.h.err, WF_E_NOMEM, "follow: out of memory");
    catch_signals();
    if (rc == 0 && !h->json)
        rc = hoso_print_line(&f.h, columns, widths, WF_COUNT(columns), NULL);
    if (rc == 0)
        rc = follow_on(&f);
    h->err = f.h.err;
    wf_arena_free(f.stored);
    wf_arena_free(f.h.arena);
    return rc;
}

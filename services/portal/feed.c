/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journal -> outbox. A page of events is read and its dossiers looked up; what they come to is
 * written, together with how far the journal was read, in one transaction; only then the cursor at
 * the cell is acknowledged. So a kill at any moment leaves either nothing of a page, and it is read
 * again, or all of it.
 *
 * The journal tells the status after each event; all else of a record is the dossier as it is when
 * the page is read. Fields of a later time do no harm: the last record has the last state of all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portal/portal.h"
#include "workflow/log.h"

#define PAGE 100

static struct portal *self(struct adapter *a)
{
    return a->self;
}

static const struct portal_settings *settings(const struct adapter *a)
{
    return a->settings;
}

/* ---- the dossier of an event ----------------------------------------------------------------- */

/* WF_NONE where the dossier has no code yet, or is gone: its registration is another event. */
static int look_up(struct adapter *a, struct wf_str name, struct portal_dossier *out,
                   struct wf_error *err)
{
    const struct wf_msg_dossier_get get = {.dossier = name, .content = true};
    struct wf_client *client = NULL;
    struct wf_envelope reply = {0};
    *out = (struct portal_dossier){.settings = settings(a)};
    int rc = adapter_client(a, &client, err);
    if (rc == 0)
        rc = wf_client_call(client, WF_INTAKE, WF_MSG_dossier_get, &get, a->arena, &reply, err);
    if (rc == WF_E_NOT_FOUND)
        return WF_NONE;
    if (rc != 0)
        return rc;
    out->state = reply.body;
    if (out->state->dossier.len == 0)
        return WF_NONE;
    return portal_definition(&self(a)->definitions, client, out->state->procedure,
                             out->state->version, a->arena, &out->procedure, err);
}

/* ---- what an event comes to ------------------------------------------------------------------ */

static void note_status(struct portal_course *course, int status, int64_t ms)
{
    if (status == 2 && course->accepted == 0)
        course->accepted = ms;
    if (status == 4) /* also when a finished one is opened again */
        course->finished = 0;
    if (status == 9 || status == 8)
        course->finished = ms;
    if (status == 10)
        course->returned = ms;
    if (status == 3)
        course->refused = ms;
}

static int put(struct adapter *a, const struct portal_dossier *d, struct portal_event *e,
               enum portal_service service, struct wf_error *err)
{
    char *body =
        service == PORTAL_PROGRESS ? portal_progress_record(d, e) : portal_sync_record(d, e);
    if (body == NULL)
        return wf_fail(err, WF_E_NOMEM, "make a record: out of memory");
    int rc = outbox_put(self(a)->db, d->state->dossier, e, service, body, err);
    explicit_bzero(body, strlen(body));
    free(body);
    e->part++;
    return rc;
}

/* The dossier as it is: one record for each status on the way, or one when only the due date moved. */
static int put_statuses(struct adapter *a, struct portal_dossier *d, struct portal_known *known,
                        struct portal_event *e, int status, struct wf_error *err)
{
    int path[STATUS_MAX];
    size_t n = portal_path(settings(a), known->status, status, path);
    const struct wf_str note = e->note;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        note_status(&known->course, i == n - 1 ? status : path[i], e->ms);
        note_status(&known->course, path[i], e->ms); /* 8 in place of 3 is both */
        d->course = known->course;
        e->status = path[i];
        e->note = i == n - 1 ? note : wf_str("");
        rc = put(a, d, e, known->status == 0 ? PORTAL_NEW : PORTAL_UPDATE, err);
        known->status = path[i];
    }
    if (rc == 0 && n == 0 && known->status != 0 && known->due != d->state->due) {
        d->course = known->course;
        e->status = known->status;
        rc = put(a, d, e, PORTAL_UPDATE, err);
    }
    known->due = d->state->due;
    return rc;
}

static void join(const struct wf_value *states, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < wf_value_count(states) && at < size - 1; i++) {
        int n = snprintf(out + at, size - at, "%s%s", i > 0 ? " " : "",
                         wf_value_text(wf_list_at(states, i), ""));
        at = n > 0 ? at + (size_t)n : at;
    }
}

/* A step is told when the dossier stands elsewhere than before. */
static int put_progress(struct adapter *a, const struct portal_dossier *d,
                        struct portal_known *known, struct portal_event *e, struct wf_error *err)
{
    char states[sizeof(known->states)];
    join(e->states, states, sizeof(states));
    if (known->status == 0 || strcmp(states, known->states) == 0)
        return 0;
    memcpy(known->states, states, sizeof(states));
    e->status = known->status;
    return put(a, d, e, PORTAL_PROGRESS, err);
}

static int take_event(struct adapter *a, const struct wf_value *event,
                      const struct portal_dossier *looked, struct wf_error *err)
{
    struct portal_dossier d = *looked;
    struct portal_known known;
    struct portal_event e = {.n = wf_value_int(wf_map_get(event, "n"), 0),
                             .ms = wf_value_int(wf_map_get(event, "ms"), 0),
                             .by = wf_value_str(wf_map_get(event, "by")),
                             .role = wf_value_str(wf_map_get(event, "role")),
                             .states = wf_map_get(event, "states"),
                             .note = wf_value_str(wf_value_at(event, "data.reason"))};
    int status = (int)wf_value_int(wf_map_get(event, "status"), 0);
    int rc = outbox_known(self(a)->db, d.state->dossier, &known, err);
    if (rc >= 0)
        rc = put_statuses(a, &d, &known, &e, status, err);
    if (rc == 0)
        rc = put_progress(a, &d, &known, &e, err);
    return rc == 0 ? outbox_set_known(self(a)->db, d.state, &known, err) : rc;
}

/* ---- the page -------------------------------------------------------------------------------- */

/* The dossiers of the page's events, each asked for once; one without state is passed over. */
static int look_up_all(struct adapter *a, const struct wf_msg_journal_page *page,
                       struct portal_dossier *out, struct wf_error *err)
{
    for (size_t i = 0; i < wf_value_count(page->events); i++) {
        char name[24];
        int64_t id = wf_value_int(wf_map_get(wf_list_at(page->events, i), "dossier"), 0);
        size_t k = 0;
        while (k < i && wf_value_int(wf_map_get(wf_list_at(page->events, k), "dossier"), 0) != id)
            k++;
        if (k < i) {
            out[i] = out[k];
            continue;
        }
        (void)snprintf(name, sizeof(name), "#%lld", (long long)id);
        int rc = look_up(a, wf_str(name), &out[i], err);
        if (rc < 0)
            return rc;
        if (rc == WF_NONE)
            out[i].state = NULL;
    }
    return 0;
}

static int set_mark(struct db *db, const struct wf_value *event, struct wf_error *err)
{
    const struct portal_mark mark = {wf_value_int(wf_map_get(event, "seq"), 0),
                                     wf_value_str(wf_map_get(event, "hash"))};
    return outbox_set_mark(db, &mark, err);
}

/* All is at hand: nothing in the transaction waits for anybody. */
static int take_page(struct adapter *a, const struct wf_msg_journal_page *page,
                     struct wf_error *err)
{
    struct db *db = self(a)->db;
    size_t n = wf_value_count(page->events);
    struct portal_dossier *looked = wf_arena_alloc(a->arena, (n + 1) * sizeof(*looked));
    if (looked == NULL)
        return wf_fail(err, WF_E_NOMEM, "read the journal: out of memory");
    int rc = look_up_all(a, page, looked, err);
    if (rc == 0)
        rc = db_begin(db, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (looked[i].state != NULL)
            rc = take_event(a, wf_list_at(page->events, i), &looked[i], err);
    }
    if (rc == 0)
        rc = outbox_set_position(db, (int64_t)page->next - 1, err);
    if (rc == 0 && n > 0)
        rc = set_mark(db, wf_list_at(page->events, n - 1), err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    return rc;
}

static int read_page(struct adapter *a, const struct wf_msg_journal_page **out,
                     struct wf_error *err)
{
    struct wf_msg_journal_fetch fetch = {.max = PAGE};
    struct wf_client *client = NULL;
    struct wf_envelope reply = {0};
    int64_t position = 0;
    int rc = outbox_position(self(a)->db, &position, err);
    if (rc == WF_NONE) /* a new file: one row tells where the cursor stands (check_start) */
        fetch = (struct wf_msg_journal_fetch){.cursor = wf_str(settings(a)->cursor), .max = 1};
    else
        fetch.from = (uint64_t)position + 1;
    if (rc >= 0)
        rc = adapter_client(a, &client, err);
    if (rc == 0)
        rc = wf_client_call(client, WF_INTAKE, WF_MSG_journal_fetch, &fetch, a->arena, &reply, err);
    if (rc == 0)
        *out = reply.body;
    return rc;
}

static int acknowledge(struct adapter *a, struct wf_error *err)
{
    struct portal *p = self(a);
    struct wf_client *client = NULL;
    struct wf_envelope reply = {0};
    int64_t position = 0;
    int rc = outbox_position(p->db, &position, err);
    if (rc == WF_NONE || (rc == 0 && (position == p->acked || position == 0)))
        return 0;
    struct wf_msg_journal_ack ack = {.cursor = wf_str(settings(a)->cursor),
                                     .seq = (uint64_t)position};
    if (rc == 0)
        rc = adapter_client(a, &client, err);
    if (rc == 0)
        rc = wf_client_call(client, WF_INTAKE, WF_MSG_journal_ack, &ack, a->arena, &reply, err);
    if (rc == 0)
        p->acked = position;
    return rc;
}

/* A held record that an operator wants to try again is made anew: what was wrong may be mended. */
static int renew(struct adapter *a, struct wf_error *err)
{
    struct portal *p = self(a);
    struct portal_row row;
    struct portal_dossier d;
    struct portal_known known;
    int rc = outbox_stale(p->db, a->arena, &row, err);
    if (rc != 0)
        return rc;
    rc = look_up(a, wf_str(row.code), &d, err);
    if (rc < 0)
        return rc;
    char *body = NULL;
    if (rc == 0 && row.service != PORTAL_PROGRESS) { /* a step was as it was */
        rc = outbox_known(p->db, wf_str(row.code), &known, err);
        const struct portal_event e = {.n = row.n,
                                       .part = row.part,
                                       .ms = row.ms,
                                       .status = row.status,
                                       .note = wf_str(row.note)};
        d.course = known.course;
        body = rc >= 0 ? portal_sync_record(&d, &e) : NULL;
        if (rc >= 0 && body == NULL)
            rc = wf_fail(err, WF_E_NOMEM, "make a record: out of memory");
    }
    if (rc >= 0)
        rc = outbox_renew(p->db, &row, body, err);
    free(body);
    return rc < 0 ? rc : 1;
}

/* Counting takes a while where many wait, so it is done now and then. */
static int room(struct adapter *a, struct wf_error *err)
{
    struct portal *p = self(a);
    int64_t now = wf_monotonic_ms();
    int rc = 0;
    if (now >= p->count_at_ms) {
        rc = db_number(p->db, err, &p->waiting, "SELECT count(*) FROM outbox WHERE state <> 1", "");
        p->count_at_ms = now + 10000;
    }
    if (rc == 0 && p->waiting >= settings(a)->outbox_most)
        return wf_fail(err, WF_E_BUSY,
                       "the outbox is full (outbox_most): what is new stays in the journal");
    return rc;
}

/*
 * Outbox and journal must belong together: one of them alone brought back from a backup would leave
 * events out, or tell the portal of dossiers that it knows as if they were new.
 */
static int check_start(const struct wf_msg_journal_page *page, int64_t position,
                       struct wf_error *err)
{
    if (position > (int64_t)page->head)
        return wf_fail(err, WF_E_STATE,
                       "the journal ends before what was read of it: was an older backup restored? "
                       "See docs/portal.md");
    if (position < 0 && page->next > 2)
        return wf_fail(
            err, WF_E_STATE,
            "the outbox is new, but the journal was read before: bring its file back, or "
            "name another cursor to tell all from the start. See docs/portal.md");
    return 0;
}

/*
 * An older backup that has grown past our position meanwhile gives other events under the numbers
 * that we have read: its chain of hashes is another. What this party may no longer see tells nothing.
 */
static int check_chain(struct adapter *a, struct wf_error *err)
{
    struct portal_mark mark;
    struct wf_client *client = NULL;
    struct wf_envelope reply = {0};
    int rc = outbox_mark(self(a)->db, a->arena, &mark, err);
    if (rc != 0)
        return rc == WF_NONE ? 0 : rc;
    const struct wf_msg_journal_fetch fetch = {.from = (uint64_t)mark.seq, .max = 1};
    rc = adapter_client(a, &client, err);
    if (rc == 0)
        rc = wf_client_call(client, WF_INTAKE, WF_MSG_journal_fetch, &fetch, a->arena, &reply, err);
    if (rc != 0)
        return rc;
    const struct wf_msg_journal_page *page = reply.body;
    const struct wf_value *event = wf_list_at(page->events, 0);
    if (wf_value_int(wf_map_get(event, "seq"), 0) == mark.seq &&
        !wf_str_equal(wf_value_str(wf_map_get(event, "hash")), mark.hash))
        return wf_fail(
            err, WF_E_STATE,
            "the journal is not the one that was read: was an older backup restored? See "
            "docs/portal.md");
    return 0;
}

int portal_feed(struct adapter *a, struct wf_error *err)
{
    const struct wf_msg_journal_page *page = NULL;
    int rc = renew(a, err);
    if (rc != WF_NONE && rc != 0)
        return rc;
    rc = room(a, err);
    if (rc == 0)
        rc = read_page(a, &page, err);
    if (rc != 0)
        return rc;
    bool is_news = wf_value_count(page->events) > 0;
    int64_t position = -1;
    rc = outbox_position(self(a)->db, &position, err);
    if (rc >= 0)
        rc = check_start(page, position, err);
    if (rc >= 0 && is_news)
        rc = check_chain(a, err);
    if (rc >= 0 && (is_news || position != (int64_t)page->next - 1))
        rc = take_page(a, page, err);
    if (rc >= 0)
        rc = acknowledge(a, err);
    return rc < 0 ? rc : page->next <= page->head;
}

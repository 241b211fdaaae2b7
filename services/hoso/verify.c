/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: the journal's chain of hashes from its first event to its head, and every record of the
 * other tables, whose reading checks its checksum. Each table in a transaction of its own, dossiers
 * in parts, so that a running cell can go on meanwhile.
 */
#include "hoso.h"

#include <inttypes.h>

#define DOSSIERS_PER_TRANSACTION 500

struct check {
    struct hoso *h;
    struct wf_txn *txn;
    struct wf_arena *arena; /* emptied after each part */
    uint64_t dossiers, events, journal, queued, dead, tasks, procedures;
    uint64_t last;
    uint64_t part;
};

static int count_event(void *context, const struct wf_rec_event *event)
{
    (void)event;
    ++((struct check *)context)->events;
    return 0;
}

static int check_dossier(void *context, const struct wf_rec_dossier *dossier)
{
    struct check *c = context;
    struct wf_rec_content content;
    uint64_t before = c->events;
    c->last = dossier->id;
    c->dossiers++;
    int rc = wf_content_get(c->txn, dossier->id, c->arena, &content, &c->h->err);
    if (rc == 0)
        rc = wf_history_each(c->txn, dossier->id, c->arena, count_event, c, &c->h->err);
    if (rc == WF_NONE)
        rc = wf_fail(&c->h->err, WF_E_CORRUPT, "its fields and papers are missing");
    if (rc == 0 && c->events - before != dossier->events)
        rc = wf_fail(&c->h->err, WF_E_CORRUPT, "%" PRIu64 " events are counted, %" PRIu64 " found",
                     dossier->events, c->events - before);
    if (rc < 0)
        return wf_wrap(&c->h->err, "dossier %.*s (#%" PRIu64 ")", WF_STR_ARG(dossier->code),
                       dossier->id);
    return ++c->part >= DOSSIERS_PER_TRANSACTION ? WF_NONE : 0;
}

static int part_of_dossiers(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct check *c = context;
    const struct wf_dossier_filter filter = {.after = c->last};
    c->txn = txn;
    c->part = 0;
    return wf_dossier_each(txn, &filter, c->arena, check_dossier, c, &h->err);
}

static int all_dossiers(struct check *c)
{
    int rc = WF_NONE;
    while (rc == WF_NONE) {
        rc = hoso_read(c->h, part_of_dossiers, c);
        wf_arena_reset(c->arena);
    }
    return rc;
}

static int whole_journal(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct check *c = context;
    return wf_journal_verify(txn, 1, &c->journal, &h->err);
}

static int count_item(void *context, const struct wf_rec_queue *item)
{
    struct check *c = context;
    ++*(item->since != 0 ? &c->dead : &c->queued);
    return 0;
}

static int count_task(void *context, const struct wf_rec_task *task)
{
    (void)task;
    ++((struct check *)context)->tasks;
    return 0;
}

static int count_procedure(void *context, const struct wf_rec_procedure *procedure)
{
    (void)procedure;
    ++((struct check *)context)->procedures;
    return 0;
}

static int other_tables(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct check *c = context;
    int rc = wf_procedure_each(txn, c->arena, count_procedure, c, &h->err);
    if (rc == 0)
        rc = wf_task_each(txn, c->arena, count_task, c, &h->err);
    for (unsigned s = 0; s < WF_SERVICE_COUNT && rc == 0; s++) {
        rc = wf_queue_each(txn, (enum wf_service)s, false, c->arena, count_item, c, &h->err);
        if (rc == 0)
            rc = wf_queue_each(txn, (enum wf_service)s, true, c->arena, count_item, c, &h->err);
    }
    return rc;
}

static const struct hoso_column columns[] = {
    {"journal", "Journal events in an unbroken chain", "Sự kiện nối liền trong nhật ký",
     HOSO_NUMBER},
    {"dossiers", "Dossiers", "Hồ sơ", HOSO_NUMBER},
    {"events", "  events found under them", "  sự kiện của hồ sơ", HOSO_NUMBER},
    {"tasks", "Tasks", "Việc mở", HOSO_NUMBER},
    {"queued", "Queue items", "Việc trong hàng đợi", HOSO_NUMBER},
    {"dead", "Dead letters", "Việc lỗi hẳn", HOSO_NUMBER},
    {"procedures", "Procedure versions", "Bản thủ tục", HOSO_NUMBER},
};

static const struct wf_value *number(struct hoso *h, uint64_t n)
{
    return wf_int(h->arena, (int64_t)n);
}

int hoso_verify(struct hoso *h)
{
    struct check c = {.h = h, .arena = wf_arena_new(0)};
    bool done = false;
    if (c.arena == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "verify: out of memory");
    int rc = hoso_read(h, whole_journal, &c);
    wf_arena_reset(c.arena);
    if (rc == 0)
        rc = all_dossiers(&c);
    if (rc == 0)
        rc = hoso_read(h, other_tables, &c);
    wf_arena_free(c.arena);
    if (rc != 0)
        return rc;
    /* clang-format off */
    const struct wf_value *answer = hoso_map(h,
        "undamaged", &wf_true,
        "journal", number(h, c.journal),
        "dossiers", number(h, c.dossiers),
        "events", number(h, c.events),
        "tasks", number(h, c.tasks),
        "queued", number(h, c.queued),
        "dead", number(h, c.dead),
        "procedures", number(h, c.procedures),
        NULL);
    /* clang-format on */
    rc = hoso_answer(h, answer, &done);
    if (rc != 0 || done)
        return rc;
    (void)puts(h->vi ? "Dữ liệu nguyên vẹn." : "Undamaged.");
    return hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store says of a cell's health, in one snapshot of milliseconds, however many dossiers
 * there are: counters and tallies are kept where they change, and of the queues only the first rows
 * are looked at.
 */
#include "health.h"

#define DAY_MS           (INT64_C(24) * 3600 * 1000)
#define LOOK_ITEMS       100  /* of a queue, for its oldest */
#define SUBSCRIBERS_MOST 1000 /* each is a label that monitoring has to carry */

struct reading {
    struct hoso *h;
    struct wf_txn *txn;
    struct figures *f;
    struct wf_arena *row; /* of one row of the store */
    int64_t oldest;
    unsigned n;
};

static const struct wf_value *number(struct hoso *h, uint64_t n)
{
    return wf_int(h->arena, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

/* ---- dossiers -------------------------------------------------------------------------------- */

static int add_tally(void *context, struct wf_str procedure, struct wf_str state, uint64_t n)
{
    struct reading *r = context;
    struct hoso *h = r->h;
    struct wf_value *row =
        hoso_map(h, "procedure", hoso_str(h, procedure), "open", number(h, n), NULL);
    if (state.len > 0)
        (void)wf_map_put(h->arena, row, "state", hoso_str(h, state));
    (void)wf_list_add(h->arena, state.len > 0 ? r->f->by_state : r->f->by_procedure, row);
    return 0;
}

static int read_dossiers(struct reading *r)
{
    struct figures *f = r->f;
    uint64_t with_soon = 0;
    int rc = wf_tally_each(r->txn, add_tally, r, &r->h->err);
    if (rc == 0)
        rc = wf_tally_due_before(r->txn, f->now, &f->overdue, &r->h->err);
    if (rc == 0)
        rc = wf_tally_due_before(r->txn, f->now + DAY_MS, &with_soon, &r->h->err);
    f->due_soon = with_soon - f->overdue;
    return rc;
}

/* ---- queues ---------------------------------------------------------------------------------- */

static int look_at_item(void *context, const struct wf_rec_queue *item)
{
    struct reading *r = context;
    if (item->created < r->oldest)
        r->oldest = item->created;
    wf_arena_reset(r->row);
    return ++r->n >= LOOK_ITEMS ? WF_NONE : 0;
}

static int read_queue(struct reading *r, enum wf_service service)
{
    struct figures *f = r->f;
    int64_t due = INT64_MAX;
    int rc = wf_queue_next_due(r->txn, service, &due, &r->h->err);
    f->late_ms[service] = due < f->real ? f->real - due : 0;
    r->oldest = f->real;
    r->n = 0;
    if (rc == 0)
        rc = wf_queue_each(r->txn, service, false, r->row, look_at_item, r, &r->h->err);
    f->oldest_ms[service] = f->real - r->oldest;
    return rc < 0 ? rc : 0;
}

/* ---- subscribers ----------------------------------------------------------------------------- */

/* How long the first event has been there that the subscriber has not acknowledged. */
static int64_t age_of(struct reading *r, uint64_t seq)
{
    struct wf_rec_event event;
    wf_arena_reset(r->row);
    if (wf_journal_get(r->txn, seq + 1, r->row, &event, NULL, NULL) != 0)
        return 0;
    return event.ms < r->f->now ? r->f->now - event.ms : 0;
}

static int add_subscriber(void *context, struct wf_str name, uint64_t seq)
{
    struct reading *r = context;
    struct hoso *h = r->h;
    uint64_t head = r->f->counts.journal_seq;
    uint64_t lag = head > seq ? head - seq : 0;
    (void)wf_list_add(h->arena, r->f->subscribers,
                      hoso_map(h, "name", hoso_str(h, name), "seq", number(h, seq), "lag",
                               number(h, lag), "age_ms",
                               wf_int(h->arena, lag > 0 ? age_of(r, seq) : 0), NULL));
    return ++r->n >= SUBSCRIBERS_MOST ? WF_NONE : 0;
}

static int read_subscribers(struct reading *r)
{
    r->n = 0;
    int rc = wf_cursor_each(r->txn, add_subscriber, r, &r->h->err);
    return rc < 0 ? rc : 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int read_all(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct reading *r = context;
    struct figures *f = r->f;
    struct wf_clock clock = wf_store_clock(h->store);
    r->txn = txn;
    f->counts = *wf_txn_counts(txn);
    f->real = wf_real_ms();
    f->now = wf_business_ms(&clock, f->real);
    int rc = read_dossiers(r);
    for (unsigned s = 0; s < WF_SERVICE_COUNT && rc == 0; s++)
        rc = read_queue(r, (enum wf_service)s);
    if (rc == 0)
        rc = read_subscribers(r);
    if (rc == 0)
        rc = wf_cell_is_held(txn, r->row, &f->cell_on_hold, &h->err);
    return rc == 0 ? wf_archive_state(txn, &f->archive, &h->err) : rc;
}

int figures_read(struct hoso *h, struct figures *out)
{
    struct figures f = {.by_procedure = wf_list(h->arena),
                        .by_state = wf_list(h->arena),
                        .subscribers = wf_list(h->arena)};
    struct reading r = {.h = h, .f = &f, .row = wf_arena_new(0)};
    int rc = r.row != NULL ? hoso_read(h, read_all, &r)
                           : wf_fail(&h->err, WF_E_NOMEM, "health: out of memory");
    wf_arena_free(r.row);
    if (rc == 0)
        rc = wf_store_space(h->store, &f.space, &h->err);
    if (rc == 0)
        *out = f;
    return rc;
}

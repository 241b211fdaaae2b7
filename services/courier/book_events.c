/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracking events. All are kept as they were told, and what they come to is worked out anew from
 * all of them in order of their own time: so it does not matter when, in which order and how often
 * they arrive. A code that gets its meaning later counts from then on.
 *
 * What each event changes is the table of return/parcel.c, the same that the cell goes by.
 */
#include "book.h"

#include <stdio.h>

static int add_event(struct db *db, const struct tracking_event *event, int64_t now_ms,
                     int64_t *out_new, struct wf_error *err)
{
    int64_t order = 0;
    int rc = db_number(db, err, &order, "SELECT id FROM orders WHERE number = ?1 AND forgotten = 0",
                       "t", event->order);
    if (rc != 0)
        return rc < 0 ? rc : 0; /* some other system's order, or long over */
    rc = db_do(db, err,
               "INSERT OR IGNORE INTO events (order_id, at_ms, code, id, heard_ms)"
               " VALUES (?1, ?2, ?3, ?4, ?5)",
               "iitti", order, event->at_ms, event->code, event->id, now_ms);
    int64_t is_new = rc == 0 ? db_changes(db) : 0;
    *out_new += is_new;
    if (rc == 0 && is_new > 0)
        rc = db_do(db, err, "UPDATE orders SET fresh = 1 WHERE id = ?1", "i", order);
    if (rc == 0 && event->item != NULL)
        rc = db_do(db, err, "UPDATE orders SET item = ?2 WHERE id = ?1 AND item = ''", "it", order,
                   event->item);
    return rc;
}

int book_events(struct db *db, const struct tracking_page *page, const char *last_id,
                int64_t now_ms, int64_t *out_new, struct wf_error *err)
{
    int64_t count = 0;
    int rc = db_begin(db, err);
    for (size_t i = 0; rc == 0 && i < page->n; i++)
        rc = add_event(db, &page->events[i], now_ms, &count, err);
    if (rc == 0)
        rc = book_note(db, "last_id", last_id, err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    else
        *out_new = count;
    return rc;
}

/* ---- what they come to ------------------------------------------------------------------------- */

static const char events_sql[] = "SELECT code FROM events WHERE order_id = ?1 ORDER BY at_ms, id";
static const char count_sql[] = "SELECT count(*) FROM events WHERE order_id = ?1";
static const char told_sql[] =
    "SELECT count(*) FROM told WHERE order_id = ?1 AND state = ?2 AND attempt = ?3";

static int fold(struct db *db, const struct courier_settings *settings, const struct order *order,
                struct step *steps, size_t most, size_t *out_n, struct wf_error *err)
{
    struct parcel parcel = {.state = PARCEL_NUMBERED};
    struct db_rows *rows = NULL;
    size_t n = 0;
    int rc = db_select(db, err, &rows, events_sql, "i", order->id);
    while (rc == 0 && n < most && (rc = db_next(rows, err)) == 0) {
        char text[16];
        if (!wf_str_copy(db_str(rows, 0), text, sizeof(text)))
            continue;
        const struct courier_code *code = courier_code(settings, text);
        if (code != NULL && code->is_news && parcel_apply(&parcel, code->state, 0))
            steps[n++] = (struct step){parcel.state, parcel.attempt, code->reason, false};
    }
    db_done(rows);
    if (rc < 0)
        return rc;
    *out_n = n;
    return 0;
}

int book_is_told(struct db *db, const struct order *order, const struct step *step, bool *out,
                 struct wf_error *err)
{
    int64_t n = 0;
    int rc =
        db_number(db, err, &n, told_sql, "iti", order->id, parcel_word(step->state), step->attempt);
    if (rc == 0)
        *out = n > 0;
    return rc;
}

int book_steps(struct db *db, const struct courier_settings *settings, const struct order *order,
               struct wf_arena *arena, struct step **out, size_t *out_n, struct wf_error *err)
{
    int64_t most = 0;
    size_t n = 0;
    int rc = db_number(db, err, &most, count_sql, "i", order->id);
    struct step *steps =
        rc == 0 ? wf_arena_alloc(arena, ((size_t)most + 1) * sizeof(*steps)) : NULL;
    if (rc == 0 && steps == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "events: out of memory");
    if (rc == 0)
        rc = fold(db, settings, order, steps, (size_t)most + 1, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = book_is_told(db, order, &steps[i], &steps[i].is_told, err);
    if (rc != 0)
        return rc;
    *out = steps;
    *out_n = n;
    return 0;
}

int book_told(struct db *db, const struct order *order, const struct step *step,
              struct wf_error *err)
{
    return db_do(db, err,
                 "INSERT OR IGNORE INTO told (order_id, state, attempt) VALUES (?1, ?2, ?3)", "iti",
                 order->id, parcel_word(step->state), step->attempt);
}

int book_quiet(struct db *db, const struct order *order, const struct step *last,
               struct wf_error *err)
{
    return db_do(db, err,
                 "UPDATE orders SET fresh = 0, tries = 0, next_ms = 0,"
                 " news = CASE WHEN state = 'over' THEN news ELSE ?2 END,"
                 " attempt = CASE WHEN state = 'over' THEN attempt ELSE ?3 END WHERE id = ?1",
                 "iti", order->id, parcel_word(last != NULL ? last->state : PARCEL_NUMBERED),
                 last != NULL ? last->attempt : (int64_t)0);
}

/* ---- what is long over ------------------------------------------------------------------------- */

/* The same ones in each statement of the transaction; ?1 is the time. */
#define ENDED                                                                                      \
    "(SELECT id FROM orders WHERE forgotten = 0 AND state IN ('over', 'cancelled')"                \
    " AND changed_ms < ?1 AND fresh = 0 AND task = 0 ORDER BY changed_ms, id LIMIT 500)"

int book_forget(struct db *db, int64_t before_ms, int64_t *out_n, struct wf_error *err)
{
    static const char *const statements[] = {"DELETE FROM events WHERE order_id IN " ENDED,
                                             "DELETE FROM told WHERE order_id IN " ENDED,
                                             "UPDATE orders SET forgotten = 1 WHERE id IN " ENDED};
    int rc = db_begin(db, err);
    for (size_t i = 0; i < WF_COUNT(statements) && rc == 0; i++)
        rc = db_do(db, err, statements[i], "i", before_ms);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc == 0)
        *out_n = db_changes(db);
    else
        db_rollback(db);
    return rc;
}

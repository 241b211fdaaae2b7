/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tallies against the dossiers themselves. While others write, only what holds within one snapshot
 * can be compared: the sums. Where nobody wrote during the walk, every tally is compared with what
 * was counted on it.
 */
#include <inttypes.h>

#include "store/check.h"

#define FIRST_ROOM 1024

/* ---- counting on the walk -------------------------------------------------------------------- */

static uint64_t hash_of(const struct wf_key *key)
{
    uint64_t hash = wf_text_key((const char *)key->bytes, key->len);
    return hash != 0 ? hash : 1;
}

/* Its row, or the free one where it belongs. */
static struct check_tally *row_of(const struct check_tallies *t, uint64_t hash)
{
    size_t at = (size_t)hash & (t->room - 1);
    while (t->rows[at].hash != 0 && t->rows[at].hash != hash)
        at = (at + 1) & (t->room - 1);
    return &t->rows[at];
}

static bool grow(struct check_tallies *t)
{
    struct check_tallies more = {.n = t->n, .room = t->room > 0 ? t->room * 2 : FIRST_ROOM};
    more.rows = wf_alloc(more.room * sizeof(*more.rows));
    if (more.rows == NULL)
        return false;
    for (size_t i = 0; i < t->room; i++) {
        if (t->rows[i].hash != 0)
            *row_of(&more, t->rows[i].hash) = t->rows[i];
    }
    wf_free(t->rows);
    *t = more;
    return true;
}

static void count(void *context, const struct wf_key *key)
{
    struct check_tallies *t = context;
    if (t->n * 2 >= t->room && !grow(t))
        t->failed = true;
    if (t->failed)
        return;
    struct check_tally *row = row_of(t, hash_of(key));
    t->n += row->hash == 0 ? 1 : 0;
    row->hash = hash_of(key);
    row->n++;
}

void check_tallies_add(struct check *c, const struct wf_rec_dossier *dossier)
{
    wf_tallies_of(dossier, NULL, count, &c->tallies);
}

/* ---- comparing ------------------------------------------------------------------------------- */

int check_tallies_sums(struct check *c, const struct wf_counts *counts)
{
    uint64_t due = 0;
    uint64_t open = 0;
    uint64_t listed = 0;
    int rc = wf_tally_sums(c->txn, &due, &open, c->err);
    if (rc == 0)
        rc = wf_txn_entries(c->txn, WF_TABLE_BY_DUE, &listed, c->err);
    if (rc < 0)
        return rc;
    if (open != counts->open)
        check_find(c, "tallies",
                   "%" PRIu64 " open dossiers by procedure, the counter says %" PRIu64, open,
                   counts->open);
    if (due != listed)
        check_find(c, "tallies", "%" PRIu64 " dossiers by due hour, %" PRIu64 " have a due date",
                   due, listed);
    return 0;
}

static int compare_row(void *context, const struct wf_rows *rows, struct wf_slice value,
                       struct wf_error *err)
{
    struct check *c = context;
    uint64_t n = 0;
    (void)value;
    int rc = wf_txn_get_number(rows->txn, WF_TABLE_TALLIES, &rows->at, &n, err);
    if (rc != 0)
        return rc;
    const struct check_tally *counted =
        c->tallies.room > 0 ? row_of(&c->tallies, hash_of(&rows->at)) : NULL;
    uint64_t want = counted != NULL ? counted->n : 0;
    if (n != want)
        check_find(c, "tallies", "a tally of kind %c says %" PRIu64 ", %" PRIu64 " were counted",
                   rows->at.bytes[0], n, want);
    return 0;
}

int check_tallies_each(struct check *c)
{
    struct wf_key from;
    uint64_t rows = 0;
    if (c->tallies.failed)
        return wf_fail(c->err, WF_E_NOMEM, "count the dossiers");
    wf_key_start(&from);
    int rc = wf_rows_each(c->txn, WF_TABLE_TALLIES, &from, 0, compare_row, c, c->err);
    if (rc == 0)
        rc = wf_txn_entries(c->txn, WF_TABLE_TALLIES, &rows, c->err);
    if (rc == 0 && rows != c->tallies.n)
        check_find(c, "tallies", "%" PRIu64 " tallies, %zu should be there", rows, c->tallies.n);
    return rc;
}

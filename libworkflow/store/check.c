/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a store: every table is walked in read transactions of two thousand rows; each row
 * must be found again under its key (a damaged inner page hides rows from look-ups that a walk
 * still passes), keys must rise, and the row must agree with the rows of other tables in the same
 * snapshot (check_links.c). Totals are compared in one snapshot, by LMDB's own counts of rows; what
 * was counted on the walk is compared only when nobody wrote meanwhile.
 *
 * Most of the time would go into looking up what rows name. In a store at rest it is enough to know
 * that every end of a link has its other, which the sum of both ends tells (check.h). So that is
 * asked first; only where it is not so, or somebody has written, is each link looked up.
 *
 * Parts of a check share the work without a word to each other: a table is walked by one of them,
 * the journal, two thirds of all the work, in stripes of fixed width that go round. So neither the
 * cut nor what a part counts depends on a snapshot, and no event falls between two that began apart.
 */
#include "store/check.h"

#include <inttypes.h>
#include <stdio.h>

#define ROWS_AT_ONCE  2000
#define FINDINGS_MOST 100
#define LEAST_PAGE    4096 /* bytes; a greater page only counts as several */
#define STRIPE        4096 /* events of the journal that one part takes in a row */
#define ROUND         8    /* stripes, then the turns begin anew */

/* Who of four walks the table; of fewer, the rest of the division. Measured weights of a hundred:
 * journal 66, dossiers 8, contents 7, requests 5, history 4, each index 1 or 2. */
static const uint8_t turns[WF_TABLE_COUNT] = {
    [WF_TABLE_CONTENTS] = 1,   [WF_TABLE_REQUESTS] = 3, [WF_TABLE_HISTORY] = 3,
    [WF_TABLE_QUEUES] = 1,     [WF_TABLE_TIMERS] = 1,   [WF_TABLE_TASKS] = 1,
    [WF_TABLE_TASK_ORDER] = 1, [WF_TABLE_PAPERS] = 2,   [WF_TABLE_CHANGES] = 3,
};

/* And who of how many takes which stripe of the journal: less, whom the tables keep busy. */
static const char stripes[WF_CHECK_PARTS + 1][ROUND + 1] = {
    [1] = "00000000", [2] = "01011010", [3] = "21202121", [4] = "23121230"};

/* ---- findings -------------------------------------------------------------------------------- */

void check_find(struct check *c, const char *name, const char *fmt, ...)
{
    char text[400];
    va_list args;
    if (c->sum.findings++ >= FINDINGS_MOST)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    c->fn(c->context, name, text);
}

int check_damage(struct check *c, int rc, const char *name)
{
    struct wf_error why = {.code = rc};
    if (rc >= 0 || rc == WF_E_NOMEM || rc == WF_E_BUSY || rc == WF_E_IO)
        return rc;
    if (c->err != NULL)
        why = *c->err;
    check_find(c, rc == WF_E_VERSION ? "format" : name, "%s", why.text);
    return 0;
}

/* ---- walking a table ------------------------------------------------------------------------- */

static bool is_before(const struct wf_key *a, const struct wf_key *b)
{
    int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
    return order != 0 ? order < 0 : a->len < b->len;
}

/* A look-up must come to the very place at which the walk stands. */
static int check_found(struct check *c, enum wf_table table, const struct wf_key *key,
                       struct wf_slice value)
{
    struct wf_slice found = {0};
    int rc = wf_txn_get_by_root(c->txn, table, key, &found, c->err);
    if (rc < 0)
        return check_damage(c, rc, "pages");
    if (rc == WF_NONE || found.ptr != value.ptr || found.len != value.len)
        check_find(c, "pages", "%s: a row is not found under its key", wf_table_names[table]);
    return 0;
}

/* The byte before a value is one of its key, or of the head of a page of its own. */
static uintptr_t page_of(struct wf_slice value)
{
    return ((uintptr_t)value.ptr - 1) / LEAST_PAGE;
}

/*
 * Rows of one leaf have one way from the root, and keys rise: where the first and the last of them
 * are found, those between are too. `before` is the row before (ptr NULL: there is none here).
 */
static int check_border(struct check *c, enum wf_table table, const struct wf_key *last,
                        struct wf_slice before, const struct wf_key *key, struct wf_slice value)
{
    int rc = 0;
    if (before.ptr != NULL && value.ptr != NULL && page_of(before) == page_of(value))
        return 0;
    if (before.ptr != NULL)
        rc = check_found(c, table, last, before);
    return rc == 0 && value.ptr != NULL ? check_found(c, table, key, value) : rc;
}

/* Where a walk stands, between one transaction and the next. */
struct place {
    struct wf_key last;  /* the row seen last; empty before the first */
    struct wf_key from;  /* where to begin then, empty = at the table's first row */
    struct wf_key until; /* the first key that is another part's, empty = none */
    uint64_t beyond;     /* number of the row that was met there; 0 = none */
    bool is_at_end;
};

static int walk_rows(struct check *c, struct wf_rows *rows, struct place *place)
{
    const struct wf_slice none = {NULL, 0};
    struct wf_key *last = &place->last;
    struct wf_slice before = none;
    struct wf_slice value;
    int rc = 0;
    for (int n = 0; n < ROWS_AT_ONCE && rc == 0; n++) {
        rc = wf_rows_next(rows, &value, c->err);
        if (rc < 0) {
            place->is_at_end = true;
            return check_damage(c, rc, "pages");
        }
        if (rc == WF_NONE)
            break;
        if (place->until.len > 0 && !is_before(&rows->at, &place->until)) {
            place->beyond = rows->at.len >= 8 ? wf_u64_load(rows->at.bytes) : UINT64_MAX;
            rc = WF_NONE;
            break;
        }
        if (last->len > 0 && !is_before(last, &rows->at)) {
            check_find(c, "pages", "%s: rows are out of order", wf_table_names[rows->table]);
            place->is_at_end = true; /* where to go on from is not known any more */
            return 0;
        }
        rc = check_border(c, rows->table, last, before, &rows->at, value);
        if (rc < 0)
            return rc;
        before = value;
        wf_key_start(last); /* most keys are much shorter than their struct */
        wf_key_bytes(last, rows->at.bytes, rows->at.len);
        c->counted[rows->table]++;
        c->sum.rows++;
        wf_arena_reset(c->arena);
        rc = check_rows[rows->table](c, &rows->at, value);
    }
    place->is_at_end = rc == WF_NONE;
    return rc < 0 ? rc : check_border(c, rows->table, last, before, NULL, none);
}

static int walk_some(struct check *c, enum wf_table table, struct place *place)
{
    struct wf_rows rows;
    bool goes_on = place->last.len > 0;
    int rc = wf_rows_open(c->txn, table, goes_on ? &place->last : &place->from, 0, &rows, c->err);
    if (rc < 0) {
        place->is_at_end = true;
        return check_damage(c, rc, "pages");
    }
    if (goes_on)
        wf_rows_start_after(&rows);
    rc = walk_rows(c, &rows, place);
    wf_rows_close(&rows);
    return rc;
}

/* Sums of different snapshots say nothing. */
static bool is_disturbed(const struct check *c)
{
    return c->part.summed && wf_txn_snapshot(c->txn) != c->snapshot;
}

/* WF_NONE where it makes no sense to go on. */
static int walk_from(struct check *c, enum wf_table table, struct place *place)
{
    int rc = 0;
    place->is_at_end = false;
    while (rc == 0 && !place->is_at_end) {
        rc = wf_txn_begin(c->store, false, &c->txn, c->err);
        if (rc < 0)
            return check_damage(c, rc, "counters") == 0 ? 0 : rc;
        wf_txn_stay_near(c->txn);
        c->has_waiting = false;
        c->last_change = 0;
        c->chain_seq = 0;
        rc = is_disturbed(c) ? WF_NONE : walk_some(c, table, place);
        wf_txn_abort(c->txn);
    }
    return rc;
}

static int walk(struct check *c, enum wf_table table)
{
    struct place place = {.beyond = 0};
    return walk_from(c, table, &place);
}

static bool is_own(const struct check *c, uint64_t stripe)
{
    return stripes[c->part.of][stripe % ROUND] == (char)('0' + c->part.number);
}

/* The first of this part's stripes that ends behind the event; false where there is none. */
static bool find_stripe(const struct check *c, uint64_t seq, uint64_t *out_first)
{
    uint64_t stripe = seq / STRIPE;
    for (unsigned i = 0; i < ROUND && !is_own(c, stripe); i++)
        stripe++;
    *out_first = stripe * STRIPE;
    return is_own(c, stripe) && stripe < UINT64_MAX / STRIPE;
}

/* From stripe to stripe, over those that have no row at all. */
static int walk_stripes(struct check *c, enum wf_table table)
{
    struct place place = {.beyond = 0};
    uint64_t first = 0;
    int rc = 0;
    do {
        if (!find_stripe(c, place.beyond, &first))
            break;
        wf_key_start(&place.last);
        check_id_key(&place.from, first);
        check_id_key(&place.until, first + STRIPE);
        place.beyond = 0;
        rc = walk_from(c, table, &place);
    } while (rc == 0 && place.beyond != 0);
    return rc;
}

static bool is_striped(const struct check *c, enum wf_table table)
{
    return table == WF_TABLE_JOURNAL && c->part.of > 1;
}

static int walk_all(struct check *c)
{
    int rc = 0;
    for (unsigned i = 0; i < WF_TABLE_COUNT && rc == 0; i++) {
        if (is_striped(c, (enum wf_table)i))
            rc = walk_stripes(c, (enum wf_table)i);
        else if (turns[i] % c->part.of == c->part.number)
            rc = walk(c, (enum wf_table)i);
    }
    return rc;
}

/* ---- totals in one snapshot ------------------------------------------------------------------ */

static void compare(struct check *c, const char *what, uint64_t rows, uint64_t counter)
{
    if (rows != counter)
        check_find(c, "counters", "%s: %" PRIu64 " rows, the counter says %" PRIu64, what, rows,
                   counter);
}

/* Tables of passing rows keep one row that is nobody's (see create.c). */
static bool is_keeper(enum wf_table table, const struct wf_key *key)
{
    bool last = table == WF_TABLE_QUEUES || table == WF_TABLE_TIMERS;
    bool first = table == WF_TABLE_TASKS || table == WF_TABLE_TASK_ORDER;
    return key->len == 1 && ((last && key->bytes[0] == 0xff) || (first && key->bytes[0] == 0));
}

static int entries(struct check *c, enum wf_table table, uint64_t *out)
{
    struct wf_key key;
    struct wf_slice value;
    int rc = wf_txn_entries(c->txn, table, out, c->err);
    wf_key_start(&key);
    wf_key_u8(&key, table == WF_TABLE_QUEUES || table == WF_TABLE_TIMERS ? 0xff : 0);
    if (rc == 0 && is_keeper(table, &key) && wf_txn_get(c->txn, table, &key, &value, NULL) == 0)
        *out -= *out > 0 ? 1 : 0;
    return rc;
}

static uint64_t sum_of(const int64_t five[WF_SERVICE_COUNT])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        sum += (uint64_t)five[i];
    return sum;
}

static int compare_tables(struct check *c, const struct wf_counts *k)
{
    const struct {
        enum wf_table table;
        uint64_t counter;
    } totals[] = {
        {WF_TABLE_DOSSIERS, k->open + k->closed},
        {WF_TABLE_CONTENTS, k->open + k->closed},
        {WF_TABLE_BY_PROCEDURE, k->open + k->closed},
        {WF_TABLE_BY_SITE, k->open + k->closed},
        {WF_TABLE_JOURNAL, k->journal_seq},
        {WF_TABLE_HISTORY, k->journal_seq},
        {WF_TABLE_QUEUES, sum_of(k->queued)},
        {WF_TABLE_DEAD, sum_of(k->dead)},
        {WF_TABLE_TASKS, sum_of(k->tasks)},
        {WF_TABLE_TASK_ORDER, sum_of(k->tasks) - k->held_tasks},
        {WF_TABLE_TIMERS, k->timers},
        {WF_TABLE_HOLDS, k->holds + k->releasing},
        {WF_TABLE_HELD, sum_of(k->held) + k->held_timers + k->held_tasks},
    };
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(totals) && rc == 0; i++) {
        uint64_t rows = 0;
        rc = entries(c, totals[i].table, &rows);
        if (rc == 0)
            compare(c, wf_table_names[totals[i].table], rows, totals[i].counter);
    }
    return rc;
}

/* Counts, by service, the rows of the queues, dead letters or tasks: all that is open now; and of
 * them the leased tasks, the items that have failed before. */
static int count_services(struct check *c, enum wf_table table, int64_t out[WF_SERVICE_COUNT],
                          int64_t out_marked[WF_SERVICE_COUNT])
{
    struct wf_rows rows;
    struct wf_slice value;
    struct wf_key from;
    wf_key_start(&from);
    int rc = wf_rows_open(c->txn, table, &from, 0, &rows, c->err);
    if (rc < 0)
        return rc;
    while ((rc = wf_rows_next(&rows, &value, c->err)) == 0) {
        struct wf_rec_queue item = {.service = rows.at.bytes[0]};
        struct wf_rec_task task = {0};
        if (is_keeper(table, &rows.at))
            continue;
        wf_arena_reset(c->arena);
        if (table != WF_TABLE_TASKS)
            rc = wf_txn_unpack(table, WF_REC_queue, value, c->arena, &item, c->err);
        if (table == WF_TABLE_TASKS)
            rc = wf_txn_unpack(table, WF_REC_task, value, c->arena, &task, c->err);
        if (rc != 0)
            break;
        uint64_t service = table == WF_TABLE_TASKS ? task.service : item.service;
        if (service >= WF_SERVICE_COUNT)
            continue;
        out[service]++;
        out_marked[service] += task.leased || item.attempts > 0 ? 1 : 0;
    }
    wf_rows_close(&rows);
    return rc == WF_NONE ? 0 : rc;
}

/* `marked` may be NULL. */
static int compare_services(struct check *c, enum wf_table table, const int64_t *counters,
                            const char *mark, const int64_t *marked)
{
    int64_t rows[WF_SERVICE_COUNT] = {0};
    int64_t marked_rows[WF_SERVICE_COUNT] = {0};
    char what[64];
    int rc = count_services(c, table, rows, marked_rows);
    for (unsigned s = 0; s < WF_SERVICE_COUNT && rc == 0; s++) {
        const char *name = wf_service_word((enum wf_service)s);
        (void)snprintf(what, sizeof(what), "%s of %s", wf_table_names[table], name);
        compare(c, what, (uint64_t)rows[s], (uint64_t)counters[s]);
        (void)snprintf(what, sizeof(what), "%s %s of %s", mark, wf_table_names[table], name);
        if (marked != NULL)
            compare(c, what, (uint64_t)marked_rows[s], (uint64_t)marked[s]);
    }
    return rc;
}

/* The last event's hash must be the head that the counters name. */
static int compare_head(struct check *c, const struct wf_counts *k)
{
    struct wf_rec_event event;
    uint8_t hash[WF_HASH_BYTES] = {0};
    wf_arena_reset(c->arena);
    int rc = k->journal_seq == 0
                 ? 0
                 : wf_journal_get(c->txn, k->journal_seq, c->arena, &event, hash, c->err);
    if (rc == 0 && memcmp(hash, k->journal_hash, sizeof(hash)) != 0)
        check_find(c, "journal", "the last event is not the one that the counters name");
    return rc;
}

static int totals(struct check *c)
{
    char text[200];
    bool is_sound = true;
    int rc = wf_txn_begin(c->store, false, &c->txn, c->err);
    if (rc < 0)
        return check_damage(c, rc, "counters");
    const struct wf_counts *k = wf_txn_counts(c->txn);
    rc = check_damage(c, compare_tables(c, k), "counters");
    if (rc == 0)
        rc = check_damage(
            c, compare_services(c, WF_TABLE_QUEUES, k->queued, "retried", k->retrying), "queues");
    if (rc == 0)
        rc = check_damage(c, compare_services(c, WF_TABLE_DEAD, k->dead, "", NULL), "dead");
    if (rc == 0)
        rc = check_damage(c, compare_services(c, WF_TABLE_TASKS, k->tasks, "leased", k->leased),
                          "tasks");
    if (rc == 0)
        rc = check_damage(c, check_tallies_sums(c, k), "tallies");
    if (rc == 0)
        rc = check_damage(c, compare_head(c, k), "journal");
    if (rc == 0)
        rc =
            check_damage(c, wf_pages_check(c->txn, &is_sound, text, sizeof(text), c->err), "pages");
    if (rc == 0 && !is_sound)
        check_find(c, "pages", "%s", text);
    wf_txn_abort(c->txn);
    return rc;
}

/* ---- what was counted on the walk ------------------------------------------------------------ */

static int find_snapshot(struct check *c)
{
    int rc = wf_txn_begin(c->store, false, &c->txn, c->err);
    if (rc < 0)
        return check_damage(c, rc, "counters");
    c->snapshot = wf_txn_snapshot(c->txn);
    c->sum.snapshot = c->snapshot;
    wf_txn_abort(c->txn);
    return 0;
}

/* How many of the numbers from 1 to the last one lie in this part's stripes. */
static uint64_t share_of(const struct check *c, uint64_t last)
{
    const uint64_t rounds = (last + 1) / STRIPE / ROUND;
    const uint64_t rest = (last + 1) - rounds * STRIPE * ROUND;
    uint64_t n = is_own(c, 0) ? (uint64_t)0 - 1 : 0; /* there is no event 0 */
    for (uint64_t i = 0; i < ROUND; i++) {
        uint64_t begun = rest > i * STRIPE ? rest - i * STRIPE : 0;
        if (is_own(c, i))
            n += rounds * STRIPE + (begun < STRIPE ? begun : STRIPE);
    }
    return n;
}

static int compare_walked(struct check *c, enum wf_table table, const struct wf_counts *k)
{
    uint64_t rows = 0;
    if (!is_striped(c, table) && turns[table] % c->part.of != c->part.number)
        return 0;
    int rc = check_damage(c, wf_txn_entries(c->txn, table, &rows, c->err), "pages");
    if (is_striped(c, table))
        rows = share_of(c, k->journal_seq);
    if (rc == 0 && rows != c->counted[table])
        check_find(c, "pages", "%s: %" PRIu64 " rows were found, %" PRIu64 " should be there",
                   wf_table_names[table], c->counted[table], rows);
    return rc;
}

/* When nobody wrote during the walk, what was counted on it must be the whole. */
static int compare_walk(struct check *c)
{
    int rc = wf_txn_begin(c->store, false, &c->txn, c->err);
    if (rc < 0)
        return check_damage(c, rc, "counters");
    const struct wf_counts *k = wf_txn_counts(c->txn);
    c->sum.was_quiet = c->snapshot == wf_txn_snapshot(c->txn);
    for (size_t i = 0; i < WF_TABLE_COUNT && rc == 0 && c->sum.was_quiet; i++)
        rc = compare_walked(c, (enum wf_table)i, k);
    if (c->sum.was_quiet && c->part.number == 0) { /* which walks the dossiers */
        compare(c, "open dossiers", c->open, k->open);
        compare(c, "closed dossiers", c->closed, k->closed);
        if (rc == 0)
            rc = check_damage(c, check_tallies_each(c), "tallies");
    }
    wf_txn_abort(c->txn);
    return rc;
}

int wf_store_check_part(struct wf_store *store, struct wf_check_part part, wf_finding_fn *fn,
                        void *context, struct wf_check *out, struct wf_error *err)
{
    struct wf_error own = {0};
    struct wf_clock clock = wf_store_clock(store);
    if (part.of < 1 || part.of > WF_CHECK_PARTS || part.number >= part.of)
        return wf_fail(err, WF_E_INVALID, "check the store: there is no part %u of %u", part.number,
                       part.of);
    struct check c = {.store = store,
                      .part = part,
                      .arena = wf_arena_new(0),
                      .fn = fn,
                      .context = context,
                      .now_ms = wf_business_ms(&clock, wf_real_ms()),
                      .err = err != NULL ? err : &own};
    if (c.arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "check the store");
    int rc = find_snapshot(&c);
    if (rc == 0 && part.number == 0)
        rc = totals(&c);
    if (rc == 0)
        rc = walk_all(&c);
    if (rc == 0)
        rc = compare_walk(&c);
    rc = rc == WF_NONE ? 0 : rc;
    wf_free(c.waiting);
    wf_free(c.tallies.rows);
    wf_arena_free(c.arena);
    if (rc == 0)
        *out = c.sum;
    return rc;
}

static void find_nothing(void *context, const char *name, const char *text)
{
    (void)context;
    (void)name;
    (void)text;
}

int wf_store_check(struct wf_store *store, wf_finding_fn *fn, void *context, struct wf_check *out,
                   struct wf_error *err)
{
    const struct wf_check_part summed = {.number = 0, .of = 1, .summed = true};
    const struct wf_check_part whole = {.number = 0, .of = 1};
    int rc = wf_store_check_part(store, summed, find_nothing, NULL, out, err);
    if (rc != 0 || (out->was_quiet && out->findings == 0 && out->links == 0))
        return rc;
    return wf_store_check_part(store, whole, fn, context, out, err);
}

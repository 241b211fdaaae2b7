/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tallies: open dossiers by procedure, by procedure and state, and by the hour in which they fall
 * due, so that the figures of a store of millions are read in milliseconds. A row is a key and a
 * number; one that comes to 0 is taken away. Keys:
 *
 *     'd' | hour u64              due in this hour
 *     'p' | procedure             of this procedure
 *     's' | procedure | 0 | state of this procedure in this state
 *
 * A dossier is counted when it is written (wf_dossier_put), in the same transaction; what a
 * transaction changes is gathered and written once before its commit, since a batch moves many
 * dossiers between the same few states.
 */
#include "store/txn.h"

#define KIND_DUE       'd'
#define KIND_PROCEDURE 'p'
#define KIND_STATE     's'
#define HOUR_MS        (INT64_C(3600) * 1000)
#define DUE_BYTES      9

/* ---- keys ------------------------------------------------------------------------------------ */

static int64_t hour_of(int64_t ms)
{
    int64_t rest = ms % HOUR_MS;
    return ms - (rest < 0 ? rest + HOUR_MS : rest);
}

static void add_name(struct wf_key *key, struct wf_str name)
{
    wf_key_bytes(key, name.ptr, name.len < WF_TALLY_NAME ? name.len : WF_TALLY_NAME);
}

static void due_key(struct wf_key *key, int64_t hour)
{
    wf_key_start(key);
    wf_key_u8(key, KIND_DUE);
    wf_key_time(key, hour);
}

static void procedure_key(struct wf_key *key, struct wf_str procedure)
{
    wf_key_start(key);
    wf_key_u8(key, KIND_PROCEDURE);
    add_name(key, procedure);
}

static void state_key(struct wf_key *key, struct wf_str procedure, struct wf_str state)
{
    wf_key_start(key);
    wf_key_u8(key, KIND_STATE);
    add_name(key, procedure);
    wf_key_u8(key, 0);
    add_name(key, state);
}

bool wf_tally_is_key(const struct wf_key *key)
{
    switch (key->bytes[0]) {
    case KIND_DUE:
        return key->len == DUE_BYTES;
    case KIND_PROCEDURE:
        return true;
    case KIND_STATE:
        return memchr(key->bytes, '\0', key->len) != NULL;
    default:
        return false;
    }
}

void wf_tallies_of(const struct wf_rec_dossier *d, const struct wf_rec_dossier *other,
                   void (*fn)(void *context, const struct wf_key *key), void *context)
{
    struct wf_key key;
    if (d->closed != 0)
        return;
    if (other != NULL && (other->closed != 0 || !wf_str_equal(d->procedure, other->procedure)))
        other = NULL;
    if (other == NULL) {
        procedure_key(&key, d->procedure);
        fn(context, &key);
    }
    if (d->due != 0 &&
        (other == NULL || other->due == 0 || hour_of(d->due) != hour_of(other->due))) {
        due_key(&key, hour_of(d->due));
        fn(context, &key);
    }
    for (size_t i = 0; i < wf_value_count(d->states); i++) {
        struct wf_str state = wf_value_str(wf_list_at(d->states, i));
        if (other != NULL && wf_dossier_stands_in(other, state))
            continue;
        state_key(&key, d->procedure, state);
        fn(context, &key);
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

static int write_change(struct wf_txn *txn, const struct wf_tally *tally, struct wf_error *err)
{
    struct wf_key key;
    uint64_t n = 0;
    wf_key_start(&key);
    wf_key_bytes(&key, tally->bytes, tally->len);
    int rc = wf_txn_get_number(txn, WF_TABLE_TALLIES, &key, &n, err);
    if (rc < 0)
        return rc;
    if (tally->change < 0 && n < (uint64_t)-tally->change) {
        txn->broken = WF_E_CORRUPT;
        return wf_fail(err, WF_E_CORRUPT, "tallies: fewer dossiers are counted than there are");
    }
    n += (uint64_t)tally->change;
    return n > 0 ? wf_txn_put_number(txn, WF_TABLE_TALLIES, &key, n, WF_PUT_SET, err)
                 : wf_txn_must_del(txn, WF_TABLE_TALLIES, &key, err);
}

int wf_tallies_flush(struct wf_txn *txn, struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < txn->n_tallies && rc == 0; i++) {
        if (txn->tallies[i].change != 0)
            rc = write_change(txn, &txn->tallies[i], err);
    }
    txn->n_tallies = 0;
    return rc;
}

static struct wf_tally *tally_of(struct wf_txn *txn, const struct wf_key *key)
{
    for (size_t i = 0; i < txn->n_tallies; i++) {
        struct wf_tally *tally = &txn->tallies[i];
        if (tally->len == key->len && memcmp(tally->bytes, key->bytes, key->len) == 0)
            return tally;
    }
    struct wf_tally *fresh = &txn->tallies[txn->n_tallies++];
    fresh->change = 0;
    fresh->len = key->len;
    memcpy(fresh->bytes, key->bytes, key->len);
    return fresh;
}

struct noting {
    struct wf_txn *txn;
    int64_t change;
    int rc;
    struct wf_error *err;
};

static void note(void *context, const struct wf_key *key)
{
    struct noting *n = context;
    if (n->txn->n_tallies == WF_TALLIES_MOST && n->rc == 0)
        n->rc = wf_tallies_flush(n->txn, n->err);
    if (n->rc == 0)
        tally_of(n->txn, key)->change += n->change;
}

int wf_tallies_change(struct wf_txn *txn, const struct wf_rec_dossier *before,
                      const struct wf_rec_dossier *now, struct wf_error *err)
{
    struct noting noting = {.txn = txn, .change = -1, .err = err};
    if (before != NULL)
        wf_tallies_of(before, now, note, &noting);
    noting.change = 1;
    if (now != NULL)
        wf_tallies_of(now, before, note, &noting);
    return noting.rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct visitor {
    int (*fn)(void *context, struct wf_str procedure, struct wf_str state, uint64_t n);
    void *context;
};

static int visit(void *context, const struct wf_rows *rows, struct wf_slice value,
                 struct wf_error *err)
{
    const struct visitor *v = context;
    const char *at = (const char *)rows->at.bytes + 1;
    size_t len = rows->at.len - 1;
    struct wf_str state = {"", 0};
    uint64_t n = 0;
    (void)value;
    int rc = wf_txn_get_number(rows->txn, WF_TABLE_TALLIES, &rows->at, &n, err);
    if (rc != 0 || rows->at.bytes[0] == KIND_DUE)
        return rc;
    const char *split = len > 0 ? memchr(at, '\0', len) : NULL;
    if (split != NULL) {
        state = (struct wf_str){split + 1, len - (size_t)(split + 1 - at)};
        len = (size_t)(split - at);
    }
    return v->fn(v->context, (struct wf_str){at, len}, state, n);
}

int wf_tally_each(struct wf_txn *txn,
                  int (*fn)(void *context, struct wf_str procedure, struct wf_str state,
                            uint64_t n),
                  void *context, struct wf_error *err)
{
    struct visitor v = {fn, context};
    struct wf_key from;
    wf_key_start(&from);
    wf_key_u8(&from, KIND_PROCEDURE);
    return wf_rows_each(txn, WF_TABLE_TALLIES, &from, 0, visit, &v, err);
}

struct sum {
    int64_t before;
    uint64_t n;
};

static int sum_hour(void *context, const struct wf_rows *rows, struct wf_slice value,
                    struct wf_error *err)
{
    struct sum *sum = context;
    uint64_t n = 0;
    (void)value;
    if (rows->at.len != DUE_BYTES)
        return wf_fail(err, WF_E_CORRUPT, "tallies: a key has a wrong length");
    if (wf_time_load(rows->at.bytes + 1) >= sum->before)
        return WF_NONE;
    int rc = wf_txn_get_number(rows->txn, WF_TABLE_TALLIES, &rows->at, &n, err);
    sum->n += n;
    return rc;
}

static int count_due(void *context, const struct wf_rows *rows, struct wf_slice value,
                     struct wf_error *err)
{
    struct sum *sum = context;
    (void)value;
    (void)err;
    if (rows->at.len < DUE_BYTES || wf_time_load(rows->at.bytes) >= sum->before)
        return WF_NONE;
    sum->n++;
    return 0;
}

static int sum_hours(struct wf_txn *txn, struct sum *sum, struct wf_error *err)
{
    struct wf_key from;
    wf_key_start(&from);
    wf_key_u8(&from, KIND_DUE);
    int rc = wf_rows_each(txn, WF_TABLE_TALLIES, &from, 1, sum_hour, sum, err);
    return rc == WF_NONE ? 0 : rc;
}

int wf_tally_due_before(struct wf_txn *txn, int64_t ms, uint64_t *out, struct wf_error *err)
{
    struct sum sum = {.before = hour_of(ms)};
    struct wf_key from;
    wf_key_start(&from);
    wf_key_time(&from, sum.before);
    int rc = sum_hours(txn, &sum, err);
    sum.before = ms;
    if (rc == 0)
        rc = wf_rows_each(txn, WF_TABLE_BY_DUE, &from, 0, count_due, &sum, err);
    if (rc < 0)
        return rc;
    *out = sum.n;
    return 0;
}

static int add_procedure(void *context, struct wf_str procedure, struct wf_str state, uint64_t n)
{
    (void)procedure;
    *(uint64_t *)context += state.len == 0 ? n : 0;
    return 0;
}

int wf_tally_sums(struct wf_txn *txn, uint64_t *out_due, uint64_t *out_open, struct wf_error *err)
{
    struct sum sum = {.before = INT64_MAX};
    uint64_t open = 0;
    int rc = sum_hours(txn, &sum, err);
    if (rc == 0)
        rc = wf_tally_each(txn, add_procedure, &open, err);
    if (rc < 0)
        return rc;
    *out_due = sum.n;
    *out_open = open;
    return 0;
}

/* ---- a store without tallies ----------------------------------------------------------------- */

static int fill_dossier(void *context, const struct wf_rows *rows, struct wf_slice value,
                        struct wf_error *err)
{
    struct wf_rec_dossier dossier;
    (void)context;
    wf_arena_reset(rows->txn->arena);
    int rc =
        wf_txn_unpack(WF_TABLE_DOSSIERS, WF_REC_dossier, value, rows->txn->arena, &dossier, err);
    return rc == 0 ? wf_tallies_change(rows->txn, NULL, &dossier, err) : rc;
}

static int fill_task(void *context, const struct wf_rows *rows, struct wf_slice value,
                     struct wf_error *err)
{
    int64_t *leased = context;
    struct wf_rec_task task;
    if (rows->at.len == 1)
        return 0; /* the row that keeps the page (create.c) */
    wf_arena_reset(rows->txn->arena);
    int rc = wf_txn_unpack(WF_TABLE_TASKS, WF_REC_task, value, rows->txn->arena, &task, err);
    if (rc == 0 && task.service < WF_SERVICE_COUNT)
        leased[task.service] += task.leased ? 1 : 0;
    return rc;
}

static int fill_item(void *context, const struct wf_rows *rows, struct wf_slice value,
                     struct wf_error *err)
{
    int64_t *retrying = context;
    struct wf_rec_queue item;
    if (rows->at.len == 1)
        return 0;
    wf_arena_reset(rows->txn->arena);
    int rc = wf_txn_unpack(WF_TABLE_QUEUES, WF_REC_queue, value, rows->txn->arena, &item, err);
    if (rc == 0 && item.service < WF_SERVICE_COUNT)
        retrying[item.service] += item.attempts > 0 ? 1 : 0;
    return rc;
}

int wf_tallies_fill(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_counts *counts = &txn->counts;
    struct wf_key from;
    wf_key_start(&from);
    memset(counts->leased, 0, sizeof(counts->leased));
    memset(counts->retrying, 0, sizeof(counts->retrying));
    int rc = wf_rows_each(txn, WF_TABLE_DOSSIERS, &from, 0, fill_dossier, NULL, err);
    if (rc == 0)
        rc = wf_rows_each(txn, WF_TABLE_TASKS, &from, 0, fill_task, counts->leased, err);
    if (rc == 0)
        rc = wf_rows_each(txn, WF_TABLE_QUEUES, &from, 0, fill_item, counts->retrying, err);
    return rc == 0 ? wf_tallies_flush(txn, err) : rc;
}

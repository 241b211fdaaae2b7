/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dossiers with their indexes, contents, codes, and number series.
 *
 * An index row is a key without a value; which rows a dossier has follows from its record alone
 * (index_keys), so that a change writes no more than the rows that differ between before and now.
 */
#include <inttypes.h>

#include "store/txn.h"

#define MAX_INDEX_ROWS 64 /* of one dossier; states beyond are not listed by the state index */
#define ID_BYTES       8

struct index_row {
    enum wf_table table;
    uint8_t bytes[24];
    uint8_t len;
};

struct index_rows {
    struct index_row rows[MAX_INDEX_ROWS];
    size_t n;
};

static void id_key(struct wf_key *key, uint64_t id)
{
    wf_key_start(key);
    wf_key_u64(key, id);
}

static void code_key(struct wf_key *key, struct wf_str code)
{
    wf_key_start(key);
    wf_key_text(key, code);
}

/* ---- index rows ------------------------------------------------------------------------------ */

static void state_prefix(struct wf_key *key, struct wf_str procedure, struct wf_str state)
{
    wf_key_start(key);
    wf_key_hashed(key, procedure);
    wf_key_hashed(key, state);
}

static void text_prefix(struct wf_key *key, struct wf_str text)
{
    wf_key_start(key);
    wf_key_hashed(key, text);
}

static void due_key(struct wf_key *key, int64_t due)
{
    wf_key_start(key);
    wf_key_time(key, due);
}

static bool has_row(const struct index_rows *rows, const struct index_row *row)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct index_row *other = &rows->rows[i];
        if (other->table == row->table && other->len == row->len &&
            memcmp(other->bytes, row->bytes, row->len) == 0)
            return true;
    }
    return false;
}

/* Finishes the key with the dossier's id and adds the row, once. */
static void add_row(struct index_rows *rows, enum wf_table table, struct wf_key *key, uint64_t id)
{
    if (rows->n == MAX_INDEX_ROWS)
        return;
    wf_key_u64(key, id);
    struct index_row *row = &rows->rows[rows->n];
    row->table = table;
    row->len = (uint8_t)key->len;
    memcpy(row->bytes, key->bytes, key->len);
    if (!has_row(rows, row))
        rows->n++;
}

static bool is_due_listed(const struct wf_rec_dossier *d)
{
    return d->closed == 0 && d->due != 0;
}

static void index_keys(const struct wf_rec_dossier *d, struct index_rows *rows)
{
    struct wf_key key;
    rows->n = 0;
    text_prefix(&key, d->procedure);
    add_row(rows, WF_TABLE_BY_PROCEDURE, &key, d->id);
    text_prefix(&key, d->site);
    add_row(rows, WF_TABLE_BY_SITE, &key, d->id);
    if (is_due_listed(d)) {
        due_key(&key, d->due);
        add_row(rows, WF_TABLE_BY_DUE, &key, d->id);
    }
    for (size_t i = 0; i < wf_value_count(d->states); i++) {
        state_prefix(&key, d->procedure, wf_value_str(wf_list_at(d->states, i)));
        add_row(rows, WF_TABLE_BY_STATE, &key, d->id);
    }
}

static int change_row(struct wf_txn *txn, const struct index_row *row, bool put,
                      struct wf_error *err)
{
    struct wf_key key;
    wf_key_start(&key);
    wf_key_bytes(&key, row->bytes, row->len);
    if (put)
        return wf_txn_put(txn, row->table, &key, (struct wf_slice){0}, WF_PUT_SET, err);
    return wf_txn_must_del(txn, row->table, &key, err);
}

static int write_index(struct wf_txn *txn, const struct wf_rec_dossier *before,
                       const struct wf_rec_dossier *now, struct wf_error *err)
{
    struct index_rows old = {.n = 0};
    struct index_rows new;
    int rc = 0;
    if (before != NULL)
        index_keys(before, &old);
    index_keys(now, &new);
    for (size_t i = 0; i < old.n && rc == 0; i++) {
        if (!has_row(&new, &old.rows[i]))
            rc = change_row(txn, &old.rows[i], false, err);
    }
    for (size_t i = 0; i < new.n &&rc == 0; i++) {
        if (!has_row(&old, &new.rows[i]))
            rc = change_row(txn, &new.rows[i], true, err);
    }
    return rc;
}

bool wf_dossier_calls_for(const struct wf_rec_dossier *dossier, enum wf_table table,
                          const struct wf_key *key)
{
    struct index_rows rows;
    struct index_row row = {.table = table, .len = (uint8_t)key->len};
    if (key->len > sizeof(row.bytes))
        return false;
    memcpy(row.bytes, key->bytes, key->len);
    index_keys(dossier, &rows);
    return has_row(&rows, &row);
}

void wf_dossier_each_index(const struct wf_rec_dossier *dossier,
                           void (*fn)(void *context, enum wf_table table, const struct wf_key *key),
                           void *context)
{
    struct index_rows rows;
    struct wf_key key;
    index_keys(dossier, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        wf_key_start(&key);
        wf_key_bytes(&key, rows.rows[i].bytes, rows.rows[i].len);
        fn(context, rows.rows[i].table, &key);
    }
}

/* ---- codes ----------------------------------------------------------------------------------- */

int wf_dossier_find(struct wf_txn *txn, struct wf_str code, uint64_t *out_id, struct wf_error *err)
{
    struct wf_key key;
    if (code.len == 0 || code.len > WF_KEY_MAX)
        return WF_NONE;
    code_key(&key, code);
    return wf_txn_get_number(txn, WF_TABLE_CODES, &key, out_id, err);
}

/* A dossier has up to two codes, both found in one table: its own, and the provisional one that a
 * citizen was given at a station. */
static bool is_new(const struct wf_str *before, struct wf_str now)
{
    return now.len > 0 && (before == NULL || !wf_str_equal(*before, now));
}

/* All that can be refused is refused before the first write. */
static int check_code(struct wf_txn *txn, uint64_t id, const struct wf_str *before,
                      struct wf_str now, struct wf_error *err)
{
    uint64_t other = 0;
    if (before != NULL && before->len > 0 && !wf_str_equal(*before, now))
        return wf_fail(err, WF_E_INTERNAL, "dossier %" PRIu64 ": its code cannot change", id);
    if (now.len > WF_KEY_MAX)
        return wf_fail(err, WF_E_INVALID, "dossier %" PRIu64 ": the code is too long", id);
    if (!is_new(before, now))
        return 0;
    int rc = wf_dossier_find(txn, now, &other, err);
    if (rc == 0 && other != id)
        return wf_fail(err, WF_E_CONFLICT,
                       "dossier %" PRIu64 ": the code belongs to dossier %" PRIu64, id, other);
    return rc < 0 ? rc : 0;
}

static int check_dossier(struct wf_txn *txn, const struct wf_rec_dossier *before,
                         const struct wf_rec_dossier *now, struct wf_error *err)
{
    if (now->id == 0 || (before != NULL && before->id != now->id))
        return wf_fail(err, WF_E_INTERNAL, "dossier: no id, or another one than before");
    int rc = check_code(txn, now->id, before != NULL ? &before->code : NULL, now->code, err);
    return rc < 0 ? rc
                  : check_code(txn, now->id, before != NULL ? &before->provisional : NULL,
                               now->provisional, err);
}

static int write_code(struct wf_txn *txn, uint64_t id, const struct wf_str *before,
                      struct wf_str now, struct wf_error *err)
{
    struct wf_key key;
    if (!is_new(before, now))
        return 0;
    code_key(&key, now);
    return wf_txn_put_number(txn, WF_TABLE_CODES, &key, id, WF_PUT_SET, err);
}

static int write_codes(struct wf_txn *txn, const struct wf_rec_dossier *before,
                       const struct wf_rec_dossier *now, struct wf_error *err)
{
    int rc = write_code(txn, now->id, before != NULL ? &before->code : NULL, now->code, err);
    return rc < 0 ? rc
                  : write_code(txn, now->id, before != NULL ? &before->provisional : NULL,
                               now->provisional, err);
}

/* ---- the record ------------------------------------------------------------------------------ */

uint64_t wf_dossier_new_id(struct wf_txn *txn)
{
    return ++txn->counts.dossier_id;
}

/* The newest id is greater than all others, as a rule: appended, the pages fill to the brim. */
static int put_by_id(struct wf_txn *txn, enum wf_table table, uint64_t id, enum wf_record kind,
                     const void *record, struct wf_error *err)
{
    struct wf_key key;
    int rc = WF_E_CONFLICT;
    id_key(&key, id);
    if (id == txn->counts.dossier_id)
        rc = wf_txn_put_record(txn, table, &key, kind, record, WF_PUT_APPEND, err);
    if (rc == WF_E_CONFLICT)
        rc = wf_txn_put_record(txn, table, &key, kind, record, WF_PUT_SET, err);
    return rc;
}

static void count_dossier(struct wf_counts *counts, const struct wf_rec_dossier *d, bool add)
{
    uint64_t *counter = d->closed == 0 ? &counts->open : &counts->closed;
    *counter += add ? 1 : UINT64_MAX; /* unsigned: adding the maximum takes one off */
}

int wf_dossier_put(struct wf_txn *txn, const struct wf_rec_dossier *before,
                   const struct wf_rec_dossier *now, struct wf_error *err)
{
    int rc = check_dossier(txn, before, now, err);
    if (rc < 0)
        return rc;
    rc = put_by_id(txn, WF_TABLE_DOSSIERS, now->id, WF_REC_dossier, now, err);
    if (rc == 0)
        rc = write_codes(txn, before, now, err);
    if (rc == 0)
        rc = write_index(txn, before, now, err);
    if (rc == 0)
        rc = wf_tallies_change(txn, before, now, err);
    if (rc < 0)
        return wf_wrap(err, "save dossier %" PRIu64, now->id);
    if (before != NULL)
        count_dossier(&txn->counts, before, false);
    count_dossier(&txn->counts, now, true);
    return 0;
}

int wf_dossier_get(struct wf_txn *txn, uint64_t id, struct wf_arena *arena,
                   struct wf_rec_dossier *out, struct wf_error *err)
{
    struct wf_key key;
    id_key(&key, id);
    int rc = wf_txn_get_record(txn, WF_TABLE_DOSSIERS, &key, WF_REC_dossier, arena, out, err);
    return rc < 0 ? wf_wrap(err, "dossier %" PRIu64, id) : rc;
}

int wf_content_put(struct wf_txn *txn, uint64_t id, const struct wf_rec_content *content,
                   struct wf_error *err)
{
    struct wf_rec_content before;
    wf_arena_reset(txn->arena);
    int known = wf_content_get(txn, id, txn->arena, &before, err);
    int rc = known < 0 ? known : 0;
    if (rc == 0)
        rc = wf_paper_rows_follow(txn, id, known == 0 ? &before : NULL, content, err);
    if (rc == 0)
        rc = put_by_id(txn, WF_TABLE_CONTENTS, id, WF_REC_content, content, err);
    return rc < 0 ? wf_wrap(err, "save the content of dossier %" PRIu64, id) : 0;
}

int wf_content_get(struct wf_txn *txn, uint64_t id, struct wf_arena *arena,
                   struct wf_rec_content *out, struct wf_error *err)
{
    struct wf_key key;
    id_key(&key, id);
    int rc = wf_txn_get_record(txn, WF_TABLE_CONTENTS, &key, WF_REC_content, arena, out, err);
    return rc < 0 ? wf_wrap(err, "content of dossier %" PRIu64, id) : rc;
}

/* ---- lists ----------------------------------------------------------------------------------- */

bool wf_dossier_stands_in(const struct wf_rec_dossier *d, struct wf_str state)
{
    for (size_t i = 0; i < wf_value_count(d->states); i++) {
        if (wf_str_equal(wf_value_str(wf_list_at(d->states, i)), state))
            return true;
    }
    return false;
}

static bool fits(const struct wf_rec_dossier *d, const struct wf_dossier_filter *f)
{
    if (f->due_before != 0 && !(is_due_listed(d) && d->due < f->due_before))
        return false;
    return (f->procedure.len == 0 || wf_str_equal(d->procedure, f->procedure)) &&
           (f->site.len == 0 || wf_str_equal(d->site, f->site)) &&
           (f->state.len == 0 || wf_dossier_stands_in(d, f->state)) &&
           (!f->open_only || d->closed == 0);
}

struct plan {
    enum wf_table table;
    struct wf_key from; /* ends in the id to start at */
    size_t prefix;      /* the rest, which all rows share */
};

/* The soonest first: the place to go on from is that of the dossier `after`. */
static int plan_by_due(struct wf_txn *txn, const struct wf_dossier_filter *f, struct plan *plan,
                       struct wf_error *err)
{
    struct wf_rec_dossier last = {0};
    int rc = 0;
    plan->table = WF_TABLE_BY_DUE;
    plan->prefix = 0;
    wf_arena_reset(txn->arena);
    if (f->after != 0)
        rc = wf_dossier_get(txn, f->after, txn->arena, &last, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_NOT_FOUND, "no dossier %" PRIu64 " to go on from", f->after);
    due_key(&plan->from, f->after != 0 ? last.due : INT64_MIN);
    wf_key_u64(&plan->from, f->after + 1);
    return rc;
}

/* From the narrowest index to the whole table; all but the due list go by id. */
static int make_plan(struct wf_txn *txn, const struct wf_dossier_filter *f, struct plan *plan,
                     struct wf_error *err)
{
    if (f->due_before != 0)
        return plan_by_due(txn, f, plan, err);
    if (f->procedure.len > 0 && f->state.len > 0) {
        plan->table = WF_TABLE_BY_STATE;
        state_prefix(&plan->from, f->procedure, f->state);
    } else if (f->site.len > 0) {
        plan->table = WF_TABLE_BY_SITE;
        text_prefix(&plan->from, f->site);
    } else if (f->procedure.len > 0) {
        plan->table = WF_TABLE_BY_PROCEDURE;
        text_prefix(&plan->from, f->procedure);
    } else {
        plan->table = WF_TABLE_DOSSIERS;
        wf_key_start(&plan->from);
    }
    plan->prefix = plan->from.len;
    wf_key_u64(&plan->from, f->after + 1);
    return 0;
}

struct visitor {
    const struct wf_dossier_filter *filter;
    struct wf_arena *arena;
    int (*fn)(void *context, const struct wf_rec_dossier *dossier);
    void *context;
    size_t looked;
    bool at_end;
};

/* What does not fit is unpacked in the short-lived arena, so that long scans need no memory. */
static int visit(struct visitor *v, struct wf_txn *txn, uint64_t id, struct wf_error *err)
{
    struct wf_rec_dossier dossier;
    wf_arena_reset(txn->arena);
    int rc = wf_dossier_get(txn, id, txn->arena, &dossier, err);
    if (rc == 0 && !fits(&dossier, v->filter))
        return 0;
    if (rc == 0)
        rc = wf_dossier_get(txn, id, v->arena, &dossier, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_CORRUPT, "an index names dossier %" PRIu64 ", which is missing",
                       id);
    return rc < 0 ? rc : v->fn(v->context, &dossier);
}

static int visit_row(void *context, const struct wf_rows *rows, struct wf_slice value,
                     struct wf_error *err)
{
    struct visitor *v = context;
    const struct wf_key *at = &rows->at;
    (void)value;
    if (at->len < ID_BYTES)
        return wf_fail(err, WF_E_CORRUPT, "%s: a key is too short", wf_table_names[rows->table]);
    if (rows->table == WF_TABLE_BY_DUE && wf_time_load(at->bytes) >= v->filter->due_before) {
        v->at_end = true;
        return WF_NONE;
    }
    uint64_t id = wf_u64_load(at->bytes + at->len - ID_BYTES);
    int rc = visit(v, rows->txn, id, err);
    if (rc != 0 || ++v->looked != v->filter->most)
        return rc;
    v->at_end = true;
    if (v->filter->stopped != NULL)
        *v->filter->stopped = id;
    return WF_NONE;
}

int wf_dossier_each(struct wf_txn *txn, const struct wf_dossier_filter *filter,
                    struct wf_arena *arena,
                    int (*fn)(void *context, const struct wf_rec_dossier *dossier), void *context,
                    struct wf_error *err)
{
    struct visitor v = {.filter = filter, .arena = arena, .fn = fn, .context = context};
    struct plan plan;
    if (filter->after == UINT64_MAX)
        return 0;
    int rc = make_plan(txn, filter, &plan, err);
    if (rc == 0)
        rc = wf_rows_each(txn, plan.table, &plan.from, plan.prefix, visit_row, &v, err);
    return v.at_end ? 0 : rc;
}

/* ---- number series --------------------------------------------------------------------------- */

int wf_number_last(struct wf_txn *txn, struct wf_str series, uint64_t *out, struct wf_error *err)
{
    struct wf_key key;
    uint64_t last = 0;
    code_key(&key, series);
    int rc = wf_txn_get_number(txn, WF_TABLE_NUMBERS, &key, &last, err);
    if (rc >= 0)
        *out = last;
    return rc < 0 ? rc : 0;
}

int wf_number_take(struct wf_txn *txn, struct wf_str series, uint64_t count, uint64_t max,
                   uint64_t *out, struct wf_error *err)
{
    struct wf_key key;
    uint64_t last = 0;
    int rc = wf_number_last(txn, series, &last, err);
    if (rc < 0)
        return rc;
    if (count > max || last > max - count)
        return wf_fail(err, WF_E_FULL, "the series has no number above %" PRIu64, max);
    code_key(&key, series);
    rc = wf_txn_put_number(txn, WF_TABLE_NUMBERS, &key, last + count, WF_PUT_SET, err);
    if (rc == 0)
        *out = last + 1;
    return rc;
}

int wf_number_next(struct wf_txn *txn, struct wf_str series, uint64_t max, uint64_t *out,
                   struct wf_error *err)
{
    return wf_number_take(txn, series, 1, max, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of dossiers: the hot record with all that it says is under way, the content with its papers,
 * and the indexes over both. As check_links.c, one row at a time.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "store/check.h"
#include "workflow/papers.h"

#define ID_BYTES    8
#define QUEUE_BYTES 17 /* service, due, seq */

/* Entries of a dossier's `running` map, as engine/life.h names them. */
#define RUN_SEQ   "q"
#define RUN_TASKS "t"

/* ---- papers ---------------------------------------------------------------------------------- */

static bool has_paper_row(struct check *c, const struct wf_value *paper, uint64_t dossier)
{
    uint8_t hash[WF_HASH_BYTES];
    return !wf_paper_name(wf_value_str(wf_map_get(paper, "file")), hash) ||
           wf_paper_named_by(c->txn, hash, dossier, NULL) == 0;
}

static void check_papers(struct check *c, const struct wf_value *papers, uint64_t dossier)
{
    for (size_t i = 0; i < wf_value_count(papers); i++) {
        if (!has_paper_row(c, wf_list_at(papers, i), dossier))
            check_find(c, "index", "dossier %" PRIu64 ": a paper of it is missing in papers",
                       dossier);
    }
}

int check_papers_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_content content;
    if (!check_has_length(c, WF_TABLE_PAPERS, key, WF_HASH_BYTES + ID_BYTES))
        return 0;
    check_no_value(c, WF_TABLE_PAPERS, value);
    int rc = wf_content_get(c->txn, check_last_u64(key), c->arena, &content, c->err);
    if (rc == WF_NONE || (rc == 0 && !wf_content_names(&content, key->bytes)))
        check_find(c, "index", "papers: a row too many, of dossier %" PRIu64, check_last_u64(key));
    return check_damage(c, rc == WF_NONE ? 0 : rc, "contents");
}

/* ---- dossiers -------------------------------------------------------------------------------- */

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int note_waiting(void *context, const struct wf_rows *rows, struct wf_slice value,
                        struct wf_error *err)
{
    struct check *c = context;
    bool is_held = rows->table == WF_TABLE_HELD && rows->at.len == WF_HELD_BYTES &&
                   rows->at.bytes[WF_HELD_KIND_AT] == WF_HELD_ITEM;
    (void)value;
    if (!is_held && (rows->table == WF_TABLE_HELD || rows->at.len != QUEUE_BYTES))
        return 0;
    if (c->n_waiting == c->cap_waiting) {
        size_t cap = c->cap_waiting > 0 ? c->cap_waiting * 2 : 256;
        uint64_t *grown = wf_realloc(c->waiting, cap * sizeof(*grown));
        if (grown == NULL)
            return wf_fail(err, WF_E_NOMEM, "check the queues");
        c->waiting = grown;
        c->cap_waiting = cap;
    }
    c->waiting[c->n_waiting++] = check_last_u64(&rows->at);
    return 0;
}

/* Does the item wait in a queue, put aside or not, or lie among the dead letters? Queues are read
 * once a part. */
static int stands_somewhere(struct check *c, uint64_t seq, bool *out)
{
    struct wf_key key;
    int rc = 0;
    wf_key_start(&key);
    if (!c->has_waiting) {
        c->n_waiting = 0;
        rc = wf_rows_each(c->txn, WF_TABLE_QUEUES, &key, 0, note_waiting, c, c->err);
        if (rc == 0)
            rc = wf_rows_each(c->txn, WF_TABLE_HELD, &key, 0, note_waiting, c, c->err);
        if (c->n_waiting > 0)
            qsort(c->waiting, c->n_waiting, sizeof(*c->waiting), compare_u64);
        c->has_waiting = rc == 0;
    }
    *out = c->n_waiting > 0 &&
           bsearch(&seq, c->waiting, c->n_waiting, sizeof(seq), compare_u64) != NULL;
    check_id_key(&key, seq);
    *out = *out || check_has_row(c, WF_TABLE_DEAD, &key);
    return check_damage(c, rc, "queues");
}

static int check_running(struct check *c, const struct wf_rec_dossier *d,
                         const struct wf_value *entry)
{
    const struct wf_value *tasks = wf_map_get(entry, RUN_TASKS);
    uint64_t seq = (uint64_t)wf_value_int(wf_map_get(entry, RUN_SEQ), 0);
    bool stands = true;
    struct wf_key key;
    int rc = seq != 0 ? stands_somewhere(c, seq, &stands) : 0;
    if (!stands)
        check_find(c, "links",
                   "dossier %" PRIu64 " waits for queue item %" PRIu64 ", which is missing", d->id,
                   seq);
    for (size_t i = 0; i < wf_value_count(tasks); i++) {
        uint64_t id = (uint64_t)wf_value_int(wf_list_at(tasks, i), 0);
        check_id_key(&key, id);
        if (!check_has_row(c, WF_TABLE_TASKS, &key))
            check_find(c, "links",
                       "dossier %" PRIu64 " waits for task %" PRIu64 ", which is missing", d->id,
                       id);
    }
    return rc;
}

/* A timer that fell due and failed is among the dead letters, and its entry stays: only those that
 * are still to come must be there. */
static void check_timers(struct check *c, const struct wf_rec_dossier *d)
{
    for (size_t i = 0; d->timers != NULL && i < wf_value_count(d->timers); i++) {
        const struct wf_value *armed = d->timers->u.map.pairs[i].value;
        int64_t due = wf_value_int(wf_list_at(armed, 0), 0);
        uint64_t seq = (uint64_t)wf_value_int(wf_list_at(armed, 1), 0);
        struct wf_key key;
        bool found = false;
        for (unsigned s = 0; s < WF_SERVICE_COUNT && !found; s++) {
            wf_key_start(&key);
            wf_key_u8(&key, s);
            wf_key_time(&key, due);
            wf_key_u64(&key, seq);
            found = check_has_row(c, WF_TABLE_TIMERS, &key);
        }
        if (!found && due > c->now_ms && !check_timer_is_held(c, d, due, seq))
            check_find(c, "links", "dossier %" PRIu64 ": one of its timers is missing", d->id);
    }
}

static int count_row(void *context, const struct wf_rows *rows, struct wf_slice value,
                     struct wf_error *err)
{
    (void)rows;
    (void)value;
    (void)err;
    ++*(uint64_t *)context;
    return 0;
}

static int check_history(struct check *c, const struct wf_rec_dossier *d)
{
    struct wf_key key;
    uint64_t events = 0;
    check_id_key(&key, d->id);
    int rc = wf_rows_each(c->txn, WF_TABLE_HISTORY, &key, ID_BYTES, count_row, &events, c->err);
    if (rc == 0 && events != d->events)
        check_find(c, "history",
                   "dossier %" PRIu64 " has had %" PRIu64 " events, %" PRIu64 " are listed", d->id,
                   d->events, events);
    return check_damage(c, rc, "history");
}

/* Of a row of codes the value counts too. */
static void code_link(struct wf_key *key, struct wf_str code, uint64_t id)
{
    check_id_key(key, id);
    wf_key_hashed(key, code);
}

static void check_code(struct check *c, const struct wf_rec_dossier *d, struct wf_str code)
{
    struct wf_key key;
    uint64_t id = 0;
    if (code.len == 0)
        return;
    code_link(&key, code, d->id);
    if (c->part.summed)
        (void)check_calls(c, WF_TABLE_CODES, &key);
    else if (wf_dossier_find(c->txn, code, &id, NULL) != 0 || id != d->id)
        check_find(c, "index", "dossier %" PRIu64 " is not found by its code", d->id);
}

struct index_check {
    struct check *c;
    uint64_t id;
};

static void check_index(void *context, enum wf_table table, const struct wf_key *key)
{
    const struct index_check *of = context;
    if (!check_calls(of->c, table, key))
        check_find(of->c, "index", "dossier %" PRIu64 " is missing in %s", of->id,
                   wf_table_names[table]);
}

/* Its content, its rows in the indexes and the history, and that so many events are its own. */
static int check_rows_of(struct check *c, const struct wf_rec_dossier *d)
{
    struct index_check of = {c, d->id};
    struct wf_key key;
    check_id_key(&key, d->id);
    if (!check_calls(c, WF_TABLE_CONTENTS, &key))
        check_find(c, "links", "dossier %" PRIu64 ": its fields and papers are missing", d->id);
    check_code(c, d, d->code);
    check_code(c, d, d->provisional);
    wf_dossier_each_index(d, check_index, &of);
    check_stands(c, WF_TABLE_DOSSIERS, &key, d->events); /* each of its events calls for it */
    return c->part.summed ? 0 : check_history(c, d);
}

int check_dossiers_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_dossier d;
    bool whole;
    c->sum.dossiers++;
    if (!check_has_length(c, WF_TABLE_DOSSIERS, key, ID_BYTES))
        return 0;
    int rc = check_unpack(c, WF_TABLE_DOSSIERS, WF_REC_dossier, value, &d, &whole);
    if (!whole)
        return rc;
    if (d.id != check_last_u64(key) || d.id > wf_txn_counts(c->txn)->dossier_id)
        check_find(c, "keys", "dossiers: a record lies under a number not its own");
    *(d.closed == 0 ? &c->open : &c->closed) += 1;
    check_tallies_add(c, &d);
    check_timers(c, &d);
    rc = check_rows_of(c, &d);
    for (size_t i = 0; rc == 0 && d.running != NULL && i < wf_value_count(d.running); i++)
        rc = check_running(c, &d, d.running->u.map.pairs[i].value);
    return rc;
}

int check_contents_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_content content;
    bool whole;
    if (!check_has_length(c, WF_TABLE_CONTENTS, key, ID_BYTES))
        return 0;
    check_stands(c, WF_TABLE_CONTENTS, key, 1);
    if (!c->part.summed && !check_has_row(c, WF_TABLE_DOSSIERS, key))
        check_find(c, "links", "contents: a row of dossier %" PRIu64 ", which is missing",
                   check_last_u64(key));
    int rc = check_unpack(c, WF_TABLE_CONTENTS, WF_REC_content, value, &content, &whole);
    if (whole) {
        check_papers(c, content.papers, check_last_u64(key));
        check_papers(c, content.attached, check_last_u64(key));
    }
    return rc;
}

/* ---- indexes ---------------------------------------------------------------------------------- */

int check_codes_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_dossier d;
    struct wf_key link;
    uint64_t id = 0;
    struct wf_str code = {(const char *)key->bytes, key->len};
    (void)value;
    int rc = check_number(c, WF_TABLE_CODES, key, &id);
    if (rc != 0 || id == 0)
        return rc;
    code_link(&link, code, id);
    check_stands(c, WF_TABLE_CODES, &link, 1);
    if (c->part.summed)
        return 0;
    if (check_dossier_of(c, WF_TABLE_CODES, id, &d, &rc) && !wf_str_equal(d.code, code) &&
        !wf_str_equal(d.provisional, code))
        check_find(c, "index", "a code leads to dossier %" PRIu64 ", which has another", id);
    return rc;
}

static int index_row(struct check *c, enum wf_table table, const struct wf_key *key,
                     struct wf_slice value)
{
    struct wf_rec_dossier d;
    int rc = 0;
    check_no_value(c, table, value);
    if (!check_has_length(c, table, key, (table == WF_TABLE_BY_STATE ? 3 : 2) * (size_t)ID_BYTES))
        return 0;
    check_stands(c, table, key, 1);
    if (c->part.summed)
        return 0;
    if (check_dossier_of(c, table, check_last_u64(key), &d, &rc) &&
        !wf_dossier_calls_for(&d, table, key))
        check_find(c, "index", "%s: a row too many, of dossier %" PRIu64, wf_table_names[table],
                   d.id);
    return rc;
}

#define INDEX_ROW(name, table)                                                                     \
    int name(struct check *c, const struct wf_key *key, struct wf_slice value)                     \
    {                                                                                              \
        return index_row(c, table, key, value);                                                    \
    }
INDEX_ROW(check_by_procedure_row, WF_TABLE_BY_PROCEDURE)
INDEX_ROW(check_by_state_row, WF_TABLE_BY_STATE)
INDEX_ROW(check_by_site_row, WF_TABLE_BY_SITE)
INDEX_ROW(check_by_due_row, WF_TABLE_BY_DUE)

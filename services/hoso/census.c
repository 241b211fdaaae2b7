/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open dossiers of a procedure by version and place. The state index is asked for every innermost
 * state of every installed version; a dossier in several states is counted in the first of them.
 * Where a version does not compile here its states are not known: then all dossiers of the
 * procedure are looked at.
 */
#include "versions.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_PER_TRANSACTION 500

struct walk {
    struct hoso *h;
    struct wf_txn *txn;
    struct wf_str code;
    struct wf_arena *arena;  /* of one transaction */
    struct wf_value *states; /* innermost ones of all versions */
    bool has_unknown;        /* a version does not compile here */
    const char *state;       /* being asked for; "" = all */
    uint64_t last;
    size_t rows;
    version_fn *fn;
    void *context;
};

/* ---- places ---------------------------------------------------------------------------------- */

static bool is_leaf(const struct wf_chart_state *state)
{
    return state->kind == WF_STATE_ATOMIC || state->kind == WF_STATE_FINAL;
}

/* The i-th of the dossier's states if it is an innermost one, or NULL. */
static const char *leaf_at(const struct wf_procedure *p, const struct wf_rec_dossier *d, size_t i)
{
    const char *id = wf_value_text(wf_list_at(d->states, i), "");
    const struct wf_chart_state *all = NULL;
    if (p == NULL)
        return i + 1 == wf_value_count(d->states) ? id : NULL;
    (void)wf_chart_states(p->chart, &all);
    int at = wf_chart_find(p->chart, id);
    return at >= 0 && is_leaf(&all[at]) ? id : NULL;
}

static const char *first_leaf(const struct wf_procedure *p, const struct wf_rec_dossier *d)
{
    const char *leaf = NULL;
    for (size_t i = 0; leaf == NULL && i < wf_value_count(d->states); i++)
        leaf = leaf_at(p, d, i);
    return leaf != NULL ? leaf : "";
}

const char *version_place(struct hoso *h, struct wf_txn *txn, const struct wf_rec_dossier *dossier,
                          struct wf_arena *arena)
{
    const struct wf_procedure *p =
        hoso_known_procedure(h, txn, dossier->procedure, dossier->version);
    const char *place = "";
    for (size_t i = 0; place != NULL && i < wf_value_count(dossier->states); i++) {
        const char *leaf = leaf_at(p, dossier, i);
        if (leaf != NULL)
            place = wf_arena_printf(arena, "%s%s%s", place, place[0] != '\0' ? " + " : "", leaf);
    }
    return place;
}

/* ---- walking --------------------------------------------------------------------------------- */

static void add_state(struct walk *w, const char *id)
{
    for (size_t i = 0; i < wf_value_count(w->states); i++) {
        if (strcmp(wf_value_text(wf_list_at(w->states, i), ""), id) == 0)
            return;
    }
    (void)wf_list_add(w->h->arena, w->states, wf_text(w->h->arena, id));
}

static int add_states(void *context, const struct wf_rec_procedure *record)
{
    struct walk *w = context;
    const struct wf_chart_state *all = NULL;
    if (!wf_str_equal(record->code, w->code))
        return 0;
    const struct wf_procedure *p =
        hoso_known_procedure(w->h, w->txn, record->code, record->version);
    size_t n = p != NULL ? wf_chart_states(p->chart, &all) : 0;
    w->has_unknown = w->has_unknown || p == NULL;
    for (size_t i = 0; i < n; i++) {
        bool is_end = all[i].kind == WF_STATE_FINAL && all[i].parent < 0;
        if (is_leaf(&all[i]) && !is_end)
            add_state(w, all[i].id);
    }
    return 0;
}

static int read_states(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct walk *w = context;
    w->txn = txn;
    return wf_procedure_each(txn, w->arena, add_states, w, &h->err);
}

static int visit(void *context, const struct wf_rec_dossier *dossier)
{
    struct walk *w = context;
    const struct wf_procedure *p =
        hoso_known_procedure(w->h, w->txn, dossier->procedure, dossier->version);
    int rc = 0;
    w->last = dossier->id;
    if (w->state[0] == '\0' || strcmp(first_leaf(p, dossier), w->state) == 0) {
        const char *place = version_place(w->h, w->txn, dossier, w->arena);
        rc = place == NULL ? wf_fail(&w->h->err, WF_E_NOMEM, "out of memory")
                           : w->fn(w->context, dossier, place);
    }
    return rc == 0 && ++w->rows >= ROWS_PER_TRANSACTION ? WF_NONE : rc;
}

static int read_part(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct walk *w = context;
    const struct wf_dossier_filter filter = {
        .procedure = w->code, .state = wf_str(w->state), .after = w->last, .open_only = true};
    w->txn = txn;
    w->rows = 0;
    return wf_dossier_each(txn, &filter, w->arena, visit, w, &h->err);
}

static int walk_state(struct walk *w, const char *state)
{
    int rc = WF_NONE;
    w->state = state;
    for (w->last = 0; rc == WF_NONE; wf_arena_reset(w->arena))
        rc = hoso_read(w->h, read_part, w);
    return rc;
}

int version_each_open(struct hoso *h, const char *code, version_fn *fn, void *context)
{
    struct walk w = {.h = h,
                     .code = wf_str(code),
                     .arena = wf_arena_new(0),
                     .states = wf_list(h->arena),
                     .fn = fn,
                     .context = context};
    int rc = w.arena == NULL || w.states == NULL ? wf_fail(&h->err, WF_E_NOMEM, "out of memory")
                                                 : hoso_read(h, read_states, &w);
    wf_arena_reset(w.arena);
    if (rc == 0 && w.has_unknown)
        rc = walk_state(&w, "");
    for (size_t i = 0; rc == 0 && !w.has_unknown && i < wf_value_count(w.states); i++)
        rc = walk_state(&w, wf_value_text(wf_list_at(w.states, i), ""));
    wf_arena_free(w.arena);
    return rc;
}

/* ---- counting -------------------------------------------------------------------------------- */

struct count {
    uint64_t version;
    const char *place;
    int64_t n;
    struct count *next;
};

struct census {
    struct hoso *h;
    struct count *first;
};

/* By version, then by number, the largest first. */
static bool comes_before(const struct count *a, const struct count *b)
{
    return a->version != b->version ? a->version < b->version : a->n > b->n;
}

static int count_one(void *context, const struct wf_rec_dossier *dossier, const char *place)
{
    struct census *c = context;
    for (struct count *at = c->first; at != NULL; at = at->next) {
        if (at->version == dossier->version && strcmp(at->place, place) == 0) {
            at->n++;
            return 0;
        }
    }
    struct count *fresh = wf_arena_alloc(c->h->arena, sizeof(*fresh));
    char *kept = wf_arena_strdup(c->h->arena, place);
    if (fresh == NULL || kept == NULL)
        return wf_fail(&c->h->err, WF_E_NOMEM, "out of memory");
    *fresh = (struct count){dossier->version, kept, 1, c->first};
    c->first = fresh;
    return 0;
}

int version_census(struct hoso *h, const char *code, struct wf_value *out_rows)
{
    struct census c = {.h = h};
    int rc = version_each_open(h, code, count_one, &c);
    while (rc == 0 && c.first != NULL) {
        struct count **best = &c.first;
        for (struct count **at = &c.first; *at != NULL; at = &(*at)->next)
            best = comes_before(*at, *best) ? at : best;
        const struct count *row = *best;
        /* clang-format off */
        (void)wf_list_add(h->arena, out_rows, hoso_map(h,
            "version", wf_int(h->arena, (int64_t)row->version),
            "state", wf_text(h->arena, row->place),
            "dossiers", wf_int(h->arena, row->n),
            NULL));
        /* clang-format on */
        *best = row->next;
    }
    return rc;
}

int64_t version_sum(const struct wf_value *census, int64_t version)
{
    int64_t sum = 0;
    for (size_t i = 0; i < wf_value_count(census); i++) {
        const struct wf_value *row = wf_list_at(census, i);
        if (wf_value_int(wf_map_get(row, "version"), 0) == version)
            sum += wf_value_int(wf_map_get(row, "dossiers"), 0);
    }
    return sum;
}

void version_print_census(const struct hoso *h, const struct wf_value *census)
{
    for (size_t i = 0; i < wf_value_count(census); i++) {
        const struct wf_value *row = wf_list_at(census, i);
        int64_t n = wf_value_int(wf_map_get(row, "dossiers"), 0);
        int64_t version = wf_value_int(wf_map_get(row, "version"), 0);
        const char *state = wf_value_text(wf_map_get(row, "state"), "");
        if (h->vi)
            (void)printf("  %" PRId64 " hồ sơ ở bước %s ở lại bản %" PRId64 "\n", n, state,
                         version);
        else
            (void)printf("  %" PRId64 " in %s stay%s on version %" PRId64 "\n", n, state,
                         n == 1 ? "s" : "", version);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure replay: the real dossiers of a procedure walked through a definition that is not in
 * force yet. Nothing is written; dossiers are read in short transactions, so that a running cell
 * goes on meanwhile. Of a dossier's data nothing is shown.
 */
#include "tools.h"

#include <inttypes.h>
#include <string.h>

#include "workflow/replay.h"

#define DOSSIERS_AT_ONCE 100
#define ROWS_DEFAULT     100
#define ROWS_MOST        1000000

static const struct {
    const char *key, *en, *vi;
} classes[WF_REPLAY_CLASSES] = {
    [WF_REPLAY_SAME] = {"same", "the same", "như cũ"},
    [WF_REPLAY_OUTCOME] = {"outcome", "another outcome", "kết quả khác"},
    [WF_REPLAY_STATE] = {"state", "another state", "trạng thái khác"},
    [WF_REPLAY_UNTAKEN] = {"untaken", "event not taken", "không nhận sự kiện"},
    [WF_REPLAY_ERROR] = {"error", "error", "lỗi"},
};

static const struct hoso_column columns[] = {
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"words", "What", "Khác ở", HOSO_TEXT},
    {"event", "Ways part at", "Từ sự kiện", HOSO_TEXT},
    {"was", "State then", "Trạng thái đã có", HOSO_WORDS},
    {"now", "State here", "Trạng thái mới", HOSO_WORDS},
    {"outcome_was", "Outcome then", "Kết quả đã có", HOSO_TEXT},
    {"outcome_now", "Outcome here", "Kết quả mới", HOSO_TEXT},
    {"error", "Error", "Lỗi", HOSO_TEXT},
};

struct replay {
    struct hoso *h;
    const struct wf_procedure *candidate;
    struct wf_str code;
    struct wf_txn *txn;
    struct wf_arena *rows;    /* of one transaction */
    struct wf_arena *arena;   /* of one dossier */
    struct wf_buf events;     /* struct wf_rec_event each, of one dossier */
    struct wf_value *differs; /* rows, at most as many as wanted */
    int64_t most;             /* 0 = all */
    int64_t counts[WF_REPLAY_CLASSES];
    uint64_t after;
    size_t n; /* done in this transaction */
    bool at_end;
};

static int no_memory(struct hoso *h)
{
    return wf_fail(&h->err, WF_E_NOMEM, "replay: out of memory");
}

/* ---- one dossier ----------------------------------------------------------------------------- */

static int keep_event(void *context, const struct wf_rec_event *event)
{
    struct replay *r = context;
    wf_buf_add(&r->events, event, sizeof(*event));
    return r->events.failed ? no_memory(r->h) : 0;
}

static const char *model_of(const struct hoso *h, struct wf_str site_code)
{
    const struct wf_site *site = wf_registry_site(h->registry, site_code);
    return wf_site_model_name(site != NULL ? site->model : WF_MODEL_NONE);
}

static int add_row(struct replay *r, const struct wf_rec_dossier *d, const struct wf_replay *is)
{
    struct hoso *h = r->h;
    if (r->most != 0 && (int64_t)wf_value_count(r->differs) >= r->most)
        return 0;
    const char *name = d->code.len > 0 ? wf_arena_strndup(h->arena, d->code.ptr, d->code.len)
                                       : wf_arena_printf(h->arena, "#%" PRIu64, d->id);
    /* clang-format off */
    const struct wf_value *row = hoso_map(h,
        "dossier", wf_text(h->arena, name),
        "version", wf_int(h->arena, (int64_t)d->version),
        "class", wf_text(h->arena, classes[is->what].key),
        "words", wf_text(h->arena, h->vi ? classes[is->what].vi : classes[is->what].en),
        "event", wf_text(h->arena, is->event),
        "was", wf_value_copy(h->arena, is->was),
        "now", wf_value_copy(h->arena, is->now),
        "outcome_was", d->done ? hoso_str(h, d->outcome) : &wf_null,
        "outcome_now", wf_text(h->arena, is->outcome),
        "status_was", wf_int(h->arena, (int64_t)d->status),
        "status_now", wf_int(h->arena, is->status),
        "error", wf_text(h->arena, is->error),
        NULL);
    /* clang-format on */
    return name != NULL && wf_list_add(h->arena, r->differs, row) ? 0 : no_memory(h);
}

static int one_dossier(void *context, const struct wf_rec_dossier *dossier)
{
    struct replay *r = context;
    struct hoso *h = r->h;
    struct wf_rec_content content = {0};
    struct wf_replay is = {0};
    wf_arena_reset(r->arena);
    wf_buf_clear(&r->events);
    int rc = wf_content_get(r->txn, dossier->id, r->arena, &content, &h->err);
    if (rc >= 0)
        rc = wf_history_each(r->txn, dossier->id, r->arena, keep_event, r, &h->err);
    struct wf_replay_case of = {.dossier = dossier,
                                .events = (const void *)r->events.ptr,
                                .n = r->events.len / sizeof(struct wf_rec_event),
                                .has_agent = wf_value_count(content.agent) > 0,
                                .model = model_of(h, dossier->site)};
    if (rc == 0)
        rc = wf_replay(r->candidate, &of, r->arena, &is, &h->err);
    if (rc == 0 && is.what != WF_REPLAY_SAME)
        rc = add_row(r, dossier, &is);
    if (rc != 0)
        return wf_wrap(&h->err, "dossier #%" PRIu64, dossier->id);
    r->counts[is.what]++;
    r->after = dossier->id;
    return ++r->n == DOSSIERS_AT_ONCE ? WF_NONE : 0;
}

static int one_batch(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct replay *r = context;
    const struct wf_dossier_filter filter = {.procedure = r->code, .after = r->after};
    r->txn = txn;
    r->n = 0;
    wf_arena_reset(r->rows);
    int rc = wf_dossier_each(txn, &filter, r->rows, one_dossier, r, &h->err);
    r->at_end = rc == 0;
    return rc > 0 ? 0 : rc;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int64_t n_differ(const struct replay *r)
{
    int64_t n = 0;
    for (size_t i = 0; i < WF_REPLAY_CLASSES; i++)
        n += i != WF_REPLAY_SAME ? r->counts[i] : 0;
    return n;
}

static int print_answer(struct replay *r)
{
    struct hoso *h = r->h;
    int64_t left = n_differ(r) - (int64_t)wf_value_count(r->differs);
    for (size_t i = 0; i < WF_REPLAY_CLASSES; i++) {
        if (i == WF_REPLAY_SAME || r->counts[i] > 0)
            (void)printf("%6" PRId64 "  %s\n", r->counts[i], h->vi ? classes[i].vi : classes[i].en);
    }
    if (wf_value_count(r->differs) == 0)
        return 0;
    (void)putchar('\n');
    int rc = hoso_print_table(h, columns, WF_COUNT(columns), r->differs);
    if (rc == 0 && left > 0)
        (void)printf(h->vi ? "còn %" PRId64 " hồ sơ khác: --max 0\n"
                           : "and %" PRId64 " more: --max 0\n",
                     left);
    return rc;
}

static int give_answer(struct replay *r)
{
    struct hoso *h = r->h;
    struct wf_value *counts = wf_map(h->arena);
    bool done = false;
    for (size_t i = 0; i < WF_REPLAY_CLASSES; i++)
        (void)wf_map_put(h->arena, counts, classes[i].key, wf_int(h->arena, r->counts[i]));
    /* clang-format off */
    int rc = hoso_answer(h, hoso_map(h,
        "procedure", hoso_str(h, r->code),
        "version", wf_int(h->arena, r->candidate->version),
        "counts", counts,
        "differ", r->differs,
        NULL), &done);
    /* clang-format on */
    if (rc == 0 && !done)
        rc = print_answer(r);
    return rc == 0 && n_differ(r) > 0 ? HOSO_FAILED : rc;
}

int hoso_procedure_replay(struct hoso *h)
{
    struct definition definition = {NULL, NULL};
    struct replay r = {.h = h, .differs = wf_list(h->arena)};
    int rc = hoso_number(h, OPT_MAX, h->json ? 0 : ROWS_DEFAULT, ROWS_MOST, &r.most);
    if (rc == 0)
        rc = hoso_registry(h);
    if (rc == 0)
        rc = hoso_store(h, false);
    if (rc == 0)
        rc = tool_definition(h, h->args[0], &definition);
    if (rc != 0)
        return rc;
    r.candidate = definition.procedure;
    r.code = hoso_has(h, OPT_PROCEDURE) ? hoso_text(h, OPT_PROCEDURE) : wf_str(r.candidate->code);
    r.rows = wf_arena_new(0);
    r.arena = wf_arena_new(0);
    rc = r.rows != NULL && r.arena != NULL && r.differs != NULL ? 0 : no_memory(h);
    while (rc == 0 && !r.at_end)
        rc = hoso_read(h, one_batch, &r);
    if (rc == 0)
        rc = give_answer(&r);
    wf_buf_fini(&r.events);
    wf_arena_free(r.arena);
    wf_arena_free(r.rows);
    tool_definition_fini(&definition);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue ...: what waits, what failed for good, and what to do about it. retry and drop write the
 * store directly, as an event of the dossier with the operator's name; workers find the rest of the
 * work when they next sweep their queue.
 */
#include "hoso.h"

#include <inttypes.h>
#include <string.h>

#include "catalogue.h"

static const struct hoso_column list_columns[] = {
    {"seq", "Seq", "Số", HOSO_NUMBER},
    {"service", "Service", "Dịch vụ", HOSO_TEXT},
    {"kind", "Kind", "Loại", HOSO_TEXT},
    {"activity", "Activity", "Công việc", HOSO_TEXT},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"created", "Queued", "Từ lúc", HOSO_TIME},
    {"due", "Not before", "Không trước", HOSO_TIME},
    {"attempts", "Attempts", "Số lần thử", HOSO_NUMBER},
    {"reason", "Last failure", "Lý do lỗi", HOSO_TEXT},
};

static const struct hoso_column dead_columns[] = {
    {"seq", "Seq", "Số", HOSO_NUMBER},
    {"service", "Service", "Dịch vụ", HOSO_TEXT},
    {"activity", "Activity", "Công việc", HOSO_TEXT},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"since", "Since", "Từ lúc", HOSO_TIME},
    {"attempts", "Attempts", "Số lần thử", HOSO_NUMBER},
    {"reason", "Why", "Lý do", HOSO_TEXT},
};

static const struct hoso_column show_columns[] = {
    {"seq", "Seq", "Số", HOSO_NUMBER},
    {"where", "Lies in", "Nằm ở", HOSO_TEXT},
    {"service", "Service", "Dịch vụ", HOSO_TEXT},
    {"kind", "Kind", "Loại", HOSO_TEXT},
    {"activity", "Activity", "Công việc", HOSO_TEXT},
    {"id", "Id", "Mã", HOSO_TEXT},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"role", "Role", "Vai trò", HOSO_TEXT},
    {"created", "Queued", "Từ lúc", HOSO_TIME},
    {"due", "Not before", "Không trước", HOSO_TIME},
    {"since", "Given up", "Bỏ từ", HOSO_TIME},
    {"attempts", "Attempts", "Số lần thử", HOSO_NUMBER},
    {"reason", "Why", "Lý do", HOSO_TEXT},
    {"brief", "Data", "Dữ liệu", HOSO_TEXT},
};

struct listing {
    struct hoso *h;
    struct wf_txn *txn;
    struct wf_value *rows;
    int64_t max;
    uint64_t wanted; /* seq looked for, 0 = all */
    bool dead;
};

static const char *kind_word(uint64_t kind)
{
    switch (kind) {
    case WF_QUEUE_START:
        return "start";
    case WF_QUEUE_TASK:
        return "task";
    case WF_QUEUE_EVENT:
        return "event";
    case WF_QUEUE_PART:
        return "part";
    default:
        return "?";
    }
}

static const struct wf_value *code_of(struct listing *l, uint64_t id)
{
    struct wf_rec_dossier dossier;
    char text[32];
    if (wf_dossier_get(l->txn, id, l->h->arena, &dossier, NULL) == 0 && dossier.code.len > 0)
        return hoso_str(l->h, dossier.code);
    (void)snprintf(text, sizeof(text), "#%" PRIu64, id);
    return wf_text(l->h->arena, text);
}

static int add_item(void *context, const struct wf_rec_queue *item)
{
    struct listing *l = context;
    struct hoso *h = l->h;
    if (l->wanted != 0 && item->seq != l->wanted)
        return 0;
    const struct wf_value *params = item->params != NULL ? item->params : &wf_null;
    /* clang-format off */
    const struct wf_value *row = hoso_map(h,
        "seq", wf_int(h->arena, (int64_t)item->seq),
        "where", wf_text(h->arena, l->dead ? "dead letters" : "queue"),
        "service", wf_text(h->arena, wf_service_word((enum wf_service)item->service)),
        "kind", wf_text(h->arena, kind_word(item->kind)),
        "activity", hoso_str(h, item->activity),
        "id", hoso_str(h, item->id),
        "dossier", code_of(l, item->dossier),
        "role", hoso_str(h, item->role),
        "created", wf_int(h->arena, item->created),
        "due", wf_int(h->arena, item->due),
        "since", wf_int(h->arena, item->since),
        "attempts", wf_int(h->arena, (int64_t)item->attempts),
        "reason", hoso_str(h, item->reason),
        "params", hoso_has(h, OPT_UNMASK) ? wf_value_copy(h->arena, params)
                                          : hoso_masked(h, params),
        NULL);
    /* clang-format on */
    if (!wf_list_add(h->arena, l->rows, row))
        return WF_E_NOMEM;
    bool full = l->max > 0 && (int64_t)wf_value_count(l->rows) >= l->max;
    return full || l->wanted != 0 ? WF_NONE : 0;
}

/* The one service of --service, or all. */
static int services(struct hoso *h, unsigned *out_first, unsigned *out_last)
{
    *out_first = 0;
    *out_last = WF_SERVICE_COUNT - 1;
    if (!hoso_has(h, OPT_SERVICE))
        return 0;
    int service = wf_service_of_word(hoso_text(h, OPT_SERVICE));
    if (service < 0)
        return wf_fail(&h->err, WF_E_CONFIG,
                       "--service: one of intake, verification, routing, notification, return");
    *out_first = *out_last = (unsigned)service;
    return 0;
}

static int read_items(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct listing *l = context;
    unsigned first;
    unsigned last;
    l->txn = txn;
    int rc = services(h, &first, &last);
    for (unsigned s = first; s <= last && rc == 0; s++)
        rc = wf_queue_each(txn, (enum wf_service)s, l->dead, h->arena, add_item, l, &h->err);
    return rc;
}

int hoso_queue_list(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena), .dead = hoso_has(h, OPT_DEAD)};
    bool done = false;
    int rc = hoso_number(h, OPT_MAX, 100, INT32_MAX, &l.max);
    if (rc == 0)
        rc = hoso_read(h, read_items, &l);
    if (rc < 0)
        return rc;
    rc = hoso_answer(h, hoso_map(h, "items", l.rows, NULL), &done);
    if (rc != 0 || done)
        return rc;
    return l.dead ? hoso_print_table(h, dead_columns, WF_COUNT(dead_columns), l.rows)
                  : hoso_print_table(h, list_columns, WF_COUNT(list_columns), l.rows);
}

int hoso_queue_show(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena), .dead = true};
    bool done = false;
    int rc = hoso_number_arg(h, 0, "SEQ", &l.wanted);
    if (rc == 0)
        rc = hoso_read(h, read_items, &l);
    if (rc == 0) { /* not among the dead: WF_NONE would tell that it was found */
        l.dead = false;
        rc = hoso_read(h, read_items, &l);
    }
    if (rc < 0)
        return rc;
    if (wf_value_count(l.rows) == 0)
        return wf_fail(&h->err, WF_E_NOT_FOUND,
                       "no item %s waits or failed: it is settled, or never was", h->args[0]);
    struct wf_value *row = wf_map_copy(h->arena, wf_list_at(l.rows, 0));
    rc = hoso_answer(h, row, &done);
    if (rc != 0 || done)
        return rc;
    (void)wf_map_put(h->arena, row, "brief", hoso_brief(h, wf_map_get(row, "params"), 400));
    return hoso_print_pairs(h, show_columns, WF_COUNT(show_columns), row);
}

/* ---- retry and drop ----------------------------------------------------------------------------
 */

int hoso_engine(struct hoso *h, struct wf_engine **out)
{
    /* The engine keeps the catalogue for as long as it lives. */
    struct wf_catalogue *catalogue = wf_arena_alloc(h->arena, sizeof(*catalogue));
    const struct wf_service_spec *spec = hoso_service(WF_INTAKE);
    if (catalogue == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "open the engine: out of memory");
    int rc = hoso_store(h, true);
    if (rc == 0)
        rc = hoso_full_catalogue(h, catalogue);
    if (rc != 0)
        return rc;
    const struct wf_engine_options options = {.self = WF_INTAKE,
                                              .activities = spec->activities,
                                              .n_activities = spec->n_activities,
                                              .catalogue = catalogue,
                                              .registry = h->registry,
                                              .calendar = h->calendar,
                                              .setting = wf_settings_text,
                                              .context = &h->settings,
                                              .seed = (uint64_t)wf_real_ms()};
    rc = wf_engine_open(&options, out, &h->err);
    return rc == 0 ? wf_engine_refresh(*out, h->store, NULL, &h->err) : rc;
}

/* Each dead letter in a transaction of its own, so that one that cannot be helped stops no other.
 */
static int act(struct hoso *h, struct wf_engine *engine, uint64_t seq, bool retry)
{
    struct wf_clock clock = wf_store_clock(h->store);
    struct wf_turn turn = {.engine = engine, .arena = h->arena, .real_ms = wf_real_ms()};
    const char *by = hoso_operator(h);
    turn.now_ms = wf_business_ms(&clock, turn.real_ms);
    int rc = wf_txn_begin(h->store, true, &turn.txn, &h->err);
    if (rc != 0)
        return rc;
    rc = retry ? wf_engine_dead_retry(&turn, seq, by, &h->err)
               : wf_engine_dead_drop(&turn, seq, by, h->opt[OPT_REASON], &h->err);
    if (rc == 0)
        return wf_txn_commit(turn.txn, &h->err);
    wf_txn_abort(turn.txn);
    return rc;
}

/* The numbers of the command line, or those of all dead letters. */
static int wanted(struct hoso *h, struct wf_value *out)
{
    int rc = 0;
    for (int i = 0; i < h->n_args && rc == 0; i++) {
        uint64_t seq = 0;
        rc = hoso_number_arg(h, i, "SEQ", &seq);
        if (rc == 0)
            (void)wf_list_add(h->arena, out, wf_int(h->arena, (int64_t)seq));
    }
    if (rc != 0 || h->n_args > 0 || !hoso_has(h, OPT_ALL))
        return rc;
    struct listing l = {.h = h, .rows = wf_list(h->arena), .dead = true};
    rc = hoso_read(h, read_items, &l);
    for (size_t i = 0; i < wf_value_count(l.rows); i++)
        (void)wf_list_add(h->arena, out, wf_map_get(wf_list_at(l.rows, i), "seq"));
    return rc < 0 ? rc : 0;
}

static int act_on_all(struct hoso *h, bool retry)
{
    struct wf_engine *engine = NULL;
    struct wf_value *list = wf_list(h->arena);
    struct wf_value *acted = wf_list(h->arena);
    bool done = false;
    if (h->n_args == 0 && !hoso_has(h, OPT_ALL))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "which? give SEQ... or --all; `hoso queue list "
                       "--dead` shows them");
    int rc = hoso_engine(h, &engine);
    if (rc == 0)
        rc = wanted(h, list);
    for (size_t i = 0; i < wf_value_count(list) && rc == 0; i++) {
        rc = act(h, engine, (uint64_t)wf_value_int(wf_list_at(list, i), 0), retry);
        if (rc == 0)
            (void)wf_list_add(h->arena, acted, wf_list_at(list, i));
    }
    wf_engine_close(engine);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, retry ? "retried" : "dropped", acted, NULL), &done);
    if (rc == 0 && !done)
        (void)printf("%s: %zu\n", retry ? "put back" : "dropped", wf_value_count(acted));
    return rc;
}

int hoso_queue_retry(struct hoso *h)
{
    return act_on_all(h, true);
}

int hoso_queue_drop(struct hoso *h)
{
    if (!hoso_has(h, OPT_REASON))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "why? give --reason TEXT: it goes into the dossier's history");
    return act_on_all(h, false);
}

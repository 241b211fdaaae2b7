/* SPDX-License-Identifier: Apache-2.0 */
/* queue list, queue show: what waits, what is put aside, what failed for good. */
#include "hoso.h"

#include <inttypes.h>
#include <string.h>

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
    {"where", "Lies in", "Nằm ở", HOSO_TERM},
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

static const struct hoso_column try_columns[] = {
    {"at", "Failed at", "Lỗi lúc", HOSO_TIME},
    {"code", "Code", "Mã lỗi", HOSO_TEXT},
    {"reason", "Why", "Lý do", HOSO_TEXT},
};

enum place { IN_QUEUE, HELD_BACK, DEAD, PLACES };

static const char *const place_words[PLACES] = {"queue", "on hold", "dead letters"};

struct listing {
    struct hoso *h;
    struct wf_txn *txn;
    struct wf_value *rows;
    int64_t max;
    uint64_t wanted; /* seq looked for, 0 = all */
    enum place place;
    unsigned first, last; /* services */
    uint64_t dossier;     /* of --dossier; 0 = all */
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

/* The last failures: [ms, code, reason] each. */
static const struct wf_value *tries_of(struct hoso *h, const struct wf_rec_queue *item)
{
    struct wf_value *list = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(item->tries); i++) {
        const struct wf_value *one = wf_list_at(item->tries, i);
        (void)wf_list_add(h->arena, list,
                          hoso_map(h, "at", wf_value_copy(h->arena, wf_list_at(one, 0)), "code",
                                   wf_value_copy(h->arena, wf_list_at(one, 1)), "reason",
                                   wf_value_copy(h->arena, wf_list_at(one, 2)), NULL));
    }
    return list;
}

static int add_item(void *context, const struct wf_rec_queue *item)
{
    struct listing *l = context;
    struct hoso *h = l->h;
    if ((l->wanted != 0 && item->seq != l->wanted) || item->service < l->first ||
        item->service > l->last || (l->dossier != 0 && item->dossier != l->dossier))
        return 0;
    const struct wf_value *params = item->params != NULL ? item->params : &wf_null;
    /* clang-format off */
    const struct wf_value *row = hoso_map(h,
        "seq", wf_int(h->arena, (int64_t)item->seq),
        "where", wf_text(h->arena, place_words[l->place]),
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
        "tries", tries_of(h, item),
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
    int service = -1;
    int rc = hoso_service_option(h, &service);
    *out_first = service >= 0 ? (unsigned)service : 0;
    *out_last = service >= 0 ? (unsigned)service : WF_SERVICE_COUNT - 1;
    return rc;
}

static int read_items(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct listing *l = context;
    l->txn = txn;
    int rc = services(h, &l->first, &l->last);
    if (rc == 0)
        rc = hoso_dossier_option(h, txn, &l->dossier);
    if (rc == 0 && l->place == HELD_BACK)
        return wf_held_items_each(txn, h->arena, add_item, l, &h->err);
    for (unsigned s = l->first; s <= l->last && rc == 0; s++)
        rc = wf_queue_each(txn, (enum wf_service)s, l->place == DEAD, h->arena, add_item, l,
                           &h->err);
    return rc;
}

int hoso_queue_list(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena)};
    bool done = false;
    l.place = hoso_has(h, OPT_DEAD) ? DEAD : hoso_has(h, OPT_HELD) ? HELD_BACK : IN_QUEUE;
    int rc = hoso_number(h, OPT_MAX, 100, INT32_MAX, &l.max);
    if (rc == 0)
        rc = hoso_read(h, read_items, &l);
    if (rc < 0)
        return rc;
    rc = hoso_answer(h, hoso_map(h, "items", l.rows, NULL), &done);
    if (rc != 0 || done)
        return rc;
    rc = l.place == DEAD ? hoso_print_table(h, dead_columns, WF_COUNT(dead_columns), l.rows)
                         : hoso_print_table(h, list_columns, WF_COUNT(list_columns), l.rows);
    if (rc == 0 && l.max > 0 && (int64_t)wf_value_count(l.rows) >= l.max)
        hoso_print_cut(h);
    return rc;
}

static int print_item(struct hoso *h, struct wf_value *row)
{
    const struct wf_value *tries = wf_map_get(row, "tries");
    (void)wf_map_put(h->arena, row, "brief", hoso_brief(h, wf_map_get(row, "params"), 400));
    int rc = hoso_print_pairs(h, show_columns, WF_COUNT(show_columns), row);
    if (rc != 0 || wf_value_count(tries) == 0)
        return rc;
    (void)puts("");
    return hoso_print_table(h, try_columns, WF_COUNT(try_columns), tries);
}

int hoso_queue_show(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena)};
    bool done = false;
    int rc = hoso_number_arg(h, 0, "SEQ", &l.wanted);
    for (int place = 0; rc == 0 && place < PLACES; place++) { /* WF_NONE: found */
        l.place = (enum place)place;
        rc = hoso_read(h, read_items, &l);
    }
    if (rc < 0)
        return rc;
    if (wf_value_count(l.rows) == 0)
        return wf_fail(&h->err, WF_E_NOT_FOUND,
                       "no item %s waits or failed: it is settled, or never was", h->args[0]);
    struct wf_value *row = wf_map_copy(h->arena, wf_list_at(l.rows, 0));
    rc = hoso_answer(h, row, &done);
    return rc == 0 && !done ? print_item(h, row) : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold, release, hold list: what operators keep back for a while. A release is one short
 * transaction; what was put aside goes back in turns. Where the command dies in between, intake
 * goes on with it.
 */
#include "hoso.h"

#include <inttypes.h>
#include <string.h>

#include "holds.h"

#define ROWS_AT_ONCE 200
#define COUNT_MOST   100000 /* rows of one hold that are counted for the list */

/* ---- the order ------------------------------------------------------------------------------- */

static int kind_of(struct hoso *h, const char *word, enum wf_hold_kind *out)
{
    for (unsigned kind = 0; kind < WF_HOLD_KINDS; kind++) {
        if (strcmp(word, wf_hold_kind_word((enum wf_hold_kind)kind)) != 0)
            continue;
        *out = (enum wf_hold_kind)kind;
        return 0;
    }
    return wf_fail(&h->err, WF_E_CONFIG,
                   "\"%.40s\": one of dossier, procedure, queue, site, cell is wanted", word);
}

static int read_order(struct hoso *h, struct wf_hold_order *out)
{
    struct wf_hold_order order = {.by = hoso_operator(h), .reason = h->opt[OPT_REASON]};
    int rc = kind_of(h, h->args[0], &order.kind);
    if (rc != 0)
        return rc;
    bool is_cell = order.kind == WF_HOLD_CELL;
    if (is_cell != (h->n_args == 1))
        return wf_fail(&h->err, WF_E_CONFIG,
                       is_cell ? "cell takes no NAME: it is the one that you work on"
                               : "which %s? give its NAME",
                       h->args[0]);
    if (order.reason == NULL || order.reason[0] == '\0')
        return wf_fail(&h->err, WF_E_CONFIG, "why? give --reason TEXT: it goes into the journal");
    order.name = wf_str(is_cell ? "" : h->args[1]);
    *out = order;
    return 0;
}

int holds_act(struct hoso *h, struct wf_engine *engine, const struct wf_hold_order *order,
              bool release)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_turn turn;
    int rc = arena != NULL ? hoso_turn(h, engine, arena, &turn)
                           : wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    if (rc == 0) {
        rc = release ? wf_engine_release(&turn, order, &h->err)
                     : wf_engine_hold(&turn, order, &h->err);
        if (rc == 0)
            rc = wf_txn_commit(turn.txn, &h->err);
        else
            wf_txn_abort(turn.txn);
    }
    wf_arena_free(arena);
    return rc;
}

/* Until nothing is left, of earlier releases that broke off too. */
static int put_back_all(struct hoso *h, struct wf_engine *engine, int64_t *out_moved,
                        int64_t *out_damaged)
{
    struct wf_arena *arena = wf_arena_new(0);
    int rc = arena != NULL ? 0 : wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    *out_moved = *out_damaged = 0;
    while (rc == 0) {
        struct wf_turn turn;
        size_t moved = 0;
        size_t damaged = 0;
        rc = hoso_turn(h, engine, arena, &turn);
        if (rc != 0)
            break;
        rc = wf_engine_put_back(&turn, ROWS_AT_ONCE, &moved, &damaged, &h->err);
        int committed = 0;
        if (rc < 0)
            wf_txn_abort(turn.txn);
        else
            committed = wf_txn_commit(turn.txn, &h->err);
        rc = committed != 0 ? committed : rc;
        *out_moved += (int64_t)moved;
        *out_damaged += (int64_t)damaged;
    }
    wf_arena_free(arena);
    return rc < 0 ? rc : 0;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

static struct wf_value *named(struct hoso *h, const struct wf_hold_order *order)
{
    return hoso_map(h, "kind", wf_text(h->arena, wf_hold_kind_word(order->kind)), "name",
                    hoso_str(h, order->name), NULL);
}

/* "procedure 1.004873", "cell" */
static const char *subject(struct hoso *h, const struct wf_hold_order *order)
{
    struct wf_str kind = hoso_term(h, wf_str(wf_hold_kind_word(order->kind)));
    const char *text = wf_arena_printf(h->arena, "%.*s%s%.*s", WF_STR_ARG(kind),
                                       order->name.len > 0 ? " " : "", WF_STR_ARG(order->name));
    return text != NULL ? text : "";
}

int hoso_hold(struct hoso *h)
{
    struct wf_engine *engine = NULL;
    struct wf_hold_order order;
    bool done = false;
    int rc = read_order(h, &order);
    if (rc == 0)
        rc = hoso_engine(h, &engine);
    if (rc == 0)
        rc = holds_act(h, engine, &order, false);
    wf_engine_close(engine);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "held", named(h, &order), NULL), &done);
    if (rc == 0 && !done)
        (void)printf("%s%s\n", subject(h, &order), h->vi ? ": đã tạm giữ" : " is on hold");
    return rc;
}

int hoso_release(struct hoso *h)
{
    struct wf_engine *engine = NULL;
    struct wf_hold_order order;
    int64_t moved = 0;
    int64_t damaged = 0;
    bool done = false;
    int rc = read_order(h, &order);
    if (rc == 0)
        rc = hoso_engine(h, &engine);
    if (rc == 0)
        rc = holds_act(h, engine, &order, true);
    if (rc == 0)
        rc = put_back_all(h, engine, &moved, &damaged);
    wf_engine_close(engine);
    if (rc == 0)
        rc = hoso_answer(h,
                         hoso_map(h, "released", named(h, &order), "put_back",
                                  wf_int(h->arena, moved), "damaged", wf_int(h->arena, damaged),
                                  NULL),
                         &done);
    if (rc == 0 && !done)
        (void)printf(h->vi ? "%s: đã cho tiếp tục, đưa lại %" PRId64 " việc\n"
                           : "%s goes on; put back: %" PRId64 "\n",
                     subject(h, &order), moved);
    if (rc == 0 && damaged > 0)
        (void)fprintf(stderr, "hoso: %" PRId64 " %s\n", damaged,
                      h->vi ? "dòng dữ liệu hỏng chưa đưa lại được: xem hoso verify"
                            : "damaged row(s) were not put back: see hoso verify");
    return rc;
}

/* ---- the list -------------------------------------------------------------------------------- */

static const struct hoso_column columns[] = {
    {"kind", "Kind", "Loại", HOSO_TERM},
    {"name", "Name", "Tên", HOSO_TEXT},
    {"since", "Since", "Từ lúc", HOSO_TIME},
    {"by", "By", "Người giữ", HOSO_TEXT},
    {"aside", "Aside", "Đang giữ", HOSO_NUMBER},
    {"reason", "Why", "Lý do", HOSO_TEXT},
    {"released", "Released", "Cho đi lúc", HOSO_TIME},
};

struct list {
    struct hoso *h;
    struct wf_txn *txn;
    struct wf_value *rows;
};

static struct wf_value *row_of(struct hoso *h, const struct wf_rec_hold *hold)
{
    /* clang-format off */
    return hoso_map(h,
        "kind", wf_text(h->arena, wf_hold_kind_word((enum wf_hold_kind)hold->kind)),
        "name", hoso_str(h, hold->name),
        "since", wf_int(h->arena, hold->since),
        "by", hoso_str(h, hold->by),
        "reason", hoso_str(h, hold->reason),
        "released", wf_int(h->arena, hold->released),
        NULL);
    /* clang-format on */
}

static int add_hold(void *context, const struct wf_rec_hold *hold)
{
    struct list *list = context;
    struct hoso *h = list->h;
    size_t aside = 0;
    int rc = wf_hold_count(list->txn, hold->id, COUNT_MOST, &aside, &h->err);
    if (rc != 0)
        return rc;
    struct wf_value *row = row_of(h, hold);
    (void)wf_map_put(h->arena, row, "aside", wf_int(h->arena, (int64_t)aside));
    return wf_list_add(h->arena, list->rows, row) ? 0 : WF_E_NOMEM;
}

static int read_holds(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct list *list = context;
    list->txn = txn;
    return wf_hold_each(txn, h->arena, add_hold, list, &h->err);
}

int hoso_hold_list(struct hoso *h)
{
    struct list list = {.h = h, .rows = wf_list(h->arena)};
    bool done = false;
    int rc = hoso_read(h, read_holds, &list);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "holds", list.rows, NULL), &done);
    return rc != 0 || done ? rc : hoso_print_table(h, columns, WF_COUNT(columns), list.rows);
}

/* ---- those over one dossier ------------------------------------------------------------------- */

int holds_over(struct hoso *h, struct wf_txn *txn, const struct wf_rec_dossier *dossier,
               const struct wf_value **out)
{
    const struct wf_hold_scope scope = {.dossier = dossier, .service = -1};
    struct wf_rec_hold holds[WF_HOLDS_OVER];
    struct wf_value *rows = wf_list(h->arena);
    size_t n = 0;
    int rc = wf_holds_over(txn, &scope, h->arena, holds, &n, &h->err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (holds[i].released == 0)
            (void)wf_list_add(h->arena, rows, row_of(h, &holds[i]));
    }
    *out = rows;
    return rc;
}

int holds_print(struct hoso *h, const struct wf_value *rows)
{
    static const struct hoso_column over_columns[] = {
        {"kind", "Kind", "Loại", HOSO_TERM},     {"name", "Name", "Tên", HOSO_TEXT},
        {"since", "Since", "Từ lúc", HOSO_TIME}, {"by", "By", "Người giữ", HOSO_TEXT},
        {"reason", "Why", "Lý do", HOSO_TEXT},
    };
    if (wf_value_count(rows) == 0)
        return 0;
    hoso_print_heading(h, "On hold", "Đang tạm giữ");
    return hoso_print_table(h, over_columns, WF_COUNT(over_columns), rows);
}

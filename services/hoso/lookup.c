/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show, list, history: read straight from the store, so that they work while workers are down. Read
 * transactions are kept short: the list goes on in a new one after each thousand rows.
 */
#include "hoso.h"

#include <string.h>

#include "holds.h"
#include "workflow/forms.h"

#define ROWS_PER_TRANSACTION 1000

static const struct hoso_column dossier_columns[] = {
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"title", "Procedure", "Thủ tục", HOSO_TEXT},
    {"status", "Status", "Trạng thái", HOSO_STATUS},
    {"at_title", "State", "Bước", HOSO_WORDS},
    {"waits_for", "Waits for", "Đang chờ", HOSO_WORDS},
    {"site_title", "Received at", "Nơi tiếp nhận", HOSO_TEXT},
    {"agency", "Authority", "Cơ quan giải quyết", HOSO_TEXT},
    {"channel", "Channel", "Kênh", HOSO_TERM},
    {"received", "Received", "Ngày tiếp nhận", HOSO_TIME},
    {"due", "Due", "Ngày hẹn trả", HOSO_TIME},
    {"stopped", "Clock stopped", "Dừng tính giờ từ", HOSO_TIME},
    {"provisional", "Receipt of a station", "Số biên nhận tạm", HOSO_TEXT},
    {"extensions", "Extended, times", "Số lần gia hạn", HOSO_NUMBER},
    {"form_set", "Forms of", "Mẫu giấy tờ năm", HOSO_TEXT},
    {"closed_at", "Closed", "Kết thúc", HOSO_TIME},
    {"outcome", "Outcome", "Kết quả", HOSO_TERM},
    {"events", "Events", "Số sự kiện", HOSO_NUMBER},
};

static const struct hoso_column field_columns[] = {
    {"title", "Field", "Thông tin", HOSO_TEXT},
    {"value", "Value", "Nội dung", HOSO_TEXT},
};

static const struct hoso_column paper_columns[] = {
    {"title", "Paper", "Giấy tờ", HOSO_TEXT},
    {"kind", "Kind", "Loại", HOSO_TERM},
    {"copies", "Copies", "Số bản", HOSO_NUMBER},
    {"file", "Scan", "Bản quét", HOSO_TEXT},
};

static const struct hoso_column stop_columns[] = {
    {"reason", "Waited for", "Chờ", HOSO_TERM},
    {"from", "From", "Từ", HOSO_TIME},
    {"to", "To", "Đến", HOSO_TIME},
};

static const struct hoso_column list_columns[] = {
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"procedure", "Procedure", "Thủ tục", HOSO_TEXT},
    {"status", "Status", "Trạng thái", HOSO_STATUS},
    {"at", "State", "Bước", HOSO_WORDS},
    {"received", "Received", "Tiếp nhận", HOSO_TIME},
    {"due", "Due", "Hẹn trả", HOSO_TIME},
    {"outcome", "Outcome", "Kết quả", HOSO_TERM},
};

static const struct hoso_column history_columns[] = {
    {"n", "No", "Số", HOSO_NUMBER},
    {"ms", "When", "Lúc", HOSO_TIME},
    {"event", "Event", "Sự kiện", HOSO_TEXT},
    {"states", "State after", "Bước sau đó", HOSO_WORDS},
    {"by", "By", "Người thực hiện", HOSO_TEXT},
    {"role", "Role", "Vai trò", HOSO_TEXT},
    {"brief", "Data", "Dữ liệu", HOSO_TEXT},
};

static const char *title_of(const struct hoso *h, const struct wf_bilingual *title)
{
    const char *text = h->vi ? title->vi : title->en;
    return text != NULL ? text : title->vi;
}

/* The innermost of the active states: a clerk need not read the outer ones every time. */
static const struct wf_value *innermost(struct hoso *h, struct wf_txn *txn,
                                        const struct wf_rec_dossier *dossier)
{
    const struct wf_procedure *procedure =
        hoso_known_procedure(h, txn, dossier->procedure, dossier->version);
    const struct wf_chart_state *all = NULL;
    struct wf_value *list = wf_list(h->arena);
    size_t n = procedure != NULL ? wf_chart_states(procedure->chart, &all) : 0;
    for (size_t i = 0; i < wf_value_count(dossier->states); i++) {
        const char *id = wf_value_text(wf_list_at(dossier->states, i), "");
        int self = procedure != NULL ? wf_chart_find(procedure->chart, id) : -1;
        bool has_inner = false;
        for (size_t j = 0; j < wf_value_count(dossier->states) && self >= 0; j++) {
            const char *other = wf_value_text(wf_list_at(dossier->states, j), "");
            int at = wf_chart_find(procedure->chart, other);
            has_inner = has_inner || (at >= 0 && (size_t)at < n && all[at].parent == self);
        }
        if (!has_inner)
            (void)wf_list_add(h->arena, list, wf_text(h->arena, id));
    }
    return list;
}

/* "accept: Waiting to be accepted" for each state that has a title. */
static const struct wf_value *titled(struct hoso *h, const struct wf_procedure *procedure,
                                     const struct wf_value *ids)
{
    const struct wf_chart_state *all = NULL;
    struct wf_value *list = wf_list(h->arena);
    size_t n = procedure != NULL ? wf_chart_states(procedure->chart, &all) : 0;
    for (size_t i = 0; i < wf_value_count(ids); i++) {
        const char *id = wf_value_text(wf_list_at(ids, i), "");
        int at = procedure != NULL ? wf_chart_find(procedure->chart, id) : -1;
        const char *title = NULL;
        if (at >= 0 && (size_t)at < n)
            title = h->vi || all[at].title_en == NULL ? all[at].title_vi : all[at].title_en;
        const char *text = title != NULL ? wf_arena_printf(h->arena, "%s: %s", id, title) : id;
        (void)wf_list_add(h->arena, list, text != NULL ? wf_text(h->arena, text) : NULL);
    }
    return list;
}

static int no_dossier(struct hoso *h, const char *code)
{
    return wf_fail(&h->err, WF_E_NOT_FOUND,
                   "there is no dossier %.64s in this cell: `hoso list` shows what there is", code);
}

/* Finds by code, or by "#7" for a dossier that has no code yet. */
static int find(struct hoso *h, struct wf_txn *txn, const char *code, struct wf_rec_dossier *out)
{
    uint64_t id = 0;
    int rc = 0;
    if (code[0] == '#') {
        char *first = h->args[0];
        h->args[0] = first + 1;
        rc = hoso_number_arg(h, 0, "#ID", &id);
        h->args[0] = first;
    } else {
        rc = wf_dossier_find(txn, wf_str(code), &id, &h->err);
    }
    if (rc == 0)
        rc = wf_dossier_get(txn, id, h->arena, out, &h->err);
    return rc == WF_NONE ? no_dossier(h, code) : rc;
}

int hoso_dossier_option(struct hoso *h, struct wf_txn *txn, uint64_t *out_id)
{
    int rc = 0;
    *out_id = 0;
    if (hoso_has(h, OPT_DOSSIER))
        rc = wf_dossier_find(txn, hoso_text(h, OPT_DOSSIER), out_id, &h->err);
    return rc != WF_NONE ? rc : no_dossier(h, h->opt[OPT_DOSSIER]);
}

/* ---- show -------------------------------------------------------------------------------------
 */

/* Rows {id, title, value} of the fields that are filled in, as the definition orders them. */
static const struct wf_value *field_rows(struct hoso *h, const struct wf_procedure *procedure,
                                         const struct wf_value *fields)
{
    struct wf_value *rows = wf_list(h->arena);
    bool unmask = hoso_has(h, OPT_UNMASK);
    for (size_t i = 0; fields != NULL && fields->type == WF_MAP && i < fields->u.map.n; i++) {
        const struct wf_pair *pair = &fields->u.map.pairs[i];
        const struct wf_field *field =
            procedure != NULL ? wf_procedure_field(procedure, pair->key) : NULL;
        bool personal = field == NULL || field->personal;
        const struct wf_value *title =
            field != NULL ? wf_text(h->arena, title_of(h, &field->title)) : hoso_str(h, pair->key);
        const struct wf_value *value =
            personal && !unmask ? hoso_masked(h, pair->value) : pair->value;
        (void)wf_list_add(
            h->arena, rows,
            hoso_map(h, "id", hoso_str(h, pair->key), "title", title, "value", value, NULL));
    }
    return rows;
}

static const struct wf_value *paper_rows(struct hoso *h, const struct wf_procedure *procedure,
                                         const struct wf_value *papers)
{
    struct wf_value *rows = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(papers); i++) {
        const struct wf_value *given = wf_list_at(papers, i);
        struct wf_value *row = wf_map_copy(h->arena, given);
        const struct wf_paper *paper =
            procedure != NULL ? wf_procedure_paper(procedure, wf_value_str(wf_map_get(given, "id")))
                              : NULL;
        (void)wf_map_put(h->arena, row, "title",
                         paper != NULL ? wf_text(h->arena, title_of(h, &paper->title))
                                       : wf_map_get(given, "id"));
        (void)wf_list_add(h->arena, rows, row);
    }
    return rows;
}

/* The whole answer of `show`, in the arena. */
static int read_dossier(struct hoso *h, struct wf_txn *txn, void *context)
{
    const struct wf_value **out = context;
    struct wf_rec_dossier dossier = {0};
    struct wf_rec_content content = {0};
    int rc = find(h, txn, h->args[0], &dossier);
    const struct wf_value *holds = NULL;
    if (rc == 0)
        rc = wf_content_get(txn, dossier.id, h->arena, &content, &h->err);
    if (rc >= 0)
        rc = holds_over(h, txn, &dossier, &holds);
    if (rc < 0)
        return rc;
    const struct wf_procedure *procedure =
        hoso_known_procedure(h, txn, dossier.procedure, dossier.version);
    const struct wf_site *site =
        h->registry != NULL ? wf_registry_site(h->registry, dossier.site) : NULL;
    struct wf_value *map = wf_map_copy(h->arena, hoso_dossier_value(h, &dossier));
    char *title =
        procedure != NULL
            ? wf_arena_printf(h->arena, "%s, %s", procedure->code, title_of(h, &procedure->title))
            : wf_arena_printf(h->arena, "%.*s", WF_STR_ARG(dossier.procedure));
    (void)wf_map_put(h->arena, map, "title", title != NULL ? wf_text(h->arena, title) : NULL);
    char *place = site != NULL
                      ? wf_arena_printf(h->arena, "%s, %s", site->code, title_of(h, &site->name))
                      : wf_arena_printf(h->arena, "%.*s", WF_STR_ARG(dossier.site));
    (void)wf_map_put(h->arena, map, "site_title", place != NULL ? wf_text(h->arena, place) : NULL);
    const struct wf_value *at = innermost(h, txn, &dossier);
    (void)wf_map_put(h->arena, map, "holds", holds);
    (void)wf_map_put(h->arena, map, "at", at);
    (void)wf_map_put(h->arena, map, "at_title", titled(h, procedure, at));
    if (procedure != NULL)
        (void)wf_map_put(
            h->arena, map, "form_set",
            wf_text(h->arena, wf_form_set_name(wf_form_set_of(procedure, dossier.received))));
    (void)wf_map_put(h->arena, map, "fields", field_rows(h, procedure, content.fields));
    (void)wf_map_put(h->arena, map, "papers", paper_rows(h, procedure, content.papers));
    (void)wf_map_put(h->arena, map, "agent",
                     hoso_has(h, OPT_UNMASK) && content.agent != NULL
                         ? content.agent
                         : hoso_masked(h, content.agent));
    *out = map;
    return 0;
}

int hoso_show(struct hoso *h)
{
    const struct wf_value *answer = NULL;
    bool done = false;
    int rc = hoso_read(h, read_dossier, &answer);
    if (rc == 0)
        rc = hoso_answer(h, answer, &done);
    if (rc != 0 || done)
        return rc;
    rc = hoso_print_pairs(h, dossier_columns, WF_COUNT(dossier_columns), answer);
    if (rc == 0)
        rc = holds_print(h, wf_map_get(answer, "holds"));
    if (rc == 0) {
        hoso_print_heading(h, "Fields", "Thông tin");
        rc = hoso_print_table(h, field_columns, WF_COUNT(field_columns),
                              wf_map_get(answer, "fields"));
    }
    if (rc == 0) {
        hoso_print_heading(h, "Papers", "Giấy tờ");
        rc = hoso_print_table(h, paper_columns, WF_COUNT(paper_columns),
                              wf_map_get(answer, "papers"));
    }
    const struct wf_value *stops = wf_map_get(answer, "stops");
    if (rc == 0 && wf_value_count(stops) > 0) {
        hoso_print_heading(h, "The clock stood", "Thời gian dừng tính");
        rc = hoso_print_table(h, stop_columns, WF_COUNT(stop_columns), stops);
    }
    const struct wf_value *agent = wf_map_get(answer, "agent");
    if (rc == 0 && wf_value_count(agent) > 0) {
        hoso_print_heading(h, "Filed by an agent", "Người được ủy quyền nộp");
        const struct wf_value *brief = hoso_brief(h, agent, 200);
        (void)printf("%s\n", wf_value_text(brief, ""));
    }
    return rc;
}

/* ---- list -------------------------------------------------------------------------------------
 */

struct listing {
    struct hoso *h;
    struct wf_txn *txn;
    struct wf_dossier_filter filter;
    struct wf_value *rows;
    size_t max;   /* 0 = all */
    size_t taken; /* in this transaction */
    uint64_t last;
};

static int add_row(void *context, const struct wf_rec_dossier *dossier)
{
    struct listing *l = context;
    struct hoso *h = l->h;
    struct wf_value *row = wf_map_copy(h->arena, hoso_dossier_value(h, dossier));
    (void)wf_map_put(h->arena, row, "at", innermost(h, l->txn, dossier));
    if (!wf_list_add(h->arena, l->rows, row))
        return wf_fail(&h->err, WF_E_NOMEM, "list dossiers: out of memory");
    l->last = dossier->id;
    l->taken++;
    bool full = l->max > 0 && wf_value_count(l->rows) >= l->max;
    return full || l->taken >= ROWS_PER_TRANSACTION ? WF_NONE : 0;
}

static int read_rows(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct listing *l = context;
    l->taken = 0;
    l->txn = txn;
    return wf_dossier_each(txn, &l->filter, h->arena, add_row, l, &h->err);
}

static int fill_filter(struct hoso *h, struct wf_dossier_filter *out)
{
    int64_t after = 0;
    int rc = hoso_store(h, false);
    if (rc == 0)
        rc = hoso_number(h, OPT_AFTER, 0, INT64_MAX, &after);
    if (rc != 0)
        return rc;
    *out = (struct wf_dossier_filter){.procedure = hoso_text(h, OPT_PROCEDURE),
                                      .state = hoso_text(h, OPT_STATE),
                                      .site = hoso_text(h, OPT_SITE),
                                      .after = (uint64_t)after,
                                      .open_only = hoso_has(h, OPT_OPEN)};
    if (hoso_has(h, OPT_OVERDUE)) {
        struct wf_clock clock = wf_store_clock(h->store);
        out->due_before = wf_business_ms(&clock, wf_real_ms());
    }
    if (hoso_has(h, OPT_DUE_BEFORE))
        rc = hoso_moment(h, h->opt[OPT_DUE_BEFORE], &out->due_before);
    return rc;
}

int hoso_list(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena)};
    int64_t max = 0;
    bool done = false;
    int rc = hoso_number(h, OPT_MAX, 100, INT32_MAX, &max);
    l.max = (size_t)max;
    if (rc == 0)
        rc = fill_filter(h, &l.filter);
    while (rc == 0) {
        rc = hoso_read(h, read_rows, &l);
        if (rc != WF_NONE || (l.max > 0 && wf_value_count(l.rows) >= l.max))
            break; /* failed, all read, or as many as wanted */
        l.filter.after = l.last;
        rc = 0;
    }
    if (rc < 0)
        return rc;
    bool full = l.max > 0 && wf_value_count(l.rows) >= l.max;
    if (wf_value_count(l.rows) == 0)
        hoso_hint_words(h);
    rc = hoso_answer(
        h,
        hoso_map(h, "dossiers", l.rows, "next", wf_int(h->arena, full ? (int64_t)l.last : 0), NULL),
        &done);
    if (rc != 0 || done)
        return rc;
    rc = hoso_print_table(h, list_columns, WF_COUNT(list_columns), l.rows);
    if (rc == 0 && full)
        (void)printf(h->vi ? "... còn nữa: --max 0 hoặc --after %llu\n"
                           : "... there may be more: --max 0, or --after %llu\n",
                     (unsigned long long)l.last);
    return rc;
}

/* ---- history ----------------------------------------------------------------------------------
 */

static int add_event(void *context, const struct wf_rec_event *event)
{
    struct listing *l = context;
    return wf_list_add(l->h->arena, l->rows, hoso_event_value(l->h, event)) ? 0 : WF_E_NOMEM;
}

static int read_history(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct wf_rec_dossier dossier = {0};
    int rc = find(h, txn, h->args[0], &dossier);
    return rc == 0 ? wf_history_each(txn, dossier.id, h->arena, add_event, context, &h->err) : rc;
}

int hoso_history(struct hoso *h)
{
    struct listing l = {.h = h, .rows = wf_list(h->arena)};
    bool done = false;
    int rc = hoso_read(h, read_history, &l);
    if (rc == 0)
        rc = hoso_answer(
            h, hoso_map(h, "dossier", wf_text(h->arena, h->args[0]), "events", l.rows, NULL),
            &done);
    if (rc != 0 || done)
        return rc;
    struct wf_value *rows = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(l.rows); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(l.rows, i));
        (void)wf_map_put(h->arena, row, "brief", hoso_brief(h, wf_map_get(row, "data"), 60));
        (void)wf_list_add(h->arena, rows, row);
    }
    return hoso_print_table(h, history_columns, WF_COUNT(history_columns), rows);
}

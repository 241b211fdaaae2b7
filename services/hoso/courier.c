/* SPDX-License-Identifier: Apache-2.0 */
/*
 * courier status, courier list: a look into the courier adapter's book, whether the adapter runs
 * or not. Codes and numbers only; the receivers' data is not shown.
 */
#include "hoso.h"

#include <string.h>
#include <unistd.h>

#include "courier/book.h"
#include "workflow/clock.h"

struct look {
    struct adapter adapter;
    struct db *db;
};

static const struct adapter_spec spec = {.name = "courier",
                                         .keys = courier_keys,
                                         .settings_size = sizeof(struct courier_settings),
                                         .check = courier_check};

static void look_close(struct look *look)
{
    db_close(look->db);
    adapter_unload(&look->adapter);
}

static int look_open(struct hoso *h, struct look *look)
{
    struct adapter_spec whole = spec;
    struct wf_report report = {0};
    int rc = hoso_calendar(h); /* for dates */
    if (rc != 0)
        return rc;
    whole.n_keys = courier_n_keys;
    rc = adapter_load(&look->adapter, &whole, h->folder, &report, &h->err);
    if (rc != 0 && report.errors > 0)
        rc = hoso_print_report(&report);
    wf_report_fini(&report);
    if (rc != 0)
        return rc;
    const char *path = look->adapter.common->database;
    if (access(path, F_OK) != 0)
        return wf_fail(&h->err, WF_E_NOT_FOUND, "%s is not there: hoso-courier has not run yet",
                       path);
    return book_look(path, &look->db, &h->err);
}

/* ---- status ------------------------------------------------------------------------------------ */

/* One number each; ?1 is now, in ms. */
static const struct figure {
    const char *name, *sql;
} figures[] = {
    {"waiting", "SELECT count(*) FROM orders WHERE state = 'waiting' AND ?1"},
    {"ordered", "SELECT count(*) FROM orders WHERE state = 'ordered' AND ?1"},
    {"cancelling", "SELECT count(*) FROM orders WHERE state = 'cancelling' AND ?1"},
    {"cancelled", "SELECT count(*) FROM orders WHERE state = 'cancelled' AND ?1"},
    {"refused", "SELECT count(*) FROM orders WHERE state = 'refused' AND ?1"},
    {"stray", "SELECT count(*) FROM orders WHERE state = 'stray' AND ?1"},
    {"over", "SELECT count(*) FROM orders WHERE state = 'over' AND ?1"},
    {"untold", "SELECT count(*) FROM orders WHERE fresh = 1 AND state = 'ordered' AND ?1"},
    {"without_task", "SELECT count(*) FROM orders WHERE (task = 0 OR token = 0)"
                     " AND state = 'ordered' AND ?1"},
    {"oldest_waiting_ms", "SELECT coalesce(?1 - min(created_ms), 0) FROM orders"
                          " WHERE state IN ('waiting', 'cancelling')"},
    {"tracked_ms", "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM notes"
                   " WHERE name = 'tracked_ms' AND ?1"},
    {"events", "SELECT count(*) FROM events WHERE ?1"},
    {"numbers_free", "SELECT count(*) FROM items WHERE order_id IS NULL AND passed = 0 AND ?1"},
};

/* The three ledgers: still to be taken at doors, and taken. */
static const struct figure ledgers[] = {
    {"due.fee", "SELECT coalesce(sum(fee), 0) FROM orders WHERE state = 'ordered' AND ?1"},
    {"due.charge", "SELECT coalesce(sum(charge), 0) FROM orders WHERE state = 'ordered' AND ?1"},
    {"due.postage", "SELECT coalesce(sum(postage), 0) FROM orders WHERE state = 'ordered' AND ?1"},
    {"taken.fee", "SELECT coalesce(sum(fee), 0) FROM orders WHERE news = 'delivered' AND ?1"},
    {"taken.charge", "SELECT coalesce(sum(charge), 0) FROM orders WHERE news = 'delivered' AND ?1"},
    {"taken.postage",
     "SELECT coalesce(sum(postage), 0) FROM orders WHERE news = 'delivered' AND ?1"},
};

static const struct hoso_column status_columns[] = {
    {"waiting", "Waiting to be ordered", "Chờ đặt bưu gửi", HOSO_NUMBER},
    {"ordered", "Ordered, on their way", "Đã đặt, đang chuyển", HOSO_NUMBER},
    {"cancelling", "To be cancelled", "Chờ hủy", HOSO_NUMBER},
    {"cancelled", "Cancelled", "Đã hủy", HOSO_NUMBER},
    {"refused", "Refused by the courier", "Bị từ chối", HOSO_NUMBER},
    {"stray", "On their way, not wanted any more", "Đang chuyển, không còn cần", HOSO_NUMBER},
    {"over", "Over", "Đã kết thúc", HOSO_NUMBER},
    {"untold", "News to be told to the cell", "Tin chưa báo", HOSO_NUMBER},
    {"tracked_ms", "Last look at the tracking", "Lần tra cứu cuối", HOSO_TIME},
    {"numbers_free", "Numbers left in the pool", "Số hiệu còn lại", HOSO_NUMBER},
    {"due.fee", "Fee to be taken", "Lệ phí chờ thu", HOSO_NUMBER},
    {"due.charge", "Charge to be taken", "Phí chờ thu", HOSO_NUMBER},
    {"due.postage", "Postage to be taken", "Cước chờ thu", HOSO_NUMBER},
    {"taken.fee", "Fee taken", "Lệ phí đã thu", HOSO_NUMBER},
    {"taken.charge", "Charge taken", "Phí đã thu", HOSO_NUMBER},
    {"taken.postage", "Postage taken", "Cước đã thu", HOSO_NUMBER},
};

static int put_figures(struct hoso *h, struct look *look, const struct figure *rows, size_t n,
                       struct wf_value *out)
{
    for (size_t i = 0; i < n; i++) {
        int64_t number = 0;
        const char *name = strchr(rows[i].name, '.');
        int rc = db_number(look->db, &h->err, &number, rows[i].sql, "i", wf_real_ms());
        if (rc < 0)
            return rc;
        name = name != NULL ? name + 1 : rows[i].name;
        (void)wf_map_put(h->arena, out, name, wf_int(h->arena, number));
    }
    return 0;
}

/* Codes that the tracking has told and courier.cfg does not know. */
static int unknown_codes(struct hoso *h, struct look *look, struct wf_value *out)
{
    char code[32];
    struct db_rows *rows = NULL;
    int rc =
        db_select(look->db, &h->err, &rows, "SELECT DISTINCT code FROM events ORDER BY code", "");
    while (rc == 0 && (rc = db_next(rows, &h->err)) == 0) {
        if (wf_str_copy(db_str(rows, 0), code, sizeof(code)) &&
            courier_code(look->adapter.settings, code) == NULL)
            (void)wf_list_add(h->arena, out, wf_text(h->arena, code));
    }
    db_done(rows);
    return rc < 0 ? rc : 0;
}

static void add_trouble(struct hoso *h, struct wf_value *list, const char *en, const char *vi)
{
    (void)wf_list_add(h->arena, list, wf_text(h->arena, h->vi ? vi : en));
}

static int troubles(struct hoso *h, struct look *look, const struct wf_value *answer,
                    struct wf_value *out)
{
    const char *away = "";
    const struct courier_settings *s = look->adapter.settings;
    int rc = book_noted(look->db, "trouble", h->arena, &away, &h->err);
    if (rc < 0)
        return rc;
    if (s->common.enabled && !adapter_is_running(&s->common))
        add_trouble(h, out, "hoso-courier does not run: see `hoso status`",
                    "hoso-courier không chạy: xem `hoso status`");
    if (away[0] != '\0')
        (void)wf_list_add(h->arena, out, wf_text(h->arena, away));
    if (wf_value_int(wf_map_get(answer, "refused"), 0) > 0)
        add_trouble(
            h, out,
            "orders are refused: see `hoso courier list` for the reason; then hoso queue "
            "retry",
            "có bưu gửi bị từ chối: xem lý do bằng hoso courier list, rồi hoso queue retry");
    if (wf_value_count(wf_map_get(answer, "unknown_codes")) > 0)
        add_trouble(h, out,
                    "the tracking tells codes that courier.cfg does not know: add them to "
                    "its `codes`",
                    "có mã trạng thái chưa khai báo trong courier.cfg");
    if (strcmp(s->items, "pool") == 0 && wf_value_int(wf_map_get(answer, "numbers_free"), 0) == 0)
        add_trouble(h, out, "no number is left in the pool: add some to item_pool and start anew",
                    "hết số hiệu bưu gửi: bổ sung vào item_pool");
    return 0;
}

static int status_of(struct hoso *h, struct look *look, struct wf_value *out)
{
    struct wf_value *due = wf_map(h->arena);
    struct wf_value *taken = wf_map(h->arena);
    struct wf_value *codes = wf_list(h->arena);
    struct wf_value *list = wf_list(h->arena);
    size_t half = WF_COUNT(ledgers) / 2;
    int rc = put_figures(h, look, figures, WF_COUNT(figures), out);
    if (rc == 0)
        rc = put_figures(h, look, ledgers, half, due);
    if (rc == 0)
        rc = put_figures(h, look, ledgers + half, half, taken);
    if (rc == 0)
        rc = unknown_codes(h, look, codes);
    (void)wf_map_put(h->arena, out, "due", due);
    (void)wf_map_put(h->arena, out, "taken", taken);
    (void)wf_map_put(h->arena, out, "unknown_codes", codes);
    if (rc == 0)
        rc = troubles(h, look, out, list);
    (void)wf_map_put(h->arena, out, "troubles", list);
    return rc;
}

static int print_status(struct hoso *h, const struct wf_value *answer)
{
    hoso_print_troubles(h, wf_map_get(answer, "troubles"));
    return hoso_print_pairs(h, status_columns, WF_COUNT(status_columns), answer);
}

int hoso_courier_status(struct hoso *h)
{
    struct look look = {.adapter.signal_fd = -1};
    struct wf_value *answer = wf_map(h->arena);
    bool done = false;
    int rc = look_open(h, &look);
    if (rc == 0)
        rc = status_of(h, &look, answer);
    look_close(&look);
    if (rc == 0)
        rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done)
        rc = print_status(h, answer);
    return rc == 0 && wf_value_count(wf_map_get(answer, "troubles")) > 0 ? HOSO_FAILED : rc;
}

/* ---- list -------------------------------------------------------------------------------------- */

static const char *const list_names[] = {"order",  "dossier", "item",  "state",      "news", "fee",
                                         "charge", "postage", "asked", "changed_ms", "why"};

static const char list_sql[] =
    "SELECT number, dossier, item, state, news, fee, charge, postage, asked, changed_ms, why"
    " FROM orders WHERE (?1 = '' OR state = ?1) ORDER BY id DESC LIMIT ?2";

static const struct hoso_column list_columns[] = {
    {"order", "Order", "Số đơn", HOSO_TEXT},      {"item", "Item", "Bưu gửi", HOSO_TEXT},
    {"state", "State", "Trạng thái", HOSO_TEXT},  {"news", "Parcel", "Hành trình", HOSO_TEXT},
    {"fee", "Fee", "Lệ phí", HOSO_NUMBER0},       {"charge", "Charge", "Phí", HOSO_NUMBER0},
    {"postage", "Postage", "Cước", HOSO_NUMBER0}, {"changed_ms", "At", "Lúc", HOSO_TIME},
    {"why", "Answer", "Trả lời", HOSO_TEXT},
};

static bool is_number(const char *name)
{
    static const char *const numbers[] = {"fee", "charge", "postage", "asked", "changed_ms"};
    for (size_t i = 0; i < WF_COUNT(numbers); i++) {
        if (strcmp(numbers[i], name) == 0)
            return true;
    }
    return false;
}

static const struct wf_value *row_of(struct hoso *h, struct db_rows *rows)
{
    struct wf_value *row = wf_map(h->arena);
    for (int i = 0; i < (int)WF_COUNT(list_names); i++)
        (void)wf_map_put(h->arena, row, list_names[i],
                         is_number(list_names[i]) ? wf_int(h->arena, db_int(rows, i))
                                                  : hoso_str(h, db_str(rows, i)));
    return row;
}

static int list_of(struct hoso *h, struct look *look, struct wf_value *out)
{
    static const char *const states[] = {
#define X(name, word) word,
        ORDER_STATES(X)
#undef X
    };
    struct db_rows *rows = NULL;
    int state = -1;
    int64_t most = 0;
    int rc = hoso_word_option(h, OPT_STATE, states, WF_COUNT(states), &state);
    if (rc == 0)
        rc = hoso_number(h, OPT_MAX, 100, INT32_MAX, &most);
    if (rc == 0)
        rc = db_select(look->db, &h->err, &rows, list_sql, "ti", state >= 0 ? states[state] : "",
                       most != 0 ? most : (int64_t)-1);
    while (rc == 0 && (rc = db_next(rows, &h->err)) == 0)
        (void)wf_list_add(h->arena, out, row_of(h, rows));
    db_done(rows);
    return rc < 0 ? rc : 0;
}

int hoso_courier_list(struct hoso *h)
{
    struct look look = {.adapter.signal_fd = -1};
    struct wf_value *list = wf_list(h->arena);
    bool done = false;
    int rc = look_open(h, &look);
    if (rc == 0)
        rc = list_of(h, &look, list);
    look_close(&look);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "orders", list, NULL), &done);
    if (rc == 0 && !done)
        rc = hoso_print_table(h, list_columns, WF_COUNT(list_columns), list);
    return rc;
}

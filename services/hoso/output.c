/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers for people: aligned columns, dates in local time, headings in two languages. A table is
 * made of cells first, so that each column is as wide as its widest text on the terminal (a letter
 * of Vietnamese takes one to three bytes and one column).
 */
#include "hoso.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS_MAX 16
#define CELL_MAX    60 /* columns on the terminal; longer texts are cut */

struct words {
    const char *en;
    const char *vi;
};

static const struct words statuses[] = {
    {"-", "-"},
    {"filed", "mới đăng ký"},
    {"received", "được tiếp nhận"},
    {"not accepted", "không được tiếp nhận"},
    {"in processing", "đang xử lý"},
    {"supplement asked", "yêu cầu bổ sung"},
    {"payment asked", "yêu cầu nộp tiền"},
    {"withdrawal asked", "yêu cầu rút"},
    {"stopped", "dừng xử lý"},
    {"finished", "đã xử lý xong"},
    {"returned", "đã trả kết quả"},
};

/* Words of ours that a clerk meets in Vietnamese; what is not here stays as it is. */
static const struct words terms[] = {
    {"up", "đang chạy"},
    {"starting", "đang khởi động"},
    {"stuck", "bị treo"},
    {"silent", "không tiến triển"},
    {"halted", "bị dừng"},
    {"down", "không chạy"},
    {"post", "bưu chính"},
    {"one_stop", "một cửa"},
    {"online", "trực tuyến"},
    {"commune", "cấp xã"},
    {"district", "cấp huyện"},
    {"province", "cấp tỉnh"},
    {"original", "bản chính"},
    {"copy", "bản sao"},
    {"certified", "bản sao chứng thực"},
    {"electronic", "bản điện tử"},
    {"photo", "bản chụp"},
    {"any", "bất kỳ"},
    {"approved", "đồng ý"},
    {"refused", "từ chối"},
    {"waiting", "đang chờ"},
    {"taken", "đã chuyển"},
    {"seen", "đã xem xét"},
    {"unknown", "không rõ"},
    {"queue", "hàng đợi"},
    {"on hold", "tạm giữ"},
    {"dead letters", "việc lỗi hẳn"},
    {"dossier", "hồ sơ"},
    {"procedure", "thủ tục"},
    {"site", "nơi tiếp nhận"},
    {"cell", "cụm"},
    {"task", "việc mở"},
    {"dead", "lỗi hẳn"},
    {"event", "sự kiện"},
    {"lapsed", "hết hạn bổ sung"},
    {"withdrawn", "đã rút"},
    {"supplement", "bổ sung giấy tờ"},
    {"payment", "nộp tiền"},
    {"stopped", "dừng giải quyết"},
};

static const char *in_words(const struct hoso *h, struct words words)
{
    return h->vi ? words.vi : words.en;
}

/* ---- width ------------------------------------------------------------------------------------
 */

/* Accents that stand behind their letter (decomposed text) take no column of their own. */
static bool is_accent(const unsigned char *s, size_t left)
{
    return left >= 2 && ((s[0] == 0xcc && s[1] >= 0x80) || (s[0] == 0xcd && s[1] <= 0xaf));
}

size_t hoso_width(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t width = 0;
    for (size_t i = 0; i < length; i++)
        width += (s[i] & 0xc0) != 0x80 && !is_accent(s + i, length - i);
    return width;
}

size_t hoso_cut(const char *text, size_t length, size_t most)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t width = 0;
    for (size_t i = 0; i < length; i++) {
        bool starts = (s[i] & 0xc0) != 0x80 && !is_accent(s + i, length - i);
        if (starts && width++ == most)
            return i;
    }
    return length;
}

/* ---- cells ------------------------------------------------------------------------------------
 */

const char *hoso_time(const struct hoso *h, int64_t ms, char buf[HOSO_TIME_SIZE])
{
    return h->vi ? wf_calendar_format_vi(h->calendar, ms, buf, HOSO_TIME_SIZE)
                 : wf_calendar_format(h->calendar, ms, buf, HOSO_TIME_SIZE);
}

static void add_time(const struct hoso *h, int64_t ms, struct wf_buf *out)
{
    char text[HOSO_TIME_SIZE];
    if (ms != 0)
        wf_buf_text(out, hoso_time(h, ms, text));
}

static void add_bytes(int64_t n, struct wf_buf *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double shown = (double)n;
    size_t unit = 0;
    for (; shown >= 1024 && unit + 1 < WF_COUNT(units); unit++)
        shown /= 1024;
    wf_buf_printf(out, unit > 0 ? "%.1f %s" : "%.0f %s", shown, units[unit]);
}

static void add_span(const struct hoso *h, int64_t ms, struct wf_buf *out)
{
    static const struct {
        int64_t ms;
        struct words unit;
    } units[] = {{86400000, {"d", "ngày"}}, {3600000, {"h", "giờ"}}, {60000, {"min", "phút"}}};
    for (size_t i = 0; i < WF_COUNT(units); i++) {
        if (ms >= 2 * units[i].ms) {
            wf_buf_printf(out, "%" PRId64 " %s", ms / units[i].ms, in_words(h, units[i].unit));
            return;
        }
    }
    if (ms > 0)
        wf_buf_printf(out, "%" PRId64 " %s", ms / 1000, in_words(h, (struct words){"s", "giây"}));
}

struct wf_str hoso_term(const struct hoso *h, struct wf_str term)
{
    for (size_t i = 0; i < WF_COUNT(terms) && h->vi; i++) {
        if (wf_str_is(term, terms[i].en))
            return wf_str(terms[i].vi);
    }
    return term;
}

static void add_term(const struct hoso *h, struct wf_str term, struct wf_buf *out)
{
    struct wf_str told = hoso_term(h, term);
    wf_buf_add(out, told.ptr, told.len);
}

static void add_yesno(const struct hoso *h, bool yes, struct wf_buf *out)
{
    wf_buf_text(out, yes ? in_words(h, (struct words){"yes", "có"})
                         : in_words(h, (struct words){"no", "không"}));
}

static void add_plain(const struct hoso *h, enum hoso_kind kind, const struct wf_value *value,
                      struct wf_buf *out)
{
    switch (value->type) {
    case WF_BOOL:
        add_yesno(h, value->u.boolean, out);
        break;
    case WF_INT:
        wf_buf_printf(out, "%" PRId64, value->u.integer);
        break;
    case WF_NUMBER:
        wf_buf_printf(out, "%g", value->u.number);
        break;
    case WF_TEXT:
        if (kind == HOSO_TERM)
            add_term(h, value->u.text, out);
        else
            wf_buf_add(out, value->u.text.ptr, value->u.text.len);
        break;
    case WF_LIST:
        for (size_t i = 0; i < value->u.list.n; i++) {
            if (i > 0)
                wf_buf_text(out, ", ");
            add_plain(h, kind, value->u.list.items[i], out);
        }
        break;
    case WF_NULL:
    case WF_MAP:
        break;
    }
}

static void add_cell(const struct hoso *h, enum hoso_kind kind, const struct wf_value *value,
                     struct wf_buf *out)
{
    int64_t n = wf_value_int(value, 0);
    switch (kind) {
    case HOSO_TIME:
        add_time(h, n, out);
        break;
    case HOSO_YESNO:
        add_yesno(h, wf_value_bool(value, false), out);
        break;
    case HOSO_STATUS:
        if (n >= 1 && (size_t)n < WF_COUNT(statuses))
            wf_buf_printf(out, "%" PRId64 " %s", n, in_words(h, statuses[n]));
        break;
    case HOSO_BYTES:
        add_bytes(n, out);
        break;
    case HOSO_SPAN:
        add_span(h, n, out);
        break;
    case HOSO_NUMBER0:
        if (n == 0)
            break; /* shown as "-" */
        add_plain(h, kind, value, out);
        break;
    case HOSO_TEXT:
    case HOSO_TERM:
    case HOSO_NUMBER:
    case HOSO_WORDS:
        if (value != NULL)
            add_plain(h, kind, value, out);
        break;
    }
}

/* Neither by bytes below a space, nor by U+0080 to U+009F, of which U+009B begins what ESC [ does. */
void hoso_unsteer(uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool is_c1 = i + 1 < length && text[i] == 0xc2 && text[i + 1] < 0xa0;
        if (is_c1)
            text[i + 1] = ' ';
        if (is_c1 || text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    }
}

const char *hoso_cell_text(struct hoso *h, const struct hoso_column *column,
                           const struct wf_value *row)
{
    struct wf_buf buf = {0};
    add_cell(h, column->kind, wf_value_at(row, column->key), &buf);
    hoso_unsteer(buf.ptr, buf.len);
    char *text = buf.failed ? NULL : wf_arena_strndup(h->arena, (const char *)buf.ptr, buf.len);
    wf_buf_fini(&buf);
    return text;
}

bool hoso_is_right(enum hoso_kind kind)
{
    return kind == HOSO_NUMBER || kind == HOSO_NUMBER0 || kind == HOSO_BYTES || kind == HOSO_SPAN;
}

/* ---- tables -----------------------------------------------------------------------------------
 */

void hoso_print_heading(const struct hoso *h, const char *en, const char *vi)
{
    (void)printf("\n%s\n", h->vi ? vi : en);
}

void hoso_print_troubles(const struct hoso *h, const struct wf_value *troubles)
{
    bool well = wf_value_count(troubles) == 0;
    (void)puts(well ? (h->vi ? "Mọi việc bình thường." : "All is well.")
                    : (h->vi ? "Cần người xem xét:" : "Needs a person:"));
    for (size_t i = 0; i < wf_value_count(troubles); i++) {
        (void)fputs("  ", stdout);
        hoso_print_text(wf_value_text(wf_list_at(troubles, i), ""), 2, 4);
    }
    (void)puts("");
}

int hoso_print_table(struct hoso *h, const struct hoso_column *columns, size_t n,
                     const struct wf_value *rows)
{
    size_t n_rows = wf_value_count(rows);
    size_t width[COLUMNS_MAX];
    if (n > COLUMNS_MAX)
        return wf_fail(&h->err, WF_E_INTERNAL, "table of %zu columns", n);
    if (n_rows == 0) {
        (void)puts(h->vi ? "không có" : "none");
        return 0;
    }
    const char **cells = wf_arena_alloc(h->arena, (n_rows + 1) * n * sizeof(*cells));
    if (cells == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "make the table: out of memory");
    for (size_t c = 0; c < n; c++) {
        cells[c] = h->vi ? columns[c].vi : columns[c].en;
        width[c] = hoso_width(cells[c], strlen(cells[c]));
        for (size_t r = 1; r <= n_rows; r++) {
            const char *text = hoso_cell_text(h, &columns[c], wf_list_at(rows, r - 1));
            if (text == NULL)
                return wf_fail(&h->err, WF_E_NOMEM, "make the table: out of memory");
            cells[r * n + c] = *text != '\0' ? text : "-";
            size_t own = hoso_width(text, strlen(text));
            width[c] = own > width[c] ? own : width[c];
        }
        width[c] = width[c] < CELL_MAX || c + 1 == n ? width[c] : CELL_MAX;
    }
    for (size_t r = 0; r <= n_rows; r++)
        hoso_print_row(columns, cells + r * n, width, n);
    return 0;
}

int hoso_print_line(struct hoso *h, const struct hoso_column *columns, const size_t *widths,
                    size_t n, const struct wf_value *row)
{
    const char *cells[COLUMNS_MAX];
    size_t width[COLUMNS_MAX];
    if (n > COLUMNS_MAX)
        return wf_fail(&h->err, WF_E_INTERNAL, "table of %zu columns", n);
    for (size_t c = 0; c < n; c++) {
        const char *text = h->vi ? columns[c].vi : columns[c].en;
        if (row != NULL)
            text = hoso_cell_text(h, &columns[c], row);
        if (text == NULL)
            return wf_fail(&h->err, WF_E_NOMEM, "make the line: out of memory");
        cells[c] = *text != '\0' ? text : "-";
        size_t own = hoso_width(cells[c], strlen(cells[c]));
        width[c] = own > widths[c] ? own : widths[c];
    }
    hoso_print_row(columns, cells, width, n);
    return 0;
}

int hoso_print_pairs(struct hoso *h, const struct hoso_column *columns, size_t n,
                     const struct wf_value *map)
{
    size_t widest = 0;
    for (size_t c = 0; c < n; c++) {
        const char *heading = h->vi ? columns[c].vi : columns[c].en;
        size_t own = hoso_width(heading, strlen(heading));
        widest = own > widest ? own : widest;
    }
    for (size_t c = 0; c < n; c++) {
        const char *text = hoso_cell_text(h, &columns[c], map);
        if (text == NULL)
            return wf_fail(&h->err, WF_E_NOMEM, "make the answer: out of memory");
        if (*text == '\0')
            continue;
        const char *heading = h->vi ? columns[c].vi : columns[c].en;
        size_t own = hoso_width(heading, strlen(heading));
        (void)printf("%s%*s", heading, (int)(widest - own + 2), "");
        hoso_print_text(text, widest + 2, widest + 2);
    }
    return 0;
}

void hoso_print_cut(const struct hoso *h)
{
    (void)puts(h->vi ? "... còn nữa: --max 0" : "... there may be more: --max 0");
}

int hoso_answer(struct hoso *h, const struct wf_value *answer, bool *out_done)
{
    *out_done = h->json;
    if (!wf_value_is_whole(answer))
        return wf_fail(&h->err, WF_E_NOMEM, "make the answer: out of memory");
    return h->json ? hoso_json_print(answer, stdout, &h->err) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the live view looks. Lines of the cell, then the panes, then the keys. What does not fit goes
 * in a fixed order: blank lines, rows of the panes that are not chosen, these panes from the last
 * on, lines of the cell; in a pane the columns from the right.
 */
#include <string.h>

#include "top.h"

#define GAP           2 /* between columns */
#define WIDEST        32
#define LINES_OF_ALL  3 /* of the cell, below the bar */
#define ROWS_LEAST    4 /* less of a terminal than this shows nothing */
#define COLUMNS_LEAST 24

/* clang-format off */
static const struct top_cell queue_cells[] = {
    {{"service", "Queue", "Hàng đợi", HOSO_TEXT}, SCREEN_PLAIN},
    {{"queued", "Depth", "Số việc", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"oldest_ms", "Oldest", "Lâu nhất", HOSO_SPAN}, SCREEN_PLAIN},
    {{"in_1m", "In/min", "Vào/ph", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"out_1m", "Out/min", "Ra/ph", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"dead", "Dead", "Lỗi", HOSO_NUMBER}, SCREEN_BAD},
    {{"retrying", "Retry", "Thử lại", HOSO_NUMBER}, SCREEN_WARN},
    {{"held", "Held", "Giữ", HOSO_NUMBER}, SCREEN_WARN},
    {{"leased", "Leased", "Đã giao", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"tasks", "Tasks", "Việc", HOSO_NUMBER}, SCREEN_PLAIN},
};
static const struct top_cell process_cells[] = {
    {{"name", "Process", "Tiến trình", HOSO_TEXT}, SCREEN_PLAIN},
    {{"state", "State", "Trạng thái", HOSO_TERM}, SCREEN_BAD},
    {{"pid", "Pid", "Pid", HOSO_NUMBER0}, SCREEN_PLAIN},
    {{"age_ms", "Runs", "Chạy", HOSO_SPAN}, SCREEN_PLAIN},
    {{"commit_age_ms", "Commit", "Lần ghi", HOSO_SPAN}, SCREEN_PLAIN},
    {{"commit_us", "us", "us", HOSO_NUMBER0}, SCREEN_PLAIN},
    {{"last_batch", "Batch", "Lô", HOSO_NUMBER0}, SCREEN_PLAIN},
    {{"failures", "Errors", "Số lỗi", HOSO_NUMBER0}, SCREEN_PLAIN},
    {{"commits", "Commits", "Số lần ghi", HOSO_NUMBER0}, SCREEN_PLAIN},
};
static const struct top_cell trouble_cells[] = {
    {{"level", "How bad", "Mức độ", HOSO_TERM}, SCREEN_BAD},
    {{"line", "Needs a person", "Cần người xem xét", HOSO_TEXT}, SCREEN_PLAIN},
};
static const struct top_cell door_cells[] = {
    {{"name", "Door", "Cổng", HOSO_TEXT}, SCREEN_PLAIN},
    {{"figures.connections", "Connections", "Kết nối", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"figures.requests", "Requests", "Yêu cầu", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"requests_s", "A second", "Mỗi giây", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"figures.refused", "Refused", "Từ chối", HOSO_NUMBER}, SCREEN_WARN},
    {{"figures.busy", "Too fast", "Quá nhanh", HOSO_NUMBER}, SCREEN_WARN},
};
static const struct top_cell reader_cells[] = {
    {{"name", "Subscriber", "Bên nhận", HOSO_TEXT}, SCREEN_PLAIN},
    {{"lag", "Behind", "Chậm", HOSO_NUMBER}, SCREEN_PLAIN},
    {{"age_ms", "Since", "Từ", HOSO_SPAN}, SCREEN_PLAIN},
    {{"held", "Refused", "Bị từ chối", HOSO_NUMBER0}, SCREEN_WARN},
};
static const struct top_cell state_cells[] = {
    {{"procedure", "Procedure", "Thủ tục", HOSO_TEXT}, SCREEN_PLAIN},
    {{"state", "State", "Bước", HOSO_TEXT}, SCREEN_PLAIN},
    {{"open", "Open", "Đang xử lý", HOSO_NUMBER}, SCREEN_PLAIN},
};

#define TABLE(name) name, WF_COUNT(name)
const struct top_table top_tables[TOP_PANES] = {
    [TOP_QUEUES] = {"queues", "hàng đợi", TABLE(queue_cells)},
    [TOP_PROCESSES] = {"processes", "tiến trình", TABLE(process_cells)},
    [TOP_TROUBLES] = {"what needs a person", "việc cần xem xét", TABLE(trouble_cells)},
    [TOP_DOORS] = {"doors", "cổng", TABLE(door_cells)},
    [TOP_READERS] = {"subscribers", "bên nhận", TABLE(reader_cells)},
    [TOP_STATES] = {"dossiers", "hồ sơ", TABLE(state_cells)},
};

/* "12 open   3 overdue": the figure stands before its word. */
static const struct top_cell cell_lines[LINES_OF_ALL][6] = {
    {{{"dossiers.open", "open", "đang xử lý", HOSO_NUMBER}, SCREEN_PLAIN},
     {{"dossiers.overdue", "overdue", "quá hạn", HOSO_NUMBER}, SCREEN_BAD},
     {{"dossiers.due_soon", "due in 24 h", "đến hạn trong 24 giờ", HOSO_NUMBER}, SCREEN_WARN},
     {{"dossiers.closed", "closed", "đã xong", HOSO_NUMBER}, SCREEN_PLAIN},
     {{"holds.in_force", "holds", "tạm giữ", HOSO_NUMBER}, SCREEN_WARN}},
    {{{"journal", "events", "sự kiện", HOSO_NUMBER}, SCREEN_PLAIN},
     {{"events_s", "events/s", "sự kiện/giây", HOSO_NUMBER}, SCREEN_PLAIN},
     {{"in_1m", "in/min", "vào/phút", HOSO_NUMBER}, SCREEN_PLAIN},
     {{"out_1m", "out/min", "ra/phút", HOSO_NUMBER}, SCREEN_PLAIN},
     {{"timers", "timers", "hẹn giờ", HOSO_NUMBER}, SCREEN_PLAIN}},
    {{{"store.used_bytes", "of store", "kho", HOSO_BYTES}, SCREEN_PLAIN},
     {{"store.map_bytes", "limit", "giới hạn", HOSO_BYTES}, SCREEN_PLAIN},
     {{"store.disk_free_bytes", "disk free", "đĩa trống", HOSO_BYTES}, SCREEN_PLAIN},
     {{"archive.waiting", "for the archive", "chờ lưu trữ", HOSO_NUMBER0}, SCREEN_WARN}},
};

static const struct {
    const char *keys, *en, *vi;
} help[] = {
    {"q", "quit", "thoát"},
    {"Tab  < >", "choose the next pane, the one before", "chọn bảng tiếp theo, bảng trước"},
    {"^ v", "rows of the pane that do not fit", "các dòng chưa hiện của bảng"},
    {"s  S", "sort the pane by its next column; as it comes", "sắp xếp theo cột tiếp theo; thôi sắp xếp"},
    {"p", "pause, go on", "dừng, chạy tiếp"},
    {"+ -", "look more seldom, more often", "cập nhật thưa hơn, dày hơn"},
    {"space", "look now", "cập nhật ngay"},
    {"h ?", "this page", "trang này"},
};
/* clang-format on */

static const char *say(const struct top *top, const char *en, const char *vi)
{
    return top->h->vi ? vi : en;
}

/* What a word of ours means to the eye. */
static enum screen_mark mark_of_word(struct wf_str word, enum screen_mark other)
{
    static const struct {
        const char *word;
        enum screen_mark mark;
    } words[] = {{"up", SCREEN_GOOD}, {"starting", SCREEN_WARN}, {"warning", SCREEN_WARN}};
    for (size_t i = 0; i < WF_COUNT(words); i++) {
        if (wf_str_is(word, words[i].word))
            return words[i].mark;
    }
    return other;
}

static enum screen_mark mark_of(const struct top_cell *cell, const struct wf_value *row)
{
    const struct wf_value *value = wf_value_at(row, cell->column.key);
    if (cell->column.kind == HOSO_TERM)
        return mark_of_word(wf_value_str(value), cell->alarm);
    return wf_value_int(value, 0) > 0 ? cell->alarm : SCREEN_PLAIN;
}

/* "" where memory is out: the next picture may have it again. */
static const char *text_of(struct top *top, const struct top_cell *cell, const struct wf_value *row)
{
    struct hoso one = *top->h;
    one.arena = top->drawing;
    const char *text = hoso_cell_text(&one, &cell->column, row);
    return text == NULL ? "" : text[0] != '\0' ? text : "-";
}

static int width_of(const char *text)
{
    return (int)hoso_width(text, strlen(text));
}

/* ---- the cell -------------------------------------------------------------------------------- */

static void draw_bar(struct top *top)
{
    static const struct hoso_column cell = {"cell", "", "", HOSO_TEXT};
    static const struct hoso_column now = {"now", "", "", HOSO_TIME};
    const struct top_cell cells[] = {{cell, SCREEN_PLAIN}, {now, SCREEN_PLAIN}};
    char line[256];
    char right[128] = "";
    size_t n = wf_value_count(top->rows[TOP_TROUBLES]);
    int seconds = (int)(wf_value_int(wf_map_get(top->answer, "now"), 0) / 1000 % 60);
    (void)snprintf(line, sizeof(line), " hoso top  %.64s  %s:%02d  %lld s%s",
                   text_of(top, &cells[0], top->answer), text_of(top, &cells[1], top->answer),
                   seconds, (long long)top->interval_ms / 1000,
                   top->is_paused ? say(top, "  PAUSED", "  DỪNG") : "");
    if (n > 0)
        (void)snprintf(right, sizeof(right), " %zu %s ", n,
                       say(top, n == 1 ? "needs a person" : "need a person", "việc cần xem"));
    else if (top->answer != NULL)
        (void)snprintf(right, sizeof(right), " %s ", say(top, "all is well", "bình thường"));
    screen_put(0, 0, screen_columns(), line, false, SCREEN_BAR);
    int width = width_of(right);
    if (width_of(line) + width < screen_columns())
        screen_put(0, screen_columns() - width, width, right, false,
                   n > 0 ? SCREEN_BAD : SCREEN_BAR);
}

static void draw_cell_line(struct top *top, int row, const struct top_cell *cells, size_t n)
{
    int column = 1;
    for (size_t i = 0; i < n && cells[i].column.key != NULL; i++) {
        char text[128];
        const struct wf_value *value = wf_value_at(top->answer, cells[i].column.key);
        if (cells[i].column.kind == HOSO_NUMBER0 && wf_value_int(value, 0) == 0)
            continue;
        (void)snprintf(text, sizeof(text), "%.60s %s", text_of(top, &cells[i], top->answer),
                       say(top, cells[i].column.en, cells[i].column.vi));
        int width = width_of(text);
        if (column + width > screen_columns())
            return;
        screen_put(row, column, width, text, false, mark_of(&cells[i], top->answer));
        column += width + 3;
    }
}

/* ---- panes ----------------------------------------------------------------------------------- */

struct pane {
    enum top_pane which;
    const struct top_table *table;
    const struct wf_value *rows;
    int top, height; /* lines on the screen, the heading among them; 0 = none */
    int width[16];
    size_t columns; /* that fit */
};

static void measure(struct top *top, struct pane *p)
{
    int left = screen_columns();
    for (p->columns = 0; p->columns < p->table->n; p->columns++) {
        const struct top_cell *cell = &p->table->cells[p->columns];
        int width = width_of(say(top, cell->column.en, cell->column.vi));
        for (size_t r = 0; r < wf_value_count(p->rows); r++) {
            int own = width_of(text_of(top, cell, wf_list_at(p->rows, r)));
            width = own > width ? own : width;
        }
        bool is_last = p->columns + 1 == p->table->n;
        width = is_last || width < WIDEST ? width : WIDEST;
        if (is_last && width > left && left >= WIDEST)
            width = left; /* a long text is cut */
        if (width > left && p->columns > 0)
            return;
        p->width[p->columns] = width;
        left -= width + GAP;
    }
}

static void draw_heading(struct top *top, const struct pane *p, size_t shown)
{
    enum screen_mark mark = p->which == top->chosen ? SCREEN_CHOSEN : SCREEN_HEAD;
    char part[64];
    int column = 0;
    screen_put(p->top, 0, screen_columns(), "", false, mark);
    for (size_t c = 0; c < p->columns; c++) {
        const struct hoso_column *of = &p->table->cells[c].column;
        bool is_sorted = top->sorted[p->which] == c + 1;
        screen_put(p->top, column, p->width[c], say(top, of->en, of->vi), hoso_is_right(of->kind),
                   is_sorted ? SCREEN_SORTED : mark);
        column += p->width[c] + GAP;
    }
    if (shown >= wf_value_count(p->rows))
        return;
    (void)snprintf(part, sizeof(part), " %zu-%zu/%zu", top->first[p->which] + 1,
                   top->first[p->which] + shown, wf_value_count(p->rows));
    screen_put(p->top, screen_columns() - width_of(part), width_of(part), part, false, mark);
}

static void draw_row(struct top *top, const struct pane *p, int line, const struct wf_value *row)
{
    int column = 0;
    for (size_t c = 0; c < p->columns; c++) {
        const struct top_cell *cell = &p->table->cells[c];
        screen_put(line, column, p->width[c], text_of(top, cell, row),
                   hoso_is_right(cell->column.kind), mark_of(cell, row));
        column += p->width[c] + GAP;
    }
}

static void draw_pane(struct top *top, struct pane *p)
{
    size_t n = wf_value_count(p->rows);
    size_t shown = (size_t)p->height - 1;
    size_t *first = &top->first[p->which];
    shown = shown < n ? shown : n;
    *first = *first + shown > n ? n - shown : *first;
    measure(top, p);
    draw_heading(top, p, shown);
    for (size_t i = 0; i < shown; i++)
        draw_row(top, p, p->top + 1 + (int)i, wf_list_at(p->rows, *first + i));
}

/* ---- who gets which lines -------------------------------------------------------------------- */

static int lines_of(const struct pane *panes, int gap)
{
    int sum = 0;
    for (size_t i = 0; i < TOP_PANES; i++)
        sum += panes[i].height > 0 ? panes[i].height + gap : 0;
    return sum;
}

/* Takes lines off the panes that are not chosen, the last one first, down to `least`. */
static void shrink(const struct top *top, struct pane *panes, int room, int least)
{
    for (size_t i = TOP_PANES; i-- > 0;) {
        while (panes[i].which != top->chosen && panes[i].height > least &&
               lines_of(panes, 0) > room)
            panes[i].height -= panes[i].height == 2 ? 2 : 1; /* a heading alone says nothing */
    }
}

static void place(const struct top *top, struct pane *panes, int first, int room)
{
    for (size_t i = 0; i < TOP_PANES; i++) {
        size_t n = wf_value_count(panes[i].rows);
        int most = n < (size_t)room ? (int)n : room;
        panes[i].height = n > 0 ? most + 1 : 0;
    }
    shrink(top, panes, room, 2);
    shrink(top, panes, room, 0);
    if (panes[top->chosen].height > room)
        panes[top->chosen].height = room;
    int gap = lines_of(panes, 1) - 1 <= room ? 1 : 0;
    for (size_t i = 0; i < TOP_PANES; i++) {
        panes[i].top = first;
        first += panes[i].height > 0 ? panes[i].height + gap : 0;
    }
}

static void draw_panes(struct top *top, int first, int room)
{
    struct pane panes[TOP_PANES];
    struct hoso one = *top->h;
    one.arena = top->drawing;
    if (wf_value_count(top->rows[top->chosen]) == 0)
        top->chosen = TOP_QUEUES;
    for (size_t i = 0; i < TOP_PANES; i++)
        panes[i] =
            (struct pane){.which = (enum top_pane)i,
                          .table = &top_tables[i],
                          .rows = top_sorted(&one, &top_tables[i], top->sorted[i], top->rows[i])};
    place(top, panes, first, room);
    for (size_t i = 0; i < TOP_PANES; i++) {
        if (panes[i].height > 1)
            draw_pane(top, &panes[i]);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void draw_help(struct top *top)
{
    for (size_t i = 0; i < WF_COUNT(help); i++) {
        screen_put((int)i + 2, 2, 10, help[i].keys, false, SCREEN_HEAD);
        screen_put((int)i + 2, 13, screen_columns() - 13, say(top, help[i].en, help[i].vi), false,
                   SCREEN_PLAIN);
    }
}

static void draw_foot(struct top *top, int row)
{
    const struct top_table *table = &top_tables[top->chosen];
    unsigned sorted = top->sorted[top->chosen];
    char line[256];
    if (top->why.code != 0) {
        (void)snprintf(line, sizeof(line), " %s: %.180s",
                       say(top, "cannot be read", "không đọc được"), top->why.text);
        screen_put(row, 0, screen_columns(), line, false, SCREEN_BAD);
        return;
    }
    const char *by = sorted == 0 ? ""
                                 : say(top, table->cells[sorted - 1].column.en,
                                       table->cells[sorted - 1].column.vi);
    const char *keys = say(top, "q quit  h help  s sort  p pause  Tab  +/-",
                           "q thoát  h trợ giúp  s sắp xếp  p dừng  Tab  +/-");
    (void)snprintf(line, sizeof(line), " %s%s%s", keys,
                   sorted == 0 ? "" : say(top, "  sorted by ", "  xếp theo "), by);
    screen_put(row, 0, screen_columns(), line, false, SCREEN_BAR);
}

void top_draw(struct top *top)
{
    int rows = screen_rows();
    wf_arena_reset(top->drawing);
    screen_clear();
    if (rows < ROWS_LEAST || screen_columns() < COLUMNS_LEAST) {
        screen_put(0, 0, screen_columns(), say(top, "too small", "quá nhỏ"), false, SCREEN_WARN);
        screen_show();
        return;
    }
    int lines = rows >= 14 ? LINES_OF_ALL : 0;
    draw_bar(top);
    if (top->shows_help) {
        draw_help(top);
    } else {
        for (int i = 0; i < lines; i++)
            draw_cell_line(top, 1 + i, cell_lines[i], WF_COUNT(cell_lines[i]));
        int first = 1 + lines + (rows >= 24 ? 1 : 0);
        draw_panes(top, first, rows - first - 1);
    }
    draw_foot(top, rows - 1);
    screen_show();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV by RFC 4180, strictly: a quote stands at the beginning of a cell or doubled within quotes, all
 * records have as many cells as the first, the text is UTF-8. Lines may end in LF alone, and lines
 * with nothing at all are passed over, since spreadsheets leave such at the end. One pass over the
 * text, in place: taking quotes off only makes it shorter.
 */
#include "folder.h"

#include <string.h>

#define COLUMNS_MAX 200
#define CELL_MAX    ((size_t)64 * 1024)

struct reader {
    char *text, *at, *end;
    char *line_start;
    size_t line;
    char delimiter;
    struct csv *csv;
    size_t n_cells, cells_cap, lines_cap;
    size_t row_start; /* cells before this record */
    struct place *place;
    struct wf_error *err;
};

static int refuse(struct reader *r, const char *what)
{
    size_t column = 1;
    for (const char *c = r->line_start; c < r->at; c++)
        column += ((unsigned char)*c & 0xc0) != 0x80; /* characters, not bytes */
    *r->place = (struct place){r->line, column};
    return wf_fail(r->err, WF_E_INVALID, "line %zu, column %zu: %s", r->line, column, what);
}

/* Room for one more; false where memory is out. */
static bool grow(void **items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    size_t wanted = *cap > 0 ? *cap * 2 : 256;
    void *more = wf_realloc(*items, wanted * size);
    if (more == NULL)
        return false;
    *items = more;
    *cap = wanted;
    return true;
}

static int add_cell(struct reader *r, const char *start, const char *end)
{
    if ((size_t)(end - start) > CELL_MAX)
        return refuse(r, "a cell of more than 64 KiB");
    if (r->n_cells - r->row_start >= COLUMNS_MAX)
        return refuse(r, "more than 200 columns: is it the right delimiter?");
    if (!grow((void **)&r->csv->cells, r->n_cells, &r->cells_cap, sizeof(*r->csv->cells)))
        return wf_fail(r->err, WF_E_NOMEM, "out of memory");
    r->csv->cells[r->n_cells++] = (struct wf_str){start, (size_t)(end - start)};
    return 0;
}

static int add_line(struct reader *r, size_t line)
{
    if (!grow((void **)&r->csv->lines, r->csv->n_rows, &r->lines_cap, sizeof(*r->csv->lines)))
        return wf_fail(r->err, WF_E_NOMEM, "out of memory");
    r->csv->lines[r->csv->n_rows++] = line;
    return 0;
}

static bool is_line_end(const struct reader *r)
{
    return r->at == r->end || *r->at == '\n' ||
           (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n');
}

static void next_line(struct reader *r)
{
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end)
        r->at++;
    r->line++;
    r->line_start = r->at;
}

static int quoted(struct reader *r)
{
    char *out = ++r->at;
    const char *start = out;
    for (;; r->at++) {
        if (r->at == r->end)
            return refuse(r, "the file ends within quotes: is it cut off, or a quote missing?");
        if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"'))
            break;
        if (*r->at == '"')
            r->at++; /* doubled: one is meant */
        if (*r->at == '\n') {
            r->line++;
            r->line_start = r->at + 1;
        }
        *out++ = *r->at;
    }
    r->at++;
    if (!is_line_end(r) && *r->at != r->delimiter)
        return refuse(r, "text after a closing quote: double the quotes within a cell");
    return add_cell(r, start, out);
}

static int bare(struct reader *r)
{
    const char *start = r->at;
    while (!is_line_end(r) && *r->at != r->delimiter) {
        if (*r->at == '"')
            return refuse(r, "a quote within a cell: put the cell in quotes and double this one");
        if (*r->at == '\r')
            return refuse(r, "a carriage return without a line feed");
        r->at++;
    }
    return add_cell(r, start, r->at);
}

static int record(struct reader *r, size_t max_rows)
{
    size_t line = r->line;
    r->row_start = r->n_cells;
    for (;;) {
        int rc = r->at < r->end && *r->at == '"' ? quoted(r) : bare(r);
        if (rc != 0)
            return rc;
        if (is_line_end(r))
            break;
        r->at++;
    }
    size_t n = r->n_cells - r->row_start;
    if (r->csv->n_rows == 0)
        r->csv->n_columns = n;
    if (n != r->csv->n_columns)
        return refuse(r, "this record has not as many cells as the first line");
    if (r->csv->n_rows > max_rows)
        return refuse(r, "more rows than are allowed: split the file");
    return add_line(r, line);
}

/* Line by line, so that the place can be told. */
static int check_utf8(struct reader *r)
{
    const char *line = r->text;
    for (size_t n = 1; line < r->end; n++) {
        const char *stop = memchr(line, '\n', (size_t)(r->end - line));
        stop = stop != NULL ? stop : r->end;
        if (!wf_is_utf8(line, (size_t)(stop - line))) {
            *r->place = (struct place){.line = n};
            return wf_fail(r->err, WF_E_INVALID, "line %zu: is not UTF-8: save the file as UTF-8",
                           n);
        }
        line = stop + 1;
    }
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the text is changed in place */
int csv_read(char *text, size_t length, char delimiter, size_t max_rows, struct csv *out,
             struct place *place, struct wf_error *err)
{
    struct csv csv = {0};
    struct reader r = {.text = text,
                       .at = text,
                       .end = text + length,
                       .line_start = text,
                       .line = 1,
                       .delimiter = delimiter,
                       .csv = &csv,
                       .place = place,
                       .err = err};
    int rc = check_utf8(&r);
    while (rc == 0 && r.at < r.end) {
        if (!is_line_end(&r))
            rc = record(&r, max_rows);
        if (rc == 0)
            next_line(&r);
    }
    if (rc == 0 && csv.n_rows == 0) {
        *place = (struct place){.line = 1};
        rc = wf_fail(err, WF_E_INVALID, "the file is empty: its first line names the columns");
    }
    if (rc != 0) {
        csv_free(&csv);
        return rc;
    }
    csv.n_rows--; /* the headers are no row */
    *out = csv;
    return 0;
}

void csv_free(struct csv *csv)
{
    wf_free(csv->cells);
    wf_free(csv->lines);
    memset(csv, 0, sizeof(*csv));
}

void csv_write_cell(struct wf_buf *out, struct wf_str cell, char delimiter)
{
    bool plain = true;
    for (size_t i = 0; i < cell.len && plain; i++)
        plain = cell.ptr[i] != delimiter && strchr("\"\r\n", cell.ptr[i]) == NULL;
    if (plain) {
        wf_buf_add(out, cell.ptr, cell.len);
        return;
    }
    wf_buf_text(out, "\"");
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"')
            wf_buf_text(out, "\"");
        wf_buf_add(out, &cell.ptr[i], 1);
    }
    wf_buf_text(out, "\"");
}

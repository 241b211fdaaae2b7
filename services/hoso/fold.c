/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that fit the terminal. A row that is too wide goes on in further lines, set in, and breaks
 * between two columns only; the headings break at the same places. A long text breaks between words.
 * Into a file or a pipe nothing is folded: programs count on one line for each row.
 */
#include "hoso.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP      2
#define SET_IN   4
#define NARROWER 40 /* than this nothing is won by folding */
#define ROOM     30 /* enough for a long text to begin in */

/* Columns of the terminal on standard output; 0: nothing to fit into. */
static size_t limit_of_lines(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < NARROWER)
        return 0;
    return size.ws_col;
}

static void pad(size_t width)
{
    (void)printf("%*s", (int)width, "");
}

/* Bytes of the text that stand in a line of `room` columns: whole words where there are such. */
static size_t first_line(const char *text, size_t length, size_t room)
{
    size_t fits = hoso_cut(text, length, room);
    size_t cut = fits;
    while (cut > 0 && text[cut] != ' ')
        cut--;
    return cut > 0 ? cut : fits;
}

void hoso_print_text(const char *text, size_t at, size_t hang)
{
    size_t limit = limit_of_lines();
    size_t length = strlen(text);
    while (limit > at && limit > hang && hoso_width(text, length) > limit - at) {
        size_t cut = first_line(text, length, limit - at);
        (void)printf("%.*s\n", (int)cut, text);
        cut += strspn(text + cut, " ");
        text += cut;
        length -= cut;
        pad(hang);
        at = hang;
    }
    (void)puts(text);
}

static void print_cell(const char *text, size_t width, bool right)
{
    size_t length = strlen(text);
    size_t own = hoso_width(text, length);
    if (own > width) {
        (void)printf("%.*s…", (int)hoso_cut(text, length, width - 1), text);
        return;
    }
    if (right)
        pad(width - own);
    (void)fputs(text, stdout);
    if (!right)
        pad(width - own);
}

void hoso_print_row(const struct hoso_column *columns, const char *const *cells,
                    const size_t *widths, size_t n)
{
    size_t limit = limit_of_lines();
    size_t at = 0;
    for (size_t c = 0; c < n; c++) {
        bool right = hoso_is_right(columns[c].kind);
        bool is_text = c + 1 == n && !right;
        size_t gap = c > 0 ? GAP : 0;
        size_t room = is_text && widths[c] > ROOM ? ROOM : widths[c];
        if (limit > 0 && c > 0 && at + gap + room > limit) {
            (void)puts("");
            at = 0;
            gap = SET_IN;
        }
        pad(gap);
        at += gap;
        if (is_text)
            hoso_print_text(cells[c], at, at);
        else
            print_cell(cells[c], widths[c], right);
        if (c + 1 == n && right)
            (void)puts("");
        at += widths[c];
    }
}

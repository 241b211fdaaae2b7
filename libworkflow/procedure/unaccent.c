/* SPDX-License-Identifier: Apache-2.0 */
/* Vietnamese to ASCII. One accented letter makes an SMS of 70 characters out of one of 160. */
#include <string.h>

#include "workflow/registry.h"

/* Runs of letters in which capital and small ones stand in turn, the capital first. */
static const struct {
    uint32_t first;
    uint32_t last;
    char capital;
} turns[] = {
    {0x102, 0x103, 'A'},   {0x110, 0x111, 'D'},   {0x128, 0x129, 'I'},   {0x168, 0x169, 'U'},
    {0x1a0, 0x1a1, 'O'},   {0x1af, 0x1b0, 'U'},   {0x1ea0, 0x1eb7, 'A'}, {0x1eb8, 0x1ec7, 'E'},
    {0x1ec8, 0x1ecb, 'I'}, {0x1ecc, 0x1ee3, 'O'}, {0x1ee4, 0x1ef1, 'U'}, {0x1ef2, 0x1ef9, 'Y'},
};

/* The capitals of Latin-1; the small ones follow 32 places later. */
static const struct {
    uint32_t first;
    uint32_t last;
    char capital;
} latin[] = {
    {0xc0, 0xc3, 'A'}, {0xc8, 0xca, 'E'}, {0xcc, 0xcd, 'I'},
    {0xd2, 0xd5, 'O'}, {0xd9, 0xda, 'U'}, {0xdd, 0xdd, 'Y'},
};

static const struct {
    uint32_t point;
    const char *ascii;
} marks[] = {
    {0xa0, " "},   {0x2013, "-"},  {0x2014, "-"},  {0x2018, "'"},
    {0x2019, "'"}, {0x201c, "\""}, {0x201d, "\""}, {0x2026, "..."},
};

/* The plain letter, or 0. */
static char base_letter(uint32_t point)
{
    for (size_t i = 0; i < WF_COUNT(turns); i++) {
        if (point >= turns[i].first && point <= turns[i].last)
            return (char)(turns[i].capital + ((point - turns[i].first) % 2 == 1 ? 'a' - 'A' : 0));
    }
    for (size_t i = 0; i < WF_COUNT(latin); i++) {
        if (point >= latin[i].first && point <= latin[i].last)
            return latin[i].capital;
        if (point >= latin[i].first + 32 && point <= latin[i].last + 32)
            return (char)(latin[i].capital + ('a' - 'A'));
    }
    return 0;
}

static void add_point(uint32_t point, struct wf_buf *out)
{
    if (point >= 0x300 && point <= 0x36f) /* an accent of decomposed text */
        return;
    char letter = point < 0x80 ? (char)point : base_letter(point);
    if (letter != 0) {
        wf_buf_add(out, &letter, 1);
        return;
    }
    const char *ascii = "?";
    for (size_t i = 0; i < WF_COUNT(marks); i++) {
        if (marks[i].point == point)
            ascii = marks[i].ascii;
    }
    wf_buf_text(out, ascii);
}

/* Decodes one code point; broken UTF-8 gives U+FFFD byte by byte. */
static size_t decode(struct wf_str text, size_t at, uint32_t *out_point)
{
    const unsigned char *s = (const unsigned char *)text.ptr + at;
    size_t n = s[0] < 0xc0 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    *out_point = s[0] & first_bits[n];
    if (n > text.len - at || !wf_is_utf8(text.ptr + at, n)) {
        *out_point = 0xfffd;
        return 1;
    }
    for (size_t i = 1; i < n; i++)
        *out_point = *out_point << 6 | (s[i] & 0x3f);
    return n;
}

void wf_unaccent(struct wf_str text, struct wf_buf *out)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t point;
        at += decode(text, at, &point);
        add_point(point, out);
    }
}

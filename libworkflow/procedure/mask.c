/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person without the right to see an entry is shown. The kind of text is guessed from its
 * form, because a wrong kind in a definition must not uncover anything. No national rule was
 * found; the shapes follow common practice.
 */
#include <string.h>

#include "workflow/identifiers.h"

#define NAME_WORDS 8 /* a text of more words is no name */

struct pen {
    char *buf;
    size_t size;
    size_t n;
};

/* Adds the bytes whole or not at all, so that no letter is cut in two. */
static void put(struct pen *pen, const char *bytes, size_t n)
{
    if (pen->n + n >= pen->size)
        return;
    memcpy(pen->buf + pen->n, bytes, n);
    pen->n += n;
    pen->buf[pen->n] = '\0';
}

/* Bytes of the letter at i; broken UTF-8 counts byte by byte. */
static size_t letter_at(struct wf_str text, size_t i)
{
    size_t n = 1;
    while (i + n < text.len && n < 4 && !wf_is_utf8(text.ptr + i, n))
        n++;
    return wf_is_utf8(text.ptr + i, n) ? n : 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Numbers as people write them; *out_digits counts the digits. */
static bool is_number(struct wf_str text, size_t *out_digits)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (is_digit(text.ptr[i]))
            digits++;
        else if (memchr(" .-+", text.ptr[i], 4) == NULL)
            return false;
    }
    *out_digits = digits;
    return digits > 0;
}

/* First 3 and last 4 of 12 digits, last 3 of 9 to 11; of anything else nothing. */
static void mask_number(struct pen *pen, struct wf_str text, size_t digits)
{
    bool known = digits >= 9 && digits <= 12;
    size_t first = known ? 3 : 0;
    size_t last = digits == 12 ? 4 : known ? 3 : 0;
    for (size_t i = 0, seen = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i]))
            continue;
        put(pen, seen < first || seen + last >= digits ? text.ptr + i : "*", 1);
        seen++;
    }
}

static void mask_email(struct pen *pen, struct wf_str text, const char *at)
{
    if (at > text.ptr)
        put(pen, text.ptr, letter_at(text, 0));
    put(pen, "***", 3);
    put(pen, at, text.len - (size_t)(at - text.ptr));
}

static bool is_sentence(struct wf_str text)
{
    size_t blanks = 0;
    for (size_t i = 0; i < text.len; i++)
        blanks += text.ptr[i] == ' ';
    return blanks >= NAME_WORDS;
}

/* The initials of a name; of a sentence nobody could read them. */
static void mask_words(struct pen *pen, struct wf_str text)
{
    bool begins = true;
    if (is_sentence(text)) {
        put(pen, "********", 8);
        return;
    }
    for (size_t i = 0; i < text.len;) {
        size_t n = letter_at(text, i);
        bool blank = text.ptr[i] == ' ';
        if (begins && !blank) {
            if (pen->n > 0)
                put(pen, " ", 1);
            put(pen, text.ptr + i, n);
            put(pen, ".", 1);
        }
        begins = blank;
        i += n;
    }
}

const char *wf_mask(struct wf_str text, char *buf, size_t size)
{
    struct pen pen = {buf, size, 0};
    size_t digits = 0;
    const char *at = text.len > 0 ? memchr(text.ptr, '@', text.len) : NULL;
    if (size > 0)
        buf[0] = '\0';
    if (is_number(text, &digits))
        mask_number(&pen, text, digits);
    else if (at != NULL)
        mask_email(&pen, text, at);
    else
        mask_words(&pen, text);
    return buf;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "workflow/memory.h"

struct wf_str wf_str(const char *text)
{
    return (struct wf_str){text, text != NULL ? strlen(text) : 0};
}

bool wf_str_equal(struct wf_str a, struct wf_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool wf_str_is(struct wf_str a, const char *text)
{
    return wf_str_equal(a, wf_str(text));
}

int wf_str_compare(struct wf_str a, struct wf_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool wf_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool wf_str_copy(struct wf_str from, char *to, size_t size)
{
    bool fits = from.len < size;
    if (fits && from.len > 0)
        memcpy(to, from.ptr, from.len);
    to[fits ? from.len : 0] = '\0';
    return fits;
}

/* Length of the well-formed sequence at the start of the text, 0 where there is none. */
static size_t sequence_length(const unsigned char *s, size_t left)
{
    if (s[0] < 0x80)
        return s[0] != 0;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    bool too_high = s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || too_high ? 0 : n;
}

bool wf_is_utf8(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        size_t n = sequence_length(s + i, length - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t wf_utf8_length(const char *text, size_t length)
{
    size_t points = 0;
    for (size_t i = 0; i < length; i++)
        points += ((unsigned char)text[i] & 0xc0) != 0x80;
    return points;
}

void wf_buf_fini(struct wf_buf *buf)
{
    wf_free(buf->ptr);
    memset(buf, 0, sizeof(*buf));
}

void wf_buf_clear(struct wf_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

static bool reserve(struct wf_buf *buf, size_t more)
{
    if (buf->failed || more > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->len + more;
    if (needed <= buf->cap)
        return true;
    size_t cap = buf->cap > 0 ? buf->cap : 256;
    while (cap < needed)
        cap *= 2;
    uint8_t *grown = wf_realloc(buf->ptr, cap);
    if (grown == NULL) {
        buf->failed = true;
        return false;
    }
    buf->ptr = grown;
    buf->cap = cap;
    return true;
}

void wf_buf_add(struct wf_buf *buf, const void *bytes, size_t length)
{
    if (length == 0 || !reserve(buf, length))
        return;
    memcpy(buf->ptr + buf->len, bytes, length);
    buf->len += length;
}

void wf_buf_text(struct wf_buf *buf, const char *text)
{
    wf_buf_add(buf, text, strlen(text));
}

void wf_buf_printf(struct wf_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length < 0 || !reserve(buf, (size_t)length + 1)) {
        buf->failed = true;
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf((char *)buf->ptr + buf->len, (size_t)length + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)length;
}

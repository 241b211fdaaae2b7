/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/text.h - text with a length, growing buffers, UTF-8.
 *
 * PURPOSE    Text from outside carries its length (struct wf_str) and is never trusted to end
 *            in NUL; bytes under construction live in a struct wf_buf.
 * OWNERSHIP  a wf_str borrows; a wf_buf owns its bytes until wf_buf_fini.
 * ERRORS     a wf_buf that could not grow sets `failed` and ignores what follows, so that a
 *            packer can be written straight through and asked once at its end.
 */
#ifndef WORKFLOW_TEXT_H
#define WORKFLOW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wf_str {
    const char *ptr; /* not NUL-terminated by promise */
    size_t len;      /* bytes */
};

/* A view of bytes that somebody else owns. */
struct wf_slice {
    const uint8_t *ptr;
    size_t len;
};

/* printf helper: printf("%.*s", WF_STR_ARG(s)) */
#define WF_STR_ARG(s)   (int)(s).len, (s).len > 0 ? (s).ptr : ""
#define WF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct wf_str wf_str(const char *text); /* NULL gives the empty text */
bool wf_str_is(struct wf_str a, const char *text);
bool wf_str_equal(struct wf_str a, struct wf_str b);
int wf_str_compare(struct wf_str a, struct wf_str b); /* byte order, as memcmp */
bool wf_starts_with(const char *text, const char *prefix);

/* Copies into a fixed array with NUL; false (and an empty text) where it does not fit. */
bool wf_str_copy(struct wf_str from, char *to, size_t size);

/* Well-formed UTF-8 without NUL: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool wf_is_utf8(const char *text, size_t length);

/* Number of code points of well-formed UTF-8. */
size_t wf_utf8_length(const char *text, size_t length);

struct wf_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
    bool failed; /* memory ran out: the content is not whole */
};

void wf_buf_fini(struct wf_buf *buf);
void wf_buf_clear(struct wf_buf *buf); /* empty again; keeps the memory, clears `failed` */
void wf_buf_add(struct wf_buf *buf, const void *bytes, size_t length);
void wf_buf_text(struct wf_buf *buf, const char *text);
void wf_buf_printf(struct wf_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message templates. Placeholders are a closed list that is checked when the file is read, so that
 * rendering cannot fail. Values come from outside: they are never scanned for placeholders, lose
 * their control characters, and cannot make a message longer than the bound.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "workflow/registry.h"

#define ELLIPSIS    "\xe2\x80\xa6" /* U+2026 */
#define MAX_NAME    16
#define MAX_NESTING 4

static const char *const placeholders[] = {"code",  "title",  "due",    "reason",
                                           "items", "amount", "office", "item"};

/* At an opening brace: the name within, or an empty text where it is none of the list. */
static struct wf_str placeholder_at(const char *brace)
{
    size_t n = strcspn(brace + 1, "{}");
    struct wf_str name = {brace + 1, n};
    if (brace[1 + n] != '}')
        return wf_str("");
    for (size_t i = 0; i < WF_COUNT(placeholders); i++) {
        if (wf_str_is(name, placeholders[i]))
            return name;
    }
    return wf_str("");
}

const char *wf_template_fault(const char *text)
{
    for (const char *brace = strpbrk(text, "{}"); brace != NULL; brace = strpbrk(brace, "{}")) {
        if (*brace == '}')
            return "a closing brace without an opening one";
        struct wf_str name = placeholder_at(brace);
        if (name.len == 0)
            return "unknown placeholder: {code} {title} {due} {reason} {items} {amount} {office} "
                   "{item} are known";
        brace += name.len + 2;
    }
    return NULL;
}

/* ---- rendering ------------------------------------------------------------------------------ */

struct writer {
    struct wf_buf *out;
    size_t left; /* bytes; room for the closing ellipsis is set aside */
    bool full;
};

/* Bytes of the letter at the start of well-formed UTF-8. */
static size_t letter_length(const char *text, size_t left)
{
    unsigned char c = (unsigned char)text[0];
    size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return n < left ? n : left;
}

static bool is_control(const char *letter, size_t n)
{
    unsigned char c = (unsigned char)letter[0];
    bool is_c1 = n == 2 && c == 0xc2 && (unsigned char)letter[1] < 0xa0;
    return c < ' ' || c == 0x7f || is_c1;
}

static void put(struct writer *w, struct wf_str text)
{
    for (size_t i = 0; i < text.len && !w->full;) {
        size_t n = letter_length(text.ptr + i, text.len - i);
        bool blank = is_control(text.ptr + i, n);
        size_t need = blank ? 1 : n;
        if (need > w->left) {
            wf_buf_text(w->out, ELLIPSIS);
            w->full = true;
            return;
        }
        wf_buf_add(w->out, blank ? " " : text.ptr + i, need);
        w->left -= need;
        i += n;
    }
}

static void put_value(struct writer *w, const struct wf_value *value, int nesting);

static void put_list(struct writer *w, const struct wf_value *list, int nesting)
{
    for (size_t i = 0; i < wf_value_count(list) && !w->full; i++) {
        if (i > 0)
            put(w, wf_str("; "));
        put_value(w, wf_list_at(list, i), nesting);
    }
}

static void put_number(struct writer *w, const struct wf_value *value)
{
    char text[32];
    if (value->type == WF_INT)
        (void)snprintf(text, sizeof(text), "%" PRId64, value->u.integer);
    else
        (void)snprintf(text, sizeof(text), "%.15g", value->u.number);
    put(w, wf_str(text));
}

static void put_value(struct writer *w, const struct wf_value *value, int nesting)
{
    enum wf_type type = value != NULL ? value->type : WF_NULL;
    if (type == WF_MAP) {
        const struct wf_value *vi = wf_map_get(value, "vi");
        value = vi != NULL ? vi : wf_map_get(value, "id");
        type = value != NULL && value->type == WF_TEXT ? WF_TEXT : WF_NULL;
    }
    if (type == WF_INT || type == WF_NUMBER)
        put_number(w, value);
    else if (type == WF_TEXT && value->u.text.len > 0)
        put(w, value->u.text);
    else if (type == WF_LIST && wf_value_count(value) > 0 && nesting < MAX_NESTING)
        put_list(w, value, nesting + 1);
    else
        put(w, wf_str(ELLIPSIS));
}

void wf_template_render(const char *text, const struct wf_value *values, struct wf_buf *out)
{
    struct writer w = {out, WF_RENDERED_MAX - strlen(ELLIPSIS), false};
    while (*text != '\0' && !w.full) {
        struct wf_str name = *text == '{' ? placeholder_at(text) : wf_str("");
        if (name.len > 0) {
            put_value(&w, wf_map_get_str(values, name), 0);
            text += name.len + 2;
        } else {
            size_t n = 1 + strcspn(text + 1, "{");
            put(&w, (struct wf_str){text, n});
            text += n;
        }
    }
}

void wf_template_render_sms(const char *text, const struct wf_value *values, struct wf_buf *out)
{
    struct wf_buf full = {0};
    struct wf_buf ascii = {0};
    wf_template_render(text, values, &full);
    wf_unaccent((struct wf_str){(const char *)full.ptr, full.len}, &ascii);
    if (full.failed || ascii.failed) {
        out->failed = true;
    } else if (ascii.len <= WF_SMS_MAX) {
        wf_buf_add(out, ascii.ptr, ascii.len);
    } else {
        wf_buf_add(out, ascii.ptr, WF_SMS_MAX - 3);
        wf_buf_text(out, "...");
    }
    wf_buf_fini(&full);
    wf_buf_fini(&ascii);
}

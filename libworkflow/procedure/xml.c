/* SPDX-License-Identifier: Apache-2.0 */
/* Text for XML 1.0 documents. */
#include "workflow/procedure_tools.h"

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\n':
        return "&#10;";
    case '\t':
        return "&#9;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

/* U+FFFE and U+FFFF are UTF-8 but no characters of XML. */
static bool is_no_character(const unsigned char *s, size_t left)
{
    return left >= 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe;
}

/* What XML cannot hold at all (control characters) becomes a blank; no UTF-8, a question mark. */
void wf_xml_text(struct wf_buf *out, struct wf_str text)
{
    bool is_whole = wf_is_utf8(text.ptr, text.len);
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        const char *name = entity(text.ptr[i]);
        if (name != NULL) {
            wf_buf_text(out, name);
        } else if (c < 0x20) {
            wf_buf_text(out, " ");
        } else if (!is_whole && c >= 0x80) {
            wf_buf_text(out, "?");
        } else if (is_no_character((const unsigned char *)text.ptr + i, text.len - i)) {
            wf_buf_text(out, "?");
            i += 2;
        } else {
            wf_buf_add(out, &text.ptr[i], 1);
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over the tables writes both languages: what differs between them is in `struct syntax`.
 * Clients know what parties say and hear; messages between services are left out.
 */
#include "constants.h"

#include "workflow/messages.h"

struct syntax {
    const char *comment;         /* before a comment of one line */
    const char *constant;        /* before a name that is defined */
    const char *end;             /* after a definition */
    const char *list[2];         /* a fixed list */
    const char *map[2];          /* a map that is not to be changed */
    const char *none, *yes, *no; /* words */
};

/* clang-format off */
static const struct syntax python = {
    "#", "", "", {"(", ")"}, {"{", "}"}, "None", "True", "False",
};
static const struct syntax node = {
    "//", "export const ", ";", {"Object.freeze([", "])"}, {"Object.freeze({", "})"},
    "null", "true", "false",
};

static const char *const type_words[] = {
    [WF_WIRE_STR]  = "text", [WF_WIRE_U64] = "uint", [WF_WIRE_I64] = "int",
    [WF_WIRE_BOOL] = "bool", [WF_WIRE_BIN] = "bin",  [WF_WIRE_MAP] = "map",
    [WF_WIRE_LIST] = "list", [WF_WIRE_ANY] = "any",
};

static const char *const action_words[] = {
    [WF_RETRY] = "retry", [WF_REFUSE] = "refuse", [WF_STOP] = "stop",
};

static const struct {
    enum wf_action action;
    const char *word, *meaning;
} errors[] = {
#define X(name, number, action, word, meaning) {WF_##action, word, meaning},
    WF_ERRORS(X)
#undef X
};
/* clang-format on */

static void print_bounds(const struct syntax *s, struct wf_buf *out)
{
    wf_buf_printf(out, "%sVERSION = %d%s\n", s->constant, WF_PROTOCOL_VERSION, s->end);
    wf_buf_printf(out, "%sFRAME_MAX = %zu%s\n", s->constant, WF_FRAME_MAX, s->end);
    wf_buf_printf(out, "%sREPLY_MAX = %zu%s\n", s->constant, WF_REPLY_MAX, s->end);
    wf_buf_printf(out, "%sSERVICES = %s", s->constant, s->list[0]);
    for (int i = 0; i < WF_SERVICE_COUNT; i++)
        wf_buf_printf(out, "%s\"%s\"", i > 0 ? ", " : "", wf_service_word((enum wf_service)i));
    wf_buf_printf(out, "%s%s\n", s->list[1], s->end);
}

static void print_request(const struct syntax *s, struct wf_buf *out,
                          const struct wf_message_info *info)
{
    const char *tuple[2] = {s == &python ? "(" : "[", s == &python ? ")" : "]"};
    if (info->receiver == WF_END_ANY)
        wf_buf_printf(out, "    \"%s\": %s%s, {\n", info->name, tuple[0], s->none);
    else
        wf_buf_printf(out, "    \"%s\": %s\"%s\", {\n", info->name, tuple[0],
                      wf_service_word((enum wf_service)info->receiver));
    for (size_t i = 0; i < info->n_fields; i++) {
        const struct wf_wire_field *field = &info->fields[i];
        wf_buf_printf(out, "        \"%s\": %s\"%s\", %s, %llu%s,\n", field->name, tuple[0],
                      type_words[field->type], field->required ? s->yes : s->no,
                      (unsigned long long)field->max, tuple[1]);
    }
    wf_buf_printf(out, "    }%s,\n", tuple[1]);
}

static void print_messages(const struct syntax *s, struct wf_buf *out)
{
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    wf_buf_printf(out,
                  "\n%s type: service that takes it (%s: the one whose task or queue it is),\n"
                  "%s and by field: type, needed, bound (0: none of its own)\n"
                  "%sREQUESTS = %s\n",
                  s->comment, s->none, s->comment, s->constant, s->map[0]);
    for (size_t i = 0; i < n; i++)
        if (table[i].sender == WF_END_PARTY)
            print_request(s, out, &table[i]);
    wf_buf_printf(out, "%s%s\n\n%sREPLIES = %s\n", s->map[1], s->end, s->constant, s->list[0]);
    for (size_t i = 0; i < n; i++)
        if (table[i].receiver == WF_END_PARTY)
            wf_buf_printf(out, "    \"%s\",\n", table[i].name);
    wf_buf_printf(out, "%s%s\n", s->list[1], s->end);
}

static void print_errors(const struct syntax *s, struct wf_buf *out)
{
    const char *tuple[2] = {s == &python ? "(" : "[", s == &python ? ")" : "]"};
    wf_buf_printf(out,
                  "\n%s code: what to do (retry: send the same again; refuse: do not;\n"
                  "%s stop: the service restarts, then send the same again), meaning\n"
                  "%sERRORS = %s\n",
                  s->comment, s->comment, s->constant, s->map[0]);
    for (size_t i = 0; i < WF_COUNT(errors); i++)
        wf_buf_printf(out, "    \"%s\": %s\"%s\", \"%s\"%s,\n", errors[i].word, tuple[0],
                      action_words[errors[i].action], errors[i].meaning, tuple[1]);
    wf_buf_printf(out, "%s%s\n", s->map[1], s->end);
}

static void print_all(const struct syntax *s, struct wf_buf *out)
{
    print_bounds(s, out);
    print_messages(s, out);
    print_errors(s, out);
}

void print_python(struct wf_buf *out)
{
    wf_buf_text(out, "# SPDX-License-Identifier: Apache-2.0\n"
                     "\"\"\"Words and bounds of the protocol. Made by protocol-table; do not "
                     "edit.\"\"\"\n\n");
    print_all(&python, out);
}

void print_node(struct wf_buf *out)
{
    wf_buf_text(out,
                "// SPDX-License-Identifier: Apache-2.0\n"
                "// Words and bounds of the protocol. Made by protocol-table; do not edit.\n\n");
    print_all(&node, out);
}

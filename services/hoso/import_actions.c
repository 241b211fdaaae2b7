/* SPDX-License-Identifier: Apache-2.0 */
/* Executable content of SCXML as actions of a definition: one row for each element. */
#include "import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void add_block(struct import *in, const xmlNode *from, const xmlNode *until,
                      const char *key);

/* ---- single actions ------------------------------------------------------------------------ */

static void add_raise(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"event", NULL};
    import_known(in, node, known);
    import_text(in, "raise", import_attribute(in, node, "event"));
    import_params(in, node, "param", "name");
}

static void add_assign(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"location", "expr", NULL};
    const char *expr = import_attribute(in, node, "expr");
    import_known(in, node, known);
    if (expr == NULL)
        import_refuse(in, node, "<assign> without expr: a definition assigns expressions only");
    import_text(in, "assign", import_attribute(in, node, "location"));
    import_text(in, "expr", expr);
}

/* "10s", "1.5s" or "500ms", as CSS2 has it. */
static void add_delay(struct import *in, const xmlNode *node, const char *delay)
{
    char *end = NULL;
    double amount = strtod(delay, &end);
    double ms = strcmp(end, "ms") == 0 ? amount : amount * 1000;
    bool is_time = end != delay && (strcmp(end, "s") == 0 || strcmp(end, "ms") == 0);
    if (!is_time || !(ms >= 0 && ms <= 1e12)) { /* so that "nan" is none either */
        import_refuse(in, node, "delay \"%.40s\": no time: write 10s or 500ms", delay);
        return;
    }
    import_indent(in);
    wf_buf_printf(in->out, "delay = \"%" PRId64 " ms\";\n", (int64_t)ms);
}

static void add_send(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"event",      "id",        "delay",       "delayexpr",
                                        "hoso:delay", "hoso:role", "hoso:idexpr", NULL};
    const char *delay = import_attribute(in, node, "delay");
    const char *delayexpr = import_attribute(in, node, "delayexpr");
    const char *idexpr = import_attribute(in, node, "hoso:idexpr");
    const char *event = import_attribute(in, node, "event");
    import_known(in, node, known);
    if (event == NULL)
        import_refuse(in, node, "<send> without event: a definition sends named events only");
    import_text(in, "send", event);
    import_text(in, "id", import_attribute(in, node, "id"));
    import_formula(in, "id", idexpr);
    if (delay != NULL)
        add_delay(in, node, delay);
    import_formula(in, "delay", delayexpr);
    import_text(in, "delay", import_attribute(in, node, "hoso:delay"));
    import_text(in, "role", import_attribute(in, node, "hoso:role"));
    import_params(in, node, "param", "name");
}

static void add_cancel(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"sendid", "sendidexpr", NULL};
    const char *expr = import_attribute(in, node, "sendidexpr");
    import_known(in, node, known);
    import_formula(in, "cancel", expr);
    if (expr == NULL)
        import_text(in, "cancel", import_attribute(in, node, "sendid"));
}

static void add_log(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"label", "expr", NULL};
    const char *expr = import_attribute(in, node, "expr");
    import_known(in, node, known);
    import_text(in, "log", expr != NULL ? expr : "''");
    import_text(in, "label", import_attribute(in, node, "label"));
}

static void add_extend(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"by", NULL};
    import_known(in, node, known);
    import_text(in, "extend", import_attribute(in, node, "by"));
}

static void add_foreach(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"array", "item", "index", NULL};
    import_known(in, node, known);
    import_text(in, "foreach", import_attribute(in, node, "array"));
    import_text(in, "item", import_attribute(in, node, "item"));
    import_text(in, "index", import_attribute(in, node, "index"));
    import_actions(in, node, "do");
}

/* ---- if: <elseif/> and <else/> part its children ------------------------------------------- */

static bool is_mark(const xmlNode *node)
{
    return import_is(node, "elseif") || import_is(node, "else");
}

static const xmlNode *next_mark(const xmlNode *node)
{
    while (node != NULL && !is_mark(node))
        node = import_next(node);
    return node;
}

static void add_elseifs(struct import *in, const xmlNode **at)
{
    static const char *const known[] = {"cond", NULL};
    bool is_first = true;
    while (*at != NULL && import_is(*at, "elseif")) {
        const xmlNode *mark = *at;
        if (is_first) {
            import_indent(in);
            wf_buf_text(in->out, "elseif = (\n");
        }
        wf_buf_text(in->out, is_first ? "" : ",\n");
        is_first = false;
        in->depth++;
        import_indent(in);
        wf_buf_text(in->out, "{\n");
        import_known(in, mark, known);
        *at = next_mark(import_next(mark));
        import_text(in, "cond", import_attribute(in, mark, "cond"));
        add_block(in, import_next(mark), *at, "do");
        import_indent(in);
        wf_buf_text(in->out, "}");
        in->depth--;
    }
    if (!is_first)
        wf_buf_text(in->out, " );\n");
}

static void add_if(struct import *in, const xmlNode *node)
{
    static const char *const known[] = {"cond", NULL};
    const xmlNode *first = import_first(node);
    const xmlNode *mark = next_mark(first);
    import_known(in, node, known);
    import_text(in, "if", import_attribute(in, node, "cond"));
    add_block(in, first, mark, "do");
    add_elseifs(in, &mark);
    if (mark != NULL) {
        add_block(in, import_next(mark), NULL, "else");
        mark = next_mark(import_next(mark));
    }
    if (mark != NULL)
        import_refuse(in, mark, "<%s> after <else>: <else> comes last", (const char *)mark->name);
}

/* ---- blocks -------------------------------------------------------------------------------- */

static const struct {
    const char *element;
    void (*add)(struct import *in, const xmlNode *node);
} rows[] = {
    {"raise", add_raise}, {"assign", add_assign}, {"send", add_send},       {"cancel", add_cancel},
    {"log", add_log},     {"if", add_if},         {"foreach", add_foreach},
};

static void add_action(struct import *in, const xmlNode *node)
{
    if (import_is_own(node, "extend")) {
        add_extend(in, node);
        return;
    }
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (import_is(node, rows[i].element)) {
            rows[i].add(in, node);
            return;
        }
    }
    import_refuse(in, node, "<%s>: a definition has no such action", (const char *)node->name);
}

static void add_block(struct import *in, const xmlNode *from, const xmlNode *until, const char *key)
{
    if (from == until || from == NULL)
        return;
    import_indent(in);
    wf_buf_printf(in->out, "%s = (", key);
    in->depth++;
    for (const xmlNode *node = from; node != until && node != NULL && in->rc == 0;
         node = import_next(node)) {
        wf_buf_text(in->out, node == from ? "\n" : ",\n");
        import_indent(in);
        wf_buf_text(in->out, "{\n");
        in->depth++;
        add_action(in, node);
        in->depth--;
        import_indent(in);
        wf_buf_text(in->out, "}");
    }
    in->depth--;
    wf_buf_text(in->out, " );\n");
}

void import_actions(struct import *in, const xmlNode *parent, const char *key)
{
    add_block(in, import_first(parent), NULL, key);
}

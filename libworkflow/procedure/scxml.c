/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A definition as SCXML, written from its settings one to one. What SCXML has a word for uses it;
 * the rest (papers, fields, deadlines, portal status, activities) stands in our own namespace,
 * which the recommendation lets every reader pass over. `hoso procedure import` reads it back.
 */
#include "tools.h"

#include <inttypes.h>
#include <string.h>

struct writer {
    struct view v;
    struct wf_buf *out;
    int depth;
};

/* ---- elements ------------------------------------------------------------------------------ */

static void start(struct writer *w, const char *name)
{
    wf_buf_printf(w->out, "%*s<%s", 2 * w->depth, "", name);
}

static void attribute(struct writer *w, const char *name, const char *value)
{
    if (value == NULL)
        return;
    wf_buf_printf(w->out, " %s=\"", name);
    wf_xml_text(w->out, wf_str(value));
    wf_buf_text(w->out, "\"");
}

static void end_empty(struct writer *w)
{
    wf_buf_text(w->out, "/>\n");
}

static void end_start(struct writer *w)
{
    wf_buf_text(w->out, ">\n");
    w->depth++;
}

static void end(struct writer *w, const char *name)
{
    w->depth--;
    wf_buf_printf(w->out, "%*s</%s>\n", 2 * w->depth, "", name);
}

/* ---- settings that SCXML does not know: hoso:group, list, text, int, number, bool ---------- */

static void setting(struct writer *w, const struct wf_node *node, const char *name)
{
    static const char *const elements[] = {
        [WF_NODE_GROUP] = "hoso:group",   [WF_NODE_LIST] = "hoso:list",
        [WF_NODE_TEXT] = "hoso:text",     [WF_NODE_INT] = "hoso:int",
        [WF_NODE_NUMBER] = "hoso:number", [WF_NODE_BOOL] = "hoso:bool",
    };
    const char *element = elements[node->type];
    start(w, element);
    attribute(w, "name", name != NULL && *name != '\0' ? name : NULL);
    if (node->type == WF_NODE_GROUP || node->type == WF_NODE_LIST) {
        end_start(w);
        for (size_t i = 0; i < wf_node_count(node); i++)
            setting(w, wf_node_at(node, i), wf_node_at(node, i)->name);
        end(w, element);
        return;
    }
    wf_buf_text(w->out, ">");
    if (node->type == WF_NODE_TEXT) {
        wf_xml_text(w->out, node->u.text);
    } else {
        struct wf_buf text = {0};
        render_node(node, &text);
        wf_buf_add(w->out, text.ptr, text.len);
        w->out->failed |= text.failed;
        wf_buf_fini(&text);
    }
    wf_buf_printf(w->out, "</%s>\n", element);
}

/* ---- values as expressions ----------------------------------------------------------------- */

/* A text that can stand between single marks as it is. */
static bool is_plain(struct wf_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'' || text.ptr[i] == '\\' || (unsigned char)text.ptr[i] < 0x20)
            return false;
    }
    return true;
}

/* Can the value be written as one expression? */
static bool is_expression(const struct wf_node *node)
{
    if (node->type == WF_NODE_TEXT)
        return (node->u.text.len > 0 && node->u.text.ptr[0] == '=') || is_plain(node->u.text);
    return node->type != WF_NODE_GROUP && (node->type != WF_NODE_LIST || wf_node_count(node) == 0);
}

static void expression(struct writer *w, const char *name, const struct wf_node *node)
{
    wf_buf_printf(w->out, " %s=\"", name);
    if (node->type == WF_NODE_TEXT && node->u.text.len > 0 && node->u.text.ptr[0] == '=') {
        wf_xml_text(w->out, wf_str(node->u.text.ptr + 1));
    } else if (node->type == WF_NODE_TEXT) {
        wf_buf_text(w->out, "&apos;");
        wf_xml_text(w->out, node->u.text);
        wf_buf_text(w->out, "&apos;");
    } else if (node->type == WF_NODE_LIST) {
        wf_buf_text(w->out, "[]");
    } else {
        render_node(node, w->out);
    }
    wf_buf_text(w->out, "\"");
}

/* One named value: <param name expr/>, or a setting where no expression can say it. */
static void param(struct writer *w, const struct wf_node *node, const char *element,
                  const char *key)
{
    if (!is_expression(node)) {
        setting(w, node, node->name);
        return;
    }
    start(w, element);
    attribute(w, key, node->name);
    expression(w, "expr", node);
    end_empty(w);
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static bool has_others(const struct wf_node *node, const char *const *known)
{
    for (size_t i = 0; i < wf_node_count(node); i++) {
        if (!is_one_of(wf_node_at(node, i)->name, known))
            return true;
    }
    return false;
}

/* ---- executable content -------------------------------------------------------------------- */

static void actions(struct writer *w, const struct wf_node *group, const char *key);

static void add_raise(struct writer *w, const struct wf_node *node)
{
    const struct wf_node *data = wf_node_child(node, "data");
    start(w, "raise");
    attribute(w, "event", node_text(node, "raise"));
    if (data == NULL) {
        end_empty(w);
        return;
    }
    end_start(w);
    setting(w, data, "data");
    end(w, "raise");
}

static void add_assign(struct writer *w, const struct wf_node *node)
{
    start(w, "assign");
    attribute(w, "location", node_text(node, "assign"));
    attribute(w, "expr", node_text(node, "expr"));
    end_empty(w);
}

static void add_send(struct writer *w, const struct wf_node *node)
{
    static const char *const known[] = {"send", "id", "delay", "role", NULL};
    const char *id = node_text(node, "id");
    start(w, "send");
    attribute(w, "event", node_text(node, "send"));
    attribute(w, id != NULL && id[0] == '=' ? "hoso:idexpr" : "id",
              id != NULL && id[0] == '=' ? id + 1 : id);
    attribute(w, "hoso:delay", node_text(node, "delay"));
    attribute(w, "hoso:role", node_text(node, "role"));
    if (!has_others(node, known)) {
        end_empty(w);
        return;
    }
    end_start(w);
    for (size_t i = 0; i < wf_node_count(node); i++) {
        if (!is_one_of(wf_node_at(node, i)->name, known))
            param(w, wf_node_at(node, i), "param", "name");
    }
    end(w, "send");
}

static void add_cancel(struct writer *w, const struct wf_node *node)
{
    const char *id = node_text(node, "cancel");
    bool is_expr = id != NULL && id[0] == '=';
    start(w, "cancel");
    attribute(w, is_expr ? "sendidexpr" : "sendid", is_expr ? id + 1 : id);
    end_empty(w);
}

static void add_log(struct writer *w, const struct wf_node *node)
{
    start(w, "log");
    attribute(w, "label", node_text(node, "label"));
    attribute(w, "expr", node_text(node, "log"));
    end_empty(w);
}

static void add_elseif(void *context, const struct wf_node *node)
{
    struct writer *w = context;
    start(w, "elseif");
    attribute(w, "cond", node_text(node, "cond"));
    end_empty(w);
    actions(w, node, "do");
}

static void add_if(struct writer *w, const struct wf_node *node)
{
    start(w, "if");
    attribute(w, "cond", node_text(node, "if"));
    end_start(w);
    actions(w, node, "do");
    each_node(node, "elseif", add_elseif, w);
    if (wf_node_child(node, "else") != NULL) {
        start(w, "else");
        end_empty(w);
        actions(w, node, "else");
    }
    end(w, "if");
}

static void add_foreach(struct writer *w, const struct wf_node *node)
{
    start(w, "foreach");
    attribute(w, "array", node_text(node, "foreach"));
    attribute(w, "item", node_text(node, "item"));
    attribute(w, "index", node_text(node, "index"));
    end_start(w);
    actions(w, node, "do");
    end(w, "foreach");
}

static void add_extend(struct writer *w, const struct wf_node *node)
{
    start(w, "hoso:extend");
    attribute(w, "by", node_text(node, "extend"));
    end_empty(w);
}

static void add_action(void *context, const struct wf_node *node)
{
    static const struct {
        const char *key;
        void (*add)(struct writer *w, const struct wf_node *node);
    } rows[] = {
        {"raise", add_raise},   {"assign", add_assign},   {"send", add_send},
        {"cancel", add_cancel}, {"log", add_log},         {"if", add_if},
        {"extend", add_extend}, {"foreach", add_foreach},
    };
    const char *first = wf_node_count(node) > 0 ? wf_node_at(node, 0)->name : "";
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (strcmp(first, rows[i].key) == 0) {
            rows[i].add(context, node);
            return;
        }
    }
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (wf_node_child(node, rows[i].key) != NULL) {
            rows[i].add(context, node);
            return;
        }
    }
}

static void actions(struct writer *w, const struct wf_node *group, const char *key)
{
    each_node(group, key, add_action, w);
}

/* ---- transitions --------------------------------------------------------------------------- */

/* "a", or ["a", "b"] as "a b". */
static void words(struct writer *w, const char *name, const struct wf_node *node)
{
    if (node == NULL)
        return;
    wf_buf_printf(w->out, " %s=\"", name);
    if (node->type == WF_NODE_TEXT)
        wf_xml_text(w->out, node->u.text);
    for (size_t i = 0; node->type == WF_NODE_LIST && i < wf_node_count(node); i++) {
        wf_buf_text(w->out, i > 0 ? " " : "");
        if (wf_node_at(node, i)->type == WF_NODE_TEXT)
            wf_xml_text(w->out, wf_node_at(node, i)->u.text);
    }
    wf_buf_text(w->out, "\"");
}

static void add_transition(void *context, const struct wf_node *node)
{
    struct writer *w = context;
    start(w, "transition");
    attribute(w, "event", node_text(node, "event"));
    attribute(w, "cond", node_text(node, "cond"));
    words(w, "target", wf_node_child(node, "target"));
    attribute(w, "type", node_text(node, "type"));
    words(w, "hoso:roles", wf_node_child(node, "roles"));
    words(w, "hoso:channels", wf_node_child(node, "channels"));
    if (wf_node_child(node, "do") == NULL) {
        end_empty(w);
        return;
    }
    end_start(w);
    actions(w, node, "do");
    end(w, "transition");
}

/* Where a state or a history begins: "x", ["x", "y"] or { target; do }. */
static void add_entry_point(struct writer *w, const struct wf_node *node)
{
    if (node->type == WF_NODE_GROUP) {
        add_transition(w, node);
        return;
    }
    start(w, "transition");
    words(w, "target", node);
    end_empty(w);
}

/* ---- states -------------------------------------------------------------------------------- */

static void add_invoke(void *context, const struct wf_node *node)
{
    static const char *const known[] = {"activity", "id", "role", NULL};
    struct writer *w = context;
    start(w, "invoke");
    attribute(w, "type", node_text(node, "activity"));
    attribute(w, "id", node_text(node, "id"));
    attribute(w, "hoso:role", node_text(node, "role"));
    if (!has_others(node, known)) {
        end_empty(w);
        return;
    }
    end_start(w);
    for (size_t i = 0; i < wf_node_count(node); i++) {
        if (!is_one_of(wf_node_at(node, i)->name, known))
            param(w, wf_node_at(node, i), "param", "name");
    }
    end(w, "invoke");
}

static void add_block(struct writer *w, const struct wf_node *state, const char *key,
                      const char *element)
{
    if (wf_node_child(state, key) == NULL)
        return;
    start(w, element);
    end_start(w);
    actions(w, state, key);
    end(w, element);
}

static void add_donedata(struct writer *w, const struct wf_node *state)
{
    const struct wf_node *done = wf_node_child(state, "done");
    const struct wf_node *data = done != NULL ? wf_node_child(done, "data") : NULL;
    if (data == NULL)
        return;
    start(w, "donedata");
    end_start(w);
    if (data->type == WF_NODE_GROUP) {
        for (size_t i = 0; i < wf_node_count(data); i++)
            param(w, wf_node_at(data, i), "param", "name");
    } else if (is_expression(data)) {
        start(w, "content");
        expression(w, "expr", data);
        end_empty(w);
    } else {
        setting(w, data, "data");
    }
    end(w, "donedata");
}

static void add_states(struct writer *w, int outer);

static const char *element_of(enum wf_state_kind kind)
{
    switch (kind) {
    case WF_STATE_PARALLEL:
        return "parallel";
    case WF_STATE_FINAL:
        return "final";
    case WF_STATE_HISTORY:
    case WF_STATE_DEEP_HISTORY:
        return "history";
    case WF_STATE_ATOMIC:
    case WF_STATE_COMPOUND:
        break;
    }
    return "state";
}

static void add_annotations(struct writer *w, const struct wf_node *node)
{
    static const char *const names[] = {"deadline", "clock", "outcome", "note"};
    const struct wf_node *status = wf_node_child(node, "status");
    if (status != NULL && status->type == WF_NODE_INT)
        wf_buf_printf(w->out, " hoso:status=\"%" PRId64 "\"", status->u.integer);
    for (size_t i = 0; i < WF_COUNT(names); i++) {
        char attribute_name[32] = "hoso:";
        (void)wf_str_copy(wf_str(names[i]), attribute_name + 5, sizeof(attribute_name) - 5);
        attribute(w, attribute_name, node_text(node, names[i]));
    }
}

static void add_state(struct writer *w, int state)
{
    const struct wf_chart_state *s = &w->v.states[state];
    const struct wf_node *node = view_node(&w->v, state);
    const struct wf_node *initial = wf_node_child(node, "initial");
    const struct wf_node *title = wf_node_child(node, "title");
    const char *element = element_of(s->kind);
    start(w, element);
    attribute(w, "id", s->id);
    if (s->kind == WF_STATE_DEEP_HISTORY)
        attribute(w, "type", "deep");
    if (initial != NULL && initial->type != WF_NODE_GROUP)
        words(w, "initial", initial);
    add_annotations(w, node);
    end_start(w);
    if (title != NULL) {
        start(w, "hoso:title");
        attribute(w, "vi", node_text(title, "vi"));
        attribute(w, "en", node_text(title, "en"));
        end_empty(w);
    }
    if (initial != NULL && initial->type == WF_NODE_GROUP) {
        start(w, "initial");
        end_start(w);
        add_entry_point(w, initial);
        end(w, "initial");
    }
    if (view_is_history(&w->v, state) && wf_node_child(node, "default") != NULL)
        add_entry_point(w, wf_node_child(node, "default"));
    add_block(w, node, "entry", "onentry");
    add_block(w, node, "exit", "onexit");
    each_node(node, "invoke", add_invoke, w);
    each_node(node, "on", add_transition, w);
    each_node(node, "always", add_transition, w);
    add_donedata(w, node);
    add_states(w, state);
    end(w, element);
}

static void add_states(struct writer *w, int outer)
{
    for (size_t i = 0; i < w->v.n_states; i++) {
        if (w->v.states[i].parent == outer)
            add_state(w, (int)i);
    }
}

/* ---- the document -------------------------------------------------------------------------- */

static void add_definition(struct writer *w)
{
    static const char *const chart[] = {"initial", "data", "states", NULL};
    start(w, "hoso:definition");
    end_start(w);
    for (size_t i = 0; i < wf_node_count(w->v.group); i++) {
        const struct wf_node *node = wf_node_at(w->v.group, i);
        if (!is_one_of(node->name, chart))
            setting(w, node, node->name);
    }
    end(w, "hoso:definition");
}

static void add_datamodel(struct writer *w)
{
    const struct wf_node *data = wf_node_child(w->v.group, "data");
    if (data == NULL)
        return;
    start(w, "datamodel");
    end_start(w);
    for (size_t i = 0; i < wf_node_count(data); i++)
        param(w, wf_node_at(data, i), "data", "id");
    end(w, "datamodel");
}

void wf_procedure_scxml(const struct wf_procedure *p, struct wf_buf *out)
{
    struct writer w = {.v = view_of(p, false), .out = out};
    const struct wf_node *initial = wf_node_child(w.v.group, "initial");
    wf_buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\"\n"
                     "  xmlns:hoso=\"" WF_SCXML_NAMESPACE "\"\n"
                     "  version=\"1.0\" datamodel=\"hoso\"");
    attribute(&w, "name", p->code);
    if (initial != NULL && initial->type != WF_NODE_GROUP)
        words(&w, "initial", initial);
    end_start(&w);
    add_definition(&w);
    add_datamodel(&w);
    if (initial != NULL && initial->type == WF_NODE_GROUP) {
        start(&w, "hoso:initial");
        end_start(&w);
        add_entry_point(&w, initial);
        end(&w, "hoso:initial");
    }
    add_states(&w, -1);
    end(&w, "scxml");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Executable content. Each kind of action is one row: the key that names it, and what it reads. */
#include "compile_internal.h"

#include <string.h>

typedef void compile_fn(struct compiler *c, const struct wf_node *node, struct action *a);

static const struct template *child_value(struct compiler *c, const struct wf_node *node,
                                          const char *key)
{
    const struct wf_node *child = wf_node_child(node, key);
    return child != NULL ? compile_value(c, child, NULL) : NULL;
}

/* An id or delay: a text, or a "=" expression that gives one. */
static const struct template *text_value(struct compiler *c, const struct wf_node *node,
                                         const char *key)
{
    enum wf_static_type type = WF_T_TEXT;
    const struct wf_node *child = wf_node_child(node, key);
    if (read_text(c, node, key) == NULL)
        return NULL;
    const struct template *value = compile_value(c, child, &type);
    if (value != NULL && type != WF_T_TEXT && type != WF_T_ANY)
        problem(c, child, "%s is of type %s: a text is needed: convert it with text()", key,
                wf_static_type_name(type));
    return value;
}

static const struct template *duration_value(struct compiler *c, const struct wf_node *node,
                                             const char *key)
{
    const struct template *value = text_value(c, node, key);
    const char *text =
        value != NULL && value->kind == TEMPLATE_CONST ? value->constant->u.text.ptr : NULL;
    bool may_be_none = strcmp(key, "delay") == 0;
    if (text != NULL && !is_duration(text) && !(may_be_none && is_no_time(text)))
        problem(c, wf_node_child(node, key),
                "\"%s\" is no duration: an amount and a unit are needed: write for example \"3 "
                "working days\" or \"30 minutes\"",
                text);
    return value;
}

static void set_name(struct compiler *c, const struct wf_node *node, struct action *a,
                     const char *key)
{
    const char *text = read_text(c, node, key);
    if (text != NULL)
        a->name = take_text(c, wf_str(text));
}

static void set_event(struct compiler *c, const struct wf_node *node, struct action *a,
                      const char *key)
{
    set_name(c, node, a, key);
    if (a->name != NULL && !is_event_name(a->name))
        problem(c, node, "\"%s\" is no event name: words joined by points are: correct it",
                a->name);
}

static void compile_raise(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"raise", "data"};
    check_keys(c, node, keys, WF_COUNT(keys));
    set_event(c, node, a, "raise");
    a->value = child_value(c, node, "data");
}

/* May a value of the static type go into the variable? Unknown ones are checked at run time. */
static bool is_assignable(enum wf_static_type to, enum wf_static_type from)
{
    if (to == WF_T_ANY || from == WF_T_ANY || to == from)
        return true;
    bool from_int = from == WF_T_INT || from == WF_T_TIME;
    return from_int && (to == WF_T_NUMBER || to == WF_T_INT || to == WF_T_TIME);
}

/* The variable of "name" or "name.member", NULL (reported) where it cannot be assigned to. */
static const struct wf_decl *writable(struct compiler *c, const struct wf_node *node,
                                      const char *path)
{
    struct wf_str base = {path, strcspn(path, ".")};
    const struct wf_decl *decl = find_decl(c, base);
    bool has_member = path[base.len] == '.';
    if (decl == NULL) {
        problem(c, node,
                "variable \"%.*s\" is not declared: only fields and data can be assigned "
                "to: add it to data",
                WF_STR_ARG(base));
        return NULL;
    }
    if (path[0] == '_' || decl >= c->decls + c->n_globals) {
        problem(c, node, "\"%.*s\" is read-only: %s: assign to a variable of data",
                WF_STR_ARG(base),
                path[0] == '_' ? "the system gives its value" : "the loop gives its value");
        return NULL;
    }
    if (has_member &&
        (!is_event_name(path) || (decl->type != WF_T_MAP && decl->type != WF_T_ANY))) {
        problem(c, node,
                "\"%s\" cannot be assigned to: only maps have members: assign to the "
                "variable itself",
                path);
        return NULL;
    }
    return decl;
}

static void compile_assign(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"assign", "expr"};
    check_keys(c, node, keys, WF_COUNT(keys));
    set_name(c, node, a, "assign");
    const struct wf_decl *decl = a->name != NULL ? writable(c, node, a->name) : NULL;
    const char *text = read_text(c, node, "expr");
    if (text == NULL || decl == NULL) {
        if (wf_node_child(node, "expr") == NULL)
            problem(c, node, "assign without expr: the new value is missing: add expr = \"...\"");
        return;
    }
    bool is_whole = strchr(a->name, '.') == NULL;
    a->type = is_whole ? decl->type : WF_T_ANY;
    enum wf_static_type type = WF_T_ANY;
    a->expr = compile_expr(c, wf_node_child(node, "expr"), wf_str(text), &type);
    if (a->expr != NULL && !is_assignable(a->type, type))
        problem(c, node,
                "\"%s\" is of type %s, the value is %s: a variable keeps its type: convert "
                "the value",
                a->name, wf_static_type_name(decl->type), wf_static_type_name(type));
}

static void compile_detached(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const reserved[] = {"send", "id", "role"};
    struct wf_chart *chart = c->chart;
    struct wf_chart_send *sends = take_more(c, chart->public_sends, chart->n_sends, sizeof(*sends));
    const char *role = read_text(c, node, "role");
    a->kind = ACTION_DETACHED;
    a->role = role != NULL ? take_text(c, wf_str(role)) : NULL;
    a->value = compile_params(c, node, reserved, WF_COUNT(reserved));
    if (sends == NULL)
        return;
    chart->public_sends = sends;
    sends[chart->n_sends++] =
        (struct wf_chart_send){.activity = a->name, .line = node->line, .node = node};
}

static void compile_send(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"send", "delay", "id", "data"};
    set_event(c, node, a, "send");
    a->id = text_value(c, node, "id");
    if (a->name == NULL)
        return;
    if (c->scope != NULL && c->scope->is_activity != NULL &&
        c->scope->is_activity(c->scope->context, a->name)) {
        compile_detached(c, node, a);
        return;
    }
    check_keys(c, node, keys, WF_COUNT(keys));
    a->delay = duration_value(c, node, "delay");
    a->value = child_value(c, node, "data");
}

static void compile_cancel(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"cancel"};
    check_keys(c, node, keys, WF_COUNT(keys));
    a->id = text_value(c, node, "cancel");
}

static void compile_log(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"log", "label"};
    check_keys(c, node, keys, WF_COUNT(keys));
    const char *text = read_text(c, node, "log");
    set_name(c, node, a, "label");
    if (text != NULL)
        a->expr = compile_expr(c, wf_node_child(node, "log"), wf_str(text), NULL);
}

static void compile_extend(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"extend"};
    check_keys(c, node, keys, WF_COUNT(keys));
    a->delay = duration_value(c, node, "extend");
}

static void compile_elseif(struct compiler *c, const struct wf_node *node, struct branch *branch)
{
    static const char *const keys[] = {"cond", "do"};
    if (node->type != WF_NODE_GROUP) {
        problem(c, node,
                "elseif holds no group: each has a condition and actions: write ( { cond = "
                "\"...\"; do = ( ... ); } )");
        return;
    }
    check_keys(c, node, keys, WF_COUNT(keys));
    *branch = (struct branch){compile_cond(c, node), compile_block(c, wf_node_child(node, "do"))};
    if (wf_node_child(node, "cond") == NULL)
        problem(c, node, "elseif without cond: it would always hold: use else, or add cond");
}

static void compile_if(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"if", "do", "elseif", "else"};
    check_keys(c, node, keys, WF_COUNT(keys));
    const char *text = read_text(c, node, "if");
    const struct wf_node *cond_node = wf_node_child(node, "if");
    enum wf_static_type type = WF_T_ANY;
    const struct wf_expr *cond =
        text != NULL ? compile_expr(c, cond_node, wf_str(text), &type) : NULL;
    if (cond != NULL && type != WF_T_BOOL && type != WF_T_ANY)
        problem(c, node,
                "if is of type %s: a condition is true or false: compare it with something",
                wf_static_type_name(type));
    const struct wf_node *list = as_list(c, wf_node_child(node, "elseif"), "elseif");
    size_t n = list != NULL ? wf_node_count(list) : 0;
    struct branch *branches = take(c, (n + 2) * sizeof(*branches));
    if (branches == NULL)
        return;
    branches[a->n_branches++] = (struct branch){cond, compile_block(c, wf_node_child(node, "do"))};
    for (size_t i = 0; i < n; i++)
        compile_elseif(c, wf_node_at(list, i), &branches[a->n_branches++]);
    if (wf_node_child(node, "else") != NULL)
        branches[a->n_branches++] =
            (struct branch){NULL, compile_block(c, wf_node_child(node, "else"))};
    a->branches = branches;
}

/* A loop variable: a declared one is assigned to, any other lives in the loop only. */
static struct loop_variable loop_variable(struct compiler *c, const struct wf_node *node,
                                          const char *key, enum wf_static_type given)
{
    struct loop_variable v = {NULL, WF_T_ANY, true};
    const char *text = read_text(c, node, key);
    if (text == NULL)
        return v;
    if (!is_variable_name(text)) {
        problem(c, node,
                "%s \"%s\" is no variable name: a word of letters, digits and _ is: rename "
                "it",
                key, text);
        return v;
    }
    const struct wf_decl *decl = find_decl(c, wf_str(text));
    v.is_local = decl == NULL || decl >= c->decls + c->n_globals;
    v.name = take_text(c, wf_str(text));
    v.type = v.is_local ? given : decl->type;
    if (!is_assignable(v.type, given))
        problem(c, node,
                "%s \"%s\" is of type %s, the loop gives it %s: a variable keeps its type: "
                "use another name",
                key, text, wf_static_type_name(v.type), wf_static_type_name(given));
    if (v.is_local && v.name != NULL)
        c->decls[c->n_decls++] = (struct wf_decl){v.name, given};
    return v;
}

static void compile_foreach(struct compiler *c, const struct wf_node *node, struct action *a)
{
    static const char *const keys[] = {"foreach", "item", "index", "do"};
    check_keys(c, node, keys, WF_COUNT(keys));
    size_t n_decls = c->n_decls;
    if (n_decls - c->n_globals + 2 > (size_t)2 * MAX_LOOPS) {
        problem(c, node, "too many loops in one another: at most %d: split them", MAX_LOOPS);
        return;
    }
    enum wf_static_type type = WF_T_ANY;
    const char *text = read_text(c, node, "foreach");
    if (text != NULL)
        a->expr = compile_expr(c, wf_node_child(node, "foreach"), wf_str(text), &type);
    if (a->expr != NULL && type != WF_T_LIST && type != WF_T_ANY)
        problem(c, node, "foreach over a value of type %s: it goes through lists: give a list",
                wf_static_type_name(type));
    if (wf_node_child(node, "item") == NULL)
        problem(c, node,
                "foreach without item: the variable for each element is missing: add item = "
                "\"name\"");
    a->item = loop_variable(c, node, "item", WF_T_ANY);
    a->index = loop_variable(c, node, "index", WF_T_INT);
    a->body = compile_block(c, wf_node_child(node, "do"));
    c->n_decls = n_decls;
}

static const struct action_row {
    const char *key;
    enum action_kind kind;
    compile_fn *compile;
} rows[] = {
    {"raise", ACTION_RAISE, compile_raise},    {"assign", ACTION_ASSIGN, compile_assign},
    {"send", ACTION_SEND, compile_send},       {"cancel", ACTION_CANCEL, compile_cancel},
    {"log", ACTION_LOG, compile_log},          {"if", ACTION_IF, compile_if},
    {"extend", ACTION_EXTEND, compile_extend}, {"foreach", ACTION_FOREACH, compile_foreach},
};

/* The row whose key the group holds. A send's parameters may have the names of other actions. */
static const struct action_row *row_of(struct compiler *c, const struct wf_node *node)
{
    for (size_t i = 0; i < WF_COUNT(rows) && node->type == WF_NODE_GROUP; i++) {
        if (wf_node_count(node) > 0 && strcmp(wf_node_at(node, 0)->name, rows[i].key) == 0)
            return &rows[i];
    }
    for (size_t i = 0; i < WF_COUNT(rows) && node->type == WF_NODE_GROUP; i++) {
        if (wf_node_child(node, rows[i].key) != NULL)
            return &rows[i];
    }
    problem(c, node,
            "no action: one of raise, assign, send, cancel, log, if, foreach and extend must "
            "be in the group: write for example { raise = \"event\"; }");
    return NULL;
}

struct block compile_block(struct compiler *c, const struct wf_node *list)
{
    struct block block = {NULL, 0};
    list = as_list(c, list, list != NULL ? list->name : "do");
    size_t n = list != NULL ? wf_node_count(list) : 0;
    struct action *actions = n > 0 ? take(c, n * sizeof(*actions)) : NULL;
    for (size_t i = 0; actions != NULL && i < n; i++) {
        const struct wf_node *node = wf_node_at(list, i);
        const struct action_row *row = row_of(c, node);
        if (row == NULL)
            continue;
        actions[block.n].kind = row->kind;
        actions[block.n].line = node->line;
        row->compile(c, node, &actions[block.n++]);
    }
    block.actions = actions;
    return block;
}

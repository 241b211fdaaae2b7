/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions and templates. A value without expressions in it becomes one constant here, so that
 * running it costs nothing.
 */
#include "compile_internal.h"

#include <string.h>

const struct wf_expr *compile_expr(struct compiler *c, const struct wf_node *node,
                                   struct wf_str text, enum wf_static_type *out_type)
{
    struct wf_scope scope = {
        .decls = c->decls, .n_decls = c->n_decls, .states = c->ids, .n_states = c->n_ids};
    struct wf_error err = {0};
    enum wf_static_type type = WF_T_ANY;
    const struct wf_expr *expr = NULL;
    int rc = wf_expr_compile(c->chart->arena, text, &scope, &expr, &type, &err);
    if (rc == WF_E_NOMEM)
        c->no_memory = true;
    else if (rc < 0)
        problem(c, node, "%s: %s", node->name[0] != '\0' ? node->name : "expression", err.text);
    if (out_type != NULL)
        *out_type = type;
    return expr;
}

const struct wf_expr *compile_cond(struct compiler *c, const struct wf_node *group)
{
    const struct wf_node *node = wf_node_child(group, "cond");
    if (read_text(c, group, "cond") == NULL)
        return NULL;
    enum wf_static_type type = WF_T_ANY;
    const struct wf_expr *cond = compile_expr(c, node, node->u.text, &type);
    if (cond != NULL && type != WF_T_BOOL && type != WF_T_ANY)
        problem(c, node,
                "cond is of type %s: a condition is true or false: compare it with something",
                wf_static_type_name(type));
    return cond;
}

static struct template *make(struct compiler *c, enum template_kind kind)
{
    struct template *t = take(c, sizeof(*t));
    if (t != NULL)
        t->kind = kind;
    return t;
}

static const struct template *make_const(struct compiler *c, const struct wf_value *value)
{
    struct template *t = make(c, TEMPLATE_CONST);
    if (value == NULL || !wf_value_is_whole(value))
        c->no_memory = true;
    if (t != NULL)
        t->constant = value;
    return value != NULL ? t : NULL;
}

static bool add_item(struct compiler *c, struct template *t, const struct wf_node *node)
{
    const struct template *item = compile_value(c, node, NULL);
    const char **keys = take_more(c, (void *)t->keys, t->n, sizeof(*keys));
    const struct template **items = take_more(c, (void *)t->items, t->n, sizeof(void *));
    char *key = take_text(c, wf_str(node->name));
    if (item == NULL || keys == NULL || items == NULL || key == NULL)
        return false;
    t->keys = keys;
    t->items = items;
    keys[t->n] = key;
    items[t->n++] = item;
    return true;
}

/* The constant that the parts make together, or the template as it is. */
static const struct template *folded(struct compiler *c, struct template *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->items[i]->kind != TEMPLATE_CONST)
            return t;
    }
    struct wf_arena *arena = c->chart->arena;
    struct wf_value *value = t->kind == TEMPLATE_MAP ? wf_map(arena) : wf_list(arena);
    for (size_t i = 0; i < t->n; i++) {
        if (t->kind == TEMPLATE_MAP)
            (void)wf_map_put(arena, value, t->keys[i], t->items[i]->constant);
        else
            (void)wf_list_add(arena, value, t->items[i]->constant);
    }
    return make_const(c, value);
}

static bool is_among(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i], word) == 0)
            return true;
    }
    return false;
}

static const struct template *compile_parts(struct compiler *c, const struct wf_node *node,
                                            const char *const *reserved, size_t n_reserved)
{
    struct template *t = make(c, node->type == WF_NODE_GROUP ? TEMPLATE_MAP : TEMPLATE_LIST);
    if (t == NULL)
        return NULL;
    bool is_good = ++c->depth <= MAX_VALUE;
    if (!is_good)
        problem(c, node, "nested more than %d deep: messages hold no more: flatten it", MAX_VALUE);
    for (size_t i = 0; i < wf_node_count(node) && c->depth <= MAX_VALUE; i++) {
        const struct wf_node *child = wf_node_at(node, i);
        if (!is_among(child->name, reserved, n_reserved))
            is_good = add_item(c, t, child) && is_good;
    }
    c->depth--;
    return is_good ? folded(c, t) : NULL;
}

const struct template *compile_params(struct compiler *c, const struct wf_node *group,
                                      const char *const *reserved, size_t n_reserved)
{
    const struct template *params = compile_parts(c, group, reserved, n_reserved);
    bool is_empty =
        params != NULL && params->kind == TEMPLATE_CONST && wf_value_count(params->constant) == 0;
    return is_empty ? NULL : params;
}

static const struct template *compile_text(struct compiler *c, const struct wf_node *node,
                                           enum wf_static_type *out_type)
{
    struct wf_str text = node->u.text;
    if (text.len == 0 || text.ptr[0] != '=')
        return make_const(c, wf_text_n(c->chart->arena, text.ptr, text.len));
    struct template *t = make(c, TEMPLATE_EXPR);
    if (t == NULL)
        return NULL;
    t->expr = compile_expr(c, node, (struct wf_str){text.ptr + 1, text.len - 1}, out_type);
    return t->expr != NULL ? t : NULL;
}

const struct template *compile_value(struct compiler *c, const struct wf_node *node,
                                     enum wf_static_type *out_type)
{
    static const enum wf_static_type types[] = {
        [WF_NODE_GROUP] = WF_T_MAP, [WF_NODE_LIST] = WF_T_LIST,     [WF_NODE_TEXT] = WF_T_TEXT,
        [WF_NODE_INT] = WF_T_INT,   [WF_NODE_NUMBER] = WF_T_NUMBER, [WF_NODE_BOOL] = WF_T_BOOL};
    if (out_type != NULL)
        *out_type = types[node->type];
    struct wf_arena *arena = c->chart->arena;
    switch (node->type) {
    case WF_NODE_TEXT:
        return compile_text(c, node, out_type);
    case WF_NODE_INT:
        return make_const(c, wf_int(arena, node->u.integer));
    case WF_NODE_NUMBER:
        return make_const(c, wf_number(arena, node->u.number));
    case WF_NODE_BOOL:
        return make_const(c, wf_bool(node->u.boolean));
    case WF_NODE_GROUP:
    case WF_NODE_LIST:
        break;
    }
    return compile_parts(c, node, NULL, 0);
}

static void compile_variable(struct compiler *c, const struct wf_node *node)
{
    if (!is_variable_name(node->name)) {
        problem(c, node,
                "data \"%s\" cannot be named so: a variable is a word of letters, digits "
                "and _ that the language does not use: choose another name",
                node->name);
        return;
    }
    if (find_decl(c, wf_str(node->name)) != NULL) {
        problem(c, node,
                "data \"%s\" is declared already: a field or variable has that name: "
                "rename one of them",
                node->name);
        return;
    }
    struct variable *v = &c->chart->variables[c->chart->n_variables];
    struct wf_decl *decl = &c->decls[c->n_decls];
    enum wf_static_type type = WF_T_ANY;
    v->initial = compile_value(c, node, &type);
    v->name = take_text(c, wf_str(node->name));
    v->line = node->line;
    if (v->name == NULL)
        return;
    *decl = (struct wf_decl){v->name, type};
    c->chart->n_variables++;
    c->n_decls++;
}

bool compile_data(struct compiler *c, const struct wf_node *data)
{
    size_t n_fields = c->scope != NULL ? c->scope->n_fields : 0;
    size_t n_data = data != NULL && data->type == WF_NODE_GROUP ? wf_node_count(data) : 0;
    c->decls = take(c, (n_fields + n_data + (size_t)2 * MAX_LOOPS) * sizeof(*c->decls));
    c->chart->variables = take(c, (n_data + 1) * sizeof(*c->chart->variables));
    if (c->decls == NULL || c->chart->variables == NULL)
        return false;
    for (size_t i = 0; i < n_fields; i++)
        c->decls[c->n_decls++] = c->scope->fields[i];
    if (data != NULL && data->type != WF_NODE_GROUP)
        problem(c, data, "data is a %s: variables stand in a group: write data: { n = 0; };",
                wf_node_type_name(data->type));
    for (size_t i = 0; i < n_data; i++)
        compile_variable(c, wf_node_at(data, i));
    c->n_globals = c->n_decls;
    return !c->no_memory;
}

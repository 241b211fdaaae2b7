/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Precedence climbing over one operator table; each node gets its static type as it is made, so
 * there is no second pass. An error unwinds by NULL nodes: the first message stands.
 *
 * `!` binds as tightly as minus (as in C), the word `not` more loosely than comparisons (as in
 * Python), because that is what the writers of each expect.
 */
#include "expr_internal.h"

#include <stdio.h>
#include <string.h>

#include "workflow/config.h"

struct parser {
    struct expr_lexer lexer;
    struct wf_arena *arena;
    const struct wf_scope *scope;
    struct wf_error *err;
    int rc;
    size_t nodes;
    int depth;
};

static const struct operator_row {
    const char *sign;
    const char *word; /* or NULL */
    enum expr_op op;
    int level;
} operators[] = {
    {"||", "or", OP_OR, 1}, {"&&", "and", OP_AND, 2}, {"==", NULL, OP_EQ, 4},
    {"!=", NULL, OP_NE, 4}, {"<", NULL, OP_LT, 4},    {"<=", NULL, OP_LE, 4},
    {">", NULL, OP_GT, 4},  {">=", NULL, OP_GE, 4},   {"in", "in", OP_IN, 4},
    {"+", NULL, OP_ADD, 5}, {"-", NULL, OP_SUB, 5},   {"*", NULL, OP_MUL, 6},
    {"/", NULL, OP_DIV, 6}, {"%", NULL, OP_MOD, 6},
};

#define LEVEL_NOT     3
#define LEVEL_COMPARE 4
#define LEVEL_UNARY   7

/* Always NULL, to be returned; only the first failure is kept. */
static const struct expr_node *bad(struct parser *p, size_t column, const char *fmt, ...)
    WF_PRINTF(3, 4);

static const struct expr_node *bad(struct parser *p, size_t column, const char *fmt, ...)
{
    if (p->rc != 0)
        return NULL;
    char text[320];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    p->rc = wf_fail(p->err, WF_E_CONFIG, "column %zu: %s", column, text);
    return NULL;
}

static const struct expr_node *no_memory(struct parser *p)
{
    if (p->rc == 0)
        p->rc = wf_fail(p->err, WF_E_NOMEM, "no memory for an expression");
    return NULL;
}

static size_t here(const struct parser *p)
{
    return expr_column(p->lexer.source, p->lexer.start);
}

static bool step(struct parser *p)
{
    const char *why = NULL;
    if (p->rc != 0)
        return false;
    if (expr_next(&p->lexer, &why) == 0)
        return true;
    if (why != NULL)
        (void)bad(p, here(p), "%s", why);
    else
        (void)no_memory(p);
    return false;
}

static bool at_sign(const struct parser *p, const char *sign)
{
    return p->lexer.token == TOKEN_SIGN && wf_str_is(p->lexer.text, sign);
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->lexer.token == TOKEN_NAME && wf_str_is(p->lexer.text, word);
}

static bool expect(struct parser *p, const char *sign)
{
    if (p->rc == 0 && !at_sign(p, sign))
        (void)bad(p, here(p), "\"%s\" missing: found \"%.*s\": add it or remove what is too much",
                  sign, WF_STR_ARG(p->lexer.text));
    return step(p);
}

static struct expr_node *make(struct parser *p, enum expr_op op, enum wf_static_type type,
                              size_t column)
{
    if (p->rc != 0)
        return NULL;
    if (++p->nodes > MAX_NODES) {
        (void)bad(p, column, "expression too large: at most %zu parts: split it into variables",
                  MAX_NODES);
        return NULL;
    }
    struct expr_node *node = wf_arena_alloc(p->arena, sizeof(*node));
    if (node == NULL) {
        (void)no_memory(p);
        return NULL;
    }
    node->op = op;
    node->type = type;
    node->column = column;
    return node;
}

/* Appends an operand; false (and NULL nodes upward) when it failed or memory is out. */
static bool add_arg(struct parser *p, struct expr_node *node, const struct expr_node *arg)
{
    if (node == NULL || arg == NULL || p->rc != 0)
        return false;
    if ((node->n_args & (node->n_args - 1)) == 0) { /* grow at 0, 1, 2, 4, 8 ... */
        size_t cap = node->n_args > 0 ? node->n_args * 2 : 1;
        const struct expr_node **args = wf_arena_alloc(p->arena, cap * sizeof(*args));
        if (args == NULL) {
            (void)no_memory(p);
            return false;
        }
        if (node->n_args > 0)
            memcpy(args, node->args, node->n_args * sizeof(*args));
        node->args = args;
    }
    node->args[node->n_args++] = arg;
    return true;
}

static bool check(struct parser *p, const struct expr_node *node, unsigned mask, const char *role)
{
    if (p->rc != 0 || node == NULL)
        return false;
    if ((expr_mask_of(node->type) & mask) != 0)
        return true;
    (void)bad(p, node->column, "%s of type %s: needs %s: give another value or convert it", role,
              wf_static_type_name(node->type), expr_mask_name(mask));
    return false;
}

static bool is_numeric(enum wf_static_type type)
{
    return type == WF_T_INT || type == WF_T_NUMBER || type == WF_T_TIME;
}

/* Integer stays integer; what is known at run time only stays unknown. */
static enum wf_static_type numeric_type(enum wf_static_type a, enum wf_static_type b)
{
    if (a == WF_T_ANY || b == WF_T_ANY)
        return WF_T_ANY;
    return a == WF_T_NUMBER || b == WF_T_NUMBER ? WF_T_NUMBER : WF_T_INT;
}

/* time - time = integer (milliseconds); time +- integer = time. */
static enum wf_static_type sum_type(enum expr_op op, enum wf_static_type a, enum wf_static_type b)
{
    bool one_time = (a == WF_T_TIME) != (b == WF_T_TIME);
    bool other_int = a == WF_T_INT || b == WF_T_INT;
    if (one_time && other_int && (op == OP_ADD || a == WF_T_TIME))
        return WF_T_TIME;
    return numeric_type(a, b);
}

static bool may_be_equal(enum wf_static_type a, enum wf_static_type b)
{
    return a == WF_T_ANY || b == WF_T_ANY || a == b || (is_numeric(a) && is_numeric(b));
}

static bool check_order(struct parser *p, const struct expr_node *a, const struct expr_node *b,
                        const char *sign)
{
    if (!check(p, a, M_NUMBER | M_TEXT, "left side") ||
        !check(p, b, M_NUMBER | M_TEXT, "right side"))
        return false;
    if (!may_be_equal(a->type, b->type))
        (void)bad(p, a->column,
                  "%s %s %s: only two numbers or two texts have an order: convert one",
                  wf_static_type_name(a->type), sign, wf_static_type_name(b->type));
    return p->rc == 0;
}

static bool check_sum(struct parser *p, const struct expr_node *a, const struct expr_node *b,
                      enum expr_op op)
{
    if (op == OP_ADD && (a->type == WF_T_TEXT || b->type == WF_T_TEXT)) {
        (void)bad(p, a->column, "texts cannot be added: + is for numbers: write concat(a, b)");
        return false;
    }
    unsigned mask = op == OP_MOD ? M_INT : M_NUMBER;
    return check(p, a, mask, "left side") && check(p, b, mask, "right side");
}

static bool type_binary(struct parser *p, struct expr_node *node, const char *sign)
{
    const struct expr_node *a = node->args[0];
    const struct expr_node *b = node->args[1];
    node->type = WF_T_BOOL;
    if (node->op == OP_OR || node->op == OP_AND)
        return check(p, a, M_BOOL, "left side") && check(p, b, M_BOOL, "right side");
    if (node->op == OP_IN)
        return check(p, b, M_LIST | M_MAP, "right side of in");
    if (node->op == OP_EQ || node->op == OP_NE) {
        if (!may_be_equal(a->type, b->type))
            (void)bad(p, a->column, "%s %s %s: values of these types are never equal: convert one",
                      wf_static_type_name(a->type), sign, wf_static_type_name(b->type));
        return p->rc == 0;
    }
    if (node->op >= OP_LT && node->op <= OP_GE)
        return check_order(p, a, b, sign);
    node->type = node->op == OP_ADD || node->op == OP_SUB ? sum_type(node->op, a->type, b->type)
                 : node->op == OP_DIV                     ? WF_T_NUMBER
                 : node->op == OP_MOD                     ? WF_T_INT
                                                          : numeric_type(a->type, b->type);
    return check_sum(p, a, b, node->op);
}

/* ---- grammar ------------------------------------------------------------------------------- */

static const struct expr_node *parse_level(struct parser *p, int level);

static const struct operator_row *operator_here(const struct parser *p)
{
    for (size_t i = 0; i < WF_COUNT(operators); i++) {
        const struct operator_row *row = &operators[i];
        if (at_sign(p, row->sign) || (row->word != NULL && at_word(p, row->word)))
            return row;
    }
    return NULL;
}

static const struct expr_node *make_const(struct parser *p, const struct wf_value *value,
                                          enum wf_static_type type)
{
    struct expr_node *node = make(p, OP_CONST, type, here(p));
    if (node == NULL)
        return NULL;
    if (value == NULL)
        return no_memory(p);
    node->constant = value;
    return step(p) ? node : NULL;
}

static const struct wf_decl *find_decl(const struct parser *p, struct wf_str name)
{
    for (size_t i = p->scope != NULL ? p->scope->n_decls : 0; i > 0; i--) {
        if (wf_str_is(name, p->scope->decls[i - 1].name))
            return &p->scope->decls[i - 1];
    }
    return NULL;
}

static const struct expr_node *bad_name(struct parser *p, struct wf_str name, size_t column)
{
    size_t n = p->scope != NULL ? p->scope->n_decls : 0;
    const char **known = wf_arena_alloc(p->arena, (n + 1) * sizeof(*known));
    char *word = wf_arena_strndup(p->arena, name.ptr, name.len);
    if (known == NULL || word == NULL)
        return no_memory(p);
    for (size_t i = 0; i < n; i++)
        known[i] = p->scope->decls[i].name;
    known[n] = "_event";
    const char *nearest = wf_nearest(word, known, n + 1);
    return bad(p, column, "unknown name \"%s\": neither a field nor in data: %s%s%s", word,
               nearest != NULL ? "did you mean \"" : "declare it, or quote it if it is a text",
               nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static const struct expr_node *make_name(struct parser *p, struct wf_str name, size_t column)
{
    const struct wf_decl *decl = find_decl(p, name);
    bool is_event = decl == NULL && wf_str_is(name, "_event");
    if (decl == NULL && !is_event)
        return p->rc == 0 ? bad_name(p, name, column) : NULL;
    struct expr_node *node = make(p, OP_NAME, is_event ? WF_T_MAP : decl->type, column);
    if (node != NULL)
        node->name = name;
    return node;
}

/* In('state'): a state that the chart has, where that is known. */
static bool check_state(struct parser *p, const struct expr_node *arg)
{
    if (p->scope == NULL || p->scope->states == NULL || arg->op != OP_CONST)
        return true;
    for (size_t i = 0; i < p->scope->n_states; i++) {
        if (wf_str_is(arg->constant->u.text, p->scope->states[i]))
            return true;
    }
    const char *nearest =
        wf_nearest(arg->constant->u.text.ptr, p->scope->states, p->scope->n_states);
    (void)bad(p, arg->column, "unknown state \"%s\" in In(): the chart has none of that id: %s%s%s",
              arg->constant->u.text.ptr, nearest != NULL ? "did you mean \"" : "correct it",
              nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    return false;
}

static bool type_call(struct parser *p, struct expr_node *node,
                      const struct expr_function *function)
{
    char role[40];
    bool all_int = true;
    bool any_unknown = false;
    for (size_t i = 0; i < node->n_args; i++) {
        enum wf_static_type type = node->args[i]->type;
        (void)snprintf(role, sizeof(role), "argument %zu of %s", i + 1, function->name);
        if (!check(p, node->args[i], expr_argument_mask(function, i), role))
            return false;
        all_int = all_int && type == WF_T_INT;
        any_unknown = any_unknown || type == WF_T_ANY || type == WF_T_LIST;
    }
    node->type = function->type;
    if (function->result == RESULT_NUMERIC)
        node->type = all_int ? WF_T_INT : any_unknown ? WF_T_ANY : WF_T_NUMBER;
    if (function->call == NULL) { /* if(cond, a, b) */
        enum wf_static_type a = node->args[1]->type;
        enum wf_static_type b = node->args[2]->type;
        node->op = OP_IF;
        node->type = a == b ? a : is_numeric(a) && is_numeric(b) ? numeric_type(a, b) : WF_T_ANY;
    }
    return strcmp(function->name, "In") != 0 || check_state(p, node->args[0]);
}

static bool parse_list(struct parser *p, struct expr_node *node, const char *close)
{
    if (at_sign(p, close))
        return step(p);
    for (;;) {
        if (!add_arg(p, node, parse_level(p, 1)))
            return false;
        if (!at_sign(p, ","))
            return expect(p, close);
        if (!step(p))
            return false;
    }
}

static const struct expr_node *parse_call(struct parser *p, struct wf_str name, size_t column)
{
    const struct expr_function *function = expr_function_find(name);
    if (function == NULL) {
        char word[40];
        const char *nearest =
            wf_str_copy(name, word, sizeof(word)) ? expr_function_nearest(word) : NULL;
        return bad(p, column, "unknown function \"%.*s\": not in the language: %s%s%s",
                   WF_STR_ARG(name),
                   nearest != NULL ? "did you mean \"" : "see docs/statecharts.md",
                   nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    }
    struct expr_node *node = make(p, OP_CALL, function->type, column);
    if (node == NULL || !step(p) || !parse_list(p, node, ")"))
        return NULL;
    if (node->n_args < function->min || node->n_args > function->max)
        return bad(p, column, "%s has %zu arguments: it takes %zu%s: add or remove some",
                   function->name, node->n_args, function->min,
                   function->max > function->min ? " or more" : "");
    node->function = function;
    return type_call(p, node, function) ? node : NULL;
}

static const struct expr_node *parse_word(struct parser *p)
{
    struct wf_str name = p->lexer.text;
    size_t column = here(p);
    if (at_word(p, "true") || at_word(p, "false"))
        return make_const(p, wf_bool(at_word(p, "true")), WF_T_BOOL);
    if (at_word(p, "null"))
        return make_const(p, &wf_null, WF_T_ANY);
    if (operator_here(p) != NULL)
        return bad(p, column, "\"%.*s\" without a left side: a value must stand before it: add one",
                   WF_STR_ARG(name));
    if (!step(p))
        return NULL;
    return at_sign(p, "(") ? parse_call(p, name, column) : make_name(p, name, column);
}

static const struct expr_node *parse_primary(struct parser *p)
{
    struct expr_lexer *lexer = &p->lexer;
    size_t column = here(p);
    if (lexer->token == TOKEN_INT)
        return make_const(p, wf_int(p->arena, lexer->integer), WF_T_INT);
    if (lexer->token == TOKEN_NUMBER)
        return make_const(p, wf_number(p->arena, lexer->number), WF_T_NUMBER);
    if (lexer->token == TOKEN_TEXT)
        return make_const(p, wf_text_n(p->arena, lexer->text.ptr, lexer->text.len), WF_T_TEXT);
    if (lexer->token == TOKEN_NAME)
        return parse_word(p);
    if (at_sign(p, "(")) {
        const struct expr_node *inner = step(p) ? parse_level(p, 1) : NULL;
        return inner != NULL && expect(p, ")") ? inner : NULL;
    }
    if (at_sign(p, "[")) {
        struct expr_node *node = make(p, OP_LIST, WF_T_LIST, column);
        return node != NULL && step(p) && parse_list(p, node, "]") ? node : NULL;
    }
    if (lexer->token == TOKEN_END)
        return bad(p, column, "unexpected end: a value is missing: complete the expression");
    return bad(p, column, "unexpected \"%.*s\": a value must stand here: add one",
               WF_STR_ARG(lexer->text));
}

/* Members of _event are the one map whose keys are known beforehand. */
static bool type_member(struct parser *p, struct expr_node *node)
{
    static const char *const members[] = {"name",   "type",   "data",      "invokeid",
                                          "sendid", "origin", "origintype"};
    const struct expr_node *base = node->args[0];
    if (!check(p, base, M_MAP, "value before the point"))
        return false;
    if (base->op != OP_NAME || !wf_str_is(base->name, "_event") || find_decl(p, base->name) != NULL)
        return true;
    for (size_t i = 0; i < WF_COUNT(members); i++) {
        if (wf_str_is(node->name, members[i]))
            return true;
    }
    (void)bad(
        p, node->column,
        "unknown member \"%.*s\" of _event: it has name, type, data, invokeid and sendid: use "
        "_event.data.%.*s?",
        WF_STR_ARG(node->name), WF_STR_ARG(node->name));
    return false;
}

static const struct expr_node *parse_postfix(struct parser *p)
{
    const struct expr_node *base = parse_primary(p);
    while (base != NULL && (at_sign(p, ".") || at_sign(p, "["))) {
        bool is_member = at_sign(p, ".");
        struct expr_node *node = make(p, is_member ? OP_MEMBER : OP_INDEX, WF_T_ANY, base->column);
        if (!add_arg(p, node, base) || !step(p))
            return NULL;
        if (!is_member) {
            if (!add_arg(p, node, parse_level(p, 1)) || !expect(p, "]") ||
                !check(p, base, M_LIST | M_MAP, "value before [") ||
                !check(p, node->args[1], M_INT | M_TEXT, "index"))
                return NULL;
        } else {
            if (p->lexer.token != TOKEN_NAME)
                return bad(p, here(p), "name missing after a point: members are words: write one");
            node->name = p->lexer.text;
            if (!type_member(p, node) || !step(p))
                return NULL;
        }
        base = node;
    }
    return base;
}

static const struct expr_node *prefix(struct parser *p, enum expr_op op, int level)
{
    struct expr_node *node = make(p, op, WF_T_BOOL, here(p));
    if (node == NULL || !step(p) || !add_arg(p, node, parse_level(p, level)))
        return NULL;
    const struct expr_node *arg = node->args[0];
    if (op == OP_NOT)
        return check(p, arg, M_BOOL, "operand of not") ? node : NULL;
    node->type = arg->type == WF_T_TIME ? WF_T_INT : arg->type;
    return check(p, arg, M_NUMBER, "operand of minus") ? node : NULL;
}

static const struct expr_node *parse_unary(struct parser *p, int level)
{
    if (at_sign(p, "!"))
        return prefix(p, OP_NOT, LEVEL_UNARY);
    if (at_sign(p, "-"))
        return prefix(p, OP_NEGATE, LEVEL_UNARY);
    if (!at_word(p, "not"))
        return parse_postfix(p);
    if (level > LEVEL_NOT)
        return bad(p, here(p), "not inside an operand: it binds loosely: put it in brackets");
    return prefix(p, OP_NOT, LEVEL_NOT);
}

static const struct expr_node *parse_operators(struct parser *p, int level)
{
    const struct expr_node *left = parse_unary(p, level);
    int last = LEVEL_UNARY;
    while (left != NULL && p->rc == 0) {
        const struct operator_row *row = operator_here(p);
        if (row == NULL || row->level < level)
            break;
        if (row->level == LEVEL_COMPARE && last == LEVEL_COMPARE)
            return bad(p, here(p), "comparisons in a row: a < b < c has no meaning: join with and");
        struct expr_node *node = make(p, row->op, WF_T_BOOL, left->column);
        if (!add_arg(p, node, left) || !step(p) ||
            !add_arg(p, node, parse_level(p, row->level + 1)))
            return NULL;
        if (!type_binary(p, node, row->sign))
            return NULL;
        last = row->level;
        left = node;
    }
    return p->rc == 0 ? left : NULL;
}

static const struct expr_node *parse_level(struct parser *p, int level)
{
    if (p->depth >= MAX_NESTING)
        return bad(p, here(p), "nested too deep: at most %d levels: split it", MAX_NESTING);
    p->depth++;
    const struct expr_node *node = p->rc == 0 ? parse_operators(p, level) : NULL;
    p->depth--;
    return node;
}

int wf_expr_compile(struct wf_arena *arena, struct wf_str source, const struct wf_scope *scope,
                    const struct wf_expr **out, enum wf_static_type *out_type, struct wf_error *err)
{
    if (source.len > MAX_SOURCE_BYTES)
        return wf_fail(err, WF_E_CONFIG,
                       "column 1: expression too long: at most %zu bytes: split it",
                       MAX_SOURCE_BYTES);
    if (!wf_is_utf8(source.ptr, source.len))
        return wf_fail(err, WF_E_CONFIG, "column 1: text is not UTF-8: save the file as UTF-8");
    struct wf_expr *expr = wf_arena_alloc(arena, sizeof(*expr));
    char *copy = wf_arena_strndup(arena, source.ptr, source.len);
    if (expr == NULL || copy == NULL)
        return wf_fail(err, WF_E_NOMEM, "no memory for an expression");

    expr->source = (struct wf_str){copy, source.len};
    struct parser p = {.lexer = {.source = expr->source, .arena = arena},
                       .arena = arena,
                       .scope = scope,
                       .err = err};
    expr->root = step(&p) ? parse_level(&p, 1) : NULL;
    if (p.rc == 0 && p.lexer.token != TOKEN_END)
        (void)bad(&p, here(&p), "unexpected \"%.*s\": the expression was complete: remove it",
                  WF_STR_ARG(p.lexer.text));
    if (p.rc != 0)
        return p.rc;
    *out = expr;
    if (out_type != NULL)
        *out_type = expr->root->type;
    return 0;
}

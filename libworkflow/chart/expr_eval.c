/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluates the tree. Every operator checks the types it meets, because fields may be null and
 * members of `any` may be anything; a failure unwinds by NULL with the code in eval->rc.
 */
#include "expr_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct type_row {
    const char *name;
    unsigned mask;
} types[] = {
    [WF_T_ANY] = {"any", M_ANY},     [WF_T_BOOL] = {"boolean", M_BOOL | M_NULL},
    [WF_T_INT] = {"integer", M_INT}, [WF_T_NUMBER] = {"number", M_NUMBER},
    [WF_T_TEXT] = {"text", M_TEXT},  [WF_T_LIST] = {"list", M_LIST},
    [WF_T_MAP] = {"map", M_MAP},     [WF_T_TIME] = {"time", M_INT},
};

const char *wf_static_type_name(enum wf_static_type type)
{
    return types[type].name;
}

bool wf_static_type_parse(const char *word, enum wf_static_type *out)
{
    for (size_t i = 0; i < WF_COUNT(types); i++) {
        if (strcmp(types[i].name, word) == 0) {
            *out = (enum wf_static_type)i;
            return true;
        }
    }
    return false;
}

unsigned expr_mask_of(enum wf_static_type type)
{
    return types[type].mask;
}

const char *expr_mask_name(unsigned mask)
{
    static const struct {
        unsigned mask;
        const char *name;
    } names[] = {
        {M_BOOL, "a boolean"},
        {M_INT, "an integer"},
        {M_NUMBER, "a number"},
        {M_TEXT, "a text"},
        {M_LIST, "a list"},
        {M_MAP, "a map"},
        {M_NUMBER | M_TEXT, "a number or text"},
        {M_INT | M_TEXT, "an integer or text"},
        {M_LIST | M_MAP, "a list or map"},
        {M_TEXT | M_LIST, "a text or list"},
        {M_TEXT | M_LIST | M_MAP, "a text, list or map"},
        {M_NULL | M_BOOL | M_NUMBER | M_TEXT, "a boolean, number or text"},
    };
    for (size_t i = 0; i < WF_COUNT(names); i++) {
        if (names[i].mask == mask)
            return names[i].name;
    }
    return "another type";
}

const struct wf_value *expr_fail(struct expr_eval *eval, const char *fmt, ...)
{
    if (eval->rc != 0)
        return NULL;
    char text[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    eval->rc = wf_fail(eval->err, WF_E_STATE, "column %zu: %s", eval->column, text);
    return NULL;
}

const struct wf_value *expr_made(struct expr_eval *eval, const struct wf_value *value)
{
    if (value == NULL && eval->rc == 0)
        eval->rc = wf_fail(eval->err, WF_E_NOMEM, "no memory for the value of an expression");
    return value;
}

double expr_as_double(const struct wf_value *value)
{
    return value->type == WF_INT ? (double)value->u.integer : value->u.number;
}

const struct wf_value *expr_make_number(struct expr_eval *eval, double number)
{
    if (!isfinite(number))
        return expr_fail(eval, "number too large");
    return expr_made(eval, wf_number(eval->arena, number));
}

static bool is_number(const struct wf_value *value)
{
    return value->type == WF_INT || value->type == WF_NUMBER;
}

bool expr_compare(const struct wf_value *a, const struct wf_value *b, int *out)
{
    if (a->type == WF_INT && b->type == WF_INT) {
        *out = a->u.integer < b->u.integer ? -1 : a->u.integer > b->u.integer;
        return true;
    }
    if (is_number(a) && is_number(b)) {
        double x = expr_as_double(a);
        double y = expr_as_double(b);
        *out = x < y ? -1 : x > y;
        return true;
    }
    if (a->type != WF_TEXT || b->type != WF_TEXT)
        return false;
    *out = wf_str_compare(a->u.text, b->u.text);
    return true;
}

static bool int_overflows(enum expr_op op, int64_t a, int64_t b, int64_t *out)
{
    if (op == OP_ADD)
        return __builtin_add_overflow(a, b, out);
    if (op == OP_SUB)
        return __builtin_sub_overflow(a, b, out);
    return __builtin_mul_overflow(a, b, out);
}

static const struct wf_value *arithmetic(struct expr_eval *eval, enum expr_op op,
                                         const struct wf_value *a, const struct wf_value *b)
{
    if (!is_number(a) || !is_number(b))
        return expr_fail(eval, "%s and %s cannot be calculated with", wf_type_name(a->type),
                         wf_type_name(b->type));
    double x = expr_as_double(a);
    double y = expr_as_double(b);
    if (op == OP_DIV) {
        if (fpclassify(y) == FP_ZERO)
            return expr_fail(eval, "division by zero");
        return expr_make_number(eval, x / y);
    }
    if (a->type == WF_INT && b->type == WF_INT) {
        int64_t result;
        if (int_overflows(op, a->u.integer, b->u.integer, &result))
            return expr_fail(eval, "integer overflow");
        return expr_made(eval, wf_int(eval->arena, result));
    }
    return expr_make_number(eval, op == OP_ADD ? x + y : op == OP_SUB ? x - y : x * y);
}

const struct wf_value *expr_add(struct expr_eval *eval, const struct wf_value *a,
                                const struct wf_value *b)
{
    return arithmetic(eval, OP_ADD, a, b);
}

static const struct wf_value *remainder_of(struct expr_eval *eval, const struct wf_value *a,
                                           const struct wf_value *b)
{
    if (a->type != WF_INT || b->type != WF_INT)
        return expr_fail(eval, "%% takes two integers, not %s and %s", wf_type_name(a->type),
                         wf_type_name(b->type));
    if (b->u.integer == 0)
        return expr_fail(eval, "division by zero");
    /* The smallest integer divided by -1 traps on this hardware; the remainder is 0. */
    int64_t rest = b->u.integer == -1 ? 0 : a->u.integer % b->u.integer;
    return expr_made(eval, wf_int(eval->arena, rest));
}

static const struct wf_value *is_member_of(struct expr_eval *eval, const struct wf_value *item,
                                           const struct wf_value *whole)
{
    if (whole->type == WF_LIST) {
        for (size_t i = 0; i < whole->u.list.n; i++) {
            if (wf_value_equal(whole->u.list.items[i], item))
                return &wf_true;
        }
        return &wf_false;
    }
    if (whole->type == WF_MAP && item->type == WF_TEXT)
        return wf_bool(wf_map_get_str(whole, item->u.text) != NULL);
    return expr_fail(eval, "in looks for a value in a list or a key in a map, not in a %s",
                     wf_type_name(whole->type));
}

static const struct wf_value *ordered(struct expr_eval *eval, enum expr_op op,
                                      const struct wf_value *a, const struct wf_value *b)
{
    int order;
    if (!expr_compare(a, b, &order))
        return expr_fail(eval, "%s and %s have no order", wf_type_name(a->type),
                         wf_type_name(b->type));
    return wf_bool(op == OP_LT   ? order < 0
                   : op == OP_LE ? order <= 0
                   : op == OP_GT ? order > 0
                                 : order >= 0);
}

static const struct wf_value *member(struct expr_eval *eval, const struct wf_value *base,
                                     struct wf_str name)
{
    if (base->type != WF_MAP && base->type != WF_NULL)
        return expr_fail(eval, "a %s has no members", wf_type_name(base->type));
    const struct wf_value *found = wf_map_get_str(base, name);
    return found != NULL ? found : &wf_null;
}

static const struct wf_value *element(struct expr_eval *eval, const struct wf_value *base,
                                      const struct wf_value *index)
{
    if (base->type == WF_NULL)
        return &wf_null;
    if (base->type == WF_MAP && index->type == WF_TEXT)
        return member(eval, base, index->u.text);
    if (base->type != WF_LIST || index->type != WF_INT)
        return expr_fail(eval, "a %s has no element by %s", wf_type_name(base->type),
                         wf_type_name(index->type));
    int64_t i = index->u.integer;
    const struct wf_value *found = i < 0 ? NULL : wf_list_at(base, (size_t)i);
    return found != NULL ? found : &wf_null;
}

static const struct wf_value *eval_node(struct expr_eval *eval, const struct expr_node *node);

/* A logical operand: null counts as false. */
static bool eval_truth(struct expr_eval *eval, const struct expr_node *node, bool *out)
{
    const struct wf_value *value = eval_node(eval, node);
    if (value == NULL)
        return false;
    if (value->type != WF_BOOL && value->type != WF_NULL) {
        eval->column = node->column;
        (void)expr_fail(eval, "a boolean is needed, not a %s", wf_type_name(value->type));
        return false;
    }
    *out = wf_value_bool(value, false);
    return true;
}

static const struct wf_value *eval_logic(struct expr_eval *eval, const struct expr_node *node)
{
    bool truth;
    if (!eval_truth(eval, node->args[0], &truth))
        return NULL;
    if (node->op == OP_IF)
        return eval_node(eval, node->args[truth ? 1 : 2]);
    if (node->op == OP_NOT)
        return wf_bool(!truth);
    if (truth == (node->op == OP_OR))
        return wf_bool(truth);
    return eval_truth(eval, node->args[1], &truth) ? wf_bool(truth) : NULL;
}

static const struct wf_value *eval_list(struct expr_eval *eval, const struct expr_node *node)
{
    struct wf_value *list = wf_list(eval->arena);
    for (size_t i = 0; list != NULL && i < node->n_args; i++) {
        const struct wf_value *item = eval_node(eval, node->args[i]);
        if (item == NULL)
            return NULL;
        if (!wf_list_add(eval->arena, list, item))
            list = NULL;
    }
    return expr_made(eval, list);
}

static const struct wf_value *eval_call(struct expr_eval *eval, const struct expr_node *node)
{
    const struct wf_value **args =
        wf_arena_alloc(eval->arena, (node->n_args + 1) * sizeof(const struct wf_value *));
    if (args == NULL)
        return expr_made(eval, NULL);
    for (size_t i = 0; i < node->n_args; i++) {
        args[i] = eval_node(eval, node->args[i]);
        if (args[i] == NULL)
            return NULL;
        unsigned mask = expr_argument_mask(node->function, i);
        eval->column = node->args[i]->column;
        if ((1U << args[i]->type & mask) == 0)
            return expr_fail(eval, "argument %zu of %s is %s: it takes %s", i + 1,
                             node->function->name, wf_type_name(args[i]->type),
                             expr_mask_name(mask));
    }
    eval->column = node->column;
    return node->function->call(eval, args, node->n_args);
}

static const struct wf_value *negated(struct expr_eval *eval, const struct wf_value *value)
{
    static const struct wf_value zero = {.type = WF_INT};
    if (value->type == WF_NUMBER)
        return expr_make_number(eval, -value->u.number);
    return arithmetic(eval, OP_SUB, &zero, value);
}

static const struct wf_value *eval_binary(struct expr_eval *eval, const struct expr_node *node)
{
    const struct wf_value *a = eval_node(eval, node->args[0]);
    const struct wf_value *b = a != NULL ? eval_node(eval, node->args[1]) : NULL;
    if (b == NULL)
        return NULL;
    eval->column = node->column;
    if (node->op == OP_EQ || node->op == OP_NE)
        return wf_bool(wf_value_equal(a, b) == (node->op == OP_EQ));
    if (node->op == OP_IN)
        return is_member_of(eval, a, b);
    if (node->op == OP_MOD)
        return remainder_of(eval, a, b);
    if (node->op == OP_INDEX)
        return element(eval, a, b);
    if (node->op >= OP_ADD)
        return arithmetic(eval, node->op, a, b);
    return ordered(eval, node->op, a, b);
}

static const struct wf_value *eval_unary(struct expr_eval *eval, const struct expr_node *node)
{
    const struct wf_value *value = eval_node(eval, node->args[0]);
    eval->column = node->column;
    if (value == NULL)
        return NULL;
    return node->op == OP_MEMBER ? member(eval, value, node->name) : negated(eval, value);
}

static const struct wf_value *eval_name(struct expr_eval *eval, const struct expr_node *node)
{
    const struct wf_value *value = eval->reader->variable(eval->reader->context, node->name);
    return value != NULL ? value : &wf_null;
}

static const struct wf_value *eval_node(struct expr_eval *eval, const struct expr_node *node)
{
    switch (node->op) {
    case OP_CONST:
        return node->constant;
    case OP_NAME:
        return eval_name(eval, node);
    case OP_LIST:
        return eval_list(eval, node);
    case OP_CALL:
        return eval_call(eval, node);
    case OP_IF:
    case OP_NOT:
    case OP_OR:
    case OP_AND:
        return eval_logic(eval, node);
    case OP_MEMBER:
    case OP_NEGATE:
        return eval_unary(eval, node);
    case OP_INDEX:
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_IN:
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_MOD:
        return eval_binary(eval, node);
    }
    return expr_fail(eval, "unknown operator");
}

/*
 * Counts a result against both limits. Shared parts count as often as they are seen: a list that
 * holds itself twice, again and again, is small here and huge once it is stored.
 */
static bool fits(const struct wf_value *value, int depth, size_t *items, size_t *bytes)
{
    if (*items == 0 || depth > MAX_DEPTH)
        return false;
    *items -= 1;
    size_t length = value->type == WF_TEXT ? value->u.text.len : 0;
    for (size_t i = 0; value->type == WF_LIST && i < value->u.list.n; i++) {
        if (!fits(value->u.list.items[i], depth + 1, items, bytes))
            return false;
    }
    for (size_t i = 0; value->type == WF_MAP && i < value->u.map.n; i++) {
        length += value->u.map.pairs[i].key.len;
        if (!fits(value->u.map.pairs[i].value, depth + 1, items, bytes))
            return false;
    }
    if (length > *bytes)
        return false;
    *bytes -= length;
    return true;
}

int wf_expr_eval(const struct wf_expr *expr, const struct wf_reader *reader, struct wf_arena *arena,
                 const struct wf_value **out, struct wf_error *err)
{
    struct expr_eval eval = {.reader = reader, .arena = arena, .err = err, .column = 1};
    const struct wf_value *value = eval_node(&eval, expr->root);
    if (value == NULL)
        return eval.rc;
    size_t items = MAX_ITEMS + 1;
    size_t bytes = MAX_TEXT_BYTES;
    if (!fits(value, 0, &items, &bytes))
        return wf_fail(err, WF_E_STATE,
                       "column 1: result larger than %zu items, %zu bytes or %d levels", MAX_ITEMS,
                       MAX_TEXT_BYTES, MAX_DEPTH);
    *out = value;
    return 0;
}

int wf_expr_test(const struct wf_expr *expr, const struct wf_reader *reader, struct wf_arena *arena,
                 bool *out, struct wf_error *err)
{
    struct expr_eval eval = {.reader = reader, .arena = arena, .err = err, .column = 1};
    bool truth = false;
    if (!eval_truth(&eval, expr->root, &truth))
        return eval.rc;
    *out = truth;
    return 0;
}

struct wf_str wf_expr_source(const struct wf_expr *expr)
{
    return expr->source;
}

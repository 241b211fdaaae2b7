/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chart/expr_internal.h - what the lexer, parser, functions and evaluator of expressions share.
 *
 * Types are checked by masks: one bit per wf_type, so that "a text or a list" is one number for
 * the compiler (static types give masks too) and for the evaluator.
 */
#ifndef CHART_EXPR_INTERNAL_H
#define CHART_EXPR_INTERNAL_H

#include "workflow/expr.h"

#define MAX_SOURCE_BYTES ((size_t)4096)
#define MAX_NODES        ((size_t)512)
#define MAX_NESTING      32
#define MAX_TEXT_BYTES   ((size_t)64 * 1024)
#define MAX_ITEMS        ((size_t)4096)
#define MAX_DEPTH        16 /* of lists and maps in one another: what a store can hold */

/* clang-format off */
#define M_NULL   (1U << WF_NULL)
#define M_BOOL   (1U << WF_BOOL)
#define M_INT    (1U << WF_INT)
#define M_NUMBER (M_INT | 1U << WF_NUMBER)
#define M_TEXT   (1U << WF_TEXT)
#define M_LIST   (1U << WF_LIST)
#define M_MAP    (1U << WF_MAP)
#define M_ANY    (M_NULL | M_BOOL | M_NUMBER | M_TEXT | M_LIST | M_MAP)
/* clang-format on */

enum expr_op {
    OP_CONST,
    OP_NAME,
    OP_MEMBER, /* args[0].name */
    OP_INDEX,  /* args[0][args[1]] */
    OP_LIST,
    OP_CALL,
    OP_IF, /* the one lazy function */
    OP_NOT,
    OP_NEGATE,
    OP_OR, /* the binary operators; the order is that of the operator table */
    OP_AND,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD
};

struct expr_function;

struct expr_node {
    enum expr_op op;
    enum wf_static_type type;
    size_t column;
    struct wf_str name;                   /* NAME, MEMBER */
    const struct wf_value *constant;      /* CONST */
    const struct expr_function *function; /* CALL */
    const struct expr_node **args;
    size_t n_args;
};

struct wf_expr {
    struct wf_str source;
    const struct expr_node *root;
};

/* ---- lexer --------------------------------------------------------------------------------- */

enum expr_token {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_INT,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_SIGN, /* operator or bracket: the text says which */
};

struct expr_lexer {
    struct wf_str source;
    struct wf_arena *arena; /* for unescaped texts */
    size_t pos;             /* behind the current token */
    size_t start;           /* of the current token */
    enum expr_token token;
    struct wf_str text; /* the token as written; of TEXT: its content */
    int64_t integer;
    double number;
};

/* Steps to the next token. On failure *why is set ("what: why: how") and -1 returned. */
int expr_next(struct expr_lexer *lexer, const char **why);

/* 1-based, counted in characters. */
size_t expr_column(struct wf_str source, size_t offset);

/* Reads "12" or "-1.5e3": false where the text is no number or too large. */
bool expr_parse_number(struct wf_str text, bool *is_int, int64_t *integer, double *number);

/* ---- functions ----------------------------------------------------------------------------- */

struct expr_eval {
    const struct wf_reader *reader;
    struct wf_arena *arena;
    struct wf_error *err;
    int rc; /* of the first failure */
    size_t column;
};

typedef const struct wf_value *expr_call_fn(struct expr_eval *eval,
                                            const struct wf_value *const *args, size_t n);

enum expr_result {
    RESULT_FIXED,   /* `type` */
    RESULT_NUMERIC, /* integer where all arguments are, unknown where one is, else number */
};

struct expr_function {
    const char *name;
    size_t min;
    size_t max;
    unsigned masks[3]; /* per argument; the last one holds for all further ones */
    enum expr_result result;
    enum wf_static_type type;
    expr_call_fn *call; /* NULL: OP_IF */
};

const struct expr_function *expr_function_find(struct wf_str name);
const char *expr_function_nearest(const char *name); /* or NULL */
unsigned expr_argument_mask(const struct expr_function *function, size_t i);

unsigned expr_mask_of(enum wf_static_type type);
const char *expr_mask_name(unsigned mask); /* "text or list" */

/* Fails the evaluation with "column N: ..."; always NULL, to be returned. */
const struct wf_value *expr_fail(struct expr_eval *eval, const char *fmt, ...) WF_PRINTF(2, 3);

/* The value, or a failure for lack of memory where it is NULL. */
const struct wf_value *expr_made(struct expr_eval *eval, const struct wf_value *value);

/* Number of either kind as double. */
double expr_as_double(const struct wf_value *value);

/* A finite number, or a failure. */
const struct wf_value *expr_make_number(struct expr_eval *eval, double number);

/* Orders two numbers or two texts: sets *out to <0, 0, >0; false where they have no order. */
bool expr_compare(const struct wf_value *a, const struct wf_value *b, int *out);

/* a + b for numbers of either kind; NULL after a failure. */
const struct wf_value *expr_add(struct expr_eval *eval, const struct wf_value *a,
                                const struct wf_value *b);

#endif

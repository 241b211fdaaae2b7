/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/expr.h - the small typed expression language of guards and assignments.
 *
 * PURPOSE    Conditions such as _event.data.verdict == 'approve' and len(papers) > 2, checked
 *            against the declared variables when a procedure is compiled, evaluated without
 *            loops, side effects or unbounded memory.
 * CONCEPTS   scope   declared names with static types; `any` where a type is known at run time only
 *            reader  supplies values of names at evaluation
 *   grammar  loosest first: or/||, and/&&, not, == != < <= > >= in, + -, * / %, unary - and !,
 *            x.y x[i] f(a, b). Values: 'text' or "text", 12, 1.5, true false null, [a, b].
 *            / always gives a number (round() makes it an integer), % takes integers; durations
 *            are not part of the language (they are texts of the chart's own attributes)
 *   functions  In('state') len lower upper trim contains starts_with ends_with matches_prefix
 *            has(x) min max abs round floor ceil number(text) text(x) concat(a, b, ...)
 *            append(list, x, ...) sum(list) any(list) all(list) keys(map) if(cond, a, b)
 *            (docs/statecharts.md is the manual)
 * OWNERSHIP  a compiled expression lives in the arena given to wf_expr_compile and is immutable.
 * ERRORS     compile: WF_E_CONFIG with "column N: what: why: how". eval: WF_E_STATE for a type
 *            clash at run time, missing member used as an operand, division by zero, overflow.
 *            Reading an unknown member or element gives null, also of null; null equals only null
 *            and counts as false in logic; ordering, arithmetic and functions (but has, text,
 *            concat and if) with null are errors; a guard that errs counts as false and raises
 *            error.execution (the interpreter's business). Texts of errors hold no values.
 */
#ifndef WORKFLOW_EXPR_H
#define WORKFLOW_EXPR_H

#include "workflow/error.h"
#include "workflow/value.h"

enum wf_static_type {
    WF_T_ANY,
    WF_T_BOOL,
    WF_T_INT,
    WF_T_NUMBER,
    WF_T_TEXT,
    WF_T_LIST,
    WF_T_MAP,
    WF_T_TIME
};

struct wf_decl {
    const char *name; /* first step of a path; members of maps are `any` */
    enum wf_static_type type;
};

struct wf_scope {
    const struct wf_decl *decls; /* _event is always known: name, type, data, invokeid, sendid */
    size_t n_decls;
    const char *const *states; /* for In(); NULL = not checked */
    size_t n_states;
};

struct wf_expr;

/* Compiles; *out and *out_type (may be NULL) are set on success. Nesting <= 32, nodes <= 512. */
int wf_expr_compile(struct wf_arena *arena, struct wf_str source, const struct wf_scope *scope,
                    const struct wf_expr **out, enum wf_static_type *out_type,
                    struct wf_error *err) WF_CHECKED;

struct wf_reader {
    const struct wf_value *(*variable)(void *context, struct wf_str name); /* NULL = null */
    bool (*is_in)(void *context, struct wf_str state);
    void *context;
};

/* Evaluates into the arena. A result of more than 64 KiB of text, 4096 values or 16 levels of lists
   and maps in one another is an error, so that data cannot grow beyond what a store can hold. */
int wf_expr_eval(const struct wf_expr *expr, const struct wf_reader *reader, struct wf_arena *arena,
                 const struct wf_value **out, struct wf_error *err) WF_CHECKED;

/* A guard: result must be boolean (null counts as false). */
int wf_expr_test(const struct wf_expr *expr, const struct wf_reader *reader, struct wf_arena *arena,
                 bool *out, struct wf_error *err) WF_CHECKED;

struct wf_str wf_expr_source(const struct wf_expr *expr);
const char *wf_static_type_name(enum wf_static_type type);
bool wf_static_type_parse(const char *word, enum wf_static_type *out); /* "text", "integer", ... */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that can never hold: parts that contradict each other (x == 1 and x == 2), and texts
 * that the closed set of a field or of a task's result does not have. Only what is plain to see is
 * told: a condition is taken apart at its `and`s, and comparisons with constants are weighed.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "chart/chart_internal.h"
#include "chart/expr_internal.h"

#define MAX_PARTS 32

/* ---- comparisons ------------------------------------------------------------------------------
 */

/* `path op value`; a bare condition is path == true, and not x is x == false. */
struct comparison {
    const struct expr_node *path;
    enum expr_op op;
    const struct wf_value *value; /* NULL of `in` */
    const struct expr_node *list; /* of `in` */
};

static const struct wf_value yes = {.type = WF_BOOL, .u.boolean = true};
static const struct wf_value no = {.type = WF_BOOL, .u.boolean = false};

static bool is_same(const struct expr_node *a, const struct expr_node *b)
{
    if (a->op != b->op || a->n_args != b->n_args || a->function != b->function ||
        !wf_str_equal(a->name, b->name))
        return false;
    if (a->op == OP_CONST && !wf_value_equal(a->constant, b->constant))
        return false;
    for (size_t i = 0; i < a->n_args; i++) {
        if (!is_same(a->args[i], b->args[i]))
            return false;
    }
    return true;
}

static bool is_ordering(enum expr_op op)
{
    return op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE;
}

static enum expr_op mirrored(enum expr_op op)
{
    return op == OP_LT   ? OP_GT
           : op == OP_LE ? OP_GE
           : op == OP_GT ? OP_LT
           : op == OP_GE ? OP_LE
                         : op;
}

static bool is_comparison(enum expr_op op)
{
    return op == OP_EQ || op == OP_NE || is_ordering(op);
}

static struct comparison comparison_of(const struct expr_node *node)
{
    if (is_comparison(node->op) && node->args[1]->op == OP_CONST)
        return (struct comparison){node->args[0], node->op, node->args[1]->constant, NULL};
    if (is_comparison(node->op) && node->args[0]->op == OP_CONST)
        return (struct comparison){node->args[1], mirrored(node->op), node->args[0]->constant,
                                   NULL};
    if (node->op == OP_IN && node->args[1]->op == OP_LIST)
        return (struct comparison){node->args[0], OP_IN, NULL, node->args[1]};
    if (node->op == OP_NOT) {
        struct comparison inner = comparison_of(node->args[0]);
        if (inner.op == OP_EQ || inner.op == OP_NE)
            return (struct comparison){inner.path, inner.op == OP_EQ ? OP_NE : OP_EQ, inner.value,
                                       NULL};
        return (struct comparison){node->args[0], OP_EQ, &no, NULL};
    }
    return (struct comparison){node, OP_EQ, &yes, NULL};
}

/* Does the value hold in the comparison? 1, 0, or -1 = not known. */
static int holds(const struct wf_value *value, const struct comparison *c)
{
    int order = 0;
    if (c->op == OP_EQ)
        return wf_value_equal(value, c->value);
    if (c->op == OP_NE)
        return !wf_value_equal(value, c->value);
    if (c->op == OP_IN) {
        for (size_t i = 0; i < c->list->n_args; i++) {
            if (c->list->args[i]->op != OP_CONST)
                return -1;
            if (wf_value_equal(value, c->list->args[i]->constant))
                return 1;
        }
        return 0;
    }
    if (!expr_compare(value, c->value, &order))
        return -1;
    return c->op == OP_LT   ? order < 0
           : c->op == OP_LE ? order <= 0
           : c->op == OP_GT ? order > 0
                            : order >= 0;
}

static bool is_upper(enum expr_op op)
{
    return op == OP_LT || op == OP_LE;
}

static bool contradict(const struct comparison *a, const struct comparison *b)
{
    int order = 0;
    if (!is_same(a->path, b->path))
        return false;
    if (a->op == OP_EQ)
        return holds(a->value, b) == 0;
    if (b->op == OP_EQ)
        return holds(b->value, a) == 0;
    if (!is_ordering(a->op) || !is_ordering(b->op) || is_upper(a->op) == is_upper(b->op))
        return false;
    const struct comparison *upper = is_upper(a->op) ? a : b;
    const struct comparison *lower = is_upper(a->op) ? b : a;
    if (!expr_compare(lower->value, upper->value, &order))
        return false;
    return order > 0 || (order == 0 && !(upper->op == OP_LE && lower->op == OP_GE));
}

/* ---- conditions as a whole --------------------------------------------------------------------
 */

static size_t take_apart(const struct expr_node *node, const struct expr_node **parts, size_t n)
{
    if (node->op == OP_AND) {
        n = take_apart(node->args[0], parts, n);
        return take_apart(node->args[1], parts, n);
    }
    if (n < MAX_PARTS)
        parts[n++] = node;
    return n;
}

static bool is_never(const struct expr_node *node)
{
    const struct expr_node *parts[MAX_PARTS];
    if (node->op == OP_OR)
        return is_never(node->args[0]) && is_never(node->args[1]);
    if (node->op == OP_CONST)
        return node->constant->type == WF_NULL ||
               (node->constant->type == WF_BOOL && !node->constant->u.boolean);
    if (node->op != OP_AND)
        return false;
    size_t n = take_apart(node, parts, 0);
    for (size_t i = 0; i < n; i++) {
        struct comparison a = comparison_of(parts[i]);
        if (is_never(parts[i]))
            return true;
        for (size_t k = 0; k < i; k++) {
            struct comparison b = comparison_of(parts[k]);
            if (contradict(&a, &b))
                return true;
        }
    }
    return false;
}

static bool part_follows(const struct expr_node *part, const struct expr_node *from)
{
    if (is_same(part, from))
        return true;
    struct comparison wanted = comparison_of(part);
    struct comparison given = comparison_of(from);
    return given.op == OP_EQ && is_same(wanted.path, given.path) &&
           holds(given.value, &wanted) == 1;
}

bool guard_follows(const struct wf_expr *cond, const struct wf_expr *from)
{
    const struct expr_node *wanted[MAX_PARTS];
    const struct expr_node *given[MAX_PARTS];
    if (cond == NULL)
        return true;
    if (cond->root->op == OP_CONST)
        return wf_value_equal(cond->root->constant, &yes);
    if (from == NULL)
        return false;
    size_t n_wanted = take_apart(cond->root, wanted, 0);
    size_t n_given = take_apart(from->root, given, 0);
    if (n_wanted == MAX_PARTS) /* perhaps not all */
        return false;
    for (size_t i = 0; i < n_wanted; i++) {
        bool follows = false;
        for (size_t k = 0; k < n_given && !follows; k++)
            follows = part_follows(wanted[i], given[k]);
        if (!follows)
            return false;
    }
    return true;
}

/* ---- words of closed sets ---------------------------------------------------------------------
 */

/* What results of tasks hold: one that has another word is refused before a chart sees it. */
static const struct {
    const char *activity;
    const char *member;
    const char *words[6];
    size_t n;
} results[] = {
    {"verification.review", "verdict", {"approve", "supplement", "refuse"}, 3},
    {"return.deliver", "outcome", {"delivered", "returned", "lost", "failed"}, 4},
    {"return.collect", "outcome", {"delivered", "returned", "lost", "failed"}, 4},
};

struct place {
    struct checking *c;
    int line;
    const char *activity; /* whose end the transition takes, or NULL */
};

static void check_word_of(const struct place *at, const char *what, const struct wf_value *value,
                          const char *const *words, size_t n)
{
    char hint[256];
    if (value->type != WF_TEXT || word_index(value->u.text.ptr, words, n) < n)
        return;
    CHECK_ERROR(at->c, at->line,
                "comparison with '%s' can never hold: %s is of a closed list that has no such "
                "word: %s",
                value->u.text.ptr, what,
                word_hint(value->u.text.ptr, words, n, hint, sizeof(hint)));
}

/* x of _event.data.x, or an empty text. */
static struct wf_str result_member(const struct expr_node *path)
{
    const struct expr_node *data = path->op == OP_MEMBER ? path->args[0] : NULL;
    if (data == NULL || data->op != OP_MEMBER || !wf_str_is(data->name, "data") ||
        data->args[0]->op != OP_NAME || !wf_str_is(data->args[0]->name, "_event"))
        return wf_str("");
    return path->name;
}

static void check_value(const struct place *at, const struct expr_node *path,
                        const struct wf_value *value)
{
    const struct wf_procedure *p = at->c->p;
    char what[96];
    const struct wf_field *field = path->op == OP_NAME ? wf_procedure_field(p, path->name) : NULL;
    if (field != NULL && field->type == WF_FIELD_CHOICE) {
        (void)snprintf(what, sizeof(what), "field '%s'", field->id);
        check_word_of(at, what, value, field->choices.items, field->choices.n);
    }
    for (size_t i = 0; i < WF_COUNT(results) && at->activity != NULL; i++) {
        if (strcmp(results[i].activity, at->activity) != 0 ||
            !wf_str_is(result_member(path), results[i].member))
            continue;
        (void)snprintf(what, sizeof(what), "%s of %s", results[i].member, results[i].activity);
        check_word_of(at, what, value, results[i].words, results[i].n);
    }
}

static void check_words(const struct place *at, const struct expr_node *node)
{
    struct comparison c = comparison_of(node);
    if (is_comparison(node->op) && c.value != NULL && !is_ordering(c.op))
        check_value(at, c.path, c.value);
    for (size_t i = 0; node->op == OP_IN && c.list != NULL && i < c.list->n_args; i++) {
        if (c.list->args[i]->op == OP_CONST)
            check_value(at, c.path, c.list->args[i]->constant);
    }
    for (size_t i = 0; i < node->n_args; i++)
        check_words(at, node->args[i]);
}

/* ---- all conditions of a chart ----------------------------------------------------------------
 */

static void check_cond(const struct place *at, const struct wf_expr *cond)
{
    if (cond == NULL)
        return;
    check_words(at, cond->root);
    if (is_never(cond->root))
        CHECK_ERROR(at->c, at->line,
                    "condition \"%.*s\" can never hold: its parts contradict each other: correct "
                    "it, or remove what depends on it",
                    WF_STR_ARG(cond->source));
}

static void check_template(const struct place *at, const struct template *t)
{
    if (t == NULL)
        return;
    if (t->kind == TEMPLATE_EXPR)
        check_words(at, t->expr->root);
    for (size_t i = 0; (t->kind == TEMPLATE_LIST || t->kind == TEMPLATE_MAP) && i < t->n; i++)
        check_template(at, t->items[i]);
}

static void check_block(struct place at, const struct block *block)
{
    for (size_t i = 0; i < block->n; i++) {
        const struct action *a = &block->actions[i];
        at.line = a->line;
        if (a->expr != NULL)
            check_words(&at, a->expr->root);
        check_template(&at, a->value);
        for (size_t k = 0; k < a->n_branches; k++) {
            at.line = a->line;
            check_cond(&at, a->branches[k].cond);
            check_block(at, &a->branches[k].block);
        }
        check_block(at, &a->body);
    }
}

/* The activity of which done.invoke.ID is the only event, or NULL. */
static const char *ended_activity(const struct checking *c, const struct transition *t)
{
    static const char prefix[] = "done.invoke.";
    const char *found = NULL;
    if (t->n_tokens != 1 || !wf_starts_with(t->tokens[0].ptr, prefix))
        return NULL;
    for (size_t i = 0; i < c->n_invokes; i++) {
        if (strcmp(c->invokes[i].id, t->tokens[0].ptr + strlen(prefix)) != 0)
            continue;
        if (found != NULL && strcmp(found, c->invokes[i].activity) != 0)
            return NULL;
        found = c->invokes[i].activity;
    }
    return found;
}

static void check_papers(struct checking *c)
{
    const struct wf_node *papers = wf_node_child(c->group, "papers");
    for (size_t i = 0; i < c->p->n_papers; i++) {
        const struct wf_node *node = wf_node_child(wf_node_at(papers, i), "needed_if");
        if (node != NULL)
            check_cond(&(struct place){c, node->line, NULL}, c->p->papers[i].needed_if);
    }
}

void check_guards(struct checking *c)
{
    const struct wf_chart *chart = c->p->chart;
    check_papers(c);
    for (size_t i = 1; i < chart->n_states; i++) {
        struct place at = {c, c->states[i - 1].line, NULL};
        check_block(at, &chart->states[i].entry_block);
        check_block(at, &chart->states[i].exit_block);
        check_block(at, &chart->states[i].initial.block);
        check_template(&at, chart->states[i].donedata);
    }
    for (size_t i = 0; i < chart->n_invocations; i++)
        check_template(&(struct place){c, chart->invocations[i].line, NULL},
                       chart->invocations[i].params);
    for (size_t i = 0; i < chart->n_transitions; i++) {
        const struct transition *t = &chart->transitions[i];
        struct place at = {c, c->transitions[i].line, ended_activity(c, t)};
        check_cond(&at, t->cond);
        check_block(at, &t->block);
    }
}

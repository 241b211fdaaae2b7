/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler's frame: states are counted and numbered first, so that targets, In() and history
 * can name states that come later in the file; then data, then each state in document order.
 */
#include "compile_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- helpers that all parts use ------------------------------------------------------------ */

void *take(struct compiler *c, size_t bytes)
{
    void *memory = wf_arena_alloc(c->chart->arena, bytes);
    if (memory == NULL)
        c->no_memory = true;
    return memory;
}

char *take_text(struct compiler *c, struct wf_str text)
{
    char *copy = wf_arena_strndup(c->chart->arena, text.ptr, text.len);
    if (copy == NULL)
        c->no_memory = true;
    return copy;
}

void *take_more(struct compiler *c, void *array, size_t n, size_t size)
{
    if (n > 0 && (n & (n - 1)) != 0)
        return array;
    void *wider = take(c, (n > 0 ? 2 * n : 1) * size);
    if (wider != NULL && n > 0)
        memcpy(wider, array, n * size);
    return wider;
}

void problem(struct compiler *c, const struct wf_node *node, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    wf_report_error(c->report, node->file, node->line, "%s", text);
}

const char *hint(const char *word, const char *const *known, size_t n, const char *fallback,
                 char *buf, size_t size)
{
    const char *nearest = wf_nearest(word, known, n);
    if (nearest == NULL)
        return fallback;
    (void)snprintf(buf, size, "did you mean \"%s\"?", nearest);
    return buf;
}

void check_keys(struct compiler *c, const struct wf_node *group, const char *const *names, size_t n)
{
    char buf[HINT_BYTES];
    for (size_t i = 0; i < wf_node_count(group); i++) {
        const struct wf_node *child = wf_node_at(group, i);
        bool is_known = false;
        for (size_t k = 0; k < n && !is_known; k++)
            is_known = strcmp(child->name, names[k]) == 0;
        if (!is_known)
            problem(c, child, "unknown key \"%s\": it has no meaning here: %s", child->name,
                    hint(child->name, names, n, "remove it", buf, sizeof(buf)));
    }
}

const char *read_text(struct compiler *c, const struct wf_node *group, const char *key)
{
    const struct wf_node *node = wf_node_child(group, key);
    if (node == NULL)
        return NULL;
    if (node->type == WF_NODE_TEXT && node->u.text.len > 0)
        return node->u.text.ptr;
    problem(c, node, "%s is %s %s: a text is needed: write it in double quotes", key,
            node->type == WF_NODE_TEXT ? "an empty" : "a", wf_node_type_name(node->type));
    return NULL;
}

const struct wf_node *as_list(struct compiler *c, const struct wf_node *node, const char *what)
{
    if (node == NULL || node->type == WF_NODE_LIST)
        return node;
    problem(c, node, "%s is a %s: a list is needed: write %s = ( { ... }, { ... } );", what,
            wf_node_type_name(node->type), what);
    return NULL;
}

bool is_event_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && strcspn(name, " \t\r\n*") == length && name[0] != '.' &&
           name[length - 1] != '.' && strstr(name, "..") == NULL;
}

bool is_variable_name(const char *name)
{
    static const char *const words[] = {"and", "or", "not", "in", "true", "false", "null"};
    for (size_t i = 0; i < WF_COUNT(words); i++) {
        if (strcmp(name, words[i]) == 0)
            return false;
    }
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return name[0] != '\0' && name[0] != '_' && !(name[0] >= '0' && name[0] <= '9') &&
           strspn(name, letters) == strlen(name);
}

const struct wf_decl *find_decl(const struct compiler *c, struct wf_str name)
{
    for (size_t i = c->n_decls; i > 0; i--) {
        if (wf_str_is(name, c->decls[i - 1].name))
            return &c->decls[i - 1];
    }
    return NULL;
}

/* ---- numbering ----------------------------------------------------------------------------- */

static size_t count_states(const struct wf_node *group)
{
    const struct wf_node *states = wf_node_child(group, "states");
    size_t n = 0;
    for (size_t i = 0; states != NULL && i < wf_node_count(states); i++)
        n += 1 + count_states(wf_node_at(states, i));
    return n;
}

static bool take_states(struct compiler *c, size_t n)
{
    struct wf_chart *chart = c->chart;
    chart->n_words = (n + 64) / 64;
    chart->n_slots = 8;
    while (chart->n_slots < 2 * (n + 1))
        chart->n_slots *= 2;
    chart->states = take(c, (n + 1) * sizeof(*chart->states));
    chart->public_states = take(c, (n + 1) * sizeof(*chart->public_states));
    chart->histories = take(c, (n + 1) * sizeof(*chart->histories));
    chart->slots = take(c, chart->n_slots * sizeof(*chart->slots));
    c->nodes = take(c, (n + 1) * sizeof(*c->nodes));
    c->ids = take(c, (n + 1) * sizeof(*c->ids));
    return !c->no_memory;
}

static void remember_id(struct compiler *c, int state, const struct wf_node *node)
{
    struct wf_chart *chart = c->chart;
    struct state *s = &chart->states[state];
    s->id = wf_text(chart->arena, node->name);
    if (s->id == NULL) {
        c->no_memory = true;
        return;
    }
    c->ids[c->n_ids++] = s->id->u.text.ptr;
    int other = chart_find(chart, s->id->u.text);
    if (other != NO_STATE) {
        problem(c, node,
                "state \"%s\" is there already, at line %d: ids are unique in the whole "
                "chart: rename one of them",
                node->name, c->nodes[other]->line);
        return;
    }
    size_t i = chart_hash(s->id->u.text) & (chart->n_slots - 1);
    while (chart->slots[i] != 0)
        i = (i + 1) & (chart->n_slots - 1);
    chart->slots[i] = state;
}

static enum wf_state_kind read_kind(struct compiler *c, const struct wf_node *group,
                                    bool has_children)
{
    static const char *const words[] = {"parallel", "final", "history", "deep_history"};
    static const enum wf_state_kind kinds[] = {WF_STATE_PARALLEL, WF_STATE_FINAL, WF_STATE_HISTORY,
                                               WF_STATE_DEEP_HISTORY};
    const char *type = read_text(c, group, "type");
    for (size_t i = 0; type != NULL && i < WF_COUNT(words); i++) {
        if (strcmp(type, words[i]) == 0)
            return kinds[i];
    }
    char buf[HINT_BYTES];
    if (type != NULL)
        problem(c, wf_node_child(group, "type"),
                "unknown type \"%s\": a state is parallel, final, history or deep_history, or has "
                "no type: %s",
                type, hint(type, words, WF_COUNT(words), "remove it", buf, sizeof(buf)));
    return has_children ? WF_STATE_COMPOUND : WF_STATE_ATOMIC;
}

/* Numbers the children of a state (whose own number stands) and all below; returns the last. */
static int number_states(struct compiler *c, int parent, int next)
{
    const struct wf_node *states = wf_node_child(c->nodes[parent], "states");
    for (size_t i = 0; states != NULL && i < wf_node_count(states) && !c->no_memory; i++) {
        const struct wf_node *node = wf_node_at(states, i);
        if (node->type != WF_NODE_GROUP || states->type != WF_NODE_GROUP) {
            problem(c, node,
                    "state \"%s\" is no group: a state is a group of settings: write %s: "
                    "{ ... };",
                    node->name, node->name[0] != '\0' ? node->name : "name");
            continue;
        }
        if (strchr(node->name, '*') != NULL)
            problem(c, node, "state id \"%s\" holds a *: that stands for any event: rename it",
                    node->name);
        int state = next++;
        struct state *s = &c->chart->states[state];
        c->nodes[state] = node;
        s->parent = parent;
        remember_id(c, state, node);
        next = number_states(c, state, next);
        s->last = next - 1;
        s->kind = read_kind(c, node, s->last > state);
        s->history_slot = -1;
        if (is_history(c->chart, state)) {
            c->chart->states[parent].has_history = true;
            s->history_slot = (int)c->chart->n_histories;
            c->chart->histories[c->chart->n_histories++] = state;
        }
    }
    return next;
}

static bool compile_structure(struct compiler *c, const struct wf_node *group)
{
    size_t n = count_states(group);
    if (n > MAX_STATES) {
        problem(c, group, "%zu states: a chart has at most %zu: split the procedure", n,
                MAX_STATES);
        return false;
    }
    if (!take_states(c, n))
        return false;
    c->nodes[ROOT] = group;
    c->chart->states[ROOT].kind = WF_STATE_COMPOUND;
    c->chart->states[ROOT].parent = NO_STATE;
    int next = number_states(c, ROOT, 1);
    c->chart->states[ROOT].last = next - 1;
    c->chart->n_states = (size_t)next;
    if (next == 1)
        problem(c, wf_node_child(group, "states") != NULL ? wf_node_child(group, "states") : group,
                "no states: a chart has at least one: write states: { first: { ... }; };");
    return next > 1 && !c->no_memory;
}

/* ---- domains and totals -------------------------------------------------------------------- */

static void finish(struct compiler *c)
{
    struct wf_chart *chart = c->chart;
    chart->n_guard_words = (chart->n_transitions + 63) / 64;
    chart->n_invoke_words = (chart->n_invocations + 63) / 64;
    for (size_t i = 0; i < chart->n_transitions; i++) {
        struct transition *t = &chart->transitions[i];
        t->domain = chart_domain(chart, t, t->targets);
        for (size_t k = 0; k < t->targets.n; k++) {
            if (is_history(chart, t->targets.items[k]))
                t->domain = DYNAMIC_DOMAIN;
        }
    }
    chart->public_initial = NULL;
    const int *initial = public_targets(c, chart->states[ROOT].initial.targets);
    size_t n = chart->states[ROOT].initial.targets.n;
    chart->public_initial = take(c, (n + 1) * sizeof(*chart->public_initial));
    if (initial != NULL && chart->public_initial != NULL)
        memcpy(chart->public_initial, initial, n * sizeof(*initial));
}

static void compile_all(struct compiler *c, const struct wf_node *group)
{
    if (!compile_structure(c, group) || !compile_data(c, wf_node_child(group, "data")))
        return;
    compile_initial(c, ROOT, group);
    for (int state = 1; state < (int)c->chart->n_states && !c->no_memory; state++) {
        c->state = state;
        compile_state(c, state);
    }
    if (!c->no_memory)
        finish(c);
}

static struct wf_chart *new_chart(size_t memory_limit)
{
    struct wf_arena *arena = wf_arena_new(memory_limit);
    struct wf_chart *chart = arena != NULL ? wf_arena_alloc(arena, sizeof(*chart)) : NULL;
    if (chart != NULL)
        chart->arena = arena;
    else
        wf_arena_free(arena);
    return chart;
}

int wf_chart_compile(const struct wf_node *group, const struct wf_chart_scope *scope,
                     struct wf_report *report, struct wf_chart **out, struct wf_error *err)
{
    struct compiler c = {.chart = new_chart(scope != NULL ? scope->memory_limit : 0),
                         .scope = scope,
                         .report = report};
    if (c.chart == NULL)
        return wf_fail(err, WF_E_NOMEM, "no memory for a chart");
    size_t errors_before = report->errors;
    size_t dropped_before = report->dropped;
    compile_all(&c, group);
    int rc = 0;
    if (c.no_memory)
        rc = wf_fail(err, WF_E_NOMEM, "no memory for a chart");
    else if (report->errors == errors_before && report->dropped > dropped_before)
        rc = wf_fail(err, WF_E_NOMEM, "no memory for messages on a chart");
    else
        rc = wf_report_result_since(report, errors_before, err);
    if (rc != 0) {
        wf_chart_free(c.chart);
        return rc;
    }
    *out = c.chart;
    return 0;
}

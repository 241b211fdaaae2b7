/* SPDX-License-Identifier: Apache-2.0 */
/* Targets, event descriptors and transitions. */
#include "compile_internal.h"

#include <string.h>

static int find_target(struct compiler *c, const struct wf_node *node)
{
    char buf[HINT_BYTES];
    if (node->type != WF_NODE_TEXT) {
        problem(c, node, "target is a %s: the id of a state is needed: write it in double quotes",
                wf_node_type_name(node->type));
        return NO_STATE;
    }
    int state = chart_find(c->chart, node->u.text);
    if (state == NO_STATE)
        problem(c, node, "unknown state \"%s\": the chart has none of that id: %s",
                node->u.text.ptr,
                hint(node->u.text.ptr, c->ids, c->n_ids, "correct it or add the state", buf,
                     sizeof(buf)));
    return state;
}

/* Can both be active at once? Only in different regions of a parallel state. */
static bool are_orthogonal(const struct wf_chart *chart, int a, int b)
{
    if (a == b || is_descendant(chart, a, b) || is_descendant(chart, b, a))
        return false;
    int common = chart->states[a].parent;
    while (!is_descendant(chart, b, common))
        common = chart->states[common].parent;
    return chart->states[common].kind == WF_STATE_PARALLEL;
}

static void check_orthogonal(struct compiler *c, const struct wf_node *node, const int *items,
                             size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (are_orthogonal(c->chart, items[k], items[i]))
                continue;
            problem(c, node,
                    "targets \"%s\" and \"%s\" cannot be active at once: several targets lie "
                    "in different regions of one parallel state: leave one out",
                    c->ids[items[k] - 1], c->ids[items[i] - 1]);
            return;
        }
    }
}

struct targets compile_targets(struct compiler *c, const struct wf_node *node)
{
    bool is_list = node->type == WF_NODE_LIST;
    size_t n = is_list ? wf_node_count(node) : 1;
    int *items = take(c, (n + 1) * sizeof(*items));
    size_t found = 0;
    for (size_t i = 0; items != NULL && i < n; i++) {
        int state = find_target(c, is_list ? wf_node_at(node, i) : node);
        if (state != NO_STATE)
            items[found++] = state;
    }
    if (is_list && n == 0)
        problem(c, node,
                "empty list of targets: a transition that stays has no target key: remove "
                "it or name a state");
    if (items != NULL)
        check_orthogonal(c, node, items, found);
    return (struct targets){items, found};
}

const int *public_targets(struct compiler *c, struct targets targets)
{
    int *items = take(c, (targets.n + 1) * sizeof(*items));
    for (size_t i = 0; items != NULL && i < targets.n; i++)
        items[i] = targets.items[i] - 1;
    return items;
}

/* "a b.* *" to tokens "a", "b", "". */
static void compile_tokens(struct compiler *c, const struct wf_node *node, struct transition *t,
                           const char *text)
{
    struct wf_str *tokens = take(c, (strlen(text) / 2 + 1) * sizeof(*tokens));
    size_t n = 0;
    for (const char *s = text + strspn(text, BLANKS); tokens != NULL && *s != '\0';) {
        struct wf_str token = {s, strcspn(s, BLANKS)};
        s += token.len;
        s += strspn(s, BLANKS);
        if (token.len > 0 && token.ptr[token.len - 1] == '*')
            token.len--;
        if (token.len > 0 && token.ptr[token.len - 1] == '.')
            token.len--;
        char *copy = take_text(c, token);
        if (copy == NULL)
            return;
        if (token.len > 0 && !is_event_name(copy))
            problem(c, node,
                    "\"%s\" is no event descriptor: words joined by points, with .* or "
                    "nothing at the end, are: correct it",
                    copy);
        tokens[n++] = (struct wf_str){copy, token.len};
    }
    if (n == 0)
        problem(c, node,
                "event names nothing: a transition without event stands under always: name "
                "one");
    t->tokens = tokens;
    t->n_tokens = n;
}

static const char *const *compile_words(struct compiler *c, const struct wf_node *group,
                                        const char *key, size_t *out_n)
{
    const struct wf_node *node = wf_node_child(group, key);
    *out_n = 0;
    if (node == NULL || as_list(c, node, key) == NULL)
        return NULL;
    const char **words = take(c, (wf_node_count(node) + 1) * sizeof(*words));
    for (size_t i = 0; words != NULL && i < wf_node_count(node); i++) {
        const struct wf_node *word = wf_node_at(node, i);
        if (word->type != WF_NODE_TEXT)
            problem(c, word, "%s holds a %s: words are needed: write them in double quotes", key,
                    wf_node_type_name(word->type));
        else if ((words[*out_n] = take_text(c, word->u.text)) != NULL)
            (*out_n)++;
    }
    return words;
}

static const char *copy_text(struct compiler *c, const struct wf_node *group, const char *key)
{
    const struct wf_node *node = wf_node_child(group, key);
    return node != NULL && node->type == WF_NODE_TEXT ? take_text(c, node->u.text) : NULL;
}

static bool read_type(struct compiler *c, const struct wf_node *node)
{
    const char *type = read_text(c, node, "type");
    if (type != NULL && strcmp(type, "internal") != 0 && strcmp(type, "external") != 0)
        problem(c, node, "unknown type \"%s\": a transition is internal or external: correct it",
                type);
    return type != NULL && strcmp(type, "internal") == 0;
}

static void compile_transition(struct compiler *c, int state, const struct wf_node *node,
                               bool has_event)
{
    static const char *const keys[] = {"cond",  "target",   "type",   "do",  "event",
                                       "roles", "channels", "models", "note"};
    struct wf_chart *chart = c->chart;
    size_t n = chart->n_transitions;
    struct transition *all = take_more(c, chart->transitions, n, sizeof(*all));
    struct wf_chart_transition *views = take_more(c, chart->public_transitions, n, sizeof(*views));
    if (all == NULL || views == NULL)
        return;
    chart->transitions = all;
    chart->public_transitions = views;
    chart->n_transitions++;

    struct transition *t = &all[n];
    struct wf_chart_transition *view = &views[n];
    check_keys(c, node, keys, has_event ? WF_COUNT(keys) : 4);
    t->source = state;
    t->internal = read_type(c, node);
    t->cond = compile_cond(c, node);
    if (wf_node_child(node, "target") != NULL)
        t->targets = compile_targets(c, wf_node_child(node, "target"));
    t->block = compile_block(c, wf_node_child(node, "do"));
    *view = (struct wf_chart_transition){.source = state - 1,
                                         .cond = copy_text(c, node, "cond"),
                                         .targets = public_targets(c, t->targets),
                                         .n_targets = t->targets.n,
                                         .line = node->line,
                                         .internal = t->internal};
    if (!has_event)
        return;
    view->event = copy_text(c, node, "event");
    view->roles = compile_words(c, node, "roles", &view->n_roles);
    view->channels = compile_words(c, node, "channels", &view->n_channels);
    view->models = compile_words(c, node, "models", &view->n_models);
    if (read_text(c, node, "event") != NULL && view->event != NULL)
        compile_tokens(c, node, t, view->event);
    else if (wf_node_child(node, "event") == NULL)
        problem(c, node,
                "on without event: a transition without event stands under always: add "
                "event or move it");
}

static size_t compile_list(struct compiler *c, int state, const char *key, bool has_event)
{
    const struct wf_node *list = as_list(c, wf_node_child(c->nodes[state], key), key);
    size_t before = c->chart->n_transitions;
    for (size_t i = 0; list != NULL && i < wf_node_count(list); i++) {
        const struct wf_node *node = wf_node_at(list, i);
        if (node->type == WF_NODE_GROUP)
            compile_transition(c, state, node, has_event);
        else
            problem(c, node, "%s holds a %s: transitions are groups: write ( { target = \"x\"; } )",
                    key, wf_node_type_name(node->type));
    }
    return c->chart->n_transitions - before;
}

void compile_transitions(struct compiler *c, int state)
{
    struct state *s = &c->chart->states[state];
    s->first_on = c->chart->n_transitions;
    s->n_on = compile_list(c, state, "on", true);
    s->first_always = c->chart->n_transitions;
    s->n_always = compile_list(c, state, "always", false);
}

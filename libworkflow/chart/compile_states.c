/* SPDX-License-Identifier: Apache-2.0 */
/* What a state's group says: which keys it may hold, content, invocations, annotations. */
#include "compile_internal.h"

#include <string.h>

/* clang-format off */
#define IN_ATOMIC   (1U << WF_STATE_ATOMIC)
#define IN_COMPOUND (1U << WF_STATE_COMPOUND)
#define IN_PARALLEL (1U << WF_STATE_PARALLEL)
#define IN_FINAL    (1U << WF_STATE_FINAL)
#define IN_HISTORY  (1U << WF_STATE_HISTORY | 1U << WF_STATE_DEEP_HISTORY)
#define IN_STATES   (IN_ATOMIC | IN_COMPOUND | IN_PARALLEL)
#define IN_ALL      (IN_STATES | IN_FINAL | IN_HISTORY)

static const struct {
    const char *key;
    unsigned kinds;
} keys[] = {
    {"type",     IN_ALL},                 {"title",   IN_ALL},               {"note",  IN_ALL},
    {"states",   IN_STATES},              {"initial", IN_COMPOUND},          {"on",    IN_STATES},
    {"always",   IN_STATES},              {"invoke",  IN_STATES},            {"clock", IN_STATES},
    {"deadline", IN_STATES},              {"entry",   IN_STATES | IN_FINAL},
    {"exit",     IN_STATES | IN_FINAL},   {"done",    IN_FINAL},
    {"status",   IN_STATES | IN_FINAL},   {"outcome", IN_FINAL},
    {"default",  IN_HISTORY},
};
/* clang-format on */

static const char *const kind_names[] = {"state without children", "state",
                                         "parallel state",         "final state",
                                         "history state",          "history state"};

static void check_state_keys(struct compiler *c, int state)
{
    const struct wf_node *node = c->nodes[state];
    const char *known[WF_COUNT(keys)];
    for (size_t i = 0; i < WF_COUNT(keys); i++)
        known[i] = keys[i].key;
    check_keys(c, node, known, WF_COUNT(keys));
    enum wf_state_kind kind = c->chart->states[state].kind;
    for (size_t i = 0; i < WF_COUNT(keys); i++) {
        const struct wf_node *child = wf_node_child(node, keys[i].key);
        if (child != NULL && (keys[i].kinds & 1U << kind) == 0)
            problem(c, child, "%s in a %s: it has no meaning there: remove it", keys[i].key,
                    kind_names[kind]);
    }
}

/* ---- where a state's children begin -------------------------------------------------------- */

static void check_inside(struct compiler *c, const struct wf_node *node, struct targets targets,
                         int ancestor, const char *what)
{
    for (size_t i = 0; i < targets.n; i++) {
        int target = targets.items[i];
        if (!is_descendant(c->chart, target, ancestor))
            problem(c, node,
                    "%s \"%s\" lies outside \"%s\": it must be one of the states in it: name "
                    "such a one",
                    what, c->ids[target - 1], ancestor == ROOT ? "chart" : c->ids[ancestor - 1]);
        else if (strcmp(what, "default") == 0 && is_history(c->chart, target))
            problem(c, node,
                    "default \"%s\" is a history state: a default is where to go without "
                    "memory: name a plain state",
                    c->ids[target - 1]);
    }
}

/* "x", ["x", "y"], or { target = "x"; do = ( ... ); } */
static struct entry compile_entry(struct compiler *c, const struct wf_node *node, int ancestor,
                                  const char *what)
{
    static const char *const names[] = {"target", "do"};
    struct entry entry = {{NULL, 0}, {NULL, 0}};
    const struct wf_node *target = node;
    if (node->type == WF_NODE_GROUP) {
        check_keys(c, node, names, WF_COUNT(names));
        target = wf_node_child(node, "target");
        entry.block = compile_block(c, wf_node_child(node, "do"));
        if (target == NULL) {
            problem(c, node, "%s without target: where to begin is missing: add target = \"...\"",
                    what);
            return entry;
        }
    }
    entry.targets = compile_targets(c, target);
    check_inside(c, target, entry.targets, ancestor, what);
    return entry;
}

static void take_first_child(struct compiler *c, int state)
{
    struct wf_chart *chart = c->chart;
    int child = first_child(chart, state);
    while (child != NO_STATE && is_history(chart, child))
        child = next_child(chart, state, child);
    int *items = take(c, sizeof(*items));
    if (child == NO_STATE) {
        problem(c, c->nodes[state], "only history states: nothing can be entered: add a state");
    } else if (items != NULL) {
        items[0] = child;
        chart->states[state].initial.targets = (struct targets){items, 1};
    }
}

void compile_initial(struct compiler *c, int state, const struct wf_node *group)
{
    const struct wf_node *node = wf_node_child(group, "initial");
    if (node != NULL)
        c->chart->states[state].initial = compile_entry(c, node, state, "initial");
    else
        take_first_child(c, state);
}

static void compile_history(struct compiler *c, int state)
{
    const struct wf_node *node = wf_node_child(c->nodes[state], "default");
    int parent = c->chart->states[state].parent;
    if (c->chart->states[parent].kind == WF_STATE_PARALLEL &&
        c->chart->states[state].kind == WF_STATE_HISTORY)
        wf_report_warn(c->report, c->nodes[state]->file, c->nodes[state]->line,
                       "history of a parallel state: its regions begin anew: use deep_history");
    if (node == NULL)
        problem(c, c->nodes[state],
                "history without default: it must say where to go before the "
                "state was ever left: add default = \"...\"");
    else
        c->chart->states[state].initial = compile_entry(c, node, parent, "default");
}

static void check_children(struct compiler *c, int state)
{
    struct wf_chart *chart = c->chart;
    enum wf_state_kind kind = chart->states[state].kind;
    size_t n_regions = 0;
    for (int i = first_child(chart, state); i != NO_STATE; i = next_child(chart, state, i)) {
        n_regions += !is_history(chart, i);
        if (kind == WF_STATE_PARALLEL && chart->states[i].kind == WF_STATE_FINAL)
            problem(c, c->nodes[i],
                    "final state directly in a parallel state: a parallel state ends "
                    "when all its regions do: put it in a region");
    }
    if (kind == WF_STATE_PARALLEL && n_regions == 0)
        problem(c, c->nodes[state],
                "parallel state without regions: nothing runs in it: add states");
}

/* ---- invocations --------------------------------------------------------------------------- */

static void compile_invocation(struct compiler *c, int state, const struct wf_node *node)
{
    static const char *const reserved[] = {"activity", "id", "role"};
    struct wf_chart *chart = c->chart;
    struct state *s = &chart->states[state];
    size_t n = chart->n_invocations;
    struct invocation *all = take_more(c, chart->invocations, n, sizeof(*all));
    struct wf_chart_invoke *views = take_more(c, chart->public_invokes, n, sizeof(*views));
    const char *activity = read_text(c, node, "activity");
    const char *id = read_text(c, node, "id");
    const char *role = read_text(c, node, "role");
    if (wf_node_child(node, "activity") == NULL)
        problem(c, node,
                "invoke without activity: what to start is missing: add activity = \"...\"");
    if (id != NULL && !is_event_name(id))
        problem(c, node, "\"%s\" is no id: done.invoke.ID must be an event name: correct it", id);
    if (all == NULL || views == NULL || activity == NULL)
        return;
    chart->invocations = all;
    chart->public_invokes = views;
    chart->n_invocations++;
    s->n_invokes++;
    all[n].activity = take_text(c, wf_str(activity));
    all[n].role = role != NULL ? take_text(c, wf_str(role)) : NULL;
    all[n].id = id != NULL
                    ? take_text(c, wf_str(id))
                    : wf_arena_printf(chart->arena, "%s.%zu", s->id->u.text.ptr, s->n_invokes);
    all[n].line = node->line;
    all[n].params = compile_params(c, node, reserved, WF_COUNT(reserved));
    if (all[n].id == NULL)
        c->no_memory = true;
    views[n] = (struct wf_chart_invoke){.state = state - 1,
                                        .activity = all[n].activity,
                                        .id = all[n].id,
                                        .role = all[n].role,
                                        .line = node->line,
                                        .node = node};
}

/* May both states be active at once: one in the other, or in different regions? */
static bool may_coincide(const struct wf_chart *chart, int a, int b)
{
    if (a == b || is_descendant(chart, a, b) || is_descendant(chart, b, a))
        return true;
    int common = chart->states[a].parent;
    while (!is_descendant(chart, b, common))
        common = chart->states[common].parent;
    return chart->states[common].kind == WF_STATE_PARALLEL;
}

/* Two running invocations of one id could not be told apart; exclusive states may share one. */
static void check_invoke_ids(struct compiler *c, size_t first)
{
    const struct wf_chart_invoke *views = c->chart->public_invokes;
    for (size_t i = first; i < c->chart->n_invocations && !c->no_memory; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(views[i].id, views[k].id) != 0 ||
                !may_coincide(c->chart, views[i].state + 1, views[k].state + 1))
                continue;
            problem(c, views[i].node,
                    "invoke id \"%s\" is used at line %d too: both can run at once "
                    "and could not be told apart: rename one",
                    views[i].id, views[k].line);
            break;
        }
    }
}

static void compile_invocations(struct compiler *c, int state)
{
    const struct wf_node *list = as_list(c, wf_node_child(c->nodes[state], "invoke"), "invoke");
    size_t first = c->chart->n_invocations;
    c->chart->states[state].first_invoke = first;
    for (size_t i = 0; list != NULL && i < wf_node_count(list); i++) {
        const struct wf_node *node = wf_node_at(list, i);
        if (node->type == WF_NODE_GROUP)
            compile_invocation(c, state, node);
        else
            problem(c, node,
                    "invoke holds a %s: invocations are groups: write ( { activity = "
                    "\"...\"; } )",
                    wf_node_type_name(node->type));
    }
    check_invoke_ids(c, first);
}

/* ---- annotations --------------------------------------------------------------------------- */

static const char *copy_of(struct compiler *c, const struct wf_node *group, const char *key)
{
    const char *text = group != NULL ? read_text(c, group, key) : NULL;
    return text != NULL ? take_text(c, wf_str(text)) : NULL;
}

static int read_status(struct compiler *c, const struct wf_node *group)
{
    const struct wf_node *node = wf_node_child(group, "status");
    if (node == NULL)
        return 0;
    if (node->type == WF_NODE_INT && node->u.integer >= 1 && node->u.integer <= 10)
        return (int)node->u.integer;
    problem(c, node,
            "status is no portal status: the national portal has the numbers 1 to 10: "
            "write one of them");
    return 0;
}

static const char *read_deadline(struct compiler *c, const struct wf_node *group)
{
    const char *text = read_text(c, group, "deadline");
    if (text != NULL && !is_duration(text))
        problem(
            c, wf_node_child(group, "deadline"),
            "deadline \"%s\" is no duration: an amount and a unit are needed: write for example "
            "\"2 working days\"",
            text);
    return text != NULL ? take_text(c, wf_str(text)) : NULL;
}

static bool read_clock(struct compiler *c, const struct wf_node *group)
{
    const char *text = read_text(c, group, "clock");
    if (text != NULL && strcmp(text, "stopped") != 0 && strcmp(text, "running") != 0)
        problem(c, wf_node_child(group, "clock"),
                "clock \"%s\" is unknown: it is stopped or running: correct it", text);
    return text != NULL && strcmp(text, "stopped") == 0;
}

static const struct wf_node *read_title(struct compiler *c, const struct wf_node *group)
{
    static const char *const names[] = {"vi", "en"};
    const struct wf_node *title = wf_node_child(group, "title");
    if (title != NULL && title->type != WF_NODE_GROUP) {
        problem(c, title,
                "title is a %s: it is given in two languages: write { vi = \"...\"; en = "
                "\"...\"; }",
                wf_node_type_name(title->type));
        return NULL;
    }
    if (title != NULL)
        check_keys(c, title, names, WF_COUNT(names));
    return title;
}

static void compile_annotations(struct compiler *c, int state)
{
    struct state *s = &c->chart->states[state];
    const struct wf_node *node = c->nodes[state];
    const struct wf_node *title = read_title(c, node);
    s->deadline = read_deadline(c, node);
    c->chart->public_states[state - 1] =
        (struct wf_chart_state){.id = s->id->u.text.ptr,
                                .kind = s->kind,
                                .parent = s->parent == ROOT ? -1 : s->parent - 1,
                                .line = node->line,
                                .deadline = s->deadline,
                                .clock_stopped = read_clock(c, node),
                                .status = read_status(c, node),
                                .outcome = copy_of(c, node, "outcome"),
                                .title_vi = copy_of(c, title, "vi"),
                                .title_en = copy_of(c, title, "en")};
    (void)read_text(c, node, "note");
}

static const struct template *compile_donedata(struct compiler *c, const struct wf_node *group)
{
    static const char *const names[] = {"data"};
    const struct wf_node *done = wf_node_child(group, "done");
    if (done == NULL)
        return NULL;
    if (done->type != WF_NODE_GROUP || wf_node_child(done, "data") == NULL) {
        problem(c, done,
                "done without data: it says what done.state carries: write done = { data = "
                "...; };");
        return NULL;
    }
    check_keys(c, done, names, WF_COUNT(names));
    return compile_value(c, wf_node_child(done, "data"), NULL);
}

void compile_state(struct compiler *c, int state)
{
    struct state *s = &c->chart->states[state];
    const struct wf_node *node = c->nodes[state];
    check_state_keys(c, state);
    check_children(c, state);
    compile_annotations(c, state);
    s->done_event = wf_arena_printf(c->chart->arena, "done.state.%s", s->id->u.text.ptr);
    s->deadline_event = wf_arena_printf(c->chart->arena, "deadline.%s", s->id->u.text.ptr);
    if (s->done_event == NULL || s->deadline_event == NULL)
        c->no_memory = true;
    if (is_history(c->chart, state)) {
        compile_history(c, state);
        return;
    }
    if (s->kind == WF_STATE_COMPOUND)
        compile_initial(c, state, node);
    s->entry_block = compile_block(c, wf_node_child(node, "entry"));
    s->exit_block = compile_block(c, wf_node_child(node, "exit"));
    s->donedata = compile_donedata(c, node);
    compile_transitions(c, state);
    compile_invocations(c, state);
}

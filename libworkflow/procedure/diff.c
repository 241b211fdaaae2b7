/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two definitions compared by their settings, so that nothing that can be written is passed over.
 * Papers, fields, results and states are matched by id wherever they stand; ways out of a state by
 * event and condition, in order, because their order decides which one is taken.
 */
#include "tools.h"

#include <string.h>

struct diff {
    struct wf_arena *arena;
    struct wf_value *changes;
};

/* ---- one change ---------------------------------------------------------------------------- */

static const struct wf_value *text_of(const struct diff *d, const struct wf_node *node)
{
    struct wf_buf buf = {0};
    if (node == NULL)
        return &wf_null;
    render_node(node, &buf);
    const struct wf_value *text =
        buf.failed ? NULL : wf_text_n(d->arena, (const char *)buf.ptr, buf.len);
    wf_buf_fini(&buf);
    return text;
}

struct subject {
    const char *what; /* "state" */
    const char *id;
};

static void note(const struct diff *d, struct subject s, const char *change, const char *member,
                 const struct wf_value *from, const struct wf_value *to)
{
    struct wf_value *row = wf_map(d->arena);
    (void)wf_map_put(d->arena, row, "what", wf_text(d->arena, s.what));
    (void)wf_map_put(d->arena, row, "id", wf_text(d->arena, s.id));
    (void)wf_map_put(d->arena, row, "change", wf_text(d->arena, change));
    if (member != NULL)
        (void)wf_map_put(d->arena, row, "member", wf_text(d->arena, member));
    if (from != &wf_null)
        (void)wf_map_put(d->arena, row, "from", from);
    if (to != &wf_null)
        (void)wf_map_put(d->arena, row, "to", to);
    (void)wf_list_add(d->arena, d->changes, row);
}

/* ---- equality: the order of a group's settings does not count, that of a list does --------- */

static bool is_same(const struct wf_node *a, const struct wf_node *b);

static bool is_same_group(const struct wf_node *a, const struct wf_node *b)
{
    for (size_t i = 0; i < wf_node_count(a); i++) {
        const struct wf_node *other = wf_node_child(b, wf_node_at(a, i)->name);
        if (other == NULL || !is_same(wf_node_at(a, i), other))
            return false;
    }
    return true;
}

static bool is_same(const struct wf_node *a, const struct wf_node *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case WF_NODE_TEXT:
        return wf_str_equal(a->u.text, b->u.text);
    case WF_NODE_INT:
        return a->u.integer == b->u.integer;
    case WF_NODE_NUMBER:
        return a->u.number <= b->u.number && a->u.number >= b->u.number;
    case WF_NODE_BOOL:
        return a->u.boolean == b->u.boolean;
    case WF_NODE_GROUP:
        return wf_node_count(a) == wf_node_count(b) && is_same_group(a, b);
    case WF_NODE_LIST:
        break;
    }
    if (wf_node_count(a) != wf_node_count(b))
        return false;
    for (size_t i = 0; i < wf_node_count(a); i++) {
        if (!is_same(wf_node_at(a, i), wf_node_at(b, i)))
            return false;
    }
    return true;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Members of two groups; those in `apart` are compared elsewhere. */
static void compare_members(const struct diff *d, struct subject s, const struct wf_node *a,
                            const struct wf_node *b, const char *const *apart)
{
    for (size_t i = 0; i < wf_node_count(a); i++) {
        const struct wf_node *from = wf_node_at(a, i);
        const struct wf_node *to = wf_node_child(b, from->name);
        if (is_one_of(from->name, apart) || (to != NULL && is_same(from, to)))
            continue;
        note(d, s, "changed", from->name, text_of(d, from), text_of(d, to));
    }
    for (size_t i = 0; i < wf_node_count(b); i++) {
        const struct wf_node *to = wf_node_at(b, i);
        if (!is_one_of(to->name, apart) && wf_node_child(a, to->name) == NULL)
            note(d, s, "changed", to->name, &wf_null, text_of(d, to));
    }
}

/* ---- lists of groups with an id ------------------------------------------------------------ */

static const struct wf_node *by_id(const struct wf_node *list, const char *id)
{
    for (size_t i = 0; list != NULL && i < wf_node_count(list); i++) {
        const char *other = node_text(wf_node_at(list, i), "id");
        if (other != NULL && strcmp(other, id) == 0)
            return wf_node_at(list, i);
    }
    return NULL;
}

static void compare_lists(const struct diff *d, const char *what, const struct wf_node *a,
                          const struct wf_node *b)
{
    static const char *const apart[] = {"id", NULL};
    for (size_t i = 0; a != NULL && i < wf_node_count(a); i++) {
        const struct subject s = {what, node_text(wf_node_at(a, i), "id")};
        const struct wf_node *other = s.id != NULL ? by_id(b, s.id) : NULL;
        if (other != NULL)
            compare_members(d, s, wf_node_at(a, i), other, apart);
        else
            note(d, s, "removed", NULL, text_of(d, wf_node_at(a, i)), &wf_null);
    }
    for (size_t i = 0; b != NULL && i < wf_node_count(b); i++) {
        const struct subject s = {what, node_text(wf_node_at(b, i), "id")};
        if (s.id != NULL && by_id(a, s.id) == NULL)
            note(d, s, "added", NULL, &wf_null, text_of(d, wf_node_at(b, i)));
    }
}

/* ---- transitions --------------------------------------------------------------------------- */

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same_trigger(const struct wf_node *a, const struct wf_node *b)
{
    return is_same_text(node_text(a, "event"), node_text(b, "event")) &&
           is_same_text(node_text(a, "cond"), node_text(b, "cond"));
}

/* The n-th of the list with this trigger: equal triggers are paired in order. */
static const struct wf_node *nth_like(const struct wf_node *list, const struct wf_node *like,
                                      size_t n, size_t *out_index)
{
    for (size_t i = 0; list != NULL && i < wf_node_count(list); i++) {
        if (is_same_trigger(wf_node_at(list, i), like) && n-- == 0) {
            *out_index = i;
            return wf_node_at(list, i);
        }
    }
    return NULL;
}

static const struct wf_node *partner(const struct wf_node *own, size_t i,
                                     const struct wf_node *other, size_t *out_index)
{
    size_t before = 0;
    for (size_t k = 0; k < i; k++)
        before += is_same_trigger(wf_node_at(own, k), wf_node_at(own, i));
    return nth_like(other, wf_node_at(own, i), before, out_index);
}

static const char *trigger_words(const struct diff *d, const char *state, const struct wf_node *t)
{
    const char *event = node_text(t, "event");
    const char *cond = node_text(t, "cond");
    const char *words = wf_arena_printf(d->arena, "%s: %s%s%s%s", state,
                                        event != NULL ? event : "always", cond != NULL ? " [" : "",
                                        cond != NULL ? cond : "", cond != NULL ? "]" : "");
    return words != NULL ? words : state;
}

static void compare_transitions(const struct diff *d, const char *state, const struct wf_node *a,
                                const struct wf_node *b)
{
    static const char *const apart[] = {"event", "cond", NULL};
    size_t last = 0;
    bool is_reordered = false;
    for (size_t i = 0; a != NULL && i < wf_node_count(a); i++) {
        const struct wf_node *t = wf_node_at(a, i);
        const struct subject s = {"transition", trigger_words(d, state, t)};
        size_t at = 0;
        const struct wf_node *other = partner(a, i, b, &at);
        if (other == NULL) {
            note(d, s, "removed", NULL, text_of(d, t), &wf_null);
            continue;
        }
        compare_members(d, s, t, other, apart);
        is_reordered |= at < last;
        last = at;
    }
    for (size_t i = 0; b != NULL && i < wf_node_count(b); i++) {
        const struct wf_node *t = wf_node_at(b, i);
        const struct subject s = {"transition", trigger_words(d, state, t)};
        if (partner(b, i, a, &(size_t){0}) == NULL)
            note(d, s, "added", NULL, &wf_null, text_of(d, t));
    }
    if (is_reordered)
        note(d, (struct subject){"transition", state}, "reordered", NULL, &wf_null, &wf_null);
}

/* ---- states -------------------------------------------------------------------------------- */

static const char *const state_apart[] = {"on", "always", "states", NULL};

/* The state without what stands in it: `{ status = 4; ... }`. */
static void note_state(const struct diff *d, const struct view *v, int state, const char *change)
{
    const struct subject s = {"state", v->states[state].id};
    const struct wf_value *title = wf_text(d->arena, view_title(v, state));
    bool is_new = strcmp(change, "added") == 0;
    note(d, s, change, NULL, is_new ? &wf_null : title, is_new ? title : &wf_null);
}

static const char *parent_id(const struct view *v, int state)
{
    int parent = v->states[state].parent;
    return parent >= 0 ? v->states[parent].id : "(top)";
}

static void compare_states(const struct diff *d, const struct view *a, const struct view *b)
{
    for (size_t i = 0; i < a->n_states; i++) {
        const struct subject s = {"state", a->states[i].id};
        int other = wf_chart_find(b->p->chart, s.id);
        const struct wf_node *from = view_node(a, (int)i);
        const struct wf_node *to = other >= 0 ? view_node(b, other) : NULL;
        if (from == NULL || to == NULL) {
            note_state(d, a, (int)i, "removed");
            continue;
        }
        if (strcmp(parent_id(a, (int)i), parent_id(b, other)) != 0)
            note(d, s, "changed", "inside of", wf_text(d->arena, parent_id(a, (int)i)),
                 wf_text(d->arena, parent_id(b, other)));
        compare_members(d, s, from, to, state_apart);
        compare_transitions(d, s.id, wf_node_child(from, "on"), wf_node_child(to, "on"));
        compare_transitions(d, s.id, wf_node_child(from, "always"), wf_node_child(to, "always"));
    }
    for (size_t i = 0; i < b->n_states; i++) {
        const char *id = b->states[i].id;
        const struct wf_node *node = view_node(b, (int)i);
        if (wf_chart_find(a->p->chart, id) >= 0 || node == NULL)
            continue;
        note_state(d, b, (int)i, "added");
        compare_transitions(d, id, NULL, wf_node_child(node, "on"));
        compare_transitions(d, id, NULL, wf_node_child(node, "always"));
    }
}

/* ---- the whole ----------------------------------------------------------------------------- */

const struct wf_value *wf_procedure_diff(const struct wf_procedure *a, const struct wf_procedure *b,
                                         struct wf_arena *arena)
{
    static const struct {
        const char *key;
        const char *what;
    } lists[] = {{"papers", "paper"}, {"fields", "field"}, {"results", "result"}};
    static const char *const apart[] = {"version", "papers", "fields", "results",
                                        "states",  "data",   NULL};
    static const char *const none[] = {NULL};
    const struct view from = view_of(a, false);
    const struct view to = view_of(b, false);
    const struct diff d = {arena, wf_list(arena)};
    compare_members(&d, (struct subject){"setting", "procedure"}, from.group, to.group, apart);
    for (size_t i = 0; i < WF_COUNT(lists); i++)
        compare_lists(&d, lists[i].what, wf_node_child(from.group, lists[i].key),
                      wf_node_child(to.group, lists[i].key));
    static const struct wf_node no_data = {.type = WF_NODE_GROUP};
    const struct wf_node *data_a = wf_node_child(from.group, "data");
    const struct wf_node *data_b = wf_node_child(to.group, "data");
    compare_members(&d, (struct subject){"data", "data"}, data_a != NULL ? data_a : &no_data,
                    data_b != NULL ? data_b : &no_data, none);
    compare_states(&d, &from, &to);
    return wf_value_is_whole(d.changes) ? d.changes : NULL;
}

static void add_line(const struct wf_value *row, struct wf_buf *out)
{
    const char *change = wf_value_text(wf_map_get(row, "change"), "");
    const char *member = wf_value_text(wf_map_get(row, "member"), NULL);
    const char *from = wf_value_text(wf_map_get(row, "from"), NULL);
    const char *to = wf_value_text(wf_map_get(row, "to"), NULL);
    const char *what = wf_value_text(wf_map_get(row, "what"), "");
    bool is_outer = strcmp(what, "setting") == 0 || strcmp(what, "data") == 0;
    const char *mark = strcmp(change, "added") == 0     ? "+"
                       : strcmp(change, "removed") == 0 ? "-"
                                                        : "~";
    wf_buf_printf(out, "%s %s", mark, what);
    if (!is_outer)
        wf_buf_printf(out, " %s", wf_value_text(wf_map_get(row, "id"), ""));
    if (member != NULL)
        wf_buf_printf(out, "%s %s", is_outer ? "" : ":", member);
    if (strcmp(change, "changed") == 0)
        wf_buf_printf(out, ": %s -> %s", from != NULL ? from : "(none)",
                      to != NULL ? to : "(none)");
    else if (strcmp(change, "reordered") == 0)
        wf_buf_text(out, ": the order has changed");
    else
        wf_buf_printf(out, " %s", from != NULL ? from : to != NULL ? to : "");
    wf_buf_text(out, "\n");
}

void wf_procedure_diff_lines(const struct wf_value *changes, struct wf_buf *out)
{
    for (size_t i = 0; i < wf_value_count(changes); i++)
        add_line(wf_list_at(changes, i), out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journey in steps: every state in which something is waited for or done has a number, in the
 * order in which the definition has them, and names the steps that may follow.
 */
#include "explain.h"

#include <string.h>

struct telling {
    const struct page *page;
    const struct wf_node *node; /* of the state */
    int state;
};

static bool is_step(const struct view *v, int state)
{
    return v->states[state].kind == WF_STATE_ATOMIC;
}

static int number_of(const struct view *v, int state)
{
    int n = 0;
    for (int i = 0; i <= state; i++)
        n += is_step(v, i);
    return n;
}

/* ---- where a way leads --------------------------------------------------------------------- */

static void say_target(const struct page *page, int state)
{
    const struct view *v = &page->v;
    while (state >= 0 && v->states[state].kind == WF_STATE_COMPOUND)
        state = view_initial(v, state);
    if (state < 0)
        return;
    if (view_is_history(v, state))
        wf_buf_text(page->out,
                    SAY(page, "trở lại bước đang làm", "back to the step that was left"));
    else if (v->states[state].kind == WF_STATE_FINAL)
        wf_buf_printf(page->out, "%s: %s", SAY(page, "kết thúc", "end"), view_title(v, state));
    else if (v->states[state].kind == WF_STATE_PARALLEL)
        wf_buf_text(page->out, view_title(v, state));
    else
        wf_buf_printf(page->out, "%s %d, %s", SAY(page, "bước", "step"), number_of(v, state),
                      view_title(v, state));
}

static void say_targets(const struct page *page, const struct wf_node *target)
{
    if (target->type == WF_NODE_TEXT)
        say_target(page, wf_chart_find(page->v.p->chart, target->u.text.ptr));
    for (size_t i = 0; target->type == WF_NODE_LIST && i < wf_node_count(target); i++) {
        wf_buf_text(page->out, i > 0 ? SAY(page, " và ", " and ") : "");
        say_targets(page, wf_node_at(target, i));
    }
}

/* Is there an earlier way out for the same event? Then this one is what remains. */
static bool is_rest(const struct wf_node *transition)
{
    const struct wf_node *list = transition->parent;
    const char *event = node_text(transition, "event");
    for (size_t i = 0; i < wf_node_count(list) && wf_node_at(list, i) != transition; i++) {
        const char *other = node_text(wf_node_at(list, i), "event");
        if (event == other || (event != NULL && other != NULL && strcmp(event, other) == 0))
            return true;
    }
    return false;
}

static bool is_internal(const struct wf_node *transition)
{
    const char *event = node_text(transition, "event");
    return event != NULL &&
           (wf_starts_with(event, "progress.") || wf_starts_with(event, "done.send."));
}

static void add_way(void *context, const struct wf_node *transition)
{
    const struct telling *t = context;
    const struct page *page = t->page;
    const struct wf_node *target = wf_node_child(transition, "target");
    const char *event = node_text(transition, "event");
    if (is_internal(transition) || (event != NULL && strcmp(event, "retry") == 0))
        return;
    wf_buf_text(page->out, "    - ");
    say_trigger(page, transition, is_rest(transition));
    wf_buf_text(page->out, ": ");
    bool said = say_actions(page, transition, "do", true);
    if (target != NULL) {
        wf_buf_text(page->out, said ? "; " : "");
        wf_buf_text(page->out, "→ ");
        say_targets(page, target);
    } else if (!said) {
        wf_buf_text(page->out, SAY(page, "ghi nhận", "noted"));
    }
    wf_buf_text(page->out, "\n");
}

/* ---- steps --------------------------------------------------------------------------------- */

static void add_invoke(void *context, const struct wf_node *invoke)
{
    const struct telling *t = context;
    wf_buf_text(t->page->out, "    ");
    say_invoke(t->page, invoke);
    wf_buf_text(t->page->out, ".\n");
}

static void add_entry(const struct page *page, const struct wf_node *node)
{
    struct wf_buf words = {0};
    struct page aside = *page;
    aside.out = &words;
    if (say_actions(&aside, node, "entry", true)) {
        wf_buf_printf(page->out, "    %s: ", SAY(page, "Khi bắt đầu", "At its beginning"));
        wf_buf_add(page->out, words.ptr, words.len);
        wf_buf_text(page->out, ".\n");
    }
    page->out->failed |= words.failed;
    wf_buf_fini(&words);
}

static void add_step(const struct page *page, int state)
{
    const struct wf_chart_state *s = &page->v.states[state];
    struct telling t = {page, view_node(&page->v, state), state};
    wf_buf_printf(page->out, "\n%3d. %s", number_of(&page->v, state), view_title(&page->v, state));
    wf_buf_printf(page->out, "  [%s]\n",
                  wf_status_words(view_status(&page->v, state), page->v.vietnamese));
    add_entry(page, t.node);
    each_node(t.node, "invoke", add_invoke, &t);
    if (s->deadline != NULL) {
        wf_buf_printf(page->out, "    %s: ", SAY(page, "Thời gian của bước", "Time for the step"));
        say_duration(page, s->deadline);
        wf_buf_text(page->out, ".\n");
    }
    if (s->clock_stopped)
        wf_buf_printf(page->out, "    %s.\n",
                      SAY(page, "Thời gian chờ không tính vào thời hạn giải quyết",
                          "The time limit stands still meanwhile"));
    each_node(t.node, "on", add_way, &t);
    each_node(t.node, "always", add_way, &t);
}

void explain_steps(const struct page *page)
{
    wf_buf_printf(page->out, "\n%s\n", SAY(page, "CÁC BƯỚC", "STEPS"));
    for (size_t i = 0; i < page->v.n_states; i++) {
        if (is_step(&page->v, (int)i))
            add_step(page, (int)i);
    }
}

/* ---- what may happen at any step ----------------------------------------------------------- */

/* The steps inside of a state that has no title. */
static void say_range(const struct page *page, int outer)
{
    const struct view *v = &page->v;
    int first = 0;
    int last = 0;
    for (size_t i = 0; i < v->n_states; i++) {
        if (!is_step(v, (int)i) || !view_is_inside(v, (int)i, outer))
            continue;
        last = number_of(v, (int)i);
        first = first == 0 ? last : first;
    }
    wf_buf_printf(page->out, SAY(page, "bước %d đến %d", "steps %d to %d"), first, last);
}

/* The title of the nearest state that has one; a clerk knows no ids. */
static void say_place(const struct page *page, int state)
{
    const struct view *v = &page->v;
    if (is_step(v, state)) {
        wf_buf_printf(page->out, "%s %d, %s", SAY(page, "bước", "step"), number_of(v, state),
                      view_title(v, state));
        return;
    }
    const int outer = state;
    while (state >= 0 && v->states[state].title_vi == NULL)
        state = v->states[state].parent;
    if (state >= 0)
        wf_buf_text(page->out, view_title(v, state));
    else
        say_range(page, outer);
}

static void say_roles(const struct page *page, const struct wf_node *transition)
{
    const struct wf_node *roles = wf_node_child(transition, "roles");
    for (size_t i = 0; roles != NULL && i < wf_node_count(roles); i++) {
        const struct wf_node *role = wf_node_at(roles, i);
        if (role->type == WF_NODE_TEXT)
            wf_buf_printf(page->out, "%s%s", i == 0 ? " (" : ", ",
                          say_role(page, role->u.text.ptr));
    }
    if (roles != NULL && wf_node_count(roles) > 0)
        wf_buf_text(page->out, ")");
}

static void add_general(void *context, const struct wf_node *transition)
{
    const struct telling *t = context;
    const struct page *page = t->page;
    const struct wf_node *target = wf_node_child(transition, "target");
    if (is_internal(transition) || node_text(transition, "event") == NULL)
        return;
    wf_buf_text(page->out, "  - ");
    say_trigger(page, transition, is_rest(transition));
    say_roles(page, transition);
    wf_buf_text(page->out, " – ");
    say_place(page, t->state);
    wf_buf_text(page->out, ": ");
    bool said = say_actions(page, transition, "do", true);
    if (target != NULL) {
        wf_buf_text(page->out, said ? "; → " : "→ ");
        say_targets(page, target);
    } else if (!said) {
        wf_buf_text(page->out, SAY(page, "ghi nhận", "noted"));
    }
    wf_buf_text(page->out, "\n");
}

void explain_lateness(const struct page *page)
{
    wf_buf_printf(page->out, "\n%s\n",
                  SAY(page, "QUÁ HẠN, RÚT HỒ SƠ, TRỞ NGẠI", "LATE, WITHDRAWN, OBSTRUCTED"));
    for (size_t i = 0; i < page->v.n_states; i++) {
        struct telling t = {page, view_node(&page->v, (int)i), (int)i};
        if (view_has_children(&page->v, (int)i))
            each_node(t.node, "on", add_general, &t);
    }
}

/* ---- endings ------------------------------------------------------------------------------- */

static bool leads_to(const struct wf_chart_transition *t, int state)
{
    for (size_t i = 0; i < t->n_targets; i++) {
        if (t->targets[i] == state)
            return true;
    }
    return false;
}

static void add_ending(const struct page *page, int state)
{
    const struct view *v = &page->v;
    const char *mark = SAY(page, " – sau ", " – after ");
    int last = -1;
    wf_buf_printf(page->out, "  - %s: %s", say_outcome(page, v->states[state].outcome),
                  view_title(v, state));
    for (size_t i = 0; i < v->n_transitions; i++) {
        if (!leads_to(&v->transitions[i], state) || v->transitions[i].source == last)
            continue;
        last = v->transitions[i].source;
        wf_buf_text(page->out, mark);
        say_place(page, last);
        mark = ", ";
    }
    wf_buf_text(page->out, "\n");
}

void explain_endings(const struct page *page)
{
    wf_buf_printf(page->out, "\n%s\n", SAY(page, "HỒ SƠ KẾT THÚC THẾ NÀO", "HOW IT CAN END"));
    for (size_t i = 0; i < page->v.n_states; i++) {
        if (page->v.states[i].kind == WF_STATE_FINAL && page->v.states[i].parent < 0)
            add_ending(page, (int)i);
    }
}

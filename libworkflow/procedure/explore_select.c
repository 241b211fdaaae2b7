/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One selection, as chart/select.c makes it, but in all ways in which the conditions may turn out:
 * each active atomic state in turn chooses, and where a condition is not known, both branches are
 * followed.
 */
#include "explore_internal.h"

#include <string.h>

#include "workflow/text.h"

static bool are_in_conflict(const struct wf_chart *chart, int a, int b)
{
    if (a == NO_DOMAIN || b == NO_DOMAIN)
        return false;
    return a == b || is_descendant(chart, a, b) || is_descendant(chart, b, a);
}

static bool have_same_condition(const struct walk *k, int a, int b)
{
    return k->guard_of[a] == k->guard_of[b];
}

static bool are_alike(const struct transition *a, const struct transition *b)
{
    return a->block.n == 0 && b->block.n == 0 && a->targets.n == b->targets.n &&
           memcmp(a->targets.items, b->targets.items, a->targets.n * sizeof(int)) == 0;
}

/* Two that are always enabled together, neither inside the other: one is lost each time. */
static void note_rivals(struct walk *k, int first, int second)
{
    struct explored *x = k->x;
    const struct transition *a = &k->chart->transitions[first];
    const struct transition *b = &k->chart->transitions[second];
    if (!have_same_condition(k, first, second) || are_alike(a, b) || a->source == b->source ||
        is_descendant(k->chart, a->source, b->source) ||
        is_descendant(k->chart, b->source, a->source))
        return;
    for (size_t i = 0; i < x->n_rivals; i++) {
        if (x->rivals[i].first == first && x->rivals[i].second == second)
            return;
    }
    if (x->n_rivals < WF_COUNT(x->rivals))
        x->rivals[x->n_rivals++] = (struct explore_rivals){first, second};
}

/* As remove_conflicts of chart/select.c; gives how many are left in k->kept. */
static size_t remove_conflicts(struct walk *k)
{
    const struct wf_chart *chart = k->chart;
    size_t n = 0;
    for (size_t i = 0; i < k->n_enabled; i++) {
        const struct transition *t = &chart->transitions[k->enabled[i]];
        int domain = explore_domain(&k->w, t);
        bool is_preempted = false;
        for (size_t j = 0; j < n && !is_preempted; j++) {
            if (!are_in_conflict(chart, domain, k->domains[j]))
                continue;
            is_preempted = !is_descendant(chart, t->source, chart->transitions[k->kept[j]].source);
            if (is_preempted)
                note_rivals(k, k->kept[j], k->enabled[i]);
        }
        if (is_preempted)
            continue;
        size_t left = 0;
        for (size_t j = 0; j < n; j++) {
            if (are_in_conflict(chart, domain, k->domains[j]))
                continue;
            k->domains[left] = k->domains[j];
            k->kept[left++] = k->kept[j];
        }
        k->domains[left] = domain;
        k->kept[left++] = k->enabled[i];
        n = left;
    }
    return n;
}

/* All active states have chosen: the step is made. */
static void take_enabled(struct walk *k)
{
    if (k->n_enabled == 0) {
        k->can_idle = true;
        if (k->mode != MODE_RAISED)
            return;
    }
    explore_load(k);
    /* What a step costs: conflicts are looked for in pairs, and so are the ends of regions. */
    k->work +=
        1 + k->chart->n_words + k->n_enabled * k->n_enabled / 16 + k->n_atoms * k->n_atoms / 16;
    size_t n = remove_conflicts(k);
    if (k->mode == MODE_RAISED)
        explore_drop_event(k);
    for (size_t i = 0; i < n; i++)
        k->x->transition_taken[k->kept[i]] = true;
    if (n > 0)
        explore_microstep(&k->w, k->kept, n);
    explore_add_edge(k, n > 0 ? k->kept[0] : -1);
}

static void choose(struct walk *k, size_t atom);

static void choose_transition(struct walk *k, size_t atom, int transition)
{
    size_t before = k->n_enabled;
    bool is_chosen = false;
    for (size_t i = 0; i < before && !is_chosen; i++)
        is_chosen = k->enabled[i] == transition;
    if (!is_chosen)
        k->enabled[k->n_enabled++] = transition;
    choose(k, atom + 1);
    k->n_enabled = before;
}

static int ask_guard(struct walk *k, int transition)
{
    int guard = k->guard_of[transition];
    if (guard >= 0 && k->decided[guard] >= 0)
        return k->decided[guard];
    return explore_truth(k->chart, k->x->nodes[k->from].words,
                         k->chart->transitions[transition].cond);
}

/* May only some raise its event? */
static bool is_open_to_all(const struct wf_chart *chart, int t)
{
    const struct wf_chart_transition *view = &chart->public_transitions[t];
    return view->n_roles == 0 && view->n_channels == 0 && view->n_models == 0;
}

/* The transitions of a state and those around it, from the i-th of the state on. */
static void choose_from(struct walk *k, size_t atom, int state, size_t i)
{
    const struct wf_chart *chart = k->chart;
    for (; state > ROOT; state = chart->states[state].parent, i = 0) {
        const struct state *s = &chart->states[state];
        size_t first = k->mode != MODE_ALWAYS ? s->first_on : s->first_always;
        size_t n = k->mode != MODE_ALWAYS ? s->n_on : s->n_always;
        for (; i < n; i++) {
            int t = (int)(first + i);
            if (k->mode != MODE_ALWAYS && !transition_matches(&chart->transitions[t], k->event))
                continue;
            int truth = ask_guard(k, t);
            k->x->transition_asked[t] = true;
            k->x->transition_held[t] = k->x->transition_held[t] || truth != 0;
            if (truth == 0)
                continue;
            if (truth > 0) {
                choose_transition(k, atom, t);
                if (is_open_to_all(chart, t))
                    return;
                continue; /* whom it does not let is heard by a later one */
            }
            signed char *decided = &k->decided[k->guard_of[t]];
            *decided = 1;
            choose_transition(k, atom, t);
            *decided = 0;
            choose_from(k, atom, state, i + 1);
            *decided = -1;
            return;
        }
    }
    choose(k, atom + 1);
}

static void choose(struct walk *k, size_t atom)
{
    if (k->out_of_memory || k->is_over)
        return;
    if (++k->work > EXPLORE_MAX_WORK) {
        explore_give_up(k);
        return;
    }
    if (atom == k->n_atoms)
        take_enabled(k);
    else
        choose_from(k, atom, k->atoms[atom], 0);
}

void explore_select(struct walk *k, enum explore_mode mode, const char *event, unsigned flags)
{
    k->mode = mode;
    k->event = event;
    k->edge_flags = flags;
    k->n_enabled = 0;
    k->can_idle = false;
    choose(k, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimal transition set: per active atomic state, innermost first and in document order; then
 * what conflicts is removed. States that share an ancestor share its transitions, so each guard is
 * asked once (`tried`) and each transition is taken once (`chosen`).
 */
#include "run_internal.h"

#include <string.h>

int set_next(const uint64_t *set, size_t n_words, int i)
{
    size_t bit = (size_t)i + 1;
    size_t word = bit / 64;
    if (word >= n_words)
        return NO_STATE;
    uint64_t rest = set[word] & (~(uint64_t)0 << bit % 64);
    while (rest == 0) {
        if (++word >= n_words)
            return NO_STATE;
        rest = set[word];
    }
    return (int)(word * 64) + __builtin_ctzll(rest);
}

int set_previous(const uint64_t *set, int i)
{
    if (i <= 0)
        return NO_STATE;
    size_t word = (size_t)i / 64;
    uint64_t rest = set[word] & (((uint64_t)1 << (size_t)i % 64) - 1);
    while (rest == 0) {
        if (word-- == 0)
            return NO_STATE;
        rest = set[word];
    }
    return (int)(word * 64) + 63 - __builtin_clzll(rest);
}

/* Is any member of the set a descendant of the state? */
static bool has_inside(const struct run *run, const uint64_t *set, int state)
{
    int first = set_next(set, run->chart->n_words, state);
    return first != NO_STATE && first <= run->chart->states[state].last;
}

/* ---- histories and domains ----------------------------------------------------------------- */

int history_states(struct run *run, int history, struct targets *out, bool *out_is_known)
{
    const struct state *s = &run->chart->states[history];
    const struct wf_value *ids = run->history[s->history_slot];
    *out_is_known = ids != NULL;
    if (ids == NULL) {
        *out = s->initial.targets;
        return 0;
    }
    size_t n = wf_value_count(ids);
    int *items = wf_arena_alloc(run->arena, (n + 1) * sizeof(*items));
    if (items == NULL)
        return no_memory(run);
    for (size_t i = 0; i < n; i++) {
        items[i] = chart_find(run->chart, wf_value_str(wf_list_at(ids, i)));
        if (!is_descendant(run->chart, items[i], s->parent) || is_history(run->chart, items[i]))
            return wf_fail(&run->err, WF_E_INVALID,
                           "the snapshot's history of \"%s\" does not fit "
                           "the chart: it is of another chart or version",
                           s->id->u.text.ptr);
    }
    *out = (struct targets){items, n};
    return 0;
}

/* Targets with histories replaced by what they stand for. */
static int effective_targets(struct run *run, struct targets targets, struct targets *out)
{
    size_t n = 0;
    memset(run->scratch, 0, run->chart->n_words * sizeof(*run->scratch));
    for (size_t i = 0; i < targets.n; i++) {
        struct targets parts = {&targets.items[i], 1};
        bool is_known;
        if (is_history(run->chart, targets.items[i])) {
            int rc = history_states(run, targets.items[i], &parts, &is_known);
            if (rc < 0)
                return rc;
        }
        for (size_t k = 0; k < parts.n; k++)
            set_bit(run->scratch, parts.items[k]);
        n += parts.n;
    }
    int *items = wf_arena_alloc(run->arena, (n + 1) * sizeof(*items));
    if (items == NULL)
        return no_memory(run);
    n = 0;
    for (int i = set_next(run->scratch, run->chart->n_words, ROOT); i != NO_STATE;
         i = set_next(run->scratch, run->chart->n_words, i))
        items[n++] = i;
    *out = (struct targets){items, n};
    return 0;
}

int domain_of(struct run *run, const struct transition *t, int *out)
{
    *out = t->domain;
    if (t->domain != DYNAMIC_DOMAIN)
        return 0;
    struct targets targets;
    int rc = effective_targets(run, t->targets, &targets);
    if (rc == 0)
        *out = chart_domain(run->chart, t, targets);
    return rc;
}

/* ---- selection ----------------------------------------------------------------------------- */

/* A guard that cannot be evaluated is false and raises error.execution. */
static int ask_guard(struct run *run, const struct transition *t, bool *out)
{
    *out = true;
    if (t->cond == NULL)
        return 0;
    run->state = t->source;
    int rc = wf_expr_test(t->cond, &run->reader, run->arena, out, &run->err);
    if (!is_soft(run, rc))
        return rc;
    *out = false;
    return raise_error(run, run->chart->public_transitions[t - run->chart->transitions].line,
                       "cond");
}

/* The first transition of the state that is enabled, if any, is chosen. */
static int choose_of_state(struct run *run, int state, const struct event *event, bool *out_found)
{
    const struct state *s = &run->chart->states[state];
    size_t first = event != NULL ? s->first_on : s->first_always;
    size_t n = event != NULL ? s->n_on : s->n_always;
    for (size_t i = first; i < first + n && !*out_found; i++) {
        const struct transition *t = &run->chart->transitions[i];
        if (has_bit(run->tried, (int)i)) {
            *out_found = has_bit(run->chosen, (int)i);
            continue;
        }
        set_bit(run->tried, (int)i);
        if (event != NULL && !transition_matches(t, event->name))
            continue;
        if (event != NULL && event->who != NULL &&
            !wf_chart_lets(&run->chart->public_transitions[i], event->who))
            continue;
        int rc = ask_guard(run, t, out_found);
        if (rc < 0)
            return rc;
        if (*out_found) {
            set_bit(run->chosen, (int)i);
            run->enabled[run->n_enabled++] = (int)i;
        }
    }
    return 0;
}

/*
 * Do the exit sets meet? Both domains hold active states, and subtrees are nested or disjoint, so
 * it is enough that one domain lies in the other.
 */
static bool are_in_conflict(const struct wf_chart *chart, int a, int b)
{
    if (a == NO_DOMAIN || b == NO_DOMAIN)
        return false;
    return a == b || is_descendant(chart, a, b) || is_descendant(chart, b, a);
}

/* Inner transitions win over outer ones, else the one of the earlier state wins. */
static int remove_conflicts(struct run *run)
{
    const struct wf_chart *chart = run->chart;
    size_t n = 0;
    int *domains = wf_arena_alloc(run->arena, run->n_enabled * sizeof(*domains));
    if (domains == NULL)
        return no_memory(run);
    for (size_t i = 0; i < run->n_enabled; i++) {
        const struct transition *t = &chart->transitions[run->enabled[i]];
        bool is_preempted = false;
        int domain;
        int rc = domain_of(run, t, &domain);
        if (rc < 0)
            return rc;
        for (size_t k = 0; k < n && !is_preempted; k++)
            is_preempted =
                are_in_conflict(chart, domain, domains[k]) &&
                !is_descendant(chart, t->source, chart->transitions[run->enabled[k]].source);
        if (is_preempted)
            continue;
        size_t kept = 0;
        for (size_t k = 0; k < n; k++) {
            if (are_in_conflict(chart, domain, domains[k]))
                continue;
            domains[kept] = domains[k];
            run->enabled[kept++] = run->enabled[k];
        }
        domains[kept] = domain;
        run->enabled[kept++] = run->enabled[i];
        n = kept;
    }
    run->n_enabled = n;
    return 0;
}

int select_transitions(struct run *run, const struct event *event)
{
    const struct wf_chart *chart = run->chart;
    run->n_enabled = 0;
    if (chart->n_transitions == 0)
        return 0;
    memset(run->tried, 0, 2 * chart->n_guard_words * sizeof(*run->tried)); /* and chosen */
    for (int i = set_next(run->active, chart->n_words, ROOT); i != NO_STATE;
         i = set_next(run->active, chart->n_words, i)) {
        if (has_inside(run, run->active, i))
            continue; /* not atomic: its transitions are asked after its inner states' */
        bool is_found = false;
        for (int s = i; s > ROOT && !is_found; s = chart->states[s].parent) {
            int rc = choose_of_state(run, s, event, &is_found);
            if (rc < 0)
                return rc;
        }
    }
    return run->n_enabled > 1 ? remove_conflicts(run) : 0;
}

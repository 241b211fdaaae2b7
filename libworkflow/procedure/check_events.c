/* SPDX-License-Identifier: Apache-2.0 */
/* Events that cannot come, transitions that cannot be taken, loops without an end. */
#include "internal.h"

#include <string.h>

#include "chart/chart_internal.h"

#define MAX_IDS 256

/* ---- events that nothing raises ---------------------------------------------------------------
 */

static void check_invoke_event(struct checking *c, const struct wf_chart_transition *t,
                               const char *token, const char *id)
{
    const char *ids[MAX_IDS];
    size_t n = 0;
    bool is_known = false;
    for (size_t i = 0; i < c->n_invokes; i++) {
        if (n < MAX_IDS)
            ids[n++] = c->invokes[i].id;
        if (strcmp(c->invokes[i].id, id) != 0)
            continue;
        is_known = true;
        if (check_are_together(c, t->source, c->invokes[i].state))
            return;
    }
    char hint[256];
    if (is_known)
        CHECK_ERROR(c, t->line,
                    "event '%s' cannot come in state '%s': the invocation has ended by "
                    "then: move the transition to its state",
                    token, c->states[t->source].id);
    else
        CHECK_ERROR(c, t->line, "event '%s' cannot come: no invocation has the id '%s': %s", token,
                    id, word_hint(id, ids, n, hint, sizeof(hint)));
}

static bool has_final_child(const struct checking *c, int state)
{
    for (size_t i = 0; i < c->n_states; i++) {
        if (c->states[i].parent == state && c->states[i].kind == WF_STATE_FINAL)
            return true;
    }
    return false;
}

static void check_state_event(struct checking *c, const struct wf_chart_transition *t,
                              const char *token, const char *id, bool is_deadline)
{
    int state = wf_chart_find(c->p->chart, id);
    if (state < 0) {
        CHECK_ERROR(c, t->line, "event '%s' cannot come: there is no state '%s': correct the name",
                    token, id);
        return;
    }
    if (!check_are_together(c, t->source, state))
        CHECK_ERROR(c, t->line,
                    "event '%s' cannot come in state '%s': '%s' has been left by then: "
                    "move the transition",
                    token, c->states[t->source].id, id);
    else if (is_deadline && c->states[state].deadline == NULL)
        CHECK_ERROR(c, t->line,
                    "event '%s' cannot come: state '%s' has no deadline: add deadline "
                    "= \"...\" there",
                    token, id);
    else if (!is_deadline && c->states[state].kind != WF_STATE_PARALLEL &&
             !has_final_child(c, state))
        CHECK_ERROR(c, t->line, "event '%s' cannot come: state '%s' has no final child: add one",
                    token, id);
}

static const char *after(const char *token, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(token, prefix, length) == 0 && token[length] != '\0' ? token + length : NULL;
}

static void check_event(struct checking *c, const struct wf_chart_transition *t, const char *token)
{
    static const char *const of_engine[] = {"overdue", "reminder"};
    const char *id = NULL;
    if ((id = after(token, "done.invoke.")) != NULL || (id = after(token, "progress.")) != NULL)
        check_invoke_event(c, t, token, id);
    else if ((id = after(token, "done.state.")) != NULL)
        check_state_event(c, t, token, id, false);
    else if ((id = after(token, "deadline.")) != NULL)
        check_state_event(c, t, token, id, true);
    else if (word_index(token, of_engine, WF_COUNT(of_engine)) == WF_COUNT(of_engine) &&
             (id = wf_nearest(token, of_engine, WF_COUNT(of_engine))) != NULL)
        CHECK_WARN(c, t->line,
                   "event '%s' must come from a party: the engine's own is '%s': "
                   "correct it if that one is meant",
                   token, id);
    else if (strcmp(token, "reminder") == 0 && c->p->remind.n == 0)
        CHECK_WARN(c, t->line,
                   "event 'reminder' does not come by itself: the procedure has no times for it: "
                   "add remind = [ \"1 working day\" ]");
}

/* Reminders that no state hears would only fill the journal. */
static void check_reminders(struct checking *c, const struct wf_node *group)
{
    const struct wf_node *node = wf_node_child(group, "remind");
    for (size_t i = 0; i < c->n_transitions; i++) {
        const char *event = c->transitions[i].event;
        if (event != NULL && wf_event_matches(event, "reminder"))
            return;
    }
    if (c->p->remind.n > 0)
        CHECK_ERROR(c, node->line,
                    "remind has no effect: no transition takes reminder: add one, or remove it");
}

static void check_deadlines(struct checking *c)
{
    for (size_t i = 0; i < c->n_states; i++) {
        char event[300] = "deadline.";
        size_t taken = 0;
        if (c->states[i].deadline == NULL || strlen(c->states[i].id) > 200)
            continue;
        strcat(event, c->states[i].id);
        for (size_t t = 0; t < c->n_transitions; t++)
            taken += c->transitions[t].event != NULL &&
                     wf_event_matches(c->transitions[t].event, event) &&
                     check_are_together(c, c->transitions[t].source, (int)i);
        if (taken == 0)
            CHECK_ERROR(c, c->states[i].line,
                        "deadline of state '%s' has no effect: no transition "
                        "takes %s: add one",
                        c->states[i].id, event);
    }
}

/* ---- transitions in the shadow of an earlier one -----------------------------------------------
 */

/* Does the list let all through that the other one lets? */
static bool lets_all(const char *const *first, size_t n_first, const char *const *later,
                     size_t n_later)
{
    bool all = n_first == 0 || n_later > 0;
    for (size_t i = 0; n_first > 0 && i < n_later; i++)
        all = all && word_index(later[i], first, n_first) < n_first;
    return all;
}

/* Everybody who may raise the event of `later` may raise that of `first`. */
static bool is_open_to_all_of(const struct wf_chart_transition *first,
                              const struct wf_chart_transition *later)
{
    return lets_all(first->roles, first->n_roles, later->roles, later->n_roles) &&
           lets_all(first->channels, first->n_channels, later->channels, later->n_channels) &&
           lets_all(first->models, first->n_models, later->models, later->n_models);
}

/* Does every event of `later` start `earlier` as well? */
static bool covers(const char *earlier, const char *later)
{
    if (earlier == NULL || later == NULL)
        return earlier == later;
    for (const char *at = later;;) {
        char token[256];
        at += strspn(at, " \t\n");
        size_t length = strcspn(at, " \t\n");
        if (length == 0)
            return true;
        if (!wf_str_copy((struct wf_str){at, length}, token, sizeof(token)))
            return false;
        if (strcmp(token, "*") == 0) {
            if (!wf_event_matches(earlier, "an.event.of.any.name"))
                return false;
        } else {
            size_t kept = length > 2 && strcmp(token + length - 2, ".*") == 0 ? length - 2 : length;
            token[kept] = '\0';
            if (!wf_event_matches(earlier, token))
                return false;
        }
        at += length;
    }
}

static void check_shadow(struct checking *c, size_t later)
{
    const struct wf_chart_transition *t = &c->transitions[later];
    for (size_t i = c->first_of[t->source]; i > 0 && i - 1 < later; i = c->next_of[i - 1]) {
        const struct wf_chart_transition *first = &c->transitions[i - 1];
        const struct transition *compiled = c->p->chart->transitions;
        if (!guard_follows(compiled[i - 1].cond, compiled[later].cond) ||
            !covers(first->event, t->event) || !is_open_to_all_of(first, t))
            continue;
        CHECK_ERROR(c, t->line,
                    "transition can never be taken: the one of line %d comes first and "
                    "takes the same event%s: put this one before it, or remove it",
                    first->line,
                    first->cond == NULL ? " unconditionally" : " wherever this condition holds");
        return;
    }
}

/* ---- eventless loops ---------------------------------------------------------------------------
 */

/* The atomic state to which an atomic state goes at once and always, or -1. */
static int next_at_once(const struct checking *c, int state, int *out_line)
{
    for (size_t i = c->first_of[state]; i > 0; i = c->next_of[i - 1]) {
        const struct wf_chart_transition *t = &c->transitions[i - 1];
        if (t->event != NULL || t->cond != NULL)
            continue;
        *out_line = t->line;
        if (t->n_targets != 1)
            return t->n_targets == 0 ? state : -1;
        int target = t->targets[0];
        int inner[MAX_DEFAULTS];
        while (c->states[target].kind == WF_STATE_COMPOUND) {
            if (check_defaults(c, target, inner) != 1)
                return -1;
            target = inner[0];
        }
        return target;
    }
    return -1;
}

/* Follows the chain from `start`; the loop is reported at the first of its states only. */
static void check_loop(struct checking *c, int start)
{
    int line = 0;
    int first_line = 0;
    int state = next_at_once(c, start, &first_line);
    for (size_t steps = 0; state > start && steps <= c->n_states; steps++)
        state = next_at_once(c, state, &line);
    if (state != start)
        return;
    c->has_loop = true;
    CHECK_ERROR(c, first_line,
                "endless loop from state '%s': transitions without event and "
                "condition lead back to it: add a cond or an event",
                c->states[start].id);
}

void check_events(struct checking *c)
{
    for (size_t i = 0; i < c->n_transitions; i++) {
        if (c->transitions[i].source < 0)
            continue;
        check_each_event(c, &c->transitions[i], check_event);
        check_shadow(c, i);
    }
    for (size_t i = 0; i < c->n_states; i++)
        check_loop(c, (int)i);
    check_deadlines(c);
    check_reminders(c, c->group);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What each state must say (portal status, outcome, titles) and that none waits without an end. */
#include "internal.h"

static const char *const outcomes[] = {"approved", "refused", "withdrawn", "stopped", "lapsed"};

/*
 * The national portal's order of status codes: bit n of row m = code n may follow code m. 5 to 1 is
 * ours: papers asked for at reception bring the dossier back to where it waits to be accepted.
 */
#define TO(code) (1U << (code))
static const unsigned may_follow[11] = {
    [1] = TO(2) | TO(3) | TO(5) | TO(7),
    [2] = TO(4) | TO(5) | TO(6) | TO(7) | TO(8),
    [4] = TO(5) | TO(6) | TO(7) | TO(8) | TO(9),
    [5] = TO(1) | TO(2) | TO(4) | TO(7) | TO(8),
    [6] = TO(4) | TO(7) | TO(8),
    [7] = TO(2) | TO(4) | TO(8),
    [9] = TO(10) | TO(4),
};

int check_status_of(const struct checking *c, int state)
{
    while (state >= 0 && c->states[state].status == 0)
        state = c->states[state].parent;
    return state >= 0 ? c->states[state].status : 0;
}

static bool is_stopped(const struct checking *c, int state)
{
    while (state >= 0 && !c->states[state].clock_stopped)
        state = c->states[state].parent;
    return state >= 0;
}

static bool has_deadline(const struct checking *c, int state)
{
    while (state >= 0 && c->states[state].deadline == NULL)
        state = c->states[state].parent;
    return state >= 0;
}

static bool has_work(const struct checking *c, int state)
{
    for (size_t i = 0; i < c->n_invokes; i++) {
        if (check_is_ancestor(c, c->invokes[i].state, state))
            return true;
    }
    return false;
}

/* Does it go on by itself, or does somebody notice when the whole is late? */
static bool is_watched(const struct checking *c, int state)
{
    for (; state >= 0; state = c->states[state].parent) {
        for (size_t i = c->first_of[state]; i > 0; i = c->next_of[i - 1]) {
            const char *event = c->transitions[i - 1].event;
            if (event == NULL || wf_event_matches(event, "overdue"))
                return true;
        }
    }
    return false;
}

static void check_waiting(struct checking *c, int state)
{
    const struct wf_chart_state *s = &c->states[state];
    if (has_deadline(c, state))
        return;
    if (is_stopped(c, state))
        CHECK_ERROR(c, s->line,
                    "state '%s' stops the clock and has no deadline: it could wait for "
                    "ever and never be overdue: add deadline = \"...\"",
                    s->id);
    else if (!has_work(c, state) && !is_watched(c, state))
        CHECK_ERROR(c, s->line,
                    "state '%s' waits for others and has no deadline: it could wait "
                    "for ever: add a deadline, or take 'overdue'",
                    s->id);
}

static void check_status(struct checking *c, int state)
{
    int status = check_status_of(c, state);
    if (status == 0)
        CHECK_ERROR(c, c->states[state].line,
                    "state '%s' has no portal status: the citizen could "
                    "not be told where the dossier is: add status = 1 .. "
                    "10 to it or to a state around it",
                    c->states[state].id);
}

static void check_outcome(struct checking *c, int state)
{
    const struct wf_chart_state *s = &c->states[state];
    char hint[256];
    size_t n = WF_COUNT(outcomes);
    if (s->parent >= 0)
        return;
    if (s->outcome == NULL)
        CHECK_ERROR(c, s->line,
                    "final state '%s' has no outcome: reports count by it: add outcome "
                    "= \"approved\" or another",
                    s->id);
    else if (word_index(s->outcome, outcomes, n) == n)
        CHECK_ERROR(c, s->line, "unknown outcome '%s': reports count by a closed list: %s",
                    s->outcome, word_hint(s->outcome, outcomes, n, hint, sizeof(hint)));
}

static void check_title(struct checking *c, int state)
{
    const struct wf_chart_state *s = &c->states[state];
    if ((s->title_vi == NULL) != (s->title_en == NULL))
        CHECK_ERROR(c, s->line,
                    "title of state '%s' lacks its %s text: both languages are shown: "
                    "add %s = \"...\"",
                    s->id, s->title_vi == NULL ? "Vietnamese" : "English",
                    s->title_vi == NULL ? "vi" : "en");
}

/* The states directly aimed at; a default inside one has mostly the same status. */
static void check_status_order(struct checking *c, const struct wf_chart_transition *t)
{
    int from = t->source >= 0 ? check_status_of(c, t->source) : 0;
    for (size_t k = 0; k < t->n_targets && from > 0; k++) {
        enum wf_state_kind kind = c->states[t->targets[k]].kind;
        int to = check_status_of(c, t->targets[k]);
        if (kind == WF_STATE_HISTORY || kind == WF_STATE_DEEP_HISTORY || to <= 0 || to > 10)
            continue;
        if (to != from && from <= 10 && (may_follow[from] & TO((unsigned)to)) == 0)
            CHECK_WARN(c, t->line,
                       "status %d follows %d: the portal does not know this order: "
                       "check the states",
                       to, from);
    }
}

void check_states(struct checking *c)
{
    for (size_t i = 0; i < c->n_states; i++) {
        int state = (int)i;
        enum wf_state_kind kind = c->states[i].kind;
        check_title(c, state);
        if (kind == WF_STATE_ATOMIC || kind == WF_STATE_FINAL)
            check_status(c, state);
        if (kind == WF_STATE_FINAL)
            check_outcome(c, state);
        if (kind == WF_STATE_ATOMIC && c->active[i])
            check_waiting(c, state);
    }
    for (size_t i = 0; i < c->n_transitions; i++)
        check_status_order(c, &c->transitions[i]);
}

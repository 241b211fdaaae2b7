/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a compiled chart. */
#include "chart_internal.h"

#include <stdlib.h>
#include <string.h>

void wf_chart_free(struct wf_chart *chart)
{
    if (chart != NULL)
        wf_arena_free(chart->arena); /* the chart itself lives in it */
}

size_t wf_chart_states(const struct wf_chart *chart, const struct wf_chart_state **out)
{
    *out = chart->public_states;
    return chart->n_states - 1;
}

size_t wf_chart_transitions(const struct wf_chart *chart, const struct wf_chart_transition **out)
{
    *out = chart->public_transitions;
    return chart->n_transitions;
}

size_t wf_chart_invokes(const struct wf_chart *chart, const struct wf_chart_invoke **out)
{
    *out = chart->public_invokes;
    return chart->n_invocations;
}

size_t wf_chart_sends(const struct wf_chart *chart, const struct wf_chart_send **out)
{
    *out = chart->public_sends;
    return chart->n_sends;
}

size_t wf_chart_initial(const struct wf_chart *chart, const int **out)
{
    *out = chart->public_initial;
    return chart->states[ROOT].initial.targets.n;
}

uint32_t chart_hash(struct wf_str id)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.ptr[i]) * 16777619U;
    return hash;
}

int chart_find(const struct wf_chart *chart, struct wf_str id)
{
    for (size_t i = chart_hash(id) & (chart->n_slots - 1); chart->slots[i] != 0;
         i = (i + 1) & (chart->n_slots - 1)) {
        if (wf_str_equal(chart->states[chart->slots[i]].id->u.text, id))
            return chart->slots[i];
    }
    return NO_STATE;
}

int wf_chart_find(const struct wf_chart *chart, const char *id)
{
    int state = chart_find(chart, wf_str(id));
    return state == NO_STATE ? -1 : state - 1;
}

bool is_duration(const char *text)
{
    static const char *const units[] = {"working day",   "working days", "working hour",
                                        "working hours", "day",          "days"};
    const int64_t max_days = 36500;
    int64_t ms = 0;
    if (strcmp(text, "same day") == 0)
        return true;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits] != ' ')
        return false;
    long amount = strtol(text, NULL, 10);
    for (size_t i = 0; i < WF_COUNT(units); i++) {
        if (strcmp(text + digits + 1, units[i]) == 0)
            return amount > 0 && amount <= max_days;
    }
    return wf_duration_parse(wf_str(text), &ms) && ms > 0 && ms <= max_days * 24 * 3600 * 1000;
}

bool is_no_time(const char *text)
{
    int64_t ms = 0;
    return wf_duration_parse(wf_str(text), &ms) && ms == 0;
}

/* The token is the whole name or a prefix that ends where a part of the name ends. */
bool event_has_token(const char *event, struct wf_str token)
{
    return token.len == 0 || (strncmp(event, token.ptr, token.len) == 0 &&
                              (event[token.len] == '\0' || event[token.len] == '.'));
}

bool transition_matches(const struct transition *t, const char *event)
{
    for (size_t i = 0; i < t->n_tokens; i++) {
        if (event_has_token(event, t->tokens[i]))
            return true;
    }
    return false;
}

static bool has_word(const char *const *words, size_t n, struct wf_str word)
{
    for (size_t i = 0; i < n; i++) {
        if (wf_str_is(word, words[i]))
            return true;
    }
    return n == 0; /* no restriction written */
}

bool wf_chart_lets(const struct wf_chart_transition *t, const struct wf_chart_raiser *who)
{
    return has_word(t->roles, t->n_roles, who->role) &&
           has_word(t->channels, t->n_channels, who->channel) &&
           has_word(t->models, t->n_models, who->model);
}

bool wf_event_matches(const char *descriptors, const char *event)
{
    const char *s = descriptors + strspn(descriptors, BLANKS);
    while (*s != '\0') {
        size_t length = strcspn(s, BLANKS);
        struct wf_str token = {s, length};
        if (token.len > 0 && token.ptr[token.len - 1] == '*')
            token.len--;
        if (token.len > 0 && token.ptr[token.len - 1] == '.')
            token.len--;
        if (event_has_token(event, token))
            return true;
        s += length;
        s += strspn(s, BLANKS);
    }
    return false;
}

static bool is_compound(const struct wf_chart *chart, int state)
{
    return state == ROOT || chart->states[state].kind == WF_STATE_COMPOUND;
}

static bool all_inside(const struct wf_chart *chart, struct targets targets, int ancestor)
{
    for (size_t i = 0; i < targets.n; i++) {
        if (!is_descendant(chart, targets.items[i], ancestor))
            return false;
    }
    return true;
}

int chart_domain(const struct wf_chart *chart, const struct transition *t, struct targets targets)
{
    if (targets.n == 0)
        return NO_DOMAIN;
    if (t->internal && is_compound(chart, t->source) && all_inside(chart, targets, t->source))
        return t->source;
    int state = chart->states[t->source].parent;
    while (state != ROOT && !(is_compound(chart, state) && all_inside(chart, targets, state)))
        state = chart->states[state].parent;
    return state;
}

/* Writes the matching transitions of one state; `found` counts on beyond n. */
static void offers_of(const struct wf_chart *chart, int state, const char *event, size_t *out,
                      size_t n, size_t *found)
{
    const struct state *s = &chart->states[state];
    for (size_t i = s->first_on; i < s->first_on + s->n_on; i++) {
        if (event != NULL && !transition_matches(&chart->transitions[i], event))
            continue;
        if (*found < n)
            out[(*found)++] = i;
    }
}

size_t wf_chart_offers(const struct wf_chart *chart, const struct wf_snapshot *from,
                       const char *event, size_t *out, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; !from->done && i < wf_value_count(from->states); i++) {
        int state = chart_find(chart, wf_value_str(wf_list_at(from->states, i)));
        if (state != NO_STATE)
            offers_of(chart, state, event, out, n, &found);
    }
    return found;
}

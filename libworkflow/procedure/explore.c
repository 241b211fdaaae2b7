/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk. A node is expanded as the interpreter would go on: eventless transitions, then raised
 * events, then, at rest, events from outside. Of all names that an event may have, those written in
 * the transitions of active states do: any other starts what one of them, or none, starts.
 *
 * Conditions that cannot be known are decided both ways, but the same text alike for all states
 * that ask it in one selection.
 */
#include "explore_internal.h"

#include <string.h>

#include "workflow/config.h"

void explore_give_up(struct walk *k)
{
    k->x->is_whole = false;
    k->is_over = true;
}

/* ---- nodes and edges ------------------------------------------------------------------------- */

static uint64_t hash_words(const uint64_t *words, size_t n)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) ^ n;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool grow(void **array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    size_t wider = *cap > 0 ? 2 * *cap : 64;
    void *grown = wf_realloc(*array, wider * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *cap = wider;
    return true;
}

/* The words of the working configuration: fixed part and queue, in one piece. */
static uint64_t *pack(struct walk *k, size_t *out_n)
{
    memcpy(k->w.active + k->n_fixed, k->w.queue, k->w.n_queue * sizeof(uint64_t));
    *out_n = k->n_fixed + k->w.n_queue;
    return k->w.active;
}

static bool add_node(struct walk *k, const uint64_t *words, size_t n, size_t slot, uint32_t *out)
{
    struct explored *x = k->x;
    if (x->n_nodes >= EXPLORE_MAX_NODES || k->bytes + n * sizeof(*words) > EXPLORE_MAX_BYTES) {
        explore_give_up(k);
        return false;
    }
    void *nodes = x->nodes;
    bool has_room = grow(&nodes, x->n_nodes, &k->cap_nodes, sizeof(*x->nodes));
    x->nodes = nodes;
    uint64_t *copy = has_room ? wf_arena_alloc(x->arena, n * sizeof(*words)) : NULL;
    if (copy == NULL) {
        k->out_of_memory = true;
        return false;
    }
    memcpy(copy, words, n * sizeof(*words));
    k->bytes += n * sizeof(*words);
    x->nodes[x->n_nodes] =
        (struct explore_node){.words = copy, .n_queue = n - k->n_fixed, .is_done = k->w.is_done};
    k->slots[slot] = (uint32_t)x->n_nodes + 1;
    *out = (uint32_t)x->n_nodes++;
    return true;
}

/* The number of the working configuration, new or not; false where a limit or memory ends it. */
static bool find_node(struct walk *k, uint32_t *out)
{
    size_t n = 0;
    const uint64_t *words = pack(k, &n);
    size_t slot = (size_t)hash_words(words, n) & (k->n_slots - 1);
    for (; k->slots[slot] != 0; slot = (slot + 1) & (k->n_slots - 1)) {
        const struct explore_node *node = &k->x->nodes[k->slots[slot] - 1];
        if (node->n_queue == n - k->n_fixed &&
            memcmp(node->words, words, n * sizeof(*words)) == 0) {
            *out = k->slots[slot] - 1;
            return true;
        }
    }
    return add_node(k, words, n, slot, out);
}

void explore_add_edge(struct walk *k, int transition)
{
    struct explored *x = k->x;
    uint32_t to = 0;
    if (k->w.is_done)
        k->w.n_queue = 0;
    if (k->w.is_short || x->n_edges >= EXPLORE_MAX_EDGES)
        explore_give_up(k);
    if (k->is_over || !find_node(k, &to))
        return;
    void *edges = x->edges;
    if (!grow(&edges, x->n_edges, &k->cap_edges, sizeof(*x->edges)))
        k->out_of_memory = true;
    x->edges = edges;
    if (k->out_of_memory)
        return;
    unsigned flags = k->edge_flags | (k->w.assigns ? EDGE_ASSIGNS : 0);
    x->edges[x->n_edges++] = (struct explore_edge){(uint32_t)k->from, to, transition, flags};
}

/* Makes the node's configuration the working one. */
void explore_load(struct walk *k)
{
    const struct explore_node *node = &k->x->nodes[k->from];
    memcpy(k->w.active, node->words, k->n_fixed * sizeof(uint64_t));
    memcpy(k->w.queue, node->words + k->n_fixed, node->n_queue * sizeof(uint64_t));
    k->w.n_queue = node->n_queue;
    k->w.is_done = false;
    k->w.is_short = false;
    k->w.assigns = false;
}

void explore_drop_event(struct walk *k)
{
    k->w.n_queue--;
    memmove(k->w.queue, k->w.queue + 1, k->w.n_queue * sizeof(uint64_t));
}

/* ---- events from outside --------------------------------------------------------------------- */

static const uint64_t *active_in(const struct walk *k)
{
    return k->x->nodes[k->from].words;
}

/* Does an invocation run whose events the token matches? Sets *registers for that activity. */
static bool is_running(const struct walk *k, const char *prefix, const char *token, bool *registers)
{
    bool found = false;
    for (int s = set_next(active_in(k), k->chart->n_words, ROOT); s != NO_STATE;
         s = set_next(active_in(k), k->chart->n_words, s)) {
        const struct state *state = &k->chart->states[s];
        for (size_t i = state->first_invoke; i < state->first_invoke + state->n_invokes; i++) {
            const struct invocation *invocation = &k->chart->invocations[i];
            char event[160];
            struct wf_str id = wf_str(invocation->id);
            size_t used = strlen(prefix);
            if (used + id.len >= sizeof(event))
                return true; /* too long to tell: it may be */
            memcpy(event, prefix, used);
            memcpy(event + used, id.ptr, id.len + 1);
            if (!event_has_token(event, wf_str(token)))
                continue;
            found = true;
            *registers = *registers ||
                         (k->registers != NULL && strcmp(invocation->activity, k->registers) == 0);
        }
    }
    return found;
}

static bool is_deadline_armed(const struct walk *k, const char *token)
{
    for (int s = set_next(active_in(k), k->chart->n_words, ROOT); s != NO_STATE;
         s = set_next(active_in(k), k->chart->n_words, s)) {
        const struct state *state = &k->chart->states[s];
        if (state->deadline != NULL && event_has_token(state->deadline_event, wf_str(token)))
            return true;
    }
    return false;
}

static bool is_clock_stopped(const struct walk *k)
{
    for (int s = set_next(active_in(k), k->chart->n_words, ROOT); s != NO_STATE;
         s = set_next(active_in(k), k->chart->n_words, s)) {
        if (k->chart->public_states[s - 1].clock_stopped)
            return true;
    }
    return false;
}

/* Can an event of this name, or of a name that begins with it, come from outside now? */
static bool can_come(const struct walk *k, const char *token, unsigned *flags)
{
    bool registers = false;
    bool is_end = is_running(k, "done.invoke.", token, &registers);
    if (registers)
        *flags |= EDGE_REGISTERS;
    if (k->sends_anything)
        return true;
    if (wf_event_matches("done.invoke", token))
        return is_end;
    if (wf_event_matches("done.state", token))
        return false; /* only from inside */
    if (wf_event_matches("progress", token)) {
        bool ignored = false;
        return is_running(k, "progress.", token, &ignored);
    }
    if (wf_event_matches("deadline", token))
        return is_deadline_armed(k, token);
    bool is_of_clock = strcmp(token, "overdue") == 0 || strcmp(token, "reminder") == 0;
    return !is_of_clock || !is_clock_stopped(k);
}

static void take_outside_events(struct walk *k)
{
    const struct wf_chart *chart = k->chart;
    for (int s = set_next(active_in(k), chart->n_words, ROOT); s != NO_STATE;
         s = set_next(active_in(k), chart->n_words, s)) {
        const struct state *state = &chart->states[s];
        k->x->state_resting[s] = true;
        for (size_t t = state->first_on; t < state->first_on + state->n_on; t++) {
            for (size_t i = 0; i < chart->transitions[t].n_tokens; i++) {
                int token = k->token_ids[(size_t)k->first_token[t] + i];
                unsigned flags = 0;
                if (k->token_seen[token] == k->from + 1)
                    continue;
                k->token_seen[token] = k->from + 1;
                k->work += k->n_atoms;
                if (can_come(k, k->tokens[token].name, &flags))
                    explore_select(k, MODE_OUTSIDE, k->tokens[token].name, flags);
            }
        }
    }
}

/* ---- one node -------------------------------------------------------------------------------- */

static void find_atoms(struct walk *k)
{
    const struct wf_chart *chart = k->chart;
    k->n_atoms = 0;
    for (int s = set_next(active_in(k), chart->n_words, ROOT); s != NO_STATE;) {
        int next = set_next(active_in(k), chart->n_words, s);
        if (next == NO_STATE || next > chart->states[s].last)
            k->atoms[k->n_atoms++] = s;
        k->x->state_active[s] = true;
        s = next;
    }
}

static void expand(struct walk *k)
{
    struct explore_node *node = &k->x->nodes[k->from];
    node->first_edge = k->x->n_edges;
    find_atoms(k);
    if (node->is_done)
        return;
    explore_select(k, MODE_ALWAYS, NULL, EDGE_INTERNAL);
    node = &k->x->nodes[k->from];
    bool is_idle = k->can_idle;
    if (is_idle && node->n_queue > 0) {
        uint64_t raised = node->words[k->n_fixed];
        explore_select(k, MODE_RAISED, explore_event_name(&k->w, raised), EDGE_INTERNAL);
        if ((raised & 1) != 0) { /* it may not have been raised */
            explore_load(k);
            explore_drop_event(k);
            explore_add_edge(k, -1);
        }
    } else if (is_idle) {
        node->is_resting = true;
        take_outside_events(k);
    }
    node = &k->x->nodes[k->from];
    node->n_edges = k->x->n_edges - node->first_edge;
}

int explore_chart(const struct wf_chart *chart, const char *registers, struct explored *out,
                  struct wf_error *err)
{
    struct walk k = {.x = out, .chart = chart, .registers = registers};
    *out = (struct explored){.chart = chart, .is_whole = true, .arena = wf_arena_new(0)};
    k.out_of_memory = out->arena == NULL;
    if (!k.out_of_memory)
        explore_set_up(&k);
    if (!k.out_of_memory) {
        uint32_t first = 0;
        explore_enter_initial(&k.w);
        if (k.w.is_short || !find_node(&k, &first))
            explore_give_up(&k);
        for (k.from = 0; k.from < out->n_nodes && !k.out_of_memory && !k.is_over; k.from++)
            expand(&k);
    }
    return k.out_of_memory ? wf_fail(err, WF_E_NOMEM, "out of memory") : 0;
}

void explore_fini(struct explored *x)
{
    wf_free(x->nodes);
    wf_free(x->edges);
    wf_arena_free(x->arena);
    *x = (struct explored){0};
}

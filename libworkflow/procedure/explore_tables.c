/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of an exploration, made once, and the spreading of marks when it is over. */
#include "explore_internal.h"

#include <string.h>

static void *take(struct walk *k, size_t n, size_t size)
{
    void *memory = wf_arena_alloc(k->x->arena, (n + 1) * size);
    if (memory == NULL)
        k->out_of_memory = true;
    return memory;
}

/* Number of the text in a table of at most n texts, adding it where it is new. */
static int number_text(int *slots, size_t n_slots, struct wf_str *texts, size_t *n,
                       struct wf_str text)
{
    size_t i = chart_hash(text) & (n_slots - 1);
    while (slots[i] != 0 && !wf_str_equal(texts[slots[i] - 1], text))
        i = (i + 1) & (n_slots - 1);
    if (slots[i] == 0) {
        texts[*n] = text;
        slots[i] = (int)++*n;
    }
    return slots[i] - 1;
}

static size_t table_size(size_t n)
{
    size_t size = 8;
    while (size < 2 * (n + 1))
        size *= 2;
    return size;
}

static void number_guards(struct walk *k)
{
    size_t n = k->chart->n_transitions;
    size_t n_slots = table_size(n);
    int *slots = take(k, n_slots, sizeof(*slots));
    struct wf_str *texts = take(k, n, sizeof(*texts));
    size_t n_texts = 0;
    k->guard_of = take(k, n, sizeof(*k->guard_of));
    k->decided = take(k, n, sizeof(*k->decided));
    if (k->out_of_memory)
        return;
    memset(k->decided, -1, n);
    for (size_t i = 0; i < n; i++) {
        const struct wf_expr *cond = k->chart->transitions[i].cond;
        k->guard_of[i] =
            cond == NULL ? -1 : number_text(slots, n_slots, texts, &n_texts, wf_expr_source(cond));
    }
}

static void number_tokens(struct walk *k)
{
    const struct wf_chart *chart = k->chart;
    size_t total = 0;
    for (size_t i = 0; i < chart->n_transitions; i++)
        total += chart->transitions[i].n_tokens;
    size_t n_slots = table_size(total);
    int *slots = take(k, n_slots, sizeof(*slots));
    struct wf_str *texts = take(k, total, sizeof(*texts));
    k->tokens = take(k, total, sizeof(*k->tokens));
    k->token_ids = take(k, total, sizeof(*k->token_ids));
    k->token_seen = take(k, total, sizeof(*k->token_seen));
    k->first_token = take(k, chart->n_transitions, sizeof(*k->first_token));
    if (k->out_of_memory)
        return;
    size_t next = 0;
    for (size_t t = 0; t < chart->n_transitions; t++) {
        k->first_token[t] = (int)next;
        for (size_t i = 0; i < chart->transitions[t].n_tokens; i++)
            k->token_ids[next++] =
                number_text(slots, n_slots, texts, &k->n_tokens, chart->transitions[t].tokens[i]);
    }
    for (size_t i = 0; i < k->n_tokens; i++)
        k->tokens[i] = (struct token){texts[i], texts[i].ptr}; /* ends in NUL */
}

/* Names that only the engine gives to events, save where the chart itself sends such a one. */
static bool is_of_engine(const char *name)
{
    return wf_starts_with(name, "done.") || wf_starts_with(name, "progress.") ||
           wf_starts_with(name, "deadline.") || strcmp(name, "overdue") == 0 ||
           strcmp(name, "reminder") == 0;
}

static void look_at_block(struct walk *k, const struct block *block)
{
    for (size_t i = 0; i < block->n; i++) {
        const struct action *a = &block->actions[i];
        k->w.cap_names += a->kind == ACTION_RAISE;
        k->sends_anything = k->sends_anything || (a->kind == ACTION_SEND && is_of_engine(a->name));
        for (size_t b = 0; b < a->n_branches; b++)
            look_at_block(k, &a->branches[b].block);
        look_at_block(k, &a->body);
    }
}

static void look_at_content(struct walk *k)
{
    const struct wf_chart *chart = k->chart;
    for (size_t i = 0; i < chart->n_states; i++) {
        look_at_block(k, &chart->states[i].entry_block);
        look_at_block(k, &chart->states[i].exit_block);
        look_at_block(k, &chart->states[i].initial.block);
    }
    for (size_t i = 0; i < chart->n_transitions; i++)
        look_at_block(k, &chart->transitions[i].block);
}

void explore_set_up(struct walk *k)
{
    const struct wf_chart *chart = k->chart;
    struct explore_work *w = &k->w;
    size_t words = chart->n_words;
    k->n_fixed = words * (1 + chart->n_histories);
    k->n_slots = 2 * table_size(EXPLORE_MAX_NODES);
    w->chart = chart;
    w->active = take(k, k->n_fixed + EXPLORE_MAX_QUEUE, sizeof(uint64_t));
    uint64_t *sets = take(k, 5 * words, sizeof(uint64_t));
    w->items = take(k, chart->n_states, sizeof(int));
    look_at_content(k);
    w->names = take(k, w->cap_names, sizeof(*w->names));
    k->slots = take(k, k->n_slots, sizeof(*k->slots));
    k->atoms = take(k, chart->n_states, sizeof(int));
    k->enabled = take(k, chart->n_states, sizeof(int));
    k->kept = take(k, chart->n_states, sizeof(int));
    k->domains = take(k, chart->n_states, sizeof(int));
    k->x->state_active = take(k, chart->n_states, sizeof(bool));
    k->x->done_raised = take(k, chart->n_states, sizeof(bool));
    k->x->state_resting = take(k, chart->n_states, sizeof(bool));
    k->x->transition_asked = take(k, chart->n_transitions, sizeof(bool));
    k->x->transition_held = take(k, chart->n_transitions, sizeof(bool));
    k->x->transition_taken = take(k, chart->n_transitions, sizeof(bool));
    w->done_raised = k->x->done_raised;
    number_guards(k);
    number_tokens(k);
    if (k->out_of_memory)
        return;
    w->histories = w->active + words;
    w->leaving = sets;
    w->entering = sets + words;
    w->by_default = sets + 2 * words;
    w->default_histories = sets + 3 * words;
    w->scratch = sets + 4 * words;
}

/* ---- spreading ------------------------------------------------------------------------------- */

/* Edges by the node they lead to: those of node i are order[first[i]] .. order[first[i + 1] - 1].
 */
struct reverse {
    size_t *first;
    uint32_t *order;
};

static bool reverse_edges(const struct explored *x, struct reverse *out)
{
    out->first = wf_arena_alloc(x->arena, (x->n_nodes + 2) * sizeof(*out->first));
    out->order = wf_arena_alloc(x->arena, (x->n_edges + 1) * sizeof(*out->order));
    if (out->first == NULL || out->order == NULL)
        return false;
    for (size_t i = 0; i < x->n_edges; i++)
        out->first[x->edges[i].to + 2]++;
    for (size_t i = 2; i <= x->n_nodes + 1; i++)
        out->first[i] += out->first[i - 1];
    for (size_t i = 0; i < x->n_edges; i++)
        out->order[out->first[x->edges[i].to + 1]++] = (uint32_t)i;
    return true;
}

bool explore_spread(const struct explored *x, bool *marks, bool backward, unsigned without)
{
    struct reverse reverse = {0};
    uint32_t *stack = wf_arena_alloc(x->arena, (x->n_nodes + 1) * sizeof(*stack));
    size_t n = 0;
    if (stack == NULL || (backward && !reverse_edges(x, &reverse)))
        return false;
    for (size_t i = 0; i < x->n_nodes; i++) {
        if (marks[i])
            stack[n++] = (uint32_t)i;
    }
    while (n > 0) {
        size_t node = stack[--n];
        size_t first = backward ? reverse.first[node] : x->nodes[node].first_edge;
        size_t end = backward ? reverse.first[node + 1] : first + x->nodes[node].n_edges;
        for (size_t i = first; i < end; i++) {
            const struct explore_edge *edge = &x->edges[backward ? reverse.order[i] : i];
            uint32_t next = backward ? edge->from : edge->to;
            if ((edge->flags & without) != 0 || marks[next])
                continue;
            marks[next] = true;
            stack[n++] = next;
        }
    }
    return true;
}

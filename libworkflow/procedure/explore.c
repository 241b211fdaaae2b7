/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk. A node is expanded as the interpreter would go on: eventless transitions, then raised
 * events, then, at rest, events from outside. Of all names that an event may have, those written in
 * the transitions of active states do: any other starts what one of them, or none, starts.
 *
 * Conditions that cannot be known are decided both ways, but the same text alike for all states
 * that ask it in one selection.
 */
#include "explore.h"

#include <string.h>

#include "workflow/config.h"

struct token {
    struct wf_str text;
    const char *name;
};

enum mode { MODE_ALWAYS, MODE_RAISED, MODE_OUTSIDE };

struct walk {
    struct explored *x;
    const struct wf_chart *chart;
    const char *registers;
    struct explore_work w;
    size_t n_fixed; /* words of a node without its queue */

    uint32_t *slots; /* hash of nodes; number + 1, 0 = free */
    size_t n_slots;
    size_t cap_nodes, cap_edges;
    size_t bytes, work;

    int *guard_of;        /* transition -> first one with the same condition, or -1 = none */
    signed char *decided; /* by such a number: 1, 0, -1 = not in this selection */

    struct token *tokens; /* distinct ones */
    size_t n_tokens;
    int *first_token; /* of a transition: index in token_ids */
    int *token_ids;
    size_t *token_seen; /* node number + 1 */

    /* the selection that goes on */
    size_t from;
    enum mode mode;
    const char *event;
    unsigned edge_flags;
    int *atoms;
    size_t n_atoms;
    int *enabled;
    size_t n_enabled;
    int *kept, *domains;
    bool can_idle;
    bool is_over; /* a limit was reached */
    bool out_of_memory;
};

static void give_up(struct walk *k)
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
        give_up(k);
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

static void add_edge(struct walk *k, int transition)
{
    struct explored *x = k->x;
    uint32_t to = 0;
    if (k->w.is_done)
        k->w.n_queue = 0;
    if (k->w.is_short || x->n_edges >= EXPLORE_MAX_EDGES)
        give_up(k);
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
static void load(struct walk *k)
{
    const struct explore_node *node = &k->x->nodes[k->from];
    memcpy(k->w.active, node->words, k->n_fixed * sizeof(uint64_t));
    memcpy(k->w.queue, node->words + k->n_fixed, node->n_queue * sizeof(uint64_t));
    k->w.n_queue = node->n_queue;
    k->w.is_done = false;
    k->w.is_short = false;
    k->w.assigns = false;
}

static void drop_first_event(struct walk *k)
{
    k->w.n_queue--;
    memmove(k->w.queue, k->w.queue + 1, k->w.n_queue * sizeof(uint64_t));
}

/* ---- one selection --------------------------------------------------------------------------- */

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
    load(k);
    /* What a step costs: conflicts are looked for in pairs, and so are the ends of regions. */
    k->work +=
        1 + k->chart->n_words + k->n_enabled * k->n_enabled / 16 + k->n_atoms * k->n_atoms / 16;
    size_t n = remove_conflicts(k);
    if (k->mode == MODE_RAISED)
        drop_first_event(k);
    for (size_t i = 0; i < n; i++)
        k->x->transition_taken[k->kept[i]] = true;
    if (n > 0)
        explore_microstep(&k->w, k->kept, n);
    add_edge(k, n > 0 ? k->kept[0] : -1);
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
            if (truth == 0)
                continue;
            if (truth > 0) {
                choose_transition(k, atom, t);
                return;
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
        give_up(k);
        return;
    }
    if (atom == k->n_atoms)
        take_enabled(k);
    else
        choose_from(k, atom, k->atoms[atom], 0);
}

static void select_for(struct walk *k, enum mode mode, const char *event, unsigned flags)
{
    k->mode = mode;
    k->event = event;
    k->edge_flags = flags;
    k->n_enabled = 0;
    k->can_idle = false;
    choose(k, 0);
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
    return strcmp(token, "overdue") != 0 || !is_clock_stopped(k);
}

static void take_outside_events(struct walk *k)
{
    const struct wf_chart *chart = k->chart;
    for (int s = set_next(active_in(k), chart->n_words, ROOT); s != NO_STATE;
         s = set_next(active_in(k), chart->n_words, s)) {
        const struct state *state = &chart->states[s];
        for (size_t t = state->first_on; t < state->first_on + state->n_on; t++) {
            for (size_t i = 0; i < chart->transitions[t].n_tokens; i++) {
                int token = k->token_ids[(size_t)k->first_token[t] + i];
                unsigned flags = 0;
                if (k->token_seen[token] == k->from + 1)
                    continue;
                k->token_seen[token] = k->from + 1;
                k->work += k->n_atoms;
                if (can_come(k, k->tokens[token].name, &flags))
                    select_for(k, MODE_OUTSIDE, k->tokens[token].name, flags);
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
    select_for(k, MODE_ALWAYS, NULL, EDGE_INTERNAL);
    node = &k->x->nodes[k->from];
    bool is_idle = k->can_idle;
    if (is_idle && node->n_queue > 0) {
        uint64_t raised = node->words[k->n_fixed];
        select_for(k, MODE_RAISED, explore_event_name(&k->w, raised), EDGE_INTERNAL);
        if ((raised & 1) != 0) { /* it may not have been raised */
            load(k);
            drop_first_event(k);
            add_edge(k, -1);
        }
    } else if (is_idle) {
        node->is_resting = true;
        take_outside_events(k);
    }
    node = &k->x->nodes[k->from];
    node->n_edges = k->x->n_edges - node->first_edge;
}

/* ---- setting up ------------------------------------------------------------------------------ */

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

static size_t count_raises(const struct block *block)
{
    size_t n = 0;
    for (size_t i = 0; i < block->n; i++) {
        n += block->actions[i].kind == ACTION_RAISE;
        for (size_t k = 0; k < block->actions[i].n_branches; k++)
            n += count_raises(&block->actions[i].branches[k].block);
        n += count_raises(&block->actions[i].body);
    }
    return n;
}

static size_t count_all_raises(const struct wf_chart *chart)
{
    size_t n = 0;
    for (size_t i = 0; i < chart->n_states; i++)
        n += count_raises(&chart->states[i].entry_block) +
             count_raises(&chart->states[i].exit_block) +
             count_raises(&chart->states[i].initial.block);
    for (size_t i = 0; i < chart->n_transitions; i++)
        n += count_raises(&chart->transitions[i].block);
    return n;
}

static void set_up(struct walk *k)
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
    w->cap_names = count_all_raises(chart);
    w->names = take(k, w->cap_names, sizeof(*w->names));
    k->slots = take(k, k->n_slots, sizeof(*k->slots));
    k->atoms = take(k, chart->n_states, sizeof(int));
    k->enabled = take(k, chart->n_states, sizeof(int));
    k->kept = take(k, chart->n_states, sizeof(int));
    k->domains = take(k, chart->n_states, sizeof(int));
    k->x->state_active = take(k, chart->n_states, sizeof(bool));
    k->x->done_raised = take(k, chart->n_states, sizeof(bool));
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

int explore_chart(const struct wf_chart *chart, const char *registers, struct explored *out,
                  struct wf_error *err)
{
    struct walk k = {.x = out, .chart = chart, .registers = registers};
    *out = (struct explored){.chart = chart, .is_whole = true, .arena = wf_arena_new(0)};
    k.out_of_memory = out->arena == NULL;
    if (!k.out_of_memory)
        set_up(&k);
    if (!k.out_of_memory) {
        uint32_t first = 0;
        explore_enter_initial(&k.w);
        if (k.w.is_short || !find_node(&k, &first))
            give_up(&k);
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

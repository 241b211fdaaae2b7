/* SPDX-License-Identifier: Apache-2.0 */
/* procedure/explore_internal.h - one exploration while it goes on. */
#ifndef PROCEDURE_EXPLORE_INTERNAL_H
#define PROCEDURE_EXPLORE_INTERNAL_H

#include "explore.h"

struct token {
    struct wf_str text;
    const char *name;
};

enum explore_mode { MODE_ALWAYS, MODE_RAISED, MODE_OUTSIDE };

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

    int *guard_of; /* transition -> number of its condition, alike for the same text; -1 = none */
    signed char *decided; /* by such a number: 1, 0; -1 = not asked yet */

    struct token *tokens; /* distinct ones */
    size_t n_tokens;
    int *first_token; /* of a transition: index in token_ids */
    int *token_ids;
    size_t *token_seen; /* node number + 1 */

    /* the selection that goes on */
    size_t from;
    enum explore_mode mode;
    const char *event;
    unsigned edge_flags;
    int *atoms;
    size_t n_atoms;
    int *enabled;
    size_t n_enabled;
    int *kept, *domains;
    bool sends_anything; /* also events of names that else are the engine's */
    bool can_idle;
    bool is_over; /* a limit was reached */
    bool out_of_memory;
};

/* A limit was reached: the exploration ends, and is not whole. */
void explore_give_up(struct walk *k);

/* Makes the configuration of the node k->from the working one. */
void explore_load(struct walk *k);
void explore_drop_event(struct walk *k);

/* An edge from k->from to the working configuration. */
void explore_add_edge(struct walk *k, int transition);

/*
 * Takes every step that the event may cause (NULL in MODE_ALWAYS), one edge each. k->can_idle tells
 * whether there may be none.
 */
void explore_select(struct walk *k, enum explore_mode mode, const char *event, unsigned flags);

/* Memory and tables. Sets k->out_of_memory. */
void explore_set_up(struct walk *k);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that differ only in upper and lower case: each is legal, but sooner or later one is written
 * for the other. Also names that are written in two places and must agree.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct name {
    const char *text;
    int line;
};

struct names {
    struct name *items;
    size_t n;
    size_t cap;
};

static int by_letters(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;
    int order = strcasecmp(x->text, y->text);
    if (order == 0)
        order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void add_name(struct names *names, const char *text, int line)
{
    if (names->n < names->cap && text != NULL)
        names->items[names->n++] = (struct name){text, line};
}

/* Every pair of neighbours in order; the later one in the file is told. */
static void check_names_alike(struct checking *c, struct names *names, const char *what)
{
    if (names->n == 0)
        return;
    qsort(names->items, names->n, sizeof(*names->items), by_letters);
    for (size_t i = 1; i < names->n; i++) {
        const struct name *a = &names->items[i - 1];
        const struct name *b = &names->items[i];
        if (strcasecmp(a->text, b->text) != 0 || strcmp(a->text, b->text) == 0)
            continue;
        const struct name *first = a->line <= b->line ? a : b;
        const struct name *second = first == a ? b : a;
        CHECK_ERROR(c, second->line,
                    "%s '%s' differs from '%s' of line %d only in upper and lower case: one would "
                    "be taken for the other: rename one, or write both alike",
                    what, second->text, first->text, first->line);
    }
    names->n = 0;
}

static void add_events(struct checking *c, struct names *names)
{
    for (size_t i = 0; i < c->n_transitions; i++) {
        const char *at = c->transitions[i].event;
        for (at = at != NULL ? at + strspn(at, " ") : ""; *at != '\0'; at += strspn(at, " ")) {
            size_t length = strcspn(at, " ");
            add_name(names, wf_arena_strndup(c->p->arena, at, length), c->transitions[i].line);
            at += length;
        }
    }
}

static size_t count_event_words(const struct checking *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_transitions; i++) {
        if (c->transitions[i].event != NULL)
            n += strlen(c->transitions[i].event) / 2 + 1;
    }
    return n;
}

/* Variables: the chart's own and the fields are one name space of expressions. */
static void add_variables(struct checking *c, struct names *names)
{
    const struct wf_node *data = wf_node_child(c->group, "data");
    const struct wf_node *fields = wf_node_child(c->group, "fields");
    for (size_t i = 0; i < wf_node_count(data); i++)
        add_name(names, wf_node_at(data, i)->name, wf_node_at(data, i)->line);
    for (size_t i = 0; i < c->p->n_fields; i++)
        add_name(names, c->p->fields[i].id, wf_node_at(fields, i)->line);
}

void check_alike(struct checking *c)
{
    const struct wf_node *data = wf_node_child(c->group, "data");
    struct names names = {.cap = c->n_states + c->n_invokes + count_event_words(c) +
                                 c->p->n_fields + wf_node_count(data)};
    names.items = wf_arena_alloc(c->p->arena, (names.cap + 1) * sizeof(*names.items));
    if (names.items == NULL)
        return;
    for (size_t i = 0; i < c->n_states; i++)
        add_name(&names, c->states[i].id, c->states[i].line);
    check_names_alike(c, &names, "state");
    for (size_t i = 0; i < c->n_invokes; i++)
        add_name(&names, c->invokes[i].id, c->invokes[i].line);
    check_names_alike(c, &names, "invocation");
    add_events(c, &names);
    check_names_alike(c, &names, "event");
    add_variables(c, &names);
    check_names_alike(c, &names, "variable");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids that would collide at run time. A dossier has two name spaces: its timers by the ids of
 * delayed events, and its running work by the ids of activities, invoked or sent. In each, what
 * comes later takes the place of what is there. Ids that are expressions are known too late.
 */
#include "internal.h"

#include <string.h>

#include "chart/chart_internal.h"

/* Is it "<prefix>.<number>", as ids are made up? */
static bool is_numbered(const char *id, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(id, prefix, length) != 0 || id[length] != '.')
        return false;
    const char *number = id + length + 1;
    return number[0] != '\0' && number[strspn(number, "0123456789")] == '\0';
}

static void check_timer_id(struct checking *c, const char *id, int line)
{
    if (strcmp(id, "overdue") == 0 || wf_starts_with(id, "deadline.") ||
        is_numbered(id, "reminder") || is_numbered(id, "send"))
        CHECK_NEWER(c, line,
                    "send id '%s' is kept for timers of the system (overdue, reminder.N, "
                    "deadline.STATE, send.N): one would replace the other: rename it",
                    id);
}

/* Sends without id get one from their activity, however many there were before. */
static bool is_made_up(struct checking *c, const char *what, const char *id, int line)
{
    for (size_t i = 0; i < c->n_sends; i++) {
        const char *activity = c->sends[i].activity;
        if (!is_numbered(id, activity))
            continue;
        CHECK_NEWER(c, line,
                    "%s id '%s' is kept for sends of %s without id: one would replace the other "
                    "while it runs: rename it",
                    what, id, activity);
        return true;
    }
    return false;
}

/* Work that was sent outlives its state, so it may meet any invoke of the chart. */
static void check_work_id(struct checking *c, const char *id, int line)
{
    if (is_made_up(c, "send", id, line))
        return;
    for (size_t i = 0; i < c->n_invokes; i++) {
        if (strcmp(c->invokes[i].id, id) != 0)
            continue;
        CHECK_NEWER(c, line,
                    "send id '%s' is the id of the invoke of line %d too: one would replace the "
                    "other while it runs: rename one",
                    id, c->invokes[i].line);
        return;
    }
}

static void check_block(struct checking *c, const struct block *block)
{
    for (size_t i = 0; i < block->n; i++) {
        const struct action *a = &block->actions[i];
        bool is_known = a->id != NULL && a->id->kind == TEMPLATE_CONST;
        if (is_known && a->kind == ACTION_SEND)
            check_timer_id(c, wf_value_text(a->id->constant, ""), a->line);
        if (is_known && a->kind == ACTION_DETACHED)
            check_work_id(c, wf_value_text(a->id->constant, ""), a->line);
        for (size_t b = 0; b < a->n_branches; b++)
            check_block(c, &a->branches[b].block);
        check_block(c, &a->body);
    }
}

void check_ids(struct checking *c)
{
    const struct wf_chart *chart = c->p->chart;
    for (size_t i = 0; i < chart->n_states; i++) {
        check_block(c, &chart->states[i].entry_block);
        check_block(c, &chart->states[i].exit_block);
        check_block(c, &chart->states[i].initial.block);
    }
    for (size_t i = 0; i < chart->n_transitions; i++)
        check_block(c, &chart->transitions[i].block);
    for (size_t i = 0; i < c->n_invokes; i++)
        (void)is_made_up(c, "invoke", c->invokes[i].id, c->invokes[i].line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/top.h - the parts of the live view.
 *
 * PURPOSE    `hoso top` shows what `hoso status` says, again and again: one source, hoso_health.
 *            top.c reads and takes keys, top_rows.c makes rows of an answer, top_view.c draws them.
 * CONCEPTS   answer  of hoso_health, with a few sums and rates that need the answer before it
 *            pane    a table of rows with a heading; one of them is chosen, keys work on it
 *            cell    a figure with a heading and the mark that it gets when it is not 0
 */
#ifndef HOSO_TOP_H
#define HOSO_TOP_H

#include "health.h"
#include "screen.h"

enum top_pane { TOP_QUEUES, TOP_PROCESSES, TOP_TROUBLES, TOP_DOORS, TOP_READERS, TOP_STATES };
#define TOP_PANES 6

struct top_cell {
    struct hoso_column column;
    enum screen_mark alarm;
};

struct top_table {
    const char *en, *vi;
    const struct top_cell *cells;
    size_t n;
};

struct top {
    struct hoso *h;
    struct wf_arena *arenas[2]; /* of the answer and of the one before it, in turns */
    struct wf_arena *drawing;
    unsigned turn;
    const struct wf_value *answer; /* NULL: none could be read yet */
    const struct wf_value *rows[TOP_PANES];
    int64_t tried_ms, read_ms, interval_ms;
    struct wf_error why; /* the last answer could not be read; code 0 = it could */
    enum top_pane chosen;
    unsigned sorted[TOP_PANES]; /* number of the column, from 1; 0 = as they come */
    size_t first[TOP_PANES];    /* row at the top */
    bool is_paused, shows_help;
};

/* Rows of all panes; `before` (may be NULL) was read `passed_ms` earlier (top_rows.c). */
const struct wf_value *top_figures(struct hoso *h, const struct wf_value *answer,
                                   const struct wf_value *before, int64_t passed_ms);
const struct wf_value *top_rows(struct hoso *h, enum top_pane pane, const struct wf_value *figures);
/* Another order by the column with that number; `rows` themselves stay. */
const struct wf_value *top_sorted(struct hoso *h, const struct top_table *table, unsigned column,
                                  const struct wf_value *rows);

extern const struct top_table top_tables[TOP_PANES]; /* (top_view.c) */
void top_draw(struct top *top);

#endif

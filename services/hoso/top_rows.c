/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the live view shows beside status' own figures: sums, rates and ages. A rate needs two
 * answers; until there are two, or after a restart that set a counter back, it is null.
 */
#include <math.h>
#include <string.h>

#include "top.h"

/* A second, to a tenth. */
static const struct wf_value *rate(struct hoso *h, const struct wf_value *now,
                                   const struct wf_value *before, int64_t passed_ms)
{
    int64_t risen = wf_value_int(now, 0) - wf_value_int(before, 0);
    if (before == NULL || passed_ms <= 0 || risen < 0)
        return &wf_null;
    return wf_number(h->arena, round((double)risen * 10000 / (double)passed_ms) / 10);
}

static double number_of(const struct wf_value *value)
{
    return value != NULL && value->type == WF_NUMBER ? value->u.number
                                                     : (double)wf_value_int(value, 0);
}

/* The row of that name in the other answer, or NULL. */
static const struct wf_value *same(const struct wf_value *rows, const struct wf_value *row)
{
    struct wf_str name = wf_value_str(wf_map_get(row, "name"));
    for (size_t i = 0; i < wf_value_count(rows); i++) {
        if (wf_str_equal(wf_value_str(wf_map_get(wf_list_at(rows, i), "name")), name))
            return wf_list_at(rows, i);
    }
    return NULL;
}

/* ---- processes ------------------------------------------------------------------------------- */

static const struct wf_value *age(struct hoso *h, const struct wf_value *moment)
{
    int64_t ms = wf_value_int(moment, 0);
    return wf_int(h->arena, ms > 0 ? wf_real_ms() - ms : 0);
}

static const struct wf_value *sum_of(struct hoso *h, const struct wf_value *map)
{
    int64_t sum = 0;
    for (size_t i = 0; map != NULL && map->type == WF_MAP && i < map->u.map.n; i++)
        sum += wf_value_int(map->u.map.pairs[i].value, 0);
    return wf_int(h->arena, sum);
}

static void add_processes(struct hoso *h, struct wf_value *list, const struct wf_value *rows)
{
    for (size_t i = 0; i < wf_value_count(rows); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(rows, i));
        const struct wf_value *service = wf_map_get(row, "service");
        const struct wf_value *errors = wf_map_get(row, "errors");
        bool is_down = wf_str_is(wf_value_str(wf_map_get(row, "state")), "down");
        if (service != NULL)
            (void)wf_map_put(h->arena, row, "name", service);
        (void)wf_map_put(h->arena, row, "age_ms",
                         is_down ? &wf_null : age(h, wf_map_get(row, "started")));
        (void)wf_map_put(h->arena, row, "commit_age_ms", age(h, wf_map_get(row, "last_commit")));
        (void)wf_map_put(h->arena, row, "failures", errors != NULL ? sum_of(h, errors) : &wf_null);
        (void)wf_list_add(h->arena, list, row);
    }
}

/* ---- doors, readers, troubles ---------------------------------------------------------------- */

static const struct wf_value *doors(struct hoso *h, const struct wf_value *figures)
{
    const struct wf_value *rows = wf_map_get(figures, "processes");
    const struct wf_value *before = wf_map_get(figures, "processes_before");
    int64_t passed_ms = wf_value_int(wf_map_get(figures, "passed_ms"), 0);
    struct wf_value *list = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(rows); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(rows, i));
        (void)wf_map_put(h->arena, row, "requests_s",
                         rate(h, wf_value_at(row, "figures.requests"),
                              wf_value_at(same(before, row), "figures.requests"), passed_ms));
        (void)wf_list_add(h->arena, list, row);
    }
    return list;
}

static const struct wf_value *readers(struct hoso *h, const struct wf_value *figures)
{
    const struct wf_value *subscribers = wf_map_get(figures, "subscribers");
    const struct wf_value *outboxes = wf_map_get(figures, "outboxes");
    struct wf_value *list = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(subscribers); i++)
        (void)wf_list_add(h->arena, list, wf_list_at(subscribers, i));
    for (size_t i = 0; i < wf_value_count(outboxes); i++) {
        struct wf_value *row = wf_map_copy(h->arena, wf_list_at(outboxes, i));
        const struct wf_value *waiting = wf_map_get(row, "waiting");
        (void)wf_map_put(h->arena, row, "lag", waiting != NULL ? waiting : &wf_null);
        (void)wf_list_add(h->arena, list, row);
    }
    return list;
}

/* Status has the same problems twice: as words, and as lines for people. */
static const struct wf_value *troubles(struct hoso *h, const struct wf_value *figures)
{
    const struct wf_value *problems = wf_map_get(figures, "problems");
    const struct wf_value *lines = wf_map_get(figures, "troubles");
    struct wf_value *list = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(problems); i++)
        (void)wf_list_add(h->arena, list,
                          hoso_map(h, "level", wf_map_get(wf_list_at(problems, i), "level"), "line",
                                   wf_list_at(lines, i), NULL));
    return list;
}

const struct wf_value *top_rows(struct hoso *h, enum top_pane pane, const struct wf_value *figures)
{
    struct wf_value *list = NULL;
    switch (pane) {
    case TOP_QUEUES:
        return wf_map_get(figures, "workers");
    case TOP_PROCESSES:
        list = wf_list(h->arena);
        add_processes(h, list, wf_map_get(figures, "workers"));
        add_processes(h, list, wf_map_get(figures, "processes"));
        return list;
    case TOP_TROUBLES:
        return troubles(h, figures);
    case TOP_DOORS:
        return doors(h, figures);
    case TOP_READERS:
        return readers(h, figures);
    case TOP_STATES:
        return wf_value_at(figures, "dossiers.by_state");
    }
    return NULL;
}

/* ---- the whole cell -------------------------------------------------------------------------- */

/* Of all workers; null while one of them has no sample yet. */
static const struct wf_value *sum_over(struct hoso *h, const struct wf_value *workers,
                                       const char *key)
{
    double sum = 0;
    for (size_t i = 0; i < wf_value_count(workers); i++) {
        const struct wf_value *one = wf_map_get(wf_list_at(workers, i), key);
        if (one != NULL && one->type != WF_NULL)
            sum += number_of(one);
    }
    return wf_number(h->arena, sum);
}

const struct wf_value *top_figures(struct hoso *h, const struct wf_value *answer,
                                   const struct wf_value *before, int64_t passed_ms)
{
    struct wf_value *figures = wf_map_copy(h->arena, answer);
    const struct wf_value *workers = wf_map_get(answer, "workers");
    const struct wf_value *processes =
        before != NULL ? wf_value_copy(h->arena, wf_map_get(before, "processes")) : &wf_null;
    (void)wf_map_put(h->arena, figures, "passed_ms", wf_int(h->arena, passed_ms));
    (void)wf_map_put(h->arena, figures, "processes_before", processes);
    (void)wf_map_put(
        h->arena, figures, "events_s",
        rate(h, wf_map_get(answer, "journal"), wf_map_get(before, "journal"), passed_ms));
    (void)wf_map_put(h->arena, figures, "in_1m", sum_over(h, workers, "in_1m"));
    (void)wf_map_put(h->arena, figures, "out_1m", sum_over(h, workers, "out_1m"));
    return figures;
}

/* ---- order ----------------------------------------------------------------------------------- */

/* Figures: the largest first; words: by the alphabet. */
static bool comes_before(const struct wf_value *a, const struct wf_value *b, const char *path)
{
    const struct wf_value *x = wf_value_at(a, path);
    const struct wf_value *y = wf_value_at(b, path);
    if ((x != NULL && x->type == WF_TEXT) || (y != NULL && y->type == WF_TEXT))
        return strcmp(wf_value_text(x, ""), wf_value_text(y, "")) < 0;
    return number_of(x) > number_of(y);
}

const struct wf_value *top_sorted(struct hoso *h, const struct top_table *table, unsigned column,
                                  const struct wf_value *rows)
{
    size_t n = wf_value_count(rows);
    struct wf_value *list = wf_list(h->arena);
    const struct wf_value **order = wf_arena_alloc(h->arena, (n + 1) * sizeof(*order));
    if (column == 0 || column > table->n || list == NULL || order == NULL)
        return rows;
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        const struct wf_value *row = wf_list_at(rows, i);
        for (; at > 0 && comes_before(row, order[at - 1], table->cells[column - 1].column.key);
             at--)
            order[at] = order[at - 1];
        order[at] = row;
    }
    for (size_t i = 0; i < n; i++)
        (void)wf_list_add(h->arena, list, order[i]);
    return list;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in a cell at any quiet moment, whatever has happened before. */
#include "support/cell.h"

struct sums {
    struct cell *cell;
    struct wf_txn *txn;
    struct wf_arena *arena; /* for one dossier */
    uint64_t events, open, closed, timers, tasks, waiting;
    uint64_t n; /* of the history being walked */
};

static int one_event(void *context, const struct wf_rec_event *event)
{
    struct sums *sums = context;
    sums->n++;
    assert_int_equal(event->n, sums->n);
    sums->events++;
    return 0;
}

/* An open dossier must wait for something: work at hand or a timer. (Where an operator has dropped
 * a dead letter it may wait for the head's word alone.) */
static void check_waits(const struct wf_rec_dossier *d)
{
    bool waits = wf_value_count(d->running) > 0 || wf_value_count(d->timers) > 0;
    if (!waits)
        fail_msg("dossier %.*s is stuck (SEED=%llu)", WF_STR_ARG(d->code),
                 (unsigned long long)cell_seed());
}

static int one_dossier(void *context, const struct wf_rec_dossier *d)
{
    struct sums *sums = context;
    struct wf_error err = {0};
    wf_arena_reset(sums->arena);
    sums->n = 0;
    assert_ok(wf_history_each(sums->txn, d->id, sums->arena, one_event, sums, &err), err);
    assert_int_equal(sums->n, d->events);
    assert_true(d->events > 0);
    sums->open += d->closed == 0;
    sums->closed += d->closed != 0;
    sums->timers += wf_value_count(d->timers);
    for (size_t i = 0; i < wf_value_count(d->running); i++)
        sums->tasks += wf_value_count(wf_map_get(d->running->u.map.pairs[i].value, "t"));
    if (d->closed == 0 && !sums->cell->dead_letters_are_expected)
        check_waits(d);
    if (d->closed != 0)
        assert_int_equal(wf_value_count(d->timers), 0);
    assert_true((d->closed != 0) == (d->outcome.len > 0));
    assert_in_range(d->status, 1, 10);
    return 0;
}

static int one_task(void *context, const struct wf_rec_task *task)
{
    struct sums *sums = context;
    assert_true(task->activity.len > 0 && task->to.len > 0);
    sums->waiting++;
    return 0;
}

static void found(void *context, const char *name, const char *text)
{
    (void)context;
    fail_msg("the store's check: %s: %s (SEED=%llu)", name, text, (unsigned long long)cell_seed());
}

void cell_verify(struct cell *cell)
{
    struct wf_error err = {0};
    struct sums sums = {.cell = cell, .txn = cell_read(cell), .arena = wf_arena_new(0)};
    struct wf_dossier_filter every = {0};
    uint64_t checked = 0;
    const struct wf_counts counts = *wf_txn_counts(sums.txn);
    assert_ok(wf_journal_verify(sums.txn, 1, &checked, &err), err);
    assert_int_equal(checked, counts.journal_seq);
    struct wf_arena *walk = wf_arena_new(0);
    assert_ok(wf_dossier_each(sums.txn, &every, walk, one_dossier, &sums, &err), err);
    assert_ok(wf_task_each(sums.txn, walk, one_task, &sums, &err), err);
    wf_arena_free(walk);
    assert_int_equal(sums.events + counts.cell_events, counts.journal_seq);
    assert_int_equal(sums.open, counts.open);
    assert_int_equal(sums.closed, counts.closed);
    assert_int_equal(sums.timers, counts.timers + counts.held_timers);
    assert_int_equal(sums.tasks, sums.waiting);
    int64_t tasks = 0;
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++) {
        tasks += counts.tasks[i];
        if (!cell->dead_letters_are_expected)
            assert_int_equal(counts.dead[i], 0);
    }
    assert_int_equal(tasks, sums.waiting);
    wf_arena_free(sums.arena);
    wf_txn_abort(sums.txn);
    struct wf_check check;
    assert_ok(wf_store_check(cell->store, found, NULL, &check, &err), err);
}

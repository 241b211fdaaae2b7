/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction of a batch: begin with the procedures that are in force, end with a look at where
 * the next work lies.
 */
#include "batch.h"

/* Fewer items are not worth a look more at each of their rows: nobody waits for the lock, as a rule,
 * and a lone dossier would be the slower for it. */
#define AHEAD_LEAST 4

int turn_begin(struct worker *worker, bool write, struct wf_turn *turn, struct wf_error *err)
{
    for (;;) {
        struct wf_txn *txn = NULL;
        int rc = wf_txn_begin(worker->store, write, &txn, err);
        if (rc != 0)
            return rc;
        if (wf_engine_is_current(worker->engine, txn)) {
            int64_t real = wf_real_ms();
            *turn = (struct wf_turn){.engine = worker->engine,
                                     .txn = txn,
                                     .arena = worker->arena,
                                     .now_ms = wf_business_ms(&worker->clock, real),
                                     .real_ms = real,
                                     .parties = worker->parties,
                                     .intake_stopped = worker->intake_stopped,
                                     .quiet = wf_log_level() < WF_LOG_INFO};
            if (write)
                worker->slot->writing_since_ms = wf_monotonic_ms();
            return 0;
        }
        /* A procedure was installed: compile it outside the transaction, then begin anew. */
        wf_txn_abort(txn);
        rc = wf_engine_refresh(worker->engine, worker->store, NULL, err);
        if (rc != 0)
            return rc;
        wf_log(WF_LOG_INFO, WF_LOG_PROCEDURE_EVENT, NULL, "procedures were loaded anew");
    }
}

void turn_forget(struct worker *worker, struct wf_turn *turn)
{
    wf_txn_abort(turn->txn);
    worker->slot->writing_since_ms = 0;
}

/* Where the next work of this service lies, read in the transaction that is about to end. */
int turn_look_ahead(struct worker *worker, struct wf_turn *turn, struct wf_error *err)
{
    const struct wf_counts *counts = wf_txn_counts(turn->txn);
    enum wf_service self = worker->spec->service;
    int rc = wf_queue_next_due(turn->txn, worker->spec->service, &worker->next_item_ms, err);
    if (rc == 0)
        rc = wf_timer_next_due(turn->txn, worker->spec->service, &worker->next_timer_ms, err);
    worker->queue_out = counts->done[self] + counts->again[self];
    worker->queue_in = worker->queue_out + counts->queued[self] + counts->held[self];
    return rc;
}

const struct wf_ahead *turn_read_ahead(const struct worker *worker, const struct wf_turn *turn)
{
    enum wf_service self = worker->spec->service;
    bool few = wf_txn_counts(turn->txn)->queued[self] < AHEAD_LEAST;
    if (few && worker->next_timer_ms > turn->now_ms)
        return NULL;
    const struct wf_ahead_scope scope = {.service = self,
                                         .now_ms = turn->now_ms,
                                         .real_ms = turn->real_ms,
                                         .most = (size_t)worker->settings.batch};
    return wf_ahead_read(turn->txn, &scope, turn->arena);
}

int turn_commit(struct worker *worker, struct wf_turn *turn, struct wf_error *err)
{
    int rc = turn_look_ahead(worker, turn, err);
    if (rc != 0) {
        turn_forget(worker, turn);
        return rc;
    }
    bool wrote = wf_txn_writes(turn->txn) > 0;
    int64_t started = wf_monotonic_us();
    rc = wf_txn_commit(turn->txn, err);
    worker->slot->writing_since_ms = 0;
    if (rc != 0)
        return wf_wrap(err, "commit");
    if (wrote) {
        worker->slot->commits++;
        worker->slot->commit_us = wf_monotonic_us() - started;
        wf_board_note(&worker->slot->commit, worker->slot->commit_us);
        worker->slot->last_commit_real_ms = turn->real_ms;
    }
    worker->woken |= turn->own_work;
    return 0;
}

bool must_stop(int rc)
{
    return rc == WF_E_IO || rc == WF_E_VERSION;
}

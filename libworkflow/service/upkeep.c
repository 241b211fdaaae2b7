/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker does by the clock, between batches: clear reader slots of the dead, watch the
 * space, forget old request ids, note its queue's flow, go on with a release that broke off; and how
 * long it may sleep.
 */
#include <stdio.h>

#include "batch.h"

#define SPACE_EVERY_MS   500
#define SPACE_CLOSE_MS   20 /* intake looks so often when the mark is near */
#define CLOSE_PERCENT    60
#define PRUNE_EVERY_MS   1000
#define PARTIES_EVERY_MS 1000
#define PRUNE_ROWS       500
#define RUN_NOTED_MS     300000
#define RELEASE_EVERY_MS 1000
#define RELEASE_ROWS     200

static int clear_readers(struct worker *worker, int64_t now, struct wf_error *err)
{
    int cleared = 0;
    worker->next_readers_ms = now + worker->settings.readers_ms;
    int rc = wf_store_clear_readers(worker->store, &cleared, err);
    if (rc == 0 && cleared > 0)
        wf_log(WF_LOG_WARN, WF_LOG_READER_EVENT, NULL,
               "cleared %d reader slot(s) of dead processes", cleared);
    return rc;
}

/* The water mark stops intake only; what was accepted goes on to its end. For that the mark must
 * not be overrun by much, however small the store is. */
static int watch_space(struct worker *worker, int64_t now, struct wf_error *err)
{
    struct wf_store_space space;
    worker->next_space_ms = now + SPACE_EVERY_MS;
    int rc = wf_store_space(worker->store, &space, err);
    if (rc != 0)
        return rc;
    if (worker->spec->service == WF_INTAKE && space.used_percent >= CLOSE_PERCENT)
        worker->next_space_ms = now + SPACE_CLOSE_MS;
    if (space.intake_stopped != worker->intake_stopped)
        wf_log(space.intake_stopped ? WF_LOG_ERROR : WF_LOG_INFO, WF_LOG_SPACE_EVENT, NULL,
               "intake %s: store %u %% full, %llu MiB of disk free",
               space.intake_stopped ? "stops" : "goes on", space.used_percent,
               (unsigned long long)(space.disk_free_bytes >> 20));
    worker->intake_stopped = space.intake_stopped;
    return 0;
}

/* Request ids age by the time that the cell runs. It is noted in steps, so that a cell at rest seldom
 * writes: an id may seem older by one step, and is kept longer by it. What a stop cuts off does not
 * count. */
static int forget_requests(struct worker *worker, int64_t now, struct wf_error *err)
{
    struct wf_txn *txn = NULL;
    size_t deleted = 0;
    int64_t ran = now - worker->run_noted_ms;
    uint64_t window = (uint64_t)worker->settings.request_window_ms + RUN_NOTED_MS;
    worker->next_prune_ms = now + PRUNE_EVERY_MS;
    int rc = wf_txn_begin(worker->store, true, &txn, err);
    if (rc != 0)
        return rc;
    rc = wf_request_prune(txn, window, PRUNE_ROWS, &worker->prune_place, &deleted, err);
    if (rc < 0) {
        wf_txn_abort(txn);
        return rc == WF_E_FULL ? 0 : rc;
    }
    if (ran >= RUN_NOTED_MS)
        wf_request_note_run(txn, (uint64_t)ran);
    rc = wf_txn_commit(txn, err);
    if (rc == 0 && ran >= RUN_NOTED_MS)
        worker->run_noted_ms = now;
    return rc;
}

static int is_releasing(struct worker *worker, bool *out, struct wf_error *err)
{
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(worker->store, false, &txn, err);
    if (rc != 0)
        return rc;
    *out = wf_txn_counts(txn)->releasing > 0;
    wf_txn_abort(txn);
    return 0;
}

/* The command that releases a hold puts its rows back by itself; this is for one that died. */
static int put_back_released(struct worker *worker, int64_t now, struct wf_error *err)
{
    struct wf_turn turn;
    bool releasing = false;
    size_t moved = 0;
    size_t damaged = 0;
    worker->next_release_ms = now + RELEASE_EVERY_MS;
    int rc = is_releasing(worker, &releasing, err);
    if (rc != 0 || !releasing)
        return rc;
    wf_arena_reset(worker->arena);
    rc = turn_begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = wf_engine_put_back(&turn, RELEASE_ROWS, &moved, &damaged, err);
    if (rc < 0) {
        turn_forget(worker, &turn);
        return rc == WF_E_FULL ? 0 : rc;
    }
    rc = turn_commit(worker, &turn, err);
    if (rc != 0)
        return rc;
    worker->next_release_ms = now; /* until nothing is left */
    if (damaged > 0)
        wf_log(WF_LOG_ERROR, WF_LOG_DAMAGE_EVENT, NULL,
               "%zu damaged row(s) of a released hold were not put back: see hoso verify", damaged);
    return 0;
}

void read_parties(struct worker *worker)
{
    char folder[1100];
    struct wf_report report = {0};
    struct wf_parties *fresh = NULL;
    struct wf_error err;
    (void)snprintf(folder, sizeof(folder), "%s/parties", worker->settings.folder);
    worker->next_parties_ms = wf_monotonic_ms() + PARTIES_EVERY_MS;
    if (!wf_parties_due(&worker->parties_watch, folder))
        return;
    int rc = wf_parties_load(folder, &report, &fresh, &err);
    bool tells = wf_parties_read(&worker->parties_watch, rc);
    if (rc == 0) {
        wf_parties_free(worker->parties);
        worker->parties = fresh;
        wf_log(WF_LOG_INFO, WF_LOG_PARTIES_EVENT, NULL, "%zu parties are registered",
               wf_parties_count(fresh));
    } else if (tells) {
        wf_log(WF_LOG_ERROR, WF_LOG_PARTIES_EVENT, &(struct wf_log_fact){.rc = rc},
               "the parties stay as they were: %s", err.text);
    }
    wf_report_fini(&report);
}

/* A loop that hangs says nothing, and the service manager ends it. */
static void say_alive(struct worker *worker, int64_t now)
{
    int64_t every = wf_notify_every_ms();
    if (every == INT64_MAX) {
        worker->next_notify_ms = INT64_MAX;
        return;
    }
    wf_notify("WATCHDOG=1");
    worker->next_notify_ms = now + every;
}

static void take_sample(struct worker *worker, int64_t now)
{
    struct wf_board_slot *slot = worker->slot;
    worker->next_sample_ms = now + WF_BOARD_SAMPLE_MS;
    slot->samples[slot->n_samples % WF_BOARD_SAMPLES] =
        (struct wf_board_sample){now, worker->queue_in, worker->queue_out};
    __atomic_store_n(&slot->n_samples, slot->n_samples + 1, __ATOMIC_RELEASE);
}

int upkeep(struct worker *worker, struct wf_error *err)
{
    int64_t now = wf_monotonic_ms();
    int rc = 0;
    if (now >= worker->next_sample_ms)
        take_sample(worker, now);
    if (now >= worker->next_parties_ms)
        read_parties(worker);
    if (now >= worker->next_readers_ms)
        rc = clear_readers(worker, now, err);
    if (rc == 0 && now >= worker->next_space_ms)
        rc = watch_space(worker, now, err);
    if (rc == 0 && worker->spec->service == WF_INTAKE && now >= worker->next_prune_ms)
        rc = forget_requests(worker, now, err);
    if (rc == 0 && worker->spec->service == WF_INTAKE && now >= worker->next_papers_ms)
        rc = papers_sweep(worker, err);
    if (rc == 0 && worker->spec->service == WF_INTAKE && now >= worker->next_release_ms)
        rc = put_back_released(worker, now, err);
    if (rc == 0 && now >= worker->next_notify_ms)
        say_alive(worker, now);
    return rc;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t upkeep_timeout(const struct worker *worker)
{
    if (worker->again)
        return 0;
    int64_t now = wf_monotonic_ms();
    int64_t real = wf_real_ms();
    int64_t wait = sooner(worker->next_sweep_ms - now, worker->next_readers_ms - now);
    wait = sooner(wait, worker->next_space_ms - now);
    if (worker->spec->service == WF_INTAKE)
        wait = sooner(wait, worker->next_release_ms - now);
    wait = sooner(wait, worker->next_notify_ms - now);
    if (worker->next_item_ms != INT64_MAX)
        wait = sooner(wait, worker->next_item_ms - real);
    if (worker->next_timer_ms != INT64_MAX)
        wait = sooner(wait, wf_real_until(&worker->clock, worker->next_timer_ms, real));
    if (worker->n_parked > 0)
        wait = sooner(wait, worker->next_parked_ms - now);
    if (worker->hold_until_ms > now)
        wait = worker->hold_until_ms - now;
    return wait > 0 ? wait : 0;
}

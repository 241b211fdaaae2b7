/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One round: drain what waits, check it all, apply it in one write transaction, commit once, speak.
 *
 * If anything in a batch fails after it has written, the whole transaction is thrown away and the
 * batch is done again message by message, so that one bad message costs the others nothing but
 * time. A commit that fails ends the process: what the disk holds then is only known after opening
 * the store anew.
 */
#include <string.h>

#include "base/fault.h"
#include "worker.h"

#define BATCH_ARENA_MAX ((size_t)32 * 1024 * 1024)
#define FULL_PAUSE_MS   500
#define PARKED_EVERY_MS 50

struct batch {
    struct worker *worker;
    struct request *requests;
    size_t n;
    int64_t items, timers;
};

/* ---- receiving ---------------------------------------------------------------------------------
 */

static void receive_one(struct worker *worker, struct request *request, struct wf_error *why)
{
    request->rc =
        wf_message_unpack(request->frame, WF_END_PARTY, (enum wf_end)worker->spec->service,
                          worker->arena, &request->envelope, why);
    if (request->rc != 0)
        speak_refusal(worker, &request->asker, request->envelope.id, why);
}

/* What cannot be read is answered at once and never reaches the transaction. */
static int receive_all(struct batch *batch, struct wf_error *err)
{
    struct worker *worker = batch->worker;
    size_t most = (size_t)worker->settings.batch;
    batch->requests = wf_arena_alloc(worker->arena, most * sizeof(*batch->requests));
    if (batch->requests == NULL)
        return wf_fail(err, WF_E_NOMEM, "no memory for a batch");
    for (size_t seen = 0; seen < 2 * most && batch->n < most; seen++) {
        if (wf_arena_used(worker->arena) > BATCH_ARENA_MAX) {
            worker->again = true;
            break;
        }
        struct wf_error why = {0};
        struct request *request = &batch->requests[batch->n];
        memset(request, 0, sizeof(*request));
        int rc = wf_hub_receive(worker->hub, worker->arena, &request->asker, &request->frame, &why);
        if (rc == WF_NONE)
            return 0;
        if (rc == WF_E_INVALID) {
            speak_refusal(worker, &request->asker, wf_str(""), &why);
            continue;
        }
        if (rc < 0) {
            *err = why;
            return rc;
        }
        receive_one(worker, request, &why);
        batch->n += request->rc == 0;
    }
    worker->again = true;
    return 0;
}

static int receive_nudges(struct worker *worker, struct wf_error *err)
{
    for (int64_t i = 0; i < worker->settings.batch; i++) {
        struct wf_slice frame;
        struct wf_envelope envelope;
        int rc = wf_hub_listen(worker->hub, worker->arena, &frame, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        /* Which events it names does not matter: the queue table does. But garbage is counted. */
        if (wf_message_unpack(frame, WF_END_ANY, (enum wf_end)worker->spec->service, worker->arena,
                              &envelope, NULL) != 0) {
            worker->slot->refused++;
            continue;
        }
        worker->slot->nudges_in++;
        worker->woken = true;
    }
    return 0;
}

/* ---- transactions ------------------------------------------------------------------------------
 */

static int begin(struct worker *worker, bool write, struct wf_turn *turn, struct wf_error *err)
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

static void forget(struct worker *worker, struct wf_turn *turn)
{
    wf_txn_abort(turn->txn);
    worker->slot->writing_since_ms = 0;
}

/* Where the next work of this service lies, read in the transaction that is about to end. */
static int look_ahead(struct worker *worker, struct wf_turn *turn, struct wf_error *err)
{
    int rc = wf_queue_next_due(turn->txn, worker->spec->service, &worker->next_item_ms, err);
    if (rc == 0)
        rc = wf_timer_next_due(turn->txn, worker->spec->service, &worker->next_timer_ms, err);
    return rc;
}

static int commit(struct worker *worker, struct wf_turn *turn, struct wf_error *err)
{
    int rc = look_ahead(worker, turn, err);
    if (rc != 0) {
        forget(worker, turn);
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
        worker->slot->last_commit_real_ms = turn->real_ms;
    }
    worker->woken |= turn->own_work;
    return 0;
}

/* ---- the parts of a batch
 * ------------------------------------------------------------------------ */

/* Refused before its first write: the transaction goes on. Else it is spoilt. */
static bool is_clean_refusal(int rc, const struct wf_turn *turn, uint64_t writes_before)
{
    return wf_code_action(rc) == WF_REFUSE && wf_txn_writes(turn->txn) == writes_before;
}

static int do_request(struct wf_turn *turn, struct request *request, struct wf_error *err)
{
    uint64_t before = wf_txn_writes(turn->txn);
    request->answer = (struct wf_slice){0};
    request->rc =
        wf_engine_request(turn, &request->envelope, request->frame, &request->answer, err);
    if (request->rc >= 0 || is_clean_refusal(request->rc, turn, before))
        return 0;
    return request->rc;
}

/* IO means that the store cannot be trusted any more; damage of one record concerns only that. */
static bool must_stop(int rc)
{
    return rc == WF_E_IO || rc == WF_E_VERSION;
}

static bool items_are_due(const struct worker *worker)
{
    int64_t real = wf_real_ms();
    bool due = real >= worker->next_item_ms ||
               wf_business_ms(&worker->clock, real) >= worker->next_timer_ms;
    return due && worker->hold_until_ms <= wf_monotonic_ms();
}

static int next_item(struct batch *batch, struct wf_turn *turn, struct wf_rec_queue *item,
                     struct wf_error *err)
{
    return wf_queue_first(turn->txn, batch->worker->spec->service, turn->real_ms, turn->arena, item,
                          err);
}

/* Queue items and timers, as many as one batch may hold. */
static int do_due(struct batch *batch, struct wf_turn *turn, struct wf_error *err)
{
    struct wf_rec_queue item;
    int64_t most = batch->worker->settings.batch;
    int rc = 0;
    for (batch->items = 0; rc == 0 && batch->items < most; batch->items++) {
        rc = next_item(batch, turn, &item, err);
        if (rc == 0)
            rc = wf_engine_item(turn, &item, err);
        if (rc != 0)
            break;
    }
    if (rc < 0)
        return rc;
    rc = 0;
    for (batch->timers = 0; rc == 0 && batch->timers < most; batch->timers++) {
        rc = wf_engine_timer(turn, err);
        if (rc != 0)
            break;
    }
    batch->worker->again |= batch->items == most || batch->timers == most;
    return rc < 0 ? rc : 0;
}

/* Waiting fetches, longest waiting first; what they get is answered after the commit. */
static int do_parked(struct batch *batch, struct wf_turn *turn, struct request *served,
                     struct wf_error *err)
{
    struct worker *worker = batch->worker;
    for (size_t i = 0; i < worker->n_parked; i++) {
        struct request *request = &served[i];
        request->frame = (struct wf_slice){worker->parked[i].frame, worker->parked[i].len};
        request->rc =
            wf_message_unpack(request->frame, WF_END_PARTY, (enum wf_end)worker->spec->service,
                              turn->arena, &request->envelope, err);
        int rc = request->rc == 0 ? do_request(turn, request, err) : 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void answer_parked(struct worker *worker, struct request *served, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        if (served[i].rc == WF_NONE)
            continue;
        speak_answer(worker, &worker->parked[i].asker, served[i].answer);
        parked_drop(worker, i);
    }
}

/* ---- all in one transaction
 * ---------------------------------------------------------------------- */

/* 0 done, WF_NONE spoilt: nothing happened, do it one by one. */
static int together(struct batch *batch, bool serve_parked, struct wf_error *err)
{
    struct worker *worker = batch->worker;
    struct wf_turn turn;
    size_t n_parked = worker->n_parked;
    struct request *served = wf_arena_alloc(worker->arena, (n_parked + 1) * sizeof(struct request));
    int rc = served == NULL ? wf_fail(err, WF_E_NOMEM, "no memory for a batch")
                            : begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    (void)WF_FAULT("service.receive");
    for (size_t i = 0; rc == 0 && i < batch->n; i++) {
        if (wf_request_writes(batch->requests[i].envelope.type))
            rc = do_request(&turn, &batch->requests[i], err);
    }
    if (rc == 0)
        rc = do_due(batch, &turn, err);
    serve_parked = serve_parked || turn.tasks_opened;
    if (rc == 0 && serve_parked)
        rc = do_parked(batch, &turn, served, err);
    if (rc != 0) {
        forget(worker, &turn);
        if (must_stop(rc))
            return rc;
        struct wf_log_fact fact = {.rc = rc};
        wf_log(WF_LOG_WARN, WF_LOG_BATCH_EVENT, &fact, "one by one after: %s", err->text);
        return WF_NONE;
    }
    rc = commit(worker, &turn, err);
    if (rc != 0)
        return must_stop(rc) ? rc : WF_NONE; /* the map was full: nothing has happened */
    (void)WF_FAULT("service.speak");
    worker->slot->items += batch->items;
    worker->slot->timers += batch->timers;
    speak_turn(worker, &turn);
    if (serve_parked)
        answer_parked(worker, served, n_parked);
    return 0;
}

/* ---- one by one
 * ------------------------------------------------------------------------------------ */

static int request_alone(struct worker *worker, struct request *request, struct wf_error *err)
{
    struct wf_turn turn;
    struct wf_error why = {0};
    int rc = begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = do_request(&turn, request, &why);
    if (rc != 0)
        forget(worker, &turn);
    else
        rc = commit(worker, &turn, &why);
    if (rc == 0) {
        speak_turn(worker, &turn);
        return 0;
    }
    if (must_stop(rc)) {
        *err = why;
        return rc;
    }
    request->rc = rc; /* refused, and the answer must say so, even if it had been a yes */
    return wf_engine_error(request->envelope.id, &why, 0, worker->arena, &request->answer, err);
}

/* The store is full or worse: the items stay where they are, we come back later. */
static int hold_items(struct worker *worker, int rc, struct wf_error *err)
{
    if (must_stop(rc))
        return rc;
    worker->hold_until_ms = wf_monotonic_ms() + FULL_PAUSE_MS;
    struct wf_log_fact fact = {.rc = rc};
    wf_log(WF_LOG_ERROR, WF_LOG_SPACE_EVENT, &fact, "queue items wait: %s", err->text);
    return WF_NONE;
}

/* A turn of its own for one act that failed; `act` says it to the store. */
static int put_aside(struct worker *worker, const struct wf_rec_queue *item,
                     const struct wf_error *why, struct wf_error *err)
{
    struct wf_turn turn;
    int rc = begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = item != NULL ? wf_engine_item_failed(&turn, item, why, err)
                      : wf_engine_timer_failed(&turn, why, err);
    if (rc != 0) {
        forget(worker, &turn);
        return rc < 0 ? hold_items(worker, rc, err) : 0;
    }
    rc = commit(worker, &turn, err);
    if (rc == 0)
        speak_turn(worker, &turn);
    struct wf_log_fact fact = {.rc = why->code};
    wf_log(WF_LOG_WARN, WF_LOG_RETRY_EVENT, &fact, "%s", why->text);
    return rc;
}

/* One due item or timer in a transaction of its own; WF_NONE when none is left. */
static int due_alone(struct batch *batch, bool timer, struct wf_error *err)
{
    struct worker *worker = batch->worker;
    struct wf_rec_queue item = {0};
    struct wf_error why = {0};
    struct wf_turn turn;
    int rc = begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = timer ? wf_engine_timer(&turn, &why) : next_item(batch, &turn, &item, &why);
    if (rc == 0 && !timer)
        rc = wf_engine_item(&turn, &item, &why);
    if (rc == 0) {
        rc = commit(worker, &turn, err);
        if (rc == 0)
            speak_turn(worker, &turn);
        return rc;
    }
    forget(worker, &turn);
    if (rc == WF_NONE)
        return WF_NONE;
    if (must_stop(rc) || (!timer && item.seq == 0)) {
        *err = why;
        return rc;
    }
    return put_aside(worker, timer ? NULL : &item, &why, err);
}

static int one_by_one(struct batch *batch, struct wf_error *err)
{
    struct worker *worker = batch->worker;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < batch->n; i++) {
        if (wf_request_writes(batch->requests[i].envelope.type))
            rc = request_alone(worker, &batch->requests[i], err);
    }
    for (int timer = 0; rc == 0 && timer < 2; timer++) {
        for (int64_t i = 0; rc == 0 && i < worker->settings.batch; i++)
            rc = due_alone(batch, timer == 1, err);
        rc = rc == WF_NONE ? 0 : rc;
    }
    worker->again = true;
    return rc;
}

/* ---- looking, reading, answering
 * -------------------------------------------------------------------- */

/* Looks, without the write lock, whether there is anything to write. */
static int glance(struct worker *worker, bool *parked_ready, struct wf_error *err)
{
    int64_t now = wf_monotonic_ms();
    bool look_at_parked = worker->n_parked > 0 && now >= worker->next_parked_ms;
    bool sweep = now >= worker->next_sweep_ms;
    if (!worker->woken && !sweep && !look_at_parked)
        return 0;
    struct wf_turn turn;
    int rc = begin(worker, false, &turn, err);
    if (rc != 0)
        return rc;
    rc = look_ahead(worker, &turn, err);
    for (size_t i = 0; rc == 0 && look_at_parked && !*parked_ready && i < worker->n_parked; i++)
        *parked_ready = parked_is_ready(worker, turn.txn, i);
    wf_txn_abort(turn.txn);
    if (sweep && !worker->woken && worker->next_item_ms <= wf_real_ms())
        worker->slot->swept++; /* a nudge was lost: the table had it */
    worker->woken = false;
    worker->next_sweep_ms = now + worker->settings.sweep_ms;
    worker->next_parked_ms = now + PARKED_EVERY_MS;
    return rc;
}

static int answer_reads(struct batch *batch, struct wf_error *err)
{
    struct wf_turn turn;
    bool open = false;
    for (size_t i = 0; i < batch->n; i++) {
        struct request *request = &batch->requests[i];
        if (wf_request_writes(request->envelope.type))
            continue;
        int rc = open ? 0 : begin(batch->worker, false, &turn, err);
        if (rc != 0)
            return rc;
        open = true;
        struct wf_error why = {0};
        request->rc =
            wf_engine_request(&turn, &request->envelope, request->frame, &request->answer, &why);
    }
    if (open)
        wf_txn_abort(turn.txn);
    return 0;
}

static void answer_all(struct batch *batch)
{
    struct worker *worker = batch->worker;
    for (size_t i = 0; i < batch->n; i++) {
        struct request *request = &batch->requests[i];
        bool is_empty_fetch = request->rc == WF_NONE && request->envelope.type == WF_MSG_task_fetch;
        if (is_empty_fetch && parked_add(worker, request) == 0)
            continue;
        if (is_empty_fetch &&
            wf_engine_no_tasks(request->envelope.id, worker->arena, &request->answer, NULL) != 0)
            continue;
        if (request->rc < 0) {
            struct wf_log_fact fact = {.rc = request->rc};
            worker->slot->refused++;
            wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, &fact, "request of type %d refused",
                   (int)request->envelope.type);
        }
        speak_answer(worker, &request->asker, request->answer);
    }
    worker->slot->messages += (int64_t)batch->n;
    worker->slot->last_batch = (int64_t)batch->n + batch->items;
}

static bool has_writes(const struct batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        if (wf_request_writes(batch->requests[i].envelope.type))
            return true;
    }
    return false;
}

int worker_batch(struct worker *worker, struct wf_error *err)
{
    struct batch batch = {.worker = worker};
    bool parked_ready = false;
    wf_arena_reset(worker->arena);
    worker->again = false;
    int rc = receive_all(&batch, err);
    if (rc == 0)
        rc = receive_nudges(worker, err);
    if (rc == 0)
        rc = glance(worker, &parked_ready, err);
    if (rc != 0)
        return rc;
    if (has_writes(&batch) || parked_ready || items_are_due(worker)) {
        rc = together(&batch, parked_ready, err);
        if (rc == WF_NONE)
            rc = one_by_one(&batch, err);
    }
    if (rc == 0)
        rc = answer_reads(&batch, err);
    if (rc != 0)
        return rc;
    answer_all(&batch);
    parked_expire(worker, false);
    return 0;
}

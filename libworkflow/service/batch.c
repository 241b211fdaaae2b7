/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One round: drain what waits, check it all, apply it in one write transaction, commit once, speak.
 *
 * The cell's workers share one write lock, so what can be done without it is: what is due is read
 * before, and under the lock only compared with what the store then has (workflow/store.h).
 *
 * If anything in a batch fails after it has written, the whole transaction is thrown away and the
 * batch is done again message by message, so that one bad message costs the others nothing but
 * time. A commit that fails ends the process: what the disk holds then is only known after opening
 * the store anew.
 */
#include "batch.h"
#include "base/fault.h"

#define PARKED_EVERY_MS 50

/* ---- the parts of a batch -------------------------------------------------------------------- */

/* Refused before its first write: the transaction goes on. Else it is spoilt. */
static bool is_clean_refusal(int rc, const struct wf_turn *turn, uint64_t writes_before)
{
    return wf_code_action(rc) == WF_REFUSE && wf_txn_writes(turn->txn) == writes_before;
}

static void note_step(struct worker *worker, int64_t started_us)
{
    wf_board_note(&worker->slot->step, wf_monotonic_us() - started_us);
}

int do_item(struct worker *worker, struct wf_turn *turn, const struct wf_rec_queue *item,
            struct wf_error *err)
{
    int64_t started = wf_monotonic_us();
    int rc = wf_engine_item(turn, item, err);
    note_step(worker, started);
    return rc;
}

int do_timer(struct worker *worker, struct wf_turn *turn, struct wf_error *err)
{
    int64_t started = wf_monotonic_us();
    int rc = wf_engine_timer(turn, err);
    if (rc != WF_NONE)
        note_step(worker, started);
    return rc;
}

int do_request(struct worker *worker, struct wf_turn *turn, struct request *request,
               struct wf_error *err)
{
    uint64_t before = wf_txn_writes(turn->txn);
    int64_t started = wf_monotonic_us();
    request->answer = (struct wf_slice){0};
    request->rc =
        wf_engine_request(turn, &request->envelope, request->frame, &request->answer, err);
    note_step(worker, started);
    if (request->rc >= 0 || is_clean_refusal(request->rc, turn, before))
        return 0;
    return request->rc;
}

static bool items_are_due(const struct worker *worker)
{
    int64_t real = wf_real_ms();
    bool due = real >= worker->next_item_ms ||
               wf_business_ms(&worker->clock, real) >= worker->next_timer_ms;
    return due && worker->hold_until_ms <= wf_monotonic_ms();
}

int next_item(struct batch *batch, struct wf_turn *turn, struct wf_rec_queue *item,
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
            rc = do_item(batch->worker, turn, &item, err);
        if (rc != 0)
            break;
    }
    if (rc < 0)
        return rc;
    rc = 0;
    for (batch->timers = 0; rc == 0 && batch->timers < most; batch->timers++) {
        rc = do_timer(batch->worker, turn, err);
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
        int rc = request->rc == 0 ? do_request(worker, turn, request, err) : 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Fetches come after all else, so that they see the tasks which this very batch opens. */
static int do_requests(struct batch *batch, struct wf_turn *turn, bool fetches,
                       struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < batch->n; i++) {
        struct request *request = &batch->requests[i];
        bool is_fetch = request->envelope.type == WF_MSG_task_fetch;
        if (is_fetch == fetches && wf_request_writes(request->envelope.type))
            rc = do_request(batch->worker, turn, request, err);
    }
    return rc;
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

/* ---- all in one transaction ------------------------------------------------------------------ */

/* 0 done, WF_NONE spoilt: nothing happened, do it one by one. */
static int together(struct batch *batch, bool serve_parked, struct wf_error *err)
{
    struct worker *worker = batch->worker;
    struct wf_turn turn;
    size_t n_parked = worker->n_parked;
    struct request *served = wf_arena_alloc(worker->arena, (n_parked + 1) * sizeof(struct request));
    int rc = served == NULL ? wf_fail(err, WF_E_NOMEM, "no memory for a batch")
                            : turn_begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    (void)WF_FAULT("service.receive");
    wf_txn_use_ahead(turn.txn, batch->ahead);
    rc = do_requests(batch, &turn, false, err);
    if (rc == 0)
        rc = do_due(batch, &turn, err);
    serve_parked = serve_parked || turn.tasks_opened;
    if (rc == 0 && serve_parked)
        rc = do_parked(batch, &turn, served, err);
    if (rc == 0)
        rc = do_requests(batch, &turn, true, err);
    if (rc != 0) {
        turn_forget(worker, &turn);
        if (must_stop(rc))
            return rc;
        struct wf_log_fact fact = {.rc = rc};
        wf_log(WF_LOG_WARN, WF_LOG_BATCH_EVENT, &fact, "one by one after: %s", err->text);
        return WF_NONE;
    }
    rc = turn_commit(worker, &turn, err);
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

/* ---- looking, reading, answering ------------------------------------------------------------- */

/* Looks, without the write lock, whether there is anything to write, and reads what is due. */
static int glance(struct batch *batch, bool *parked_ready, struct wf_error *err)
{
    struct worker *worker = batch->worker;
    int64_t now = wf_monotonic_ms();
    bool look_at_parked = worker->n_parked > 0 && now >= worker->next_parked_ms;
    bool sweep = now >= worker->next_sweep_ms;
    if (!worker->woken && !sweep && !look_at_parked && !items_are_due(worker))
        return 0;
    struct wf_turn turn;
    int rc = turn_begin(worker, false, &turn, err);
    if (rc != 0)
        return rc;
    rc = turn_look_ahead(worker, &turn, err);
    for (size_t i = 0; rc == 0 && look_at_parked && !*parked_ready && i < worker->n_parked; i++)
        *parked_ready = parked_is_ready(worker, turn.txn, i);
    if (rc == 0 && items_are_due(worker))
        batch->ahead = turn_read_ahead(worker, &turn);
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
        int rc = open ? 0 : turn_begin(batch->worker, false, &turn, err);
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
            struct wf_str party = request->envelope.party;
            struct wf_log_fact fact = {
                .rc = request->rc,
                .party =
                    party.len > 0 ? wf_arena_strndup(worker->arena, party.ptr, party.len) : NULL};
            worker->slot->refused++;
            wf_board_error(worker->slot, request->rc);
            wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, &fact, "%s refused",
                   wf_message_info(request->envelope.type)->name);
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
        rc = answer_papers(&batch, err);
    if (rc == 0)
        rc = receive_nudges(worker, err);
    if (rc == 0)
        rc = glance(&batch, &parked_ready, err);
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch that failed as a whole, message by message: each in a transaction of its own, so that one
 * bad message costs the others nothing but time.
 */
#include "batch.h"

#define FULL_PAUSE_MS 500

/* A hand-off that was refused after a write: its refusal in a turn of its own, or the station would
 * ask for ever. WF_NONE where there is nothing to settle. */
static int settle_refusal(struct worker *worker, struct request *request,
                          const struct wf_error *why, struct wf_error *err)
{
    struct wf_turn turn;
    if (request->envelope.seq == 0)
        return WF_NONE;
    int rc = turn_begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = wf_engine_refuse_handoff(&turn, &request->envelope, request->frame, why, &request->answer,
                                  err);
    if (rc == 0)
        return turn_commit(worker, &turn, err);
    turn_forget(worker, &turn);
    return must_stop(rc) ? rc : WF_NONE;
}

static int request_alone(struct worker *worker, struct request *request, struct wf_error *err)
{
    struct wf_turn turn;
    struct wf_error why = {0};
    int rc = turn_begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = do_request(worker, &turn, request, &why);
    if (rc != 0)
        turn_forget(worker, &turn);
    else
        rc = turn_commit(worker, &turn, &why);
    if (rc == 0) {
        speak_turn(worker, &turn);
        return 0;
    }
    if (must_stop(rc)) {
        *err = why;
        return rc;
    }
    request->rc = rc; /* refused, and the answer must say so, even if it had been a yes */
    rc = settle_refusal(worker, request, &why, err);
    if (rc == 0 || must_stop(rc))
        return rc;
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
    wf_board_error(worker->slot, why->code);
    int rc = turn_begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = item != NULL ? wf_engine_item_failed(&turn, item, why, err)
                      : wf_engine_timer_failed(&turn, why, err);
    if (rc != 0) {
        turn_forget(worker, &turn);
        return rc < 0 ? hold_items(worker, rc, err) : 0;
    }
    rc = turn_commit(worker, &turn, err);
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
    int rc = turn_begin(worker, true, &turn, err);
    if (rc != 0)
        return rc;
    rc = timer ? do_timer(worker, &turn, &why) : next_item(batch, &turn, &item, &why);
    if (rc == 0 && !timer)
        rc = do_item(worker, &turn, &item, &why);
    if (rc == 0) {
        rc = turn_commit(worker, &turn, err);
        if (rc == 0)
            speak_turn(worker, &turn);
        return rc;
    }
    turn_forget(worker, &turn);
    if (rc == WF_NONE)
        return WF_NONE;
    if (must_stop(rc) || (!timer && item.seq == 0)) {
        *err = why;
        return rc;
    }
    return put_aside(worker, timer ? NULL : &item, &why, err);
}

int one_by_one(struct batch *batch, struct wf_error *err)
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

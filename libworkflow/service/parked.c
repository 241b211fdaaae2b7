/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long polls: fetches that found no task wait here, in memory only. If the worker dies they die
 * with it, and the party asks again.
 */
#include <string.h>

#include "worker.h"

int parked_add(struct worker *worker, const struct request *request)
{
    const struct wf_msg_task_fetch *fetch = request->envelope.body;
    if (fetch->wait_ms == 0 || worker->n_parked >= PARKED_MAX || worker->stopping)
        return WF_NONE;
    uint8_t *frame = wf_alloc(request->frame.len);
    if (frame == NULL)
        return WF_NONE;
    memcpy(frame, request->frame.ptr, request->frame.len);
    worker->parked[worker->n_parked++] =
        (struct parked){.asker = request->asker,
                        .frame = frame,
                        .len = request->frame.len,
                        .until_ms = wf_monotonic_ms() + (int64_t)fetch->wait_ms};
    return 0;
}

/* Keeps the order: who has waited longest is served first. */
void parked_drop(struct worker *worker, size_t i)
{
    wf_free(worker->parked[i].frame);
    worker->n_parked--;
    memmove(&worker->parked[i], &worker->parked[i + 1],
            (worker->n_parked - i) * sizeof(worker->parked[0]));
}

static int unpack(struct worker *worker, size_t i, struct wf_envelope *out)
{
    struct wf_slice frame = {worker->parked[i].frame, worker->parked[i].len};
    return wf_message_unpack(frame, WF_END_PARTY, (enum wf_end)worker->spec->service, worker->arena,
                             out, NULL);
}

bool parked_is_ready(struct worker *worker, struct wf_txn *txn, size_t i)
{
    struct wf_envelope envelope;
    if (unpack(worker, i, &envelope) != 0)
        return false;
    const struct wf_msg_task_fetch *fetch = envelope.body;
    bool is_draining = false;
    if (wf_cell_is_held(txn, worker->arena, &is_draining, NULL) != 0 || is_draining)
        return false;
    for (size_t n = 0; n < wf_value_count(fetch->to); n++) {
        struct wf_rec_task task;
        if (wf_task_first(txn, fetch->activity, wf_value_str(wf_list_at(fetch->to, n)), fetch->role,
                          wf_real_ms(), worker->arena, &task, NULL) == 0)
            return true;
    }
    return false;
}

/* Answers those whose waiting time is over (or all, at the end) with an empty list. */
void parked_expire(struct worker *worker, bool all)
{
    int64_t now = wf_monotonic_ms();
    for (size_t i = worker->n_parked; i-- > 0;) {
        struct wf_envelope envelope;
        struct wf_slice answer;
        if (!all && worker->parked[i].until_ms > now)
            continue;
        if (unpack(worker, i, &envelope) == 0 &&
            wf_engine_no_tasks(envelope.id, worker->arena, &answer, NULL) == 0)
            speak_answer(worker, &worker->parked[i].asker, answer);
        parked_drop(worker, i);
    }
}

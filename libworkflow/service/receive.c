/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has come in: requests are scanned, unpacked and checked here, so that nothing unreadable
 * ever reaches a transaction; nudges only wake.
 */
#include <string.h>

#include "batch.h"

#define BATCH_ARENA_MAX ((size_t)32 * 1024 * 1024)

static void receive_one(struct worker *worker, struct request *request, struct wf_error *why)
{
    request->rc =
        wf_message_unpack(request->frame, WF_END_PARTY, (enum wf_end)worker->spec->service,
                          worker->arena, &request->envelope, why);
    if (request->rc != 0)
        speak_refusal(worker, &request->asker, request->envelope.id, why);
}

/* What cannot be read is answered at once and never reaches the transaction. */
int receive_all(struct batch *batch, struct wf_error *err)
{
    struct worker *worker = batch->worker;
    size_t most = (size_t)worker->settings.batch;
    batch->requests = worker->requests;
    for (size_t seen = 0; seen < 2 * most && batch->n < most; seen++) {
        if (wf_arena_used(worker->arena) > BATCH_ARENA_MAX)
            break;
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

int receive_nudges(struct worker *worker, struct wf_error *err)
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

/* SPDX-License-Identifier: Apache-2.0 */
/* What only the cell can answer, and of that what a station must answer itself. */
#include "relay/relay.h"

#define PASSING_MS 30000 /* beyond the asker's own waiting time */

static int64_t patience(const struct wf_envelope *request)
{
    int64_t silent = 0;
    if (request->type == WF_MSG_task_fetch)
        silent = (int64_t)((const struct wf_msg_task_fetch *)request->body)->wait_ms;
    return PASSING_MS + silent;
}

static int ask_the_cell(struct relay *relay, struct asked *a, struct wf_error *err)
{
    struct wf_envelope request = a->envelope;
    a->retry_ms = RETRY_MS;
    if (!relay->line.up)
        return wf_fail(err, WF_E_BUSY, "the line is down: only the cell can answer this");
    struct held *held = held_add(relay, a, patience(&request));
    if (held == NULL)
        return wf_fail(err, WF_E_BUSY, "too many requests wait for the cell");
    request.to = wf_str(wf_service_word(a->service));
    request.party = wf_str(""); /* the gate knows whose key this is */
    request.seq = 0;
    int rc = line_ask(relay, &request, err);
    if (rc != 0)
        held_drop(held);
    else
        relay->slot->passed++;
    return rc;
}

/* A dossier that waits here, or was refused, is not known to the cell. */
static int look_up(struct relay *relay, struct asked *a, bool *out_answered, struct wf_error *err)
{
    const struct wf_msg_dossier_get *m = a->envelope.body;
    struct handoff h;
    int rc = store_by_code(relay->db, m->dossier, relay->arena, &h, err);
    *out_answered = rc == 0 && h.state != HANDOFF_TAKEN;
    if (*out_answered && h.state == HANDOFF_WAITS)
        answer_state(relay, a, &h);
    else if (*out_answered)
        return wf_fail_field(err, WF_E_NOT_FOUND, "body.dossier",
                             "the cell has refused this dossier: see hoso relay show");
    return rc < 0 ? rc : 0;
}

int pass_on(struct relay *relay, struct asked *a, struct wf_error *err)
{
    bool answered = false;
    int rc = 0;
    if (a->envelope.type == WF_MSG_dossier_list && !relay->line.up) {
        answer_waiting_list(relay, a);
        return 0;
    }
    if (a->envelope.type == WF_MSG_dossier_get)
        rc = look_up(relay, a, &answered, err);
    return rc == 0 && !answered ? ask_the_cell(relay, a, err) : rc;
}

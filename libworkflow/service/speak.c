/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that leaves a worker leaves here, after the commit that it tells of. A message that
 * cannot be sent is dropped: the asker asks again under the same id, and a peer finds its items in
 * the queue table when it sweeps.
 */
#include "worker.h"

#define EVENTS_PER_NUDGE 500

void speak_answer(struct worker *worker, const struct wf_asker *asker, struct wf_slice answer)
{
    struct wf_error err;
    if (answer.len > 0 && wf_hub_reply(worker->hub, asker, answer, &err) != 0)
        wf_log(WF_LOG_DEBUG, WF_LOG_NOTE_EVENT, NULL, "an answer found no taker: %s", err.text);
}

void speak_refusal(struct worker *worker, const struct wf_asker *asker, struct wf_str re,
                   const struct wf_error *why)
{
    struct wf_slice answer;
    struct wf_log_fact fact = {.rc = why->code};
    worker->slot->refused++;
    wf_board_error(worker->slot, why->code);
    wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, &fact, "%s%s%s", why->field,
           why->field[0] != '\0' ? ": " : "", why->text);
    if (wf_engine_error(re, why, 0, worker->arena, &answer, NULL) == 0)
        speak_answer(worker, asker, answer);
}

/* ---- nudges ---------------------------------------------------------------------------------- */

static void tell(struct worker *worker, enum wf_service to, const struct wf_value *events)
{
    struct wf_msg_work body = {.events = events};
    struct wf_envelope envelope = {.type = WF_MSG_work, .body = &body};
    struct wf_error err;
    wf_buf_clear(&worker->out);
    if (wf_message_pack(&envelope, &worker->out, &err) != 0)
        return;
    struct wf_slice frame = {worker->out.ptr, worker->out.len};
    if (wf_hub_tell(worker->hub, to, frame, &err) != 0)
        wf_log(WF_LOG_DEBUG, WF_LOG_NOTE_EVENT, NULL, "%s does not listen: %s", wf_service_word(to),
               err.text);
}

static void tell_all(struct worker *worker, const struct wf_turn *turn, enum wf_service to)
{
    struct wf_arena *arena = turn->arena;
    struct wf_value *events = NULL;
    for (const struct wf_nudge *n = turn->nudges; n != NULL; n = n->next) {
        if (n->to != to)
            continue;
        if (events == NULL)
            events = wf_list(arena);
        struct wf_value *event = wf_list(arena);
        wf_list_add(arena, event, wf_int(arena, (int64_t)n->seq));
        wf_list_add(arena, event, wf_int(arena, (int64_t)n->dossier));
        wf_list_add(arena, event, wf_text(arena, n->activity));
        wf_list_add(arena, events, event);
        if (wf_value_count(events) == EVENTS_PER_NUDGE) {
            tell(worker, to, events);
            events = NULL;
        }
    }
    if (events != NULL)
        tell(worker, to, events);
}

static void log_said(const struct wf_said *said)
{
    bool dead = said->kind == WF_SAID_DEAD;
    struct wf_log_fact fact = {.dossier = said->dossier,
                               .procedure = said->procedure,
                               .state = said->states,
                               .seq = said->seq};
    wf_log(dead ? WF_LOG_ERROR : WF_LOG_INFO, dead ? WF_LOG_DEAD_EVENT : WF_LOG_TRANSITION_EVENT,
           &fact, "%s", said->text != NULL ? said->text : "");
}

void speak_turn(struct worker *worker, const struct wf_turn *turn)
{
    for (int service = 0; service < WF_SERVICE_COUNT; service++)
        tell_all(worker, turn, (enum wf_service)service);
    for (const struct wf_said *said = turn->said; said != NULL; said = said->next)
        log_said(said);
}

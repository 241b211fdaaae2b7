/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to programs at the station, and the askers that are kept waiting for the cell's. */
#include <string.h>

#include "relay/relay.h"

#define STATUS_NEW 1 /* of the portal: filed, not yet received by the deciding body */
#define LIST_MOST  1000

/* ---- sending ---------------------------------------------------------------------------------- */

void answer_frame(struct relay *relay, enum wf_service service, const struct wf_asker *asker,
                  struct wf_slice frame)
{
    struct wf_error err;
    if (wf_outpost_reply(relay->outpost, service, asker, frame, &err) != 0)
        wf_log(WF_LOG_DEBUG, WF_LOG_NOTE_EVENT, NULL, "an answer found no taker: %s", err.text);
}

/* Into relay->out; false where memory is out: it is asked again. */
static bool pack(struct relay *relay, enum wf_message type, struct wf_str re, const void *body)
{
    const struct wf_envelope answer = {.type = type, .re = re, .body = body};
    struct wf_error err;
    wf_buf_clear(&relay->out);
    return wf_message_pack(&answer, &relay->out, &err) == 0;
}

static bool pack_error(struct relay *relay, struct wf_str re, const struct wf_error *why,
                       int64_t retry_ms)
{
    const struct wf_msg_error body = {.code = wf_str(wf_code_word(why->code)),
                                      .message = wf_str(why->text),
                                      .field = wf_str(why->field),
                                      .retry_ms = (uint64_t)retry_ms};
    return pack(relay, WF_MSG_error, re, &body);
}

static void send_packed(struct relay *relay, const struct asked *asked, bool is_packed)
{
    if (is_packed)
        answer_frame(relay, asked->service, &asked->asker,
                     (struct wf_slice){relay->out.ptr, relay->out.len});
}

void answer_error(struct relay *relay, const struct asked *asked)
{
    enum wf_log_level level =
        wf_code_action(asked->why.code) == WF_RETRY ? WF_LOG_DEBUG : WF_LOG_WARN;
    relay->slot->refused++;
    wf_log(level, WF_LOG_REFUSED_EVENT, &(struct wf_log_fact){.rc = asked->why.code},
           "request of type %d refused", (int)asked->envelope.type);
    send_packed(relay, asked, pack_error(relay, asked->envelope.id, &asked->why, asked->retry_ms));
}

/* ---- the station's own knowledge -------------------------------------------------------------- */

/* A dossier that the cell has not taken yet is in no state of its chart. */
static bool pack_state(struct relay *relay, struct wf_str re, const struct handoff *h)
{
    const struct wf_value *none = wf_list(relay->arena);
    const struct wf_msg_dossier_state body = {
        .dossier = h->code.len > 0 ? h->code : h->dossier,
        .procedure = h->procedure,
        .version = (uint64_t)h->version,
        .site = h->site,
        .channel = h->channel,
        .states = none,
        .status = STATUS_NEW,
        .received = h->received,
        .due = h->due,
        .outcome = wf_str(""),
        .provisional = h->dossier,
    };
    return none != NULL && pack(relay, WF_MSG_dossier_state, re, &body);
}

void answer_state(struct relay *relay, const struct asked *asked, const struct handoff *dossier)
{
    send_packed(relay, asked, pack_state(relay, asked->envelope.id, dossier));
}

/* What the asker hears where the cell says nothing in time: of a dossier taken in here the receipt;
 * of another nothing can be known, but the event is safe: asked again, it gets its answer. */
static bool pack_own(struct relay *relay, const struct asked *asked)
{
    struct wf_error busy;
    if (asked->is_own)
        return pack_state(relay, asked->envelope.id, &asked->taken);
    (void)wf_fail(&busy, WF_E_BUSY, "taken, and waits for the cell: ask again with the same id");
    return pack_error(relay, asked->envelope.id, &busy, RETRY_MS);
}

void answer_taken(struct relay *relay, const struct asked *asked)
{
    struct held *held = NULL;
    if (!pack_own(relay, asked))
        return;
    if (relay->line.up && relay->settings.answer_wait_ms > 0)
        held = held_add(relay, asked, relay->settings.answer_wait_ms);
    if (held != NULL)
        wf_buf_add(&held->answer, relay->out.ptr, relay->out.len);
    if (held == NULL || held->answer.failed) {
        send_packed(relay, asked, true);
        held_drop(held);
    }
}

struct page {
    struct relay *relay;
    struct wf_value *list;
    const struct wf_msg_dossier_list *wanted;
};

static int add_to_page(void *context, const struct handoff *h)
{
    struct page *page = context;
    struct wf_arena *arena = page->relay->arena;
    const struct wf_msg_dossier_list *m = page->wanted;
    if (h->type != WF_MSG_dossier_submit || m->state.len > 0 || m->due_before != 0 ||
        (m->procedure.len > 0 && !wf_str_equal(m->procedure, h->procedure)) ||
        (m->site.len > 0 && !wf_str_equal(m->site, h->site)))
        return 0;
    if (wf_value_count(page->list) >= (m->max != 0 ? m->max : 50))
        return WF_NONE;
    struct wf_value *map = wf_map(arena);
    wf_map_put(arena, map, "dossier", wf_text_n(arena, h->dossier.ptr, h->dossier.len));
    wf_map_put(arena, map, "id", wf_int(arena, 0));
    wf_map_put(arena, map, "procedure", wf_text_n(arena, h->procedure.ptr, h->procedure.len));
    wf_map_put(arena, map, "site", wf_text_n(arena, h->site.ptr, h->site.len));
    wf_map_put(arena, map, "channel", wf_text_n(arena, h->channel.ptr, h->channel.len));
    wf_map_put(arena, map, "states", wf_list(arena));
    wf_map_put(arena, map, "status", wf_int(arena, STATUS_NEW));
    wf_map_put(arena, map, "received", wf_int(arena, h->received));
    wf_map_put(arena, map, "due", wf_int(arena, h->due));
    wf_map_put(arena, map, "closed", wf_bool(false));
    wf_map_put(arena, map, "outcome", wf_text(arena, ""));
    return wf_list_add(arena, page->list, map) ? 0 : WF_E_NOMEM;
}

/* While the line is down: what waits here, in one page. */
void answer_waiting_list(struct relay *relay, const struct asked *asked)
{
    struct wf_error err = {0};
    struct page page = {relay, wf_list(relay->arena), asked->envelope.body};
    int rc = store_each(relay->db, HANDOFF_WAITS, 0, relay->arena, add_to_page, &page, &err);
    const struct wf_msg_dossier_page body = {.dossiers = page.list};
    if (rc >= 0 && wf_value_is_whole(page.list))
        send_packed(relay, asked, pack(relay, WF_MSG_dossier_page, asked->envelope.id, &body));
}

/* ---- askers that wait ------------------------------------------------------------------------- */

struct held *held_find(struct relay *relay, struct wf_str id)
{
    for (size_t i = 0; i < WF_COUNT(relay->held); i++) {
        if (relay->held[i].used && wf_str_is(id, relay->held[i].id))
            return &relay->held[i];
    }
    return NULL;
}

struct held *held_add(struct relay *relay, const struct asked *asked, int64_t wait_ms)
{
    struct held *held = held_find(relay, asked->envelope.id); /* asked again: its newest asker */
    for (size_t i = 0; held == NULL && i < WF_COUNT(relay->held); i++) {
        if (!relay->held[i].used)
            held = &relay->held[i];
    }
    if (held == NULL || !wf_str_copy(asked->envelope.id, held->id, sizeof(held->id)))
        return NULL;
    if (!held->used || held->answer.len == 0) /* asked again does not mean later */
        held->until_ms = wf_monotonic_ms() + wait_ms;
    held->used = true;
    held->service = asked->service;
    held->asker = asked->asker;
    wf_buf_clear(&held->answer);
    return held;
}

void held_drop(struct held *held)
{
    if (held == NULL)
        return;
    wf_buf_fini(&held->answer);
    *held = (struct held){.used = false};
}

void held_expire(struct relay *relay, int64_t now_ms)
{
    for (size_t i = 0; i < WF_COUNT(relay->held); i++) {
        struct held *held = &relay->held[i];
        if (!held->used || (now_ms < held->until_ms && (relay->line.up || held->answer.len == 0)))
            continue;
        if (held->answer.len > 0)
            answer_frame(relay, held->service, &held->asker,
                         (struct wf_slice){held->answer.ptr, held->answer.len});
        held_drop(held);
    }
}

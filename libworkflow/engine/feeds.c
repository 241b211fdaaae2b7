/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on the journal, on health, and on definitions.
 */
#include "life.h"

#include <inttypes.h>

/* Is the event's dossier this party's business? */
static bool is_seen(struct wf_turn *turn, const struct wf_rec_event *event)
{
    struct wf_rec_dossier dossier;
    if (turn->party == NULL)
        return true;
    return wf_dossier_get(turn->txn, event->dossier, turn->arena, &dossier, NULL) == 0 &&
           access_sees(turn, &dossier);
}

/* Each party has its own cursors, whatever it calls them. */
static int cursor_name(struct wf_turn *turn, struct wf_str cursor, struct wf_str *out,
                       struct wf_error *err)
{
    const char *party = turn->party != NULL ? turn->party->name : "";
    const char *name = wf_arena_printf(turn->arena, "%s/%.*s", party, WF_STR_ARG(cursor));
    *out = wf_str(name);
    return name != NULL ? 0 : out_of_memory(err);
}

/* The first sequence number wanted. */
static int start_of(struct wf_turn *turn, const struct wf_msg_journal_fetch *m, uint64_t *out,
                    struct wf_error *err)
{
    struct wf_str name;
    uint64_t at = 0;
    *out = m->from != 0 ? m->from : 1;
    if (m->cursor.len == 0)
        return 0;
    int rc = cursor_name(turn, m->cursor, &name, err);
    if (rc == 0)
        rc = wf_cursor_get(turn->txn, name, &at, err);
    *out = at + 1;
    return rc < 0 ? rc : 0;
}

static const struct wf_value *event_map(struct wf_turn *turn, const struct wf_rec_event *e,
                                        const uint8_t hash[WF_HASH_BYTES])
{
    struct wf_arena *arena = turn->arena;
    char hex[2 * WF_HASH_BYTES + 1];
    wf_hex(hash, WF_HASH_BYTES, hex);
    struct wf_value *map = wf_map(arena);
    wf_map_put(arena, map, "seq", wf_int(arena, (int64_t)e->seq));
    wf_map_put(arena, map, "ms", wf_int(arena, e->ms));
    wf_map_put(arena, map, "dossier", wf_int(arena, (int64_t)e->dossier));
    wf_map_put(arena, map, "n", wf_int(arena, (int64_t)e->n));
    wf_map_put(arena, map, "event", wf_text_n(arena, e->event.ptr, e->event.len));
    wf_map_put(arena, map, "data", e->data);
    wf_map_put(arena, map, "by", wf_text_n(arena, e->by.ptr, e->by.len));
    wf_map_put(arena, map, "role", wf_text_n(arena, e->role.ptr, e->role.len));
    wf_map_put(arena, map, "states", e->states);
    wf_map_put(arena, map, "status", wf_int(arena, (int64_t)e->status));
    wf_map_put(arena, map, "hash", wf_text(arena, hex));
    return map;
}

int request_journal_fetch(struct wf_turn *turn, const struct wf_envelope *request,
                          struct reply *out, struct wf_error *err)
{
    const struct wf_msg_journal_fetch *m = request->body;
    struct wf_msg_journal_page *body = NEW_BODY(turn, journal_page);
    struct wf_value *list = wf_list(turn->arena);
    if (body == NULL || list == NULL)
        return out_of_memory(err);
    uint64_t from = 1;
    int rc = access_journal(turn, err);
    if (rc == 0)
        rc = start_of(turn, m, &from, err);
    if (rc != 0)
        return rc;
    uint64_t head = wf_txn_counts(turn->txn)->journal_seq;
    uint64_t most = m->max != 0 ? m->max : 100;
    uint64_t seq = from;
    size_t start = wf_arena_used(turn->arena);
    /* A page must fit into one frame. */
    for (;
         seq <= head && seq - from < most && wf_arena_used(turn->arena) - start < WF_REPLY_MAX / 4;
         seq++) {
        struct wf_rec_event event;
        uint8_t hash[WF_HASH_BYTES];
        rc = wf_journal_get(turn->txn, seq, turn->arena, &event, hash, err);
        if (rc == WF_NONE)
            return wf_fail(err, WF_E_CORRUPT, "journal record %" PRIu64 " is missing", seq);
        if (rc < 0)
            return rc;
        if (!is_seen(turn, &event))
            continue;
        if (!wf_list_add(turn->arena, list, event_map(turn, &event, hash)))
            return out_of_memory(err);
    }
    *body = (struct wf_msg_journal_page){.events = list, .head = head, .next = seq};
    *out = (struct reply){WF_MSG_journal_page, body};
    return wf_value_is_whole(list) ? 0 : out_of_memory(err);
}

int request_journal_ack(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                        struct wf_error *err)
{
    const struct wf_msg_journal_ack *m = request->body;
    struct wf_str name;
    uint64_t at = 0;
    int rc = access_journal(turn, err);
    if (rc == 0)
        rc = cursor_name(turn, m->cursor, &name, err);
    if (rc == 0)
        rc = wf_cursor_get(turn->txn, name, &at, err);
    if (rc < 0)
        return rc;
    if (m->seq > wf_txn_counts(turn->txn)->journal_seq)
        return wf_fail_field(err, WF_E_INVALID, "body.seq", "beyond the head of the journal");
    if (m->seq > at) /* an old acknowledgement never moves a cursor back */
        rc = wf_cursor_put(turn->txn, name, m->seq, err);
    struct wf_msg_done *body = NEW_BODY(turn, done);
    if (rc >= 0 && body == NULL)
        rc = out_of_memory(err);
    *out = (struct reply){WF_MSG_done, body};
    return rc < 0 ? rc : 0;
}

int request_health(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                   struct wf_error *err)
{
    (void)request;
    const struct wf_counts *counts = wf_txn_counts(turn->txn);
    enum wf_service self = turn->engine->options.self;
    struct wf_arena *arena = turn->arena;
    struct wf_msg_health_report *body = NEW_BODY(turn, health_report);
    struct wf_value *figures = wf_map(arena);
    wf_map_put(arena, figures, "queued", wf_int(arena, counts->queued[self]));
    wf_map_put(arena, figures, "tasks", wf_int(arena, counts->tasks[self]));
    wf_map_put(arena, figures, "dead", wf_int(arena, counts->dead[self]));
    wf_map_put(arena, figures, "settled", wf_int(arena, counts->done[self]));
    wf_map_put(arena, figures, "open", wf_int(arena, (int64_t)counts->open));
    wf_map_put(arena, figures, "closed", wf_int(arena, (int64_t)counts->closed));
    wf_map_put(arena, figures, "timers", wf_int(arena, (int64_t)counts->timers));
    wf_map_put(arena, figures, "journal", wf_int(arena, (int64_t)counts->journal_seq));
    wf_map_put(arena, figures, "procedures", wf_int(arena, (int64_t)turn->engine->n_procedures));
    wf_map_put(arena, figures, "now", wf_int(arena, turn->real_ms));
    wf_map_put(arena, figures, "intake_stopped", wf_bool(turn->intake_stopped));
    if (body == NULL || !wf_value_is_whole(figures))
        return out_of_memory(err);
    *body = (struct wf_msg_health_report){.service = wf_str(wf_service_word(self)),
                                          .pid = turn->engine->options.pid,
                                          .figures = figures};
    *out = (struct reply){WF_MSG_health_report, body};
    return 0;
}

/* Definitions are public law: every registered party may read them. */
int request_procedure(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                      struct wf_error *err)
{
    const struct wf_msg_procedure_get *m = request->body;
    struct wf_msg_procedure_text *body = NEW_BODY(turn, procedure_text);
    if (body == NULL)
        return out_of_memory(err);
    const struct wf_procedure *p = m->version != 0
                                       ? engine_procedure(turn->engine, m->procedure, m->version)
                                       : engine_current(turn->engine, m->procedure, turn->now_ms);
    if (p == NULL)
        return wf_fail_field(err, WF_E_NOT_FOUND, "body.procedure",
                             "procedure %.*s is not installed, or not in this version",
                             WF_STR_ARG(m->procedure));
    *body = (struct wf_msg_procedure_text){
        .procedure = wf_str(p->code), .version = (uint64_t)p->version, .text = p->source};
    *out = (struct reply){WF_MSG_procedure_text, body};
    return 0;
}

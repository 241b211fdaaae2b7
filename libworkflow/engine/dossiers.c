/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on dossiers: submit, event, get, list. Everything is checked before the first write.
 */
#include "life.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MOST 4000 /* dossiers looked at for one page of a list */

/* ---- answers --------------------------------------------------------------------------------- */

void state_of(const struct wf_rec_dossier *d, struct wf_msg_dossier_state *out)
{
    *out = (struct wf_msg_dossier_state){
        .dossier = d->code,
        .id = d->id,
        .procedure = d->procedure,
        .version = d->version,
        .site = d->site,
        .channel = d->channel,
        .states = d->states,
        .status = d->status,
        .received = d->received,
        .due = d->due,
        .closed = d->closed != 0,
        .outcome = d->outcome,
        .events = d->events,
        .stops = d->stops,
        .extensions = d->extensions,
        .provisional = d->provisional,
    };
}

static int answer_state(struct wf_turn *turn, const struct wf_rec_dossier *dossier,
                        struct reply *out, struct wf_error *err)
{
    struct wf_msg_dossier_state *body = NEW_BODY(turn, dossier_state);
    if (body == NULL)
        return out_of_memory(err);
    state_of(dossier, body);
    *out = (struct reply){WF_MSG_dossier_state, body};
    return 0;
}

/* "#17": by its number, for one that has no code yet. No dossier has the number 0. */
static bool read_number(struct wf_str name, uint64_t *out)
{
    char text[24];
    if (name.len < 2 || name.ptr[0] != '#' || !wf_str_copy(name, text, sizeof(text)) ||
        text[1 + strspn(text + 1, "0123456789")] != '\0')
        return false;
    *out = strtoull(text + 1, NULL, 10);
    return *out != 0;
}

int dossier_by_name(struct wf_turn *turn, struct wf_str name, uint64_t *out, struct wf_error *err)
{
    if (read_number(name, out))
        return 0;
    int rc = wf_dossier_find(turn->txn, name, out, err);
    if (rc == WF_NONE)
        return wf_fail_field(err, WF_E_NOT_FOUND, "dossier", "there is no dossier of this code");
    return rc;
}

static int missing_dossier(int rc, struct wf_error *err)
{
    return rc == WF_NONE
               ? wf_fail_field(err, WF_E_NOT_FOUND, "dossier", "there is no dossier of this code")
               : rc;
}

/* Like missing_dossier, for one that is there and is not this party's business. */
static int hidden_dossier(const struct wf_turn *turn, const struct wf_rec_dossier *dossier,
                          struct wf_error *err)
{
    return access_sees(turn, dossier) ? 0 : missing_dossier(WF_NONE, err);
}

/* ---- submit ---------------------------------------------------------------------------------- */

static int check_complete(const struct wf_procedure *p, const struct wf_msg_dossier_submit *m,
                          struct wf_arena *arena, struct wf_error *err)
{
    if (m->partial)
        return 0;
    const struct wf_value *missing = wf_procedure_missing(p, m->fields, m->papers, arena);
    if (missing == NULL)
        return out_of_memory(err);
    if (wf_value_count(missing) == 0)
        return 0;
    const struct wf_value *first = wf_list_at(missing, 0);
    const char *kind = wf_value_text(wf_map_get(first, "kind"), "paper");
    char field[64];
    (void)snprintf(field, sizeof(field), "body.%ss.%s", kind,
                   wf_value_text(wf_map_get(first, "id"), "?"));
    return wf_fail_field(err, WF_E_INVALID, field,
                         "%zu required item(s) missing, first: %s %s; send them, or set partial to "
                         "receive the dossier and ask for the rest",
                         wf_value_count(missing), kind,
                         wf_value_text(wf_map_get(first, "id"), "?"));
}

int wf_submission_check(const struct wf_procedure *p, const struct wf_site *site,
                        const struct wf_msg_dossier_submit *m, struct wf_arena *arena,
                        struct wf_error *err)
{
    int rc = who_receives(p, site, m, err);
    if (rc == 0)
        rc = wf_procedure_check_data(p, m->fields, m->papers, err);
    return rc == 0 ? check_complete(p, m, arena, err) : rc;
}

/* What a submission is found to be, before anything is written. */
struct submission {
    const struct wf_procedure *procedure;
    const struct wf_site *site;
    int64_t received;
};

static int check_submit(struct wf_turn *turn, const struct wf_msg_dossier_submit *m,
                        struct submission *out, struct wf_error *err)
{
    if (turn->intake_stopped)
        return wf_fail(err, WF_E_FULL,
                       "the store is nearly full and takes no new dossiers; nothing was stored");
    int rc = station_received(turn, m, &out->received, err);
    if (rc != 0)
        return rc;
    const struct wf_procedure *p = engine_current(turn->engine, m->procedure, out->received);
    if (p == NULL)
        return wf_fail_field(err, WF_E_INVALID, "body.procedure",
                             "procedure %.*s is not installed, or not in force today; hoso "
                             "procedure list shows those that are",
                             WF_STR_ARG(m->procedure));
    const struct wf_site *site = wf_registry_site(turn->engine->options.registry, m->site);
    if (m->site.len == 0)
        return wf_fail_field(err, WF_E_INVALID, "body.site",
                             "no site is given: the code of the office that receives the dossier");
    if (site == NULL)
        return wf_fail_field(err, WF_E_INVALID, "body.site", "site %.*s is not in sites.cfg",
                             WF_STR_ARG(m->site));
    const struct wf_rec_dossier like_it = {.procedure = m->procedure, .site = m->site};
    rc = access_submit(turn, m, err);
    if (rc == 0 && m->provisional.len == 0) /* a station's citizen has a code and a receipt */
        rc = hold_refuses(turn, &like_it, true, err);
    if (rc == 0)
        rc = wf_submission_check(p, site, m, turn->arena, err);
    if (rc == 0)
        rc = papers_check(turn, m->papers, "", err);
    out->procedure = p;
    out->site = site;
    return rc;
}

static const struct wf_value *submit_data(const struct life *life,
                                          const struct wf_msg_dossier_submit *m)
{
    struct wf_arena *arena = life->turn->arena;
    const struct wf_procedure *p = life->procedure;
    const struct wf_rec_content *content = &life->content;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "procedure", wf_text(arena, p->code));
    wf_map_put(arena, data, "version", wf_int(arena, p->version));
    wf_map_put(arena, data, "channel", wf_text_n(arena, m->channel.ptr, m->channel.len));
    wf_map_put(arena, data, "site", wf_text_n(arena, m->site.ptr, m->site.len));
    wf_map_put(arena, data, "fields", content->fields);
    wf_map_put(arena, data, "papers", content->papers);
    if (wf_value_count(content->agent) > 0)
        wf_map_put(arena, data, "agent", content->agent);
    if (m->partial)
        wf_map_put(arena, data, "partial", wf_bool(true));
    if (m->provisional.len > 0)
        wf_map_put(arena, data, "provisional",
                   wf_text_n(arena, m->provisional.ptr, m->provisional.len));
    if (m->received != 0)
        wf_map_put(arena, data, "received", wf_int(arena, m->received));
    return data;
}

static int open_life(struct wf_turn *turn, const struct wf_envelope *request,
                     const struct submission *is, struct life *life, struct wf_error *err)
{
    const struct wf_msg_dossier_submit *m = request->body;
    struct wf_rec_content content = {
        .fields = m->fields, .papers = m->papers, .agent = m->agent, .by = m->by};
    struct wf_rec_dossier seed = {.site = m->site,
                                  .agency = wf_str(is->site->agency),
                                  .channel = m->channel,
                                  .party = request->party,
                                  .received = is->received,
                                  .provisional = m->provisional};
    return life_new(turn, is->procedure, &seed, &content, life, err);
}

int request_submit(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                   struct wf_error *err)
{
    const struct wf_msg_dossier_submit *m = request->body;
    struct submission is = {0};
    struct life life;
    int rc = check_submit(turn, m, &is, err);
    if (rc == 0)
        rc = open_life(turn, request, &is, &life, err);
    if (rc != 0)
        return rc;
    const struct wf_value *data = submit_data(&life, m);
    const char *by = wf_arena_strndup(turn->arena, m->by.ptr, m->by.len);
    const char *role = wf_arena_strndup(turn->arena, m->role.ptr, m->role.len);
    if (!wf_value_is_whole(data) || by == NULL || role == NULL)
        return out_of_memory(err);
    rc = life_start(&life, by, role, data, err);
    if (rc == 0)
        rc = life_drain(&life, err);
    if (rc == 0)
        rc = life_save(&life, err);
    return rc == 0 ? answer_state(turn, &life.now, out, err) : rc;
}

/* ---- event ----------------------------------------------------------------------------------- */

bool wf_event_is_reserved(const char *event)
{
    static const char *const prefixes[] = {"done.", "error.", "progress.", "deadline.",
                                           "operator."};
    for (size_t i = 0; i < WF_COUNT(prefixes); i++) {
        if (wf_starts_with(event, prefixes[i]))
            return true;
    }
    return strcmp(event, "overdue") == 0 || strcmp(event, "reminder") == 0 ||
           strcmp(event, "submit") == 0;
}

static int refuse_untaken(struct life *life, const struct wf_snapshot *from, const char *event,
                          struct wf_error *err)
{
    const struct wf_chart_transition *table = NULL;
    size_t offers[32];
    char takes[200] = "";
    (void)wf_chart_transitions(life->procedure->chart, &table);
    size_t n = wf_chart_offers(life->procedure->chart, from, NULL, offers, WF_COUNT(offers));
    for (size_t i = 0; i < n && i < WF_COUNT(offers); i++) {
        const char *name = table[offers[i]].event;
        size_t at = strlen(takes);
        if (name != NULL && !wf_event_is_reserved(name) && strstr(takes, name) == NULL)
            (void)snprintf(takes + at, sizeof(takes) - at, "%s%s", at > 0 ? ", " : "", name);
    }
    const struct wf_value *last =
        wf_list_at(life->now.states, wf_value_count(life->now.states) - 1);
    return wf_fail_field(err, WF_E_STATE, "body.event",
                         "state %s does not take event %s; it takes: %s", wf_value_text(last, "?"),
                         event, takes[0] != '\0' ? takes : "none");
}

static int check_event(struct life *life, const char *event, const struct wf_msg_dossier_event *m,
                       const struct wf_chart_raiser *who, struct wf_error *err)
{
    struct wf_snapshot from = {0};
    size_t offers[32];
    bool accepts = false;
    if (wf_event_is_reserved(event))
        return wf_fail_field(err, WF_E_DENIED, "body.event",
                             "event %s is the engine's own: choose another name", event);
    if (life->now.closed != 0)
        return wf_fail_field(err, WF_E_STATE, "dossier", "the dossier is closed (%.*s)",
                             WF_STR_ARG(life->now.outcome));
    int rc = life_snapshot(life, &from, err);
    if (rc != 0)
        return rc;
    size_t n = wf_chart_offers(life->procedure->chart, &from, event, offers, WF_COUNT(offers));
    if (n > WF_COUNT(offers))
        n = WF_COUNT(offers);
    if (n == 0)
        return refuse_untaken(life, &from, event, err);
    rc = who_raises(life, offers, n, who, err);
    if (rc != 0)
        return rc;
    struct wf_chart_event what = {event, m->data, NULL};
    rc = wf_chart_accepts_by(life->procedure->chart, &from, &what, who, life->turn->arena, &accepts,
                             err);
    if (rc == 0 && !accepts)
        return wf_fail_field(err, WF_E_STATE, "body.event",
                             "event %s is not possible now: its condition does not hold", event);
    return rc;
}

int request_event(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                  struct wf_error *err)
{
    const struct wf_msg_dossier_event *m = request->body;
    struct life life;
    uint64_t id = 0;
    int rc = dossier_by_name(turn, m->dossier, &id, err);
    if (rc == 0)
        rc = missing_dossier(life_load(turn, id, &life, err), err);
    if (rc == 0)
        rc = hidden_dossier(turn, &life.before, err);
    if (rc == 0)
        rc = access_raise(turn, err);
    if (rc == 0)
        rc = access_role(turn, m->role, err);
    if (rc == 0)
        rc = hold_refuses(turn, &life.before, false, err);
    if (rc != 0)
        return rc;
    const char *event = wf_arena_strndup(turn->arena, m->event.ptr, m->event.len);
    const char *by = wf_arena_strndup(turn->arena, m->by.ptr, m->by.len);
    const char *role = wf_arena_strndup(turn->arena, m->role.ptr, m->role.len);
    if (event == NULL || by == NULL || role == NULL)
        return out_of_memory(err);
    struct wf_chart_raiser who = {wf_str(role), life.now.channel, wf_str(life_model(&life))};
    rc = check_event(&life, event, m, &who, err);
    if (rc == 0)
        rc = papers_brought(&life, m->data, "data.", err);
    if (rc == 0)
        rc = papers_attach(&life, m->data, event, err);
    struct pending pending = {.event = event, .data = m->data, .by = by, .role = role, .who = &who};
    if (rc == 0)
        rc = life_push(&life, &pending, err);
    if (rc == 0)
        rc = life_drain(&life, err);
    if (rc == 0)
        rc = life_save(&life, err);
    return rc == 0 ? answer_state(turn, &life.now, out, err) : rc;
}

/* ---- get and list ---------------------------------------------------------------------------- */

static const struct wf_value *content_map(struct wf_turn *turn, const struct wf_rec_content *c)
{
    struct wf_value *map = wf_map(turn->arena);
    wf_map_put(turn->arena, map, "fields", c->fields);
    wf_map_put(turn->arena, map, "papers", c->papers);
    wf_map_put(turn->arena, map, "agent", c->agent);
    if (wf_value_count(c->attached) > 0)
        wf_map_put(turn->arena, map, "attached", c->attached);
    return map;
}

int request_get(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                struct wf_error *err)
{
    const struct wf_msg_dossier_get *m = request->body;
    struct wf_rec_dossier dossier;
    uint64_t id = 0;
    int rc = dossier_by_name(turn, m->dossier, &id, err);
    if (rc == 0)
        rc = missing_dossier(wf_dossier_get(turn->txn, id, turn->arena, &dossier, err), err);
    if (rc == 0)
        rc = hidden_dossier(turn, &dossier, err);
    if (rc == 0)
        rc = answer_state(turn, &dossier, out, err);
    if (rc != 0 || !m->content)
        return rc;
    struct wf_rec_content content;
    rc = wf_content_get(turn->txn, id, turn->arena, &content, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    struct wf_msg_dossier_state *body = NEW_BODY(turn, dossier_state);
    if (body == NULL)
        return out_of_memory(err);
    state_of(&dossier, body);
    body->content = content_map(turn, &content);
    *out = (struct reply){WF_MSG_dossier_state, body};
    return wf_value_is_whole(body->content) ? 0 : out_of_memory(err);
}

struct page {
    struct wf_turn *turn;
    struct wf_value *list;
    uint64_t max, last;
    bool more;
};

static int add_to_page(void *context, const struct wf_rec_dossier *d)
{
    struct page *page = context;
    struct wf_arena *arena = page->turn->arena;
    if (!access_sees(page->turn, d))
        return 0;
    if (wf_value_count(page->list) >= page->max) {
        page->more = true;
        return WF_NONE;
    }
    struct wf_value *map = wf_map(arena);
    wf_map_put(arena, map, "dossier", wf_text_n(arena, d->code.ptr, d->code.len));
    wf_map_put(arena, map, "id", wf_int(arena, (int64_t)d->id));
    wf_map_put(arena, map, "procedure", wf_text_n(arena, d->procedure.ptr, d->procedure.len));
    wf_map_put(arena, map, "site", wf_text_n(arena, d->site.ptr, d->site.len));
    wf_map_put(arena, map, "channel", wf_text_n(arena, d->channel.ptr, d->channel.len));
    wf_map_put(arena, map, "states", d->states);
    wf_map_put(arena, map, "status", wf_int(arena, (int64_t)d->status));
    wf_map_put(arena, map, "received", wf_int(arena, d->received));
    wf_map_put(arena, map, "due", wf_int(arena, d->due));
    wf_map_put(arena, map, "closed", wf_bool(d->closed != 0));
    wf_map_put(arena, map, "outcome", wf_text_n(arena, d->outcome.ptr, d->outcome.len));
    page->last = d->id;
    return wf_list_add(arena, page->list, map) ? 0 : WF_E_NOMEM;
}

int request_list(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                 struct wf_error *err)
{
    const struct wf_msg_dossier_list *m = request->body;
    struct wf_dossier_filter filter = {.procedure = m->procedure,
                                       .state = m->state,
                                       .site = m->site,
                                       .due_before = m->due_before,
                                       .after = m->after};
    uint64_t stopped = 0;
    struct page page = {
        .turn = turn, .list = wf_list(turn->arena), .max = m->max != 0 ? m->max : 50};
    filter.most = LOOK_MOST;
    filter.stopped = &stopped;
    struct wf_msg_dossier_page *body = NEW_BODY(turn, dossier_page);
    if (page.list == NULL || body == NULL)
        return out_of_memory(err);
    int rc = wf_dossier_each(turn->txn, &filter, turn->arena, add_to_page, &page, err);
    if (rc < 0)
        return rc == WF_E_NOMEM ? out_of_memory(err) : rc;
    *body = (struct wf_msg_dossier_page){.dossiers = page.list,
                                         .next = page.more ? page.last : stopped};
    *out = (struct reply){WF_MSG_dossier_page, body};
    return 0;
}

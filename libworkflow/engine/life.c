/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one dossier inside a turn: load, apply events until none is left, save.
 *
 * Applying an event: chart step (pure) -> take over the new snapshot -> status and clock -> journal
 * -> effects. Effects may end an activity of this very service at once; its event joins the list
 * and is applied next, in the same transaction. So one request can carry a dossier through several
 * states with one commit.
 */
#include "life.h"

#include <string.h>

#include "workflow/forms.h"

/* More than any sound procedure needs in one turn; beyond it the chart is chasing its own tail. */
#define MOST_EVENTS_PER_TURN 200

static int check_whole(const struct wf_value *value, struct wf_error *err)
{
    return wf_value_is_whole(value) ? 0 : out_of_memory(err);
}

int life_new(struct wf_turn *turn, const struct wf_procedure *procedure,
             const struct wf_rec_dossier *seed, const struct wf_rec_content *content,
             struct life *out, struct wf_error *err)
{
    const struct wf_value *nothing = wf_map(turn->arena);
    const struct wf_value *no_list = wf_list(turn->arena);
    if (nothing == NULL || no_list == NULL)
        return out_of_memory(err);
    *out = (struct life){.turn = turn,
                         .procedure = procedure,
                         .now = *seed,
                         .content = *content,
                         .content_changed = true,
                         .running = wf_map(turn->arena),
                         .timers = wf_map(turn->arena)};
    out->last = &out->first;
    if (out->content.papers == NULL)
        out->content.papers = no_list;
    if (out->content.agent == NULL)
        out->content.agent = nothing;
    if (out->content.attached == NULL)
        out->content.attached = no_list;
    out->now.id = wf_dossier_new_id(turn->txn);
    out->now.procedure = wf_str(procedure->code);
    out->now.version = (uint64_t)procedure->version;
    if (out->now.received == 0)
        out->now.received = turn->now_ms;
    out->now.states = no_list;
    out->now.history = nothing;
    out->now.data = nothing;
    out->now.invokes = nothing;
    return out->running == NULL || out->timers == NULL ? out_of_memory(err) : 0;
}

int life_load(struct wf_turn *turn, uint64_t id, struct life *out, struct wf_error *err)
{
    struct life life = {.turn = turn};
    int rc = wf_dossier_get(turn->txn, id, turn->arena, &life.before, err);
    if (rc != 0)
        return rc;
    rc = wf_content_get(turn->txn, id, turn->arena, &life.content, err);
    if (rc < 0)
        return rc;
    life.procedure = engine_procedure(turn->engine, life.before.procedure, life.before.version);
    if (life.procedure == NULL)
        return wf_fail(err, WF_E_INTERNAL, "procedure %.*s version %llu is not loaded here",
                       WF_STR_ARG(life.before.procedure), (unsigned long long)life.before.version);
    life.now = life.before;
    life.running = wf_map_copy(turn->arena, life.before.running);
    life.timers = wf_map_copy(turn->arena, life.before.timers);
    if (life.running == NULL || life.timers == NULL)
        return out_of_memory(err);
    *out = life;
    out->last = &out->first;
    return 0;
}

int life_push(struct life *life, const struct pending *event, struct wf_error *err)
{
    struct pending *copy = wf_arena_alloc(life->turn->arena, sizeof(*copy));
    if (copy == NULL)
        return out_of_memory(err);
    *copy = *event;
    copy->next = NULL;
    *life->last = copy;
    life->last = &copy->next;
    return 0;
}

/* ---- what expressions see -------------------------------------------------------------------- */

static const char *form_set_of(const struct life *life)
{
    return wf_form_set_name(wf_form_set_of(life->procedure, life->now.received));
}

const char *life_model(const struct life *life)
{
    const struct wf_registry *registry = life->turn->engine->options.registry;
    const struct wf_site *site =
        registry != NULL ? wf_registry_site(registry, life->now.site) : NULL;
    return wf_site_model_name(site != NULL ? site->model : WF_MODEL_NONE);
}

/* Made anew for every step: texts are shared, as everything in it outlives the step. */
static const struct wf_value *dossier_map(const struct life *life)
{
    struct wf_arena *arena = life->turn->arena;
    const struct wf_rec_dossier *d = &life->now;
    const struct wf_pair rows[] = {
        {wf_str("code"), wf_text_shared(arena, d->code)},
        {wf_str("procedure"), wf_text_shared(arena, d->procedure)},
        {wf_str("channel"), wf_text_shared(arena, d->channel)},
        {wf_str("site"), wf_text_shared(arena, d->site)},
        {wf_str("agency"), wf_text_shared(arena, d->agency)},
        {wf_str("received"), wf_int(arena, d->received)},
        {wf_str("due"), wf_int(arena, d->due)},
        {wf_str("supplements"), wf_int(arena, (int64_t)d->supplements)},
        {wf_str("has_agent"), wf_bool(wf_value_count(life->content.agent) > 0)},
        {wf_str("fee"), wf_int(arena, life->procedure->fee)},
        {wf_str("extensions"), wf_int(arena, (int64_t)d->extensions)},
        {wf_str("form_set"), wf_text_shared(arena, wf_str(form_set_of(life)))},
        {wf_str("model"), wf_text_shared(arena, wf_str(life_model(life)))},
    };
    struct wf_value *map = wf_map(arena);
    for (size_t i = 0; i < WF_COUNT(rows); i++)
        wf_map_put_shared(arena, map, rows[i].key, rows[i].value);
    return map;
}

static const struct wf_value *visible_data(const struct life *life)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *data = wf_map_copy(arena, life->now.data);
    const struct wf_value *fields = life->content.fields;
    for (size_t i = 0; i < wf_value_count(fields); i++)
        wf_map_put_shared(arena, data, fields->u.map.pairs[i].key, fields->u.map.pairs[i].value);
    wf_map_put_shared(arena, data, wf_str("_dossier"), dossier_map(life));
    return data;
}

int life_snapshot(struct life *life, struct wf_snapshot *out, struct wf_error *err)
{
    const struct wf_rec_dossier *d = &life->now;
    *out = (struct wf_snapshot){.states = d->states,
                                .history = d->history,
                                .data = visible_data(life),
                                .invokes = d->invokes,
                                .n_sends = (int64_t)d->n_sends,
                                .done = d->done};
    return check_whole(out->data, err);
}

/* Splits the chart's data back into the citizen's fields and the chart's own variables. */
static int take_data(struct life *life, const struct wf_value *data, struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    struct wf_value *own = wf_map(arena);
    struct wf_value *fields = NULL;
    for (size_t i = 0; i < wf_value_count(data); i++) {
        const struct wf_pair *pair = &data->u.map.pairs[i];
        if (wf_str_is(pair->key, "_dossier"))
            continue;
        if (wf_procedure_field(life->procedure, pair->key) == NULL) {
            wf_map_put_str(arena, own, pair->key, pair->value);
            continue;
        }
        const struct wf_value *old = wf_map_get_str(life->content.fields, pair->key);
        if (wf_value_equal(old, pair->value))
            continue;
        if (fields == NULL)
            fields = wf_map_copy(arena, life->content.fields);
        wf_map_put_str(arena, fields, pair->key, pair->value);
    }
    if (fields != NULL) {
        life->content.fields = fields;
        life->content_changed = true;
    }
    life->now.data = own;
    if (own == NULL || own->broken || (fields != NULL && fields->broken))
        return out_of_memory(err);
    return 0;
}

static int take_snapshot(struct life *life, const struct wf_snapshot *s, struct wf_error *err)
{
    life->now.states = s->states;
    life->now.history = s->history;
    life->now.invokes = s->invokes;
    life->now.n_sends = (uint64_t)s->n_sends;
    life->now.done = s->done;
    return take_data(life, s->data, err);
}

/* ---- status, clock, end ---------------------------------------------------------------------- */

const struct wf_value *life_atomic_states(const struct life *life, struct wf_arena *arena)
{
    const struct wf_chart_state *states = NULL;
    (void)wf_chart_states(life->procedure->chart, &states);
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(life->now.states); i++) {
        const struct wf_value *id = wf_list_at(life->now.states, i);
        int at = wf_chart_find(life->procedure->chart, wf_value_text(id, ""));
        if (at >= 0 && (states[at].kind == WF_STATE_ATOMIC || states[at].kind == WF_STATE_FINAL))
            wf_list_add(arena, list, id);
    }
    return list;
}

static int inherited_status(const struct wf_chart_state *states, int at)
{
    while (at >= 0 && states[at].status == 0)
        at = states[at].parent;
    return at >= 0 ? states[at].status : 0;
}

/* A state that stops the clock speaks for the whole dossier; else the last one in the document. */
static struct standing standing_of(const struct life *life)
{
    const struct wf_chart *chart = life->procedure->chart;
    const struct wf_chart_state *states = NULL;
    (void)wf_chart_states(chart, &states);
    struct standing is = {0};
    for (size_t i = 0; i < wf_value_count(life->now.states); i++) {
        int at = wf_chart_find(chart, wf_value_text(wf_list_at(life->now.states, i), ""));
        if (at < 0)
            continue;
        int status = inherited_status(states, at);
        if (status != 0 && (!is.clock_stopped || states[at].clock_stopped))
            is.status = status;
        if (states[at].clock_stopped)
            is.stopper = states[at].id;
        is.clock_stopped |= states[at].clock_stopped;
        if (states[at].outcome != NULL)
            is.outcome = states[at].outcome;
    }
    return is;
}

static int close_if_done(struct life *life, const struct standing *is, struct wf_error *err)
{
    struct wf_rec_dossier *d = &life->now;
    if (!d->done || d->closed != 0)
        return 0;
    d->closed = life->turn->now_ms > 0 ? life->turn->now_ms : 1;
    d->outcome = wf_str(is->outcome != NULL ? is->outcome : "done");
    int rc = timers_drop_all(life, err);
    for (size_t i = wf_value_count(life->running); rc == 0 && i-- > 0;) {
        const struct wf_pair *pair = &life->running->u.map.pairs[i];
        if (!wf_value_bool(wf_map_get(pair->value, RUN_DETACHED), false))
            rc = work_cancel(life, pair->key.ptr, err);
    }
    return rc == 0 && d->parent != 0 ? part_closed(life, err) : rc;
}

/* ---- one event ------------------------------------------------------------------------------- */

static const char *joined(struct wf_arena *arena, const struct wf_value *list)
{
    const char *text = "";
    for (size_t i = 0; text != NULL && i < wf_value_count(list); i++)
        text = wf_arena_printf(arena, "%s%s%s", text, i > 0 ? "," : "",
                               wf_value_text(wf_list_at(list, i), ""));
    return text;
}

static void say_transition(struct life *life, const char *event, const struct wf_value *states,
                           uint64_t seq)
{
    struct wf_arena *arena = life->turn->arena;
    const struct wf_rec_dossier *d = &life->now;
    if (life->turn->quiet)
        return;
    struct wf_said said = {
        .kind = WF_SAID_TRANSITION,
        .dossier = d->code.len > 0 ? wf_arena_strndup(arena, d->code.ptr, d->code.len)
                                   : wf_arena_printf(arena, "#%llu", (unsigned long long)d->id),
        .procedure = life->procedure->code,
        .states = joined(arena, states),
        .text = event,
        .seq = seq,
    };
    turn_say(life->turn, &said);
}

static int write_journal(struct life *life, const struct pending *event, struct wf_error *err)
{
    const struct wf_value *states = life_atomic_states(life, life->turn->arena);
    int rc = check_whole(states, err);
    if (rc != 0)
        return rc;
    life->now.events++;
    life->now.changed = life->turn->now_ms;
    struct wf_rec_event record = {
        .ms = life->turn->now_ms,
        .dossier = life->now.id,
        .n = life->now.events,
        .event = wf_str(event->event),
        .data = event->data != NULL ? event->data : &wf_null,
        .by = wf_str(event->by),
        .role = wf_str(event->role),
        .service = wf_str(wf_service_word(life->turn->engine->options.self)),
        .states = states,
        .status = life->now.status,
    };
    uint64_t seq = 0;
    rc = wf_journal_append(life->turn->txn, &record, &seq, err);
    if (rc == 0)
        say_transition(life, event->event, states, seq);
    return rc;
}

static int after_step(struct life *life, const struct wf_step *step, const struct pending *event,
                      struct wf_error *err)
{
    life->turn->steps++;
    int rc = take_snapshot(life, &step->snapshot, err);
    if (rc != 0)
        return rc;
    struct standing is = standing_of(life);
    if (is.status != 0)
        life->now.status = (uint64_t)is.status;
    rc = write_journal(life, event, err);
    if (rc == 0)
        rc = effects_apply(life, step->effects, err);
    if (rc == 0)
        rc = clock_move(life, &is, err);
    if (rc == 0)
        rc = close_if_done(life, &is, err);
    return rc;
}

int life_start(struct life *life, const char *by, const char *role, const struct wf_value *data,
               struct wf_error *err)
{
    struct wf_snapshot blank = {0};
    struct wf_step step = {0};
    int rc = life_snapshot(life, &blank, err);
    if (rc == 0)
        rc = wf_chart_start(life->procedure->chart, blank.data, life->turn->arena, &step, err);
    if (rc != 0)
        return rc;
    struct pending event = {.event = "submit", .data = data, .by = by, .role = role};
    return after_step(life, &step, &event, err);
}

static int apply_one(struct life *life, const struct pending *event, struct wf_error *err)
{
    if (event->note_only || life->now.done)
        return write_journal(life, event, err);
    struct wf_snapshot from = {0};
    struct wf_step step = {0};
    struct wf_chart_event what = {event->event, event->data, event->invoke_id};
    int rc = life_snapshot(life, &from, err);
    if (rc == 0)
        rc = wf_chart_step_by(life->procedure->chart, &from, &what, event->who, life->turn->arena,
                              &step, err);
    return rc == 0 ? after_step(life, &step, event, err) : rc;
}

int life_drain(struct life *life, struct wf_error *err)
{
    while (life->first != NULL) {
        struct pending *event = life->first;
        life->first = event->next;
        if (life->first == NULL)
            life->last = &life->first;
        if (++life->applied > MOST_EVENTS_PER_TURN)
            return wf_fail(err, WF_E_STATE,
                           "procedure %s: more than %d events in one turn; a loop?",
                           life->procedure->code, MOST_EVENTS_PER_TURN);
        int rc = apply_one(life, event, err);
        if (rc != 0)
            return wf_wrap(err, "event %s", event->event);
    }
    return 0;
}

int life_save(struct life *life, struct wf_error *err)
{
    int rc = check_whole(life->running, err);
    if (rc == 0)
        rc = check_whole(life->timers, err);
    if (rc != 0)
        return rc;
    life->now.running = life->running;
    life->now.timers = life->timers;
    struct wf_txn *txn = life->turn->txn;
    rc = wf_dossier_put(txn, life->before.id != 0 ? &life->before : NULL, &life->now, err);
    if (rc == 0 && life->content_changed)
        rc = wf_content_put(txn, life->now.id, &life->content, err);
    return rc;
}

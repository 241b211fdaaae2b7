/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds: what operators keep back for a while. Setting one is a row and a journal event; its effect
 * comes from those who ask hold_over when they are about to start something. A hold concerns what
 * begins, never what is under way: a lease that runs may be completed.
 */
#include "life.h"

#include <string.h>

#define BY_MOST     64
#define REASON_MOST 200 /* it stands in the error text of those that are refused */

/* ---- asking ---------------------------------------------------------------------------------- */

int hold_over(struct wf_turn *turn, const struct wf_hold_scope *scope, struct wf_rec_hold *out,
              struct wf_error *err)
{
    struct wf_rec_hold holds[WF_HOLDS_OVER];
    size_t n = 0;
    if (wf_txn_counts(turn->txn)->holds == 0)
        return WF_NONE;
    int rc = wf_holds_over(turn->txn, scope, turn->arena, holds, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (holds[i].released != 0)
            continue;
        *out = holds[i];
        return 0;
    }
    return rc < 0 ? rc : WF_NONE;
}

int hold_over_id(struct wf_turn *turn, uint64_t dossier, int service, struct wf_str activity,
                 struct wf_rec_hold *out, struct wf_error *err)
{
    struct wf_rec_dossier d;
    const struct wf_hold_scope scope = {&d, service, activity};
    if (wf_txn_counts(turn->txn)->holds == 0)
        return WF_NONE;
    int rc = wf_dossier_get(turn->txn, dossier, turn->arena, &d, err);
    return rc == 0 ? hold_over(turn, &scope, out, err) : rc;
}

int hold_refuses(struct wf_turn *turn, const struct wf_rec_dossier *dossier, bool is_new,
                 struct wf_error *err)
{
    /* Without intake.register a new dossier would get no code to tell the citizen. */
    const struct wf_hold_scope scope = {.dossier = dossier,
                                        .service = is_new ? (int)WF_INTAKE : -1,
                                        .activity = wf_str(is_new ? "intake.register" : "")};
    static const char *const fields[WF_HOLD_KINDS] = {
        [WF_HOLD_PROCEDURE] = "body.procedure",
        [WF_HOLD_SITE] = "body.site",
    };
    struct wf_rec_hold hold;
    int rc = hold_over(turn, &scope, &hold, err);
    if (rc == WF_NONE && is_new && wf_txn_counts(turn->txn)->holds > 0)
        rc = wf_hold_get(turn->txn, WF_HOLD_CELL, 0, wf_str(""), turn->arena, &hold, err);
    if (rc != 0 || hold.released != 0)
        return rc < 0 ? rc : 0;
    const char *kind = wf_hold_kind_word((enum wf_hold_kind)hold.kind);
    const char *field = is_new && hold.kind < WF_HOLD_KINDS ? fields[hold.kind] : "dossier";
    return wf_fail_field(err, WF_E_HELD, field != NULL ? field : "",
                         "%s%s%.*s is on hold: %.*s; nothing was stored, send it again when the "
                         "hold is released",
                         kind, hold.name.len > 0 ? " " : "", WF_STR_ARG(hold.name),
                         WF_STR_ARG(hold.reason));
}

/* ---- what may be held ------------------------------------------------------------------------ */

static int find_dossier(struct wf_turn *turn, struct wf_rec_hold *hold, struct wf_error *err)
{
    return dossier_by_name(turn, hold->name, &hold->dossier, err);
}

static int find_procedure(struct wf_turn *turn, struct wf_rec_hold *hold, struct wf_error *err)
{
    const struct wf_engine *engine = turn->engine;
    for (size_t i = 0; i < engine->n_procedures; i++) {
        if (wf_str_is(hold->name, engine->procedures[i].procedure->code))
            return 0;
    }
    return wf_fail(err, WF_E_NOT_FOUND,
                   "procedure %.*s is not installed; hoso procedure list shows those that are",
                   WF_STR_ARG(hold->name));
}

static int find_queue(struct wf_turn *turn, struct wf_rec_hold *hold, struct wf_error *err)
{
    const struct wf_catalogue *all = turn->engine->options.catalogue;
    if (wf_service_of_word(hold->name) >= 0)
        return 0;
    for (size_t i = 0; i < all->n_activities; i++) {
        if (wf_str_is(hold->name, all->activities[i]->name))
            return 0;
    }
    return wf_fail(err, WF_E_NOT_FOUND,
                   "queue %.*s: name a service (routing) or an activity (routing.consult)",
                   WF_STR_ARG(hold->name));
}

static int find_site(struct wf_turn *turn, struct wf_rec_hold *hold, struct wf_error *err)
{
    if (wf_registry_site(turn->engine->options.registry, hold->name) != NULL)
        return 0;
    return wf_fail(err, WF_E_NOT_FOUND, "site %.*s is not in sites.cfg", WF_STR_ARG(hold->name));
}

static int find_cell(struct wf_turn *turn, struct wf_rec_hold *hold, struct wf_error *err)
{
    (void)turn;
    (void)err;
    hold->name = wf_str("");
    return 0;
}

static int find_any(struct wf_turn *turn, struct wf_rec_hold *hold, struct wf_error *err)
{
    (void)turn;
    (void)hold;
    (void)err;
    return 0;
}

typedef int (*find_fn)(struct wf_turn *, struct wf_rec_hold *, struct wf_error *);

static const find_fn find_held[WF_HOLD_KINDS] = {
    [WF_HOLD_DOSSIER] = find_dossier, [WF_HOLD_PROCEDURE] = find_procedure,
    [WF_HOLD_QUEUE] = find_queue,     [WF_HOLD_SITE] = find_site,
    [WF_HOLD_CELL] = find_cell,
};

/* A site, procedure or activity may be gone meanwhile: the hold that is stored says its name. */
static const find_fn find_released[WF_HOLD_KINDS] = {
    [WF_HOLD_DOSSIER] = find_dossier, [WF_HOLD_PROCEDURE] = find_any, [WF_HOLD_QUEUE] = find_any,
    [WF_HOLD_SITE] = find_any,        [WF_HOLD_CELL] = find_cell,
};

/* Is the order whole, and is there what it names? */
static int find_hold(struct wf_turn *turn, const struct wf_hold_order *order, const find_fn *find,
                     struct wf_rec_hold *named, struct wf_error *err)
{
    size_t length = order->reason != NULL ? strlen(order->reason) : 0;
    if ((unsigned)order->kind >= WF_HOLD_KINDS)
        return wf_fail(err, WF_E_INVALID, "there is no such kind of hold");
    if (length == 0 || length > REASON_MOST || !wf_is_utf8(order->reason, length))
        return wf_fail_field(err, WF_E_INVALID, "reason",
                             "1 to %d bytes of UTF-8 are wanted: those that are refused read it",
                             REASON_MOST);
    if (order->by == NULL || strlen(order->by) > BY_MOST ||
        !wf_is_utf8(order->by, strlen(order->by)))
        return wf_fail_field(err, WF_E_INVALID, "by", "an account of at most %d bytes", BY_MOST);
    *named = (struct wf_rec_hold){.kind = order->kind, .name = order->name};
    return find[order->kind](turn, named, err);
}

static int stored(struct wf_turn *turn, const struct wf_rec_hold *named, struct wf_rec_hold *out,
                  struct wf_error *err)
{
    return wf_hold_get(turn->txn, (enum wf_hold_kind)named->kind, named->dossier, named->name,
                       turn->arena, out, err);
}

/* ---- the journal ----------------------------------------------------------------------------- */

static int note_in_dossier(struct wf_turn *turn, uint64_t dossier, const struct pending *note,
                           struct wf_error *err)
{
    struct life life;
    int rc = life_load(turn, dossier, &life, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_NOT_FOUND, "there is no dossier of this code");
    if (rc == 0)
        rc = life_push(&life, note, err);
    if (rc == 0)
        rc = life_drain(&life, err);
    return rc == 0 ? life_save(&life, err) : rc;
}

int note_in_cell(struct wf_turn *turn, const struct pending *note, struct wf_error *err)
{
    uint64_t seq = 0;
    const struct wf_rec_event event = {
        .ms = turn->now_ms,
        .event = wf_str(note->event),
        .data = note->data,
        .by = wf_str(note->by),
        .role = wf_str(note->role),
        .service = wf_str(wf_service_word(turn->engine->options.self)),
    };
    return wf_journal_append(turn->txn, &event, &seq, err);
}

static int note(struct wf_turn *turn, const char *act, const struct wf_rec_hold *hold,
                const struct wf_hold_order *order, struct wf_error *err)
{
    struct wf_arena *arena = turn->arena;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "kind", wf_text(arena, wf_hold_kind_word(order->kind)));
    wf_map_put(arena, data, "name", wf_text_n(arena, hold->name.ptr, hold->name.len));
    wf_map_put(arena, data, "reason", wf_text(arena, order->reason));
    if (!wf_value_is_whole(data))
        return out_of_memory(err);
    const struct pending pending = {
        .event = act, .data = data, .by = order->by, .role = "operator", .note_only = true};
    return hold->dossier != 0 ? note_in_dossier(turn, hold->dossier, &pending, err)
                              : note_in_cell(turn, &pending, err);
}

/* ---- hold and release ------------------------------------------------------------------------ */

static int check_open(struct wf_turn *turn, struct wf_rec_hold *hold, struct wf_error *err)
{
    struct wf_rec_dossier d;
    if (hold->dossier == 0)
        return 0;
    int rc = wf_dossier_get(turn->txn, hold->dossier, turn->arena, &d, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_NOT_FOUND, "there is no dossier of this code");
    if (rc == 0 && d.closed != 0)
        return wf_fail(err, WF_E_STATE, "dossier %.*s is closed", WF_STR_ARG(hold->name));
    if (rc == 0 && d.code.len > 0)
        hold->name = d.code; /* it may have been named by its number */
    return rc;
}

int wf_engine_hold(struct wf_turn *turn, const struct wf_hold_order *order, struct wf_error *err)
{
    struct wf_rec_hold hold;
    struct wf_rec_hold before;
    int rc = find_hold(turn, order, find_held, &hold, err);
    if (rc == 0)
        rc = check_open(turn, &hold, err);
    if (rc != 0)
        return rc;
    rc = stored(turn, &hold, &before, err);
    if (rc < 0)
        return rc;
    if (rc == 0 && before.released == 0)
        return wf_fail(err, WF_E_STATE, "%s %.*s is on hold already, by %.*s: %.*s",
                       wf_hold_kind_word(order->kind), WF_STR_ARG(hold.name), WF_STR_ARG(before.by),
                       WF_STR_ARG(before.reason));
    hold.by = wf_str(order->by);
    hold.reason = wf_str(order->reason);
    hold.since = turn->real_ms;
    /* Taken back while it was being released: what is still put aside stays so. */
    rc = wf_hold_put(turn->txn, rc == 0 ? &before : NULL, &hold, err);
    return rc == 0 ? note(turn, "operator.hold", &hold, order, err) : rc;
}

int wf_engine_release(struct wf_turn *turn, const struct wf_hold_order *order, struct wf_error *err)
{
    struct wf_rec_hold named;
    struct wf_rec_hold hold;
    int rc = find_hold(turn, order, find_released, &named, err);
    if (rc == 0)
        rc = stored(turn, &named, &hold, err);
    if (rc < 0)
        return rc;
    if (rc == WF_NONE || hold.released != 0)
        return wf_fail(err, WF_E_NOT_FOUND, "%s %.*s is not on hold; hoso hold list shows what is",
                       wf_hold_kind_word(order->kind), WF_STR_ARG(named.name));
    struct wf_rec_hold released = hold;
    released.released = turn->real_ms > 0 ? turn->real_ms : 1;
    rc = wf_hold_put(turn->txn, &hold, &released, err);
    return rc == 0 ? note(turn, "operator.release", &hold, order, err) : rc;
}

static int take_released(void *context, const struct wf_rec_hold *hold)
{
    if (hold->released == 0)
        return 0;
    *(struct wf_rec_hold *)context = *hold;
    return WF_NONE;
}

int wf_engine_put_back(struct wf_turn *turn, size_t most, size_t *out_moved, size_t *out_damaged,
                       struct wf_error *err)
{
    size_t moved = 0;
    size_t damaged = 0;
    while (moved < most && wf_txn_counts(turn->txn)->releasing > 0) {
        struct wf_rec_hold hold = {0};
        size_t n = 0;
        size_t bad = 0;
        int rc = wf_hold_each(turn->txn, turn->arena, take_released, &hold, err);
        if (rc == WF_NONE)
            rc = wf_hold_move_back(turn->txn, hold.id, most - moved, &n, &bad, err);
        else if (rc == 0)
            rc = wf_fail(err, WF_E_CORRUPT, "holds: one that is released is missing");
        bool is_over = n < most - moved;
        if (rc == 0 && is_over)
            rc = wf_hold_del(turn->txn, &hold, err);
        if (rc != 0)
            return rc;
        damaged += is_over ? bad : 0; /* told once, at the hold's end */
        moved += n;
        turn->own_work = true;
        turn->tasks_opened = true;
    }
    *out_moved = moved;
    *out_damaged = damaged;
    return moved > 0 || wf_txn_counts(turn->txn)->releasing > 0 ? 0 : WF_NONE;
}

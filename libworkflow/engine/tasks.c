/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on tasks. A lease is a visibility time-out: a leased task is hidden until its lease
 * ends, then the next one gets it with a higher fencing token, and the old token no longer
 * completes it.
 */
#include "life.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_DEFAULT_MS 60000
#define LEASE_LEAST_MS   1000
#define ADDRESSES_MAX    64
#define ASIDE_MAX        200 /* tasks on hold put aside in one fetch: the next goes on behind them */

/* ---- fetch ----------------------------------------------------------------------------------- */

static const struct wf_value *task_map(struct wf_turn *turn, const struct wf_rec_task *t)
{
    struct wf_arena *arena = turn->arena;
    struct wf_value *map = wf_map(arena);
    wf_map_put(arena, map, "task", wf_int(arena, (int64_t)t->id));
    wf_map_put(arena, map, "token", wf_int(arena, (int64_t)t->token));
    wf_map_put(arena, map, "dossier", wf_text_n(arena, t->code.ptr, t->code.len));
    wf_map_put(arena, map, "activity", wf_text_n(arena, t->activity.ptr, t->activity.len));
    wf_map_put(arena, map, "to", wf_text_n(arena, t->to.ptr, t->to.len));
    wf_map_put(arena, map, "role", wf_text_n(arena, t->role.ptr, t->role.len));
    wf_map_put(arena, map, "params", t->params);
    wf_map_put(arena, map, "attempt", wf_int(arena, (int64_t)t->attempts + 1));
    wf_map_put(arena, map, "lease_until", wf_int(arena, t->visible));
    wf_map_put(arena, map, "created", wf_int(arena, t->created));
    return map;
}

static int lease(struct wf_turn *turn, const struct wf_rec_task *task,
                 const struct wf_msg_task_fetch *m, struct wf_value *list, struct wf_error *err)
{
    struct wf_rec_task leased = *task;
    uint64_t ms = m->lease_ms != 0 ? m->lease_ms : LEASE_DEFAULT_MS;
    leased.token++;
    leased.visible = turn->real_ms + (int64_t)(ms > LEASE_LEAST_MS ? ms : LEASE_LEAST_MS);
    leased.holder = m->by;
    leased.as = m->role;
    leased.party = turn->party != NULL ? wf_str(turn->party->name) : wf_str("");
    leased.leased = true;
    int rc = wf_task_update(turn->txn, task, &leased, err);
    if (rc == 0 && !wf_list_add(turn->arena, list, task_map(turn, &leased)))
        rc = out_of_memory(err);
    return rc;
}

/* A task that is on hold is put aside, so that the next fetch does not meet it again; WF_NONE where
 * nothing holds it. */
static int put_aside(struct wf_turn *turn, const struct wf_rec_task *task, struct wf_error *err)
{
    struct wf_rec_task aside = *task;
    struct wf_rec_hold hold;
    int rc = hold_over_id(turn, task->dossier, (int)task->service, task->activity, &hold, err);
    if (rc != 0)
        return rc;
    aside.held = hold.id;
    return wf_task_update(turn->txn, task, &aside, err);
}

/* A fetch at work. The answer must fit into one frame, however large the tasks' parameters are. */
struct fetch {
    const struct wf_msg_task_fetch *m;
    struct wf_value *list;
    size_t bytes; /* that those leased have come to */
    unsigned aside;
};

/* Leases what is visible at one address, up to the wanted number. */
static int lease_at(struct wf_turn *turn, struct wf_str to, struct fetch *f, struct wf_error *err)
{
    const struct wf_msg_task_fetch *m = f->m;
    size_t max = m->max != 0 ? m->max : 1;
    struct wf_rec_task task;
    while (wf_value_count(f->list) < max && f->aside < ASIDE_MAX && f->bytes < WF_REPLY_MAX / 4) {
        size_t before = wf_arena_used(turn->arena);
        int rc = wf_task_first(turn->txn, m->activity, to, m->role, turn->real_ms, turn->arena,
                               &task, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        rc = put_aside(turn, &task, err);
        if (rc < 0)
            return rc;
        f->aside += rc == 0;
        if (rc == 0)
            continue;
        rc = lease(turn, &task, m, f->list, err);
        if (rc != 0)
            return rc;
        f->bytes += wf_arena_used(turn->arena) - before;
    }
    return 0;
}

static int check_fetch(struct wf_turn *turn, const struct wf_msg_task_fetch *m,
                       struct wf_error *err)
{
    char name[65];
    if (!wf_str_copy(m->activity, name, sizeof(name)) ||
        engine_activity(turn->engine, name) == NULL)
        return wf_fail_field(err, WF_E_NOT_FOUND, "body.activity",
                             "activity %.*s is not offered by service %s", WF_STR_ARG(m->activity),
                             wf_service_word(turn->engine->options.self));
    int rc = access_fetch(turn, m, err);
    if (rc != 0)
        return rc;
    size_t n = wf_value_count(m->to);
    if (n == 0 || n > ADDRESSES_MAX)
        return wf_fail_field(err, WF_E_INVALID, "body.to", "1 to %d addresses, or [\"*\"]",
                             ADDRESSES_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct wf_value *to = wf_list_at(m->to, i);
        if (to->type != WF_TEXT || to->u.text.len == 0 || to->u.text.len > 64)
            return wf_fail_field(err, WF_E_INVALID, "body.to", "addresses are texts of 1-64 bytes");
    }
    return 0;
}

static int answer_tasks(struct wf_turn *turn, const struct wf_value *list, struct reply *out,
                        struct wf_error *err)
{
    struct wf_msg_tasks *body = NEW_BODY(turn, tasks);
    if (body == NULL || !wf_value_is_whole(list))
        return out_of_memory(err);
    body->tasks = list;
    *out = (struct reply){WF_MSG_tasks, body};
    return 0;
}

int request_fetch(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                  struct wf_error *err)
{
    const struct wf_msg_task_fetch *m = request->body;
    struct wf_value *list = wf_list(turn->arena);
    struct fetch f = {.m = m, .list = list};
    bool is_draining = false;
    int rc = check_fetch(turn, m, err);
    if (rc == 0 && list == NULL)
        rc = out_of_memory(err);
    if (rc == 0)
        rc = wf_cell_is_held(turn->txn, turn->arena, &is_draining, err);
    if (rc == 0 && is_draining)
        return WF_NONE;
    for (size_t i = 0; rc == 0 && i < wf_value_count(m->to); i++)
        rc = lease_at(turn, wf_value_str(wf_list_at(m->to, i)), &f, err);
    if (rc != 0)
        return rc;
    return wf_value_count(list) > 0 ? answer_tasks(turn, list, out, err) : WF_NONE;
}

int fetch_again(struct wf_turn *turn, const struct wf_value *leases, struct reply *out,
                struct wf_error *err)
{
    struct wf_value *list = wf_list(turn->arena);
    for (size_t i = 0; i < wf_value_count(leases); i++) {
        const struct wf_value *pair = wf_list_at(leases, i);
        struct wf_rec_task task;
        int rc = wf_task_get(turn->txn, (uint64_t)wf_value_int(wf_list_at(pair, 0), 0), turn->arena,
                             &task, err);
        if (rc < 0)
            return rc;
        bool holds =
            rc == 0 && task.leased && (int64_t)task.token == wf_value_int(wf_list_at(pair, 1), -1);
        if (holds && !wf_list_add(turn->arena, list, task_map(turn, &task)))
            return out_of_memory(err);
    }
    return answer_tasks(turn, list, out, err);
}

/* ---- holding a lease ------------------------------------------------------------------------- */

/* Leases of earlier releases do not tell it. */
static struct wf_str role_of_lease(const struct wf_rec_task *task)
{
    return task->as.len > 0 ? task->as : task->role;
}

/* The role that the task asks for, and that its holder may still act in. */
static int check_lease_role(const struct wf_turn *turn, const struct wf_rec_task *task,
                            struct wf_error *err)
{
    struct wf_str as = role_of_lease(task);
    if (task->role.len > 0 && !wf_str_equal(task->role, as))
        return wf_fail_field(err, WF_E_DENIED, "body.task",
                             "task %" PRIu64 " is for role %.*s, and was fetched as %.*s", task->id,
                             WF_STR_ARG(task->role), WF_STR_ARG(as));
    return access_role(turn, as, err);
}

/* Who could fetch the task may know that somebody else has it; for all others it does not exist. */
static int held_task(struct wf_turn *turn, uint64_t id, uint64_t token, struct wf_rec_task *out,
                     struct wf_error *err)
{
    int rc = wf_task_get(turn->txn, id, turn->arena, out, err);
    bool here = rc == 0 && (enum wf_service)out->service == turn->engine->options.self;
    bool mine = here && access_holds(turn, out);
    if (rc == WF_NONE || (rc == 0 && !mine && !(here && access_may_fetch(turn, out))))
        return wf_fail_field(err, WF_E_NOT_FOUND, "body.task",
                             "task %" PRIu64 " is done, withdrawn, or not of service %s", id,
                             wf_service_word(turn->engine->options.self));
    if (rc == 0 && (!mine || !out->leased || out->token != token || token == 0))
        return wf_fail_field(err, WF_E_STALE, "body.token",
                             "task %" PRIu64 " is not held with this token: fetch it again", id);
    return rc == 0 ? check_lease_role(turn, out, err) : rc;
}

static int answer_done(struct wf_turn *turn, struct wf_str dossier, int64_t until,
                       struct reply *out, struct wf_error *err)
{
    struct wf_msg_done *body = NEW_BODY(turn, done);
    if (body == NULL)
        return out_of_memory(err);
    *body = (struct wf_msg_done){.dossier = dossier, .until = until};
    *out = (struct reply){WF_MSG_done, body};
    return 0;
}

int request_extend(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                   struct wf_error *err)
{
    const struct wf_msg_task_extend *m = request->body;
    struct wf_rec_task task;
    int rc = held_task(turn, m->task, m->token, &task, err);
    if (rc != 0)
        return rc;
    struct wf_rec_task longer = task;
    longer.visible = turn->real_ms + (int64_t)m->lease_ms;
    rc = wf_task_update(turn->txn, &task, &longer, err);
    return rc == 0 ? answer_done(turn, task.code, longer.visible, out, err) : rc;
}

/* ---- complete, fail, progress ---------------------------------------------------------------- */

struct act {
    struct wf_rec_task task;
    struct life life;
    struct wf_work work;
};

static int open_act(struct wf_turn *turn, uint64_t task, uint64_t token, struct act *act,
                    struct wf_error *err)
{
    int rc = held_task(turn, task, token, &act->task, err);
    if (rc == 0)
        rc = life_load(turn, act->task.dossier, &act->life, err);
    const char *id =
        rc == 0 ? wf_arena_strndup(turn->arena, act->task.invoke.ptr, act->task.invoke.len) : NULL;
    if (rc == 0 && id == NULL)
        rc = out_of_memory(err);
    if (rc == 0)
        rc = work_resume(&act->life, id, &act->task, &act->work, err);
    if (rc == WF_NONE)
        return wf_fail_field(err, WF_E_NOT_FOUND, "body.task",
                             "the dossier no longer waits for task %" PRIu64, task);
    return rc;
}

/* Names the acting person in the journal record of the event that the handler raised. */
static int close_act(struct act *act, struct wf_str by, struct wf_error *err)
{
    struct wf_turn *turn = act->life.turn;
    const char *who = wf_arena_strndup(turn->arena, by.ptr, by.len);
    struct wf_str as = role_of_lease(&act->task);
    const char *role = wf_arena_strndup(turn->arena, as.ptr, as.len);
    if (who == NULL || role == NULL)
        return out_of_memory(err);
    for (struct pending *event = act->life.first; event != NULL; event = event->next) {
        event->by = who;
        event->role = role;
    }
    int rc = work_settle(&act->work, err);
    if (rc == 0)
        rc = life_drain(&act->life, err);
    return rc == 0 ? life_save(&act->life, err) : rc;
}

static int drop_task(struct act *act, struct wf_error *err)
{
    work_forget_task(&act->work, act->task.id);
    return wf_task_del(act->life.turn->txn, &act->task, err);
}

int request_complete(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                     struct wf_error *err)
{
    const struct wf_msg_task_complete *m = request->body;
    struct act act = {0};
    int rc = open_act(turn, m->task, m->token, &act, err);
    const struct wf_activity *activity = act.work.activity;
    if (rc == 0 && activity->check_result != NULL)
        rc = activity->check_result(&act.task, m->result, err);
    if (rc == 0)
        rc = papers_brought(&act.life, m->result, "result.", err);
    if (rc == 0)
        rc = drop_task(&act, err);
    if (rc != 0)
        return rc;
    if (activity->task_done != NULL)
        rc = activity->task_done(&act.work, &act.task, m->result, err);
    else
        wf_work_done(&act.work, m->result);
    if (rc == 0)
        rc = papers_attach(&act.life, m->result, act.work.id, err);
    if (rc == 0)
        rc = close_act(&act, m->by, err);
    return rc == 0 ? answer_done(turn, act.life.now.code, 0, out, err) : rc;
}

int request_progress(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                     struct wf_error *err)
{
    const struct wf_msg_task_progress *m = request->body;
    struct act act = {0};
    int rc = open_act(turn, m->task, m->token, &act, err);
    if (rc == 0)
        rc = papers_brought(&act.life, m->data, "data.", err);
    if (rc == 0)
        rc = papers_attach(&act.life, m->data, act.work.id, err);
    if (rc != 0)
        return rc;
    if (act.work.activity->task_progress != NULL)
        rc = act.work.activity->task_progress(&act.work, &act.task, m->data, err);
    else
        wf_work_progress(&act.work, m->data);
    if (rc == 0)
        rc = close_act(&act, m->by, err);
    return rc == 0 ? answer_done(turn, act.life.now.code, act.task.visible, out, err) : rc;
}

/* The work stays open, without this task, until a person has looked. */
static int bury_task(struct act *act, const char *reason, struct wf_error *err)
{
    struct wf_turn *turn = act->life.turn;
    struct wf_value *params = wf_map(turn->arena);
    wf_map_put(turn->arena, params, "to",
               wf_text_n(turn->arena, act->task.to.ptr, act->task.to.len));
    wf_map_put(turn->arena, params, "params", act->task.params);
    if (!wf_value_is_whole(params))
        return out_of_memory(err);
    struct wf_rec_queue dead = {
        .service = act->task.service,
        .kind = WF_QUEUE_TASK,
        .created = turn->real_ms,
        .dossier = act->task.dossier,
        .activity = act->task.activity,
        .id = act->task.invoke,
        .detached = act->work.detached,
        .role = act->task.role,
        .params = params,
        .attempts = act->task.attempts + 1,
        .reason = wf_str(reason),
        .since = turn->real_ms,
        .tries = tries_add(turn, act->task.tries, "failed", wf_str(reason)),
    };
    if (!wf_value_is_whole(dead.tries))
        return out_of_memory(err);
    int rc = wf_queue_bury(turn->txn, NULL, &dead, err);
    struct wf_said said = {
        .kind = WF_SAID_DEAD,
        .dossier = wf_arena_strndup(turn->arena, act->task.code.ptr, act->task.code.len),
        .text = wf_arena_printf(turn->arena, "task %" PRIu64 " of %.*s failed for good",
                                act->task.id, WF_STR_ARG(act->task.activity)),
    };
    if (rc == 0)
        turn_say(turn, &said);
    return rc;
}

static int fail_for_good(struct act *act, const char *reason, struct wf_str by,
                         struct wf_error *err)
{
    int rc = drop_task(act, err);
    if (rc != 0)
        return rc;
    rc = act->work.activity->task_failed != NULL
             ? act->work.activity->task_failed(&act->work, &act->task, reason, err)
             : WF_NONE;
    if (rc == 0)
        return close_act(act, by, err);
    if (rc != WF_NONE)
        return rc;
    rc = bury_task(act, reason, err);
    act->work.buried++;
    if (rc == 0)
        rc = work_settle(&act->work, err);
    return rc == 0 ? life_save(&act->life, err) : rc;
}

static int try_later(struct wf_turn *turn, const struct act *act, const struct wf_msg_task_fail *m,
                     const char *reason, struct wf_error *err)
{
    struct wf_rec_task later = act->task;
    later.attempts++;
    later.leased = false;
    later.holder = wf_str("");
    later.reason = wf_str(reason);
    later.tries = tries_add(turn, act->task.tries, "failed", later.reason);
    if (!wf_value_is_whole(later.tries))
        return out_of_memory(err);
    later.visible = turn->real_ms +
                    (m->retry_ms != 0 ? (int64_t)m->retry_ms
                                      : engine_backoff(turn->engine, act->work.activity->backoff_ms,
                                                       later.attempts));
    return wf_task_update(turn->txn, &act->task, &later, err);
}

static uint64_t most_attempts(const struct wf_turn *turn, const struct wf_activity *activity)
{
    const struct wf_engine_options *options = &turn->engine->options;
    if (activity->attempts_setting != NULL && options->setting != NULL) {
        const char *text = options->setting(options->context, activity->attempts_setting);
        uint64_t most = strtoull(text, NULL, 10);
        if (most > 0)
            return most;
    }
    return activity->max_attempts != 0 ? activity->max_attempts : 5;
}

int request_fail(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                 struct wf_error *err)
{
    const struct wf_msg_task_fail *m = request->body;
    struct act act = {0};
    int rc = open_act(turn, m->task, m->token, &act, err);
    if (rc != 0)
        return rc;
    const char *reason = wf_arena_strndup(turn->arena, m->reason.ptr, m->reason.len);
    if (reason == NULL)
        return out_of_memory(err);
    if (m->final || act.task.attempts + 1 >= most_attempts(turn, act.work.activity))
        rc = fail_for_good(&act, reason, m->by, err);
    else
        rc = try_later(turn, &act, m, reason, err);
    return rc == 0 ? answer_done(turn, act.life.now.code, 0, out, err) : rc;
}

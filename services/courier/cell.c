/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cell's side. Request ids are made of task and state, so that what was asked before a crash
 * is answered again and not done again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "work.h"
#include "workflow/clock.h"
#include "workflow/log.h"

#define FETCH_MOST 50

static struct wf_arena *arena_of(struct courier *c)
{
    return c->a->arena;
}

/* ---- fetch ------------------------------------------------------------------------------------- */

static int64_t amount(const struct wf_value *params, const char *name)
{
    int64_t number = wf_value_int(wf_map_get(params, name), 0);
    return number > 0 ? number : 0;
}

static int read_task(struct courier *c, const struct wf_value *task, struct order_task *out,
                     struct wf_error *err)
{
    const struct courier_settings *s = c->settings;
    const struct wf_value *params = wf_map_get(task, "params");
    bool is_collection = wf_str_is(wf_value_str(wf_map_get(params, "by")), "collection");
    char *text = json_of_value(params);
    const char *person = text != NULL ? wf_arena_strdup(arena_of(c), text) : NULL;
    free(text);
    if (person == NULL)
        return wf_fail(err, WF_E_NOMEM, "task: out of memory");
    *out = (struct order_task){
        .dossier = wf_value_text(wf_map_get(task, "dossier"), ""),
        .parcel = wf_value_text(wf_map_get(params, "item"), ""),
        .person = person,
        .task = wf_value_int(wf_map_get(task, "task"), 0),
        .token = wf_value_int(wf_map_get(task, "token"), 0),
        .lease_until_ms = wf_value_int(wf_map_get(task, "lease_until"), 0),
        .fee = amount(params, "fee"),
        .charge = amount(params, "charge"),
        .postage = is_collection || strcmp(s->postage_by, "receiver") != 0 ? 0 : s->postage,
        .kind = is_collection ? "collect" : "deliver",
    };
    return 0;
}

/* Others may stand at the same address; nobody but a person can do them. */
static bool is_parcel(const struct order_task *task)
{
    const struct wf_log_fact fact = {.dossier = task->dossier};
    if (task->dossier[0] != '\0' && task->parcel[0] != '\0')
        return true;
    wf_log(WF_LOG_WARN, WF_LOG_PARCEL_EVENT, &fact,
           "task %" PRId64 " has no dossier code or item number: left alone", task->task);
    return false;
}

static int take(struct courier *c, const struct wf_value *tasks, struct wf_error *err)
{
    struct order_task taken[FETCH_MOST];
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(tasks) && n < FETCH_MOST; i++) {
        rc = read_task(c, wf_list_at(tasks, i), &taken[n], err);
        n += rc == 0 && is_parcel(&taken[n]);
    }
    return rc == 0 ? book_take(c->db, c->settings, taken, n, wf_real_ms(), err) : rc;
}

static int fetch(struct courier *c, const char *activity, size_t *out_n, struct wf_error *err)
{
    const struct courier_settings *s = c->settings;
    struct wf_arena *arena = arena_of(c);
    struct wf_client *client = NULL;
    struct wf_envelope reply;
    struct wf_value *to = wf_list(arena);
    struct wf_msg_task_fetch fetch = {.activity = wf_str(activity),
                                      .to = to,
                                      .by = wf_str(s->account),
                                      .role = wf_str("courier"),
                                      .max = FETCH_MOST,
                                      .lease_ms = (uint64_t)s->lease_ms};
    int rc = adapter_client(c->a, &client, err);
    if (rc == 0 && !wf_list_add(arena, to, wf_text(arena, s->address)))
        rc = wf_fail(err, WF_E_NOMEM, "fetch: out of memory");
    if (rc == 0)
        rc = wf_client_call(client, WF_RETURN, WF_MSG_task_fetch, &fetch, arena, &reply, err);
    if (rc != 0)
        return rc;
    const struct wf_value *tasks = ((const struct wf_msg_tasks *)reply.body)->tasks;
    *out_n = wf_value_count(tasks);
    return *out_n > 0 ? take(c, tasks, err) : 0;
}

int cell_fetch(struct courier *c, bool *out_more, struct wf_error *err)
{
    static const char *const activities[] = {"return.deliver", "return.collect"};
    size_t n = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < (c->settings->collect ? 2 : 1); i++) {
        rc = fetch(c, activities[i], &n, err);
        *out_more = *out_more || n == FETCH_MOST;
    }
    return rc;
}

/* ---- what an answer means ---------------------------------------------------------------------- */

static int settle(struct courier *c, const struct order *order, int rc, struct wf_error *err)
{
    const struct wf_log_fact fact = {.dossier = order->dossier, .rc = rc};
    if (rc == WF_E_STALE) {
        if (order->token != 0)
            wf_log(WF_LOG_WARN, WF_LOG_PARCEL_EVENT, &fact, "the lease has passed on");
        rc = book_lost(c->db, order, wf_real_ms() + c->settings->lease_ms, err);
        return rc == 0 ? WF_NONE : rc;
    }
    if (rc == WF_E_NOT_FOUND) {
        wf_log(WF_LOG_INFO, WF_LOG_PARCEL_EVENT, &fact, "the cell no longer waits for this parcel");
        rc = book_gone(c->db, c->settings, order, wf_real_ms(), arena_of(c), err);
        return rc == 0 ? WF_NONE : rc;
    }
    return rc;
}

static int say(struct courier *c, const struct order *order, enum wf_message verb, const void *body,
               const char *id, struct wf_error *err)
{
    struct wf_client *client = NULL;
    struct wf_envelope reply;
    int rc = adapter_client(c->a, &client, err);
    if (rc == 0)
        rc = wf_client_again(client, WF_RETURN, verb, body, id, arena_of(c), &reply, err);
    return rc < 0 ? settle(c, order, rc, err) : rc;
}

int cell_extend(struct courier *c, const struct order *order, struct wf_error *err)
{
    char id[WF_REQUEST_ID_SIZE];
    struct wf_client *client = NULL;
    struct wf_msg_task_extend extend = {.task = (uint64_t)order->task,
                                        .token = (uint64_t)order->token,
                                        .lease_ms = (uint64_t)c->settings->lease_ms};
    int64_t until = wf_real_ms() + c->settings->lease_ms;
    int rc = adapter_client(c->a, &client, err);
    if (rc != 0)
        return rc;
    wf_client_new_id(client, id); /* once more is longer: not the same request */
    rc = say(c, order, WF_MSG_task_extend, &extend, id, err);
    return rc == 0 ? book_leased(c->db, order, until, err) : rc;
}

/* ---- news and the end -------------------------------------------------------------------------- */

static void put_item(struct wf_arena *arena, struct wf_value *map, const struct order *order)
{
    if (order->item[0] != '\0' && strcmp(order->item, order->parcel) != 0)
        (void)wf_map_put(arena, map, "item", wf_text(arena, order->item));
}

static void put_reason(struct wf_arena *arena, struct wf_value *map, const struct step *step)
{
    if (step->reason != NULL && step->reason[0] != '\0')
        (void)wf_map_put(arena, map, "reason", wf_text(arena, step->reason));
}

int cell_news(struct courier *c, const struct order *order, const struct step *step,
              struct wf_error *err)
{
    struct wf_arena *arena = arena_of(c);
    struct wf_value *data = wf_map(arena);
    char id[65];
    (void)wf_map_put(arena, data, "state", wf_text(arena, parcel_word(step->state)));
    (void)wf_map_put(arena, data, "attempt", wf_int(arena, step->attempt));
    put_reason(arena, data, step);
    put_item(arena, data, order);
    if (!wf_value_is_whole(data))
        return wf_fail(err, WF_E_NOMEM, "news: out of memory");
    struct wf_msg_task_progress progress = {.task = (uint64_t)order->task,
                                            .token = (uint64_t)order->token,
                                            .data = data,
                                            .by = wf_str(c->settings->account)};
    (void)snprintf(id, sizeof(id), "c%" PRId64 "-%" PRId64 "-%s-%" PRId64, order->task,
                   order->token, parcel_word(step->state), step->attempt);
    return say(c, order, WF_MSG_task_progress, &progress, id, err);
}

/* How a parcel's last state is called as the outcome of return.deliver. */
static const char *outcome_of(enum parcel_state state)
{
    if (state == PARCEL_DELIVERED)
        return "delivered";
    return state == PARCEL_LOST || state == PARCEL_DAMAGED ? "lost" : "returned";
}

static void put_ledgers(struct wf_arena *arena, struct wf_value *map, const struct order *order)
{
    (void)wf_map_put(arena, map, "fee", wf_int(arena, order->fee));
    (void)wf_map_put(arena, map, "charge", wf_int(arena, order->charge));
    (void)wf_map_put(arena, map, "postage", wf_int(arena, order->postage));
}

int cell_complete(struct courier *c, const struct order *order, const struct step *step,
                  struct wf_error *err)
{
    struct wf_arena *arena = arena_of(c);
    struct wf_value *result = wf_map(arena);
    char id[65];
    (void)wf_map_put(arena, result, "outcome", wf_text(arena, outcome_of(step->state)));
    put_reason(arena, result, step);
    if (step->state == PARCEL_DELIVERED)
        put_ledgers(arena, result, order);
    if (!wf_value_is_whole(result))
        return wf_fail(err, WF_E_NOMEM, "end of a parcel: out of memory");
    struct wf_msg_task_complete complete = {.task = (uint64_t)order->task,
                                            .token = (uint64_t)order->token,
                                            .result = result,
                                            .by = wf_str(c->settings->account)};
    (void)snprintf(id, sizeof(id), "c%" PRId64 "-%" PRId64 "-end", order->task, order->token);
    return say(c, order, WF_MSG_task_complete, &complete, id, err);
}

int cell_fail(struct courier *c, const struct order *order, const char *why, struct wf_error *err)
{
    char id[65];
    char reason[100];
    (void)snprintf(reason, sizeof(reason), "the courier refuses the order: %s", why);
    struct wf_msg_task_fail fail = {.task = (uint64_t)order->task,
                                    .token = (uint64_t)order->token,
                                    .reason = wf_str(reason),
                                    .final = true,
                                    .by = wf_str(c->settings->account)};
    (void)snprintf(id, sizeof(id), "c%" PRId64 "-%" PRId64 "-fail", order->task, order->token);
    return say(c, order, WF_MSG_task_fail, &fail, id, err);
}

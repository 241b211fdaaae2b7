/* SPDX-License-Identifier: Apache-2.0 */
/*
 * return.deliver: hands the result over at the counter; parcels are the business of send_home.c.
 *
 * Memory: {state, attempt} of the parcel, or empty at the counter. The task's own `by` tells which
 * of the two it is.
 */
#include "deliver.h"

#include <string.h>

static const char *const counter_outcomes[] = {"delivered"};
static const char *const parcel_outcomes[] = {"delivered", "returned", "lost", "failed"};

bool hoso_is_parcel(const struct wf_value *params)
{
    struct wf_str by = wf_value_str(wf_map_get(params, "by"));

    return wf_str_is(by, "parcel") || wf_str_is(by, "collection");
}

/* The definition's word, else the citizen's; without an address nothing can be sent. */
static bool goes_home(struct wf_work *work)
{
    const struct wf_value *fields = wf_work_content(work)->fields;
    const char *by = hoso_param(work, "by");

    if (wf_value_str(wf_map_get(fields, "address")).len == 0)
        return false;
    if (by[0] != '\0')
        return strcmp(by, "parcel") == 0;
    return wf_str_is(wf_value_str(wf_map_get(fields, "return_by")), "post");
}

static int wait_at_counter(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *params = wf_map(arena);

    (void)wf_map_put(arena, params, "by", wf_text(arena, "counter"));
    return hoso_open(work, hoso_param(work, "to"), NULL, params, err);
}

int hoso_deliver_end(struct wf_work *work, const char *outcome, const char *by, const char *item,
                     const struct wf_value *result, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *data = wf_map_copy(arena, result);

    (void)wf_map_put(arena, data, "outcome", wf_text(arena, outcome));
    (void)wf_map_put(arena, data, "by", wf_text(arena, by));
    (void)wf_map_put(arena, data, "item", wf_text(arena, item));
    return hoso_done(work, data, err);
}

int hoso_deliver_start(struct wf_work *work, struct wf_error *err)
{
    if (goes_home(work))
        return hoso_send_home(work, err);
    return wait_at_counter(work, err);
}

int hoso_deliver_check(const struct wf_rec_task *task, const struct wf_value *result,
                       struct wf_error *err)
{
    int rc;

    if (!hoso_is_parcel(task->params))
        return hoso_need_word(result, "outcome", counter_outcomes, WF_COUNT(counter_outcomes), err);
    rc = hoso_need_word(result, "outcome", parcel_outcomes, WF_COUNT(parcel_outcomes), err);
    if (rc == 0 && wf_str_is(wf_value_str(wf_map_get(result, "outcome")), "failed"))
        rc = hoso_need_text(result, "reason", err);
    return rc == 0 ? hoso_parcel_attempt(result, "result", err) : rc;
}

int hoso_deliver_done(struct wf_work *work, const struct wf_rec_task *task,
                      const struct wf_value *result, struct wf_error *err)
{
    if (hoso_is_parcel(task->params))
        return hoso_parcel_done(work, task, result, err);
    return hoso_deliver_end(work, "delivered", "counter", "", result, err);
}

int hoso_deliver_progress(struct wf_work *work, const struct wf_rec_task *task,
                          const struct wf_value *data, struct wf_error *err)
{
    if (hoso_is_parcel(task->params))
        return hoso_parcel_news(work, task, data, err);
    wf_work_progress(work, data);
    return 0;
}

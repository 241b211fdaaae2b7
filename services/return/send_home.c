/* SPDX-License-Identifier: Apache-2.0 */
/*
 * return.deliver by parcel, and return.collect: a number, a courier, as many attempts as the setting allows. Then the
 * parcel goes back and the work ends with `returned`: what follows is for the definition to say.
 * What news mean stands in parcel.c.
 *
 * Each attempt is a task of its own, so that a courier's system need not keep one open over days
 * and a failure tells itself apart from silence.
 */
#include "deliver.h"
#include "parcel.h"
#include "workflow/identifiers.h"

#include <stdio.h>
#include <string.h>

#define ITEM_MOST       32
#define ATTEMPTS_MOST   10
#define ATTEMPT_HIGHEST 99 /* that a courier may tell; it may count otherwise than we do */

/* ---- memory -----------------------------------------------------------------------------------
 */

static void parcel_read(const struct wf_value *memory, struct parcel *out)
{
    out->state = PARCEL_NUMBERED;
    (void)parcel_of_word(wf_value_str(wf_map_get(memory, "state")), &out->state);
    out->attempt = wf_value_int(wf_map_get(memory, "attempt"), 0);
}

/* The number on the parcel: the courier's where it has told one, else ours. */
static const struct wf_value *item_of(struct wf_work *work, const struct wf_value *params)
{
    const struct wf_value *told = wf_map_get(wf_work_memory(work), "item");

    return told != NULL ? told : wf_map_get(params, "item");
}

static int parcel_remember(struct wf_work *work, const struct parcel *parcel,
                           const struct wf_value *item, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *memory = wf_map(arena);

    (void)wf_map_put(arena, memory, "state", wf_text(arena, parcel_word(parcel->state)));
    (void)wf_map_put(arena, memory, "attempt", wf_int(arena, parcel->attempt));
    if (item != NULL)
        (void)wf_map_put(arena, memory, "item", item);
    if (!wf_value_is_whole(memory))
        return wf_fail(err, WF_E_NOMEM, "parcel: out of memory");
    wf_work_remember(work, memory);
    return 0;
}

/* ---- out --------------------------------------------------------------------------------------
 */

static int number_item(struct wf_work *work, char item[14], struct wf_error *err)
{
    const char *service = wf_work_setting(work, "item_service");
    char series[WF_SERIES];
    uint64_t serial;
    int rc;

    if (strlen(service) != 2)
        return wf_fail(err, WF_E_CONFIG, "setting item_service must be two capital letters");
    wf_s10_series(service, series);
    rc = wf_work_number(work, series, WF_S10_MOST, &serial, err);
    if (rc < 0)
        return wf_wrap(err, "item number");
    wf_s10_format(service, (uint32_t)serial, item);
    return 0;
}

static int open_attempt(struct wf_work *work, const struct wf_value *params, int64_t attempt,
                        struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *copy = wf_map_copy(arena, params);

    (void)wf_map_put(arena, copy, "attempt", wf_int(arena, attempt));
    return hoso_open(work, wf_work_setting(work, "courier"), "courier", copy, err);
}

/* All that a courier needs to know of the citizen, and no more; and what is to be paid to it. */
static const struct wf_value *label(struct wf_work *work, const char *by, const char *item)
{
    static const char *const fields[] = {"full_name", "phone", "address"};
    static const char *const amounts[] = {"fee", "charge"};
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *params = wf_map(arena);

    (void)wf_map_put(arena, params, "by", wf_text(arena, by));
    (void)wf_map_put(arena, params, "item", wf_text(arena, item));
    for (size_t i = 0; i < WF_COUNT(fields); i++) {
        const struct wf_value *value = wf_map_get(wf_work_content(work)->fields, fields[i]);

        if (value != NULL)
            (void)wf_map_put(arena, params, fields[i], value);
    }
    for (size_t i = 0; i < WF_COUNT(amounts); i++) {
        const struct wf_value *value = wf_map_get(wf_work_params(work), amounts[i]);

        if (wf_value_int(value, 0) > 0)
            (void)wf_map_put(arena, params, amounts[i], value);
    }
    return params;
}

static int start_parcel(struct wf_work *work, const char *by, struct wf_error *err)
{
    struct parcel parcel = {.state = PARCEL_NUMBERED};
    char item[14];
    int rc = number_item(work, item, err);

    if (rc == 0)
        rc = parcel_remember(work, &parcel, NULL, err);
    return rc == 0 ? open_attempt(work, label(work, by, item), 1, err) : rc;
}

int hoso_send_home(struct wf_work *work, struct wf_error *err)
{
    return start_parcel(work, "parcel", err);
}

/* The other way round: papers are fetched at the citizen's home. */
int hoso_collect_start(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *data = wf_map(arena);

    if (wf_value_str(wf_map_get(wf_work_content(work)->fields, "address")).len > 0)
        return start_parcel(work, "collection", err);
    (void)wf_map_put(arena, data, "reason", wf_text(arena, "no address"));
    return hoso_deliver_end(work, "returned", "collection", "", data, err);
}

/* ---- news -------------------------------------------------------------------------------------
 */

/* For the history: what is known of the parcel, without anything of the citizen. */
static void tell(struct wf_work *work, const struct parcel *parcel, const struct wf_value *item,
                 const struct wf_value *news)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *data = wf_map(arena);
    const struct wf_value *reason = wf_map_get(news, "reason");

    (void)wf_map_put(arena, data, "state", wf_text(arena, parcel_word(parcel->state)));
    (void)wf_map_put(arena, data, "attempt", wf_int(arena, parcel->attempt));
    (void)wf_map_put(arena, data, "item", item);
    if (reason != NULL)
        (void)wf_map_put(arena, data, "reason", reason);
    wf_work_progress(work, data);
}

/* NULL where the news hold none, or none that is new. */
static const struct wf_value *new_item(const struct wf_value *news, const struct wf_value *known)
{
    const struct wf_value *item = wf_map_get(news, "item");
    struct wf_str text = wf_value_str(item);

    if (text.len == 0 || wf_str_equal(text, wf_value_str(known)))
        return NULL;
    return item;
}

/* The number goes onto labels and into lists. */
static int check_item(const struct wf_value *news, struct wf_error *err)
{
    struct wf_str item = wf_value_str(wf_map_get(news, "item"));
    bool is_plain = item.len <= ITEM_MOST;

    for (size_t i = 0; is_plain && i < item.len; i++)
        is_plain = item.ptr[i] > ' ' && item.ptr[i] <= '~';
    if (is_plain)
        return 0;
    return wf_fail_field(err, WF_E_INVALID, "data.item",
                         "data.item must be at most %d letters and digits", ITEM_MOST);
}

/* All that comes later is measured by it: one that is far too large would make it all old news. */
int hoso_parcel_attempt(const struct wf_value *from, const char *where, struct wf_error *err)
{
    const struct wf_value *attempt = wf_map_get(from, "attempt");
    char field[32];

    if (attempt == NULL || attempt->type == WF_NULL)
        return 0;
    int64_t number = wf_value_int(attempt, -1);
    if (number >= 0 && number <= ATTEMPT_HIGHEST)
        return 0;
    (void)snprintf(field, sizeof(field), "%s.attempt", where);
    return wf_fail_field(err, WF_E_INVALID, field, "%s must be a number from 0 to %d", field,
                         ATTEMPT_HIGHEST);
}

int hoso_parcel_news(struct wf_work *work, const struct wf_rec_task *task,
                     const struct wf_value *data, struct wf_error *err)
{
    const struct wf_value *item = item_of(work, task->params);
    const struct wf_value *other = new_item(data, item);
    struct parcel parcel;
    enum parcel_state news;
    bool changed;
    int rc;

    if (!parcel_of_word(wf_value_str(wf_map_get(data, "state")), &news))
        return wf_fail_field(err, WF_E_INVALID, "data.state", "data.state is no state of a parcel");
    rc = check_item(data, err);
    if (rc == 0)
        rc = hoso_parcel_attempt(data, "data", err);
    if (rc != 0)
        return rc;
    parcel_read(wf_work_memory(work), &parcel);
    changed = parcel_apply(&parcel, news, wf_value_int(wf_map_get(data, "attempt"), 0));
    if (!changed && other == NULL)
        return 0;
    item = other != NULL ? other : item;
    rc = parcel_remember(work, &parcel, item, err);
    if (rc == 0)
        tell(work, &parcel, item, data);
    return rc;
}

/* ---- the end of a task ------------------------------------------------------------------------
 */

static int try_again(struct wf_work *work, const struct parcel *parcel,
                     const struct wf_rec_task *task, const struct wf_value *result,
                     struct wf_error *err)
{
    const struct wf_value *item = item_of(work, task->params);
    int rc = parcel_remember(work, parcel, item, err);

    if (rc == 0)
        rc = open_attempt(work, task->params, parcel->attempt + 1, err);
    if (rc == 0)
        tell(work, parcel, item, result);
    return rc;
}

/* Older news may have come first: what the parcel has become decides, not the word alone. */
int hoso_parcel_done(struct wf_work *work, const struct wf_rec_task *task,
                     const struct wf_value *result, struct wf_error *err)
{
    const char *item = wf_value_text(item_of(work, task->params), "");
    const char *by = wf_value_text(wf_map_get(task->params, "by"), "parcel");
    int64_t attempt = wf_value_int(wf_map_get(task->params, "attempt"), 0);
    int64_t most = hoso_number_setting(work, "delivery_attempts", 1, ATTEMPTS_MOST);
    enum parcel_state news = PARCEL_FAILED;
    struct parcel parcel;

    parcel_read(wf_work_memory(work), &parcel);
    (void)parcel_of_word(wf_value_str(wf_map_get(result, "outcome")), &news);
    (void)parcel_apply(&parcel, news, wf_value_int(wf_map_get(result, "attempt"), attempt));
    if (parcel.state == PARCEL_DELIVERED)
        return hoso_deliver_end(work, "delivered", by, item, result, err);
    if (parcel.state == PARCEL_LOST || parcel.state == PARCEL_DAMAGED)
        return hoso_deliver_end(work, "lost", by, item, result, err);
    if (parcel.state == PARCEL_FAILED && parcel.attempt < most)
        return try_again(work, &parcel, task, result, err);
    return hoso_deliver_end(work, "returned", by, item, result, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* return.collect_fee: the counter takes the fee and gives a receipt for the money. */
#include "return.h"

static int64_t amount_of(struct wf_work *work)
{
    return wf_value_int(wf_map_get(wf_work_params(work), "amount"), wf_work_procedure(work)->fee);
}

static struct wf_value *paid(struct wf_arena *arena, bool is_paid, const struct wf_value *receipt,
                             int64_t amount)
{
    struct wf_value *data = wf_map(arena);

    (void)wf_map_put(arena, data, "paid", wf_bool(is_paid));
    (void)wf_map_put(arena, data, "receipt", receipt);
    (void)wf_map_put(arena, data, "amount", wf_int(arena, amount));
    return data;
}

int hoso_fee_start(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *params;

    if (amount_of(work) <= 0)
        return hoso_done(work, paid(arena, true, wf_text(arena, ""), 0), err);
    params = hoso_params_copy(work);
    (void)wf_map_put(arena, params, "amount", wf_int(arena, amount_of(work)));
    return hoso_open(work, NULL, NULL, params, err);
}

/* No receipt, no payment: the number of the money receipt stands in the history. */
int hoso_fee_check(const struct wf_rec_task *task, const struct wf_value *result,
                   struct wf_error *err)
{
    const struct wf_value *is_paid = wf_map_get(result, "paid");

    (void)task;
    if (is_paid == NULL || is_paid->type != WF_BOOL)
        return wf_fail_field(err, WF_E_INVALID, "result.paid", "result.paid must be true or false");
    return is_paid->u.boolean ? hoso_need_text(result, "receipt", err) : 0;
}

int hoso_fee_done(struct wf_work *work, const struct wf_rec_task *task,
                  const struct wf_value *result, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_str receipt = wf_value_str(wf_map_get(result, "receipt"));
    bool is_paid = wf_value_bool(wf_map_get(result, "paid"), false);
    int64_t amount = is_paid ? wf_value_int(wf_map_get(task->params, "amount"), 0) : 0;

    return hoso_done(work, paid(arena, is_paid, wf_text_n(arena, receipt.ptr, receipt.len), amount),
                     err);
}

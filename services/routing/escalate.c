/* SPDX-License-Identifier: Apache-2.0 */
/* routing.escalate: a head looks at what is late; the reason goes into the letter of apology. */
#include "routing.h"

int hoso_escalate_start(struct wf_work *work, struct wf_error *err)
{
    return hoso_open(work, hoso_param(work, "to"), hoso_role(work, "head"), wf_work_params(work),
                     err);
}

int hoso_escalate_check(const struct wf_rec_task *task, const struct wf_value *result,
                        struct wf_error *err)
{
    (void)task;
    return hoso_need_text(result, "reason", err);
}

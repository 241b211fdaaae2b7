/* SPDX-License-Identifier: Apache-2.0 */
/* routing.handoff: the competent authority takes the dossier over and decides. */
#include "routing.h"

int hoso_handoff_start(struct wf_work *work, struct wf_error *err)
{
    return hoso_open(work, hoso_param(work, "to"), NULL, wf_work_params(work), err);
}

int hoso_handoff_check(const struct wf_rec_task *task, const struct wf_value *result,
                       struct wf_error *err)
{
    (void)task;
    return hoso_need_text(result, "decision", err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* intake.supplement: the counter asks the citizen for papers and enters what was brought. */
#include "intake.h"

int hoso_supplement_start(struct wf_work *work, struct wf_error *err)
{
    return hoso_open(work, NULL, NULL, wf_work_params(work), err);
}

int hoso_supplement_check(const struct wf_rec_task *task, const struct wf_value *result,
                          struct wf_error *err)
{
    int rc = hoso_may_be(result, "papers", WF_LIST, err);

    (void)task;
    return rc == 0 ? hoso_may_be(result, "fields", WF_MAP, err) : rc;
}

int hoso_supplement_done(struct wf_work *work, const struct wf_rec_task *task,
                         const struct wf_value *result, struct wf_error *err)
{
    const struct wf_value *papers = wf_map_get(result, "papers");
    const struct wf_value *fields = wf_map_get(result, "fields");
    int rc = wf_work_add_content(work, papers, fields, err);

    (void)task;
    return rc == 0 ? hoso_done(work, result, err) : rc;
}

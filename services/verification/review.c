/* SPDX-License-Identifier: Apache-2.0 */
/* verification.review: an official decides. */
#include "verification.h"

static const char *const verdicts[] = {"approve", "supplement", "refuse"};

int hoso_review_start(struct wf_work *work, struct wf_error *err)
{
    return hoso_open(work, hoso_param(work, "to"), hoso_role(work, "civil_servant"),
                     wf_work_params(work), err);
}

/* Whoever sends a dossier back or refuses it owes the citizen a reason (forms 02 and 03). */
int hoso_review_check(const struct wf_rec_task *task, const struct wf_value *result,
                      struct wf_error *err)
{
    int rc = hoso_need_word(result, "verdict", verdicts, WF_COUNT(verdicts), err);

    (void)task;
    if (rc == 0)
        rc = hoso_may_be(result, "items", WF_LIST, err);
    if (rc != 0 || wf_str_is(wf_value_str(wf_map_get(result, "verdict")), "approve"))
        return rc;
    return hoso_need_text(result, "reason", err);
}

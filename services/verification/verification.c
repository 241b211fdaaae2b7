/* SPDX-License-Identifier: Apache-2.0 */
#include "verification.h"

#include "catalogue.h"

static const struct wf_parameter review_parameters[] = {
    {"to", WF_T_TEXT, false},
    {"subject", WF_T_TEXT, false},
};

static const struct wf_activity activities[] = {
    {
        .info = {.name = "verification.check"},
        .start = hoso_check_start,
    },
    {
        .info = {.name = "verification.review",
                 .parameters = review_parameters,
                 .n_parameters = WF_COUNT(review_parameters),
                 .is_task = true},
        .start = hoso_review_start,
        .check_result = hoso_review_check,
    },
};

const struct wf_service_spec hoso_verification = {
    .service = WF_VERIFICATION,
    .activities = activities,
    .n_activities = WF_COUNT(activities),
};

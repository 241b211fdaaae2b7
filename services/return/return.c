/* SPDX-License-Identifier: Apache-2.0 */
#include "return.h"

#include "catalogue.h"

static const struct wf_parameter deliver_parameters[] = {
    {"by", WF_T_TEXT, false},
    {"to", WF_T_TEXT, false},
    {"fee", WF_T_INT, false}, /* still to be paid: the courier takes it at the door */
    {"charge", WF_T_INT, false},
};

static const struct wf_parameter fee_parameters[] = {
    {"amount", WF_T_INT, false},
    {"reason", WF_T_TEXT, false},
};

static const struct wf_activity activities[] = {
    {
        .info = {.name = "return.deliver",
                 .parameters = deliver_parameters,
                 .n_parameters = WF_COUNT(deliver_parameters),
                 .is_task = true},
        .start = hoso_deliver_start,
        .check_result = hoso_deliver_check,
        .task_done = hoso_deliver_done,
        .task_progress = hoso_deliver_progress,
    },
    {
        .info = {.name = "return.collect", .is_task = true},
        .start = hoso_collect_start,
        .check_result = hoso_deliver_check,
        .task_done = hoso_deliver_done,
        .task_progress = hoso_deliver_progress,
    },
    {
        .info = {.name = "return.collect_fee",
                 .parameters = fee_parameters,
                 .n_parameters = WF_COUNT(fee_parameters),
                 .is_task = true},
        .start = hoso_fee_start,
        .check_result = hoso_fee_check,
        .task_done = hoso_fee_done,
    },
    {
        .info = {.name = "return.archive"},
        .start = hoso_archive_start,
    },
};

const struct wf_service_spec hoso_return = {
    .service = WF_RETURN,
    .activities = activities,
    .n_activities = WF_COUNT(activities),
};

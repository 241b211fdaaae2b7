/* SPDX-License-Identifier: Apache-2.0 */
#include "notification.h"

#include "catalogue.h"

static const struct wf_parameter send_parameters[] = {
    {"template", WF_T_TEXT, true},
    {"channel", WF_T_TEXT, false},
    {"data", WF_T_MAP, false},
};

static const struct wf_activity activities[] = {
    {
        .info = {.name = "notification.send",
                 .parameters = send_parameters,
                 .n_parameters = WF_COUNT(send_parameters),
                 .is_task = true,
                 .is_detachable = true},
        .start = hoso_send_start,
        .task_done = hoso_send_done,
        .task_failed = hoso_send_failed,
        .attempts_setting = "notify_attempts",
        .max_attempts = 3,
    },
};

const struct wf_service_spec hoso_notification = {
    .service = WF_NOTIFICATION,
    .activities = activities,
    .n_activities = WF_COUNT(activities),
};

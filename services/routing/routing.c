/* SPDX-License-Identifier: Apache-2.0 */
#include "routing.h"

#include "catalogue.h"

static const struct wf_parameter handoff_parameters[] = {
    {"to", WF_T_TEXT, true},
    {"subject", WF_T_TEXT, false},
};

static const struct wf_parameter consult_parameters[] = {
    {"to", WF_T_LIST, true},
    {"mode", WF_T_TEXT, false},
    {"k", WF_T_INT, false},
    {"question", WF_T_TEXT, false},
};

static const struct wf_parameter escalate_parameters[] = {
    {"to", WF_T_TEXT, false},
    {"reason", WF_T_TEXT, false},
};

static const struct wf_activity activities[] = {
    {
        .info = {.name = "routing.handoff",
                 .parameters = handoff_parameters,
                 .n_parameters = WF_COUNT(handoff_parameters),
                 .is_task = true},
        .start = hoso_handoff_start,
        .check_result = hoso_handoff_check,
    },
    {
        .info = {.name = "routing.consult",
                 .parameters = consult_parameters,
                 .n_parameters = WF_COUNT(consult_parameters),
                 .is_task = true},
        .start = hoso_consult_start,
        .check_result = hoso_consult_check,
        .task_done = hoso_consult_done,
        .task_failed = hoso_consult_failed,
    },
    {
        .info = {.name = "routing.escalate",
                 .parameters = escalate_parameters,
                 .n_parameters = WF_COUNT(escalate_parameters),
                 .is_task = true,
                 .is_detachable = true},
        .start = hoso_escalate_start,
        .check_result = hoso_escalate_check,
    },
};

const struct wf_service_spec hoso_routing = {
    .service = WF_ROUTING,
    .activities = activities,
    .n_activities = WF_COUNT(activities),
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include "catalogue.h"

static const struct wf_parameter supplement_parameters[] = {
    {"items", WF_T_ANY, false},
    {"reason", WF_T_TEXT, false},
};

static const struct wf_parameter link_parameters[] = {
    {"procedures", WF_T_LIST, true},
    {"reason", WF_T_TEXT, false},
};

static const struct wf_activity activities[] = {
    {
        .info = {.name = "intake.register"},
        .start = hoso_register_start,
    },
    {
        .info = {.name = "intake.supplement",
                 .parameters = supplement_parameters,
                 .n_parameters = WF_COUNT(supplement_parameters),
                 .is_task = true},
        .start = hoso_supplement_start,
        .check_result = hoso_supplement_check,
        .task_done = hoso_supplement_done,
    },
    {
        .info = {.name = "intake.link",
                 .parameters = link_parameters,
                 .n_parameters = WF_COUNT(link_parameters)},
        .start = hoso_link_start,
        .part_done = hoso_link_part,
    },
};

const struct wf_service_spec hoso_intake = {
    .service = WF_INTAKE,
    .activities = activities,
    .n_activities = WF_COUNT(activities),
};

/* SPDX-License-Identifier: Apache-2.0 */
/* services/routing/routing.h - work that goes to other authorities, or up. */
#ifndef HOSO_ROUTING_H
#define HOSO_ROUTING_H

#include "common.h"

int hoso_handoff_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_handoff_check(const struct wf_rec_task *task, const struct wf_value *result,
                       struct wf_error *err) WF_CHECKED;

int hoso_consult_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_consult_check(const struct wf_rec_task *task, const struct wf_value *result,
                       struct wf_error *err) WF_CHECKED;
int hoso_consult_done(struct wf_work *work, const struct wf_rec_task *task,
                      const struct wf_value *result, struct wf_error *err) WF_CHECKED;
int hoso_consult_failed(struct wf_work *work, const struct wf_rec_task *task, const char *reason,
                        struct wf_error *err) WF_CHECKED;

int hoso_escalate_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_escalate_check(const struct wf_rec_task *task, const struct wf_value *result,
                        struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* services/intake/intake.h - dossiers come in: their number and date, and papers brought later. */
#ifndef HOSO_INTAKE_H
#define HOSO_INTAKE_H

#include "common.h"

int hoso_link_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_link_part(struct wf_work *work, const struct wf_value *part,
                   struct wf_error *err) WF_CHECKED;
int hoso_register_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;

int hoso_supplement_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_supplement_check(const struct wf_rec_task *task, const struct wf_value *result,
                          struct wf_error *err) WF_CHECKED;
int hoso_supplement_done(struct wf_work *work, const struct wf_rec_task *task,
                         const struct wf_value *result, struct wf_error *err) WF_CHECKED;

#endif

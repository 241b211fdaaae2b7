/* SPDX-License-Identifier: Apache-2.0 */
/* services/verification/verification.h - is the dossier complete, and what does the official say?
 */
#ifndef HOSO_VERIFICATION_H
#define HOSO_VERIFICATION_H

#include "common.h"
#include "workflow/identifiers.h"

int hoso_check_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;

/*
 * Everything that keeps a dossier from being accepted: a list of maps {kind: "paper" | "field" |
 * "agent" | "channel", id, vi, en}; empty when it is complete, NULL when memory is out. Pure.
 */
const struct wf_value *hoso_problems(const struct wf_procedure *procedure,
                                     const struct wf_rec_content *content, struct wf_str channel,
                                     struct wf_arena *arena);

int hoso_review_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_review_check(const struct wf_rec_task *task, const struct wf_value *result,
                      struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* services/return/return.h - the result goes back, the fee comes in, the file is closed. */
#ifndef HOSO_RETURN_H
#define HOSO_RETURN_H

#include "common.h"

int hoso_deliver_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_deliver_check(const struct wf_rec_task *task, const struct wf_value *result,
                       struct wf_error *err) WF_CHECKED;
int hoso_deliver_done(struct wf_work *work, const struct wf_rec_task *task,
                      const struct wf_value *result, struct wf_error *err) WF_CHECKED;
int hoso_deliver_progress(struct wf_work *work, const struct wf_rec_task *task,
                          const struct wf_value *data, struct wf_error *err) WF_CHECKED;

int hoso_collect_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;

int hoso_fee_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int hoso_fee_check(const struct wf_rec_task *task, const struct wf_value *result,
                   struct wf_error *err) WF_CHECKED;
int hoso_fee_done(struct wf_work *work, const struct wf_rec_task *task,
                  const struct wf_value *result, struct wf_error *err) WF_CHECKED;

int hoso_archive_start(struct wf_work *work, struct wf_error *err) WF_CHECKED;

/* "2036-11-23": the day `years` after ms, in the calendar's zone; "" for 0 years = for ever. */
const char *hoso_archive_until(const struct wf_calendar *calendar, int64_t ms, int64_t years,
                               char out[16]);

#endif

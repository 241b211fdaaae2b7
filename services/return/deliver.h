/* SPDX-License-Identifier: Apache-2.0 */
/* services/return/deliver.h - the two halves of return.deliver: the counter and the parcel. */
#ifndef HOSO_DELIVER_H
#define HOSO_DELIVER_H

#include "return.h"

/* Is this task the courier's? */
bool hoso_is_parcel(const struct wf_value *params);

/* Ends the work with {outcome, by, item} over what the result says besides. */
int hoso_deliver_end(struct wf_work *work, const char *outcome, const char *by, const char *item,
                     const struct wf_value *result, struct wf_error *err) WF_CHECKED;

/* Numbers a parcel and opens the courier's first task. */
int hoso_send_home(struct wf_work *work, struct wf_error *err) WF_CHECKED;

/* Of `from`: not said, or a number that can be counted on from; `where` is "result" or "data". */
int hoso_parcel_attempt(const struct wf_value *from, const char *where,
                        struct wf_error *err) WF_CHECKED;

/* The courier has ended its task: {outcome, reason, attempt}. */
int hoso_parcel_done(struct wf_work *work, const struct wf_rec_task *task,
                     const struct wf_value *result, struct wf_error *err) WF_CHECKED;

/* News on the way: {state, reason, attempt}. What is late or double changes nothing. */
int hoso_parcel_news(struct wf_work *work, const struct wf_rec_task *task,
                     const struct wf_value *data, struct wf_error *err) WF_CHECKED;

#endif

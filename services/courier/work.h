/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/courier/work.h - the two sides between which the book stands.
 *
 * CELL     tasks are fetched, kept, told and ended; what an answer means for the order is
 *          settled here: WF_NONE where the task is gone or lost (and written down)
 * COURIER  one request, one verdict; the token is renewed on the way
 */
#ifndef COURIER_WORK_H
#define COURIER_WORK_H

#include "adapter/http.h"
#include "book.h"

#define SECRET_SIZE 300

struct courier {
    struct adapter *a;
    const struct courier_settings *settings;
    struct db *db;
    struct http_client *http;
    char token[2048];            /* "" = to be got */
    struct adapter_backoff away; /* of the courier as a whole: not reached, or it refuses us */
    int64_t track_ms;            /* monotonic: next look at the tracking */
    int64_t forget_ms;           /* monotonic: next time to forget what is long over */
    char last_id[65];            /* of the walk through the pages; "" = it begins anew */
};

/* ---- cell.c ------------------------------------------------------------------------------------ */

/* more: as many as fit were there. */
int cell_fetch(struct courier *c, bool *out_more, struct wf_error *err) WF_CHECKED;
int cell_extend(struct courier *c, const struct order *order, struct wf_error *err) WF_CHECKED;
/* {state, attempt, reason}, and the number where it is the courier's own. */
int cell_news(struct courier *c, const struct order *order, const struct step *step,
              struct wf_error *err) WF_CHECKED;
/* The end of the task: {outcome, item, ledgers}. */
int cell_complete(struct courier *c, const struct order *order, const struct step *step,
                  struct wf_error *err) WF_CHECKED;
/* The courier does not want the order: a person must look. */
int cell_fail(struct courier *c, const struct order *order, const char *why,
              struct wf_error *err) WF_CHECKED;

/* ---- door.c ------------------------------------------------------------------------------------ */

int door_order(struct courier *c, const struct order *order, struct order_answer *out,
               struct wf_error *err) WF_CHECKED;
int door_cancel(struct courier *c, const struct order *order, struct order_answer *out,
                struct wf_error *err) WF_CHECKED;
/* WF_NONE where the courier answers, but with no page: `why` says what. */
int door_tracking(struct courier *c, const char *last_id, struct tracking_page *out, char why[16],
                  struct wf_error *err) WF_CHECKED;

#endif

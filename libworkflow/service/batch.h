/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service/batch.h - one round of a worker's loop: what its parts hand each other. Internal.
 */
#ifndef WF_SERVICE_BATCH_H
#define WF_SERVICE_BATCH_H

#include "worker.h"

struct batch {
    struct worker *worker;
    struct request *requests; /* read and well formed */
    size_t n;
    int64_t items, timers;        /* done in the transaction of all */
    const struct wf_ahead *ahead; /* what that one will need, read before; NULL = nothing was */
};

/* receive.c: what cannot be read is answered at once and never reaches the transaction. */
int receive_all(struct batch *batch, struct wf_error *err) WF_CHECKED;
int receive_nudges(struct worker *worker, struct wf_error *err) WF_CHECKED;

/* turns.c: transactions */
int turn_begin(struct worker *worker, bool write, struct wf_turn *turn,
               struct wf_error *err) WF_CHECKED;
void turn_forget(struct worker *worker, struct wf_turn *turn);
int turn_look_ahead(struct worker *worker, struct wf_turn *turn, struct wf_error *err) WF_CHECKED;
/* What is due and whose it is, for as long as the batch's arena lives; NULL where that is little. */
const struct wf_ahead *turn_read_ahead(const struct worker *worker, const struct wf_turn *turn);
int turn_commit(struct worker *worker, struct wf_turn *turn, struct wf_error *err) WF_CHECKED;

/* IO means that the store cannot be trusted any more; damage of one record concerns only that. */
bool must_stop(int rc);

/* papers.c: answers what is asked about papers, each by itself, outside of the transaction of all;
 * those requests leave the batch. */
int answer_papers(struct batch *batch, struct wf_error *err) WF_CHECKED;

/* batch.c: 0 also for a refusal that had written nothing: the answer says it. */
int do_request(struct worker *worker, struct wf_turn *turn, struct request *request,
               struct wf_error *err) WF_CHECKED;
int do_item(struct worker *worker, struct wf_turn *turn, const struct wf_rec_queue *item,
            struct wf_error *err) WF_CHECKED;
int do_timer(struct worker *worker, struct wf_turn *turn, struct wf_error *err) WF_CHECKED;
int next_item(struct batch *batch, struct wf_turn *turn, struct wf_rec_queue *item,
              struct wf_error *err) WF_CHECKED;

/* alone.c: the batch again, message by message. */
int one_by_one(struct batch *batch, struct wf_error *err) WF_CHECKED;

#endif

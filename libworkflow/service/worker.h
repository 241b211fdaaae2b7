/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service/worker.h - one worker process: what its parts share. Internal to the runtime.
 */
#ifndef WF_SERVICE_WORKER_H
#define WF_SERVICE_WORKER_H

#include "workflow/log.h"
#include "workflow/service.h"
#include "workflow/transport.h"

#define PARKED_MAX 1024

/* A request of the present batch. */
struct request {
    struct wf_asker asker;
    struct wf_slice frame;
    struct wf_envelope envelope;
    struct wf_slice answer; /* length 0 = none yet */
    int rc;
};

/* A fetch that waits for a task. Owns its frame. */
struct parked {
    struct wf_asker asker;
    uint8_t *frame;
    size_t len;
    int64_t until_ms; /* monotonic */
};

struct worker {
    const struct wf_service_spec *spec;
    struct wf_settings settings;
    struct wf_registry *registry;
    struct wf_calendar *calendar;
    struct wf_catalogue catalogue;
    struct wf_parties *parties;
    struct wf_parties_watch parties_watch;
    struct wf_store *store;
    struct wf_papers *papers;
    struct wf_clock clock;
    struct wf_hub *hub;
    struct wf_board *board;
    struct wf_board_slot *slot;
    struct wf_engine *engine;
    struct wf_arena *arena;       /* of one batch */
    struct wf_arena *paper_arena; /* of one request for a paper */
    struct request *requests;     /* room for those of one batch: settings.batch */
    struct wf_buf out;
    struct wf_buf prune_place;
    int signal_fd;
    int lock_fd;

    bool stopping;
    bool again; /* a bound was reached: more waits */
    bool woken; /* a nudge came, or own items were queued */
    bool intake_stopped;
    int64_t next_item_ms;  /* real ms of the next due queue item */
    int64_t next_timer_ms; /* business ms of the next timer */
    int64_t next_sweep_ms; /* monotonic, as all below */
    int64_t next_readers_ms;
    int64_t next_space_ms;
    int64_t next_prune_ms;
    int64_t run_noted_ms; /* until when the store knows that the cell has run */
    int64_t next_release_ms;
    int64_t next_parties_ms;
    int64_t next_parked_ms;
    int64_t next_papers_ms;
    unsigned paper_folder; /* that is looked through next */
    bool papers_round;     /* all of them have been looked through */
    int64_t next_notify_ms;
    int64_t next_sample_ms;
    int64_t queue_in, queue_out; /* of this service's queue, as last seen */
    int64_t hold_until_ms;       /* no items before: the store refused them */

    struct parked parked[PARKED_MAX];
    size_t n_parked;
};

/* batch.c: one round of receive, apply, commit, speak. Negative: the process must end. */
int worker_batch(struct worker *worker, struct wf_error *err) WF_CHECKED;

/* parked.c */
int parked_add(struct worker *worker, const struct request *request);
void parked_drop(struct worker *worker, size_t i);
/* Is there a task for the i-th waiting fetch? Looks only. */
bool parked_is_ready(struct worker *worker, struct wf_txn *txn, size_t i);
void parked_expire(struct worker *worker, bool all);

/* speak.c: what leaves the process, after the commit */
void speak_answer(struct worker *worker, const struct wf_asker *asker, struct wf_slice answer);
void speak_refusal(struct worker *worker, const struct wf_asker *asker, struct wf_str re,
                   const struct wf_error *why);
void speak_turn(struct worker *worker, const struct wf_turn *turn);

/* upkeep.c: what is done between batches, by the clock */
int upkeep(struct worker *worker, struct wf_error *err) WF_CHECKED;
int64_t upkeep_timeout(const struct worker *worker);

/* papers.c: what no dossier names is taken away, a folder at a time */
int papers_sweep(struct worker *worker, struct wf_error *err) WF_CHECKED;

/* Reads CELL/parties anew where it has changed; a folder that is wrong leaves the old table. */
void read_parties(struct worker *worker);

/* start.c */
int worker_open(struct worker *worker, const struct wf_options *options,
                struct wf_error *err) WF_CHECKED;
void worker_close(struct worker *worker);

#endif

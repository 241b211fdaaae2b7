/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/engine.h - a dossier's life: apply an event = chart + store in one transaction.
 *
 * PURPOSE    Takes requests, queue items and timers one by one inside the batch's transaction; runs
 *            the dossier's chart; writes dossier, journal, queue items, tasks and timers; collects
 *            what is to be said after the commit. Deterministic: time comes with the turn.
 * CONCEPTS   turn      one batch: a write transaction, an arena, the two clocks, what to say later
 *            activity  a piece of work a service offers; `auto` ones end in start(), task ones open
 *                      tasks and end when enough of them are completed
 *            work      an activity at work for one dossier: what its handlers see
 *            settle    a queue item is valid only while the dossier still waits for just that item
 * LIFE CYCLE wf_engine_open (procedures and registry loaded) -> turns -> wf_engine_close
 * OWNERSHIP  what the turn collects lives in the turn's arena.
 * ERRORS     REFUSE codes: the message is refused; if wf_txn_writes moved meanwhile, the batch must
 *            be aborted and tried one by one. STOP codes: end the process.
 * DANGERS    handlers never wait, send, log or ask the clock.
 */
#ifndef WORKFLOW_ENGINE_H
#define WORKFLOW_ENGINE_H

#include "workflow/hash.h"
#include "workflow/papers.h"
#include "workflow/parties.h"
#include "workflow/procedure.h"
#include "workflow/registry.h"
#include "workflow/store.h"

struct wf_engine;
struct wf_work;

/* ---- activities: what the folders in services/ provide --------------------------------------- */

struct wf_activity {
    struct wf_activity_info info;
    /* Begins the work. Must end it (wf_work_done, wf_work_fail) or open at least one task. */
    int (*start)(struct wf_work *work, struct wf_error *err);
    /* A task was completed; NULL = the work is done with the task's result. The task is deleted
     * afterwards. */
    int (*task_done)(struct wf_work *work, const struct wf_rec_task *task,
                     const struct wf_value *result, struct wf_error *err);
    /* A task has failed for good (tries used up or final); NULL = dead letter. The task is deleted
     * afterwards. */
    int (*task_failed)(struct wf_work *work, const struct wf_rec_task *task, const char *reason,
                       struct wf_error *err);
    /* Checks a result before anything is written; NULL = any. WF_E_INVALID with field "result.x".
     */
    int (*check_result)(const struct wf_rec_task *task, const struct wf_value *result,
                        struct wf_error *err);
    /* News on a task that goes on; NULL = recorded as progress.ID. */
    int (*task_progress)(struct wf_work *work, const struct wf_rec_task *task,
                         const struct wf_value *data, struct wf_error *err);
    /* A dossier opened by wf_work_open_part has closed; part is {procedure, dossier, outcome}. */
    int (*part_done)(struct wf_work *work, const struct wf_value *part, struct wf_error *err);
    const char *attempts_setting; /* name of the setting that gives max_attempts, or NULL */
    unsigned max_attempts;        /* of one task; 0 = 5 */
    int64_t backoff_ms;           /* first wait after a failure, doubling, with jitter; 0 = 1 s */
};

/* ---- what handlers may do ---------------------------------------------------------------------
 */

struct wf_arena *wf_work_arena(struct wf_work *work);
int64_t wf_work_now(const struct wf_work *work); /* business ms */
const struct wf_procedure *wf_work_procedure(const struct wf_work *work);
const struct wf_registry *wf_work_registry(const struct wf_work *work);
const struct wf_calendar *wf_work_calendar(const struct wf_work *work);
const char *wf_work_setting(const struct wf_work *work, const char *name); /* "" if unset */
struct wf_rec_dossier *wf_work_dossier(struct wf_work *work);       /* may change code, due */
const struct wf_rec_content *wf_work_content(struct wf_work *work); /* never NULL */
const struct wf_value *wf_work_params(const struct wf_work *work);  /* map */
const char *wf_work_id(const struct wf_work *work);                 /* invoke or send id */
const char *wf_work_role(const struct wf_work *work);               /* of the invoke or "" */
/* The activity's own memory while it runs (a map, empty at first), stored with the dossier. */
const struct wf_value *wf_work_memory(const struct wf_work *work);
void wf_work_remember(struct wf_work *work, const struct wf_value *memory);

/* Ends the work: event done.invoke.ID (or done.send.ID) with data. */
void wf_work_done(struct wf_work *work, const struct wf_value *data);
/* Ends the work: event error.communication with data {reason}. */
void wf_work_fail(struct wf_work *work, const char *reason);
/* Records news: event progress.ID with data; the work goes on. */
void wf_work_progress(struct wf_work *work, const struct wf_value *data);
/* Opens a task at an address; role NULL = the invoke's. Visible after delay_ms of real time. */
int wf_work_open_task(struct wf_work *work, const char *to, const char *role,
                      const struct wf_value *params, int64_t delay_ms,
                      struct wf_error *err) WF_CHECKED;
size_t wf_work_open_tasks(const struct wf_work *work); /* still open, this one not */
/* Adds papers and fields that the citizen brought; checked against the procedure. */
int wf_work_add_content(struct wf_work *work, const struct wf_value *papers,
                        const struct wf_value *fields, struct wf_error *err) WF_CHECKED;
/*
 * Opens a dossier of another procedure as a part of this one (R18): with those fields and papers
 * that the other procedure knows, under this one's number with a suffix. Its end comes to
 * part_done.
 */
int wf_work_open_part(struct wf_work *work, const char *procedure, struct wf_error *err) WF_CHECKED;
/* Moves the due date (0 = none) and its overdue timer. */
int wf_work_set_due(struct wf_work *work, int64_t due_ms, struct wf_error *err) WF_CHECKED;
int wf_work_number(struct wf_work *work, const char *series, uint64_t max, uint64_t *out,
                   struct wf_error *err) WF_CHECKED; /* wf_number_next */
/* BLAKE2b over the hashes of the dossier's journal events so far. */
int wf_work_history_hash(struct wf_work *work, uint8_t out[32], struct wf_error *err) WF_CHECKED;

/* ---- the engine --------------------------------------------------------------------------------
 */

struct wf_engine_options {
    enum wf_service self;
    const struct wf_activity *activities; /* offered by this service */
    size_t n_activities;
    const struct wf_catalogue *catalogue; /* of all services: to compile procedures */
    const struct wf_registry *registry;
    const struct wf_calendar *calendar;
    const char *(*setting)(void *context, const char *name); /* settings for handlers */
    /* Hears of a version that does not compile here, when versions are loaded; NULL = nobody. */
    void (*left_out)(void *context, const struct wf_rec_procedure *record, const char *why);
    void *context;            /* of setting and left_out */
    struct wf_papers *papers; /* NULL = none are kept: no dossier can name a file */
    uint64_t pid;             /* of the worker, for health */
    uint64_t seed;            /* of the jitter */
};

int wf_engine_open(const struct wf_engine_options *options, struct wf_engine **out,
                   struct wf_error *err) WF_CHECKED;
void wf_engine_close(struct wf_engine *engine);

/* Loads procedure versions when the store's generation has moved; call outside a transaction. */
int wf_engine_refresh(struct wf_engine *engine, struct wf_store *store, bool *out_changed,
                      struct wf_error *err) WF_CHECKED;
bool wf_engine_is_current(const struct wf_engine *engine, struct wf_txn *txn);

/* One queue item that a commit made known to another service. */
struct wf_nudge {
    enum wf_service to;
    uint64_t seq, dossier;
    const char *activity;
    struct wf_nudge *next;
};

/* A log line to be written after the commit. */
struct wf_said {
    enum wf_said_kind { WF_SAID_TRANSITION, WF_SAID_DEAD } kind;
    const char *dossier, *procedure, *states, *text;
    uint64_t seq; /* of the event in the journal, or 0 */
    struct wf_said *next;
};

struct wf_turn {
    struct wf_engine *engine;
    struct wf_txn *txn;
    struct wf_arena *arena;
    int64_t now_ms; /* business */
    int64_t real_ms;
    const struct wf_parties *parties; /* who may ask; NULL = nobody but local programs */
    const struct wf_party *party;     /* of the request at hand; NULL = a local program */
    bool intake_stopped;              /* water mark reached: no new dossiers */
    struct wf_nudge *nudges;          /* to other services; newest first */
    struct wf_said *said;             /* in order */
    struct wf_said *said_last;
    bool quiet;        /* nobody reads transitions: do not collect them */
    bool own_work;     /* items were queued for this service itself */
    bool tasks_opened; /* waiting fetches may be served now */
    uint64_t steps;    /* chart steps made, for health */
};

/* ---- requests ----------------------------------------------------------------------------------
 */

/* Does this request change the store? The others can be answered in a read transaction. */
bool wf_request_writes(enum wf_message type);

/* Does it send or fetch a piece of a paper? Then it works on files: the turn is its alone, with a
 * read transaction (for paper_put none), which has ended when wf_engine_request comes back. */
bool wf_request_is_paper(enum wf_message type);

/*
 * Carries out one request of a party and packs the answer (errors too) into *out, in the turn's
 * arena. Same party, id and content: the first answer again. WF_NONE: a fetch found no task.
 * Negative: refused; *out holds the packed error message all the same.
 */
int wf_engine_request(struct wf_turn *turn, const struct wf_envelope *request,
                      struct wf_slice frame, struct wf_slice *out, struct wf_error *err) WF_CHECKED;

/*
 * Settles a station's hand-off by a refusal, in a turn in which nothing else came of it: its number
 * is used up and the refusal stored as its answer. WF_NONE: it is no hand-off, or was refused for
 * what passes by itself; nothing was written.
 */
int wf_engine_refuse_handoff(struct wf_turn *turn, const struct wf_envelope *request,
                             struct wf_slice frame, const struct wf_error *why,
                             struct wf_slice *out, struct wf_error *err) WF_CHECKED;

/* Packs an error answer; used for what could not even be unpacked. */
int wf_engine_error(struct wf_str re, const struct wf_error *why, int64_t retry_ms,
                    struct wf_arena *arena, struct wf_slice *out, struct wf_error *err) WF_CHECKED;

/* An empty `tasks` answer, for a fetch whose waiting time is over. */
int wf_engine_no_tasks(struct wf_str re, struct wf_arena *arena, struct wf_slice *out,
                       struct wf_error *err) WF_CHECKED;

/* ---- what needs no store: for stations that check before they give a receipt ------------------ */

/* Is the submission fit for the procedure at the site: role, channel, model, fields, papers? */
int wf_submission_check(const struct wf_procedure *p, const struct wf_site *site,
                        const struct wf_msg_dossier_submit *m, struct wf_arena *arena,
                        struct wf_error *err) WF_CHECKED;
/* Names that only the engine may raise. */
bool wf_event_is_reserved(const char *event);
/* The span in which new dossiers may use the version: from .. before, by valid_from, valid_until. */
void wf_procedure_span(const struct wf_procedure *p, const struct wf_calendar *calendar,
                       int64_t *out_from_ms, int64_t *out_until_ms);

/* ---- queue items and timers ---------------------------------------------------------------------
 */

/* Settles one item of this service's queue: start the activity, or drop it where it is stale.
 * On failure the caller aborts, and says wf_engine_item_failed in a transaction of its own. */
int wf_engine_item(struct wf_turn *turn, const struct wf_rec_queue *item,
                   struct wf_error *err) WF_CHECKED;

/* Puts the item back with back-off, or buries it after the last attempt. */
int wf_engine_item_failed(struct wf_turn *turn, const struct wf_rec_queue *item,
                          const struct wf_error *why, struct wf_error *err) WF_CHECKED;

/* Fires the first due timer of this service; WF_NONE when none is due. */
int wf_engine_timer(struct wf_turn *turn, struct wf_error *err) WF_CHECKED;

/* Puts the first due timer among the dead letters: it cannot be fired. */
int wf_engine_timer_failed(struct wf_turn *turn, const struct wf_error *why,
                           struct wf_error *err) WF_CHECKED;

/* ---- operators ------------------------------------------------------------------------------- */

/* Author and reason of each act go to the dossier's journal. */

/* Puts a dead letter back into its queue. */
int wf_engine_dead_retry(struct wf_turn *turn, uint64_t seq, const char *by,
                         struct wf_error *err) WF_CHECKED;
/* Removes it: the chart hears error.communication where it still waits for the work. */
int wf_engine_dead_drop(struct wf_turn *turn, uint64_t seq, const char *by, const char *reason,
                        struct wf_error *err) WF_CHECKED;
/*
 * Puts it back with other data: `changes` maps "params.NAME" (and "to" of a task) to values; null
 * takes one away. Checked against what the activity takes: WF_E_INVALID names what is wrong. Needs
 * the activity's info in the engine's catalogue.
 */
int wf_engine_dead_edit(struct wf_turn *turn, uint64_t seq, const struct wf_value *changes,
                        const char *by, const char *reason, struct wf_error *err) WF_CHECKED;
/*
 * Removes it, as if the work were done with the result (a map; NULL = none): the chart hears
 * done.invoke. An event that could not be raised is left out. Needs the activity in the engine.
 */
int wf_engine_dead_skip(struct wf_turn *turn, uint64_t seq, const struct wf_value *result,
                        const char *by, const char *reason, struct wf_error *err) WF_CHECKED;

/* ---- holds ------------------------------------------------------------------------------------ */

/* What is put on hold or released, by whom and why: both go to the journal. */
struct wf_hold_order {
    enum wf_hold_kind kind;
    struct wf_str name; /* dossier code, procedure, service or activity, site; "" of a cell */
    const char *by;
    const char *reason; /* shown to parties that are refused: no personal data */
};

/*
 * Puts on hold. From the commit on parties' new dossiers (of a procedure, site, cell) and events
 * are refused with WF_E_HELD; queue items and timers that come due are put aside; tasks are not
 * leased, while a lease that runs may be completed. Due dates go on. Several holds over one dossier
 * hold it until the last of them is released. WF_E_NOT_FOUND: no such dossier, procedure, queue or
 * site; WF_E_STATE: on hold already, or the dossier is closed.
 */
int wf_engine_hold(struct wf_turn *turn, const struct wf_hold_order *order,
                   struct wf_error *err) WF_CHECKED;

/* Lifts the hold; what it has put aside goes back by wf_engine_put_back. WF_E_NOT_FOUND: not on
 * hold. */
int wf_engine_release(struct wf_turn *turn, const struct wf_hold_order *order,
                      struct wf_error *err) WF_CHECKED;

/*
 * Puts back at most `most` rows of holds that are released, each at its place. To be repeated in
 * turns of their own until WF_NONE: nothing is left. May break off at any point: a worker of
 * intake goes on with it. Damaged rows stay where they are, for wf_store_check to name; how many is
 * said in the turn in which their hold ends.
 */
int wf_engine_put_back(struct wf_turn *turn, size_t most, size_t *out_moved, size_t *out_damaged,
                       struct wf_error *err) WF_CHECKED;

/* ---- versions ------------------------------------------------------------------------------- */

struct wf_migration {
    uint64_t to;                   /* version */
    const struct wf_value *states; /* map: old state -> new state; others keep their name */
    const char *by;                /* author and reason: go to the journal */
    const char *reason;
    bool dry_run; /* only look: a read transaction will do */
};

/*
 * Moves one open dossier to another installed version. Work, deadlines and the due date go on as
 * they are; the new chart then hears operator.migrate {from, to, reason}, which takes what
 * eventless transitions it has there. WF_E_NOT_FOUND: no such dossier or version; WF_E_STATE: the
 * new chart cannot go on where the old one stands, and the text says why; WF_E_INVALID: its data do
 * not fit the new definition. A dry run gives the same. If wf_txn_writes moved all the same, the
 * batch must be aborted.
 */
int wf_engine_migrate(struct wf_turn *turn, uint64_t dossier, const struct wf_migration *migration,
                      struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine/life.h - one dossier, opened for change inside a turn. Internal to the engine.
 *
 * A life holds the dossier as stored and as it will be, and the events that still wait to be
 * applied in this turn. Everything is computed in memory; life_save writes the rows once.
 */
#ifndef WF_ENGINE_LIFE_H
#define WF_ENGINE_LIFE_H

#include "workflow/engine.h"

/* Timers of charts are kept by routing: escalation is its business. */
#define TIMER_KEEPER WF_ROUTING

struct pending {
    const char *event;
    const struct wf_value *data; /* NULL = none */
    const char *invoke_id;       /* of events that end or report an activity */
    const char *by;
    const char *role;
    const struct wf_chart_raiser *who; /* of a party's event, else NULL: the engine may all */
    bool note_only;                    /* goes to the journal, not to the chart */
    struct pending *next;
};

struct life {
    struct wf_turn *turn;
    const struct wf_procedure *procedure;
    struct wf_rec_dossier before; /* as stored; id 0 = not stored yet */
    struct wf_rec_dossier now;
    struct wf_rec_content content;
    bool content_changed;
    struct wf_value *running; /* being changed: id -> {a, d, q, m, t} as below */
    struct wf_value *timers;  /* being changed: send id -> [due, seq] */
    struct pending *first;
    struct pending **last;
    unsigned applied;
};

/* Keys of an entry in `running`: short, because the row is written at every event. */
#define RUN_ACTIVITY "a"
#define RUN_DETACHED "d"
#define RUN_SEQ      "q" /* of the queue item that will start it; absent once it has started */
#define RUN_MEMORY   "m" /* the activity's own */
#define RUN_TASKS    "t" /* ids of its open tasks */
#define RUN_BURIED   "b" /* how many of its tasks lie among the dead letters; absent = none */

struct wf_engine {
    struct wf_engine_options options;
    struct loaded *procedures;
    size_t n_procedures;
    uint64_t generation;
    bool is_loaded;
    uint64_t random;
};

struct loaded {
    struct wf_procedure *procedure;
    bool is_active;
    bool is_shared;            /* another list owns the procedure (while lists are exchanged) */
    int64_t from_ms, until_ms; /* new dossiers may use it from .. before */
};

/* NULL when that version is not loaded. */
const struct wf_procedure *engine_procedure(const struct wf_engine *engine, struct wf_str code,
                                            uint64_t version);
/* The version for a dossier that comes in now: the newest one that is active and in force. */
const struct wf_procedure *engine_current(const struct wf_engine *engine, struct wf_str code,
                                          int64_t now_ms);
const struct wf_activity *engine_activity(const struct wf_engine *engine, const char *name);

/* A delay of about base * 2^attempts, at most an hour, with jitter. */
int64_t engine_backoff(struct wf_engine *engine, int64_t base_ms, uint64_t attempts);

/* life.c */
/* A dossier that is not stored yet: `seed` gives procedure, site, channel and the like. */
int life_new(struct wf_turn *turn, const struct wf_procedure *procedure,
             const struct wf_rec_dossier *seed, const struct wf_rec_content *content,
             struct life *out, struct wf_error *err) WF_CHECKED;
int life_load(struct wf_turn *turn, uint64_t id, struct life *out, struct wf_error *err) WF_CHECKED;
int life_push(struct life *life, const struct pending *event, struct wf_error *err) WF_CHECKED;
int life_start(struct life *life, const char *by, const char *role, const struct wf_value *data,
               struct wf_error *err) WF_CHECKED;
int life_drain(struct life *life, struct wf_error *err) WF_CHECKED;
int life_save(struct life *life, struct wf_error *err) WF_CHECKED;
int life_snapshot(struct life *life, struct wf_snapshot *out, struct wf_error *err) WF_CHECKED;
const struct wf_value *life_atomic_states(const struct life *life, struct wf_arena *arena);

const char *life_model(const struct life *life); /* of the site of reception: "M1", or "" */

/* clock.c: due date, reminders, and the clock that stands while the citizen is waited for */

/* What the active states make of the dossier. */
struct standing {
    int status;
    bool clock_stopped;
    const char *stopper; /* state that stops the clock */
    const char *outcome;
};

/* The hours of the dossier's site: all its moments are counted by them. */
const struct wf_calendar *life_calendar(const struct life *life);
int life_set_due(struct life *life, int64_t due_ms, struct wf_error *err) WF_CHECKED;
int clock_arm_reminders(struct life *life, struct wf_error *err) WF_CHECKED;
int clock_move(struct life *life, const struct standing *is, struct wf_error *err) WF_CHECKED;
/* Moves the due date on by the length of time; more often than allowed raises error.execution. */
int clock_extend(struct life *life, const char *delay, struct wf_error *err) WF_CHECKED;
/* When a length of time runs out that begins at from_ms. */
int clock_moment(const struct life *life, int64_t from_ms, const char *delay, int64_t *out,
                 struct wf_error *err) WF_CHECKED;

/* who.c: roles, channels and models */

/* May this person receive the procedure's dossiers at the site over the channel? */
int who_receives(const struct wf_procedure *p, const struct wf_site *site,
                 const struct wf_msg_dossier_submit *m, struct wf_error *err) WF_CHECKED;
/* May the raiser take one of the transitions (indexes as wf_chart_offers gives them)? */
int who_raises(const struct life *life, const size_t *offers, size_t n,
               const struct wf_chart_raiser *who, struct wf_error *err) WF_CHECKED;

/* effects.c */
/* Stores a queue item and makes sure that its service hears of it after the commit. */
int queue_tell(struct wf_turn *turn, struct wf_rec_queue *item, struct wf_error *err) WF_CHECKED;
int effects_apply(struct life *life, const struct wf_effect *effects,
                  struct wf_error *err) WF_CHECKED;
int timer_arm(struct life *life, const char *id, const char *event, int64_t due_ms,
              const struct wf_value *data, struct wf_error *err) WF_CHECKED;
int timer_drop(struct life *life, const char *id, struct wf_error *err) WF_CHECKED;
int timers_drop_all(struct life *life, struct wf_error *err) WF_CHECKED;

/* work.c: activities at work */
struct wf_work {
    struct life *life;
    const struct wf_activity *activity;
    const char *id;
    const char *role;
    const struct wf_value *params;
    const struct wf_value *memory;
    struct wf_value *tasks; /* list of open task ids */
    int64_t buried;         /* tasks among the dead letters: an operator will go on with them */
    bool detached;
    bool ended;
};
int work_start(struct life *life, const struct wf_activity *activity, const char *id,
               const char *role, const struct wf_value *params, bool detached,
               struct wf_error *err) WF_CHECKED;
/* Opens the work that a running entry describes; WF_NONE where the dossier no longer waits for it.
 */
int work_resume(struct life *life, const char *id, const struct wf_rec_task *task,
                struct wf_work *out, struct wf_error *err) WF_CHECKED;
/* Writes the work's new state back into the life after a handler. */
int work_settle(struct wf_work *work, struct wf_error *err) WF_CHECKED;
int work_cancel(struct life *life, const char *id, struct wf_error *err) WF_CHECKED;
/* Takes one task off the work's list. */
void work_forget_task(struct wf_work *work, uint64_t task);
int running_put(struct life *life, const char *id, const char *activity, bool detached,
                uint64_t seq, struct wf_error *err) WF_CHECKED;
void map_remove(struct wf_value *map, const char *key);

/* papers.c: before anything is written */

/* Is every file of `papers` one that may be named? Faults name prefix + "papers[i].file". */
int papers_check(struct wf_turn *turn, const struct wf_value *papers, const char *prefix,
                 struct wf_error *err) WF_CHECKED;
/* The same for the papers {id, file} that an event or a result brings in its data. */
int papers_brought(struct life *life, const struct wf_value *data, const char *prefix,
                   struct wf_error *err) WF_CHECKED;
/* Adds those of them that the dossier does not name yet to what is attached to it. */
int papers_attach(struct life *life, const struct wf_value *data, const char *event,
                  struct wf_error *err) WF_CHECKED;

/* parts.c: tells the parent, when this dossier is a part and has closed. */
int part_closed(struct life *life, struct wf_error *err) WF_CHECKED;

/* reply of a request handler */
struct reply {
    enum wf_message type;
    const void *body;
};

/* items.c */
/* Does the dossier still wait for just this item? */
bool item_is_awaited(const struct life *life, const struct wf_rec_queue *item);
/* The list of last failures with one more at its end. */
const struct wf_value *tries_add(struct wf_turn *turn, const struct wf_value *tries,
                                 const char *code, struct wf_str reason);

/* holds.c */
/* The hold in force that keeps this back; WF_NONE where there is none. Costs a look at a counter
 * while the cell has no holds. */
int hold_over(struct wf_turn *turn, const struct wf_hold_scope *scope, struct wf_rec_hold *out,
              struct wf_error *err) WF_CHECKED;
/* The same by the dossier's id, for items (service and activity) and timers (-1). */
int hold_over_id(struct wf_turn *turn, uint64_t dossier, int service, struct wf_str activity,
                 struct wf_rec_hold *out, struct wf_error *err) WF_CHECKED;
/* What concerns no dossier stands in the journal under dossier 0. */
int note_in_cell(struct wf_turn *turn, const struct pending *note, struct wf_error *err) WF_CHECKED;
/* WF_E_HELD where a party may raise no event of the dossier, or file none like it. */
int hold_refuses(struct wf_turn *turn, const struct wf_rec_dossier *dossier, bool is_new,
                 struct wf_error *err) WF_CHECKED;

/* requests.c and its parts: one handler per message type */
typedef int request_fn(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                       struct wf_error *err);
request_fn request_submit;
request_fn request_event;
request_fn request_get;
request_fn request_list;
request_fn request_procedure;
request_fn request_fetch;
request_fn request_extend;
request_fn request_complete;
request_fn request_fail;
request_fn request_progress;
request_fn request_journal_fetch;
request_fn request_journal_ack;
request_fn request_health;
request_fn request_reserve;
request_fn request_paper_put; /* needs no transaction */
request_fn request_paper_get; /* ends its transaction before it reads the file */
/* Fills in the leases of an earlier fetch that still hold, for a repeated request. */
int fetch_again(struct wf_turn *turn, const struct wf_value *leases, struct reply *out,
                struct wf_error *err) WF_CHECKED;

/* access.c: what the party of the request at hand may see and do; local programs may all. */
int access_open(struct wf_turn *turn, struct wf_str name, struct wf_error *err) WF_CHECKED;
bool access_sees(const struct wf_turn *turn, const struct wf_rec_dossier *dossier);
int access_role(const struct wf_turn *turn, struct wf_str role, struct wf_error *err) WF_CHECKED;
int access_submit(const struct wf_turn *turn, const struct wf_msg_dossier_submit *m,
                  struct wf_error *err) WF_CHECKED;
int access_raise(const struct wf_turn *turn, struct wf_error *err) WF_CHECKED;
int access_fetch(const struct wf_turn *turn, const struct wf_msg_task_fetch *m,
                 struct wf_error *err) WF_CHECKED;
bool access_may_fetch(const struct wf_turn *turn, const struct wf_rec_task *task);
bool access_holds(const struct wf_turn *turn, const struct wf_rec_task *task);
int access_journal(const struct wf_turn *turn, struct wf_error *err) WF_CHECKED;

/* stations.c: hand-offs in sequence (docs/relay.md) */

/* Is the request as its station's sequence wants it? Changes nothing; 0 also for other requests. */
int station_in_turn(const struct wf_turn *turn, const struct wf_envelope *request,
                    struct wf_error *err) WF_CHECKED;
/* Does a refusal with this code use the hand-off's number up? What passes by itself does not. */
bool station_moves_on(int rc);
/* When the papers were taken in: the station's word, checked, or now; its provisional code too. */
int station_received(const struct wf_turn *turn, const struct wf_msg_dossier_submit *m,
                     int64_t *out_ms, struct wf_error *err) WF_CHECKED;

/* A message body in the turn's arena, zeroed. */
#define NEW_BODY(turn, name)                                                                       \
    ((struct wf_msg_##name *)wf_arena_alloc((turn)->arena, sizeof(struct wf_msg_##name)))

int out_of_memory(struct wf_error *err);

/* Keeps a log line for after the commit; for lack of memory it is dropped, the dossier goes on. */
void turn_say(struct wf_turn *turn, const struct wf_said *said);
void state_of(const struct wf_rec_dossier *dossier, struct wf_msg_dossier_state *out);

/* Finds by code, or by "#id" before a code is there. */
int dossier_by_name(struct wf_turn *turn, struct wf_str name, uint64_t *out,
                    struct wf_error *err) WF_CHECKED;

#endif

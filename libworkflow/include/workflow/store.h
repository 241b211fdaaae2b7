/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/store.h - everything durable: one LMDB environment, shared by all processes of a cell.
 *
 * PURPOSE    Typed tables over LMDB. The only module that knows LMDB; every pitfall of it (map
 *            full, resized maps, stale readers, reader slots, creation that is not crash-safe) ends
 *            here.
 * CONCEPTS   transaction  read (a snapshot) or write (one at a time in the whole cell)
 *            counters     one row of heads and depths, loaded at begin and written once at commit
 *            checksum     every record carries one; the journal a chain of BLAKE2b hashes
 * LIFE CYCLE wf_store_create once per cell. wf_store_open once per process, after fork; then
 *            wf_txn_begin -> work -> wf_txn_commit or wf_txn_abort; wf_store_close at the end.
 * OWNERSHIP  records come back in the caller's arena (of what was read ahead: in that one's) and
 *            stay valid after the transaction.
 * ERRORS     WF_NONE      not there
 *            WF_E_FULL    the map is full, also at commit (before anything was written): abort.
 *                         The last sixteenth of the map is kept for deletes and counters
 *            WF_E_CORRUPT checksum or structure
 *            WF_E_IO      also every other failed commit, after which the process must end: a
 *                         failed sync must not be tried again, and begin refuses
 *            WF_E_VERSION of another format; the text says whether `hoso upgrade` helps
 *            After any error but WF_NONE, WF_E_INVALID and WF_E_NOT_FOUND a write transaction must
 *            be aborted; commit after a failed write aborts too and gives that code again.
 * DANGERS    never wait, send or log while a write transaction is open: the cell waits with you.
 *            A read transaction keeps old pages alive: end it within 100 ms.
 * THREADS    one thread per store handle.
 */
#ifndef WORKFLOW_STORE_H
#define WORKFLOW_STORE_H

#include "workflow/clock.h"
#include "workflow/records.h"

#define WF_STORE_FORMAT 3

struct wf_store;
struct wf_txn;

struct wf_store_options {
    uint64_t map_bytes;      /* address space; 0 = 16 GiB at creation, then what the store has. More
                                than it has lets it grow. The file grows only as it is used */
    uint64_t min_free_bytes; /* of the disk, below which intake stops; 0 = 64 MiB */
    unsigned max_readers;    /* 0 = 128 */
    bool read_only;
};

/*
 * Makes a store in a folder that does not exist or is empty: built aside (in the folder itself),
 * synced, renamed into place, so that a crash leaves either nothing or a whole store; then it can
 * be called again. WF_E_STATE where one is there, or where the folder holds something else.
 */
int wf_store_create(const char *path, const char *cell, const struct wf_clock *clock,
                    const struct wf_store_options *options, struct wf_error *err) WF_CHECKED;

/*
 * Opens, checks the format, clears stale readers. WF_E_NOT_FOUND: no store there; WF_E_VERSION:
 * another format or program; WF_E_CORRUPT: no LMDB file; WF_E_CONFIG: a network file system;
 * WF_E_STATE: this process has it open already; WF_E_BUSY: it was replaced meanwhile (upgrade,
 * compact); WF_E_IO: no right to write.
 */
int wf_store_open(const char *path, const struct wf_store_options *options, struct wf_store **out,
                  struct wf_error *err) WF_CHECKED;
void wf_store_close(struct wf_store *store);

/* Cell name, format, clock; borrowed from the store. */
const struct wf_rec_meta *wf_store_meta(const struct wf_store *store);
struct wf_clock wf_store_clock(const struct wf_store *store);
struct wf_clock wf_txn_clock(const struct wf_txn *txn); /* of its store */

/* Frees reader slots of dead processes; *out_cleared may be NULL. Call on a timer. */
int wf_store_clear_readers(struct wf_store *store, int *out_cleared,
                           struct wf_error *err) WF_CHECKED;

struct wf_store_space {
    uint64_t map_bytes;  /* limit */
    uint64_t used_bytes; /* pages in use, free list taken off */
    uint64_t file_bytes; /* data file on disk */
    uint64_t disk_free_bytes;
    unsigned used_percent;     /* of the map */
    unsigned readers;          /* slots in use */
    uint64_t oldest_reader;    /* transactions committed since the oldest open snapshot was taken */
    uint64_t stop_bytes;       /* used, from which intake stops */
    uint64_t disk_floor_bytes; /* disk free, below which it does */
    bool intake_stopped;       /* above 80 % of the map, or too little free disk */
};
int wf_store_space(struct wf_store *store, struct wf_store_space *out,
                   struct wf_error *err) WF_CHECKED;

/* ---- transactions -------------------------------------------------------------------------- */

/* Handles a map that another process has grown (WF_E_BUSY while this process has another
 * transaction open). Write: waits for the cell's write lock; one at a time in a process. */
int wf_txn_begin(struct wf_store *store, bool write, struct wf_txn **out,
                 struct wf_error *err) WF_CHECKED;

/* Ends the transaction whatever comes back. 0: it is on disk. Nothing written: no sync. */
int wf_txn_commit(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;
void wf_txn_abort(struct wf_txn *txn); /* NULL is fine; also ends a read transaction */

/* Number of puts and deletes so far: tells whether a refused message had already written. */
uint64_t wf_txn_writes(const struct wf_txn *txn);

/* The counters row; changes made in a write transaction are stored at commit. */
struct wf_counts {
    uint64_t dossier_id, queue_seq, task_id, timer_seq, journal_seq, procedures, open, closed,
        timers, hold_id, holds, releasing, held_timers, held_tasks, cell_events, run_ms;
    uint8_t journal_hash[32];
    int64_t queued[WF_SERVICE_COUNT], tasks[WF_SERVICE_COUNT], dead[WF_SERVICE_COUNT],
        done[WF_SERVICE_COUNT], held[WF_SERVICE_COUNT];
    /* tasks given out and not come back; of queued, what has failed before; ever put back */
    int64_t leased[WF_SERVICE_COUNT], retrying[WF_SERVICE_COUNT], again[WF_SERVICE_COUNT];
};
const struct wf_counts *wf_txn_counts(const struct wf_txn *txn);

/* ---- reading ahead (ahead.c) ---------------------------------------------------------------- */

struct wf_ahead;

struct wf_ahead_scope {
    enum wf_service service;
    int64_t now_ms;  /* business: timers due */
    int64_t real_ms; /* queue items due */
    size_t most;     /* of each */
};

/*
 * For a write transaction to come: unpacks, in a read transaction, the service's items and timers
 * that are due, with their dossiers. What cannot be read, or is more than a few megabytes, is left
 * out. Lives in the arena; NULL: nothing was read ahead.
 */
const struct wf_ahead *wf_ahead_read(struct wf_txn *txn, const struct wf_ahead_scope *scope,
                                     struct wf_arena *arena);

/* Until the transaction ends, a record whose row has the very bytes that were read ahead comes as it
 * was unpacked then, in the arena of wf_ahead_read; all others as ever. NULL is fine. */
void wf_txn_use_ahead(struct wf_txn *txn, const struct wf_ahead *ahead);

/* ---- dossiers ------------------------------------------------------------------------------ */

uint64_t wf_dossier_new_id(struct wf_txn *txn);

/* Writes the record and its indexes (state, procedure, site, due; codes once they are there: its own
 * and a station's provisional one), of these only the rows that change. `before` is what is stored now (NULL for a new dossier), open/closed
 * counters follow. WF_E_CONFLICT: another dossier has the code; nothing was written. */
int wf_dossier_put(struct wf_txn *txn, const struct wf_rec_dossier *before,
                   const struct wf_rec_dossier *now, struct wf_error *err) WF_CHECKED;
int wf_dossier_get(struct wf_txn *txn, uint64_t id, struct wf_arena *arena,
                   struct wf_rec_dossier *out, struct wf_error *err) WF_CHECKED;
int wf_dossier_find(struct wf_txn *txn, struct wf_str code, uint64_t *out_id,
                    struct wf_error *err) WF_CHECKED;
/* Also keeps the rows of the papers that it names, or no longer names. */
int wf_content_put(struct wf_txn *txn, uint64_t id, const struct wf_rec_content *content,
                   struct wf_error *err) WF_CHECKED;
int wf_content_get(struct wf_txn *txn, uint64_t id, struct wf_arena *arena,
                   struct wf_rec_content *out, struct wf_error *err) WF_CHECKED;

struct wf_dossier_filter {
    struct wf_str procedure, site; /* "" = any */
    struct wf_str state;           /* any active state, an outer one too; "" = any */
    int64_t due_before;            /* 0 = any; else open dossiers with due < it, soonest first */
    uint64_t after;                /* id to go on from, 0 = from the start */
    bool open_only;
    size_t most;       /* looked at, whether they fit or not; 0 = all */
    uint64_t *stopped; /* where `most` ended it: the id to go on from, else untouched; or NULL */
};
/*
 * Calls fn for each that fits until fn gives non-zero (which is returned), by rising id, or by due
 * time and id where due_before is set. The arena is the caller's and takes only what fits. Uses an
 * index for due_before, procedure + state, site, procedure, in this order; a state alone looks at
 * every dossier. WF_E_NOT_FOUND: due_before is set and there is no dossier `after`.
 */
int wf_dossier_each(struct wf_txn *txn, const struct wf_dossier_filter *filter,
                    struct wf_arena *arena,
                    int (*fn)(void *context, const struct wf_rec_dossier *dossier), void *context,
                    struct wf_error *err) WF_CHECKED;

/* ---- tallies: open dossiers, counted where they change -------------------------------------- */

/* Calls fn with the number of open dossiers of each procedure (state ""), and of each of its states,
 * an outer one too; fn as in wf_dossier_each. What is 0 is not listed. */
int wf_tally_each(struct wf_txn *txn,
                  int (*fn)(void *context, struct wf_str procedure, struct wf_str state,
                            uint64_t n),
                  void *context, struct wf_error *err) WF_CHECKED;
/* How many open dossiers have a due date before it: sums of hours, and the last hour's rows. */
int wf_tally_due_before(struct wf_txn *txn, int64_t ms, uint64_t *out,
                        struct wf_error *err) WF_CHECKED;

/* Next number of a series ("000.00.13.H30|261123"), from 1; never given twice. WF_E_FULL above max.
 */
int wf_number_next(struct wf_txn *txn, struct wf_str series, uint64_t max, uint64_t *out,
                   struct wf_error *err) WF_CHECKED;
/* The next `count` numbers at once; *out is the first of them. */
int wf_number_take(struct wf_txn *txn, struct wf_str series, uint64_t count, uint64_t max,
                   uint64_t *out, struct wf_error *err) WF_CHECKED;
/* The last one given, 0 = none yet. */
int wf_number_last(struct wf_txn *txn, struct wf_str series, uint64_t *out,
                   struct wf_error *err) WF_CHECKED;

/* ---- papers: which dossiers name which files (the files: workflow/papers.h) -------------------- */

/* Does this dossier name the paper (0 = does any)? WF_NONE where not. */
int wf_paper_named_by(struct wf_txn *txn, const uint8_t hash[32], uint64_t dossier,
                      struct wf_error *err) WF_CHECKED;
/* The dossiers that name the paper, by rising id; hash NULL = all papers after *after (may be
 * NULL), by hash. fn as in wf_dossier_each. */
int wf_paper_each(struct wf_txn *txn, const uint8_t *hash, const uint8_t *after,
                  int (*fn)(void *context, const uint8_t hash[32], uint64_t dossier), void *context,
                  struct wf_error *err) WF_CHECKED;

/* ---- journal ------------------------------------------------------------------------------- */

/* Gives the event its seq, appends it with the next hash of the chain, and indexes it under its
 * dossier. event->seq is ignored on entry. Dossier 0 is the cell itself: what concerns no dossier
 * (a site on hold); such an event gets its n here too. */
int wf_journal_append(struct wf_txn *txn, const struct wf_rec_event *event, uint64_t *out_seq,
                      struct wf_error *err) WF_CHECKED;
int wf_journal_get(struct wf_txn *txn, uint64_t seq, struct wf_arena *arena,
                   struct wf_rec_event *out, uint8_t out_hash[32], struct wf_error *err) WF_CHECKED;

/* The events of a dossier in order; fn as in wf_dossier_each. */
int wf_history_each(struct wf_txn *txn, uint64_t dossier, struct wf_arena *arena,
                    int (*fn)(void *context, const struct wf_rec_event *event), void *context,
                    struct wf_error *err) WF_CHECKED;

/* The same order, but only the hashes as they are stored, neither read nor checked: cheap enough
 * for a write transaction. */
int wf_history_hashes(struct wf_txn *txn, uint64_t dossier,
                      int (*fn)(void *context, uint64_t seq, const uint8_t hash[32]), void *context,
                      struct wf_error *err) WF_CHECKED;

/* Walks the chain from seq `from` (1 = whole) to the head; WF_E_CORRUPT names the first bad seq. */
int wf_journal_verify(struct wf_txn *txn, uint64_t from, uint64_t *out_checked,
                      struct wf_error *err) WF_CHECKED;

int wf_cursor_get(struct wf_txn *txn, struct wf_str name, uint64_t *out_seq,
                  struct wf_error *err) WF_CHECKED;
int wf_cursor_put(struct wf_txn *txn, struct wf_str name, uint64_t seq,
                  struct wf_error *err) WF_CHECKED;
int wf_cursor_each(struct wf_txn *txn, int (*fn)(void *context, struct wf_str name, uint64_t seq),
                   void *context, struct wf_error *err) WF_CHECKED;

/* ---- queues and dead letters ---------------------------------------------------------------- */

/* Gives item->seq (0 on entry = new) and stores it under its service and due time. To try an item
 * later: wf_queue_del it, change it, put it again under its seq; it then does not count as done.
 * Also takes an item back from the dead letters (after wf_dead_del). */
int wf_queue_put(struct wf_txn *txn, struct wf_rec_queue *item, struct wf_error *err) WF_CHECKED;

/* The first item of the service with due <= now_ms; WF_NONE when nothing is due. */
int wf_queue_first(struct wf_txn *txn, enum wf_service service, int64_t now_ms,
                   struct wf_arena *arena, struct wf_rec_queue *out,
                   struct wf_error *err) WF_CHECKED;
/* `item` as it is stored; WF_NONE where it is gone already. */
int wf_queue_del(struct wf_txn *txn, const struct wf_rec_queue *item,
                 struct wf_error *err) WF_CHECKED;

/* Puts `dead` (reason and time set by the caller) among the dead letters and takes `item` off its
 * queue (WF_NONE where it is gone already); item NULL = it stands in no queue. Gives dead->seq
 * when it is 0. */
int wf_queue_bury(struct wf_txn *txn, const struct wf_rec_queue *item, struct wf_rec_queue *dead,
                  struct wf_error *err) WF_CHECKED;
int wf_queue_each(struct wf_txn *txn, enum wf_service service, bool dead, struct wf_arena *arena,
                  int (*fn)(void *context, const struct wf_rec_queue *item), void *context,
                  struct wf_error *err) WF_CHECKED;
int wf_dead_get(struct wf_txn *txn, uint64_t seq, struct wf_arena *arena, struct wf_rec_queue *out,
                struct wf_error *err) WF_CHECKED;
int wf_dead_del(struct wf_txn *txn, uint64_t seq, struct wf_error *err) WF_CHECKED;

/* Real ms at which the service's next item is due, or INT64_MAX. */
int wf_queue_next_due(struct wf_txn *txn, enum wf_service service, int64_t *out,
                      struct wf_error *err) WF_CHECKED;

/* ---- tasks ---------------------------------------------------------------------------------- */

/* New task: gives task->id. token must be 0 and visible set. */
int wf_task_put_new(struct wf_txn *txn, struct wf_rec_task *task, struct wf_error *err) WF_CHECKED;
/* The next `count` ids are never given: leases of a time that was lost may still name them. */
void wf_task_skip_ids(struct wf_txn *txn, uint64_t count);
int wf_task_get(struct wf_txn *txn, uint64_t id, struct wf_arena *arena, struct wf_rec_task *out,
                struct wf_error *err) WF_CHECKED;
/* Rewrites; `before` as it is stored (the index over activity, role, address, visible follows). */
int wf_task_update(struct wf_txn *txn, const struct wf_rec_task *before,
                   const struct wf_rec_task *now, struct wf_error *err) WF_CHECKED;
int wf_task_del(struct wf_txn *txn, const struct wf_rec_task *task,
                struct wf_error *err) WF_CHECKED;

/* The first task of the activity at the address ("*" = any) that the role may do, its own ones and
 * those for anyone, with visible <= now_ms, by visible and id; or WF_NONE. */
int wf_task_first(struct wf_txn *txn, struct wf_str activity, struct wf_str to, struct wf_str role,
                  int64_t now_ms, struct wf_arena *arena, struct wf_rec_task *out,
                  struct wf_error *err) WF_CHECKED;
int wf_task_each(struct wf_txn *txn, struct wf_arena *arena,
                 int (*fn)(void *context, const struct wf_rec_task *task), void *context,
                 struct wf_error *err) WF_CHECKED;

/* ---- timers --------------------------------------------------------------------------------- */

int wf_timer_put(struct wf_txn *txn, enum wf_service service, int64_t due_ms,
                 const struct wf_rec_timer *timer, uint64_t *out_seq,
                 struct wf_error *err) WF_CHECKED;
/* WF_NONE where it is gone already. */
int wf_timer_del(struct wf_txn *txn, enum wf_service service, int64_t due_ms, uint64_t seq,
                 struct wf_error *err) WF_CHECKED;
/* The first timer due at or before now_ms, with its key; WF_NONE when none is. */
int wf_timer_first(struct wf_txn *txn, enum wf_service service, int64_t now_ms,
                   struct wf_arena *arena, struct wf_rec_timer *out, int64_t *out_due,
                   uint64_t *out_seq, struct wf_error *err) WF_CHECKED;
/* due_ms of the service's next timer, or INT64_MAX. */
int wf_timer_next_due(struct wf_txn *txn, enum wf_service service, int64_t *out,
                      struct wf_error *err) WF_CHECKED;

/* ---- holds ----------------------------------------------------------------------------------- */

/*
 * A hold keeps back the work of a dossier, procedure, queue or site. What comes due meanwhile is
 * put aside under the hold's id and looked at no more; releasing moves it back to its place. Who
 * puts aside asks wf_holds_over; without holds in force (counts.holds) there is nothing to ask.
 * Items and timers put aside count as held, no longer as queued or armed; a task stays open.
 */
const char *wf_hold_kind_word(enum wf_hold_kind kind);

/* `before` as it is stored, NULL for a new one, which gets its id. */
int wf_hold_put(struct wf_txn *txn, const struct wf_rec_hold *before, struct wf_rec_hold *now,
                struct wf_error *err) WF_CHECKED;
/* A released one too; `name` of all kinds but DOSSIER. */
int wf_hold_get(struct wf_txn *txn, enum wf_hold_kind kind, uint64_t dossier, struct wf_str name,
                struct wf_arena *arena, struct wf_rec_hold *out, struct wf_error *err) WF_CHECKED;
int wf_hold_del(struct wf_txn *txn, const struct wf_rec_hold *hold,
                struct wf_error *err) WF_CHECKED;
int wf_hold_each(struct wf_txn *txn, struct wf_arena *arena,
                 int (*fn)(void *context, const struct wf_rec_hold *hold), void *context,
                 struct wf_error *err) WF_CHECKED;

/* What holds are asked about. */
struct wf_hold_scope {
    const struct wf_rec_dossier *dossier; /* or what is known of a new one: procedure, site */
    int service;                          /* of an item or task; -1 = neither */
    struct wf_str activity;               /* likewise; "" = none */
};

#define WF_HOLDS_OVER 6

/* All holds over it, of one dossier or part first, released ones too. */
int wf_holds_over(struct wf_txn *txn, const struct wf_hold_scope *scope, struct wf_arena *arena,
                  struct wf_rec_hold out[WF_HOLDS_OVER], size_t *out_n,
                  struct wf_error *err) WF_CHECKED;
/* Is a hold of the kind CELL in force? */
int wf_cell_is_held(struct wf_txn *txn, struct wf_arena *arena, bool *out,
                    struct wf_error *err) WF_CHECKED;

/* Put aside. A task is by wf_task_update with `held` set. */
int wf_queue_hold(struct wf_txn *txn, const struct wf_rec_queue *item, uint64_t hold,
                  struct wf_error *err) WF_CHECKED;
int wf_timer_hold(struct wf_txn *txn, enum wf_service service, int64_t due_ms, uint64_t seq,
                  const struct wf_rec_timer *timer, uint64_t hold, struct wf_error *err) WF_CHECKED;
/* A timer that the hold has put aside; WF_NONE where it has not. */
int wf_timer_del_held(struct wf_txn *txn, enum wf_service service, int64_t due_ms, uint64_t seq,
                      uint64_t hold, struct wf_error *err) WF_CHECKED;
/* Moves at most `most` rows back to their places, first by kind, then by due time. Damaged ones are
 * passed over, for wf_store_check to name, and counted in *out_damaged, each time anew. */
int wf_hold_move_back(struct wf_txn *txn, uint64_t hold, size_t most, size_t *out_moved,
                      size_t *out_damaged, struct wf_error *err) WF_CHECKED;
/* How many rows the hold has put aside, counted up to `most`. */
int wf_hold_count(struct wf_txn *txn, uint64_t hold, size_t most, size_t *out,
                  struct wf_error *err) WF_CHECKED;
/* The queue items put aside, of all holds. */
int wf_held_items_each(struct wf_txn *txn, struct wf_arena *arena,
                       int (*fn)(void *context, const struct wf_rec_queue *item), void *context,
                       struct wf_error *err) WF_CHECKED;

/* ---- requests: same id, same answer ---------------------------------------------------------- */

int wf_request_get(struct wf_txn *txn, struct wf_str party, struct wf_str id,
                   struct wf_arena *arena, struct wf_rec_request *out,
                   struct wf_error *err) WF_CHECKED;
int wf_request_put(struct wf_txn *txn, struct wf_str party, struct wf_str id,
                   const struct wf_rec_request *request, struct wf_error *err) WF_CHECKED;
/*
 * Ids age while the cell runs, by what is noted here, and not by the wall clock: set forward, it
 * would have them forgotten at once, and what is asked again would be done twice.
 */
void wf_request_note_run(struct wf_txn *txn, uint64_t ms);
/* Looks at no more than max rows after *position (a place kept by the caller, 0-length at first)
 * and deletes those that have aged by more than window_ms; the answers to a station's last
 * WF_HANDOFFS_KEPT hand-offs stay, however long its line is cut. */
int wf_request_prune(struct wf_txn *txn, uint64_t window_ms, size_t max, struct wf_buf *position,
                     size_t *out_deleted, struct wf_error *err) WF_CHECKED;

/* ---- stations: hand-offs in sequence, provisional numbers (docs/relay.md) -------------------- */

#define WF_HANDOFFS_KEPT 64 /* a station has at most so many unanswered */

/* Number of the last hand-off taken from the party, 0 = none yet; and takes the next, or more. */
int wf_handoff_last(struct wf_txn *txn, struct wf_str party, uint64_t *out,
                    struct wf_error *err) WF_CHECKED;
int wf_handoff_take(struct wf_txn *txn, struct wf_str party, uint64_t count,
                    struct wf_error *err) WF_CHECKED;
/* The last provisional number given to the party, 0 = none yet; and gives `count` more. */
int wf_provisional_last(struct wf_txn *txn, struct wf_str party, uint64_t *out,
                        struct wf_error *err) WF_CHECKED;
int wf_provisional_take(struct wf_txn *txn, struct wf_str party, uint64_t count,
                        uint64_t *out_first, struct wf_error *err) WF_CHECKED;

/* ---- procedures ------------------------------------------------------------------------------ */

/* Stores a version and raises the generation. */
int wf_procedure_put(struct wf_txn *txn, const struct wf_rec_procedure *procedure,
                     struct wf_error *err) WF_CHECKED;
int wf_procedure_get(struct wf_txn *txn, struct wf_str code, uint64_t version,
                     struct wf_arena *arena, struct wf_rec_procedure *out,
                     struct wf_error *err) WF_CHECKED;
int wf_procedure_each(struct wf_txn *txn, struct wf_arena *arena,
                      int (*fn)(void *context, const struct wf_rec_procedure *procedure),
                      void *context, struct wf_error *err) WF_CHECKED;

/* ---- keeping: check, copy, upgrade, dump (check.c, copy.c, upgrade.c, dump.c) ------------------ */

/* Rows that were looked at, and how much was found wrong. */
struct wf_check {
    uint64_t journal, dossiers, tasks, queued, dead, timers, procedures, requests, rows, findings;
    uint64_t snapshot; /* number of the commit at which it began */
    uint64_t links;    /* see wf_store_check_part */
    bool was_quiet;    /* nobody wrote meanwhile: totals were compared as well */
};

/* `name` is one of the stable words of docs/operations.md: "journal", "index", "counters" ... */
typedef void wf_finding_fn(void *context, const char *name, const char *text);

/*
 * Proves the store sound: pages and free list, every record by its checksum, the journal by its
 * chain, every index and link between tables in both directions, counters against rows. In read
 * transactions of two thousand rows, so that a running cell goes on. What is wrong goes to fn, a
 * hundred times at most; 0 also where something was found.
 * DANGERS: LMDB itself may end the process by a signal where pages are badly damaged: call it in a
 * process of its own.
 */
int wf_store_check(struct wf_store *store, wf_finding_fn *fn, void *context, struct wf_check *out,
                   struct wf_error *err) WF_CHECKED;

/* Part `number` (from 0) of `of`. */
#define WF_CHECK_PARTS 4 /* at most */
struct wf_check_part {
    unsigned number, of;
    bool summed; /* add the links up instead of looking them up */
};

/*
 * One part of that check, so that several processes, each with the store opened for itself, do it
 * side by side. The parts cover every row once and need not begin at the same moment. Their figures
 * add up; it was quiet where it was for each. Part 0 compares the totals. WF_E_INVALID: no such part.
 *
 * Summed, it costs half: a row that calls for another adds the other's hash to `links`, the other row
 * takes it away. The store is sound where, over all parts, nothing was found, all were quiet at the
 * same snapshot, and the links come to 0. Where not, the parts must be done again, not summed: only
 * then is it known what is missing where. A summed part ends as soon as somebody has written.
 */
int wf_store_check_part(struct wf_store *store, struct wf_check_part part, wf_finding_fn *fn,
                        void *context, struct wf_check *out, struct wf_error *err) WF_CHECKED;

/* A compact copy of the store as it stands now, into an existing, empty folder. Others go on
 * meanwhile, but pages they free are not used again until it is done. Not yet synced: the disk may
 * work while the copy is checked. */
int wf_store_copy(struct wf_store *store, const char *to, struct wf_error *err) WF_CHECKED;

/*
 * Makes the file of a store that nobody has open as small as it can be: compact copy, check, swap
 * by rename. WF_E_BUSY: somebody has it open. A process that opens it meanwhile waits. The sizes
 * are those of the file before and after.
 */
int wf_store_compact(const char *path, uint64_t *out_before, uint64_t *out_after,
                     struct wf_error *err) WF_CHECKED;

struct wf_upgrade_options {
    uint64_t map_bytes; /* as wf_store_options: the new tables need room */
    bool dry_run;       /* do and check all of it aside, and leave the store as it is */
    bool no_copy;       /* do not keep the old file */
};
struct wf_upgrade {
    uint64_t from, to; /* formats; the same: there was nothing to do */
    uint64_t before_bytes, after_bytes;
};
/* Called before each step with its name. */
typedef void wf_upgrade_fn(void *context, const char *step);

/*
 * Brings a store of an older format, that nobody has open, to WF_STORE_FORMAT: compact copy, all
 * steps on it, check, swap by rename. A crash leaves the old store or the new one. The old file
 * stays in the store's folder as data.mdb.format-N. WF_E_BUSY: somebody has it open; WF_E_VERSION:
 * a newer format, or no store of ours. options and fn may be NULL.
 */
int wf_store_upgrade(const char *path, const struct wf_upgrade_options *options, wf_upgrade_fn *fn,
                     void *context, struct wf_upgrade *out, struct wf_error *err) WF_CHECKED;

/* Every row of every table as it is stored, in one transaction; fn as in wf_dossier_each. */
int wf_dump_each(struct wf_txn *txn,
                 int (*fn)(void *context, const char *table, struct wf_slice key,
                           struct wf_slice value),
                 void *context, struct wf_error *err) WF_CHECKED;
/* Puts such a row into a new store; check the store when all are there. */
int wf_dump_put(struct wf_txn *txn, struct wf_str table, struct wf_slice key, struct wf_slice value,
                struct wf_error *err) WF_CHECKED;

#endif

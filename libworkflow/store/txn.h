/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/txn.h - raw rows inside a transaction; what the table files of this folder build on.
 *
 * PURPOSE    get, put, del and ordered scans over the tables, with checksums, errors in our own
 *            codes and one place through which every change goes.
 * CONCEPTS   writes   the two functions that change the store. Another implementation (one that
 *                     also sends the change to a replica) can be laid over the LMDB one.
 *            number   a row that holds one u64 and its checksum
 * OWNERSHIP  slices from get and scans point into the store: they die at the next write of the
 *            transaction and at its end.
 */
#ifndef STORE_TXN_H
#define STORE_TXN_H

#include "store/keys.h"
#include "workflow/store.h"

/* clang-format off */
#define WF_TABLES(X)                                                                      \
    X(META,         "meta")         /* "format", "meta", "counters" */                    \
    X(DOSSIERS,     "dossiers")     /* id -> dossier */                                   \
    X(CONTENTS,     "contents")     /* id -> content */                                   \
    X(CODES,        "codes")        /* code -> number: id */                              \
    X(BY_PROCEDURE, "by_procedure") /* procedure # | id */                                \
    X(BY_STATE,     "by_state")     /* procedure # | state # | id, per active state */    \
    X(BY_SITE,      "by_site")      /* site # | id */                                     \
    X(BY_DUE,       "by_due")       /* due | id, open ones with a due date */             \
    X(TALLIES,      "tallies")      /* see tallies.c -> number: open dossiers */          \
    X(NUMBERS,      "numbers")      /* series -> number: last one given */                \
    X(JOURNAL,      "journal")      /* seq -> event, hash */                              \
    X(HISTORY,      "history")      /* dossier | seq */                                   \
    X(CURSORS,      "cursors")      /* name -> number: seq */                             \
    X(QUEUES,       "queues")       /* service | due | seq -> queue */                    \
    X(DEAD,         "dead")         /* seq -> queue */                                    \
    X(TASKS,        "tasks")        /* id -> task */                                      \
    X(TASK_ORDER,   "task_order")   /* activity # | role # | address # | visible | id */  \
    X(TIMERS,       "timers")       /* service | due | seq -> timer */                    \
    X(REQUESTS,     "requests")     /* party | 0 | id -> request */                       \
    X(PROCEDURES,   "procedures")   /* code | 0 | version -> procedure */                 \
    X(PAPERS,       "papers")       /* hash | dossier: the files that its content names */ \
    X(HOLDS,        "holds")        /* kind | dossier or name -> hold */                  \
    X(HELD,         "held")         /* hold | item, timer, task | service | due | seq -> queue, timer */ \
    X(CHANGES,      "changes")      /* number -> change (changes.h) */
/* clang-format on */

/* In tables whose rows come and go, a one-byte key (see create.c) is no row of anybody. */
enum wf_table {
#define X(table, name) WF_TABLE_##table,
    WF_TABLES(X)
#undef X
        WF_TABLE_COUNT
};

extern const char *const wf_table_names[WF_TABLE_COUNT];

enum wf_put_mode {
    WF_PUT_SET,   /* adds or replaces */
    WF_PUT_NEW,   /* WF_E_CONFLICT where the key is there (outcome: the transaction goes on) */
    WF_PUT_APPEND /* greater than every key of the table: fills pages to the brim */
};

/* Every change of the store goes through these two. del gives WF_NONE where nothing was. */
struct wf_writes {
    int (*put)(struct wf_txn *txn, enum wf_table table, struct wf_slice key, struct wf_slice value,
               enum wf_put_mode mode, struct wf_error *err);
    int (*del)(struct wf_txn *txn, enum wf_table table, struct wf_slice key, struct wf_error *err);
};

extern const struct wf_writes wf_lmdb_writes;

/* NULL gives back the plain LMDB ones. Not inside a transaction. */
void wf_store_set_writes(struct wf_store *store, const struct wf_writes *writes);

/* Changes of tallies, gathered until commit: a batch touches the same few over and over. */
#define WF_TALLY_NAME   128 /* bytes of a name that count */
#define WF_TALLY_KEY    (2 * WF_TALLY_NAME + 2)
#define WF_TALLIES_MOST 48

struct wf_tally {
    int64_t change;
    size_t len;
    uint8_t bytes[WF_TALLY_KEY];
};

/* Where the recording of changes stands (changes.c). */
struct wf_changes_head {
    bool is_on;
    uint64_t seq;
    uint8_t hash[WF_HASH_BYTES];
};

struct wf_txn {
    struct wf_store *store;
    struct MDB_txn *mdb;
    bool write;
    bool tight; /* no room but for deletes */
    int broken; /* the error after which only abort is possible, or 0 */
    uint64_t n_writes;
    struct wf_counts loaded; /* as they were at begin */
    struct wf_counts counts;
    struct wf_tally tallies[WF_TALLIES_MOST];
    size_t n_tallies;
    struct wf_buf buf;              /* for packing; one for all puts */
    struct wf_changes_head changes; /* as it was at begin */
    uint8_t change_kind;            /* enum wf_change_kind; 0 = nothing is recorded */
    struct wf_buf change;           /* what has been recorded */
    const struct wf_ahead *ahead;   /* what was read ahead for it, or NULL */
    struct wf_arena *arena; /* short-lived: each user resets it, nobody keeps anything in it */
    bool is_near;           /* look-ups begin where the one before has ended (wf_txn_stay_near) */
    struct MDB_cursor *near[WF_TABLE_COUNT];
};

int wf_txn_put(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
               struct wf_slice value, enum wf_put_mode mode, struct wf_error *err) WF_CHECKED;
int wf_txn_del(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
               struct wf_error *err) WF_CHECKED;
int wf_txn_get(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
               struct wf_slice *out, struct wf_error *err) WF_CHECKED;

/*
 * From now on a look-up begins at the page where the one before of the same table has ended, and goes
 * by the root only where the key lies elsewhere: for who looks up neighbours by the thousand. Only in
 * a transaction that reads.
 */
void wf_txn_stay_near(struct wf_txn *txn);
/* Looks up by the root all the same. */
int wf_txn_get_by_root(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                       struct wf_slice *out, struct wf_error *err) WF_CHECKED;

/* As wf_txn_del, where the row must be there: its lack is WF_E_CORRUPT. */
int wf_txn_must_del(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                    struct wf_error *err) WF_CHECKED;

int wf_txn_put_record(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      enum wf_record kind, const void *record, enum wf_put_mode mode,
                      struct wf_error *err) WF_CHECKED;
int wf_txn_get_record(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      enum wf_record kind, struct wf_arena *arena, void *out,
                      struct wf_error *err) WF_CHECKED;
int wf_txn_unpack(enum wf_table table, enum wf_record kind, struct wf_slice value,
                  struct wf_arena *arena, void *out, struct wf_error *err) WF_CHECKED;
/* The same, unless a row of these bytes was read ahead. */
int wf_txn_read(const struct wf_txn *txn, enum wf_table table, enum wf_record kind,
                struct wf_slice value, struct wf_arena *arena, void *out,
                struct wf_error *err) WF_CHECKED;
bool wf_ahead_recall(const struct wf_ahead *ahead, enum wf_record kind, struct wf_slice bytes,
                     void *out);

int wf_txn_put_number(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      uint64_t number, enum wf_put_mode mode, struct wf_error *err) WF_CHECKED;
int wf_txn_get_number(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                      uint64_t *out, struct wf_error *err) WF_CHECKED;

/* How such rows and the counters look in bytes; used where there is no transaction yet. */
void wf_number_pack(uint64_t number, struct wf_buf *out);
int wf_counts_pack(const struct wf_counts *counts, struct wf_buf *out,
                   struct wf_error *err) WF_CHECKED;
int wf_counts_load(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;
int wf_counts_flush(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;

/* ---- tallies (tallies.c) ---------------------------------------------------------------------- */

/* Notes what the change of a dossier does to the tallies; before NULL = new, now NULL = gone. */
int wf_tallies_change(struct wf_txn *txn, const struct wf_rec_dossier *before,
                      const struct wf_rec_dossier *now, struct wf_error *err) WF_CHECKED;
/* Writes what was noted. */
int wf_tallies_flush(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;
/* Counts all dossiers, tasks and queue items of a store that had no tallies. */
int wf_tallies_fill(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;
/* Calls fn with the key of each tally that the dossier counts in, and that `other` (may be NULL)
 * does not. */
void wf_tallies_of(const struct wf_rec_dossier *dossier, const struct wf_rec_dossier *other,
                   void (*fn)(void *context, const struct wf_key *key), void *context);
bool wf_tally_is_key(const struct wf_key *key);
/* Sums over all hours, and over all procedures. */
int wf_tally_sums(struct wf_txn *txn, uint64_t *out_due, uint64_t *out_open,
                  struct wf_error *err) WF_CHECKED;

/* ---- changes, recorded for the archive (changes.c) -------------------------------------------- */

/* Notes a row change that was made; value.ptr NULL = deleted. */
void wf_changes_note(struct wf_txn *txn, enum wf_table table, struct wf_slice key,
                     struct wf_slice value);
/* At commit: writes the row of the table, and the new head. */
int wf_changes_flush(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;

/* Number of the commit that the transaction sees: the same, nobody has written meanwhile. */
uint64_t wf_txn_snapshot(const struct wf_txn *txn);

/* Rows of the table in this snapshot, by LMDB's own count. */
int wf_txn_entries(struct wf_txn *txn, enum wf_table table, uint64_t *out,
                   struct wf_error *err) WF_CHECKED;

/* ---- papers (paper_rows.c) ------------------------------------------------------------------- */

/* Does the content name this file? */
bool wf_content_names(const struct wf_rec_content *content, const uint8_t hash[32]);
/* The rows that the new content calls for, and no others; `before` NULL = there was none. */
int wf_paper_rows_follow(struct wf_txn *txn, uint64_t dossier, const struct wf_rec_content *before,
                         const struct wf_rec_content *now, struct wf_error *err) WF_CHECKED;
/* All of them, where there are none: a step of the upgrade. */
int wf_paper_rows_fill(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;

/* ---- what check.c asks of the files that own a table ------------------------------------------ */

/* Does the dossier's record call for this row of an index? */
bool wf_dossier_calls_for(const struct wf_rec_dossier *dossier, enum wf_table table,
                          const struct wf_key *key);
/* Calls fn with each row that it calls for in the indexes (but codes). */
void wf_dossier_each_index(const struct wf_rec_dossier *dossier,
                           void (*fn)(void *context, enum wf_table table, const struct wf_key *key),
                           void *context);
bool wf_dossier_stands_in(const struct wf_rec_dossier *dossier, struct wf_str state);
#define WF_TASK_ORDER_BYTES 40
/* Where the task stands in order: in TASK_ORDER, or put aside in HELD. */
enum wf_table wf_task_place(struct wf_key *key, const struct wf_rec_task *task);
/* Puts all tasks in order anew: a step of the upgrade. */
int wf_task_order_fill(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;
/* The row of event `seq` as it was found on a walk. `hash` is that of the event before where
 * is_next, else it is looked up; it becomes the event's own. */
int wf_journal_row(struct wf_txn *txn, uint64_t seq, struct wf_slice value, bool is_next,
                   uint8_t hash[WF_HASH_BYTES], struct wf_arena *arena, struct wf_rec_event *out,
                   struct wf_error *err) WF_CHECKED;
/* Pages: the free list within the file and each page once; sums of pages. (pages.c) */
int wf_pages_check(struct wf_txn *txn, bool *out_is_sound, char *text, size_t size,
                   struct wf_error *err) WF_CHECKED;

/* ---- rows put aside (holds.c) ------------------------------------------------------------------ */

enum wf_held_kind { WF_HELD_ITEM, WF_HELD_TIMER, WF_HELD_TASK };

#define WF_HELD_KIND_AT 8
#define WF_HELD_BYTES   26 /* hold u64, kind u8, service u8, time u64, number u64 */

void wf_held_key(struct wf_key *key, uint64_t hold, enum wf_held_kind kind, uint64_t service,
                 int64_t time, uint64_t number);
void wf_hold_key(struct wf_key *key, const struct wf_rec_hold *hold);

/* ---- ordered scans --------------------------------------------------------------------------- */

/* Rows of a table in key order from `from` on, as long as keys begin as `prefix` bytes of it do.
 * Rows may be written meanwhile: the scan then finds its place again by key. */
struct wf_rows {
    struct wf_txn *txn;
    enum wf_table table;
    struct MDB_cursor *cursor;
    bool started;
    size_t prefix;
    uint64_t seen_writes;
    struct wf_key at; /* last key given out, at first the key to start from */
};

/* prefix = how many bytes of `from` every row must share; 0 = to the table's end. */
int wf_rows_open(struct wf_txn *txn, enum wf_table table, const struct wf_key *from, size_t prefix,
                 struct wf_rows *rows, struct wf_error *err) WF_CHECKED;
/* Leaves out the row whose key is `from` itself. Before the first next. */
void wf_rows_start_after(struct wf_rows *rows);
/* The key of the row is rows->at; WF_NONE at the end. */
int wf_rows_next(struct wf_rows *rows, struct wf_slice *out_value, struct wf_error *err) WF_CHECKED;
void wf_rows_close(struct wf_rows *rows);

/* Calls fn for each such row until it gives non-zero, which is returned; 0 at the end. */
typedef int wf_row_fn(void *context, const struct wf_rows *rows, struct wf_slice value,
                      struct wf_error *err);
int wf_rows_each(struct wf_txn *txn, enum wf_table table, const struct wf_key *from, size_t prefix,
                 wf_row_fn *fn, void *context, struct wf_error *err) WF_CHECKED;

/* The first row at or after *key that shares its first `prefix` bytes; *key becomes its key. */
int wf_txn_seek(struct wf_txn *txn, enum wf_table table, struct wf_key *key, size_t prefix,
                struct wf_slice *out_value, struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/archive.h - every change of a store, kept outside of it: a backup plus the changes since
 * then gives the store of any moment.
 *
 * PURPOSE    What PostgreSQL calls WAL archiving and point-in-time recovery. A backup of the night
 *            and the archive of the day bring back the cell as it was a second before the disk died
 *            or before a wrong command was given.
 * CONCEPTS   change    all row changes of one write transaction; numbered from 1 without a gap,
 *                      with its real time, the head of the journal after it, and the hash of the
 *                      change before: a chain
 *            start     a change without rows: from here on changes are recorded. What was done
 *                      before it, while the archive was off, is in no change
 *            folder    files NUMBER.changes, named by their first change; only the last one grows
 *            archiver  the one process that moves changes from the store's table to the folder
 * LIFE CYCLE wf_archive_open switches recording on, which from then on every write transaction of
 *            the cell does; wf_archive_move again and again; close. wf_archive_switch_off ends it.
 * ERRORS     WF_E_STATE    the folder is of another cell or history, or another archiver has it
 *            WF_E_CORRUPT  a file is damaged, or a change is missing
 *            WF_E_FULL, WF_E_IO  as for files; what was not moved stays in the store
 * DANGERS    while the folder cannot be written, changes stay in the store, which grows.
 *            The folder holds all that the dossiers hold: personal data.
 */
#ifndef WORKFLOW_ARCHIVE_H
#define WORKFLOW_ARCHIVE_H

#include "workflow/store.h"

/* How far a store's changes have come. */
struct wf_archive_state {
    bool is_on;
    uint64_t seq;     /* number of the last change; 0 = none ever */
    uint8_t hash[32]; /* and its hash */
    uint64_t waiting; /* changes that are not in the folder yet */
    int64_t since_ms; /* real time of the first of them, 0 = none */
};
int wf_archive_state(struct wf_txn *txn, struct wf_archive_state *out,
                     struct wf_error *err) WF_CHECKED;

/* ---- the archiver ---------------------------------------------------------------------------- */

struct wf_archive;

/*
 * Makes the folder where it is missing, keeps others out of it, cuts off what a crash has left
 * half-written at its end, checks that it goes on where it ends, and switches recording on.
 */
int wf_archive_open(struct wf_store *store, const char *folder, struct wf_archive **out,
                    struct wf_error *err) WF_CHECKED;
void wf_archive_close(struct wf_archive *archive);

/*
 * Moves what waits, a few MiB at most: appended, synced, then deleted from the store. *out_moved is
 * 0 when nothing waits. After a kill at any moment the numbers tell what was done.
 */
int wf_archive_move(struct wf_archive *archive, size_t *out_moved, struct wf_error *err) WF_CHECKED;

/* Ends recording; changes that wait are dropped. The next start leaves a gap, which no replay
 * passes. Without effect where it is off. */
int wf_archive_switch_off(struct wf_store *store, struct wf_error *err) WF_CHECKED;

/* ---- reading --------------------------------------------------------------------------------- */

struct wf_archive_until {
    int64_t real_ms;      /* no change later than this; INT64_MAX = any */
    uint64_t journal_seq; /* no change that brings an event after this one; UINT64_MAX = any */
};

struct wf_archive_reached {
    uint64_t first, seq;  /* changes looked at: the first and the last; 0 = none */
    uint64_t changes;     /* replayed, of these */
    uint64_t journal_seq; /* head of the journal after the last one */
    int64_t real_ms;      /* time of the last one, 0 = none */
    uint8_t hash[32];     /* of the last one */
    bool was_cut;         /* the last file ends within a change, as after a crash: left out */
};

/*
 * Brings a store that comes from a backup forward, and switches recording off in it. WF_E_STATE:
 * the archive does not go on from there. Afterwards the store wants a check.
 */
int wf_archive_replay(struct wf_store *store, const char *folder,
                      const struct wf_archive_until *until, struct wf_archive_reached *out,
                      struct wf_error *err) WF_CHECKED;

/* Number that the last file begins with; WF_NONE where there is no file. */
int wf_archive_last(const char *folder, uint64_t *out, struct wf_error *err) WF_CHECKED;

/* Reads all files through: checksums, order and chain. */
int wf_archive_check(const char *folder, struct wf_archive_reached *out,
                     struct wf_error *err) WF_CHECKED;

#endif

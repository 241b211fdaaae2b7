/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/changes.h - changes as bytes: written into the table by every transaction (changes.c), moved
 * to files (archive.c), read back (archive_read.c).
 *
 * A change:  number u64 | real ms i64 | head of the journal u64 | kind u8 | hash of the one before
 *            (32 bytes) | row changes | checksum u32 of all that
 * Its hash is BLAKE2b-256 of all but the checksum. A row change: operation u8 | length of the
 * table's name u8 | of the key u16 | of the value u32 | name | key | value. Numbers are big-endian.
 * Tables stand there by name, so that a later release, whose tables may have other numbers, reads
 * what an earlier one has left in the table.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "store/txn.h"

#define WF_CHANGE_HEAD  57
#define WF_CHANGE_SUM   4
#define WF_CHANGE_LEAST (WF_CHANGE_HEAD + WF_CHANGE_SUM)

enum wf_change_kind { WF_CHANGE_ROWS = 1, WF_CHANGE_START = 2 };
enum wf_change_op { WF_CHANGE_PUT = 1, WF_CHANGE_DEL = 2 };

/* One change, taken apart; slices point into the bytes. */
struct wf_change {
    uint64_t seq, journal_seq;
    int64_t real_ms;
    uint8_t kind;
    const uint8_t *before; /* hash of the one before */
    struct wf_slice rows;
    uint8_t hash[WF_HASH_BYTES];
};

/* WF_E_CORRUPT where length or checksum is wrong. */
int wf_change_read(struct wf_slice bytes, struct wf_change *out, struct wf_error *err) WF_CHECKED;
/* Makes the row changes in the transaction. */
int wf_change_apply(struct wf_txn *txn, const struct wf_change *change,
                    struct wf_error *err) WF_CHECKED;

/* The meta row "changes": on or off, last number, its hash; of a store that never had one: zeros. */
int wf_changes_load(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;

/* Of a transaction that moves or replays changes: it records nothing itself. */
void wf_changes_pause(struct wf_txn *txn);
/* Sets the meta row. */
int wf_changes_put_head(struct wf_txn *txn, const struct wf_changes_head *head,
                        struct wf_error *err) WF_CHECKED;
/* Begins to record: the transaction's change is a start, which carries the cell's name. */
int wf_changes_start(struct wf_txn *txn, struct wf_error *err) WF_CHECKED;

#endif

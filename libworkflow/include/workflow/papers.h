/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/papers.h - scanned papers: files named by their hash, beside the store.
 *
 * PURPOSE    Takes papers up in pieces, proves that they are what their name says, and gives them
 *            out in pieces. A dossier may name a paper only when it is here whole.
 * CONCEPTS   paper   its name is the BLAKE2b-256 of its bytes, 64 lower-case hex digits
 *            FOLDER/ab/<hash>                 whole: checked, synced, never written again
 *            FOLDER/incoming/<party>/<hash>   on its way up; as long as what has come so far
 *            FOLDER/sent/<party>/<hash>       empty: this party has sent all of this paper. Only
 *                                             who did may name it, so that a hash that was seen
 *                                             somewhere opens no paper. Programs of the host have
 *                                             no name and need none
 *            FOLDER/unnamed/<party>/<hash>    empty: so has it, and no dossier was seen to name it
 * LIFE CYCLE wf_papers_open makes what is missing of the folder -> any use -> wf_papers_close.
 *            Nothing is kept in memory: any process may go on where another one died.
 * ORDER      last piece -> sync -> hash -> `sent` row -> rename -> sync of the folder -> "whole".
 *            What a crash leaves is either an upload to go on with or a whole paper.
 * ERRORS     WF_E_INVALID with err->field "paper", "size", "at" or "bytes"; WF_E_FULL too many
 *            begun or no room on the disk; WF_E_IO, of this paper only: an upload whose sync failed
 *            is thrown away, for what the disk then holds is not known
 * DANGERS    waits for the disk: never inside a transaction, but for wf_papers_named, wf_papers_room
 *            and wf_papers_remove, which only look up and unlink names. One process at a time takes
 *            papers up (intake); any number read.
 * THREADS    one thread per handle.
 */
#ifndef WORKFLOW_PAPERS_H
#define WORKFLOW_PAPERS_H

#include "workflow/error.h"
#include "workflow/hash.h"
#include "workflow/text.h"

#define WF_PAPER_NAME 64 /* digits of a paper's name */

struct wf_papers;
struct wf_arena;

struct wf_papers_options {
    uint64_t max_bytes;         /* of one paper; 0 = 20 MiB */
    unsigned max_open;          /* uploads that a party may have begun; 0 = 16 */
    uint64_t max_unnamed;       /* whole papers of a party that no dossier names; 0 = 1,000 */
    uint64_t max_unnamed_bytes; /* the same in bytes; 0 = 2 GiB */
};

int wf_papers_open(const char *folder, const struct wf_papers_options *options,
                   struct wf_papers **out, struct wf_error *err) WF_CHECKED;
void wf_papers_close(struct wf_papers *papers);

/* Is this the name of a paper? Gives its hash; `out` may be NULL. */
bool wf_paper_name(struct wf_str name, uint8_t out[WF_HASH_BYTES]);

struct wf_paper_piece {
    struct wf_str paper;   /* its name */
    uint64_t size;         /* of the whole */
    uint64_t at;           /* of the bytes */
    struct wf_slice bytes; /* none = how much is here? */
};

/* 0: a dossier names the paper; WF_NONE: none does. */
typedef int wf_paper_named_fn(void *context, const uint8_t hash[WF_HASH_BYTES]);

/*
 * May the party begin this paper? WF_E_FULL: too many of its papers are named by no dossier, which
 * fn tells. To be asked before the first piece is put; what was begun may go to its end. Looks up
 * and unlinks names only. A program of the host has no bound.
 */
int wf_papers_room(struct wf_papers *papers, struct wf_str party,
                   const struct wf_paper_piece *piece, wf_paper_named_fn *fn, void *context,
                   struct wf_error *err) WF_CHECKED;

/*
 * Takes of the piece what comes next; of any other, nothing. In both cases *out_have tells
 * where to go on, and *out_whole that all is here. `party` "" = a program of the host. A party's
 * upload that rests for an hour gives way where the party begins too many.
 */
int wf_papers_put(struct wf_papers *papers, struct wf_str party, const struct wf_paper_piece *piece,
                  uint64_t *out_have, bool *out_whole, struct wf_error *err) WF_CHECKED;

/* Up to `max` bytes from `at` on, in the arena. WF_NONE: it is not here. */
int wf_papers_get(const struct wf_papers *papers, const uint8_t hash[WF_HASH_BYTES], uint64_t at,
                  size_t max, struct wf_arena *arena, struct wf_slice *out, uint64_t *out_size,
                  struct wf_error *err) WF_CHECKED;

/* Is the paper here, whole? And has this party sent it ("" = that does not matter)? */
bool wf_papers_named(const struct wf_papers *papers, struct wf_str party,
                     const uint8_t hash[WF_HASH_BYTES]);

/* Reads all of a paper and compares. WF_NONE: it is not here; WF_E_CORRUPT: it is not what its name
 * says. Without `deep` only the name is looked up. */
int wf_papers_check(const struct wf_papers *papers, const uint8_t hash[WF_HASH_BYTES], bool deep,
                    uint64_t *out_bytes, struct wf_error *err) WF_CHECKED;

/* ---- keeping ---------------------------------------------------------------------------------- */

#define WF_PAPER_FOLDERS 256

/* Which of the folders there are: all but a few are missing where few papers have come. */
int wf_papers_folders(const struct wf_papers *papers, bool out[WF_PAPER_FOLDERS],
                      struct wf_error *err) WF_CHECKED;

/* Calls fn for each whole paper of folder `nth`, last touched before before_ms (real), until it
 * gives non-zero, which is returned. */
int wf_papers_each(const struct wf_papers *papers, unsigned nth, int64_t before_ms,
                   int (*fn)(void *context, const uint8_t hash[WF_HASH_BYTES]), void *context,
                   struct wf_error *err) WF_CHECKED;

/* Takes a whole paper away. The caller holds the write lock and has seen that no dossier names it:
 * then none can begin to. */
int wf_papers_remove(struct wf_papers *papers, const uint8_t hash[WF_HASH_BYTES],
                     struct wf_error *err) WF_CHECKED;

/* Takes away uploads, `sent` and `unnamed` files last touched before before_ms. */
int wf_papers_forget(struct wf_papers *papers, int64_t before_ms, size_t *out_removed,
                     struct wf_error *err) WF_CHECKED;

#endif

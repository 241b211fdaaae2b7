/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/papers.h - what the two files on papers share: places and names. Internal.
 */
#ifndef STORE_PAPERS_H
#define STORE_PAPERS_H

#include <dirent.h>

#include "workflow/papers.h"

#define PAPER_PATH 160 /* "incoming/<party>/<hash>", relative to the folder */

/* Folders that have one for each party. */
enum paper_kind { PAPER_INCOMING, PAPER_SENT, PAPER_UNNAMED, PAPER_KINDS };
extern const char *const paper_kinds[PAPER_KINDS];

struct wf_papers {
    int folder; /* descriptor: all names are looked up from here */
    struct wf_papers_options options;
};

/* "ab/<hash>" */
void paper_place(const uint8_t hash[WF_HASH_BYTES], char out[PAPER_PATH]);
/* "incoming/<party>/<hash>"; hash NULL = the folder. WF_E_DENIED: no name of a party. */
int paper_of_party(struct wf_str party, enum paper_kind kind, const uint8_t *hash,
                   char out[PAPER_PATH], struct wf_error *err);
/* out_bytes may be NULL. */
bool paper_is_file(const struct wf_papers *papers, const char *path, uint64_t *out_bytes);
/* NULL (and 0) where there is no such folder. */
int paper_open_folder(int at, const char *path, DIR **out, struct wf_error *err);
/* A file system's error in our codes; names the act, never the paper. */
int paper_fail(struct wf_error *err, const char *doing);
int64_t paper_touched_ms(int folder, const char *path); /* -1 = not there */

#endif

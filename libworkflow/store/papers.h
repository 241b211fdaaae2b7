/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/papers.h - what the two files on papers share: places and names. Internal.
 */
#ifndef STORE_PAPERS_H
#define STORE_PAPERS_H

#include "workflow/papers.h"

#define PAPER_PATH 160 /* "incoming/<party>/<hash>", relative to the folder */

struct wf_papers {
    int folder; /* descriptor: all names are looked up from here */
    struct wf_papers_options options;
};

/* "ab/<hash>" */
void paper_place(const uint8_t hash[WF_HASH_BYTES], char out[PAPER_PATH]);
/* A file system's error in our codes; names the act, never the paper. */
int paper_fail(struct wf_error *err, const char *doing);
int64_t paper_touched_ms(int folder, const char *path); /* -1 = not there */

#endif

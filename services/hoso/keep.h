/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/keep.h - what backup, restore, verify, compact, dump and load share.
 *
 * CONCEPTS   aside    everything is made in FOLDER.hoso-part, synced, and renamed to FOLDER when it
 *                     is whole and checked; what a crash leaves of it goes at the next try
 *            check    the store's own check, in a child process: pages that are damaged badly can
 *                     end the process that reads them
 */
#ifndef HOSO_KEEP_H
#define HOSO_KEEP_H

#include <sys/types.h>

#include "hoso.h"

#define KEEP_BACKUP_FORMAT 1
#define KEEP_MANIFEST      "manifest.json"
#define KEEP_MANIFEST_SUM  "manifest.b2"
#define KEEP_PAPERS        "papers.b2" /* lines "HASH  papers/ab/HASH" */
#define KEEP_BOOK          ".db"       /* behind an adapter's name */

/* ---- files (keep_files.c) ------------------------------------------------------------------ */

/* FOLDER without slashes at its end, and the folder aside of it. */
int keep_places(struct hoso *h, const char *folder, char final[4096], char aside[4096]) WF_CHECKED;
/* 0 where the folder is empty or not there; WF_E_STATE where it holds something. */
int keep_is_free(struct hoso *h, const char *folder) WF_CHECKED;
int keep_make(struct hoso *h, const char *folder) WF_CHECKED;
void keep_remove(const char *folder); /* with all that is in it */

/* Copies and syncs. WF_E_NOT_FOUND where there is none. */
int keep_copy(struct hoso *h, const char *from, const char *to) WF_CHECKED;
int keep_write(struct hoso *h, const char *path, const void *bytes, size_t n) WF_CHECKED;
/* BLAKE2b-256 as hex (what `b2sum -l 256` prints), and the size. */
int keep_hash(struct hoso *h, const char *path, char out_hex[65], uint64_t *out_bytes) WF_CHECKED;
/* The same in a child process, which syncs the file too. */
struct keep_child;
int keep_hash_begin(struct hoso *h, const char *path, struct keep_child *out) WF_CHECKED;
int keep_hash_end(struct hoso *h, const struct keep_child *child, char out_hex[65],
                  uint64_t *out_bytes) WF_CHECKED;
int keep_sync_folder(struct hoso *h, const char *path) WF_CHECKED;
/* Syncs the folder aside and renames it. */
int keep_settle(struct hoso *h, const char *aside, const char *final) WF_CHECKED;

/* Keeps supervisor and workers out until the process ends; WF_E_STATE where one runs. */
int keep_out_workers(struct hoso *h) WF_CHECKED;

/* ---- children (keep_child.c) ----------------------------------------------------------------- */

struct keep_child {
    pid_t pid;
    int from; /* the pipe that its answer comes through */
};

/* Runs in the child: a map, or what keep_child_failed makes of h->err. */
typedef const struct wf_value *keep_job_fn(struct hoso *h, const void *context);
const struct wf_value *keep_child_failed(struct hoso *h, int code);

int keep_child_start(struct hoso *h, keep_job_fn *job, const void *context,
                     struct keep_child *out) WF_CHECKED;
/* Waits for it. Its error comes back as such; WF_NONE, and waitpid's status, where it gave no answer. */
int keep_child_end(struct hoso *h, const struct keep_child *child, int *out_status,
                   const struct wf_value **out) WF_CHECKED;

/* Waits for it all the same; h->err stays as it is. */
void keep_child_drop(struct hoso *h, const struct keep_child *child);

/* ---- check (keep_check.c) ------------------------------------------------------------------- */

/*
 * The check of the store in this folder as a map: findings [{name, text}], n_findings, quiet, cell,
 * format, journal_hash, and the numbers of rows. Errors of opening it come back as such; a child
 * that was ended by a signal is a finding.
 */
int keep_check(struct hoso *h, const char *store, const struct wf_value **out) WF_CHECKED;

/* The same in two halves, with other work between them; what was begun is ended or dropped. */
struct keep_check {
    const char *store;
    struct keep_child parts[WF_CHECK_PARTS];
    unsigned n;
};
int keep_check_begin(struct hoso *h, const char *store, struct keep_check *check) WF_CHECKED;
int keep_check_end(struct hoso *h, struct keep_check *check,
                   const struct wf_value **out) WF_CHECKED;
void keep_check_drop(struct hoso *h, struct keep_check *check);

/* WF_E_CORRUPT with the first finding where there is one. */
int keep_is_clean(struct hoso *h, const struct wf_value *check) WF_CHECKED;
int keep_check_clean(struct hoso *h, const char *store, const struct wf_value **out) WF_CHECKED;

/* ---- papers (keep_papers.c) ----------------------------------------------------------------- */

/* Calls fn for each paper that a dossier of the store names, once. */
int keep_each_paper(struct hoso *h, struct wf_store *store,
                    int (*fn)(void *context, const uint8_t hash[32]), void *context) WF_CHECKED;
/* Adds to the answer of a check: papers, papers_bytes, papers_waiting (which nobody names), and
 * what is wrong with their files. Without `deep` they are not read. */
int keep_check_papers(struct hoso *h, struct wf_store *store, const char *folder, bool deep,
                      const struct wf_value *answer, const struct wf_value **out) WF_CHECKED;

/* Links or copies one into .../papers/ab/, which is made. */
int keep_bring_paper(struct hoso *h, const char *from, const char *to) WF_CHECKED;
int keep_sync_papers(struct hoso *h, const char *papers) WF_CHECKED;

/* ---- books of adapters (keep_books.c) -------------------------------------------------------- */

/* Is this the name of an adapter's book in a backup: "portal.db" ...? */
bool keep_is_book(const char *name);
/* The book of the adapter of the cell in `folder`, there or not; false where it has no settings. */
bool keep_book_of(const char *folder, const char *adapter, char out[4096]);
/* Copies each book that is there into the folder, and calls fn with its name. */
int keep_copy_books(struct hoso *h, const char *to, int (*fn)(void *context, const char *name),
                    void *context) WF_CHECKED;

#endif

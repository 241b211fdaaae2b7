/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/versions.h - versions of procedures and the open dossiers on them.
 *
 * CONCEPTS   place     the innermost states of a dossier, joined: "examine", "consult + survey"
 *            census    open dossiers of a procedure, counted by version and place
 *            in force  the version that new dossiers take now: the newest one that is active and
 *                      whose validity covers today
 */
#ifndef HOSO_VERSIONS_H
#define HOSO_VERSIONS_H

#include "hoso.h"

/* Where a dossier stands; in the arena, NULL when memory is out. */
const char *version_place(struct hoso *h, struct wf_txn *txn, const struct wf_rec_dossier *dossier,
                          struct wf_arena *arena);

/*
 * Calls fn once for each open dossier of the procedure, in read transactions of a few hundred, so
 * that a running cell goes on meanwhile; dossier and place live until fn returns. Uses the index
 * by state: closed dossiers cost nothing.
 */
typedef int version_fn(void *context, const struct wf_rec_dossier *dossier, const char *place);
int version_each_open(struct hoso *h, const char *code, version_fn *fn, void *context) WF_CHECKED;

/* Adds rows {version, state, dossiers}, most dossiers first within a version. */
int version_census(struct hoso *h, const char *code, struct wf_value *out_rows) WF_CHECKED;
int64_t version_sum(const struct wf_value *census, int64_t version);

/* The version in force now; WF_NONE where new dossiers are not taken. */
int version_in_force(struct hoso *h, const char *code, uint64_t *out) WF_CHECKED;

/* Prints the rows of a census: "  412 in examine stay on version 1". */
void version_print_census(const struct hoso *h, const struct wf_value *census);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/aside.h - a store's new data file, made aside while nobody has the store open.
 *
 * PURPOSE    What compact and upgrade share: lock others out, copy, work on the copy, check it,
 *            swap by rename. A crash at any moment leaves the old file or the new one in place.
 * LIFE CYCLE begin -> (change the store in aside.place) -> check -> swap; end in any case
 */
#ifndef STORE_ASIDE_H
#define STORE_ASIDE_H

#include <limits.h>

#include "workflow/store.h"

struct wf_aside {
    const char *path; /* of the store */
    char data[PATH_MAX], lock[PATH_MAX], place[PATH_MAX], new_data[PATH_MAX], new_lock[PATH_MAX];
    int lock_fd;
};

/* WF_E_BUSY: somebody has it open. Who comes later waits until end. */
int wf_aside_begin(struct wf_aside *aside, const char *path, struct wf_error *err) WF_CHECKED;
int wf_aside_check(const struct wf_aside *aside, struct wf_error *err) WF_CHECKED;
/* The old file stays under the name `keep` in the store's folder, unless that is NULL. */
int wf_aside_swap(const struct wf_aside *aside, const char *keep, struct wf_error *err) WF_CHECKED;
void wf_aside_end(struct wf_aside *aside);

/* Bytes of the data file before, and of the one aside. */
int wf_aside_sizes(const struct wf_aside *aside, uint64_t *out_before, uint64_t *out_after,
                   struct wf_error *err) WF_CHECKED;

/* A compact copy of the environment, not yet synced (copy.c). */
struct MDB_env;
int wf_env_copy(struct MDB_env *env, const char *to, struct wf_error *err) WF_CHECKED;
int wf_sync_path(const char *path, struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* store/env.h - what lmdb_env.c, create.c and txn.c share; the only header with lmdb.h in it. */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include <lmdb.h>
#include <sys/types.h>

#include "store/txn.h"

#define WF_DATA_FILE "data.mdb"
#define WF_LOCK_FILE "lock.mdb"

struct wf_store {
    struct wf_store *next; /* list of those that this process has open */
    pid_t pid;             /* who opened it: no other may use it */
    dev_t device;
    ino_t folder;
    char *path;
    MDB_env *env;
    MDB_dbi tables[WF_TABLE_COUNT];
    struct wf_store_options options;
    struct wf_arena *arena; /* of meta */
    struct wf_rec_meta meta;
    const struct wf_writes *writes;
    unsigned n_live;        /* transactions open in this process */
    bool writing;           /* one of them writes */
    bool failed;            /* a commit failed: nothing more is begun */
    bool was_full;          /* the map was full: look for dead readers before the next write */
    struct wf_buf seen_row; /* the counters row as it was last unpacked */
    struct wf_counts seen;  /* and what it says */
    struct wf_txn *idle[2]; /* one reader (its slot kept by mdb_txn_reset) and one writer */
};

/* The one translation of LMDB and system codes; always returns a negative code. */
int wf_lmdb_fail(struct wf_error *err, int lmdb_rc, const char *doing);

/* A new environment handle with our limits, not yet opened. */
int wf_env_new(const struct wf_store_options *options, MDB_env **out,
               struct wf_error *err) WF_CHECKED;
int wf_env_open(MDB_env *env, const char *path, unsigned flags, struct wf_error *err) WF_CHECKED;

/*
 * Has the store come to the last sixteenth of its map? Deletes copy pages before they free any, so
 * a map that is full to the brim could never be emptied: that part is for them and the counters.
 */
bool wf_env_is_tight(MDB_env *env);

/* As wf_store_open, and takes an older format too: the tables that it lacks are made. */
int wf_store_open_older(const char *path, const struct wf_store_options *options,
                        struct wf_store **out, struct wf_error *err) WF_CHECKED;

/* Puts the rows that keep tables of passing rows from being empty (create.c). */
int wf_put_keepers(MDB_txn *txn, const MDB_dbi tables[WF_TABLE_COUNT],
                   struct wf_error *err) WF_CHECKED;

/* WF_E_CORRUPT where pages that are in use lie behind the file's end (pages.c). */
int wf_check_whole(MDB_env *env, const char *path, struct wf_error *err) WF_CHECKED;

/* Is this statfs type a file system that other hosts can write to? */
bool wf_is_network_fs(unsigned long type);
int wf_check_local_fs(const char *path, struct wf_error *err) WF_CHECKED;

/* Frees an idle transaction with its reader slot. */
void wf_txn_drop_idle(struct wf_txn *txn);

/* LMDB takes input through non-const pointers and does not write to it. */
static inline MDB_val wf_mdb_val(struct wf_slice slice)
{
    return (MDB_val){slice.len, (void *)(uintptr_t)slice.ptr};
}

static inline struct wf_slice wf_mdb_slice(const MDB_val *val)
{
    return (struct wf_slice){val->mv_data, val->mv_size};
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions and raw rows. A transaction object is used again and again: its packing buffer, its
 * arena and, for readers, its slot in LMDB's reader table (mdb_txn_reset and _renew) stay with it.
 *
 * Cursors live from one call to the next only in struct wf_rows, and find their place anew by key
 * after every write: LMDB 0.9.24 has faults in cursors that outlast deletes by others.
 */
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/changes.h"
#include "store/env.h"

const char *const wf_table_names[WF_TABLE_COUNT] = {
#define X(table, name) name,
    WF_TABLES(X)
#undef X
};

static const uint8_t nothing[1];

/* ---- begin ----------------------------------------------------------------------------------- */

static struct wf_txn *new_txn(struct wf_store *store, bool write)
{
    struct wf_txn *txn = wf_alloc(sizeof(*txn));
    struct wf_arena *arena = wf_arena_new(0);
    if (txn == NULL || arena == NULL) {
        wf_free(txn);
        wf_arena_free(arena);
        return NULL;
    }
    txn->store = store;
    txn->write = write;
    txn->arena = arena;
    return txn;
}

void wf_txn_drop_idle(struct wf_txn *txn)
{
    if (txn == NULL)
        return;
    if (txn->mdb != NULL && txn->store->pid == getpid())
        mdb_txn_abort(txn->mdb);
    wf_buf_fini(&txn->buf);
    wf_buf_fini(&txn->change);
    wf_arena_free(txn->arena);
    wf_free(txn);
}

/* Puts the transaction aside for the next begin. */
static void put_idle(struct wf_txn *txn)
{
    struct wf_txn **place = &txn->store->idle[txn->write];
    if (*place == NULL)
        *place = txn;
    else
        wf_txn_drop_idle(txn);
}

static int start_once(struct wf_txn *txn)
{
    if (txn->mdb != NULL)
        return mdb_txn_renew(txn->mdb);
    return mdb_txn_begin(txn->store->env, NULL, txn->write ? 0 : MDB_RDONLY, &txn->mdb);
}

/* Two conditions can be mended on the spot: a map grown by another process, and no free slot. */
static int start(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_store *store = txn->store;
    if (txn->write && store->was_full) {
        int cleared = 0;
        (void)mdb_reader_check(store->env, &cleared);
        store->was_full = false;
    }
    int rc = start_once(txn);
    if (rc == MDB_MAP_RESIZED && store->n_live == 0) {
        rc = mdb_env_set_mapsize(store->env, 0);
        rc = rc == 0 ? start_once(txn) : rc;
    } else if (rc == MDB_READERS_FULL) {
        int cleared = 0;
        (void)mdb_reader_check(store->env, &cleared);
        rc = start_once(txn);
    }
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, "begin a transaction");
}

static int check_usable(const struct wf_store *store, bool write, struct wf_error *err)
{
    if (store->pid != getpid())
        return wf_fail(err, WF_E_INTERNAL, "the store was opened before fork");
    if (store->failed)
        return wf_fail(err, WF_E_IO, "a commit has failed: the process must end");
    if (write && store->options.read_only)
        return wf_fail(err, WF_E_DENIED, "the store is open for reading only");
    if (write && store->writing)
        return wf_fail(err, WF_E_INTERNAL, "a write transaction is open in this process");
    int rc = WF_FAULT("store.begin");
    return rc < 0 ? wf_fail(err, rc, "begin a transaction: fault point") : 0;
}

int wf_txn_begin(struct wf_store *store, bool write, struct wf_txn **out, struct wf_error *err)
{
    int rc = check_usable(store, write, err);
    if (rc < 0)
        return rc;
    struct wf_txn *txn = store->idle[write];
    store->idle[write] = NULL;
    if (txn == NULL)
        txn = new_txn(store, write);
    if (txn == NULL)
        return wf_fail(err, WF_E_NOMEM, "begin a transaction");
    rc = start(txn, err);
    if (rc < 0) {
        put_idle(txn);
        return rc;
    }
    store->n_live++;
    store->writing = store->writing || write;
    txn->broken = 0;
    txn->n_writes = 0;
    txn->n_tallies = 0;
    txn->ahead = NULL;
    txn->tight = write && wf_env_is_tight(store->env);
    rc = wf_counts_load(txn, err);
    if (rc == 0 && write)
        rc = wf_changes_load(txn, err);
    if (rc < 0) {
        wf_txn_abort(txn);
        return rc;
    }
    *out = txn;
    return 0;
}

/* ---- end ------------------------------------------------------------------------------------- */

static void close_cursors(struct wf_txn *txn)
{
    for (size_t i = 0; i < WF_TABLE_COUNT && txn->is_near; i++) {
        mdb_cursor_close(txn->near[i]);
        txn->near[i] = NULL;
    }
    txn->is_near = false;
}

/* The LMDB part is over, or reset. */
static void leave(struct wf_txn *txn)
{
    struct wf_store *store = txn->store;
    store->n_live--;
    if (txn->write) {
        store->writing = false;
        txn->mdb = NULL;
    }
    put_idle(txn);
}

void wf_txn_abort(struct wf_txn *txn)
{
    if (txn == NULL)
        return;
    close_cursors(txn);
    if (txn->write)
        mdb_txn_abort(txn->mdb);
    else
        mdb_txn_reset(txn->mdb);
    leave(txn);
}

/* A full disk shows up as EIO, since LMDB sees a short write: tell what a person wants to know. */
static int commit_failed(struct wf_store *store, int lmdb_rc, struct wf_error *err)
{
    struct statfs fs;
    if (lmdb_rc == MDB_MAP_FULL) {
        store->was_full = true;
        return wf_lmdb_fail(err, lmdb_rc, "commit"); /* found out before anything was written */
    }
    store->failed = true;
    memset(&fs, 0, sizeof(fs));
    (void)statfs(store->path, &fs);
    return wf_fail(err, WF_E_IO, "commit: %s (%llu MiB free on the disk)", mdb_strerror(lmdb_rc),
                   (unsigned long long)fs.f_bavail * (unsigned long long)fs.f_bsize >> 20);
}

static int flush(struct wf_txn *txn, struct wf_error *err)
{
    if (txn->broken != 0)
        return wf_fail(err, txn->broken, "commit after an error in the transaction");
    int rc = wf_tallies_flush(txn, err);
    if (rc == 0)
        rc = wf_counts_flush(txn, err);
    if (rc == 0)
        rc = wf_changes_flush(txn, err);
    if (rc < 0)
        return rc;
    rc = WF_FAULT("store.commit.before");
    return rc < 0 ? wf_fail(err, rc, "commit: fault point") : 0;
}

int wf_txn_commit(struct wf_txn *txn, struct wf_error *err)
{
    int rc = 0;
    struct wf_store *store = txn->store;
    if (txn->write && (txn->n_writes > 0 || txn->broken != 0))
        rc = flush(txn, err);
    if (rc < 0 || txn->n_writes == 0) {
        wf_txn_abort(txn);
        return rc;
    }
    int lmdb_rc = mdb_txn_commit(txn->mdb);
    leave(txn);
    if (lmdb_rc != 0)
        return commit_failed(store, lmdb_rc, err);
    rc = WF_FAULT("store.commit.after");
    if (rc < 0)
        store->failed = true;
    return rc < 0 ? wf_fail(err, rc, "commit: fault point") : 0;
}

uint64_t wf_txn_writes(const struct wf_txn *txn)
{
    return txn->n_writes;
}

const struct wf_counts *wf_txn_counts(const struct wf_txn *txn)
{
    return &txn->counts;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int lmdb_put(struct wf_txn *txn, enum wf_table table, struct wf_slice key,
                    struct wf_slice value, enum wf_put_mode mode, struct wf_error *err)
{
    static const unsigned flags[] = {
        [WF_PUT_SET] = 0, [WF_PUT_NEW] = MDB_NOOVERWRITE, [WF_PUT_APPEND] = MDB_APPEND};
    MDB_val k = wf_mdb_val(key);
    MDB_val v = wf_mdb_val(value);
    int rc = mdb_put(txn->mdb, txn->store->tables[table], &k, &v, flags[mode]);
    if (rc == MDB_MAP_FULL)
        txn->store->was_full = true;
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, wf_table_names[table]);
}

static int lmdb_del(struct wf_txn *txn, enum wf_table table, struct wf_slice key,
                    struct wf_error *err)
{
    MDB_val k = wf_mdb_val(key);
    int rc = mdb_del(txn->mdb, txn->store->tables[table], &k, NULL);
    if (rc == MDB_NOTFOUND)
        return WF_NONE;
    if (rc == MDB_MAP_FULL)
        txn->store->was_full = true;
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, wf_table_names[table]);
}

const struct wf_writes wf_lmdb_writes = {lmdb_put, lmdb_del};

static int check_key(enum wf_table table, const struct wf_key *key, struct wf_error *err)
{
    if (key->overflow || key->len == 0)
        return wf_fail(err, WF_E_INVALID, "%s: a key must have 1 to %d bytes",
                       wf_table_names[table], WF_KEY_MAX);
    return 0;
}

static int check_write(const struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                       struct wf_error *err)
{
    if (!txn->write)
        return wf_fail(err, WF_E_INTERNAL, "%s: write in a read transaction",
                       wf_table_names[table]);
    if (txn->broken != 0)
        return wf_fail(err, txn->broken, "%s: write after an error", wf_table_names[table]);
    return check_key(table, key, err);
}

/* Counts a change that was made, and remembers what makes the transaction unfit for commit. */
static int note_write(struct wf_txn *txn, int rc)
{
    if (rc == 0)
        txn->n_writes++;
    else if (rc < 0 && rc != WF_E_CONFLICT && rc != WF_E_INVALID)
        txn->broken = rc;
    return rc;
}

static int no_room(struct wf_txn *txn, enum wf_table table, struct wf_error *err)
{
    txn->store->was_full = true;
    return wf_fail(err, WF_E_FULL, "%s: the store is full: let it grow", wf_table_names[table]);
}

int wf_txn_put(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
               struct wf_slice value, enum wf_put_mode mode, struct wf_error *err)
{
    int rc = check_write(txn, table, key, err);
    if (rc < 0)
        return rc;
    if (value.ptr == NULL)
        value.ptr = nothing;
    rc = WF_FAULT("store.put");
    if (rc < 0)
        return note_write(txn, wf_fail(err, rc, "%s: fault point", wf_table_names[table]));
    if (txn->tight && table != WF_TABLE_META && table != WF_TABLE_CHANGES)
        return note_write(txn, no_room(txn, table, err));
    rc = txn->store->writes->put(txn, table, wf_key_slice(key), value, mode, err);
    if (rc == 0)
        wf_changes_note(txn, table, wf_key_slice(key), value);
    return note_write(txn, rc);
}

int wf_txn_del(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
               struct wf_error *err)
{
    int rc = check_write(txn, table, key, err);
    if (rc < 0)
        return rc;
    rc = WF_FAULT("store.del");
    if (rc < 0)
        return note_write(txn, wf_fail(err, rc, "%s: fault point", wf_table_names[table]));
    rc = txn->store->writes->del(txn, table, wf_key_slice(key), err);
    if (rc == 0)
        wf_changes_note(txn, table, wf_key_slice(key), (struct wf_slice){NULL, 0});
    return note_write(txn, rc);
}

int wf_txn_must_del(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                    struct wf_error *err)
{
    int rc = wf_txn_del(txn, table, key, err);
    if (rc != WF_NONE)
        return rc;
    txn->broken = WF_E_CORRUPT;
    return wf_fail(err, WF_E_CORRUPT, "%s: a row is missing", wf_table_names[table]);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int by_root(struct wf_txn *txn, enum wf_table table, MDB_val *key, MDB_val *value)
{
    return mdb_get(txn->mdb, txn->store->tables[table], key, value);
}

static int by_cursor(struct wf_txn *txn, enum wf_table table, MDB_val *key, MDB_val *value)
{
    struct MDB_cursor **near = &txn->near[table];
    int rc = *near == NULL ? mdb_cursor_open(txn->mdb, txn->store->tables[table], near) : 0;
    return rc == 0 ? mdb_cursor_get(*near, key, value, MDB_SET) : rc;
}

static int look_up(struct wf_txn *txn, enum wf_table table, const struct wf_key *key, bool is_near,
                   struct wf_slice *out, struct wf_error *err)
{
    int rc = check_key(table, key, err);
    if (rc < 0)
        return rc;
    MDB_val k = wf_mdb_val(wf_key_slice(key));
    MDB_val v;
    rc = is_near ? by_cursor(txn, table, &k, &v) : by_root(txn, table, &k, &v);
    if (rc == MDB_NOTFOUND)
        return WF_NONE;
    if (rc != 0)
        return wf_lmdb_fail(err, rc, wf_table_names[table]);
    *out = wf_mdb_slice(&v);
    return 0;
}

int wf_txn_get(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
               struct wf_slice *out, struct wf_error *err)
{
    return look_up(txn, table, key, txn->is_near, out, err);
}

int wf_txn_get_by_root(struct wf_txn *txn, enum wf_table table, const struct wf_key *key,
                       struct wf_slice *out, struct wf_error *err)
{
    return look_up(txn, table, key, false, out, err);
}

void wf_txn_stay_near(struct wf_txn *txn)
{
    txn->is_near = !txn->write; /* cursors of 0.9.24 do not outlast a write */
}

int wf_txn_entries(struct wf_txn *txn, enum wf_table table, uint64_t *out, struct wf_error *err)
{
    MDB_stat stat;
    int rc = mdb_stat(txn->mdb, txn->store->tables[table], &stat);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, wf_table_names[table]);
    *out = stat.ms_entries;
    return 0;
}

uint64_t wf_txn_snapshot(const struct wf_txn *txn)
{
    return mdb_txn_id(txn->mdb);
}

int wf_rows_open(struct wf_txn *txn, enum wf_table table, const struct wf_key *from, size_t prefix,
                 struct wf_rows *rows, struct wf_error *err)
{
    if (from->overflow)
        return wf_fail(err, WF_E_INVALID, "%s: the key is too long", wf_table_names[table]);
    rows->txn = txn;
    rows->table = table;
    rows->started = false;
    rows->prefix = prefix;
    rows->at = *from;
    int rc = mdb_cursor_open(txn->mdb, txn->store->tables[table], &rows->cursor);
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, wf_table_names[table]);
}

void wf_rows_start_after(struct wf_rows *rows)
{
    rows->started = true;
    rows->seen_writes = UINT64_MAX; /* makes the first next look for its place */
}

void wf_rows_close(struct wf_rows *rows)
{
    mdb_cursor_close(rows->cursor);
}

/* To the first row at or, once started, after the last key. */
static int find_place(struct wf_rows *rows, MDB_val *key, MDB_val *value)
{
    if (rows->at.len == 0)
        return mdb_cursor_get(rows->cursor, key, value, MDB_FIRST);
    *key = wf_mdb_val(wf_key_slice(&rows->at));
    int rc = mdb_cursor_get(rows->cursor, key, value, MDB_SET_RANGE);
    if (rc == 0 && rows->started && key->mv_size == rows->at.len &&
        memcmp(key->mv_data, rows->at.bytes, rows->at.len) == 0)
        rc = mdb_cursor_get(rows->cursor, key, value, MDB_NEXT);
    return rc;
}

int wf_rows_next(struct wf_rows *rows, struct wf_slice *out_value, struct wf_error *err)
{
    MDB_val key;
    MDB_val value;
    int rc = 0;
    if (!rows->started || rows->seen_writes != rows->txn->n_writes)
        rc = find_place(rows, &key, &value);
    else
        rc = mdb_cursor_get(rows->cursor, &key, &value, MDB_NEXT);
    if (rc == MDB_NOTFOUND)
        return WF_NONE;
    if (rc != 0)
        return wf_lmdb_fail(err, rc, wf_table_names[rows->table]);
    if (key.mv_size == 0 || key.mv_size > WF_KEY_MAX)
        return wf_fail(err, WF_E_CORRUPT, "%s: a key has a wrong length",
                       wf_table_names[rows->table]);
    if (key.mv_size < rows->prefix || memcmp(key.mv_data, rows->at.bytes, rows->prefix) != 0)
        return WF_NONE;
    wf_key_start(&rows->at);
    wf_key_bytes(&rows->at, key.mv_data, key.mv_size);
    rows->started = true;
    rows->seen_writes = rows->txn->n_writes;
    *out_value = wf_mdb_slice(&value);
    return 0;
}

int wf_rows_each(struct wf_txn *txn, enum wf_table table, const struct wf_key *from, size_t prefix,
                 wf_row_fn *fn, void *context, struct wf_error *err)
{
    struct wf_rows rows;
    struct wf_slice value;
    int rc = wf_rows_open(txn, table, from, prefix, &rows, err);
    if (rc < 0)
        return rc;
    int result = 0;
    while (result == 0 && (rc = wf_rows_next(&rows, &value, err)) == 0)
        result = fn(context, &rows, value, err);
    wf_rows_close(&rows);
    return rc < 0 ? rc : result;
}

int wf_txn_seek(struct wf_txn *txn, enum wf_table table, struct wf_key *key, size_t prefix,
                struct wf_slice *out_value, struct wf_error *err)
{
    struct wf_rows rows;
    int rc = wf_rows_open(txn, table, key, prefix, &rows, err);
    if (rc < 0)
        return rc;
    rc = wf_rows_next(&rows, out_value, err);
    if (rc == 0)
        *key = rows.at;
    wf_rows_close(&rows);
    return rc;
}

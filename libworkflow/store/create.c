/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a store. LMDB's own first commit is not crash-safe, so the environment is built in a
 * folder of its own inside the store's folder, synced, and its data file renamed into place: there
 * is either no data file or a whole one. What a crash leaves of the building folder is removed by
 * the next try. Building beside the store's folder instead would need the right to write the
 * parent, which a service's user does not have.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/env.h"

#define BUILD_FOLDER ".building"
#define FOLDER_MODE  0700
#define DEFAULT_MAP  ((uint64_t)16 * 1024 * 1024 * 1024)

static int sync_path(int folder, const char *name, struct wf_error *err)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return wf_fail_errno(err, name);
    int rc = fsync(fd) == 0 ? 0 : wf_fail_errno(err, name);
    (void)close(fd);
    return rc;
}

/* The new name in the parent must outlast a power cut as well. */
static int sync_parent(const char *path, struct wf_error *err)
{
    char parent[PATH_MAX];
    if (!wf_str_copy(wf_str(path), parent, sizeof(parent) - 3))
        return wf_fail(err, WF_E_CONFIG, "the path of the store is too long");
    strcat(parent, "/..");
    return sync_path(AT_FDCWD, parent, err);
}

static int make_folder(const char *path, struct wf_error *err)
{
    if (mkdir(path, FOLDER_MODE) == 0)
        return sync_parent(path, err);
    return errno == EEXIST ? 0 : wf_fail_errno(err, path);
}

/* lost+found: the root of a file system of its own is a good place for a store. */
static bool is_ignored(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0 ||
           strcmp(name, BUILD_FOLDER) == 0;
}

static int check_empty(const char *path, struct wf_error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return wf_fail_errno(err, path);
    int rc = 0;
    for (const struct dirent *e = readdir(dir); e != NULL && rc == 0; e = readdir(dir)) {
        if (strcmp(e->d_name, WF_DATA_FILE) == 0)
            rc = wf_fail(err, WF_E_STATE, "%s: there is a store already", path);
        else if (!is_ignored(e->d_name))
            rc = wf_fail(err, WF_E_STATE, "%s: the folder is not empty", path);
    }
    (void)closedir(dir);
    return rc;
}

static int remove_building(int folder, struct wf_error *err)
{
    static const char *const files[] = {BUILD_FOLDER "/" WF_DATA_FILE, BUILD_FOLDER "/lock.mdb"};
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        if (unlinkat(folder, files[i], 0) != 0 && errno != ENOENT)
            return wf_fail_errno(err, "remove " BUILD_FOLDER);
    }
    if (unlinkat(folder, BUILD_FOLDER, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return wf_fail_errno(err, "remove " BUILD_FOLDER);
    return 0;
}

static int put_row(MDB_txn *txn, MDB_dbi meta, const char *name, const struct wf_buf *value,
                   struct wf_error *err)
{
    if (value->failed)
        return wf_fail(err, WF_E_NOMEM, "create the store");
    MDB_val key = wf_mdb_val((struct wf_slice){(const uint8_t *)name, strlen(name)});
    MDB_val val = wf_mdb_val((struct wf_slice){value->ptr, value->len});
    int rc = mdb_put(txn, meta, &key, &val, 0);
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, "create the store");
}

static int put_first_rows(MDB_txn *txn, MDB_dbi table, const struct wf_rec_meta *meta,
                          struct wf_error *err)
{
    struct wf_buf buf = {0};
    static const struct wf_counts none;
    wf_number_pack(WF_STORE_FORMAT, &buf);
    int rc = put_row(txn, table, "format", &buf, err);
    wf_buf_clear(&buf);
    if (rc == 0)
        rc = wf_record_pack(WF_REC_meta, meta, &buf, err);
    if (rc == 0)
        rc = put_row(txn, table, "meta", &buf, err);
    wf_buf_clear(&buf);
    if (rc == 0)
        rc = wf_counts_pack(&none, &buf, err);
    if (rc == 0)
        rc = put_row(txn, table, "counters", &buf, err);
    wf_buf_fini(&buf);
    return rc;
}

/*
 * A table that becomes empty gives up its root page until the next transaction. Where rows come and
 * go within a batch that would cost a page each time (measured: eight times slower), so the tables
 * of passing rows keep one row for ever, at a place where no scan begins or ends.
 */
static const struct {
    enum wf_table table;
    uint8_t key;
} keepers[] = {
    {WF_TABLE_QUEUES, 0xff}, /* behind the last service */
    {WF_TABLE_TIMERS, 0xff},
    {WF_TABLE_TASKS, 0x00}, /* shorter than every id, hence before them */
    {WF_TABLE_TASK_ORDER, 0x00},
};

int wf_put_keepers(MDB_txn *txn, const MDB_dbi tables[WF_TABLE_COUNT], struct wf_error *err)
{
    for (size_t i = 0; i < WF_COUNT(keepers); i++) {
        MDB_val key = wf_mdb_val((struct wf_slice){&keepers[i].key, 1});
        MDB_val value = key;
        int rc = mdb_put(txn, tables[keepers[i].table], &key, &value, 0);
        if (rc != 0)
            return wf_lmdb_fail(err, rc, "create the store");
    }
    return 0;
}

static int fill(MDB_env *env, const struct wf_rec_meta *meta, struct wf_error *err)
{
    MDB_dbi tables[WF_TABLE_COUNT];
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(env, NULL, 0, &txn);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "create the store");
    for (size_t i = 0; i < WF_TABLE_COUNT && rc == 0; i++)
        rc = mdb_dbi_open(txn, wf_table_names[i], MDB_CREATE, &tables[i]);
    rc = rc == 0 ? put_first_rows(txn, tables[WF_TABLE_META], meta, err)
                 : wf_lmdb_fail(err, rc, "create the tables");
    if (rc == 0)
        rc = wf_put_keepers(txn, tables, err);
    if (rc < 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, "create the store: commit");
}

static int build(const char *path, const struct wf_rec_meta *meta,
                 const struct wf_store_options *options, struct wf_error *err)
{
    char place[PATH_MAX];
    MDB_env *env = NULL;
    (void)snprintf(place, sizeof(place), "%s/" BUILD_FOLDER, path);
    if (mkdir(place, FOLDER_MODE) != 0)
        return wf_fail_errno(err, place);
    int rc = wf_fault_pass("store.create.aside", err);
    if (rc == 0)
        rc = wf_env_new(options, &env, err);
    if (rc == 0)
        rc = wf_env_open(env, place, 0, err);
    if (rc == 0)
        rc = fill(env, meta, err);
    mdb_env_close(env);
    return rc == 0 ? wf_fault_pass("store.create.built", err) : rc;
}

static int put_in_place(int folder, struct wf_error *err)
{
    int rc = sync_path(folder, BUILD_FOLDER "/" WF_DATA_FILE, err);
    if (rc == 0)
        rc = sync_path(folder, BUILD_FOLDER, err);
    if (rc == 0)
        rc = wf_fault_pass("store.create.synced", err);
    if (rc == 0 && renameat(folder, BUILD_FOLDER "/" WF_DATA_FILE, folder, WF_DATA_FILE) != 0)
        rc = wf_fail_errno(err, "put the store in place");
    if (rc == 0)
        rc = wf_fault_pass("store.create.renamed", err);
    if (rc == 0 && fsync(folder) != 0)
        rc = wf_fail_errno(err, "sync the store's folder");
    return rc;
}

/* The lock makes a second creator wait, and then find a store. It ends with the process. */
static int create_locked(int folder, const char *path, const struct wf_rec_meta *meta,
                         const struct wf_store_options *options, struct wf_error *err)
{
    if (flock(folder, LOCK_EX) != 0)
        return wf_fail_errno(err, path);
    int rc = check_empty(path, err);
    if (rc == 0)
        rc = remove_building(folder, err);
    if (rc == 0)
        rc = build(path, meta, options, err);
    if (rc == 0)
        rc = put_in_place(folder, err);
    if (rc == 0)
        rc = remove_building(folder, err);
    else
        (void)remove_building(folder, NULL);
    return rc;
}

int wf_store_create(const char *path, const char *cell, const struct wf_clock *clock,
                    const struct wf_store_options *options, struct wf_error *err)
{
    struct wf_store_options used = {0};
    if (options != NULL)
        used = *options;
    if (used.map_bytes == 0)
        used.map_bytes = DEFAULT_MAP;
    const struct wf_rec_meta meta = {.format = WF_STORE_FORMAT,
                                     .cell = wf_str(cell),
                                     .created = wf_real_ms(),
                                     .clock_real = clock != NULL ? clock->origin_real_ms : 0,
                                     .clock_business =
                                         clock != NULL ? clock->origin_business_ms : 0,
                                     .clock_rate = clock != NULL ? clock->rate : 1};
    int rc = make_folder(path, err);
    if (rc == 0)
        rc = wf_fault_pass("store.create.folder", err);
    if (rc == 0)
        rc = wf_check_local_fs(path, err);
    if (rc < 0)
        return rc;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return wf_fail_errno(err, path);
    rc = create_locked(folder, path, &meta, &used, err);
    (void)close(folder);
    return rc;
}

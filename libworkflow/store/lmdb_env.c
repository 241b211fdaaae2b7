/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LMDB environment of a process: opening, checking, space, readers, and the one translation of
 * its error codes.
 *
 * Refused: WRITEMAP (a full disk would end the process by SIGBUS and stray pointers reach the
 * file), NOSYNC and NOMETASYNC (acknowledged commits would be lost at a power cut), NOMEMINIT
 * (heap content would get into the file), DUPSORT tables (faulty deletes in LMDB 0.9.24).
 * The data file is never opened by hand after LMDB has it: closing any descriptor of it would drop
 * LMDB's locks. Hence stat(), not open().
 */
#include "store/env.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

#define DEFAULT_MIN_FREE    ((uint64_t)64 * 1024 * 1024)
#define DEFAULT_MAX_READERS 128
#define STOP_PERCENT        80 /* of the map: intake stops, what is under way goes on */
#define RESERVE             16 /* one part in so many is kept for deletes */
#define OPEN_TRIES          10
#define FILE_MODE           0600

static struct wf_store *open_stores;

/* ---- errors ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    int lmdb;
    int code;
} translations[] = {
    {MDB_MAP_FULL,         WF_E_FULL},
    {MDB_TXN_FULL,         WF_E_FULL},
    {ENOSPC,               WF_E_FULL},
    {EDQUOT,               WF_E_FULL},
    {ENOMEM,               WF_E_NOMEM},
    {MDB_READERS_FULL,     WF_E_BUSY},
    {MDB_MAP_RESIZED,      WF_E_BUSY},
    {EAGAIN,               WF_E_BUSY},
    {EBUSY,                WF_E_BUSY},
    {EINTR,                WF_E_BUSY},
    {ENOENT,               WF_E_NOT_FOUND},
    {ENOTDIR,              WF_E_NOT_FOUND},
    {MDB_CORRUPTED,        WF_E_CORRUPT},
    {MDB_PAGE_NOTFOUND,    WF_E_CORRUPT},
    {MDB_PAGE_FULL,        WF_E_CORRUPT},
    {MDB_CURSOR_FULL,      WF_E_CORRUPT},
    {MDB_INVALID,          WF_E_CORRUPT},
    {MDB_VERSION_MISMATCH, WF_E_VERSION},
    {MDB_BAD_VALSIZE,      WF_E_INVALID},
    {MDB_KEYEXIST,         WF_E_CONFLICT},
    {MDB_BAD_TXN,          WF_E_INTERNAL},
    {MDB_BAD_DBI,          WF_E_INTERNAL},
    {MDB_BAD_RSLOT,        WF_E_INTERNAL},
    {MDB_INCOMPATIBLE,     WF_E_INTERNAL},
    {MDB_DBS_FULL,         WF_E_INTERNAL},
    {EINVAL,               WF_E_INTERNAL},
};
/* clang-format on */

int wf_lmdb_fail(struct wf_error *err, int lmdb_rc, const char *doing)
{
    int code = WF_E_IO; /* every other errno, and MDB_PANIC */
    for (size_t i = 0; i < WF_COUNT(translations); i++) {
        if (translations[i].lmdb == lmdb_rc)
            code = translations[i].code;
    }
    return wf_fail(err, code, "%s: %s", doing, mdb_strerror(lmdb_rc));
}

/* ---- file systems ---------------------------------------------------------------------------- */

/* Those of <linux/magic.h> of Debian 12, and numbers that it lacks. */
static const struct {
    unsigned long type;
    const char *name;
} network_fs[] = {
    {NFS_SUPER_MAGIC, "NFS"},    {SMB_SUPER_MAGIC, "SMB"},   {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},        {V9FS_MAGIC, "9P"},         {0x65735546, "FUSE"},
    {CODA_SUPER_MAGIC, "Coda"},  {AFS_SUPER_MAGIC, "AFS"},   {0x00c36400, "Ceph"},
    {OCFS2_SUPER_MAGIC, "OCFS"}, {0x01161970, "GFS2"},       {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"},        {NCP_SUPER_MAGIC, "NCPFS"}, {0x19830326, "BeeGFS"},
};

static const char *network_fs_name(unsigned long type)
{
    for (size_t i = 0; i < WF_COUNT(network_fs); i++) {
        if (network_fs[i].type == type)
            return network_fs[i].name;
    }
    return NULL;
}

bool wf_is_network_fs(unsigned long type)
{
    return network_fs_name(type) != NULL;
}

int wf_check_local_fs(const char *path, struct wf_error *err)
{
    struct statfs fs;
    if (statfs(path, &fs) != 0)
        return wf_lmdb_fail(err, errno, path);
    /* The kernel's number has 32 bits; f_type is signed and may have been widened. */
    unsigned long type = (unsigned long)fs.f_type & 0xffffffffUL;
    if (wf_is_network_fs(type))
        return wf_fail(err, WF_E_CONFIG,
                       "%s: lies on a %s file system, where locks and shared memory do not hold: "
                       "use a local disk",
                       path, network_fs_name(type));
    return 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

int wf_env_new(const struct wf_store_options *options, MDB_env **out, struct wf_error *err)
{
    MDB_env *env = NULL;
    int rc = mdb_env_create(&env);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(env, WF_TABLE_COUNT);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(env, options->max_readers > 0 ? options->max_readers
                                                                  : DEFAULT_MAX_READERS);
    if (rc == 0 && options->map_bytes > 0)
        rc = mdb_env_set_mapsize(env, (size_t)options->map_bytes);
    if (rc != 0) {
        mdb_env_close(env);
        return wf_lmdb_fail(err, rc, "prepare the store");
    }
    *out = env;
    return 0;
}

static int replaced(const char *path, struct wf_error *err)
{
    return wf_fail(err, WF_E_BUSY, "%s: the store was replaced meanwhile", path);
}

/* As aside.c leaves it where it was killed. */
static bool is_lock_spoilt(const char *path)
{
    char name[PATH_MAX];
    uint32_t magic = 1;
    int n = snprintf(name, sizeof(name), "%s/" WF_LOCK_FILE, path);
    int fd = n > 0 && (size_t)n < sizeof(name) ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    bool spoilt =
        fd >= 0 && read(fd, &magic, sizeof(magic)) == (ssize_t)sizeof(magic) && magic == 0;
    if (fd >= 0)
        (void)close(fd);
    return spoilt;
}

/* Another process that opens or closes at this moment holds the lock file for an instant. */
int wf_env_open(MDB_env *env, const char *path, unsigned flags, struct wf_error *err)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    int rc = EAGAIN;
    for (int i = 0; i < OPEN_TRIES && (rc == EAGAIN || rc == EBUSY || rc == EINTR); i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        rc = mdb_env_open(env, path, flags | MDB_NOTLS, FILE_MODE);
    }
    if (rc == EACCES || rc == EPERM || rc == EROFS)
        return wf_fail(err, WF_E_IO, "%s: no right to write the folder and its files", path);
    if (rc == MDB_INVALID && is_lock_spoilt(path))
        return replaced(path, err);
    if (rc == MDB_INVALID)
        return wf_fail(err, WF_E_CORRUPT, "%s: " WF_DATA_FILE " is not a store, or damaged", path);
    return rc == 0 ? wf_check_whole(env, path, err) : wf_lmdb_fail(err, rc, path);
}

/* LMDB would make a new, empty store where the file is missing or empty. */
static int check_data_file(const char *path, struct wf_error *err)
{
    char name[PATH_MAX];
    struct stat st;
    int n = snprintf(name, sizeof(name), "%s/" WF_DATA_FILE, path);
    if (n < 0 || (size_t)n >= sizeof(name))
        return wf_fail(err, WF_E_CONFIG, "the path of the store is too long");
    if (stat(name, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return wf_fail(err, WF_E_NOT_FOUND, "%s: no store there; create it first", path);
    if (stat(name, &st) != 0)
        return wf_lmdb_fail(err, errno, name);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return wf_fail(err, WF_E_CORRUPT, "%s: not a store: an empty or special file", name);
    return 0;
}

static int check_opened_once(struct wf_store *store, const char *path, struct wf_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return wf_lmdb_fail(err, errno, path);
    for (const struct wf_store *other = open_stores; other != NULL; other = other->next) {
        if (other->pid == store->pid && other->device == st.st_dev && other->folder == st.st_ino)
            return wf_fail(err, WF_E_STATE, "%s: already open in this process", path);
    }
    store->device = st.st_dev;
    store->folder = st.st_ino;
    return 0;
}

/* The number has a row of its own, so that a later format may change the meta record itself. */
static int check_format(struct wf_store *store, MDB_txn *mdb, bool older, struct wf_error *err)
{
    struct wf_txn peek = {.store = store, .mdb = mdb};
    struct wf_key key;
    uint64_t format = 0;
    wf_key_start(&key);
    wf_key_text(&key, wf_str("format"));
    int rc = wf_txn_get_number(&peek, WF_TABLE_META, &key, &format, err);
    if (rc == WF_NONE)
        return wf_fail(err, WF_E_VERSION, "%s: made by another program", store->path);
    if (rc < 0 || format == WF_STORE_FORMAT || (older && format < WF_STORE_FORMAT))
        return rc;
    return wf_fail(err, WF_E_VERSION, "%s: the store has format %" PRIu64 ", this release %d: %s",
                   store->path, format, WF_STORE_FORMAT,
                   format < WF_STORE_FORMAT ? "run `hoso upgrade`"
                                            : "use the release of hoso that made it");
}

static int open_tables_in(struct wf_store *store, MDB_txn *txn, bool older, struct wf_error *err)
{
    int rc = mdb_dbi_open(txn, wf_table_names[WF_TABLE_META], 0, &store->tables[WF_TABLE_META]);
    if (rc == 0 && (rc = check_format(store, txn, older, err)) < 0)
        return rc;
    for (size_t i = 0; i < WF_TABLE_COUNT && rc == 0; i++)
        rc = mdb_dbi_open(txn, wf_table_names[i], older ? MDB_CREATE : 0, &store->tables[i]);
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
        return wf_fail(err, WF_E_VERSION, "%s: made by another program or release", store->path);
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, "open the tables");
}

/* Older: makes the tables that an older format lacks. */
static int open_tables(struct wf_store *store, bool older, struct wf_error *err)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(store->env, NULL, older ? 0 : MDB_RDONLY, &txn);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "open the tables");
    rc = open_tables_in(store, txn, older, err);
    if (rc < 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_commit(txn); /* makes the handles last */
    return rc == 0 ? 0 : wf_lmdb_fail(err, rc, "open the tables");
}

static int read_meta(struct wf_store *store, struct wf_error *err)
{
    struct wf_key key;
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(store, false, &txn, err);
    if (rc < 0)
        return rc;
    wf_key_start(&key);
    wf_key_text(&key, wf_str("meta"));
    rc = wf_txn_get_record(txn, WF_TABLE_META, &key, WF_REC_meta, store->arena, &store->meta, err);
    if (rc == WF_NONE)
        rc = wf_fail(err, WF_E_VERSION, "%s: made by another program", store->path);
    wf_txn_abort(txn);
    return rc;
}

static void free_store(struct wf_store *store)
{
    if (store == NULL)
        return;
    wf_txn_drop_idle(store->idle[0]);
    wf_txn_drop_idle(store->idle[1]);
    /* In a child of the opener, closing would give up the opener's reader slots. */
    if (store->pid == getpid())
        mdb_env_close(store->env);
    wf_arena_free(store->arena);
    wf_buf_fini(&store->seen_row);
    wf_free(store->path);
    wf_free(store);
}

/* So that a later chdir does no harm. */
static int make_absolute(struct wf_store *store, struct wf_error *err)
{
    char full[PATH_MAX];
    if (realpath(store->path, full) == NULL)
        return wf_lmdb_fail(err, errno, store->path);
    char *copy = wf_strdup(full);
    if (copy == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the store");
    wf_free(store->path);
    store->path = copy;
    return 0;
}

/* LMDB opens the file to read before it waits for the lock that an upgrade holds: by then another
 * file may be in its place, and what was opened would be the store of the past, for ever. */
static int check_in_place(const struct wf_store *store, struct wf_error *err)
{
    char name[PATH_MAX];
    struct stat opened;
    struct stat placed;
    mdb_filehandle_t fd = -1;
    (void)snprintf(name, sizeof(name), "%.*s/" WF_DATA_FILE, PATH_MAX - 20, store->path);
    int rc = mdb_env_get_fd(store->env, &fd);
    if (rc != 0 || fstat(fd, &opened) != 0 || stat(name, &placed) != 0)
        return wf_lmdb_fail(err, rc != 0 ? rc : errno, name);
    return opened.st_dev == placed.st_dev && opened.st_ino == placed.st_ino
               ? 0
               : replaced(store->path, err);
}

static int open_env(struct wf_store *store, struct wf_error *err)
{
    int rc = check_data_file(store->path, err);
    if (rc == 0)
        rc = make_absolute(store, err);
    if (rc == 0)
        rc = wf_check_local_fs(store->path, err);
    if (rc == 0)
        rc = check_opened_once(store, store->path, err);
    if (rc == 0)
        rc = wf_env_new(&store->options, &store->env, err);
    if (rc == 0)
        rc = wf_env_open(store->env, store->path, store->options.read_only ? MDB_RDONLY : 0, err);
    return rc == 0 ? check_in_place(store, err) : rc;
}

static int open_store(const char *path, const struct wf_store_options *options, bool older,
                      struct wf_store **out, struct wf_error *err)
{
    int rc = WF_FAULT("store.open");
    if (rc < 0)
        return wf_fail(err, rc, "open the store: fault point");
    struct wf_store *store = wf_alloc(sizeof(*store));
    if (store == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the store");
    store->pid = getpid();
    store->writes = &wf_lmdb_writes;
    if (options != NULL)
        store->options = *options;
    store->path = wf_strdup(path);
    store->arena = wf_arena_new(0);
    if (store->path == NULL || store->arena == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "open the store");
    if (rc == 0)
        rc = open_env(store, err);
    if (rc == 0)
        rc = open_tables(store, older, err);
    if (rc == 0)
        rc = read_meta(store, err);
    if (rc == 0 && !store->options.read_only)
        rc = wf_store_clear_readers(store, NULL, err);
    if (rc < 0) {
        free_store(store);
        return rc;
    }
    store->next = open_stores;
    open_stores = store;
    *out = store;
    return 0;
}

int wf_store_open(const char *path, const struct wf_store_options *options, struct wf_store **out,
                  struct wf_error *err)
{
    return open_store(path, options, false, out, err);
}

int wf_store_open_older(const char *path, const struct wf_store_options *options,
                        struct wf_store **out, struct wf_error *err)
{
    return open_store(path, options, true, out, err);
}

void wf_store_close(struct wf_store *store)
{
    for (struct wf_store **at = &open_stores; *at != NULL; at = &(*at)->next) {
        if (*at == store) {
            *at = store->next;
            break;
        }
    }
    free_store(store);
}

void wf_store_set_writes(struct wf_store *store, const struct wf_writes *writes)
{
    store->writes = writes != NULL ? writes : &wf_lmdb_writes;
}

const struct wf_rec_meta *wf_store_meta(const struct wf_store *store)
{
    return &store->meta;
}

struct wf_clock wf_txn_clock(const struct wf_txn *txn)
{
    return wf_store_clock(txn->store);
}

struct wf_clock wf_store_clock(const struct wf_store *store)
{
    return (struct wf_clock){store->meta.clock_real, store->meta.clock_business,
                             store->meta.clock_rate};
}

/* ---- readers and space ------------------------------------------------------------------------
 */

int wf_store_clear_readers(struct wf_store *store, int *out_cleared, struct wf_error *err)
{
    int cleared = 0;
    int rc = mdb_reader_check(store->env, &cleared);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "clear dead readers");
    if (out_cleared != NULL)
        *out_cleared = cleared;
    return 0;
}

struct readers {
    unsigned lines;
    size_t oldest; /* transaction that a snapshot stands at; SIZE_MAX = none is open */
};

/* "pid thread txnid", the last "-" where the slot has no snapshot; the first line is a heading. */
static int take_line(const char *line, void *context)
{
    struct readers *readers = context;
    const char *last = strrchr(line, ' ');
    char *end = NULL;
    unsigned long long at = last != NULL ? strtoull(last + 1, &end, 10) : 0;
    if (readers->lines++ > 0 && last != NULL && end > last + 1 && at < readers->oldest)
        readers->oldest = (size_t)at;
    return 0;
}

static void read_readers(MDB_env *env, struct wf_store_space *space)
{
    struct readers readers = {.oldest = SIZE_MAX};
    MDB_envinfo info;
    (void)mdb_reader_list(env, take_line, &readers);
    space->readers = readers.lines > 0 ? readers.lines - 1 : 0;
    if (mdb_env_info(env, &info) == 0 && readers.oldest < info.me_last_txnid)
        space->oldest_reader = info.me_last_txnid - readers.oldest;
}

/* Pages that the file has come to so far, used or free, out of *out_limit. */
static int env_pages(MDB_env *env, uint64_t *out, uint64_t *out_limit)
{
    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_info(env, &info);
    if (rc == 0)
        rc = mdb_env_stat(env, &stat);
    if (rc != 0)
        return rc;
    *out = info.me_last_pgno + 1;
    *out_limit = info.me_mapsize / stat.ms_psize;
    return 0;
}

/* Pages in use, out of *out_limit. Each row of LMDB's free list starts with its number of pages. */
static int count_pages(MDB_env *env, MDB_txn *txn, uint64_t *out_used, uint64_t *out_limit)
{
    const MDB_dbi free_list = 0;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    uint64_t pages = 0;
    uint64_t made = 0;
    int rc = env_pages(env, &made, out_limit);
    if (rc == 0)
        rc = mdb_cursor_open(txn, free_list, &cursor);
    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        size_t n = 0;
        memcpy(&n, value.mv_data, value.mv_size < sizeof(n) ? 0 : sizeof(n));
        pages += n;
    }
    mdb_cursor_close(cursor);
    *out_used = made > pages ? made - pages : 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

bool wf_env_is_tight(MDB_env *env)
{
    MDB_txn *reader = NULL; /* LMDB shows the free list to readers only */
    uint64_t pages = 0;
    uint64_t limit = 0;
    if (env_pages(env, &pages, &limit) != 0 || pages <= limit - limit / RESERVE)
        return false; /* as a rule: no need to look through the free list */
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &reader) != 0)
        return false;
    int rc = count_pages(env, reader, &pages, &limit);
    mdb_txn_abort(reader);
    return rc == 0 && pages > limit - limit / RESERVE;
}

static int read_space(struct wf_store *store, MDB_txn *txn, struct wf_store_space *space)
{
    MDB_stat stat;
    uint64_t used = 0;
    uint64_t limit = 0;
    int rc = count_pages(store->env, txn, &used, &limit);
    if (rc == 0)
        rc = mdb_env_stat(store->env, &stat);
    if (rc != 0)
        return rc;
    space->map_bytes = limit * stat.ms_psize;
    space->used_bytes = used * stat.ms_psize;
    return 0;
}

static int read_disk(const struct wf_store *store, struct wf_store_space *space,
                     struct wf_error *err)
{
    char name[PATH_MAX];
    struct stat st;
    struct statfs fs;
    (void)snprintf(name, sizeof(name), "%s/" WF_DATA_FILE, store->path);
    if (stat(name, &st) != 0 || statfs(name, &fs) != 0)
        return wf_lmdb_fail(err, errno, "ask for free space");
    space->file_bytes = (uint64_t)st.st_size;
    space->disk_free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
    return 0;
}

int wf_store_space(struct wf_store *store, struct wf_store_space *out, struct wf_error *err)
{
    struct wf_store_space space = {0};
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(store, false, &txn, err);
    if (rc < 0)
        return rc;
    rc = read_space(store, txn->mdb, &space);
    wf_txn_abort(txn);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "measure the store");
    rc = read_disk(store, &space, err);
    if (rc < 0)
        return rc;
    uint64_t floor =
        store->options.min_free_bytes > 0 ? store->options.min_free_bytes : DEFAULT_MIN_FREE;
    read_readers(store->env, &space);
    space.stop_bytes = space.map_bytes / 100 * STOP_PERCENT;
    space.disk_floor_bytes = floor;
    space.used_percent = (unsigned)(space.used_bytes * 100 / space.map_bytes);
    space.intake_stopped = space.used_percent >= STOP_PERCENT || space.disk_free_bytes < floor;
    *out = space;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archiver: changes go from the store's table to files. Append, sync, delete from the table, in
 * this order; after a kill between any two, the number of the last change in the folder tells which
 * rows are there already, and what is half a change at the end of the last file is cut off: its row
 * is still in the table.
 */
#include "store/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/aside.h"

#define LOCK_NAME  "archive.lock"
#define FILE_BYTES ((uint64_t)16 << 20) /* a file that has come to it is followed by another */
#define MOVE_BYTES ((size_t)4 << 20)    /* of changes in one go */
#define DROP_MOST  10000                /* rows deleted in one transaction */

struct wf_archive {
    struct wf_store *store;
    char folder[PATH_MAX - 64];
    int lock_fd, fd; /* fd: of the last file, -1 = none yet */
    uint64_t size;   /* of the last file */
    bool has_any;    /* the folder holds changes, up to: */
    uint64_t seq;
    uint8_t hash[WF_HASH_BYTES];
    struct wf_buf buf;
};

static void path_of(const struct wf_archive *a, const char *name, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s", a->folder, name);
}

/* ---- what waits in the store ----------------------------------------------------------------- */

static void number_key(struct wf_key *key, uint64_t number)
{
    wf_key_start(key);
    wf_key_u64(key, number);
}

/* The first change at or after `from`; WF_NONE when there is none. */
static int first_waiting(struct wf_txn *txn, uint64_t from, struct wf_change *out,
                         struct wf_slice *out_bytes, struct wf_error *err)
{
    struct wf_key key;
    number_key(&key, from);
    int rc = wf_txn_seek(txn, WF_TABLE_CHANGES, &key, 0, out_bytes, err);
    if (rc == 0)
        rc = wf_change_read(*out_bytes, out, err);
    if (rc == 0 && (key.len != 8 || wf_u64_load(key.bytes) != out->seq))
        rc = wf_fail(err, WF_E_CORRUPT, "a change lies under a number not its own");
    return rc < 0 ? wf_wrap(err, "changes") : rc;
}

int wf_archive_state(struct wf_txn *txn, struct wf_archive_state *out, struct wf_error *err)
{
    struct wf_archive_state state = {0};
    struct wf_change first;
    struct wf_slice bytes;
    int rc = txn->write ? 0 : wf_changes_load(txn, err);
    if (rc == 0)
        rc = wf_txn_entries(txn, WF_TABLE_CHANGES, &state.waiting, err);
    if (rc < 0)
        return rc;
    state.is_on = txn->changes.is_on;
    state.seq = txn->changes.seq;
    memcpy(state.hash, txn->changes.hash, WF_HASH_BYTES);
    rc = state.waiting > 0 ? first_waiting(txn, 0, &first, &bytes, err) : WF_NONE;
    if (rc < 0)
        return rc;
    state.since_ms = rc == 0 ? first.real_ms : 0;
    *out = state;
    return 0;
}

/* Deletes changes up to `seq`; *out_more where some are left of them. */
static int drop_some(struct wf_store *store, uint64_t seq, bool switch_off, bool *out_more,
                     struct wf_error *err)
{
    struct wf_txn *txn = NULL;
    struct wf_key key;
    struct wf_slice value;
    int n = 0;
    int rc = wf_txn_begin(store, true, &txn, err);
    if (rc < 0)
        return rc;
    wf_changes_pause(txn);
    for (; rc == 0 && n < DROP_MOST; n++) {
        number_key(&key, 0);
        rc = wf_txn_seek(txn, WF_TABLE_CHANGES, &key, 0, &value, err);
        if (rc == 0 && (key.len != 8 || wf_u64_load(key.bytes) > seq))
            rc = WF_NONE;
        if (rc == 0)
            rc = wf_txn_must_del(txn, WF_TABLE_CHANGES, &key, err);
    }
    *out_more = rc == 0;
    struct wf_changes_head head = txn->changes;
    head.is_on = false;
    if (rc >= 0 && switch_off && txn->changes.is_on)
        rc = wf_changes_put_head(txn, &head, err);
    if (rc >= 0)
        return wf_txn_commit(txn, err);
    wf_txn_abort(txn);
    return rc;
}

static int drop(struct wf_store *store, uint64_t seq, bool switch_off, struct wf_error *err)
{
    bool more = true;
    int rc = 0;
    while (rc == 0 && more)
        rc = drop_some(store, seq, switch_off, &more, err);
    return rc;
}

int wf_archive_switch_off(struct wf_store *store, struct wf_error *err)
{
    return drop(store, UINT64_MAX, true, err);
}

/* ---- the folder, as it is found -------------------------------------------------------------- */

static int take_folder(struct wf_archive *a, struct wf_error *err)
{
    char path[PATH_MAX];
    if (mkdir(a->folder, 0700) != 0 && errno != EEXIST)
        return wf_fail(err, WF_E_CONFIG, "archive %s: %s", a->folder, strerror(errno));
    path_of(a, LOCK_NAME, path);
    a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->lock_fd < 0)
        return wf_fail(err, WF_E_CONFIG, "archive %s: %s", path, strerror(errno));
    if (flock(a->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return wf_fail(err, WF_E_STATE, "archive %s: another archiver has it", a->folder);
    return 0;
}

/* Reads the last file through, and cuts off what is no whole change. */
static int take_last(struct wf_archive *a, uint64_t first, struct wf_error *err)
{
    struct wf_archive_file file;
    struct wf_change change;
    char path[PATH_MAX];
    int rc = wf_archive_load(a->folder, first, true, &file, err);
    if (rc < 0)
        return rc;
    path_of(a, file.name, path);
    if (rc == WF_NONE) /* a crash came before its head was whole */
        return unlink(path) == 0 ? WF_NONE : wf_fail_errno(err, path);
    while (rc == 0)
        rc = wf_archive_next(&file, &change, err);
    if (rc == WF_NONE && !wf_str_is(wf_store_meta(a->store)->cell, file.head.cell))
        rc = wf_fail(err, WF_E_STATE, "archive %s: is of cell \"%s\"", a->folder, file.head.cell);
    if (rc == WF_NONE) {
        a->fd = open(path, O_WRONLY | O_CLOEXEC);
        rc = a->fd < 0 || ftruncate(a->fd, (off_t)file.at) != 0 || fsync(a->fd) != 0
                 ? wf_fail_errno(err, path)
                 : 0;
    }
    a->has_any = true;
    a->size = file.at;
    a->seq = file.seq;
    memcpy(a->hash, file.hash, WF_HASH_BYTES);
    wf_archive_unload(&file);
    return rc;
}

static int find_end(struct wf_archive *a, struct wf_error *err)
{
    uint64_t *files = NULL;
    size_t n = 0;
    int rc = wf_archive_list(a->folder, &files, &n, err);
    if (rc < 0)
        return rc;
    rc = WF_NONE;
    for (; n > 0 && rc == WF_NONE; n--)
        rc = take_last(a, files[n - 1], err);
    wf_free(files);
    return rc == WF_NONE ? 0 : rc;
}

static int other_history(const struct wf_archive *a, uint64_t seq, struct wf_error *err)
{
    return wf_fail(err, WF_E_STATE,
                   "archive %s: ends with change %" PRIu64 ", which is not this store's (it is at "
                   "%" PRIu64 "): name an empty folder and make a backup",
                   a->folder, a->seq, seq);
}

/*
 * Does the store go on where the folder ends? An empty folder fits always: a backup from now on has
 * all it needs in it.
 */
static int check_fits(const struct wf_archive *a, struct wf_txn *txn, struct wf_error *err)
{
    struct wf_archive_state state;
    struct wf_change next;
    struct wf_slice bytes;
    int rc = wf_archive_state(txn, &state, err);
    if (rc < 0 || !a->has_any)
        return rc;
    if (a->seq >= state.seq) /* all of it is there: the heads must be the same */
        return a->seq == state.seq && memcmp(a->hash, state.hash, WF_HASH_BYTES) == 0
                   ? 0
                   : other_history(a, state.seq, err);
    rc = first_waiting(txn, a->seq + 1, &next, &bytes, err);
    if (rc < 0)
        return rc;
    if (rc == WF_NONE || next.seq != a->seq + 1 || memcmp(next.before, a->hash, WF_HASH_BYTES) != 0)
        return other_history(a, state.seq, err);
    return 0;
}

/* Checks and, where recording is off, starts it. */
static int start(struct wf_archive *a, struct wf_error *err)
{
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(a->store, true, &txn, err);
    if (rc < 0)
        return rc;
    rc = check_fits(a, txn, err);
    if (rc == 0 && !txn->changes.is_on)
        rc = wf_changes_start(txn, err);
    if (rc == 0)
        return wf_txn_commit(txn, err);
    wf_txn_abort(txn);
    return rc;
}

int wf_archive_open(struct wf_store *store, const char *folder, struct wf_archive **out,
                    struct wf_error *err)
{
    struct wf_archive *a = wf_alloc(sizeof(*a));
    if (a == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the archive");
    *a = (struct wf_archive){.store = store, .lock_fd = -1, .fd = -1};
    int rc = wf_str_copy(wf_str(folder), a->folder, sizeof(a->folder))
                 ? take_folder(a, err)
                 : wf_fail(err, WF_E_CONFIG, "the path of the archive is too long");
    if (rc == 0)
        rc = find_end(a, err);
    if (rc == 0)
        rc = start(a, err);
    if (rc < 0) {
        wf_archive_close(a);
        return rc;
    }
    *out = a;
    return 0;
}

void wf_archive_close(struct wf_archive *archive)
{
    if (archive == NULL)
        return;
    if (archive->fd >= 0)
        (void)close(archive->fd);
    if (archive->lock_fd >= 0)
        (void)close(archive->lock_fd);
    wf_buf_fini(&archive->buf);
    wf_free(archive);
}

/* ---- moving ---------------------------------------------------------------------------------- */

/* How far a go has come; taken over when it is on disk. */
struct go {
    size_t n;
    uint64_t first, seq;
    uint8_t before[WF_HASH_BYTES]; /* of the first */
    uint8_t hash[WF_HASH_BYTES];
};

static int collect_one(struct wf_archive *a, struct go *go, struct wf_slice bytes,
                       struct wf_error *err)
{
    struct wf_change change;
    uint8_t length[4];
    int rc = wf_change_read(bytes, &change, err);
    if (rc < 0)
        return wf_wrap(err, "changes: after %" PRIu64, go->seq);
    bool is_first = go->n == 0 && !a->has_any;
    if (!is_first &&
        (change.seq != go->seq + 1 || memcmp(change.before, go->hash, WF_HASH_BYTES) != 0))
        return wf_fail(err, WF_E_CORRUPT, "changes: %" PRIu64 " does not follow %" PRIu64,
                       change.seq, go->seq);
    for (unsigned i = 0; i < sizeof(length); i++)
        length[i] = (uint8_t)(bytes.len >> (24 - 8 * i));
    wf_buf_add(&a->buf, length, sizeof(length));
    wf_buf_add(&a->buf, bytes.ptr, bytes.len);
    if (go->n++ == 0) {
        go->first = change.seq;
        memcpy(go->before, change.before, WF_HASH_BYTES);
    }
    go->seq = change.seq;
    memcpy(go->hash, change.hash, WF_HASH_BYTES);
    return 0;
}

static int collect(struct wf_archive *a, struct go *go, struct wf_error *err)
{
    struct wf_txn *txn = NULL;
    struct wf_rows rows;
    struct wf_slice value;
    struct wf_key from;
    number_key(&from, a->has_any ? a->seq + 1 : 0);
    wf_buf_clear(&a->buf);
    int rc = wf_txn_begin(a->store, false, &txn, err);
    if (rc < 0)
        return rc;
    rc = wf_rows_open(txn, WF_TABLE_CHANGES, &from, 0, &rows, err);
    if (rc == 0) {
        while (a->buf.len < MOVE_BYTES && (rc = wf_rows_next(&rows, &value, err)) == 0 &&
               (rc = collect_one(a, go, value, err)) == 0) {
        }
        wf_rows_close(&rows);
    }
    wf_txn_abort(txn);
    if (rc >= 0 && a->buf.failed)
        rc = wf_fail(err, WF_E_NOMEM, "archive: out of memory");
    return rc < 0 ? rc : 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, bytes, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        bytes += done;
        n -= (size_t)done;
        at += (uint64_t)done;
    }
    return 0;
}

static int new_file(struct wf_archive *a, const struct go *go, struct wf_error *err)
{
    struct wf_archive_head head = {.format = WF_STORE_FORMAT, .first = go->first};
    uint8_t bytes[WF_ARCHIVE_HEAD];
    char name[40];
    char path[PATH_MAX];
    memcpy(head.before, go->before, WF_HASH_BYTES);
    (void)wf_str_copy(wf_store_meta(a->store)->cell, head.cell, sizeof(head.cell));
    wf_archive_pack_head(&head, bytes);
    wf_archive_name(go->first, name);
    path_of(a, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return wf_fail_errno(err, path);
    if (write_all(fd, bytes, sizeof(bytes), 0) != 0) {
        int rc = wf_fail_errno(err, path);
        (void)close(fd);
        (void)unlink(path);
        return rc;
    }
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = fd;
    a->size = sizeof(bytes);
    return wf_sync_path(a->folder, err);
}

static int append(struct wf_archive *a, const struct go *go, struct wf_error *err)
{
    int rc = a->fd < 0 || a->size >= FILE_BYTES ? new_file(a, go, err) : 0;
    if (rc < 0)
        return rc;
    if (write_all(a->fd, a->buf.ptr, a->buf.len, a->size) != 0)
        return wf_fail_errno(err, "archive"); /* the next go writes over it */
    rc = wf_fault_pass("archive.written", err);
    if (rc == 0 && fsync(a->fd) != 0)
        rc = wf_fail_errno(err, "archive: sync");
    if (rc < 0)
        return rc;
    a->size += a->buf.len;
    a->has_any = true;
    a->seq = go->seq;
    memcpy(a->hash, go->hash, WF_HASH_BYTES);
    return wf_fault_pass("archive.synced", err);
}

int wf_archive_move(struct wf_archive *archive, size_t *out_moved, struct wf_error *err)
{
    struct go go = {.seq = archive->seq};
    memcpy(go.hash, archive->hash, WF_HASH_BYTES);
    int rc = collect(archive, &go, err);
    if (rc == 0 && go.n > 0)
        rc = append(archive, &go, err);
    if (rc == 0)
        rc = drop(archive->store, archive->seq, false, err);
    if (rc == 0)
        *out_moved = go.n;
    return rc;
}

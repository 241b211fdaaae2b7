/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of a store, and making it compact.
 *
 * compact holds LMDB's own "somebody has it open" lock (byte 0 of the lock file) for itself, so
 * that nobody can open the store meanwhile: who tries waits. The store is therefore read without
 * LMDB's locks. The lock file also holds the number of the last transaction, and the copy begins to
 * count anew: after the swap LMDB itself writes the file anew, before those who wait are let in.
 * Removing it instead would leave them with a lock file of their own, and two writers at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/env.h"

#define LOCK_FILE      "lock.mdb"
#define COMPACT_FOLDER ".compact"

static int io_fail(struct wf_error *err, const char *doing)
{
    return wf_fail(err, errno == ENOSPC || errno == EDQUOT ? WF_E_FULL : WF_E_IO, "%s: %s", doing,
                   strerror(errno));
}

static int path_of(char out[PATH_MAX], const char *folder, const char *name, struct wf_error *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX ? 0 : wf_fail(err, WF_E_CONFIG, "the store's path is too long");
}

static int sync_one(const char *path, struct wf_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_fail(err, path);
    int rc = fsync(fd) == 0 ? 0 : io_fail(err, path);
    (void)close(fd);
    return rc;
}

static int copy_env(MDB_env *env, const char *to, struct wf_error *err)
{
    char file[PATH_MAX];
    int rc = path_of(file, to, WF_DATA_FILE, err);
    if (rc < 0)
        return rc;
    int lmdb_rc = mdb_env_copy2(env, to, MDB_CP_COMPACT);
    if (lmdb_rc == MDB_INCOMPATIBLE)
        return wf_fail(err, WF_E_CORRUPT, "copy the store: pages are lost or used twice");
    if (lmdb_rc != 0)
        return wf_lmdb_fail(err, lmdb_rc, "copy the store");
    rc = sync_one(file, err);
    return rc == 0 ? sync_one(to, err) : rc;
}

int wf_store_copy(struct wf_store *store, const char *to, struct wf_error *err)
{
    return copy_env(store->env, to, err);
}

/* ---- compact --------------------------------------------------------------------------------- */

struct compact {
    const char *path;
    char data[PATH_MAX], lock[PATH_MAX], place[PATH_MAX], new_data[PATH_MAX], new_lock[PATH_MAX];
    int lock_fd;
};

static int size_of(const char *path, uint64_t *out, struct wf_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? wf_fail(err, WF_E_NOT_FOUND, "%s: no store there", path)
                               : io_fail(err, path);
    *out = (uint64_t)st.st_size;
    return 0;
}

static int take_lock(struct compact *c, struct wf_error *err)
{
    struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    c->lock_fd = open(c->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock_fd < 0)
        return io_fail(err, c->lock);
    if (fcntl(c->lock_fd, F_SETLK, &first) == 0)
        return 0;
    if (errno == EACCES || errno == EAGAIN)
        return wf_fail(err, WF_E_BUSY, "%s: another program has the store open", c->path);
    return io_fail(err, c->lock);
}

static void remove_place(const struct compact *c)
{
    (void)unlink(c->new_data);
    (void)unlink(c->new_lock);
    (void)rmdir(c->place);
}

static int copy_aside(const struct compact *c, struct wf_error *err)
{
    static const struct wf_store_options options = {.read_only = true};
    MDB_env *env = NULL;
    remove_place(c); /* what an earlier try has left */
    if (mkdir(c->place, 0700) != 0)
        return io_fail(err, c->place);
    int rc = wf_env_new(&options, &env, err);
    if (rc < 0)
        return rc;
    rc = wf_env_open(env, c->path, MDB_RDONLY | MDB_NOLOCK, err);
    if (rc == 0)
        rc = copy_env(env, c->place, err);
    mdb_env_close(env);
    return rc;
}

struct first {
    char text[400];
};

static void note_first(void *context, const char *name, const char *text)
{
    struct first *first = context;
    if (first->text[0] == '\0')
        (void)snprintf(first->text, sizeof(first->text), "%s: %s", name, text);
}

static int check_copy(const struct compact *c, struct wf_error *err)
{
    static const struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    struct wf_check sum = {0};
    struct first first = {""};
    int rc = wf_store_open(c->place, &options, &store, err);
    if (rc == 0)
        rc = wf_store_check(store, note_first, &first, &sum, err);
    wf_store_close(store);
    if (rc == 0 && sum.findings > 0)
        rc = wf_fail(err, WF_E_CORRUPT, "%.300s", first.text);
    return rc;
}

/* Opened as the only one, LMDB makes its lock file anew, for the new data file. Closing it gives up
 * our lock. */
static int renew_lock_file(const struct compact *c, struct wf_error *err)
{
    static const struct wf_store_options options = {.read_only = false};
    MDB_env *env = NULL;
    int rc = wf_env_new(&options, &env, err);
    if (rc < 0)
        return rc;
    rc = wf_env_open(env, c->path, 0, err);
    mdb_env_close(env);
    return rc;
}

static int swap(const struct compact *c, struct wf_error *err)
{
    if (rename(c->new_data, c->data) != 0)
        return io_fail(err, "put the compact store in place");
    int rc = sync_one(c->path, err);
    return rc == 0 ? renew_lock_file(c, err) : rc;
}

static int paths(struct compact *c, struct wf_error *err)
{
    int rc = path_of(c->data, c->path, WF_DATA_FILE, err);
    if (rc == 0)
        rc = path_of(c->lock, c->path, LOCK_FILE, err);
    if (rc == 0)
        rc = path_of(c->place, c->path, COMPACT_FOLDER, err);
    if (rc == 0)
        rc = path_of(c->new_data, c->path, COMPACT_FOLDER "/" WF_DATA_FILE, err);
    return rc == 0 ? path_of(c->new_lock, c->path, COMPACT_FOLDER "/" LOCK_FILE, err) : rc;
}

int wf_store_compact(const char *path, uint64_t *out_before, uint64_t *out_after,
                     struct wf_error *err)
{
    uint64_t before = 0;
    uint64_t after = 0;
    struct compact *c = wf_alloc(sizeof(*c));
    if (c == NULL)
        return wf_fail(err, WF_E_NOMEM, "compact the store");
    *c = (struct compact){.path = path, .lock_fd = -1};
    int rc = paths(c, err);
    if (rc == 0)
        rc = size_of(c->data, &before, err);
    if (rc == 0)
        rc = take_lock(c, err);
    if (rc == 0)
        rc = copy_aside(c, err);
    if (rc == 0)
        rc = check_copy(c, err);
    if (rc == 0)
        rc = size_of(c->new_data, &after, err);
    if (rc == 0)
        rc = swap(c, err);
    if (c->lock_fd >= 0)
        remove_place(c);
    if (c->lock_fd >= 0)
        (void)close(c->lock_fd);
    wf_free(c);
    if (rc < 0)
        return rc;
    *out_before = before;
    *out_after = after;
    return 0;
}

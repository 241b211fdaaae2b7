/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The new data file of a store that rests.
 *
 * LMDB's own "somebody has it open" lock (byte 0 of the lock file) is held meanwhile, so that
 * nobody can open the store: who tries waits. The store is therefore read without LMDB's locks. The
 * lock file also holds the number of the last transaction, and the copy begins to count anew: after
 * the swap LMDB itself writes the file anew, before those who wait are let in. Removing it instead
 * would leave them with a lock file of their own, and two writers at once. Were we killed before that,
 * those who wait would take the old number for the new file's and read, of its two heads, the older
 * one: so the lock file is spoilt first, and refused until somebody comes alone.
 */
#include "store/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/env.h"

#define ASIDE_FOLDER ".aside"

static int path_of(char out[PATH_MAX], const char *folder, const char *name, struct wf_error *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX ? 0 : wf_fail(err, WF_E_CONFIG, "the store's path is too long");
}

static int size_of(const char *path, uint64_t *out, struct wf_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? wf_fail(err, WF_E_NOT_FOUND, "%s: no store there", path)
                               : wf_fail_errno(err, path);
    *out = (uint64_t)st.st_size;
    return 0;
}

int wf_aside_sizes(const struct wf_aside *aside, uint64_t *out_before, uint64_t *out_after,
                   struct wf_error *err)
{
    int rc = size_of(aside->data, out_before, err);
    return rc == 0 ? size_of(aside->new_data, out_after, err) : rc;
}

static int take_lock(struct wf_aside *a, struct wf_error *err)
{
    struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    a->lock_fd = open(a->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->lock_fd < 0)
        return wf_fail_errno(err, a->lock);
    if (fcntl(a->lock_fd, F_SETLK, &first) == 0)
        return 0;
    int rc = errno == EACCES || errno == EAGAIN
                 ? wf_fail(err, WF_E_BUSY, "%s: another program has the store open", a->path)
                 : wf_fail_errno(err, a->lock);
    (void)close(a->lock_fd);
    a->lock_fd = -1;
    return rc;
}

static void remove_place(const struct wf_aside *a)
{
    (void)unlink(a->new_data);
    (void)unlink(a->new_lock);
    (void)rmdir(a->place);
}

static int copy_here(const struct wf_aside *a, struct wf_error *err)
{
    static const struct wf_store_options options = {.read_only = true};
    MDB_env *env = NULL;
    remove_place(a); /* what an earlier try has left */
    if (mkdir(a->place, 0700) != 0)
        return wf_fail_errno(err, a->place);
    int rc = wf_env_new(&options, &env, err);
    if (rc < 0)
        return rc;
    rc = wf_env_open(env, a->path, MDB_RDONLY | MDB_NOLOCK, err);
    if (rc == 0)
        rc = wf_env_copy(env, a->place, err);
    mdb_env_close(env);
    return rc;
}

static int paths(struct wf_aside *a, struct wf_error *err)
{
    int rc = path_of(a->data, a->path, WF_DATA_FILE, err);
    if (rc == 0)
        rc = path_of(a->lock, a->path, WF_LOCK_FILE, err);
    if (rc == 0)
        rc = path_of(a->place, a->path, ASIDE_FOLDER, err);
    if (rc == 0)
        rc = path_of(a->new_data, a->path, ASIDE_FOLDER "/" WF_DATA_FILE, err);
    return rc == 0 ? path_of(a->new_lock, a->path, ASIDE_FOLDER "/" WF_LOCK_FILE, err) : rc;
}

int wf_aside_begin(struct wf_aside *aside, const char *path, struct wf_error *err)
{
    uint64_t size = 0;
    aside->path = path;
    aside->lock_fd = -1;
    int rc = paths(aside, err);
    if (rc == 0)
        rc = size_of(aside->data, &size, err);
    if (rc == 0)
        rc = take_lock(aside, err);
    if (rc == 0)
        rc = copy_here(aside, err);
    return rc == 0 ? wf_fault_pass("store.aside.copied", err) : rc;
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

int wf_aside_check(const struct wf_aside *aside, struct wf_error *err)
{
    static const struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    struct wf_check sum = {0};
    struct first first = {""};
    int rc = wf_store_open(aside->place, &options, &store, err);
    if (rc == 0)
        rc = wf_store_check(store, note_first, &first, &sum, err);
    wf_store_close(store);
    if (rc == 0 && sum.findings > 0)
        rc = wf_fail(err, WF_E_CORRUPT, "%.300s", first.text);
    return rc;
}

static int spoil_lock_file(const struct wf_aside *a, struct wf_error *err)
{
    const uint32_t no_magic = 0;
    return pwrite(a->lock_fd, &no_magic, sizeof(no_magic), 0) == (ssize_t)sizeof(no_magic)
               ? 0
               : wf_fail_errno(err, a->lock);
}

/* Opened as the only one, LMDB makes its lock file anew, for the new data file. Closing it gives up
 * our lock. */
static int renew_lock_file(const struct wf_aside *a, struct wf_error *err)
{
    static const struct wf_store_options options = {.read_only = false};
    MDB_env *env = NULL;
    int rc = wf_env_new(&options, &env, err);
    if (rc < 0)
        return rc;
    rc = wf_env_open(env, a->path, 0, err);
    mdb_env_close(env);
    return rc;
}

/* A second name of the old file, which it keeps when the new one takes its place. */
static int keep_old(const struct wf_aside *a, const char *name, struct wf_error *err)
{
    char path[PATH_MAX];
    int rc = path_of(path, a->path, name, err);
    if (rc < 0)
        return rc;
    (void)unlink(path); /* of a try that was cut off: then it is the same file */
    if (link(a->data, path) != 0)
        return wf_fail_errno(err, path);
    return wf_fault_pass("store.aside.kept", err);
}

/* Whoever works here, the workers' account must be able to open it as before. */
static int take_after(const struct wf_aside *a, struct wf_error *err)
{
    struct stat old;
    if (stat(a->data, &old) != 0 || chmod(a->new_data, old.st_mode & 0777) != 0 ||
        chown(a->new_data, old.st_uid, old.st_gid) != 0)
        return wf_fail_errno(err, "give the new store its owner");
    return wf_sync_path(a->new_data, err);
}

int wf_aside_swap(const struct wf_aside *aside, const char *keep, struct wf_error *err)
{
    int rc = take_after(aside, err);
    if (rc == 0 && keep != NULL)
        rc = keep_old(aside, keep, err);
    if (rc == 0)
        rc = spoil_lock_file(aside, err);
    if (rc == 0 && rename(aside->new_data, aside->data) != 0)
        rc = wf_fail_errno(err, "put the new store in place");
    if (rc == 0)
        rc = wf_fault_pass("store.aside.renamed", err);
    if (rc == 0)
        rc = wf_sync_path(aside->path, err);
    return rc == 0 ? renew_lock_file(aside, err) : rc;
}

void wf_aside_end(struct wf_aside *aside)
{
    if (aside->lock_fd < 0)
        return;
    remove_place(aside);
    (void)close(aside->lock_fd);
}

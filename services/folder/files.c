/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folders of a party, always by descriptor, so that nobody puts a link in the way; files are
 * written aside in .work, synced and renamed: what has a name in out, rejected or done is whole.
 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE ".aside"

static int io_fail(struct wf_error *err, const char *what)
{
    int code = errno == ENOSPC || errno == EDQUOT ? WF_E_FULL : WF_E_IO;
    return wf_fail(err, code, "%s: %s", what, strerror(errno));
}

/* ---- folders --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    mode_t mode;
} dir_table[DIRS] = {
    [DIR_IN] = {"in", 0770},     [DIR_OUT] = {"out", 0770},    [DIR_REJECTED] = {"rejected", 0770},
    [DIR_DONE] = {"done", 0770}, [DIR_WORK] = {".work", 0700},
};

static int open_dir(int at, const char *name, mode_t mode, int *out, struct wf_error *err)
{
    if (mkdirat(at, name, mode) != 0 && errno != EEXIST)
        return io_fail(err, name);
    *out = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *out >= 0 ? 0 : io_fail(err, name);
}

int dirs_open(const char *folder, const char *party, int dirs[DIRS], struct wf_error *err)
{
    int fresh[DIRS] = {-1, -1, -1, -1, -1};
    int root = -1;
    int own = -1;
    int rc = open_dir(AT_FDCWD, folder, 0750, &root, err);
    if (rc == 0)
        rc = open_dir(root, party, 0750, &own, err);
    for (size_t i = 0; i < DIRS && rc == 0; i++)
        rc = open_dir(own, dir_table[i].name, dir_table[i].mode, &fresh[i], err);
    if (root >= 0)
        (void)close(root);
    if (own >= 0)
        (void)close(own);
    if (rc != 0) {
        dirs_close(fresh);
        return wf_wrap(err, "the folders of party %s", party);
    }
    dirs_close(dirs);
    memcpy(dirs, fresh, sizeof(fresh));
    return 0;
}

/* Held until the process ends, however it ends: two at the same files would undo each other. */
int folder_lock(const char *folder, int *out, struct wf_error *err)
{
    int root = -1;
    int rc = open_dir(AT_FDCWD, folder, 0750, &root, err);
    if (rc != 0)
        return wf_wrap(err, "%s", folder);
    int fd = openat(root, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    (void)close(root);
    if (fd < 0)
        return io_fail(err, "the lock of the drop folder");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return wf_fail(err, WF_E_STATE, "%s: another hoso-folder works here", folder);
    }
    *out = fd;
    return 0;
}

void dirs_close(int dirs[DIRS])
{
    for (size_t i = 0; i < DIRS; i++) {
        if (dirs[i] >= 0)
            (void)close(dirs[i]);
        dirs[i] = -1;
    }
}

int dir_each(int dir, name_fn *fn, void *context, struct wf_error *err)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
    DIR *names = copy >= 0 ? fdopendir(copy) : NULL;
    if (names == NULL) {
        int rc = io_fail(err, "list a folder");
        if (copy >= 0)
            (void)close(copy);
        return rc;
    }
    const struct dirent *entry = readdir(names);
    while (entry != NULL && (entry->d_name[0] == '.' || fn(context, entry->d_name)))
        entry = readdir(names);
    (void)closedir(names);
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int check_kind(const struct stat *st, size_t max, struct wf_error *err)
{
    if (!S_ISREG(st->st_mode))
        return wf_fail(err, WF_E_INVALID, "is no regular file (a folder, pipe or device)");
    if (st->st_nlink > 1)
        return wf_fail(err, WF_E_INVALID, "has a second name (a hard link): drop a copy");
    if (st->st_size < 0 || (size_t)st->st_size > max)
        return wf_fail(err, WF_E_INVALID, "has more than %zu bytes: split the file", max);
    return 0;
}

/* It may grow while it is read: one byte more than is allowed tells. */
static int read_all(int fd, size_t max, char **out, size_t *out_length, struct wf_error *err)
{
    size_t n = 0;
    char *bytes = wf_alloc(max + 1);
    if (bytes == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    while (n < max + 1) {
        ssize_t got = read(fd, bytes + n, max + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            wf_free(bytes);
            return io_fail(err, "read a file");
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (n > max) {
        wf_free(bytes);
        return wf_fail(err, WF_E_INVALID, "has more than %zu bytes: split the file", max);
    }
    bytes[n] = '\0';
    *out = bytes;
    *out_length = n;
    return 0;
}

int file_read(int dir, const char *name, size_t max, char **out, size_t *out_length,
              struct wf_error *err)
{
    struct stat st;
    /* Looked at before it is opened: opening a device may do things. */
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? WF_NONE : io_fail(err, "look at a file");
    if (S_ISLNK(st.st_mode))
        return wf_fail(err, WF_E_INVALID, "is a symbolic link: drop the file itself");
    int rc = check_kind(&st, max, err);
    if (rc != 0)
        return rc;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == ELOOP))
        return wf_fail(err, WF_E_INVALID, "cannot be read: give this cell's group the right to");
    if (fd < 0)
        return io_fail(err, "open a file");
    rc = fstat(fd, &st) == 0 ? check_kind(&st, max, err) : io_fail(err, "look at a file");
    if (rc == 0)
        rc = read_all(fd, max, out, out_length, err);
    (void)close(fd);
    return rc;
}

static int write_aside(int dir, const void *bytes, size_t length)
{
    const char *at = bytes;
    int fd = openat(dir, ASIDE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0660);
    if (fd < 0)
        return -1;
    bool good = fchmod(fd, 0660) == 0;
    while (good && length > 0) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        good = n > 0;
        at += good ? n : 0;
        length -= good ? (size_t)n : 0;
    }
    good = good && fsync(fd) == 0;
    int why = errno;
    (void)close(fd);
    errno = why;
    return good ? 0 : -1;
}

int file_put(const int dirs[DIRS], enum drop_dir to, const char *name, const void *bytes,
             size_t length, struct wf_error *err)
{
    if (write_aside(dirs[DIR_WORK], bytes, length) != 0)
        return io_fail(err, "write a file");
    return file_move(dirs, DIR_WORK, ASIDE, to, name, err);
}

int file_put_json(const int dirs[DIRS], enum drop_dir to, const char *name, const json_t *json,
                  struct wf_error *err)
{
    char *text = json_dumps(json, JSON_INDENT(1));
    if (text == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    int rc = file_put(dirs, to, name, text, strlen(text), err);
    free(text);
    return rc;
}

int file_move(const int dirs[DIRS], enum drop_dir from, const char *name, enum drop_dir to,
              const char *new_name, struct wf_error *err)
{
    if (renameat(dirs[from], name, dirs[to], new_name) != 0)
        return io_fail(err, "move a file");
    if (fsync(dirs[to]) != 0 || (from != to && fsync(dirs[from]) != 0))
        return io_fail(err, "sync a folder");
    return 0;
}

bool file_exists(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

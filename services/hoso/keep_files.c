/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders of a backup: copied, synced, hashed, put in place by one rename. */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workflow/hash.h"

#define ASIDE ".hoso-part"

static int io_fail(struct hoso *h, const char *path)
{
    int code = WF_E_IO;
    if (errno == ENOSPC || errno == EDQUOT)
        code = WF_E_FULL;
    else if (errno == ENOENT)
        code = WF_E_NOT_FOUND;
    return wf_fail(&h->err, code, "%s: %s", path, strerror(errno));
}

/* ---- folders --------------------------------------------------------------------------------- */

int keep_places(struct hoso *h, const char *folder, char final[4096], char aside[4096])
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || length + sizeof(ASIDE) > 4000 || strcmp(folder, "/") == 0)
        return wf_fail(&h->err, WF_E_CONFIG, "\"%.40s\": a folder's name is wanted", folder);
    (void)snprintf(final, 4096, "%.*s", (int)length, folder);
    (void)snprintf(aside, 4096, "%s", final);
    const char *parent = dirname(aside);
    if (access(parent, F_OK) != 0 && errno == ENOENT)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: there is no folder %.200s: make it first", final,
                       parent);
    (void)snprintf(aside, 4096, "%.*s" ASIDE, (int)length, folder);
    return 0;
}

int keep_is_free(struct hoso *h, const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL && errno == ENOENT)
        return 0;
    if (dir == NULL)
        return io_fail(h, folder);
    int rc = 0;
    for (const struct dirent *e = readdir(dir); e != NULL && rc == 0; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = wf_fail(&h->err, WF_E_STATE,
                         "%s: is not empty: give the name of a new folder; nothing was written",
                         folder);
    }
    (void)closedir(dir);
    return rc;
}

int keep_make(struct hoso *h, const char *folder)
{
    return mkdir(folder, 0700) == 0 || errno == EEXIST ? 0 : io_fail(h, folder);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    (void)remove(path);
    return 0;
}

void keep_remove(const char *folder)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        bytes += done;
        n -= (size_t)done;
    }
    return 0;
}

static int pour(int from, int to)
{
    static char chunk[1 << 16];
    ssize_t n;
    while ((n = read(from, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || write_all(to, chunk, (size_t)n) != 0)
            return -1;
    }
    return fsync(to);
}

int keep_copy(struct hoso *h, const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0)
        return io_fail(h, from);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = out < 0 || pour(in, out) != 0 ? io_fail(h, to) : 0;
    (void)close(in);
    if (out >= 0)
        (void)close(out);
    return rc;
}

int keep_write(struct hoso *h, const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return io_fail(h, path);
    int rc = write_all(fd, bytes, n) != 0 || fsync(fd) != 0 ? io_fail(h, path) : 0;
    (void)close(fd);
    return rc;
}

int keep_hash(struct hoso *h, const char *path, char out_hex[65], uint64_t *out_bytes)
{
    uint8_t hash[WF_HASH_BYTES];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int rc = io_fail(h, path);
        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    size_t size = (size_t)st.st_size;
    void *bytes = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    int rc = bytes == MAP_FAILED ? io_fail(h, path) : 0;
    (void)close(fd);
    if (rc != 0)
        return rc;
    wf_hash(size > 0 ? bytes : "", size, NULL, 0, hash);
    if (size > 0)
        (void)munmap(bytes, size);
    wf_hex(hash, sizeof(hash), out_hex);
    *out_bytes = size;
    return 0;
}

/* ---- hashed and synced meanwhile -------------------------------------------------------------- */

static const struct wf_value *hash_and_sync(struct hoso *h, const void *context)
{
    const char *path = context;
    char hex[65];
    uint64_t bytes = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return keep_child_failed(h, io_fail(h, path));
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* the disk works while we count */
    int rc = keep_hash(h, path, hex, &bytes);
    if (rc == 0 && fsync(fd) != 0)
        rc = io_fail(h, path);
    (void)close(fd);
    return rc == 0 ? hoso_map(h, "bytes", wf_int(h->arena, (int64_t)bytes), "hash",
                              wf_text(h->arena, hex), NULL)
                   : keep_child_failed(h, rc);
}

int keep_hash_begin(struct hoso *h, const char *path, struct keep_child *out)
{
    return keep_child_start(h, hash_and_sync, path, out);
}

int keep_hash_end(struct hoso *h, const struct keep_child *child, char out_hex[65],
                  uint64_t *out_bytes)
{
    const struct wf_value *answer = NULL;
    int status = 0;
    int rc = keep_child_end(h, child, &status, &answer);
    if (rc == WF_NONE)
        return wf_fail(&h->err, WF_E_IO, "hash the copy: the process that did it has died");
    if (rc == 0) {
        (void)snprintf(out_hex, 65, "%s", wf_value_text(wf_map_get(answer, "hash"), ""));
        *out_bytes = (uint64_t)wf_value_int(wf_map_get(answer, "bytes"), 0);
    }
    return rc;
}

int keep_sync_folder(struct hoso *h, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return io_fail(h, path);
    int rc = fsync(fd) == 0 ? 0 : io_fail(h, path);
    (void)close(fd);
    return rc;
}

int keep_settle(struct hoso *h, const char *aside, const char *final)
{
    static const char *const inner[] = {"store", "parties"};
    char path[4096];
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(inner) && rc == 0; i++) {
        if (hoso_path(path, aside, inner[i]) && access(path, F_OK) == 0)
            rc = keep_sync_folder(h, path);
    }
    if (rc == 0 && hoso_path(path, aside, "papers"))
        rc = keep_sync_papers(h, path);
    if (rc == 0)
        rc = keep_sync_folder(h, aside);
    if (rc == 0 && rename(aside, final) != 0)
        rc = io_fail(h, final);
    return rc == 0 && hoso_path(path, final, "..") ? keep_sync_folder(h, path) : rc;
}

/* ---- workers --------------------------------------------------------------------------------- */

static int take_lock(struct hoso *h, const char *name)
{
    char path[4096];
    char file[64];
    (void)snprintf(file, sizeof(file), "%s.lock", name);
    if (!hoso_path(path, h->settings.run, file))
        return wf_fail(&h->err, WF_E_CONFIG, "the run folder's path is too long");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* kept: the lock ends with us */
    if (fd < 0)
        return io_fail(h, path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    (void)close(fd);
    return wf_fail(&h->err, WF_E_STATE, "the cell is running (%s): stop it first", name);
}

int keep_out_workers(struct hoso *h)
{
    int rc = hoso_needs_cell(h);
    if (rc == 0)
        rc = keep_make(h, h->settings.run);
    if (rc == 0)
        rc = take_lock(h, "supervisor");
    for (unsigned s = 0; s < WF_SERVICE_COUNT && rc == 0; s++)
        rc = take_lock(h, wf_service_word((enum wf_service)s));
    return rc;
}

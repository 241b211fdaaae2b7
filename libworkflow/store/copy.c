/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a store, and making it compact. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/aside.h"
#include "store/env.h"

int wf_sync_path(const char *path, struct wf_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        int code = errno == ENOSPC || errno == EDQUOT ? WF_E_FULL : WF_E_IO;
        int rc = wf_fail(err, code, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    (void)close(fd);
    return 0;
}

/* LMDB would open the file past the page cache: each page written at once, and read again from the
 * disk by the check. */
int wf_env_copy(MDB_env *env, const char *to, struct wf_error *err)
{
    char file[PATH_MAX];
    int n = snprintf(file, sizeof(file), "%s/" WF_DATA_FILE, to);
    if (n < 0 || (size_t)n >= sizeof(file))
        return wf_fail(err, WF_E_CONFIG, "the path of the copy is too long");
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return wf_lmdb_fail(err, errno, file);
    int lmdb_rc = mdb_env_copyfd2(env, fd, MDB_CP_COMPACT);
    if (close(fd) != 0 && lmdb_rc == 0)
        lmdb_rc = errno;
    if (lmdb_rc == MDB_INCOMPATIBLE)
        return wf_fail(err, WF_E_CORRUPT, "copy the store: pages are lost or used twice");
    return lmdb_rc == 0 ? 0 : wf_lmdb_fail(err, lmdb_rc, "copy the store");
}

int wf_store_copy(struct wf_store *store, const char *to, struct wf_error *err)
{
    return wf_env_copy(store->env, to, err);
}

int wf_store_compact(const char *path, uint64_t *out_before, uint64_t *out_after,
                     struct wf_error *err)
{
    uint64_t before = 0;
    uint64_t after = 0;
    struct wf_aside *aside = wf_alloc(sizeof(*aside));
    if (aside == NULL)
        return wf_fail(err, WF_E_NOMEM, "compact the store");
    int rc = wf_aside_begin(aside, path, err);
    if (rc == 0)
        rc = wf_aside_check(aside, err);
    if (rc == 0)
        rc = wf_aside_sizes(aside, &before, &after, err);
    if (rc == 0)
        rc = wf_aside_swap(aside, NULL, err);
    wf_aside_end(aside);
    wf_free(aside);
    if (rc < 0)
        return rc;
    *out_before = before;
    *out_after = after;
    return 0;
}

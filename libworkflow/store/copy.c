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

int wf_env_copy(MDB_env *env, const char *to, struct wf_error *err)
{
    char file[PATH_MAX];
    int n = snprintf(file, sizeof(file), "%s/" WF_DATA_FILE, to);
    if (n < 0 || (size_t)n >= sizeof(file))
        return wf_fail(err, WF_E_CONFIG, "the path of the copy is too long");
    int lmdb_rc = mdb_env_copy2(env, to, MDB_CP_COMPACT);
    if (lmdb_rc == MDB_INCOMPATIBLE)
        return wf_fail(err, WF_E_CORRUPT, "copy the store: pages are lost or used twice");
    if (lmdb_rc != 0)
        return wf_lmdb_fail(err, lmdb_rc, "copy the store");
    if (chmod(file, 0600) != 0) /* LMDB leaves it to the umask */
        return wf_fail(err, WF_E_IO, "%s: %s", file, strerror(errno));
    int rc = wf_sync_path(file, err);
    return rc == 0 ? wf_sync_path(to, err) : rc;
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

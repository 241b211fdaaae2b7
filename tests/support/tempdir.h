/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/tempdir.h - a folder under TMPDIR for one test, removed with all in it at its end.
 */
#ifndef TESTS_SUPPORT_TEMPDIR_H
#define TESTS_SUPPORT_TEMPDIR_H

#include "support/test.h"

#include <ftw.h>
#include <unistd.h>

struct tempdir {
    char path[256];
};

static inline void tempdir_init(struct tempdir *dir)
{
    const char *base = getenv("TMPDIR");
    int n = snprintf(dir->path, sizeof(dir->path), "%s/hoso-test-XXXXXX",
                     base != NULL && base[0] != '\0' ? base : "/tmp");
    assert_true(n > 0 && (size_t)n < sizeof(dir->path));
    assert_non_null(mkdtemp(dir->path));
}

static inline int tempdir_remove_one(const char *path, const struct stat *st, int kind,
                                     struct FTW *place)
{
    (void)st;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void tempdir_fini(struct tempdir *dir)
{
    if (dir->path[0] != '\0')
        (void)nftw(dir->path, tempdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    dir->path[0] = '\0';
}

/* "<folder>/<name>" in a buffer of the caller's. */
static inline const char *tempdir_path(const struct tempdir *dir, const char *name, char *buf,
                                       size_t size)
{
    int n = snprintf(buf, size, "%s/%s", dir->path, name);
    assert_true(n > 0 && (size_t)n < size);
    return buf;
}

#endif

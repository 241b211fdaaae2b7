/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/few_files.h - a process at its limit of open files, as under a flood of connections. */
#ifndef TESTS_SUPPORT_FEW_FILES_H
#define TESTS_SUPPORT_FEW_FILES_H

#include "support/test.h"

#include <sys/resource.h>
#include <unistd.h>

/* One more may be opened: a folder gets it, and the files in it none. Gives the limit as it was. */
static inline struct rlimit few_files_begin(void)
{
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    int next = dup(STDIN_FILENO);
    (void)close(next);
    const struct rlimit few = {(rlim_t)next + 1, files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    return files;
}

static inline void few_files_end(struct rlimit files)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

int process_signals(const int *signals, size_t n, int *out_fd, struct wf_error *err)
{
    sigset_t set;
    int fd = -1;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < n; i++)
        (void)sigaddset(&set, signals[i]);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return wf_fail(err, WF_E_IO, "signalfd: %s", strerror(errno));
    *out_fd = fd;
    return 0;
}

int process_lock(const char *run, const char *name, int *out_fd, struct wf_error *err)
{
    char path[1200];
    if (mkdir(run, 0700) != 0 && errno != EEXIST)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", run, strerror(errno));
    (void)snprintf(path, sizeof(path), "%.1100s/%s.lock", run, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return wf_fail(err, WF_E_STATE, "a %s runs already in this cell (%s is locked)", name,
                       path);
    }
    *out_fd = fd;
    return 0;
}

int process_exit(int rc)
{
    if (rc == 0)
        return 0;
    return rc == WF_E_CONFIG || rc == WF_E_STATE || rc == WF_E_INVALID || rc == WF_E_VERSION ||
                   rc == WF_E_NOT_FOUND
               ? 2
               : 1;
}

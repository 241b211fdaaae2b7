/* SPDX-License-Identifier: Apache-2.0 */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS  5000
#define STEADY_MS        10000 /* ran for so long: the next death is a new story */

const char *const hoso_adapters[HOSO_ADAPTERS] = {"portal", "folder", "courier"};

bool child_is_wanted(const char *cell, const char *name)
{
    char file[64];
    char path[4096];
    struct wf_report report = {0};
    struct wf_config *config = NULL;
    (void)snprintf(file, sizeof(file), "%s.cfg", name);
    if (!hoso_path(path, cell, file) || access(path, F_OK) != 0)
        return false;
    bool is_wanted = true;
    if (wf_config_read(path, &report, &config, NULL) == 0) {
        const struct wf_node *enabled = wf_node_child(wf_config_root(config), "enabled");
        is_wanted = enabled == NULL || enabled->type != WF_NODE_BOOL || enabled->u.boolean;
    }
    wf_config_free(config);
    wf_report_fini(&report);
    return is_wanted;
}

/* In the child, between fork and exec: only calls that are safe there. */
_Noreturn static void become_worker(const char *path, const char *config, const char *ready,
                                    pid_t parent)
{
    char *const argv[] = {strdup(path),         strdup("--config"), strdup(config),
                          strdup("--ready-fd"), strdup(ready),      NULL};
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* Workers do not outlive their supervisor, not even one that was killed. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(127);
    (void)execv(path, argv);
    _exit(127);
}

int child_start(struct child *child, const char *folder, const char *config, struct wf_error *err)
{
    char name[32];
    char path[4096];
    char ready[16];
    int ends[2];
    (void)snprintf(name, sizeof(name), "hoso-%s", child->name);
    if (!hoso_path(path, folder, name) || access(path, X_OK) != 0)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", path, strerror(errno));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return wf_fail(err, WF_E_IO, "start a worker: %s", strerror(errno));
    (void)snprintf(ready, sizeof(ready), "%d", ends[1]);

    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)fcntl(ends[1], F_SETFD, 0); /* this one survives exec */
        become_worker(path, config, ready, self);
    }
    int why = errno;
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return wf_fail(err, WF_E_IO, "start a worker: %s", strerror(why));
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    child->pid = pid;
    child->ready_fd = ends[0];
    child->state = CHILD_STARTING;
    child->started_at_ms = wf_monotonic_ms();
    child->was_killed = false;
    return 0;
}

static void close_pipe(struct child *child)
{
    if (child->ready_fd >= 0)
        (void)close(child->ready_fd);
    child->ready_fd = -1;
}

bool child_heard(struct child *child)
{
    char line[16];
    ssize_t n = read(child->ready_fd, line, sizeof(line));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    close_pipe(child);
    if (n <= 0)
        return false; /* closed without a word: its end will be reported */
    child->state = CHILD_UP;
    return true;
}

void child_ended(struct child *child, int64_t now_ms)
{
    bool steady = child->state == CHILD_UP && now_ms - child->started_at_ms >= STEADY_MS;
    int64_t next = child->backoff_ms * 2;
    child->backoff_ms = steady || next == 0 ? BACKOFF_FIRST_MS : next;
    if (child->backoff_ms > BACKOFF_MOST_MS)
        child->backoff_ms = BACKOFF_MOST_MS;
    child->restart_at_ms = now_ms + child->backoff_ms;
    child->state = CHILD_DOWN;
    child->pid = 0;
    close_pipe(child);
}

void child_signal(const struct child *child, int signal)
{
    if (child->pid > 0)
        (void)kill(child->pid, signal);
}

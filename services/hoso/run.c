/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: the supervisor. One loop waits for signals, for workers' ready pipes and for the next thing
 * to do by time (a restart, a look at the board). It holds no store and does no work of its own:
 * what it may do to a worker at any moment is to start it or to kill it.
 */
#include "hoso.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"
#include "children.h"
#include "process.h"
#include "workflow/log.h"

#define LOOK_MS 200   /* between two looks at the board */
#define STOP_MS 10000 /* workers have so long to stop in good order */
#define ASK_MS  3000  /* of which those have so long who ask the workers */

#define CHILDREN_MOST (WF_SERVICE_COUNT + 4 + HOSO_ADAPTERS)

struct supervisor {
    struct hoso *h;
    struct child children[CHILDREN_MOST]; /* the workers, by service; then the others */
    size_t n_children;
    struct wf_board *board;
    char folder[4096]; /* of the workers */
    char config[4096];
    bool is_station; /* CELL/relay.cfg: no workers and no store here, they are far away */
    bool is_beside;  /* a check while another runs: nothing is changed */
    int lock_fd;
    int signal_fd;
    bool stopping;
    bool workers_told; /* to stop */
    int64_t stop_by_ms;
    bool was_ready; /* all were up once, and it has been said */
    int rc;         /* why it stops: 0 or an error in h->err */
};

/* ---- before the first worker --------------------------------------------------------------------
 */

static bool has_workers(const char *folder)
{
    char path[4096];
    return hoso_path(path, folder, "hoso-intake") && access(path, X_OK) == 0;
}

static int find_workers(struct supervisor *s)
{
    struct hoso *h = s->h;
    const char *given = hoso_has(h, OPT_WORKERS) ? h->opt[OPT_WORKERS] : getenv("HOSO_LIBEXEC");
    if (given != NULL) {
        (void)snprintf(s->folder, sizeof(s->folder), "%s", given);
        if (has_workers(given))
            return 0;
        return wf_fail(&h->err, WF_E_CONFIG, "%s: the workers hoso-intake ... are not there",
                       given);
    }
    char program[4096];
    int rc = hoso_program_folder(h, program);
    if (rc < 0)
        return rc;
    static const char *const places[] = {".", "../libexec/hoso"};
    for (size_t i = 0; i < WF_COUNT(places); i++) {
        if (hoso_path(s->folder, program, places[i]) && has_workers(s->folder))
            return 0;
    }
    return wf_fail(&h->err, WF_E_CONFIG,
                   "the workers hoso-intake ... were not found beside hoso: give --workers DIR or "
                   "set HOSO_LIBEXEC");
}

/* Held until the process ends, however it ends. */
static int take_lock(struct supervisor *s)
{
    struct hoso *h = s->h;
    char path[4096];
    char pid[16] = "";
    if (mkdir(h->settings.run, 0700) != 0 && errno != EEXIST)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: %s", h->settings.run, strerror(errno));
    if (!hoso_path(path, h->settings.run, "supervisor.lock"))
        return wf_fail(&h->err, WF_E_CONFIG, "the run folder's path is too long");
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(s->lock_fd, pid, sizeof(pid) - 1);
        pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
        return wf_fail(&h->err, WF_E_STATE, "this cell runs already (hoso run, pid %s)", pid);
    }
    int length = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, pid, (size_t)length, 0) != length)
        return wf_fail(&h->err, WF_E_IO, "%s: %s", path, strerror(errno));
    return 0;
}

/* What is wrong with files or store is better said once, here, than by five workers in turn. */
static int check_cell(struct supervisor *s)
{
    bool dropped = false;
    int rc = hoso_registry(s->h);
    if (rc != 0 || s->is_station)
        return rc;
    rc = hoso_store(s->h, false);
    if (rc == 0)
        rc = hoso_check_clock(s->h);
    if (rc == 0)
        rc = archive_check_folder(s->h);
    if (rc == 0 && !s->is_beside)
        rc = archive_fit_setting(s->h, &dropped);
    if (rc != 0)
        return rc;
    if (dropped)
        wf_log(WF_LOG_WARN, WF_LOG_ARCHIVE_EVENT, NULL,
               "hoso.cfg names no archive any more: changes are not recorded from now on");
    wf_store_close(s->h->store);
    s->h->store = NULL; /* the supervisor keeps no store */
    return 0;
}

static void add_child(struct supervisor *s, const char *name)
{
    s->children[s->n_children++] = (struct child){.name = name, .ready_fd = -1};
}

static int prepare(struct supervisor *s)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    struct hoso *h = s->h;
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = find_workers(s);
    if (rc == 0)
        rc = take_lock(s);
    s->is_beside = rc == WF_E_STATE && hoso_has(h, OPT_CHECK);
    if (s->is_beside)
        rc = 0;
    if (rc == 0)
        s->is_station = child_is_wanted(h->folder, "relay");
    if (rc == 0)
        rc = check_cell(s);
    if (rc == 0)
        rc = wf_board_open(h->settings.run, &s->board, &h->err);
    if (rc == 0)
        rc = process_signals(signals, WF_COUNT(signals), &s->signal_fd, &h->err);
    if (rc != 0)
        return rc;
    if (!hoso_path(s->config, h->folder, "hoso.cfg"))
        return wf_fail(&h->err, WF_E_CONFIG, "the cell's path is too long");
    if (s->is_station) {
        add_child(s, "relay");
        if (h->settings.metrics_listen[0] != '\0')
            add_child(s, "metrics");
        return 0;
    }
    for (unsigned i = 0; i < WF_SERVICE_COUNT; i++)
        add_child(s, wf_service_word((enum wf_service)i));
    if (h->settings.gate_listen[0] != '\0')
        add_child(s, "gate");
    if (h->settings.bridge_listen[0] != '\0')
        add_child(s, "bridge");
    if (h->settings.archive[0] != '\0')
        add_child(s, "archive");
    if (h->settings.metrics_listen[0] != '\0')
        add_child(s, "metrics");
    for (size_t i = 0; i < HOSO_ADAPTERS; i++) {
        if (child_is_wanted(h->folder, hoso_adapters[i]))
            add_child(s, hoso_adapters[i]);
    }
    return 0;
}

/* ---- stopping -------------------------------------------------------------------------------- */

/* Gate, bridge and adapters end first: in the middle of a request they would else wait for an answer
 * that no worker gives any more. */
static bool asks(const struct supervisor *s, size_t i)
{
    bool is_worker = i < WF_SERVICE_COUNT;
    return !s->is_station && !is_worker && strcmp(s->children[i].name, "archive") != 0;
}

static void stop(struct supervisor *s, int rc)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->rc = rc;
    s->stop_by_ms = wf_monotonic_ms() + STOP_MS;
    for (size_t i = 0; i < s->n_children; i++) {
        if (asks(s, i))
            child_signal(&s->children[i], SIGTERM);
    }
}

/* When nobody asks them any more, or the time for that is over. */
static void stop_workers(struct supervisor *s, int64_t now)
{
    bool asked = false;
    for (size_t i = 0; i < s->n_children; i++)
        asked = asked || (asks(s, i) && s->children[i].state != CHILD_DOWN);
    if (s->workers_told || (asked && now < s->stop_by_ms - STOP_MS + ASK_MS))
        return;
    s->workers_told = true;
    for (size_t i = 0; i < s->n_children; i++) {
        if (!asks(s, i))
            child_signal(&s->children[i], SIGTERM);
    }
}

static bool all_in(const struct supervisor *s, enum child_state state)
{
    for (size_t i = 0; i < s->n_children; i++) {
        if (s->children[i].state != state)
            return false;
    }
    return true;
}

/* ---- what happens ---------------------------------------------------------------------------- */

static void ended(struct supervisor *s, struct child *child, int status)
{
    const char *name = child->name;
    bool setup_is_wrong = WIFEXITED(status) && WEXITSTATUS(status) == 2;
    bool was_up = child->state == CHILD_UP;
    int pid = (int)child->pid;
    child_ended(child, wf_monotonic_ms());
    bool as_told = WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGTERM;
    if (s->stopping && as_told)
        return;
    if (WIFSIGNALED(status))
        wf_log(WF_LOG_ERROR, WF_LOG_CHILD_EVENT, NULL, "%s (pid %d) was ended by signal %d", name,
               pid, WTERMSIG(status));
    else
        wf_log(WF_LOG_ERROR, WF_LOG_CHILD_EVENT, NULL, "%s (pid %d) ended with %d", name, pid,
               WEXITSTATUS(status));
    /* At the start, what a worker has said about its settings is for a person to mend; later the
     * other workers go on, and this one is tried again. */
    if (setup_is_wrong && !was_up && !s->was_ready && !s->stopping)
        stop(s, wf_fail(&s->h->err, WF_E_CONFIG,
                        "%s could not start: mend what it says above, then run again", name));
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < s->n_children; i++) {
            if (s->children[i].pid == pid)
                ended(s, &s->children[i], status);
        }
    }
}

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGCHLD)
            stop(s, 0);
    }
    reap(s);
}

static void start_due(struct supervisor *s, int64_t now)
{
    for (size_t i = 0; i < s->n_children && !s->stopping; i++) {
        struct child *child = &s->children[i];
        struct wf_error err;
        if (child->state != CHILD_DOWN || child->restart_at_ms > now)
            continue;
        int rc = child_start(child, s->folder, s->config, &err);
        if (rc == 0)
            continue;
        wf_log(WF_LOG_ERROR, WF_LOG_CHILD_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", err.text);
        child_ended(child, now);
    }
}

/* A worker that holds the write lock too long stops the whole cell: it is ended, and its
 * transaction is undone by LMDB when the next writer comes. */
static void watch(struct supervisor *s, int64_t now)
{
    int64_t most = s->h->settings.watchdog_ms;
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++) {
        struct child *child = &s->children[i];
        const struct wf_board_slot *slot = wf_board_slot(s->board, (enum wf_service)i);
        int64_t since = __atomic_load_n(&slot->writing_since_ms, __ATOMIC_RELAXED);
        int64_t pid = __atomic_load_n(&slot->pid, __ATOMIC_RELAXED);
        if (child->pid == 0 || child->was_killed || pid != child->pid || since == 0 ||
            now - since <= most)
            continue;
        wf_log(WF_LOG_ERROR, WF_LOG_WATCHDOG_EVENT, NULL,
               "%s (pid %d) has held the write lock for %lld ms: it is ended", child->name,
               (int)child->pid, (long long)(now - since));
        child->was_killed = true;
        child_signal(child, SIGKILL);
    }
}

static void say_ready(struct supervisor *s)
{
    struct hoso *h = s->h;
    s->was_ready = true;
    if (h->json)
        (void)!hoso_json_print(hoso_map(h, "ready", &wf_true, "cell",
                                        wf_text(h->arena, h->settings.cell), "run",
                                        wf_text(h->arena, h->settings.run), NULL),
                               stdout, NULL);
    else if (s->is_station)
        (void)printf("hoso: station \"%s\" is ready: endpoints in %s\n", h->settings.cell,
                     h->settings.run);
    else
        (void)printf("hoso: cell \"%s\" is ready: %d workers, endpoints in %s\n", h->settings.cell,
                     WF_SERVICE_COUNT, h->settings.run);
    (void)fflush(stdout);
}

/* ---- the loop -----------------------------------------------------------------------------------
 */

static void wait_and_hear(struct supervisor *s)
{
    struct pollfd fds[CHILDREN_MOST + 1] = {{.fd = s->signal_fd, .events = POLLIN}};
    for (size_t i = 0; i < s->n_children; i++)
        fds[i + 1] = (struct pollfd){.fd = s->children[i].ready_fd, .events = POLLIN};
    (void)poll(fds, s->n_children + 1, LOOK_MS / 2); /* an interrupted wait is only a short one */
    for (size_t i = 0; i < s->n_children; i++) {
        struct child *child = &s->children[i];
        if (fds[i + 1].revents != 0 && child->ready_fd >= 0 && child_heard(child))
            wf_log(WF_LOG_INFO, WF_LOG_CHILD_EVENT, NULL, "%s is up (pid %d)", child->name,
                   (int)child->pid);
    }
    take_signals(s);
}

static void loop(struct supervisor *s)
{
    while (!s->stopping || !all_in(s, CHILD_DOWN)) {
        int64_t now = wf_monotonic_ms();
        if (!s->stopping)
            start_due(s, now);
        wait_and_hear(s);
        now = wf_monotonic_ms();
        watch(s, now);
        if (!s->was_ready && !s->stopping && all_in(s, CHILD_UP))
            say_ready(s);
        if (s->stopping)
            stop_workers(s, now);
        if (s->stopping && now >= s->stop_by_ms) {
            for (size_t i = 0; i < s->n_children; i++)
                child_signal(&s->children[i], SIGKILL);
            s->stop_by_ms = now + 1000;
        }
    }
}

/* Adapters have settings of their own, and under systemd units of their own: one that is not ready
 * must not keep the cell down, so they are named here and not run. */
static void tell_check(const struct supervisor *s)
{
    bool vi = s->h->vi;
    (void)puts(vi ? "không có gì cản trở việc khởi động" : "nothing stands in the way of a start");
    for (size_t i = s->is_station ? 0 : WF_SERVICE_COUNT; i < s->n_children; i++) {
        const char *name = s->children[i].name;
        if (child_is_wanted(s->h->folder, name))
            (void)printf("%s: %s/hoso-%s --check --config %s\n",
                         vi ? "kiểm tra thêm" : "to look at as well", s->folder, name, s->config);
    }
}

int hoso_run(struct hoso *h)
{
    struct supervisor *s = wf_arena_alloc(h->arena, sizeof(*s));
    if (s == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "run: out of memory");
    *s = (struct supervisor){.h = h, .lock_fd = -1, .signal_fd = -1};
    wf_log_open("supervisor", WF_LOG_INFO);
    int rc = prepare(s);
    if (rc == 0 && !hoso_has(h, OPT_CHECK)) {
        wf_log(WF_LOG_INFO, WF_LOG_START_EVENT, NULL, "cell %s, pid %d", h->settings.cell,
               (int)getpid());
        loop(s);
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "all workers have stopped");
        rc = s->rc;
    }
    if (rc == 0 && hoso_has(h, OPT_CHECK))
        tell_check(s);
    wf_board_close(s->board);
    if (s->signal_fd >= 0)
        (void)close(s->signal_fd);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    return rc;
}

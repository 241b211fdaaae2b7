/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drain: the cell is put on hold, so that nothing new begins at its edges, and what is under way is
 * waited for: queue items and timers that are due, leases that run. A stop without it loses nothing
 * either; it only leaves people with tasks in their hands that they cannot hand in.
 */
#include "hoso.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "holds.h"

#define LOOK_MS    100
#define TIMEOUT_S  60
#define STOPPED_MS 15000 /* the supervisor gives its workers ten seconds */

/* ---- what is left ---------------------------------------------------------------------------- */

struct left {
    int64_t items;  /* queued, where one of the queue is due */
    int64_t timers; /* 1 = some are due */
    int64_t leases;
};

struct look {
    struct left left;
    int64_t real_ms;
    struct wf_arena *row; /* one task at a time */
};

static int count_lease(void *context, const struct wf_rec_task *task)
{
    struct look *look = context;
    look->left.leases += task->leased && task->visible > look->real_ms;
    wf_arena_reset(look->row);
    return 0;
}

static int read_left(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct look *look = context;
    const struct wf_counts *counts = wf_txn_counts(txn);
    struct wf_clock clock = wf_store_clock(h->store);
    int64_t given_out = 0;
    look->real_ms = wf_real_ms();
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++) {
        int64_t item = 0;
        int64_t timer = 0;
        int rc = wf_queue_next_due(txn, (enum wf_service)s, &item, &h->err);
        if (rc == 0)
            rc = wf_timer_next_due(txn, (enum wf_service)s, &timer, &h->err);
        if (rc != 0)
            return rc;
        look->left.items += item <= look->real_ms ? counts->queued[s] : 0;
        look->left.timers |= timer <= wf_business_ms(&clock, look->real_ms);
        given_out += counts->leased[s];
    }
    return given_out > 0 ? wf_task_each(txn, look->row, count_lease, look, &h->err) : 0;
}

static int look_around(struct hoso *h, struct left *out)
{
    struct look look = {.row = wf_arena_new(0)};
    int rc = look.row != NULL ? hoso_read(h, read_left, &look)
                              : wf_fail(&h->err, WF_E_NOMEM, "drain: out of memory");
    wf_arena_free(look.row);
    *out = look.left;
    return rc;
}

static bool is_drained(const struct left *left)
{
    return left->items == 0 && left->timers == 0 && left->leases == 0;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void pause_ms(long ms)
{
    const struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&span, NULL);
}

/* For people, on standard error: the answer is on standard output. */
static void say_progress(const struct hoso *h, const struct left *now, struct left *said)
{
    if (memcmp(now, said, sizeof(*now)) == 0 || h->json)
        return;
    (void)fprintf(stderr,
                  h->vi ? "còn: %" PRId64 " việc trong hàng đợi%s, %" PRId64 " việc đang giao\n"
                        : "left: %" PRId64 " queue items%s, %" PRId64 " leases\n",
                  now->items,
                  now->timers == 0 ? ""
                  : h->vi          ? ", hẹn giờ đến hạn"
                                   : ", due timers",
                  now->leases);
    *said = *now;
}

static int wait_until_drained(struct hoso *h, int64_t timeout_s, struct left *left)
{
    int64_t until_ms = wf_monotonic_ms() + timeout_s * 1000;
    struct left said = {.items = -1};
    for (;;) {
        int rc = look_around(h, left);
        if (rc != 0)
            return rc;
        say_progress(h, left, &said);
        if (is_drained(left) || wf_monotonic_ms() >= until_ms)
            return 0;
        pause_ms(LOOK_MS);
    }
}

/* ---- the supervisor -------------------------------------------------------------------------- */

/* Its lock file, opened; *out_pid 0 where nobody holds the lock. */
static int find_supervisor(struct hoso *h, int *out_fd, pid_t *out_pid)
{
    char path[4096];
    char text[16] = "";
    *out_pid = 0;
    if (!hoso_path(path, h->settings.run, "supervisor.lock"))
        return wf_fail(&h->err, WF_E_CONFIG, "the run folder's path is too long");
    *out_fd = open(path, O_RDWR | O_CLOEXEC);
    if (*out_fd < 0)
        return errno == ENOENT ? 0 : wf_fail(&h->err, WF_E_IO, "%s: %s", path, strerror(errno));
    if (flock(*out_fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    ssize_t n = pread(*out_fd, text, sizeof(text) - 1, 0);
    *out_pid = n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
    return *out_pid > 1 ? 0 : wf_fail(&h->err, WF_E_STATE, "%s names no process", path);
}

static int stop_supervisor(struct hoso *h, int fd, pid_t pid)
{
    int64_t until_ms = wf_monotonic_ms() + STOPPED_MS;
    if (kill(pid, SIGTERM) != 0)
        return wf_fail(&h->err, WF_E_IO, "end hoso run (pid %d): %s", (int)pid, strerror(errno));
    while (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        if (wf_monotonic_ms() >= until_ms)
            return wf_fail(&h->err, WF_E_TIMEOUT, "hoso run (pid %d) does not end", (int)pid);
        pause_ms(LOOK_MS / 5);
    }
    return 0;
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* On hold already, by an earlier drain perhaps, is as good. */
static int hold_cell(struct hoso *h)
{
    const struct wf_hold_order order = {.kind = WF_HOLD_CELL,
                                        .by = hoso_operator(h),
                                        .reason = hoso_has(h, OPT_REASON) ? h->opt[OPT_REASON]
                                                                          : "the cell is drained"};
    struct wf_engine *engine = NULL;
    int rc = hoso_engine(h, &engine);
    if (rc == 0)
        rc = holds_act(h, engine, &order, false);
    wf_engine_close(engine);
    return rc == WF_E_STATE ? 0 : rc;
}

static int tell(struct hoso *h, const struct left *left, bool stopped)
{
    bool drained = is_drained(left);
    bool done = false;
    /* clang-format off */
    int rc = hoso_answer(h, hoso_map(h,
        "drained", wf_bool(drained),
        "stopped", wf_bool(stopped),
        "items", wf_int(h->arena, left->items),
        "timers", wf_bool(left->timers != 0),
        "leases", wf_int(h->arena, left->leases),
        NULL), &done);
    /* clang-format on */
    if (rc == 0 && !done) {
        (void)puts(drained ? (h->vi ? "đã làm xong mọi việc đến hạn" : "drained: nothing is left")
                           : (h->vi ? "hết giờ chờ" : "the time is over"));
        if (stopped)
            (void)puts(h->vi ? "cụm đã dừng" : "the cell is stopped");
        (void)puts(h->vi ? "`hoso release cell --reason ...` mở lại việc tiếp nhận"
                         : "`hoso release cell --reason ...` opens it again");
    }
    return rc == 0 && !drained ? HOSO_FAILED : rc;
}

int hoso_drain(struct hoso *h)
{
    bool stop = hoso_has(h, OPT_STOP);
    struct left left = {0};
    int64_t timeout_s = 0;
    pid_t pid = 0;
    int fd = -1;
    int rc = hoso_number(h, OPT_TIMEOUT, TIMEOUT_S, 86400, &timeout_s);
    if (rc == 0)
        rc = hoso_cell(h);
    if (rc == 0 && stop)
        rc = find_supervisor(h, &fd, &pid);
    if (rc == 0 && stop && pid == 0)
        rc = wf_fail(&h->err, WF_E_STATE, "--stop: no `hoso run` runs for this cell");
    if (rc == 0)
        rc = hold_cell(h);
    if (rc == 0)
        rc = wait_until_drained(h, timeout_s, &left);
    if (rc == 0 && stop)
        rc = stop_supervisor(h, fd, pid);
    if (fd >= 0)
        (void)close(fd);
    return rc == 0 ? tell(h, &left, stop) : rc;
}

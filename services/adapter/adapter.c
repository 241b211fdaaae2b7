/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an adapter: one thread, turn after turn. A turn may wait for the cell or the other
 * system as long as its time limits say, so a signal is heard after that at the latest.
 */
#include "adapter/adapter.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "workflow/log.h"
#include "workflow/sandbox.h"

#define WAIT_MOST_MS 60000
#define TURN_MOST_MS 120000 /* a turn that takes longer from beat to beat does not get on */
#define LOG_RATE     1000   /* as hoso.cfg has it by default: there is none where a gate is set */

/* ---- back-off -------------------------------------------------------------------------------- */

/* Between three quarters and five quarters of what it was. */
static int64_t with_chance(int64_t ms)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        return ms;
    return ms * 3 / 4 + (int64_t)random % (ms / 2 + 1);
}

void adapter_backoff_grow(struct adapter_backoff *b, const struct adapter_settings *settings,
                          int64_t now_ms)
{
    int64_t most =
        settings->retry_most_ms > settings->retry_ms ? settings->retry_most_ms : settings->retry_ms;
    b->wait_ms = b->wait_ms == 0 ? settings->retry_ms : b->wait_ms * 2;
    if (b->wait_ms > most)
        b->wait_ms = most;
    b->until_ms = now_ms + with_chance(b->wait_ms);
}

void adapter_backoff_reset(struct adapter_backoff *b)
{
    *b = (struct adapter_backoff){0};
}

bool adapter_may_pass(int code)
{
    switch (code) {
    case WF_E_IO:
    case WF_E_CORRUPT:
    case WF_E_CONFIG:
    case WF_E_VERSION:
    case WF_E_INTERNAL:
        return false;
    default:
        return true;
    }
}

/* ---- signals --------------------------------------------------------------------------------- */

/* SIGHUP ends all waits: what waits for its time is looked at now. */
bool adapter_wait(struct adapter *a, int64_t ms)
{
    struct pollfd fds[] = {{.fd = a->signal_fd, .events = POLLIN},
                           {.fd = a->wake_fd, .events = POLLIN}};
    struct signalfd_siginfo info;
    if (a->stopping)
        return true;
    a->hurry = false;
    (void)poll(fds, a->wake_fd > 0 ? 2 : 1,
               ms > WAIT_MOST_MS ? WAIT_MOST_MS
               : ms > 0          ? (int)ms
                                 : 0);
    while (read(a->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            a->hurry = true;
        else
            a->stopping = true;
    }
    return a->stopping;
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* An outage is told once when it begins, and again when its reason changes. */
static void say_failure(const struct wf_error *err, struct adapter_side *side)
{
    if (err->code == side->last.code && strcmp(err->text, side->last.text) == 0)
        return;
    wf_log(WF_LOG_WARN, WF_LOG_RETRY_EVENT, &(struct wf_log_fact){.rc = err->code}, "%s%s%s",
           side->name != NULL ? side->name : "", side->name != NULL ? ": " : "", err->text);
    side->last = *err;
}

static void say_recovery(struct adapter_side *side)
{
    if (side->last.code != 0)
        wf_log(WF_LOG_INFO, WF_LOG_NOTE_EVENT, NULL, "%s works again",
               side->name != NULL ? side->name : "it");
    side->last = (struct wf_error){0};
}

void adapter_note_away(struct wf_board_portal *slot, int64_t away)
{
    if (away == 0)
        slot->away_since_timestamp_seconds = 0;
    else if (slot->away == 0)
        slot->away_since_timestamp_seconds = wf_real_ms() / 1000;
    slot->away = away;
}

static void settle(struct adapter *a, struct adapter_side *side, int rc, const struct wf_error *err)
{
    a->slot->failures += rc < 0;
    adapter_note_away(a->slot, a->slot->away + (rc < 0) - side->is_away);
    side->is_away = rc < 0;
    if (rc < 0) {
        say_failure(err, side);
        adapter_backoff_grow(&side->backoff, a->common, wf_monotonic_ms());
    } else {
        say_recovery(side);
        adapter_backoff_reset(&side->backoff);
    }
}

static void come_back(const struct adapter_side *side, int64_t now_ms, int64_t *wait_ms)
{
    int64_t left = side->backoff.until_ms - now_ms;
    if (left > 0 && left < *wait_ms)
        *wait_ms = left;
}

int adapter_work(struct adapter *a, struct adapter_side *side,
                 int (*work)(struct adapter *a, struct wf_error *err), int64_t *wait_ms,
                 struct wf_error *err)
{
    int rc = 0;
    if (a->hurry)
        adapter_backoff_reset(&side->backoff);
    if (side->backoff.until_ms <= wf_monotonic_ms()) {
        *err = (struct wf_error){0};
        rc = work(a, err);
        if (rc < 0 && !adapter_may_pass(rc))
            return rc;
        settle(a, side, rc, err);
    }
    if (rc > 0)
        *wait_ms = 0;
    come_back(side, wf_monotonic_ms(), wait_ms);
    return 0;
}

void adapter_beat(struct adapter *a, int64_t ms)
{
    a->slot->beat_ms = wf_monotonic_ms() + (ms > TURN_MOST_MS ? ms : TURN_MOST_MS);
}

/* A turn may wait for the other system, and a wait is meant: the next beat is told beforehand. */
static bool rest(struct adapter *a, int64_t ms)
{
    a->slot->beat_ms = wf_monotonic_ms() + (ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS);
    bool stops = adapter_wait(a, ms);
    adapter_beat(a, 0);
    return stops;
}

static int loop(struct adapter *a, struct wf_error *err)
{
    int64_t wait_ms = 0;
    while (!rest(a, wait_ms)) {
        int64_t now = wf_monotonic_ms();
        wait_ms = a->common->poll_ms;
        if (a->side.backoff.until_ms > now && !a->hurry) {
            wait_ms = a->side.backoff.until_ms - now;
            continue;
        }
        wf_arena_reset(a->arena);
        *err = (struct wf_error){0};
        int rc = a->spec->turn(a, &wait_ms, err);
        a->slot->turns++;
        a->hurry = false;
        if (rc < 0 && !adapter_may_pass(rc))
            return rc;
        settle(a, &a->side, rc, err);
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int load(struct adapter *a, const struct adapter_spec *spec, struct wf_error *err)
{
    char config[4096];
    char line[1024];
    struct wf_report report = {0};
    struct wf_options options = a->options;
    (void)snprintf(config, sizeof(config), "%s", options.config);
    int rc = adapter_load(a, spec, dirname(config), &report, err);
    a->options = options;
    for (size_t i = 0; rc != 0 && i < report.n; i++)
        (void)fprintf(stderr, "%s\n", wf_report_line(&report, i, line, sizeof(line)));
    wf_report_fini(&report);
    if (rc != 0)
        return rc;
    int level = wf_log_level_of(a->common->log_level);
    if (options.verbose)
        level = WF_LOG_DEBUG;
    if (level >= 0)
        wf_log_set_level((enum wf_log_level)level);
    wf_log_set_rate(a->run != NULL ? (unsigned)a->cell.log_rate : LOG_RATE);
    return 0;
}

bool adapter_is_running(const struct adapter_settings *settings)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s.lock", settings->database);
    int fd = length > 0 && (size_t)length < sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    bool is_held = flock(fd, LOCK_SH | LOCK_NB) != 0;
    (void)close(fd);
    return is_held;
}

/* Two that work on one outbox would say everything twice. Held until the process ends. */
static int take_lock(struct adapter *a, struct wf_error *err)
{
    if (a->common->database == NULL)
        return 0;
    const char *path = wf_arena_printf(a->texts, "%s.lock", a->common->database);
    if (path == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->lock_fd < 0)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", path, strerror(errno));
    if (flock(a->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return wf_fail(err, WF_E_STATE, "%s: another hoso-%s works with this database", path,
                       a->spec->name);
    return 0;
}

int adapter_confine(const char *setting, bool connects, struct wf_error *err)
{
    const struct wf_sandbox what = {.connects = connects, .all_files = true};
    return wf_sandbox_apply(setting, &what, err);
}

/* Figures are no reason not to work: without a board they go nowhere. */
static void open_board(struct adapter *a)
{
    enum wf_board_process process = wf_board_process_of(a->spec->name);
    mode_t mask = umask(007); /* the gate has a user of its own */
    if (a->run != NULL && process != WF_BOARD_PROCESS_COUNT &&
        wf_board_open(a->run, &a->board, NULL) == 0)
        a->slot = wf_board_process_begin(a->board, process);
    (void)umask(mask);
    a->slot->started_real_ms = wf_real_ms();
    a->slot->pid = getpid();
}

static void close_board(struct adapter *a)
{
    if (a->board != NULL)
        (void)wf_board_process_begin(a->board, wf_board_process_of(a->spec->name));
    wf_board_close(a->board);
}

static int live(struct adapter *a, struct wf_error *err)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    int rc = process_signals(signals, WF_COUNT(signals), &a->signal_fd, err);
    if (rc == 0)
        rc = take_lock(a, err);
    if (rc == 0)
        open_board(a);
    if (rc == 0) /* the cell's settings are read only where there is no gate */
        rc = adapter_confine(a->cell.sandbox, !a->spec->is_local, err);
    if (rc == 0 && a->spec->open != NULL)
        rc = a->spec->open(a, err);
    if (rc == 0) {
        wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d, as party %s", (int)getpid(),
               a->common->party != NULL ? a->common->party : "of each folder");
        a->slot->ready = 1;
        wf_options_say_ready(&a->options);
        rc = loop(a, err);
    }
    if (a->spec->close != NULL)
        a->spec->close(a);
    close_board(a);
    return rc;
}

int adapter_main(const struct adapter_spec *spec, int argc, char **argv)
{
    struct adapter a = {.signal_fd = -1, .lock_fd = -1};
    struct wf_error err = {0};
    wf_log_open(spec->name, WF_LOG_INFO);
    if (!wf_options_read(argc, argv, spec->doc, &a.options))
        return 2;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)umask(077); /* its database holds what citizens told the state */
    int rc = load(&a, spec, &err);
    if (rc == 0 && !a.options.check_only) {
        rc = live(&a, &err);
        if (rc == 0)
            wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped in good order");
    }
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", err.text);
    adapter_unload(&a);
    return rc == 0 ? 0 : rc == WF_E_CONFIG || rc == WF_E_NOT_FOUND ? 2 : 1;
}

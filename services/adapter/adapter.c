/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an adapter: one thread, turn after turn. A turn may wait for the cell or the other
 * system as long as its time limits say, so a signal is heard after that at the latest.
 */
#include "adapter/adapter.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workflow/log.h"

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

static int catch_signals(struct adapter *a, struct wf_error *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        a->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return a->signal_fd >= 0 ? 0 : wf_fail(err, WF_E_IO, "signalfd: %s", strerror(errno));
}

/* SIGHUP only ends the wait: what waits for its time is looked at now. */
bool adapter_wait(struct adapter *a, int64_t ms)
{
    struct pollfd fds[] = {{.fd = a->signal_fd, .events = POLLIN},
                           {.fd = a->wake_fd, .events = POLLIN}};
    struct signalfd_siginfo info;
    if (a->stopping)
        return true;
    (void)poll(fds, a->wake_fd > 0 ? 2 : 1, ms > 60000 ? 60000 : ms > 0 ? (int)ms : 0);
    while (read(a->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            adapter_backoff_reset(&a->backoff);
        else
            a->stopping = true;
    }
    return a->stopping;
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* An outage is told once when it begins, and again when its reason changes. */
static void say_failure(const struct wf_error *err, struct wf_error *last)
{
    if (err->code == last->code && strcmp(err->text, last->text) == 0)
        return;
    wf_log(WF_LOG_WARN, WF_LOG_RETRY_EVENT, &(struct wf_log_fact){.rc = err->code}, "%s",
           err->text);
    *last = *err;
}

static void say_recovery(struct wf_error *last)
{
    if (last->code != 0)
        wf_log(WF_LOG_INFO, WF_LOG_NOTE_EVENT, NULL, "works again");
    *last = (struct wf_error){0};
}

static int loop(struct adapter *a, struct wf_error *err)
{
    struct wf_error last = {0};
    int64_t wait_ms = 0;
    while (!adapter_wait(a, wait_ms)) {
        int64_t now = wf_monotonic_ms();
        if (a->backoff.until_ms > now) {
            wait_ms = a->backoff.until_ms - now;
            continue;
        }
        wf_arena_reset(a->arena);
        wait_ms = a->common->poll_ms;
        *err = (struct wf_error){0};
        int rc = a->spec->turn(a, &wait_ms, err);
        if (rc < 0 && !adapter_may_pass(rc))
            return rc;
        if (rc < 0) {
            say_failure(err, &last);
            adapter_backoff_grow(&a->backoff, a->common, wf_monotonic_ms());
            wait_ms = 0;
        } else {
            say_recovery(&last);
            adapter_backoff_reset(&a->backoff);
        }
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
    static const char *const levels[] = {"fatal", "error", "warn", "info", "debug"};
    for (size_t i = 1; i < WF_COUNT(levels); i++) {
        if (strcmp(a->common->log_level, levels[i]) == 0)
            wf_log_set_level((enum wf_log_level)i);
    }
    if (options.verbose)
        wf_log_set_level(WF_LOG_DEBUG);
    return 0;
}

static int live(struct adapter *a, struct wf_error *err)
{
    int rc = catch_signals(a, err);
    if (rc == 0 && a->spec->open != NULL)
        rc = a->spec->open(a, err);
    if (rc == 0) {
        wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d, as party %s", (int)getpid(),
               a->common->party != NULL ? a->common->party : "of each folder");
        wf_options_say_ready(&a->options);
        rc = loop(a, err);
    }
    if (a->spec->close != NULL)
        a->spec->close(a);
    return rc;
}

int adapter_main(const struct adapter_spec *spec, int argc, char **argv)
{
    struct adapter a = {.signal_fd = -1};
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
    int signal_fd = a.signal_fd;
    adapter_unload(&a);
    if (signal_fd >= 0)
        (void)close(signal_fd);
    return rc == 0 ? 0 : rc == WF_E_CONFIG || rc == WF_E_NOT_FOUND ? 2 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hoso-bridge: settings, lines to the workers, HTTP; then one loop until a signal ends it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge.h"
#include "process.h"
#include "workflow/log.h"
#include "workflow/sandbox.h"

#define STOP_MS 2000 /* what is under way may so long be finished */

struct bridge {
    struct wf_options options;
    struct wf_settings settings;
    struct guard guard;
    struct asks asks;
    struct http *http;
    struct wf_board *board;
    struct wf_board_bridge *slot;
    int signal_fd, lock_fd;
    int64_t stop_by_ms; /* 0 = it goes on */
    int64_t notify_at_ms;
};

static int read_settings(struct bridge *bridge, struct wf_error *err)
{
    char line[1024];
    struct wf_report report = {0};
    int rc = wf_settings_load(bridge->options.config, &report, &bridge->settings, err);
    for (size_t i = 0; rc != 0 && i < report.n; i++)
        (void)fprintf(stderr, "%s\n", wf_report_line(&report, i, line, sizeof(line)));
    wf_report_fini(&report);
    if (rc == 0 && bridge->options.listen == NULL)
        bridge->options.listen = bridge->settings.bridge_listen;
    if (rc == 0 && bridge->options.listen[0] == '\0')
        rc = wf_fail(err, WF_E_CONFIG, "bridge_listen is empty: say in hoso.cfg where to listen");
    return rc == WF_E_IO ? (err->code = WF_E_CONFIG) : rc;
}

/* Left: the sockets of the workers, the registry, HTTP. */
static int give_up_rights(const struct bridge *bridge, struct wf_error *err)
{
    const struct wf_settings *s = &bridge->settings;
    char parties[1100];
    (void)snprintf(parties, sizeof(parties), "%s/parties", s->folder);
    (void)mkdir(parties, 0700); /* it may fill later, and must be named now */
    const char *const own[] = {s->run};
    const char *const to_read[] = {parties};
    const struct wf_sandbox what = {
        .write = own, .n_write = 1, .read = to_read, .n_read = 1, .listens = true};
    return wf_sandbox_apply(s->sandbox, &what, err);
}

static int open_board(struct bridge *bridge, struct wf_error *err)
{
    int rc = wf_board_open(bridge->settings.run, &bridge->board, err);
    if (rc != 0)
        return rc;
    bridge->slot = wf_board_bridge(bridge->board);
    *bridge->slot = (struct wf_board_bridge){.pid = getpid(), .started_real_ms = wf_real_ms()};
    return 0;
}

static int open_all(struct bridge *bridge, struct wf_error *err)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    const struct wf_settings *s = &bridge->settings;
    bridge->guard.rate = s->bridge_requests;
    bridge->guard.folder = wf_arena_printf(s->arena, "%s/parties", s->folder);
    bridge->asks.guard = &bridge->guard;
    bridge->asks.timeout_ms = s->bridge_timeout_ms;
    if (bridge->guard.folder == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    guard_look(&bridge->guard, wf_monotonic_ms());
    int rc = process_signals(signals, WF_COUNT(signals), &bridge->signal_fd, err);
    if (rc == 0) /* before the board: its place there is that of one process */
        rc = process_lock(s->run, "bridge", &bridge->lock_fd, err);
    if (rc == 0)
        rc = give_up_rights(bridge, err);
    if (rc == 0)
        rc = wf_workers_open(s->run, &bridge->asks.workers, err);
    if (rc == 0)
        rc = asks_open(&bridge->asks, err);
    if (rc == 0)
        rc = open_board(bridge, err);
    const struct http_options options = {.listen = bridge->options.listen,
                                         .connections = (unsigned)s->bridge_connections,
                                         .slow_ms = s->bridge_slow_ms,
                                         .slot = bridge->slot};
    if (rc == 0)
        rc = http_open(&options, &bridge->guard, &bridge->asks, &bridge->http, err);
    return rc;
}

static void close_all(struct bridge *bridge)
{
    if (bridge->http != NULL)
        asks_give_up(&bridge->asks);
    http_close(bridge->http);
    asks_close(&bridge->asks);
    wf_workers_close(bridge->asks.workers);
    guard_close(&bridge->guard);
    if (bridge->slot != NULL)
        *bridge->slot = (struct wf_board_bridge){0};
    wf_board_close(bridge->board);
    if (bridge->signal_fd >= 0)
        (void)close(bridge->signal_fd);
    if (bridge->lock_fd >= 0)
        (void)close(bridge->lock_fd);
    wf_settings_free(&bridge->settings);
}

static void say_ready(const struct bridge *bridge)
{
    bridge->slot->ready = 1;
    wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "http at %s", http_place(bridge->http));
    wf_options_say_ready(&bridge->options);
}

static void take_signals(struct bridge *bridge, int64_t now_ms)
{
    struct signalfd_siginfo info;
    while (read(bridge->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            bridge->guard.look_at_ms = 0;
        } else if (bridge->stop_by_ms == 0) {
            bridge->stop_by_ms = now_ms + STOP_MS;
            bridge->asks.stopping = true;
            http_quiesce(bridge->http);
        }
    }
}

static int64_t wait_ms(struct bridge *bridge)
{
    int64_t now = wf_monotonic_ms();
    int64_t due = http_due_ms(bridge->http, now);
    int64_t asks = asks_due_ms(&bridge->asks);
    if (asks < due)
        due = asks;
    if (bridge->guard.look_at_ms < due)
        due = bridge->guard.look_at_ms;
    return due > now ? due - now : 0;
}

static void say_alive(struct bridge *bridge, int64_t now)
{
    int64_t every = wf_notify_every_ms();
    if (now < bridge->notify_at_ms)
        return;
    bridge->notify_at_ms = every == INT64_MAX ? INT64_MAX : now + every;
    if (every != INT64_MAX)
        wf_notify("WATCHDOG=1"); /* the registry is looked at often enough to come by in time */
}

static int loop(struct bridge *bridge, struct wf_error *err)
{
    struct pollfd fds[] = {{.fd = bridge->signal_fd}, {.fd = http_fd(bridge->http)}};
    for (;;) {
        int rc = wf_workers_wait(bridge->asks.workers, fds, WF_COUNT(fds), wait_ms(bridge), err);
        int64_t now = wf_monotonic_ms();
        bridge->slot->beat_ms = now;
        take_signals(bridge, now);
        http_run(bridge->http, now);
        guard_look(&bridge->guard, now);
        say_alive(bridge, now);
        if (rc == 0)
            rc = asks_run(&bridge->asks, now, err);
        if (rc != 0)
            return rc;
        /* idle connections are not waited for */
        if (bridge->stop_by_ms != 0 && (now >= bridge->stop_by_ms || !asks_any(&bridge->asks)))
            return 0;
    }
}

/* What was asked of us and not answered in time gets an answer all the same. */
static void end_well(struct bridge *bridge)
{
    asks_give_up(&bridge->asks);
    for (int i = 0; i < 10; i++)
        http_run(bridge->http, wf_monotonic_ms());
}

int main(int argc, char **argv)
{
    static struct bridge bridge = {.signal_fd = -1, .lock_fd = -1};
    struct wf_error err = {0};
    wf_log_open("bridge", WF_LOG_INFO);
    if (!wf_options_read_listen(argc, argv, "The queue endpoints over HTTP: docs/bridge.md.\v",
                                &bridge.options))
        return 2;
    int rc = read_settings(&bridge, &err);
    if (rc == 0)
        wf_settings_log(&bridge.settings, bridge.options.verbose);
    if (rc == 0 && !bridge.options.check_only)
        rc = open_all(&bridge, &err);
    if (rc == 0 && !bridge.options.check_only) {
        say_ready(&bridge);
        rc = loop(&bridge, &err);
        end_well(&bridge);
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped");
    }
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", err.text);
    close_all(&bridge);
    return rc == 0 ? 0 : rc == WF_E_CONFIG ? 2 : 1;
}

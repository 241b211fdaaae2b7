/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a station: options, open, ready, rounds, stop. Exit codes as the workers'. */
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter/adapter.h"
#include "process.h"
#include "relay/relay.h"

static void take_signals(struct relay *relay)
{
    struct signalfd_siginfo info;
    while (read(relay->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            relay->line.probe_ms = relay->line.resend_ms = 0; /* look now */
        else if (info.ssi_signo == SIGUSR1)
            wf_log_set_level(wf_log_level() == WF_LOG_DEBUG ? WF_LOG_INFO : WF_LOG_DEBUG);
        else
            relay->stopping = true;
    }
}

/* Figures are no reason not to work: without a board they go nowhere. */
static void open_board(struct relay *relay)
{
    if (wf_board_open(relay->cell.run, &relay->board, NULL) == 0)
        relay->slot = wf_board_process_begin(relay->board, WF_BOARD_relay);
    relay->slot->last_heard_timestamp_seconds = relay->heard_before;
    relay->slot->started_real_ms = wf_real_ms();
    relay->slot->pid = getpid();
}

static void close_board(struct relay *relay)
{
    if (relay->board != NULL)
        (void)wf_board_process_begin(relay->board, WF_BOARD_relay);
    relay->slot = &relay->unseen;
    wf_board_close(relay->board);
}

/* A wait is meant: the next beat is told beforehand. */
static int rest(struct relay *relay, struct pollfd *signals, struct wf_error *err)
{
    int64_t now = wf_monotonic_ms();
    int64_t left = line_next_ms(relay) - now;
    if (left < 0)
        left = 0;
    relay->slot->beat_ms = now + left;
    int rc = wf_outpost_wait(relay->outpost, signals, 1, left, err);
    relay->slot->beat_ms = wf_monotonic_ms();
    return rc;
}

static int loop(struct relay *relay, struct wf_error *err)
{
    int rc = 0;
    while (!relay->stopping && rc == 0) {
        struct pollfd signals = {.fd = relay->signal_fd, .events = POLLIN};
        rc = rest(relay, &signals, err);
        if (signals.revents != 0)
            take_signals(relay);
        if (rc == 0)
            rc = take_requests(relay, err);
        if (rc == 0)
            rc = line_round(relay, err);
    }
    return rc;
}

static int load(struct relay *relay, const struct wf_options *options, struct wf_error *err)
{
    char config[4096];
    char line[1024];
    struct wf_report report = {0};
    (void)snprintf(config, sizeof(config), "%s", options->config);
    int rc = relay_load(dirname(config), relay, &report, err);
    for (size_t i = 0; rc != 0 && i < report.n; i++)
        (void)fprintf(stderr, "%s\n", wf_report_line(&report, i, line, sizeof(line)));
    wf_report_fini(&report);
    if (rc == 0)
        wf_settings_log(&relay->cell, options->verbose);
    return rc;
}

static int live(struct relay *relay, const struct wf_options *options, struct wf_error *err)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    int rc = process_signals(signals, WF_COUNT(signals), &relay->signal_fd, err);
    if (rc == 0)
        rc = adapter_confine(relay->cell.sandbox, true, err);
    if (rc == 0)
        rc = relay_open(relay, err);
    if (rc == 0) {
        open_board(relay);
        wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d, %zu definitions", (int)getpid(),
               relay->n_definitions);
        relay->slot->ready = 1;
        wf_options_say_ready(options);
        rc = loop(relay, err);
    }
    close_board(relay);
    return rc;
}

int main(int argc, char **argv)
{
    static struct relay relay = {.signal_fd = -1, .slot = &relay.unseen};
    struct wf_options options;
    struct wf_error err = {0};
    wf_log_open("relay", WF_LOG_INFO);
    if (!wf_options_read(argc, argv, "A station of a Hoso cell: takes in and hands over.\v",
                         &options))
        return 2;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)umask(077); /* its store holds what citizens told the state */
    int rc = load(&relay, &options, &err);
    if (rc == 0)
        rc = options.check_only ? relay_check(&relay, &err) : live(&relay, &options, &err);
    relay_close(&relay);
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", err.text);
    else
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped in good order");
    relay_unload(&relay);
    return process_exit(rc);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the gate: options, open, ready, loop, stop. Exit codes as the workers'. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "gate/gate.h"

#define LOOK_MS 1000 /* between two looks at the registry and at overdue requests */

enum { KEY_CHECK = 256, KEY_FOREGROUND, KEY_READY, KEY_VERSION };

static const struct argp_option rows[] = {
    {"config", 'c', "FILE", 0, "settings of the cell (CELL/hoso.cfg)", 0},
    {"check", KEY_CHECK, NULL, 0, "check settings and key, then end", 0},
    {"foreground", KEY_FOREGROUND, NULL, 0, "stay in the foreground (always so)", 0},
    {"ready-fd", KEY_READY, "N", 0, "write a line to descriptor N when ready", 0},
    {"verbose", 'v', NULL, 0, "log level debug", 0},
    {"version", KEY_VERSION, NULL, 0, "print the version", 0},
    {0},
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
    struct gate_options *options = state->input;
    char *end = NULL;
    switch (key) {
    case 'c':
        options->config = arg;
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    case KEY_CHECK:
        options->check_only = true;
        return 0;
    case KEY_FOREGROUND:
        return 0;
    case KEY_READY:
        options->ready_fd = (int)strtol(arg, &end, 10);
        if (end == arg || *end != '\0' || options->ready_fd < 0)
            argp_error(state, "--ready-fd wants the number of an open descriptor, not \"%s\"", arg);
        return 0;
    case KEY_VERSION:
        (void)printf("hoso %s\n", HOSO_VERSION);
        exit(0);
    case ARGP_KEY_ARG:
        argp_error(state, "nothing to do with \"%s\"", arg);
        return 0;
    case ARGP_KEY_END:
        if (options->config == NULL)
            argp_error(state, "say where the cell is: --config CELL/hoso.cfg");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void take_signals(struct gate *gate)
{
    struct signalfd_siginfo info;
    while (read(gate->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            registry_read(gate, true);
        else if (info.ssi_signo == SIGUSR1)
            wf_log_set_level(wf_log_level() == WF_LOG_DEBUG ? WF_LOG_INFO : WF_LOG_DEBUG);
        else
            gate->stopping = true;
    }
}

static void look_around(struct gate *gate)
{
    int64_t now = wf_monotonic_ms();
    if (now < gate->next_look_ms)
        return;
    gate->next_look_ms = now + LOOK_MS;
    registry_read(gate, false);
    gate->slot->expired += pending_expire(&gate->pendings, now);
    struct wf_door_figures figures = wf_door_figures(gate->door);
    gate->slot->connections = (int64_t)figures.connections;
    gate->slot->unknown_keys = (int64_t)figures.refused;
    gate->slot->shut = (int64_t)figures.shut;
}

static int loop(struct gate *gate, struct wf_error *err)
{
    int rc = 0;
    while (!gate->stopping && rc == 0) {
        struct pollfd signals = {.fd = gate->signal_fd, .events = POLLIN};
        int64_t left = gate->next_look_ms - wf_monotonic_ms();
        rc = wf_door_wait(gate->door, &signals, 1, left > 0 ? left : 0, err);
        if (signals.revents != 0)
            take_signals(gate);
        look_around(gate);
        if (rc == 0)
            rc = pass_answers(gate, err);
        if (rc == 0)
            rc = pass_requests(gate, err);
    }
    return rc;
}

static void say_ready(const struct gate *gate, int fd)
{
    gate->slot->ready = 1;
    wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d, listens on %s", (int)getpid(),
           wf_door_endpoint(gate->door));
    if (fd < 0)
        return;
    ssize_t written = write(fd, "ready\n", 6);
    (void)written; /* who does not listen does not need it */
    (void)close(fd);
}

static int end(struct gate *gate, const struct wf_error *why, int rc)
{
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", why->text);
    else
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped in good order");
    gate_close(gate);
    if (rc == 0)
        return 0;
    return rc == WF_E_CONFIG || rc == WF_E_STATE || rc == WF_E_INVALID ? 2 : 1;
}

int main(int argc, char **argv)
{
    static struct gate gate;
    struct gate_options options = {.ready_fd = -1};
    struct wf_error err = {0};
    const struct argp argp = {
        .options = rows, .parser = take_option, .doc = "The gate of a Hoso cell."};
    argp_err_exit_status = 2;
    wf_log_open("gate", WF_LOG_INFO);
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;
    int rc = gate_open(&gate, &options, &err);
    if (rc == 0 && !options.check_only) {
        say_ready(&gate, options.ready_fd);
        rc = loop(&gate, &err);
    }
    return end(&gate, &err, rc);
}

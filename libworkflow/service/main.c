/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a worker: options, open, ready, loop, stop.
 */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "worker.h"

#define VERSION "0.1.0"

enum { KEY_CHECK = 256, KEY_FOREGROUND, KEY_READY, KEY_VERSION };

static const struct argp_option rows[] = {
    {"config", 'c', "FILE", 0, "settings of the cell (CELL/hoso.cfg)", 0},
    {"check", KEY_CHECK, NULL, 0, "check settings, store and procedures, then end", 0},
    {"foreground", KEY_FOREGROUND, NULL, 0, "stay in the foreground (always so)", 0},
    {"ready-fd", KEY_READY, "N", 0, "write a line to descriptor N when ready", 0},
    {"verbose", 'v', NULL, 0, "log level debug", 0},
    {"version", KEY_VERSION, NULL, 0, "print the version", 0},
    {0},
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
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
        (void)printf("hoso %s\n", VERSION);
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

/* The rows of the settings table follow the options in --help. */
static char *add_settings(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    struct wf_buf buf = {0};
    wf_buf_text(&buf, "Settings in the file:\n");
    wf_settings_help(&buf);
    wf_buf_add(&buf, "", 1);
    char *copy = buf.failed ? NULL : strdup((const char *)buf.ptr);
    wf_buf_fini(&buf);
    return copy;
}

static void take_signals(struct worker *worker)
{
    struct signalfd_siginfo info;
    while (read(worker->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGUSR1)
            wf_log_set_level(wf_log_level() == WF_LOG_DEBUG ? WF_LOG_INFO : WF_LOG_DEBUG);
        else
            worker->stopping = true;
    }
}

static void say_ready(const struct worker *worker, int fd)
{
    worker->slot->ready = 1;
    wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d", (int)getpid());
    if (fd < 0)
        return;
    ssize_t written = write(fd, "ready\n", 6);
    (void)written; /* who does not listen does not need it */
    (void)close(fd);
}

static int loop(struct worker *worker, struct wf_error *err)
{
    while (!worker->stopping) {
        struct pollfd signals = {.fd = worker->signal_fd, .events = POLLIN};
        int ready = 0;
        int rc = wf_hub_wait(worker->hub, &signals, 1, upkeep_timeout(worker), &ready, err);
        if (rc != 0)
            return rc;
        if (signals.revents != 0)
            take_signals(worker);
        rc = worker_batch(worker, err);
        if (rc == 0)
            rc = upkeep(worker, err);
        if (rc != 0 && wf_code_action(rc) == WF_RETRY) {
            wf_log(WF_LOG_WARN, WF_LOG_BATCH_EVENT, &(struct wf_log_fact){.rc = rc}, "%s",
                   err->text);
            rc = 0;
        }
        if (rc != 0)
            return rc;
    }
    parked_expire(worker, true);
    return 0;
}

static int end(struct worker *worker, const struct wf_error *why, int rc)
{
    struct wf_log_fact fact = {.rc = rc};
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &fact, "%s", why->text);
    else
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped in good order");
    worker_close(worker);
    if (rc == 0)
        return 0;
    bool is_setup = rc == WF_E_CONFIG || rc == WF_E_STATE || rc == WF_E_VERSION ||
                    rc == WF_E_NOT_FOUND || rc == WF_E_INVALID;
    return is_setup ? 2 : 1;
}

int wf_service_main(const struct wf_service_spec *spec, const struct wf_catalogue *catalogue,
                    int argc, char **argv)
{
    static struct worker worker; /* large: not on the stack */
    struct options options = {.ready_fd = -1};
    struct wf_error err = {0};
    struct argp argp = {.options = rows,
                        .parser = take_option,
                        .doc = "A worker of a Hoso cell.\v",
                        .help_filter = add_settings};
    argp_err_exit_status = 2;
    wf_log_open(wf_service_word(spec->service), WF_LOG_INFO);
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;

    worker.spec = spec;
    worker.catalogue = *catalogue;
    int rc = worker_open(&worker, &options, &err);
    if (rc == 0 && !options.check_only) {
        say_ready(&worker, options.ready_fd);
        rc = loop(&worker, &err);
    }
    return end(&worker, &err, rc);
}

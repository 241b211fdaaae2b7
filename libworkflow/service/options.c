/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line that all long-running programs of a cell share.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workflow/service.h"

enum { KEY_CHECK = 256, KEY_FOREGROUND, KEY_READY, KEY_VERSION, KEY_LISTEN };

/* The first one is not of all programs. */
static const struct argp_option rows[] = {
    {"listen", KEY_LISTEN, "ADDRESS:PORT", 0,
     "instead of the settings' address; port 0 = any that is free", 0},
    {"config", 'c', "FILE", 0, "settings of the cell (CELL/hoso.cfg)", 0},
    {"check", KEY_CHECK, NULL, 0, "check what was configured, then end", 0},
    {"foreground", KEY_FOREGROUND, NULL, 0, "stay in the foreground (always so)", 0},
    {"ready-fd", KEY_READY, "N", 0, "write a line to descriptor N when ready", 0},
    {"verbose", 'v', NULL, 0, "log level debug", 0},
    {"version", KEY_VERSION, NULL, 0, "print the version", 0},
    {0},
};

static error_t take_option(int key, char *arg, struct argp_state *state)
{
    struct wf_options *options = state->input;
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
    case KEY_LISTEN:
        options->listen = arg;
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

static bool read_rows(int argc, char **argv, const char *doc, const struct argp_option *first,
                      struct wf_options *out)
{
    const struct argp argp = {
        .options = first, .parser = take_option, .doc = doc, .help_filter = add_settings};
    argp_err_exit_status = 2;
    *out = (struct wf_options){.ready_fd = -1};
    return argp_parse(&argp, argc, argv, 0, NULL, out) == 0;
}

bool wf_options_read(int argc, char **argv, const char *doc, struct wf_options *out)
{
    return read_rows(argc, argv, doc, rows + 1, out);
}

bool wf_options_read_listen(int argc, char **argv, const char *doc, struct wf_options *out)
{
    return read_rows(argc, argv, doc, rows, out);
}

void wf_options_say_ready(const struct wf_options *options)
{
    wf_notify("READY=1");
    if (options->ready_fd < 0)
        return;
    ssize_t written = write(options->ready_fd, "ready\n", 6);
    (void)written; /* who does not listen does not need it */
    (void)close(options->ready_fd);
}

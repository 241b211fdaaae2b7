/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a command line to a gate that is ready. Signals are blocked before ZeroMQ starts its
 * threads; bounds on memory and files are set before anything can use them.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/gate.h"
#include "process.h"
#include "workflow/sandbox.h"

/* The address sanitizer reserves more memory than any bound would let it. */
#if defined(__SANITIZE_ADDRESS__)
#define UNBOUNDED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNBOUNDED 1
#endif
#endif

#define SPARE_FILES 200 /* beside the connections: sockets of our own, registry, log */

static int load_settings(struct gate *gate, const char *path, struct wf_error *err)
{
    char line[1024];
    struct wf_report report = {0};
    int rc = wf_settings_load(path, &report, &gate->settings, err);
    for (size_t i = 0; i < report.n; i++)
        (void)fprintf(stderr, "%s\n", wf_report_line(&report, i, line, sizeof(line)));
    wf_report_fini(&report);
    if (rc == 0 && gate->settings.gate_listen[0] == '\0')
        return wf_fail(err, WF_E_CONFIG, "gate_listen is empty: this cell has no gate");
    return rc == WF_E_IO ? (err->code = WF_E_CONFIG) : rc;
}

/* ZeroMQ has no bound on what one message's frames may hold together: the process has. It ends when
 * memory is out, and is started again. */
static int set_bounds(const struct gate *gate, struct wf_error *err)
{
    struct rlimit files;
    struct rlimit none = {0, 0};
    rlim_t wanted = (rlim_t)gate->settings.gate_connections + SPARE_FILES;
    (void)setrlimit(RLIMIT_CORE, &none); /* it holds a secret key */
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return wf_fail(err, WF_E_IO, "getrlimit: %s", strerror(errno));
    if (files.rlim_max != RLIM_INFINITY && files.rlim_max < wanted)
        return wf_fail(err, WF_E_CONFIG,
                       "gate_connections: %lld need %llu open files, the system allows %llu",
                       (long long)gate->settings.gate_connections, (unsigned long long)wanted,
                       (unsigned long long)files.rlim_max);
    if (files.rlim_cur < wanted) {
        files.rlim_cur = wanted;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            return wf_fail(err, WF_E_IO, "setrlimit: %s", strerror(errno));
    }
#if !defined(UNBOUNDED)
    rlim_t bytes = (rlim_t)gate->settings.gate_memory_mib << 20;
    struct rlimit memory = {bytes, bytes};
    if (setrlimit(RLIMIT_DATA, &memory) != 0)
        return wf_fail(err, WF_E_IO, "setrlimit: %s", strerror(errno));
#endif
    return 0;
}

/* After this it can reach its socket folder and read the cell's settings and parties; it cannot open
 * the store, whatever the modes of the files say, nor connect to anything but the workers. */
static int give_up_rights(struct gate *gate, struct wf_error *err)
{
    const struct wf_settings *s = &gate->settings;
    char parties[1100];
    (void)snprintf(parties, sizeof(parties), "%s/parties", s->folder);
    (void)mkdir(parties, 0700); /* it may fill later, and must be named now */
    const char *const own[] = {s->run};
    const char *const to_read[] = {parties, gate->config};
    const struct wf_sandbox what = {
        .write = own, .n_write = 1, .read = to_read, .n_read = 2, .listens = true};
    return wf_sandbox_apply(s->sandbox, &what, err);
}

/* A worker answers a batch in one breath, so a connection must hold as many answers as its party may
 * wait for; twice, since ZeroMQ counts what it has sent only by halves of this mark. */
static int open_door(struct gate *gate, const struct wf_keypair *keys, struct wf_error *err)
{
    const struct wf_settings *s = &gate->settings;
    const struct wf_door_options options = {.endpoint = s->gate_listen,
                                            .run = s->run,
                                            .keys = keys,
                                            .connections = (int)s->gate_connections,
                                            .per_owner = (int)s->gate_party_connections,
                                            .high_water = 2 * (int)s->gate_unanswered,
                                            .handshake_ms = (int)s->gate_handshake_ms,
                                            .slow_ms = (int)s->gate_slow_ms};
    return wf_door_open(&options, &gate->door, err);
}

static int open_inside(struct gate *gate, const struct wf_keypair *keys, struct wf_error *err)
{
    int rc = wf_board_open(gate->settings.run, &gate->board, err);
    if (rc != 0)
        return rc;
    gate->slot = wf_board_gate(gate->board);
    *gate->slot = (struct wf_board_gate){.pid = getpid(), .started_real_ms = wf_real_ms()};
    rc = pending_open(&gate->pendings, gate->settings.gate_pending, err);
    if (rc == 0)
        rc = open_door(gate, keys, err);
    if (rc == 0)
        registry_read(gate, true);
    return rc;
}

/* A cell that has just been given a gate has no party yet, and so no key. */
static int read_keys(const struct gate *gate, struct wf_keypair *keys, struct wf_error *err)
{
    const char *path = gate->settings.gate_key;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return wf_fail(
            err, WF_E_CONFIG,
            "%s: not there: `hoso party gate-key` makes it, as does the first `hoso party "
            "add`",
            path);
    return wf_keypair_read(path, keys, NULL, err);
}

static void note_settings_file(struct gate *gate)
{
    struct stat is;
    if (stat(gate->config, &is) == 0) {
        gate->config_dev = is.st_dev;
        gate->config_ino = is.st_ino;
    }
}

/* The sandbox leaves it the file that was there at its start. Not the folder: that holds the store. */
static bool is_replaced(const struct gate *gate)
{
    struct stat is;
    return stat(gate->config, &is) == 0 &&
           (is.st_dev != gate->config_dev || is.st_ino != gate->config_ino);
}

static void say_kept(const struct gate *gate, const struct wf_report *report,
                     const struct wf_error *err)
{
    char line[1024];
    const struct wf_log_fact fact = {.rc = err->code};
    if (err->code == WF_E_IO && is_replaced(gate))
        wf_log(WF_LOG_ERROR, WF_LOG_START_EVENT, &fact,
               "the settings stay as they were: %s was replaced by another file, which the sandbox "
               "keeps out of reach: start the gate anew; next time, write the file in place",
               gate->config);
    else
        wf_log(WF_LOG_ERROR, WF_LOG_START_EVENT, &fact, "the settings stay as they were: %s",
               report->n > 0 ? wf_report_line(report, 0, line, sizeof(line)) : err->text);
}

void gate_settings_again(struct gate *gate)
{
    struct wf_report report = {0};
    struct wf_settings fresh = {0};
    struct wf_error err = {0};
    if (wf_settings_load(gate->config, &report, &fresh, &err) == 0) {
        gate->settings.gate_rate = fresh.gate_rate;
        gate->settings.gate_unanswered = fresh.gate_unanswered;
        gate->settings.gate_timeout_ms = fresh.gate_timeout_ms;
        wf_settings_log(&fresh, gate->verbose);
        wf_settings_free(&fresh);
        wf_log(WF_LOG_INFO, WF_LOG_START_EVENT, NULL, "settings were read again");
    } else {
        say_kept(gate, &report, &err);
    }
    wf_report_fini(&report);
}

int gate_open(struct gate *gate, const struct wf_options *options, struct wf_error *err)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    struct wf_keypair keys = {0};
    gate->signal_fd = gate->lock_fd = -1;
    gate->arena = wf_arena_new(0);
    if (gate->arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    int rc = load_settings(gate, options->config, err);
    if (rc != 0)
        return rc;
    gate->config = options->config;
    note_settings_file(gate);
    gate->verbose = options->verbose;
    wf_settings_log(&gate->settings, gate->verbose);
    (void)snprintf(gate->folder, sizeof(gate->folder), "%s/parties", gate->settings.folder);
    rc = read_keys(gate, &keys, err);
    if (rc == 0 && !options->check_only) /* a check stands beside the gate that runs */
        rc = process_lock(gate->settings.run, "gate", &gate->lock_fd, err);
    if (rc == 0)
        rc = set_bounds(gate, err);
    if (rc == 0)
        rc = process_signals(signals, WF_COUNT(signals), &gate->signal_fd, err);
    if (rc == 0 && !options->check_only)
        rc = give_up_rights(gate, err);
    if (rc == 0 && !options->check_only)
        rc = open_inside(gate, &keys, err);
    wf_keypair_wipe(&keys); /* ZeroMQ has its own copy */
    return rc;
}

void gate_close(struct gate *gate)
{
    wf_door_close(gate->door);
    if (gate->slot != NULL)
        *gate->slot = (struct wf_board_gate){0};
    wf_board_close(gate->board);
    pending_close(&gate->pendings);
    registry_free(gate);
    wf_settings_free(&gate->settings);
    wf_arena_free(gate->arena);
    wf_buf_fini(&gate->out);
    if (gate->signal_fd >= 0)
        (void)close(gate->signal_fd);
    if (gate->lock_fd >= 0)
        (void)close(gate->lock_fd);
}

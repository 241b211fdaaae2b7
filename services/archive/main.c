/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hoso-archive: moves the changes of a cell's store into the archive's folder, once a second, so
 * that the workers' commits carry no further sync. Exit codes as the workers'. Where the folder
 * cannot be written it ends, and the supervisor tries again; the changes wait in the store.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "workflow/archive.h"
#include "workflow/log.h"
#include "workflow/sandbox.h"
#include "workflow/service.h"

#define PAUSE_MS 1000

struct archiver {
    struct wf_settings settings;
    struct wf_store *store;
    struct wf_archive *archive;
    int signal_fd;
    bool stopping;
};

static int read_settings(struct archiver *a, const struct wf_options *options, struct wf_error *err)
{
    struct wf_report report = {0};
    char line[1024];
    int rc = wf_settings_load(options->config, &report, &a->settings, err);
    for (size_t i = 0; i < report.n; i++)
        wf_log(rc < 0 ? WF_LOG_ERROR : WF_LOG_WARN, WF_LOG_START_EVENT, NULL, "%s",
               wf_report_line(&report, i, line, sizeof(line)));
    wf_report_fini(&report);
    if (rc == 0 && a->settings.archive[0] == '\0')
        rc = wf_fail(err, WF_E_CONFIG, "%s: archive is empty: there is nothing to do",
                     options->config);
    if (rc == 0)
        wf_settings_log(&a->settings, options->verbose);
    return rc == WF_E_IO ? (err->code = WF_E_CONFIG) : rc;
}

/* Left: the store and the archive's folder; no network, no program. */
static int give_up_rights(const struct archiver *a, struct wf_error *err)
{
    const struct wf_settings *s = &a->settings;
    const char *const own[] = {s->store, s->archive};
    const struct wf_sandbox what = {.write = own, .n_write = WF_COUNT(own)};
    if (mkdir(s->archive, 0700) != 0 && errno != EEXIST) /* it must be named now */
        return wf_fail(err, WF_E_IO, "%s: %s", s->archive, strerror(errno));
    return wf_sandbox_apply(s->sandbox, &what, err);
}

static int open_all(struct archiver *a, const struct wf_options *options, struct wf_error *err)
{
    static const int signals[] = {SIGTERM, SIGINT};
    int rc = read_settings(a, options, err);
    if (rc == 0)
        rc = process_signals(signals, WF_COUNT(signals), &a->signal_fd, err);
    if (rc == 0 && !options->check_only)
        rc = give_up_rights(a, err);
    if (rc < 0)
        return rc;
    const struct wf_store_options store = {.map_bytes = (uint64_t)a->settings.map_mib << 20,
                                           .read_only = options->check_only};
    rc = wf_store_open(a->settings.store, &store, &a->store, err);
    if (rc == 0 && !options->check_only)
        rc = wf_archive_open(a->store, a->settings.archive, &a->archive, err);
    return rc;
}

/* All that waits; SIGTERM waits for no more than one go. */
static int move(struct archiver *a, struct wf_error *err)
{
    size_t moved = 1;
    int rc = 0;
    while (rc == 0 && moved > 0 && !a->stopping) {
        struct pollfd signals = {.fd = a->signal_fd, .events = POLLIN};
        rc = wf_archive_move(a->archive, &moved, err);
        if (rc == 0 && moved > 0)
            wf_log(WF_LOG_DEBUG, WF_LOG_ARCHIVE_EVENT, NULL, "%zu changes archived", moved);
        a->stopping = poll(&signals, 1, 0) > 0;
    }
    return rc;
}

static int loop(struct archiver *a, struct wf_error *err)
{
    int rc = 0;
    while (rc == 0 && !a->stopping) {
        struct pollfd signals = {.fd = a->signal_fd, .events = POLLIN};
        rc = move(a, err);
        if (wf_notify_every_ms() != INT64_MAX)
            wf_notify("WATCHDOG=1"); /* every second: that is often enough for any bound */
        if (rc == 0 && !a->stopping)
            a->stopping = poll(&signals, 1, PAUSE_MS) > 0;
    }
    wf_notify("STOPPING=1");
    if (rc == 0) { /* what the workers wrote while they stopped comes along, most often */
        size_t moved = 0;
        rc = wf_archive_move(a->archive, &moved, err);
    }
    return rc;
}

static int end(struct archiver *a, const struct wf_error *why, int rc)
{
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", why->text);
    else
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped in good order");
    wf_archive_close(a->archive);
    wf_store_close(a->store);
    if (a->settings.arena != NULL)
        wf_settings_free(&a->settings);
    return process_exit(rc);
}

int main(int argc, char **argv)
{
    static struct archiver a = {.signal_fd = -1};
    struct wf_options options;
    struct wf_error err = {0};
    wf_log_open("archive", WF_LOG_INFO);
    if (!wf_options_read(argc, argv, "The archiver of a Hoso cell.\v", &options))
        return 2;
    int rc = open_all(&a, &options, &err);
    if (rc == 0 && !options.check_only) {
        wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d, archives to %s", (int)getpid(),
               a.settings.archive);
        wf_options_say_ready(&options);
        rc = loop(&a, &err);
    }
    return end(&a, &err, rc);
}

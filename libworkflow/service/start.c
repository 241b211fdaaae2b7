/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a command line to a worker that is ready, and back. The order matters: signals are blocked
 * before ZeroMQ starts its threads; the lock keeps a second worker of the same service out before
 * the store is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"
#include "workflow/sandbox.h"

#define LOCK_WAIT_MS 3000

static void show(const struct wf_report *report)
{
    char line[1024];
    for (size_t i = 0; i < report->n; i++)
        (void)fprintf(stderr, "%s\n", wf_report_line(report, i, line, sizeof(line)));
}

static int load_files(struct worker *worker, const struct wf_options *options, struct wf_error *err)
{
    struct wf_report report = {0};
    char calendar[1100];
    int rc = wf_settings_load(options->config, &report, &worker->settings, err);
    if (rc == 0)
        rc = wf_registry_load(worker->settings.registry, &report, &worker->registry, err);
    if (rc == 0) {
        (void)snprintf(calendar, sizeof(calendar), "%s/calendar.cfg", worker->settings.registry);
        rc = wf_calendar_load(calendar, &report, &worker->calendar, err);
        if (rc == 0)
            rc = wf_registry_check_calendars(worker->registry, worker->calendar, &report, err);
    }
    show(&report);
    wf_report_fini(&report);
    if (rc == WF_E_IO) /* a file of the operator's is missing or closed to us: not our store */
        rc = err->code = WF_E_CONFIG;
    return rc;
}

/* A worker whose supervisor was killed finishes its batch before it goes: its successor waits. */
static bool lock_within(int fd, int64_t most_ms)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    int64_t until = wf_monotonic_ms() + most_ms;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (wf_monotonic_ms() >= until)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static int lock_service(struct worker *worker, struct wf_error *err)
{
    char path[1100];
    const char *name = wf_service_word(worker->spec->service);
    if (mkdir(worker->settings.run, 0700) != 0 && errno != EEXIST)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", worker->settings.run, strerror(errno));
    (void)snprintf(path, sizeof(path), "%s/%s.lock", worker->settings.run, name);
    worker->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (worker->lock_fd < 0)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", path, strerror(errno));
    if (!lock_within(worker->lock_fd, LOCK_WAIT_MS))
        return wf_fail(err, WF_E_STATE, "a %s worker runs already in this cell (%s is locked)",
                       name, path);
    return 0;
}

static int catch_signals(struct worker *worker, struct wf_error *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGUSR1);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return wf_fail(err, WF_E_IO, "sigprocmask: %s", strerror(errno));
    worker->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return worker->signal_fd < 0 ? wf_fail(err, WF_E_IO, "signalfd: %s", strerror(errno)) : 0;
}

/* From here on only the cell's own folders are in reach. */
static int give_up_rights(struct worker *worker, struct wf_error *err)
{
    const struct wf_settings *s = &worker->settings;
    char parties[1100];
    (void)snprintf(parties, sizeof(parties), "%s/parties", s->folder);
    (void)mkdir(parties, 0700); /* they may fill later, and must be named now */
    (void)mkdir(s->papers, 0700);
    const char *const own[] = {s->store, s->run, s->papers};
    const char *const to_read[] = {parties};
    const struct wf_sandbox what = {
        .write = own, .n_write = WF_COUNT(own), .read = to_read, .n_read = WF_COUNT(to_read)};
    return wf_sandbox_apply(s->sandbox, &what, err);
}

static int open_store(struct worker *worker, bool read_only, struct wf_error *err)
{
    struct wf_store_options options = {
        .map_bytes = (uint64_t)worker->settings.map_mib << 20,
        .min_free_bytes = (uint64_t)worker->settings.min_free_mib << 20,
        .read_only = read_only,
    };
    int rc = wf_store_open(worker->settings.store, &options, &worker->store, err);
    if (rc == 0)
        worker->clock = wf_store_clock(worker->store);
    return rc;
}

/* Once, not for each batch: a batch of one need not clear room for hundreds. */
static int make_room(struct worker *worker, struct wf_error *err)
{
    worker->requests = wf_alloc((size_t)worker->settings.batch * sizeof(*worker->requests));
    return worker->requests != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
}

static int open_papers(struct worker *worker, struct wf_error *err)
{
    struct wf_papers_options options = {
        .max_bytes = (uint64_t)worker->settings.papers_max_mib << 20,
        .max_open = (unsigned)worker->settings.papers_open,
        .max_unnamed = (uint64_t)worker->settings.papers_unnamed,
        .max_unnamed_bytes = (uint64_t)worker->settings.papers_unnamed_mib << 20,
    };
    worker->paper_arena = wf_arena_new(0);
    if (worker->paper_arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    return wf_papers_open(worker->settings.papers, &options, &worker->papers, err);
}

static void log_left_out(void *context, const struct wf_rec_procedure *record, const char *why)
{
    char code[64];
    (void)context;
    (void)wf_str_copy(record->code, code, sizeof(code));
    wf_log(WF_LOG_ERROR, WF_LOG_PROCEDURE_EVENT,
           &(struct wf_log_fact){.procedure = code, .rc = WF_E_INVALID},
           "version %" PRIu64 " is left out, it does not compile here: %s", record->version, why);
}

static int open_engine(struct worker *worker, struct wf_error *err)
{
    wf_registry_catalogue(worker->registry, &worker->catalogue);
    struct wf_engine_options options = {
        .self = worker->spec->service,
        .activities = worker->spec->activities,
        .n_activities = worker->spec->n_activities,
        .catalogue = &worker->catalogue,
        .registry = worker->registry,
        .calendar = worker->calendar,
        .setting = wf_settings_text,
        .left_out = log_left_out,
        .context = &worker->settings,
        .papers = worker->papers,
        .pid = (uint64_t)getpid(),
        .seed = (uint64_t)wf_real_ms() ^ ((uint64_t)getpid() << 32),
    };
    int rc = wf_engine_open(&options, &worker->engine, err);
    return rc == 0 ? wf_engine_refresh(worker->engine, worker->store, NULL, err) : rc;
}

/* A folder that is here, or can be made here. */
static int check_place(const char *folder, struct wf_error *err)
{
    char parent[1100];
    if (access(folder, R_OK | W_OK | X_OK) == 0)
        return 0;
    (void)snprintf(parent, sizeof(parent), "%s", folder);
    if (errno == ENOENT && access(dirname(parent), W_OK | X_OK) == 0)
        return 0;
    return wf_fail(err, WF_E_CONFIG, "%s: %s", folder, strerror(errno));
}

/* What can be known beside a worker that runs, and leaves all as it is. */
static int check_cell(struct worker *worker, struct wf_error *err)
{
    int rc = open_store(worker, true, err);
    if (rc == 0)
        rc = check_place(worker->settings.run, err);
    if (rc == 0)
        rc = check_place(worker->settings.papers, err);
    return rc == 0 ? open_engine(worker, err) : rc;
}

static int open_cell(struct worker *worker, struct wf_error *err)
{
    int rc = lock_service(worker, err);
    if (rc == 0)
        rc = catch_signals(worker, err);
    if (rc == 0)
        rc = give_up_rights(worker, err);
    if (rc == 0)
        rc = open_store(worker, false, err);
    if (rc == 0)
        rc = make_room(worker, err);
    if (rc == 0)
        rc = open_papers(worker, err);
    if (rc == 0)
        rc = open_engine(worker, err);
    if (rc == 0) {
        read_parties(worker);
        rc = wf_board_open(worker->settings.run, &worker->board, err);
    }
    if (rc == 0) {
        worker->slot = wf_board_slot(worker->board, worker->spec->service);
        *worker->slot = (struct wf_board_slot){.pid = getpid(), .started_real_ms = wf_real_ms()};
        rc = wf_hub_open(worker->settings.run, worker->spec->service, NULL, &worker->hub, err);
    }
    return rc;
}

int worker_open(struct worker *worker, const struct wf_options *options, struct wf_error *err)
{
    worker->signal_fd = -1;
    worker->lock_fd = -1;
    worker->next_item_ms = 0;
    worker->next_timer_ms = 0;
    worker->run_noted_ms = wf_monotonic_ms();
    worker->arena = wf_arena_new(0);
    if (worker->arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    int rc = load_files(worker, options, err);
    if (rc != 0)
        return rc;
    wf_settings_log(&worker->settings, options->verbose);
    return options->check_only ? check_cell(worker, err) : open_cell(worker, err);
}

void worker_close(struct worker *worker)
{
    while (worker->n_parked > 0)
        parked_drop(worker, worker->n_parked - 1);
    if (worker->slot != NULL)
        *worker->slot = (struct wf_board_slot){0};
    wf_hub_close(worker->hub);
    wf_board_close(worker->board);
    wf_engine_close(worker->engine);
    wf_papers_close(worker->papers);
    wf_arena_free(worker->paper_arena);
    wf_free(worker->requests);
    wf_store_close(worker->store);
    wf_parties_free(worker->parties);
    wf_calendar_free(worker->calendar);
    wf_registry_free(worker->registry);
    wf_settings_free(&worker->settings);
    wf_arena_free(worker->arena);
    wf_buf_fini(&worker->out);
    wf_buf_fini(&worker->prune_place);
    if (worker->signal_fd >= 0)
        (void)close(worker->signal_fd);
    if (worker->lock_fd >= 0)
        (void)close(worker->lock_fd);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a worker: options, open, ready, loop, stop.
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "worker.h"

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

static void say_ready(const struct worker *worker, const struct wf_options *options)
{
    worker->slot->ready = 1;
    wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d", (int)getpid());
    wf_options_say_ready(options);
}

static int loop(struct worker *worker, struct wf_error *err)
{
    while (!worker->stopping) {
        struct pollfd signals = {.fd = worker->signal_fd, .events = POLLIN};
        int ready = 0;
        worker->slot->beat_ms = wf_monotonic_ms();
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
            wf_board_error(worker->slot, rc);
            rc = 0;
        }
        if (rc != 0)
            return rc;
    }
    wf_notify("STOPPING=1");
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
    struct wf_options options;
    struct wf_error err = {0};
    wf_log_open(wf_service_word(spec->service), WF_LOG_INFO);
    if (!wf_options_read(argc, argv, "A worker of a Hoso cell.\v", &options))
        return 2;

    worker.spec = spec;
    worker.catalogue = *catalogue;
    int rc = worker_open(&worker, &options, &err);
    if (rc == 0 && !options.check_only) {
        say_ready(&worker, &options);
        rc = loop(&worker, &err);
    }
    return end(&worker, &err, rc);
}

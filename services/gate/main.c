/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the gate: options, open, ready, loop, stop. Exit codes as the workers'. */
#include <malloc.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "gate/gate.h"
#include "process.h"

#define LOOK_MS   1000 /* between two looks at the registry and at overdue requests */
#define TIDY_EACH 200  /* connections that have ended */

static void take_signals(struct gate *gate)
{
    struct signalfd_siginfo info;
    while (read(gate->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            gate_settings_again(gate);
            registry_read(gate, true);
        } else if (info.ssi_signo == SIGUSR1) {
            wf_log_set_level(wf_log_level() == WF_LOG_DEBUG ? WF_LOG_INFO : WF_LOG_DEBUG);
        } else {
            gate->stopping = true;
        }
    }
}

/* ZeroMQ takes 16 KiB at a time for each direction of a connection and uses little of it: new memory
 * costs only the pages that are written, memory used before costs all. So what ended connections
 * leave goes back to the system; else every crowd that comes anew would make the gate larger. */
static void tidy(struct gate *gate, uint64_t ended)
{
    if (ended - gate->tidied < TIDY_EACH)
        return;
    gate->tidied = ended;
    (void)malloc_trim(0);
}

static void look_around(struct gate *gate)
{
    int64_t now = wf_monotonic_ms();
    if (now < gate->next_look_ms)
        return;
    gate->next_look_ms = now + LOOK_MS;
    if (wf_notify_every_ms() != INT64_MAX)
        wf_notify("WATCHDOG=1"); /* every second: that is often enough for any bound */
    gate->slot->beat_ms = now;
    registry_read(gate, false);
    gate->slot->expired += pending_expire(&gate->pendings, now);
    struct wf_door_figures figures = wf_door_figures(gate->door);
    gate->slot->connections = (int64_t)figures.connections;
    gate->slot->unknown_keys = (int64_t)figures.refused[WF_REFUSED_KEY];
    gate->slot->crowded = (int64_t)figures.refused[WF_REFUSED_CROWD];
    gate->slot->unproved = (int64_t)figures.refused[WF_REFUSED_SHAKE];
    strangers_note(gate, now);
    gate->slot->shut = (int64_t)figures.shut;
    tidy(gate, figures.ended);
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
    wf_notify("STOPPING=1");
    return rc;
}

static void say_ready(const struct gate *gate, const struct wf_options *options)
{
    gate->slot->ready = 1;
    wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "pid %d, listens on %s", (int)getpid(),
           wf_door_endpoint(gate->door));
    wf_options_say_ready(options);
}

static int end(struct gate *gate, const struct wf_error *why, int rc)
{
    if (rc != 0)
        wf_log(WF_LOG_FATAL, WF_LOG_STOP_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", why->text);
    else
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped in good order");
    gate_close(gate);
    return process_exit(rc);
}

int main(int argc, char **argv)
{
    static struct gate gate;
    struct wf_options options;
    struct wf_error err = {0};
    wf_log_open("gate", WF_LOG_INFO);
    if (!wf_options_read(argc, argv, "The gate of a Hoso cell.\v", &options))
        return 2;
    int rc = gate_open(&gate, &options, &err);
    if (rc == 0 && !options.check_only) {
        say_ready(&gate, &options);
        rc = loop(&gate, &err);
    }
    return end(&gate, &err, rc);
}

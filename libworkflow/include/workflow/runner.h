/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/runner.h - one chart run on its own, in virtual time, without store or services.
 *
 * PURPOSE    What `hoso chart run` and the tests of the statecharts need: a bare chart is started,
 *            given events, and its timers fall due as fast as the machine can count.
 * CONCEPTS   virtual time   begins on a Monday at 08:00 and moves only when asked to
 *            sent event     `send` without delay: taken at once after the macrostep that sent it
 *            timer          `send` with delay, or a deadline; due by virtual time, those of one
 *                           moment in the order in which they were armed
 * LIFE CYCLE wf_runner_new (starts the chart) -> take, settle ... -> wf_runner_free; the chart must
 *            outlive the runner
 * TIME       "2 hours" and "3 days" are plain time here, since nobody waits at a counter; working
 *            days and hours count by a standard week (Monday to Friday, 07:00-11:30 and
 *            13:30-17:00, no holidays).
 * ACTIVITIES stay pending: done.invoke.ID and errors are given as events
 * ERRORS     WF_E_STATE   the chart runs in a circle: too many microsteps, events or timers
 *            WF_E_NOMEM   as ever; after an error the runner can only be looked at and freed
 * EXAMPLE    rc = wf_runner_new(chart, &runner, err);
 *            if (rc == 0)
 *                rc = wf_runner_take(runner, &event, 1000, err);
 */
#ifndef WORKFLOW_RUNNER_H
#define WORKFLOW_RUNNER_H

#include "workflow/chart.h"

#define WF_RUNNER_EVENTS  100000 /* taken in one run, sent ones and timers among them */
#define WF_RUNNER_PENDING 10000  /* sent events and timers at one moment */

struct wf_runner;

/*
 * Reads a file that holds `chart: { initial, data, states }` and nothing else, and compiles it.
 * Messages go to the report, which must be zeroed. WF_E_CONFIG, WF_E_IO, WF_E_NOMEM.
 */
int wf_runner_load(const char *path, struct wf_report *report, struct wf_chart **out,
                   struct wf_error *err) WF_CHECKED;

/* Starts the chart, and takes what it sends to itself at once. */
int wf_runner_new(const struct wf_chart *chart, struct wf_runner **out,
                  struct wf_error *err) WF_CHECKED;
void wf_runner_free(struct wf_runner *runner);

/*
 * Moves time on by after_ms, firing what falls due, then takes the event and what it brings about.
 * For done.invoke.ID the id need not be given. A done chart takes nothing.
 */
int wf_runner_take(struct wf_runner *runner, const struct wf_chart_event *event, int64_t after_ms,
                   struct wf_error *err) WF_CHECKED;

/* Moves time on until nothing is pending. */
int wf_runner_settle(struct wf_runner *runner, struct wf_error *err) WF_CHECKED;

/* Lives until the next call that takes events. */
const struct wf_snapshot *wf_runner_snapshot(const struct wf_runner *runner);

/*
 * List of the ids of the active states without active children, in document order; final states
 * are among them, and a done chart shows the one in which it ended. NULL when memory is out.
 */
const struct wf_value *wf_runner_active(const struct wf_runner *runner, struct wf_arena *arena);

#endif

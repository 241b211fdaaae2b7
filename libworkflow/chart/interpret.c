/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main event loop of appendix D, for one external event at a time: the caller's queue is the
 * external queue, so that a macrostep is one pure function call.
 */
#include "run_internal.h"

#include <string.h>

static int microstep(struct run *run)
{
    const struct wf_chart *chart = run->chart;
    if (++run->microsteps > MAX_MICROSTEPS) {
        run->is_fatal = true;
        return wf_fail(&run->err, WF_E_STATE,
                       "more than %d microsteps: transitions without event, or raised events, go "
                       "round in a circle",
                       MAX_MICROSTEPS);
    }
    int rc = exit_states(run);
    for (size_t i = 0; i < run->n_enabled && rc == 0; i++) {
        const struct transition *t = &chart->transitions[run->enabled[i]];
        rc = run_block(run, t->source, &t->block);
    }
    return rc < 0 ? rc : enter_states(run);
}

static void set_event(struct run *run, const struct event *event)
{
    run->event = event;
    run->event_value = NULL;
}

/* Eventless transitions first, then the internal queue; *out_is_idle when neither gave anything. */
static int internal_step(struct run *run, bool *out_is_idle)
{
    int rc = select_transitions(run, NULL);
    if (rc == 0 && run->n_enabled == 0) {
        struct event *event = run->queue;
        *out_is_idle = event == NULL;
        if (event == NULL)
            return 0;
        run->queue = event->next;
        if (run->queue == NULL)
            run->queue_end = &run->queue;
        set_event(run, event);
        rc = select_transitions(run, event);
    }
    return rc < 0 || run->n_enabled == 0 ? rc : microstep(run);
}

/* To the end of the macrostep; invocations may raise errors, which begin another. */
static int run_to_completion(struct run *run)
{
    bool is_idle = false;
    while (!run->is_done && !is_idle) {
        int rc = internal_step(run, &is_idle);
        if (rc < 0)
            return rc;
        if (is_idle && !run->is_done) {
            rc = start_invocations(run);
            if (rc < 0)
                return rc;
            is_idle = run->queue == NULL;
        }
    }
    return run->is_done ? exit_all(run) : 0;
}

static int give_back(struct run *run, int rc, struct wf_step *out, struct wf_error *err)
{
    if (rc == 0 && run->is_short)
        rc = no_memory(run);
    if (rc == 0)
        rc = run_save(run, out);
    if (rc < 0 && err != NULL)
        *err = run->err;
    return rc;
}

int wf_chart_start(const struct wf_chart *chart, const struct wf_value *variables,
                   struct wf_arena *arena, struct wf_step *out, struct wf_error *err)
{
    struct run run;
    struct wf_step step = {.taken = false};
    int rc = run_init(&run, chart, NULL, arena);
    if (rc == 0)
        rc = bind_data(&run, variables);
    if (rc == 0)
        rc = enter_initial(&run);
    if (rc == 0)
        rc = run_to_completion(&run);
    rc = give_back(&run, rc, &step, err);
    if (rc == 0)
        *out = step;
    return rc;
}

int wf_chart_data(const struct wf_chart *chart, const struct wf_value *variables,
                  struct wf_arena *arena, const struct wf_value **out, struct wf_error *err)
{
    struct run run;
    int rc = run_init(&run, chart, NULL, arena);
    if (rc == 0)
        rc = bind_data(&run, variables);
    if (rc == 0 && (run.is_short || !wf_value_is_whole(run.data)))
        rc = no_memory(&run);
    if (rc == 0)
        *out = run.data;
    else if (err != NULL)
        *err = run.err;
    return rc;
}

/*
 * An activity that has ended, well or badly, is no longer there to be cancelled when its state is
 * left.
 */
static void end_invocation(struct run *run, const struct wf_chart_event *event)
{
    if (event->invoke_id == NULL)
        return;
    bool is_done = wf_starts_with(event->name, "done.invoke.") &&
                   strcmp(event->name + strlen("done.invoke."), event->invoke_id) == 0;
    if (!is_done && !wf_event_matches("error", event->name))
        return;
    for (int i = set_next(run->running_invokes, run->chart->n_invoke_words, -1); i >= 0;
         i = set_next(run->running_invokes, run->chart->n_invoke_words, i)) {
        if (strcmp(run->chart->invocations[i].id, event->invoke_id) == 0) {
            clear_bit(run->running_invokes, i);
            run->invokes_changed = true;
        }
    }
}

int wf_chart_step(const struct wf_chart *chart, const struct wf_snapshot *from,
                  const struct wf_chart_event *event, struct wf_arena *arena, struct wf_step *out,
                  struct wf_error *err)
{
    return wf_chart_step_by(chart, from, event, NULL, arena, out, err);
}

int wf_chart_step_by(const struct wf_chart *chart, const struct wf_snapshot *from,
                     const struct wf_chart_event *event, const struct wf_chart_raiser *who,
                     struct wf_arena *arena, struct wf_step *out, struct wf_error *err)
{
    struct run run;
    struct wf_step step = {.taken = false};
    struct event external = {.name = event->name,
                             .type = "external",
                             .invoke_id = event->invoke_id,
                             .data = event->data,
                             .who = who};
    int rc = run_init(&run, chart, from, arena);
    if (rc == 0)
        rc = run_load(&run);
    if (rc == 0 && !run.is_done) {
        end_invocation(&run, event);
        set_event(&run, &external);
        rc = select_transitions(&run, &external);
        step.taken = run.n_enabled > 0;
        if (rc == 0 && step.taken)
            rc = microstep(&run);
        if (rc == 0)
            rc = run_to_completion(&run);
    }
    rc = give_back(&run, rc, &step, err);
    if (rc == 0)
        *out = step;
    return rc;
}

int wf_chart_accepts(const struct wf_chart *chart, const struct wf_snapshot *from,
                     const struct wf_chart_event *event, struct wf_arena *arena, bool *out,
                     struct wf_error *err)
{
    return wf_chart_accepts_by(chart, from, event, NULL, arena, out, err);
}

int wf_chart_accepts_by(const struct wf_chart *chart, const struct wf_snapshot *from,
                        const struct wf_chart_event *event, const struct wf_chart_raiser *who,
                        struct wf_arena *arena, bool *out, struct wf_error *err)
{
    struct run run;
    struct event external = {.name = event->name,
                             .type = "external",
                             .invoke_id = event->invoke_id,
                             .data = event->data,
                             .who = who};
    int rc = run_init(&run, chart, from, arena);
    if (rc == 0)
        rc = run_load(&run);
    if (rc == 0 && !run.is_done) {
        set_event(&run, &external);
        rc = select_transitions(&run, &external);
    }
    if (rc == 0 && run.is_short)
        rc = no_memory(&run);
    if (rc == 0)
        *out = run.n_enabled > 0;
    else if (err != NULL)
        *err = run.err;
    return rc;
}

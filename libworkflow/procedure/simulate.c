/* SPDX-License-Identifier: Apache-2.0 */
/* A walk from its start to what came of it. */
#include "walk.h"

#include <string.h>

static struct wf_value *waiting(struct walker *w, struct wf_value *list, const char *kind,
                                const char *id)
{
    struct wf_value *row = wf_map(w->arena);
    (void)wf_map_put(w->arena, row, "kind", wf_text(w->arena, kind));
    (void)wf_map_put(w->arena, row, "id", wf_text(w->arena, id));
    (void)wf_list_add(w->arena, list, row);
    return row;
}

static const struct wf_value *what_it_waits_for(struct walker *w)
{
    struct wf_value *list = wf_list(w->arena);
    for (const struct job *job = w->jobs; job != NULL; job = job->next) {
        struct wf_value *row = !job->detached ? waiting(w, list, "activity", job->id) : NULL;
        if (row == NULL)
            continue;
        (void)wf_map_put(w->arena, row, "activity", wf_text(w->arena, job->activity->name));
        if (job->role != NULL)
            (void)wf_map_put(w->arena, row, "role", wf_text(w->arena, job->role));
    }
    for (const struct alarm *alarm = w->alarms; alarm != NULL; alarm = alarm->next)
        (void)wf_map_put(w->arena, waiting(w, list, "timer", alarm->event), "due",
                         wf_int(w->arena, alarm->due));
    const char *offer = NULL;
    for (size_t i = 0; (offer = walk_offer(w, i)) != NULL; i++)
        (void)waiting(w, list, "event", offer);
    return list;
}

int wf_simulate(const struct wf_procedure *p, const struct wf_walk_options *options,
                struct wf_arena *arena, struct wf_walk *out, struct wf_error *err)
{
    struct wf_error own = {0};
    struct walker w = {.p = p,
                       .o = options,
                       .arena = arena,
                       .err = err != NULL ? err : &own,
                       .now = options->start_ms,
                       .random = options->seed,
                       .trace = wf_list(arena)};
    const struct wf_value *fields = options->fields;
    if (fields == NULL)
        fields = walk_made_up_fields(&w);
    int rc = walk_start(&w, fields);
    if (rc == 0)
        rc = options->script != NULL ? walk_by_script(&w) : walk_at_random(&w);
    if (rc < 0)
        return wf_wrap(w.err, "procedure %s", p->code);
    const struct wf_value *waits_for = w.snapshot.done ? wf_list(arena) : what_it_waits_for(&w);
    if (!wf_value_is_whole(waits_for) || !wf_value_is_whole(w.trace))
        return walk_no_memory(&w);
    *out = (struct wf_walk){.trace = w.trace,
                            .waits_for = waits_for,
                            .problem = w.problem,
                            .outcome = w.outcome,
                            .status = w.status,
                            .n_events = w.n_events,
                            .n_errors = w.n_errors,
                            .end_ms = w.now,
                            .done = w.snapshot.done};
    return 0;
}

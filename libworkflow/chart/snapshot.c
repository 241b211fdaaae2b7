/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the stored form (names) to the running form (bits) and back. Parts of a snapshot that a step
 * does not change are handed on as they are.
 */
#include "run_internal.h"

#include <string.h>

int no_memory(struct run *run)
{
    return wf_fail(&run->err, WF_E_NOMEM, "no memory for a step of a chart");
}

int run_init(struct run *run, const struct wf_chart *chart, const struct wf_snapshot *from,
             struct wf_arena *arena)
{
    memset(run, 0, sizeof(*run));
    run->chart = chart;
    run->from = from;
    run->arena = arena;
    run->reader = (struct wf_reader){read_variable, read_is_in, run};
    run->queue_end = &run->queue;
    run->effects_end = &run->effects;

    size_t words = chart->n_words;
    size_t total = 5 * words + 2 * chart->n_guard_words + chart->n_invoke_words;
    uint64_t *sets = wf_arena_alloc(arena, total * sizeof(*sets));
    run->enabled = wf_arena_alloc(arena, (chart->n_transitions + 1) * sizeof(*run->enabled));
    run->history = wf_arena_alloc(arena, (chart->n_histories + 1) * sizeof(*run->history));
    run->entered = wf_list(arena);
    if (sets == NULL || run->enabled == NULL || run->history == NULL || run->entered == NULL)
        return no_memory(run);
    run->active = sets;
    run->to_invoke = sets + words;
    run->entering = sets + 2 * words;
    run->by_default = sets + 3 * words;
    run->scratch = sets + 4 * words;
    run->tried = sets + 5 * words;
    run->chosen = run->tried + chart->n_guard_words;
    run->running_invokes = run->chosen + chart->n_guard_words;
    return 0;
}

static void load_invokes(struct run *run, int state)
{
    const struct state *s = &run->chart->states[state];
    for (size_t i = s->first_invoke; i < s->first_invoke + s->n_invokes; i++) {
        if (wf_map_get(run->from->invokes, run->chart->invocations[i].id) != NULL)
            set_bit(run->running_invokes, (int)i);
    }
}

int run_load(struct run *run)
{
    const struct wf_chart *chart = run->chart;
    const struct wf_snapshot *from = run->from;
    for (size_t i = 0; i < wf_value_count(from->states); i++) {
        int state = chart_find(chart, wf_value_str(wf_list_at(from->states, i)));
        if (state == NO_STATE || is_history(chart, state))
            return wf_fail(&run->err, WF_E_INVALID,
                           "the snapshot names a state that the chart has "
                           "not: it is of another chart or version");
        set_bit(run->active, state);
        load_invokes(run, state);
    }
    for (size_t i = 0; i < chart->n_histories && wf_value_count(from->history) > 0; i++)
        run->history[i] =
            wf_map_get_str(from->history, chart->states[chart->histories[i]].id->u.text);
    static const struct wf_value no_data = {.type = WF_MAP};
    run->n_sends = from->n_sends;
    run->is_done = from->done;
    if (from->data != NULL && from->data->type != WF_MAP)
        return wf_fail(&run->err, WF_E_INVALID, "the snapshot's data is no map");
    run->shared_data = from->data != NULL ? from->data : &no_data;
    return 0;
}

static const struct wf_value *save_states(struct run *run)
{
    if (!run->states_changed)
        return run->from->states;
    struct wf_value *list = wf_list(run->arena);
    for (int i = set_next(run->active, run->chart->n_words, ROOT); i != NO_STATE;
         i = set_next(run->active, run->chart->n_words, i))
        (void)wf_list_add(run->arena, list, run->chart->states[i].id);
    return list;
}

static const struct wf_value *save_history(struct run *run)
{
    const struct wf_chart *chart = run->chart;
    if (!run->history_changed && run->from != NULL && run->from->history != NULL)
        return run->from->history;
    struct wf_value *map = wf_map(run->arena);
    for (size_t i = 0; i < chart->n_histories; i++) {
        if (run->history[i] != NULL)
            (void)wf_map_put_str(run->arena, map, chart->states[chart->histories[i]].id->u.text,
                                 run->history[i]);
    }
    return map;
}

static const struct wf_value *save_invokes(struct run *run)
{
    if (!run->invokes_changed && run->from != NULL && run->from->invokes != NULL)
        return run->from->invokes;
    struct wf_value *map = wf_map(run->arena);
    for (int i = set_next(run->running_invokes, run->chart->n_invoke_words, -1); i >= 0;
         i = set_next(run->running_invokes, run->chart->n_invoke_words, i)) {
        const struct invocation *invocation = &run->chart->invocations[i];
        (void)wf_map_put(run->arena, map, invocation->id,
                         wf_text(run->arena, invocation->activity));
    }
    return map;
}

static bool is_broken(const struct wf_value *value)
{
    return value == NULL || value->broken;
}

int run_save(struct run *run, struct wf_step *out)
{
    struct wf_snapshot snapshot = {.states = save_states(run),
                                   .history = save_history(run),
                                   .data = run->data != NULL ? run->data : run->shared_data,
                                   .invokes = save_invokes(run),
                                   .n_sends = run->n_sends,
                                   .done = run->is_done};
    if (is_broken(snapshot.states) || is_broken(snapshot.history) || is_broken(snapshot.data) ||
        is_broken(snapshot.invokes) || is_broken(run->entered))
        return no_memory(run);
    out->snapshot = snapshot;
    out->effects = run->effects;
    out->entered = run->entered;
    out->result = run->result;
    out->error = run->error;
    return 0;
}

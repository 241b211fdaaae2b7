/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing.consult: several authorities are asked at once; all, any or k of them must answer.
 *
 * Memory: {asked, needed, agreed, answers: [{from, answer ...}]}. When enough have answered the
 * work ends, and with it the tasks of those that have not.
 */
#include "routing.h"

static int ask(struct wf_work *work, const struct wf_value *to, struct wf_error *err)
{
    struct wf_value *params = hoso_params_copy(work);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < wf_value_count(to); i++)
        rc = hoso_open(work, wf_value_text(wf_list_at(to, i), ""), NULL, params, err);
    return rc;
}

static int64_t needed(struct wf_work *work, int64_t asked)
{
    const char *mode = hoso_param(work, "mode");
    int64_t k = wf_value_int(wf_map_get(wf_work_params(work), "k"), 1);

    if (wf_str_is(wf_str(mode), "any"))
        k = 1;
    else if (!wf_str_is(wf_str(mode), "k"))
        k = asked;
    if (k < 1)
        return 1;
    return k < asked ? k : asked;
}

static bool are_addresses(const struct wf_value *to)
{
    for (size_t i = 0; i < wf_value_count(to); i++) {
        if (wf_value_str(wf_list_at(to, i)).len == 0)
            return false;
    }
    return to != NULL && to->type == WF_LIST;
}

static const struct wf_value *memory_of(struct wf_work *work, int64_t asked, int64_t need,
                                        int64_t agreed, const struct wf_value *answers)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *memory = wf_map(arena);

    (void)wf_map_put(arena, memory, "asked", wf_int(arena, asked));
    (void)wf_map_put(arena, memory, "needed", wf_int(arena, need));
    (void)wf_map_put(arena, memory, "agreed", wf_int(arena, agreed));
    (void)wf_map_put(arena, memory, "answers", answers);
    return memory;
}

static int end(struct wf_work *work, const struct wf_value *memory, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *data = wf_map(arena);
    static const char *const members[] = {"answers", "agreed", "asked"};

    for (size_t i = 0; i < WF_COUNT(members); i++)
        (void)wf_map_put(arena, data, members[i], wf_map_get(memory, members[i]));
    return hoso_done(work, data, err);
}

int hoso_consult_start(struct wf_work *work, struct wf_error *err)
{
    const struct wf_value *to = wf_map_get(wf_work_params(work), "to");
    int64_t asked = (int64_t)wf_value_count(to);
    const struct wf_value *memory =
        memory_of(work, asked, needed(work, asked), 0, wf_list(wf_work_arena(work)));

    if (!are_addresses(to)) {
        wf_work_fail(work, "consult: `to` must be a list of agency codes");
        return 0;
    }
    if (!wf_value_is_whole(memory))
        return wf_fail(err, WF_E_NOMEM, "consult: out of memory");
    if (asked == 0)
        return end(work, memory, err);
    wf_work_remember(work, memory);
    return ask(work, to, err);
}

int hoso_consult_check(const struct wf_rec_task *task, const struct wf_value *result,
                       struct wf_error *err)
{
    (void)task;
    return hoso_need_text(result, "answer", err);
}

static const struct wf_value *answer_of(struct wf_work *work, const struct wf_rec_task *task,
                                        const struct wf_value *result)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *answer = wf_map_copy(arena, result);

    (void)wf_map_put(arena, answer, "from", wf_text_n(arena, task->to.ptr, task->to.len));
    return answer;
}

static const struct wf_value *with_answer(struct wf_work *work, const struct wf_value *answer)
{
    struct wf_arena *arena = wf_work_arena(work);
    const struct wf_value *memory = wf_work_memory(work);
    const struct wf_value *before = wf_map_get(memory, "answers");
    struct wf_value *answers = wf_list(arena);
    bool agrees = wf_str_is(wf_value_str(wf_map_get(answer, "answer")), "agree");

    for (size_t i = 0; i < wf_value_count(before); i++)
        (void)wf_list_add(arena, answers, wf_list_at(before, i));
    (void)wf_list_add(arena, answers, answer);
    return memory_of(work, wf_value_int(wf_map_get(memory, "asked"), 0),
                     wf_value_int(wf_map_get(memory, "needed"), 1),
                     wf_value_int(wf_map_get(memory, "agreed"), 0) + agrees, answers);
}

/* How many answers are still wanting. */
static int64_t wanting(const struct wf_value *memory)
{
    return wf_value_int(wf_map_get(memory, "needed"), 1) -
           (int64_t)wf_value_count(wf_map_get(memory, "answers"));
}

int hoso_consult_done(struct wf_work *work, const struct wf_rec_task *task,
                      const struct wf_value *result, struct wf_error *err)
{
    const struct wf_value *answer = answer_of(work, task, result);
    const struct wf_value *memory = with_answer(work, answer);

    if (!wf_value_is_whole(memory))
        return wf_fail(err, WF_E_NOMEM, "consult: out of memory");
    if (wanting(memory) <= 0)
        return end(work, memory, err);
    wf_work_remember(work, memory);
    wf_work_progress(work, answer);
    return 0;
}

/* One authority will not answer: no harm where the others can still make up the number. */
int hoso_consult_failed(struct wf_work *work, const struct wf_rec_task *task, const char *reason,
                        struct wf_error *err)
{
    (void)task;
    (void)reason;
    (void)err;
    return (int64_t)wf_work_open_tasks(work) >= wanting(wf_work_memory(work)) ? 0 : WF_NONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake.link: one dossier opens others as its parts and waits until all are closed, as in the
 * linked set of birth, residence and health card.
 */
#include "intake.h"

#include "common.h"

#define PARTS_MAX 8

/* What the link must remember: how many parts it has opened, and how those closed ended. */
static int remember(struct wf_work *work, int64_t asked, const struct wf_value *parts,
                    struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *memory = wf_map(arena);
    (void)wf_map_put(arena, memory, "asked", wf_int(arena, asked));
    (void)wf_map_put(arena, memory, "parts", parts);
    if (!wf_value_is_whole(memory))
        return wf_fail(err, WF_E_NOMEM, "parts: out of memory");
    wf_work_remember(work, memory);
    return 0;
}

int hoso_link_start(struct wf_work *work, struct wf_error *err)
{
    const struct wf_value *procedures = wf_map_get(wf_work_params(work), "procedures");
    size_t n = wf_value_count(procedures);
    if (n == 0 || n > PARTS_MAX)
        return wf_fail(err, WF_E_CONFIG, "procedures: 1 to %d codes of the parts", PARTS_MAX);
    for (size_t i = 0; i < n; i++) {
        int rc = wf_work_open_part(work, wf_value_text(wf_list_at(procedures, i), ""), err);
        if (rc != 0)
            return rc;
    }
    return remember(work, (int64_t)n, wf_list(wf_work_arena(work)), err);
}

static const struct wf_value *result_of(struct wf_work *work, const struct wf_value *parts)
{
    struct wf_arena *arena = wf_work_arena(work);
    int64_t approved = 0;
    for (size_t i = 0; i < wf_value_count(parts); i++) {
        const struct wf_value *outcome = wf_map_get(wf_list_at(parts, i), "outcome");
        approved += wf_str_is(wf_value_str(outcome), "approved");
    }
    struct wf_value *result = wf_map(arena);
    (void)wf_map_put(arena, result, "parts", parts);
    (void)wf_map_put(arena, result, "approved", wf_int(arena, approved));
    (void)wf_map_put(arena, result, "asked", wf_int(arena, (int64_t)wf_value_count(parts)));
    return result;
}

int hoso_link_part(struct wf_work *work, const struct wf_value *part, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    const struct wf_value *before = wf_map_get(wf_work_memory(work), "parts");
    int64_t asked = wf_value_int(wf_map_get(wf_work_memory(work), "asked"), 0);
    struct wf_value *parts = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(before); i++)
        (void)wf_list_add(arena, parts, wf_list_at(before, i));
    (void)wf_list_add(arena, parts, part);
    int rc = remember(work, asked, parts, err);
    if (rc != 0 || (int64_t)wf_value_count(parts) < asked)
        return rc;
    return hoso_done(work, result_of(work, parts), err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* verification.check: the rules that need no human eye. */
#include "verification.h"

int hoso_check_start(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    const struct wf_value *problems = hoso_problems(wf_work_procedure(work), wf_work_content(work),
                                                    wf_work_dossier(work)->channel, arena);
    struct wf_value *data = wf_map(arena);

    (void)wf_map_put(arena, data, "complete", wf_bool(wf_value_count(problems) == 0));
    (void)wf_map_put(arena, data, "problems", problems);
    return hoso_done(work, data, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk: reviews the dossiers of one place of reception.
 *
 *     desk SITE ROLE [TASKS]       ends after so many tasks; 0 = never
 *
 * An official's decision would come from a screen; here a dossier with papers is approved, and one
 * without is asked to bring them.
 */
#include "party.h"

#include <stdio.h>
#include <stdlib.h>

static const struct wf_value *review(struct party_task *task, void *context)
{
    struct wf_msg_dossier_get get = {.dossier = wf_str(task->dossier), .content = true};
    struct wf_value *result = wf_map(task->arena);
    struct wf_envelope reply;
    (void)context;
    if (wf_client_call(task->client, WF_INTAKE, WF_MSG_dossier_get, &get, task->arena, &reply,
                       NULL) != 0) {
        task->failure = "the dossier cannot be read";
        return NULL;
    }
    const struct wf_msg_dossier_state *dossier = reply.body;
    size_t papers = wf_value_count(wf_map_get(dossier->content, "papers"));
    (void)printf("%s %.*s %zu papers\n", task->dossier, WF_STR_ARG(dossier->procedure), papers);
    (void)wf_map_put(task->arena, result, "verdict",
                     wf_text(task->arena, papers > 0 ? "approve" : "supplement"));
    if (papers == 0)
        (void)wf_map_put(task->arena, result, "reason", wf_text(task->arena, "no papers"));
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct party_work work = {.service = WF_VERIFICATION,
                              .activity = "verification.review",
                              .to = argv[1],
                              .by = "desk-01",
                              .role = argv[2],
                              .limit = argc > 3 ? atoll(argv[3]) : 0,
                              .handle = review};
    return party_run(&work);
}

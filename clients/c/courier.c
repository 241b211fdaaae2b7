/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A courier: brings parcels home, and tells where they are.
 *
 *     courier ADDRESS [TASKS]      ADDRESS: such as vnpost; ends after so many tasks; 0 = never
 *
 * Each attempt is a task of its own. Its params hold what stands on the label: `item` (the number
 * of the parcel), full_name, phone, address, and which `attempt` this is.
 */
#include "party.h"

#include <stdio.h>
#include <stdlib.h>

static struct wf_value *news(struct party_task *task, const char *key, const char *word)
{
    struct wf_value *map = wf_map(task->arena);
    (void)wf_map_put(task->arena, map, key, wf_text(task->arena, word));
    (void)wf_map_put(task->arena, map, "attempt", wf_map_get(task->params, "attempt"));
    return map;
}

static const struct wf_value *bring(struct party_task *task, void *context)
{
    static const char *const way[] = {"collected", "in_transit", "out_for_delivery"};
    struct wf_envelope reply;
    (void)context;
    task->failure = "the tracking cannot be told";
    for (size_t i = 0; i < WF_COUNT(way); i++) { /* after a crash, older news change nothing */
        struct wf_msg_task_progress progress = {.task = task->task,
                                                .token = task->token,
                                                .data = news(task, "state", way[i]),
                                                .by = wf_str(task->by)};
        if (wf_client_call(task->client, WF_RETURN, WF_MSG_task_progress, &progress, task->arena,
                           &reply, NULL) != 0)
            return NULL;
    }
    (void)printf("%s %s\n", task->dossier, wf_value_text(wf_map_get(task->params, "item"), ""));
    bool known = wf_value_str(wf_map_get(task->params, "address")).len > 0;
    struct wf_value *result = news(task, "outcome", known ? "delivered" : "failed");
    if (!known)
        (void)wf_map_put(task->arena, result, "reason", wf_text(task->arena, "no address"));
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct party_work work = {.service = WF_RETURN,
                              .activity = "return.deliver",
                              .to = argv[1],
                              .by = "courier-17",
                              .role = "courier",
                              .limit = argc > 2 ? atoll(argv[2]) : 0,
                              .handle = bring};
    return party_run(&work);
}

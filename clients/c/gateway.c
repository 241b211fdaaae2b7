/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway: sends the messages of one channel.
 *
 *     gateway CHANNEL OUTBOX [TASKS]       ends after so many tasks; 0 = never
 *
 * OUTBOX stands for the operator of the network. Networks take a reference with each message and
 * deliver one reference once: give them the task's number, then a message that is tried again after
 * a crash reaches the citizen once.
 */
#include "party.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct wf_value *deliver(struct party_task *task, void *context)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/hoso-%" PRIu64, (const char *)context, task->task);
    FILE *file = fopen(path, "wx");
    task->failure = "the network is away";
    task->retry_ms = 30000;
    if (file == NULL && errno != EEXIST) /* it knows the reference: sent before the crash */
        return NULL;
    if (file != NULL) {
        (void)fprintf(file, "%s\n%s\n", wf_value_text(wf_map_get(task->params, "to"), ""),
                      wf_value_text(wf_map_get(task->params, "text"), ""));
        if (fclose(file) != 0)
            return NULL;
    }
    (void)printf("%s %s\n", task->dossier, wf_value_text(wf_map_get(task->params, "template"), ""));
    return wf_map(task->arena);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct party_work work = {.service = WF_NOTIFICATION,
                              .activity = "notification.send",
                              .to = argv[1],
                              .by = "gateway-system",
                              .role = "gateway",
                              .limit = argc > 3 ? atoll(argv[3]) : 0,
                              .handle = deliver,
                              .context = argv[2]};
    return party_run(&work);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/gateway.c - the SMS, Zalo and e-mail gateways: most messages go out at once, some on the
 * second try, and to some people not at all, so that the next channel is taken.
 */
#include "stand.h"

#include <string.h>

static void deliver_message(struct job *job)
{
    /* Whether a person uses Zalo does not change from try to try: no dice of the attempt here. */
    const char *to = wf_value_text(wf_map_get(job->params, "to"), "");
    bool no_account = stand_random(0, to, 0) % 8 == 0;

    if (strcmp(job->to, "zalo") == 0 && no_account)
        job_fail(job, 0.2, "the number has no Zalo account", true);
    else if (job_dice(job, 12) == 0 && job->attempt == 1)
        job_fail(job, 0.2, "gateway is busy", false);
    else
        job_complete(job, 0.1, job_map(job, NULL));
}

int main(int argc, char **argv)
{
    static const struct duty duties[] = {
        {WF_NOTIFICATION, "notification.send", "gateway", deliver_message, NULL},
    };

    return stand_main(argc, argv, "gateway", duties, WF_COUNT(duties), NULL);
}

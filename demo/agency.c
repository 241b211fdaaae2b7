/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/agency.c - the systems of the competent authorities: they take dossiers over (handoff) and
 * give their opinion (consult). With --agency CODE one of them, else all.
 */
#include "stand.h"

#include <stdio.h>
#include <string.h>

#define TAX_OFFICE "000.00.21.H30"

static void decide(struct job *job)
{
    struct wf_value *result;
    char number[32];

    if (job_dice(job, 25) == 0) {
        job_fail(job, 0.5, "the agency's system was away", false);
        return;
    }
    (void)snprintf(number, sizeof(number), "%u/QĐ-UBND", 100 + job_dice(job, 900));
    result = job_map(job, "decision", "approve", "number", number, NULL);
    if (strcmp(job->to, TAX_OFFICE) == 0) /* two per cent of some price, in whole thousands */
        (void)wf_map_put(job->arena, result, "amount",
                         wf_int(job->arena, (int64_t)job_dice(job, 40000) * 1000));
    job_complete(job, job_between(job, 2, 14), result);
}

static void give_opinion(struct job *job)
{
    job_complete(job, job_between(job, 2, 20),
                 job_map(job, "answer", job_dice(job, 20) == 0 ? "disagree" : "agree", NULL));
}

int main(int argc, char **argv)
{
    static const struct duty duties[] = {
        {WF_ROUTING, "routing.handoff", "agency", decide, NULL},
        {WF_ROUTING, "routing.consult", "agency", give_opinion, NULL},
    };

    return stand_main(argc, argv, "agency", duties, WF_COUNT(duties), NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/courier.c - the post's courier system: fetches parcels, tells where they are, tries again
 * where nobody was at home, and now and then brings one back. Its news are not always in order.
 */
#include "stand.h"

static const char *const reasons[] = {"absent", "phone off", "agreed later date", "wrong address"};

static void tell(struct job *job, double hours, const char *state)
{
    struct wf_value *news = job_map(job, "state", state, NULL);

    (void)wf_map_put(job->arena, news, "attempt", wf_map_get(job->params, "attempt"));
    job_progress(job, hours, news);
}

static void carry(struct job *job)
{
    int64_t attempt = wf_value_int(wf_map_get(job->params, "attempt"), 1);
    double start = attempt == 1 ? 6 : 1;
    bool fails = job_dice(job, attempt == 1 ? 4 : 3) == 0;
    struct wf_value *end;

    if (attempt == 1) {
        tell(job, 0.5, "collected");
        tell(job, 4, "in_transit");
    }
    tell(job, start, "out_for_delivery");
    if (job_dice(job, 10) == 0)
        tell(job, start + 0.5, "in_transit"); /* late news from an offline postman */
    if (fails) {
        end = job_map(job, "outcome", "failed", "reason", reasons[job_dice(job, WF_COUNT(reasons))],
                      NULL);
        (void)wf_map_put(job->arena, end, "attempt", wf_map_get(job->params, "attempt"));
    } else {
        end = job_map(job, "outcome", "delivered", NULL);
    }
    job_complete(job, start + job_between(job, 1, 5), end);
}

int main(int argc, char **argv)
{
    /* Only its own address: what waits at counters may be done by anyone there. */
    static const struct duty duties[] = {
        {WF_RETURN, "return.deliver", "courier", carry, "vnpost"},
    };

    return stand_main(argc, argv, "courier", duties, WF_COUNT(duties), NULL);
}

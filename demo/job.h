/* SPDX-License-Identifier: Apache-2.0 */
/* demo/job.h - inside the stand: steps of a job. */
#ifndef DEMO_JOB_H
#define DEMO_JOB_H

#include "stand.h"

struct step {
    int64_t due_ms; /* monotonic */
    enum wf_message verb;
    const struct wf_value *data;
    const char *reason;
    bool final;
    struct step *next;
};

/* Gives the job its dice. */
void job_seed(struct job *job, uint64_t seed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/desk.c - the officials: reviews of all roles, and the head's answer to what is escalated.
 * Most dossiers are approved at once; some lie on a desk until they are overdue.
 */
#include "stand.h"

#include <string.h>

static const char *const reasons[] = {
    "bản sao bị mờ, không đọc được",
    "thông tin trên tờ khai chưa thống nhất với giấy tờ kèm theo",
    "thiếu chữ ký của người khai",
};

/* Per thousand; the rest is approved. */
static const struct habit {
    const char *role;
    unsigned supplements, refusals, forgets;
    double least, most; /* hours on the desk */
} habits[] = {
    {"civil_servant", 30, 25, 5, 0.1, 1},
    {"specialist", 45, 30, 40, 0.2, 5},
    {"signing_authority", 5, 5, 30, 0.2, 4},
    {"head", 0, 150, 0, 0.5, 4},
};

static const struct habit *habit_of(const struct job *job)
{
    for (size_t i = 0; i < WF_COUNT(habits); i++) {
        if (strcmp(habits[i].role, job->duty->role) == 0)
            return &habits[i];
    }
    return &habits[0];
}

static const char *verdict_of(struct job *job, const struct habit *habit)
{
    unsigned dice = job_dice(job, 1000);

    if (dice < habit->supplements)
        return "supplement";
    return dice < habit->supplements + habit->refusals ? "refuse" : "approve";
}

static void review(struct job *job)
{
    const struct habit *habit = habit_of(job);
    const char *verdict = verdict_of(job, habit);
    const char *reason = reasons[job_dice(job, WF_COUNT(reasons))];
    double hours = job_between(job, habit->least, habit->most);
    struct wf_value *result = job_map(job, "verdict", verdict, NULL);
    struct wf_value *items = wf_list(job->arena);

    if (strcmp(verdict, "approve") != 0)
        (void)wf_map_put(job->arena, result, "reason", wf_text(job->arena, reason));
    if (strcmp(verdict, "supplement") == 0) {
        (void)wf_list_add(job->arena, items, wf_text(job->arena, reason));
        (void)wf_map_put(job->arena, result, "items", items);
    }
    if (job_dice(job, 1000) < habit->forgets)
        hours += job_between(job, 60, 160);
    job_complete(job, hours, result);
}

static void explain(struct job *job)
{
    job_complete(job, job_between(job, 1, 8),
                 job_map(job, "reason", "hồ sơ cần xác minh thêm, đã phân công xử lý ngay", NULL));
}

int main(int argc, char **argv)
{
    static const struct duty duties[] = {
        {WF_VERIFICATION, "verification.review", "civil_servant", review, NULL},
        {WF_VERIFICATION, "verification.review", "specialist", review, NULL},
        {WF_VERIFICATION, "verification.review", "signing_authority", review, NULL},
        {WF_VERIFICATION, "verification.review", "head", review, NULL},
        {WF_ROUTING, "routing.escalate", "head", explain, NULL},
    };

    return stand_main(argc, argv, "desk", duties, WF_COUNT(duties), NULL);
}

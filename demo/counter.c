/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/counter.c - post-office counters and one-stop desks: they submit dossiers, enter papers that
 * citizens bring later, take fees and hand over results. A few citizens withdraw.
 */
#include "stand.h"

#include "forms.h"

#include "workflow/clock.h"

#include <stdio.h>
#include <string.h>

#define PER_DAY      15 /* dossiers that all counters together receive */
#define WITHDRAWALS  40 /* one in so many citizens withdraws */
#define WITHDRAW_MAX 64

/* ---- submitting -------------------------------------------------------------------------------
 */

static struct {
    int64_t submitted;
    int64_t next_ms; /* monotonic */
    struct withdrawal {
        char dossier[65];
        int64_t due_ms;
    } withdrawals[WITHDRAW_MAX];
    size_t n_withdrawals;
} counter;

static void tell(struct stand *stand, const char *what, const struct wf_error *err)
{
    (void)fprintf(stderr, "%s: %s: %s %s\n", stand_options(stand)->by, what, err->text, err->field);
}

static void plan_withdrawal(const struct stand *stand, const struct wf_msg_dossier_state *state)
{
    const struct stand_options *options = stand_options(stand);
    uint64_t random = stand_random(options->seed, "withdraw", (uint64_t)counter.submitted);
    struct withdrawal *planned = &counter.withdrawals[counter.n_withdrawals];

    if (random % WITHDRAWALS != 0 || counter.n_withdrawals == WITHDRAW_MAX ||
        !wf_str_copy(state->dossier, planned->dossier, sizeof(planned->dossier)))
        return;
    planned->due_ms = wf_monotonic_ms() + (int64_t)(1 + (random >> 8) % 8) * options->day_ms / 24;
    counter.n_withdrawals++;
}

static void submit_next(struct stand *stand)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_msg_dossier_submit submit;
    struct wf_envelope reply;
    struct wf_error err;

    if (arena != NULL &&
        form_fill(stand_options(stand)->seed, (uint64_t)counter.submitted, arena, &submit)) {
        if (stand_ask(stand, WF_INTAKE, WF_MSG_dossier_submit, &submit, arena, &reply, &err) == 0)
            plan_withdrawal(stand, reply.body);
        else
            tell(stand, "submit", &err);
    }
    counter.submitted++;
    wf_arena_free(arena);
}

static void withdraw(struct stand *stand, const struct withdrawal *planned)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_msg_dossier_event event = {.dossier = wf_str(planned->dossier),
                                         .event = wf_str("withdraw"),
                                         .by = wf_str("portal"),
                                         .role = wf_str("citizen")};
    struct wf_envelope reply;
    struct wf_error err;
    int rc;

    if (arena == NULL)
        return;
    rc = stand_ask(stand, WF_INTAKE, WF_MSG_dossier_event, &event, arena, &reply, &err);
    if (rc != 0 && rc != WF_E_STATE && rc != WF_E_DENIED) /* too late: it is settled already */
        tell(stand, "withdraw", &err);
    wf_arena_free(arena);
}

static void withdraw_due(struct stand *stand, int64_t now)
{
    for (size_t i = 0; i < counter.n_withdrawals; i++) {
        struct withdrawal planned = counter.withdrawals[i];

        if (planned.due_ms > now)
            continue;
        counter.withdrawals[i--] = counter.withdrawals[--counter.n_withdrawals];
        withdraw(stand, &planned);
    }
}

static int64_t tick(struct stand *stand)
{
    const struct stand_options *options = stand_options(stand);
    int64_t now = wf_monotonic_ms();

    withdraw_due(stand, now);
    if (counter.submitted < options->count && now >= counter.next_ms) {
        submit_next(stand);
        counter.next_ms = now + options->day_ms / PER_DAY;
    }
    if (counter.submitted < options->count)
        return counter.next_ms > now ? counter.next_ms - now : 0;
    return counter.n_withdrawals > 0 ? options->day_ms / 24 : -1;
}

/* ---- tasks ------------------------------------------------------------------------------------
 */

/* Brings the papers that are named; what is asked for in words only is answered by coming. */
static const struct wf_value *papers_for(struct job *job)
{
    const struct wf_value *items = wf_map_get(job->params, "items");
    struct wf_value *papers = wf_list(job->arena);

    for (size_t i = 0; i < wf_value_count(items); i++) {
        const struct wf_value *item = wf_list_at(items, i);

        if (wf_str_is(wf_value_str(wf_map_get(item, "kind")), "paper"))
            (void)wf_list_add(job->arena, papers,
                              form_paper(job->arena, wf_value_text(wf_map_get(item, "id"), "")));
    }
    return papers;
}

static void supplement(struct job *job)
{
    struct wf_value *result = job_map(job, NULL);
    bool never_comes = job_dice(job, 8) == 0;

    (void)wf_map_put(job->arena, result, "papers", papers_for(job));
    (void)wf_map_put(job->arena, result, "fields", wf_map(job->arena));
    job_complete(job, never_comes ? 24 * 90 : job_between(job, 4, 60), result);
}

static void take_fee(struct job *job)
{
    struct wf_value *result = job_map(job, NULL);
    bool pays = job_dice(job, 40) != 0;
    char receipt[32] = "";

    if (pays)
        (void)snprintf(receipt, sizeof(receipt), "BL-%06u", job_dice(job, 1000000));
    (void)wf_map_put(job->arena, result, "paid", wf_bool(pays));
    (void)wf_map_put(job->arena, result, "receipt", wf_text(job->arena, receipt));
    job_complete(job, job_between(job, 0.1, 3), result);
}

static void hand_over(struct job *job)
{
    job_complete(job, job_between(job, 0.2, 40),
                 job_map(job, "outcome", "delivered", "receiver",
                         job_dice(job, 5) == 0 ? "agent" : "citizen", NULL));
}

int main(int argc, char **argv)
{
    static const struct duty duties[] = {
        {WF_INTAKE, "intake.supplement", "postal_worker", supplement, NULL},
        {WF_RETURN, "return.collect_fee", "postal_worker", take_fee, NULL},
        {WF_RETURN, "return.deliver", "postal_worker", hand_over, NULL},
    };

    return stand_main(argc, argv, "counter", duties, WF_COUNT(duties), tick);
}

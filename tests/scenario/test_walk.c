/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random walk: hundreds of dossiers, people who decide, fail, forget, repeat themselves and come
 * too late, days that pass. At the end everything is brought to its end, and nothing may be stuck,
 * missing or done twice. SEED=n repeats a walk, WALK=n sets the number of dossiers.
 */
#include "support/test.h"

#include "support/steps.h"

#define DOSSIERS 300

struct walk {
    struct cell *cell;
    uint64_t dossiers, submitted;
    const char **codes;
    struct task held; /* a lease somebody sits on */
    bool holds;
};

static bool chance(struct walk *walk, uint64_t percent)
{
    return cell_random(walk->cell, 100) < percent;
}

static const char *pick(struct walk *walk, const char *const *list, size_t n)
{
    return list[cell_random(walk->cell, n)];
}

/* ---- what people may answer -------------------------------------------------------------------
 */

static const char *const verdicts[] = {
    "{'verdict': 'approve'}",
    "{'verdict': 'approve'}",
    "{'verdict': 'approve', 'note': 'đủ điều kiện'}",
    "{'verdict': 'supplement', 'reason': 'thiếu giấy tờ', 'items': ['identity']}",
    "{'verdict': 'refuse', 'reason': 'không đủ điều kiện'}",
};
static const char *const answers[] = {"{'answer': 'agree'}", "{'answer': 'disagree'}"};
static const char *const decisions[] = {
    "{'decision': 'assessed', 'amount': 5000000}",
    "{'decision': 'entered'}",
    "{'decision': 'refuse', 'reason': 'đất đang tranh chấp'}",
};
static const char *const reasons[] = {"{'reason': 'đã xử lý'}"};
static const char *const payments[] = {
    "{'paid': true, 'receipt': 'R-9'}",
    "{'paid': true, 'receipt': 'R-10'}",
    "{'paid': false}",
};
static const char *const brought[] = {
    "{'papers': []}",
    "{'papers': [], 'fields': {'email': 'moi@example.vn'}}",
};
static const char *const handed_over[] = {"{'outcome': 'delivered'}"};
static const char *const parcels[] = {
    "{'outcome': 'delivered'}",
    "{'outcome': 'failed', 'reason': 'vắng nhà'}",
    "{'outcome': 'returned'}",
    "{'outcome': 'lost'}",
};
static const char *const sent[] = {"{}"};

/* For each kind of task: who does it, what may come of it; the first is what ends a walk. */
static const struct work {
    const char *activity, *role;
    const char *const *results;
    size_t n;
} works[] = {
    {"verification.review", "civil_servant", verdicts, WF_COUNT(verdicts)},
    {"verification.review", "specialist", verdicts, WF_COUNT(verdicts)},
    {"verification.review", "signing_authority", verdicts, WF_COUNT(verdicts)},
    {"verification.review", "head", verdicts, WF_COUNT(verdicts)},
    {"routing.consult", "agency", answers, WF_COUNT(answers)},
    {"routing.handoff", "agency", decisions, WF_COUNT(decisions)},
    {"routing.escalate", "head", reasons, WF_COUNT(reasons)},
    {"return.collect_fee", "clerk", payments, WF_COUNT(payments)},
    {"intake.supplement", "clerk", brought, WF_COUNT(brought)},
    {"return.deliver", "clerk", handed_over, WF_COUNT(handed_over)},
    {"return.deliver", "courier", parcels, WF_COUNT(parcels)},
    {"notification.send", "gateway", sent, WF_COUNT(sent)},
};

/* A task without a role goes to whoever asks; only a courier may have a parcel's outcomes. */
static const char *result_of(struct walk *walk, const struct work *work, const struct task *task)
{
    bool parcel = strcmp(task->role, "courier") == 0;
    if (strcmp(work->activity, "return.deliver") == 0 && !parcel)
        return handed_over[0];
    return pick(walk, work->results, work->n);
}

/* ---- what may happen --------------------------------------------------------------------------
 */

static void file_one(struct walk *walk)
{
    static const char *const procedures[] = {MARRIAGE, BIRTH, LAND, COPY};
    static const char *const fields[] = {
        "{}",
        "{'return_by': 'post'}",
        "{'email': null}",
    };
    if (walk->submitted == walk->dossiers)
        return;
    walk->codes[walk->submitted++] =
        submit(walk->cell, pick(walk, procedures, 4), pick(walk, fields, WF_COUNT(fields)));
}

static void ask_and_ignore(struct walk *walk, enum wf_service service, enum wf_message type,
                           const void *body)
{
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    struct wf_counts before = cell_counts(walk->cell);
    if (cell_request(walk->cell, service, new_id(walk->cell), type, body, &answer, &err) < 0) {
        struct wf_counts after = cell_counts(walk->cell);
        assert_memory_equal(&before, &after, sizeof(before));
    }
    cell_pump(walk->cell);
}

/* Somebody comes back with a lease from long ago: either it still holds, or nothing happens. */
static void finish_held(struct walk *walk, const struct work *work)
{
    struct wf_msg_task_complete message = {
        .task = walk->held.id,
        .token = walk->held.token,
        .result = json(walk->cell->arena, result_of(walk, work, &walk->held)),
        .by = wf_str("late")};
    walk->holds = false;
    ask_and_ignore(walk, walk->held.service, WF_MSG_task_complete, &message);
}

static void work_on_one(struct walk *walk)
{
    const struct work *work = &works[cell_random(walk->cell, WF_COUNT(works))];
    struct task task;
    if (walk->holds && chance(walk, 10))
        finish_held(walk, work);
    if (!claim_if_any(walk->cell, work->activity, "*", work->role, &task))
        return;
    if (chance(walk, 10)) {
        give_up(walk->cell, &task, "not today", chance(walk, 10));
    } else if (chance(walk, 5)) {
        walk->held = task;
        walk->holds = true;
    } else {
        finish(walk->cell, &task, result_of(walk, work, &task));
    }
}

static void raise_something(struct walk *walk)
{
    static const char *const events[] = {"withdraw", "retry", "jump", "overdue"};
    static const char *const roles[] = {"citizen", "head", "courier"};
    if (walk->submitted == 0)
        return;
    struct wf_msg_dossier_event message = {
        .dossier = wf_str(walk->codes[cell_random(walk->cell, walk->submitted)]),
        .event = wf_str(pick(walk, events, WF_COUNT(events))),
        .by = wf_str("somebody"),
        .role = wf_str(pick(walk, roles, WF_COUNT(roles)))};
    ask_and_ignore(walk, WF_INTAKE, WF_MSG_dossier_event, &message);
}

static void let_time_pass(struct walk *walk)
{
    static const char *const lengths[] = {"2 minutes", "2 working hours", "1 day", "3 days"};
    cell_advance(walk->cell, pick(walk, lengths, WF_COUNT(lengths)));
}

static void mend_one(struct walk *walk)
{
    struct wf_rec_queue dead;
    if (!cell_first_dead(walk->cell, &dead))
        return;
    if (chance(walk, 50))
        cell_retry_dead(walk->cell, dead.seq);
    else
        cell_drop_dead(walk->cell, dead.seq);
}

static void step(struct walk *walk)
{
    uint64_t die = cell_random(walk->cell, 100);
    if (die < 10)
        file_one(walk);
    else if (die < 90)
        work_on_one(walk);
    else if (die < 93)
        raise_something(walk);
    else if (die < 97)
        let_time_pass(walk);
    else
        mend_one(walk);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static bool finish_all_once(struct walk *walk)
{
    bool any = false;
    struct task task;
    for (size_t i = 0; i < WF_COUNT(works); i++) {
        while (claim_if_any(walk->cell, works[i].activity, "*", works[i].role, &task)) {
            finish(walk->cell, &task, works[i].results[0]);
            any = true;
        }
    }
    return any;
}

/* A head says retry where a dropped dead letter has left a dossier without work. */
static void retry_all(struct walk *walk)
{
    for (uint64_t i = 0; i < walk->submitted; i++) {
        struct wf_msg_dossier_event message = {.dossier = wf_str(walk->codes[i]),
                                               .event = wf_str("retry"),
                                               .by = wf_str("head-1"),
                                               .role = wf_str("head")};
        if (!look_up(walk->cell, walk->codes[i])->closed)
            ask_and_ignore(walk, WF_INTAKE, WF_MSG_dossier_event, &message);
    }
}

static void bring_all_to_their_end(struct walk *walk)
{
    struct wf_rec_queue dead;
    for (int rounds = 0; rounds < 20; rounds++) {
        while (cell_first_dead(walk->cell, &dead))
            cell_retry_dead(walk->cell, dead.seq);
        while (finish_all_once(walk))
            ;
        if (cell_counts(walk->cell).open == 0)
            return;
        cell_advance(walk->cell, "2 hours"); /* leases run out, back-offs end */
        while (finish_all_once(walk))
            ;
        retry_all(walk);
    }
}

static void name_the_stuck(struct walk *walk)
{
    for (uint64_t i = 0; i < walk->submitted; i++) {
        const struct wf_msg_dossier_state *state = look_up(walk->cell, walk->codes[i]);
        if (state->closed)
            continue;
        const struct wf_value *states = state->states;
        print_error("open: %s in %s\n", walk->codes[i],
                    wf_value_text(wf_list_at(states, wf_value_count(states) - 1), "?"));
    }
}

static void whatever_happens_every_dossier_reaches_its_end(void **state)
{
    (void)state;
    struct walk walk = {.cell = cell_new("2026-11-23 08:00"), .dossiers = DOSSIERS};
    const char *wanted = getenv("WALK");
    if (wanted != NULL)
        walk.dossiers = strtoull(wanted, NULL, 10);
    walk.codes = calloc(walk.dossiers, sizeof(*walk.codes));
    assert_non_null(walk.codes);
    walk.cell->dead_letters_are_expected = true;
    for (uint64_t i = 0; i < walk.dossiers * 25; i++) {
        step(&walk);
        if (i % 1000 == 999)
            cell_verify(walk.cell);
    }
    while (walk.submitted < walk.dossiers)
        file_one(&walk);
    bring_all_to_their_end(&walk);
    struct wf_counts counts = cell_counts(walk.cell);
    print_message("SEED=%llu: %llu dossiers, %llu events, %llu steps in %llu turns, %llu nudges "
                  "lost\n",
                  (unsigned long long)cell_seed(), (unsigned long long)walk.submitted,
                  (unsigned long long)counts.journal_seq,
                  (unsigned long long)walk.cell->transitions, (unsigned long long)walk.cell->turns,
                  (unsigned long long)walk.cell->nudges_lost);
    name_the_stuck(&walk);
    assert_int_equal(counts.open, 0);
    assert_int_equal(counts.closed, walk.dossiers);
    assert_int_equal(counts.timers, 0);
    walk.cell->dead_letters_are_expected = false;
    cell_close(walk.cell);
    free(walk.codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_every_dossier_reaches_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

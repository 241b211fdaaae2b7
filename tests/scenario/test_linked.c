/* SPDX-License-Identifier: Apache-2.0 */
/* Linked dossiers (R18): one parent opens parts, they go their own ways, it hears of each end. */
#include "support/test.h"

#include "support/steps.h"

#define LINKED "2.000986"

static const char *submit_set(struct cell *cell)
{
    struct wf_msg_dossier_submit message = sample(cell, BIRTH);
    struct wf_value *fields = wf_map_copy(cell->arena, message.fields);
    wf_map_put(cell->arena, fields, "dwelling", wf_text(cell->arena, "Ấp 1, xã Long Trị"));
    wf_map_put(cell->arena, fields, "own_dwelling", wf_bool(true));
    struct wf_value *papers = wf_list(cell->arena);
    for (size_t i = 0; i < wf_value_count(message.papers); i++)
        wf_list_add(cell->arena, papers, wf_list_at(message.papers, i));
    wf_list_add(cell->arena, papers, json(cell->arena, "{'id': 'dwelling_right', 'kind': 'copy'}"));
    message.procedure = wf_str(LINKED);
    message.fields = fields;
    message.papers = papers;
    return submit_message(cell, &message);
}

static const char *part_of(struct cell *cell, const char *code, int n)
{
    return wf_arena_printf(cell->arena, "%s.%d", code, n);
}

/* Everybody does what waits for them; a review at `refused` (a dossier's code) is refused. */
static bool work_once(struct cell *cell, const char *refused)
{
    static const char *const roles[] = {"civil_servant", "specialist", "signing_authority",
                                        "head",          "clerk",      "postal_worker"};
    static const struct {
        const char *activity, *result;
    } work[] = {
        {"verification.review", "{'verdict': 'approve'}"},
        {"routing.handoff", "{'decision': 'approve', 'number': '7/QĐ'}"},
        {"routing.consult", "{'answer': 'agree'}"},
        {"routing.escalate", "{'reason': 'seen'}"},
        {"return.collect_fee", "{'paid': true, 'receipt': 'R-1'}"},
        {"return.deliver", "{'outcome': 'delivered', 'receiver': 'parent'}"},
    };
    for (size_t i = 0; i < WF_COUNT(work) * WF_COUNT(roles); i++) {
        struct task task;
        const char *activity = work[i / WF_COUNT(roles)].activity;
        if (!claim_if_any(cell, activity, "*", roles[i % WF_COUNT(roles)], &task))
            continue;
        bool refuse_it = refused != NULL && strcmp(task.dossier, refused) == 0 &&
                         strcmp(activity, "verification.review") == 0;
        finish(cell, &task,
               refuse_it ? "{'verdict': 'refuse', 'reason': 'not proved'}"
                         : work[i / WF_COUNT(roles)].result);
        return true;
    }
    return false;
}

static void work_until_closed(struct cell *cell, const char *code, const char *refused)
{
    for (int i = 0; i < 200 && !look_up(cell, code)->closed; i++) {
        if (!work_once(cell, refused))
            cell_advance(cell, "1 days");
    }
}

static void a_linked_set_opens_its_parts_under_its_own_number(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-25 08:10");
    const char *code = submit_set(cell);
    complete(cell, "verification.review", "civil_servant", "{'verdict': 'approve'}");
    assert_in(cell, code, "parts");
    assert_status(cell, code, 4);
    static const char *const procedures[] = {"1.001193", "1.004222", "3.999001"};
    for (int n = 1; n <= 3; n++) {
        const struct wf_msg_dossier_state *part = look_up(cell, part_of(cell, code, n));
        assert_true(wf_str_is(part->procedure, procedures[n - 1]));
        assert_false(part->closed);
    }
    cell_close(cell);
}

static void a_linked_set_ends_when_all_its_parts_have_ended(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-25 08:10");
    const char *code = submit_set(cell);
    work_until_closed(cell, code, NULL);
    for (int n = 1; n <= 3; n++)
        assert_closed(cell, part_of(cell, code, n), "approved");
    assert_closed(cell, code, "approved");
    assert_times(cell, code, "done.invoke.parts", 1);
    cell_close(cell);
}

static void a_part_that_is_refused_leaves_the_decision_to_the_head(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-25 08:10");
    const char *code = submit_set(cell);
    complete(cell, "verification.review", "civil_servant", "{'verdict': 'approve'}");
    const char *part = part_of(cell, code, 1);
    for (int i = 0; i < 200 && !is_in(cell, code, "partial"); i++) {
        if (!work_once(cell, part))
            cell_advance(cell, "1 days");
    }
    assert_in(cell, code, "partial");
    assert_closed(cell, part, "refused");
    assert_closed(cell, part_of(cell, code, 3), "approved");
    cell_close(cell);
}

/* The word that a part has closed is buried, and an operator drops it. */
static void a_dropped_word_of_a_part_is_told_to_the_whole(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-25 08:10");
    struct wf_rec_queue dead = {0};
    const char *code = submit_set(cell);
    complete(cell, "verification.review", "civil_servant", "{'verdict': 'approve'}");
    const char *part = part_of(cell, code, 1);
    cell_hold(cell, WF_HOLD_QUEUE, "intake.link");
    for (int i = 0; i < 200 && !look_up(cell, part)->closed; i++) {
        if (!work_once(cell, NULL))
            cell_advance(cell, "1 days");
    }
    assert_closed(cell, part, "approved");
    assert_in(cell, code, "parts");
    cell_release(cell, WF_HOLD_QUEUE, "intake.link");
    cell_bury_first(cell, WF_INTAKE);
    assert_true(cell_first_dead(cell, &dead));
    assert_int_equal(dead.kind, WF_QUEUE_PART);
    cell_drop_dead(cell, dead.seq);
    assert_times(cell, code, "error.communication", 1);
    assert_in(cell, code, "unopened");
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linked_set_opens_its_parts_under_its_own_number),
        cmocka_unit_test(a_linked_set_ends_when_all_its_parts_have_ended),
        cmocka_unit_test(a_part_that_is_refused_leaves_the_decision_to_the_head),
        cmocka_unit_test(a_dropped_word_of_a_part_is_told_to_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

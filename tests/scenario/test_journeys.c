/* SPDX-License-Identifier: Apache-2.0 */
/* Each delivered procedure from filing to the sealed file, as it goes when all goes well. */
#include "support/test.h"

#include "support/steps.h"

#define APPROVE   "{'verdict': 'approve'}"
#define PAID      "{'paid': true, 'receipt': 'R-000123'}"
#define DELIVERED "{'outcome': 'delivered', 'signature': 'yes'}"

static void review(struct cell *cell, const char *role)
{
    complete(cell, "verification.review", role, APPROVE);
}

static void hand_over_and_close(struct cell *cell, const char *code)
{
    assert_in(cell, code, "deliver");
    assert_status(cell, code, 9);
    complete(cell, "return.deliver", "clerk", DELIVERED);
    assert_closed(cell, code, "approved");
    assert_status(cell, code, 10);
    assert_times(cell, code, "done.invoke.archive", 1);
}

static void a_marital_status_certificate_is_issued(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    assert_string_equal(code, SITE "-261123-0001");
    assert_due(cell, code, "2026-11-27 09:10"); /* 24 November is Culture Day */
    assert_in(cell, code, "accept");
    assert_status(cell, code, 1);
    review(cell, "civil_servant");
    assert_in(cell, code, "payment");
    assert_status(cell, code, 6);
    complete(cell, "return.collect_fee", "clerk", PAID);
    assert_in(cell, code, "examine"); /* nobody to be consulted */
    assert_times(cell, code, "done.invoke.consult", 1);
    review(cell, "specialist");
    assert_in(cell, code, "sign");
    review(cell, "signing_authority");
    hand_over_and_close(cell, code);
    assert_notices(cell, code, "receipt", 1);
    assert_notices(cell, code, "payment", 1);
    assert_notices(cell, code, "ready", 1);
    assert_notices(cell, code, "delivered", 1);
    assert_int_equal(send_notices(cell), 4);
    cell_close(cell);
}

static void a_birth_is_registered_the_same_day(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, BIRTH, "{}");
    assert_due(cell, code, "2026-11-23 17:00");
    review(cell, "civil_servant");
    review(cell, "specialist");
    review(cell, "signing_authority");
    hand_over_and_close(cell, code);
    cell_close(cell);
}

static void a_birth_after_three_o_clock_is_due_the_next_working_day(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-27 15:01"); /* a Friday */
    const char *code = submit(cell, BIRTH, "{}");
    assert_due(cell, code, "2026-11-30 17:00");
    cell_close(cell);
}

static void a_late_birth_waits_for_its_fee(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, BIRTH, "{'late_fee': 8000}");
    review(cell, "civil_servant");
    assert_in(cell, code, "payment");
    struct task task = claim(cell, "return.collect_fee", "clerk");
    assert_int_equal(wf_value_int(wf_map_get(task.params, "amount"), 0), 8000);
    finish(cell, &task, PAID);
    assert_in(cell, code, "examine");
    cell_close(cell);
}

static void a_land_change_asks_authorities_and_visits_side_by_side(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, LAND, "{'return_by': 'post'}");
    review(cell, "civil_servant");
    assert_in(cell, code, "asking");
    assert_in(cell, code, "visiting");
    struct task tax = claim_at(cell, "routing.consult", "000.00.21.H30");
    finish(cell, &tax, "{'answer': 'agree'}");
    review(cell, "specialist"); /* the visit, before the commune has answered */
    assert_in(cell, code, "asking");
    assert_in(cell, code, "visited");
    struct task commune = claim_at(cell, "routing.consult", "000.01.33.H30");
    finish(cell, &commune, "{'answer': 'agree'}");
    assert_in(cell, code, "decide");
    review(cell, "specialist");
    struct task duties = claim_at(cell, "routing.handoff", "000.00.21.H30");
    finish(cell, &duties, "{'decision': 'assessed', 'amount': 18000000}");
    struct task pay = claim(cell, "return.collect_fee", "clerk");
    assert_int_equal(wf_value_int(wf_map_get(pay.params, "amount"), 0), 18000000);
    finish(cell, &pay, PAID);
    struct task entry = claim_at(cell, "routing.handoff", "000.00.22.H30");
    finish(cell, &entry, "{'decision': 'entered', 'number': 'CS-17'}");
    struct task parcel = claim(cell, "return.deliver", "courier");
    assert_string_equal(parcel.to, "vnpost");
    finish(cell, &parcel, DELIVERED);
    assert_closed(cell, code, "approved");
    cell_close(cell);
}

static void a_certified_copy_costs_by_page_and_copy(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, COPY, "{'pages': 3, 'copies': 2}");
    review(cell, "civil_servant");
    struct task task = claim(cell, "return.collect_fee", "clerk");
    assert_int_equal(wf_value_int(wf_map_get(task.params, "amount"), 0), 10000);
    finish(cell, &task, PAID);
    review(cell, "signing_authority");
    hand_over_and_close(cell, code);
    cell_close(cell);
}

static void codes_count_up_per_place_and_day(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    assert_string_equal(submit(cell, COPY, "{}"), SITE "-261123-0001");
    assert_string_equal(submit(cell, BIRTH, "{}"), SITE "-261123-0002");
    struct wf_msg_dossier_submit elsewhere = sample(cell, COPY);
    elsewhere.site = wf_str(SITE_MANDATED);
    assert_string_equal(submit_message(cell, &elsewhere), SITE_MANDATED "-261123-0001");
    cell_advance(cell, "1 working day");
    assert_string_equal(submit(cell, COPY, "{}"), SITE "-261125-0001");
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_marital_status_certificate_is_issued),
        cmocka_unit_test(a_birth_is_registered_the_same_day),
        cmocka_unit_test(a_birth_after_three_o_clock_is_due_the_next_working_day),
        cmocka_unit_test(a_late_birth_waits_for_its_fee),
        cmocka_unit_test(a_land_change_asks_authorities_and_visits_side_by_side),
        cmocka_unit_test(a_certified_copy_costs_by_page_and_copy),
        cmocka_unit_test(codes_count_up_per_place_and_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

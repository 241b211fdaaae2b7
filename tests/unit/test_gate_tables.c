/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's bucket and its table of requests on their way. */
#include "support/test.h"

#include "gate/gate.h"

static unsigned take_all(struct bucket *bucket, int64_t rate, int64_t now)
{
    unsigned n = 0;
    int64_t wait = 0;
    while (bucket_take(bucket, rate, now, &wait))
        n++;
    assert_true(wait > 0);
    return n;
}

static void a_bucket_gives_its_rate_and_a_first_burst(void **state)
{
    (void)state;
    struct bucket bucket = {0};
    assert_int_equal(take_all(&bucket, 10, 1000), 20);
    assert_int_equal(take_all(&bucket, 10, 1000), 0);
    assert_int_equal(take_all(&bucket, 10, 1050), 0);
    assert_int_equal(take_all(&bucket, 10, 1100), 1);
    assert_int_equal(take_all(&bucket, 10, 2100), 10);
    assert_int_equal(take_all(&bucket, 10, 99999), 20); /* silence is not saved up for ever */
}

static void a_bucket_says_when_to_come_back(void **state)
{
    (void)state;
    struct bucket bucket = {0};
    int64_t wait = 0;
    (void)take_all(&bucket, 4, 5000);
    assert_false(bucket_take(&bucket, 4, 5000, &wait));
    assert_int_equal(wait, 250);
    assert_false(bucket_take(&bucket, 4, 5249, &wait));
    assert_int_equal(wait, 1);
    assert_true(bucket_take(&bucket, 4, 5250, &wait));
    assert_false(bucket_take(&bucket, 4, 5000, &wait)); /* a clock that goes back gives nothing */
}

static void requests_are_found_dropped_and_bounded(void **state)
{
    (void)state;
    enum { MOST = 50 };
    struct pendings table = {0};
    struct visitor visitor = {0};
    struct wf_error err = {0};
    uint8_t proof[PROOF_LEN] = {0};
    assert_ok(pending_open(&table, MOST, &err), err);
    for (uint8_t round = 0; round < 3; round++) {
        for (uint8_t i = 0; i < MOST; i++) {
            proof[0] = (uint8_t)(i / 5); /* some share a chain */
            proof[9] = i;
            assert_null(pending_find(&table, proof));
            struct pending *row = pending_add(&table, proof, &visitor);
            assert_non_null(row);
            row->until_ms = i;
            assert_ptr_equal(pending_find(&table, proof), row);
        }
        proof[9] = 200;
        assert_null(pending_add(&table, proof, &visitor));
        assert_int_equal(visitor.waiting, MOST);
        proof[0] = 4;
        proof[9] = 22;
        pending_drop(&table, pending_find(&table, proof));
        assert_null(pending_find(&table, proof));
        proof[9] = 23;
        assert_non_null(pending_find(&table, proof));
        assert_int_equal(pending_expire(&table, 9), 10);
        assert_int_equal(pending_expire(&table, 1000), MOST - 11);
        assert_int_equal(visitor.waiting, 0);
    }
    pending_close(&table);
}

/* ---- strangers ------------------------------------------------------------------------------- */

static void a_stranger_is_told_once_a_minute_and_many_are_no_flood(void **state)
{
    static struct gate gate;
    unsigned told = 0;
    (void)state;
    assert_true(strangers_is_new(&gate, "10.0.0.1", 1000));
    assert_false(strangers_is_new(&gate, "10.0.0.1", 1000));
    assert_false(strangers_is_new(&gate, "10.0.0.1", 60999));
    assert_true(strangers_is_new(&gate, "10.0.0.2", 1500));
    assert_true(strangers_is_new(&gate, "10.0.0.1", 61000));
    for (unsigned i = 0; i < 10000; i++) {
        char address[46];
        (void)snprintf(address, sizeof(address), "fe80::%x", i);
        told += strangers_is_new(&gate, address, 61000);
    }
    assert_int_equal(told, STRANGERS_MAX - 2);
    assert_true(strangers_is_new(&gate, "10.0.0.3", 121001)); /* their minute is over */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_rate_and_a_first_burst),
        cmocka_unit_test(a_bucket_says_when_to_come_back),
        cmocka_unit_test(requests_are_found_dropped_and_bounded),
        cmocka_unit_test(a_stranger_is_told_once_a_minute_and_many_are_no_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

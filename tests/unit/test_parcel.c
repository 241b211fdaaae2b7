/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "return/parcel.h"

/* Tells the parcel a list of news: "collected in_transit failed:1 ..." and gives its last state. */
static const char *after(const char *news, int64_t *out_attempt)
{
    struct parcel parcel = {.state = PARCEL_NUMBERED};
    char copy[256];
    char *rest = copy;

    assert_true(strlen(news) < sizeof(copy));
    strcpy(copy, news);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *attempt = strchr(word, ':');
        enum parcel_state state;

        if (attempt != NULL)
            *attempt++ = '\0';
        assert_true(parcel_of_word(wf_str(word), &state));
        (void)parcel_apply(&parcel, state, attempt ? atoi(attempt) : 0);
    }
    if (out_attempt != NULL)
        *out_attempt = parcel.attempt;
    return parcel_word(parcel.state);
}

static void a_parcel_goes_its_way_to_the_citizen(void **state)
{
    (void)state;
    assert_string_equal(after("collected in_transit out_for_delivery delivered", NULL),
                        "delivered");
}

static void news_that_were_never_told_are_jumped_over(void **state)
{
    (void)state;
    assert_string_equal(after("delivered", NULL), "delivered");
    assert_string_equal(after("collected out_for_delivery", NULL), "out_for_delivery");
    assert_string_equal(after("failed:1", NULL), "failed");
}

static void late_news_change_nothing(void **state)
{
    (void)state;
    assert_string_equal(after("out_for_delivery collected in_transit", NULL), "out_for_delivery");
    assert_string_equal(after("failed:1 in_transit out_for_delivery:1 failed:1", NULL), "failed");
}

static void a_delivery_is_never_undone(void **state)
{
    static const char *const words[] = {"numbered",  "collected",         "in_transit", "failed:9",
                                        "returning", "returned",          "lost",       "damaged",
                                        "cancelled", "out_for_delivery:9"};
    char news[64];

    (void)state;
    for (size_t i = 0; i < WF_COUNT(words); i++) {
        (void)snprintf(news, sizeof(news), "delivered %s", words[i]);
        assert_string_equal(after(news, NULL), "delivered");
    }
}

static void a_failed_attempt_is_followed_by_the_next(void **state)
{
    int64_t attempt;

    (void)state;
    assert_string_equal(after("out_for_delivery:1 failed:1 out_for_delivery:2", &attempt),
                        "out_for_delivery");
    assert_int_equal(attempt, 2);
    assert_string_equal(after("out_for_delivery failed out_for_delivery failed", &attempt),
                        "failed");
    assert_int_equal(attempt, 2);
}

static void the_same_failure_told_twice_is_one_attempt(void **state)
{
    int64_t attempt;

    (void)state;
    (void)after("out_for_delivery failed failed", &attempt);
    assert_int_equal(attempt, 1);
    (void)after("failed:1 failed:1 failed:2 failed:1", &attempt);
    assert_int_equal(attempt, 2);
}

static void a_parcel_is_cancelled_only_before_it_is_collected(void **state)
{
    (void)state;
    assert_string_equal(after("cancelled", NULL), "cancelled");
    assert_string_equal(after("collected cancelled", NULL), "collected");
}

static void a_parcel_on_its_way_back_can_still_be_handed_over(void **state)
{
    (void)state;
    assert_string_equal(after("failed:1 failed:2 returning delivered", NULL), "delivered");
    assert_string_equal(after("returning out_for_delivery:3", NULL), "returning");
}

static void over_means_that_no_news_change_it(void **state)
{
    static const bool over[PARCEL_STATE_COUNT] = {
        [PARCEL_RETURNED] = true, [PARCEL_DELIVERED] = true, [PARCEL_CANCELLED] = true,
        [PARCEL_LOST] = true,     [PARCEL_DAMAGED] = true,
    };

    (void)state;
    for (size_t i = 0; i < PARCEL_STATE_COUNT; i++) {
        struct parcel parcel = {.state = (enum parcel_state)i};

        assert_int_equal(parcel_is_over(&parcel), over[i]);
    }
}

/* Whatever comes, in whatever order: attempts never fall, and news told twice change nothing. */
static void any_order_of_news_is_harmless(void **state)
{
    uint32_t random = 12345;

    (void)state;
    for (size_t round = 0; round < 2000; round++) {
        struct parcel parcel = {.state = PARCEL_CREATED};

        for (size_t i = 0; i < 20; i++) {
            struct parcel before = parcel;
            enum parcel_state news;
            int64_t attempt;

            random = random * 1664525u + 1013904223u;
            news = (enum parcel_state)((random >> 16) % PARCEL_STATE_COUNT);
            attempt = 1 + (random >> 8) % 3;
            if (!parcel_apply(&parcel, news, attempt))
                assert_true(before.state == parcel.state && before.attempt == parcel.attempt);
            before = parcel;
            assert_false(parcel_apply(&parcel, news, attempt));
            assert_true(parcel.attempt >= before.attempt);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parcel_goes_its_way_to_the_citizen),
        cmocka_unit_test(news_that_were_never_told_are_jumped_over),
        cmocka_unit_test(late_news_change_nothing),
        cmocka_unit_test(a_delivery_is_never_undone),
        cmocka_unit_test(a_failed_attempt_is_followed_by_the_next),
        cmocka_unit_test(the_same_failure_told_twice_is_one_attempt),
        cmocka_unit_test(a_parcel_is_cancelled_only_before_it_is_collected),
        cmocka_unit_test(a_parcel_on_its_way_back_can_still_be_handed_over),
        cmocka_unit_test(over_means_that_no_news_change_it),
        cmocka_unit_test(any_order_of_news_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

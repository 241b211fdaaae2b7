/* SPDX-License-Identifier: Apache-2.0 */
/* The board: what is counted where, and what a second opener sees of it. */
#include "support/test.h"

#include "support/tempdir.h"
#include "workflow/service.h"

static void times_fall_into_the_bucket_of_their_upper_bound(void **state)
{
    struct wf_board_times times = {{0}, 0};
    (void)state;
    for (size_t i = 0; i + 1 < WF_BOARD_BUCKETS; i++) {
        wf_board_note(&times, wf_board_bounds_us[i]);
        assert_int_equal(times.counts[i], 1);
        if (i > 0)
            assert_true(wf_board_bounds_us[i] > wf_board_bounds_us[i - 1]);
        wf_board_note(&times, wf_board_bounds_us[i] + 1);
        assert_int_equal(times.counts[i + 1], 1);
        times.counts[i + 1] = 0;
    }
    times.sum_us = 0;
    wf_board_note(&times, 0);
    wf_board_note(&times, INT64_C(3600) * 1000000);
    assert_int_equal(times.counts[0], 2);
    assert_int_equal(times.counts[WF_BOARD_BUCKETS - 1], 1);
    assert_int_equal(times.sum_us, INT64_C(3600) * 1000000);
}

static void every_error_code_has_its_counter_and_no_other_number_has(void **state)
{
    struct wf_board_slot slot;
    (void)state;
    memset(&slot, 0, sizeof(slot));
#define X(name, number, action, word, meaning) wf_board_error(&slot, WF_E_##name);
    WF_ERRORS(X)
#undef X
    for (int i = 0; i < WF_BOARD_ERRORS; i++)
        assert_int_equal(slot.errors[i], 1);
    wf_board_error(&slot, 0);
    wf_board_error(&slot, WF_NONE);
    wf_board_error(&slot, -WF_BOARD_ERRORS - 1);
    wf_board_error(&slot, INT32_MIN);
    for (int i = 0; i < WF_BOARD_ERRORS; i++)
        assert_int_equal(slot.errors[i], 1);
}

static void what_one_process_writes_another_reads_by_the_table(void **state)
{
    struct tempdir dir;
    struct wf_board *writer = NULL;
    struct wf_board *reader = NULL;
    struct wf_error err;
    (void)state;
    tempdir_init(&dir);
    assert_ok(wf_board_open(dir.path, &writer, &err), err);
    assert_ok(wf_board_open(dir.path, &reader, &err), err);
    *wf_board_gate(writer) = (struct wf_board_gate){.pid = 7, .ready = 1, .busy = 3};
    *wf_board_bridge(writer) = (struct wf_board_bridge){.pid = 8, .failed = 4};
    *wf_board_portal(writer) = (struct wf_board_portal){.pid = 9, .away = 5};
    *wf_board_folder(writer) = (struct wf_board_folder){.pid = 10, .news = 6};
    *wf_board_courier(writer) = (struct wf_board_courier){.pid = 11, .turns = 7};
    *wf_board_relay(writer) = (struct wf_board_relay){.pid = 12, .cuts = 8};
    for (unsigned p = 0; p < WF_BOARD_PROCESS_COUNT; p++) {
        size_t n = 0;
        int64_t sum = 0;
        const char *slot = wf_board_process_slot(reader, (enum wf_board_process)p);
        const struct wf_board_figure *figures = wf_board_figures((enum wf_board_process)p, &n);
        for (size_t i = 0; i < n; i++)
            sum += *(const int64_t *)(const void *)(slot + figures[i].at);
        assert_int_equal(*(const int64_t *)(const void *)slot, 7 + p);
        assert_int_equal(sum, 3 + p);
        assert_int_equal(wf_board_process_of(wf_board_process_name((enum wf_board_process)p)), p);
    }
    assert_int_equal(wf_board_process_of("nobody"), WF_BOARD_PROCESS_COUNT);
    (void)wf_board_process_begin(writer, WF_BOARD_folder);
    assert_int_equal(wf_board_folder(reader)->pid, 0);
    assert_int_equal(wf_board_folder(reader)->news, 0);
    assert_int_equal(wf_board_courier(reader)->pid, 11);
    assert_int_equal(wf_board_portal(reader)->away, 5);
    wf_board_close(reader);
    wf_board_close(writer);
    tempdir_fini(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_fall_into_the_bucket_of_their_upper_bound),
        cmocka_unit_test(every_error_code_has_its_counter_and_no_other_number_has),
        cmocka_unit_test(what_one_process_writes_another_reads_by_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

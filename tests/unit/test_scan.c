/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader passes and refuses where it only checks, byte by byte. */
#include "support/test.h"

#include <time.h>

#include "workflow/messages.h"

#define BYTES(text) ((struct wf_slice){(const uint8_t *)(text), sizeof(text) - 1})

static void bytes_that_are_one_plain_object_pass(void **state)
{
    (void)state;
    const struct wf_slice good[] = {
        BYTES("\xc0"),
        BYTES("\xc2"),
        BYTES("\x7f"),
        BYTES("\xe0"),
        BYTES("\xcc\xff"),
        BYTES("\xcd\xff\xff"),
        BYTES("\xce\xff\xff\xff\xff"),
        BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
        BYTES("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
        BYTES("\xd0\x80"),
        BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
        BYTES("\xca\x80\x00\x00\x00"),
        BYTES("\xcb\x80\x00\x00\x00\x00\x00\x00\x00"),
        BYTES("\xa0"),
        BYTES("\xa8"
              "Nguy\xe1\xbb\x85n"),
        BYTES("\xd9\x03"
              "abc"),
        BYTES("\xda\x00\x0a"
              "0123456789"),
        BYTES("\xdb\x00\x00\x00\x01"
              "a"),
        BYTES("\xc4\x02\x00\xff"),
        BYTES("\xc5\x00\x01\x00"),
        BYTES("\xc6\x00\x00\x00\x01\x00"),
        BYTES("\x90"),
        BYTES("\x93\x01\x90\x80"),
        BYTES("\xdc\x00\x01\xc0"),
        BYTES("\xdd\x00\x00\x00\x01\xc0"),
        BYTES("\x80"),
        BYTES("\x82\xa1"
              "a\x81\xa1"
              "a\x01\xa1"
              "b\xc3"),
        BYTES("\xde\x00\x01\xa0\xc0"),
        BYTES("\xdf\x00\x00\x00\x01\xa0\xc0"),
    };
    for (size_t i = 0; i < WF_COUNT(good); i++) {
        struct wf_error err = {0};
        if (wf_scan(good[i], &err) != 0)
            fail_msg("good case %zu: %s", i, err.text);
    }
}

static void bytes_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    const struct {
        struct wf_slice bytes;
        const char *why;
    } bad[] = {
        {BYTES(""), "empty"},
        {BYTES("\xc1"), "not in use"},
        {BYTES("\xc0\xc0"), "more bytes"},
        {BYTES("\xd4\x01\x00"), "not in use"},
        {BYTES("\xd8\x01"), "not in use"},
        {BYTES("\xc7\x01\x01\x00"), "not in use"},
        {BYTES("\xc9\xff\xff\xff\xff\x01"), "not in use"},
        {BYTES("\xca\x7f\xc0\x00\x00"), "finite"},
        {BYTES("\xca\xff\x80\x00\x00"), "finite"},
        {BYTES("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), "finite"},
        {BYTES("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), "finite"},
        {BYTES("\xcb\x7f\xf0\x00\x00\x00\x00\x00"), "cut short"},
        {BYTES("\xcd\xff"), "cut short"},
        {BYTES("\xd9"), "cut short"},
        {BYTES("\xdb\xff\xff\xff\xff"
               "a"),
         "cut short"},
        {BYTES("\xc6\xff\xff\xff\xff"), "cut short"},
        {BYTES("\xa2\xc3\x28"), "UTF-8"},
        {BYTES("\xa2\xc0\x80"), "UTF-8"},
        {BYTES("\xa3\xed\xa0\x80"), "UTF-8"},
        {BYTES("\xa1\x00"), "UTF-8"},
        {BYTES("\xaa"
               "12345678\x00z"),
         "UTF-8"},
        {BYTES("\xaa"
               "123\x00"
               "567890"),
         "UTF-8"},
        {BYTES("\xdd\xff\xff\xff\xff"), "bytes that are left"},
        {BYTES("\xdd\x00\x98\x96\x80\xc0"), "bytes that are left"},
        {BYTES("\xdf\xff\xff\xff\xff\xa0\xc0"), "bytes that are left"},
        {BYTES("\xdf\x80\x00\x00\x01\xa0\xc0"), "bytes that are left"},
        {BYTES("\x93\xc0\xc0"), "bytes that are left"},
        {BYTES("\x92\x92\xc0\xc0"), "bytes that are left"},
        {BYTES("\x81\x01\xc0"), "no text"},
        {BYTES("\x81\x90\xc0"), "no text"},
        {BYTES("\x81\xc4\x01"
               "a\xc0"),
         "no text"},
        {BYTES("\x82\xa1"
               "a\x01\xa1"
               "a\x02"),
         "twice"},
        {BYTES("\x82\xa0\x01\xa0\x02"), "twice"},
        {BYTES("\x91\x82\xa1"
               "a\x01\xd9\x01"
               "a\x02"),
         "twice"},
    };
    for (size_t i = 0; i < WF_COUNT(bad); i++) {
        struct wf_error err = {0};
        int rc = wf_scan(bad[i].bytes, &err);
        if (rc != WF_E_INVALID || strstr(err.text, bad[i].why) == NULL)
            fail_msg("bad case %zu gave %d: %s", i, rc, err.text);
    }
}

static void sixteen_levels_pass_and_seventeen_do_not(void **state)
{
    (void)state;
    for (int levels = 15; levels <= 18; levels++) {
        uint8_t bytes[32];
        memset(bytes, 0x91, sizeof(bytes));
        bytes[levels] = 0xc0;
        int rc = wf_scan((struct wf_slice){bytes, (size_t)levels + 1}, NULL);
        assert_int_equal(rc, levels <= 16 ? 0 : WF_E_INVALID);
    }
}

static void a_tower_of_brackets_is_refused_at_the_first_too_many(void **state)
{
    (void)state;
    static uint8_t bytes[WF_FRAME_MAX];
    for (unsigned lead = 0x91; lead <= 0x9f; lead++) {
        struct wf_error err = {0};
        memset(bytes, (int)lead, sizeof(bytes));
        assert_int_equal(wf_scan((struct wf_slice){bytes, sizeof(bytes)}, &err), WF_E_INVALID);
        assert_string_equal(err.text, "byte 17: nested too deep");
    }
}

/* A list of n small integers. */
static size_t long_list(uint8_t *bytes, size_t n)
{
    bytes[0] = 0xdc;
    bytes[1] = (uint8_t)(n >> 8);
    bytes[2] = (uint8_t)n;
    memset(bytes + 3, 1, n);
    return n + 3;
}

static void objects_are_counted_up_to_4096(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    size_t length = long_list(bytes, 4095);
    assert_int_equal(wf_scan((struct wf_slice){bytes, length}, NULL), 0);
    length = long_list(bytes, 4096);
    assert_int_equal(wf_scan((struct wf_slice){bytes, length}, NULL), WF_E_INVALID);
}

static void a_frame_over_the_limit_is_refused_unread(void **state)
{
    (void)state;
    static uint8_t bytes[WF_FRAME_MAX + 1];
    size_t text = WF_FRAME_MAX - 5;
    memset(bytes, 'a', sizeof(bytes));
    bytes[0] = 0xdb;
    for (unsigned i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(text >> (8 * (3 - i)));
    assert_int_equal(wf_scan((struct wf_slice){bytes, WF_FRAME_MAX}, NULL), 0);
    bytes[4]++;
    struct wf_error err = {0};
    assert_int_equal(wf_scan((struct wf_slice){bytes, WF_FRAME_MAX + 1}, &err), WF_E_INVALID);
    assert_string_equal(err.text, "longer than 262144 bytes");
}

/* A map of n keys of one length, equal but for their last four digits; value 1 each. */
static struct wf_buf many_keys(size_t n, int width)
{
    struct wf_buf buf = {0};
    const uint8_t head[] = {0xde, (uint8_t)(n >> 8), (uint8_t)n};
    wf_buf_add(&buf, head, sizeof(head));
    for (size_t i = 0; i < n; i++) {
        uint8_t lead[] = {0xd9, (uint8_t)width};
        wf_buf_add(&buf, lead, sizeof(lead));
        wf_buf_printf(&buf, "%0*zu", width, (i * 7919) % n);
        wf_buf_add(&buf, "\x01", 1);
    }
    assert_false(buf.failed);
    return buf;
}

static void equal_keys_are_found_wherever_they_stand_in_a_large_map(void **state)
{
    (void)state;
    enum { N = 2000, WIDTH = 8, ROW = WIDTH + 3 };
    struct wf_buf buf = many_keys(N, WIDTH);
    assert_int_equal(wf_scan((struct wf_slice){buf.ptr, buf.len}, NULL), 0);
    for (size_t i = 0; i < N; i += 97) {
        size_t other = (i * 31 + 1000) % N;
        uint8_t saved[WIDTH];
        if (other == i)
            continue;
        memcpy(saved, buf.ptr + 5 + i * ROW, WIDTH);
        memcpy(buf.ptr + 5 + i * ROW, buf.ptr + 5 + other * ROW, WIDTH);
        struct wf_error err = {0};
        assert_int_equal(wf_scan((struct wf_slice){buf.ptr, buf.len}, &err), WF_E_INVALID);
        assert_non_null(strstr(err.text, "twice"));
        memcpy(buf.ptr + 5 + i * ROW, saved, WIDTH);
    }
    wf_buf_fini(&buf);
}

/* The least processor time of several scans, in seconds. */
static double scan_time(const struct wf_buf *buf)
{
    double best = 10.0;
    for (int i = 0; i < 9; i++) {
        struct timespec begin;
        struct timespec end;
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        assert_int_equal(wf_scan((struct wf_slice){buf->ptr, buf->len}, NULL), 0);
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        double took =
            (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
        best = took < best ? took : best;
    }
    return best;
}

static void the_cost_of_a_map_stays_near_linear_in_its_keys(void **state)
{
    (void)state;
    struct wf_buf few = many_keys(128, 120);
    struct wf_buf many = many_keys(2047, 120);
    assert_true(scan_time(&many) < scan_time(&few) * 16 * 5); /* the square would be 16 * 16 */
    wf_buf_fini(&few);
    wf_buf_fini(&many);
}

static void a_map_too_large_for_the_stack_reports_lack_of_memory(void **state)
{
    (void)state;
    struct wf_buf buf = many_keys(1000, 4);
    wf_alloc_fail_at(1, 0);
    assert_int_equal(wf_scan((struct wf_slice){buf.ptr, buf.len}, NULL), WF_E_NOMEM);
    wf_alloc_fail_at(0, 0);
    assert_int_equal(wf_scan((struct wf_slice){buf.ptr, buf.len}, NULL), 0);
    wf_buf_fini(&buf);
}

static void keys_of_nested_maps_do_not_mix_with_those_around_them(void **state)
{
    (void)state;
    struct wf_error err = {0};
    /* {a: {a: 1, b: {a: 1}}, b: {b: 2}} */
    assert_ok(wf_scan(BYTES("\x82\xa1"
                            "a\x82\xa1"
                            "a\x01\xa1"
                            "b\x81\xa1"
                            "a\x01\xa1"
                            "b\x81\xa1"
                            "b\x02"),
                      &err),
              err);
    /* {a: {a: 1}, a: 2}: the second outer key comes after an inner map */
    assert_int_equal(wf_scan(BYTES("\x82\xa1"
                                   "a\x81\xa1"
                                   "a\x01\xa1"
                                   "a\x02"),
                             &err),
                     WF_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_one_plain_object_pass),
        cmocka_unit_test(bytes_that_break_a_rule_are_refused),
        cmocka_unit_test(sixteen_levels_pass_and_seventeen_do_not),
        cmocka_unit_test(a_tower_of_brackets_is_refused_at_the_first_too_many),
        cmocka_unit_test(objects_are_counted_up_to_4096),
        cmocka_unit_test(a_frame_over_the_limit_is_refused_unread),
        cmocka_unit_test(equal_keys_are_found_wherever_they_stand_in_a_large_map),
        cmocka_unit_test(the_cost_of_a_map_stays_near_linear_in_its_keys),
        cmocka_unit_test(a_map_too_large_for_the_stack_reports_lack_of_memory),
        cmocka_unit_test(keys_of_nested_maps_do_not_mix_with_those_around_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

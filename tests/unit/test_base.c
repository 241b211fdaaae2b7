/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <errno.h>

#include "workflow/clock.h"
#include "workflow/error.h"
#include "workflow/hash.h"
#include "workflow/value.h"

static void an_error_carries_code_field_and_one_line_of_text(void **state)
{
    (void)state;
    struct wf_error err;
    assert_int_equal(wf_fail_field(&err, WF_E_INVALID, "fields.phone", "bad\nline %d", 7),
                     WF_E_INVALID);
    assert_string_equal(err.field, "fields.phone");
    assert_string_equal(err.text, "bad line 7");
    assert_int_equal(wf_wrap(&err, "submit"), WF_E_INVALID);
    assert_string_equal(err.text, "submit: bad line 7");
}

static void wrapping_a_long_error_cuts_it_and_stays_in_bounds(void **state)
{
    (void)state;
    struct wf_error err;
    wf_fail(&err, WF_E_IO, "%0500d", 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(wf_wrap(&err, "a rather long context number %d", i), WF_E_IO);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

/* What is said to a party must be well-formed, or it could not be packed and the party hears nothing. */
static void texts_of_errors_are_cut_between_letters(void **state)
{
    (void)state;
    for (int blanks = 0; blanks < 4; blanks++) {
        struct wf_error err;
        char long_text[600];
        int n = snprintf(long_text, sizeof(long_text), "%.*s", blanks, "   ");
        while (n + 3 < (int)sizeof(long_text))
            n += snprintf(long_text + n, sizeof(long_text) - (size_t)n, "\xe1\xbb\x85");
        wf_fail_field(&err, WF_E_INVALID, long_text, "%s", long_text);
        assert_true(wf_is_utf8(err.field, strlen(err.field)));
        assert_true(strlen(err.field) > sizeof(err.field) - 4);
        assert_true(wf_is_utf8(err.text, strlen(err.text)));
        wf_fail(&err, WF_E_INVALID, "%s", long_text);
        assert_true(wf_is_utf8(err.text, strlen(err.text)));
        assert_true(strlen(err.text) > sizeof(err.text) - 4);
        for (int i = 0; i < 4; i++) {
            wf_wrap(&err, "x");
            assert_true(wf_is_utf8(err.text, strlen(err.text)));
        }
        wf_name_field(&err, "body.%s", long_text);
        assert_true(wf_is_utf8(err.field, strlen(err.field)));
    }
}

static void every_code_has_its_own_word_and_number(void **state)
{
    (void)state;
#define X(name, number, action, word, meaning)                                                     \
    assert_int_equal(wf_code_of_word(word), number);                                               \
    assert_string_equal(wf_code_word(number), word);
    WF_ERRORS(X)
#undef X
    assert_int_equal(wf_code_of_word("no such word"), 0);
}

static void a_number_that_is_no_code_counts_as_a_broken_promise(void **state)
{
    (void)state;
    assert_string_equal(wf_code_word(-999), "internal");
    assert_string_equal(wf_code_word(0), "internal");
}

static void an_arena_refuses_above_its_limit_and_works_again_after_reset(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(100000);
    assert_non_null(wf_arena_alloc(arena, 90000));
    assert_null(wf_arena_alloc(arena, 20000));
    assert_null(wf_arena_alloc(arena, SIZE_MAX));
    wf_arena_reset(arena);
    assert_int_equal(wf_arena_used(arena), 0);
    assert_non_null(wf_arena_alloc(arena, 20000));
    wf_arena_free(arena);
}

static void utf8_is_checked_at_every_edge(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        bool good;
    } cases[] = {
        {"Nguy\xe1\xbb\x85n", 8, true},
        {"\xc0\x80", 2, false},
        {"\xed\xa0\x80", 3, false},
        {"\xf4\x8f\xbf\xbf", 4, true},
        {"\xf4\x90\x80\x80", 4, false},
        {"\xe1\xbb", 2, false},
        {"a\0b", 3, false},
        {"", 0, true},
        {"\xff", 1, false},
        {"\xe0\x80\x80", 3, false},
        {"\xf0\x80\x80\x80", 4, false},
        {"\x80", 1, false},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++)
        assert_int_equal(wf_is_utf8(cases[i].text, cases[i].n), cases[i].good);
}

static void a_map_keeps_order_and_replaces_by_key(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *map = wf_map(arena);
    for (int i = 0; i < 10; i++)
        assert_true(wf_map_put(arena, map, wf_arena_printf(arena, "k%d", i), wf_int(arena, i)));
    wf_map_put(arena, map, "k3", wf_text(arena, "new"));
    assert_int_equal(wf_value_count(map), 10);
    assert_true(wf_str_is(wf_value_str(wf_value_at(map, "k3")), "new"));
    assert_true(wf_str_is(map->u.map.pairs[9].key, "k9"));
    assert_true(wf_value_equal(map, wf_value_copy(arena, map)));
    wf_arena_free(arena);
}

static void shared_texts_and_keys_are_not_copied(void **state)
{
    (void)state;
    static const char key[] = "key";
    static const char text[] = "text";
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *map = wf_map(arena);
    const struct wf_value *value = wf_text_shared(arena, wf_str(text));
    assert_ptr_equal(value->u.text.ptr, text);
    assert_true(wf_map_put_shared(arena, map, wf_str(key), value));
    assert_ptr_equal(map->u.map.pairs[0].key.ptr, key);
    assert_true(wf_map_put_shared(arena, map, wf_str("key"), wf_int(arena, 1)));
    assert_int_equal(wf_value_count(map), 1); /* replaced */
    assert_int_equal(wf_value_int(wf_map_get(map, "key"), 0), 1);
    assert_string_equal(wf_value_text(wf_text_shared(arena, (struct wf_str){NULL, 0}), "?"), "");
    assert_false(wf_map_put_shared(arena, map, wf_str("other"), NULL));
    assert_false(wf_value_is_whole(map));
    wf_arena_free(arena);
}

static void a_printed_text_is_whole_whatever_its_length(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(0);
    for (int length = 0; length < 300; length++) {
        const char *text = wf_arena_printf(arena, "%*s", length, "");
        assert_int_equal(strlen(text), length);
        assert_int_equal(strspn(text, " "), length);
    }
    wf_arena_free(arena);
}

static void running_out_of_memory_leaves_a_container_broken_not_wrong(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(4096);
    struct wf_value *list = wf_list(arena);
    bool added = true;
    for (int i = 0; added && i < 1000; i++)
        added = wf_list_add(arena, list, wf_int(arena, i));
    assert_false(added);
    assert_false(wf_value_is_whole(list));
    wf_arena_free(arena);
}

static void business_time_runs_at_the_rate_of_its_clock(void **state)
{
    (void)state;
    struct wf_clock clock = {1000, 500000, 60};
    assert_int_equal(wf_business_ms(&clock, 2000), 560000);
    assert_int_equal(wf_real_until(&clock, 620000, 2000), 1000);
    assert_int_equal(wf_real_until(&clock, 1, 2000), 0);
    struct wf_clock plain = {0, 0, 0};
    assert_int_equal(wf_business_ms(&plain, 77), 77);
}

static void hashes_are_the_same_in_one_piece_or_two(void **state)
{
    (void)state;
    uint8_t one[WF_HASH_BYTES];
    uint8_t two[WF_HASH_BYTES];
    wf_hash("hello world", 11, NULL, 0, one);
    wf_hash("hello", 5, " world", 6, two);
    assert_memory_equal(one, two, WF_HASH_BYTES);
    assert_int_not_equal(wf_checksum("a", 1), wf_checksum("b", 1));
}

static void a_failed_system_call_says_its_errno(void **state)
{
    (void)state;
    static const struct {
        int number, code;
    } rows[] = {{ENOSPC, WF_E_FULL}, {EDQUOT, WF_E_FULL}, {ENOMEM, WF_E_NOMEM}, {EACCES, WF_E_IO}};
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_error err = {0};
        char text[128];
        (void)snprintf(text, sizeof(text), "a/file: %s", strerror(rows[i].number));
        errno = rows[i].number;
        assert_int_equal(wf_fail_errno(&err, "a/file"), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_string_equal(err.text, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_carries_code_field_and_one_line_of_text),
        cmocka_unit_test(wrapping_a_long_error_cuts_it_and_stays_in_bounds),
        cmocka_unit_test(texts_of_errors_are_cut_between_letters),
        cmocka_unit_test(every_code_has_its_own_word_and_number),
        cmocka_unit_test(a_number_that_is_no_code_counts_as_a_broken_promise),
        cmocka_unit_test(an_arena_refuses_above_its_limit_and_works_again_after_reset),
        cmocka_unit_test(utf8_is_checked_at_every_edge),
        cmocka_unit_test(a_map_keeps_order_and_replaces_by_key),
        cmocka_unit_test(shared_texts_and_keys_are_not_copied),
        cmocka_unit_test(a_printed_text_is_whole_whatever_its_length),
        cmocka_unit_test(running_out_of_memory_leaves_a_container_broken_not_wrong),
        cmocka_unit_test(business_time_runs_at_the_rate_of_its_clock),
        cmocka_unit_test(hashes_are_the_same_in_one_piece_or_two),
        cmocka_unit_test(a_failed_system_call_says_its_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

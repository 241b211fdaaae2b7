/* SPDX-License-Identifier: Apache-2.0 */
/* Records and the values in them: what is stored comes back, and damage shows. */
#include "support/test.h"

#include "workflow/hash.h"
#include "workflow/records.h"

static struct wf_arena *arena;
static struct wf_buf buf;

static int fresh(void **state)
{
    (void)state;
    arena = arena != NULL ? arena : wf_arena_new((size_t)16 << 20);
    wf_arena_reset(arena);
    wf_buf_clear(&buf);
    return arena == NULL;
}

static int end_all(void **state)
{
    (void)state;
    wf_arena_free(arena);
    wf_buf_fini(&buf);
    return 0;
}

static struct wf_slice packed(void)
{
    return (struct wf_slice){buf.ptr, buf.len};
}

/* The sizes of the structs, in the order of the table. */
static const size_t sizes[WF_RECORD_COUNT] = {
#define X(name) [WF_REC_##name] = sizeof(struct wf_rec_##name),
    WF_RECORDS(X)
#undef X
};

static void *filled(enum wf_record kind)
{
    size_t n = 0;
    const struct wf_wire_field *fields = wf_record_fields(kind, &n);
    char *record = wf_arena_alloc(arena, sizes[kind]);
    struct wf_value *map = wf_map(arena);
    struct wf_value *list = wf_list(arena);
    wf_map_put(arena, map, "k", wf_int(arena, 1));
    wf_list_add(arena, list, map);
    for (size_t i = 0; i < n; i++) {
        void *at = record + fields[i].offset;
        if (fields[i].type == WF_WIRE_STR)
            *(struct wf_str *)at = wf_str("ch\xe1\xbb\xaf");
        else if (fields[i].type == WF_WIRE_BIN)
            *(struct wf_slice *)at = (struct wf_slice){(const uint8_t *)"\0\xff\x01", 3};
        else if (fields[i].type == WF_WIRE_BOOL)
            *(bool *)at = true;
        else if (fields[i].type == WF_WIRE_U64)
            *(uint64_t *)at = UINT64_MAX - i;
        else if (fields[i].type == WF_WIRE_I64)
            *(int64_t *)at = INT64_MIN + (int64_t)i;
        else
            *(const struct wf_value **)at = fields[i].type == WF_WIRE_LIST ? list : map;
    }
    return record;
}

static void check_there_and_back(enum wf_record kind, const void *record)
{
    struct wf_error err = {0};
    struct wf_buf again = {0};
    char *out = wf_arena_alloc(arena, sizes[kind]);
    wf_buf_clear(&buf);
    assert_ok(wf_record_pack(kind, record, &buf, &err), err);
    assert_ok(wf_record_unpack(kind, packed(), arena, out, &err), err);
    assert_ok(wf_record_pack(kind, out, &again, &err), err);
    assert_int_equal(again.len, buf.len);
    assert_memory_equal(again.ptr, buf.ptr, buf.len);
    wf_buf_fini(&again);
}

static void every_record_comes_back_as_it_was_stored(void **state)
{
    (void)state;
    for (int kind = 0; kind < WF_RECORD_COUNT; kind++) {
        check_there_and_back((enum wf_record)kind, filled((enum wf_record)kind));
        check_there_and_back((enum wf_record)kind, wf_arena_alloc(arena, sizes[kind]));
    }
}

static void fields_of_a_record_keep_their_values(void **state)
{
    (void)state;
    struct wf_error err = {0};
    const uint8_t digest[] = {1, 0, 255};
    const struct wf_rec_request in = {.digest = {digest, 3}, .answer = {NULL, 0}, .ms = -5};
    struct wf_rec_request out = {0};
    assert_ok(wf_record_pack(WF_REC_request, &in, &buf, &err), err);
    assert_ok(wf_record_unpack(WF_REC_request, packed(), arena, &out, &err), err);
    assert_int_equal(out.digest.len, 3);
    assert_memory_equal(out.digest.ptr, digest, 3);
    assert_int_equal(out.answer.len, 0);
    assert_int_equal(out.ms, -5);
}

static void the_bytes_of_a_record_never_change(void **state)
{
    (void)state;
    struct wf_error err = {0};
    char hex[256];
    const struct wf_rec_timer timer = {
        .dossier = 300, .id = wf_str("d1"), .event = wf_str("deadline.x"), .data = NULL};
    assert_ok(wf_record_pack(WF_REC_timer, &timer, &buf, &err), err);
    assert_true(buf.len < sizeof(hex) / 2);
    wf_hex(buf.ptr, buf.len, hex);
    hex[2 * (buf.len - 4)] = '\0';
    assert_string_equal(hex, "94cd012ca26431aa646561646c696e652e78c0");
    uint32_t sum = wf_checksum(buf.ptr, buf.len - 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(buf.ptr[buf.len - 4 + i], sum >> (8 * i) & 0xff);
}

static void only_the_journal_has_no_checksum_of_its_own(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_rec_event out = {0};
    assert_ok(wf_record_pack(WF_REC_event, filled(WF_REC_event), &buf, &err), err);
    assert_int_equal(buf.ptr[0], 0x9b); /* eleven fields */
    assert_ok(wf_scan(packed(), &err), err);
    assert_ok(wf_record_unpack(WF_REC_event, packed(), arena, &out, &err), err);
}

static void add_sum(void)
{
    uint32_t sum = wf_checksum(buf.ptr, buf.len);
    for (size_t i = 0; i < 4; i++) {
        uint8_t byte = (uint8_t)(sum >> (8 * i));
        wf_buf_add(&buf, &byte, 1);
    }
}

static void a_shorter_array_reads_as_zero_for_the_rest(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_rec_dossier out;
    memset(&out, 0x55, sizeof(out));
    wf_buf_add(&buf, "\x93\x07\x02\xa1X", 5);
    add_sum();
    assert_ok(wf_record_unpack(WF_REC_dossier, packed(), arena, &out, &err), err);
    assert_int_equal(out.id, 7);
    assert_string_equal(out.code.ptr, "X");
    assert_string_equal(out.outcome.ptr, "");
    assert_int_equal(out.outcome.len, 0);
    assert_int_equal(out.due, 0);
    assert_null(out.states);
    assert_false(out.done);
}

static void a_longer_array_is_of_a_newer_release(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_rec_timer out;
    wf_buf_add(&buf,
               "\x95\x07\xa1i\xa1"
               "e\xc0\x01",
               8);
    add_sum();
    assert_int_equal(wf_record_unpack(WF_REC_timer, packed(), arena, &out, &err), WF_E_VERSION);
}

static void every_flipped_bit_of_a_record_is_seen(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_rec_dossier out;
    assert_ok(wf_record_pack(WF_REC_dossier, filled(WF_REC_dossier), &buf, &err), err);
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        memset(&out, 0x55, sizeof(out));
        buf.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(wf_record_unpack(WF_REC_dossier, packed(), arena, &out, &err),
                         WF_E_CORRUPT);
        assert_int_equal(out.id, 0x5555555555555555); /* written only on success */
        buf.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void a_record_cut_anywhere_is_damaged(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_rec_queue out;
    assert_ok(wf_record_pack(WF_REC_queue, filled(WF_REC_queue), &buf, &err), err);
    for (size_t length = 0; length < buf.len; length++)
        assert_int_equal(
            wf_record_unpack(WF_REC_queue, (struct wf_slice){buf.ptr, length}, arena, &out, &err),
            WF_E_CORRUPT);
    assert_non_null(strstr(err.text, "queue record: "));
}

static void a_wrong_type_under_a_good_checksum_is_damage_and_named(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_rec_timer out;
    wf_buf_add(&buf, "\x94\x07\xa1i\x01\xc0", 6);
    add_sum();
    assert_int_equal(wf_record_unpack(WF_REC_timer, packed(), arena, &out, &err), WF_E_CORRUPT);
    assert_string_equal(err.text, "timer record: event: is no text");
    wf_buf_clear(&buf);
    wf_buf_add(&buf, "\x80", 1);
    add_sum();
    assert_int_equal(wf_record_unpack(WF_REC_timer, packed(), arena, &out, &err), WF_E_CORRUPT);
}

static void packing_refuses_a_record_that_could_not_be_read(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_rec_timer timer = {.id = {"\xff", 1}, .event = wf_str("e")};
    wf_buf_text(&buf, "before");
    assert_int_equal(wf_record_pack(WF_REC_timer, &timer, &buf, &err), WF_E_INVALID);
    assert_int_equal(buf.len, 6);
    timer.id = wf_str("d1");
    assert_ok(wf_record_pack(WF_REC_timer, &timer, &buf, &err), err);
    assert_memory_equal(buf.ptr, "before\x94", 7);
}

/* ---- values --------------------------------------------------------------------------------- */

static void expect_bytes(const struct wf_value *value, const char *bytes, size_t n)
{
    const struct wf_value *back = NULL;
    struct wf_error err = {0};
    wf_buf_clear(&buf);
    wf_pack_value(value, &buf);
    assert_int_equal(buf.len, n);
    assert_memory_equal(buf.ptr, bytes, n);
    assert_ok(wf_unpack_value(packed(), arena, &back, &err), err);
    assert_true(wf_value_equal(back, value));
    if (value != NULL)
        assert_int_equal(back->type, value->type);
}

static void values_take_their_shortest_form(void **state)
{
    (void)state;
    expect_bytes(NULL, "\xc0", 1);
    expect_bytes(&wf_null, "\xc0", 1);
    expect_bytes(&wf_true, "\xc3", 1);
    expect_bytes(wf_int(arena, 127), "\x7f", 1);
    expect_bytes(wf_int(arena, 128), "\xcc\x80", 2);
    expect_bytes(wf_int(arena, 65536), "\xce\x00\x01\x00\x00", 5);
    expect_bytes(wf_int(arena, -32), "\xe0", 1);
    expect_bytes(wf_int(arena, -33), "\xd0\xdf", 2);
    expect_bytes(wf_int(arena, INT64_MIN), "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9);
    expect_bytes(wf_number(arena, 1.0), "\xca\x3f\x80\x00\x00", 5);
    expect_bytes(wf_number(arena, 0.1), "\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", 9);
    expect_bytes(wf_number(arena, 1e300), "\xcb\x7e\x37\xe4\x3c\x88\x00\x75\x9c", 9);
    expect_bytes(wf_number(arena, -0.0), "\xca\x00\x00\x00\x00", 5);
    expect_bytes(wf_number(arena, 0.0), "\xca\x00\x00\x00\x00", 5);
    expect_bytes(wf_text(arena, ""), "\xa0", 1);
    expect_bytes(wf_list(arena), "\x90", 1);
    expect_bytes(wf_map(arena), "\x80", 1);
}

static void long_forms_of_a_value_become_short_ones(void **state)
{
    (void)state;
    static const char *const forms[] = {"\xd3\x00\x00\x00\x00\x00\x00\x00\x05",
                                        "\xcf\x00\x00\x00\x00\x00\x00\x00\x05",
                                        "\xce\x00\x00\x00\x05", "\xd1\x00\x05", "\xcc\x05"};
    static const size_t lengths[] = {9, 9, 5, 3, 2};
    for (size_t i = 0; i < WF_COUNT(forms); i++) {
        const struct wf_value *value = NULL;
        struct wf_error err = {0};
        assert_ok(wf_unpack_value((struct wf_slice){(const uint8_t *)forms[i], lengths[i]}, arena,
                                  &value, &err),
                  err);
        expect_bytes(value, "\x05", 1);
    }
}

static void texts_of_a_value_end_in_nul_and_can_be_changed_by_a_copy(void **state)
{
    (void)state;
    const struct wf_value *map = NULL;
    struct wf_error err = {0};
    static const uint8_t bytes[] = "\x81\xa1k\xa2hi";
    assert_ok(wf_unpack_value((struct wf_slice){bytes, sizeof(bytes) - 1}, arena, &map, &err), err);
    assert_string_equal(wf_value_text(wf_map_get(map, "k"), ""), "hi");
    assert_string_equal(map->u.map.pairs[0].key.ptr, "k");
    struct wf_value *copy = wf_map_copy(arena, map);
    assert_true(wf_map_put(arena, copy, "l", &wf_true));
    assert_int_equal(wf_value_count(copy), 2);
    assert_int_equal(wf_value_count(map), 1);
}

static void what_a_party_may_send_can_also_be_answered(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_value *deep = wf_map(arena);
    for (int i = 0; i < 12; i++) { /* {body {fields ...}} around it: sixteen levels */
        struct wf_value *outer = wf_map(arena);
        wf_map_put(arena, outer, "a", deep);
        deep = outer;
    }
    struct wf_value *page = wf_list(arena);
    for (int i = 0; i < 1000; i++) {
        struct wf_value *event = wf_map(arena);
        wf_map_put(arena, event, "seq", wf_int(arena, i));
        wf_map_put(arena, event, "data", i == 0 ? deep : wf_map(arena));
        wf_list_add(arena, page, event);
    }
    const struct wf_msg_journal_page body = {.events = page, .head = 1000};
    const struct wf_envelope in = {.type = WF_MSG_journal_page, .body = &body};
    struct wf_envelope out = {0};
    assert_ok(wf_message_pack(&in, &buf, &err), err);
    assert_ok(wf_message_unpack(packed(), WF_END_ANY, WF_END_PARTY, arena, &out, &err), err);
}

static void a_broken_value_is_lack_of_memory(void **state)
{
    (void)state;
    struct wf_value *list = wf_list(arena);
    wf_list_add(arena, list, NULL);
    wf_pack_value(list, &buf);
    assert_true(buf.failed);
    wf_buf_clear(&buf);
    const struct wf_rec_timer timer = {.id = wf_str("i"), .event = wf_str("e"), .data = list};
    assert_int_equal(wf_record_pack(WF_REC_timer, &timer, &buf, NULL), WF_E_NOMEM);
    assert_false(buf.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_record_comes_back_as_it_was_stored, fresh),
        cmocka_unit_test_setup(fields_of_a_record_keep_their_values, fresh),
        cmocka_unit_test_setup(the_bytes_of_a_record_never_change, fresh),
        cmocka_unit_test_setup(only_the_journal_has_no_checksum_of_its_own, fresh),
        cmocka_unit_test_setup(a_shorter_array_reads_as_zero_for_the_rest, fresh),
        cmocka_unit_test_setup(a_longer_array_is_of_a_newer_release, fresh),
        cmocka_unit_test_setup(every_flipped_bit_of_a_record_is_seen, fresh),
        cmocka_unit_test_setup(a_record_cut_anywhere_is_damaged, fresh),
        cmocka_unit_test_setup(a_wrong_type_under_a_good_checksum_is_damage_and_named, fresh),
        cmocka_unit_test_setup(packing_refuses_a_record_that_could_not_be_read, fresh),
        cmocka_unit_test_setup(values_take_their_shortest_form, fresh),
        cmocka_unit_test_setup(long_forms_of_a_value_become_short_ones, fresh),
        cmocka_unit_test_setup(texts_of_a_value_end_in_nul_and_can_be_changed_by_a_copy, fresh),
        cmocka_unit_test_setup(what_a_party_may_send_can_also_be_answered, fresh),
        cmocka_unit_test_setup(a_broken_value_is_lack_of_memory, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, end_all);
}

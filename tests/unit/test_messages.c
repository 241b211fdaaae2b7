/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by the table: every type there and back, and every way to get one wrong. */
#include "support/test.h"

#include "workflow/messages.h"

/* One byte over the bound of an id or an event's name. */
static const char text_of_65[] =
    "01234567890123456789012345678901234567890123456789012345678901234";

static struct wf_arena *arena;
static struct wf_buf buf;

static int fresh(void **state)
{
    (void)state;
    arena = arena != NULL ? arena : wf_arena_new((size_t)8 << 20);
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

/* ---- there and back ------------------------------------------------------------------------- */

static const struct wf_value *sample_map(void)
{
    struct wf_value *map = wf_map(arena);
    struct wf_value *list = wf_list(arena);
    wf_list_add(arena, list, wf_int(arena, -129));
    wf_list_add(arena, list, wf_number(arena, 0.1));
    wf_list_add(arena, list, &wf_null);
    wf_map_put(arena, map, "full_name", wf_text(arena, "Nguy\xe1\xbb\x85n V\xc4\x83n A"));
    wf_map_put(arena, map, "copies", wf_int(arena, INT64_MAX));
    wf_map_put(arena, map, "list", list);
    wf_map_put(arena, map, "ok", wf_bool(true));
    return map;
}

static void fill_field(const struct wf_wire_field *field, void *body)
{
    void *at = (char *)body + field->offset;
    struct wf_value *list = wf_list(arena);
    switch (field->type) {
    case WF_WIRE_STR:
        *(struct wf_str *)at = wf_str("m\xe1\xbb\x99t");
        break;
    case WF_WIRE_U64:
        *(uint64_t *)at = field->max != 0 ? field->max : UINT64_MAX;
        break;
    case WF_WIRE_I64:
        *(int64_t *)at = INT64_MIN;
        break;
    case WF_WIRE_BOOL:
        *(bool *)at = true;
        break;
    case WF_WIRE_BIN:
        *(struct wf_slice *)at = (struct wf_slice){(const uint8_t *)"\0\xff", 2};
        break;
    case WF_WIRE_LIST:
        wf_list_add(arena, list, sample_map());
        *(const struct wf_value **)at = list;
        break;
    case WF_WIRE_MAP:
    case WF_WIRE_ANY:
        *(const struct wf_value **)at = sample_map();
        break;
    }
}

static struct wf_envelope filled(const struct wf_message_info *info, bool with_optional)
{
    struct wf_envelope envelope = {.type = info->code};
    char *body = wf_arena_alloc(arena, info->size);
    for (size_t i = 0; i < info->n_fields; i++) {
        if (with_optional || info->fields[i].required)
            fill_field(&info->fields[i], body);
    }
    envelope.body = body;
    if (info->sender == WF_END_PARTY)
        envelope.id = wf_str("0190f7a0-request-1");
    else
        envelope.re = wf_str("0190f7a0-request-1");
    envelope.party = wf_str("PARTY-7");
    if (info->receiver == WF_END_ANY && info->sender == WF_END_PARTY)
        envelope.to = wf_str("notification");
    return envelope;
}

static void there_and_back(const struct wf_message_info *info, bool with_optional)
{
    struct wf_error err = {0};
    struct wf_envelope in = filled(info, with_optional);
    struct wf_envelope out = {0};
    struct wf_buf again = {0};
    wf_buf_clear(&buf);
    assert_ok(wf_message_pack(&in, &buf, &err), err);
    assert_ok(wf_message_unpack(packed(), info->sender, info->receiver, arena, &out, &err), err);
    assert_int_equal(out.type, info->code);
    assert_true(wf_str_equal(out.id, in.id));
    assert_true(wf_str_equal(out.re, in.re));
    assert_true(wf_str_equal(out.party, in.party));
    assert_true(wf_str_equal(out.to, in.to));
    assert_ok(wf_message_pack(&out, &again, &err), err);
    assert_int_equal(again.len, buf.len);
    assert_memory_equal(again.ptr, buf.ptr, buf.len);
    wf_buf_fini(&again);
}

static void every_message_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    for (size_t i = 0; i < n; i++) {
        there_and_back(&table[i], true);
        there_and_back(&table[i], false);
    }
}

static void fields_arrive_in_the_struct_with_their_values(void **state)
{
    (void)state;
    struct wf_error err = {0};
    const struct wf_msg_task_fetch fetch = {.activity = wf_str("verification.review"),
                                            .to = wf_list(arena),
                                            .by = wf_str("acc-1"),
                                            .role = wf_str("head"),
                                            .wait_ms = 60000};
    struct wf_envelope in = {.type = WF_MSG_task_fetch, .id = wf_str("1"), .body = &fetch};
    struct wf_envelope out = {0};
    assert_ok(wf_message_pack(&in, &buf, &err), err);
    assert_ok(wf_message_unpack(packed(), WF_END_PARTY, WF_END_VERIFICATION, arena, &out, &err),
              err);
    memset(buf.ptr, 'x', buf.len); /* nothing may point into the frame */
    const struct wf_msg_task_fetch *got = out.body;
    assert_string_equal(got->activity.ptr, "verification.review");
    assert_string_equal(got->by.ptr, "acc-1");
    assert_int_equal(got->to->type, WF_LIST);
    assert_int_equal(got->wait_ms, 60000);
    assert_int_equal(got->max, 0);
    assert_string_equal(out.id.ptr, "1");
    assert_string_equal(out.re.ptr, "");
}

/* ---- frames built by hand ------------------------------------------------------------------- */

/* A good request as a tree, so that a test can spoil one thing. */
static struct wf_value *good_body(void)
{
    struct wf_value *body = wf_map(arena);
    wf_map_put(arena, body, "dossier", wf_text(arena, "000.00.13.H30-261123-0001"));
    wf_map_put(arena, body, "event", wf_text(arena, "withdraw"));
    wf_map_put(arena, body, "by", wf_text(arena, "acc-1"));
    wf_map_put(arena, body, "role", wf_text(arena, "citizen"));
    return body;
}

static struct wf_value *good_frame(const struct wf_value *body)
{
    struct wf_value *frame = wf_map(arena);
    wf_map_put(arena, frame, "v", wf_int(arena, 1));
    wf_map_put(arena, frame, "type", wf_text(arena, "dossier_event"));
    wf_map_put(arena, frame, "id", wf_text(arena, "r-1"));
    wf_map_put(arena, frame, "body", body);
    return frame;
}

static struct wf_envelope got;

static int unpack_as(const struct wf_value *frame, enum wf_end sender, enum wf_end receiver,
                     struct wf_error *err)
{
    wf_buf_clear(&buf);
    wf_pack_value(frame, &buf);
    assert_false(buf.failed);
    memset(err, 0, sizeof(*err));
    return wf_message_unpack(packed(), sender, receiver, arena, &got, err);
}

static void expect(const struct wf_value *frame, int code, const char *field)
{
    struct wf_error err;
    assert_int_equal(unpack_as(frame, WF_END_PARTY, WF_END_INTAKE, &err), code);
    assert_string_equal(err.field, field);
}

static void one_wrong_field_is_refused_by_its_name(void **state)
{
    (void)state;
    const struct {
        const char *key;
        const struct wf_value *value;
        const char *field;
    } wrong[] = {
        {"event", &wf_null, "body.event"},
        {"event", wf_int(arena, 1), "body.event"},
        {"event", wf_list(arena), "body.event"},
        {"event", wf_text(arena, text_of_65), "body.event"},
        {"data", &wf_null, "body.data"},
        {"data", wf_text(arena, "x"), "body.data"},
        {"data", wf_list(arena), "body.data"},
        {"dta", wf_map(arena), "body.dta"},
        {"Data", wf_map(arena), "body.?"},
        {"secret words", wf_map(arena), "body.?"},
        {"", wf_map(arena), "body.?"},
    };
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        struct wf_value *body = good_body();
        wf_map_put(arena, body, wrong[i].key, wrong[i].value);
        expect(good_frame(body), WF_E_INVALID, wrong[i].field);
        assert_string_equal(got.id.ptr, "r-1");
    }
}

static void a_missing_field_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"dossier", "event", "by", "role"};
    for (size_t i = 0; i < WF_COUNT(names); i++) {
        char field[32];
        struct wf_value *body = wf_map(arena);
        for (size_t k = 0; k < WF_COUNT(names); k++) {
            if (k != i)
                wf_map_put(arena, body, names[k], wf_text(arena, "x"));
        }
        (void)snprintf(field, sizeof(field), "body.%s", names[i]);
        expect(good_frame(body), WF_E_INVALID, field);
    }
}

static void a_wrong_envelope_is_refused_by_the_name_of_its_key(void **state)
{
    (void)state;
    const struct {
        const char *key;
        const struct wf_value *value;
        int code;
    } wrong[] = {
        {"v", wf_int(arena, 2), WF_E_UNSUPPORTED},
        {"v", wf_text(arena, "1"), WF_E_INVALID},
        {"v", wf_number(arena, 1.0), WF_E_INVALID},
        {"type", wf_text(arena, "dossier_evnt"), WF_E_UNSUPPORTED},
        {"type", wf_text(arena, "done"), WF_E_UNSUPPORTED},
        {"type", wf_text(arena, "work"), WF_E_UNSUPPORTED},
        {"type", wf_int(arena, 2), WF_E_INVALID},
        {"id", wf_text(arena, ""), WF_E_INVALID},
        {"id", wf_text(arena, text_of_65), WF_E_INVALID},
        {"id", wf_int(arena, 7), WF_E_INVALID},
        {"re", wf_text(arena, "r-0"), WF_E_INVALID},
        {"party", wf_int(arena, 7), WF_E_INVALID},
        {"to", wf_int(arena, 7), WF_E_INVALID},
        {"to", wf_text(arena, "intak"), WF_E_INVALID},
        {"to", wf_text(arena, "routing"), WF_E_UNSUPPORTED},
        {"body", wf_list(arena), WF_E_INVALID},
        {"body", &wf_null, WF_E_INVALID},
        {"bdy", wf_map(arena), WF_E_INVALID},
    };
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        struct wf_value *frame = good_frame(good_body());
        wf_map_put(arena, frame, wrong[i].key, wrong[i].value);
        expect(frame, wrong[i].code, wrong[i].key);
    }
    expect(wf_list(arena), WF_E_INVALID, "");
    expect(wf_map(arena), WF_E_INVALID, "v");
    assert_string_equal(got.id.ptr, "");
}

static void only_the_right_sender_and_receiver_fit(void **state)
{
    (void)state;
    struct wf_error err;
    const struct wf_value *frame = good_frame(good_body());
    assert_ok(unpack_as(frame, WF_END_PARTY, WF_END_INTAKE, &err), err);
    assert_ok(unpack_as(frame, WF_END_PARTY, WF_END_ANY, &err), err);
    assert_int_equal(unpack_as(frame, WF_END_PARTY, WF_END_ROUTING, &err), WF_E_UNSUPPORTED);
    assert_string_equal(err.field, "type");
    assert_int_equal(unpack_as(frame, WF_END_INTAKE, WF_END_INTAKE, &err), WF_E_UNSUPPORTED);
    assert_int_equal(unpack_as(frame, WF_END_ANY, WF_END_INTAKE, &err), WF_E_UNSUPPORTED);
    assert_int_equal(unpack_as(frame, WF_END_PARTY, WF_END_PARTY, &err), WF_E_UNSUPPORTED);
}

static struct wf_value *error_frame(void)
{
    struct wf_value *body = wf_map(arena);
    struct wf_value *frame = wf_map(arena);
    wf_map_put(arena, body, "code", wf_text(arena, "busy"));
    wf_map_put(arena, body, "message", wf_text(arena, "come back"));
    wf_map_put(arena, body, "since", wf_int(arena, 5));
    wf_map_put(arena, frame, "v", wf_int(arena, 1));
    wf_map_put(arena, frame, "type", wf_text(arena, "error"));
    wf_map_put(arena, frame, "re", wf_text(arena, "r-1"));
    wf_map_put(arena, frame, "hint", wf_int(arena, 5));
    wf_map_put(arena, frame, "body", body);
    return frame;
}

static void a_reply_may_hold_more_than_we_know(void **state)
{
    (void)state;
    struct wf_error err;
    assert_ok(unpack_as(error_frame(), WF_END_ANY, WF_END_PARTY, &err), err);
    const struct wf_msg_error *body = got.body;
    assert_string_equal(body->code.ptr, "busy");
    assert_string_equal(body->field.ptr, "");
    assert_string_equal(got.re.ptr, "r-1");
}

static void a_reply_still_needs_what_it_must_hold(void **state)
{
    (void)state;
    struct wf_error err;
    struct wf_value *frame = error_frame();
    wf_map_put(arena, frame, "body", wf_map(arena));
    assert_int_equal(unpack_as(frame, WF_END_ANY, WF_END_PARTY, &err), WF_E_INVALID);
    assert_string_equal(err.field, "body.code");
}

static void numbers_are_taken_only_within_their_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *key, *bytes;
        int code;
    } cases[] = {
        {"after", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 0},
        {"after", "\xd0\x05", 0}, /* a small number in a signed form is still that number */
        {"after", "\xff", WF_E_INVALID},
        {"after", "\xcb\x3f\xf0\x11\x11\x11\x11\x11\x11", WF_E_INVALID},
        {"max", "\xcd\x03\xe8", 0},
        {"max", "\xcd\x03\xe9", WF_E_INVALID},
        {"due_before", "\xd3\x80\x11\x11\x11\x11\x11\x11\x11", 0},
        {"due_before", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 0},
        {"due_before", "\xcf\x80\x11\x11\x11\x11\x11\x11\x11", WF_E_INVALID},
        {"due_before", "\xca\x3f\x80\x11\x11", WF_E_INVALID},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        wf_buf_clear(&buf);
        wf_buf_text(&buf, "\x84\xa1v\x01\xa4type\xac"
                          "dossier_list\xa2id\xa1"
                          "1\xa4"
                          "body\x81");
        wf_buf_printf(&buf, "%c%s", (char)(0xa0 + strlen(cases[i].key)), cases[i].key);
        wf_buf_text(&buf, cases[i].bytes);
        struct wf_error err = {0};
        int rc = wf_message_unpack(packed(), WF_END_PARTY, WF_END_INTAKE, arena, &got, &err);
        if (rc != cases[i].code)
            fail_msg("case %zu gave %d: %s", i, rc, err.text);
    }
}

static void an_integer_above_63_bits_inside_a_map_is_refused(void **state)
{
    (void)state;
    static const char head[] = "\x84\xa1v\x01\xa4type\xad"
                               "dossier_event\xa2id\xa1"
                               "1\xa4"
                               "body\x85\xa7"
                               "dossier\xa1x\xa5"
                               "event\xa1x\xa2"
                               "by\xa1x\xa4role\xa1x\xa4"
                               "data\x81\xa1n";
    static const struct {
        const char *bytes;
        size_t n;
        int code;
    } cases[] = {{"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9, WF_E_INVALID},
                 {"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, 0},
                 {"\xc4\x01\x00", 3, WF_E_INVALID}};
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct wf_error err = {0};
        wf_buf_clear(&buf);
        wf_buf_add(&buf, head, sizeof(head) - 1);
        wf_buf_add(&buf, cases[i].bytes, cases[i].n);
        assert_int_equal(
            wf_message_unpack(packed(), WF_END_PARTY, WF_END_INTAKE, arena, &got, &err),
            cases[i].code);
        assert_string_equal(err.field, cases[i].code != 0 ? "body.data" : "");
    }
}

/* ---- damage --------------------------------------------------------------------------------- */

static void pack_submit(void)
{
    struct wf_error err = {0};
    struct wf_envelope in = filled(wf_message_info(WF_MSG_dossier_submit), true);
    assert_ok(wf_message_pack(&in, &buf, &err), err);
}

static void a_message_cut_anywhere_is_refused(void **state)
{
    (void)state;
    pack_submit();
    for (size_t length = 0; length < buf.len; length++) {
        uint8_t *copy = malloc(length + 1); /* exact size: a read beyond it is seen by ASan */
        memcpy(copy, buf.ptr, length);
        assert_int_equal(wf_message_unpack((struct wf_slice){copy, length}, WF_END_PARTY,
                                           WF_END_INTAKE, arena, &got, NULL),
                         WF_E_INVALID);
        free(copy);
    }
}

static void no_flipped_bit_does_more_than_give_an_answer(void **state)
{
    (void)state;
    pack_submit();
    size_t refused = 0;
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        buf.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        wf_arena_reset(arena);
        struct wf_error err = {0};
        int rc = wf_message_unpack(packed(), WF_END_PARTY, WF_END_INTAKE, arena, &got, &err);
        assert_true(rc == 0 || rc == WF_E_INVALID || rc == WF_E_UNSUPPORTED);
        assert_true(wf_arena_used(arena) < 65536);
        assert_true(rc == 0 || err.text[0] != '\0');
        refused += rc != 0;
        buf.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_true(refused > buf.len);
}

static void the_largest_frame_needs_less_than_a_megabyte(void **state)
{
    (void)state;
    struct wf_error err;
    struct wf_value *data = wf_map(arena);
    struct wf_arena *own = wf_arena_new((size_t)1 << 20);
    struct wf_value *list = wf_list(arena);
    for (int i = 0; i < 4000; i++)
        wf_list_add(arena, list,
                    wf_text(arena, "some text of fifty bytes, which is usual for one"));
    wf_map_put(arena, data, "list", list);
    struct wf_value *body = good_body();
    wf_map_put(arena, body, "data", data);
    wf_buf_clear(&buf);
    wf_pack_value(good_frame(body), &buf);
    assert_ok(wf_message_unpack(packed(), WF_END_PARTY, WF_END_INTAKE, own, &got, &err), err);
    wf_arena_free(own);
}

/* ---- packing -------------------------------------------------------------------------------- */

static void packing_refuses_what_could_not_be_read_and_leaves_the_buffer(void **state)
{
    (void)state;
    struct wf_value *deep = wf_list(arena);
    for (int i = 0; i < 40; i++) {
        struct wf_value *outer = wf_list(arena);
        wf_list_add(arena, outer, deep);
        deep = outer;
    }
    struct wf_value *bad = wf_map(arena);
    wf_map_put(arena, bad, "x", wf_text(arena, "\xff"));
    struct wf_value *endless = wf_map(arena);
    wf_map_put(arena, endless, "x", wf_number(arena, (double)__builtin_inff()));
    struct wf_value *deep_map = wf_map(arena);
    wf_map_put(arena, deep_map, "x", deep);
    const struct wf_value *const values[] = {deep_map, bad, endless, wf_list(arena)};
    wf_buf_text(&buf, "before");
    for (size_t i = 0; i < WF_COUNT(values); i++) {
        const struct wf_msg_task_complete body = {.result = values[i], .by = wf_str("x")};
        const struct wf_envelope in = {
            .type = WF_MSG_task_complete, .id = wf_str("1"), .body = &body};
        assert_int_equal(wf_message_pack(&in, &buf, NULL), WF_E_INVALID);
        assert_int_equal(buf.len, 6);
        assert_false(buf.failed);
    }
}

static void packing_checks_bounds_and_names_the_field(void **state)
{
    (void)state;
    struct wf_error err = {0};
    const struct wf_msg_dossier_list body = {.max = 1001};
    struct wf_envelope in = {.type = WF_MSG_dossier_list, .id = wf_str("1"), .body = &body};
    assert_int_equal(wf_message_pack(&in, &buf, &err), WF_E_INVALID);
    assert_string_equal(err.field, "body.max");
    in.id.len = 0;
    assert_int_equal(wf_message_pack(&in, &buf, &err), WF_E_INVALID);
    assert_string_equal(err.field, "id");
    in.type = (enum wf_message)77;
    assert_int_equal(wf_message_pack(&in, &buf, &err), WF_E_UNSUPPORTED);
}

static void any_failed_allocation_is_reported_and_harmless(void **state)
{
    (void)state;
    pack_submit();
    for (unsigned long n = 1;; n++) {
        struct wf_arena *own = wf_arena_new(0);
        wf_alloc_fail_at(n, 1);
        int rc = wf_message_unpack(packed(), WF_END_PARTY, WF_END_INTAKE, own, &got, NULL);
        wf_alloc_fail_at(0, 0);
        wf_arena_free(own);
        if (rc == 0)
            break;
        assert_int_equal(rc, WF_E_NOMEM);
    }
    struct wf_arena *small = wf_arena_new(300);
    assert_int_equal(wf_message_unpack(packed(), WF_END_PARTY, WF_END_INTAKE, small, &got, NULL),
                     WF_E_NOMEM);
    wf_arena_free(small);
    struct wf_buf fresh_buf = {0};
    const struct wf_envelope in = filled(wf_message_info(WF_MSG_health), true);
    wf_alloc_fail_at(1, 1);
    assert_int_equal(wf_message_pack(&in, &fresh_buf, NULL), WF_E_NOMEM);
    wf_alloc_fail_at(0, 0);
    assert_int_equal(wf_message_pack(&in, &fresh_buf, NULL), 0);
    wf_buf_fini(&fresh_buf);
}

/* ---- the manual ----------------------------------------------------------------------------- */

/* The bytes of a line of the example: up to the two blanks before its remark. */
static void add_line(struct wf_buf *bytes, const char *line)
{
    unsigned value = 0;
    int taken = 0;
    line += strspn(line, " ");
    while (sscanf(line, "%2x%n", &value, &taken) == 1 && taken == 2) {
        uint8_t byte = (uint8_t)value;
        wf_buf_add(bytes, &byte, 1);
        line += taken + (line[taken] == ' ');
        if (*line == ' ')
            break;
    }
}

static void the_example_in_the_manual_is_what_we_send(void **state)
{
    (void)state;
    struct wf_error err = {0};
    struct wf_buf bytes = {0};
    char line[256];
    bool inside = false;
    FILE *file = fopen(SOURCE_ROOT "/docs/protocol.md", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (inside && strncmp(line, "```", 3) == 0)
            break;
        if (inside)
            add_line(&bytes, line);
        inside = inside || strcmp(line, "```hex\n") == 0;
    }
    (void)fclose(file);
    const struct wf_msg_dossier_get get = {.dossier = wf_str("000.00.13.H30-261123-0001")};
    const struct wf_envelope in = {.type = WF_MSG_dossier_get, .id = wf_str("r-1"), .body = &get};
    assert_ok(wf_message_pack(&in, &buf, &err), err);
    assert_int_equal(bytes.len, buf.len);
    assert_memory_equal(bytes.ptr, buf.ptr, buf.len);
    wf_buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_message_comes_back_as_it_was_sent, fresh),
        cmocka_unit_test_setup(fields_arrive_in_the_struct_with_their_values, fresh),
        cmocka_unit_test_setup(one_wrong_field_is_refused_by_its_name, fresh),
        cmocka_unit_test_setup(a_missing_field_is_named, fresh),
        cmocka_unit_test_setup(a_wrong_envelope_is_refused_by_the_name_of_its_key, fresh),
        cmocka_unit_test_setup(only_the_right_sender_and_receiver_fit, fresh),
        cmocka_unit_test_setup(a_reply_may_hold_more_than_we_know, fresh),
        cmocka_unit_test_setup(a_reply_still_needs_what_it_must_hold, fresh),
        cmocka_unit_test_setup(numbers_are_taken_only_within_their_bounds, fresh),
        cmocka_unit_test_setup(an_integer_above_63_bits_inside_a_map_is_refused, fresh),
        cmocka_unit_test_setup(a_message_cut_anywhere_is_refused, fresh),
        cmocka_unit_test_setup(no_flipped_bit_does_more_than_give_an_answer, fresh),
        cmocka_unit_test_setup(the_largest_frame_needs_less_than_a_megabyte, fresh),
        cmocka_unit_test_setup(packing_refuses_what_could_not_be_read_and_leaves_the_buffer, fresh),
        cmocka_unit_test_setup(packing_checks_bounds_and_names_the_field, fresh),
        cmocka_unit_test_setup(any_failed_allocation_is_reported_and_harmless, fresh),
        cmocka_unit_test_setup(the_example_in_the_manual_is_what_we_send, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, end_all);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader against msgpack-c, which says what the bytes mean, and against itself: whoever asks,
 * whether to check or to build, hears the same. Random bytes, seeded; SEED=n repeats a run.
 */
#include "support/test.h"

#include <inttypes.h>
#include <msgpack.h>
#include <time.h>

#include "workflow/records.h"

enum { ROUNDS = 4000, MAX_LEVELS = 6 };

static struct wf_arena *arena;
static struct wf_buf buf;
static uint64_t seed;

static uint64_t chance(uint64_t below)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (seed >> 33) % below;
}

static int begin(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("SEED=%" PRIu64 "\n", seed);
    arena = wf_arena_new((size_t)64 << 20);
    return arena == NULL;
}

static int end(void **state)
{
    (void)state;
    wf_arena_free(arena);
    wf_buf_fini(&buf);
    return 0;
}

/* ---- bytes of every form, the long ones too where a short one would do ----------------------- */

static void put(uint8_t byte)
{
    wf_buf_add(&buf, &byte, 1);
}

static void put_number(uint8_t lead, uint64_t number, unsigned bytes)
{
    put(lead);
    for (unsigned i = bytes; i > 0; i--)
        put((uint8_t)(number >> (8 * (i - 1))));
}

/* Of a family of leads for 1, 2, 4 and 8 bytes, one that holds the count. */
static void put_count(uint8_t lead, uint64_t count, unsigned from)
{
    unsigned more = (unsigned)chance(3 - from);
    put_number((uint8_t)(lead + more), count, 1U << (from + more));
}

static void put_text(const char *text, size_t length)
{
    if (length < 32 && chance(2) == 0)
        put((uint8_t)(0xa0 + length));
    else
        put_count(0xd9, length, 0);
    wf_buf_add(&buf, text, length);
}

static void put_some_text(void)
{
    static const char text[] = "Nguy\xe1\xbb\x85n Th\xe1\xbb\x8b Minh Khai, 79 \xc4\x91\xc6\xb0\xe1"
                               "\xbb\x9dng B\xe1\xba\xbfn Ngh\xc3\xa9, 0123456789 and plain words";
    size_t from = chance(sizeof(text) - 1);
    size_t length = chance(sizeof(text) - from);
    while (from > 0 && ((uint8_t)text[from] & 0xc0) == 0x80)
        from--;
    while (((uint8_t)text[from + length] & 0xc0) == 0x80)
        length++;
    put_text(text + from, from + length < sizeof(text) ? length : 0);
}

static void put_float(void)
{
    float number = (float)chance(1000) / 8.0F;
    double wide = -(double)number / 3.0;
    uint32_t bits = 0;
    uint64_t wide_bits = 0;
    memcpy(&bits, &number, sizeof(bits));
    memcpy(&wide_bits, &wide, sizeof(wide_bits));
    if (chance(2) == 0)
        put_number(0xca, bits, 4);
    else
        put_number(0xcb, wide_bits, 8);
}

/* Nothing but what a value may hold, unless `foreign`. */
static void put_single(bool foreign)
{
    uint64_t number = (chance(1U << 31) << 33 | chance(1U << 31)) << 1 | chance(2);
    unsigned width = (unsigned)chance(4);
    switch (chance(foreign ? 9 : 7)) {
    case 0:
        put(chance(2) == 0 ? 0xc0 : (uint8_t)(0xc2 + chance(2)));
        break;
    case 1:
        put((uint8_t)(chance(2) == 0 ? chance(128) : 0xe0 + chance(32)));
        break;
    case 2: /* below 2^63 */
        put_number((uint8_t)(0xcc + width), number >> 1 >> (56 - (56 >> (3 - width))), 1U << width);
        break;
    case 3:
        put_number((uint8_t)(0xd0 + width), number, 1U << width);
        break;
    case 4:
        put_float();
        break;
    case 7:
        put_number(0xcf, number | UINT64_C(1) << 63, 8);
        break;
    case 8:
        put_count(0xc4, 3, 0);
        wf_buf_add(&buf, "\0\xff\x81", 3);
        break;
    default:
        put_some_text();
    }
}

static void put_object(unsigned levels, bool foreign)
{
    size_t n = chance(6);
    uint64_t form = levels > 0 ? chance(3) : 2;
    if (form == 2) {
        put_single(foreign);
        return;
    }
    if (chance(2) == 0)
        put((uint8_t)((form == 0 ? 0x90 : 0x80) + n));
    else
        put_count(form == 0 ? 0xdc : 0xde, n, 1);
    for (size_t i = 0; i < n; i++) {
        char key[24];
        if (form == 1)
            put_text(key, (size_t)snprintf(key, sizeof(key), "key_%zu_%" PRIu64, i, chance(1000)));
        put_object(levels - 1, foreign);
    }
}

/* ---- both readers' trees, side by side -------------------------------------------------------- */

static void assert_text(struct wf_str text, const msgpack_object_str *other)
{
    assert_int_equal(text.len, other->size);
    assert_memory_equal(text.ptr, other->ptr, other->size);
    assert_int_equal(text.ptr[text.len], '\0');
}

static void assert_number(const struct wf_value *value, const msgpack_object *other)
{
    if (value->type == WF_NUMBER) {
        assert_true(other->type == MSGPACK_OBJECT_FLOAT32 || other->type == MSGPACK_OBJECT_FLOAT64);
        assert_memory_equal(&value->u.number, &(double){other->via.f64 + 0.0}, sizeof(double));
    } else {
        assert_int_equal(value->type, WF_INT);
        assert_true(other->type == (value->u.integer < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER
                                                         : MSGPACK_OBJECT_POSITIVE_INTEGER));
        assert_true(value->u.integer == other->via.i64);
    }
}

static void assert_same(const struct wf_value *value, const msgpack_object *other)
{
    assert_false(value->broken);
    if (other->type == MSGPACK_OBJECT_NIL) {
        assert_int_equal(value->type, WF_NULL);
    } else if (other->type == MSGPACK_OBJECT_BOOLEAN) {
        assert_int_equal(value->type, WF_BOOL);
        assert_true(value->u.boolean == other->via.boolean);
    } else if (other->type == MSGPACK_OBJECT_STR) {
        assert_int_equal(value->type, WF_TEXT);
        assert_text(value->u.text, &other->via.str);
    } else if (other->type == MSGPACK_OBJECT_ARRAY) {
        assert_int_equal(value->type, WF_LIST);
        assert_int_equal(value->u.list.n, other->via.array.size);
        for (size_t i = 0; i < value->u.list.n; i++)
            assert_same(value->u.list.items[i], &other->via.array.ptr[i]);
    } else if (other->type == MSGPACK_OBJECT_MAP) {
        assert_int_equal(value->type, WF_MAP);
        assert_int_equal(value->u.map.n, other->via.map.size);
        for (size_t i = 0; i < value->u.map.n; i++) {
            assert_text(value->u.map.pairs[i].key, &other->via.map.ptr[i].key.via.str);
            assert_same(value->u.map.pairs[i].value, &other->via.map.ptr[i].val);
        }
    } else {
        assert_number(value, other);
    }
}

/* From bytes that end where their memory ends, and are gone before the value is looked at. */
static int read_copy(const struct wf_value **out, struct wf_error *err)
{
    uint8_t *copy = malloc(buf.len > 0 ? buf.len : 1);
    assert_non_null(copy);
    memcpy(copy, buf.ptr, buf.len);
    int rc = wf_unpack_value((struct wf_slice){copy, buf.len}, arena, out, err);
    memset(copy, 0xc1, buf.len);
    free(copy);
    return rc;
}

/* What we take, msgpack-c takes as well, to the last byte, and understands in the same way. */
static void assert_as_msgpack_c(const struct wf_value *value)
{
    msgpack_zone zone;
    msgpack_object root;
    size_t at = 0;
    assert_true(msgpack_zone_init(&zone, 4096));
    assert_int_equal(msgpack_unpack((const char *)buf.ptr, buf.len, &at, &zone, &root),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(at, buf.len);
    assert_same(value, &root);
    msgpack_zone_destroy(&zone);
}

static void every_form_is_understood_as_msgpack_c_does(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const struct wf_value *value = NULL;
        struct wf_error err = {0};
        wf_arena_reset(arena);
        wf_buf_clear(&buf);
        put_object(MAX_LEVELS, false);
        assert_ok(read_copy(&value, &err), err);
        assert_as_msgpack_c(value);
    }
}

/* Limits apart, since those of a party are narrower. */
static bool is_about_limits(const char *why)
{
    return strstr(why, "too deep") != NULL || strstr(why, "too many") != NULL;
}

static void damaged_bytes_are_refused_alike_with_or_without_building(void **state)
{
    (void)state;
    int taken = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const struct wf_value *value = NULL;
        struct wf_error scanned = {0};
        struct wf_error read = {0};
        wf_arena_reset(arena);
        wf_buf_clear(&buf);
        put_object(MAX_LEVELS, true);
        for (uint64_t n = chance(4); n > 0; n--)
            buf.ptr[chance(buf.len)] = (uint8_t)chance(256);
        buf.len -= chance(4) == 0 ? chance(buf.len) : 0;
        int rc = wf_scan((struct wf_slice){buf.ptr, buf.len}, &scanned);
        int built = read_copy(&value, &read);
        taken += built == 0;
        if (built == 0 && (rc == 0 || is_about_limits(scanned.text)))
            assert_as_msgpack_c(value);
        else if (rc == 0) /* well-formed, and no value */
            assert_true(strcmp(read.text, "value holds binary data") == 0 ||
                        strcmp(read.text, "value holds an integer above 2^63 - 1") == 0);
        else if (!is_about_limits(scanned.text))
            assert_string_equal(read.text, scanned.text);
        assert_true(built == 0 ? value != NULL : value == NULL);
    }
    assert_in_range(taken, ROUNDS / 20, ROUNDS * 19 / 20);
}

/* ---- what is said ----------------------------------------------------------------------------- */

#define BYTES(text) ((struct wf_slice){(const uint8_t *)(text), sizeof(text) - 1})

static void a_refusal_names_the_byte_and_the_rule(void **state)
{
    (void)state;
    const struct {
        struct wf_slice bytes;
        const char *why;
    } cases[] = {
        {BYTES(""), "empty"},
        {BYTES("\x93\x01\xc1\x01"), "byte 3: a kind of object that is not in use here"},
        {BYTES("\x81\xd4\x01\x00"), "byte 2: a kind of object that is not in use here"},
        {BYTES("\xc0\xc0"), "byte 1: more bytes than one object"},
        {BYTES("\x92\x01\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), "byte 3: no finite number"},
        {BYTES("\x92\xa1x\xcd\x01"), "byte 4: cut short"},
        {BYTES("\x92\xa2xy"), "byte 4: cut short"},
        {BYTES("\x81\xa1x\xa3yz"), "byte 4: cut short"},
        {BYTES("\x91\xa2\xc3\x28"), "byte 2: text is not UTF-8 without NUL"},
        {BYTES("\x81\xa1\x00\x01"), "byte 2: text is not UTF-8 without NUL"},
        {BYTES("\x81\x05\x01"), "byte 2: the key of a map is no text"},
        {BYTES("\x81\xe5\x01"), "byte 2: the key of a map is no text"},
        {BYTES("\x92\x93\x01\x01"), "byte 2: holds more than the bytes that are left"},
        {BYTES("\x82\xa1y\x81\xa1x\x01"), "byte 4: holds more than the bytes that are left"},
        {BYTES("\x92\x82\xa1x\x01\xa1x\x02\x03"), "byte 8: a map that ends here has a key twice"},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        const struct wf_value *value = NULL;
        struct wf_error err = {0};
        assert_int_equal(wf_scan(cases[i].bytes, &err), WF_E_INVALID);
        assert_string_equal(err.text, cases[i].why);
        err = (struct wf_error){0};
        assert_int_equal(wf_unpack_value(cases[i].bytes, arena, &value, &err), WF_E_INVALID);
        assert_string_equal(err.text, cases[i].why);
        assert_null(value);
    }
}

/* An empty text has its NUL on the head of what follows, as any other. */
static void a_nul_behind_each_text_hurts_nothing_that_follows(void **state)
{
    (void)state;
    const struct wf_value *value = NULL;
    struct wf_error err = {0};
    assert_ok(wf_unpack_value(BYTES("\x96\xa0\xa0\x05\xa1x\xc3\xa2yz"), arena, &value, &err), err);
    assert_int_equal(wf_value_count(value), 6);
    assert_string_equal(wf_value_text(wf_list_at(value, 0), NULL), "");
    assert_string_equal(wf_value_text(wf_list_at(value, 1), NULL), "");
    assert_int_equal(wf_value_int(wf_list_at(value, 2), 0), 5);
    assert_string_equal(wf_value_text(wf_list_at(value, 3), NULL), "x");
    assert_true(wf_value_bool(wf_list_at(value, 4), false));
    assert_string_equal(wf_value_text(wf_list_at(value, 5), NULL), "yz");
}

static void lack_of_memory_at_any_place_is_reported_and_gives_nothing(void **state)
{
    (void)state;
    enum { WIDTH = 2000 };
    wf_buf_clear(&buf);
    put_number(0xdc, WIDTH, 2);
    for (int i = 0; i < WIDTH; i++)
        wf_buf_add(&buf, "\x81\xa1k\x01", 4);
    int rc = WF_E_NOMEM;
    for (size_t limit = 16; rc < 0; limit += limit / 3) {
        struct wf_arena *narrow = wf_arena_new(limit);
        const struct wf_value *value = NULL;
        struct wf_error err = {0};
        rc = wf_unpack_value((struct wf_slice){buf.ptr, buf.len}, narrow, &value, &err);
        assert_true(rc == 0 ? value != NULL : rc == WF_E_NOMEM && value == NULL);
        assert_true(rc < 0 || limit > buf.len);
        wf_arena_free(narrow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_understood_as_msgpack_c_does),
        cmocka_unit_test(damaged_bytes_are_refused_alike_with_or_without_building),
        cmocka_unit_test(a_refusal_names_the_byte_and_the_rule),
        cmocka_unit_test(a_nul_behind_each_text_hurts_nothing_that_follows),
        cmocka_unit_test(lack_of_memory_at_any_place_is_reported_and_gives_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

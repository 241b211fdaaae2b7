/* SPDX-License-Identifier: Apache-2.0 */
/* A station's own store: numbers once, hand-offs in order, nothing of a citizen longer than needed. */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "relay/store.h"
#include "support/tempdir.h"

static struct tempdir folder;
static char path[256];
static struct db *db;
static struct wf_arena *arena;
static struct wf_error err;

static int set_up(void **state)
{
    (void)state;
    tempdir_init(&folder);
    (void)tempdir_path(&folder, "relay.db", path, sizeof(path));
    arena = wf_arena_new(0);
    assert_ok(store_open(path, &db, &err), err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_close(db);
    wf_arena_free(arena);
    tempdir_fini(&folder);
    return 0;
}

static void open_again(void)
{
    db_close(db);
    assert_ok(store_open(path, &db, &err), err);
}

static struct wf_slice bytes(const char *text)
{
    return (struct wf_slice){(const uint8_t *)text, strlen(text)};
}

static void add(int64_t seq, const char *id, const char *code)
{
    const struct handoff h = {.seq = seq,
                              .id = wf_str(id),
                              .digest = bytes("digest"),
                              .type = WF_MSG_dossier_submit,
                              .frame = bytes("what the citizen told"),
                              .dossier = wf_str(code),
                              .procedure = wf_str("1.004873"),
                              .received = 1000 + seq,
                              .at = 2000 + seq};
    assert_ok(store_add(db, &h, &err), err);
}

static const char *take(void)
{
    struct wf_str code = {0};
    return store_take_code(db, arena, &code, &err) == 0 ? code.ptr : NULL;
}

static void numbers_are_given_once_from_range_after_range(void **state)
{
    (void)state;
    assert_null(take());
    assert_ok(store_add_range(db, wf_str("P-a"), 1, 2, &err), err);
    assert_ok(store_add_range(db, wf_str("P-a"), 7, 7, &err), err);
    assert_string_equal(take(), "P-a-000001");
    open_again();
    assert_string_equal(take(), "P-a-000002");
    assert_string_equal(take(), "P-a-000007");
    assert_null(take());
}

static void a_rolled_back_number_is_given_again(void **state)
{
    (void)state;
    assert_ok(store_add_range(db, wf_str("P-a"), 1, 2, &err), err);
    assert_ok(db_begin(db, &err), err);
    assert_string_equal(take(), "P-a-000001");
    db_rollback(db);
    assert_string_equal(take(), "P-a-000001");
}

static void the_same_request_or_number_cannot_be_taken_twice(void **state)
{
    (void)state;
    struct handoff twice = {.seq = 2, .id = wf_str("a"), .digest = bytes("d")};
    add(1, "a", "P-a-000001");
    assert_int_equal(store_add(db, &twice, &err), WF_E_CONFLICT);
    twice.seq = 1;
    twice.id = wf_str("b");
    assert_int_equal(store_add(db, &twice, &err), WF_E_CONFLICT);
}

static void what_waits_comes_in_order_and_survives_a_restart(void **state)
{
    (void)state;
    struct handoff h;
    add(1, "a", "P-a-000001");
    add(2, "b", "P-a-000002");
    add(3, "c", "P-a-000003");
    assert_ok(store_settle(db, 2, HANDOFF_TAKEN, wf_str("X"), bytes("answer"), 5, &err), err);
    open_again();
    assert_ok(store_next(db, 0, arena, &h, &err), err);
    assert_int_equal(h.seq, 1);
    assert_ok(store_next(db, 1, arena, &h, &err), err);
    assert_int_equal(h.seq, 3);
    assert_true(wf_str_is(h.id, "c"));
    assert_int_equal(h.frame.len, strlen("what the citizen told"));
    assert_int_equal(store_next(db, 3, arena, &h, &err), WF_NONE);
}

static void a_dossier_is_found_by_the_receipts_code_and_by_the_cells(void **state)
{
    (void)state;
    struct handoff h;
    add(1, "a", "P-a-000001");
    assert_int_equal(store_by_code(db, wf_str(""), arena, &h, &err), WF_NONE);
    assert_int_equal(store_by_code(db, wf_str("H30-1"), arena, &h, &err), WF_NONE);
    assert_ok(store_settle(db, 1, HANDOFF_TAKEN, wf_str("H30-1"), bytes("answer"), 5, &err), err);
    assert_ok(store_by_code(db, wf_str("H30-1"), arena, &h, &err), err);
    assert_int_equal(h.seq, 1);
    assert_ok(store_by_code(db, wf_str("P-a-000001"), arena, &h, &err), err);
    assert_true(wf_str_is(h.code, "H30-1"));
}

/* Is the text anywhere in the store's files? */
static bool is_on_disk(const char *text)
{
    static const char *const files[] = {"", "-wal"};
    bool found = false;
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        char name[300];
        char buf[1 << 16];
        (void)snprintf(name, sizeof(name), "%s%s", path, files[i]);
        FILE *file = fopen(name, "rb");
        size_t n = file != NULL ? fread(buf, 1, sizeof(buf), file) : 0;
        for (size_t at = 0; at + strlen(text) <= n; at++)
            found |= memcmp(buf + at, text, strlen(text)) == 0;
        if (file != NULL)
            (void)fclose(file);
    }
    return found;
}

static void what_the_citizen_told_is_wiped_when_the_cell_has_it(void **state)
{
    (void)state;
    struct handoff h;
    add(1, "a", "P-a-000001");
    assert_true(is_on_disk("what the citizen told"));
    assert_ok(store_settle(db, 1, HANDOFF_TAKEN, wf_str("X"), bytes("answer"), 5, &err), err);
    db_scrub(db);
    assert_false(is_on_disk("what the citizen told"));
    assert_ok(store_by_seq(db, 1, arena, &h, &err), err);
    assert_int_equal(h.frame.len, 0);
    assert_int_equal(h.answer.len, strlen("answer"));
}

static void a_refused_one_keeps_its_content_until_a_person_has_seen_to_it(void **state)
{
    (void)state;
    struct handoff h;
    struct store_figures f;
    add(1, "a", "P-a-000001");
    assert_int_equal(store_seen(db, 1, "x", &err), WF_NONE); /* it waits: nobody may drop it */
    assert_ok(store_settle(db, 1, HANDOFF_REFUSED, wf_str(""), bytes("no"), 5, &err), err);
    assert_ok(store_prune(db, 100, &err), err);
    assert_ok(store_by_seq(db, 1, arena, &h, &err), err);
    assert_true(h.frame.len > 0);
    assert_ok(store_figures(db, &f, &err), err);
    assert_int_equal(f.refused, 1);
    assert_ok(store_seen(db, 1, "told", &err), err);
    assert_ok(store_by_seq(db, 1, arena, &h, &err), err);
    assert_int_equal(h.frame.len, 0);
    assert_ok(store_prune(db, 100, &err), err);
    assert_int_equal(store_by_seq(db, 1, arena, &h, &err), WF_NONE);
}

static void figures_tell_what_waits_since_when_and_what_is_left(void **state)
{
    (void)state;
    struct store_figures f;
    assert_ok(store_add_range(db, wf_str("P-a"), 1, 10, &err), err);
    assert_non_null(take());
    add(4, "a", "P-a-000001");
    add(5, "b", "P-a-000002");
    assert_ok(store_figures(db, &f, &err), err);
    assert_int_equal(f.waiting, 2);
    assert_int_equal(f.oldest, 2004);
    assert_int_equal(f.numbers, 9);
}

static void facts_are_kept(void **state)
{
    (void)state;
    int64_t seq = 9;
    struct wf_str text;
    assert_ok(store_fact(db, "seq", &seq, &err), err);
    assert_int_equal(seq, 0);
    assert_ok(store_set_fact(db, "seq", 41, &err), err);
    assert_ok(store_set_fact(db, "seq", 42, &err), err);
    assert_ok(store_set_fact_text(db, "reserve", "id", &err), err);
    open_again();
    assert_ok(store_fact(db, "seq", &seq, &err), err);
    assert_int_equal(seq, 42);
    assert_ok(store_fact_text(db, "reserve", arena, &text, &err), err);
    assert_true(wf_str_is(text, "id"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(numbers_are_given_once_from_range_after_range),
        CASE(a_rolled_back_number_is_given_again),
        CASE(the_same_request_or_number_cannot_be_taken_twice),
        CASE(what_waits_comes_in_order_and_survives_a_restart),
        CASE(a_dossier_is_found_by_the_receipts_code_and_by_the_cells),
        CASE(what_the_citizen_told_is_wiped_when_the_cell_has_it),
        CASE(a_refused_one_keeps_its_content_until_a_person_has_seen_to_it),
        CASE(figures_tell_what_waits_since_when_and_what_is_left),
        CASE(facts_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

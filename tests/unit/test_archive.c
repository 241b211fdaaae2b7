/* SPDX-License-Identifier: Apache-2.0 */
/* The archive of changes: a backup and the changes since are the store of any moment. */
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/archive.h"
#include "store/txn.h"
#include "support/teststore.h"
#include "workflow/archive.h"

#define CHANGES 60
#define BIG     ((size_t)3 << 20)

static struct teststore t;
static char folder[300], base[300];
static const struct wf_archive_until to_the_end = {INT64_MAX, UINT64_MAX};

/* ---- a store that changes -------------------------------------------------------------------- */

/* What all tables hold, but for the changes themselves and their head. */
struct print {
    struct wf_buf rows;
};

static int add_row(void *context, const char *table, struct wf_slice key, struct wf_slice value)
{
    struct print *p = context;
    if (strcmp(table, "changes") == 0 || (key.len == 7 && memcmp(key.ptr, "changes", 7) == 0))
        return 0;
    wf_buf_text(&p->rows, table);
    wf_buf_add(&p->rows, key.ptr, key.len);
    wf_buf_add(&p->rows, value.ptr, value.len);
    return 0;
}

static void print_of(struct wf_store *store, uint8_t out[WF_HASH_BYTES])
{
    struct print p = {{0}};
    struct wf_txn *txn = NULL;
    assert_ok(wf_txn_begin(store, false, &txn, &t.err), t.err);
    assert_ok(wf_dump_each(txn, add_row, &p, &t.err), t.err);
    wf_txn_abort(txn);
    assert_false(p.rows.failed);
    wf_hash(p.rows.ptr, p.rows.len, NULL, 0, out);
    wf_buf_fini(&p.rows);
}

/* An event, and rows that come, change and go. */
static void change(unsigned i, const void *big, size_t bytes)
{
    struct wf_rec_queue item = {.service = WF_ROUTING, .dossier = 1, .due = (int64_t)i};
    const struct wf_rec_event event = {.dossier = 1, .n = i, .event = wf_str("e")};
    struct wf_rec_request request = {.digest = {(const uint8_t *)"d", 1}, .answer = {big, bytes}};
    struct wf_rec_queue first;
    char id[20];
    uint64_t number = 0;
    struct wf_txn *txn = teststore_begin(&t, true);
    (void)snprintf(id, sizeof(id), "r%u", i);
    assert_ok(wf_journal_append(txn, &event, &number, &t.err), t.err);
    assert_ok(wf_queue_put(txn, &item, &t.err), t.err);
    assert_ok(wf_number_next(txn, wf_str("s"), 1000, &number, &t.err), t.err);
    assert_ok(wf_request_put(txn, wf_str("p"), wf_str(id), &request, &t.err), t.err);
    if (i % 3 == 0) {
        assert_ok(wf_queue_first(txn, WF_ROUTING, INT64_MAX, t.arena, &first, &t.err), t.err);
        assert_ok(wf_queue_del(txn, &first, &t.err), t.err);
    }
    teststore_commit(&t, txn);
}

static size_t move_all(struct wf_archive *archive)
{
    size_t all = 0;
    size_t moved = 1;
    while (moved > 0) {
        assert_ok(wf_archive_move(archive, &moved, &t.err), t.err);
        all += moved;
    }
    return all;
}

static struct wf_archive *open_archive(void)
{
    struct wf_archive *archive = NULL;
    assert_ok(wf_archive_open(t.store, folder, &archive, &t.err), t.err);
    return archive;
}

static void copy_base(void)
{
    assert_int_equal(mkdir(base, 0700), 0);
    assert_ok(wf_store_copy(t.store, base, &t.err), t.err);
}

static int set_up(void **state)
{
    (void)state;
    teststore_create(&t, NULL);
    teststore_open(&t);
    (void)tempdir_path(&t.dir, "archive", folder, sizeof(folder));
    (void)tempdir_path(&t.dir, "base", base, sizeof(base));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    teststore_fini(&t);
    return 0;
}

/* The base as it was copied, brought forward in a folder of its own. */
static int replay(const struct wf_archive_until *until, struct wf_archive_reached *reached,
                  uint8_t print[WF_HASH_BYTES])
{
    static unsigned n;
    char path[300];
    char name[20];
    struct wf_store *store = NULL;
    struct wf_store *from = NULL;
    (void)snprintf(name, sizeof(name), "replay%u", n++);
    (void)tempdir_path(&t.dir, name, path, sizeof(path));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_ok(wf_store_open(base, NULL, &from, &t.err), t.err);
    assert_ok(wf_store_copy(from, path, &t.err), t.err);
    wf_store_close(from);
    assert_ok(wf_store_open(path, NULL, &store, &t.err), t.err);
    int rc = wf_archive_replay(store, folder, until, reached, &t.err);
    if (rc == 0)
        print_of(store, print);
    wf_store_close(store);
    return rc;
}

/* ---- what must come back --------------------------------------------------------------------- */

static void every_moment_comes_back_as_it_was(void **state)
{
    uint8_t prints[CHANGES + 1][WF_HASH_BYTES];
    uint8_t print[WF_HASH_BYTES];
    struct wf_archive_reached reached;
    (void)state;
    change(1, "a", 1); /* before recording began: in the base only */
    struct wf_archive *archive = open_archive();
    change(2, "a", 1);
    copy_base();
    print_of(t.store, prints[2]);
    for (unsigned i = 3; i <= CHANGES; i++) {
        change(i, "a", 1);
        print_of(t.store, prints[i]);
        if (i % 7 == 0)
            (void)move_all(archive);
    }
    (void)move_all(archive);
    assert_int_equal(move_all(archive), 0);
    wf_archive_close(archive);
    for (unsigned i = 2; i <= CHANGES; i += 5) {
        const struct wf_archive_until until = {INT64_MAX, i};
        assert_ok(replay(&until, &reached, print), t.err);
        assert_memory_equal(print, prints[i], sizeof(print));
    }
    assert_ok(replay(&to_the_end, &reached, print), t.err);
    assert_memory_equal(print, prints[CHANGES], sizeof(print));
    assert_int_equal(reached.changes, CHANGES - 2);
    const struct wf_archive_until early = {1, UINT64_MAX}; /* 1970: nothing of it */
    assert_ok(replay(&early, &reached, print), t.err);
    assert_memory_equal(print, prints[2], sizeof(print));
}

static void an_archiver_killed_at_any_moment_leaves_no_gap(void **state)
{
    struct wf_archive_reached reached;
    uint8_t now[WF_HASH_BYTES];
    uint8_t print[WF_HASH_BYTES];
    unsigned n = 0;
    (void)state;
    wf_archive_close(open_archive());
    copy_base();
    for (int round = 0; round < 25; round++) {
        teststore_close(&t);
        pid_t child = fork();
        if (child == 0) {
            struct wf_archive *archive = NULL;
            size_t moved = 0;
            teststore_open(&t);
            if (wf_archive_open(t.store, folder, &archive, &t.err) != 0)
                _exit(1);
            for (;;)
                if (wf_archive_move(archive, &moved, &t.err) != 0)
                    _exit(2);
        }
        teststore_open(&t);
        for (int i = 0; i < 4; i++)
            change(++n, "a", 1);
        (void)usleep((useconds_t)(round * 311 % 4000));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(wait_for_child(child), 1000 + SIGKILL);
        assert_ok(wf_store_clear_readers(t.store, NULL, &t.err), t.err);
    }
    struct wf_archive *archive = open_archive();
    (void)move_all(archive);
    wf_archive_close(archive);
    assert_ok(wf_archive_check(folder, &reached, &t.err), t.err);
    assert_int_equal(reached.seq, n + 1);
    print_of(t.store, now);
    assert_ok(replay(&to_the_end, &reached, print), t.err);
    assert_memory_equal(print, now, sizeof(now));
}

/* ---- what must be refused -------------------------------------------------------------------- */

static void path_in(const char *name, char out[400])
{
    (void)snprintf(out, 400, "%s/%s", folder, name);
}

static void name_of(size_t i, char out[400])
{
    uint64_t *files = NULL;
    size_t n = 0;
    char name[40];
    assert_ok(wf_archive_list(folder, &files, &n, &t.err), t.err);
    assert_true(i < n);
    wf_archive_name(files[i], name);
    wf_free(files);
    path_in(name, out);
}

static void flip(size_t file, off_t at)
{
    char path[400];
    uint8_t byte = 0;
    name_of(file, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static void lose_the_middle(void)
{
    char path[400];
    name_of(1, path);
    assert_int_equal(unlink(path), 0);
}

static void lose_the_first(void)
{
    char path[400];
    name_of(0, path);
    assert_int_equal(unlink(path), 0);
}

static void exchange_two(void)
{
    char a[400];
    char b[400];
    char c[400];
    name_of(0, a);
    name_of(1, b);
    path_in("between", c);
    assert_int_equal(rename(a, c), 0);
    assert_int_equal(rename(b, a), 0);
    assert_int_equal(rename(c, b), 0);
}

static void cut_the_first(void)
{
    char path[400];
    name_of(0, path);
    assert_int_equal(truncate(path, 5000), 0);
}

static void damage_a_change(void)
{
    flip(1, 70000);
}

static void damage_a_head(void)
{
    flip(1, 30);
}

static void lose_all(void)
{
    char path[400];
    for (int i = 0; i < 3; i++) {
        name_of(0, path);
        assert_int_equal(unlink(path), 0);
    }
}

static const struct {
    void (*harm)(void);
    int code;
    const char *text;
} harms[] = {
    {lose_the_middle, WF_E_CORRUPT, "gap"},        {lose_the_first, WF_E_STATE, "begins with"},
    {exchange_two, WF_E_CORRUPT, "renamed"},       {cut_the_first, WF_E_CORRUPT, "cut or damaged"},
    {damage_a_change, WF_E_CORRUPT, "is damaged"}, {damage_a_head, WF_E_CORRUPT, "damaged"},
    {lose_all, WF_E_NOT_FOUND, "no changes"},
};

static void three_files(void)
{
    uint8_t *big = calloc(1, BIG);
    assert_non_null(big);
    struct wf_archive *archive = open_archive();
    copy_base();
    for (unsigned i = 1; i <= 14; i++) {
        change(i, big, BIG);
        (void)move_all(archive);
    }
    wf_archive_close(archive);
    free(big);
}

static void a_gap_damage_or_wrong_order_is_refused(void **state)
{
    struct wf_archive_reached reached;
    uint8_t print[WF_HASH_BYTES];
    char saved[400];
    char command[1200];
    (void)state;
    three_files();
    assert_ok(replay(&to_the_end, &reached, print), t.err);
    (void)snprintf(saved, sizeof(saved), "%s.saved", folder);
    (void)snprintf(command, sizeof(command), "cp -r %s %s", folder, saved);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < WF_COUNT(harms); i++) {
        harms[i].harm();
        assert_int_equal(replay(&to_the_end, &reached, print), harms[i].code);
        assert_non_null(strstr(t.err.text, harms[i].text));
        (void)snprintf(command, sizeof(command), "rm -r %s && cp -r %s %s", folder, saved, folder);
        assert_int_equal(system(command), 0);
    }
}

static void what_a_crash_left_at_the_end_is_cut_off_and_written_again(void **state)
{
    struct wf_archive_reached reached;
    uint8_t print[WF_HASH_BYTES];
    char path[400];
    struct stat st;
    (void)state;
    struct wf_archive *archive = open_archive();
    copy_base();
    change(1, "a", 1);
    (void)move_all(archive);
    wf_archive_close(archive);
    name_of(0, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size + 7), 0); /* zeros, as after a power cut */
    assert_ok(replay(&to_the_end, &reached, print), t.err);
    assert_true(reached.was_cut);
    assert_int_equal(reached.changes, 1);
    change(2, "a", 1);
    archive = open_archive();
    assert_int_equal(move_all(archive), 1);
    wf_archive_close(archive);
    assert_ok(replay(&to_the_end, &reached, print), t.err);
    assert_false(reached.was_cut);
    assert_int_equal(reached.changes, 2);
}

static void the_archive_of_another_history_is_refused(void **state)
{
    struct wf_archive_reached reached;
    struct wf_archive *archive = NULL;
    uint8_t print[WF_HASH_BYTES];
    (void)state;
    archive = open_archive();
    change(1, "a", 1);
    (void)move_all(archive);
    copy_base();
    change(2, "a", 1);
    (void)move_all(archive);
    wf_archive_close(archive);

    /* the copy goes its own way, and would like to write into the same folder */
    teststore_close(&t);
    (void)snprintf(t.path, sizeof(t.path), "%s", base);
    teststore_open(&t);
    assert_ok(wf_archive_switch_off(t.store, &t.err), t.err);
    assert_int_equal(wf_archive_open(t.store, folder, &archive, &t.err), WF_E_STATE);
    assert_non_null(strstr(t.err.text, "empty folder"));

    /* its own archive is not that of the base */
    (void)tempdir_path(&t.dir, "second", folder, sizeof(folder));
    archive = open_archive();
    change(7, "b", 1);
    (void)move_all(archive);
    wf_archive_close(archive);
    (void)tempdir_path(&t.dir, "base2", base, sizeof(base));
    copy_base();
    (void)tempdir_path(&t.dir, "archive", folder, sizeof(folder));
    assert_int_equal(replay(&to_the_end, &reached, print), WF_E_STATE);
}

static void a_time_without_recording_is_not_passed_over(void **state)
{
    struct wf_archive_reached reached;
    uint8_t print[WF_HASH_BYTES];
    (void)state;
    struct wf_archive *archive = open_archive();
    copy_base();
    change(1, "a", 1);
    (void)move_all(archive);
    wf_archive_close(archive);
    assert_ok(wf_archive_switch_off(t.store, &t.err), t.err);
    change(2, "a", 1);
    archive = open_archive();
    change(3, "a", 1);
    (void)move_all(archive);
    wf_archive_close(archive);
    assert_int_equal(replay(&to_the_end, &reached, print), WF_E_STATE);
    assert_non_null(strstr(t.err.text, "was off"));
    const struct wf_archive_until before = {INT64_MAX, 1};
    assert_ok(replay(&before, &reached, print), t.err);
    assert_int_equal(reached.changes, 1);
}

static void two_archivers_do_not_share_a_folder(void **state)
{
    struct wf_archive *second = NULL;
    (void)state;
    struct wf_archive *archive = open_archive();
    assert_int_equal(wf_archive_open(t.store, folder, &second, &t.err), WF_E_STATE);
    assert_non_null(strstr(t.err.text, "another archiver"));
    wf_archive_close(archive);
}

/* As if the release before had written it: no more than the number of the format tells them apart
 * where no task is open. */
static void make_older(void)
{
    struct wf_rec_meta meta = *wf_store_meta(t.store);
    struct wf_txn *txn = teststore_begin(&t, true);
    struct wf_key key;
    meta.format = WF_STORE_FORMAT - 1;
    wf_key_start(&key);
    wf_key_text(&key, wf_str("meta"));
    assert_ok(wf_txn_put_record(txn, WF_TABLE_META, &key, WF_REC_meta, &meta, WF_PUT_SET, &t.err),
              t.err);
    wf_key_start(&key);
    wf_key_text(&key, wf_str("format"));
    assert_ok(wf_txn_put_number(txn, WF_TABLE_META, &key, meta.format, WF_PUT_SET, &t.err), t.err);
    teststore_commit(&t, txn);
}

static void an_upgrade_ends_the_archive_and_adds_no_change_to_it(void **state)
{
    struct wf_archive_state before;
    struct wf_archive_state after;
    struct wf_upgrade done;
    (void)state;
    wf_archive_close(open_archive());
    make_older();
    struct wf_txn *txn = teststore_begin(&t, false);
    assert_ok(wf_archive_state(txn, &before, &t.err), t.err);
    wf_txn_abort(txn);
    assert_true(before.is_on);
    teststore_close(&t);
    assert_ok(wf_store_upgrade(t.path, NULL, NULL, NULL, &done, &t.err), t.err);
    assert_int_equal(done.from, WF_STORE_FORMAT - 1);
    teststore_open(&t);
    txn = teststore_begin(&t, false);
    assert_ok(wf_archive_state(txn, &after, &t.err), t.err);
    wf_txn_abort(txn);
    assert_false(after.is_on);
    assert_int_equal(after.waiting, 0);
    assert_int_equal(after.seq, before.seq);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_moment_comes_back_as_it_was),
        TEST(an_archiver_killed_at_any_moment_leaves_no_gap),
        TEST(a_gap_damage_or_wrong_order_is_refused),
        TEST(what_a_crash_left_at_the_end_is_cut_off_and_written_again),
        TEST(the_archive_of_another_history_is_refused),
        TEST(a_time_without_recording_is_not_passed_over),
        TEST(two_archivers_do_not_share_a_folder),
        TEST(an_upgrade_ends_the_archive_and_adds_no_change_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

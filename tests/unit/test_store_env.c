/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of the store: creating, opening, limits, space, and what goes wrong there. */
#include "support/test.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "store/env.h"
#include "support/teststore.h"

#define MIB        ((uint64_t)1024 * 1024)
#define NOBODY     65534
#define CHILD_FAIL 77

static void write_file(const char *folder, const char *name, const char *text, size_t length)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    (void)close(fd);
}

static void a_created_store_opens_with_its_name_and_clock(void **state)
{
    (void)state;
    struct teststore t = {.store = NULL};
    const struct wf_clock clock = {1000, 5000, 60};
    tempdir_init(&t.dir);
    (void)tempdir_path(&t.dir, "a/../cell", t.path, sizeof(t.path));
    assert_int_equal(wf_store_create(t.path, "hg-01", &clock, NULL, &t.err), WF_E_IO);
    (void)tempdir_path(&t.dir, "cell", t.path, sizeof(t.path));
    assert_ok(wf_store_create(t.path, "hg-01", &clock, NULL, &t.err), t.err);
    teststore_open(&t);
    assert_true(wf_str_is(wf_store_meta(t.store)->cell, "hg-01"));
    assert_int_equal(wf_store_meta(t.store)->format, WF_STORE_FORMAT);
    assert_int_equal(wf_store_clock(t.store).origin_business_ms, 5000);
    assert_int_equal(wf_store_clock(t.store).rate, 60);
    teststore_fini(&t);
}

static void creation_refuses_what_is_there_and_takes_an_empty_folder(void **state)
{
    (void)state;
    struct teststore t;
    char other[300];
    teststore_create(&t, NULL);
    assert_int_equal(wf_store_create(t.path, "x", NULL, NULL, &t.err), WF_E_STATE);
    (void)tempdir_path(&t.dir, "other", other, sizeof(other));
    assert_int_equal(mkdir(other, 0700), 0);
    write_file(other, "letter", "x", 1);
    assert_int_equal(wf_store_create(other, "x", NULL, NULL, &t.err), WF_E_STATE);
    (void)tempdir_path(&t.dir, "other/letter", other, sizeof(other));
    assert_int_equal(wf_store_create(other, "x", NULL, NULL, &t.err), WF_E_IO);
    assert_int_equal(unlink(other), 0);
    (void)tempdir_path(&t.dir, "other", other, sizeof(other));
    assert_ok(wf_store_create(other, "x", NULL, NULL, &t.err), t.err);
    (void)tempdir_path(&t.dir, "other/.building", other, sizeof(other));
    assert_int_equal(access(other, F_OK), -1);
    teststore_fini(&t);
}

/* After a creator was killed, the store opens whole, or is not there and can be created. */
static void expect_nothing_or_a_whole_store(struct teststore *t)
{
    struct wf_txn *txn = NULL;
    int rc = wf_store_open(t->path, NULL, &t->store, &t->err);
    if (rc != 0) {
        assert_int_equal(rc, WF_E_NOT_FOUND);
        assert_ok(wf_store_create(t->path, "x", NULL, NULL, &t->err), t->err);
        teststore_open(t);
    }
    txn = teststore_begin(t, true);
    (void)wf_dossier_new_id(txn);
    assert_ok(wf_cursor_put(txn, wf_str("c"), 1, &t->err), t->err);
    teststore_commit(t, txn);
}

static void a_creator_killed_at_any_moment_leaves_nothing_or_a_whole_store(void **state)
{
    (void)state;
    srandom((unsigned)getpid());
    for (int i = 0; i < 20; i++) {
        struct teststore t = {.store = NULL};
        tempdir_init(&t.dir);
        (void)tempdir_path(&t.dir, "store", t.path, sizeof(t.path));
        pid_t child = fork();
        if (child == 0)
            _exit(wf_store_create(t.path, "x", NULL, NULL, NULL) == 0 ? 0 : CHILD_FAIL);
        struct timespec pause = {0, random() % 3000000};
        (void)nanosleep(&pause, NULL);
        (void)kill(child, SIGKILL);
        assert_int_not_equal(wait_for_child(child), CHILD_FAIL);
        expect_nothing_or_a_whole_store(&t);
        teststore_fini(&t);
    }
}

#if defined(WF_FAULT_INJECTION)
static void a_creator_killed_at_each_step_leaves_nothing_or_a_whole_store(void **state)
{
    (void)state;
    static const char *const steps[] = {"folder", "aside", "built", "synced", "renamed"};
    static const char *const actions[] = {"kill", "io"};
    for (size_t i = 0; i < 2 * WF_COUNT(steps); i++) {
        struct teststore t = {.store = NULL};
        char spec[64];
        (void)snprintf(spec, sizeof(spec), "store.create.%s:1=%s", steps[i / 2], actions[i % 2]);
        tempdir_init(&t.dir);
        (void)tempdir_path(&t.dir, "store", t.path, sizeof(t.path));
        pid_t child = fork();
        if (child == 0) {
            wf_fault_set(spec);
            _exit(wf_store_create(t.path, "x", NULL, NULL, NULL) == WF_E_IO ? 5 : CHILD_FAIL);
        }
        assert_int_equal(wait_for_child(child), i % 2 == 0 ? 1000 + SIGKILL : 5);
        expect_nothing_or_a_whole_store(&t);
        teststore_fini(&t);
    }
}
#endif

/* ---- opening --------------------------------------------------------------------------------- */

static void expect_open_fails(const char *path, int code, const char *word)
{
    struct wf_store *store = NULL;
    struct wf_error err;
    assert_int_equal(wf_store_open(path, NULL, &store, &err), code);
    assert_null(store);
    if (strstr(err.text, word) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.text, word);
}

static void what_is_no_store_is_refused_with_one_clear_error(void **state)
{
    (void)state;
    struct tempdir dir;
    char path[300];
    char garbage[9000];
    memset(garbage, 'g', sizeof(garbage));
    tempdir_init(&dir);
    expect_open_fails(tempdir_path(&dir, "missing", path, sizeof(path)), WF_E_NOT_FOUND,
                      "create it first");
    expect_open_fails(dir.path, WF_E_NOT_FOUND, "create it first");
    write_file(dir.path, "data.mdb", "", 0);
    expect_open_fails(dir.path, WF_E_CORRUPT, "not a store");
    write_file(dir.path, "data.mdb", garbage, 10);
    expect_open_fails(dir.path, WF_E_CORRUPT, "not a store");
    write_file(dir.path, "data.mdb", garbage, sizeof(garbage));
    expect_open_fails(dir.path, WF_E_CORRUPT, "not a store");
    tempdir_fini(&dir);
}

/* Changes one row of a closed store by LMDB alone; a NULL value deletes it. */
static void change_raw(const char *path, const char *table, MDB_val key, MDB_val *value)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 40), 0);
    assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
    if (value != NULL)
        assert_int_equal(mdb_put(txn, dbi, &key, value, 0), 0);
    else
        assert_int_equal(mdb_del(txn, dbi, &key, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static MDB_val raw_text(const char *text)
{
    return wf_mdb_val((struct wf_slice){(const uint8_t *)text, strlen(text)});
}

static void another_format_or_another_program_is_told(void **state)
{
    (void)state;
    struct teststore t;
    struct wf_buf buf = {0};
    char other[300];
    teststore_create(&t, NULL);
    wf_number_pack(WF_STORE_FORMAT + 1, &buf);
    MDB_val newer = wf_mdb_val((struct wf_slice){buf.ptr, buf.len});
    change_raw(t.path, "meta", raw_text("format"), &newer);
    expect_open_fails(t.path, WF_E_VERSION, "format 4, this release 3: use the release");
    wf_buf_clear(&buf);
    wf_number_pack(WF_STORE_FORMAT - 1, &buf);
    MDB_val older = wf_mdb_val((struct wf_slice){buf.ptr, buf.len});
    change_raw(t.path, "meta", raw_text("format"), &older);
    expect_open_fails(t.path, WF_E_VERSION, "format 2, this release 3: run `hoso upgrade`");
    change_raw(t.path, "meta", raw_text("format"), NULL);
    expect_open_fails(t.path, WF_E_VERSION, "another program");
    (void)tempdir_path(&t.dir, "other", other, sizeof(other));
    assert_int_equal(mkdir(other, 0700), 0);
    MDB_val value = raw_text("v");
    change_raw(other, "their_table", raw_text("k"), &value);
    expect_open_fails(other, WF_E_VERSION, "another program");
    wf_buf_fini(&buf);
    teststore_fini(&t);
}

/* Ends with 0 where the store was refused as busy. */
static void open_in_child(const char *path)
{
    const struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    int rc = wf_store_open(path, &options, &store, NULL);
    _exit(rc == WF_E_BUSY ? 0 : 1);
}

/* In the list of locks: "1: -> POSIX ADVISORY READ pid ...". */
static bool waits_for_lock(pid_t child)
{
    char line[200];
    char wanted[32];
    bool found = false;
    FILE *locks = fopen("/proc/locks", "re");
    assert_non_null(locks);
    (void)snprintf(wanted, sizeof(wanted), " %d ", (int)child);
    while (!found && fgets(line, sizeof(line), locks) != NULL)
        found = strstr(line, "->") != NULL && strstr(line, wanted) != NULL;
    (void)fclose(locks);
    return found;
}

static void who_waited_while_the_file_was_replaced_is_refused(void **state)
{
    (void)state;
    struct teststore t;
    char data[400];
    char other[400];
    char lock[400];
    char command[1000];
    int status = 0;
    struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    teststore_create(&t, NULL);
    struct wf_store *store = NULL;
    assert_ok(wf_store_open(t.path, NULL, &store, &t.err), t.err); /* makes the lock file */
    wf_store_close(store);
    (void)snprintf(data, sizeof(data), "%s/data.mdb", t.path);
    (void)snprintf(other, sizeof(other), "%s/other", t.path);
    (void)snprintf(lock, sizeof(lock), "%s/lock.mdb", t.path);
    (void)snprintf(command, sizeof(command), "cp %s %s", data, other);
    assert_int_equal(system(command), 0);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETLK, &first), 0);
    pid_t child = fork();
    if (child == 0)
        open_in_child(t.path);
    for (int i = 0; i < 2000 && !waits_for_lock(child); i++)
        (void)usleep(5000);
    assert_true(waits_for_lock(child));
    assert_int_equal(rename(other, data), 0);
    (void)close(fd);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    teststore_fini(&t);
}

/* Its number is that of the file before: whoever comes alone makes it anew. */
static void a_lock_file_that_an_upgrade_has_left_is_refused_until_one_comes_alone(void **state)
{
    (void)state;
    struct teststore t;
    char lock[400];
    int status = 0;
    const uint32_t no_magic = 0;
    struct flock first = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    teststore_create(&t, NULL);
    teststore_open(&t); /* makes the lock file */
    teststore_close(&t);
    (void)snprintf(lock, sizeof(lock), "%s/lock.mdb", t.path);
    int fd = open(lock, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &no_magic, sizeof(no_magic), 0), sizeof(no_magic));
    assert_int_equal(fcntl(fd, F_SETLK, &first), 0); /* as one who has waited */
    pid_t child = fork();
    if (child == 0)
        open_in_child(t.path);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    (void)close(fd);
    teststore_open(&t);
    teststore_fini(&t);
}

static void a_folder_that_may_not_be_written_is_told(void **state)
{
    (void)state;
    struct teststore t;
    teststore_create(&t, NULL);
    assert_int_equal(chmod(t.dir.path, 0755), 0);
    assert_int_equal(chmod(t.path, 0500), 0);
    if (geteuid() == 0) {
        assert_int_equal(chmod(t.path, 0555), 0);
        assert_int_equal(seteuid(NOBODY), 0);
    }
    struct wf_store *store = NULL;
    int rc = wf_store_open(t.path, NULL, &store, &t.err);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(t.path, 0700), 0);
    assert_int_equal(rc, WF_E_IO);
    assert_non_null(strstr(t.err.text, "no right to write"));
    teststore_fini(&t);
}

static void a_store_is_opened_once_in_a_process(void **state)
{
    (void)state;
    struct teststore t;
    teststore_create(&t, NULL);
    teststore_open(&t);
    expect_open_fails(t.path, WF_E_STATE, "already open");
    teststore_close(&t);
    teststore_open(&t);
    teststore_fini(&t);
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    struct wf_error err;
    assert_true(wf_is_network_fs(0x6969));      /* NFS */
    assert_true(wf_is_network_fs(0xff534d42));  /* CIFS */
    assert_true(wf_is_network_fs(0x65735546));  /* FUSE */
    assert_false(wf_is_network_fs(0xef53));     /* ext4 */
    assert_false(wf_is_network_fs(0x01021994)); /* tmpfs */
    assert_ok(wf_check_local_fs("/", &err), err);
    assert_int_equal(wf_check_local_fs("/no such place", &err), WF_E_NOT_FOUND);
}

static void transactions_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct teststore t;
    struct wf_txn *other = NULL;
    const struct wf_store_options read_only = {.read_only = true};
    teststore_create(&t, NULL);
    teststore_open(&t);
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_int_equal(wf_txn_begin(t.store, true, &other, &t.err), WF_E_INTERNAL);
    struct wf_txn *reader = teststore_begin(&t, false); /* beside the writer: fine */
    assert_int_equal(wf_cursor_put(reader, wf_str("c"), 1, &t.err), WF_E_INTERNAL);
    wf_txn_abort(reader);
    wf_txn_abort(txn);
    wf_txn_abort(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(wf_txn_begin(t.store, false, &other, NULL) == WF_E_INTERNAL ? 5 : CHILD_FAIL);
    assert_int_equal(wait_for_child(child), 5);
    teststore_close(&t);
    assert_ok(wf_store_open(t.path, &read_only, &t.store, &t.err), t.err);
    assert_int_equal(wf_txn_begin(t.store, true, &other, &t.err), WF_E_DENIED);
    teststore_fini(&t);
}

static uint64_t last_commit(const struct teststore *t)
{
    MDB_envinfo info;
    assert_int_equal(mdb_env_info(t->store->env, &info), 0);
    return info.me_last_txnid;
}

static void a_transaction_without_writes_costs_no_commit(void **state)
{
    (void)state;
    struct teststore t;
    teststore_create(&t, NULL);
    teststore_open(&t);
    uint64_t before = last_commit(&t);
    struct wf_txn *txn = teststore_begin(&t, true);
    (void)wf_dossier_new_id(txn);
    teststore_commit(&t, txn);
    teststore_commit(&t, teststore_begin(&t, false));
    assert_int_equal(last_commit(&t), before);
    txn = teststore_begin(&t, true);
    assert_int_equal(wf_dossier_new_id(txn), 1);
    assert_ok(wf_cursor_put(txn, wf_str("c"), 1, &t.err), t.err);
    teststore_commit(&t, txn);
    assert_int_equal(last_commit(&t), before + 1);
    teststore_fini(&t);
}

/* ---- space ----------------------------------------------------------------------------------- */

static int put_filler(struct teststore *t, struct wf_txn *txn, struct wf_rec_queue *item)
{
    char text[900];
    memset(text, 'x', sizeof(text));
    *item = (struct wf_rec_queue){.service = WF_RETURN, .reason = {text, sizeof(text)}};
    return wf_queue_put(txn, item, &t->err);
}

/* Ten rows to a transaction until the map is full; the last one is lost as a whole. */
static uint64_t fill_map(struct teststore *t)
{
    uint64_t rows = 0;
    for (;;) {
        struct wf_rec_queue item;
        struct wf_txn *txn = teststore_begin(t, true);
        int rc = 0;
        for (int i = 0; i < 10 && rc == 0; i++)
            rc = put_filler(t, txn, &item);
        if (rc != 0) {
            assert_int_equal(rc, WF_E_FULL);
            assert_int_equal(wf_cursor_put(txn, wf_str("c"), 1, &t->err), WF_E_FULL);
        }
        int commit = wf_txn_commit(txn, &t->err); /* the room may run out here as well */
        if (rc == 0 && commit == 0)
            rows += 10;
        else {
            assert_int_equal(commit, WF_E_FULL);
            return rows;
        }
    }
}

static void a_full_map_refuses_writes_and_still_reads_and_deletes(void **state)
{
    (void)state;
    struct teststore t;
    struct wf_store_space space;
    const struct wf_store_options small = {.map_bytes = 2 * MIB};
    teststore_create(&t, &small);
    teststore_open(&t);
    assert_ok(wf_store_space(t.store, &space, &t.err), t.err);
    assert_int_equal(space.map_bytes, 2 * MIB);
    assert_true(space.used_percent < 10);
    assert_false(space.intake_stopped);
    uint64_t rows = fill_map(&t);
    assert_true(rows > 1000);
    assert_ok(wf_store_space(t.store, &space, &t.err), t.err);
    assert_true(space.used_percent >= 90);
    assert_true(space.intake_stopped);
    assert_true(space.file_bytes <= space.map_bytes);
    assert_int_equal(space.readers, 1);

    for (uint64_t i = 0; i < rows; i += 20) {
        struct wf_rec_queue item;
        struct wf_txn *txn = teststore_begin(&t, true);
        assert_int_equal(wf_txn_counts(txn)->queued[WF_RETURN], rows - i);
        for (int n = 0; n < 20 && i + (uint64_t)n < rows; n++) {
            assert_ok(wf_queue_first(txn, WF_RETURN, 0, t.arena, &item, &t.err), t.err);
            assert_ok(wf_queue_del(txn, &item, &t.err), t.err);
        }
        teststore_commit(&t, txn);
    }
    assert_ok(wf_store_space(t.store, &space, &t.err), t.err);
    assert_true(space.used_percent < 20);
    assert_false(space.intake_stopped);
    teststore_fini(&t);
}

static void too_little_free_disk_stops_intake(void **state)
{
    (void)state;
    struct teststore t;
    struct wf_store_space space;
    const struct wf_store_options greedy = {.min_free_bytes = UINT64_MAX};
    teststore_create(&t, NULL);
    assert_ok(wf_store_open(t.path, &greedy, &t.store, &t.err), t.err);
    assert_ok(wf_store_space(t.store, &space, &t.err), t.err);
    assert_true(space.disk_free_bytes > 0);
    assert_true(space.intake_stopped);
    teststore_fini(&t);
}

static void fill_in_bigger_map(const char *path)
{
    struct teststore t = {.store = NULL};
    struct wf_rec_queue item;
    struct wf_txn *txn = NULL;
    const struct wf_store_options bigger = {.map_bytes = 16 * MIB};
    int rc = wf_store_open(path, &bigger, &t.store, &t.err);
    if (rc == 0)
        rc = wf_txn_begin(t.store, true, &txn, &t.err);
    for (int i = 0; i < 5000 && rc == 0; i++)
        rc = put_filler(&t, txn, &item);
    if (rc == 0)
        rc = wf_txn_commit(txn, &t.err);
    wf_store_close(t.store);
    _exit(rc == 0 ? 0 : CHILD_FAIL);
}

static void a_map_grown_by_another_process_is_taken_over(void **state)
{
    (void)state;
    struct teststore t;
    struct wf_txn *txn = NULL;
    int go[2];
    char byte = 0;
    const struct wf_store_options small = {.map_bytes = 2 * MIB};
    teststore_create(&t, &small);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        if (read(go[0], &byte, 1) == 1)
            fill_in_bigger_map(t.path);
        _exit(CHILD_FAIL);
    }
    teststore_open(&t);
    struct wf_txn *held = teststore_begin(&t, false);
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(wait_for_child(child), 0);
    assert_int_equal(wf_txn_begin(t.store, true, &txn, &t.err), WF_E_BUSY);
    wf_txn_abort(held);
    txn = teststore_begin(&t, true);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_RETURN], 5000);
    wf_txn_abort(txn);
    (void)close(go[0]);
    (void)close(go[1]);
    teststore_fini(&t);
}

/* A write that the system refuses at commit: here a limit on file size, as a full disk would. */
static void commit_on_limited_file(const char *path)
{
    struct teststore t = {.store = NULL};
    struct wf_rec_queue item;
    struct wf_txn *txn = NULL;
    const struct rlimit limit = {256 * 1024, 256 * 1024};
    int rc = wf_store_open(path, NULL, &t.store, &t.err);
    if (rc == 0)
        rc = wf_txn_begin(t.store, true, &txn, &t.err);
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = put_filler(&t, txn, &item);
    (void)signal(SIGXFSZ, SIG_IGN);
    if (rc != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(CHILD_FAIL);
    bool told = wf_txn_commit(txn, &t.err) == WF_E_IO && strstr(t.err.text, "commit") != NULL;
    bool refused = wf_txn_begin(t.store, false, &txn, &t.err) == WF_E_IO;
    wf_store_close(t.store);
    _exit(told && refused ? 5 : CHILD_FAIL);
}

static void after_a_failed_commit_the_process_must_end_and_nothing_is_stored(void **state)
{
    (void)state;
    struct teststore t;
    teststore_create(&t, NULL);
    pid_t child = fork();
    if (child == 0)
        commit_on_limited_file(t.path);
    assert_int_equal(wait_for_child(child), 5);
    teststore_open(&t);
    struct wf_txn *txn = teststore_begin(&t, true);
    assert_int_equal(wf_txn_counts(txn)->queued[WF_RETURN], 0);
    assert_ok(wf_cursor_put(txn, wf_str("c"), 1, &t.err), t.err);
    teststore_commit(&t, txn);
    teststore_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_created_store_opens_with_its_name_and_clock),
        cmocka_unit_test(creation_refuses_what_is_there_and_takes_an_empty_folder),
        cmocka_unit_test(a_creator_killed_at_any_moment_leaves_nothing_or_a_whole_store),
#if defined(WF_FAULT_INJECTION)
        cmocka_unit_test(a_creator_killed_at_each_step_leaves_nothing_or_a_whole_store),
#endif
        cmocka_unit_test(what_is_no_store_is_refused_with_one_clear_error),
        cmocka_unit_test(another_format_or_another_program_is_told),
        cmocka_unit_test(who_waited_while_the_file_was_replaced_is_refused),
        cmocka_unit_test(a_lock_file_that_an_upgrade_has_left_is_refused_until_one_comes_alone),
        cmocka_unit_test(a_folder_that_may_not_be_written_is_told),
        cmocka_unit_test(a_store_is_opened_once_in_a_process),
        cmocka_unit_test(network_file_systems_are_known),
        cmocka_unit_test(transactions_that_make_no_sense_are_refused),
        cmocka_unit_test(a_transaction_without_writes_costs_no_commit),
        cmocka_unit_test(a_full_map_refuses_writes_and_still_reads_and_deletes),
        cmocka_unit_test(too_little_free_disk_stops_intake),
        cmocka_unit_test(a_map_grown_by_another_process_is_taken_over),
        cmocka_unit_test(after_a_failed_commit_the_process_must_end_and_nothing_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What adapters share: the durable file, back-off, settings, and HTTP that cannot be reached. */
#include "support/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapter/adapter.h"
#include "adapter/db.h"
#include "adapter/http.h"

static char folder[64];
static char path[128];

static const char *const first[] = {"CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER)"};
static const char *const second[] = {"CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER)",
                                     "ALTER TABLE t ADD COLUMN w TEXT"};

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/hoso-adapter-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/own.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[160];
    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static int64_t value_of(struct db *db, const char *key)
{
    int64_t value = -1;
    int rc = db_number(db, NULL, &value, "SELECT v FROM t WHERE k = ?1", "t", key);
    return rc == 0 ? value : -1;
}

static struct db *open_with(const char *const *steps, size_t n)
{
    struct db *db = NULL;
    struct wf_error err = {0};
    int rc = db_open(path, steps, n, &db, &err);
    if (rc != 0)
        print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    return db;
}

#define PUT "INSERT INTO t (k, v) VALUES (?1, ?2)"

static void what_is_committed_is_there_after_a_kill_and_nothing_else(void **state)
{
    struct stat st;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct db *db = NULL;
        bool is_well = db_open(path, first, 1, &db, NULL) == 0 && db_begin(db, NULL) == 0 &&
                       db_do(db, NULL, PUT, "ti", "kept", (int64_t)1) == 0 &&
                       db_commit(db, NULL) == 0 && db_begin(db, NULL) == 0 &&
                       db_do(db, NULL, PUT, "ti", "lost", (int64_t)2) == 0;
        _exit(is_well ? 7 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);
    struct db *db = open_with(first, 1);
    assert_int_equal(value_of(db, "kept"), 1);
    assert_int_equal(value_of(db, "lost"), -1);
    db_close(db);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void the_schema_is_brought_up_once_and_a_newer_one_is_refused(void **state)
{
    struct wf_error err = {0};
    struct db *db = open_with(first, 1);
    (void)state;
    assert_int_equal(db_do(db, &err, PUT, "ti", "a", (int64_t)4), 0);
    db_close(db);
    db = open_with(second, 2);
    assert_int_equal(db_do(db, &err, "UPDATE t SET w = ?1", "t", "x"), 0);
    assert_int_equal(db_changes(db), 1);
    assert_int_equal(value_of(db, "a"), 4);
    db_close(db);
    db = open_with(second, 2);
    db_close(db);
    assert_int_equal(db_open(path, first, 1, &db, &err), WF_E_VERSION);
    assert_non_null(strstr(err.text, "schema 2"));
}

static void who_only_looks_makes_brings_up_and_writes_nothing(void **state)
{
    struct wf_error err = {0};
    struct db *look = NULL;
    (void)state;
    assert_int_equal(db_look(path, 1, &look, &err), WF_E_IO);
    assert_int_not_equal(access(path, F_OK), 0);
    struct db *db = open_with(first, 1);
    assert_int_equal(db_do(db, &err, PUT, "ti", "a", (int64_t)4), 0);
    assert_int_equal(db_look(path, 2, &look, &err), WF_E_VERSION);
    assert_non_null(strstr(err.text, "schema 1 of 2"));
    assert_int_equal(db_look(path, 0, &look, &err), WF_E_VERSION);
    assert_int_equal(db_look(path, 1, &look, &err), 0);
    assert_int_equal(value_of(look, "a"), 4);
    assert_true(db_do(look, &err, PUT, "ti", "b", (int64_t)5) < 0);
    assert_int_equal(db_do(db, &err, PUT, "ti", "b", (int64_t)5), 0); /* nor is anybody kept out */
    assert_int_equal(value_of(look, "b"), 5);
    db_close(db);
    db_close(look);
}

static void a_broken_rule_is_a_conflict_and_a_roll_back_undoes_all(void **state)
{
    struct wf_error err = {0};
    struct db *db = open_with(first, 1);
    (void)state;
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_do(db, &err, PUT, "ti", "a", (int64_t)1), 0);
    assert_int_equal(db_do(db, &err, PUT, "ti", "a", (int64_t)1), WF_E_CONFLICT);
    db_rollback(db);
    assert_int_equal(value_of(db, "a"), -1);
    db_rollback(db);
    db_close(db);
}

static void rows_come_in_order_with_their_texts(void **state)
{
    struct wf_error err = {0};
    struct db_rows *rows = NULL;
    struct db *db = open_with(second, 2);
    (void)state;
    for (int64_t i = 3; i > 0; i--) {
        char key[8];
        (void)snprintf(key, sizeof(key), "k%d", (int)i);
        assert_int_equal(db_do(db, &err, PUT, "si", wf_str(key), i), 0);
    }
    assert_int_equal(db_select(db, &err, &rows, "SELECT k, v, w FROM t ORDER BY k", ""), 0);
    for (int64_t i = 1; i <= 3; i++) {
        assert_int_equal(db_next(rows, &err), 0);
        assert_int_equal(db_int(rows, 1), i);
        assert_int_equal(db_str(rows, 0).len, 2);
        assert_int_equal(db_str(rows, 2).len, 0);
    }
    assert_int_equal(db_next(rows, &err), WF_NONE);
    db_done(rows);
    db_close(db);
}

static bool file_holds(const char *name, const char *word)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "grep -aq '%s' %s/%s 2>/dev/null", word, folder, name);
    return system(command) == 0;
}

static void what_was_overwritten_is_in_no_file_after_a_scrub(void **state)
{
    struct wf_error err = {0};
    struct db *db = open_with(second, 2);
    (void)state;
    assert_int_equal(db_do(db, &err, PUT, "ti", "a", (int64_t)1), 0);
    assert_int_equal(db_do(db, &err, "UPDATE t SET w = ?1", "t", "Nguyen-Van-An"), 0);
    assert_true(file_holds("own.db-wal", "Nguyen-Van-An"));
    assert_int_equal(db_do(db, &err, "UPDATE t SET w = NULL", ""), 0);
    db_scrub(db);
    assert_false(file_holds("own.db-wal", "Nguyen-Van-An"));
    assert_false(file_holds("own.db", "Nguyen-Van-An"));
    db_close(db);
}

static void a_copy_is_of_one_moment_while_another_writes(void **state)
{
    struct wf_error err = {0};
    struct db *copied = NULL;
    struct stat is;
    char copy[160];
    (void)state;
    (void)snprintf(copy, sizeof(copy), "%s/copy.db", folder);
    struct db *db = open_with(second, 2);
    assert_int_equal(db_do(db, &err, PUT, "ti", "kept", (int64_t)7), 0);
    assert_int_equal(db_do(db, &err, PUT, "ti", "Nguyen-Van-An", (int64_t)1), 0);
    assert_int_equal(db_do(db, &err, "DELETE FROM t WHERE v = 1", ""), 0);
    assert_int_equal(db_begin(db, &err), 0);
    assert_int_equal(db_do(db, &err, PUT, "ti", "not yet", (int64_t)8), 0);
    assert_int_equal(db_copy(path, copy, &err), 0);
    assert_int_equal(db_commit(db, &err), 0);
    assert_int_equal(db_copy(path, copy, &err), WF_E_IO); /* never over what is there */
    db_close(db);
    assert_int_equal(stat(copy, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_false(file_holds("copy.db", "Nguyen-Van-An"));
    assert_int_equal(db_open(copy, second, 2, &copied, &err), 0); /* and its schema is known */
    assert_int_equal(value_of(copied, "kept"), 7);
    assert_int_equal(value_of(copied, "not yet"), -1);
    db_close(copied);
    (void)unlink(copy);
    assert_int_equal(db_copy("/nowhere/own.db", copy, &err), WF_E_IO);
    assert_int_equal(access(copy, F_OK), -1); /* nothing is left of it */
}

static void a_file_that_is_no_database_is_named(void **state)
{
    struct wf_error err = {0};
    struct db *db = NULL;
    FILE *file = fopen(path, "w");
    (void)state;
    for (int i = 0; i < 200; i++)
        (void)fputs("this is no database\n", file);
    (void)fclose(file);
    assert_int_equal(db_open(path, first, 1, &db, &err), WF_E_CORRUPT);
    assert_non_null(strstr(err.text, "own.db"));
    assert_null(db);
}

static void waits_double_up_to_the_longest_each_a_little_otherwise(void **state)
{
    const struct adapter_settings settings = {.retry_ms = 100, .retry_most_ms = 1000};
    struct adapter_backoff backoff = {0};
    int64_t expected[] = {100, 200, 400, 800, 1000, 1000};
    (void)state;
    for (size_t i = 0; i < WF_COUNT(expected); i++) {
        adapter_backoff_grow(&backoff, &settings, 5000);
        assert_int_equal(backoff.wait_ms, expected[i]);
        assert_in_range(backoff.until_ms - 5000, expected[i] * 3 / 4, expected[i] * 5 / 4);
    }
    adapter_backoff_reset(&backoff);
    adapter_backoff_grow(&backoff, &settings, 5000);
    assert_int_equal(backoff.wait_ms, 100);
}

struct settings {
    struct adapter_settings common;
    const char *url;
};

static const struct wf_key keys[] = {
    ADAPTER_KEYS(struct settings, common, "trial"),
    {"url", WF_KEY_TEXT, offsetof(struct settings, url), true, 1, 100, NULL, "where"},
};
static const struct adapter_spec spec = {.name = "trial",
                                         .keys = keys,
                                         .n_keys = WF_COUNT(keys),
                                         .settings_size = sizeof(struct settings)};

static int load(struct adapter *a, const char *text, struct wf_error *err)
{
    char name[128];
    struct wf_report report = {0};
    (void)snprintf(name, sizeof(name), "%s/trial.cfg", folder);
    FILE *file = fopen(name, "w");
    (void)fputs(text, file);
    (void)fclose(file);
    int rc = adapter_load(a, &spec, folder, &report, err);
    wf_report_fini(&report);
    return rc;
}

static void settings_have_defaults_and_their_paths_are_absolute(void **state)
{
    struct wf_error err = {0};
    struct adapter a;
    (void)state;
    /* with a gate no hoso.cfg is needed */
    assert_int_equal(
        load(&a, "url = \"http://x\"; gate = \"a.key\"; retry_ms = \"2 seconds\";", &err), 0);
    assert_string_equal(a.common->party, "trial");
    assert_true(wf_starts_with(a.common->database, folder));
    assert_true(wf_starts_with(a.common->gate, folder));
    assert_int_equal(a.common->retry_ms, 2000);
    assert_true(a.common->enabled);
    assert_null(a.run);
    struct wf_client *client = NULL;
    assert_true(adapter_client(&a, &client, &err) < 0); /* there is no such key file */
    adapter_unload(&a);
    assert_true(load(&a, "url = \"http://x\";", &err) < 0); /* no gate: hoso.cfg is missing */
    adapter_unload(&a);
    assert_int_equal(load(&a, "gate = \"a.key\"; ulr = \"http://x\";", &err), WF_E_CONFIG);
    adapter_unload(&a);
}

static void addresses_are_https_or_of_this_host(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } cases[] = {{"https://portal.example/a", true},
                 {"http://127.0.0.1:80/a", true},
                 {"http://localhost", true},
                 {"http://[::1]:8080", true},
                 {"http://portal.example", false},
                 {"http://127.0.0.1.example/a", false},
                 {"http://localhost.example:80", false},
                 {"http://localhost:a@example/", false},
                 {"portal.example", false},
                 {"ftp://127.0.0.1", false}};
    struct wf_error err = {0};
    struct adapter a;
    (void)state;
    assert_int_equal(load(&a, "url = \"x\"; gate = \"a.key\";", &err), 0);
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct wf_report report = {0};
        adapter_check_url(&a, "url", cases[i].url, &report);
        if ((report.errors == 0) != cases[i].good)
            fail_msg("%s", cases[i].url);
        wf_report_fini(&report);
    }
    adapter_unload(&a);
}

static void a_secret_is_the_first_line_of_a_file_that_is_closed_to_others(void **state)
{
    char secret_path[600];
    char secret[20];
    struct wf_error err = {0};
    (void)state;
    (void)snprintf(secret_path, sizeof(secret_path), "%s/secret", folder);
    assert_int_equal(adapter_secret(secret_path, secret, sizeof(secret), &err), WF_E_CONFIG);
    int fd = open(secret_path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(adapter_secret(secret_path, secret, sizeof(secret), &err), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "empty"));
    assert_int_equal(pwrite(fd, "open sesame\r\nand more", 21, 0), 21);
    assert_int_equal(adapter_secret(secret_path, secret, sizeof(secret), &err), 0);
    assert_string_equal(secret, "open sesame");
    assert_int_equal(pwrite(fd, "open sesame, please\n", 20, 0), 20);
    assert_int_equal(adapter_secret(secret_path, secret, sizeof(secret), &err), 0);
    assert_string_equal(secret, "open sesame, please");
    assert_int_equal(pwrite(fd, "open sesame, please.", 20, 0), 20);
    (void)close(fd);
    assert_int_equal(adapter_secret(secret_path, secret, sizeof(secret), &err), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "longer than 19 bytes"));
    assert_int_equal(chmod(secret_path, 0640), 0);
    assert_int_equal(adapter_secret(secret_path, secret, sizeof(secret), &err), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "chmod 0600"));
}

/* A server that takes connections and says nothing. */
static void a_request_ends_when_a_signal_waits(void **state)
{
    char url[64];
    struct wf_error err = {0};
    struct http_client *client = NULL;
    struct http_answer answer = {0};
    struct wf_arena *arena = wf_arena_new(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    (void)state;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int signals = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(bind(server, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server, 4), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
    const struct http_options options = {.timeout_ms = 30000, .signal_fd = signals};
    assert_int_equal(http_open(&options, &client, &err), 0);
    const struct http_request silent = {.method = "GET", .url = url};
    int64_t before = wf_monotonic_ms();
    assert_int_equal(http_ask(client, &silent, arena, &answer, &err), WF_E_TIMEOUT);
    assert_true(wf_monotonic_ms() - before < 10000);
    http_close(client);
    wf_arena_free(arena);
    (void)close(server);
    (void)close(signals);
}

/* A port that is taken and at which nobody listens: whoever connects is refused. */
static int take_dead_port(char url[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(url, 64, "http://127.0.0.1:%u/", ntohs(at.sin_port));
    return fd;
}

static void a_server_that_is_not_there_is_a_time_out(void **state)
{
    char url[64];
    int port = take_dead_port(url);
    struct wf_error err = {0};
    struct http_client *client = NULL;
    struct http_answer answer = {0};
    struct wf_arena *arena = wf_arena_new(0);
    (void)state;
    assert_int_equal(http_open(&(struct http_options){.timeout_ms = 2000}, &client, &err), 0);
    const struct http_request nowhere = {.method = "GET", .url = url};
    assert_int_equal(http_ask(client, &nowhere, arena, &answer, &err), WF_E_TIMEOUT);
    const struct http_request file = {.method = "GET", .url = "file:///etc/hostname"};
    assert_int_equal(http_ask(client, &file, arena, &answer, &err), WF_E_CONFIG);
    (void)close(port);
    http_close(client);
    wf_arena_free(arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

/* One that asks many times in a turn, each for long, does get on. */
static void every_request_to_a_slow_system_is_a_beat(void **state)
{
    const struct adapter_settings common = {.timeout_ms = 1000, .party = "courier"};
    struct adapter a = {.common = &common, .run = folder, .slot = &a.unseen};
    struct wf_client *client = NULL;
    (void)state;
    int64_t before = wf_monotonic_ms();
    assert_int_equal(adapter_client(&a, &client, NULL), 0);
    assert_true(a.slot->beat_ms >= before + common.timeout_ms);
    wf_client_close(a.client);
    adapter_beat(&a, 600000); /* longer than any turn may take */
    assert_true(a.slot->beat_ms >= before + 600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_committed_is_there_after_a_kill_and_nothing_else),
        TEST(the_schema_is_brought_up_once_and_a_newer_one_is_refused),
        TEST(who_only_looks_makes_brings_up_and_writes_nothing),
        TEST(a_broken_rule_is_a_conflict_and_a_roll_back_undoes_all),
        TEST(rows_come_in_order_with_their_texts),
        TEST(what_was_overwritten_is_in_no_file_after_a_scrub),
        TEST(a_copy_is_of_one_moment_while_another_writes),
        TEST(a_file_that_is_no_database_is_named),
        TEST(waits_double_up_to_the_longest_each_a_little_otherwise),
        TEST(settings_have_defaults_and_their_paths_are_absolute),
        TEST(addresses_are_https_or_of_this_host),
        TEST(a_secret_is_the_first_line_of_a_file_that_is_closed_to_others),
        TEST(a_request_ends_when_a_signal_waits),
        TEST(a_server_that_is_not_there_is_a_time_out),
        TEST(every_request_to_a_slow_system_is_a_beat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Live workers: bad messages, lost nudges, doubles, stopping, no room. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/audit.h"

#define SETTINGS                                                                                   \
    "cell = \"live\";\ncode_digits = 7;\nlog_level = \"error\";\nsweep_ms = \"100 ms\";\n"

static struct wf_client *client_of(const struct host *host)
{
    struct wf_client_options options = {.timeout_ms = 10000, .retry_ms = 200};
    struct wf_client *client = NULL;
    struct wf_error err = {0};
    assert_ok(wf_client_open(host->run, &options, &client, &err), err);
    return client;
}

static struct acknowledged *submit(struct wf_client *client, size_t n)
{
    struct acknowledged *acks = calloc(n + 1, sizeof(*acks));
    struct wf_error err = {0};
    assert_non_null(acks);
    for (size_t i = 0; i < n; i++) {
        wf_client_new_id(client, acks[i].id);
        (void)snprintf(acks[i].note, sizeof(acks[i].note), "dossier %zu", i);
        assert_ok(host_submit(client, acks[i].id, acks[i].note, 10000, acks[i].code, &err), err);
    }
    return acks;
}

/* ---- bad messages -----------------------------------------------------------------------------
 */

/* Everything that comes back is an error message; gives how many came. */
static unsigned take_errors(struct wf_client *client, int64_t wait_ms)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    unsigned n = 0;
    while (wf_client_receive(client, wait_ms, arena, &answer, &err) == 0) {
        assert_int_equal(answer.type, WF_MSG_error);
        assert_true(((const struct wf_msg_error *)answer.body)->message.len > 0);
        wf_arena_reset(arena);
        n++;
    }
    wf_arena_free(arena);
    return n;
}

static unsigned send_bad(struct wf_client *client, const void *bytes, size_t length)
{
    struct wf_error err = {0};
    assert_ok(wf_client_send_raw(client, WF_INTAKE,
                                 (struct wf_slice){(const uint8_t *)bytes, length}, &err),
              err);
    return 1;
}

static void pack_submit(struct wf_buf *out, const char *id)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_error err = {0};
    struct wf_msg_dossier_submit body = host_dossier(arena, "never to be stored");
    body.procedure = wf_str("9.999999"); /* well-formed mutants are refused as well */
    struct wf_envelope envelope = {.type = WF_MSG_dossier_submit, .id = wf_str(id), .body = &body};
    assert_ok(wf_message_pack(&envelope, out, &err), err);
    wf_arena_free(arena);
}

/* Each row is one frame that breaks one rule. */
static unsigned send_handmade(struct wf_client *client)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
#define ROW(text) {text, sizeof(text) - 1}
        /* clang-format off */
        ROW("x"),
        ROW("\x80"),                                 /* empty map */
        ROW("\xc0"),                                 /* nil */
        ROW("\xdd\xff\x00\x00\x00"),                 /* a list of four thousand million */
        ROW("\xdf\xff\xff\xff\xff"),                 /* a map as large */
        ROW("\x81\xa1v\x01"),                        /* version only */
        ROW("\x81\xa1v\x02"),                        /* of the future */
        ROW("\x82\xa1v\x01\xa1v\x01"),               /* the same key twice */
        ROW("\x82\xa1v\x01\xa4type\xa4none"),        /* no such type */
        ROW("\x82\xa1v\x01\xa4type\xa4work"),        /* not for parties */
        ROW("\x82\xa1v\x01\xa4type\xa5""error"),     /* an answer */
        ROW("\x84\xa1v\x01\xa4type\xa6health\xa2id\xa1""a\xa4""body\x80\x00"), /* one byte more */
        ROW("\x83\xa1v\x01\xa4type\xa6health\xa4""body\x80"),                  /* no id */
        ROW("\x84\xa1v\x01\xa4type\xa6health\xa2id\xa1\xff\xa4""body\x80"),    /* no UTF-8 */
        ROW("\x84\xa1v\x01\xa4type\xa6health\xa2id\xa1""a\xa4""body\x81\xa1x\x01"), /* unknown */
        ROW("\xc7\x01\x01\x00"),                     /* an extension */
        ROW("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"),
    /* clang-format on */
#undef ROW
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++)
        (void)send_bad(client, rows[i].bytes, rows[i].length);
    return WF_COUNT(rows);
}

/* Every prefix of a good frame, then single bytes of it changed. */
static unsigned send_mutants(struct wf_client *client, unsigned *answered)
{
    struct wf_buf good = {0};
    unsigned n = 0;
    pack_submit(&good, "mutant");
    for (size_t length = 1; length < good.len; length++)
        n += send_bad(client, good.ptr, length);
    for (size_t i = 0; i < good.len; i++) {
        uint8_t old = good.ptr[i];
        good.ptr[i] = (uint8_t)(old ^ (1u << (i % 8)));
        n += send_bad(client, good.ptr, good.len);
        good.ptr[i] = old;
        *answered += take_errors(client, 0);
    }
    wf_buf_fini(&good);
    return n;
}

static void bad_messages_are_answered_and_store_nothing(void **state)
{
    (void)state;
    struct host host;
    host_new(&host, NULL, SETTINGS);
    host_start_all(&host);
    struct wf_client *client = client_of(&host);
    struct wf_counts before = host_counts(&host);
    unsigned sent = send_handmade(client);
    assert_int_equal(take_errors(client, 500), sent);
    unsigned answered = 0;
    sent = send_mutants(client, &answered);
    assert_int_equal(answered + take_errors(client, 500), sent);
    char *large = calloc(1, WF_FRAME_MAX + 1000);
    assert_non_null(large);
    (void)send_bad(client, large, WF_FRAME_MAX + 1000);
    assert_int_equal(take_errors(client, 500), 1);
    free(large);
    struct wf_counts after = host_counts(&host);
    assert_memory_equal(&before, &after, sizeof(before));
    struct acknowledged *acks = submit(client, 3); /* and it goes on as if nothing had been */
    assert_true(host_settle(&host, 5000));
    wf_client_close(client);
    host_stop_all(&host);
    audit(&host, acks, 3);
    free(acks);
    host_close(&host);
}

/* ---- nudges, doubles, stopping ----------------------------------------------------------------
 */

static void work_for_services_that_are_away_is_found_when_they_come(void **state)
{
    (void)state;
    struct host host;
    host_new(&host, NULL, SETTINGS);
    assert_true(host_start(&host, WF_INTAKE, NULL, NULL)); /* its nudges find nobody */
    struct wf_client *client = client_of(&host);
    struct acknowledged *acks = submit(client, 20);
    assert_int_equal(host_counts(&host).queued[WF_VERIFICATION], 20);
    assert_int_equal(host_stop(&host, WF_INTAKE, SIGTERM), 0);
    for (int s = WF_RETURN; s > WF_INTAKE; s--) /* receivers first, the asker's nudges are gone */
        assert_true(host_start(&host, (enum wf_service)s, NULL, NULL));
    assert_true(host_settle(&host, 10000));
    wf_client_close(client);
    host_stop_all(&host);
    audit(&host, acks, 20);
    free(acks);
    host_close(&host);
}

static void a_second_worker_of_a_service_is_refused(void **state)
{
    (void)state;
    struct host host;
    int code = 0;
    host_new(&host, NULL, SETTINGS);
    host_start_all(&host);
    pid_t first = host.pids[WF_INTAKE];
    assert_false(host_start(&host, WF_INTAKE, NULL, &code));
    assert_int_equal(code, 2);
    assert_int_equal(host.pids[WF_INTAKE], first);
    struct wf_client *client = client_of(&host);
    struct acknowledged *acks = submit(client, 1);
    assert_true(host_settle(&host, 5000));
    wf_client_close(client);
    host_stop_all(&host);
    audit(&host, acks, 1);
    free(acks);
    host_close(&host);
}

static void sigterm_ends_in_good_order_under_load(void **state)
{
    (void)state;
    struct host host;
    struct wf_error err = {0};
    host_new(&host, NULL, SETTINGS);
    host_start_all(&host);
    struct wf_client *client = client_of(&host);
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_msg_dossier_submit body = host_dossier(arena, "in flight");
    for (int i = 0; i < 300; i++) {
        char id[WF_REQUEST_ID_SIZE];
        wf_client_new_id(client, id);
        assert_ok(wf_client_send(client, WF_INTAKE, WF_MSG_dossier_submit, &body, id, &err), err);
    }
    host_stop_all(&host); /* checks for exit code 0 */
    host_start_all(&host);
    assert_true(host_settle(&host, 10000));
    wf_arena_free(arena);
    wf_client_close(client);
    host_stop_all(&host);
    host_close(&host);
}

static void wrong_settings_end_with_code_2(void **state)
{
    (void)state;
    struct host host;
    char path[160];
    int code = 0;
    host_new(&host, NULL, SETTINGS);
    (void)snprintf(path, sizeof(path), "%s/hoso.cfg", host.folder);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    (void)fputs("bacth = 10;\n", file);
    assert_int_equal(fclose(file), 0);
    assert_false(host_start(&host, WF_ROUTING, NULL, &code));
    assert_int_equal(code, 2);
    host_close(&host);
}

/* ---- no room ----------------------------------------------------------------------------------
 */

static int submit_once(struct wf_client *client, struct acknowledged *ack, struct wf_error *err)
{
    wf_client_new_id(client, ack->id);
    return host_submit(client, ack->id, ack->note, 2000, ack->code, err);
}

/* Files dossiers until the cell refuses; gives how many it took. */
static size_t fill(struct wf_client *client, struct acknowledged *acks, size_t most,
                   struct wf_error *err)
{
    for (size_t n = 0; n < most; n++) {
        (void)snprintf(acks[n].note, sizeof(acks[n].note), "dossier %zu", n);
        if (submit_once(client, &acks[n], err) != 0)
            return n;
    }
    fail_msg("%zu dossiers and never full", most);
    return most;
}

static void assert_readable(struct wf_client *client, const struct acknowledged *ack)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_msg_dossier_get get = {.dossier = wf_str(ack->code)};
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    assert_ok(wf_client_call(client, WF_INTAKE, WF_MSG_dossier_get, &get, arena, &answer, &err),
              err);
    wf_arena_free(arena);
}

static void write_settings(const struct host *host, const char *more)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/hoso.cfg", host->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%s%s", SETTINGS, more);
    assert_int_equal(fclose(file), 0);
}

static void a_full_store_refuses_and_goes_on_when_it_may_grow(void **state)
{
    (void)state;
    enum { MOST = 20000 };
    struct host host;
    struct wf_error err = {0};
    struct acknowledged *acks = calloc(MOST, sizeof(*acks));
    assert_non_null(acks);
    host_new(&host, NULL, SETTINGS "map_mib = 4;\n");
    host_start_all(&host);
    struct wf_client *client = client_of(&host);
    size_t n = fill(client, acks, MOST, &err);
    assert_int_equal(err.code, WF_E_FULL);
    assert_true(n > 0);
    assert_readable(client, &acks[0]);
    /* What was accepted goes on to its end; what found no room is put off, for longer each time. */
    assert_true(host_settle(&host, 90000));
    host_stop_all(&host);
    write_settings(&host, "map_mib = 64;\n");
    host_start_all(&host);
    assert_ok(submit_once(client, &acks[n], &err), err);
    n++;
    assert_true(host_settle(&host, 10000));
    wf_client_close(client);
    host_stop_all(&host);
    audit(&host, acks, n);
    free(acks);
    host_close(&host);
}

/* Takes all space that is left. */
static void fill_disk(const char *path)
{
    static char block[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t size = sizeof(block); size > 0; size /= 2) {
        while (write(fd, block, size) == (ssize_t)size)
            ;
    }
    (void)close(fd);
}

static void restart_the_dead(struct host *host)
{
    int code = 0;
    for (int s = 0; s < WF_SERVICE_COUNT; s++) {
        if (host_has_ended(host, (enum wf_service)s, &code))
            assert_int_equal(code, 1); /* restart may help: what a supervisor acts on */
    }
    host_start_all(host);
}

static void a_full_disk_refuses_and_goes_on_when_there_is_room(void **state)
{
    (void)state;
    char base[] = "/tmp/hoso-disk-XXXXXX";
    char filler[160];
    struct host host;
    struct acknowledged acks[12] = {0};
    struct wf_error err = {0};
    assert_non_null(mkdtemp(base));
    if (mount("tmpfs", base, "tmpfs", 0, "size=16m") != 0) {
        print_message("no right to mount a small disk: %s\n", strerror(errno));
        (void)rmdir(base);
        skip();
    }
    host_new(&host, base, SETTINGS "min_free_mib = 1;\n");
    (void)snprintf(filler, sizeof(filler), "%s/filler", base);
    host_start_all(&host);
    struct wf_client *client = client_of(&host);
    for (size_t i = 0; i < 10; i++) {
        (void)snprintf(acks[i].note, sizeof(acks[i].note), "dossier %zu", i);
        assert_ok(submit_once(client, &acks[i], &err), err);
    }
    assert_true(host_settle(&host, 10000));
    fill_disk(filler);
    sleep_ms(1200); /* the water mark is looked at twice a second */
    (void)snprintf(acks[10].note, sizeof(acks[10].note), "dossier without room");
    assert_int_equal(submit_once(client, &acks[10], &err), WF_E_FULL);
    assert_readable(client, &acks[3]);
    assert_int_equal(unlink(filler), 0);
    sleep_ms(1200);
    restart_the_dead(&host);
    assert_ok(submit_once(client, &acks[10], &err), err);
    assert_true(host_settle(&host, 10000));
    wf_client_close(client);
    host_stop_all(&host);
    audit(&host, acks, 11);
    host_close(&host);
    assert_int_equal(umount(base), 0);
    (void)rmdir(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_messages_are_answered_and_store_nothing),
        cmocka_unit_test(work_for_services_that_are_away_is_found_when_they_come),
        cmocka_unit_test(a_second_worker_of_a_service_is_refused),
        cmocka_unit_test(sigterm_ends_in_good_order_under_load),
        cmocka_unit_test(wrong_settings_end_with_code_2),
        cmocka_unit_test(a_full_store_refuses_and_goes_on_when_it_may_grow),
        cmocka_unit_test(a_full_disk_refuses_and_goes_on_when_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

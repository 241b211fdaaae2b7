/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/journald.h"
#include "workflow/log.h"

static int kept = -1; /* standard error as it was */
static int pipe_out = -1;

/* What is written to standard error from now on can be read. */
static int catch_stderr(void **state)
{
    (void)state;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    kept = dup(STDERR_FILENO);
    pipe_out = ends[0];
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[1]);
    wf_log_open("trial", WF_LOG_INFO);
    wf_log_set_rate(0);
    return 0;
}

static int release_stderr(void **state)
{
    (void)state;
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    (void)close(pipe_out);
    return 0;
}

static const char *written(void)
{
    static char text[65536];
    ssize_t n = read(pipe_out, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void a_line_has_its_keys_in_a_fixed_order(void **state)
{
    (void)state;
    const struct wf_log_fact fact = {.dossier = "H30-1",
                                     .procedure = "1.001193",
                                     .state = "a,b",
                                     .seq = 17,
                                     .party = "post-1",
                                     .rc = WF_E_BUSY};
    wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, &fact, "for %s", "now");
    assert_non_null(strstr(written(), "Z level=warn service=trial event=refused dossier=H30-1 "
                                      "procedure=1.001193 state=a,b seq=17 party=post-1 rc=busy "
                                      "msg=\"for now\"\n"));
}

static void what_is_above_the_level_is_not_written(void **state)
{
    (void)state;
    wf_log(WF_LOG_DEBUG, WF_LOG_NOTE_EVENT, NULL, "hidden");
    assert_string_equal(written(), "");
}

static void a_level_is_known_by_the_word_of_the_settings(void **state)
{
    (void)state;
    assert_int_equal(wf_log_level_of("error"), WF_LOG_ERROR);
    assert_int_equal(wf_log_level_of("debug"), WF_LOG_DEBUG);
    assert_int_equal(wf_log_level_of("fatal"), -1); /* nothing to choose: it is always written */
    assert_int_equal(wf_log_level_of(""), -1);
    (void)written();
}

static void a_line_break_in_a_text_makes_no_second_line(void **state)
{
    (void)state;
    wf_log(WF_LOG_INFO, WF_LOG_NOTE_EVENT, NULL, "one\nlevel=fatal \"two\"");
    const char *text = written();
    assert_int_equal(lines(text), 1);
    assert_non_null(strstr(text, "msg=\"one level=fatal \\\"two\\\"\""));
}

static void a_flood_of_one_event_is_counted_and_others_get_through(void **state)
{
    (void)state;
    wf_log_set_rate(5);
    for (int i = 0; i < 100; i++)
        wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, NULL, "again");
    wf_log(WF_LOG_INFO, WF_LOG_TRANSITION_EVENT, NULL, "a dossier goes on");
    wf_log(WF_LOG_FATAL, WF_LOG_REFUSED_EVENT, NULL, "the end");
    const char *text = written();
    assert_int_equal(lines(text), 5 + 1 + 1);
    assert_non_null(strstr(text, "event=transition"));
    assert_non_null(strstr(text, "the end"));

    (void)usleep(1050000); /* the next second */
    wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, NULL, "again");
    text = written();
    assert_int_equal(lines(text), 2);
    assert_non_null(strstr(text, "event=suppressed msg=\"95 lines of refused\""));
}

/* ---- the system's journal ----------------------------------------------------------------------
 */

static void fields_reach_the_journal_as_one_datagram(void **state)
{
    (void)state;
    char folder[] = "/tmp/hoso-log-XXXXXX";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char got[512];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", folder);
    int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
    int fd = wf_journald_open(at.sun_path);
    assert_true(fd >= 0);

    struct wf_journald_entry entry = {.used = 0};
    wf_journald_field(&entry, "PRIORITY", "4");
    wf_journald_field(&entry, "HOSO_DOSSIER", NULL);
    wf_journald_field(&entry, "MESSAGE", "one\nHOSO_RC=two");
    assert_true(wf_journald_send(fd, &entry));
    ssize_t n = recv(server, got, sizeof(got) - 1, 0);
    assert_true(n > 0);
    got[n] = '\0';
    assert_string_equal(got, "PRIORITY=4\nMESSAGE=one HOSO_RC=two\n");

    (void)close(fd);
    (void)close(server);
    (void)unlink(at.sun_path);
    (void)rmdir(folder);
}

static void a_field_that_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    char large[4096];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    struct wf_journald_entry entry = {.used = 0};
    wf_journald_field(&entry, "MESSAGE", large);
    wf_journald_field(&entry, "PRIORITY", "4");
    assert_int_equal(entry.used, strlen("PRIORITY=4\n"));
}

static void the_journal_is_known_by_device_and_inode_of_standard_error(void **state)
{
    (void)state;
    struct stat is;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &is), 0);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)is.st_dev,
                   (unsigned long long)is.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    assert_true(wf_journald_is_stderr());
    (void)setenv("JOURNAL_STREAM", "1:1", 1);
    assert_false(wf_journald_is_stderr());
    (void)unsetenv("JOURNAL_STREAM");
    assert_false(wf_journald_is_stderr());
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, catch_stderr, release_stderr)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_line_has_its_keys_in_a_fixed_order),
        CASE(what_is_above_the_level_is_not_written),
        CASE(a_level_is_known_by_the_word_of_the_settings),
        CASE(a_line_break_in_a_text_makes_no_second_line),
        CASE(a_flood_of_one_event_is_counted_and_others_get_through),
        CASE(fields_reach_the_journal_as_one_datagram),
        CASE(a_field_that_does_not_fit_is_left_out_whole),
        CASE(the_journal_is_known_by_device_and_inode_of_standard_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeping costs: five real workers under full load, with and without an archive of changes, in
 * turns; a backup of the running cell; the check of its store at rest. Goals: an archive leaves 0.6
 * of the dossiers a second, a backup half of them; 100,000 dossiers a second are checked.
 *
 *   DOSSIERS=n   a round (3000)     ROUNDS=n   of each kind (3)     WINDOW=n   requests under way (500)
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/host.h"

#include "workflow/clock.h"

#define ROUNDS_MOST 50

struct bench {
    struct host host;
    struct wf_client *client;
    struct wf_arena *arena;
    uint64_t dossiers, window;
    size_t rounds;
    char archive[160];
    pid_t archiver;
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = text != NULL ? strtoull(text, NULL, 10) : 0;
    return number != 0 ? number : otherwise;
}

static double now_s(void)
{
    return (double)wf_monotonic_us() / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_size);
    return values[n / 2];
}

/* ---- the load ---------------------------------------------------------------------------------- */

static void send_one(struct bench *b)
{
    static char note[521];
    char id[WF_REQUEST_ID_SIZE];
    struct wf_error err = {0};
    memset(note, 'n', sizeof(note) - 1);
    wf_arena_reset(b->arena);
    struct wf_msg_dossier_submit body = host_dossier(b->arena, note);
    wf_client_new_id(b->client, id);
    assert_ok(wf_client_send(b->client, WF_INTAKE, WF_MSG_dossier_submit, &body, id, &err), err);
}

static void receive_one(struct bench *b)
{
    struct wf_envelope got = {0};
    struct wf_error err = {0};
    wf_arena_reset(b->arena);
    assert_ok(wf_client_receive(b->client, 20000, b->arena, &got, &err), err);
    assert_int_not_equal(got.type, WF_MSG_error);
}

/* Six-step dossiers a second, from the first request to the last one closed; with a child, until it
 * has ended. */
static double load(struct bench *b, uint64_t dossiers, pid_t child, double *out_seconds)
{
    double started = now_s();
    uint64_t sent = 0;
    uint64_t received = 0;
    int status = 0;
    bool goes_on = true;
    while (goes_on || received < sent) {
        for (; goes_on && sent - received < b->window; sent++)
            send_one(b);
        receive_one(b);
        received++;
        goes_on = child != 0 ? waitpid(child, &status, WNOHANG) == 0 : sent < dossiers;
        if (child != 0 && !goes_on) {
            assert_int_equal(status, 0);
            child = 0;
            dossiers = 0;
            *out_seconds = now_s() - started;
        }
    }
    assert_true(host_settle(&b->host, 60000));
    return (double)sent / (now_s() - started);
}

/* ---- the archiver ------------------------------------------------------------------------------ */

static pid_t start(const char *const words[])
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char *argv[10] = {NULL};
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        for (size_t i = 0; words[i] != NULL; i++)
            argv[i] = strdup(words[i]);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static void archive_on(struct bench *b)
{
    char config[200];
    (void)snprintf(config, sizeof(config), "%s/hoso.cfg", b->host.folder);
    const char *const words[] = {BUILD_ROOT "/services/hoso-archive", "--config", config, NULL};
    b->archiver = start(words);
    sleep_ms(300);
}

static void remove_folder(const char *folder)
{
    char command[240];
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

/* What is switched on again begins a new archive. */
static void archive_off(struct bench *b)
{
    static const char *const words[] = {"archive", "--off", NULL};
    int status = 0;
    assert_int_equal(kill(b->archiver, SIGTERM), 0);
    assert_int_equal(waitpid(b->archiver, &status, 0), b->archiver);
    assert_int_equal(status, 0);
    host_hoso(&b->host, words);
    remove_folder(b->archive);
}

static void open_bench(struct bench *b)
{
    struct wf_error err = {0};
    char settings[400];
    memset(b, 0, sizeof(*b));
    b->dossiers = number_of("DOSSIERS", 3000);
    b->window = number_of("WINDOW", 500);
    b->rounds = number_of("ROUNDS", 3) % ROUNDS_MOST;
    b->arena = wf_arena_new(0);
    (void)snprintf(b->archive, sizeof(b->archive), "/tmp/hoso-bench-archive-%d", (int)getpid());
    (void)snprintf(
        settings, sizeof(settings),
        "cell = \"bench\";\ncode_digits = 7;\nlog_level = \"error\";\narchive = \"%s\";\n",
        b->archive);
    host_new(&b->host, NULL, settings);
    host_start_all(&b->host);
    assert_ok(wf_client_open(b->host.run, NULL, &b->client, &err), err);
}

static void close_bench(struct bench *b)
{
    wf_client_close(b->client);
    wf_arena_free(b->arena);
    host_close(&b->host);
    remove_folder(b->archive);
}

/* ---- figures ----------------------------------------------------------------------------------- */

static int missed;

static void line(const char *what, double value, const char *unit, double goal)
{
    bool is_met = value >= goal;
    missed += !is_met;
    (void)printf("%-56s %10.2f %-5s goal >= %.1f %s\n", what, value, unit, goal,
                 is_met ? "met" : "MISSED");
}

static double with_backup(struct bench *b, double *out_mb_s)
{
    char folder[200];
    char file[240];
    struct stat st;
    double seconds = 1;
    (void)snprintf(folder, sizeof(folder), "%s.backup", b->archive);
    (void)snprintf(file, sizeof(file), "%s/store/data.mdb", folder);
    const char *const words[] = {
        BUILD_ROOT "/services/hoso", "backup", folder, "--cell", b->host.folder, NULL};
    double rate = load(b, 0, start(words), &seconds);
    assert_int_equal(stat(file, &st), 0);
    *out_mb_s = (double)st.st_size / 1e6 / seconds;
    remove_folder(folder);
    return rate;
}

static double verify(struct bench *b)
{
    static const char *const words[] = {"verify", "--quick", NULL};
    double started = now_s();
    host_hoso(&b->host, words);
    double seconds = now_s() - started;
    struct wf_counts counts = host_counts(&b->host);
    return (double)(counts.open + counts.closed) / seconds;
}

static void run(void **state)
{
    (void)state;
    static struct bench b;
    double plain[ROUNDS_MOST];
    double archived[ROUNDS_MOST];
    double copied[ROUNDS_MOST];
    double mb_s[ROUNDS_MOST];
    double seconds = 0;
    open_bench(&b);
    (void)load(&b, b.dossiers, 0, &seconds); /* warm-up */
    for (size_t i = 0; i < b.rounds; i++) {
        plain[i] = load(&b, b.dossiers, 0, &seconds);
        archive_on(&b);
        archived[i] = load(&b, b.dossiers, 0, &seconds);
        archive_off(&b);
        copied[i] = with_backup(&b, &mb_s[i]);
    }
    double bare = median(plain, b.rounds);
    (void)printf("six-step dossiers/s: %.0f plain, %.0f with an archive, %.0f during a backup\n\n",
                 bare, median(archived, b.rounds), median(copied, b.rounds));
    line("dossiers/s with an archive / without", median(archived, b.rounds) / bare, "", 0.6);
    line("dossiers/s during a backup / without", median(copied, b.rounds) / bare, "", 0.5);
    line("backup with its check, under load", median(mb_s, b.rounds), "MB/s", 1);
    host_stop_all(&b.host);
    line("verify, thousand dossiers a second", verify(&b) / 1e3, "", 100);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run)};
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int failed = cmocka_run_group_tests_name("keep", tests, NULL, NULL);
    if (failed == 0 && missed > 0)
        (void)printf("%d goal(s) missed\n", missed);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeping and watching cost: five real workers under full load, in turns bare, with an archive
 * of changes, during a backup, and scraped every second; a backup beside a plain copy of the same
 * bytes to the same disk; the check of the store at rest.
 *
 *   DOSSIERS=n   a round (3000)     ROUNDS=n   of each kind (3)     WINDOW=n   requests under way (500)
 *   STORED=n     are there before the first round (30000)
 */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/host.h"

#include "figure.h"

#define ROUNDS_MOST 50

struct bench {
    struct host host;
    struct wf_client *client;
    struct wf_arena *arena;
    uint64_t dossiers, window;
    size_t rounds;
    char archive[160];
    pid_t archiver, metrics, scraper;
    unsigned port; /* of the figures over HTTP */
    int missed;
};

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
    b->port = host_free_port();
    b->dossiers = number_of("DOSSIERS", 3000);
    b->window = number_of("WINDOW", 500);
    b->rounds = number_of("ROUNDS", 3) % ROUNDS_MOST;
    b->arena = wf_arena_new(0);
    (void)snprintf(b->archive, sizeof(b->archive), "/tmp/hoso-bench-archive-%d", (int)getpid());
    (void)snprintf(
        settings, sizeof(settings),
        "cell = \"bench\";\ncode_digits = 7;\nlog_level = \"error\";\narchive = \"%s\";\n"
        "metrics_listen = \"127.0.0.1:%u\";\n",
        b->archive, b->port);
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

/* ---- monitoring -------------------------------------------------------------------------------- */

static void scrape(unsigned port)
{
    static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
    char text[8192];
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0) {
        while (recv(fd, text, sizeof(text), 0) > 0)
            ;
    }
    (void)close(fd);
}

static void metrics_on(struct bench *b)
{
    char config[200];
    (void)snprintf(config, sizeof(config), "%s/hoso.cfg", b->host.folder);
    const char *const words[] = {BUILD_ROOT "/services/hoso-metrics", "--config", config, NULL};
    b->metrics = start(words);
    sleep_ms(500);
    scrape(b->port); /* what only the first one costs */
}

static void stop(pid_t pid, int signal)
{
    int status = 0;
    assert_int_equal(kill(pid, signal), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static double cpu_of(pid_t pid)
{
    clockid_t clock = 0;
    struct timespec used = {0};
    assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void watching_on(struct bench *b)
{
    b->scraper = fork();
    assert_true(b->scraper >= 0);
    while (b->scraper == 0) {
        scrape(b->port);
        sleep_ms(1000);
    }
}

/* ---- figures ----------------------------------------------------------------------------------- */

static void check(struct bench *b, const char *what, double value, const char *unit, enum goal kind,
                  double goal)
{
    b->missed += !figure(what, value, unit, kind, goal);
}

/* Under load: the backup, then a plain copy of the same bytes, synced. MB a second of each. */
static double with_backup(struct bench *b, double *out_backup, double *out_copy)
{
    char folder[200];
    char file[240];
    char copy[600];
    struct stat st;
    double seconds = 1;
    (void)snprintf(folder, sizeof(folder), "%s.backup", b->archive);
    (void)snprintf(file, sizeof(file), "%s/store/data.mdb", folder);
    (void)snprintf(copy, sizeof(copy), "cp %s %s.copy && sync %s.copy", file, file, file);
    const char *const backup[] = {
        BUILD_ROOT "/services/hoso", "backup", folder, "--cell", b->host.folder, NULL};
    const char *const plain[] = {"/bin/sh", "-c", copy, NULL};
    double rate = load(b, 0, start(backup), &seconds);
    assert_int_equal(stat(file, &st), 0);
    *out_backup = (double)st.st_size / 1e6 / seconds;
    (void)load(b, 0, start(plain), &seconds);
    *out_copy = (double)st.st_size / 1e6 / seconds;
    remove_folder(folder);
    return rate;
}

static double verify(struct bench *b)
{
    static const char *const words[] = {"verify", "--quick", NULL};
    double times[ROUNDS_MOST];
    for (size_t i = 0; i < b->rounds; i++) {
        double started = now_s();
        host_hoso(&b->host, words);
        times[i] = now_s() - started;
    }
    struct wf_counts counts = host_counts(&b->host);
    return (double)(counts.open + counts.closed) / median(times, b->rounds);
}

/* One round of each kind, one after the other. */
struct rounds {
    double plain[ROUNDS_MOST], archived[ROUNDS_MOST], watched[ROUNDS_MOST], copied[ROUNDS_MOST];
    double backup_mb[ROUNDS_MOST], copy_mb[ROUNDS_MOST];
    double watching_cpu; /* part of one processor */
};

static void take_rounds(struct bench *b, struct rounds *r)
{
    double seconds = 0;
    double cpu = cpu_of(b->metrics);
    double watched_s = 0;
    for (size_t i = 0; i < b->rounds; i++) {
        r->plain[i] = load(b, b->dossiers, 0, &seconds);
        archive_on(b);
        r->archived[i] = load(b, b->dossiers, 0, &seconds);
        archive_off(b);
        double started = now_s();
        watching_on(b);
        r->watched[i] = load(b, b->dossiers, 0, &seconds);
        stop(b->scraper, SIGKILL);
        watched_s += now_s() - started;
        r->copied[i] = with_backup(b, &r->backup_mb[i], &r->copy_mb[i]);
    }
    r->watching_cpu = (cpu_of(b->metrics) - cpu) / watched_s;
}

static void run(void **state)
{
    (void)state;
    static struct bench b;
    static struct rounds r;
    double seconds = 0;
    open_bench(&b);
    (void)load(&b, number_of("STORED", 30000), 0, &seconds);
    metrics_on(&b);
    take_rounds(&b, &r);
    stop(b.metrics, SIGTERM);
    size_t n = b.rounds;
    double archived = median_ratio(r.archived, r.plain, n);
    double watched = median_ratio(r.watched, r.plain, n);
    double copied = median_ratio(r.copied, r.plain, n);
    (void)printf("six-step dossiers/s: %.0f bare, %.0f with an archive, %.0f scraped (ratio %.2f), "
                 "%.0f during a backup\n",
                 median(r.plain, n), median(r.archived, n), median(r.watched, n), watched,
                 median(r.copied, n));
    double backup_mb = median(r.backup_mb, n);
    double copy_mb = median(r.copy_mb, n);
    (void)printf("under load: backup with its check %.0f MB/s, plain copy %.0f MB/s\n\n", backup_mb,
                 copy_mb);
    check(&b, "dossiers/s with an archive / without", archived, "", AT_LEAST, 0.6);
    check(&b, "dossiers/s during a backup / without", copied, "", AT_LEAST, 0.5);
    check(&b, "backup / 200 MB/s, or the disk's speed where it is less",
          backup_mb / (copy_mb < 200 ? copy_mb : 200), "", AT_LEAST, 1);
    check(&b, "processor time of a scrape every second", r.watching_cpu * 100, "%", AT_MOST, 1);
    host_stop_all(&b.host);
    check(&b, "verify, thousand dossiers a second", verify(&b) / 1e3, "", AT_LEAST, 100);
    if (b.missed > 0)
        (void)printf("%d goal(s) missed\n", b.missed);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run)};
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}

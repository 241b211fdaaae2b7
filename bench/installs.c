/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does installing a procedure hold up the others? Five real workers under full load, while new
 * versions of another procedure are installed; what was committed in the time from each install is
 * set beside the same time before it, in the same run. Goal: no longer stop than one batch.
 *
 *   INSTALLS=n   how many (8)       WINDOW=n   requests under way at once (500)
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/host.h"

#include "workflow/clock.h"

#define SETTINGS  "cell = \"bench\";\ncode_digits = 7;\nlog_level = \"error\";\n"
#define PROCEDURE SOURCE_ROOT "/procedures/1.004873-marital-status.cfg"
#define POINTS    (1u << 18)
#define SLICE_US  20000
#define WATCHED   300000 /* microseconds from the install, and as many before it */
#define APART     800000 /* between installs */
#define WARM_UP   1000000
#define MOST      64 /* installs */

/* Each time at which more was in the journal than before. */
struct point {
    int64_t at_us;
    uint64_t events;
};

struct watch {
    const char *folder;
    atomic_bool stop;
    struct point points[POINTS];
    size_t n;
};

struct install {
    int64_t from_us, took_us;
};

struct span {
    double events, worst_slice, longest_gap;
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = text != NULL ? strtoull(text, NULL, 10) : 0;
    return number != 0 ? number : otherwise;
}

/* ---- the load ---------------------------------------------------------------------------------
 */

static void send_one(struct wf_client *client, struct wf_arena *arena)
{
    char id[WF_REQUEST_ID_SIZE];
    struct wf_error err = {0};
    wf_arena_reset(arena);
    struct wf_msg_dossier_submit body = host_dossier(arena, "load");
    wf_client_new_id(client, id);
    assert_ok(wf_client_send(client, WF_INTAKE, WF_MSG_dossier_submit, &body, id, &err), err);
}

static void receive_one(struct wf_client *client, struct wf_arena *arena)
{
    struct wf_envelope got = {0};
    struct wf_error err = {0};
    wf_arena_reset(arena);
    assert_ok(wf_client_receive(client, 20000, arena, &got, &err), err);
    assert_int_not_equal(got.type, WF_MSG_error);
}

/* ---- installs ---------------------------------------------------------------------------------
 */

/* The procedure as it is in the folder, with another version. */
static void write_version(const struct host *host, unsigned version, char *path, size_t size)
{
    static char text[64 * 1024];
    static const char first[] = "version = 1;";
    FILE *file = fopen(PROCEDURE, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    char *at = strstr(text, first);
    assert_non_null(at);
    (void)snprintf(path, size, "%s/v%u.cfg", host->folder, version);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%.*sversion = %u;%s", (int)(at - text), text, version, at + strlen(first));
    assert_int_equal(fclose(file), 0);
}

/* Starts the command and does not wait for it. */
static pid_t start_install(const struct host *host, const char *path)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)execl(BUILD_ROOT "/services/hoso", "hoso", "procedure", "install", path, "--cell",
                    host->folder, "--by", "bench", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void load(const struct host *host, struct install *installs, size_t n)
{
    struct wf_client *client = NULL;
    struct wf_error err = {0};
    struct wf_arena *arena = wf_arena_new(0);
    uint64_t window = number_of("WINDOW", 500);
    uint64_t under_way = 0;
    pid_t pid = 0;
    char path[192];
    assert_ok(wf_client_open(host->run, NULL, &client, &err), err);
    write_version(host, 2, path, sizeof(path));
    int64_t next = wf_monotonic_us() + WARM_UP;
    for (size_t i = 0; i < n || wf_monotonic_us() < next;) {
        for (; under_way < window; under_way++)
            send_one(client, arena);
        receive_one(client, arena);
        under_way--;
        int status = 0;
        if (pid == 0 && i < n && wf_monotonic_us() >= next) {
            installs[i].from_us = wf_monotonic_us();
            pid = start_install(host, path);
        } else if (pid != 0 && waitpid(pid, &status, WNOHANG) == pid) {
            assert_int_equal(status, 0);
            installs[i].took_us = wf_monotonic_us() - installs[i].from_us;
            next = installs[i++].from_us + APART;
            write_version(host, 2 + (unsigned)i, path, sizeof(path));
            pid = 0;
        }
    }
    for (; under_way > 0; under_way--)
        receive_one(client, arena);
    wf_client_close(client);
    wf_arena_free(arena);
}

/* ---- what was committed -----------------------------------------------------------------------
 */

static void *watch_store(void *context)
{
    struct watch *watch = context;
    struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    struct wf_error err = {0};
    if (wf_store_open(watch->folder, &options, &store, &err) < 0)
        return NULL;
    while (!atomic_load(&watch->stop) && watch->n < POINTS) {
        struct wf_txn *txn = NULL;
        if (wf_txn_begin(store, false, &txn, &err) < 0)
            break;
        uint64_t events = wf_txn_counts(txn)->journal_seq;
        wf_txn_abort(txn);
        if (watch->n == 0 || watch->points[watch->n - 1].events != events)
            watch->points[watch->n++] =
                (struct point){.at_us = wf_monotonic_us(), .events = events};
        (void)usleep(100);
    }
    wf_store_close(store);
    return NULL;
}

static double most_of(double a, double b)
{
    return a > b ? a : b;
}

/* A gap counts where it ends. */
static struct span span_of(const struct watch *watch, int64_t from_us)
{
    double slices[WATCHED / SLICE_US] = {0};
    struct span span = {0};
    for (size_t i = 1; i < watch->n; i++) {
        const struct point *p = &watch->points[i];
        int64_t at = p->at_us - from_us;
        if (at < 0 || at >= WATCHED)
            continue;
        double events = (double)(p->events - p[-1].events);
        slices[at / SLICE_US] += events;
        span.events += events;
        span.longest_gap = most_of(span.longest_gap, (double)(p->at_us - p[-1].at_us) / 1e3);
    }
    span.worst_slice = slices[0];
    for (size_t i = 1; i < WATCHED / SLICE_US; i++)
        span.worst_slice = slices[i] < span.worst_slice ? slices[i] : span.worst_slice;
    return span;
}

/* ---- the report -------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_size);
    return values[n / 2];
}

static double median_of(const struct span *spans, size_t n, size_t offset)
{
    double values[MOST];
    for (size_t i = 0; i < n; i++)
        memcpy(&values[i], (const char *)&spans[i] + offset, sizeof(*values));
    return median(values, n);
}

static void line(const char *what, double before, double from, const char *unit)
{
    (void)printf("%-58s %8.2f %-4s before it %.2f\n", what, from, unit, before);
}

static void goal(const char *what, double value, bool at_least, double goal)
{
    bool met = at_least ? value >= goal : value <= goal;
    (void)printf("%-58s %8.2f      goal %s %g%s\n", what, value, at_least ? ">=" : "<=", goal,
                 met ? "" : "   MISSED");
}

static void report(const struct watch *watch, const struct install *installs, size_t n)
{
    struct span before[MOST];
    struct span from[MOST];
    double took[MOST];
    for (size_t i = 0; i < n; i++) {
        took[i] = (double)installs[i].took_us / 1e3;
        before[i] = span_of(watch, installs[i].from_us - WATCHED);
        from[i] = span_of(watch, installs[i].from_us);
    }
#define MEDIAN(spans, member) median_of(spans, n, offsetof(struct span, member))
    double events = MEDIAN(before, events);
    double gap = MEDIAN(before, longest_gap);
    (void)printf("medians of %zu installs under load; the command took %.0f ms; 20 ms usually "
                 "take %.0f transitions\n",
                 n, median(took, n), events / WATCHED * SLICE_US);
    line("transitions/s in the 300 ms from an install", events / WATCHED * 1e6,
         MEDIAN(from, events) / WATCHED * 1e6, "");
    line("transitions in the worst 20 ms of them", MEDIAN(before, worst_slice),
         MEDIAN(from, worst_slice), "");
    line("longest gap between two commits", gap, MEDIAN(from, longest_gap), "ms");
    goal("longest gap from an install / before it", MEDIAN(from, longest_gap) / gap, false, 2.0);
    goal("transitions from an install / before it", MEDIAN(from, events) / events, true, 0.8);
#undef MEDIAN
}

static void run(void **state)
{
    (void)state;
    static struct watch watch;
    static struct install installs[MOST];
    struct host host;
    pthread_t thread;
    uint64_t n = number_of("INSTALLS", 8);
    n = n < MOST ? n : MOST;
    host_new(&host, NULL, SETTINGS);
    host_start_all(&host);
    watch.folder = host.store;
    assert_int_equal(pthread_create(&thread, NULL, watch_store, &watch), 0);
    load(&host, installs, n);
    atomic_store(&watch.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_in_range(watch.n, 100, POINTS - 1);
    report(&watch, installs, n);
    host_stop_all(&host);
    host_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run)};
    return cmocka_run_group_tests_name("installs", tests, NULL, NULL);
}

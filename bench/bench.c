/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All figures in one run, on one disk: five real workers under load, one dossier alone, cold start,
 * memory, bytes; and beside each the floor (floor.h) where there is one. Run by scripts/bench.
 *
 * Rounds of the workers and of the floor follow each other and are compared pair by pair, so that
 * what else the machine does weighs on both.
 *
 *   DOSSIERS=n   of a saturated round (10,000)       WINDOW=n   requests under way at once (500)
 *   ROUNDS=n     of workers and floor (5)
 *   STORED=n     fills the store with n more and measures once more how fast it then is
 *   ALONE=n      dossiers of the quiet run (40); with ONLY=alone nothing else is measured
 */
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "support/host.h"

#include "figure.h"
#include "floor.h"
#include "workflow/service.h"

#define ALONE_MOST  1000
#define COLD        9 /* cold starts */
#define ROUNDS_MOST 50
#define SETTINGS    "cell = \"bench\";\ncode_digits = 7;\nlog_level = \"error\";\n"

struct bench {
    struct host host;
    struct wf_client *client;
    struct wf_board *board;
    struct wf_store *store;
    struct wf_arena *arena;
    char note[600];
    uint64_t dossiers, window;
    struct floor_sizes sizes;
};

struct load {
    double seconds;
    uint64_t events, commits, messages;
    unsigned batch[WF_SERVICE_COUNT];
    double memory_mb;
    double workers_cpu, client_cpu; /* seconds */
};

/* ---- the cell ---------------------------------------------------------------------------------
 */

static struct wf_counts counts_of(struct bench *bench)
{
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    assert_ok(wf_txn_begin(bench->store, false, &txn, &err), err);
    struct wf_counts counts = *wf_txn_counts(txn);
    wf_txn_abort(txn);
    return counts;
}

static void wait_closed(struct bench *bench, uint64_t closed)
{
    while (counts_of(bench).closed < closed)
        (void)usleep(20);
}

static void send_one(struct bench *bench)
{
    char id[WF_REQUEST_ID_SIZE];
    struct wf_error err = {0};
    wf_arena_reset(bench->arena);
    struct wf_msg_dossier_submit body = host_dossier(bench->arena, bench->note);
    wf_client_new_id(bench->client, id);
    assert_ok(wf_client_send(bench->client, WF_INTAKE, WF_MSG_dossier_submit, &body, id, &err),
              err);
}

static void receive_one(struct bench *bench)
{
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    wf_arena_reset(bench->arena);
    assert_ok(wf_client_receive(bench->client, 20000, bench->arena, &answer, &err), err);
    if (answer.type == WF_MSG_error)
        fail_msg("refused: %s", ((const struct wf_msg_error *)answer.body)->message.ptr);
}

static void open_bench(struct bench *bench)
{
    struct wf_store_options options = {.read_only = true};
    struct wf_error err = {0};
    memset(bench, 0, sizeof(*bench));
    memset(bench->note, 'n', 520); /* with the other field: content of 600 bytes */
    bench->dossiers = number_of("DOSSIERS", 10000);
    bench->window = number_of("WINDOW", 500);
    bench->arena = wf_arena_new(0);
    host_new(&bench->host, NULL, SETTINGS);
    host_start_all(&bench->host);
    assert_ok(wf_client_open(bench->host.run, NULL, &bench->client, &err), err);
    assert_ok(wf_board_open(bench->host.run, &bench->board, &err), err);
    assert_ok(wf_store_open(bench->host.store, &options, &bench->store, &err), err);
}

static void close_bench(struct bench *bench)
{
    wf_store_close(bench->store);
    wf_board_close(bench->board);
    wf_client_close(bench->client);
    host_stop_all(&bench->host);
    wf_arena_free(bench->arena);
    host_close(&bench->host);
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/* Proportional set size in KiB without what is only the store's pages in the page cache. */
static double memory_of(pid_t pid)
{
    char path[64];
    char line[512];
    double total = 0;
    bool is_store = false;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        double kib = 0;
        if (sscanf(line, "Pss: %lf kB", &kib) == 1)
            total += is_store ? 0 : kib;
        else if (strstr(line, " kB") == NULL && strncmp(line, "VmFlags", 7) != 0)
            is_store = strstr(line, "/store/") != NULL;
    }
    if (file != NULL)
        (void)fclose(file);
    return total;
}

static double memory_of_all(struct bench *bench)
{
    double kib = 0;
    for (int s = 0; s < WF_SERVICE_COUNT; s++)
        kib += memory_of(bench->host.pids[s]);
    return kib / 1024;
}

/* ---- processor time ---------------------------------------------------------------------------
 */

static double cpu_of(pid_t pid)
{
    char path[64];
    unsigned long user = 0;
    unsigned long system = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    int n =
        fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    (void)fclose(file);
    return n == 2 ? (double)(user + system) / (double)sysconf(_SC_CLK_TCK) : 0;
}

static double cpu_of_all(struct bench *bench)
{
    double cpu = 0;
    for (int s = 0; s < WF_SERVICE_COUNT; s++)
        cpu += cpu_of(bench->host.pids[s]);
    return cpu;
}

/* ---- runs -------------------------------------------------------------------------------------
 */

struct tally {
    uint64_t commits[WF_SERVICE_COUNT], work[WF_SERVICE_COUNT];
};

static struct tally tally_of(struct bench *bench)
{
    struct tally tally = {0};
    for (int s = 0; s < WF_SERVICE_COUNT; s++) {
        const struct wf_board_slot *slot = wf_board_slot(bench->board, (enum wf_service)s);
        tally.commits[s] = (uint64_t)slot->commits;
        tally.work[s] = (uint64_t)(s == WF_INTAKE ? slot->messages : slot->items);
    }
    return tally;
}

static struct load saturate(struct bench *bench)
{
    struct load load = {0};
    struct wf_counts before = counts_of(bench);
    struct tally from = tally_of(bench);
    double cpu = cpu_of_all(bench);
    double own_cpu = cpu_of(getpid());
    double started = now_s();
    for (uint64_t sent = 0, received = 0; received < bench->dossiers;) {
        while (sent < bench->dossiers && sent - received < bench->window) {
            send_one(bench);
            sent++;
        }
        receive_one(bench);
        received++;
        if (received == bench->dossiers / 2)
            load.memory_mb = memory_of_all(bench);
    }
    wait_closed(bench, before.closed + bench->dossiers);
    load.seconds = now_s() - started;
    load.workers_cpu = cpu_of_all(bench) - cpu;
    load.client_cpu = cpu_of(getpid()) - own_cpu;
    struct tally to = tally_of(bench);
    load.events = counts_of(bench).journal_seq - before.journal_seq;
    for (int s = 0; s < WF_SERVICE_COUNT; s++) {
        uint64_t commits = to.commits[s] - from.commits[s];
        uint64_t work = to.work[s] - from.work[s];
        load.commits += commits;
        load.messages += work;
        load.batch[s] = (unsigned)(commits > 0 ? (work + commits / 2) / commits : 1);
        load.batch[s] = load.batch[s] > 0 ? load.batch[s] : 1;
    }
    return load;
}

/* The floor with as many dossiers as the store has: its trees are as deep, its free pages lie as
 * scattered. */
static struct floor *open_floor(struct bench *bench, const struct load *load)
{
    struct floor *floor = floor_open(bench->host.folder, &bench->sizes);
    assert_non_null(floor);
    assert_true(floor_saturated(floor, bench->dossiers, load->batch, true) > 0);
    return floor;
}

/* From the request to the closed dossier, nothing else going on, and six commits of the floor, in
 * turns: seconds, medians of many. Whoever watches sleeps as long as the end cannot have come: on
 * two cores looking all the time costs the dossier a sixth of what is measured. */
static void alone(struct bench *bench, struct floor *floor, double *out_alone, double *out_floor)
{
    double times[ALONE_MOST];
    double six[ALONE_MOST];
    double bare[ALONE_MOST];
    size_t n = number_of("ALONE", 40);
    n = n < ALONE_MOST ? n : ALONE_MOST;
    struct tally from = tally_of(bench);
    double cpu = cpu_of_all(bench);
    double shortest = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t closed = counts_of(bench).closed;
        sleep_ms(20);
        double started = now_s();
        send_one(bench);
        (void)usleep((useconds_t)(shortest * 0.8e6));
        wait_closed(bench, closed + 1);
        times[i] = now_s() - started;
        shortest = shortest == 0 || times[i] < shortest ? times[i] : shortest;
        receive_one(bench);
        six[i] = floor_six_commits(floor, true);
        bare[i] = floor_six_commits(floor, false);
    }
    struct tally to = tally_of(bench);
    uint64_t commits = 0;
    for (int s = 0; s < WF_SERVICE_COUNT; s++)
        commits += to.commits[s] - from.commits[s];
    *out_alone = median(times, n);
    *out_floor = median(six, n);
    (void)printf("alone: %.2f ms (quickest tenth %.2f), %.1f commits and %.2f ms of processor time "
                 "a dossier\n",
                 *out_alone * 1e3, quantile(times, n, 0.1) * 1e3, (double)commits / (double)n,
                 (cpu_of_all(bench) - cpu) / (double)n * 1e3);
    (void)printf(
        "six commits of the floor: %.2f ms (%.2f), bare floor %.2f ms (%.2f; ratio %.2f)\n",
        *out_floor * 1e3, quantile(six, n, 0.1) * 1e3, median(bare, n) * 1e3,
        quantile(bare, n, 0.1) * 1e3, *out_alone / median(bare, n));
}

/* From fork to the first answer of intake, in seconds. */
static double cold_start(struct bench *bench)
{
    double times[COLD];
    for (size_t i = 0; i < COLD; i++) {
        struct wf_msg_health health = {0};
        struct wf_envelope answer = {0};
        struct wf_error err = {0};
        assert_int_equal(host_stop(&bench->host, WF_INTAKE, SIGTERM), 0);
        double started = now_s();
        assert_true(host_start(&bench->host, WF_INTAKE, NULL, NULL));
        assert_ok(wf_client_call(bench->client, WF_INTAKE, WF_MSG_health, &health, bench->arena,
                                 &answer, &err),
                  err);
        times[i] = now_s() - started;
    }
    return median(times, COLD);
}

/* ---- sizes of real records --------------------------------------------------------------------
 */

static size_t packed(enum wf_record kind, const void *record)
{
    struct wf_buf buf = {0};
    assert_int_equal(wf_record_pack(kind, record, &buf, NULL), 0);
    size_t length = buf.len;
    wf_buf_fini(&buf);
    return length;
}

/* Of a closed six-step dossier: its rows, the mean of its events; a queue row as is usual. */
static void measure_records(struct bench *bench)
{
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    struct wf_rec_dossier dossier;
    struct wf_rec_content content;
    struct wf_arena *arena = wf_arena_new(0);
    assert_ok(wf_txn_begin(bench->store, false, &txn, &err), err);
    uint64_t head = wf_txn_counts(txn)->journal_seq;
    uint64_t id = wf_txn_counts(txn)->dossier_id;
    assert_ok(wf_dossier_get(txn, id, arena, &dossier, &err), err);
    assert_ok(wf_content_get(txn, id, arena, &content, &err), err);
    bench->sizes.dossier = packed(WF_REC_dossier, &dossier);
    bench->sizes.content = packed(WF_REC_content, &content);
    for (uint64_t seq = head - 69; seq <= head; seq++) {
        struct wf_rec_event event;
        uint8_t hash[32];
        assert_ok(wf_journal_get(txn, seq, arena, &event, hash, &err), err);
        bench->sizes.event += packed(WF_REC_event, &event) + sizeof(hash);
    }
    bench->sizes.event /= 70;
    bench->sizes.queue = 90;
    bench->sizes.request = 250;
    wf_txn_abort(txn);
    wf_arena_free(arena);
}

/* ---- the report -------------------------------------------------------------------------------
 */

static int missed;

static void line(const char *what, double value, const char *unit, enum goal kind, double goal)
{
    missed += !figure(what, value, unit, kind, goal);
}

static double bytes_used(struct bench *bench)
{
    struct wf_store_space space;
    struct wf_error err = {0};
    assert_ok(wf_store_space(bench->store, &space, &err), err);
    return (double)space.used_bytes;
}

/* How much of the speed is left when very many are stored; 0 = not asked for. */
static double with_many_stored(struct bench *bench, const struct load *few)
{
    uint64_t dossiers = bench->dossiers;
    uint64_t stored = number_of("STORED", 0);
    if (stored == 0)
        return 0;
    bench->dossiers = stored;
    (void)saturate(bench);
    bench->dossiers = dossiers;
    struct load many = saturate(bench);
    return few->seconds / many.seconds;
}

/* Transitions a second of workers, floor and bare floor, round by round. */
struct rates {
    double workers[ROUNDS_MOST], floor[ROUNDS_MOST], bare[ROUNDS_MOST];
    size_t n;
};

static void take_rounds(struct bench *bench, struct floor *floor, struct load *load,
                        struct rates *rates)
{
    rates->n = number_of("ROUNDS", 5) % ROUNDS_MOST;
    for (size_t i = 0; i < rates->n; i++) {
        *load = saturate(bench);
        double with_lists = floor_saturated(floor, bench->dossiers, load->batch, true);
        double bare = floor_saturated(floor, bench->dossiers, load->batch, false);
        assert_true(bare > 0 && with_lists > 0);
        rates->workers[i] = (double)load->events / load->seconds;
        rates->floor[i] = (double)load->events / with_lists;
        rates->bare[i] = (double)load->events / bare;
    }
}

static void report_alone(double single, double floor_six)
{
    line("one dossier alone / six durable commits of the floor", single / floor_six, "", AT_MOST,
         1.5);
}

/* A few hundred dossiers for the sizes of records, then one at a time. */
static void run_alone(void **state)
{
    (void)state;
    static struct bench bench;
    double single = 0;
    double floor_six = 0;
    open_bench(&bench);
    bench.dossiers = 300;
    struct load load = saturate(&bench);
    measure_records(&bench);
    struct floor *floor = open_floor(&bench, &load);
    alone(&bench, floor, &single, &floor_six);
    floor_close(floor);
    report_alone(single, floor_six);
    close_bench(&bench);
}

static void run(void **state)
{
    (void)state;
    static struct bench bench;
    static struct rates rates;
    double single = 0;
    double floor_six = 0;
    open_bench(&bench);
    double bytes = bytes_used(&bench);
    struct load few = saturate(&bench);
    struct load load = few;
    bytes = (bytes_used(&bench) - bytes) / (double)bench.dossiers;
    measure_records(&bench);
    struct floor *floor = open_floor(&bench, &few);
    alone(&bench, floor, &single, &floor_six);
    take_rounds(&bench, floor, &load, &rates);
    floor_close(floor);
    double slower = with_many_stored(&bench, &few);
    double cold = cold_start(&bench);

    double to_floor = median_ratio(rates.workers, rates.floor, rates.n);
    double to_bare = median_ratio(rates.workers, rates.bare, rates.n);
    double rate = median(rates.workers, rates.n);
    double floor_rate = median(rates.floor, rates.n);
    double bare_rate = median(rates.bare, rates.n);
    (void)printf("%llu six-step dossiers of %zu B content, %llu transitions in %.2f s; records: "
                 "dossier %zu B, event %zu B\n",
                 (unsigned long long)bench.dossiers, bench.sizes.content,
                 (unsigned long long)load.events, load.seconds, bench.sizes.dossier,
                 bench.sizes.event);
    (void)printf("batch by service:");
    for (int s = 0; s < WF_SERVICE_COUNT; s++)
        (void)printf(" %s %u", wf_service_word((enum wf_service)s), load.batch[s]);
    (void)printf("\nsaturated: %.0f transitions/s, floor %.0f, bare floor %.0f (ratio %.2f)\n",
                 rate, floor_rate, bare_rate, to_bare);
    (void)printf(
        "processor: workers %.1f us a transition, client %.1f us; busy %.0f %% of %ld\n\n",
        load.workers_cpu / (double)load.events * 1e6, load.client_cpu / (double)load.events * 1e6,
        (load.workers_cpu + load.client_cpu) / load.seconds * 100, sysconf(_SC_NPROCESSORS_ONLN));
    line("saturated transitions/s, five services, / floor", to_floor, "", AT_LEAST, 0.6);
    report_alone(single, floor_six);
    line("commits per message under load", (double)load.commits / (double)load.messages, "",
         AT_MOST, 0.1);
    if (slower > 0)
        line("transitions/s with STORED dossiers / with few", slower, "", AT_LEAST, 0.8);
    line("memory of the five services under load, no page cache", load.memory_mb, "MB", AT_MOST,
         100);
    line("cold start to first reply", cold * 1e3, "ms", AT_MOST, 100);
    line("bytes on disk per closed six-step dossier of 600 B", bytes / 1024, "KB", AT_MOST, 4);
    close_bench(&bench);
}

int main(void)
{
    const char *only = getenv("ONLY");
    bool is_alone = only != NULL && strcmp(only, "alone") == 0;
    const struct CMUnitTest tests[] = {is_alone ? (struct CMUnitTest)cmocka_unit_test(run_alone)
                                                : (struct CMUnitTest)cmocka_unit_test(run)};
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int failed = cmocka_run_group_tests_name("bench", tests, NULL, NULL);
    if (failed == 0 && missed > 0)
        (void)printf("%d goal(s) missed\n", missed);
    return failed;
}

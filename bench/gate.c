/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ways in from other hosts cost: the same party submits at the worker's own socket, through
 * the gate with CURVE and through the HTTP bridge, in turns, in one cell; then the gate alone and
 * with very many parties connected.
 *
 *   ALONE=n      submits one at a time, on each way (100)
 *   DOSSIERS=n   in a round of the saturated runs (2000)     ROUNDS=n   of each kind (5)
 *   PARTIES=n    that are connected and silent (2000)        WORKING=n  submits in a round (300)
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"
#include "figure.h"
#include "web.h"

#define WINDOW        200 /* requests under way; a party may have 256 at the gate */
#define BRIDGE_WINDOW 60  /* likewise; 64 at the bridge */
#define ROUNDS_MOST   20
#define SAMPLES_MOST  20000
#define PATIENCE_MS   20000

struct bench {
    struct gated g;
    struct wf_arena *arena;
    struct wf_store *store;
    struct wf_client *direct, *gate;
    struct web *web;
    pid_t bridge;
    char note[521];
    uint64_t dossiers, closed;
    size_t rounds;
    int missed;
};

static void check(struct bench *b, const char *what, double value, const char *unit, enum goal kind,
                  double goal)
{
    b->missed += !figure(what, value, unit, kind, goal);
}

/* ---- the cell and the ways into it ------------------------------------------------------------- */

static void new_token(const struct bench *b, char *out, size_t size)
{
    char command[400];
    (void)snprintf(command, sizeof(command),
                   BUILD_ROOT "/services/hoso party token counter-a --cell %s 2>/dev/null",
                   b->g.host.folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(out, (int)size, pipe));
    assert_int_equal(pclose(pipe), 0);
    out[strcspn(out, "\n")] = '\0';
}

static void start_bridge(struct bench *b, const char *token)
{
    char config[200];
    char place[40];
    char ready[8];
    int fds[2];
    unsigned port = host_free_port();
    (void)snprintf(config, sizeof(config), "%s/hoso.cfg", b->g.host.folder);
    (void)snprintf(place, sizeof(place), "127.0.0.1:%u", port);
    assert_int_equal(pipe(fds), 0);
    b->bridge = fork();
    assert_true(b->bridge >= 0);
    if (b->bridge == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)!freopen("/dev/null", "w", stderr);
        (void)execl(BUILD_ROOT "/services/hoso-bridge", "hoso-bridge", "--config", config,
                    "--listen", place, "--ready-fd", "1", (char *)NULL);
        _exit(127);
    }
    (void)close(fds[1]);
    assert_true(read(fds[0], ready, sizeof(ready)) > 0);
    (void)close(fds[0]);
    b->web = web_open(port, token, b->note, BRIDGE_WINDOW);
    assert_non_null(b->web);
}

static void open_bench(struct bench *b)
{
    const struct wf_store_options reading = {.read_only = true};
    const struct wf_client_options as_party = {.party = "counter-a"};
    struct wf_error err = {0};
    char token[128];
    memset(b, 0, sizeof(*b));
    memset(b->note, 'n', sizeof(b->note) - 1);
    b->dossiers = number_of("DOSSIERS", 2000);
    b->rounds = number_of("ROUNDS", 5) % ROUNDS_MOST;
    b->arena = wf_arena_new(0);
    gated_new(&b->g, "gate_connections = 5000;\ngate_pending = 10000;\n");
    gated_party(&b->g, "counter-a", COUNTER_SITE, 1000000);
    b->gate = gated_open(&b->g, "counter-a");
    assert_ok(wf_client_open(b->g.host.run, &as_party, &b->direct, &err), err);
    assert_ok(wf_store_open(b->g.host.store, &reading, &b->store, &err), err);
    new_token(b, token, sizeof(token));
    start_bridge(b, token);
    sleep_ms(1200); /* the registry is read once a second */
}

static void close_bench(struct bench *b)
{
    int status = 0;
    web_close(b->web);
    assert_int_equal(kill(b->bridge, SIGTERM), 0);
    assert_int_equal(waitpid(b->bridge, &status, 0), b->bridge);
    wf_store_close(b->store);
    wf_client_close(b->direct);
    wf_client_close(b->gate);
    wf_arena_free(b->arena);
    gated_close(&b->g);
}

/* ---- submits ----------------------------------------------------------------------------------- */

static uint64_t closed_now(struct bench *b)
{
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    assert_ok(wf_txn_begin(b->store, false, &txn, &err), err);
    uint64_t closed = wf_txn_counts(txn)->closed;
    wf_txn_abort(txn);
    return closed;
}

/* Until nothing is left to do, so that no round pays for the one before it. */
static void settle(struct bench *b, uint64_t submitted)
{
    b->closed += submitted;
    while (closed_now(b) < b->closed)
        (void)usleep(50);
}

static void send_one(struct bench *b, struct wf_client *client)
{
    char id[WF_REQUEST_ID_SIZE];
    struct wf_error err = {0};
    wf_arena_reset(b->arena);
    struct wf_msg_dossier_submit body = host_dossier(b->arena, b->note);
    wf_client_new_id(client, id);
    assert_ok(wf_client_send(client, WF_INTAKE, WF_MSG_dossier_submit, &body, id, &err), err);
}

static void receive_one(struct bench *b, struct wf_client *client)
{
    struct wf_envelope got = {0};
    struct wf_error err = {0};
    wf_arena_reset(b->arena);
    assert_ok(wf_client_receive(client, PATIENCE_MS, b->arena, &got, &err), err);
    if (got.type == WF_MSG_error)
        fail_msg("refused: %s", ((const struct wf_msg_error *)got.body)->message.ptr);
}

static double submit_one(struct bench *b, struct wf_client *client)
{
    double started = now_s();
    send_one(b, client);
    receive_one(b, client);
    return now_s() - started;
}

/* Acknowledged submits a second. */
static double saturate(struct bench *b, struct wf_client *client, uint64_t window)
{
    double started = now_s();
    for (uint64_t sent = 0, received = 0; received < b->dossiers; received++) {
        for (; sent < b->dossiers && sent - received < window; sent++)
            send_one(b, client);
        receive_one(b, client);
    }
    double seconds = now_s() - started;
    settle(b, b->dossiers);
    return (double)b->dossiers / seconds;
}

static double saturate_bridge(struct bench *b)
{
    double seconds = web_submit(b->web, b->dossiers);
    assert_true(seconds > 0);
    settle(b, b->dossiers);
    return (double)b->dossiers / seconds;
}

/* ---- figures ----------------------------------------------------------------------------------- */

static void one_at_a_time(struct bench *b)
{
    static double direct[SAMPLES_MOST];
    static double gate[SAMPLES_MOST];
    size_t n = number_of("ALONE", 100) % SAMPLES_MOST;
    for (size_t i = 0; i < n; i++) {
        direct[i] = submit_one(b, b->direct);
        settle(b, 1);
        gate[i] = submit_one(b, b->gate);
        settle(b, 1);
    }
    double at_socket = median(direct, n);
    double at_gate = median(gate, n);
    (void)printf("one submit at a time: %.2f ms at the worker's socket, %.2f ms through the gate\n",
                 at_socket * 1e3, at_gate * 1e3);
    check(b, "acknowledgement through the gate / at the socket", at_gate / at_socket, "", AT_MOST,
          2);
}

static void saturated(struct bench *b)
{
    double direct[ROUNDS_MOST];
    double gate[ROUNDS_MOST];
    double narrow[ROUNDS_MOST];
    double bridge[ROUNDS_MOST];
    for (size_t i = 0; i < b->rounds; i++) {
        direct[i] = saturate(b, b->direct, WINDOW);
        gate[i] = saturate(b, b->gate, WINDOW);
        narrow[i] = saturate(b, b->gate, BRIDGE_WINDOW);
        bridge[i] = saturate_bridge(b);
    }
    double to_direct = median_ratio(gate, direct, b->rounds);
    double to_gate = median_ratio(bridge, narrow, b->rounds);
    (void)printf("submits/s: %.0f at the socket, %.0f through the gate; %u at once: %.0f gate, "
                 "%.0f bridge\n",
                 median(direct, b->rounds), median(gate, b->rounds), BRIDGE_WINDOW,
                 median(narrow, b->rounds), median(bridge, b->rounds));
    check(b, "submits/s through the gate / at the socket", to_direct, "", AT_LEAST, 0.7);
    check(b, "submits/s through the bridge / through the gate", to_gate, "", AT_LEAST, 0.5);
}

/* Proportional set size of the gate, MB. */
static double gate_memory(const struct bench *b)
{
    char path[64];
    char text[256];
    double kib = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)b->g.host.gate);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (kib <= 0 && fgets(text, sizeof(text), file) != NULL)
        (void)sscanf(text, "Pss: %lf kB", &kib);
    (void)fclose(file);
    return kib / 1024;
}

static size_t work(struct bench *b, double *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        samples[i] = submit_one(b, b->gate);
    settle(b, n);
    return n;
}

static void with_many_parties(struct bench *b)
{
    static double few[SAMPLES_MOST];
    static double many[SAMPLES_MOST];
    size_t parties = number_of("PARTIES", 2000);
    size_t each = number_of("WORKING", 300) % (SAMPLES_MOST / ROUNDS_MOST);
    size_t n = 0;
    double most = 0;
    double before = gate_memory(b);
    struct crowd *crowd = crowd_new(&b->g, parties);
    assert_non_null(crowd);
    sleep_ms(2500); /* all have read the registry */
    for (size_t round = 0; round < b->rounds; round++) {
        (void)work(b, few + n, each);
        assert_true(crowd_come(crowd, &b->g));
        double memory = gate_memory(b);
        most = memory > most ? memory : most;
        n += work(b, many + n, each);
        crowd_go(crowd);
        sleep_ms(1500); /* the gate looks once a second who has gone */
    }
    crowd_free(crowd);
    double alone = quantile(few, n, 0.99);
    double beside = quantile(many, n, 0.99);
    (void)printf("0.99 of %zu submits: within %.2f ms alone, %.2f ms beside %zu connected parties "
                 "(median %.2f, %.2f)\n",
                 n, alone * 1e3, beside * 1e3, parties, median(few, n) * 1e3,
                 median(many, n) * 1e3);
    check(b, "memory that the connected parties cost the gate", most - before, "MB", AT_MOST, 100);
    check(b, "a working party's p99 beside them / without them", beside / alone, "", AT_MOST, 2);
}

static void run(void **state)
{
    static struct bench b;
    (void)state;
    open_bench(&b);
    (void)saturate(&b, b.direct, WINDOW); /* warm-up */
    one_at_a_time(&b);
    saturated(&b);
    with_many_parties(&b);
    if (b.missed > 0)
        (void)printf("%d goal(s) missed\n", b.missed);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run)};
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every named fault point that a running worker passes, in every worker: it dies there, is started
 * again, and nothing is lost or done twice. Only in builds with -Dfault_injection=true.
 */
#include "support/test.h"

#include <signal.h>

#include "support/audit.h"

#if defined(WF_FAULT_INJECTION)

#define DOSSIERS 6
#define DIED     99 /* the exit code of a fault point */
#define SETTINGS                                                                                   \
    "cell = \"faults\";\ncode_digits = 7;\nlog_level = \"error\";\nsweep_ms = \"50 ms\";\n"

static const char *const points[] = {"service.receive",   "service.speak", "store.begin",
                                     "store.put",         "store.del",     "store.commit.before",
                                     "store.commit.after"};
/* At the first passage, and deeper in the work. */
static const unsigned passages[] = {1, 2, 3};

struct
try {
    struct host *host;
    struct wf_client *client;
    struct acknowledged acks[1000];
    size_t n;
    unsigned deaths;
};

/* Sent without waiting: the worker may die over them, or be dead already. */
static void send_some(struct try *try)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_error err = {0};
    int rc = 0;
    for (size_t i = 0; i < DOSSIERS; i++) {
        struct acknowledged *ack = &try->acks[try->n + i];
        wf_client_new_id(try->client, ack->id);
        (void)snprintf(ack->note, sizeof(ack->note), "dossier %zu", try->n + i);
        struct wf_msg_dossier_submit body = host_dossier(arena, ack->note);
        if (rc == 0)
            rc =
                wf_client_send(try->client, WF_INTAKE, WF_MSG_dossier_submit, &body, ack->id, &err);
    }
    wf_arena_free(arena);
}

/* Then asked for again under the same ids until each is acknowledged. */
static void see_through(struct try *try)
{
    struct wf_error err = {0};
    for (size_t i = 0; i < DOSSIERS; i++) {
        struct acknowledged *ack = &try->acks[try->n + i];
        assert_ok(host_submit(try->client, ack->id, ack->note, 20000, ack->code, &err), err);
    }
    try->n += DOSSIERS;
}

static bool died_in_time(struct try *try, enum wf_service victim, int *code)
{
    for (int waited = 0; waited < 1000; waited += 5) {
        if (host_has_ended(try->host, victim, code))
            return true;
        sleep_ms(5);
    }
    return false;
}

static void die_at(struct try *try, enum wf_service victim, const char *point, unsigned passage)
{
    char faults[64];
    int code = 0;
    (void)snprintf(faults, sizeof(faults), "%s:%u=exit", point, passage);
    assert_int_equal(host_stop(try->host, victim, SIGTERM), 0);
    bool lives = host_start(try->host, victim, faults, &code);
    if (!lives) /* it died on its way up: nobody there to send to */
        assert_true(host_start(try->host, victim, NULL, NULL));
    send_some(try);
    bool died = !lives || died_in_time(try, victim, &code);
    if (died)
        assert_int_equal(code, DIED);
    else
        (void)host_stop(try->host, victim, SIGKILL);
    try->deaths += died;
    if (lives)
        assert_true(host_start(try->host, victim, NULL, NULL));
    see_through(try);
    if (!host_settle(try->host, 20000))
        fail_msg("stuck after %s in %s", faults, wf_service_word(victim));
}

static void a_crash_at_any_fault_point_loses_and_doubles_nothing(void **state)
{
    (void)state;
    static struct host host;
    static struct try try;
    struct wf_client_options options = {.timeout_ms = 1000, .retry_ms = 100};
    struct wf_error err = {0};
    unsigned runs = 0;
    try.host = &host;
    host_new(&host, NULL, SETTINGS);
    host_start_all(&host);
    assert_ok(wf_client_open(host.run, &options, &try.client, &err), err);
    for (size_t p = 0; p < WF_COUNT(points); p++) {
        for (int s = 0; s < WF_SERVICE_COUNT; s++, runs++)
            die_at(&try, (enum wf_service)s, points[p],
                   passages[(p + (size_t)s) % WF_COUNT(passages)]);
    }
    wf_client_close(try.client);
    host_stop_all(&host);
    audit(&host, try.acks, try.n);
    print_message("%u crashes in %u runs, %zu dossiers\n", try.deaths, runs, try.n);
    assert_true(try.deaths > runs / 2); /* else the points are not where work passes */
    host_close(&host);
}

#else

static void a_crash_at_any_fault_point_loses_and_doubles_nothing(void **state)
{
    (void)state;
    print_message("built without -Dfault_injection=true\n");
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_at_any_fault_point_loses_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers are killed at random moments while counters file dossiers and a desk works on tasks. What
 * was acknowledged must be there, once, whole, and brought to its end. SEED=n repeats the choice of
 * victims (not the moment's exact instruction), TORTURE=n makes it n times as long.
 */
#include "support/test.h"

#include <signal.h>

#include "support/load.h"

#define KILLS    100
#define COUNTERS 2
#define SETTINGS                                                                                   \
    "cell = \"torture\";\ncode_digits = 7;\nlog_level = \"error\";\nsweep_ms = \"100 ms\";\n"

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = text != NULL ? strtoull(text, NULL, 10) : otherwise;
    return number != 0 ? number : otherwise;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void kill_and_restart(struct host *host, uint64_t *random)
{
    enum wf_service victim = (enum wf_service)(next_random(random) % WF_SERVICE_COUNT);
    sleep_ms((int64_t)(next_random(random) % 200));
    assert_int_equal(host_stop(host, victim, SIGKILL), 128 + SIGKILL);
    sleep_ms((int64_t)(next_random(random) % 60));
    if (!host_start(host, victim, NULL, NULL))
        fail_msg("%s does not start again", wf_service_word(victim));
}

/* Sent again after all is over, the same request must give the same dossier. */
static void ask_again(struct host *host, const struct counter *counter)
{
    struct wf_client *client = NULL;
    struct wf_error err = {0};
    assert_ok(wf_client_open(host->run, NULL, &client, &err), err);
    for (size_t i = 0; i < counter->n; i += 1 + counter->n / 200) {
        char code[65];
        const struct acknowledged *ack = &counter->acks[i];
        assert_ok(host_submit(client, ack->id, ack->note, 10000, code, &err), err);
        assert_string_equal(code, ack->code);
    }
    wf_client_close(client);
}

static struct acknowledged *all_acks(const struct counter *counters, size_t *n)
{
    struct acknowledged *acks = NULL;
    *n = 0;
    for (size_t i = 0; i < COUNTERS; i++)
        *n += counters[i].n;
    acks = calloc(*n + 1, sizeof(*acks));
    assert_non_null(acks);
    size_t at = 0;
    for (size_t i = 0; i < COUNTERS; i++) {
        memcpy(&acks[at], counters[i].acks, counters[i].n * sizeof(*acks));
        at += counters[i].n;
    }
    return acks;
}

static void nothing_acknowledged_is_lost_or_done_twice_when_workers_are_killed(void **state)
{
    (void)state;
    struct host host;
    struct counter counters[COUNTERS];
    struct desk desk;
    uint64_t seed = number_of("SEED", (uint64_t)wf_real_ms());
    uint64_t random = seed;
    uint64_t kills = KILLS * number_of("TORTURE", 1);
    print_message("SEED=%llu, %llu kills\n", (unsigned long long)seed, (unsigned long long)kills);
    host_new(&host, NULL, SETTINGS);
    host_start_all(&host);
    for (unsigned i = 0; i < COUNTERS; i++)
        counter_start(&counters[i], host.run, i, 0);
    desk_start(&desk, host.run);
    for (uint64_t i = 0; i < kills; i++)
        kill_and_restart(&host, &random);
    for (size_t i = 0; i < COUNTERS; i++)
        counter_stop(&counters[i]);
    desk.stop_filing = true;
    assert_true(host_settle(&host, 60000));
    desk_stop(&desk);
    for (size_t i = 0; i < COUNTERS; i++)
        ask_again(&host, &counters[i]);
    host_stop_all(&host);
    size_t n = 0;
    struct acknowledged *acks = all_acks(counters, &n);
    audit(&host, acks, n);
    struct wf_counts counts = host_counts(&host);
    assert_int_equal(counts.closed, n + desk.filed);
    print_message("%zu six-step dossiers, %u with people, %u tasks, %llu events\n", n, desk.filed,
                  desk.finished, (unsigned long long)counts.journal_seq);
    assert_true(n > 0 && desk.finished > 0);
    free(acks);
    for (size_t i = 0; i < COUNTERS; i++)
        counter_fini(&counters[i]);
    host_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_or_done_twice_when_workers_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

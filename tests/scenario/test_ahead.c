/* SPDX-License-Identifier: Apache-2.0 */
/* A cell that reads ahead, and one that does not: the same work leaves the same store. */
#include "support/test.h"

#include "support/steps.h"
#include "workflow/hash.h"

/* Everybody does what waits for them, day by day, until nothing is left to do. */
static bool work_once(struct cell *cell)
{
    static const char *const roles[] = {"civil_servant", "specialist", "signing_authority",
                                        "head",          "clerk",      "postal_worker"};
    static const struct {
        const char *activity, *result;
    } work[] = {
        {"verification.review", "{'verdict': 'approve'}"},
        {"routing.handoff", "{'decision': 'approve', 'number': '7/QĐ'}"},
        {"routing.consult", "{'answer': 'agree'}"},
        {"return.collect_fee", "{'paid': true, 'receipt': 'R-1'}"},
        {"return.deliver", "{'outcome': 'delivered', 'receiver': 'parent'}"},
    };
    for (size_t i = 0; i < WF_COUNT(work) * WF_COUNT(roles); i++) {
        struct task task;
        if (claim_if_any(cell, work[i / WF_COUNT(roles)].activity, "*", roles[i % WF_COUNT(roles)],
                         &task)) {
            finish(cell, &task, work[i / WF_COUNT(roles)].result);
            return true;
        }
    }
    return false;
}

static void work_for_days(struct cell *cell, int days)
{
    static const char *const procedures[] = {MARRIAGE, BIRTH, LAND, COPY};
    for (size_t i = 0; i < 3 * WF_COUNT(procedures); i++)
        (void)submit(cell, procedures[i % WF_COUNT(procedures)], "{}");
    for (int day = 0; day < days; day++) {
        while (day % 3 == 0 && work_once(cell)) { /* on the other days deadlines pass */
        }
        cell_advance(cell, "1 days");
    }
}

static int add_row(void *context, const char *table, struct wf_slice key, struct wf_slice value)
{
    uint8_t *sum = context;
    if (strcmp(table, "meta") == 0 && key.len == 4) /* "meta": when the store was made */
        return 0;
    wf_hash(sum, WF_HASH_BYTES, table, strlen(table), sum);
    wf_hash(sum, WF_HASH_BYTES, key.ptr, key.len, sum);
    wf_hash(sum, WF_HASH_BYTES, value.ptr, value.len, sum);
    return 0;
}

/* Works, and gives the hash of all rows; *out_events: of the journal. */
static void run(bool reads_nothing_ahead, uint8_t sum[WF_HASH_BYTES], uint64_t *out_events)
{
    struct cell *cell = cell_new("2026-11-25 08:10");
    struct wf_error err = {0};
    cell->reads_nothing_ahead = reads_nothing_ahead;
    work_for_days(cell, 40);
    *out_events = cell_counts(cell).journal_seq;
    struct wf_txn *txn = cell_read(cell);
    memset(sum, 0, WF_HASH_BYTES);
    assert_ok(wf_dump_each(txn, add_row, sum, &err), err);
    wf_txn_abort(txn);
    cell_close(cell);
}

static void reading_ahead_leaves_the_same_store(void **state)
{
    (void)state;
    uint8_t with[WF_HASH_BYTES];
    uint8_t without[WF_HASH_BYTES];
    uint64_t events = 0;
    uint64_t events_without = 0;
    run(false, with, &events);
    run(true, without, &events_without);
    assert_in_range(events, 100, 100000);
    assert_int_equal(events, events_without);
    assert_memory_equal(with, without, sizeof(with));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reading_ahead_leaves_the_same_store)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long `hoso status` and `hoso metrics` take beside very many dossiers: a store is filled with
 * them, all with due dates over two years around now, then each command is run a few times. Goal:
 * 100 ms with a million.
 *
 *   STATUS_DOSSIERS=n   how many (1,000,000)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "support/tempdir.h"

#include "workflow/clock.h"
#include "workflow/store.h"

#define AT_ONCE    2000
#define TIMES      9
#define GOAL_MS    100
#define YEAR_MS    (INT64_C(365) * 24 * 3600 * 1000)
#define PROCEDURES 20
#define STATES     8

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = text != NULL ? strtoull(text, NULL, 10) : 0;
    return number != 0 ? number : otherwise;
}

static void put_one(struct wf_txn *txn, struct wf_arena *arena, int64_t now)
{
    char procedure[32];
    char state[32];
    struct wf_error err = {0};
    struct wf_value *states = wf_list(arena);
    uint64_t id = wf_dossier_new_id(txn);
    (void)snprintf(procedure, sizeof(procedure), "1.%06llu", (unsigned long long)(id % PROCEDURES));
    (void)snprintf(state, sizeof(state), "state_%llu", (unsigned long long)(id % STATES));
    (void)wf_list_add(arena, states, wf_text(arena, "open"));
    (void)wf_list_add(arena, states, wf_text(arena, state));
    const struct wf_rec_dossier dossier = {
        .id = id,
        .procedure = wf_str(procedure),
        .version = 1,
        .site = wf_str("000.00.13.H30"),
        .channel = wf_str("post"),
        .received = now,
        .due = now - YEAR_MS + (int64_t)((id * UINT64_C(2654435761)) % (uint64_t)(2 * YEAR_MS)),
        .states = states};
    assert_ok(wf_dossier_put(txn, NULL, &dossier, &err), err);
}

static void fill(const char *path, uint64_t n)
{
    const struct wf_store_options options = {.map_bytes = (uint64_t)64 << 30};
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_store *store = NULL;
    struct wf_error err = {0};
    int64_t now = wf_real_ms();
    assert_ok(wf_store_create(path, "bench", NULL, &options, &err), err);
    assert_ok(wf_store_open(path, &options, &store, &err), err);
    for (uint64_t done = 0; done < n;) {
        struct wf_txn *txn = NULL;
        assert_ok(wf_txn_begin(store, true, &txn, &err), err);
        for (int i = 0; i < AT_ONCE && done < n; i++, done++) {
            wf_arena_reset(arena);
            put_one(txn, arena, now);
        }
        assert_ok(wf_txn_commit(txn, &err), err);
    }
    wf_store_close(store);
    wf_arena_free(arena);
}

/* ---- the commands ---------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int64_t median_us(const char *cell, const char *verb)
{
    int64_t took[TIMES];
    char line[1200];
    (void)snprintf(line, sizeof(line), BUILD_ROOT "/services/hoso %s --cell '%s' >/dev/null", verb,
                   cell);
    for (size_t i = 0; i < TIMES; i++) {
        int64_t started = wf_monotonic_us();
        int code = system(line); /* ends with 1: the cell is not running */
        took[i] = wf_monotonic_us() - started;
        if (code < 0)
            exit(1);
    }
    qsort(took, TIMES, sizeof(took[0]), by_size);
    return took[TIMES / 2];
}

static void copy_settings(const char *cell)
{
    char line[1200];
    (void)snprintf(line, sizeof(line), "cp '" SOURCE_ROOT "'/config/*.cfg '%s'", cell);
    if (system(line) != 0)
        exit(1);
}

int main(void)
{
    static const char *const verbs[] = {"status", "metrics"};
    struct tempdir dir;
    char store[300];
    uint64_t n = number_of("STATUS_DOSSIERS", 1000000);
    bool good = true;
    tempdir_init(&dir);
    (void)snprintf(store, sizeof(store), "%s/store", dir.path);
    copy_settings(dir.path);
    int64_t started = wf_monotonic_us();
    fill(store, n);
    printf("%-24s %12s\n", "Store of dossiers", "");
    printf("%-24s %12llu\n", "  dossiers", (unsigned long long)n);
    printf("%-24s %12.1f\n", "  made in, s", (double)(wf_monotonic_us() - started) / 1e6);
    for (size_t i = 0; i < WF_COUNT(verbs); i++) {
        double ms = (double)median_us(dir.path, verbs[i]) / 1000;
        good = good && ms <= GOAL_MS;
        printf("  hoso %-17s %12.1f ms   goal %d ms: %s\n", verbs[i], ms, GOAL_MS,
               ms <= GOAL_MS ? "met" : "missed");
    }
    tempdir_fini(&dir);
    return good ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "floor.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)16 << 30)
#define LARGEST   8192

/* clang-format off */
#define TABLE_LIST(X)                                                                             \
    X(DOSSIERS) X(CONTENTS) X(CODES) X(REQUESTS) X(JOURNAL) X(HISTORY) X(QUEUES) X(COUNTERS)      \
    X(BY_STATE) X(BY_SITE) X(BY_PROCEDURE) X(BY_DUE) X(NUMBERS) X(TIMERS)
/* clang-format on */

enum table {
#define X(name) name,
    TABLE_LIST(X)
#undef X
        TABLES
};

static const char *const names[TABLES] = {
#define X(name) #name,
    TABLE_LIST(X)
#undef X
};

/* Events that one visit of a dossier to a service brings: submit and register; ...; pay, archive.
 */
static const unsigned events[FLOOR_SERVICES] = {2, 1, 1, 1, 2};

struct floor {
    char folder[256];
    struct floor_sizes sizes;
    MDB_env *env;
    MDB_dbi tables[TABLES];
    uint64_t dossiers, journal;
    bool with_lists;
};

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void big_endian(uint64_t number, uint8_t *out)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        out[i] = (uint8_t)number;
}

static bool put(struct floor *floor, MDB_txn *txn, enum table table, uint64_t a, uint64_t b,
                size_t length)
{
    static uint8_t bytes[LARGEST];
    uint8_t key[16];
    big_endian(a, key);
    big_endian(b, key + 8);
    memset(bytes, (int)(a & 0xff), 64); /* so that pages differ */
    MDB_val k = {sizeof(key), key};
    MDB_val v = {length < LARGEST ? length : LARGEST, bytes};
    return mdb_put(txn, floor->tables[table], &k, &v, table == JOURNAL ? MDB_APPEND : 0) == 0;
}

static bool drop(struct floor *floor, MDB_txn *txn, enum table table, uint64_t a, uint64_t b)
{
    uint8_t key[16];
    big_endian(a, key);
    big_endian(b, key + 8);
    MDB_val k = {sizeof(key), key};
    return mdb_del(txn, floor->tables[table], &k, NULL) == 0;
}

static bool open_tables(struct floor *floor)
{
    MDB_txn *txn = NULL;
    if (mdb_txn_begin(floor->env, NULL, 0, &txn) != 0)
        return false;
    for (int i = 0; i < TABLES; i++) {
        if (mdb_dbi_open(txn, names[i], MDB_CREATE, &floor->tables[i]) != 0) {
            mdb_txn_abort(txn);
            return false;
        }
    }
    return mdb_txn_commit(txn) == 0;
}

struct floor *floor_open(const char *base, const struct floor_sizes *sizes)
{
    struct floor *floor = calloc(1, sizeof(*floor));
    if (floor == NULL)
        return NULL;
    floor->sizes = *sizes;
    (void)snprintf(floor->folder, sizeof(floor->folder), "%.200s/floor-XXXXXX", base);
    /* The same mode as the store: every commit is synced, nothing is written through the map. */
    bool good = mkdtemp(floor->folder) != NULL && mdb_env_create(&floor->env) == 0 &&
                mdb_env_set_mapsize(floor->env, MAP_BYTES) == 0 &&
                mdb_env_set_maxdbs(floor->env, TABLES) == 0 &&
                mdb_env_open(floor->env, floor->folder, 0, 0600) == 0 && open_tables(floor);
    if (good)
        return floor;
    floor_close(floor);
    return NULL;
}

void floor_close(struct floor *floor)
{
    char path[300];
    if (floor == NULL)
        return;
    if (floor->env != NULL)
        mdb_env_close(floor->env);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", floor->folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/lock.mdb", floor->folder);
    (void)unlink(path);
    (void)rmdir(floor->folder);
    free(floor);
}

#define DUE 1795000000000u

/* The lists and the timer, as the visit changes them. */
static bool write_lists(struct floor *floor, MDB_txn *txn, uint64_t id, unsigned service)
{
    if (service == 0)
        return put(floor, txn, BY_STATE, 0, id, 0) && put(floor, txn, BY_SITE, 1, id, 0) &&
               put(floor, txn, BY_PROCEDURE, 1, id, 0) && put(floor, txn, BY_DUE, DUE, id, 0) &&
               put(floor, txn, NUMBERS, 0, 0, 12) && put(floor, txn, TIMERS, DUE, id, 60);
    bool good =
        drop(floor, txn, BY_STATE, service - 1, id) && put(floor, txn, BY_STATE, service, id, 0);
    if (good && service + 1 == FLOOR_SERVICES)
        good = drop(floor, txn, BY_DUE, DUE, id) && drop(floor, txn, TIMERS, DUE, id);
    return good;
}

static bool write_visit(struct floor *floor, MDB_txn *txn, uint64_t id, unsigned service)
{
    bool good = true;
    if (service == 0)
        good = put(floor, txn, CONTENTS, id, 0, floor->sizes.content) &&
               put(floor, txn, CODES, ~id, id, 8) &&
               put(floor, txn, REQUESTS, id, ~id, floor->sizes.request);
    else
        good = drop(floor, txn, QUEUES, service, id);
    good = good && put(floor, txn, DOSSIERS, id, 0, floor->sizes.dossier);
    for (unsigned i = 0; good && i < events[service]; i++) {
        uint64_t seq = ++floor->journal;
        good = put(floor, txn, JOURNAL, seq, 0, floor->sizes.event) &&
               put(floor, txn, HISTORY, id, seq, 0);
    }
    if (good && service + 1 < FLOOR_SERVICES)
        good = put(floor, txn, QUEUES, service + 1, id, floor->sizes.queue);
    return good && (!floor->with_lists || write_lists(floor, txn, id, service));
}

/* One batch of a service: visits of the dossiers from+1 to from+n in one commit. */
static bool commit_batch(struct floor *floor, unsigned service, uint64_t from, uint64_t n)
{
    MDB_txn *txn = NULL;
    if (mdb_txn_begin(floor->env, NULL, 0, &txn) != 0)
        return false;
    bool good = true;
    for (uint64_t i = 1; good && i <= n; i++)
        good = write_visit(floor, txn, from + i, service);
    if (!good || !put(floor, txn, COUNTERS, 0, 0, 256)) {
        mdb_txn_abort(txn);
        return false;
    }
    return mdb_txn_commit(txn) == 0;
}

double floor_saturated(struct floor *floor, uint64_t n, const unsigned batch[FLOOR_SERVICES],
                       bool with_lists)
{
    uint64_t done[FLOOR_SERVICES] = {0};
    uint64_t first = floor->dossiers;
    floor->with_lists = with_lists;
    double started = seconds();
    while (done[FLOOR_SERVICES - 1] < n) {
        for (unsigned s = 0; s < FLOOR_SERVICES; s++) {
            uint64_t waiting = (s == 0 ? n : done[s - 1]) - done[s];
            uint64_t take = waiting < batch[s] ? waiting : batch[s];
            if (take == 0)
                continue;
            if (!commit_batch(floor, s, first + done[s], take))
                return -1;
            done[s] += take;
        }
    }
    floor->dossiers += n;
    return seconds() - started;
}

double floor_six_commits(struct floor *floor, bool with_lists)
{
    double started = seconds();
    uint64_t id = floor->dossiers++;
    floor->with_lists = with_lists;
    for (unsigned s = 0; s < FLOOR_SERVICES; s++) {
        if (!commit_batch(floor, s, id, 1))
            return -1;
    }
    /* the sixth: another first step */
    if (!commit_batch(floor, 0, floor->dossiers++, 1))
        return -1;
    return seconds() - started;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of the file: each is in a table, in the free list or one of the two heads. A page that is
 * in the free list twice, or outside of the file, would be handed out wrongly one day and damage
 * what is whole now.
 *
 * A row of LMDB's free list is the number of pages, then their numbers, falling. Its last rows may
 * be newer than what LMDB counts as used here, hence the sum may be smaller than the file, yet not
 * greater.
 *
 * The heads are those of the last two transactions, whose numbers follow each other; LMDB takes the
 * higher one and has no checksum for it. A head with a damaged number would bring back the store as
 * it was one transaction ago, without a word.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/env.h"

#define FIRST_PAGE  2 /* before it lie the two heads */
#define HEADS_TRIES 5

/* In a head, on machines of 64 bits. */
#define FREE_ROOT_AT 80
#define MAIN_ROOT_AT 128
#define TXNID_AT     144

struct pages {
    uint8_t *seen; /* a bit a page */
    uint64_t n;    /* pages of the file */
    uint64_t free;
    char *text;
    size_t size;
};

static bool wrong(struct pages *p, const char *what, uint64_t page)
{
    (void)snprintf(p->text, p->size, "the free list names page %" PRIu64 " %s", page, what);
    return false;
}

static bool take(struct pages *p, uint64_t page)
{
    if (page < FIRST_PAGE || page >= p->n)
        return wrong(p, "outside of the file", page);
    uint8_t bit = (uint8_t)(1U << (page % 8));
    if ((p->seen[page / 8] & bit) != 0)
        return wrong(p, "twice", page);
    p->seen[page / 8] |= bit;
    p->free++;
    return true;
}

static bool take_row(struct pages *p, const MDB_val *value)
{
    const uint8_t *bytes = value->mv_data;
    size_t n = 0;
    if (value->mv_size >= sizeof(n))
        memcpy(&n, bytes, sizeof(n));
    if (n == 0 || n >= value->mv_size / sizeof(n)) {
        (void)snprintf(p->text, p->size, "a row of the free list has a wrong length");
        return false;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t page = 0;
        memcpy(&page, bytes + i * sizeof(page), sizeof(page));
        if (!take(p, page))
            return false;
    }
    return true;
}

static int walk_free(struct wf_txn *txn, struct pages *p, bool *sound, struct wf_error *err)
{
    const MDB_dbi free_list = 0;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_cursor_open(txn->mdb, free_list, &cursor);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "read the free list");
    while (*sound && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        *sound = take_row(p, &value);
    mdb_cursor_close(cursor);
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : wf_lmdb_fail(err, rc, "read the free list");
}

static int add_table(struct wf_txn *txn, MDB_dbi table, uint64_t *used, struct wf_error *err)
{
    MDB_stat stat;
    int rc = mdb_stat(txn->mdb, table, &stat);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "count the pages");
    *used += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return 0;
}

static int count_used(struct wf_txn *txn, uint64_t *out, struct wf_error *err)
{
    uint64_t used = FIRST_PAGE;
    int rc = add_table(txn, 0, &used, err); /* the free list itself */
    if (rc == 0)
        rc = add_table(txn, 1, &used, err); /* the table of tables */
    for (size_t i = 0; i < WF_TABLE_COUNT && rc == 0; i++)
        rc = add_table(txn, txn->store->tables[i], &used, err);
    *out = used;
    return rc;
}

/* 0 or 1 apart, and each in its own place: even numbers first. */
static bool heads_fit(int fd, size_t page_size)
{
    uint64_t number[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        off_t at = (off_t)(i * page_size + TXNID_AT);
        if (pread(fd, &number[i], sizeof(number[i]), at) != (ssize_t)sizeof(number[i]))
            return false;
    }
    if (number[0] == 0 && number[1] <= 1)
        return true; /* fresh, or a compact copy */
    bool neighbours = number[0] + 1 == number[1] || number[1] + 1 == number[0];
    return neighbours && number[0] % 2 == 0;
}

/* Another process may write one of them at this moment. */
static int check_heads(MDB_env *env, bool *sound, struct wf_error *err)
{
    MDB_stat stat;
    int fd = -1;
    int rc = mdb_env_get_fd(env, &fd);
    if (rc == 0)
        rc = mdb_env_stat(env, &stat);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "read the heads");
    *sound = sizeof(size_t) != sizeof(uint64_t);
    for (int i = 0; i < HEADS_TRIES && !*sound; i++)
        *sound = heads_fit(fd, stat.ms_psize);
    return 0;
}

int wf_pages_check(struct wf_txn *txn, bool *out_is_sound, char *text, size_t size,
                   struct wf_error *err)
{
    MDB_envinfo info;
    uint64_t used = 0;
    bool sound = true;
    struct pages p = {.text = text, .size = size};
    int rc = check_heads(txn->store->env, &sound, err);
    if (rc < 0)
        return rc;
    if (!sound) {
        (void)snprintf(text, size, "the two heads of the file are not of one another's age");
        *out_is_sound = false;
        return 0;
    }
    rc = mdb_env_info(txn->store->env, &info);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, "count the pages");
    p.n = info.me_last_pgno + 1;
    p.seen = wf_alloc((size_t)(p.n / 8 + 1));
    if (p.seen == NULL)
        return wf_fail(err, WF_E_NOMEM, "count the pages");
    rc = walk_free(txn, &p, &sound, err);
    if (rc == 0)
        rc = count_used(txn, &used, err);
    wf_free(p.seen);
    if (rc < 0)
        return rc;
    if (sound && used + p.free > p.n) {
        (void)snprintf(text, size, "%" PRIu64 " pages are used and %" PRIu64 " free, of %" PRIu64,
                       used, p.free, p.n);
        sound = false;
    }
    *out_is_sound = sound;
    return 0;
}

/* ---- is the file whole? ---------------------------------------------------------------------- */

static int count_free_from(MDB_env *env, uint64_t from, uint64_t *out)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_open(txn, 0, &cursor);
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        const uint8_t *bytes = value.mv_data;
        for (size_t at = sizeof(size_t); at + sizeof(size_t) <= value.mv_size;
             at += sizeof(size_t)) {
            size_t page = 0;
            memcpy(&page, bytes + at, sizeof(page));
            *out += page >= from;
        }
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Does a root, of the free list or of the table of tables, lie at or behind `there`? Asked before
 * LMDB follows it, which would end the process. */
static bool is_root_missing(MDB_env *env, size_t page_size, uint64_t there)
{
    struct {
        uint64_t root[2], number;
    } head[2] = {{{0, 0}, 0}, {{0, 0}, 0}};
    int fd = -1;
    if (mdb_env_get_fd(env, &fd) != 0 || sizeof(size_t) != sizeof(uint64_t))
        return false;
    for (size_t i = 0; i < 2; i++) {
        off_t at = (off_t)(i * page_size);
        if (pread(fd, &head[i].number, 8, at + TXNID_AT) != 8 ||
            pread(fd, &head[i].root[0], 8, at + FREE_ROOT_AT) != 8 ||
            pread(fd, &head[i].root[1], 8, at + MAIN_ROOT_AT) != 8)
            return true;
    }
    size_t newer = head[1].number > head[0].number;
    for (size_t i = 0; i < 2; i++) {
        uint64_t root = head[newer].root[i];
        if (root >= there && root != UINT64_MAX) /* which is none */
            return true;
    }
    return false;
}

static int cut_short(const char *name, uint64_t missing, uint64_t made, struct wf_error *err)
{
    return wf_fail(err, WF_E_CORRUPT,
                   "%s: was cut or copied by half: %" PRIu64 " of its %" PRIu64
                   " pages are missing",
                   name, missing, made);
}

/*
 * A page that is freed by the transaction that made it is never written, so that a whole file may be
 * shorter than its head says: the pages that are missing then stand in the free list.
 */
int wf_check_whole(MDB_env *env, const char *path, struct wf_error *err)
{
    char name[PATH_MAX];
    MDB_envinfo info;
    MDB_stat stats;
    struct stat st;
    uint64_t free_ones = 0;
    (void)snprintf(name, sizeof(name), "%s/" WF_DATA_FILE, path);
    int rc = mdb_env_info(env, &info);
    if (rc == 0)
        rc = mdb_env_stat(env, &stats);
    if (rc == 0 && stat(name, &st) != 0)
        rc = errno;
    if (rc != 0)
        return wf_lmdb_fail(err, rc, path);
    uint64_t there = (uint64_t)st.st_size / stats.ms_psize;
    uint64_t made = info.me_last_pgno + 1;
    if (there >= made)
        return 0;
    if (is_root_missing(env, stats.ms_psize, there))
        return cut_short(name, made - there, made, err);
    rc = count_free_from(env, there, &free_ones);
    if (rc != 0)
        return wf_lmdb_fail(err, rc, path);
    return free_ones >= made - there ? 0 : cut_short(name, made - there, made, err);
}

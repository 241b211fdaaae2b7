/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/teststore.h - a fresh store in a folder of its own, with an arena. */
#ifndef TESTS_SUPPORT_TESTSTORE_H
#define TESTS_SUPPORT_TESTSTORE_H

#include "support/tempdir.h"

#include <sys/wait.h>

#include "workflow/store.h"

struct teststore {
    struct tempdir dir;
    char path[300];
    struct wf_store *store;
    struct wf_arena *arena;
    struct wf_error err;
};

static inline void teststore_open(struct teststore *t)
{
    assert_ok(wf_store_open(t->path, NULL, &t->store, &t->err), t->err);
}

static inline void teststore_close(struct teststore *t)
{
    wf_store_close(t->store);
    t->store = NULL;
}

/* Creates the store; opened only by teststore_open, so that a test may fork before. */
static inline void teststore_create(struct teststore *t, const struct wf_store_options *options)
{
    memset(t, 0, sizeof(*t));
    tempdir_init(&t->dir);
    (void)tempdir_path(&t->dir, "store", t->path, sizeof(t->path));
    t->arena = wf_arena_new(0);
    assert_non_null(t->arena);
    assert_ok(wf_store_create(t->path, "test", NULL, options, &t->err), t->err);
}

static inline void teststore_fini(struct teststore *t)
{
    teststore_close(t);
    wf_arena_free(t->arena);
    tempdir_fini(&t->dir);
}

/* Setup and teardown of a test: its state is an open store of its own. */
static inline int teststore_setup(void **state)
{
    struct teststore *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    teststore_create(t, NULL);
    teststore_open(t);
    *state = t;
    return 0;
}

static inline int teststore_teardown(void **state)
{
    struct teststore *t = *state;
    teststore_fini(t);
    free(t);
    return 0;
}

static inline struct wf_txn *teststore_begin(struct teststore *t, bool write)
{
    struct wf_txn *txn = NULL;
    assert_ok(wf_txn_begin(t->store, write, &txn, &t->err), t->err);
    return txn;
}

static inline void teststore_commit(struct teststore *t, struct wf_txn *txn)
{
    assert_ok(wf_txn_commit(txn, &t->err), t->err);
}

/* How the child ended: its exit status, or 1000 + the signal. */
static inline int wait_for_child(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of papers against the rows of a store: for verify, backup and restore. The store goes
 * on meanwhile: its rows are read a few hundred at a time, and a file that a row names is never
 * taken away.
 */
#include "keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workflow/papers.h"

#define HASHES_AT_ONCE 500
#define FINDINGS_MOST  100

/* ---- the papers that dossiers name ------------------------------------------------------------ */

struct hashes {
    uint8_t list[HASHES_AT_ONCE][WF_HASH_BYTES];
    size_t n;
};

static int note_hash(void *context, const uint8_t hash[WF_HASH_BYTES], uint64_t dossier)
{
    struct hashes *hashes = context;
    (void)dossier;
    if (hashes->n > 0 && memcmp(hashes->list[hashes->n - 1], hash, WF_HASH_BYTES) == 0)
        return 0;
    if (hashes->n == HASHES_AT_ONCE)
        return WF_NONE;
    memcpy(hashes->list[hashes->n++], hash, WF_HASH_BYTES);
    return 0;
}

int keep_each_paper(struct hoso *h, struct wf_store *store,
                    int (*fn)(void *context, const uint8_t hash[32]), void *context)
{
    struct hashes *hashes = wf_arena_alloc(h->arena, sizeof(*hashes));
    uint8_t last[WF_HASH_BYTES];
    bool any = false;
    int rc = hashes != NULL ? 0 : wf_fail(&h->err, WF_E_NOMEM, "papers: out of memory");
    while (rc == 0) {
        struct wf_txn *txn = NULL;
        hashes->n = 0;
        rc = wf_txn_begin(store, false, &txn, &h->err);
        if (rc != 0)
            return rc;
        rc = wf_paper_each(txn, NULL, any ? last : NULL, note_hash, hashes, &h->err);
        wf_txn_abort(txn);
        if (rc < 0 || hashes->n == 0)
            return rc < 0 ? rc : 0;
        rc = 0;
        for (size_t i = 0; rc == 0 && i < hashes->n; i++)
            rc = fn(context, hashes->list[i]);
        memcpy(last, hashes->list[hashes->n - 1], sizeof(last));
        any = true;
    }
    return rc;
}

/* ---- verify ---------------------------------------------------------------------------------- */

struct papers_check {
    struct hoso *h;
    struct wf_papers *papers;
    struct wf_txn *txn;
    struct wf_value *findings;
    int64_t n, bytes, waiting, found;
    bool deep;
};

static int check_one(void *context, const uint8_t hash[WF_HASH_BYTES])
{
    struct papers_check *c = context;
    struct hoso *h = c->h;
    struct wf_error why = {0};
    char name[2 * WF_HASH_BYTES + 1];
    uint64_t bytes = 0;
    int rc = wf_papers_check(c->papers, hash, c->deep, &bytes, &why);
    c->n++;
    c->bytes += (int64_t)bytes;
    if (rc == 0 || c->found++ >= FINDINGS_MOST)
        return 0;
    wf_hex(hash, WF_HASH_BYTES, name);
    const char *text = wf_arena_printf(h->arena, "paper %.12s...: %s", name,
                                       rc == WF_NONE ? "its file is missing" : why.text);
    (void)wf_list_add(
        h->arena, c->findings,
        hoso_map(h, "name", wf_text(h->arena, "papers"), "text", wf_text(h->arena, text), NULL));
    return 0;
}

static int count_waiting(void *context, const uint8_t hash[WF_HASH_BYTES])
{
    struct papers_check *c = context;
    int rc = wf_paper_named_by(c->txn, hash, 0, &c->h->err);
    c->waiting += rc == WF_NONE;
    return rc < 0 ? rc : 0;
}

/* No dossier names them: sent, and not yet used. */
static int look_for_waiting(struct papers_check *c, struct wf_store *store)
{
    struct hoso *h = c->h;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < WF_PAPER_FOLDERS; i++) {
        rc = wf_txn_begin(store, false, &c->txn, &h->err);
        if (rc != 0)
            return rc;
        rc = wf_papers_each(c->papers, i, INT64_MAX, count_waiting, c, &h->err);
        wf_txn_abort(c->txn);
    }
    return rc;
}

int keep_check_papers(struct hoso *h, struct wf_store *store, const char *folder, bool deep,
                      const struct wf_value *answer, const struct wf_value **out)
{
    struct papers_check c = {.h = h, .deep = deep, .findings = wf_list(h->arena)};
    const struct wf_value *before = wf_map_get(answer, "findings");
    int64_t n = wf_value_int(wf_map_get(answer, "n_findings"), 0);
    for (size_t i = 0; i < wf_value_count(before); i++)
        (void)wf_list_add(h->arena, c.findings, wf_list_at(before, i));
    int rc = wf_papers_open(folder, NULL, &c.papers, &h->err);
    if (rc == 0)
        rc = keep_each_paper(h, store, check_one, &c);
    if (rc == 0)
        rc = look_for_waiting(&c, store);
    wf_papers_close(c.papers);
    if (rc != 0)
        return rc;
    struct wf_value *all = wf_map_copy(h->arena, answer);
    (void)wf_map_put(h->arena, all, "papers", wf_int(h->arena, c.n));
    (void)wf_map_put(h->arena, all, "papers_bytes", wf_int(h->arena, c.bytes));
    (void)wf_map_put(h->arena, all, "papers_waiting", wf_int(h->arena, c.waiting));
    (void)wf_map_put(h->arena, all, "findings", c.findings);
    (void)wf_map_put(h->arena, all, "n_findings", wf_int(h->arena, n + c.found));
    if (c.found > 0)
        (void)wf_map_put(h->arena, all, "undamaged", &wf_false);
    *out = all;
    return wf_value_is_whole(all) ? 0 : wf_fail(&h->err, WF_E_NOMEM, "papers: out of memory");
}

/* ---- copies ----------------------------------------------------------------------------------- */

/* A paper never changes once it is in place, so a second name for it is as good as a copy. */
int keep_bring_paper(struct hoso *h, const char *from, const char *to)
{
    char folder[4096];
    const char *slash = strrchr(to, '/');
    (void)snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - to) : 0, to);
    int rc = keep_make(h, folder);
    if (rc == 0 && link(from, to) != 0)
        rc = keep_copy(h, from, to);
    return rc;
}

int keep_sync_papers(struct hoso *h, const char *papers)
{
    char path[4096];
    char name[8];
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < WF_PAPER_FOLDERS; i++) {
        (void)snprintf(name, sizeof(name), "%02x", i);
        if (hoso_path(path, papers, name) && access(path, F_OK) == 0)
            rc = keep_sync_folder(h, path);
    }
    return rc == 0 && access(papers, F_OK) == 0 ? keep_sync_folder(h, papers) : rc;
}

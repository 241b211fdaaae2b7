/* SPDX-License-Identifier: Apache-2.0 */
/* Which dossiers name which papers. The rows follow the content: nobody else writes them. */
#include "store/txn.h"
#include "workflow/papers.h"

#define ROW_BYTES (WF_HASH_BYTES + 8)

static void paper_key(struct wf_key *key, const uint8_t hash[WF_HASH_BYTES], uint64_t dossier)
{
    wf_key_start(key);
    wf_key_bytes(key, hash, WF_HASH_BYTES);
    wf_key_u64(key, dossier);
}

static bool hash_of(const struct wf_value *paper, uint8_t out[WF_HASH_BYTES])
{
    return wf_paper_name(wf_value_str(wf_map_get(paper, "file")), out);
}

static bool list_names(const struct wf_value *papers, const uint8_t hash[WF_HASH_BYTES])
{
    uint8_t other[WF_HASH_BYTES];
    for (size_t i = 0; i < wf_value_count(papers); i++) {
        if (hash_of(wf_list_at(papers, i), other) && memcmp(hash, other, WF_HASH_BYTES) == 0)
            return true;
    }
    return false;
}

bool wf_content_names(const struct wf_rec_content *content, const uint8_t hash[WF_HASH_BYTES])
{
    return list_names(content->papers, hash) || list_names(content->attached, hash);
}

static int put_rows(struct wf_txn *txn, const struct wf_value *papers, uint64_t dossier,
                    struct wf_error *err)
{
    uint8_t hash[WF_HASH_BYTES];
    struct wf_key key;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(papers); i++) {
        if (!hash_of(wf_list_at(papers, i), hash))
            continue;
        paper_key(&key, hash, dossier);
        rc = wf_txn_put(txn, WF_TABLE_PAPERS, &key, (struct wf_slice){0}, WF_PUT_SET, err);
    }
    return rc;
}

static int del_rows(struct wf_txn *txn, const struct wf_value *old,
                    const struct wf_rec_content *now, uint64_t dossier, struct wf_error *err)
{
    uint8_t hash[WF_HASH_BYTES];
    struct wf_key key;
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < wf_value_count(old); i++) {
        if (!hash_of(wf_list_at(old, i), hash) || wf_content_names(now, hash))
            continue;
        paper_key(&key, hash, dossier);
        rc = wf_txn_del(txn, WF_TABLE_PAPERS, &key, err); /* named twice: gone already */
    }
    return rc < 0 ? rc : 0;
}

int wf_paper_rows_follow(struct wf_txn *txn, uint64_t dossier, const struct wf_rec_content *before,
                         const struct wf_rec_content *now, struct wf_error *err)
{
    int rc = put_rows(txn, now->papers, dossier, err);
    if (rc == 0)
        rc = put_rows(txn, now->attached, dossier, err);
    if (rc == 0 && before != NULL)
        rc = del_rows(txn, before->papers, now, dossier, err);
    if (rc == 0 && before != NULL)
        rc = del_rows(txn, before->attached, now, dossier, err);
    return rc;
}

static int fill_content(void *context, const struct wf_rows *rows, struct wf_slice value,
                        struct wf_error *err)
{
    struct wf_txn *txn = rows->txn;
    struct wf_rec_content content;
    (void)context;
    wf_arena_reset(txn->arena);
    int rc = wf_txn_unpack(rows->table, WF_REC_content, value, txn->arena, &content, err);
    return rc == 0 ? wf_paper_rows_follow(txn, wf_u64_load(rows->at.bytes), NULL, &content, err)
                   : rc;
}

int wf_paper_rows_fill(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_key from;
    wf_key_start(&from);
    return wf_rows_each(txn, WF_TABLE_CONTENTS, &from, 0, fill_content, NULL, err);
}

int wf_paper_named_by(struct wf_txn *txn, const uint8_t hash[WF_HASH_BYTES], uint64_t dossier,
                      struct wf_error *err)
{
    struct wf_key key;
    struct wf_slice value;
    paper_key(&key, hash, dossier);
    return dossier != 0 ? wf_txn_get(txn, WF_TABLE_PAPERS, &key, &value, err)
                        : wf_txn_seek(txn, WF_TABLE_PAPERS, &key, WF_HASH_BYTES, &value, err);
}

struct visitor {
    int (*fn)(void *context, const uint8_t hash[WF_HASH_BYTES], uint64_t dossier);
    void *context;
};

static int visit(void *context, const struct wf_rows *rows, struct wf_slice value,
                 struct wf_error *err)
{
    const struct visitor *v = context;
    uint8_t hash[WF_HASH_BYTES];
    (void)value;
    if (rows->at.len != ROW_BYTES)
        return wf_fail(err, WF_E_CORRUPT, "papers: a key of %zu bytes", rows->at.len);
    memcpy(hash, rows->at.bytes, WF_HASH_BYTES);
    return v->fn(v->context, hash, wf_u64_load(rows->at.bytes + WF_HASH_BYTES));
}

int wf_paper_each(struct wf_txn *txn, const uint8_t *hash, const uint8_t *after,
                  int (*fn)(void *context, const uint8_t hash[WF_HASH_BYTES], uint64_t dossier),
                  void *context, struct wf_error *err)
{
    struct visitor v = {fn, context};
    struct wf_key from;
    wf_key_start(&from);
    if (hash != NULL)
        paper_key(&from, hash, 0);
    else if (after != NULL)
        paper_key(&from, after, UINT64_MAX);
    return wf_rows_each(txn, WF_TABLE_PAPERS, &from, hash != NULL ? WF_HASH_BYTES : 0, visit, &v,
                        err);
}

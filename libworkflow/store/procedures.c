/* SPDX-License-Identifier: Apache-2.0 */
/* Installed procedure versions, by code and version. */
#include <inttypes.h>

#include "store/txn.h"

static void procedure_key(struct wf_key *key, struct wf_str code, uint64_t version)
{
    wf_key_start(key);
    wf_key_text(key, code);
    wf_key_u8(key, 0);
    wf_key_u64(key, version);
}

int wf_procedure_put(struct wf_txn *txn, const struct wf_rec_procedure *procedure,
                     struct wf_error *err)
{
    struct wf_key key;
    procedure_key(&key, procedure->code, procedure->version);
    int rc = wf_txn_put_record(txn, WF_TABLE_PROCEDURES, &key, WF_REC_procedure, procedure,
                               WF_PUT_SET, err);
    if (rc < 0)
        return wf_wrap(err, "save version %" PRIu64 " of a procedure", procedure->version);
    txn->counts.procedures++;
    return 0;
}

int wf_procedure_get(struct wf_txn *txn, struct wf_str code, uint64_t version,
                     struct wf_arena *arena, struct wf_rec_procedure *out, struct wf_error *err)
{
    struct wf_key key;
    procedure_key(&key, code, version);
    return wf_txn_get_record(txn, WF_TABLE_PROCEDURES, &key, WF_REC_procedure, arena, out, err);
}

struct visitor {
    struct wf_arena *arena;
    int (*fn)(void *context, const struct wf_rec_procedure *procedure);
    void *context;
};

static int visit(void *context, const struct wf_rows *rows, struct wf_slice value,
                 struct wf_error *err)
{
    const struct visitor *v = context;
    struct wf_rec_procedure procedure;
    int rc = wf_txn_unpack(rows->table, WF_REC_procedure, value, v->arena, &procedure, err);
    return rc < 0 ? rc : v->fn(v->context, &procedure);
}

int wf_procedure_each(struct wf_txn *txn, struct wf_arena *arena,
                      int (*fn)(void *context, const struct wf_rec_procedure *procedure),
                      void *context, struct wf_error *err)
{
    struct visitor v = {arena, fn, context};
    struct wf_key from;
    wf_key_start(&from);
    return wf_rows_each(txn, WF_TABLE_PROCEDURES, &from, 0, visit, &v, err);
}

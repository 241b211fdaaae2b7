/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as they are stored, out of one store and into another one, whatever its page size is. */
#include "store/txn.h"

struct dump {
    enum wf_table table;
    int (*fn)(void *context, const char *table, struct wf_slice key, struct wf_slice value);
    void *context;
};

static int give(void *context, const struct wf_rows *rows, struct wf_slice value,
                struct wf_error *err)
{
    const struct dump *d = context;
    (void)err;
    return d->fn(d->context, wf_table_names[d->table], wf_key_slice(&rows->at), value);
}

int wf_dump_each(struct wf_txn *txn,
                 int (*fn)(void *context, const char *table, struct wf_slice key,
                           struct wf_slice value),
                 void *context, struct wf_error *err)
{
    struct wf_key from;
    int rc = 0;
    wf_key_start(&from);
    for (size_t i = 0; i < WF_TABLE_COUNT && rc == 0; i++) {
        struct dump d = {(enum wf_table)i, fn, context};
        rc = wf_rows_each(txn, d.table, &from, 0, give, &d, err);
    }
    return rc;
}

int wf_dump_put(struct wf_txn *txn, struct wf_str table, struct wf_slice key, struct wf_slice value,
                struct wf_error *err)
{
    struct wf_key k;
    wf_key_start(&k);
    wf_key_bytes(&k, key.ptr, key.len);
    for (size_t i = 0; i < WF_TABLE_COUNT; i++) {
        if (wf_str_is(table, wf_table_names[i]))
            return wf_txn_put(txn, (enum wf_table)i, &k, value, WF_PUT_SET, err);
    }
    return wf_fail(err, WF_E_VERSION, "there is no table %.*s in this release",
                   (int)(table.len < 40 ? table.len : 40), table.ptr);
}

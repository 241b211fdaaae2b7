/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An older store brought to this release's format: on a copy aside (aside.c), so that the old file
 * is whole until the new one is complete, checked and in its place. All steps are one transaction
 * of the copy.
 *
 * How to add a step: a row in `steps`, with the format that lacks what it makes, and a function in
 * the file that owns the table. New tables are there and empty when it is called, records of older
 * formats have their later fields empty, the keepers (create.c) are in place. It may be called for
 * millions of rows: it walks them by wf_rows_each, in an arena that it resets.
 *
 * Refused: changing the store in place. LMDB would make it as safe, yet a step that fails at the
 * end of a long work, for want of space too, would have grown the file; and what the check finds
 * after it would be found too late.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "store/aside.h"
#include "store/changes.h"
#include "store/env.h"
#include "workflow/archive.h"

struct step {
    uint64_t from; /* stores of this format and older ones need it */
    const char *name;
    int (*fn)(struct wf_txn *txn, struct wf_error *err);
};

static const struct step steps[] = {
    {1, "tallies", wf_tallies_fill},
    {1, "papers", wf_paper_rows_fill},
    {2, "task order", wf_task_order_fill},
    {0, NULL, NULL}, /* ends the list */
};

/* ---- the format's rows ----------------------------------------------------------------------- */

static void meta_key(struct wf_key *key, const char *name)
{
    wf_key_start(key);
    wf_key_text(key, wf_str(name));
}

static int put_format(struct wf_txn *txn, struct wf_error *err)
{
    struct wf_key key;
    struct wf_rec_meta meta = *wf_store_meta(txn->store);
    meta.format = WF_STORE_FORMAT;
    meta_key(&key, "meta");
    int rc = wf_txn_put_record(txn, WF_TABLE_META, &key, WF_REC_meta, &meta, WF_PUT_SET, err);
    meta_key(&key, "format");
    return rc == 0 ? wf_txn_put_number(txn, WF_TABLE_META, &key, WF_STORE_FORMAT, WF_PUT_SET, err)
                   : rc;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static int do_steps(struct wf_txn *txn, uint64_t from, wf_upgrade_fn *fn, void *context,
                    struct wf_error *err)
{
    int rc = wf_put_keepers(txn->mdb, txn->store->tables, err);
    for (size_t i = 0; steps[i].fn != NULL && rc == 0; i++) {
        if (steps[i].from < from)
            continue;
        fn(context, steps[i].name);
        rc = steps[i].fn(txn, err);
        if (rc < 0)
            return wf_wrap(err, "%s", steps[i].name);
        rc = WF_FAULT("store.upgrade.step");
        if (rc < 0)
            return wf_fail(err, rc, "fault point");
    }
    return rc == 0 ? put_format(txn, err) : rc;
}

static int change(const char *place, uint64_t map_bytes, uint64_t *out_from, wf_upgrade_fn *fn,
                  void *context, struct wf_error *err)
{
    const struct wf_store_options options = {.map_bytes = map_bytes};
    struct wf_store *store = NULL;
    struct wf_txn *txn = NULL;
    int rc = wf_store_open_older(place, &options, &store, err);
    if (rc == 0)
        rc = wf_txn_begin(store, true, &txn, err);
    if (rc == 0) {
        *out_from = wf_store_meta(store)->format;
        wf_changes_pause(txn); /* the archive ends here: all rows of a step at once are no change */
        rc = do_steps(txn, *out_from, fn, context, err);
        if (rc == 0)
            rc = wf_txn_commit(txn, err);
        else
            wf_txn_abort(txn);
    }
    if (rc == 0) /* an archive holds one format: it begins anew, with a new backup */
        rc = wf_archive_switch_off(store, err);
    wf_store_close(store);
    return rc;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Of this format already; what else is wrong with it comes to light on the way. */
static bool is_current(const char *path)
{
    static const struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    int rc = wf_store_open(path, &options, &store, NULL);
    wf_store_close(store);
    return rc == 0;
}

static void say_nothing(void *context, const char *step)
{
    (void)context;
    (void)step;
}

static int upgrade(struct wf_aside *aside, const char *path,
                   const struct wf_upgrade_options *options, wf_upgrade_fn *fn, void *context,
                   struct wf_upgrade *out, struct wf_error *err)
{
    char keep[40];
    fn(context, "copy");
    int rc = wf_aside_begin(aside, path, err);
    if (rc == 0)
        rc = change(aside->place, options->map_bytes, &out->from, fn, context, err);
    if (rc < 0)
        return rc;
    fn(context, "check");
    rc = wf_aside_check(aside, err);
    if (rc == 0)
        rc = wf_aside_sizes(aside, &out->before_bytes, &out->after_bytes, err);
    if (rc < 0 || options->dry_run)
        return rc;
    (void)snprintf(keep, sizeof(keep), WF_DATA_FILE ".format-%" PRIu64, out->from);
    return wf_aside_swap(aside, options->no_copy ? NULL : keep, err);
}

int wf_store_upgrade(const char *path, const struct wf_upgrade_options *options, wf_upgrade_fn *fn,
                     void *context, struct wf_upgrade *out, struct wf_error *err)
{
    static const struct wf_upgrade_options none;
    struct wf_upgrade done = {.from = WF_STORE_FORMAT, .to = WF_STORE_FORMAT};
    if (is_current(path)) {
        *out = done;
        return 0;
    }
    struct wf_aside *aside = wf_alloc(sizeof(*aside));
    if (aside == NULL)
        return wf_fail(err, WF_E_NOMEM, "upgrade the store");
    int rc = upgrade(aside, path, options != NULL ? options : &none, fn != NULL ? fn : say_nothing,
                     context, &done, err);
    wf_aside_end(aside);
    wf_free(aside);
    if (rc == 0)
        *out = done;
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a restored cell must not give a second time. Since its backup the cell that was lost has given
 * numbers: some stand on slips in citizens' hands and on parcels, others name leases that programs
 * still hold. How many is not known, so that a span of each series is passed over: of the codes of
 * today at every site (those of other days are given no more), of the item numbers of parcels as
 * much for each site, and of tasks, whose ids come from one series of 64 bits. Of the numbers that a
 * courier sells, which the book has, once as many and no more: a pool is small.
 */
#include "keep.h"
#include "restore.h"

#include <unistd.h>

#include "courier/book.h"
#include "workflow/identifiers.h"

#define TASKS 1000000 /* more than a cell opens between two backups */

static int take(struct hoso *h, struct wf_txn *txn, const char *series, uint64_t count,
                uint64_t most)
{
    uint64_t first = 0;
    int rc = wf_number_take(txn, wf_str(series), count, most, &first, &h->err);
    return rc == WF_E_FULL
               ? wf_fail(&h->err, rc,
                         "series %s has no %llu numbers left: choose a smaller --skip-numbers",
                         series, (unsigned long long)count)
               : rc;
}

static int skip_codes(struct hoso *h, struct wf_txn *txn, uint64_t count)
{
    const struct wf_clock clock = wf_txn_clock(txn);
    int64_t now = wf_business_ms(&clock, wf_real_ms());
    char series[WF_SERIES];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < h->registry->n_sites; i++) {
        struct wf_str site = wf_str(h->registry->sites[i].code);
        struct wf_civil day = wf_civil_of(wf_site_calendar(h->registry, h->calendar, site), now);
        wf_code_series(site, &day, h->settings.code_date, series);
        rc = take(h, txn, series, count, wf_code_most((int)h->settings.code_digits));
    }
    return rc;
}

static int skip_all(struct hoso *h, struct wf_txn *txn, uint64_t count)
{
    char series[WF_SERIES];
    wf_s10_series(h->settings.item_service, series);
    int rc = skip_codes(h, txn, count);
    if (rc == 0)
        rc = take(h, txn, series, count * h->registry->n_sites, WF_S10_MOST);
    if (rc == 0)
        wf_task_skip_ids(txn, TASKS);
    return rc;
}

int restore_skip_numbers(struct hoso *h, uint64_t count)
{
    const struct wf_store_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20};
    struct wf_store *store = NULL;
    struct wf_txn *txn = NULL;
    if (count == 0)
        return 0;
    int rc = hoso_registry(h);
    if (rc == 0)
        rc = hoso_calendar(h);
    if (rc == 0)
        rc = wf_store_open(h->settings.store, &options, &store, &h->err);
    if (rc == 0)
        rc = wf_txn_begin(store, true, &txn, &h->err);
    if (rc == 0)
        rc = skip_all(h, txn, count);
    if (rc == 0)
        rc = wf_txn_commit(txn, &h->err);
    else
        wf_txn_abort(txn);
    wf_store_close(store);
    return rc;
}

int restore_skip_items(struct hoso *h, int64_t count, int64_t *out)
{
    char path[4096];
    struct db *book = NULL;
    if (count == 0 || !keep_book_of(h->folder, "courier", path) || access(path, F_OK) != 0)
        return 0;
    int rc = book_mend(path, &book, &h->err);
    if (rc == 0)
        rc = book_pass_items(book, count, out, &h->err);
    db_close(book);
    return rc;
}

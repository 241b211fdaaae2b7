/* SPDX-License-Identifier: Apache-2.0 */
/* compact: the store's file as small as it can be; only while nobody has the store open. */
#include "keep.h"

static const struct hoso_column columns[] = {
    {"before", "File before", "Tệp trước", HOSO_BYTES},
    {"after", "File after", "Tệp sau", HOSO_BYTES},
};

int hoso_compact(struct hoso *h)
{
    uint64_t before = 0;
    uint64_t after = 0;
    bool done = false;
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = hoso_calendar(h);
    if (rc == 0)
        rc = keep_out_workers(h);
    if (rc == 0)
        rc = wf_store_compact(h->settings.store, &before, &after, &h->err);
    if (rc != 0)
        return rc;
    const struct wf_value *answer = hoso_map(h, "before", wf_int(h->arena, (int64_t)before),
                                             "after", wf_int(h->arena, (int64_t)after), NULL);
    rc = hoso_answer(h, answer, &done);
    return rc != 0 || done ? rc : hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
}

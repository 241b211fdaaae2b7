/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cell remembers of a station: two number series of its own, so that neither a hand-off nor a
 * provisional number can be given twice. Party names have no "|" in them.
 */
#include <stdio.h>

#include "store/txn.h"

#define SERIES_BYTES     96
#define HANDOFFS_MOST    (UINT64_MAX - 1)
#define PROVISIONAL_MOST UINT64_C(999999999)

static struct wf_str series_of(struct wf_str party, const char *what, char text[SERIES_BYTES])
{
    (void)snprintf(text, SERIES_BYTES, "station|%.*s|%s", WF_STR_ARG(party), what);
    return wf_str(text);
}

int wf_handoff_last(struct wf_txn *txn, struct wf_str party, uint64_t *out, struct wf_error *err)
{
    char text[SERIES_BYTES];
    return wf_number_last(txn, series_of(party, "handed", text), out, err);
}

int wf_handoff_take(struct wf_txn *txn, struct wf_str party, uint64_t count, struct wf_error *err)
{
    char text[SERIES_BYTES];
    uint64_t seq = 0;
    return wf_number_take(txn, series_of(party, "handed", text), count, HANDOFFS_MOST, &seq, err);
}

int wf_provisional_last(struct wf_txn *txn, struct wf_str party, uint64_t *out,
                        struct wf_error *err)
{
    char text[SERIES_BYTES];
    return wf_number_last(txn, series_of(party, "provisional", text), out, err);
}

int wf_provisional_take(struct wf_txn *txn, struct wf_str party, uint64_t count,
                        uint64_t *out_first, struct wf_error *err)
{
    char text[SERIES_BYTES];
    return wf_number_take(txn, series_of(party, "provisional", text), count, PROVISIONAL_MOST,
                          out_first, err);
}

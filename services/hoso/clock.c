/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the host's clock right? A battery that is empty, or a typing error in a date, would give every
 * dossier a wrong day, or let all timers run out at once, and that cannot be taken back. So a cell
 * does not start where the clock lies before its last event, or more than a year behind it.
 */
#include "hoso.h"
#include "tools.h"

#define DAY_MS   (INT64_C(24) * 60 * 60 * 1000)
#define BACK_MS  DAY_MS         /* a clock that runs a little fast is set back now and then */
#define AHEAD_MS (400 * DAY_MS) /* a cell may rest for a year */

struct last {
    int64_t ms; /* real time of the last event, else of the cell's making */
};

/* The journal has business time, which in a training cell is another one. */
static int read_last(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct last *last = context;
    struct wf_rec_event event;
    uint8_t hash[32];
    uint64_t head = wf_txn_counts(txn)->journal_seq;
    last->ms = wf_store_meta(h->store)->created;
    if (head == 0 || wf_store_clock(h->store).rate > 1)
        return 0;
    int rc = wf_journal_get(txn, head, h->arena, &event, hash, &h->err);
    if (rc == 0 && event.ms > last->ms)
        last->ms = event.ms;
    return rc < 0 ? rc : 0;
}

int hoso_check_clock(struct hoso *h)
{
    struct last last = {0};
    char now[40];
    char then[40];
    int rc = hoso_read(h, read_last, &last);
    int64_t real = wf_real_ms();
    if (rc != 0 || hoso_has(h, OPT_CLOCK_OK) ||
        (real > last.ms - BACK_MS && real < last.ms + AHEAD_MS))
        return rc;
    return wf_fail(&h->err, WF_E_CONFIG,
                   "the clock says %s, the last event of this cell is of %s: set the clock, or say "
                   "that it is right by --clock-ok",
                   tool_timestamp(h->calendar, real, now),
                   tool_timestamp(h->calendar, last.ms, then));
}

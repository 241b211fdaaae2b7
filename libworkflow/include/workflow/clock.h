/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/clock.h - the seam through which time comes in.
 *
 * PURPOSE    Nothing below the service runtime asks the system for the time: it is handed down.
 *            So tests, simulations and training cells run on a clock of their own.
 * CONCEPTS   business time   what dossiers live in: due dates, timers, journal. UTC milliseconds.
 *            real time       the wall clock: leases, back-off. UTC milliseconds.
 *            monotonic time  intervals inside one process: poll time-outs, watchdog;
 *                            summed up in the store, the age of request ids.
 *            rate            business seconds per real second; 1 except in a training cell.
 * DANGERS    with rate 1 business time is real time and the origin is ignored.
 */
#ifndef WORKFLOW_CLOCK_H
#define WORKFLOW_CLOCK_H

#include <stdint.h>

struct wf_clock {
    int64_t origin_real_ms;     /* real time at which the business clock was started */
    int64_t origin_business_ms; /* business time shown at that moment */
    int64_t rate;               /* 1 .. 1,000,000 */
};

int64_t wf_real_ms(void);
int64_t wf_monotonic_ms(void);
int64_t wf_monotonic_us(void);

/* Business time at the given real time. A zeroed clock counts as rate 1. */
int64_t wf_business_ms(const struct wf_clock *clock, int64_t real_ms);

/* Real milliseconds until the business clock shows `business_ms`; 0 when that is past. */
int64_t wf_real_until(const struct wf_clock *clock, int64_t business_ms, int64_t real_ms);

#endif

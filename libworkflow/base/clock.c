/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t wf_real_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t wf_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t wf_monotonic_ms(void)
{
    return wf_monotonic_us() / 1000;
}

int64_t wf_business_ms(const struct wf_clock *clock, int64_t real_ms)
{
    if (clock->rate <= 1)
        return real_ms;
    return clock->origin_business_ms + (real_ms - clock->origin_real_ms) * clock->rate;
}

int64_t wf_real_until(const struct wf_clock *clock, int64_t business_ms, int64_t real_ms)
{
    int64_t left = business_ms - wf_business_ms(clock, real_ms);
    if (left <= 0)
        return 0;
    return clock->rate <= 1 ? left : (left + clock->rate - 1) / clock->rate;
}

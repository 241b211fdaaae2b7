/* SPDX-License-Identifier: Apache-2.0 */
#include "bucket.h"

/* At n tokens a second, n thousandths come each millisecond. */
bool bucket_take(struct bucket *bucket, int64_t per_second, int64_t now_ms, int64_t *out_wait_ms)
{
    int64_t full = per_second * BUCKET_SECONDS * 1000;
    int64_t passed = now_ms - bucket->at_ms;
    if (full < 1000)
        full = 1000;
    if (bucket->at_ms == 0 || passed > BUCKET_SECONDS * 1000)
        bucket->thousandths = full;
    else if (passed > 0)
        bucket->thousandths += passed * per_second;
    if (bucket->thousandths > full)
        bucket->thousandths = full;
    if (bucket->at_ms == 0 || passed > 0)
        bucket->at_ms = now_ms;
    if (bucket->thousandths >= 1000) {
        bucket->thousandths -= 1000;
        return true;
    }
    *out_wait_ms = (1000 - bucket->thousandths + per_second - 1) / per_second;
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* services/bucket.h - how many requests a party may send by a door: tokens that come back with time. */
#ifndef HOSO_BUCKET_H
#define HOSO_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_SECONDS 2 /* of silence may be spent at once */

/* Zeroed = full at the first look. */
struct bucket {
    int64_t at_ms;       /* monotonic; 0 = never looked at */
    int64_t thousandths; /* of a token */
};

/* Takes one token; false where there is none, with the time until there will be. */
bool bucket_take(struct bucket *bucket, int64_t per_second, int64_t now_ms, int64_t *out_wait_ms);

#endif

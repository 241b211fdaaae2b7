/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/return/parcel.h - the life of a parcel that carries a result home. Pure.
 *
 * PURPOSE    Couriers' news arrive late, twice and out of order (polling, offline postmen). One
 *            table of states and events says what each piece of news changes, if anything.
 * CONCEPTS   attempt  1, 2, ... of delivery; news of an earlier attempt change nothing
 * ERRORS     none: news that do not fit are passed over (parcel_apply gives false)
 */
#ifndef HOSO_PARCEL_H
#define HOSO_PARCEL_H

#include "workflow/text.h"

/* clang-format off */
#define PARCEL_STATES(X)                    \
    X(CREATED,          "created")          \
    X(NUMBERED,         "numbered")         \
    X(COLLECTED,        "collected")        \
    X(IN_TRANSIT,       "in_transit")       \
    X(OUT_FOR_DELIVERY, "out_for_delivery") \
    X(FAILED,           "failed")           \
    X(RETURNING,        "returning")        \
    X(RETURNED,         "returned")         \
    X(DELIVERED,        "delivered")        \
    X(CANCELLED,        "cancelled")        \
    X(LOST,             "lost")             \
    X(DAMAGED,          "damaged")
/* clang-format on */

/* The state, and the news that it was reached. */
enum parcel_state {
#define X(name, word) PARCEL_##name,
    PARCEL_STATES(X)
#undef X
        PARCEL_STATE_COUNT
};

struct parcel {
    enum parcel_state state;
    int64_t attempt; /* of delivery; 0 before the first */
};

const char *parcel_word(enum parcel_state state);

/* False where there is no state of that name. */
bool parcel_of_word(struct wf_str word, enum parcel_state *out);

/* Takes one piece of news; attempt 0 = not said. True where something changed. */
bool parcel_apply(struct parcel *parcel, enum parcel_state news, int64_t attempt);

/* Delivered, returned, cancelled, lost or damaged: nothing changes it any more. */
bool parcel_is_over(const struct parcel *parcel);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each row is a state, each column a piece of news; y = the news is taken and becomes the state.
 *
 * News may jump forward, because some are never reported, and go back only from a failed attempt
 * to the next one. A parcel can be cancelled until it is collected, lost or damaged once it moves.
 * One that is on its way back can still be handed over. What is over stays: an older event never
 * undoes a delivery.
 */
#include "parcel.h"

static const char *const words[PARCEL_STATE_COUNT] = {
#define X(name, word) word,
    PARCEL_STATES(X)
#undef X
};

/* clang-format off */
static const char taken[PARCEL_STATE_COUNT][PARCEL_STATE_COUNT + 1] = {
    /*                    c n c i o f r r d c l d
     *                    r u o n u a e e e a o a
     *                    e m l t t i t t l n s m */
    [PARCEL_CREATED]          = "-yyyyyyyyyyy",
    [PARCEL_NUMBERED]         = "--yyyyyyyyyy",
    [PARCEL_COLLECTED]        = "---yyyyyy-yy",
    [PARCEL_IN_TRANSIT]       = "----yyyyy-yy",
    [PARCEL_OUT_FOR_DELIVERY] = "-----yyyy-yy",
    [PARCEL_FAILED]           = "----yyyyy-yy",
    [PARCEL_RETURNING]        = "-------yy-yy",
    [PARCEL_RETURNED]         = "------------",
    [PARCEL_DELIVERED]        = "------------",
    [PARCEL_CANCELLED]        = "------------",
    [PARCEL_LOST]             = "------------",
    [PARCEL_DAMAGED]          = "------------",
};
/* clang-format on */

const char *parcel_word(enum parcel_state state)
{
    return words[state];
}

bool parcel_of_word(struct wf_str word, enum parcel_state *out)
{
    for (size_t i = 0; i < PARCEL_STATE_COUNT; i++) {
        if (wf_str_is(word, words[i])) {
            *out = (enum parcel_state)i;
            return true;
        }
    }
    return false;
}

static bool counts_attempts(enum parcel_state news)
{
    return news == PARCEL_OUT_FOR_DELIVERY || news == PARCEL_FAILED;
}

/* Setting out after a failure, or failing where nobody was seen setting out, is a new attempt. */
static int64_t next_attempt(const struct parcel *parcel, enum parcel_state news)
{
    if (news == PARCEL_FAILED && parcel->state == PARCEL_OUT_FOR_DELIVERY)
        return parcel->attempt;
    return parcel->attempt + 1;
}

bool parcel_apply(struct parcel *parcel, enum parcel_state news, int64_t attempt)
{
    if (taken[parcel->state][news] != 'y')
        return false;
    if (!counts_attempts(news)) {
        parcel->state = news;
        return true;
    }
    /* The same failure told again, and old news of an attempt that has failed. */
    if (attempt == 0 && parcel->state == PARCEL_FAILED && news == PARCEL_FAILED)
        return false;
    if (attempt == 0)
        attempt = next_attempt(parcel, news);
    if (attempt < parcel->attempt || (attempt == parcel->attempt && parcel->state == PARCEL_FAILED))
        return false;
    parcel->attempt = attempt;
    parcel->state = news;
    return true;
}

bool parcel_is_over(const struct parcel *parcel)
{
    for (size_t i = 0; i < PARCEL_STATE_COUNT; i++) {
        if (taken[parcel->state][i] == 'y')
            return false;
    }
    return true;
}

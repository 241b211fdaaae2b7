/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/keys.h - composed keys: numbers big-endian, so that byte order is number order.
 *
 * A key is built straight through and checked once by whoever uses it: what does not fit into
 * WF_KEY_MAX sets `overflow`, which the transaction turns into WF_E_INVALID.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <string.h>

#include "workflow/hash.h"
#include "workflow/text.h"

#define WF_KEY_MAX 511 /* LMDB's own limit */

struct wf_key {
    size_t len;
    bool overflow;
    uint8_t bytes[WF_KEY_MAX];
};

static inline void wf_key_start(struct wf_key *key)
{
    key->len = 0;
    key->overflow = false;
}

static inline void wf_key_bytes(struct wf_key *key, const void *bytes, size_t length)
{
    if (length > WF_KEY_MAX - key->len) {
        key->overflow = true;
        return;
    }
    if (length > 0)
        memcpy(key->bytes + key->len, bytes, length);
    key->len += length;
}

static inline void wf_key_u8(struct wf_key *key, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    wf_key_bytes(key, &byte, 1);
}

static inline void wf_u64_store(uint8_t to[8], uint64_t value)
{
    for (int i = 7; i >= 0; i--) {
        to[i] = (uint8_t)value;
        value >>= 8;
    }
}

static inline uint64_t wf_u64_load(const uint8_t *from)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | from[i];
    return value;
}

static inline void wf_key_u64(struct wf_key *key, uint64_t value)
{
    uint8_t bytes[8];
    wf_u64_store(bytes, value);
    wf_key_bytes(key, bytes, sizeof(bytes));
}

/* Times are signed: with the sign bit turned over, byte order is time order. */
#define WF_KEY_SIGN (UINT64_C(1) << 63)

static inline void wf_key_time(struct wf_key *key, int64_t ms)
{
    wf_key_u64(key, (uint64_t)ms ^ WF_KEY_SIGN);
}

static inline int64_t wf_time_load(const uint8_t *from)
{
    return (int64_t)(wf_u64_load(from) ^ WF_KEY_SIGN);
}

/* The text itself (for lookups). */
static inline void wf_key_text(struct wf_key *key, struct wf_str text)
{
    wf_key_bytes(key, text.ptr, text.len);
}

/* Eight bytes that stand for the text (for indexes); the record tells whether it is the one. */
static inline void wf_key_hashed(struct wf_key *key, struct wf_str text)
{
    wf_key_u64(key, wf_text_key(text.len > 0 ? text.ptr : "", text.len));
}

static inline struct wf_slice wf_key_slice(const struct wf_key *key)
{
    return (struct wf_slice){key->bytes, key->len};
}

/* The key that starts the scan after every key with this prefix; false where there is none. */
static inline bool wf_key_after(struct wf_key *key)
{
    while (key->len > 0 && key->bytes[key->len - 1] == 0xff)
        key->len--;
    if (key->len == 0)
        return false;
    key->bytes[key->len - 1]++;
    return true;
}

#endif

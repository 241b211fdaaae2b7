/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/hash.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

/* Fixed, public keys: checksums must agree between processes and releases. */
static const unsigned char checksum_key[crypto_shorthash_KEYBYTES] = "hoso.record.sum";
static const unsigned char text_key[crypto_shorthash_KEYBYTES] = "hoso.index.key1";

/*
 * Nobody calls sodium_init here: these functions do without it, and it would only choose the vector
 * code of BLAKE2b, which today's AMD processors run at half the speed of the plain one.
 */

void wf_hash(const void *a, size_t a_bytes, const void *b, size_t b_bytes,
             uint8_t out[WF_HASH_BYTES])
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, WF_HASH_BYTES);
    (void)crypto_generichash_update(&state, a, a_bytes);
    if (b_bytes > 0)
        (void)crypto_generichash_update(&state, b, b_bytes);
    (void)crypto_generichash_final(&state, out, WF_HASH_BYTES);
}

bool wf_hash_file(int fd, uint8_t out[WF_HASH_BYTES])
{
    crypto_generichash_state state;
    unsigned char piece[16 * 1024];
    ssize_t n = 0;
    (void)crypto_generichash_init(&state, NULL, 0, WF_HASH_BYTES);
    while ((n = read(fd, piece, sizeof(piece))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        (void)crypto_generichash_update(&state, piece, (size_t)n);
    }
    (void)crypto_generichash_final(&state, out, WF_HASH_BYTES);
    return true;
}

static uint64_t short_hash(const void *bytes, size_t length, const unsigned char *key)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t word = 0;
    (void)crypto_shorthash(out, bytes, length, key);
    memcpy(&word, out, sizeof(word));
    return word;
}

uint32_t wf_checksum(const void *bytes, size_t length)
{
    return (uint32_t)short_hash(bytes, length, checksum_key);
}

uint64_t wf_text_key(const char *text, size_t length)
{
    return short_hash(text, length, text_key);
}

void wf_hex(const uint8_t *bytes, size_t length, char *out)
{
    (void)sodium_bin2hex(out, 2 * length + 1, bytes, length);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool wf_unhex(const char *text, size_t text_length, uint8_t *out, size_t length)
{
    if (text_length != 2 * length)
        return false;
    for (size_t i = 0; i < text_length; i++) {
        if (digit(text[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return true;
}

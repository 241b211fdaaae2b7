/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bearer tokens. A token is 32 random bytes, so its plain hash is as good as it is secret: no salt
 * and no slow hash are needed, and the registry of parties holds nothing that opens a door.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "bridge.h"
#include "workflow/hash.h"

#define SECRET_BYTES 32

int token_new(char out[TOKEN_SIZE], struct wf_error *err)
{
    uint8_t secret[SECRET_BYTES];
    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        return wf_fail(err, WF_E_IO, "get random bytes: %s", strerror(errno));
    memcpy(out, "hoso_", 5);
    wf_hex(secret, sizeof(secret), out + 5);
    explicit_bzero(secret, sizeof(secret));
    return 0;
}

void token_hash(const char *token, char out[TOKEN_HASH_SIZE])
{
    uint8_t hash[WF_HASH_BYTES];
    wf_hash(token, strlen(token), NULL, 0, hash);
    wf_hex(hash, sizeof(hash), out);
}

/* Looks at every byte, wherever the first difference is. */
static bool is_same(const char a[TOKEN_HASH_SIZE], const char *b)
{
    unsigned differs = 0;
    for (size_t i = 0; i < TOKEN_HASH_SIZE - 1; i++)
        differs |= (unsigned)((unsigned char)a[i] ^ (unsigned char)b[i]);
    return differs == 0;
}

const struct wf_party *token_party(const struct wf_parties *parties, const char *token)
{
    const struct wf_party *found = NULL;
    char hash[TOKEN_HASH_SIZE];
    token_hash(token, hash);
    for (size_t i = 0; i < wf_parties_count(parties); i++) {
        const struct wf_party *party = wf_parties_at(parties, i);
        for (size_t t = 0; t < party->tokens.n; t++) {
            if (is_same(hash, party->tokens.items[t]))
                found = party;
        }
    }
    return found != NULL && !found->revoked ? found : NULL;
}

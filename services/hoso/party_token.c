/* SPDX-License-Identifier: Apache-2.0 */
/*
 * party token: a new token for the HTTP bridge. It is shown once; the party's file gets its hash.
 * The newest two tokens hold, so that a party can change over without a gap.
 */
#include "party_file.h"

#include <string.h>

#include "bridge/bridge.h"

static int store_token(struct hoso *h, const struct wf_party *found, const char *token)
{
    char hash[TOKEN_HASH_SIZE];
    const char *path = NULL;
    token_hash(token, hash);
    const char *both[2] = {hash, found->tokens.n > 0 ? found->tokens.items[0] : NULL};
    struct wf_party changed = *found;
    changed.tokens = (struct wf_texts){both, both[1] != NULL ? 2 : 1};
    return party_write(h, &changed, &path);
}

static int say(struct hoso *h, const char *name, const char *token)
{
    bool done = false;
    int rc = hoso_answer(
        h, hoso_map(h, "party", wf_text(h->arena, name), "token", wf_text(h->arena, token), NULL),
        &done);
    if (rc == 0 && !done) {
        (void)printf("%s\n", token);
        (void)fputs("Hand it over safely: it is not shown again. The one before it still holds, an "
                    "older one does not.\n",
                    stderr);
    }
    return rc;
}

int hoso_party_token(struct hoso *h)
{
    const char *name = h->args[0];
    char token[TOKEN_SIZE] = "";
    struct wf_parties *parties = NULL;
    int rc = party_take_turn(h);
    if (rc == 0)
        rc = party_registry(h, &parties);
    if (rc != 0)
        return rc;
    const struct wf_party *found = wf_party_by_name(parties, wf_str(name));
    if (found == NULL)
        rc = wf_fail(&h->err, WF_E_NOT_FOUND, "no party %s: `hoso party add` registers one", name);
    if (rc == 0)
        rc = token_new(token, &h->err);
    if (rc == 0 && found != NULL)
        rc = store_token(h, found, token);
    if (rc == 0)
        rc = say(h, name, token);
    explicit_bzero(token, sizeof(token));
    wf_parties_free(parties);
    return rc;
}

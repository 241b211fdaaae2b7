/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/keypair.h - CURVE key pairs and the files that hold them.
 *
 * PURPOSE    Gate and parties prove who they are by a key pair. A public key goes around freely; a
 *            secret one lies in one file, which nobody but its owner may read.
 * CONCEPTS   Z85    how ZeroMQ writes a key: 40 printable characters, without quotes or backslash
 *            file   text: public = "..."; secret = "..."; and, in a party's file, what it connects
 *                   to: gate = "..." (the gate's public key) and endpoint = "tcp://...".
 * ERRORS     WF_E_CONFIG for a file that is open to others, damaged, or holds a key that stands
 *            printed in ZeroMQ's manual; WF_E_STATE where the file to be written is there already.
 * DANGERS    wipe a pair after use (wf_keypair_wipe); no text of an error ever holds a secret.
 */
#ifndef WORKFLOW_KEYPAIR_H
#define WORKFLOW_KEYPAIR_H

#include <stdbool.h>

#include "workflow/error.h"

#define WF_KEY_SIZE 41 /* 40 characters and NUL */

struct wf_keypair {
    char public[WF_KEY_SIZE];
    char secret[WF_KEY_SIZE];
};

/* What else a party's key file may say; empty where it does not. */
struct wf_key_place {
    char gate[WF_KEY_SIZE];
    char endpoint[256];
};

int wf_keypair_new(struct wf_keypair *out, struct wf_error *err) WF_CHECKED;
void wf_keypair_wipe(struct wf_keypair *pair);

/* Z85 of 32 bytes? */
bool wf_key_is_valid(const char *key);
/* One of the test keys that ZeroMQ's manual prints: everybody has their secrets. */
bool wf_key_is_printed(const char *public_key);

/* `place` may be NULL. The new file has mode 0600 and is on disk when this returns. */
int wf_keypair_write(const char *path, const struct wf_keypair *pair,
                     const struct wf_key_place *place, struct wf_error *err) WF_CHECKED;
int wf_keypair_read(const char *path, struct wf_keypair *out, struct wf_key_place *out_place,
                    struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* hoso/party_file.h - CELL/parties/NAME.cfg, written so that a reader sees it whole or not at all. */
#ifndef HOSO_PARTY_FILE_H
#define HOSO_PARTY_FILE_H

#include "hoso.h"
#include "workflow/keypair.h"
#include "workflow/parties.h"

/* The registry of the cell, all its files right; free it with wf_parties_free. */
int party_registry(struct hoso *h, struct wf_parties **out) WF_CHECKED;

/*
 * For verbs that write, before they read: until the command ends no other one changes a party, so
 * that what one has revoked is not brought back by another that had read the file before.
 */
int party_take_turn(struct hoso *h) WF_CHECKED;

/*
 * Writes the party's file, new or in place of the old one; gives its path, of the arena. WF_E_CONFIG
 * where it could not be read back: one such file would keep the whole registry from being read.
 */
int party_write(struct hoso *h, const struct wf_party *party, const char **out_path) WF_CHECKED;

/* The gate's public key; its pair is made where there is none yet. */
int party_gate_key(struct hoso *h, char out_public[WF_KEY_SIZE], bool *out_made) WF_CHECKED;

/* Writes a new pair for the party with all that it needs to connect (--output, else NAME.key here);
 * gives the public key and the path, of the arena. */
int party_new_key(struct hoso *h, const char *name, const char **out_public,
                  const char **out_path) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/hash.h - fingerprints: BLAKE2b for proofs, SipHash for checksums (libsodium).
 */
#ifndef WORKFLOW_HASH_H
#define WORKFLOW_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WF_HASH_BYTES 32

/* BLAKE2b-256 over one or two byte ranges (the second may be NULL, 0). */
void wf_hash(const void *a, size_t a_bytes, const void *b, size_t b_bytes,
             uint8_t out[WF_HASH_BYTES]);

/* The same over a file from where it stands to its end; false where reading failed (errno). */
bool wf_hash_file(int fd, uint8_t out[WF_HASH_BYTES]);

/* 32-bit checksum of a stored record: guards against damage, not against an attacker. */
uint32_t wf_checksum(const void *bytes, size_t length);

/* 64-bit key of a text for index keys; equal texts, equal keys, in every process and release. */
uint64_t wf_text_key(const char *text, size_t length);

/* Lower-case hex with NUL; out holds 2 * length + 1 bytes. */
void wf_hex(const uint8_t *bytes, size_t length, char *out);

/* The way back: true where the text is 2 * length lower-case hex digits. */
bool wf_unhex(const char *text, size_t text_length, uint8_t *out, size_t length);

#endif

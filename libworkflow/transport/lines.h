/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/lines.h - the connections of a door: whose they are, and how many each owner has.
 *
 * PURPOSE    ZeroMQ tells which descriptor came or left, and whose key a handshake proves, but never
 *            both at once; only a message has both. So an owner's connections are those that have
 *            spoken, exactly, and the handshakes granted lately that have not: an upper bound, since
 *            a connection that stays silent is ended.
 * CONCEPTS   line   one accepted connection, by its descriptor
 *            owner  who its key belongs to, by name
 * THREADS    all functions take the lock; wf_lines_grant is called by the handler of keys.
 */
#ifndef TRANSPORT_LINES_H
#define TRANSPORT_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "workflow/keypair.h"

#define WF_OWNER_SIZE   WF_KEY_SIZE /* a party's name, or a key */
#define WF_ADDRESS_SIZE 46

struct wf_lines;

/* `most` lines of one owner, 0 = no bound; a line that has said nothing for silent_ms is ended. */
int wf_lines_new(size_t most, int64_t silent_ms, struct wf_lines **out,
                 struct wf_error *err) WF_CHECKED;
void wf_lines_free(struct wf_lines *lines); /* NULL is fine */

/* May one more of the owner's come? Then it is counted until it speaks or must have been ended. */
bool wf_lines_grant(struct wf_lines *lines, const char *owner, int64_t now_ms);

/* false: it is counted already, since the end of the one before it was never told. */
bool wf_lines_came(struct wf_lines *lines, int fd, int64_t now_ms);
/* false: it was not counted. Where from, into `address`; "" where it is not known. */
bool wf_lines_left(struct wf_lines *lines, int fd, char address[WF_ADDRESS_SIZE]);
/* Is it known already as a line of this key? Then nothing is to be done. */
bool wf_lines_has(struct wf_lines *lines, int fd, const char *key);
void wf_lines_spoke(struct wf_lines *lines, int fd, const char *key, const char *name);

/* Ends the silent ones, at most once a second. */
void wf_lines_sweep(struct wf_lines *lines, int64_t now_ms);

#endif

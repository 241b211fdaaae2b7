/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/zap.h - who may connect: ZeroMQ's authentication handler (RFC 27) in its own thread.
 *
 * PURPOSE    ZeroMQ asks for every new connection to a CURVE server. Without a handler it lets
 *            everybody in, so the handler is there before the first socket is bound.
 * THREADS    wf_zap_allow from any thread. wf_zap_end after the sockets of the context are closed;
 *            it shuts the context down (and leaves wf_context_end to the caller).
 */
#ifndef TRANSPORT_ZAP_H
#define TRANSPORT_ZAP_H

#include <stddef.h>
#include <stdint.h>

#include "transport/lines.h"
#include "workflow/door.h"

struct wf_zap;

/* `lines` says who has too many already. */
int wf_zap_begin(void *context, struct wf_lines *lines, struct wf_zap **out,
                 struct wf_error *err) WF_CHECKED;
void wf_zap_end(struct wf_zap *zap); /* NULL is fine */

int wf_zap_allow(struct wf_zap *zap, const struct wf_door_key *keys, size_t n,
                 struct wf_error *err) WF_CHECKED;
/* Whose a key is; false where it is not of the list. */
bool wf_zap_owner(struct wf_zap *zap, const char *key, char out[WF_OWNER_SIZE]);

/* Refusals are counted, and some kept until they are asked for. */
void wf_zap_note(struct wf_zap *zap, enum wf_refused why, const char *address);
uint64_t wf_zap_refused(struct wf_zap *zap, enum wf_refused why);
void wf_zap_forget(struct wf_zap *zap); /* those so far: of the proof */
int wf_zap_next(struct wf_zap *zap, struct wf_refusal *out) WF_CHECKED; /* WF_NONE: no more */

#endif

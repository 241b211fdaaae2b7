/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/gated.h - a cell of real processes with a gate, and parties that come through it. */
#ifndef TESTS_SUPPORT_GATED_H
#define TESTS_SUPPORT_GATED_H

#include "support/audit.h"

#define COUNTER_SITE "000.00.13.H30"

struct gated {
    struct host host;
    char endpoint[64];
    char gate_key[WF_KEY_SIZE]; /* public */
};

/* Makes the cell, starts workers and gate. `settings` may be "". */
void gated_new(struct gated *g, const char *settings);
void gated_close(struct gated *g); /* all must stop in good order */

/* Registers a counter that may file everything at COUNTER_SITE; `rate` 0 = the gate's default. */
void gated_party(struct gated *g, const char *name, const char *site, unsigned rate);
/* The pair in the key file NAME.key of the cell. */
struct wf_keypair gated_keys(const struct gated *g, const char *name);

struct wf_client *gated_client(const struct gated *g, const struct wf_keypair *keys,
                               const char *server_key, int64_t timeout_ms);
/* One with the party's own key, patient; waits until the gate knows it. */
struct wf_client *gated_open(const struct gated *g, const char *name);

/* Asks a worker how it is: the code. */
int gated_ask(struct wf_client *client, struct wf_error *err);

/* Files a six-step dossier with this note; it must be taken. */
struct acknowledged gated_submit(struct wf_client *client, const char *note);
int gated_get(struct wf_client *client, const char *code, struct wf_error *err);
/* Waits for all work, stops all, looks at the store, and clears up. */
void gated_end(struct gated *g, const struct acknowledged *acks, size_t n);

#endif

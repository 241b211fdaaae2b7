/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/trial.h - a procedure of a scenario's own, open to all channels.
 *
 * It registers a dossier and goes to the state `work`; the test gives settings and states. Limit: 3
 * working days. The code is TRIAL.
 */
#ifndef TESTS_SUPPORT_TRIAL_H
#define TESTS_SUPPORT_TRIAL_H

#include "support/steps.h"

#define TRIAL "1.000088"

/* Must be sound. `channels` NULL = all three. */
void install_trial(struct cell *cell, const char *channels, const char *settings,
                   const char *states);

/* A dossier of TRIAL that may be changed before it is filed: at SITE by a civil servant. */
struct wf_msg_dossier_submit trial(struct cell *cell);
const char *submit_trial(struct cell *cell, const char *site, const char *channel);

/* The text of the refusal, which must have this code word. Nothing may be stored. */
const char *refusal(struct cell *cell, enum wf_message type, const void *body, const char *word);
const char *refused_event(struct cell *cell, const char *code, const char *event, const char *role);

/* The dossier as it is stored. */
struct wf_rec_dossier stored_trial(struct cell *cell, const char *code);

#endif

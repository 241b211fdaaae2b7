/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/forms.h - dossiers as people bring them to the counters of the pilot.
 */
#ifndef DEMO_FORMS_H
#define DEMO_FORMS_H

#include "workflow/messages.h"

/*
 * The n-th dossier of a seed: procedure, site, channel, acting person, data and papers. Gives
 * false when memory is out. Some are incomplete (and say so), some are filed by an agent.
 */
bool form_fill(uint64_t seed, uint64_t n, struct wf_arena *arena,
               struct wf_msg_dossier_submit *out);

/* A paper as the counter enters it; kind by its id. */
const struct wf_value *form_paper(struct wf_arena *arena, const char *id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/replay.h - what would have become of a real dossier under another definition?
 *
 * PURPOSE    Walks the events of one dossier's history through a candidate definition and tells
 *            whether it ends where the dossier is, and if not, at which event the ways part.
 * CONCEPTS   parting   the first event after which the candidate stands in other innermost states
 *                      than the journal says
 * HOW        `submit` starts the candidate with the fields that came with it; later events follow
 *            with their data; fields that a supplement brought are laid over. What the candidate
 *            sends itself without delay is fed where the history does not bring it. Deadlines and
 *            delayed events are those of the history: time is not simulated. Operators' notes are
 *            left out. Of a migrated dossier only the end is compared with what the other chart
 *            made of it, so states renamed by it count as other states.
 * OWNERSHIP  the answer lives in the arena, and borrows from the history and the candidate.
 * ERRORS     NOMEM; STATE where the history does not begin with its submission. What goes wrong in
 *            the candidate's chart is an answer: WF_REPLAY_ERROR.
 */
#ifndef WORKFLOW_REPLAY_H
#define WORKFLOW_REPLAY_H

#include "workflow/procedure.h"
#include "workflow/records.h"

enum wf_replay_class {
    WF_REPLAY_SAME,    /* ends or stands as it really does */
    WF_REPLAY_OUTCOME, /* ends otherwise, or only one of the two has ended */
    WF_REPLAY_STATE,   /* stands in other states, or has another status */
    WF_REPLAY_UNTAKEN, /* differs from an event on that the candidate does not take */
    WF_REPLAY_ERROR,   /* differs from an event on at which its chart failed */
    WF_REPLAY_CLASSES
};

struct wf_replay_case {
    const struct wf_rec_dossier *dossier;
    const struct wf_rec_event *events; /* the whole history */
    size_t n;
    bool has_agent;
    const char *model; /* of the site of reception, as wf_site_model_name */
};

struct wf_replay {
    enum wf_replay_class what;
    const char *event;                /* at which the ways part; NULL where they do not */
    const struct wf_value *was, *now; /* innermost states after it: of the journal, the candidate */
    const char *outcome;              /* the candidate's; NULL where it has not ended */
    int status;                       /* the candidate's */
    const char *error;                /* of WF_REPLAY_ERROR, else NULL */
};

int wf_replay(const struct wf_procedure *candidate, const struct wf_replay_case *of,
              struct wf_arena *arena, struct wf_replay *out, struct wf_error *err) WF_CHECKED;

#endif

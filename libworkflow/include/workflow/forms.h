/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/forms.h - the national forms of the one-stop, by the law that holds for a dossier.
 *
 * PURPOSE    Numbers and titles of the forms: set 2018 of Circular 01/2018/TT-VPCP, set 2025 of
 *            Circular 03/2025/TT-VPCP under Decree 118/2025, in force from 1 July 2025.
 * CONCEPTS   set        belongs to the procedure version; where that says nothing, to the day of
 *                       receipt, so that a dossier never changes its set
 * SOURCES    titles of 2018 are those of the circular; the Vietnamese ones of 2025 that differ are
 *            worded after its list of forms and await a look at the circular itself.
 */
#ifndef WORKFLOW_FORMS_H
#define WORKFLOW_FORMS_H

#include "workflow/procedure.h"

#define WF_FORMS_2025_DAY "2025-07-01"

enum wf_form {
    WF_FORM_RECEIPT,    /* with the appointment */
    WF_FORM_SUPPLEMENT, /* what is to be added or mended */
    WF_FORM_REFUSAL,
    WF_FORM_APOLOGY, /* with a new date */
    WF_FORM_STOPPING,
    WF_FORM_CONTROL, /* slip of the hand-overs */
    WF_FORM_REGISTER
};
#define WF_FORM_COUNT 7

struct wf_form_row {
    const char *number; /* "01" */
    struct wf_bilingual title;
};

/* NULL where the set has no such form: 2018 has none for stopping. The set must not be BY_DAY. */
const struct wf_form_row *wf_form(enum wf_form_set set, enum wf_form form);

/* The set of a dossier that was received at this moment; never BY_DAY. */
enum wf_form_set wf_form_set_of(const struct wf_procedure *p, int64_t received_ms);
const char *wf_form_set_name(enum wf_form_set set); /* "2018", "2025" */

/* The form that a message of this template announces; false where it announces none. */
bool wf_form_of_template(const char *template_id, enum wf_form *out);

#endif

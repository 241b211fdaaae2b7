/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/common.h - the few lines that activities of all services share.
 *
 * PURPOSE    Ending a work, opening a task and reading a result, each with its check for memory
 *            in one place.
 * ERRORS     WF_E_NOMEM; hoso_need_*: WF_E_INVALID with field "result.NAME".
 */
#ifndef HOSO_COMMON_H
#define HOSO_COMMON_H

#include "workflow/engine.h"

/* Place of reception of the dossier, NUL-terminated; NULL when memory is out. */
const char *hoso_site(struct wf_work *work);

/* A text parameter of the work; "" where it was not given. */
const char *hoso_param(struct wf_work *work, const char *name);

/* The work's own parameters, to be added to; never NULL where memory is there. */
struct wf_value *hoso_params_copy(struct wf_work *work);

/* A setting that is a number, held between the two. */
int64_t hoso_number_setting(struct wf_work *work, const char *name, int64_t least, int64_t most);

/* Ends the work with data. */
int hoso_done(struct wf_work *work, const struct wf_value *data, struct wf_error *err) WF_CHECKED;

/* Opens a task at `to` (NULL or "" = the dossier's site); role NULL = the invoke's, or anyone. */
int hoso_open(struct wf_work *work, const char *to, const char *role, const struct wf_value *params,
              struct wf_error *err) WF_CHECKED;

/* The invoke's role, or the given one where the definition names none. */
const char *hoso_role(struct wf_work *work, const char *otherwise);

/* What somebody outside gave as result: a text that is not empty. */
int hoso_need_text(const struct wf_value *result, const char *name,
                   struct wf_error *err) WF_CHECKED;

/* As above, and one of the words. */
int hoso_need_word(const struct wf_value *result, const char *name, const char *const *words,
                   size_t n_words, struct wf_error *err) WF_CHECKED;

/* Nothing, or a value of this type. */
int hoso_may_be(const struct wf_value *result, const char *name, enum wf_type type,
                struct wf_error *err) WF_CHECKED;

#endif

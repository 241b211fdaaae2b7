/* SPDX-License-Identifier: Apache-2.0 */
/* procedure/explain.h - inside the page for the people at the desk. */
#ifndef PROCEDURE_EXPLAIN_H
#define PROCEDURE_EXPLAIN_H

#include "tools.h"

struct page {
    struct view v;
    const struct wf_registry *registry; /* or NULL */
    struct wf_buf *out;
};

#define SAY(page, vi, en) ((page)->v.vietnamese ? (vi) : (en))

/* ---- explain_words.c: names of this system in words a clerk knows -------------------------- */

const char *say_role(const struct page *page, const char *id);
const char *say_outcome(const struct page *page, const char *outcome);

/* What a state starts: one sentence. */
void say_invoke(const struct page *page, const struct wf_node *invoke);

/* When a way out is taken; `is_rest`: an earlier one of the same event has a condition. */
void say_trigger(const struct page *page, const struct wf_node *transition, bool is_rest);

/* A condition with the titles of fields for their ids. */
void say_condition(const struct page *page, const char *cond);

/* What actions do for people, joined by "; "; false where that is nothing. */
bool say_actions(const struct page *page, const struct wf_node *group, const char *key,
                 bool is_first);

/* A duration as written in a definition. */
void say_duration(const struct page *page, const char *text);

/* ---- explain_steps.c ----------------------------------------------------------------------- */

void explain_steps(const struct page *page);
void explain_lateness(const struct page *page);
void explain_endings(const struct page *page);

#endif

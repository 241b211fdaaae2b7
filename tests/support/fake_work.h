/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/fake_work.h - an activity at work without engine and store.
 *
 * The fake keeps what a handler did: tasks opened, how the work ended, what it remembers, its news.
 * A test sets the public members, calls a handler and looks at them again.
 */
#ifndef TESTS_SUPPORT_FAKE_WORK_H
#define TESTS_SUPPORT_FAKE_WORK_H

#include "workflow/engine.h"

#define FAKE_TASKS 8

struct wf_work {
    struct wf_arena *arena;
    int64_t now;
    struct wf_procedure procedure;
    struct wf_registry registry;
    struct wf_calendar *calendar;
    struct wf_rec_dossier dossier;
    struct wf_rec_content content;
    const struct wf_value *params;
    const struct wf_value *memory;
    const char *role;
    const char *settings[16];             /* name, value, name, value ... NULL */
    struct wf_rec_task tasks[FAKE_TASKS]; /* ever opened, in order */
    size_t n_tasks;
    size_t open;                   /* what wf_work_open_tasks says */
    const struct wf_value *result; /* of done; NULL = not ended so */
    const char *failure;           /* of fail */
    const struct wf_value *news;   /* of the last progress */
    size_t n_news;
    uint64_t number;  /* last given out */
    char series[100]; /* of it */
};

/* A work at site 000.00.13.H30 on 2026-11-23 09:10 with empty content. */
struct wf_work *fake_work_new(void);
void fake_work_free(struct wf_work *work);

/* Texts in the work's arena. */
const struct wf_value *fake_text(struct wf_work *work, const char *text);
/* A map of texts: name, value, name, value ... NULL. */
struct wf_value *fake_map(struct wf_work *work, ...);

#endif

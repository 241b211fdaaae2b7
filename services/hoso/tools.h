/* SPDX-License-Identifier: Apache-2.0 */
/* services/hoso/tools.h - what the verbs on definitions and on exports share. */
#ifndef HOSO_TOOLS_H
#define HOSO_TOOLS_H

#include "hoso.h"

struct definition {
    const struct wf_procedure *procedure;
    struct wf_procedure *own; /* read from a file: to be freed */
};

/*
 * The definition in a file, or an installed one by its code ("1.004873", "1.004873@2"). Messages on
 * the file go to standard error. A cell is needed for codes only.
 */
int tool_definition(struct hoso *h, const char *name, struct definition *out) WF_CHECKED;
void tool_definition_fini(struct definition *definition);

/* The cell's calendar, or outside of a cell the one delivered with the program. */
int tool_calendar(struct hoso *h) WF_CHECKED;

/* Where an answer goes: --output or standard output. */
struct output {
    FILE *file;
    const char *name; /* NULL = standard output */
};

/* A new file is for everybody whom the umask lets, or for its owner only where it is `is_private`. */
int tool_output_open(struct hoso *h, bool is_private, struct output *out) WF_CHECKED;
/* Ends and syncs the file; where rc or writing failed the half-written file is taken away. */
int tool_output_close(struct hoso *h, struct output *output, int rc) WF_CHECKED;

/* Writes the buffer as a whole; the buffer is emptied. */
int tool_write(struct hoso *h, const struct output *output, struct wf_buf *text) WF_CHECKED;

/* Opens, writes, closes; with --json {"text": ...}, unless it goes to a file. Frees the buffer. */
int tool_give(struct hoso *h, struct wf_buf *take_text) WF_CHECKED;

/* "2026-11-23T08:00:00.000+07:00" in the zone of the calendar. */
const char *tool_timestamp(const struct wf_calendar *calendar, int64_t ms, char buf[40]);

#endif

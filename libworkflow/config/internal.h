/* SPDX-License-Identifier: Apache-2.0 */
/* config/internal.h - what the files of this folder share. */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "workflow/config.h"

#define MAX_FILE_BYTES     ((size_t)64 * 1024)
#define MAX_DEPTH          32
#define MAX_GROUP_SETTINGS 2000  /* libconfig's cost is the square of it */
#define MAX_SETTINGS       20000 /* of the whole file */
#define MAX_NAME_BYTES     64

struct wf_config {
    struct wf_arena *arena; /* nodes, names, texts, texts of key tables */
    const char *name;       /* of the file, for messages */
    struct wf_str source;
    const struct wf_node *root;
};

/*
 * Reports what libconfig would misread in silence and writes to `out` a text that it reads right:
 * same lines, every integer marked as 64-bit, comments and byte order mark blanked out.
 */
void config_lex(const char *name, struct wf_str text, struct wf_report *report, struct wf_buf *out);

/* Parses lexed text with libconfig and copies it to config->root. */
int config_build(struct wf_config *config, const char *lexed, struct wf_report *report,
                 struct wf_error *err) WF_CHECKED;

#endif

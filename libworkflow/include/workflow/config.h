/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/config.h - settings and definitions: libconfig text to checked, typed structs.
 *
 * PURPOSE    One way in for every text file that an operator writes. The text is read strictly
 *            (what libconfig passes over in silence is an error here), turned into a tree of
 *            nodes that remember where they stand, and read into structs by key tables.
 * CONCEPTS   node     one setting with name, value, file and line
 *            key      a row of a key table: name, type, offset in the struct, range, default, help
 *            report   all that is wrong with a file, collected, not just the first
 * LIFE CYCLE wf_config_read -> wf_keys_read ... -> wf_config_free (frees all nodes and texts)
 * OWNERSHIP  nodes and their texts live in the wf_config; structs filled by wf_keys_read borrow
 *            texts from it. A report owns its messages until wf_report_fini.
 * ERRORS     WF_E_CONFIG with the first message in err and all of them in the report; WF_E_IO,
 *            WF_E_NOMEM. Each message reads "file:line: what: why: how to mend".
 * DANGERS    files are at most 64 KiB, nested at most 32 deep, and cannot include others.
 */
#ifndef WORKFLOW_CONFIG_H
#define WORKFLOW_CONFIG_H

#include "workflow/error.h"
#include "workflow/text.h"
#include "workflow/value.h"

/* ---- reports ------------------------------------------------------------------------------ */

struct wf_finding {
    const char *file; /* as given by the user */
    int line;         /* 1-based; 0 = the file as a whole */
    bool is_warning;
    const char *text; /* "what: why: how to mend" */
    void *memory;     /* of file and text; the report's own */
};

struct wf_report {
    struct wf_finding *messages;
    size_t n;
    size_t cap;
    size_t errors;     /* messages that are no warnings, the dropped ones among them */
    size_t dropped;    /* not kept: beyond the limit of 200, or out of memory */
    bool is_installed; /* set by the caller: the texts are in use already, newer rules only warn */
};

void wf_report_fini(struct wf_report *report);

/* Adds an error or warning; the format should give the three parts "what: why: how". */
void wf_report_error(struct wf_report *report, const char *file, int line, const char *fmt, ...)
    WF_PRINTF(4, 5);
void wf_report_warn(struct wf_report *report, const char *file, int line, const char *fmt, ...)
    WF_PRINTF(4, 5);

/*
 * For a rule that earlier releases did not know: an error, but a warning where is_installed. What
 * they have let in is in use, and must go on.
 */
void wf_report_newer_rule(struct wf_report *report, const char *file, int line, const char *fmt,
                          ...) WF_PRINTF(4, 5);

/* "file:line: text" of message i in buf; returns buf. */
const char *wf_report_line(const struct wf_report *report, size_t i, char *buf, size_t size);

/* 0 where the report holds no errors, else WF_E_CONFIG with the first error's line in err. */
int wf_report_result(const struct wf_report *report, struct wf_error *err) WF_CHECKED;

/*
 * The same for what came after the first `errors_before` errors (report->errors as it was): whether
 * one step that shares the report with others has gone wrong.
 */
int wf_report_result_since(const struct wf_report *report, size_t errors_before,
                           struct wf_error *err) WF_CHECKED;

/* The candidate nearest to a misspelt word (edit distance <= 2), or NULL. */
const char *wf_nearest(const char *word, const char *const *candidates, size_t n);

/* ---- nodes -------------------------------------------------------------------------------- */

enum wf_node_type {
    WF_NODE_GROUP,
    WF_NODE_LIST,
    WF_NODE_TEXT,
    WF_NODE_INT,
    WF_NODE_NUMBER,
    WF_NODE_BOOL
};

struct wf_node {
    enum wf_node_type type; /* libconfig arrays and lists are both LIST */
    const char *name;       /* "" for elements of lists and for the root */
    const char *file;
    int line;
    const struct wf_node *parent; /* NULL for the root */
    union {
        struct wf_str text; /* NUL-terminated too */
        int64_t integer;
        double number;
        bool boolean;
        struct {
            const struct wf_node **items;
            size_t n;
        } children; /* GROUP and LIST, in document order */
    } u;
};

struct wf_config;

/* Reads and checks the syntax of a file. *out is set on success only. report must be zeroed. */
int wf_config_read(const char *path, struct wf_report *report, struct wf_config **out,
                   struct wf_error *err) WF_CHECKED;

/* The same for text in memory; `name` stands for the file in messages. */
int wf_config_parse(const char *name, const char *text, size_t length, struct wf_report *report,
                    struct wf_config **out, struct wf_error *err) WF_CHECKED;

void wf_config_free(struct wf_config *config);
const struct wf_node *wf_config_root(const struct wf_config *config); /* a GROUP */

/* The text that was read, for storing a definition as it was written. */
struct wf_str wf_config_source(const struct wf_config *config);

const struct wf_node *wf_node_child(const struct wf_node *group, const char *name); /* or NULL */
size_t wf_node_count(const struct wf_node *node); /* children; 0 for scalars */
const struct wf_node *wf_node_at(const struct wf_node *node, size_t i);
const char *wf_node_type_name(enum wf_node_type type); /* "group", "text", ... */

/* The node as a value (groups become maps): for free-form parts such as task parameters. */
const struct wf_value *wf_node_value(const struct wf_node *node, struct wf_arena *arena);

/* ---- key tables --------------------------------------------------------------------------- */

enum wf_key_type {
    WF_KEY_BOOL,     /* bool */
    WF_KEY_INT,      /* int64_t, between min and max */
    WF_KEY_NUMBER,   /* double, between min and max; integers are accepted */
    WF_KEY_TEXT,     /* const char *, between min and max bytes (max 0 = 4096) */
    WF_KEY_TEXTS,    /* struct wf_texts: a list of texts (a single text is accepted) */
    WF_KEY_DURATION, /* int64_t milliseconds from "500 ms", "30 seconds", "5 minutes", "2 hours",
                        "3 days" (real time, not working time), between min and max */
    WF_KEY_NODE      /* const struct wf_node *: a part that other code reads */
};

struct wf_texts {
    const char *const *items;
    size_t n;
};

struct wf_key {
    const char *name;
    enum wf_key_type type;
    size_t offset; /* offsetof(struct x, member) */
    bool required;
    double min; /* see the types; min == max == 0 means no bound */
    double max;
    const char *fallback; /* default, written as in a file ("5 seconds", "true"); NULL = zero */
    const char *help;     /* one line for --help and the commented example */
};

/*
 * Reads the group's settings into *out by the table. Unknown keys (with a suggestion), missing
 * required ones, wrong types and ranges go to the report; reading goes on to find them all.
 * `config` lends the memory. Returns 0, or WF_E_CONFIG where this call added errors.
 */
int wf_keys_read(struct wf_config *config, const struct wf_node *group, const struct wf_key *keys,
                 size_t n_keys, void *out, struct wf_report *report,
                 struct wf_error *err) WF_CHECKED;

/* Prints the table for --help: name, type, range, default, help. */
void wf_keys_help(const struct wf_key *keys, size_t n_keys, struct wf_buf *out);

/* Real-time duration text to milliseconds; false where it is none. "90 s", "5 minutes", ... */
bool wf_duration_parse(struct wf_str text, int64_t *out_ms);

#endif

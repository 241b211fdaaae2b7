/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/procedure.h - a procedure definition: papers, fields, fees, limit and statechart.
 *
 * PURPOSE    Reads one file of procedures/ into a checked, immutable struct. What loads has passed
 *            the soundness checks; nothing is left to be found out while dossiers run.
 * CONCEPTS   paper, field   what the citizen hands in
 *            catalogue      what the services offer: activities with their parameters, the known
 *                           roles, channels and templates
 * LIFE CYCLE wf_procedure_load/parse -> share read-only -> wf_procedure_free
 * ERRORS     WF_E_CONFIG; every message of the file is in the report.
 * THREADS    immutable after loading.
 */
#ifndef WORKFLOW_PROCEDURE_H
#define WORKFLOW_PROCEDURE_H

#include "workflow/calendar.h"
#include "workflow/chart.h"

struct wf_bilingual {
    const char *vi;
    const char *en;
};

enum wf_paper_kind {
    WF_PAPER_ORIGINAL,
    WF_PAPER_COPY,
    WF_PAPER_CERTIFIED,
    WF_PAPER_ELECTRONIC,
    WF_PAPER_PHOTO,
    WF_PAPER_ANY
};

struct wf_paper {
    const char *id;
    struct wf_bilingual title;
    enum wf_paper_kind kind;
    bool required;
    const struct wf_expr *needed_if; /* required only where this holds; NULL = as `required` */
    int64_t copies;                  /* sets asked for, default 1 */
};

enum wf_field_type {
    WF_FIELD_TEXT,
    WF_FIELD_INTEGER,
    WF_FIELD_MONEY,
    WF_FIELD_DATE,
    WF_FIELD_BOOLEAN,
    WF_FIELD_CHOICE,
    WF_FIELD_CITIZEN_ID,
    WF_FIELD_MOBILE,
    WF_FIELD_EMAIL,
    WF_FIELD_TAX_NUMBER
};

struct wf_field {
    const char *id;
    struct wf_bilingual title;
    enum wf_field_type type;
    bool required;
    bool personal;    /* never in logs; masked for people without the right */
    int64_t min, max; /* characters of text, or range of integers; 0, 0 = default 500 */
    struct wf_texts choices;
};

#define WF_CHANNELS  3 /* one_stop, post, online */
#define WF_REMINDERS 4 /* the most that a procedure may have */

/* Which set of national forms is used (workflow/forms.h). */
enum wf_form_set {
    WF_FORMS_BY_DAY, /* by the day of receipt: the definition says nothing */
    WF_FORMS_2018,   /* Circular 01/2018/TT-VPCP */
    WF_FORMS_2025    /* Circular 03/2025/TT-VPCP, from 1 July 2025 */
};

/* What the citizen gets in the end. */
struct wf_result {
    const char *id;
    struct wf_bilingual title;
};

struct wf_procedure {
    const char *code; /* "1.004873" */
    int64_t version;  /* >= 1 */
    struct wf_bilingual title;
    const char *level;         /* "commune", "district", "province" */
    const char *field_of_work; /* "G15-TP07" or NULL */
    struct wf_texts channels;  /* of "one_stop", "post", "online" */
    struct wf_texts models;    /* of the sites that may receive it; none = all */
    struct wf_limit time_limit;
    struct wf_limit channel_limits[WF_CHANNELS]; /* where not NONE, in place of time_limit */
    struct wf_texts remind;                      /* how long before the due date: "1 working day" */
    int64_t max_extensions;                      /* how often `extend` may move the due date */
    enum wf_form_set form_set;                   /* of the national forms */
    int64_t fee;                                 /* VND; 0 = none */
    const char *authority;                       /* who decides, in words, or NULL */
    const char *valid_from;                      /* "2025-07-01": first and last day, or NULL */
    const char *valid_until;
    const char *note;        /* for the people at the desk, or NULL */
    struct wf_texts legal;   /* legal grounds */
    bool agent_allowed;      /* may somebody file for the citizen? */
    bool presence_required;  /* barred from channel post */
    int64_t retention_years; /* 0 = for ever */
    const struct wf_paper *papers;
    size_t n_papers;
    const struct wf_field *fields;
    size_t n_fields;
    const struct wf_result *results;
    size_t n_results;
    struct wf_chart *chart;
    struct wf_str source;     /* the file's text */
    uint8_t source_hash[32];  /* BLAKE2b-256 of it */
    struct wf_config *config; /* owns all texts above */
    struct wf_arena *arena;   /* owns arrays and compiled expressions */
};

/*
 * What definitions may name. Filled once by the program from the services' tables and config/.
 * A list that is NULL is not checked.
 */
struct wf_parameter {
    const char *name;
    enum wf_static_type type;
    bool required;
};

struct wf_activity_info {
    const char *name; /* "routing.consult" */
    const struct wf_parameter *parameters;
    size_t n_parameters;
    bool is_task;       /* done by somebody outside: may name a role */
    bool is_detachable; /* may be started by send */
};

struct wf_catalogue {
    const struct wf_activity_info *const *activities;
    size_t n_activities;
    const char *const *roles;
    size_t n_roles;
    const char *const *channels;
    size_t n_channels;
    const char *const *templates;
    size_t n_templates;
    const char *const *models; /* of places of reception */
    size_t n_models;
};

/*
 * Reads a definition and checks it: names, types, translations, portal status, and the soundness of
 * the chart (docs/procedures.md lists the checks). Warnings are in the report only. A catalogue
 * that is NULL leaves names of activities, roles, channels and templates unchecked. Set
 * report->is_installed for a text that is in use already: rules newer than it only warn.
 */
int wf_procedure_load(const char *path, const struct wf_catalogue *catalogue,
                      struct wf_report *report, struct wf_procedure **out,
                      struct wf_error *err) WF_CHECKED;
int wf_procedure_parse(const char *name, const char *text, size_t length,
                       const struct wf_catalogue *catalogue, struct wf_report *report,
                       struct wf_procedure **out, struct wf_error *err) WF_CHECKED;
void wf_procedure_free(struct wf_procedure *procedure);

/* The time limit over this channel. */
struct wf_limit wf_procedure_limit(const struct wf_procedure *p, struct wf_str channel);

const struct wf_field *wf_procedure_field(const struct wf_procedure *p, struct wf_str id);
const struct wf_paper *wf_procedure_paper(const struct wf_procedure *p, struct wf_str id);

/*
 * Checks citizen's data against the definition: unknown fields, wrong types, ranges, identity
 * numbers and phones, unknown papers and kinds. `fields` is a map, `papers` a list of maps
 * {id, kind, copies, file?}; either may be NULL. What is missing, or null, is no error here.
 * Gives WF_E_INVALID with err->field = "fields.phone" or "papers[2].kind".
 */
int wf_procedure_check_data(const struct wf_procedure *p, const struct wf_value *fields,
                            const struct wf_value *papers, struct wf_error *err) WF_CHECKED;

/*
 * What is still missing: a list of maps {kind: "field"|"paper", id, vi, en}; empty when complete.
 * A paper counts when its kind serves (an original where a copy is asked for; an electronic one
 * where it was filed so) and there are copies enough. NULL when memory is out.
 */
const struct wf_value *wf_procedure_missing(const struct wf_procedure *p,
                                            const struct wf_value *fields,
                                            const struct wf_value *papers, struct wf_arena *arena);

#endif

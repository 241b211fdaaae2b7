/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/registry.h - what an installation knows by name: sites, roles, message templates.
 *
 * PURPOSE    Reads config/sites.cfg, roles.cfg and templates.cfg into one immutable table, so that
 *            procedures and parties can name only what exists, and renders the texts that citizens
 *            receive.
 * CONCEPTS   site      a place of reception (post office, one-stop section) or an agency
 *            model     how a place of reception works: M1 seconded officials in
 *                      the post office, M2 postal workers at the one-stop, M3 post as carrier,
 *                      M4 commune post office
 *            mandate   postal workers of the site may receive dossiers, not only help
 *            template  texts with placeholders {code} {title} {due} {reason} {items} {amount}
 *                      {office} {item}, in Vietnamese, English, and without accents for SMS
 * LIFE CYCLE wf_registry_load -> look-ups and rendering (pure) -> wf_registry_free
 * OWNERSHIP  all texts belong to the registry.
 * ERRORS     WF_E_CONFIG with every mistake of the three files in the report; WF_E_IO, WF_E_NOMEM.
 * THREADS    immutable after loading.
 * DANGERS    templates go to SMS and chat gateways: no placeholder stands for a number of an
 *            identity card, and values of such fields must not be passed in others.
 */
#ifndef WORKFLOW_REGISTRY_H
#define WORKFLOW_REGISTRY_H

#include "workflow/procedure.h"

#define WF_RENDERED_MAX 2000 /* bytes of a rendered text */
#define WF_SMS_MAX      160  /* characters of one SMS in its 7-bit alphabet */

enum wf_site_kind { WF_SITE_POST_OFFICE, WF_SITE_ONE_STOP, WF_SITE_AGENCY };
enum wf_site_model { WF_MODEL_NONE, WF_MODEL_M1, WF_MODEL_M2, WF_MODEL_M3, WF_MODEL_M4 };

struct wf_site {
    const char *code; /* agency code, prefix of the dossier codes that are given out here */
    struct wf_bilingual name;
    enum wf_site_kind kind;
    enum wf_site_model model; /* NONE for agencies only */
    bool mandated;            /* postal workers may receive */
    const char *agency;       /* code of the competent authority; its own code for an agency */
    int line;                 /* in sites.cfg */
    const char *calendar;     /* its office hours: a variant of the calendar; NULL = the usual */
};

struct wf_role {
    const char *id; /* "civil_servant" */
    struct wf_bilingual title;
};

struct wf_template {
    const char *id; /* "receipt" */
    const char *vi;
    const char *en;
    const char *sms; /* ASCII */
};

struct wf_registry {
    const struct wf_site *sites; /* by code */
    size_t n_sites;
    const struct wf_role *roles; /* in the order of the file */
    size_t n_roles;
    const struct wf_template *templates; /* in the order of the file */
    size_t n_templates;
    const char *const *role_ids;     /* as wf_catalogue wants them */
    const char *const *template_ids; /* likewise */
    struct wf_config *files[3];      /* own the texts above */
    struct wf_arena *arena;          /* owns the arrays */
};

/*
 * The working time that holds at a site: its variant of the calendar, or the calendar itself. A
 * site that is not known, or a variant that is not there, has the usual hours.
 */
const struct wf_calendar *wf_site_calendar(const struct wf_registry *registry,
                                           const struct wf_calendar *calendar, struct wf_str site);

/* Does the calendar have the hours that each site names? Reports what is missing. */
int wf_registry_check_calendars(const struct wf_registry *registry,
                                const struct wf_calendar *calendar, struct wf_report *report,
                                struct wf_error *err) WF_CHECKED;

/* Reads the three files of the folder. *out is set on success only. report must be zeroed once. */
int wf_registry_load(const char *folder, struct wf_report *report, struct wf_registry **out,
                     struct wf_error *err) WF_CHECKED;
void wf_registry_free(struct wf_registry *registry);

/* NULL where there is none of that name. */
const struct wf_site *wf_registry_site(const struct wf_registry *registry, struct wf_str code);
const struct wf_role *wf_registry_role(const struct wf_registry *registry, struct wf_str id);
const struct wf_template *wf_registry_template(const struct wf_registry *registry,
                                               struct wf_str id);

/* Fills roles, templates and channels of *out, which borrows them; activities stay as they are. */
void wf_registry_catalogue(const struct wf_registry *registry, struct wf_catalogue *out);

/* "post_office", "M1" and so on; the model of an agency is "". */
const char *wf_site_kind_name(enum wf_site_kind kind);
const char *wf_site_model_name(enum wf_site_model model);

/*
 * Adds the text to *out with its placeholders replaced from the map: texts and numbers as they
 * are (format money and dates before), lists joined by "; ", of maps their "vi", else "id". What
 * is missing, null or empty renders as an ellipsis, control characters as blanks. At most
 * WF_RENDERED_MAX bytes are added, cut at a letter and closed by an ellipsis. out->failed tells
 * that memory ran out.
 */
void wf_template_render(const char *text, const struct wf_value *values, struct wf_buf *out);

/* The same for an SMS: without accents, WF_SMS_MAX characters at most. */
void wf_template_render_sms(const char *text, const struct wf_value *values, struct wf_buf *out);

/*
 * Checks the placeholders of a text: gives NULL, or what is wrong with it (a text of static
 * duration, which names no content).
 */
const char *wf_template_fault(const char *text);

/* Adds the text without Vietnamese accents, as ASCII ("Đặng" -> "Dang"): for SMS and search. */
void wf_unaccent(struct wf_str text, struct wf_buf *out);

#endif

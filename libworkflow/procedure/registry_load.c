/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three files of an installation. Each is one list of groups; one loader walks them by a table
 * of (file, list, reader), so that all mistakes of all files come out in one run.
 */
#include "workflow/registry.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/identifiers.h"

#define MAX_NAME_BYTES 200

struct loader {
    struct wf_registry *registry;
    struct wf_config *config; /* of the file being read */
    struct wf_report *report;
    struct wf_error *err;
};

/* ---- rows as they stand in the files --------------------------------------------------------- */

struct site_row {
    const char *code;
    const struct wf_node *name;
    const char *kind;
    const char *model;
    bool mandated;
    const char *agency;
    const char *calendar;
};

struct role_row {
    const char *id;
    const struct wf_node *title;
};

/* clang-format off */
#define KEY(owner, name, type, required, min, max, help) \
    {#name, WF_KEY_##type, offsetof(struct owner, name), required, min, max, NULL, help}

static const struct wf_key site_keys[] = {
    KEY(site_row, code,     TEXT, true,  3, 50, "agency code, such as \"000.00.13.H30\""),
    KEY(site_row, name,     NODE, true,  0, 0,  "{ vi = \"...\"; en = \"...\"; }"),
    KEY(site_row, kind,     TEXT, true,  0, 50, "post_office, one_stop or agency"),
    KEY(site_row, model,    TEXT, false, 0, 50, "M1, M2, M3 or M4; not for agencies"),
    KEY(site_row, mandated, BOOL, false, 0, 0,  "may postal workers receive dossiers here"),
    KEY(site_row, agency,   TEXT, false, 3, 50, "code of the competent authority"),
    KEY(site_row, calendar, TEXT, false, 1, 40, "office hours: a variant of calendar.cfg"),
};

static const struct wf_key role_keys[] = {
    KEY(role_row, id,    TEXT, true, 1, 40, "name used in procedures"),
    KEY(role_row, title, NODE, true, 0, 0,  "{ vi = \"...\"; en = \"...\"; }"),
};

static const struct wf_key template_keys[] = {
    KEY(wf_template, id,  TEXT, true, 1, 40, "name used in procedures"),
    KEY(wf_template, vi,  TEXT, true, 1, 1500, "text for e-mail and chat, in Vietnamese"),
    KEY(wf_template, en,  TEXT, true, 1, 1500, "the same in English"),
    KEY(wf_template, sms, TEXT, true, 1, 1500, "for SMS: ASCII, at most 160 characters"),
};

static const struct wf_key name_keys[] = {
    KEY(wf_bilingual, vi, TEXT, true, 1, MAX_NAME_BYTES, "in Vietnamese"),
    KEY(wf_bilingual, en, TEXT, true, 1, MAX_NAME_BYTES, "in English"),
};
/* clang-format on */

static bool parse_kind(const char *word, enum wf_site_kind *out)
{
    for (int kind = WF_SITE_POST_OFFICE; kind <= WF_SITE_AGENCY; kind++) {
        if (strcmp(wf_site_kind_name((enum wf_site_kind)kind), word) == 0) {
            *out = (enum wf_site_kind)kind;
            return true;
        }
    }
    return false;
}

/* No model at all is fine here; check_place asks for one where it is needed. */
static bool parse_model(const char *word, enum wf_site_model *out)
{
    for (int model = WF_MODEL_NONE; model <= WF_MODEL_M4; model++) {
        if (strcmp(wf_site_model_name((enum wf_site_model)model), word) == 0) {
            *out = (enum wf_site_model)model;
            return true;
        }
    }
    return false;
}

#define COMPLAIN(l, node, ...) wf_report_error((l)->report, (node)->file, (node)->line, __VA_ARGS__)

/* Reported mistakes let the reading go on; only a failure such as lack of memory ends it. */
static int read_keys(struct loader *l, const struct wf_node *node, const struct wf_key *keys,
                     size_t n_keys, void *out)
{
    int rc = wf_keys_read(l->config, node, keys, n_keys, out, l->report, l->err);
    return rc == WF_E_CONFIG ? WF_NONE : rc;
}

/* ---- sites ----------------------------------------------------------------------------------- */

static void check_place(struct loader *l, const struct wf_node *node, const struct site_row *row,
                        const struct wf_site *site)
{
    bool is_agency = site->kind == WF_SITE_AGENCY;
    bool may_mandate = site->model == WF_MODEL_M2 || site->model == WF_MODEL_M4;
    if (is_agency && (row->model != NULL || row->agency != NULL))
        COMPLAIN(l, node,
                 "site %s has a model or an agency: an agency receives no citizens and is "
                 "its own authority: remove the setting",
                 site->code);
    if (!is_agency && site->model == WF_MODEL_NONE)
        COMPLAIN(l, node,
                 "site %s has no model: it tells who may receive here: add model = "
                 "\"M1\", \"M2\", \"M3\" or \"M4\"",
                 site->code);
    if (!is_agency && row->agency == NULL)
        COMPLAIN(l, node,
                 "site %s has no agency: dossiers must have a competent authority: add "
                 "agency = its code",
                 site->code);
    if (site->mandated && !may_mandate)
        COMPLAIN(l, node,
                 "site %s is mandated: postal workers receive under models M2 and M4 "
                 "only: set mandated = false or mend the model",
                 site->code);
}

static int read_site(struct loader *l, const struct wf_node *node, void *out)
{
    struct wf_site *site = out;
    struct site_row row = {0};
    int rc = read_keys(l, node, site_keys, WF_COUNT(site_keys), &row);
    if (rc != 0)
        return rc;
    if (wf_check_agency_code(wf_str(row.code), NULL) != 0)
        COMPLAIN(l, node,
                 "site code '%s': it begins dossier codes: write it as 000.00.13.H30 or "
                 "H30.13.02",
                 row.code);
    if (!parse_kind(row.kind, &site->kind)) {
        COMPLAIN(l, node,
                 "site %s: unknown kind '%s': post_office, one_stop and agency are known: "
                 "write one of them",
                 row.code, row.kind);
        return WF_NONE;
    }
    if (!parse_model(row.model != NULL ? row.model : "", &site->model)) {
        COMPLAIN(l, node, "site %s: unknown model '%s': M1 to M4 are known: write one of them",
                 row.code, row.model);
        return WF_NONE;
    }
    site->code = row.code;
    site->mandated = row.mandated;
    site->calendar = row.calendar;
    site->line = node->line;
    site->agency = row.agency != NULL ? row.agency : row.code;
    check_place(l, node, &row, site);
    return read_keys(l, row.name, name_keys, WF_COUNT(name_keys), &site->name);
}

static int compare_sites(const void *a, const void *b)
{
    return strcmp(((const struct wf_site *)a)->code, ((const struct wf_site *)b)->code);
}

/* What can only be seen once all sites are there: every agency named must be one of them. */
static void check_agencies(struct loader *l, const struct wf_node *list)
{
    for (size_t i = 0; i < wf_node_count(list); i++) {
        const struct wf_node *node = wf_node_at(list, i);
        const struct wf_node *agency = wf_node_child(node, "agency");
        if (agency == NULL || agency->type != WF_NODE_TEXT)
            continue;
        const struct wf_site *site = wf_registry_site(l->registry, agency->u.text);
        if (site == NULL || site->kind != WF_SITE_AGENCY)
            COMPLAIN(l, agency,
                     "agency '%s' is no site of kind agency: dossiers would go nowhere: "
                     "add it or mend the code",
                     agency->u.text.ptr);
    }
}

/* ---- roles and templates --------------------------------------------------------------------- */

static int read_role(struct loader *l, const struct wf_node *node, void *out)
{
    struct wf_role *role = out;
    struct role_row row = {0};
    int rc = read_keys(l, node, role_keys, WF_COUNT(role_keys), &row);
    if (rc != 0)
        return rc;
    role->id = row.id;
    return read_keys(l, row.title, name_keys, WF_COUNT(name_keys), &role->title);
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80)
            return false;
    }
    return true;
}

static int read_template(struct loader *l, const struct wf_node *node, void *out)
{
    struct wf_template *t = out;
    int rc = read_keys(l, node, template_keys, WF_COUNT(template_keys), t);
    if (rc != 0)
        return rc;
    const char *const texts[][2] = {{"vi", t->vi}, {"en", t->en}, {"sms", t->sms}};
    for (size_t i = 0; i < WF_COUNT(texts); i++) {
        const char *fault = wf_template_fault(texts[i][1]);
        if (fault != NULL)
            COMPLAIN(l, wf_node_child(node, texts[i][0]), "template %s, %s: %s: mend the text",
                     t->id, texts[i][0], fault);
    }
    if (!is_ascii(t->sms) || strlen(t->sms) > WF_SMS_MAX)
        COMPLAIN(l, wf_node_child(node, "sms"),
                 "template %s, sms: accents or more than %d characters: each costs more messages: "
                 "write it plain and short",
                 t->id, WF_SMS_MAX);
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

typedef int row_fn(struct loader *l, const struct wf_node *node, void *out);

struct file_kind {
    const char *file;
    const char *list; /* its one setting */
    const char *key;  /* of a row, unique */
    row_fn *read;
    size_t row_bytes;
    size_t offset_rows; /* in struct wf_registry */
    size_t offset_n;
};

/* clang-format off */
#define KIND(file, list, key, read, row, rows, n)                                \
    {file, list, key, read, sizeof(struct row), offsetof(struct wf_registry, rows), \
     offsetof(struct wf_registry, n)}

static const struct file_kind file_kinds[] = {
    KIND("sites.cfg",     "sites",     "code", read_site,     wf_site,     sites,     n_sites),
    KIND("roles.cfg",     "roles",     "id",   read_role,     wf_role,     roles,     n_roles),
    KIND("templates.cfg", "templates", "id",   read_template, wf_template, templates, n_templates),
};
/* clang-format on */

/* Rows with a key of an earlier one. Files are small: a few hundred rows at most. */
static void find_twins(struct loader *l, const struct wf_node *list, const char *key)
{
    for (size_t i = 1; i < wf_node_count(list); i++) {
        const struct wf_node *here = wf_node_child(wf_node_at(list, i), key);
        for (size_t j = 0; here != NULL && here->type == WF_NODE_TEXT && j < i; j++) {
            const struct wf_node *there = wf_node_child(wf_node_at(list, j), key);
            if (there == NULL || there->type != WF_NODE_TEXT ||
                !wf_str_equal(here->u.text, there->u.text))
                continue;
            COMPLAIN(l, here,
                     "%s '%s' stands in line %d already: only one could hold: rename or "
                     "remove one",
                     key, here->u.text.ptr, there->line);
            break;
        }
    }
}

/* Reads the rows into one array; rows with mistakes are left out, as the load fails anyway. */
static int read_rows(struct loader *l, const struct file_kind *kind, const struct wf_node *list)
{
    size_t n = wf_node_count(list);
    size_t kept = 0;
    char *rows = wf_arena_alloc(l->registry->arena, n * kind->row_bytes + 1);
    if (rows == NULL)
        return wf_fail(l->err, WF_E_NOMEM, "%s: out of memory", kind->file);
    for (size_t i = 0; i < n; i++) {
        int rc = kind->read(l, wf_node_at(list, i), rows + kept * kind->row_bytes);
        if (rc < 0)
            return rc;
        kept += rc == 0;
    }
    find_twins(l, list, kind->key);
    memcpy((char *)l->registry + kind->offset_rows, &rows, sizeof(rows));
    memcpy((char *)l->registry + kind->offset_n, &kept, sizeof(kept));
    if (kind->read == read_site) {
        qsort(rows, kept, kind->row_bytes, compare_sites);
        check_agencies(l, list);
    }
    return 0;
}

static int read_file(struct loader *l, const char *folder, const struct file_kind *kind)
{
    char path[PATH_MAX];
    struct wf_config **slot = &l->registry->files[kind - file_kinds];
    const struct wf_node *list = NULL;
    struct wf_key key = {kind->list, WF_KEY_NODE, 0, true, 0, 0, NULL, "a list of groups"};
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, kind->file) >= sizeof(path))
        return wf_fail(l->err, WF_E_INVALID, "the name of the registry folder is too long");
    int rc = wf_config_read(path, l->report, slot, l->err);
    if (rc != 0)
        return rc == WF_E_CONFIG ? WF_NONE : rc;
    l->config = *slot;
    rc = read_keys(l, wf_config_root(l->config), &key, 1, &list);
    if (rc != 0)
        return rc;
    if (list->type == WF_NODE_LIST)
        return read_rows(l, kind, list);
    COMPLAIN(l, list, "%s is of type %s: a list of groups is needed: write %s = ( { ... }, ... );",
             kind->list, wf_node_type_name(list->type), kind->list);
    return WF_NONE;
}

/* The ids as arrays of their own, in the form that the checks of procedures take. */
static int list_ids(struct wf_registry *r, struct wf_error *err)
{
    const char **roles = wf_arena_alloc(r->arena, r->n_roles * sizeof(*roles) + 1);
    const char **templates = wf_arena_alloc(r->arena, r->n_templates * sizeof(*templates) + 1);
    if (roles == NULL || templates == NULL)
        return wf_fail(err, WF_E_NOMEM, "registry: out of memory");
    for (size_t i = 0; i < r->n_roles; i++)
        roles[i] = r->roles[i].id;
    for (size_t i = 0; i < r->n_templates; i++)
        templates[i] = r->templates[i].id;
    r->role_ids = roles;
    r->template_ids = templates;
    return 0;
}

static int load_all(struct loader *l, const char *folder)
{
    size_t before = l->report->errors;
    l->registry->arena = wf_arena_new(0);
    if (l->registry->arena == NULL)
        return wf_fail(l->err, WF_E_NOMEM, "registry: out of memory");
    for (size_t i = 0; i < WF_COUNT(file_kinds); i++) {
        int rc = read_file(l, folder, &file_kinds[i]);
        if (rc < 0)
            return rc;
    }
    int rc = wf_report_result_since(l->report, before, l->err);
    return rc != 0 ? rc : list_ids(l->registry, l->err);
}

int wf_registry_load(const char *folder, struct wf_report *report, struct wf_registry **out,
                     struct wf_error *err)
{
    struct loader l = {wf_alloc(sizeof(struct wf_registry)), NULL, report, err};
    int rc = l.registry != NULL ? load_all(&l, folder)
                                : wf_fail(err, WF_E_NOMEM, "registry: out of memory");
    if (rc != 0) {
        wf_registry_free(l.registry);
        return rc;
    }
    *out = l.registry;
    return 0;
}

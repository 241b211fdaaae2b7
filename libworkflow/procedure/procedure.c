/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A definition from text to struct: settings, then chart, then checks. Each stage reports all it
 * finds; a stage that needs a sound earlier one is left out when that one failed, so that one slip
 * is not told many times over.
 */
#include "internal.h"

#include <string.h>

#include "workflow/hash.h"

/*
 * Every name under one of the five services is taken for an activity. So a misspelt one
 * ("notification.sned") is reported as such and not sent to the dossier as an event.
 */
static bool is_activity(void *context, const char *name)
{
    static const char *const services[] = {"intake.", "verification.", "routing.", "notification.",
                                           "return."};
    (void)context;
    for (size_t i = 0; i < WF_COUNT(services); i++) {
        if (wf_starts_with(name, services[i]))
            return true;
    }
    return false;
}

static int compile_chart(struct wf_procedure *p, const struct wf_node *group,
                         struct wf_report *report, struct wf_error *err)
{
    struct wf_chart_scope scope = {.is_activity = is_activity};
    scope.fields = procedure_decls(p, &scope.n_fields);
    if (scope.fields == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    return wf_chart_compile(group, &scope, report, &p->chart, err);
}

static const struct wf_node *find_group(const struct wf_node *root, struct wf_report *report)
{
    const struct wf_node *found = NULL;
    for (size_t i = 0; i < wf_node_count(root); i++) {
        const struct wf_node *node = wf_node_at(root, i);
        if (strcmp(node->name, "procedure") == 0)
            found = node;
        else
            wf_report_error(report, node->file, node->line,
                            "unknown setting '%s': a definition is one group: move it into "
                            "procedure = { ... }",
                            node->name);
    }
    if (found == NULL)
        wf_report_error(report, root->file, 0,
                        "no group 'procedure': the file defines nothing: write procedure = "
                        "{ ... };");
    else if (found->type != WF_NODE_GROUP)
        wf_report_error(report, found->file, found->line,
                        "procedure is of type %s: a definition is a group: write procedure = "
                        "{ ... };",
                        wf_node_type_name(found->type));
    return found != NULL && found->type == WF_NODE_GROUP ? found : NULL;
}

static bool is_fatal(int rc)
{
    return rc < 0 && rc != WF_E_CONFIG;
}

/* Fills p, which already owns its config. */
static int fill(struct wf_procedure *p, const struct wf_catalogue *catalogue,
                struct wf_report *report, struct wf_error *err)
{
    size_t before = report->errors;
    p->source = wf_config_source(p->config);
    wf_hash(p->source.ptr, p->source.len, NULL, 0, p->source_hash);
    const struct wf_node *group = find_group(wf_config_root(p->config), report);
    if (group == NULL)
        return wf_report_result_since(report, before, err);
    int rc = procedure_read(p, group, report, err);
    if (is_fatal(rc))
        return rc;
    rc = compile_chart(p, group, report, err);
    if (is_fatal(rc))
        return rc;
    if (rc == 0)
        rc = procedure_check(p, group, catalogue, report, err);
    return is_fatal(rc) ? rc : wf_report_result_since(report, before, err);
}

/* Takes the config over, also on failure. */
static int from_config(struct wf_config *take_config, const struct wf_catalogue *catalogue,
                       struct wf_report *report, struct wf_procedure **out, struct wf_error *err)
{
    struct wf_procedure *p = wf_alloc(sizeof(*p));
    struct wf_arena *arena = wf_arena_new(0);
    if (p == NULL || arena == NULL) {
        wf_free(p);
        wf_arena_free(arena);
        wf_config_free(take_config);
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    }
    p->config = take_config;
    p->arena = arena;
    int rc = fill(p, catalogue, report, err);
    if (rc == 0)
        *out = p;
    else
        wf_procedure_free(p);
    return rc;
}

int wf_procedure_load(const char *path, const struct wf_catalogue *catalogue,
                      struct wf_report *report, struct wf_procedure **out, struct wf_error *err)
{
    struct wf_config *config = NULL;
    int rc = wf_config_read(path, report, &config, err);
    return rc < 0 ? rc : from_config(config, catalogue, report, out, err);
}

int wf_procedure_parse(const char *name, const char *text, size_t length,
                       const struct wf_catalogue *catalogue, struct wf_report *report,
                       struct wf_procedure **out, struct wf_error *err)
{
    struct wf_config *config = NULL;
    int rc = wf_config_parse(name, text, length, report, &config, err);
    return rc < 0 ? rc : from_config(config, catalogue, report, out, err);
}

void wf_procedure_free(struct wf_procedure *procedure)
{
    if (procedure == NULL)
        return;
    wf_chart_free(procedure->chart);
    wf_arena_free(procedure->arena);
    wf_config_free(procedure->config);
    wf_free(procedure);
}

const struct wf_field *wf_procedure_field(const struct wf_procedure *p, struct wf_str id)
{
    for (size_t i = 0; i < p->n_fields; i++) {
        if (wf_str_is(id, p->fields[i].id))
            return &p->fields[i];
    }
    return NULL;
}

const struct wf_paper *wf_procedure_paper(const struct wf_procedure *p, struct wf_str id)
{
    for (size_t i = 0; i < p->n_papers; i++) {
        if (wf_str_is(id, p->papers[i].id))
            return &p->papers[i];
    }
    return NULL;
}

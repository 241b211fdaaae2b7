/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups. Sites are sorted, since every message asks for one; the rest is a handful. */
#include "workflow/registry.h"

static const char *const kind_names[] = {"post_office", "one_stop", "agency"};
static const char *const model_names[] = {"", "M1", "M2", "M3", "M4"};
/* As procedures name them. */
static const char *const known_models[] = {"M1", "M2", "M3", "M4"};
static const char *const channel_names[] = {"one_stop", "post", "online"};

const char *wf_site_kind_name(enum wf_site_kind kind)
{
    return kind_names[kind];
}

const char *wf_site_model_name(enum wf_site_model model)
{
    return model_names[model];
}

void wf_registry_free(struct wf_registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < WF_COUNT(registry->files); i++)
        wf_config_free(registry->files[i]);
    wf_arena_free(registry->arena);
    wf_free(registry);
}

const struct wf_site *wf_registry_site(const struct wf_registry *registry, struct wf_str code)
{
    size_t low = 0;
    size_t high = registry->n_sites;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = wf_str_compare(wf_str(registry->sites[middle].code), code);
        if (order == 0)
            return &registry->sites[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct wf_calendar *wf_site_calendar(const struct wf_registry *registry,
                                           const struct wf_calendar *calendar, struct wf_str site)
{
    const struct wf_site *known = registry != NULL ? wf_registry_site(registry, site) : NULL;
    if (known == NULL || known->calendar == NULL || calendar == NULL)
        return calendar;
    const struct wf_calendar *own = wf_calendar_variant(calendar, known->calendar);
    return own != NULL ? own : calendar;
}

int wf_registry_check_calendars(const struct wf_registry *registry,
                                const struct wf_calendar *calendar, struct wf_report *report,
                                struct wf_error *err)
{
    size_t before = report->errors;
    for (size_t i = 0; i < registry->n_sites; i++) {
        const struct wf_site *site = &registry->sites[i];
        if (site->calendar != NULL && wf_calendar_variant(calendar, site->calendar) == NULL)
            wf_report_error(report, "sites.cfg", site->line,
                            "site %s: calendar '%s' is none of the variants of calendar.cfg: its "
                            "due dates would have wrong hours: add the variant or mend the name",
                            site->code, site->calendar);
    }
    return wf_report_result_since(report, before, err);
}

const struct wf_role *wf_registry_role(const struct wf_registry *registry, struct wf_str id)
{
    for (size_t i = 0; i < registry->n_roles; i++) {
        if (wf_str_is(id, registry->roles[i].id))
            return &registry->roles[i];
    }
    return NULL;
}

const struct wf_template *wf_registry_template(const struct wf_registry *registry, struct wf_str id)
{
    for (size_t i = 0; i < registry->n_templates; i++) {
        if (wf_str_is(id, registry->templates[i].id))
            return &registry->templates[i];
    }
    return NULL;
}

void wf_registry_catalogue(const struct wf_registry *registry, struct wf_catalogue *out)
{
    out->roles = registry->role_ids;
    out->n_roles = registry->n_roles;
    out->templates = registry->template_ids;
    out->n_templates = registry->n_templates;
    out->channels = channel_names;
    out->n_channels = WF_COUNT(channel_names);
    out->models = known_models;
    out->n_models = WF_COUNT(known_models);
}

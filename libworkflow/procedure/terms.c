/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terms of a procedure: limits by channel, reminders, extensions, the models of sites that may
 * receive it, and the set of forms. Texts and numbers come from the key table of read.c; here they
 * get their meaning.
 */
#include "internal.h"

#include <string.h>

#include "workflow/forms.h"

static const char *const model_names[] = {"M1", "M2", "M3", "M4"};
static const char *const form_sets[] = {"2018", "2025"}; /* from WF_FORMS_2018 */

#define COMPLAIN(report, node, ...) wf_report_error(report, (node)->file, (node)->line, __VA_ARGS__)

struct wf_limit wf_procedure_limit(const struct wf_procedure *p, struct wf_str channel)
{
    for (size_t i = 0; i < WF_CHANNELS; i++) {
        if (wf_str_is(channel, channel_names[i]) && p->channel_limits[i].unit != WF_LIMIT_NONE)
            return p->channel_limits[i];
    }
    return p->time_limit;
}

static void read_limits(struct wf_procedure *p, const struct wf_node *group,
                        struct wf_report *report)
{
    if (group != NULL && group->type != WF_NODE_GROUP)
        COMPLAIN(report, group,
                 "time_limits is of type %s: limits go by channel: write time_limits = { online = "
                 "\"2 working days\"; }",
                 wf_node_type_name(group->type));
    for (size_t i = 0; group != NULL && i < wf_node_count(group); i++) {
        const struct wf_node *node = wf_node_at(group, i);
        size_t channel = word_index(node->name, channel_names, WF_CHANNELS);
        bool is_open = word_index(node->name, p->channels.items, p->channels.n) < p->channels.n;
        struct wf_limit limit;
        if (channel == WF_CHANNELS || !is_open)
            COMPLAIN(report, node,
                     "time_limits for '%s': the procedure has no such channel: name one of its "
                     "channels, or remove it",
                     node->name);
        else if (node->type != WF_NODE_TEXT || !wf_limit_parse(node->u.text, &limit))
            COMPLAIN(report, node,
                     "time_limits for '%s' is no limit: number and unit are needed: write \"2 "
                     "working days\" or \"same day\"",
                     node->name);
        else
            p->channel_limits[channel] = limit;
    }
}

static void read_reminders(struct wf_procedure *p, const struct wf_node *group,
                           const struct wf_texts *remind, struct wf_report *report)
{
    for (size_t i = 0; i < remind->n; i++) {
        struct wf_limit limit;
        if (!wf_limit_parse(wf_str(remind->items[i]), &limit))
            COMPLAIN(report, wf_node_child(group, "remind"),
                     "remind '%s' is no length of time: it is counted back from the due date: "
                     "write \"1 working day\" or \"4 working hours\"",
                     remind->items[i]);
    }
    if (remind->n > WF_REMINDERS)
        COMPLAIN(report, wf_node_child(group, "remind"),
                 "remind has %zu times: so many would not be heeded: keep to %d", remind->n,
                 WF_REMINDERS);
    p->remind = *remind;
}

static void check_word(const struct wf_node *group, const char *key, const char *word,
                       const char *const *words, size_t n, struct wf_report *report)
{
    char hint[128];
    if (word_index(word, words, n) == n)
        COMPLAIN(report, wf_node_child(group, key), "unknown %s '%s': it is a closed list: %s", key,
                 word, word_hint(word, words, n, hint, sizeof(hint)));
}

/* A version that came into force under the new law uses its forms, if it does not say otherwise. */
static enum wf_form_set form_set_of(const struct wf_procedure *p, const char *word)
{
    if (word != NULL)
        return (enum wf_form_set)(WF_FORMS_2018 + word_index(word, form_sets, 2) % 2);
    if (p->valid_from == NULL)
        return WF_FORMS_BY_DAY;
    return strcmp(p->valid_from, WF_FORMS_2025_DAY) >= 0 ? WF_FORMS_2025 : WF_FORMS_2018;
}

void procedure_read_terms(struct wf_procedure *p, const struct wf_node *group,
                          const struct raw_terms *raw, struct wf_report *report)
{
    read_limits(p, raw->time_limits, report);
    read_reminders(p, group, &raw->remind, report);
    for (size_t i = 0; i < raw->models.n; i++)
        check_word(group, "models", raw->models.items[i], model_names, WF_COUNT(model_names),
                   report);
    if (raw->form_set != NULL)
        check_word(group, "form_set", raw->form_set, form_sets, WF_COUNT(form_sets), report);
    p->models = raw->models;
    p->max_extensions = raw->max_extensions;
    p->form_set = form_set_of(p, raw->form_set);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names and parameters of activities, roles, channels and templates, against the catalogue. */
#include "internal.h"

#include <string.h>

#define MAX_HINTS 64

/* Keys of an invocation that are no parameters. */
static const char *const structural[] = {"activity", "id", "role", "send"};

static void check_word(struct checking *c, int line, const char *what, const char *word,
                       const char *const *words, size_t n)
{
    char hint[256];
    if (words == NULL || word_index(word, words, n) < n)
        return;
    CHECK_ERROR(c, line, "unknown %s '%s': nothing of this name is set up: %s", what, word,
                word_hint(word, words, n, hint, sizeof(hint)));
}

static const struct wf_activity_info *find_activity(struct checking *c, const char *name, int line)
{
    const struct wf_catalogue *catalogue = c->catalogue;
    const char *names[MAX_HINTS] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < catalogue->n_activities; i++) {
        if (strcmp(catalogue->activities[i]->name, name) == 0)
            return catalogue->activities[i];
        if (n < MAX_HINTS)
            names[n++] = catalogue->activities[i]->name;
    }
    check_word(c, line, "activity", name, names, n);
    return NULL;
}

static bool is_expression(const struct wf_node *node)
{
    return node->type == WF_NODE_TEXT && node->u.text.len > 0 && node->u.text.ptr[0] == '=';
}

static bool has_type(const struct wf_node *node, enum wf_static_type type)
{
    switch (type) {
    case WF_T_ANY:
        return true;
    case WF_T_BOOL:
        return node->type == WF_NODE_BOOL;
    case WF_T_INT:
        return node->type == WF_NODE_INT;
    case WF_T_NUMBER:
        return node->type == WF_NODE_INT || node->type == WF_NODE_NUMBER;
    case WF_T_TEXT:
        return node->type == WF_NODE_TEXT;
    case WF_T_LIST:
        return node->type == WF_NODE_LIST;
    case WF_T_MAP:
        return node->type == WF_NODE_GROUP;
    case WF_T_TIME:
        return node->type == WF_NODE_INT || node->type == WF_NODE_TEXT;
    }
    return false;
}

/* Parameters with a closed list of words; what an activity does with others is refused too late. */
static const struct {
    const char *activity;
    const char *parameter;
    const char *words[4];
    size_t n;
} closed_lists[] = {
    {"routing.consult", "mode", {"all", "any", "k"}, 3},
    {"return.deliver", "by", {"counter", "parcel"}, 2},
};

static void check_closed_list(struct checking *c, const char *activity, const struct wf_node *node)
{
    for (size_t i = 0; i < WF_COUNT(closed_lists) && node->type == WF_NODE_TEXT; i++) {
        if (strcmp(closed_lists[i].activity, activity) == 0 &&
            strcmp(closed_lists[i].parameter, node->name) == 0)
            check_word(c, node->line, node->name, node->u.text.ptr, closed_lists[i].words,
                       closed_lists[i].n);
    }
}

/* What a citizen is asked for by name must be a paper or a field of the definition. */
static void check_item(struct checking *c, const struct wf_node *node)
{
    const struct wf_node *id = node->type == WF_NODE_GROUP ? wf_node_child(node, "id") : node;
    const char *names[MAX_HINTS] = {NULL};
    size_t n = 0;
    if (id == NULL || id->type != WF_NODE_TEXT || is_expression(id) ||
        wf_procedure_field(c->p, id->u.text) != NULL ||
        wf_procedure_paper(c->p, id->u.text) != NULL)
        return;
    for (size_t i = 0; i < c->p->n_papers && n < MAX_HINTS; i++)
        names[n++] = c->p->papers[i].id;
    for (size_t i = 0; i < c->p->n_fields && n < MAX_HINTS; i++)
        names[n++] = c->p->fields[i].id;
    check_word(c, id->line, "paper or field", id->u.text.ptr, names, n);
}

static void check_items(struct checking *c, const struct wf_node *node)
{
    for (size_t i = 0; node->type == WF_NODE_LIST && i < wf_node_count(node); i++)
        check_item(c, wf_node_at(node, i));
}

static void check_parameter(struct checking *c, const struct wf_activity_info *info,
                            const struct wf_node *node)
{
    const char *names[MAX_HINTS] = {NULL};
    char hint[256];
    size_t n = 0;
    for (; n < info->n_parameters && n < MAX_HINTS; n++)
        names[n] = info->parameters[n].name;
    size_t i = word_index(node->name, names, n);
    if (i == n) {
        CHECK_ERROR(c, node->line, "unknown parameter '%s' of %s: it would have no effect: %s",
                    node->name, info->name,
                    n > 0 ? word_hint(node->name, names, n, hint, sizeof(hint))
                          : "it takes none, remove it");
        return;
    }
    if (is_expression(node))
        return;
    if (!has_type(node, info->parameters[i].type))
        CHECK_ERROR(c, node->line,
                    "parameter '%s' of %s is of type %s: its type is %s: write such "
                    "a value or an \"=expression\"",
                    node->name, info->name, wf_node_type_name(node->type),
                    wf_static_type_name(info->parameters[i].type));
    else if (strcmp(node->name, "template") == 0)
        check_word(c, node->line, "template", node->u.text.ptr, c->catalogue->templates,
                   c->catalogue->n_templates);
    else if (strcmp(node->name, "items") == 0 && strcmp(info->name, "intake.supplement") == 0)
        check_items(c, node);
    else
        check_closed_list(c, info->name, node);
}

static void check_parameters(struct checking *c, const struct wf_activity_info *info,
                             const struct wf_node *group, int line)
{
    for (size_t i = 0; i < wf_node_count(group); i++) {
        const struct wf_node *node = wf_node_at(group, i);
        if (word_index(node->name, structural, WF_COUNT(structural)) == WF_COUNT(structural))
            check_parameter(c, info, node);
    }
    for (size_t i = 0; i < info->n_parameters; i++) {
        const char *name = info->parameters[i].name;
        if (info->parameters[i].required && wf_node_child(group, name) == NULL)
            CHECK_ERROR(c, line,
                        "parameter '%s' of %s is missing: the activity cannot start "
                        "without it: add %s = ...",
                        name, info->name, name);
    }
}

static void check_invoke(struct checking *c, const struct wf_chart_invoke *invoke)
{
    const struct wf_activity_info *info = find_activity(c, invoke->activity, invoke->line);
    if (invoke->role != NULL)
        check_word(c, invoke->line, "role", invoke->role, c->catalogue->roles,
                   c->catalogue->n_roles);
    if (info == NULL)
        return;
    if (invoke->role != NULL && !info->is_task)
        CHECK_ERROR(c, invoke->line, "role on %s: nobody does this activity by hand: remove role",
                    info->name);
    check_parameters(c, info, invoke->node, invoke->line);
}

static void check_send(struct checking *c, const struct wf_chart_send *send)
{
    const struct wf_activity_info *info = find_activity(c, send->activity, send->line);
    if (info == NULL)
        return;
    if (!info->is_detachable)
        CHECK_ERROR(c, send->line,
                    "send of %s: its outcome would be lost: write it as an invoke "
                    "of a state",
                    info->name);
    check_parameters(c, info, send->node, send->line);
}

static void check_transition(struct checking *c, const struct wf_chart_transition *t)
{
    for (size_t i = 0; i < t->n_roles; i++)
        check_word(c, t->line, "role", t->roles[i], c->catalogue->roles, c->catalogue->n_roles);
    for (size_t i = 0; i < t->n_channels; i++)
        check_word(c, t->line, "channel", t->channels[i], c->catalogue->channels,
                   c->catalogue->n_channels);
    for (size_t i = 0; i < t->n_models; i++)
        check_word(c, t->line, "model", t->models[i], c->catalogue->models, c->catalogue->n_models);
}

void check_names(struct checking *c)
{
    if (c->catalogue == NULL)
        return;
    bool knows_activities = c->catalogue->activities != NULL;
    for (size_t i = 0; i < c->n_invokes && knows_activities; i++)
        check_invoke(c, &c->invokes[i]);
    for (size_t i = 0; i < c->n_sends && knows_activities; i++)
        check_send(c, &c->sends[i]);
    for (size_t i = 0; i < c->n_transitions; i++)
        check_transition(c, &c->transitions[i]);
}

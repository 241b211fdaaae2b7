/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that knows libconfig: lexed text to a tree of our own nodes. */
#include "internal.h"

#include <libconfig.h>
#include <string.h>

struct builder {
    struct wf_config *config;
    struct wf_report *report;
};

static struct wf_node *copy_setting(const struct builder *builder, const config_setting_t *from,
                                    const struct wf_node *parent);

static bool copy_children(const struct builder *builder, const config_setting_t *from,
                          struct wf_node *node)
{
    size_t n = (size_t)config_setting_length(from);
    node->u.children.items = NULL;
    node->u.children.n = 0;
    const struct wf_node **items = wf_arena_alloc(builder->config->arena, n * sizeof(*items) + 1);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        items[i] = copy_setting(builder, config_setting_get_elem(from, (unsigned)i), node);
        if (items[i] == NULL)
            return false;
    }
    node->u.children.items = items;
    node->u.children.n = n;
    return true;
}

static bool copy_text(struct wf_arena *arena, const config_setting_t *from, struct wf_node *node)
{
    const char *text = config_setting_get_string(from);
    node->u.text.len = text != NULL ? strlen(text) : 0;
    node->u.text.ptr = wf_arena_strndup(arena, text, node->u.text.len);
    return node->u.text.ptr != NULL;
}

static bool copy_content(const struct builder *builder, const config_setting_t *from,
                         struct wf_node *node)
{
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_GROUP:
        node->type = WF_NODE_GROUP;
        return copy_children(builder, from, node);
    case CONFIG_TYPE_LIST:
    case CONFIG_TYPE_ARRAY:
        node->type = WF_NODE_LIST;
        return copy_children(builder, from, node);
    case CONFIG_TYPE_STRING:
        node->type = WF_NODE_TEXT;
        return copy_text(builder->config->arena, from, node);
    case CONFIG_TYPE_INT:
        node->type = WF_NODE_INT;
        node->u.integer = config_setting_get_int(from);
        return true;
    case CONFIG_TYPE_INT64:
        node->type = WF_NODE_INT;
        node->u.integer = config_setting_get_int64(from);
        return true;
    case CONFIG_TYPE_FLOAT:
        node->type = WF_NODE_NUMBER;
        node->u.number = config_setting_get_float(from);
        return true;
    case CONFIG_TYPE_BOOL:
        node->type = WF_NODE_BOOL;
        node->u.boolean = config_setting_get_bool(from) != 0;
        return true;
    default:
        return false;
    }
}

static struct wf_node *copy_setting(const struct builder *builder, const config_setting_t *from,
                                    const struct wf_node *parent)
{
    struct wf_arena *arena = builder->config->arena;
    const char *name = config_setting_name(from);
    struct wf_node *node = wf_arena_alloc(arena, sizeof(*node));
    if (node == NULL)
        return NULL;
    node->name = name != NULL ? wf_arena_strdup(arena, name) : "";
    node->file = builder->config->name;
    node->line = (int)config_setting_source_line(from);
    node->parent = parent;
    return node->name != NULL && copy_content(builder, from, node) ? node : NULL;
}

static void report_syntax(const struct builder *builder, const config_t *parsed)
{
    const char *text = config_error_text(parsed);
    const char *file = builder->config->name;
    int line = config_error_line(parsed);
    if (text == NULL || strcmp(text, "syntax error") == 0)
        wf_report_error(builder->report, file, line,
                        "syntax error here or in the line before: settings read name = value;: "
                        "look for a missing ';', '=' or ','");
    else if (strcmp(text, "duplicate setting name") == 0)
        wf_report_error(builder->report, file, line,
                        "name used twice in one group: only one could hold: rename or remove one");
    else if (strcmp(text, "mismatched element type in array") == 0)
        wf_report_error(builder->report, file, line,
                        "mixed types in [ ]: its elements are all of one type: use ( ) instead");
    else
        wf_report_error(builder->report, file, line, "%s: the file cannot be read: mend the line",
                        text);
}

int config_build(struct wf_config *config, const char *lexed, struct wf_report *report,
                 struct wf_error *err)
{
    struct builder builder = {config, report};
    config_t parsed;
    config_init(&parsed);
    int rc = 0;
    if (config_read_string(&parsed, lexed) == CONFIG_TRUE) {
        config->root = copy_setting(&builder, config_root_setting(&parsed), NULL);
        if (config->root == NULL)
            rc = wf_fail(err, WF_E_NOMEM, "%s: out of memory", config->name);
    } else {
        size_t before = report->errors;
        report_syntax(&builder, &parsed);
        rc = wf_report_result_since(report, before, err);
    }
    config_destroy(&parsed);
    return rc;
}

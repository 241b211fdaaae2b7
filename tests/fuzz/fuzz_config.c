/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a settings file. Beside memory errors it looks for broken promises: a refusal is
 * told with a reason, an accepted file is whole, and what was accepted can be read by key tables.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
    int64_t integer;
    int64_t duration;
    double number;
    const char *text;
    struct wf_texts texts;
    const struct wf_node *node;
    bool boolean;
};

/* clang-format off */
#define KEY(name, type) {#name, WF_KEY_##type, offsetof(struct settings, name), false, 0, 0, NULL, ""}

static const struct wf_key keys[] = {
    KEY(integer, INT), KEY(duration, DURATION), KEY(number, NUMBER), KEY(text, TEXT),
    KEY(texts, TEXTS), KEY(node, NODE),         KEY(boolean, BOOL),
};
/* clang-format on */

static void promise(bool kept)
{
    if (!kept)
        abort();
}

static int count_lines(struct wf_str text)
{
    int lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

static void check_node(const struct wf_node *node, const struct wf_node *parent, int lines)
{
    promise(node->parent == parent && node->name != NULL && node->file != NULL);
    promise(node->line >= 0 && node->line <= lines);
    if (node->type == WF_NODE_TEXT) {
        promise(wf_is_utf8(node->u.text.ptr, node->u.text.len));
        promise(node->u.text.ptr[node->u.text.len] == '\0');
    }
    for (size_t i = 0; i < wf_node_count(node); i++) {
        check_node(wf_node_at(node, i), node, lines);
        if (node->type == WF_NODE_GROUP)
            promise(wf_node_child(node, wf_node_at(node, i)->name) == wf_node_at(node, i));
    }
}

static void check_config(struct wf_config *config)
{
    struct wf_report report = {0};
    struct settings settings = {0};
    const struct wf_node *root = wf_config_root(config);
    struct wf_arena *arena = wf_arena_new(0);
    promise(root->type == WF_NODE_GROUP);
    check_node(root, NULL, count_lines(wf_config_source(config)));
    promise(wf_value_is_whole(wf_node_value(root, arena)));
    int rc = wf_keys_read(config, root, keys, WF_COUNT(keys), &settings, &report, NULL);
    promise(rc == 0 ? report.errors == 0 : rc == WF_E_CONFIG && report.errors > 0);
    wf_report_fini(&report);
    wf_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_report report = {0};
    struct wf_config *config = NULL;
    struct wf_error err = {0};
    int rc = wf_config_parse("fuzz.cfg", (const char *)data, size, &report, &config, &err);
    promise((rc == 0) == (config != NULL));
    if (rc == 0)
        check_config(config);
    else
        promise(rc == WF_E_CONFIG && report.errors > 0 && err.text[0] != '\0');
    for (size_t i = 0; i < report.n; i++)
        promise(strlen(report.messages[i].text) > 0 && report.messages[i].line >= 0);
    wf_config_free(config);
    wf_report_fini(&report);
    return 0;
}

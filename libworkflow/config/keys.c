/* SPDX-License-Identifier: Apache-2.0 */
/* Key tables: one row says what a setting is called, what it may hold and where it goes. */
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TEXT_BYTES 4096.0

struct reading {
    struct wf_config *config;
    const struct wf_node *group;
    const struct wf_key *keys;
    size_t n_keys;
    struct wf_report *report;
    bool out_of_memory;
};

static const char *const type_names[] = {
    [WF_KEY_BOOL] = "boolean", [WF_KEY_INT] = "integer",         [WF_KEY_NUMBER] = "number",
    [WF_KEY_TEXT] = "text",    [WF_KEY_TEXTS] = "list of texts", [WF_KEY_DURATION] = "duration",
    [WF_KEY_NODE] = "part",
};

#define COMPLAIN(reading, node, ...)                                                               \
    wf_report_error((reading)->report, (node)->file, (node)->line, __VA_ARGS__)

bool wf_duration_parse(struct wf_str text, int64_t *out_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"ms", 1},         {"s", 1000},        {"second", 1000},   {"seconds", 1000},
        {"min", 60000},    {"minute", 60000},  {"minutes", 60000}, {"h", 3600000},
        {"hour", 3600000}, {"hours", 3600000}, {"day", 86400000},  {"days", 86400000},
    };
    int64_t amount = 0;
    size_t i = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        if (i > 11) /* far beyond any duration, far within int64 */
            return false;
        amount = amount * 10 + (text.ptr[i] - '0');
    }
    if (i == 0)
        return false;
    while (i < text.len && text.ptr[i] == ' ')
        i++;
    struct wf_str unit = {text.ptr + i, text.len - i};
    for (size_t u = 0; u < WF_COUNT(units); u++) {
        if (wf_str_is(unit, units[u].name) && amount <= INT64_MAX / units[u].ms) {
            *out_ms = amount * units[u].ms;
            return true;
        }
    }
    return false;
}

static bool is_bounded(const struct wf_key *key)
{
    return key->min != 0.0 || key->max != 0.0;
}

static bool is_within(const struct wf_key *key, double number)
{
    return !is_bounded(key) || (number >= key->min && number <= key->max);
}

static void complain_type(struct reading *r, const struct wf_key *key, const struct wf_node *node)
{
    const char *how = key->type == WF_KEY_DURATION ? " such as \"30 seconds\"" : "";
    COMPLAIN(r, node, "%s is of type %s: its type is %s: write such a value%s", key->name,
             wf_node_type_name(node->type), type_names[key->type], how);
}

static bool check_range(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                        double number, const char *unit)
{
    if (is_within(key, number))
        return true;
    COMPLAIN(r, node, "%s is out of range: %.15g to %.15g%s are allowed: change it", key->name,
             key->min, key->max, unit);
    return false;
}

/* Copies size bytes to the member; the one place that writes into the caller's struct. */
static void set(void *out, const struct wf_key *key, const void *value, size_t size)
{
    memcpy((char *)out + key->offset, value, size);
}

static void read_bool(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                      void *out)
{
    if (node->type != WF_NODE_BOOL)
        complain_type(r, key, node);
    else
        set(out, key, &node->u.boolean, sizeof(bool));
}

static void read_int(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                     void *out)
{
    if (node->type != WF_NODE_INT)
        complain_type(r, key, node);
    else if (check_range(r, key, node, (double)node->u.integer, ""))
        set(out, key, &node->u.integer, sizeof(int64_t));
}

static void read_number(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                        void *out)
{
    bool is_int = node->type == WF_NODE_INT;
    if (!is_int && node->type != WF_NODE_NUMBER) {
        complain_type(r, key, node);
        return;
    }
    double number = is_int ? (double)node->u.integer : node->u.number;
    if (check_range(r, key, node, number, ""))
        set(out, key, &number, sizeof(number));
}

static void read_text(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                      void *out)
{
    if (node->type != WF_NODE_TEXT) {
        complain_type(r, key, node);
        return;
    }
    double max = key->max != 0.0 ? key->max : DEFAULT_TEXT_BYTES;
    double length = (double)node->u.text.len;
    if (length < key->min || length > max)
        COMPLAIN(r, node, "%s has %zu bytes: %.0f to %.0f are allowed: change it", key->name,
                 node->u.text.len, key->min, max);
    else
        set(out, key, &node->u.text.ptr, sizeof(const char *));
}

static void read_texts(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                       void *out)
{
    bool is_single = node->type == WF_NODE_TEXT;
    size_t n = is_single ? 1 : wf_node_count(node);
    if (!is_single && node->type != WF_NODE_LIST) {
        complain_type(r, key, node);
        return;
    }
    if (!check_range(r, key, node, (double)n, " texts"))
        return;
    const char **items = wf_arena_alloc(r->config->arena, n * sizeof(*items) + 1);
    if (items == NULL) {
        r->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct wf_node *item = is_single ? node : wf_node_at(node, i);
        if (item->type != WF_NODE_TEXT) {
            complain_type(r, key, item);
            return;
        }
        items[i] = item->u.text.ptr;
    }
    struct wf_texts texts = {items, n};
    set(out, key, &texts, sizeof(texts));
}

static void read_duration(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                          void *out)
{
    int64_t ms = 0;
    if (node->type != WF_NODE_TEXT)
        complain_type(r, key, node);
    else if (!wf_duration_parse(node->u.text, &ms))
        COMPLAIN(r, node,
                 "%s is no duration: a whole number and a unit are needed (ms, seconds, "
                 "minutes, hours, days): write \"30 seconds\"",
                 key->name);
    else if (check_range(r, key, node, (double)ms, " ms"))
        set(out, key, &ms, sizeof(ms));
}

static void read_node(struct reading *r, const struct wf_key *key, const struct wf_node *node,
                      void *out)
{
    (void)r;
    set(out, key, &node, sizeof(node));
}

typedef void read_fn(struct reading *, const struct wf_key *, const struct wf_node *, void *);

static read_fn *const readers[] = {
    [WF_KEY_BOOL] = read_bool, [WF_KEY_INT] = read_int,     [WF_KEY_NUMBER] = read_number,
    [WF_KEY_TEXT] = read_text, [WF_KEY_TEXTS] = read_texts, [WF_KEY_DURATION] = read_duration,
    [WF_KEY_NODE] = read_node,
};

/* Blank-separated words of a default to a list. */
static bool split_words(struct wf_arena *arena, const char *words, struct wf_texts *out)
{
    char *copy = wf_arena_strdup(arena, words);
    const char **items = wf_arena_alloc(arena, (strlen(words) + 1) * sizeof(*items));
    if (copy == NULL || items == NULL)
        return false;
    size_t n = 0;
    char *rest = NULL;
    for (char *w = strtok_r(copy, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
        items[n++] = w;
    *out = (struct wf_texts){items, n};
    return true;
}

/* A default goes through the same reader as a setting, as a node made up for it. */
static void read_fallback(struct reading *r, const struct wf_key *key, void *out)
{
    struct wf_node node = {.name = key->name, .file = r->group->file, .line = r->group->line};
    struct wf_texts texts = {NULL, 0};
    switch (key->type) {
    case WF_KEY_BOOL:
        node.type = WF_NODE_BOOL;
        node.u.boolean = strcmp(key->fallback, "true") == 0;
        break;
    case WF_KEY_INT:
        node.type = WF_NODE_INT;
        node.u.integer = strtoll(key->fallback, NULL, 10);
        break;
    case WF_KEY_NUMBER:
        node.type = WF_NODE_NUMBER;
        node.u.number = strtod(key->fallback, NULL);
        break;
    case WF_KEY_TEXT:
    case WF_KEY_DURATION:
        node.type = WF_NODE_TEXT;
        node.u.text = wf_str(key->fallback);
        break;
    case WF_KEY_TEXTS:
        if (split_words(r->config->arena, key->fallback, &texts))
            set(out, key, &texts, sizeof(texts));
        else
            r->out_of_memory = true;
        return;
    case WF_KEY_NODE:
        return;
    }
    readers[key->type](r, key, &node, out);
}

static void complain_unknown(struct reading *r, const struct wf_node *node)
{
    const char *names[256];
    size_t n = 0;
    for (size_t i = 0; i < r->n_keys && n < WF_COUNT(names); i++)
        names[n++] = r->keys[i].name;
    const char *nearest = wf_nearest(node->name, names, n);
    if (nearest != NULL)
        COMPLAIN(r, node, "unknown setting '%s': it would have no effect: did you mean '%s'?",
                 node->name, nearest);
    else
        COMPLAIN(r, node, "unknown setting '%s': it would have no effect: remove it", node->name);
}

static void find_unknown(struct reading *r)
{
    for (size_t i = 0; i < wf_node_count(r->group); i++) {
        const struct wf_node *node = wf_node_at(r->group, i);
        size_t k = 0;
        while (k < r->n_keys && strcmp(r->keys[k].name, node->name) != 0)
            k++;
        if (k == r->n_keys)
            complain_unknown(r, node);
    }
}

int wf_keys_read(struct wf_config *config, const struct wf_node *group, const struct wf_key *keys,
                 size_t n_keys, void *out, struct wf_report *report, struct wf_error *err)
{
    struct reading r = {config, group, keys, n_keys, report, false};
    size_t before = report->errors;
    if (group->type != WF_NODE_GROUP) {
        COMPLAIN(&r, group, "%s is of type %s: settings belong into a group: write { ... }",
                 group->name[0] != '\0' ? group->name : "this", wf_node_type_name(group->type));
        return wf_report_result_since(report, before, err);
    }
    find_unknown(&r);
    for (size_t i = 0; i < n_keys; i++) {
        const struct wf_node *node = wf_node_child(group, keys[i].name);
        if (node != NULL)
            readers[keys[i].type](&r, &keys[i], node, out);
        else if (keys[i].required)
            COMPLAIN(&r, group, "setting '%s' is missing: it has no default: add it (%s)",
                     keys[i].name, keys[i].help != NULL ? keys[i].help : type_names[keys[i].type]);
        else if (keys[i].fallback != NULL)
            read_fallback(&r, &keys[i], out);
    }
    if (r.out_of_memory)
        return wf_fail(err, WF_E_NOMEM, "%s: out of memory", group->file);
    return wf_report_result_since(report, before, err);
}

void wf_keys_help(const struct wf_key *keys, size_t n_keys, struct wf_buf *out)
{
    for (size_t i = 0; i < n_keys; i++) {
        const struct wf_key *key = &keys[i];
        wf_buf_printf(out, "  %-24s %s", key->name, type_names[key->type]);
        if (is_bounded(key))
            wf_buf_printf(out, " %.15g..%.15g%s", key->min, key->max,
                          key->type == WF_KEY_DURATION ? " ms" : "");
        if (key->required)
            wf_buf_text(out, ", required");
        else if (key->fallback != NULL)
            wf_buf_printf(out, ", default %s", key->fallback);
        wf_buf_printf(out, "\n      %s\n", key->help != NULL ? key->help : "");
    }
}

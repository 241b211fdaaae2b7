/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct wf_config *config_new(const char *name, struct wf_str text)
{
    struct wf_config *config = wf_alloc(sizeof(*config));
    if (config == NULL)
        return NULL;
    config->arena = wf_arena_new(0);
    if (config->arena != NULL) {
        config->name = wf_arena_strdup(config->arena, name);
        config->source.ptr = wf_arena_strndup(config->arena, text.ptr, text.len);
        config->source.len = text.len;
    }
    if (config->name != NULL && config->source.ptr != NULL)
        return config;
    wf_config_free(config);
    return NULL;
}

void wf_config_free(struct wf_config *config)
{
    if (config == NULL)
        return;
    wf_arena_free(config->arena);
    wf_free(config);
}

int wf_config_parse(const char *name, const char *text, size_t length, struct wf_report *report,
                    struct wf_config **out, struct wf_error *err)
{
    struct wf_buf lexed = {0};
    struct wf_config *config = NULL;
    size_t before = report->errors;
    struct wf_str source = {text != NULL ? text : "", length};
    config_lex(name, source, report, &lexed);
    int rc = wf_report_result_since(report, before, err);
    if (rc < 0)
        goto out;
    wf_buf_add(&lexed, "", 1);
    config = config_new(name, source);
    if (lexed.failed || config == NULL) {
        rc = wf_fail(err, WF_E_NOMEM, "%s: out of memory", name);
        goto out;
    }
    rc = config_build(config, (const char *)lexed.ptr, report, err);
    if (rc < 0)
        goto out;
    *out = config;
    config = NULL;
out:
    wf_config_free(config);
    wf_buf_fini(&lexed);
    return rc;
}

/* Reads at most one byte more than a file may have, so that the size check speaks. */
static int read_all(int fd, struct wf_buf *buf)
{
    char chunk[8192];
    while (buf->len <= MAX_FILE_BYTES) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        wf_buf_add(buf, chunk, (size_t)n);
        if (buf->failed)
            return 0;
    }
    return 0;
}

static int refuse_file(const char *path, const char *why, struct wf_report *report,
                       struct wf_error *err)
{
    wf_report_error(report, path, 0, "cannot be read: %s: check name and permissions", why);
    return wf_fail(err, WF_E_IO, "%s: cannot be read: %s", path, why);
}

int wf_config_read(const char *path, struct wf_report *report, struct wf_config **out,
                   struct wf_error *err)
{
    struct wf_buf text = {0};
    struct stat info;
    int rc = 0;
    /* Not to hang on a pipe that somebody put there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse_file(path, strerror(errno), report, err);
    if (fstat(fd, &info) < 0 || (S_ISREG(info.st_mode) && read_all(fd, &text) < 0)) {
        rc = refuse_file(path, strerror(errno), report, err);
    } else if (!S_ISREG(info.st_mode)) {
        rc = refuse_file(path, "not a regular file", report, err);
    } else if (text.failed) {
        rc = wf_fail(err, WF_E_NOMEM, "%s: out of memory", path);
    } else {
        const char *bytes = text.ptr != NULL ? (const char *)text.ptr : "";
        rc = wf_config_parse(path, bytes, text.len, report, out, err);
    }
    (void)close(fd);
    wf_buf_fini(&text);
    return rc;
}

const struct wf_node *wf_config_root(const struct wf_config *config)
{
    return config->root;
}

struct wf_str wf_config_source(const struct wf_config *config)
{
    return config->source;
}

size_t wf_node_count(const struct wf_node *node)
{
    bool has_children = node != NULL && (node->type == WF_NODE_GROUP || node->type == WF_NODE_LIST);
    return has_children ? node->u.children.n : 0;
}

const struct wf_node *wf_node_at(const struct wf_node *node, size_t i)
{
    return i < wf_node_count(node) ? node->u.children.items[i] : NULL;
}

const struct wf_node *wf_node_child(const struct wf_node *group, const char *name)
{
    for (size_t i = 0; i < wf_node_count(group); i++) {
        if (strcmp(group->u.children.items[i]->name, name) == 0)
            return group->u.children.items[i];
    }
    return NULL;
}

const char *wf_node_type_name(enum wf_node_type type)
{
    static const char *const names[] = {"group", "list", "text", "integer", "number", "boolean"};
    return names[type];
}

const struct wf_value *wf_node_value(const struct wf_node *node, struct wf_arena *arena)
{
    struct wf_value *container = NULL;
    switch (node->type) {
    case WF_NODE_TEXT:
        return wf_text_n(arena, node->u.text.ptr, node->u.text.len);
    case WF_NODE_INT:
        return wf_int(arena, node->u.integer);
    case WF_NODE_NUMBER:
        return wf_number(arena, node->u.number);
    case WF_NODE_BOOL:
        return wf_bool(node->u.boolean);
    case WF_NODE_LIST:
        container = wf_list(arena);
        for (size_t i = 0; i < wf_node_count(node); i++)
            wf_list_add(arena, container, wf_node_value(wf_node_at(node, i), arena));
        break;
    case WF_NODE_GROUP:
        container = wf_map(arena);
        for (size_t i = 0; i < wf_node_count(node); i++)
            wf_map_put(arena, container, wf_node_at(node, i)->name,
                       wf_node_value(wf_node_at(node, i), arena));
        break;
    }
    return wf_value_is_whole(container) ? container : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The books of adapters (services/adapter/db.h), which belong to the cell as its store does. They are
 * copied before the store: a book that is behind its store learns again what it lacks, under the same
 * keys, while one that is ahead would speak of tasks and events that the restored store gives to
 * others.
 */
#include "keep.h"

#include <string.h>
#include <unistd.h>

#include "adapter/db.h"
#include "children.h"

bool keep_is_book(const char *name)
{
    size_t length = strlen(name);
    bool found = false;
    for (size_t i = 0; i < HOSO_ADAPTERS && !found; i++)
        found = length == strlen(hoso_adapters[i]) + strlen(KEEP_BOOK) &&
                strncmp(name, hoso_adapters[i], strlen(hoso_adapters[i])) == 0 &&
                strcmp(name + length - strlen(KEEP_BOOK), KEEP_BOOK) == 0;
    return found;
}

/* What its settings name, as they do it: from the cell's folder on. A file that is wrong is the
 * adapter's to complain about. */
static bool named_book(const char *settings, const char *folder, char out[4096])
{
    struct wf_report report = {0};
    struct wf_config *config = NULL;
    bool named = false;
    if (wf_config_read(settings, &report, &config, NULL) == 0) {
        const struct wf_node *node = wf_node_child(wf_config_root(config), "database");
        if (node != NULL && node->type == WF_NODE_TEXT && node->u.text.len > 0)
            named = node->u.text.ptr[0] == '/' ? snprintf(out, 4096, "%s", node->u.text.ptr) < 4096
                                               : hoso_path(out, folder, node->u.text.ptr);
    }
    wf_config_free(config);
    wf_report_fini(&report);
    return named;
}

bool keep_book_of(const char *folder, const char *adapter, char out[4096])
{
    char name[64];
    char settings[4096];
    (void)snprintf(name, sizeof(name), "%s.cfg", adapter);
    if (!hoso_path(settings, folder, name) || access(settings, F_OK) != 0)
        return false;
    (void)snprintf(name, sizeof(name), "%s" KEEP_BOOK, adapter);
    return named_book(settings, folder, out) || hoso_path(out, folder, name);
}

int keep_copy_books(struct hoso *h, const char *to, int (*fn)(void *context, const char *name),
                    void *context)
{
    char book[4096];
    char copy[4096];
    char name[64];
    int rc = 0;
    for (size_t i = 0; i < HOSO_ADAPTERS && rc == 0; i++) {
        if (!keep_book_of(h->folder, hoso_adapters[i], book) || access(book, F_OK) != 0)
            continue;
        (void)snprintf(name, sizeof(name), "%s" KEEP_BOOK, hoso_adapters[i]);
        if (!hoso_path(copy, to, name))
            return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
        rc = db_copy(book, copy, &h->err);
        if (rc == 0)
            rc = fn(context, name);
    }
    return rc;
}

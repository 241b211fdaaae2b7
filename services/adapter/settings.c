/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CELL/NAME.cfg, and what of CELL/hoso.cfg an adapter must know. Where the cell is on another host
 * there is no hoso.cfg here: the gate's key file says where the cell is.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter/adapter.h"

static int no_memory(struct wf_error *err)
{
    return wf_fail(err, WF_E_NOMEM, "read the settings: out of memory");
}

static int absolute(struct adapter *a, const char **path, struct wf_error *err)
{
    if (*path == NULL || (*path)[0] == '\0' || (*path)[0] == '/')
        return 0;
    *path = wf_arena_printf(a->texts, "%s/%s", a->folder, *path);
    return *path != NULL ? 0 : no_memory(err);
}

static bool is_remote(const struct adapter *a)
{
    return a->common->gate != NULL && a->common->gate[0] != '\0';
}

static int read_cell(struct adapter *a, struct wf_report *report, struct wf_error *err)
{
    const char *path = wf_arena_printf(a->texts, "%s/hoso.cfg", a->folder);
    if (path == NULL)
        return no_memory(err);
    int rc = wf_settings_load(path, report, &a->cell, err);
    if (rc == 0)
        a->run = a->cell.run;
    return rc;
}

static int read_own(struct adapter *a, struct wf_report *report, struct wf_error *err)
{
    const struct adapter_spec *spec = a->spec;
    struct adapter_settings *common = a->settings;
    const char *path = wf_arena_printf(a->texts, "%s/%s.cfg", a->folder, spec->name);
    if (path == NULL)
        return no_memory(err);
    if (access(path, F_OK) != 0)
        return wf_fail(err, WF_E_NOT_FOUND, "%s: not there: this cell has no %s (docs/%s.md)", path,
                       spec->name, spec->name);
    int rc = wf_config_read(path, report, &a->config, err);
    if (rc != 0)
        return rc;
    a->root = wf_config_root(a->config);
    rc = wf_keys_read(a->config, a->root, spec->keys, spec->n_keys, a->settings, report, err);
    if (rc == 0)
        rc = absolute(a, &common->gate, err);
    if (rc == 0)
        rc = absolute(a, &common->database, err);
    if (rc == 0 && spec->check != NULL)
        rc = spec->check(a, report, err);
    return rc == 0 ? wf_report_result(report, err) : rc;
}

int adapter_load(struct adapter *a, const struct adapter_spec *spec, const char *folder,
                 struct wf_report *report, struct wf_error *err)
{
    char real[PATH_MAX];
    *a = (struct adapter){.spec = spec, .signal_fd = -1, .lock_fd = -1};
    a->slot = &a->unseen;
    if (realpath(folder, real) == NULL)
        return wf_fail(err, WF_E_CONFIG, "%s: there is no such folder", folder);
    a->texts = wf_arena_new(0);
    a->arena = wf_arena_new(0);
    if (a->texts == NULL || a->arena == NULL)
        return no_memory(err);
    a->folder = wf_arena_strdup(a->texts, real);
    a->settings = wf_arena_alloc(a->texts, spec->settings_size);
    a->common = a->settings;
    if (a->folder == NULL || a->settings == NULL)
        return no_memory(err);
    int rc = read_own(a, report, err);
    if (rc == 0 && !is_remote(a))
        rc = read_cell(a, report, err);
    return rc;
}

void adapter_unload(struct adapter *a)
{
    wf_client_close(a->client);
    wf_config_free(a->config);
    wf_settings_free(&a->cell);
    wf_arena_free(a->arena);
    wf_arena_free(a->texts);
    if (a->signal_fd >= 0)
        (void)close(a->signal_fd);
    if (a->lock_fd >= 0)
        (void)close(a->lock_fd);
    *a = (struct adapter){.signal_fd = -1, .lock_fd = -1};
}

static int open_gate(struct adapter *a, struct wf_error *err)
{
    const struct wf_client_options options = {.timeout_ms = a->common->timeout_ms};
    struct wf_keypair keys = {0};
    struct wf_key_place place = {0};
    const char *path = a->common->gate;
    int rc = wf_keypair_read(path, &keys, &place, err);
    if (rc == 0 && (place.gate[0] == '\0' || place.endpoint[0] == '\0'))
        rc = wf_fail(err, WF_E_CONFIG,
                     "%s: gate and endpoint are missing: use the file that hoso party add wrote",
                     path);
    if (rc == 0)
        rc = wf_client_open_gate(place.endpoint, place.gate, &keys, &options, &a->client, err);
    wf_keypair_wipe(&keys);
    return rc;
}

int adapter_client(struct adapter *a, struct wf_client **out, struct wf_error *err)
{
    const struct wf_client_options options = {.timeout_ms = a->common->timeout_ms,
                                              .party = a->common->party};
    int rc = 0;
    adapter_beat(a, a->common->timeout_ms);
    if (a->client == NULL)
        rc = is_remote(a) ? open_gate(a, err) : wf_client_open(a->run, &options, &a->client, err);
    if (rc == 0)
        *out = a->client;
    return rc;
}

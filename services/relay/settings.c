/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STATION/relay.cfg, and what of STATION/hoso.cfg a station needs. Folder and file of a station look
 * as a cell's do, so that `hoso submit --cell STATION` works in it as it does beside a cell.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "relay/relay.h"

#define LEAST_MIB 1 /* also with min_free_mib = 0: room to settle what was taken */

#define SETTING(name, kind, min, max, fallback, help)                                              \
    {                                                                                              \
#name, WF_KEY_##kind, offsetof(struct relay_settings, name), false, min, max, fallback,    \
            help                                                                                   \
    }

/* clang-format off */
static const struct wf_key keys[] = {
    SETTING(key,             TEXT,  1, 1024, "relay.key", "file that hoso party add --relay wrote, from this file's folder"),
    SETTING(database,        TEXT,  1, 1024, "relay.db", "the station's own store, from this file's folder"),
    SETTING(sites,           TEXTS, 0, 0, NULL,        "sites at which it receives, as it is registered; none = any"),
    SETTING(roles,           TEXTS, 0, 0, NULL,        "roles of its staff, as it is registered; none = any"),
    SETTING(range,           INT,   1, 10000, "500",   "provisional numbers reserved at a time"),
    SETTING(low_water,       INT,   0, 10000, "200",   "reserve more when fewer are left"),
    SETTING(window,          INT,   1, 64, "16",       "hand-offs under way at a time"),
    SETTING(most,            INT,   1, 1000000, "10000", "most that may wait for the line"),
    SETTING(answer_wait_ms,  DURATION, 0, 60000, "1 second", "how long a receipt may wait for the cell's own code"),
    SETTING(line_timeout_ms, DURATION, 200, 600000, "4 seconds", "without answer for so long the line is down"),
    SETTING(probe_ms,        DURATION, 100, 600000, "5 seconds", "between two looks whether the cell is there"),
    SETTING(keep_ms,         DURATION, 60000, 315360000000.0, "90 days", "how long both codes of a dossier are kept"),
};
/* clang-format on */

void relay_help(struct wf_buf *out)
{
    wf_keys_help(keys, WF_COUNT(keys), out);
}

static int absolute(struct relay *relay, const char **path, struct wf_error *err)
{
    if ((*path)[0] == '/')
        return 0;
    *path = wf_arena_printf(relay->cell.arena, "%s/%s", relay->cell.folder, *path);
    return *path != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "read the settings: out of memory");
}

static int read_own(struct relay *relay, struct wf_report *report, struct wf_error *err)
{
    const char *path = wf_arena_printf(relay->cell.arena, "%s/relay.cfg", relay->cell.folder);
    if (path == NULL)
        return wf_fail(err, WF_E_NOMEM, "read the settings: out of memory");
    int rc = wf_config_read(path, report, &relay->config, err);
    if (rc == 0)
        rc = wf_keys_read(relay->config, wf_config_root(relay->config), keys, WF_COUNT(keys),
                          &relay->settings, report, err);
    if (rc == 0)
        rc = wf_report_result(report, err);
    if (rc == 0)
        rc = absolute(relay, &relay->settings.key, err);
    return rc == 0 ? absolute(relay, &relay->settings.database, err) : rc;
}

int relay_load(const char *folder, struct relay *relay, struct wf_report *report,
               struct wf_error *err)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/hoso.cfg", folder);
    if (length < 0 || (size_t)length >= sizeof(path))
        return wf_fail(err, WF_E_CONFIG, "the station's path is too long");
    int rc = wf_settings_load(path, report, &relay->cell, err);
    if (rc == 0)
        rc = read_own(relay, report, err);
    return rc == WF_E_IO ? (err->code = WF_E_CONFIG) : rc;
}

void relay_unload(struct relay *relay)
{
    wf_config_free(relay->config);
    relay->config = NULL;
    wf_settings_free(&relay->cell);
}

uint64_t relay_room(const struct relay *relay)
{
    int64_t mib = relay->cell.min_free_mib;
    return (uint64_t)(mib > LEAST_MIB ? mib : LEAST_MIB) << 20;
}

int relay_has_room(const struct relay *relay, bool *out, struct wf_error *err)
{
    struct statvfs is;
    if (statvfs(relay->settings.database, &is) != 0)
        return wf_fail(err, WF_E_IO, "%s: %s", relay->settings.database, strerror(errno));
    *out = (uint64_t)is.f_bavail * is.f_frsize >= relay_room(relay);
    return 0;
}

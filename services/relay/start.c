/* SPDX-License-Identifier: Apache-2.0 */
/* From settings to a station that is ready: registry, definitions, store, clock, sockets. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "catalogue.h"
#include "relay/relay.h"

#define DEFINITIONS_MOST 1000

static void show(struct wf_report *report)
{
    char line[1024];
    for (size_t i = 0; i < report->n; i++)
        (void)fprintf(stderr, "%s\n", wf_report_line(report, i, line, sizeof(line)));
    wf_report_fini(report);
}

/* ---- definitions ------------------------------------------------------------------------------ */

static int is_definition(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

static int load_definition(struct relay *relay, const char *folder, const char *file,
                           struct wf_report *report, struct wf_error *err)
{
    char path[4096];
    struct definition *d = &relay->definitions[relay->n_definitions];
    int length = snprintf(path, sizeof(path), "%s/%s", folder, file);
    if (length < 0 || (size_t)length >= sizeof(path))
        return wf_fail(err, WF_E_CONFIG, "%s: its path is too long", file);
    int rc = wf_procedure_load(path, &relay->catalogue, report, &d->procedure, err);
    if (rc != 0)
        return rc;
    wf_procedure_span(d->procedure, relay->calendar, &d->from_ms, &d->until_ms);
    relay->n_definitions++;
    return 0;
}

/* STATION/procedures: copies of the cell's definitions. Without the folder nothing is checked here
 * but what every message must be. */
static int load_definitions(struct relay *relay, struct wf_report *report, struct wf_error *err)
{
    char folder[4096];
    struct dirent **entries = NULL;
    (void)snprintf(folder, sizeof(folder), "%.4000s/procedures", relay->cell.folder);
    int n = scandir(folder, &entries, is_definition, alphasort);
    if (n < 0)
        return errno == ENOENT ? 0 : wf_fail(err, WF_E_CONFIG, "%s: %s", folder, strerror(errno));
    int rc = n > DEFINITIONS_MOST
                 ? wf_fail(err, WF_E_CONFIG, "%s: more than %d files", folder, DEFINITIONS_MOST)
                 : 0;
    relay->definitions = wf_alloc((size_t)(n > 0 ? n : 1) * sizeof(*relay->definitions));
    if (relay->definitions == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "read the definitions: out of memory");
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = load_definition(relay, folder, entries[i]->d_name, report, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int load_registry(struct relay *relay, struct wf_report *report, struct wf_error *err)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%.4000s/calendar.cfg", relay->cell.registry);
    int rc = wf_registry_load(relay->cell.registry, report, &relay->registry, err);
    if (rc == 0)
        rc = wf_calendar_load(path, report, &relay->calendar, err);
    if (rc == 0)
        rc = wf_registry_check_calendars(relay->registry, relay->calendar, report, err);
    if (rc != 0)
        return rc;
    relay->catalogue = *hoso_catalogue();
    wf_registry_catalogue(relay->registry, &relay->catalogue);
    report->is_installed = true; /* in the cell, whose copies they are */
    return load_definitions(relay, report, err);
}

/* ---- store and sockets ------------------------------------------------------------------------ */

static int load_facts(struct relay *relay, struct wf_error *err)
{
    struct wf_str reserve = {0};
    int64_t heard = 0;
    int rc = store_fact(relay->db, "clock_real", &relay->clock.origin_real_ms, err);
    if (rc == 0)
        rc = store_fact(relay->db, "clock_business", &relay->clock.origin_business_ms, err);
    if (rc == 0)
        rc = store_fact(relay->db, "clock_rate", &relay->clock.rate, err);
    if (rc == 0)
        rc = store_fact_text(relay->db, "reserve", relay->arena, &reserve, err);
    if (rc == 0)
        rc = store_set_fact(relay->db, "skew", 0, err); /* until the cell is heard */
    if (rc == 0)
        rc = store_fact(relay->db, "heard", &heard, err);
    relay->heard_before = heard / 1000;
    if (rc == 0)
        (void)wf_str_copy(reserve, relay->line.reserve, sizeof(relay->line.reserve));
    return rc;
}

static int read_key(const struct relay *relay, struct wf_keypair *keys, struct wf_key_place *place,
                    struct wf_error *err)
{
    int rc = wf_keypair_read(relay->settings.key, keys, place, err);
    if (rc == 0 && (place->gate[0] == '\0' || place->endpoint[0] == '\0'))
        rc = wf_fail(err, WF_E_CONFIG,
                     "%s: gate and endpoint are missing: use the file that hoso party add wrote",
                     relay->settings.key);
    return rc;
}

static int open_outpost(struct relay *relay, struct wf_error *err)
{
    struct wf_keypair keys = {0};
    struct wf_key_place place = {{0}, {0}};
    int rc = read_key(relay, &keys, &place, err);
    const struct wf_outpost_options options = {.run = relay->cell.run,
                                               .endpoint = place.endpoint,
                                               .server_key = place.gate,
                                               .keys = &keys};
    if (rc == 0 && mkdir(relay->cell.run, 0700) != 0 && errno != EEXIST)
        rc = wf_fail(err, WF_E_CONFIG, "%s: %s", relay->cell.run, strerror(errno));
    if (rc == 0)
        rc = wf_outpost_open(&options, &relay->outpost, err);
    wf_keypair_wipe(&keys);
    return rc;
}

static int load(struct relay *relay, struct wf_error *err)
{
    struct wf_report report = {0};
    relay->arena = wf_arena_new(0);
    if (relay->arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    int rc = load_registry(relay, &report, err);
    show(&report);
    return rc == WF_E_IO ? (err->code = WF_E_CONFIG) : rc;
}

int relay_check(struct relay *relay, struct wf_error *err)
{
    struct wf_keypair keys = {0};
    struct wf_key_place place = {{0}, {0}};
    int rc = load(relay, err);
    if (rc == 0)
        rc = read_key(relay, &keys, &place, err);
    wf_keypair_wipe(&keys);
    return rc;
}

int relay_open(struct relay *relay, struct wf_error *err)
{
    int rc = load(relay, err);
    if (rc == 0) /* its locks keep a second station off the store */
        rc = open_outpost(relay, err);
    if (rc == 0)
        rc = store_open(relay->settings.database, &relay->db, err);
    return rc == 0 ? load_facts(relay, err) : rc;
}

void relay_close(struct relay *relay)
{
    for (size_t i = 0; i < WF_COUNT(relay->held); i++)
        held_drop(&relay->held[i]);
    wf_outpost_close(relay->outpost);
    db_close(relay->db);
    for (size_t i = 0; i < relay->n_definitions; i++)
        wf_procedure_free(relay->definitions[i].procedure);
    wf_free(relay->definitions);
    wf_calendar_free(relay->calendar);
    wf_registry_free(relay->registry);
    wf_arena_free(relay->arena);
    wf_buf_fini(&relay->out);
}

int64_t relay_now(const struct relay *relay)
{
    return wf_business_ms(&relay->clock, wf_real_ms());
}

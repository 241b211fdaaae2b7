/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb works on: folder, settings, registry, calendar, store, client, definitions. */
#include "hoso.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue.h"

#define ANOTHERS "it is another account's: work as that one, or as root"

struct hoso_known {
    struct hoso_known *next;
    struct wf_str code;
    uint64_t version;
    struct wf_procedure *procedure; /* NULL: does not compile, tried once */
};

int hoso_print_report(const struct wf_report *report)
{
    char line[1024];
    for (size_t i = 0; i < report->n; i++)
        (void)fprintf(stderr, "%s%s\n", wf_report_line(report, i, line, sizeof(line)),
                      report->messages[i].is_warning ? " (warning)" : "");
    if (report->dropped > 0)
        (void)fprintf(stderr, "... and %zu more\n", report->dropped);
    return report->errors > 0 ? HOSO_FAILED : 0;
}

/* After a load that may have filled the report: prints it, and lets its lines speak for err. */
static int told(struct hoso *h, struct wf_report *report, int rc)
{
    int printed = rc < 0 ? hoso_print_report(report) : 0;
    wf_report_fini(report);
    if (rc < 0 && printed != 0)
        h->err.code = WF_E_CONFIG;
    return rc < 0 && printed != 0 ? HOSO_FAILED : rc;
}

/* ---- files ------------------------------------------------------------------------------- */

int hoso_read_file(struct hoso *h, const char *name, size_t most_bytes, struct wf_buf *out)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(name, "rb");
    if (file == NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: %s", name, strerror(errno));
    char chunk[4096];
    size_t n;
    while (out->len <= most_bytes && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        wf_buf_add(out, chunk, n);
    bool is_broken = ferror(file) != 0;
    int why = errno;
    if (!is_stdin)
        (void)fclose(file);
    if (is_broken)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: %s", name, strerror(why));
    if (out->failed)
        return wf_fail(&h->err, WF_E_NOMEM, "%s: out of memory", name);
    if (out->len > most_bytes)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: more than %zu bytes", name, most_bytes);
    return 0;
}

/* ---- folder and settings -------------------------------------------------------------------- */

bool hoso_path(char out[4096], const char *folder, const char *name)
{
    int length = snprintf(out, 4096, "%s/%s", folder, name);
    return length > 0 && length < 4096;
}

static bool is_file(const char *folder, const char *name)
{
    char path[4096];
    struct stat is;
    return hoso_path(path, folder, name) && stat(path, &is) == 0 && S_ISREG(is.st_mode);
}

static bool is_folder(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 && S_ISDIR(is.st_mode);
}

static int find_folder(struct hoso *h)
{
    const char *folder = hoso_has(h, OPT_CELL) ? h->opt[OPT_CELL] : getenv("HOSO_CELL");
    if (folder == NULL || *folder == '\0')
        folder = is_file(".", "hoso.cfg") ? "." : NULL;
    if (folder == NULL)
        return wf_fail(&h->err, WF_E_CONFIG,
                       "no cell: give --cell DIR, set HOSO_CELL, or go to its folder; `hoso init "
                       "DIR` makes one");
    char absolute[PATH_MAX];
    if (realpath(folder, absolute) == NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "cell %s: %s: %s", folder, strerror(errno),
                       errno == EACCES ? ANOTHERS : "`hoso init` makes one");
    if (!is_folder(absolute))
        return wf_fail(&h->err, WF_E_CONFIG, "cell %s: is a file: give the cell's folder", folder);
    if (!is_file(absolute, "hoso.cfg") && errno == EACCES)
        return wf_fail(&h->err, WF_E_CONFIG, "cell %s: %s: %s", folder, strerror(errno), ANOTHERS);
    if (!is_file(absolute, "hoso.cfg"))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "cell %s: has no hoso.cfg: `hoso init %s` makes it a cell", folder, folder);
    (void)snprintf(h->folder, sizeof(h->folder), "%s", absolute);
    return 0;
}

int hoso_cell(struct hoso *h)
{
    if (h->has_settings)
        return 0;
    int rc = h->folder[0] != '\0' ? 0 : find_folder(h);
    if (rc == 0)
        rc = hoso_become_owner(h, h->folder);
    if (rc < 0)
        return rc;
    char path[4096];
    if (!hoso_path(path, h->folder, "hoso.cfg"))
        return wf_fail(&h->err, WF_E_CONFIG, "the cell's path is too long");
    struct wf_report report = {0};
    rc = told(h, &report, wf_settings_load(path, &report, &h->settings, &h->err));
    h->has_settings = rc == 0;
    return rc;
}

/* ---- registry, calendar, catalogue ----------------------------------------------------------- */

static int load_registry(struct hoso *h, const char *folder)
{
    struct wf_report report = {0};
    return told(h, &report, wf_registry_load(folder, &report, &h->registry, &h->err));
}

int hoso_registry(struct hoso *h)
{
    int rc = h->registry == NULL ? hoso_cell(h) : 0;
    return rc == 0 && h->registry == NULL ? load_registry(h, h->settings.registry) : rc;
}

int hoso_calendar(struct hoso *h)
{
    int rc = h->calendar == NULL ? hoso_cell(h) : 0;
    if (rc != 0 || h->calendar != NULL)
        return rc;
    char path[4096];
    if (!hoso_path(path, h->settings.registry, "calendar.cfg"))
        return wf_fail(&h->err, WF_E_CONFIG, "the registry's path is too long");
    struct wf_report report = {0};
    rc = wf_calendar_load(path, &report, &h->calendar, &h->err);
    if (rc == 0 && h->registry != NULL)
        rc = wf_registry_check_calendars(h->registry, h->calendar, &report, &h->err);
    return told(h, &report, rc);
}

int hoso_program_folder(struct hoso *h, char out[4096])
{
    ssize_t length = readlink("/proc/self/exe", out, 4095);
    if (length <= 0)
        return wf_fail(&h->err, WF_E_IO, "where this program lies: %s", strerror(errno));
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    if (slash != NULL && slash != out)
        *slash = '\0';
    return 0;
}

int hoso_delivered(struct hoso *h, char out[4096])
{
    /* installed; built in BUILD/ or in BUILD/VARIANT/ of the source tree */
    static const char *const places[] = {"../share/hoso/config", "../../config", "../../../config"};
    if (hoso_has(h, OPT_CONFIG)) {
        (void)snprintf(out, 4096, "%s", h->opt[OPT_CONFIG]);
        if (is_file(out, "sites.cfg"))
            return 0;
        return wf_fail(&h->err, WF_E_CONFIG, "--config-from %s: has no sites.cfg", out);
    }
    char program[4096];
    int rc = hoso_program_folder(h, program);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < WF_COUNT(places); i++) {
        if (hoso_path(out, program, places[i]) && is_file(out, "sites.cfg"))
            return 0;
    }
    return wf_fail(&h->err, WF_E_CONFIG,
                   "the delivered configuration was not found: give --config-from DIR");
}

int hoso_full_catalogue(struct hoso *h, struct wf_catalogue *out)
{
    int rc = 0;
    if (h->registry == NULL && (hoso_has(h, OPT_CELL) || getenv("HOSO_CELL") != NULL ||
                                h->folder[0] != '\0' || is_file(".", "hoso.cfg"))) {
        rc = hoso_registry(h);
    } else if (h->registry == NULL) {
        char folder[4096];
        rc = hoso_delivered(h, folder);
        if (rc == 0)
            rc = load_registry(h, folder);
    }
    if (rc != 0)
        return rc;
    *out = *hoso_catalogue();
    wf_registry_catalogue(h->registry, out);
    return 0;
}

/* ---- store and client ------------------------------------------------------------------------ */

int hoso_store(struct hoso *h, bool write)
{
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = hoso_needs_cell(h);
    if (rc == 0)
        rc = hoso_calendar(h);
    if (rc != 0 || h->store != NULL)
        return rc;
    const struct wf_store_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20,
                                             .min_free_bytes = (uint64_t)h->settings.min_free_mib
                                                               << 20,
                                             .read_only = !write};
    rc = wf_store_open(h->settings.store, &options, &h->store, &h->err);
    if (rc == WF_E_NOT_FOUND)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: there is no store: `hoso init %s` makes one",
                       h->settings.store, h->folder);
    return rc;
}

int hoso_read(struct hoso *h, int (*fn)(struct hoso *h, struct wf_txn *txn, void *context),
              void *context)
{
    struct wf_txn *txn = NULL;
    int rc = hoso_store(h, false);
    if (rc == 0)
        rc = wf_txn_begin(h->store, false, &txn, &h->err);
    if (rc != 0)
        return rc;
    rc = fn(h, txn, context);
    wf_txn_abort(txn);
    return rc;
}

int hoso_client(struct hoso *h)
{
    int64_t seconds;
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = hoso_number(h, OPT_TIMEOUT, 10, 3600, &seconds);
    if (rc != 0 || h->client != NULL)
        return rc;
    const struct wf_client_options options = {.timeout_ms = seconds * 1000};
    return wf_client_open(h->settings.run, &options, &h->client, &h->err);
}

/* ---- definitions ------------------------------------------------------------------------------
 */

static struct wf_procedure *compile(struct hoso *h, struct wf_txn *txn, struct wf_str code,
                                    uint64_t version)
{
    struct wf_rec_procedure stored;
    struct wf_catalogue catalogue;
    struct wf_procedure *procedure = NULL;
    struct wf_report report = {.is_installed = true};
    if (hoso_full_catalogue(h, &catalogue) == 0 &&
        wf_procedure_get(txn, code, version, h->arena, &stored, NULL) == 0 &&
        wf_procedure_parse("stored definition", (const char *)stored.source.ptr, stored.source.len,
                           &catalogue, &report, &procedure, NULL) != 0)
        procedure = NULL;
    wf_report_fini(&report);
    return procedure;
}

const struct wf_procedure *hoso_known_procedure(struct hoso *h, struct wf_txn *txn,
                                                struct wf_str code, uint64_t version)
{
    for (struct hoso_known *k = h->known; k != NULL; k = k->next) {
        if (k->version == version && wf_str_equal(k->code, code))
            return k->procedure;
    }
    struct hoso_known *fresh = wf_arena_alloc(h->arena, sizeof(*fresh));
    char *name = wf_arena_strndup(h->arena, code.ptr, code.len);
    if (fresh == NULL || name == NULL)
        return NULL;
    *fresh = (struct hoso_known){h->known, wf_str(name), version, compile(h, txn, code, version)};
    h->known = fresh;
    return fresh->procedure;
}

void hoso_close(struct hoso *h)
{
    for (struct hoso_known *k = h->known; k != NULL; k = k->next)
        wf_procedure_free(k->procedure);
    wf_client_close(h->client);
    wf_store_close(h->store);
    wf_calendar_free(h->calendar);
    wf_registry_free(h->registry);
    if (h->has_settings)
        wf_settings_free(&h->settings);
}

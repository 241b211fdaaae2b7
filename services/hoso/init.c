/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: makes a folder a cell. Every step leaves alone what is there, so a half-made cell is
 * finished by giving the command again; only a store that exists is refused, with the cell whole.
 */
#include "hoso.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RATE_MAX  1000000
#define FILES_MAX 1000

static const char *const files[] = {"hoso.cfg", "sites.cfg", "roles.cfg", "templates.cfg",
                                    "calendar.cfg"};

/* ---- the cell's name ---------------------------------------------------------------------------
 */

static int name_of(struct hoso *h, const char *folder, const char **out)
{
    const char *name = hoso_has(h, OPT_NAME) ? h->opt[OPT_NAME] : h->opt[OPT_CELL];
    const char *slash = strrchr(folder, '/');
    bool chosen = name != NULL;
    if (!chosen)
        name = slash != NULL ? slash + 1 : folder;
    size_t length = strlen(name);
    if (length >= 1 && length <= 32 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length) {
        *out = name;
        return 0;
    }
    if (chosen)
        return wf_fail(&h->err, WF_E_CONFIG,
                       "--name: a cell's name is 1 to 32 of a-z, 0-9 and -, not \"%.40s\"", name);
    *out = "hoso"; /* the folder's name does not do, and nobody asked for it */
    return 0;
}

/* ---- copying the configuration ------------------------------------------------------------------
 */

/* The line that names the cell, commented out or not, becomes the given name. */
static bool copy_line(FILE *to, const char *line, const char *name)
{
    const char *word = line + strspn(line, "# ");
    if (name != NULL && strncmp(word, "cell", 4) == 0 && word[4 + strspn(word + 4, " ")] == '=')
        return fprintf(to, "cell = \"%s\";\n", name) > 0;
    return fputs(line, to) >= 0;
}

static int copy_open(struct hoso *h, FILE *from, const char *to_path, const char *name)
{
    char line[4096];
    int fd = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (to == NULL) {
        int why = errno;
        if (fd >= 0)
            (void)close(fd);
        return wf_fail(&h->err, WF_E_IO, "%s: %s", to_path, strerror(why));
    }
    bool whole = true;
    while (whole && fgets(line, sizeof(line), from) != NULL)
        whole = copy_line(to, line, name);
    whole = whole && ferror(from) == 0 && fflush(to) == 0 && fsync(fd) == 0;
    int why = errno;
    (void)fclose(to);
    if (whole)
        return 0;
    (void)unlink(to_path);
    return wf_fail(&h->err, WF_E_IO, "%s: %s", to_path, strerror(why));
}

static int copy_file(struct hoso *h, const char *from_folder, const char *file, const char *name)
{
    char from_path[4096];
    char to_path[4096];
    if (!hoso_path(from_path, from_folder, file) || !hoso_path(to_path, h->folder, file))
        return wf_fail(&h->err, WF_E_CONFIG, "the cell's path is too long");
    FILE *from = fopen(from_path, "r");
    if (from == NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: %s", from_path, strerror(errno));
    int rc = copy_open(h, from, to_path, name);
    (void)fclose(from);
    return rc;
}

static int make_folder(struct hoso *h, const char *folder)
{
    int rc = hoso_become_owner(h, folder);
    if (rc != 0)
        return rc;
    if (mkdir(folder, 0750) != 0 && errno != EEXIST)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: %s", folder, strerror(errno));
    char absolute[PATH_MAX];
    if (realpath(folder, absolute) == NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "%s: %s", folder, strerror(errno));
    (void)snprintf(h->folder, sizeof(h->folder), "%s", absolute);
    return 0;
}

static int copy_all(struct hoso *h)
{
    char from[4096];
    const char *name = NULL;
    int rc = name_of(h, h->folder, &name);
    for (size_t i = 0; i < WF_COUNT(files) && rc == 0; i++) {
        char path[4096];
        if (hoso_path(path, h->folder, files[i]) && access(path, F_OK) == 0)
            continue;
        rc = hoso_delivered(h, from);
        if (rc == 0)
            rc = copy_file(h, from, files[i], i == 0 ? name : NULL);
    }
    return rc;
}

/* ---- store and run folder -------------------------------------------------------------------- */

/* "86400" or "86400:2026-11-23T08:00" */
static int clock_of(struct hoso *h, struct wf_clock *out)
{
    *out = (struct wf_clock){wf_real_ms(), 0, 1};
    out->origin_business_ms = out->origin_real_ms;
    const char *text = h->opt[OPT_TRAINING];
    if (text == NULL)
        return 0;
    char *end = NULL;
    errno = 0;
    long long rate = strtoll(text, &end, 10);
    if (errno != 0 || end == text || rate < 1 || rate > RATE_MAX || (*end != '\0' && *end != ':'))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "--training %.40s: a rate from 1 to %d, then perhaps :START, such as "
                       "86400:2026-11-23T08:00",
                       text, RATE_MAX);
    out->rate = rate;
    return *end == ':' ? hoso_moment(h, end + 1, &out->origin_business_ms) : 0;
}

static int make_store(struct hoso *h)
{
    struct wf_clock clock;
    const struct wf_store_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20,
                                             .min_free_bytes = (uint64_t)h->settings.min_free_mib
                                                               << 20};
    int rc = clock_of(h, &clock);
    if (rc == 0)
        rc = wf_store_create(h->settings.store, h->settings.cell, &clock, &options, &h->err);
    if (rc == WF_E_STATE)
        return wf_fail(&h->err, WF_E_STATE,
                       "%s is a cell already, with a store: it was left as it is; `hoso procedure "
                       "install` adds definitions",
                       h->folder);
    if (rc == 0 && mkdir(h->settings.run, 0700) != 0 &&
        (errno != EEXIST || chmod(h->settings.run, 0700) != 0))
        return wf_fail(&h->err, WF_E_IO, "%s: %s", h->settings.run, strerror(errno));
    return rc;
}

/* ---- definitions ----------------------------------------------------------------------------- */

static int is_definition(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

static int install_folder(struct hoso *h, const char *folder, struct wf_value *out_list)
{
    struct dirent **entries = NULL;
    char *paths[FILES_MAX];
    size_t n_paths = 0;
    int rc = 0;
    int n = scandir(folder, &entries, is_definition, alphasort);
    if (n < 0)
        return wf_fail(&h->err, WF_E_CONFIG, "--procedures %s: %s", folder, strerror(errno));
    for (int i = 0; i < n && n_paths < FILES_MAX; i++) {
        char *path = wf_arena_printf(h->arena, "%s/%s", folder, entries[i]->d_name);
        if (path != NULL)
            paths[n_paths++] = path;
    }
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    if (n_paths == 0 || n_paths != (size_t)n)
        rc =
            wf_fail(&h->err, WF_E_CONFIG, "--procedures %s: 1 to %d files *.cfg are wanted, not %d",
                    folder, FILES_MAX, n);
    return rc == 0 ? hoso_install_files(h, paths, n_paths, out_list, NULL) : rc;
}

int hoso_init_files(struct hoso *h, const char *folder)
{
    int rc = make_folder(h, folder);
    return rc == 0 ? copy_all(h) : rc;
}

int hoso_init(struct hoso *h)
{
    struct wf_value *installed = wf_list(h->arena);
    bool done = false;
    int rc = hoso_init_files(h, h->args[0]);
    if (rc == 0)
        rc = hoso_needs_cell(h);
    if (rc == 0)
        rc = hoso_calendar(h); /* and the settings: nothing is made from wrong files */
    if (rc == 0)
        rc = hoso_registry(h);
    if (rc == 0)
        rc = make_store(h);
    if (rc == 0 && hoso_has(h, OPT_PROCEDURES))
        rc = install_folder(h, h->opt[OPT_PROCEDURES], installed);
    if (rc == 0)
        rc = hoso_answer(h,
                         hoso_map(h, "cell", wf_text(h->arena, h->settings.cell), "folder",
                                  wf_text(h->arena, h->folder), "procedures", installed, NULL),
                         &done);
    if (rc == 0 && !done)
        (void)printf("cell \"%s\" made in %s, %zu procedures installed\n"
                     "next: hoso run --cell %s\n",
                     h->settings.cell, h->folder, wf_value_count(installed), h->args[0]);
    return rc;
}

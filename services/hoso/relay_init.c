/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay init: makes a folder a station. As with `hoso init`, what is there is kept, so a half-made
 * one is finished by giving the command again.
 */
#include "hoso.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/relay.h"

#define FILE_MOST ((size_t)1024 * 1024)

static int is_definition(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

/* A whole file, new, with this mode; one that is there stays. */
static int copy(struct hoso *h, const char *from, const char *to, mode_t mode)
{
    struct wf_buf text = {0};
    if (access(to, F_OK) == 0)
        return 0;
    int rc = hoso_read_file(h, from, FILE_MOST, &text);
    int fd = rc == 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) : -1;
    if (rc == 0 && (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len || fsync(fd) != 0))
        rc = wf_fail(&h->err, WF_E_IO, "%s: %s", to, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    if (rc != 0 && fd >= 0)
        (void)unlink(to);
    wf_buf_fini(&text);
    return rc;
}

static int copy_to(struct hoso *h, const char *from_folder, const char *file, const char *to_folder,
                   mode_t mode)
{
    char from[4096];
    char to[4096];
    if (!hoso_path(from, from_folder, file) || !hoso_path(to, to_folder, file))
        return wf_fail(&h->err, WF_E_CONFIG, "%s: its path is too long", file);
    return copy(h, from, to, mode);
}

static int make(struct hoso *h, const char *folder, mode_t mode)
{
    if (mkdir(folder, mode) != 0 && errno != EEXIST)
        return wf_fail(&h->err, WF_E_IO, "%s: %s", folder, strerror(errno));
    return 0;
}

/* A station goes on with the key that it has: one that was silently not taken would puzzle. */
static int check_key_there(struct hoso *h, const char *there, const char *public)
{
    struct wf_keypair keys = {0};
    struct wf_key_place place = {{0}, {0}};
    if (access(there, F_OK) != 0)
        return 0;
    int rc = wf_keypair_read(there, &keys, &place, &h->err);
    if (rc == 0 && strcmp(keys.public, public) != 0)
        rc = wf_fail(&h->err, WF_E_STATE,
                     "%s holds another key, which stays: for a new key of this station copy "
                     "its file there, for another station name a new folder",
                     there);
    wf_keypair_wipe(&keys);
    return rc;
}

static int copy_key(struct hoso *h)
{
    struct wf_keypair keys = {0};
    struct wf_key_place place = {{0}, {0}};
    char to[4096];
    if (!hoso_has(h, OPT_KEY))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "--key FILE is wanted: what hoso party add NAME --relay wrote at the cell");
    int rc = wf_keypair_read(h->opt[OPT_KEY], &keys, &place, &h->err);
    if (rc == 0 && place.endpoint[0] == '\0')
        rc = wf_fail(&h->err, WF_E_CONFIG, "--key %s: says no endpoint: party add --endpoint",
                     h->opt[OPT_KEY]);
    if (rc == 0 && !hoso_path(to, h->folder, "relay.key"))
        rc = wf_fail(&h->err, WF_E_CONFIG, "the station's path is too long");
    if (rc == 0)
        rc = check_key_there(h, to, keys.public);
    wf_keypair_wipe(&keys);
    return rc == 0 ? copy(h, h->opt[OPT_KEY], to, 0600) : rc;
}

static int copy_definitions(struct hoso *h, int64_t *out_n)
{
    char to[4096];
    struct dirent **entries = NULL;
    const char *from = h->opt[OPT_PROCEDURES];
    if (!hoso_path(to, h->folder, "procedures"))
        return wf_fail(&h->err, WF_E_CONFIG, "the station's path is too long");
    int n = scandir(from, &entries, is_definition, alphasort);
    if (n < 0)
        return wf_fail(&h->err, WF_E_CONFIG, "--procedures %s: %s", from, strerror(errno));
    int rc = make(h, to, 0750);
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = copy_to(h, from, entries[i]->d_name, to, 0644);
        free(entries[i]);
    }
    free(entries);
    *out_n = n;
    return rc;
}

int hoso_relay_init(struct hoso *h)
{
    char delivered[4096];
    int64_t definitions = 0;
    bool done = false;
    int rc = hoso_init_files(h, h->args[0]);
    if (rc == 0)
        rc = hoso_delivered(h, delivered);
    if (rc == 0)
        rc = copy_to(h, delivered, "relay.cfg", h->folder, 0644);
    if (rc == 0)
        rc = copy_key(h);
    if (rc == 0 && hoso_has(h, OPT_PROCEDURES))
        rc = copy_definitions(h, &definitions);
    if (rc == 0)
        rc = hoso_cell(h);
    if (rc == 0)
        rc = make(h, h->settings.run, 0700);
    if (rc == 0)
        rc = hoso_answer(h,
                         hoso_map(h, "station", wf_text(h->arena, h->settings.cell), "folder",
                                  wf_text(h->arena, h->folder), "procedures",
                                  wf_int(h->arena, definitions), NULL),
                         &done);
    if (rc == 0 && !done)
        (void)printf("station \"%s\" made in %s, %lld definitions copied\n"
                     "next: hoso run --cell %s\n",
                     h->settings.cell, h->folder, (long long)definitions, h->args[0]);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "party_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDPOINT "tcp://127.0.0.1:5570" /* where gate_listen says nothing yet */

int party_registry(struct hoso *h, struct wf_parties **out)
{
    char folder[4096];
    struct wf_report report = {0};
    int rc = hoso_cell(h);
    if (rc != 0)
        return rc;
    if (!hoso_path(folder, h->folder, "parties"))
        return wf_fail(&h->err, WF_E_CONFIG, "the cell's path is too long");
    rc = wf_parties_load(folder, &report, out, &h->err);
    if (rc != 0 && hoso_print_report(&report) != 0) {
        h->err.code = rc;
        rc = HOSO_FAILED;
    }
    wf_report_fini(&report);
    return rc;
}

int party_take_turn(struct hoso *h)
{
    char folder[4096];
    int rc = hoso_cell(h);
    if (rc != 0)
        return rc;
    if (!hoso_path(folder, h->folder, "parties"))
        return wf_fail(&h->err, WF_E_CONFIG, "the cell's path is too long");
    if (mkdir(folder, 0750) != 0 && errno != EEXIST)
        return wf_fail(&h->err, WF_E_IO, "%s: %s", folder, strerror(errno));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* kept: the lock ends with us */
    while (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        (void)close(fd);
        fd = -1;
    }
    return fd >= 0 ? 0 : wf_fail(&h->err, WF_E_IO, "%s: %s", folder, strerror(errno));
}

/* ---- the text of a file ---------------------------------------------------------------------- */

static void put_quoted(struct wf_buf *out, const char *text)
{
    wf_buf_text(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            wf_buf_text(out, "\\");
        wf_buf_add(out, text, 1);
    }
    wf_buf_text(out, "\"");
}

static void put_text(struct wf_buf *out, const char *key, const char *text)
{
    wf_buf_printf(out, "%s = ", key);
    put_quoted(out, text);
    wf_buf_text(out, ";\n");
}

static void put_texts(struct wf_buf *out, const char *key, const struct wf_texts *texts)
{
    if (texts->n == 0)
        return;
    wf_buf_printf(out, "%s = [ ", key);
    for (size_t i = 0; i < texts->n; i++) {
        wf_buf_text(out, i > 0 ? ", " : "");
        put_quoted(out, texts->items[i]);
    }
    wf_buf_text(out, " ];\n");
}

static void put_flag(struct wf_buf *out, const char *key, bool flag)
{
    if (flag)
        wf_buf_printf(out, "%s = true;\n", key);
}

static void put_party(struct wf_buf *out, const struct wf_party *p)
{
    put_text(out, "name", p->name);
    put_text(out, "organisation", p->organisation);
    put_text(out, "kind", wf_party_kind_word(p->kind));
    put_texts(out, "keys", &p->keys);
    put_texts(out, "tokens", &p->tokens);
    put_texts(out, "sites", &p->sites);
    put_texts(out, "addresses", &p->addresses);
    put_texts(out, "roles", &p->roles);
    put_texts(out, "procedures", &p->procedures);
    put_texts(out, "activities", &p->activities);
    put_flag(out, "submit", p->submit);
    put_flag(out, "journal", p->journal);
    put_flag(out, "relay", p->relay);
    put_flag(out, "revoked", p->revoked);
    if (p->requests_per_second > 0)
        wf_buf_printf(out, "requests_per_second = %lld;\n", (long long)p->requests_per_second);
}

/* ---- the file -------------------------------------------------------------------------------- */

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int write_synced(const char *path, const struct wf_buf *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return -1;
    errno = ENOSPC; /* what a write that is short does not say */
    bool whole = write(fd, text->ptr, text->len) == (ssize_t)text->len && fsync(fd) == 0;
    int why = errno;
    (void)close(fd);
    errno = why;
    return whole ? 0 : -1;
}

/* The new text under another name, on disk, then under its own. */
static int replace(const char *folder, const char *temporary, const char *path,
                   const struct wf_buf *text)
{
    if (write_synced(temporary, text) == 0 && rename(temporary, path) == 0 &&
        sync_folder(folder) == 0)
        return 0;
    int why = errno;
    (void)unlink(temporary);
    errno = why;
    return -1;
}

/* Where a party's file lies until it is proved: a folder of its own, which is read as the registry
 * is and holds nothing else. */
struct place {
    const char *folder, *path;      /* CELL/parties/NAME.cfg */
    const char *aside, *aside_path; /* CELL/parties/.NAME.new/NAME.cfg */
};

static int find_place(struct hoso *h, const char *name, struct place *out)
{
    struct wf_arena *arena = h->arena;
    out->folder = wf_arena_printf(arena, "%s/parties", h->folder);
    out->path = wf_arena_printf(arena, "%s/parties/%s.cfg", h->folder, name);
    out->aside = wf_arena_printf(arena, "%s/parties/.%s.new", h->folder, name);
    out->aside_path = wf_arena_printf(arena, "%s/parties/.%s.new/%s.cfg", h->folder, name, name);
    bool is_whole =
        out->folder != NULL && out->path != NULL && out->aside != NULL && out->aside_path != NULL;
    return is_whole ? 0 : wf_fail(&h->err, WF_E_NOMEM, "write the party's file: out of memory");
}

static int prove(struct hoso *h, const struct place *at)
{
    char line[256] = "";
    struct wf_parties *read = NULL;
    struct wf_report report = {0};
    struct wf_error why = {0};
    int rc = wf_parties_load(at->aside, &report, &read, &why);
    if (rc == WF_E_CONFIG)
        rc = wf_fail(&h->err, rc, "nothing was changed, for this could not be read back: %s",
                     report.n > 0 ? wf_report_line(&report, 0, line, sizeof(line)) : why.text);
    else if (rc != 0)
        h->err = why;
    wf_parties_free(read);
    wf_report_fini(&report);
    return rc;
}

static int put_file(struct hoso *h, const struct place *at, const struct wf_buf *text)
{
    if ((mkdir(at->folder, 0750) != 0 && errno != EEXIST) ||
        (mkdir(at->aside, 0700) != 0 && errno != EEXIST) || write_synced(at->aside_path, text) != 0)
        return wf_fail(&h->err, WF_E_IO, "%s: %s", at->path, strerror(errno));
    int rc = prove(h, at);
    if (rc == 0 && (rename(at->aside_path, at->path) != 0 || sync_folder(at->folder) != 0))
        rc = wf_fail(&h->err, WF_E_IO, "%s: %s", at->path, strerror(errno));
    return rc;
}

int party_write(struct hoso *h, const struct wf_party *party, const char **out_path)
{
    struct place at;
    struct wf_buf text = {0};
    int rc = find_place(h, party->name, &at);
    if (rc != 0)
        return rc;
    put_party(&text, party);
    rc = text.failed ? wf_fail(&h->err, WF_E_NOMEM, "write the party's file: out of memory")
                     : put_file(h, &at, &text);
    wf_buf_fini(&text);
    (void)unlink(at.aside_path);
    (void)rmdir(at.aside);
    if (rc == 0)
        *out_path = at.path;
    return rc;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/*
 * KEY.pub, the public half for those who may not read the pair: in a cell that systemd runs the pair
 * is the gate's account's alone. Where it cannot be written the pair itself has to do.
 */
static void put_public(const struct hoso *h, const char *path, const char *public)
{
    char temporary[4096];
    char folder[4096];
    struct wf_buf text = {0};
    (void)snprintf(folder, sizeof(folder), "%.4000s", h->settings.gate_key);
    (void)snprintf(temporary, sizeof(temporary), "%.4000s.new", path);
    wf_buf_printf(&text, "%s\n", public);
    if (!text.failed)
        (void)replace(dirname(folder), temporary, path, &text);
    wf_buf_fini(&text);
}

static int get_public(struct hoso *h, const char *path, char out[WF_KEY_SIZE])
{
    struct wf_buf text = {0};
    int rc = hoso_read_file(h, path, WF_KEY_SIZE, &text);
    if (rc == 0 && (text.len != WF_KEY_SIZE || text.ptr[text.len - 1] != '\n'))
        rc = wf_fail(&h->err, WF_E_CONFIG,
                     "%s: is no public key: make it anew from %s by `hoso "
                     "party gate-key`",
                     path, h->settings.gate_key);
    if (rc == 0)
        (void)wf_str_copy((struct wf_str){(const char *)text.ptr, text.len - 1}, out, WF_KEY_SIZE);
    wf_buf_fini(&text);
    return rc;
}

int party_gate_key(struct hoso *h, char out_public[WF_KEY_SIZE], bool *out_made)
{
    struct wf_keypair pair = {0};
    const char *path = h->settings.gate_key;
    const char *public_path = wf_arena_printf(h->arena, "%s.pub", path);
    if (public_path == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "the gate's key: out of memory");
    *out_made = access(path, F_OK) != 0 && errno == ENOENT;
    if (!*out_made && access(path, R_OK) != 0 && errno == EACCES)
        return get_public(h, public_path, out_public);
    int rc =
        *out_made ? wf_keypair_new(&pair, &h->err) : wf_keypair_read(path, &pair, NULL, &h->err);
    if (rc == 0 && *out_made)
        rc = wf_keypair_write(path, &pair, NULL, &h->err);
    if (rc == 0) {
        put_public(h, public_path, pair.public);
        memcpy(out_public, pair.public, WF_KEY_SIZE);
    }
    wf_keypair_wipe(&pair);
    return rc;
}

static int fill_place(struct hoso *h, struct wf_key_place *out)
{
    bool made = false;
    const char *endpoint = h->settings.gate_listen[0] != '\0' ? h->settings.gate_listen : ENDPOINT;
    if (hoso_has(h, OPT_ENDPOINT))
        endpoint = h->opt[OPT_ENDPOINT];
    if (strlen(endpoint) >= sizeof(out->endpoint) || strchr(endpoint, '"') != NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "--endpoint: tcp://HOST:PORT is wanted");
    int rc = party_gate_key(h, out->gate, &made);
    if (rc == 0)
        (void)snprintf(out->endpoint, sizeof(out->endpoint), "%s", endpoint);
    return rc;
}

int party_new_key(struct hoso *h, const char *name, const char **out_public, const char **out_path)
{
    struct wf_keypair pair = {0};
    struct wf_key_place place = {0};
    const char *path =
        hoso_has(h, OPT_OUTPUT) ? h->opt[OPT_OUTPUT] : wf_arena_printf(h->arena, "%s.key", name);
    int rc = path != NULL ? fill_place(h, &place)
                          : wf_fail(&h->err, WF_E_NOMEM, "make a key: out of memory");
    if (rc == 0)
        rc = wf_keypair_new(&pair, &h->err);
    const char *public = rc == 0 ? wf_arena_strdup(h->arena, pair.public) : NULL;
    if (rc == 0 && public == NULL)
        rc = wf_fail(&h->err, WF_E_NOMEM, "make a key: out of memory");
    if (rc == 0)
        rc = wf_keypair_write(path, &pair, &place, &h->err);
    wf_keypair_wipe(&pair);
    if (rc != 0)
        return rc;
    *out_public = public;
    *out_path = path;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup: a copy of a cell that may be running. The store is copied in one snapshot, so everything
 * acknowledged before it began is in it; the copy is checked like a store, then everything is
 * listed with its hash, the books of adapters too. Keys of parties are public ones; nothing secret is in a backup but the
 * dossiers themselves: it is for the owner's eyes only (mode 0700).
 */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools.h"
#include "workflow/papers.h"

struct backup {
    struct hoso *h;
    char final[4096], aside[4096];
    struct wf_value *files; /* rows of the manifest */
    FILE *papers;           /* list of papers, while it is written */
    int64_t n_papers, paper_bytes;
    int64_t began_ms;
};

static const struct hoso_column columns[] = {
    {"folder", "Backup", "Bản sao lưu", HOSO_TEXT},
    {"cell", "Cell", "Cụm", HOSO_TEXT},
    {"created", "Began", "Bắt đầu lúc", HOSO_TIME},
    {"journal_seq", "Journal up to event", "Nhật ký đến sự kiện", HOSO_NUMBER},
    {"changes", "Changes up to", "Thay đổi đến số", HOSO_NUMBER0},
    {"dossiers", "Dossiers", "Hồ sơ", HOSO_NUMBER},
    {"papers", "Papers", "Bản quét", HOSO_NUMBER},
    {"bytes", "Size", "Dung lượng", HOSO_BYTES},
};

/* ---- files ----------------------------------------------------------------------------------- */

static void list_hashed(struct backup *b, const char *name, const char *hex, uint64_t bytes)
{
    struct hoso *h = b->h;
    (void)wf_list_add(h->arena, b->files,
                      hoso_map(h, "name", wf_text(h->arena, name), "bytes",
                               wf_int(h->arena, (int64_t)bytes), "blake2b_256",
                               wf_text(h->arena, hex), NULL));
}

/* Adds a file that lies in the folder aside to the manifest. */
static int list_file(struct backup *b, const char *name)
{
    struct hoso *h = b->h;
    char path[4096];
    char hex[65];
    uint64_t bytes = 0;
    if (!hoso_path(path, b->aside, name))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    int rc = keep_hash(h, path, hex, &bytes);
    if (rc == 0)
        list_hashed(b, name, hex, bytes);
    return rc;
}

static int copy_file(struct backup *b, const char *folder, const char *file, const char *name)
{
    char from[4096];
    char to[4096];
    if (!hoso_path(from, folder, file) || !hoso_path(to, b->aside, name))
        return wf_fail(&b->h->err, WF_E_CONFIG, "the cell's path is too long");
    int rc = keep_copy(b->h, from, to);
    return rc == 0 ? list_file(b, name) : rc;
}

static int is_cfg(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

/* All *.cfg of a folder but hoso.cfg, which is copied by itself; under `prefix`. */
static int copy_cfgs(struct backup *b, const char *folder, const char *prefix)
{
    struct dirent **entries = NULL;
    int rc = 0;
    int n = scandir(folder, &entries, is_cfg, alphasort);
    if (n < 0)
        return errno == ENOENT ? 0
                               : wf_fail(&b->h->err, WF_E_IO, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char name[300];
        (void)snprintf(name, sizeof(name), "%s%s", prefix, entries[i]->d_name);
        if (rc == 0 && strcmp(name, "hoso.cfg") != 0)
            rc = copy_file(b, folder, entries[i]->d_name, name);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int copy_parties(struct backup *b)
{
    char from[4096];
    char to[4096];
    if (!hoso_path(from, b->h->folder, "parties") || !hoso_path(to, b->aside, "parties"))
        return wf_fail(&b->h->err, WF_E_CONFIG, "the cell's path is too long");
    if (access(from, F_OK) != 0)
        return 0;
    int rc = keep_make(b->h, to);
    return rc == 0 ? copy_cfgs(b, from, "parties/") : rc;
}

/* A paper that the copied store names. Their list is a file of its own, for `b2sum -l 256 -c`: of
 * many papers the manifest would grow too long to be read at one go. */
static int copy_paper(void *context, const uint8_t hash[WF_HASH_BYTES])
{
    struct backup *b = context;
    struct hoso *h = b->h;
    char hex[2 * WF_HASH_BYTES + 1];
    char found[2 * WF_HASH_BYTES + 1];
    char name[16 + sizeof(hex)];
    char from[4096];
    char to[4096];
    uint64_t bytes = 0;
    wf_hex(hash, WF_HASH_BYTES, hex);
    (void)snprintf(name, sizeof(name), "papers/%.2s/%s", hex, hex);
    if (!hoso_path(from, h->settings.papers, name + strlen("papers/")) ||
        !hoso_path(to, b->aside, name))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    int rc = keep_bring_paper(h, from, to);
    if (rc == 0)
        rc = keep_hash(h, to, found, &bytes);
    if (rc == 0 && strcmp(found, hex) != 0)
        rc = wf_fail(&h->err, WF_E_CORRUPT, "a paper is damaged: `hoso verify` tells which");
    if (rc == 0 && fprintf(b->papers, "%s  %s\n", hex, name) < 0)
        rc = wf_fail(&h->err, WF_E_IO, KEEP_PAPERS ": %s", strerror(errno));
    b->n_papers += rc == 0;
    b->paper_bytes += (int64_t)bytes;
    return rc;
}

static int copy_named_papers(struct backup *b, const char *store_copy)
{
    static const struct wf_store_options options = {.read_only = true};
    struct hoso *h = b->h;
    struct wf_store *store = NULL;
    char path[4096];
    if (!hoso_path(path, b->aside, "papers"))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    int rc = keep_make(h, path);
    if (rc == 0)
        rc = wf_store_open(store_copy, &options, &store, &h->err);
    if (rc == 0)
        rc = keep_each_paper(h, store, copy_paper, b);
    wf_store_close(store);
    return rc;
}

static int copy_papers(struct backup *b, const char *store_copy)
{
    struct hoso *h = b->h;
    char path[4096];
    if (!hoso_path(path, b->aside, KEEP_PAPERS))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    b->papers = fopen(path, "we");
    if (b->papers == NULL)
        return wf_fail(&h->err, WF_E_IO, "%s: %s", path, strerror(errno));
    int rc = copy_named_papers(b, store_copy);
    bool written = fflush(b->papers) == 0 && fsync(fileno(b->papers)) == 0;
    if ((fclose(b->papers) != 0 || !written) && rc == 0)
        rc = wf_fail(&h->err, WF_E_IO, "%s: %s", path, strerror(errno));
    return rc == 0 ? list_file(b, KEEP_PAPERS) : rc;
}

/* What else belongs to the cell: settings and parties. */
static int copy_settings(struct backup *b)
{
    int rc = copy_file(b, b->h->folder, "hoso.cfg", "hoso.cfg");
    if (rc == 0)
        rc = copy_cfgs(b, b->h->settings.registry, "");
    return rc == 0 ? copy_parties(b) : rc;
}

/* The copy is checked, hashed and synced side by side, and the small files copied meanwhile. */
static int prove_store(struct backup *b, const char *store, const char *data,
                       const struct wf_value **out_check)
{
    struct hoso *h = b->h;
    struct keep_check check;
    struct keep_child hash;
    char hex[65];
    uint64_t bytes = 0;
    int rc = keep_check_begin(h, store, &check);
    if (rc != 0)
        return rc;
    rc = keep_hash_begin(h, data, &hash);
    if (rc == 0) {
        rc = copy_settings(b);
        if (rc == 0)
            rc = keep_hash_end(h, &hash, hex, &bytes);
        else
            keep_child_drop(h, &hash);
    }
    if (rc != 0) {
        keep_check_drop(h, &check);
        return rc;
    }
    rc = keep_check_end(h, &check, out_check);
    if (rc == 0)
        rc = keep_is_clean(h, *out_check);
    if (rc == 0)
        list_hashed(b, "store/data.mdb", hex, bytes);
    return rc;
}

static int copy_store(struct backup *b, const struct wf_value **out_check)
{
    struct hoso *h = b->h;
    char store[4096];
    char data[4096];
    char lock[4096];
    if (!hoso_path(store, b->aside, "store") || !hoso_path(data, b->aside, "store/data.mdb") ||
        !hoso_path(lock, b->aside, "store/lock.mdb"))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    int rc = keep_make(h, store);
    if (rc == 0)
        rc = wf_store_copy(h->store, store, &h->err);
    if (rc == 0)
        rc = prove_store(b, store, data, out_check);
    if (rc == 0)
        rc = copy_papers(b, store);
    (void)unlink(lock);
    return rc;
}

static int list_book(void *context, const char *name)
{
    return list_file(context, name);
}

/* ---- manifest -------------------------------------------------------------------------------- */

static const struct wf_value *manifest_of(struct backup *b, const struct wf_value *check)
{
    struct hoso *h = b->h;
    char when[40];
    /* clang-format off */
    return hoso_map(h,
        "hoso_backup", wf_int(h->arena, KEEP_BACKUP_FORMAT),
        "cell", wf_map_get(check, "cell"),
        "format", wf_map_get(check, "format"),
        "created", wf_int(h->arena, b->began_ms),
        "created_text", wf_text(h->arena, tool_timestamp(h->calendar, b->began_ms, when)),
        "journal_seq", wf_map_get(check, "journal_seq"),
        "journal_hash", wf_map_get(check, "journal_hash"),
        "changes", wf_map_get(check, "changes"),
        "changes_hash", wf_map_get(check, "changes_hash"),
        "dossiers", wf_map_get(check, "dossiers"),
        "papers", wf_int(h->arena, b->n_papers),
        "files", b->files,
        NULL);
    /* clang-format on */
}

static int write_manifest(struct backup *b, const struct wf_value *manifest)
{
    struct hoso *h = b->h;
    char path[4096];
    char sum_path[4096];
    char hex[65];
    char line[128];
    char *text = NULL;
    size_t size = 0;
    uint64_t bytes = 0;
    if (!hoso_path(path, b->aside, KEEP_MANIFEST) ||
        !hoso_path(sum_path, b->aside, KEEP_MANIFEST_SUM))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "write the manifest");
    int rc = hoso_json_print(manifest, file, &h->err);
    if (fclose(file) != 0 && rc == 0)
        rc = wf_fail(&h->err, WF_E_NOMEM, "write the manifest");
    if (rc == 0)
        rc = keep_write(h, path, text, size);
    free(text);
    if (rc == 0)
        rc = keep_hash(h, path, hex, &bytes);
    (void)snprintf(line, sizeof(line), "%s  " KEEP_MANIFEST "\n", rc == 0 ? hex : "");
    return rc == 0 ? keep_write(h, sum_path, line, strlen(line)) : rc;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int make(struct backup *b, const struct wf_value **out)
{
    struct hoso *h = b->h;
    const struct wf_value *check = NULL;
    keep_remove(b->aside);
    int rc = keep_make(h, b->aside);
    b->began_ms = wf_real_ms();
    if (rc == 0) /* before the store: see keep_books.c */
        rc = keep_copy_books(h, b->aside, list_book, b);
    if (rc == 0)
        rc = copy_store(b, &check);
    if (rc != 0)
        return rc;
    *out = manifest_of(b, check);
    rc = write_manifest(b, *out);
    return rc == 0 ? keep_settle(h, b->aside, b->final) : rc;
}

static int say(struct backup *b, const struct wf_value *manifest)
{
    struct hoso *h = b->h;
    bool done = false;
    int64_t bytes = b->paper_bytes;
    for (size_t i = 0; i < wf_value_count(b->files); i++)
        bytes += wf_value_int(wf_map_get(wf_list_at(b->files, i), "bytes"), 0);
    struct wf_value *answer = wf_map_copy(h->arena, manifest);
    (void)wf_map_put(h->arena, answer, "folder", wf_text(h->arena, b->final));
    (void)wf_map_put(h->arena, answer, "bytes", wf_int(h->arena, bytes));
    int rc = hoso_answer(h, answer, &done);
    if (rc != 0 || done)
        return rc;
    (void)puts(h->vi ? "Đã sao lưu và kiểm tra." : "Backed up and checked.");
    return hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
}

int hoso_backup(struct hoso *h)
{
    struct backup *b = wf_arena_alloc(h->arena, sizeof(*b));
    const struct wf_value *manifest = NULL;
    if (b == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "backup: out of memory");
    *b = (struct backup){.h = h, .files = wf_list(h->arena)};
    int rc = keep_places(h, h->args[0], b->final, b->aside);
    if (rc == 0)
        rc = keep_is_free(h, b->final);
    if (rc == 0)
        rc = hoso_store(h, false);
    if (rc != 0)
        return rc;
    rc = make(b, &manifest);
    if (rc == 0)
        return say(b, manifest);
    keep_remove(b->aside);
    return wf_wrap(&h->err, "backup");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: a backup becomes a cell in a new folder. Files are copied aside and their hashes
 * compared there, so that what was read is what was proved; the store is checked, and its journal
 * must end with the event that the manifest names. Nothing of an existing cell is ever touched.
 */
#include "keep.h"
#include "workflow/papers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "children.h"
#include "restore.h"

#define MANIFEST_MOST ((size_t)4 << 20)
#define CFG_MOST      ((size_t)1 << 20)
#define SKIP_MOST     1000000

struct restore {
    struct hoso *h;
    const char *backup;
    char final[4096], aside[4096];
    const struct wf_value *manifest;
    int64_t skip;  /* numbers of each series */
    int64_t items; /* of the courier's pool that were passed over */
};

static const struct hoso_column columns[] = {
    {"folder", "Cell in", "Cụm tại", HOSO_TEXT},
    {"cell", "Cell", "Cụm", HOSO_TEXT},
    {"created", "As it was on", "Trạng thái lúc", HOSO_TIME},
    {"journal_seq", "Journal up to event", "Nhật ký đến sự kiện", HOSO_NUMBER},
    {"dossiers", "Dossiers", "Hồ sơ", HOSO_NUMBER},
    {"replayed", "Changes of the archive", "Thay đổi từ kho lưu", HOSO_NUMBER},
    {"skipped", "Numbers passed over, of each series", "Số bỏ qua trong mỗi dãy số", HOSO_NUMBER},
    {"items_skipped", "Of the courier's pool", "Số hiệu bưu gửi bỏ qua", HOSO_NUMBER},
};

/* ---- manifest -------------------------------------------------------------------------------- */

/* "HASH  manifest.json" must fit the manifest. */
static int check_manifest_sum(struct restore *r, const char *path)
{
    struct hoso *h = r->h;
    char sum_path[4096];
    char hex[65];
    uint64_t bytes = 0;
    struct wf_buf line = {0};
    if (!hoso_path(sum_path, r->backup, KEEP_MANIFEST_SUM))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    int rc = hoso_read_file(h, sum_path, 1024, &line);
    if (rc == 0)
        rc = keep_hash(h, path, hex, &bytes);
    if (rc == 0 && (line.len < 64 || memcmp(line.ptr, hex, 64) != 0))
        rc = wf_fail(&h->err, WF_E_INVALID, "%s: damaged or changed since the backup",
                     KEEP_MANIFEST);
    wf_buf_fini(&line);
    return rc;
}

static int read_manifest(struct restore *r)
{
    struct hoso *h = r->h;
    char path[4096];
    struct wf_buf text = {0};
    if (!hoso_path(path, r->backup, KEEP_MANIFEST))
        return wf_fail(&h->err, WF_E_CONFIG, "the backup's path is too long");
    if (access(path, F_OK) != 0 && errno == EACCES)
        return wf_fail(&h->err, WF_E_IO, "%s: %s", r->backup, strerror(errno));
    if (access(path, F_OK) != 0)
        return wf_fail(&h->err, WF_E_CONFIG,
                       "%s: is no backup, or was not finished: it has no " KEEP_MANIFEST,
                       r->backup);
    int rc = check_manifest_sum(r, path);
    if (rc == 0)
        rc = hoso_read_file(h, path, MANIFEST_MOST, &text);
    if (rc == 0)
        rc = hoso_json_parse(KEEP_MANIFEST, (const char *)text.ptr, text.len, h->arena,
                             &r->manifest, &h->err);
    wf_buf_fini(&text);
    return rc;
}

static int check_versions(struct restore *r)
{
    struct hoso *h = r->h;
    int64_t backup = wf_value_int(wf_map_get(r->manifest, "hoso_backup"), 0);
    int64_t store = wf_value_int(wf_map_get(r->manifest, "format"), 0);
    if (backup != KEEP_BACKUP_FORMAT)
        return wf_fail(&h->err, WF_E_VERSION,
                       "the backup has form %lld, this release knows %d: use the release of hoso "
                       "that made it",
                       (long long)backup, KEEP_BACKUP_FORMAT);
    if (store > WF_STORE_FORMAT)
        return wf_fail(&h->err, WF_E_VERSION,
                       "its store has format %lld, this release %d: use the release of hoso that "
                       "made it",
                       (long long)store, WF_STORE_FORMAT);
    return 0;
}

/* A slip of the hand would bring one office's dossiers up as another's: the folder's name, or
 * --name, must be the cell's. */
static int check_name(struct restore *r)
{
    struct hoso *h = r->h;
    const char *cell = wf_value_text(wf_map_get(r->manifest, "cell"), "");
    const char *slash = strrchr(r->final, '/');
    const char *want = slash != NULL ? slash + 1 : r->final;
    if (hoso_has(h, OPT_NAME))
        want = h->opt[OPT_NAME];
    if (strcmp(want, cell) == 0)
        return 0;
    return wf_fail(&h->err, WF_E_STATE,
                   "the backup is of cell \"%s\", not \"%.60s\": give --name %s if that one is "
                   "meant",
                   cell, want, cell);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* A name of ours: no way out of the folder. */
static bool is_good_name(const char *name)
{
    size_t length = strlen(name);
    if (strcmp(name, "store/data.mdb") == 0 || strcmp(name, KEEP_PAPERS) == 0 || keep_is_book(name))
        return true;
    if (strncmp(name, "parties/", 8) == 0)
        name += 8;
    return length > 4 && name[0] != '.' && strchr(name, '/') == NULL &&
           strcmp(name + strlen(name) - 4, ".cfg") == 0;
}

static int bring_file(struct restore *r, const struct wf_value *row)
{
    struct hoso *h = r->h;
    const char *name = wf_value_text(wf_map_get(row, "name"), "");
    char from[4096];
    char to[4096];
    char hex[65];
    uint64_t bytes = 0;
    if (!is_good_name(name) || !hoso_path(from, r->backup, name) || !hoso_path(to, r->aside, name))
        return wf_fail(&h->err, WF_E_INVALID, KEEP_MANIFEST ": names a file that is not a cell's");
    int rc = keep_copy(h, from, to);
    if (rc == 0)
        rc = keep_hash(h, to, hex, &bytes);
    if (rc == 0 && strcmp(hex, wf_value_text(wf_map_get(row, "blake2b_256"), "")) != 0)
        rc = wf_fail(&h->err, WF_E_INVALID, "%s: damaged or changed since the backup", name);
    return rc;
}

/* One line of the list: "HASH  papers/ab/HASH". */
static int bring_paper(struct restore *r, const char *line)
{
    struct hoso *h = r->h;
    char name[16 + WF_PAPER_NAME];
    char hex[65];
    char from[4096];
    char to[4096];
    uint64_t bytes = 0;
    if (strlen(line) < WF_PAPER_NAME || !wf_paper_name((struct wf_str){line, WF_PAPER_NAME}, NULL))
        return wf_fail(&h->err, WF_E_INVALID, KEEP_PAPERS ": a line names no paper");
    (void)snprintf(name, sizeof(name), "papers/%.2s/%.64s", line, line);
    if (!hoso_path(from, r->backup, name) || !hoso_path(to, r->aside, name))
        return wf_fail(&h->err, WF_E_CONFIG, "the path is too long");
    int rc = keep_bring_paper(h, from, to);
    if (rc == 0)
        rc = keep_hash(h, to, hex, &bytes);
    if (rc == 0 && memcmp(hex, line, WF_PAPER_NAME) != 0)
        rc = wf_fail(&h->err, WF_E_INVALID, "%s: damaged or changed since the backup", name);
    return rc;
}

/* A backup of an older release has none. */
static int bring_papers(struct restore *r)
{
    struct hoso *h = r->h;
    char path[4096];
    char line[256];
    if (!hoso_path(path, r->aside, KEEP_PAPERS))
        return wf_fail(&h->err, WF_E_CONFIG, "the path is too long");
    FILE *list = fopen(path, "re");
    if (list == NULL)
        return errno == ENOENT ? 0 : wf_fail(&h->err, WF_E_IO, "%s: %s", path, strerror(errno));
    int rc = 0;
    while (rc == 0 && fgets(line, sizeof(line), list) != NULL)
        rc = bring_paper(r, line);
    (void)fclose(list);
    (void)unlink(path);
    return rc;
}

static int bring_files(struct restore *r)
{
    struct hoso *h = r->h;
    const struct wf_value *files = wf_map_get(r->manifest, "files");
    static const char *const folders[] = {"", "store", "parties", "papers", "run"};
    char path[4096];
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(folders) && rc == 0; i++)
        rc = hoso_path(path, r->aside, folders[i])
                 ? keep_make(h, path)
                 : wf_fail(&h->err, WF_E_CONFIG, "the path is too long");
    for (size_t i = 0; i < wf_value_count(files) && rc == 0; i++)
        rc = bring_file(r, wf_list_at(files, i));
    return rc == 0 ? bring_papers(r) : rc;
}

/* ---- settings -------------------------------------------------------------------------------- */

/* Does the line set one of these? The restored cell has all of its own in its own folder. */
static bool sets_one_of(const char *line, const char *const *words)
{
    line += strspn(line, " \t");
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t n = strlen(words[i]);
        if (strncmp(line, words[i], n) == 0 && strchr("=: \t", line[n]) != NULL && line[n] != '\0')
            return true;
    }
    return false;
}

static int settle_file(struct restore *r, const char *file, const char *const *words)
{
    struct hoso *h = r->h;
    char path[4096];
    struct wf_buf old = {0};
    struct wf_buf new = {0};
    bool changed = false;
    if (!hoso_path(path, r->aside, file))
        return wf_fail(&h->err, WF_E_CONFIG, "the path is too long");
    int rc = hoso_read_file(h, path, CFG_MOST, &old);
    wf_buf_add(&old, "", 1);
    for (char *line = rc == 0 && !old.failed ? (char *)old.ptr : NULL, *next; line != NULL;
         line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        bool folder = sets_one_of(line, words);
        changed = changed || folder;
        wf_buf_printf(&new, "%s%s%s", folder ? "# before the restore: " : "", line,
                      next != NULL ? "\n" : "");
    }
    if (rc == 0 && (old.failed || new.failed))
        rc = wf_fail(&h->err, WF_E_NOMEM, "restore: out of memory");
    if (rc == 0 && changed)
        rc = keep_write(h, path, new.ptr, new.len);
    wf_buf_fini(&old);
    wf_buf_fini(&new);
    return rc;
}

/* A book that is named elsewhere would be shared with the cell that the backup was made of. */
static int settle_adapter(struct restore *r, const char *adapter)
{
    static const char *const words[] = {"database", NULL};
    struct hoso *h = r->h;
    char file[64];
    char want[4096];
    char book[4096];
    if (!keep_book_of(r->aside, adapter, book))
        return 0;
    (void)snprintf(file, sizeof(file), "%s.cfg", adapter);
    int rc = settle_file(r, file, words);
    (void)snprintf(file, sizeof(file), "%s" KEEP_BOOK, adapter);
    if (rc == 0 && (!hoso_path(want, r->aside, file) || !keep_book_of(r->aside, adapter, book) ||
                    strcmp(book, want) != 0))
        rc =
            wf_fail(&h->err, WF_E_CONFIG,
                    "%s.cfg puts its database outside of the cell's folder: give `database` a line "
                    "of its own in the backup's cell",
                    adapter);
    return rc;
}

static int settle_settings(struct restore *r)
{
    static const char *const words[] = {"store", "run", "registry", "papers", "archive", NULL};
    int rc = settle_file(r, "hoso.cfg", words);
    for (size_t i = 0; i < HOSO_ADAPTERS && rc == 0; i++)
        rc = settle_adapter(r, hoso_adapters[i]);
    return rc;
}

/* What is in place must be a cell with its store within. */
static int check_settings(struct restore *r)
{
    struct hoso *h = r->h;
    char store[4096];
    char real[4096];
    if (realpath(r->aside, real) == NULL || !hoso_path(store, real, "store"))
        return wf_fail(&h->err, WF_E_IO, "%s: %s", r->aside, strerror(errno));
    (void)snprintf(h->folder, sizeof(h->folder), "%s", real);
    int rc = hoso_calendar(h);
    if (rc == 0 && strcmp(h->settings.store, store) != 0)
        rc = wf_fail(&h->err, WF_E_CONFIG,
                     "hoso.cfg puts the store outside of the cell's folder: mend it in the "
                     "backup's cell");
    return rc;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int check_store(struct restore *r)
{
    struct hoso *h = r->h;
    static const char *const same[] = {"cell", "journal_seq", "journal_hash", "dossiers"};
    const struct wf_value *check = NULL;
    char path[4096];
    int rc = keep_check_clean(h, h->settings.store, &check);
    if (hoso_path(path, h->settings.store, "lock.mdb"))
        (void)unlink(path);
    for (size_t i = 0; i < WF_COUNT(same) && rc == 0; i++) {
        if (!wf_value_equal(wf_map_get(check, same[i]), wf_map_get(r->manifest, same[i])))
            rc = wf_fail(&h->err, WF_E_CORRUPT, "%s of the store is not that of the manifest",
                         same[i]);
    }
    return rc;
}

/* An older release's backup comes back in this one's format. */
static int upgrade_store(struct restore *r)
{
    struct hoso *h = r->h;
    const struct wf_upgrade_options options = {.map_bytes = (uint64_t)h->settings.map_mib << 20,
                                               .no_copy = true};
    struct wf_upgrade done;
    if (wf_value_int(wf_map_get(r->manifest, "format"), 0) == WF_STORE_FORMAT)
        return 0;
    return wf_store_upgrade(h->settings.store, &options, NULL, NULL, &done, &h->err);
}

/* The check that follows a replay says what came of it. */
static int bring_forward(struct restore *r)
{
    struct hoso *h = r->h;
    static const char *const news[] = {"journal_seq", "journal_hash", "changes", "dossiers"};
    const struct wf_value *check = NULL;
    char path[4096];
    struct wf_archive_reached reached = {0};
    int rc = archive_bring_forward(h, &reached);
    if (rc == 0 && hoso_has(h, OPT_ARCHIVE))
        rc = keep_check_clean(h, h->settings.store, &check);
    if (hoso_path(path, h->settings.store, "lock.mdb"))
        (void)unlink(path);
    if (rc != 0 || check == NULL)
        return rc;
    struct wf_value *answer = wf_map_copy(h->arena, r->manifest);
    for (size_t i = 0; i < WF_COUNT(news); i++)
        (void)wf_map_put(h->arena, answer, news[i], wf_map_get(check, news[i]));
    if (reached.changes > 0)
        (void)wf_map_put(h->arena, answer, "created", wf_int(h->arena, reached.real_ms));
    (void)wf_map_put(h->arena, answer, "replayed", wf_int(h->arena, (int64_t)reached.changes));
    (void)wf_map_put(h->arena, answer, "last_cut", wf_bool(reached.was_cut));
    r->manifest = answer;
    return 0;
}

static int skip_numbers(struct restore *r)
{
    char path[4096];
    int rc = restore_skip_numbers(r->h, (uint64_t)r->skip);
    if (hoso_path(path, r->h->settings.store, "lock.mdb"))
        (void)unlink(path);
    return rc == 0 ? restore_skip_items(r->h, r->skip, &r->items) : rc;
}

static int make(struct restore *r)
{
    struct hoso *h = r->h;
    keep_remove(r->aside);
    int rc = bring_files(r);
    if (rc == 0)
        rc = settle_settings(r);
    if (rc == 0)
        rc = check_settings(r);
    if (rc == 0)
        rc = upgrade_store(r);
    if (rc == 0)
        rc = check_store(r);
    if (rc == 0)
        rc = bring_forward(r);
    if (rc == 0)
        rc = skip_numbers(r);
    return rc == 0 ? keep_settle(h, r->aside, r->final) : rc;
}

int hoso_restore(struct hoso *h)
{
    struct restore *r = wf_arena_alloc(h->arena, sizeof(*r));
    bool done = false;
    if (r == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "restore: out of memory");
    *r = (struct restore){.h = h, .backup = h->args[0]};
    if (hoso_has(h, OPT_UNTIL) && !hoso_has(h, OPT_ARCHIVE))
        return wf_fail(&h->err, WF_E_CONFIG, "--until goes with --archive DIR");
    int rc = hoso_number(h, OPT_SKIP_NUMBERS, RESTORE_SKIP, SKIP_MOST, &r->skip);
    if (rc == 0)
        rc = keep_places(h, h->args[1], r->final, r->aside);
    if (rc == 0)
        rc = hoso_become_owner(h, r->final);
    if (rc == 0)
        rc = keep_is_free(h, r->final);
    if (rc == 0)
        rc = read_manifest(r);
    if (rc == 0)
        rc = check_versions(r);
    if (rc == 0)
        rc = check_name(r);
    if (rc != 0)
        return rc;
    rc = make(r);
    if (rc != 0) {
        keep_remove(r->aside);
        return rc == HOSO_FAILED ? rc : wf_wrap(&h->err, "restore");
    }
    struct wf_value *answer = wf_map_copy(h->arena, r->manifest);
    (void)wf_map_put(h->arena, answer, "folder", wf_text(h->arena, r->final));
    (void)wf_map_put(h->arena, answer, "skipped", wf_int(h->arena, r->skip));
    if (r->items > 0)
        (void)wf_map_put(h->arena, answer, "items_skipped", wf_int(h->arena, r->items));
    rc = hoso_answer(h, answer, &done);
    if (rc != 0 || done)
        return rc;
    (void)puts(h->vi ? "Đã khôi phục và kiểm tra." : "Restored and checked.");
    rc = hoso_print_pairs(h, columns, WF_COUNT(columns), answer);
    (void)printf("%s: hoso run --cell %s\n", h->vi ? "tiếp theo" : "next", r->final);
    return rc;
}

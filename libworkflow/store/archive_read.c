/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an archive: its files one after the other, every change by checksum, number and chain. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/archive.h"

#define MAGIC      "HOSOCHG1"
#define NAME_TAIL  ".changes"
#define NAME_FORM  "%020" PRIu64 NAME_TAIL
#define NAME_BYTES 28
#define LENGTH     4

static int io_fail(struct wf_error *err, const char *doing)
{
    return wf_fail(err, WF_E_IO, "%s: %s", doing, strerror(errno));
}

static uint64_t u32_load(const uint8_t *at)
{
    return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
}

static void u32_store(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < LENGTH; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* ---- heads ----------------------------------------------------------------------------------- */

void wf_archive_pack_head(const struct wf_archive_head *head, uint8_t out[WF_ARCHIVE_HEAD])
{
    memset(out, 0, WF_ARCHIVE_HEAD);
    memcpy(out, MAGIC, 8);
    u32_store(out + 8, head->format);
    wf_u64_store(out + 12, head->first);
    memcpy(out + 20, head->before, WF_HASH_BYTES);
    memcpy(out + 52, head->cell, strnlen(head->cell, WF_ARCHIVE_CELL));
    u32_store(out + WF_ARCHIVE_HEAD - LENGTH, wf_checksum(out, WF_ARCHIVE_HEAD - LENGTH));
}

static bool unpack_head(const uint8_t *from, struct wf_archive_head *out)
{
    if (memcmp(from, MAGIC, 8) != 0 ||
        u32_load(from + WF_ARCHIVE_HEAD - LENGTH) != wf_checksum(from, WF_ARCHIVE_HEAD - LENGTH))
        return false;
    out->format = u32_load(from + 8);
    out->first = wf_u64_load(from + 12);
    memcpy(out->before, from + 20, WF_HASH_BYTES);
    memcpy(out->cell, from + 52, WF_ARCHIVE_CELL);
    out->cell[WF_ARCHIVE_CELL] = '\0';
    return true;
}

/* ---- the folder ------------------------------------------------------------------------------ */

void wf_archive_name(uint64_t first, char out[40])
{
    (void)snprintf(out, 40, NAME_FORM, first);
}

static bool read_name(const char *name, uint64_t *out)
{
    if (strlen(name) != NAME_BYTES ||
        strcmp(name + NAME_BYTES - sizeof(NAME_TAIL) + 1, NAME_TAIL) != 0)
        return false;
    if (strspn(name, "0123456789") != NAME_BYTES - sizeof(NAME_TAIL) + 1)
        return false;
    *out = strtoull(name, NULL, 10);
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = 0;
    uint64_t y = 0;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

int wf_archive_list(const char *folder, uint64_t **out, size_t *out_n, struct wf_error *err)
{
    struct wf_buf numbers = {0};
    uint64_t number = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL && errno != ENOENT)
        return io_fail(err, folder);
    for (const struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        if (read_name(e->d_name, &number))
            wf_buf_add(&numbers, &number, sizeof(number));
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (numbers.failed) {
        wf_buf_fini(&numbers);
        return wf_fail(err, WF_E_NOMEM, "list the archive");
    }
    *out_n = numbers.len / sizeof(number);
    if (*out_n > 0)
        qsort(numbers.ptr, *out_n, sizeof(number), compare);
    *out = (void *)numbers.ptr; /* of malloc, hence aligned */
    return 0;
}

int wf_archive_last(const char *folder, uint64_t *out, struct wf_error *err)
{
    uint64_t *files = NULL;
    size_t n = 0;
    int rc = wf_archive_list(folder, &files, &n, err);
    if (rc == 0 && n > 0)
        *out = files[n - 1];
    wf_free(files);
    return rc == 0 && n == 0 ? WF_NONE : rc;
}

/* ---- a file ---------------------------------------------------------------------------------- */

static int read_whole(const char *path, struct wf_buf *out, struct wf_error *err)
{
    static char chunk[1 << 16];
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_fail(err, path);
    while (n != 0 && !out->failed) {
        n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        wf_buf_add(out, chunk, (size_t)n);
    }
    int rc = n < 0 ? io_fail(err, path) : 0;
    (void)close(fd);
    return out->failed ? wf_fail(err, WF_E_NOMEM, "%s: out of memory", path) : rc;
}

int wf_archive_load(const char *folder, uint64_t first, bool is_last, struct wf_archive_file *out,
                    struct wf_error *err)
{
    char path[PATH_MAX];
    memset(out, 0, sizeof(*out));
    wf_archive_name(first, out->name);
    int n = snprintf(path, sizeof(path), "%s/%s", folder, out->name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return wf_fail(err, WF_E_CONFIG, "the path of the archive is too long");
    int rc = read_whole(path, &out->bytes, err);
    if (rc == 0 && is_last && out->bytes.len < WF_ARCHIVE_HEAD)
        rc = WF_NONE;
    else if (rc == 0 &&
             (out->bytes.len < WF_ARCHIVE_HEAD || !unpack_head(out->bytes.ptr, &out->head)))
        rc = wf_fail(err, WF_E_CORRUPT, "%s: is no file of an archive, or damaged", path);
    else if (rc == 0 && out->head.first != first)
        rc = wf_fail(err, WF_E_CORRUPT, "%s: begins with change %" PRIu64 ": it was renamed", path,
                     out->head.first);
    else if (rc == 0 && out->head.format != WF_STORE_FORMAT)
        rc = wf_fail(err, WF_E_VERSION,
                     "%s: is of store format %" PRIu64 ", this release %d: restore it with the "
                     "release that made it",
                     path, out->head.format, WF_STORE_FORMAT);
    if (rc != 0) {
        wf_archive_unload(out);
        return rc;
    }
    out->at = WF_ARCHIVE_HEAD;
    out->seq = first - 1;
    out->is_last = is_last;
    memcpy(out->hash, out->head.before, WF_HASH_BYTES);
    return 0;
}

void wf_archive_unload(struct wf_archive_file *file)
{
    wf_buf_fini(&file->bytes);
}

/* Are the bytes behind `at` what a crash may leave: fewer than their length says, or zeros? */
static bool is_tail(const struct wf_archive_file *file, size_t left, uint64_t length)
{
    const uint8_t *at = file->bytes.ptr + file->at;
    if (!file->is_last)
        return false;
    for (size_t i = 0; i < left; i++) {
        if (at[i] != 0)
            return left < LENGTH || length > left - LENGTH;
    }
    return true;
}

static int damaged(const struct wf_archive_file *file, const char *why, struct wf_error *err)
{
    return wf_fail(err, WF_E_CORRUPT, "archive %s: change %" PRIu64 ": %s", file->name,
                   file->seq + 1, why);
}

int wf_archive_next(struct wf_archive_file *file, struct wf_change *out, struct wf_error *err)
{
    struct wf_error why;
    size_t left = file->bytes.len - file->at;
    const uint8_t *at = file->bytes.ptr + file->at;
    if (left == 0)
        return WF_NONE;
    uint64_t length = left >= LENGTH ? u32_load(at) : 0;
    if (left < LENGTH || length < WF_CHANGE_LEAST || length > left - LENGTH) {
        file->was_cut = is_tail(file, left, length);
        return file->was_cut ? WF_NONE : damaged(file, "is cut or damaged", err);
    }
    if (wf_change_read((struct wf_slice){at + LENGTH, length}, out, &why) < 0)
        return damaged(file, "is damaged", err);
    if (out->seq != file->seq + 1)
        return damaged(file, "is missing", err);
    if (memcmp(out->before, file->hash, WF_HASH_BYTES) != 0)
        return damaged(file, "does not follow the one before: it is of another history", err);
    file->at += LENGTH + length;
    file->seq = out->seq;
    memcpy(file->hash, out->hash, WF_HASH_BYTES);
    return 0;
}

/* ---- all files ------------------------------------------------------------------------------- */

struct walk {
    const char *folder;
    uint64_t seq; /* the next file must begin behind it */
    bool has_hash;
    uint8_t hash[WF_HASH_BYTES];
    struct wf_archive_reached reached;
    int (*fn)(void *context, const struct wf_archive_file *file, const struct wf_change *change,
              struct wf_error *err); /* WF_NONE ends the walk */
    void *context;
};

static int walk_file(struct walk *w, uint64_t first, bool is_last, struct wf_error *err)
{
    struct wf_archive_file file;
    struct wf_change change;
    int rc = wf_archive_load(w->folder, first, is_last, &file, err);
    if (rc == WF_NONE)
        w->reached.was_cut = true;
    if (rc != 0)
        return rc;
    if (w->has_hash && first != w->seq + 1)
        rc = wf_fail(err, WF_E_CORRUPT,
                     "archive %s: change %" PRIu64 " is missing: there is a gap before this file",
                     file.name, w->seq + 1);
    else if (w->has_hash && memcmp(w->hash, file.head.before, WF_HASH_BYTES) != 0)
        rc = wf_fail(err, WF_E_CORRUPT, "archive %s: is of another history than the file before it",
                     file.name);
    while (rc == 0 && (rc = wf_archive_next(&file, &change, err)) == 0) {
        if (w->reached.first == 0)
            w->reached.first = change.seq;
        rc = w->fn != NULL ? w->fn(w->context, &file, &change, err) : 0;
        if (rc != 0) { /* WF_NONE: far enough */
            wf_archive_unload(&file);
            return rc;
        }
        w->reached.seq = change.seq;
        w->reached.journal_seq = change.journal_seq;
        w->reached.real_ms = change.real_ms;
        memcpy(w->reached.hash, change.hash, WF_HASH_BYTES);
    }
    w->reached.was_cut = file.was_cut;
    w->seq = file.seq;
    w->has_hash = true;
    memcpy(w->hash, file.hash, WF_HASH_BYTES);
    wf_archive_unload(&file);
    return rc == WF_NONE ? 0 : rc;
}

/* From the file on in which change `from` is, or would be. */
static int walk(struct walk *w, uint64_t from, struct wf_error *err)
{
    uint64_t *files = NULL;
    size_t n = 0;
    size_t i = 0;
    int rc = wf_archive_list(w->folder, &files, &n, err);
    if (rc < 0)
        return rc;
    while (i + 1 < n && files[i + 1] <= from)
        i++;
    for (; i < n && rc == 0; i++)
        rc = walk_file(w, files[i], i + 1 == n, err);
    wf_free(files);
    return rc == WF_NONE ? 0 : rc;
}

int wf_archive_check(const char *folder, struct wf_archive_reached *out, struct wf_error *err)
{
    struct walk w = {.folder = folder};
    int rc = walk(&w, 0, err);
    if (rc == 0)
        *out = w.reached;
    return rc;
}

/* ---- replay ---------------------------------------------------------------------------------- */

#define AT_ONCE 1000 /* changes in one transaction */

struct replay {
    struct wf_store *store;
    struct wf_txn *txn;
    const struct wf_archive_until *until;
    struct wf_changes_head head; /* of the store, and as the replay goes on */
    uint64_t n;
};

static int commit(struct replay *r, struct wf_error *err)
{
    int rc = wf_changes_put_head(r->txn, &r->head, err);
    if (rc == 0)
        rc = wf_txn_commit(r->txn, err);
    else
        wf_txn_abort(r->txn);
    r->txn = NULL;
    return rc;
}

/* The change that the backup ends with, and the first one behind it, must be those of this very
 * store. */
static int check_link(const struct replay *r, const struct wf_archive_file *file,
                      const struct wf_change *change, struct wf_error *err)
{
    const uint8_t *mine = r->head.hash;
    const char *cell = file->head.cell;
    if (!wf_str_is(wf_store_meta(r->store)->cell, cell))
        return wf_fail(err, WF_E_STATE, "the archive is of cell \"%.64s\"", cell);
    if (change->seq > r->head.seq + 1)
        return wf_fail(err, WF_E_STATE,
                       "the archive begins with change %" PRIu64 ", the backup ends with %" PRIu64
                       ": take a later backup, or bring the files between",
                       change->seq, r->head.seq);
    if (memcmp(change->seq == r->head.seq ? change->hash : change->before, mine, WF_HASH_BYTES) !=
        0)
        return wf_fail(err, WF_E_STATE,
                       "the archive is of another history than the backup from change %" PRIu64
                       " on",
                       change->seq);
    if (change->seq > r->head.seq && change->kind == WF_CHANGE_START)
        return wf_fail(err, WF_E_STATE,
                       "the archive was off before change %" PRIu64
                       ": take a backup made after it, or --until a moment before it",
                       change->seq);
    return 0;
}

static int replay_one(void *context, const struct wf_archive_file *file,
                      const struct wf_change *change, struct wf_error *err)
{
    struct replay *r = context;
    int rc = 0;
    if (change->seq < r->head.seq)
        return 0;
    if (change->seq > r->head.seq &&
        (change->real_ms > r->until->real_ms || change->journal_seq > r->until->journal_seq))
        return WF_NONE;
    rc = check_link(r, file, change, err);
    if (rc < 0 || change->seq == r->head.seq)
        return rc;
    if (r->txn == NULL)
        rc = wf_txn_begin(r->store, true, &r->txn, err);
    if (rc == 0)
        rc = wf_change_apply(r->txn, change, err);
    if (rc < 0)
        return wf_wrap(err, "archive %s: change %" PRIu64, file->name, change->seq);
    r->head.seq = change->seq;
    memcpy(r->head.hash, change->hash, WF_HASH_BYTES);
    return ++r->n % AT_ONCE == 0 ? commit(r, err) : 0;
}

static int load_head(struct replay *r, struct wf_error *err)
{
    struct wf_archive_state state;
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(r->store, false, &txn, err);
    if (rc == 0)
        rc = wf_archive_state(txn, &state, err);
    wf_txn_abort(txn);
    if (rc < 0)
        return rc;
    r->head.seq = state.seq;
    memcpy(r->head.hash, state.hash, WF_HASH_BYTES);
    return 0;
}

static int too_far(const struct replay *r, const struct wf_archive_reached *reached,
                   struct wf_error *err)
{
    if (reached->first == 0)
        return wf_fail(err, WF_E_NOT_FOUND, "the archive holds no changes");
    if (reached->seq < r->head.seq)
        return wf_fail(err, WF_E_STATE,
                       "the archive ends with change %" PRIu64 ", the backup with %" PRIu64
                       ": files are missing, or this is not its archive",
                       reached->seq, r->head.seq);
    return 0;
}

int wf_archive_replay(struct wf_store *store, const char *folder,
                      const struct wf_archive_until *until, struct wf_archive_reached *out,
                      struct wf_error *err)
{
    struct replay r = {.store = store, .until = until};
    struct walk w = {.folder = folder, .fn = replay_one, .context = &r};
    int rc = wf_archive_switch_off(store, err);
    if (rc == 0)
        rc = load_head(&r, err);
    if (rc == 0)
        rc = walk(&w, r.head.seq, err);
    if (rc == 0 && r.txn != NULL)
        rc = commit(&r, err);
    if (rc == 0)
        rc = too_far(&r, &w.reached, err);
    wf_txn_abort(r.txn);
    if (rc < 0)
        return rc;
    w.reached.changes = r.n;
    *out = w.reached;
    return 0;
}

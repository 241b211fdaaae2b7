/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Papers on their way up and down. An upload is a file that grows piece by piece: its length says
 * where to go on, so nothing has to be remembered, and pieces that come twice, late or out of order
 * are answered with that length. Pieces are not synced one by one (the disk is only asked to begin
 * writing); a power cut may leave a hole, which the hash finds at the end.
 *
 * Refused: a temporary file for each piece (twice the writing), and holding the state of the hash
 * between pieces (a restart would lose it; reading 20 MiB again takes 20 ms).
 */
#include "store/papers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "workflow/memory.h"

#define DEFAULT_BYTES ((uint64_t)20 << 20)
#define DEFAULT_OPEN  16
#define REST_SECONDS  3600 /* an upload untouched for so long gives way to a new one */
#define HOST_FOLDER   "@host"

#define DEFAULT_UNNAMED       1000
#define DEFAULT_UNNAMED_BYTES ((uint64_t)2 << 30)

const char *const paper_kinds[PAPER_KINDS] = {"incoming", "sent", "unnamed"};

/* ---- names and folders ----------------------------------------------------------------------- */

bool wf_paper_name(struct wf_str name, uint8_t out[WF_HASH_BYTES])
{
    uint8_t hash[WF_HASH_BYTES];
    return name.len == WF_PAPER_NAME &&
           wf_unhex(name.ptr, name.len, out != NULL ? out : hash, WF_HASH_BYTES);
}

void paper_place(const uint8_t hash[WF_HASH_BYTES], char out[PAPER_PATH])
{
    char hex[2 * WF_HASH_BYTES + 1];
    wf_hex(hash, WF_HASH_BYTES, hex);
    (void)snprintf(out, PAPER_PATH, "%.2s/%s", hex, hex);
}

/* Names of parties have been checked where they are registered; here they become folders. */
int paper_of_party(struct wf_str party, enum paper_kind kind, const uint8_t *hash,
                   char out[PAPER_PATH], struct wf_error *err)
{
    char hex[2 * WF_HASH_BYTES + 1] = "";
    const char *slash = hash != NULL ? "/" : "";
    if (party.len > 64 || (party.len > 0 && (party.ptr[0] == '.' || party.ptr[0] == '@' ||
                                             memchr(party.ptr, '/', party.len) != NULL)))
        return wf_fail(err, WF_E_DENIED, "a party of this name cannot send papers");
    if (party.len == 0)
        party = wf_str(HOST_FOLDER);
    if (hash != NULL)
        wf_hex(hash, WF_HASH_BYTES, hex);
    (void)snprintf(out, PAPER_PATH, "%s/%.*s%s%s", paper_kinds[kind], WF_STR_ARG(party), slash,
                   hex);
    return 0;
}

int paper_fail(struct wf_error *err, const char *doing)
{
    return wf_fail(err,
                   errno == ENOSPC || errno == EDQUOT ? WF_E_FULL
                   : errno == ENOMEM                  ? WF_E_NOMEM
                                                      : WF_E_IO,
                   "%s: %s", doing, strerror(errno));
}

static int sync_folder(const struct wf_papers *papers, const char *path, struct wf_error *err)
{
    int fd = openat(papers->folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return paper_fail(err, "open a folder of papers");
    int rc = fsync(fd) == 0 ? 0 : paper_fail(err, "sync a folder of papers");
    (void)close(fd);
    return rc;
}

/* The name of a new folder must outlast a power cut as well as what is in it. */
static int make_folder(const struct wf_papers *papers, const char *path, const char *parent,
                       struct wf_error *err)
{
    if (mkdirat(papers->folder, path, 0700) == 0)
        return sync_folder(papers, parent, err);
    return errno == EEXIST ? 0 : paper_fail(err, "make a folder of papers");
}

int wf_papers_open(const char *folder, const struct wf_papers_options *options,
                   struct wf_papers **out, struct wf_error *err)
{
    struct wf_papers *papers = wf_alloc(sizeof(*papers));
    if (papers == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (options != NULL)
        papers->options = *options;
    if (papers->options.max_bytes == 0)
        papers->options.max_bytes = DEFAULT_BYTES;
    if (papers->options.max_open == 0)
        papers->options.max_open = DEFAULT_OPEN;
    if (papers->options.max_unnamed == 0)
        papers->options.max_unnamed = DEFAULT_UNNAMED;
    if (papers->options.max_unnamed_bytes == 0)
        papers->options.max_unnamed_bytes = DEFAULT_UNNAMED_BYTES;
    int rc = 0;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        rc = wf_fail(err, WF_E_CONFIG, "%s: %s", folder, strerror(errno));
    papers->folder = rc == 0 ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (rc == 0 && papers->folder < 0)
        rc = wf_fail(err, WF_E_CONFIG, "%s: %s", folder, strerror(errno));
    for (size_t i = 0; rc == 0 && i < PAPER_KINDS; i++)
        rc = make_folder(papers, paper_kinds[i], ".", err);
    if (rc != 0) {
        wf_papers_close(papers);
        return rc;
    }
    *out = papers;
    return 0;
}

void wf_papers_close(struct wf_papers *papers)
{
    if (papers == NULL)
        return;
    if (papers->folder >= 0)
        (void)close(papers->folder);
    wf_free(papers);
}

/* ---- looking --------------------------------------------------------------------------------- */

bool paper_is_file(const struct wf_papers *papers, const char *path, uint64_t *out_bytes)
{
    struct stat is;
    if (fstatat(papers->folder, path, &is, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(is.st_mode))
        return false;
    if (out_bytes != NULL)
        *out_bytes = (uint64_t)is.st_size;
    return true;
}

bool wf_papers_named(const struct wf_papers *papers, struct wf_str party,
                     const uint8_t hash[WF_HASH_BYTES])
{
    char place[PAPER_PATH];
    char sent[PAPER_PATH];
    paper_place(hash, place);
    if (!paper_is_file(papers, place, NULL))
        return false;
    return party.len == 0 || (paper_of_party(party, PAPER_SENT, hash, sent, NULL) == 0 &&
                              paper_is_file(papers, sent, NULL));
}

int wf_papers_get(const struct wf_papers *papers, const uint8_t hash[WF_HASH_BYTES], uint64_t at,
                  size_t max, struct wf_arena *arena, struct wf_slice *out, uint64_t *out_size,
                  struct wf_error *err)
{
    char place[PAPER_PATH];
    struct stat is;
    paper_place(hash, place);
    int fd = openat(papers->folder, place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? WF_NONE : paper_fail(err, "open a paper");
    int rc = fstat(fd, &is) == 0 ? 0 : paper_fail(err, "open a paper");
    uint64_t size = rc == 0 ? (uint64_t)is.st_size : 0;
    if (rc == 0 && at > size)
        rc = wf_fail_field(err, WF_E_INVALID, "at", "the paper has %" PRIu64 " bytes", size);
    size_t n = rc == 0 && size - at < max ? (size_t)(size - at) : max;
    uint8_t *bytes = rc == 0 ? wf_arena_alloc(arena, n + 1) : NULL;
    if (rc == 0 && bytes == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    ssize_t got = rc == 0 ? pread(fd, bytes, n, (off_t)at) : 0;
    if (rc == 0 && (got < 0 || (size_t)got != n))
        rc = wf_fail(err, WF_E_IO, "read a paper: %s", got < 0 ? strerror(errno) : "cut short");
    (void)close(fd);
    if (rc != 0)
        return rc;
    *out = (struct wf_slice){bytes, n};
    *out_size = size;
    return 0;
}

/* ---- up: the last step ----------------------------------------------------------------------- */

/* One upload at hand. */
struct upload {
    struct wf_papers *papers;
    struct wf_str party;
    const struct wf_paper_piece *piece;
    uint8_t hash[WF_HASH_BYTES];
    char place[PAPER_PATH], folder[PAPER_PATH], path[PAPER_PATH];
    char sent[PAPER_PATH], unnamed[PAPER_PATH];
    int fd; /* of what has come so far, -1 = nothing */
    uint64_t have;
};

static int throw_away(struct upload *u, int rc)
{
    (void)unlinkat(u->papers->folder, u->path, 0);
    u->have = 0;
    return rc;
}

/* Now, and not when it was begun: nothing is swept away under somebody's hands. */
static void touch(const struct upload *u, const char *path)
{
    (void)utimensat(u->papers->folder, path, NULL, 0);
}

static int check_bytes(struct upload *u, struct wf_error *err)
{
    uint8_t hash[WF_HASH_BYTES];
    if (fsync(u->fd) != 0)
        return throw_away(u, paper_fail(err, "sync a paper"));
    if (lseek(u->fd, 0, SEEK_SET) != 0 || !wf_hash_file(u->fd, hash))
        return throw_away(u, paper_fail(err, "read a paper"));
    if (memcmp(hash, u->hash, sizeof(hash)) == 0)
        return 0;
    return throw_away(u, wf_fail_field(err, WF_E_INVALID, "paper",
                                       "the bytes that came have another hash: they were thrown "
                                       "away, send the paper anew"));
}

/* An empty file of the party's; *folder becomes that it lies in. */
static int note(struct upload *u, enum paper_kind kind, const char *path, char folder[PAPER_PATH],
                struct wf_error *err)
{
    int rc = paper_of_party(u->party, kind, NULL, folder, err);
    if (rc == 0)
        rc = make_folder(u->papers, folder, paper_kinds[kind], err);
    int fd = rc == 0 ? openat(u->papers->folder, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (rc == 0 && fd < 0)
        rc = paper_fail(err, "note who sent a paper");
    if (fd >= 0)
        (void)close(fd);
    touch(u, path);
    return rc;
}

/* Both are there before the paper is. Only that the party may name it must outlast a power cut: one
 * sync for it; a file system that keeps the order of names keeps the other with it. */
static int note_sent(struct upload *u, struct wf_error *err)
{
    char folder[PAPER_PATH];
    if (u->party.len == 0)
        return 0;
    int rc = note(u, PAPER_UNNAMED, u->unnamed, folder, err);
    if (rc == 0)
        rc = note(u, PAPER_SENT, u->sent, folder, err);
    return rc == 0 ? sync_folder(u->papers, folder, err) : rc;
}

static int put_in_place(struct upload *u, struct wf_error *err)
{
    char folder[3] = {u->place[0], u->place[1], '\0'};
    int rc = make_folder(u->papers, folder, ".", err);
    if (rc == 0)
        rc = wf_fault_pass("papers.checked", err);
    if (rc == 0 && renameat(u->papers->folder, u->path, u->papers->folder, u->place) != 0)
        rc = paper_fail(err, "put a paper in place");
    if (rc == 0)
        rc = wf_fault_pass("papers.placed", err);
    return rc;
}

static int finish(struct upload *u, struct wf_error *err)
{
    int rc = check_bytes(u, err);
    if (rc == 0)
        rc = note_sent(u, err);
    return rc == 0 ? put_in_place(u, err) : rc;
}

/* A crash may have left the name unsynced, so it is synced before each "whole". */
static int say_whole(struct upload *u, bool *out_whole, struct wf_error *err)
{
    char folder[3] = {u->place[0], u->place[1], '\0'};
    touch(u, u->place);
    touch(u, u->sent);
    touch(u, u->unnamed);
    int rc = sync_folder(u->papers, folder, err);
    if (rc == 0)
        rc = wf_fault_pass("papers.synced", err);
    u->have = u->piece->size;
    *out_whole = rc == 0;
    return rc;
}

/* ---- up: piece by piece ----------------------------------------------------------------------- */

static int check_piece(struct upload *u, struct wf_error *err)
{
    const struct wf_paper_piece *piece = u->piece;
    uint64_t most = u->papers->options.max_bytes;
    if (!wf_paper_name(piece->paper, u->hash))
        return wf_fail_field(err, WF_E_INVALID, "paper",
                             "the name of a paper is its BLAKE2b-256: 64 lower-case hex digits");
    if (piece->size == 0 || piece->size > most)
        return wf_fail_field(err, WF_E_INVALID, "size",
                             "a paper has 1 to %" PRIu64 " bytes here (papers_max_mib)", most);
    if (piece->at > piece->size)
        return wf_fail_field(err, WF_E_INVALID, "at", "behind the end of the paper");
    if (piece->bytes.len > piece->size - piece->at)
        return wf_fail_field(err, WF_E_INVALID, "bytes", "more than the size says");
    return 0;
}

static int find_places(struct upload *u, struct wf_error *err)
{
    paper_place(u->hash, u->place);
    int rc = paper_of_party(u->party, PAPER_INCOMING, NULL, u->folder, err);
    if (rc == 0)
        rc = paper_of_party(u->party, PAPER_INCOMING, u->hash, u->path, err);
    if (rc == 0)
        rc = paper_of_party(u->party, PAPER_SENT, u->hash, u->sent, err);
    return rc == 0 ? paper_of_party(u->party, PAPER_UNNAMED, u->hash, u->unnamed, err) : rc;
}

/* How many uploads the party has begun; those that rest go where there are too many. */
static int count_begun(struct upload *u, unsigned *out, struct wf_error *err)
{
    int fd = openat(u->papers->folder, u->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL && fd >= 0)
        (void)close(fd);
    if (dir == NULL)
        return paper_fail(err, "count uploads");
    int64_t rested_ms = ((int64_t)time(NULL) - REST_SECONDS) * 1000;
    *out = 0;
    for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        if (d->d_name[0] == '.')
            continue;
        bool rests = paper_touched_ms(fd, d->d_name) < rested_ms;
        if (!rests || *out < u->papers->options.max_open / 2 || unlinkat(fd, d->d_name, 0) != 0)
            ++*out;
    }
    (void)closedir(dir);
    return 0;
}

static int begin(struct upload *u, struct wf_error *err)
{
    unsigned begun = 0;
    int rc = make_folder(u->papers, u->folder, paper_kinds[PAPER_INCOMING], err);
    if (rc == 0)
        rc = count_begun(u, &begun, err);
    if (rc == 0 && begun >= u->papers->options.max_open)
        return wf_fail_field(err, WF_E_FULL, "paper",
                             "%u papers are half sent (papers_open): finish one of them first",
                             begun);
    if (rc == 0)
        u->fd = openat(u->papers->folder, u->path,
                       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return rc == 0 && u->fd < 0 ? paper_fail(err, "begin a paper") : rc;
}

static int open_upload(struct upload *u, struct wf_error *err)
{
    struct stat is;
    u->fd = openat(u->papers->folder, u->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (u->fd < 0)
        return errno == ENOENT ? 0 : paper_fail(err, "open an upload");
    if (fstat(u->fd, &is) != 0)
        return paper_fail(err, "open an upload");
    u->have = (uint64_t)is.st_size;
    if (u->have > u->piece->size)
        return throw_away(u, wf_fail_field(err, WF_E_INVALID, "size",
                                           "more bytes than that are here: they were thrown away, "
                                           "send the paper anew"));
    return 0;
}

static int append(struct upload *u, struct wf_error *err)
{
    size_t skip = (size_t)(u->have - u->piece->at); /* is here already */
    const struct wf_slice bytes = {u->piece->bytes.ptr + skip, u->piece->bytes.len - skip};
    int rc = u->fd < 0 ? begin(u, err) : 0;
    if (rc == 0)
        rc = wf_fault_pass("papers.append", err);
    ssize_t n = rc == 0 ? pwrite(u->fd, bytes.ptr, bytes.len, (off_t)u->have) : 0;
    if (rc == 0 && (n < 0 || (size_t)n != bytes.len)) {
        errno = n < 0 ? errno : ENOSPC;
        rc = paper_fail(err, "write a paper"); /* as far as it came, it can go on */
    }
    if (rc != 0)
        return rc;
    (void)sync_file_range(u->fd, (off_t)u->have, n, SYNC_FILE_RANGE_WRITE);
    u->have += bytes.len;
    return 0;
}

/* Does the piece begin at or before the place to go on from, and reach beyond it? */
static bool is_next(const struct upload *u)
{
    return u->piece->at <= u->have && u->piece->bytes.len > u->have - u->piece->at;
}

static int take(struct upload *u, bool *out_whole, struct wf_error *err)
{
    if (wf_papers_named(u->papers, u->party, u->hash))
        return say_whole(u, out_whole, err);
    int rc = open_upload(u, err);
    if (rc == 0 && is_next(u))
        rc = append(u, err);
    if (rc != 0 || u->have < u->piece->size)
        return rc;
    rc = finish(u, err);
    return rc == 0 ? say_whole(u, out_whole, err) : rc;
}

int wf_papers_put(struct wf_papers *papers, struct wf_str party, const struct wf_paper_piece *piece,
                  uint64_t *out_have, bool *out_whole, struct wf_error *err)
{
    struct upload u = {.papers = papers, .party = party, .piece = piece, .fd = -1};
    bool whole = false;
    int rc = check_piece(&u, err);
    if (rc == 0)
        rc = find_places(&u, err);
    if (rc == 0)
        rc = take(&u, &whole, err);
    if (u.fd >= 0)
        (void)close(u.fd);
    if (rc != 0)
        return rc;
    *out_have = u.have;
    *out_whole = whole;
    return 0;
}

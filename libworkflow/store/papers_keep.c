/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking through the folders of papers: what is here, is it sound, what may go.
 */
#include "store/papers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t paper_touched_ms(int folder, const char *path)
{
    struct stat is;
    if (fstatat(folder, path, &is, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    return (int64_t)is.st_mtim.tv_sec * 1000 + is.st_mtim.tv_nsec / 1000000;
}

int paper_open_folder(int at, const char *path, DIR **out, struct wf_error *err)
{
    *out = NULL;
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : paper_fail(err, "open a folder of papers");
    *out = fdopendir(fd);
    if (*out != NULL)
        return 0;
    int rc = paper_fail(err, "open a folder of papers");
    (void)close(fd);
    return rc;
}

int wf_papers_check(const struct wf_papers *papers, const uint8_t hash[WF_HASH_BYTES], bool deep,
                    uint64_t *out_bytes, struct wf_error *err)
{
    char place[PAPER_PATH];
    uint8_t found[WF_HASH_BYTES];
    struct stat is;
    paper_place(hash, place);
    int fd = openat(papers->folder, place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? WF_NONE : paper_fail(err, "open a paper");
    int rc = fstat(fd, &is) != 0 || (deep && !wf_hash_file(fd, found))
                 ? paper_fail(err, "read a paper")
                 : 0;
    (void)close(fd);
    if (rc != 0)
        return rc;
    if (is.st_size == 0 || (deep && memcmp(found, hash, WF_HASH_BYTES) != 0))
        return wf_fail(err, WF_E_CORRUPT, "the paper's bytes are not those that its name says");
    *out_bytes = (uint64_t)is.st_size;
    return 0;
}

int wf_papers_folders(const struct wf_papers *papers, bool out[WF_PAPER_FOLDERS],
                      struct wf_error *err)
{
    DIR *dir = NULL;
    int rc = paper_open_folder(papers->folder, ".", &dir, err);
    if (rc < 0)
        return rc;
    memset(out, 0, WF_PAPER_FOLDERS * sizeof(*out));
    if (dir == NULL)
        return 0;
    for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        uint8_t nth;
        if (strlen(d->d_name) == 2 && wf_unhex(d->d_name, 2, &nth, 1))
            out[nth] = true;
    }
    (void)closedir(dir);
    return 0;
}

int wf_papers_each(const struct wf_papers *papers, unsigned nth, int64_t before_ms,
                   int (*fn)(void *context, const uint8_t hash[WF_HASH_BYTES]), void *context,
                   struct wf_error *err)
{
    char name[8];
    DIR *dir = NULL;
    (void)snprintf(name, sizeof(name), "%02x", nth & 0xff);
    int rc = paper_open_folder(papers->folder, name, &dir, err);
    if (dir == NULL)
        return rc;
    for (const struct dirent *d = readdir(dir); rc == 0 && d != NULL; d = readdir(dir)) {
        uint8_t hash[WF_HASH_BYTES];
        if (wf_paper_name(wf_str(d->d_name), hash) &&
            paper_touched_ms(dirfd(dir), d->d_name) < before_ms)
            rc = fn(context, hash);
    }
    (void)closedir(dir);
    return rc;
}

int wf_papers_remove(struct wf_papers *papers, const uint8_t hash[WF_HASH_BYTES],
                     struct wf_error *err)
{
    char place[PAPER_PATH];
    paper_place(hash, place);
    if (unlinkat(papers->folder, place, 0) == 0)
        return 0;
    return errno == ENOENT ? WF_NONE : paper_fail(err, "take a paper away");
}

static int forget_files(int at, const char *party, int64_t before_ms, size_t *removed,
                        struct wf_error *err)
{
    DIR *dir = NULL;
    int rc = paper_open_folder(at, party, &dir, err);
    if (dir == NULL)
        return rc;
    for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        int64_t touched = d->d_name[0] != '.' ? paper_touched_ms(dirfd(dir), d->d_name) : -1;
        if (touched >= 0 && touched < before_ms && unlinkat(dirfd(dir), d->d_name, 0) == 0)
            ++*removed;
    }
    (void)closedir(dir);
    return 0;
}

int wf_papers_forget(struct wf_papers *papers, int64_t before_ms, size_t *out_removed,
                     struct wf_error *err)
{
    int rc = 0;
    *out_removed = 0;
    for (size_t i = 0; rc == 0 && i < PAPER_KINDS; i++) {
        DIR *dir = NULL;
        rc = paper_open_folder(papers->folder, paper_kinds[i], &dir, err);
        if (dir == NULL)
            continue;
        for (const struct dirent *d = readdir(dir); rc == 0 && d != NULL; d = readdir(dir)) {
            if (d->d_name[0] != '.')
                rc = forget_files(dirfd(dir), d->d_name, before_ms, out_removed, err);
        }
        (void)closedir(dir);
    }
    return rc;
}

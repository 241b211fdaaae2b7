/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/archive.h - the files of an archive, as archive.c writes and archive_read.c reads them.
 *
 * FILE       NUMBER.changes, 20 digits: a head, then changes, each behind its length (u32)
 * HEAD       "HOSOCHG1" | format of the store u32 | first number u64 | hash of the change before |
 *            name of the cell, 64 bytes, NUL-padded | checksum u32; numbers are big-endian
 * TAIL       what follows the last whole change of the last file is what a crash has left
 */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "store/changes.h"
#include "workflow/archive.h"

#define WF_ARCHIVE_HEAD 120
#define WF_ARCHIVE_CELL 64

struct wf_archive_head {
    uint64_t format, first;
    uint8_t before[WF_HASH_BYTES];
    char cell[WF_ARCHIVE_CELL + 1];
};

void wf_archive_pack_head(const struct wf_archive_head *head, uint8_t out[WF_ARCHIVE_HEAD]);
void wf_archive_name(uint64_t first, char out[40]);

/* Numbers of the folder's files, rising; free with wf_free. A folder that is missing has none. */
int wf_archive_list(const char *folder, uint64_t **out, size_t *out_n,
                    struct wf_error *err) WF_CHECKED;

/* One file in memory. */
struct wf_archive_file {
    char name[40];
    struct wf_buf bytes;
    struct wf_archive_head head;
    size_t at; /* behind the last change that was read */
    uint64_t seq;
    uint8_t hash[WF_HASH_BYTES]; /* of that change, or of the one before the first */
    bool is_last, was_cut;
};

/* WF_NONE: the last file is shorter than its head. */
int wf_archive_load(const char *folder, uint64_t first, bool is_last, struct wf_archive_file *out,
                    struct wf_error *err) WF_CHECKED;
void wf_archive_unload(struct wf_archive_file *file);

/* The next change, which must follow the one before by number and hash; WF_NONE at the end. */
int wf_archive_next(struct wf_archive_file *file, struct wf_change *out,
                    struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* services/hoso/archive.h - the archive, as run, status, verify and restore use it. */
#ifndef HOSO_ARCHIVE_H
#define HOSO_ARCHIVE_H

#include "hoso.h"
#include "workflow/archive.h"

/* For hoso_read: fills a struct wf_archive_state. */
int archive_state(struct hoso *h, struct wf_txn *txn, void *context) WF_CHECKED;
/* folder, on, seq, waiting, lag_ms, file. */
const struct wf_value *archive_value(struct hoso *h, const struct wf_archive_state *state);

/* Ends recording where hoso.cfg names no folder any more: nobody would move the changes. */
int archive_fit_setting(struct hoso *h, bool *out_dropped) WF_CHECKED;
int archive_check_folder(struct hoso *h) WF_CHECKED;

/* Reads the archive through; *answer is that of keep_check, with what is wrong added. */
int archive_check(struct hoso *h, const struct wf_value **answer) WF_CHECKED;

/* --until: a moment, or a number of the journal. */
int archive_until(struct hoso *h, struct wf_archive_until *out) WF_CHECKED;
/* Of the restored store: replays --archive where it is given, and ends recording in any case. */
int archive_bring_forward(struct hoso *h, struct wf_archive_reached *out) WF_CHECKED;

#endif

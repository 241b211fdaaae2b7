/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/journald.h - log lines as fields to the system's journal, by its native protocol: a datagram
 * of NAME=value lines (systemd.io/JOURNAL_NATIVE_PROTOCOL). Internal to the log.
 */
#ifndef BASE_JOURNALD_H
#define BASE_JOURNALD_H

#include <stdbool.h>
#include <stddef.h>

#define WF_JOURNALD_SOCKET "/run/systemd/journal/socket"

/* Is standard error what the journal has given us (JOURNAL_STREAM)? */
bool wf_journald_is_stderr(void);

/* A descriptor to send to, or -1. */
int wf_journald_open(const char *path);

/* One entry under way. A field without a text is left out, control characters become spaces, what
 * does not fit is left out whole. */
struct wf_journald_entry {
    char bytes[2048];
    size_t used;
};

void wf_journald_field(struct wf_journald_entry *entry, const char *name, const char *text);
bool wf_journald_send(int fd, const struct wf_journald_entry *entry);

#endif

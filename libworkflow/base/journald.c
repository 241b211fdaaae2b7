/* SPDX-License-Identifier: Apache-2.0 */
#include "base/journald.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool wf_journald_is_stderr(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat is;
    char own[64];
    if (stream == NULL || fstat(STDERR_FILENO, &is) != 0)
        return false;
    (void)snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)is.st_dev,
                   (unsigned long long)is.st_ino);
    return strcmp(stream, own) == 0;
}

int wf_journald_open(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof(to.sun_path))
        return -1;
    memcpy(to.sun_path, path, length);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

void wf_journald_field(struct wf_journald_entry *entry, const char *name, const char *text)
{
    if (text == NULL)
        return;
    size_t space = sizeof(entry->bytes) - entry->used;
    char *at = entry->bytes + entry->used;
    int n = snprintf(at, space, "%s=%s\n", name, text);
    if (n < 0 || (size_t)n >= space)
        return;
    for (char *c = at; c < at + n - 1; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' '; /* a line break would begin a field of its own */
    }
    entry->used += (size_t)n;
}

bool wf_journald_send(int fd, const struct wf_journald_entry *entry)
{
    return send(fd, entry->bytes, entry->used, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)entry->used;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The other system as the settings name it: its address and what proves us to it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter/adapter.h"

/* "localhost.example" and "localhost@example" are other hosts. */
static bool is_this_host(const char *authority)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    size_t length = strcspn(authority, "/?#");
    for (size_t i = 0; i < WF_COUNT(names); i++) {
        size_t n = strlen(names[i]);
        if (strncmp(authority, names[i], n) == 0 && (n == length || authority[n] == ':') &&
            memchr(authority, '@', length) == NULL)
            return true;
    }
    return false;
}

void adapter_check_url(const struct adapter *a, const char *name, const char *url,
                       struct wf_report *report)
{
    static const char plain[] = "http://";
    const struct wf_node *node = wf_node_child(a->root, name);
    const char *file = node != NULL ? node->file : a->spec->name;
    int line = node != NULL ? node->line : 0;
    if (!wf_starts_with(url, plain) && !wf_starts_with(url, "https://"))
        wf_report_error(report, file, line, "%s: this is no address: it begins with https://",
                        name);
    else if (wf_starts_with(url, plain) && !is_this_host(url + strlen(plain)))
        wf_report_error(report, file, line,
                        "%s: personal data would go over the network in the clear: use https://",
                        name);
}

int adapter_secret(const char *path, char *out, size_t size, struct wf_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return wf_fail(err, WF_E_CONFIG, "%s: %s: write the secret into it (mode 0600)", path,
                       strerror(errno));
    bool is_closed = fstat(fd, &st) == 0 && (st.st_mode & 077) == 0;
    ssize_t n = is_closed ? read(fd, out, size) : 0;
    (void)close(fd);
    if (!is_closed)
        return wf_fail(err, WF_E_CONFIG, "%s: others may read it: chmod 0600", path);
    size_t length = n > 0 ? (size_t)n : 0;
    size_t line = 0;
    while (line < length && out[line] != '\r' && out[line] != '\n' && out[line] != '\0')
        line++;
    if (line == size) /* a part of it would be refused, and after some tries the account shut */
        return wf_fail(err, WF_E_CONFIG, "%s: its first line is longer than %zu bytes", path,
                       size - 1);
    out[line] = '\0';
    return out[0] != '\0' ? 0
                          : wf_fail(err, WF_E_CONFIG,
                                    "%s: it is empty: write the secret into its first line", path);
}

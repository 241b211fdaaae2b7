/* SPDX-License-Identifier: Apache-2.0 */
/* paper put, paper get: scans to the cell and back, through intake like every party's. */
#include "hoso.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int open_failed(struct hoso *h, const char *path)
{
    return wf_fail(&h->err, errno == ENOENT ? WF_E_NOT_FOUND : WF_E_INVALID, "%s: %s", path,
                   strerror(errno));
}

int hoso_paper_put(struct hoso *h)
{
    char name[WF_PAPER_NAME_SIZE];
    bool done = false;
    int rc = hoso_client(h);
    int fd = rc == 0 ? open(h->args[0], O_RDONLY | O_CLOEXEC) : -1;
    if (rc == 0 && fd < 0)
        rc = open_failed(h, h->args[0]);
    if (rc == 0)
        rc = wf_client_put_paper(h->client, fd, NULL, name, &h->err);
    if (fd >= 0)
        (void)close(fd);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "paper", wf_text(h->arena, name), NULL), &done);
    if (rc == 0 && !done)
        (void)puts(name);
    return rc;
}

/* Into FILE.part, which a second call goes on with, and then in place. */
static int get_into(struct hoso *h, const char *file)
{
    char part[4096];
    int n = snprintf(part, sizeof(part), "%s.part", file);
    if (n < 0 || (size_t)n >= sizeof(part))
        return wf_fail(&h->err, WF_E_INVALID, "the file's name is too long");
    int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return open_failed(h, part);
    int rc = wf_client_get_paper(h->client, h->args[0], h->args[1], fd, NULL, &h->err);
    if (close(fd) != 0 && rc == 0)
        rc = open_failed(h, part);
    if (rc == 0 && rename(part, file) != 0)
        rc = open_failed(h, file);
    if (rc == WF_E_NOT_FOUND || rc == WF_E_DENIED)
        (void)unlink(part);
    return rc;
}

int hoso_paper_get(struct hoso *h)
{
    const char *file = hoso_has(h, OPT_OUTPUT) ? h->opt[OPT_OUTPUT] : h->args[1];
    bool done = false;
    if (strchr(h->args[1], '/') != NULL)
        return wf_fail(&h->err, WF_E_INVALID, "a paper is named by its hash: `hoso show` has it");
    int rc = hoso_client(h);
    if (rc == 0)
        rc = get_into(h, file);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "file", wf_text(h->arena, file), NULL), &done);
    if (rc == 0 && !done)
        (void)puts(file);
    return rc;
}

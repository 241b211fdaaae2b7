/* SPDX-License-Identifier: Apache-2.0 */
/* Work in a child process, whose answer comes as JSON through a pipe. */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MOST ((size_t)1 << 20)

/* Checking and hashing beside a running cell, three such processes weigh as much as one and a half
 * of its workers; at rest they have all there is. The copy before it is not slowed: while it goes on,
 * pages that are freed wait. */
#define GIVE_WAY 3

/* ---- in the child ---------------------------------------------------------------------------- */

const struct wf_value *keep_child_failed(struct hoso *h, int code)
{
    return hoso_map(h, "code", wf_text(h->arena, wf_code_word(code)), "text",
                    wf_text(h->arena, h->err.text), NULL);
}

_Noreturn static void be_child(struct hoso *h, keep_job_fn *job, const void *context, int to)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT};
    for (size_t i = 0; i < WF_COUNT(signals); i++)
        (void)signal(signals[i], SIG_DFL);
    (void)!nice(GIVE_WAY);
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing >= 0)
        (void)dup2(nothing, STDERR_FILENO); /* LMDB's own words on a failed assertion */
    FILE *file = fdopen(to, "w");
    int rc = file != NULL ? hoso_json_print(job(h, context), file, NULL) : -1;
    if (file != NULL && fclose(file) != 0)
        rc = -1;
    _exit(rc == 0 ? 0 : 3);
}

/* ---- in the parent --------------------------------------------------------------------------- */

int keep_child_start(struct hoso *h, keep_job_fn *job, const void *context, struct keep_child *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return wf_fail(&h->err, WF_E_IO, "start a child: %s", strerror(errno));
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        be_child(h, job, context, ends[1]);
    int why = errno;
    (void)close(ends[1]);
    if (pid > 0) {
        *out = (struct keep_child){pid, ends[0]};
        return 0;
    }
    (void)close(ends[0]);
    return wf_fail(&h->err, WF_E_IO, "start a child: %s", strerror(why));
}

static void read_all(int from, struct wf_buf *out)
{
    char chunk[4096];
    ssize_t n;
    while ((n = read(from, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || out->len > ANSWER_MOST)
            return;
        wf_buf_add(out, chunk, (size_t)n);
    }
}

static int understand(struct hoso *h, const struct wf_buf *text, int status,
                      const struct wf_value **out)
{
    const struct wf_value *answer = NULL;
    if (text->failed)
        return wf_fail(&h->err, WF_E_NOMEM, "read a child's answer: out of memory");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || text->len == 0 ||
        hoso_json_parse("answer", (const char *)text->ptr, text->len, h->arena, &answer, &h->err) <
            0)
        return WF_NONE;
    const struct wf_value *code = wf_map_get(answer, "code");
    if (code != NULL)
        return wf_fail(&h->err, wf_code_of_word(wf_value_text(code, "internal")), "%s",
                       wf_value_text(wf_map_get(answer, "text"), ""));
    *out = answer;
    return 0;
}

int keep_child_end(struct hoso *h, const struct keep_child *child, int *out_status,
                   const struct wf_value **out)
{
    struct wf_buf text = {0};
    int status = 0;
    read_all(child->from, &text);
    (void)close(child->from);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
    int rc = understand(h, &text, status, out);
    if (rc == WF_NONE)
        *out_status = status;
    wf_buf_fini(&text);
    return rc;
}

void keep_child_drop(struct hoso *h, const struct keep_child *child)
{
    const struct wf_error first = h->err;
    const struct wf_value *answer = NULL;
    int status = 0;
    int rc = keep_child_end(h, child, &status, &answer);
    (void)rc; /* what it has found does not count any more */
    h->err = first;
}

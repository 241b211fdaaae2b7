/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's check in child processes, a part of it in each, as many as there are processors. Their
 * answers come as JSON through pipes and are put together in the order of the parts. LMDB trusts its
 * pages: some damage makes it read outside of the file or stop by an assertion. Then a child ends by
 * a signal, and that is what is found, beside what the others found.
 */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workflow/archive.h"
#include "workflow/hash.h"

#define ANSWER_MOST   ((size_t)1 << 20)
#define FINDINGS_MOST 100

struct findings {
    struct hoso *h;
    struct wf_value *list;
};

static void note(void *context, const char *name, const char *text)
{
    struct findings *f = context;
    (void)wf_list_add(f->h->arena, f->list,
                      hoso_map(f->h, "name", wf_text(f->h->arena, name), "text",
                               wf_text(f->h->arena, text), NULL));
}

static const struct wf_value *number(struct hoso *h, uint64_t n)
{
    return wf_int(h->arena, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

/* ---- in the child ---------------------------------------------------------------------------- */

static int head_of(struct hoso *h, struct wf_store *store, struct wf_counts *out,
                   struct wf_archive_state *out_changes)
{
    struct wf_txn *txn = NULL;
    int rc = wf_txn_begin(store, false, &txn, &h->err);
    if (rc == 0)
        *out = *wf_txn_counts(txn);
    if (rc == 0)
        rc = wf_archive_state(txn, out_changes, &h->err);
    wf_txn_abort(txn);
    return rc;
}

static const struct wf_value *answer_of(struct hoso *h, struct wf_store *store,
                                        const struct wf_check *sum, const struct wf_counts *counts,
                                        const struct wf_archive_state *changes,
                                        const struct wf_value *findings)
{
    char change[2 * WF_HASH_BYTES + 1];
    char hash[2 * WF_HASH_BYTES + 1];
    wf_hex(counts->journal_hash, WF_HASH_BYTES, hash);
    wf_hex(changes->hash, WF_HASH_BYTES, change);
    /* clang-format off */
    return hoso_map(h,
        "undamaged", wf_bool(sum->findings == 0),
        "findings", findings,
        "n_findings", number(h, sum->findings),
        "quiet", wf_bool(sum->was_quiet),
        "cell", hoso_str(h, wf_store_meta(store)->cell),
        "format", number(h, wf_store_meta(store)->format),
        "journal", number(h, sum->journal),
        "journal_seq", number(h, counts->journal_seq),
        "journal_hash", wf_text(h->arena, hash),
        "changes", number(h, changes->seq),
        "changes_hash", wf_text(h->arena, changes->seq > 0 ? change : ""),
        "changes_waiting", number(h, changes->waiting),
        "dossiers", number(h, sum->dossiers),
        "open", number(h, counts->open),
        "closed", number(h, counts->closed),
        "tasks", number(h, sum->tasks),
        "queued", number(h, sum->queued),
        "dead", number(h, sum->dead),
        "timers", number(h, sum->timers),
        "procedures", number(h, sum->procedures),
        "requests", number(h, sum->requests),
        "rows", number(h, sum->rows),
        NULL);
    /* clang-format on */
}

static const struct wf_value *check(struct hoso *h, const char *path, struct wf_check_part part)
{
    static const struct wf_store_options options = {.read_only = true};
    struct findings f = {h, wf_list(h->arena)};
    struct wf_store *store = NULL;
    struct wf_check sum = {0};
    struct wf_counts counts;
    struct wf_archive_state changes = {0};
    memset(&counts, 0, sizeof(counts));
    int rc = wf_store_open(path, &options, &store, &h->err);
    if (rc == 0)
        rc = wf_store_check_part(store, part, note, &f, &sum, &h->err);
    if (rc == 0)
        rc = head_of(h, store, &counts, &changes);
    const struct wf_value *answer = rc == 0
                                        ? answer_of(h, store, &sum, &counts, &changes, f.list)
                                        : hoso_map(h, "code", wf_text(h->arena, wf_code_word(rc)),
                                                   "text", wf_text(h->arena, h->err.text), NULL);
    wf_store_close(store);
    return answer;
}

_Noreturn static void be_child(struct hoso *h, const char *path, struct wf_check_part part, int to)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT};
    for (size_t i = 0; i < WF_COUNT(signals); i++)
        (void)signal(signals[i], SIG_DFL);
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing >= 0)
        (void)dup2(nothing, STDERR_FILENO); /* LMDB's own words on a failed assertion */
    FILE *file = fdopen(to, "w");
    int rc = file != NULL ? hoso_json_print(check(h, path, part), file, NULL) : -1;
    if (file != NULL && fclose(file) != 0)
        rc = -1;
    _exit(rc == 0 ? 0 : 3);
}

/* ---- in the parent --------------------------------------------------------------------------- */

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

static const struct wf_value *died(struct hoso *h, int status)
{
    struct findings f = {h, wf_list(h->arena)};
    char text[200];
    (void)snprintf(text, sizeof(text),
                   "its pages are damaged so badly that they cannot be read through (%s %d)",
                   WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    note(&f, "pages", text);
    return hoso_map(h, "undamaged", &wf_false, "findings", f.list, "n_findings",
                    wf_int(h->arena, 1), NULL);
}

static int understand(struct hoso *h, const struct wf_buf *text, int status,
                      const struct wf_value **out)
{
    const struct wf_value *answer = NULL;
    if (text->failed)
        return wf_fail(&h->err, WF_E_NOMEM, "check: out of memory");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || text->len == 0 ||
        hoso_json_parse("check", (const char *)text->ptr, text->len, h->arena, &answer, &h->err) <
            0) {
        *out = died(h, status);
        return 0;
    }
    const struct wf_value *code = wf_map_get(answer, "code");
    if (code != NULL)
        return wf_fail(&h->err, wf_code_of_word(wf_value_text(code, "internal")), "%s",
                       wf_value_text(wf_map_get(answer, "text"), ""));
    *out = answer;
    return 0;
}

/* ---- all parts ------------------------------------------------------------------------------- */

struct part {
    pid_t pid;
    int from; /* the pipe that its answer comes through */
};

static unsigned count_parts(void)
{
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof(processors), &processors) != 0)
        return 1;
    int n = CPU_COUNT(&processors);
    return n < 1 ? 1 : n > WF_CHECK_PARTS ? WF_CHECK_PARTS : (unsigned)n;
}

static int start_part(struct hoso *h, const char *store, struct wf_check_part which,
                      struct part *part)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return wf_fail(&h->err, WF_E_IO, "check: %s", strerror(errno));
    (void)fflush(NULL);
    part->pid = fork();
    if (part->pid == 0)
        be_child(h, store, which, ends[1]);
    int why = errno;
    (void)close(ends[1]);
    part->from = ends[0];
    if (part->pid > 0)
        return 0;
    (void)close(ends[0]);
    return wf_fail(&h->err, WF_E_IO, "check: %s", strerror(why));
}

static int end_part(struct hoso *h, const struct part *part, const struct wf_value **out)
{
    struct wf_buf text = {0};
    int status = 0;
    read_all(part->from, &text);
    (void)close(part->from);
    while (waitpid(part->pid, &status, 0) < 0 && errno == EINTR) {
    }
    int rc = understand(h, &text, status, out);
    wf_buf_fini(&text);
    return rc;
}

static bool is_true_in_all(const struct wf_value *const *answers, unsigned n, struct wf_str name)
{
    bool all = true;
    for (unsigned i = 0; i < n; i++)
        all = all && wf_value_bool(wf_map_get_str(answers[i], name), false);
    return all;
}

static const struct wf_value *sum_of(struct hoso *h, const struct wf_value *const *answers,
                                     unsigned n, struct wf_str name)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += wf_value_int(wf_map_get_str(answers[i], name), 0);
    return wf_int(h->arena, sum);
}

/* The same end of two parts is told once. */
static bool is_told(const struct wf_value *list, const struct wf_value *finding)
{
    bool told = false;
    for (size_t i = 0; i < wf_value_count(list) && !told; i++)
        told = wf_value_equal(wf_list_at(list, i), finding);
    return told;
}

static const struct wf_value *all_findings(struct hoso *h, const struct wf_value *const *answers,
                                           unsigned n)
{
    struct wf_value *list = wf_list(h->arena);
    for (unsigned i = 0; i < n; i++) {
        const struct wf_value *own = wf_map_get(answers[i], "findings");
        for (size_t k = 0; k < wf_value_count(own); k++) {
            const struct wf_value *finding = wf_list_at(own, k);
            if (wf_value_count(list) < FINDINGS_MOST && !is_told(list, finding))
                (void)wf_list_add(h->arena, list, finding);
        }
    }
    return list;
}

/* Figures that are each part's own. */
static bool is_summed(struct wf_str name)
{
    static const char *const names[] = {"n_findings", "journal", "dossiers",   "tasks",    "queued",
                                        "dead",       "timers",  "procedures", "requests", "rows"};
    bool found = false;
    for (size_t i = 0; i < WF_COUNT(names) && !found; i++)
        found = wf_str_is(name, names[i]);
    return found;
}

static const struct wf_value *merge(struct hoso *h, const struct wf_value *const *answers,
                                    unsigned n)
{
    const struct wf_value *first = answers[0];
    struct wf_value *all = wf_map(h->arena);
    for (unsigned i = 1; i < n; i++) /* one that has died has no figures: then there are none */
        first = wf_value_count(answers[i]) < wf_value_count(first) ? answers[i] : first;
    for (size_t i = 0; i < wf_value_count(first); i++) {
        struct wf_str name = first->u.map.pairs[i].key;
        const struct wf_value *value = first->u.map.pairs[i].value;
        if (wf_str_is(name, "findings"))
            value = all_findings(h, answers, n);
        else if (is_summed(name))
            value = sum_of(h, answers, n, name);
        else if (value->type == WF_BOOL)
            value = wf_bool(is_true_in_all(answers, n, name));
        (void)wf_map_put_str(h->arena, all, name, value);
    }
    return all;
}

int keep_check(struct hoso *h, const char *store, const struct wf_value **out)
{
    const struct wf_value *answers[WF_CHECK_PARTS] = {NULL};
    struct part parts[WF_CHECK_PARTS];
    struct wf_error first = {0};
    const unsigned of = count_parts();
    unsigned n = 0;
    int rc = 0;
    while (n < of && rc == 0) {
        rc = start_part(h, store, (struct wf_check_part){n, of}, &parts[n]);
        n += rc == 0;
    }
    first = h->err;
    for (unsigned i = 0; i < n; i++) { /* all of them, so that none is left behind */
        int ended = end_part(h, &parts[i], &answers[i]);
        if (rc == 0 && ended != 0) {
            rc = ended;
            first = h->err;
        }
    }
    if (rc == 0)
        *out = merge(h, answers, n);
    else
        h->err = first;
    return rc;
}

int keep_check_clean(struct hoso *h, const char *store, const struct wf_value **out)
{
    int rc = keep_check(h, store, out);
    if (rc != 0 || wf_value_bool(wf_map_get(*out, "undamaged"), false))
        return rc;
    const struct wf_value *first = wf_list_at(wf_map_get(*out, "findings"), 0);
    return wf_fail(&h->err, WF_E_CORRUPT, "%s: %.300s",
                   wf_value_text(wf_map_get(first, "name"), "pages"),
                   wf_value_text(wf_map_get(first, "text"), ""));
}

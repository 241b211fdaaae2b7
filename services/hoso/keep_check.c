/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's check in child processes, a part of it in each, as many as there are processors. Their
 * answers are put together in the order of the parts. First the parts add the links of the store up;
 * where that does not come out, or somebody wrote meanwhile, they begin anew and look each link up
 * (workflow/store.h). LMDB trusts its pages: some damage makes it read outside of the file or stop by
 * an assertion. Then a child ends by a signal, and that is what is found, beside what the others
 * found.
 */
#include "keep.h"

#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#include "workflow/archive.h"
#include "workflow/hash.h"

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
        "snapshot", number(h, sum->snapshot),
        "links", wf_int(h->arena, (int64_t)sum->links),
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

struct job {
    const char *store;
    struct wf_check_part part;
};

static const struct wf_value *check_part(struct hoso *h, const void *context)
{
    static const struct wf_store_options options = {.read_only = true};
    const struct job *job = context;
    struct findings f = {h, wf_list(h->arena)};
    struct wf_store *store = NULL;
    struct wf_check sum = {0};
    struct wf_counts counts;
    struct wf_archive_state changes = {0};
    memset(&counts, 0, sizeof(counts));
    int rc = wf_store_open(job->store, &options, &store, &h->err);
    if (rc == 0)
        rc = wf_store_check_part(store, job->part, note, &f, &sum, &h->err);
    if (rc == 0)
        rc = head_of(h, store, &counts, &changes);
    const struct wf_value *answer =
        rc == 0 ? answer_of(h, store, &sum, &counts, &changes, f.list) : keep_child_failed(h, rc);
    wf_store_close(store);
    return answer;
}

/* ---- in the parent --------------------------------------------------------------------------- */

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

static unsigned count_parts(void)
{
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof(processors), &processors) != 0)
        return 1;
    int n = CPU_COUNT(&processors);
    return n < 1 ? 1 : n > WF_CHECK_PARTS ? WF_CHECK_PARTS : (unsigned)n;
}

/* ---- all parts ------------------------------------------------------------------------------- */

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
        if (wf_str_is(name, "links") || wf_str_is(name, "snapshot"))
            continue; /* how it was proved, not what */
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

/* Links of one snapshot whose ends come to nothing prove all of them; nothing else does. */
static bool is_proved(const struct wf_value *const *answers, unsigned n)
{
    const struct wf_value *snapshot = wf_map_get(answers[0], "snapshot");
    uint64_t links = 0; /* run over */
    bool proved = snapshot != NULL;
    for (unsigned i = 0; i < n; i++) {
        links += (uint64_t)wf_value_int(wf_map_get(answers[i], "links"), 0);
        proved = proved && wf_value_bool(wf_map_get(answers[i], "undamaged"), false) &&
                 wf_value_bool(wf_map_get(answers[i], "quiet"), false) &&
                 wf_value_equal(wf_map_get(answers[i], "snapshot"), snapshot);
    }
    return proved && links == 0;
}

static int begin(struct hoso *h, bool summed, struct keep_check *check)
{
    const unsigned of = count_parts();
    int rc = 0;
    check->n = 0;
    while (check->n < of && rc == 0) {
        const struct job job = {check->store, {check->n, of, summed}};
        rc = keep_child_start(h, check_part, &job, &check->parts[check->n]);
        check->n += rc == 0;
    }
    if (rc != 0)
        keep_check_drop(h, check);
    return rc;
}

/* Waits for all of them, so that none is left behind. */
static int end(struct hoso *h, struct keep_check *check, bool *out_is_proved,
               const struct wf_value **out)
{
    const struct wf_value *answers[WF_CHECK_PARTS] = {NULL};
    struct wf_error first = {0};
    int rc = 0;
    for (unsigned i = 0; i < check->n; i++) {
        int status = 0;
        int ended = keep_child_end(h, &check->parts[i], &status, &answers[i]);
        if (ended == WF_NONE)
            answers[i] = died(h, status);
        if (rc == 0 && ended < 0) {
            rc = ended;
            first = h->err;
        }
    }
    if (rc == 0) {
        *out = merge(h, answers, check->n);
        *out_is_proved = is_proved(answers, check->n);
    } else {
        h->err = first;
    }
    check->n = 0;
    return rc;
}

int keep_check_begin(struct hoso *h, const char *store, struct keep_check *check)
{
    *check = (struct keep_check){.store = store};
    return begin(h, true, check);
}

int keep_check_end(struct hoso *h, struct keep_check *check, const struct wf_value **out)
{
    bool is_proved = false;
    int rc = end(h, check, &is_proved, out);
    if (rc != 0 || is_proved)
        return rc;
    rc = begin(h, false, check);
    return rc == 0 ? end(h, check, &is_proved, out) : rc;
}

void keep_check_drop(struct hoso *h, struct keep_check *check)
{
    for (unsigned i = 0; i < check->n; i++)
        keep_child_drop(h, &check->parts[i]);
    check->n = 0;
}

int keep_check(struct hoso *h, const char *store, const struct wf_value **out)
{
    struct keep_check check;
    int rc = keep_check_begin(h, store, &check);
    return rc == 0 ? keep_check_end(h, &check, out) : rc;
}

int keep_is_clean(struct hoso *h, const struct wf_value *check)
{
    if (wf_value_bool(wf_map_get(check, "undamaged"), false))
        return 0;
    const struct wf_value *first = wf_list_at(wf_map_get(check, "findings"), 0);
    return wf_fail(&h->err, WF_E_CORRUPT, "%s: %.300s",
                   wf_value_text(wf_map_get(first, "name"), "pages"),
                   wf_value_text(wf_map_get(first, "text"), ""));
}

int keep_check_clean(struct hoso *h, const char *store, const struct wf_value **out)
{
    int rc = keep_check(h, store, out);
    return rc == 0 ? keep_is_clean(h, *out) : rc;
}

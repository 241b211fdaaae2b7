/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Papers in a worker. Their requests work on files and may wait for the disk: so they are answered
 * each by itself, in an arena of their own, before the batch begins its transaction. What they
 * answer is true by then: a paper that is said to be whole is on disk.
 */
#include <string.h>

#include "batch.h"

#define SWEEP_EVERY_MS 1000
#define ROUND_EVERY_MS 3000 /* at the earliest after all have been looked through */
#define SWEEP_MS       3    /* a request that comes meanwhile waits so long */
#define SWEEP_MOST     16   /* taken away in one transaction */

/* ---- requests -------------------------------------------------------------------------------- */

static int answer_paper(struct worker *worker, struct request *request, struct wf_error *err)
{
    struct wf_turn turn = {.engine = worker->engine,
                           .arena = worker->paper_arena,
                           .parties = worker->parties,
                           .intake_stopped = worker->intake_stopped};
    struct wf_error why = {0};
    int rc = wf_txn_begin(worker->store, false, &turn.txn, err);
    if (rc != 0)
        return rc;
    wf_arena_reset(worker->paper_arena);
    request->rc =
        wf_engine_request(&turn, &request->envelope, request->frame, &request->answer, &why);
    wf_txn_abort(turn.txn);
    if (request->rc < 0) {
        struct wf_str party = request->envelope.party;
        struct wf_log_fact fact = {
            .rc = request->rc,
            .party = party.len > 0 ? wf_arena_strndup(turn.arena, party.ptr, party.len) : NULL};
        worker->slot->refused++;
        wf_board_error(worker->slot, request->rc);
        wf_log(wf_code_action(request->rc) == WF_REFUSE ? WF_LOG_WARN : WF_LOG_ERROR,
               WF_LOG_REFUSED_EVENT, &fact, "%s refused: %s",
               wf_message_info(request->envelope.type)->name, why.text);
    }
    speak_answer(worker, &request->asker, request->answer);
    worker->slot->messages++;
    return 0;
}

int answer_papers(struct batch *batch, struct wf_error *err)
{
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < batch->n && rc == 0; i++) {
        struct request *request = &batch->requests[i];
        if (wf_request_is_paper(request->envelope.type))
            rc = answer_paper(batch->worker, request, err);
        else
            batch->requests[kept++] = *request;
    }
    batch->n = kept;
    return rc;
}

/* ---- what nobody names ------------------------------------------------------------------------ */

struct sweep {
    struct wf_txn *txn;
    uint8_t unnamed[SWEEP_MOST][WF_HASH_BYTES];
    size_t n;
    struct wf_error *err;
};

static int note_unnamed(void *context, const uint8_t hash[WF_HASH_BYTES])
{
    struct sweep *sweep = context;
    int rc = wf_paper_named_by(sweep->txn, hash, 0, sweep->err);
    if (rc != WF_NONE)
        return rc;
    memcpy(sweep->unnamed[sweep->n++], hash, WF_HASH_BYTES);
    return sweep->n == SWEEP_MOST ? WF_NONE : 0;
}

/* Looked at once more under the write lock: a dossier may have come to name it meanwhile. */
static int remove_unnamed(struct worker *worker, struct sweep *sweep, struct wf_error *err)
{
    int rc = wf_txn_begin(worker->store, true, &sweep->txn, err);
    size_t removed = 0;
    for (size_t i = 0; rc >= 0 && i < sweep->n; i++) {
        rc = wf_paper_named_by(sweep->txn, sweep->unnamed[i], 0, err);
        if (rc != WF_NONE)
            continue;
        rc = wf_papers_remove(worker->papers, sweep->unnamed[i], err);
        removed += rc == 0;
    }
    wf_txn_abort(sweep->txn);
    if (removed > 0)
        wf_log(WF_LOG_INFO, WF_LOG_PAPERS_EVENT, NULL, "%zu papers went that no dossier named",
               removed);
    return rc < 0 ? rc : 0;
}

/* Few folders where they are full, all of them where they are not; those that are missing, as most
 * are where few papers have come, are not asked for one by one. */
static int sweep_whole(struct worker *worker, int64_t before_ms, struct wf_error *err)
{
    struct sweep sweep = {.err = err};
    int64_t until_ms = wf_monotonic_ms() + SWEEP_MS;
    bool is_there[WF_PAPER_FOLDERS];
    int rc = wf_papers_folders(worker->papers, is_there, err);
    if (rc == 0)
        rc = wf_txn_begin(worker->store, false, &sweep.txn, err);
    if (rc != 0)
        return rc;
    for (unsigned i = 0; rc == 0 && i < WF_PAPER_FOLDERS && wf_monotonic_ms() < until_ms; i++) {
        if (is_there[worker->paper_folder])
            rc = wf_papers_each(worker->papers, worker->paper_folder, before_ms, note_unnamed,
                                &sweep, err);
        if (rc == 0)
            worker->paper_folder = (worker->paper_folder + 1) % WF_PAPER_FOLDERS;
        worker->papers_round |= worker->paper_folder == 0;
    }
    wf_txn_abort(sweep.txn);
    sweep.txn = NULL;
    return rc >= 0 && sweep.n > 0 ? remove_unnamed(worker, &sweep, err) : rc < 0 ? rc : 0;
}

int papers_sweep(struct worker *worker, struct wf_error *err)
{
    int64_t before_ms = wf_real_ms() - worker->settings.papers_keep;
    size_t removed = 0;
    struct wf_error why = {0};
    int rc = sweep_whole(worker, before_ms, err);
    worker->next_papers_ms =
        wf_monotonic_ms() + (worker->papers_round ? ROUND_EVERY_MS : SWEEP_EVERY_MS);
    if (worker->papers_round && wf_papers_forget(worker->papers, before_ms, &removed, &why) == 0 &&
        removed > 0)
        wf_log(WF_LOG_INFO, WF_LOG_PAPERS_EVENT, NULL, "%zu old uploads were forgotten", removed);
    worker->papers_round = false;
    if (rc == 0 || wf_code_action(rc) == WF_RETRY)
        return 0;
    wf_log(WF_LOG_ERROR, WF_LOG_PAPERS_EVENT, &(struct wf_log_fact){.rc = rc}, "%s", err->text);
    return 0; /* a folder of papers that cannot be read stops no dossier */
}

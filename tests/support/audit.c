/* SPDX-License-Identifier: Apache-2.0 */
#include "support/audit.h"

static const char *const steps[] = {
    "submit",           "done.invoke.register", "done.invoke.check",  "done.invoke.consult",
    "done.invoke.tell", "done.invoke.pay",      "done.invoke.archive"};

struct walk {
    struct wf_txn *txn;
    struct wf_arena *arena;
    const struct wf_rec_dossier *dossier;
    uint64_t n, events, six_steps;
    size_t taken; /* steps of this dossier; what operators do is none */
};

static int one_event(void *context, const struct wf_rec_event *event)
{
    struct walk *walk = context;
    bool six = wf_str_is(walk->dossier->procedure, SIX_STEPS);
    walk->n++;
    walk->events++;
    assert_int_equal(event->n, walk->n);
    if (!six || (event->event.len > 9 && memcmp(event->event.ptr, "operator.", 9) == 0))
        return 0;
    if (walk->taken >= WF_COUNT(steps) || !wf_str_is(event->event, steps[walk->taken++]))
        fail_msg("dossier %.*s: event %llu is %.*s", WF_STR_ARG(walk->dossier->code),
                 (unsigned long long)walk->n, WF_STR_ARG(event->event));
    return 0;
}

static int one_dossier(void *context, const struct wf_rec_dossier *dossier)
{
    struct walk *walk = context;
    struct wf_error err = {0};
    walk->dossier = dossier;
    walk->n = 0;
    walk->taken = 0;
    wf_arena_reset(walk->arena);
    assert_ok(wf_history_each(walk->txn, dossier->id, walk->arena, one_event, walk, &err), err);
    assert_int_equal(walk->n, dossier->events);
    if (!wf_str_is(dossier->procedure, SIX_STEPS))
        return 0;
    walk->six_steps++;
    if (dossier->closed == 0)
        fail_msg("dossier %.*s is stuck after event %llu", WF_STR_ARG(dossier->code),
                 (unsigned long long)dossier->events);
    assert_int_equal(walk->taken, WF_COUNT(steps));
    return 0;
}

static void find_acknowledged(struct walk *walk, const struct acknowledged *ack)
{
    struct wf_error err = {0};
    struct wf_rec_content content = {0};
    uint64_t id = 0;
    wf_arena_reset(walk->arena);
    if (wf_dossier_find(walk->txn, wf_str(ack->code), &id, &err) != 0)
        fail_msg("acknowledged and lost: %s (%s)", ack->code, ack->note);
    assert_ok(wf_content_get(walk->txn, id, walk->arena, &content, &err), err);
    assert_string_equal(wf_value_text(wf_map_get(content.fields, "note"), ""), ack->note);
}

void audit(struct host *host, const struct acknowledged *acks, size_t n)
{
    struct wf_store_options options = {.read_only = true};
    struct wf_store *store = NULL;
    struct wf_error err = {0};
    struct wf_dossier_filter every = {0};
    struct walk walk = {.arena = wf_arena_new(0)};
    struct wf_arena *dossiers = wf_arena_new(0);
    uint64_t checked = 0;
    assert_ok(wf_store_open(host->store, &options, &store, &err), err);
    assert_ok(wf_txn_begin(store, false, &walk.txn, &err), err);
    struct wf_counts counts = *wf_txn_counts(walk.txn);
    assert_ok(wf_journal_verify(walk.txn, 1, &checked, &err), err);
    assert_ok(wf_dossier_each(walk.txn, &every, dossiers, one_dossier, &walk, &err), err);
    for (size_t i = 0; i < n; i++)
        find_acknowledged(&walk, &acks[i]);
    assert_int_equal(checked, counts.journal_seq);
    assert_int_equal(walk.events + counts.cell_events, counts.journal_seq);
    assert_int_equal(walk.six_steps, n);
    for (size_t s = 0; s < WF_SERVICE_COUNT; s++)
        assert_int_equal(counts.dead[s], 0);
    wf_txn_abort(walk.txn);
    wf_store_close(store);
    wf_arena_free(dossiers);
    wf_arena_free(walk.arena);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Holds and what they have put aside, one row at a time; see check_links.c. */
#include <inttypes.h>

#include "store/check.h"

int check_holds_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_dossier d;
    struct wf_rec_hold hold;
    struct wf_key want;
    bool whole;
    int rc = check_unpack(c, WF_TABLE_HOLDS, WF_REC_hold, value, &hold, &whole);
    if (!whole)
        return rc;
    wf_hold_key(&want, &hold);
    if (want.len != key->len || memcmp(want.bytes, key->bytes, key->len) != 0 ||
        hold.id > wf_txn_counts(c->txn)->hold_id || hold.kind >= WF_HOLD_KINDS)
        check_find(c, "keys", "holds: hold %" PRIu64 " lies under a key not its own", hold.id);
    if (hold.kind == WF_HOLD_DOSSIER)
        (void)check_dossier_of(c, WF_TABLE_HOLDS, hold.dossier, &d, &rc);
    return rc;
}

/* What a row put aside is about: its dossier and, but for timers, its queue. */
static int read_held(struct check *c, const struct wf_key *key, struct wf_slice value,
                     uint64_t *out_dossier, struct wf_hold_scope *out, bool *out_whole)
{
    struct wf_rec_queue item;
    struct wf_rec_timer timer;
    struct wf_rec_task task;
    int rc = 0;
    *out_whole = false;
    *out = (struct wf_hold_scope){.service = key->bytes[WF_HELD_KIND_AT + 1]};
    switch (key->bytes[WF_HELD_KIND_AT]) {
    case WF_HELD_ITEM:
        rc = check_unpack(c, WF_TABLE_HELD, WF_REC_queue, value, &item, out_whole);
        if (!*out_whole)
            return rc;
        *out_dossier = item.dossier;
        out->activity = item.activity;
        return check_item(c, WF_TABLE_HELD, key, &item);
    case WF_HELD_TIMER:
        rc = check_unpack(c, WF_TABLE_HELD, WF_REC_timer, value, &timer, out_whole);
        *out_dossier = *out_whole ? timer.dossier : 0;
        out->service = -1;
        return rc;
    case WF_HELD_TASK:
        rc = wf_task_get(c->txn, wf_u64_load(key->bytes + key->len - 8), c->arena, &task, c->err);
        *out_whole = rc == 0;
        if (rc == WF_NONE)
            check_find(c, "links", "held: task %" PRIu64 " is missing",
                       wf_u64_load(key->bytes + key->len - 8));
        *out_dossier = rc == 0 ? task.dossier : 0;
        out->activity = rc == 0 ? task.activity : out->activity;
        return rc == WF_NONE ? 0 : check_damage(c, rc, "tasks");
    default:
        check_find(c, "keys", "held: a row of unknown kind");
        return 0;
    }
}

/* Whatever is put aside must lie under a hold that is over it, or nobody would put it back. */
int check_held_row(struct check *c, const struct wf_key *key, struct wf_slice value)
{
    struct wf_rec_hold holds[WF_HOLDS_OVER];
    struct wf_rec_dossier d;
    struct wf_hold_scope scope;
    uint64_t dossier = 0;
    bool whole;
    bool fits = false;
    size_t n = 0;
    if (!check_has_length(c, WF_TABLE_HELD, key, WF_HELD_BYTES))
        return 0;
    int rc = read_held(c, key, value, &dossier, &scope, &whole);
    if (rc != 0 || !whole || !check_dossier_of(c, WF_TABLE_HELD, dossier, &d, &rc))
        return rc;
    scope.dossier = &d;
    rc = wf_holds_over(c->txn, &scope, c->arena, holds, &n, c->err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        fits = fits || holds[i].id == wf_u64_load(key->bytes);
    if (rc == 0 && !fits)
        check_find(c, "links", "held: a row of dossier %" PRIu64 " is under no hold over it", d.id);
    return check_damage(c, rc, "holds");
}

/* Has one of the holds over the dossier put this timer aside? */
bool check_timer_is_held(struct check *c, const struct wf_rec_dossier *dossier, int64_t due,
                         uint64_t seq)
{
    const struct wf_hold_scope scope = {.dossier = dossier, .service = -1};
    struct wf_rec_hold holds[WF_HOLDS_OVER];
    struct wf_slice value;
    struct wf_key key;
    bool found = false;
    size_t n = 0;
    if (wf_holds_over(c->txn, &scope, c->arena, holds, &n, NULL) != 0)
        return false;
    for (size_t i = 0; i < n * WF_SERVICE_COUNT && !found; i++) {
        wf_held_key(&key, holds[i / WF_SERVICE_COUNT].id, WF_HELD_TIMER, i % WF_SERVICE_COUNT, due,
                    seq);
        found = wf_txn_get(c->txn, WF_TABLE_HELD, &key, &value, NULL) == 0;
    }
    return found;
}

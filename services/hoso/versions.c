/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure retire, activate: which versions new dossiers may take. Dossiers that run stay where
 * they are. Who did it and why is kept with the version, beside who installed it.
 */
#include "versions.h"

#include <inttypes.h>
#include <string.h>

/* ---- in force -------------------------------------------------------------------------------- */

struct search {
    struct hoso *h;
    struct wf_txn *txn;
    const char *code;
    char today[24]; /* YYYY-MM-DD ... in the cell's zone */
    uint64_t best;
};

static bool covers(const struct wf_procedure *p, const char *today)
{
    return (p->valid_from == NULL || strncmp(today, p->valid_from, 10) >= 0) &&
           (p->valid_until == NULL || strncmp(today, p->valid_until, 10) <= 0);
}

static int look_at(void *context, const struct wf_rec_procedure *record)
{
    struct search *s = context;
    if (!record->active || record->version <= s->best || !wf_str_is(record->code, s->code))
        return 0;
    const struct wf_procedure *p =
        hoso_known_procedure(s->h, s->txn, record->code, record->version);
    if (p != NULL && covers(p, s->today))
        s->best = record->version;
    return 0;
}

static int read_in_force(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct search *s = context;
    struct wf_clock clock = wf_store_clock(h->store);
    s->txn = txn;
    (void)wf_calendar_format(h->calendar, wf_business_ms(&clock, wf_real_ms()), s->today,
                             sizeof(s->today));
    return wf_procedure_each(txn, h->arena, look_at, s, &h->err);
}

int version_in_force(struct hoso *h, const char *code, uint64_t *out)
{
    struct search s = {.h = h, .code = code};
    int rc = hoso_read(h, read_in_force, &s);
    if (rc == 0 && s.best == 0)
        return WF_NONE;
    *out = s.best;
    return rc;
}

/* ---- retire and activate --------------------------------------------------------------------- */

/* The acts so far, and this one. */
static const struct wf_value *with_act(struct hoso *h, const struct wf_rec_procedure *record,
                                       const char *act)
{
    struct wf_value *acts = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(record->acts); i++)
        (void)wf_list_add(h->arena, acts, wf_list_at(record->acts, i));
    /* clang-format off */
    (void)wf_list_add(h->arena, acts, hoso_map(h,
        "act", wf_text(h->arena, act),
        "ms", wf_int(h->arena, wf_real_ms()),
        "by", wf_text(h->arena, hoso_operator(h)),
        "reason", wf_text(h->arena, h->opt[OPT_REASON]),
        NULL));
    /* clang-format on */
    return acts;
}

static int change(struct hoso *h, struct wf_txn *txn, uint64_t version, bool active,
                  bool *out_changed)
{
    struct wf_rec_procedure record;
    int rc = wf_procedure_get(txn, wf_str(h->args[0]), version, h->arena, &record, &h->err);
    if (rc == WF_NONE)
        return wf_fail(&h->err, WF_E_NOT_FOUND,
                       "version %" PRIu64 " of %.64s is not installed: `hoso procedure list` shows "
                       "what is",
                       version, h->args[0]);
    *out_changed = rc == 0 && record.active != active;
    if (rc != 0 || !*out_changed)
        return rc;
    record.active = active;
    record.acts = with_act(h, &record, active ? "activate" : "retire");
    if (!wf_value_is_whole(record.acts))
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    return wf_procedure_put(txn, &record, &h->err);
}

static int change_stored(struct hoso *h, uint64_t version, bool active, bool *out_changed)
{
    struct wf_txn *txn = NULL;
    int rc = hoso_store(h, true);
    if (rc == 0)
        rc = wf_txn_begin(h->store, true, &txn, &h->err);
    if (rc != 0)
        return rc;
    rc = change(h, txn, version, active, out_changed);
    if (rc == 0)
        return wf_txn_commit(txn, &h->err);
    wf_txn_abort(txn);
    return rc;
}

static void print_change(const struct hoso *h, bool active, bool changed, uint64_t in_force,
                         const struct wf_value *census)
{
    (void)printf("%s version %s: %s%s\n", h->args[0], h->args[1], changed ? "" : "was ",
                 active ? (changed ? "active again" : "active already")
                        : (changed ? "retired" : "retired already"));
    if (in_force != 0)
        (void)printf("  new dossiers take version %" PRIu64 "\n", in_force);
    else
        (void)printf("  no version is in force: new dossiers are refused\n");
    version_print_census(h, census);
}

static int set_active(struct hoso *h, bool active)
{
    struct wf_value *census = wf_list(h->arena);
    bool changed = false;
    bool done = false;
    uint64_t in_force = 0;
    uint64_t version = 0;
    if (!hoso_has(h, OPT_REASON))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "why? give --reason TEXT: it is kept with the version");
    int rc = hoso_number_arg(h, 1, "VERSION", &version);
    if (rc == 0)
        rc = change_stored(h, version, active, &changed);
    if (rc == 0)
        rc = version_in_force(h, h->args[0], &in_force);
    if (rc >= 0)
        rc = version_census(h, h->args[0], census);
    if (rc != 0)
        return rc;
    /* clang-format off */
    const struct wf_value *answer = hoso_map(h,
        "procedure", wf_text(h->arena, h->args[0]),
        "version", wf_int(h->arena, (int64_t)version),
        "active", wf_bool(active),
        "changed", wf_bool(changed),
        "in_force", in_force != 0 ? wf_int(h->arena, (int64_t)in_force) : &wf_null,
        "open", census,
        NULL);
    /* clang-format on */
    rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done)
        print_change(h, active, changed, in_force, census);
    return rc;
}

int hoso_procedure_retire(struct hoso *h)
{
    return set_active(h, false);
}

int hoso_procedure_activate(struct hoso *h)
{
    return set_active(h, true);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's own memory: compiled procedures, by code and version. They are read from the store,
 * so that every worker of a cell has the same ones, and read again when the store's generation
 * moves. A version that does not compile here (a worker older than its definition, a template that
 * is gone) is left out, and said to be: what falls due for its dossiers fails and becomes dead
 * letters, which an operator puts back when the worker or its files are mended. The others go on.
 */
#include "life.h"

#include <stdlib.h>
#include <string.h>

int out_of_memory(struct wf_error *err)
{
    return wf_fail(err, WF_E_NOMEM, "out of memory");
}

void turn_say(struct wf_turn *turn, const struct wf_said *said)
{
    struct wf_said *copy = wf_arena_alloc(turn->arena, sizeof(*copy));
    if (copy == NULL)
        return;
    *copy = *said;
    copy->next = NULL;
    if (turn->said == NULL)
        turn->said = copy;
    else
        turn->said_last->next = copy;
    turn->said_last = copy;
}

int wf_engine_open(const struct wf_engine_options *options, struct wf_engine **out,
                   struct wf_error *err)
{
    struct wf_engine *engine = wf_alloc(sizeof(*engine));
    if (engine == NULL)
        return out_of_memory(err);
    engine->options = *options;
    engine->random = options->seed | 1;
    *out = engine;
    return 0;
}

static void free_procedures(struct loaded *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!list[i].is_shared)
            wf_procedure_free(list[i].procedure);
    }
    wf_free(list);
}

void wf_engine_close(struct wf_engine *engine)
{
    if (engine == NULL)
        return;
    free_procedures(engine->procedures, engine->n_procedures);
    wf_free(engine);
}

bool wf_engine_is_current(const struct wf_engine *engine, struct wf_txn *txn)
{
    return engine->is_loaded && engine->generation == wf_txn_counts(txn)->procedures;
}

/* ---- loading --------------------------------------------------------------------------------- */

struct stored {
    struct wf_rec_procedure record;
    struct stored *next;
};

struct collect {
    struct wf_arena *arena;
    struct stored *first;
    size_t n;
};

static int collect_one(void *context, const struct wf_rec_procedure *record)
{
    struct collect *all = context;
    struct stored *stored = wf_arena_alloc(all->arena, sizeof(*stored));
    if (stored == NULL)
        return WF_E_NOMEM;
    stored->record = *record;
    stored->next = all->first;
    all->first = stored;
    all->n++;
    return 0;
}

/* The entry of the old list whose version this is already, compiled from the same text. */
static struct loaded *find_known(struct wf_engine *engine, const struct wf_rec_procedure *r)
{
    for (size_t i = 0; i < engine->n_procedures; i++) {
        const struct wf_procedure *p = engine->procedures[i].procedure;
        if ((uint64_t)p->version == r->version && wf_str_is(r->code, p->code) &&
            p->source.len == r->source.len &&
            memcmp(p->source.ptr, r->source.ptr, r->source.len) == 0)
            return &engine->procedures[i];
    }
    return NULL;
}

/* Start of the day YYYY-MM-DD (the definition's check has seen to the form), in the calendar's zone;
 * days_later 1 = the start of the next one. */
static int64_t day_start(const struct wf_calendar *calendar, const char *date, int days_later)
{
    char *end = NULL;
    struct wf_civil civil = {.year = (int)strtol(date, &end, 10)};
    civil.month = *end == '-' ? (int)strtol(end + 1, &end, 10) : 0;
    civil.day = *end == '-' ? (int)strtol(end + 1, &end, 10) : 0;
    if (civil.month == 0 || civil.day == 0)
        return 0;
    return wf_civil_to_ms(calendar, &civil) + days_later * INT64_C(86400000);
}

void wf_procedure_span(const struct wf_procedure *p, const struct wf_calendar *calendar,
                       int64_t *out_from_ms, int64_t *out_until_ms)
{
    *out_from_ms = p->valid_from != NULL ? day_start(calendar, p->valid_from, 0) : INT64_MIN;
    *out_until_ms = p->valid_until != NULL ? day_start(calendar, p->valid_until, 1) : INT64_MAX;
}

static void set_validity(const struct wf_engine *engine, struct loaded *l)
{
    wf_procedure_span(l->procedure, engine->options.calendar, &l->from_ms, &l->until_ms);
}

static int load_one(struct wf_engine *engine, const struct wf_rec_procedure *record,
                    struct loaded *out, struct wf_error *err)
{
    const struct loaded *known = find_known(engine, record);
    *out = (struct loaded){.is_active = record->active, .is_shared = known != NULL};
    if (known != NULL) {
        out->procedure = known->procedure;
        return 0;
    }
    struct wf_report report = {.is_installed = true};
    char name[128];
    (void)wf_str_copy(record->file, name, sizeof(name));
    int rc = wf_procedure_parse(name, (const char *)record->source.ptr, record->source.len,
                                engine->options.catalogue, &report, &out->procedure, err);
    wf_report_fini(&report);
    if (rc == WF_E_NOMEM)
        return rc;
    if (rc < 0 && engine->options.left_out != NULL)
        engine->options.left_out(engine->options.context, record, err->text);
    return 0;
}

/* What both lists have belongs to the new one from now on. */
static void hand_over(struct wf_engine *engine, struct loaded *fresh)
{
    for (size_t i = 0; fresh->is_shared && i < engine->n_procedures; i++) {
        if (engine->procedures[i].procedure == fresh->procedure)
            engine->procedures[i].is_shared = true;
    }
    fresh->is_shared = false;
}

static int replace_all(struct wf_engine *engine, const struct collect *all, struct wf_error *err)
{
    struct loaded *fresh = wf_alloc((all->n + 1) * sizeof(*fresh));
    if (fresh == NULL)
        return out_of_memory(err);
    size_t n = 0;
    int rc = 0;
    for (const struct stored *s = all->first; s != NULL && rc == 0; s = s->next) {
        rc = load_one(engine, &s->record, &fresh[n], err);
        if (rc != 0 || fresh[n].procedure == NULL)
            continue;
        set_validity(engine, &fresh[n]);
        n++;
    }
    if (rc != 0) { /* the old list stays, and owns what both have */
        free_procedures(fresh, n);
        return rc;
    }
    for (size_t i = 0; i < n; i++)
        hand_over(engine, &fresh[i]);
    free_procedures(engine->procedures, engine->n_procedures);
    engine->procedures = fresh;
    engine->n_procedures = n;
    return 0;
}

int wf_engine_refresh(struct wf_engine *engine, struct wf_store *store, bool *out_changed,
                      struct wf_error *err)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_txn *txn = NULL;
    struct collect all = {.arena = arena};
    int rc = arena == NULL ? out_of_memory(err) : wf_txn_begin(store, false, &txn, err);
    if (rc != 0)
        goto out;
    uint64_t generation = wf_txn_counts(txn)->procedures;
    bool changed = !wf_engine_is_current(engine, txn);
    if (changed)
        rc = wf_procedure_each(txn, arena, collect_one, &all, err);
    wf_txn_abort(txn);
    if (rc == 0 && changed)
        rc = replace_all(engine, &all, err);
    if (rc == 0) {
        engine->generation = generation;
        engine->is_loaded = true;
        if (out_changed != NULL)
            *out_changed = changed;
    }
out:
    wf_arena_free(arena);
    return rc;
}

/* ---- looking up -------------------------------------------------------------------------------
 */

const struct wf_procedure *engine_procedure(const struct wf_engine *engine, struct wf_str code,
                                            uint64_t version)
{
    for (size_t i = 0; i < engine->n_procedures; i++) {
        const struct wf_procedure *p = engine->procedures[i].procedure;
        if ((uint64_t)p->version == version && wf_str_is(code, p->code))
            return p;
    }
    return NULL;
}

const struct wf_procedure *engine_current(const struct wf_engine *engine, struct wf_str code,
                                          int64_t now_ms)
{
    const struct wf_procedure *best = NULL;
    for (size_t i = 0; i < engine->n_procedures; i++) {
        const struct loaded *l = &engine->procedures[i];
        bool in_force = l->is_active && now_ms >= l->from_ms && now_ms < l->until_ms;
        bool is_newer = best == NULL || l->procedure->version > best->version;
        if (in_force && is_newer && wf_str_is(code, l->procedure->code))
            best = l->procedure;
    }
    return best;
}

const struct wf_activity *engine_activity(const struct wf_engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->options.n_activities; i++) {
        if (strcmp(engine->options.activities[i].info.name, name) == 0)
            return &engine->options.activities[i];
    }
    return NULL;
}

/* xorshift: jitter needs to differ between workers, not to be unguessable. */
static uint64_t next_random(struct wf_engine *engine)
{
    uint64_t x = engine->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    engine->random = x;
    return x;
}

int64_t engine_backoff(struct wf_engine *engine, int64_t base_ms, uint64_t attempts)
{
    int64_t delay = base_ms > 0 ? base_ms : 1000;
    for (uint64_t i = 1; i < attempts && delay < 3600000; i++)
        delay *= 2;
    delay = delay > 3600000 ? 3600000 : delay;
    return delay / 2 + (int64_t)(next_random(engine) % (uint64_t)(delay / 2 + 1));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure migrate: open dossiers of one version move to another, in transactions of a few
 * hundred. Which ones is read first; each is looked at again in the transaction that moves it, so
 * that the cell may go on meanwhile, and a command that broke off is simply given again.
 *
 * A dossier that cannot move is refused before anything of it is written. Should a step of the new
 * chart fail all the same, the batch is undone and goes again without that dossier.
 */
#include "versions.h"

#include <inttypes.h>
#include <string.h>

#define BATCH_DEFAULT 200
#define BATCH_MOST    5000

/* Dossiers of one place that go the same way. */
struct group {
    const char *place;
    const char *why; /* NULL = they move */
    int64_t n;
    struct group *next;
};

enum fate { FATE_UNKNOWN, FATE_MOVES, FATE_STAYS, FATE_GONE };

struct result {
    enum fate fate;
    const char *place, *why; /* in the batch's arena */
};

struct migration {
    struct hoso *h;
    struct wf_engine *engine;
    struct wf_migration order;
    uint64_t from;
    int64_t batch;
    struct wf_buf ids;           /* uint64_t each */
    struct wf_arena *arena;      /* of one batch */
    struct wf_arena *scratch;    /* of one dossier */
    struct result *results;      /* of one batch */
    struct group *groups, **end; /* in order of appearance */
    int64_t moved, stayed, gone;
};

static int no_memory(struct hoso *h)
{
    return wf_fail(&h->err, WF_E_NOMEM, "migrate: out of memory");
}

/* ---- the order ------------------------------------------------------------------------------- */

static int check_state(struct hoso *h, const struct wf_procedure *p, struct wf_str name)
{
    char id[128];
    if (name.len > 0 && wf_str_copy(name, id, sizeof(id)) && wf_chart_find(p->chart, id) >= 0)
        return 0;
    return wf_fail(&h->err, WF_E_CONFIG, "--map: version %" PRId64 " has no state \"%.*s\"",
                   p->version, WF_STR_ARG(name));
}

/* One "old=new". */
static int add_pair(struct migration *m, const struct wf_procedure *from,
                    const struct wf_procedure *to, struct wf_str pair, struct wf_value *map)
{
    struct hoso *h = m->h;
    const char *equals = memchr(pair.ptr, '=', pair.len);
    if (equals == NULL)
        return wf_fail(&h->err, WF_E_CONFIG, "--map: OLD=NEW is wanted, not \"%.*s\"",
                       WF_STR_ARG(pair));
    struct wf_str old = {pair.ptr, (size_t)(equals - pair.ptr)};
    struct wf_str new = {equals + 1, pair.len - old.len - 1};
    int rc = check_state(h, from, old);
    if (rc == 0)
        rc = check_state(h, to, new);
    if (rc == 0 && wf_map_get_str(map, old) != NULL)
        rc = wf_fail(&h->err, WF_E_CONFIG, "--map: state %.*s is named twice", WF_STR_ARG(old));
    if (rc == 0 && !wf_map_put_str(h->arena, map, old, hoso_str(h, new)))
        rc = no_memory(h);
    return rc;
}

static int read_map(struct migration *m, const struct wf_procedure *from,
                    const struct wf_procedure *to)
{
    struct hoso *h = m->h;
    struct wf_value *map = wf_map(h->arena);
    const char *at = hoso_has(h, OPT_MAP) ? h->opt[OPT_MAP] : NULL;
    int rc = map == NULL ? no_memory(h) : 0;
    while (rc == 0 && at != NULL) {
        const char *comma = strchr(at, ',');
        size_t length = comma != NULL ? (size_t)(comma - at) : strlen(at);
        rc = add_pair(m, from, to, (struct wf_str){at, length}, map);
        at = comma != NULL ? comma + 1 : NULL;
    }
    m->order.states = map;
    return rc;
}

static int find_version(struct hoso *h, struct wf_txn *txn, uint64_t version, bool must_be_active,
                        const struct wf_procedure **out)
{
    struct wf_rec_procedure record;
    int rc = wf_procedure_get(txn, wf_str(h->args[0]), version, h->arena, &record, &h->err);
    if (rc == WF_NONE)
        return wf_fail(&h->err, WF_E_NOT_FOUND, "version %" PRIu64 " of %.64s is not installed",
                       version, h->args[0]);
    if (rc != 0)
        return rc;
    if (must_be_active && !record.active)
        return wf_fail(&h->err, WF_E_STATE,
                       "version %" PRIu64 " is retired: `hoso procedure activate` comes first",
                       version);
    *out = hoso_known_procedure(h, txn, record.code, version);
    return *out != NULL ? 0
                        : wf_fail(&h->err, WF_E_CONFIG, "version %" PRIu64 " does not compile here",
                                  version);
}

static int read_order(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct migration *m = context;
    const struct wf_procedure *from = NULL;
    const struct wf_procedure *to = NULL;
    int rc = find_version(h, txn, m->from, false, &from);
    if (rc == 0)
        rc = find_version(h, txn, m->order.to, true, &to);
    return rc == 0 && from != NULL && to != NULL ? read_map(m, from, to) : rc;
}

static int take_arguments(struct migration *m)
{
    struct hoso *h = m->h;
    m->order.dry_run = hoso_has(h, OPT_DRY_RUN);
    m->order.by = hoso_operator(h);
    m->order.reason = hoso_has(h, OPT_REASON) ? h->opt[OPT_REASON] : "";
    int rc = hoso_number_arg(h, 1, "FROM", &m->from);
    if (rc == 0)
        rc = hoso_number_arg(h, 2, "TO", &m->order.to);
    if (rc == 0)
        rc = hoso_number(h, OPT_BATCH, BATCH_DEFAULT, BATCH_MOST, &m->batch);
    if (rc != 0)
        return rc;
    if (m->from == m->order.to)
        return wf_fail(&h->err, WF_E_CONFIG, "FROM and TO are the same version");
    if (m->batch < 1)
        return wf_fail(&h->err, WF_E_CONFIG, "--batch: 1 to %d", BATCH_MOST);
    if (!m->order.dry_run && m->order.reason[0] == '\0')
        return wf_fail(&h->err, WF_E_CONFIG,
                       "why? give --reason TEXT: it goes into each dossier's history");
    return 0;
}

static int keep_id(void *context, const struct wf_rec_dossier *dossier, const char *place)
{
    struct migration *m = context;
    (void)place;
    if (dossier->version == m->from)
        wf_buf_add(&m->ids, &dossier->id, sizeof(dossier->id));
    return m->ids.failed ? no_memory(m->h) : 0;
}

/* ---- one batch ------------------------------------------------------------------------------- */

static uint64_t id_at(const struct migration *m, size_t i)
{
    uint64_t id = 0;
    memcpy(&id, m->ids.ptr + i * sizeof(id), sizeof(id));
    return id;
}

static int begin(struct migration *m, struct wf_turn *turn)
{
    struct hoso *h = m->h;
    for (;;) {
        struct wf_txn *txn = NULL;
        int rc = wf_txn_begin(h->store, !m->order.dry_run, &txn, &h->err);
        if (rc != 0)
            return rc;
        if (wf_engine_is_current(m->engine, txn)) {
            struct wf_clock clock = wf_store_clock(h->store);
            int64_t real = wf_real_ms();
            *turn = (struct wf_turn){.engine = m->engine,
                                     .txn = txn,
                                     .now_ms = wf_business_ms(&clock, real),
                                     .real_ms = real,
                                     .quiet = true};
            return 0;
        }
        wf_txn_abort(txn);
        rc = wf_engine_refresh(m->engine, h->store, NULL, &h->err);
        if (rc != 0)
            return rc;
    }
}

/* Refusals concern one dossier; all else (no room, no memory, damage) ends the command. */
static bool is_refusal(int rc)
{
    return rc < 0 && rc != WF_E_FULL && wf_code_action(rc) == WF_REFUSE;
}

static const char *why_text(struct migration *m, int rc)
{
    const struct wf_error *err = &m->h->err;
    return rc == WF_E_INVALID && err->field[0] != '\0'
               ? wf_arena_printf(m->arena, "%s: %s", err->field, err->text)
               : wf_arena_strdup(m->arena, err->text);
}

static int move_one(struct migration *m, struct wf_turn *turn, uint64_t id, struct result *result)
{
    struct hoso *h = m->h;
    struct wf_rec_dossier dossier;
    wf_arena_reset(m->scratch);
    turn->arena = m->scratch;
    int rc = wf_dossier_get(turn->txn, id, m->scratch, &dossier, &h->err);
    if (rc < 0)
        return rc;
    if (rc == WF_NONE || dossier.closed != 0 || dossier.version != m->from) {
        result->fate = FATE_GONE; /* it went on since we looked */
        return 0;
    }
    result->place = version_place(h, turn->txn, &dossier, m->arena);
    rc = wf_engine_migrate(turn, id, &m->order, &h->err);
    result->fate = rc == 0 ? FATE_MOVES : FATE_STAYS;
    result->why = rc == 0 ? NULL : why_text(m, rc);
    if (result->place == NULL || (rc != 0 && result->why == NULL))
        return no_memory(h);
    return rc;
}

/* WF_NONE: one of them failed after a write; all is undone, and it is marked as staying. */
static int try_batch(struct migration *m, size_t first, size_t n)
{
    struct wf_turn turn;
    int rc = begin(m, &turn);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        struct result *result = &m->results[i];
        if (result->fate == FATE_STAYS)
            continue; /* known from an earlier try */
        uint64_t before = wf_txn_writes(turn.txn);
        rc = move_one(m, &turn, id_at(m, first + i), result);
        bool is_spoilt = wf_txn_writes(turn.txn) != before;
        if (rc == 0 || (is_refusal(rc) && !is_spoilt))
            continue;
        wf_txn_abort(turn.txn);
        return is_refusal(rc) ? WF_NONE
                              : wf_wrap(&m->h->err, "dossier #%" PRIu64, id_at(m, first + i));
    }
    if (!m->order.dry_run)
        return wf_txn_commit(turn.txn, &m->h->err);
    wf_txn_abort(turn.txn);
    return 0;
}

static int add_to_group(struct migration *m, const struct result *result)
{
    struct group *g = m->groups;
    while (g != NULL &&
           (strcmp(g->place, result->place) != 0 ||
            strcmp(g->why != NULL ? g->why : "", result->why != NULL ? result->why : "") != 0))
        g = g->next;
    if (g == NULL) {
        g = wf_arena_alloc(m->h->arena, sizeof(*g));
        if (g == NULL)
            return no_memory(m->h);
        g->place = wf_arena_strdup(m->h->arena, result->place);
        g->why = result->why != NULL ? wf_arena_strdup(m->h->arena, result->why) : NULL;
        if (g->place == NULL || (result->why != NULL && g->why == NULL))
            return no_memory(m->h);
        *m->end = g;
        m->end = &g->next;
    }
    g->n++;
    return 0;
}

/* What has happened is counted only when it is on disk. */
static int count_batch(struct migration *m, size_t n)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct result *result = &m->results[i];
        m->moved += result->fate == FATE_MOVES;
        m->stayed += result->fate == FATE_STAYS;
        m->gone += result->fate == FATE_GONE;
        if (result->fate != FATE_GONE)
            rc = add_to_group(m, result);
    }
    return rc;
}

static int move_all(struct migration *m)
{
    size_t all = m->ids.len / sizeof(uint64_t);
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < all;) {
        size_t n = all - at < (size_t)m->batch ? all - at : (size_t)m->batch;
        memset(m->results, 0, (size_t)m->batch * sizeof(*m->results));
        do {
            rc = try_batch(m, at, n);
        } while (rc == WF_NONE);
        if (rc == 0)
            rc = count_batch(m, n);
        wf_arena_reset(m->arena);
        at += n;
    }
    return rc;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static const struct hoso_column columns[] = {
    {"state", "State", "Bước", HOSO_TEXT},
    {"moves", "Move", "Chuyển", HOSO_NUMBER},
    {"stays", "Stay", "Ở lại", HOSO_NUMBER},
    {"why", "Why", "Lý do", HOSO_TEXT},
};

static const struct wf_value *rows_of(const struct migration *m)
{
    struct hoso *h = m->h;
    struct wf_value *rows = wf_list(h->arena);
    for (const struct group *g = m->groups; g != NULL; g = g->next) {
        /* clang-format off */
        (void)wf_list_add(h->arena, rows, hoso_map(h,
            "state", wf_text(h->arena, g->place),
            "moves", wf_int(h->arena, g->why == NULL ? g->n : 0),
            "stays", wf_int(h->arena, g->why != NULL ? g->n : 0),
            "why", wf_text(h->arena, g->why != NULL ? g->why : ""),
            NULL));
        /* clang-format on */
    }
    return rows;
}

static int tell(const struct migration *m)
{
    struct hoso *h = m->h;
    const struct wf_value *rows = rows_of(m);
    bool done = false;
    /* clang-format off */
    const struct wf_value *answer = hoso_map(h,
        "procedure", wf_text(h->arena, h->args[0]),
        "from", wf_int(h->arena, (int64_t)m->from),
        "to", wf_int(h->arena, (int64_t)m->order.to),
        "dry_run", wf_bool(m->order.dry_run),
        "moved", wf_int(h->arena, m->moved),
        "stayed", wf_int(h->arena, m->stayed),
        "states", rows,
        NULL);
    /* clang-format on */
    int rc = hoso_answer(h, answer, &done);
    if (rc != 0 || done)
        return rc;
    rc = m->groups != NULL ? hoso_print_table(h, columns, WF_COUNT(columns), rows) : 0;
    if (m->order.dry_run)
        (void)printf("%" PRId64 " would move from version %" PRIu64 " to %" PRIu64 ", %" PRId64
                     " would stay; nothing was changed\n",
                     m->moved, m->from, m->order.to, m->stayed);
    else
        (void)printf("%" PRId64 " moved from version %" PRIu64 " to %" PRIu64 ", %" PRId64
                     " stay\n",
                     m->moved, m->from, m->order.to, m->stayed);
    return rc;
}

static int carry_out(struct migration *m)
{
    struct hoso *h = m->h;
    int rc = hoso_engine(h, &m->engine);
    if (rc == 0)
        rc = hoso_read(h, read_order, m);
    if (rc == 0)
        rc = version_each_open(h, h->args[0], keep_id, m);
    if (rc == 0)
        rc = move_all(m);
    if (rc != 0 && m->moved > 0)
        (void)fprintf(stderr, "hoso: %" PRId64 " had moved before; give the command again\n",
                      m->moved);
    return rc == 0 ? tell(m) : rc;
}

int hoso_procedure_migrate(struct hoso *h)
{
    struct migration m = {.h = h};
    m.end = &m.groups;
    int rc = take_arguments(&m);
    if (rc != 0)
        return rc;
    m.arena = wf_arena_new(0);
    m.scratch = wf_arena_new(0);
    m.results = wf_arena_alloc(h->arena, (size_t)m.batch * sizeof(*m.results));
    rc = m.arena == NULL || m.scratch == NULL || m.results == NULL ? no_memory(h) : carry_out(&m);
    wf_engine_close(m.engine);
    wf_buf_fini(&m.ids);
    wf_arena_free(m.arena);
    wf_arena_free(m.scratch);
    if (rc == 0 && m.stayed > 0) {
        h->err.code = WF_E_STATE; /* told in the answer */
        return HOSO_FAILED;
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/store.h"

#include <inttypes.h>

static const char *const steps[] = {
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE ranges (first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
    " next INTEGER NOT NULL, series TEXT NOT NULL);"
    "CREATE TABLE handoffs (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL,"
    " type INTEGER NOT NULL, frame BLOB, dossier TEXT NOT NULL, code TEXT NOT NULL,"
    " procedure TEXT NOT NULL, site TEXT NOT NULL, channel TEXT NOT NULL, version INTEGER NOT NULL,"
    " received INTEGER NOT NULL, due INTEGER NOT NULL, at INTEGER NOT NULL, state INTEGER NOT NULL,"
    " settled INTEGER NOT NULL, answer BLOB, note TEXT);"
    "CREATE INDEX handoffs_state ON handoffs (state, seq);"
    "CREATE INDEX handoffs_dossier ON handoffs (dossier);"
    "CREATE INDEX handoffs_code ON handoffs (code) WHERE code != ''",
};

int store_open(const char *path, struct db **out, struct wf_error *err)
{
    return db_open(path, steps, WF_COUNT(steps), out, err);
}

int store_look(const char *path, struct db **out, struct wf_error *err)
{
    return db_look(path, WF_COUNT(steps), out, err);
}

/* ---- facts ----------------------------------------------------------------------------------- */

int store_fact(struct db *db, const char *name, int64_t *out, struct wf_error *err)
{
    int64_t value = 0;
    int rc = db_number(db, err, &value, "SELECT value FROM facts WHERE name = ?1", "t", name);
    if (rc >= 0)
        *out = rc == 0 ? value : 0;
    return rc < 0 ? rc : 0;
}

int store_set_fact(struct db *db, const char *name, int64_t value, struct wf_error *err)
{
    return db_do(db, err, "INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2)", "ti", name,
                 value);
}

int store_fact_text(struct db *db, const char *name, struct wf_arena *arena, struct wf_str *out,
                    struct wf_error *err)
{
    struct db_rows *rows = NULL;
    const char *copy = "";
    int rc =
        db_select(db, err, &rows, "SELECT value FROM facts WHERE name = ?1 -- text", "t", name);
    if (rc == 0)
        rc = db_next(rows, err);
    if (rc == 0) {
        struct wf_str text = db_str(rows, 0);
        copy = wf_arena_strndup(arena, text.ptr, text.len);
    }
    db_done(rows);
    if (copy == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (rc >= 0)
        *out = wf_str(copy);
    return rc < 0 ? rc : 0;
}

int store_set_fact_text(struct db *db, const char *name, const char *text, struct wf_error *err)
{
    return db_do(db, err, "INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2) -- text",
                 "tt", name, text);
}

/* ---- numbers --------------------------------------------------------------------------------- */

int store_add_range(struct db *db, struct wf_str series, int64_t first, int64_t last,
                    struct wf_error *err)
{
    return db_do(db, err, "INSERT INTO ranges (first, last, next, series) VALUES (?1, ?2, ?1, ?3)",
                 "iis", first, last, series);
}

int store_known(struct db *db, int64_t *out_handed, int64_t *out_number, struct wf_error *err)
{
    int64_t seq = 0;
    int64_t waits = 0;
    int rc = store_fact(db, "seq", &seq, err);
    if (rc == 0)
        rc = db_number(db, err, &waits,
                       "SELECT coalesce(min(seq), 0) FROM handoffs WHERE state = 0", "");
    if (rc == 0)
        rc = db_number(db, err, out_number, "SELECT coalesce(max(last), 0) FROM ranges", "");
    if (rc == 0)
        *out_handed = waits > 0 ? waits - 1 : seq;
    return rc;
}

int store_take_code(struct db *db, struct wf_arena *arena, struct wf_str *out, struct wf_error *err)
{
    struct db_rows *rows = NULL;
    const char *code = NULL;
    int64_t next = 0;
    int rc =
        db_select(db, err, &rows,
                  "SELECT next, series FROM ranges WHERE next <= last ORDER BY first LIMIT 1", "");
    if (rc == 0)
        rc = db_next(rows, err);
    if (rc == 0) {
        next = db_int(rows, 0);
        code = wf_arena_printf(arena, "%.*s-%06" PRId64, WF_STR_ARG(db_str(rows, 1)), next);
    }
    db_done(rows);
    if (rc != 0)
        return rc;
    if (code == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    rc = db_do(db, err, "UPDATE ranges SET next = next + 1 WHERE next = ?1", "i", next);
    if (rc == 0)
        *out = wf_str(code);
    return rc;
}

/* ---- hand-offs ------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "SELECT seq, id, digest, type, frame, dossier, code, procedure, site, channel, version,"       \
    " received, at, state, settled, answer, note, due FROM handoffs "

static bool copy_str(struct db_rows *rows, int column, struct wf_arena *arena, struct wf_str *out)
{
    struct wf_str text = db_str(rows, column);
    const char *copy = wf_arena_strndup(arena, text.ptr, text.len);
    *out = (struct wf_str){copy, text.len};
    return copy != NULL;
}

static bool copy_bytes(struct db_rows *rows, int column, struct wf_arena *arena,
                       struct wf_slice *out)
{
    struct wf_slice bytes = db_bytes(rows, column);
    const char *copy = wf_arena_strndup(arena, (const char *)bytes.ptr, bytes.len);
    *out = (struct wf_slice){(const uint8_t *)copy, bytes.len};
    return copy != NULL;
}

static int read_row(struct db_rows *rows, struct wf_arena *arena, struct handoff *out,
                    struct wf_error *err)
{
    struct handoff h = {.seq = db_int(rows, 0),
                        .type = db_int(rows, 3),
                        .version = db_int(rows, 10),
                        .received = db_int(rows, 11),
                        .at = db_int(rows, 12),
                        .state = db_int(rows, 13),
                        .settled = db_int(rows, 14),
                        .due = db_int(rows, 17)};
    bool whole = copy_str(rows, 1, arena, &h.id) && copy_bytes(rows, 2, arena, &h.digest) &&
                 copy_bytes(rows, 4, arena, &h.frame) && copy_str(rows, 5, arena, &h.dossier) &&
                 copy_str(rows, 6, arena, &h.code) && copy_str(rows, 7, arena, &h.procedure) &&
                 copy_str(rows, 8, arena, &h.site) && copy_str(rows, 9, arena, &h.channel) &&
                 copy_bytes(rows, 15, arena, &h.answer) && copy_str(rows, 16, arena, &h.note);
    if (!whole)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    *out = h;
    return 0;
}

/* The one row of a select that was begun with rc. */
static int only_row(int rc, struct db_rows *rows, struct wf_arena *arena, struct handoff *out,
                    struct wf_error *err)
{
    if (rc == 0)
        rc = db_next(rows, err);
    if (rc == 0)
        rc = read_row(rows, arena, out, err);
    db_done(rows);
    return rc;
}

int store_by_seq(struct db *db, int64_t seq, struct wf_arena *arena, struct handoff *out,
                 struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, err, &rows, COLUMNS "WHERE seq = ?1", "i", seq);
    return only_row(rc, rows, arena, out, err);
}

int store_by_id(struct db *db, struct wf_str id, struct wf_arena *arena, struct handoff *out,
                struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, err, &rows, COLUMNS "WHERE id = ?1", "s", id);
    return only_row(rc, rows, arena, out, err);
}

int store_by_code(struct db *db, struct wf_str code, struct wf_arena *arena, struct handoff *out,
                  struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, err, &rows,
                       COLUMNS "WHERE type = 1 AND (dossier = ?1 OR (code = ?1 AND code != ''))",
                       "s", code);
    return only_row(rc, rows, arena, out, err);
}

int store_next(struct db *db, int64_t after, struct wf_arena *arena, struct handoff *out,
               struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, err, &rows, COLUMNS "WHERE state = 0 AND seq > ?1 ORDER BY seq LIMIT 1",
                       "i", after);
    return only_row(rc, rows, arena, out, err);
}

int store_each(struct db *db, enum handoff_state state, int64_t after, struct wf_arena *arena,
               int (*fn)(void *context, const struct handoff *h), void *context,
               struct wf_error *err)
{
    struct db_rows *rows = NULL;
    struct handoff h;
    int rc = db_select(db, err, &rows, COLUMNS "WHERE state = ?1 AND seq > ?2 ORDER BY seq", "ii",
                       (int64_t)state, after);
    while (rc == 0) {
        rc = db_next(rows, err);
        if (rc == 0)
            rc = read_row(rows, arena, &h, err);
        if (rc == 0)
            rc = fn(context, &h);
    }
    db_done(rows);
    return rc == WF_NONE ? 0 : rc;
}

int store_add(struct db *db, const struct handoff *h, struct wf_error *err)
{
    return db_do(db, err,
                 "INSERT INTO handoffs (seq, id, digest, type, frame, dossier, code, procedure,"
                 " site, channel, version, received, at, due, state, settled)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0)",
                 "isbibsssssiiii", h->seq, h->id, h->digest, h->type, h->frame, h->dossier, h->code,
                 h->procedure, h->site, h->channel, h->version, h->received, h->at, h->due);
}

int store_settle(struct db *db, int64_t seq, enum handoff_state state, struct wf_str code,
                 struct wf_slice answer, int64_t now_ms, struct wf_error *err)
{
    return db_do(db, err,
                 "UPDATE handoffs SET state = ?2, code = ?3, answer = ?4, settled = ?5,"
                 " frame = CASE WHEN ?2 = 1 THEN NULL ELSE frame END WHERE seq = ?1",
                 "iisbi", seq, (int64_t)state, code, answer, now_ms);
}

int store_seen(struct db *db, int64_t seq, const char *note, struct wf_error *err)
{
    int rc = db_do(db, err,
                   "UPDATE handoffs SET state = 3, note = ?2, frame = NULL"
                   " WHERE seq = ?1 AND state = 2",
                   "it", seq, note);
    return rc != 0 ? rc : db_changes(db) > 0 ? 0 : WF_NONE;
}

int store_prune(struct db *db, int64_t before_ms, struct wf_error *err)
{
    return db_do(db, err, "DELETE FROM handoffs WHERE state IN (1, 3) AND settled < ?1", "i",
                 before_ms);
}

/* ---- figures --------------------------------------------------------------------------------- */

int store_figures(struct db *db, struct store_figures *out, struct wf_error *err)
{
    struct store_figures f = {0};
    int rc = db_number(db, err, &f.waiting, "SELECT count(*) FROM handoffs WHERE state = 0", "");
    if (rc == 0)
        rc = db_number(db, err, &f.taken, "SELECT count(*) FROM handoffs WHERE state = 1", "");
    if (rc == 0)
        rc = db_number(db, err, &f.refused, "SELECT count(*) FROM handoffs WHERE state = 2", "");
    if (rc == 0)
        rc = db_number(db, err, &f.oldest,
                       "SELECT coalesce(min(at), 0) FROM handoffs WHERE state = 0", "");
    if (rc == 0)
        rc = db_number(db, err, &f.numbers, "SELECT coalesce(sum(last - next + 1), 0) FROM ranges",
                       "");
    if (rc == 0)
        *out = f;
    return rc;
}

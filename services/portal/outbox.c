/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CELL/portal.db. A row of the outbox lives through: waits (0), done (1) or held (2). Its number
 * rises, so the order in which rows came is that of the journal, and a dossier's next record is its
 * lowest one that is not done.
 */
#include <stdio.h>
#include <string.h>

#include "portal/portal.h"

static const char *const steps[] = {
    "CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);"
    "CREATE TABLE dossiers (code TEXT PRIMARY KEY, procedure TEXT NOT NULL, received INTEGER NOT "
    "NULL,"
    " status INTEGER NOT NULL, due INTEGER NOT NULL, states TEXT NOT NULL, accepted INTEGER NOT "
    "NULL,"
    " finished INTEGER NOT NULL, returned INTEGER NOT NULL, refused INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL,"
    " n INTEGER NOT NULL, part INTEGER NOT NULL, service INTEGER NOT NULL, status INTEGER NOT NULL,"
    " ms INTEGER NOT NULL, note TEXT NOT NULL, body TEXT, state INTEGER NOT NULL DEFAULT 0,"
    " alone INTEGER NOT NULL DEFAULT 0, stale INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0, reason TEXT, settled INTEGER, UNIQUE (code, n, part));"
    "CREATE INDEX waiting ON outbox (id) WHERE state = 0;"
    "CREATE INDEX open ON outbox (code, id) WHERE state <> 1;"
    "CREATE INDEX stale ON outbox (id) WHERE stale = 1;"
    "CREATE INDEX settled ON outbox (settled) WHERE state = 1",
    "ALTER TABLE position ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE position ADD COLUMN hash TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE sides (name TEXT PRIMARY KEY, since INTEGER NOT NULL, code INTEGER NOT NULL,"
    " reason TEXT NOT NULL) WITHOUT ROWID"};

int outbox_open(const char *path, struct db **out, struct wf_error *err)
{
    return db_open(path, steps, WF_COUNT(steps), out, err);
}

int outbox_look(const char *path, struct db **out, struct wf_error *err)
{
    return db_look(path, WF_COUNT(steps), out, err);
}

/* ---- the two sides --------------------------------------------------------------------------- */

int outbox_side_works(struct db *db, const char *name, struct wf_error *err)
{
    return db_do(db, err, "DELETE FROM sides WHERE name = ?1", "t", name);
}

/* The moment stays while only the reason changes. */
int outbox_side_fails(struct db *db, const char *name, const struct wf_error *why, int64_t now_ms,
                      struct wf_error *err)
{
    return db_do(db, err,
                 "INSERT INTO sides (name, since, code, reason) VALUES (?1, ?2, ?3, ?4)"
                 " ON CONFLICT (name) DO UPDATE SET code = excluded.code, reason = excluded.reason",
                 "tiit", name, now_ms, (int64_t)why->code, why->text);
}

/* ---- what was read --------------------------------------------------------------------------- */

int outbox_position(struct db *db, int64_t *out, struct wf_error *err)
{
    return db_number(db, err, out, "SELECT seq FROM position", "");
}

int outbox_set_position(struct db *db, int64_t seq, struct wf_error *err)
{
    return db_do(db, err,
                 "INSERT INTO position (one, seq) VALUES (1, ?1)"
                 " ON CONFLICT (one) DO UPDATE SET seq = excluded.seq",
                 "i", seq);
}

int outbox_mark(struct db *db, struct wf_arena *arena, struct portal_mark *out,
                struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, err, &rows, "SELECT mark, hash FROM position WHERE mark > 0", "");
    if (rc == 0)
        rc = db_next(rows, err);
    if (rc == 0) {
        struct wf_str hash = db_str(rows, 1);
        const char *copy = wf_arena_strndup(arena, hash.ptr, hash.len);
        *out = (struct portal_mark){db_int(rows, 0), {copy, hash.len}};
        rc = copy != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
    }
    db_done(rows);
    return rc;
}

int outbox_set_mark(struct db *db, const struct portal_mark *mark, struct wf_error *err)
{
    return db_do(db, err, "UPDATE position SET mark = ?1, hash = ?2", "is", mark->seq, mark->hash);
}

int outbox_known(struct db *db, struct wf_str code, struct portal_known *out, struct wf_error *err)
{
    struct db_rows *rows = NULL;
    *out = (struct portal_known){0};
    int rc = db_select(db, err, &rows,
                       "SELECT status, due, accepted, finished, returned, refused, states"
                       " FROM dossiers WHERE code = ?1",
                       "s", code);
    if (rc == 0)
        rc = db_next(rows, err);
    if (rc == 0) {
        out->status = (int)db_int(rows, 0);
        out->due = db_int(rows, 1);
        out->course = (struct portal_course){db_int(rows, 2), db_int(rows, 3), db_int(rows, 4),
                                             db_int(rows, 5)};
        (void)wf_str_copy(db_str(rows, 6), out->states, sizeof(out->states));
    }
    db_done(rows);
    return rc;
}

int outbox_set_known(struct db *db, const struct wf_msg_dossier_state *d,
                     const struct portal_known *known, struct wf_error *err)
{
    return db_do(
        db, err,
        "INSERT OR REPLACE INTO dossiers (code, procedure, received, status, due, accepted,"
        " finished, returned, refused, states)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        "ssiiiiiiit", d->dossier, d->procedure, d->received, (int64_t)known->status, known->due,
        known->course.accepted, known->course.finished, known->course.returned,
        known->course.refused, known->states);
}

int outbox_put(struct db *db, struct wf_str code, const struct portal_event *e,
               enum portal_service service, const char *body, struct wf_error *err)
{
    return db_do(db, err,
                 "INSERT INTO outbox (code, n, part, service, status, ms, note, body)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                 "siiiiist", code, e->n, e->part, (int64_t)service, (int64_t)e->status, e->ms,
                 e->note, body);
}

/* ---- what is to be sent ---------------------------------------------------------------------- */

#define ROW                                                                                        \
    "SELECT o.id, o.code, o.n, o.part, o.service, o.status, o.ms, o.alone, o.note, o.body,"        \
    " o.attempts FROM outbox o"

/* Only the first of its dossier's rows that are not done; one that is being renewed waits. */
#define IS_HEAD                                                                                    \
    " WHERE o.state = 0 AND o.stale = 0 AND NOT EXISTS"                                            \
    " (SELECT 1 FROM outbox p WHERE p.code = o.code AND p.state <> 1 AND p.id < o.id)"

static int read_row(struct db_rows *rows, struct wf_arena *arena, struct portal_row *out,
                    struct wf_error *err)
{
    struct wf_str note = db_str(rows, 8);
    const char *kept = wf_arena_strndup(arena, note.ptr, note.len);
    struct wf_str body = db_str(rows, 9);
    *out = (struct portal_row){.id = db_int(rows, 0),
                               .n = db_int(rows, 2),
                               .part = db_int(rows, 3),
                               .service = (enum portal_service)db_int(rows, 4),
                               .status = (int)db_int(rows, 5),
                               .ms = db_int(rows, 6),
                               .alone = db_int(rows, 7) != 0,
                               .attempts = db_int(rows, 10)};
    (void)wf_str_copy(db_str(rows, 1), out->code, sizeof(out->code));
    out->note = kept;
    out->body = wf_arena_strndup(arena, body.ptr, body.len);
    return kept != NULL && out->body != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
}

static int read_rows(struct db_rows *rows, struct wf_arena *arena, struct portal_row *out,
                     size_t most, size_t *out_n, struct wf_error *err)
{
    size_t n = 0;
    int rc = 0;
    while (rc == 0 && n < most && (rc = db_next(rows, err)) == 0)
        rc = read_row(rows, arena, &out[n++], err);
    db_done(rows);
    *out_n = n;
    return rc < 0 ? rc : 0;
}

int outbox_next(struct db *db, size_t most, struct wf_arena *arena, struct portal_row *out,
                size_t *out_n, struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, err, &rows, ROW IS_HEAD " ORDER BY o.id LIMIT 1", "");
    if (rc == 0)
        rc = read_rows(rows, arena, out, 1, out_n, err);
    if (rc != 0 || *out_n == 0 || out[0].alone || most < 2)
        return rc;
    rc = db_select(db, err, &rows,
                   ROW IS_HEAD " AND o.alone = 0 AND o.service = ?1 ORDER BY o.id LIMIT ?2", "ii",
                   (int64_t)out[0].service, (int64_t)most);
    return rc == 0 ? read_rows(rows, arena, out, most, out_n, err) : rc;
}

/* ---- what became of it ----------------------------------------------------------------------- */

/* One statement for each row, in one transaction. */
static int for_rows(struct db *db, const struct portal_row *rows, size_t n, int64_t value,
                    const char *sql, struct wf_error *err)
{
    int rc = db_begin(db, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = db_do(db, err, sql, "ii", rows[i].id, value);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    return rc;
}

int outbox_done(struct db *db, const struct portal_row *rows, size_t n, int64_t now_ms,
                struct wf_error *err)
{
    return for_rows(db, rows, n, now_ms,
                    "UPDATE outbox SET state = 1, body = NULL, note = '', reason = NULL,"
                    " settled = ?2 WHERE id = ?1",
                    err);
}

int outbox_alone(struct db *db, const struct portal_row *rows, size_t n, struct wf_error *err)
{
    return for_rows(db, rows, n, 1, "UPDATE outbox SET alone = ?2 WHERE id = ?1", err);
}

int outbox_tried(struct db *db, const struct portal_row *rows, size_t n, struct wf_error *err)
{
    return for_rows(db, rows, n, 1, "UPDATE outbox SET attempts = attempts + ?2 WHERE id = ?1",
                    err);
}

int outbox_hold(struct db *db, const struct portal_row *row, const char *reason, int64_t now_ms,
                struct wf_error *err)
{
    return db_do(db, err, "UPDATE outbox SET state = 2, reason = ?2, settled = ?3 WHERE id = ?1",
                 "iti", row->id, reason, now_ms);
}

int outbox_forget(struct db *db, int64_t before_ms, struct wf_error *err)
{
    return db_do(db, err,
                 "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = 1"
                 " AND settled < ?1 LIMIT 1000)",
                 "i", before_ms);
}

int outbox_retry(struct db *db, const char *code, int64_t *out_n, struct wf_error *err)
{
    int rc = db_do(db, err,
                   "UPDATE outbox SET state = 0, alone = 1, stale = 1, settled = NULL"
                   " WHERE state = 2 AND (?1 IS NULL OR code = ?1)",
                   "t", code);
    if (rc == 0)
        *out_n = db_changes(db);
    return rc;
}

int outbox_stale(struct db *db, struct wf_arena *arena, struct portal_row *out,
                 struct wf_error *err)
{
    struct db_rows *rows = NULL;
    size_t n = 0;
    int rc = db_select(db, err, &rows, ROW " WHERE o.stale = 1 ORDER BY o.id LIMIT 1", "");
    if (rc == 0)
        rc = read_rows(rows, arena, out, 1, &n, err);
    return rc == 0 && n == 0 ? WF_NONE : rc;
}

int outbox_renew(struct db *db, const struct portal_row *row, const char *body,
                 struct wf_error *err)
{
    return db_do(db, err, "UPDATE outbox SET stale = 0, body = coalesce(?2, body) WHERE id = ?1",
                 "it", row->id, body);
}

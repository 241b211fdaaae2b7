/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workflow/memory.h"

#define BUSY_MS        5000
#define STATEMENTS_MAX 64

struct db_rows {
    const char *sql; /* whose address is its name */
    sqlite3_stmt *stmt;
    struct db *db;
};

struct db {
    sqlite3 *handle;
    struct db_rows statements[STATEMENTS_MAX];
    size_t n;
};

/* ---- errors ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { int sqlite, code; } codes[] = {
    {SQLITE_BUSY, WF_E_BUSY}, {SQLITE_LOCKED, WF_E_BUSY}, {SQLITE_NOMEM, WF_E_NOMEM},
    {SQLITE_FULL, WF_E_FULL}, {SQLITE_CORRUPT, WF_E_CORRUPT}, {SQLITE_NOTADB, WF_E_CORRUPT},
    {SQLITE_IOERR, WF_E_IO}, {SQLITE_CANTOPEN, WF_E_IO}, {SQLITE_READONLY, WF_E_IO},
    {SQLITE_PERM, WF_E_IO}, {SQLITE_CONSTRAINT, WF_E_CONFLICT}, {SQLITE_TOOBIG, WF_E_INVALID},
};
/* clang-format on */

/* SQLite's own words name tables and columns, never what is in them. */
static int broken(const struct db *db, const char *what, struct wf_error *err)
{
    int given = db->handle != NULL ? sqlite3_errcode(db->handle) & 0xff : SQLITE_NOMEM;
    const char *said = db->handle != NULL ? sqlite3_errmsg(db->handle) : "out of memory";
    const char *path = db->handle != NULL ? sqlite3_db_filename(db->handle, "main") : NULL;
    int code = WF_E_INTERNAL;
    for (size_t i = 0; i < WF_COUNT(codes); i++) {
        if (codes[i].sqlite == given)
            code = codes[i].code;
    }
    if (code == WF_E_FULL && path != NULL)
        return wf_fail(err, code, "%s: its disk is full: make room", path);
    return wf_fail(err, code, "%s: %s", what, said);
}

/* ---- statements ------------------------------------------------------------------------------ */

static int statement_of(struct db *db, const char *sql, struct db_rows **out, struct wf_error *err)
{
    size_t i = 0;
    while (i < db->n && db->statements[i].sql != sql)
        i++;
    if (i == STATEMENTS_MAX)
        return wf_fail(err, WF_E_INTERNAL, "more than %d statements", STATEMENTS_MAX);
    struct db_rows *rows = &db->statements[i];
    if (i == db->n) {
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
            SQLITE_OK)
            return broken(db, "prepare a statement", err);
        *rows = (struct db_rows){sql, stmt, db};
        db->n++;
    }
    *out = rows;
    return 0;
}

static int bind(sqlite3_stmt *stmt, int at, char type, va_list *args)
{
    if (type == 'i')
        return sqlite3_bind_int64(stmt, at, va_arg(*args, int64_t));
    if (type == 't')
        return sqlite3_bind_text(stmt, at, va_arg(*args, const char *), -1, SQLITE_TRANSIENT);
    if (type == 'b') {
        struct wf_slice bytes = va_arg(*args, struct wf_slice);
        return sqlite3_bind_blob64(stmt, at, bytes.len > 0 ? (const void *)bytes.ptr : "",
                                   bytes.len, SQLITE_TRANSIENT);
    }
    struct wf_str text = va_arg(*args, struct wf_str);
    return sqlite3_bind_text64(stmt, at, text.len > 0 ? text.ptr : "", text.len, SQLITE_TRANSIENT,
                               SQLITE_UTF8);
}

static int start(struct db *db, struct db_rows **out, const char *sql, const char *types,
                 va_list *args, struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = statement_of(db, sql, &rows, err);
    if (rc != 0)
        return rc;
    for (int i = 0; types[i] != '\0'; i++) {
        if (bind(rows->stmt, i + 1, types[i], args) != SQLITE_OK) {
            rc = broken(db, "bind a value", err);
            db_done(rows);
            return rc;
        }
    }
    *out = rows;
    return 0;
}

int db_next(struct db_rows *rows, struct wf_error *err)
{
    int step = sqlite3_step(rows->stmt);
    return step == SQLITE_ROW    ? 0
           : step == SQLITE_DONE ? WF_NONE
                                 : broken(rows->db, "its database", err);
}

void db_done(struct db_rows *rows)
{
    if (rows == NULL)
        return;
    (void)sqlite3_reset(rows->stmt); /* tells once more how the last step went */
    (void)sqlite3_clear_bindings(rows->stmt);
}

int64_t db_int(struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->stmt, column);
}

struct wf_str db_str(struct db_rows *rows, int column)
{
    const unsigned char *text = sqlite3_column_text(rows->stmt, column);
    int bytes = sqlite3_column_bytes(rows->stmt, column);
    return text != NULL ? (struct wf_str){(const char *)text, (size_t)bytes} : wf_str("");
}

struct wf_slice db_bytes(struct db_rows *rows, int column)
{
    const uint8_t *bytes = sqlite3_column_blob(rows->stmt, column);
    int length = sqlite3_column_bytes(rows->stmt, column);
    return bytes != NULL ? (struct wf_slice){bytes, (size_t)length} : (struct wf_slice){0};
}

int db_select(struct db *db, struct wf_error *err, struct db_rows **out, const char *sql,
              const char *types, ...)
{
    va_list args;
    va_start(args, types);
    int rc = start(db, out, sql, types, &args, err);
    va_end(args);
    return rc;
}

int db_do(struct db *db, struct wf_error *err, const char *sql, const char *types, ...)
{
    struct db_rows *rows = NULL;
    va_list args;
    va_start(args, types);
    int rc = start(db, &rows, sql, types, &args, err);
    va_end(args);
    if (rows == NULL)
        return rc;
    do {
        rc = db_next(rows, err);
    } while (rc == 0); /* a pragma may give a row */
    db_done(rows);
    return rc < 0 ? rc : 0;
}

int db_number(struct db *db, struct wf_error *err, int64_t *out, const char *sql, const char *types,
              ...)
{
    struct db_rows *rows = NULL;
    va_list args;
    va_start(args, types);
    int rc = start(db, &rows, sql, types, &args, err);
    va_end(args);
    if (rows == NULL)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0 && sqlite3_column_type(rows->stmt, 0) == SQLITE_NULL)
        rc = WF_NONE;
    if (rc == 0)
        *out = db_int(rows, 0);
    db_done(rows);
    return rc;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

/* ---- transactions ---------------------------------------------------------------------------- */

int db_begin(struct db *db, struct wf_error *err)
{
    return db_do(db, err, "BEGIN IMMEDIATE", "");
}

int db_commit(struct db *db, struct wf_error *err)
{
    return db_do(db, err, "COMMIT", "");
}

void db_rollback(struct db *db)
{
    if (db != NULL && sqlite3_get_autocommit(db->handle) == 0)
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

void db_scrub(struct db *db)
{
    (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int run_text(struct db *db, const char *sql, struct wf_error *err)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : broken(db, "prepare the database", err);
}

static const char *const ask_version = "PRAGMA user_version";

static int too_new(int64_t done, size_t n_steps, struct wf_error *err)
{
    return wf_fail(err, WF_E_VERSION,
                   "the database has schema %lld, this program knows up to %zu: use the release "
                   "that made it",
                   (long long)done, n_steps);
}

/*
 * One transaction for all steps: two processes that open a new file at once do them once. A file
 * that is up to date is not locked, so that who only looks keeps nobody waiting.
 */
static int bring_up(struct db *db, const char *const *steps, size_t n_steps, struct wf_error *err)
{
    char text[64];
    int64_t done = 0;
    int rc = db_number(db, err, &done, ask_version, "");
    if (rc != 0 || (done >= 0 && (size_t)done == n_steps))
        return rc;
    rc = db_begin(db, err);
    if (rc == 0)
        rc = db_number(db, err, &done, ask_version, "");
    if (rc == 0 && (done < 0 || (size_t)done > n_steps))
        rc = too_new(done, n_steps, err);
    for (size_t i = (size_t)done; rc == 0 && i < n_steps; i++)
        rc = run_text(db, steps[i], err);
    (void)snprintf(text, sizeof(text), "PRAGMA user_version = %zu", n_steps);
    if (rc == 0 && (size_t)done != n_steps)
        rc = run_text(db, text, err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    return rc;
}

static int open_handle(struct db *db, const char *path, const char *pragmas, struct wf_error *err)
{
    if (sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return broken(db, "open", err);
    (void)sqlite3_extended_result_codes(db->handle, 1);
    (void)sqlite3_busy_timeout(db->handle, BUSY_MS);
    return run_text(db, pragmas, err);
}

static int prepare(struct db *db, const char *path, const char *const *steps, size_t n_steps,
                   struct wf_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* SQLite would take the umask's */
    if (fd >= 0)
        (void)close(fd);
    int rc = open_handle(db, path,
                         "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON",
                         err);
    return rc == 0 ? bring_up(db, steps, n_steps, err) : rc;
}

/* Not SQLITE_OPEN_READONLY: a reader writes into the shared index of the log, and one that may not
 * tidy up leaves index and log behind where it is the last to go. */
static int look(struct db *db, const char *path, size_t n_steps, struct wf_error *err)
{
    int64_t done = 0;
    int rc = open_handle(db, path, "PRAGMA query_only = ON", err);
    if (rc == 0)
        rc = db_number(db, err, &done, ask_version, "");
    if (rc != 0 || done == (int64_t)n_steps)
        return rc;
    return done > (int64_t)n_steps
               ? too_new(done, n_steps, err)
               : wf_fail(err, WF_E_VERSION,
                         "the database has schema %lld of %zu: the program that keeps it brings it "
                         "up when it is started",
                         (long long)done, n_steps);
}

/* Owns db. */
static int opened(struct db *db, const char *path, int rc, struct db **out, struct wf_error *err)
{
    if (rc != 0) {
        db_close(db);
        return err != NULL ? wf_wrap(err, "%s", path) : rc;
    }
    *out = db;
    return 0;
}

int db_open(const char *path, const char *const *steps, size_t n_steps, struct db **out,
            struct wf_error *err)
{
    struct db *db = wf_alloc(sizeof(*db));
    if (db == NULL)
        return wf_fail(err, WF_E_NOMEM, "open %s: out of memory", path);
    return opened(db, path, prepare(db, path, steps, n_steps, err), out, err);
}

int db_look(const char *path, size_t n_steps, struct db **out, struct wf_error *err)
{
    struct db *db = wf_alloc(sizeof(*db));
    if (db == NULL)
        return wf_fail(err, WF_E_NOMEM, "open %s: out of memory", path);
    return opened(db, path, look(db, path, n_steps, err), out, err);
}

/* ---- copies ----------------------------------------------------------------------------------- */

/* One read transaction, beside which others write; what was deleted is not in it. */
static int copy_into(struct db *db, const char *path, const char *to, struct wf_error *err)
{
    if (sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return broken(db, "open", err);
    (void)sqlite3_busy_timeout(db->handle, BUSY_MS);
    return db_do(db, err, "VACUUM INTO ?1", "t", to);
}

int db_copy(const char *path, const char *to, struct wf_error *err)
{
    struct db *db = wf_alloc(sizeof(*db));
    if (db == NULL)
        return wf_fail(err, WF_E_NOMEM, "copy %s: out of memory", path);
    int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc = fd < 0 ? wf_fail(err, WF_E_IO, "%s: %s", to, strerror(errno)) : 0;
    if (rc == 0) {
        rc = copy_into(db, path, to, err);
        rc = rc != 0 ? wf_wrap(err, "copy %s", path) : 0;
    }
    if (rc == 0 && fsync(fd) != 0)
        rc = wf_fail(err, WF_E_IO, "%s: %s", to, strerror(errno));
    db_close(db);
    if (fd >= 0 && rc != 0)
        (void)unlink(to);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->n; i++)
        (void)sqlite3_finalize(db->statements[i].stmt);
    (void)sqlite3_close(db->handle);
    wf_free(db);
}

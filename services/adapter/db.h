/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/adapter/db.h - an adapter's own durable file: SQLite, a little of it.
 *
 * PURPOSE    Outbox, positions and what else an adapter must not lose. The only place that knows
 *            SQLite.
 * CONCEPTS   step   one change of the schema, a text of SQL; the number of steps done stands in
 *                   the file (user_version). Steps are only ever added.
 *            types  how arguments are bound to ?1, ?2 ...: 'i' int64_t, 't' const char * (NULL is
 *                   null), 's' struct wf_str, 'b' struct wf_slice
 * DURABLE    WAL with synchronous=FULL: what is committed survives a power cut. secure_delete: what
 *            was deleted or overwritten does not stay in free pages; db_scrub empties the log too.
 * ERRORS     WF_E_BUSY another process writes (after 5 s); WF_E_FULL, WF_E_IO, WF_E_CORRUPT,
 *            WF_E_NOMEM; WF_E_VERSION a newer program made the file; WF_E_CONFLICT a rule of the
 *            schema (unique ...) was broken. After an error inside a transaction roll back.
 * DANGERS    the SQL text must live as long as the file is open: statements are kept by its address.
 * THREADS    one thread for each struct db; several processes may have the file open.
 * EXAMPLE    rc = db_do(db, err, "INSERT INTO outbox (code, n) VALUES (?1, ?2)", "si", code, n);
 */
#ifndef ADAPTER_DB_H
#define ADAPTER_DB_H

#include "workflow/error.h"
#include "workflow/text.h"

struct db;
struct db_rows; /* a statement that gives rows */

/* Opens, makes it where there is none (mode 0600), and brings the schema up to n_steps. */
int db_open(const char *path, const char *const *steps, size_t n_steps, struct db **out,
            struct wf_error *err) WF_CHECKED;
void db_close(struct db *db);

/* The same to look into, beside the program that keeps it: nothing is made, brought up or written.
 * WF_E_VERSION also where that program has not run since its schema grew. */
int db_look(const char *path, size_t n_steps, struct db **out, struct wf_error *err) WF_CHECKED;

/* A copy of the file as it stands now, while others may write: compact, synced, mode 0600. `to` must
 * not be there. */
int db_copy(const char *path, const char *to, struct wf_error *err) WF_CHECKED;

int db_begin(struct db *db, struct wf_error *err) WF_CHECKED; /* to write: takes the lock now */
int db_commit(struct db *db, struct wf_error *err) WF_CHECKED;
void db_rollback(struct db *db); /* also where nothing was begun */

/* Runs a statement that gives no rows. */
int db_do(struct db *db, struct wf_error *err, const char *sql, const char *types, ...) WF_CHECKED;
int64_t db_changes(const struct db *db); /* rows that the last one has changed */

/* One number: the first column of the first row. WF_NONE where there is no row, or null in it. */
int db_number(struct db *db, struct wf_error *err, int64_t *out, const char *sql, const char *types,
              ...) WF_CHECKED;

/* Row after row: db_next gives 0 for a row, WF_NONE at the end. Always end with db_done. The same
 * text cannot be under way twice. */
int db_select(struct db *db, struct wf_error *err, struct db_rows **out, const char *sql,
              const char *types, ...) WF_CHECKED;
int db_next(struct db_rows *rows, struct wf_error *err) WF_CHECKED;
void db_done(struct db_rows *rows);
int64_t db_int(struct db_rows *rows, int column);
struct wf_str db_str(struct db_rows *rows, int column);     /* until the next db_next; null = "" */
struct wf_slice db_bytes(struct db_rows *rows, int column); /* likewise */

/* Nothing that was deleted stays in the write-ahead log either. Outside transactions; what another
 * process holds back is left for the next time. */
void db_scrub(struct db *db);

#endif

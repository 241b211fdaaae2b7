/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders. Every function is one transaction, or one statement, which is the same. The number of an
 * order is given when its row is made and never changes: whatever is lost on the way is asked for
 * again under it.
 */
#include "book.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/identifiers.h"

#define NUMBER_SIZE 96

static const char *const schema[] = {
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL,"
    " dossier TEXT NOT NULL, parcel TEXT NOT NULL, item TEXT NOT NULL DEFAULT '',"
    " person TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, task INTEGER NOT NULL DEFAULT 0,"
    " token INTEGER NOT NULL DEFAULT 0, lease_until INTEGER NOT NULL DEFAULT 0,"
    " fee INTEGER NOT NULL DEFAULT 0, charge INTEGER NOT NULL DEFAULT 0,"
    " postage INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0,"
    " tries INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL DEFAULT 0,"
    " fresh INTEGER NOT NULL DEFAULT 0, news TEXT NOT NULL DEFAULT 'numbered',"
    " attempt INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '',"
    " created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL);"
    "CREATE INDEX orders_dossier ON orders (dossier, parcel);"
    "CREATE INDEX orders_due ON orders (next_ms) WHERE state IN ('waiting', 'cancelling');"
    "CREATE INDEX orders_fresh ON orders (next_ms) WHERE fresh = 1;"
    "CREATE INDEX orders_lease ON orders (lease_until) WHERE task <> 0;"
    "CREATE TABLE events (order_id INTEGER NOT NULL REFERENCES orders, at_ms INTEGER NOT NULL,"
    " code TEXT NOT NULL, id TEXT NOT NULL, heard_ms INTEGER NOT NULL,"
    " PRIMARY KEY (order_id, at_ms, code)) WITHOUT ROWID;"
    "CREATE TABLE told (order_id INTEGER NOT NULL REFERENCES orders, state TEXT NOT NULL,"
    " attempt INTEGER NOT NULL, PRIMARY KEY (order_id, state, attempt)) WITHOUT ROWID;"
    "CREATE TABLE items (number TEXT PRIMARY KEY, order_id INTEGER REFERENCES orders)"
    " WITHOUT ROWID;"
    "CREATE INDEX items_free ON items (number) WHERE order_id IS NULL;"
    "CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
    "CREATE INDEX orders_task ON orders (task) WHERE task <> 0;",
    /* forgotten: what was heard and told of it is deleted */
    "ALTER TABLE orders ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX orders_ended ON orders (changed_ms)"
    " WHERE forgotten = 0 AND state IN ('over', 'cancelled');",
    /* passed: never to be given, see book_pass_items */
    "ALTER TABLE items ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX items_free;"
    "CREATE INDEX items_free ON items (number) WHERE order_id IS NULL AND passed = 0;",
};

static const char *const words[] = {
#define X(name, word) word,
    ORDER_STATES(X)
#undef X
};

const char *order_word(enum order_state state)
{
    return words[state];
}

/* ---- opening ----------------------------------------------------------------------------------- */

static int pool_line(struct db *db, const struct courier_settings *s, const char *number, int line,
                     struct wf_error *err)
{
    if (number[0] == '\0' || number[0] == '#')
        return 0;
    if (strlen(number) > 32 || (s->item_check && wf_check_s10(wf_str(number), NULL) != 0))
        return wf_fail(err, WF_E_CONFIG,
                       "%s:%d: no item number: mend it, or say item_check = false", s->item_pool,
                       line);
    return db_do(db, err, "INSERT OR IGNORE INTO items (number) VALUES (?1)", "t", number);
}

/* Numbers that are known already stay as they are, so the file may be read again at each start. */
static int read_pool(struct db *db, const struct courier_settings *s, struct wf_error *err)
{
    char *line = NULL;
    size_t size = 0;
    if (strcmp(s->items, "pool") != 0)
        return 0;
    FILE *file = fopen(s->item_pool, "re");
    if (file == NULL)
        return wf_fail(err, WF_E_CONFIG, "%s: %s", s->item_pool, strerror(errno));
    int rc = db_begin(db, err);
    for (int n = 1; rc == 0 && getline(&line, &size, file) >= 0; n++) {
        line[strcspn(line, " \t\r\n")] = '\0';
        rc = pool_line(db, s, line, n, err);
    }
    if (rc == 0 && !feof(file))
        rc = wf_fail(err, WF_E_CONFIG, "%s: %s", s->item_pool, strerror(errno));
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    free(line); /* getline's */
    (void)fclose(file);
    return rc;
}

/* What is not there with another party's rights looks as if it were gone: nothing may be cancelled
 * for that. */
static int check_party(struct db *db, const struct courier_settings *s, struct wf_error *err)
{
    int64_t others = 0;
    int rc = db_number(db, err, &others,
                       "SELECT count(*) FROM notes WHERE name = 'party' AND value <> ?1", "t",
                       s->common.party);
    if (rc == 0 && others > 0)
        return wf_fail(err, WF_E_CONFIG,
                       "%s was begun by another party than %s: set `party` as it was, or begin a "
                       "new `database`",
                       s->common.database, s->common.party);
    return rc == 0 ? book_note(db, "party", s->common.party, err) : rc;
}

/* Codes may have got a meaning since the last start. */
static int look_again(struct db *db, struct wf_error *err)
{
    return db_do(db, err,
                 "UPDATE orders SET fresh = 1 WHERE state = 'ordered'"
                 " AND EXISTS (SELECT 1 FROM events WHERE order_id = orders.id)",
                 "");
}

int book_look(const char *path, struct db **out, struct wf_error *err)
{
    return db_look(path, WF_COUNT(schema), out, err);
}

int book_mend(const char *path, struct db **out, struct wf_error *err)
{
    return db_open(path, schema, WF_COUNT(schema), out, err);
}

int book_open(const char *path, const struct courier_settings *settings, struct db **out,
              struct wf_error *err)
{
    struct db *db = NULL;
    int rc = db_open(path, schema, WF_COUNT(schema), &db, err);
    if (rc == 0)
        rc = check_party(db, settings, err);
    if (rc == 0)
        rc = read_pool(db, settings, err);
    if (rc == 0)
        rc = look_again(db, err);
    if (rc == 0)
        *out = db;
    else
        db_close(db);
    return rc;
}

/* ---- tasks ------------------------------------------------------------------------------------- */

static int give_item(struct db *db, const struct courier_settings *s, int64_t order,
                     struct wf_error *err)
{
    if (strcmp(s->items, "cell") == 0)
        return db_do(db, err, "UPDATE orders SET item = parcel WHERE id = ?1", "i", order);
    if (strcmp(s->items, "pool") != 0)
        return 0;
    int rc = db_do(db, err,
                   "UPDATE items SET order_id = ?1 WHERE number ="
                   " (SELECT number FROM items WHERE order_id IS NULL AND passed = 0"
                   "  ORDER BY number LIMIT 1)",
                   "i", order);
    if (rc == 0) /* an empty pool leaves it without, and it is looked at again before asking */
        rc = db_do(db, err,
                   "UPDATE orders SET item ="
                   " coalesce((SELECT number FROM items WHERE order_id = ?1), '') WHERE id = ?1",
                   "i", order);
    return rc;
}

int book_pass_items(struct db *db, int64_t count, int64_t *out, struct wf_error *err)
{
    int64_t before = 0;
    int64_t after = 0;
    int rc = db_number(db, err, &before, "SELECT count(*) FROM items WHERE passed = 1", "");
    if (rc == 0)
        rc = db_do(db, err,
                   "UPDATE items SET passed = 1 WHERE number IN"
                   " (SELECT number FROM items WHERE order_id IS NULL AND passed = 0"
                   "  ORDER BY number LIMIT ?1)",
                   "i", count);
    if (rc == 0)
        rc = db_number(db, err, &after, "SELECT count(*) FROM items WHERE passed = 1", "");
    if (rc == 0)
        *out = after - before;
    return rc;
}

static int give_item_alone(struct db *db, const struct courier_settings *s, int64_t order,
                           struct wf_error *err)
{
    int rc = db_begin(db, err);
    if (rc == 0)
        rc = give_item(db, s, order, err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    return rc;
}

/* A dossier is sent home again where its result was lost and made anew. */
static void number_of(const struct order_task *t, int64_t n, char out[NUMBER_SIZE])
{
    char again[24] = "";
    if (n > 1)
        (void)snprintf(again, sizeof(again), ".R%" PRId64, n);
    (void)snprintf(out, NUMBER_SIZE, "%s%s%s", t->dossier,
                   strcmp(t->kind, "collect") == 0 ? ".C" : "", again);
}

static int make_order(struct db *db, const struct courier_settings *s, const struct order_task *t,
                      int64_t now_ms, struct wf_error *err)
{
    int64_t before = 0;
    int64_t id = 0;
    char number[NUMBER_SIZE];
    int rc =
        db_number(db, err, &before, "SELECT count(*) FROM orders WHERE dossier = ?1 AND kind = ?2",
                  "tt", t->dossier, t->kind);
    if (rc == 0)
        number_of(t, before + 1, number);
    if (rc == 0)
        rc = db_do(db, err,
                   "INSERT INTO orders (number, dossier, parcel, person, state, task, token,"
                   " lease_until, fee, charge, postage, created_ms, changed_ms, kind)"
                   " VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)",
                   "ttttiiiiiiit", number, t->dossier, t->parcel, t->person, t->task, t->token,
                   t->lease_until_ms, t->fee, t->charge, t->postage, now_ms, t->kind);
    if (rc == 0)
        rc = db_number(db, err, &id, "SELECT id FROM orders WHERE number = ?1", "t", number);
    return rc == 0 ? give_item(db, s, id, err) : rc;
}

/* Another task knows nothing of what was told to the one before. The same one keeps it. */
static int forget_told(struct db *db, const struct order_task *t, struct wf_error *err)
{
    return db_do(db, err,
                 "DELETE FROM told WHERE order_id IN (SELECT id FROM orders WHERE dossier = ?1"
                 " AND parcel = ?2 AND task <> ?3)",
                 "tti", t->dossier, t->parcel, t->task);
}

/* A cell that was restored from an older backup gives its task numbers a second time: what became of
 * the first parcel must never end the task of another. */
static int part_from(struct db *db, const struct order_task *t, struct wf_error *err)
{
    return db_do(db, err,
                 "UPDATE orders SET task = 0,"
                 " why = 'its task is another parcel''s: was an older backup restored?'"
                 " WHERE task = ?3 AND task <> 0 AND NOT (dossier = ?1 AND parcel = ?2)",
                 "tti", t->dossier, t->parcel, t->task);
}

/*
 * A task that is offered again goes on with its order. A refused order is tried once more, since an
 * operator has put the task back; what was cancelled is a new order.
 */
static int take_one(struct db *db, const struct courier_settings *s, const struct order_task *t,
                    int64_t now_ms, struct wf_error *err)
{
    int rc = part_from(db, t, err);
    if (rc == 0)
        rc = forget_told(db, t, err);
    if (rc != 0)
        return rc;
    rc = db_do(db, err,
               "UPDATE orders SET task = ?3, token = ?4, lease_until = ?5, next_ms = 0,"
               " person = CASE WHEN state IN ('waiting', 'refused') THEN ?6 ELSE '' END,"
               " fresh = CASE WHEN state IN ('waiting', 'refused') THEN fresh ELSE 1 END,"
               " state = CASE WHEN state IN ('waiting', 'refused') THEN 'waiting'"
               " ELSE 'ordered' END,"
               " forgotten = 0, changed_ms = ?7 WHERE dossier = ?1 AND parcel = ?2"
               " AND state NOT IN ('cancelling', 'cancelled')",
               "ttiiiti", t->dossier, t->parcel, t->task, t->token, t->lease_until_ms, t->person,
               now_ms);
    if (rc == 0 && db_changes(db) == 0)
        rc = make_order(db, s, t, now_ms, err);
    return rc;
}

int book_take(struct db *db, const struct courier_settings *settings,
              const struct order_task *tasks, size_t n, int64_t now_ms, struct wf_error *err)
{
    int rc = db_begin(db, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = take_one(db, settings, &tasks[i], now_ms, err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    return rc;
}

/* ---- which orders ------------------------------------------------------------------------------ */

#define COLUMNS                                                                                    \
    "SELECT id, number, dossier, parcel, item, person, state, task, token, lease_until, fee,"      \
    " charge, postage, asked, tries, news FROM orders "

/* Without a task nobody can be told, unless the cell does not want to know any more. */
#define HELD     "(task <> 0 AND token <> 0)"
#define TELLABLE "(fresh = 1 AND state <> 'waiting' AND (" HELD " OR state <> 'ordered'))"
#define ASKABLE  "(state = 'cancelling' OR (state = 'waiting' AND " HELD "))"

/* No wait is two days long: such a time was set by a clock that went wrong. */
#define DUE "(next_ms <= ?1 OR next_ms > ?1 + 172800000)"

static const char *const lists[] = {
    [BOOK_TO_ASK] = COLUMNS "WHERE " ASKABLE " AND " DUE " ORDER BY next_ms, id LIMIT ?2",
    [BOOK_TO_TELL] = COLUMNS "WHERE " TELLABLE " AND " DUE " ORDER BY next_ms, id LIMIT ?2",
    [BOOK_TO_EXTEND] =
        COLUMNS "WHERE task <> 0 AND lease_until <= ?1 ORDER BY lease_until LIMIT ?2",
};

static const char *text_at(struct db_rows *rows, int column, struct wf_arena *arena, bool *whole)
{
    struct wf_str text = db_str(rows, column);
    const char *copy = wf_arena_strndup(arena, text.ptr, text.len);
    *whole = *whole && copy != NULL;
    return copy;
}

static bool read_order(struct db_rows *rows, struct wf_arena *arena, struct order *out)
{
    bool whole = true;
    *out = (struct order){.id = db_int(rows, 0),
                          .number = text_at(rows, 1, arena, &whole),
                          .dossier = text_at(rows, 2, arena, &whole),
                          .parcel = text_at(rows, 3, arena, &whole),
                          .item = text_at(rows, 4, arena, &whole),
                          .person = text_at(rows, 5, arena, &whole),
                          .task = db_int(rows, 7),
                          .token = db_int(rows, 8),
                          .lease_until_ms = db_int(rows, 9),
                          .fee = db_int(rows, 10),
                          .charge = db_int(rows, 11),
                          .postage = db_int(rows, 12),
                          .asked = db_int(rows, 13),
                          .tries = db_int(rows, 14)};
    for (size_t i = 0; i < ORDER_STATE_COUNT; i++) {
        if (wf_str_is(db_str(rows, 6), words[i]))
            out->state = (enum order_state)i;
    }
    (void)parcel_of_word(db_str(rows, 15), &out->news);
    return whole;
}

int book_list(struct db *db, enum book_list list, int64_t until_ms, size_t most,
              struct wf_arena *arena, struct order **out, size_t *out_n, struct wf_error *err)
{
    struct order *orders = wf_arena_alloc(arena, most * sizeof(*orders));
    struct db_rows *rows = NULL;
    size_t n = 0;
    if (orders == NULL)
        return wf_fail(err, WF_E_NOMEM, "orders: out of memory");
    int rc = db_select(db, err, &rows, lists[list], "ii", until_ms, (int64_t)most);
    while (rc == 0 && n < most && (rc = db_next(rows, err)) == 0) {
        if (!read_order(rows, arena, &orders[n++]))
            rc = wf_fail(err, WF_E_NOMEM, "orders: out of memory");
    }
    db_done(rows);
    if (rc < 0)
        return rc;
    *out = orders;
    *out_n = n;
    return 0;
}

int book_next_ms(struct db *db, int64_t *out, struct wf_error *err)
{
    int64_t next = INT64_MAX;
    int rc = db_number(db, err, &next,
                       "SELECT min(next_ms) FROM orders WHERE " TELLABLE " OR " ASKABLE, "");
    if (rc < 0)
        return rc;
    *out = rc == 0 ? next : INT64_MAX;
    return 0;
}

/* ---- what becomes of one ----------------------------------------------------------------------- */

int book_number(struct db *db, const struct courier_settings *settings, struct order *order,
                struct wf_arena *arena, struct wf_error *err)
{
    struct db_rows *rows = NULL;
    bool whole = true;
    if (order->item[0] != '\0' || strcmp(settings->items, "pool") != 0)
        return 0;
    int rc = give_item_alone(db, settings, order->id, err);
    if (rc == 0)
        rc = db_select(db, err, &rows, "SELECT item FROM orders WHERE id = ?1", "i", order->id);
    if (rc == 0)
        rc = db_next(rows, err);
    if (rc == 0)
        order->item = text_at(rows, 0, arena, &whole);
    db_done(rows);
    if (!whole)
        return wf_fail(err, WF_E_NOMEM, "item: out of memory");
    return rc == 0 && order->item[0] == '\0' ? WF_NONE : rc;
}

int book_asked(struct db *db, const struct order *order, struct wf_error *err)
{
    return db_do(db, err, "UPDATE orders SET asked = asked + 1 WHERE id = ?1", "i", order->id);
}

int book_settled(struct db *db, const struct order *order, enum order_state state, const char *item,
                 const char *why, int64_t now_ms, struct wf_error *err)
{
    bool keeps_task = state == ORDER_ORDERED || state == ORDER_WAITING;
    return db_do(db, err,
                 "UPDATE orders SET state = ?2, why = ?3, changed_ms = ?4, tries = 0, next_ms = 0,"
                 " person = '', item = CASE WHEN ?5 <> '' THEN ?5 ELSE item END,"
                 " fresh = CASE WHEN ?2 = 'ordered' THEN 1 ELSE fresh END,"
                 " task = CASE WHEN ?6 THEN task ELSE 0 END WHERE id = ?1",
                 "ittiti", order->id, words[state], why, now_ms, item, (int64_t)keeps_task);
}

int book_later(struct db *db, const struct order *order, const char *why, int64_t next_ms,
               struct wf_error *err)
{
    return db_do(db, err,
                 "UPDATE orders SET tries = tries + 1, why = ?2, next_ms = ?3 WHERE id = ?1", "iti",
                 order->id, why, next_ms);
}

int book_leased(struct db *db, const struct order *order, int64_t until_ms, struct wf_error *err)
{
    return db_do(db, err, "UPDATE orders SET lease_until = ?2 WHERE id = ?1", "ii", order->id,
                 until_ms);
}

int book_lost(struct db *db, const struct order *order, int64_t until_ms, struct wf_error *err)
{
    return db_do(db, err,
                 "UPDATE orders SET token = 0, lease_until = ?3 WHERE id = ?1 AND token = ?2",
                 "iii", order->id, order->token, until_ms);
}

/* Never asked for: nobody has heard of its number, and the pool may have it back. */
static int forget_item(struct db *db, const struct order *order, struct wf_error *err)
{
    int rc = db_do(db, err, "UPDATE items SET order_id = NULL WHERE order_id = ?1", "i", order->id);
    if (rc == 0)
        rc = db_do(db, err, "UPDATE orders SET item = '' WHERE id = ?1", "i", order->id);
    return rc;
}

static enum order_state when_gone(const struct order *order, const struct parcel *parcel)
{
    if (order->state == ORDER_OVER || order->state == ORDER_REFUSED)
        return order->state;
    if (order->state == ORDER_WAITING && order->asked == 0)
        return ORDER_CANCELLED;
    if (parcel_is_over(parcel))
        return ORDER_OVER;
    return parcel->state < PARCEL_COLLECTED ? ORDER_CANCELLING : ORDER_STRAY;
}

/*
 * The events decide, not what was told of them: the task may be gone because we told its end before
 * a crash.
 */
int book_gone(struct db *db, const struct courier_settings *settings, const struct order *order,
              int64_t now_ms, struct wf_arena *arena, struct wf_error *err)
{
    struct parcel parcel = {.state = PARCEL_NUMBERED};
    struct step *steps = NULL;
    size_t n = 0;
    int rc = book_steps(db, settings, order, arena, &steps, &n, err);
    if (rc != 0)
        return rc;
    if (n > 0)
        parcel.state = steps[n - 1].state;
    enum order_state state = when_gone(order, &parcel);
    rc = db_begin(db, err);
    if (rc == 0 && state != order->state)
        rc = book_quiet(db, order, n > 0 ? &steps[n - 1] : NULL, err);
    if (rc == 0)
        rc = book_settled(db, order, state, "", "the cell no longer waits for it", now_ms, err);
    if (rc == 0 && state == ORDER_CANCELLED)
        rc = forget_item(db, order, err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc != 0)
        db_rollback(db);
    return rc;
}

/* ---- notes ------------------------------------------------------------------------------------- */

int book_note(struct db *db, const char *name, const char *value, struct wf_error *err)
{
    return db_do(db, err, "INSERT OR REPLACE INTO notes (name, value) VALUES (?1, ?2)", "tt", name,
                 value);
}

int book_noted(struct db *db, const char *name, struct wf_arena *arena, const char **out,
               struct wf_error *err)
{
    struct db_rows *rows = NULL;
    bool whole = true;
    int rc = db_select(db, err, &rows, "SELECT value FROM notes WHERE name = ?1", "t", name);
    if (rc == 0)
        rc = db_next(rows, err);
    if (rc == 0)
        *out = text_at(rows, 0, arena, &whole);
    db_done(rows);
    return whole ? rc : wf_fail(err, WF_E_NOMEM, "notes: out of memory");
}

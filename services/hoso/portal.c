/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal ...: the outbox of hoso-portal, which may run meanwhile. All but reconcile read or mark
 * rows of its file only; reconcile also asks the cell, as the adapter's party, and the portal.
 */
#include "health.h"

#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "portal/portal.h"

#define PASSES_MS 600000 /* an outage that lasts longer than this does not pass by itself */

static const struct hoso_column status_columns[] = {
    {"process", "Process", "Tiến trình", HOSO_TERM},
    {"told", "Records told", "Bản tin đã gửi", HOSO_NUMBER},
    {"waiting", "Waiting", "Đang chờ", HOSO_NUMBER},
    {"oldest", "  oldest event", "  sự kiện cũ nhất", HOSO_TIME},
    {"held", "Refused, held", "Bị từ chối, giữ lại", HOSO_NUMBER},
    {"dossiers", "Dossiers", "Hồ sơ", HOSO_NUMBER},
    {"position", "Journal read to", "Đã đọc nhật ký đến", HOSO_NUMBER},
};

static const struct hoso_column list_columns[] = {
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"n", "Event", "Sự kiện", HOSO_NUMBER},
    {"record", "Record", "Bản tin", HOSO_TEXT},
    {"status", "Status", "Trạng thái", HOSO_STATUS},
    {"at", "At", "Lúc", HOSO_TIME},
    {"state", "State", "Tình trạng", HOSO_TEXT},
    {"attempts", "Tries", "Lần gửi", HOSO_NUMBER},
    {"reason", "Why", "Lý do", HOSO_TEXT},
};

static const struct hoso_column day_columns[] = {
    {"day", "Day", "Ngày", HOSO_TEXT},         {"procedure", "Procedure", "Thủ tục", HOSO_TEXT},
    {"cell", "Here", "Tại đây", HOSO_NUMBER},  {"portal", "Portal", "Cổng", HOSO_NUMBER},
    {"differ", "Differ", "Lệch", HOSO_NUMBER},
};

static const struct hoso_column difference_columns[] = {
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT}, {"day", "Day", "Ngày", HOSO_TEXT},
    {"cell", "Here", "Tại đây", HOSO_NUMBER0},  {"portal", "Portal", "Cổng", HOSO_NUMBER0},
    {"why", "Why", "Lý do", HOSO_TEXT},
};

/* ---- opening --------------------------------------------------------------------------------- */

struct desk {
    struct adapter adapter;
    struct db *db;
};

static int open_desk(struct hoso *h, bool write, struct desk *out)
{
    struct wf_report report = {0};
    *out = (struct desk){0};
    int rc = hoso_cell(h);
    if (rc != 0)
        return rc;
    rc = adapter_load(&out->adapter, &portal_spec, h->folder, &report, &h->err);
    if (rc != 0 && hoso_print_report(&report) != 0) {
        h->err.code = rc;
        rc = HOSO_FAILED;
    }
    wf_report_fini(&report);
    if (rc == 0 && access(out->adapter.common->database, F_OK) != 0)
        rc = wf_fail(&h->err, WF_E_NOT_FOUND, "%s: not there: hoso-portal has not run yet",
                     out->adapter.common->database);
    if (rc != 0)
        return rc;
    const char *path = out->adapter.common->database;
    return write ? outbox_open(path, &out->db, &h->err) : outbox_look(path, &out->db, &h->err);
}

static void close_desk(struct desk *desk)
{
    db_close(desk->db);
    if (desk->adapter.spec != NULL)
        adapter_unload(&desk->adapter);
}

/* ---- status ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { const char *name, *sql; } figures[] = {
    {"told",     "SELECT count(*) FROM outbox WHERE state = 1"},
    {"waiting",  "SELECT count(*) FROM outbox WHERE state = 0"},
    {"oldest",   "SELECT min(ms) FROM outbox WHERE state = 0"},
    {"held",     "SELECT count(*) FROM outbox WHERE state = 2"},
    {"dossiers", "SELECT count(*) FROM dossiers"},
    {"position", "SELECT seq FROM position"},
};
/* clang-format on */

/* Some reasons go by themselves: a person is asked only when they do not. */
static bool wants_person(int code, int64_t since_ms)
{
    return wf_code_action(code) != WF_RETRY || wf_real_ms() - since_ms > PASSES_MS;
}

/* [{name, since, rc, why, stopped}] of the sides that do not work. */
static int read_sides(struct hoso *h, struct db *db, struct wf_value *out, struct wf_error *err)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, err, &rows, "SELECT name, since, code, reason FROM sides", "");
    while (rc == 0 && (rc = db_next(rows, err)) == 0) {
        int code = (int)db_int(rows, 2);
        (void)wf_list_add(h->arena, out,
                          hoso_map(h, "name", hoso_str(h, db_str(rows, 0)), "since",
                                   wf_int(h->arena, db_int(rows, 1)), "rc",
                                   wf_text(h->arena, wf_code_word(code)), "why",
                                   hoso_str(h, db_str(rows, 3)), "stopped",
                                   wf_bool(wants_person(code, db_int(rows, 1))), NULL));
    }
    db_done(rows);
    return rc < 0 ? rc : 0;
}

/* "the cell: the journal ends ..." of the first side that wants a person; NULL = none. */
static const char *why_stopped(struct hoso *h, const struct wf_value *sides)
{
    for (size_t i = 0; i < wf_value_count(sides); i++) {
        const struct wf_value *side = wf_list_at(sides, i);
        if (wf_value_bool(wf_map_get(side, "stopped"), false))
            return wf_arena_printf(h->arena, "%s: %s", wf_value_text(wf_map_get(side, "name"), ""),
                                   wf_value_text(wf_map_get(side, "why"), ""));
    }
    return NULL;
}

static const struct wf_value *troubles_of(struct hoso *h, const struct adapter_settings *settings,
                                          const struct wf_value *answer)
{
    struct wf_value *list = wf_list(h->arena);
    const char *stopped = why_stopped(h, wf_map_get(answer, "sides"));
    if (settings->enabled && !adapter_is_running(settings))
        (void)wf_list_add(h->arena, list,
                          wf_text(h->arena, h->vi ? "hoso-portal không chạy: xem `hoso status`"
                                                  : "hoso-portal does not run: see `hoso status`"));
    if (stopped != NULL)
        (void)wf_list_add(h->arena, list, wf_text(h->arena, stopped));
    if (wf_value_int(wf_map_get(answer, "held"), 0) > 0)
        (void)wf_list_add(
            h->arena, list,
            wf_text(
                h->arena,
                h->vi
                    ? "có bản tin bị từ chối: `hoso portal list --held`, sửa rồi `hoso portal "
                      "retry`"
                    : "records are refused: `hoso portal list --held`, mend it, then `hoso portal "
                      "retry`"));
    return list;
}

static int status_of(struct hoso *h, struct desk *desk, struct wf_value *out)
{
    struct wf_value *sides = wf_list(h->arena);
    const struct adapter_settings *settings = desk->adapter.common;
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < WF_COUNT(figures); i++) {
        int64_t value = 0;
        rc = db_number(desk->db, &h->err, &value, figures[i].sql, "");
        (void)wf_map_put(h->arena, out, figures[i].name, wf_int(h->arena, value));
    }
    if (rc >= 0)
        rc = read_sides(h, desk->db, sides, &h->err);
    if (rc < 0)
        return rc;
    (void)wf_map_put(h->arena, out, "process",
                     wf_text(h->arena, adapter_is_running(settings) ? "up" : "down"));
    (void)wf_map_put(h->arena, out, "sides", sides);
    const struct wf_value *troubles = troubles_of(h, settings, out);
    (void)wf_map_put(h->arena, out, "troubles", troubles);
    (void)wf_map_put(h->arena, out, "well", wf_bool(wf_value_count(troubles) == 0));
    return 0;
}

int hoso_portal_status(struct hoso *h)
{
    struct desk desk;
    struct wf_value *answer = wf_map(h->arena);
    bool done = false;
    int rc = open_desk(h, false, &desk);
    if (rc == 0)
        rc = status_of(h, &desk, answer);
    close_desk(&desk);
    if (rc == 0)
        rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done) {
        hoso_print_troubles(h, wf_map_get(answer, "troubles"));
        rc = hoso_print_pairs(h, status_columns, WF_COUNT(status_columns), answer);
    }
    return rc == 0 && !wf_value_bool(wf_map_get(answer, "well"), false) ? HOSO_FAILED : rc;
}

/* What cannot be read is not shown: `hoso portal status` says why. */
const struct wf_value *outboxes_value(struct hoso *h, int64_t now)
{
    struct wf_value *list = wf_list(h->arena);
    struct wf_report report = {0};
    struct desk desk = {0};
    struct wf_value *sides = wf_list(h->arena);
    int64_t value[3] = {0};
    if (adapter_load(&desk.adapter, &portal_spec, h->folder, &report, NULL) == 0 &&
        access(desk.adapter.common->database, F_OK) == 0 &&
        outbox_look(desk.adapter.common->database, &desk.db, NULL) == 0) {
        bool is_read = true;
        for (size_t i = 0; i < 3; i++) /* waiting, oldest, held */
            is_read = is_read && db_number(desk.db, NULL, &value[i], figures[i + 1].sql, "") >= 0;
        is_read = is_read && read_sides(h, desk.db, sides, NULL) == 0;
        const char *why = why_stopped(h, sides);
        int64_t age = value[1] > 0 && now > value[1] ? now - value[1] : 0;
        if (is_read)
            (void)wf_list_add(h->arena, list,
                              hoso_map(h, "name", wf_text(h->arena, "portal"), "waiting",
                                       wf_int(h->arena, value[0]), "age_ms", wf_int(h->arena, age),
                                       "held", wf_int(h->arena, value[2]), "stopped",
                                       wf_bool(why != NULL), "why",
                                       wf_text(h->arena, why != NULL ? why : ""), NULL));
    }
    wf_report_fini(&report);
    close_desk(&desk);
    return list;
}

const char *outbox_files(struct hoso *h)
{
    struct wf_report report = {0};
    struct adapter adapter = {0};
    char *path = NULL;
    if (adapter_load(&adapter, &portal_spec, h->folder, &report, NULL) == 0)
        path = wf_arena_printf(h->arena, "%s", adapter.common->database);
    wf_report_fini(&report);
    if (adapter.spec != NULL)
        adapter_unload(&adapter);
    return path != NULL ? dirname(path) : NULL;
}

/* ---- list ------------------------------------------------------------------------------------ */

static const struct wf_value *row_value(struct hoso *h, struct db_rows *row)
{
    bool is_held = db_int(row, 5) == PORTAL_HELD;
    bool is_progress = db_int(row, 2) == PORTAL_PROGRESS;
    return hoso_map(h, "dossier", hoso_str(h, db_str(row, 0)), "n",
                    wf_int(h->arena, db_int(row, 1)), "record",
                    wf_text(h->arena, is_progress ? "progress" : "dossier"), "status",
                    wf_int(h->arena, db_int(row, 3)), "at", wf_int(h->arena, db_int(row, 4)),
                    "state", wf_text(h->arena, is_held ? "held" : "waits"), "attempts",
                    wf_int(h->arena, db_int(row, 6)), "reason", hoso_str(h, db_str(row, 7)), NULL);
}

int hoso_portal_list(struct hoso *h)
{
    struct desk desk;
    struct db_rows *rows = NULL;
    struct wf_value *list = wf_list(h->arena);
    int64_t max = 100;
    bool done = false;
    int rc = hoso_number(h, OPT_MAX, 100, INT64_MAX, &max);
    if (rc != 0)
        return rc;
    rc = open_desk(h, false, &desk);
    if (rc == 0)
        rc = db_select(desk.db, &h->err, &rows,
                       "SELECT code, n, service, status, ms, state, attempts, reason FROM outbox"
                       " WHERE state = 2 OR (?1 = 0 AND state = 0) ORDER BY id LIMIT ?2",
                       "ii", (int64_t)hoso_has(h, OPT_HELD), max > 0 ? max : INT64_MAX);
    while (rc == 0 && (rc = db_next(rows, &h->err)) == 0)
        (void)wf_list_add(h->arena, list, row_value(h, rows));
    db_done(rows);
    close_desk(&desk);
    rc = rc == WF_NONE ? 0 : rc;
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "records", list, NULL), &done);
    if (rc == 0 && !done)
        rc = hoso_print_table(h, list_columns, WF_COUNT(list_columns), list);
    return rc;
}

/* ---- retry ----------------------------------------------------------------------------------- */

int hoso_portal_retry(struct hoso *h)
{
    struct desk desk;
    int64_t retried = 0;
    bool done = false;
    if ((h->n_args == 0) != hoso_has(h, OPT_ALL))
        return wf_fail(&h->err, WF_E_CONFIG, "say which: codes of dossiers, or --all");
    int rc = open_desk(h, true, &desk);
    for (int i = 0; rc == 0 && i < (h->n_args > 0 ? h->n_args : 1); i++) {
        int64_t n = 0;
        rc = outbox_retry(desk.db, h->n_args > 0 ? h->args[i] : NULL, &n, &h->err);
        if (rc == 0 && n == 0 && h->n_args > 0)
            rc = wf_fail(&h->err, WF_E_NOT_FOUND, "%.64s: nothing of it is held", h->args[i]);
        retried += n;
    }
    close_desk(&desk);
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "retried", wf_int(h->arena, retried), NULL), &done);
    if (rc == 0 && !done)
        (void)printf(h->vi ? "%lld bản tin sẽ được gửi lại\n" : "%lld record(s) will go again\n",
                     (long long)retried);
    return rc;
}

/* ---- reconcile ------------------------------------------------------------------------------- */

/* What the portal should have: the status told last, else (not read yet) the cell's own. */
#define EXPECTED "coalesce(d.status, s.cell, 0)"
#define WAITS                                                                                      \
    "EXISTS (SELECT 1 FROM outbox o WHERE o.code = s.code AND o.state = 0)"                        \
    " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.code = s.code AND o.state = 2)"
#define DIFFERS EXPECTED " <> coalesce(s.portal, 0) AND NOT (" WAITS ")"
#define SEEN    " FROM seen s LEFT JOIN dossiers d ON d.code = s.code"

static int read_days(struct hoso *h, struct db *db, struct wf_value *out)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, &h->err, &rows,
                       "SELECT s.day, s.procedure, count(s.cell), count(s.portal),"
                       " sum(" DIFFERS ")" SEEN " GROUP BY 1, 2 ORDER BY 1, 2",
                       "");
    while (rc == 0 && (rc = db_next(rows, &h->err)) == 0) {
        const struct wf_value *row = hoso_map(
            h, "day", hoso_str(h, db_str(rows, 0)), "procedure", hoso_str(h, db_str(rows, 1)),
            "cell", wf_int(h->arena, db_int(rows, 2)), "portal", wf_int(h->arena, db_int(rows, 3)),
            "differ", wf_int(h->arena, db_int(rows, 4)), NULL);
        (void)wf_list_add(h->arena, out, row);
    }
    db_done(rows);
    return rc == WF_NONE ? 0 : rc;
}

static int read_differences(struct hoso *h, struct db *db, struct wf_value *out)
{
    struct db_rows *rows = NULL;
    int rc = db_select(db, &h->err, &rows,
                       "SELECT s.code, s.day, s.procedure, " EXPECTED ", coalesce(s.portal, 0),"
                       " CASE WHEN s.cell IS NULL THEN 'not here' WHEN d.code IS NULL THEN"
                       " 'not read yet' WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.code = s.code"
                       " AND o.state = 2) THEN 'held' WHEN s.portal IS NULL THEN 'not there'"
                       " ELSE 'status' END" SEEN " WHERE " DIFFERS " ORDER BY 2, 1",
                       "");
    while (rc == 0 && (rc = db_next(rows, &h->err)) == 0) {
        const struct wf_value *row = hoso_map(
            h, "dossier", hoso_str(h, db_str(rows, 0)), "day", hoso_str(h, db_str(rows, 1)),
            "procedure", hoso_str(h, db_str(rows, 2)), "cell", wf_int(h->arena, db_int(rows, 3)),
            "portal", wf_int(h->arena, db_int(rows, 4)), "why", hoso_str(h, db_str(rows, 5)), NULL);
        (void)wf_list_add(h->arena, out, row);
    }
    db_done(rows);
    return rc == WF_NONE ? 0 : rc;
}

static int span_of(struct hoso *h, struct portal_span *out)
{
    *out = (struct portal_span){.until_ms = wf_real_ms()};
    int rc = 0;
    if (hoso_has(h, OPT_LAST_DAY))
        rc = hoso_moment(h, h->opt[OPT_LAST_DAY], &out->until_ms);
    out->since_ms = out->until_ms - (int64_t)30 * 86400000;
    if (rc == 0 && hoso_has(h, OPT_FIRST_DAY))
        rc = hoso_moment(h, h->opt[OPT_FIRST_DAY], &out->since_ms);
    if (rc == 0 && out->since_ms > out->until_ms)
        rc = wf_fail(&h->err, WF_E_CONFIG, "--first-day is after --last-day");
    return rc;
}

static int print_reconciled(struct hoso *h, const struct wf_value *days,
                            const struct wf_value *differences)
{
    int rc = hoso_print_table(h, day_columns, WF_COUNT(day_columns), days);
    if (rc != 0 || wf_value_count(differences) == 0)
        return rc;
    (void)puts("");
    return hoso_print_table(h, difference_columns, WF_COUNT(difference_columns), differences);
}

int hoso_portal_reconcile(struct hoso *h)
{
    struct desk desk;
    struct portal_span span;
    struct wf_value *days = wf_list(h->arena);
    struct wf_value *differences = wf_list(h->arena);
    int64_t dossiers = 0;
    bool done = false;
    int rc = span_of(h, &span);
    if (rc != 0)
        return rc;
    rc = open_desk(h, true, &desk);
    if (rc == 0)
        rc = portal_reconcile(&desk.adapter, desk.db, &span, &h->err);
    if (rc == 0)
        rc = db_number(desk.db, &h->err, &dossiers, "SELECT count(cell) FROM seen", "");
    if (rc == 0)
        rc = read_days(h, desk.db, days);
    if (rc == 0)
        rc = read_differences(h, desk.db, differences);
    close_desk(&desk);
    if (rc == 0)
        rc = hoso_answer(h,
                         hoso_map(h, "since", wf_text(h->arena, span.since), "until",
                                  wf_text(h->arena, span.until), "dossiers",
                                  wf_int(h->arena, dossiers), "days", days, "differences",
                                  differences, NULL),
                         &done);
    if (rc == 0 && !done)
        rc = print_reconciled(h, days, differences);
    return rc == 0 && wf_value_count(differences) > 0 ? HOSO_FAILED : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How a station is, from its store and its slot of the board, whether hoso-relay runs or not. */
#include "station.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "children.h"
#include "health.h"

#define OLD_DAYS 5 /* of the seven after which a cell no longer takes a dossier */
#define DAY_MS   INT64_C(86400000)

/* ---- what is no cell -------------------------------------------------------------------------- */

bool hoso_is_station(const struct hoso *h)
{
    return child_is_wanted(h->folder, "relay");
}

#define NOTHING "hoso-relay keeps its file itself, there is nothing to do"

/* What a station has of it; all else is at the cell. */
/* clang-format off */
static const struct {
    const char *verb, *instead;
} instead[] = {
    {"list", "`hoso relay list --all` shows what was taken in here"},
    {"show", "`hoso relay show CODE` shows what was taken in here"},
    {"history", "`hoso relay show CODE` shows what was taken in here"},
    {"top", "`hoso status` tells how it is"},
    {"queue list", "`hoso relay list` shows what waits here"},
    {"queue shape", "`hoso status` tells what waits here"},
    {"init", "`hoso relay init` finishes one"},
    {"backup", "never put an old copy of its file back (docs/relay.md): there is nothing to back up"},
    {"verify", NOTHING},
    {"upgrade", NOTHING},
    {"compact", NOTHING},
    {"dump", NOTHING},
    {"load", NOTHING},
    {"archive", NOTHING},
    {"drain", "just stop it: what waits is handed over when it runs again"},
    {"procedure list", "its definitions are the files of its folder `procedures`"},
    {"procedure install", "copy the definition into its folder `procedures` and start it anew"},
};
/* clang-format on */

int hoso_needs_cell(struct hoso *h)
{
    const char *hint = "ask at the cell";
    if (!hoso_is_station(h))
        return 0;
    for (size_t i = 0; i < WF_COUNT(instead); i++) {
        if (h->verb != NULL && strcmp(instead[i].verb, h->verb->name) == 0)
            hint = instead[i].instead;
    }
    return wf_fail(&h->err, WF_E_CONFIG, "%s is a station, which has no store of dossiers: %s",
                   h->folder, hint);
}

/* ---- opening ---------------------------------------------------------------------------------- */

void station_close(struct station *station)
{
    db_close(station->db);
    relay_unload(&station->relay);
}

int station_open(struct hoso *h, bool write, struct station *out)
{
    struct wf_report report = {0};
    int rc = hoso_calendar(h); /* for dates */
    if (rc == 0)
        rc = relay_load(h->folder, &out->relay, &report, &h->err);
    if (rc != 0 && report.errors > 0)
        rc = hoso_print_report(&report);
    wf_report_fini(&report);
    if (rc != 0 || access(out->relay.settings.database, F_OK) != 0)
        return rc;
    const char *path = out->relay.settings.database;
    return write ? store_open(path, &out->db, &h->err) : store_look(path, &out->db, &h->err);
}

const char *station_files(struct hoso *h)
{
    struct wf_report report = {0};
    struct relay *relay = wf_arena_alloc(h->arena, sizeof(*relay));
    char *path = NULL;
    if (relay != NULL && relay_load(h->folder, relay, &report, NULL) == 0)
        path = wf_arena_printf(h->arena, "%s", relay->settings.database);
    wf_report_fini(&report);
    if (relay != NULL)
        relay_unload(relay);
    return path != NULL ? dirname(path) : NULL;
}

/* ---- reading ---------------------------------------------------------------------------------- */

struct state {
    struct store_figures figures;
    struct wf_str blocked; /* why the cell does not take what is asked; "" = it does */
    int64_t line_up, line_since, heard, skew;
    const char *process; /* as process_state says */
    struct wf_value *row;
    uint64_t disk_free, disk_floor; /* bytes */
    bool has_room, has_run;
};

static int read_store(struct hoso *h, struct db *db, struct state *out)
{
    const struct {
        const char *name;
        int64_t *value;
    } facts[] = {{"line_up", &out->line_up},
                 {"line_since", &out->line_since},
                 {"heard", &out->heard},
                 {"skew", &out->skew}};
    if (db == NULL)
        return 0;
    int rc = store_figures(db, &out->figures, &h->err);
    for (size_t i = 0; rc == 0 && i < WF_COUNT(facts); i++)
        rc = store_fact(db, facts[i].name, facts[i].value, &h->err);
    return rc == 0 ? store_fact_text(db, "blocked", h->arena, &out->blocked, &h->err) : rc;
}

static int read_board(struct hoso *h, struct state *out)
{
    struct wf_board *board = NULL;
    if (mkdir(h->settings.run, 0700) != 0 && errno != EEXIST)
        return wf_fail(&h->err, WF_E_IO, "%s: %s", h->settings.run, strerror(errno));
    int rc = wf_board_open(h->settings.run, &board, &h->err);
    if (rc != 0)
        return rc;
    out->process = process_state(h, board, WF_BOARD_relay);
    out->row = process_row(h, board, WF_BOARD_relay);
    wf_board_close(board);
    int64_t heard =
        wf_value_int(wf_value_at(out->row, "figures.last_heard_timestamp_seconds"), 0) * 1000;
    if (heard > out->heard)
        out->heard = heard;
    return 0;
}

static void read_disk(const struct station *station, struct state *out)
{
    struct statvfs is;
    out->disk_floor = relay_room(&station->relay);
    if (statvfs(station->relay.cell.folder, &is) == 0)
        out->disk_free = (uint64_t)is.f_bavail * is.f_frsize;
    out->has_room = out->disk_free >= out->disk_floor;
}

/* ---- what needs a person ---------------------------------------------------------------------- */

static void add_problems(struct problems *p, const struct state *is, int64_t age_ms)
{
    bool is_up = strcmp(is->process, "down") != 0;
    /* clang-format off */
    const struct {
        bool is_so, critical;
        const char *code, *en, *vi, *cure_en, *cure_vi;
    } rows[] = {
        {is->figures.refused > 0, false, "handoff_refused",
         "the cell has refused what a receipt was given for", "có hồ sơ đã cấp biên nhận nhưng bị từ chối",
         "`hoso relay list`, tell the citizen, then `hoso relay drop`",
         "`hoso relay list`, báo người dân, rồi `hoso relay drop`"},
        {!is_up, true, "not_running",
         "the station is not running", "trạm không chạy",
         "`hoso run` starts it; if it runs, read the log of hoso-relay",
         "`hoso run` để khởi động; nếu đang chạy, xem nhật ký của hoso-relay"},
        {is->has_run && is->figures.numbers == 0, true, "numbers_out",
         "no provisional numbers are left", "đã hết số tạm",
         "nothing is taken until the line is up: then more are reserved",
         "không nhận thêm hồ sơ cho đến khi có đường truyền"},
        {age_ms > OLD_DAYS * DAY_MS, true, "handoff_old",
         "what waits grows too old for the cell", "hồ sơ chờ quá lâu",
         "raise relay_max_age_ms at the cell before the line is back",
         "tăng relay_max_age_ms ở cụm trước khi có lại đường truyền"},
        {is_up && is->skew != 0, true, "clock_off",
         "its clock differs from the cell's", "đồng hồ của trạm bị lệch",
         "nothing is taken until it is set", "không nhận thêm hồ sơ cho đến khi chỉnh lại"},
        {!is->has_room, true, "intake_stopped",
         "its disk is nearly full", "ổ đĩa của trạm gần đầy",
         "nothing is taken until there is room", "không nhận thêm hồ sơ cho đến khi có chỗ trống"},
        {is->blocked.len > 0, true, "line_blocked",
         is->blocked.ptr, is->blocked.ptr,
         "the cell does not take what is asked: docs/relay.md", "cụm không nhận: xem docs/relay.md"},
    };
    /* clang-format on */
    bool vi = p->h->vi;
    if (is_up)
        problems_of_process(p, "relay", is->process);
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (rows[i].is_so)
            problems_add(p, rows[i].code, rows[i].critical, "", vi ? rows[i].vi : rows[i].en,
                         vi ? rows[i].cure_vi : rows[i].cure_en);
    }
}

/* ---- the answer ------------------------------------------------------------------------------- */

static const char *line_word(const struct state *is)
{
    return strcmp(is->process, "down") == 0 ? "unknown" : is->line_up != 0 ? "up" : "down";
}

static const struct wf_value *answer_of(struct hoso *h, const struct state *is)
{
    struct problems p = {.h = h, .list = wf_list(h->arena), .lines = wf_list(h->arena)};
    struct wf_value *processes = wf_list(h->arena);
    const struct store_figures *f = &is->figures;
    int64_t now = wf_real_ms();
    int64_t age_ms = f->oldest != 0 && now > f->oldest ? now - f->oldest : 0;
    bool is_up = strcmp(is->process, "down") != 0;
    add_problems(&p, is, age_ms);
    bool is_well = wf_value_count(p.list) == 0;
    (void)wf_list_add(h->arena, processes, is->row);
    /* clang-format off */
    return hoso_map(h,
        "well", wf_bool(is_well),
        "level", wf_text(h->arena, p.is_critical ? "critical" : is_well ? "ok" : "warning"),
        "problems", p.list,
        "troubles", p.lines,
        "station", wf_text(h->arena, h->settings.cell),
        "process", wf_text(h->arena, is->process),
        "line", wf_text(h->arena, line_word(is)),
        "since", wf_int(h->arena, is_up ? is->line_since : 0),
        "heard", wf_int(h->arena, is->heard),
        "waiting", wf_int(h->arena, f->waiting),
        "oldest", wf_int(h->arena, f->oldest),
        "oldest_ms", wf_int(h->arena, age_ms),
        "refused", wf_int(h->arena, f->refused),
        "taken", wf_int(h->arena, f->taken),
        "numbers", wf_int(h->arena, f->numbers),
        "line_up", wf_bool(is_up && is->line_up != 0),
        "disk_free_bytes", wf_int(h->arena, (int64_t)is->disk_free),
        "disk_floor_bytes", wf_int(h->arena, (int64_t)is->disk_floor),
        "processes", processes,
        NULL);
    /* clang-format on */
}

int station_health(struct hoso *h, const struct wf_value **out)
{
    struct state is = {.blocked = {"", 0}};
    struct station *station = wf_arena_alloc(h->arena, sizeof(*station));
    if (station == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    int rc = station_open(h, false, station);
    if (rc == 0)
        rc = read_store(h, station->db, &is);
    if (rc == 0)
        rc = read_board(h, &is);
    if (rc == 0) {
        is.has_run = station->db != NULL;
        read_disk(station, &is);
        *out = answer_of(h, &is);
    }
    station_close(station);
    return rc;
}

static const struct hoso_column columns[] = {
    {"station", "Station", "Trạm", HOSO_TEXT},
    {"process", "Process", "Tiến trình", HOSO_TERM},
    {"line", "Line to the cell", "Đường truyền", HOSO_TERM},
    {"since", "  since", "  từ lúc", HOSO_TIME},
    {"heard", "Cell last heard", "Liên lạc gần nhất", HOSO_TIME},
    {"waiting", "Waiting for the line", "Đang chờ chuyển", HOSO_NUMBER},
    {"oldest_ms", "  the oldest for", "  lâu nhất", HOSO_SPAN},
    {"refused", "Refused by the cell", "Bị từ chối", HOSO_NUMBER},
    {"taken", "Taken by the cell", "Đã chuyển xong", HOSO_NUMBER},
    {"numbers", "Provisional numbers left", "Số tạm còn lại", HOSO_NUMBER},
    {"disk_free_bytes", "Disk, free", "Đĩa còn trống", HOSO_BYTES},
};

/* A line is not up as a process is: in Vietnamese these are other words. */
static const char *line_in_vietnamese(const struct wf_value *answer)
{
    const char *word = wf_value_text(wf_map_get(answer, "line"), "");
    return strcmp(word, "up") == 0 ? "thông" : strcmp(word, "down") == 0 ? "bị gián đoạn" : word;
}

int station_print(struct hoso *h, const struct wf_value *answer)
{
    struct wf_value *shown = wf_map(h->arena);
    for (size_t i = 0; i < WF_COUNT(columns); i++)
        (void)wf_map_put(h->arena, shown, columns[i].key, wf_map_get(answer, columns[i].key));
    if (h->vi)
        (void)wf_map_put(h->arena, shown, "line", wf_text(h->arena, line_in_vietnamese(answer)));
    hoso_print_troubles(h, wf_map_get(answer, "troubles"));
    return hoso_print_pairs(h, columns, WF_COUNT(columns), shown);
}

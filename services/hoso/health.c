/* SPDX-License-Identifier: Apache-2.0 */
/* The health of a cell as one answer: figures of the store, rows of the board, and the problems. */
#include "health.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "archive.h"
#include "children.h"
#include "station.h"

struct health {
    struct hoso *h;
    struct figures figures;
    struct wf_board *board;
    struct problems problems;
};

static const struct wf_value *number(struct hoso *h, uint64_t n)
{
    return wf_int(h->arena, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static bool is_running(struct health *is)
{
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++) {
        if (strcmp(worker_state(is->h, is->board, (enum wf_service)s), "down") != 0)
            return true;
    }
    return false;
}

static const struct wf_value *workers_of(struct health *is, bool runs)
{
    struct hoso *h = is->h;
    struct wf_value *list = wf_list(h->arena);
    for (unsigned i = 0; i < WF_SERVICE_COUNT; i++) {
        enum wf_service s = (enum wf_service)i;
        struct wf_value *row = worker_row(h, &is->figures, is->board, s);
        const char *state = wf_value_text(wf_map_get(row, "state"), "");
        (void)wf_list_add(h->arena, list, row);
        problems_of_worker(&is->problems, &is->figures, s, runs ? state : NULL);
    }
    return list;
}

/* Is the process to run in this cell? One that runs unasked is shown as well. */
static bool is_wanted(const struct hoso *h, enum wf_board_process process)
{
    const char *const listens[WF_BOARD_PROCESS_COUNT] = {
        [WF_BOARD_gate] = h->settings.gate_listen, [WF_BOARD_bridge] = h->settings.bridge_listen};
    if (listens[process] != NULL)
        return listens[process][0] != '\0';
    return child_is_wanted(h->folder, wf_board_process_name(process)); /* an adapter */
}

static const struct wf_value *processes_of(struct health *is, bool runs)
{
    struct hoso *h = is->h;
    struct wf_value *list = wf_list(h->arena);
    for (unsigned i = 0; i < WF_BOARD_PROCESS_COUNT; i++) {
        enum wf_board_process process = (enum wf_board_process)i;
        const char *state = process_state(h, is->board, process);
        bool wanted = is_wanted(h, process);
        if (!wanted && strcmp(state, "down") == 0)
            continue;
        const struct wf_value *row = process_row(h, is->board, process);
        (void)wf_list_add(h->arena, list, row);
        if (wanted && runs)
            problems_of_process(&is->problems, wf_board_process_name(process), state);
        problems_of_adapter(&is->problems, row);
    }
    return list;
}

static const struct wf_value *dossiers_of(struct health *is)
{
    struct hoso *h = is->h;
    const struct figures *f = &is->figures;
    /* clang-format off */
    return hoso_map(h,
        "open", number(h, f->counts.open),
        "closed", number(h, f->counts.closed),
        "overdue", number(h, f->overdue),
        "due_soon", number(h, f->due_soon),
        "by_procedure", f->by_procedure,
        "by_state", f->by_state,
        NULL);
    /* clang-format on */
}

static const struct wf_value *store_of(struct health *is)
{
    struct hoso *h = is->h;
    const struct wf_store_space *space = &is->figures.space;
    /* clang-format off */
    return hoso_map(h,
        "used_bytes", number(h, space->used_bytes),
        "file_bytes", number(h, space->file_bytes),
        "map_bytes", number(h, space->map_bytes),
        "stop_bytes", number(h, space->stop_bytes),
        "disk_free_bytes", number(h, space->disk_free_bytes),
        "disk_floor_bytes", number(h, space->disk_floor_bytes),
        "used_percent", number(h, space->used_percent),
        "readers", number(h, space->readers),
        "oldest_reader", number(h, space->oldest_reader),
        "intake_stopped", wf_bool(space->intake_stopped),
        NULL);
    /* clang-format on */
}

static const struct wf_value *holds_of(struct health *is)
{
    struct hoso *h = is->h;
    const struct wf_counts *counts = &is->figures.counts;
    int64_t items = 0;
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++)
        items += counts->held[s];
    /* clang-format off */
    return hoso_map(h,
        "in_force", number(h, counts->holds),
        "releasing", number(h, counts->releasing),
        "cell", wf_bool(is->figures.cell_on_hold),
        "items", wf_int(h->arena, items),
        "timers", number(h, counts->held_timers),
        "tasks", number(h, counts->held_tasks),
        NULL);
    /* clang-format on */
}

static const struct wf_value *answer_of(struct health *is)
{
    struct hoso *h = is->h;
    const struct figures *f = &is->figures;
    bool runs = is_running(is);
    int64_t rate = wf_store_clock(h->store).rate;
    problems_of_cell(&is->problems, f, runs);
    const struct wf_value *workers = workers_of(is, runs);
    const struct wf_value *processes = processes_of(is, runs);
    const struct wf_value *outboxes = outboxes_value(h, f->now);
    for (size_t i = 0; i < wf_value_count(outboxes); i++)
        problems_of_outbox(&is->problems, wf_list_at(outboxes, i));
    bool is_well = wf_value_count(is->problems.list) == 0;
    const char *level = is->problems.is_critical ? "critical" : is_well ? "ok" : "warning";
    /* clang-format off */
    return hoso_map(h,
        "well", wf_bool(is_well),
        "level", wf_text(h->arena, level),
        "problems", is->problems.list,
        "troubles", is->problems.lines,
        "cell", hoso_str(h, wf_store_meta(h->store)->cell),
        "now", wf_int(h->arena, f->now),
        "rate", rate > 1 ? wf_int(h->arena, rate) : &wf_null,
        "dossiers", dossiers_of(is),
        "journal", number(h, f->counts.journal_seq),
        "timers", number(h, f->counts.timers),
        "holds", holds_of(is),
        "subscribers", f->subscribers,
        "store", store_of(is),
        "archive", archive_value(h, &f->archive),
        "outboxes", outboxes,
        "workers", workers,
        "processes", processes,
        NULL);
    /* clang-format on */
}

int hoso_health(struct hoso *h, const struct wf_value **out)
{
    struct health is = {
        .h = h, .problems = {.h = h, .list = wf_list(h->arena), .lines = wf_list(h->arena)}};
    int rc = hoso_cell(h);
    if (rc == 0 && hoso_is_station(h))
        return station_health(h, out);
    if (rc == 0)
        rc = figures_read(h, &is.figures);
    if (rc == 0 && mkdir(h->settings.run, 0700) != 0 && errno != EEXIST)
        rc = wf_fail(&h->err, WF_E_IO, "%s: %s", h->settings.run, strerror(errno));
    if (rc == 0)
        rc = wf_board_open(h->settings.run, &is.board, &h->err);
    if (rc != 0)
        return rc;
    *out = answer_of(&is);
    wf_board_close(is.board);
    return 0;
}

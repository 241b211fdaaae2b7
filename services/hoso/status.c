/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: is all well? Counters come from the store, the workers' figures from their board; nobody
 * is asked, so the answer comes even when a worker hangs. What needs a person is listed in words
 * and makes the exit code 1.
 */
#include "hoso.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define LATE_MS 10000 /* an item that is due for so long: its worker does not keep up */

static const struct hoso_column cell_columns[] = {
    {"cell", "Cell", "Cụm", HOSO_TEXT},
    {"now", "Time of the cell", "Giờ của cụm", HOSO_TIME},
    {"rate", "Training, times as fast", "Tập huấn, nhanh gấp", HOSO_NUMBER},
    {"dossiers.open", "Dossiers open", "Hồ sơ đang xử lý", HOSO_NUMBER},
    {"dossiers.overdue", "  of them overdue", "  trong đó quá hạn", HOSO_NUMBER},
    {"dossiers.closed", "Dossiers closed", "Hồ sơ đã kết thúc", HOSO_NUMBER},
    {"journal", "Events in the journal", "Sự kiện trong nhật ký", HOSO_NUMBER},
    {"timers", "Timers armed", "Hẹn giờ", HOSO_NUMBER},
    {"store.used_bytes", "Store, in use", "Kho dữ liệu, đang dùng", HOSO_BYTES},
    {"store.map_bytes", "Store, limit", "Kho dữ liệu, giới hạn", HOSO_BYTES},
    {"store.disk_free_bytes", "Disk, free", "Đĩa còn trống", HOSO_BYTES},
};

static const struct hoso_column worker_columns[] = {
    {"service", "Service", "Dịch vụ", HOSO_TEXT},
    {"state", "Worker", "Tiến trình", HOSO_TERM},
    {"pid", "Pid", "Pid", HOSO_NUMBER0},
    {"queued", "Queued", "Hàng đợi", HOSO_NUMBER},
    {"tasks", "Tasks", "Việc mở", HOSO_NUMBER},
    {"dead", "Dead", "Lỗi hẳn", HOSO_NUMBER},
    {"done", "Done", "Đã xong", HOSO_NUMBER},
    {"commits", "Commits", "Lần ghi", HOSO_NUMBER},
    {"refused", "Refused", "Từ chối", HOSO_NUMBER},
    {"commit_us", "Last commit, us", "Lần ghi cuối, us", HOSO_NUMBER0},
    {"last_commit", "At", "Lúc", HOSO_TIME},
};

/* What is read in one transaction. */
struct figures {
    struct wf_counts counts;
    struct wf_store_space space;
    int64_t now, real;
    int64_t overdue;
    int64_t late_ms[WF_SERVICE_COUNT];
    struct wf_arena *row; /* one dossier at a time */
};

static int count_one(void *context, const struct wf_rec_dossier *dossier)
{
    struct figures *f = context;
    (void)dossier;
    f->overdue++;
    wf_arena_reset(f->row);
    return 0;
}

static int read_figures(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct figures *f = context;
    struct wf_clock clock = wf_store_clock(h->store);
    f->counts = *wf_txn_counts(txn);
    f->real = wf_real_ms();
    f->now = wf_business_ms(&clock, f->real);
    const struct wf_dossier_filter overdue = {.due_before = f->now, .open_only = true};
    int rc = wf_dossier_each(txn, &overdue, f->row, count_one, f, &h->err);
    for (unsigned s = 0; s < WF_SERVICE_COUNT && rc == 0; s++) {
        int64_t due = INT64_MAX;
        rc = wf_queue_next_due(txn, (enum wf_service)s, &due, &h->err);
        f->late_ms[s] = due < f->real ? f->real - due : 0;
    }
    return rc;
}

/* ---- what needs a person ----------------------------------------------------------------------
 */

static void trouble(struct hoso *h, struct wf_value *list, const char *fmt, ...) WF_PRINTF(3, 4);

static void trouble(struct hoso *h, struct wf_value *list, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)wf_list_add(h->arena, list, wf_text(h->arena, text));
}

/* Slots are written by other processes while we read. */
static int64_t peek(const int64_t *at)
{
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static const char *state_of(const struct wf_board_slot *slot, int64_t watchdog_ms)
{
    int64_t pid = peek(&slot->pid);
    int64_t since = peek(&slot->writing_since_ms);
    if (pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
        return "down";
    if (peek(&slot->ready) == 0)
        return "starting";
    return since > 0 && wf_monotonic_ms() - since > watchdog_ms ? "stuck" : "up";
}

static bool is_running(struct hoso *h, struct wf_board *board)
{
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++) {
        const struct wf_board_slot *slot = wf_board_slot(board, (enum wf_service)s);
        if (state_of(slot, h->settings.watchdog_ms)[0] != 'd')
            return true;
    }
    return false;
}

static const struct wf_value *worker_row(struct hoso *h, const struct figures *f, unsigned s,
                                         struct wf_board *board, bool runs,
                                         struct wf_value *troubles)
{
    const char *name = wf_service_word((enum wf_service)s);
    const struct wf_board_slot *slot = wf_board_slot(board, (enum wf_service)s);
    const char *state = state_of(slot, h->settings.watchdog_ms);
    bool is_down = state[0] == 'd';
    if (state[0] != 'u' && runs)
        trouble(h, troubles, h->vi ? "%s: tiến trình không bình thường (%s)" : "%s: worker is %s",
                name, state);
    if (f->counts.dead[s] > 0)
        trouble(h, troubles,
                h->vi ? "%s: việc lỗi hẳn: %" PRId64 ": xem `hoso queue list --dead`"
                      : "%s: dead letters: %" PRId64 ": see `hoso queue list --dead`",
                name, f->counts.dead[s]);
    if (!is_down && f->late_ms[s] > LATE_MS)
        trouble(h, troubles,
                h->vi ? "%s: hàng đợi chậm %" PRId64 " giây"
                      : "%s: its queue is %" PRId64 " s behind",
                name, f->late_ms[s] / 1000);
    /* clang-format off */
    return hoso_map(h,
        "service", wf_text(h->arena, name),
        "state", wf_text(h->arena, state),
        "pid", wf_int(h->arena, is_down ? 0 : peek(&slot->pid)),
        "started", wf_int(h->arena, peek(&slot->started_real_ms)),
        "queued", wf_int(h->arena, f->counts.queued[s]),
        "behind_ms", wf_int(h->arena, f->late_ms[s]),
        "tasks", wf_int(h->arena, f->counts.tasks[s]),
        "dead", wf_int(h->arena, f->counts.dead[s]),
        "done", wf_int(h->arena, f->counts.done[s]),
        "commits", wf_int(h->arena, peek(&slot->commits)),
        "messages", wf_int(h->arena, peek(&slot->messages)),
        "items", wf_int(h->arena, peek(&slot->items)),
        "timers", wf_int(h->arena, peek(&slot->timers)),
        "refused", wf_int(h->arena, peek(&slot->refused)),
        "last_batch", wf_int(h->arena, peek(&slot->last_batch)),
        "commit_us", wf_int(h->arena, peek(&slot->commit_us)),
        "last_commit", wf_int(h->arena, peek(&slot->last_commit_real_ms)),
        NULL);
    /* clang-format on */
}

static const struct wf_value *number(struct hoso *h, uint64_t n)
{
    return wf_int(h->arena, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static const struct wf_value *answer_of(struct hoso *h, const struct figures *f,
                                        struct wf_board *board, struct wf_value *troubles)
{
    struct wf_value *workers = wf_list(h->arena);
    bool runs = is_running(h, board);
    if (!runs)
        trouble(h, troubles,
                h->vi ? "cụm không chạy: `hoso run` để khởi động"
                      : "the cell is not running: `hoso run` starts it");
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++)
        (void)wf_list_add(h->arena, workers, worker_row(h, f, s, board, runs, troubles));
    if (f->space.intake_stopped)
        trouble(h, troubles,
                h->vi ? "ngừng tiếp nhận: kho dữ liệu đầy %u %%, đĩa còn %" PRIu64
                        " MiB: tăng map_mib trong hoso.cfg hoặc dọn đĩa"
                      : "intake is stopped: store %u %% full, disk %" PRIu64
                        " MiB free: raise map_mib in hoso.cfg or make room",
                f->space.used_percent, f->space.disk_free_bytes >> 20);
    int64_t rate = wf_store_clock(h->store).rate;
    /* clang-format off */
    return hoso_map(h,
        "well", wf_bool(wf_value_count(troubles) == 0),
        "troubles", troubles,
        "cell", hoso_str(h, wf_store_meta(h->store)->cell),
        "now", wf_int(h->arena, f->now),
        "rate", rate > 1 ? wf_int(h->arena, rate) : &wf_null,
        "dossiers", hoso_map(h,
            "open", number(h, f->counts.open),
            "closed", number(h, f->counts.closed),
            "overdue", wf_int(h->arena, f->overdue), NULL),
        "journal", number(h, f->counts.journal_seq),
        "timers", number(h, f->counts.timers),
        "store", hoso_map(h,
            "used_bytes", number(h, f->space.used_bytes),
            "file_bytes", number(h, f->space.file_bytes),
            "map_bytes", number(h, f->space.map_bytes),
            "disk_free_bytes", number(h, f->space.disk_free_bytes),
            "used_percent", number(h, f->space.used_percent),
            "readers", number(h, f->space.readers),
            "intake_stopped", wf_bool(f->space.intake_stopped), NULL),
        "workers", workers,
        NULL);
    /* clang-format on */
}

static int print_status(struct hoso *h, const struct wf_value *answer)
{
    const struct wf_value *troubles = wf_map_get(answer, "troubles");
    bool well = wf_value_count(troubles) == 0;
    (void)puts(well ? (h->vi ? "Mọi việc bình thường." : "All is well.")
                    : (h->vi ? "Cần người xem xét:" : "Needs a person:"));
    for (size_t i = 0; i < wf_value_count(troubles); i++)
        (void)printf("  %s\n", wf_value_text(wf_list_at(troubles, i), ""));
    (void)puts("");
    int rc = hoso_print_pairs(h, cell_columns, WF_COUNT(cell_columns), answer);
    (void)puts("");
    if (rc == 0)
        rc = hoso_print_table(h, worker_columns, WF_COUNT(worker_columns),
                              wf_map_get(answer, "workers"));
    return rc;
}

int hoso_status(struct hoso *h)
{
    struct figures f = {.row = wf_arena_new(0)};
    struct wf_board *board = NULL;
    struct wf_value *troubles = wf_list(h->arena);
    bool done = false;
    int rc = f.row != NULL ? hoso_read(h, read_figures, &f)
                           : wf_fail(&h->err, WF_E_NOMEM, "status: out of memory");
    wf_arena_free(f.row);
    if (rc == 0)
        rc = wf_store_space(h->store, &f.space, &h->err);
    if (rc == 0 && mkdir(h->settings.run, 0700) != 0 && errno != EEXIST)
        rc = wf_fail(&h->err, WF_E_IO, "%s: %s", h->settings.run, strerror(errno));
    if (rc == 0)
        rc = wf_board_open(h->settings.run, &board, &h->err);
    if (rc != 0)
        return rc;
    const struct wf_value *answer = answer_of(h, &f, board, troubles);
    wf_board_close(board);
    rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done)
        rc = print_status(h, answer);
    return rc == 0 && wf_value_count(troubles) > 0 ? HOSO_FAILED : rc;
}

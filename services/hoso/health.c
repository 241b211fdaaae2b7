/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The health of a cell as one answer: status prints it, metrics and the monitoring plugin take
 * their figures from it. Counters come from the store, the workers' figures from their board;
 * nobody is asked, so the answer comes even when a worker hangs.
 */
#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "archive.h"

#define LATE_MS      10000 /* an item that is due for so long: its worker does not keep up */
#define VERY_LATE_MS 60000
#define FILLING      70 /* per cent of the store's limit: time to think of room */

/* What is read in one transaction. */
struct figures {
    struct wf_counts counts;
    struct wf_store_space space;
    int64_t now, real;
    int64_t overdue;
    int64_t late_ms[WF_SERVICE_COUNT];
    struct wf_archive_state archive;
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
    return rc == 0 ? wf_archive_state(txn, &f->archive, &h->err) : rc;
}

/* ---- what needs a person --------------------------------------------------------------------- */

struct health {
    struct hoso *h;
    const struct figures *figures;
    struct wf_board *board;
    struct wf_value *problems;
    struct wf_value *troubles; /* the same, as one line each */
    bool is_critical;
};

/* One problem: its stable word, whom it concerns ("" = the cell), what is wrong and what to do. */
static void problem(struct health *is, const char *code, bool critical, const char *service,
                    const char *what, const char *cure)
{
    struct hoso *h = is->h;
    bool has_service = service[0] != '\0';
    char text[400];
    (void)snprintf(text, sizeof(text), "%s%s%s: %s", service, has_service ? ": " : "", what, cure);
    (void)wf_list_add(h->arena, is->troubles, wf_text(h->arena, text));
    /* clang-format off */
    (void)wf_list_add(h->arena, is->problems, hoso_map(h,
        "code", wf_text(h->arena, code),
        "level", wf_text(h->arena, critical ? "critical" : "warning"),
        "service", wf_text(h->arena, service),
        "what", wf_text(h->arena, what),
        "cure", wf_text(h->arena, cure),
        NULL));
    /* clang-format on */
    is->is_critical = is->is_critical || critical;
}

/* Slots are written by other processes while we read. */
static int64_t peek(const int64_t *at)
{
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* Is the process there, but stopped by a signal or a debugger? */
static bool is_halted(int64_t pid)
{
    char path[64];
    char line[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool got = fgets(line, sizeof(line), file) != NULL;
    (void)fclose(file);
    const char *state = got ? strrchr(line, ')') : NULL;
    return state != NULL && (state[2] == 'T' || state[2] == 't');
}

static const char *state_of(const struct wf_board_slot *slot, int64_t watchdog_ms)
{
    int64_t pid = peek(&slot->pid);
    int64_t since = peek(&slot->writing_since_ms);
    if (pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
        return "down";
    if (is_halted(pid))
        return "halted";
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

/* What to do about a worker that is not up. */
static void worker_problem(struct health *is, const char *name, const char *state)
{
    static const struct {
        const char *state, *code, *en, *vi, *cure_en, *cure_vi;
    } rows[] = {
        {"down", "worker_down", "worker is down", "tiến trình không chạy",
         "`hoso run` starts it again within seconds; if not, look into its log",
         "`hoso run` sẽ khởi động lại trong vài giây; nếu không, xem nhật ký"},
        {"halted", "worker_halted", "worker is halted", "tiến trình bị dừng", "kill -CONT its pid",
         "kill -CONT số pid"},
        {"stuck", "worker_stuck", "worker is stuck", "tiến trình bị treo",
         "the watchdog of `hoso run` ends it; look into its log",
         "`hoso run` sẽ kết thúc nó; xem "
         "nhật ký"},
        {"starting", "worker_starting", "worker is starting", "tiến trình đang khởi động",
         "wait a moment", "chờ một lát"},
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (strcmp(rows[i].state, state) == 0)
            problem(is, rows[i].code, strcmp(state, "starting") != 0, name,
                    is->h->vi ? rows[i].vi : rows[i].en,
                    is->h->vi ? rows[i].cure_vi : rows[i].cure_en);
    }
}

static void queue_problems(struct health *is, unsigned s, const char *name, bool is_down)
{
    const struct figures *f = is->figures;
    bool vi = is->h->vi;
    char what[128];
    if (f->counts.dead[s] > 0) {
        (void)snprintf(what, sizeof(what), vi ? "việc lỗi hẳn: %" PRId64 : "dead letters: %" PRId64,
                       f->counts.dead[s]);
        problem(is, "dead_letters", false, name, what,
                vi ? "xem `hoso queue list --dead`, rồi `hoso queue retry` hoặc `drop`"
                   : "see `hoso queue list --dead`, then `hoso queue retry` or `drop`");
    }
    if (is_down || f->late_ms[s] <= LATE_MS)
        return;
    (void)snprintf(what, sizeof(what),
                   vi ? "hàng đợi chậm %" PRId64 " giây" : "its queue is %" PRId64 " s behind",
                   f->late_ms[s] / 1000);
    problem(is, "queue_behind", f->late_ms[s] > VERY_LATE_MS, name, what,
            vi ? "xem `hoso queue shape`" : "see `hoso queue shape`");
}

static void space_problems(struct health *is)
{
    const struct wf_store_space *space = &is->figures->space;
    bool vi = is->h->vi;
    char what[160];
    (void)snprintf(what, sizeof(what),
                   vi ? "kho dữ liệu đầy %u %%, đĩa còn %" PRIu64 " MiB"
                      : "store %u %% full, disk %" PRIu64 " MiB free",
                   space->used_percent, space->disk_free_bytes >> 20);
    const char *cure =
        vi ? "tăng map_mib trong hoso.cfg hoặc dọn đĩa" : "raise map_mib in hoso.cfg or make room";
    if (space->intake_stopped) {
        char stopped[200];
        (void)snprintf(stopped, sizeof(stopped),
                       vi ? "ngừng tiếp nhận: %s" : "intake is stopped: %s", what);
        problem(is, "intake_stopped", true, "", stopped, cure);
    } else if (space->used_percent >= FILLING ||
               space->disk_free_bytes >> 20 < 2 * (uint64_t)is->h->settings.min_free_mib) {
        problem(is, "store_filling", false, "", what, cure);
    }
}

#define ARCHIVE_LATE_MS      60000
#define ARCHIVE_VERY_LATE_MS 600000

static void archive_problems(struct health *is)
{
    const struct wf_archive_state *archive = &is->figures->archive;
    int64_t lag = archive->waiting > 0 ? is->figures->real - archive->since_ms : 0;
    char what[160];
    if (lag <= ARCHIVE_LATE_MS)
        return;
    (void)snprintf(what, sizeof(what),
                   is->h->vi ? "lưu trữ thay đổi chậm %" PRId64 " giây"
                             : "the archive is %" PRId64 " s behind",
                   lag / 1000);
    problem(is, "archive_behind", lag > ARCHIVE_VERY_LATE_MS, "", what,
            is->h->vi ? "xem đĩa của thư mục lưu trữ và nhật ký của `hoso run`"
                      : "look at the disk of its folder and into the log of `hoso run`");
}

static const struct wf_value *worker_row(struct health *is, unsigned s, bool runs)
{
    struct hoso *h = is->h;
    const struct figures *f = is->figures;
    const char *name = wf_service_word((enum wf_service)s);
    const struct wf_board_slot *slot = wf_board_slot(is->board, (enum wf_service)s);
    const char *state = state_of(slot, h->settings.watchdog_ms);
    bool is_down = state[0] == 'd';
    if (runs)
        worker_problem(is, name, state);
    queue_problems(is, s, name, is_down);
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

static const struct wf_value *answer_of(struct health *is)
{
    struct hoso *h = is->h;
    const struct figures *f = is->figures;
    struct wf_value *workers = wf_list(h->arena);
    bool runs = is_running(h, is->board);
    if (!runs)
        problem(is, "not_running", true, "", h->vi ? "cụm không chạy" : "the cell is not running",
                h->vi ? "`hoso run` để khởi động" : "`hoso run` starts it");
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++)
        (void)wf_list_add(h->arena, workers, worker_row(is, s, runs));
    space_problems(is);
    archive_problems(is);
    const char *level = is->is_critical                    ? "critical"
                        : wf_value_count(is->problems) > 0 ? "warning"
                                                           : "ok";
    int64_t rate = wf_store_clock(h->store).rate;
    /* clang-format off */
    return hoso_map(h,
        "well", wf_bool(wf_value_count(is->problems) == 0),
        "level", wf_text(h->arena, level),
        "problems", is->problems,
        "troubles", is->troubles,
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
        "archive", archive_value(h, &f->archive),
        "workers", workers,
        NULL);
    /* clang-format on */
}

int hoso_health(struct hoso *h, const struct wf_value **out)
{
    struct figures f = {.row = wf_arena_new(0)};
    struct health is = {
        .h = h, .figures = &f, .problems = wf_list(h->arena), .troubles = wf_list(h->arena)};
    int rc = f.row != NULL ? hoso_read(h, read_figures, &f)
                           : wf_fail(&h->err, WF_E_NOMEM, "health: out of memory");
    wf_arena_free(f.row);
    if (rc == 0)
        rc = wf_store_space(h->store, &f.space, &h->err);
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

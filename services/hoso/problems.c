/* SPDX-License-Identifier: Apache-2.0 */
/* What needs a person: one problem is a stable word, how bad it is, what is wrong and what to do. */
#include "health.h"

#include <inttypes.h>
#include <string.h>

#define ARCHIVE_LATE_MS      60000
#define ARCHIVE_VERY_LATE_MS 600000
#define AWAY_LATE_MS         600000 /* a side of an adapter: a restart or a bad line is over by then */
#define OUTBOX_LATE_MS       3600000
#define OUTBOX_VERY_LATE_MS  86400000
#define LATE_MS              10000 /* an item that is due for so long: its worker does not keep up */
#define VERY_LATE_MS         60000
#define FILLING              70 /* per cent of the store's limit: time to think of room */

void problems_add(struct problems *p, const char *code, bool critical, const char *service,
                  const char *what, const char *cure)
{
    struct hoso *h = p->h;
    bool has_service = service[0] != '\0';
    char text[400];
    (void)snprintf(text, sizeof(text), "%s%s%s: %s", service, has_service ? ": " : "", what, cure);
    (void)wf_list_add(h->arena, p->lines, wf_text(h->arena, text));
    /* clang-format off */
    (void)wf_list_add(h->arena, p->list, hoso_map(h,
        "code", wf_text(h->arena, code),
        "level", wf_text(h->arena, critical ? "critical" : "warning"),
        "service", wf_text(h->arena, service),
        "what", wf_text(h->arena, what),
        "cure", wf_text(h->arena, cure),
        NULL));
    /* clang-format on */
    p->is_critical = p->is_critical || critical;
}

/* ---- processes ------------------------------------------------------------------------------- */

/* What a state that is not "up" means, and what to do. */
struct state_words {
    const char *state, *code, *en, *vi, *cure_en, *cure_vi;
};

#define LOG_EN "`hoso run` starts it again within seconds; if not, look into its log"
#define LOG_VI "`hoso run` sẽ khởi động lại trong vài giây; nếu không, xem nhật ký"

static const struct state_words worker_words[] = {
    {"down", "worker_down", "worker is down", "tiến trình không chạy", LOG_EN, LOG_VI},
    {"halted", "worker_halted", "worker is halted", "tiến trình bị dừng", "kill -CONT its pid",
     "kill -CONT số pid"},
    {"stuck", "worker_stuck", "worker is stuck", "tiến trình bị treo",
     "the watchdog of `hoso run` ends it; look into its log",
     "`hoso run` sẽ kết thúc nó; xem nhật ký"},
    {"silent", "worker_silent", "worker does not get on", "tiến trình không tiến triển",
     "look into its log; kill its pid: `hoso run` starts it again",
     "xem nhật ký; kill số pid: `hoso run` sẽ khởi động lại"},
    {"starting", "worker_starting", "worker is starting", "tiến trình đang khởi động",
     "wait a moment", "chờ một lát"},
};

static const struct state_words process_words[] = {
    {"down", "process_down", "is down", "không chạy", LOG_EN, LOG_VI},
    {"halted", "process_halted", "is halted", "bị dừng", "kill -CONT its pid", "kill -CONT số pid"},
    {"silent", "process_silent", "does not get on", "không tiến triển",
     "look into its log; kill its pid: `hoso run` starts it again",
     "xem nhật ký; kill số pid: `hoso run` sẽ khởi động lại"},
    {"starting", "process_starting", "is starting", "đang khởi động", "wait a moment",
     "chờ một lát"},
};

static void add_state(struct problems *p, const struct state_words *words, size_t n,
                      const char *name, const char *state)
{
    bool vi = p->h->vi;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i].state, state) == 0)
            problems_add(p, words[i].code, strcmp(state, "starting") != 0, name,
                         vi ? words[i].vi : words[i].en, vi ? words[i].cure_vi : words[i].cure_en);
    }
}

void problems_of_process(struct problems *p, const char *name, const char *state)
{
    add_state(p, process_words, WF_COUNT(process_words), name, state);
}

void problems_of_adapter(struct problems *p, const struct wf_value *row)
{
    int64_t since_s = wf_value_int(wf_value_at(row, "figures.away_since_timestamp_seconds"), 0);
    int64_t away_ms = wf_real_ms() - since_s * 1000;
    bool vi = p->h->vi;
    char what[160];
    if (since_s == 0 || away_ms <= AWAY_LATE_MS)
        return;
    (void)snprintf(what, sizeof(what),
                   vi ? "không làm việc được với một bên đã %" PRId64 " phút"
                      : "has not got on with one of its sides for %" PRId64 " min",
                   away_ms / 60000);
    problems_add(p, "process_away", false, wf_value_text(wf_map_get(row, "name"), ""), what,
                 vi ? "nhật ký của nó nói bên nào và vì sao; không mất gì"
                    : "its log says which and why; nothing is lost");
}

static void queue_problems(struct problems *p, const struct figures *f, enum wf_service s,
                           bool is_down)
{
    const char *name = wf_service_word(s);
    bool vi = p->h->vi;
    char what[128];
    if (f->counts.dead[s] > 0) {
        (void)snprintf(what, sizeof(what), vi ? "việc lỗi hẳn: %" PRId64 : "dead letters: %" PRId64,
                       f->counts.dead[s]);
        problems_add(p, "dead_letters", false, name, what,
                     vi ? "xem `hoso queue list --dead`, rồi `hoso queue retry` hoặc `drop`"
                        : "see `hoso queue list --dead`, then `hoso queue retry` or `drop`");
    }
    if (is_down || f->late_ms[s] <= LATE_MS)
        return;
    (void)snprintf(what, sizeof(what),
                   vi ? "hàng đợi chậm %" PRId64 " giây" : "its queue is %" PRId64 " s behind",
                   f->late_ms[s] / 1000);
    problems_add(p, "queue_behind", f->late_ms[s] > VERY_LATE_MS, name, what,
                 vi ? "xem `hoso queue shape`" : "see `hoso queue shape`");
}

void problems_of_worker(struct problems *p, const struct figures *figures, enum wf_service service,
                        const char *state)
{
    if (state != NULL)
        add_state(p, worker_words, WF_COUNT(worker_words), wf_service_word(service), state);
    queue_problems(p, figures, service, state == NULL || strcmp(state, "down") == 0);
}

/* ---- the cell -------------------------------------------------------------------------------- */

static void space_problems(struct problems *p, const struct figures *f)
{
    const struct wf_store_space *space = &f->space;
    bool vi = p->h->vi;
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
        problems_add(p, "intake_stopped", true, "", stopped, cure);
    } else if (space->used_percent >= FILLING ||
               space->disk_free_bytes < 2 * space->disk_floor_bytes) {
        problems_add(p, "store_filling", false, "", what, cure);
    }
}

static void archive_problems(struct problems *p, const struct figures *f)
{
    int64_t lag = f->archive.waiting > 0 ? f->real - f->archive.since_ms : 0;
    bool vi = p->h->vi;
    char what[160];
    if (lag <= ARCHIVE_LATE_MS)
        return;
    (void)snprintf(what, sizeof(what),
                   vi ? "lưu trữ thay đổi chậm %" PRId64 " giây"
                      : "the archive is %" PRId64 " s behind",
                   lag / 1000);
    problems_add(p, "archive_behind", lag > ARCHIVE_VERY_LATE_MS, "", what,
                 vi ? "xem đĩa của thư mục lưu trữ và nhật ký của `hoso run`"
                    : "look at the disk of its folder and into the log of `hoso run`");
}

void problems_of_outbox(struct problems *p, const struct wf_value *outbox)
{
    const char *name = wf_value_text(wf_map_get(outbox, "name"), "");
    int64_t held = wf_value_int(wf_map_get(outbox, "held"), 0);
    int64_t age = wf_value_int(wf_map_get(outbox, "age_ms"), 0);
    bool vi = p->h->vi;
    char what[160];
    (void)snprintf(what, sizeof(what),
                   vi ? "bị từ chối và giữ lại: %" PRId64 " bản tin"
                      : "%" PRId64 " record(s) refused and held",
                   held);
    if (held > 0)
        problems_add(p, "outbox_held", false, name, what,
                     vi ? "`hoso portal list --held`, sửa rồi `hoso portal retry`"
                        : "`hoso portal list --held`, mend it, then `hoso portal retry`");
    (void)snprintf(what, sizeof(what),
                   vi ? "bản tin chờ gửi đã %" PRId64 " phút"
                      : "records have waited %" PRId64 " min",
                   age / 60000);
    if (wf_value_bool(wf_map_get(outbox, "stopped"), false))
        problems_add(p, "outbox_stopped", true, name, wf_value_text(wf_map_get(outbox, "why"), ""),
                     vi ? "nó dừng lại cho đến khi được xử lý: xem docs/portal.md"
                        : "it stands until a person has seen to it: docs/portal.md");
    if (held == 0 && age > OUTBOX_LATE_MS)
        problems_add(p, "outbox_behind", age > OUTBOX_VERY_LATE_MS, name, what,
                     vi ? "xem nhật ký của hoso-portal"
                        : "is the other system up? read the log of hoso-portal");
}

/* A hold of the cell is for the time of a stop; others may be meant for long. */
static void hold_problems(struct problems *p, const struct figures *f)
{
    bool vi = p->h->vi;
    if (f->cell_on_hold)
        problems_add(p, "cell_on_hold", false, "",
                     vi ? "cụm đang tạm giữ, không nhận hồ sơ mới"
                        : "the cell is on hold: no new dossiers",
                     vi ? "`hoso release cell --reason ...` khi xong việc"
                        : "`hoso release cell --reason ...` when that is over");
}

void problems_of_cell(struct problems *p, const struct figures *figures, bool runs)
{
    bool vi = p->h->vi;
    if (!runs)
        problems_add(p, "not_running", true, "", vi ? "cụm không chạy" : "the cell is not running",
                     vi ? "`hoso run` để khởi động" : "`hoso run` starts it");
    space_problems(p, figures);
    archive_problems(p, figures);
    hold_problems(p, figures);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a cell, as their board slots show them. Whether a process lives is asked of the
 * system; whether it gets on, of the time at which its loop last came round.
 */
#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#define MINUTE_MS       60000
#define SILENT_LEAST_MS 5000 /* of a loop that comes round every second or sooner */

/* Slots are written by other processes while we read. */
static int64_t peek(const int64_t *at)
{
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static const struct wf_value *peeked(struct hoso *h, const int64_t *at)
{
    return wf_int(h->arena, peek(at));
}

/* ---- states ---------------------------------------------------------------------------------- */

/* R, S, T ... of proc(5); NUL where it cannot be read. */
static char letter_of(int64_t pid)
{
    char path[64];
    char line[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return '\0';
    bool got = fgets(line, sizeof(line), file) != NULL;
    (void)fclose(file);
    const char *state = got ? strrchr(line, ')') : NULL;
    return state != NULL && state[1] != '\0' ? state[2] : '\0';
}

static bool is_silent(int64_t beat_ms, int64_t most_ms)
{
    return wf_monotonic_ms() - beat_ms > (most_ms > SILENT_LEAST_MS ? most_ms : SILENT_LEAST_MS);
}

/* What is the same of all processes; NULL: it runs and is ready. */
static const char *plain_state(int64_t pid, int64_t ready)
{
    if (pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
        return "down";
    char letter = letter_of(pid);
    if (letter == 'Z' || letter == 'X') /* dead, and its supervisor has not noticed */
        return "down";
    if (letter == 'T' || letter == 't') /* by a signal or a debugger */
        return "halted";
    return ready == 0 ? "starting" : NULL;
}

/* Who waits for the write lock is silent too: whoever holds it is to show first. */
const char *worker_state(struct hoso *h, struct wf_board *board, enum wf_service service)
{
    const struct wf_board_slot *slot = wf_board_slot(board, service);
    int64_t watchdog = h->settings.watchdog_ms;
    const char *state = plain_state(peek(&slot->pid), peek(&slot->ready));
    int64_t since = peek(&slot->writing_since_ms);
    if (state != NULL)
        return state;
    if (since > 0 && wf_monotonic_ms() - since > watchdog)
        return "stuck";
    return is_silent(peek(&slot->beat_ms), 2 * watchdog) ? "silent" : "up";
}

const char *process_state(struct hoso *h, const struct wf_board *board,
                          enum wf_board_process process)
{
    /* All begin alike (workflow/service.h). */
    const struct wf_board_gate *slot = wf_board_process_slot(board, process);
    const char *state = plain_state(peek(&slot->pid), peek(&slot->ready));
    if (state != NULL)
        return state;
    return is_silent(peek(&slot->beat_ms), h->settings.watchdog_ms) ? "silent" : "up";
}

/* ---- rates ----------------------------------------------------------------------------------- */

/* The newest sample that is at least so old, else the oldest there is; false where there is none. */
static bool find_sample(const struct wf_board_slot *slot, int64_t now, int64_t age_ms,
                        struct wf_board_sample *out)
{
    int64_t n = __atomic_load_n(&slot->n_samples, __ATOMIC_ACQUIRE);
    bool found = false;
    /* The place after the newest may be written just now: left out. */
    for (int64_t i = n - 1; i >= 0 && i > n - WF_BOARD_SAMPLES; i--) {
        const struct wf_board_sample *at = &slot->samples[i % WF_BOARD_SAMPLES];
        *out = (struct wf_board_sample){peek(&at->ms), peek(&at->in), peek(&at->out)};
        found = true;
        if (now - out->ms >= age_ms)
            break;
    }
    return found && now - out->ms >= WF_BOARD_SAMPLE_MS;
}

/* Per minute, to a tenth; null where the worker has not run for long enough. */
static void add_rates(struct hoso *h, struct wf_value *row, const struct wf_board_slot *slot,
                      int64_t in, int64_t out)
{
    static const struct {
        const char *in, *out;
        int64_t ms;
    } spans[] = {{"in_1m", "out_1m", MINUTE_MS}, {"in_5m", "out_5m", 5 * MINUTE_MS}};
    int64_t now = wf_monotonic_ms();
    for (size_t i = 0; i < WF_COUNT(spans); i++) {
        struct wf_board_sample then;
        const struct wf_value *rate_in = &wf_null;
        const struct wf_value *rate_out = &wf_null;
        if (find_sample(slot, now, spans[i].ms, &then)) {
            double minutes = (double)(now - then.ms) / MINUTE_MS;
            rate_in = wf_number(h->arena, round((double)(in - then.in) / minutes * 10) / 10);
            rate_out = wf_number(h->arena, round((double)(out - then.out) / minutes * 10) / 10);
        }
        (void)wf_map_put(h->arena, row, spans[i].in, rate_in);
        (void)wf_map_put(h->arena, row, spans[i].out, rate_out);
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

static const struct wf_value *errors_of(struct hoso *h, const struct wf_board_slot *slot)
{
    struct wf_value *map = wf_map(h->arena);
    for (int i = 0; i < WF_BOARD_ERRORS; i++)
        (void)wf_map_put(h->arena, map, wf_code_word(-i - 1), peeked(h, &slot->errors[i]));
    return map;
}

/* [counts by upper bound ..., sum in us] */
static const struct wf_value *times_of(struct hoso *h, const struct wf_board_times *times)
{
    struct wf_value *list = wf_list(h->arena);
    for (size_t i = 0; i < WF_BOARD_BUCKETS; i++)
        (void)wf_list_add(h->arena, list, peeked(h, &times->counts[i]));
    (void)wf_list_add(h->arena, list, peeked(h, &times->sum_us));
    return list;
}

static const struct wf_value *age_of(struct hoso *h, int64_t beat_ms)
{
    int64_t age = wf_monotonic_ms() - beat_ms; /* below 0: an adapter, which tells it beforehand */
    return beat_ms > 0 ? wf_int(h->arena, age > 0 ? age : 0) : &wf_null;
}

static struct wf_value *queue_row(struct hoso *h, const struct figures *f, enum wf_service s)
{
    const struct wf_counts *c = &f->counts;
    /* clang-format off */
    return hoso_map(h,
        "service", wf_text(h->arena, wf_service_word(s)),
        "queued", wf_int(h->arena, c->queued[s]),
        "behind_ms", wf_int(h->arena, f->late_ms[s]),
        "oldest_ms", wf_int(h->arena, f->oldest_ms[s]),
        "retrying", wf_int(h->arena, c->retrying[s]),
        "tasks", wf_int(h->arena, c->tasks[s]),
        "leased", wf_int(h->arena, c->leased[s]),
        "dead", wf_int(h->arena, c->dead[s]),
        "held", wf_int(h->arena, c->held[s]),
        "done", wf_int(h->arena, c->done[s]),
        "in", wf_int(h->arena, c->queued[s] + c->held[s] + c->done[s] + c->again[s]),
        "out", wf_int(h->arena, c->done[s] + c->again[s]),
        NULL);
    /* clang-format on */
}

struct wf_value *worker_row(struct hoso *h, const struct figures *f, struct wf_board *board,
                            enum wf_service s)
{
    const struct wf_counts *c = &f->counts;
    const struct wf_board_slot *slot = wf_board_slot(board, s);
    const char *state = worker_state(h, board, s);
    struct wf_value *row = queue_row(h, f, s);
    const struct {
        const char *key;
        const struct wf_value *value;
    } more[] = {
        {"state", wf_text(h->arena, state)},
        {"up", wf_bool(strcmp(state, "up") == 0)},
        {"pid", wf_int(h->arena, state[0] == 'd' ? 0 : peek(&slot->pid))},
        {"started", peeked(h, &slot->started_real_ms)},
        {"beat_ms", age_of(h, peek(&slot->beat_ms))},
        {"commits", peeked(h, &slot->commits)},
        {"messages", peeked(h, &slot->messages)},
        {"items", peeked(h, &slot->items)},
        {"timers", peeked(h, &slot->timers)},
        {"refused", peeked(h, &slot->refused)},
        {"swept", peeked(h, &slot->swept)},
        {"last_batch", peeked(h, &slot->last_batch)},
        {"commit_us", peeked(h, &slot->commit_us)},
        {"last_commit", peeked(h, &slot->last_commit_real_ms)},
        {"errors", errors_of(h, slot)},
        {"commit_times", times_of(h, &slot->commit)},
        {"step_times", times_of(h, &slot->step)},
    };
    for (size_t i = 0; i < WF_COUNT(more); i++)
        (void)wf_map_put(h->arena, row, more[i].key, more[i].value);
    add_rates(h, row, slot, c->queued[s] + c->done[s] + c->again[s], c->done[s] + c->again[s]);
    return row;
}

struct wf_value *process_row(struct hoso *h, const struct wf_board *board,
                             enum wf_board_process process)
{
    const struct wf_board_gate *slot = wf_board_process_slot(board, process);
    const char *state = process_state(h, board, process);
    struct wf_value *figures = wf_map(h->arena);
    size_t n = 0;
    const struct wf_board_figure *all = wf_board_figures(process, &n);
    for (size_t i = 0; i < n; i++) {
        const void *at = (const char *)slot + all[i].at;
        (void)wf_map_put(h->arena, figures, all[i].name, peeked(h, at));
    }
    return hoso_map(h, "name", wf_text(h->arena, wf_board_process_name(process)), "state",
                    wf_text(h->arena, state), "up", wf_bool(strcmp(state, "up") == 0), "pid",
                    wf_int(h->arena, state[0] == 'd' ? 0 : peek(&slot->pid)), "started",
                    peeked(h, &slot->started_real_ms), "beat_ms", age_of(h, peek(&slot->beat_ms)),
                    "figures", figures, NULL);
}

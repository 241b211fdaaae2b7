/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: the figures of status in the text format of Prometheus. Base units (seconds, bytes);
 * *_total only for what never falls while a worker lives. docs/operations.md lists them all, and a
 * test compares.
 */
#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep.h"
#include "tools.h"

#define LABELS_MOST 2

/* A label is named as the row's key, but for "name", which is too wide a word. */
struct group {
    const char *rows; /* path of the list in the answer; NULL = the answer itself */
    const char *keys[LABELS_MOST];
    const char *labels[LABELS_MOST];
};

struct metric {
    const char *name;
    const char *type; /* NULL: a further line of the metric above */
    const char *help;
    const char *path;  /* in the answer, or in a row */
    const char *label; /* further label and value, or NULL */
    double unit;       /* the stored figure is divided by it */
};

/* clang-format off */
static const struct group cell = {NULL, {NULL}, {NULL}};
static const struct metric cell_metrics[] = {
    {"hoso_healthy", "gauge", "1 when nothing needs a person.", "well", NULL, 1},
    {"hoso_dossiers", "gauge", "Dossiers by whether they are closed.", "dossiers.open", "state=\"open\"", 1},
    {"hoso_dossiers", NULL, NULL, "dossiers.closed", "state=\"closed\"", 1},
    {"hoso_dossiers_overdue", "gauge", "Open dossiers whose due date has passed.", "dossiers.overdue", NULL, 1},
    {"hoso_dossiers_due_soon", "gauge", "Open dossiers due within 24 hours.", "dossiers.due_soon", NULL, 1},
    {"hoso_journal_events_total", "counter", "Events in the journal.", "journal", NULL, 1},
    {"hoso_timers_armed", "gauge", "Timers that wait to fire.", "timers", NULL, 1},
    {"hoso_holds", "gauge", "Holds in force.", "holds.in_force", NULL, 1},
    {"hoso_held", "gauge", "Work that holds have put aside.", "holds.items", "kind=\"item\"", 1},
    {"hoso_held", NULL, NULL, "holds.timers", "kind=\"timer\"", 1},
    {"hoso_held", NULL, NULL, "holds.tasks", "kind=\"task\"", 1},
    {"hoso_store_used_bytes", "gauge", "Pages of the store in use.", "store.used_bytes", NULL, 1},
    {"hoso_store_stop_bytes", "gauge", "Pages in use from which intake stops.", "store.stop_bytes", NULL, 1},
    {"hoso_store_limit_bytes", "gauge", "Largest size of the store.", "store.map_bytes", NULL, 1},
    {"hoso_store_file_bytes", "gauge", "Size of the store's file.", "store.file_bytes", NULL, 1},
    {"hoso_store_readers", "gauge", "Reader slots in use.", "store.readers", NULL, 1},
    {"hoso_store_oldest_reader_transactions", "gauge", "Transactions committed since the oldest open snapshot was taken.", "store.oldest_reader", NULL, 1},
    {"hoso_disk_free_bytes", "gauge", "Free space of the store's disk.", "store.disk_free_bytes", NULL, 1},
    {"hoso_disk_floor_bytes", "gauge", "Free space below which intake stops.", "store.disk_floor_bytes", NULL, 1},
    {"hoso_archive_waiting_changes", "gauge", "Changes that wait for the archive.", "archive.waiting", NULL, 1},
    {"hoso_archive_lag_seconds", "gauge", "How long the first of them has waited.", "archive.lag_ms", NULL, 1000},
    {"hoso_intake_stopped", "gauge", "1 while no new dossiers are taken for want of room.", "store.intake_stopped", NULL, 1},
};

static const struct metric station_metrics[] = {
    {"hoso_healthy", "gauge", "1 when nothing needs a person.", "well", NULL, 1},
    {"hoso_station_line_up", "gauge", "1 while the line to the cell is up.", "line_up", NULL, 1},
    {"hoso_station_waiting", "gauge", "Hand-offs that wait for the line.", "waiting", NULL, 1},
    {"hoso_station_oldest_seconds", "gauge", "How long the oldest of them has waited.", "oldest_ms", NULL, 1000},
    {"hoso_station_refused", "gauge", "Hand-offs that the cell has refused and nobody has seen to.", "refused", NULL, 1},
    {"hoso_station_numbers", "gauge", "Provisional numbers left for receipts.", "numbers", NULL, 1},
    {"hoso_disk_free_bytes", "gauge", "Free space of the store's disk.", "disk_free_bytes", NULL, 1},
    {"hoso_disk_floor_bytes", "gauge", "Free space below which intake stops.", "disk_floor_bytes", NULL, 1},
};

static const struct group by_procedure = {"dossiers.by_procedure", {"procedure"}, {"procedure"}};
static const struct metric procedure_metrics[] = {
    {"hoso_dossiers_open", "gauge", "Open dossiers of a procedure.", "open", NULL, 1},
};

static const struct group by_state = {"dossiers.by_state", {"procedure", "state"}, {"procedure", "state"}};
static const struct metric state_metrics[] = {
    {"hoso_dossiers_in_state", "gauge", "Open dossiers in a state, outer ones too: their sum is more than there are.", "open", NULL, 1},
};

static const struct group subscribers = {"subscribers", {"name"}, {"subscriber"}};
static const struct metric subscriber_metrics[] = {
    {"hoso_subscriber_lag_events", "gauge", "Events of the journal that a durable subscriber has not acknowledged.", "lag", NULL, 1},
    {"hoso_subscriber_age_seconds", "gauge", "How long the first of these has been there.", "age_ms", NULL, 1000},
};

static const struct group outboxes = {"outboxes", {"name"}, {"outbox"}};
static const struct metric outbox_metrics[] = {
    {"hoso_outbox_waiting", "gauge", "Records of an adapter that wait to be taken by the other system.", "waiting", NULL, 1},
    {"hoso_outbox_held", "gauge", "Records that the other system has refused.", "held", NULL, 1},
    {"hoso_outbox_stopped", "gauge", "1 while reading or telling stands until a person has seen to it.", "stopped", NULL, 1},
    {"hoso_outbox_age_seconds", "gauge", "How long ago the oldest of them happened.", "age_ms", NULL, 1000},
};

static const struct group workers = {"workers", {"service"}, {"service"}};
static const struct metric worker_metrics[] = {
    {"hoso_worker_up", "gauge", "1 when the service's worker runs and answers.", "up", NULL, 1},
    {"hoso_queue_items", "gauge", "Items that wait in the service's queue.", "queued", NULL, 1},
    {"hoso_queue_delay_seconds", "gauge", "How long the first item of the queue has been due.", "behind_ms", NULL, 1000},
    {"hoso_queue_oldest_seconds", "gauge", "Age of the oldest of the queue's first hundred items.", "oldest_ms", NULL, 1000},
    {"hoso_queue_retrying", "gauge", "Items of the queue that have failed before.", "retrying", NULL, 1},
    {"hoso_queue_in_total", "counter", "Items ever put into the queue, retries too.", "in", NULL, 1},
    {"hoso_queue_out_total", "counter", "Items ever taken off the queue, retries too.", "out", NULL, 1},
    {"hoso_tasks", "gauge", "Open tasks of the service.", "tasks", NULL, 1},
    {"hoso_tasks_leased", "gauge", "Open tasks given out and not come back.", "leased", NULL, 1},
    {"hoso_dead_letters", "gauge", "Work that failed for good and waits for a person.", "dead", NULL, 1},
    {"hoso_worker_start_time_seconds", "gauge", "When the worker was started, since 1970.", "started", NULL, 1000},
    {"hoso_worker_heartbeat_age_seconds", "gauge", "How long ago the worker's loop came round.", "beat_ms", NULL, 1000},
    {"hoso_worker_commits_total", "counter", "Transactions since the worker's start.", "commits", NULL, 1},
    {"hoso_worker_messages_total", "counter", "Messages received since the worker's start.", "messages", NULL, 1},
    {"hoso_worker_items_total", "counter", "Queue items worked on since the worker's start.", "items", NULL, 1},
    {"hoso_worker_timers_total", "counter", "Timers fired since the worker's start.", "timers", NULL, 1},
    {"hoso_worker_refused_total", "counter", "Messages refused since the worker's start.", "refused", NULL, 1},
    {"hoso_worker_swept_total", "counter", "Times that work was found whose message was lost.", "swept", NULL, 1},
    {"hoso_worker_batch_size", "gauge", "Messages and items of the last batch.", "last_batch", NULL, 1},
    {"hoso_worker_commit_timestamp_seconds", "gauge", "When the last commit was made, since 1970.", "last_commit", NULL, 1000},
};

static const struct group processes = {"processes", {"name"}, {"process"}};
static const struct metric process_metrics[] = {
    {"hoso_process_up", "gauge", "1 when the process (gate, bridge, relay, an adapter) runs and answers.", "up", NULL, 1},
    {"hoso_process_start_time_seconds", "gauge", "When the process was started, since 1970.", "started", NULL, 1000},
    {"hoso_process_heartbeat_age_seconds", "gauge", "How long ago the process's loop came round.", "beat_ms", NULL, 1000},
};

static const struct {
    const char *name, *help, *key;
} histograms[] = {
    {"hoso_worker_commit_duration_seconds", "Length of commits, to the disk.", "commit_times"},
    {"hoso_worker_step_duration_seconds", "Length of steps: one request, queue item or timer.", "step_times"},
};
/* clang-format on */

/* ---- lines ----------------------------------------------------------------------------------- */

static double figure(const struct wf_value *value, double unit)
{
    if (value != NULL && value->type == WF_BOOL)
        return value->u.boolean ? 1 : 0;
    return (double)wf_value_int(value, 0) / unit;
}

static void add_words(struct wf_buf *out, const char *name, const char *type, const char *help)
{
    wf_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped. */
static void add_label(struct wf_buf *out, const char *name, struct wf_str value)
{
    wf_buf_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\n')
            wf_buf_text(out, "\\n");
        else
            wf_buf_printf(out, value.ptr[i] == '"' || value.ptr[i] == '\\' ? "\\%c" : "%c",
                          value.ptr[i]);
    }
    wf_buf_text(out, "\"");
}

/* name{labels of the row, one more */
static void begin_line(struct wf_buf *out, const char *name, const struct group *group,
                       const struct wf_value *row, const char *label)
{
    const char *before = "{";
    wf_buf_text(out, name);
    for (size_t i = 0; i < LABELS_MOST && group->keys[i] != NULL; i++) {
        wf_buf_text(out, before);
        add_label(out, group->labels[i], wf_value_str(wf_map_get(row, group->keys[i])));
        before = ",";
    }
    if (label != NULL)
        wf_buf_printf(out, "%s%s", before, label);
    if (label != NULL || before[0] == ',')
        wf_buf_text(out, "}");
}

static void end_line(struct wf_buf *out, double value)
{
    wf_buf_printf(out, " %.15g\n", value);
}

static void add_metrics(struct wf_buf *out, const struct wf_value *answer,
                        const struct group *group, const struct metric *metrics, size_t n)
{
    const struct wf_value *rows = group->rows != NULL ? wf_value_at(answer, group->rows) : NULL;
    for (const struct metric *m = metrics; m < metrics + n; m++) {
        if (m->type != NULL)
            add_words(out, m->name, m->type, m->help);
        for (size_t i = 0; i < (group->rows != NULL ? wf_value_count(rows) : 1); i++) {
            const struct wf_value *row = group->rows != NULL ? wf_list_at(rows, i) : answer;
            begin_line(out, m->name, group, row, m->label);
            end_line(out, figure(wf_value_at(row, m->path), m->unit));
        }
    }
}

/* ---- what is no plain figure ----------------------------------------------------------------- */

static void add_problems(struct wf_buf *out, const struct wf_value *problems)
{
    static const char *const levels[] = {"warning", "critical"};
    add_words(out, "hoso_problems", "gauge", "What needs a person, by how bad it is.");
    for (size_t l = 0; l < WF_COUNT(levels); l++) {
        int n = 0;
        for (size_t i = 0; i < wf_value_count(problems); i++)
            n += wf_str_is(wf_value_str(wf_map_get(wf_list_at(problems, i), "level")), levels[l]);
        wf_buf_printf(out, "hoso_problems{level=\"%s\"} %d\n", levels[l], n);
    }
}

static void add_errors(struct wf_buf *out, const struct wf_value *rows)
{
    char label[64];
    add_words(out, "hoso_worker_errors_total", "counter",
              "Refusals and failures by code, since the worker's start.");
    for (size_t i = 0; i < wf_value_count(rows); i++) {
        const struct wf_value *errors = wf_map_get(wf_list_at(rows, i), "errors");
        for (int code = -1; code >= -WF_BOARD_ERRORS; code--) {
            const char *word = wf_code_word(code);
            (void)snprintf(label, sizeof(label), "code=\"%s\"", word);
            begin_line(out, "hoso_worker_errors_total", &workers, wf_list_at(rows, i), label);
            end_line(out, figure(wf_map_get(errors, word), 1));
        }
    }
}

static void add_histogram(struct wf_buf *out, const char *name, const struct wf_value *row,
                          const struct wf_value *times)
{
    char line[80];
    char label[32];
    int64_t n = 0;
    for (size_t i = 0; i < WF_BOARD_BUCKETS; i++) {
        n += wf_value_int(wf_list_at(times, i), 0);
        (void)snprintf(label, sizeof(label), "le=\"+Inf\"");
        if (i + 1 < WF_BOARD_BUCKETS)
            (void)snprintf(label, sizeof(label), "le=\"%g\"", (double)wf_board_bounds_us[i] / 1e6);
        (void)snprintf(line, sizeof(line), "%s_bucket", name);
        begin_line(out, line, &workers, row, label);
        end_line(out, (double)n);
    }
    (void)snprintf(line, sizeof(line), "%s_sum", name);
    begin_line(out, line, &workers, row, NULL);
    end_line(out, figure(wf_list_at(times, WF_BOARD_BUCKETS), 1e6));
    (void)snprintf(line, sizeof(line), "%s_count", name);
    begin_line(out, line, &workers, row, NULL);
    end_line(out, (double)n);
}

static void add_histograms(struct wf_buf *out, const struct wf_value *rows)
{
    for (size_t m = 0; m < WF_COUNT(histograms); m++) {
        add_words(out, histograms[m].name, "histogram", histograms[m].help);
        for (size_t i = 0; i < wf_value_count(rows); i++) {
            const struct wf_value *row = wf_list_at(rows, i);
            add_histogram(out, histograms[m].name, row, wf_map_get(row, histograms[m].key));
        }
    }
}

/* hoso_gate_requests_total ...: as the board's table has them. */
static void add_process(struct wf_buf *out, enum wf_board_process process,
                        const struct wf_value *row)
{
    char name[80];
    size_t n = 0;
    const struct wf_board_figure *figures = wf_board_figures(process, &n);
    for (size_t i = 0; i < n; i++) {
        bool counts = figures[i].kind == WF_BOARD_COUNTER;
        (void)snprintf(name, sizeof(name), "hoso_%s_%s%s", wf_board_process_name(process),
                       figures[i].name, counts ? "_total" : "");
        add_words(out, name, counts ? "counter" : "gauge", figures[i].help);
        wf_buf_text(out, name);
        end_line(out, figure(wf_map_get(wf_map_get(row, "figures"), figures[i].name), 1));
    }
}

static void add_processes(struct wf_buf *out, const struct wf_value *rows)
{
    for (unsigned p = 0; p < WF_BOARD_PROCESS_COUNT; p++) {
        for (size_t i = 0; i < wf_value_count(rows); i++) {
            const struct wf_value *row = wf_list_at(rows, i);
            const char *name = wf_board_process_name((enum wf_board_process)p);
            if (wf_str_is(wf_value_str(wf_map_get(row, "name")), name))
                add_process(out, (enum wf_board_process)p, row);
        }
    }
}

static void add_info(struct wf_buf *out, const struct wf_value *answer, const char *what)
{
    char name[32];
    char help[64];
    (void)snprintf(name, sizeof(name), "hoso_%s_info", what);
    (void)snprintf(help, sizeof(help), "The %s, by its labels; always 1.", what);
    add_words(out, name, "gauge", help);
    wf_buf_printf(out, "%s{", name);
    add_label(out, what, wf_value_str(wf_map_get(answer, what)));
    add_label(out, ",version", wf_str(HOSO_VERSION));
    wf_buf_text(out, "} 1\n");
}

static void add_cell(struct wf_buf *out, const struct wf_value *answer)
{
    const struct wf_value *rows = wf_map_get(answer, "workers");
    add_info(out, answer, "cell");
    add_metrics(out, answer, &cell, cell_metrics, WF_COUNT(cell_metrics));
    add_metrics(out, answer, &by_procedure, procedure_metrics, WF_COUNT(procedure_metrics));
    add_metrics(out, answer, &by_state, state_metrics, WF_COUNT(state_metrics));
    add_metrics(out, answer, &subscribers, subscriber_metrics, WF_COUNT(subscriber_metrics));
    add_metrics(out, answer, &outboxes, outbox_metrics, WF_COUNT(outbox_metrics));
    add_metrics(out, answer, &workers, worker_metrics, WF_COUNT(worker_metrics));
    add_errors(out, rows);
    add_histograms(out, rows);
}

void metrics_text(const struct wf_value *answer, struct wf_buf *out)
{
    if (wf_map_get(answer, "station") == NULL) {
        add_cell(out, answer);
    } else {
        add_info(out, answer, "station");
        add_metrics(out, answer, &cell, station_metrics, WF_COUNT(station_metrics));
    }
    add_problems(out, wf_map_get(answer, "problems"));
    add_metrics(out, answer, &processes, process_metrics, WF_COUNT(process_metrics));
    add_processes(out, wf_map_get(answer, "processes"));
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* The exporter may read at any moment: it finds the old figures or the new ones. It has an account of
 * its own; there is nothing personal in them. */
static int write_aside(struct hoso *h, const char *path, const struct wf_buf *text)
{
    char aside[4096];
    if (snprintf(aside, sizeof(aside), "%s.part", path) >= (int)sizeof(aside))
        return wf_fail(&h->err, WF_E_CONFIG, "--output: the name is too long");
    int rc = keep_write(h, aside, text->ptr, text->len);
    if (rc == 0 && (chmod(aside, 0644) != 0 || rename(aside, path) != 0))
        rc = wf_fail(&h->err, WF_E_IO, "%s: %s", path, strerror(errno));
    if (rc != 0)
        (void)unlink(aside);
    return rc;
}

int hoso_metrics(struct hoso *h)
{
    const struct wf_value *answer = NULL;
    struct wf_buf out = {0};
    if (hoso_has(h, OPT_LISTEN))
        return metrics_listen(h, h->opt[OPT_LISTEN], NULL);
    int rc = hoso_health(h, &answer);
    if (rc != 0)
        return rc;
    metrics_text(answer, &out);
    if (!hoso_has(h, OPT_OUTPUT))
        return tool_give(h, &out);
    rc = out.failed ? wf_fail(&h->err, WF_E_NOMEM, "metrics: out of memory")
                    : write_aside(h, h->opt[OPT_OUTPUT], &out);
    wf_buf_fini(&out);
    return rc;
}

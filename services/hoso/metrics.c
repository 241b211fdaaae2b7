/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: the figures of status in the text format of Prometheus. Base units (seconds, bytes);
 * *_total only for what never falls while a worker lives. Queue items settled can fall by one when
 * an item is put back, so that is a gauge.
 */
#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "keep.h"
#include "tools.h"

struct metric {
    const char *name;
    const char *type;
    const char *help;
    const char *path;  /* in the answer, or in a worker's row */
    const char *label; /* further label and value, or NULL */
    double unit;       /* the stored figure is divided by it */
};

/* Rows of one name stand together, the first with the words. */
/* clang-format off */
static const struct metric cell_metrics[] = {
    {"hoso_healthy", "gauge", "1 when nothing needs a person.", "well", NULL, 1},
    {"hoso_dossiers", "gauge", "Dossiers by whether they are closed.", "dossiers.open", "state=\"open\"", 1},
    {"hoso_dossiers", NULL, NULL, "dossiers.closed", "state=\"closed\"", 1},
    {"hoso_dossiers_overdue", "gauge", "Open dossiers whose due date has passed.", "dossiers.overdue", NULL, 1},
    {"hoso_journal_events_total", "counter", "Events in the journal.", "journal", NULL, 1},
    {"hoso_timers_armed", "gauge", "Timers that wait to fire.", "timers", NULL, 1},
    {"hoso_store_used_bytes", "gauge", "Pages of the store in use.", "store.used_bytes", NULL, 1},
    {"hoso_store_limit_bytes", "gauge", "Largest size of the store.", "store.map_bytes", NULL, 1},
    {"hoso_store_file_bytes", "gauge", "Size of the store's file.", "store.file_bytes", NULL, 1},
    {"hoso_store_readers", "gauge", "Reader slots in use.", "store.readers", NULL, 1},
    {"hoso_disk_free_bytes", "gauge", "Free space of the store's disk.", "store.disk_free_bytes", NULL, 1},
    {"hoso_intake_stopped", "gauge", "1 while no new dossiers are taken for want of room.", "store.intake_stopped", NULL, 1},
};

static const struct metric worker_metrics[] = {
    {"hoso_queue_items", "gauge", "Items that wait in the service's queue.", "queued", NULL, 1},
    {"hoso_queue_delay_seconds", "gauge", "How long the first item of the queue has been due.", "behind_ms", NULL, 1000},
    {"hoso_tasks", "gauge", "Open tasks of the service.", "tasks", NULL, 1},
    {"hoso_dead_letters", "gauge", "Work that failed for good and waits for a person.", "dead", NULL, 1},
    {"hoso_queue_items_settled", "gauge", "Items ever settled; one put back counts no more.", "done", NULL, 1},
    {"hoso_worker_start_time_seconds", "gauge", "When the worker was started, since 1970.", "started", NULL, 1000},
    {"hoso_worker_commits_total", "counter", "Transactions since the worker's start.", "commits", NULL, 1},
    {"hoso_worker_messages_total", "counter", "Messages received since the worker's start.", "messages", NULL, 1},
    {"hoso_worker_items_total", "counter", "Queue items worked on since the worker's start.", "items", NULL, 1},
    {"hoso_worker_timers_total", "counter", "Timers fired since the worker's start.", "timers", NULL, 1},
    {"hoso_worker_refused_total", "counter", "Messages refused since the worker's start.", "refused", NULL, 1},
    {"hoso_worker_commit_duration_seconds", "gauge", "Length of the last commit.", "commit_us", NULL, 1e6},
    {"hoso_worker_commit_timestamp_seconds", "gauge", "When the last commit was made, since 1970.", "last_commit", NULL, 1000},
};
/* clang-format on */

static double figure(const struct wf_value *value, double unit)
{
    if (value != NULL && value->type == WF_BOOL)
        return value->u.boolean ? 1 : 0;
    return (double)wf_value_int(value, 0) / unit;
}

static void add_words(struct wf_buf *out, const struct metric *m)
{
    if (m->help != NULL)
        wf_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
}

static void add_line(struct wf_buf *out, const char *name, const char *labels, double value)
{
    bool has = labels != NULL && *labels != '\0';
    wf_buf_printf(out, "%s%s%s%s %.15g\n", name, has ? "{" : "", has ? labels : "", has ? "}" : "",
                  value);
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

static void add_problems(struct wf_buf *out, const struct wf_value *problems)
{
    static const char *const levels[] = {"warning", "critical"};
    wf_buf_text(out, "# HELP hoso_problems What needs a person, by how bad it is.\n"
                     "# TYPE hoso_problems gauge\n");
    for (size_t l = 0; l < WF_COUNT(levels); l++) {
        int n = 0;
        for (size_t i = 0; i < wf_value_count(problems); i++)
            n += wf_str_is(wf_value_str(wf_map_get(wf_list_at(problems, i), "level")), levels[l]);
        wf_buf_printf(out, "hoso_problems{level=\"%s\"} %d\n", levels[l], n);
    }
}

static void add_workers(struct wf_buf *out, const struct wf_value *workers)
{
    char labels[64];
    wf_buf_text(out, "# HELP hoso_worker_up 1 when the service's worker runs and answers.\n"
                     "# TYPE hoso_worker_up gauge\n");
    for (size_t i = 0; i < wf_value_count(workers); i++) {
        const struct wf_value *row = wf_list_at(workers, i);
        wf_buf_printf(out, "hoso_worker_up{service=\"%s\"} %d\n",
                      wf_value_text(wf_map_get(row, "service"), ""),
                      wf_str_is(wf_value_str(wf_map_get(row, "state")), "up"));
    }
    for (size_t m = 0; m < WF_COUNT(worker_metrics); m++) {
        add_words(out, &worker_metrics[m]);
        for (size_t i = 0; i < wf_value_count(workers); i++) {
            const struct wf_value *row = wf_list_at(workers, i);
            (void)snprintf(labels, sizeof(labels), "service=\"%s\"",
                           wf_value_text(wf_map_get(row, "service"), ""));
            add_line(out, worker_metrics[m].name, labels,
                     figure(wf_map_get(row, worker_metrics[m].path), worker_metrics[m].unit));
        }
    }
}

/* The exporter may read at any moment: it finds the old figures or the new ones. */
static int write_aside(struct hoso *h, const char *path, const struct wf_buf *text)
{
    char aside[4096];
    if (snprintf(aside, sizeof(aside), "%s.part", path) >= (int)sizeof(aside))
        return wf_fail(&h->err, WF_E_CONFIG, "--output: the name is too long");
    int rc = keep_write(h, aside, text->ptr, text->len);
    if (rc == 0 && rename(aside, path) != 0)
        rc = wf_fail(&h->err, WF_E_IO, "%s: %s", path, strerror(errno));
    return rc;
}

int hoso_metrics(struct hoso *h)
{
    const struct wf_value *answer = NULL;
    struct wf_buf out = {0};
    int rc = hoso_health(h, &answer);
    if (rc != 0)
        return rc;
    wf_buf_text(&out, "# HELP hoso_cell_info The cell, by its labels; always 1.\n"
                      "# TYPE hoso_cell_info gauge\nhoso_cell_info{");
    add_label(&out, "cell", wf_value_str(wf_map_get(answer, "cell")));
    add_label(&out, ",version", wf_str(HOSO_VERSION));
    wf_buf_text(&out, "} 1\n");
    for (size_t i = 0; i < WF_COUNT(cell_metrics); i++) {
        const struct metric *m = &cell_metrics[i];
        add_words(&out, m);
        add_line(&out, m->name, m->label, figure(wf_value_at(answer, m->path), m->unit));
    }
    add_problems(&out, wf_map_get(answer, "problems"));
    add_workers(&out, wf_map_get(answer, "workers"));
    if (!hoso_has(h, OPT_OUTPUT))
        return tool_give(h, &out);
    rc = out.failed ? wf_fail(&h->err, WF_E_NOMEM, "metrics: out of memory")
                    : write_aside(h, h->opt[OPT_OUTPUT], &out);
    wf_buf_fini(&out);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/health.h - how a cell is, as one value.
 *
 * PURPOSE    One source for `hoso status`, `hoso metrics` and the monitoring scripts: what is read
 *            of the store in one snapshot and of the board, and what of it needs a person.
 * CONCEPTS   figures   what the store says: counters, tallies, cursors, space
 *            rows      a map for each worker and for each further process, from its board slot
 *            problem   a stable word, how bad it is, whom it concerns, what to do
 * DANGERS    nobody is asked, so that the answer comes even when a worker hangs; a slot is written
 *            by its process while it is read. No personal data.
 */
#ifndef HOSO_HEALTH_H
#define HOSO_HEALTH_H

#include "hoso.h"
#include "workflow/archive.h"

/* ---- the whole (health.c) -------------------------------------------------------------------- */

/*
 * What `status --json` prints: well, level (ok, warning, critical), problems [{code, level, service,
 * what, cure}], dossiers, journal, timers, subscribers, store, archive, outboxes, workers [...], processes [...].
 * docs/operations.md describes it. Of a station: docs/relay.md.
 */
int hoso_health(struct hoso *h, const struct wf_value **out) WF_CHECKED;

/* That answer in the text format of Prometheus (metrics.c). */
void metrics_text(const struct wf_value *answer, struct wf_buf *out);

/* Serves /metrics, /healthz and /readyz there until a signal comes (listen.c). `options` (may be
 * NULL) has who is to be told when it is ready. */
int metrics_listen(struct hoso *h, const char *place, const struct wf_options *options) WF_CHECKED;

/* ---- the store (figures.c) ------------------------------------------------------------------- */

struct figures {
    struct wf_counts counts;
    struct wf_store_space space;
    struct wf_archive_state archive;
    int64_t now, real;
    uint64_t overdue, due_soon; /* open: past their date; within 24 h */
    int64_t late_ms[WF_SERVICE_COUNT], oldest_ms[WF_SERVICE_COUNT];
    bool cell_on_hold;
    struct wf_value *by_procedure; /* [{procedure, open}] */
    struct wf_value *by_state;     /* [{procedure, state, open}]; a dossier in two counts twice */
    struct wf_value *subscribers;  /* [{name, seq, lag, age_ms}] */
};

int figures_read(struct hoso *h, struct figures *out) WF_CHECKED;

/* ---- the processes (processes.c) ------------------------------------------------------------- */

/* up, starting, halted (by a signal), stuck (with the write lock), silent (its loop stands), down */
const char *worker_state(struct hoso *h, struct wf_board *board, enum wf_service service);
const char *process_state(struct hoso *h, const struct wf_board *board,
                          enum wf_board_process process);
struct wf_value *worker_row(struct hoso *h, const struct figures *figures, struct wf_board *board,
                            enum wf_service service);
struct wf_value *process_row(struct hoso *h, const struct wf_board *board,
                             enum wf_board_process process);

/* ---- adapters' outboxes (portal.c) ----------------------------------------------------------- */

/* [{name, waiting, age_ms of the oldest event, held, stopped, why}], of the adapters that this cell
 * has. */
const struct wf_value *outboxes_value(struct hoso *h, int64_t now);
/* The folder of their files; NULL where there are none. */
const char *outbox_files(struct hoso *h);

/* ---- what needs a person (problems.c) -------------------------------------------------------- */

struct problems {
    struct hoso *h;
    struct wf_value *list;
    struct wf_value *lines; /* the same, as one line each */
    bool is_critical;
};

/* service: whom it concerns, "" = the cell. */
void problems_add(struct problems *p, const char *code, bool critical, const char *service,
                  const char *what, const char *cure);
void problems_of_worker(struct problems *p, const struct figures *figures, enum wf_service service,
                        const char *state);
void problems_of_process(struct problems *p, const char *name, const char *state);
/* An adapter that has not reached a side for long; `row` is of process_row. */
void problems_of_adapter(struct problems *p, const struct wf_value *row);
void problems_of_outbox(struct problems *p, const struct wf_value *outbox);
void problems_of_cell(struct problems *p, const struct figures *figures, bool runs);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/service.h - the runtime that every worker runs.
 *
 * PURPOSE    Options, settings, store, sockets, ready line, loop, stop. The loop: wait, drain a
 *            bounded batch, check every message, one write transaction, one commit, then speak.
 * CONCEPTS   spec    what a folder of services/ provides: name and activities
 *            cell    the folder that holds hoso.cfg, store/ and run/
 *            board   a small shared page per worker: when it took the write lock, last commit
 * EXIT       0 stopped in good order; 1 failed at run time (restart may help); 2 usage, settings or
 *            procedure wrong
 */
#ifndef WORKFLOW_SERVICE_H
#define WORKFLOW_SERVICE_H

#include "workflow/engine.h"

struct wf_service_spec {
    enum wf_service service;
    const struct wf_activity *activities;
    size_t n_activities;
};

/* The whole life of a worker process; gives the exit code. `catalogue` names all services' work. */
int wf_service_main(const struct wf_service_spec *spec, const struct wf_catalogue *catalogue,
                    int argc, char **argv);

/* ---- command line ---------------------------------------------------------------------------- */

/* What every long-running program of a cell takes. */
struct wf_options {
    const char *config; /* CELL/hoso.cfg */
    bool check_only;
    bool verbose;
    int ready_fd;       /* -1 = nobody waits for the ready line */
    const char *listen; /* --listen of a program that has it; NULL = as the settings say */
};

/* Wrong usage ends the process with 2, --help and --version with 0. `doc` may end in "\v". */
bool wf_options_read(int argc, char **argv, const char *doc, struct wf_options *out);
/* The same, of a program that also takes --listen ADDRESS:PORT. */
bool wf_options_read_listen(int argc, char **argv, const char *doc, struct wf_options *out);
/* Writes the ready line and closes the descriptor; tells the service manager as well. */
void wf_options_say_ready(const struct wf_options *options);

/*
 * What the service manager is told (sd_notify): "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...".
 * Nothing happens where none asked for it.
 */
void wf_notify(const char *state);
/* How often "WATCHDOG=1" is to be said; INT64_MAX = never. */
int64_t wf_notify_every_ms(void);

/* ---- settings: CELL/hoso.cfg --------------------------------------------------------------------
 */

struct wf_settings {
    const char *cell;     /* name of the cell */
    const char *store;    /* folder, made absolute */
    const char *run;      /* folder of the sockets, made absolute */
    const char *archive;  /* folder of the changes, made absolute; "" = none */
    const char *registry; /* folder with sites, roles, templates, calendar; made absolute */
    int64_t map_mib;      /* address space of the store */
    int64_t min_free_mib;
    int64_t batch;              /* most messages in one transaction */
    int64_t sweep_ms;           /* idle look at the queue table */
    int64_t request_window_ms;  /* how long a request id is remembered */
    int64_t readers_ms;         /* clearing of stale reader slots */
    int64_t watchdog_ms;        /* a write lock held longer ends the worker */
    const char *code_date;      /* "YYMMDD" or "YYYYMMDD" in dossier codes */
    int64_t code_digits;        /* 4..7 */
    const char *item_service;   /* two letters of S10 item numbers */
    const char *courier;        /* address of the courier's queue */
    int64_t delivery_attempts;  /* before a parcel goes back */
    struct wf_texts notify;     /* channels in order of preference: "zalo", "sms", "email" */
    int64_t notify_attempts;    /* on one channel */
    const char *bridge_listen;  /* "127.0.0.1:8080"; "" = no bridge */
    int64_t bridge_connections; /* most at a time */
    int64_t bridge_requests;    /* a second, of a party that has no figure of its own */
    int64_t bridge_timeout_ms;  /* how long a worker's answer is waited for */
    int64_t bridge_slow_ms;     /* for a request to be sent; twice that for its answer */
    const char *metrics_listen; /* "127.0.0.1:9464"; "" = no figures over HTTP */
    const char *log_level;
    int64_t log_rate;               /* lines a second of one event; what is more is counted */
    const char *sandbox;            /* "auto" or "off" */
    const char *gate_listen;        /* "tcp://127.0.0.1:5570"; "" = this cell has no gate */
    const char *gate_key;           /* file, made absolute */
    int64_t gate_connections;       /* most at a time */
    int64_t gate_party_connections; /* of them, of one party */
    int64_t gate_rate;              /* requests a second of one party */
    int64_t gate_unanswered;        /* requests of one party that wait for their answers */
    int64_t gate_pending;           /* the same of all parties together */
    int64_t gate_handshake_ms;      /* until a new connection must have proved its key */
    int64_t gate_slow_ms;           /* for a party to take something of its answers */
    int64_t gate_timeout_ms;        /* a worker's answer that comes later is not passed on */
    int64_t gate_memory_mib;        /* the gate ends when it needs more, and is started again */
    int64_t relay_max_age_ms;       /* a station's dossiers may have been received so long ago */
    const char *papers;             /* folder of scanned papers, made absolute */
    int64_t papers_max_mib;         /* of one paper */
    int64_t papers_open;            /* half sent ones of one party */
    int64_t papers_unnamed;         /* whole ones of one party that no dossier names */
    int64_t papers_unnamed_mib;     /* the same in MiB */
    int64_t papers_keep;            /* ms that those are kept which no dossier names */
    const char *folder;             /* the cell folder, absolute */
    const char *const *texts;       /* of all of them, for wf_settings_text */
    struct wf_config *config;       /* owns the texts */
    struct wf_arena *arena;
};

/* Reads CELL/hoso.cfg (or the file given). All messages go to the report. */
int wf_settings_load(const char *path, struct wf_report *report, struct wf_settings *out,
                     struct wf_error *err) WF_CHECKED;
void wf_settings_free(struct wf_settings *settings);
void wf_settings_help(struct wf_buf *out);
/* Level and bound of the log, as the settings want them; `verbose` is stronger than its level. */
void wf_settings_log(const struct wf_settings *settings, bool verbose);
/* By name, as text, for activity handlers ("code_digits" -> "4"); "" where there is no such name. The
 * text lives as long as the settings. */
const char *wf_settings_text(void *settings, const char *name);

/* ---- board: RUN/board, shared memory of the processes of a cell ------------------------------ */

/*
 * Each slot has one writer, its process, which zeroes it at start and end; status and metrics read
 * it at any time. All figures count from the start of the process; all members are int64_t.
 */

/* How long something took: how often by upper bound; the last count has none. */
#define WF_BOARD_BUCKETS 16
extern const int64_t wf_board_bounds_us[WF_BOARD_BUCKETS - 1];

struct wf_board_times {
    int64_t counts[WF_BOARD_BUCKETS];
    int64_t sum_us;
};
void wf_board_note(struct wf_board_times *times, int64_t us);

/* What had gone into and come out of the service's queue, every few seconds: for rates. */
#define WF_BOARD_SAMPLES   64
#define WF_BOARD_SAMPLE_MS 5000

struct wf_board_sample {
    int64_t ms; /* monotonic */
    int64_t in, out;
};

#define WF_BOARD_ONE(...) +1
#define WF_BOARD_ERRORS   (0 WF_ERRORS(WF_BOARD_ONE)) /* counters of all codes, that of -1 first */

struct wf_board_slot {
    int64_t pid;
    int64_t started_real_ms;
    int64_t writing_since_ms; /* monotonic ms at which the write lock was taken, 0 = not held */
    int64_t last_commit_real_ms;
    int64_t commits, messages, items, timers, refused, nudges_in, swept;
    int64_t last_batch, commit_us; /* of the last commit */
    int64_t ready;                 /* 1 when it answers */
    int64_t beat_ms;               /* monotonic ms of the last round of its loop */
    int64_t errors[WF_BOARD_ERRORS];
    struct wf_board_times commit, step; /* a step: one request, item or timer */
    int64_t n_samples;                  /* taken so far; the i-th lies at i % WF_BOARD_SAMPLES */
    struct wf_board_sample samples[WF_BOARD_SAMPLES];
};

/* Counts a refusal or failure; codes that are none are left out. */
void wf_board_error(struct wf_board_slot *slot, int code);

/*
 * The processes that open no store. A new one is a row here and a table of its figures: status and
 * metrics show it then. GAUGE is how it is now, COUNTER never falls while the process lives.
 */
#define WF_BOARD_PROCESSES(P) P(gate) P(bridge) P(portal) P(folder) P(courier) P(relay)

/* clang-format off */
#define WF_BOARD_FIGURES_gate(X)                                                                   \
    X(parties,      GAUGE,   "Parties of the registry.")                                           \
    X(connections,  GAUGE,   "Open connections.")                                                  \
    X(requests,     COUNTER, "Requests passed on to workers.")                                     \
    X(answers,      COUNTER, "Answers passed back to parties.")                                    \
    X(refused,      COUNTER, "Requests refused here: wrong, or not allowed.")                      \
    X(busy,         COUNTER, "Requests sent away for a while: too many or too fast.")              \
    X(unknown_keys, COUNTER, "Connections refused for an unknown key.")                            \
    X(crowded,      COUNTER, "Connections put off: the party has as many as it may.")              \
    X(unproved,     COUNTER, "Connections refused for no proof of any key.")                       \
    X(shut,         COUNTER, "Times that the port was shut, all connections being taken.")         \
    X(expired,      COUNTER, "Requests that got no answer in time.")                               \
    X(dropped,      COUNTER, "Answers that nobody took.")
#define WF_BOARD_FIGURES_bridge(X)                                                                 \
    X(connections,  GAUGE,   "Open connections.")                                                  \
    X(unread,       COUNTER, "Connections that ended without a request that could be read.")       \
    X(cut,          COUNTER, "Connections cut: too slow to ask, or to take the answer.")           \
    X(requests,     COUNTER, "HTTP requests answered.")                                            \
    X(refused,      COUNTER, "HTTP answers 4xx but 429: wrong, or not allowed.")                   \
    X(busy,         COUNTER, "HTTP answers 429: too many or too fast.")                            \
    X(failed,       COUNTER, "HTTP answers 5xx: a worker did not answer, or memory was out.")
/* What every adapter has, first in its slot. */
#define WF_BOARD_FIGURES_adapter(X)                                                                \
    X(turns,        COUNTER, "Rounds of work.")                                                    \
    X(failures,     COUNTER, "Pieces of work that failed and are tried again.")                    \
    X(away,         GAUGE,   "Sides or parties that are left alone for a while after a failure.")   \
    X(away_since_timestamp_seconds, GAUGE, "Since when that is so, since 1970; 0: all work.")
#define WF_BOARD_FIGURES_portal(X) WF_BOARD_FIGURES_adapter(X)
#define WF_BOARD_FIGURES_courier(X) WF_BOARD_FIGURES_adapter(X)
#define WF_BOARD_FIGURES_folder(X)                                                                 \
    WF_BOARD_FIGURES_adapter(X)                                                                    \
    X(files,        COUNTER, "Files done with.")                                                   \
    X(files_refused, COUNTER, "Files refused as a whole.")                                         \
    X(rows,         COUNTER, "Rows done with.")                                                    \
    X(rows_refused, COUNTER, "Rows refused.")                                                      \
    X(news,         COUNTER, "Pieces of news written.")
#define WF_BOARD_FIGURES_relay(X)                                                                  \
    X(requests,     COUNTER, "Requests of programs at the station.")                               \
    X(passed,       COUNTER, "Requests passed on, which only the cell can answer.")                \
    X(refused,      COUNTER, "Requests refused or sent away for a while.")                         \
    X(cuts,         COUNTER, "Times that the line was lost.")                                      \
    X(last_heard_timestamp_seconds, GAUGE, "When the cell was last heard, since 1970.")
/* clang-format on */

#define WF_BOARD_MEMBER(name, kind, help) int64_t name;
#define X(process)                                                                                 \
    struct wf_board_##process {                                                                    \
        int64_t pid;                                                                               \
        int64_t started_real_ms;                                                                   \
        int64_t beat_ms; /* monotonic */                                                           \
        int64_t ready;                                                                             \
        WF_BOARD_FIGURES_##process(WF_BOARD_MEMBER)                                                \
    };
WF_BOARD_PROCESSES(X)
#undef X

enum wf_board_process {
#define X(process) WF_BOARD_##process,
    WF_BOARD_PROCESSES(X)
#undef X
        WF_BOARD_PROCESS_COUNT
};

enum wf_board_kind { WF_BOARD_GAUGE, WF_BOARD_COUNTER };

struct wf_board_figure {
    const char *name;
    enum wf_board_kind kind;
    const char *help;
    size_t at; /* offset in the process's slot */
};

struct wf_board;
int wf_board_open(const char *run, struct wf_board **out, struct wf_error *err) WF_CHECKED;
void wf_board_close(struct wf_board *board);
struct wf_board_slot *wf_board_slot(struct wf_board *board, enum wf_service service);
struct wf_board_gate *wf_board_gate(struct wf_board *board);
struct wf_board_bridge *wf_board_bridge(struct wf_board *board);
struct wf_board_portal *wf_board_portal(struct wf_board *board);
struct wf_board_folder *wf_board_folder(struct wf_board *board);
struct wf_board_courier *wf_board_courier(struct wf_board *board);
struct wf_board_relay *wf_board_relay(struct wf_board *board);

/* Which one has this name; WF_BOARD_PROCESS_COUNT = none. */
enum wf_board_process wf_board_process_of(const char *name);
/* Its slot, zeroed: for who begins or ends to write it. */
void *wf_board_process_begin(struct wf_board *board, enum wf_board_process process);

/* Any of them: its name, its slot (which begins as all do: pid, started, beat, ready), its figures.
 */
const char *wf_board_process_name(enum wf_board_process process);
const void *wf_board_process_slot(const struct wf_board *board, enum wf_board_process process);
const struct wf_board_figure *wf_board_figures(enum wf_board_process process, size_t *out_n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay/relay.h - a station: takes dossiers in while its line to the cell is cut, and hands them over
 * when it is back (docs/relay.md).
 *
 * PURPOSE    What is taken is on this disk before the counter gets its receipt; it reaches the cell
 *            once, in order, under the code on the receipt.
 * CONCEPTS   line     the connection to the cell's gate: up while answers come
 *            flight   a hand-off that was sent and not settled yet
 *            held     a request that is taken, whose answer waits a moment for the cell's own
 *            passing  a request that only the cell can answer, on its way
 * LIFE CYCLE relay_open -> rounds of main.c: take, line -> relay_close
 * DANGERS    one thread, nothing waits but the loop. Say nothing before db_commit.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "relay/store.h"
#include "workflow/log.h"
#include "workflow/outpost.h"
#include "workflow/service.h"

#define ID_BYTES    65 /* of a request, with NUL */
#define WINDOW_MOST WF_HANDOFFS_KEPT
#define HELD_MOST   256
#define SKEW_MOST   120000 /* ms; a cell refuses what was received in its future */
#define PROBE_ID    "relay-probe-"
#define RETRY_MS    2000 /* after which an asker that hears `busy` shall come back */

/* CELL/relay.cfg */
struct relay_settings {
    const char *key;              /* file of hoso party add, made absolute */
    const char *database;         /* made absolute */
    struct wf_texts sites, roles; /* as the station is registered; none = whatever */
    int64_t range, low_water;
    int64_t window;
    int64_t most;
    int64_t answer_wait_ms;
    int64_t line_timeout_ms;
    int64_t probe_ms;
    int64_t keep_ms;
};

struct flight {
    int64_t seq;
    char id[ID_BYTES];   /* of the request that was taken */
    char wire[ID_BYTES]; /* under which the cell knows it */
};

struct held {
    char id[ID_BYTES];
    enum wf_service service;
    struct wf_asker asker;
    int64_t until_ms;     /* monotonic */
    struct wf_buf answer; /* of the station's own, said then; empty = a passing one: nothing */
    bool used;
};

struct line {
    bool up, said;          /* `said`: written down at least once since the start */
    int64_t asked_ms;       /* monotonic: the first probe since anything was heard; 0 = none */
    int64_t probe_ms;       /* when to ask how the cell is */
    int64_t anew_ms;        /* when to make a new connection */
    int64_t resend_ms;      /* when what is in flight is sent again */
    bool waits;             /* told to come back later: nothing new until resend_ms */
    char blocked[512];      /* why the cell does not take what is asked; "" = it does */
    char reserve[ID_BYTES]; /* request that asks for numbers, "" = none */
    uint64_t probes;
};

struct definition {
    struct wf_procedure *procedure;
    int64_t from_ms, until_ms;
};

struct relay {
    struct wf_settings cell; /* of hoso.cfg: run, registry, min_free_mib, log_level */
    struct relay_settings settings;
    struct wf_config *config;
    struct wf_registry *registry;
    struct wf_calendar *calendar;
    struct wf_catalogue catalogue;
    struct definition *definitions;
    size_t n_definitions;
    struct db *db;
    struct wf_outpost *outpost;
    int64_t heard_before; /* this start: when the cell was last heard, s */
    struct wf_board *board;
    struct wf_board_relay *slot;  /* never NULL */
    struct wf_board_relay unseen; /* where there is no board */
    struct wf_clock clock;        /* of the cell */
    struct line line;
    struct flight flights[WINDOW_MOST]; /* in order */
    size_t n_flights;
    struct held held[HELD_MOST];
    struct wf_arena *arena; /* of one round */
    struct wf_buf out;
    int64_t tidy_ms; /* monotonic */
    int64_t skew_ms; /* this clock before the cell's, where it is too much; else 0 */
    bool has_met;    /* since the start the cell has told what it has taken */
    bool is_torn;    /* the cell's sequence and ours do not meet: nothing new is taken */
    int signal_fd;
    bool stopping;
};

/* A request of a program at the station. */
struct asked {
    enum wf_service service;
    struct wf_asker asker;
    struct wf_slice frame;
    struct wf_envelope envelope;
    struct wf_error why;  /* code 0 = not refused */
    int64_t retry_ms;     /* of a busy answer */
    struct handoff taken; /* where it is one */
    bool is_own;          /* its dossier was taken in here: there is an answer of our own */
};

/* settings.c */
void relay_help(struct wf_buf *out); /* the settings of relay.cfg, as wf_keys_help prints them */
int relay_load(const char *folder, struct relay *relay, struct wf_report *report,
               struct wf_error *err) WF_CHECKED;
void relay_unload(struct relay *relay);
/* Bytes that must be free on the disk for what is new. */
uint64_t relay_room(const struct relay *relay);
/* Are they? What was taken must still be settled then. */
int relay_has_room(const struct relay *relay, bool *out, struct wf_error *err) WF_CHECKED;

/* start.c */

/* Files only, and beside a station that runs. */
int relay_check(struct relay *relay, struct wf_error *err) WF_CHECKED;
int relay_open(struct relay *relay, struct wf_error *err) WF_CHECKED;
void relay_close(struct relay *relay);
int64_t relay_now(const struct relay *relay); /* business ms of the cell */

/* check.c: as the cell would check, as far as it can be known here */
/* *out is the definition that the dossier will run by; NULL where the station has none at all. */
int relay_check_submit(const struct relay *relay, const struct wf_msg_dossier_submit *m,
                       int64_t received, const struct wf_procedure **out,
                       struct wf_error *err) WF_CHECKED;
int relay_check_event(const struct relay *relay, const struct handoff *dossier,
                      const struct wf_msg_dossier_event *m, struct wf_error *err) WF_CHECKED;

/* take.c: the requests that wait; negative: the process must end */
int take_requests(struct relay *relay, struct wf_error *err) WF_CHECKED;

/* The id under which a request is handed over: its own, made different from those that programs at
 * the station choose for requests which are only passed on. The same each time. */
void take_wire_id(struct wf_str id, char out[ID_BYTES]);

/* pass.c: to the cell, or answered here. An error is for the asker, unless it is IO or CORRUPT. */
int pass_on(struct relay *relay, struct asked *a, struct wf_error *err) WF_CHECKED;

/* answer.c */
void answer_error(struct relay *relay, const struct asked *asked);
void answer_frame(struct relay *relay, enum wf_service service, const struct wf_asker *asker,
                  struct wf_slice frame);
/* What the station itself knows of a dossier that it has taken in. */
void answer_state(struct relay *relay, const struct asked *asked, const struct handoff *dossier);
/* To a hand-off that waits: now, or in a moment, when the cell may have answered. */
void answer_taken(struct relay *relay, const struct asked *asked);
void answer_waiting_list(struct relay *relay, const struct asked *asked);
/* Keeps the asker of a request until an answer comes; false where there is no room. */
struct held *held_add(struct relay *relay, const struct asked *asked, int64_t wait_ms);
struct held *held_find(struct relay *relay, struct wf_str id);
void held_drop(struct held *held);
void held_expire(struct relay *relay, int64_t now_ms);

/* line.c: one round; negative: the process must end */
int line_round(struct relay *relay, struct wf_error *err) WF_CHECKED;
int64_t line_next_ms(const struct relay *relay); /* monotonic: when there is something to do */
/* Sends a request to the cell; WF_E_BUSY where the line is down. */
int line_ask(struct relay *relay, const struct wf_envelope *request,
             struct wf_error *err) WF_CHECKED;

/* settle.c: what the cell has said */
int settle_answers(struct relay *relay, struct wf_error *err) WF_CHECKED;

#endif

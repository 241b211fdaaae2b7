/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo/wabo/replay.h - a log sent through the queue endpoints, and its comparison with the store.
 *
 * CONCEPTS   course   a case under way: its steps are the submission, its recorded events one by
 *                     one, and `close`; the next goes out when the last was answered and its time
 *                     has come
 *            look     asks whether the new dossier is in the register, before its first event
 */
#ifndef DEMO_WABO_REPLAY_H
#define DEMO_WABO_REPLAY_H

#include "log.h"
#include "workflow/client.h"
#include "workflow/clock.h"

#define REPLAY_ID_SIZE 64

struct course {
    const struct log_case *what;
    struct ending *ending;
    char dossier[65];
    uint64_t number; /* of the dossier in the store */
    size_t done;     /* steps answered */
    size_t released; /* steps whose time has come */
    size_t refused;  /* recorded events */
    bool queued;     /* among those that want to send */
    bool looking;    /* the next request is a look */
    unsigned looks;
    int64_t not_before_ms;   /* monotonic, of the next request */
    int64_t sent_ms;         /* monotonic; 0 = nothing is out */
    char id[REPLAY_ID_SIZE]; /* of what is out */
};

struct replay_counts {
    size_t accepted;    /* recorded events */
    size_t refused;     /* recorded events */
    size_t closed;      /* `close` accepted */
    size_t kept_open;   /* `close` refused, as the log wants it */
    size_t wrong_close; /* accepted or refused against the log */
    size_t sent_again;  /* requests without an answer */
};

struct replay_options {
    const char *run;       /* folder of the sockets */
    struct wf_clock clock; /* of the cell */
    bool is_fast;          /* no waiting for the recorded times */
    bool is_shuffled;      /* refusals are wanted: tell none of them */
};

/* One course for each case; 0 when every step was answered, whatever the answers were. */
int replay_run(const struct replay_options *options, const struct log *log, struct course *courses,
               struct replay_counts *out, struct wf_error *err) WF_CHECKED;

/* Reads all dossiers and the journal over the endpoints, prints the tables; *out_agree says whether
 * each figure is that of the log. */
int replay_compare(const struct replay_options *options, const struct log *log,
                   const struct course *courses, bool *out_agree, struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay/store.h - what a station must not lose: hand-offs and provisional numbers, in SQLite.
 *
 * CONCEPTS   hand-off  one dossier or event for the cell, under its number in the station's sequence;
 *                      a row stays when it is settled, so that the same request gets the same answer
 *            number    of a receipt, from a range that the cell has reserved
 *            fact      a name and a value: the sequence, the clock, how the line is
 * PRIVACY    the frame holds personal data; it is wiped when the cell has taken the dossier, and of
 *            a refused one when a person has seen to it (secure_delete).
 * ERRORS     db.h's
 * OWNERSHIP  what is read lives in the given arena.
 */
#ifndef RELAY_STORE_H
#define RELAY_STORE_H

#include "adapter/db.h"
#include "workflow/messages.h"

enum handoff_state {
    HANDOFF_WAITS,
    HANDOFF_TAKEN,
    HANDOFF_REFUSED, /* a person must look */
    HANDOFF_SEEN     /* one has */
};

struct handoff {
    int64_t seq;
    struct wf_str id; /* of the request */
    struct wf_slice digest;
    int64_t type; /* enum wf_message: dossier_submit or dossier_event */
    struct wf_slice frame;
    struct wf_str dossier; /* code on the receipt; of an event the one that it names */
    struct wf_str code;    /* the cell's, "" until it is known */
    struct wf_str procedure, site, channel;
    int64_t version;
    int64_t received; /* business ms */
    int64_t due;      /* likewise, as it can be told here; 0 = unknown */
    int64_t at;       /* real ms */
    int64_t state;    /* enum handoff_state */
    int64_t settled;  /* real ms, 0 = not yet */
    struct wf_slice answer;
    struct wf_str note; /* of who has seen to a refused one */
};

struct store_figures {
    int64_t waiting, taken, refused, numbers;
    int64_t oldest; /* real ms at which the first waiting one came, 0 = none */
};

int store_open(const char *path, struct db **out, struct wf_error *err) WF_CHECKED;
/* To look into, beside the station that writes. */
int store_look(const char *path, struct db **out, struct wf_error *err) WF_CHECKED;

/* ---- facts ---- */
int store_fact(struct db *db, const char *name, int64_t *out,
               struct wf_error *err) WF_CHECKED; /* 0 where it is not there */
int store_set_fact(struct db *db, const char *name, int64_t value, struct wf_error *err) WF_CHECKED;
int store_fact_text(struct db *db, const char *name, struct wf_arena *arena, struct wf_str *out,
                    struct wf_error *err) WF_CHECKED; /* "" where it is not there */
int store_set_fact_text(struct db *db, const char *name, const char *text,
                        struct wf_error *err) WF_CHECKED;

/* ---- numbers ---- */
int store_add_range(struct db *db, struct wf_str series, int64_t first, int64_t last,
                    struct wf_error *err) WF_CHECKED;
/* The next code for a receipt; WF_NONE: none are left. */
int store_take_code(struct db *db, struct wf_arena *arena, struct wf_str *out,
                    struct wf_error *err) WF_CHECKED;

/* The last hand-off before the first that waits, and the highest number given to this station. */
int store_known(struct db *db, int64_t *out_handed, int64_t *out_number,
                struct wf_error *err) WF_CHECKED;

/* ---- hand-offs; WF_NONE where there is none ---- */
int store_add(struct db *db, const struct handoff *h, struct wf_error *err) WF_CHECKED;
int store_by_seq(struct db *db, int64_t seq, struct wf_arena *arena, struct handoff *out,
                 struct wf_error *err) WF_CHECKED;
int store_by_id(struct db *db, struct wf_str id, struct wf_arena *arena, struct handoff *out,
                struct wf_error *err) WF_CHECKED;
/* The dossier of this code, the receipt's or the cell's. */
int store_by_code(struct db *db, struct wf_str code, struct wf_arena *arena, struct handoff *out,
                  struct wf_error *err) WF_CHECKED;
/* The first that waits, with a number above `after`. */
int store_next(struct db *db, int64_t after, struct wf_arena *arena, struct handoff *out,
               struct wf_error *err) WF_CHECKED;
/* Those in this state with a number above `after`, in order, until fn gives non-zero. */
int store_each(struct db *db, enum handoff_state state, int64_t after, struct wf_arena *arena,
               int (*fn)(void *context, const struct handoff *h), void *context,
               struct wf_error *err) WF_CHECKED;
int store_settle(struct db *db, int64_t seq, enum handoff_state state, struct wf_str code,
                 struct wf_slice answer, int64_t now_ms, struct wf_error *err) WF_CHECKED;
/* A person has seen to the refused one; its content is wiped. WF_NONE: no such refused one. */
int store_seen(struct db *db, int64_t seq, const char *note, struct wf_error *err) WF_CHECKED;
/* Forgets those settled before; refused ones that nobody has seen to stay. */
int store_prune(struct db *db, int64_t before_ms, struct wf_error *err) WF_CHECKED;
int store_figures(struct db *db, struct store_figures *out, struct wf_error *err) WF_CHECKED;

#endif

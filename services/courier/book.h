/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/courier/book.h - what the adapter knows for good: orders, events, what was told.
 *
 * CONCEPTS   order   one row for each delivery that was given to the courier; its states:
 *                    waiting     to be asked for, or asked for without an answer yet
 *                    ordered     the courier has it
 *                    refused     the courier does not want it; the task was given back
 *                    cancelling  the cell no longer wants it; the courier is to be told
 *                    cancelled   the courier has been told
 *                    stray       the cell no longer wants it, but the parcel is on its way
 *                    over        its end was told to the cell
 *            person  the receiver's data, kept until the courier has the order
 *            fresh   there are events that may not have been told yet
 * ERRORS     as in adapter/db.h
 */
#ifndef COURIER_BOOK_H
#define COURIER_BOOK_H

#include "adapter/db.h"
#include "courier.h"

/* clang-format off */
#define ORDER_STATES(X)          \
    X(WAITING,    "waiting")     \
    X(ORDERED,    "ordered")     \
    X(REFUSED,    "refused")     \
    X(CANCELLING, "cancelling")  \
    X(CANCELLED,  "cancelled")   \
    X(STRAY,      "stray")       \
    X(OVER,       "over")
/* clang-format on */

enum order_state {
#define X(name, word) ORDER_##name,
    ORDER_STATES(X)
#undef X
        ORDER_STATE_COUNT
};

struct order {
    int64_t id;
    const char *number;  /* the courier's: dossier code, .R2 ... of further deliveries, .C */
    const char *dossier; /* code */
    const char *parcel;  /* item number of the task */
    const char *item;    /* number on the parcel, "" = not known yet */
    const char *person;  /* JSON, "" once the courier has the order */
    enum order_state state;
    int64_t task, token, lease_until_ms; /* task 0 = there is none; token 0 = it is not held */
    int64_t fee, charge, postage;        /* the three ledgers; their sum is taken at the door */
    int64_t asked, tries;
    enum parcel_state news; /* the last that the events come to */
};

/* A task as it was leased. */
struct order_task {
    const char *dossier, *parcel, *person;
    const char *kind; /* deliver, collect */
    int64_t task, token, lease_until_ms, fee, charge, postage;
};

const char *order_word(enum order_state state);

int book_open(const char *path, const struct courier_settings *settings, struct db **out,
              struct wf_error *err) WF_CHECKED;

/* To look into, beside the adapter that writes. */
int book_look(const char *path, struct db **out, struct wf_error *err) WF_CHECKED;
/* To write without the adapter's settings: of a cell that was just restored. */
int book_mend(const char *path, struct db **out, struct wf_error *err) WF_CHECKED;

/* The pool's next `count` numbers are never given, or as many as it has: a book that was lost may
 * have given them. */
int book_pass_items(struct db *db, int64_t count, int64_t *out, struct wf_error *err) WF_CHECKED;

/* Writes down leased tasks, or who holds them now; one transaction. */
int book_take(struct db *db, const struct courier_settings *settings,
              const struct order_task *tasks, size_t n, int64_t now_ms,
              struct wf_error *err) WF_CHECKED;

/* ---- which orders ------------------------------------------------------------------------------ */

enum book_list {
    BOOK_TO_ASK,    /* waiting or cancelling, and due */
    BOOK_TO_TELL,   /* fresh, with a task, and due */
    BOOK_TO_EXTEND, /* lease ends before `until_ms` */
};

/* At most `most`, in order; texts live in the arena. */
int book_list(struct db *db, enum book_list list, int64_t until_ms, size_t most,
              struct wf_arena *arena, struct order **out, size_t *out_n,
              struct wf_error *err) WF_CHECKED;
/* Milliseconds (real) at which the next order is to be asked for or told; INT64_MAX = none. */
int book_next_ms(struct db *db, int64_t *out, struct wf_error *err) WF_CHECKED;

/* ---- what becomes of one ----------------------------------------------------------------------- */

/* The number on the parcel, from the pool where that was empty before; WF_NONE = it still is. */
int book_number(struct db *db, const struct courier_settings *settings, struct order *order,
                struct wf_arena *arena, struct wf_error *err) WF_CHECKED;
/* Before every request to the courier: from now on it may know the order. */
int book_asked(struct db *db, const struct order *order, struct wf_error *err) WF_CHECKED;
int book_settled(struct db *db, const struct order *order, enum order_state state, const char *item,
                 const char *why, int64_t now_ms, struct wf_error *err) WF_CHECKED;
/* Not before `next_ms` again. */
int book_later(struct db *db, const struct order *order, const char *why, int64_t next_ms,
               struct wf_error *err) WF_CHECKED;
int book_leased(struct db *db, const struct order *order, int64_t until_ms,
                struct wf_error *err) WF_CHECKED;
/* Somebody else holds the task, or nobody does: it may be offered again, and whether it is still
 * there is asked at `until_ms`. */
int book_lost(struct db *db, const struct order *order, int64_t until_ms,
              struct wf_error *err) WF_CHECKED;
/* The cell no longer waits: cancels what was not collected yet. */
int book_gone(struct db *db, const struct courier_settings *settings, const struct order *order,
              int64_t now_ms, struct wf_arena *arena, struct wf_error *err) WF_CHECKED;

/* ---- tracking ---------------------------------------------------------------------------------- */

/* A page of events, and how far we have read; one transaction. */
int book_events(struct db *db, const struct tracking_page *page, const char *last_id,
                int64_t now_ms, int64_t *out_new, struct wf_error *err) WF_CHECKED;

/* One thing that the events of an order say, in order of their time. */
struct step {
    enum parcel_state state;
    int64_t attempt;
    const char *reason;
    bool is_told;
};

int book_steps(struct db *db, const struct courier_settings *settings, const struct order *order,
               struct wf_arena *arena, struct step **out, size_t *out_n,
               struct wf_error *err) WF_CHECKED;
int book_is_told(struct db *db, const struct order *order, const struct step *step, bool *out,
                 struct wf_error *err) WF_CHECKED;
int book_told(struct db *db, const struct order *order, const struct step *step,
              struct wf_error *err) WF_CHECKED;
/* All steps are told; `last` is NULL where there was none. */
int book_quiet(struct db *db, const struct order *order, const struct step *last,
               struct wf_error *err) WF_CHECKED;

/* Deletes events and steps told of orders that were over before; of at most 500. The orders stay, since
 * further ones of their dossiers are numbered by them, and hear no more events. */
int book_forget(struct db *db, int64_t before_ms, int64_t *out_n, struct wf_error *err) WF_CHECKED;

/* Small facts by name: "last_id", "tracked_ms", "trouble". */
int book_note(struct db *db, const char *name, const char *value, struct wf_error *err) WF_CHECKED;
int book_noted(struct db *db, const char *name, struct wf_arena *arena, const char **out,
               struct wf_error *err) WF_CHECKED;

#endif

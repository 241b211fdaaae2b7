/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/courier/courier.h - hoso-courier: parcel tasks on one side, a courier's orders on the
 * other.
 *
 * PURPOSE    Every parcel task becomes exactly one order at the courier; what the courier's
 *            tracking says becomes news and the end of the task; a task that is gone before the
 *            parcel was collected becomes a cancellation.
 * CONCEPTS   parcel   one delivery of one dossier (dossier and item number of its task); one order
 *            order    what the courier knows it by: orderNumber, the dossier's code
 *            ledgers  fee, charge (the agency's) and postage (the post's); together the amount
 *                     that the courier takes at the door
 * ORDER      The order is written down before it is asked for, and asked for again under the same
 *            number until an answer is written down. Events are written down before they are told
 *            to the cell, and told with ids made of task and state until that is answered.
 * FILES      dialect.c, wording.c: pure   settings.c: courier.cfg   book*.c: SQLite
 *            door.c: HTTP to the courier   cell.c: tasks   work.c: what is done when   main.c
 */
#ifndef COURIER_COURIER_H
#define COURIER_COURIER_H

#include "adapter/adapter.h"
#include "dialect.h"

/* ---- settings: CELL/courier.cfg --------------------------------------------------------------- */

struct courier_sender {
    const char *site; /* "*" = all that have no row of their own */
    const char *name, *address, *tel, *email, *province, *district;
};

/* What a tracking code says: a state of the parcel, or nothing that matters here. */
struct courier_code {
    const char *code;
    const char *means; /* a state of parcel.h, or "ignored" */
    const char *reason;
    bool is_news;
    enum parcel_state state;
};

struct courier_settings {
    struct adapter_settings common; /* first: adapter.h wants it there */
    const char *account;            /* who acts, for the journal */
    const char *address;            /* of the task queue */
    const char *dialect_name;
    const char *url;
    const char *ca;
    const char *order_path, *cancel_path, *tracking_path; /* "" = the dialect's */
    const char *customer_code;
    const char *token; /* as it is; or by the three below */
    const char *token_url;
    const char *client_id;
    const char *secret_file;
    const char *description;
    const char *receiver_province, *receiver_district;
    const char *items; /* where the numbers come from: cell, pool, courier */
    const char *item_pool;
    bool item_check;
    int64_t postage;
    const char *postage_by; /* receiver, sender */
    bool collect;           /* also return.collect */
    int64_t tracking_every_ms, tracking_overlap_ms;
    int64_t page_size;
    int64_t keep_ms;
    int64_t lease_ms;
    int64_t answer_ms;
    const struct wf_node *senders_node, *codes_node, *answers_node;

    const struct dialect *dialect;
    struct courier_sender *senders;
    size_t n_senders;
    struct courier_code *codes;
    size_t n_codes;
    struct dialect_code *answers;
    size_t n_answers;
};

extern const struct wf_key courier_keys[];
extern const size_t courier_n_keys;

void courier_help(struct wf_buf *out); /* all settings, as wf_keys_help prints them */

/* What the table of keys cannot say; all mistakes go to the report. */
int courier_check(struct adapter *a, struct wf_report *report, struct wf_error *err) WF_CHECKED;

/* Never NULL: a row for this site, else the one for all, else an empty one. */
const struct courier_sender *courier_sender(const struct courier_settings *settings,
                                            const char *dossier);
/* NULL where the code is not in the table. */
const struct courier_code *courier_code(const struct courier_settings *settings, const char *code);

/* The whole life of hoso-courier; gives the exit code. */
int courier_main(int argc, char **argv);

#endif

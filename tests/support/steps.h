/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/steps.h - given, when, then: what scenarios are written in.
 *
 * Each step is a request as a party would send it, then the services settle what follows. A step
 * fails the test when it is refused; what shall be refused is asked by refuse().
 */
#ifndef TESTS_SUPPORT_STEPS_H
#define TESTS_SUPPORT_STEPS_H

#include "support/cell.h"

#define SITE          "000.00.13.H30" /* Long My town, M1: officials in the post office */
#define SITE_MANDATED "000.01.14.H30" /* Dong Phuoc A, M4: postal workers receive */
#define SITE_CARRIER  "000.00.18.H30" /* Long My district, M3: the post only carries */

#define MARRIAGE "1.004873"
#define BIRTH    "1.001193"
#define LAND     "1.013831"
#define COPY     "2.000815"

/* ---- given: dossiers --------------------------------------------------------------------------
 */

/* A party's registration: all of its file but name and organisation. */
struct registered {
    const char *name, *text;
};
/* Writes the files anew and loads them into cell->parties, freed by close_with_parties. */
void register_parties(struct cell *cell, const struct registered *parties, size_t n);
/* cell_close for a cell with parties. */
void close_with_parties(struct cell *cell);

/* A complete sample of the procedure: received at SITE by a civil servant over one_stop. */
struct wf_msg_dossier_submit sample(struct cell *cell, const char *procedure);
/* The sample with other values for some fields; gives the dossier's code. */
const char *submit(struct cell *cell, const char *procedure, const char *fields);
const char *submit_message(struct cell *cell, const struct wf_msg_dossier_submit *message);

/* ---- when: people and systems act -------------------------------------------------------------
 */

struct task {
    uint64_t id, token;
    int64_t attempt;
    enum wf_service service;
    const char *dossier, *to, *role;
    const struct wf_value *params;
};

/* Leases one task of the activity in this role ("" = any); false when there is none. */
bool claim_if_any(struct cell *cell, const char *activity, const char *to, const char *role,
                  struct task *out);
struct task claim(struct cell *cell, const char *activity, const char *role);
struct task claim_at(struct cell *cell, const char *activity, const char *to);
void finish(struct cell *cell, const struct task *task, const char *result);
void progress(struct cell *cell, const struct task *task, const char *data);
void give_up(struct cell *cell, const struct task *task, const char *reason, bool final);
/* claim and finish in one. */
void complete(struct cell *cell, const char *activity, const char *role, const char *result);
void say(struct cell *cell, const char *code, const char *event, const char *role);

/* The gateways send everything that waits; gives how many there were. */
unsigned send_notices(struct cell *cell);

/* ---- then -------------------------------------------------------------------------------------
 */

const struct wf_msg_dossier_state *look_up(struct cell *cell, const char *code);
bool is_in(struct cell *cell, const char *code, const char *state);
void assert_in(struct cell *cell, const char *code, const char *state);
void assert_status(struct cell *cell, const char *code, unsigned status);
void assert_closed(struct cell *cell, const char *code, const char *outcome);
void assert_due(struct cell *cell, const char *code, const char *moment);
void assert_no_task(struct cell *cell, const char *activity, const char *role);
/* How often the dossier had an event of this name. */
unsigned times(struct cell *cell, const char *code, const char *event);
void assert_times(struct cell *cell, const char *code, const char *event, unsigned n);
/* How many notices of the template wait at the gateways. */
void assert_notices(struct cell *cell, const char *code, const char *template, unsigned n);

/* Refused with this code word and field ("" = none), a sentence, and nothing stored. */
void refuse(struct cell *cell, enum wf_service service, enum wf_message type, const void *body,
            const char *word, const char *field);

/* A new request id. */
const char *new_id(struct cell *cell);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clients/c/party.h - what the five examples share: the way to the cell, and the loop of a program
 * that works on tasks. Copy it into your own program and change what you need.
 *
 * A lease is kept by a second thread with a client of its own, as long as a handler runs.
 */
#ifndef CLIENTS_PARTY_H
#define CLIENTS_PARTY_H

#include <workflow/client.h>

struct party_task {
    const struct wf_value *fields; /* {task, token, dossier, activity, to, role, params, ...} */
    const struct wf_value *params;
    const char *dossier;
    uint64_t task;  /* the same in every attempt: the key of your own records */
    uint64_t token; /* rises with every lease */
    struct wf_arena *arena;
    struct wf_client *client; /* for requests of the handler */
    const char *by;
    const char *failure; /* what a handler says that returns NULL; no personal data */
    uint64_t retry_ms;   /* of a failure; 0 = the service's own back-off */
};

/* The result, or NULL: not done. It may take as long as it needs. */
typedef const struct wf_value *party_handler(struct party_task *task, void *context);

struct party_work {
    enum wf_service service;
    const char *activity, *to, *by, *role;
    int64_t limit; /* end after so many tasks; 0 = never */
    party_handler *handle;
    void *context;
};

/* By HOSO_KEY_FILE (through the gate) or else HOSO_RUN (the cell's run folder). */
int party_open(struct wf_client **out, struct wf_error *err) WF_CHECKED;

/* The whole life of a program that works on tasks. Gives its exit code. */
int party_run(const struct party_work *work);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate/gate.h - the gate: the one process that touches bytes from other hosts.
 *
 * PURPOSE    Proves who asks, bounds how much and how fast, checks every byte, writes the party's
 *            name on the request and passes it to the worker that is meant; brings answers back.
 * CONCEPTS   visitor  what is remembered of a party while the gate runs: its bucket, how many of
 *                     its requests wait
 *            key      a row of the registry by CURVE key; looked up for every message, so that a
 *                     revoked key is refused at once on a connection that lives
 *            pending  a request on its way: whom its answer goes to
 * DANGERS    no store is opened here, and none is linked (tests/layers.py). Nothing here outlives a
 *            restart: parties ask again under the same ids, and workers know these.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <sys/types.h>

#include "bucket.h"
#include "workflow/door.h"
#include "workflow/log.h"
#include "workflow/parties.h"
#include "workflow/service.h"

#define ID_MAX    64 /* bytes of a request id */
#define PROOF_LEN 16 /* bytes of the id under which a worker knows the request */

struct visitor {
    char name[33];
    struct bucket bucket;
    struct wf_untaken untaken;
    int64_t waiting;   /* its pending requests */
    int64_t silent_ms; /* monotonic: no further log line before */
};

struct key {
    char z85[WF_KEY_SIZE];
    const struct wf_party *party;
    struct visitor *visitor;
};

struct pending {
    uint8_t proof[PROOF_LEN];
    struct wf_asker asker;
    struct visitor *visitor;
    int64_t until_ms; /* monotonic */
    size_t next;      /* in its chain, or among the free ones */
    uint8_t id_length;
    char id[ID_MAX]; /* as the party chose it */
    bool used;
    uint32_t sent; /* so often, under this id, and not answered yet */
};

struct pendings {
    struct pending *rows; /* row 0 is not used: 0 ends a chain */
    size_t *heads;
    size_t n_rows, n_heads, free;
};

#define STRANGERS_MAX 256

/* An address that was refused, and when it may be told again. */
struct stranger {
    char address[46];
    int64_t quiet_ms; /* monotonic */
};

struct gate {
    struct wf_settings settings;
    const char *config; /* where they came from, */
    dev_t config_dev;   /* and which file that was */
    ino_t config_ino;
    bool verbose;
    char folder[1100]; /* of the parties' files */
    struct wf_parties *parties;
    struct wf_parties_watch watch;
    struct visitor **visitors; /* by name; never taken away while the gate runs */
    size_t n_visitors;
    struct key *keys; /* by key */
    size_t n_keys;
    struct pendings pendings;
    struct wf_door *door;
    struct wf_board *board;
    struct wf_board_gate *slot;
    struct wf_arena *arena; /* of one message */
    struct wf_buf out;
    int64_t next_look_ms;
    struct stranger strangers[STRANGERS_MAX];
    size_t n_strangers;
    uint64_t tidied; /* connections that had ended when freed memory was last given back */
    int signal_fd, lock_fd;
    bool stopping;
};

/* start.c */
int gate_open(struct gate *gate, const struct wf_options *options, struct wf_error *err) WF_CHECKED;
void gate_close(struct gate *gate);
/* Takes over what can change while connections stand: rates, bounds of requests, times, the log. A
 * file that is wrong leaves all as it was. */
void gate_settings_again(struct gate *gate);

/* registry.c: reads the registry where it has changed, or in any case. A registry that is wrong
 * leaves the old one. */
void registry_read(struct gate *gate, bool in_any_case);
const struct key *registry_find(const struct gate *gate, const char *z85);
void registry_free(struct gate *gate);

/* strangers.c: tells of refused connections in the log, each address once a minute. */
void strangers_note(struct gate *gate, int64_t now_ms);
/* Is the address to be told now? Then not again for a minute. */
bool strangers_is_new(struct gate *gate, const char *address, int64_t now_ms);

/* pending.c */
int pending_open(struct pendings *pendings, int64_t most, struct wf_error *err) WF_CHECKED;
void pending_close(struct pendings *pendings);
struct pending *pending_find(const struct pendings *pendings, const uint8_t proof[PROOF_LEN]);
/* A new row, NULL when all are taken; counts for the visitor. */
struct pending *pending_add(struct pendings *pendings, const uint8_t proof[PROOF_LEN],
                            struct visitor *visitor);
void pending_drop(struct pendings *pendings, struct pending *row);
int64_t pending_expire(struct pendings *pendings, int64_t now_ms); /* how many */

/* pass.c: one round; negative: the process must end. */
int pass_requests(struct gate *gate, struct wf_error *err) WF_CHECKED;
int pass_answers(struct gate *gate, struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/records.h - what is stored: one table of record kinds, packed as msgpack arrays.
 *
 * PURPOSE    A record is a msgpack array of its fields in table order, then 4 bytes of checksum.
 *            Fields are only ever added at the end; a shorter array reads with zero for the rest.
 * OWNERSHIP  everything unpacked lives in the given arena.
 * ERRORS     WF_E_CORRUPT where checksum, structure or a type is wrong; WF_E_VERSION where there
 *            are more fields than the table has (a newer release wrote it); WF_E_NOMEM. Packing:
 *            WF_E_INVALID where a value could not be read back (too deep, too many, no UTF-8).
 * PRIVACY    only `content`, `task.params`, `queue.params`, event data and `request.answer` may
 *            hold personal data; no other record does.
 */
#ifndef WORKFLOW_RECORDS_H
#define WORKFLOW_RECORDS_H

#include "workflow/messages.h"

/* clang-format off */
#define WF_RECORDS(X) \
    X(meta) X(dossier) X(content) X(event) X(queue) X(task) X(timer) X(request) X(procedure) X(counters) \
    X(hold)

#define WF_RECORD_meta(F, m)                                                              \
    F(m, U64,  format,     REQ, 0)   /* of the store; checked at open */                  \
    F(m, STR,  cell,       REQ, 0)                                                        \
    F(m, I64,  created,    REQ, 0)   /* real ms */                                        \
    F(m, I64,  clock_real, REQ, 0)   /* struct wf_clock */                                \
    F(m, I64,  clock_business, REQ, 0)                                                    \
    F(m, I64,  clock_rate, REQ, 0)
#define WF_RECORD_counters(F, m)     /* the one row that every commit may touch */        \
    F(m, U64,  dossier_id, REQ, 0)   /* last id given out */                              \
    F(m, U64,  queue_seq,  REQ, 0)                                                        \
    F(m, U64,  task_id,    REQ, 0)                                                        \
    F(m, U64,  timer_seq,  REQ, 0)                                                        \
    F(m, U64,  journal_seq, REQ, 0)  /* head */                                           \
    F(m, BIN,  journal_hash, REQ, 0) /* hash of the head, 32 bytes */                     \
    F(m, U64,  procedures, REQ, 0)   /* generation: rises with each install */            \
    F(m, U64,  open,       REQ, 0)   /* dossiers not closed */                            \
    F(m, U64,  closed,     REQ, 0)                                                        \
    F(m, LIST, queued,     REQ, 0)   /* 5 ints: queue depth by service */                 \
    F(m, LIST, tasks,      REQ, 0)   /* 5 ints: open tasks by service */                  \
    F(m, LIST, dead,       REQ, 0)   /* 5 ints: dead letters by service */                \
    F(m, U64,  timers,     REQ, 0)   /* armed */                                          \
    F(m, LIST, done,       REQ, 0)   /* 5 ints: queue items ever settled, by service */   \
    F(m, LIST, leased,     REQ, 0)   /* 5 ints: tasks given out and not come back */      \
    F(m, LIST, retrying,   REQ, 0)   /* 5 ints: queue items that have failed before */    \
    F(m, LIST, again,      REQ, 0)   /* 5 ints: items ever put back into their queue */   \
    F(m, U64,  hold_id,    REQ, 0)   /* last id given to a hold */                        \
    F(m, U64,  holds,      REQ, 0)   /* in force */                                       \
    F(m, U64,  releasing,  REQ, 0)   /* released, with rows that are still put aside */   \
    F(m, LIST, held,       REQ, 0)   /* 5 ints: queue items put aside, by service */      \
    F(m, U64,  held_timers, REQ, 0)  /* put aside */                                      \
    F(m, U64,  held_tasks, REQ, 0)   /* open, and put aside: not leased */                \
    F(m, U64,  cell_events, REQ, 0)  /* journal events of no dossier: n of the last one */ \
    F(m, U64,  run_ms,     REQ, 0)   /* how long the cell has run: request ids age by it */
#define WF_RECORD_dossier(F, m)                                                           \
    F(m, U64,  id,         REQ, 0)                                                        \
    F(m, U64,  events,     REQ, 0)   /* events applied: n of the last one */              \
    F(m, STR,  code,       REQ, 0)   /* "" until registered */                            \
    F(m, STR,  procedure,  REQ, 0)                                                        \
    F(m, U64,  version,    REQ, 0)                                                        \
    F(m, STR,  site,       REQ, 0)                                                        \
    F(m, STR,  agency,     REQ, 0)   /* competent authority */                            \
    F(m, STR,  channel,    REQ, 0)                                                        \
    F(m, U64,  status,     REQ, 0)   /* portal status 1..10 */                            \
    F(m, I64,  received,   REQ, 0)   /* business ms */                                    \
    F(m, I64,  due,        REQ, 0)   /* business ms, 0 = none */                          \
    F(m, I64,  closed,     REQ, 0)   /* business ms, 0 = open */                          \
    F(m, I64,  changed,    REQ, 0)   /* business ms of the last event */                  \
    F(m, I64,  stopped,    REQ, 0)   /* clock stopped since, 0 = running */               \
    F(m, I64,  waited,     REQ, 0)   /* ms the clock stood still, all spans */            \
    F(m, U64,  supplements, REQ, 0)  /* times the clock was stopped for papers (status 5) */ \
    F(m, LIST, states,     REQ, 0)                                                        \
    F(m, MAP,  history,    REQ, 0)                                                        \
    F(m, MAP,  data,       REQ, 0)   /* chart variables that are no fields */             \
    F(m, MAP,  invokes,    REQ, 0)   /* invoke id -> activity, as the snapshot */         \
    F(m, MAP,  running,    REQ, 0)   /* invoke or send id -> {activity, detached, state..., tasks: [id]} */ \
    F(m, MAP,  timers,     REQ, 0)   /* send id -> [due ms, timer seq] */                 \
    F(m, U64,  n_sends,    REQ, 0)                                                        \
    F(m, BOOL, done,       REQ, 0)                                                        \
    F(m, STR,  outcome,    REQ, 0)                                                        \
    F(m, STR,  party,      REQ, 0)   /* who submitted */                                  \
    F(m, U64,  parent,     REQ, 0)   /* dossier that this one is a part of, 0 = none */   \
    F(m, STR,  link,       REQ, 0)   /* invoke id of the parent that waits for it */      \
    F(m, U64,  parts,      REQ, 0)   /* parts opened so far: the last suffix given */     \
    F(m, LIST, stops,      REQ, 0)   /* of the clock: [reason, from ms, to ms or 0] each */ \
    F(m, U64,  extensions, REQ, 0)   /* times the due date was moved by extend */         \
    F(m, STR,  provisional, REQ, 0)  /* second code, of a station's receipt; "" = none */
#define WF_RECORD_content(F, m)                                                           \
    F(m, MAP,  fields,     REQ, 0)                                                        \
    F(m, LIST, papers,     REQ, 0)                                                        \
    F(m, MAP,  agent,      REQ, 0)                                                        \
    F(m, STR,  by,         REQ, 0)                                                        \
    F(m, LIST, attached,   REQ, 0)   /* papers that came later: {id, file, event} */
#define WF_RECORD_event(F, m)        /* the journal; its value is record || hash, no checksum */ \
    F(m, U64,  seq,        REQ, 0)                                                        \
    F(m, I64,  ms,         REQ, 0)   /* business ms */                                    \
    F(m, U64,  dossier,    REQ, 0)                                                        \
    F(m, U64,  n,          REQ, 0)   /* 1, 2, ... per dossier */                          \
    F(m, STR,  event,      REQ, 0)                                                        \
    F(m, ANY,  data,       REQ, 0)                                                        \
    F(m, STR,  by,         REQ, 0)   /* acting person or "" */                            \
    F(m, STR,  role,       REQ, 0)                                                        \
    F(m, STR,  service,    REQ, 0)   /* who applied it */                                 \
    F(m, LIST, states,     REQ, 0)   /* atomic states after it */                         \
    F(m, U64,  status,     REQ, 0)
#define WF_RECORD_queue(F, m)        /* key: service u8 | due u64 | seq u64 */            \
    F(m, U64,  seq,        REQ, 0)                                                        \
    F(m, U64,  service,    REQ, 0)                                                        \
    F(m, U64,  kind,       REQ, 0)   /* enum wf_queue_kind */                             \
    F(m, I64,  due,        REQ, 0)   /* real ms: not before */                            \
    F(m, I64,  created,    REQ, 0)   /* real ms */                                        \
    F(m, U64,  dossier,    REQ, 0)                                                        \
    F(m, STR,  activity,   REQ, 0)   /* of START and TASK; the event's name of EVENT */ \
    F(m, STR,  id,         REQ, 0)   /* invoke or send id */                              \
    F(m, BOOL, detached,   REQ, 0)                                                        \
    F(m, STR,  role,       REQ, 0)                                                        \
    F(m, MAP,  params,     REQ, 0)                                                        \
    F(m, U64,  attempts,   REQ, 0)                                                        \
    F(m, STR,  reason,     REQ, 0)   /* of the last failure */                            \
    F(m, I64,  since,      REQ, 0)   /* dead letters: buried at, real ms */               \
    F(m, LIST, tries,      REQ, 0)   /* last failures: [real ms, code word, reason] each */
#define WF_RECORD_task(F, m)                                                              \
    F(m, U64,  id,         REQ, 0)                                                        \
    F(m, U64,  service,    REQ, 0)                                                        \
    F(m, U64,  token,      REQ, 0)   /* fencing token: rises with each lease; 0 = never leased */ \
    F(m, I64,  visible,    REQ, 0)   /* real ms from which it can be leased (= end of the lease) */ \
    F(m, I64,  created,    REQ, 0)   /* business ms */                                    \
    F(m, U64,  dossier,    REQ, 0)                                                        \
    F(m, STR,  code,       REQ, 0)   /* of the dossier */                                 \
    F(m, STR,  activity,   REQ, 0)                                                        \
    F(m, STR,  invoke,     REQ, 0)   /* invoke or send id */                              \
    F(m, STR,  to,         REQ, 0)   /* address: site, agency, gateway, courier */        \
    F(m, STR,  role,       REQ, 0)   /* who may do it, "" = anyone served there */        \
    F(m, MAP,  params,     REQ, 0)                                                        \
    F(m, STR,  holder,     REQ, 0)   /* who leased it, "" = nobody */                     \
    F(m, U64,  attempts,   REQ, 0)   /* failures so far */                                \
    F(m, STR,  reason,     REQ, 0)   /* of the last failure */                            \
    F(m, BOOL, leased,     REQ, 0)   /* a lease was given and neither completed nor failed */ \
    F(m, STR,  party,      REQ, 0)   /* of the holder, "" = a local program */            \
    F(m, STR,  as,         REQ, 0)   /* role in which it was leased */                    \
    F(m, U64,  held,       REQ, 0)   /* id of the hold that has put it aside, 0 = none */ \
    F(m, LIST, tries,      REQ, 0)   /* last failures, as in queue */
#define WF_RECORD_timer(F, m)        /* key: service u8 | due u64 | seq u64 */            \
    F(m, U64,  dossier,    REQ, 0)                                                        \
    F(m, STR,  id,         REQ, 0)   /* send id, "deadline.x", "overdue" */               \
    F(m, STR,  event,      REQ, 0)                                                        \
    F(m, ANY,  data,       REQ, 0)
#define WF_RECORD_request(F, m)      /* key: party | 0 | request id */                    \
    F(m, BIN,  digest,     REQ, 0)   /* first 16 bytes of BLAKE2b of type and body as received */ \
    F(m, BIN,  answer,     REQ, 0)   /* the packed reply */                               \
    F(m, I64,  ms,         REQ, 0)   /* real ms */                                        \
    F(m, U64,  seq,        REQ, 0)   /* of a station's hand-off, else 0 */                \
    F(m, U64,  run_ms,     REQ, 0)   /* how long the cell had run */
#define WF_RECORD_procedure(F, m)    /* key: code | 0 | version u64 */                    \
    F(m, STR,  code,       REQ, 0)                                                        \
    F(m, U64,  version,    REQ, 0)                                                        \
    F(m, BIN,  source,     REQ, 0)                                                        \
    F(m, I64,  installed,  REQ, 0)   /* real ms */                                        \
    F(m, STR,  by,         REQ, 0)                                                        \
    F(m, BOOL, active,     REQ, 0)   /* new dossiers may use it */                        \
    F(m, STR,  file,       REQ, 0)   /* name of the file it came from, for messages */    \
    F(m, LIST, acts,       REQ, 0)   /* retired, activated: [{act, ms (real), by, reason}] */
#define WF_RECORD_hold(F, m)         /* key: kind u8 | dossier id u64, or name */         \
    F(m, U64,  id,         REQ, 0)   /* under which its rows are put aside */             \
    F(m, U64,  kind,       REQ, 0)   /* enum wf_hold_kind */                              \
    F(m, STR,  name,       REQ, 0)   /* dossier code, procedure, service or activity, site; "" */ \
    F(m, U64,  dossier,    REQ, 0)   /* id, of that kind only */                          \
    F(m, STR,  by,         REQ, 0)                                                        \
    F(m, STR,  reason,     REQ, 0)                                                        \
    F(m, I64,  since,      REQ, 0)   /* real ms */                                        \
    F(m, I64,  released,   REQ, 0)   /* real ms, 0 = in force; what it put aside goes back */
/* clang-format on */

#define X(name)                                                                                    \
    struct wf_rec_##name {                                                                         \
        WF_RECORD_##name(WF_MEMBER, name)                                                          \
    };
WF_RECORDS(X)
#undef X

enum wf_record {
#define X(name) WF_REC_##name,
    WF_RECORDS(X)
#undef X
        WF_RECORD_COUNT
};

/* What a row of the queue table asks for. */
enum wf_queue_kind {
    WF_QUEUE_START, /* start an activity */
    WF_QUEUE_TASK,  /* open a failed task again: params {to, params} */
    WF_QUEUE_EVENT, /* apply an event to the dossier */
    WF_QUEUE_PART   /* a part of the dossier has closed: params {procedure, dossier, outcome} */
};

/* What is on hold: see "holds" in workflow/store.h. */
enum wf_hold_kind {
    WF_HOLD_DOSSIER,   /* and its parts */
    WF_HOLD_PROCEDURE, /* all versions */
    WF_HOLD_QUEUE,     /* of a service, or of one activity */
    WF_HOLD_SITE,      /* dossiers received there */
    WF_HOLD_CELL,      /* before a stop: no new dossiers, no new leases; the rest goes on */
    WF_HOLD_KINDS
};

/*
 * Appends the record (array, then 4 checksum bytes, little-endian, unless kind is event) to *out;
 * on failure *out is as before. NULL is packed as an empty map or list, and as nil for ANY.
 */
int wf_record_pack(enum wf_record kind, const void *record, struct wf_buf *out,
                   struct wf_error *err) WF_CHECKED;
int wf_record_unpack(enum wf_record kind, struct wf_slice bytes, struct wf_arena *arena,
                     void *record, struct wf_error *err) WF_CHECKED;
const struct wf_wire_field *wf_record_fields(enum wf_record kind, size_t *n);

#endif

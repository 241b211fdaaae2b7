/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/messages.h - the one table of message types, and the strict codec that it drives.
 *
 * PURPOSE    What may be said, by whom, to whom, with which fields. Decoder, packer, the protocol
 *            page and the clients' constants come from the tables below; nothing else lists them.
 * CONCEPTS   envelope  a msgpack map {v, type, id, body} and optionally {re, party, to, seq}
 *            end       who speaks or listens: PARTY (outside), one of the five services, ANY
 *                      service
 *            need      REQ must be there, OPT may be left out (then zero, empty or NULL)
 * WIRE       one ZeroMQ frame holds one envelope. Codes are for our constants and the golden test;
 *            the type's name is what goes over the wire.
 * OWNERSHIP  everything unpacked lives in the given arena; nothing points into the frame. Texts
 *            are followed by a NUL as well.
 * ERRORS     WF_E_INVALID with err->field ("body.fields"), WF_E_UNSUPPORTED for an unknown type,
 *            version, sender or receiver, WF_E_NOMEM. Requests with unknown fields are refused, so
 *            that a typo shows; replies may gain fields and unknown ones are passed over.
 * LIMITS     of what a party sends: WF_FRAME_MAX bytes, 16 levels, 4,096 objects. Frames of our own
 *            processes: WF_REPLY_MAX bytes, 24 levels, 65,536 objects; records the same without a
 *            bound of bytes. So whatever was accepted can also be stored, answered and listed. In
 *            all: texts well-formed UTF-8 without NUL, keys unique texts, no NaN, no ext types, no
 *            trailing bytes. Checked by the reader while it reads, and again on what was packed:
 *            what we pack, we can read.
 */
#ifndef WORKFLOW_MESSAGES_H
#define WORKFLOW_MESSAGES_H

#include "workflow/error.h"
#include "workflow/value.h"

#define WF_FRAME_MAX        ((size_t)256 * 1024)      /* what a party sends */
#define WF_REPLY_MAX        ((size_t)4 * 1024 * 1024) /* what it may get */
#define WF_CHUNK_MAX        ((size_t)128 * 1024)      /* bytes of a paper in one message */
#define WF_PROTOCOL_VERSION 1

/* clang-format off */
#define WF_SERVICES(X)                                                                             \
    X(INTAKE,       0, "intake")                                                                   \
    X(VERIFICATION, 1, "verification")                                                             \
    X(ROUTING,      2, "routing")                                                                  \
    X(NOTIFICATION, 3, "notification")                                                             \
    X(RETURN,       4, "return")
/* clang-format on */

enum wf_service {
#define X(name, number, word) WF_##name = number,
    WF_SERVICES(X)
#undef X
        WF_SERVICE_COUNT = 5
};

enum wf_end {
    WF_END_INTAKE,
    WF_END_VERIFICATION,
    WF_END_ROUTING,
    WF_END_NOTIFICATION,
    WF_END_RETURN,
    WF_END_ANY, /* any service */
    WF_END_PARTY
};

const char *wf_service_word(enum wf_service service);
int wf_service_of_word(struct wf_str word);       /* or -1 */
int wf_service_of_activity(const char *activity); /* "routing.consult" -> WF_ROUTING, or -1 */

/* clang-format off */
/* Codes and names are never used again for something else; the last column is for the documents.
 *    code name            sender receiver */
#define WF_MESSAGES(X)                                                                             \
    X(1,   dossier_submit, PARTY, INTAKE, "file a dossier")                                        \
    X(2,   dossier_event,  PARTY, INTAKE, "tell what happened to a dossier")                       \
    X(3,   dossier_get,    PARTY, INTAKE, "look up one dossier")                                   \
    X(4,   dossier_list,   PARTY, INTAKE, "look up many dossiers")                                 \
    X(5,   procedure_get,  PARTY, INTAKE, "read the definition of a procedure")                    \
    X(10,  task_fetch,     PARTY, ANY,    "lease tasks; waits when none")                          \
    X(11,  task_extend,    PARTY, ANY,    "keep the lease")                                        \
    X(12,  task_complete,  PARTY, ANY,    "done, with the result")                                 \
    X(13,  task_fail,      PARTY, ANY,    "not done; try again later or never")                    \
    X(14,  task_progress,  PARTY, ANY,    "news on a task that goes on")                           \
    X(20,  journal_fetch,  PARTY, ANY,    "events from a sequence number")                         \
    X(21,  journal_ack,    PARTY, ANY,    "moves a durable cursor")                                \
    X(30,  health,         PARTY, ANY,    "how the service and its queue are")                     \
    X(40,  paper_put,      PARTY, INTAKE, "send a piece of a paper, or ask how much is here")      \
    X(41,  paper_get,      PARTY, ANY,    "a piece of a paper of a dossier")                       \
    X(50,  relay_reserve,  PARTY, INTAKE, "a station asks for provisional numbers")                \
    X(100, dossier_state,  ANY,   PARTY,  "answer to submit, event, get")                          \
    X(101, dossier_page,   ANY,   PARTY,  "answer to list")                                        \
    X(102, tasks,          ANY,   PARTY,  "answer to fetch")                                       \
    X(103, done,           ANY,   PARTY,  "answer to the other task verbs and journal_ack")        \
    X(104, journal_page,   ANY,   PARTY,  "answer to journal_fetch")                               \
    X(105, health_report,  ANY,   PARTY,  "answer to health")                                      \
    X(106, procedure_text, ANY,   PARTY,  "answer to procedure_get")                               \
    X(110, paper_state,    ANY,   PARTY,  "answer to paper_put")                                   \
    X(111, paper_chunk,    ANY,   PARTY,  "answer to paper_get")                                   \
    X(112, relay_range,    ANY,   PARTY,  "answer to relay_reserve")                               \
    X(199, error,          ANY,   PARTY,  "any request refused")                                   \
    X(200, work,           ANY,   ANY,    "dossier events queued for a service")

/*       type  name        need bound, of bytes or of the number; 0 = none of its own */
#define WF_FIELDS_dossier_submit(F, m)                                                             \
    F(m, STR,  procedure,  REQ, 64,       "code; the newest version in force is taken")            \
    F(m, STR,  channel,    REQ, 16,       "one_stop, post, online")                                \
    F(m, STR,  site,       REQ, 32,       "place of official reception")                           \
    F(m, STR,  by,         REQ, 128,      "acting person: an account, not a name")                 \
    F(m, STR,  role,       REQ, 32,       "in which the acting person acts")                       \
    F(m, MAP,  fields,     REQ, 0,        "by the ids of the procedure's fields")                  \
    F(m, LIST, papers,     OPT, 0,        "maps {id, kind, copies, file}")                         \
    F(m, MAP,  agent,      OPT, 0,        "who files: {full_name, citizen_id, phone, mandate}")    \
    F(m, BOOL, partial,    OPT, 0,        "the rest of the papers follows: do not refuse for them") \
    F(m, STR,  provisional, OPT, 64,      "of a station: the code on the receipt that it has given") \
    F(m, I64,  received,   OPT, 0,        "of a station: ms UTC at which the papers were taken in")
#define WF_FIELDS_dossier_event(F, m)                                                              \
    F(m, STR,  dossier,    REQ, 64,       "code")                                                  \
    F(m, STR,  event,      REQ, 64,       "its name")                                              \
    F(m, MAP,  data,       OPT, 0,        "of the event")                                          \
    F(m, STR,  by,         REQ, 128,      "acting person: an account, not a name")                 \
    F(m, STR,  role,       REQ, 32,       "in which the acting person acts")
#define WF_FIELDS_dossier_get(F, m)                                                                \
    F(m, STR,  dossier,    REQ, 64,       "code")                                                  \
    F(m, BOOL, content,    OPT, 0,        "also fields and papers")
#define WF_FIELDS_dossier_list(F, m)                                                               \
    F(m, STR,  procedure,  OPT, 64,       "code")                                                  \
    F(m, STR,  state,      OPT, 64,       "id of a state that it is in")                           \
    F(m, STR,  site,       OPT, 32,       "of reception")                                          \
    F(m, I64,  due_before, OPT, 0,        "ms; open dossiers due before")                          \
    F(m, U64,  after,      OPT, 0,        "dossier id to go on from")                              \
    F(m, U64,  max,        OPT, 1000,     "default 50")
#define WF_FIELDS_procedure_get(F, m)                                                              \
    F(m, STR,  procedure,  REQ, 64,       "code")                                                  \
    F(m, U64,  version,    OPT, 0,        "default: the one that new dossiers take today")
#define WF_FIELDS_task_fetch(F, m)                                                                 \
    F(m, STR,  activity,   REQ, 64,       "such as routing.consult")                               \
    F(m, LIST, to,         REQ, 0,        "addresses served: texts, at most 64; * = all")          \
    F(m, STR,  by,         REQ, 128,      "acting person: an account, not a name")                 \
    F(m, STR,  role,       REQ, 32,       "in which the acting person acts")                       \
    F(m, U64,  max,        OPT, 100,      "default 1")                                             \
    F(m, U64,  lease_ms,   OPT, 86400000, "default 60 s")                                          \
    F(m, U64,  wait_ms,    OPT, 60000,    "long poll; default 0")
#define WF_FIELDS_task_extend(F, m)                                                                \
    F(m, U64,  task,       REQ, 0,        "its number")                                            \
    F(m, U64,  token,      REQ, 0,        "fencing token of the lease")                            \
    F(m, U64,  lease_ms,   REQ, 86400000, "how long, from now on")
#define WF_FIELDS_task_complete(F, m)                                                              \
    F(m, U64,  task,       REQ, 0,        "its number")                                            \
    F(m, U64,  token,      REQ, 0,        "fencing token of the lease")                            \
    F(m, MAP,  result,     REQ, 0,        "by the activity")                                       \
    F(m, STR,  by,         REQ, 128,      "acting person: an account, not a name")
#define WF_FIELDS_task_fail(F, m)                                                                  \
    F(m, U64,  task,       REQ, 0,        "its number")                                            \
    F(m, U64,  token,      REQ, 0,        "fencing token of the lease")                            \
    F(m, STR,  reason,     REQ, 200,      "a text without personal data")                          \
    F(m, U64,  retry_ms,   OPT, 86400000, "0 = the service's own back-off")                        \
    F(m, BOOL, final,      OPT, 0,        "no further try makes sense")                            \
    F(m, STR,  by,         REQ, 128,      "acting person: an account, not a name")
#define WF_FIELDS_task_progress(F, m)                                                              \
    F(m, U64,  task,       REQ, 0,        "its number")                                            \
    F(m, U64,  token,      REQ, 0,        "fencing token of the lease")                            \
    F(m, MAP,  data,       REQ, 0,        "part of the result")                                    \
    F(m, STR,  by,         REQ, 128,      "acting person: an account, not a name")
#define WF_FIELDS_journal_fetch(F, m)                                                              \
    F(m, STR,  cursor,     OPT, 64,       "durable: goes on after what was acknowledged")          \
    F(m, U64,  from,       OPT, 0,        "first sequence wanted, where no cursor is named")       \
    F(m, U64,  max,        OPT, 1000,     "default 100")
#define WF_FIELDS_journal_ack(F, m)                                                                \
    F(m, STR,  cursor,     REQ, 64,       "its name")                                              \
    F(m, U64,  seq,        REQ, 0,        "all up to this one are dealt with")
#define WF_FIELDS_health(F, m)                                                                     \
    F(m, BOOL, full,       OPT, 0,        "also the slow figures")
#define WF_FIELDS_relay_reserve(F, m)                                                              \
    F(m, U64,  count,      REQ, 10000,    "how many numbers")                                      \
    F(m, U64,  handed,     OPT, 0,        "last hand-off that was settled, as the station has it") \
    F(m, U64,  number,     OPT, 0,        "highest number that the station has been given")
#define WF_FIELDS_paper_put(F, m)                                                                  \
    F(m, STR,  paper,      REQ, 64,       "BLAKE2b-256 of the whole file: 64 lower-case hex digits") \
    F(m, U64,  size,       REQ, 0,        "bytes of the whole file")                               \
    F(m, U64,  at,         OPT, 0,        "place of these bytes, from 0")                          \
    F(m, BIN,  bytes,      OPT, WF_CHUNK_MAX, "left out: a question how much is here")
#define WF_FIELDS_paper_get(F, m)                                                                  \
    F(m, STR,  dossier,    REQ, 64,       "code of a dossier that names the paper")                \
    F(m, STR,  paper,      REQ, 64,       "its hash")                                              \
    F(m, U64,  at,         OPT, 0,        "place of the first byte wanted, from 0")                \
    F(m, U64,  max,        OPT, WF_CHUNK_MAX, "bytes; default 131072")
#define WF_FIELDS_dossier_state(F, m)                                                              \
    F(m, STR,  dossier,    REQ, 64,       "code")                                                  \
    F(m, U64,  id,         REQ, 0,        "number")                                                \
    F(m, STR,  procedure,  REQ, 64,       "code")                                                  \
    F(m, U64,  version,    REQ, 0,        "of the procedure")                                      \
    F(m, STR,  site,       REQ, 32,       "of reception")                                          \
    F(m, STR,  channel,    REQ, 16,       "of reception")                                          \
    F(m, LIST, states,     REQ, 0,        "ids of the states that it is in")                       \
    F(m, U64,  status,     REQ, 0,        "portal status 1 to 10")                                 \
    F(m, I64,  received,   REQ, 0,        "ms UTC")                                                \
    F(m, I64,  due,        REQ, 0,        "ms UTC, 0 = none")                                      \
    F(m, BOOL, closed,     REQ, 0,        "a final state is reached")                              \
    F(m, STR,  outcome,    REQ, 64,       "of a closed one, else empty")                           \
    F(m, U64,  events,     REQ, 0,        "how many were applied")                                 \
    F(m, MAP,  content,    OPT, 0,        "{fields, papers, agent, attached}, if asked")           \
    F(m, LIST, stops,      OPT, 0,        "of the clock: lists [reason, from, to]; to 0 = still")  \
    F(m, U64,  extensions, OPT, 0,        "times the due date was moved by extend")                \
    F(m, STR,  provisional, OPT, 64,      "code of the receipt that a station gave")
#define WF_FIELDS_dossier_page(F, m)                                                               \
    F(m, LIST, dossiers,   REQ, 0,        "maps as dossier_state")                                 \
    F(m, U64,  next,       REQ, 0,        "value for after, 0 = no more; a page may be empty")
#define WF_FIELDS_tasks(F, m)                                                                      \
    F(m, LIST, tasks,      REQ, 0,        "maps {task, token, dossier, activity, to, role, "       \
                                          "params, attempt, lease_until, created}")
#define WF_FIELDS_done(F, m)                                                                       \
    F(m, STR,  dossier,    OPT, 64,       "code")                                                  \
    F(m, I64,  until,      OPT, 0,        "the lease after extend")
#define WF_FIELDS_journal_page(F, m)                                                               \
    F(m, LIST, events,     REQ, 0,        "maps {seq, ms, dossier, n, event, data, by, role, "     \
                                          "states, status, hash}")                                 \
    F(m, U64,  head,       REQ, 0,        "last sequence number there is")                         \
    F(m, U64,  next,       REQ, 0,        "where to go on: what lies before and is not listed "    \
                                          "is not this party's")
#define WF_FIELDS_health_report(F, m)                                                              \
    F(m, STR,  service,    REQ, 16,       "its name")                                              \
    F(m, U64,  pid,        REQ, 0,        "its process")                                           \
    F(m, MAP,  figures,    REQ, 0,        "names and numbers")
#define WF_FIELDS_procedure_text(F, m)                                                             \
    F(m, STR,  procedure,  REQ, 64,       "code")                                                  \
    F(m, U64,  version,    REQ, 0,        "of the definition")                                     \
    F(m, STR,  text,       REQ, 65536,    "the file as it was installed")
#define WF_FIELDS_relay_range(F, m)                                                                \
    F(m, STR,  series,     REQ, 48,       "provisional codes are SERIES-NUMBER, of 6 digits or more") \
    F(m, U64,  from,       REQ, 0,        "first number, never given to anybody before")           \
    F(m, U64,  to,         REQ, 0,        "last number")                                           \
    F(m, U64,  handed,     REQ, 0,        "last hand-off taken: the next has seq handed + 1; "     \
                                          "or less than was said: an old copy, which now goes on " \
                                          "behind what was said")                                  \
    F(m, I64,  clock_real, REQ, 0,        "ms UTC at which the cell's business clock showed ...")  \
    F(m, I64,  clock_business, REQ, 0,    "... this")                                              \
    F(m, U64,  clock_rate, REQ, 0,        "business seconds in a real one; 1 but in training")
#define WF_FIELDS_paper_state(F, m)                                                                \
    F(m, STR,  paper,      REQ, 64,       "its hash")                                              \
    F(m, U64,  size,       REQ, 0,        "bytes of the whole file")                               \
    F(m, U64,  have,       REQ, 0,        "bytes that are here: where to go on")                   \
    F(m, BOOL, whole,      REQ, 0,        "all is here, checked and on disk: dossiers may name it")
#define WF_FIELDS_paper_chunk(F, m)                                                                \
    F(m, STR,  paper,      REQ, 64,       "its hash")                                              \
    F(m, U64,  size,       REQ, 0,        "bytes of the whole file")                               \
    F(m, U64,  at,         REQ, 0,        "place of these bytes, from 0")                          \
    F(m, BIN,  bytes,      REQ, WF_CHUNK_MAX, "empty only at the end")
#define WF_FIELDS_error(F, m)                                                                      \
    F(m, STR,  code,       REQ, 32,       "word of the table of errors")                           \
    F(m, STR,  message,    REQ, 512,      "for people; no personal data")                          \
    F(m, STR,  field,      OPT, 64,       "what is at fault, such as body.fields")                 \
    F(m, U64,  retry_ms,   OPT, 0,        "of busy: when to come back")                            \
    F(m, U64,  settled,    OPT, 0,        "of a hand-off: its seq is used up by this refusal")
#define WF_FIELDS_work(F, m)                                                                       \
    F(m, LIST, events,     REQ, 0,        "lists [queue seq, dossier id, activity]")
/* clang-format on */

/* How table types look in C. */
#define WF_C_STR  struct wf_str
#define WF_C_U64  uint64_t
#define WF_C_I64  int64_t
#define WF_C_BOOL bool
#define WF_C_BIN  struct wf_slice
#define WF_C_MAP  const struct wf_value *
#define WF_C_LIST const struct wf_value *
#define WF_C_ANY  const struct wf_value *

#define WF_MEMBER(m, type, name, ...) WF_C_##type name;
#define X(code, name, sender, receiver, help)                                                      \
    struct wf_msg_##name {                                                                         \
        WF_FIELDS_##name(WF_MEMBER, name)                                                          \
    };
WF_MESSAGES(X)
#undef X

enum wf_message {
#define X(code, name, sender, receiver, help) WF_MSG_##name = code,
    WF_MESSAGES(X)
#undef X
};

enum wf_wire {
    WF_WIRE_STR,
    WF_WIRE_U64,
    WF_WIRE_I64,
    WF_WIRE_BOOL,
    WF_WIRE_BIN,
    WF_WIRE_MAP,
    WF_WIRE_LIST,
    WF_WIRE_ANY
};

/* One row of a message or record table, for generic code and for documents. */
struct wf_wire_field {
    const char *name;
    enum wf_wire type;
    bool required;
    size_t offset;
    uint64_t max;     /* bytes of STR and BIN, greatest U64; 0 = no bound of its own */
    const char *help; /* for documents; "" in records */
};

struct wf_message_info {
    enum wf_message code;
    const char *name;
    enum wf_end sender, receiver;
    size_t size; /* of struct wf_msg_<name> */
    const struct wf_wire_field *fields;
    size_t n_fields;
    const char *help; /* one sentence for documents */
};

const struct wf_message_info *wf_message_info(enum wf_message code);  /* or NULL */
const struct wf_message_info *wf_message_by_name(struct wf_str name); /* or NULL */
const struct wf_message_info *wf_message_table(size_t *n);

struct wf_envelope {
    enum wf_message type;
    struct wf_str id;    /* request id chosen by the sender, 1-64 bytes; "" in replies */
    struct wf_str re;    /* in replies: the request's id, "" where it could not be read */
    struct wf_str party; /* set by the gate, at most 64 bytes; "" on local sockets */
    struct wf_str to;    /* in requests: word of the service that is meant, for the gate; or "" */
    const void *body;    /* struct wf_msg_<type> */
    uint64_t seq;        /* of a station's submit or event: number of the hand-off; else 0 */
};

/*
 * Packs an envelope; the body by its table. Optional fields that are zero, empty or NULL are left
 * out; a required map, list or text that is NULL goes out empty. Appends to *out; on failure *out
 * is as before. WF_E_INVALID where a field is over its bound or the whole over the limits,
 * WF_E_NOMEM.
 */
int wf_message_pack(const struct wf_envelope *envelope, struct wf_buf *out,
                    struct wf_error *err) WF_CHECKED;

/*
 * Unpacks what `sender` says to `receiver`. ANY in the table fits every service, and so does ANY
 * as an argument: the gate listens as ANY, a client hears ANY. A party's request must have an id.
 * On failure out->id is still set when it could be read, so that the error finds its request.
 * `party` is taken as it stands: the gate refuses or replaces it.
 */
int wf_message_unpack(struct wf_slice frame, enum wf_end sender, enum wf_end receiver,
                      struct wf_arena *arena, struct wf_envelope *out,
                      struct wf_error *err) WF_CHECKED;

/* ---- parts, also for records and clients ---------------------------------------------------- */

/* Checks as a reader does, with the limits for parties: the whole frame is exactly one object. */
int wf_scan(struct wf_slice bytes, struct wf_error *err) WF_CHECKED;

/*
 * Canonical: shortest forms, maps in their own order, -0.0 as 0.0, NULL as nil, so that equal
 * values built in the same order give equal bytes. A broken value sets out->failed.
 */
void wf_pack_value(const struct wf_value *value, struct wf_buf *out);

/* With the limits for our own data. Binary data has no place in a value. */
int wf_unpack_value(struct wf_slice bytes, struct wf_arena *arena, const struct wf_value **out,
                    struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/courier/dialect.h - how a courier's system words orders, answers and tracking.
 *
 * PURPOSE    Couriers' interfaces differ in names and codes, not in what they say. A dialect is a
 *            table of those names; everything else asks the table. Pure: JSON texts in and out.
 * CONCEPTS   fact     one thing that an order says: customer, number, amount, an address line
 *            verdict  what an answer means for us, whatever code said it
 *            meaning  what a tracking code says of the parcel; from courier.cfg
 * OWNERSHIP  texts made here live in the arena given.
 * ERRORS     WF_E_INVALID where an answer is no JSON or not of the expected shape; WF_E_NOMEM.
 */
#ifndef COURIER_DIALECT_H
#define COURIER_DIALECT_H

#include "return/parcel.h"
#include "workflow/config.h"

/* clang-format off */
#define COURIER_FACTS(X)                                                                           \
    X(CUSTOMER)        X(ORDER)             X(ITEM)              X(COD)                             \
    X(SENDER_NAME)     X(SENDER_ADDRESS)    X(SENDER_TEL)        X(SENDER_EMAIL)                    \
    X(SENDER_PROVINCE) X(SENDER_DISTRICT)   X(SENDER_DESC)       X(DESCRIPTION)                     \
    X(RECEIVER_NAME)   X(RECEIVER_ADDRESS)  X(RECEIVER_TEL)      X(RECEIVER_EMAIL)                  \
    X(RECEIVER_PROVINCE) X(RECEIVER_DISTRICT) X(FLAG)

/* What an answer means: done; it was there before; never as it is; not now; log in anew. */
#define COURIER_VERDICTS(X)     \
    X(ACCEPTED,  "accepted")    \
    X(DUPLICATE, "duplicate")   \
    X(REFUSED,   "refused")     \
    X(LATER,     "later")       \
    X(TOKEN,     "token")
/* clang-format on */

enum courier_fact {
#define X(name) FACT_##name,
    COURIER_FACTS(X)
#undef X
        FACT_COUNT
};

enum courier_verdict {
#define X(name, word) VERDICT_##name,
    COURIER_VERDICTS(X)
#undef X
        VERDICT_COUNT
};

/* A member of the order: how it is called, what it holds, and whether as a number. */
struct dialect_field {
    const char *name;
    enum courier_fact fact;
    bool is_number;
};

struct dialect_code {
    const char *code;
    enum courier_verdict verdict;
};

struct dialect {
    const char *name;
    const char *order_path, *cancel_path, *tracking_path;
    const char *token_header; /* printf format of the whole header line */
    const struct dialect_field *order;
    size_t n_order;
    const struct dialect_field *cancel;
    size_t n_cancel;
    const struct dialect_code *codes; /* of answers */
    size_t n_codes;
    const char *answer_code, *answer_message, *answer_item, *answer_list;
    const char *page_size, *last_id;                              /* asked for */
    const char *event_id, *event_order, *event_code, *event_time; /* told */
    const char *event_item;
    const char *flag; /* what FACT_FLAG is here */
};

/* NULL where there is none of that name; the names, comma-separated, in dialect_names. */
const struct dialect *dialect_by_name(const char *name);
extern const char dialect_names[];

const char *verdict_word(enum courier_verdict verdict);
bool verdict_of_word(struct wf_str word, enum courier_verdict *out);

/* ---- what we say ------------------------------------------------------------------------------ */

/* Facts that are NULL go out as empty texts, 0 as a number. */
struct order_facts {
    const char *of[FACT_COUNT];
};

int dialect_order(const struct dialect *dialect, const struct order_facts *facts,
                  struct wf_arena *arena, const char **out, struct wf_error *err) WF_CHECKED;
int dialect_cancel(const struct dialect *dialect, const struct order_facts *facts,
                   struct wf_arena *arena, const char **out, struct wf_error *err) WF_CHECKED;
int dialect_tracking(const struct dialect *dialect, int64_t page_size, const char *last_id,
                     struct wf_arena *arena, const char **out, struct wf_error *err) WF_CHECKED;

/* ---- what we hear ----------------------------------------------------------------------------- */

struct order_answer {
    enum courier_verdict verdict;
    char code[16]; /* as the courier said it, or the HTTP status */
    char item[33]; /* number of the parcel, where it was given, else "" */
};

/* `extra` are the settings' rows, which go before the dialect's. Never fails: an answer that cannot
 * be read is LATER. */
void dialect_answer(const struct dialect *dialect, const struct dialect_code *extra, size_t n_extra,
                    int64_t http_status, const char *body, size_t length, struct order_answer *out);

struct tracking_event {
    const char *id, *order, *code, *item;
    int64_t at_ms; /* when it happened; of the id where nothing else tells */
};

struct tracking_page {
    struct tracking_event *events;
    size_t n;
    size_t rows;         /* as they came; those that say nothing among them */
    const char *last_id; /* greatest of the page, "" of an empty one */
};

/* Rows without id, order number or code are passed over. */
int dialect_page(const struct dialect *dialect, const char *body, size_t length,
                 struct wf_arena *arena, struct tracking_page *out,
                 struct wf_error *err) WF_CHECKED;

/* ---- ids of tracking events ------------------------------------------------------------------- */

#define TRACKING_ID_FIRST "000000000000000000000000"

/* Milliseconds since 1970 in an id of 24 hex digits, whose first eight are seconds; 0 = no such. */
int64_t tracking_id_ms(const char *id);
/* The first id of `back_ms` before this one; the same id where it tells no time. */
void tracking_id_before(const char *id, int64_t back_ms, char out[25]);

#endif

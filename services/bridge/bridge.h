/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/bridge/bridge.h - hoso-bridge: the verbs of the queue endpoints over HTTP and JSON.
 *
 * PURPOSE    Lets systems take part that speak no ZeroMQ. Each HTTP request becomes one message to
 *            a worker, with the party's name on it; its answer becomes the HTTP answer.
 * CONCEPTS   route    one row of the table: method, path, message
 *            visitor  one TCP connection, with the time by which it must have got on
 *            request  one HTTP request, from its head to its answer
 *            ask      the message that was made of it, until the worker has answered
 *            guard    parties, their tokens, and how much each may ask
 *            page     an answer: status, JSON text, seconds to wait before coming back
 * LIFE CYCLE one thread, one loop: a request is suspended while its ask is under way, so nobody
 *            waits for anybody else. Nothing is kept that a restart would lose: a client that got
 *            no answer asks again with the same Idempotency-Key.
 * DANGERS    opens no store. Bearer tokens pass here: they never go to a log or an error's text.
 */
#ifndef HOSO_BRIDGE_H
#define HOSO_BRIDGE_H

#include "bucket.h"
#include "json.h"
#include "workflow/clock.h"
#include "workflow/messages.h"
#include "workflow/parties.h"
#include "workflow/service.h"
#include "workflow/workers.h"

#define BODY_MAX    WF_FRAME_MAX
#define DRAIN_MAX   (4 * BODY_MAX) /* of a body that is refused: read to here, to be heard */
#define KEY_MAX     255            /* bytes of an Idempotency-Key */
#define WIRE_ID_MAX 64

/* ---- routes (routes.c) ----------------------------------------------------------------------- */

enum route_kind { ROUTE_VERB, ROUTE_HEALTH, ROUTE_READY, ROUTE_OPENAPI };

/* Is an Idempotency-Key wanted? */
enum key_need { KEY_NONE, KEY_MAY, KEY_MUST };

struct route {
    const char *method;
    const char *path; /* "{name}" stands for one part, which becomes that field of the body */
    enum route_kind kind;
    enum wf_message type; /* of ROUTE_VERB */
    enum key_need key;
    enum wf_message answer; /* of ROUTE_VERB */
    unsigned status;        /* when it went well */
    const char *help;       /* of the other kinds; verbs have the message's */
};

extern const struct route bridge_routes[];
extern const size_t bridge_n_routes;

#define PATH_FIELDS 2

struct path_field {
    char name[32]; /* what {name} is called; "" where the path has no more */
    char value[128];
};

struct match {
    const struct route *route; /* NULL = no such path, or not with this method */
    struct path_field fields[PATH_FIELDS];
    char allow[64]; /* methods that the path has, for 405; "" = no such path */
};

void route_find(const char *method, const char *path, struct match *out);

/* HTTP status of an error code. */
unsigned status_of(int code);

/* ---- OpenAPI (openapi.c) --------------------------------------------------------------------- */

char *openapi_make(void); /* for free(); NULL when memory is out */

/* ---- tokens (tokens.c) ----------------------------------------------------------------------- */

#define TOKEN_SIZE      70 /* "hoso_", 64 hex digits, NUL */
#define TOKEN_HASH_SIZE 65 /* 64 hex digits, NUL */

int token_new(char out[TOKEN_SIZE], struct wf_error *err) WF_CHECKED;
void token_hash(const char *token, char out[TOKEN_HASH_SIZE]);

/* Whose token it is, or NULL; revoked parties have none. Takes as long for every token. */
const struct wf_party *token_party(const struct wf_parties *parties, const char *token);

/* ---- guard (guard.c) ------------------------------------------------------------------------- */

struct caller {
    char party[33];
    struct bucket bucket;
    size_t under_way;
};

struct guard {
    const char *folder; /* CELL/parties */
    struct wf_parties *parties;
    struct wf_parties_watch watch;
    int64_t look_at_ms;
    int64_t rate; /* requests a second, of a party that has none of its own */
    struct caller *callers;
    size_t n, cap;
};

/* Reads the registry anew where it has changed; a wrong one leaves what was read before. */
void guard_look(struct guard *guard, int64_t now_ms);
void guard_close(struct guard *guard);

/* Takes one request off what the party may make: 0, WF_E_BUSY with *out_wait_ms, WF_E_NOMEM. */
int guard_admit(struct guard *guard, const struct wf_party *party, int64_t now_ms,
                int64_t *out_wait_ms, struct wf_error *err) WF_CHECKED;

/* One more or less of the party's requests is with a worker; false where it has too many. */
bool guard_begin(struct guard *guard, const char *party);
void guard_end(struct guard *guard, const char *party);

/* ---- requests and asks ----------------------------------------------------------------------- */

struct page {
    unsigned status;
    char *text; /* for free(); NULL = out of memory. JSON, but of a paper its bytes: */
    int64_t retry_ms;
    bool is_paper;
    size_t len;
    uint64_t at, size; /* of the bytes in the paper, and of the paper */
};

struct ask;
struct http;

struct request {
    struct http *http;
    void *connection; /* struct MHD_Connection */
    struct match match;
    char party[33];
    char key[KEY_MAX + 1]; /* Idempotency-Key, or "" */
    struct wf_buf body;
    size_t received;     /* bytes of body, kept or not */
    struct wf_error err; /* why it is refused; code 0 = it is not */
    unsigned refused;    /* status then */
    int64_t retry_ms;
    struct ask *ask; /* under way; the connection is suspended */
    struct page page;
    bool answered; /* page is set */
    /* of papers (paper.c) */
    uint64_t at, size;  /* PUT: of what is next in `body`; GET: at which the range begins */
    uint64_t next, end; /* GET: piece that is asked for; behind the range, 0 = all of it */
    bool ranged;        /* GET: the client named a range */
};

struct asks {
    struct wf_workers *workers;
    struct guard *guard;
    struct ask *first;
    struct wf_arena *arena;
    int64_t timeout_ms;
    uint64_t count;                     /* makes ids for those who gave none */
    char prefix[24];                    /* and tells them from those of earlier runs */
    int64_t heard_ms[WF_SERVICE_COUNT]; /* when each worker answered last; 0 = never */
    int64_t probe_at_ms;
    bool stopping; /* no new ones */
};

int asks_open(struct asks *asks, struct wf_error *err) WF_CHECKED;
void asks_close(struct asks *asks);

/*
 * Makes the message of a request whose body is whole: `body` holds the fields, `service` the word
 * of the worker that is meant, or "". Afterwards request->ask is set, and request_answer will be
 * called; on failure neither.
 */
int asks_begin(struct asks *asks, struct request *request, const struct wf_value *body,
               struct wf_str service, struct wf_error *err) WF_CHECKED;

/* The client went away: its ask goes on without it. */
void asks_detach(struct asks *asks, struct request *request);

/* The page of a piece of a paper (paper.c). */
struct page paper_page(const struct wf_msg_paper_chunk *chunk);

/* Takes the answers that have come, sends again, gives up. */
int asks_run(struct asks *asks, int64_t now_ms, struct wf_error *err) WF_CHECKED;
int64_t asks_due_ms(const struct asks *asks); /* when it next has something to do by time */
bool asks_any(const struct asks *asks);       /* somebody waits */
void asks_give_up(struct asks *asks);         /* all who wait are told to come back */

/* Which workers answer, as JSON; *out_all tells whether all do. */
char *asks_ready(const struct asks *asks, int64_t now_ms, bool *out_all);

/* http.c: the page of a suspended request is ready (takes page->text). */
void request_answer(struct request *request, struct page page);

/* ---- HTTP (http.c) --------------------------------------------------------------------------- */

struct http_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:8080"; port 0 = any that is free */
    unsigned connections;
    int64_t slow_ms;              /* for head and body together, and between two requests */
    struct wf_board_bridge *slot; /* counted in */
};

int http_open(const struct http_options *options, struct guard *guard, struct asks *asks,
              struct http **out, struct wf_error *err) WF_CHECKED;
void http_close(struct http *http); /* no ask may be under way */
int http_fd(const struct http *http);
const char *http_place(const struct http *http); /* "127.0.0.1:40123" */
void http_run(struct http *http, int64_t now_ms);
int64_t http_due_ms(struct http *http, int64_t now_ms);
void http_quiesce(struct http *http); /* no new connections */

#endif

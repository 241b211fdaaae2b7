/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side: one DEALER per service, made when it is first spoken to (through a gate, one
 * for all: the gate reads `to` on the envelope). A request is sent,
 * and sent again with the same id until its answer comes; the worker knows the id and does the work
 * once. Answers that belong to no request of now (late ones of an earlier, given-up request, or the
 * second of two sendings) are passed over. A socket is not connected at once, so the first send
 * waits until it is (ZMQ_IMMEDIATE): the clock of re-sending starts only then.
 */
#include "workflow/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <zmq.h>

#include "transport/sockets.h"
#include "workflow/clock.h"

#define TIMEOUT_MS 10000
#define RETRY_MS   1000

/* Through a gate: a new socket after so long without a connection, later less often. */
#define ANEW_MS      3000
#define ANEW_MOST_MS 30000

/* Answers may be longer than requests (pages of dossiers); a worker of one's own host is trusted
 * so far. */
#define ANSWER_MAX ((int64_t)4 * 1024 * 1024)

struct wf_client {
    void *context;
    void *sockets[WF_SERVICE_COUNT]; /* through a gate there is one, the first */
    char *run;                       /* NULL = through a gate */
    char *endpoint;                  /* of the gate */
    char *party;                     /* NULL = a local program */
    char server_key[WF_KEY_SIZE];
    struct wf_keypair keys;
    int64_t timeout_ms;
    int64_t retry_ms;
    uint32_t random; /* tells this client's ids from those of others */
    uint32_t count;
    size_t turn; /* which service is read first: each in its turn */
    struct wf_buf packed;
};

/* ---- opening and closing -------------------------------------------------------------------- */

static int begin(const struct wf_client_options *options, struct wf_client **out,
                 struct wf_error *err)
{
    const struct wf_client_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    struct wf_client *client = wf_alloc(sizeof(*client));
    if (client == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the client: out of memory");
    client->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    client->retry_ms = options->retry_ms > 0 ? options->retry_ms : RETRY_MS;

    int rc = 0;
    if (getrandom(&client->random, sizeof(client->random), 0) != (ssize_t)sizeof(client->random))
        rc = wf_fail(err, WF_E_IO, "get random bytes: %s", strerror(errno));
    if (rc == 0) {
        client->context = wf_context_new(err);
        rc = client->context != NULL ? 0 : WF_E_IO;
    }
    if (rc < 0) {
        wf_client_close(client);
        return rc;
    }
    *out = client;
    return 0;
}

/* Keeps the texts, or closes the client. */
static int keep(struct wf_client *client, const char *text, char **slot, const char *party,
                struct wf_client **out, struct wf_error *err)
{
    *slot = wf_strdup(text);
    client->party = party != NULL ? wf_strdup(party) : NULL;
    if (*slot == NULL || (party != NULL && client->party == NULL)) {
        wf_client_close(client);
        return wf_fail(err, WF_E_NOMEM, "open the client: out of memory");
    }
    *out = client;
    return 0;
}

int wf_client_open(const char *run, const struct wf_client_options *options, struct wf_client **out,
                   struct wf_error *err)
{
    struct wf_client *client = NULL;
    int rc = begin(options, &client, err);
    const char *party = options != NULL ? options->party : NULL;
    return rc == 0 ? keep(client, run, &client->run, party, out, err) : rc;
}

int wf_client_open_gate(const char *endpoint, const char *server_key, const struct wf_keypair *keys,
                        const struct wf_client_options *options, struct wf_client **out,
                        struct wf_error *err)
{
    struct wf_client *client = NULL;
    if (!wf_key_is_valid(server_key) || !wf_key_is_valid(keys->public) ||
        !wf_key_is_valid(keys->secret))
        return wf_fail(err, WF_E_CONFIG, "a key has 40 characters (Z85)");
    if (options != NULL && options->party != NULL)
        return wf_fail(err, WF_E_CONFIG, "a gate knows its parties by their keys: name none");
    int rc = begin(options, &client, err);
    if (client == NULL)
        return rc;
    memcpy(client->server_key, server_key, WF_KEY_SIZE);
    client->keys = *keys;
    return keep(client, endpoint, &client->endpoint, NULL, out, err);
}

void wf_client_close(struct wf_client *client)
{
    if (client == NULL)
        return;
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        wf_socket_close(client->sockets[i]);
    wf_context_end(client->context);
    wf_buf_fini(&client->packed);
    wf_keypair_wipe(&client->keys);
    wf_free(client->run);
    wf_free(client->endpoint);
    wf_free(client->party);
    wf_free(client);
}

void wf_client_new_id(struct wf_client *client, char out[WF_REQUEST_ID_SIZE])
{
    (void)snprintf(out, WF_REQUEST_ID_SIZE, "%012" PRIx64 "-%08" PRIx32 "-%06" PRIu32,
                   (uint64_t)wf_real_ms() & 0xffffffffffff, client->random, ++client->count);
}

static int socket_of(struct wf_client *client, enum wf_service to, void **out, struct wf_error *err)
{
    unsigned i = (unsigned)to;
    if (i >= WF_SERVICE_COUNT)
        return wf_fail(err, WF_E_INVALID, "there is no service %u", i);
    bool by_gate = client->run == NULL;
    i = by_gate ? 0 : i;
    if (client->sockets[i] == NULL) {
        const struct wf_socket_spec spec = {.type = ZMQ_DEALER,
                                            .folder = client->run,
                                            .service = to,
                                            .suffix = ".sock",
                                            .endpoint = client->endpoint,
                                            .max_frame = ANSWER_MAX,
                                            .keys = by_gate ? &client->keys : NULL,
                                            .server_key = client->server_key};
        int rc = wf_socket_open(client->context, &spec, &client->sockets[i], err);
        if (rc < 0)
            return rc;
    }
    *out = client->sockets[i];
    return 0;
}

/* A connection that takes nothing, and what is done about it. */
struct stuck {
    int64_t since_ms; /* monotonic; 0 = it is not */
    int64_t patience_ms;
};

/* Whom a gate has refused, ZeroMQ never lets try again on the same socket; but the key may have been
 * registered meanwhile. So a new one is made from time to time. */
static int try_anew(struct wf_client *client, enum wf_service to, struct stuck *stuck,
                    void **socket, struct wf_error *err)
{
    int64_t now = wf_monotonic_ms();
    if (client->run != NULL)
        return 0;
    if (stuck->since_ms == 0) {
        *stuck = (struct stuck){now, ANEW_MS};
    } else if (now - stuck->since_ms >= stuck->patience_ms) {
        *stuck = (struct stuck){
            now, stuck->patience_ms * 2 > ANEW_MOST_MS ? ANEW_MOST_MS : stuck->patience_ms * 2};
        wf_socket_close(client->sockets[0]);
        client->sockets[0] = NULL;
        return socket_of(client, to, socket, err);
    }
    return 0;
}

static int64_t sooner(int64_t until_ms, const struct stuck *stuck)
{
    int64_t anew = stuck->since_ms + stuck->patience_ms;
    return stuck->since_ms > 0 && anew < until_ms ? anew : until_ms;
}

/* ---- moving bytes --------------------------------------------------------------------------- */

/* 0 sent, WF_NONE when the connection takes nothing now. */
static int try_send(void *socket, struct wf_slice frame, struct wf_error *err)
{
    while (zmq_send(socket, frame.ptr, frame.len, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EAGAIN)
            return WF_NONE;
        if (zmq_errno() != EINTR)
            return wf_socket_fail(err, "send a request");
    }
    return 0;
}

static int wait_for(void *socket, short events, int64_t until_ms, struct wf_error *err)
{
    int64_t left = until_ms - wf_monotonic_ms();
    zmq_pollitem_t item = {socket, 0, events, 0};
    if (zmq_poll(&item, 1, left > 0 ? (long)left : 0) < 0 && zmq_errno() != EINTR)
        return wf_socket_fail(err, "wait for an answer");
    return 0;
}

/* The next answer on a socket, unpacked; WF_NONE when none is there. */
static int take_answer(void *socket, struct wf_arena *arena, struct wf_envelope *out,
                       struct wf_error *err)
{
    zmq_msg_t message;
    (void)zmq_msg_init(&message);
    int rc = 0;
    while (rc == 0 && zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EAGAIN)
            rc = WF_NONE;
        else if (zmq_errno() != EINTR)
            rc = wf_socket_fail(err, "receive an answer");
    }
    if (rc == 0) {
        struct wf_slice frame = {zmq_msg_data(&message), zmq_msg_size(&message)};
        rc = wf_message_unpack(frame, WF_END_ANY, WF_END_PARTY, arena, out, err);
        if (rc < 0)
            rc = wf_wrap(err, "answer");
    }
    (void)zmq_msg_close(&message);
    return rc;
}

int wf_client_send_raw(struct wf_client *client, enum wf_service to, struct wf_slice frame,
                       struct wf_error *err)
{
    void *socket = NULL;
    int rc = socket_of(client, to, &socket, err);
    if (rc < 0)
        return rc;
    int64_t until = wf_monotonic_ms() + client->timeout_ms;
    struct stuck stuck = {0};
    while ((rc = try_send(socket, frame, err)) == WF_NONE) {
        if (wf_monotonic_ms() >= until)
            return wf_fail(err, WF_E_TIMEOUT, "%s cannot be reached", wf_service_word(to));
        rc = try_anew(client, to, &stuck, &socket, err);
        if (rc == 0)
            rc = wait_for(socket, ZMQ_POLLOUT, sooner(until, &stuck), err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int pack(struct wf_client *client, enum wf_service to, enum wf_message type,
                const void *body, const char *id, struct wf_slice *out, struct wf_error *err)
{
    struct wf_envelope envelope = {.type = type, .id = wf_str(id), .body = body};
    if ((unsigned)to < WF_SERVICE_COUNT)
        envelope.to = wf_str(wf_service_word(to));
    if (client->party != NULL)
        envelope.party = wf_str(client->party);
    wf_buf_clear(&client->packed);
    int rc = wf_message_pack(&envelope, &client->packed, err);
    if (rc < 0)
        return rc;
    if (client->packed.len > WF_FRAME_MAX)
        return wf_fail(err, WF_E_INVALID, "request of %zu bytes: %zu are allowed",
                       client->packed.len, WF_FRAME_MAX);
    *out = (struct wf_slice){client->packed.ptr, client->packed.len};
    return 0;
}

int wf_client_send(struct wf_client *client, enum wf_service to, enum wf_message type,
                   const void *body, const char *id, struct wf_error *err)
{
    struct wf_slice frame;
    int rc = pack(client, to, type, body, id, &frame, err);
    return rc < 0 ? rc : wf_client_send_raw(client, to, frame, err);
}

int wf_client_receive(struct wf_client *client, int64_t timeout_ms, struct wf_arena *arena,
                      struct wf_envelope *out, struct wf_error *err)
{
    int64_t until = wf_monotonic_ms() + timeout_ms;
    for (;;) {
        zmq_pollitem_t items[WF_SERVICE_COUNT];
        int n = 0;
        for (size_t i = 0; i < WF_SERVICE_COUNT; i++) {
            size_t at = (client->turn + i) % WF_SERVICE_COUNT;
            void *socket = client->sockets[at];
            if (socket == NULL)
                continue;
            int rc = take_answer(socket, arena, out, err);
            if (rc != WF_NONE) {
                client->turn = at + 1;
                return rc;
            }
            items[n++] = (zmq_pollitem_t){socket, 0, ZMQ_POLLIN, 0};
        }
        int64_t left = until - wf_monotonic_ms();
        if (left <= 0)
            return WF_NONE;
        if (zmq_poll(items, n, (long)left) < 0 && zmq_errno() != EINTR)
            return wf_socket_fail(err, "wait for an answer");
    }
}

/* ---- asking --------------------------------------------------------------------------------- */

/* One request under way. All times are monotonic ms. */
struct asking {
    void *socket;
    enum wf_service to;
    const char *id;
    struct wf_slice frame;
    int64_t give_up;
    int64_t send_at; /* when it is sent (again) */
    int64_t retry_ms;
    bool was_sent;
    struct stuck stuck;
};

/* What an error message says, as an error of our own. */
static int error_of(const struct wf_msg_error *said, struct wf_error *err)
{
    char word[40];
    int code = wf_str_copy(said->code, word, sizeof(word)) ? wf_code_of_word(word) : 0;
    char field[sizeof(err->field)];
    (void)wf_str_copy(said->field, field, sizeof(field));
    return wf_fail_field(err, code < 0 ? code : WF_E_INTERNAL, field, "%.*s",
                         WF_STR_ARG(said->message));
}

/* Busy: 0 to try again later, or the error where that would be too late. */
static int put_off(struct asking *ask, const struct wf_msg_error *said, struct wf_error *err)
{
    int64_t wait = ask->retry_ms;
    if (said->retry_ms > 0 && said->retry_ms < INT32_MAX)
        wait = (int64_t)said->retry_ms;
    ask->send_at = wf_monotonic_ms() + wait;
    return ask->send_at < ask->give_up ? 0 : error_of(said, err);
}

/* Reads what has come. 0 the answer, WF_NONE not yet, negative refused or failed. */
static int look_for_answer(struct asking *ask, struct wf_arena *arena, struct wf_envelope *out,
                           struct wf_error *err)
{
    for (;;) {
        struct wf_envelope answer;
        int rc = take_answer(ask->socket, arena, &answer, err);
        if (rc != 0)
            return rc;
        if (!wf_str_is(answer.re, ask->id))
            continue;
        if (answer.type != WF_MSG_error) {
            *out = answer;
            return 0;
        }
        const struct wf_msg_error *said = answer.body;
        if (!wf_str_is(said->code, wf_code_word(WF_E_BUSY)))
            return error_of(said, err);
        rc = put_off(ask, said, err);
        if (rc < 0)
            return rc;
    }
}

/* Sends it where it is time to; *out_blocked: the connection takes nothing. */
static int send_when_due(struct wf_client *client, struct asking *ask, bool *out_blocked,
                         struct wf_error *err)
{
    int64_t now = wf_monotonic_ms();
    *out_blocked = false;
    if (now < ask->send_at)
        return 0;
    int rc = try_send(ask->socket, ask->frame, err);
    if (rc == WF_NONE) {
        *out_blocked = true;
        return try_anew(client, ask->to, &ask->stuck, &ask->socket, err);
    }
    if (rc == 0) {
        ask->was_sent = true;
        ask->send_at = now + ask->retry_ms;
        ask->stuck = (struct stuck){0};
    }
    return rc;
}

static int ask_until_answered(struct wf_client *client, struct asking *ask, struct wf_arena *arena,
                              struct wf_envelope *out, struct wf_error *err)
{
    for (;;) {
        bool blocked = false;
        if (wf_monotonic_ms() >= ask->give_up)
            return wf_fail(err, WF_E_TIMEOUT, "%s %s", wf_service_word(ask->to),
                           ask->was_sent ? "did not answer in time" : "cannot be reached");
        int rc = send_when_due(client, ask, &blocked, err);
        if (rc < 0)
            return rc;
        int64_t until = !blocked && ask->send_at < ask->give_up ? ask->send_at : ask->give_up;
        if (blocked)
            until = sooner(until, &ask->stuck);
        rc = wait_for(ask->socket, (short)(ZMQ_POLLIN | (blocked ? ZMQ_POLLOUT : 0)), until, err);
        if (rc == 0)
            rc = look_for_answer(ask, arena, out, err);
        if (rc != WF_NONE)
            return rc;
    }
}

int wf_client_again(struct wf_client *client, enum wf_service to, enum wf_message type,
                    const void *body, const char *id, struct wf_arena *arena,
                    struct wf_envelope *out, struct wf_error *err)
{
    struct asking ask = {.to = to, .id = id, .retry_ms = client->retry_ms};
    int rc = socket_of(client, to, &ask.socket, err);
    if (rc == 0)
        rc = pack(client, to, type, body, id, &ask.frame, err);
    if (rc < 0)
        return rc;
    ask.send_at = wf_monotonic_ms();
    ask.give_up = ask.send_at + client->timeout_ms;
    if (type == WF_MSG_task_fetch) {
        /* The worker is asked to keep silent for so long: that is no lost message. */
        int64_t silent = (int64_t)((const struct wf_msg_task_fetch *)body)->wait_ms;
        ask.give_up += silent;
        ask.retry_ms += silent;
    }
    return ask_until_answered(client, &ask, arena, out, err);
}

int wf_client_call(struct wf_client *client, enum wf_service to, enum wf_message type,
                   const void *body, struct wf_arena *arena, struct wf_envelope *out,
                   struct wf_error *err)
{
    char id[WF_REQUEST_ID_SIZE];
    wf_client_new_id(client, id);
    return wf_client_again(client, to, type, body, id, arena, out, err);
}

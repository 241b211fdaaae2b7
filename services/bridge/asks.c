/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks: messages under way. Each is sent, and sent again with the same id while no answer comes;
 * the worker knows the id and does the work once.
 *
 * The id on the wire is a hash of party and Idempotency-Key: two parties that choose the same key
 * never get each other's answers, and a key finds its answer again after a restart of the bridge.
 * An ask that was sent more often than it was answered stays as a ghost for a while, so that its
 * late answer is not taken for the answer to another request under the same key.
 *
 * Task verbs go to the worker that holds the task. The caller need not know which: a worker that
 * does not hold it says so and has stored nothing, and the next one is asked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "bridge.h"
#include "workflow/hash.h"

#define RESEND_MS       1000
#define UNSENT_MS       50 /* the worker is away: tried again so soon */
#define GHOST_MS        10000
#define PROBE_MS        1000
#define AWAY_MS         5000 /* no answer for so long: not ready */
#define ARENA_MAX       ((size_t)64 * 1024 * 1024)
#define ANSWERS_AT_ONCE 256

struct ask {
    struct ask *next;
    struct request *request; /* NULL: a ghost */
    char id[WIRE_ID_MAX + 1];
    enum wf_service to;
    bool roams;     /* not found there: ask the next */
    unsigned tried; /* bits of workers */
    uint8_t *frame;
    size_t len;
    int64_t give_up_ms, send_at_ms, retry_ms; /* monotonic */
    int sent, heard;
};

int asks_open(struct asks *asks, struct wf_error *err)
{
    uint64_t random;
    asks->arena = wf_arena_new(ARENA_MAX);
    if (asks->arena == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return wf_fail(err, WF_E_IO, "no random bytes");
    (void)snprintf(asks->prefix, sizeof(asks->prefix), "http-%016" PRIx64, random);
    return 0;
}

static void drop(struct asks *asks, struct ask *ask)
{
    struct ask **at = &asks->first;
    while (*at != ask)
        at = &(*at)->next;
    *at = ask->next;
    wf_free(ask->frame);
    wf_free(ask);
}

void asks_close(struct asks *asks)
{
    while (asks->first != NULL)
        drop(asks, asks->first);
    wf_arena_free(asks->arena);
}

bool asks_any(const struct asks *asks)
{
    for (const struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
        if (ask->request != NULL)
            return true;
    }
    return false;
}

/* ---- making one ------------------------------------------------------------------------------ */

static void name_ask(struct asks *asks, const struct request *request, struct ask *ask)
{
    uint8_t hash[WF_HASH_BYTES];
    if (request->key[0] == '\0') {
        (void)snprintf(ask->id, sizeof(ask->id), "%s-%" PRIu64, asks->prefix, ++asks->count);
        return;
    }
    /* with the NUL, so that no party's name runs into a key */
    wf_hash(request->party, strlen(request->party) + 1, request->key, strlen(request->key), hash);
    wf_hex(hash, sizeof(hash), ask->id);
}

/* The worker that is meant: named, or known by the message or its activity; else all in turn. */
static int choose(const struct wf_message_info *info, const struct wf_value *body,
                  struct wf_str service, struct ask *ask, struct wf_error *err)
{
    int to = info->receiver != WF_END_ANY ? (int)info->receiver : WF_INTAKE;
    if (service.len > 0) {
        to = wf_service_of_word(service);
        if (to < 0 || info->receiver != WF_END_ANY)
            return wf_fail_field(err, WF_E_INVALID, "service", "no such service, or not for this");
    } else if (info->code == WF_MSG_task_fetch) {
        to = wf_service_of_activity(wf_value_text(wf_map_get(body, "activity"), ""));
        if (to < 0)
            return wf_fail_field(err, WF_E_INVALID, "body.activity",
                                 "missing, or of no service: write it as routing.consult");
    } else if (wf_map_get(body, "task") != NULL) {
        ask->roams = true;
        to = WF_VERIFICATION;
    }
    ask->to = (enum wf_service)to;
    return 0;
}

/* Packed as a client would, read as a worker would, and packed again with the party's name: what
 * goes out is what the protocol allows, in its one canonical form. */
static int pack(struct asks *asks, const struct request *request,
                const struct wf_message_info *info, const struct wf_value *body, struct ask *ask,
                struct wf_error *err)
{
    struct wf_arena *arena = asks->arena;
    struct wf_envelope envelope;
    struct wf_value *map = wf_map(arena);
    struct wf_buf loose = {0};
    struct wf_buf packed = {0};
    (void)wf_map_put(arena, map, "v", wf_int(arena, WF_PROTOCOL_VERSION));
    (void)wf_map_put(arena, map, "type", wf_text(arena, info->name));
    (void)wf_map_put(arena, map, "id", wf_text(arena, ask->id));
    (void)wf_map_put(arena, map, "body", body);
    if (wf_value_is_whole(map))
        wf_pack_value(map, &loose);
    int rc = loose.failed || loose.len == 0 ? wf_fail(err, WF_E_NOMEM, "out of memory") : 0;
    if (rc == 0)
        rc = wf_message_unpack((struct wf_slice){loose.ptr, loose.len}, WF_END_PARTY, WF_END_ANY,
                               arena, &envelope, err);
    struct wf_msg_paper_put put;
    if (rc == 0 && info->code == WF_MSG_paper_put) {
        put = *(const struct wf_msg_paper_put *)envelope.body;
        put.bytes = (struct wf_slice){request->body.ptr, request->body.len};
        envelope.body = &put;
    }
    if (rc == 0) {
        envelope.party = wf_str(request->party);
        rc = wf_message_pack(&envelope, &packed, err);
    }
    if (rc == 0 && packed.len > WF_FRAME_MAX)
        rc = wf_fail(err, WF_E_INVALID, "the request is longer than %zu bytes", WF_FRAME_MAX);
    wf_buf_fini(&loose);
    if (rc != 0) {
        wf_buf_fini(&packed);
        return rc;
    }
    ask->frame = packed.ptr;
    ask->len = packed.len;
    ask->retry_ms = RESEND_MS;
    ask->give_up_ms = wf_monotonic_ms() + asks->timeout_ms;
    if (info->code == WF_MSG_task_fetch) {
        /* The worker is asked to keep silent for so long: that is no lost message. */
        int64_t silent = (int64_t)((const struct wf_msg_task_fetch *)envelope.body)->wait_ms;
        ask->retry_ms += silent;
        ask->give_up_ms += silent;
    }
    return 0;
}

/* Under one key only the same request may be under way, or be remembered by its ghost. */
static int check_key(const struct asks *asks, const struct ask *fresh, struct wf_error *err)
{
    for (const struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
        bool same = ask->len == fresh->len && memcmp(ask->frame, fresh->frame, ask->len) == 0;
        if (strcmp(ask->id, fresh->id) == 0 && !same)
            return wf_fail_field(err, WF_E_CONFLICT, "id",
                                 "a request with other content is under way under this key");
    }
    return 0;
}

static int make(struct asks *asks, struct request *request, const struct wf_value *body,
                struct wf_str service, struct ask *ask, struct wf_error *err)
{
    const struct wf_message_info *info = wf_message_info(request->match.route->type);
    if (info == NULL)
        return wf_fail(err, WF_E_INTERNAL, "a route without a message");
    name_ask(asks, request, ask);
    int rc = choose(info, body, service, ask, err);
    if (rc == 0)
        rc = pack(asks, request, info, body, ask, err);
    if (rc == 0)
        rc = check_key(asks, ask, err);
    if (rc == 0 && !guard_begin(asks->guard, request->party))
        rc = wf_fail(err, WF_E_BUSY, "too many requests of this party are under way");
    return rc;
}

int asks_begin(struct asks *asks, struct request *request, const struct wf_value *body,
               struct wf_str service, struct wf_error *err)
{
    struct ask *ask = wf_alloc(sizeof(*ask));
    if (ask == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    int rc = asks->stopping ? wf_fail(err, WF_E_BUSY, "the bridge is being stopped")
                            : make(asks, request, body, service, ask, err);
    if (rc != 0) {
        wf_free(ask->frame);
        wf_free(ask);
        return rc;
    }
    ask->request = request;
    ask->next = asks->first;
    asks->first = ask;
    request->ask = ask;
    return 0;
}

/* ---- ending one ------------------------------------------------------------------------------ */

static void detach(struct asks *asks, struct ask *ask)
{
    guard_end(asks->guard, ask->request->party);
    ask->request->ask = NULL;
    ask->request = NULL;
    ask->give_up_ms = wf_monotonic_ms() + GHOST_MS;
}

void asks_detach(struct asks *asks, struct request *request)
{
    if (request->ask != NULL)
        detach(asks, request->ask);
}

static void answer(struct asks *asks, struct ask *ask, struct page page)
{
    struct request *request = ask->request;
    detach(asks, ask);
    request_answer(request, page);
}

static void refuse(struct asks *asks, struct ask *ask, const struct wf_error *why, int64_t retry_ms)
{
    answer(asks, ask,
           (struct page){.status = status_of(why->code),
                         .text = json_of_error(why, (uint64_t)retry_ms),
                         .retry_ms = retry_ms});
}

void asks_give_up(struct asks *asks)
{
    struct wf_error err;
    (void)wf_fail(&err, WF_E_TIMEOUT, "the bridge is being stopped: ask again");
    for (struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
        if (ask->request != NULL)
            refuse(asks, ask, &err, RESEND_MS);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Those who still wait come before ghosts. */
static struct ask *find(struct asks *asks, enum wf_service from, struct wf_str id)
{
    struct ask *found = NULL;
    for (struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
        if (ask->to == from && ask->sent > 0 && wf_str_is(id, ask->id) &&
            (found == NULL || found->request == NULL))
            found = ask;
    }
    return found;
}

/* The worker does not hold the task: on to one that has not been asked. */
static bool roam(struct ask *ask)
{
    ask->tried |= 1U << ask->to;
    for (unsigned i = 0; ask->roams && i < WF_SERVICE_COUNT; i++) {
        if ((ask->tried >> i & 1) != 0)
            continue;
        ask->to = (enum wf_service)i;
        ask->sent = ask->heard = 0;
        ask->send_at_ms = 0;
        return true;
    }
    return false;
}

static void refused(struct asks *asks, struct ask *ask, const struct wf_msg_error *said)
{
    char word[40];
    char field[sizeof(((struct wf_error *)0)->field)];
    struct wf_error err;
    int code = wf_str_copy(said->code, word, sizeof(word)) ? wf_code_of_word(word) : 0;
    if (code == WF_E_NOT_FOUND && roam(ask))
        return;
    (void)wf_str_copy(said->field, field, sizeof(field));
    (void)wf_fail_field(&err, code < 0 ? code : WF_E_INTERNAL, field, "%.*s",
                        WF_STR_ARG(said->message));
    refuse(asks, ask, &err, said->retry_ms < INT32_MAX ? (int64_t)said->retry_ms : INT32_MAX);
}

static void heard(struct asks *asks, enum wf_service from, const struct wf_envelope *envelope)
{
    struct ask *ask = find(asks, from, envelope->re);
    if (ask == NULL)
        return; /* of a probe, or given up long ago */
    ask->heard++;
    if (ask->request == NULL)
        return;
    const struct route *route = ask->request->match.route;
    if (envelope->type == WF_MSG_error)
        refused(asks, ask, envelope->body);
    else if (envelope->type == WF_MSG_paper_chunk)
        answer(asks, ask, paper_page(envelope->body));
    else
        answer(asks, ask,
               (struct page){.status = route->status,
                             .text =
                                 json_of_message(wf_message_info(envelope->type), envelope->body)});
}

static int hear_all(struct asks *asks, int64_t now_ms, struct wf_error *err)
{
    for (unsigned i = 0; i < WF_SERVICE_COUNT; i++) {
        for (int n = 0; n < ANSWERS_AT_ONCE; n++) {
            struct wf_envelope envelope = {0};
            wf_arena_reset(asks->arena);
            int rc =
                wf_workers_receive(asks->workers, (enum wf_service)i, asks->arena, &envelope, err);
            if (rc == WF_NONE)
                break;
            if (rc == WF_E_IO)
                return rc;
            asks->heard_ms[i] = now_ms;
            if (rc == 0)
                heard(asks, (enum wf_service)i, &envelope);
        }
    }
    return 0;
}

/* ---- by time --------------------------------------------------------------------------------- */

static int send(struct asks *asks, struct ask *ask, int64_t now_ms, struct wf_error *err)
{
    int rc = wf_workers_send(asks->workers, ask->to, (struct wf_slice){ask->frame, ask->len}, err);
    if (rc == 0)
        ask->sent++;
    ask->send_at_ms = now_ms + (rc == 0 ? ask->retry_ms : UNSENT_MS);
    return rc == WF_E_BUSY ? 0 : rc;
}

static void give_up(struct asks *asks, struct ask *ask)
{
    struct wf_error err;
    (void)wf_fail(&err, WF_E_TIMEOUT, "%s %s", wf_service_word(ask->to),
                  ask->sent > 0 ? "did not answer in time: ask again with the same key"
                                : "cannot be reached: ask again later");
    refuse(asks, ask, &err, RESEND_MS);
}

static int run_one(struct asks *asks, struct ask *ask, int64_t now_ms, struct wf_error *err)
{
    if (ask->request == NULL) {
        if (ask->heard >= ask->sent || now_ms >= ask->give_up_ms)
            drop(asks, ask);
        return 0;
    }
    if (now_ms >= ask->give_up_ms) {
        give_up(asks, ask);
        return 0;
    }
    return now_ms >= ask->send_at_ms ? send(asks, ask, now_ms, err) : 0;
}

/* Asks every worker how it is, so that /ready need not wait for anybody. */
static void probe(struct asks *asks, int64_t now_ms)
{
    const struct wf_msg_health body = {0};
    struct wf_buf packed = {0};
    char id[WIRE_ID_MAX + 1];
    asks->probe_at_ms = now_ms + PROBE_MS;
    (void)snprintf(id, sizeof(id), "%s-probe", asks->prefix);
    const struct wf_envelope envelope = {.type = WF_MSG_health, .id = wf_str(id), .body = &body};
    if (wf_message_pack(&envelope, &packed, NULL) == 0) {
        for (unsigned i = 0; i < WF_SERVICE_COUNT; i++)
            (void)!wf_workers_send(asks->workers, (enum wf_service)i,
                                   (struct wf_slice){packed.ptr, packed.len}, NULL);
    }
    wf_buf_fini(&packed);
}

int asks_run(struct asks *asks, int64_t now_ms, struct wf_error *err)
{
    int rc = hear_all(asks, now_ms, err);
    struct ask *next = NULL;
    for (struct ask *ask = asks->first; rc == 0 && ask != NULL; ask = next) {
        next = ask->next;
        rc = run_one(asks, ask, now_ms, err);
    }
    if (rc == 0 && now_ms >= asks->probe_at_ms)
        probe(asks, now_ms);
    return rc;
}

int64_t asks_due_ms(const struct asks *asks)
{
    int64_t due = asks->probe_at_ms;
    for (const struct ask *ask = asks->first; ask != NULL; ask = ask->next) {
        if (ask->give_up_ms < due)
            due = ask->give_up_ms;
        if (ask->request != NULL && ask->send_at_ms < due)
            due = ask->send_at_ms;
    }
    return due;
}

char *asks_ready(const struct asks *asks, int64_t now_ms, bool *out_all)
{
    struct wf_arena *arena = asks->arena;
    struct wf_value *page = wf_map(arena);
    struct wf_value *workers = wf_map(arena);
    bool all = true;
    for (unsigned i = 0; i < WF_SERVICE_COUNT; i++) {
        bool up = asks->heard_ms[i] != 0 && now_ms - asks->heard_ms[i] < AWAY_MS;
        all = all && up;
        (void)wf_map_put(arena, workers, wf_service_word((enum wf_service)i), wf_bool(up));
    }
    (void)wf_map_put(arena, page, "ready", wf_bool(all));
    (void)wf_map_put(arena, page, "workers", workers);
    *out_all = all;
    return json_of_value(page);
}

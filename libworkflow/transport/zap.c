/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list is sorted and swapped whole under a lock that is held for one search: the handler never
 * waits for files or for the gate, since every handshake waits for the handler.
 */
#include "transport/zap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "transport/sockets.h"
#include "workflow/clock.h"

#define ENDPOINT   "inproc://zeromq.zap.01"
#define PARTS      7 /* version, request id, domain, address, routing id, mechanism, key */
#define PART_BYTES 256
#define KEPT_MAX   64 /* refusals that nobody has asked for yet */

struct listed {
    char key[WF_KEY_SIZE]; /* first: it is what is searched for */
    char owner[WF_OWNER_SIZE];
};

struct wf_zap {
    void *context;
    void *socket;
    pthread_t thread;
    bool runs;
    struct wf_lines *lines;
    pthread_mutex_t lock; /* of all below */
    struct listed *keys;
    size_t n;
    uint64_t refused[WF_REFUSED_REASONS];
    struct wf_refusal kept[KEPT_MAX];
    size_t n_kept;
};

struct part {
    uint8_t bytes[PART_BYTES];
    size_t len;
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool wf_zap_owner(struct wf_zap *zap, const char *key, char out[WF_OWNER_SIZE])
{
    (void)pthread_mutex_lock(&zap->lock);
    const struct listed *found =
        zap->n > 0 ? bsearch(key, zap->keys, zap->n, sizeof(zap->keys[0]), compare) : NULL;
    if (found != NULL)
        memcpy(out, found->owner, WF_OWNER_SIZE);
    (void)pthread_mutex_unlock(&zap->lock);
    return found != NULL;
}

/* ---- refusals -------------------------------------------------------------------------------- */

void wf_zap_note(struct wf_zap *zap, enum wf_refused why, const char *address)
{
    (void)pthread_mutex_lock(&zap->lock);
    zap->refused[why]++;
    if (zap->n_kept < KEPT_MAX) {
        struct wf_refusal *one = &zap->kept[zap->n_kept++];
        one->why = why;
        (void)wf_str_copy(wf_str(address), one->address, sizeof(one->address));
    }
    (void)pthread_mutex_unlock(&zap->lock);
}

int wf_zap_next(struct wf_zap *zap, struct wf_refusal *out)
{
    (void)pthread_mutex_lock(&zap->lock);
    int rc = zap->n_kept > 0 ? 0 : WF_NONE;
    if (rc == 0)
        *out = zap->kept[--zap->n_kept];
    (void)pthread_mutex_unlock(&zap->lock);
    return rc;
}

void wf_zap_forget(struct wf_zap *zap)
{
    (void)pthread_mutex_lock(&zap->lock);
    memset(zap->refused, 0, sizeof(zap->refused));
    zap->n_kept = 0;
    (void)pthread_mutex_unlock(&zap->lock);
}

uint64_t wf_zap_refused(struct wf_zap *zap, enum wf_refused why)
{
    (void)pthread_mutex_lock(&zap->lock);
    uint64_t refused = zap->refused[why];
    (void)pthread_mutex_unlock(&zap->lock);
    return refused;
}

/* ---- the handler ----------------------------------------------------------------------------- */

/* Reads all frames of a question; false where it is none of RFC 27's. */
static bool read_question(void *socket, struct part parts[PARTS], bool *out_ended)
{
    size_t n = 0;
    int more = 1;
    while (more != 0) {
        struct part spare;
        struct part *part = n < PARTS ? &parts[n] : &spare;
        size_t size = sizeof(more);
        int length = zmq_recv(socket, part->bytes, sizeof(part->bytes), 0);
        if (length < 0 && zmq_errno() == EINTR)
            continue;
        if (length < 0 || zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) != 0) {
            *out_ended = true;
            return false;
        }
        part->len = (size_t)length <= sizeof(part->bytes) ? (size_t)length : 0;
        n++;
    }
    return n == PARTS;
}

/* What is said to a question, by RFC 27: 300 lets the peer try again by itself. */
enum verdict { LET_IN, UNKNOWN, CROWDED, VERDICTS };
static const char *const verdicts[VERDICTS][2] = {[LET_IN] = {"200", "OK"},
                                                  [UNKNOWN] = {"400", "not registered"},
                                                  [CROWDED] = {"300", "too many connections"}};

static enum verdict judge(struct wf_zap *zap, const struct part parts[PARTS], char key[WF_KEY_SIZE])
{
    char owner[WF_OWNER_SIZE];
    char address[WF_ADDRESS_SIZE] = "";
    struct wf_str from = {(const char *)parts[3].bytes, parts[3].len};
    key[0] = '\0';
    if (wf_is_utf8(from.ptr, from.len))
        (void)wf_str_copy(from, address, sizeof(address));
    if (parts[5].len == 5 && memcmp(parts[5].bytes, "CURVE", 5) == 0 && parts[6].len == 32)
        (void)zmq_z85_encode(key, parts[6].bytes, 32);
    if (!wf_zap_owner(zap, key, owner)) {
        wf_zap_note(zap, WF_REFUSED_KEY, address);
        return UNKNOWN;
    }
    if (!wf_lines_grant(zap->lines, owner, wf_monotonic_ms())) {
        wf_zap_note(zap, WF_REFUSED_CROWD, address);
        return CROWDED;
    }
    return LET_IN;
}

/* The user is the key itself: whose it is may change while the connection lives. */
static void answer(struct wf_zap *zap, const struct part parts[PARTS])
{
    char key[WF_KEY_SIZE];
    enum verdict verdict = judge(zap, parts, key);
    const char *const words[] = {verdicts[verdict][0], verdicts[verdict][1],
                                 verdict == LET_IN ? key : ""};
    (void)zmq_send(zap->socket, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(zap->socket, parts[1].bytes, parts[1].len, ZMQ_SNDMORE);
    for (size_t i = 0; i < WF_COUNT(words); i++)
        (void)zmq_send(zap->socket, words[i], strlen(words[i]), ZMQ_SNDMORE);
    (void)zmq_send(zap->socket, "", 0, 0);
}

static void *handle(void *context)
{
    struct wf_zap *zap = context;
    bool ended = false;
    while (!ended) {
        struct part parts[PARTS] = {0};
        if (read_question(zap->socket, parts, &ended))
            answer(zap, parts);
        else if (!ended)
            (void)zmq_send(zap->socket, "", 0, 0); /* REP must answer before it hears again */
    }
    wf_socket_close(zap->socket);
    return NULL;
}

/* ---- its life -------------------------------------------------------------------------------- */

int wf_zap_begin(void *context, struct wf_lines *lines, struct wf_zap **out, struct wf_error *err)
{
    int none = 0;
    struct wf_zap *zap = wf_alloc(sizeof(*zap));
    if (zap == NULL)
        return wf_fail(err, WF_E_NOMEM, "start the handler of keys: out of memory");
    zap->context = context;
    zap->lines = lines;
    (void)pthread_mutex_init(&zap->lock, NULL);
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (zap->socket == NULL || zmq_setsockopt(zap->socket, ZMQ_LINGER, &none, sizeof(none)) != 0 ||
        zmq_bind(zap->socket, ENDPOINT) != 0) {
        int rc = wf_socket_fail(err, "bind the handler of keys");
        wf_socket_close(zap->socket);
        wf_zap_end(zap);
        return rc;
    }
    if (pthread_create(&zap->thread, NULL, handle, zap) != 0) {
        wf_socket_close(zap->socket);
        wf_zap_end(zap);
        return wf_fail(err, WF_E_IO, "start the handler of keys: no thread");
    }
    zap->runs = true;
    *out = zap;
    return 0;
}

void wf_zap_end(struct wf_zap *zap)
{
    if (zap == NULL)
        return;
    if (zap->runs) {
        (void)zmq_ctx_shutdown(zap->context);
        (void)pthread_join(zap->thread, NULL);
    }
    (void)pthread_mutex_destroy(&zap->lock);
    wf_free(zap->keys);
    wf_free(zap);
}

int wf_zap_allow(struct wf_zap *zap, const struct wf_door_key *keys, size_t n, struct wf_error *err)
{
    size_t kept = 0;
    struct listed *fresh = wf_alloc((n > 0 ? n : 1) * sizeof(*fresh));
    if (fresh == NULL)
        return wf_fail(err, WF_E_NOMEM, "list of keys: out of memory");
    for (size_t i = 0; i < n; i++) {
        const char *owner = keys[i].owner != NULL ? keys[i].owner : keys[i].key;
        if (wf_key_is_valid(keys[i].key) && !wf_key_is_printed(keys[i].key) &&
            wf_str_copy(wf_str(owner), fresh[kept].owner, WF_OWNER_SIZE))
            memcpy(fresh[kept++].key, keys[i].key, WF_KEY_SIZE);
    }
    qsort(fresh, kept, sizeof(*fresh), compare);
    (void)pthread_mutex_lock(&zap->lock);
    struct listed *old = zap->keys;
    zap->keys = fresh;
    zap->n = kept;
    (void)pthread_mutex_unlock(&zap->lock);
    wf_free(old);
    return 0;
}

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

#define ENDPOINT   "inproc://zeromq.zap.01"
#define PARTS      7 /* version, request id, domain, address, routing id, mechanism, key */
#define PART_BYTES 256

struct wf_zap {
    void *context;
    void *socket;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock; /* of all below */
    char (*keys)[WF_KEY_SIZE];
    size_t n;
    uint64_t refused;
};

struct part {
    uint8_t bytes[PART_BYTES];
    size_t len;
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_listed(struct wf_zap *zap, const char *key)
{
    (void)pthread_mutex_lock(&zap->lock);
    bool found =
        zap->n > 0 && bsearch(key, zap->keys, zap->n, sizeof(zap->keys[0]), compare) != NULL;
    zap->refused += !found;
    (void)pthread_mutex_unlock(&zap->lock);
    return found;
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

static bool is_let_in(struct wf_zap *zap, const struct part parts[PARTS], char key[WF_KEY_SIZE])
{
    key[0] = '\0';
    if (parts[5].len == 5 && memcmp(parts[5].bytes, "CURVE", 5) == 0 && parts[6].len == 32)
        (void)zmq_z85_encode(key, parts[6].bytes, 32);
    return is_listed(zap, key);
}

/* The user is the key itself: whose it is may change while the connection lives. */
static void answer(struct wf_zap *zap, const struct part parts[PARTS])
{
    char key[WF_KEY_SIZE];
    bool yes = is_let_in(zap, parts, key);
    const char *const words[] = {yes ? "200" : "400", yes ? "OK" : "not registered",
                                 yes ? key : ""};
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

int wf_zap_begin(void *context, struct wf_zap **out, struct wf_error *err)
{
    int none = 0;
    struct wf_zap *zap = wf_alloc(sizeof(*zap));
    if (zap == NULL)
        return wf_fail(err, WF_E_NOMEM, "start the handler of keys: out of memory");
    zap->context = context;
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

int wf_zap_allow(struct wf_zap *zap, const char *const *keys, size_t n, struct wf_error *err)
{
    size_t kept = 0;
    char(*fresh)[WF_KEY_SIZE] = wf_alloc((n > 0 ? n : 1) * sizeof(*fresh));
    if (fresh == NULL)
        return wf_fail(err, WF_E_NOMEM, "list of keys: out of memory");
    for (size_t i = 0; i < n; i++) {
        if (wf_key_is_valid(keys[i]) && !wf_key_is_printed(keys[i]))
            memcpy(fresh[kept++], keys[i], WF_KEY_SIZE);
    }
    qsort(fresh, kept, sizeof(*fresh), compare);
    (void)pthread_mutex_lock(&zap->lock);
    char(*old)[WF_KEY_SIZE] = zap->keys;
    zap->keys = fresh;
    zap->n = kept;
    (void)pthread_mutex_unlock(&zap->lock);
    wf_free(old);
    return 0;
}

uint64_t wf_zap_refused(struct wf_zap *zap)
{
    (void)pthread_mutex_lock(&zap->lock);
    uint64_t refused = zap->refused;
    (void)pthread_mutex_unlock(&zap->lock);
    return refused;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order matters: the ZAP handler runs before any socket is bound; the proof runs on an abstract
 * local socket of the same ROUTER, so that the public port never listens unproven.
 *
 * ZeroMQ has no bound on connections, and unbinding a port ends those that came through it. Its
 * monitor tells who comes and goes, and which descriptor listens; at the bound that descriptor gets
 * a packet filter that takes nothing, so that knocking costs nothing while those inside stay. When
 * a tenth has left the filter is taken off. Silent connections go after `handshake_ms`, those that
 * have proved a key and say nothing after `silent_ms` (lines.h), those that ask and do not read after
 * `slow_ms`.
 */
#include "workflow/door.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/lines.h"
#include "transport/router.h"
#include "transport/sockets.h"
#include "transport/zap.h"
#include "workflow/clock.h"
#include "workflow/hash.h"

#define EXTRA_MAX    4
#define CONNECTIONS  1000
#define HIGH_WATER   128
#define HANDSHAKE_MS 5000
#define SILENT_MS    30000
#define SLOW_MS      30000
#define PROOF_MS     15000 /* a slow machine is no failed proof */
#define FULL_LOOK_MS 200

struct wf_door {
    void *context;
    struct wf_lines *lines;
    struct wf_zap *zap;
    struct wf_router parties;
    void *monitor;
    void *workers[WF_SERVICE_COUNT]; /* DEALER */
    char endpoint[256];
    int64_t connections; /* now */
    int64_t most;
    int listener; /* ZeroMQ's descriptor; -1 = none */
    bool is_shut;
    bool has_failed; /* a handshake, of the connection that is told to end next */
    struct wf_door_figures figures;
};

/* ---- what ZeroMQ tells of connections -------------------------------------------------------- */

static int watch(void *context, void *socket, const char *name, int events, void **out,
                 struct wf_error *err)
{
    int none = 0;
    void *monitor = NULL;
    if (zmq_socket_monitor(socket, name, events) == 0)
        monitor = zmq_socket(context, ZMQ_PAIR);
    if (monitor == NULL || zmq_setsockopt(monitor, ZMQ_LINGER, &none, sizeof(none)) != 0 ||
        zmq_connect(monitor, name) != 0) {
        wf_socket_close(monitor);
        return wf_socket_fail(err, "watch a socket");
    }
    *out = monitor;
    return 0;
}

/* The next event, 0 where none waits. Its second frame, the endpoint, tells nothing new. */
static unsigned next_event(void *monitor, int *out_value)
{
    struct {
        uint16_t event;
        int32_t value;
    } __attribute__((packed)) told = {0, 0};
    zmq_msg_t message;
    if (wf_frame_take(monitor, &message, NULL) != 0)
        return 0;
    if (zmq_msg_size(&message) == sizeof(told))
        memcpy(&told, zmq_msg_data(&message), sizeof(told));
    bool more = zmq_msg_more(&message) != 0;
    (void)zmq_msg_close(&message);
    while (more && wf_frame_take(monitor, &message, NULL) == 0) {
        more = zmq_msg_more(&message) != 0;
        (void)zmq_msg_close(&message);
    }
    *out_value = told.value;
    return told.event;
}

/* ---- the proof ------------------------------------------------------------------------------- */

/* Connects with the key and gives the event that ends the handshake; 0 when none came. */
static int knock(struct wf_door *door, const struct wf_socket_spec *spec, const char *name,
                 unsigned *out, struct wf_error *err)
{
    void *socket = NULL;
    void *monitor = NULL;
    int value = 0;
    int rc = wf_socket_new(door->context, spec, &socket, err);
    if (rc == 0)
        rc = watch(door->context, socket, name,
                   ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, &monitor, err);
    if (rc == 0 && zmq_connect(socket, spec->endpoint) != 0)
        rc = wf_socket_fail(err, "prove the door");
    if (rc == 0) {
        int64_t until = wf_monotonic_ms() + PROOF_MS;
        zmq_pollitem_t item = {monitor, 0, ZMQ_POLLIN, 0};
        while ((*out = next_event(monitor, &value)) == 0 && wf_monotonic_ms() < until)
            (void)zmq_poll(&item, 1, 100);
    }
    if (socket != NULL)
        (void)zmq_socket_monitor(socket, NULL, 0);
    wf_socket_close(monitor);
    wf_socket_close(socket);
    return rc;
}

static int prove_with(struct wf_door *door, struct wf_socket_spec *spec, struct wf_keypair pairs[2],
                      struct wf_error *err)
{
    const struct wf_door_key listed[] = {{pairs[0].public, NULL}};
    unsigned known = 0;
    unsigned unknown = 0;
    int rc = wf_zap_allow(door->zap, listed, 1, err);
    spec->keys = &pairs[0];
    if (rc == 0)
        rc = knock(door, spec, "inproc://door-known", &known, err);
    spec->keys = &pairs[1];
    if (rc == 0)
        rc = knock(door, spec, "inproc://door-unknown", &unknown, err);
    if (rc == 0)
        rc = wf_zap_allow(door->zap, NULL, 0, err);
    if (rc != 0)
        return rc;
    if (known != ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        return wf_fail(err, WF_E_INTERNAL, "proof of the door: a registered key was not let in");
    if (unknown != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return wf_fail(err, WF_E_INTERNAL, "proof of the door: an unknown key was not refused");
    wf_zap_forget(door->zap); /* our own key is no stranger's */
    return 0;
}

static int prove(struct wf_door *door, const struct wf_keypair *server, struct wf_error *err)
{
    struct wf_keypair pairs[2] = {0};
    char endpoint[64];
    int rc = wf_keypair_new(&pairs[0], err);
    if (rc == 0)
        rc = wf_keypair_new(&pairs[1], err);
    if (rc != 0)
        return rc;
    /* Abstract names are seen by all processes of the host: one that nobody can have guessed. */
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://@hoso-door-%d-%016" PRIx64, (int)getpid(),
                   wf_text_key(pairs[1].secret, WF_KEY_SIZE - 1));
    if (zmq_bind(door->parties.socket, endpoint) != 0)
        rc = wf_socket_fail(err, "prove the door");
    struct wf_socket_spec spec = {
        .type = ZMQ_DEALER, .endpoint = endpoint, .server_key = server->public};
    if (rc == 0)
        rc = prove_with(door, &spec, pairs, err);
    if (rc == 0 && zmq_unbind(door->parties.socket, endpoint) != 0)
        rc = wf_socket_fail(err, "prove the door");
    wf_keypair_wipe(&pairs[0]);
    wf_keypair_wipe(&pairs[1]);
    return rc;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static int open_port(struct wf_door *door, const char *endpoint, struct wf_error *err)
{
    size_t size = sizeof(door->endpoint);
    if (zmq_bind(door->parties.socket, endpoint) != 0)
        return wf_fail(err, zmq_errno() == EADDRINUSE ? WF_E_STATE : WF_E_CONFIG,
                       "listen on %.200s: %s", endpoint, zmq_strerror(zmq_errno()));
    if (zmq_getsockopt(door->parties.socket, ZMQ_LAST_ENDPOINT, door->endpoint, &size) != 0)
        return wf_socket_fail(err, "ask for the port");
    return 0;
}

static int open_parties(struct wf_door *door, const struct wf_door_options *options,
                        struct wf_error *err)
{
    const struct wf_socket_spec spec = {
        .type = ZMQ_ROUTER,
        .binds = true,
        .endpoint = options->endpoint,
        .high_water = options->high_water > 0 ? options->high_water : HIGH_WATER,
        .handshake_ms = options->handshake_ms > 0 ? options->handshake_ms : HANDSHAKE_MS,
        .slow_ms = options->slow_ms > 0 ? options->slow_ms : SLOW_MS,
        .keys = options->keys};
    int rc =
        wf_lines_new(options->per_owner > 0 ? (size_t)options->per_owner : 0,
                     options->silent_ms > 0 ? options->silent_ms : SILENT_MS, &door->lines, err);
    if (rc == 0)
        rc = wf_zap_begin(door->context, door->lines, &door->zap, err);
    if (rc == 0)
        rc = wf_socket_new(door->context, &spec, &door->parties.socket, err);
    if (rc == 0)
        rc = prove(door, options->keys, err);
    /* Only now: unbinding the proof's endpoint ends its connections without a word. */
    if (rc == 0)
        rc = watch(door->context, door->parties.socket, "inproc://door-monitor",
                   ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL,
                   &door->monitor, err);
    return rc == 0 ? open_port(door, options->endpoint, err) : rc;
}

static int open_workers(struct wf_door *door, const char *run, struct wf_error *err)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < WF_SERVICE_COUNT; i++) {
        const struct wf_socket_spec spec = {.type = ZMQ_DEALER,
                                            .folder = run,
                                            .service = (enum wf_service)i,
                                            .suffix = ".sock",
                                            .max_frame = (int64_t)WF_REPLY_MAX};
        rc = wf_socket_open(door->context, &spec, &door->workers[i], err);
    }
    return rc;
}

int wf_door_open(const struct wf_door_options *options, struct wf_door **out, struct wf_error *err)
{
    struct wf_door *door = wf_alloc(sizeof(*door));
    if (door == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the door: out of memory");
    door->parties.max_frame = WF_FRAME_MAX;
    door->parties.only_own = true;
    door->listener = -1;
    door->most = options->connections > 0 ? options->connections : CONNECTIONS;
    door->context = wf_context_new(err);
    int rc = door->context != NULL ? 0 : WF_E_IO;
    if (rc == 0)
        rc = open_workers(door, options->run, err);
    if (rc == 0)
        rc = open_parties(door, options, err);
    if (rc < 0) {
        wf_door_close(door);
        return rc;
    }
    *out = door;
    return 0;
}

void wf_door_close(struct wf_door *door)
{
    if (door == NULL)
        return;
    if (door->parties.socket != NULL)
        (void)zmq_socket_monitor(door->parties.socket, NULL, 0);
    wf_socket_close(door->monitor);
    wf_socket_close(door->parties.socket);
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        wf_socket_close(door->workers[i]);
    wf_zap_end(door->zap);
    wf_context_end(door->context);
    wf_lines_free(door->lines);
    wf_free(door);
}

int wf_door_refusal(struct wf_door *door, struct wf_refusal *out)
{
    return wf_zap_next(door->zap, out);
}

int wf_door_allow(struct wf_door *door, const struct wf_door_key *keys, size_t n,
                  struct wf_error *err)
{
    return wf_zap_allow(door->zap, keys, n, err);
}

const char *wf_door_endpoint(const struct wf_door *door)
{
    return door->endpoint;
}

struct wf_door_figures wf_door_figures(struct wf_door *door)
{
    struct wf_door_figures figures = door->figures;
    for (unsigned i = 0; i < WF_REFUSED_REASONS; i++)
        figures.refused[i] = wf_zap_refused(door->zap, (enum wf_refused)i);
    figures.dropped += door->parties.dropped;
    figures.connections = door->connections > 0 ? (size_t)door->connections : 0;
    return figures;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static void leave(struct wf_door *door, int fd)
{
    char address[WF_ADDRESS_SIZE];
    bool was_here = wf_lines_left(door->lines, fd, address);
    door->connections -= was_here;
    door->figures.ended += was_here;
    if (was_here && door->has_failed)
        wf_zap_note(door->zap, WF_REFUSED_SHAKE, address);
    door->has_failed = false;
}

static void count_connections(struct wf_door *door)
{
    int value = 0;
    unsigned event;
    while ((event = next_event(door->monitor, &value)) != 0) {
        switch (event) {
        case ZMQ_EVENT_LISTENING:
            door->listener = value; /* the last one is the public port */
            break;
        case ZMQ_EVENT_ACCEPTED:
            door->connections += wf_lines_came(door->lines, value, wf_monotonic_ms());
            break;
        case ZMQ_EVENT_DISCONNECTED:
            leave(door, value);
            break;
        default:
            door->has_failed = true; /* which one: the next event, its end, tells */
        }
    }
    wf_lines_sweep(door->lines, wf_monotonic_ms());
}

static void tend_port(struct wf_door *door)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog filter = {1, &nothing};
    int unused = 0;
    bool room = door->connections < door->most - door->most / 10;
    if (!door->is_shut && door->connections >= door->most) {
        if (setsockopt(door->listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ==
            0) {
            door->figures.shut++;
            door->is_shut = true;
        }
    } else if (door->is_shut && room) {
        door->is_shut =
            setsockopt(door->listener, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) != 0;
    }
}

int wf_door_wait(struct wf_door *door, struct pollfd *extra, size_t n_extra, int64_t timeout_ms,
                 struct wf_error *err)
{
    zmq_pollitem_t items[EXTRA_MAX + WF_SERVICE_COUNT + 2];
    int n = 0;
    if (n_extra > EXTRA_MAX)
        return wf_fail(err, WF_E_INVALID, "wait: at most %d extra descriptors", EXTRA_MAX);
    for (size_t i = 0; i < n_extra; i++)
        items[n++] = (zmq_pollitem_t){NULL, extra[i].fd, ZMQ_POLLIN, 0};
    items[n++] = (zmq_pollitem_t){door->monitor, 0, ZMQ_POLLIN, 0};
    items[n++] = (zmq_pollitem_t){door->parties.socket, 0, ZMQ_POLLIN, 0};
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        items[n++] = (zmq_pollitem_t){door->workers[i], 0, ZMQ_POLLIN, 0};

    long timeout = door->parties.more ? 0 : (long)timeout_ms;
    if (door->is_shut && (timeout < 0 || timeout > FULL_LOOK_MS))
        timeout = FULL_LOOK_MS;
    int ready = zmq_poll(items, n, timeout);
    if (ready < 0 && zmq_errno() != EINTR)
        return wf_socket_fail(err, "wait for messages");
    for (size_t i = 0; i < n_extra; i++)
        extra[i].revents = ready > 0 && (items[i].revents & ZMQ_POLLIN) != 0 ? POLLIN : 0;
    count_connections(door);
    tend_port(door);
    return 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* The first message of a connection tells whose it is. A key that was taken from the list has no
 * owner: its connections are not known, and end as silent ones do. */
static void know_line(struct wf_door *door, const char *key)
{
    char owner[WF_OWNER_SIZE];
    int fd = door->parties.fd;
    if (!wf_lines_has(door->lines, fd, key) && wf_zap_owner(door->zap, key, owner))
        wf_lines_spoke(door->lines, fd, key, owner);
}

int wf_door_receive(struct wf_door *door, struct wf_arena *arena, struct wf_asker *out_asker,
                    char out_key[WF_KEY_SIZE], struct wf_slice *out_frame, struct wf_error *err)
{
    for (;;) {
        int rc = wf_router_receive(&door->parties, arena, out_asker, out_key, WF_KEY_SIZE,
                                   out_frame, err);
        if (out_key[0] != '\0')
            know_line(door, out_key);
        if (rc != 0 || out_key[0] != '\0')
            return rc;
        door->figures.dropped++; /* cannot be: nobody is let in without a key */
    }
}

/* ZeroMQ bounds how many messages wait for a connection, not how many bytes. */
int wf_door_reply(struct wf_door *door, const struct wf_asker *asker, struct wf_slice frame,
                  struct wf_untaken *untaken, struct wf_error *err)
{
    if (untaken == NULL)
        return wf_router_reply(&door->parties, asker, frame, err);
    if (__atomic_load_n(&untaken->bytes, __ATOMIC_RELAXED) + (int64_t)frame.len > WF_UNTAKEN_MOST)
        return wf_fail(err, WF_E_BUSY, "the other side takes no more now");
    return wf_router_reply_counted(&door->parties, asker, frame, &untaken->bytes, err);
}

int wf_door_ask(struct wf_door *door, enum wf_service service, struct wf_slice frame,
                struct wf_error *err)
{
    unsigned i = (unsigned)service;
    if (i >= WF_SERVICE_COUNT)
        return wf_fail(err, WF_E_INVALID, "there is no service %u", i);
    return wf_frame_send(door->workers[i], frame, 0, err);
}

int wf_door_hear(struct wf_door *door, enum wf_service service, struct wf_arena *arena,
                 struct wf_slice *out_frame, struct wf_error *err)
{
    zmq_msg_t message;
    unsigned i = (unsigned)service;
    int rc = i < WF_SERVICE_COUNT ? wf_frame_take(door->workers[i], &message, err)
                                  : wf_fail(err, WF_E_INVALID, "there is no service %u", i);
    if (rc != 0)
        return rc;
    rc = wf_frame_copy(&message, arena, out_frame, err);
    (void)zmq_msg_close(&message);
    return rc;
}

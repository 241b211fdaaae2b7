/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/router.h"

#include <errno.h>
#include <string.h>

#include "transport/sockets.h"
#include "workflow/memory.h"

/* ---- frames ---------------------------------------------------------------------------------- */

int wf_frame_take(void *socket, zmq_msg_t *message, struct wf_error *err)
{
    (void)zmq_msg_init(message);
    while (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0) {
        int why = zmq_errno();
        if (why == EINTR)
            continue;
        (void)zmq_msg_close(message);
        return why == EAGAIN ? WF_NONE : wf_socket_fail(err, "receive a message");
    }
    return 0;
}

int wf_frame_copy(zmq_msg_t *message, struct wf_arena *arena, struct wf_slice *out,
                  struct wf_error *err)
{
    size_t length = zmq_msg_size(message);
    uint8_t *copy = wf_arena_alloc(arena, length > 0 ? length : 1);
    if (copy == NULL)
        return wf_fail(err, WF_E_NOMEM, "receive a message: out of memory");
    if (length > 0)
        memcpy(copy, zmq_msg_data(message), length);
    *out = (struct wf_slice){copy, length};
    return 0;
}

static int send_failed(struct wf_error *err)
{
    switch (zmq_errno()) {
    case EAGAIN:
        return wf_fail(err, WF_E_BUSY, "the other side takes no more now");
    case EHOSTUNREACH:
        return wf_fail(err, WF_E_NOT_FOUND, "the asker is gone");
    default:
        return wf_socket_fail(err, "send a message");
    }
}

int wf_frame_send(void *socket, struct wf_slice frame, int flags, struct wf_error *err)
{
    int rc;
    do {
        rc = zmq_send(socket, frame.ptr, frame.len, flags | ZMQ_DONTWAIT);
    } while (rc < 0 && zmq_errno() == EINTR);
    return rc < 0 ? send_failed(err) : 0;
}

/* ---- messages of parties --------------------------------------------------------------------- */

static void drain(struct wf_router *router)
{
    zmq_msg_t message;
    while (router->more && wf_frame_take(router->socket, &message, NULL) == 0) {
        router->more = zmq_msg_more(&message) != 0;
        router->dropped++;
        (void)zmq_msg_close(&message);
    }
    router->more = false;
}

/* ZeroMQ's own ids are a zero byte and a number that never comes back; an id of the peer's choice
 * could later be another's, who would get the answers. */
static bool is_own_id(const struct wf_asker *asker)
{
    return asker->len == 5 && asker->bytes[0] == 0;
}

/* Reads the routing id in front of a new message. */
static int begin_message(struct wf_router *router, struct wf_error *err)
{
    zmq_msg_t id;
    struct wf_asker *asker = &router->asker;
    asker->len = 0;
    int rc = wf_frame_take(router->socket, &id, err);
    if (rc != 0)
        return rc;
    size_t length = zmq_msg_size(&id);
    router->more = zmq_msg_more(&id) != 0;
    router->frames = 0;
    asker->len = length <= sizeof(asker->bytes) ? length : 0;
    memcpy(asker->bytes, zmq_msg_data(&id), asker->len);
    (void)zmq_msg_close(&id);
    if (asker->len > 0 && (!router->only_own || is_own_id(asker)))
        return 0;
    drain(router);
    if (asker->len > 0)
        return wf_fail(err, WF_E_INVALID, "routing id of the sender's own choice: leave it unset");
    /* Somebody chose an address too long to keep: no answer can reach it. */
    return wf_fail(err, WF_E_INVALID, "routing id of more than %zu bytes", sizeof(asker->bytes));
}

static int too_many(struct wf_router *router, struct wf_error *err)
{
    drain(router);
    return wf_fail(err, WF_E_INVALID, "more than %d messages at once: the rest is dropped",
                   WF_FRAMES_MAX);
}

/* libzmq 4.3.4 loses the property on the routing id's frame; a payload frame has it. */
static void take_user(struct wf_router *router, zmq_msg_t *message, char *user, size_t size)
{
    if (user == NULL)
        return;
    (void)wf_str_copy(wf_str(zmq_msg_gets(message, "User-Id")), user, size);
    router->fd = zmq_msg_get(message, ZMQ_SRCFD);
}

int wf_router_receive(struct wf_router *router, struct wf_arena *arena, struct wf_asker *out_asker,
                      char *user, size_t user_size, struct wf_slice *out_frame,
                      struct wf_error *err)
{
    int rc = router->more ? 0 : begin_message(router, err);
    if (user != NULL)
        user[0] = '\0';
    *out_asker = (struct wf_asker){.len = 0};
    if (rc <= 0)
        *out_asker = router->asker; /* of length 0 where an answer could not find it */
    if (rc != 0)
        return rc;
    if (!router->more)
        return WF_NONE; /* an address and nothing else */

    zmq_msg_t message;
    rc = wf_frame_take(router->socket, &message, err);
    if (rc != 0) {
        router->more = false;
        return rc;
    }
    router->more = zmq_msg_more(&message) != 0;
    size_t length = zmq_msg_size(&message);
    take_user(router, &message, user, user_size);
    if (++router->frames > WF_FRAMES_MAX) {
        router->dropped++;
        rc = too_many(router, err);
    } else if (length > router->max_frame) {
        router->dropped++;
        rc = wf_fail(err, WF_E_INVALID, "message of %zu bytes: %zu are allowed", length,
                     router->max_frame);
    } else {
        rc = wf_frame_copy(&message, arena, out_frame, err);
    }
    (void)zmq_msg_close(&message);
    return rc;
}

int wf_router_reply(struct wf_router *router, const struct wf_asker *asker, struct wf_slice frame,
                    struct wf_error *err)
{
    const struct wf_slice id = {asker->bytes, asker->len};
    if (asker->len == 0)
        return wf_fail(err, WF_E_NOT_FOUND, "the asker has no address");
    int rc = wf_frame_send(router->socket, id, ZMQ_SNDMORE, err);
    return rc == 0 ? wf_frame_send(router->socket, frame, 0, err) : rc;
}

struct parcel {
    int64_t *untaken;
    size_t len;
    uint8_t bytes[];
};

/* Called by ZeroMQ, in one of its threads. */
static void let_go(void *bytes, void *hint)
{
    struct parcel *parcel = hint;
    (void)bytes;
    (void)__atomic_sub_fetch(parcel->untaken, (int64_t)parcel->len, __ATOMIC_RELAXED);
    wf_free(parcel);
}

static int send_parcel(void *socket, struct parcel *take_parcel, struct wf_error *err)
{
    zmq_msg_t message;
    if (zmq_msg_init_data(&message, take_parcel->bytes, take_parcel->len, let_go, take_parcel) !=
        0) {
        let_go(NULL, take_parcel);
        return wf_fail(err, WF_E_NOMEM, "send a message: out of memory");
    }
    int rc;
    do {
        rc = zmq_msg_send(&message, socket, ZMQ_DONTWAIT);
    } while (rc < 0 && zmq_errno() == EINTR);
    if (rc >= 0)
        return 0;
    rc = send_failed(err);
    (void)zmq_msg_close(&message); /* and lets the parcel go */
    return rc;
}

int wf_router_reply_counted(struct wf_router *router, const struct wf_asker *asker,
                            struct wf_slice frame, int64_t *untaken, struct wf_error *err)
{
    const struct wf_slice id = {asker->bytes, asker->len};
    if (asker->len == 0)
        return wf_fail(err, WF_E_NOT_FOUND, "the asker has no address");
    struct parcel *parcel = wf_alloc(sizeof(*parcel) + frame.len);
    if (parcel == NULL)
        return wf_fail(err, WF_E_NOMEM, "send a message: out of memory");
    int rc = wf_frame_send(router->socket, id, ZMQ_SNDMORE, err);
    if (rc != 0) {
        wf_free(parcel);
        return rc;
    }
    parcel->untaken = untaken;
    parcel->len = frame.len;
    memcpy(parcel->bytes, frame.ptr, frame.len);
    (void)__atomic_add_fetch(untaken, (int64_t)frame.len, __ATOMIC_RELAXED);
    return send_parcel(router->socket, parcel, err);
}

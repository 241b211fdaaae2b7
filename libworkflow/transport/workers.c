/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One DEALER per worker, all made at once: connecting costs nothing while the worker is away, and a
 * send before the connection stands is refused (ZMQ_IMMEDIATE) instead of queued out of sight.
 */
#include "workflow/workers.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "transport/sockets.h"

struct wf_workers {
    void *context;
    void *lines[WF_SERVICE_COUNT];
};

int wf_workers_open(const char *run, struct wf_workers **out, struct wf_error *err)
{
    struct wf_workers *workers = wf_alloc(sizeof(*workers));
    if (workers == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the lines to the workers: out of memory");
    workers->context = wf_context_new(err);
    int rc = workers->context != NULL ? 0 : WF_E_IO;
    for (unsigned i = 0; rc == 0 && i < WF_SERVICE_COUNT; i++) {
        const struct wf_socket_spec spec = {.type = ZMQ_DEALER,
                                            .folder = run,
                                            .service = (enum wf_service)i,
                                            .suffix = ".sock",
                                            .max_frame = (int64_t)WF_REPLY_MAX};
        rc = wf_socket_open(workers->context, &spec, &workers->lines[i], err);
    }
    if (rc < 0) {
        wf_workers_close(workers);
        return rc;
    }
    *out = workers;
    return 0;
}

void wf_workers_close(struct wf_workers *workers)
{
    if (workers == NULL)
        return;
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        wf_socket_close(workers->lines[i]);
    wf_context_end(workers->context);
    wf_free(workers);
}

int wf_workers_wait(struct wf_workers *workers, struct pollfd *extra, size_t n_extra,
                    int64_t timeout_ms, struct wf_error *err)
{
    zmq_pollitem_t items[WF_SERVICE_COUNT + WF_WORKERS_EXTRA_MAX];
    if (n_extra > WF_WORKERS_EXTRA_MAX)
        return wf_fail(err, WF_E_INTERNAL, "wait for %zu descriptors: too many", n_extra);
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        items[i] = (zmq_pollitem_t){workers->lines[i], 0, ZMQ_POLLIN, 0};
    for (size_t i = 0; i < n_extra; i++)
        items[WF_SERVICE_COUNT + i] = (zmq_pollitem_t){NULL, extra[i].fd, ZMQ_POLLIN, 0};
    int n = zmq_poll(items, WF_SERVICE_COUNT + (int)n_extra, (long)timeout_ms);
    if (n < 0 && zmq_errno() != EINTR)
        return wf_socket_fail(err, "wait for answers");
    for (size_t i = 0; i < n_extra; i++)
        extra[i].revents = n > 0 && items[WF_SERVICE_COUNT + i].revents != 0 ? POLLIN : 0;
    return 0;
}

int wf_workers_send(struct wf_workers *workers, enum wf_service to, struct wf_slice frame,
                    struct wf_error *err)
{
    if ((unsigned)to >= WF_SERVICE_COUNT)
        return wf_fail(err, WF_E_INVALID, "there is no service %u", (unsigned)to);
    while (zmq_send(workers->lines[to], frame.ptr, frame.len, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EAGAIN)
            return wf_fail(err, WF_E_BUSY, "%s cannot be reached", wf_service_word(to));
        if (zmq_errno() != EINTR)
            return wf_socket_fail(err, "send a request");
    }
    return 0;
}

int wf_workers_receive(struct wf_workers *workers, enum wf_service from, struct wf_arena *arena,
                       struct wf_envelope *out, struct wf_error *err)
{
    zmq_msg_t message;
    int rc = 0;
    if ((unsigned)from >= WF_SERVICE_COUNT)
        return wf_fail(err, WF_E_INVALID, "there is no service %u", (unsigned)from);
    (void)zmq_msg_init(&message);
    while (rc == 0 && zmq_msg_recv(&message, workers->lines[from], ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EAGAIN)
            rc = WF_NONE;
        else if (zmq_errno() != EINTR)
            rc = wf_socket_fail(err, "receive an answer");
    }
    if (rc == 0) {
        struct wf_slice frame = {zmq_msg_data(&message), zmq_msg_size(&message)};
        rc = wf_message_unpack(frame, (enum wf_end)from, WF_END_PARTY, arena, out, err);
        if (rc < 0 && rc != WF_E_NOMEM)
            rc = wf_fail(err, WF_E_INVALID, "answer of %s cannot be read", wf_service_word(from));
    }
    (void)zmq_msg_close(&message);
    return rc;
}

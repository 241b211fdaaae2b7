/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/bridge/internal.h - what http.c (connections) and request.c (what is asked) share.
 */
#ifndef HOSO_BRIDGE_INTERNAL_H
#define HOSO_BRIDGE_INTERNAL_H

#include <microhttpd.h>

#include "bridge.h"

/* One TCP connection. It is cut when it has not got on by its time. */
struct visitor {
    struct visitor *next;
    int fd;
    int64_t until_ms; /* INT64_MAX while a worker is asked */
};

struct http {
    struct MHD_Daemon *daemon;
    struct guard *guard;
    struct asks *asks;
    struct wf_board_bridge *slot;
    struct visitor *visitors;
    int listen_fd; /* -1 once it is quiesced */
    int64_t sweep_at_ms;
    bool again; /* a request was resumed: run once more without waiting */
    char place[64];
    char *openapi; /* made once */
};

/* request.c. From its head, a request is accepted or marked as refused. */
struct request *request_new(struct http *http, struct MHD_Connection *connection, const char *url,
                            const char *method);
void request_free(struct request *request);

/* Takes a part of the body; false where the connection is to be cut. */
bool request_feed(struct request *request, const char *bytes, size_t length);

/* The body is whole: sets the page, or asks a worker (request->ask). */
void request_carry_out(struct request *request);

#endif

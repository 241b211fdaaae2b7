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
    bool asked;       /* a request of it could be read */
    bool rests;       /* between two requests */
    bool cut;
};

struct http {
    struct MHD_Daemon *daemon;
    struct guard *guard;
    struct asks *asks;
    struct wf_board_bridge *slot;
    struct visitor *visitors;
    int64_t slow_ms;
    int listen_fd; /* -1 once it is quiesced */
    int64_t sweep_at_ms;
    bool again; /* a request was resumed: run once more without waiting */
    char place[64];
    char *openapi; /* made once */
};

/* By when the visitor must have got on; INT64_MAX = not now (http.c). */
void give_time(struct MHD_Connection *connection, int64_t ms);
/* For taking an answer, or a piece of it. */
int64_t answer_ms(const struct http *http);

/* request.c. From its head, a request is accepted or marked as refused. */
struct request *request_new(struct http *http, struct MHD_Connection *connection, const char *url,
                            const char *method);
void request_free(struct request *request);

/* Takes a part of the body; false where the connection is to be cut. */
bool request_feed(struct request *request, const char *bytes, size_t length);

/* paper.c: bodies and answers that are bytes. From the head: Content-Range, Range. */
int paper_put_head(struct request *request) WF_CHECKED;
int paper_get_head(struct request *request) WF_CHECKED;
/* size, at and max of the message; other requests have none. */
int paper_fields(const struct request *request, struct wf_arena *arena,
                 struct wf_value *body) WF_CHECKED;
/* Takes of a PUT's body what fits into one message; true when that is full and to be sent. */
bool paper_feed(struct request *request, const char *bytes, size_t *length);
/* The answer to a piece has come and more of the body follows: false where it was a refusal. */
bool paper_go_on(struct request *request);
/* The response to a GET, told piece by piece; NULL = out of memory. */
struct MHD_Response *paper_response(struct request *request, unsigned *out_status);

/* Asks a worker with what the body holds (request->ask), and lets the body go. */
int request_ask(struct request *request) WF_CHECKED;

/* The body is whole: sets the page, or asks a worker (request->ask). */
void request_carry_out(struct request *request);

#endif

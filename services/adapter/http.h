/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/adapter/http.h - requests with JSON to another system's HTTP service.
 *
 * PURPOSE    The only place that knows libcurl: time limits, bounded answers, no redirects, TLS
 *            always checked, nothing but http and https.
 * OWNERSHIP  the answer's text lives in the given arena.
 * ERRORS     WF_E_TIMEOUT  not reached, cut off, ended by a signal, or no answer in time: whether the request was done
 *                          is not known. Try again
 *            WF_E_DENIED   the other's certificate is not to be trusted
 *            WF_E_INVALID  the answer is longer than answer_max
 *            WF_E_CONFIG   no such URL
 *            Any status is an answer, also 404 and 500: look at it.
 * DANGERS    error texts name host and port only; never log a body or a header.
 * THREADS    one thread per client.
 */
#ifndef ADAPTER_HTTP_H
#define ADAPTER_HTTP_H

#include "workflow/error.h"
#include "workflow/memory.h"
#include "workflow/text.h"

struct http_options {
    int64_t connect_ms; /* 0 = 5 s */
    int64_t timeout_ms; /* of the whole request; 0 = 30 s */
    size_t answer_max;  /* bytes; 0 = 1 MiB */
    const char *ca;     /* file of certificates to trust; NULL or "" = the system's */
    int signal_fd;      /* what can be read there ends a request within a second; 0, -1 = none */
};

struct http_client;

int http_open(const struct http_options *options, struct http_client **out,
              struct wf_error *err) WF_CHECKED;
void http_close(struct http_client *client);

struct http_request {
    const char *method; /* "GET", "POST", "PUT" ... */
    const char *url;
    const char *const *headers; /* "Name: value"; Content-Type of a body is there without */
    size_t n_headers;
    struct wf_str body; /* "" = none */
    const char *type;   /* header line "Content-Type: ..." of the body; NULL = JSON */
    const char *user;   /* "name:secret" for HTTP Basic; NULL = none */
};

struct http_answer {
    int status;
    int64_t retry_ms;   /* by Retry-After, 0 = it does not say */
    struct wf_str body; /* NUL-terminated too */
};

int http_ask(struct http_client *client, const struct http_request *request, struct wf_arena *arena,
             struct http_answer *out, struct wf_error *err) WF_CHECKED;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP side, on libmicrohttpd without threads of its own: the bridge's loop waits on its epoll
 * descriptor and runs it. The listening socket is ours, so that it is bound to the one address that
 * the settings name. The library's time-out is renewed by every byte, so a slow sender could hold a
 * connection for ever: each visitor has a time of ours instead, by which it must have got on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"
#include "listen.h"

#define ANSWER_MOST 2 /* an answer may be taken in so many times what a request may be sent in */
#define SWEEP_MS    1000
#define HEAD_MEMORY ((size_t)32 * 1024)

/* ---- visitors -------------------------------------------------------------------------------- */

static struct visitor *visitor_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

void give_time(struct MHD_Connection *connection, int64_t ms)
{
    struct visitor *visitor = visitor_of(connection);
    if (visitor != NULL)
        visitor->until_ms = ms == INT64_MAX ? ms : wf_monotonic_ms() + ms;
}

int64_t answer_ms(const struct http *http)
{
    return ANSWER_MOST * http->slow_ms;
}

static void come_or_go(void *context, struct MHD_Connection *connection, void **own,
                       enum MHD_ConnectionNotificationCode what)
{
    struct http *http = context;
    struct visitor *visitor = *own;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        visitor = info != NULL ? wf_alloc(sizeof(*visitor)) : NULL;
        *own = visitor;
        if (visitor == NULL)
            return; /* its requests are refused */
        *visitor = (struct visitor){.next = http->visitors,
                                    .fd = info->connect_fd,
                                    .until_ms = wf_monotonic_ms() + http->slow_ms};
        http->visitors = visitor;
        http->slot->connections++;
    } else if (visitor != NULL) {
        struct visitor **at = &http->visitors;
        while (*at != visitor)
            at = &(*at)->next;
        *at = visitor->next;
        *own = NULL;
        http->slot->connections--;
        http->slot->unread += !visitor->asked && !visitor->cut;
        wf_free(visitor);
    }
}

/* Only shut: the library closes the descriptor when it next looks at it. Who rests between two
 * requests is no slow one. */
static void sweep(struct http *http, int64_t now_ms)
{
    http->sweep_at_ms = now_ms + SWEEP_MS;
    for (struct visitor *v = http->visitors; v != NULL; v = v->next) {
        if (v->until_ms >= now_ms || v->cut)
            continue;
        v->cut = true;
        http->slot->cut += !v->rests;
        (void)shutdown(v->fd, SHUT_RDWR);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

static void count(struct wf_board_bridge *slot, unsigned status)
{
    slot->requests++;
    if (status == MHD_HTTP_TOO_MANY_REQUESTS)
        slot->busy++;
    else if (status >= MHD_HTTP_INTERNAL_SERVER_ERROR)
        slot->failed++;
    else if (status >= MHD_HTTP_BAD_REQUEST)
        slot->refused++;
}

/* What memory cannot be had for is said by closing the connection: asked again, it is answered. */
static enum MHD_Result queue(struct request *request)
{
    struct page *page = &request->page;
    char seconds[24];
    if (page->text == NULL)
        return MHD_NO;
    struct MHD_Response *response =
        page->is_paper ? paper_response(request, &page->status)
                       : MHD_create_response_from_buffer(strlen(page->text), page->text,
                                                         MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;
    if (!page->is_paper) {
        page->text = NULL;
        add(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    }
    add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add(response, "X-Content-Type-Options", "nosniff");
    if (page->status == MHD_HTTP_UNAUTHORIZED)
        add(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (page->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        add(response, MHD_HTTP_HEADER_ALLOW, request->match.allow);
    if (page->retry_ms > 0) {
        (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)(page->retry_ms + 999) / 1000);
        add(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    count(request->http->slot, page->status);
    give_time(request->connection, answer_ms(request->http));
    enum MHD_Result rc = MHD_queue_response(request->connection, page->status, response);
    MHD_destroy_response(response);
    return rc;
}

void request_answer(struct request *request, struct page page)
{
    free(request->page.text);
    request->page = page;
    request->answered = true;
    request->http->again = true;
    give_time(request->connection, request->http->slow_ms); /* more of a paper may have to come */
    MHD_resume_connection(request->connection);
}

/* ---- what the library calls ------------------------------------------------------------------ */

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection, const char *url,
                             const char *method, void **own)
{
    struct visitor *visitor = visitor_of(connection);
    if (visitor == NULL)
        return MHD_NO;
    visitor->asked = true;
    visitor->rests = false;
    struct request *request = request_new(http, connection, url, method);
    *own = request;
    if (request == NULL)
        return MHD_NO;
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (request->refused == 0 || length == NULL || strtoull(length, NULL, 10) <= DRAIN_MAX)
        return MHD_YES;
    request_carry_out(request); /* too much to wait for */
    return queue(request);
}

static enum MHD_Result wait_for_answer(struct MHD_Connection *connection)
{
    give_time(connection, INT64_MAX);
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static enum MHD_Result take(void *context, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *bytes,
                            size_t *length, void **own)
{
    struct request *request = *own;
    (void)version;
    if (request == NULL)
        return begin(context, connection, url, method, own);
    bool is_paper = request->refused == 0 && request->match.route->type == WF_MSG_paper_put;
    if (*length > 0 && is_paper && (!request->answered || paper_go_on(request))) {
        if (!paper_feed(request, bytes, length))
            return MHD_YES;
        request_carry_out(request);
        return request->answered ? MHD_YES : wait_for_answer(connection);
    }
    if (*length > 0) {
        bool go_on = request_feed(request, bytes, *length);
        *length = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    if (!request->answered)
        request_carry_out(request);
    if (request->answered)
        return queue(request);
    return wait_for_answer(connection);
}

static void done(void *context, struct MHD_Connection *connection, void **own,
                 enum MHD_RequestTerminationCode how)
{
    struct http *http = context;
    struct visitor *visitor = visitor_of(connection);
    const struct request *request = *own;
    bool is_torn = how != MHD_REQUEST_TERMINATED_COMPLETED_OK && request != NULL &&
                   !request->answered && request->ask == NULL;
    http->slot->unread += is_torn && (visitor == NULL || !visitor->cut);
    request_free(*own);
    *own = NULL;
    if (visitor != NULL)
        visitor->rests = true;
    give_time(connection, http->slow_ms);
}

/* ---- life cycle ------------------------------------------------------------------------------ */

int http_open(const struct http_options *options, struct guard *guard, struct asks *asks,
              struct http **out, struct wf_error *err)
{
    struct http *http = wf_alloc(sizeof(*http));
    if (http == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    *http = (struct http){.guard = guard,
                          .asks = asks,
                          .slot = options->slot,
                          .slow_ms = options->slow_ms,
                          .listen_fd = -1,
                          .openapi = openapi_make()};
    int rc = http->openapi != NULL
                 ? listen_at("bridge_listen", options->listen, &http->listen_fd, http->place, err)
                 : wf_fail(err, WF_E_NOMEM, "out of memory");
    if (rc == 0) {
        http->daemon = MHD_start_daemon(
            MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, take, http,
            MHD_OPTION_LISTEN_SOCKET, http->listen_fd, MHD_OPTION_NOTIFY_CONNECTION, come_or_go,
            http, MHD_OPTION_NOTIFY_COMPLETED, done, http, MHD_OPTION_CONNECTION_LIMIT,
            options->connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MEMORY,
            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
        if (http->daemon == NULL)
            rc = wf_fail(err, WF_E_IO, "start HTTP at %s: %s", options->listen, strerror(errno));
    }
    if (rc != 0) {
        http_close(http);
        return rc;
    }
    *out = http;
    return 0;
}

void http_quiesce(struct http *http)
{
    int fd = (int)MHD_quiesce_daemon(http->daemon);
    if (fd >= 0)
        (void)close(fd);
    http->listen_fd = -1;
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon); /* closes the listening socket too */
    else if (http->listen_fd >= 0)
        (void)close(http->listen_fd);
    free(http->openapi);
    wf_free(http);
}

int http_fd(const struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info != NULL ? info->epoll_fd : -1;
}

const char *http_place(const struct http *http)
{
    return http->place;
}

void http_run(struct http *http, int64_t now_ms)
{
    http->again = false;
    (void)MHD_run(http->daemon);
    if (now_ms >= http->sweep_at_ms)
        sweep(http, now_ms);
}

int64_t http_due_ms(struct http *http, int64_t now_ms)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    if (http->again)
        return now_ms;
    int64_t due = http->sweep_at_ms;
    if (MHD_get_timeout(http->daemon, &ms) == MHD_YES && ms < (unsigned long long)SWEEP_MS &&
        now_ms + (int64_t)ms < due)
        due = now_ms + (int64_t)ms;
    return due;
}

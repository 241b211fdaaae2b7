/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics --listen: the figures over HTTP, for Prometheus and for whoever asks whether all is well.
 *
 *     /metrics   the figures
 *     /healthz   200: this process lives
 *     /readyz    200 only while all five workers answer and intake is open (a station: while it takes
 *                dossiers in); else 503, and why
 *
 * One thread and one loop, as few connections as monitoring needs. A scrape reads the store for
 * milliseconds; what it needs of memory goes with it. The workers are asked themselves only when
 * the board has nothing against them.
 */
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "health.h"
#include "listen.h"
#include "process.h"
#include "station.h"
#include "workflow/log.h"
#include "workflow/sandbox.h"

#define CONNECTIONS   16
#define CONNECTION_MS 120000 /* from one whole request to the next; sooner than that none is cut */
#define HEAD_MEMORY   ((size_t)16 * 1024)
#define LOOK_MS       1000
#define ASK_MS        1000 /* a worker that answers at all does so in a millisecond */
#define TEXT_TYPE     "text/plain; version=0.0.4; charset=utf-8"

struct visitor {
    int fd; /* -1 = the place is free */
    int64_t until_ms;
};

struct listener {
    struct hoso *h;
    struct wf_arena *scrape; /* of one request */
    struct wf_client *client;
    struct MHD_Daemon *daemon;
    struct visitor visitors[CONNECTIONS];
    char place[LISTEN_PLACE];
    int listen_fd, signal_fd;
};

struct page {
    unsigned status;
    struct wf_buf text;
};

/* ---- /readyz --------------------------------------------------------------------------------- */

/* One line for each problem that keeps dossiers out, of a cell or a station; false where there is
 * none. */
static bool list_obstacles(const struct wf_value *answer, struct wf_buf *out)
{
    static const char *const of_cell[] = {"worker_", "not_running", "intake_stopped",
                                          "cell_on_hold", NULL};
    static const char *const of_station[] = {"not_running",    "process_",  "numbers_out",
                                             "intake_stopped", "clock_off", NULL};
    const char *const *prefixes = wf_map_get(answer, "station") != NULL ? of_station : of_cell;
    const struct wf_value *problems = wf_map_get(answer, "problems");
    size_t before = out->len;
    for (size_t i = 0; i < wf_value_count(problems); i++) {
        const struct wf_value *problem = wf_list_at(problems, i);
        const char *code = wf_value_text(wf_map_get(problem, "code"), "");
        for (const char *const *p = prefixes; *p != NULL; p++) {
            if (strncmp(code, *p, strlen(*p)) == 0)
                wf_buf_printf(out, "%s %s: %s\n", code,
                              wf_value_text(wf_map_get(problem, "service"), ""),
                              wf_value_text(wf_map_get(problem, "what"), ""));
        }
    }
    return out->len > before;
}

/* Takes answers until all have come or the time is over; what comes late is of an earlier asking. */
static void hear(struct listener *l, char ids[][WF_REQUEST_ID_SIZE], bool heard[])
{
    int64_t until = wf_monotonic_ms() + ASK_MS;
    size_t n = 0;
    while (n < WF_SERVICE_COUNT && wf_monotonic_ms() < until) {
        struct wf_envelope envelope = {0};
        if (wf_client_receive(l->client, until - wf_monotonic_ms(), l->scrape, &envelope, NULL) !=
            0)
            continue;
        for (size_t s = 0; s < WF_SERVICE_COUNT; s++) {
            if (!heard[s] && envelope.type == WF_MSG_health_report &&
                wf_str_is(envelope.re, ids[s])) {
                heard[s] = true;
                n++;
            }
        }
    }
}

static void ask_workers(struct listener *l, struct wf_buf *out)
{
    static const struct wf_msg_health body = {0};
    const struct wf_client_options options = {.timeout_ms = ASK_MS};
    char ids[WF_SERVICE_COUNT][WF_REQUEST_ID_SIZE];
    bool heard[WF_SERVICE_COUNT] = {false};
    struct wf_error err;
    if (l->client == NULL && wf_client_open(l->h->settings.run, &options, &l->client, &err) != 0) {
        wf_buf_printf(out, "no connection to the workers: %s\n", wf_code_word(err.code));
        return;
    }
    for (size_t s = 0; s < WF_SERVICE_COUNT; s++) {
        wf_client_new_id(l->client, ids[s]);
        (void)!wf_client_send(l->client, (enum wf_service)s, WF_MSG_health, &body, ids[s], &err);
    }
    hear(l, ids, heard);
    for (size_t s = 0; s < WF_SERVICE_COUNT; s++) {
        if (!heard[s])
            wf_buf_printf(out, "worker_silent %s: no answer\n",
                          wf_service_word((enum wf_service)s));
    }
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void metrics_page(struct listener *l, const struct wf_value *answer, struct page *page)
{
    (void)l;
    metrics_text(answer, &page->text);
}

static void ready_page(struct listener *l, const struct wf_value *answer, struct page *page)
{
    if (!list_obstacles(answer, &page->text) && wf_map_get(answer, "workers") != NULL)
        ask_workers(l, &page->text);
    page->status = page->text.len > 0 ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK;
    if (page->text.len == 0)
        wf_buf_text(&page->text, "ready\n");
}

static const struct {
    const char *url;
    void (*make)(struct listener *l, const struct wf_value *answer, struct page *page);
} pages[] = {
    {"/metrics", metrics_page},
    {"/readyz", ready_page},
    {"/healthz", NULL},
};

static void make_page(struct listener *l, const char *url, struct page *page)
{
    const struct wf_value *answer = NULL;
    struct hoso one = *l->h; /* what the answer is made of goes with the arena of this request */
    page->status = MHD_HTTP_OK;
    for (size_t i = 0; i < WF_COUNT(pages); i++) {
        if (strcmp(pages[i].url, url) != 0)
            continue;
        if (pages[i].make == NULL) {
            wf_buf_text(&page->text, "alive\n");
            return;
        }
        wf_arena_reset(l->scrape);
        one.arena = l->scrape;
        int rc = hoso_health(&one, &answer);
        if (rc == 0) {
            pages[i].make(l, answer, page);
            return;
        }
        page->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        wf_buf_printf(&page->text, "the figures cannot be read: %s\n", wf_code_word(rc));
        wf_log(WF_LOG_ERROR, WF_LOG_NOTE_EVENT, &(struct wf_log_fact){.rc = rc}, "%s",
               one.err.text);
        return;
    }
    page->status = MHD_HTTP_NOT_FOUND;
    wf_buf_text(&page->text, "there are /metrics, /healthz and /readyz\n");
}

/* ---- connections ----------------------------------------------------------------------------- */

static void come_or_go(void *context, struct MHD_Connection *connection, void **own,
                       enum MHD_ConnectionNotificationCode what)
{
    struct listener *l = context;
    struct visitor *visitor = *own;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (visitor != NULL)
            visitor->fd = -1;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (size_t i = 0; i < CONNECTIONS && info != NULL && *own == NULL; i++) {
        if (l->visitors[i].fd >= 0)
            continue;
        l->visitors[i] = (struct visitor){info->connect_fd, wf_monotonic_ms() + CONNECTION_MS};
        *own = &l->visitors[i];
    }
}

/* The library's own time-out is renewed by every byte; this one by whole requests. */
static void sweep(struct listener *l, int64_t now)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (l->visitors[i].fd >= 0 && l->visitors[i].until_ms < now)
            (void)shutdown(l->visitors[i].fd, SHUT_RDWR);
    }
}

static void give_time(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct visitor *visitor = info != NULL ? info->socket_context : NULL;
    if (visitor != NULL)
        visitor->until_ms = wf_monotonic_ms() + CONNECTION_MS;
}

static enum MHD_Result take(void *context, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *bytes,
                            /* The library's signature: NOLINTNEXTLINE(readability-non-const-*) */
                            size_t *length, void **own)
{
    static int begun; /* its address marks a request whose head was seen */
    struct page page = {.status = MHD_HTTP_METHOD_NOT_ALLOWED};
    (void)version;
    (void)bytes;
    bool is_read =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (*own == NULL && is_read) {
        *own = &begun;
        return MHD_YES;
    }
    if (*length > 0)
        return MHD_NO; /* nothing here has a body */
    if (is_read)
        make_page(context, url, &page);
    struct MHD_Response *response = NULL;
    if (!page.text.failed)
        response =
            MHD_create_response_from_buffer(page.text.len, page.text.ptr, MHD_RESPMEM_MUST_COPY);
    wf_buf_fini(&page.text);
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, TEXT_TYPE);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (!is_read)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    give_time(connection);
    enum MHD_Result rc = MHD_queue_response(connection, page.status, response);
    MHD_destroy_response(response);
    return rc;
}

/* ---- life cycle ------------------------------------------------------------------------------ */

/*
 * Left: what status reads. The port is bound already, so all network goes. Whoever reads LMDB or SQLite
 * writes its locks: those folders may be written to. An adapter that is set up later, with a file
 * elsewhere, is shown from the next start on.
 */
static int give_up_rights(struct hoso *h)
{
    const struct wf_settings *s = &h->settings;
    const char *write[3] = {s->run};
    const char *const read[] = {h->folder, s->registry};
    size_t n = 1;
    if (mkdir(s->run, 0700) != 0 && errno != EEXIST) /* it must be named now */
        return wf_fail(&h->err, WF_E_IO, "%s: %s", s->run, strerror(errno));
    if (!hoso_is_station(h))
        write[n++] = s->store;
    write[n] = hoso_is_station(h) ? station_files(h) : outbox_files(h);
    n += write[n] != NULL;
    const struct wf_sandbox what = {
        .write = write, .n_write = n, .read = read, .n_read = WF_COUNT(read), .watches = true};
    return wf_sandbox_apply(s->sandbox, &what, &h->err);
}

static int open_all(struct listener *l, const char *place)
{
    static const int signals[] = {SIGTERM, SIGINT};
    struct hoso *h = l->h;
    int rc = hoso_cell(h);
    if (rc == 0)
        rc = listen_at("metrics_listen", place, &l->listen_fd, l->place, &h->err);
    if (rc == 0)
        rc = give_up_rights(h);
    if (rc == 0 && !hoso_is_station(h))
        rc = hoso_store(h, false);
    if (rc == 0)
        rc = process_signals(signals, WF_COUNT(signals), &l->signal_fd, &h->err);
    if (rc != 0)
        return rc;
    l->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, take, l, MHD_OPTION_LISTEN_SOCKET,
                                 l->listen_fd, MHD_OPTION_NOTIFY_CONNECTION, come_or_go, l,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MEMORY,
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    return l->daemon != NULL
               ? 0
               : wf_fail(&h->err, WF_E_IO, "start HTTP at %s: %s", place, strerror(errno));
}

static void close_all(struct listener *l)
{
    if (l->daemon != NULL)
        MHD_stop_daemon(l->daemon); /* closes the listening socket too */
    else if (l->listen_fd >= 0)
        (void)close(l->listen_fd);
    wf_client_close(l->client);
    wf_arena_free(l->scrape);
    if (l->signal_fd >= 0)
        (void)close(l->signal_fd);
}

static void loop(struct listener *l)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[] = {{.fd = l->signal_fd, .events = POLLIN},
                           {.fd = info != NULL ? info->epoll_fd : -1, .events = POLLIN}};
    while (fds[0].revents == 0) {
        MHD_UNSIGNED_LONG_LONG due = LOOK_MS;
        bool has_due = MHD_get_timeout(l->daemon, &due) == MHD_YES && due < LOOK_MS;
        (void)poll(fds, WF_COUNT(fds), has_due ? (int)due : LOOK_MS);
        (void)MHD_run(l->daemon);
        sweep(l, wf_monotonic_ms());
        if (wf_notify_every_ms() != INT64_MAX)
            wf_notify("WATCHDOG=1"); /* every second: that is often enough for any bound */
    }
}

static void say_ready(const struct listener *l, const struct wf_options *options)
{
    wf_log(WF_LOG_INFO, WF_LOG_READY_EVENT, NULL, "http at %s", l->place);
    if (options != NULL)
        wf_options_say_ready(options);
}

int metrics_listen(struct hoso *h, const char *place, const struct wf_options *options)
{
    struct listener l = {.h = h, .scrape = wf_arena_new(0), .listen_fd = -1, .signal_fd = -1};
    for (size_t i = 0; i < CONNECTIONS; i++)
        l.visitors[i].fd = -1;
    wf_log_open("metrics", WF_LOG_INFO);
    int rc = l.scrape != NULL ? open_all(&l, place)
                              : wf_fail(&h->err, WF_E_NOMEM, "metrics: out of memory");
    if (rc == 0) {
        say_ready(&l, options);
        loop(&l);
        wf_notify("STOPPING=1");
        wf_log(WF_LOG_INFO, WF_LOG_STOP_EVENT, NULL, "stopped in good order");
    }
    close_all(&l);
    return rc;
}

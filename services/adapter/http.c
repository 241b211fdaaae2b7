/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/http.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_MS 5000
#define TIMEOUT_MS 30000
#define ANSWER_MAX ((size_t)1024 * 1024)

struct http_client {
    CURL *curl;
    struct http_options options;
    char *ca;
    struct wf_buf answer;
    bool is_too_long;
};

int http_open(const struct http_options *options, struct http_client **out, struct wf_error *err)
{
    struct http_client *client = wf_alloc(sizeof(*client));
    if (client == NULL)
        return wf_fail(err, WF_E_NOMEM, "open HTTP: out of memory");
    client->options = *options;
    if (client->options.connect_ms == 0)
        client->options.connect_ms = CONNECT_MS;
    if (client->options.timeout_ms == 0)
        client->options.timeout_ms = TIMEOUT_MS;
    if (client->options.answer_max == 0)
        client->options.answer_max = ANSWER_MAX;
    bool has_ca = options->ca != NULL && options->ca[0] != '\0';
    client->ca = has_ca ? wf_strdup(options->ca) : NULL;
    client->curl = curl_easy_init();
    if (client->curl == NULL || (has_ca && client->ca == NULL)) {
        http_close(client);
        return wf_fail(err, WF_E_NOMEM, "open HTTP: out of memory");
    }
    *out = client;
    return 0;
}

void http_close(struct http_client *client)
{
    if (client == NULL)
        return;
    if (client->curl != NULL)
        curl_easy_cleanup(client->curl);
    wf_buf_fini(&client->answer);
    wf_free(client->ca);
    wf_free(client);
}

static size_t take(char *bytes, size_t size, size_t n, void *user)
{
    struct http_client *client = user;
    size_t length = size * n; /* libcurl: size is 1 */
    client->is_too_long = length > client->options.answer_max - client->answer.len;
    if (client->is_too_long)
        return 0;
    wf_buf_add(&client->answer, bytes, length);
    return client->answer.failed ? 0 : length;
}

/* libcurl asks this at least once a second; not 0 ends the request. */
static int is_wanted_elsewhere(void *user, curl_off_t down_of, curl_off_t down, curl_off_t up_of,
                               curl_off_t up)
{
    const struct http_client *client = user;
    struct pollfd signals = {.fd = client->options.signal_fd, .events = POLLIN};
    (void)down_of, (void)down, (void)up_of, (void)up;
    return signals.fd > 0 && poll(&signals, 1, 0) > 0;
}

static const char *type_of(const struct http_request *request)
{
    return request->type != NULL ? request->type : "Content-Type: application/json; charset=utf-8";
}

static struct curl_slist *headers_of(const struct http_request *request, bool *out_whole)
{
    struct curl_slist *list = NULL;
    *out_whole = true;
    for (size_t i = 0; i < request->n_headers + 2 && *out_whole; i++) {
        const char *line = i < request->n_headers ? request->headers[i]
                           : i == request->n_headers
                               ? "Expect:" /* or libcurl waits a second before a long body */
                               : type_of(request);
        if (i > request->n_headers && request->body.len == 0)
            break;
        struct curl_slist *longer = curl_slist_append(list, line);
        *out_whole = longer != NULL;
        list = longer != NULL ? longer : list;
    }
    return list;
}

static void set_up(struct http_client *client, const struct http_request *request,
                   struct curl_slist *headers)
{
    CURL *curl = client->curl;
    curl_easy_reset(curl);
    (void)curl_easy_setopt(curl, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    /* A connection of its own for each request: what a confused server sends after its answer can
     * never be taken for the answer to the next one. */
    (void)curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* no surprise from the environment */
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (client->ca != NULL)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)client->options.connect_ms);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)client->options.timeout_ms);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_wanted_elsewhere);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    if (request->body.len > 0) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
    }
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->user != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        (void)curl_easy_setopt(curl, CURLOPT_USERPWD, request->user);
    }
}

static int why_not(const struct http_client *client, CURLcode code, struct wf_error *err)
{
    if (client->is_too_long)
        return wf_fail(err, WF_E_INVALID, "the answer is longer than %zu bytes",
                       client->options.answer_max);
    if (client->answer.failed || code == CURLE_OUT_OF_MEMORY)
        return wf_fail(err, WF_E_NOMEM, "HTTP: out of memory");
    const char *text = curl_easy_strerror(code);
    switch ((int)code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CACERT_BADFILE:
        return wf_fail(err, WF_E_CONFIG, "HTTP: %s: see url and ca in the settings", text);
    case CURLE_PEER_FAILED_VERIFICATION:
        return wf_fail(err, WF_E_DENIED, "HTTP: %s", text);
    case CURLE_ABORTED_BY_CALLBACK:
        return wf_fail(err, WF_E_TIMEOUT, "HTTP: given up for a signal");
    default:
        return wf_fail(err, WF_E_TIMEOUT, "HTTP: %s", text);
    }
}

static int answer_of(struct http_client *client, struct wf_arena *arena, struct http_answer *out,
                     struct wf_error *err)
{
    long status = 0;
    curl_off_t retry = 0;
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry);
    const char *text = wf_arena_strndup(
        arena, client->answer.len > 0 ? (const char *)client->answer.ptr : "", client->answer.len);
    if (text == NULL)
        return wf_fail(err, WF_E_NOMEM, "HTTP: out of memory");
    *out = (struct http_answer){.status = (int)status,
                                .retry_ms = retry > 0 && retry < 86400 ? (int64_t)retry * 1000 : 0,
                                .body = {text, client->answer.len}};
    return 0;
}

int http_ask(struct http_client *client, const struct http_request *request, struct wf_arena *arena,
             struct http_answer *out, struct wf_error *err)
{
    bool is_whole = false;
    struct curl_slist *headers = headers_of(request, &is_whole);
    wf_buf_clear(&client->answer);
    client->is_too_long = false;
    int rc = is_whole ? 0 : wf_fail(err, WF_E_NOMEM, "HTTP: out of memory");
    if (rc == 0) {
        set_up(client, request, headers);
        CURLcode code = curl_easy_perform(client->curl);
        rc = code == CURLE_OK ? answer_of(client, arena, out, err) : why_not(client, code, err);
    }
    curl_slist_free_all(headers);
    return rc;
}

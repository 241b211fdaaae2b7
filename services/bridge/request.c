/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one HTTP request asks for. From its head alone it is decided whether it is let in; a body
 * that will not be used is read and thrown away up to a bound, so that the client, which may still
 * be writing, gets to read the reason.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

#define REQUEST_ARENA_MAX ((size_t)16 * 1024 * 1024)

static const char *header(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static void refuse_as(struct request *request, unsigned status)
{
    request->refused = status;
}

/* ---- the head -------------------------------------------------------------------------------- */

static int check_path(struct request *request)
{
    if (request->match.route != NULL)
        return 0;
    if (request->match.allow[0] == '\0')
        return wf_fail(&request->err, WF_E_NOT_FOUND, "no such path: see /v1/openapi.json");
    refuse_as(request, MHD_HTTP_METHOD_NOT_ALLOWED);
    return wf_fail(&request->err, WF_E_UNSUPPORTED, "this path has %s", request->match.allow);
}

static int check_party(struct request *request, int64_t now_ms)
{
    struct guard *guard = request->http->guard;
    const char *given = header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    const struct wf_party *party = NULL;
    if (given != NULL && strncasecmp(given, "Bearer ", 7) == 0 && strlen(given) < 512)
        party = token_party(guard->parties, given + 7);
    if (party == NULL) {
        refuse_as(request, MHD_HTTP_UNAUTHORIZED);
        return wf_fail(&request->err, WF_E_DENIED,
                       "a known token is wanted: Authorization: Bearer TOKEN");
    }
    (void)wf_str_copy(wf_str(party->name), request->party, sizeof(request->party));
    return guard_admit(guard, party, now_ms, &request->retry_ms, &request->err);
}

/* Printable, as the rule for headers is, so that it reads the same in every log. */
static bool is_key(const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < n; i++) {
        if (key[i] < '!' || key[i] > '~')
            return false;
    }
    return n > 0 && n <= KEY_MAX;
}

static int check_key(struct request *request)
{
    enum key_need need = request->match.route->key;
    const char *key = header(request, "Idempotency-Key");
    if (need == KEY_NONE)
        return 0;
    if (key == NULL && need == KEY_MUST)
        return wf_fail_field(&request->err, WF_E_INVALID, "id",
                             "missing: choose a new one for each request that changes something");
    if (key != NULL && !is_key(key))
        return wf_fail_field(&request->err, WF_E_INVALID, "id",
                             "1 to %d printable characters without spaces", KEY_MAX);
    if (key != NULL)
        (void)wf_str_copy(wf_str(key), request->key, sizeof(request->key));
    return 0;
}

static int check_body_head(struct request *request)
{
    const char *type = header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (request->match.route->type == WF_MSG_paper_put)
        return paper_put_head(request);
    if (length != NULL && strtoull(length, NULL, 10) > BODY_MAX) {
        refuse_as(request, MHD_HTTP_CONTENT_TOO_LARGE);
        return wf_fail(&request->err, WF_E_INVALID, "the body is longer than %zu bytes", BODY_MAX);
    }
    if (strcmp(request->match.route->method, "POST") != 0 || type == NULL)
        return 0;
    if (strncasecmp(type, "application/json", 16) != 0 || strchr(" ;", type[16]) == NULL) {
        refuse_as(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE);
        return wf_fail(&request->err, WF_E_UNSUPPORTED, "the body must be application/json");
    }
    return 0;
}

static int check_head(struct request *request, int64_t now_ms)
{
    int rc = check_path(request);
    if (rc == 0 && request->match.route->kind != ROUTE_VERB)
        return 0; /* anybody may ask whether we live */
    if (rc == 0)
        rc = check_party(request, now_ms);
    if (rc == 0)
        rc = check_key(request);
    if (rc == 0)
        rc = check_body_head(request);
    return rc == 0 && request->match.route->type == WF_MSG_paper_get ? paper_get_head(request) : rc;
}

struct request *request_new(struct http *http, struct MHD_Connection *connection, const char *url,
                            const char *method)
{
    struct request *request = wf_alloc(sizeof(*request));
    if (request == NULL)
        return NULL;
    request->http = http;
    request->connection = connection;
    route_find(method, url, &request->match);
    int rc = check_head(request, wf_monotonic_ms());
    if (rc != 0 && request->refused == 0)
        refuse_as(request, status_of(rc));
    return request;
}

void request_free(struct request *request)
{
    if (request == NULL)
        return;
    asks_detach(request->http->asks, request);
    wf_buf_fini(&request->body);
    free(request->page.text);
    wf_free(request);
}

bool request_feed(struct request *request, const char *bytes, size_t length)
{
    request->received += length;
    if (request->received > BODY_MAX && request->refused == 0) {
        refuse_as(request, MHD_HTTP_CONTENT_TOO_LARGE);
        (void)wf_fail(&request->err, WF_E_INVALID, "the body is longer than %zu bytes", BODY_MAX);
    }
    if (request->refused != 0)
        wf_buf_fini(&request->body);
    else
        wf_buf_add(&request->body, bytes, length);
    return request->received <= DRAIN_MAX;
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct query {
    struct request *request;
    struct wf_arena *arena;
    struct wf_value *body;
    const struct wf_message_info *info;
    struct wf_str service;
    int rc;
};

static const struct wf_wire_field *field_of(const struct wf_message_info *info, const char *name)
{
    for (size_t i = 0; i < info->n_fields; i++) {
        if (strcmp(info->fields[i].name, name) == 0)
            return &info->fields[i];
    }
    return NULL;
}

/* Digits only, so that "1e3", " 1" and "0x10" are mistakes everywhere. */
static const struct wf_value *number(struct wf_arena *arena, const char *text)
{
    size_t digits = strspn(text + (text[0] == '-'), "0123456789");
    if (digits == 0 || digits > 18 || text[digits + (text[0] == '-')] != '\0')
        return NULL;
    return wf_int(arena, strtoll(text, NULL, 10));
}

/* A text of path or query as the field's type wants it; NULL where it is none. */
static const struct wf_value *typed(struct wf_arena *arena, const struct wf_wire_field *field,
                                    const char *text)
{
    if (field->type == WF_WIRE_STR)
        return wf_text(arena, text);
    if (field->type == WF_WIRE_U64 || field->type == WF_WIRE_I64)
        return number(arena, text);
    if (field->type == WF_WIRE_BOOL && strcmp(text, "true") == 0)
        return &wf_true;
    return field->type == WF_WIRE_BOOL && strcmp(text, "false") == 0 ? &wf_false : NULL;
}

static int put_text(struct query *query, const char *name, const char *text)
{
    struct wf_error *err = &query->request->err;
    const struct wf_wire_field *field = field_of(query->info, name);
    if (field == NULL) /* not its name: it could be anything */
        return wf_fail(err, WF_E_INVALID, "unknown parameter in the address");
    if (wf_map_get(query->body, name) != NULL)
        return wf_fail_field(err, WF_E_INVALID, name, "given twice");
    const struct wf_value *value = typed(query->arena, field, text);
    if (value == NULL)
        return wf_fail_field(err, WF_E_INVALID, name, "no %s",
                             field->type == WF_WIRE_BOOL ? "true or false" : "whole number");
    if (!wf_map_put(query->arena, query->body, name, value))
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    return 0;
}

static enum MHD_Result put_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *text)
{
    struct query *query = context;
    bool is_get = strcmp(query->request->match.route->method, "GET") == 0 &&
                  query->request->match.route->type != WF_MSG_paper_get;
    (void)kind;
    if (text == NULL)
        text = "";
    if (strcmp(name, "service") == 0)
        query->service = wf_str(text);
    else if (!is_get)
        query->rc = wf_fail(&query->request->err, WF_E_INVALID,
                            "unknown parameter in the address: fields go into the body");
    else
        query->rc = put_text(query, name, text);
    return query->rc == 0 ? MHD_YES : MHD_NO;
}

static int ask(struct request *request, struct wf_arena *arena)
{
    const struct route *route = request->match.route;
    struct query query = {.request = request, .arena = arena, .service = wf_str("")};
    query.info = wf_message_info(route->type);
    if (query.info == NULL || request->body.failed)
        return wf_fail(&request->err, WF_E_NOMEM, "out of memory");
    if (strcmp(route->method, "GET") == 0 && request->body.len > 0)
        return wf_fail(&request->err, WF_E_INVALID, "a GET has no body");
    bool is_paper = route->type == WF_MSG_paper_put;
    int rc = json_read((const char *)request->body.ptr, is_paper ? 0 : request->body.len, arena,
                       &query.body, &request->err);
    for (size_t i = 0; rc == 0 && i < PATH_FIELDS && request->match.fields[i].name[0] != '\0'; i++)
        rc = put_text(&query, request->match.fields[i].name, request->match.fields[i].value);
    if (rc == 0)
        rc = paper_fields(request, arena, query.body);
    if (rc != 0)
        return rc;
    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, put_argument,
                                    &query);
    if (query.rc != 0)
        return query.rc;
    return asks_begin(request->http->asks, request, query.body, query.service, &request->err);
}

/* The tree of one body lives only until its message is packed. */
int request_ask(struct request *request)
{
    struct wf_arena *arena = wf_arena_new(REQUEST_ARENA_MAX);
    int rc =
        arena != NULL ? ask(request, arena) : wf_fail(&request->err, WF_E_NOMEM, "out of memory");
    wf_arena_free(arena);
    wf_buf_fini(&request->body);
    return rc;
}

static void own_page(struct request *request)
{
    bool ready = true;
    struct page page = {.status = MHD_HTTP_OK};
    struct asks *asks = request->http->asks;
    if (request->match.route->kind == ROUTE_READY)
        page.text = asks_ready(asks, wf_monotonic_ms(), &ready);
    else if (request->match.route->kind == ROUTE_OPENAPI)
        page.text = strdup(request->http->openapi);
    else
        page.text = strdup("{\"status\":\"up\"}");
    if (!ready)
        page.status = MHD_HTTP_SERVICE_UNAVAILABLE;
    request->page = page;
    request->answered = true;
}

static void refusal(struct request *request)
{
    request->page = (struct page){.status = request->refused,
                                  .text = json_of_error(&request->err, (uint64_t)request->retry_ms),
                                  .retry_ms = request->retry_ms};
    request->answered = true;
}

void request_carry_out(struct request *request)
{
    if (request->refused == 0 && request->match.route->kind != ROUTE_VERB) {
        own_page(request);
        return;
    }
    if (request->refused == 0) {
        int rc = request_ask(request);
        if (rc == 0)
            return;
        refuse_as(request, status_of(rc));
        if (wf_code_action(rc) == WF_RETRY)
            request->retry_ms = 1000;
    }
    refusal(request);
}

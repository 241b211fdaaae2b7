/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Papers over HTTP: bodies and answers that are bytes. A PUT of any length goes on to intake piece
 * by piece, the connection suspended while one is under way; a GET comes back the same way. So the
 * bridge holds one piece of a connection, however long the paper is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "internal.h"

static const char *header(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Digits up to `stop`; NULL where there are none, else behind `stop`. */
static const char *number(const char *text, char stop, uint64_t *out)
{
    size_t digits = text != NULL ? strspn(text, "0123456789") : 0;
    if (digits == 0 || digits > 15 || text[digits] != stop)
        return NULL;
    *out = strtoull(text, NULL, 10);
    return text + digits + (stop != '\0');
}

/* ---- up -------------------------------------------------------------------------------------- */

/* "bytes 0-131071/300000" or, as a question, "bytes * /300000" without the space. */
static bool read_range(struct request *request, const char *text, uint64_t length)
{
    uint64_t last = 0;
    if (strncmp(text, "bytes ", 6) != 0)
        return false;
    text += 6;
    if (text[0] == '*' && text[1] == '/')
        return length == 0 && number(text + 2, '\0', &request->size) != NULL;
    text = number(text, '-', &request->at);
    text = number(text, '/', &last);
    text = number(text, '\0', &request->size);
    return text != NULL && last >= request->at && last - request->at + 1 == length;
}

int paper_put_head(struct request *request)
{
    const char *range = header(request, MHD_HTTP_HEADER_CONTENT_RANGE);
    uint64_t length = 0;
    if (number(header(request, MHD_HTTP_HEADER_CONTENT_LENGTH), '\0', &length) == NULL) {
        request->refused = MHD_HTTP_LENGTH_REQUIRED;
        return wf_fail(&request->err, WF_E_INVALID, "a Content-Length is wanted");
    }
    request->size = length;
    if (range != NULL && !read_range(request, range, length))
        return wf_fail(
            &request->err, WF_E_INVALID,
            "Content-Range: write \"bytes FIRST-LAST/SIZE\" of as many bytes as the body "
            "has, or \"bytes */SIZE\" without one");
    return 0;
}

bool paper_feed(struct request *request, const char *bytes, size_t *length)
{
    size_t room = WF_CHUNK_MAX - request->body.len;
    size_t n = *length < room ? *length : room;
    wf_buf_add(&request->body, bytes, n);
    *length -= n;
    return request->body.len == WF_CHUNK_MAX || request->body.failed;
}

bool paper_go_on(struct request *request)
{
    if (request->page.status >= MHD_HTTP_BAD_REQUEST) {
        request->refused = request->page.status;
        return false;
    }
    free(request->page.text);
    request->page = (struct page){0};
    request->answered = false;
    request->at += WF_CHUNK_MAX;
    return true;
}

/* ---- down ------------------------------------------------------------------------------------ */

/* One range from a first byte on; of any other the whole is the right answer. */
int paper_get_head(struct request *request)
{
    const char *range = header(request, MHD_HTTP_HEADER_RANGE);
    uint64_t last = 0;
    if (range == NULL || strncmp(range, "bytes=", 6) != 0)
        return 0;
    const char *rest = number(range + 6, '-', &request->at);
    if (rest == NULL ||
        (*rest != '\0' && (number(rest, '\0', &last) == NULL || last < request->at))) {
        request->at = 0;
        return 0;
    }
    request->next = request->at;
    request->end = *rest != '\0' ? last + 1 : 0;
    request->ranged = true;
    return 0;
}

int paper_fields(const struct request *request, struct wf_arena *arena, struct wf_value *body)
{
    enum wf_message type = request->match.route->type;
    uint64_t max = WF_CHUNK_MAX;
    if (type != WF_MSG_paper_put && type != WF_MSG_paper_get)
        return 0;
    if (type == WF_MSG_paper_put) {
        (void)wf_map_put(arena, body, "size", wf_int(arena, (int64_t)request->size));
        (void)wf_map_put(arena, body, "at", wf_int(arena, (int64_t)request->at));
    } else {
        if (request->end != 0 && request->end - request->next < max)
            max = request->end - request->next;
        (void)wf_map_put(arena, body, "at", wf_int(arena, (int64_t)request->next));
        (void)wf_map_put(arena, body, "max", wf_int(arena, (int64_t)max));
    }
    return wf_value_is_whole(body) ? 0 : WF_E_NOMEM;
}

struct page paper_page(const struct wf_msg_paper_chunk *chunk)
{
    struct page page = {.status = MHD_HTTP_OK,
                        .text = malloc(chunk->bytes.len + 1),
                        .is_paper = true,
                        .len = chunk->bytes.len,
                        .at = chunk->at,
                        .size = chunk->size};
    if (page.text != NULL && page.len > 0)
        memcpy(page.text, chunk->bytes.ptr, page.len);
    return page;
}

static ssize_t read_piece(void *context, uint64_t position, char *out, size_t max)
{
    struct request *request = context;
    const struct page *page = &request->page;
    uint64_t at = request->at + position;
    if (page->status >= MHD_HTTP_BAD_REQUEST || page->text == NULL)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (at >= page->at && at - page->at < page->len) {
        size_t n = page->len - (size_t)(at - page->at);
        n = n < max ? n : max;
        memcpy(out, page->text + (at - page->at), n);
        give_time(request->connection, answer_ms(request->http));
        return (ssize_t)n;
    }
    request->next = at;
    if (request_ask(request) != 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    MHD_suspend_connection(request->connection);
    return 0;
}

/* By its first bytes: nobody's word is taken for it. */
static const char *media_type(const struct page *page)
{
    static const struct {
        const char *begin;
        size_t n;
        const char *type;
    } known[] = {
        /* clang-format off */
        {"%PDF-", 5, "application/pdf"},    {"\xff\xd8\xff", 3, "image/jpeg"},
        {"\x89PNG\r\n", 6, "image/png"},    {"II*\0", 4, "image/tiff"},
        {"MM\0*", 4, "image/tiff"},
        /* clang-format on */
    };
    for (size_t i = 0; i < WF_COUNT(known); i++) {
        if (page->at == 0 && page->len >= known[i].n &&
            memcmp(page->text, known[i].begin, known[i].n) == 0)
            return known[i].type;
    }
    return "application/octet-stream";
}

struct MHD_Response *paper_response(struct request *request, unsigned *out_status)
{
    const struct page *page = &request->page;
    uint64_t end = request->end == 0 || request->end > page->size ? page->size : request->end;
    uint64_t n = end > request->at ? end - request->at : 0;
    char range[64];
    struct MHD_Response *response =
        MHD_create_response_from_callback(n, WF_CHUNK_MAX, read_piece, request, NULL);
    if (response == NULL)
        return NULL;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media_type(page));
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    if (request->ranged && n > 0)
        (void)snprintf(range, sizeof(range), "bytes %llu-%llu/%llu",
                       (unsigned long long)request->at, (unsigned long long)end - 1,
                       (unsigned long long)page->size);
    else
        (void)snprintf(range, sizeof(range), "bytes */%llu", (unsigned long long)page->size);
    if (request->ranged)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
    *out_status = !request->ranged ? MHD_HTTP_OK
                  : n > 0          ? MHD_HTTP_PARTIAL_CONTENT
                                   : MHD_HTTP_RANGE_NOT_SATISFIABLE;
    return response;
}

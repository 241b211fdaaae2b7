/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to JSON and answers from it, by the tables of dialect.c. */
#include "dialect.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MOST 1000 /* of one page: what the interface allows */
#define HEX         "0123456789abcdefABCDEF"
#define SECONDS_HEX 8 /* of an id */

/* ---- what we say ------------------------------------------------------------------------------ */

/* Copies the text of a document to the arena and lets go of the document; NULL = out of memory. */
static int dump(json_t *take_document, struct wf_arena *arena, const char **out,
                struct wf_error *err)
{
    char *text = take_document != NULL ? json_dumps(take_document, JSON_COMPACT) : NULL;
    const char *copy = text != NULL ? wf_arena_strdup(arena, text) : NULL;
    free(text);
    json_decref(take_document);
    if (copy == NULL)
        return wf_fail(err, WF_E_NOMEM, "order: out of memory, or a text that is no UTF-8");
    *out = copy;
    return 0;
}

static int word(const struct dialect_field *fields, size_t n, const struct order_facts *facts,
                struct wf_arena *arena, const char **out, struct wf_error *err)
{
    json_t *document = json_object();
    bool whole = document != NULL;
    for (size_t i = 0; whole && i < n; i++) {
        const char *fact = facts->of[fields[i].fact];
        json_t *value = fields[i].is_number ? json_integer(fact ? strtoll(fact, NULL, 10) : 0)
                                            : json_string(fact ? fact : "");
        whole = json_object_set_new(document, fields[i].name, value) == 0;
    }
    if (!whole) {
        json_decref(document);
        document = NULL;
    }
    return dump(document, arena, out, err);
}

int dialect_order(const struct dialect *dialect, const struct order_facts *facts,
                  struct wf_arena *arena, const char **out, struct wf_error *err)
{
    return word(dialect->order, dialect->n_order, facts, arena, out, err);
}

int dialect_cancel(const struct dialect *dialect, const struct order_facts *facts,
                   struct wf_arena *arena, const char **out, struct wf_error *err)
{
    return word(dialect->cancel, dialect->n_cancel, facts, arena, out, err);
}

int dialect_tracking(const struct dialect *dialect, int64_t page_size, const char *last_id,
                     struct wf_arena *arena, const char **out, struct wf_error *err)
{
    return dump(json_pack("{s:I, s:s}", dialect->page_size, (json_int_t)page_size, dialect->last_id,
                          last_id),
                arena, out, err);
}

/* ---- what we hear ----------------------------------------------------------------------------- */

/* Codes come as numbers and as texts. */
static bool text_of(const json_t *value, char *out, size_t size)
{
    out[0] = '\0';
    if (json_is_integer(value)) {
        (void)snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return true;
    }
    size_t length = json_string_length(value);
    if (!json_is_string(value) || length == 0 || length >= size)
        return false;
    memcpy(out, json_string_value(value), length + 1);
    return true;
}

static const struct dialect_code *find_code(const struct dialect_code *codes, size_t n,
                                            const char *code)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(codes[i].code, code) == 0)
            return &codes[i];
    }
    return NULL;
}

/* Where no table knows the code. A wrong order stays wrong; a broken server may recover. */
static enum courier_verdict by_status(int64_t status)
{
    if (status >= 200 && status < 300)
        return VERDICT_ACCEPTED;
    return status >= 400 && status < 500 ? VERDICT_REFUSED : VERDICT_LATER;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

/* NULL where it is none. */
static json_t *load(const char *text, size_t length)
{
    if (json_too_deep(text, length, JSON_DEPTH_MAX) < length)
        return NULL;
    return json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
}

void dialect_answer(const struct dialect *dialect, const struct dialect_code *extra, size_t n_extra,
                    int64_t http_status, const char *body, size_t length, struct order_answer *out)
{
    bool is_ok = http_status >= 200 && http_status < 300;
    json_t *document = load(body, length);
    bool said =
        text_of(json_object_get(document, dialect->answer_code), out->code, sizeof(out->code)) &&
        is_printable(out->code);
    if (!said)
        (void)snprintf(out->code, sizeof(out->code), "%" PRId64, http_status);
    if (!text_of(json_object_get(document, dialect->answer_item), out->item, sizeof(out->item)) ||
        !is_printable(out->item))
        out->item[0] = '\0';
    const struct dialect_code *row = find_code(extra, n_extra, out->code);
    if (row == NULL)
        row = find_code(dialect->codes, dialect->n_codes, out->code);
    if (row != NULL)
        out->verdict = row->verdict;
    else if (said && is_ok)
        out->verdict = VERDICT_REFUSED; /* the request came through, and this is its answer */
    else
        out->verdict = by_status(http_status);
    /* A page of a proxy, or half an answer, is no consent. */
    if (document == NULL && length > 0 && is_ok)
        out->verdict = VERDICT_LATER;
    json_decref(document);
}

static const char *arena_text(const json_t *row, const char *name, size_t most,
                              struct wf_arena *arena)
{
    char text[65];
    if (!text_of(json_object_get(row, name), text, sizeof(text)) || strlen(text) > most ||
        !is_printable(text))
        return NULL;
    return wf_arena_strdup(arena, text);
}

/* Milliseconds, or seconds where that is what so small a number must be. */
static int64_t time_of(const json_t *row, const char *name, const char *id)
{
    const json_t *value = json_object_get(row, name);
    int64_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    if (number <= 0)
        return tracking_id_ms(id);
    return number < INT64_C(100000000000) ? number * 1000 : number;
}

static bool read_event(const struct dialect *dialect, const json_t *row, struct wf_arena *arena,
                       struct tracking_event *out)
{
    out->id = arena_text(row, dialect->event_id, 64, arena);
    out->order = arena_text(row, dialect->event_order, 64, arena);
    out->code = arena_text(row, dialect->event_code, 15, arena);
    out->item = arena_text(row, dialect->event_item, 32, arena);
    if (out->id == NULL || out->order == NULL || out->code == NULL)
        return false;
    out->at_ms = time_of(row, dialect->event_time, out->id);
    return true;
}

static int read_page(const struct dialect *dialect, const json_t *list, struct wf_arena *arena,
                     struct tracking_page *out, struct wf_error *err)
{
    size_t n = json_array_size(list);
    struct tracking_page page = {.rows = n, .last_id = ""};
    if (!json_is_array(list) || n > EVENTS_MOST)
        return wf_fail(err, WF_E_INVALID, "tracking: no list of at most %d events in the answer",
                       EVENTS_MOST);
    page.events = wf_arena_alloc(arena, (n + 1) * sizeof(*page.events));
    if (page.events == NULL)
        return wf_fail(err, WF_E_NOMEM, "tracking: out of memory");
    for (size_t i = 0; i < n; i++) {
        struct tracking_event *event = &page.events[page.n];
        page.n += read_event(dialect, json_array_get(list, i), arena, event);
        if (event->id != NULL && strcmp(event->id, page.last_id) > 0)
            page.last_id = event->id;
    }
    *out = page;
    return 0;
}

int dialect_page(const struct dialect *dialect, const char *body, size_t length,
                 struct wf_arena *arena, struct tracking_page *out, struct wf_error *err)
{
    json_t *document = load(body, length);
    if (document == NULL)
        return wf_fail(err, WF_E_INVALID, "tracking: the answer is no JSON");
    const json_t *list =
        json_is_array(document) ? document : json_object_get(document, dialect->answer_list);
    int rc = read_page(dialect, list, arena, out, err);
    json_decref(document);
    return rc;
}

/* ---- ids -------------------------------------------------------------------------------------- */

int64_t tracking_id_ms(const char *id)
{
    char seconds[SECONDS_HEX + 1];
    if (strlen(id) != strlen(TRACKING_ID_FIRST) || strspn(id, HEX) != strlen(id))
        return 0;
    memcpy(seconds, id, SECONDS_HEX);
    seconds[SECONDS_HEX] = '\0';
    return (int64_t)strtoll(seconds, NULL, 16) * 1000;
}

void tracking_id_before(const char *id, int64_t back_ms, char out[25])
{
    int64_t ms = tracking_id_ms(id);
    if (ms == 0 || back_ms <= 0) {
        (void)snprintf(out, 25, "%s", id);
        return;
    }
    ms = ms > back_ms ? ms - back_ms : 0;
    (void)snprintf(out, 25, "%08" PRIx32 "%s", (uint32_t)(ms / 1000),
                   &TRACKING_ID_FIRST[SECONDS_HEX]);
}

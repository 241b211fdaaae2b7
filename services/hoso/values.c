/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records and messages as values, in the names of the protocol, and what of them a person without
 * the right may see. What may be shown of free data is listed by key; all other texts are masked,
 * so that a new field is hidden until somebody decides otherwise. "to" is not of the list: to a
 * gateway it is the citizen's telephone. What citizens entered has ids of the definition's choosing,
 * which may be words of the list: of that nothing is shown.
 */
#include "hoso.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "workflow/identifiers.h"

/* Keys of event data, task parameters and results whose values are no personal data. */
static const char *const harmless[] = {
    "activity", "amount",  "attempt", "by",        "channel",  "code",     "complete",
    "decision", "due",     "en",      "event",     "from",     "id",       "item",
    "kind",     "mode",    "number",  "outcome",   "paid",     "receipt",  "role",
    "seal",     "sent",    "state",   "status",    "template", "until",    "verdict",
    "vi",       "copies",  "dossier", "procedure", "site",     "agreed",   "asked",
    "file",     "subject", "mandate", "service",   "invoke",   "question", "title",
};

static bool is_harmless(struct wf_str key)
{
    for (size_t i = 0; i < WF_COUNT(harmless); i++) {
        if (wf_str_is(key, harmless[i]))
            return true;
    }
    return false;
}

static bool is_entered(struct wf_str key)
{
    return wf_str_is(key, "fields");
}

static const struct wf_value *masked(struct hoso *h, const struct wf_value *value, bool is_all)
{
    if (value == NULL)
        return &wf_null;
    if (value->type == WF_TEXT) {
        char shown[256];
        return wf_text(h->arena, wf_mask(value->u.text, shown, sizeof(shown)));
    }
    if (value->type == WF_LIST) {
        struct wf_value *list = wf_list(h->arena);
        for (size_t i = 0; list != NULL && i < value->u.list.n; i++)
            (void)wf_list_add(h->arena, list, masked(h, value->u.list.items[i], is_all));
        return list;
    }
    if (value->type != WF_MAP)
        return value;
    struct wf_value *map = wf_map(h->arena);
    for (size_t i = 0; map != NULL && i < value->u.map.n; i++) {
        const struct wf_pair *pair = &value->u.map.pairs[i];
        bool plain = !is_all && pair->value->type == WF_TEXT && is_harmless(pair->key);
        (void)wf_map_put_str(h->arena, map, pair->key,
                             plain ? pair->value
                                   : masked(h, pair->value, is_all || is_entered(pair->key)));
    }
    return map;
}

const struct wf_value *hoso_masked(struct hoso *h, const struct wf_value *value)
{
    return masked(h, value, false);
}

const struct wf_value *hoso_brief(struct hoso *h, const struct wf_value *map, size_t most)
{
    struct wf_buf buf = {0};
    char moment[HOSO_TIME_SIZE];
    for (size_t i = 0; map != NULL && map->type == WF_MAP && i < map->u.map.n; i++) {
        const struct wf_pair *pair = &map->u.map.pairs[i];
        const struct wf_value *v = pair->value;
        if (v->type == WF_NULL || (v->type == WF_TEXT && v->u.text.len == 0))
            continue;
        wf_buf_printf(&buf, "%s%.*s=", buf.len > 0 ? " " : "", WF_STR_ARG(pair->key));
        if (v->type == WF_TEXT)
            wf_buf_add(&buf, v->u.text.ptr, v->u.text.len);
        else if (v->type == WF_INT && wf_str_is(pair->key, "due") && v->u.integer != 0)
            wf_buf_text(&buf, hoso_time(h, v->u.integer, moment));
        else if (v->type == WF_INT)
            wf_buf_printf(&buf, "%" PRId64, v->u.integer);
        else if (v->type == WF_NUMBER)
            wf_buf_printf(&buf, "%g", v->u.number);
        else if (v->type == WF_BOOL)
            wf_buf_text(&buf, v->u.boolean ? "yes" : "no");
        else
            wf_buf_printf(&buf, "(%zu)", wf_value_count(v));
        if (hoso_width((const char *)buf.ptr, buf.len) > most)
            break; /* the table cuts it */
    }
    hoso_unsteer(buf.ptr, buf.len);
    const struct wf_value *text =
        buf.failed ? NULL : wf_text_n(h->arena, buf.len > 0 ? (const char *)buf.ptr : "", buf.len);
    wf_buf_fini(&buf);
    return text;
}

/* ---- building ---------------------------------------------------------------------------------
 */

const struct wf_value *hoso_str(struct hoso *h, struct wf_str text)
{
    return wf_text_n(h->arena, text.len > 0 ? text.ptr : "", text.len);
}

struct wf_value *hoso_map(struct hoso *h, ...)
{
    struct wf_value *map = wf_map(h->arena);
    va_list args;
    va_start(args, h);
    for (const char *key; map != NULL && (key = va_arg(args, const char *)) != NULL;)
        (void)wf_map_put(h->arena, map, key, va_arg(args, const struct wf_value *));
    va_end(args);
    return map;
}

static const struct wf_value *count(struct hoso *h, uint64_t n)
{
    return wf_int(h->arena, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static const struct wf_value *keys_of(struct hoso *h, const struct wf_value *map)
{
    struct wf_value *list = wf_list(h->arena);
    for (size_t i = 0; list != NULL && map != NULL && map->type == WF_MAP && i < map->u.map.n; i++)
        (void)wf_list_add(h->arena, list, hoso_str(h, map->u.map.pairs[i].key));
    return list;
}

static const struct wf_value *or_empty(struct hoso *h, const struct wf_value *list)
{
    return list != NULL ? list : wf_list(h->arena);
}

/* Lists [reason, from, to] as maps. */
static const struct wf_value *stop_rows(struct hoso *h, const struct wf_value *stops)
{
    struct wf_value *rows = wf_list(h->arena);
    for (size_t i = 0; i < wf_value_count(stops); i++) {
        const struct wf_value *span = wf_list_at(stops, i);
        (void)wf_list_add(h->arena, rows,
                          hoso_map(h, "reason", hoso_str(h, wf_value_str(wf_list_at(span, 0))),
                                   "from", wf_int(h->arena, wf_value_int(wf_list_at(span, 1), 0)),
                                   "to", wf_int(h->arena, wf_value_int(wf_list_at(span, 2), 0)),
                                   NULL));
    }
    return rows;
}

const struct wf_value *hoso_dossier_value(struct hoso *h, const struct wf_rec_dossier *d)
{
    /* clang-format off */
    return hoso_map(h,
        "dossier", hoso_str(h, d->code),
        "id", count(h, d->id),
        "procedure", hoso_str(h, d->procedure),
        "version", count(h, d->version),
        "site", hoso_str(h, d->site),
        "agency", hoso_str(h, d->agency),
        "channel", hoso_str(h, d->channel),
        "states", wf_value_copy(h->arena, or_empty(h, d->states)),
        "status", count(h, d->status),
        "received", wf_int(h->arena, d->received),
        "due", wf_int(h->arena, d->due),
        "closed", wf_bool(d->closed != 0),
        "closed_at", wf_int(h->arena, d->closed),
        "changed", wf_int(h->arena, d->changed),
        "stopped", wf_int(h->arena, d->stopped),
        "stops", stop_rows(h, d->stops),
        "extensions", count(h, d->extensions),
        "provisional", hoso_str(h, d->provisional),
        "outcome", hoso_str(h, d->outcome),
        "events", count(h, d->events),
        "waits_for", keys_of(h, d->running),
        NULL);
    /* clang-format on */
}

struct wf_value *hoso_event_value(struct hoso *h, const struct wf_rec_event *event)
{
    const struct wf_value *data = event->data != NULL ? event->data : &wf_null;
    if (!hoso_has(h, OPT_UNMASK))
        data = hoso_masked(h, data);
    /* clang-format off */
    return hoso_map(h,
        "seq", count(h, event->seq),
        "n", count(h, event->n),
        "ms", wf_int(h->arena, event->ms),
        "event", hoso_str(h, event->event),
        "states", wf_value_copy(h->arena, or_empty(h, event->states)),
        "status", count(h, event->status),
        "by", hoso_str(h, event->by),
        "role", hoso_str(h, event->role),
        "service", hoso_str(h, event->service),
        "data", wf_value_copy(h->arena, data),
        NULL);
    /* clang-format on */
}

const struct wf_value *hoso_reply_value(struct hoso *h, const struct wf_msg_dossier_state *s)
{
    /* clang-format off */
    return hoso_map(h,
        "dossier", hoso_str(h, s->dossier),
        "id", count(h, s->id),
        "procedure", hoso_str(h, s->procedure),
        "version", count(h, s->version),
        "site", hoso_str(h, s->site),
        "channel", hoso_str(h, s->channel),
        "states", or_empty(h, s->states),
        "status", count(h, s->status),
        "received", wf_int(h->arena, s->received),
        "due", wf_int(h->arena, s->due),
        "closed", wf_bool(s->closed),
        "outcome", hoso_str(h, s->outcome),
        "events", count(h, s->events),
        "stops", stop_rows(h, s->stops),
        "extensions", count(h, s->extensions),
        "provisional", hoso_str(h, s->provisional),
        NULL);
    /* clang-format on */
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export journal: who did what when, for process-mining tools. Nothing of what a dossier says goes
 * out: no data of events, and no names of citizens and agents, whose accounts may be their own.
 *
 * The journal is read in short transactions, so that a long export does not keep the store from
 * using its pages again. XES goes dossier by dossier, as its traces want it; CSV event by event.
 */
#include "tools.h"

#include <inttypes.h>
#include <string.h>

#include "workflow/procedure_tools.h"

#define DOSSIERS_AT_ONCE 500
#define EVENTS_AT_ONCE   5000

struct export
{
    struct hoso *h;
    struct output output;
    struct wf_buf text;
    struct wf_arena *arena; /* of one dossier */
    struct wf_arena *rows;  /* of one event */
    uint64_t from;
    uint64_t after; /* XES: dossier; CSV: journal number already written */
    size_t n;       /* done in this transaction */
    bool at_end;
    bool in_trace;
    struct wf_txn *txn;
    const struct wf_rec_dossier *dossier;
    struct wf_rec_dossier last; /* CSV: dossier of the event before */
};

/* ---- what an event is to a process miner --------------------------------------------------- */

/* The name of the step, and what the event says of it in the words of the lifecycle extension. */
static const struct {
    const char *prefix;
    const char *transition;
    bool keeps_prefix;
} kinds[] = {
    {"done.invoke.", "complete", false},
    {"done.send.", "complete", false},
    {"progress.", "unknown", false},
    {"error.", "ate_abort", true},
    {"", "complete", true},
};

static size_t kind_of(struct wf_str event)
{
    size_t i = 0;
    while (event.len < strlen(kinds[i].prefix) ||
           memcmp(event.ptr, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
        i++;
    return i;
}

static struct wf_str activity_of(struct wf_str event)
{
    size_t kind = kind_of(event);
    size_t cut = kinds[kind].keeps_prefix ? 0 : strlen(kinds[kind].prefix);
    return cut < event.len ? (struct wf_str){event.ptr + cut, event.len - cut} : event;
}

static struct wf_str resource_of(const struct wf_rec_event *event)
{
    if (wf_str_is(event->role, "citizen") || wf_str_is(event->role, "agent"))
        return wf_str("");
    return event->by;
}

static const char *case_name(struct wf_arena *arena, const struct wf_rec_dossier *d)
{
    if (d->code.len > 0)
        return wf_arena_strndup(arena, d->code.ptr, d->code.len);
    return wf_arena_printf(arena, "#%" PRIu64, d->id);
}

static const char *states_of(struct wf_arena *arena, const struct wf_rec_event *event)
{
    const char *text = "";
    for (size_t i = 0; text != NULL && i < wf_value_count(event->states); i++)
        text = wf_arena_printf(arena, "%s%s%s", text, i > 0 ? " " : "",
                               wf_value_text(wf_list_at(event->states, i), ""));
    return text;
}

static int no_memory(struct hoso *h)
{
    return wf_fail(&h->err, WF_E_NOMEM, "export: out of memory");
}

/* ---- XES ----------------------------------------------------------------------------------- */

static const char xes_head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<log xes.version=\"1849-2016\" xes.features=\"\" xmlns=\"http://www.xes-standard.org/\">\n"
    "<extension name=\"Concept\" prefix=\"concept\""
    " uri=\"http://www.xes-standard.org/concept.xesext\"/>\n"
    "<extension name=\"Time\" prefix=\"time\" uri=\"http://www.xes-standard.org/time.xesext\"/>\n"
    "<extension name=\"Organizational\" prefix=\"org\""
    " uri=\"http://www.xes-standard.org/org.xesext\"/>\n"
    "<extension name=\"Lifecycle\" prefix=\"lifecycle\""
    " uri=\"http://www.xes-standard.org/lifecycle.xesext\"/>\n"
    "<global scope=\"trace\">\n"
    "<string key=\"concept:name\" value=\"\"/>\n<string key=\"procedure\" value=\"\"/>\n"
    "<int key=\"version\" value=\"1\"/>\n"
    "<string key=\"channel\" value=\"\"/>\n<string key=\"site\" value=\"\"/>\n"
    "</global>\n"
    "<global scope=\"event\">\n"
    "<string key=\"concept:name\" value=\"\"/>\n"
    "<date key=\"time:timestamp\" value=\"1970-01-01T00:00:00.000+00:00\"/>\n"
    "<string key=\"lifecycle:transition\" value=\"complete\"/>\n"
    "</global>\n"
    "<classifier name=\"Activity\" scope=\"event\" keys=\"concept:name\"/>\n"
    "<string key=\"lifecycle:model\" value=\"standard\"/>\n";

static void xes_attribute(struct wf_buf *out, const char *type, const char *key,
                          struct wf_str value)
{
    if (value.len == 0)
        return;
    wf_buf_printf(out, "<%s key=\"%s\" value=\"", type, key);
    wf_xml_text(out, value);
    wf_buf_text(out, "\"/>\n");
}

static void xes_int(struct wf_buf *out, const char *key, uint64_t value)
{
    wf_buf_printf(out, "<int key=\"%s\" value=\"%" PRIu64 "\"/>\n", key, value);
}

static void xes_begin_trace(struct export *x)
{
    const struct wf_rec_dossier *d = x->dossier;
    wf_buf_text(&x->text, "<trace>\n");
    xes_attribute(&x->text, "string", "concept:name", wf_str(case_name(x->arena, d)));
    xes_attribute(&x->text, "string", "procedure", d->procedure);
    xes_int(&x->text, "version", d->version);
    xes_attribute(&x->text, "string", "channel", d->channel);
    xes_attribute(&x->text, "string", "site", d->site);
    xes_attribute(&x->text, "string", "outcome", d->outcome);
    x->in_trace = true;
}

static int xes_event(void *context, const struct wf_rec_event *event)
{
    struct export *x = context;
    char moment[40];
    if (event->seq < x->from)
        return 0;
    if (!x->in_trace)
        xes_begin_trace(x);
    const char *states = states_of(x->arena, event);
    if (states == NULL)
        return no_memory(x->h);
    wf_buf_text(&x->text, "<event>\n");
    xes_attribute(&x->text, "string", "concept:name", activity_of(event->event));
    xes_attribute(&x->text, "date", "time:timestamp",
                  wf_str(tool_timestamp(x->h->calendar, event->ms, moment)));
    xes_attribute(&x->text, "string", "lifecycle:transition",
                  wf_str(kinds[kind_of(event->event)].transition));
    xes_attribute(&x->text, "string", "org:resource", resource_of(event));
    xes_attribute(&x->text, "string", "org:role", event->role);
    xes_attribute(&x->text, "string", "event", event->event);
    xes_attribute(&x->text, "string", "service", event->service);
    xes_attribute(&x->text, "string", "states", wf_str(states));
    xes_int(&x->text, "status", event->status);
    xes_int(&x->text, "seq", event->seq);
    wf_buf_text(&x->text, "</event>\n");
    return 0;
}

static int xes_dossier(void *context, const struct wf_rec_dossier *dossier)
{
    struct export *x = context;
    wf_arena_reset(x->arena);
    x->dossier = dossier;
    x->in_trace = false;
    int rc = wf_history_each(x->txn, dossier->id, x->arena, xes_event, x, &x->h->err);
    if (rc == 0 && x->in_trace)
        wf_buf_text(&x->text, "</trace>\n");
    if (rc == 0)
        rc = tool_write(x->h, &x->output, &x->text);
    x->after = dossier->id;
    if (rc == 0 && ++x->n == DOSSIERS_AT_ONCE)
        return 1; /* enough for this transaction */
    return rc;
}

static int xes_batch(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct export *x = context;
    const struct wf_dossier_filter filter = {.after = x->after};
    x->txn = txn;
    x->n = 0;
    wf_arena_reset(x->rows);
    int rc = wf_dossier_each(txn, &filter, x->rows, xes_dossier, x, &h->err);
    x->at_end = rc == 0;
    return rc > 0 ? 0 : rc;
}

/* ---- CSV (RFC 4180) ------------------------------------------------------------------------ */

static void csv_cell(struct wf_buf *out, struct wf_str value, bool is_last)
{
    bool is_quoted = false;
    for (size_t i = 0; i < value.len; i++)
        is_quoted |= strchr(",\"\r\n", value.ptr[i]) != NULL;
    wf_buf_text(out, is_quoted ? "\"" : "");
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"')
            wf_buf_text(out, "\"");
        wf_buf_add(out, &value.ptr[i], 1);
    }
    wf_buf_text(out, is_quoted ? "\"" : "");
    wf_buf_text(out, is_last ? "\r\n" : ",");
}

static int csv_row(struct export *x, const struct wf_rec_event *event)
{
    const struct wf_rec_dossier *d = &x->last;
    char moment[40];
    const char *name = case_name(x->rows, d);
    const char *states = states_of(x->rows, event);
    const char *numbers[] = {wf_arena_printf(x->rows, "%" PRIu64, d->version),
                             wf_arena_printf(x->rows, "%" PRIu64, event->seq),
                             wf_arena_printf(x->rows, "%" PRIu64, event->status)};
    if (name == NULL || states == NULL || numbers[2] == NULL)
        return no_memory(x->h);
    const struct wf_str cells[] = {
        wf_str(name),
        activity_of(event->event),
        wf_str(tool_timestamp(x->h->calendar, event->ms, moment)),
        resource_of(event),
        event->role,
        wf_str(kinds[kind_of(event->event)].transition),
        d->procedure,
        wf_str(numbers[0]),
        d->channel,
        d->site,
        event->event,
        event->service,
        wf_str(states),
        wf_str(numbers[2]),
        wf_str(numbers[1]),
    };
    for (size_t i = 0; i < WF_COUNT(cells); i++)
        csv_cell(&x->text, cells[i], i + 1 == WF_COUNT(cells));
    return tool_write(x->h, &x->output, &x->text);
}

/* The dossier is read once for a run of its events. */
static int csv_event(struct export *x, uint64_t seq)
{
    struct wf_rec_event event;
    uint8_t hash[32];
    wf_arena_reset(x->rows);
    int rc = wf_journal_get(x->txn, seq, x->rows, &event, hash, &x->h->err);
    if (rc != 0)
        return rc == WF_NONE ? 0 : rc;
    if (event.dossier == 0) {
        x->last = (struct wf_rec_dossier){0}; /* of the cell: a case of its own */
    } else if (x->last.id != event.dossier) {
        wf_arena_reset(x->arena);
        rc = wf_dossier_get(x->txn, event.dossier, x->arena, &x->last, &x->h->err);
        if (rc != 0)
            return rc < 0 ? rc : wf_fail(&x->h->err, WF_E_CORRUPT, "export: a dossier is missing");
    }
    return csv_row(x, &event);
}

static int csv_batch(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct export *x = context;
    uint64_t last = wf_txn_counts(txn)->journal_seq;
    int rc = 0;
    (void)h;
    x->txn = txn;
    x->last.id = 0; /* it may have got its code meanwhile */
    for (size_t i = 0; rc == 0 && i < EVENTS_AT_ONCE && x->after < last; i++)
        rc = csv_event(x, ++x->after);
    x->at_end = x->after >= last;
    return rc;
}

/* ---- the verb ------------------------------------------------------------------------------ */

static const struct format {
    const char *name;
    const char *head, *foot;
    int (*batch)(struct hoso *h, struct wf_txn *txn, void *context);
} formats[] = {
    {"xes", xes_head, "</log>\n", xes_batch},
    {"csv",
     "case,activity,timestamp,resource,role,lifecycle,procedure,version,channel,site,event,service,"
     "states,status,seq\r\n",
     "", csv_batch},
};

static int write_all(struct export *x, const struct format *format)
{
    wf_buf_text(&x->text, format->head);
    int rc = tool_write(x->h, &x->output, &x->text);
    while (rc == 0 && !x->at_end)
        rc = hoso_read(x->h, format->batch, x);
    wf_buf_text(&x->text, format->foot);
    return rc == 0 ? tool_write(x->h, &x->output, &x->text) : rc;
}

int hoso_export_journal(struct hoso *h)
{
    const struct format *format = &formats[0];
    struct export x = {.h = h};
    int64_t from = 1;
    if (hoso_has(h, OPT_FORMAT) && strcmp(h->opt[OPT_FORMAT], formats[1].name) == 0)
        format = &formats[1];
    else if (hoso_has(h, OPT_FORMAT) && strcmp(h->opt[OPT_FORMAT], formats[0].name) != 0)
        return wf_fail(&h->err, WF_E_CONFIG, "--format: xes or csv");
    int rc = hoso_number(h, OPT_FROM, 1, INT64_MAX, &from);
    if (rc == 0)
        rc = hoso_store(h, false);
    if (rc != 0)
        return rc;
    x.from = (uint64_t)from;
    x.after = format == &formats[1] && from > 0 ? (uint64_t)from - 1 : 0;
    x.arena = wf_arena_new(0);
    x.rows = wf_arena_new(0);
    rc = x.arena != NULL && x.rows != NULL ? tool_output_open(h, true, &x.output) : no_memory(h);
    if (rc == 0) {
        rc = write_all(&x, format);
        rc = tool_output_close(h, &x.output, rc);
    }
    wf_buf_fini(&x.text);
    wf_arena_free(x.rows);
    wf_arena_free(x.arena);
    return rc;
}

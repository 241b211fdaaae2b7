/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay list, show, drop: a look into a station's own store, whether hoso-relay runs or not.
 * What a receipt was given for is never taken away here: only what the cell has refused, when a
 * person has seen to it.
 */
#include "station.h"

#include <inttypes.h>
#include <string.h>

/* Opens, does, closes. */
static int with_store(struct hoso *h, bool write,
                      int (*fn)(struct hoso *h, struct station *station))
{
    struct station *station = wf_arena_alloc(h->arena, sizeof(*station));
    if (station == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    int rc = station_open(h, write, station);
    if (rc == 0 && station->db == NULL)
        rc = wf_fail(&h->err, WF_E_NOT_FOUND, "%s is not there: hoso-relay has not run yet",
                     station->relay.settings.database);
    if (rc == 0)
        rc = fn(h, station);
    station_close(station);
    return rc;
}

/* ---- status ----------------------------------------------------------------------------------- */

int hoso_relay_status(struct hoso *h)
{
    int rc = hoso_cell(h);
    if (rc == 0 && !hoso_is_station(h))
        rc = wf_fail(&h->err, WF_E_NOT_FOUND, "%s has no relay.cfg: it is no station", h->folder);
    return rc == 0 ? hoso_status(h) : rc;
}

/* ---- list ------------------------------------------------------------------------------------- */

static const struct hoso_column list_columns[] = {
    {"seq", "No.", "STT", HOSO_NUMBER},
    {"state", "State", "Tình trạng", HOSO_TERM},
    {"what", "What", "Loại", HOSO_TERM},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"code", "At the cell", "Mã chính thức", HOSO_TEXT},
    {"procedure", "Procedure", "Thủ tục", HOSO_TEXT},
    {"received", "Received", "Tiếp nhận", HOSO_TIME},
    {"reason", "Why", "Lý do", HOSO_TEXT},
};

static const char *const state_words[] = {"waiting", "taken", "refused", "seen"};

/* Why the cell refused it; its texts hold no personal data. */
static const struct wf_value *reason_of(struct hoso *h, const struct handoff *row)
{
    struct wf_envelope answer = {0};
    struct wf_error err;
    if (row->state < HANDOFF_REFUSED ||
        wf_message_unpack(row->answer, WF_END_ANY, WF_END_PARTY, h->arena, &answer, &err) != 0 ||
        answer.type != WF_MSG_error)
        return wf_text(h->arena, "");
    return hoso_str(h, ((const struct wf_msg_error *)answer.body)->message);
}

static struct wf_value *row_value(struct hoso *h, const struct handoff *row)
{
    bool is_event = row->type == WF_MSG_dossier_event;
    size_t state = (size_t)row->state < WF_COUNT(state_words) ? (size_t)row->state : 0;
    return hoso_map(h, "seq", wf_int(h->arena, row->seq), "state",
                    wf_text(h->arena, state_words[state]), "what",
                    wf_text(h->arena, is_event ? "event" : "dossier"), "dossier",
                    hoso_str(h, row->dossier), "code", hoso_str(h, row->code), "procedure",
                    hoso_str(h, row->procedure), "site", hoso_str(h, row->site), "received",
                    wf_int(h->arena, row->received), "at", wf_int(h->arena, row->at), "settled",
                    wf_int(h->arena, row->settled), "reason", reason_of(h, row), "note",
                    hoso_str(h, row->note), NULL);
}

struct listing {
    struct hoso *h;
    struct wf_value *rows;
    int64_t most;
};

static int add_row(void *context, const struct handoff *row)
{
    struct listing *l = context;
    if (l->most > 0 && (int64_t)wf_value_count(l->rows) >= l->most)
        return WF_NONE;
    return wf_list_add(l->h->arena, l->rows, row_value(l->h, row)) ? 0 : WF_E_NOMEM;
}

/* Refused ones first: they want a person. */
static int list(struct hoso *h, struct station *station)
{
    static const enum handoff_state order[] = {HANDOFF_REFUSED, HANDOFF_WAITS, HANDOFF_TAKEN,
                                               HANDOFF_SEEN};
    struct listing l = {.h = h, .rows = wf_list(h->arena)};
    size_t n = hoso_has(h, OPT_ALL) ? WF_COUNT(order) : 2;
    bool done = false;
    int rc = hoso_number(h, OPT_MAX, 100, INT32_MAX, &l.most);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store_each(station->db, order[i], 0, h->arena, add_row, &l, &h->err);
    if (rc == WF_E_NOMEM)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "handoffs", l.rows, NULL), &done);
    return rc != 0 || done ? rc : hoso_print_table(h, list_columns, WF_COUNT(list_columns), l.rows);
}

int hoso_relay_list(struct hoso *h)
{
    return with_store(h, false, list);
}

/* ---- show and drop ---------------------------------------------------------------------------- */

static int find(struct hoso *h, struct station *station, struct handoff *out)
{
    uint64_t seq = 0;
    int rc = strspn(h->args[0], "0123456789") == strlen(h->args[0])
                 ? hoso_number_arg(h, 0, "NUMBER", &seq)
                 : WF_NONE;
    if (rc == 0)
        rc = store_by_seq(station->db, (int64_t)seq, h->arena, out, &h->err);
    else if (rc == WF_NONE)
        rc = store_by_code(station->db, wf_str(h->args[0]), h->arena, out, &h->err);
    return rc == WF_NONE ? wf_fail(&h->err, WF_E_NOT_FOUND,
                                   "%.60s: no hand-off has this number or code here", h->args[0])
                         : rc;
}

static const struct hoso_column show_columns[] = {
    {"seq", "No.", "STT", HOSO_NUMBER},
    {"state", "State", "Tình trạng", HOSO_TERM},
    {"what", "What", "Loại", HOSO_TERM},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"code", "At the cell", "Mã chính thức", HOSO_TEXT},
    {"procedure", "Procedure", "Thủ tục", HOSO_TEXT},
    {"site", "Site", "Điểm tiếp nhận", HOSO_TEXT},
    {"received", "Received", "Tiếp nhận", HOSO_TIME},
    {"settled", "Settled", "Xử lý xong lúc", HOSO_TIME},
    {"reason", "Why", "Lý do", HOSO_TEXT},
    {"note", "Seen to", "Đã xử lý", HOSO_TEXT},
    {"content", "Content", "Nội dung", HOSO_TEXT},
};

/* Fields and papers as long as they are kept here, masked unless --unmask says otherwise. */
static const struct wf_value *content_of(struct hoso *h, const struct handoff *row)
{
    struct wf_envelope sent = {0};
    struct wf_error err;
    if (row->frame.len == 0 ||
        wf_message_unpack(row->frame, WF_END_PARTY, WF_END_ANY, h->arena, &sent, &err) != 0)
        return wf_map(h->arena);
    const struct wf_msg_dossier_submit *s = sent.body;
    const struct wf_msg_dossier_event *e = sent.body;
    const struct wf_value *content =
        sent.type == WF_MSG_dossier_submit
            ? hoso_map(h, "fields", s->fields, "papers",
                       s->papers != NULL ? s->papers : wf_list(h->arena), "by", hoso_str(h, s->by),
                       NULL)
            : hoso_map(h, "event", hoso_str(h, e->event), "data",
                       e->data != NULL ? e->data : wf_map(h->arena), "by", hoso_str(h, e->by),
                       NULL);
    return hoso_has(h, OPT_UNMASK) ? content : hoso_masked(h, content);
}

static int show(struct hoso *h, struct station *station)
{
    struct handoff row;
    bool done = false;
    int rc = find(h, station, &row);
    if (rc != 0)
        return rc;
    struct wf_value *answer = row_value(h, &row);
    const struct wf_value *content = content_of(h, &row);
    (void)wf_map_put(h->arena, answer, "content", content);
    rc = hoso_answer(h, answer, &done);
    if (rc == 0 && !done)
        rc = hoso_print_pairs(h, show_columns, WF_COUNT(show_columns), answer);
    if (rc == 0 && !done && wf_value_count(content) > 0) {
        rc = hoso_json_print(content, stdout, &h->err);
        (void)puts("");
    }
    return rc;
}

int hoso_relay_show(struct hoso *h)
{
    return with_store(h, false, show);
}

static int drop(struct hoso *h, struct station *station)
{
    struct handoff row;
    bool done = false;
    int rc = find(h, station, &row);
    if (rc != 0)
        return rc;
    if (!hoso_has(h, OPT_REASON))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "--reason TEXT is wanted: how the citizen was told, or the new code");
    if (row.state != HANDOFF_REFUSED)
        return wf_fail(&h->err, WF_E_STATE,
                       "hand-off %" PRId64 " is %s: only what the cell has refused can be dropped; "
                       "what waits has a receipt: let it be handed over, then withdraw it",
                       row.seq, state_words[row.state]);
    const char *note = wf_arena_printf(h->arena, "%s: %s", hoso_operator(h), h->opt[OPT_REASON]);
    if (note == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    rc = store_seen(station->db, row.seq, note, &h->err);
    if (rc < 0)
        return rc;
    db_scrub(station->db);
    row.state = HANDOFF_SEEN;
    row.note = wf_str(note);
    const struct wf_value *answer = row_value(h, &row);
    rc = hoso_answer(h, answer, &done);
    return rc != 0 || done ? rc : hoso_print_pairs(h, show_columns, WF_COUNT(show_columns), answer);
}

int hoso_relay_drop(struct hoso *h)
{
    return with_store(h, true, drop);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lists side by side, in a table that lives as long as this process: what the cell has, and what
 * the portal says it has. What the portal should have is the status that was told last: where the
 * portal's table of transitions knows no way, that is not the cell's own.
 */
#include <stdio.h>
#include <string.h>

#include "portal/portal.h"

#define PAGE 1000

static const char *const make = "CREATE TEMP TABLE seen (code TEXT PRIMARY KEY, procedure TEXT,"
                                " day TEXT, cell INTEGER, portal INTEGER) WITHOUT ROWID";

static int add_dossier(struct db *db, const struct wf_value *d, const struct portal_span *span,
                       struct wf_error *err)
{
    char date[PORTAL_DATE];
    struct wf_str code = wf_value_str(wf_map_get(d, "dossier"));
    (void)portal_date(wf_value_int(wf_map_get(d, "received"), 0), date);
    date[8] = '\0';
    if (code.len == 0 || strcmp(date, span->since) < 0 || strcmp(date, span->until) > 0)
        return 0;
    return db_do(db, err,
                 "INSERT INTO seen (code, procedure, day, cell) VALUES (?1, ?2, ?3, ?4)"
                 " ON CONFLICT (code) DO UPDATE SET cell = excluded.cell",
                 "ssti", code, wf_value_str(wf_map_get(d, "procedure")), date,
                 wf_value_int(wf_map_get(d, "status"), 0));
}

static int read_cell(struct adapter *a, struct db *db, const struct portal_span *span,
                     struct wf_error *err)
{
    struct wf_msg_dossier_list list = {.max = PAGE};
    struct wf_client *client = NULL;
    int rc = adapter_client(a, &client, err);
    while (rc == 0) {
        struct wf_envelope reply = {0};
        wf_arena_reset(a->arena);
        rc = wf_client_call(client, WF_INTAKE, WF_MSG_dossier_list, &list, a->arena, &reply, err);
        if (rc != 0)
            return rc;
        const struct wf_msg_dossier_page *page = reply.body;
        for (size_t i = 0; rc == 0 && i < wf_value_count(page->dossiers); i++)
            rc = add_dossier(db, wf_list_at(page->dossiers, i), span, err);
        if (page->next == 0)
            break;
        list.after = page->next;
    }
    return rc;
}

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text != NULL ? text : "";
}

static int add_row(struct db *db, const json_t *row, const char *day, struct wf_error *err)
{
    const char *status = text_of(row, "TrangThaiHoSo");
    int64_t number =
        status[0] >= '0' && status[0] <= '9' && strlen(status) <= 2
            ? (status[1] != '\0' ? 10 * (status[0] - '0') + status[1] - '0' : status[0] - '0')
            : -1;
    if (text_of(row, "MaHoSo")[0] == '\0')
        return 0;
    return db_do(db, err,
                 "INSERT INTO seen (code, procedure, day, portal) VALUES (?1, ?2, ?3, ?4)"
                 " ON CONFLICT (code) DO UPDATE SET portal = excluded.portal",
                 "ttti", text_of(row, "MaHoSo"), text_of(row, "MaTTHC"), day, number);
}

static int read_day(struct portal_link *link, struct wf_arena *arena, struct db *db,
                    const char *day, struct wf_error *err)
{
    struct portal_answer answer = {0};
    int rc = portal_call(link, "TraCuuHoSo", json_pack("{s:s, s:s}", "tungay", day, "denngay", day),
                         arena, &answer, err);
    if (rc == 0 && answer.verdict == PORTAL_REFUSED)
        return wf_fail(err, WF_E_DENIED, "the portal refuses to be asked: %s", answer.reason);
    const json_t *rows = json_object_get(answer.json, "data");
    if (rc == 0 && !json_is_array(rows))
        rc = wf_fail(err, WF_E_INVALID, "the portal's answer holds no list");
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++)
        rc = add_row(db, json_array_get(rows, i), day, err);
    json_decref(answer.json);
    return rc;
}

/* Day by day, so that no answer grows too long. */
static int read_portal(struct adapter *a, struct db *db, const struct portal_span *span,
                       struct wf_error *err)
{
    struct portal_link link = {0};
    int rc = portal_link_open(&link, a, err);
    for (int64_t ms = span->since_ms; rc == 0 && ms <= span->until_ms; ms += 86400000) {
        char day[PORTAL_DATE];
        (void)portal_date(ms, day);
        day[8] = '\0';
        wf_arena_reset(a->arena);
        rc = read_day(&link, a->arena, db, day, err);
    }
    portal_link_close(&link);
    return rc;
}

int portal_reconcile(struct adapter *a, struct db *db, struct portal_span *span,
                     struct wf_error *err)
{
    char date[PORTAL_DATE];
    (void)portal_date(span->since_ms, date);
    (void)snprintf(span->since, sizeof(span->since), "%.8s", date);
    (void)portal_date(span->until_ms, date);
    (void)snprintf(span->until, sizeof(span->until), "%.8s", date);
    int rc = db_do(db, err, make, "");
    if (rc == 0) /* the portal first: what comes in meanwhile is in both, or only waits */
        rc = read_portal(a, db, span, err);
    return rc == 0 ? read_cell(a, db, span, err) : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbox -> portal. A batch that the portal refuses, or of which it knows a record, says nothing of
 * its single records: they are sent again one by one, and what is then refused is held. A record may
 * reach the portal twice, when an answer was lost: the same bytes with the same key.
 */
#include <stdlib.h>
#include <string.h>

#include "portal/portal.h"
#include "workflow/log.h"

static const struct {
    const char *name;
    bool has_updating, is_updating;
} services[] = {
    [PORTAL_NEW] = {"DongBoHoSoMC", true, false},
    [PORTAL_UPDATE] = {"DongBoHoSoMC", true, true},
    [PORTAL_PROGRESS] = {"CapNhatTienDoHoSoMC", false, false},
};

/* NULL where memory ran out, or a row is damaged. */
static json_t *request_of(const struct portal_row *rows, size_t n)
{
    json_t *data = json_array();
    json_t *request = json_object();
    bool is_whole = data != NULL && request != NULL;
    for (size_t i = 0; is_whole && i < n; i++)
        is_whole = json_array_append_new(data, json_loads(rows[i].body, 0, NULL)) == 0;
    if (is_whole && services[rows[0].service].has_updating)
        is_whole = json_object_set_new(request, "isUpdating",
                                       json_boolean(services[rows[0].service].is_updating)) == 0;
    if (is_whole && json_object_set(request, "data", data) == 0) {
        json_decref(data);
        return request;
    }
    json_decref(data);
    json_decref(request);
    return NULL;
}

static int hold(struct portal *p, const struct portal_row *row, const char *reason,
                struct wf_error *err)
{
    int rc = outbox_hold(p->db, row, reason, wf_real_ms(), err);
    if (rc == 0)
        wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT, &(struct wf_log_fact){.dossier = row->code},
               "the portal refuses a record (code %.*s): it is held: hoso portal list --held",
               (int)strcspn(reason, ":"), reason);
    return rc;
}

static int send_batch(struct adapter *a, const struct portal_row *rows, size_t n,
                      struct wf_error *err)
{
    struct portal *p = a->self;
    struct portal_answer answer = {0};
    json_t *request = request_of(rows, n);
    if (request == NULL)
        return wf_fail(err, WF_E_NOMEM, "make a request: out of memory");
    int rc = outbox_tried(p->db, rows, n, err);
    if (rc != 0) {
        json_decref(request);
        return rc;
    }
    rc = portal_call(&p->link, services[rows[0].service].name, request, a->arena, &answer, err);
    if (rc != 0)
        return rc;
    json_decref(answer.json);
    p->is_scrubbed = false;
    if (answer.verdict != PORTAL_TAKEN && n > 1)
        return outbox_alone(p->db, rows, n, err);
    return answer.verdict == PORTAL_REFUSED ? hold(p, &rows[0], answer.reason, err)
                                            : outbox_done(p->db, rows, n, wf_real_ms(), err);
}

/* When all is said: old keys go, and nothing that was overwritten stays in the files. */
static int clean(struct adapter *a, struct wf_error *err)
{
    const struct portal_settings *s = a->settings;
    struct portal *p = a->self;
    int64_t now = wf_monotonic_ms();
    int rc = 0;
    if (!p->is_scrubbed)
        db_scrub(p->db);
    p->is_scrubbed = true;
    if (now >= p->clean_at_ms) {
        rc = outbox_forget(p->db, wf_real_ms() - s->keep_ms, err);
        p->clean_at_ms = now + 60000;
    }
    return rc;
}

int portal_send(struct adapter *a, struct wf_error *err)
{
    const struct portal_settings *s = a->settings;
    struct portal *p = a->self;
    size_t most = (size_t)s->batch;
    size_t n = 0;
    struct portal_row *rows = wf_arena_alloc(a->arena, most * sizeof(*rows));
    if (rows == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    int rc = outbox_next(p->db, most, a->arena, rows, &n, err);
    if (rc != 0)
        return rc;
    if (n == 0)
        return clean(a, err);
    rc = send_batch(a, rows, n, err);
    return rc == 0 ? 1 : rc;
}

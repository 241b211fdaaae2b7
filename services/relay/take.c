/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs at the station ask. Dossiers and events are taken: all that wait, in one transaction,
 * and answered when it is on disk - always this way, also while the line is up, so that there is one
 * order and one truth. All else is for pass.c.
 */
#include <string.h>

#include "relay/relay.h"

#define AT_ONCE    256
#define WIRE_BYTES 16
#define ARENA_MOST ((size_t)32 * 1024 * 1024) /* of one round: no more is received then */

struct batch {
    struct asked *asked;
    size_t n;
    int64_t waiting; /* hand-offs that wait, with those of this batch */
};

/* ---- taking one ------------------------------------------------------------------------------- */

static int set_digest(struct relay *relay, struct wf_slice frame, struct wf_slice *out,
                      struct wf_error *err)
{
    uint8_t *digest = wf_arena_alloc(relay->arena, WF_HASH_BYTES);
    if (digest == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    wf_hash(frame.ptr, frame.len, NULL, 0, digest);
    *out = (struct wf_slice){digest, WF_HASH_BYTES};
    return 0;
}

void take_wire_id(struct wf_str id, char out[ID_BYTES])
{
    static const char salt[] = "hand-off";
    uint8_t hash[WF_HASH_BYTES];
    wf_hash(salt, sizeof(salt), id.ptr, id.len, hash);
    wf_hex(hash, WIRE_BYTES, out);
}

/* What will be sent, the same each time. */
static int pack_handoff(struct relay *relay, const struct asked *a, const void *body,
                        struct handoff *h, struct wf_error *err)
{
    char wire[ID_BYTES];
    take_wire_id(a->envelope.id, wire);
    const struct wf_envelope envelope = {.type = a->envelope.type,
                                         .id = wf_str(wire),
                                         .to = wf_str(wf_service_word(WF_INTAKE)),
                                         .seq = (uint64_t)h->seq,
                                         .body = body};
    wf_buf_clear(&relay->out);
    int rc = wf_message_pack(&envelope, &relay->out, err);
    if (rc == 0 && relay->out.len > WF_FRAME_MAX)
        rc = wf_fail(err, WF_E_INVALID, "dossier of %zu bytes: %zu are allowed", relay->out.len,
                     WF_FRAME_MAX);
    const char *copy =
        rc == 0 ? wf_arena_strndup(relay->arena, (const char *)relay->out.ptr, relay->out.len)
                : NULL;
    if (rc == 0 && copy == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    h->frame = (struct wf_slice){(const uint8_t *)copy, relay->out.len};
    return rc;
}

static int64_t due_of(const struct relay *relay, const struct wf_procedure *p,
                      const struct handoff *h)
{
    if (p == NULL)
        return 0;
    struct wf_limit limit = wf_procedure_limit(p, h->channel);
    return limit.unit == WF_LIMIT_NONE
               ? 0
               : wf_calendar_due(wf_site_calendar(relay->registry, relay->calendar, h->site),
                                 h->received, limit);
}

static int no_codes(struct wf_error *err)
{
    return wf_fail(err, WF_E_FULL,
                   "no provisional numbers are left: more are reserved when the line is back");
}

/* Scans go up to the cell piece by piece, which only a line can carry. */
static int check_scans(const struct relay *relay, const struct wf_msg_dossier_submit *m,
                       struct wf_error *err)
{
    for (size_t i = 0; !relay->line.up && i < wf_value_count(m->papers); i++) {
        if (wf_map_get(wf_list_at(m->papers, i), "file") != NULL)
            return wf_fail_field(err, WF_E_BUSY, "body.papers",
                                 "the line is down and scans wait for it: receive the papers "
                                 "without them, or come back later");
    }
    return 0;
}

static int fill_submit(struct relay *relay, const struct asked *a, struct handoff *h,
                       struct wf_error *err)
{
    const struct wf_procedure *p = NULL;
    struct wf_msg_dossier_submit body = *(const struct wf_msg_dossier_submit *)a->envelope.body;
    if (relay->clock.rate == 0)
        return no_codes(err); /* never heard of the cell: not even its clock */
    h->received = relay_now(relay);
    int rc = relay_check_submit(relay, &body, h->received, &p, err);
    if (rc == 0)
        rc = check_scans(relay, &body, err);
    if (rc == 0)
        rc = store_take_code(relay->db, relay->arena, &h->dossier, err);
    if (rc != 0)
        return rc == WF_NONE ? no_codes(err) : rc;
    h->procedure = body.procedure;
    h->site = body.site;
    h->channel = body.channel;
    h->version = p != NULL ? p->version : 0;
    h->due = due_of(relay, p, h);
    body.provisional = h->dossier;
    body.received = h->received;
    return pack_handoff(relay, a, &body, h, err);
}

static int fill_event(struct relay *relay, struct asked *a, struct handoff *h, struct wf_error *err)
{
    const struct wf_msg_dossier_event *body = a->envelope.body;
    struct handoff dossier = {0};
    int rc = store_by_code(relay->db, body->dossier, relay->arena, &dossier, err);
    if (rc < 0)
        return rc;
    a->is_own = rc == 0;
    if (!a->is_own && !relay->line.up) {
        a->retry_ms = RETRY_MS;
        return wf_fail(err, WF_E_BUSY,
                       "the line is down, and this dossier was not received at this station");
    }
    if (a->is_own && dossier.state >= HANDOFF_REFUSED)
        return wf_fail_field(err, WF_E_NOT_FOUND, "body.dossier",
                             "the cell has refused this dossier: see hoso relay show");
    rc = relay_check_event(relay, a->is_own ? &dossier : NULL, body, err);
    h->dossier = a->is_own ? dossier.dossier : body->dossier;
    h->code = dossier.code;
    h->procedure = dossier.procedure;
    h->site = dossier.site;
    h->channel = dossier.channel;
    h->version = dossier.version;
    h->received = dossier.received;
    h->due = dossier.due;
    return rc == 0 ? pack_handoff(relay, a, body, h, err) : rc;
}

/* The same request again: what became of it. */
static int known_already(struct relay *relay, struct asked *a, const struct handoff *h,
                         struct wf_slice digest, struct wf_error *err)
{
    struct handoff dossier;
    if (h->digest.len != digest.len || memcmp(h->digest.ptr, digest.ptr, digest.len) != 0)
        return wf_fail_field(err, WF_E_CONFLICT, "id",
                             "this request id was used before with other content: choose a new id");
    int rc = store_by_code(relay->db, h->dossier, relay->arena, &dossier, err);
    a->taken = *h;
    a->is_own = rc == 0;
    return rc < 0 ? rc : 0;
}

static int take_new(struct relay *relay, struct batch *batch, struct asked *a,
                    struct wf_slice digest, struct wf_error *err)
{
    struct handoff h = {.id = a->envelope.id,
                        .digest = digest,
                        .type = (int64_t)a->envelope.type,
                        .dossier = wf_str(""),
                        .at = wf_real_ms()};
    if (batch->waiting >= relay->settings.most)
        return wf_fail(err, WF_E_FULL, "%lld hand-offs wait already: this station takes no more",
                       (long long)batch->waiting);
    if (relay->is_torn)
        return wf_fail(err, WF_E_STATE,
                       "this station and its cell disagree on what was handed over: hoso relay "
                       "status tells; nothing was stored");
    if (relay->skew_ms != 0)
        return wf_fail(err, WF_E_STATE,
                       "the clock of this station is %lld s before the cell's: set it; nothing was "
                       "stored",
                       (long long)(relay->skew_ms / 1000));
    int rc = store_fact(relay->db, "seq", &h.seq, err);
    h.seq++;
    a->is_own = h.type == WF_MSG_dossier_submit;
    if (rc == 0)
        rc = a->is_own ? fill_submit(relay, a, &h, err) : fill_event(relay, a, &h, err);
    if (rc == 0)
        rc = store_add(relay->db, &h, err);
    if (rc == 0)
        rc = store_set_fact(relay->db, "seq", h.seq, err);
    if (rc == 0)
        batch->waiting++;
    a->taken = h;
    return rc;
}

/* ---- taking all ------------------------------------------------------------------------------- */

/* Each in a savepoint of its own: a refused one leaves nothing, not even a number used up. */
static int take_one(struct relay *relay, struct batch *batch, struct asked *a, struct wf_error *err)
{
    struct handoff known;
    struct wf_slice digest = {0};
    int rc = db_do(relay->db, err, "SAVEPOINT one", "");
    if (rc == 0)
        rc = set_digest(relay, a->frame, &digest, err);
    if (rc != 0)
        return rc;
    rc = store_by_id(relay->db, a->envelope.id, relay->arena, &known, &a->why);
    if (rc == 0)
        rc = known_already(relay, a, &known, digest, &a->why);
    else if (rc == WF_NONE)
        rc = take_new(relay, batch, a, digest, &a->why);
    if (rc == WF_E_IO || rc == WF_E_CORRUPT || rc == WF_E_INTERNAL) {
        *err = a->why;
        return rc;
    }
    if (rc != 0) {
        a->why.code = rc;
        rc = db_do(relay->db, err, "ROLLBACK TO one", "");
    }
    return rc == 0 ? db_do(relay->db, err, "RELEASE one", "") : rc;
}

static int check_disk(const struct relay *relay, struct wf_error *err)
{
    bool has_room = true;
    int rc = relay_has_room(relay, &has_room, err);
    if (rc == 0 && !has_room)
        rc = wf_fail(err, WF_E_FULL, "the disk is nearly full: nothing was stored");
    return rc;
}

static int take_batch(struct relay *relay, struct batch *batch, struct wf_error *err)
{
    int rc = check_disk(relay, err);
    if (rc == 0)
        rc = db_begin(relay->db, err);
    if (rc == 0)
        rc = db_number(relay->db, err, &batch->waiting,
                       "SELECT count(*) FROM handoffs WHERE state = 0", "");
    for (size_t i = 0; rc == 0 && i < batch->n; i++)
        rc = take_one(relay, batch, &batch->asked[i], err);
    if (rc == 0)
        rc = db_commit(relay->db, err);
    if (rc != 0)
        db_rollback(relay->db);
    return rc;
}

static void answer_one(struct relay *relay, struct asked *a)
{
    if (a->why.code != 0)
        answer_error(relay, a);
    else if (a->taken.state == HANDOFF_WAITS)
        answer_taken(relay, a);
    else
        answer_frame(relay, a->service, &a->asker, a->taken.answer);
}

static int take_all(struct relay *relay, struct batch *batch, struct wf_error *err)
{
    int rc = batch->n > 0 ? take_batch(relay, batch, err) : 0;
    /* A disk or file that fails is opened anew by the next process; askers ask again. */
    if (rc == WF_E_IO || rc == WF_E_CORRUPT || rc == WF_E_INTERNAL)
        return rc;
    for (size_t i = 0; i < batch->n; i++) {
        struct asked *a = &batch->asked[i];
        if (rc != 0) {
            a->why = *err;
            a->retry_ms = wf_code_action(rc) == WF_RETRY ? RETRY_MS : 0;
        }
        answer_one(relay, a);
    }
    return 0;
}

/* ---- all that wait ---------------------------------------------------------------------------- */

static bool is_taken_here(enum wf_message type)
{
    return type == WF_MSG_dossier_submit || type == WF_MSG_dossier_event;
}

/* 0, WF_NONE when none waits, or an error that ends the process. */
static int receive_one(struct relay *relay, struct batch *batch, struct wf_error *err)
{
    struct asked *a = &batch->asked[batch->n];
    struct wf_error why = {0};
    *a = (struct asked){.envelope.id = {"", 0}};
    int rc =
        wf_outpost_receive(relay->outpost, relay->arena, &a->service, &a->asker, &a->frame, &why);
    if (rc == WF_NONE || rc == WF_E_IO) {
        *err = why;
        return rc;
    }
    relay->slot->requests++;
    if (rc == 0)
        rc = wf_message_unpack(a->frame, WF_END_PARTY, (enum wf_end)a->service, relay->arena,
                               &a->envelope, &why);
    if (rc == 0 && a->envelope.type == WF_MSG_relay_reserve)
        rc = wf_fail_field(&why, WF_E_DENIED, "type", "only the station itself asks this");
    if (rc == 0 && is_taken_here(a->envelope.type)) {
        batch->n++;
        return 0;
    }
    if (rc == 0)
        rc = pass_on(relay, a, &why);
    if (rc == WF_E_IO || rc == WF_E_CORRUPT) {
        *err = why;
        return rc;
    }
    if (rc != 0) {
        a->why = why;
        answer_error(relay, a);
    }
    return 0;
}

int take_requests(struct relay *relay, struct wf_error *err)
{
    struct batch batch = {0};
    int rc = 0;
    wf_arena_reset(relay->arena);
    batch.asked = wf_arena_alloc(relay->arena, AT_ONCE * sizeof(*batch.asked));
    if (batch.asked == NULL)
        return wf_fail(err, WF_E_NOMEM, "no memory for a batch");
    for (size_t i = 0; rc == 0 && i < AT_ONCE && wf_arena_used(relay->arena) < ARENA_MOST; i++)
        rc = receive_one(relay, &batch, err);
    return rc < 0 ? rc : take_all(relay, &batch, err);
}

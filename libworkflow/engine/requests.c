/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door: one row per request type, and around them the promise "same id, same answer".
 *
 * The answer to a request that changed something is stored with it, in the same transaction. Asked
 * again, the stored answer is given; the same id with other bytes is refused. A refused request
 * stores nothing, so it may be mended and sent again under the same id. Only a station's hand-off
 * stores its refusal too: the receipt is with the citizen and a person must see to it, and the next
 * in the sequence shall not wait for that.
 */
#include "life.h"

#include <string.h>

#define DIGEST_BYTES 16

struct row {
    enum wf_message type;
    bool writes;
    request_fn *handle;
};

static const struct row rows[] = {
    {WF_MSG_dossier_submit, true, request_submit},
    {WF_MSG_dossier_event, true, request_event},
    {WF_MSG_dossier_get, false, request_get},
    {WF_MSG_dossier_list, false, request_list},
    {WF_MSG_procedure_get, false, request_procedure},
    {WF_MSG_task_fetch, true, request_fetch},
    {WF_MSG_task_extend, true, request_extend},
    {WF_MSG_task_complete, true, request_complete},
    {WF_MSG_task_fail, true, request_fail},
    {WF_MSG_task_progress, true, request_progress},
    {WF_MSG_journal_fetch, false, request_journal_fetch},
    {WF_MSG_journal_ack, true, request_journal_ack},
    {WF_MSG_health, false, request_health},
    {WF_MSG_relay_reserve, true, request_reserve},
    {WF_MSG_paper_put, false, request_paper_put},
    {WF_MSG_paper_get, false, request_paper_get},
};

static const struct row *row_of(enum wf_message type)
{
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (rows[i].type == type)
            return &rows[i];
    }
    return NULL;
}

bool wf_request_writes(enum wf_message type)
{
    const struct row *row = row_of(type);
    return row != NULL && row->writes;
}

/* ---- packing answers ------------------------------------------------------------------------- */

static int pack(struct wf_str re, const struct reply *reply, struct wf_arena *arena,
                struct wf_slice *out, struct wf_error *err)
{
    struct wf_envelope envelope = {.type = reply->type, .re = re, .body = reply->body};
    struct wf_buf buf = {0};
    int rc = wf_message_pack(&envelope, &buf, err);
    char *copy = rc == 0 ? wf_arena_strndup(arena, (const char *)buf.ptr, buf.len) : NULL;
    if (rc == 0 && copy == NULL)
        rc = out_of_memory(err);
    if (rc == 0)
        *out = (struct wf_slice){(const uint8_t *)copy, buf.len};
    wf_buf_fini(&buf);
    return rc;
}

int wf_engine_error(struct wf_str re, const struct wf_error *why, int64_t retry_ms,
                    struct wf_arena *arena, struct wf_slice *out, struct wf_error *err)
{
    struct wf_msg_error body = {.code = wf_str(wf_code_word(why->code)),
                                .message = wf_str(why->text),
                                .field = wf_str(why->field),
                                .retry_ms = (uint64_t)retry_ms};
    struct reply reply = {WF_MSG_error, &body};
    return pack(re, &reply, arena, out, err);
}

int wf_engine_no_tasks(struct wf_str re, struct wf_arena *arena, struct wf_slice *out,
                       struct wf_error *err)
{
    struct wf_msg_tasks body = {.tasks = wf_list(arena)};
    struct reply reply = {WF_MSG_tasks, &body};
    return body.tasks == NULL ? out_of_memory(err) : pack(re, &reply, arena, out, err);
}

/* ---- same id, same answer -------------------------------------------------------------------- */

static void digest_of(struct wf_slice frame, uint8_t out[DIGEST_BYTES])
{
    uint8_t whole[WF_HASH_BYTES];
    wf_hash(frame.ptr, frame.len, NULL, 0, whole);
    memcpy(out, whole, DIGEST_BYTES);
}

/* A fetch is remembered by its leases, not by its bulky answer: [[task, token], ...]. */
static const struct wf_value *leases_of(const struct wf_msg_tasks *tasks, struct wf_arena *arena)
{
    struct wf_value *leases = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(tasks->tasks); i++) {
        const struct wf_value *task = wf_list_at(tasks->tasks, i);
        struct wf_value *pair = wf_list(arena);
        wf_list_add(arena, pair, wf_map_get(task, "task"));
        wf_list_add(arena, pair, wf_map_get(task, "token"));
        wf_list_add(arena, leases, pair);
    }
    return leases;
}

static int remember(struct wf_turn *turn, const struct wf_envelope *request, struct wf_slice frame,
                    const struct reply *reply, struct wf_slice answer, struct wf_error *err)
{
    uint8_t digest[DIGEST_BYTES];
    struct wf_buf buf = {0};
    digest_of(frame, digest);
    if (request->type == WF_MSG_task_fetch) {
        const struct wf_value *leases = leases_of(reply->body, turn->arena);
        if (!wf_value_is_whole(leases))
            return out_of_memory(err);
        wf_pack_value(leases, &buf);
        answer = (struct wf_slice){buf.ptr, buf.len};
    }
    struct wf_rec_request record = {.digest = {digest, DIGEST_BYTES},
                                    .answer = answer,
                                    .ms = turn->real_ms,
                                    .seq = request->seq};
    int rc = buf.failed ? out_of_memory(err)
                        : wf_request_put(turn->txn, request->party, request->id, &record, err);
    wf_buf_fini(&buf);
    return rc == 0 && request->seq > 0 ? wf_handoff_take(turn->txn, request->party, 1, err) : rc;
}

int wf_engine_refuse_handoff(struct wf_turn *turn, const struct wf_envelope *request,
                             struct wf_slice frame, const struct wf_error *why,
                             struct wf_slice *out, struct wf_error *err)
{
    if (request->seq == 0 || !station_moves_on(why->code))
        return WF_NONE;
    int rc = access_open(turn, request->party, err);
    if (rc == 0)
        rc = station_in_turn(turn, request, err);
    struct wf_msg_error body = {.code = wf_str(wf_code_word(why->code)),
                                .message = wf_str(why->text),
                                .field = wf_str(why->field),
                                .settled = request->seq};
    struct reply reply = {WF_MSG_error, &body};
    struct wf_slice answer = {0};
    if (rc == 0)
        rc = pack(request->id, &reply, turn->arena, &answer, err);
    if (rc == 0)
        rc = remember(turn, request, frame, &reply, answer, err);
    if (rc == 0)
        *out = answer;
    return rc;
}

static int answer_again(struct wf_turn *turn, const struct wf_envelope *request,
                        const struct wf_rec_request *known, struct wf_slice frame,
                        struct wf_slice *out, struct wf_error *err)
{
    uint8_t digest[DIGEST_BYTES];
    digest_of(frame, digest);
    if (known->digest.len != DIGEST_BYTES || memcmp(known->digest.ptr, digest, DIGEST_BYTES) != 0)
        return wf_fail_field(err, WF_E_CONFLICT, "id",
                             "this request id was used before with other content: choose a new id");
    if (request->type != WF_MSG_task_fetch) {
        *out = known->answer;
        return 0;
    }
    const struct wf_value *leases = NULL;
    struct reply reply = {0};
    int rc = wf_unpack_value(known->answer, turn->arena, &leases, err);
    if (rc == 0)
        rc = fetch_again(turn, leases, &reply, err);
    return rc == 0 ? pack(request->id, &reply, turn->arena, out, err) : rc;
}

/* What handlers find fault with stands in the body: "fields.phone" is "body.fields.phone" to the
 * party that sent it. */
static void name_in_body(struct wf_error *err)
{
    char field[sizeof(err->field)];
    if (err->field[0] == '\0' || wf_starts_with(err->field, "body."))
        return;
    (void)wf_str_copy(wf_str(err->field), field, sizeof(field));
    wf_name_field(err, "body.%s", field);
}

static int carry_out(struct wf_turn *turn, const struct wf_envelope *request, struct wf_slice frame,
                     struct wf_slice *out, struct wf_error *err)
{
    const struct row *row = row_of(request->type);
    if (row == NULL)
        return wf_fail_field(err, WF_E_UNSUPPORTED, "type", "this service does not answer that");
    struct reply reply = {0};
    int rc = access_open(turn, request->party, err);
    if (rc != 0)
        return rc;
    if (!row->writes) {
        rc = row->handle(turn, request, &reply, err);
        if (rc < 0)
            name_in_body(err);
        return rc == 0 ? pack(request->id, &reply, turn->arena, out, err) : rc;
    }
    if (request->id.len == 0)
        return wf_fail_field(err, WF_E_INVALID, "id",
                             "missing: every request that changes something carries an id");
    struct wf_rec_request known;
    rc = wf_request_get(turn->txn, request->party, request->id, turn->arena, &known, err);
    if (rc == 0)
        return answer_again(turn, request, &known, frame, out, err);
    if (rc == WF_NONE)
        rc = station_in_turn(turn, request, err);
    if (rc != 0)
        return rc;
    uint64_t writes = wf_txn_writes(turn->txn);
    rc = row->handle(turn, request, &reply, err);
    if (rc < 0) {
        name_in_body(err);
        const struct wf_error why = *err;
        /* what had written is undone by the caller, who then settles it in a turn of its own */
        if (wf_txn_writes(turn->txn) == writes &&
            wf_engine_refuse_handoff(turn, request, frame, &why, out, err) == 0)
            return 0;
        *err = why;
    }
    if (rc == 0)
        rc = pack(request->id, &reply, turn->arena, out, err);
    if (rc == 0)
        rc = remember(turn, request, frame, &reply, *out, err);
    return rc;
}

int wf_engine_request(struct wf_turn *turn, const struct wf_envelope *request,
                      struct wf_slice frame, struct wf_slice *out, struct wf_error *err)
{
    struct wf_error own = {0};
    err = err != NULL ? err : &own;
    int rc = carry_out(turn, request, frame, out, err);
    if (rc >= 0)
        return rc;
    int64_t retry_ms = wf_code_action(rc) == WF_RETRY ? 500 : 0;
    struct wf_error packing = {0};
    if (wf_engine_error(request->id, err, retry_ms, turn->arena, out, &packing) != 0)
        *out = (struct wf_slice){0};
    return rc;
}

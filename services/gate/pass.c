/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests in, answers out. Two parties may choose the same id, and a worker's answer names nothing
 * but the id: so a request goes on under another id, made from the party's name and its own. It is
 * the same each time, so that the worker knows a request that is sent again; and no answer, however
 * late, can reach another party.
 */
#include <string.h>

#include "gate/gate.h"

#define AT_ONCE     256 /* messages of a kind before the others have their turn */
#define RETRY_MS    500
#define LOG_REST_MS 60000

/* A request on its way through the checks. */
struct asked {
    struct wf_asker asker;
    const struct key *key;
    struct wf_slice frame;
    struct wf_envelope envelope;
    int64_t retry_ms; /* of a busy answer */
};

/* ---- what the gate itself answers ------------------------------------------------------------ */

static void send_back(struct gate *gate, const struct wf_asker *asker, struct visitor *visitor,
                      const struct wf_envelope *answer)
{
    struct wf_error err;
    wf_buf_clear(&gate->out);
    int rc = wf_message_pack(answer, &gate->out, &err);
    if (rc == 0)
        rc = wf_door_reply(gate->door, asker, (struct wf_slice){gate->out.ptr, gate->out.len},
                           visitor != NULL ? &visitor->untaken : NULL, &err);
    if (rc == 0)
        return;
    gate->slot->dropped++; /* it is asked again under the same id */
    wf_log(WF_LOG_DEBUG, WF_LOG_NOTE_EVENT, NULL, "an answer found no taker: %s", err.text);
}

static void refuse(struct gate *gate, const struct asked *asked, const struct wf_error *why)
{
    const struct wf_msg_error body = {.code = wf_str(wf_code_word(why->code)),
                                      .message = wf_str(why->text),
                                      .field = wf_str(why->field),
                                      .retry_ms = (uint64_t)asked->retry_ms};
    const struct wf_envelope answer = {
        .type = WF_MSG_error, .re = asked->envelope.id, .body = &body};
    if (wf_code_action(why->code) == WF_RETRY)
        gate->slot->busy++;
    else
        gate->slot->refused++;
    send_back(gate, &asked->asker, asked->key != NULL ? asked->key->visitor : NULL, &answer);
}

/* One line a minute and party: a flood must not become a flood of lines. */
static void note(struct gate *gate, struct visitor *visitor, const struct wf_error *why)
{
    int64_t now = wf_monotonic_ms();
    (void)gate;
    if (visitor == NULL || now < visitor->silent_ms)
        return;
    visitor->silent_ms = now + LOG_REST_MS;
    wf_log(WF_LOG_WARN, WF_LOG_REFUSED_EVENT,
           &(struct wf_log_fact){.rc = why->code, .party = visitor->name}, "%s%s%s", why->field,
           why->field[0] != '\0' ? ": " : "", why->text);
}

/* ---- requests -------------------------------------------------------------------------------- */

static int check_sender(const struct key *key, struct wf_error *err)
{
    if (key == NULL || key->party->revoked || wf_key_is_printed(key->z85))
        return wf_fail(err, WF_E_DENIED, "this key is not registered here, or was revoked");
    return 0;
}

static int check_pace(struct gate *gate, struct asked *asked, struct wf_error *err)
{
    const struct key *key = asked->key;
    int64_t rate = key->party->requests_per_second;
    if (rate <= 0)
        rate = gate->settings.gate_rate;
    if (!bucket_take(&key->visitor->bucket, rate, wf_monotonic_ms(), &asked->retry_ms))
        return wf_fail(err, WF_E_BUSY, "more than %lld requests a second", (long long)rate);
    return 0;
}

/* Which worker is meant: the table says it, else the envelope's `to`. */
static int find_service(const struct wf_envelope *request, enum wf_service *out,
                        struct wf_error *err)
{
    const struct wf_message_info *info = wf_message_info(request->type);
    int to = request->to.len > 0 ? wf_service_of_word(request->to) : (int)info->receiver;
    if (to < 0 || to >= WF_SERVICE_COUNT)
        return wf_fail_field(err, WF_E_INVALID, "to",
                             "missing: through the gate this request names its service");
    *out = (enum wf_service)to;
    return 0;
}

static int check_envelope(const struct asked *asked, enum wf_service *out_to, struct wf_error *err)
{
    const struct wf_envelope *request = &asked->envelope;
    if (request->party.len > 0 && !wf_str_is(request->party, asked->key->party->name))
        return wf_fail_field(err, WF_E_DENIED, "party",
                             "not the party that this key belongs to: leave it out");
    return find_service(request, out_to, err);
}

static int64_t patience(const struct gate *gate, const struct wf_envelope *request)
{
    int64_t silent = 0;
    if (request->type == WF_MSG_task_fetch)
        silent = (int64_t)((const struct wf_msg_task_fetch *)request->body)->wait_ms;
    return gate->settings.gate_timeout_ms + silent;
}

/* The row of this request: that of its first sending, where it is sent again. */
static int enter(struct gate *gate, struct asked *asked, const uint8_t proof[PROOF_LEN],
                 struct pending **out, struct wf_error *err)
{
    struct visitor *visitor = asked->key->visitor;
    struct pending *row = pending_find(&gate->pendings, proof);
    asked->retry_ms = RETRY_MS;
    if (row == NULL && visitor->waiting >= gate->settings.gate_unanswered)
        return wf_fail(err, WF_E_BUSY, "%lld requests wait for their answers already",
                       (long long)visitor->waiting);
    if (row == NULL)
        row = pending_add(&gate->pendings, proof, visitor);
    if (row == NULL)
        return wf_fail(err, WF_E_BUSY, "too many requests wait for their answers");
    const struct wf_str id = asked->envelope.id;
    row->sent++;
    row->asker = asked->asker;
    row->id_length = (uint8_t)id.len; /* the codec takes at most ID_MAX */
    memcpy(row->id, id.ptr, id.len);
    row->until_ms = wf_monotonic_ms() + patience(gate, &asked->envelope);
    *out = row;
    return 0;
}

/* An answer has come, or none will: the row goes when each sending has had its own. */
static void settle(struct gate *gate, struct pending *row)
{
    row->sent--;
    if (row->sent == 0)
        pending_drop(&gate->pendings, row);
}

static int pass_on(struct gate *gate, struct asked *asked, enum wf_service to, struct wf_error *err)
{
    const char *name = asked->key->party->name;
    struct wf_envelope request = asked->envelope;
    struct pending *row = NULL;
    uint8_t hash[WF_HASH_BYTES];
    char id[2 * PROOF_LEN + 1];
    wf_hash(name, strlen(name) + 1, request.id.ptr, request.id.len, hash);
    wf_hex(hash, PROOF_LEN, id);
    request.id = wf_str(id);
    request.party = wf_str(name);
    request.to = wf_str("");
    wf_buf_clear(&gate->out);
    int rc = wf_message_pack(&request, &gate->out, err);
    if (rc == 0)
        rc = enter(gate, asked, hash, &row, err);
    if (rc != 0)
        return rc;
    rc = wf_door_ask(gate->door, to, (struct wf_slice){gate->out.ptr, gate->out.len}, err);
    if (rc != 0)
        settle(gate, row);
    if (rc == WF_E_BUSY)
        return wf_fail(err, WF_E_BUSY, "%s takes no requests now", wf_service_word(to));
    gate->slot->requests += rc == 0;
    return rc;
}

/* All that a request must pass. The id is read even where the rest is refused, so that the refusal
 * finds its request. */
static int treat(struct gate *gate, struct asked *asked, struct wf_error *err)
{
    enum wf_service to = WF_INTAKE;
    struct wf_error unreadable = {0};
    int rc = check_sender(asked->key, err);
    if (rc == 0)
        rc = check_pace(gate, asked, err);
    int read = wf_message_unpack(asked->frame, WF_END_PARTY, WF_END_ANY, gate->arena,
                                 &asked->envelope, &unreadable);
    if (rc == 0 && read != 0) {
        *err = unreadable;
        rc = read;
    }
    if (rc == 0)
        rc = check_envelope(asked, &to, err);
    return rc == 0 ? pass_on(gate, asked, to, err) : rc;
}

/* 0, WF_NONE when none waits, or an error of our own. */
static int pass_request(struct gate *gate, struct wf_error *err)
{
    struct asked asked = {.envelope.id = {"", 0}};
    struct wf_error why = {0};
    char z85[WF_KEY_SIZE] = "";
    wf_arena_reset(gate->arena);
    int rc = wf_door_receive(gate->door, gate->arena, &asked.asker, z85, &asked.frame, &why);
    if (rc == WF_NONE)
        return rc;
    asked.key = registry_find(gate, z85);
    if (rc == 0)
        rc = treat(gate, &asked, &why);
    if (rc == WF_E_IO) {
        *err = why;
        return rc;
    }
    if (rc != 0) {
        note(gate, asked.key != NULL ? asked.key->visitor : NULL, &why);
        refuse(gate, &asked, &why);
    }
    return 0;
}

int pass_requests(struct gate *gate, struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < AT_ONCE && rc == 0; i++)
        rc = pass_request(gate, err);
    return rc < 0 ? rc : 0;
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool unhex(struct wf_str text, uint8_t out[PROOF_LEN])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.ptr[i] != '\0' ? strchr(digits, text.ptr[i]) : NULL;
        if (digit == NULL || i / 2 >= PROOF_LEN)
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit - digits));
    }
    return text.len == 2 * PROOF_LEN;
}

static void bring_back(struct gate *gate, enum wf_service from, struct wf_slice frame)
{
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    uint8_t proof[PROOF_LEN] = {0};
    int rc = wf_message_unpack(frame, (enum wf_end)from, WF_END_PARTY, gate->arena, &answer, &err);
    if (rc != 0)
        wf_log(WF_LOG_ERROR, WF_LOG_REFUSED_EVENT, &(struct wf_log_fact){.rc = rc},
               "an answer of %s cannot be read: %s", wf_service_word(from), err.text);
    struct pending *row = NULL;
    if (rc == 0 && unhex(answer.re, proof))
        row = pending_find(&gate->pendings, proof);
    if (row == NULL) {
        gate->slot->dropped++; /* too late, or the second of two */
        return;
    }
    answer.re = (struct wf_str){row->id, row->id_length};
    send_back(gate, &row->asker, row->visitor, &answer);
    settle(gate, row);
    gate->slot->answers++;
}

int pass_answers(struct gate *gate, struct wf_error *err)
{
    for (unsigned s = 0; s < WF_SERVICE_COUNT; s++) {
        for (size_t i = 0; i < AT_ONCE; i++) {
            struct wf_slice frame;
            wf_arena_reset(gate->arena);
            int rc = wf_door_hear(gate->door, (enum wf_service)s, gate->arena, &frame, err);
            if (rc == WF_NONE)
                break;
            if (rc == WF_E_IO)
                return rc;
            if (rc == 0)
                bring_back(gate, (enum wf_service)s, frame);
        }
    }
    return 0;
}

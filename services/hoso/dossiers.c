/* SPDX-License-Identifier: Apache-2.0 */
/* submit, event: what changes a dossier goes through the intake worker's queue endpoint. */
#include "hoso.h"

#include <inttypes.h>
#include <string.h>

#define SUBMIT_MAX_BYTES (WF_FRAME_MAX * 2) /* JSON is wordier than what is sent */

static const struct hoso_column answer_columns[] = {
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"provisional", "Receipt", "Số biên nhận tạm", HOSO_TEXT},
    {"procedure", "Procedure", "Thủ tục", HOSO_TEXT},
    {"status", "Status", "Trạng thái", HOSO_STATUS},
    {"received", "Received", "Tiếp nhận", HOSO_TIME},
    {"due", "Due", "Hẹn trả", HOSO_TIME},
    {"outcome", "Outcome", "Kết quả", HOSO_TERM},
};

/* Asks intake, with the id of --id where it is given. */
static int ask(struct hoso *h, enum wf_message type, const void *body, struct wf_envelope *out)
{
    char id[WF_REQUEST_ID_SIZE];
    int rc = hoso_client(h);
    if (rc != 0)
        return rc;
    wf_client_new_id(h->client, id);
    return wf_client_again(h->client, WF_INTAKE, type, body,
                           hoso_has(h, OPT_ID) ? h->opt[OPT_ID] : id, h->arena, out, &h->err);
}

static int print_state(struct hoso *h, const struct wf_envelope *reply)
{
    bool done = false;
    if (reply->type != WF_MSG_dossier_state)
        return wf_fail(&h->err, WF_E_INTERNAL, "intake gave an answer of another type");
    const struct wf_value *answer = hoso_reply_value(h, reply->body);
    int rc = hoso_answer(h, answer, &done);
    if (rc != 0 || done)
        return rc;
    rc = hoso_calendar(h);
    return rc != 0 ? rc : hoso_print_pairs(h, answer_columns, WF_COUNT(answer_columns), answer);
}

/* ---- submit -----------------------------------------------------------------------------------
 */

/* The members of the submitted object, and where each goes. */
struct member_row {
    const char *name;
    enum wf_type type;
    size_t offset;
};

/* clang-format off */
#define MEMBER(name, type) {#name, type, offsetof(struct wf_msg_dossier_submit, name)}
static const struct member_row members[] = {
    MEMBER(procedure, WF_TEXT),
    MEMBER(channel,   WF_TEXT),
    MEMBER(site,      WF_TEXT),
    MEMBER(by,        WF_TEXT),
    MEMBER(role,      WF_TEXT),
    MEMBER(fields,    WF_MAP),
    MEMBER(papers,    WF_LIST),
    MEMBER(agent,     WF_MAP),
    MEMBER(partial,   WF_BOOL),
};
/* clang-format on */

static const struct member_row *member_of(struct wf_str name)
{
    for (size_t i = 0; i < WF_COUNT(members); i++) {
        if (wf_str_is(name, members[i].name))
            return &members[i];
    }
    return NULL;
}

static int unknown_member(struct hoso *h, struct wf_str name)
{
    const char *names[WF_COUNT(members)];
    char word[64];
    for (size_t i = 0; i < WF_COUNT(members); i++)
        names[i] = members[i].name;
    (void)wf_str_copy(name, word, sizeof(word));
    const char *nearest = wf_nearest(word, names, WF_COUNT(names));
    return wf_fail_field(&h->err, WF_E_INVALID, word, "%s: is no part of a dossier%s%s", word,
                         nearest != NULL ? ": perhaps " : "", nearest != NULL ? nearest : "");
}

static int fill(struct hoso *h, const struct wf_value *given, struct wf_msg_dossier_submit *out)
{
    for (size_t i = 0; i < given->u.map.n; i++) {
        const struct wf_pair *pair = &given->u.map.pairs[i];
        const struct member_row *row = member_of(pair->key);
        if (row == NULL)
            return unknown_member(h, pair->key);
        if (pair->value->type == WF_NULL)
            continue;
        if (pair->value->type != row->type)
            return wf_fail_field(&h->err, WF_E_INVALID, row->name, "%s: a %s is wanted", row->name,
                                 wf_type_name(row->type));
        void *at = (char *)out + row->offset;
        if (row->type == WF_TEXT)
            *(struct wf_str *)at = pair->value->u.text;
        else if (row->type == WF_BOOL)
            *(bool *)at = pair->value->u.boolean;
        else
            *(const struct wf_value **)at = pair->value;
    }
    return 0;
}

int hoso_submit(struct hoso *h)
{
    struct wf_buf text = {0};
    const struct wf_value *given = NULL;
    struct wf_msg_dossier_submit submit = {0};
    struct wf_envelope reply;
    const char *name = strcmp(h->args[0], "-") == 0 ? "standard input" : h->args[0];
    int rc = hoso_read_file(h, h->args[0], SUBMIT_MAX_BYTES, &text);
    wf_buf_add(&text, "", 1);
    if (rc == 0 && text.failed)
        rc = wf_fail(&h->err, WF_E_NOMEM, "%s: out of memory", name);
    if (rc == 0)
        rc = hoso_json_object(name, (const char *)text.ptr, h->arena, &given, &h->err);
    wf_buf_fini(&text);
    if (rc == 0)
        rc = fill(h, given, &submit);
    if (rc == 0 && (submit.by.len == 0 || hoso_has(h, OPT_BY)))
        rc = hoso_actor(h, &submit.by, NULL);
    if (rc == 0 && (submit.role.len == 0 || hoso_has(h, OPT_ROLE)))
        rc = hoso_actor(h, NULL, &submit.role);
    if (rc == 0 && submit.fields == NULL)
        submit.fields = wf_map(h->arena);
    if (rc == 0)
        rc = ask(h, WF_MSG_dossier_submit, &submit, &reply);
    return rc == 0 ? print_state(h, &reply) : rc;
}

/* ---- event ------------------------------------------------------------------------------------
 */

int hoso_event(struct hoso *h)
{
    struct wf_msg_dossier_event event = {.dossier = wf_str(h->args[0]),
                                         .event = wf_str(h->args[1])};
    struct wf_envelope reply;
    int rc = hoso_actor(h, &event.by, &event.role);
    if (rc == 0 && hoso_has(h, OPT_DATA))
        rc = hoso_json_object("--data", h->opt[OPT_DATA], h->arena, &event.data, &h->err);
    if (rc == 0)
        rc = ask(h, WF_MSG_dossier_event, &event, &reply);
    return rc == 0 ? print_state(h, &reply) : rc;
}

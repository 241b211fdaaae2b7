/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelopes. Everything about a message comes from its row in the table; this file knows only the
 * envelope's own keys, and the difference between a party's request and our reply.
 */
#include "internal.h"

#include <string.h>

#define MAX_ID_BYTES 64

/* The envelope as a table of its own, so that its keys are read like any other field. */
struct header {
    uint64_t v, seq;
    struct wf_str type, id, re, party, to;
};

enum { KEY_V, KEY_TYPE, KEY_ID, KEY_RE, KEY_PARTY, KEY_TO, KEY_SEQ, KEY_BODY, KEYS };

/* clang-format off */
static const struct wf_wire_field keys[] = {
    [KEY_V]     = {"v",     WF_WIRE_U64, true,  offsetof(struct header, v),     0, ""},
    [KEY_TYPE]  = {"type",  WF_WIRE_STR, true,  offsetof(struct header, type),  MAX_ID_BYTES, ""},
    [KEY_ID]    = {"id",    WF_WIRE_STR, false, offsetof(struct header, id),    MAX_ID_BYTES, ""},
    [KEY_RE]    = {"re",    WF_WIRE_STR, false, offsetof(struct header, re),    MAX_ID_BYTES, ""},
    [KEY_PARTY] = {"party", WF_WIRE_STR, false, offsetof(struct header, party), MAX_ID_BYTES, ""},
    [KEY_TO]    = {"to",    WF_WIRE_STR, false, offsetof(struct header, to),    16, ""},
    [KEY_SEQ]   = {"seq",   WF_WIRE_U64, false, offsetof(struct header, seq),   0, ""},
};
/* clang-format on */

static bool is_from_party(const struct wf_message_info *info)
{
    return info->sender == WF_END_PARTY;
}

static const struct limits *limits_for(bool from_party)
{
    return from_party ? &codec_party_limits : &codec_reply_limits;
}

/* ---- packing -------------------------------------------------------------------------------- */

static size_t count_filled(const struct wf_wire_field *fields, size_t n, const void *record)
{
    size_t filled = 0;
    for (size_t i = 0; i < n; i++)
        filled += fields[i].required || !codec_is_empty(&fields[i], record);
    return filled;
}

static int put_fields(msgpack_packer *packer, const struct wf_wire_field *fields, size_t n,
                      const void *record, const char *prefix, struct wf_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!fields[i].required && codec_is_empty(&fields[i], record))
            continue;
        codec_put_text(packer, wf_str(fields[i].name));
        rc = codec_put_field(packer, &fields[i], record, prefix, err);
    }
    return rc;
}

static int put_envelope(const struct wf_envelope *envelope, const struct wf_message_info *info,
                        struct wf_buf *out, struct wf_error *err)
{
    const struct header header = {.v = WF_PROTOCOL_VERSION,
                                  .seq = envelope->seq,
                                  .type = wf_str(info->name),
                                  .id = envelope->id,
                                  .re = envelope->re,
                                  .party = envelope->party,
                                  .to = envelope->to};
    msgpack_packer packer;
    codec_packer(&packer, out);
    msgpack_pack_map(&packer, count_filled(keys, WF_COUNT(keys), &header) + 1);
    int rc = put_fields(&packer, keys, WF_COUNT(keys), &header, "", err);
    if (rc < 0)
        return rc;
    codec_put_text(&packer, wf_str("body"));
    msgpack_pack_map(&packer, count_filled(info->fields, info->n_fields, envelope->body));
    return put_fields(&packer, info->fields, info->n_fields, envelope->body, "body.", err);
}

int wf_message_pack(const struct wf_envelope *envelope, struct wf_buf *out, struct wf_error *err)
{
    const struct wf_message_info *info = wf_message_info(envelope->type);
    if (info == NULL)
        return codec_refuse(err, WF_E_UNSUPPORTED, "", "type", "no such message");
    if (is_from_party(info) && envelope->id.len == 0)
        return codec_refuse(err, WF_E_INVALID, "", "id", "a request needs one");
    size_t start = out->len;
    int rc = put_envelope(envelope, info, out, err);
    if (rc == 0)
        rc = codec_finish(out, start, limits_for(is_from_party(info)), err);
    if (rc < 0) {
        out->len = start;
        out->failed = false;
        (void)wf_wrap(err, "%s", info->name);
    }
    return rc;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Which row the key names, or n. Senders mostly keep the table's order, so look there first. */
static size_t find_field(const struct wf_wire_field *fields, size_t n, struct wf_str name,
                         size_t hint)
{
    if (hint < n && wf_str_is(name, fields[hint].name))
        return hint;
    size_t i = 0;
    while (i < n && !wf_str_is(name, fields[i].name))
        i++;
    return i;
}

/* Names an unknown key only where it looks like a misspelt name: it could be anything. */
static int refuse_key(const char *prefix, struct wf_str key, struct wf_error *err)
{
    char name[33] = "?";
    size_t fine = 0;
    while (fine < key.len && strchr("abcdefghijklmnopqrstuvwxyz_", key.ptr[fine]) != NULL)
        fine++;
    if (fine > 0 && fine == key.len)
        (void)wf_str_copy(key, name, sizeof(name));
    return codec_refuse(err, WF_E_INVALID, prefix, name[0] != '\0' ? name : "?", "unknown field");
}

static int read_body(const struct wf_message_info *info, const struct wf_value *from, void *body,
                     struct wf_error *err)
{
    uint64_t seen = 0;
    size_t next = 0;
    for (size_t i = 0; i < from->u.map.n; i++) {
        const struct wf_pair *pair = &from->u.map.pairs[i];
        size_t at = find_field(info->fields, info->n_fields, pair->key, next);
        if (at == info->n_fields && info->receiver == WF_END_PARTY)
            continue; /* a newer release tells more */
        if (at == info->n_fields)
            return refuse_key("body.", pair->key, err);
        int rc = codec_get_field(pair->value, &info->fields[at], body, "body.", err);
        if (rc < 0)
            return rc;
        seen |= UINT64_C(1) << at;
        next = at + 1;
    }
    for (size_t i = 0; i < info->n_fields; i++) {
        if ((seen >> i & 1) != 0)
            continue;
        if (info->fields[i].required)
            return codec_refuse(err, WF_E_INVALID, "body.", info->fields[i].name, "missing");
        codec_clear_field(&info->fields[i], body);
    }
    return 0;
}

/* What each key of the envelope holds; NULL where it is missing. */
struct parts {
    const struct wf_value *at[KEYS];
};

static int find_parts(const struct wf_value *root, struct parts *parts, struct wf_error *err)
{
    memset(parts, 0, sizeof(*parts));
    if (root->type != WF_MAP)
        return wf_fail(err, WF_E_INVALID, "a message is a map");
    const struct wf_str *unknown = NULL;
    for (size_t i = 0; i < root->u.map.n; i++) {
        const struct wf_pair *pair = &root->u.map.pairs[i];
        size_t at = find_field(keys, WF_COUNT(keys), pair->key, i);
        if (at == WF_COUNT(keys) && wf_str_is(pair->key, "body"))
            at = KEY_BODY;
        else if (at == WF_COUNT(keys)) {
            unknown = &pair->key;
            continue;
        }
        parts->at[at] = pair->value;
    }
    return unknown != NULL ? refuse_key("", *unknown, err) : 0;
}

static int read_key(const struct parts *parts, size_t key, struct header *header,
                    struct wf_error *err)
{
    if (parts->at[key] != NULL)
        return codec_get_field(parts->at[key], &keys[key], header, "", err);
    if (keys[key].required)
        return codec_refuse(err, WF_E_INVALID, "", keys[key].name, "missing");
    codec_clear_field(&keys[key], header);
    return 0;
}

/* The id comes first, so that even a refusal of the rest can be matched with its request. */
static int read_header(const struct parts *parts, struct header *header, struct wf_str *out_id,
                       struct wf_error *err)
{
    static const size_t order[] = {KEY_ID, KEY_V, KEY_TYPE, KEY_RE, KEY_PARTY, KEY_TO, KEY_SEQ};
    for (size_t i = 0; i < WF_COUNT(order); i++) {
        int rc = read_key(parts, order[i], header, err);
        if (rc < 0)
            return rc;
        if (order[i] == KEY_ID)
            *out_id = header->id;
    }
    if (header->v != WF_PROTOCOL_VERSION)
        return codec_refuse(err, WF_E_UNSUPPORTED, "", "v", "version is not known");
    return 0;
}

static bool fits(enum wf_end in_table, enum wf_end actual)
{
    if (in_table == WF_END_PARTY || actual == WF_END_PARTY)
        return in_table == actual;
    return in_table == actual || in_table == WF_END_ANY || actual == WF_END_ANY;
}

/* `to` is the address on the outside: it may say no other service than the one that reads it. */
static int check_to(struct wf_str to, const struct wf_message_info *info, enum wf_end receiver,
                    struct wf_error *err)
{
    if (to.len == 0)
        return 0;
    int service = wf_service_of_word(to);
    if (service < 0)
        return codec_refuse(err, WF_E_INVALID, "", "to", "no such service");
    if (!fits(info->receiver, (enum wf_end)service) || !fits(receiver, (enum wf_end)service))
        return codec_refuse(err, WF_E_UNSUPPORTED, "", "to", "not for this receiver");
    return 0;
}

static int check_type(const struct header *header, enum wf_end sender, enum wf_end receiver,
                      const struct wf_message_info **out, struct wf_error *err)
{
    const struct wf_message_info *info = wf_message_by_name(header->type);
    if (info == NULL)
        return codec_refuse(err, WF_E_UNSUPPORTED, "", "type", "no such message");
    if (!fits(info->sender, sender))
        return codec_refuse(err, WF_E_UNSUPPORTED, "", "type", "not for this sender");
    if (!fits(info->receiver, receiver))
        return codec_refuse(err, WF_E_UNSUPPORTED, "", "type", "not for this receiver");
    if (is_from_party(info) && header->id.len == 0)
        return codec_refuse(err, WF_E_INVALID, "", "id", "missing or empty");
    if (is_from_party(info) && header->re.len > 0)
        return codec_refuse(err, WF_E_INVALID, "", "re", "not in a request");
    if (is_from_party(info)) {
        int rc = check_to(header->to, info, receiver, err);
        if (rc < 0)
            return rc;
    }
    *out = info;
    return 0;
}

static int read_message(const struct wf_value *root, enum wf_end sender, enum wf_end receiver,
                        struct wf_arena *arena, struct wf_envelope *out, struct wf_error *err)
{
    struct parts parts;
    struct header header = {0};
    struct wf_error unknown_key;
    const struct wf_message_info *info = NULL;
    int unknown = find_parts(root, &parts, &unknown_key);
    int rc = read_header(&parts, &header, &out->id, err);
    if (rc == 0)
        rc = check_type(&header, sender, receiver, &info, err);
    /* A misspelt key explains best what else is missing; a reply may have keys of its own. */
    bool is_reply = info != NULL && info->receiver == WF_END_PARTY;
    if (unknown < 0 && (rc == 0 || rc == WF_E_INVALID) && !is_reply)
        return wf_fail_field(err, unknown, unknown_key.field, "%s", unknown_key.text);
    if (rc < 0 || info == NULL)
        return rc;
    if (parts.at[KEY_BODY] == NULL || parts.at[KEY_BODY]->type != WF_MAP)
        return codec_refuse(err, WF_E_INVALID, "", "body", "missing or no map");
    void *body = wf_arena_alloc(arena, info->size);
    if (body == NULL)
        return wf_fail(err, WF_E_NOMEM, "no memory for the body");
    rc = read_body(info, parts.at[KEY_BODY], body, err);
    if (rc == 0)
        *out = (struct wf_envelope){info->code, header.id, header.re, header.party,
                                    header.to,  body,      header.seq};
    return rc;
}

int wf_message_unpack(struct wf_slice frame, enum wf_end sender, enum wf_end receiver,
                      struct wf_arena *arena, struct wf_envelope *out, struct wf_error *err)
{
    out->id = (struct wf_str){"", 0};
    const struct wf_value *root = NULL;
    int rc = codec_read(frame, limits_for(sender == WF_END_PARTY), arena, &root, err);
    return rc == 0 ? read_message(root, sender, receiver, arena, out, err) : rc;
}

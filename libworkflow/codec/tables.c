/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of messages.h and records.h as data.
 */
#include "internal.h"

#include <string.h>

#define NEED_REQ true
#define NEED_OPT false

/* clang-format off */
#define FIELD(m, type_, name_, need, max_, help_) \
    {.name = #name_, .type = WF_WIRE_##type_, .offset = offsetof(struct wf_msg_##m, name_), \
     .required = NEED_##need, .max = max_, .help = help_},
#define X(code, name, sender, receiver, help) \
    static const struct wf_wire_field message_##name[] = {WF_FIELDS_##name(FIELD, name)};
WF_MESSAGES(X)
#undef X
#undef FIELD

static const struct wf_message_info messages[] = {
#define X(code_, name_, sender_, receiver_, help_) \
    {.code = WF_MSG_##name_, .name = #name_, \
     .sender = WF_END_##sender_, .receiver = WF_END_##receiver_, \
     .size = sizeof(struct wf_msg_##name_), \
     .fields = message_##name_, .n_fields = WF_COUNT(message_##name_), .help = help_},
WF_MESSAGES(X)
#undef X
};

#define FIELD(m, type_, name_, need, max_) \
    {.name = #name_, .type = WF_WIRE_##type_, .offset = offsetof(struct wf_rec_##m, name_), \
     .required = NEED_##need, .max = max_, .help = ""},
#define X(name) \
    static const struct wf_wire_field record_##name[] = {WF_RECORD_##name(FIELD, name)};
WF_RECORDS(X)
#undef X
#undef FIELD

static const struct record_info records[WF_RECORD_COUNT] = {
#define X(name_) \
    [WF_REC_##name_] = {#name_, sizeof(struct wf_rec_##name_), \
                        record_##name_, WF_COUNT(record_##name_)},
WF_RECORDS(X)
#undef X
};

static const char *const service_words[WF_SERVICE_COUNT] = {
#define X(name, number, word) [number] = word,
    WF_SERVICES(X)
#undef X
};

/* The reader marks the fields of a message that it has seen in one 64-bit word. */
#define X(code, name, sender, receiver, help) \
    _Static_assert(WF_COUNT(message_##name) <= 64, "message with more than 64 fields: " #name);
WF_MESSAGES(X)
#undef X
/* clang-format on */

const char *wf_service_word(enum wf_service service)
{
    return service_words[service];
}

int wf_service_of_word(struct wf_str word)
{
    for (int i = 0; i < WF_SERVICE_COUNT; i++) {
        if (wf_str_is(word, service_words[i]))
            return i;
    }
    return -1;
}

int wf_service_of_activity(const char *activity)
{
    const char *dot = activity != NULL ? strchr(activity, '.') : NULL;
    if (dot == NULL)
        return -1;
    return wf_service_of_word((struct wf_str){activity, (size_t)(dot - activity)});
}

const struct wf_message_info *wf_message_info(enum wf_message code)
{
    for (size_t i = 0; i < WF_COUNT(messages); i++) {
        if (messages[i].code == code)
            return &messages[i];
    }
    return NULL;
}

const struct wf_message_info *wf_message_by_name(struct wf_str name)
{
    for (size_t i = 0; i < WF_COUNT(messages); i++) {
        if (wf_str_is(name, messages[i].name))
            return &messages[i];
    }
    return NULL;
}

const struct wf_message_info *wf_message_table(size_t *n)
{
    *n = WF_COUNT(messages);
    return messages;
}

const struct record_info *codec_record(enum wf_record kind)
{
    return &records[kind];
}

const struct wf_wire_field *wf_record_fields(enum wf_record kind, size_t *n)
{
    *n = records[kind].n_fields;
    return records[kind].fields;
}

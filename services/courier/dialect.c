/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two dialects that were seen, as tables. `ngsp` is the interface that the national service
 * platform offers to provinces; `lgsp` the order of a province's own platform, which numbers
 * parcels from a pool and knows an answer for "was there before". Of lgsp only the order was seen:
 * its cancel and tracking are worded after ngsp's.
 */
#include "dialect.h"

#include <string.h>

/* clang-format off */
static const struct dialect_field ngsp_order[] = {
    {"customerCode",     FACT_CUSTOMER,          false},
    {"orderNumber",      FACT_ORDER,             false},
    {"codAmount",        FACT_COD,               true},
    {"senderProvince",   FACT_SENDER_PROVINCE,   false},
    {"senderDistrict",   FACT_SENDER_DISTRICT,   false},
    {"senderAddress",    FACT_SENDER_ADDRESS,    false},
    {"senderName",       FACT_SENDER_NAME,       false},
    {"senderEmail",      FACT_SENDER_EMAIL,      false},
    {"senderTel",        FACT_SENDER_TEL,        false},
    {"senderDesc",       FACT_SENDER_DESC,       false},
    {"description",      FACT_DESCRIPTION,       false},
    {"receiverName",     FACT_RECEIVER_NAME,     false},
    {"receiverAddress",  FACT_RECEIVER_ADDRESS,  false},
    {"receiverTel",      FACT_RECEIVER_TEL,      false},
    {"receiverProvince", FACT_RECEIVER_PROVINCE, false},
    {"receiverDistrict", FACT_RECEIVER_DISTRICT, false},
    {"receiverEmail",    FACT_RECEIVER_EMAIL,    false},
};

static const struct dialect_field ngsp_cancel[] = {
    {"customerCode", FACT_CUSTOMER, false},
    {"orderNumber",  FACT_ORDER,    false},
};

static const struct dialect_code ngsp_codes[] = {
    {"0",   VERDICT_ACCEPTED},
    {"200", VERDICT_ACCEPTED},
    {"201", VERDICT_ACCEPTED},
    {"409", VERDICT_DUPLICATE},
    {"401", VERDICT_TOKEN},
    {"403", VERDICT_TOKEN},
    {"408", VERDICT_LATER},
    {"429", VERDICT_LATER},
};

static const struct dialect_field lgsp_order[] = {
    {"CustomerCode",     FACT_CUSTOMER,          false},
    {"ItemCode",         FACT_ITEM,              false},
    {"OrderNumber",      FACT_ORDER,             false},
    {"CODAmount",        FACT_COD,               true},
    {"SenderProvince",   FACT_SENDER_PROVINCE,   false},
    {"SenderDistrict",   FACT_SENDER_DISTRICT,   false},
    {"SenderAddress",    FACT_SENDER_ADDRESS,    false},
    {"SenderName",       FACT_SENDER_NAME,       false},
    {"SenderEmail",      FACT_SENDER_EMAIL,      false},
    {"SenderTel",        FACT_SENDER_TEL,        false},
    {"SenderDesc",       FACT_SENDER_DESC,       false},
    {"Description",      FACT_DESCRIPTION,       false},
    {"ReceiverName",     FACT_RECEIVER_NAME,     false},
    {"ReceiverAddress",  FACT_RECEIVER_ADDRESS,  false},
    {"ReceiverTel",      FACT_RECEIVER_TEL,      false},
    {"ReceiverProvince", FACT_RECEIVER_PROVINCE, false},
    {"ReceiverDistrict", FACT_RECEIVER_DISTRICT, false},
    {"ReceiverEmail",    FACT_RECEIVER_EMAIL,    false},
    {"FlagConfig",       FACT_FLAG,              true},
};

static const struct dialect_field lgsp_cancel[] = {
    {"CustomerCode", FACT_CUSTOMER, false},
    {"ItemCode",     FACT_ITEM,     false},
    {"OrderNumber",  FACT_ORDER,    false},
};

/* 101: taken, without item code or because it was there. 404: no setting, or the pool is empty. */
static const struct dialect_code lgsp_codes[] = {
    {"100", VERDICT_ACCEPTED},
    {"101", VERDICT_DUPLICATE},
    {"401", VERDICT_TOKEN},
    {"403", VERDICT_TOKEN},
    {"404", VERDICT_LATER},
    {"500", VERDICT_LATER},
};

static const struct dialect dialects[] = {
    {
        .name = "ngsp",
        .order_path = "/order", .cancel_path = "/cancelOrder",
        .tracking_path = "/getOrderTracking",
        .token_header = "Authorization: Bearer %s",
        .order = ngsp_order, .n_order = WF_COUNT(ngsp_order),
        .cancel = ngsp_cancel, .n_cancel = WF_COUNT(ngsp_cancel),
        .codes = ngsp_codes, .n_codes = WF_COUNT(ngsp_codes),
        .answer_code = "status", .answer_message = "message", .answer_item = "itemCode",
        .answer_list = "data",
        .page_size = "pageSize", .last_id = "lastId",
        .event_id = "id", .event_order = "orderNumber", .event_code = "statusCode",
        .event_time = "statusTime", .event_item = "itemCode",
        .flag = "0",
    },
    {
        .name = "lgsp",
        .order_path = "/order", .cancel_path = "/cancelOrder",
        .tracking_path = "/getOrderTracking",
        .token_header = "token: %s",
        .order = lgsp_order, .n_order = WF_COUNT(lgsp_order),
        .cancel = lgsp_cancel, .n_cancel = WF_COUNT(lgsp_cancel),
        .codes = lgsp_codes, .n_codes = WF_COUNT(lgsp_codes),
        .answer_code = "Status", .answer_message = "Message", .answer_item = "ItemCode",
        .answer_list = "Data",
        .page_size = "PageSize", .last_id = "LastId",
        .event_id = "Id", .event_order = "OrderNumber", .event_code = "StatusCode",
        .event_time = "StatusTime", .event_item = "ItemCode",
        .flag = "2",
    },
};
/* clang-format on */

const char dialect_names[] = "ngsp, lgsp";

const struct dialect *dialect_by_name(const char *name)
{
    for (size_t i = 0; i < WF_COUNT(dialects); i++) {
        if (strcmp(dialects[i].name, name) == 0)
            return &dialects[i];
    }
    return NULL;
}

static const char *const verdict_words[] = {
#define X(name, word) word,
    COURIER_VERDICTS(X)
#undef X
};

const char *verdict_word(enum courier_verdict verdict)
{
    return verdict_words[verdict];
}

bool verdict_of_word(struct wf_str word, enum courier_verdict *out)
{
    for (size_t i = 0; i < VERDICT_COUNT; i++) {
        if (wf_str_is(word, verdict_words[i])) {
            *out = (enum courier_verdict)i;
            return true;
        }
    }
    return false;
}

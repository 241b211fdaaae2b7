/* SPDX-License-Identifier: Apache-2.0 */
/* Activities, events, conditions, templates and outcomes in words that a clerk knows: tables. */
#include "explain.h"

#include <ctype.h>
#include <string.h>

struct phrase {
    const char *name;
    const char *vi;
    const char *en;
};

/* clang-format off */
static const struct phrase activities[] = {
    {"intake.register",     "Hệ thống cấp mã hồ sơ, ghi ngày hẹn trả và in giấy tiếp nhận",
                            "The system gives number and date of return, and prints the receipt"},
    {"intake.supplement",   "Chờ người nộp bổ sung giấy tờ hoặc thông tin",
                            "The citizen is asked for papers or data"},
    {"intake.link",         "Mở các thủ tục thành phần và chờ kết quả của từng thủ tục",
                            "The parts are opened as dossiers of their own and waited for"},
    {"verification.check",  "Hệ thống kiểm tra thành phần giấy tờ và thông tin",
                            "The system counts papers and checks the data"},
    {"verification.review", "Xem xét và quyết định", "Looked at and decided"},
    {"routing.handoff",     "Chuyển cơ quan có thẩm quyền giải quyết và chờ trả lời",
                            "Handed to the competent authority, which answers"},
    {"routing.consult",     "Lấy ý kiến các cơ quan liên quan", "Other authorities are asked"},
    {"routing.escalate",    "Báo người phụ trách để xử lý", "The person in charge is told and acts"},
    {"notification.send",   "Gửi thông báo", "A message is sent"},
    {"return.deliver",      "Trả kết quả cho người nộp, tại quầy hoặc qua bưu chính",
                            "The result is given back, at the counter or by post"},
    {"return.collect_fee",  "Thu phí, lệ phí", "The fee is collected"},
    {"return.archive",      "Hệ thống niêm phong và lưu hồ sơ", "The system seals and files the dossier"},
};

static const struct phrase templates[] = {
    {"receipt",    "gửi giấy tiếp nhận và hẹn trả kết quả", "the receipt with the date of return is sent"},
    {"supplement", "gửi yêu cầu bổ sung hồ sơ",      "the request for a supplement is sent"},
    {"refused",    "gửi thông báo từ chối, nêu rõ lý do", "the refusal with its reason is sent"},
    {"apology",    "gửi thư xin lỗi và hẹn lại ngày trả", "a letter of apology with a new date is sent"},
    {"ready",      "báo đã có kết quả",              "the citizen is told that the result is ready"},
    {"payment",    "gửi thông báo nộp tiền",         "the request for payment is sent"},
    {"stopped",    "gửi thông báo dừng xử lý, nêu rõ lý do", "the notice of the stop with its reason is sent"},
    {"delivered",  "gửi xác nhận đã trả kết quả",    "a confirmation of the return is sent"},
    {"returned",   "báo bưu gửi bị chuyển hoàn",     "the citizen is told that the parcel came back"},
};

/* By their beginning. "" = of no interest to a clerk. */
static const struct phrase events[] = {
    {"done.invoke.",        "khi xong",                       "when done"},
    {"done.state.",         "khi mọi phần đã xong",           "when all parts are done"},
    {"overdue",             "khi hồ sơ quá hạn trả",          "when the dossier is overdue"},
    {"deadline.",           "khi hết thời gian của bước",     "when the time of the step has run out"},
    {"error.communication", "khi bước này không thực hiện được", "when the step cannot be carried out"},
    {"withdraw",            "khi người nộp xin rút hồ sơ",    "when the citizen withdraws"},
    {"retry",               "khi được yêu cầu làm lại",       "when told to try again"},
    {"progress.",           "",                               ""},
    {"done.send.",          "",                               ""},
};

static const struct phrase conditions[] = {
    {"_event.data.verdict == 'approve'",      "nếu đồng ý",               "if approved"},
    {"_event.data.verdict == 'supplement'",   "nếu cần bổ sung",          "if more is needed"},
    {"_event.data.verdict == 'refuse'",       "nếu từ chối",              "if refused"},
    {"_event.data.complete",                  "nếu đủ thành phần",        "if complete"},
    {"_event.data.paid",                      "nếu đã nộp đủ tiền",       "if paid"},
    {"_event.data.outcome == 'delivered'",    "nếu đã trả tận tay",       "if delivered"},
    {"_event.data.outcome == 'returned'",     "nếu bưu gửi bị chuyển hoàn", "if the parcel came back"},
    {"_event.data.outcome == 'lost'",         "nếu bưu gửi thất lạc",     "if the parcel was lost"},
    {"_event.data.decision == 'approve'",     "nếu đồng ý",               "if approved"},
    {"_event.data.decision == 'refuse'",      "nếu từ chối",              "if refused"},
    {"apologies == 0",                        "lần đầu",                  "for the first time"},
    {"failures < 3",                          "tối đa ba lần",            "up to three times"},
    {"_dossier.fee > 0",                      "nếu có lệ phí",            "if there is a fee"},
};

static const struct phrase outcomes[] = {
    {"approved",  "Được giải quyết, đã trả kết quả", "Settled: the citizen has the result"},
    {"refused",   "Bị từ chối",                      "Refused"},
    {"withdrawn", "Người nộp rút hồ sơ",             "Withdrawn by the citizen"},
    {"lapsed",    "Dừng do quá hạn bổ sung",         "Lapsed: nothing came in time"},
    {"stopped",   "Dừng xử lý",                      "Stopped"},
};

/* Words of expressions, for conditions that the table above does not have. */
static const struct phrase operators[] = {
    {"and", "và", "and"}, {"or", "hoặc", "or"}, {"not", "không", "not"},
    {"true", "có", "yes"}, {"false", "không", "no"}, {"in", "thuộc", "in"},
};
/* clang-format on */

static const struct phrase *find(const struct phrase *table, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

static const char *in_words(const struct page *page, const struct phrase *phrase,
                            const char *otherwise)
{
    if (phrase == NULL)
        return otherwise;
    return SAY(page, phrase->vi, phrase->en);
}

const char *say_role(const struct page *page, const char *id)
{
    const struct wf_role *role =
        page->registry != NULL ? wf_registry_role(page->registry, wf_str(id)) : NULL;
    return role != NULL ? view_words(&page->v, &role->title) : id;
}

const char *say_outcome(const struct page *page, const char *outcome)
{
    const struct phrase *phrase =
        outcome != NULL ? find(outcomes, WF_COUNT(outcomes), outcome) : NULL;
    return in_words(page, phrase, outcome != NULL ? outcome : SAY(page, "Kết thúc", "Ended"));
}

void say_duration(const struct page *page, const char *text)
{
    struct wf_limit limit;
    char buf[64];
    if (text != NULL && wf_limit_parse(wf_str(text), &limit))
        wf_buf_text(page->out, wf_limit_words(limit, page->v.vietnamese, buf, sizeof(buf)));
    else
        wf_buf_text(page->out, text != NULL ? text : "");
}

void say_invoke(const struct page *page, const struct wf_node *invoke)
{
    static const char *const about[] = {"subject", "question", "reason"};
    const char *name = node_text(invoke, "activity");
    const char *role = node_text(invoke, "role");
    wf_buf_text(page->out, in_words(page, find(activities, WF_COUNT(activities), name), name));
    if (role != NULL)
        wf_buf_printf(page->out, " (%s)", say_role(page, role));
    for (size_t i = 0; i < WF_COUNT(about); i++) {
        const char *text = node_text(invoke, about[i]);
        if (text != NULL && text[0] != '=')
            wf_buf_printf(page->out, ": %s", text);
    }
}

/* ---- conditions ---------------------------------------------------------------------------------
 */

static void say_word(const struct page *page, struct wf_str word)
{
    char name[128];
    const struct wf_field *field = wf_procedure_field(page->v.p, word);
    const struct phrase *operation =
        wf_str_copy(word, name, sizeof(name)) ? find(operators, WF_COUNT(operators), name) : NULL;
    if (field != NULL)
        wf_buf_printf(page->out, "“%s”", view_words(&page->v, &field->title));
    else if (operation != NULL)
        wf_buf_text(page->out, in_words(page, operation, ""));
    else
        wf_buf_add(page->out, word.ptr, word.len);
}

void say_condition(const struct page *page, const char *cond)
{
    for (const char *at = cond; *at != '\0';) {
        size_t length = 0;
        while (isalnum((unsigned char)at[length]) || at[length] == '_' || at[length] == '.')
            length++;
        if (wf_starts_with(at, "==")) {
            wf_buf_text(page->out, "=");
            at += 2;
        } else if (length == 0) {
            wf_buf_add(page->out, at, 1);
            at++;
        } else {
            bool is_answer = wf_starts_with(at, "_event.data.") && length > 12;
            say_word(page,
                     (struct wf_str){at + (is_answer ? 12 : 0), length - (is_answer ? 12 : 0)});
            at += length;
        }
    }
}

/* ---- triggers
 * ------------------------------------------------------------------------------------ */

/* NULL: an event that definitions name themselves. */
static const struct phrase *event_phrase(const char *event)
{
    for (size_t i = 0; i < WF_COUNT(events); i++) {
        size_t length = strlen(events[i].name);
        bool is_prefix = events[i].name[length - 1] == '.';
        if (is_prefix ? wf_starts_with(event, events[i].name) : strcmp(event, events[i].name) == 0)
            return &events[i];
    }
    return NULL;
}

static void say_events(const struct page *page, const char *descriptors)
{
    char word[256];
    bool is_first = true;
    for (const char *at = descriptors; *(at += strspn(at, " \t\n")) != '\0';) {
        size_t length = strcspn(at, " \t\n");
        if (wf_str_copy((struct wf_str){at, length}, word, sizeof(word))) {
            const struct phrase *phrase = event_phrase(word);
            wf_buf_text(page->out, is_first ? "" : SAY(page, ", hoặc ", ", or "));
            if (phrase != NULL)
                wf_buf_text(page->out, in_words(page, phrase, ""));
            else
                wf_buf_printf(page->out, "%s “%s”", SAY(page, "khi có", "on"), word);
            is_first = false;
        }
        at += length;
    }
}

void say_trigger(const struct page *page, const struct wf_node *transition, bool is_rest)
{
    const char *event = node_text(transition, "event");
    const char *cond = node_text(transition, "cond");
    const struct phrase *known = cond != NULL ? find(conditions, WF_COUNT(conditions), cond) : NULL;
    bool is_answer = event != NULL && wf_starts_with(event, "done.invoke.");
    if (event != NULL && !(is_answer && (known != NULL || (is_rest && cond == NULL)))) {
        say_events(page, event);
        wf_buf_text(page->out, cond != NULL || is_rest ? ", " : "");
    }
    if (known != NULL) {
        wf_buf_text(page->out, in_words(page, known, ""));
    } else if (cond != NULL) {
        wf_buf_text(page->out, SAY(page, "nếu ", "if "));
        say_condition(page, cond);
    } else if (is_rest) {
        wf_buf_text(page->out, SAY(page, "trường hợp khác", "otherwise"));
    } else if (event == NULL) {
        wf_buf_text(page->out, SAY(page, "tiếp ngay", "at once"));
    }
}

/* ---- actions
 * ------------------------------------------------------------------------------------- */

struct saying {
    const struct page *page;
    bool is_first;
};

static void begin_part(struct saying *s)
{
    wf_buf_text(s->page->out, s->is_first ? "" : "; ");
    s->is_first = false;
}

static void say_send(struct saying *s, const struct wf_node *node, const char *name)
{
    const char *template = node_text(node, "template");
    if (strcmp(name, "routing.escalate") == 0) {
        begin_part(s);
        wf_buf_text(s->page->out,
                    SAY(s->page, "báo người phụ trách", "the person in charge is told"));
    } else if (strcmp(name, "notification.send") == 0 && template != NULL) {
        const struct phrase *phrase = find(templates, WF_COUNT(templates), template);
        begin_part(s);
        if (phrase != NULL)
            wf_buf_text(s->page->out, in_words(s->page, phrase, ""));
        else
            wf_buf_printf(s->page->out, SAY(s->page, "gửi thông báo “%s”", "message “%s” is sent"),
                          template);
    }
}

static void say_action(void *context, const struct wf_node *node)
{
    struct saying *s = context;
    const char *send = node_text(node, "send");
    const char *extend = node_text(node, "extend");
    if (send != NULL) {
        say_send(s, node, send);
    } else if (extend != NULL) {
        begin_part(s);
        wf_buf_text(s->page->out, SAY(s->page, "lùi ngày hẹn trả thêm ", "the date moves on by "));
        say_duration(s->page, extend);
    } else {
        each_node(node, "do", say_action, s);
        each_node(node, "elseif", say_action, s);
        each_node(node, "else", say_action, s);
    }
}

bool say_actions(const struct page *page, const struct wf_node *group, const char *key,
                 bool is_first)
{
    struct saying s = {page, is_first};
    each_node(group, key, say_action, &s);
    return s.is_first != is_first;
}

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
    {"return.collect",      "Nhận giấy tờ tại nhà người nộp qua bưu chính",
                            "Papers are fetched at the citizen's home by post"},
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
    {"reminder",            "khi sắp đến hạn trả",            "when the due date comes near"},
    {"deadline.",           "khi hết thời gian của bước",     "when the time of the step has run out"},
    {"error.communication", "khi bước này không thực hiện được", "when the step cannot be carried out"},
    {"withdraw",            "khi người nộp xin rút hồ sơ",    "when the citizen withdraws"},
    {"retry",               "khi được yêu cầu làm lại",       "when told to try again"},
    {"progress.",           "",                               ""},
    {"done.send.",          "",                               ""},
};

/* Conditions, or parts of them joined by `and`; they follow "if". */
static const struct phrase conditions[] = {
    {"_event.data.verdict == 'approve'",     "đồng ý",                   "approved"},
    {"_event.data.verdict == 'supplement'",  "cần bổ sung",              "more is needed"},
    {"_event.data.verdict == 'refuse'",      "từ chối",                  "refused"},
    {"_event.data.complete",                 "đủ thành phần",            "complete"},
    {"_event.data.paid",                     "đã nộp đủ tiền",           "paid"},
    {"_event.data.outcome == 'delivered'",   "đã trả tận tay",           "delivered"},
    {"_event.data.outcome == 'returned'",    "bưu gửi bị chuyển hoàn",   "the parcel came back"},
    {"_event.data.outcome == 'lost'",        "bưu gửi thất lạc",         "the parcel was lost"},
    {"_event.data.decision == 'approve'",    "đồng ý",                   "approved"},
    {"_event.data.decision == 'supplement'", "cần bổ sung",              "more is needed"},
    {"_event.data.decision == 'refuse'",     "từ chối",                  "refused"},
    {"has(_event.data.amount) and _event.data.amount > 0",
                                             "phải nộp tiền",            "there is something to pay"},
    {"_event.data.approved == _event.data.asked",
                                             "mọi thủ tục thành phần được giải quyết",
                                             "all parts were approved"},
    {"_event.data.approved > 0",             "một phần được giải quyết", "some parts were approved"},
    {"apologies == 0",                       "là lần đầu",               "it is the first time"},
    {"failures < 3",                         "chưa quá ba lần",          "fewer than three times so far"},
    {"_dossier.fee > 0",                     "có lệ phí",                "there is a fee"},
    {"_dossier.has_agent",                   "nộp qua người được ủy quyền", "filed by an agent"},
    {"_dossier.channel == 'online'",         "nộp trực tuyến",           "filed online"},
    {"_dossier.channel == 'post'",           "nộp qua bưu chính",        "filed at the post office"},
    {"_dossier.channel == 'one_stop'",       "nộp tại bộ phận một cửa",  "filed at the one-stop section"},
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

/* ---- conditions ---------------------------------------------------------------------------- */

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

static size_t word_length(struct wf_str text)
{
    size_t length = 0;
    while (length < text.len && (isalnum((unsigned char)text.ptr[length]) ||
                                 text.ptr[length] == '_' || text.ptr[length] == '.'))
        length++;
    return length;
}

static bool begins(struct wf_str text, const char *with)
{
    return text.len >= strlen(with) && memcmp(text.ptr, with, strlen(with)) == 0;
}

/* What no table has: titles for ids of fields, words for operators, the rest as it stands. */
static void say_expression(const struct page *page, struct wf_str text)
{
    /* clang-format off */
    static const struct phrase marks[] = {
        {"==", "=", "="}, {"!=", "≠", "≠"}, {"<=", "≤", "≤"}, {">=", "≥", "≥"},
        {"has(", "đã có (", "given ("}, {"_event.data.", "", ""},
    };
    /* clang-format on */
    while (text.len > 0) {
        size_t i = 0;
        size_t length = word_length(text);
        while (i < WF_COUNT(marks) && !begins(text, marks[i].name))
            i++;
        if (i < WF_COUNT(marks)) {
            length = strlen(marks[i].name);
            wf_buf_text(page->out, in_words(page, &marks[i], ""));
        } else if (length > 0) {
            say_word(page, (struct wf_str){text.ptr, length});
        } else {
            length = 1;
            wf_buf_add(page->out, text.ptr, 1);
        }
        text.ptr += length;
        text.len -= length;
    }
}

/* The part before an `and` that stands outside of brackets and texts. */
static size_t part_length(const char *cond)
{
    int depth = 0;
    bool in_text = false;
    size_t i = 0;
    for (; cond[i] != '\0'; i++) {
        in_text ^= cond[i] == '\'';
        depth += !in_text && (cond[i] == '(' || cond[i] == '[');
        depth -= !in_text && (cond[i] == ')' || cond[i] == ']');
        if (depth == 0 && !in_text && wf_starts_with(cond + i, " and "))
            break;
    }
    return i;
}

void say_condition(const struct page *page, const char *cond)
{
    const struct phrase *whole = find(conditions, WF_COUNT(conditions), cond);
    if (whole != NULL) {
        wf_buf_text(page->out, in_words(page, whole, ""));
        return;
    }
    for (const char *at = cond; *at != '\0';) {
        char part[512];
        struct wf_str text = {at, part_length(at)};
        const struct phrase *known = wf_str_copy(text, part, sizeof(part))
                                         ? find(conditions, WF_COUNT(conditions), part)
                                         : NULL;
        if (known != NULL)
            wf_buf_text(page->out, in_words(page, known, ""));
        else
            say_expression(page, text);
        at += text.len;
        if (*at != '\0') {
            wf_buf_text(page->out, SAY(page, " và ", " and "));
            at += strlen(" and ");
        }
    }
}

/* ---- triggers ------------------------------------------------------------------------------ */

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

/* Has the list named an event of this phrase before `until`? Two activities may end alike. */
static bool is_said(const char *descriptors, const char *until, const struct phrase *phrase)
{
    char word[256];
    for (const char *at = descriptors; phrase != NULL && at < until;) {
        at += strspn(at, " \t\n");
        size_t length = strcspn(at, " \t\n");
        if (at < until && wf_str_copy((struct wf_str){at, length}, word, sizeof(word)) &&
            event_phrase(word) == phrase)
            return true;
        at += length;
    }
    return false;
}

static void say_events(const struct page *page, const char *descriptors)
{
    char word[256];
    bool is_first = true;
    for (const char *at = descriptors; *(at += strspn(at, " \t\n")) != '\0';) {
        size_t length = strcspn(at, " \t\n");
        const struct phrase *phrase = wf_str_copy((struct wf_str){at, length}, word, sizeof(word))
                                          ? event_phrase(word)
                                          : NULL;
        if (!is_said(descriptors, at, phrase)) {
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

/* An answer says by its condition alone when it is taken. */
static bool speaks_for_itself(const char *event, const char *cond, bool is_rest)
{
    if (event == NULL || !wf_starts_with(event, "done.invoke.") || strchr(event, ' ') != NULL)
        return false;
    return cond != NULL ? wf_starts_with(cond, "_event.data.") : is_rest;
}

void say_trigger(const struct page *page, const struct wf_node *transition, bool is_rest)
{
    const char *event = node_text(transition, "event");
    const char *cond = node_text(transition, "cond");
    if (event != NULL && !speaks_for_itself(event, cond, is_rest)) {
        say_events(page, event);
        wf_buf_text(page->out, cond != NULL || is_rest ? ", " : "");
    }
    if (cond != NULL) {
        wf_buf_text(page->out, SAY(page, "nếu ", "if "));
        say_condition(page, cond);
    } else if (is_rest) {
        wf_buf_text(page->out, SAY(page, "trường hợp khác", "otherwise"));
    } else if (event == NULL) {
        wf_buf_text(page->out, SAY(page, "tiếp ngay", "at once"));
    }
}

/* ---- actions ------------------------------------------------------------------------------- */

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

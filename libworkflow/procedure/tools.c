/* SPDX-License-Identifier: Apache-2.0 */
/* What the tools share: a chart and its settings side by side, words, settings as text. */
#include "tools.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words --------------------------------------------------------------------------------- */

static const struct wf_bilingual statuses[] = {
    {"", ""},
    {"mới đăng ký", "filed"},
    {"được tiếp nhận", "received"},
    {"không được tiếp nhận", "not accepted"},
    {"đang xử lý", "in processing"},
    {"yêu cầu bổ sung hồ sơ", "supplement asked"},
    {"yêu cầu thực hiện nghĩa vụ tài chính", "payment asked"},
    {"công dân yêu cầu rút hồ sơ", "withdrawal asked"},
    {"dừng xử lý", "stopped"},
    {"đã xử lý xong", "finished"},
    {"đã trả kết quả", "returned"},
};

const char *wf_status_words(int status, bool vietnamese)
{
    if (status < 0 || (size_t)status >= WF_COUNT(statuses))
        return "";
    return vietnamese ? statuses[status].vi : statuses[status].en;
}

/* The largest unit of which a plain time is a whole number. */
static const char *real_words(int64_t ms, bool vietnamese, char *buf, size_t size)
{
    static const struct {
        int64_t ms;
        struct wf_bilingual words;
        const char *plural;
    } units[] = {
        {3600000, {"giờ", "hour"}, "s"},
        {60000, {"phút", "minute"}, "s"},
        {1000, {"giây", "second"}, "s"},
        {1, {"mili giây", "ms"}, ""},
    };
    size_t i = 0;
    while (i + 1 < WF_COUNT(units) && ms % units[i].ms != 0)
        i++;
    int64_t n = ms / units[i].ms;
    if (vietnamese)
        (void)snprintf(buf, size, "%" PRId64 " %s", n, units[i].words.vi);
    else
        (void)snprintf(buf, size, "%" PRId64 " %s%s", n, units[i].words.en,
                       n == 1 ? "" : units[i].plural);
    return buf;
}

const char *wf_limit_words(struct wf_limit limit, bool vietnamese, char *buf, size_t size)
{
    static const struct wf_bilingual units[] = {
        [WF_LIMIT_NONE] = {"không quy định", "none"},
        [WF_LIMIT_SAME_DAY] = {"trong ngày làm việc", "the same working day"},
        [WF_LIMIT_WORKING_DAYS] = {"ngày làm việc", "working day"},
        [WF_LIMIT_WORKING_HOURS] = {"giờ làm việc", "working hour"},
        [WF_LIMIT_DAYS] = {"ngày", "day"},
    };
    if (limit.unit == WF_LIMIT_REAL)
        return real_words(limit.amount, vietnamese, buf, size);
    const char *unit = vietnamese ? units[limit.unit].vi : units[limit.unit].en;
    if (limit.unit == WF_LIMIT_NONE || limit.unit == WF_LIMIT_SAME_DAY)
        (void)snprintf(buf, size, "%s", unit);
    else
        (void)snprintf(buf, size, "%" PRId64 " %s%s", limit.amount, unit,
                       vietnamese || limit.amount == 1 ? "" : "s");
    return buf;
}

/* ---- views --------------------------------------------------------------------------------- */

struct view view_of(const struct wf_procedure *p, bool vietnamese)
{
    struct view v = {.p = p, .vietnamese = vietnamese};
    v.group = wf_node_child(wf_config_root(p->config), "procedure");
    v.n_states = wf_chart_states(p->chart, &v.states);
    v.n_transitions = wf_chart_transitions(p->chart, &v.transitions);
    v.n_invokes = wf_chart_invokes(p->chart, &v.invokes);
    return v;
}

const struct wf_node *view_node(const struct view *v, int state)
{
    if (state < 0)
        return v->group;
    const struct wf_node *outer = view_node(v, v->states[state].parent);
    const struct wf_node *states = outer != NULL ? wf_node_child(outer, "states") : NULL;
    return states != NULL ? wf_node_child(states, v->states[state].id) : NULL;
}

const char *view_words(const struct view *v, const struct wf_bilingual *words)
{
    const char *text = v->vietnamese ? words->vi : words->en;
    const char *other = v->vietnamese ? words->en : words->vi;
    if (text != NULL)
        return text;
    return other != NULL ? other : "";
}

const char *view_title(const struct view *v, int state)
{
    const struct wf_chart_state *s = &v->states[state];
    const struct wf_bilingual title = {s->title_vi, s->title_en};
    const char *text = view_words(v, &title);
    return *text != '\0' ? text : s->id;
}

int view_status(const struct view *v, int state)
{
    while (state >= 0 && v->states[state].status == 0)
        state = v->states[state].parent;
    return state >= 0 ? v->states[state].status : 0;
}

bool view_is_history(const struct view *v, int state)
{
    return v->states[state].kind == WF_STATE_HISTORY ||
           v->states[state].kind == WF_STATE_DEEP_HISTORY;
}

bool view_has_children(const struct view *v, int state)
{
    return v->states[state].kind == WF_STATE_COMPOUND || v->states[state].kind == WF_STATE_PARALLEL;
}

bool view_is_inside(const struct view *v, int state, int outer)
{
    while (state >= 0 && state != outer)
        state = v->states[state].parent;
    return state == outer;
}

static const char *first_target(const struct wf_node *node)
{
    if (node != NULL && node->type == WF_NODE_GROUP)
        node = wf_node_child(node, "target");
    if (node != NULL && node->type == WF_NODE_LIST)
        node = wf_node_at(node, 0);
    return node != NULL && node->type == WF_NODE_TEXT ? node->u.text.ptr : NULL;
}

int view_initial(const struct view *v, int state)
{
    if (v->states[state].kind != WF_STATE_COMPOUND)
        return -1;
    const struct wf_node *node = view_node(v, state);
    const char *named = node != NULL ? first_target(wf_node_child(node, "initial")) : NULL;
    if (named != NULL)
        return wf_chart_find(v->p->chart, named);
    for (size_t i = 0; i < v->n_states; i++) {
        if (v->states[i].parent == state && !view_is_history(v, (int)i))
            return (int)i;
    }
    return -1;
}

/* ---- settings ------------------------------------------------------------------------------ */

void each_node(const struct wf_node *group, const char *key, node_fn *fn, void *context)
{
    const struct wf_node *list = group != NULL ? wf_node_child(group, key) : NULL;
    if (list == NULL)
        return;
    if (list->type == WF_NODE_GROUP) {
        fn(context, list);
        return;
    }
    for (size_t i = 0; list->type == WF_NODE_LIST && i < wf_node_count(list); i++) {
        if (wf_node_at(list, i)->type == WF_NODE_GROUP)
            fn(context, wf_node_at(list, i));
    }
}

const char *node_text(const struct wf_node *group, const char *key)
{
    const struct wf_node *node = group != NULL ? wf_node_child(group, key) : NULL;
    return node != NULL && node->type == WF_NODE_TEXT ? node->u.text.ptr : NULL;
}

static void render_text(struct wf_str text, struct wf_buf *out)
{
    wf_buf_text(out, "\"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            wf_buf_text(out, "\\");
        if (text.ptr[i] == '\n')
            wf_buf_text(out, "\\n");
        else
            wf_buf_add(out, &text.ptr[i], 1);
    }
    wf_buf_text(out, "\"");
}

/* The shortest text that reads back as the same number, and as one that is no integer. */
static void render_number(double number, struct wf_buf *out)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) >= number && strtod(text, NULL) <= number)
            break;
    }
    wf_buf_printf(out, "%s%s", text, strpbrk(text, ".e") != NULL ? "" : ".0");
}

static void render_children(const struct wf_node *node, struct wf_buf *out)
{
    bool is_group = node->type == WF_NODE_GROUP;
    wf_buf_text(out, is_group ? "{" : "(");
    for (size_t i = 0; i < wf_node_count(node); i++) {
        const struct wf_node *child = wf_node_at(node, i);
        if (is_group)
            wf_buf_printf(out, " %s = ", child->name);
        else
            wf_buf_text(out, i > 0 ? ", " : " ");
        render_node(child, out);
        if (is_group)
            wf_buf_text(out, ";");
    }
    wf_buf_text(out, is_group ? " }" : " )");
}

void render_node(const struct wf_node *node, struct wf_buf *out)
{
    switch (node->type) {
    case WF_NODE_GROUP:
    case WF_NODE_LIST:
        render_children(node, out);
        break;
    case WF_NODE_TEXT:
        render_text(node->u.text, out);
        break;
    case WF_NODE_INT:
        wf_buf_printf(out, "%" PRId64, node->u.integer);
        break;
    case WF_NODE_NUMBER:
        render_number(node->u.number, out);
        break;
    case WF_NODE_BOOL:
        wf_buf_text(out, node->u.boolean ? "true" : "false");
        break;
    }
}

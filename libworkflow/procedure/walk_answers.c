/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What activities answer in a simulation: one row each, the favourable answer first. The members
 * are those that docs/procedures.md promises to definitions.
 */
#include "walk.h"

#include <stdlib.h>
#include <string.h>

#define HOURS WF_LIMIT_WORKING_HOURS

/* clang-format off */
static const struct walk_activity activities[] = {
    {"intake.register",     WF_LIMIT_NONE, 0, 0, 0, {{0}}},
    {"intake.link",         WF_LIMIT_DAYS, 1, 9, 3, {
        {75, {{"approved", WF_INT, "3"},           {"asked", WF_INT, "3"}}},
        {15, {{"approved", WF_INT, "2"},           {"asked", WF_INT, "3"}}},
        {10, {{"approved", WF_INT, "0"},           {"asked", WF_INT, "3"}}}}},
    {"verification.check",  WF_LIMIT_NONE, 0, 0, 2, {
        {75, {{"complete", WF_BOOL, "true"},       {"problems", WF_LIST, NULL}}},
        {25, {{"complete", WF_BOOL, "false"},      {"problems", WF_LIST, "dry run"}}}}},
    {"return.archive",      WF_LIMIT_NONE, 0, 0, 1, {
        {1,  {{"seal", WF_TEXT, "dry run"},        {"until", WF_TEXT, "2046-12-31"}}}}},
    {"intake.supplement",   WF_LIMIT_DAYS, 0, 6, 1, {
        {1,  {{"papers", WF_LIST, NULL},           {"fields", WF_MAP, NULL}}}}},
    {"verification.review", HOURS, 0, 7, 3, {
        {70, {{"verdict", WF_TEXT, "approve"}}},
        {18, {{"verdict", WF_TEXT, "supplement"},  {"reason", WF_TEXT, "dry run"},
              {"items", WF_LIST, "dry run"}}},
        {12, {{"verdict", WF_TEXT, "refuse"},      {"reason", WF_TEXT, "dry run"}}}}},
    {"routing.handoff",     HOURS, 2, 16, 3, {
        {60, {{"decision", WF_TEXT, "approve"},    {"number", WF_TEXT, "1"}}},
        {25, {{"decision", WF_TEXT, "approve"},    {"number", WF_TEXT, "1"},
              {"amount", WF_INT, "700000"}}},
        {15, {{"decision", WF_TEXT, "refuse"},     {"number", WF_TEXT, "1"},
              {"reason", WF_TEXT, "dry run"}}}}},
    {"routing.consult",     HOURS, 1, 20, 1, {{1, {{0}}}}},
    {"routing.escalate",    HOURS, 0, 6, 1, {
        {1,  {{"reason", WF_TEXT, "dry run"}}}}},
    {"notification.send",   WF_LIMIT_REAL, 1000, 60000, 2, {
        {90, {{"sent", WF_BOOL, "true"},           {"channel", WF_TEXT, "sms"}}},
        {10, {{"sent", WF_BOOL, "false"},          {"channel", WF_TEXT, "sms"}}}}},
    {"return.deliver",      WF_LIMIT_DAYS, 0, 4, 3, {
        {80, {{"outcome", WF_TEXT, "delivered"},   {"item", WF_TEXT, "EE000000000VN"}}},
        {12, {{"outcome", WF_TEXT, "returned"},    {"item", WF_TEXT, "EE000000000VN"}}},
        {8,  {{"outcome", WF_TEXT, "lost"},        {"item", WF_TEXT, "EE000000000VN"}}}}},
    {"return.collect",      WF_LIMIT_DAYS, 0, 4, 3, {
        {85, {{"outcome", WF_TEXT, "delivered"},   {"item", WF_TEXT, "EE000000000VN"}}},
        {13, {{"outcome", WF_TEXT, "returned"},    {"item", WF_TEXT, "EE000000000VN"}}},
        {2,  {{"outcome", WF_TEXT, "lost"},        {"item", WF_TEXT, "EE000000000VN"}}}}},
    {"return.collect_fee",  WF_LIMIT_DAYS, 0, 3, 2, {
        {85, {{"paid", WF_BOOL, "true"},           {"receipt", WF_TEXT, "1"}}},
        {15, {{"paid", WF_BOOL, "false"},          {"receipt", WF_TEXT, ""}}}}},
};
/* clang-format on */

const struct walk_activity *walk_activity(const char *name)
{
    static const struct walk_activity unknown = {.name = "?", .unit = HOURS, .most = 8};
    for (size_t i = 0; i < WF_COUNT(activities); i++) {
        if (strcmp(activities[i].name, name) == 0)
            return &activities[i];
    }
    return &unknown;
}

static const struct wf_value *member_value(const struct walk_member *member, struct wf_arena *arena)
{
    struct wf_value *list;
    switch (member->type) {
    case WF_BOOL:
        return wf_bool(strcmp(member->text, "true") == 0);
    case WF_INT:
        return wf_int(arena, strtoll(member->text, NULL, 10));
    case WF_TEXT:
        return wf_text(arena, member->text);
    case WF_LIST:
        list = wf_list(arena);
        if (member->text != NULL)
            (void)wf_list_add(arena, list, wf_text(arena, member->text));
        return list;
    case WF_MAP:
        return wf_map(arena);
    case WF_NULL:
    case WF_NUMBER:
        break;
    }
    return &wf_null;
}

const struct wf_value *walk_part_answer(const struct wf_value *params, size_t i,
                                        struct wf_arena *arena)
{
    const struct wf_value *from = wf_list_at(wf_map_get(params, "to"), i);
    struct wf_value *answer = wf_map(arena);
    (void)wf_map_put(arena, answer, "answer", wf_text(arena, "agree"));
    (void)wf_map_put(arena, answer, "from", from != NULL ? from : &wf_null);
    return answer;
}

/* All who were asked, in order. */
static void add_answers(const struct wf_value *params, struct wf_value *data,
                        struct wf_arena *arena)
{
    size_t n = wf_value_count(wf_map_get(params, "to"));
    struct wf_value *answers = wf_list(arena);
    for (size_t i = 0; i < n; i++)
        (void)wf_list_add(arena, answers, walk_part_answer(params, i, arena));
    (void)wf_map_put(arena, data, "answers", answers);
    (void)wf_map_put(arena, data, "agreed", wf_int(arena, (int64_t)n));
    (void)wf_map_put(arena, data, "asked", wf_int(arena, (int64_t)n));
}

const struct wf_value *walk_answer_data(const struct walk_activity *activity, size_t answer,
                                        const struct wf_value *params, struct wf_arena *arena)
{
    struct wf_value *data = wf_map(arena);
    const struct wf_value *amount = wf_map_get(params, "amount");
    if (answer < activity->n_answers) {
        const struct walk_member *members = activity->answers[answer].members;
        for (size_t i = 0; i < 4 && members[i].name != NULL; i++)
            (void)wf_map_put(arena, data, members[i].name, member_value(&members[i], arena));
    }
    if (strcmp(activity->name, "routing.consult") == 0)
        add_answers(params, data, arena);
    if (strcmp(activity->name, "return.collect_fee") == 0 && amount != NULL)
        (void)wf_map_put(arena, data, "amount", amount);
    return data;
}

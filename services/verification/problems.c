/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of verification.check, free of any dossier at work.
 *
 * Papers and fields that are missing come from the procedure itself. On top of that: who may file
 * for the citizen (rules R20 to R22 of the pilot), and whether numbers agree with each other.
 * A citizen number is compared with the birth date and sex that stand beside it: the field
 * "mother_citizen_id" with "mother_birth_date" and "mother_sex", and so on.
 */
#include "verification.h"

#include <stdio.h>
#include <string.h>

#define ID_SIZE 96

struct problems {
    struct wf_arena *arena;
    struct wf_value *list;
};

static void add(const struct problems *to, const char *kind, const char *id, const char *vi,
                const char *en)
{
    struct wf_value *problem = wf_map(to->arena);

    (void)wf_map_put(to->arena, problem, "kind", wf_text(to->arena, kind));
    (void)wf_map_put(to->arena, problem, "id", wf_text(to->arena, id));
    (void)wf_map_put(to->arena, problem, "vi", wf_text(to->arena, vi));
    (void)wf_map_put(to->arena, problem, "en", wf_text(to->arena, en));
    (void)wf_list_add(to->arena, to->list, problem);
}

static void add_missing(const struct problems *to, const struct wf_procedure *procedure,
                        const struct wf_rec_content *content)
{
    const struct wf_value *missing =
        wf_procedure_missing(procedure, content->fields, content->papers, to->arena);

    if (missing == NULL)
        to->list->broken = true;
    for (size_t i = 0; i < wf_value_count(missing); i++)
        (void)wf_list_add(to->arena, to->list, wf_list_at(missing, i));
}

/* ---- who files --------------------------------------------------------------------------------
 */

struct agent_rule {
    const char *member;
    int (*check)(struct wf_str text, struct wf_error *err); /* NULL = must only be there */
    const char *id, *vi, *en;
};

/* clang-format off */
static const struct agent_rule agent_rules[] = {
    {"full_name", NULL, "agent.full_name", "Thiếu họ tên người được ủy quyền",
     "the agent's name is missing"},
    {"citizen_id", wf_check_citizen_id, "agent.citizen_id",
     "Số định danh của người được ủy quyền thiếu hoặc không hợp lệ",
     "the agent's citizen number is missing or not valid"},
    {"mandate", NULL, "agent.mandate", "Thiếu giấy ủy quyền hoặc giấy tờ chứng minh quan hệ",
     "the mandate or the proof of kinship is missing"},
};
/* clang-format on */

static void check_agent(const struct problems *to, const struct wf_procedure *procedure,
                        const struct wf_value *agent)
{
    struct wf_error ignored;

    if (wf_value_count(agent) == 0)
        return;
    if (!procedure->agent_allowed) {
        add(to, "agent", "agent", "Thủ tục này không được ủy quyền, công dân phải tự nộp",
            "nobody may file this procedure for the citizen");
        return;
    }
    for (size_t i = 0; i < WF_COUNT(agent_rules); i++) {
        const struct agent_rule *rule = &agent_rules[i];
        struct wf_str given = wf_value_str(wf_map_get(agent, rule->member));

        if (given.len == 0 || (rule->check != NULL && rule->check(given, &ignored) != 0))
            add(to, "agent", rule->id, rule->vi, rule->en);
    }
}

static void check_channel(const struct problems *to, const struct wf_procedure *procedure,
                          struct wf_str channel)
{
    if (procedure->presence_required && wf_str_is(channel, "post"))
        add(to, "channel", "channel", "Công dân phải có mặt, không nhận hồ sơ qua bưu chính",
            "the citizen must appear in person: not accepted by post");
}

/* ---- numbers that must agree ------------------------------------------------------------------
 */

/* The value of the field PREFIX + name, where PREFIX stands before "citizen_id" in `id`. */
static struct wf_str beside(const struct wf_value *fields, const char *id, const char *name)
{
    int prefix = (int)(strlen(id) - strlen("citizen_id"));
    char other[ID_SIZE];

    (void)snprintf(other, sizeof(other), "%.*s%s", prefix, id, name);
    return wf_value_str(wf_map_get(fields, other));
}

static int birth_year(struct wf_str date)
{
    struct wf_error ignored;
    int year = 0;

    if (wf_check_date(date, &ignored) != 0)
        return 0;
    for (size_t i = 0; i < 4; i++)
        year = year * 10 + (date.ptr[i] - '0');
    return year;
}

static char sex_letter(struct wf_str sex)
{
    if (wf_str_is(sex, "male"))
        return 'm';
    return wf_str_is(sex, "female") ? 'f' : 0;
}

static bool names_citizen_id(const char *id)
{
    size_t length = strlen(id);
    size_t tail = strlen("citizen_id");

    return length >= tail && strcmp(id + length - tail, "citizen_id") == 0;
}

static bool agrees(const struct wf_field *field, struct wf_str number,
                   const struct wf_value *fields)
{
    struct wf_error ignored;
    int year;
    char sex;

    if (!names_citizen_id(field->id))
        return true;
    year = birth_year(beside(fields, field->id, "birth_date"));
    sex = sex_letter(beside(fields, field->id, "sex"));
    return wf_check_citizen_birth(number, year, sex, &ignored) == 0;
}

static void check_field(const struct problems *to, const struct wf_field *field,
                        const struct wf_value *fields)
{
    struct wf_str given = wf_value_str(wf_map_get(fields, field->id));
    struct wf_error ignored;

    if (given.len == 0)
        return;
    if (field->type == WF_FIELD_MOBILE && wf_check_mobile(given, &ignored) != 0)
        add(to, "field", field->id, "Số điện thoại không hợp lệ", "not a mobile number");
    if (field->type != WF_FIELD_CITIZEN_ID)
        return;
    if (wf_check_citizen_id(given, &ignored) != 0)
        add(to, "field", field->id, "Số định danh cá nhân không hợp lệ", "not a citizen number");
    else if (!agrees(field, given, fields))
        add(to, "field", field->id, "Số định danh không khớp với ngày sinh hoặc giới tính",
            "the citizen number does not agree with birth date or sex");
}

const struct wf_value *hoso_problems(const struct wf_procedure *procedure,
                                     const struct wf_rec_content *content, struct wf_str channel,
                                     struct wf_arena *arena)
{
    struct problems found = {.arena = arena, .list = wf_list(arena)};

    if (found.list == NULL)
        return NULL;
    add_missing(&found, procedure, content);
    check_agent(&found, procedure, content->agent);
    check_channel(&found, procedure, channel);
    for (size_t i = 0; i < procedure->n_fields; i++)
        check_field(&found, &procedure->fields[i], content->fields);
    return wf_value_is_whole(found.list) ? found.list : NULL;
}

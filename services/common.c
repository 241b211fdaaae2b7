/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_SIZE 64

const char *hoso_site(struct wf_work *work)
{
    struct wf_str site = wf_work_dossier(work)->site;

    return wf_arena_strndup(wf_work_arena(work), site.len > 0 ? site.ptr : "", site.len);
}

const char *hoso_param(struct wf_work *work, const char *name)
{
    return wf_value_text(wf_map_get(wf_work_params(work), name), "");
}

struct wf_value *hoso_params_copy(struct wf_work *work)
{
    return wf_map_copy(wf_work_arena(work), wf_work_params(work));
}

int64_t hoso_number_setting(struct wf_work *work, const char *name, int64_t least, int64_t most)
{
    int64_t number = strtoll(wf_work_setting(work, name), NULL, 10);

    if (number < least)
        return least;
    return number < most ? number : most;
}

int hoso_done(struct wf_work *work, const struct wf_value *data, struct wf_error *err)
{
    if (!wf_value_is_whole(data))
        return wf_fail(err, WF_E_NOMEM, "result of %s: out of memory", wf_work_id(work));
    wf_work_done(work, data);
    return 0;
}

int hoso_open(struct wf_work *work, const char *to, const char *role, const struct wf_value *params,
              struct wf_error *err)
{
    if (to == NULL || to[0] == '\0')
        to = hoso_site(work);
    if (to == NULL || !wf_value_is_whole(params))
        return wf_fail(err, WF_E_NOMEM, "task of %s: out of memory", wf_work_id(work));
    return wf_work_open_task(work, to, role, params, 0, err);
}

const char *hoso_role(struct wf_work *work, const char *otherwise)
{
    const char *role = wf_work_role(work);

    return role[0] != '\0' ? role : otherwise;
}

static int result_error(const char *name, const char *what, struct wf_error *err)
{
    char field[FIELD_SIZE];

    (void)snprintf(field, sizeof(field), "result.%s", name);
    return wf_fail_field(err, WF_E_INVALID, field, "%s %s", field, what);
}

int hoso_need_text(const struct wf_value *result, const char *name, struct wf_error *err)
{
    if (wf_value_str(wf_map_get(result, name)).len == 0)
        return result_error(name, "must be a text and not empty", err);
    return 0;
}

static int one_of_error(const char *name, const char *const *words, size_t n_words,
                        struct wf_error *err)
{
    char text[256] = "must be one of:";
    size_t used = strlen(text);

    for (size_t i = 0; i < n_words && used < sizeof(text); i++) {
        int n = snprintf(text + used, sizeof(text) - used, "%s %s", i > 0 ? "," : "", words[i]);

        used += n > 0 ? (size_t)n : 0;
    }
    return result_error(name, text, err);
}

int hoso_need_word(const struct wf_value *result, const char *name, const char *const *words,
                   size_t n_words, struct wf_error *err)
{
    struct wf_str given = wf_value_str(wf_map_get(result, name));

    for (size_t i = 0; i < n_words; i++) {
        if (wf_str_is(given, words[i]))
            return 0;
    }
    return one_of_error(name, words, n_words, err);
}

int hoso_may_be(const struct wf_value *result, const char *name, enum wf_type type,
                struct wf_error *err)
{
    const struct wf_value *value = wf_map_get(result, name);
    char text[64];

    if (value == NULL || value->type == WF_NULL || value->type == type)
        return 0;
    (void)snprintf(text, sizeof(text), "must be of type %s", wf_type_name(type));
    return result_error(name, text, err);
}

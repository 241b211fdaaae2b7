/* SPDX-License-Identifier: Apache-2.0 */
#include "support/activities.h"

struct wf_error err;

int set_up(void **state)
{
    *state = fake_work_new();
    return *state == NULL;
}

int tear_down(void **state)
{
    fake_work_free(*state);
    return 0;
}

const struct wf_activity *activity(const char *name)
{
    const struct wf_service_spec *spec =
        hoso_service((enum wf_service)wf_service_of_activity(name));

    for (size_t i = 0; i < spec->n_activities; i++) {
        if (strcmp(spec->activities[i].info.name, name) == 0)
            return &spec->activities[i];
    }
    fail_msg("there is no activity %s", name);
    return NULL;
}

const char *text_of(const struct wf_value *map, const char *name)
{
    return wf_value_text(wf_map_get(map, name), "(nothing)");
}

int64_t int_of(const struct wf_value *map, const char *name)
{
    return wf_value_int(wf_map_get(map, name), -1);
}

bool refuses(const char *name, const struct wf_value *result, const char *field)
{
    struct wf_rec_task task = {.params = &wf_null};
    bool refused = activity(name)->check_result(&task, result, &err) == WF_E_INVALID;

    if (refused && field != NULL)
        assert_string_equal(err.field, field);
    return refused;
}

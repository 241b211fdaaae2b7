/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notification.send: one message, by the first channel that takes it.
 *
 * The gateway of a channel gets a task {to, text, template, data, form, dossier}; form tells which
 * national form goes with the message. When it has failed there for good, the next channel is
 * tried; after the last one the task becomes a dead letter. Memory: {left: [channels not tried
 * yet]}. The text is made anew for each channel from the task's template and data, so that nothing
 * personal need be remembered.
 */
#include "notification.h"

#include "workflow/forms.h"

struct message {
    const char *template;
    const struct wf_value *data; /* the definition's own values, or NULL */
};

/* What placeholders stand for; the definition's values go over the dossier's own. */
static struct wf_value *values_of(struct wf_work *work, const struct wf_value *data)
{
    struct wf_arena *arena = wf_work_arena(work);
    const struct wf_rec_dossier *dossier = wf_work_dossier(work);
    const struct wf_site *site = wf_registry_site(wf_work_registry(work), dossier->site);
    struct wf_value *values = wf_map(arena);
    char due[32];

    (void)wf_map_put(arena, values, "code", wf_text_n(arena, dossier->code.ptr, dossier->code.len));
    (void)wf_map_put(arena, values, "title", wf_text(arena, wf_work_procedure(work)->title.vi));
    if (site != NULL)
        (void)wf_map_put(arena, values, "office", wf_text(arena, site->name.vi));
    if (dossier->due != 0) {
        (void)wf_calendar_format_vi(wf_work_calendar(work), dossier->due, due, sizeof(due));
        (void)wf_map_put(arena, values, "due", wf_text(arena, due));
    }
    for (size_t i = 0; i < wf_value_count(data); i++)
        (void)wf_map_put_str(arena, values, data->u.map.pairs[i].key, data->u.map.pairs[i].value);
    return values;
}

static const struct wf_value *text_of(struct wf_work *work, const struct wf_template *template,
                                      const struct hoso_channel *channel,
                                      const struct wf_value *data)
{
    const struct wf_value *values = values_of(work, data);
    const struct wf_value *text = NULL;
    struct wf_buf buf = {0};

    if (channel->is_plain)
        wf_template_render_sms(template->sms, values, &buf);
    else
        wf_template_render(template->vi, values, &buf);
    if (!buf.failed)
        text = wf_text_n(wf_work_arena(work), (const char *)buf.ptr, buf.len);
    wf_buf_fini(&buf);
    return text;
}

/* {set, number, title} of the national form that the message announces; NULL where none. */
static const struct wf_value *form_of(struct wf_work *work, const struct wf_template *template)
{
    struct wf_arena *arena = wf_work_arena(work);
    enum wf_form_set set = wf_form_set_of(wf_work_procedure(work), wf_work_dossier(work)->received);
    enum wf_form which;
    const struct wf_form_row *row =
        wf_form_of_template(template->id, &which) ? wf_form(set, which) : NULL;
    struct wf_value *form = row != NULL ? wf_map(arena) : NULL;

    if (form == NULL)
        return NULL;
    (void)wf_map_put(arena, form, "set", wf_text(arena, wf_form_set_name(set)));
    (void)wf_map_put(arena, form, "number", wf_text(arena, row->number));
    (void)wf_map_put(arena, form, "title", wf_text(arena, row->title.vi));
    return form;
}

static int open_task(struct wf_work *work, const struct wf_template *template,
                     const struct hoso_channel *channel, const struct wf_value *data,
                     struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    const struct wf_rec_dossier *dossier = wf_work_dossier(work);
    const struct wf_value *form = form_of(work, template);
    struct wf_value *params = wf_map(arena);

    (void)wf_map_put(arena, params, "to",
                     wf_map_get(wf_work_content(work)->fields, channel->field));
    (void)wf_map_put(arena, params, "text", text_of(work, template, channel, data));
    (void)wf_map_put(arena, params, "template", wf_text(arena, template->id));
    if (data != NULL)
        (void)wf_map_put(arena, params, "data", data);
    if (form != NULL)
        (void)wf_map_put(arena, params, "form", form);
    (void)wf_map_put(arena, params, "dossier",
                     wf_text_n(arena, dossier->code.ptr, dossier->code.len));
    return hoso_open(work, channel->name, hoso_role(work, "gateway"), params, err);
}

static const struct wf_value *data_of(const struct wf_value *params)
{
    const struct wf_value *data = wf_map_get(params, "data");

    return data != NULL && data->type == WF_MAP ? data : NULL;
}

static int not_sent(struct wf_work *work, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *data = wf_map(arena);

    (void)wf_map_put(arena, data, "sent", wf_bool(false));
    (void)wf_map_put(arena, data, "channel", wf_text(arena, ""));
    return hoso_done(work, data, err);
}

static int remember_left(struct wf_work *work, const struct wf_value *left, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *memory = wf_map(arena);

    (void)wf_map_put(arena, memory, "left", left);
    if (!wf_value_is_whole(memory))
        return wf_fail(err, WF_E_NOMEM, "send: out of memory");
    wf_work_remember(work, memory);
    return 0;
}

int hoso_send_start(struct wf_work *work, struct wf_error *err)
{
    const char *id = hoso_param(work, "template");
    const struct wf_template *template = wf_registry_template(wf_work_registry(work), wf_str(id));
    const struct hoso_channel *channels[HOSO_CHANNELS];
    size_t n = hoso_channels(hoso_param(work, "channel"), wf_work_setting(work, "notify"),
                             wf_work_content(work)->fields, channels);
    struct wf_value *left = wf_list(wf_work_arena(work));
    int rc;

    if (template == NULL) {
        wf_work_fail(work, "there is no such message template");
        return 0;
    }
    if (n == 0)
        return not_sent(work, err);
    for (size_t i = 1; i < n; i++)
        (void)wf_list_add(wf_work_arena(work), left,
                          wf_text(wf_work_arena(work), channels[i]->name));
    rc = remember_left(work, left, err);
    if (rc != 0)
        return rc;
    return open_task(work, template, channels[0], data_of(wf_work_params(work)), err);
}

int hoso_send_done(struct wf_work *work, const struct wf_rec_task *task,
                   const struct wf_value *result, struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *data = wf_map_copy(arena, result);

    (void)wf_map_put(arena, data, "sent", wf_bool(true));
    (void)wf_map_put(arena, data, "channel", wf_text_n(arena, task->to.ptr, task->to.len));
    return hoso_done(work, data, err);
}

/* {channel, next, reason} in the history: why the citizen got it by another way. */
static void tell_change(struct wf_work *work, const struct wf_rec_task *task, const char *next,
                        const char *reason)
{
    struct wf_arena *arena = wf_work_arena(work);
    struct wf_value *news = wf_map(arena);

    (void)wf_map_put(arena, news, "channel", wf_text_n(arena, task->to.ptr, task->to.len));
    (void)wf_map_put(arena, news, "next", wf_text(arena, next));
    (void)wf_map_put(arena, news, "reason", wf_text(arena, reason));
    wf_work_progress(work, news);
}

int hoso_send_failed(struct wf_work *work, const struct wf_rec_task *task, const char *reason,
                     struct wf_error *err)
{
    struct wf_arena *arena = wf_work_arena(work);
    const struct wf_value *before = wf_map_get(wf_work_memory(work), "left");
    const struct hoso_channel *next = hoso_channel(wf_value_str(wf_list_at(before, 0)));
    const struct wf_template *template = wf_registry_template(
        wf_work_registry(work), wf_value_str(wf_map_get(task->params, "template")));
    struct wf_value *left = wf_list(arena);
    int rc;

    if (next == NULL || template == NULL)
        return WF_NONE;
    for (size_t i = 1; i < wf_value_count(before); i++)
        (void)wf_list_add(arena, left, wf_list_at(before, i));
    rc = remember_left(work, left, err);
    if (rc == 0)
        rc = open_task(work, template, next, data_of(task->params), err);
    if (rc == 0)
        tell_change(work, task, next->name, reason);
    return rc;
}

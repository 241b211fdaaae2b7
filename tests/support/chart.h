/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/chart.h - a chart written in the test, run by event names, read as texts.
 *
 * What a step did is read as words: states ("a b"), the log effects ("x1 y2"), or all effects
 * ("send:e@2 days unsend:e").
 */
#ifndef TESTS_SUPPORT_CHART_H
#define TESTS_SUPPORT_CHART_H

#include "workflow/chart.h"

struct world {
    struct wf_report report;
    struct wf_config *config;
    struct wf_chart *chart;
    struct wf_arena *arena;
    struct wf_step step;
    struct wf_error err;
    char words[4000];
};

static inline bool knows_activity(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "notification.send") == 0 || strcmp(name, "routing.escalate") == 0;
}

static const struct wf_decl world_fields[] = {{"full_name", WF_T_TEXT}, {"amount", WF_T_INT}};
static const struct wf_chart_scope world_scope = {
    .fields = world_fields, .n_fields = WF_COUNT(world_fields), .is_activity = knows_activity};

static inline int compile(struct world *w, const char *text)
{
    memset(w, 0, sizeof(*w));
    w->arena = wf_arena_new((size_t)64 << 20);
    int rc = wf_config_parse("t.cfg", text, strlen(text), &w->report, &w->config, &w->err);
    if (rc != 0)
        return rc;
    return wf_chart_compile(wf_config_root(w->config), &world_scope, &w->report, &w->chart,
                            &w->err);
}

static inline void close_world(struct world *w)
{
    wf_chart_free(w->chart);
    wf_config_free(w->config);
    wf_report_fini(&w->report);
    wf_arena_free(w->arena);
}

static inline void open_world(struct world *w, const char *text)
{
    if (compile(w, text) != 0)
        fail_msg("%s", w->err.text);
    assert_ok(wf_chart_start(w->chart, NULL, w->arena, &w->step, &w->err), w->err);
}

static inline bool send_event(struct world *w, const char *name, const struct wf_value *data)
{
    struct wf_chart_event event = {.name = name, .data = data};
    if (wf_starts_with(name, "done.invoke."))
        event.invoke_id = strrchr(name, '.') + 1;
    struct wf_snapshot from = w->step.snapshot;
    assert_ok(wf_chart_step(w->chart, &from, &event, w->arena, &w->step, &w->err), w->err);
    return w->step.taken;
}

static inline bool send(struct world *w, const char *name)
{
    return send_event(w, name, NULL);
}

static inline const char *joined(struct world *w, const struct wf_value *list)
{
    w->words[0] = '\0';
    for (size_t i = 0; i < wf_value_count(list); i++) {
        strcat(w->words, i > 0 ? " " : "");
        strcat(w->words, wf_value_text(wf_list_at(list, i), "?"));
    }
    return w->words;
}

/* Active states without ancestors would hide errors: all of them, in document order. */
static inline const char *active(struct world *w)
{
    return joined(w, w->step.snapshot.states);
}

static inline const char *entered(struct world *w)
{
    return joined(w, w->step.entered);
}

static inline void add_value(char *at, const struct wf_value *v)
{
    if (v == NULL || v->type == WF_NULL)
        strcat(at, "null");
    else if (v->type == WF_INT)
        sprintf(at + strlen(at), "%d", (int)v->u.integer);
    else if (v->type == WF_BOOL)
        strcat(at, v->u.boolean ? "true" : "false");
    else if (v->type == WF_TEXT)
        strcat(at, v->u.text.ptr);
    else
        sprintf(at + strlen(at), "%s/%zu", wf_type_name(v->type), wf_value_count(v));
}

static inline const char *logs(struct world *w)
{
    w->words[0] = '\0';
    for (const struct wf_effect *e = w->step.effects; e != NULL; e = e->next) {
        if (e->kind != WF_EFFECT_LOG)
            continue;
        strcat(w->words, w->words[0] != '\0' ? " " : "");
        add_value(w->words, e->data);
    }
    return w->words;
}

/* All effects but logs: "kind:what" with id, and delay behind @. */
static inline const char *effects(struct world *w)
{
    static const char *const kinds[] = {"invoke",   "uninvoke", "send", "unsend",
                                        "detached", "extend",   "log"};
    w->words[0] = '\0';
    for (const struct wf_effect *e = w->step.effects; e != NULL; e = e->next) {
        if (e->kind == WF_EFFECT_LOG)
            continue;
        sprintf(w->words + strlen(w->words), "%s%s:%s", w->words[0] != '\0' ? " " : "",
                kinds[e->kind], e->id != NULL ? e->id : "");
        if (e->delay != NULL)
            sprintf(w->words + strlen(w->words), "@%s", e->delay);
    }
    return w->words;
}

static inline const char *data(struct world *w, const char *path)
{
    w->words[0] = '\0';
    add_value(w->words, wf_value_at(w->step.snapshot.data, path));
    return w->words;
}

#endif

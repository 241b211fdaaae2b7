/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executable content. A failing action ends its block (and the blocks around it, up to the entry,
 * exit or transition that holds them) and raises error.execution; a failing condition is false and
 * raises it too.
 */
#include "run_internal.h"

#include <inttypes.h>
#include <string.h>

bool is_soft(const struct run *run, int rc)
{
    return rc == WF_E_STATE && !run->is_fatal;
}

/* ---- events and effects -------------------------------------------------------------------- */

struct wf_effect *add_effect(struct run *run, enum wf_effect_kind kind)
{
    struct wf_effect *effect = wf_arena_alloc(run->arena, sizeof(*effect));
    if (effect == NULL)
        return NULL;
    effect->kind = kind;
    effect->state = run->state > ROOT ? run->chart->states[run->state].id->u.text.ptr : NULL;
    *run->effects_end = effect;
    run->effects_end = &effect->next;
    return effect;
}

int raise_event(struct run *run, const char *name, const char *type, const struct wf_value *data)
{
    struct event *event = wf_arena_alloc(run->arena, sizeof(*event));
    if (event == NULL)
        return no_memory(run);
    event->name = name;
    event->type = type;
    event->data = data;
    event->send_id = run->failed_send;
    run->failed_send = NULL;
    *run->queue_end = event;
    run->queue_end = &event->next;
    return 0;
}

int raise_error(struct run *run, int line, const char *what)
{
    struct wf_value *data = wf_map(run->arena);
    const char *message = wf_arena_printf(run->arena, "line %d: %s: %s", line, what, run->err.text);
    if (message == NULL || !wf_map_put(run->arena, data, "message", wf_text(run->arena, message)))
        return no_memory(run);
    if (run->error == NULL)
        run->error = message;
    return raise_event(run, "error.execution", "platform", data);
}

/* ---- variables ----------------------------------------------------------------------------- */

static bool add_member(struct run *run, struct wf_value *map, const char *key, const char *text)
{
    return wf_map_put(run->arena, map, key, wf_text(run->arena, text)); /* NULL gives null */
}

static const struct wf_value *event_value(struct run *run)
{
    const struct event *event = run->event;
    if (event == NULL)
        return &wf_null;
    if (run->event_value != NULL)
        return run->event_value;
    struct wf_value *map = wf_map(run->arena);
    bool is_made =
        add_member(run, map, "name", event->name) && add_member(run, map, "type", event->type) &&
        add_member(run, map, "invokeid", event->invoke_id) &&
        (event->send_id == NULL || add_member(run, map, "sendid", event->send_id)) &&
        wf_map_put(run->arena, map, "data", event->data != NULL ? event->data : &wf_null);
    /* No code can be returned to an expression: it sees null, and the step fails at its end. */
    run->event_value = is_made ? map : NULL;
    run->is_short = run->is_short || !is_made;
    return is_made ? map : &wf_null;
}

static const struct wf_value *data_of(const struct run *run)
{
    return run->data != NULL ? run->data : run->shared_data;
}

const struct wf_value *read_variable(void *context, struct wf_str name)
{
    struct run *run = context;
    for (const struct local *l = run->locals; l != NULL; l = l->outer) {
        if (wf_str_is(name, l->name))
            return l->value;
    }
    if (name.len > 0 && name.ptr[0] == '_' && wf_str_is(name, "_event"))
        return event_value(run);
    return wf_map_get_str(data_of(run), name);
}

bool read_is_in(void *context, struct wf_str id)
{
    const struct run *run = context;
    int state = chart_find(run->chart, id);
    return state != NO_STATE && has_bit(run->active, state);
}

static int set_variable(struct run *run, struct wf_str name, const struct wf_value *value)
{
    if (run->data == NULL)
        run->data = wf_map_copy(run->arena, run->shared_data);
    return wf_map_put_str(run->arena, run->data, name, value) ? 0 : no_memory(run);
}

static bool has_type(const struct wf_value *value, enum wf_static_type type)
{
    static const enum wf_type types[] = {
        [WF_T_BOOL] = WF_BOOL, [WF_T_INT] = WF_INT,   [WF_T_NUMBER] = WF_NUMBER,
        [WF_T_TEXT] = WF_TEXT, [WF_T_LIST] = WF_LIST, [WF_T_MAP] = WF_MAP,
        [WF_T_TIME] = WF_INT};
    return type == WF_T_ANY || value->type == WF_NULL || value->type == types[type] ||
           (type == WF_T_NUMBER && value->type == WF_INT);
}

/* A copy of the map with the member at the path set; NULL where the path leads through no map. */
static const struct wf_value *with_member(struct run *run, const struct wf_value *map,
                                          const char *path, const struct wf_value *value)
{
    if (map == NULL || (map->type != WF_MAP && map->type != WF_NULL))
        return NULL;
    struct wf_str key = {path, strcspn(path, ".")};
    if (path[key.len] == '.') {
        const struct wf_value *inner = wf_map_get_str(map, key);
        value = with_member(run, inner, path + key.len + 1, value);
        if (value == NULL)
            return NULL;
    }
    struct wf_value *copy = wf_map_copy(run->arena, map);
    if (!wf_map_put_str(run->arena, copy, key, value))
        run->is_short = true;
    return copy;
}

static int assign(struct run *run, const char *name, enum wf_static_type type,
                  const struct wf_value *value)
{
    struct wf_str base = {name, strcspn(name, ".")};
    if (!has_type(value, type))
        return wf_fail(&run->err, WF_E_STATE, "a variable of type %s cannot take a %s",
                       wf_static_type_name(type), wf_type_name(value->type));
    if (name[base.len] == '.') {
        value = with_member(run, wf_map_get_str(data_of(run), base), name + base.len + 1, value);
        if (run->is_short)
            return no_memory(run);
        if (value == NULL)
            return wf_fail(&run->err, WF_E_STATE, "\"%s\" leads through something that is no map",
                           name);
    }
    return set_variable(run, base, value);
}

/* ---- values -------------------------------------------------------------------------------- */

static int eval(struct run *run, const struct wf_expr *expr, const struct wf_value **out)
{
    return wf_expr_eval(expr, &run->reader, run->arena, out, &run->err);
}

int make_value(struct run *run, const struct template *t, const struct wf_value **out)
{
    if (t->kind == TEMPLATE_CONST) {
        *out = t->constant;
        return 0;
    }
    if (t->kind == TEMPLATE_EXPR)
        return eval(run, t->expr, out);
    bool is_map = t->kind == TEMPLATE_MAP;
    struct wf_value *whole = is_map ? wf_map(run->arena) : wf_list(run->arena);
    for (size_t i = 0; i < t->n; i++) {
        const struct wf_value *item = NULL;
        int rc = make_value(run, t->items[i], &item);
        if (rc < 0)
            return rc;
        if (!(is_map ? wf_map_put(run->arena, whole, t->keys[i], item)
                     : wf_list_add(run->arena, whole, item)))
            return no_memory(run);
    }
    *out = whole;
    return whole != NULL ? 0 : no_memory(run);
}

static int make_text(struct run *run, const struct template *t, const char *what, const char **out)
{
    const struct wf_value *value = &wf_null;
    int rc = make_value(run, t, &value);
    if (rc < 0)
        return rc;
    if (value->type != WF_TEXT || value->u.text.len == 0)
        return wf_fail(&run->err, WF_E_STATE, "the %s is a %s, not a text", what,
                       value->type == WF_TEXT ? "empty text" : wf_type_name(value->type));
    *out = value->u.text.ptr;
    return 0;
}

/* No time at all gives NULL where that will do. */
static int make_duration(struct run *run, const struct template *t, bool may_be_none,
                         const char **out)
{
    const char *text = NULL;
    int rc = make_text(run, t, "duration", &text);
    if (rc < 0)
        return rc;
    if (may_be_none && is_no_time(text))
        text = NULL;
    else if (!is_duration(text))
        return wf_fail(&run->err, WF_E_STATE, "the text given as duration is none");
    *out = text;
    return 0;
}

/* The initial values of data, in document order, where the caller gave none. */
int bind_data(struct run *run, const struct wf_value *variables)
{
    const struct wf_chart *chart = run->chart;
    run->data = wf_map_copy(run->arena, variables);
    if (run->data == NULL)
        return no_memory(run);
    for (size_t i = 0; i < chart->n_variables; i++) {
        const struct wf_value *value = &wf_null;
        if (wf_map_get(run->data, chart->variables[i].name) != NULL)
            continue;
        int rc = make_value(run, chart->variables[i].initial, &value);
        if (is_soft(run, rc))
            rc = raise_error(run, chart->variables[i].line, chart->variables[i].name);
        if (rc == 0)
            rc = set_variable(run, wf_str(chart->variables[i].name), value);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- actions ------------------------------------------------------------------------------- */

static int run_actions(struct run *run, const struct block *block);

static int do_raise(struct run *run, const struct action *a)
{
    const struct wf_value *data = NULL;
    int rc = a->value != NULL ? make_value(run, a->value, &data) : 0;
    return rc < 0 ? rc : raise_event(run, a->name, "internal", data);
}

static int do_assign(struct run *run, const struct action *a)
{
    const struct wf_value *value = &wf_null;
    int rc = eval(run, a->expr, &value);
    return rc < 0 ? rc : assign(run, a->name, a->type, value);
}

/* The id that was written, or "<prefix>.<n>". */
static int make_id(struct run *run, const struct action *a, const char *prefix, const char **out)
{
    if (a->id != NULL)
        return make_text(run, a->id, "id", out);
    *out = wf_arena_printf(run->arena, "%s.%" PRId64, prefix, ++run->n_sends);
    return *out != NULL ? 0 : no_memory(run);
}

static int do_send(struct run *run, const struct action *a)
{
    bool is_detached = a->kind == ACTION_DETACHED;
    const char *id = NULL;
    const char *delay = NULL;
    const struct wf_value *data = NULL;
    int rc = make_id(run, a, is_detached ? a->name : "send", &id);
    if (rc == 0 && a->value != NULL)
        rc = make_value(run, a->value, &data);
    if (rc == 0 && a->delay != NULL)
        rc = make_duration(run, a->delay, true, &delay);
    if (rc < 0) {
        run->failed_send = id;
        return rc;
    }
    struct wf_effect *effect = add_effect(run, is_detached ? WF_EFFECT_DETACHED : WF_EFFECT_SEND);
    if (effect == NULL)
        return no_memory(run);
    effect->id = id;
    effect->delay = delay;
    effect->data = data;
    effect->role = a->role;
    effect->activity = is_detached ? a->name : NULL;
    effect->event = is_detached ? NULL : a->name;
    return 0;
}

static int do_cancel(struct run *run, const struct action *a)
{
    const char *id = NULL;
    int rc = make_text(run, a->id, "id", &id);
    if (rc < 0)
        return rc;
    struct wf_effect *effect = add_effect(run, WF_EFFECT_UNSEND);
    if (effect == NULL)
        return no_memory(run);
    effect->id = id;
    return 0;
}

static int do_extend(struct run *run, const struct action *a)
{
    const char *delay = NULL;
    int rc = make_duration(run, a->delay, false, &delay);
    if (rc < 0)
        return rc;
    struct wf_effect *effect = add_effect(run, WF_EFFECT_EXTEND);
    if (effect == NULL)
        return no_memory(run);
    effect->delay = delay;
    return 0;
}

static int do_log(struct run *run, const struct action *a)
{
    const struct wf_value *value = &wf_null;
    int rc = eval(run, a->expr, &value);
    if (rc < 0)
        return rc;
    struct wf_effect *effect = add_effect(run, WF_EFFECT_LOG);
    if (effect == NULL)
        return no_memory(run);
    effect->event = a->name;
    effect->data = value;
    return 0;
}

static int do_if(struct run *run, const struct action *a)
{
    for (size_t i = 0; i < a->n_branches; i++) {
        bool holds = true;
        int rc = 0;
        if (a->branches[i].cond != NULL)
            rc = wf_expr_test(a->branches[i].cond, &run->reader, run->arena, &holds, &run->err);
        if (is_soft(run, rc)) {
            holds = false;
            rc = raise_error(run, a->line, "if");
        }
        if (rc < 0)
            return rc;
        if (holds)
            return run_actions(run, &a->branches[i].block);
    }
    return 0;
}

static int do_iteration(struct run *run, const struct action *a, const struct wf_value *item,
                        size_t i)
{
    const struct local *outer = run->locals;
    const struct wf_value *number = wf_int(run->arena, (int64_t)i);
    if (number == NULL)
        return no_memory(run);
    struct local item_local = {a->item.name, item, outer};
    if (a->item.is_local)          /* taken back before this returns */
        run->locals = &item_local; /* cppcheck-suppress autoVariables */
    struct local index_local = {a->index.name, number, run->locals};
    if (a->index.name != NULL && a->index.is_local)
        run->locals = &index_local;
    int rc = 0;
    if (!a->item.is_local)
        rc = assign(run, a->item.name, a->item.type, item);
    if (rc == 0 && a->index.name != NULL && !a->index.is_local)
        rc = assign(run, a->index.name, a->index.type, number);
    if (rc == 0)
        rc = run_actions(run, &a->body);
    run->locals = outer;
    return rc;
}

/* Values never change in place, so the list that is walked is the one that was there at the start.
 */
static int do_foreach(struct run *run, const struct action *a)
{
    const struct wf_value *list = NULL;
    int rc = eval(run, a->expr, &list);
    if (rc < 0)
        return rc;
    if (list->type != WF_LIST)
        return wf_fail(&run->err, WF_E_STATE, "a %s is no list", wf_type_name(list->type));
    for (size_t i = 0; i < list->u.list.n && rc == 0; i++)
        rc = do_iteration(run, a, list->u.list.items[i], i);
    return rc;
}

static const struct {
    const char *name;
    int (*run)(struct run *run, const struct action *a);
} actions[] = {
    [ACTION_RAISE] = {"raise", do_raise},
    [ACTION_ASSIGN] = {"assign", do_assign},
    [ACTION_SEND] = {"send", do_send},
    [ACTION_DETACHED] = {"send", do_send},
    [ACTION_CANCEL] = {"cancel", do_cancel},
    [ACTION_LOG] = {"log", do_log},
    [ACTION_IF] = {"if", do_if},
    [ACTION_FOREACH] = {"foreach", do_foreach},
    [ACTION_EXTEND] = {"extend", do_extend},
};

static int run_actions(struct run *run, const struct block *block)
{
    for (size_t i = 0; i < block->n; i++) {
        const struct action *a = &block->actions[i];
        if (++run->actions > MAX_ACTIONS) {
            run->is_fatal = true;
            return wf_fail(&run->err, WF_E_STATE, "more than %d actions in one step: line %d loops",
                           MAX_ACTIONS, a->line);
        }
        int rc = actions[a->kind].run(run, a);
        if (rc < 0) {
            if (run->failed_action == NULL)
                run->failed_action = a; /* the innermost */
            return rc;
        }
    }
    return 0;
}

int run_block(struct run *run, int state, const struct block *block)
{
    run->state = state;
    run->failed_action = NULL;
    int rc = run_actions(run, block);
    if (!is_soft(run, rc))
        return rc;
    const struct action *a = run->failed_action;
    return raise_error(run, a->line, actions[a->kind].name);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: any bytes are refused with a column, or compile and give a value or a clean error.
 */
#include <string.h>

#include "workflow/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct wf_decl decls[] = {
    {"n", WF_T_INT}, {"t", WF_T_TEXT}, {"l", WF_T_LIST}, {"m", WF_T_MAP}, {"a", WF_T_ANY}};

static const struct wf_value *variable(void *context, struct wf_str name)
{
    return wf_map_get_str(context, name);
}

static bool is_in(void *context, struct wf_str state)
{
    (void)context;
    return state.len % 2 == 0;
}

static void evaluate(const struct wf_expr *expr, struct wf_arena *arena)
{
    struct wf_value *map = wf_map(arena);
    struct wf_value *list = wf_list(arena);
    (void)wf_list_add(arena, list, wf_int(arena, INT64_MAX));
    (void)wf_list_add(arena, list, wf_text(arena, "ư"));
    (void)wf_map_put(arena, map, "n", wf_int(arena, INT64_MIN));
    (void)wf_map_put(arena, map, "t", wf_text(arena, "Đơn 12"));
    (void)wf_map_put(arena, map, "l", list);
    (void)wf_map_put(arena, map, "m", wf_map_copy(arena, map));
    const struct wf_reader reader = {variable, is_in, map};
    const struct wf_value *value = NULL;
    struct wf_error err = {0};
    int rc = wf_expr_eval(expr, &reader, arena, &value, &err);
    if (rc == 0 ? !wf_value_is_whole(value) : err.text[0] == '\0')
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct wf_scope scope = {.decls = decls, .n_decls = WF_COUNT(decls)};
    struct wf_arena *arena = wf_arena_new((size_t)8 << 20);
    const struct wf_expr *expr = NULL;
    struct wf_error err = {0};
    int rc = wf_expr_compile(arena, (struct wf_str){(const char *)bytes, size}, &scope, &expr, NULL,
                             &err);
    if (rc == 0)
        evaluate(expr, arena);
    else if (strncmp(err.text, "column ", 7) != 0 && rc != WF_E_NOMEM)
        __builtin_trap();
    wf_arena_free(arena);
    return 0;
}

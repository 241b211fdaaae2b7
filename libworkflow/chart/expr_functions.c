/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of the language: one table row each. Arguments have been checked against the
 * masks before a function is called, so that none of them sees a type it did not ask for.
 */
#include "expr_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "workflow/chart.h"
#include "workflow/config.h"

typedef const struct wf_value *const *value_args;

static const struct wf_value *call_in(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    bool (*is_in)(void *, struct wf_str) = eval->reader->is_in;
    return wf_bool(is_in != NULL && is_in(eval->reader->context, args[0]->u.text));
}

static const struct wf_value *call_len(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    const struct wf_value *v = args[0];
    size_t length =
        v->type == WF_TEXT ? wf_utf8_length(v->u.text.ptr, v->u.text.len) : wf_value_count(v);
    return expr_made(eval, wf_int(eval->arena, (int64_t)length));
}

/*
 * The other case of a letter, 0 where it has none. Covers Latin with all Vietnamese letters,
 * without a locale: in these blocks upper and lower case stand in pairs or 32 apart, and both
 * take the same number of bytes.
 */
static unsigned swap_case(unsigned c, bool to_upper)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7))
        return to_upper ? 0 : c + 0x20;
    if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7))
        return to_upper ? c - 0x20 : 0;
    bool even_is_upper = (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) ||
                         (c >= 0x14a && c <= 0x177) || (c >= 0x1a0 && c <= 0x1a5) ||
                         (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff);
    bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x1af && c <= 0x1b0);
    if (!even_is_upper && !odd_is_upper)
        return 0;
    bool is_upper = (c % 2 == 0) == even_is_upper;
    return is_upper == to_upper ? 0 : is_upper ? c + 1 : c - 1;
}

static const struct wf_value *convert_case(struct expr_eval *eval, struct wf_str text,
                                           bool to_upper)
{
    unsigned char *s = (unsigned char *)wf_arena_strndup(eval->arena, text.ptr, text.len);
    struct wf_value *value = wf_arena_alloc(eval->arena, sizeof(*value));
    if (s == NULL || value == NULL)
        return expr_made(eval, NULL);
    for (size_t i = 0; i < text.len; i++) {
        if (s[i] < 0x80) {
            unsigned other = swap_case(s[i], to_upper);
            s[i] = (unsigned char)(other != 0 ? other : s[i]);
        } else if (s[i] < 0xe0 && i + 1 < text.len) {
            unsigned other = swap_case((s[i] & 0x1fU) << 6 | (s[i + 1] & 0x3fU), to_upper);
            if (other != 0) {
                s[i] = (unsigned char)(0xc0 | other >> 6);
                s[i + 1] = (unsigned char)(0x80 | (other & 0x3f));
            }
            i++;
        } else if (s[i] == 0xe1 && i + 2 < text.len) {
            unsigned code = 0x1000U | (s[i + 1] & 0x3fU) << 6 | (s[i + 2] & 0x3fU);
            unsigned other = swap_case(code, to_upper);
            if (other != 0) {
                s[i + 1] = (unsigned char)(0x80 | (other >> 6 & 0x3f));
                s[i + 2] = (unsigned char)(0x80 | (other & 0x3f));
            }
            i += 2;
        }
    }
    value->type = WF_TEXT;
    value->u.text = (struct wf_str){(char *)s, text.len};
    return value;
}

static const struct wf_value *call_lower(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    return convert_case(eval, args[0]->u.text, false);
}

static const struct wf_value *call_upper(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    return convert_case(eval, args[0]->u.text, true);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static const struct wf_value *call_trim(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    struct wf_str s = args[0]->u.text;
    for (; s.len > 0 && is_blank(s.ptr[0]); s.len--)
        s.ptr++;
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return expr_made(eval, wf_text_n(eval->arena, s.ptr, s.len));
}

static const struct wf_value *call_contains(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    if (args[0]->type == WF_LIST) {
        for (size_t i = 0; i < args[0]->u.list.n; i++) {
            if (wf_value_equal(args[0]->u.list.items[i], args[1]))
                return &wf_true;
        }
        return &wf_false;
    }
    if (args[1]->type != WF_TEXT)
        return expr_fail(eval, "contains looks for a text in a text, not for %s",
                         wf_type_name(args[1]->type));
    struct wf_str text = args[0]->u.text;
    struct wf_str part = args[1]->u.text;
    return wf_bool(part.len == 0 || memmem(text.ptr, text.len, part.ptr, part.len) != NULL);
}

static const struct wf_value *call_starts_with(struct expr_eval *eval, value_args args, size_t n)
{
    (void)eval;
    (void)n;
    struct wf_str s = args[0]->u.text;
    struct wf_str part = args[1]->u.text;
    return wf_bool(s.len >= part.len && wf_str_equal((struct wf_str){s.ptr, part.len}, part));
}

static const struct wf_value *call_ends_with(struct expr_eval *eval, value_args args, size_t n)
{
    (void)eval;
    (void)n;
    struct wf_str s = args[0]->u.text;
    struct wf_str part = args[1]->u.text;
    return wf_bool(s.len >= part.len &&
                   wf_str_equal((struct wf_str){s.ptr + (s.len - part.len), part.len}, part));
}

static const struct wf_value *call_matches_prefix(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    const char *name = wf_arena_strndup(eval->arena, args[0]->u.text.ptr, args[0]->u.text.len);
    const char *list = wf_arena_strndup(eval->arena, args[1]->u.text.ptr, args[1]->u.text.len);
    if (name == NULL || list == NULL)
        return expr_made(eval, NULL);
    return wf_bool(wf_event_matches(list, name));
}

static const struct wf_value *call_has(struct expr_eval *eval, value_args args, size_t n)
{
    (void)eval;
    (void)n;
    return wf_bool(args[0]->type != WF_NULL);
}

static const struct wf_value *extreme(value_args args, size_t n, bool want_max)
{
    const struct wf_value *best = args[0];
    for (size_t i = 1; i < n; i++) {
        int order;
        if (expr_compare(args[i], best, &order) && (want_max ? order > 0 : order < 0))
            best = args[i];
    }
    return best;
}

static const struct wf_value *call_min(struct expr_eval *eval, value_args args, size_t n)
{
    (void)eval;
    return extreme(args, n, false);
}

static const struct wf_value *call_max(struct expr_eval *eval, value_args args, size_t n)
{
    (void)eval;
    return extreme(args, n, true);
}

static const struct wf_value *call_abs(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    if (args[0]->type == WF_NUMBER)
        return expr_make_number(eval, fabs(args[0]->u.number));
    if (args[0]->u.integer == INT64_MIN)
        return expr_fail(eval, "integer overflow in abs");
    int64_t i = args[0]->u.integer;
    return expr_made(eval, wf_int(eval->arena, i < 0 ? -i : i));
}

static const struct wf_value *to_int(struct expr_eval *eval, const struct wf_value *value,
                                     double rounded)
{
    if (value->type == WF_INT)
        return value;
    if (!(rounded >= -0x1p63 && rounded < 0x1p63))
        return expr_fail(eval, "number too large for an integer");
    return expr_made(eval, wf_int(eval->arena, (int64_t)rounded));
}

static const struct wf_value *call_round(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    return to_int(eval, args[0], round(expr_as_double(args[0])));
}

static const struct wf_value *call_floor(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    return to_int(eval, args[0], floor(expr_as_double(args[0])));
}

static const struct wf_value *call_ceil(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    return to_int(eval, args[0], ceil(expr_as_double(args[0])));
}

static const struct wf_value *call_number(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    bool is_int;
    int64_t integer;
    double number;
    if (args[0]->type != WF_TEXT)
        return args[0];
    if (!expr_parse_number(args[0]->u.text, &is_int, &integer, &number))
        return expr_fail(eval, "text is no number");
    return is_int ? expr_made(eval, wf_int(eval->arena, integer)) : expr_make_number(eval, number);
}

/* The text of a scalar in buf or where it lies; lists and maps were refused by the mask. */
static struct wf_str scalar_text(const struct wf_value *value, char *buf, size_t size)
{
    switch (value->type) {
    case WF_TEXT:
        return value->u.text;
    case WF_BOOL:
        return wf_str(value->u.boolean ? "true" : "false");
    case WF_INT:
        (void)snprintf(buf, size, "%lld", (long long)value->u.integer);
        return wf_str(buf);
    case WF_NUMBER:
        (void)snprintf(buf, size, "%.15g", value->u.number);
        return wf_str(buf);
    case WF_NULL:
    case WF_LIST:
    case WF_MAP:
        break;
    }
    return wf_str("");
}

static const struct wf_value *call_concat(struct expr_eval *eval, value_args args, size_t n)
{
    char buf[40];
    size_t length = 0;
    for (size_t i = 0; i < n; i++)
        length += scalar_text(args[i], buf, sizeof(buf)).len;
    if (length > MAX_TEXT_BYTES)
        return expr_fail(eval, "text longer than %zu bytes", MAX_TEXT_BYTES);
    char *joined = wf_arena_alloc(eval->arena, length + 1);
    struct wf_value *value = wf_arena_alloc(eval->arena, sizeof(*value));
    if (joined == NULL || value == NULL)
        return expr_made(eval, NULL);
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        struct wf_str part = scalar_text(args[i], buf, sizeof(buf));
        if (part.len > 0)
            memcpy(joined + used, part.ptr, part.len);
        used += part.len;
    }
    value->type = WF_TEXT;
    value->u.text = (struct wf_str){joined, length};
    return value;
}

static const struct wf_value *call_append(struct expr_eval *eval, value_args args, size_t n)
{
    size_t count = wf_value_count(args[0]);
    if (count + n - 1 > MAX_ITEMS)
        return expr_fail(eval, "list longer than %zu items", MAX_ITEMS);
    struct wf_value *list = wf_list(eval->arena);
    for (size_t i = 0; i < count; i++)
        (void)wf_list_add(eval->arena, list, args[0]->u.list.items[i]);
    for (size_t i = 1; i < n; i++)
        (void)wf_list_add(eval->arena, list, args[i]);
    return expr_made(eval, list == NULL || list->broken ? NULL : list);
}

static const struct wf_value *call_sum(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    const struct wf_value *sum = wf_int(eval->arena, 0);
    for (size_t i = 0; sum != NULL && i < args[0]->u.list.n; i++) {
        const struct wf_value *item = args[0]->u.list.items[i];
        if (item->type != WF_INT && item->type != WF_NUMBER)
            return expr_fail(eval, "sum of a list with a %s in it", wf_type_name(item->type));
        sum = expr_add(eval, sum, item);
    }
    return expr_made(eval, sum);
}

static const struct wf_value *quantify(struct expr_eval *eval, const struct wf_value *list,
                                       bool stop_at)
{
    for (size_t i = 0; i < list->u.list.n; i++) {
        const struct wf_value *item = list->u.list.items[i];
        if (item->type != WF_BOOL && item->type != WF_NULL)
            return expr_fail(eval, "any and all take booleans, not a %s", wf_type_name(item->type));
        if (wf_value_bool(item, false) == stop_at)
            return wf_bool(stop_at);
    }
    return wf_bool(!stop_at);
}

static const struct wf_value *call_any(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    return quantify(eval, args[0], true);
}

static const struct wf_value *call_all(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    return quantify(eval, args[0], false);
}

static const struct wf_value *call_keys(struct expr_eval *eval, value_args args, size_t n)
{
    (void)n;
    struct wf_value *list = wf_list(eval->arena);
    for (size_t i = 0; i < args[0]->u.map.n; i++) {
        struct wf_str key = args[0]->u.map.pairs[i].key;
        (void)wf_list_add(eval->arena, list, wf_text_n(eval->arena, key.ptr, key.len));
    }
    return expr_made(eval, list == NULL || list->broken ? NULL : list);
}

/* clang-format off */
#define MANY     100
#define M_SCALAR (M_NULL | M_BOOL | M_NUMBER | M_TEXT)
#define BOOLEAN  RESULT_FIXED, WF_T_BOOL
#define INTEGER  RESULT_FIXED, WF_T_INT
#define TEXT     RESULT_FIXED, WF_T_TEXT
#define LIST     RESULT_FIXED, WF_T_LIST
#define UNKNOWN  RESULT_FIXED, WF_T_ANY
#define AS_GIVEN RESULT_NUMERIC, WF_T_NUMBER
static const struct expr_function functions[] = {
    /* name           least most   arguments                    result    */
    {"In",             1, 1,    {M_TEXT},                     BOOLEAN,  call_in},
    {"len",            1, 1,    {M_TEXT | M_LIST | M_MAP},    INTEGER,  call_len},
    {"lower",          1, 1,    {M_TEXT},                     TEXT,     call_lower},
    {"upper",          1, 1,    {M_TEXT},                     TEXT,     call_upper},
    {"trim",           1, 1,    {M_TEXT},                     TEXT,     call_trim},
    {"contains",       2, 2,    {M_TEXT | M_LIST, M_ANY},     BOOLEAN,  call_contains},
    {"starts_with",    2, 2,    {M_TEXT, M_TEXT},             BOOLEAN,  call_starts_with},
    {"ends_with",      2, 2,    {M_TEXT, M_TEXT},             BOOLEAN,  call_ends_with},
    {"matches_prefix", 2, 2,    {M_TEXT, M_TEXT},             BOOLEAN,  call_matches_prefix},
    {"has",            1, 1,    {M_ANY},                      BOOLEAN,  call_has},
    {"min",            1, MANY, {M_NUMBER},                   AS_GIVEN, call_min},
    {"max",            1, MANY, {M_NUMBER},                   AS_GIVEN, call_max},
    {"abs",            1, 1,    {M_NUMBER},                   AS_GIVEN, call_abs},
    {"round",          1, 1,    {M_NUMBER},                   INTEGER,  call_round},
    {"floor",          1, 1,    {M_NUMBER},                   INTEGER,  call_floor},
    {"ceil",           1, 1,    {M_NUMBER},                   INTEGER,  call_ceil},
    {"number",         1, 1,    {M_TEXT | M_NUMBER},          UNKNOWN,  call_number},
    {"text",           1, 1,    {M_SCALAR},                   TEXT,     call_concat},
    {"concat",         1, MANY, {M_SCALAR},                   TEXT,     call_concat},
    {"append",         2, MANY, {M_LIST, M_ANY},              LIST,     call_append},
    {"sum",            1, 1,    {M_LIST},                     AS_GIVEN, call_sum},
    {"any",            1, 1,    {M_LIST},                     BOOLEAN,  call_any},
    {"all",            1, 1,    {M_LIST},                     BOOLEAN,  call_all},
    {"keys",           1, 1,    {M_MAP},                      LIST,     call_keys},
    {"if",             3, 3,    {M_BOOL, M_ANY, M_ANY},       UNKNOWN,  NULL},
};
/* clang-format on */

const struct expr_function *expr_function_find(struct wf_str name)
{
    for (size_t i = 0; i < WF_COUNT(functions); i++) {
        if (wf_str_is(name, functions[i].name))
            return &functions[i];
    }
    return NULL;
}

const char *expr_function_nearest(const char *name)
{
    const char *names[WF_COUNT(functions)];
    for (size_t i = 0; i < WF_COUNT(functions); i++)
        names[i] = functions[i].name;
    return wf_nearest(name, names, WF_COUNT(functions));
}

unsigned expr_argument_mask(const struct expr_function *function, size_t i)
{
    size_t last = WF_COUNT(function->masks) - 1;
    while (last > 0 && function->masks[last] == 0)
        last--;
    return function->masks[i < last ? i : last];
}

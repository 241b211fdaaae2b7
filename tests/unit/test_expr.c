/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "workflow/expr.h"

static const struct wf_decl decls[] = {
    {"n", WF_T_INT},      {"x", WF_T_NUMBER}, {"name", WF_T_TEXT}, {"papers", WF_T_LIST},
    {"agent", WF_T_MAP},  {"ok", WF_T_BOOL},  {"due", WF_T_TIME},  {"what", WF_T_ANY},
    {"empty", WF_T_TEXT}, {"big", WF_T_INT},
};
static const char *const states[] = {"receipt", "examine"};
static const struct wf_scope scope = {decls, WF_COUNT(decls), states, WF_COUNT(states)};

static struct wf_arena *arena;
static struct wf_value *variables;

static const struct wf_value *variable(void *context, struct wf_str name)
{
    (void)context;
    return wf_map_get_str(variables, name);
}

static bool is_in(void *context, struct wf_str state)
{
    (void)context;
    return wf_str_is(state, "receipt");
}

static const struct wf_reader reader = {variable, is_in, NULL};

static int set_up(void **state)
{
    (void)state;
    arena = wf_arena_new((size_t)16 << 20);
    variables = wf_map(arena);
    struct wf_value *papers = wf_list(arena);
    wf_list_add(arena, papers, wf_text(arena, "declaration"));
    wf_list_add(arena, papers, wf_text(arena, "passport"));
    struct wf_value *agent = wf_map(arena);
    wf_map_put(arena, agent, "phone", wf_text(arena, "0912"));
    wf_map_put(arena, variables, "n", wf_int(arena, 7));
    wf_map_put(arena, variables, "x", wf_number(arena, 2.5));
    wf_map_put(arena, variables, "name", wf_text(arena, "Nguyễn Ước"));
    wf_map_put(arena, variables, "papers", papers);
    wf_map_put(arena, variables, "agent", agent);
    wf_map_put(arena, variables, "ok", wf_bool(true));
    wf_map_put(arena, variables, "due", wf_int(arena, 1000));
    wf_map_put(arena, variables, "big", wf_int(arena, INT64_MAX));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wf_arena_free(arena);
    return 0;
}

static void show(const struct wf_value *v, char *buf, size_t size)
{
    size_t used = 0;
    switch (v->type) {
    case WF_NULL:
        (void)snprintf(buf, size, "null");
        break;
    case WF_BOOL:
        (void)snprintf(buf, size, "%s", v->u.boolean ? "true" : "false");
        break;
    case WF_INT:
        (void)snprintf(buf, size, "%lld", (long long)v->u.integer);
        break;
    case WF_NUMBER:
        (void)snprintf(buf, size, "%g'", v->u.number);
        break;
    case WF_TEXT:
        (void)snprintf(buf, size, "\"%s\"", v->u.text.ptr);
        break;
    case WF_LIST:
        buf[used++] = '[';
        for (size_t i = 0; i < v->u.list.n; i++) {
            show(v->u.list.items[i], buf + used, size - used - 2);
            used += strlen(buf + used);
            buf[used++] = i + 1 < v->u.list.n ? ',' : ' ';
        }
        (void)snprintf(buf + used, size - used, "]");
        break;
    case WF_MAP:
        (void)snprintf(buf, size, "{%zu}", v->u.map.n);
        break;
    }
}

struct row {
    const char *source;
    const char *expected; /* value, or a part of the error */
};

static void check_values(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct wf_expr *expr;
        const struct wf_value *value;
        struct wf_error err = {0};
        char got[300];
        if (wf_expr_compile(arena, wf_str(rows[i].source), &scope, &expr, NULL, &err) != 0 ||
            wf_expr_eval(expr, &reader, arena, &value, &err) != 0)
            fail_msg("%s: %s", rows[i].source, err.text);
        show(value, got, sizeof(got));
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s gave %s, not %s", rows[i].source, got, rows[i].expected);
    }
}

static void check_refused(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct wf_expr *expr = NULL;
        struct wf_error err = {0};
        int rc = wf_expr_compile(arena, wf_str(rows[i].source), &scope, &expr, NULL, &err);
        if (rc != WF_E_CONFIG || strstr(err.text, rows[i].expected) == NULL || expr != NULL)
            fail_msg("%s: wanted \"%s\", got %d \"%s\"", rows[i].source, rows[i].expected, rc,
                     err.text);
    }
}

static void check_fails(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct wf_expr *expr;
        const struct wf_value *value = NULL;
        struct wf_error err = {0};
        assert_ok(wf_expr_compile(arena, wf_str(rows[i].source), &scope, &expr, NULL, &err), err);
        int rc = wf_expr_eval(expr, &reader, arena, &value, &err);
        if (rc != WF_E_STATE || strstr(err.text, rows[i].expected) == NULL || value != NULL)
            fail_msg("%s: wanted \"%s\", got %d \"%s\"", rows[i].source, rows[i].expected, rc,
                     err.text);
    }
}

static void operators_bind_as_the_manual_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"10 - 3 - 2", "5"},
        {"2 * 3 % 4", "2"},
        {"-2 * -3", "6"},
        {"- n + 8", "1"},
        {"1 + 1 == 2 and 3 > 2", "true"},
        {"true or false and false", "true"},
        {"not 1 == 2", "true"},
        {"!ok == false", "true"},
        {"not ok or ok", "true"},
        {"true || false && false", "true"},
        {"n in [1, 7] and not (n in [])", "true"},
        {"7 / 2", "3.5'"},
        {"6 / 2 == 3", "true"},
        {"-7 % 3", "-1"},
        {"1.5e2 + 1", "151'"},
        {"agent.phone == '0912'", "true"},
        {"agent['phone']", "\"0912\""},
        {"papers[1]", "\"passport\""},
        {"[1, 'a', [null]]", "[1,\"a\",[null ] ]"},
        {"\"it's\" == 'it\\'s'", "true"},
        {"'a\\n\\\\b'", "\"a\n\\b\""},
        {"'phone' in agent", "true"},
    };
    check_values(rows, WF_COUNT(rows));
}

static void functions_do_what_the_manual_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"In('receipt')", "true"},
        {"In('examine')", "false"},
        {"len(name)", "10"},
        {"len(papers) + len(agent)", "3"},
        {"upper(name)", "\"NGUYỄN ƯỚC\""},
        {"lower(upper('Đặng Thị Quỳnh ×÷ ß'))", "\"đặng thị quỳnh ×÷ ß\""},
        {"trim('  a b\t')", "\"a b\""},
        {"contains(name, 'Ước')", "true"},
        {"contains(papers, 'passport')", "true"},
        {"contains('', '')", "true"},
        {"starts_with(name, 'Nguyễn') and ends_with(name, 'c')", "true"},
        {"starts_with('a', 'ab')", "false"},
        {"matches_prefix('error.execution', 'done error.*')", "true"},
        {"matches_prefix('errors', 'error')", "false"},
        {"has(what)", "false"},
        {"has(n)", "true"},
        {"min(3, 1, 2)", "1"},
        {"max(1, 2.5)", "2.5'"},
        {"abs(-3)", "3"},
        {"round(2.5)", "3"},
        {"round(-2.5)", "-3"},
        {"floor(-2.5)", "-3"},
        {"ceil(x)", "3"},
        {"number('12') + 1", "13"},
        {"number('-1.5')", "-1.5'"},
        {"text(12)", "\"12\""},
        {"text(null)", "\"\""},
        {"concat('a', 1, true, 2.5)", "\"a1true2.5\""},
        {"append([1], 2, 3)", "[1,2,3 ]"},
        {"sum([1, 2, 3])", "6"},
        {"sum([])", "0"},
        {"any([false, null, true])", "true"},
        {"all([])", "true"},
        {"all([true, null])", "false"},
        {"keys(agent)", "[\"phone\" ]"},
        {"if(n > 5, 'many', 'few')", "\"many\""},
        {"if(true, 1, 1 / 0)", "1"},
    };
    check_values(rows, WF_COUNT(rows));
}

static void null_is_equal_only_to_null_and_false_in_logic(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"empty == null", "true"},     {"n == null", "false"},    {"what.a.b[3].c == null", "true"},
        {"agent.fax == null", "true"}, {"papers[9]", "null"},     {"papers[-1]", "null"},
        {"what or ok", "true"},        {"what and ok", "false"},  {"not what", "true"},
        {"null in [null]", "true"},    {"_event.data.x", "null"},
    };
    check_values(rows, WF_COUNT(rows));
    static const struct row failures[] = {
        {"what + 1", "column 1: null and integer cannot be calculated with"},
        {"what < 1", "no order"},
        {"empty < 'a'", "no order"},
        {"len(empty)", "argument 1 of len is null"},
        {"- what", "cannot be calculated"},
        {"1 in what", "in looks for"},
    };
    check_fails(failures, WF_COUNT(failures));
}

static void mistakes_are_told_with_their_column(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", "column 1: unexpected end"},
        {"n = 1", "column 3: single ="},
        {"n == ", "column 6: unexpected end"},
        {"'Ước' == nam", "column 10: unknown name \"nam\""},
        {"nam == 'x'", "did you mean \"name\"?"},
        {"n == 1 n", "column 8: unexpected \"n\""},
        {"(n == 1", "column 8: \")\" missing"},
        {"1 < n < 3", "column 7: comparisons in a row"},
        {"n > 'a'", "column 1: integer > text"},
        {"n == 'a'", "never equal"},
        {"n and ok", "left side of type integer: needs a boolean"},
        {"name + 'x'", "concat"},
        {"'abc", "text without end"},
        {"'a\\x'", "unknown escape"},
        {"12abc", "runs into a word"},
        {"9223372036854775808", "number too large"},
        {"1e999", "number too large"},
        {"n # 1", "column 3: unexpected character"},
        {"lenn(name)", "did you mean \"len\"?"},
        {"len()", "len has 0 arguments"},
        {"len(n)", "argument 1 of len of type integer: needs a text, list or map"},
        {"In('recept')", "did you mean \"receipt\"?"},
        {"name.first", "value before the point of type text"},
        {"n[0]", "value before ["},
        {"_event.verdict", "_event.data.verdict?"},
        {"and ok", "\"and\" without a left side"},
        {"n == not ok", "brackets"},
        {"agent.", "name missing"},
        {"if(n, 1, 2)", "argument 1 of if"},
        {"name % 2", "needs an integer"},
        {"[1, ]", "unexpected \"]\""},
    };
    check_refused(rows, WF_COUNT(rows));
}

static void static_types_follow_from_the_parts(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        enum wf_static_type type;
    } rows[] = {
        {"n + 1", WF_T_INT},          {"n + x", WF_T_NUMBER},     {"n / 2", WF_T_NUMBER},
        {"n % 2", WF_T_INT},          {"n == 1", WF_T_BOOL},      {"what + 1", WF_T_ANY},
        {"due - due", WF_T_INT},      {"due + 60000", WF_T_TIME}, {"agent.phone", WF_T_ANY},
        {"[n]", WF_T_LIST},           {"concat(n)", WF_T_TEXT},   {"max(n, 2)", WF_T_INT},
        {"max(n, x)", WF_T_NUMBER},   {"max(n, what)", WF_T_ANY}, {"if(ok, 1, 2)", WF_T_INT},
        {"if(ok, 1, 'a')", WF_T_ANY}, {"null", WF_T_ANY},         {"-x", WF_T_NUMBER},
        {"_event", WF_T_MAP},         {"round(x)", WF_T_INT},
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        const struct wf_expr *expr;
        enum wf_static_type type;
        struct wf_error err = {0};
        assert_ok(wf_expr_compile(arena, wf_str(rows[i].source), &scope, &expr, &type, &err), err);
        if (type != rows[i].type)
            fail_msg("%s is %s", rows[i].source, wf_static_type_name(type));
        assert_true(wf_str_is(wf_expr_source(expr), rows[i].source));
    }
    enum wf_static_type type;
    assert_true(wf_static_type_parse("integer", &type));
    assert_int_equal(type, WF_T_INT);
    assert_false(wf_static_type_parse("int", &type));
}

static void calculation_never_overflows_in_silence(void **state)
{
    (void)state;
    static const struct row failures[] = {
        {"big + 1", "column 1: integer overflow"},
        {"-big - 2", "integer overflow"},
        {"big * 2", "integer overflow"},
        {"-(-big - 1)", "integer overflow"},
        {"abs(-big - 1)", "integer overflow"},
        {"1 / 0", "division by zero"},
        {"1.5 / 0.0", "division by zero"},
        {"1 % 0", "division by zero"},
        {"x % 2", "% takes two integers"},
        {"1e308 * 10", "number too large"},
        {"round(1e300)", "too large for an integer"},
        {"number('12x')", "no number"},
        {"sum([1, 'a'])", "sum of a list with a text in it"},
        {"agent.phone + 1", "cannot be calculated with"},
        {"agent.phone.x", "a text has no members"},
        {"what == null and agent.phone", "boolean is needed"},
        {"contains(name, n)", "contains looks for a text"},
    };
    check_fails(failures, WF_COUNT(failures));
    static const struct row rows[] = {
        {"(-big - 1) % -1", "0"},
        {"-big - 1", "-9223372036854775808"},
        {"big == big + 0.0 * 1", "true"},
    };
    check_values(rows, WF_COUNT(rows));
}

static char *repeated(const char *head, const char *part, int n, const char *tail)
{
    char *text = calloc(1, strlen(head) + strlen(part) * (size_t)n + strlen(tail) + 1);
    strcpy(text, head);
    for (int i = 0; i < n; i++)
        strcat(text, part);
    strcat(text, tail);
    return text;
}

static void size_and_nesting_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *head, *part;
        int n;
        const char *tail, *expected;
    } rows[] = {
        {"", "(", 40, "1", "nested too deep"},  {"", "-", 100, "1", "nested too deep"},
        {"", "[", 1000, "", "nested too deep"}, {"1", " + 1", 400, "", "too large"},
        {"[1", ",1", 600, "]", "too large"},    {"'", "abcdefgh", 600, "'", "too long"},
    };
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        char *text = repeated(rows[i].head, rows[i].part, rows[i].n, rows[i].tail);
        struct row row = {text, rows[i].expected};
        check_refused(&row, 1);
        free(text);
    }
    char *fine = repeated("1", " + 1", 200, "");
    struct row row = {fine, "201"};
    check_values(&row, 1);
    free(fine);
    struct wf_error err = {0};
    const struct wf_expr *expr;
    assert_int_equal(wf_expr_compile(arena, (struct wf_str){"n\0n", 3}, &scope, &expr, NULL, &err),
                     WF_E_CONFIG);
    assert_int_equal(
        wf_expr_compile(arena, (struct wf_str){"'\xff'", 3}, &scope, &expr, NULL, &err),
        WF_E_CONFIG);
}

static void results_are_bounded_even_when_they_hold_themselves(void **state)
{
    (void)state;
    struct wf_error err = {0};
    const struct wf_expr *expr;
    const struct wf_value *value = &wf_null;
    assert_ok(wf_expr_compile(arena, wf_str("[what, what]"), &scope, &expr, NULL, &err), err);
    int rounds = 0;
    while (rounds < 100 && wf_expr_eval(expr, &reader, arena, &value, &err) == 0) {
        wf_map_put(arena, variables, "what", value);
        rounds++;
    }
    assert_in_range(rounds, 5, 15);
    assert_non_null(strstr(err.text, "larger than"));

    assert_ok(wf_expr_compile(arena, wf_str("concat(name, name)"), &scope, &expr, NULL, &err), err);
    for (rounds = 0; rounds < 100 && wf_expr_eval(expr, &reader, arena, &value, &err) == 0;
         rounds++)
        wf_map_put(arena, variables, "name", value);
    assert_in_range(rounds, 5, 20);
}

static void a_guard_takes_null_for_false_and_refuses_other_types(void **state)
{
    (void)state;
    struct wf_error err = {0};
    const struct wf_expr *expr;
    bool truth = true;
    assert_ok(wf_expr_compile(arena, wf_str("what"), &scope, &expr, NULL, &err), err);
    assert_ok(wf_expr_test(expr, &reader, arena, &truth, &err), err);
    assert_false(truth);
    wf_map_put(arena, variables, "what", wf_int(arena, 1));
    assert_int_equal(wf_expr_test(expr, &reader, arena, &truth, &err), WF_E_STATE);
    wf_map_put(arena, variables, "what", wf_bool(true));
    assert_ok(wf_expr_test(expr, &reader, arena, &truth, &err), err);
    assert_true(truth);
}

static void lack_of_memory_is_told_and_breaks_nothing(void **state)
{
    (void)state;
    static const char source[] = "if(len(append(papers, upper(name), [1, 'x'])) > 2, 'a', "
                                 "concat(text(n), trim(name))) == 'b'";
    for (size_t limit = 16;; limit += 16) {
        struct wf_arena *small = wf_arena_new(limit);
        struct wf_error err = {0};
        const struct wf_expr *expr;
        const struct wf_value *value;
        int rc = wf_expr_compile(small, wf_str(source), &scope, &expr, NULL, &err);
        if (rc == 0)
            rc = wf_expr_eval(expr, &reader, small, &value, &err);
        wf_arena_free(small);
        if (rc == 0)
            break;
        assert_int_equal(rc, WF_E_NOMEM);
        assert_true(limit < 20000);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operators_bind_as_the_manual_says),
        TEST(functions_do_what_the_manual_says),
        TEST(null_is_equal_only_to_null_and_false_in_logic),
        TEST(mistakes_are_told_with_their_column),
        TEST(static_types_follow_from_the_parts),
        TEST(calculation_never_overflows_in_silence),
        TEST(size_and_nesting_are_bounded),
        TEST(results_are_bounded_even_when_they_hold_themselves),
        TEST(a_guard_takes_null_for_false_and_refuses_other_types),
        TEST(lack_of_memory_is_told_and_breaks_nothing),
    };
    return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions for people: drawing, comparison, page, skeleton, SCXML text. */
#include "support/test.h"

#include "workflow/procedure_tools.h"

#define PILOT SOURCE_ROOT "/procedures/1.004873-marital-status.cfg"
#define LAND  SOURCE_ROOT "/procedures/1.013831-land-change.cfg"

struct desk {
    struct wf_report report;
    struct wf_registry *registry;
    struct wf_arena *arena;
    struct wf_procedure *a, *b;
    struct wf_buf out;
    struct wf_error err;
};

static int set_up(void **state)
{
    static struct desk desk;
    memset(&desk, 0, sizeof(desk));
    desk.arena = wf_arena_new(0);
    assert_ok(wf_registry_load(SOURCE_ROOT "/config", &desk.report, &desk.registry, &desk.err),
              desk.err);
    *state = &desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *d = *state;
    wf_procedure_free(d->a);
    wf_procedure_free(d->b);
    wf_registry_free(d->registry);
    wf_report_fini(&d->report);
    wf_buf_fini(&d->out);
    wf_arena_free(d->arena);
    return 0;
}

static struct wf_procedure *loaded(struct desk *d, const char *path)
{
    struct wf_procedure *p = NULL;
    assert_ok(wf_procedure_load(path, NULL, &d->report, &p, &d->err), d->err);
    return p;
}

static struct wf_procedure *parsed(struct desk *d, const char *text)
{
    struct wf_procedure *p = NULL;
    assert_ok(wf_procedure_parse("text", text, strlen(text), NULL, &d->report, &p, &d->err),
              d->err);
    return p;
}

static const char *text_of(struct desk *d)
{
    assert_false(d->out.failed);
    wf_buf_add(&d->out, "", 1);
    return (const char *)d->out.ptr;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is missing in:\n%s", part, text);
}

/* ---- drawing ------------------------------------------------------------------------------- */

/* Marks in pairs, braces closed, outside of texts: what Graphviz would stumble over. */
static void assert_is_dot(const char *text)
{
    int depth = 0;
    bool in_text = false;
    for (const char *c = text; *c != '\0'; c++) {
        if (in_text && *c == '\\') {
            c++;
            continue;
        }
        in_text ^= *c == '"';
        depth += !in_text && *c == '{';
        depth -= !in_text && *c == '}';
        assert_true(depth >= 0);
    }
    assert_int_equal(depth, 0);
    assert_false(in_text);
}

static void a_drawing_shows_nesting_regions_guards_deadlines_and_ends(void **state)
{
    struct desk *d = *state;
    const struct wf_graph_options options = {.vietnamese = true};
    d->a = loaded(d, LAND);
    wf_procedure_graph(d->a, &options, &d->out);
    const char *text = text_of(d);
    assert_is_dot(text);
    assert_has(text, "subgraph \"cluster_open\" {\nstyle=\"rounded\"");
    assert_has(text, "subgraph \"cluster_opinions\" {\nstyle=\"rounded,dashed\"");
    assert_has(text, "\"back\" [shape=circle, label=\"H*\"");
    assert_has(text, "done.invoke.accept\\n[_event.data.verdict == 'approve']");
    assert_has(text, "⏱ 8 working hours");
    assert_has(text, "peripheries=2");
    assert_has(text, "lhead=\"cluster_examine\"");
    assert_has(text, "Đăng ký biến động");
    assert_null(strstr(text, "hồ sơ\\n0"));
}

static void a_drawing_tells_how_many_dossiers_are_where(void **state)
{
    struct desk *d = *state;
    struct wf_value *counts = wf_map(d->arena);
    (void)wf_map_put(d->arena, counts, "examine", wf_int(d->arena, 17));
    const struct wf_graph_options options = {.counts = counts};
    d->a = loaded(d, PILOT);
    wf_procedure_graph(d->a, &options, &d->out);
    const char *text = text_of(d);
    assert_has(text, "\\n17 dossiers\"");
    assert_has(text, "\\n0 dossiers\"");
}

/* clang-format off */
#define TITLE(word) "title = { vi = \"" word "\"; en = \"" word "\"; };"
#define HEAD                                                                                       \
    "procedure: { code = \"1.000001\"; level = \"commune\"; channels = [ \"post\" ];"              \
    " time_limit = \"3 working days\"; "
/* clang-format on */

static void marks_in_titles_do_not_break_a_drawing(void **state)
{
    struct desk *d = *state;
    const struct wf_graph_options options = {.vietnamese = false};
    d->a = parsed(d, HEAD
                  "version = 1; " TITLE("a \\\"b\\\" \\\\ {") " states: { end: {"
                                                              " type = \"final\"; status = 10; "
                                                              "outcome = \"approved\"; }; }; };");
    wf_procedure_graph(d->a, &options, &d->out);
    const char *text = text_of(d);
    assert_is_dot(text);
    assert_has(text, "a \\\"b\\\" \\\\ {");
}

/* ---- comparison ---------------------------------------------------------------------------- */

/* clang-format off */
static const char before[] =
    HEAD "version = 1; fee = 10; " TITLE("T")
    " papers = ( { id = \"p\"; kind = \"copy\"; " TITLE("P") " },"
    "            { id = \"q\"; kind = \"any\"; " TITLE("Q") " } );"
    " states: { a: { status = 4; deadline = \"2 working days\";"
    "   on = ( { event = \"x\"; cond = \"1 < 2\"; target = \"end\"; },"
    "          { event = \"y\"; target = \"end\"; },"
    "          { event = \"deadline.a\"; target = \"end\"; } ); };"
    " end: { type = \"final\"; status = 10; outcome = \"approved\"; }; }; };";
static const char after[] =
    HEAD "version = 2; fee = 20; " TITLE("T")
    " papers = ( { id = \"p\"; kind = \"original\"; " TITLE("P") " },"
    "            { id = \"r\"; kind = \"any\"; " TITLE("R") " } );"
    " states: { a: { status = 4; deadline = \"3 working days\";"
    "   on = ( { event = \"y\"; target = \"b\"; },"
    "          { event = \"x\"; cond = \"1 < 2\"; target = \"end\"; },"
    "          { event = \"deadline.a\"; target = \"end\"; } ); };"
    " b: { status = 4; always = ( { target = \"end\"; } ); };"
    " end: { type = \"final\"; status = 10; outcome = \"approved\"; }; }; };";
/* clang-format on */

static void every_kind_of_change_is_one_line(void **state)
{
    static const char *const lines[] = {
        "~ setting fee: 10 -> 20\n",
        "~ paper p: kind: \"copy\" -> \"original\"\n",
        "- paper q {",
        "+ paper r {",
        "~ state a: deadline: \"2 working days\" -> \"3 working days\"\n",
        "~ transition a: y: target: \"end\" -> \"b\"\n",
        "~ transition a: the order has changed\n",
        "+ state b b\n",
        "+ transition b: always {",
    };
    struct desk *d = *state;
    d->a = parsed(d, before);
    d->b = parsed(d, after);
    const struct wf_value *changes = wf_procedure_diff(d->a, d->b, d->arena);
    wf_procedure_diff_lines(changes, &d->out);
    const char *text = text_of(d);
    for (size_t i = 0; i < WF_COUNT(lines); i++)
        assert_has(text, lines[i]);
    assert_int_equal(wf_value_count(changes), WF_COUNT(lines));
}

static void the_way_back_shows_the_opposite(void **state)
{
    struct desk *d = *state;
    d->a = parsed(d, after);
    d->b = parsed(d, before);
    wf_procedure_diff_lines(wf_procedure_diff(d->a, d->b, d->arena), &d->out);
    const char *text = text_of(d);
    assert_has(text, "- state b b\n");
    assert_has(text, "+ paper q {");
    assert_has(text, "~ setting fee: 20 -> 10\n");
}

static void a_definition_does_not_differ_from_itself(void **state)
{
    struct desk *d = *state;
    d->a = loaded(d, LAND);
    d->b = loaded(d, LAND);
    assert_int_equal(wf_value_count(wf_procedure_diff(d->a, d->b, d->arena)), 0);
}

/* ---- page ---------------------------------------------------------------------------------- */

static void the_page_is_in_the_language_of_the_clerk(void **state)
{
    struct desk *d = *state;
    d->a = loaded(d, PILOT);
    wf_procedure_explain(d->a, d->registry, true, &d->out);
    const char *vi = text_of(d);
    assert_has(vi, "Thời hạn giải quyết   3 ngày làm việc\n");
    assert_has(vi, "15.000 đồng");
    assert_has(vi, "cần khi “Đã từng kết hôn” = có");
    assert_has(vi, "Xem xét và quyết định (Chuyên viên thụ lý): Thẩm định hồ sơ.");
    assert_has(vi, "- nếu từ chối: → bước 17, Từ chối giải quyết");
    assert_has(
        vi,
        "khi hồ sơ quá hạn trả, nếu là lần đầu – Đang giải quyết: lùi ngày hẹn trả thêm 3 ngày");
    wf_buf_clear(&d->out);
    wf_procedure_explain(d->a, NULL, false, &d->out);
    const char *en = text_of(d);
    assert_has(en, "Time limit            3 working days\n");
    assert_has(en, "15,000 VND");
    assert_has(en, "needed if “Was married before” = yes");
    assert_has(en, "Looked at and decided (specialist)");
    assert_has(en, "when the citizen withdraws (citizen, agent, postal_worker, civil_servant)");
}

static void limits_are_put_into_words(void **state)
{
    static const struct {
        const char *limit, *vi, *en;
    } cases[] = {
        {"1 working day", "1 ngày làm việc", "1 working day"},
        {"8 working hours", "8 giờ làm việc", "8 working hours"},
        {"15 days", "15 ngày", "15 days"},
        {"same day", "trong ngày làm việc", "the same working day"},
        {"90 minutes", "90 phút", "90 minutes"},
        {"2 hours", "2 giờ", "2 hours"},
    };
    (void)state;
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct wf_limit limit;
        char buf[64];
        assert_true(wf_limit_parse(wf_str(cases[i].limit), &limit));
        assert_string_equal(wf_limit_words(limit, true, buf, sizeof(buf)), cases[i].vi);
        assert_string_equal(wf_limit_words(limit, false, buf, sizeof(buf)), cases[i].en);
    }
}

/* ---- skeleton ------------------------------------------------------------------------------ */

static void a_skeleton_passes_the_checks_without_a_warning(void **state)
{
    struct desk *d = *state;
    struct wf_catalogue catalogue = {0};
    wf_registry_catalogue(d->registry, &catalogue);
    wf_procedure_skeleton("1.009999", "Tên “đẹp” \"\\", NULL, &d->out);
    const char *text = text_of(d);
    assert_ok(
        wf_procedure_parse("skeleton", text, strlen(text), &catalogue, &d->report, &d->a, &d->err),
        d->err);
    assert_int_equal(d->report.n, 0);
    assert_string_equal(d->a->code, "1.009999");
    assert_string_equal(d->a->title.vi, "Tên “đẹp” \"\\");
    assert_has(text, "DECIDE");
}

/* ---- SCXML and XML ------------------------------------------------------------------------- */

static void scxml_uses_its_own_words_where_it_has_them(void **state)
{
    struct desk *d = *state;
    d->a = loaded(d, LAND);
    wf_procedure_scxml(d->a, &d->out);
    const char *text = text_of(d);
    assert_has(text, "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\"");
    assert_has(text, "<history id=\"back\" type=\"deep\">");
    assert_has(text, "<parallel id=\"examine\"");
    assert_has(text, "<final id=\"approved\" hoso:status=\"10\" hoso:outcome=\"approved\">");
    assert_has(text, "cond=\"failures &lt; 3\"");
    assert_has(text, "<invoke type=\"verification.review\" id=\"accept\" hoso:role=");
    assert_has(text, "<hoso:extend by=\"3 working days\"/>");
}

static void marks_become_entities_and_what_xml_cannot_hold_is_replaced(void **state)
{
    struct desk *d = *state;
    static const char bad[] = "a\xff";
    wf_xml_text(&d->out, wf_str("<a & \"b\" 'c'>\n\x01 ạ\xef\xbf\xbf"));
    wf_xml_text(&d->out, (struct wf_str){bad, 2});
    assert_string_equal(text_of(d), "&lt;a &amp; &quot;b&quot; &apos;c&apos;&gt;&#10;  ạ?a?");
}

static void lack_of_memory_is_seen_at_the_end(void **state)
{
    struct desk *d = *state;
    const struct wf_graph_options options = {.vietnamese = true};
    d->a = loaded(d, PILOT);
    d->b = loaded(d, LAND);
    for (unsigned long n = 1; n < 40; n++) {
        struct wf_buf buf = {0};
        wf_alloc_fail_at(n, 1);
        wf_procedure_graph(d->a, &options, &buf);
        wf_procedure_explain(d->a, NULL, true, &buf);
        wf_procedure_scxml(d->a, &buf);
        wf_alloc_fail_at(0, 0);
        assert_true(buf.failed || n > 6);
        wf_buf_fini(&buf);
        struct wf_arena *arena = wf_arena_new(0);
        wf_alloc_fail_at(n, 1);
        const struct wf_value *changes = wf_procedure_diff(d->a, d->b, arena);
        wf_alloc_fail_at(0, 0);
        assert_true(changes == NULL || n > 6);
        wf_arena_free(arena);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_drawing_shows_nesting_regions_guards_deadlines_and_ends),
        TEST(a_drawing_tells_how_many_dossiers_are_where),
        TEST(marks_in_titles_do_not_break_a_drawing),
        TEST(every_kind_of_change_is_one_line),
        TEST(the_way_back_shows_the_opposite),
        TEST(a_definition_does_not_differ_from_itself),
        TEST(the_page_is_in_the_language_of_the_clerk),
        TEST(limits_are_put_into_words),
        TEST(a_skeleton_passes_the_checks_without_a_warning),
        TEST(scxml_uses_its_own_words_where_it_has_them),
        TEST(marks_become_entities_and_what_xml_cannot_hold_is_replaced),
        TEST(lack_of_memory_is_seen_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Definitions that were written to do harm. Each is read by a child that may use two seconds and
 * 64 MiB: most are refused, the rest is judged in part, and none ends the child.
 */
#include "support/test.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workflow/procedure.h"

#define MEMORY_BYTES ((rlim_t)64 * 1024 * 1024)
#define CPU_SECONDS  2

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif

static const char head[] = "procedure: { code = \"1.000001\"; version = 1; level = \"commune\";"
                           "title = { vi = \"A\"; en = \"A\"; }; channels = [ \"post\" ];"
                           "time_limit = \"1 day\"; data: { n = 0; }; states: {\n";
static const char tail[] =
    "end: { type = \"final\"; status = 10; outcome = \"approved\"; }; }; };\n";

static void repeat(struct wf_buf *out, const char *text, int n)
{
    for (int i = 0; i < n; i++)
        wf_buf_text(out, text);
}

/* The pattern n times, with the number in place of each hash. */
static void repeat_numbered(struct wf_buf *out, const char *pattern, int n)
{
    for (int i = 0; i < n; i++) {
        for (const char *at = pattern; *at != '\0'; at++) {
            if (*at == '#')
                wf_buf_printf(out, "%d", i);
            else
                wf_buf_add(out, at, 1);
        }
    }
}

static void whole(struct wf_buf *out, const char *before, const char *pattern, int n,
                  const char *after)
{
    wf_buf_text(out, head);
    wf_buf_text(out, before);
    repeat_numbered(out, pattern, n);
    wf_buf_text(out, after);
    wf_buf_text(out, tail);
}

enum { REFUSED, PASSED, BROKEN };

/* ---- files --------------------------------------------------------------------------------- */

static void deep_lists(struct wf_buf *out)
{
    wf_buf_text(out, "a = ");
    repeat(out, "(", 30000);
    repeat(out, ")", 30000);
}

static void deep_states(struct wf_buf *out)
{
    wf_buf_text(out, head);
    repeat(out, "s: { states: { ", 2000);
    repeat(out, "}; }; ", 2000);
    wf_buf_text(out, tail);
}

static void huge_file(struct wf_buf *out)
{
    wf_buf_text(out, head);
    repeat(out, "# nothing at all, over and over again\n", 300000);
    wf_buf_text(out, tail);
}

static void included_file(struct wf_buf *out)
{
    wf_buf_text(out, "@include \"/dev/zero\"\n");
}

static void endless_comment(struct wf_buf *out)
{
    wf_buf_text(out, head);
    wf_buf_text(out, "/* ");
    wf_buf_text(out, tail);
}

static void endless_text(struct wf_buf *out)
{
    wf_buf_text(out, "a = \"");
    repeat(out, "x", 60000);
}

static void binary(struct wf_buf *out)
{
    uint32_t x = 1;
    for (int i = 0; i < 60000; i++) {
        x = x * 1664525U + 1013904223U;
        wf_buf_add(out, &(char){(char)(x >> 24)}, 1);
    }
}

static void with_nul(struct wf_buf *out)
{
    wf_buf_text(out, head);
    wf_buf_add(out, "\0", 1);
    wf_buf_text(out, tail);
}

static void empty(struct wf_buf *out)
{
    wf_buf_text(out, "");
}

static void many_settings(struct wf_buf *out)
{
    repeat_numbered(out, "a# = 1;\n", 6000);
}

static void many_equal_settings(struct wf_buf *out)
{
    repeat(out, "a = 1;\n", 9000);
}

static void many_elements(struct wf_buf *out)
{
    wf_buf_text(out, "a = [ 1");
    repeat(out, ",1", 30000);
    wf_buf_text(out, " ];");
}

static void ten_thousand_states(struct wf_buf *out)
{
    whole(out, "", "s#:{};", 10000, "");
}

static void thousands_of_states(struct wf_buf *out)
{
    whole(out, "", "s#:{status=4;};", 1900, "");
}

static void many_alike(struct wf_buf *out)
{
    whole(out, "", "s#:{status=4;};S#:{status=4;};", 900, "");
}

static void many_mistakes(struct wf_buf *out)
{
    whole(out, "", "s#: { stauts = 4; };\n", 1800, "");
}

/* ---- charts -------------------------------------------------------------------------------- */

static void long_chain_of_loops(struct wf_buf *out)
{
    whole(out, "", "s#:{status=4;always=({target=\"s0\";});};", 1200, "");
}

static void many_regions(struct wf_buf *out)
{
    whole(out,
          "p: { type = \"parallel\"; status = 4; on = ( { event = \"done.state.p\"; target = "
          "\"end\"; } ); states: {",
          "r#:{states:{a#:{on=({event=\"e\";target=\"b#\";});};b#:{type=\"final\";};};};", 600,
          "}; };");
}

static void many_free_regions(struct wf_buf *out)
{
    whole(out,
          "p: { type = \"parallel\"; status = 4; on = ( { event = \"overdue\"; target = "
          "\"end\"; } ); states: {",
          "r#:{states:{a#:{on=({event=\"e#\";target=\"b#\";});};b#:{on=({event=\"e#\";target="
          "\"a#\";});};};};",
          450, "}; };");
}

static void many_guards(struct wf_buf *out)
{
    whole(out,
          "p: { type = \"parallel\"; status = 4; on = ( { event = \"overdue\"; target = "
          "\"end\"; } ); states: {",
          "r#:{on=({event=\"e\";cond=\"n>#\";});};", 900, "}; };");
}

static void one_state_of_guards(struct wf_buf *out)
{
    whole(out, "s: { status = 4; on = ( { event = \"overdue\"; target = \"end\"; }",
          ",{event=\"e\";cond=\"n==#\";target=\"s\";}", 1200, " ); };");
}

static void many_events(struct wf_buf *out)
{
    whole(out, "s: { status = 4; on = ( { event = \"overdue\"; target = \"end\"; }, { event = \"",
          "e# ", 8000, "\"; target = \"s\"; } ); };");
}

static void many_raises(struct wf_buf *out)
{
    whole(out, "s: { status = 4; on = ( { event = \"overdue\"; target = \"end\"; } ); entry = (",
          "{raise=\"e#\";},", 2000, "{ raise = \"x\"; } ); };");
}

static void many_histories(struct wf_buf *out)
{
    whole(out,
          "s: { status = 4; on = ( { event = \"overdue\"; target = \"end\"; } ); states: { a: {"
          " on = ( { event = \"b\"; target = \"s\"; } ); };",
          "h#:{type=\"history\";default=\"a\";};", 900, "}; };");
}

static void many_deadlines(struct wf_buf *out)
{
    whole(out, "", "s#:{status=4;deadline=\"1 day\";};", 1200, "");
}

static void long_condition(struct wf_buf *out)
{
    wf_buf_text(out, head);
    wf_buf_text(out,
                "s: { status = 4; on = ( { event = \"overdue\"; target = \"end\"; cond = \"n == 1");
    repeat(out, " and n == 1", 5000);
    wf_buf_text(out, "\"; } ); };");
    wf_buf_text(out, tail);
}

static void deep_condition(struct wf_buf *out)
{
    wf_buf_text(out, head);
    wf_buf_text(out, "s: { status = 4; on = ( { event = \"overdue\"; target = \"end\"; cond = \"");
    repeat(out, "(", 3000);
    wf_buf_text(out, "true\"; } ); };");
    wf_buf_text(out, tail);
}

static void format_strings(struct wf_buf *out)
{
    wf_buf_text(out, head);
    wf_buf_text(out, "s: { status = 4; note = \"%n%s%n%s%1000000d\"; on = ( { event = \"%s%n\"; "
                     "target = \"%n%n%n%s\"; cond = \"%s\"; } ); };");
    wf_buf_text(out, tail);
}

static const struct {
    const char *name;
    void (*make)(struct wf_buf *out);
    int wanted; /* PASSED: heavy, but not wrong in itself */
} files[] = {
    {"deep lists", deep_lists, REFUSED},
    {"deep states", deep_states, REFUSED},
    {"huge file", huge_file, REFUSED},
    {"included file", included_file, REFUSED},
    {"endless comment", endless_comment, REFUSED},
    {"endless text", endless_text, REFUSED},
    {"binary", binary, REFUSED},
    {"NUL", with_nul, REFUSED},
    {"empty", empty, REFUSED},
    {"many settings", many_settings, REFUSED},
    {"many equal settings", many_equal_settings, REFUSED},
    {"many elements", many_elements, REFUSED},
    {"10,000 states", ten_thousand_states, REFUSED},
    {"1,900 states", thousands_of_states, REFUSED},
    {"many alike", many_alike, REFUSED},
    {"many mistakes", many_mistakes, REFUSED},
    {"long chain of loops", long_chain_of_loops, REFUSED},
    {"many regions", many_regions, REFUSED},
    {"many free regions", many_free_regions, PASSED},
    {"many guards", many_guards, PASSED},
    {"one state of guards", one_state_of_guards, PASSED},
    {"many events", many_events, PASSED},
    {"many raises", many_raises, PASSED},
    {"many histories", many_histories, REFUSED},
    {"many deadlines", many_deadlines, REFUSED},
    {"long condition", long_condition, REFUSED},
    {"deep condition", deep_condition, REFUSED},
    {"format strings", format_strings, REFUSED},
};

/* ---- the child ----------------------------------------------------------------------------- */

static void limit_child(void)
{
    struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS + 1};
    struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};
    (void)setrlimit(RLIMIT_CPU, &cpu);
#ifndef HAS_SHADOW_MEMORY
    (void)setrlimit(RLIMIT_AS, &memory);
#else
    (void)memory;
#endif
}

static int read_in_child(const struct wf_buf *text)
{
    struct wf_report report = {0};
    struct wf_procedure *p = NULL;
    struct wf_error err = {0};
    limit_child();
    int rc = wf_procedure_parse("hostile.cfg", (const char *)text->ptr, text->len, NULL, &report,
                                &p, &err);
    bool is_kept = rc == 0 ? p != NULL && report.errors == 0
                           : rc == WF_E_CONFIG && p == NULL && report.errors > 0 && report.n <= 200;
    for (size_t i = 0; i < report.n; i++)
        is_kept = is_kept && report.messages[i].text[0] != '\0' && report.messages[i].line >= 0;
    wf_procedure_free(p);
    wf_report_fini(&report);
    return !is_kept ? BROKEN : rc == 0 ? PASSED : REFUSED;
}

static int run_child(const struct wf_buf *text)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(read_in_child(text));
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void hostile_definitions_are_refused_in_time_and_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        struct wf_buf text = {0};
        files[i].make(&text);
        assert_false(text.failed);
        int result = run_child(&text);
        if (result != files[i].wanted)
            fail_msg("%s: %s %d", files[i].name, result < 0 ? "ended by signal" : "gave",
                     result < 0 ? -result : result);
        wf_buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_definitions_are_refused_in_time_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

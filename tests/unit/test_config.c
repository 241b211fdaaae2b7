/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <time.h>
#include <unistd.h>

#include "workflow/config.h"

struct fixture {
    struct wf_report report;
    struct wf_config *config;
    struct wf_error err;
};

static int parse_n(struct fixture *f, const char *text, size_t length)
{
    memset(f, 0, sizeof(*f));
    return wf_config_parse("x.cfg", text, length, &f->report, &f->config, &f->err);
}

static int parse(struct fixture *f, const char *text)
{
    return parse_n(f, text, strlen(text));
}

static void drop(struct fixture *f)
{
    wf_config_free(f->config);
    wf_report_fini(&f->report);
}

static void must_refuse(const char *text, const char *expected)
{
    struct fixture f;
    int rc = parse(&f, text);
    if (rc != WF_E_CONFIG || strstr(f.err.text, expected) == NULL)
        fail_msg("%s\n gave %d '%s', wanted '%s'", text, rc, f.err.text, expected);
    assert_null(f.config);
    assert_true(f.report.errors > 0);
    drop(&f);
}

static void a_file_becomes_nodes_with_types_and_lines(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(parse(&f, "# first\na = 1; b : -2.5\nc = \"x\\ty\" \"z\\x41\";\n"
                        "/* two\n lines */ d = { e = true; };\nf = ( 1, \"s\",\n { g = FALSE } );\n"
                        "h = [ 1, 2L ]; // end\n"),
              f.err);
    const struct wf_node *root = wf_config_root(f.config);
    assert_int_equal(wf_node_count(root), 6);
    assert_null(root->parent);
    assert_int_equal(wf_node_child(root, "a")->u.integer, 1);
    assert_int_equal(wf_node_child(root, "a")->line, 2);
    assert_true(wf_node_child(root, "b")->u.number < -2.4);
    assert_true(wf_str_is(wf_node_child(root, "c")->u.text, "x\tyzA"));
    const struct wf_node *d = wf_node_child(root, "d");
    assert_int_equal(d->line, 5);
    assert_true(wf_node_child(d, "e")->u.boolean);
    assert_ptr_equal(wf_node_child(d, "e")->parent, d);
    const struct wf_node *list = wf_node_child(root, "f");
    assert_int_equal(wf_node_at(list, 2)->type, WF_NODE_GROUP);
    assert_int_equal(wf_node_at(list, 2)->line, 7);
    assert_string_equal(wf_node_at(list, 2)->name, "");
    assert_null(wf_node_at(list, 3));
    assert_int_equal(wf_node_at(wf_node_child(root, "h"), 1)->u.integer, 2);
    drop(&f);
}

static void integers_of_64_bits_are_read_whole(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(parse(&f, "a = 4294967297; b = -9223372036854775808; c = 9223372036854775807L;"
                        "d = 0xFFFFFFFF; e = 2147483648LL; t = \"4294967297\";"),
              f.err);
    const struct wf_node *root = wf_config_root(f.config);
    assert_true(wf_node_child(root, "a")->u.integer == 4294967297);
    assert_true(wf_node_child(root, "b")->u.integer == INT64_MIN);
    assert_true(wf_node_child(root, "c")->u.integer == INT64_MAX);
    assert_true(wf_node_child(root, "d")->u.integer == 4294967295);
    assert_true(wf_node_child(root, "e")->u.integer == 2147483648);
    assert_true(wf_str_is(wf_node_child(root, "t")->u.text, "4294967297"));
    drop(&f);
}

static void what_libconfig_passes_over_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"a = 1;\n/* open\nb = 2;\n", "x.cfg:2: comment never ends"},
        {"a = 1;\nb = \"open;\nc = \"x\";\n", "x.cfg:2: text does not end"},
        {"a = \"\\q\";", "x.cfg:1: unknown escape"},
        {"a = \"\\x00\";", "\\x00 in a text"},
        {"a = \"\\xe9\";", "unknown escape"},
        {"\n@include \"/etc/passwd\"\n", "x.cfg:2: @include"},
        {"a = 99999999999999999999;", "more than 64 bits"},
        {"a = 010;", "leading zero"},
        {"a = 1.2.3;", "bad number '1.2.3'"},
        {"a = 1e999;", "too large"},
        {"a = 12abc;", "bad number"},
        {"a = 0x;", "bad number"},
        {"a = ( 1,\n 2,\n );", "x.cfg:3: comma before ')'"},
        {"a = [ 1, ];", "comma before ']'"},
        {"a = 1;\nb \"x\";", "x.cfg:2: text where none is due"},
        {"a = \"x\", \"y\";", "text where none is due"},
        {"\"a\" = 1;", "text where none is due"},
        {"a = ( 1 \"x\" );", "text where none is due"},
        {"a = yes;", "bare word 'yes'"},
        {"a = ( one );", "bare word 'one'"},
        {"a = {\n b = ( 1 };\n", "x.cfg:2: '}' found, but '(' of line 2 is open"},
        {"a = {\n b = 1;\n", "x.cfg:1: '{' is never closed"},
        {"a = 1; }", "closes nothing"},
        {"a = 1;\na = 2;", "x.cfg:2: name used twice"},
        {"a = [ 1, \"x\" ];", "mixed types"},
        {"a = ;", "syntax error"},
        {"t\xc3\xaan = 1;", "unexpected character (code 195)"},
        {"a = 1; $b = 2;", "unexpected character '$'"},
        {"a = 1;\nb = \"\xff\";", "x.cfg:2: bytes that are not UTF-8"},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++)
        must_refuse(cases[i].text, cases[i].expected);
}

static void several_slips_are_reported_at_once(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(parse(&f, "a = yes;\nb = 010;\nc = \"x\n;d = ( 1, );"), WF_E_CONFIG);
    assert_int_equal(f.report.errors, 4);
    assert_int_equal(f.report.messages[2].line, 3);
    assert_int_equal(f.report.messages[3].line, 4);
    drop(&f);
}

static void zero_bytes_are_refused_and_a_byte_order_mark_is_warned_of(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(parse_n(&f, "a = \"x\0y\";", 10), WF_E_CONFIG);
    assert_non_null(strstr(f.err.text, "zero byte"));
    drop(&f);
    assert_ok(parse(&f, "\xef\xbb\xbf"
                        "a = 1;"),
              f.err);
    assert_int_equal(f.report.n, 1);
    assert_true(f.report.messages[0].is_warning);
    assert_int_equal(f.report.errors, 0);
    assert_int_equal(wf_config_source(f.config).len, 9);
    drop(&f);
}

static void comments_and_brackets_inside_texts_are_only_text(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(parse(&f, "a = \"/* } # @include ( \\\" 007\"; // tail"), f.err);
    assert_true(wf_str_is(wf_node_child(wf_config_root(f.config), "a")->u.text,
                          "/* } # @include ( \" 007"));
    drop(&f);
}

static void an_empty_file_is_an_empty_group(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(parse_n(&f, NULL, 0), f.err);
    assert_int_equal(wf_config_root(f.config)->type, WF_NODE_GROUP);
    assert_int_equal(wf_node_count(wf_config_root(f.config)), 0);
    drop(&f);
}

/* "( ( ( ... ) ) )" in which the file itself counts as the first level. */
static void nest(char *text, int depth)
{
    strcpy(text, "a = ");
    for (int i = 0; i < depth; i++)
        strcat(text, "(");
    strcat(text, "1");
    for (int i = 0; i < depth; i++)
        strcat(text, ")");
    strcat(text, ";");
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[128];
    struct fixture f;
    nest(text, 32);
    assert_ok(parse(&f, text), f.err);
    drop(&f);
    nest(text, 33);
    must_refuse(text, "nested more than 32 deep");
}

static void size_and_number_of_settings_are_bounded_and_so_is_time(void **state)
{
    (void)state;
    char *text = calloc(1, 70000);
    size_t n = 0;
    for (int i = 0; i < 2000; i++)
        n += (size_t)sprintf(text + n, "s%d = 1;\n", i);
    struct fixture f;
    struct timespec from;
    struct timespec to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_ok(parse(&f, text), f.err);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_true(to.tv_sec - from.tv_sec < 2);
    drop(&f);
    sprintf(text + n, "one_more = 1;\n");
    must_refuse(text, "x.cfg:2001: more than 2000 settings");
    memset(text, ' ', 65537);
    text[65537] = '\0';
    must_refuse(text, "65537 bytes");
    text[65536] = '\0';
    assert_ok(parse(&f, text), f.err);
    drop(&f);
    free(text);
}

static void files_are_read_and_their_absence_is_told(void **state)
{
    (void)state;
    struct fixture f = {0};
    char path[] = "/tmp/test_config_XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "a = 7;\n", 7), 7);
    close(fd);
    assert_ok(wf_config_read(path, &f.report, &f.config, &f.err), f.err);
    assert_int_equal(wf_node_child(wf_config_root(f.config), "a")->u.integer, 7);
    assert_string_equal(wf_config_root(f.config)->file, path);
    drop(&f);
    unlink(path);
    memset(&f, 0, sizeof(f));
    assert_int_equal(wf_config_read(path, &f.report, &f.config, &f.err), WF_E_IO);
    assert_int_equal(f.report.errors, 1);
    assert_int_equal(wf_config_read("/tmp", &f.report, &f.config, &f.err), WF_E_IO);
    assert_non_null(strstr(f.err.text, "not a regular file"));
    drop(&f);
}

static void nodes_become_values(void **state)
{
    (void)state;
    struct fixture f;
    struct wf_arena *arena = wf_arena_new(0);
    assert_ok(parse(&f, "m = { a = 1; b = ( \"x\", 2.5, true ); };"), f.err);
    const struct wf_value *value = wf_node_value(wf_config_root(f.config), arena);
    assert_int_equal(wf_value_int(wf_value_at(value, "m.a"), 0), 1);
    const struct wf_value *list = wf_value_at(value, "m.b");
    assert_string_equal(wf_value_text(wf_list_at(list, 0), ""), "x");
    assert_int_equal(wf_list_at(list, 1)->type, WF_NUMBER);
    assert_true(wf_value_bool(wf_list_at(list, 2), false));
    wf_arena_free(arena);
    drop(&f);
}

struct settings {
    bool on;
    int64_t count;
    double ratio;
    const char *title;
    struct wf_texts names;
    int64_t pause_ms;
    const struct wf_node *part;
};

/* clang-format off */
static const struct wf_key keys[] = {
    /* name    type             offset                            req    min  max    default     help */
    {"on",    WF_KEY_BOOL,     offsetof(struct settings, on),       false, 0,   0,     "true",       "switch"},
    {"count", WF_KEY_INT,      offsetof(struct settings, count),    true,  1,   10,    NULL,         "how many"},
    {"ratio", WF_KEY_NUMBER,   offsetof(struct settings, ratio),    false, 0,   1,     "0.5",        "a share"},
    {"title", WF_KEY_TEXT,     offsetof(struct settings, title),    false, 1,   5,     "none",       "a name"},
    {"names", WF_KEY_TEXTS,    offsetof(struct settings, names),    false, 0,   3,     "one two",    "names"},
    {"pause", WF_KEY_DURATION, offsetof(struct settings, pause_ms), false, 10,  60000, "2 seconds",  "rest"},
    {"part",  WF_KEY_NODE,     offsetof(struct settings, part),     false, 0,   0,     NULL,         "free"},
};
/* clang-format on */

static int read_keys(struct fixture *f, const char *text, struct settings *out)
{
    memset(out, 0, sizeof(*out));
    assert_ok(parse(f, text), f->err);
    return wf_keys_read(f->config, wf_config_root(f->config), keys, WF_COUNT(keys), out, &f->report,
                        &f->err);
}

static void a_key_table_fills_a_struct_and_its_defaults(void **state)
{
    (void)state;
    struct fixture f;
    struct settings s;
    assert_ok(read_keys(&f, "count = 3;", &s), f.err);
    assert_true(s.on);
    assert_true(s.ratio > 0.49 && s.ratio < 0.51);
    assert_string_equal(s.title, "none");
    assert_int_equal(s.names.n, 2);
    assert_string_equal(s.names.items[1], "two");
    assert_int_equal(s.pause_ms, 2000);
    assert_null(s.part);
    drop(&f);
    assert_ok(read_keys(&f,
                        "on = false; count = 10; ratio = 1; title = \"abc\"; names = \"solo\";"
                        "pause = \"500 ms\"; part = ( 1 );",
                        &s),
              f.err);
    assert_false(s.on);
    assert_true(s.ratio > 0.99);
    assert_int_equal(s.names.n, 1);
    assert_string_equal(s.names.items[0], "solo");
    assert_int_equal(s.pause_ms, 500);
    assert_int_equal(wf_node_count(s.part), 1);
    drop(&f);
}

static void a_key_table_reports_everything_at_once(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "x.cfg:1: unknown setting 'cuont': it would have no effect: did you mean 'count'?",
        "x.cfg:7: unknown setting 'zzz': it would have no effect: remove it",
        "x.cfg:2: on is of type integer: its type is boolean: write such a value",
        "x.cfg: setting 'count' is missing: it has no default: add it (how many)",
        "x.cfg:3: ratio is out of range: 0 to 1 are allowed",
        "x.cfg:4: title has 6 bytes: 1 to 5 are allowed",
        "x.cfg:5: names is of type integer: its type is list of texts",
        "x.cfg:6: pause is no duration",
    };
    struct fixture f;
    struct settings s;
    int rc = read_keys(&f,
                       "cuont = 1;\non = 1;\nratio = 1.5;\ntitle = \"abcdef\";\n"
                       "names = ( \"a\", 1 );\npause = \"2 fortnights\";\nzzz = 1;",
                       &s);
    assert_int_equal(rc, WF_E_CONFIG);
    assert_int_equal(f.report.errors, WF_COUNT(expected));
    for (size_t i = 0; i < WF_COUNT(expected); i++) {
        char line[512];
        wf_report_line(&f.report, i, line, sizeof(line));
        if (!wf_starts_with(line, expected[i]))
            fail_msg("message %zu is '%s', wanted '%s'", i, line, expected[i]);
    }
    drop(&f);
}

static void key_tables_print_their_help(void **state)
{
    (void)state;
    struct wf_buf buf = {0};
    wf_keys_help(keys, WF_COUNT(keys), &buf);
    wf_buf_add(&buf, "", 1);
    assert_non_null(strstr((char *)buf.ptr, "integer 1..10, required\n      how many"));
    assert_non_null(strstr((char *)buf.ptr, "duration 10..60000 ms, default 2 seconds"));
    wf_buf_fini(&buf);
}

static void durations_need_a_whole_number_and_a_known_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1 = refused */
    } cases[] = {
        {"500 ms", 500},
        {"90 s", 90000},
        {"1 second", 1000},
        {"5 minutes", 300000},
        {"2 hours", 7200000},
        {"3 days", 259200000},
        {"10min", 600000},
        {"0 s", 0},
        {"5", -1},
        {"", -1},
        {"s", -1},
        {"-5 s", -1},
        {"1.5 hours", -1},
        {"3 working days", -1},
        {"5 s ", -1},
        {"999999999999 days", -1},
        {"9999999999999 ms", -1},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        int64_t ms = -1;
        bool good = wf_duration_parse(wf_str(cases[i].text), &ms);
        if (good != (cases[i].ms >= 0) || ms != cases[i].ms)
            fail_msg("'%s' gave %d, %ld", cases[i].text, good, (long)ms);
    }
}

static void the_nearest_word_is_found_and_far_ones_are_not(void **state)
{
    (void)state;
    static const char *const words[] = {"target", "event", "cond", "do"};
    assert_string_equal(wf_nearest("tagret", words, 4), "target");
    assert_string_equal(wf_nearest("evnt", words, 4), "event");
    assert_string_equal(wf_nearest("cnod", words, 4), "cond");
    assert_null(wf_nearest("xyzzy", words, 4));
    assert_null(wf_nearest("a", words, 4));
    assert_null(wf_nearest("", words, 4));
    assert_null(wf_nearest("event", NULL, 0));
}

static void a_report_keeps_200_messages_and_counts_the_rest(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_error err;
    wf_report_warn(&report, "f", 0, "only a warning");
    assert_int_equal(wf_report_result(&report, &err), 0);
    for (int i = 0; i < 300; i++)
        wf_report_error(&report, "f", i + 1, "bad\n%d", i);
    assert_int_equal(report.n, 200);
    assert_int_equal(report.errors, 300);
    assert_int_equal(report.dropped, 101);
    assert_int_equal(wf_report_result(&report, &err), WF_E_CONFIG);
    assert_string_equal(err.text, "f:1: bad 0");
    assert_int_equal(wf_report_result_since(&report, 2, &err), WF_E_CONFIG);
    assert_string_equal(err.text, "f:3: bad 2");
    assert_int_equal(wf_report_result_since(&report, 299, &err), WF_E_CONFIG);
    assert_int_equal(wf_report_result_since(&report, 300, &err), 0);
    wf_report_fini(&report);
}

/* Every allocation of a reading fails once; all end in an error and nothing is lost. */
static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    bool passed = false;
    for (unsigned long n = 1; n < 200 && !passed; n++) {
        struct fixture f;
        struct settings s = {0};
        wf_alloc_fail_at(n, 0);
        int rc = parse(&f, "count = 3; names = ( \"a\", \"b\" ); part = { x = ( 1, 2 ); };");
        if (rc == 0)
            rc = wf_keys_read(f.config, wf_config_root(f.config), keys, WF_COUNT(keys), &s,
                              &f.report, &f.err);
        wf_alloc_fail_at(0, 0);
        passed = rc == 0;
        assert_true(passed || rc == WF_E_NOMEM);
        drop(&f);
    }
    assert_true(passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_nodes_with_types_and_lines),
        cmocka_unit_test(integers_of_64_bits_are_read_whole),
        cmocka_unit_test(what_libconfig_passes_over_is_refused_with_its_line),
        cmocka_unit_test(several_slips_are_reported_at_once),
        cmocka_unit_test(zero_bytes_are_refused_and_a_byte_order_mark_is_warned_of),
        cmocka_unit_test(comments_and_brackets_inside_texts_are_only_text),
        cmocka_unit_test(an_empty_file_is_an_empty_group),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(size_and_number_of_settings_are_bounded_and_so_is_time),
        cmocka_unit_test(files_are_read_and_their_absence_is_told),
        cmocka_unit_test(nodes_become_values),
        cmocka_unit_test(a_key_table_fills_a_struct_and_its_defaults),
        cmocka_unit_test(a_key_table_reports_everything_at_once),
        cmocka_unit_test(key_tables_print_their_help),
        cmocka_unit_test(durations_need_a_whole_number_and_a_known_unit),
        cmocka_unit_test(the_nearest_word_is_found_and_far_ones_are_not),
        cmocka_unit_test(a_report_keeps_200_messages_and_counts_the_rest),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

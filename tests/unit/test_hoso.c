/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the hoso command that need no cell: JSON, widths, masks, the table of verbs. */
#include "support/test.h"

#include <unistd.h>

#include "hoso/hoso.h"

static struct hoso h;

static int set_up(void **state)
{
    (void)state;
    memset(&h, 0, sizeof(h));
    h.arena = wf_arena_new(0);
    return h.arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    wf_arena_free(h.arena);
    return 0;
}

static const struct wf_value *parsed(const char *text)
{
    const struct wf_value *value = NULL;
    assert_ok(hoso_json_parse("text", text, strlen(text), h.arena, &value, &h.err), h.err);
    return value;
}

static int refused(const char *text)
{
    const struct wf_value *value = NULL;
    int rc = hoso_json_parse("text", text, strlen(text), h.arena, &value, &h.err);
    assert_null(value);
    return rc;
}

/* What a printing function writes, as text. */
static const char *printed(int (*print)(FILE *to))
{
    static char text[4096];
    FILE *to = fmemopen(text, sizeof(text), "w");
    assert_non_null(to);
    assert_int_equal(print(to), 0);
    (void)fclose(to);
    return text;
}

static const struct wf_value *to_print;

static int print_it(FILE *to)
{
    return hoso_json_print(to_print, to, &h.err);
}

static void json_comes_back_as_it_went_in(void **state)
{
    (void)state;
    const char *text = "{\"a\": [1, -2.5, true, null, \"Hậu Giang\"], \"b\": {\"c\": "
                       "9007199254740993}}";
    to_print = parsed(text);
    const struct wf_value *again = parsed(printed(print_it));
    assert_true(wf_value_equal(to_print, again));
    assert_int_equal(wf_value_int(wf_value_at(again, "b.c"), 0), 9007199254740993);
}

static void json_that_is_ambiguous_or_broken_is_refused(void **state)
{
    (void)state;
    assert_int_equal(refused("{\"a\": 1, \"a\": 2}"), WF_E_CONFIG);
    assert_int_equal(refused("{\"a\": 1"), WF_E_CONFIG);
    assert_non_null(strstr(h.err.text, "line 1"));
    assert_int_equal(refused("{} {}"), WF_E_CONFIG);
    assert_int_equal(refused("\"a\\u0000b\""), WF_E_CONFIG);
    assert_int_equal(refused("99999999999999999999"), WF_E_CONFIG);
    assert_int_equal(refused("\"\xff\""), WF_E_CONFIG);
    assert_int_equal(refused(""), WF_E_CONFIG);
}

static void json_deeper_than_16_levels_is_refused(void **state)
{
    (void)state;
    char text[64] = "";
    for (int i = 0; i < 16; i++)
        text[i] = '[';
    for (int i = 16; i < 32; i++)
        text[i] = ']';
    (void)parsed(text);
    memmove(text + 1, text, 32);
    text[33] = ']';
    assert_int_equal(refused(text), WF_E_CONFIG);
}

static void an_object_is_wanted_where_an_object_is_wanted(void **state)
{
    (void)state;
    const struct wf_value *value = NULL;
    assert_int_equal(hoso_json_object("RESULT", "[1]", h.arena, &value, &h.err), WF_E_CONFIG);
    assert_string_equal(h.err.text, "RESULT: a JSON object is wanted: {\"name\": ...}");
    assert_ok(hoso_json_object("RESULT", "{}", h.arena, &value, &h.err), h.err);
}

static void a_vietnamese_letter_takes_one_column(void **state)
{
    (void)state;
    assert_int_equal(hoso_width("Nguyễn", strlen("Nguyễn")), 6);
    assert_int_equal(hoso_width("a\xcc\x80\xcc\xa3", 5), 1); /* accents behind their letter */
    assert_int_equal(hoso_width("", 0), 0);
}

static void unknown_texts_are_masked_and_known_ones_kept(void **state)
{
    (void)state;
    const struct wf_value *data =
        parsed("{\"verdict\": \"approve\", \"full_name\": \"Nguyễn Văn An\", \"amount\": 5,"
               " \"fields\": {\"phone\": \"0912345678\"}, \"papers\": [{\"id\": \"x\"}]}");
    const struct wf_value *masked = hoso_masked(&h, data);
    assert_string_equal(wf_value_text(wf_map_get(masked, "verdict"), ""), "approve");
    assert_string_equal(wf_value_text(wf_map_get(masked, "full_name"), ""), "N. V. A.");
    assert_string_equal(wf_value_text(wf_value_at(masked, "fields.phone"), ""), "091****678");
    assert_int_equal(wf_value_int(wf_map_get(masked, "amount"), 0), 5);
    const struct wf_value *paper = wf_list_at(wf_map_get(masked, "papers"), 0);
    assert_string_equal(wf_value_text(wf_map_get(paper, "id"), ""), "x");
}

static void a_harmless_key_does_not_uncover_what_is_below_it(void **state)
{
    (void)state;
    const struct wf_value *masked =
        hoso_masked(&h, parsed("{\"from\": {\"full_name\": \"Trần Thị Bình\"}, \"to\": [\"An\"]}"));
    assert_string_equal(wf_value_text(wf_value_at(masked, "from.full_name"), ""), "T. T. B.");
    assert_string_equal(wf_value_text(wf_list_at(wf_map_get(masked, "to"), 0), ""), "A.");
}

static void what_comes_from_outside_does_not_steer_the_terminal(void **state)
{
    static const struct hoso_column column = {"text", "Text", "Text", HOSO_TEXT};
    (void)state;
    const struct wf_value *row = hoso_map(&h, "text",
                                          wf_text(h.arena, "a\x1b[2Jb\x7f\nc\xc2\x9b"
                                                           "2Jd\xc2\xa0"
                                                           "ê"),
                                          NULL);
    assert_string_equal(hoso_cell_text(&h, &column, row), "a [2Jb  c  2Jd\xc2\xa0"
                                                          "ê");
    const struct wf_value *brief = hoso_brief(&h, row, 200); /* of an agent, of an event's data */
    assert_string_equal(wf_value_text(brief, ""), "text=a [2Jb  c  2Jd\xc2\xa0"
                                                  "ê");
}

static void whom_a_gateway_writes_to_is_masked(void **state)
{
    (void)state;
    const struct wf_value *task =
        hoso_masked(&h, parsed("{\"to\": \"0912345678\", \"template\": \"receipt\"}"));
    assert_string_equal(wf_value_text(wf_map_get(task, "to"), ""), "091****678");
    assert_string_equal(wf_value_text(wf_map_get(task, "template"), ""), "receipt");
}

static void what_was_entered_is_masked_whatever_its_id(void **state)
{
    (void)state;
    const struct wf_value *data = hoso_masked(
        &h, parsed("{\"fields\": {\"site\": \"Long Mỹ\", \"until\": {\"code\": \"An\"}},"
                   " \"site\": \"H30\"}"));
    assert_string_equal(wf_value_text(wf_value_at(data, "fields.site"), ""), "L. M.");
    assert_string_equal(wf_value_text(wf_value_at(data, "fields.until.code"), ""), "A.");
    assert_string_equal(wf_value_text(wf_map_get(data, "site"), ""), "H30");
}

static void a_brief_line_names_the_plain_members(void **state)
{
    (void)state;
    const struct wf_value *map =
        parsed("{\"a\": 1, \"b\": \"x\", \"c\": [1, 2], \"d\": true, \"e\": null, \"f\": \"\","
               " \"due\": 1764000000000}");
    assert_string_equal(wf_value_text(hoso_brief(&h, map, 100), ""),
                        "a=1 b=x c=(2) d=yes due=2025-11-24 23:00");
    assert_string_equal(wf_value_text(hoso_brief(&h, NULL, 100), "?"), "");
}

static void moments_are_read_as_people_write_them(void **state)
{
    (void)state;
    int64_t day = 0;
    int64_t minute = 0;
    assert_ok(hoso_moment(&h, "2026-11-23", &day), h.err);
    assert_ok(hoso_moment(&h, "2026-11-23T09:10", &minute), h.err);
    assert_int_equal(day, 1795366800000); /* midnight at UTC+7 */
    assert_int_equal(minute - day, (9 * 60 + 10) * 60000);
    static const char *const wrong[] = {"",
                                        "2026",
                                        "2026-02-29",
                                        "2026-11-23T",
                                        "2026-11-23T25:00",
                                        "2026-11-23 09:10x",
                                        "26-11-23",
                                        "2026-11-233"};
    for (size_t i = 0; i < WF_COUNT(wrong); i++)
        assert_int_equal(hoso_moment(&h, wrong[i], &day), WF_E_CONFIG);
}

static void every_verb_says_what_it_does_in_a_line_of_the_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < hoso_n_verbs; i++) {
        const struct hoso_verb *verb = &hoso_verbs[i];
        assert_true(strlen(verb->name) + strlen(verb->args) + 1 <= 32);
        assert_in_range(strlen(verb->summary), 4, 44);
        assert_true(verb->most < 0 || verb->least <= verb->most);
        assert_int_equal(verb->options[WF_COUNT(verb->options) - 1], OPT_CELL);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(verb->name, hoso_verbs[j].name);
    }
}

static void numbers_out_of_range_are_usage_errors(void **state)
{
    (void)state;
    int64_t n = 7;
    assert_ok(hoso_number(&h, OPT_MAX, 100, 1000, &n), h.err);
    assert_int_equal(n, 100);
    static const char *const wrong[] = {"", "-1", "1001", "1x", " ", "99999999999999999999"};
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        h.opt[OPT_MAX] = wrong[i];
        assert_int_equal(hoso_number(&h, OPT_MAX, 100, 1000, &n), WF_E_CONFIG);
        assert_non_null(strstr(h.err.text, "--max"));
    }
}

/* config/hoso.cfg with the settings of its lines "# name = value;" put in force. */
static void write_in_force(const char *path, char names[][64], size_t *n_names)
{
    char line[512];
    FILE *from = fopen(SOURCE_ROOT "/config/hoso.cfg", "r");
    FILE *to = fopen(path, "w");
    assert_non_null(from);
    assert_non_null(to);
    while (fgets(line, sizeof(line), from) != NULL) {
        size_t word = strspn(line + 2, "abcdefghijklmnopqrstuvwxyz_");
        if (strncmp(line, "# ", 2) != 0 || strncmp(line + 2 + word, " = ", 3) != 0)
            continue;
        (void)snprintf(names[(*n_names)++], 64, "%.*s", (int)word, line + 2);
        (void)fputs(line + 2, to);
    }
    (void)fclose(from);
    (void)fclose(to);
}

static void the_delivered_settings_name_every_setting_with_its_default(void **state)
{
    (void)state;
    char folder[] = "/tmp/hoso-settings-XXXXXX";
    char path[64];
    char names[64][64];
    size_t n = 0;
    struct wf_report report = {0};
    struct wf_settings plain = {0};
    struct wf_settings full = {0};
    struct wf_buf help = {0};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/hoso.cfg", folder);
    write_in_force(path, names, &n);
    assert_ok(wf_settings_load(path, &report, &full, &h.err), h.err);
    (void)fclose(fopen(path, "w"));
    assert_ok(wf_settings_load(path, &report, &plain, &h.err), h.err);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(wf_settings_text(&full, names[i]), wf_settings_text(&plain, names[i]));

    size_t used = wf_arena_used(full.arena); /* a worker asks at every dossier, for years */
    for (size_t i = 0; i < n; i++)
        (void)wf_settings_text(&full, names[i]);
    assert_int_equal(wf_arena_used(full.arena), used);

    wf_settings_help(&help); /* two lines for each setting */
    size_t lines = 0;
    for (size_t i = 0; i < help.len; i++)
        lines += help.ptr[i] == '\n';
    assert_int_equal(lines / 2, n);
    wf_buf_fini(&help);
    wf_settings_free(&full);
    wf_settings_free(&plain);
    wf_report_fini(&report);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(json_comes_back_as_it_went_in),
        CASE(json_that_is_ambiguous_or_broken_is_refused),
        CASE(json_deeper_than_16_levels_is_refused),
        CASE(an_object_is_wanted_where_an_object_is_wanted),
        CASE(a_vietnamese_letter_takes_one_column),
        CASE(unknown_texts_are_masked_and_known_ones_kept),
        CASE(a_harmless_key_does_not_uncover_what_is_below_it),
        CASE(what_comes_from_outside_does_not_steer_the_terminal),
        CASE(whom_a_gateway_writes_to_is_masked),
        CASE(what_was_entered_is_masked_whatever_its_id),
        CASE(a_brief_line_names_the_plain_members),
        CASE(moments_are_read_as_people_write_them),
        CASE(every_verb_says_what_it_does_in_a_line_of_the_list),
        CASE(numbers_out_of_range_are_usage_errors),
        CASE(the_delivered_settings_name_every_setting_with_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

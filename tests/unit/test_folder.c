/* SPDX-License-Identifier: Apache-2.0 */
/* The drop folder's pure parts: CSV, columns, sheets, names. Real files: integration/folder.py. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "folder/folder.h"

static const struct folder_settings bounds = {.max_rows = 100, .max_bytes = 100000};

static struct column columns[] = {
    {"Name", "fields.full_name", CELL_TEXT, "original", false},
    {"Born", "fields.birth_date", CELL_DATE, "original", true},
    {"Copies", "papers.identity", CELL_INTEGER, "copy", true},
    {"Married", "fields.was_married", CELL_BOOLEAN, "original", true},
    {"Fee", "data.fee", CELL_INTEGER, "original", true},
    {"Share", "data.share", CELL_NUMBER, "original", true},
};
static const char *const yes[] = {"yes", "có"};
static const char *const no[] = {"no"};
static struct csv_map map = {.files = "*.csv",
                             .delimiter = ',',
                             .dates = "dd/MM/yyyy",
                             .yes = {yes, 2},
                             .no = {no, 1},
                             .given = {[GIVEN_PROCEDURE] = "1.004873"},
                             .columns = columns,
                             .n_columns = WF_COUNT(columns)};
static const struct folder_party party = {.name = "counter-1",
                                          .given = {[GIVEN_SITE] = "S1", [GIVEN_BY] = "an"},
                                          .maps = &map,
                                          .n_maps = 1};

static int read_sheet(const char *name, const char *text, struct sheet *out, struct place *place)
{
    struct wf_error err = {0};
    return sheet_read(&bounds, &party, name, text, strlen(text), out, place, &err);
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static void assert_cells(const char *text, const char *joined)
{
    char buffer[512];
    struct csv csv;
    struct place place = {0};
    struct wf_buf got = {0};
    struct wf_error err = {0};
    assert_true(strlen(text) < sizeof(buffer));
    memcpy(buffer, text, strlen(text));
    assert_int_equal(csv_read(buffer, strlen(text), ',', 10, &csv, &place, &err), 0);
    for (size_t i = 0; i < (csv.n_rows + 1) * csv.n_columns; i++)
        wf_buf_printf(&got, "[%.*s]", WF_STR_ARG(csv.cells[i]));
    wf_buf_add(&got, "", 1);
    assert_string_equal((const char *)got.ptr, joined);
    wf_buf_fini(&got);
    csv_free(&csv);
}

static void csv_is_read_as_rfc_4180_says(void **state)
{
    (void)state;
    assert_cells("a,b\r\n1,2\r\n", "[a][b][1][2]");
    assert_cells("a,b\n1,2", "[a][b][1][2]");
    assert_cells("a,b\n,\n", "[a][b][][]");
    assert_cells("a\n\"x,\"\"y\"\"\r\nz\"\n", "[a][x,\"y\"\r\nz]");
    assert_cells("a,b\n\"\",\"\"\n", "[a][b][][]");
    assert_cells("\n\na\n\n1\n\n", "[a][1]");
    assert_cells("a\n\"\"\"\"\n", "[a][\"]");
}

static void csv_that_is_wrong_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t line, column;
    } wrong[] = {
        {"", 1, 0},
        {"\n\n", 1, 0},
        {"a,b\n1\n", 2, 2},
        {"a\n\"x\n", 3, 1},
        {"a\n\"x\"y\n", 2, 4},
        {"a\nx\"y\n", 2, 2},
        {"a\nx\ry\n", 2, 2},
        {"a,b\n1,2,3\n", 2, 6},
        {"a\nđ\"\n", 2, 2},
        {"a\nb\n\xff\n", 3, 0},
        {"a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", 12, 3},
        {"a\n\"x\n\ny\"z", 4, 3},
    };
    (void)state;
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        char buffer[64];
        struct csv csv;
        struct place place = {0};
        struct wf_error err = {0};
        size_t n = strlen(wrong[i].text);
        memcpy(buffer, wrong[i].text, n);
        assert_int_equal(csv_read(buffer, n, ',', 10, &csv, &place, &err), WF_E_INVALID);
        assert_int_equal(place.line, wrong[i].line);
        assert_int_equal(place.column, wrong[i].column);
    }
}

static void what_is_written_as_csv_is_read_back(void **state)
{
    static const char *const cells[] = {"", "a", "a,b", "\"", "\"\"", "x\r\ny", "\n", "đ,\"ư\""};
    (void)state;
    for (size_t i = 0; i < WF_COUNT(cells); i++) {
        struct wf_buf out = {0};
        struct csv csv;
        struct place place = {0};
        struct wf_error err = {0};
        wf_buf_text(&out, "h,i\n");
        csv_write_cell(&out, wf_str(cells[i]), ',');
        wf_buf_text(&out, ",x");
        assert_int_equal(csv_read((char *)out.ptr, out.len, ',', 10, &csv, &place, &err), 0);
        assert_true(wf_str_is(csv.cells[2], cells[i]));
        csv_free(&csv);
        wf_buf_fini(&out);
    }
}

/* ---- sheets ---------------------------------------------------------------------------------- */

static void cells_become_the_members_that_their_columns_say(void **state)
{
    struct sheet sheet;
    struct place place;
    struct wf_error err = {0};
    enum wf_message type;
    const struct wf_value *body = NULL;
    struct wf_arena *arena = wf_arena_new(0);
    (void)state;
    assert_int_equal(read_sheet("a.csv",
                                "\xef\xbb\xbfName,Born,Copies,Married,error_code\n"
                                "An,07/05/1990,2,CÓ,\nAn,,,no,\nAn,,có,có,\n",
                                &sheet, &place),
                     0);
    assert_int_equal(sheet.n, 3);
    assert_true(sheet.has_bom);
    assert_int_equal(sheet_row(&sheet, &party, 0, arena, &type, &body, &err), WF_E_INVALID);
    assert_string_equal(err.field, "fields.was_married"); /* capitals beyond ASCII are others */
    assert_int_equal(sheet_row(&sheet, &party, 2, arena, &type, &body, &err), 0);
    assert_int_equal(type, WF_MSG_dossier_submit);
    assert_string_equal(wf_value_text(wf_value_at(body, "fields.full_name"), ""), "An");
    assert_true(wf_value_bool(wf_value_at(body, "fields.was_married"), false));
    assert_string_equal(wf_value_text(wf_map_get(body, "procedure"), ""), "1.004873");
    assert_string_equal(wf_value_text(wf_map_get(body, "site"), ""), "S1");
    const struct wf_value *paper = wf_list_at(wf_map_get(body, "papers"), 0);
    assert_string_equal(wf_value_text(wf_map_get(paper, "kind"), ""), "copy");
    assert_int_equal(wf_value_int(wf_map_get(paper, "copies"), 0), 1);
    assert_int_equal(sheet_row(&sheet, &party, 1, arena, &type, &body, &err), 0);
    assert_null(wf_map_get(body, "papers"));
    assert_null(wf_value_at(body, "fields.birth_date"));
    sheet_free(&sheet);
    wf_arena_free(arena);
}

static void cells_that_are_not_what_their_column_says_are_refused(void **state)
{
    static const char *const bad[] = {
        "An,31-12-1990,,,,", "An,1990,,,,",
        "An,00/01/1990,,,,", "An,01/13/1990,,,,",
        "An,1/1/1990,,,,",   "An,,x,,,",
        "An,,,perhaps,,",    "An,,,,1.5,",
        "An,,,,0x10,",       "An,,,,99999999999999999999,",
        "An,,,,,1e5",        "An,,,,,-",
    };
    struct wf_arena *arena = wf_arena_new(0);
    (void)state;
    for (size_t i = 0; i < WF_COUNT(bad); i++) {
        char text[200] = "Name,Born,Copies,Married,Fee,Share\n";
        struct sheet sheet;
        struct place place;
        struct wf_error err = {0};
        enum wf_message type;
        const struct wf_value *body = NULL;
        strcat(text, bad[i]);
        assert_int_equal(read_sheet("a.csv", text, &sheet, &place), 0);
        assert_int_equal(sheet_row(&sheet, &party, 0, arena, &type, &body, &err), WF_E_INVALID);
        assert_true(err.field[0] != '\0');
        sheet_free(&sheet);
    }
    wf_arena_free(arena);
}

static void json_rows_stand_in_a_list_an_object_or_alone(void **state)
{
    static const char *const texts[] = {"[{\"event\": \"x\"}]", "{\"rows\": [{\"event\": \"x\"}]}",
                                        "{\"event\": \"x\", \"error\": {\"code\": \"busy\"}}",
                                        "\xef\xbb\xbf[{\"event\": \"x\"}]"};
    struct wf_arena *arena = wf_arena_new(0);
    (void)state;
    for (size_t i = 0; i < WF_COUNT(texts); i++) {
        struct sheet sheet;
        struct place place;
        struct wf_error err = {0};
        enum wf_message type;
        const struct wf_value *body = NULL;
        assert_int_equal(read_sheet("A.JSON", texts[i], &sheet, &place), 0);
        assert_int_equal(sheet.n, 1);
        assert_int_equal(sheet_row(&sheet, &party, 0, arena, &type, &body, &err), 0);
        assert_int_equal(type, WF_MSG_dossier_event);
        assert_null(wf_map_get(body, "error"));
        assert_null(wf_map_get(body, "site")); /* an event has none */
        assert_string_equal(wf_value_text(wf_map_get(body, "by"), ""), "an");
        sheet_free(&sheet);
    }
    wf_arena_free(arena);
}

static void sheets_are_read_with_any_memory_that_is_missing(void **state)
{
    static const struct {
        const char *name, *text;
    } files[] = {{"a.csv", "Name,Born\nAn,07/05/1990\n"}, {"a.json", "[{\"fields\": {\"a\": 1}}]"}};
    (void)state;
    for (size_t f = 0; f < WF_COUNT(files); f++) {
        int rc = WF_E_NOMEM;
        for (unsigned long n = 1; rc != 0; n++) {
            struct sheet sheet = {0};
            struct place place;
            wf_alloc_fail_at(n, 1);
            rc = read_sheet(files[f].name, files[f].text, &sheet, &place);
            wf_alloc_fail_at(0, 0);
            assert_true(rc == 0 || rc == WF_E_NOMEM);
            sheet_free(&sheet);
            assert_true(n < 100);
        }
    }
}

/* Whatever bytes come, a sheet is read or refused, and each row is a body or refused. */
static void any_bytes_are_read_or_refused(void **state)
{
    static const char *const seeds[] = {
        "Name,Born,Copies\nAn,\"07/05/1990\",1\n\"B\"\"c\",,có\n",
        "[{\"procedure\": \"1\", \"fields\": {\"a\": [1, 2.5, null, true]}}, {\"event\": \"x\"}]"};
    const char *given = getenv("SEED");
    unsigned random = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1;
    struct wf_arena *arena = wf_arena_new(0);
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[200];
        const char *seed = seeds[i % 2];
        size_t n = strlen(seed);
        memcpy(text, seed, n + 1);
        for (int k = 0; k < 3; k++) {
            random = random * 1103515245U + 12345U;
            size_t at = (random >> 8) % n;
            text[at] = "\",\n\r{}[]:x\\\xc3\xbf\x01;7"[(random >> 20) % 17];
        }
        struct sheet sheet;
        struct place place;
        struct wf_error err = {0};
        if (sheet_read(&bounds, &party, i % 2 == 0 ? "a.csv" : "a.json", text, n, &sheet, &place,
                       &err) != 0) {
            assert_int_equal(err.code, WF_E_INVALID);
            continue;
        }
        for (size_t r = 0; r < sheet.n; r++) {
            enum wf_message type;
            const struct wf_value *body = NULL;
            wf_arena_reset(arena);
            int rc = sheet_row(&sheet, &party, r, arena, &type, &body, &err);
            assert_true(rc == 0 || rc == WF_E_INVALID);
        }
        sheet_free(&sheet);
    }
    wf_arena_free(arena);
}

/* ---- names and results ----------------------------------------------------------------------- */

static void names_that_are_still_written_or_harmful_are_told_apart(void **state)
{
    char safe[NAME_MAX_BYTES + 1];
    char label[LABEL_MAX_BYTES + 1];
    char giant[400];
    unsigned number = 0;
    const char *name = NULL;
    (void)state;
    assert_true(name_is_finished("a.json") && name_is_finished("part"));
    assert_false(name_is_finished("a.json.PART") || name_is_finished("a.tmp"));
    assert_false(name_is_finished(".a.json") || name_is_finished("a.json~"));
    assert_true(name_is_good("Tờ khai 1.json"));
    assert_false(name_is_good("a\nb") || name_is_good("a\x7f") || name_is_good("\xff"));
    assert_false(name_is_good("\xc2\x85.json") || name_is_good(""));
    memset(giant, 'a', sizeof(giant) - 1);
    giant[sizeof(giant) - 1] = '\0';
    name_make_safe(giant, safe);
    assert_true(wf_starts_with(safe, "bad-name-") && name_is_good(safe));
    name_of_label("a.b.json", 1, label);
    assert_string_equal(label, "a.b.json");
    name_of_label("a.b.json", 3, label);
    assert_string_equal(label, "a.b.3.json");
    assert_true(name_of_work("12+a.json", &number, &name));
    assert_int_equal(number, 12);
    assert_string_equal(name, "a.json");
    assert_false(name_of_work("events-1-2.json", &number, &name));
    assert_false(name_of_work("+a", &number, &name) || name_of_work("1+", &number, &name));
}

static void every_refusal_has_a_cure_in_two_languages(void **state)
{
    (void)state;
#define X(name, number, action, word, meaning)                                                     \
    if (WF_##action == WF_REFUSE)                                                                  \
        assert_string_not_equal(cure_of(WF_E_##name, false), cure_of(WF_E_##name, true));
    WF_ERRORS(X)
#undef X
    assert_non_null(strstr(cure_of(WF_E_HELD, false), "released"));
}

static void times_are_told_in_vietnamese_time(void **state)
{
    (void)state;
    json_t *time = time_json(1795426200000);
    assert_string_equal(json_string_value(time), "2026-11-23T16:30:00+07:00");
    json_decref(time);
    time = time_json(0);
    assert_true(json_is_null(time));
    json_decref(time);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_is_read_as_rfc_4180_says),
        cmocka_unit_test(csv_that_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(what_is_written_as_csv_is_read_back),
        cmocka_unit_test(cells_become_the_members_that_their_columns_say),
        cmocka_unit_test(cells_that_are_not_what_their_column_says_are_refused),
        cmocka_unit_test(json_rows_stand_in_a_list_an_object_or_alone),
        cmocka_unit_test(sheets_are_read_with_any_memory_that_is_missing),
        cmocka_unit_test(any_bytes_are_read_or_refused),
        cmocka_unit_test(names_that_are_still_written_or_harmful_are_told_apart),
        cmocka_unit_test(every_refusal_has_a_cure_in_two_languages),
        cmocka_unit_test(times_are_told_in_vietnamese_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

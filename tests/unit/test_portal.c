/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portal's records against golden files (tests/portal/NAME.json; GOLDEN=write makes them anew),
 * and the ways by which statuses are told.
 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "portal/portal.h"

#define AT_MS 1795422600000 /* 2026-11-23 15:30:00 in Viet Nam */
#define DAY   86400000

static char folder[64];
static struct adapter adapter;
static struct portal_settings *settings;
static struct wf_arena *arena;

static int load(const char *more, struct wf_error *err)
{
    char path[128];
    struct wf_report report = {0};
    (void)snprintf(path, sizeof(path), "%s/portal.cfg", folder);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return -1;
    (void)fprintf(file,
                  "gate = \"portal.key\"; login_url = \"https://portal.example/login\";\n"
                  "service_url = \"https://portal.example/g\"; unit = \"000.00.00.H30\";\n"
                  "user = \"u\"; files_url = \"https://cell.example/files/\";\n"
                  "papers = [ \"1.004873/declaration=000.00.00.G15-KQ004389\" ];\n%s",
                  more);
    (void)fclose(file);
    int rc = adapter_load(&adapter, &portal_spec, folder, &report, err);
    wf_report_fini(&report);
    settings = adapter.settings;
    return rc;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/hoso-portal-XXXXXX");
    arena = wf_arena_new(0);
    return mkdtemp(folder) != NULL && arena != NULL ? load("", NULL) : -1;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    adapter_unload(&adapter);
    wf_arena_free(arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

/* ---- records --------------------------------------------------------------------------------- */

struct sample {
    const char *golden, *file, *channel;
    const char *content; /* JSON with ' for " */
    const char *stops;
    struct portal_course course;
    struct portal_event event;
    const char *states;
    bool is_progress;
};

#define PERSON                                                                                     \
    "'full_name': 'Nguyễn Văn An', 'citizen_id': '093090001234', 'phone': '0912345678',"        \
    "'email': 'an@example.vn', 'address': '12 Trần Hưng Đạo, Long Mỹ'"

static const struct sample samples[] = {
    {.golden = "marital-status-supplement",
     .file = "1.004873-marital-status.cfg",
     .channel = "post",
     .content = "{'fields': {" PERSON ", 'return_by': 'post'}, 'papers': ["
                "{'id': 'declaration', 'kind': 'original', 'copies': 1},"
                "{'id': 'identity', 'kind': 'certified', 'copies': 2}]}",
     .stops =
         "[['supplement', 1795163400000, 1795249800000], ['payment', 1795249800000, 1795336200000],"
         "['supplement', 1795422600000, 0], ['supplement', 1795509000000, 0]]",
     .course = {.accepted = AT_MS - 3 * (int64_t)DAY},
     .event = {.n = 9, .ms = AT_MS, .status = 5}},
    {.golden = "certified-copy-returned",
     .file = "2.000815-certified-copy.cfg",
     .channel = "one_stop",
     .content =
         "{'fields': {" PERSON ", 'return_by': 'counter'}, 'papers': ["
         "{'id': 'original', 'kind': 'electronic', 'copies': 1, 'file': 'blake2b-0a1b.pdf'}]}",
     .course = {AT_MS - (int64_t)DAY, AT_MS - 1000, AT_MS, 0},
     .event = {.n = 12, .part = 1, .ms = AT_MS, .status = 10}},
    {.golden = "household-business-new",
     .file = "1.001612-household-business.cfg",
     .channel = "online",
     .content = "{'fields': {" PERSON ", 'tax_number': '0123456789', 'return_by': 'counter'}}",
     .event = {.n = 2, .ms = AT_MS, .status = 1}},
    {.golden = "land-change-refused",
     .file = "1.013831-land-change.cfg",
     .channel = "one_stop",
     .content = "{'fields': {'full_name': 'Trần Thị \"Bé\" \\\\ Ba', 'citizen_id': '123456789'}}",
     .course = {.refused = AT_MS},
     .event = {.n = 4, .ms = AT_MS, .status = 3}},
    {.golden = "criminal-record-nothing-filled",
     .file = "3.000333-criminal-record.cfg",
     .channel = "drone",
     .content = "{}",
     .event = {.n = 1, .ms = AT_MS, .status = 2}},
    {.golden = "marital-status-step",
     .file = "1.004873-marital-status.cfg",
     .channel = "post",
     .content = "{}",
     .event = {.n = 5, .part = 2, .ms = AT_MS, .status = 4},
     .states = "['consult', 'no_such_state']",
     .is_progress = true},
};

static const struct wf_value *json(const char *text)
{
    char *copy = wf_arena_strdup(arena, text);
    struct wf_error err = {0};
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c == '"' ? '\'' : *c;
    json_t *parsed = json_loads(copy, JSON_DECODE_ANY, NULL);
    if (parsed == NULL)
        fail_msg("%s %s", copy, err.text);
    const struct wf_value *value = json_value(parsed, arena);
    json_decref(parsed);
    return value;
}

static char *record_of(const struct sample *s)
{
    char path[512];
    struct wf_report report = {0};
    struct wf_procedure *procedure = NULL;
    struct wf_error err = {0};
    (void)snprintf(path, sizeof(path), SOURCE_ROOT "/procedures/%s", s->file);
    assert_int_equal(wf_procedure_load(path, NULL, &report, &procedure, &err), 0);
    wf_report_fini(&report);
    const struct wf_msg_dossier_state state = {
        .dossier = wf_str("000.00.13.H30-261120-0001"),
        .procedure = wf_str(procedure->code),
        .version = 1,
        .channel = wf_str(s->channel),
        .received = AT_MS - 3 * (int64_t)DAY,
        .due = AT_MS + (int64_t)DAY,
        .content = json(s->content),
        .stops = s->stops != NULL ? json(s->stops) : NULL,
    };
    struct portal_dossier d = {settings, &state, procedure, s->course};
    struct portal_event e = s->event;
    e.by = wf_str("an");
    e.role = wf_str("civil_servant");
    e.note = wf_str(s->event.status == 5 || s->event.status == 3 ? "thiếu giấy tờ" : "");
    e.states = s->states != NULL ? json(s->states) : NULL;
    char *text = s->is_progress ? portal_progress_record(&d, &e) : portal_sync_record(&d, &e);
    assert_non_null(text);
    wf_procedure_free(procedure);
    return text;
}

static void records_are_as_the_golden_files_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < WF_COUNT(samples); i++) {
        char path[512];
        char *text = record_of(&samples[i]);
        json_t *is = json_loads(text, 0, NULL);
        (void)snprintf(path, sizeof(path), SOURCE_ROOT "/tests/portal/%s.json", samples[i].golden);
        if (getenv("GOLDEN") != NULL)
            assert_int_equal(json_dump_file(is, path, JSON_INDENT(2)), 0);
        json_t *golden = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(golden);
        if (!json_equal(is, golden))
            fail_msg("%s: %s", samples[i].golden, text);
        json_decref(golden);
        json_decref(is);
        free(text);
    }
}

static void a_citizens_account_stays_out_of_a_step(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_procedure *procedure = NULL;
    const char *path = SOURCE_ROOT "/procedures/1.004873-marital-status.cfg";
    assert_int_equal(wf_procedure_load(path, NULL, &report, &procedure, NULL), 0);
    wf_report_fini(&report);
    const struct wf_msg_dossier_state is = {.dossier = wf_str("x"),
                                            .procedure = wf_str(procedure->code)};
    const struct portal_dossier d = {settings, &is, procedure, {0}};
    struct portal_event e = {.n = 1, .ms = AT_MS, .status = 7, .by = wf_str("an.nguyen")};
    e.role = wf_str("citizen");
    char *text = portal_progress_record(&d, &e);
    assert_null(strstr(text, "an.nguyen"));
    free(text);
    wf_procedure_free(procedure);
}

/* ---- statuses and dates ---------------------------------------------------------------------- */

static void assert_path(int from, int to, const char *expected)
{
    int path[STATUS_MAX];
    char text[64] = "";
    size_t n = portal_path(settings, from, to, path);
    for (size_t i = 0; i < n; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", path[i]);
    assert_string_equal(text, expected);
}

static void statuses_are_told_by_allowed_steps_only(void **state)
{
    (void)state;
    assert_path(0, 1, " 1");
    assert_path(0, 2, " 2");
    assert_path(0, 4, " 2 4"); /* accepted and passed on in one event */
    assert_path(0, 3, " 1 3");
    assert_path(1, 6, " 2 6");
    assert_path(1, 9, " 2 4 9");
    assert_path(6, 10, " 4 9 10");
    assert_path(9, 4, " 4");
    assert_path(4, 4, "");
    assert_path(5, 1, "");   /* back at the papers' count: the portal stays at 5 */
    assert_path(5, 3, " 8"); /* a late refusal is a stop */
    assert_path(8, 4, "");
    assert_path(10, 9, "");
    assert_path(1, 0, "");
    assert_path(1, 11, "");
}

static void every_status_leads_to_an_end(void **state)
{
    (void)state;
    for (int from = 1; from <= STATUS_MAX; from++) {
        int path[STATUS_MAX];
        bool is_end = from == 3 || from == 8 || from == 10;
        assert_true(is_end || portal_path(settings, from, 8, path) > 0 ||
                    portal_path(settings, from, 10, path) > 0);
    }
}

static void dates_are_those_of_viet_nam(void **state)
{
    char date[PORTAL_DATE];
    (void)state;
    assert_string_equal(portal_date(AT_MS, date), "20261123153000");
    assert_string_equal(portal_date(0, date), "");
    assert_string_equal(portal_date(1795453199999, date), "20261123235959");
    assert_string_equal(portal_date(1795453200000, date), "20261124000000");
}

static void long_numbers_are_masked_and_letters_stay_whole(void **state)
{
    char out[32];
    (void)state;
    portal_mask(wf_str("sai: 093090001234, 12345678\n"), out, sizeof(out));
    assert_string_equal(out, "sai: ***, 12345678 ");
    portal_mask(wf_str("ệệệệệệệệệệệệệệệệ"), out, sizeof(out));
    assert_true(strlen(out) > 20 && wf_is_utf8(out, strlen(out)));
}

/* ---- settings -------------------------------------------------------------------------------- */

static void a_wrong_setting_is_named(void **state)
{
    static const struct {
        const char *text, *said;
    } wrong[] = {
        {"channels = [ \"post\" ];", "channels: \"post\" has no \"=\""},
        {"transitions = [ \"1>2/x\" ];", "transitions: \"1>2/x\""},
        {"transitions = [ \"1>11\" ];", "transitions: \"1>11\""},
        {"batch = 0;", "batch"},
        {"colour = \"red\";", "colour"},
    };
    (void)state;
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        struct wf_error err = {0};
        adapter_unload(&adapter);
        assert_int_equal(load(wrong[i].text, &err), WF_E_CONFIG);
        if (strstr(err.text, wrong[i].said) == NULL)
            fail_msg("%s", err.text);
    }
    adapter_unload(&adapter);
    assert_int_equal(load("channels = [ \"post=POSTAL\" ];", NULL), 0);
    assert_true(wf_str_is(portal_map(&settings->channels, wf_str("post"), ""), "POSTAL"));
    assert_true(wf_str_is(portal_map(&settings->channels, wf_str("online"), "?"), "?"));
}

/* config/portal.cfg, with what is commented out switched on, is right and names every setting. */
static void the_delivered_file_names_every_setting(void **state)
{
    char line[256];
    struct wf_buf text = {0};
    (void)state;
    FILE *file = fopen(SOURCE_ROOT "/config/portal.cfg", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        size_t name = strspn(line + 2, "abcdefghijklmnopqrstuvwxyz_");
        bool is_setting = strncmp(line, "# ", 2) == 0 &&
                          (strncmp(line + 2 + name, " = ", 3) == 0 || line[2] == ' ');
        wf_buf_text(&text, is_setting ? line + 1 : line);
    }
    (void)fclose(file);
    wf_buf_add(&text, "", 1);
    assert_false(text.failed);
    for (size_t i = 0; i < portal_spec.n_keys; i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "%s = ", portal_spec.keys[i].name);
        if (strstr((const char *)text.ptr, name) == NULL)
            fail_msg("config/portal.cfg does not name %s", portal_spec.keys[i].name);
    }
    struct wf_report report = {0};
    struct wf_config *config = NULL;
    struct portal_settings read = {0};
    struct wf_error err = {0};
    int rc =
        wf_config_parse("portal.cfg", (const char *)text.ptr, text.len - 1, &report, &config, &err);
    if (rc == 0)
        rc = wf_keys_read(config, wf_config_root(config), portal_spec.keys, portal_spec.n_keys,
                          &read, &report, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    wf_config_free(config);
    wf_report_fini(&report);
    wf_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_as_the_golden_files_say),
        cmocka_unit_test(a_citizens_account_stays_out_of_a_step),
        cmocka_unit_test(statuses_are_told_by_allowed_steps_only),
        cmocka_unit_test(every_status_leads_to_an_end),
        cmocka_unit_test(dates_are_those_of_viet_nam),
        cmocka_unit_test(long_numbers_are_masked_and_letters_stay_whole),
        cmocka_unit_test(a_wrong_setting_is_named),
        cmocka_unit_test(the_delivered_file_names_every_setting),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

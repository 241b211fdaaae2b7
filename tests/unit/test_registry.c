/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "workflow/registry.h"

#define CONFIG_FOLDER SOURCE_ROOT "/config"

#define SITES                                                                                      \
    "sites = ( { code = \"000.00.31.H30\"; kind = \"agency\"; name = { vi = \"A\"; en = \"A\"; "   \
    "}; "                                                                                          \
    "} );"
#define ROLES "roles = ( { id = \"citizen\"; title = { vi = \"A\"; en = \"A\"; }; } );"
#define TEMPLATES                                                                                  \
    "templates = ( { id = \"ready\"; vi = \"{code}\"; en = \"{code}\"; sms = \"{code}\"; } );"

static struct wf_registry *registry; /* of config/, for all tests */
static char folder[] = "/tmp/wf-registry-XXXXXX";

static int load(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_error err = {0};
    int rc = wf_registry_load(CONFIG_FOLDER, &report, &registry, &err);
    if (rc != 0)
        print_error("%s\n", err.text);
    wf_report_fini(&report);
    return rc != 0 || mkdtemp(folder) == NULL;
}

static const char *const file_names[] = {"sites.cfg", "roles.cfg", "templates.cfg"};

static char *path_of(size_t file, char path[64])
{
    (void)snprintf(path, 64, "%s/%s", folder, file_names[file]);
    return path;
}

static int unload(void **state)
{
    (void)state;
    char path[64];
    for (size_t i = 0; i < WF_COUNT(file_names); i++)
        (void)unlink(path_of(i, path));
    wf_registry_free(registry);
    return rmdir(folder);
}

/* Writes the three files and loads them. */
static int load_texts(const char *sites, const char *roles, const char *templates,
                      struct wf_report *report, struct wf_registry **out, struct wf_error *err)
{
    const char *const texts[] = {sites, roles, templates};
    for (size_t i = 0; i < WF_COUNT(texts); i++) {
        char path[64];
        FILE *file = fopen(path_of(i, path), "w");
        assert_non_null(file);
        assert_true(fputs(texts[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    return wf_registry_load(folder, report, out, err);
}

static void the_pilot_has_its_sites_and_agencies(void **state)
{
    (void)state;
    const struct wf_site *town = wf_registry_site(registry, wf_str("000.00.13.H30"));
    assert_non_null(town);
    assert_string_equal(town->name.en, "Long My Town Post Office");
    assert_int_equal(town->kind, WF_SITE_POST_OFFICE);
    assert_string_equal(wf_site_kind_name(town->kind), "post_office");
    assert_string_equal(wf_site_model_name(town->model), "M1");
    assert_false(town->mandated);
    const struct wf_site *agency = wf_registry_site(registry, wf_str(town->agency));
    assert_int_equal(agency->kind, WF_SITE_AGENCY);
    assert_string_equal(agency->agency, agency->code);
    assert_null(wf_registry_site(registry, wf_str("000.00.99.H30")));
    assert_null(wf_registry_site(registry, wf_str("")));
    size_t receiving = 0;
    for (size_t i = 0; i < registry->n_sites; i++) {
        const struct wf_site *site = &registry->sites[i];
        assert_ptr_equal(wf_registry_site(registry, wf_str(site->code)), site);
        receiving += site->kind != WF_SITE_AGENCY;
    }
    assert_true(receiving >= 8);
}

static void the_catalogue_names_roles_channels_and_templates(void **state)
{
    (void)state;
    static const char *const roles[] = {
        "citizen", "agent",      "postal_worker", "head",    "civil_servant", "signing_authority",
        "courier", "specialist", "agency",        "gateway", "clerk",         "system"};
    struct wf_catalogue catalogue = {.n_activities = 7};
    wf_registry_catalogue(registry, &catalogue);
    assert_int_equal(catalogue.n_activities, 7);
    assert_int_equal(catalogue.n_channels, 3);
    assert_int_equal(catalogue.n_roles, WF_COUNT(roles));
    for (size_t i = 0; i < WF_COUNT(roles); i++)
        assert_non_null(wf_registry_role(registry, wf_str(roles[i])));
    assert_null(wf_registry_role(registry, wf_str("king")));
    assert_int_equal(catalogue.n_templates, registry->n_templates);
    assert_string_equal(catalogue.templates[0], registry->templates[0].id);
}

static void every_message_of_the_contract_has_a_template(void **state)
{
    (void)state;
    static const char *const ids[] = {"receipt", "supplement", "refused",   "apology", "ready",
                                      "payment", "stopped",    "delivered", "returned"};
    for (size_t i = 0; i < WF_COUNT(ids); i++) {
        const struct wf_template *t = wf_registry_template(registry, wf_str(ids[i]));
        assert_non_null(t);
        assert_non_null(strstr(t->vi, "{code}"));
        assert_non_null(strstr(t->en, "{code}"));
        assert_non_null(strstr(t->sms, "{code}"));
    }
    assert_null(wf_registry_template(registry, wf_str("greeting")));
}

static void assert_rendered(const char *text, const struct wf_value *values, const char *expected)
{
    struct wf_buf buf = {0};
    wf_template_render(text, values, &buf);
    wf_buf_add(&buf, "", 1);
    assert_false(buf.failed);
    assert_string_equal((const char *)buf.ptr, expected);
    wf_buf_fini(&buf);
}

static void placeholders_are_replaced_once_and_missing_values_show_as_ellipsis(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *map = wf_map(arena);
    struct wf_value *items = wf_list(arena);
    struct wf_value *paper = wf_map(arena);
    wf_map_put(arena, paper, "id", wf_text(arena, "photo"));
    wf_list_add(arena, items, wf_text(arena, "form"));
    wf_list_add(arena, items, paper);
    wf_map_put(arena, map, "code", wf_text(arena, "{title}\n\x7f<x>"));
    wf_map_put(arena, map, "amount", wf_int(arena, 26000));
    wf_map_put(arena, map, "items", items);
    wf_map_put(arena, map, "reason", wf_text(arena, ""));
    wf_map_put(arena, map, "due", &wf_null);
    assert_rendered("a {code} b", map, "a {title}  <x> b");
    assert_rendered("{amount}", map, "26000");
    assert_rendered("{items}", map, "form; photo");
    assert_rendered("{reason}|{due}|{office}", map, "\u2026|\u2026|\u2026");
    assert_rendered("{item}", NULL, "\u2026");
    assert_rendered("", map, "");
    wf_map_put(arena, paper, "vi", wf_text(arena, "\u1ea2nh"));
    assert_rendered("{items}", map, "form; \u1ea2nh");
    wf_arena_free(arena);
}

static void a_rendered_text_is_bounded_and_cut_between_letters(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(0);
    for (size_t lead = 0; lead < 3; lead++) {
        char *longer = wf_arena_alloc(arena, 9004);
        memset(longer, 'x', lead);
        for (size_t i = 0; i < 3000; i++)
            memcpy(longer + lead + 3 * i, "\u1ec5", 3);
        struct wf_value *map = wf_map(arena);
        wf_map_put(arena, map, "reason", wf_text(arena, longer));
        struct wf_buf buf = {0};
        wf_template_render("{reason} {reason}", map, &buf);
        assert_in_range(buf.len, WF_RENDERED_MAX - 2, WF_RENDERED_MAX);
        assert_true(wf_is_utf8((const char *)buf.ptr, buf.len));
        assert_memory_equal(buf.ptr + buf.len - 3, "\u2026", 3);
        wf_buf_clear(&buf);
        wf_template_render_sms("{reason}", map, &buf);
        assert_int_equal(buf.len, WF_SMS_MAX);
        assert_memory_equal(buf.ptr + buf.len - 4, "e...", 4);
        wf_buf_fini(&buf);
    }
    wf_arena_free(arena);
}

static void a_list_within_lists_ends_somewhere(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(0);
    const struct wf_value *inner = wf_text(arena, "x");
    for (int i = 0; i < 5000; i++) {
        struct wf_value *list = wf_list(arena);
        wf_list_add(arena, list, inner);
        inner = list;
    }
    struct wf_value *map = wf_map(arena);
    wf_map_put(arena, map, "items", inner);
    assert_rendered("{items}", map, "\u2026");
    wf_arena_free(arena);
}

static void an_sms_has_no_accents(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *map = wf_map(arena);
    wf_map_put(arena, map, "office", wf_text(arena, "B\u01b0u \u0111i\u1ec7n th\u1ecb x\u00e3"));
    struct wf_buf buf = {0};
    wf_template_render_sms("Tai {office}: {due}", map, &buf);
    wf_buf_add(&buf, "", 1);
    assert_string_equal((const char *)buf.ptr, "Tai Buu dien thi xa: ...");
    wf_buf_fini(&buf);
    wf_arena_free(arena);
}

static void all_vietnamese_letters_lose_their_accents(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"àáảãạăằắẳẵặâầấẩẫậ", "aaaaaaaaaaaaaaaaa"},
        {"ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬ", "AAAAAAAAAAAAAAAAA"},
        {"èéẻẽẹêềếểễệ ìíỉĩị", "eeeeeeeeeee iiiii"},
        {"ÈÉẺẼẸÊỀẾỂỄỆ ÌÍỈĨỊ", "EEEEEEEEEEE IIIII"},
        {"òóỏõọôồốổỗộơờớởỡợ", "ooooooooooooooooo"},
        {"ÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢ", "OOOOOOOOOOOOOOOOO"},
        {"ùúủũụưừứửữự ỳýỷỹỵ đ", "uuuuuuuuuuu yyyyy d"},
        {"ÙÚỦŨỤƯỪỨỬỮỰ ỲÝỶỸỴ Đ", "UUUUUUUUUUU YYYYY D"},
        {"Nguye\u0302\u0303n \u201cA\u201d \u2013 \u2026", "Nguyen \"A\" - ..."},
        {"\xe6\x96\x87 \xff\xe1\xba", "? ???"},
        {"", ""},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct wf_buf buf = {0};
        wf_unaccent(wf_str(cases[i][0]), &buf);
        wf_buf_add(&buf, "", 1);
        assert_string_equal((const char *)buf.ptr, cases[i][1]);
        wf_buf_fini(&buf);
    }
}

static void mistakes_in_the_files_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *sites, *roles, *templates;
        const char *part;
    } cases[] = {
        {"sites = ( { code = \"X\"; kind = \"agency\"; name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "code"},
        {"sites = ( { code = \"30.13\"; kind = \"agency\"; name = { vi = \"A\"; en = \"A\"; }; } "
         ");",
         ROLES, TEMPLATES, "30.13"},
        {"sites = ( { code = \"H30\"; kind = \"shop\"; name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "unknown kind"},
        {"sites = ( { code = \"H30\"; kind = \"one_stop\"; model = \"M5\"; agency = \"H30\"; "
         "name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "unknown model"},
        {"sites = ( { code = \"H30\"; kind = \"one_stop\"; model = \"M2\"; agency = \"H31\"; "
         "name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "H31"},
        {"sites = ( { code = \"H30\"; kind = \"one_stop\"; model = \"M2\"; "
         "name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "no agency"},
        {"sites = ( { code = \"H30\"; kind = \"agency\"; model = \"M1\"; "
         "name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "own authority"},
        {"sites = ( { code = \"H30\"; kind = \"agency\"; name = { vi = \"A\"; en = \"A\"; }; },"
         "{ code = \"H31\"; kind = \"post_office\"; model = \"M1\"; mandated = true; agency = "
         "\"H30\"; name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "mandated"},
        {"sites = ( { code = \"H30\"; kind = \"agency\"; name = { vi = \"A\"; en = \"A\"; }; },"
         "{ code = \"H30\"; kind = \"agency\"; name = { vi = \"A\"; en = \"A\"; }; } );",
         ROLES, TEMPLATES, "already"},
        {"sites = ( { code = \"H30\"; kind = \"agency\"; name = { vi = \"A\"; }; } );", ROLES,
         TEMPLATES, "'en' is missing"},
        {"sites = 3;", ROLES, TEMPLATES, "list of groups"},
        {SITES, "roles = ();  rolls = ();", TEMPLATES, "rolls"},
        {SITES, "roles = ( { id = \"a\" } );", TEMPLATES, "title"},
        {SITES, "roles = (", TEMPLATES, "roles.cfg"},
        {SITES, ROLES, "templates = ( { id = \"a\"; vi = \"{name}\"; en = \"x\"; sms = \"x\"; } );",
         "unknown placeholder"},
        {SITES, ROLES, "templates = ( { id = \"a\"; vi = \"x\"; en = \"{code\"; sms = \"x\"; } );",
         "unknown placeholder"},
        {SITES, ROLES, "templates = ( { id = \"a\"; vi = \"x\"; en = \"code}\"; sms = \"x\"; } );",
         "closing brace"},
        {SITES, ROLES, "templates = ( { id = \"a\"; vi = \"x\"; en = \"x\"; sms = \"\u0111\"; } );",
         "accents"},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct wf_report report = {0};
        struct wf_registry *out = NULL;
        struct wf_error err = {0};
        int rc =
            load_texts(cases[i].sites, cases[i].roles, cases[i].templates, &report, &out, &err);
        if (rc != WF_E_CONFIG || out != NULL || strstr(err.text, cases[i].part) == NULL)
            fail_msg("case %zu gave %d: %s", i, rc, err.text);
        wf_report_fini(&report);
    }
}

static void all_files_are_reported_on_in_one_run(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_registry *out = NULL;
    struct wf_error err = {0};
    assert_int_equal(load_texts("sites = 1;", "roles = 1;", "templates = 1;", &report, &out, &err),
                     WF_E_CONFIG);
    assert_int_equal(report.errors, 3);
    wf_report_fini(&report);
}

static void sites_have_the_hours_that_they_name(void **state)
{
    (void)state;
    static const char text[] =
        "office_hours = [ \"07:00-11:30\", \"13:30-17:00\" ]; weekly_rest = [ \"sunday\" ];"
        "years = (); variants = { from_0730 = { office_hours = [ \"07:30-11:30\" ]; }; };";
    struct wf_report report = {0};
    struct wf_calendar *calendar = NULL;
    struct wf_error err = {0};
    assert_ok(wf_calendar_parse("c", text, sizeof(text) - 1, &report, &calendar, &err), err);
    const struct wf_calendar *early = wf_calendar_variant(calendar, "from_0730");
    assert_ptr_equal(wf_site_calendar(registry, calendar, wf_str("000.00.14.H30")), early);
    assert_ptr_equal(wf_site_calendar(registry, calendar, wf_str("000.00.13.H30")), calendar);
    assert_ptr_equal(wf_site_calendar(registry, calendar, wf_str("no such site")), calendar);
    /* config/ names a variant that this calendar has not */
    assert_int_equal(wf_registry_check_calendars(registry, calendar, &report, &err), WF_E_CONFIG);
    assert_int_equal(report.errors, 1);
    assert_non_null(strstr(err.text, "saturday_morning"));
    wf_calendar_free(calendar);
    wf_report_fini(&report);
}

static void a_missing_file_is_an_error_of_input(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_registry *out = NULL;
    struct wf_error err = {0};
    assert_int_equal(wf_registry_load("/nonexistent", &report, &out, &err), WF_E_IO);
    assert_null(out);
    wf_report_fini(&report);
}

static void loading_survives_every_failing_allocation(void **state)
{
    (void)state;
    struct wf_report once = {0};
    struct wf_registry *warm = NULL;
    struct wf_error err = {0};
    assert_ok(load_texts(SITES, ROLES, TEMPLATES, &once, &warm, &err), err);
    wf_registry_free(warm);
    wf_report_fini(&once);
    int rc = WF_E_NOMEM;
    for (unsigned long n = 1; rc != 0; n++) {
        struct wf_report report = {0};
        struct wf_registry *out = NULL;
        wf_alloc_fail_at(n, 0);
        rc = wf_registry_load(folder, &report, &out, NULL);
        wf_alloc_fail_at(0, 0);
        assert_true((rc == 0) == (out != NULL));
        assert_true(n < 100000);
        wf_registry_free(out);
        wf_report_fini(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pilot_has_its_sites_and_agencies),
        cmocka_unit_test(the_catalogue_names_roles_channels_and_templates),
        cmocka_unit_test(every_message_of_the_contract_has_a_template),
        cmocka_unit_test(placeholders_are_replaced_once_and_missing_values_show_as_ellipsis),
        cmocka_unit_test(a_rendered_text_is_bounded_and_cut_between_letters),
        cmocka_unit_test(a_list_within_lists_ends_somewhere),
        cmocka_unit_test(an_sms_has_no_accents),
        cmocka_unit_test(all_vietnamese_letters_lose_their_accents),
        cmocka_unit_test(mistakes_in_the_files_are_named),
        cmocka_unit_test(all_files_are_reported_on_in_one_run),
        cmocka_unit_test(sites_have_the_hours_that_they_name),
        cmocka_unit_test(a_missing_file_is_an_error_of_input),
        cmocka_unit_test(loading_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, load, unload);
}

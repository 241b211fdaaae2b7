/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <dirent.h>
#include <time.h>

#include "workflow/hash.h"
#include "workflow/procedure.h"
#include "workflow/registry.h"

/* ---- what the services offer, as docs/procedures.md has it ------------------------------------
 */

#define PARAMETERS(name, ...) static const struct wf_parameter name[] = {__VA_ARGS__}
PARAMETERS(parts, {"procedures", WF_T_LIST, true}, {"reason", WF_T_TEXT, false});
PARAMETERS(supplement, {"items", WF_T_ANY, false}, {"reason", WF_T_TEXT, false});
PARAMETERS(review, {"to", WF_T_TEXT, false}, {"subject", WF_T_TEXT, false});
PARAMETERS(handoff, {"to", WF_T_TEXT, true}, {"subject", WF_T_TEXT, false});
PARAMETERS(consult, {"to", WF_T_LIST, true}, {"mode", WF_T_TEXT, false}, {"k", WF_T_INT, false},
           {"question", WF_T_TEXT, false});
PARAMETERS(escalate, {"to", WF_T_TEXT, false}, {"reason", WF_T_TEXT, false});
PARAMETERS(send, {"template", WF_T_TEXT, true}, {"channel", WF_T_TEXT, false},
           {"data", WF_T_MAP, false});
PARAMETERS(deliver, {"by", WF_T_TEXT, false}, {"to", WF_T_TEXT, false});
PARAMETERS(fee, {"amount", WF_T_INT, false}, {"reason", WF_T_TEXT, false});

static const struct wf_activity_info infos[] = {
    {"intake.register", NULL, 0, false, false},
    {"intake.supplement", supplement, WF_COUNT(supplement), true, false},
    {"verification.check", NULL, 0, false, false},
    {"verification.review", review, WF_COUNT(review), true, false},
    {"routing.handoff", handoff, WF_COUNT(handoff), true, false},
    {"routing.consult", consult, WF_COUNT(consult), true, false},
    {"routing.escalate", escalate, WF_COUNT(escalate), true, true},
    {"notification.send", send, WF_COUNT(send), true, true},
    {"return.deliver", deliver, WF_COUNT(deliver), true, false},
    {"return.collect_fee", fee, WF_COUNT(fee), true, false},
    {"return.archive", NULL, 0, false, false},
    {"intake.link", parts, WF_COUNT(parts), false, false},
};
static const struct wf_activity_info *const activities[] = {
    &infos[0], &infos[1], &infos[2], &infos[3], &infos[4],  &infos[5],
    &infos[6], &infos[7], &infos[8], &infos[9], &infos[10], &infos[11],
};
static const char *const roles[] = {"citizen", "agent",      "postal_worker",     "civil_servant",
                                    "head",    "specialist", "signing_authority", "clerk",
                                    "agency",  "courier",    "gateway",           "system"};
static const char *const channels[] = {"one_stop", "post", "online"};
static const char *const templates[] = {"receipt", "supplement", "refused",   "apology", "ready",
                                        "payment", "stopped",    "delivered", "returned"};
static const char *const models[] = {"M1", "M2", "M3", "M4"};
static const struct wf_catalogue catalogue = {
    activities, WF_COUNT(activities), roles,  WF_COUNT(roles),  channels, WF_COUNT(channels),
    templates,  WF_COUNT(templates),  models, WF_COUNT(models),
};

/* ---- helpers -----------------------------------------------------------------------------------
 */

struct fixture {
    struct wf_report report;
    struct wf_procedure *p;
    struct wf_arena *arena;
    struct wf_error err;
};

static int load(struct fixture *f, const char *path)
{
    memset(f, 0, sizeof(*f));
    f->arena = wf_arena_new(0);
    return wf_procedure_load(path, &catalogue, &f->report, &f->p, &f->err);
}

static void drop(struct fixture *f)
{
    wf_procedure_free(f->p);
    wf_report_fini(&f->report);
    wf_arena_free(f->arena);
}

static void fail_with_report(const struct fixture *f, const char *path, const char *what)
{
    char line[1024];
    for (size_t i = 0; i < f->report.n; i++)
        print_error("    %s\n", wf_report_line(&f->report, i, line, sizeof(line)));
    fail_msg("%s: %s", path, what);
}

typedef void file_fn(const char *path);

static size_t each_file(const char *folder, file_fn *fn)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, alphasort);
    size_t used = 0;
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(names[i]->d_name, '.');
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (dot != NULL && strcmp(dot, ".cfg") == 0) {
            fn(path);
            used++;
        }
        free(names[i]);
    }
    free(names);
    return used;
}

/* ---- whole folders ------------------------------------------------------------------------------
 */

/* With the roles and templates of the installation; the activities are the services' business. */
static void load_spotless(const char *path)
{
    struct fixture f = {0};
    struct wf_registry *registry = NULL;
    struct wf_catalogue installed = catalogue;
    assert_ok(wf_registry_load(SOURCE_ROOT "/config", &f.report, &registry, &f.err), f.err);
    wf_registry_catalogue(registry, &installed);
    int rc = wf_procedure_load(path, &installed, &f.report, &f.p, &f.err);
    if (rc != 0 || f.report.n > 0)
        fail_with_report(&f, path, "refused or warned of");
    wf_registry_free(registry);
    drop(&f);
}

static bool is_reported(const struct fixture *f, int line, const char *text)
{
    for (size_t i = 0; i < f->report.n; i++) {
        const struct wf_finding *message = &f->report.messages[i];
        if (message->line == line && strcmp(message->text, text) == 0)
            return true;
    }
    return false;
}

/* Each "# expect: LINE: MESSAGE" of the file must be reported to the letter; gives how many. */
static size_t count_expected(const struct fixture *f, const char *path)
{
    char text[1024];
    size_t expected = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(text, sizeof(text), file) != NULL) {
        int line = 0;
        int at = 0;
        if (sscanf(text, "# expect: %d: %n", &line, &at) != 1 || at == 0)
            continue;
        text[strcspn(text, "\n")] = '\0';
        if (!is_reported(f, line, text + at))
            fail_with_report(f, path, text);
        expected++;
    }
    fclose(file);
    return expected;
}

static void load_bad(const char *path)
{
    struct fixture f;
    int rc = load(&f, path);
    size_t expected = count_expected(&f, path);
    if (rc != WF_E_CONFIG || expected == 0 || f.report.errors != expected)
        fail_with_report(&f, path, "has other errors than expected");
    assert_null(f.p);
    drop(&f);
}

/* Warnings that are expected must come; that of the portal's order may. */
static void load_good(const char *path)
{
    struct fixture f;
    if (load(&f, path) != 0)
        fail_with_report(&f, path, "refused");
    (void)count_expected(&f, path);
    assert_int_equal(f.report.errors, 0);
    drop(&f);
}

static void sound_definitions_load(void **state)
{
    (void)state;
    assert_in_range(each_file(SOURCE_ROOT "/tests/procedures/good", load_good), 8, 1000);
}

static void unsound_definitions_are_refused_with_line_reason_and_remedy(void **state)
{
    (void)state;
    assert_in_range(each_file(SOURCE_ROOT "/tests/procedures/bad", load_bad), 100, 1000);
}

/* What an earlier release has let in: its open dossiers have no other definition. */
static void what_is_installed_outlives_a_rule_that_came_later(void **state)
{
    (void)state;
    static const char *const files[] = {"ids-of-sends.cfg", "bounds-of-texts.cfg"};
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        struct fixture f = {.report = {.is_installed = true}};
        char path[4096];
        (void)snprintf(path, sizeof(path), SOURCE_ROOT "/tests/procedures/bad/%s", files[i]);
        if (wf_procedure_load(path, &catalogue, &f.report, &f.p, &f.err) != 0)
            fail_with_report(&f, path, "refused");
        assert_true(count_expected(&f, path) > 0);
        assert_int_equal(f.report.errors, 0);
        drop(&f);
    }
}

static void the_procedures_of_the_pilot_load_without_a_warning(void **state)
{
    (void)state;
    assert_in_range(each_file(SOURCE_ROOT "/procedures", load_spotless), 4, 1000);
}

/* ---- one definition, in all its parts -------------------------------------------------------- */

#define FULL SOURCE_ROOT "/tests/procedures/good/full.cfg"

static void a_definition_is_read_in_all_its_parts(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(load(&f, FULL), f.err);
    const struct wf_procedure *p = f.p;
    assert_string_equal(p->code, "1.004873");
    assert_int_equal(p->version, 3);
    assert_string_equal(p->title.en, "A certificate");
    assert_string_equal(p->level, "commune");
    assert_int_equal(p->channels.n, 2);
    assert_int_equal(p->time_limit.unit, WF_LIMIT_WORKING_DAYS);
    assert_int_equal(p->time_limit.amount, 3);
    assert_int_equal(p->fee, 15000);
    assert_false(p->agent_allowed);
    assert_int_equal(p->retention_years, 20);
    assert_string_equal(p->valid_from, "2025-07-01");
    assert_null(p->valid_until);
    assert_int_equal(p->legal.n, 1);
    assert_int_equal(p->n_results, 1);
    assert_int_equal(p->n_papers, 3);
    assert_int_equal(p->papers[1].kind, WF_PAPER_COPY);
    assert_int_equal(p->papers[1].copies, 2);
    assert_non_null(p->papers[2].needed_if);
    assert_ptr_equal(wf_procedure_field(p, wf_str("age")), &p->fields[3]);
    assert_null(wf_procedure_field(p, wf_str("aged")));
    assert_ptr_equal(wf_procedure_paper(p, wf_str("declaration")), &p->papers[0]);
    assert_null(wf_procedure_paper(p, wf_str("")));
    assert_non_null(p->chart);
    uint8_t hash[WF_HASH_BYTES];
    wf_hash(p->source.ptr, p->source.len, NULL, 0, hash);
    assert_memory_equal(hash, p->source_hash, sizeof(hash));
    drop(&f);
}

/* ---- data of citizens ------------------------------------------------------------------------ */

/* Values written as settings: short to write, and of the same types. */
static const struct wf_value *value_of(struct fixture *f, const char *text)
{
    struct wf_config *config = NULL;
    assert_ok(wf_config_parse("data", text, strlen(text), &f->report, &config, &f->err), f->err);
    const struct wf_value *value = wf_node_value(wf_config_root(config), f->arena);
    assert_non_null(value);
    wf_config_free(config);
    return value;
}

static const struct {
    const char *data;
    const char *field; /* NULL = good */
} data_cases[] = {
    {"fields = { full_name = \"Tran Van A\"; phone = \"0912345678\"; age = 30; };", NULL},
    {"fields = { };", NULL},
    {"fields = { full_name = \"\"; };", NULL},
    {"fields = { full_name = \"A\"; };", "fields.full_name"},
    {"fields = { full_name = \"Nguy\xe1\xbb\x85n V\xc4\x83n \xc3\x81\"; };", NULL},
    {"fields = { full_name = \"12345678901234567890123456789012345678901\"; };",
     "fields.full_name"},
    {"fields = { full_name = 7; };", "fields.full_name"},
    {"fields = { nobody = \"x\"; };", "fields.nobody"},
    {"fields = { citizen_id = \"093085001234\"; };", NULL},
    {"fields = { citizen_id = \"09308500123\"; };", "fields.citizen_id"},
    {"fields = { phone = \"12\"; };", "fields.phone"},
    {"fields = { age = 17; };", "fields.age"},
    {"fields = { age = 131; };", "fields.age"},
    {"fields = { age = \"30\"; };", "fields.age"},
    {"fields = { price = -1; };", "fields.price"},
    {"fields = { price = 5000000000; };", NULL},
    {"fields = { born = \"1990-02-29\"; };", "fields.born"},
    {"fields = { born = \"1992-02-29\"; };", NULL},
    {"fields = { married = \"yes\"; };", "fields.married"},
    {"fields = { married = true; };", NULL},
    {"fields = { return_by = \"pigeon\"; };", "fields.return_by"},
    {"fields = { return_by = \"post\"; };", NULL},
    {"fields = { email = \"a@b.vn\"; };", NULL},
    {"fields = { email = \"nobody\"; };", "fields.email"},
    {"fields = { tax = \"123\"; };", "fields.tax"},
    {"fields = \"x\";", "fields"},
    {"papers = ( { id = \"declaration\"; kind = \"original\"; copies = 1; } );", NULL},
    {"papers = ( { id = \"declaration\"; file = \"hash\"; } );", NULL},
    {"papers = ( { id = \"declaration\"; }, { id = \"nothing\"; } );", "papers[1].id"},
    {"papers = ( { kind = \"copy\"; } );", "papers[0].id"},
    {"papers = ( { id = \"declaration\"; kind = \"clay\"; } );", "papers[0].kind"},
    {"papers = ( { id = \"declaration\"; copies = 0; } );", "papers[0].copies"},
    {"papers = ( { id = \"declaration\"; copies = \"2\"; } );", "papers[0].copies"},
    {"papers = ( { id = \"declaration\"; colour = \"red\"; } );", "papers[0]"},
    {"papers = ( \"declaration\" );", "papers[0]"},
    {"papers = { };", "papers"},
};

static void data_of_citizens_is_checked_field_by_field(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(load(&f, FULL), f.err);
    for (size_t i = 0; i < WF_COUNT(data_cases); i++) {
        const struct wf_value *data = value_of(&f, data_cases[i].data);
        struct wf_error err = {0};
        int rc = wf_procedure_check_data(f.p, wf_map_get(data, "fields"),
                                         wf_map_get(data, "papers"), &err);
        int wanted = data_cases[i].field != NULL ? WF_E_INVALID : 0;
        const char *field = data_cases[i].field != NULL ? data_cases[i].field : "";
        if (rc != wanted || strcmp(err.field, field) != 0)
            fail_msg("%s gave %d, field '%s': %s", data_cases[i].data, rc, err.field, err.text);
    }
    assert_ok(wf_procedure_check_data(f.p, NULL, NULL, &f.err), f.err);
    drop(&f);
}

static void errors_on_data_never_repeat_what_the_citizen_wrote(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(load(&f, FULL), f.err);
    static const char *const secrets[] = {
        "fields = { phone = \"SECRET\"; };",     "fields = { citizen_id = \"SECRET\"; };",
        "fields = { return_by = \"SECRET\"; };", "fields = { born = \"SECRET\"; };",
        "fields = { email = \"SECRET\"; };",     "fields = { tax = \"SECRET\"; };",
        "papers = ( { id = \"SECRET\"; } );",    "fields = { age = \"SECRET\"; };",
    };
    for (size_t i = 0; i < WF_COUNT(secrets); i++) {
        const struct wf_value *data = value_of(&f, secrets[i]);
        assert_int_equal(wf_procedure_check_data(f.p, wf_map_get(data, "fields"),
                                                 wf_map_get(data, "papers"), &f.err),
                         WF_E_INVALID);
        assert_null(strstr(f.err.text, "SECRET"));
    }
    drop(&f);
}

/* Ids of what is missing, joined by blanks. */
static const char *missing(struct fixture *f, const char *text)
{
    const struct wf_value *data = value_of(f, text);
    const struct wf_value *list = wf_procedure_missing(f->p, wf_map_get(data, "fields"),
                                                       wf_map_get(data, "papers"), f->arena);
    char *joined = wf_arena_strdup(f->arena, "");
    for (size_t i = 0; i < wf_value_count(list); i++)
        joined = wf_arena_printf(f->arena, "%s%s%s", joined, i > 0 ? " " : "",
                                 wf_value_text(wf_map_get(wf_list_at(list, i), "id"), "?"));
    assert_non_null(list);
    return joined;
}

static void what_is_missing_follows_required_and_needed_if(void **state)
{
    (void)state;
    struct fixture f;
    assert_ok(load(&f, FULL), f.err);
    assert_string_equal(missing(&f, ""), "full_name phone declaration identity");
    assert_string_equal(missing(&f, "fields = { full_name = \"\"; phone = \"0912345678\"; };"),
                        "full_name declaration identity");
    assert_string_equal(missing(&f, "fields = { full_name = \"A B\"; phone = \"0912345678\"; "
                                    "married = true; };"
                                    "papers = ( { id = \"declaration\"; kind = \"original\"; },"
                                    "{ id = \"identity\"; kind = \"photo\"; copies = 2; } );"),
                        "divorce");
    assert_string_equal(missing(&f, "fields = { full_name = \"A B\"; phone = \"0912345678\"; "
                                    "married = false; };"
                                    "papers = ( { id = \"declaration\"; kind = \"copy\"; },"
                                    "{ id = \"identity\"; }, { id = \"identity\"; } );"),
                        "declaration");
    const struct wf_value *list = wf_procedure_missing(f.p, NULL, NULL, f.arena);
    const struct wf_value *first = wf_list_at(list, 0);
    assert_string_equal(wf_value_text(wf_map_get(first, "kind"), ""), "field");
    assert_string_equal(wf_value_text(wf_map_get(first, "en"), ""), "Full name");
    drop(&f);
}

static void without_a_catalogue_names_are_left_alone(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_procedure *p = NULL;
    struct wf_error err;
    assert_ok(wf_procedure_load(FULL, NULL, &report, &p, &err), err);
    wf_procedure_free(p);
    wf_report_fini(&report);
}

static void a_missing_file_is_an_io_error(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(load(&f, SOURCE_ROOT "/tests/procedures/none.cfg"), WF_E_IO);
    drop(&f);
}

static void loading_survives_every_failing_allocation(void **state)
{
    (void)state;
    bool passed = false;
    for (unsigned long n = 1; n < 2000 && !passed; n++) {
        struct fixture f = {0};
        wf_alloc_fail_at(n, 1);
        int rc = wf_procedure_load(FULL, &catalogue, &f.report, &f.p, &f.err);
        wf_alloc_fail_at(0, 0);
        passed = rc == 0;
        assert_true(passed || (rc < 0 && f.p == NULL));
        wf_procedure_free(f.p);
        wf_report_fini(&f.report);
    }
    assert_true(passed);
}

/* A chain of states as long as a file can hold, told backwards: the worst order for the search. */
static void the_largest_definition_is_checked_in_good_time(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct wf_buf text = {0};
    struct timespec from;
    struct timespec to;
    wf_buf_text(&text, "procedure: { code = \"1.000001\"; version = 1; level = \"commune\";"
                       "title = { vi = \"A\"; en = \"A\"; }; channels = [ \"post\" ];"
                       "time_limit = \"1 day\"; initial = \"entered\"; states: {"
                       "entered: { status = 1; invoke = ( { activity = \"intake.register\"; "
                       "id = \"entered\"; } ); on = ( { event = \"done.invoke.entered\"; "
                       "target = \"s0\"; } ); };");
    wf_buf_text(&text, "end: { type = \"final\"; status = 10; outcome = \"approved\"; };");
    for (int i = 900; i > 0; i--)
        wf_buf_printf(&text,
                      "s%d: { status = 4; on = ( { event = \"overdue\"; target = \"%s%.0d\"; "
                      "} ); };",
                      900 - i, i > 1 ? "s" : "end", i > 1 ? 901 - i : 0);
    wf_buf_text(&text, "}; };");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    int rc = wf_procedure_parse("long.cfg", (const char *)text.ptr, text.len, &catalogue, &f.report,
                                &f.p, &f.err);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    if (rc != 0)
        fail_with_report(&f, "long.cfg", "refused");
    assert_in_range(to.tv_sec - from.tv_sec, 0, 2);
    wf_buf_fini(&text);
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_definitions_load),
        cmocka_unit_test(unsound_definitions_are_refused_with_line_reason_and_remedy),
        cmocka_unit_test(what_is_installed_outlives_a_rule_that_came_later),
        cmocka_unit_test(the_procedures_of_the_pilot_load_without_a_warning),
        cmocka_unit_test(a_definition_is_read_in_all_its_parts),
        cmocka_unit_test(data_of_citizens_is_checked_field_by_field),
        cmocka_unit_test(errors_on_data_never_repeat_what_the_citizen_wrote),
        cmocka_unit_test(what_is_missing_follows_required_and_needed_if),
        cmocka_unit_test(without_a_catalogue_names_are_left_alone),
        cmocka_unit_test(a_missing_file_is_an_io_error),
        cmocka_unit_test(loading_survives_every_failing_allocation),
        cmocka_unit_test(the_largest_definition_is_checked_in_good_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

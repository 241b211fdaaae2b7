/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statecharts against the W3C recommendation: every NAME.cfg here is a bare chart, NAME.json says
 * what must come of it. One test each, named as the file.
 *
 * Files named testNNN repeat in the language of Hoso what the assertion of that number in the W3C
 * suite asks for; the others are our own, by subject. What needs XML, network, scripts, child
 * sessions or another data model has no counterpart here.
 *
 *   initialConfiguration   active states without active children after the start
 *   events                 list of {event: {name, data}, after: ms, nextConfiguration}
 *   settledConfiguration   where given: after time has run until nothing is pending
 *   refused                instead of all that: a part of the message of the compiler
 *   fails                  a part of the error that running to the end gives
 */
#include "support/test.h"

#include <dirent.h>
#include <jansson.h>

#include "support/json.h"
#include "workflow/runner.h"

#define FOLDER      SOURCE_ROOT "/tests/scxml/"
#define LEAST_CASES (size_t)250

struct world {
    json_t *expected;
    struct wf_report report;
    struct wf_chart *chart;
    struct wf_runner *runner;
    struct wf_arena *arena;
    struct wf_error err;
    char why[1024]; /* first difference; "" = none */
};

static void open_world(struct world *w, const char *name)
{
    json_error_t why;
    char *path = test_malloc(sizeof(FOLDER) + strlen(name) + 8);
    memset(w, 0, sizeof(*w));
    sprintf(path, "%s%s.json", FOLDER, name);
    w->expected = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (w->expected == NULL)
        fail_msg("%s:%d: %s", path, why.line, why.text);
    sprintf(path, "%s%s.cfg", FOLDER, name);
    w->arena = wf_arena_new(0);
    int rc = wf_runner_load(path, &w->report, &w->chart, &w->err);
    assert_true((rc == 0) == (w->chart != NULL)); /* a refusal is compared later */
    test_free(path);
}

static void close_world(struct world *w)
{
    wf_runner_free(w->runner);
    wf_chart_free(w->chart);
    wf_report_fini(&w->report);
    wf_arena_free(w->arena);
    json_decref(w->expected);
}

/* ---- one case ------------------------------------------------------------------------------ */

/* The first difference is the one that is told. */
static void differ(struct world *w, const char *at, const char *want, const char *is)
{
    if (w->why[0] == '\0')
        (void)snprintf(w->why, sizeof(w->why), "%s: %s expected, got %s", at, want, is);
}

static void check_active(struct world *w, const char *at, const json_t *expected)
{
    json_t *is = json_array();
    const struct wf_value *ids = wf_runner_active(w->runner, w->arena);
    for (size_t i = 0; i < wf_value_count(ids); i++)
        (void)json_array_append_new(is, json_string(wf_value_text(wf_list_at(ids, i), "")));
    if (!json_equal(is, expected)) {
        char *want_text = json_dumps(expected, JSON_ENCODE_ANY);
        char *is_text = json_dumps(is, 0);
        differ(w, at, want_text != NULL ? want_text : "a list", is_text);
        free(want_text);
        free(is_text);
    }
    json_decref(is);
}

static int take(struct world *w, const json_t *row)
{
    const json_t *event = json_object_get(row, "event");
    char *data = json_dumps(json_object_get(event, "data"), JSON_ENCODE_ANY);
    struct wf_chart_event taken = {.name = json_string_value(json_object_get(event, "name")),
                                   .data = json(w->arena, data)};
    free(data);
    int rc = wf_runner_take(w->runner, &taken, json_integer_value(json_object_get(row, "after")),
                            &w->err);
    if (rc == 0)
        check_active(w, taken.name, json_object_get(row, "nextConfiguration"));
    return rc;
}

static int run_all(struct world *w)
{
    const json_t *events = json_object_get(w->expected, "events");
    const json_t *settled = json_object_get(w->expected, "settledConfiguration");
    int rc = wf_runner_new(w->chart, &w->runner, &w->err);
    if (rc == 0)
        check_active(w, "start", json_object_get(w->expected, "initialConfiguration"));
    for (size_t i = 0; rc == 0 && i < json_array_size(events); i++)
        rc = take(w, json_array_get(events, i));
    if (rc == 0)
        rc = wf_runner_settle(w->runner, &w->err);
    if (rc == 0 && settled != NULL)
        check_active(w, "settled", settled);
    return rc;
}

static void run(struct world *w)
{
    const char *refused = json_string_value(json_object_get(w->expected, "refused"));
    const char *fails = json_string_value(json_object_get(w->expected, "fails"));
    if (w->chart == NULL || refused != NULL) {
        bool is_said = w->chart == NULL && refused != NULL && strstr(w->err.text, refused) != NULL;
        if (!is_said)
            differ(w, "compiling", refused != NULL ? refused : "no error", w->err.text);
        return;
    }
    int rc = run_all(w);
    bool is_said = fails != NULL && rc == WF_E_STATE && strstr(w->err.text, fails) != NULL;
    if (rc < 0 ? !is_said : fails != NULL)
        differ(w, "running", fails != NULL ? fails : "no error", w->err.text);
}

static void chart_does_what_is_expected(void **state)
{
    const char *name = *state;
    struct world w;
    open_world(&w, name);
    run(&w);
    if (w.why[0] != '\0')
        fail_msg("%s: %s", name, w.why);
    close_world(&w);
}

/* ---- can they fail? ------------------------------------------------------------------------ */

/* The n-th of all expectations of a case, or NULL: object and key under which it stands. */
static json_t *expectation(json_t *root, size_t n, const char **out_key)
{
    static const char *const keys[] = {"refused", "fails", "initialConfiguration",
                                       "settledConfiguration"};
    for (size_t i = 0; i < WF_COUNT(keys); i++) {
        *out_key = keys[i];
        if (json_object_get(root, keys[i]) != NULL && n-- == 0)
            return root;
    }
    *out_key = "nextConfiguration";
    return json_array_get(json_object_get(root, "events"), n);
}

/* A loop at the start has no first configuration to compare. */
static bool is_never_reached(const json_t *root, const char *key)
{
    const json_t *initial = json_object_get(root, "initialConfiguration");
    return strcmp(key, "initialConfiguration") == 0 && json_array_size(initial) == 0;
}

/* Each expectation of a case, made wrong, is noticed. */
static void wrong_expectation_is_noticed(void **state)
{
    const char *name = *state;
    size_t n = 0;
    for (bool is_more = true; is_more; n++) {
        struct world w;
        const char *key = NULL;
        open_world(&w, name);
        json_t *owner = expectation(w.expected, n, &key);
        is_more = owner != NULL;
        if (is_more && !is_never_reached(w.expected, key)) {
            const json_t *old = json_object_get(owner, key);
            json_t *wrong = json_is_array(old) ? json_pack("[s]", "nowhere") : json_string("never");
            assert_int_equal(json_object_set_new(owner, key, wrong), 0);
            run(&w);
            if (w.why[0] == '\0')
                fail_msg("%s: number %zu (%s) could be anything", name, n, key);
        }
        close_world(&w);
    }
    assert_true(n > 1);
}

/* ---- the list ------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

static struct CMUnitTest tests[1200];
static char names[WF_COUNT(tests)][64];
static size_t n_tests;

static void add_test(CMUnitTestFunction fn, const char *name, size_t length, const char *suffix,
                     void *of)
{
    (void)snprintf(names[n_tests], sizeof(names[0]), "%.*s%s", (int)length, name, suffix);
    tests[n_tests] = (struct CMUnitTest){names[n_tests], fn, NULL, NULL, of};
    n_tests++;
}

/* A file that does not fit into the tables is an error too: nothing is left out in silence. */
static bool add_case(const char *file)
{
    const char *dot = strrchr(file, '.');
    if (dot == NULL || strcmp(dot, ".cfg") != 0)
        return true;
    size_t length = (size_t)(dot - file);
    if (length + sizeof(" can fail") > sizeof(names[0]) || n_tests + 2 > WF_COUNT(tests))
        return false;
    char *name = names[n_tests];
    add_test(chart_does_what_is_expected, file, length, "", name);
    add_test(wrong_expectation_is_noticed, file, length, " can fail", name);
    return true;
}

int main(void)
{
    bool all_fit = true;
    DIR *folder = opendir(FOLDER);
    for (struct dirent *e = NULL; folder != NULL && (e = readdir(folder)) != NULL;)
        all_fit = add_case(e->d_name) && all_fit;
    if (folder != NULL)
        (void)closedir(folder);
    if (!all_fit || n_tests < 2 * LEAST_CASES) {
        print_error("%zu cases in " FOLDER ": %s\n", n_tests / 2,
                    all_fit ? "some are missing" : "more than the tables hold");
        return 1;
    }
    qsort(tests, n_tests, sizeof(tests[0]), by_name);
    return _cmocka_run_group_tests("scxml", tests, n_tests, NULL, NULL);
}

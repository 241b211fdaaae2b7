/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tempdir.h"
#include "workflow/parties.h"

#define KEY_A "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_B "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static struct wf_error err;

static void put(const char *folder, const char *file, const char *text)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int load(const char *folder, struct wf_parties **out)
{
    struct wf_report report = {0};
    int rc = wf_parties_load(folder, &report, out, &err);
    wf_report_fini(&report);
    return rc;
}

static void a_party_is_found_by_name_and_by_each_of_its_keys(void **state)
{
    const char *folder = *state;
    struct wf_parties *parties = NULL;
    put(folder, "longmy.cfg",
        "name = \"longmy\"; organisation = \"Long My post office\"; kind = \"counter\";"
        "keys = [\"" KEY_A "\", \"" KEY_B "\"]; sites = [\"000.00.13.H30\"]; submit = true;"
        "roles = [\"civil_servant\"]; procedures = [\"*\"];");
    put(folder, "zalo.cfg", "name = \"zalo\"; organisation = \"Z\"; kind = \"gateway\";");
    put(folder, "readme.txt", "no party");
    assert_ok(load(folder, &parties), err);
    assert_int_equal(wf_parties_count(parties), 2);
    const struct wf_party *p = wf_party_by_name(parties, wf_str("longmy"));
    assert_non_null(p);
    assert_ptr_equal(wf_party_by_key(parties, KEY_B), p);
    assert_true(wf_party_has(&p->procedures, wf_str("1.004873")));
    assert_false(wf_party_has(&p->sites, wf_str("000.00.14.H30")));
    assert_true(p->submit);
    assert_false(p->journal);
    assert_int_equal(wf_party_by_name(parties, wf_str("zalo"))->kind, WF_PARTY_GATEWAY);
    assert_null(wf_party_by_name(parties, wf_str("nobody")));
    assert_null(wf_party_by_key(parties, "x"));
    wf_parties_free(parties);
}

static void a_folder_that_is_not_there_is_an_empty_registry(void **state)
{
    struct wf_parties *parties = NULL;
    (void)state;
    assert_ok(load("/nonexistent/parties", &parties), err);
    assert_int_equal(wf_parties_count(parties), 0);
    assert_int_equal(wf_parties_stamp("/nonexistent/parties"), 0);
    wf_parties_free(parties);
}

/* One mistake in one file opens and shuts no door: the whole load fails and names it. */
static void a_mistake_in_any_file_fails_the_load_with_its_name(void **state)
{
    static const struct {
        const char *file, *text, *says;
    } cases[] = {
        {"a.cfg", "name = \"b\"; organisation = \"x\"; kind = \"desk\";", "called by its name"},
        {"a.cfg", "name = \"a\"; organisation = \"x\"; kind = \"king\";", "write counter, desk"},
        {"a.cfg", "name = \"a\"; organisation = \"x\"; kind = \"desk\"; keys = [\"short\"];",
         "40 characters"},
        {"a.cfg", "name = \"a\"; organisation = \"x\"; kind = \"desk\"; site = [\"x\"];", "sites"},
        {"a.cfg", "name = \"a\"; kind = \"desk\";", "organisation"},
        {"A.cfg", "name = \"A\"; organisation = \"x\"; kind = \"desk\";", "a-z 0-9"},
    };
    const char *folder = *state;
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct wf_parties *parties = NULL;
        char path[400];
        put(folder, cases[i].file, cases[i].text);
        assert_int_equal(load(folder, &parties), WF_E_CONFIG);
        assert_null(parties);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
        (void)snprintf(path, sizeof(path), "%s/%s", folder, cases[i].file);
        (void)unlink(path);
    }
}

static void two_parties_may_not_share_a_key(void **state)
{
    const char *folder = *state;
    struct wf_parties *parties = NULL;
    put(folder, "a.cfg", "name=\"a\"; organisation=\"x\"; kind=\"desk\"; keys=[\"" KEY_A "\"];");
    put(folder, "b.cfg", "name=\"b\"; organisation=\"x\"; kind=\"desk\"; keys=[\"" KEY_A "\"];");
    assert_int_equal(load(folder, &parties), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "same key"));
}

#define TOKEN_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void two_parties_may_not_share_a_token(void **state)
{
    const char *folder = *state;
    struct wf_parties *parties = NULL;
    put(folder, "a.cfg",
        "name=\"a\"; organisation=\"x\"; kind=\"desk\"; tokens=[\"" TOKEN_A "\"];");
    put(folder, "b.cfg",
        "name=\"b\"; organisation=\"x\"; kind=\"desk\"; tokens=[\"" TOKEN_A "\"];");
    assert_int_equal(load(folder, &parties), WF_E_CONFIG);
    assert_non_null(strstr(err.text, "same token"));
}

static void the_stamp_moves_with_every_change(void **state)
{
    const char *folder = *state;
    uint64_t before = wf_parties_stamp(folder);
    put(folder, "a.cfg", "name=\"a\"; organisation=\"x\"; kind=\"desk\";");
    uint64_t with_a = wf_parties_stamp(folder);
    assert_int_not_equal(before, with_a);
    assert_int_equal(with_a, wf_parties_stamp(folder));
    put(folder, "a.cfg", "name=\"a\"; organisation=\"x\"; kind=\"desk\"; revoked = true;");
    assert_int_not_equal(with_a, wf_parties_stamp(folder));
}

static int given_a_folder(void **state)
{
    static struct tempdir dir;
    tempdir_init(&dir);
    *state = dir.path;
    return 0;
}

static int remove_folder(void **state)
{
    tempdir_fini((struct tempdir *)*state);
    return 0;
}

int main(void)
{
#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, given_a_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_party_is_found_by_name_and_by_each_of_its_keys),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_empty_registry),
        WITH_FOLDER(a_mistake_in_any_file_fails_the_load_with_its_name),
        WITH_FOLDER(two_parties_may_not_share_a_key),
        WITH_FOLDER(two_parties_may_not_share_a_token),
        WITH_FOLDER(the_stamp_moves_with_every_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

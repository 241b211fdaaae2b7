/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "workflow/identifiers.h"

typedef int check_fn(struct wf_str text, struct wf_error *err);

struct sample {
    const char *text;
    bool good;
};

static void check_all(check_fn *check, const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct wf_error err = {0};
        int rc = check(wf_str(samples[i].text), &err);
        if ((rc == 0) != samples[i].good)
            fail_msg("'%s' gave %d (%s)", samples[i].text, rc, err.text);
        if (rc != 0) {
            assert_int_equal(rc, WF_E_INVALID);
            assert_true(strlen(err.text) > 10);
        }
    }
}

#define CHECK_ALL(check, ...)                                                                      \
    check_all(check, (const struct sample[]){__VA_ARGS__},                                         \
              sizeof((const struct sample[]){__VA_ARGS__}) / sizeof(struct sample))

static void item_numbers_carry_the_check_digit_of_the_postal_union(void **state)
{
    (void)state;
    static const struct {
        const char *service;
        uint32_t serial;
        int digit;
        const char *full;
    } table[] = {
        {"EE", 47312482, 9, "EE473124829VN"}, {"EE", 0, 5, "EE000000005VN"},
        {"EE", 12345678, 5, "EE123456785VN"}, {"EE", 1, 4, "EE000000014VN"},
        {"RR", 93000042, 3, "RR930000423VN"}, {"RR", 87654321, 6, "RR876543216VN"},
    };
    for (size_t i = 0; i < WF_COUNT(table); i++) {
        char full[14];
        struct wf_error err;
        assert_int_equal(wf_s10_check_digit(table[i].serial), table[i].digit);
        wf_s10_format(table[i].service, table[i].serial, full);
        assert_string_equal(full, table[i].full);
        assert_ok(wf_check_s10(wf_str(full), &err), err);
    }
}

static void wrong_item_numbers_are_refused(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_s10, {"EE123456789VN", false}, {"ee123456785VN", false},
              {"EE123456785US", false}, {"EE12345678VN", false}, {"EE1234567855VN", false},
              {"", false}, {"EE12345678 VN", false});
}

static void dossier_codes_are_taken_in_both_forms_with_a_real_date(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_dossier_code, {"000.00.13.H30-211130-0001", true},
              {"G09.20-20260609-0092637", true}, {"H30.13.02-211130-0001", true},
              {"H30-20240229-0001", true}, {"H30-20230229-0001", false},
              {"000.00.13.H30-211131-0001", false}, {"000.00.13.H30-211300-0001", false},
              {"000.00.13.H30-20211130-0001", false}, {"000.00.13.H30-211130-001", false},
              {"000.00.13.H30-211130-00001", false}, {"H30-211130-12345678", false},
              {"H30-2111300-0001", false}, {"H30-211130", false}, {"-211130-0001", false},
              {"000.00.13.h30-211130-0001", false}, {"H30-211130-0001-1", false}, {"", false},
              {"H30.1.2.3.4-211130-0001", false});
}

static void procedure_codes_may_carry_locality_and_case(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_procedure_code, {"1.001193", true}, {"1.001193.000.00.00.H35", true},
              {"1.000948.H38", true}, {"1.001193.01", true}, {"2.000815.000.00.00.H55.02", true},
              {"3.000001", true}, {"4.001193", false}, {"0.001193", false}, {"1.00119", false},
              {"1.0011933", false}, {"1.001193.", false}, {"1.001193.1", false},
              {"1.001193.01.01", false}, {"1.001193.00.00.H35", false}, {"1-001193", false},
              {"", false});
}

static void agency_codes_are_taken_in_both_orders(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_agency_code, {"000.00.00.H30", true}, {"000.00.13.H30", true}, {"H30", true},
              {"H30.13", true}, {"H30.13.02", true}, {"H21.217", true}, {"H55.2.3.4", true},
              {"H55.2.3.4.5", false}, {"H5", false}, {"30.H13", false}, {"H30.", false},
              {"H30.1234", false}, {"000.00.00.H30.1", false}, {"", false});
}

static void citizen_numbers_have_twelve_digits(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_citizen_id, {"093085001234", true}, {"093304000123", true},
              {"09308500123", false}, {"0930850012345", false}, {"09308500123a", false},
              {"093 085001234", false}, {"", false});
    CHECK_ALL(wf_check_old_id, {"363123456", true}, {"36312345", false}, {"3631234567", false});
}

static void a_citizen_number_agrees_with_year_of_birth_and_sex(void **state)
{
    (void)state;
    struct wf_str man = wf_str("093085001234"), woman = wf_str("093304000123");
    struct wf_error err;
    assert_ok(wf_check_citizen_birth(man, 1985, 'm', &err), err);
    assert_ok(wf_check_citizen_birth(woman, 2004, 'f', &err), err);
    assert_ok(wf_check_citizen_birth(man, 0, 0, &err), err);
    assert_int_equal(wf_check_citizen_birth(man, 1986, 'm', &err), WF_E_INVALID);
    assert_int_equal(wf_check_citizen_birth(woman, 1904, 'f', &err), WF_E_INVALID);
    assert_int_equal(wf_check_citizen_birth(man, 1985, 'f', &err), WF_E_INVALID);
    assert_int_equal(wf_check_citizen_birth(woman, 2004, 'm', &err), WF_E_INVALID);
    assert_null(strstr(err.text, "0933"));
    assert_int_equal(wf_check_citizen_birth(wf_str("0930"), 0, 0, &err), WF_E_INVALID);
}

static void tax_numbers_are_checked_by_their_tenth_digit(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_tax_number, {"0100233488", true}, {"0100233488-001", true},
              {"093085001234", true}, {"0100233489", false}, {"0100233488-01", false},
              {"0100233488001", false}, {"010023348", false}, {"", false});
}

static void mobiles_may_be_written_with_blanks_dots_and_dashes(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_mobile, {"0912345678", true}, {"+84912345678", true},
              {"091 234.56-78", true}, {"0312345678", true}, {"0512345678", true},
              {"0712345678", true}, {"0812345678", true}, {"0212345678", false},
              {"0412345678", false}, {"0612345678", false}, {"84912345678", false},
              {"091234567", false}, {"09123456789", false}, {"+840912345678", false},
              {"0912345678901234567890", false}, {"09123a5678", false}, {"", false});
    CHECK_ALL(wf_check_landline, {"02933878999", true}, {"0293 3 878 999", true},
              {"0293387899", false}, {"03933878999", false}, {"", false});
}

static void a_mobile_is_stored_with_the_country_code(void **state)
{
    (void)state;
    char out[16];
    wf_mobile_normal(wf_str("091 234.56-78"), out);
    assert_string_equal(out, "+84912345678");
    wf_mobile_normal(wf_str("+84 912 345 678"), out);
    assert_string_equal(out, "+84912345678");
    wf_mobile_normal(wf_str("12"), out);
    assert_string_equal(out, "");
}

static void emails_have_one_at_and_a_dotted_domain(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_email, {"an@example.vn", true}, {"a.b+c@mail.haugiang.gov.vn", true},
              {"an@example", false}, {"an.example.vn", false}, {"an@@example.vn", false},
              {"a n@example.vn", false}, {"an@.vn", false}, {"an@example.", false},
              {"an@ex..vn", false}, {"@example.vn", false}, {"an\n@example.vn", false},
              {"\xc4\x91@example.vn", false}, {"a@b@c.vn", false}, {"", false});
    char longer[300];
    memset(longer, 'a', sizeof(longer));
    memcpy(longer + sizeof(longer) - 7, "@bc.vn", 7);
    struct wf_error err;
    assert_int_equal(wf_check_email(wf_str(longer), &err), WF_E_INVALID);
}

static void postcodes_and_dates_are_checked(void **state)
{
    (void)state;
    CHECK_ALL(wf_check_postcode, {"95000", true}, {"9500", false}, {"950000", false});
    CHECK_ALL(wf_check_date, {"2026-11-23", true}, {"2024-02-29", true}, {"2023-02-29", false},
              {"1900-02-29", false}, {"2000-02-29", true}, {"2026-13-01", false},
              {"2026-00-10", false}, {"2026-04-31", false}, {"23/11/2026", false},
              {"2026-11-2", false}, {"0000-01-01", false}, {"", false});
}

static void masks_show_only_what_helps_to_recognise(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"093085001234", "093*****1234"},
        {"0912345678", "091****678"},
        {"091 234 56 78", "091****678"},
        {"363123456", "363***456"},
        {"+84912345678", "849*****678"},
        {"12345678", "********"},
        {"1990-01-02", "********"},
        {"1234567890123", "*************"},
        {"an.nguyen@example.vn", "a***@example.vn"},
        {"Nguy\u1ec5n V\u0103n An", "N. V. A."},
        {"\u0110\u1eb7ng  \u00c1nh", "\u0110. \u00c1."},
        {"a sentence in which nobody at all reads any initials", "********"},
        {"", ""},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        char buf[64];
        assert_string_equal(wf_mask(wf_str(cases[i][0]), buf, sizeof(buf)), cases[i][1]);
    }
}

static void a_mask_never_overruns_nor_cuts_a_letter(void **state)
{
    (void)state;
    struct wf_str text = wf_str("\u0110\u1eb7ng \u00c1nh \u1ed4n");
    for (size_t size = 1; size < 16; size++) {
        char buf[16];
        memset(buf, 'x', sizeof(buf));
        wf_mask(text, buf, size);
        assert_true(strlen(buf) < size);
        assert_true(wf_is_utf8(buf, strlen(buf)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(item_numbers_carry_the_check_digit_of_the_postal_union),
        cmocka_unit_test(wrong_item_numbers_are_refused),
        cmocka_unit_test(dossier_codes_are_taken_in_both_forms_with_a_real_date),
        cmocka_unit_test(procedure_codes_may_carry_locality_and_case),
        cmocka_unit_test(agency_codes_are_taken_in_both_orders),
        cmocka_unit_test(citizen_numbers_have_twelve_digits),
        cmocka_unit_test(a_citizen_number_agrees_with_year_of_birth_and_sex),
        cmocka_unit_test(tax_numbers_are_checked_by_their_tenth_digit),
        cmocka_unit_test(mobiles_may_be_written_with_blanks_dots_and_dashes),
        cmocka_unit_test(a_mobile_is_stored_with_the_country_code),
        cmocka_unit_test(emails_have_one_at_and_a_dotted_domain),
        cmocka_unit_test(postcodes_and_dates_are_checked),
        cmocka_unit_test(masks_show_only_what_helps_to_recognise),
        cmocka_unit_test(a_mask_never_overruns_nor_cuts_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

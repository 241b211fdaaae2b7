/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "workflow/forms.h"

static int64_t at(int year, int month, int day, int hour)
{
    struct wf_civil c = {.year = year, .month = month, .day = day, .hour = hour};
    return wf_civil_to_ms(NULL, &c);
}

static void each_set_numbers_its_forms_without_gaps(void **state)
{
    (void)state;
    for (int set = WF_FORMS_2018; set <= WF_FORMS_2025; set++) {
        int n = 0;
        for (int form = 0; form < WF_FORM_COUNT; form++) {
            const struct wf_form_row *row = wf_form((enum wf_form_set)set, (enum wf_form)form);
            if (row == NULL)
                continue;
            assert_int_equal(atoi(row->number), ++n);
            assert_true(row->title.vi[0] != '\0' && row->title.en[0] != '\0');
        }
        assert_int_equal(n, set == WF_FORMS_2018 ? 6 : 7);
    }
    assert_null(wf_form(WF_FORMS_2018, WF_FORM_STOPPING));
    assert_string_equal(wf_form(WF_FORMS_2025, WF_FORM_STOPPING)->number, "05");
    assert_string_equal(wf_form(WF_FORMS_2018, WF_FORM_REGISTER)->number, "06");
    assert_string_equal(wf_form(WF_FORMS_2025, WF_FORM_REGISTER)->number, "07");
}

/* The day begins at midnight of Viet Nam, seven hours before that of Greenwich. */
static void the_day_of_receipt_chooses_where_the_definition_is_silent(void **state)
{
    (void)state;
    struct wf_procedure p = {.form_set = WF_FORMS_BY_DAY};
    assert_int_equal(wf_form_set_of(&p, at(2025, 7, 1, 0)), WF_FORMS_2025);
    assert_int_equal(wf_form_set_of(&p, at(2025, 7, 1, 0) - 1), WF_FORMS_2018);
    p.form_set = WF_FORMS_2018;
    assert_int_equal(wf_form_set_of(&p, at(2026, 7, 1, 0)), WF_FORMS_2018);
    assert_string_equal(wf_form_set_name(WF_FORMS_2018), "2018");
    assert_string_equal(wf_form_set_name(WF_FORMS_2025), "2025");
}

static void messages_announce_their_forms(void **state)
{
    (void)state;
    enum wf_form form = WF_FORM_RECEIPT;
    assert_true(wf_form_of_template("apology", &form));
    assert_int_equal(form, WF_FORM_APOLOGY);
    assert_false(wf_form_of_template("ready", &form));
    assert_int_equal(form, WF_FORM_APOLOGY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_set_numbers_its_forms_without_gaps),
        cmocka_unit_test(the_day_of_receipt_chooses_where_the_definition_is_silent),
        cmocka_unit_test(messages_announce_their_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

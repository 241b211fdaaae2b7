/* SPDX-License-Identifier: Apache-2.0 */
/* The table of messages itself: what must never change, and what documents rely on. */
#include "support/test.h"

#include "workflow/messages.h"

static void codes_names_senders_and_receivers_never_change(void **state)
{
    (void)state;
    enum { P = WF_END_PARTY, I = WF_END_INTAKE, A = WF_END_ANY };
    static const struct {
        int code;
        const char *name;
        int sender, receiver;
    } golden[] = {
        {1, "dossier_submit", P, I},  {2, "dossier_event", P, I},    {3, "dossier_get", P, I},
        {4, "dossier_list", P, I},    {5, "procedure_get", P, I},    {10, "task_fetch", P, A},
        {11, "task_extend", P, A},    {12, "task_complete", P, A},   {13, "task_fail", P, A},
        {14, "task_progress", P, A},  {20, "journal_fetch", P, A},   {21, "journal_ack", P, A},
        {30, "health", P, A},         {40, "paper_put", P, I},       {41, "paper_get", P, A},
        {50, "relay_reserve", P, I},  {100, "dossier_state", A, P},  {101, "dossier_page", A, P},
        {102, "tasks", A, P},         {103, "done", A, P},           {104, "journal_page", A, P},
        {105, "health_report", A, P}, {106, "procedure_text", A, P}, {110, "paper_state", A, P},
        {111, "paper_chunk", A, P},   {112, "relay_range", A, P},    {199, "error", A, P},
        {200, "work", A, A},
    };
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    assert_int_equal(n, WF_COUNT(golden));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(table[i].code, golden[i].code);
        assert_string_equal(table[i].name, golden[i].name);
        assert_int_equal(table[i].sender, golden[i].sender);
        assert_int_equal(table[i].receiver, golden[i].receiver);
        assert_ptr_equal(wf_message_info(table[i].code), &table[i]);
        assert_ptr_equal(wf_message_by_name(wf_str(golden[i].name)), &table[i]);
    }
    assert_null(wf_message_info((enum wf_message)6));
    assert_null(wf_message_by_name(wf_str("dossier")));
}

static void every_row_and_field_says_what_it_is_for(void **state)
{
    (void)state;
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    for (size_t i = 0; i < n; i++) {
        assert_true(strlen(table[i].help) > 0);
        for (size_t k = 0; k < table[i].n_fields; k++) {
            if (strlen(table[i].fields[k].help) == 0)
                fail_msg("%s.%s has no help", table[i].name, table[i].fields[k].name);
        }
    }
}

static void services_are_found_by_word_and_by_activity(void **state)
{
    (void)state;
    for (int i = 0; i < WF_SERVICE_COUNT; i++)
        assert_int_equal(wf_service_of_word(wf_str(wf_service_word((enum wf_service)i))), i);
    assert_int_equal(wf_service_of_activity("routing.consult"), WF_ROUTING);
    assert_int_equal(wf_service_of_activity("return.deliver"), WF_RETURN);
    assert_int_equal(wf_service_of_activity("routing"), -1);
    assert_int_equal(wf_service_of_activity("rout.consult"), -1);
    assert_int_equal(wf_service_of_activity("routings.consult"), -1);
    assert_int_equal(wf_service_of_activity(""), -1);
    assert_int_equal(wf_service_of_activity(NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_names_senders_and_receivers_never_change),
        cmocka_unit_test(every_row_and_field_says_what_it_is_for),
        cmocka_unit_test(services_are_found_by_word_and_by_activity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What registered parties may see and do: every kind of party against every verb. What is not a
 * party's business does not exist for it.
 */
#include "support/test.h"

#include <limits.h>
#include <sys/stat.h>

#include "service/worker.h"
#include "support/few_files.h"
#include "support/steps.h"
#include "support/tempdir.h"

#define OTHER_SITE "000.00.14.H30"

static const struct registered files[] = {
    {"counter", "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true; procedures = [\"*\"];"
                "roles = [\"civil_servant\", \"postal_worker\"];"
                "activities = [\"return.collect_fee\", \"return.deliver\"];"},
    {"elsewhere", "kind = \"counter\"; sites = [\"" OTHER_SITE "\"]; submit = true;"
                  "procedures = [\"1.004873\"]; roles = [\"civil_servant\"];"
                  "activities = [\"verification.review\"];"},
    {"desk", "kind = \"desk\"; sites = [\"" SITE "\"]; roles = [\"civil_servant\"];"
             "activities = [\"verification.review\"];"},
    {"desk-2", "kind = \"desk\"; sites = [\"" SITE "\"]; roles = [\"civil_servant\"];"
               "activities = [\"verification.review\"];"},
    {"sms", "kind = \"gateway\"; addresses = [\"sms\", \"zalo\"]; roles = [\"gateway\"];"
            "activities = [\"notification.send\"];"},
    {"monitor", "kind = \"monitor\"; sites = [\"*\"]; journal = true;"},
    {"gone", "kind = \"counter\"; sites = [\"*\"]; submit = true; procedures = [\"*\"];"
             "roles = [\"civil_servant\"]; revoked = true;"},
};

static struct cell *cell_with_parties(void)
{
    struct cell *cell = cell_new("2026-11-23 09:10");
    register_parties(cell, files, WF_COUNT(files));
    return cell;
}

/* What a party hears to a request: the code's word, or "ok". */
static const char *hears(struct cell *cell, const char *party, enum wf_service service,
                         enum wf_message type, const void *body)
{
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    cell->party = party;
    int rc = cell_request(cell, service, new_id(cell), type, body, &reply, &err);
    cell->party = NULL;
    return rc < 0 ? wf_code_word(rc) : "ok";
}

static void each_party_hears_what_its_registration_says(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    const char *code = submit(cell, MARRIAGE, "{}");
    struct wf_msg_dossier_submit here = sample(cell, MARRIAGE);
    struct wf_msg_dossier_get get = {.dossier = wf_str(code)};
    struct wf_msg_dossier_event event = {.dossier = wf_str(code),
                                         .event = wf_str("no_such_event"),
                                         .by = wf_str("x"),
                                         .role = wf_str("civil_servant")};
    struct wf_msg_task_fetch review = {.activity = wf_str("verification.review"),
                                       .to = json(cell->arena, "['" SITE "']"),
                                       .by = wf_str("x"),
                                       .role = wf_str("civil_servant")};
    struct wf_msg_journal_fetch journal = {.from = 1};
    const struct {
        const char *party, *submit, *get, *event, *fetch, *journal;
    } matrix[] = {
        {NULL, "ok", "ok", "state", "ok", "ok"},
        {"counter", "ok", "ok", "state", "denied", "denied"},
        {"elsewhere", "denied", "not_found", "not_found", "denied", "denied"},
        {"desk", "denied", "ok", "denied", "ok", "denied"},
        {"sms", "denied", "not_found", "not_found", "denied", "denied"},
        {"monitor", "denied", "ok", "denied", "denied", "ok"},
        {"gone", "denied", "denied", "denied", "denied", "denied"},
        {"stranger", "denied", "denied", "denied", "denied", "denied"},
    };
    for (size_t i = 0; i < WF_COUNT(matrix); i++) {
        const char *p = matrix[i].party;
        assert_string_equal(hears(cell, p, WF_INTAKE, WF_MSG_dossier_submit, &here),
                            matrix[i].submit);
        assert_string_equal(hears(cell, p, WF_INTAKE, WF_MSG_dossier_get, &get), matrix[i].get);
        assert_string_equal(hears(cell, p, WF_INTAKE, WF_MSG_dossier_event, &event),
                            matrix[i].event);
        assert_string_equal(hears(cell, p, WF_VERIFICATION, WF_MSG_task_fetch, &review),
                            matrix[i].fetch);
        assert_string_equal(hears(cell, p, WF_INTAKE, WF_MSG_journal_fetch, &journal),
                            matrix[i].journal);
        cell_pump(cell);
    }
    close_with_parties(cell);
}

static void a_list_holds_only_the_dossiers_of_the_partys_business(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    struct wf_msg_dossier_list list = {.max = 50};
    (void)submit(cell, MARRIAGE, "{}");
    cell->party = "elsewhere";
    assert_ok(cell_request(cell, WF_INTAKE, "l1", WF_MSG_dossier_list, &list, &reply, &err), err);
    const struct wf_msg_dossier_page *page = reply.body;
    assert_int_equal(wf_value_count(page->dossiers), 0);
    cell->party = "counter";
    assert_ok(cell_request(cell, WF_INTAKE, "l2", WF_MSG_dossier_list, &list, &reply, &err), err);
    page = reply.body;
    assert_int_equal(wf_value_count(page->dossiers), 1);
    close_with_parties(cell);
}

/* One answer looks at so many dossiers and no more, whosever they are; the next goes on from there. */
static void a_list_of_little_among_many_comes_in_pages_that_may_be_empty(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_msg_dossier_submit other = sample(cell, MARRIAGE);
    struct wf_msg_dossier_list list = {.max = 50};
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    for (unsigned i = 0; i < 4000; i++)
        assert_ok(cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &other, &reply,
                               &err),
                  err);
    other.site = wf_str(OTHER_SITE);
    assert_ok(
        cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &other, &reply, &err),
        err);
    cell->party = "elsewhere";
    assert_ok(cell_request(cell, WF_INTAKE, "l1", WF_MSG_dossier_list, &list, &reply, &err), err);
    const struct wf_msg_dossier_page *page = reply.body;
    assert_int_equal(wf_value_count(page->dossiers), 0);
    assert_int_equal(page->next, 4000);
    list.after = page->next;
    assert_ok(cell_request(cell, WF_INTAKE, "l2", WF_MSG_dossier_list, &list, &reply, &err), err);
    page = reply.body;
    assert_int_equal(wf_value_count(page->dossiers), 1);
    assert_int_equal(page->next, 0);
    close_with_parties(cell);
}

/* Task numbers and tokens are small and can be guessed: the lease is bound to the party. */
static void another_party_cannot_complete_a_leased_task(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    (void)submit(cell, MARRIAGE, "{}");
    cell->party = "desk";
    struct task task;
    assert_true(claim_if_any(cell, "verification.review", SITE, "civil_servant", &task));
    struct wf_msg_task_complete done = {.task = task.id,
                                        .token = task.token,
                                        .result = json(cell->arena, "{'verdict': 'approve'}"),
                                        .by = wf_str("x")};
    assert_string_equal(hears(cell, "counter", WF_VERIFICATION, WF_MSG_task_complete, &done),
                        "not_found");
    assert_string_equal(hears(cell, "desk-2", WF_VERIFICATION, WF_MSG_task_complete, &done),
                        "stale"); /* it could have fetched it */
    assert_string_equal(hears(cell, "desk", WF_VERIFICATION, WF_MSG_task_complete, &done), "ok");
    assert_string_equal(hears(cell, "desk-2", WF_VERIFICATION, WF_MSG_task_complete, &done),
                        "not_found"); /* it is done */
    close_with_parties(cell);
}

static void each_party_has_its_own_request_ids(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_msg_dossier_submit m = sample(cell, MARRIAGE);
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    cell->party = "counter";
    assert_ok(cell_request(cell, WF_INTAKE, "same", WF_MSG_dossier_submit, &m, &reply, &err), err);
    uint64_t first = ((const struct wf_msg_dossier_state *)reply.body)->id;
    cell->party = NULL;
    assert_ok(cell_request(cell, WF_INTAKE, "same", WF_MSG_dossier_submit, &m, &reply, &err), err);
    assert_int_not_equal(((const struct wf_msg_dossier_state *)reply.body)->id, first);
    cell_pump(cell);
    close_with_parties(cell);
}

static void a_journal_reader_sees_its_own_dossiers_and_moves_past_the_others(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    struct wf_msg_journal_fetch fetch = {.cursor = wf_str("c"), .max = 1000};
    (void)submit(cell, MARRIAGE, "{}");
    cell->party = "monitor";
    assert_ok(cell_request(cell, WF_INTAKE, "j1", WF_MSG_journal_fetch, &fetch, &reply, &err), err);
    const struct wf_msg_journal_page *page = reply.body;
    assert_int_equal(wf_value_count(page->events), page->head);
    assert_int_equal(page->next, page->head + 1);
    struct wf_msg_journal_ack ack = {.cursor = wf_str("c"), .seq = page->head};
    assert_ok(cell_request(cell, WF_INTAKE, "j2", WF_MSG_journal_ack, &ack, &reply, &err), err);
    assert_ok(cell_request(cell, WF_INTAKE, "j3", WF_MSG_journal_fetch, &fetch, &reply, &err), err);
    page = reply.body;
    assert_int_equal(wf_value_count(page->events), 0);
    cell->party = NULL; /* a local program's cursor of the same name is another one */
    assert_ok(cell_request(cell, WF_INTAKE, "j4", WF_MSG_journal_fetch, &fetch, &reply, &err), err);
    page = reply.body;
    assert_int_equal(wf_value_count(page->events), page->head);
    close_with_parties(cell);
}

static void whoever_is_registered_reads_definitions(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    struct wf_msg_procedure_get get = {.procedure = wf_str(MARRIAGE), .version = 1};
    struct wf_msg_procedure_get other = {.procedure = wf_str(MARRIAGE), .version = 99};
    assert_string_equal(hears(cell, "sms", WF_INTAKE, WF_MSG_procedure_get, &get), "ok");
    assert_string_equal(hears(cell, "sms", WF_INTAKE, WF_MSG_procedure_get, &other), "not_found");
    assert_string_equal(hears(cell, "gone", WF_INTAKE, WF_MSG_procedure_get, &get), "denied");
    get.version = 0; /* the one in force */
    assert_ok(cell_request(cell, WF_INTAKE, "p1", WF_MSG_procedure_get, &get, &reply, &err), err);
    const struct wf_msg_procedure_text *text = reply.body;
    assert_int_equal(text->version, 1);
    assert_non_null(memmem(text->text.ptr, text->text.len, "code = \"" MARRIAGE "\"", 15));
    close_with_parties(cell);
}

static void a_journal_page_tells_the_status_after_each_event(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    struct wf_msg_journal_fetch fetch = {.from = 1};
    (void)submit(cell, MARRIAGE, "{}");
    complete(cell, "verification.review", "civil_servant", "{\"verdict\": \"approve\"}");
    assert_ok(cell_request(cell, WF_INTAKE, "j1", WF_MSG_journal_fetch, &fetch, &reply, &err), err);
    const struct wf_msg_journal_page *page = reply.body;
    size_t n = wf_value_count(page->events);
    assert_int_equal(wf_value_int(wf_map_get(wf_list_at(page->events, 0), "status"), 0), 1);
    assert_int_equal(wf_value_int(wf_map_get(wf_list_at(page->events, n - 1), "status"), 0), 6);
    cell_close(cell);
}

static void put_party(const char *cell, const char *more)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/parties/a.cfg", cell);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "name = \"a\"; organisation = \"x\"; kind = \"desk\"; %s\n", more) >
                0);
    assert_int_equal(fclose(file), 0);
}

static void a_party_revoked_while_no_file_could_be_opened_is_shut_out_later(void **state)
{
    static struct worker worker;
    char folder[PATH_MAX];
    struct tempdir dir;
    (void)state;
    tempdir_init(&dir);
    assert_int_equal(mkdir(tempdir_path(&dir, "parties", folder, sizeof(folder)), 0700), 0);
    worker = (struct worker){.settings.folder = dir.path};
    put_party(dir.path, "");
    read_parties(&worker);
    assert_false(wf_parties_at(worker.parties, 0)->revoked);
    put_party(dir.path, "revoked = true;");
    struct rlimit limit = few_files_begin();
    read_parties(&worker);
    few_files_end(limit);
    assert_false(wf_parties_at(worker.parties, 0)->revoked);
    read_parties(&worker);
    assert_true(wf_parties_at(worker.parties, 0)->revoked);
    wf_parties_free(worker.parties);
    tempdir_fini(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_party_hears_what_its_registration_says),
        cmocka_unit_test(a_list_holds_only_the_dossiers_of_the_partys_business),
        cmocka_unit_test(a_list_of_little_among_many_comes_in_pages_that_may_be_empty),
        cmocka_unit_test(another_party_cannot_complete_a_leased_task),
        cmocka_unit_test(each_party_has_its_own_request_ids),
        cmocka_unit_test(a_journal_reader_sees_its_own_dossiers_and_moves_past_the_others),
        cmocka_unit_test(whoever_is_registered_reads_definitions),
        cmocka_unit_test(a_journal_page_tells_the_status_after_each_event),
        cmocka_unit_test(a_party_revoked_while_no_file_could_be_opened_is_shut_out_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Papers in a dossier's life: it names only what is here whole, and who sees the dossier sees its
 * papers.
 */
#include "support/test.h"

#include "service/worker.h"
#include "support/steps.h"

#define SUPPLEMENT "{'verdict': 'supplement', 'reason': 'thiếu giấy tờ'}"

static const struct registered files[] = {
    {"counter", "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true; procedures = [\"*\"];"
                "roles = [\"civil_servant\"]; activities = [];"},
    {"portal", "kind = \"portal\"; sites = []; submit = true; procedures = [\"*\"];"
               "roles = [\"civil_servant\"]; activities = [];"},
};

static struct cell *cell_with_parties(void)
{
    struct cell *cell = cell_new("2026-11-23 09:10");
    register_parties(cell, files, WF_COUNT(files));
    return cell;
}

/* A party sends a text as a paper; gives its name. */
static const char *send(struct cell *cell, const char *party, const char *text)
{
    uint8_t hash[WF_HASH_BYTES];
    char name[WF_PAPER_NAME + 1];
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    wf_hash(text, strlen(text), NULL, 0, hash);
    wf_hex(hash, sizeof(hash), name);
    struct wf_msg_paper_put put = {.paper = wf_str(name),
                                   .size = strlen(text),
                                   .bytes = {(const uint8_t *)text, strlen(text)}};
    cell->party = party;
    assert_ok(cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_paper_put, &put, &reply, &err),
              err);
    cell->party = NULL;
    assert_true(((const struct wf_msg_paper_state *)reply.body)->whole);
    return wf_arena_strdup(cell->arena, name);
}

static struct wf_msg_dossier_submit with_file(struct cell *cell, const char *file)
{
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    message.papers = json(cell->arena, wf_arena_printf(cell->arena,
                                                       "[{'id': 'declaration', 'kind': 'original'},"
                                                       " {'id': 'identity', 'kind': 'copy',"
                                                       "  'file': '%s'}]",
                                                       file));
    return message;
}

/* What a party gets of a dossier's paper: its bytes, or the word of the refusal. */
static const char *fetch(struct cell *cell, const char *party, const char *code, const char *paper)
{
    struct wf_msg_paper_get get = {.dossier = wf_str(code), .paper = wf_str(paper)};
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    cell->party = party;
    int rc = cell_request(cell, WF_ROUTING, new_id(cell), WF_MSG_paper_get, &get, &reply, &err);
    cell->party = NULL;
    if (rc < 0)
        return wf_code_word(rc);
    const struct wf_slice *bytes = &((const struct wf_msg_paper_chunk *)reply.body)->bytes;
    return wf_arena_strndup(cell->arena, (const char *)bytes->ptr, bytes->len);
}

static void a_dossier_names_only_papers_that_are_here_whole(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_msg_dossier_submit bad = with_file(cell, "scan-17.pdf");
    refuse(cell, WF_INTAKE, WF_MSG_dossier_submit, &bad, "invalid", "body.papers[1].file");
    bad = with_file(cell, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    refuse(cell, WF_INTAKE, WF_MSG_dossier_submit, &bad, "invalid", "body.papers[1].file");
    const char *paper = send(cell, NULL, "the identity card");
    struct wf_msg_dossier_submit good = with_file(cell, paper);
    const char *code = submit_message(cell, &good);
    assert_string_equal(fetch(cell, NULL, code, paper), "the identity card");
    assert_string_equal(fetch(cell, NULL, code, send(cell, NULL, "another")), "not_found");
    cell_close(cell);
}

static void supplements_and_results_bring_papers_under_the_same_rule(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    const char *code = submit(cell, MARRIAGE, "{}");
    complete(cell, "verification.review", "civil_servant", SUPPLEMENT);
    struct task task = claim(cell, "intake.supplement", "clerk");
    struct wf_msg_task_complete message = {
        .task = task.id,
        .token = task.token,
        .result = json(cell->arena, "{'papers': [{'id': 'identity', 'file': 'x'}]}"),
        .by = wf_str("person-1")};
    refuse(cell, WF_INTAKE, WF_MSG_task_complete, &message, "invalid",
           "body.result.papers[0].file");
    const char *brought = send(cell, NULL, "brought later");
    finish(cell, &task,
           wf_arena_printf(cell->arena,
                           "{'papers': [{'id': 'identity', 'kind': 'copy', 'file': '%s'}]}",
                           brought));
    assert_string_equal(fetch(cell, NULL, code, brought), "brought later");

    task = claim(cell, "verification.review", "civil_servant");
    message.task = task.id;
    message.token = task.token;
    message.result = json(cell->arena, "{'verdict': 'approve', 'papers': [{'file': 'x'}]}");
    refuse(cell, WF_VERIFICATION, WF_MSG_task_complete, &message, "invalid",
           "body.result.papers[0].id");
    const char *decision = send(cell, NULL, "the decision");
    finish(cell, &task,
           wf_arena_printf(cell->arena,
                           "{'verdict': 'approve', 'papers': [{'id': 'decision', 'file': '%s'}]}",
                           decision));
    assert_string_equal(fetch(cell, NULL, code, decision), "the decision");
    const struct wf_value *attached = wf_map_get(look_up(cell, code)->content, "attached");
    assert_int_equal(wf_value_count(attached), 1);
    const struct wf_value *one = wf_list_at(attached, 0);
    assert_true(wf_str_is(wf_value_str(wf_map_get(one, "file")), decision));
    assert_true(wf_str_is(wf_value_str(wf_map_get(one, "id")), "decision"));
    cell_close(cell);
}

static void a_foreign_party_gets_nothing_and_names_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    const char *paper = send(cell, "counter", "a citizen's paper");
    struct wf_msg_dossier_submit message = with_file(cell, paper);
    cell->party = "counter";
    const char *code = submit_message(cell, &message);
    cell->party = NULL;
    assert_string_equal(fetch(cell, "counter", code, paper), "a citizen's paper");
    assert_string_equal(fetch(cell, "portal", code, paper), "not_found");

    /* knowing the hash is not enough: a foreign paper cannot be made one's own */
    cell->party = "portal";
    assert_int_equal(
        cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &message, &reply, &err),
        WF_E_DENIED); /* not its site */
    struct wf_msg_paper_put ask = {.paper = wf_str(paper), .size = 17};
    assert_ok(cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_paper_put, &ask, &reply, &err),
              err);
    assert_false(((const struct wf_msg_paper_state *)reply.body)->whole);
    assert_int_equal(((const struct wf_msg_paper_state *)reply.body)->have, 0);
    close_with_parties(cell);
}

static void a_party_names_what_it_sent_or_sees_in_a_dossier(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    const char *paper = send(cell, NULL, "sent by somebody else");
    struct wf_msg_dossier_submit message = with_file(cell, paper);
    cell->party = "counter";
    assert_int_equal(
        cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &message, &reply, &err),
        WF_E_INVALID);
    assert_string_equal(err.field, "body.papers[1].file");
    cell->party = NULL;
    (void)submit_message(cell, &message); /* received at the counter's site */
    cell->party = "counter";
    (void)submit_message(cell, &message);
    close_with_parties(cell);
}

/* Three, in these tests (cell.c). */
static void papers_that_no_dossier_names_make_room_when_one_does(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    const char *first = send(cell, "counter", "one");
    (void)send(cell, "counter", "two");
    (void)send(cell, "counter", "three");
    char *other = wf_arena_strdup(cell->arena, first);
    other[0] = other[0] == 'a' ? 'b' : 'a';
    const struct wf_msg_paper_put fourth = {
        .paper = wf_str(other), .size = 4, .bytes = {(const uint8_t *)"four", 4}};
    cell->party = "counter";
    refuse(cell, WF_INTAKE, WF_MSG_paper_put, &fourth, "full", "body.paper");
    cell->party = NULL;
    struct wf_msg_dossier_submit message = with_file(cell, first);
    cell->party = "counter";
    (void)submit_message(cell, &message);
    (void)send(cell, "counter", "five");
    close_with_parties(cell);
}

/* The write lock is held meanwhile. */
static void a_paper_that_thousands_name_is_looked_for_among_the_first_of_them(void **state)
{
    (void)state;
    struct cell *cell = cell_with_parties();
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    const char *paper = send(cell, NULL, "a form that all fill in");
    struct wf_msg_dossier_submit elsewhere = with_file(cell, paper);
    struct wf_msg_dossier_submit here = elsewhere;
    elsewhere.site = wf_str(SITE_MANDATED);
    elsewhere.role = wf_str("postal_worker");
    for (int i = 0; i < 32; i++)
        (void)submit_message(cell, &elsewhere);
    (void)submit_message(cell, &here);
    cell->party = "counter";
    assert_int_equal(
        cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_dossier_submit, &here, &reply, &err),
        WF_E_INVALID);
    (void)send(cell, "counter", "a form that all fill in");
    cell->party = "counter";
    (void)submit_message(cell, &here);
    close_with_parties(cell);
}

/* ---- what nobody names ------------------------------------------------------------------------
 */

/* Reads twice at once, as a store whose transactions were ended once each allows. */
static void assert_reads_go_on(struct cell *cell)
{
    struct wf_txn *first = cell_read(cell);
    struct wf_txn *second = cell_read(cell);
    assert_ptr_not_equal(first, second);
    wf_txn_abort(second);
    wf_txn_abort(first);
}

/* The write lock cannot be had: the sweep leaves all as it was and comes again. */
static void a_sweep_that_may_not_write_takes_nothing_away(void **state)
{
    (void)state;
    static struct worker worker;
    struct cell *cell = cell_new("2026-11-23 09:10");
    struct wf_txn *txn = NULL;
    struct wf_error err = {0};
    const char *paper = send(cell, NULL, "named by nobody");
    worker = (struct worker){.store = cell->store,
                             .papers = cell->papers,
                             .settings = {.papers_keep = -(int64_t)60 * 1000}};
    enum wf_log_level level = wf_log_level();
    wf_log_set_level(WF_LOG_FATAL);
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    assert_ok(papers_sweep(&worker, &err), err);
    wf_txn_abort(txn);
    wf_log_set_level(level);
    assert_reads_go_on(cell);
    struct wf_msg_dossier_submit message = with_file(cell, paper);
    const char *code = submit_message(cell, &message);
    assert_ok(papers_sweep(&worker, &err), err);
    assert_string_equal(fetch(cell, NULL, code, paper), "named by nobody");
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dossier_names_only_papers_that_are_here_whole),
        cmocka_unit_test(supplements_and_results_bring_papers_under_the_same_rule),
        cmocka_unit_test(a_foreign_party_gets_nothing_and_names_nothing),
        cmocka_unit_test(a_party_names_what_it_sent_or_sees_in_a_dossier),
        cmocka_unit_test(papers_that_no_dossier_names_make_room_when_one_does),
        cmocka_unit_test(a_paper_that_thousands_name_is_looked_for_among_the_first_of_them),
        cmocka_unit_test(a_sweep_that_may_not_write_takes_nothing_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

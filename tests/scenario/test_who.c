/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: roles, channels, models of sites, agents; and what a refused person is told. */
#include "support/test.h"

#include "support/trial.h"

#define WORK(more)                                                                                 \
    "work: { status = 4; invoke = ( { activity = \"verification.review\"; id = \"review\"; } );"   \
    " on = ( { event = \"done.invoke.review\"; target = \"closed\"; }, { event = \"overdue\"; "    \
    "} " more " ); };"

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' does not say '%s'", text, part);
}

static void a_transition_may_be_for_sites_of_some_models(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "",
                  WORK(", { event = \"settle\"; target = \"closed\"; models = [ \"M2\", \"M4\" ];"
                       " roles = [ \"postal_worker\" ]; }"));
    const char *town = submit_trial(cell, SITE, "one_stop");
    const char *commune = submit_trial(cell, SITE_MANDATED, "one_stop");
    const char *why = refused_event(cell, town, "settle", "postal_worker");
    says(why, "model M1");
    says(why, "who may: postal_worker (model M2, M4)");
    (void)refused_event(cell, commune, "settle", "citizen");
    say(cell, commune, "settle", "postal_worker");
    assert_closed(cell, commune, "approved");
    assert_in(cell, town, "work");
    cell_close(cell);
}

static void a_transition_may_be_for_some_channels(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "",
                  WORK(", { event = \"settle\"; target = \"closed\"; channels = [ \"online\" ];"
                       " roles = [ \"citizen\" ]; },"
                       " { event = \"settle\"; target = \"closed\"; roles = [ \"head\" ]; }"));
    const char *code = submit_trial(cell, SITE, "one_stop");
    const char *why = refused_event(cell, code, "settle", "citizen");
    says(why, "channel one_stop");
    says(why, "who may: citizen (channel online), or head");
    const char *online = submit_trial(cell, SITE, "online");
    say(cell, online, "settle", "citizen");
    assert_closed(cell, online, "approved");
    cell_close(cell);
}

/* The first transition that lets the person counts, not the first of the document. */
static void the_same_event_leads_each_role_its_own_way(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(
        cell, NULL, "",
        WORK(", { event = \"settle\"; target = \"signed\"; roles = [ \"head\" ]; },"
             " { event = \"settle\"; target = \"asked\"; roles = [ \"clerk\" ]; }") "signed: { "
                                                                                    "status = 9; "
                                                                                    "deadline = "
                                                                                    "\"9 days\";"
                                                                                    " on = ( { "
                                                                                    "event = "
                                                                                    "\"deadline."
                                                                                    "signed\"; "
                                                                                    "target = "
                                                                                    "\"closed\"; } "
                                                                                    "); };"
                                                                                    "asked: { "
                                                                                    "status = 4; "
                                                                                    "deadline = "
                                                                                    "\"9 days\";"
                                                                                    " on = ( { "
                                                                                    "event = "
                                                                                    "\"deadline."
                                                                                    "asked\"; "
                                                                                    "target = "
                                                                                    "\"closed\"; } "
                                                                                    "); };");
    const char *of_head = submit_trial(cell, SITE, "one_stop");
    const char *of_clerk = submit_trial(cell, SITE, "one_stop");
    say(cell, of_clerk, "settle", "clerk");
    assert_in(cell, of_clerk, "asked");
    say(cell, of_head, "settle", "head");
    assert_in(cell, of_head, "signed");
    cell_close(cell);
}

static void a_procedure_may_be_for_sites_of_some_models(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "models = [ \"M1\", \"M2\" ];", WORK(""));
    struct wf_msg_dossier_submit message = trial(cell);
    assert_non_null(submit_message(cell, &message));
    message.site = wf_str(SITE_MANDATED);
    const char *why = refusal(cell, WF_MSG_dossier_submit, &message, "denied");
    says(why, "of model M4");
    says(why, "M1, M2");
    cell_close(cell);
}

static void who_may_not_receive_hears_who_may(void **state)
{
    (void)state;
    static const struct {
        const char *role, *site, *channel, *says;
    } rows[] = {
        {"postal_worker", SITE, "one_stop", "who may: civil_servant, head;"},
        {"postal_worker", SITE, "one_stop", "over channel post or at sites with a mandate"},
        {"citizen", SITE, "one_stop", "this role may over channel online"},
        {"citizen", SITE_MANDATED, "one_stop", "civil_servant, head, postal_worker;"},
        {"specialist", SITE, "online", "who may: civil_servant, head, citizen, agent"},
        {"courier", SITE_CARRIER, "post", "model M3"},
    };
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "", WORK(""));
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_msg_dossier_submit message = trial(cell);
        message.role = wf_str(rows[i].role);
        message.site = wf_str(rows[i].site);
        message.channel = wf_str(rows[i].channel);
        says(refusal(cell, WF_MSG_dossier_submit, &message, "denied"), rows[i].says);
    }
    cell_close(cell);
}

static void what_asks_for_presence_is_barred_from_post_and_agents(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, "\"one_stop\", \"online\"", "presence = true;", WORK(""));
    struct wf_msg_dossier_submit message = trial(cell);
    message.channel = wf_str("post");
    const char *why = refusal(cell, WF_MSG_dossier_submit, &message, "invalid");
    says(why, "presence");
    says(why, "open: one_stop, online");
    message.channel = wf_str("one_stop");
    message.agent = json(cell->arena, "{'full_name': 'Trần Văn Đại'}");
    says(refusal(cell, WF_MSG_dossier_submit, &message, "denied"), "appear in person");
    cell_close(cell);
}

static void agents_file_only_where_the_procedure_lets_them(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "agent = \"forbidden\";", WORK(""));
    struct wf_msg_dossier_submit message = trial(cell);
    message.agent = json(cell->arena, "{'full_name': 'Trần Văn Đại'}");
    says(refusal(cell, WF_MSG_dossier_submit, &message, "denied"), "the citizen must file it");
    message.agent = NULL;
    message.channel = wf_str("online");
    message.role = wf_str("agent");
    says(refusal(cell, WF_MSG_dossier_submit, &message, "denied"), "takes no agent");
    message.procedure = wf_str(MARRIAGE); /* lets agents, who must say who they are */
    says(refusal(cell, WF_MSG_dossier_submit, &message, "invalid"), "mandate");
    cell_close(cell);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static void register_desk(struct cell *cell, const char *roles)
{
    struct registered desk = {"desk", wf_arena_printf(cell->arena,
                                                      "kind = \"desk\"; sites = [\"" SITE
                                                      "\"]; roles = [%s];"
                                                      "activities = [\"verification.review\"];",
                                                      roles)};
    register_parties(cell, &desk, 1);
}

/* The role of the fetch is looked at again when the work comes back. */
static void a_role_that_was_withdrawn_completes_nothing(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "", WORK(""));
    const char *code = submit_trial(cell, SITE, "one_stop");
    register_desk(cell, "\"specialist\", \"civil_servant\"");
    cell->party = "desk";
    struct task task;
    assert_true(claim_if_any(cell, "verification.review", SITE, "civil_servant", &task));
    struct wf_msg_task_complete done = {.task = task.id,
                                        .token = task.token,
                                        .result = json(cell->arena, "{'verdict': 'approve'}"),
                                        .by = wf_str("person-1")};
    register_desk(cell, "\"specialist\"");
    refuse(cell, WF_VERIFICATION, WF_MSG_task_complete, &done, "denied", "body.role");
    register_desk(cell, "\"specialist\", \"civil_servant\"");
    finish(cell, &task, "{'verdict': 'approve'}");
    cell->party = NULL;
    assert_closed(cell, code, "approved");
    close_with_parties(cell);
}

static int find_role(void *context, const struct wf_rec_event *event)
{
    bool *found = context;
    *found = *found || (wf_str_is(event->event, "done.invoke.review") &&
                        wf_str_is(event->role, "specialist"));
    return 0;
}

/* A task for anybody: the history tells in which role it was done. */
static void the_history_names_the_role_of_the_fetch(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-30 09:10");
    install_trial(cell, NULL, "",
                  "work: { status = 4; invoke = ( { activity = "
                  "\"intake.supplement\"; id = \"review\"; } );"
                  " on = ( { event = \"done.invoke.review\"; target = \"closed\"; },"
                  " { event = \"overdue\"; } ); };");
    const char *code = submit_trial(cell, SITE, "one_stop");
    struct task task = claim(cell, "intake.supplement", "specialist");
    assert_string_equal(task.role, "");
    finish(cell, &task, "{'papers': []}");
    bool found = false;
    struct wf_error err = {0};
    struct wf_txn *txn = cell_read(cell);
    uint64_t id = 0;
    assert_ok(wf_dossier_find(txn, wf_str(code), &id, &err), err);
    assert_ok(wf_history_each(txn, id, cell->arena, find_role, &found, &err), err);
    wf_txn_abort(txn);
    assert_true(found);
    cell_close(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transition_may_be_for_sites_of_some_models),
        cmocka_unit_test(a_transition_may_be_for_some_channels),
        cmocka_unit_test(the_same_event_leads_each_role_its_own_way),
        cmocka_unit_test(a_procedure_may_be_for_sites_of_some_models),
        cmocka_unit_test(who_may_not_receive_hears_who_may),
        cmocka_unit_test(what_asks_for_presence_is_barred_from_post_and_agents),
        cmocka_unit_test(agents_file_only_where_the_procedure_lets_them),
        cmocka_unit_test(a_role_that_was_withdrawn_completes_nothing),
        cmocka_unit_test(the_history_names_the_role_of_the_fetch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

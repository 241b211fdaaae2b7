/* SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"

void install_trial(struct cell *cell, const char *channels, const char *settings,
                   const char *states)
{
    const char *text = wf_arena_printf(
        cell->arena,
        "procedure: { code = \"" TRIAL "\"; version = 1; level = \"commune\";\n"
        "title = { vi = \"Thử\"; en = \"Trial\"; }; channels = [ %s ];\n"
        "time_limit = \"3 working days\"; fee = 0; papers = (); %s\n"
        "fields = ( { id = \"full_name\"; type = \"text\"; required = true; personal = true;\n"
        "  max = 100; title = { vi = \"Họ và tên\"; en = \"Full name\"; }; },\n"
        "  { id = \"phone\"; type = \"mobile\"; title = { vi = \"Điện thoại\"; en = \"Phone\"; }; "
        "}\n"
        ");\n"
        "data: { seen = \"\"; before = \"\"; };\n"
        "initial = \"register\";\n"
        "states: { register: { status = 1; invoke = ( { activity = \"intake.register\";\n"
        "  id = \"register\"; } );\n"
        "  on = ( { event = \"done.invoke.register\"; target = \"work\"; } ); };\n%s\n"
        "closed: { type = \"final\"; status = 10; outcome = \"approved\"; }; }; };\n",
        channels != NULL ? channels : "\"one_stop\", \"post\", \"online\"", settings, states);
    struct wf_report report = {0};
    struct wf_error err = {0};
    struct wf_procedure *p = NULL;
    char line[512] = "";
    int rc =
        wf_procedure_parse("trial.cfg", text, strlen(text), &cell->catalogue, &report, &p, &err);
    if (rc != 0)
        fail_msg("%s", report.n > 0 ? wf_report_line(&report, 0, line, sizeof(line)) : err.text);
    wf_report_fini(&report);
    wf_procedure_free(p);
    struct wf_rec_procedure record = {
        .code = wf_str(TRIAL),
        .version = 1,
        .source = {(const uint8_t *)text, strlen(text)},
        .installed = cell->now,
        .by = wf_str("test"),
        .active = true,
        .file = wf_str("trial.cfg"),
    };
    struct wf_txn *txn = NULL;
    assert_ok(wf_txn_begin(cell->store, true, &txn, &err), err);
    assert_ok(wf_procedure_put(txn, &record, &err), err);
    assert_ok(wf_txn_commit(txn, &err), err);
    for (size_t i = 0; i < WF_SERVICE_COUNT; i++)
        assert_ok(wf_engine_refresh(cell->engines[i], cell->store, NULL, &err), err);
}

struct wf_msg_dossier_submit trial(struct cell *cell)
{
    return (struct wf_msg_dossier_submit){
        .procedure = wf_str(TRIAL),
        .channel = wf_str("one_stop"),
        .site = wf_str(SITE),
        .by = wf_str("counter-2"),
        .role = wf_str("civil_servant"),
        .fields = json(cell->arena, "{'full_name': 'Nguyễn Thị Thử', 'phone': '0912345678'}"),
    };
}

const char *submit_trial(struct cell *cell, const char *site, const char *channel)
{
    struct wf_msg_dossier_submit message = trial(cell);
    message.site = wf_str(site);
    message.channel = wf_str(channel);
    return submit_message(cell, &message);
}

const char *refusal(struct cell *cell, enum wf_message type, const void *body, const char *word)
{
    struct wf_counts before = cell_counts(cell);
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    int rc = cell_request(cell, WF_INTAKE, new_id(cell), type, body, &answer, &err);
    assert_true(rc < 0);
    const struct wf_msg_error *why = answer.body;
    assert_string_equal(why->code.ptr, word);
    struct wf_counts after = cell_counts(cell);
    assert_memory_equal(&before, &after, sizeof(before));
    return wf_arena_strndup(cell->arena, why->message.ptr, why->message.len);
}

const char *refused_event(struct cell *cell, const char *code, const char *event, const char *role)
{
    struct wf_msg_dossier_event message = {.dossier = wf_str(code),
                                           .event = wf_str(event),
                                           .by = wf_str("person-1"),
                                           .role = wf_str(role)};
    return refusal(cell, WF_MSG_dossier_event, &message, "denied");
}

struct wf_rec_dossier stored_trial(struct cell *cell, const char *code)
{
    struct wf_rec_dossier dossier = {0};
    struct wf_error err = {0};
    struct wf_txn *txn = cell_read(cell);
    uint64_t id = 0;
    assert_ok(wf_dossier_find(txn, wf_str(code), &id, &err), err);
    assert_ok(wf_dossier_get(txn, id, cell->arena, &dossier, &err), err);
    wf_txn_abort(txn);
    return dossier;
}

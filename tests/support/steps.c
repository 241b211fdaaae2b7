/* SPDX-License-Identifier: Apache-2.0 */
#include "support/steps.h"

#include <errno.h>
#include <sys/stat.h>

#define LEASE_MS 60000

/* ---- samples ----------------------------------------------------------------------------------
 */

#define PERSON                                                                                     \
    "'full_name': 'Nguyễn Thị Thử', 'citizen_id': '093190000017', 'phone': '0912345678',"    \
    " 'email': 'thu@example.vn', 'address': 'Ấp 1, xã Long Trị', 'return_by': 'counter'"

static const struct {
    const char *procedure, *fields, *papers;
} samples[] = {
    {MARRIAGE,
     "{" PERSON ", 'birth_date': '1990-05-17', 'was_married': false, 'purpose': 'marriage'}",
     "[{'id': 'declaration', 'kind': 'original'}, {'id': 'identity', 'kind': 'copy'}]"},
    {BIRTH,
     "{" PERSON ", 'child_name': 'Nguyễn Văn Bé', 'child_sex': 'male',"
     " 'child_birth_date': '2026-11-02', 'has_birth_notice': true}",
     "[{'id': 'declaration', 'kind': 'original'}, {'id': 'birth_notice', 'kind': 'original'}]"},
    {LAND,
     "{" PERSON ", 'parcel': '112, tờ 7', 'area': 250, 'price': 900000000,"
     " 'land_commune': '000.01.33.H30'}",
     "[{'id': 'change_form', 'kind': 'original'}, {'id': 'certificate', 'kind': 'original'},"
     " {'id': 'contract', 'kind': 'certified'}, {'id': 'identity', 'kind': 'copy', 'copies': 2}]"},
    {COPY, "{" PERSON ", 'pages': 3, 'copies': 2}",
     "[{'id': 'original', 'kind': 'original'}, {'id': 'copy', 'kind': 'photo'}]"},
};

struct wf_msg_dossier_submit sample(struct cell *cell, const char *procedure)
{
    for (size_t i = 0; i < WF_COUNT(samples); i++) {
        if (strcmp(samples[i].procedure, procedure) != 0)
            continue;
        return (struct wf_msg_dossier_submit){
            .procedure = wf_str(procedure),
            .channel = wf_str("one_stop"),
            .site = wf_str(SITE),
            .by = wf_str("counter-2"),
            .role = wf_str("civil_servant"),
            .fields = json(cell->arena, samples[i].fields),
            .papers = json(cell->arena, samples[i].papers),
        };
    }
    fail_msg("no sample of %s", procedure);
    abort();
}

const char *new_id(struct cell *cell)
{
    return wf_arena_printf(cell->arena, "test-%llu", (unsigned long long)++cell->ids);
}

/* A request that must go well; then the services settle what follows from it. */
static const void *ask(struct cell *cell, enum wf_service service, enum wf_message type,
                       const void *body)
{
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    int rc = cell_request(cell, service, new_id(cell), type, body, &answer, &err);
    if (rc < 0)
        fail_msg("%s: %s %s: %s (SEED=%llu)", wf_message_info(type)->name, wf_code_word(rc),
                 err.field, err.text, (unsigned long long)cell_seed());
    cell_pump(cell);
    return rc == 0 ? answer.body : NULL;
}

const char *submit_message(struct cell *cell, const struct wf_msg_dossier_submit *message)
{
    const struct wf_msg_dossier_state *state = ask(cell, WF_INTAKE, WF_MSG_dossier_submit, message);
    assert_true(state->dossier.len > 0);
    return state->dossier.ptr;
}

const char *submit(struct cell *cell, const char *procedure, const char *fields)
{
    struct wf_msg_dossier_submit message = sample(cell, procedure);
    const struct wf_value *others = json(cell->arena, fields);
    struct wf_value *all = wf_map_copy(cell->arena, message.fields);
    for (size_t i = 0; i < wf_value_count(others); i++)
        wf_map_put_str(cell->arena, all, others->u.map.pairs[i].key, others->u.map.pairs[i].value);
    message.fields = all;
    return submit_message(cell, &message);
}

/* ---- parties ----------------------------------------------------------------------------------
 */

void register_parties(struct cell *cell, const struct registered *parties, size_t n)
{
    struct wf_report report = {0};
    struct wf_error err = {0};
    char folder[128];
    char path[256];
    (void)snprintf(folder, sizeof(folder), "%s/parties", cell->folder);
    assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.cfg", folder, parties[i].name);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_true(fprintf(f, "name = \"%s\"; organisation = \"test\"; %s\n", parties[i].name,
                            parties[i].text) > 0);
        assert_int_equal(fclose(f), 0);
    }
    wf_parties_free(cell->parties);
    cell->parties = NULL;
    assert_ok(wf_parties_load(folder, &report, &cell->parties, &err), err);
    wf_report_fini(&report);
}

void close_with_parties(struct cell *cell)
{
    struct wf_parties *parties = cell->parties;
    cell->party = NULL;
    cell->seq = 0;
    cell_pump(cell);
    cell_close(cell);
    wf_parties_free(parties);
}

/* ---- tasks ------------------------------------------------------------------------------------
 */

bool claim_if_any(struct cell *cell, const char *activity, const char *to, const char *role,
                  struct task *out)
{
    enum wf_service service = (enum wf_service)wf_service_of_activity(activity);
    struct wf_value *addresses = wf_list(cell->arena);
    wf_list_add(cell->arena, addresses, wf_text(cell->arena, to));
    struct wf_msg_task_fetch fetch = {.activity = wf_str(activity),
                                      .to = addresses,
                                      .by = wf_str("person-1"),
                                      .role = wf_str(role),
                                      .max = 1,
                                      .lease_ms = LEASE_MS};
    const struct wf_msg_tasks *found = ask(cell, service, WF_MSG_task_fetch, &fetch);
    if (found == NULL)
        return false;
    const struct wf_value *task = wf_list_at(found->tasks, 0);
    assert_int_equal(wf_value_count(found->tasks), 1);
    *out = (struct task){.id = (uint64_t)wf_value_int(wf_map_get(task, "task"), 0),
                         .token = (uint64_t)wf_value_int(wf_map_get(task, "token"), 0),
                         .attempt = wf_value_int(wf_map_get(task, "attempt"), 0),
                         .service = service,
                         .dossier = wf_value_text(wf_map_get(task, "dossier"), ""),
                         .to = wf_value_text(wf_map_get(task, "to"), ""),
                         .role = wf_value_text(wf_map_get(task, "role"), ""),
                         .params = wf_map_get(task, "params")};
    return true;
}

struct task claim(struct cell *cell, const char *activity, const char *role)
{
    struct task task;
    if (!claim_if_any(cell, activity, "*", role, &task))
        fail_msg("no task of %s for role %s (SEED=%llu)", activity, role,
                 (unsigned long long)cell_seed());
    return task;
}

struct task claim_at(struct cell *cell, const char *activity, const char *to)
{
    struct task task;
    if (!claim_if_any(cell, activity, to, "agency", &task))
        fail_msg("no task of %s at %s", activity, to);
    return task;
}

void finish(struct cell *cell, const struct task *task, const char *result)
{
    struct wf_msg_task_complete message = {.task = task->id,
                                           .token = task->token,
                                           .result = json(cell->arena, result),
                                           .by = wf_str("person-1")};
    (void)ask(cell, task->service, WF_MSG_task_complete, &message);
}

void progress(struct cell *cell, const struct task *task, const char *data)
{
    struct wf_msg_task_progress message = {.task = task->id,
                                           .token = task->token,
                                           .data = json(cell->arena, data),
                                           .by = wf_str("courier-3")};
    (void)ask(cell, task->service, WF_MSG_task_progress, &message);
}

void give_up(struct cell *cell, const struct task *task, const char *reason, bool final)
{
    struct wf_msg_task_fail message = {.task = task->id,
                                       .token = task->token,
                                       .reason = wf_str(reason),
                                       .final = final,
                                       .by = wf_str("person-1")};
    (void)ask(cell, task->service, WF_MSG_task_fail, &message);
}

void complete(struct cell *cell, const char *activity, const char *role, const char *result)
{
    struct task task = claim(cell, activity, role);
    finish(cell, &task, result);
}

void say(struct cell *cell, const char *code, const char *event, const char *role)
{
    struct wf_msg_dossier_event message = {.dossier = wf_str(code),
                                           .event = wf_str(event),
                                           .by = wf_str("person-1"),
                                           .role = wf_str(role)};
    (void)ask(cell, WF_INTAKE, WF_MSG_dossier_event, &message);
}

unsigned send_notices(struct cell *cell)
{
    struct task task;
    unsigned n = 0;
    for (; claim_if_any(cell, "notification.send", "*", "gateway", &task); n++)
        finish(cell, &task, "{'message_id': 'm-1'}");
    return n;
}

/* ---- then -------------------------------------------------------------------------------------
 */

const struct wf_msg_dossier_state *look_up(struct cell *cell, const char *code)
{
    struct wf_msg_dossier_get get = {.dossier = wf_str(code), .content = true};
    return ask(cell, WF_INTAKE, WF_MSG_dossier_get, &get);
}

bool is_in(struct cell *cell, const char *code, const char *state)
{
    const struct wf_value *states = look_up(cell, code)->states;
    for (size_t i = 0; i < wf_value_count(states); i++) {
        if (strcmp(wf_value_text(wf_list_at(states, i), ""), state) == 0)
            return true;
    }
    return false;
}

void assert_in(struct cell *cell, const char *code, const char *state)
{
    if (is_in(cell, code, state))
        return;
    char line[256] = "";
    const struct wf_value *states = look_up(cell, code)->states;
    for (size_t i = 0; i < wf_value_count(states); i++) {
        size_t at = strlen(line);
        (void)snprintf(line + at, sizeof(line) - at, " %s",
                       wf_value_text(wf_list_at(states, i), "?"));
    }
    fail_msg("%s is not in state %s but in:%s (SEED=%llu)", code, state, line,
             (unsigned long long)cell_seed());
}

void assert_status(struct cell *cell, const char *code, unsigned status)
{
    assert_int_equal(look_up(cell, code)->status, status);
}

void assert_closed(struct cell *cell, const char *code, const char *outcome)
{
    const struct wf_msg_dossier_state *state = look_up(cell, code);
    assert_true(state->closed);
    assert_string_equal(state->outcome.ptr, outcome);
}

void assert_due(struct cell *cell, const char *code, const char *moment)
{
    char text[32];
    (void)wf_calendar_format(cell->calendar, look_up(cell, code)->due, text, sizeof(text));
    assert_string_equal(text, moment);
}

void assert_no_task(struct cell *cell, const char *activity, const char *role)
{
    struct task task;
    assert_false(claim_if_any(cell, activity, "*", role, &task));
}

struct tally {
    const char *event;
    unsigned n;
};

static int tally_one(void *context, const struct wf_rec_event *event)
{
    struct tally *tally = context;
    tally->n += wf_str_is(event->event, tally->event);
    return 0;
}

unsigned times(struct cell *cell, const char *code, const char *event)
{
    struct tally tally = {.event = event};
    struct wf_error err = {0};
    struct wf_txn *txn = cell_read(cell);
    uint64_t id = 0;
    assert_ok(wf_dossier_find(txn, wf_str(code), &id, &err), err);
    assert_ok(wf_history_each(txn, id, cell->arena, tally_one, &tally, &err), err);
    wf_txn_abort(txn);
    return tally.n;
}

void assert_times(struct cell *cell, const char *code, const char *event, unsigned n)
{
    assert_int_equal(times(cell, code, event), n);
}

struct notices {
    const char *code, *template;
    unsigned n;
};

static int notice_one(void *context, const struct wf_rec_task *task)
{
    struct notices *notices = context;
    const struct wf_value *template = wf_map_get(task->params, "template");
    notices->n += wf_str_is(task->code, notices->code) &&
                  strcmp(wf_value_text(template, ""), notices->template) == 0;
    return 0;
}

void assert_notices(struct cell *cell, const char *code, const char *template, unsigned n)
{
    struct notices notices = {.code = code, .template = template};
    struct wf_error err = {0};
    struct wf_txn *txn = cell_read(cell);
    assert_ok(wf_task_each(txn, cell->arena, notice_one, &notices, &err), err);
    wf_txn_abort(txn);
    assert_int_equal(notices.n, n);
}

void refuse(struct cell *cell, enum wf_service service, enum wf_message type, const void *body,
            const char *word, const char *field)
{
    struct wf_counts before = cell_counts(cell);
    struct wf_envelope answer = {0};
    struct wf_error err = {0};
    int rc = cell_request(cell, service, new_id(cell), type, body, &answer, &err);
    assert_true(rc < 0);
    const struct wf_msg_error *why = answer.body;
    assert_string_equal(why->code.ptr, word);
    assert_string_equal(why->field.len > 0 ? why->field.ptr : "", field);
    struct wf_counts after = cell_counts(cell);
    assert_memory_equal(&before, &after, sizeof(before));
}

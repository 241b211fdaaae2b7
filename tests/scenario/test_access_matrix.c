/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message that may come from outside, asked by every kind of party: at its own site and at
 * another one, in a role, an activity and a procedure that its registration lacks, revoked, and not
 * registered at all. The messages are those of the table: one that has no row here fails.
 */
#include "support/test.h"

#include "support/steps.h"

#define OTHER SITE_MANDATED

/* clang-format off */
static const struct registered files[] = {
    {"counter",  "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true; procedures = [\"*\"];"
                 "roles = [\"civil_servant\", \"postal_worker\"]; activities = [\"return.deliver\"];"},
    {"foreign",  "kind = \"counter\"; sites = [\"" OTHER "\"]; submit = true; procedures = [\"*\"];"
                 "roles = [\"civil_servant\", \"postal_worker\"];"
                 "activities = [\"verification.review\"];"},
    {"no-role",  "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true; procedures = [\"*\"];"
                 "roles = [\"clerk\"]; activities = [\"*\"];"},
    {"no-work",  "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true;"
                 "procedures = [\"" COPY "\"]; roles = [\"civil_servant\", \"postal_worker\"];"
                 "activities = [];"},
    {"desk",     "kind = \"desk\"; sites = [\"" SITE "\"]; roles = [\"civil_servant\"];"
                 "activities = [\"verification.review\"];"},
    {"agency",   "kind = \"agency\"; sites = [\"000.00.33.H30\"]; roles = [\"agency\"];"
                 "activities = [\"routing.handoff\"];"},
    {"gateway",  "kind = \"gateway\"; addresses = [\"sms\", \"zalo\"]; roles = [\"gateway\"];"
                 "activities = [\"notification.send\"];"},
    {"courier",  "kind = \"courier\"; addresses = [\"vnpost\"]; roles = [\"courier\"];"
                 "activities = [\"return.deliver\"];"},
    {"portal",   "kind = \"portal\"; sites = [\"*\"]; journal = true; submit = true;"
                 "procedures = [\"*\"]; roles = [\"citizen\"];"},
    {"monitor",  "kind = \"monitor\"; sites = [\"*\"]; journal = true;"},
    {"station",  "kind = \"counter\"; sites = [\"" SITE "\"]; submit = true; procedures = [\"*\"];"
                 "roles = [\"civil_servant\", \"postal_worker\"]; relay = true;"},
    {"revoked",  "kind = \"counter\"; sites = [\"*\"]; addresses = [\"*\"]; submit = true;"
                 "procedures = [\"*\"]; roles = [\"civil_servant\", \"postal_worker\"];"
                 "activities = [\"*\"]; journal = true; relay = true; revoked = true;"},
};
/* clang-format on */

/* The columns of the matrix. */
static const char *const askers[] = {NULL,      "counter", "foreign", "no-role", "no-work",
                                     "desk",    "agency",  "gateway", "courier", "portal",
                                     "monitor", "station", "revoked", "unknown"};

/* What a question is about. */
struct given {
    const char *here, *there; /* codes of dossiers received at SITE and at OTHER */
    const char *paper;        /* of the one at SITE */
    const char *asker;
    struct task lease; /* of a review at SITE, held by the desk; of FRESH rows */
};

typedef const void *body_fn(struct cell *cell, const struct given *given);

static const void *keep(struct cell *cell, const void *body, size_t size)
{
    void *copy = wf_arena_alloc(cell->arena, size);
    assert_non_null(copy);
    return memcpy(copy, body, size);
}
#define BODY(type, ...)                                                                            \
    keep(cell, &(const struct wf_msg_##type){__VA_ARGS__}, sizeof(struct wf_msg_##type))

/* ---- questions -------------------------------------------------------------------------------- */

static const void *submit_here(struct cell *cell, const struct given *given)
{
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    (void)given;
    return keep(cell, &message, sizeof(message));
}

static const void *submit_there(struct cell *cell, const struct given *given)
{
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    (void)given;
    message.site = wf_str(OTHER);
    message.role = wf_str("postal_worker");
    return keep(cell, &message, sizeof(message));
}

/* An event that no state waits for: who may raise events hears that, the others hear less. */
static const void *event_of(struct cell *cell, const char *code, const char *role)
{
    return BODY(dossier_event, .dossier = wf_str(code), .event = wf_str("no_such_event"),
                .by = wf_str("x"), .role = wf_str(role));
}

static const void *event_here(struct cell *cell, const struct given *given)
{
    return event_of(cell, given->here, "civil_servant");
}

static const void *event_there(struct cell *cell, const struct given *given)
{
    return event_of(cell, given->there, "civil_servant");
}

static const void *event_as_head(struct cell *cell, const struct given *given)
{
    return event_of(cell, given->here, "head");
}

static const void *get_here(struct cell *cell, const struct given *given)
{
    return BODY(dossier_get, .dossier = wf_str(given->here), .content = true);
}

static const void *get_there(struct cell *cell, const struct given *given)
{
    return BODY(dossier_get, .dossier = wf_str(given->there), .content = true);
}

static const void *list_here(struct cell *cell, const struct given *given)
{
    (void)given;
    return BODY(dossier_list, .site = wf_str(SITE));
}

static const void *list_there(struct cell *cell, const struct given *given)
{
    (void)given;
    return BODY(dossier_list, .site = wf_str(OTHER));
}

static const void *definition(struct cell *cell, const struct given *given)
{
    (void)given;
    return BODY(procedure_get, .procedure = wf_str(MARRIAGE));
}

static const void *fetch_of(struct cell *cell, const char *activity, const char *to,
                            const char *role)
{
    struct wf_value *addresses = wf_list(cell->arena);
    wf_list_add(cell->arena, addresses, wf_text(cell->arena, to));
    return BODY(task_fetch, .activity = wf_str(activity), .to = addresses, .by = wf_str("x"),
                .role = wf_str(role));
}

static const void *fetch_here(struct cell *cell, const struct given *given)
{
    (void)given;
    return fetch_of(cell, "verification.review", SITE, "civil_servant");
}

static const void *fetch_there(struct cell *cell, const struct given *given)
{
    (void)given;
    return fetch_of(cell, "verification.review", OTHER, "civil_servant");
}

static const void *fetch_all(struct cell *cell, const struct given *given)
{
    (void)given;
    return fetch_of(cell, "verification.review", "*", "civil_servant");
}

static const void *fetch_notice(struct cell *cell, const struct given *given)
{
    (void)given;
    return fetch_of(cell, "notification.send", "zalo", "gateway");
}

static const void *fetch_handoff(struct cell *cell, const struct given *given)
{
    (void)given;
    return fetch_of(cell, "routing.handoff", "000.00.33.H30", "agency");
}

static const void *fetch_parcel(struct cell *cell, const struct given *given)
{
    (void)given;
    return fetch_of(cell, "return.deliver", "vnpost", "courier");
}

static const void *fetch_delivery(struct cell *cell, const struct given *given)
{
    (void)given;
    return fetch_of(cell, "return.deliver", SITE, "postal_worker");
}

static const void *extend(struct cell *cell, const struct given *given)
{
    return BODY(task_extend, .task = given->lease.id, .token = given->lease.token,
                .lease_ms = 60000);
}

static const void *complete_it(struct cell *cell, const struct given *given)
{
    return BODY(task_complete, .task = given->lease.id, .token = given->lease.token,
                .result = json(cell->arena, "{'verdict': 'approve'}"), .by = wf_str("x"));
}

static const void *fail_it(struct cell *cell, const struct given *given)
{
    return BODY(task_fail, .task = given->lease.id, .token = given->lease.token,
                .reason = wf_str("printer"), .by = wf_str("x"));
}

static const void *news(struct cell *cell, const struct given *given)
{
    return BODY(task_progress, .task = given->lease.id, .token = given->lease.token,
                .data = json(cell->arena, "{'event': 'x'}"), .by = wf_str("x"));
}

static const void *journal(struct cell *cell, const struct given *given)
{
    (void)given;
    return BODY(journal_fetch, .from = 1, .max = 1000);
}

static const void *ack(struct cell *cell, const struct given *given)
{
    (void)given;
    return BODY(journal_ack, .cursor = wf_str("c"), .seq = 1);
}

static const void *health(struct cell *cell, const struct given *given)
{
    (void)given;
    return BODY(health, .full = true);
}

static const void *reserve(struct cell *cell, const struct given *given)
{
    (void)given;
    return BODY(relay_reserve, .count = 3);
}

static const void *question(struct cell *cell, const struct given *given)
{
    return BODY(paper_put, .paper = wf_str(given->paper), .size = 4);
}

static const void *paper_here(struct cell *cell, const struct given *given)
{
    return BODY(paper_get, .dossier = wf_str(given->here), .paper = wf_str(given->paper));
}

/* A dossier that one sees does not lend its party the papers of another one. */
static const void *paper_there(struct cell *cell, const struct given *given)
{
    return BODY(paper_get, .dossier = wf_str(given->there), .paper = wf_str(given->paper));
}

/* ---- the matrix ------------------------------------------------------------------------------- */

/*
 * "ok", the code of the refusal, or "none": an answer with nothing in it. What a party may not see
 * is "not_found"; "state" means that it was let in as far as the chart.
 */
/* clang-format off */
static const struct row {
    enum wf_message type;
    enum wf_service service;
    body_fn *body;
    bool fresh; /* each asker finds a review at SITE leased by the desk, and one that is not */
    const char *expected;
} matrix[] = {
/*                                                              local     counter   foreign   no-role   no-work   desk      agency    gateway   courier   portal    monitor   station   revoked unknown */
    {WF_MSG_dossier_submit, WF_INTAKE, submit_here, false,     "ok        ok        denied    denied    denied    denied    denied    denied    denied    denied    denied    ok        denied  denied"},
    {WF_MSG_dossier_submit, WF_INTAKE, submit_there, false,    "ok        denied    ok        denied    denied    denied    denied    denied    denied    denied    denied    denied    denied  denied"},
    {WF_MSG_dossier_event, WF_INTAKE, event_here, false,       "state     state     not_found denied    state     denied    denied    not_found not_found denied    denied    state     denied  denied"},
    {WF_MSG_dossier_event, WF_INTAKE, event_there, false,      "state     not_found state     not_found not_found not_found not_found not_found not_found denied    denied    not_found denied  denied"},
    {WF_MSG_dossier_event, WF_INTAKE, event_as_head, false,    "state     denied    not_found denied    denied    denied    denied    not_found not_found denied    denied    denied    denied  denied"},
    {WF_MSG_dossier_get, WF_INTAKE, get_here, false,           "ok        ok        not_found ok        ok        ok        ok        not_found not_found ok        ok        ok        denied  denied"},
    {WF_MSG_dossier_get, WF_INTAKE, get_there, false,          "ok        not_found ok        not_found not_found not_found not_found not_found not_found ok        ok        not_found denied  denied"},
    {WF_MSG_dossier_list, WF_INTAKE, list_here, false,         "ok        ok        none      ok        ok        ok        ok        none      none      ok        ok        ok        denied  denied"},
    {WF_MSG_dossier_list, WF_INTAKE, list_there, false,        "ok        none      ok        none      none      none      none      none      none      ok        ok        none      denied  denied"},
    {WF_MSG_procedure_get, WF_INTAKE, definition, false,       "ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        denied  denied"},
    {WF_MSG_task_fetch, WF_VERIFICATION, fetch_here, true,     "ok        denied    denied    denied    denied    ok        denied    denied    denied    denied    denied    denied    denied  denied"},
    {WF_MSG_task_fetch, WF_VERIFICATION, fetch_there, false,   "ok        denied    ok        denied    denied    denied    denied    denied    denied    denied    denied    denied    denied  denied"},
    {WF_MSG_task_fetch, WF_VERIFICATION, fetch_all, true,      "ok        denied    denied    denied    denied    denied    denied    denied    denied    denied    denied    denied    denied  denied"},
    {WF_MSG_task_fetch, WF_ROUTING, fetch_handoff, false,      "none      denied    denied    denied    denied    denied    none      denied    denied    denied    denied    denied    denied  denied"},
    {WF_MSG_task_fetch, WF_RETURN, fetch_parcel, false,        "none      denied    denied    denied    denied    denied    denied    denied    none      denied    denied    denied    denied  denied"},
    {WF_MSG_task_fetch, WF_RETURN, fetch_delivery, false,      "none      none      denied    denied    denied    denied    denied    denied    denied    denied    denied    denied    denied  denied"},
    {WF_MSG_task_extend, WF_VERIFICATION, extend, true,        "ok        not_found not_found not_found not_found ok        not_found not_found not_found not_found not_found not_found denied  denied"},
    {WF_MSG_task_complete, WF_VERIFICATION, complete_it, true, "ok        not_found not_found not_found not_found ok        not_found not_found not_found not_found not_found not_found denied  denied"},
    {WF_MSG_task_fail, WF_VERIFICATION, fail_it, true,         "ok        not_found not_found not_found not_found ok        not_found not_found not_found not_found not_found not_found denied  denied"},
    {WF_MSG_task_progress, WF_VERIFICATION, news, true,        "ok        not_found not_found not_found not_found ok        not_found not_found not_found not_found not_found not_found denied  denied"},
    {WF_MSG_task_complete, WF_ROUTING, complete_it, true,      "not_found not_found not_found not_found not_found not_found not_found not_found not_found not_found not_found not_found denied  denied"},
    {WF_MSG_task_fetch, WF_NOTIFICATION, fetch_notice, false,  "ok        denied    denied    denied    denied    denied    denied    ok        denied    denied    denied    denied    denied  denied"},
    {WF_MSG_journal_fetch, WF_RETURN, journal, false,          "ok        denied    denied    denied    denied    denied    denied    denied    denied    ok        ok        denied    denied  denied"},
    {WF_MSG_journal_ack, WF_RETURN, ack, false,                "ok        denied    denied    denied    denied    denied    denied    denied    denied    ok        ok        denied    denied  denied"},
    {WF_MSG_health, WF_NOTIFICATION, health, false,            "ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        denied  denied"},
    {WF_MSG_paper_put, WF_INTAKE, question, false,             "ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        denied  denied"},
    {WF_MSG_paper_get, WF_ROUTING, paper_here, false,          "ok        ok        not_found ok        ok        ok        ok        not_found not_found ok        ok        ok        denied  denied"},
    {WF_MSG_paper_get, WF_ROUTING, paper_there, false,         "not_found not_found not_found not_found not_found not_found not_found not_found not_found not_found not_found not_found denied  denied"},
    {WF_MSG_relay_reserve, WF_INTAKE, reserve, false,          "denied    denied    denied    denied    denied    denied    denied    denied    denied    denied    denied    ok        denied  denied"},
};
/* clang-format on */

/* ---- asking ----------------------------------------------------------------------------------- */

static bool is_empty(const struct wf_envelope *reply)
{
    switch ((int)reply->type) {
    case WF_MSG_dossier_page:
        return wf_value_count(((const struct wf_msg_dossier_page *)reply->body)->dossiers) == 0;
    case WF_MSG_journal_page:
        return wf_value_count(((const struct wf_msg_journal_page *)reply->body)->events) == 0;
    default:
        return false;
    }
}

/* A station's refused hand-off is an answer like any: it says so in its type. */
static const char *hears(struct cell *cell, const struct row *row, const struct given *given)
{
    static uint64_t handed_over;
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    bool in_sequence = given->asker != NULL && strcmp(given->asker, "station") == 0 &&
                       (row->type == WF_MSG_dossier_submit || row->type == WF_MSG_dossier_event);
    cell->party = given->asker;
    cell->seq = in_sequence ? ++handed_over : 0;
    int rc = cell_request(cell, row->service, new_id(cell), row->type, row->body(cell, given),
                          &reply, &err);
    cell->party = NULL;
    cell->seq = 0;
    if (rc < 0)
        return wf_code_word(rc);
    if (rc == 0 && reply.type == WF_MSG_error)
        return ((const struct wf_msg_error *)reply.body)->code.ptr;
    return rc == WF_NONE || is_empty(&reply) ? "none" : "ok";
}

/* The i-th word of a row; fails where there are more or fewer than askers. */
static void expect(const struct row *row, size_t i, char out[16])
{
    const char *at = row->expected;
    size_t n = 0;
    for (; *at != '\0'; n++) {
        size_t length = strcspn(at, " ");
        assert_true(length < 16);
        if (n == i)
            (void)snprintf(out, 16, "%.*s", (int)length, at);
        at += length;
        at += strspn(at, " ");
    }
    assert_int_equal(n, WF_COUNT(askers));
}

static const char *file_at(struct cell *cell, const char *site, const char *role, const char *paper)
{
    struct wf_msg_dossier_submit message = sample(cell, MARRIAGE);
    message.site = wf_str(site);
    message.role = wf_str(role);
    if (paper != NULL)
        message.papers = json(cell->arena, wf_arena_printf(cell->arena,
                                                           "[{'id': 'declaration', 'kind': "
                                                           "'original'}, {'id': 'identity', "
                                                           "'kind': 'copy', 'file': '%s'}]",
                                                           paper));
    return submit_message(cell, &message);
}

static const char *send_paper(struct cell *cell)
{
    uint8_t hash[WF_HASH_BYTES];
    char name[WF_PAPER_NAME + 1];
    struct wf_envelope reply = {0};
    struct wf_error err = {0};
    wf_hash("scan", 4, NULL, 0, hash);
    wf_hex(hash, sizeof(hash), name);
    struct wf_msg_paper_put put = {
        .paper = wf_str(name), .size = 4, .bytes = {(const uint8_t *)"scan", 4}};
    assert_ok(cell_request(cell, WF_INTAKE, new_id(cell), WF_MSG_paper_put, &put, &reply, &err),
              err);
    return wf_arena_strdup(cell->arena, name);
}

static struct given given_in(struct cell *cell)
{
    struct given given = {.paper = send_paper(cell)};
    given.here = file_at(cell, SITE, "civil_servant", given.paper);
    given.there = file_at(cell, OTHER, "postal_worker", NULL);
    return given;
}

static struct task leased_by_desk(struct cell *cell)
{
    struct task task;
    cell->party = "desk";
    assert_true(claim_if_any(cell, "verification.review", SITE, "civil_servant", &task));
    cell->party = NULL;
    return task;
}

static void ask_all(struct cell *cell, const struct row *row, struct given *given)
{
    char expected[16];
    for (size_t i = 0; i < WF_COUNT(askers); i++) {
        given->asker = askers[i];
        if (row->fresh) {
            (void)file_at(cell, SITE, "civil_servant", NULL);
            (void)file_at(cell, SITE, "civil_servant", NULL);
            given->lease = leased_by_desk(cell);
        }
        expect(row, i, expected);
        struct wf_counts before = cell_counts(cell);
        const char *heard = hears(cell, row, given);
        struct wf_counts after = cell_counts(cell);
        if (strcmp(heard, expected) != 0)
            fail_msg("%s (row %zu) by %s: \"%s\" was expected, \"%s\" heard",
                     wf_message_info(row->type)->name, (size_t)(row - matrix),
                     askers[i] != NULL ? askers[i] : "local", expected, heard);
        if (strcmp(heard, "ok") != 0 && memcmp(&before, &after, sizeof(before)) != 0)
            fail_msg("%s by %s was refused and changed something", wf_message_info(row->type)->name,
                     askers[i]);
        cell_pump(cell);
    }
}

static void every_message_is_answered_to_every_party_as_its_registration_says(void **state)
{
    (void)state;
    struct cell *cell = cell_new("2026-11-23 09:10");
    register_parties(cell, files, WF_COUNT(files));
    struct given given = given_in(cell);
    for (size_t r = 0; r < WF_COUNT(matrix); r++)
        ask_all(cell, &matrix[r], &given);
    close_with_parties(cell);
}

static void no_message_of_the_table_is_left_out(void **state)
{
    (void)state;
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    for (size_t m = 0; m < n; m++) {
        size_t rows = 0;
        for (size_t r = 0; r < WF_COUNT(matrix); r++)
            rows += matrix[r].type == table[m].code;
        if (table[m].sender == WF_END_PARTY && rows == 0)
            fail_msg("%s has no row in the matrix: who may ask it?", table[m].name);
        if (table[m].sender != WF_END_PARTY && rows > 0)
            fail_msg("%s is no message of a party", table[m].name);
    }
}

/* Whoever asks: what is not for a party to say, or not for that service to hear, stops at the
 * decoder. */
static void what_is_not_for_a_party_to_say_is_not_even_read(void **state)
{
    (void)state;
    struct wf_arena *arena = wf_arena_new(0);
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    for (size_t m = 0; m < n; m++) {
        struct wf_envelope ask = {.type = table[m].code, .id = wf_str("1")};
        struct wf_error err = {0};
        struct wf_buf packed = {0};
        ask.body = memset(wf_arena_alloc(arena, table[m].size), 0, table[m].size);
        assert_ok(wf_message_pack(&ask, &packed, &err), err);
        for (int s = 0; s < WF_SERVICE_COUNT; s++) {
            struct wf_envelope read = {0};
            int rc = wf_message_unpack((struct wf_slice){packed.ptr, packed.len}, WF_END_PARTY,
                                       (enum wf_end)s, arena, &read, &err);
            bool is_asked = table[m].sender == WF_END_PARTY &&
                            (table[m].receiver == WF_END_ANY || (int)table[m].receiver == s);
            if (is_asked ? rc == WF_E_UNSUPPORTED : rc != WF_E_UNSUPPORTED)
                fail_msg("%s to %s: %s", table[m].name, wf_service_word((enum wf_service)s),
                         rc < 0 ? err.text : "was read");
        }
        wf_buf_fini(&packed);
        wf_arena_reset(arena);
    }
    wf_arena_free(arena);
}

/* A lease is worth what its party's registration is worth now, not when it was given. */
static void a_lease_ends_with_the_registration_that_it_was_given_by(void **state)
{
    (void)state;
    static const struct registered later[] = {
        {"desk", "kind = \"desk\"; sites = [\"" SITE "\"]; roles = [\"clerk\"];"
                 "activities = [\"verification.review\"];"},
        {"desk", "kind = \"desk\"; sites = [\"" SITE "\"]; roles = [\"civil_servant\"];"
                 "activities = [\"verification.review\"]; revoked = true;"},
        {"desk", "kind = \"desk\"; sites = [\"" SITE "\"]; roles = [\"civil_servant\"];"
                 "activities = [\"verification.review\"];"},
    };
    struct cell *cell = cell_new("2026-11-23 09:10");
    register_parties(cell, files, WF_COUNT(files));
    struct given given = given_in(cell);
    given.asker = "desk";
    given.lease = leased_by_desk(cell);
    const struct row ask = {WF_MSG_task_complete, WF_VERIFICATION, complete_it, false, ""};
    for (size_t i = 0; i < WF_COUNT(later); i++) {
        register_parties(cell, &later[i], 1);
        assert_string_equal(hears(cell, &ask, &given), i < 2 ? "denied" : "ok");
    }
    close_with_parties(cell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_answered_to_every_party_as_its_registration_says),
        cmocka_unit_test(no_message_of_the_table_is_left_out),
        cmocka_unit_test(what_is_not_for_a_party_to_say_is_not_even_read),
        cmocka_unit_test(a_lease_ends_with_the_registration_that_it_was_given_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

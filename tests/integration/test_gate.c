/* SPDX-License-Identifier: Apache-2.0 */
/* The gate with real workers: who comes in, and as whom. */
#include "support/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/gated.h"
#include "workflow/clock.h"

#define PATIENCE_MS 30000

/* The client's pair of zmq_curve(7). */
#define PRINTED_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define PRINTED_SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

/* ---- parties --------------------------------------------------------------------------------- */

static void a_registered_party_works_from_end_to_end(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    struct wf_envelope answer = {0};
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    struct wf_client *client = gated_open(&g, "counter-a");
    struct wf_arena *arena = wf_arena_new(0);
    struct acknowledged ack = gated_submit(client, "through the gate");
    assert_ok(gated_get(client, ack.code, &err), err);
    struct wf_value *to = wf_list(arena);
    wf_list_add(arena, to, wf_text(arena, COUNTER_SITE));
    const struct wf_msg_task_fetch fetch = {.activity = wf_str("verification.review"),
                                            .to = to,
                                            .by = wf_str("an"),
                                            .role = wf_str("civil_servant"),
                                            .wait_ms = 700};
    assert_ok(
        wf_client_call(client, WF_VERIFICATION, WF_MSG_task_fetch, &fetch, arena, &answer, &err),
        err); /* a long poll that finds nothing */
    assert_int_equal(answer.type, WF_MSG_tasks);
    assert_int_equal(wf_value_count(((const struct wf_msg_tasks *)answer.body)->tasks), 0);
    wf_arena_free(arena);
    wf_client_close(client);
    gated_end(&g, &ack, 1);
}

static void what_is_not_a_partys_own_does_not_exist_for_it(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    gated_new(&g, "");
    gated_party(&g, "here", COUNTER_SITE, 0);
    gated_party(&g, "elsewhere", "000.00.21.H30", 0);
    struct wf_client *here = gated_open(&g, "here");
    struct wf_client *elsewhere = gated_open(&g, "elsewhere");
    struct acknowledged ack = gated_submit(here, "of here");
    assert_int_equal(gated_get(elsewhere, ack.code, &err), WF_E_NOT_FOUND);
    assert_ok(gated_get(here, ack.code, &err), err);
    wf_client_close(here);
    wf_client_close(elsewhere);
    gated_end(&g, &ack, 1);
}

/* The same id of two parties is two requests, each with its own answer. */
static void two_parties_may_choose_the_same_id(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    struct acknowledged acks[2] = {{.id = "r-1", .note = "of a"}, {.id = "r-1", .note = "of b"}};
    char again[65];
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    gated_party(&g, "counter-b", COUNTER_SITE, 0);
    struct wf_client *a = gated_open(&g, "counter-a");
    struct wf_client *b = gated_open(&g, "counter-b");
    assert_ok(host_submit(a, "r-1", acks[0].note, PATIENCE_MS, acks[0].code, &err), err);
    assert_ok(host_submit(b, "r-1", acks[1].note, PATIENCE_MS, acks[1].code, &err), err);
    assert_string_not_equal(acks[0].code, acks[1].code);
    assert_ok(host_submit(a, "r-1", acks[0].note, PATIENCE_MS, again, &err), err);
    assert_string_equal(again, acks[0].code);
    assert_int_equal(host_submit(a, "r-1", "other content", PATIENCE_MS, again, &err),
                     WF_E_CONFLICT);
    wf_client_close(a);
    wf_client_close(b);
    gated_end(&g, acks, 2);
}

static void a_party_cannot_say_that_it_is_another(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    gated_party(&g, "counter-b", COUNTER_SITE, 0);
    struct wf_client *client = gated_open(&g, "counter-a");
    static const struct {
        const char *claim;
        enum wf_message type;
    } rows[] = {{"counter-b", WF_MSG_error},
                {"counter-a", WF_MSG_health_report},
                {"", WF_MSG_health_report}};
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        const struct wf_msg_health body = {0};
        const struct wf_envelope request = {.type = WF_MSG_health,
                                            .id = wf_str("claim"),
                                            .party = wf_str(rows[i].claim),
                                            .to = wf_str("return"),
                                            .body = &body};
        struct wf_buf frame = {0};
        struct wf_envelope answer = {0};
        struct wf_arena *arena = wf_arena_new(0);
        assert_ok(wf_message_pack(&request, &frame, &err), err);
        assert_ok(
            wf_client_send_raw(client, WF_RETURN, (struct wf_slice){frame.ptr, frame.len}, &err),
            err);
        assert_int_equal(wf_client_receive(client, PATIENCE_MS, arena, &answer, &err), 0);
        assert_int_equal(answer.type, rows[i].type);
        assert_true(wf_str_is(answer.re, "claim"));
        wf_arena_free(arena);
        wf_buf_fini(&frame);
    }
    wf_client_close(client);
    gated_close(&g);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void strangers_reach_nothing(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    struct wf_keypair unknown = {0};
    struct wf_keypair wrong_server = {0};
    const struct wf_keypair printed = {PRINTED_PUBLIC, PRINTED_SECRET};
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    struct wf_client *good = gated_open(&g, "counter-a");
    const struct wf_keypair keys = gated_keys(&g, "counter-a");
    assert_ok(wf_keypair_new(&unknown, &err), err);
    assert_ok(wf_keypair_new(&wrong_server, &err), err);
    struct wf_counts before = host_counts(&g.host);
    struct wf_client *strangers[] = {gated_client(&g, &unknown, g.gate_key, 1500),
                                     gated_client(&g, &printed, g.gate_key, 1500),
                                     gated_client(&g, &keys, wrong_server.public, 1500)};
    for (size_t i = 0; i < WF_COUNT(strangers); i++) {
        assert_int_equal(gated_ask(strangers[i], &err), WF_E_TIMEOUT);
        assert_non_null(strstr(err.text, "cannot be reached"));
        wf_client_close(strangers[i]);
    }
    assert_ok(gated_ask(good, &err), err);
    struct wf_counts after = host_counts(&g.host);
    assert_memory_equal(&before, &after, sizeof(before));
    wf_client_close(good);
    gated_close(&g);
}

static int ask_until(struct wf_client *client, int wanted, struct wf_error *err)
{
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    int rc = gated_ask(client, err);
    while (rc != wanted && wf_monotonic_ms() < until) {
        sleep_ms(50);
        rc = gated_ask(client, err);
    }
    return rc;
}

static void a_revoked_key_is_refused_on_a_living_connection(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    gated_party(&g, "counter-b", COUNTER_SITE, 0);
    struct wf_client *a = gated_open(&g, "counter-a");
    struct wf_client *b = gated_open(&g, "counter-b");
    static const char *const words[] = {"party", "revoke", "counter-a", NULL};
    host_hoso(&g.host, words);
    assert_int_equal(ask_until(a, WF_E_DENIED, &err), WF_E_DENIED);
    for (int i = 0; i < 5; i++)
        assert_int_equal(gated_ask(a, &err), WF_E_DENIED);
    assert_ok(gated_ask(b, &err), err); /* on the connection that it had */
    const struct wf_keypair keys = gated_keys(&g, "counter-a");
    int rc = WF_E_DENIED; /* by the worker, where the gate has not read the registry yet */
    for (int i = 0; i < 20 && rc == WF_E_DENIED; i++) {
        struct wf_client *anew = gated_client(&g, &keys, g.gate_key, 1500);
        rc = gated_ask(anew, &err);
        wf_client_close(anew);
        sleep_ms(rc == WF_E_DENIED ? 500 : 0);
    }
    assert_int_equal(rc, WF_E_TIMEOUT); /* no connection any more */
    for (int i = 0; i < 5; i++)
        assert_int_equal(gated_ask(a, &err), WF_E_DENIED); /* by the gate itself */
    wf_client_close(a);
    wf_client_close(b);
    gated_close(&g);
}

/* Of thirty requests at once: how many were sent away as too many. */
static int sent_away(struct wf_client *client)
{
    enum { MANY = 30 };
    const struct wf_msg_health ask = {.full = false};
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_error err = {0};
    char id[WF_REQUEST_ID_SIZE];
    int away = 0;
    for (int i = 0; i < MANY; i++) {
        wf_client_new_id(client, id);
        assert_ok(wf_client_send(client, WF_INTAKE, WF_MSG_health, &ask, id, &err), err);
    }
    for (int i = 0; i < MANY; i++) {
        struct wf_envelope answer;
        assert_ok(wf_client_receive(client, PATIENCE_MS, arena, &answer, &err), err);
        away += answer.type == WF_MSG_error;
    }
    wf_arena_free(arena);
    return away;
}

static void change_settings(struct gated *g, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/hoso.cfg", g->host.folder);
    FILE *file = fopen(path, "r+e");
    char whole[4096] = "";
    assert_non_null(file);
    size_t n = fread(whole, 1, sizeof(whole) - 1, file);
    char *rate = strstr(whole, "gate_rate");
    assert_true(n > 0 && rate != NULL);
    memcpy(rate, text, strlen(text)); /* in its place, of the same length */
    rewind(file);
    assert_int_equal(fwrite(whole, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(kill(g->host.gate, SIGHUP), 0);
}

static void settings_are_read_again_while_connections_stand(void **state)
{
    (void)state;
    struct gated g;
    gated_new(&g, "gate_rate = 2    ;\n");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    struct wf_client *client = gated_open(&g, "counter-a");
    assert_true(sent_away(client) > 20);

    change_settings(&g, "gate_rate = wrong"); /* leaves all as it was */
    sleep_ms(200);
    assert_true(sent_away(client) > 20);

    change_settings(&g, "gate_rate = 90000");
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    while (sent_away(client) > 0 && wf_monotonic_ms() < until)
        sleep_ms(200);
    assert_int_equal(sent_away(client), 0); /* on the connection that it had */
    wf_client_close(client);
    gated_close(&g);
}

static void a_key_is_changed_without_a_gap(void **state)
{
    (void)state;
    struct gated g;
    struct wf_error err = {0};
    char file[200];
    gated_new(&g, "");
    gated_party(&g, "counter-a", COUNTER_SITE, 0);
    struct wf_client *old = gated_open(&g, "counter-a");
    (void)snprintf(file, sizeof(file), "%s/second.key", g.host.folder);
    const char *const rotate[] = {"party", "rotate", "counter-a", "--output", file, NULL};
    host_hoso(&g.host, rotate);
    struct wf_client *fresh = gated_open(&g, "second");
    assert_ok(gated_ask(old, &err), err);
    static const char *const finish[] = {"party", "rotate", "counter-a", "--final", NULL};
    host_hoso(&g.host, finish);
    assert_int_equal(ask_until(old, WF_E_DENIED, &err), WF_E_DENIED);
    assert_ok(gated_ask(fresh, &err), err);
    wf_client_close(old);
    wf_client_close(fresh);
    gated_close(&g);
}

static void a_gate_without_a_proper_key_does_not_start(void **state)
{
    (void)state;
    struct gated g;
    char path[160];
    int code = 0;
    gated_new(&g, "");
    int second = 0;
    pid_t first = g.host.gate;
    assert_false(host_start_gate(&g.host, &second)); /* nor does a second one */
    assert_int_equal(second, 2);
    assert_int_equal(g.host.gate, first);
    assert_int_equal(host_stop_gate(&g.host, SIGTERM), 0);
    (void)snprintf(path, sizeof(path), "%s/gate.key", g.host.folder);
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(host_start_gate(&g.host, &code));
    assert_int_equal(code, 2);
    assert_int_equal(unlink(path), 0);
    assert_false(host_start_gate(&g.host, &code));
    assert_int_equal(code, 2);
    gated_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registered_party_works_from_end_to_end),
        cmocka_unit_test(what_is_not_a_partys_own_does_not_exist_for_it),
        cmocka_unit_test(two_parties_may_choose_the_same_id),
        cmocka_unit_test(a_party_cannot_say_that_it_is_another),
        cmocka_unit_test(strangers_reach_nothing),
        cmocka_unit_test(a_revoked_key_is_refused_on_a_living_connection),
        cmocka_unit_test(settings_are_read_again_while_connections_stand),
        cmocka_unit_test(a_key_is_changed_without_a_gap),
        cmocka_unit_test(a_gate_without_a_proper_key_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

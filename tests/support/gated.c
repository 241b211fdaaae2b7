/* SPDX-License-Identifier: Apache-2.0 */
#include "support/gated.h"

#include <signal.h>
#include <unistd.h>

#include "workflow/clock.h"

#define PATIENCE_MS 30000

void gated_new(struct gated *g, const char *settings)
{
    static const char *const words[] = {"party", "gate-key", "--json", NULL};
    char text[1024];
    char path[160];
    struct wf_keypair pair = {0};
    struct wf_error err = {0};
    memset(g, 0, sizeof(*g));
    (void)snprintf(g->endpoint, sizeof(g->endpoint), "tcp://127.0.0.1:%u", host_free_port());
    (void)snprintf(text, sizeof(text),
                   "cell = \"gated\";\ncode_digits = 7;\nlog_level = \"warn\";\n"
                   "gate_listen = \"%s\";\ngate_handshake_ms = \"3 seconds\";\n%s",
                   g->endpoint, settings);
    host_new(&g->host, NULL, text);
    host_hoso(&g->host, words);
    (void)snprintf(path, sizeof(path), "%s/gate.key", g->host.folder);
    assert_ok(wf_keypair_read(path, &pair, NULL, &err), err);
    memcpy(g->gate_key, pair.public, WF_KEY_SIZE);
    host_start_all(&g->host);
    if (!host_start_gate(&g->host, NULL))
        fail_msg("the gate does not start; see %s/log", g->host.folder);
}

void gated_close(struct gated *g)
{
    if (g->host.gate > 0)
        assert_int_equal(host_stop_gate(&g->host, SIGTERM), 0);
    host_stop_all(&g->host);
    host_close(&g->host);
}

void gated_party(struct gated *g, const char *name, const char *site, unsigned rate)
{
    char file[200];
    char number[16];
    (void)snprintf(file, sizeof(file), "%s/%s.key", g->host.folder, name);
    (void)snprintf(number, sizeof(number), "%u", rate);
    const char *const words[] = {"party", "add",      name, "--kind",       "counter", "--sites",
                                 site,    "--roles",  "*",  "--submit",     "*",       "--rate",
                                 number,  "--output", file, "--activities", "*",       NULL};
    host_hoso(&g->host, words);
}

struct wf_keypair gated_keys(const struct gated *g, const char *name)
{
    char file[200];
    struct wf_keypair pair = {0};
    struct wf_key_place place = {0};
    struct wf_error err = {0};
    (void)snprintf(file, sizeof(file), "%s/%s.key", g->host.folder, name);
    assert_ok(wf_keypair_read(file, &pair, &place, &err), err);
    assert_string_equal(place.endpoint, g->endpoint);
    assert_string_equal(place.gate, g->gate_key);
    return pair;
}

struct wf_client *gated_client(const struct gated *g, const struct wf_keypair *keys,
                               const char *server_key, int64_t timeout_ms)
{
    struct wf_client_options options = {.timeout_ms = timeout_ms, .retry_ms = 1000};
    struct wf_client *client = NULL;
    struct wf_error err = {0};
    assert_ok(wf_client_open_gate(g->endpoint, server_key, keys, &options, &client, &err), err);
    return client;
}

int gated_ask(struct wf_client *client, struct wf_error *err)
{
    const struct wf_msg_health body = {0};
    struct wf_envelope answer = {0};
    struct wf_arena *arena = wf_arena_new(0);
    int rc = wf_client_call(client, WF_ROUTING, WF_MSG_health, &body, arena, &answer, err);
    wf_arena_free(arena);
    return rc;
}

/* Gate and worker each read the registry once a second, so one may know the party before the other:
 * routing is asked until it does. */
struct wf_client *gated_open(const struct gated *g, const char *name)
{
    const struct wf_keypair keys = gated_keys(g, name);
    struct wf_client *client = gated_client(g, &keys, g->gate_key, PATIENCE_MS);
    struct wf_error err = {0};
    int64_t until = wf_monotonic_ms() + PATIENCE_MS;
    int rc = 0;
    while ((rc = gated_ask(client, &err)) == WF_E_DENIED && wf_monotonic_ms() < until)
        sleep_ms(50);
    assert_ok(rc, err);
    sleep_ms(1200); /* the other workers look as often */
    return client;
}

struct acknowledged gated_submit(struct wf_client *client, const char *note)
{
    struct acknowledged ack = {.id = ""};
    struct wf_error err = {0};
    wf_client_new_id(client, ack.id);
    (void)snprintf(ack.note, sizeof(ack.note), "%s", note);
    assert_ok(host_submit(client, ack.id, ack.note, PATIENCE_MS, ack.code, &err), err);
    return ack;
}

int gated_get(struct wf_client *client, const char *code, struct wf_error *err)
{
    const struct wf_msg_dossier_get body = {.dossier = wf_str(code)};
    struct wf_envelope answer = {0};
    struct wf_arena *arena = wf_arena_new(0);
    int rc = wf_client_call(client, WF_INTAKE, WF_MSG_dossier_get, &body, arena, &answer, err);
    wf_arena_free(arena);
    return rc;
}

void gated_end(struct gated *g, const struct acknowledged *acks, size_t n)
{
    assert_true(host_settle(&g->host, PATIENCE_MS));
    if (g->host.gate > 0)
        assert_int_equal(host_stop_gate(&g->host, SIGTERM), 0);
    host_stop_all(&g->host);
    audit(&g->host, acks, n);
    gated_close(g);
}

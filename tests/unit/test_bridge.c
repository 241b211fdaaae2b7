/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge's tables and pure parts; what needs sockets is in tests/integration/bridge.py. */
#include "support/test.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/bridge.h"
#include "support/few_files.h"
#include "support/tempdir.h"
#include "workflow/engine.h"

static const struct route *route_of(const char *method, const char *path)
{
    struct match match;
    route_find(method, path, &match);
    return match.route;
}

/* Stations hand over by sequence numbers on the envelope, which HTTP has no place for. */
static bool is_for_http(const struct wf_message_info *info)
{
    return info->sender == WF_END_PARTY && info->code != WF_MSG_relay_reserve;
}

static void every_request_for_http_has_one_route(void **state)
{
    size_t n = 0;
    const struct wf_message_info *table = wf_message_table(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        int routes = 0;
        for (size_t r = 0; r < bridge_n_routes; r++)
            routes += bridge_routes[r].kind == ROUTE_VERB && bridge_routes[r].type == table[i].code;
        assert_int_equal(routes, is_for_http(&table[i]) ? 1 : 0);
    }
}

static void what_changes_something_wants_a_key_and_is_a_post(void **state)
{
    (void)state;
    for (size_t i = 0; i < bridge_n_routes; i++) {
        const struct route *route = &bridge_routes[i];
        if (route->kind != ROUTE_VERB || route->type == WF_MSG_paper_put)
            continue;
        bool writes = wf_request_writes(route->type);
        assert_string_equal(route->method, writes ? "POST" : "GET");
        if (route->type != WF_MSG_task_fetch)
            assert_int_equal(route->key, writes ? KEY_MUST : KEY_NONE);
    }
}

static void each_route_is_found_by_its_own_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < bridge_n_routes; i++)
        assert_ptr_equal(route_of(bridge_routes[i].method, bridge_routes[i].path),
                         &bridge_routes[i]);
}

static void a_path_gives_its_field(void **state)
{
    struct match match;
    (void)state;
    route_find("POST", "/v1/tasks/17/complete", &match);
    assert_non_null(match.route);
    assert_int_equal(match.route->type, WF_MSG_task_complete);
    assert_string_equal(match.fields[0].name, "task");
    assert_string_equal(match.fields[0].value, "17");
    assert_string_equal(match.fields[1].name, "");
    route_find("GET", "/v1/dossiers/a/papers/b", &match);
    assert_int_equal(match.route->type, WF_MSG_paper_get);
    assert_string_equal(match.fields[0].value, "a");
    assert_string_equal(match.fields[1].name, "paper");
    assert_string_equal(match.fields[1].value, "b");
}

static void other_paths_are_not_found_and_other_methods_are_named(void **state)
{
    static const char *const wrong[] = {"",
                                        "/",
                                        "/v1",
                                        "/v1/",
                                        "/v1/dossiers/",
                                        "/v1/dossiersx",
                                        "/v1/tasks//fail",
                                        "/v1/tasks/1/fail/",
                                        "/v1/tasks/1",
                                        "v1/dossiers",
                                        "/v1/dossiers/a/b"};
    struct match match;
    char path[300] = "/v1/dossiers/";
    (void)state;
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        route_find("POST", wrong[i], &match);
        assert_null(match.route);
        assert_string_equal(match.allow, "");
    }
    memset(path + 13, 'x', 200);
    assert_null(route_of("GET", path));
    route_find("PUT", "/v1/dossiers", &match);
    assert_null(match.route);
    assert_string_equal(match.allow, "POST, GET");
}

static void every_code_has_a_status_of_refusal(void **state)
{
    (void)state;
#define X(name, number, action, word, meaning)                                                     \
    assert_true(status_of(WF_E_##name) >= 400 && status_of(WF_E_##name) < 600);                    \
    /* what may be tried again says so, what a client did wrong does not */                        \
    if (WF_##action == WF_RETRY)                                                                   \
        assert_true(status_of(WF_E_##name) == 429 || status_of(WF_E_##name) == 503);
    WF_ERRORS(X)
#undef X
    assert_int_equal(status_of(WF_E_INVALID), 400);
    assert_int_equal(status_of(WF_E_DENIED), 403);
    assert_int_equal(status_of(WF_E_NOT_FOUND), 404);
    assert_int_equal(status_of(WF_E_CONFLICT), 409);
    assert_int_equal(status_of(WF_E_BUSY), 429);
    assert_int_equal(status_of(WF_E_TIMEOUT), 503);
    assert_int_equal(status_of(WF_E_FULL), 507);
    assert_int_equal(status_of(-999), 500);
}

static int read_text(const char *text)
{
    struct wf_arena *arena = wf_arena_new(0);
    struct wf_value *map = NULL;
    struct wf_error err = {0};
    int rc = json_read(text, strlen(text), arena, &map, &err);
    assert_true(rc != 0 || map->type == WF_MAP);
    wf_arena_free(arena);
    return rc;
}

static void only_one_shallow_json_object_is_read(void **state)
{
    static const char *const wrong[] = {"{",
                                        "[]",
                                        "1",
                                        "null",
                                        "\"x\"",
                                        "{} {}",
                                        "{\"a\":1,\"a\":1}",
                                        "{\"a\":NaN}",
                                        "{a:1}",
                                        "{\"a\":\"\\u0000\"}",
                                        "{'a':1}",
                                        "{\"a\":1,}",
                                        "{\"a\":01}",
                                        "{\"a\":1e999}",
                                        "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
                                        "{\"a\":\"\xff\"}"};
    (void)state;
    for (size_t i = 0; i < WF_COUNT(wrong); i++)
        assert_int_equal(read_text(wrong[i]), WF_E_INVALID);
    assert_int_equal(read_text(""), 0);
    assert_int_equal(read_text("{}"), 0);
    assert_int_equal(read_text("{\"a\":\"[[[[[[[[[[[[[[[[[[\\\"[[\"}"), 0);
    assert_int_equal(read_text("{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}"), 0);
}

static void an_error_names_fields_as_an_http_client_knows_them(void **state)
{
    struct wf_error err;
    (void)state;
    (void)wf_fail_field(&err, WF_E_INVALID, "body.fields.phone", "no phone number");
    char *text = json_of_error(&err, 0);
    assert_string_equal(
        text, "{\"code\":\"invalid\",\"message\":\"no phone number\",\"field\":\"fields.phone\"}");
    free(text);
    (void)wf_fail_field(&err, WF_E_BUSY, "id", "later");
    text = json_of_error(&err, 500);
    assert_string_equal(text, "{\"code\":\"busy\",\"message\":\"later\","
                              "\"field\":\"Idempotency-Key\",\"retry_ms\":500}");
    free(text);
    memset(err.text, 'x', sizeof(err.text) - 2);
    memcpy(err.text + sizeof(err.text) - 2, "\xc3", 2); /* half an e with an accent */
    text = json_of_error(&err, 0);
    assert_non_null(text);
    assert_null(strchr(text, '\xc3'));
    free(text);
}

static void a_message_is_told_with_all_it_must_hold(void **state)
{
    const struct wf_msg_done done = {.until = 5};
    const struct wf_msg_dossier_page page = {.dossiers = NULL, .next = 0};
    (void)state;
    char *text = json_of_message(wf_message_info(WF_MSG_done), &done);
    assert_string_equal(text, "{\"until\":5}");
    free(text);
    text = json_of_message(wf_message_info(WF_MSG_dossier_page), &page);
    assert_string_equal(text, "{\"dossiers\":[],\"next\":0}");
    free(text);
}

static void tokens_are_new_each_time_and_stored_as_hashes(void **state)
{
    char a[TOKEN_SIZE];
    char b[TOKEN_SIZE];
    char hash[TOKEN_HASH_SIZE];
    (void)state;
    assert_int_equal(token_new(a, NULL), 0);
    assert_int_equal(token_new(b, NULL), 0);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), TOKEN_SIZE - 1);
    token_hash("hoso_test", hash);
    assert_string_equal(hash, "07f1e50fbdb7987b3044b181679f0760e9d624a8e59b4014d1429ae9dd92b5c2");
    assert_null(token_party(NULL, a));
}

static void write_party(const char *folder, const char *more)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/a.cfg", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "name = \"a\"; organisation = \"x\"; kind = \"desk\"; %s\n", more) >
                0);
    assert_int_equal(fclose(file), 0);
}

static void a_party_revoked_while_no_file_could_be_opened_is_shut_out_later(void **state)
{
    struct tempdir dir;
    (void)state;
    tempdir_init(&dir);
    write_party(dir.path, "");
    struct guard guard = {.folder = dir.path, .rate = 1};
    guard_look(&guard, 1000);
    assert_false(wf_parties_at(guard.parties, 0)->revoked);
    write_party(dir.path, "revoked = true;");
    struct rlimit limit = few_files_begin();
    guard_look(&guard, 2000);
    few_files_end(limit);
    assert_false(wf_parties_at(guard.parties, 0)->revoked);
    guard_look(&guard, 3000);
    assert_true(wf_parties_at(guard.parties, 0)->revoked);
    guard_close(&guard);
    tempdir_fini(&dir);
}

static void the_description_holds_every_path(void **state)
{
    char *text = openapi_make();
    (void)state;
    assert_non_null(text);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    for (size_t i = 0; i < bridge_n_routes; i++)
        assert_non_null(json_object_get(json_object_get(root, "paths"), bridge_routes[i].path));
    json_decref(root);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_for_http_has_one_route),
        cmocka_unit_test(what_changes_something_wants_a_key_and_is_a_post),
        cmocka_unit_test(each_route_is_found_by_its_own_path),
        cmocka_unit_test(a_path_gives_its_field),
        cmocka_unit_test(other_paths_are_not_found_and_other_methods_are_named),
        cmocka_unit_test(every_code_has_a_status_of_refusal),
        cmocka_unit_test(only_one_shallow_json_object_is_read),
        cmocka_unit_test(an_error_names_fields_as_an_http_client_knows_them),
        cmocka_unit_test(a_message_is_told_with_all_it_must_hold),
        cmocka_unit_test(tokens_are_new_each_time_and_stored_as_hashes),
        cmocka_unit_test(a_party_revoked_while_no_file_could_be_opened_is_shut_out_later),
        cmocka_unit_test(the_description_holds_every_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

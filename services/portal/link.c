/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the portal answers is one of four: taken; a new session is wanted; try again later; this
 * record is refused. Which code means what is in the settings. Whatever is no proper answer - none at
 * all, a page of HTML, most statuses other than 200 - is "try again later": a record is held only for
 * what the portal says of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "portal/portal.h"

#define ANSWER_MAX   ((size_t)16 * 1024 * 1024)
#define HEADERS_MAX  16
#define PASSWORD_MAX 200

int portal_link_open(struct portal_link *link, struct adapter *a, struct wf_error *err)
{
    const struct portal_settings *settings = a->settings;
    const struct http_options options = {.timeout_ms = settings->http_timeout_ms,
                                         .answer_max = ANSWER_MAX,
                                         .ca = settings->ca,
                                         .signal_fd = a->signal_fd};
    char password[PASSWORD_MAX];
    if (settings->headers.n > HEADERS_MAX)
        return wf_fail(err, WF_E_CONFIG, "headers: at most %d", HEADERS_MAX);
    *link = (struct portal_link){.a = a, .settings = settings};
    /* It is read again at each login, so that it can be changed; here, so that one hears at once. */
    int rc = adapter_secret(settings->password_file, password, sizeof(password), err);
    explicit_bzero(password, sizeof(password));
    return rc == 0 ? http_open(&options, &link->http, err) : rc;
}

void portal_link_close(struct portal_link *link)
{
    http_close(link->http);
    explicit_bzero(link, sizeof(*link));
}

/* ---- one request ----------------------------------------------------------------------------- */

static int parse(const struct http_answer *answer, json_t **out, struct wf_error *err)
{
    if (answer->status == 401)
        return WF_NONE; /* as good as one of session_codes */
    if (answer->status == 400 || answer->status == 413 || answer->status == 422) {
        *out = json_pack("{s:s, s:s}", "error_code", "HTTP", "message", "the request is refused");
        return *out != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
    }
    if (answer->status != 200)
        return wf_fail(err, WF_E_TIMEOUT, "it answers with HTTP status %d", answer->status);
    if (json_too_deep(answer->body.ptr, answer->body.len, JSON_DEPTH_MAX) < answer->body.len)
        return wf_fail(err, WF_E_TIMEOUT, "its answer is nested too deep");
    json_t *json = json_loadb(answer->body.ptr, answer->body.len, 0, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        return wf_fail(err, WF_E_TIMEOUT, "its answer is no JSON object");
    }
    *out = json;
    return 0;
}

/* WF_NONE: it does not know us (any more). */
static int post(struct portal_link *link, const char *url, const json_t *request,
                struct wf_arena *arena, json_t **out, struct wf_error *err)
{
    struct http_answer answer = {0};
    char *text = json_dumps(request, JSON_COMPACT);
    if (text == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    const struct http_request ask = {.method = "POST",
                                     .url = url,
                                     .headers = link->settings->headers.items,
                                     .n_headers = link->settings->headers.n,
                                     .body = wf_str(text)};
    adapter_beat(link->a, link->settings->http_timeout_ms);
    int rc = http_ask(link->http, &ask, arena, &answer, err);
    explicit_bzero(text, strlen(text));
    free(text);
    if (rc == WF_E_INVALID) /* an answer that is too long says nothing of our records */
        rc = wf_fail(err, WF_E_TIMEOUT, "its answer is too long");
    return rc == 0 ? parse(&answer, out, err) : rc;
}

/* "0", "00", "100": a number or a text. False where there is none. */
static bool code_of(const json_t *answer, char out[32])
{
    const json_t *code = json_object_get(answer, "error_code");
    if (json_is_integer(code))
        (void)snprintf(out, 32, "%lld", (long long)json_integer_value(code));
    else if (json_is_string(code) && json_string_length(code) < 32)
        (void)snprintf(out, 32, "%s", json_string_value(code));
    else
        return false;
    return true;
}

static bool is_success(const char *code)
{
    return code[0] == '0' && code[strspn(code, "0")] == '\0';
}

/* ---- the session ----------------------------------------------------------------------------- */

static int take_session(struct portal_link *link, const json_t *answer, struct wf_error *err)
{
    const char *session = json_string_value(json_object_get(answer, "session"));
    char code[32] = "0";
    (void)code_of(answer, code);
    if (!is_success(code))
        return wf_fail(err, WF_E_DENIED, "it refuses user or password (code %s)", code);
    if (session == NULL || session[0] == '\0' || strlen(session) >= sizeof(link->session))
        return wf_fail(err, WF_E_DENIED, "its answer to the login holds no session");
    (void)snprintf(link->session, sizeof(link->session), "%s", session);
    return 0;
}

static int login(struct portal_link *link, struct wf_arena *arena, struct wf_error *err)
{
    const struct portal_settings *s = link->settings;
    char password[PASSWORD_MAX];
    json_t *answer = NULL;
    int rc = adapter_secret(s->password_file, password, sizeof(password), err);
    json_t *request =
        rc == 0 ? json_pack("{s:s, s:s}", "username", s->user, "password", password) : NULL;
    explicit_bzero(password, sizeof(password));
    if (rc == 0)
        rc = request != NULL ? post(link, s->login_url, request, arena, &answer, err)
                             : wf_fail(err, WF_E_CONFIG, "user or password is no UTF-8");
    if (rc == WF_NONE)
        rc = wf_fail(err, WF_E_DENIED, "it refuses user or password");
    if (rc == 0)
        rc = take_session(link, answer, err);
    json_decref(request);
    json_decref(answer);
    return rc;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool holds(const struct wf_texts *codes, const char *code)
{
    for (size_t i = 0; i < codes->n; i++) {
        if (strcmp(codes->items[i], code) == 0)
            return true;
    }
    return false;
}

/* WF_NONE: a new session is wanted. The answer is taken. */
static int judge(const struct portal_settings *s, json_t *take_answer, struct portal_answer *out,
                 struct wf_error *err)
{
    char code[32] = "";
    char said[200];
    const json_t *message = json_object_get(take_answer, "message");
    struct portal_answer is = {.verdict = PORTAL_REFUSED};
    int rc = 0;
    portal_mask((struct wf_str){json_string_value(message), json_string_length(message)}, said,
                sizeof(said));
    if (!code_of(take_answer, code))
        rc = wf_fail(err, WF_E_TIMEOUT, "its answer has no error_code");
    else if (is_success(code) || holds(&s->known_codes, code))
        is = (struct portal_answer){.verdict = is_success(code) ? PORTAL_TAKEN : PORTAL_KNOWN,
                                    .json = json_incref(take_answer)};
    else if (holds(&s->session_codes, code))
        rc = WF_NONE;
    else if (holds(&s->again_codes, code))
        rc = wf_fail(err, WF_E_TIMEOUT, "it answers with code %s", code);
    else
        (void)snprintf(is.reason, sizeof(is.reason), "%s: %s", code, said);
    json_decref(take_answer);
    if (rc == 0)
        *out = is;
    return rc;
}

static int call_once(struct portal_link *link, json_t *request, struct wf_arena *arena,
                     struct portal_answer *out, struct wf_error *err)
{
    json_t *answer = NULL;
    int rc = link->session[0] == '\0' ? login(link, arena, err) : 0;
    if (rc == 0 && json_object_set_new(request, "session", json_string(link->session)) != 0)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = post(link, link->settings->service_url, request, arena, &answer, err);
    if (rc == 0)
        rc = judge(link->settings, answer, out, err);
    if (rc == WF_NONE)
        link->session[0] = '\0';
    return rc;
}

int portal_call(struct portal_link *link, const char *service, json_t *take_request,
                struct wf_arena *arena, struct portal_answer *out, struct wf_error *err)
{
    int rc = 0;
    if (take_request == NULL ||
        json_object_set_new(take_request, "service", json_string(service)) != 0 ||
        json_object_set_new(take_request, "madonvi", json_string(link->settings->unit)) != 0)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = call_once(link, take_request, arena, out, err);
    if (rc == WF_NONE) /* sessions end: once more with a new one */
        rc = call_once(link, take_request, arena, out, err);
    if (rc == WF_NONE)
        rc = wf_fail(err, WF_E_DENIED, "it refuses a session that it has just given");
    json_decref(take_request);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP to the courier. A refused token is renewed once within the same question; refused again, it
 * is the courier's affair and waits as if the courier were away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "work.h"
#include "workflow/clock.h"

/* ---- token ------------------------------------------------------------------------------------- */

static int take_token(struct courier *c, const struct http_answer *answer, struct wf_arena *arena,
                      struct wf_error *err)
{
    struct wf_value *said = NULL;
    int rc = json_read(answer->body.ptr, answer->body.len, arena, &said, err);
    struct wf_str token = wf_value_str(wf_map_get(said, "access_token"));
    bool is_one = rc == 0 && answer->status == 200 && token.len > 0;
    for (size_t i = 0; is_one && i < token.len; i++)
        is_one = token.ptr[i] > ' ' && token.ptr[i] <= '~';
    if (!is_one || !wf_str_copy(token, c->token, sizeof(c->token)))
        return wf_fail(err, WF_E_TIMEOUT, "token_url answers %d and gives no token",
                       answer->status);
    return 0;
}

/* OAuth client credentials; name and secret go as HTTP Basic (RFC 6749, 2.3.1). */
static int log_in(struct courier *c, struct wf_error *err)
{
    static const char form[] = "Content-Type: application/x-www-form-urlencoded";
    const struct courier_settings *s = c->settings;
    struct wf_arena *arena = c->a->arena;
    if (s->token[0] != '\0' || s->token_url[0] == '\0') {
        (void)snprintf(c->token, sizeof(c->token), "%s", s->token);
        return 0;
    }
    char secret[SECRET_SIZE];
    char user[SECRET_SIZE + 256];
    struct http_answer answer = {0};
    int rc = adapter_secret(s->secret_file, secret, sizeof(secret), err);
    if (rc != 0)
        return rc;
    (void)snprintf(user, sizeof(user), "%s:%s", s->client_id, secret);
    const struct http_request request = {.method = "POST",
                                         .url = s->token_url,
                                         .body = wf_str("grant_type=client_credentials"),
                                         .type = form,
                                         .user = user};
    adapter_beat(c->a, s->answer_ms);
    rc = http_ask(c->http, &request, arena, &answer, err);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(user, sizeof(user));
    return rc == 0 ? take_token(c, &answer, arena, err) : wf_wrap(err, "token_url");
}

/* ---- one question ------------------------------------------------------------------------------ */

static int post(struct courier *c, const char *path, const char *body, struct http_answer *out,
                struct wf_error *err)
{
    struct wf_arena *arena = c->a->arena;
    char header[2200];
    const char *headers[] = {header};
    int rc = c->token[0] == '\0' ? log_in(c, err) : 0;
    const char *url = wf_arena_printf(arena, "%s%s", c->settings->url, path);
    if (rc == 0 && url == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "order: out of memory");
    if (rc != 0)
        return rc;
    const char *format = c->settings->dialect->token_header;
    size_t before = strcspn(format, "%");
    (void)snprintf(header, sizeof(header), "%.*s%s", (int)before, format, c->token);
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .n_headers = c->token[0] != '\0' ? 1 : 0,
                                         .body = wf_str(body)};
    adapter_beat(c->a, c->settings->answer_ms);
    rc = http_ask(c->http, &request, arena, out, err);
    explicit_bzero(header, sizeof(header));
    return rc;
}

static int ask(struct courier *c, const char *path, const char *body, struct http_answer *out,
               struct order_answer *verdict, struct wf_error *err)
{
    const struct courier_settings *s = c->settings;
    for (int turn = 0; turn < 2; turn++) {
        int rc = post(c, path, body, out, err);
        if (rc != 0)
            return rc;
        dialect_answer(s->dialect, s->answers, s->n_answers, out->status, out->body.ptr,
                       out->body.len, verdict);
        if (verdict->verdict != VERDICT_TOKEN)
            return 0;
        c->token[0] = '\0';
    }
    return wf_fail(err, WF_E_TIMEOUT, "the courier refuses our token (%s)", verdict->code);
}

/* ---- orders ------------------------------------------------------------------------------------ */

static const char *number_text(struct wf_arena *arena, int64_t number)
{
    const char *text = wf_arena_printf(arena, "%lld", (long long)number);
    return text != NULL ? text : "0";
}

/* One end of the way: name, address, telephone, e-mail, province, district. */
#define END_FACTS 6

static const enum courier_fact sender_facts[END_FACTS] = {
    FACT_SENDER_NAME,  FACT_SENDER_ADDRESS,  FACT_SENDER_TEL,
    FACT_SENDER_EMAIL, FACT_SENDER_PROVINCE, FACT_SENDER_DISTRICT};
static const enum courier_fact receiver_facts[END_FACTS] = {
    FACT_RECEIVER_NAME,  FACT_RECEIVER_ADDRESS,  FACT_RECEIVER_TEL,
    FACT_RECEIVER_EMAIL, FACT_RECEIVER_PROVINCE, FACT_RECEIVER_DISTRICT};

static void add_end(struct order_facts *f, const enum courier_fact facts[END_FACTS],
                    const char *const values[END_FACTS])
{
    for (size_t i = 0; i < END_FACTS; i++)
        f->of[facts[i]] = values[i];
}

/* From the office to the citizen, or from the citizen to the office. */
static void add_ends(const struct courier_settings *s, const struct order *order,
                     const struct wf_value *person, struct order_facts *f)
{
    const struct courier_sender *site = courier_sender(s, order->dossier);
    bool is_collection = wf_str_is(wf_value_str(wf_map_get(person, "by")), "collection");
    const char *const office[END_FACTS] = {site->name,  site->address,  site->tel,
                                           site->email, site->province, site->district};
    const char *const citizen[END_FACTS] = {wf_value_text(wf_map_get(person, "full_name"), ""),
                                            wf_value_text(wf_map_get(person, "address"), ""),
                                            wf_value_text(wf_map_get(person, "phone"), ""),
                                            "",
                                            s->receiver_province,
                                            s->receiver_district};
    add_end(f, sender_facts, is_collection ? citizen : office);
    add_end(f, receiver_facts, is_collection ? office : citizen);
}

static struct order_facts facts_of(struct courier *c, const struct order *order,
                                   const struct wf_value *person)
{
    const struct courier_settings *s = c->settings;
    struct order_facts f = {.of = {[FACT_CUSTOMER] = s->customer_code,
                                   [FACT_ORDER] = order->number,
                                   [FACT_ITEM] = order->item,
                                   [FACT_SENDER_DESC] = order->dossier,
                                   [FACT_DESCRIPTION] = s->description,
                                   [FACT_FLAG] = s->dialect->flag}};
    f.of[FACT_COD] = number_text(c->a->arena, order->fee + order->charge + order->postage);
    add_ends(s, order, person, &f);
    return f;
}

int door_order(struct courier *c, const struct order *order, struct order_answer *out,
               struct wf_error *err)
{
    struct wf_value *person = NULL;
    const char *body = NULL;
    struct http_answer answer;
    int rc = json_read(order->person, strlen(order->person), c->a->arena, &person, err);
    struct order_facts facts = facts_of(c, order, person);
    if (rc == 0)
        rc = dialect_order(c->settings->dialect, &facts, c->a->arena, &body, err);
    return rc == 0 ? ask(c, c->settings->order_path, body, &answer, out, err) : rc;
}

int door_cancel(struct courier *c, const struct order *order, struct order_answer *out,
                struct wf_error *err)
{
    const char *body = NULL;
    struct http_answer answer;
    struct order_facts facts = facts_of(c, order, NULL);
    int rc = dialect_cancel(c->settings->dialect, &facts, c->a->arena, &body, err);
    return rc == 0 ? ask(c, c->settings->cancel_path, body, &answer, out, err) : rc;
}

int door_tracking(struct courier *c, const char *last_id, struct tracking_page *out, char why[16],
                  struct wf_error *err)
{
    const struct courier_settings *s = c->settings;
    const char *body = NULL;
    struct http_answer answer;
    struct order_answer verdict = {0};
    int rc = dialect_tracking(s->dialect, s->page_size, last_id, c->a->arena, &body, err);
    if (rc == 0)
        rc = ask(c, s->tracking_path, body, &answer, &verdict, err);
    if (rc != 0)
        return rc;
    (void)snprintf(why, 16, "%s", verdict.code);
    if (verdict.verdict != VERDICT_ACCEPTED)
        return WF_NONE;
    return dialect_page(s->dialect, answer.body.ptr, answer.body.len, c->a->arena, out, err);
}

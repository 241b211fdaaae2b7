/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done when. A turn takes new tasks, asks for a few orders, reads one page of tracking,
 * tells what is new, and keeps the leases that are running down. The courier being away stops what
 * needs the courier and nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"
#include "workflow/clock.h"
#include "workflow/log.h"

#define ASK_MOST        8 /* a turn; each may take as long as `answer` allows */
#define ANSWER_MAX      ((size_t)4 * 1024 * 1024) /* a thousand events with their texts */
#define TELL_MOST       50
#define EXTEND_MOST     200
#define FORGET_EVERY_MS 3600000
#define TRIES_MOST      20 /* where the doubling of waits ends in any case */
#define LEASE_PART      3  /* a lease is kept when a third of it has passed */

static struct courier *of(struct adapter *a)
{
    return a->self;
}

/* ---- the courier's ways ------------------------------------------------------------------------ */

/* What a person should know, said when it changes. */
static int trouble(struct courier *c, const char *text, struct wf_error *err)
{
    const char *was = "";
    int rc = book_noted(c->db, "trouble", c->a->arena, &was, err);
    if (rc < 0 || strcmp(was, text) == 0)
        return rc < 0 ? rc : 0;
    if (text[0] != '\0')
        wf_log(WF_LOG_WARN, WF_LOG_PARCEL_EVENT, NULL, "courier: %s", text);
    else
        wf_log(WF_LOG_INFO, WF_LOG_PARCEL_EVENT, NULL, "courier: answers again");
    return book_note(c->db, "trouble", text, err);
}

static bool is_away(const struct courier *c)
{
    return c->away.until_ms > wf_monotonic_ms();
}

/* Not reached, cut off, or it refuses us: nothing is known of what was asked. */
static int courier_away(struct courier *c, struct wf_error *err)
{
    char text[sizeof(err->text) + 32];
    if (!adapter_may_pass(err->code))
        return err->code;
    (void)snprintf(text, sizeof(text), "not to be had: %s", err->text);
    adapter_backoff_grow(&c->away, &c->settings->common, wf_monotonic_ms());
    return trouble(c, text, err);
}

static int courier_back(struct courier *c, struct wf_error *err)
{
    adapter_backoff_reset(&c->away);
    return trouble(c, "", err);
}

static int64_t later_ms(const struct courier *c, const struct order *order)
{
    struct adapter_backoff wait = {0};
    int64_t now = wf_real_ms();
    int64_t tries = order->tries < TRIES_MOST ? order->tries : TRIES_MOST;
    for (int64_t i = 0; i <= tries; i++)
        adapter_backoff_grow(&wait, &c->settings->common, now);
    return wait.until_ms;
}

/* ---- orders ------------------------------------------------------------------------------------ */

static const char *why_text(struct courier *c, const struct order_answer *answer)
{
    const char *text =
        wf_arena_printf(c->a->arena, "%s (%s)", verdict_word(answer->verdict), answer->code);
    return text != NULL ? text : "";
}

static int ordered(struct courier *c, const struct order *order, const struct order_answer *answer,
                   struct wf_error *err)
{
    const struct wf_log_fact fact = {.dossier = order->dossier};
    int rc = book_settled(c->db, order, ORDER_ORDERED, answer->item, why_text(c, answer),
                          wf_real_ms(), err);
    if (rc == 0)
        wf_log(WF_LOG_INFO, WF_LOG_PARCEL_EVENT, &fact, "ordered: %s (%s)",
               verdict_word(answer->verdict), answer->code);
    return rc;
}

static int refused(struct courier *c, const struct order *order, const struct order_answer *answer,
                   struct wf_error *err)
{
    const struct wf_log_fact fact = {.dossier = order->dossier};
    wf_log(WF_LOG_ERROR, WF_LOG_REFUSED_EVENT, &fact, "the courier refuses the order: %s",
           answer->code);
    int rc = cell_fail(c, order, answer->code, err);
    if (rc != 0)
        return rc == WF_NONE ? 0 : rc;
    return book_settled(c->db, order, ORDER_REFUSED, "", why_text(c, answer), wf_real_ms(), err);
}

/* A pool that has been filled meanwhile serves the orders that wait for a number. */
static int place_order(struct courier *c, struct order *order, struct wf_error *err)
{
    struct order_answer answer = {0};
    int rc = book_number(c->db, c->settings, order, c->a->arena, err);
    if (rc == WF_NONE)
        return book_later(c->db, order, "no number is left in the pool", later_ms(c, order), err);
    if (rc == 0)
        rc = book_asked(c->db, order, err);
    if (rc != 0)
        return rc;
    rc = door_order(c, order, &answer, err);
    if (rc != 0)
        return courier_away(c, err);
    rc = courier_back(c, err);
    if (rc != 0)
        return rc;
    if (answer.verdict == VERDICT_ACCEPTED || answer.verdict == VERDICT_DUPLICATE)
        return ordered(c, order, &answer, err);
    if (answer.verdict == VERDICT_REFUSED)
        return refused(c, order, &answer, err);
    return book_later(c->db, order, why_text(c, &answer), later_ms(c, order), err);
}

static int cancel_order(struct courier *c, const struct order *order, struct wf_error *err)
{
    const struct wf_log_fact fact = {.dossier = order->dossier};
    struct order_answer answer = {0};
    int rc = door_cancel(c, order, &answer, err);
    if (rc != 0)
        return courier_away(c, err);
    rc = courier_back(c, err);
    if (rc != 0)
        return rc;
    if (answer.verdict == VERDICT_LATER)
        return book_later(c->db, order, why_text(c, &answer), later_ms(c, order), err);
    enum order_state end = answer.verdict == VERDICT_REFUSED ? ORDER_STRAY : ORDER_CANCELLED;
    wf_log(end == ORDER_STRAY ? WF_LOG_WARN : WF_LOG_INFO, WF_LOG_PARCEL_EVENT, &fact,
           "cancelled: %s", why_text(c, &answer));
    return book_settled(c->db, order, end, "", why_text(c, &answer), wf_real_ms(), err);
}

static int ask_orders(struct courier *c, bool *out_more, struct wf_error *err)
{
    struct order *orders = NULL;
    size_t n = 0;
    if (is_away(c))
        return 0;
    int rc = book_list(c->db, BOOK_TO_ASK, wf_real_ms(), ASK_MOST, c->a->arena, &orders, &n, err);
    for (size_t i = 0; rc == 0 && i < n && !is_away(c); i++)
        rc = orders[i].state == ORDER_CANCELLING ? cancel_order(c, &orders[i], err)
                                                 : place_order(c, &orders[i], err);
    *out_more = *out_more || n == ASK_MOST;
    if (n > 0)
        db_scrub(c->db); /* of the receivers' data */
    return rc;
}

/* ---- tracking ---------------------------------------------------------------------------------- */

static int begin_walk(struct courier *c, struct wf_error *err)
{
    const char *last = TRACKING_ID_FIRST;
    char from[65] = "";
    int rc = book_noted(c->db, "last_id", c->a->arena, &last, err);
    if (rc < 0)
        return rc;
    if (last[0] == '\0') /* there were none yet */
        last = TRACKING_ID_FIRST;
    if (strlen(last) == strlen(TRACKING_ID_FIRST))
        tracking_id_before(last, c->settings->tracking_overlap_ms, from);
    (void)snprintf(c->last_id, sizeof(c->last_id), "%s", from[0] != '\0' ? from : last);
    return 0;
}

static int end_walk(struct courier *c, struct wf_error *err)
{
    char now[24];
    (void)snprintf(now, sizeof(now), "%" PRId64, wf_real_ms());
    c->last_id[0] = '\0';
    c->track_ms = wf_monotonic_ms() + c->settings->tracking_every_ms;
    return book_note(c->db, "tracked_ms", now, err);
}

/* A start is no reason to ask the courier sooner than it wants. */
static int next_look(struct courier *c, struct wf_error *err)
{
    const char *text = "0";
    int rc = book_noted(c->db, "tracked_ms", c->a->arena, &text, err);
    if (rc < 0)
        return rc;
    int64_t wait = strtoll(text, NULL, 10) + c->settings->tracking_every_ms - wf_real_ms();
    if (wait > c->settings->tracking_every_ms) /* the clock was set back */
        wait = c->settings->tracking_every_ms;
    c->track_ms = wf_monotonic_ms() + (wait > 0 ? wait : 0);
    return 0;
}

/* What has been read before is known by id: the mark never goes back. */
static int keep_page(struct courier *c, const struct tracking_page *page, struct wf_error *err)
{
    const char *mark = "";
    int64_t n = 0;
    int rc = book_noted(c->db, "last_id", c->a->arena, &mark, err);
    if (rc < 0)
        return rc;
    const char *furthest = strcmp(page->last_id, mark) > 0 ? page->last_id : mark;
    rc = book_events(c->db, page, furthest, wf_real_ms(), &n, err);
    if (rc == 0 && n > 0)
        wf_log(WF_LOG_INFO, WF_LOG_PARCEL_EVENT, NULL, "tracking: %" PRId64 " new events", n);
    return rc;
}

/* One page; more = the walk goes on. */
static int track(struct courier *c, bool *out_more, struct wf_error *err)
{
    struct tracking_page page = {.last_id = ""};
    char why[16] = "";
    char text[64];
    if (is_away(c) || c->track_ms > wf_monotonic_ms())
        return 0;
    int rc = c->last_id[0] == '\0' ? begin_walk(c, err) : 0;
    if (rc != 0)
        return rc;
    rc = door_tracking(c, c->last_id, &page, why, err);
    if (rc == WF_NONE) {
        (void)snprintf(text, sizeof(text), "tracking is refused (%s)", why);
        rc = wf_fail(err, WF_E_TIMEOUT, "%s", text);
    }
    if (rc != 0)
        return courier_away(c, err);
    rc = courier_back(c, err);
    if (rc == 0)
        rc = keep_page(c, &page, err);
    if (rc != 0)
        return rc;
    bool is_full = page.rows >= (size_t)c->settings->page_size;
    if (!is_full || strcmp(page.last_id, c->last_id) <= 0)
        return end_walk(c, err);
    (void)snprintf(c->last_id, sizeof(c->last_id), "%s", page.last_id);
    *out_more = true;
    return 0;
}

/* ---- telling the cell -------------------------------------------------------------------------- */

static bool is_end(const struct step *step)
{
    const struct parcel parcel = {step->state, step->attempt};
    return parcel_is_over(&parcel);
}

/* An end that the outcome has no word for is told as news first. */
static bool is_news(const struct step *step)
{
    return !is_end(step) || step->state == PARCEL_CANCELLED || step->state == PARCEL_DAMAGED;
}

static int tell_step(struct courier *c, const struct order *order, const struct step *step,
                     struct wf_error *err)
{
    int rc = is_news(step) ? cell_news(c, order, step, err) : 0;
    if (rc == 0 && is_end(step))
        rc = cell_complete(c, order, step, err);
    if (rc == WF_E_CONFLICT)
        rc = 0; /* told before a crash; what came since words it otherwise */
    if (rc == WF_E_INVALID) {
        const struct wf_log_fact fact = {.dossier = order->dossier, .rc = rc};
        wf_log(WF_LOG_ERROR, WF_LOG_REFUSED_EVENT, &fact, "%s", err->text);
        rc = 0; /* as it is it will never be taken; what follows may */
    }
    return rc == 0 ? book_told(c->db, order, step, err) : rc;
}

/* The courier's own number is news too, before anything has happened. */
static int tell_number(struct courier *c, const struct order *order, struct wf_error *err)
{
    const struct step step = {.state = PARCEL_NUMBERED};
    bool is_own = order->item[0] != '\0' && strcmp(order->item, order->parcel) != 0;
    bool told = false;
    int rc = is_own ? book_is_told(c->db, order, &step, &told, err) : 0;
    return rc == 0 && is_own && !told ? tell_step(c, order, &step, err) : rc;
}

static int quiet(struct courier *c, const struct order *order, const struct step *last,
                 struct wf_error *err)
{
    bool ended = last != NULL && is_end(last);
    int rc = book_quiet(c->db, order, last, err);
    bool settles = order->state == ORDER_ORDERED || order->state == ORDER_STRAY;
    if (rc == 0 && ended && settles)
        rc = book_settled(c->db, order, ORDER_OVER, "", "", wf_real_ms(), err);
    return rc;
}

static int tell_order(struct courier *c, const struct order *order, struct wf_error *err)
{
    struct step *steps = NULL;
    size_t n = 0;
    int rc = book_steps(c->db, c->settings, order, c->a->arena, &steps, &n, err);
    bool wants = order->state == ORDER_ORDERED;
    if (rc == 0 && wants)
        rc = tell_number(c, order, err);
    for (size_t i = 0; rc == 0 && wants && i < n; i++) {
        if (!steps[i].is_told)
            rc = tell_step(c, order, &steps[i], err);
    }
    if (rc == 0)
        return quiet(c, order, n > 0 ? &steps[n - 1] : NULL, err);
    return rc;
}

/* The order of a dossier that cannot be told now does not stop the others; a silent cell does. */
static int tell_orders(struct courier *c, bool *out_more, struct wf_error *err)
{
    struct order *orders = NULL;
    size_t n = 0;
    int rc = book_list(c->db, BOOK_TO_TELL, wf_real_ms(), TELL_MOST, c->a->arena, &orders, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = tell_order(c, &orders[i], err);
        if (rc == WF_NONE)
            rc = 0;
        if (rc < 0 && wf_code_action(rc) == WF_REFUSE && adapter_may_pass(rc))
            rc = book_later(c->db, &orders[i], wf_code_word(rc), later_ms(c, &orders[i]), err);
    }
    *out_more = *out_more || n == TELL_MOST;
    return rc;
}

static int keep_leases(struct courier *c, struct wf_error *err)
{
    struct order *orders = NULL;
    size_t n = 0;
    int64_t lease = c->settings->lease_ms;
    int64_t until = wf_real_ms() + lease - lease / LEASE_PART;
    int rc = book_list(c->db, BOOK_TO_EXTEND, until, EXTEND_MOST, c->a->arena, &orders, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = cell_extend(c, &orders[i], err);
        rc = rc == WF_NONE ? 0 : rc;
    }
    return rc;
}

static int forget(struct courier *c, bool *out_more, struct wf_error *err)
{
    int64_t n = 0;
    if (c->settings->keep_ms == 0 || wf_monotonic_ms() < c->forget_ms)
        return 0;
    int rc = book_forget(c->db, wf_real_ms() - c->settings->keep_ms, &n, err);
    if (rc == 0 && n == 0)
        c->forget_ms = wf_monotonic_ms() + FORGET_EVERY_MS;
    *out_more = *out_more || n > 0;
    return rc;
}

/* ---- the adapter ------------------------------------------------------------------------------- */

static int turn(struct adapter *a, int64_t *wait_ms, struct wf_error *err)
{
    struct courier *c = of(a);
    bool more = false;
    int64_t next = INT64_MAX;
    int rc =
        cell_fetch(c, &more, err); /* first: who may not fetch sees no task, and knows nothing */
    if (rc == 0)
        rc = keep_leases(c, err);
    if (rc == 0)
        rc = ask_orders(c, &more, err);
    if (rc == 0)
        rc = track(c, &more, err);
    if (rc == 0)
        rc = tell_orders(c, &more, err);
    if (rc == 0)
        rc = forget(c, &more, err);
    if (rc == 0)
        rc = book_next_ms(c->db, &next, err);
    if (rc != 0)
        return rc;
    if (c->track_ms - wf_monotonic_ms() < *wait_ms)
        *wait_ms = c->track_ms - wf_monotonic_ms();
    if (next - wf_real_ms() < *wait_ms)
        *wait_ms = next - wf_real_ms();
    if (is_away(c) && *wait_ms < c->away.until_ms - wf_monotonic_ms())
        *wait_ms = a->common->poll_ms;
    if (more && !is_away(c))
        *wait_ms = 0;
    return 0;
}

/* It is read again at each login; here, so that one hears at once. */
static int check_secret(const struct courier_settings *s, struct wf_error *err)
{
    char secret[SECRET_SIZE];
    if (s->token[0] != '\0' || s->token_url[0] == '\0')
        return 0;
    int rc = adapter_secret(s->secret_file, secret, sizeof(secret), err);
    explicit_bzero(secret, sizeof(secret));
    return rc;
}

static int open_all(struct adapter *a, struct wf_error *err)
{
    struct courier *c = wf_alloc(sizeof(*c));
    if (c == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    a->self = c;
    c->a = a;
    c->settings = a->settings;
    const struct http_options options = {.timeout_ms = c->settings->answer_ms,
                                         .answer_max = ANSWER_MAX,
                                         .ca = c->settings->ca,
                                         .signal_fd = a->signal_fd};
    int rc = check_secret(c->settings, err);
    if (rc == 0)
        rc = book_open(a->common->database, c->settings, &c->db, err);
    if (rc == 0)
        rc = next_look(c, err);
    return rc == 0 ? http_open(&options, &c->http, err) : rc;
}

static void close_all(struct adapter *a)
{
    struct courier *c = of(a);
    if (c == NULL)
        return;
    http_close(c->http);
    db_close(c->db);
    explicit_bzero(c->token, sizeof(c->token));
    wf_free(c);
    a->self = NULL;
}

int courier_main(int argc, char **argv)
{
    const struct adapter_spec spec = {.name = "courier",
                                      .doc = "Orders parcels at a courier: docs/courier.md.",
                                      .keys = courier_keys,
                                      .n_keys = courier_n_keys,
                                      .settings_size = sizeof(struct courier_settings),
                                      .check = courier_check,
                                      .open = open_all,
                                      .turn = turn,
                                      .close = close_all};
    return adapter_main(&spec, argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue retry, drop, skip, edit: what operators do about dead letters, by number or by what they
 * have in common. First all numbers are read, then they are worked off in turns; a turn in which
 * one fails is thrown away and done again one by one, so that this one costs the others nothing.
 */
#include "hoso.h"

#include <inttypes.h>
#include <string.h>

#define ACTS_AT_ONCE 200

/* ---- which ----------------------------------------------------------------------------------- */

struct filter {
    int service; /* -1 = any */
    struct wf_str activity, procedure, site, error;
    int64_t before_ms; /* given up before, 0 = any */
    int64_t most;      /* 0 = all */
};

struct choice {
    struct hoso *h;
    struct wf_txn *txn;
    struct filter filter;
    struct wf_arena *row;   /* one dead letter at a time */
    struct wf_value *items; /* rows {seq, service, activity, dossier, since, attempts, reason} */
    bool more;
};

/* As error_of gives them. */
static const char *const error_words[] = {
#define X(name, number, action, word, meaning) word,
    WF_ERRORS(X)
#undef X
        "failed", /* by who held the task */
};

static int read_filter(struct hoso *h, struct filter *out)
{
    int64_t older = 0;
    int error = -1;
    struct filter f = {.service = -1,
                       .activity = hoso_text(h, OPT_ACTIVITY),
                       .procedure = hoso_text(h, OPT_PROCEDURE),
                       .site = hoso_text(h, OPT_SITE),
                       .error = hoso_text(h, OPT_ERROR)};
    int rc = hoso_service_option(h, &f.service);
    if (rc == 0)
        rc = hoso_word_option(h, OPT_ERROR, error_words, WF_COUNT(error_words), &error);
    if (rc != 0)
        return rc;
    if (hoso_has(h, OPT_OLDER)) {
        if (!wf_duration_parse(hoso_text(h, OPT_OLDER), &older))
            return wf_fail(&h->err, WF_E_CONFIG,
                           "--older: a length of time is wanted: \"90 minutes\", \"2 days\"");
        f.before_ms = wf_real_ms() - older;
    }
    rc = hoso_number(h, OPT_MAX, 0, INT32_MAX, &f.most);
    *out = f;
    return rc;
}

static bool has_filter(const struct hoso *h)
{
    static const enum hoso_option options[] = {OPT_ALL,  OPT_SERVICE, OPT_ACTIVITY, OPT_PROCEDURE,
                                               OPT_SITE, OPT_ERROR,   OPT_OLDER};
    for (size_t i = 0; i < WF_COUNT(options); i++) {
        if (hoso_has(h, options[i]))
            return true;
    }
    return false;
}

static bool is_any_or(struct wf_str wanted, struct wf_str is)
{
    return wanted.len == 0 || wf_str_equal(wanted, is);
}

/* The code word of the last failure. */
static struct wf_str error_of(const struct wf_rec_queue *item)
{
    size_t n = wf_value_count(item->tries);
    return n > 0 ? wf_value_str(wf_list_at(wf_list_at(item->tries, n - 1), 1)) : wf_str("");
}

static bool fits(const struct filter *f, const struct wf_rec_queue *item,
                 const struct wf_rec_dossier *d)
{
    return (f->service < 0 || item->service == (uint64_t)f->service) &&
           is_any_or(f->activity, item->activity) && is_any_or(f->procedure, d->procedure) &&
           is_any_or(f->site, d->site) && is_any_or(f->error, error_of(item)) &&
           (f->before_ms == 0 || item->since <= f->before_ms);
}

static int add(struct choice *c, const struct wf_rec_queue *item, const struct wf_rec_dossier *d)
{
    struct hoso *h = c->h;
    char id[32];
    (void)snprintf(id, sizeof(id), "#%" PRIu64, item->dossier);
    /* clang-format off */
    const struct wf_value *row = hoso_map(h,
        "seq", wf_int(h->arena, (int64_t)item->seq),
        "service", wf_text(h->arena, wf_service_word((enum wf_service)item->service)),
        "activity", hoso_str(h, item->activity),
        "dossier", d->code.len > 0 ? hoso_str(h, d->code) : wf_text(h->arena, id),
        "since", wf_int(h->arena, item->since),
        "attempts", wf_int(h->arena, (int64_t)item->attempts),
        "error", hoso_str(h, error_of(item)),
        "reason", hoso_str(h, item->reason),
        NULL);
    /* clang-format on */
    return wf_list_add(h->arena, c->items, row) ? 0 : WF_E_NOMEM;
}

static int look_at(void *context, const struct wf_rec_queue *item)
{
    struct choice *c = context;
    struct wf_rec_dossier d = {0};
    int rc = wf_dossier_get(c->txn, item->dossier, c->row, &d, &c->h->err);
    if (rc >= 0 && fits(&c->filter, item, &d)) {
        c->more = c->filter.most > 0 && (int64_t)wf_value_count(c->items) >= c->filter.most;
        rc = c->more ? WF_NONE : add(c, item, &d);
    } else if (rc > 0) {
        rc = 0;
    }
    wf_arena_reset(c->row);
    return rc;
}

static int choose(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct choice *c = context;
    int rc = 0;
    c->txn = txn;
    for (unsigned s = 0; s < WF_SERVICE_COUNT && rc == 0; s++)
        rc = wf_queue_each(txn, (enum wf_service)s, true, c->row, look_at, c, &h->err);
    return rc < 0 ? rc : 0;
}

/* The numbers of the command line, or of what the options let through. */
static int chosen(struct hoso *h, struct choice *c)
{
    int rc = read_filter(h, &c->filter);
    for (int i = 0; i < h->n_args && rc == 0; i++) {
        uint64_t seq = 0;
        rc = hoso_number_arg(h, i, "SEQ", &seq);
        if (rc == 0)
            (void)wf_list_add(h->arena, c->items,
                              hoso_map(h, "seq", wf_int(h->arena, (int64_t)seq), NULL));
    }
    if (rc != 0 || h->n_args > 0)
        return rc;
    c->row = wf_arena_new(0);
    rc = c->row != NULL ? hoso_read(h, choose, c)
                        : wf_fail(&h->err, WF_E_NOMEM, "read the dead letters: out of memory");
    wf_arena_free(c->row);
    return rc;
}

/* ---- what ------------------------------------------------------------------------------------ */

struct act {
    const char *done; /* name in the answer */
    const char *words, *words_vi;
    int (*fn)(struct wf_turn *turn, uint64_t seq, const struct act *act, struct wf_error *err);
    const char *by, *reason;
    const struct wf_value *data; /* result or changes */
};

static int do_retry(struct wf_turn *turn, uint64_t seq, const struct act *act, struct wf_error *err)
{
    return wf_engine_dead_retry(turn, seq, act->by, err);
}

static int do_drop(struct wf_turn *turn, uint64_t seq, const struct act *act, struct wf_error *err)
{
    return wf_engine_dead_drop(turn, seq, act->by, act->reason, err);
}

static int do_skip(struct wf_turn *turn, uint64_t seq, const struct act *act, struct wf_error *err)
{
    return wf_engine_dead_skip(turn, seq, act->data, act->by, act->reason, err);
}

static int do_edit(struct wf_turn *turn, uint64_t seq, const struct act *act, struct wf_error *err)
{
    return wf_engine_dead_edit(turn, seq, act->data, act->by, act->reason, err);
}

struct work {
    struct hoso *h;
    struct wf_engine *engine;
    struct wf_arena *arena; /* of one turn */
    const struct act *act;
    struct wf_value *done, *failed;
};

/* The items from..to in one transaction. */
static int act_on(struct work *w, const struct wf_value *items, size_t from, size_t to)
{
    struct hoso *h = w->h;
    struct wf_turn turn;
    int rc = hoso_turn(h, w->engine, w->arena, &turn);
    if (rc != 0)
        return rc;
    for (size_t i = from; i < to && rc == 0; i++)
        rc = w->act->fn(&turn, (uint64_t)wf_value_int(wf_map_get(wf_list_at(items, i), "seq"), 0),
                        w->act, &h->err);
    if (rc != 0) {
        wf_txn_abort(turn.txn);
        return rc;
    }
    rc = wf_txn_commit(turn.txn, &h->err);
    for (size_t i = from; i < to && rc == 0; i++)
        (void)wf_list_add(h->arena, w->done, wf_map_get(wf_list_at(items, i), "seq"));
    return rc;
}

static int act_on_each(struct work *w, const struct wf_value *items, size_t from, size_t to)
{
    struct hoso *h = w->h;
    for (size_t i = from; i < to; i++) {
        int rc = act_on(w, items, i, i + 1);
        if (rc != 0 && wf_code_action(rc) != WF_REFUSE && rc != WF_E_CORRUPT)
            return rc;
        if (rc != 0)
            (void)wf_list_add(h->arena, w->failed,
                              hoso_map(h, "seq", wf_map_get(wf_list_at(items, i), "seq"), "code",
                                       wf_text(h->arena, wf_code_word(rc)), "reason",
                                       wf_text(h->arena, h->err.text), NULL));
    }
    return 0;
}

static int act_on_all(struct work *w, const struct wf_value *items)
{
    size_t n = wf_value_count(items);
    int rc = 0;
    if (n == 1)
        return act_on(w, items, 0, 1);
    for (size_t from = 0; from < n && rc == 0; from += ACTS_AT_ONCE) {
        size_t to = n - from > ACTS_AT_ONCE ? from + ACTS_AT_ONCE : n;
        if (act_on(w, items, from, to) != 0)
            rc = act_on_each(w, items, from, to);
    }
    return rc;
}

/* ---- telling --------------------------------------------------------------------------------- */

static const struct hoso_column columns[] = {
    {"seq", "Seq", "Số", HOSO_NUMBER},
    {"service", "Service", "Dịch vụ", HOSO_TEXT},
    {"activity", "Activity", "Công việc", HOSO_TEXT},
    {"dossier", "Dossier", "Hồ sơ", HOSO_TEXT},
    {"since", "Since", "Từ lúc", HOSO_TIME},
    {"attempts", "Attempts", "Số lần thử", HOSO_NUMBER},
    {"error", "Error", "Mã lỗi", HOSO_TEXT},
    {"reason", "Why", "Lý do", HOSO_TEXT},
};

static int show_only(struct hoso *h, const struct choice *c)
{
    bool done = false;
    int rc = hoso_answer(
        h, hoso_map(h, "dry_run", &wf_true, "items", c->items, "more", wf_bool(c->more), NULL),
        &done);
    if (rc != 0 || done)
        return rc;
    rc = hoso_print_table(h, columns, WF_COUNT(columns), c->items);
    (void)printf(h->vi ? "%zu%s; chưa thay đổi gì\n" : "%zu%s; nothing was changed\n",
                 wf_value_count(c->items), c->more ? "+" : "");
    return rc;
}

static int tell(struct work *w, const struct choice *c)
{
    struct hoso *h = w->h;
    size_t n_failed = wf_value_count(w->failed);
    bool done = false;
    int rc = hoso_answer(
        h, hoso_map(h, w->act->done, w->done, "failed", w->failed, "more", wf_bool(c->more), NULL),
        &done);
    if (rc == 0 && !done) {
        (void)printf("%s: %zu\n", h->vi ? w->act->words_vi : w->act->words,
                     wf_value_count(w->done));
        if (c->more)
            (void)puts(h->vi ? "còn nữa: chạy lại lệnh này" : "there are more: give it again");
    }
    for (size_t i = 0; rc == 0 && i < n_failed; i++) {
        const struct wf_value *row = wf_list_at(w->failed, i);
        (void)fprintf(stderr, "hoso: %" PRId64 ": %s\n", wf_value_int(wf_map_get(row, "seq"), 0),
                      wf_value_text(wf_map_get(row, "reason"), ""));
    }
    return rc == 0 && n_failed > 0 ? HOSO_FAILED : rc;
}

static int carry_out(struct hoso *h, struct act *act)
{
    struct work w = {.h = h, .act = act, .done = wf_list(h->arena), .failed = wf_list(h->arena)};
    struct choice c = {.h = h, .items = wf_list(h->arena)};
    if (h->n_args == 0 && !has_filter(h))
        return wf_fail(&h->err, WF_E_CONFIG,
                       "which? give SEQ... or --all or --service, --activity, --procedure, --site, "
                       "--error, --older; `hoso queue list --dead` shows them");
    if (h->n_args > 0 && has_filter(h))
        return wf_fail(&h->err, WF_E_CONFIG, "give either SEQ... or what they have in common");
    act->by = hoso_operator(h);
    act->reason = h->opt[OPT_REASON];
    bool is_dry = hoso_has(h, OPT_DRY_RUN);
    int rc = is_dry ? 0 : hoso_engine(h, &w.engine); /* opens the store for writing */
    if (rc == 0)
        rc = chosen(h, &c);
    if (is_dry)
        return rc == 0 ? show_only(h, &c) : rc;
    w.arena = wf_arena_new(0);
    if (rc == 0 && w.arena == NULL)
        rc = wf_fail(&h->err, WF_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = act_on_all(&w, c.items);
    wf_engine_close(w.engine);
    wf_arena_free(w.arena);
    return rc == 0 ? tell(&w, &c) : rc;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

static int want_reason(struct hoso *h)
{
    if (hoso_has(h, OPT_REASON) && h->opt[OPT_REASON][0] != '\0')
        return 0;
    return wf_fail(&h->err, WF_E_CONFIG,
                   "why? give --reason TEXT: it goes into the dossier's history");
}

int hoso_queue_retry(struct hoso *h)
{
    struct act act = {.done = "retried", .words = "put back", .words_vi = "đã đưa lại hàng đợi"};
    act.fn = do_retry;
    return carry_out(h, &act);
}

int hoso_queue_drop(struct hoso *h)
{
    struct act act = {.done = "dropped", .words = "dropped", .words_vi = "đã bỏ"};
    act.fn = do_drop;
    int rc = want_reason(h);
    return rc == 0 ? carry_out(h, &act) : rc;
}

int hoso_queue_skip(struct hoso *h)
{
    struct act act = {.done = "skipped", .words = "taken for done", .words_vi = "coi như đã xong"};
    bool failed = hoso_has(h, OPT_FAILED);
    act.fn = failed ? do_drop : do_skip;
    int rc = want_reason(h);
    if (rc == 0 && failed && hoso_has(h, OPT_RESULT))
        rc = wf_fail(&h->err, WF_E_CONFIG, "give either --result or --failed");
    if (rc == 0 && hoso_has(h, OPT_RESULT))
        rc = hoso_json_object("--result", h->opt[OPT_RESULT], h->arena, &act.data, &h->err);
    return rc == 0 ? carry_out(h, &act) : rc;
}

/* "params.x=JSON": the value behind the first equals sign. */
static int read_set(struct hoso *h, const char *set, struct wf_value *changes)
{
    const struct wf_value *value = NULL;
    const char *equals = strchr(set, '=');
    if (equals == NULL || equals == set)
        return wf_fail(&h->err, WF_E_CONFIG, "--set: write params.NAME=JSON, not \"%.40s\"", set);
    char *name = wf_arena_strndup(h->arena, set, (size_t)(equals - set));
    if (name == NULL)
        return wf_fail(&h->err, WF_E_NOMEM, "--set: out of memory");
    int rc = hoso_json_parse(name, equals + 1, strlen(equals + 1), h->arena, &value, &h->err);
    if (rc == 0 && !wf_map_put(h->arena, changes, name, value))
        rc = wf_fail(&h->err, WF_E_NOMEM, "--set: out of memory");
    return rc;
}

int hoso_queue_edit(struct hoso *h)
{
    struct wf_value *changes = wf_map(h->arena);
    struct act act = {.done = "edited", .words = "mended and put back", .data = changes};
    act.words_vi = "đã sửa và đưa lại hàng đợi";
    act.fn = do_edit;
    int rc = want_reason(h);
    if (rc == 0 && h->n_sets == 0)
        rc = wf_fail(&h->err, WF_E_CONFIG,
                     "what? give --set params.NAME=JSON; `hoso queue show %s` tells what it has",
                     h->args[0]);
    for (size_t i = 0; i < h->n_sets && rc == 0; i++)
        rc = read_set(h, h->sets[i], changes);
    return rc == 0 ? carry_out(h, &act) : rc;
}

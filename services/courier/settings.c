/* SPDX-License-Identifier: Apache-2.0 */
/* CELL/courier.cfg: the rows below are the only list of its keys. */
#include "courier.h"

#include <string.h>
#include <sys/stat.h>

#define ROW(struct_, name, member, kind, required, min, max, fallback, help)                       \
    {                                                                                              \
        name, WF_KEY_##kind, offsetof(struct struct_, member), required, min, max, fallback, help  \
    }
#define SETTING(member, kind, min, max, fallback, help)                                            \
    ROW(courier_settings, #member, member, kind, false, min, max, fallback, help)
#define NEEDED(member, kind, min, max, help)                                                       \
    ROW(courier_settings, #member, member, kind, true, min, max, NULL, help)
#define TIME(name, min, max, fallback, help)                                                       \
    ROW(courier_settings, #name, name##_ms, DURATION, false, min, max, fallback, help)
#define DAY_MS 86400000.0

/* clang-format off */
const struct wf_key courier_keys[] = {
    ADAPTER_KEYS(struct courier_settings, common, "courier"),
    SETTING(account,           TEXT, 1, 64, "hoso-courier", "who acts, for the journal"),
    SETTING(address,           TEXT, 1, 32, "vnpost", "address of the task queue: `courier` of hoso.cfg"),
    ROW(courier_settings, "dialect", dialect_name, TEXT, false, 1, 16, "ngsp", "ngsp or lgsp"),
    NEEDED (url,               TEXT, 8, 500,         "where the courier's interface begins, https://..."),
    SETTING(ca,                TEXT, 0, 1024, "",    "file of certificates to trust; empty = the system's"),
    SETTING(order_path,        TEXT, 0, 200, "",     "else as the dialect has it"),
    SETTING(cancel_path,       TEXT, 0, 200, "",     "else as the dialect has it"),
    SETTING(tracking_path,     TEXT, 0, 200, "",     "else as the dialect has it"),
    NEEDED (customer_code,     TEXT, 1, 64,          "of the contract with the courier"),
    SETTING(token,             TEXT, 0, 2000, "",    "fixed token of the header; empty = by token_url"),
    SETTING(token_url,         TEXT, 0, 500, "",     "OAuth client credentials; empty = no login"),
    SETTING(client_id,         TEXT, 0, 200, "",     "for token_url"),
    SETTING(secret_file,       TEXT, 0, 1024, "courier.secret", "file with the client's secret"),
    SETTING(description,       TEXT, 0, 200, "Kết quả giải quyết thủ tục hành chính", "of every parcel"),
    SETTING(receiver_province, TEXT, 0, 32, "",      "code of the province of all receivers"),
    SETTING(receiver_district, TEXT, 0, 32, "",      "code of their district, where it is one"),
    SETTING(items,             TEXT, 1, 16, "cell",  "who numbers parcels: cell, pool or courier"),
    SETTING(item_pool,         TEXT, 0, 1024, "",    "file of item numbers, one a line; needed by pool"),
    SETTING(item_check,        BOOL, 0, 0, "true",   "numbers of the pool must pass the S10 check"),
    SETTING(postage,           INT,  0, 10000000, "0", "dong for one parcel"),
    SETTING(postage_by,        TEXT, 1, 16, "receiver", "who pays the postage: receiver or sender"),
    SETTING(collect,           BOOL, 0, 0, "false",  "also collect papers at citizens' homes (return.collect)"),
    TIME(tracking_every,       100, 7 * DAY_MS, "12 hours", "between two looks at the tracking"),
    TIME(tracking_overlap,     0, 30 * DAY_MS, "1 day", "how far a look goes back: late news of offline postmen"),
    TIME(keep,                 0, 36500 * DAY_MS, "400 days", "tracking of parcels that are over is kept so long; 0 = for good"),
    SETTING(page_size,         INT,  1, 1000, "1000", "events asked for at once"),
    TIME(lease,                1000, DAY_MS, "10 minutes", "of the cell's tasks"),
    TIME(answer,               100, 600000, "30 seconds", "how long an answer of the courier is waited for"),
    ROW(courier_settings, "senders", senders_node, NODE, true, 0, 0, NULL, "list of {site, name, address, ...}"),
    ROW(courier_settings, "codes", codes_node, NODE, true, 0, 0, NULL, "list of {code, means, reason}"),
    ROW(courier_settings, "answers", answers_node, NODE, false, 0, 0, NULL, "list of {code, means}"),
};

static const struct wf_key sender_keys[] = {
    ROW(courier_sender, "site",     site,     TEXT, true,  1, 64, NULL,  "code of the place of reception; * = all others"),
    ROW(courier_sender, "name",     name,     TEXT, true,  1, 200, NULL, "of the sender"),
    ROW(courier_sender, "address",  address,  TEXT, true,  1, 300, NULL, "where parcels are collected"),
    ROW(courier_sender, "tel",      tel,      TEXT, false, 0, 32, "",    "telephone"),
    ROW(courier_sender, "email",    email,    TEXT, false, 0, 100, "",   "e-mail"),
    ROW(courier_sender, "province", province, TEXT, false, 0, 32, "",    "code, as the courier has it"),
    ROW(courier_sender, "district", district, TEXT, false, 0, 32, "",    "code, as the courier has it"),
};

static const struct wf_key code_keys[] = {
    ROW(courier_code, "code",   code,   TEXT, true,  1, 15, NULL, "statusCode of the tracking"),
    ROW(courier_code, "means",  means,  TEXT, true,  1, 32, NULL, "state of the parcel, or ignored"),
    ROW(courier_code, "reason", reason, TEXT, false, 0, 100, "",  "of a failure"),
};

struct answer_row {
    const char *code, *means;
};

static const struct wf_key answer_keys[] = {
    ROW(answer_row, "code",  code,  TEXT, true, 1, 15, NULL, "code of an answer, or an HTTP status"),
    ROW(answer_row, "means", means, TEXT, true, 1, 32, NULL, "accepted, duplicate, refused, later, token"),
};
/* clang-format on */

const size_t courier_n_keys = WF_COUNT(courier_keys);

void courier_help(struct wf_buf *out)
{
    wf_keys_help(courier_keys, courier_n_keys, out);
    wf_buf_text(out, "\nEach of `senders`:\n\n");
    wf_keys_help(sender_keys, WF_COUNT(sender_keys), out);
    wf_buf_text(out, "\nEach of `codes`:\n\n");
    wf_keys_help(code_keys, WF_COUNT(code_keys), out);
    wf_buf_text(out, "\nEach of `answers`:\n\n");
    wf_keys_help(answer_keys, WF_COUNT(answer_keys), out);
}

/* ---- lists ------------------------------------------------------------------------------------ */

struct list {
    const struct wf_node *node;
    const char *name;
    const struct wf_key *keys;
    size_t n_keys, row_size;
    /* Makes of a row what its words mean; says so in the report where they mean nothing. */
    void (*settle)(void *row, const struct wf_node *node, struct wf_report *report);
};

static void settle_code(void *row, const struct wf_node *node, struct wf_report *report)
{
    struct courier_code *code = row;
    code->is_news = parcel_of_word(wf_str(code->means), &code->state);
    if (!code->is_news && strcmp(code->means, "ignored") != 0)
        wf_report_error(report, node->file, node->line,
                        "means = \"%s\": no state of a parcel: one of numbered, collected, "
                        "in_transit, out_for_delivery, failed, returning, returned, delivered, "
                        "cancelled, lost, damaged, ignored",
                        code->means);
}

static void settle_answer(void *row, const struct wf_node *node, struct wf_report *report)
{
    const struct answer_row *answer = row;
    enum courier_verdict verdict;
    if (!verdict_of_word(wf_str(answer->means), &verdict))
        wf_report_error(report, node->file, node->line,
                        "means = \"%s\": no meaning of an answer: one of accepted, duplicate, "
                        "refused, later, token",
                        answer->means);
}

static void not_groups(const struct list *list, const struct wf_node *node,
                       struct wf_report *report)
{
    wf_report_error(report, node->file, node->line,
                    "%s: groups are wanted: write ( { ... }, { ... } )", list->name);
}

static int read_list(struct adapter *a, const struct list *list, void **out, size_t *out_n,
                     struct wf_report *report, struct wf_error *err)
{
    size_t n = list->node != NULL ? wf_node_count(list->node) : 0;
    char *rows = wf_arena_alloc(a->texts, (n + 1) * list->row_size);
    if (rows == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (list->node != NULL && list->node->type != WF_NODE_LIST) {
        not_groups(list, list->node, report);
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        const struct wf_node *node = wf_node_at(list->node, i);
        void *row = rows + i * list->row_size;
        if (node->type != WF_NODE_GROUP) {
            not_groups(list, node, report);
            continue;
        }
        int rc = wf_keys_read(a->config, node, list->keys, list->n_keys, row, report, err);
        if (rc != 0 && rc != WF_E_CONFIG)
            return rc;
        if (rc == 0 && list->settle != NULL)
            list->settle(row, node, report);
    }
    *out = rows;
    *out_n = n;
    return 0;
}

static int read_lists(struct adapter *a, struct wf_report *report, struct wf_error *err)
{
    struct courier_settings *s = a->settings;
    const struct list senders = {s->senders_node,
                                 "senders",
                                 sender_keys,
                                 WF_COUNT(sender_keys),
                                 sizeof(struct courier_sender),
                                 NULL};
    const struct list codes = {
        s->codes_node, "codes", code_keys, WF_COUNT(code_keys), sizeof(struct courier_code),
        settle_code};
    const struct list answers = {
        s->answers_node,           "answers",    answer_keys, WF_COUNT(answer_keys),
        sizeof(struct answer_row), settle_answer};
    void *rows = NULL;
    size_t n = 0;
    int rc = read_list(a, &senders, &rows, &n, report, err);
    s->senders = rows;
    s->n_senders = n;
    if (rc == 0)
        rc = read_list(a, &codes, &rows, &s->n_codes, report, err);
    s->codes = rows;
    if (rc == 0)
        rc = read_list(a, &answers, &rows, &n, report, err);
    s->answers = rc == 0 ? wf_arena_alloc(a->texts, (n + 1) * sizeof(struct dialect_code)) : NULL;
    if (rc == 0 && s->answers == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && report->errors == 0 && i < n; i++) {
        const struct answer_row *row = (const struct answer_row *)rows + i;
        s->answers[i].code = row->code;
        (void)verdict_of_word(wf_str(row->means), &s->answers[i].verdict);
        s->n_answers = i + 1;
    }
    return rc;
}

/* ---- what belongs together -------------------------------------------------------------------- */

struct choice {
    const char *key, *value, *const *words;
};

static void check_choice(const struct choice *c, const char *file, struct wf_report *report)
{
    for (size_t i = 0; c->words[i] != NULL; i++) {
        if (strcmp(c->value, c->words[i]) == 0)
            return;
    }
    wf_report_error(report, file, 0, "%s = \"%s\": no such choice: write %s%s%s%s%s", c->key,
                    c->value, c->words[0], c->words[1] ? " or " : "",
                    c->words[1] ? c->words[1] : "", c->words[1] && c->words[2] ? " or " : "",
                    c->words[1] && c->words[2] ? c->words[2] : "");
}

static void check(struct courier_settings *s, const char *path, struct wf_report *report)
{
    static const char *const items[] = {"cell", "pool", "courier", NULL};
    static const char *const payers[] = {"receiver", "sender", NULL};
    const struct choice choices[] = {{"items", s->items, items},
                                     {"postage_by", s->postage_by, payers}};
    for (size_t i = 0; i < WF_COUNT(choices); i++)
        check_choice(&choices[i], path, report);
    s->dialect = dialect_by_name(s->dialect_name);
    if (s->dialect == NULL)
        wf_report_error(report, path, 0, "dialect = \"%s\": not known: one of %s", s->dialect_name,
                        dialect_names);
    if (strcmp(s->items, "pool") == 0 && s->item_pool[0] == '\0')
        wf_report_error(report, path, 0,
                        "items = \"pool\" needs item_pool: name the file of "
                        "numbers");
}

/* Addresses and telephones of citizens go there, and our secret. */
static void check_outside(const struct adapter *a, struct wf_report *report)
{
    const struct courier_settings *s = a->settings;
    struct stat st;
    adapter_check_url(a, "url", s->url, report);
    if (s->token_url[0] != '\0')
        adapter_check_url(a, "token_url", s->token_url, report);
    if (s->token[0] != '\0' && stat(a->root->file, &st) == 0 && (st.st_mode & 007) != 0)
        wf_report_error(report, a->root->file, 0,
                        "token: others may read this file: chmod 0600, or use token_url");
}

static int settle_paths(struct adapter *a, struct wf_error *err)
{
    struct courier_settings *s = a->settings;
    const char **files[] = {&s->secret_file, &s->item_pool, &s->ca};
    for (size_t i = 0; i < WF_COUNT(files); i++) {
        if ((*files[i])[0] == '/' || (*files[i])[0] == '\0')
            continue;
        *files[i] = wf_arena_printf(a->texts, "%s/%s", a->folder, *files[i]);
        if (*files[i] == NULL)
            return wf_fail(err, WF_E_NOMEM, "out of memory");
    }
    if (s->order_path[0] == '\0')
        s->order_path = s->dialect->order_path;
    if (s->cancel_path[0] == '\0')
        s->cancel_path = s->dialect->cancel_path;
    if (s->tracking_path[0] == '\0')
        s->tracking_path = s->dialect->tracking_path;
    return 0;
}

int courier_check(struct adapter *a, struct wf_report *report, struct wf_error *err)
{
    int rc = read_lists(a, report, err);
    if (rc != 0)
        return rc;
    check(a->settings, a->root->file, report);
    check_outside(a, report);
    rc = wf_report_result(report, err);
    return rc == 0 ? settle_paths(a, err) : rc;
}

/* ---- look-ups --------------------------------------------------------------------------------- */

/* The code of a dossier begins with its site's: 000.00.13.H30-211130-0001. */
const struct courier_sender *courier_sender(const struct courier_settings *settings,
                                            const char *dossier)
{
    static const struct courier_sender nobody = {"*", "", "", "", "", "", ""};
    const struct courier_sender *found = &nobody;
    struct wf_str site = {dossier, strcspn(dossier, "-")};
    for (size_t i = 0; i < settings->n_senders; i++) {
        if (wf_str_is(site, settings->senders[i].site))
            return &settings->senders[i];
        if (strcmp(settings->senders[i].site, "*") == 0)
            found = &settings->senders[i];
    }
    return found;
}

const struct courier_code *courier_code(const struct courier_settings *settings, const char *code)
{
    for (size_t i = 0; i < settings->n_codes; i++) {
        if (strcmp(settings->codes[i].code, code) == 0)
            return &settings->codes[i];
    }
    return NULL;
}

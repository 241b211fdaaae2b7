/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a definition by key tables; the words of each closed set stand here once. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "workflow/identifiers.h"
#include "workflow/messages.h"

#define DEFAULT_TEXT_CHARACTERS 500

const char *const paper_kind_names[6] = {"original",   "copy",  "certified",
                                         "electronic", "photo", "any"};
const char *const channel_names[WF_CHANNELS] = {"one_stop", "post", "online"};
const char *const field_type_names[10] = {"text",   "integer",    "money",  "date",  "boolean",
                                          "choice", "citizen_id", "mobile", "email", "tax_number"};
static const char *const level_names[] = {"commune", "district", "province"};
static const char *const agent_names[] = {"allowed", "forbidden"};

/* Other parts of the system look for these fields by name and rely on their type. */
static const struct {
    const char *id;
    enum wf_field_type type;
} reserved_fields[] = {
    {"full_name", WF_FIELD_TEXT}, {"citizen_id", WF_FIELD_CITIZEN_ID},
    {"phone", WF_FIELD_MOBILE},   {"email", WF_FIELD_EMAIL},
    {"address", WF_FIELD_TEXT},   {"return_by", WF_FIELD_CHOICE},
};

struct reading {
    struct wf_procedure *p;
    struct wf_report *report;
    bool out_of_memory;
};

#define COMPLAIN(r, node, ...) wf_report_error((r)->report, (node)->file, (node)->line, __VA_ARGS__)
#define COMPLAIN_NEWER(r, node, ...)                                                               \
    wf_report_newer_rule((r)->report, (node)->file, (node)->line, __VA_ARGS__)

size_t word_index(const char *word, const char *const *words, size_t n)
{
    size_t i = 0;
    while (i < n && strcmp(word, words[i]) != 0)
        i++;
    return i;
}

const char *word_hint(const char *word, const char *const *words, size_t n, char *buf, size_t size)
{
    const char *nearest = wf_nearest(word, words, n);
    if (nearest != NULL) {
        (void)snprintf(buf, size, "did you mean '%s'?", nearest);
        return buf;
    }
    size_t used = (size_t)snprintf(buf, size, "known are");
    for (size_t i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s %s", i > 0 ? "," : "", words[i]);
    return buf;
}

/* The word's number; complains and gives 0 where it is none of the list. */
static size_t read_word(struct reading *r, const struct wf_node *group, const char *key,
                        const char *word, const char *const *words, size_t n)
{
    size_t i = word != NULL ? word_index(word, words, n) : n;
    if (i < n || word == NULL)
        return i < n ? i : 0;
    char hint[256];
    const struct wf_node *node = wf_node_child(group, key);
    COMPLAIN(r, node != NULL ? node : group, "unknown %s '%s': it is a closed list: %s", key, word,
             word_hint(word, words, n, hint, sizeof(hint)));
    return 0;
}

static void keys_read(struct reading *r, const struct wf_node *group, const struct wf_key *keys,
                      size_t n, void *out)
{
    struct wf_error err;
    if (wf_keys_read(r->p->config, group, keys, n, out, r->report, &err) == WF_E_NOMEM)
        r->out_of_memory = true;
}

/* ---- titles, and lists of groups ------------------------------------------------------------ */

static void read_title(struct reading *r, const struct wf_node *node, struct wf_bilingual *out)
{
    static const struct wf_key keys[] = {
        {"vi", WF_KEY_TEXT, offsetof(struct wf_bilingual, vi), true, 1, 500, NULL, "Vietnamese"},
        {"en", WF_KEY_TEXT, offsetof(struct wf_bilingual, en), true, 1, 500, NULL, "English"},
    };
    if (node != NULL)
        keys_read(r, node, keys, WF_COUNT(keys), out);
}

/* Ids name variables of expressions: lower case, digits, _; not starting with _ or a digit. */
static bool is_identifier(const char *id)
{
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return id[length] == '\0' && length > 0 && id[0] >= 'a' && id[0] <= 'z';
}

/* `id` of the earlier elements is the first member of each of their structs. */
static void check_id(struct reading *r, const struct wf_node *node, const char *what,
                     const char *id, const void *elements, size_t n, size_t size)
{
    if (id == NULL)
        return;
    if (!is_identifier(id))
        COMPLAIN(r, node,
                 "%s id '%s' is no name: ids are used in expressions: write lower-case "
                 "letters, digits and _, a letter first",
                 what, id);
    for (size_t i = 0; i < n; i++) {
        const char *other = NULL;
        memcpy(&other, (const char *)elements + i * size, sizeof(other));
        if (other != NULL && strcmp(other, id) == 0)
            COMPLAIN(r, node, "%s id '%s' is used twice: ids are unique: rename one", what, id);
    }
}

typedef void read_element_fn(struct reading *r, const struct wf_node *node, void *element);

/* Reads a list of groups into an array of structs that start with their id. */
static void *read_elements(struct reading *r, const struct wf_node *list, const char *what,
                           size_t size, read_element_fn *fn, size_t *out_n)
{
    *out_n = 0;
    if (list == NULL)
        return NULL;
    if (list->type != WF_NODE_LIST) {
        COMPLAIN(r, list, "%s is of type %s: it is a list of groups: write ( { id = ... }, ... )",
                 list->name, wf_node_type_name(list->type));
        return NULL;
    }
    size_t n = wf_node_count(list);
    char *elements = wf_arena_alloc(r->p->arena, n * size + 1);
    if (elements == NULL) {
        r->out_of_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        char *element = elements + i * size;
        fn(r, wf_node_at(list, i), element);
        const char *id = NULL;
        memcpy(&id, element, sizeof(id));
        check_id(r, wf_node_at(list, i), what, id, elements, i, size);
    }
    *out_n = n;
    return elements;
}

static void read_result(struct reading *r, const struct wf_node *node, void *element)
{
    struct raw {
        const char *id;
        const struct wf_node *title;
    } raw = {0};
    static const struct wf_key keys[] = {
        {"id", WF_KEY_TEXT, offsetof(struct raw, id), true, 1, 64, NULL, "short name"},
        {"title", WF_KEY_NODE, offsetof(struct raw, title), true, 0, 0, NULL, "{ vi, en }"},
    };
    struct wf_result *result = element;
    keys_read(r, node, keys, WF_COUNT(keys), &raw);
    result->id = raw.id;
    read_title(r, raw.title, &result->title);
}

/* ---- papers ---------------------------------------------------------------------------------- */

struct raw_paper {
    const char *id;
    const struct wf_node *title;
    const char *kind;
    bool required;
    const char *needed_if;
    int64_t copies;
};

/* clang-format off */
static const struct wf_key paper_keys[] = {
    /* name       type         offset                                  req   min max  default help */
    {"id",        WF_KEY_TEXT, offsetof(struct raw_paper, id),        true,  1, 64,  NULL,    "short name"},
    {"title",     WF_KEY_NODE, offsetof(struct raw_paper, title),     true,  0, 0,   NULL,    "{ vi, en }"},
    {"kind",      WF_KEY_TEXT, offsetof(struct raw_paper, kind),      false, 1, 64,  "any",   "original, copy, certified, electronic, photo, any"},
    {"required",  WF_KEY_BOOL, offsetof(struct raw_paper, required),  false, 0, 0,   "false", "always asked for"},
    {"needed_if", WF_KEY_TEXT, offsetof(struct raw_paper, needed_if), false, 1, 500, NULL,    "asked for where this holds"},
    {"copies",    WF_KEY_INT,  offsetof(struct raw_paper, copies),    false, 1, 99,  "1",     "sets asked for"},
};
/* clang-format on */

static void read_paper(struct reading *r, const struct wf_node *node, void *element)
{
    struct wf_paper *paper = element;
    struct raw_paper raw = {0};
    keys_read(r, node, paper_keys, WF_COUNT(paper_keys), &raw);
    paper->id = raw.id;
    paper->required = raw.required;
    paper->copies = raw.copies;
    paper->kind = (enum wf_paper_kind)read_word(r, node, "kind", raw.kind, paper_kind_names,
                                                WF_COUNT(paper_kind_names));
    read_title(r, raw.title, &paper->title);
    if (raw.required && raw.needed_if != NULL)
        COMPLAIN(r, node, "paper '%s' is required and has needed_if: only one can hold: remove one",
                 raw.id != NULL ? raw.id : "");
}

static enum wf_static_type static_type(enum wf_field_type type)
{
    return type == WF_FIELD_BOOLEAN                             ? WF_T_BOOL
           : type == WF_FIELD_INTEGER || type == WF_FIELD_MONEY ? WF_T_INT
                                                                : WF_T_TEXT;
}

const struct wf_decl *procedure_decls(const struct wf_procedure *p, size_t *out_n)
{
    struct wf_decl *decls = wf_arena_alloc(p->arena, (p->n_fields + 1) * sizeof(*decls));
    if (decls == NULL)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < p->n_fields; i++) {
        if (p->fields[i].id != NULL)
            decls[n++] = (struct wf_decl){p->fields[i].id, static_type(p->fields[i].type)};
    }
    decls[n++] = (struct wf_decl){"_dossier", WF_T_MAP};
    *out_n = n;
    return decls;
}

/* After the fields, on which the conditions of papers may depend. */
static void compile_needed_if(struct reading *r, const struct wf_node *list,
                              struct wf_paper *papers)
{
    struct wf_scope scope = {0};
    scope.decls = procedure_decls(r->p, &scope.n_decls);
    if (scope.decls == NULL) {
        r->out_of_memory = true;
        return;
    }
    scope.n_decls--; /* without _dossier, which the list of missing papers does not depend on */
    for (size_t i = 0; i < r->p->n_papers; i++) {
        const struct wf_node *node = wf_node_child(wf_node_at(list, i), "needed_if");
        if (node == NULL || node->type != WF_NODE_TEXT)
            continue;
        struct wf_error err = {0};
        enum wf_static_type type = WF_T_BOOL;
        int rc =
            wf_expr_compile(r->p->arena, node->u.text, &scope, &papers[i].needed_if, &type, &err);
        if (rc == WF_E_NOMEM)
            r->out_of_memory = true;
        else if (rc < 0)
            COMPLAIN(r, node, "needed_if: %s", err.text);
        else if (type != WF_T_BOOL && type != WF_T_ANY)
            COMPLAIN(r, node,
                     "needed_if is of type %s: a condition is true or false: compare it "
                     "with something",
                     wf_static_type_name(type));
    }
}

/* ---- fields ---------------------------------------------------------------------------------- */

struct raw_field {
    const char *id;
    const struct wf_node *title;
    const char *type;
    bool required, personal;
    int64_t min, max;
    struct wf_texts choices;
};

/* clang-format off */
static const struct wf_key field_keys[] = {
    /* name      type          offset                                 req    min    max   default  help */
    {"id",       WF_KEY_TEXT,  offsetof(struct raw_field, id),       true,  1,     64,   NULL,    "short name"},
    {"title",    WF_KEY_NODE,  offsetof(struct raw_field, title),    true,  0,     0,    NULL,    "{ vi, en }"},
    {"type",     WF_KEY_TEXT,  offsetof(struct raw_field, type),     true,  1,     64,   NULL,    "text, integer, money, date, boolean, choice, citizen_id, mobile, email, tax_number"},
    {"required", WF_KEY_BOOL,  offsetof(struct raw_field, required), false, 0,     0,    "false", "must be given"},
    {"personal", WF_KEY_BOOL,  offsetof(struct raw_field, personal), false, 0,     0,    "false", "never in logs, masked in lists"},
    {"min",      WF_KEY_INT,   offsetof(struct raw_field, min),      false, -1e15, 1e15, "0",     "fewest characters, or least number"},
    {"max",      WF_KEY_INT,   offsetof(struct raw_field, max),      false, -1e15, 1e15, "0",     "most characters, or greatest number"},
    {"choices",  WF_KEY_TEXTS, offsetof(struct raw_field, choices),  false, 1,     100,  NULL,    "the words of a choice"},
};
/* clang-format on */

static void check_reserved(struct reading *r, const struct wf_node *node,
                           const struct wf_field *field)
{
    for (size_t i = 0; i < WF_COUNT(reserved_fields) && field->id != NULL; i++) {
        if (strcmp(reserved_fields[i].id, field->id) == 0 && reserved_fields[i].type != field->type)
            COMPLAIN(r, node,
                     "field '%s' is of type %s: other parts of the system read this name: "
                     "make it %s, or rename it",
                     field->id, field_type_names[field->type],
                     field_type_names[reserved_fields[i].type]);
    }
}

/* Gives false (reported) where no text could be as long. */
static bool is_length(struct reading *r, const struct wf_node *node, const struct wf_field *field)
{
    bool min_fits = field->min >= 0 && field->min <= (int64_t)WF_FRAME_MAX;
    if (min_fits && field->max >= 0)
        return true;
    const char *key = min_fits ? "max" : "min";
    const struct wf_node *at = wf_node_child(node, key);
    COMPLAIN_NEWER(r, at != NULL ? at : node,
                   "%s %lld of a text: it counts characters, and a message holds %zu bytes, so "
                   "that nothing could be written: write 0 or more, and less than that",
                   key, (long long)(min_fits ? field->max : field->min), WF_FRAME_MAX);
    return false;
}

static void check_bounds(struct reading *r, const struct wf_node *node,
                         const struct wf_field *field)
{
    if (field->type == WF_FIELD_TEXT && !is_length(r, node, field))
        return;
    if (field->min <= field->max)
        return;
    const char *cure = wf_node_child(node, "max") == NULL   ? "add max"
                       : wf_node_child(node, "min") == NULL ? "add min"
                                                            : "swap them";
    COMPLAIN(r, node, "min %lld is above max %lld: nothing could be written: %s",
             (long long)field->min, (long long)field->max, cure);
}

static void read_field(struct reading *r, const struct wf_node *node, void *element)
{
    struct wf_field *field = element;
    struct raw_field raw = {0};
    keys_read(r, node, field_keys, WF_COUNT(field_keys), &raw);
    field->id = raw.id;
    field->required = raw.required;
    field->personal = raw.personal;
    field->min = raw.min;
    field->max = raw.max;
    field->choices = raw.choices;
    field->type = (enum wf_field_type)read_word(r, node, "type", raw.type, field_type_names,
                                                WF_COUNT(field_type_names));
    read_title(r, raw.title, &field->title);
    check_reserved(r, node, field);
    if (field->type == WF_FIELD_TEXT && field->max == 0)
        field->max = DEFAULT_TEXT_CHARACTERS;
    check_bounds(r, node, field);
    if (raw.type != NULL && (field->type == WF_FIELD_CHOICE) != (raw.choices.n > 0))
        COMPLAIN(r, node,
                 field->type == WF_FIELD_CHOICE
                     ? "choice without choices: nothing could be chosen: add choices = [ "
                       "... ]"
                     : "choices on a field that is no choice: they have no effect: write "
                       "type = \"choice\"");
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct raw_procedure {
    const char *code, *level, *field_of_work, *time_limit, *authority, *agent;
    const char *valid_from, *valid_until, *note;
    int64_t version, fee, retention_years;
    struct wf_texts channels, legal;
    bool presence;
    struct raw_terms terms;
    const struct wf_node *title, *papers, *fields, *results;
    const struct wf_node *initial, *data, *states; /* the chart's */
};

/* clang-format off */
#define AT(member) offsetof(struct raw_procedure, member)
static const struct wf_key procedure_keys[] = {
    /* name            type          offset               req    min max   default    help */
    {"code",            WF_KEY_TEXT,  AT(code),            true,  1, 64,   NULL,      "national code, \"1.004873\""},
    {"version",         WF_KEY_INT,   AT(version),         true,  1, 1e6,  NULL,      "raised with every change"},
    {"title",           WF_KEY_NODE,  AT(title),           true,  0, 0,    NULL,      "{ vi, en }"},
    {"level",           WF_KEY_TEXT,  AT(level),           true,  1, 64,   NULL,      "commune, district, province"},
    {"field_of_work",   WF_KEY_TEXT,  AT(field_of_work),   false, 1, 64,   NULL,      "code of the field, \"G15-TP07\""},
    {"channels",        WF_KEY_TEXTS, AT(channels),        true,  1, 3,    NULL,      "of one_stop, post, online"},
    {"time_limit",      WF_KEY_TEXT,  AT(time_limit),      true,  1, 64,   NULL,      "\"3 working days\", \"same day\""},
    {"time_limits",     WF_KEY_NODE,  AT(terms.time_limits),     false, 0, 0,    NULL,      "by channel: { online = \"2 working days\"; }"},
    {"remind",          WF_KEY_TEXTS, AT(terms.remind),          false, 0, WF_REMINDERS, NULL, "how long before the due date, \"1 working day\""},
    {"max_extensions",  WF_KEY_INT,   AT(terms.max_extensions),  false, 0, 99,   "1",       "how often the due date may be extended"},
    {"models",          WF_KEY_TEXTS, AT(terms.models),          false, 0, 4,    NULL,      "of the sites that may receive it: M1, M2, M3, M4"},
    {"form_set",        WF_KEY_TEXT,  AT(terms.form_set),        false, 1, 64,   NULL,      "national forms of 2018 or 2025"},
    {"fee",             WF_KEY_INT,   AT(fee),             false, 0, 1e12, "0",       "dong"},
    {"authority",       WF_KEY_TEXT,  AT(authority),       false, 1, 500,  NULL,      "who decides"},
    {"agent",           WF_KEY_TEXT,  AT(agent),           false, 1, 64,   "allowed", "allowed, forbidden"},
    {"presence",        WF_KEY_BOOL,  AT(presence),        false, 0, 0,    "false",   "must the citizen come in person?"},
    {"retention_years", WF_KEY_INT,   AT(retention_years), false, 0, 1000, "0",       "0 = for ever"},
    {"valid_from",      WF_KEY_TEXT,  AT(valid_from),      false, 1, 10,   NULL,      "first day, \"2025-07-01\""},
    {"valid_until",     WF_KEY_TEXT,  AT(valid_until),     false, 1, 10,   NULL,      "last day"},
    {"legal",           WF_KEY_TEXTS, AT(legal),           false, 0, 50,   "",        "legal grounds"},
    {"note",            WF_KEY_TEXT,  AT(note),            false, 1, 4096, NULL,      "for the people at the desk"},
    {"papers",          WF_KEY_NODE,  AT(papers),          false, 0, 0,    NULL,      "list of { id, title, kind, ... }"},
    {"fields",          WF_KEY_NODE,  AT(fields),          false, 0, 0,    NULL,      "list of { id, title, type, ... }"},
    {"results",         WF_KEY_NODE,  AT(results),         false, 0, 0,    NULL,      "list of { id, title }"},
    {"initial",         WF_KEY_NODE,  AT(initial),         false, 0, 0,    NULL,      "first state"},
    {"data",            WF_KEY_NODE,  AT(data),            false, 0, 0,    NULL,      "variables of the chart"},
    {"states",          WF_KEY_NODE,  AT(states),          true,  0, 0,    NULL,      "the statechart"},
};
#undef AT
/* clang-format on */

static void check_text(struct reading *r, const struct wf_node *group, const char *key,
                       const char *text, int (*check)(struct wf_str, struct wf_error *))
{
    struct wf_error err = {0};
    if (text != NULL && check(wf_str(text), &err) < 0)
        COMPLAIN(r, wf_node_child(group, key), "%s '%s': %s: correct it", key, text, err.text);
}

static void read_limit(struct reading *r, const struct wf_node *group, const char *text)
{
    if (text != NULL && !wf_limit_parse(wf_str(text), &r->p->time_limit))
        COMPLAIN(r, wf_node_child(group, "time_limit"),
                 "time_limit '%s' is no limit: number and unit are needed: write \"same day\", "
                 "\"3 working days\", \"8 working hours\" or \"15 days\"",
                 text);
}

static void check_channels(struct reading *r, const struct wf_node *group)
{
    const struct wf_texts *channels = &r->p->channels;
    for (size_t i = 0; i < channels->n; i++) {
        const struct wf_node *node = wf_node_child(group, "channels");
        (void)read_word(r, group, "channels", channels->items[i], channel_names,
                        WF_COUNT(channel_names));
        if (r->p->presence_required && strcmp(channels->items[i], "post") == 0)
            COMPLAIN(r, node,
                     "channel post with presence = true: who must come in person cannot "
                     "send by post: remove \"post\" or the presence");
    }
}

static void copy_raw(struct wf_procedure *p, const struct raw_procedure *raw)
{
    p->code = raw->code;
    p->version = raw->version;
    p->level = raw->level;
    p->field_of_work = raw->field_of_work;
    p->channels = raw->channels;
    p->fee = raw->fee;
    p->authority = raw->authority;
    p->presence_required = raw->presence;
    p->retention_years = raw->retention_years;
    p->valid_from = raw->valid_from;
    p->valid_until = raw->valid_until;
    p->note = raw->note;
    p->legal = raw->legal;
}

int procedure_read(struct wf_procedure *p, const struct wf_node *group, struct wf_report *report,
                   struct wf_error *err)
{
    size_t before = report->errors;
    struct reading r = {p, report, false};
    struct raw_procedure raw = {0};
    keys_read(&r, group, procedure_keys, WF_COUNT(procedure_keys), &raw);
    copy_raw(p, &raw);
    read_title(&r, raw.title, &p->title);
    (void)read_word(&r, group, "level", raw.level, level_names, WF_COUNT(level_names));
    p->agent_allowed =
        read_word(&r, group, "agent", raw.agent, agent_names, WF_COUNT(agent_names)) == 0;
    read_limit(&r, group, raw.time_limit);
    procedure_read_terms(p, group, &raw.terms, report);
    check_text(&r, group, "code", raw.code, wf_check_procedure_code);
    check_text(&r, group, "valid_from", raw.valid_from, wf_check_date);
    check_text(&r, group, "valid_until", raw.valid_until, wf_check_date);
    check_channels(&r, group);
    struct wf_paper *papers =
        read_elements(&r, raw.papers, "paper", sizeof(*papers), read_paper, &p->n_papers);
    p->papers = papers;
    p->fields =
        read_elements(&r, raw.fields, "field", sizeof(struct wf_field), read_field, &p->n_fields);
    p->results = read_elements(&r, raw.results, "result", sizeof(struct wf_result), read_result,
                               &p->n_results);
    compile_needed_if(&r, raw.papers, papers);
    if (r.out_of_memory)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    return wf_report_result_since(report, before, err);
}

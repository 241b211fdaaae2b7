/* SPDX-License-Identifier: Apache-2.0 */
/* What citizens hand in, against the definition. Texts of errors name rules, never the content. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "workflow/identifiers.h"

#define MAX_PAPERS 200 /* in one dossier, several sheets of one kind among them */
#define MAX_MONEY  ((int64_t)1000000000000000)

static const char *const paper_keys[] = {"id", "kind", "copies", "file"};

static bool is_given(const struct wf_value *value)
{
    return value != NULL && value->type != WF_NULL;
}

static int check_length(const struct wf_field *field, struct wf_str text, struct wf_error *err)
{
    size_t length = wf_utf8_length(text.ptr, text.len);
    if (length >= (size_t)field->min && length <= (size_t)field->max)
        return 0;
    return wf_fail(err, WF_E_INVALID, "%zu characters: %" PRId64 " to %" PRId64 " are allowed",
                   length, field->min, field->max);
}

static int check_choice(const struct wf_field *field, struct wf_str text, struct wf_error *err)
{
    for (size_t i = 0; i < field->choices.n; i++) {
        if (wf_str_is(text, field->choices.items[i]))
            return 0;
    }
    char known[160] = "";
    for (size_t i = 0; i < field->choices.n; i++) {
        size_t at = strlen(known);
        int n = snprintf(known + at, sizeof(known) - at, "%s%s", at > 0 ? ", " : "",
                         field->choices.items[i]);
        if (n < 0 || (size_t)n >= sizeof(known) - at) {
            (void)snprintf(known, sizeof(known), "the %zu choices", field->choices.n);
            break;
        }
    }
    return wf_fail(err, WF_E_INVALID, "not one of %s", known);
}

static int check_text(const struct wf_field *field, struct wf_str text, struct wf_error *err)
{
    switch (field->type) {
    case WF_FIELD_TEXT:
        return check_length(field, text, err);
    case WF_FIELD_CHOICE:
        return check_choice(field, text, err);
    case WF_FIELD_DATE:
        return wf_check_date(text, err);
    case WF_FIELD_CITIZEN_ID:
        return wf_check_citizen_id(text, err);
    case WF_FIELD_MOBILE:
        return wf_check_mobile(text, err);
    case WF_FIELD_EMAIL:
        return wf_check_email(text, err);
    case WF_FIELD_TAX_NUMBER:
        return wf_check_tax_number(text, err);
    case WF_FIELD_INTEGER:
    case WF_FIELD_MONEY:
    case WF_FIELD_BOOLEAN:
        break;
    }
    return wf_fail(err, WF_E_INTERNAL, "field type without a check");
}

static int check_integer(const struct wf_field *field, int64_t number, struct wf_error *err)
{
    bool is_bounded = field->min != 0 || field->max != 0;
    bool is_money = field->type == WF_FIELD_MONEY;
    int64_t min = is_bounded ? field->min : is_money ? 0 : INT64_MIN;
    int64_t max = is_bounded ? field->max : is_money ? MAX_MONEY : INT64_MAX;
    if (number >= min && number <= max)
        return 0;
    return wf_fail(err, WF_E_INVALID, "out of range: %" PRId64 " to %" PRId64 " are allowed", min,
                   max);
}

static enum wf_type value_type(enum wf_field_type type)
{
    return type == WF_FIELD_BOOLEAN                             ? WF_BOOL
           : type == WF_FIELD_INTEGER || type == WF_FIELD_MONEY ? WF_INT
                                                                : WF_TEXT;
}

static int check_field(const struct wf_field *field, const struct wf_value *value,
                       struct wf_error *err)
{
    if (!is_given(value))
        return 0;
    if (value->type != value_type(field->type))
        return wf_fail(err, WF_E_INVALID, "is of type %s: a %s is a %s", wf_type_name(value->type),
                       field_type_names[field->type], wf_type_name(value_type(field->type)));
    if (value->type == WF_BOOL)
        return 0;
    if (value->type == WF_INT)
        return check_integer(field, value->u.integer, err);
    /* An empty text is a field left empty; whether it may be is not asked here. */
    return value->u.text.len == 0 ? 0 : check_text(field, value->u.text, err);
}

/* Puts the field's name on an error that a check has just made. */
static int at_field(struct wf_error *err, int rc, const char *fmt, ...) WF_PRINTF(3, 4);
static int at_field(struct wf_error *err, int rc, const char *fmt, ...)
{
    char name[sizeof(err->field)];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);
    struct wf_error why = {0};
    if (err != NULL)
        why = *err;
    return wf_fail_field(err, rc, name, "%s: %s", name, why.text);
}

static int check_fields(const struct wf_procedure *p, const struct wf_value *fields,
                        struct wf_error *err)
{
    if (!is_given(fields))
        return 0;
    if (fields->type != WF_MAP)
        return wf_fail_field(err, WF_E_INVALID, "fields", "fields: a map of field ids is needed");
    for (size_t i = 0; i < fields->u.map.n; i++) {
        const struct wf_pair *pair = &fields->u.map.pairs[i];
        const struct wf_field *field = wf_procedure_field(p, pair->key);
        /* The name is the sender's own word and goes no further than the name of the field. */
        if (field == NULL) {
            char name[64];
            (void)snprintf(name, sizeof(name), "fields.%.*s", WF_STR_ARG(pair->key));
            return wf_fail_field(err, WF_E_INVALID, name,
                                 "unknown field: procedure %s version %" PRId64 " has no such one",
                                 p->code, p->version);
        }
        int rc = check_field(field, pair->value, err);
        if (rc < 0)
            return at_field(err, rc, "fields.%s", field->id);
    }
    return 0;
}

static int check_paper_keys(const struct wf_value *paper, struct wf_error *err)
{
    for (size_t i = 0; i < paper->u.map.n; i++) {
        struct wf_str key = paper->u.map.pairs[i].key;
        size_t k = 0;
        while (k < WF_COUNT(paper_keys) && !wf_str_is(key, paper_keys[k]))
            k++;
        if (k == WF_COUNT(paper_keys))
            return wf_fail(err, WF_E_INVALID, "a paper has id, kind, copies and file only");
    }
    return 0;
}

static int check_paper(const struct wf_procedure *p, const struct wf_value *paper, size_t i,
                       struct wf_error *err)
{
    if (paper->type != WF_MAP) {
        (void)wf_fail(err, WF_E_INVALID, "a map {id, kind, copies, file} is needed");
        return at_field(err, WF_E_INVALID, "papers[%zu]", i);
    }
    if (check_paper_keys(paper, err) < 0)
        return at_field(err, WF_E_INVALID, "papers[%zu]", i);
    const struct wf_value *kind = wf_map_get(paper, "kind");
    const struct wf_value *copies = wf_map_get(paper, "copies");
    if (wf_procedure_paper(p, wf_value_str(wf_map_get(paper, "id"))) == NULL) {
        (void)wf_fail(err, WF_E_INVALID, "the procedure knows no paper of this id");
        return at_field(err, WF_E_INVALID, "papers[%zu].id", i);
    }
    size_t n = WF_COUNT(paper_kind_names);
    bool kind_ok = !is_given(kind) ||
                   (kind->type == WF_TEXT && word_index(kind->u.text.ptr, paper_kind_names, n) < n);
    if (!kind_ok) {
        (void)wf_fail(err, WF_E_INVALID, "kinds are original, copy, certified, electronic, photo");
        return at_field(err, WF_E_INVALID, "papers[%zu].kind", i);
    }
    int64_t number = is_given(copies) ? wf_value_int(copies, 0) : 1;
    if (number < 1 || number > 999) {
        (void)wf_fail(err, WF_E_INVALID, "a whole number from 1 to 999 is needed");
        return at_field(err, WF_E_INVALID, "papers[%zu].copies", i);
    }
    return 0;
}

int wf_procedure_check_data(const struct wf_procedure *p, const struct wf_value *fields,
                            const struct wf_value *papers, struct wf_error *err)
{
    int rc = check_fields(p, fields, err);
    if (rc < 0 || !is_given(papers))
        return rc;
    if (papers->type != WF_LIST)
        return wf_fail_field(err, WF_E_INVALID, "papers", "papers: a list is needed");
    if (papers->u.list.n > MAX_PAPERS)
        return wf_fail_field(err, WF_E_INVALID, "papers", "papers: more than %d", MAX_PAPERS);
    for (size_t i = 0; i < papers->u.list.n && rc == 0; i++)
        rc = check_paper(p, papers->u.list.items[i], i, err);
    return rc;
}

/* ---- what is missing ------------------------------------------------------------------------- */

/* Does a paper of kind `given` do where `wanted` is asked for? */
static bool serves(enum wf_paper_kind wanted, enum wf_paper_kind given)
{
    /* Filed online, every paper comes as a file; who needs the original lets no online channel. */
    if (wanted == given || given == WF_PAPER_ELECTRONIC)
        return true;
    switch (wanted) {
    case WF_PAPER_ANY:
        return true;
    case WF_PAPER_COPY:
        return given == WF_PAPER_CERTIFIED || given == WF_PAPER_ORIGINAL || given == WF_PAPER_PHOTO;
    case WF_PAPER_CERTIFIED:
    case WF_PAPER_PHOTO:
        return given == WF_PAPER_ORIGINAL;
    case WF_PAPER_ORIGINAL:
    case WF_PAPER_ELECTRONIC:
        break;
    }
    return false;
}

static bool is_handed_in(const struct wf_paper *wanted, const struct wf_value *papers)
{
    int64_t copies = 0;
    for (size_t i = 0; papers != NULL && papers->type == WF_LIST && i < papers->u.list.n; i++) {
        const struct wf_value *paper = papers->u.list.items[i];
        if (!wf_str_is(wf_value_str(wf_map_get(paper, "id")), wanted->id))
            continue;
        const char *word = wf_value_text(wf_map_get(paper, "kind"), NULL);
        size_t n = WF_COUNT(paper_kind_names);
        size_t kind = word != NULL ? word_index(word, paper_kind_names, n) : (size_t)wanted->kind;
        if (kind < n && serves(wanted->kind, (enum wf_paper_kind)kind))
            copies += wf_value_int(wf_map_get(paper, "copies"), 1);
    }
    return copies >= wanted->copies;
}

static const struct wf_value *read_variable(void *context, struct wf_str name)
{
    const struct wf_value *const *fields = context;
    return wf_map_get_str(*fields, name);
}

static bool is_in_no_state(void *context, struct wf_str state)
{
    (void)context;
    (void)state;
    return false;
}

static bool is_needed(const struct wf_paper *paper, const struct wf_value *fields,
                      struct wf_arena *arena)
{
    struct wf_reader reader = {read_variable, is_in_no_state, &fields};
    bool needed = false;
    if (paper->needed_if == NULL)
        return paper->required;
    /* A condition on fields that are missing themselves does not hold yet. */
    return wf_expr_test(paper->needed_if, &reader, arena, &needed, NULL) == 0 && needed;
}

static void add_missing(struct wf_arena *arena, struct wf_value *list, const char *kind,
                        const char *id, const struct wf_bilingual *title)
{
    struct wf_value *item = wf_map(arena);
    wf_map_put(arena, item, "kind", wf_text(arena, kind));
    wf_map_put(arena, item, "id", wf_text(arena, id));
    wf_map_put(arena, item, "vi", wf_text(arena, title->vi));
    wf_map_put(arena, item, "en", wf_text(arena, title->en));
    wf_list_add(arena, list, item);
}

const struct wf_value *wf_procedure_missing(const struct wf_procedure *p,
                                            const struct wf_value *fields,
                                            const struct wf_value *papers, struct wf_arena *arena)
{
    struct wf_value *list = wf_list(arena);
    for (size_t i = 0; i < p->n_fields; i++) {
        const struct wf_field *field = &p->fields[i];
        const struct wf_value *value = wf_map_get(fields, field->id);
        bool is_empty = !is_given(value) || (value->type == WF_TEXT && value->u.text.len == 0);
        if (field->required && is_empty)
            add_missing(arena, list, "field", field->id, &field->title);
    }
    for (size_t i = 0; i < p->n_papers; i++) {
        const struct wf_paper *paper = &p->papers[i];
        if (is_needed(paper, fields, arena) && !is_handed_in(paper, papers))
            add_missing(arena, list, "paper", paper->id, &paper->title);
    }
    return wf_value_is_whole(list) ? list : NULL;
}

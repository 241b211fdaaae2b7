/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the columns of a CSV file mean. A file whose headers are not those of the settings is refused
 * whole: a column that is passed over in silence would be data lost. Texts of errors name columns of
 * the settings only; what the file holds in their place may be anybody's name.
 */
#include "folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ERROR_PREFIX "error_" /* columns that an earlier rejection has added */

/* ---- headers --------------------------------------------------------------------------------- */

static const struct column *find(const struct csv_map *map, struct wf_str header)
{
    for (size_t i = 0; i < map->n_columns; i++) {
        if (wf_str_is(header, map->columns[i].header))
            return &map->columns[i];
    }
    return NULL;
}

static bool is_of_rejection(struct wf_str header)
{
    return header.len > strlen(ERROR_PREFIX) &&
           memcmp(header.ptr, ERROR_PREFIX, strlen(ERROR_PREFIX)) == 0;
}

static const struct column *first_missing(const struct csv_map *map,
                                          const struct column *const *out, size_t n)
{
    for (size_t c = 0; c < map->n_columns; c++) {
        bool found = map->columns[c].optional;
        for (size_t i = 0; i < n && !found; i++)
            found = out[i] == &map->columns[c];
        if (!found)
            return &map->columns[c];
    }
    return NULL;
}

int columns_match(const struct csv_map *map, const struct csv *csv, const struct column **out,
                  struct place *place, struct wf_error *err)
{
    *place = (struct place){.line = 1};
    size_t unknown = 0;
    for (size_t i = 0; i < csv->n_columns; i++) {
        out[i] = find(map, csv->cells[i]);
        if (out[i] == NULL && !is_of_rejection(csv->cells[i]) && unknown == 0)
            unknown = i + 1;
        for (size_t k = 0; k < i && out[i] != NULL; k++) {
            if (out[k] == out[i])
                return wf_fail_field(err, WF_E_INVALID, out[i]->header,
                                     "line 1: column \"%s\" stands twice", out[i]->header);
        }
    }
    const struct column *missing = first_missing(map, out, csv->n_columns);
    if (missing != NULL && csv->n_columns == 1)
        return wf_fail_field(err, WF_E_INVALID, missing->header,
                             "line 1: there is one column only: the cells of this file are to be "
                             "separated by \"%c\"",
                             map->delimiter);
    if (missing != NULL)
        return wf_fail_field(err, WF_E_INVALID, missing->header,
                             "line 1: there is no column \"%s\"%s", missing->header,
                             unknown > 0 ? ", and one that is not known here" : "");
    if (unknown > 0)
        return wf_fail(err, WF_E_INVALID,
                       "line 1: the header of column %zu is not known here: take the column out, "
                       "or have the operator add it to folder.cfg",
                       unknown);
    *place = (struct place){0};
    return 0;
}

const char *columns_header(const struct csv_map *map, const char *field)
{
    for (size_t i = 0; i < map->n_columns; i++) {
        if (strcmp(map->columns[i].to, field) == 0)
            return map->columns[i].header;
    }
    return field;
}

/* ---- cells ----------------------------------------------------------------------------------- */

static bool is_one_of(const struct wf_texts *words, struct wf_str cell)
{
    for (size_t i = 0; i < words->n; i++) {
        const char *word = words->items[i];
        if (strlen(word) == cell.len && strncasecmp(word, cell.ptr, cell.len) == 0)
            return true;
    }
    return false;
}

/* Digits of one part of a date, where its letters stand in the form; -1 where they are none. */
static int digits_at(struct wf_str cell, const char *form, const char *letters)
{
    size_t at = (size_t)(strstr(form, letters) - form);
    int number = 0;
    for (size_t i = 0; i < strlen(letters); i++) {
        char c = cell.ptr[at + i];
        if (c < '0' || c > '9')
            return -1;
        number = number * 10 + (c - '0');
    }
    return number;
}

/* As the protocol writes dates; whether there is such a day is for the procedure to say. */
static const struct wf_value *date_of(const char *form, struct wf_str cell, struct wf_arena *arena)
{
    if (cell.len != strlen(form))
        return NULL;
    for (size_t i = 0; i < cell.len; i++) {
        if (strchr("dMy", form[i]) == NULL && cell.ptr[i] != form[i])
            return NULL;
    }
    int day = digits_at(cell, form, "dd");
    int month = digits_at(cell, form, "MM");
    int year = digits_at(cell, form, "yyyy");
    if (day < 1 || day > 31 || month < 1 || month > 12 || year < 1)
        return NULL;
    return wf_text(arena, wf_arena_printf(arena, "%04d-%02d-%02d", year, month, day));
}

static const struct wf_value *integer_of(struct wf_str cell, struct wf_arena *arena)
{
    char text[24];
    char *end = NULL;
    if (!wf_str_copy(cell, text, sizeof(text)) || strspn(text, "-0123456789") != cell.len)
        return NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' ? wf_int(arena, number) : NULL;
}

static const struct wf_value *number_of(struct wf_str cell, struct wf_arena *arena)
{
    char text[40];
    char *end = NULL;
    if (!wf_str_copy(cell, text, sizeof(text)) || strspn(text, "-.0123456789") != cell.len)
        return NULL;
    double number = strtod(text, &end);
    return end != text && *end == '\0' ? wf_number(arena, number) : NULL;
}

/* NULL where the cell is not what its column says. */
static const struct wf_value *convert(const struct csv_map *map, enum cell_type type,
                                      struct wf_str cell, struct wf_arena *arena)
{
    switch (type) {
    case CELL_TEXT:
        return wf_text_n(arena, cell.ptr, cell.len);
    case CELL_INTEGER:
        return integer_of(cell, arena);
    case CELL_NUMBER:
        return number_of(cell, arena);
    case CELL_BOOLEAN:
        if (is_one_of(&map->yes, cell))
            return &wf_true;
        return is_one_of(&map->no, cell) ? &wf_false : NULL;
    case CELL_DATE:
        return date_of(map->dates, cell, arena);
    }
    return NULL;
}

static int refuse_cell(const struct csv_map *map, const struct column *column, struct wf_error *err)
{
    static const char *const wanted[] = {[CELL_TEXT] = "a text",
                                         [CELL_INTEGER] = "a whole number",
                                         [CELL_NUMBER] = "a number such as 12.5",
                                         [CELL_BOOLEAN] = "one of the words for yes and no",
                                         [CELL_DATE] = "a date"};
    return wf_fail_field(err, WF_E_INVALID, column->to, "%s is wanted here%s%s",
                         wanted[column->type], column->type == CELL_DATE ? ", written " : "",
                         column->type == CELL_DATE ? map->dates : "");
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The groups of a body that columns may fill, made as they are needed. */
struct body {
    struct wf_arena *arena;
    struct wf_value *map;
    struct wf_value *fields, *agent, *data, *papers;
};

static struct wf_value *group_of(struct body *body, const char *to)
{
    struct wf_value **group = &body->data;
    if (wf_starts_with(to, "fields."))
        group = &body->fields;
    else if (wf_starts_with(to, "agent."))
        group = &body->agent;
    if (*group == NULL) {
        *group = wf_map(body->arena);
        char name[8] = "";
        (void)wf_str_copy((struct wf_str){to, strcspn(to, ".")}, name, sizeof(name));
        (void)wf_map_put(body->arena, body->map, name, *group);
    }
    return *group;
}

/* How many copies of a paper were handed in: a number, or a word for yes or no. */
static bool put_paper(struct body *body, const struct csv_map *map, const struct column *column,
                      struct wf_str cell)
{
    struct wf_arena *arena = body->arena;
    const struct wf_value *copies = integer_of(cell, arena);
    if (copies == NULL && is_one_of(&map->yes, cell))
        copies = wf_int(arena, 1);
    if (copies == NULL)
        return is_one_of(&map->no, cell);
    if (copies->u.integer == 0)
        return true;
    if (body->papers == NULL) {
        body->papers = wf_list(arena);
        (void)wf_map_put(arena, body->map, "papers", body->papers);
    }
    struct wf_value *paper = wf_map(arena);
    (void)wf_map_put(arena, paper, "id", wf_text(arena, column->to + strlen("papers.")));
    (void)wf_map_put(arena, paper, "kind", wf_text(arena, column->kind));
    (void)wf_map_put(arena, paper, "copies", copies);
    (void)wf_list_add(arena, body->papers, paper);
    return true;
}

static int put_cell(struct body *body, const struct csv_map *map, const struct column *column,
                    struct wf_str cell, struct wf_error *err)
{
    if (wf_starts_with(column->to, "papers."))
        return put_paper(body, map, column, cell)
                   ? 0
                   : wf_fail_field(err, WF_E_INVALID, column->to,
                                   "a number of copies is wanted here, or a word for yes or no");
    enum cell_type type = strcmp(column->to, "partial") == 0 ? CELL_BOOLEAN : column->type;
    const struct wf_value *value = convert(map, type, cell, body->arena);
    if (value == NULL)
        return refuse_cell(map, column, err);
    const char *dot = strchr(column->to, '.');
    (void)wf_map_put(body->arena, dot != NULL ? group_of(body, column->to) : body->map,
                     dot != NULL ? dot + 1 : column->to, value);
    return 0;
}

int columns_row(const struct csv_map *map, const struct column *const *columns,
                const struct wf_str *cells, size_t n, struct wf_arena *arena, struct wf_value **out,
                struct wf_error *err)
{
    struct body body = {.arena = arena, .map = wf_map(arena)};
    for (size_t i = 0; i < n; i++) {
        if (columns[i] == NULL || cells[i].len == 0)
            continue;
        int rc = put_cell(&body, map, columns[i], cells[i], err);
        if (rc != 0)
            return rc;
    }
    for (size_t g = 0; g < GIVENS; g++) {
        if (map->given[g] != NULL && wf_map_get(body.map, given_names[g]) == NULL)
            (void)wf_map_put(arena, body.map, given_names[g], wf_text(arena, map->given[g]));
    }
    *out = body.map;
    return 0;
}

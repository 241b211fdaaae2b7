/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dropped file in memory: JSON (a list of rows, {"rows": [...]}, or one row) or CSV. It is read
 * whole before the first row is asked, so that a file with a slip in its middle does nothing.
 *
 * A row is the body of dossier_submit, or of dossier_event where it has an `event`; what it lacks is
 * taken from the settings. Whether it is a message is for the message's own decoder to say.
 */
#include "folder.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#define BOM       "\xef\xbb\xbf"
#define LEVELS    (JSON_DEPTH_MAX + 2) /* the list and the object around the rows */
#define PARTS_MAX 1000000              /* of a JSON file, counted before memory is taken for them */

static const char *const error_columns[] = {"code", "message", "field", "cure", "cure_vi"};

/* ---- JSON ------------------------------------------------------------------------------------ */

static struct place place_of(const char *text, size_t offset)
{
    struct place place = {1, 1};
    for (size_t i = 0; i < offset; i++) {
        place.column += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (text[i] == '\n')
            place = (struct place){place.line + 1, 1};
    }
    return place;
}

/* Where the text has more parts than memory is taken for: their offset; else length. */
static size_t too_many(const char *text, size_t length)
{
    size_t parts = 0;
    bool in_text = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_text) {
            i += c == '\\';
            in_text = c != '"';
        } else if (c == '"') {
            in_text = true;
        } else if ((c == ',' || c == '[' || c == '{' || c == ':') && ++parts > PARTS_MAX) {
            return i;
        }
    }
    return length;
}

static int refuse_at(struct place at, const char *what, struct place *place, struct wf_error *err)
{
    *place = at;
    return wf_fail(err, WF_E_INVALID, "line %zu, column %zu: %s", at.line, at.column, what);
}

/* Jansson's own words would quote the text, which may be personal. */
static const char *what_is_wrong(enum json_error_code code)
{
    static const struct {
        enum json_error_code code;
        const char *text;
    } texts[] = {
        {json_error_premature_end_of_input, "the file ends too early: is it cut off?"},
        {json_error_invalid_utf8, "is not UTF-8: save the file as UTF-8"},
        {json_error_duplicate_key, "a name stands twice in one object"},
        {json_error_end_of_input_expected,
         "something follows the end of the list: write one list of all rows"},
        {json_error_null_character, "a NUL within a text"},
        {json_error_null_byte_in_key, "a NUL within a name"},
        {json_error_numeric_overflow, "a number that is too large"},
    };
    for (size_t i = 0; i < WF_COUNT(texts); i++) {
        if (texts[i].code == code)
            return texts[i].text;
    }
    return "is no JSON: look for a missing quote, comma or bracket before this place";
}

static int read_json(const struct folder_settings *settings, const char *text, size_t length,
                     struct sheet *out, struct place *place, struct wf_error *err)
{
    json_error_t why;
    size_t deep = json_too_deep(text, length, LEVELS);
    size_t many = too_many(text, length);
    if (deep < length)
        return refuse_at(place_of(text, deep), "more than 18 levels deep", place, err);
    if (many < length)
        return refuse_at(place_of(text, many), "more than a million parts: split the file", place,
                         err);
    out->json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (out->json == NULL) {
        if (json_error_code(&why) == json_error_out_of_memory)
            return wf_fail(err, WF_E_NOMEM, "out of memory");
        struct place at = {why.line > 0 ? (size_t)why.line : 1,
                           why.column > 0 ? (size_t)why.column : 1};
        return refuse_at(at, what_is_wrong(json_error_code(&why)), place, err);
    }
    json_t *rows = json_object_get(out->json, "rows");
    if (json_is_array(out->json))
        rows = out->json;
    if (rows == NULL) { /* one row without its list */
        rows = json_pack("[o]", out->json);
        out->json = rows;
        if (rows == NULL)
            return wf_fail(err, WF_E_NOMEM, "out of memory");
    }
    if (!json_is_array(rows))
        return refuse_at((struct place){1, 1}, "`rows` is no list", place, err);
    if (json_array_size(rows) > (size_t)settings->max_rows)
        return refuse_at((struct place){1, 1}, "more rows than are allowed: split the file", place,
                         err);
    out->rows = rows;
    out->n = json_array_size(rows);
    return 0;
}

static int json_row(const struct sheet *sheet, size_t i, struct wf_arena *arena,
                    struct wf_value **out, struct wf_error *err)
{
    json_t *row = json_array_get(sheet->rows, i);
    if (!json_is_object(row))
        return wf_fail(err, WF_E_INVALID, "a row is an object: {\"name\": value, ...}");
    if (json_count(row, JSON_OBJECTS_MAX) > JSON_OBJECTS_MAX)
        return wf_fail(err, WF_E_INVALID, "more than %d names and values in one row",
                       JSON_OBJECTS_MAX);
    struct wf_value *map = wf_map(arena);
    for (void *at = json_object_iter(row); at != NULL; at = json_object_iter_next(row, at)) {
        if (strcmp(json_object_iter_key(at), "error") != 0) /* of an earlier rejection */
            (void)wf_map_put(arena, map, json_object_iter_key(at),
                             json_value(json_object_iter_value(at), arena));
    }
    *out = map;
    return 0;
}

static int json_rejects(const struct sheet *sheet, const json_t *results, struct wf_buf *out,
                        struct wf_error *err)
{
    json_t *list = json_array();
    int rc = list != NULL ? 0 : -1;
    for (size_t i = 0; i < sheet->n && rc == 0; i++) {
        json_t *error = json_object_get(json_array_get(results, i), "error");
        json_t *row = json_array_get(sheet->rows, i);
        if (error == NULL)
            continue;
        json_t *copy = json_is_object(row) ? json_copy(row) : json_pack("{s:O}", "row", row);
        if (copy == NULL || json_object_set(copy, "error", error) != 0) {
            json_decref(copy);
            rc = -1;
        } else {
            rc = json_array_append_new(list, copy);
        }
    }
    char *text = rc == 0 ? json_dumps(list, JSON_INDENT(1)) : NULL;
    json_decref(list);
    if (text == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    wf_buf_text(out, text);
    wf_buf_text(out, "\n");
    free(text);
    return 0;
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static int read_csv(const struct folder_settings *settings, const struct folder_party *party,
                    const char *name, const char *text, size_t length, struct sheet *out,
                    struct place *place, struct wf_error *err)
{
    for (size_t i = 0; i < party->n_maps && out->map == NULL; i++) {
        if (fnmatch(party->maps[i].files, name, 0) == 0)
            out->map = &party->maps[i];
    }
    if (out->map == NULL)
        return wf_fail(err, WF_E_INVALID,
                       "folder.cfg has no columns for CSV files of this name: rename the file, or "
                       "have the operator add them");
    out->text = wf_alloc(length + 1);
    if (out->text == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    memcpy(out->text, text, length);
    int rc = csv_read(out->text, length, out->map->delimiter, (size_t)settings->max_rows, &out->csv,
                      place, err);
    if (rc != 0)
        return rc;
    out->columns = wf_alloc(out->csv.n_columns * sizeof(const struct column *));
    if (out->columns == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    out->n = out->csv.n_rows;
    return columns_match(out->map, &out->csv, out->columns, place, err);
}

static const struct wf_str *cells_of(const struct sheet *sheet, size_t row)
{
    return sheet->csv.cells + (row + 1) * sheet->csv.n_columns;
}

static int csv_row(const struct sheet *sheet, size_t i, struct wf_arena *arena,
                   struct wf_value **out, struct wf_error *err)
{
    return columns_row(sheet->map, sheet->columns, cells_of(sheet, i), sheet->csv.n_columns, arena,
                       out, err);
}

/* The cells of the columns that have a meaning, then what is in `more`. */
static void write_record(const struct sheet *sheet, const struct wf_str *cells, const json_t *error,
                         struct wf_buf *out)
{
    char delimiter[2] = {sheet->map->delimiter, '\0'};
    for (size_t i = 0; i < sheet->csv.n_columns; i++) {
        if (sheet->columns[i] == NULL)
            continue;
        csv_write_cell(out, cells[i], delimiter[0]);
        wf_buf_text(out, delimiter);
    }
    for (size_t i = 0; i < WF_COUNT(error_columns); i++) {
        const char *text = json_string_value(json_object_get(error, error_columns[i]));
        if (error == NULL)
            wf_buf_printf(out, "error_%s", error_columns[i]);
        else
            csv_write_cell(out, wf_str(text), delimiter[0]);
        wf_buf_text(out, i + 1 < WF_COUNT(error_columns) ? delimiter : "\r\n");
    }
}

static int csv_rejects(const struct sheet *sheet, const json_t *results, struct wf_buf *out)
{
    if (sheet->has_bom)
        wf_buf_text(out, BOM);
    write_record(sheet, sheet->csv.cells, NULL, out);
    for (size_t i = 0; i < sheet->n; i++) {
        const json_t *error = json_object_get(json_array_get(results, i), "error");
        if (error != NULL)
            write_record(sheet, cells_of(sheet, i), error, out);
    }
    return 0;
}

/* ---- both ------------------------------------------------------------------------------------ */

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name);
    return n > strlen(end) && strcasecmp(name + n - strlen(end), end) == 0;
}

int sheet_read(const struct folder_settings *settings, const struct folder_party *party,
               const char *name, const char *text, size_t length, struct sheet *out,
               struct place *place, struct wf_error *err)
{
    struct sheet sheet = {0};
    int rc;
    *place = (struct place){0};
    sheet.has_bom = length >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0;
    if (sheet.has_bom) {
        text += strlen(BOM);
        length -= strlen(BOM);
    }
    if (ends_in(name, ".json"))
        rc = read_json(settings, text, length, &sheet, place, err);
    else if (ends_in(name, ".csv"))
        rc = read_csv(settings, party, name, text, length, &sheet, place, err);
    else
        rc = wf_fail(err, WF_E_INVALID,
                     "the name tells no format: files are called something.json or something.csv, "
                     "of at most %d letters, digits and other visible characters",
                     NAME_MAX_BYTES);
    if (rc != 0) {
        sheet_free(&sheet);
        return rc;
    }
    *out = sheet;
    return 0;
}

void sheet_free(struct sheet *sheet)
{
    json_decref(sheet->json);
    csv_free(&sheet->csv);
    wf_free(sheet->columns);
    wf_free(sheet->text);
    memset(sheet, 0, sizeof(*sheet));
}

/* What the settings give, where the message has such a field and the row leaves it out. */
static void give(const struct folder_party *party, enum wf_message type, struct wf_arena *arena,
                 struct wf_value *map)
{
    const struct wf_message_info *info = wf_message_info(type);
    for (size_t f = 0; info != NULL && f < info->n_fields; f++) {
        const char *field = info->fields[f].name;
        for (size_t g = 0; g < GIVENS; g++) {
            if (party->given[g] != NULL && strcmp(given_names[g], field) == 0 &&
                wf_map_get(map, field) == NULL)
                (void)wf_map_put(arena, map, field, wf_text(arena, party->given[g]));
        }
    }
}

/* What the map gives to all rows may be no field of an event. */
static struct wf_value *only_fields(const struct wf_value *map, enum wf_message type,
                                    struct wf_arena *arena)
{
    struct wf_value *kept = wf_map(arena);
    const struct wf_message_info *info = wf_message_info(type);
    for (size_t i = 0; i < wf_value_count(map); i++) {
        const struct wf_pair *pair = &map->u.map.pairs[i];
        bool is_field = false;
        for (size_t f = 0; info != NULL && f < info->n_fields && !is_field; f++)
            is_field = wf_str_is(pair->key, info->fields[f].name);
        if (is_field)
            (void)wf_map_put_str(arena, kept, pair->key, pair->value);
    }
    return kept;
}

int sheet_row(const struct sheet *sheet, const struct folder_party *party, size_t i,
              struct wf_arena *arena, enum wf_message *out_type, const struct wf_value **out_body,
              struct wf_error *err)
{
    struct wf_value *map = NULL;
    int rc = sheet->map != NULL ? csv_row(sheet, i, arena, &map, err)
                                : json_row(sheet, i, arena, &map, err);
    if (rc != 0)
        return rc;
    enum wf_message type =
        wf_map_get(map, "event") != NULL ? WF_MSG_dossier_event : WF_MSG_dossier_submit;
    if (sheet->map != NULL)
        map = only_fields(map, type, arena);
    give(party, type, arena, map);
    if (!wf_value_is_whole(map))
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    *out_type = type;
    *out_body = map;
    return 0;
}

size_t sheet_line(const struct sheet *sheet, size_t i)
{
    return sheet->map != NULL ? sheet->csv.lines[i + 1] : 0;
}

int sheet_rejects(const struct sheet *sheet, const json_t *results, struct wf_buf *out,
                  struct wf_error *err)
{
    int rc = sheet->map != NULL ? csv_rejects(sheet, results, out)
                                : json_rejects(sheet, results, out, err);
    return rc == 0 && out->failed ? wf_fail(err, WF_E_NOMEM, "out of memory") : rc;
}

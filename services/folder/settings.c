/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CELL/folder.cfg: which parties exchange files, and what the columns of their CSV files mean. All
 * mistakes are told at once, each with its line.
 */
#include "folder.h"

#include <string.h>

#define KEY(type, name, kind, required, min, max, fallback, help)                                  \
    {                                                                                              \
#name, WF_KEY_##kind, offsetof(struct type, name), required, min, max, fallback, help      \
    }

/* The groups as they stand in the file. */
struct party_file {
    const char *party;
    bool events;
    const char *given[GIVENS];
    const struct wf_node *csv;
};

struct map_file {
    const char *files, *delimiter, *dates;
    struct wf_texts yes, no;
    const char *given[GIVENS];
    const struct wf_node *columns;
};

struct column_file {
    const char *header, *to, *type, *kind;
    bool optional;
};

#define GIVEN(type, which, name, help)                                                             \
    {                                                                                              \
        name, WF_KEY_TEXT, offsetof(struct type, given) + sizeof(const char *) * (which), false,   \
            1, 128, NULL, help                                                                     \
    }
#define GIVEN_KEYS(type)                                                                           \
    GIVEN(type, GIVEN_PROCEDURE, "procedure", "of rows that name none"),                           \
        GIVEN(type, GIVEN_CHANNEL, "channel", "of rows that name none"),                           \
        GIVEN(type, GIVEN_SITE, "site", "of rows that name none"),                                 \
        GIVEN(type, GIVEN_BY, "by", "acting person of rows that name none"),                       \
        GIVEN(type, GIVEN_ROLE, "role", "of rows that name none")

/* clang-format off */
const struct wf_key folder_keys[] = {
    ADAPTER_LOOP_KEYS(struct folder_settings, common),
    KEY(folder_settings, folder,       TEXT,     false, 1, 1024, "drop",             "the parties' folders, from this file's folder"),
    KEY(folder_settings, stable_ms,    DURATION, false, 50, 86400000, "10 seconds",  "a file not renamed in is whole when unchanged for so long"),
    KEY(folder_settings, keep_done_ms, DURATION, false, 1000, 31536000000.0, "30 days", "how long files that were done are kept"),
    KEY(folder_settings, max_bytes,    INT,      false, 1, 16777216, "4194304",      "largest file"),
    KEY(folder_settings, max_rows,     INT,      false, 1, 100000, "5000",           "most rows of a file"),
    KEY(folder_settings, max_out,      INT,      false, 1, 1000000, "10000",         "most files in out: beyond, nothing is taken"),
    {"parties", WF_KEY_NODE, offsetof(struct folder_settings, list), true, 0, 0, NULL, "who exchanges files"},
};
const size_t folder_n_keys = WF_COUNT(folder_keys);

static const struct wf_key party_keys[] = {
    KEY(party_file, party,  TEXT, true,  1, 32, NULL,    "its name in the registry: CELL/parties/NAME.cfg"),
    KEY(party_file, events, BOOL, false, 0, 0,  "false", "it gets news of its dossiers as files"),
    KEY(party_file, csv,    NODE, false, 0, 0,  NULL,    "its CSV files"),
    GIVEN_KEYS(party_file),
};

static const struct wf_key map_keys[] = {
    KEY(map_file, files,     TEXT,  true,  1, 100, NULL,         "pattern of the files' names"),
    KEY(map_file, delimiter, TEXT,  false, 1, 1,   ",",          "between two cells"),
    KEY(map_file, dates,     TEXT,  false, 8, 10,  "yyyy-MM-dd", "how dates are written"),
    KEY(map_file, yes,       TEXTS, false, 0, 0,   "yes true 1 x có", "words for true"),
    KEY(map_file, no,        TEXTS, false, 0, 0,   "no false 0 không", "words for false"),
    KEY(map_file, columns,   NODE,  true,  0, 0,   NULL,         "what each column means"),
    GIVEN(map_file, GIVEN_EVENT, "event", "the rows are this event, not new dossiers"),
    GIVEN_KEYS(map_file),
};

static const struct wf_key column_keys[] = {
    KEY(column_file, header,   TEXT, true,  1, 200, NULL,       "as in the first line of the file"),
    KEY(column_file, to,       TEXT, true,  1, 80,  NULL,       "member of the request"),
    KEY(column_file, type,     TEXT, false, 1, 8,   "text",     "text, integer, number, boolean, date"),
    KEY(column_file, kind,     TEXT, false, 1, 16,  "original", "of a paper"),
    KEY(column_file, optional, BOOL, false, 0, 0,   "false",    "the file may lack it"),
};

const char *const given_names[GIVENS] = {
    [GIVEN_PROCEDURE] = "procedure", [GIVEN_CHANNEL] = "channel", [GIVEN_SITE] = "site",
    [GIVEN_BY] = "by",               [GIVEN_ROLE] = "role",       [GIVEN_EVENT] = "event",
};
/* clang-format on */

void folder_help(struct wf_buf *out)
{
    wf_keys_help(folder_keys, folder_n_keys, out);
    wf_buf_text(out, "\nEach of `parties`:\n\n");
    wf_keys_help(party_keys, WF_COUNT(party_keys), out);
    wf_buf_text(out, "\nEach of `csv`:\n\n");
    wf_keys_help(map_keys, WF_COUNT(map_keys), out);
    wf_buf_text(out, "\nEach of `columns`:\n\n");
    wf_keys_help(column_keys, WF_COUNT(column_keys), out);
}

/* What is being read, and where its mistakes go. */
struct reading {
    struct wf_config *config;
    struct wf_report *report;
    struct wf_arena *arena;
    struct wf_error *err;
};

#define COMPLAIN(reading, node, ...)                                                               \
    wf_report_error((reading)->report, (node)->file, (node)->line, __VA_ARGS__)

static bool read_keys(struct reading *r, const struct wf_node *node, const struct wf_key *keys,
                      size_t n, void *out)
{
    int rc = wf_keys_read(r->config, node, keys, n, out, r->report, r->err);
    if (rc == WF_E_NOMEM)
        COMPLAIN(r, node, "out of memory");
    return rc == 0;
}

static void *room_for(struct reading *r, const struct wf_node *list, size_t most, size_t size)
{
    size_t n = wf_node_count(list);
    if (list->type != WF_NODE_LIST || n == 0 || n > most) {
        COMPLAIN(r, list, "%s: a list of 1 to %zu groups is wanted: ( { ... }, { ... } )",
                 list->name, most);
        return NULL;
    }
    void *room = wf_arena_alloc(r->arena, n * size);
    if (room == NULL)
        COMPLAIN(r, list, "%s: out of memory", list->name);
    return room;
}

/* ---- columns --------------------------------------------------------------------------------- */

static bool is_word(const char *text)
{
    return text[0] != '\0' && strlen(text) <= 64 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}

static bool is_target(const char *to)
{
    static const char *const plain[] = {"procedure", "channel", "site",    "by",
                                        "role",      "partial", "dossier", "event"};
    static const char *const groups[] = {"fields.", "agent.", "data.", "papers."};
    for (size_t i = 0; i < WF_COUNT(plain); i++) {
        if (strcmp(to, plain[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < WF_COUNT(groups); i++) {
        if (wf_starts_with(to, groups[i]))
            return is_word(to + strlen(groups[i]));
    }
    return false;
}

static void check_type(struct reading *r, const struct wf_node *node, const char *word,
                       enum cell_type *out)
{
    static const char *const words[] = {"text", "integer", "number", "boolean", "date"};
    for (size_t i = 0; i < WF_COUNT(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = (enum cell_type)i;
            return;
        }
    }
    COMPLAIN(r, node, "type: \"%s\" is none: write text, integer, number, boolean or date", word);
}

static void read_column(struct reading *r, const struct wf_node *node, const struct csv_map *map,
                        size_t before, struct column *out)
{
    struct column_file file = {0};
    if (!read_keys(r, node, column_keys, WF_COUNT(column_keys), &file))
        return;
    *out = (struct column){file.header, file.to, CELL_TEXT, file.kind, file.optional};
    check_type(r, node, file.type, &out->type);
    if (!is_target(file.to))
        COMPLAIN(r, node,
                 "to: \"%s\" is no member of a request: write procedure, channel, site, by, role, "
                 "partial, dossier, event, fields.ID, agent.ID, papers.ID or data.ID",
                 file.to);
    for (size_t i = 0; i < before; i++) {
        const struct column *other = &map->columns[i];
        if (other->header != NULL && strcmp(other->header, file.header) == 0)
            COMPLAIN(r, node, "header: \"%s\" stands twice: keep one of them", file.header);
        if (other->to != NULL && strcmp(other->to, file.to) == 0)
            COMPLAIN(r, node, "to: \"%s\" is filled twice: keep one of them", file.to);
    }
}

/* ---- maps ------------------------------------------------------------------------------------ */

/* dd, MM and yyyy once each, with the same signs between them or none. */
static bool is_date_form(const char *form)
{
    const char *day = strstr(form, "dd");
    const char *month = strstr(form, "MM");
    const char *year = strstr(form, "yyyy");
    size_t signs = 0;
    for (const char *c = form; *c != '\0'; c++)
        signs += strchr("dMy", *c) == NULL;
    return day != NULL && month != NULL && year != NULL && strlen(form) == 8 + signs &&
           strpbrk(form, "\",;0123456789") == NULL;
}

static void read_map(struct reading *r, const struct wf_node *node, struct csv_map *out)
{
    struct map_file file = {0};
    if (!read_keys(r, node, map_keys, WF_COUNT(map_keys), &file))
        return;
    *out = (struct csv_map){.files = file.files,
                            .delimiter = file.delimiter[0],
                            .dates = file.dates,
                            .yes = file.yes,
                            .no = file.no};
    memcpy(out->given, file.given, sizeof(out->given));
    if (strchr(",;|\t", out->delimiter) == NULL)
        COMPLAIN(r, node, "delimiter: write \",\", \";\", \"|\" or \"\\t\"");
    if (!is_date_form(file.dates))
        COMPLAIN(r, node, "dates: \"%s\" is no form of a date: write one such as \"dd/MM/yyyy\"",
                 file.dates);
    out->columns = room_for(r, file.columns, 200, sizeof(*out->columns));
    out->n_columns = out->columns != NULL ? wf_node_count(file.columns) : 0;
    for (size_t i = 0; i < out->n_columns; i++)
        read_column(r, wf_node_at(file.columns, i), out, i, &out->columns[i]);
}

/* ---- parties --------------------------------------------------------------------------------- */

static void read_party(struct reading *r, const struct wf_node *node,
                       const struct folder_settings *all, size_t before, struct folder_party *out)
{
    struct party_file file = {0};
    if (!read_keys(r, node, party_keys, WF_COUNT(party_keys), &file))
        return;
    *out = (struct folder_party){.name = file.party, .events = file.events};
    memcpy(out->given, file.given, sizeof(out->given));
    if (file.party[0] == '.' ||
        file.party[strspn(file.party, "abcdefghijklmnopqrstuvwxyz0123456789-._")] != '\0')
        COMPLAIN(r, node, "party: \"%s\" is no party's name: a-z 0-9 - . _ are allowed",
                 file.party);
    for (size_t i = 0; i < before; i++) {
        if (all->parties[i].name != NULL && strcmp(all->parties[i].name, file.party) == 0)
            COMPLAIN(r, node, "party: \"%s\" stands twice: keep one of them", file.party);
    }
    if (file.csv == NULL)
        return;
    out->maps = room_for(r, file.csv, 64, sizeof(*out->maps));
    out->n_maps = out->maps != NULL ? wf_node_count(file.csv) : 0;
    for (size_t i = 0; i < out->n_maps; i++)
        read_map(r, wf_node_at(file.csv, i), &out->maps[i]);
}

int folder_check(struct adapter *a, struct wf_report *report, struct wf_error *err)
{
    struct folder_settings *s = a->settings;
    struct reading r = {a->config, report, a->texts, err};
    if (s->folder[0] != '/')
        s->folder = wf_arena_printf(a->texts, "%s/%s", a->folder, s->folder);
    if (s->folder == NULL)
        return wf_fail(err, WF_E_NOMEM, "read the settings: out of memory");
    s->parties = room_for(&r, s->list, 64, sizeof(*s->parties));
    s->n_parties = s->parties != NULL ? wf_node_count(s->list) : 0;
    for (size_t i = 0; i < s->n_parties; i++)
        read_party(&r, wf_node_at(s->list, i), s, i, &s->parties[i]);
    return 0;
}

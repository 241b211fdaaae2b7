/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/folder/folder.h - hoso-folder: dossiers and events by files, for systems that exchange
 * nothing else.
 *
 * PURPOSE    A party drops a file of rows; each row becomes one request in that party's name, and
 *            each file gets one result. What was refused comes back in the same format, to be
 *            mended and dropped again. News of the party's dossiers come as files too.
 * CONCEPTS   drop     the folder of one party: in, out, rejected, done, and .work, which is ours
 *            sheet    a file that was read: rows and how they become requests
 *            job      one file on its way from in to done
 *            result   one row's answer or error; all of them are out/NAME.result.json
 *            label    the file's name, or NAME.2 ... where a result of that name still lies there
 * LIFE CYCLE in/NAME -> .work/0+NAME (claimed) -> .work/N+NAME (a copy that nobody else can change)
 *            -> rows are asked -> rejected, done/HASH.result.json, out/LABEL.result.json, each
 *            written aside, synced and renamed -> done/HASH-NAME. Whatever is found in .work at the
 *            start is gone through again: ids made of party, hash and row give the same answers.
 * DANGERS    in is written by others: nothing in it is followed, opened before it is claimed, or
 *            trusted to stay as it is. Files' names and contents never go to the log.
 */
#ifndef HOSO_FOLDER_H
#define HOSO_FOLDER_H

#include "adapter/adapter.h"
#include "json.h"
#include "workflow/clock.h"
#include "workflow/hash.h"

#define NAME_MAX_BYTES  150 /* of a dropped file's name */
#define LABEL_MAX_BYTES (NAME_MAX_BYTES + 12)

/* ---- settings: CELL/folder.cfg (settings.c) -------------------------------------------------- */

/* Members of a row that the settings can give where the file does not. */
enum given {
    GIVEN_PROCEDURE,
    GIVEN_CHANNEL,
    GIVEN_SITE,
    GIVEN_BY,
    GIVEN_ROLE,
    GIVEN_EVENT,
    GIVENS
};
extern const char *const given_names[GIVENS];

enum cell_type { CELL_TEXT, CELL_INTEGER, CELL_NUMBER, CELL_BOOLEAN, CELL_DATE };

struct column {
    const char *header;
    const char *to; /* "dossier", "fields.full_name", "papers.declaration", ... */
    enum cell_type type;
    const char *kind; /* of a paper */
    bool optional;    /* the file may lack it */
};

struct csv_map {
    const char *files; /* pattern of names: "births-*.csv" */
    char delimiter;
    const char *dates;       /* "dd/MM/yyyy" */
    struct wf_texts yes, no; /* words of a boolean */
    const char *given[GIVENS];
    struct column *columns;
    size_t n_columns;
};

struct folder_party {
    const char *name;
    bool events; /* news of its dossiers are written to out */
    const char *given[GIVENS];
    struct csv_map *maps;
    size_t n_maps;
};

struct folder_settings {
    struct adapter_settings common;
    const char *folder; /* made absolute */
    int64_t stable_ms, keep_done_ms;
    int64_t max_bytes, max_rows, max_out;
    const struct wf_node *list;
    struct folder_party *parties;
    size_t n_parties;
};

extern const struct wf_key folder_keys[];
extern const size_t folder_n_keys;

void folder_help(struct wf_buf *out); /* all settings, as wf_keys_help prints them */

/* What the table cannot say: parties, maps, columns. */
int folder_check(struct adapter *a, struct wf_report *report, struct wf_error *err) WF_CHECKED;

/* ---- CSV (csv.c, columns.c) ------------------------------------------------------------------ */

/* Where a file is wrong; 0 = not known. */
struct place {
    size_t line, column;
};

/* RFC 4180. The first record holds the headers; all have as many cells as it has. */
struct csv {
    struct wf_str *cells; /* of the headers, then row by row; they lie in the text */
    size_t *lines;        /* of each row, the headers' first */
    size_t n_columns;
    size_t n_rows; /* without the headers */
};

/* `text` is changed: quotes are taken off in place. */
int csv_read(char *text, size_t length, char delimiter, size_t max_rows, struct csv *out,
             struct place *place, struct wf_error *err) WF_CHECKED;
void csv_free(struct csv *csv);
void csv_write_cell(struct wf_buf *out, struct wf_str cell, char delimiter);

/* Which column of the map each of the file's is; NULL for those of an earlier rejection. */
int columns_match(const struct csv_map *map, const struct csv *csv, const struct column **out,
                  struct place *place, struct wf_error *err) WF_CHECKED;
/* One row as the body of a request. */
int columns_row(const struct csv_map *map, const struct column *const *columns,
                const struct wf_str *cells, size_t n, struct wf_arena *arena, struct wf_value **out,
                struct wf_error *err) WF_CHECKED;
/* The header of what the request calls "fields.phone"; or the name itself. */
const char *columns_header(const struct csv_map *map, const char *field);

/* ---- sheets (sheet.c) ------------------------------------------------------------------------ */

struct sheet {
    char *text; /* of CSV: its cells lie in it */
    struct csv csv;
    const struct csv_map *map; /* NULL = JSON */
    const struct column **columns;
    bool has_bom;
    json_t *json, *rows; /* of JSON; rows is part of json */
    size_t n;            /* rows */
};

/* Reads the whole file or refuses it, with its place. `name` chooses the format. */
int sheet_read(const struct folder_settings *settings, const struct folder_party *party,
               const char *name, const char *text, size_t length, struct sheet *out,
               struct place *place, struct wf_error *err) WF_CHECKED;
void sheet_free(struct sheet *sheet);

/* Row i (from 0) as the body of a message, with what the settings give. */
int sheet_row(const struct sheet *sheet, const struct folder_party *party, size_t i,
              struct wf_arena *arena, enum wf_message *out_type, const struct wf_value **out_body,
              struct wf_error *err) WF_CHECKED;
size_t sheet_line(const struct sheet *sheet, size_t i); /* 0 = not known */

/* The rows whose result holds an error, in the file's own format, with the error beside them. */
int sheet_rejects(const struct sheet *sheet, const json_t *results, struct wf_buf *out,
                  struct wf_error *err) WF_CHECKED;

/* ---- results (result.c) ---------------------------------------------------------------------- */

/* NULL when memory is out. */
json_t *result_of_answer(size_t row, const struct wf_msg_dossier_state *state);
json_t *result_of_error(size_t row, size_t line, const char *field, const struct wf_error *err);
json_t *error_json(const struct wf_error *err, const char *field, const struct place *place);
const char *cure_of(int code, bool in_vietnamese);
json_t *time_json(int64_t ms); /* "2026-11-23T16:30:00+07:00"; null for 0 */

/* ---- files (files.c) ------------------------------------------------------------------------- */

enum drop_dir { DIR_IN, DIR_OUT, DIR_REJECTED, DIR_DONE, DIR_WORK, DIRS };

/* One process at a time works in the drop folder; WF_E_STATE where one does already. */
int folder_lock(const char *folder, int *out, struct wf_error *err) WF_CHECKED;

/* Opens (and makes, where they are missing) the folders of a party, none through a link. */
int dirs_open(const char *folder, const char *party, int dirs[DIRS],
              struct wf_error *err) WF_CHECKED;
void dirs_close(int dirs[DIRS]);

/* A regular file of at most `max` bytes, read whole, with a NUL behind it; for wf_free. */
int file_read(int dir, const char *name, size_t max, char **out, size_t *out_length,
              struct wf_error *err) WF_CHECKED;
/* Written aside in .work, synced, renamed to its place, and the folder synced. */
int file_put(const int dirs[DIRS], enum drop_dir to, const char *name, const void *bytes,
             size_t length, struct wf_error *err) WF_CHECKED;
int file_put_json(const int dirs[DIRS], enum drop_dir to, const char *name, const json_t *json,
                  struct wf_error *err) WF_CHECKED;
/* Moved, and both folders synced; what has the new name is replaced. */
int file_move(const int dirs[DIRS], enum drop_dir from, const char *name, enum drop_dir to,
              const char *new_name, struct wf_error *err) WF_CHECKED;
bool file_exists(int dir, const char *name);

/* Calls back for each name but those that begin with "."; stops where it gives false. */
typedef bool name_fn(void *context, const char *name);
int dir_each(int dir, name_fn *fn, void *context, struct wf_error *err) WF_CHECKED;

/* ---- names (names.c) ------------------------------------------------------------------------- */

bool name_is_finished(const char *name); /* false: it says that it is still being written */
bool name_is_good(const char *name);
void name_make_safe(const char *name, char out[NAME_MAX_BYTES + 1]);
void name_of_label(const char *name, unsigned number, char out[LABEL_MAX_BYTES + 1]);
/* "3+rows.csv" -> 3 and "rows.csv"; false for other names. */
bool name_of_work(const char *work, unsigned *out_number, const char **out_name);

/* ---- one party's folder (job.c, take.c, news.c, drop.c) -------------------------------------- */

struct job {
    bool is_open;
    char work[LABEL_MAX_BYTES + 1]; /* its name in .work */
    char name[NAME_MAX_BYTES + 1];  /* as it was dropped */
    char label[LABEL_MAX_BYTES + 1];
    char hash[2 * WF_HASH_BYTES + 1];
    struct sheet sheet;
    json_t *known;   /* results of an earlier time, or NULL */
    json_t *results; /* so far */
    size_t refused;
};

struct drop_figures {
    int64_t files, files_refused, rows, rows_refused, news;
};

#define WHOLE_MAX 64
#define READY_MAX 64

/* A file in `in` that may be taken. */
struct ready {
    char name[256];
    int64_t changed_ns;
};

struct drop {
    const struct folder_settings *settings;
    const struct folder_party *party;
    int dirs[DIRS]; /* -1 while the folders cannot be opened */
    int notify;     /* inotify; -1 = there is none */
    int watch;      /* of in */
    struct wf_client *client;
    struct wf_arena *arena;
    struct job job;
    char whole[WHOLE_MAX][NAME_MAX_BYTES + 1]; /* renamed in: not waited for */
    size_t n_whole;
    struct ready ready[READY_MAX]; /* found by the last look, oldest first */
    size_t n_ready;
    bool stirred;       /* something happened in `in` */
    int64_t look_at_ms; /* monotonic */
    int64_t news_at_ms;
    int64_t tidy_at_ms;
    int64_t say_at_ms;              /* what cannot be taken is told from then on */
    struct adapter_backoff backoff; /* the cell or the disk is away */
    int trouble;                    /* what was last told of it, WF_E_* */
    uint64_t acknowledged;          /* of the journal, in this life */
    struct drop_figures figures;
};

int drop_open(struct drop *drop, const struct folder_settings *settings,
              const struct folder_party *party, const char *run, struct wf_error *err) WF_CHECKED;
void drop_close(struct drop *drop);
/* Does a bounded piece of what is to do; gives when it wants to go on (monotonic ms). */
int64_t drop_run(struct drop *drop, int64_t now_ms);

/* take.c: the next file that is ready becomes .work/N+NAME. WF_NONE = there is none. */
int take_next(struct drop *drop, char out_work[LABEL_MAX_BYTES + 1],
              struct wf_error *err) WF_CHECKED;

/* job.c. WF_NONE = it is done. */
int job_begin(struct drop *drop, const char *work, struct wf_error *err) WF_CHECKED;
int job_step(struct drop *drop, struct wf_error *err) WF_CHECKED;
void job_drop(struct job *job);

/* news.c: writes a page of what the journal has, and acknowledges it. WF_NONE = that was all. */
int news_write(struct drop *drop, struct wf_error *err) WF_CHECKED;

#endif

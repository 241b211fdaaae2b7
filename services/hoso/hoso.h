/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/hoso/hoso.h - the command that operators and clerks type.
 *
 * PURPOSE    What all verbs share: options, the cell they work on, errors, output.
 * CONCEPTS   verb     one or two words ("list", "task claim"); one row of the table in verbs.c
 *            option   long options only; every verb says which it takes, the values lie in opt[]
 *            answer   a verb makes a value; --json prints it whole, people get a table of it
 * LIFE CYCLE main reads options -> the verb opens what it needs (hoso_cell, hoso_store ...) -> main
 *            closes everything and turns the code into an exit code
 * ERRORS     verbs return 0, a negative WF_E_* with h->err filled, or HOSO_FAILED when the reason
 *            has been printed already. main prints the one line.
 */
#ifndef HOSO_HOSO_H
#define HOSO_HOSO_H

#include <stdio.h>

#include "workflow/client.h"
#include "workflow/service.h"

/* Exit codes, in their order from 0. */
/* clang-format off */
#define HOSO_EXITS(X)                                                                              \
    X(DONE,        "done")                                                                         \
    X(REFUSED,     "refused or failed")                                                            \
    X(USAGE,       "usage or settings wrong")                                                      \
    X(NOT_FOUND,   "not found")                                                                    \
    X(UNREACHABLE, "worker not reachable")
/* clang-format on */

enum hoso_exit {
#define X(name, meaning) EXIT_##name,
    HOSO_EXITS(X)
#undef X
};

/* A verb's answer: failed, and the reason is printed. No WF_E_* has this number. */
#define HOSO_FAILED (-1000)

/* All options of all verbs. */
/* clang-format off */
#define HOSO_OPTIONS(X)                                                                            \
    X(CELL,       "cell",        "DIR",    "the cell's folder (else $HOSO_CELL, else ./)")         \
    X(JSON,       "json",        NULL,     "answer as JSON, times in ms since 1970 UTC")           \
    X(LANG,       "lang",        "vi|en",  "language of headings and titles (en)")                 \
    X(NAME,       "name",        "NAME",   "name of the cell: a-z, 0-9, - (the folder's name)")    \
    X(TRAINING,   "training",    "RATE[:START]", "training cell: RATE seconds pass in one, from "  \
                                           "START (YYYY-MM-DD[THH:MM])")                           \
    X(CONFIG,     "config-from", "DIR",    "copy the configuration files from here")               \
    X(PROCEDURES, "procedures",  "DIR",    "install all definitions of this folder")               \
    X(WORKERS,    "workers",     "DIR",    "where the five hoso-* workers are")                    \
    X(STATE,      "state",       "STATE",  "dossiers in this state")                               \
    X(PROCEDURE,  "procedure",   "CODE",   "dossiers of this procedure")                           \
    X(SITE,       "site",        "CODE",   "received at this site")                                \
    X(DUE_BEFORE, "due-before",  "DATE",   "open ones due before YYYY-MM-DD, soonest first")   \
    X(OVERDUE,    "overdue",     NULL,     "open dossiers whose due date has passed")              \
    X(OPEN,       "open",        NULL,     "open dossiers only")                                   \
    X(MAX,        "max",         "N",      "at most N rows (100; 0 = all)")                        \
    X(AFTER,      "after",       "ID",     "go on after the dossier with this id")                 \
    X(UNMASK,     "unmask",      NULL,     "show personal data in full")                           \
    X(BY,         "by",          "PERSON", "who acts: an account (else $HOSO_BY)")                 \
    X(ROLE,       "role",        "ROLE",   "in which role (else $HOSO_ROLE)")                      \
    X(DATA,       "data",        "JSON",   "the event's data, a JSON object")                      \
    X(ID,         "id",          "ID",     "request id: the same id is carried out once")          \
    X(TIMEOUT,    "timeout",     "SECONDS", "wait so long for the worker (10)")                    \
    X(ACTIVITY,   "activity",    "NAME",   "tasks of this activity")                               \
    X(TO,         "to",          "ADDRESS", "of this address: site, agency, gateway; * = any")     \
    X(LEASE,      "lease",       "SECONDS", "length of the lease (600)")                           \
    X(WAIT,       "wait",        "SECONDS", "wait so long for a task to come (0)")                 \
    X(RETRY,      "retry",       "SECONDS", "try again after (else the service's own back-off)")   \
    X(FINAL,      "final",       NULL,     "no further try makes sense")                           \
    X(SOURCE,     "source",      NULL,     "print the definition's text as it was installed")      \
    X(SERVICE,    "service",     "NAME",   "of this service only")                                 \
    X(DEAD,       "dead",        NULL,     "the dead letters: what failed for good")               \
    X(ALL,        "all",         NULL,     "all dead letters that the other options let through")  \
    X(HELD,       "held",        NULL,     "what holds put aside, or the portal refused")        \
    X(ERROR,      "error",       "CODE",   "whose last failure has this code: internal, failed ...") \
    X(OLDER,      "older",       "LENGTH", "given up at least so long ago: 90 minutes, 2 days")    \
    X(SET,        "set",         "NAME=JSON", "params.NAME, or to of a task; may be given again")  \
    X(RESULT,     "result",      "JSON",   "the work's result, a JSON object")                     \
    X(FAILED,     "failed",      NULL,     "the work counts as failed: error.communication")       \
    X(STOP,       "stop",        NULL,     "then end `hoso run`")                                  \
    X(REASON,     "reason",      "TEXT",   "why; goes into the journal")                           \
    X(SETTLE,     "settle",      NULL,     "at the end let time run until no timer is armed")      \
    X(DOT,        "dot",         NULL,     "the drawing as Graphviz text (the default)")           \
    X(SVG,        "svg",         NULL,     "the drawing as SVG: needs Graphviz")                   \
    X(COUNTS,     "counts",      NULL,     "write the cell's open dossiers into the drawing")      \
    X(TITLE_VI,   "title-vi",    "TEXT",   "name of the procedure in Vietnamese")                  \
    X(TITLE_EN,   "title-en",    "TEXT",   "name of the procedure in English")                     \
    X(EVENTS,     "events",      "FILE",   "what happens, as JSON; - is standard input")           \
    X(RANDOM,     "random",      "N",      "N walks at random (1)")                                \
    X(SEED,       "seed",        "N",      "of the first walk: the same seed, the same walk (1)")  \
    X(START,      "start",       "MOMENT", "received at YYYY-MM-DD[THH:MM] (2026-11-23T08:00)")    \
    X(FORMAT,     "format",      "WORD",   "of the file: xes, csv; scxml")                         \
    X(FROM,       "from",        "SEQ",    "from this number of the journal on (export: 1, follow: now)") \
    X(DOSSIER,    "dossier",     "CODE",   "of this dossier only")                                 \
    X(EVENT,      "event",       "PATTERN", "events that it names: done.invoke, deadline.*, *")    \
    X(KIND,       "kind",        "KIND",   "counter, desk, agency, gateway, courier, portal ...")  \
    X(ORGANISATION, "organisation", "TEXT", "who runs the party's system")                         \
    X(SITES,      "sites",       "LIST",   "sites whose dossiers it may see; a,b or *")            \
    X(ADDRESSES,  "addresses",   "LIST",   "further addresses whose tasks it may do")              \
    X(ROLES,      "roles",       "LIST",   "roles that it may assert for its staff")               \
    X(SUBMIT,     "submit",      "LIST",   "procedures that it may submit; * = all")               \
    X(ACTIVITIES, "activities",  "LIST",   "activities whose tasks it may fetch; * = all")         \
    X(JOURNAL,    "journal",     NULL,     "it may read the journal of what it may see")           \
    X(KEY,        "key",        "FILE",   "key file of the station, from party add")               \
    X(RELAY,      "relay",      NULL,     "it is a station that hands over in sequence")           \
    X(RATE,       "rate",        "N",      "requests a second (else as gate_rate says)")           \
    X(PUBLIC_KEY, "public-key",  "KEY",    "a key that the party has made itself")                 \
    X(ENDPOINT,   "endpoint",    "ADDRESS", "tcp://HOST:PORT of the gate (gate_listen)")           \
    X(OUTPUT,     "output",      "FILE",   "write to this file (standard output)")                 \
    X(DRY_RUN,    "dry-run",     NULL,     "show what would be done; change nothing")              \
    X(QUICK,      "quick",       NULL,     "do not read the scanned papers, nor the archive")      \
    X(CHECK,      "check",       NULL,     "look at all that comes before the first worker, and end") \
    X(CLOCK_OK,   "clock-ok",    NULL,     "start although the clock seems to be wrong")           \
    X(ARCHIVE,    "archive",     "DIR",    "bring it forward by the changes of this archive")      \
    X(UNTIL,      "until",       "WHEN",   "not beyond YYYY-MM-DDTHH:MM[:SS], or this number of "  \
                                           "the journal")                                          \
    X(SKIP_NUMBERS, "skip-numbers", "N",   "of each series, as they may have been given (1000)")    \
    X(MOVE,       "move",        NULL,     "move what waits now")                                  \
    X(OFF,        "off",         NULL,     "end recording; what waits is dropped")                 \
    X(FIRST_DAY,  "first-day",   "DATE",   "first day of reception (30 days ago)")                 \
    X(LAST_DAY,   "last-day",    "DATE",   "last day of reception (today)")                        \
    X(NO_COPY,    "no-copy",     NULL,     "do not keep the old file")                             \
    X(MAP,        "map",         "OLD=NEW,...", "states of FROM that have another name in TO")     \
    X(LISTEN,     "listen",      "ADDR:PORT", "serve over HTTP, such as 127.0.0.1:9464; port 0 = any")   \
    X(BATCH,      "batch",       "N",      "dossiers in one transaction (200)")
/* clang-format on */

enum hoso_option {
#define X(key, name, arg, help) OPT_##key,
    HOSO_OPTIONS(X)
#undef X
        OPT_COUNT
};

#define HOSO_SETS_MOST 32

struct hoso;

struct hoso_verb {
    const char *name;    /* "list" or "task claim" */
    const char *args;    /* "CODE EVENT", "FILE..." */
    int least, most;     /* how many of them; most < 0 = any number */
    const char *summary; /* one line for the list of verbs */
    const char *manual;  /* what `hoso VERB --help` says beside the options; NULL = nothing more */
    int (*run)(struct hoso *h);
    enum hoso_option options[16]; /* ends at the first OPT_CELL (0): that one every verb has */
};

/* All verbs, in the order in which --help lists them. */
extern const struct hoso_verb hoso_verbs[];
extern const size_t hoso_n_verbs;

struct hoso {
    const struct hoso_verb *verb;
    const char *opt[OPT_COUNT];       /* NULL = not given; "" for an option without value */
    const char *sets[HOSO_SETS_MOST]; /* all that --set was given */
    size_t n_sets;
    char **args;
    int n_args;
    bool json;
    bool vi;
    struct wf_error err;
    struct wf_arena *arena;

    /* opened on demand, closed by main */
    char folder[4096];   /* of the cell, absolute; "" until hoso_cell */
    const char *acts_as; /* the cell's owner, where root gave itself up for it; else NULL */
    bool has_settings;
    struct wf_settings settings;
    struct wf_registry *registry;
    struct wf_calendar *calendar;
    struct wf_store *store;
    struct wf_client *client;
    struct hoso_known *known; /* procedures read so far */
};

/* ---- the cell (cell.c) -------------------------------------------------------------------- */

/* Each opens what it needs before it; a second call does nothing. */
int hoso_cell(struct hoso *h) WF_CHECKED; /* folder and settings */
int hoso_registry(struct hoso *h) WF_CHECKED;
int hoso_calendar(struct hoso *h) WF_CHECKED;
int hoso_store(struct hoso *h, bool write) WF_CHECKED; /* and the calendar, for dates */
/* Is the cell's folder that of a station (station.h)? WF_E_CONFIG where it is: the verb works on a
 * store of dossiers, and the error says what to use instead. */
bool hoso_is_station(const struct hoso *h);
int hoso_needs_cell(struct hoso *h) WF_CHECKED;
int hoso_client(struct hoso *h) WF_CHECKED;
void hoso_close(struct hoso *h);

/*
 * For root: from here on, and for good, with the rights of the account that owns the folder, or the
 * nearest one above it that is there. hoso_cell does it; a verb that makes a folder before (owner.c).
 */
int hoso_become_owner(struct hoso *h, const char *folder) WF_CHECKED;

/* FOLDER/NAME; false where that is too long. */
bool hoso_path(char out[4096], const char *folder, const char *name);

/* Adds the whole file ("-" is standard input) to *out. */
int hoso_read_file(struct hoso *h, const char *name, size_t most_bytes,
                   struct wf_buf *out) WF_CHECKED;

/* Prints the messages of a report to standard error; HOSO_FAILED where there were errors. */
int hoso_print_report(const struct wf_report *report);

/* Activities, roles, channels and templates, as procedures may name them. */
int hoso_full_catalogue(struct hoso *h, struct wf_catalogue *out) WF_CHECKED;

/* The configuration delivered with the program: --config-from, or beside it; WF_E_CONFIG. */
int hoso_delivered(struct hoso *h, char out[4096]) WF_CHECKED;
int hoso_program_folder(struct hoso *h, char out[4096]) WF_CHECKED;

/* The definition a dossier runs by, compiled once; NULL when it cannot be had. */
const struct wf_procedure *hoso_known_procedure(struct hoso *h, struct wf_txn *txn,
                                                struct wf_str code, uint64_t version);

/* Runs fn inside a read transaction. */
int hoso_read(struct hoso *h, int (*fn)(struct hoso *h, struct wf_txn *txn, void *context),
              void *context) WF_CHECKED;

/* WF_E_CONFIG where the host's clock cannot be right, unless --clock-ok (clock.c). */
int hoso_check_clock(struct hoso *h) WF_CHECKED;

/* An engine over the cell's store with all activities, procedures loaded; close it with
 * wf_engine_close (operate.c). */
int hoso_engine(struct hoso *h, struct wf_engine **out) WF_CHECKED;

/* A write transaction for operators' acts, in an arena that is emptied first; ends in a commit or
 * wf_txn_abort (operate.c). */
int hoso_turn(struct hoso *h, struct wf_engine *engine, struct wf_arena *arena,
              struct wf_turn *out) WF_CHECKED;

/* ---- options (arguments.c) ----------------------------------------------------------------- */

bool hoso_has(const struct hoso *h, enum hoso_option option);
struct wf_str hoso_text(const struct hoso *h, enum hoso_option option); /* "" when not given */
int hoso_number(struct hoso *h, enum hoso_option option, int64_t fallback, int64_t most,
                int64_t *out) WF_CHECKED;
/* Which of the words the option says, -1 when not given; another word is WF_E_CONFIG, and all are
 * named: a list that is empty for a slip would say that there is nothing. */
int hoso_word_option(struct hoso *h, enum hoso_option option, const char *const *words, size_t n,
                     int *out) WF_CHECKED;
/* --service as a number, -1 when not given. */
int hoso_service_option(struct hoso *h, int *out) WF_CHECKED;
int hoso_number_arg(struct hoso *h, int i, const char *what, uint64_t *out) WF_CHECKED;
/* --by and --role, or the environment's; WF_E_CONFIG where they are missing. NULL = not wanted. */
int hoso_actor(struct hoso *h, struct wf_str *out_by, struct wf_str *out_role) WF_CHECKED;
/* --by, else the account's name: for operators' verbs. */
const char *hoso_operator(struct hoso *h);
/* "2026-11-23" or "2026-11-23T09:10" in the cell's zone. */
int hoso_moment(struct hoso *h, const char *text, int64_t *out_ms) WF_CHECKED;

/* Reads the command line; the exit code, or -1 to go on with h->verb. */
int hoso_arguments(struct hoso *h, int argc, char **argv);

/* ---- JSON (json.c) ------------------------------------------------------------------------- */

int hoso_json_parse(const char *what, const char *text, size_t length, struct wf_arena *arena,
                    const struct wf_value **out, struct wf_error *err) WF_CHECKED;
int hoso_json_object(const char *what, const char *text, struct wf_arena *arena,
                     const struct wf_value **out, struct wf_error *err) WF_CHECKED;
int hoso_json_print(const struct wf_value *value, FILE *out, struct wf_error *err) WF_CHECKED;
int hoso_json_line(const struct wf_value *value, FILE *out, struct wf_error *err) WF_CHECKED;

/* ---- output (output.c, fold.c) ------------------------------------------------------------- */

enum hoso_kind {
    HOSO_TEXT,
    HOSO_TERM, /* a word of ours, told in the reader's language */
    HOSO_NUMBER,
    HOSO_NUMBER0, /* 0 = "-" */
    HOSO_TIME,    /* ms, in the cell's zone; 0 = "-" */
    HOSO_YESNO,
    HOSO_WORDS,  /* a list of texts */
    HOSO_STATUS, /* portal status 1..10 in words */
    HOSO_BYTES,
    HOSO_SPAN /* ms as "3 s", "5 min", "2 h", "4 d"; 0 = "-" */
};

struct hoso_column {
    const char *key; /* dotted path in the row */
    const char *en;
    const char *vi;
    enum hoso_kind kind;
};

/* "2026-11-23 09:10" in the cell's zone, "23/11/2026 09:10" for readers of Vietnamese. */
#define HOSO_TIME_SIZE 32
const char *hoso_time(const struct hoso *h, int64_t ms, char buf[HOSO_TIME_SIZE]);
/* A word of ours in the reader's language; one that is not known stays as it is. */
struct wf_str hoso_term(const struct hoso *h, struct wf_str term);

/* A table of the maps in `rows`; says "none" in words where there are none. */
int hoso_print_table(struct hoso *h, const struct hoso_column *columns, size_t n,
                     const struct wf_value *rows) WF_CHECKED;
/* "heading: value" lines of one map; empty ones are left out. */
int hoso_print_pairs(struct hoso *h, const struct hoso_column *columns, size_t n,
                     const struct wf_value *map) WF_CHECKED;
/* One line of a table whose rows come one by one: columns are at least so wide and never cut. The
 * headings where row is NULL. */
int hoso_print_line(struct hoso *h, const struct hoso_column *columns, const size_t *widths,
                    size_t n, const struct wf_value *row) WF_CHECKED;
void hoso_print_heading(const struct hoso *h, const char *en, const char *vi);
/* The first lines of a status: all is well, or what needs a person. */
void hoso_print_troubles(const struct hoso *h, const struct wf_value *troubles);

/* One row, or the headings, of a table; a row wider than the terminal is folded (fold.c). */
void hoso_print_row(const struct hoso_column *columns, const char *const *cells,
                    const size_t *widths, size_t n);
/* The rest of a line that is at column `at`: on a terminal lines break between words, and those
 * that follow begin at column `hang`. */
void hoso_print_text(const char *text, size_t at, size_t hang);

/* After a list that was cut at --max. */
void hoso_print_cut(const struct hoso *h);

/* Prints the answer as JSON when that is wanted (*out_done), else leaves it to the verb. */
int hoso_answer(struct hoso *h, const struct wf_value *answer, bool *out_done) WF_CHECKED;

/* Columns that a text takes on a terminal; bytes of its first `most` columns. */
size_t hoso_width(const char *text, size_t length);
size_t hoso_cut(const char *text, size_t length, size_t most);
/* Outside text must not steer the terminal: what could becomes spaces, in place. */
void hoso_unsteer(uint8_t *text, size_t length);
/* The cell as text in the arena, on one line; "" where there is nothing. NULL: out of memory. */
const char *hoso_cell_text(struct hoso *h, const struct hoso_column *column,
                           const struct wf_value *row);
bool hoso_is_right(enum hoso_kind kind);

/* A copy in which texts that may be personal are masked (keys known to be harmless stay). */
const struct wf_value *hoso_masked(struct hoso *h, const struct wf_value *value);

/* Short "key=value" line of a map's plain members, at most `most` columns wide. */
const struct wf_value *hoso_brief(struct hoso *h, const struct wf_value *map, size_t most);

/* ---- building answers (values.c) ------------------------------------------------------------ */

const struct wf_value *hoso_str(struct hoso *h, struct wf_str text);
/* A map from pairs key, value ..., ended by NULL. */
struct wf_value *hoso_map(struct hoso *h, ...) __attribute__((sentinel));
const struct wf_value *hoso_dossier_value(struct hoso *h, const struct wf_rec_dossier *dossier);
/* An event of the journal; its data masked unless --unmask. */
struct wf_value *hoso_event_value(struct hoso *h, const struct wf_rec_event *event);
const struct wf_value *hoso_reply_value(struct hoso *h, const struct wf_msg_dossier_state *state);

/* ---- verbs ---------------------------------------------------------------------------------- */

int hoso_init(struct hoso *h);
int hoso_run(struct hoso *h);
int hoso_submit(struct hoso *h);
int hoso_event(struct hoso *h);
int hoso_show(struct hoso *h);
int hoso_list(struct hoso *h);
int hoso_history(struct hoso *h);
int hoso_task_list(struct hoso *h);
int hoso_task_claim(struct hoso *h);
int hoso_task_extend(struct hoso *h);
int hoso_task_complete(struct hoso *h);
int hoso_task_progress(struct hoso *h);
int hoso_task_fail(struct hoso *h);
int hoso_procedure_list(struct hoso *h);
int hoso_procedure_check(struct hoso *h);
int hoso_procedure_install(struct hoso *h);
int hoso_procedure_show(struct hoso *h);
int hoso_procedure_retire(struct hoso *h);
int hoso_procedure_activate(struct hoso *h);
int hoso_procedure_migrate(struct hoso *h);
int hoso_procedure_new(struct hoso *h);
int hoso_procedure_graph(struct hoso *h);
int hoso_procedure_explain(struct hoso *h);
int hoso_procedure_diff(struct hoso *h);
int hoso_procedure_simulate(struct hoso *h);
int hoso_procedure_replay(struct hoso *h);
int hoso_procedure_import(struct hoso *h);
int hoso_export_procedure(struct hoso *h);
int hoso_export_journal(struct hoso *h);
int hoso_queue_list(struct hoso *h);
int hoso_queue_show(struct hoso *h);
int hoso_queue_retry(struct hoso *h);
int hoso_queue_drop(struct hoso *h);
int hoso_queue_edit(struct hoso *h);
int hoso_queue_skip(struct hoso *h);
int hoso_hold(struct hoso *h);
int hoso_hold_list(struct hoso *h);
int hoso_release(struct hoso *h);
int hoso_drain(struct hoso *h);
int hoso_queue_shape(struct hoso *h);
int hoso_status(struct hoso *h);
int hoso_top(struct hoso *h);
int hoso_follow(struct hoso *h);
int hoso_metrics(struct hoso *h);
int hoso_paper_put(struct hoso *h);
int hoso_paper_get(struct hoso *h);
int hoso_portal_status(struct hoso *h);
int hoso_portal_list(struct hoso *h);
int hoso_portal_retry(struct hoso *h);
int hoso_portal_reconcile(struct hoso *h);
int hoso_verify(struct hoso *h);
int hoso_backup(struct hoso *h);
int hoso_restore(struct hoso *h);
int hoso_archive(struct hoso *h);
int hoso_compact(struct hoso *h);
int hoso_upgrade(struct hoso *h);
int hoso_dump(struct hoso *h);
int hoso_load(struct hoso *h);
int hoso_chart_run(struct hoso *h);
int hoso_party_add(struct hoso *h);
int hoso_party_list(struct hoso *h);
int hoso_party_show(struct hoso *h);
int hoso_party_revoke(struct hoso *h);
int hoso_party_rotate(struct hoso *h);
int hoso_party_gate_key(struct hoso *h);
int hoso_party_token(struct hoso *h);
int hoso_relay_init(struct hoso *h);
int hoso_relay_status(struct hoso *h);
int hoso_relay_list(struct hoso *h);
int hoso_relay_show(struct hoso *h);
int hoso_relay_drop(struct hoso *h);
int hoso_courier_status(struct hoso *h);
int hoso_courier_list(struct hoso *h);

/* After an empty list: names the words of --procedure, --state, --site, --activity that stand
 * nowhere (hints.c). */
void hoso_hint_words(struct hoso *h);

/* The dossier of --dossier, 0 when not given; WF_E_NOT_FOUND (lookup.c). */
int hoso_dossier_option(struct hoso *h, struct wf_txn *txn, uint64_t *out_id) WF_CHECKED;

/* Makes the folder, and in it the configuration files that are missing (init.c). */
int hoso_init_files(struct hoso *h, const char *folder) WF_CHECKED;

/* Installs definition files in one transaction: all or none; with --dry-run none (procedures.c).
 * For each file a row {procedure, version, title, fresh}; where out_effect is given, before that
 * the census of its procedure. */
int hoso_install_files(struct hoso *h, char **files, size_t n, struct wf_value *out_list,
                       struct wf_value *out_effect) WF_CHECKED;

#endif

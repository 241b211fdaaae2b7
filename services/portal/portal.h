/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/portal/portal.h - hoso-portal: tells the national portal what happens to dossiers.
 *
 * PURPOSE    Makes the portal's records of the journal's events - DongBoHoSoMC, the dossier as it
 *            is, and CapNhatTienDoHoSoMC, a step of its progress - and brings each to it in order.
 * CONCEPTS   record   one of the two, made of one event; its key is dossier code, number of the
 *                     event and part (an event may need several)
 *            outbox   the durable file that holds records until the portal has taken them, and how
 *                     far the journal was read: both change in one transaction
 *            held     a record that the portal refused; later ones of its dossier wait behind it
 *            session  what the portal gives for user and password; asked for anew when refused
 * LIFE CYCLE feed.c: journal -> outbox, then the journal's cursor is acknowledged. send.c: outbox ->
 *            portal in batches. Either side may be down while the other goes on.
 * DANGERS    the records hold personal data: a row loses its text when the portal has it, and no
 *            log line or error has more than the dossier's code. What the portal says of a record
 *            is shown to operators with its numbers masked, and not logged.
 */
#ifndef PORTAL_PORTAL_H
#define PORTAL_PORTAL_H

#include <jansson.h>

#include "adapter/adapter.h"
#include "adapter/db.h"
#include "adapter/http.h"
#include "workflow/procedure.h"

#define STATUS_MAX 10 /* portal statuses are 1 to 10 */

/* ---- settings (settings.c) ------------------------------------------------------------------- */

struct portal_settings {
    struct adapter_settings common;
    const char *login_url, *service_url;
    const char *unit; /* madonvi */
    const char *user, *password_file;
    const char *ca;
    struct wf_texts headers;
    int64_t http_timeout_ms, batch, outbox_most, keep_ms;
    const char *cursor;
    struct wf_texts session_codes, again_codes, known_codes; /* of answers */
    const char *key_field;
    struct wf_texts transitions; /* "1>2/3/5/7" */
    int64_t late_refusal;
    /* "ours=theirs" */
    struct wf_texts channels, filed_at, returns, paper_kinds, papers, results, fields_of_work,
        roles, verified;
    struct wf_texts businesses; /* procedures whose owner is a business */
    const char *person, *business;
    const char *fee_name, *fee_code, *fee_kind, *fee_when, *pay_online, *files_url;
    /* ids of fields, the first that a dossier has */
    struct wf_texts owner_name, owner_id, owner_phone, owner_email, owner_address, owner_tax;
    bool allowed[STATUS_MAX + 1][STATUS_MAX + 1]; /* made of transitions; [0] = not told yet */
};

extern const struct adapter_spec portal_spec;

/* Values of "ours=theirs" lists; `fallback` where nothing fits. Not NUL-terminated. */
struct wf_str portal_map(const struct wf_texts *map, struct wf_str ours, const char *fallback);

/* ---- statuses and dates (codes.c) ------------------------------------------------------------ */

/* The statuses that are to be told one after the other so that the portal gets from `from` (0 = it
 * knows nothing) to `to` by allowed transitions. 0 where there is no way, or nothing to tell. */
size_t portal_path(const struct portal_settings *s, int from, int to, int out[STATUS_MAX]);

#define PORTAL_DATE 15
/* "yyyyMMddHHmmss" in Asia/Ho_Chi_Minh; "" for 0. Returns buf. */
const char *portal_date(int64_t ms, char buf[PORTAL_DATE]);

/* Runs of nine digits and more are somebody's numbers: "***". Cut to the size; no control bytes. */
void portal_mask(struct wf_str text, char *out, size_t size);

/* ---- records (record.c) ---------------------------------------------------------------------- */

/* When the dossier got to where the portal counts from; ms, 0 = not yet. */
struct portal_course {
    int64_t accepted, finished, returned, refused;
};

struct portal_event {
    int64_t n, part; /* the key, with the dossier's code */
    int64_t ms;
    int status;       /* that the record tells */
    struct wf_str by; /* who acted; "" for the system */
    struct wf_str role;
    const struct wf_value *states;
    struct wf_str note; /* a reason that was given, or "" */
};

struct portal_dossier {
    const struct portal_settings *settings;
    const struct wf_msg_dossier_state *state; /* with content */
    const struct wf_procedure *procedure;
    struct portal_course course;
};

/* JSON texts for free(); NULL when memory is out. */
char *portal_sync_record(const struct portal_dossier *d, const struct portal_event *e);
char *portal_progress_record(const struct portal_dossier *d, const struct portal_event *e);

/* papers.c: parts of the first */
json_t *portal_files(const struct portal_dossier *d);
json_t *portal_papers(const struct portal_dossier *d);
json_t *portal_supplements(const struct portal_dossier *d, const struct portal_event *e);
json_t *portal_results(const struct portal_dossier *d, const struct portal_event *e);

/* The value of the first of these fields that the dossier has, or "". */
struct wf_str portal_field(const struct portal_dossier *d, const struct wf_texts *ids);
void portal_put(json_t *object, const char *name, struct wf_str text, bool *is_whole);

/* ---- outbox (outbox.c) ----------------------------------------------------------------------- */

enum portal_service { PORTAL_NEW, PORTAL_UPDATE, PORTAL_PROGRESS };
enum portal_row_state { PORTAL_WAITS, PORTAL_DONE, PORTAL_HELD };

/* What the outbox knows of a dossier: what has been told, or waits to be. */
struct portal_known {
    int status; /* 0 = nothing yet */
    int64_t due;
    struct portal_course course;
    char states[512]; /* told last as progress; cut where longer */
};

/* The last event that was read, by its place in the journal's chain of hashes. */
struct portal_mark {
    int64_t seq;
    struct wf_str hash;
};

struct portal_row {
    int64_t id;
    char code[65];
    int64_t n, part, ms, attempts;
    enum portal_service service;
    int status;
    bool alone;              /* was in a batch that was refused: one record at a time */
    const char *note, *body; /* of the arena */
};

int outbox_open(const char *path, struct db **out, struct wf_error *err) WF_CHECKED;
/* To look into, beside the adapter that writes. */
int outbox_look(const char *path, struct db **out, struct wf_error *err) WF_CHECKED;
/* Whether a side works, for `hoso portal status`: since when it does not, and why. */
int outbox_side_works(struct db *db, const char *name, struct wf_error *err) WF_CHECKED;
int outbox_side_fails(struct db *db, const char *name, const struct wf_error *why, int64_t now_ms,
                      struct wf_error *err) WF_CHECKED;
int outbox_position(struct db *db, int64_t *out,
                    struct wf_error *err) WF_CHECKED; /* WF_NONE: new */
int outbox_set_position(struct db *db, int64_t seq, struct wf_error *err) WF_CHECKED;
int outbox_mark(struct db *db, struct wf_arena *arena, struct portal_mark *out,
                struct wf_error *err) WF_CHECKED; /* WF_NONE: none */
int outbox_set_mark(struct db *db, const struct portal_mark *mark, struct wf_error *err) WF_CHECKED;
int outbox_known(struct db *db, struct wf_str code, struct portal_known *out,
                 struct wf_error *err) WF_CHECKED; /* WF_NONE: zeroed */
int outbox_set_known(struct db *db, const struct wf_msg_dossier_state *d,
                     const struct portal_known *known, struct wf_error *err) WF_CHECKED;
int outbox_put(struct db *db, struct wf_str code, const struct portal_event *e,
               enum portal_service service, const char *body, struct wf_error *err) WF_CHECKED;

/* The next batch: all of one service, at most one row of a dossier, the oldest first. */
int outbox_next(struct db *db, size_t most, struct wf_arena *arena, struct portal_row *out,
                size_t *out_n, struct wf_error *err) WF_CHECKED;
/* The portal has them: their texts go. */
int outbox_done(struct db *db, const struct portal_row *rows, size_t n, int64_t now_ms,
                struct wf_error *err) WF_CHECKED;
int outbox_alone(struct db *db, const struct portal_row *rows, size_t n,
                 struct wf_error *err) WF_CHECKED;
int outbox_tried(struct db *db, const struct portal_row *rows, size_t n,
                 struct wf_error *err) WF_CHECKED;
int outbox_hold(struct db *db, const struct portal_row *row, const char *reason, int64_t now_ms,
                struct wf_error *err) WF_CHECKED;
int outbox_forget(struct db *db, int64_t before_ms, struct wf_error *err) WF_CHECKED;

/* Held rows of the dossier (NULL = of all) wait again, their text made anew. */
int outbox_retry(struct db *db, const char *code, int64_t *out_n, struct wf_error *err) WF_CHECKED;
/* One row whose text is to be made anew; WF_NONE when there is none. */
int outbox_stale(struct db *db, struct wf_arena *arena, struct portal_row *out,
                 struct wf_error *err) WF_CHECKED;
int outbox_renew(struct db *db, const struct portal_row *row, const char *body,
                 struct wf_error *err) WF_CHECKED;

/* ---- the portal (link.c) --------------------------------------------------------------------- */

struct portal_link {
    struct adapter *a;
    const struct portal_settings *settings; /* the adapter's */
    struct http_client *http;
    char session[257]; /* "" = none */
};

/* KNOWN: the portal has one of the records; of a batch it does not tell which. */
enum portal_verdict { PORTAL_TAKEN, PORTAL_KNOWN, PORTAL_REFUSED };

struct portal_answer {
    enum portal_verdict verdict;
    char reason[256]; /* of REFUSED: code and message, masked */
    json_t *json;     /* but of REFUSED: the whole answer, for json_decref */
};

int portal_link_open(struct portal_link *link, struct adapter *a, struct wf_error *err) WF_CHECKED;
void portal_link_close(struct portal_link *link);

/*
 * Calls a service: `request` (which is taken) gets service, session and madonvi. Logs in where there
 * is no session, or when it is refused. Errors are those that may pass: nobody is to blame for
 * their record.
 */
int portal_call(struct portal_link *link, const char *service, json_t *take_request,
                struct wf_arena *arena, struct portal_answer *out, struct wf_error *err) WF_CHECKED;

/* ---- reconciliation (reconcile.c) ------------------------------------------------------------ */

struct portal_span {
    int64_t since_ms, until_ms; /* moments on the first and last day of reception */
    char since[9], until[9];    /* filled in: yyyyMMdd */
};

/* Fills the table `seen` of this connection: code, procedure, day, cell, portal (statuses; null =
 * not there). */
int portal_reconcile(struct adapter *a, struct db *db, struct portal_span *span,
                     struct wf_error *err) WF_CHECKED;

/* ---- definitions (definitions.c) ------------------------------------------------------------- */

struct portal_definitions {
    struct wf_procedure **list;
    size_t n, cap;
};

/* Read from the cell once; it never changes. */
int portal_definition(struct portal_definitions *known, struct wf_client *client,
                      struct wf_str code, uint64_t version, struct wf_arena *arena,
                      const struct wf_procedure **out, struct wf_error *err) WF_CHECKED;
void portal_definitions_free(struct portal_definitions *known);

/* ---- the two sides, and the whole ------------------------------------------------------------ */

struct portal_side {
    struct adapter_side work;
    struct wf_error noted; /* what the outbox says of it; code 0 = that it works */
    bool has_noted;
};

struct portal {
    struct db *db;
    struct portal_link link;
    struct portal_definitions definitions;
    struct portal_side cell, outside;
    int64_t acked;       /* the journal's cursor stands here; -1 = not known */
    bool is_scrubbed;    /* nothing was settled since the files were cleaned */
    int64_t waiting;     /* rows that were not done at the last count */
    int64_t count_at_ms; /* monotonic: next count */
    int64_t clean_at_ms; /* monotonic: next time to forget old rows */
};

int portal_feed(struct adapter *a, struct wf_error *err) WF_CHECKED; /* feed.c */
int portal_send(struct adapter *a, struct wf_error *err) WF_CHECKED; /* send.c */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file on its way. Its rows are asked one after the other, since a later event may rest on an
 * earlier one. Nothing is written until all are answered: after a crash all are asked again, and
 * get the answers that they got. The copy in .work goes last, so what was cut off is found by it.
 *
 * The results also lie in done under the file's hash: the same file dropped again takes its accepted
 * rows from there, long after the workers have forgotten the requests, and asks only what was
 * refused.
 */
#include "folder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workflow/log.h"

#define ROWS_AT_ONCE 64   /* then another party has its turn */
#define RESULT_MOST  2048 /* bytes of one row's, as json_dumps writes it */
#define HASH_SHOWN   16   /* digits in names and log lines */

/* ---- beginning ------------------------------------------------------------------------------- */

/* A result of an earlier time; anything else is passed over. */
static json_t *known_results(const struct drop *drop, const struct job *job)
{
    char name[64];
    char *text = NULL;
    size_t length = 0;
    (void)snprintf(name, sizeof(name), "%.*s.result.json", HASH_SHOWN, job->hash);
    size_t most = (size_t)drop->settings->max_bytes * 4 +
                  (size_t)drop->settings->max_rows * RESULT_MOST + 1048576;
    if (file_read(drop->dirs[DIR_DONE], name, most, &text, &length, NULL) != 0)
        return NULL;
    json_t *all = json_too_deep(text, length, JSON_DEPTH_MAX) == length
                      ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL)
                      : NULL;
    wf_free(text);
    const char *hash = json_string_value(json_object_get(all, "hash"));
    json_t *results = json_object_get(all, "results");
    json_t *known = hash != NULL && strcmp(hash, job->hash) == 0 && json_is_array(results)
                        ? json_incref(results)
                        : NULL;
    json_decref(all);
    return known;
}

void job_drop(struct job *job)
{
    sheet_free(&job->sheet);
    json_decref(job->known);
    json_decref(job->results);
    memset(job, 0, sizeof(*job));
}

static void name_job(struct job *job, const char *work)
{
    unsigned number = 0;
    const char *name = "";
    (void)name_of_work(work, &number, &name);
    (void)snprintf(job->work, sizeof(job->work), "%s", work);
    (void)snprintf(job->name, sizeof(job->name), "%s", name);
    name_of_label(name, number, job->label);
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* The one place where all of a file's story stands. */
static json_t *report_of(const struct drop *drop, json_t *error)
{
    const struct job *job = &drop->job;
    size_t rows = json_array_size(job->results);
    json_t *json = json_pack("{s:s, s:s, s:s}", "file", job->name, "party", drop->party->name,
                             "hash", job->hash);
    if (json == NULL)
        return NULL;
    int rc = error != NULL ? json_object_set_new(json, "error", error) : 0;
    if (rc == 0 && error == NULL)
        rc =
            json_object_set_new(json, "rows", json_integer((json_int_t)rows)) |
            json_object_set_new(json, "accepted", json_integer((json_int_t)(rows - job->refused))) |
            json_object_set_new(json, "refused", json_integer((json_int_t)job->refused)) |
            json_object_set(json, "results", job->results);
    if (rc == 0 && error == NULL && job->refused > 0)
        rc = json_object_set_new(json, "rejected", json_string(job->label));
    if (rc == 0)
        return json;
    json_decref(json);
    return NULL;
}

static int put_report(struct drop *drop, enum drop_dir to, const json_t *report,
                      struct wf_error *err)
{
    char name[LABEL_MAX_BYTES + 16];
    const struct job *job = &drop->job;
    if (report == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    if (to == DIR_DONE)
        (void)snprintf(name, sizeof(name), "%.*s.result.json", HASH_SHOWN, job->hash);
    else
        (void)snprintf(name, sizeof(name), "%s.result.json", job->label);
    return file_put_json(drop->dirs, to, name, report, err);
}

/* WF_NONE when it is done: the file as a whole does nothing and comes back as it is. */
static int refuse_whole(struct drop *drop, const struct place *place, const struct wf_error *why,
                        struct wf_error *err)
{
    struct job *job = &drop->job;
    json_t *error = error_json(why, why->field, place);
    json_t *report = error != NULL ? report_of(drop, error) : NULL;
    int rc = put_report(drop, DIR_OUT, report, err);
    json_decref(report);
    if (rc == 0)
        rc = file_move(drop->dirs, DIR_WORK, job->work, DIR_REJECTED, job->label, err);
    if (rc != 0)
        return rc;
    wf_log(WF_LOG_WARN, WF_LOG_FILE_EVENT, &(struct wf_log_fact){.rc = why->code},
           "party %s: file %.*s refused whole", drop->party->name, HASH_SHOWN, job->hash);
    drop->figures.files++;
    drop->figures.files_refused++;
    job_drop(job);
    return WF_NONE;
}

static int put_rejects(struct drop *drop, struct wf_error *err)
{
    struct wf_buf text = {0};
    int rc = sheet_rejects(&drop->job.sheet, drop->job.results, &text, err);
    if (rc == 0)
        rc = file_put(drop->dirs, DIR_REJECTED, drop->job.label, text.ptr, text.len, err);
    wf_buf_fini(&text);
    return rc;
}

static int finish(struct drop *drop, struct wf_error *err)
{
    struct job *job = &drop->job;
    char done[LABEL_MAX_BYTES + HASH_SHOWN + 2];
    (void)snprintf(done, sizeof(done), "%.*s-%s", HASH_SHOWN, job->hash, job->name);
    int rc = job->refused > 0 ? put_rejects(drop, err) : 0;
    json_t *report = report_of(drop, NULL);
    if (rc == 0)
        rc = put_report(drop, DIR_DONE, report, err);
    if (rc == 0)
        rc = put_report(drop, DIR_OUT, report, err);
    json_decref(report);
    if (rc == 0)
        rc = file_move(drop->dirs, DIR_WORK, job->work, DIR_DONE, done, err);
    if (rc != 0)
        return rc;
    size_t rows = json_array_size(job->results);
    wf_log(WF_LOG_INFO, WF_LOG_FILE_EVENT, NULL, "party %s: file %.*s done: %zu rows, %zu refused",
           drop->party->name, HASH_SHOWN, job->hash, rows, job->refused);
    drop->figures.files++;
    drop->figures.rows += (int64_t)rows;
    drop->figures.rows_refused += (int64_t)job->refused;
    job_drop(job);
    return WF_NONE;
}

int job_begin(struct drop *drop, const char *work, struct wf_error *err)
{
    struct job *job = &drop->job;
    struct place place = {0};
    struct wf_error why = {0};
    char *text = NULL;
    size_t length = 0;
    uint8_t hash[WF_HASH_BYTES];
    job_drop(job);
    name_job(job, work);
    int rc = file_read(drop->dirs[DIR_WORK], work, (size_t)drop->settings->max_bytes, &text,
                       &length, &why);
    if (rc == 0) {
        wf_hash(text, length, NULL, 0, hash);
        wf_hex(hash, sizeof(hash), job->hash);
        rc = sheet_read(drop->settings, drop->party, job->name, text, length, &job->sheet, &place,
                        &why);
    }
    wf_free(text);
    if (rc == WF_E_INVALID)
        return refuse_whole(drop, &place, &why, err);
    if (rc == 0) {
        job->known = known_results(drop, job);
        job->results = json_array();
        rc = job->results != NULL ? 0 : wf_fail(&why, WF_E_NOMEM, "out of memory");
    }
    if (rc < 0 && err != NULL)
        *err = why;
    if (rc != 0) {
        job_drop(job);
        return rc;
    }
    job->is_open = true;
    return 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void id_of(const struct drop *drop, size_t row, char out[2 * WF_HASH_BYTES + 1])
{
    char rest[2 * WF_HASH_BYTES + 32];
    uint8_t hash[WF_HASH_BYTES];
    int n = snprintf(rest, sizeof(rest), "%s/%zu", drop->job.hash, row);
    /* with the NUL, so that no party's name runs into what follows */
    wf_hash(drop->party->name, strlen(drop->party->name) + 1, rest, (size_t)n, hash);
    wf_hex(hash, sizeof(hash), out);
}

/* Packed loosely and read as a worker would: what is wrong is known before anything is sent. */
static int message_of(struct drop *drop, enum wf_message type, const struct wf_value *body,
                      const char *id, struct wf_envelope *out, struct wf_error *err)
{
    struct wf_arena *arena = drop->arena;
    const struct wf_message_info *info = wf_message_info(type);
    struct wf_buf loose = {0};
    struct wf_value *map = wf_map(arena);
    (void)wf_map_put(arena, map, "v", wf_int(arena, WF_PROTOCOL_VERSION));
    (void)wf_map_put(arena, map, "type", wf_text(arena, info != NULL ? info->name : ""));
    (void)wf_map_put(arena, map, "id", wf_text(arena, id));
    (void)wf_map_put(arena, map, "body", body);
    if (wf_value_is_whole(map))
        wf_pack_value(map, &loose);
    int rc = loose.failed || loose.len == 0 ? wf_fail(err, WF_E_NOMEM, "out of memory") : 0;
    if (rc == 0 && loose.len > WF_FRAME_MAX)
        rc = wf_fail(err, WF_E_INVALID, "the row is longer than %zu bytes", WF_FRAME_MAX);
    if (rc == 0)
        rc = wf_message_unpack((struct wf_slice){loose.ptr, loose.len}, WF_END_PARTY, WF_END_INTAKE,
                               arena, out, err);
    wf_buf_fini(&loose);
    return rc;
}

/* May the same row be taken later, without anybody mending it? */
static bool may_pass(int code)
{
    return wf_code_action(code) != WF_REFUSE || code == WF_E_FULL;
}

/* 0 = *out is the row's result, good or bad; negative: not now. */
static int ask_row(struct drop *drop, size_t i, json_t **out, struct wf_error *err)
{
    char id[2 * WF_HASH_BYTES + 1];
    struct wf_error why = {0};
    struct wf_envelope request = {0};
    struct wf_envelope reply = {0};
    enum wf_message type = WF_MSG_dossier_submit;
    const struct wf_value *body = NULL;
    const struct sheet *sheet = &drop->job.sheet;
    wf_arena_reset(drop->arena);
    id_of(drop, i + 1, id);
    int rc = sheet_row(sheet, drop->party, i, drop->arena, &type, &body, &why);
    if (rc == 0)
        rc = message_of(drop, type, body, id, &request, &why);
    if (rc == 0)
        rc = wf_client_again(drop->client, WF_INTAKE, type, request.body, id, drop->arena, &reply,
                             &why);
    if (rc == 0 && reply.type != WF_MSG_dossier_state)
        rc = wf_fail(&why, WF_E_INTERNAL, "an answer of another kind");
    if (rc < 0 && may_pass(rc)) {
        *err = why;
        return rc;
    }
    const char *field = wf_starts_with(why.field, "body.") ? why.field + 5 : why.field;
    if (sheet->map != NULL)
        field = columns_header(sheet->map, field);
    *out = rc == 0 ? result_of_answer(i + 1, reply.body)
                   : result_of_error(i + 1, sheet_line(sheet, i), field, &why);
    return *out != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
}

/* What was accepted at an earlier time, or NULL. */
static json_t *known_row(const struct job *job, size_t i)
{
    json_t *row = json_array_get(job->known, i);
    bool is_good =
        json_is_string(json_object_get(row, "dossier")) && json_object_get(row, "error") == NULL;
    return is_good ? json_incref(row) : NULL;
}

int job_step(struct drop *drop, struct wf_error *err)
{
    struct job *job = &drop->job;
    for (size_t n = 0; n < ROWS_AT_ONCE; n++) {
        size_t i = json_array_size(job->results);
        if (i == job->sheet.n)
            return finish(drop, err);
        json_t *result = known_row(job, i);
        int rc = result == NULL ? ask_row(drop, i, &result, err) : 0;
        if (rc != 0)
            return rc;
        job->refused += json_object_get(result, "error") != NULL;
        if (json_array_append_new(job->results, result) != 0)
            return wf_fail(err, WF_E_NOMEM, "out of memory");
    }
    return 0;
}

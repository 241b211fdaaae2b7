/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CELL/hoso.cfg. The rows below are the only list of settings: reading, --help and the text that
 * activity handlers ask for all come from them.
 */
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/log.h"
#include "workflow/service.h"

#define SETTING(name, kind, min, max, fallback, help)                                              \
    {                                                                                              \
#name, WF_KEY_##kind, offsetof(struct wf_settings, name), false, min, max, fallback, help  \
    }

/* clang-format off */
static const struct wf_key keys[] = {
    SETTING(cell,              TEXT,  1, 64, "hoso",     "name of the cell, shown in status and logs"),
    SETTING(store,             TEXT,  1, 1024, "store",  "folder of the store, from this file's folder"),
    SETTING(run,               TEXT,  1, 1024, "run",    "folder of the sockets, from this file's folder"),
    SETTING(registry,          TEXT,  1, 1024, ".",      "folder of sites.cfg, roles.cfg, templates.cfg, calendar.cfg"),
    SETTING(archive,           TEXT,  0, 1024, "",       "folder outside of the cell for every change; empty = no archive"),
    SETTING(map_mib,           INT,   1, 16777216, "16384", "largest size of the store, MiB"),
    SETTING(min_free_mib,      INT,   0, 1048576, "64",  "free disk below which intake stops, MiB"),
    SETTING(batch,             INT,   1, 4096, "256",    "most messages in one transaction"),
    SETTING(sweep_ms,          DURATION, 10, 60000, "200 ms", "idle look at the queue table for lost messages"),
    SETTING(request_window_ms, DURATION, 60000, 7776000000.0, "7 days", "how long a request id is remembered, while the cell runs"),
    SETTING(readers_ms,        DURATION, 1000, 3600000, "30 seconds", "clearing of reader slots of dead processes"),
    SETTING(watchdog_ms,       DURATION, 1000, 600000, "5 seconds", "a write lock held longer ends the worker"),
    SETTING(code_date,         TEXT,  6, 8, "YYMMDD",    "date in dossier codes: YYMMDD or YYYYMMDD"),
    SETTING(code_digits,       INT,   4, 7, "4",         "digits of the daily number in dossier codes"),
    SETTING(item_service,      TEXT,  2, 2, "EE",        "service letters of S10 item numbers"),
    SETTING(courier,           TEXT,  1, 32, "vnpost",   "address of the courier's task queue"),
    SETTING(delivery_attempts, INT,   1, 10, "2",        "delivery attempts before a parcel goes back"),
    SETTING(notify,            TEXTS, 0, 0, "zalo,sms,email", "channels for notices, best first"),
    SETTING(notify_attempts,   INT,   1, 20, "3",        "tries on one channel before the next"),
    SETTING(bridge_listen,     TEXT,  0, 64, "",         "where HTTP is served, such as 127.0.0.1:8080; empty = not at all"),
    SETTING(bridge_connections, INT,  1, 10000, "256",   "most HTTP connections at a time"),
    SETTING(bridge_requests,   INT,   1, 1000000, "100", "HTTP requests a second of one party, where its file says nothing"),
    SETTING(bridge_timeout_ms, DURATION, 100, 600000, "10 seconds", "how long a worker's answer is waited for"),
    SETTING(bridge_slow_ms,    DURATION, 100, 600000, "30 seconds", "an HTTP request must be sent within, its answer taken within twice that"),
    SETTING(gate_listen,       TEXT,  0, 200, "",        "where parties reach the gate, tcp://ADDRESS:PORT; empty = no gate"),
    SETTING(gate_key,          TEXT,  1, 1024, "gate.key", "file of the gate's key pair, from this file's folder"),
    SETTING(gate_connections,  INT,   1, 100000, "1000", "most connections at a time"),
    SETTING(gate_party_connections, INT, 1, 10000, "16", "most of them of one party"),
    SETTING(gate_rate,         INT,   1, 1000000, "100", "requests a second that one party may send"),
    SETTING(gate_unanswered,   INT,   1, 100000, "256",  "requests of one party that may wait for answers"),
    SETTING(gate_pending,      INT,   1, 100000, "8192", "requests of all parties that may wait for answers"),
    SETTING(gate_handshake_ms, DURATION, 100, 60000, "5 seconds", "a new connection must prove its key within"),
    SETTING(gate_slow_ms,      DURATION, 100, 600000, "30 seconds", "a party that takes nothing of its answers for so long is cut off"),
    SETTING(gate_timeout_ms,   DURATION, 100, 600000, "30 seconds", "a worker's later answer is not passed on"),
    SETTING(gate_memory_mib,   INT,   64, 1048576, "512", "the gate ends when it needs more, and is started again"),
    SETTING(relay_max_age_ms,  DURATION, 60000, 7776000000.0, "7 days", "a station's dossiers may have been received so long ago"),
    SETTING(papers,            TEXT,  1, 1024, "papers", "folder of the scanned papers, from this file's folder"),
    SETTING(papers_max_mib,    INT,   1, 1024, "20",     "largest paper, MiB"),
    SETTING(papers_open,       INT,   1, 10000, "16",    "papers that one party may have half sent"),
    SETTING(papers_unnamed,    INT,   1, 1000000, "1000", "papers of one party that no dossier names"),
    SETTING(papers_unnamed_mib, INT,  1, 1048576, "2048", "the same in MiB"),
    SETTING(papers_keep,       DURATION, 60000, 31536000000.0, "7 days", "papers that no dossier names, and half sent ones, are kept"),
    SETTING(metrics_listen,    TEXT,  0, 64, "",         "where figures are served over HTTP, such as 127.0.0.1:9464; empty = not at all"),
    SETTING(log_level,         TEXT,  1, 8, "info",      "error, warn, info or debug"),
    SETTING(log_rate,          INT,   0, 1000000, "1000", "lines a second of one event, 0 = no bound; what is more is counted"),
    SETTING(sandbox,           TEXT,  1, 8, "auto",      "auto: what the kernel has of Landlock and seccomp; off"),
};
/* clang-format on */

static const char *absolute(struct wf_arena *arena, const char *folder, const char *path)
{
    return path[0] == '/' ? path : wf_arena_printf(arena, "%s/%s", folder, path);
}

static int fix_paths(struct wf_settings *s, const char *path, struct wf_error *err)
{
    char real[PATH_MAX];
    if (realpath(path, real) == NULL)
        return wf_fail(err, WF_E_CONFIG, "%s: cannot be found", path);
    s->folder = wf_arena_strdup(s->arena, dirname(real));
    if (s->folder == NULL)
        return wf_fail(err, WF_E_NOMEM, "out of memory");
    s->store = absolute(s->arena, s->folder, s->store);
    s->run = absolute(s->arena, s->folder, s->run);
    s->registry = absolute(s->arena, s->folder, s->registry);
    s->gate_key = absolute(s->arena, s->folder, s->gate_key);
    s->papers = absolute(s->arena, s->folder, s->papers);
    if (s->archive[0] != '\0')
        s->archive = absolute(s->arena, s->folder, s->archive);
    return s->store == NULL || s->archive == NULL || s->run == NULL || s->registry == NULL ||
                   s->gate_key == NULL || s->papers == NULL
               ? wf_fail(err, WF_E_NOMEM, "out of memory")
               : 0;
}

static void check_words(const struct wf_settings *s, const char *file, struct wf_report *report)
{
    if (s->code_date != NULL && strcmp(s->code_date, "YYMMDD") != 0 &&
        strcmp(s->code_date, "YYYYMMDD") != 0)
        wf_report_error(report, file, 0,
                        "code_date: \"%s\" is not known: write \"YYMMDD\" or \"YYYYMMDD\"",
                        s->code_date);
    if (s->sandbox != NULL && strcmp(s->sandbox, "auto") != 0 && strcmp(s->sandbox, "off") != 0)
        wf_report_error(report, file, 0, "sandbox: \"%s\" is not known: write \"auto\" or \"off\"",
                        s->sandbox);
    if (s->log_level != NULL && wf_log_level_of(s->log_level) >= 0)
        return;
    wf_report_error(report, file, 0,
                    "log_level: \"%s\" is not known: write error, warn, info or debug",
                    s->log_level != NULL ? s->log_level : "");
}

static const char *joined(struct wf_arena *arena, const struct wf_texts *texts)
{
    const char *all = "";
    for (size_t i = 0; all != NULL && i < texts->n; i++)
        all = wf_arena_printf(arena, "%s%s%s", all, i > 0 ? "," : "", texts->items[i]);
    return all;
}

static const char *as_text(struct wf_settings *s, const struct wf_key *key)
{
    const char *at = (const char *)s + key->offset;
    const char *text = "";
    int64_t number = 0;
    struct wf_texts texts = {0};
    if (key->type == WF_KEY_TEXT) {
        memcpy(&text, at, sizeof(text));
    } else if (key->type == WF_KEY_TEXTS) {
        memcpy(&texts, at, sizeof(texts));
        text = joined(s->arena, &texts);
    } else {
        memcpy(&number, at, sizeof(number));
        text = wf_arena_printf(s->arena, "%" PRId64, number);
    }
    return text;
}

/* Once, since handlers ask at every dossier, and the arena lives as long as the process. */
static int make_texts(struct wf_settings *s, struct wf_error *err)
{
    const char **texts = wf_arena_alloc(s->arena, WF_COUNT(keys) * sizeof(*texts));
    for (size_t i = 0; texts != NULL && i < WF_COUNT(keys); i++) {
        texts[i] = as_text(s, &keys[i]);
        if (texts[i] == NULL)
            texts = NULL;
    }
    s->texts = texts;
    return texts != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
}

int wf_settings_load(const char *path, struct wf_report *report, struct wf_settings *out,
                     struct wf_error *err)
{
    struct wf_settings s = {0};
    s.arena = wf_arena_new(0);
    int rc = s.arena == NULL ? wf_fail(err, WF_E_NOMEM, "out of memory")
                             : wf_config_read(path, report, &s.config, err);
    if (rc == 0)
        rc =
            wf_keys_read(s.config, wf_config_root(s.config), keys, WF_COUNT(keys), &s, report, err);
    if (rc == 0) {
        check_words(&s, path, report);
        rc = wf_report_result(report, err);
    }
    if (rc == 0)
        rc = fix_paths(&s, path, err);
    if (rc == 0)
        rc = make_texts(&s, err);
    if (rc != 0) {
        wf_settings_free(&s);
        return rc;
    }
    *out = s;
    return 0;
}

void wf_settings_free(struct wf_settings *settings)
{
    wf_config_free(settings->config);
    wf_arena_free(settings->arena);
    memset(settings, 0, sizeof(*settings));
}

void wf_settings_log(const struct wf_settings *settings, bool verbose)
{
    int level = wf_log_level_of(settings->log_level);
    wf_log_set_level(verbose ? WF_LOG_DEBUG : level >= 0 ? (enum wf_log_level)level : WF_LOG_INFO);
    wf_log_set_rate((unsigned)settings->log_rate);
}

void wf_settings_help(struct wf_buf *out)
{
    wf_keys_help(keys, WF_COUNT(keys), out);
}

const char *wf_settings_text(void *settings, const char *name)
{
    const struct wf_settings *s = settings;
    for (size_t i = 0; i < WF_COUNT(keys); i++) {
        if (strcmp(keys[i].name, name) == 0)
            return s->texts[i];
    }
    return "";
}

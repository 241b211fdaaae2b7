/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of parties: a folder of small files, read as a whole into one immutable table. A
 * file that is wrong fails the whole load, so that a mistyped line never opens or shuts a door by
 * itself: whoever loads keeps the table that it has.
 */
#include "workflow/parties.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PARTIES_MAX 10000
#define KEY_LENGTH  40
#define HASH_LENGTH 64

struct entry {
    struct wf_party party;
    struct wf_config *config; /* owns the texts */
};

struct wf_parties {
    struct entry *entries;
    size_t n, cap;
};

/* What stands in the file; kind is a word there. */
struct raw {
    struct wf_party party;
    const char *kind;
};

#define KEY(name, kind, required, min, max, fallback, help)                                        \
    {                                                                                              \
#name, WF_KEY_##kind, offsetof(struct raw, party) + offsetof(struct wf_party, name),       \
            required, min, max, fallback, help                                                     \
    }

/* clang-format off */
static const struct wf_key keys[] = {
    KEY(name,         TEXT,  true,  1, 32,  NULL,    "name of the party, as its file is called"),
    KEY(organisation, TEXT,  true,  1, 200, NULL,    "who runs it"),
    {"kind", WF_KEY_TEXT, offsetof(struct raw, kind), true, 1, 16, NULL,
     "counter, desk, agency, gateway, courier, portal or monitor"},
    KEY(keys,         TEXTS, false, 0, 0,   NULL,    "CURVE public keys (Z85); two while rotating"),
    KEY(tokens,       TEXTS, false, 0, 0,   NULL,    "hashes of its tokens for HTTP (hoso party token)"),
    KEY(sites,        TEXTS, false, 0, 0,   NULL,    "sites whose dossiers it may see; \"*\" = all"),
    KEY(addresses,    TEXTS, false, 0, 0,   NULL,    "further addresses whose tasks it may do"),
    KEY(roles,        TEXTS, false, 0, 0,   NULL,    "roles that it may assert for its staff"),
    KEY(procedures,   TEXTS, false, 0, 0,   NULL,    "procedures that it may submit; \"*\" = all"),
    KEY(activities,   TEXTS, false, 0, 0,   NULL,    "activities whose tasks it may fetch"),
    KEY(submit,       BOOL,  false, 0, 0,   "false", "may file dossiers and raise events"),
    KEY(journal,      BOOL,  false, 0, 0,   "false", "may read the journal of what it may see"),
    KEY(relay,        BOOL,  false, 0, 0,   "false", "a station that hands dossiers over in sequence"),
    KEY(revoked,      BOOL,  false, 0, 0,   "false", "shut out"),
    KEY(requests_per_second, INT, false, 0, 1000000, "0", "0 = as the gate's settings say"),
};
/* clang-format on */

void wf_parties_help(struct wf_buf *out)
{
    wf_keys_help(keys, WF_COUNT(keys), out);
}

static const char *const kind_words[] = {"counter", "desk",   "agency", "gateway",
                                         "courier", "portal", "monitor"};

const char *wf_party_kind_word(enum wf_party_kind kind)
{
    return kind_words[kind];
}

/* ---- one file -------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
    return text[0] != '.' && text[0] != '\0' && strlen(text) <= 32 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-._")] == '\0';
}

static void check_kind(struct raw *raw, const char *path, struct wf_report *report)
{
    for (size_t i = 0; i < WF_COUNT(kind_words); i++) {
        if (strcmp(raw->kind, kind_words[i]) == 0) {
            raw->party.kind = (enum wf_party_kind)i;
            return;
        }
    }
    wf_report_error(report, path, 0,
                    "kind: \"%s\" is none: write counter, desk, agency, gateway, courier, portal "
                    "or monitor",
                    raw->kind);
}

static void check(struct raw *raw, const char *path, const char *stem, struct wf_report *report)
{
    const struct wf_party *p = &raw->party;
    check_kind(raw, path, report);
    if (!is_name(p->name) || strcmp(p->name, stem) != 0)
        wf_report_error(report, path, 0,
                        "name: \"%s\": a party's file is called by its name (a-z 0-9 - . _): "
                        "rename one of them",
                        p->name);
    for (size_t i = 0; i < p->keys.n; i++) {
        if (strlen(p->keys.items[i]) != KEY_LENGTH)
            wf_report_error(report, path, 0,
                            "keys: not a CURVE public key: it has %d characters (Z85)", KEY_LENGTH);
    }
    for (size_t i = 0; i < p->tokens.n; i++) {
        const char *hash = p->tokens.items[i];
        if (strlen(hash) != HASH_LENGTH || strspn(hash, "0123456789abcdef") != HASH_LENGTH)
            wf_report_error(report, path, 0,
                            "tokens: not a hash of a token: it has %d hex digits: `hoso party "
                            "token` makes one",
                            HASH_LENGTH);
    }
}

static int read_file(const char *folder, const char *file, struct wf_report *report,
                     struct entry *out, struct wf_error *err)
{
    char path[1200];
    char stem[64];
    struct raw raw = {0};
    struct wf_config *config = NULL;
    size_t errors = report->errors;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    (void)snprintf(stem, sizeof(stem), "%.*s", (int)(strlen(file) - 4), file);
    int rc = wf_config_read(path, report, &config, err);
    if (rc == 0)
        rc = wf_keys_read(config, wf_config_root(config), keys, WF_COUNT(keys), &raw, report, err);
    if (rc == 0)
        check(&raw, path, stem, report);
    if (rc == 0 && report->errors > errors)
        rc = wf_report_result(report, err);
    if (rc != 0) {
        wf_config_free(config);
        return rc;
    }
    *out = (struct entry){raw.party, config};
    return 0;
}

/* ---- the folder -------------------------------------------------------------------------------
 */

static int add(struct wf_parties *parties, const struct entry *entry)
{
    if (parties->n == parties->cap) {
        size_t cap = parties->cap > 0 ? parties->cap * 2 : 16;
        struct entry *grown = wf_realloc(parties->entries, cap * sizeof(*grown));
        if (grown == NULL)
            return WF_E_NOMEM;
        parties->entries = grown;
        parties->cap = cap;
    }
    parties->entries[parties->n++] = *entry;
    return 0;
}

static bool is_party_file(const char *file)
{
    size_t length = strlen(file);
    return file[0] != '.' && length > 4 && length < 64 && strcmp(file + length - 4, ".cfg") == 0;
}

static const struct wf_party *by_token(const struct wf_parties *parties, const char *hash)
{
    for (size_t i = 0; i < parties->n; i++) {
        if (wf_party_has(&parties->entries[i].party.tokens, wf_str(hash)))
            return &parties->entries[i].party;
    }
    return NULL;
}

static void check_shared_keys(const struct wf_parties *parties, const struct wf_party *p,
                              const char *folder, struct wf_report *report)
{
    for (size_t i = 0; i < p->keys.n; i++) {
        const struct wf_party *other = wf_party_by_key(parties, p->keys.items[i]);
        if (other != NULL)
            wf_report_error(report, folder, 0,
                            "%s and %s have the same key: each party needs its own", other->name,
                            p->name);
    }
    for (size_t i = 0; i < p->tokens.n; i++) {
        const struct wf_party *other = by_token(parties, p->tokens.items[i]);
        if (other != NULL)
            wf_report_error(report, folder, 0,
                            "%s and %s have the same token: each party needs its own", other->name,
                            p->name);
    }
}

static int read_all(DIR *dir, const char *folder, struct wf_report *report,
                    struct wf_parties *parties, struct wf_error *err)
{
    int first = 0;
    for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        struct entry entry;
        if (!is_party_file(d->d_name))
            continue;
        if (parties->n == PARTIES_MAX)
            return wf_fail(err, WF_E_CONFIG, "%s: more than %d parties", folder, PARTIES_MAX);
        int rc = read_file(folder, d->d_name, report, &entry, err);
        if (rc == WF_E_NOMEM)
            return rc;
        first = first != 0 ? first : rc;
        if (rc != 0)
            continue;
        check_shared_keys(parties, &entry.party, folder, report);
        if (add(parties, &entry) != 0) {
            wf_config_free(entry.config);
            return wf_fail(err, WF_E_NOMEM, "out of memory");
        }
    }
    return first != 0 ? first : wf_report_result(report, err);
}

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return strcmp(x->party.name, y->party.name);
}

int wf_parties_load(const char *folder, struct wf_report *report, struct wf_parties **out,
                    struct wf_error *err)
{
    struct wf_parties *parties = wf_alloc(sizeof(*parties));
    DIR *dir = opendir(folder);
    int rc = 0;
    if (parties == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    else if (dir != NULL)
        rc = read_all(dir, folder, report, parties, err);
    else if (errno != ENOENT)
        rc = wf_fail(err, WF_E_IO, "%s: %s", folder, strerror(errno));
    if (dir != NULL)
        (void)closedir(dir);
    if (rc != 0) {
        wf_parties_free(parties);
        return rc;
    }
    if (parties->n > 0)
        qsort(parties->entries, parties->n, sizeof(*parties->entries), by_name);
    *out = parties;
    return 0;
}

void wf_parties_free(struct wf_parties *parties)
{
    if (parties == NULL)
        return;
    for (size_t i = 0; i < parties->n; i++)
        wf_config_free(parties->entries[i].config);
    wf_free(parties->entries);
    wf_free(parties);
}

uint64_t wf_parties_stamp(const char *folder)
{
    struct stat folder_is;
    uint64_t stamp = 1469598103934665603ULL;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return 0;
    if (fstat(dirfd(dir), &folder_is) == 0)
        stamp ^= (uint64_t)folder_is.st_mtim.tv_nsec ^ (uint64_t)folder_is.st_mtim.tv_sec << 20;
    for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        struct stat is;
        if (!is_party_file(d->d_name) || fstatat(dirfd(dir), d->d_name, &is, 0) != 0)
            continue;
        /* summed, since a folder has no order */
        stamp += ((uint64_t)is.st_ino * 1099511628211ULL) ^ (uint64_t)is.st_mtim.tv_nsec ^
                 (uint64_t)is.st_mtim.tv_sec << 20 ^ (uint64_t)is.st_size << 40;
    }
    (void)closedir(dir);
    return stamp != 0 ? stamp : 1;
}

bool wf_parties_due(struct wf_parties_watch *watch, const char *folder)
{
    uint64_t stamp = wf_parties_stamp(folder);
    if (stamp != watch->stamp)
        *watch = (struct wf_parties_watch){.stamp = stamp};
    return !watch->is_settled;
}

bool wf_parties_read(struct wf_parties_watch *watch, int rc)
{
    bool tells = rc == 0 || !watch->is_told;
    watch->is_settled = rc == 0 || rc == WF_E_CONFIG;
    watch->is_told = rc != 0;
    return tells;
}

/* ---- looking up -------------------------------------------------------------------------------
 */

size_t wf_parties_count(const struct wf_parties *parties)
{
    return parties != NULL ? parties->n : 0;
}

const struct wf_party *wf_parties_at(const struct wf_parties *parties, size_t i)
{
    return i < wf_parties_count(parties) ? &parties->entries[i].party : NULL;
}

const struct wf_party *wf_party_by_name(const struct wf_parties *parties, struct wf_str name)
{
    size_t low = 0;
    size_t high = wf_parties_count(parties);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct wf_party *p = &parties->entries[middle].party;
        int order = wf_str_compare(name, wf_str(p->name));
        if (order == 0)
            return p;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct wf_party *wf_party_by_key(const struct wf_parties *parties, const char *key_z85)
{
    for (size_t i = 0; i < wf_parties_count(parties); i++) {
        const struct wf_party *p = &parties->entries[i].party;
        for (size_t k = 0; k < p->keys.n; k++) {
            if (strcmp(p->keys.items[k], key_z85) == 0)
                return p;
        }
    }
    return NULL;
}

bool wf_party_has(const struct wf_texts *list, struct wf_str text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i], "*") == 0 || wf_str_is(text, list->items[i]))
            return true;
    }
    return false;
}

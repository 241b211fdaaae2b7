/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/parties.h - who may speak to a cell from outside, and on whose behalf.
 *
 * PURPOSE    Reads CELL/parties/<name>.cfg, one file a party, into one table: its key, the sites
 *            and addresses it serves, the roles that it may assert for its staff, the procedures
 *            and activities it works with. The gate asks it who a key belongs to; the engine what
 *            that party may see and do.
 * CONCEPTS   party    an external system: the program of a counter, desk or agency, a gateway,
 *                     courier, portal or monitor; known by a CURVE key or a token
 *            address  what tasks are addressed to: a site, an agency, "sms", "vnpost"
 * LIFE CYCLE wf_parties_load -> look-ups (pure) -> wf_parties_free; load anew to see changes:
 *            wf_parties_due tells when, wf_parties_read what came of it.
 * ERRORS     WF_E_CONFIG with every mistake in the report: one mistake fails the whole load, and
 *            the caller keeps the table that it has. A folder that is not there is an empty table.
 *            WF_E_IO, WF_E_NOMEM: it could not be read now.
 * DANGERS    a revoked party is in the table, with `revoked` set: its key must be refused.
 * THREADS    immutable after loading.
 */
#ifndef WORKFLOW_PARTIES_H
#define WORKFLOW_PARTIES_H

#include "workflow/config.h"

enum wf_party_kind {
    WF_PARTY_COUNTER,
    WF_PARTY_DESK,
    WF_PARTY_AGENCY,
    WF_PARTY_GATEWAY,
    WF_PARTY_COURIER,
    WF_PARTY_PORTAL,
    WF_PARTY_MONITOR
};

struct wf_party {
    const char *name; /* a-z 0-9 - . _, at most 32 bytes; also the file's name */
    const char *organisation;
    enum wf_party_kind kind;
    struct wf_texts keys;       /* CURVE public keys, Z85, 40 characters; two while rotating */
    struct wf_texts tokens;     /* BLAKE2b-256 of its HTTP tokens: 64 lower-case hex digits */
    struct wf_texts sites;      /* whose dossiers it may see; "*" = all */
    struct wf_texts addresses;  /* whose tasks it may work on, beside its sites; "*" = all */
    struct wf_texts roles;      /* that it may assert */
    struct wf_texts procedures; /* that it may submit; "*" = all */
    struct wf_texts activities; /* whose tasks it may fetch; "*" = all */
    bool submit;                /* may file dossiers and raise events */
    bool journal;               /* may read the journal, of the dossiers it may see */
    bool relay;                 /* a station: hands dossiers over in sequence (docs/relay.md) */
    bool revoked;
    int64_t requests_per_second; /* 0 = the gate's default */
};

struct wf_parties;

/* Prints the settings of a party's file, as wf_keys_help does. */
void wf_parties_help(struct wf_buf *out);

int wf_parties_load(const char *folder, struct wf_report *report, struct wf_parties **out,
                    struct wf_error *err) WF_CHECKED;
void wf_parties_free(struct wf_parties *parties);

/* A number that changes when a file of the folder was added, removed or replaced; 0 = no folder. */
uint64_t wf_parties_stamp(const char *folder);

/* What a process that keeps a table knows of its folder. Zeroed = it was never read. */
struct wf_parties_watch {
    uint64_t stamp;  /* as the folder was when it was looked at last */
    bool is_settled; /* to read it once more would give the same */
    bool is_told;    /* the log says why it could not be read */
};

/* Is the folder to be read? To be asked before each reading, which wf_parties_read then ends. */
bool wf_parties_due(struct wf_parties_watch *watch, const char *folder);

/* Notes what came of reading, 0 or a code; true where the log is to say it. A wrong file stays
 * wrong until it is changed; lack of memory or of open files passes, and is tried again. */
bool wf_parties_read(struct wf_parties_watch *watch, int rc);

size_t wf_parties_count(const struct wf_parties *parties);
const struct wf_party *wf_parties_at(const struct wf_parties *parties, size_t i);
const struct wf_party *wf_party_by_name(const struct wf_parties *parties, struct wf_str name);
const struct wf_party *wf_party_by_key(const struct wf_parties *parties, const char *key_z85);

/* Is the text in the list, or does the list hold "*"? */
bool wf_party_has(const struct wf_texts *list, struct wf_str text);

const char *wf_party_kind_word(enum wf_party_kind kind); /* "counter", ... */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services/adapter/adapter.h - what the programs share that join a cell to another system.
 *
 * PURPOSE    Settings beside the cell, the connection to it, the loop, stopping and back-off, so
 *            that an adapter is its mapping and nothing else.
 * CONCEPTS   adapter   hoso-NAME, which is a client of the cell and of one outside system
 *            settings  CELL/NAME.cfg: the rows of ADAPTER_KEYS and the adapter's own, in one table
 *            party     whose rights it has: a party of the registry (CELL/parties/PARTY.cfg), on
 *                      the cell's own host as on any other
 *            turn      one bounded piece of work; between turns signals are heard
 * LIFE CYCLE adapter_main: options -> settings -> spec->open -> ready -> turns -> spec->close.
 *            `hoso run` starts hoso-NAME where CELL/NAME.cfg is there and does not say
 *            `enabled = false`.
 * OWNERSHIP  texts of the settings live as long as the adapter.
 * ERRORS     of a turn: what may pass (timeout, busy, denied, not_found ...) is logged when it
 *            changes and tried again with back-off; what may not (corrupt, io, config, version,
 *            internal) ends the process: `hoso run` starts it again. Exit codes as the workers'.
 * DANGERS    write down durably what came from the cell (db.h) before you acknowledge it, and
 *            before you say it to anybody. No personal data in logs and errors.
 * EXAMPLE    static const struct wf_key keys[] = {
 *                ADAPTER_KEYS(struct settings, common, "portal"),
 *                {"url", WF_KEY_TEXT, offsetof(struct settings, url), true, 1, 500, NULL, "..."},
 *            };
 *            int main(int argc, char **argv) { return adapter_main(&spec, argc, argv); }
 */
#ifndef ADAPTER_ADAPTER_H
#define ADAPTER_ADAPTER_H

#include "workflow/client.h"
#include "workflow/service.h"

/* The settings that every adapter has; the first member of its own struct. */
struct adapter_settings {
    bool enabled;          /* false: `hoso run` leaves it alone */
    const char *party;     /* in the registry */
    const char *gate;      /* key file, made absolute; "" = the run folder of this host's cell */
    const char *database;  /* made absolute */
    const char *log_level; /* as in hoso.cfg */
    int64_t timeout_ms;    /* for an answer of the cell */
    int64_t poll_ms;       /* between two looks when there is nothing to do */
    int64_t retry_ms;      /* back-off: first wait */
    int64_t retry_most_ms; /* and the longest */
};

/* clang-format off */
#define ADAPTER_LOOP_KEYS(type, member)                                                            \
    {"enabled", WF_KEY_BOOL, offsetof(type, member.enabled), false, 0, 0, "true",                  \
     "false: hoso run does not start it"},                                                         \
    {"log_level", WF_KEY_TEXT, offsetof(type, member.log_level), false, 1, 8, "info",              \
     "error, warn, info or debug"},                                                                \
    {"timeout_ms", WF_KEY_DURATION, offsetof(type, member.timeout_ms), false, 100, 600000,         \
     "10 seconds", "how long an answer of the cell is waited for"},                                \
    {"poll_ms", WF_KEY_DURATION, offsetof(type, member.poll_ms), false, 10, 600000, "1 second",    \
     "between two looks for something to do"},                                                     \
    {"retry_ms", WF_KEY_DURATION, offsetof(type, member.retry_ms), false, 10, 600000, "1 second",  \
     "first wait after a failure; then twice as long each time"},                                  \
    {"retry_most_ms", WF_KEY_DURATION, offsetof(type, member.retry_most_ms), false, 10,            \
     86400000, "5 minutes", "the longest such wait"}

/* Of an adapter with one party and a database; one with several parties has the loop's only, and
 * party, gate and database stay NULL. */
#define ADAPTER_KEYS(type, member, name)                                                           \
    ADAPTER_LOOP_KEYS(type, member),                                                               \
    {"party", WF_KEY_TEXT, offsetof(type, member.party), false, 1, 32, name,                       \
     "the party of the registry whose rights it has"},                                             \
    {"gate", WF_KEY_TEXT, offsetof(type, member.gate), false, 0, 1024, "",                         \
     "key file of hoso party add, where the cell is on another host; empty = this folder's cell"}, \
    {"database", WF_KEY_TEXT, offsetof(type, member.database), false, 1, 1024, name ".db",         \
     "its own file, from this file's folder"}
/* clang-format on */

/* Waits that grow, each a little by chance, so that many do not come back at once. */
struct adapter_backoff {
    int64_t wait_ms;  /* the last one, before chance; 0 = all is well */
    int64_t until_ms; /* monotonic: not before */
};

/* One of the two sides that an adapter works with: each may be down while the other goes on. */
struct adapter_side {
    const char *name; /* for the log: "the portal" */
    struct adapter_backoff backoff;
    struct wf_error last; /* what was wrong; code 0 = nothing */
    bool is_away;         /* the last piece of work failed */
};

struct adapter {
    const struct adapter_spec *spec;
    struct wf_options options;
    const char *folder;                    /* CELL, absolute */
    const char *run;                       /* CELL/run by hoso.cfg; NULL where a gate is set */
    void *settings;                        /* the adapter's own struct */
    const struct adapter_settings *common; /* its first member */
    const struct wf_node *root;            /* of the settings file */
    struct wf_client *client;
    struct wf_arena *arena;        /* emptied before each turn */
    void *self;                    /* the adapter's own state */
    struct adapter_side side;      /* of turns that failed */
    struct wf_board *board;        /* NULL where the cell is on another host */
    struct wf_board_portal *slot;  /* never NULL: of any adapter, they begin alike */
    struct wf_board_portal unseen; /* where there is no board */
    int lock_fd;                   /* one process for each database */
    int signal_fd;
    int wake_fd; /* set by the adapter: what can be read there ends a wait; 0 = none */
    bool stopping;
    bool hurry; /* SIGHUP: no back-off in this turn */
    struct wf_config *config;
    struct wf_settings cell; /* hoso.cfg, where there is no gate */
    struct wf_arena *texts;
};

struct adapter_spec {
    const char *name; /* "portal" */
    const char *doc;  /* one line for --help */
    bool is_local;    /* speaks to the cell of this host and nobody else: it needs no network */
    const struct wf_key *keys;
    size_t n_keys;
    size_t settings_size; /* of the struct that begins with struct adapter_settings */
    /* What the table cannot say; may be NULL. */
    int (*check)(struct adapter *a, struct wf_report *report, struct wf_error *err);
    /* Database and the like; the cell and the other system need not be up. */
    int (*open)(struct adapter *a, struct wf_error *err);
    /* One piece of work. *wait_ms is poll_ms and may be set to when to come again, 0 = at once. */
    int (*turn)(struct adapter *a, int64_t *wait_ms, struct wf_error *err);
    void (*close)(struct adapter *a); /* also after an open that failed half-way */
};

int adapter_main(const struct adapter_spec *spec, int argc, char **argv);

/*
 * Settings and nothing more, for the verbs of the hoso command: `folder` is the cell's. Messages on
 * what is wrong go to the report. WF_E_NOT_FOUND where there is no CELL/NAME.cfg.
 */
int adapter_load(struct adapter *a, const struct adapter_spec *spec, const char *folder,
                 struct wf_report *report, struct wf_error *err) WF_CHECKED;
void adapter_unload(struct adapter *a);

/* The turn gets on, and what it does next may take `ms`. To be said before each request to the other
 * system: one that is slow with everything does not look as if the adapter hung. */
void adapter_beat(struct adapter *a, int64_t ms);

/* The connection to the cell, opened when it is first wanted; a party's own name goes with it. To be
 * asked for before each request, since it is a beat too. */
int adapter_client(struct adapter *a, struct wf_client **out, struct wf_error *err) WF_CHECKED;

/* Waits so long, or until there is a signal; true when it is time to stop. */
bool adapter_wait(struct adapter *a, int64_t ms);

/*
 * One piece of work at one side, unless its back-off has not run out. `work` gives 0 when there was
 * nothing to do, 1 when it did something and wants to come again at once. What may pass is logged
 * when it changes, and the side left alone for a while; what may not comes back. *wait_ms is
 * shortened to when the side is to be looked at again.
 */
int adapter_work(struct adapter *a, struct adapter_side *side,
                 int (*work)(struct adapter *a, struct wf_error *err), int64_t *wait_ms,
                 struct wf_error *err) WF_CHECKED;

/* An address of the other system: https, or http on this host. What is wrong goes to the report. */
void adapter_check_url(const struct adapter *a, const char *name, const char *url,
                       struct wf_report *report);

/* The first line of a file that only its owner may read; wipe it after use. WF_E_CONFIG. */
int adapter_secret(const char *path, char *out, size_t size, struct wf_error *err) WF_CHECKED;

/* The next wait; `settings` has the bounds. Reset: all is well again. */
void adapter_backoff_grow(struct adapter_backoff *b, const struct adapter_settings *settings,
                          int64_t now_ms);
void adapter_backoff_reset(struct adapter_backoff *b);

/*
 * Gives up what no adapter needs of the system, for good (workflow/sandbox.h): programs, ports to be
 * reached at, all network unless it `connects`. Which files are in reach says the unit. Not where
 * `setting` (sandbox of hoso.cfg) is "off"; NULL stands for "auto".
 */
int adapter_confine(const char *setting, bool connects, struct wf_error *err) WF_CHECKED;

/* Does a process work with the database of these settings? */
bool adapter_is_running(const struct adapter_settings *settings);

/* When this began and is so still: a moment, kept on the board while `away` is above 0. */
void adapter_note_away(struct wf_board_portal *slot, int64_t away);

/* May an error pass by itself, so that one tries again? */
bool adapter_may_pass(int code);

#endif

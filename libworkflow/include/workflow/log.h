/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/log.h - one line per fact, key=value, on standard error.
 *
 * PURPOSE    Monitoring reads these lines, so events are a closed list with stable names and the
 *            keys stand in fixed order: ts level service event dossier procedure state seq party
 *            rc msg. Where standard error is the system's journal (systemd), the same goes there as
 *            fields instead: HOSO_EVENT, HOSO_DOSSIER ..., with the syslog priority of the level.
 * CONCEPTS   fatal the process ends; error a person must act; warn handled, look later;
 *            info one line per dossier transition or change of a process; debug off by default.
 *            join: all lines on a dossier carry its code, those on its events the journal's number
 *            bound: so many lines a second of one event (wf_log_set_rate); the rest is counted, and
 *            the count is written as event `suppressed` when lines get through again
 * DANGERS    no personal data, no message payloads, no keys: the dossier code and nothing more.
 * THREADS    one write(2) per line, so lines of several processes do not mix. One thread logs.
 */
#ifndef WORKFLOW_LOG_H
#define WORKFLOW_LOG_H

#include <stdint.h>

#include "workflow/error.h"

enum wf_log_level { WF_LOG_FATAL, WF_LOG_ERROR, WF_LOG_WARN, WF_LOG_INFO, WF_LOG_DEBUG };

/* clang-format off */
#define WF_LOG_EVENTS(X)                                                                   \
    X(START,       "start",        "a process has begun and read its settings")            \
    X(READY,       "ready",        "a worker answers on its endpoints")                    \
    X(STOP,        "stop",         "a process ends in good order")                         \
    X(TRANSITION,  "transition",   "a dossier has taken an event")                         \
    X(REFUSED,     "refused",      "a message was refused; rc says why")                   \
    X(RETRY,       "retry",        "a queue item failed and will be tried again")          \
    X(DEAD,        "dead_letter",  "a queue item failed for good; a person must look")     \
    X(BATCH,       "batch",        "a batch failed and is tried message by message")       \
    X(SPACE,       "space",        "the store or its disk is filling up")                  \
    X(READER,      "stale_reader", "reader slots of dead processes were cleared")          \
    X(PARTIES,     "parties",      "the registry of parties was read, or could not be")    \
    X(PAPERS,      "papers",       "papers that nobody names were taken away")             \
    X(PROCEDURE,   "procedure",    "a procedure version was loaded or could not be")       \
    X(FILE,        "file",         "a dropped file was taken, done or refused")            \
    X(PARCEL,      "parcel",       "orders at a courier's: placed, refused, cancelled")   \
    X(STRANGER,    "stranger",     "a connection was refused; once an address and minute") \
    X(CHILD,       "child",        "the supervisor has started, lost or ended a worker")   \
    X(LINE,        "line",         "a station's line to its cell went up or down, or is stuck") \
    X(WATCHDOG,    "watchdog",     "a worker held the write lock too long")                \
    X(SUPPRESSED,  "suppressed",   "so many lines of one event were not written")         \
    X(ARCHIVE,     "archive",      "changes were moved to the archive, or recording ended") \
    X(DAMAGE,      "damage",       "damaged rows of the store were passed over")           \
    X(NOTE,        "note",         "free text for debugging")
/* clang-format on */

enum wf_log_event {
#define X(name, word, meaning) WF_LOG_##name##_EVENT,
    WF_LOG_EVENTS(X)
#undef X
};

struct wf_log_fact {
    const char *dossier;   /* code, or NULL */
    const char *procedure; /* code, or NULL */
    const char *state;     /* "a,b", or NULL */
    uint64_t seq;          /* of the event in the journal, or 0 */
    const char *party;     /* name in the registry, or NULL */
    int rc;                /* WF_E_* or 0 */
};

/* Sets the name in every line and the highest level that is written. Call once at start. */
void wf_log_open(const char *service, enum wf_log_level level);
enum wf_log_level wf_log_level(void);
void wf_log_set_level(enum wf_log_level level);
/* Of the word in a settings file ("error", "warn", "info", "debug"); -1 where it is none. */
int wf_log_level_of(const char *word);
/* Most lines a second of one event, fatal ones aside; 0 = no bound, which is so at first. */
void wf_log_set_rate(unsigned lines);

void wf_log(enum wf_log_level level, enum wf_log_event event, const struct wf_log_fact *fact,
            const char *fmt, ...) WF_PRINTF(4, 5);

#endif

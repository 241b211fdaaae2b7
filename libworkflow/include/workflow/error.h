/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/error.h - what went wrong, in a form that the caller can act on.
 *
 * PURPOSE    Every fallible function of the library returns an int and fills the caller's
 *            struct wf_error on failure: a code for programs, a text for people, and the name
 *            of the offending input field where there is one.
 * CONCEPTS   code     0 done; negative WF_E_*; positive WF_NONE = looked for, not there
 *            action   what a service does about a code: retry, refuse, stop
 *            wrap     put context in front of the text on the way up: "commit: disk full"
 * OWNERSHIP  plain data in the caller's hands; nothing to free.
 * ERRORS     err may be NULL where the caller does not care; the code is returned anyway. What does
 *            not fit is cut between two letters, so that UTF-8 stays so.
 * DANGERS    texts go to logs and to parties: never put personal data into one. Name the
 *            dossier code, the field's name, the rule - not the field's content.
 * EXAMPLE    rc = wf_store_put(txn, item, err);
 *            if (rc < 0)
 *                return wf_wrap(err, "save item %" PRIu64, item->id);
 */
#ifndef WORKFLOW_ERROR_H
#define WORKFLOW_ERROR_H

#include <stdarg.h>

#define WF_CHECKED           __attribute__((warn_unused_result))
#define WF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Looked for and not there: an outcome, not a failure. No text is written. */
#define WF_NONE 1

enum wf_action { WF_RETRY, WF_REFUSE, WF_STOP };

/*
 * The one list of error codes. The lower-case name is what parties see in an error message and
 * what logs carry, so names and numbers are never changed or used again.
 */
/* clang-format off */
#define WF_ERRORS(X)                                                                      \
    X(NOMEM,       -1,  RETRY,  "nomem",       "out of memory")                           \
    X(BUSY,        -2,  RETRY,  "busy",        "too much waiting work; come back later")  \
    X(IO,          -3,  STOP,   "io",          "reading or writing failed")               \
    X(CORRUPT,     -4,  STOP,   "corrupt",     "stored data is damaged")                  \
    X(INVALID,     -5,  REFUSE, "invalid",     "input breaks a rule")                     \
    X(UNSUPPORTED, -6,  REFUSE, "unsupported", "message type or version is not known")    \
    X(DENIED,      -7,  REFUSE, "denied",      "the sender may not do this")              \
    X(NOT_FOUND,   -8,  REFUSE, "not_found",   "no such thing, or not yours")             \
    X(STATE,       -9,  REFUSE, "state",       "not possible in the present state")       \
    X(STALE,       -10, REFUSE, "stale",       "the lease has run out or passed on")      \
    X(CONFLICT,    -11, REFUSE, "conflict",    "same id was used with other content")     \
    X(FULL,        -12, REFUSE, "full",        "no room; nothing was stored")             \
    X(TIMEOUT,     -13, RETRY,  "timeout",     "no answer in time")                       \
    X(CONFIG,      -14, REFUSE, "config",      "a settings or procedure file is wrong")   \
    X(VERSION,     -15, STOP,   "version",     "made by another version")                 \
    X(INTERNAL,    -16, REFUSE, "internal",    "a promise of our own was broken")         \
    X(HELD,        -17, REFUSE, "held",        "put on hold by an operator; try again when it is released")
/* clang-format on */

enum wf_code {
#define X(name, number, action, word, meaning) WF_E_##name = number,
    WF_ERRORS(X)
#undef X
};

struct wf_error {
    int code;       /* WF_E_*, or 0 */
    char field[64]; /* name of the offending input field, or "" */
    char text[448]; /* one line, no newline, no personal data */
};

/* Starts an error: fills *err (which may be NULL) and returns code. Clears the field. */
int wf_fail(struct wf_error *err, int code, const char *fmt, ...) WF_PRINTF(3, 4);

/* A system call has failed: errno gives the code (full, nomem, io) and the end of the text. */
int wf_fail_errno(struct wf_error *err, const char *doing);
/* As wf_fail, and names the input field that is at fault ("fields.phone"). */
int wf_fail_field(struct wf_error *err, int code, const char *field, const char *fmt, ...)
    WF_PRINTF(4, 5);

/* Names the input field anew, of an error that is there ("body.fields.phone"). */
void wf_name_field(struct wf_error *err, const char *fmt, ...) WF_PRINTF(2, 3);

/* Puts "context: " before the text; returns the code already in *err (INTERNAL if err is NULL). */
int wf_wrap(struct wf_error *err, const char *fmt, ...) WF_PRINTF(2, 3);

/* The stable lower-case word of a code ("not_found"); "internal" for an unknown number. */
const char *wf_code_word(int code);

/* One general sentence on the code, for tables in documents. */
const char *wf_code_meaning(int code);

/* The code of a word, or 0 where no code has that word. */
int wf_code_of_word(const char *word);

/* What the runtime does about the code. */
enum wf_action wf_code_action(int code);

#endif

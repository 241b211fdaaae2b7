/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/calendar.h - working time: office hours, rest days, holidays, worked Saturdays.
 *
 * PURPOSE    Computes due dates the way the law and the offices count (docs in
 *            config/calendar.cfg): the day of receipt does not count; n working days keep the time
 *            of day; hours consume office minutes only; calendar-day limits that end on a rest day
 *            move on.
 * CONCEPTS   day        a civil day in the calendar's zone (fixed offset; Asia/Ho_Chi_Minh, UTC+7)
 *            span       office hours of a day, e.g. 07:00-11:30 and 13:30-17:00
 *            limit      a parsed time limit: amount and unit
 *            cut-off    15:00: a "same day" matter received later is due the next working day
 *            opening    what arrives outside office hours counts as arrived at the next opening,
 *                       for every unit but REAL
 *            reception  hours of rest days (Saturday morning) at which dossiers are taken in: what
 *                       comes then has arrived then, yet the day counts for no limit
 *            variant    the same holidays with the hours of some sites; sites.cfg names it
 * LIFE CYCLE wf_calendar_load -> any number of computations (pure) -> wf_calendar_free
 * ERRORS     WF_E_CONFIG from loading. Computations cannot fail: years without a holiday list
 *            count only weekly rest days, and wf_calendar_covers tells so.
 * THREADS    immutable after loading.
 * SOURCES    Civil Code 2015, Art. 147, 148; yearly holiday notices (named in the file).
 */
#ifndef WORKFLOW_CALENDAR_H
#define WORKFLOW_CALENDAR_H

#include "workflow/config.h"

struct wf_calendar;

enum wf_limit_unit {
    WF_LIMIT_NONE,          /* no limit */
    WF_LIMIT_SAME_DAY,      /* "same day": end of office hours; after cut-off, of the next day */
    WF_LIMIT_WORKING_DAYS,  /* "3 working days" */
    WF_LIMIT_WORKING_HOURS, /* "8 working hours" */
    WF_LIMIT_DAYS,          /* "15 days": calendar days, moved off rest days at the end */
    WF_LIMIT_REAL           /* "30 minutes", "12 hours", "10 seconds", "500 ms": plain time */
};

struct wf_limit {
    enum wf_limit_unit unit;
    int64_t amount; /* days, hours, or for REAL milliseconds */
};

/* Parses "3 working days" and the other forms above; false where it is none, or above a century. */
bool wf_limit_parse(struct wf_str text, struct wf_limit *out);

int wf_calendar_load(const char *path, struct wf_report *report, struct wf_calendar **out,
                     struct wf_error *err) WF_CHECKED;
int wf_calendar_parse(const char *name, const char *text, size_t length, struct wf_report *report,
                      struct wf_calendar **out, struct wf_error *err) WF_CHECKED;
void wf_calendar_free(struct wf_calendar *calendar);

/* The moment at which a limit that starts at from_ms runs out. NONE gives 0. */
int64_t wf_calendar_due(const struct wf_calendar *calendar, int64_t from_ms, struct wf_limit limit);

/*
 * The moment that lies `before` ahead of a due date, for reminders: working days keep the time of
 * day, hours consume office minutes only, days that end on a rest day move back, "same day" is the
 * opening of the due day. Without due date (0) it is 0.
 */
int64_t wf_calendar_before(const struct wf_calendar *calendar, int64_t due_ms,
                           struct wf_limit before);

/* The hours of some sites by their name; NULL where there is no such variant. NULL = itself. */
const struct wf_calendar *wf_calendar_variant(const struct wf_calendar *calendar, const char *name);

/* The moment itself where it lies in office hours, else the next opening. */
int64_t wf_calendar_next_open(const struct wf_calendar *calendar, int64_t ms);

/*
 * R13: the old due date moved on by the (real) time waited, set on a working moment. A dossier
 * without due date (0) stays without.
 */
int64_t wf_calendar_extend(const struct wf_calendar *calendar, int64_t due_ms, int64_t waited_ms);

/* Milliseconds of office hours between two moments (0 where to <= from). */
int64_t wf_calendar_between(const struct wf_calendar *calendar, int64_t from_ms, int64_t to_ms);

bool wf_calendar_is_working_day(const struct wf_calendar *calendar, int64_t ms);
bool wf_calendar_covers(const struct wf_calendar *calendar, int64_t ms); /* holidays known? */

/* ---- civil dates in the calendar's zone ---------------------------------------------------- */

struct wf_civil {
    int year;  /* 1-9999 */
    int month; /* 1-12 */
    int day;   /* 1-31 */
    int hour;
    int minute;
    int second;
    int weekday; /* 0 = Sunday; not read by wf_civil_to_ms */
};

/* Both take a NULL calendar for UTC+7. The date must be valid; moments are cut to years 1-9999. */
struct wf_civil wf_civil_of(const struct wf_calendar *calendar, int64_t ms);
int64_t wf_civil_to_ms(const struct wf_calendar *calendar, const struct wf_civil *civil);
bool wf_date_is_valid(int year, int month, int day);

/* "2026-11-23 09:10" in the calendar's zone; size >= 20. NULL calendar = UTC+7. Returns buf. */
const char *wf_calendar_format(const struct wf_calendar *calendar, int64_t ms, char *buf,
                               size_t size);
/* "23/11/2026 09:10", as citizens and officials of the country write it. */
const char *wf_calendar_format_vi(const struct wf_calendar *calendar, int64_t ms, char *buf,
                                  size_t size);

#endif

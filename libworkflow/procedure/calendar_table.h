/* SPDX-License-Identifier: Apache-2.0 */
/* procedure/calendar_table.h - the inside of a calendar, shared by its reader and its sums. */
#ifndef PROCEDURE_CALENDAR_TABLE_H
#define PROCEDURE_CALENDAR_TABLE_H

#include "workflow/calendar.h"

/* Years for which a file may list holidays. Beyond them only the weekly rest counts. */
#define CALENDAR_FIRST_YEAR 2015
#define CALENDAR_LAST_YEAR  2040
#define CALENDAR_YEARS      (CALENDAR_LAST_YEAR - CALENDAR_FIRST_YEAR + 1)
#define CALENDAR_DAYS       (CALENDAR_YEARS * 366)
#define CALENDAR_SPANS      4
#define CALENDAR_NAME_BYTES 41

#define MINUTE_MS       INT64_C(60000)
#define DAY_MS          INT64_C(86400000)
#define DEFAULT_ZONE_MS (7 * 60 * MINUTE_MS)

/* What the yearly lists say about a day; 0 = the weekly rule decides. */
enum day_mark { DAY_ORDINARY, DAY_OFF, DAY_WORKED };

/* Office hours, in milliseconds since midnight. */
struct span {
    int64_t open;
    int64_t close;
};

struct wf_calendar {
    int64_t zone_ms;
    struct span spans[CALENDAR_SPANS]; /* in order, apart from each other, at least one */
    size_t n_spans;
    int64_t cut_off; /* since midnight */
    bool due_on_worked_saturday;
    bool due_at_end_of_hours;
    bool rest[7];             /* by weekday, 0 = Sunday; at least one is false */
    struct span reception[7]; /* of rest days on which dossiers are taken in; 0, 0 = none */
    int64_t first_day;        /* 1 January of CALENDAR_FIRST_YEAR, days since 1970 */
    bool covered[CALENDAR_YEARS];
    uint8_t marks[CALENDAR_DAYS]; /* enum day_mark, from first_day */
    char name[CALENDAR_NAME_BYTES];
    struct wf_calendar *variants; /* by `next`: of the main calendar only */
    struct wf_calendar *next;
};

/* Days since 1970-01-01 of a valid date, and the weekday of such a day (0 = Sunday). */
int64_t calendar_day_of_date(int year, int month, int day);
int calendar_weekday(int64_t day);

/* Local milliseconds (UTC plus zone), cut to years 1..9999 so that no sum can overflow. */
int64_t calendar_local(const struct wf_calendar *calendar, int64_t ms);

#endif

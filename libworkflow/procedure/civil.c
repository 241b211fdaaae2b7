/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Civil dates in a zone of fixed offset. Viet Nam has had no summer time since 1975, so the C
 * library's zone files are not asked: results must not depend on what a host has installed.
 *
 * The conversions count years from 1 March, which puts the leap day last, in eras of 400 years.
 */
#include <stdio.h>

#include "procedure/calendar_table.h"

#define ERA_DAYS    146097
#define EPOCH_SHIFT 719468                          /* days from 0000-03-01 to 1970-01-01 */
#define FIRST_MS    (INT64_C(-719162) * DAY_MS)     /* 0001-01-01 */
#define LAST_MS     (INT64_C(2932897) * DAY_MS - 1) /* end of 9999-12-31 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool wf_date_is_valid(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= lengths[month - 1] + (month == 2 && is_leap(year));
}

int64_t calendar_day_of_date(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_SHIFT;
}

int calendar_weekday(int64_t day)
{
    int64_t since_sunday = day + 4; /* 1970-01-01 was a Thursday */
    return (int)(since_sunday - floor_div(since_sunday, 7) * 7);
}

int64_t calendar_local(const struct wf_calendar *calendar, int64_t ms)
{
    int64_t zone = calendar != NULL ? calendar->zone_ms : DEFAULT_ZONE_MS;
    if (ms < FIRST_MS - zone)
        return FIRST_MS;
    return ms > LAST_MS - zone ? LAST_MS : ms + zone;
}

struct wf_civil wf_civil_of(const struct wf_calendar *calendar, int64_t ms)
{
    int64_t local = calendar_local(calendar, ms);
    int64_t day = floor_div(local, DAY_MS);
    int second = (int)((local - day * DAY_MS) / 1000);

    int64_t shifted = day + EPOCH_SHIFT;
    int64_t era = floor_div(shifted, ERA_DAYS);
    int64_t day_of_era = shifted - era * ERA_DAYS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    return (struct wf_civil){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .hour = second / 3600,
        .minute = second / 60 % 60,
        .second = second % 60,
        .weekday = calendar_weekday(day),
    };
}

int64_t wf_civil_to_ms(const struct wf_calendar *calendar, const struct wf_civil *civil)
{
    int64_t zone = calendar != NULL ? calendar->zone_ms : DEFAULT_ZONE_MS;
    int64_t day = calendar_day_of_date(civil->year, civil->month, civil->day);
    int64_t second = civil->hour * INT64_C(3600) + civil->minute * INT64_C(60) + civil->second;
    return day * DAY_MS + second * 1000 - zone;
}

const char *wf_calendar_format(const struct wf_calendar *calendar, int64_t ms, char *buf,
                               size_t size)
{
    struct wf_civil c = wf_civil_of(calendar, ms);
    (void)snprintf(buf, size, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
    return buf;
}

const char *wf_calendar_format_vi(const struct wf_calendar *calendar, int64_t ms, char *buf,
                                  size_t size)
{
    struct wf_civil c = wf_civil_of(calendar, ms);
    (void)snprintf(buf, size, "%02d/%02d/%04d %02d:%02d", c.day, c.month, c.year, c.hour, c.minute);
    return buf;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of working time. All of them run on local milliseconds (UTC plus the zone's offset), split
 * into a day number and a time of day; a byte per day says what the yearly lists make of it.
 *
 * One rule comes first for every limit of the office: what arrives outside office hours counts as
 * arrived at the next opening. So the time of day that a due date keeps is always an office time.
 */
#include "procedure/calendar_table.h"

#include <string.h>

/* Longer limits than a century are nonsense; the bound keeps every loop and sum small. */
#define MAX_DAYS  36500
#define MAX_HOURS (INT64_C(24) * MAX_DAYS)
#define HOUR_MS   (60 * MINUTE_MS)
#define MAX_MS    (INT64_MAX / 2)

struct moment {
    int64_t day;  /* since 1970-01-01, local */
    int64_t time; /* milliseconds since midnight */
};

static struct moment split(const struct wf_calendar *calendar, int64_t ms)
{
    int64_t local = calendar_local(calendar, ms);
    int64_t day = local / DAY_MS - (local % DAY_MS < 0);
    return (struct moment){day, local - day * DAY_MS};
}

static int64_t join(const struct wf_calendar *calendar, struct moment m)
{
    return m.day * DAY_MS + m.time - calendar->zone_ms;
}

static int64_t clamp(int64_t n, int64_t low, int64_t high)
{
    return n < low ? low : n > high ? high : n;
}

static enum day_mark mark_of(const struct wf_calendar *calendar, int64_t day)
{
    int64_t i = day - calendar->first_day;
    return i >= 0 && i < CALENDAR_DAYS ? (enum day_mark)calendar->marks[i] : DAY_ORDINARY;
}

static bool is_working(const struct wf_calendar *calendar, int64_t day)
{
    enum day_mark mark = mark_of(calendar, day);
    if (mark != DAY_ORDINARY)
        return mark == DAY_WORKED;
    return !calendar->rest[calendar_weekday(day)];
}

static int64_t next_working(const struct wf_calendar *calendar, int64_t day)
{
    do {
        day++;
    } while (!is_working(calendar, day));
    return day;
}

static int64_t previous_working(const struct wf_calendar *calendar, int64_t day)
{
    do {
        day--;
    } while (!is_working(calendar, day));
    return day;
}

static int64_t closing(const struct wf_calendar *calendar)
{
    return calendar->spans[calendar->n_spans - 1].close;
}

/* The moment itself in office hours, else the next opening; a closing time is outside. */
static struct moment next_open(const struct wf_calendar *calendar, struct moment m)
{
    if (is_working(calendar, m.day)) {
        for (size_t i = 0; i < calendar->n_spans; i++) {
            if (m.time < calendar->spans[i].open)
                return (struct moment){m.day, calendar->spans[i].open};
            if (m.time < calendar->spans[i].close)
                return m;
        }
    }
    return (struct moment){next_working(calendar, m.day), calendar->spans[0].open};
}

/* As above, but on rest days with hours of reception those count: the clock starts then. */
static struct moment arrival(const struct wf_calendar *calendar, struct moment m)
{
    struct moment open = next_open(calendar, m);
    for (; m.day < open.day; m = (struct moment){m.day + 1, 0}) {
        const struct span *span = &calendar->reception[calendar_weekday(m.day)];
        if (!is_working(calendar, m.day) && mark_of(calendar, m.day) != DAY_OFF &&
            m.time < span->close)
            return (struct moment){m.day, m.time > span->open ? m.time : span->open};
    }
    return open;
}

/* Moves a due date off rest days and, where the office wants so, off worked Saturdays. */
static struct moment settle(const struct wf_calendar *calendar, struct moment m)
{
    while (!is_working(calendar, m.day) ||
           (!calendar->due_on_worked_saturday && mark_of(calendar, m.day) == DAY_WORKED))
        m.day++;
    return m;
}

static struct moment add_working_days(const struct wf_calendar *calendar, struct moment m,
                                      int64_t days)
{
    for (int64_t i = 0; i < clamp(days, 0, MAX_DAYS); i++)
        m.day = next_working(calendar, m.day);
    return m;
}

/* Office milliseconds only. A sum that ends with a span is due at its end, not after the gap. */
static struct moment add_working_ms(const struct wf_calendar *calendar, struct moment m,
                                    int64_t left)
{
    if (!is_working(calendar, m.day)) /* taken in on a rest day */
        m = (struct moment){next_working(calendar, m.day), 0};
    for (;;) {
        for (size_t i = 0; i < calendar->n_spans; i++) {
            const struct span *span = &calendar->spans[i];
            int64_t start = m.time > span->open ? m.time : span->open;
            int64_t room = span->close - start;
            if (room >= left)
                return (struct moment){m.day, start + left};
            if (room > 0)
                left -= room;
        }
        m = (struct moment){next_working(calendar, m.day), 0};
    }
}

/* Received after the cut-off: the same matter is answered on the next working day. */
static struct moment same_day(const struct wf_calendar *calendar, struct moment m)
{
    if (m.time > calendar->cut_off)
        m.day = next_working(calendar, m.day);
    return (struct moment){m.day, closing(calendar)};
}

int64_t wf_calendar_due(const struct wf_calendar *calendar, int64_t from_ms, struct wf_limit limit)
{
    struct moment m = arrival(calendar, split(calendar, from_ms));
    switch (limit.unit) {
    case WF_LIMIT_NONE:
        return 0;
    case WF_LIMIT_REAL:
        return clamp(from_ms, -MAX_MS, MAX_MS) + clamp(limit.amount, 0, MAX_DAYS * DAY_MS);
    case WF_LIMIT_SAME_DAY:
        return join(calendar, settle(calendar, same_day(calendar, m)));
    case WF_LIMIT_WORKING_HOURS:
        m = add_working_ms(calendar, m, clamp(limit.amount, 0, MAX_HOURS) * HOUR_MS);
        return join(calendar, settle(calendar, m));
    case WF_LIMIT_WORKING_DAYS:
        m = add_working_days(calendar, m, limit.amount);
        break;
    case WF_LIMIT_DAYS:
        m.day += clamp(limit.amount, 0, MAX_DAYS);
        break;
    }
    if (calendar->due_at_end_of_hours)
        m.time = closing(calendar);
    return join(calendar, settle(calendar, m));
}

/* ---- counting back -------------------------------------------------------------------------- */

static struct moment sub_working_ms(const struct wf_calendar *calendar, struct moment m,
                                    int64_t left)
{
    if (!is_working(calendar, m.day))
        m = (struct moment){previous_working(calendar, m.day), DAY_MS};
    for (;;) {
        for (size_t i = calendar->n_spans; i-- > 0;) {
            const struct span *span = &calendar->spans[i];
            int64_t end = m.time < span->close ? m.time : span->close;
            int64_t room = end - span->open;
            if (room >= left)
                return (struct moment){m.day, end - left};
            if (room > 0)
                left -= room;
        }
        m = (struct moment){previous_working(calendar, m.day), DAY_MS};
    }
}

int64_t wf_calendar_before(const struct wf_calendar *calendar, int64_t due_ms,
                           struct wf_limit before)
{
    struct moment m = split(calendar, due_ms);
    if (due_ms == 0)
        return 0;
    switch (before.unit) {
    case WF_LIMIT_NONE:
        return due_ms;
    case WF_LIMIT_REAL:
        return clamp(due_ms, -MAX_MS, MAX_MS) - clamp(before.amount, 0, MAX_DAYS * DAY_MS);
    case WF_LIMIT_SAME_DAY:
        m.time = calendar->spans[0].open;
        break;
    case WF_LIMIT_WORKING_HOURS:
        return join(calendar,
                    sub_working_ms(calendar, m, clamp(before.amount, 0, MAX_HOURS) * HOUR_MS));
    case WF_LIMIT_WORKING_DAYS:
        for (int64_t i = 0; i < clamp(before.amount, 0, MAX_DAYS); i++)
            m.day = previous_working(calendar, m.day);
        break;
    case WF_LIMIT_DAYS:
        m.day -= clamp(before.amount, 0, MAX_DAYS);
        break;
    }
    if (!is_working(calendar, m.day))
        m.day = previous_working(calendar, m.day);
    return join(calendar, m);
}

int64_t wf_calendar_next_open(const struct wf_calendar *calendar, int64_t ms)
{
    return join(calendar, next_open(calendar, split(calendar, ms)));
}

int64_t wf_calendar_extend(const struct wf_calendar *calendar, int64_t due_ms, int64_t waited_ms)
{
    if (due_ms == 0 || waited_ms <= 0)
        return due_ms;
    int64_t moved_ms = clamp(due_ms, -MAX_MS, MAX_MS) + clamp(waited_ms, 0, MAX_DAYS * DAY_MS);
    struct moment m = split(calendar, moved_ms);
    /* The end of office hours is a fair due time, though next_open would leave it behind. */
    if (!is_working(calendar, m.day) || m.time != closing(calendar))
        m = next_open(calendar, m);
    if (calendar->due_at_end_of_hours)
        m.time = closing(calendar);
    return join(calendar, settle(calendar, m));
}

/* Office milliseconds of a working day before the time of day. */
static int64_t worked_until(const struct wf_calendar *calendar, int64_t time)
{
    int64_t sum = 0;
    for (size_t i = 0; i < calendar->n_spans; i++) {
        const struct span *span = &calendar->spans[i];
        if (time > span->open)
            sum += (time < span->close ? time : span->close) - span->open;
    }
    return sum;
}

int64_t wf_calendar_between(const struct wf_calendar *calendar, int64_t from_ms, int64_t to_ms)
{
    struct moment from = split(calendar, from_ms);
    struct moment to = split(calendar, to_ms);
    int64_t whole_day = worked_until(calendar, DAY_MS);
    int64_t sum = 0;
    if (to_ms <= from_ms)
        return 0;
    for (int64_t day = from.day; day < to.day; day++)
        sum += is_working(calendar, day) ? whole_day : 0;
    if (is_working(calendar, from.day))
        sum -= worked_until(calendar, from.time);
    if (is_working(calendar, to.day))
        sum += worked_until(calendar, to.time);
    return sum;
}

const struct wf_calendar *wf_calendar_variant(const struct wf_calendar *calendar, const char *name)
{
    if (name == NULL)
        return calendar;
    const struct wf_calendar *variant = calendar->variants;
    while (variant != NULL && strcmp(variant->name, name) != 0)
        variant = variant->next;
    return variant;
}

bool wf_calendar_is_working_day(const struct wf_calendar *calendar, int64_t ms)
{
    return is_working(calendar, split(calendar, ms).day);
}

bool wf_calendar_covers(const struct wf_calendar *calendar, int64_t ms)
{
    int year = wf_civil_of(calendar, ms).year;
    return year >= CALENDAR_FIRST_YEAR && year <= CALENDAR_LAST_YEAR &&
           calendar->covered[year - CALENDAR_FIRST_YEAR];
}

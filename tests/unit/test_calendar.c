/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "workflow/calendar.h"

#define CALENDAR_FILE SOURCE_ROOT "/config/calendar.cfg"
#define HOURS         "office_hours = [ \"07:00-11:30\", \"13:30-17:00\" ];"
#define REST          "weekly_rest = [ \"saturday\", \"sunday\" ];"

static struct wf_calendar *calendar; /* config/calendar.cfg, for all tests */

static int load(void **state)
{
    (void)state;
    struct wf_report report = {0};
    struct wf_error err = {0};
    int rc = wf_calendar_load(CALENDAR_FILE, &report, &calendar, &err);
    if (rc != 0)
        print_error("%s\n", err.text);
    size_t warnings = report.n;
    wf_report_fini(&report);
    return rc != 0 || warnings != 0;
}

static int unload(void **state)
{
    (void)state;
    wf_calendar_free(calendar);
    return 0;
}

/* Parses text that must be a good calendar. */
static struct wf_calendar *parse(const char *text)
{
    struct wf_report report = {0};
    struct wf_calendar *out = NULL;
    struct wf_error err = {0};
    assert_ok(wf_calendar_parse("test.cfg", text, strlen(text), &report, &out, &err), err);
    wf_report_fini(&report);
    return out;
}

/* "2026-11-23 09:10" */
static int64_t at(const char *text)
{
    struct wf_civil c = {0};
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &c.year, &c.month, &c.day, &c.hour, &c.minute),
                     5);
    return wf_civil_to_ms(calendar, &c);
}

static void assert_moment(int64_t ms, const char *expected)
{
    char buf[32];
    assert_string_equal(wf_calendar_format(calendar, ms, buf, sizeof(buf)), expected);
    assert_int_equal(ms % 60000, 0);
}

static int64_t due(const struct wf_calendar *c, const char *from, const char *limit)
{
    struct wf_limit parsed;
    if (!wf_limit_parse(wf_str(limit), &parsed))
        fail_msg("'%s' is no limit", limit);
    return wf_calendar_due(c, at(from), parsed);
}

static void assert_due(const char *from, const char *limit, const char *expected)
{
    assert_moment(due(calendar, from, limit), expected);
}

static void working_days_agree_with_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *received;
        int days;
        const char *due;
    } vectors[] = {
        {"2023-08-31", 1, "2023-09-05"},  {"2025-04-25", 3, "2025-04-29"},
        {"2023-04-28", 3, "2023-05-08"},  {"2025-08-29", 1, "2025-09-03"},
        {"2023-12-29", 3, "2024-01-04"},  {"2026-01-09", 1, "2026-01-10"},
        {"2024-01-29", 3, "2024-02-01"},  {"2026-02-13", 3, "2026-02-25"},
        {"2024-02-06", 5, "2024-02-20"},  {"2026-08-21", 3, "2026-08-25"},
        {"2024-02-07", 1, "2024-02-15"},  {"2026-08-28", 1, "2026-09-03"},
        {"2024-04-26", 3, "2024-05-04"},  {"2026-11-23", 1, "2026-11-25"},
        {"2024-06-10", 22, "2024-07-10"}, {"2027-02-03", 3, "2027-02-15"},
        {"2025-01-24", 3, "2025-02-05"},  {"2027-04-29", 2, "2027-05-05"},
    };
    for (size_t i = 0; i < WF_COUNT(vectors); i++) {
        char from[32], limit[32], expected[32];
        (void)snprintf(from, sizeof(from), "%s 09:10", vectors[i].received);
        (void)snprintf(limit, sizeof(limit), "%d working days", vectors[i].days);
        (void)snprintf(expected, sizeof(expected), "%s 09:10", vectors[i].due);
        assert_due(from, limit, expected);
    }
}

static int64_t new_year(int year)
{
    struct wf_civil c = {.year = year, .month = 1, .day = 1};
    return wf_civil_to_ms(calendar, &c);
}

static void each_year_has_its_number_of_working_days(void **state)
{
    (void)state;
    static const int expected[] = {250, 249, 249, 251, 250, 249, 249}; /* 2021 to 2027 */
    for (int i = 0; i < 7; i++) {
        int64_t begin = new_year(2021 + i), end = new_year(2022 + i);
        int n = 0;
        for (int64_t ms = begin; ms < end; ms += 86400000)
            n += wf_calendar_is_working_day(calendar, ms);
        assert_int_equal(n, expected[i]);
        assert_int_equal(wf_calendar_between(calendar, begin, end), n * INT64_C(8) * 3600000);
    }
}

static void receipts_outside_office_hours_count_from_the_next_opening(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"2024-06-10 06:00", "2024-06-11 07:00"}, {"2024-06-10 12:15", "2024-06-11 13:30"},
        {"2024-06-10 11:30", "2024-06-11 13:30"}, {"2024-06-10 17:00", "2024-06-12 07:00"},
        {"2024-06-10 20:00", "2024-06-12 07:00"}, {"2024-06-08 10:00", "2024-06-11 07:00"},
        {"2024-06-10 16:59", "2024-06-11 16:59"}, {"2024-06-10 07:00", "2024-06-11 07:00"},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++)
        assert_due(cases[i][0], "1 working day", cases[i][1]);
    assert_moment(wf_calendar_next_open(calendar, at("2024-06-10 08:00")), "2024-06-10 08:00");
    assert_moment(wf_calendar_next_open(calendar, at("2026-11-24 08:00")), "2026-11-25 07:00");
}

static void working_hours_skip_lunch_nights_and_rest_days(void **state)
{
    (void)state;
    assert_due("2024-06-10 10:00", "1 working hour", "2024-06-10 11:00");
    assert_due("2024-06-10 10:30", "1 working hour", "2024-06-10 11:30");
    assert_due("2024-06-10 11:00", "1 working hour", "2024-06-10 14:00");
    assert_due("2024-06-10 07:00", "8 working hours", "2024-06-10 17:00");
    assert_due("2024-06-10 09:10", "8 working hours", "2024-06-11 09:10");
    assert_due("2024-06-10 16:30", "1 working hour", "2024-06-11 07:30");
    assert_due("2024-06-14 16:00", "4 working hours", "2024-06-17 10:00");
    assert_due("2024-06-08 23:00", "2 working hours", "2024-06-10 09:00");
    assert_due("2024-02-07 16:00", "2 working hours", "2024-02-15 08:00");
    assert_due("2024-06-10 09:10", "24 working hours", "2024-06-13 09:10");
}

static void same_day_matters_after_fifteen_hours_are_due_the_next_working_day(void **state)
{
    (void)state;
    assert_due("2024-06-10 06:00", "same day", "2024-06-10 17:00");
    assert_due("2024-06-10 15:00", "same day", "2024-06-10 17:00");
    assert_due("2024-06-10 15:01", "same day", "2024-06-11 17:00");
    assert_due("2024-06-14 15:30", "same day", "2024-06-17 17:00");
    assert_due("2024-06-14 18:00", "same day", "2024-06-17 17:00");
    assert_due("2024-06-15 09:00", "same day", "2024-06-17 17:00");
    assert_due("2026-11-23 16:00", "same day", "2026-11-25 17:00");
}

static void calendar_days_that_end_on_a_rest_day_move_on(void **state)
{
    (void)state;
    assert_due("2024-06-10 09:10", "2 days", "2024-06-12 09:10");
    assert_due("2024-06-10 09:10", "5 days", "2024-06-17 09:10");
    assert_due("2024-06-10 09:10", "6 days", "2024-06-17 09:10");
    assert_due("2024-04-26 09:10", "3 days", "2024-05-02 09:10");
    assert_due("2024-04-26 09:10", "8 days", "2024-05-04 09:10");
    assert_due("2024-01-31 09:10", "30 days", "2024-03-01 09:10");
}

static void plain_time_and_no_limit_ignore_the_calendar(void **state)
{
    (void)state;
    assert_due("2024-06-15 23:50", "30 minutes", "2024-06-16 00:20");
    assert_int_equal(wf_calendar_due(calendar, at("2024-06-10 09:10"), (struct wf_limit){0}), 0);
}

static void waiting_for_the_citizen_moves_the_due_date_on(void **state)
{
    (void)state;
    int64_t due_ms = at("2024-06-13 09:10"), day = 86400000, hour = 3600000;
    assert_moment(wf_calendar_extend(calendar, due_ms, 4 * day), "2024-06-17 09:10");
    assert_moment(wf_calendar_extend(calendar, due_ms, 2 * day), "2024-06-17 07:00");
    assert_moment(wf_calendar_extend(calendar, due_ms, 3 * hour), "2024-06-13 13:30");
    assert_moment(wf_calendar_extend(calendar, due_ms, 11 * hour), "2024-06-14 07:00");
    assert_moment(wf_calendar_extend(calendar, at("2024-06-13 17:00"), day), "2024-06-14 17:00");
    assert_moment(wf_calendar_extend(calendar, due_ms, 0), "2024-06-13 09:10");
    assert_moment(wf_calendar_extend(calendar, due_ms, -hour), "2024-06-13 09:10");
    assert_int_equal(wf_calendar_extend(calendar, 0, day), 0);
}

static void assert_before(const char *due_date, const char *length, const char *expected)
{
    struct wf_limit limit;
    if (!wf_limit_parse(wf_str(length), &limit))
        fail_msg("'%s' is no limit", length);
    assert_moment(wf_calendar_before(calendar, at(due_date), limit), expected);
}

static void reminders_are_counted_back_from_the_due_date(void **state)
{
    (void)state;
    assert_before("2024-06-13 09:10", "1 working day", "2024-06-12 09:10");
    assert_before("2024-06-17 09:10", "1 working day", "2024-06-14 09:10");  /* over a week-end */
    assert_before("2024-05-06 09:10", "1 working day", "2024-05-04 09:10");  /* worked Saturday */
    assert_before("2024-02-15 09:10", "2 working days", "2024-02-06 09:10"); /* over the new year */
    assert_before("2024-06-13 09:10", "2 working hours", "2024-06-13 07:10");
    assert_before("2024-06-13 09:10", "4 working hours", "2024-06-12 15:10");
    assert_before("2024-06-17 07:00", "1 working hour", "2024-06-14 16:00");
    assert_before("2024-06-13 14:00", "1 working hour", "2024-06-13 11:00"); /* over lunch */
    assert_before("2024-06-13 15:30", "2 working hours", "2024-06-13 13:30");
    assert_before("2024-06-13 09:10", "1 day", "2024-06-12 09:10");
    assert_before("2024-06-17 09:10", "1 day", "2024-06-14 09:10"); /* not on a Sunday */
    assert_before("2024-06-13 09:10", "same day", "2024-06-13 07:00");
    assert_before("2024-06-13 09:10", "30 minutes", "2024-06-13 08:40");
    struct wf_limit day = {WF_LIMIT_WORKING_DAYS, 1};
    assert_int_equal(wf_calendar_before(calendar, 0, day), 0);
}

static void counting_back_undoes_counting_on(void **state)
{
    (void)state;
    int64_t from = at("2023-01-03 07:20");
    for (int i = 0; i < 2000; i++, from += 7 * 3600000 + 11 * 60000) {
        struct wf_limit days = {WF_LIMIT_WORKING_DAYS, 1 + i % 9};
        struct wf_limit hours = {WF_LIMIT_WORKING_HOURS, 1 + i % 23};
        int64_t open = wf_calendar_next_open(calendar, from);
        int64_t due_ms = wf_calendar_due(calendar, open, days);
        assert_int_equal(wf_calendar_before(calendar, due_ms, days), open);
        due_ms = wf_calendar_due(calendar, open, hours);
        assert_int_equal(
            wf_calendar_between(calendar, wf_calendar_before(calendar, due_ms, hours), due_ms),
            hours.amount * 3600000);
    }
}

static void a_variant_has_the_hours_of_a_site_and_the_holidays_of_all(void **state)
{
    (void)state;
    const struct wf_calendar *early = wf_calendar_variant(calendar, "from_0730");
    assert_non_null(early);
    assert_ptr_equal(wf_calendar_variant(calendar, NULL), calendar);
    assert_null(wf_calendar_variant(calendar, "midnight"));
    assert_moment(due(early, "2024-06-10 06:00", "2 working days"), "2024-06-12 07:30");
    assert_moment(due(early, "2024-06-10 12:15", "1 working day"), "2024-06-11 13:00");
    assert_moment(due(early, "2024-06-10 16:00", "2 working hours"), "2024-06-11 08:30");
    assert_moment(due(early, "2024-02-07 09:10", "1 working day"), "2024-02-15 09:10");
    assert_moment(due(early, "2024-04-26 09:10", "3 working days"), "2024-05-04 09:10");
}

/* The day of receipt does not count, so Saturday is no working day, yet Monday is the first. */
static void reception_on_a_saturday_starts_the_clock_there(void **state)
{
    (void)state;
    const struct wf_calendar *open = wf_calendar_variant(calendar, "saturday_morning");
    assert_non_null(open);
    assert_moment(due(open, "2024-06-15 09:10", "3 working days"), "2024-06-19 09:10");
    assert_moment(due(calendar, "2024-06-15 09:10", "3 working days"), "2024-06-20 07:00");
    assert_moment(due(open, "2024-06-15 06:00", "1 working day"), "2024-06-17 07:30");
    assert_moment(due(open, "2024-06-14 18:00", "1 working day"), "2024-06-17 07:30");
    assert_moment(due(open, "2024-06-15 11:00", "1 working day"), "2024-06-18 07:00"); /* shut */
    assert_moment(due(open, "2024-06-15 09:10", "2 working hours"), "2024-06-17 09:00");
    assert_moment(due(open, "2024-06-15 09:10", "same day"), "2024-06-17 17:00");
    assert_moment(due(open, "2024-06-15 09:10", "1 day"), "2024-06-17 09:10");
    assert_moment(due(open, "2024-05-04 16:00", "1 working hour"), "2024-05-04 17:00"); /* worked */
    assert_false(wf_calendar_is_working_day(open, at("2024-06-15 09:10")));
}

static void office_time_between_two_moments_is_counted(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        int minutes;
    } cases[] = {
        {"2024-06-10 09:00", "2024-06-10 10:30", 90},
        {"2024-06-10 11:00", "2024-06-10 14:00", 60},
        {"2024-06-10 00:00", "2024-06-11 00:00", 480},
        {"2024-06-14 16:00", "2024-06-17 08:00", 120},
        {"2024-06-15 00:00", "2024-06-16 23:59", 0},
        {"2024-06-10 10:00", "2024-06-10 10:00", 0},
        {"2024-06-11 10:00", "2024-06-10 10:00", 0},
        {"2024-02-07 16:30", "2024-02-15 07:30", 60},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++)
        assert_int_equal(wf_calendar_between(calendar, at(cases[i].from), at(cases[i].to)),
                         cases[i].minutes * 60000);
}

static void hours_due_lie_as_many_office_hours_away(void **state)
{
    (void)state;
    for (int hours = 1; hours < 200; hours++) {
        struct wf_limit limit = {WF_LIMIT_WORKING_HOURS, hours};
        int64_t from = at("2024-04-26 08:20");
        assert_int_equal(
            wf_calendar_between(calendar, from, wf_calendar_due(calendar, from, limit)),
            hours * INT64_C(3600000));
    }
}

static void years_without_a_list_are_told_and_know_weekly_rest_only(void **state)
{
    (void)state;
    assert_true(wf_calendar_covers(calendar, at("2021-01-01 00:00")));
    assert_true(wf_calendar_covers(calendar, at("2027-12-31 23:59")));
    assert_false(wf_calendar_covers(calendar, at("2020-12-31 23:59")));
    assert_false(wf_calendar_covers(calendar, at("2028-01-01 00:00")));
    assert_due("2099-01-01 09:10", "2 working days", "2099-01-05 09:10");
    assert_due("1999-12-31 09:10", "1 working day", "2000-01-03 09:10");
}

static void a_due_date_may_be_kept_off_worked_saturdays(void **state)
{
    (void)state;
    struct wf_calendar *strict =
        parse(HOURS REST "due_on_worked_saturday = false; years = ( { year = 2026; days_off = "
                         "[\"2026-01-01\", \"2026-01-02\"]; worked = [\"2026-01-10\"]; } );");
    assert_moment(due(strict, "2026-01-09 09:10", "1 working day"), "2026-01-12 09:10");
    assert_moment(due(strict, "2026-01-09 09:10", "2 working days"), "2026-01-12 09:10");
    assert_moment(due(strict, "2026-01-09 16:30", "2 working hours"), "2026-01-12 08:30");
    assert_true(wf_calendar_is_working_day(strict, at("2026-01-10 09:00")));
    wf_calendar_free(strict);
}

static void a_due_date_may_be_the_end_of_office_hours(void **state)
{
    (void)state;
    struct wf_calendar *late = parse(HOURS REST "due_time = \"end_of_hours\"; years = ();");
    assert_moment(due(late, "2024-06-10 09:10", "3 working days"), "2024-06-13 17:00");
    assert_moment(due(late, "2024-06-10 09:10", "15 days"), "2024-06-25 17:00");
    assert_moment(due(late, "2024-06-10 09:10", "2 working hours"), "2024-06-10 11:10");
    assert_moment(wf_calendar_extend(late, at("2024-06-13 17:00"), 3600000), "2024-06-14 17:00");
    wf_calendar_free(late);
}

static void limits_are_read_from_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum wf_limit_unit unit;
        int64_t amount;
    } good[] = {
        {"same day", WF_LIMIT_SAME_DAY, 0},
        {"1 working day", WF_LIMIT_WORKING_DAYS, 1},
        {"3 working days", WF_LIMIT_WORKING_DAYS, 3},
        {"8 working hours", WF_LIMIT_WORKING_HOURS, 8},
        {"15 days", WF_LIMIT_DAYS, 15},
        {"1 day", WF_LIMIT_DAYS, 1},
        {"30 minutes", WF_LIMIT_REAL, 1800000},
        {"12 hours", WF_LIMIT_REAL, 43200000},
        {"500 ms", WF_LIMIT_REAL, 500},
    };
    static const char *const bad[] = {
        "",
        "3",
        "working days",
        "0 working days",
        "-3 days",
        "3  working days",
        "3 wd",
        "3.5 days",
        "99999 days",
        "9999999999999999999999 days",
        "0 hours",
        " 3 days",
        "3 days ",
    };
    struct wf_limit limit;
    for (size_t i = 0; i < WF_COUNT(good); i++) {
        assert_true(wf_limit_parse(wf_str(good[i].text), &limit));
        assert_int_equal(limit.unit, good[i].unit);
        assert_int_equal(limit.amount, good[i].amount);
    }
    for (size_t i = 0; i < WF_COUNT(bad); i++) {
        if (wf_limit_parse(wf_str(bad[i]), &limit))
            fail_msg("'%s' was taken for a limit", bad[i]);
    }
}

static void civil_dates_go_there_and_back_for_every_day(void **state)
{
    (void)state;
    struct wf_civil c = {.year = 1899, .month = 12, .day = 31, .hour = 23, .minute = 59};
    int64_t ms = wf_civil_to_ms(NULL, &c);
    for (int i = 0; i < 110000; i++, ms += 86400000) {
        c = wf_civil_of(NULL, ms);
        assert_true(wf_date_is_valid(c.year, c.month, c.day));
        assert_int_equal(wf_civil_to_ms(NULL, &c), ms);
    }
    assert_int_equal(wf_civil_of(NULL, 0).weekday, 4);
    assert_int_equal(wf_civil_of(NULL, 0).hour, 7);
    assert_int_equal(wf_civil_of(calendar, at("2026-11-23 09:10")).weekday, 1);
    assert_false(wf_date_is_valid(2023, 2, 29));
    assert_false(wf_date_is_valid(10000, 1, 1));
}

static void moments_beyond_all_years_are_cut_and_do_no_harm(void **state)
{
    (void)state;
    static const int64_t extremes[] = {INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < WF_COUNT(extremes); i++) {
        for (int unit = WF_LIMIT_NONE; unit <= WF_LIMIT_REAL; unit++) {
            struct wf_limit limit = {(enum wf_limit_unit)unit, INT64_MAX};
            (void)wf_calendar_due(calendar, extremes[i], limit);
        }
        (void)wf_calendar_extend(calendar, extremes[i], INT64_MAX);
        for (int unit = WF_LIMIT_NONE; unit <= WF_LIMIT_REAL; unit++)
            (void)wf_calendar_before(calendar, extremes[i],
                                     (struct wf_limit){(enum wf_limit_unit)unit, INT64_MAX});
        (void)wf_calendar_next_open(calendar, extremes[i]);
        (void)wf_calendar_covers(calendar, extremes[i]);
    }
    assert_true(wf_calendar_between(calendar, INT64_MIN, INT64_MAX) > 0);
    char buf[32];
    assert_string_equal(wf_calendar_format(NULL, INT64_MAX, buf, sizeof(buf)), "9999-12-31 23:59");
    assert_string_equal(wf_calendar_format(NULL, INT64_MIN, buf, sizeof(buf)), "0001-01-01 00:00");
    assert_string_equal(wf_calendar_format_vi(NULL, 0, buf, sizeof(buf)), "01/01/1970 07:00");
}

static void mistakes_in_a_calendar_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {REST "years = ();", "office_hours"},
        {HOURS REST, "years"},
        {HOURS REST "years = (); colour = 1;", "colour"},
        {HOURS REST "years = 7;", "years"},
        {"office_hours = [ \"07:00-06:00\" ];" REST "years = ();", "07:00-06:00"},
        {"office_hours = [ \"07:00-25:00\" ];" REST "years = ();", "07:00-25:00"},
        {"office_hours = [ \"13:00-17:00\", \"07:00-11:00\" ];" REST "years = ();", "in order"},
        {HOURS "weekly_rest = [ \"someday\" ]; years = ();", "someday"},
        {HOURS "weekly_rest = [ \"monday\", \"tuesday\", \"wednesday\", \"thursday\", \"friday\", "
               "\"saturday\", \"sunday\" ]; years = ();",
         "no working day"},
        {HOURS REST "cut_off = \"15h00\"; years = ();", "15h00"},
        {HOURS REST "zone = \"Asia/1\"; years = ();", "Asia/1"},
        {HOURS REST "due_time = \"whenever\"; years = ();", "whenever"},
        {HOURS REST "years = ( { year = 2014; days_off = []; } );", "year"},
        {HOURS REST "years = ( { year = 2026; days_off = [\"2026-02-30\"]; } );", "2026-02-30"},
        {HOURS REST "years = ( { year = 2026; days_off = [\"2025-01-01\"]; } );", "another year"},
        {HOURS REST "years = ( { year = 2026; days_off = [\"2026-01-01\", \"2026-01-01\"]; } );",
         "listed already"},
        {HOURS REST "years = ( { year = 2026; days_off = []; worked = [\"2026-01-05\"]; } );",
         "no rest day"},
        {HOURS REST "years = (); reception = { monday = \"08:00-10:00\"; };", "no rest day"},
        {HOURS REST "years = (); reception = { saturday = \"8-10\"; };", "8-10"},
        {HOURS REST "years = (); reception = { saturday = \"11:00-14:00\"; };", "within office"},
        {HOURS REST "years = (); variants = 7;", "named groups"},
        {HOURS REST "years = (); variants = { a = { zone = \"+08:00\"; }; };", "zone"},
        {HOURS REST "years = (); variants = { a = { office_hours = [ \"x\" ]; }; };", "'x'"},
        {HOURS REST "years = ( { year = 2026; days_off = []; }, { year = 2026; days_off = []; } );",
         "listed twice"},
    };
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        struct wf_report report = {0};
        struct wf_calendar *out = NULL;
        struct wf_error err = {0};
        int rc =
            wf_calendar_parse("t.cfg", cases[i].text, strlen(cases[i].text), &report, &out, &err);
        if (rc != WF_E_CONFIG || out != NULL || strstr(err.text, cases[i].part) == NULL)
            fail_msg("case %zu gave %d: %s", i, rc, err.text);
        wf_report_fini(&report);
    }
}

static void a_day_off_on_a_rest_day_is_warned_about(void **state)
{
    (void)state;
    const char *text = HOURS REST "years = ( { year = 2026; days_off = [\"2026-02-21\"]; } );";
    struct wf_report report = {0};
    struct wf_calendar *out = NULL;
    struct wf_error err = {0};
    assert_ok(wf_calendar_parse("t.cfg", text, strlen(text), &report, &out, &err), err);
    assert_int_equal(report.n, 1);
    assert_true(report.messages[0].is_warning);
    wf_calendar_free(out);
    wf_report_fini(&report);
}

static void loading_survives_every_failing_allocation(void **state)
{
    (void)state;
    int rc = WF_E_NOMEM;
    for (unsigned long n = 1; rc != 0; n++) {
        struct wf_report report = {0};
        struct wf_calendar *out = NULL;
        wf_alloc_fail_at(n, 0);
        rc = wf_calendar_load(CALENDAR_FILE, &report, &out, NULL);
        wf_alloc_fail_at(0, 0);
        assert_true((rc == 0) == (out != NULL));
        assert_true(n < 100000);
        wf_calendar_free(out);
        wf_report_fini(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(working_days_agree_with_the_published_vectors),
        cmocka_unit_test(each_year_has_its_number_of_working_days),
        cmocka_unit_test(receipts_outside_office_hours_count_from_the_next_opening),
        cmocka_unit_test(working_hours_skip_lunch_nights_and_rest_days),
        cmocka_unit_test(same_day_matters_after_fifteen_hours_are_due_the_next_working_day),
        cmocka_unit_test(calendar_days_that_end_on_a_rest_day_move_on),
        cmocka_unit_test(plain_time_and_no_limit_ignore_the_calendar),
        cmocka_unit_test(waiting_for_the_citizen_moves_the_due_date_on),
        cmocka_unit_test(reminders_are_counted_back_from_the_due_date),
        cmocka_unit_test(counting_back_undoes_counting_on),
        cmocka_unit_test(a_variant_has_the_hours_of_a_site_and_the_holidays_of_all),
        cmocka_unit_test(reception_on_a_saturday_starts_the_clock_there),
        cmocka_unit_test(office_time_between_two_moments_is_counted),
        cmocka_unit_test(hours_due_lie_as_many_office_hours_away),
        cmocka_unit_test(years_without_a_list_are_told_and_know_weekly_rest_only),
        cmocka_unit_test(a_due_date_may_be_kept_off_worked_saturdays),
        cmocka_unit_test(a_due_date_may_be_the_end_of_office_hours),
        cmocka_unit_test(limits_are_read_from_words),
        cmocka_unit_test(civil_dates_go_there_and_back_for_every_day),
        cmocka_unit_test(moments_beyond_all_years_are_cut_and_do_no_harm),
        cmocka_unit_test(mistakes_in_a_calendar_are_named),
        cmocka_unit_test(a_day_off_on_a_rest_day_is_warned_about),
        cmocka_unit_test(loading_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, load, unload);
}

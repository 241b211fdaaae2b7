/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads config/calendar.cfg: a group of settings and one group per year of holidays.
 *
 * The yearly lists repeat their year in every date, so that a date can be searched for and a year
 * pasted into the wrong place is found. A day off on a rest day is not refused but warned about:
 * the notices name such days, yet a made-up day may have been meant.
 */
#include <string.h>

#include "procedure/calendar_table.h"
#include "procedure/pattern.h"

#define WEEK ((size_t)7)

struct settings {
    const char *zone;
    const char *cut_off;
    const char *due_time;
    bool due_on_worked_saturday;
    struct wf_texts office_hours;
    struct wf_texts weekly_rest;
    const struct wf_node *reception;
    const struct wf_node *years;
    const struct wf_node *variants;
};

struct year {
    int64_t year;
    struct wf_texts days_off;
    struct wf_texts worked;
    const char *source;
};

/* clang-format off */
#define KEY(name, type, owner, required, min, max, fallback, help) \
    {#name, WF_KEY_##type, offsetof(struct owner, name), required, min, max, fallback, help}

static const struct wf_key settings_keys[] = {
    KEY(zone,         TEXT,  settings, false, 1, 40, "+07:00",
        "offset from UTC, without summer time"),
    KEY(cut_off,      TEXT,  settings, false, 1, 40, "15:00",
        "a \"same day\" matter received later is due the next working day"),
    KEY(due_time,     TEXT,  settings, false, 1, 40, "same_time",
        "time of day of a due date: same_time (as received) or end_of_hours"),
    KEY(due_on_worked_saturday, BOOL, settings, false, 0, 0, "true",
        "may a due date fall on a Saturday worked in exchange for another day"),
    KEY(office_hours, TEXTS, settings, true,  0, 0, NULL, "spans of a working day, in order"),
    KEY(weekly_rest,  TEXTS, settings, true,  0, 0, NULL, "weekdays off, in English"),
    KEY(reception,    NODE,  settings, false, 0, 0, NULL, "{ saturday = \"07:30-11:00\"; }"),
    KEY(years,        NODE,  settings, true,  0, 0, NULL, "list of yearly holiday lists"),
    KEY(variants,     NODE,  settings, false, 0, 0, NULL, "{ NAME: { what differs }; ... }"),
};

/* What the hours of a site may have of their own; all else is as in the main calendar. */
static const struct wf_key variant_keys[] = {
    KEY(cut_off,      TEXT,  settings, false, 1, 40, NULL, "as above"),
    KEY(due_time,     TEXT,  settings, false, 1, 40, NULL, "as above"),
    KEY(office_hours, TEXTS, settings, false, 0, 0, NULL, "as above"),
    KEY(weekly_rest,  TEXTS, settings, false, 0, 0, NULL, "as above"),
    KEY(reception,    NODE,  settings, false, 0, 0, NULL, "as above"),
};

static const struct wf_key year_keys[] = {
    KEY(year,     INT,   year, true,  CALENDAR_FIRST_YEAR, CALENDAR_LAST_YEAR, NULL, "the year"),
    KEY(days_off, TEXTS, year, true,  0, 0, NULL, "working days off, as YYYY-MM-DD"),
    KEY(worked,   TEXTS, year, false, 0, 0, NULL, "rest days worked in exchange, as YYYY-MM-DD"),
    KEY(source,   TEXT,  year, false, 0, 500, NULL, "the notice that the list is taken from"),
};
/* clang-format on */

struct loader {
    struct wf_config *config;
    struct wf_calendar *calendar;
    struct wf_report *report;
};

static void complain(struct loader *l, const struct wf_node *node, const char *what,
                     const char *text, const char *how)
{
    wf_report_error(l->report, node->file, node->line, "%s '%s': %s", what, text, how);
}

/* "HH:MM" to milliseconds; 24:00 is allowed as an end. -1 where it is none. */
static int64_t parse_time(struct wf_str text)
{
    if (!pattern_is(text, "99:99"))
        return -1;
    int hour = pattern_number(text.ptr, 2);
    int minute = pattern_number(text.ptr + 3, 2);
    if (minute > 59 || hour * 60 + minute > 24 * 60)
        return -1;
    return (hour * INT64_C(60) + minute) * MINUTE_MS;
}

static bool parse_span(const char *text, struct span *out)
{
    if (!pattern_is(wf_str(text), "99:99-99:99"))
        return false;
    out->open = parse_time((struct wf_str){text, 5});
    out->close = parse_time((struct wf_str){text + 6, 5});
    return out->open >= 0 && out->close > out->open;
}

static void read_zone(struct loader *l, const struct wf_node *root, const char *text)
{
    bool has_sign = text[0] == '+' || text[0] == '-';
    int64_t offset = has_sign ? parse_time(wf_str(text + 1)) : -1;
    if (offset < 0 || offset > 14 * 60 * MINUTE_MS)
        complain(l, root, "zone", text, "not an offset from UTC: write it as \"+07:00\"");
    else
        l->calendar->zone_ms = text[0] == '-' ? -offset : offset;
}

static void read_due_time(struct loader *l, const struct wf_node *root, const char *text)
{
    l->calendar->due_at_end_of_hours = strcmp(text, "end_of_hours") == 0;
    if (!l->calendar->due_at_end_of_hours && strcmp(text, "same_time") != 0)
        complain(l, root, "due_time", text, "not known: write \"same_time\" or \"end_of_hours\"");
}

static void read_cut_off(struct loader *l, const struct wf_node *root, const char *text)
{
    l->calendar->cut_off = parse_time(wf_str(text));
    if (l->calendar->cut_off < 0)
        complain(l, root, "cut_off", text, "not a time of day: write it as \"15:00\"");
}

static void read_office_hours(struct loader *l, const struct wf_node *root, struct wf_texts texts)
{
    struct wf_calendar *c = l->calendar;
    if (texts.n == 0 || texts.n > CALENDAR_SPANS) {
        wf_report_error(l->report, root->file, root->line,
                        "office_hours: %zu spans: a day has 1 to %d of them: write the opening "
                        "hours as [ \"07:00-11:30\", \"13:30-17:00\" ]",
                        texts.n, CALENDAR_SPANS);
        return;
    }
    for (size_t i = 0; i < texts.n; i++) {
        struct span span;
        if (!parse_span(texts.items[i], &span))
            complain(l, root, "office_hours", texts.items[i],
                     "not a span of a day: write it as \"07:00-11:30\"");
        else if (c->n_spans > 0 && span.open <= c->spans[c->n_spans - 1].close)
            complain(l, root, "office_hours", texts.items[i],
                     "begins before the span ahead of it has ended: put the spans in order");
        else
            c->spans[c->n_spans++] = span;
    }
}

/* 0 = Sunday; 7 where the word is none. */
static size_t weekday_of(const char *word)
{
    static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday"};
    size_t day = 0;
    while (day < WF_COUNT(names) && strcmp(word, names[day]) != 0)
        day++;
    return day;
}

static void read_weekly_rest(struct loader *l, const struct wf_node *root, struct wf_texts texts)
{
    size_t n_rest = 0;
    for (size_t i = 0; i < texts.n; i++) {
        size_t day = weekday_of(texts.items[i]);
        if (day == WEEK) {
            complain(l, root, "weekly_rest", texts.items[i],
                     "not a weekday: write its English name, such as \"saturday\"");
            continue;
        }
        n_rest += !l->calendar->rest[day];
        l->calendar->rest[day] = true;
    }
    if (n_rest == WEEK)
        wf_report_error(l->report, root->file, root->line,
                        "weekly_rest: no working day is left: due dates would never come: leave "
                        "out at least one weekday");
}

static bool is_office_time(const struct wf_calendar *c, const struct span *span)
{
    for (size_t i = 0; i < c->n_spans; i++) {
        if (span->open >= c->spans[i].open && span->close <= c->spans[i].close)
            return true;
    }
    return false;
}

/* { saturday = "07:30-11:00"; }: within office hours, since due dates keep the time of day. */
static void read_reception(struct loader *l, const struct wf_node *group)
{
    if (group != NULL && group->type != WF_NODE_GROUP)
        complain(l, group, "reception", wf_node_type_name(group->type),
                 "a group is needed: write reception = { saturday = \"07:30-11:00\"; }");
    for (size_t i = 0; group != NULL && i < wf_node_count(group); i++) {
        const struct wf_node *node = wf_node_at(group, i);
        const char *text = node->type == WF_NODE_TEXT ? node->u.text.ptr : "";
        size_t day = weekday_of(node->name);
        struct span span;
        if (day == WEEK || !l->calendar->rest[day])
            complain(l, node, "reception", node->name,
                     "no rest day: name one in English, such as saturday; working days are "
                     "office_hours");
        else if (!parse_span(text, &span))
            complain(l, node, "reception", text,
                     "not a span of a day: write it as \"07:30-11:00\"");
        else if (!is_office_time(l->calendar, &span))
            complain(l, node, "reception", text,
                     "not within office_hours: a due date that keeps the time of day would come "
                     "at a closed door");
        else
            l->calendar->reception[day] = span;
    }
}

/* One list of a year. Marks are kept even beside errors: the calendar is thrown away then. */
static void read_days(struct loader *l, const struct wf_node *node, int64_t year,
                      struct wf_texts texts, enum day_mark mark)
{
    struct wf_calendar *c = l->calendar;
    const char *key = mark == DAY_OFF ? "days_off" : "worked";
    for (size_t i = 0; i < texts.n; i++) {
        const char *text = texts.items[i];
        int year_of_date;
        int month;
        int day_of_month;
        if (!pattern_date(wf_str(text), &year_of_date, &month, &day_of_month)) {
            complain(l, node, key, text, "not a date: write it as \"2026-11-24\"");
            continue;
        }
        if (year_of_date != year) {
            complain(l, node, key, text, "belongs to another year: move it there");
            continue;
        }
        int64_t day = calendar_day_of_date(year_of_date, month, day_of_month);
        uint8_t *slot = &c->marks[day - c->first_day];
        bool rests = c->rest[calendar_weekday(day)];
        if (*slot != DAY_ORDINARY)
            complain(l, node, key, text, "listed already: a date may stand in one list, once");
        else if (mark == DAY_WORKED && !rests)
            complain(l, node, key, text, "no rest day: only weekly rest days can be worked");
        else if (mark == DAY_OFF && rests)
            wf_report_warn(l->report, node->file, node->line,
                           "days_off '%s': a weekly rest day anyway: name the day that makes up "
                           "for it, if there is one",
                           text);
        *slot = (uint8_t)mark;
    }
}

static int read_year(struct loader *l, const struct wf_node *node, struct wf_error *err)
{
    struct year year = {0};
    int rc = wf_keys_read(l->config, node, year_keys, WF_COUNT(year_keys), &year, l->report, err);
    if (rc != 0)
        return rc == WF_E_CONFIG ? 0 : rc; /* reported; the other years are read all the same */
    bool *covered = &l->calendar->covered[year.year - CALENDAR_FIRST_YEAR];
    if (*covered)
        wf_report_error(l->report, node->file, node->line,
                        "year %d: listed twice: which list holds is open: merge the two",
                        (int)year.year);
    *covered = true;
    read_days(l, node, year.year, year.days_off, DAY_OFF);
    read_days(l, node, year.year, year.worked, DAY_WORKED);
    return 0;
}

/* ---- variants ------------------------------------------------------------------------------- */

static void apply_variant(struct loader *l, const struct wf_node *node, const struct settings *s)
{
    struct wf_calendar *c = l->calendar;
    if (s->cut_off != NULL)
        read_cut_off(l, node, s->cut_off);
    if (s->due_time != NULL)
        read_due_time(l, node, s->due_time);
    if (wf_node_child(node, "office_hours") != NULL) {
        c->n_spans = 0;
        read_office_hours(l, node, s->office_hours);
    }
    if (wf_node_child(node, "weekly_rest") != NULL) {
        memset(c->rest, 0, sizeof(c->rest));
        read_weekly_rest(l, node, s->weekly_rest);
    }
    memset(c->reception, 0, sizeof(c->reception)); /* belongs to the hours that it stands with */
    read_reception(l, s->reception);
}

static int read_variant(struct loader *main, const struct wf_node *node, struct wf_error *err)
{
    struct settings s = {0};
    int rc = wf_keys_read(main->config, node, variant_keys, WF_COUNT(variant_keys), &s,
                          main->report, err);
    if (rc != 0)
        return rc == WF_E_CONFIG ? 0 : rc;
    if (strlen(node->name) >= CALENDAR_NAME_BYTES) {
        complain(main, node, "variants", node->name, "too long a name: keep to 40 letters");
        return 0;
    }
    struct wf_calendar *variant = wf_alloc(sizeof(*variant));
    if (variant == NULL)
        return wf_fail(err, WF_E_NOMEM, "calendar: out of memory");
    *variant = *main->calendar;
    (void)strcpy(variant->name, node->name);
    variant->variants = NULL;
    variant->next = main->calendar->variants;
    main->calendar->variants = variant;
    struct loader l = {main->config, variant, main->report};
    apply_variant(&l, node, &s);
    return 0;
}

static int read_variants(struct loader *l, const struct wf_node *group, struct wf_error *err)
{
    int rc = 0;
    if (group != NULL && group->type != WF_NODE_GROUP) {
        wf_report_error(l->report, group->file, group->line,
                        "variants: a %s: a group of named groups is needed: write variants: { "
                        "saturday_morning: { ... }; }",
                        wf_node_type_name(group->type));
        return 0;
    }
    for (size_t i = 0; rc == 0 && group != NULL && i < wf_node_count(group); i++)
        rc = read_variant(l, wf_node_at(group, i), err);
    return rc;
}

static int read_calendar(struct loader *l, struct wf_error *err)
{
    const struct wf_node *root = wf_config_root(l->config);
    size_t before = l->report->errors;
    struct settings s = {0};
    int rc =
        wf_keys_read(l->config, root, settings_keys, WF_COUNT(settings_keys), &s, l->report, err);
    if (rc != 0)
        return rc;
    l->calendar->first_day = calendar_day_of_date(CALENDAR_FIRST_YEAR, 1, 1);
    l->calendar->due_on_worked_saturday = s.due_on_worked_saturday;
    read_zone(l, root, s.zone);
    read_cut_off(l, root, s.cut_off);
    read_due_time(l, root, s.due_time);
    read_office_hours(l, root, s.office_hours);
    read_weekly_rest(l, root, s.weekly_rest);
    read_reception(l, s.reception);
    if (s.years->type != WF_NODE_LIST)
        wf_report_error(l->report, s.years->file, s.years->line,
                        "years: a %s: one group per year is needed: write years = ( { year = 2026; "
                        "... } )",
                        wf_node_type_name(s.years->type));
    for (size_t i = 0; s.years->type == WF_NODE_LIST && i < wf_node_count(s.years); i++) {
        rc = read_year(l, wf_node_at(s.years, i), err);
        if (rc != 0)
            return rc;
    }
    rc = read_variants(l, s.variants, err);
    return rc != 0 ? rc : wf_report_result_since(l->report, before, err);
}

/* Takes the config: nothing of the text is needed once the tables are filled. */
static int build(struct wf_config *take_config, struct wf_report *report, struct wf_calendar **out,
                 struct wf_error *err)
{
    struct loader l = {take_config, wf_alloc(sizeof(struct wf_calendar)), report};
    int rc = l.calendar != NULL ? read_calendar(&l, err)
                                : wf_fail(err, WF_E_NOMEM, "calendar: out of memory");
    wf_config_free(take_config);
    if (rc != 0) {
        wf_calendar_free(l.calendar);
        return rc;
    }
    *out = l.calendar;
    return 0;
}

int wf_calendar_load(const char *path, struct wf_report *report, struct wf_calendar **out,
                     struct wf_error *err)
{
    struct wf_config *config = NULL;
    int rc = wf_config_read(path, report, &config, err);
    return rc != 0 ? rc : build(config, report, out, err);
}

int wf_calendar_parse(const char *name, const char *text, size_t length, struct wf_report *report,
                      struct wf_calendar **out, struct wf_error *err)
{
    struct wf_config *config = NULL;
    int rc = wf_config_parse(name, text, length, report, &config, err);
    return rc != 0 ? rc : build(config, report, out, err);
}

void wf_calendar_free(struct wf_calendar *calendar)
{
    struct wf_calendar *next = NULL;
    for (struct wf_calendar *v = calendar != NULL ? calendar->variants : NULL; v != NULL;
         v = next) {
        next = v->next;
        wf_free(v);
    }
    wf_free(calendar);
}

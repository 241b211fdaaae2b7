/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of identifiers. Every refusal names the rule, in words that a clerk can act on, and never
 * the content: the texts reach logs and other parties.
 */
#include "workflow/identifiers.h"

#include <stdio.h>
#include <string.h>

#include "procedure/pattern.h"
#include "workflow/calendar.h"

#define MAX_EMAIL 254
#define MAX_PHONE 15

static int refuse(struct wf_error *err, const char *rule)
{
    return wf_fail(err, WF_E_INVALID, "%s", rule);
}

static int digit_at(struct wf_str text, size_t i)
{
    return text.ptr[i] - '0';
}

static int weighted_sum(struct wf_str digits, const int *weights, size_t n)
{
    int sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += digit_at(digits, i) * weights[i];
    return sum;
}

/* ---- people -------------------------------------------------------------------------------- */

int wf_check_citizen_id(struct wf_str text, struct wf_error *err)
{
    if (!pattern_is(text, "999999999999"))
        return refuse(err, "a citizen number has exactly 12 digits");
    return 0;
}

int wf_check_old_id(struct wf_str text, struct wf_error *err)
{
    if (!pattern_is(text, "999999999"))
        return refuse(err, "an old identity card number has exactly 9 digits");
    return 0;
}

/* The fourth digit tells century and sex: 0 man and 1 woman of the 1900s, 2 and 3 of the 2000s ...
 */
int wf_check_citizen_birth(struct wf_str text, int birth_year, char sex, struct wf_error *err)
{
    int rc = wf_check_citizen_id(text, err);
    if (rc != 0)
        return rc;
    int century_and_sex = digit_at(text, 3);
    int year = 1900 + century_and_sex / 2 * 100 + pattern_number(text.ptr + 4, 2);
    if (birth_year != 0 && year != birth_year)
        return refuse(err, "the citizen number (digits 4 to 6) tells another year of birth");
    if ((sex == 'm' || sex == 'f') && (century_and_sex % 2 == 0) != (sex == 'm'))
        return refuse(err, "the citizen number (digit 4) tells the other sex");
    return 0;
}

/* Tax offices number from 1 within a place, and branches from 001. */
int wf_check_tax_number(struct wf_str text, struct wf_error *err)
{
    static const int weights[] = {31, 29, 23, 19, 17, 13, 7, 5, 3};
    if (pattern_is(text, "999999999999")) /* persons, since 1 July 2025 */
        return 0;
    if (!pattern_is(text, "9999999999") && !pattern_is(text, "9999999999-999"))
        return refuse(err, "a tax number has 10 digits, 10 and a branch (-001), or 12 (a person)");
    if (10 - weighted_sum(text, weights, WF_COUNT(weights)) % 11 != digit_at(text, 9))
        return refuse(err, "the tenth digit of the tax number does not match the nine before it");
    return 0;
}

/* Without the blanks, dots and dashes that people write for reading; false where it is too long. */
static bool phone_digits(struct wf_str text, char out[MAX_PHONE + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (memchr(" .-", text.ptr[i], 3) != NULL)
            continue;
        if (n == MAX_PHONE)
            return false;
        out[n++] = text.ptr[i];
    }
    out[n] = '\0';
    return true;
}

/* The nine digits after 0 or +84 of a mobile number; NULL where it is none. */
static const char *mobile_core(const char *digits)
{
    struct wf_str rest = wf_str(digits);
    if (!pattern_take(&rest, "+84") && !pattern_take(&rest, "0"))
        return NULL;
    if (!pattern_is(rest, "999999999") || strchr("35789", rest.ptr[0]) == NULL)
        return NULL;
    return rest.ptr;
}

int wf_check_mobile(struct wf_str text, struct wf_error *err)
{
    char digits[MAX_PHONE + 1];
    if (!phone_digits(text, digits) || mobile_core(digits) == NULL)
        return refuse(err, "a mobile number is 0 or +84, then 3, 5, 7, 8 or 9 and 8 more digits");
    return 0;
}

int wf_check_landline(struct wf_str text, struct wf_error *err)
{
    char digits[MAX_PHONE + 1];
    if (!phone_digits(text, digits) || !pattern_is(wf_str(digits), "02999999999"))
        return refuse(err, "a landline number is 02 and 9 more digits");
    return 0;
}

void wf_mobile_normal(struct wf_str text, char out[16])
{
    char digits[MAX_PHONE + 1];
    const char *core = phone_digits(text, digits) ? mobile_core(digits) : NULL;
    out[0] = '\0';
    if (core != NULL) {
        memcpy(out, "+84", 3);
        memcpy(out + 3, core, 10);
    }
}

/* Whether a mailbox exists only a message can tell; this finds slips of the hand. */
int wf_check_email(struct wf_str text, struct wf_error *err)
{
    size_t at = 0;
    size_t n_at = 0;
    size_t last_dot = 0;
    if (text.len > MAX_EMAIL)
        return refuse(err, "an e-mail address has at most 254 characters");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return refuse(err, "an e-mail address has no blanks and no accented letters");
        if (text.ptr[i] == '@') {
            at = i;
            n_at++;
        }
        if (text.ptr[i] == '.') {
            if (i > 0 && text.ptr[i - 1] == '.')
                return refuse(err, "an e-mail address has no two dots in a row");
            last_dot = i;
        }
    }
    if (n_at != 1 || at == 0)
        return refuse(err, "an e-mail address is a name, one @ and a domain");
    if (last_dot <= at + 1 || text.ptr[at + 1] == '.' || last_dot + 1 == text.len)
        return refuse(err, "the domain of an e-mail address has a dot in its middle");
    return 0;
}

int wf_check_postcode(struct wf_str text, struct wf_error *err)
{
    if (!pattern_is(text, "99999"))
        return refuse(err, "a postcode has exactly 5 digits");
    return 0;
}

int wf_check_date(struct wf_str text, struct wf_error *err)
{
    int year;
    int month;
    int day;
    if (!pattern_is(text, "9999-99-99"))
        return refuse(err, "a date is written YYYY-MM-DD");
    if (!pattern_date(text, &year, &month, &day))
        return refuse(err, "no such day in the calendar");
    return 0;
}

/* ---- codes --------------------------------------------------------------------------------- */

/* QCVN 102:2016: level 4 . level 3 . level 2 . level 1 */
#define AGENCY_OLD "999.99.99.A99"

/* Decision 20/2020, big to small: H30, H30.13, H30.13.02; groups of 1 to 3 digits. */
static bool is_agency_new(struct wf_str text)
{
    if (!pattern_take(&text, "A99"))
        return false;
    for (int group = 0; group < 3 && text.len > 0; group++) {
        if (!pattern_take(&text, ".999") && !pattern_take(&text, ".99") &&
            !pattern_take(&text, ".9"))
            return false;
    }
    return text.len == 0;
}

int wf_check_agency_code(struct wf_str text, struct wf_error *err)
{
    if (!pattern_is(text, AGENCY_OLD) && !is_agency_new(text))
        return refuse(err, "an agency code looks like 000.00.13.H30 or H30.13.02");
    return 0;
}

/* YYMMDD or YYYYMMDD */
static bool is_compact_date(struct wf_str text)
{
    if (pattern_is(text, "999999"))
        return wf_date_is_valid(2000 + pattern_number(text.ptr, 2), pattern_number(text.ptr + 2, 2),
                                pattern_number(text.ptr + 4, 2));
    return pattern_is(text, "99999999") &&
           wf_date_is_valid(pattern_number(text.ptr, 4), pattern_number(text.ptr + 4, 2),
                            pattern_number(text.ptr + 6, 2));
}

static bool is_number_of(struct wf_str text, size_t least, size_t most)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    }
    return text.len >= least && text.len <= most;
}

/* The text up to the dash, which is cut off `rest` together with it. */
static struct wf_str take_to_dash(struct wf_str *rest)
{
    const char *dash = rest->len > 0 ? memchr(rest->ptr, '-', rest->len) : NULL;
    size_t n = dash != NULL ? (size_t)(dash - rest->ptr) : rest->len;
    struct wf_str head = {rest->ptr, n};
    size_t skip = dash != NULL ? n + 1 : n;
    if (skip > 0)
        *rest = (struct wf_str){rest->ptr + skip, rest->len - skip};
    return head;
}

int wf_check_dossier_code(struct wf_str text, struct wf_error *err)
{
    struct wf_str number = text;
    struct wf_str agency = take_to_dash(&number);
    struct wf_str date = take_to_dash(&number);
    bool is_old =
        pattern_is(agency, AGENCY_OLD) && pattern_is(date, "999999") && is_number_of(number, 4, 4);
    bool is_new = is_agency_new(agency) && is_number_of(date, 6, 8) && date.len != 7 &&
                  is_number_of(number, 4, 7);
    if (!is_old && !is_new)
        return refuse(err, "a dossier code looks like 000.00.13.H30-211130-0001 or "
                           "G09.20-20260609-0092637");
    if (!is_compact_date(date))
        return refuse(err, "the date in the dossier code is not in the calendar");
    return 0;
}

int wf_check_procedure_code(struct wf_str text, struct wf_error *err)
{
    struct wf_str rest = text;
    bool good = pattern_take(&rest, "9.999999") && text.ptr[0] >= '1' && text.ptr[0] <= '3';
    if (good && !pattern_take(&rest, "." AGENCY_OLD))
        (void)pattern_take(&rest, ".A99");
    if (!good || (rest.len > 0 && !pattern_is(rest, ".99")))
        return refuse(err, "a procedure code looks like 1.004873, 1.000948.H38 or 1.001193.01");
    return 0;
}

/* ---- series of numbers ------------------------------------------------------------------------ */

void wf_code_day(const struct wf_civil *day, const char *code_date, char out[16])
{
    bool is_long = strcmp(code_date, "YYYYMMDD") == 0;
    (void)snprintf(out, 16, is_long ? "%04u%02u%02u" : "%02u%02u%02u",
                   (unsigned)day->year % (is_long ? 10000 : 100), (unsigned)day->month % 100,
                   (unsigned)day->day % 100);
}

void wf_code_series(struct wf_str site, const struct wf_civil *day, const char *code_date,
                    char out[WF_SERIES])
{
    char text[16];
    wf_code_day(day, code_date, text);
    (void)snprintf(out, WF_SERIES, "%.*s|%s", WF_STR_ARG(site), text);
}

uint64_t wf_code_most(int digits)
{
    uint64_t most = 0;
    while (digits-- > 0)
        most = most * 10 + 9;
    return most;
}

void wf_s10_series(const char *service, char out[WF_SERIES])
{
    (void)snprintf(out, WF_SERIES, "S10|%s", service);
}

/* ---- postal items (UPU S10) ---------------------------------------------------------------- */

int wf_s10_check_digit(uint32_t serial)
{
    static const int weights[] = {7, 9, 5, 3, 2, 4, 6, 8}; /* from the last digit */
    uint32_t left = serial % 100000000;
    int sum = 0;
    for (size_t i = 0; i < WF_COUNT(weights); i++) {
        sum += (int)(left % 10) * weights[i];
        left /= 10;
    }
    int check = 11 - sum % 11;
    return check == 10 ? 0 : check == 11 ? 5 : check;
}

void wf_s10_format(const char service[2], uint32_t serial, char out[14])
{
    uint32_t left = serial % 100000000;
    memcpy(out, service, 2);
    for (size_t i = 9; i >= 2; i--) {
        out[i] = (char)('0' + left % 10);
        left /= 10;
    }
    out[10] = (char)('0' + wf_s10_check_digit(serial));
    memcpy(out + 11, "VN", 3);
}

int wf_check_s10(struct wf_str text, struct wf_error *err)
{
    if (!pattern_is(text, "AA999999999VN"))
        return refuse(err, "an item number is two capital letters, nine digits and VN");
    if (wf_s10_check_digit((uint32_t)pattern_number(text.ptr + 2, 8)) != digit_at(text, 10))
        return refuse(err, "the ninth digit of the item number does not match the eight before");
    return 0;
}

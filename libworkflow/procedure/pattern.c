/* SPDX-License-Identifier: Apache-2.0 */
#include "procedure/pattern.h"

#include <string.h>

#include "workflow/calendar.h"

static bool fits(char c, char pattern)
{
    if (pattern == '9')
        return c >= '0' && c <= '9';
    if (pattern == 'A')
        return c >= 'A' && c <= 'Z';
    return c == pattern;
}

bool pattern_take(struct wf_str *text, const char *pattern)
{
    size_t n = strlen(pattern);
    if (text->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!fits(text->ptr[i], pattern[i]))
            return false;
    }
    *text = (struct wf_str){text->ptr + n, text->len - n};
    return true;
}

bool pattern_is(struct wf_str text, const char *pattern)
{
    return pattern_take(&text, pattern) && text.len == 0;
}

int pattern_number(const char *digits, size_t n)
{
    int number = 0;
    for (size_t i = 0; i < n; i++)
        number = number * 10 + (digits[i] - '0');
    return number;
}

bool pattern_date(struct wf_str text, int *out_year, int *out_month, int *out_day)
{
    if (!pattern_is(text, "9999-99-99"))
        return false;
    int year = pattern_number(text.ptr, 4);
    int month = pattern_number(text.ptr + 5, 2);
    int day = pattern_number(text.ptr + 8, 2);
    if (!wf_date_is_valid(year, month, day))
        return false;
    *out_year = year;
    *out_month = month;
    *out_day = day;
    return true;
}

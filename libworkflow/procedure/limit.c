/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/calendar.h"

#define MAX_AMOUNT  36500 /* a century of days */
#define MAX_REAL_MS (MAX_AMOUNT * INT64_C(24) * 3600 * 1000)

/* Reads "12 " at the start of the text; 0 where there is no such number. */
static int64_t take_amount(struct wf_str *text)
{
    int64_t amount = 0;
    size_t i = 0;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++) {
        amount = amount * 10 + (text->ptr[i] - '0');
        if (amount > MAX_AMOUNT)
            return 0;
    }
    if (i == text->len || text->ptr[i] != ' ')
        return 0;
    *text = (struct wf_str){text->ptr + i + 1, text->len - i - 1};
    return amount;
}

bool wf_limit_parse(struct wf_str text, struct wf_limit *out)
{
    static const struct {
        const char *word;
        enum wf_limit_unit unit;
    } units[] = {
        {"working day", WF_LIMIT_WORKING_DAYS},
        {"working days", WF_LIMIT_WORKING_DAYS},
        {"working hour", WF_LIMIT_WORKING_HOURS},
        {"working hours", WF_LIMIT_WORKING_HOURS},
        {"day", WF_LIMIT_DAYS},
        {"days", WF_LIMIT_DAYS},
    };
    if (wf_str_is(text, "same day")) {
        *out = (struct wf_limit){WF_LIMIT_SAME_DAY, 0};
        return true;
    }
    struct wf_str rest = text;
    int64_t amount = take_amount(&rest);
    for (size_t i = 0; i < WF_COUNT(units); i++) {
        if (!wf_str_is(rest, units[i].word))
            continue;
        if (amount > 0)
            *out = (struct wf_limit){units[i].unit, amount};
        return amount > 0;
    }
    int64_t ms = 0;
    if (!wf_duration_parse(text, &ms) || ms <= 0 || ms > MAX_REAL_MS)
        return false;
    *out = (struct wf_limit){WF_LIMIT_REAL, ms};
    return true;
}

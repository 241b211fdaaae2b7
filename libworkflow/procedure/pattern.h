/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procedure/pattern.h - fixed-width shapes of codes and dates, without a regular expression
 * engine: in a pattern, 9 stands for a digit, A for a capital letter, anything else for itself.
 */
#ifndef PROCEDURE_PATTERN_H
#define PROCEDURE_PATTERN_H

#include "workflow/text.h"

/* The whole text has the shape. */
bool pattern_is(struct wf_str text, const char *pattern);

/* Cuts a start of that shape off the text; false (and the text as it was) where it has not. */
bool pattern_take(struct wf_str *text, const char *pattern);

/* The number that n digits write (at most 9 of them; they must have matched a pattern). */
int pattern_number(const char *digits, size_t n);

/* YYYY-MM-DD, and a date of the calendar; outputs only on success. */
bool pattern_date(struct wf_str text, int *out_year, int *out_month, int *out_day);

#endif

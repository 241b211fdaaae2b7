/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow/identifiers.h - checks of numbers and codes that people and post offices write.
 *
 * PURPOSE    Pure checks with a reason in words, so that a clerk can mend a typo at the counter.
 * ERRORS     0, or WF_E_INVALID with a text that names the rule and never the content.
 * SOURCES    dossier and procedure code, citizen number, mobile: the practice of the national
 *            systems; S10: Universal Postal Union, standard S10.
 */
#ifndef WORKFLOW_IDENTIFIERS_H
#define WORKFLOW_IDENTIFIERS_H

#include "workflow/calendar.h"
#include "workflow/error.h"
#include "workflow/text.h"

/* clang-format off */
int wf_check_citizen_id(struct wf_str text, struct wf_error *err) WF_CHECKED; /* 12 digits */
int wf_check_old_id(struct wf_str text, struct wf_error *err) WF_CHECKED;     /* 9 digits */
int wf_check_tax_number(struct wf_str text, struct wf_error *err) WF_CHECKED; /* 10, 10-3 or 12 */
int wf_check_mobile(struct wf_str text, struct wf_error *err) WF_CHECKED;   /* blanks . - allowed */
int wf_check_landline(struct wf_str text, struct wf_error *err) WF_CHECKED; /* as above */
int wf_check_email(struct wf_str text, struct wf_error *err) WF_CHECKED;    /* one @, no blanks */
int wf_check_postcode(struct wf_str text, struct wf_error *err) WF_CHECKED; /* 5 digits */
int wf_check_date(struct wf_str text, struct wf_error *err) WF_CHECKED;     /* YYYY-MM-DD */

/* 000.00.13.H30 or H30.13.02 */
int wf_check_agency_code(struct wf_str text, struct wf_error *err) WF_CHECKED;

/* 000.00.13.H30-211130-0001 or G09.20-20260609-0092637; the date must be in the calendar. */
int wf_check_dossier_code(struct wf_str text, struct wf_error *err) WF_CHECKED;

/* 1.004873, with locality (1.000948.H38), with case (1.001193.01) */
int wf_check_procedure_code(struct wf_str text, struct wf_error *err) WF_CHECKED;
/* clang-format on */

/* The citizen number against birth year (0 = unknown) and sex ('m', 'f', 0 = unknown). */
int wf_check_citizen_birth(struct wf_str text, int birth_year, char sex,
                           struct wf_error *err) WF_CHECKED;

/* Mobile number as +84..., without blanks; "" where it would not pass the check. */
void wf_mobile_normal(struct wf_str text, char out[16]);

/* UPU S10 check digit of an 8-digit serial (0..99,999,999). */
int wf_s10_check_digit(uint32_t serial);

/* "EE" + 8 digits + check digit + "VN", with NUL. service: two capital letters; nothing ends it. */
void wf_s10_format(const char service[2], uint32_t serial, char out[14]);

/*
 * Number series of a cell (wf_number_next). A dossier's code is the place of reception, the local
 * day and a number of the series of both; a parcel's item number has one of the series of its service.
 */
#define WF_SERIES   96
#define WF_S10_MOST 99999999

/* "261123", or "20261123" where the setting code_date is "YYYYMMDD". */
void wf_code_day(const struct wf_civil *day, const char *code_date, char out[16]);
void wf_code_series(struct wf_str site, const struct wf_civil *day, const char *code_date,
                    char out[WF_SERIES]);
uint64_t wf_code_most(int digits); /* greatest number of so many digits */
void wf_s10_series(const char *service, char out[WF_SERIES]);

/* Two capital letters, 8 digits and their check digit, VN. */
int wf_check_s10(struct wf_str text, struct wf_error *err) WF_CHECKED;

/*
 * What a person without the right sees: first 3 and last 4 of 12 digits, first 3 and last 3 of 9 to
 * 11 (phones), stars for other numbers, first letter and domain of an e-mail, else the first letter
 * of each word ("N. V. A."), and stars for more than eight. Cut at a letter where it does not fit.
 * Returns buf.
 */
const char *wf_mask(struct wf_str text, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "workflow/config.h"
#include "workflow/memory.h"

#define MAX_MESSAGES   200
#define MAX_TEXT_BYTES 1024
#define MAX_WORD       64

void wf_report_fini(struct wf_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        wf_free(report->messages[i].memory);
    wf_free(report->messages);
    memset(report, 0, sizeof(*report));
}

static bool has_room(struct wf_report *report)
{
    if (report->n >= MAX_MESSAGES)
        return false;
    if (report->n < report->cap)
        return true;
    size_t cap = report->cap > 0 ? 2 * report->cap : 8;
    struct wf_finding *grown = wf_realloc(report->messages, cap * sizeof(*grown));
    if (grown == NULL)
        return false;
    report->messages = grown;
    report->cap = cap;
    return true;
}

/* A message is one line, whatever the operator's file holds. */
static void fold_lines(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

static void add(struct wf_report *report, const char *file, int line, bool is_warning,
                const char *text)
{
    if (!is_warning)
        report->errors++;
    size_t file_bytes = strlen(file) + 1;
    size_t text_bytes = strlen(text) + 1;
    char *memory = has_room(report) ? wf_alloc(file_bytes + text_bytes) : NULL;
    if (memory == NULL) {
        report->dropped++;
        return;
    }
    memcpy(memory, file, file_bytes);
    memcpy(memory + file_bytes, text, text_bytes);
    fold_lines(memory);
    fold_lines(memory + file_bytes);
    report->messages[report->n++] =
        (struct wf_finding){memory, line, is_warning, memory + file_bytes, memory};
}

void wf_report_error(struct wf_report *report, const char *file, int line, const char *fmt, ...)
{
    char text[MAX_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    add(report, file, line, false, text);
}

void wf_report_warn(struct wf_report *report, const char *file, int line, const char *fmt, ...)
{
    char text[MAX_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    add(report, file, line, true, text);
}

void wf_report_newer_rule(struct wf_report *report, const char *file, int line, const char *fmt,
                          ...)
{
    char text[MAX_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    add(report, file, line, report->is_installed, text);
}

const char *wf_report_line(const struct wf_report *report, size_t i, char *buf, size_t size)
{
    const struct wf_finding *message = &report->messages[i];
    const char *kind = message->is_warning ? "warning: " : "";
    if (message->line > 0)
        (void)snprintf(buf, size, "%s:%d: %s%s", message->file, message->line, kind, message->text);
    else
        (void)snprintf(buf, size, "%s: %s%s", message->file, kind, message->text);
    return buf;
}

int wf_report_result_since(const struct wf_report *report, size_t errors_before,
                           struct wf_error *err)
{
    if (report->errors <= errors_before)
        return 0;
    size_t seen = 0;
    for (size_t i = 0; i < report->n; i++) {
        if (report->messages[i].is_warning || seen++ < errors_before)
            continue;
        char line[MAX_TEXT_BYTES];
        return wf_fail(err, WF_E_CONFIG, "%s", wf_report_line(report, i, line, sizeof(line)));
    }
    return wf_fail(err, WF_E_CONFIG, "more errors than a report holds: mend the first ones");
}

int wf_report_result(const struct wf_report *report, struct wf_error *err)
{
    return wf_report_result_since(report, 0, err);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][MAX_WORD + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];
    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[m];
}

const char *wf_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t length = strlen(word);
    const char *nearest = NULL;
    /* A short word is near to everything, so less than half of it may differ. */
    size_t best = length < 3 ? 1 : length < 5 ? 2 : 3;
    for (size_t i = 0; i < n && length <= MAX_WORD; i++) {
        size_t other = strlen(candidates[i]);
        if (other > MAX_WORD || other > length + 2 || length > other + 2)
            continue;
        size_t distance = edit_distance(word, length, candidates[i], other);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

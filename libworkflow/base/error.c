/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "workflow/text.h"

struct code_row {
    int code;
    enum wf_action action;
    const char *word;
    const char *meaning;
};

static const struct code_row rows[] = {
#define X(name, number, action, word, meaning) {number, WF_##action, word, meaning},
    WF_ERRORS(X)
#undef X
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct code_row *row_of(int code)
{
    const struct code_row *internal = NULL;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].code == code)
            return &rows[i];
        if (rows[i].code == WF_E_INTERNAL)
            internal = &rows[i];
    }
    return internal;
}

/* One line only: an outside text inside a message must not forge a second log line. */
static void fold_lines(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

/* Where a text was cut inside a letter, what is left of it goes: half a letter cannot be sent. */
static void drop_half_letter(char *text)
{
    size_t end = strlen(text);
    size_t start = end;
    while (start > 0 && end - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && !wf_is_utf8(text + start - 1, end - start + 1))
        text[start - 1] = '\0';
}

static void tidy(char *text)
{
    fold_lines(text);
    drop_half_letter(text);
}

int wf_fail(struct wf_error *err, int code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        err->code = code;
        err->field[0] = '\0';
        (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
        va_end(args);
        tidy(err->text);
    }
    return code;
}

int wf_fail_errno(struct wf_error *err, const char *doing)
{
    int code = errno == ENOSPC || errno == EDQUOT ? WF_E_FULL
               : errno == ENOMEM                  ? WF_E_NOMEM
                                                  : WF_E_IO;
    return wf_fail(err, code, "%s: %s", doing, strerror(errno));
}

int wf_fail_field(struct wf_error *err, int code, const char *field, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        err->code = code;
        (void)snprintf(err->field, sizeof(err->field), "%s", field != NULL ? field : "");
        (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
        va_end(args);
        tidy(err->field);
        tidy(err->text);
    }
    return code;
}

void wf_name_field(struct wf_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(err->field, sizeof(err->field), fmt, args);
    va_end(args);
    tidy(err->field);
}

int wf_wrap(struct wf_error *err, const char *fmt, ...)
{
    if (err == NULL)
        return WF_E_INTERNAL;

    char context[sizeof(err->text)];
    char whole[2 * sizeof(err->text) + 2];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(context, sizeof(context), fmt, args);
    va_end(args);
    (void)snprintf(whole, sizeof(whole), "%s: %s", context, err->text);
    whole[sizeof(err->text) - 1] = '\0';
    memcpy(err->text, whole, sizeof(err->text));
    tidy(err->text);
    return err->code;
}

const char *wf_code_word(int code)
{
    return row_of(code)->word;
}

const char *wf_code_meaning(int code)
{
    return row_of(code)->meaning;
}

int wf_code_of_word(const char *word)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].word, word) == 0)
            return rows[i].code;
    }
    return 0;
}

enum wf_action wf_code_action(int code)
{
    return row_of(code)->action;
}

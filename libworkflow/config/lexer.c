/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict reading that libconfig 1.5 does not give. It accepts a comment that never ends, cuts
 * integers to 32 bits, drops NUL, keeps unknown escapes, lets a missing quote swallow lines, reads
 * any file that is @included, and needs a second for ten thousand settings in one group. So one
 * pass over the tokens comes first: it reports all of this with the right line, checks that
 * brackets pair, and hands libconfig a text in which every integer is marked as 64-bit and only
 * tokens are left. Lines stay where they are.
 */
#include "internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bracket {
    char open;
    int line;
    size_t settings;
};

struct lexer {
    const char *at;
    const char *end;
    int line;
    const char *name;
    struct wf_report *report;
    struct wf_buf *out;
    char before; /* kind of the token before: its character, 'a' word, '0' number, '"' text */
    struct bracket stack[MAX_DEPTH + 1]; /* [0] is the file */
    size_t depth;
    size_t settings;
    bool stop;
};

#define COMPLAIN(lexer, at_line, ...)                                                              \
    wf_report_error((lexer)->report, (lexer)->name, at_line, __VA_ARGS__)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char peek(const struct lexer *lexer, size_t ahead)
{
    return (size_t)(lexer->end - lexer->at) > ahead ? lexer->at[ahead] : '\0';
}

/* Blanks a comment out; newlines stay, so that lines keep their numbers. */
static void skip_comment(struct lexer *lexer)
{
    bool is_block = peek(lexer, 0) == '/' && peek(lexer, 1) == '*';
    int first_line = lexer->line;
    if (is_block)
        lexer->at += 2;
    for (; lexer->at < lexer->end; lexer->at++) {
        if (is_block && peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
            lexer->at += 2;
            wf_buf_add(lexer->out, " ", 1);
            return;
        }
        if (*lexer->at != '\n')
            continue;
        if (!is_block)
            return;
        lexer->line++;
        wf_buf_add(lexer->out, "\n", 1);
    }
    if (is_block) {
        COMPLAIN(lexer, first_line,
                 "comment never ends: all that follows would be passed over: "
                 "close it with */");
        lexer->stop = true;
    }
}

/* At a backslash: the length of the escape, or 0 after complaining. */
static size_t escape_length(struct lexer *lexer)
{
    char c = peek(lexer, 1);
    if (c != '\0' && strchr("nrtf\\\"", c) != NULL)
        return 2;
    if (c == 'x' && peek(lexer, 2) >= '0' && peek(lexer, 2) <= '7' && is_hex(peek(lexer, 3))) {
        if (peek(lexer, 2) != '0' || peek(lexer, 3) != '0')
            return 4;
        COMPLAIN(lexer, lexer->line, "\\x00 in a text: texts hold no zero bytes: remove it");
        return 0;
    }
    COMPLAIN(lexer, lexer->line,
             "unknown escape in a text: a backslash may stand before n r t f \" \\ or x01..x7f: "
             "write \\\\ for a backslash, and other letters as they are (UTF-8)");
    return 0;
}

/* Is a value due here? */
static bool expects_value(const struct lexer *lexer)
{
    bool in_list = lexer->stack[lexer->depth].open != '{';
    return lexer->before == '=' || (in_list && strchr("([,", lexer->before) != NULL);
}

static void lex_text(struct lexer *lexer)
{
    /* Said here, since libconfig loses the memory of a text that it did not expect. */
    if (lexer->before != '"' && !expects_value(lexer))
        COMPLAIN(lexer, lexer->line,
                 "text where none is due: a setting reads name = \"text\";: look for a missing "
                 "name, ';', '=' or ','");
    const char *start = lexer->at++;
    while (lexer->at < lexer->end && *lexer->at != '"' && *lexer->at != '\n') {
        size_t step = *lexer->at == '\\' ? escape_length(lexer) : 1;
        lexer->at += step > 0 ? step : 1;
    }
    if (lexer->at >= lexer->end || *lexer->at != '"') {
        COMPLAIN(lexer, lexer->line,
                 "text does not end on its line: a quote is missing: close it "
                 "with \" (a long text may be several quoted parts)");
        /* Go on at the next line with a whole token, so that later errors are found too. */
        wf_buf_text(lexer->out, "\"\"");
        return;
    }
    lexer->at++;
    wf_buf_add(lexer->out, start, (size_t)(lexer->at - start));
}

static bool is_float(struct wf_str number)
{
    bool is_hexadecimal = number.len > 1 && (number.ptr[1] == 'x' || number.ptr[1] == 'X');
    for (size_t i = 0; i < number.len && !is_hexadecimal; i++) {
        if (strchr(".eE", number.ptr[i]) != NULL)
            return true;
    }
    return false;
}

/* Reads the number whole; false where it is none that the file may hold. */
static bool is_sound_number(const char *digits, struct wf_str token, const char **out_why)
{
    char *end = NULL;
    errno = 0;
    *out_why = "not a number that the file format knows";
    if (is_float(token)) {
        double number = strtod(digits, &end);
        if (!isfinite(number))
            *out_why = "too large";
        return *end == '\0' && isfinite(number) && is_digit(end[-1]);
    }
    const char *unsigned_part = digits + strspn(digits, "+-");
    bool is_hexadecimal = unsigned_part[0] == '0' && strchr("xX", unsigned_part[1]) != NULL &&
                          unsigned_part[1] != '\0';
    if (is_hexadecimal && unsigned_part != digits)
        return false;
    (void)strtoll(digits, &end, is_hexadecimal ? 16 : 10);
    if (errno == ERANGE)
        *out_why = "more than 64 bits hold";
    bool leading_zero = !is_hexadecimal && unsigned_part[0] == '0' && is_digit(unsigned_part[1]);
    if (leading_zero)
        *out_why = "a leading zero does not make it octal";
    return *end == '\0' && end != digits && errno == 0 && !leading_zero;
}

static void lex_number(struct lexer *lexer)
{
    const char *start = lexer->at;
    while (lexer->at < lexer->end &&
           (is_letter(*lexer->at) || is_digit(*lexer->at) || strchr("+-._", *lexer->at) != NULL))
        lexer->at++;
    struct wf_str token = {start, (size_t)(lexer->at - start)};
    /* The L that marks 64 bits is taken off, and put on again for every integer below. */
    size_t marks = 0;
    while (marks < 2 && token.len > 1 && token.ptr[token.len - 1] == 'L') {
        token.len--;
        marks++;
    }
    char digits[48];
    const char *why = "too many digits";
    if (!wf_str_copy(token, digits, sizeof(digits)) || !is_sound_number(digits, token, &why)) {
        COMPLAIN(lexer, lexer->line,
                 "bad number '%.*s': %s: write a plain whole or decimal number, or a quoted text",
                 (int)(token.len < 40 ? token.len : 40), token.ptr, why);
        wf_buf_text(lexer->out, "0L");
        return;
    }
    wf_buf_text(lexer->out, digits);
    if (!is_float(token))
        wf_buf_text(lexer->out, "L");
}

static bool is_boolean(struct wf_str word)
{
    return (word.len == 4 && strncasecmp(word.ptr, "true", 4) == 0) ||
           (word.len == 5 && strncasecmp(word.ptr, "false", 5) == 0);
}

static void count_setting(struct lexer *lexer)
{
    lexer->stack[lexer->depth].settings++;
    lexer->settings++;
    bool too_many = lexer->stack[lexer->depth].settings > MAX_GROUP_SETTINGS;
    if (too_many || lexer->settings > MAX_SETTINGS) {
        COMPLAIN(lexer, lexer->line,
                 "more than %d settings in one %s: reading would take too "
                 "long: split it",
                 too_many ? MAX_GROUP_SETTINGS : MAX_SETTINGS, too_many ? "group" : "file");
        lexer->stop = true;
    }
}

static void lex_word(struct lexer *lexer)
{
    const char *start = lexer->at;
    while (lexer->at < lexer->end &&
           (is_letter(*lexer->at) || is_digit(*lexer->at) || strchr("-_*", *lexer->at) != NULL))
        lexer->at++;
    struct wf_str word = {start, (size_t)(lexer->at - start)};
    if (word.len > MAX_NAME_BYTES) {
        COMPLAIN(lexer, lexer->line, "name of %zu characters: at most %d are allowed: shorten it",
                 word.len, MAX_NAME_BYTES);
    } else if (!expects_value(lexer)) {
        count_setting(lexer);
    } else if (!is_boolean(word)) { /* a text whose quotes were forgotten */
        COMPLAIN(lexer, lexer->line,
                 "bare word '%.*s' as a value: only true and false stand without quotes: write "
                 "\"%.*s\"",
                 WF_STR_ARG(word), WF_STR_ARG(word));
        wf_buf_text(lexer->out, "\"\"");
        return;
    }
    wf_buf_add(lexer->out, word.ptr, word.len);
}

static void open_bracket(struct lexer *lexer, char c)
{
    if (lexer->depth >= MAX_DEPTH) {
        COMPLAIN(lexer, lexer->line, "nested more than %d deep: no file needs it: flatten it",
                 MAX_DEPTH);
        lexer->stop = true;
        return;
    }
    lexer->stack[++lexer->depth] = (struct bracket){c, lexer->line, 0};
}

static void close_bracket(struct lexer *lexer, char c)
{
    const struct bracket *top = &lexer->stack[lexer->depth];
    char wanted = top->open == '{' ? '}' : top->open == '(' ? ')' : ']';
    if (lexer->depth == 0) {
        COMPLAIN(lexer, lexer->line, "'%c' closes nothing: brackets pair: remove it", c);
        lexer->stop = true;
    } else if (c != wanted) {
        COMPLAIN(lexer, lexer->line,
                 "'%c' found, but '%c' of line %d is open: brackets pair: "
                 "write '%c' first",
                 c, top->open, top->line, wanted);
        lexer->stop = true;
    } else {
        if (lexer->before == ',' && c != '}')
            COMPLAIN(lexer, lexer->line,
                     "comma before '%c': a list ends without one: remove the "
                     "comma",
                     c);
        lexer->depth--;
    }
}

static void lex_sign(struct lexer *lexer)
{
    char c = *lexer->at++;
    if (strchr("({[", c) != NULL) {
        open_bracket(lexer, c);
    } else if (strchr(")}]", c) != NULL) {
        close_bracket(lexer, c);
    } else if (c == '@') {
        COMPLAIN(lexer, lexer->line, "@include: a file must stand for itself: copy the text in");
        lexer->stop = true;
    } else if (strchr("=:;,", c) == NULL) {
        COMPLAIN(lexer, lexer->line,
                 (unsigned char)c > 0x20 && (unsigned char)c < 0x7f
                     ? "unexpected character '%c': names are ASCII letters, "
                       "digits, _ and -, and texts stand in quotes: mend or "
                       "quote it"
                     : "unexpected character (code %d): outside quotes and "
                       "comments only ASCII is allowed: mend or quote it",
                 (unsigned char)c);
        /* The other bytes of the same letter would only say so again. */
        while (lexer->at < lexer->end && ((unsigned char)*lexer->at & 0xc0) == 0x80)
            lexer->at++;
        return;
    }
    wf_buf_add(lexer->out, &c, 1);
}

static void lex_token(struct lexer *lexer)
{
    char c = *lexer->at;
    bool starts_number =
        is_digit(c) || c == '.' ||
        ((c == '-' || c == '+') && (is_digit(peek(lexer, 1)) || peek(lexer, 1) == '.'));
    if (c == '"') {
        lex_text(lexer);
        lexer->before = '"';
    } else if (starts_number) {
        lex_number(lexer);
        lexer->before = '0';
    } else if (is_letter(c) || c == '*') {
        lex_word(lexer);
        lexer->before = 'a';
    } else {
        lex_sign(lexer);
        lexer->before = c == ':' ? '=' : c;
    }
}

static void lex_all(struct lexer *lexer)
{
    while (lexer->at < lexer->end && !lexer->stop) {
        char c = *lexer->at;
        if (c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            lexer->line += c == '\n';
            lexer->at++;
            wf_buf_add(lexer->out, c == '\n' ? "\n" : " ", 1);
        } else if (c == '#' || (c == '/' && (peek(lexer, 1) == '/' || peek(lexer, 1) == '*'))) {
            skip_comment(lexer);
        } else {
            lex_token(lexer);
        }
    }
    const struct bracket *top = &lexer->stack[lexer->depth];
    if (lexer->depth > 0 && !lexer->stop)
        COMPLAIN(lexer, top->line, "'%c' is never closed: brackets pair: write the closing one",
                 top->open);
}

/* NUL and bad UTF-8, with the line where they stand. */
static bool is_clean(const char *name, struct wf_str text, struct wf_report *report)
{
    int line = 1;
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        size_t length = (size_t)(stop - at);
        if (length > 0 && memchr(at, '\0', length) != NULL) {
            wf_report_error(report, name, line, "zero byte: this is no text file: remove it");
            return false;
        }
        if (!wf_is_utf8(at, length)) {
            wf_report_error(report, name, line,
                            "bytes that are not UTF-8: Vietnamese letters would be lost: save the "
                            "file as UTF-8");
            return false;
        }
        at = stop + (newline != NULL);
        line++;
    }
    return true;
}

void config_lex(const char *name, struct wf_str text, struct wf_report *report, struct wf_buf *out)
{
    if (text.len > MAX_FILE_BYTES) {
        wf_report_error(report, name, 0, "%zu bytes: a file holds at most %zu: split it", text.len,
                        MAX_FILE_BYTES);
        return;
    }
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) {
        wf_report_warn(report, name, 1, "byte order mark: it is passed over: save without it");
        text.ptr += 3;
        text.len -= 3;
    }
    if (!is_clean(name, text, report))
        return;
    struct lexer lexer = {.at = text.ptr,
                          .end = text.ptr + text.len,
                          .line = 1,
                          .name = name,
                          .report = report,
                          .out = out,
                          .before = ';'};
    lexer.stack[0] = (struct bracket){'{', 1, 0};
    lex_all(&lexer);
}

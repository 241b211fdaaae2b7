/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of an expression. Texts without escapes are borrowed from the source (which the compiled
 * expression owns), so that most literals cost nothing.
 */
#include "expr_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

size_t expr_column(struct wf_str source, size_t offset)
{
    return wf_utf8_length(source.ptr, offset) + 1;
}

/* Length of [-]digits[.digits][e[+-]digits] at the start, 0 where there is none. */
static size_t number_length(struct wf_str s, bool *is_int)
{
    size_t i = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    size_t digits = i;
    *is_int = true;
    while (i < s.len && is_digit(s.ptr[i]))
        i++;
    if (i == digits)
        return 0;
    if (i + 1 < s.len && s.ptr[i] == '.' && is_digit(s.ptr[i + 1])) {
        *is_int = false;
        for (i++; i < s.len && is_digit(s.ptr[i]);)
            i++;
    }
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        size_t e = i + 1;
        if (e < s.len && (s.ptr[e] == '+' || s.ptr[e] == '-'))
            e++;
        if (e < s.len && is_digit(s.ptr[e])) {
            *is_int = false;
            for (i = e; i < s.len && is_digit(s.ptr[i]);)
                i++;
        }
    }
    return i;
}

static bool to_int(struct wf_str s, int64_t *out)
{
    bool negative = s.ptr[0] == '-';
    int64_t sum = 0;
    for (size_t i = negative ? 1 : 0; i < s.len; i++) {
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_sub_overflow(sum, s.ptr[i] - '0', &sum))
            return false;
    }
    *out = sum; /* counted downward: the smallest integer has no positive twin */
    return negative || !__builtin_sub_overflow(0, sum, out);
}

static bool to_number(struct wf_str s, double *out)
{
    char digits[64];
    if (!wf_str_copy(s, digits, sizeof(digits)))
        return false;
    *out = strtod(digits, NULL);
    return isfinite(*out) != 0;
}

bool expr_parse_number(struct wf_str text, bool *is_int, int64_t *integer, double *number)
{
    size_t length = number_length(text, is_int);
    if (length == 0 || length != text.len)
        return false;
    return *is_int ? to_int(text, integer) : to_number(text, number);
}

static int lex_number(struct expr_lexer *lexer, struct wf_str rest, const char **why)
{
    bool is_int;
    lexer->text = (struct wf_str){rest.ptr, number_length(rest, &is_int)};
    lexer->pos += lexer->text.len;
    lexer->token = is_int ? TOKEN_INT : TOKEN_NUMBER;
    if (lexer->pos < lexer->source.len && is_word(lexer->source.ptr[lexer->pos])) {
        *why = "number runs into a word: no unit or name may follow: put a blank between them";
        return -1;
    }
    if (!expr_parse_number(lexer->text, &is_int, &lexer->integer, &lexer->number)) {
        *why = "number too large: integers have 64 bits: write a smaller one";
        return -1;
    }
    return 0;
}

static char unescaped(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == '\\' || c == '\'' || c == '"' ? c : '\0';
}

static int lex_text(struct expr_lexer *lexer, struct wf_str rest, const char **why)
{
    size_t end = 1;
    bool escapes = false;
    while (end < rest.len && rest.ptr[end] != rest.ptr[0]) {
        bool escape = rest.ptr[end] == '\\';
        escapes = escapes || escape;
        end += escape ? 2 : 1;
    }
    if (end >= rest.len) {
        *why = "text without end: its closing quote is missing: add it";
        return -1;
    }
    lexer->pos += end + 1;
    lexer->token = TOKEN_TEXT;
    lexer->text = (struct wf_str){rest.ptr + 1, end - 1};
    if (!escapes)
        return 0;

    char *copy = wf_arena_strndup(lexer->arena, rest.ptr + 1, end - 1);
    size_t n = 0;
    for (size_t i = 0; copy != NULL && i < end - 1; i++) {
        char c = copy[i];
        if (c == '\\')
            c = unescaped(copy[++i]);
        if (c == '\0') {
            *why =
                "unknown escape in a text: only \\\\ \\' \\\" \\n \\t are known: use one of them";
            return -1;
        }
        copy[n++] = c;
    }
    *why = NULL; /* out of memory, if copy is NULL */
    lexer->text = (struct wf_str){copy, n};
    return copy != NULL ? 0 : -1;
}

static int lex_sign(struct expr_lexer *lexer, struct wf_str rest, const char **why)
{
    static const char *const signs[] = {"||", "&&", "==", "!=", "<=", ">=", "<", ">", "!", "+",
                                        "-",  "*",  "/",  "%",  "(",  ")",  "[", "]", ",", "."};
    for (size_t i = 0; i < WF_COUNT(signs); i++) {
        size_t length = strlen(signs[i]);
        if (rest.len >= length && memcmp(rest.ptr, signs[i], length) == 0) {
            lexer->token = TOKEN_SIGN;
            lexer->text = (struct wf_str){rest.ptr, length};
            lexer->pos += length;
            return 0;
        }
    }
    *why = rest.ptr[0] == '='
               ? "single =: an expression never assigns: write == to compare"
               : "unexpected character: it belongs to no operator: remove it or quote the text";
    return -1;
}

int expr_next(struct expr_lexer *lexer, const char **why)
{
    const char *s = lexer->source.ptr;
    while (lexer->pos < lexer->source.len && strchr(" \t\r\n", s[lexer->pos]) != NULL)
        lexer->pos++;
    lexer->start = lexer->pos;
    struct wf_str rest = {s + lexer->pos, lexer->source.len - lexer->pos};
    lexer->text = (struct wf_str){rest.ptr, 0};
    if (rest.len == 0) {
        lexer->token = TOKEN_END;
        return 0;
    }
    if (is_digit(rest.ptr[0]))
        return lex_number(lexer, rest, why);
    if (rest.ptr[0] == '\'' || rest.ptr[0] == '"')
        return lex_text(lexer, rest, why);
    if (!is_word(rest.ptr[0]))
        return lex_sign(lexer, rest, why);
    while (lexer->text.len < rest.len &&
           (is_word(rest.ptr[lexer->text.len]) || is_digit(rest.ptr[lexer->text.len])))
        lexer->text.len++;
    lexer->pos += lexer->text.len;
    lexer->token = TOKEN_NAME;
    return 0;
}

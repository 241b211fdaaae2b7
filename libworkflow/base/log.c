/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *service_name = "hoso";
static enum wf_log_level highest = WF_LOG_INFO;

static const char *const level_words[] = {"fatal", "error", "warn", "info", "debug"};
static const char *const event_words[] = {
#define X(name, word, meaning) word,
    WF_LOG_EVENTS(X)
#undef X
};

void wf_log_open(const char *service, enum wf_log_level level)
{
    service_name = service;
    highest = level;
}

enum wf_log_level wf_log_level(void)
{
    return highest;
}

void wf_log_set_level(enum wf_log_level level)
{
    highest = level;
}

/* Appends what fits; the line is cut, never overrun. */
static size_t append(char *line, size_t size, size_t at, const char *key, const char *text)
{
    if (text == NULL || at >= size)
        return at;
    int n = snprintf(line + at, size - at, " %s=%s", key, text);
    return n > 0 ? at + (size_t)n : at;
}

static size_t append_quoted(char *line, size_t size, size_t at, const char *text)
{
    if (at + 8 >= size)
        return at;
    at += (size_t)snprintf(line + at, size - at, " msg=\"");
    for (; *text != '\0' && at + 4 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            line[at++] = '\\';
        line[at++] = c < 0x20 || c == 0x7f ? ' ' : *text;
    }
    line[at++] = '"';
    return at;
}

void wf_log(enum wf_log_level level, enum wf_log_event event, const struct wf_log_fact *fact,
            const char *fmt, ...)
{
    if (level > highest)
        return;

    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    struct timespec now;
    struct tm utc;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    char line[1024];
    size_t size = sizeof(line) - 1;
    size_t at = strftime(line, size, "ts=%Y-%m-%dT%H:%M:%S", &utc);
    at += (size_t)snprintf(line + at, size - at, ".%03ldZ level=%s service=%s event=%s",
                           now.tv_nsec / 1000000, level_words[level], service_name,
                           event_words[event]);
    if (fact != NULL) {
        at = append(line, size, at, "dossier", fact->dossier);
        at = append(line, size, at, "procedure", fact->procedure);
        at = append(line, size, at, "state", fact->state);
        at = append(line, size, at, "rc", fact->rc != 0 ? wf_code_word(fact->rc) : NULL);
    }
    if (at > size)
        at = size;
    at = append_quoted(line, size, at, text);
    line[at++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, at);
    (void)written; /* nowhere left to complain to */
}

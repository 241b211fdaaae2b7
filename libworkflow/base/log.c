/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/journald.h"
#include "workflow/clock.h"
#include "workflow/text.h"

#define SECOND_MS 1000

static const char *service_name = "hoso";
static enum wf_log_level highest = WF_LOG_INFO;
static unsigned most_a_second;
static int journal_fd = -1;

static const char *const level_words[] = {"fatal", "error", "warn", "info", "debug"};
static const char *const event_words[] = {
#define X(name, word, meaning) word,
    WF_LOG_EVENTS(X)
#undef X
};

/* How much of one event was written in the present second. */
static struct {
    int64_t since_ms;
    unsigned written;
    unsigned long suppressed;
} spent[WF_COUNT(event_words)];

void wf_log_open(const char *service, enum wf_log_level level)
{
    service_name = service;
    highest = level;
    if (journal_fd < 0 && wf_journald_is_stderr())
        journal_fd = wf_journald_open(WF_JOURNALD_SOCKET);
}

enum wf_log_level wf_log_level(void)
{
    return highest;
}

void wf_log_set_level(enum wf_log_level level)
{
    highest = level;
}

int wf_log_level_of(const char *word)
{
    for (int i = WF_LOG_ERROR; i <= WF_LOG_DEBUG; i++) {
        if (strcmp(word, level_words[i]) == 0)
            return i;
    }
    return -1;
}

void wf_log_set_rate(unsigned lines)
{
    most_a_second = lines;
}

/* ---- a line ---------------------------------------------------------------------------------- */

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

static void write_line(enum wf_log_level level, enum wf_log_event event,
                       const struct wf_log_fact *fact, const char *seq, const char *text)
{
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
    at = append(line, size, at, "dossier", fact->dossier);
    at = append(line, size, at, "procedure", fact->procedure);
    at = append(line, size, at, "state", fact->state);
    at = append(line, size, at, "seq", seq);
    at = append(line, size, at, "party", fact->party);
    at = append(line, size, at, "rc", fact->rc != 0 ? wf_code_word(fact->rc) : NULL);
    if (at > size)
        at = size;
    at = append_quoted(line, size, at, text);
    line[at++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, at);
    (void)written; /* nowhere left to complain to */
}

static bool send_entry(enum wf_log_level level, enum wf_log_event event,
                       const struct wf_log_fact *fact, const char *seq, const char *text)
{
    static const char *const priorities[] = {"2", "3", "4", "6", "7"}; /* syslog(3) */
    struct wf_journald_entry entry = {.used = 0};
    char name[40];
    (void)snprintf(name, sizeof(name), "hoso-%s", service_name);
    wf_journald_field(&entry, "PRIORITY", priorities[level]);
    wf_journald_field(&entry, "SYSLOG_IDENTIFIER", name);
    wf_journald_field(&entry, "HOSO_SERVICE", service_name);
    wf_journald_field(&entry, "HOSO_EVENT", event_words[event]);
    wf_journald_field(&entry, "HOSO_DOSSIER", fact->dossier);
    wf_journald_field(&entry, "HOSO_PROCEDURE", fact->procedure);
    wf_journald_field(&entry, "HOSO_STATE", fact->state);
    wf_journald_field(&entry, "HOSO_SEQ", seq);
    wf_journald_field(&entry, "HOSO_PARTY", fact->party);
    wf_journald_field(&entry, "HOSO_RC", fact->rc != 0 ? wf_code_word(fact->rc) : NULL);
    wf_journald_field(&entry, "MESSAGE", text[0] != '\0' ? text : event_words[event]);
    return wf_journald_send(journal_fd, &entry);
}

static void say(enum wf_log_level level, enum wf_log_event event, const struct wf_log_fact *fact,
                const char *text)
{
    static const struct wf_log_fact none;
    char number[24];
    if (fact == NULL)
        fact = &none;
    (void)snprintf(number, sizeof(number), "%" PRIu64, fact->seq);
    const char *seq = fact->seq != 0 ? number : NULL;
    if (journal_fd < 0 || !send_entry(level, event, fact, seq, text))
        write_line(level, event, fact, seq, text);
}

/* ---- the bound ------------------------------------------------------------------------------- */

static bool may_say(enum wf_log_level level, enum wf_log_event event)
{
    if (most_a_second == 0 || level == WF_LOG_FATAL)
        return true;
    int64_t now = wf_monotonic_ms();
    if (spent[event].since_ms == 0 || now - spent[event].since_ms >= SECOND_MS) {
        unsigned long suppressed = spent[event].suppressed;
        spent[event].since_ms = now;
        spent[event].written = 0;
        spent[event].suppressed = 0;
        if (suppressed > 0) {
            char text[80];
            (void)snprintf(text, sizeof(text), "%lu lines of %s", suppressed, event_words[event]);
            say(WF_LOG_WARN, WF_LOG_SUPPRESSED_EVENT, NULL, text);
        }
    }
    if (spent[event].written < most_a_second) {
        spent[event].written++;
        return true;
    }
    spent[event].suppressed++;
    return false;
}

void wf_log(enum wf_log_level level, enum wf_log_event event, const struct wf_log_fact *fact,
            const char *fmt, ...)
{
    if (level > highest || !may_say(level, event))
        return;

    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    say(level, event, fact, text);
}

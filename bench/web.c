/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "figure.h"

#define TEXT_MAX     4096
#define PATIENCE_MS  20000
#define HEAD_END     "\r\n\r\n"
#define LENGTH_FIELD "\r\nContent-Length: "

struct line {
    int fd;
    char answer[TEXT_MAX];
    size_t len;
};

struct web {
    struct line *lines;
    struct pollfd *polls;
    size_t n;
    char token[128], body[TEXT_MAX / 2];
    uint64_t run, count;
};

static int connect_to(unsigned port)
{
    const int yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

struct web *web_open(unsigned port, const char *token, const char *note, size_t connections)
{
    struct web *web = calloc(1, sizeof(*web));
    if (web == NULL)
        return NULL;
    web->lines = calloc(connections, sizeof(*web->lines));
    web->polls = calloc(connections, sizeof(*web->polls));
    web->run = (uint64_t)wf_real_ms();
    (void)snprintf(web->token, sizeof(web->token), "%s", token);
    (void)snprintf(
        web->body, sizeof(web->body),
        "{\"procedure\":\"1.000006\",\"channel\":\"one_stop\",\"site\":\"000.00.13.H30\","
        "\"by\":\"counter-2\",\"role\":\"civil_servant\","
        "\"fields\":{\"full_name\":\"Trần Văn Đo\",\"note\":\"%s\"}}",
        note);
    bool good = web->lines != NULL && web->polls != NULL;
    for (; good && web->n < connections; web->n += good) {
        web->lines[web->n].fd = connect_to(port);
        good = web->lines[web->n].fd >= 0;
    }
    if (good)
        return web;
    web_close(web);
    return NULL;
}

void web_close(struct web *web)
{
    if (web == NULL)
        return;
    for (size_t i = 0; i < web->n; i++)
        (void)close(web->lines[i].fd);
    free(web->lines);
    free(web->polls);
    free(web);
}

static bool ask(struct web *web, struct line *line)
{
    char text[TEXT_MAX];
    int length =
        snprintf(text, sizeof(text),
                 "POST /v1/dossiers HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
                 "Idempotency-Key: bench-%llx-%llx\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu" HEAD_END "%s",
                 web->token, (unsigned long long)web->run, (unsigned long long)++web->count,
                 strlen(web->body), web->body);
    line->len = 0;
    return send(line->fd, text, (size_t)length, MSG_NOSIGNAL) == length;
}

/* 1 the answer is whole and good, 0 more is to come, -1 refused or broken off. */
static int hear(struct line *line)
{
    ssize_t n = recv(line->fd, line->answer + line->len, TEXT_MAX - 1 - line->len, 0);
    if (n <= 0)
        return -1;
    line->len += (size_t)n;
    line->answer[line->len] = '\0';
    const char *end = strstr(line->answer, HEAD_END);
    const char *length = strstr(line->answer, LENGTH_FIELD);
    if (end == NULL || length == NULL)
        return 0;
    size_t whole = (size_t)(end - line->answer) + strlen(HEAD_END) +
                   strtoull(length + strlen(LENGTH_FIELD), NULL, 10);
    if (line->len < whole)
        return 0;
    return strncmp(line->answer, "HTTP/1.1 201", 12) == 0 ? 1 : -1;
}

/* What has come on this connection, and its next request. */
static bool go_on(struct web *web, size_t at, uint64_t n, uint64_t *sent, uint64_t *heard)
{
    if (web->polls[at].revents == 0)
        return true;
    int rc = hear(&web->lines[at]);
    if (rc <= 0)
        return rc == 0;
    ++*heard;
    if (*sent >= n)
        return true;
    ++*sent;
    return ask(web, &web->lines[at]);
}

double web_submit(struct web *web, uint64_t n)
{
    uint64_t sent = 0;
    uint64_t heard = 0;
    double started = now_s();
    bool good = true;
    for (size_t i = 0; good && i < web->n; i++) {
        web->polls[i] = (struct pollfd){web->lines[i].fd, POLLIN, 0};
        good = sent >= n || ask(web, &web->lines[i]);
        sent += sent < n;
    }
    while (good && heard < n) {
        good = poll(web->polls, web->n, PATIENCE_MS) > 0;
        for (size_t i = 0; good && i < web->n; i++)
            good = go_on(web, i, n, &sent, &heard);
    }
    return good ? now_s() - started : -1;
}

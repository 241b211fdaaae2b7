/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workflow/text.h"

#define BACKLOG 128

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int read_place(const char *setting, const char *text, union address *out,
                      socklen_t *out_size, struct wf_error *err)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    bool is_v6 = n > 2 && text[0] == '[' && text[n - 1] == ']';
    const struct wf_str name = {text + is_v6, is_v6 ? n - 2 : n};
    char *end = NULL;
    unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
    bool good = colon != NULL && colon[1] >= '0' && colon[1] <= '9' && *end == '\0' &&
                port <= 65535 && wf_str_copy(name, host, sizeof(host));
    memset(out, 0, sizeof(*out));
    if (good && is_v6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)port);
        good = inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1;
        *out_size = sizeof(out->v6);
    } else if (good) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        good = inet_pton(AF_INET, host, &out->v4.sin_addr) == 1;
        *out_size = sizeof(out->v4);
    }
    return good ? 0
                : wf_fail(err, WF_E_CONFIG,
                          "%s: \"%s\" is no address: write it as \"127.0.0.1:8080\" or "
                          "\"[::1]:8080\"",
                          setting, text);
}

static void name_place(int fd, char out[LISTEN_PLACE])
{
    union address is = {0};
    socklen_t size = sizeof(is);
    char host[INET6_ADDRSTRLEN] = "";
    out[0] = '\0';
    if (getsockname(fd, &is.any, &size) != 0)
        return;
    bool is_v6 = is.any.sa_family == AF_INET6;
    const void *from = is_v6 ? (const void *)&is.v6.sin6_addr : (const void *)&is.v4.sin_addr;
    (void)inet_ntop(is.any.sa_family, from, host, sizeof(host));
    (void)snprintf(out, LISTEN_PLACE, is_v6 ? "[%s]:%u" : "%s:%u", host,
                   ntohs(is_v6 ? is.v6.sin6_port : is.v4.sin_port));
}

int listen_at(const char *setting, const char *place, int *out_fd, char out_place[LISTEN_PLACE],
              struct wf_error *err)
{
    union address address;
    socklen_t size = 0;
    int on = 1;
    int rc = read_place(setting, place, &address, &size, err);
    if (rc != 0)
        return rc;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        (address.any.sa_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
        bind(fd, &address.any, size) != 0 || listen(fd, BACKLOG) != 0) {
        rc = wf_fail(err, WF_E_IO, "listen at %s: %s", place, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    name_place(fd, out_place);
    *out_fd = fd;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table by descriptor, and one by owner's name; neither shrinks while the door is open. What
 * ZeroMQ tells of a descriptor comes late: a message of a line that has left may be laid to the next
 * one with the same number, until that one speaks for itself.
 */
#include "transport/lines.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "workflow/memory.h"
#include "workflow/text.h"

#define FD_MOST  (1 << 20)
#define SWEEP_MS 1000

struct owner {
    char name[WF_OWNER_SIZE];
    size_t live;      /* lines that have spoken */
    int64_t *granted; /* when, oldest first, of those that have not */
    size_t n_granted;
};

struct line {
    bool is_open;
    int64_t since_ms;
    struct owner *owner;   /* NULL: it has not spoken */
    char key[WF_KEY_SIZE]; /* of its last message */
    char address[WF_ADDRESS_SIZE];
};

struct wf_lines {
    pthread_mutex_t lock; /* of all below */
    size_t most;
    int64_t silent_ms, sweep_at_ms;
    struct line *lines; /* by descriptor */
    size_t n_lines;
    struct owner **owners;
    size_t n_owners, owners_cap;
};

int wf_lines_new(size_t most, int64_t silent_ms, struct wf_lines **out, struct wf_error *err)
{
    struct wf_lines *lines = wf_alloc(sizeof(*lines));
    if (lines == NULL)
        return wf_fail(err, WF_E_NOMEM, "open the door: out of memory");
    (void)pthread_mutex_init(&lines->lock, NULL);
    lines->most = most;
    lines->silent_ms = silent_ms;
    *out = lines;
    return 0;
}

void wf_lines_free(struct wf_lines *lines)
{
    if (lines == NULL)
        return;
    for (size_t i = 0; i < lines->n_owners; i++) {
        wf_free(lines->owners[i]->granted);
        wf_free(lines->owners[i]);
    }
    wf_free(lines->owners);
    wf_free(lines->lines);
    (void)pthread_mutex_destroy(&lines->lock);
    wf_free(lines);
}

/* ---- owners ---------------------------------------------------------------------------------- */

static struct owner *new_owner(const struct wf_lines *lines, const char *name)
{
    struct owner *owner = wf_alloc(sizeof(*owner));
    if (owner != NULL)
        owner->granted = wf_alloc((lines->most + 1) * sizeof(*owner->granted));
    if (owner == NULL || owner->granted == NULL ||
        !wf_str_copy(wf_str(name), owner->name, sizeof(owner->name))) {
        if (owner != NULL)
            wf_free(owner->granted);
        wf_free(owner);
        return NULL;
    }
    return owner;
}

/* As many as there are parties: a search from end to end will do. NULL when memory is out. */
static struct owner *find_owner(struct wf_lines *lines, const char *name)
{
    for (size_t i = 0; i < lines->n_owners; i++) {
        if (strcmp(lines->owners[i]->name, name) == 0)
            return lines->owners[i];
    }
    if (lines->n_owners == lines->owners_cap) {
        size_t cap = lines->owners_cap > 0 ? lines->owners_cap * 2 : 16;
        void *more = wf_realloc(lines->owners, cap * sizeof(struct owner *));
        if (more == NULL)
            return NULL;
        lines->owners = more;
        lines->owners_cap = cap;
    }
    struct owner *owner = new_owner(lines, name);
    if (owner != NULL)
        lines->owners[lines->n_owners++] = owner;
    return owner;
}

static void forget_oldest(struct owner *owner)
{
    if (owner->n_granted == 0)
        return;
    owner->n_granted--;
    memmove(owner->granted, owner->granted + 1, owner->n_granted * sizeof(*owner->granted));
}

bool wf_lines_grant(struct wf_lines *lines, const char *name, int64_t now_ms)
{
    if (lines->most == 0)
        return true;
    (void)pthread_mutex_lock(&lines->lock);
    struct owner *owner = find_owner(lines, name);
    /* The sweep comes a second late, and its ends are told later still. */
    while (owner != NULL && owner->n_granted > 0 &&
           now_ms - owner->granted[0] > lines->silent_ms + 2 * SWEEP_MS)
        forget_oldest(owner);
    bool yes = owner != NULL && owner->live + owner->n_granted < lines->most;
    if (yes)
        owner->granted[owner->n_granted++] = now_ms;
    (void)pthread_mutex_unlock(&lines->lock);
    return yes;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static struct line *line_at(struct wf_lines *lines, int fd)
{
    return fd >= 0 && (size_t)fd < lines->n_lines ? &lines->lines[fd] : NULL;
}

static bool make_room(struct wf_lines *lines, int fd)
{
    if (fd < 0 || fd >= FD_MOST)
        return false;
    if ((size_t)fd < lines->n_lines)
        return true;
    size_t n = (size_t)fd * 2 + 64;
    struct line *more = wf_realloc(lines->lines, n * sizeof(*more));
    if (more == NULL)
        return false;
    memset(more + lines->n_lines, 0, (n - lines->n_lines) * sizeof(*more));
    lines->lines = more;
    lines->n_lines = n;
    return true;
}

static void tell_address(int fd, char out[WF_ADDRESS_SIZE])
{
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof(peer);
    const void *bytes = NULL;
    out[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return;
    if (peer.ss_family == AF_INET)
        bytes = &((const struct sockaddr_in *)&peer)->sin_addr;
    else if (peer.ss_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)&peer)->sin6_addr;
    if (bytes != NULL)
        (void)inet_ntop(peer.ss_family, bytes, out, WF_ADDRESS_SIZE);
}

static void let_go(struct line *line)
{
    if (line->owner != NULL)
        line->owner->live--;
    line->owner = NULL;
    line->key[0] = '\0';
    line->is_open = false;
}

bool wf_lines_came(struct wf_lines *lines, int fd, int64_t now_ms)
{
    bool is_new = false;
    (void)pthread_mutex_lock(&lines->lock);
    if (make_room(lines, fd)) {
        struct line *line = &lines->lines[fd];
        is_new = !line->is_open;
        let_go(line);
        line->is_open = true;
        line->since_ms = now_ms;
        tell_address(fd, line->address);
    }
    (void)pthread_mutex_unlock(&lines->lock);
    return is_new;
}

bool wf_lines_left(struct wf_lines *lines, int fd, char address[WF_ADDRESS_SIZE])
{
    address[0] = '\0';
    (void)pthread_mutex_lock(&lines->lock);
    struct line *line = line_at(lines, fd);
    bool was_open = line != NULL && line->is_open;
    if (was_open) {
        memcpy(address, line->address, WF_ADDRESS_SIZE);
        let_go(line);
    }
    (void)pthread_mutex_unlock(&lines->lock);
    return was_open;
}

bool wf_lines_has(struct wf_lines *lines, int fd, const char *key)
{
    (void)pthread_mutex_lock(&lines->lock);
    const struct line *line = line_at(lines, fd);
    bool has = line == NULL || !line->is_open || strcmp(line->key, key) == 0;
    (void)pthread_mutex_unlock(&lines->lock);
    return has;
}

void wf_lines_spoke(struct wf_lines *lines, int fd, const char *key, const char *name)
{
    (void)pthread_mutex_lock(&lines->lock);
    struct line *line = line_at(lines, fd);
    struct owner *owner = line != NULL && line->is_open ? find_owner(lines, name) : NULL;
    if (owner != NULL) {
        let_go(line);
        line->is_open = true;
        line->owner = owner;
        owner->live++;
        forget_oldest(owner);
        (void)wf_str_copy(wf_str(key), line->key, sizeof(line->key));
    }
    (void)pthread_mutex_unlock(&lines->lock);
}

/* Shut, not closed: the descriptor is ZeroMQ's, which sees the end and clears up. */
void wf_lines_sweep(struct wf_lines *lines, int64_t now_ms)
{
    (void)pthread_mutex_lock(&lines->lock);
    if (now_ms >= lines->sweep_at_ms) {
        lines->sweep_at_ms = now_ms + SWEEP_MS;
        for (size_t fd = 0; fd < lines->n_lines; fd++) {
            const struct line *line = &lines->lines[fd];
            if (line->is_open && line->owner == NULL && now_ms - line->since_ms > lines->silent_ms)
                (void)shutdown((int)fd, SHUT_RDWR);
        }
    }
    (void)pthread_mutex_unlock(&lines->lock);
}

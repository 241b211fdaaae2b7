/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole papers through a client, piece by piece. What the other end has decides where to go on, so
 * a call that broke off is simply made again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workflow/client.h"
#include "workflow/hash.h"
#include "workflow/memory.h"

#define STUCK_MOST 3 /* answers in a row that bring us no further */

static int name_of(int fd, char out[WF_PAPER_NAME_SIZE], uint64_t *out_size, struct wf_error *err)
{
    uint8_t hash[WF_HASH_BYTES];
    struct stat is;
    if (fstat(fd, &is) != 0 || lseek(fd, 0, SEEK_SET) != 0 || !wf_hash_file(fd, hash))
        return wf_fail_errno(err, "read the paper");
    wf_hex(hash, sizeof(hash), out);
    *out_size = (uint64_t)is.st_size;
    return 0;
}

/* ---- up -------------------------------------------------------------------------------------- */

struct upload {
    struct wf_client *client;
    int fd;
    struct wf_arena *arena;
    uint8_t *piece;
    uint64_t size, have;
    bool whole;
};

static int send_piece(struct upload *u, const char *name, size_t n, struct wf_error *err)
{
    struct wf_envelope reply;
    const struct wf_msg_paper_put put = {
        .paper = wf_str(name), .size = u->size, .at = u->have, .bytes = {u->piece, n}};
    wf_arena_reset(u->arena);
    int rc = wf_client_call(u->client, WF_INTAKE, WF_MSG_paper_put, &put, u->arena, &reply, err);
    if (rc != 0)
        return rc;
    if (reply.type != WF_MSG_paper_state)
        return wf_fail(err, WF_E_INTERNAL, "an answer to another question came");
    const struct wf_msg_paper_state *is = reply.body;
    u->have = is->have;
    u->whole = is->whole;
    return 0;
}

static int read_piece(struct upload *u, size_t *out_n, struct wf_error *err)
{
    ssize_t n = pread(u->fd, u->piece, WF_CHUNK_MAX, (off_t)u->have);
    if (n <= 0)
        return n < 0 ? wf_fail_errno(err, "read the paper")
                     : wf_fail(err, WF_E_STATE, "the file became shorter meanwhile");
    *out_n = (size_t)n;
    return 0;
}

static int send_all(struct upload *u, const char *name, const struct wf_client_progress *progress,
                    struct wf_error *err)
{
    int stuck = 0;
    int rc = send_piece(u, name, 0, err);
    while (rc == 0 && !u->whole) {
        uint64_t before = u->have;
        size_t n = 0;
        rc = read_piece(u, &n, err);
        if (rc == 0)
            rc = send_piece(u, name, n, err);
        stuck = u->have > before ? 0 : stuck + 1;
        if (rc == 0 && stuck > STUCK_MOST)
            rc = wf_fail(err, WF_E_STATE, "the paper does not get on: is it sent from elsewhere?");
        if (rc == 0 && progress != NULL)
            progress->fn(progress->context, u->have, u->size);
    }
    return rc;
}

int wf_client_put_paper(struct wf_client *client, int fd, const struct wf_client_progress *progress,
                        char out_name[WF_PAPER_NAME_SIZE], struct wf_error *err)
{
    struct upload u = {.client = client, .fd = fd, .arena = wf_arena_new(0)};
    char name[WF_PAPER_NAME_SIZE];
    u.piece = wf_alloc(WF_CHUNK_MAX);
    int rc = u.arena != NULL && u.piece != NULL ? name_of(fd, name, &u.size, err)
                                                : wf_fail(err, WF_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = send_all(&u, name, progress, err);
    wf_free(u.piece);
    wf_arena_free(u.arena);
    if (rc == 0)
        memcpy(out_name, name, sizeof(name));
    return rc;
}

/* ---- down ------------------------------------------------------------------------------------ */

static int write_all(int fd, struct wf_slice bytes, uint64_t at, struct wf_error *err)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = pwrite(fd, bytes.ptr + done, bytes.len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return wf_fail_errno(err, "write the paper");
        done += (size_t)n;
    }
    return 0;
}

static int get_piece(struct wf_client *client, int fd, const struct wf_msg_paper_get *get,
                     struct wf_arena *arena, uint64_t *out_size, size_t *out_n,
                     struct wf_error *err)
{
    struct wf_envelope reply;
    wf_arena_reset(arena);
    int rc = wf_client_call(client, WF_INTAKE, WF_MSG_paper_get, get, arena, &reply, err);
    if (rc != 0)
        return rc;
    const struct wf_msg_paper_chunk *chunk = reply.body;
    if (reply.type != WF_MSG_paper_chunk || chunk->at != get->at)
        return wf_fail(err, WF_E_INTERNAL, "an answer to another question came");
    *out_size = chunk->size;
    *out_n = chunk->bytes.len;
    return write_all(fd, chunk->bytes, get->at, err);
}

static int check_file(int fd, const char *paper, struct wf_error *err)
{
    char name[WF_PAPER_NAME_SIZE];
    uint64_t size = 0;
    int rc = name_of(fd, name, &size, err);
    if (rc == 0 && strcmp(name, paper) != 0)
        rc = ftruncate(fd, 0) == 0
                 ? wf_fail(err, WF_E_CORRUPT, "what came has another hash: get the paper anew")
                 : wf_fail_errno(err, "empty the file");
    return rc;
}

int wf_client_get_paper(struct wf_client *client, const char *dossier, const char *paper, int fd,
                        const struct wf_client_progress *progress, struct wf_error *err)
{
    struct wf_msg_paper_get get = {.dossier = wf_str(dossier), .paper = wf_str(paper)};
    struct wf_arena *arena = wf_arena_new(0);
    struct stat is;
    uint64_t size = UINT64_MAX;
    int rc = arena == NULL         ? wf_fail(err, WF_E_NOMEM, "out of memory")
             : fstat(fd, &is) != 0 ? wf_fail_errno(err, "write the paper")
                                   : 0;
    get.at = rc == 0 ? (uint64_t)is.st_size : 0;
    while (rc == 0 && get.at < size) {
        size_t n = 0;
        rc = get_piece(client, fd, &get, arena, &size, &n, err);
        if (rc == 0 && n == 0 && get.at < size)
            rc = wf_fail(err, WF_E_STATE, "the paper ends too early");
        get.at += n;
        if (rc == 0 && progress != NULL)
            progress->fn(progress->context, get.at, size);
    }
    wf_arena_free(arena);
    return rc == 0 ? check_file(fd, paper, err) : rc;
}

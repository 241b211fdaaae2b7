/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Papers: requests that send and fetch them, and the rule that a dossier names only what is here.
 *
 * These requests write nothing into the store, and their files are not written or read inside a
 * transaction. Whether a paper is here is looked up where the dossier is about to name it, under
 * the write lock: whoever takes papers away holds the same lock.
 */
#include "life.h"

#include <stdio.h>
#include <string.h>

#define ATTACHED_MOST 200 /* papers that events and results may bring to one dossier */
#define LOOK_MOST     32  /* dossiers that name a paper, looked at for one that the party sees */

/* ---- may this paper be named? ---------------------------------------------------------------- */

struct search {
    struct wf_turn *turn;
    unsigned looked;
    bool found;
};

static int look_at_dossier(void *context, const uint8_t hash[WF_HASH_BYTES], uint64_t id)
{
    struct search *search = context;
    struct wf_rec_dossier dossier;
    (void)hash;
    int rc = wf_dossier_get(search->turn->txn, id, search->turn->arena, &dossier, NULL);
    search->found = rc == 0 && access_sees(search->turn, &dossier);
    return search->found || ++search->looked == LOOK_MOST ? WF_NONE : 0;
}

/* Here, and sent by this party, or of a dossier that it sees. A form that thousands name is looked
 * for among the first of them: the write lock is held. Whom that leaves out sends it once. */
static int may_name(struct wf_turn *turn, const uint8_t hash[WF_HASH_BYTES], bool *out,
                    struct wf_error *err)
{
    const struct wf_papers *papers = turn->engine->options.papers;
    struct wf_str party = wf_str(turn->party != NULL ? turn->party->name : "");
    *out = papers != NULL && wf_papers_named(papers, party, hash);
    if (*out || papers == NULL || party.len == 0 || !wf_papers_named(papers, wf_str(""), hash))
        return 0;
    struct search search = {.turn = turn};
    int rc = wf_paper_each(turn->txn, hash, NULL, look_at_dossier, &search, err);
    *out = search.found;
    return rc < 0 ? rc : 0;
}

static int check_file(struct wf_turn *turn, const struct wf_value *file, const char *field,
                      struct wf_error *err)
{
    uint8_t hash[WF_HASH_BYTES];
    bool allowed = false;
    if (file == NULL || file->type == WF_NULL)
        return 0;
    if (!wf_paper_name(wf_value_str(file), hash))
        return wf_fail_field(err, WF_E_INVALID, field,
                             "%s: a file is named by its BLAKE2b-256: 64 lower-case hex digits",
                             field);
    int rc = may_name(turn, hash, &allowed, err);
    if (rc == 0 && !allowed)
        return wf_fail_field(err, WF_E_INVALID, field,
                             "%s: this paper is not here whole: send it first (paper_put)", field);
    return rc;
}

int papers_check(struct wf_turn *turn, const struct wf_value *papers, const char *prefix,
                 struct wf_error *err)
{
    char field[64];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < wf_value_count(papers); i++) {
        (void)snprintf(field, sizeof(field), "%spapers[%zu].file", prefix, i);
        rc = check_file(turn, wf_map_get(wf_list_at(papers, i), "file"), field, err);
    }
    return rc;
}

/* ---- papers that events and results bring ------------------------------------------------------
 */

static int check_attached(const struct wf_value *papers, size_t already, const char *prefix,
                          struct wf_error *err)
{
    char field[64];
    (void)snprintf(field, sizeof(field), "%spapers", prefix);
    if (papers->type != WF_LIST || already + papers->u.list.n > ATTACHED_MOST)
        return wf_fail_field(err, WF_E_INVALID, field, "%s: a list is needed, of at most %d in all",
                             field, ATTACHED_MOST);
    for (size_t i = 0; i < papers->u.list.n; i++) {
        const struct wf_value *paper = papers->u.list.items[i];
        struct wf_str id = wf_value_str(wf_map_get(paper, "id"));
        if (paper->type == WF_MAP && id.len > 0 && id.len <= 64)
            continue;
        (void)snprintf(field, sizeof(field), "%spapers[%zu].id", prefix, i);
        return wf_fail_field(err, WF_E_INVALID, field,
                             "%s: a paper is a map {id, file}, its id a text of 1 to 64 bytes",
                             field);
    }
    return 0;
}

int papers_brought(struct life *life, const struct wf_value *data, const char *prefix,
                   struct wf_error *err)
{
    const struct wf_value *papers = wf_map_get(data, "papers");
    if (papers == NULL || papers->type == WF_NULL)
        return 0;
    int rc = check_attached(papers, wf_value_count(life->content.attached), prefix, err);
    return rc == 0 ? papers_check(life->turn, papers, prefix, err) : rc;
}

static bool is_known(const struct life *life, struct wf_str file)
{
    const struct wf_value *lists[] = {life->content.papers, life->content.attached};
    for (size_t l = 0; l < WF_COUNT(lists); l++) {
        for (size_t i = 0; i < wf_value_count(lists[l]); i++) {
            if (wf_str_equal(file, wf_value_str(wf_map_get(wf_list_at(lists[l], i), "file"))))
                return true;
        }
    }
    return false;
}

int papers_attach(struct life *life, const struct wf_value *data, const char *event,
                  struct wf_error *err)
{
    struct wf_arena *arena = life->turn->arena;
    const struct wf_value *papers = wf_map_get(data, "papers");
    for (size_t i = 0; i < wf_value_count(papers); i++) {
        const struct wf_value *paper = wf_list_at(papers, i);
        const struct wf_value *file = wf_map_get(paper, "file");
        if (!wf_paper_name(wf_value_str(file), NULL) || is_known(life, wf_value_str(file)))
            continue;
        struct wf_value *all = wf_list(arena);
        struct wf_value *one = wf_map(arena);
        for (size_t k = 0; k < wf_value_count(life->content.attached); k++)
            wf_list_add(arena, all, wf_list_at(life->content.attached, k));
        wf_map_put(arena, one, "id", wf_map_get(paper, "id"));
        wf_map_put(arena, one, "file", file);
        wf_map_put(arena, one, "event", wf_text(arena, event));
        wf_list_add(arena, all, one);
        if (!wf_value_is_whole(all))
            return out_of_memory(err);
        life->content.attached = all;
        life->content_changed = true;
    }
    return 0;
}

/* ---- requests ---------------------------------------------------------------------------------
 */

bool wf_request_is_paper(enum wf_message type)
{
    return type == WF_MSG_paper_put || type == WF_MSG_paper_get;
}

struct look {
    struct wf_turn *turn;
    struct wf_error *err;
};

static int is_named(void *context, const uint8_t hash[WF_HASH_BYTES])
{
    const struct look *look = context;
    return wf_paper_named_by(look->turn->txn, hash, 0, look->err);
}

/* Asked where a paper begins; ends the transaction. */
static int look_for_room(struct wf_turn *turn, struct wf_str party,
                         const struct wf_paper_piece *piece, struct wf_error *err)
{
    struct look look = {turn, err};
    int rc = piece->at == 0 && piece->bytes.len > 0
                 ? wf_papers_room(turn->engine->options.papers, party, piece, is_named, &look, err)
                 : 0;
    wf_txn_abort(turn->txn);
    turn->txn = NULL;
    return rc;
}

int request_paper_put(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                      struct wf_error *err)
{
    const struct wf_msg_paper_put *m = request->body;
    struct wf_msg_paper_state *body = NEW_BODY(turn, paper_state);
    struct wf_paper_piece piece = {m->paper, m->size, m->at, m->bytes};
    if (body == NULL)
        return out_of_memory(err);
    if (turn->engine->options.papers == NULL)
        return wf_fail(err, WF_E_UNSUPPORTED, "no papers are kept here");
    if (turn->intake_stopped && m->bytes.len > 0)
        return wf_fail(err, WF_E_FULL, "the disk is nearly full and takes no papers now");
    *body = (struct wf_msg_paper_state){.paper = m->paper, .size = m->size};
    *out = (struct reply){WF_MSG_paper_state, body};
    const struct wf_str party = wf_str(turn->party != NULL ? turn->party->name : "");
    int rc = look_for_room(turn, party, &piece, err);
    return rc == 0 ? wf_papers_put(turn->engine->options.papers, party, &piece, &body->have,
                                   &body->whole, err)
                   : rc;
}

/* Who sees the dossier sees its papers, and no others: what is not its own is not there. */
static int find_paper(struct wf_turn *turn, const struct wf_msg_paper_get *m,
                      uint8_t hash[WF_HASH_BYTES], struct wf_error *err)
{
    struct wf_rec_dossier dossier;
    uint64_t id = 0;
    int rc = dossier_by_name(turn, m->dossier, &id, err);
    if (rc == 0)
        rc = wf_dossier_get(turn->txn, id, turn->arena, &dossier, err);
    if (rc == WF_NONE || (rc == 0 && !access_sees(turn, &dossier)))
        return wf_fail_field(err, WF_E_NOT_FOUND, "dossier", "there is no dossier of this code");
    if (rc == 0)
        rc = wf_paper_name(m->paper, hash) ? wf_paper_named_by(turn->txn, hash, id, err) : WF_NONE;
    return rc == WF_NONE
               ? wf_fail_field(err, WF_E_NOT_FOUND, "paper", "the dossier has no such paper")
               : rc;
}

int request_paper_get(struct wf_turn *turn, const struct wf_envelope *request, struct reply *out,
                      struct wf_error *err)
{
    const struct wf_msg_paper_get *m = request->body;
    const struct wf_papers *papers = turn->engine->options.papers;
    struct wf_msg_paper_chunk *body = NEW_BODY(turn, paper_chunk);
    uint8_t hash[WF_HASH_BYTES];
    if (body == NULL)
        return out_of_memory(err);
    int rc = find_paper(turn, m, hash, err);
    wf_txn_abort(turn->txn);
    turn->txn = NULL;
    if (rc != 0)
        return rc;
    if (papers == NULL)
        return wf_fail(err, WF_E_UNSUPPORTED, "no papers are kept here");
    *body = (struct wf_msg_paper_chunk){.paper = m->paper, .at = m->at};
    *out = (struct reply){WF_MSG_paper_chunk, body};
    rc = wf_papers_get(papers, hash, m->at, m->max != 0 ? (size_t)m->max : WF_CHUNK_MAX,
                       turn->arena, &body->bytes, &body->size, err);
    return rc == WF_NONE
               ? wf_fail_field(err, WF_E_CORRUPT, "paper", "the paper's file is missing here")
               : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked dossiers (R18): a dossier opens others as its parts, in the same transaction, and hears of
 * the end of each through the queue. Parts carry the number of the first with a suffix; a part has
 * no parts of its own, so that a procedure which names itself cannot run away.
 */
#include "life.h"

#include <inttypes.h>

/* The parent's data, as far as the part's procedure knows them. */
static int shared_content(struct life *parent, const struct wf_procedure *p,
                          struct wf_rec_content *out, struct wf_error *err)
{
    struct wf_arena *arena = parent->turn->arena;
    const struct wf_rec_content *from = &parent->content;
    struct wf_value *fields = wf_map(arena);
    struct wf_value *papers = wf_list(arena);
    for (size_t i = 0; i < wf_value_count(from->fields); i++) {
        const struct wf_pair *pair = &from->fields->u.map.pairs[i];
        if (wf_procedure_field(p, pair->key) != NULL)
            wf_map_put_str(arena, fields, pair->key, pair->value);
    }
    for (size_t i = 0; i < wf_value_count(from->papers); i++) {
        const struct wf_value *paper = wf_list_at(from->papers, i);
        if (wf_procedure_paper(p, wf_value_str(wf_map_get(paper, "id"))) != NULL)
            wf_list_add(arena, papers, paper);
    }
    if (!wf_value_is_whole(fields) || !wf_value_is_whole(papers))
        return out_of_memory(err);
    *out = (struct wf_rec_content){
        .fields = fields, .papers = papers, .agent = from->agent, .by = from->by};
    return wf_procedure_check_data(p, fields, papers, err);
}

static const struct wf_value *part_data(struct life *part, struct wf_str parent_code)
{
    struct wf_arena *arena = part->turn->arena;
    struct wf_value *data = wf_map(arena);
    wf_map_put(arena, data, "procedure", wf_text(arena, part->procedure->code));
    wf_map_put(arena, data, "version", wf_int(arena, part->procedure->version));
    wf_map_put(arena, data, "part_of", wf_text_n(arena, parent_code.ptr, parent_code.len));
    wf_map_put(arena, data, "channel",
               wf_text_n(arena, part->now.channel.ptr, part->now.channel.len));
    wf_map_put(arena, data, "site", wf_text_n(arena, part->now.site.ptr, part->now.site.len));
    wf_map_put(arena, data, "fields", part->content.fields);
    wf_map_put(arena, data, "papers", part->content.papers);
    return data;
}

static int run_part(struct life *part, struct wf_str parent_code, struct wf_error *err)
{
    const struct wf_value *data = part_data(part, parent_code);
    if (!wf_value_is_whole(data))
        return out_of_memory(err);
    int rc = life_start(part, "", "system", data, err);
    if (rc == 0)
        rc = life_drain(part, err);
    return rc == 0 ? life_save(part, err) : rc;
}

int wf_work_open_part(struct wf_work *work, const char *procedure, struct wf_error *err)
{
    struct life *parent = work->life;
    struct wf_rec_dossier *d = &parent->now;
    struct wf_turn *turn = parent->turn;
    struct wf_rec_content content;
    struct life part;
    const struct wf_procedure *p = engine_current(turn->engine, wf_str(procedure), turn->now_ms);
    if (d->parent != 0)
        return wf_fail(err, WF_E_STATE, "a part of a dossier cannot have parts of its own");
    if (p == NULL)
        return wf_fail(err, WF_E_STATE, "procedure %s is not installed, or not in force",
                       procedure);
    int rc = shared_content(parent, p, &content, err);
    if (rc != 0)
        return wf_wrap(err, "part %s", procedure);
    const char *code =
        wf_arena_printf(turn->arena, "%.*s.%" PRIu64, WF_STR_ARG(d->code), d->parts + 1);
    struct wf_rec_dossier seed = {.code = wf_str(code),
                                  .site = d->site,
                                  .agency = d->agency,
                                  .channel = d->channel,
                                  .party = d->party,
                                  .parent = d->id,
                                  .link = wf_str(work->id)};
    if (code == NULL)
        return out_of_memory(err);
    rc = life_new(turn, p, &seed, &content, &part, err);
    if (rc == 0)
        rc = run_part(&part, d->code, err);
    if (rc != 0)
        return wf_wrap(err, "part %s", procedure);
    d->parts++;
    return 0;
}

int part_closed(struct life *life, struct wf_error *err)
{
    struct wf_turn *turn = life->turn;
    const struct wf_rec_dossier *d = &life->now;
    struct wf_value *part = wf_map(turn->arena);
    wf_map_put(turn->arena, part, "procedure", wf_text(turn->arena, life->procedure->code));
    wf_map_put(turn->arena, part, "dossier", wf_text_n(turn->arena, d->code.ptr, d->code.len));
    wf_map_put(turn->arena, part, "outcome",
               wf_text_n(turn->arena, d->outcome.ptr, d->outcome.len));
    if (!wf_value_is_whole(part))
        return out_of_memory(err);
    struct wf_rec_queue item = {.service = WF_INTAKE,
                                .kind = WF_QUEUE_PART,
                                .due = turn->real_ms,
                                .created = turn->real_ms,
                                .dossier = d->parent,
                                .activity = wf_str("intake.link"),
                                .id = d->link,
                                .params = part};
    return queue_tell(turn, &item, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * News: what the journal has since the last file becomes out/events-FROM-TO.json. It is written to
 * .work first; from then on its name and content stand, whatever dies: it is linked into out, the
 * cursor is acknowledged, and it goes from .work. A file may so come twice, always the same.
 */
#include "folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workflow/log.h"

#define CURSOR  "folder"
#define AT_ONCE 500

static int acknowledge(struct drop *drop, uint64_t seq, struct wf_error *err)
{
    struct wf_envelope reply;
    const struct wf_msg_journal_ack ack = {.cursor = wf_str(CURSOR), .seq = seq};
    int rc =
        wf_client_call(drop->client, WF_INTAKE, WF_MSG_journal_ack, &ack, drop->arena, &reply, err);
    if (rc == 0)
        drop->acknowledged = seq;
    return rc;
}

/* ---- what was written and perhaps not said --------------------------------------------------- */

static bool find_pending(void *context, const char *name)
{
    char *found = context;
    if (wf_starts_with(name, "events-"))
        (void)snprintf(found, 64, "%s", name);
    return found[0] == '\0';
}

/* The last number in "events-12-40.json". */
static uint64_t end_of(const char *name)
{
    const char *dash = strrchr(name, '-');
    return dash != NULL ? strtoull(dash + 1, NULL, 10) : 0;
}

static int publish(struct drop *drop, struct wf_error *err)
{
    char name[64] = "";
    int rc = dir_each(drop->dirs[DIR_WORK], find_pending, name, err);
    if (rc != 0 || name[0] == '\0')
        return rc;
    if (linkat(drop->dirs[DIR_WORK], name, drop->dirs[DIR_OUT], name, 0) != 0 && errno != EEXIST)
        return wf_fail(err, WF_E_IO, "put news into out: %s", strerror(errno));
    if (fsync(drop->dirs[DIR_OUT]) != 0)
        return wf_fail(err, WF_E_IO, "sync a folder: %s", strerror(errno));
    rc = acknowledge(drop, end_of(name), err);
    if (rc == 0)
        (void)unlinkat(drop->dirs[DIR_WORK], name, 0);
    return rc;
}

/* ---- making them ----------------------------------------------------------------------------- */

/* The dossier as it is now, to its number; {} where it is gone. Asked once for each. */
static json_t *dossier_of(struct drop *drop, json_t *seen, uint64_t id, struct wf_error *err)
{
    char name[24];
    struct wf_envelope reply;
    (void)snprintf(name, sizeof(name), "#%" PRIu64, id);
    json_t *known = json_object_get(seen, name);
    if (known != NULL)
        return known;
    const struct wf_msg_dossier_get get = {.dossier = wf_str(name)};
    int rc =
        wf_client_call(drop->client, WF_INTAKE, WF_MSG_dossier_get, &get, drop->arena, &reply, err);
    if (rc < 0 && rc != WF_E_NOT_FOUND)
        return NULL;
    json_t *json = rc == 0 ? result_of_answer(0, reply.body) : json_object();
    if (json_object_set_new(seen, name, json) != 0) {
        (void)wf_fail(err, WF_E_NOMEM, "out of memory");
        return NULL;
    }
    return json;
}

static int add_event(struct drop *drop, const struct wf_value *event, json_t *seen, json_t *list,
                     struct wf_error *err)
{
    static const char *const members[] = {"seq", "n",    "event",  "data",
                                          "by",  "role", "states", "hash"};
    json_t *dossier =
        dossier_of(drop, seen, (uint64_t)wf_value_int(wf_map_get(event, "dossier"), 0), err);
    if (dossier == NULL)
        return err->code;
    json_t *json = json_object();
    int rc = json_array_append_new(list, json);
    for (size_t i = 0; i < WF_COUNT(members) && rc == 0; i++)
        rc = json_object_set_new(json, members[i], json_of(wf_map_get(event, members[i])));
    if (rc == 0)
        rc = json_object_set_new(json, "at", time_json(wf_value_int(wf_map_get(event, "ms"), 0)));
    static const char *const now[] = {"dossier", "procedure", "status", "due", "closed"};
    for (size_t i = 0; i < WF_COUNT(now) && rc == 0; i++) {
        json_t *value = json_object_get(dossier, now[i]);
        rc = value != NULL ? json_object_set(json, now[i], value) : 0;
    }
    return rc == 0 ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
}

static int write_page(struct drop *drop, const struct wf_msg_journal_page *page,
                      struct wf_error *err)
{
    char name[64];
    size_t n = wf_value_count(page->events);
    json_t *seen = json_object();
    json_t *list = json_array();
    int rc = seen != NULL && list != NULL ? 0 : wf_fail(err, WF_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_event(drop, wf_list_at(page->events, i), seen, list, err);
    int64_t first = wf_value_int(wf_map_get(wf_list_at(page->events, 0), "seq"), 0);
    (void)snprintf(name, sizeof(name), "events-%" PRId64 "-%" PRIu64 ".json", first,
                   page->next - 1);
    json_t *whole =
        rc == 0 ? json_pack("{s:s, s:I, s:I, s:O}", "party", drop->party->name, "from",
                            (json_int_t)first, "to", (json_int_t)(page->next - 1), "events", list)
                : NULL;
    if (rc == 0 && whole == NULL)
        rc = wf_fail(err, WF_E_NOMEM, "out of memory");
    if (rc == 0)
        rc = file_put_json(drop->dirs, DIR_WORK, name, whole, err);
    json_decref(whole);
    json_decref(list);
    json_decref(seen);
    if (rc == 0)
        drop->figures.news += (int64_t)n;
    return rc;
}

/* 0 = there may be more, WF_NONE = that was all. */
int news_write(struct drop *drop, struct wf_error *err)
{
    struct wf_envelope reply = {0};
    wf_arena_reset(drop->arena);
    int rc = publish(drop, err);
    if (rc != 0)
        return rc;
    const struct wf_msg_journal_fetch fetch = {.cursor = wf_str(CURSOR), .max = AT_ONCE};
    rc = wf_client_call(drop->client, WF_INTAKE, WF_MSG_journal_fetch, &fetch, drop->arena, &reply,
                        err);
    if (rc != 0)
        return rc;
    const struct wf_msg_journal_page *page = reply.body;
    if (reply.type != WF_MSG_journal_page || page->next == 0)
        return wf_fail(err, WF_E_INTERNAL, "an answer of another kind");
    bool is_last = page->next > page->head;
    if (wf_value_count(page->events) > 0) {
        rc = write_page(drop, page, err);
        if (rc == 0)
            rc = publish(drop, err);
    } else if (page->next - 1 > drop->acknowledged) { /* passed over: not this party's */
        rc = acknowledge(drop, page->next - 1, err);
    }
    return rc == 0 && is_last ? WF_NONE : rc;
}

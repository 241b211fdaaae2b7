/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter: files every dossier that lies in a folder, once each.
 *
 *     counter FOLDER [COUNTER]
 *
 * NAME.json holds a dossier (the body of dossier_submit). When it is filed, NAME.answer holds its
 * code; when it is refused, NAME.refused says why. Kill it at any moment and start it again: the id
 * is made of the counter and the file's name, so nothing is filed twice.
 *
 * WINDOW dossiers are under way at a time: the service takes what waits together, so that one write
 * to its disk does for many. Each is sent again under its id until it is answered.
 */
#include "json.h"
#include "party.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <workflow/clock.h>

#define WINDOW   64
#define AGAIN_MS 1000  /* without an answer it is sent again */
#define GIVE_UP  30000 /* after so many ms it is left to the next run */

/* One dossier under way; the arena holds all of it until it is answered. */
struct flight {
    struct wf_arena *arena; /* NULL: the place is free */
    const char *stem, *id;
    struct wf_msg_dossier_submit submit;
    int64_t send_at, give_up;
};

struct counter {
    const char *folder, *name;
    struct wf_client *client;
    struct wf_arena *answers; /* of one answer */
    struct flight flights[WINDOW];
    size_t n_flights;
    bool failed; /* at least one is not filed */
};

/* Whole or not at all, also through a power cut. */
static int keep(const struct counter *c, const struct flight *f, const char *ending,
                const char *text)
{
    const char *path = wf_arena_printf(f->arena, "%s/%s.%s", c->folder, f->stem, ending);
    const char *new = wf_arena_printf(f->arena, "%s.new", path);
    FILE *file = path != NULL && new != NULL &&text != NULL ? fopen(new, "w") : NULL;
    if (file == NULL)
        return -1;
    bool ok = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    ok = fclose(file) == 0 && ok;
    return ok && rename(new, path) == 0 ? 0 : -1;
}

/* ---- the life of a flight -------------------------------------------------------------------- */

static void land(struct counter *c, struct flight *f, bool filed)
{
    c->failed = c->failed || !filed;
    c->n_flights--;
    wf_arena_free(f->arena);
    f->arena = NULL;
}

static void land_filed(struct counter *c, struct flight *f, struct wf_str code)
{
    const char *text = wf_arena_printf(f->arena, "{\"dossier\": \"%.*s\"}\n", WF_STR_ARG(code));
    land(c, f, keep(c, f, "answer", text) == 0);
}

static void land_refused(struct counter *c, struct flight *f, struct wf_str field,
                         struct wf_str why)
{
    const char *text =
        wf_arena_printf(f->arena, "%.*s: %.*s\n", WF_STR_ARG(field), WF_STR_ARG(why));
    (void)keep(c, f, "refused", text);
    land(c, f, false);
}

/* Perhaps it is filed: the next run asks again, with the same id. */
static void land_unknown(struct counter *c, struct flight *f, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", f->stem, why);
    land(c, f, false);
}

static int read_dossier(const char *path, struct flight *f, struct wf_error *err)
{
    const struct wf_value *d = NULL;
    int rc = json_read(path, f->arena, &d, err);
    if (rc < 0)
        return rc;
    f->submit = (struct wf_msg_dossier_submit){
        .procedure = wf_value_str(wf_map_get(d, "procedure")),
        .channel = wf_value_str(wf_map_get(d, "channel")),
        .site = wf_value_str(wf_map_get(d, "site")),
        .by = wf_value_str(wf_map_get(d, "by")),
        .role = wf_value_str(wf_map_get(d, "role")),
        .fields = wf_map_get(d, "fields"),
        .papers = wf_map_get(d, "papers"),
        .agent = wf_map_get(d, "agent"),
        .partial = wf_value_bool(wf_map_get(d, "partial"), false),
    };
    return 0;
}

/* Takes the file into a free place, unless it is filed already. */
static int take_off(struct counter *c, struct flight *f, const char *path)
{
    const char *base = strrchr(path, '/') + 1;
    int64_t now = wf_monotonic_ms();
    struct wf_error err = {0};
    *f = (struct flight){.arena = wf_arena_new(0), .send_at = now, .give_up = now + GIVE_UP};
    if (f->arena == NULL)
        return -1;
    c->n_flights++;
    f->stem = wf_arena_printf(f->arena, "%.*s", (int)(strlen(base) - 5), base);
    f->id = wf_arena_printf(f->arena, "%s-%s", c->name, f->stem);
    const char *answer = wf_arena_printf(f->arena, "%s/%s.answer", c->folder, f->stem);
    if (f->stem == NULL || f->id == NULL || answer == NULL)
        return -1;
    if (access(answer, F_OK) == 0)
        land(c, f, true);
    else if (read_dossier(path, f, &err) < 0)
        land_refused(c, f, wf_str(err.field), wf_str(err.text));
    return 0;
}

/* ---- asking and hearing ---------------------------------------------------------------------- */

/* Sends what is due; gives when the next is. Fails when the service is not reached at all. */
static int send_due(struct counter *c, int64_t *out_next, struct wf_error *err)
{
    int64_t next = INT64_MAX;
    for (struct flight *f = c->flights; f < c->flights + WINDOW; f++) {
        int64_t now = wf_monotonic_ms();
        if (f->arena != NULL && now >= f->give_up)
            land_unknown(c, f, "no answer in time");
        if (f->arena != NULL && now >= f->send_at) {
            int rc =
                wf_client_send(c->client, WF_INTAKE, WF_MSG_dossier_submit, &f->submit, f->id, err);
            f->send_at = wf_monotonic_ms() + AGAIN_MS;
            if (rc < 0 && wf_code_action(rc) != WF_REFUSE)
                return rc;
            if (rc < 0) /* it cannot even be packed */
                land_refused(c, f, wf_str(err->field), wf_str(err->text));
        }
        if (f->arena != NULL && f->send_at < next)
            next = f->send_at;
    }
    *out_next = next;
    return 0;
}

static void settle(struct counter *c, struct flight *f, const struct wf_envelope *answer)
{
    if (answer->type != WF_MSG_error) {
        land_filed(c, f, ((const struct wf_msg_dossier_state *)answer->body)->dossier);
        return;
    }
    const struct wf_msg_error *why = answer->body;
    if (wf_code_action(wf_code_of_word(why->code.ptr)) == WF_REFUSE)
        land_refused(c, f, why->field, why->message);
    else /* it passes: busy, or the disk is full */
        f->send_at = wf_monotonic_ms() + (why->retry_ms > 0 ? (int64_t)why->retry_ms : AGAIN_MS);
}

/* An answer that no flight waits for is the second one to what was sent twice. */
static void hear(struct counter *c, int64_t until)
{
    struct wf_envelope answer;
    int64_t wait = until - wf_monotonic_ms();
    wf_arena_reset(c->answers);
    if (wf_client_receive(c->client, wait > 0 ? wait : 0, c->answers, &answer, NULL) != 0)
        return;
    for (struct flight *f = c->flights; f < c->flights + WINDOW; f++) {
        if (f->arena != NULL && wf_str_is(answer.re, f->id)) {
            settle(c, f, &answer);
            return;
        }
    }
}

static int file_all(struct counter *c, const glob_t *found, struct wf_error *err)
{
    int rc = 0;
    for (size_t next = 0; rc == 0 && (next < found->gl_pathc || c->n_flights > 0);) {
        int64_t send_at = 0;
        for (struct flight *f = c->flights; f < c->flights + WINDOW; f++) {
            if (rc == 0 && f->arena == NULL && next < found->gl_pathc)
                rc = take_off(c, f, found->gl_pathv[next++]);
        }
        if (rc == 0)
            rc = send_due(c, &send_at, err);
        if (rc == 0 && c->n_flights > 0)
            hear(c, send_at);
    }
    return rc;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct counter c = {.folder = argv[1], .name = argc > 2 ? argv[2] : "counter-7"};
    struct wf_error err = {0};
    glob_t found = {0};
    char pattern[4096];
    c.answers = wf_arena_new(0);
    int rc = c.answers != NULL ? party_open(&c.client, &err) : -1;
    (void)snprintf(pattern, sizeof(pattern), "%s/*.json", c.folder);
    if (rc == 0 && glob(pattern, 0, NULL, &found) == 0)
        rc = file_all(&c, &found, &err);
    if (rc < 0)
        (void)fprintf(stderr, "%s\n", err.text[0] != '\0' ? err.text : "out of memory");
    for (size_t i = 0; i < WINDOW; i++)
        wf_arena_free(c.flights[i].arena);
    globfree(&found);
    wf_client_close(c.client);
    wf_arena_free(c.answers);
    return rc == 0 && !c.failed ? 0 : 1;
}

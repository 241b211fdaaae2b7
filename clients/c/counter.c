/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter: files every dossier that lies in a folder, once each.
 *
 *     counter FOLDER [COUNTER]
 *
 * NAME.json holds a dossier (the body of dossier_submit). When it is filed, NAME.answer holds its
 * code; when it is refused, NAME.refused says why. Kill it at any moment and start it again: the id
 * is made of the counter and the file's name, so nothing is filed twice.
 */
#include "json.h"
#include "party.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct counter {
    const char *folder, *name;
    struct wf_client *client;
    struct wf_arena *arena;
};

/* Whole or not at all, also through a power cut. */
static int keep(const struct counter *c, const char *stem, const char *ending, const char *text)
{
    const char *path = wf_arena_printf(c->arena, "%s/%s.%s", c->folder, stem, ending);
    const char *new = wf_arena_printf(c->arena, "%s.new", path);
    FILE *file = path != NULL && new != NULL &&text != NULL ? fopen(new, "w") : NULL;
    if (file == NULL)
        return -1;
    bool ok = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    ok = fclose(file) == 0 && ok;
    return ok && rename(new, path) == 0 ? 0 : -1;
}

static int ask(const struct counter *c, const char *path, const char *id, struct wf_str *out_code,
               struct wf_error *err)
{
    const struct wf_value *d = NULL;
    struct wf_envelope reply;
    int rc = json_read(path, c->arena, &d, err);
    if (rc < 0)
        return rc;
    struct wf_msg_dossier_submit submit = {
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
    rc = wf_client_again(c->client, WF_INTAKE, WF_MSG_dossier_submit, &submit, id, c->arena, &reply,
                         err);
    if (rc == 0)
        *out_code = ((const struct wf_msg_dossier_state *)reply.body)->dossier;
    return rc;
}

/* 0 filed, now or before. */
static int file_one(const struct counter *c, const char *path)
{
    const char *base = strrchr(path, '/') + 1;
    const char *stem = wf_arena_printf(c->arena, "%.*s", (int)(strlen(base) - 5), base);
    const char *id = wf_arena_printf(c->arena, "%s-%s", c->name, stem);
    const char *answer = wf_arena_printf(c->arena, "%s/%s.answer", c->folder, stem);
    struct wf_error err = {0};
    struct wf_str code = {0};
    if (id == NULL || answer == NULL)
        return -1;
    if (access(answer, F_OK) == 0)
        return 0;
    int rc = ask(c, path, id, &code, &err);
    if (rc == 0)
        return keep(c, stem, "answer",
                    wf_arena_printf(c->arena, "{\"dossier\": \"%.*s\"}\n", WF_STR_ARG(code)));
    if (wf_code_action(rc) == WF_REFUSE) {
        (void)keep(c, stem, "refused", wf_arena_printf(c->arena, "%s: %s\n", err.field, err.text));
        return 1;
    }
    (void)fprintf(stderr, "%s: %s\n", stem, err.text); /* perhaps filed: the next run asks again */
    return -1;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    struct counter c = {.folder = argv[1], .name = argc > 2 ? argv[2] : "counter-7"};
    struct wf_error err = {0};
    glob_t found = {0};
    char pattern[4096];
    int rc = party_open(&c.client, &err);
    (void)snprintf(pattern, sizeof(pattern), "%s/*.json", c.folder);
    if (rc == 0 && glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            c.arena = wf_arena_new(0);
            rc |= c.arena == NULL || file_one(&c, found.gl_pathv[i]) != 0;
            wf_arena_free(c.arena);
        }
    }
    globfree(&found);
    wf_client_close(c.client);
    return rc == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* procedure new, graph, explain and diff; export procedure: definitions shown to people. */
#include "tools.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workflow/identifiers.h"
#include "workflow/procedure_tools.h"

extern char **environ;

int hoso_procedure_new(struct hoso *h)
{
    struct wf_buf text = {0};
    int rc = wf_check_procedure_code(wf_str(h->args[0]), &h->err);
    if (rc < 0)
        return wf_wrap(&h->err, "code");
    for (enum hoso_option o = OPT_TITLE_VI; o <= OPT_TITLE_EN; o++) {
        struct wf_str title = hoso_text(h, o);
        if (!wf_is_utf8(title.ptr, title.len) || (hoso_has(h, o) && title.len == 0))
            return wf_fail(&h->err, WF_E_INVALID, "the titles are texts of UTF-8, not empty");
    }
    wf_procedure_skeleton(h->args[0], h->opt[OPT_TITLE_VI], h->opt[OPT_TITLE_EN], &text);
    return tool_give(h, &text);
}

int hoso_procedure_explain(struct hoso *h)
{
    struct definition d;
    struct wf_buf text = {0};
    struct wf_catalogue unused;
    int rc = hoso_full_catalogue(h, &unused); /* loads the registry: names of roles */
    if (rc == 0)
        rc = tool_definition(h, h->args[0], &d);
    if (rc != 0)
        return rc;
    wf_procedure_explain(d.procedure, h->registry, h->vi, &text);
    tool_definition_fini(&d);
    return tool_give(h, &text);
}

int hoso_export_procedure(struct hoso *h)
{
    struct definition d;
    struct wf_buf text = {0};
    if (hoso_has(h, OPT_FORMAT) && strcmp(h->opt[OPT_FORMAT], "scxml") != 0)
        return wf_fail(&h->err, WF_E_CONFIG, "--format: scxml is the only one for definitions");
    int rc = tool_definition(h, h->args[0], &d);
    if (rc != 0)
        return rc;
    wf_procedure_scxml(d.procedure, &text);
    tool_definition_fini(&d);
    return tool_give(h, &text);
}

/* ---- diff ---------------------------------------------------------------------------------- */

int hoso_procedure_diff(struct hoso *h)
{
    struct definition a = {NULL, NULL};
    struct definition b = {NULL, NULL};
    struct wf_buf text = {0};
    bool done = false;
    int rc = tool_definition(h, h->args[0], &a);
    if (rc == 0)
        rc = tool_definition(h, h->args[1], &b);
    const struct wf_value *changes =
        rc == 0 ? wf_procedure_diff(a.procedure, b.procedure, h->arena) : NULL;
    if (rc == 0)
        rc = hoso_answer(h, hoso_map(h, "changes", changes, NULL), &done);
    if (rc == 0 && !done) {
        wf_procedure_diff_lines(changes, &text);
        rc = tool_write(h, &(struct output){stdout, NULL}, &text);
    }
    wf_buf_fini(&text);
    tool_definition_fini(&b);
    tool_definition_fini(&a);
    return rc == 0 && wf_value_count(changes) > 0 ? HOSO_FAILED : rc;
}

/* ---- graph --------------------------------------------------------------------------------- */

struct counting {
    struct hoso *h;
    struct wf_value *counts;
    struct wf_arena *arena;
    const char *code;
};

static int count_states(void *context, const struct wf_rec_dossier *dossier)
{
    struct counting *c = context;
    for (size_t i = 0; i < wf_value_count(dossier->states); i++) {
        const char *id = wf_value_text(wf_list_at(dossier->states, i), "");
        int64_t n = wf_value_int(wf_map_get(c->counts, id), 0);
        if (!wf_map_put(c->h->arena, c->counts, id, wf_int(c->h->arena, n + 1)))
            return WF_E_NOMEM;
    }
    return 0;
}

static int count_dossiers(struct hoso *h, struct wf_txn *txn, void *context)
{
    struct counting *c = context;
    const struct wf_dossier_filter filter = {.procedure = wf_str(c->code), .open_only = true};
    return wf_dossier_each(txn, &filter, c->arena, count_states, c, &h->err);
}

/* State -> number of the procedure's open dossiers, of whatever version. */
static int counts_of(struct hoso *h, const char *code, const struct wf_value **out)
{
    struct counting c = {h, wf_map(h->arena), wf_arena_new(0), code};
    if (c.arena == NULL || c.counts == NULL) {
        wf_arena_free(c.arena);
        return wf_fail(&h->err, WF_E_NOMEM, "count: out of memory");
    }
    int rc = hoso_read(h, count_dossiers, &c);
    wf_arena_free(c.arena);
    *out = c.counts;
    return rc;
}

static int write_all(struct hoso *h, int to, const struct wf_buf *text)
{
    size_t at = 0;
    while (at < text->len) {
        ssize_t n = write(to, text->ptr + at, text->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wf_fail(&h->err, WF_E_INVALID, "dot: %s", strerror(errno));
        at += (size_t)n;
    }
    return 0;
}

/* Starts `dot` reading from the pipe's far end and writing to `to`. */
static int start_dot(struct hoso *h, int to, int *out_pipe, pid_t *out_pid)
{
    char name[] = "dot";
    char format[] = "-Tsvg";
    char *const argv[] = {name, format, NULL};
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0)
        return wf_fail(&h->err, WF_E_INVALID, "dot: %s", strerror(errno));
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) {
        failed = posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
        if (failed == 0)
            failed = posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
        if (failed == 0)
            failed = posix_spawn_file_actions_addclose(&actions, ends[1]);
        if (failed == 0)
            failed = posix_spawnp(out_pid, name, &actions, NULL, argv, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)close(ends[0]);
    if (failed == 0) {
        *out_pipe = ends[1];
        return 0;
    }
    (void)close(ends[1]);
    if (failed == ENOENT)
        return wf_fail(&h->err, WF_E_NOT_FOUND,
                       "Graphviz is not installed (there is no program `dot`): install it, or "
                       "take --dot and draw the text elsewhere");
    return wf_fail(&h->err, WF_E_INVALID, "dot: %s", strerror(failed));
}

static int draw(struct hoso *h, const struct wf_buf *text, const struct output *output)
{
    int to = -1;
    int status = 0;
    pid_t pid = 0;
    (void)fflush(stdout);
    int rc = start_dot(h, fileno(output->file), &to, &pid);
    if (rc != 0)
        return rc;
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    rc = write_all(h, to, text);
    (void)close(to);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    (void)signal(SIGPIPE, before);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) /* then a broken pipe is its doing */
        rc = wf_fail(&h->err, WF_E_INVALID, "dot: could not draw the chart");
    return rc;
}

static int give_svg(struct hoso *h, struct wf_buf *take_text)
{
    struct output output;
    int rc = take_text->failed ? wf_fail(&h->err, WF_E_NOMEM, "draw: out of memory") : 0;
    if (rc == 0)
        rc = tool_output_open(h, false, &output);
    if (rc == 0) {
        rc = draw(h, take_text, &output);
        rc = tool_output_close(h, &output, rc);
    }
    wf_buf_fini(take_text);
    return rc;
}

int hoso_procedure_graph(struct hoso *h)
{
    struct definition d;
    struct wf_buf text = {0};
    struct wf_graph_options options = {.vietnamese = h->vi};
    if (hoso_has(h, OPT_SVG) && hoso_has(h, OPT_DOT))
        return wf_fail(&h->err, WF_E_CONFIG, "--svg or --dot: take one of them");
    int rc = tool_definition(h, h->args[0], &d);
    if (rc == 0 && hoso_has(h, OPT_COUNTS))
        rc = counts_of(h, d.procedure->code, &options.counts);
    if (rc == 0)
        wf_procedure_graph(d.procedure, &options, &text);
    tool_definition_fini(&d);
    if (rc != 0)
        return rc;
    return hoso_has(h, OPT_SVG) ? give_svg(h, &text) : tool_give(h, &text);
}
